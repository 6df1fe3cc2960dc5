"""The picture of README: the best file for each size, beside the baseline and what others reached."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from utils.plots import GREY, PALETTE, human_bytes

BASELINE = "sparse linear"
RIVAL = "fastText"
MOST_LABELS = 8
SAME_SIZE = 1.01  # a hundredth more bytes is no other budget
STEPS_NAMED = 4  # of the frontier, leaving labels for the baseline, the rival and the published
LEAST_SEEDS = 3  # one training may be a lucky one
NO_SEED_CHANGES = (BASELINE, "hashed words", "hashed pairs")  # their fit is convex
KEYS = ("results", "experiment", "method", "setting")  # of the records of one candidate


@dataclass(frozen=True)
class Candidate:
    """One measured way to make a file, over its seeds.

    ``size`` is the largest file of any seed, in bytes: with less room not all of them fit. ``dev`` is
    the mean macro-F1 on dev, by which it is chosen, and ``error`` its standard error, from the mean
    width of the 95% bootstrap intervals; ``test`` holds the macro-F1 of each seed on test.
    """

    method: str
    setting: str
    size: float
    dev: float
    error: float
    test: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean macro-F1 on test."""
        return float(np.mean(self.test))


def candidates(records: Sequence[Mapping]) -> list[Candidate]:
    """What was measured on dev and on test, with a size, on Ekman's labels.

    ``records`` are those of ``course/results``, each with the name of its file as ``results``. Those
    without ``macro_f1``, its interval or ``file_bytes``, such as timings, and those of one split only
    are left out; so is what was trained with fewer than :data:`LEAST_SEEDS` seeds, unless none changes it.
    """
    groups: dict = {}
    for record in records:
        scored = {"macro_f1", "macro_f1_low", "file_bytes"} <= record.keys()
        if scored and record.get("taxonomy", "ekman") == "ekman":
            key = tuple(record[name] for name in KEYS)
            groups.setdefault(key, {}).setdefault(record["split"], []).append(record)
    return [
        Candidate(
            method=key[2],
            setting=key[3],
            size=max(record["file_bytes"] for record in splits["dev"] + splits["test"]),
            dev=float(np.mean([record["macro_f1"] for record in splits["dev"]])),
            error=float(np.mean([_width(record) for record in splits["dev"]])) / (2 * 1.96),
            test=tuple(record["macro_f1"] for record in splits["test"]),
        )
        for key, splits in groups.items()
        if splits.keys() >= {"dev", "test"}
        and (len(splits["test"]) >= LEAST_SEEDS or key[2] in NO_SEED_CHANGES)
    ]


def _width(record: Mapping) -> float:
    return record["macro_f1_high"] - record["macro_f1_low"]


def frontier(choices: Sequence[Candidate]) -> list[Candidate]:
    """The candidates worth their bytes on dev, from the smallest on.

    Each beats the one before by more than its standard error, and nothing of its size or less beats
    it by that much: the one-standard-error rule of Breiman et al., "Classification and Regression
    Trees" (1984). Without it the luckiest of many files would win by a thousandth that test does not
    repeat. Files that differ by less than :data:`SAME_SIZE` are of one size, and the better one on dev
    stands for it. On test a larger file may still score less: dev chose without looking.
    """
    best: list[Candidate] = []
    for choice in sorted(choices, key=lambda choice: (choice.size, -choice.dev)):
        if best and choice.size < SAME_SIZE * best[-1].size:
            best[-1] = max(best[-1], choice, key=lambda one: one.dev)
        elif not best or choice.dev > best[-1].dev + choice.error:
            best.append(choice)
    return best


def named(steps: Sequence[Candidate]) -> list[Candidate]:
    """The steps of a frontier to write a name at: its ends, and between them the highest on dev."""
    if len(steps) <= STEPS_NAMED:
        return list(steps)
    gains = np.diff([step.dev for step in steps])[:-1]
    inner = np.sort(np.argsort(-gains, kind="stable")[: STEPS_NAMED - 2]) + 1
    return [steps[0], *(steps[i] for i in inner), steps[-1]]


def published_bytes(point: Mapping) -> float | None:
    """The published size, or the one that follows from a published count of parameters, or None."""
    if point["bytes"] is None and "parameters" in point:
        return 4 * point["parameters"]  # float32
    return point["bytes"]


def draw(choices: Sequence[Candidate], published: Sequence[Mapping]) -> Figure:
    """Bytes of the complete file against macro-F1 on test, as steps.

    Parameters
    ----------
    choices : all candidates, those of the baseline and of the rival among them
    published : points of others, with ``name``, ``macro_f1``, ``source``, and ``bytes`` or
        ``parameters``. Where ``counts`` is ``"encoder"`` words and vectors are left out of the size:
        those have one label together.

    Raises
    ------
    ValueError
        If the baseline has no candidate: a chart without it hides whether the rest was worth it.
    """
    ours, baseline, rival = _lines(choices)
    if not baseline:
        raise ValueError(f"no candidate of the baseline, {BASELINE!r}, among {len(choices)}")
    fig, ax = plt.subplots(figsize=(9.5, 6), layout="constrained")
    sizes = [choice.size for choice in (*ours, *baseline, *rival)]
    sizes += [size for point in published if (size := published_bytes(point))]
    right = 8 * max(sizes)
    ax.set_xscale("log")
    ax.set_xlim(min(sizes) / 12, right)  # names stand to the left of their points
    _steps(ax, baseline, "#000000", "*", "--")
    _steps(ax, ours, PALETTE[0], "o", "-")
    names = [
        _label(
            ax,
            step.size,
            max(step.test),
            f"{step.method}\n{_reached(step)}",
            PALETTE[0],
            (-4, 4),
            "right",
            "bottom",
        )
        for step in named(ours)
    ]
    text = f"{BASELINE}, the dumb baseline\n{_reached(baseline[-1])}"
    _label(ax, right, baseline[-1].mean, text, "#000000", (-4, -4), "right", "top")
    if rival:
        _steps(ax, rival, PALETTE[1], "s", "-.")
        text = f"{RIVAL}, its own compression\n{_reached(rival[-1])}"
        _label(ax, right, rival[-1].mean, text, PALETTE[1], (-4, -4), "right", "top")
    _published(ax, published)
    low, high = ax.dataLim.intervaly
    ax.set_ylim(low - 0.1 * (high - low), high + 0.15 * (high - low))
    ax.xaxis.set_major_locator(LogLocator(numticks=20))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(human_bytes))
    ax.set_xlabel("bytes of the complete file, from raw text to labels (log scale; 1 kB = 1000 B)")
    ax.set_ylabel("macro-F1 on test, Ekman's labels")
    ax.set_title(
        "Chosen on dev: more bytes must gain a standard error; bars: lowest to highest seed",
        fontsize=11,
    )
    _raise(fig, names)
    return fig


def _lines(choices: Sequence[Candidate]) -> list[list[Candidate]]:
    """The frontiers of all models of the course, of the baseline, and of the rival."""
    return [
        frontier([choice for choice in choices if choice.method != RIVAL]),
        frontier([choice for choice in choices if choice.method == BASELINE]),
        frontier([choice for choice in choices if choice.method == RIVAL]),
    ]


def _reached(choice: Candidate) -> str:
    return f"{choice.mean:.3f} in {human_bytes(choice.size)}"


def describe(choices: Sequence[Candidate], published: Sequence[Mapping]) -> str:
    """What :func:`draw` shows, in words."""
    names = (
        "Chosen on dev among all models of the course",
        "Sparse linear baseline",
        "fastText with its own compression",
    )
    parts = [
        f"{name}: {', '.join(_reached(step) for step in steps)}."
        for name, steps in zip(names, _lines(choices), strict=True)
        if steps
    ]
    others = ", ".join(
        f"{point['name']} {point['macro_f1']:.3f} in {human_bytes(size)}"
        + (" (encoder only)" if point.get("counts") == "encoder" else "")
        for point in published
        if (size := published_bytes(point))
    )
    return (
        f"Macro-F1 on test against the bytes of the complete file, as steps. {' '.join(parts)} "
        f"Published by others: {others}."
    )


def _steps(ax: Axes, steps: Sequence[Candidate], colour: str, marker: str, line: str) -> None:
    sizes, means = [step.size for step in steps], [step.mean for step in steps]
    right = ax.get_xlim()[1]
    ax.step([*sizes, right], [*means, means[-1]], line, where="post", color=colour, linewidth=1.8)
    lowest, highest = (np.array([f(step.test) for step in steps]) for f in (min, max))
    ax.errorbar(
        sizes,
        means,
        yerr=[np.maximum(means - lowest, 0), np.maximum(highest - means, 0)],
        fmt=marker,
        markersize=11 if marker == "*" else 6,
        color=colour,
        capsize=3,
        elinewidth=1.3,
        zorder=3,
    )


def _published(ax: Axes, published: Sequence[Mapping]) -> None:
    """Crosses: hollow where the size is the encoder's alone."""
    hollow = []
    for point in published:
        if not (size := published_bytes(point)):
            continue
        only_encoder = point.get("counts") == "encoder"
        ax.plot(
            size,
            point["macro_f1"],
            "X",
            markersize=9,
            color=GREY,
            markerfacecolor="white" if only_encoder else GREY,
            zorder=3,
        )
        if only_encoder:
            hollow.append((size, point["macro_f1"]))
        else:
            text = f"{point['name']}\n{point['macro_f1']:.2f} in {human_bytes(size)}"
            _label(ax, size, point["macro_f1"], text, GREY, (0, -16), "center", "top")
    if hollow:
        size, f1 = sorted(hollow)[len(hollow) // 2]
        text = "published, encoder only\n(words and vectors not counted)"
        _label(ax, size, f1, text, GREY, (9, 0), "left", "center")


def _raise(fig: Figure, names: Sequence[Annotation]) -> None:
    """Lift each name off the one before it: above and to the left of the frontier all is free."""
    fig.canvas.draw()
    for before, name in itertools.pairwise(names):
        while before.get_window_extent().padded(4).overlaps(name.get_window_extent()):
            x, y = name.get_position()
            name.set_position((x, y + 2))


def _label(
    ax: Axes, x: float, y: float, text: str, colour: str, offset: tuple, ha: str, va: str
) -> Annotation:
    return ax.annotate(
        text,
        (x, y),
        xytext=offset,
        textcoords="offset points",
        color=colour,
        fontsize=10,
        ha=ha,
        va=va,
    )
