"""Pictures that stay readable: colour-blind-safe colours, a marker of its own for each method,
labels that do not lie on one another, and a description in words for each.

Functions that draw return a matplotlib ``Figure``; :func:`show` puts it into the notebook.
"""

import base64
import io
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator
from matplotlib.transforms import Bbox

# Okabe and Ito (2008), "Color Universal Design"; the yellow is left out: too pale on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "<", ">", "h")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
GREY = "#595959"  # 7:1 against white
_DPI = 144  # 1.5 times the 96 that a browser assumes: sharp, and not yet heavy


def set_style() -> None:
    """Set matplotlib's defaults for the course: colours, sizes, a light grid."""
    plt.rcParams.update(
        {
            "axes.prop_cycle": cycler(color=PALETTE),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.titlelocation": "left",
            "axes.titlesize": 13,
            "axes.labelsize": 12,
            "figure.figsize": (8, 4.8),
            "figure.constrained_layout.use": True,
            "font.size": 11,
            "grid.color": "#E0E0E0",
            "legend.fontsize": 10,
            "legend.frameon": False,
            "lines.linewidth": 2,
            "xtick.labelsize": 11,
            "ytick.labelsize": 11,
        }
    )


def to_png(fig: Figure) -> bytes:
    """The figure as a PNG file, sharp on a screen; the figure stays open."""
    if not isinstance(fig, Figure):
        raise TypeError(f"expected a matplotlib Figure, got {type(fig).__name__}")
    file = io.BytesIO()
    fig.savefig(file, format="png", dpi=_DPI, facecolor="white")
    return file.getvalue()


def picture(fig: Figure, alt: str) -> tuple[dict, dict]:
    """Close a figure and return its mimebundle and metadata, as ``display(..., raw=True)`` takes.

    Parameters
    ----------
    fig : the figure
    alt : the description for those who cannot see it; also the ``text/plain`` form

    Raises
    ------
    ValueError
        If ``alt`` is empty.
    TypeError
        If ``fig`` is not a matplotlib figure.
    """
    alt = checked_alt(alt)
    png = to_png(fig)
    width, height = (round(96 * inches) for inches in fig.get_size_inches())
    plt.close(fig)
    bundle = {"image/png": base64.b64encode(png).decode(), "text/plain": alt}
    return bundle, {"image/png": {"alt": alt, "width": width, "height": height}}


def checked_alt(alt: str) -> str:
    """``alt`` without space around it, or a ValueError if nothing is left."""
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError("alt is empty: say what the picture shows, for those who cannot see it")
    return alt.strip()


def show(fig: Figure, alt: str) -> None:
    """Display a figure with its description, and close it.

    Parameters
    ----------
    fig : the figure
    alt : one or two sentences that say what the picture shows, for those who cannot see it

    Raises
    ------
    ValueError
        If ``alt`` is empty.
    TypeError
        If ``fig`` is not a matplotlib figure.
    """
    bundle, metadata = picture(fig, alt)
    display(bundle, metadata=metadata, raw=True)


def human_bytes(n: float, _=None) -> str:
    """Bytes in the unit that a person would use: ``500 B``, ``1.5 kB``, ``44 MB`` (1 kB = 1000 B).

    The second argument is there for matplotlib's ``FuncFormatter`` and ignored.
    """
    for unit in ("B", "kB", "MB", "GB"):
        # 999.5 would be written as 1000 of its unit.
        if n < 999.5 or unit == "GB":
            return f"{n:.3g} {unit}"
        n /= 1000


# ------------------------------------------------------------------------- labels that keep off


def _ink(colour: str) -> tuple[float, float, float]:
    """A darker shade for text: the palette's light colours are too pale to read on white."""
    return tuple(0.6 * part for part in to_rgb(colour))


def _freeze(fig: Figure) -> None:
    """Lay out the figure now and keep it so: what is measured in pixels must stay where it is."""
    for _ in range(2):  # the second time settles what the first one moved
        fig.canvas.draw()
    fig.set_layout_engine("none")


_HALO = withStroke(linewidth=3, foreground="white")  # a label crossed by a line stays readable

# Directions in which a label may stand: right, above, below, left, then more and more aslant.
_SIDES = [(1, 0), (0, 1), (0, -1), (-1, 0)]
_SIDES += [(x, y) for x in (0.15, 0.3, 0.5, 0.75, 1) for y in (1, -1)]
_SIDES += [(-x, y) for x, y in _SIDES[4:]]
_GAPS = (5, 10, 18, 28, 40, 54, 70, 88, 108, 130, 155, 180, 210)  # points from mark to text


class _Labels:
    """Writes on axes so that no text lies on another, on a mark or on a line.

    Greedy: each label takes the nearest free place round its point, with a thin line to it where
    that is far. The layout of the figure is frozen.
    """

    def __init__(self, ax: Axes, points: Sequence, strokes: Sequence = (), radius: float = 6):
        _freeze(ax.figure)
        self.ax, self.renderer = ax, ax.figure.canvas.get_renderer()
        self.frame, self.scale = ax.get_window_extent(), ax.figure.dpi / 72
        self.radius = radius * self.scale
        self.taken = [self._around(*xy) for xy in ax.transData.transform(list(points))]
        self.texts: list[Bbox] = []
        self.strokes = [Path(ax.transData.transform(stroke)) for stroke in strokes]

    def _around(self, x: float, y: float) -> Bbox:
        r = self.radius
        return Bbox([(x - r, y - r), (x + r, y + r)])

    def _clashes(self, box: Bbox) -> int:
        frame = self.frame
        inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0
        padded = box.padded(1.5 * self.scale)
        crossed = sum(stroke.intersects_bbox(padded) for stroke in self.strokes)
        written = padded.count_overlaps(self.taken) + padded.count_overlaps(self.texts)
        return written + crossed + 10 * (not (inside and box.y1 <= frame.y1))

    def along(self, y: float, text: str) -> None:
        """Write on a horizontal line, at the first place that is free, and keep off the line."""
        note = self.ax.annotate(
            text,
            (0, y),
            xycoords=("axes fraction", "data"),
            xytext=(0, 3),
            textcoords="offset points",
            va="bottom",
            fontsize=10,
            weight="bold",
        )
        places = []
        for share in np.linspace(0.01, 0.99, 50):
            for va, offset in (("bottom", 3), ("top", -3)):
                note.set(position=(0, offset), va=va)
                note.xy = (share, y)
                box = note.get_window_extent(self.renderer)
                places.append((self._clashes(box), share, va, offset, box))
        _, share, va, offset, box = min(places, key=lambda place: place[0])
        note.set(position=(0, offset), va=va)
        note.xy = (share, y)
        height = self.ax.transData.transform((1, y))[1]
        line = Bbox([(self.frame.x0, height - 1), (self.frame.x1, height + 1)])
        self.taken.append(line)
        self.texts.append(box)

    def beside(self, x: float, y: float, text: str, colour: str) -> None:
        """Write beside a point."""
        note = self.ax.annotate(
            text,
            (x, y),
            xytext=(0, 0),
            textcoords="offset points",
            color=_ink(colour),
            fontsize=10,
            ha="center",
            va="center",
            path_effects=[_HALO],
        )
        extent = note.get_window_extent(self.renderer)
        size, centre = np.array([extent.width, extent.height]), self.ax.transData.transform((x, y))
        best = None
        for gap in _GAPS:
            for side in _SIDES:
                middle = centre + side * (size / 2 + self.radius + gap * self.scale)
                box = Bbox([middle - size / 2, middle + size / 2])
                leader = Path([np.clip(centre, box.min, box.max), centre])
                clashes = self._clashes(box)
                if gap > 10:
                    clashes += sum(leader.intersects_bbox(other) for other in self.texts)
                if best is None or clashes < best[0]:
                    best = (clashes, gap, (middle - centre) / self.scale, box, leader)
            if best[0] == 0:
                break
        _, gap, offset, box, leader = best
        note.set_position(offset)
        if gap > 10:
            ends = self.ax.transData.inverted().transform(leader.vertices)
            self.ax.plot(*ends.T, color=_ink(colour), linewidth=0.7, zorder=1.5)
            self.strokes.append(leader)
        self.texts.append(box)


# --------------------------------------------------------------------------- size against macro-F1


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
    split: str = "test",
    published: Sequence[Mapping] = (),
    ax: Axes | None = None,
) -> Figure:
    """The course's main chart: bytes against macro-F1, with the dumb baseline always on it.

    For each (method, setting) a filled marker stands at the mean, over seeds, of file bytes and
    macro-F1; bars reach from the lowest to the highest seed. A hollow marker of the same kind
    stands at the encoder's bytes, joined by a dotted line. Each method has a colour and a marker
    of its own. A horizontal line goes through the setting of the baseline with the smallest file:
    what the others are up against is how far one gets for next to nothing.

    Parameters
    ----------
    records : flat dicts, as in ``course/results``, with ``method``, ``setting``, ``seed``,
        ``split``, ``macro_f1`` (0 to 1), ``encoder_bytes`` and ``file_bytes``; those of other
        splits are left out
    baseline : the method that the others have to beat
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
        If the baseline has no record for this split, a record lacks a field or has an F1 or a size
        that cannot be drawn, or a published point counts something else.
    """
    groups = _grouped(records, split)
    if baseline not in groups:
        raise ValueError(
            f"no record of the baseline, {baseline!r}, on split {split!r}: a chart without it "
            f"hides whether the rest was worth it (methods there: {', '.join(groups) or 'none'})"
        )
    if ax is None:
        _, ax = plt.subplots(figsize=(9, 6), layout="constrained")
    extremes, labels = [], []  # points that the axes must hold; what to write where
    marks, strokes = [], []  # points and lines that text must keep off
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
                labels.append((x, y, setting, colour))
            elif method != baseline:  # its line says its name
                labels.append((x, y, method, colour))
    smallest, columns = min(
        groups[baseline].items(), key=lambda setting: setting[1]["file_bytes"].mean()
    )
    reached = columns["macro_f1"].mean()
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

    writer = _Labels(ax, marks, strokes)
    name = f"{baseline}, {smallest}" if len(groups[baseline]) > 1 else baseline
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


# ------------------------------------------------------------------------- latency and queues


def latency_histogram(
    seconds,
    *,
    title: str = "",
    bins: int = 60,
    ax: Axes | None = None,
) -> Figure:
    """How latencies are spread, with the mean, p50, p95 and p99 marked.

    Requests slower than 1.25 times the last of these marks are left out, and counted below.

    Parameters
    ----------
    seconds : array of any shape, seconds per request
    title : above the picture
    bins : bars, from the least to the greatest latency shown
    ax : where to draw; by default a new figure

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        For no measurements, or negative or non-finite ones.
    """
    from utils.efficiency import latency_percentiles

    marks = latency_percentiles(seconds)
    milliseconds = 1000 * np.asarray(seconds, dtype=np.float64).ravel()
    marks = {"mean": float(milliseconds.mean())} | marks
    if ax is None:
        _, ax = plt.subplots(figsize=(8, 4.2), layout="constrained")
    # One request that met a pause of the machine would squeeze all others into a single bar.
    edge = 1.25 * max(marks.values())
    slower = int((milliseconds > edge).sum())
    shown = milliseconds[milliseconds <= edge]
    counts, _, _ = ax.hist(shown, bins=bins, color=PALETTE[5], edgecolor="white", lw=0.4)
    top = counts.max()
    ax.set_ylim(0, 1.5 * top)
    styles = dict(zip(marks, zip((1, 0, 2, 6), LINES, strict=False), strict=True))
    # The lesser the latency the higher its label, so that a label meets no line to its right.
    for row, (name, value) in enumerate(sorted(marks.items(), key=lambda mark: mark[1])):
        height = top * (1.44 - 0.11 * row)
        number, line = styles[name]
        ax.vlines(value, 0, height, color=PALETTE[number], linestyle=line, linewidth=1.8)
        ax.annotate(
            f"{name} {value:.3g} ms",
            (value, height),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=_ink(PALETTE[number]),
            fontsize=11,
            weight="bold",
        )
    outside = f"; {slower} slower, up to {milliseconds.max():.3g} ms, not shown" if slower else ""
    ax.set_xlabel(f"latency (ms){outside}")
    ax.set_ylabel(f"requests (of {milliseconds.size:,})")
    ax.set_title(title)
    return ax.figure


def _plain(value: float, _=None) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def queue_chart(results) -> Figure:
    """Throughput against p99 latency, and against cost, for simulated queues.

    Parameters
    ----------
    results : what :func:`utils.efficiency.simulate_queue` returned
        Either a list of results, joined by one line in order of arrival rate, or a dict with a
        label and such a list for each line. Where more requests arrived than can be served, the
        marker is a cross: there, latency grows for as long as the simulation runs.

    Returns
    -------
    Figure with two axes: p99 latency (log scale) and cost per million requests (log scale).

    Raises
    ------
    ValueError
        If there is no result.
    """
    curves = dict(results) if isinstance(results, Mapping) else {"": list(results)}
    if not curves or not all(curves.values()):
        raise ValueError("queue_chart needs at least one result for each line")
    fig, axes = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
    overloaded = False
    for number, curve in enumerate(curves.values()):
        curve = sorted(curve, key=lambda result: result.arrival_rate)
        colour, marker = PALETTE[number % len(PALETTE)], MARKERS[number % len(MARKERS)]
        stable = [result for result in curve if result.stable]
        drowned = [result for result in curve if not result.stable]
        overloaded |= bool(drowned)
        for ax, name in zip(axes, ("latency_ms_p99", "cost_per_million"), strict=True):
            for chosen, style in ((stable, marker), (drowned, "x")):
                ax.plot(
                    [result.throughput for result in chosen],
                    [getattr(result, name) for result in chosen],
                    style,
                    color=colour,
                    markersize=8,
                    markeredgewidth=2 if style == "x" else 1,
                )
            ax.plot(
                [result.throughput for result in curve],
                [getattr(result, name) for result in curve],
                linestyle=LINES[number % len(LINES)],
                color=colour,
                linewidth=1.5,
                zorder=1,
            )
    for ax, name in zip(axes, ("p99 latency (ms)", "cost per million requests"), strict=True):
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=12))
        ax.yaxis.set_major_formatter(FuncFormatter(_plain))
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.grid(True, color="#E0E0E0")
        ax.set_xlabel("throughput (requests per second)")
        ax.set_ylabel(name)
        ax.set_xlim(left=0)
    handles = [
        Line2D(
            [],
            [],
            color=PALETTE[i % len(PALETTE)],
            marker=MARKERS[i % len(MARKERS)],
            markersize=8,
            linestyle=LINES[i % len(LINES)],
            linewidth=1.5,
            label=label,
        )
        for i, label in enumerate(curves)
        if label
    ]
    if overloaded:
        handles.append(
            Line2D(
                [],
                [],
                color=GREY,
                marker="x",
                markersize=8,
                markeredgewidth=2,
                linestyle="",
                label="overloaded: latency grows without end",
            )
        )
    if handles:
        fig.legend(handles=handles, loc="outside lower center", ncols=min(3, len(handles)))
    return fig
