"""Charts of serving a model: a histogram of latencies, and latency against load."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from utils.plots.style import GREY, LINES, MARKERS, PALETTE, ink


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
    # The edge is darker: against white, the light blue alone has less than 3:1.
    counts, _, _ = ax.hist(shown, bins=bins, color=PALETTE[5], edgecolor=ink(PALETTE[5]), lw=0.6)
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
            color=ink(PALETTE[number]),
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
