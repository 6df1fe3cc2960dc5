"""The course's main chart: size against macro-F1."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from utils.plots.labels import Labels
from utils.plots.style import GREY, MARKERS, PALETTE, human_bytes


def _grouped(records, split: str) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """method -> setting -> column -> (seeds,)."""
    needed = ("method", "setting", "split", "macro_f1", "encoder_bytes", "file_bytes")
    groups: dict = {}
    for number, record in enumerate(records):
        if missing := [name for name in needed if record.get(name) is None]:
            raise ValueError(f"record {number} has no {', '.join(missing)}")
        if record["split"] == split:
            settings = groups.setdefault(record["method"], {})
            settings.setdefault(str(record["setting"]), []).append(record)
    columns = ("macro_f1", "encoder_bytes", "file_bytes")
    return {
        method: {
            setting: {name: np.array([row[name] for row in rows], float) for name in columns}
            for setting, rows in settings.items()
        }
        for method, settings in groups.items()
    }


# How a published point looks, by what its bytes count.
_CROSS = dict(linestyle="", color=GREY)
_PUBLISHED = {
    "file": _CROSS | dict(marker="x", markersize=8, markeredgewidth=2),
    "encoder": _CROSS | dict(marker="X", markersize=10, markerfacecolor="white"),
}


def _counts(point: Mapping) -> str:
    counts = point.get("counts", "file")
    if counts not in _PUBLISHED:
        raise ValueError(f"{point['name']}: counts is {counts!r}, it must be 'file' or 'encoder'")
    return counts


def bytes_axis(ax: Axes) -> None:
    """A logarithmic x-axis of bytes in human units; call it once everything is drawn."""
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    close = high / low < 300
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if close else (1,), numticks=20))
    minor = NullLocator() if close else LogLocator(subs=range(2, 10), numticks=99)
    ax.xaxis.set_minor_locator(minor)
    ax.xaxis.set_major_formatter(FuncFormatter(human_bytes))
    ax.xaxis.set_minor_formatter(NullFormatter())


def size_f1_chart(
    records: Sequence[Mapping],
    *,
    baseline: str = "sparse linear",
    baseline_setting: str | None = None,
    split: str = "test",
    published: Sequence[Mapping] = (),
    ax: Axes | None = None,
) -> Figure:
    """The course's main chart: bytes against macro-F1, with the dumb baseline always on it.

    For each (method, setting) a filled marker stands at the mean, over seeds, of file bytes and
    macro-F1; bars reach from the lowest to the highest seed. A hollow marker of the same kind
    stands at the encoder's bytes, joined by a dotted line. Each method has a colour and a marker
    of its own. A horizontal line goes through one setting of the baseline, by default that with the
    smallest file: what the others are up against is how far one gets for next to nothing.

    Parameters
    ----------
    records : flat dicts, as in ``course/results``, with ``method``, ``setting``, ``seed``,
        ``split``, ``macro_f1`` (0 to 1), ``encoder_bytes`` and ``file_bytes``; those of other
        splits are left out
    baseline : the method that the others have to beat
    baseline_setting : which of its settings the line goes through, where it is not the smallest
    split : ``"train"``, ``"dev"`` or ``"test"``
    published : figures of others, as dicts with ``name``, ``bytes`` and ``macro_f1``: crosses
        Where ``counts`` is ``"encoder"`` the bytes leave out the word vectors, so the cross is
        hollow; without it, or where it is ``"file"``, they count everything.
    ax : where to draw; by default a new figure
        Labels are placed for the figure as it is then, so its layout is frozen: draw this last.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If the baseline, or its setting, has no record for this split, a record lacks a field or has
        an F1 or a size that cannot be drawn, or a published point counts something else.
    """
    groups = _grouped(records, split)
    if baseline not in groups:
        raise ValueError(
            f"no record of the baseline, {baseline!r}, on split {split!r}: a chart without it "
            f"hides whether the rest was worth it (methods there: {', '.join(groups) or 'none'})"
        )
    smallest = min(groups[baseline], key=lambda name: groups[baseline][name]["file_bytes"].mean())
    reference = smallest if baseline_setting is None else baseline_setting
    if reference not in groups[baseline]:
        raise ValueError(
            f"no record of {baseline!r} with the setting {reference!r} on split {split!r} (settings "
            f"there: {', '.join(groups[baseline])})"
        )
    if ax is None:
        crowded = sum(map(len, groups.values())) > 12  # labels need room
        _, ax = plt.subplots(figsize=(10, 9) if crowded else (9, 6), layout="constrained")
    extremes, labels = [], []  # points that the axes must hold; what to write where
    marks, strokes = [], []  # points and lines that text must keep off
    # A setting that several methods have does not tell their points apart.
    names = [name for settings in groups.values() for name in settings]
    shared = {name for name in names if names.count(name) > 1}
    # The baseline is last: drawn on top, and black, whatever else there is.
    order = [method for method in groups if method != baseline] + [baseline]
    for number, method in enumerate(order):
        if method == baseline:
            colour, marker = "#000000", "*"
        else:
            colour, marker = PALETTE[number % 6], MARKERS[number % len(MARKERS)]
        size = 13 if marker == "*" else 8
        for setting, columns in groups[method].items():
            f1, files, encoders = (
                columns[name] for name in ("macro_f1", "file_bytes", "encoder_bytes")
            )
            if not (np.isfinite(f1).all() and (files > 0).all() and (encoders >= 0).all()):
                raise ValueError(f"{method}, {setting}: macro-F1 and bytes must be finite numbers")
            x, y, hollow = files.mean(), f1.mean(), encoders.mean()
            ax.errorbar(
                x,
                y,
                xerr=[[x - files.min()], [files.max() - x]],
                yerr=[[y - f1.min()], [f1.max() - y]],
                fmt=marker,
                markersize=size,
                color=colour,
                capsize=4,
                elinewidth=1.5,
                zorder=3,
            )
            extremes += [(files.min(), f1.min()), (files.max(), f1.max())]
            marks += [(x, y), (x, f1.min()), (x, f1.max())]
            strokes.append([(x, f1.min()), (x, f1.max())])
            if hollow > 0:  # a linear model has no encoder to speak of
                ax.plot([hollow, x], [y, y], ":", color=colour, linewidth=1, zorder=2)
                ax.plot(
                    hollow,
                    y,
                    marker,
                    markersize=size,
                    color=colour,
                    markerfacecolor="white",
                    zorder=2.5,
                )
                extremes.append((hollow, y))
                marks.append((hollow, y))
                strokes.append([(hollow, y), (x, y)])
            if len(groups[method]) > 1:
                named = f"{method}, {setting}" if setting in shared else setting
                labels.append((x, y, named, colour))
            elif method != baseline:  # its line says its name
                labels.append((x, y, method, colour))
    reached = groups[baseline][reference]["macro_f1"].mean()
    for point in published:
        x, y = float(point["bytes"]), float(point["macro_f1"])
        ax.plot(x, y, **_PUBLISHED[_counts(point)], zorder=3)
        extremes.append((x, y))
        marks.append((x, y))
        labels.append((x, y, point["name"], GREY))

    sizes, scores = np.array(extremes).T
    ax.set_xscale("log")
    reach = sizes.max() / sizes.min()  # labels stand to the right by preference: more room there
    ax.set_xlim(sizes.min() / (1.25 * reach**0.1), sizes.max() * 1.25 * reach**0.2)
    space = max(scores.max() - scores.min(), 0.02)
    ax.set_ylim(scores.min() - 0.15 * space, scores.max() + 0.15 * space)
    bytes_axis(ax)
    ax.grid(True, color="#E0E0E0")
    ax.axhline(reached, color="#000000", linestyle="--", linewidth=1.2, zorder=1)
    ax.set_xlabel("size (bytes, log scale; 1 kB = 1000 B)")
    ax.set_ylabel(f"macro-F1 ({split})")
    _size_legend(ax, order, baseline, groups, published)

    writer = Labels(ax, marks, strokes)
    name = f"{baseline}, {reference}" if len(groups[baseline]) > 1 else baseline
    writer.along(reached, f"{name}: {reached:.3f}")
    # Crowded points first: they have the fewest places to choose from.
    pixels = ax.transData.transform([label[:2] for label in labels] or np.empty((0, 2)))
    crowding = [np.sort(np.hypot(*(pixels - p).T))[1:4].sum() for p in pixels]
    for i in np.argsort(crowding, kind="stable"):
        writer.beside(*labels[i])
    return ax.figure


def _size_legend(ax: Axes, order, baseline, groups, published) -> None:
    handles = []
    for number, method in enumerate(order):
        star = method == baseline
        handles.append(
            Line2D(
                [],
                [],
                linestyle="",
                label=method,
                markersize=12 if star else 8,
                marker="*" if star else MARKERS[number % len(MARKERS)],
                color="#000000" if star else PALETTE[number % 6],
            )
        )
    style = dict(linestyle="", marker="o", color=GREY, markersize=8)
    handles.append(Line2D([], [], label="filled: whole file", **style))
    handles.append(Line2D([], [], label="hollow: encoder only", markerfacecolor="white", **style))
    seeds = {len(c["macro_f1"]) for settings in groups.values() for c in settings.values()}
    if max(seeds) > 1:
        counts = f"{min(seeds)} to {max(seeds)}" if len(seeds) > 1 else f"{max(seeds)}"
        handles.append(
            Line2D(
                [],
                [],
                linestyle="",
                marker="|",
                markersize=12,
                markeredgewidth=1.5,
                color=GREY,
                label=f"bar: lowest to highest of {counts} seeds",
            )
        )
    counted = {_counts(point) for point in published}
    for counts, note in (("file", ""), ("encoder", ", encoder only")):
        if counts in counted:
            handles.append(Line2D([], [], **_PUBLISHED[counts], label=f"published by others{note}"))
    # Below the axes, where it cannot hide a point.
    ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=3)
