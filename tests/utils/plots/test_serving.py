"""Charts of serving a model."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.text import Annotation

from utils import plots
from utils.efficiency import simulate_queue


def labels(ax):
    fig = ax.figure
    fig.canvas.draw()
    notes = [child for child in ax.get_children() if isinstance(child, Annotation)]
    return {note: note.get_window_extent(fig.canvas.get_renderer()) for note in notes}


def written(ax):
    return sorted(note.get_text() for note in labels(ax))


def lines(ax, **wanted):
    """Lines by what they look like."""
    return [
        line
        for line in ax.get_lines()
        if all(getattr(line, f"get_{name}")() == value for name, value in wanted.items())
    ]


def test_the_histogram_marks_mean_and_percentiles():
    seconds = np.arange(1, 101) / 1000
    ax = plots.latency_histogram(seconds, title="Model 1").axes[0]
    assert written(ax) == ["mean 50.5 ms", "p50 50.5 ms", "p95 95 ms", "p99 99 ms"]
    assert sum(bar.get_height() for bar in ax.patches) == 100
    assert ax.get_ylabel() == "requests (of 100)"


def test_the_histogram_counts_what_it_leaves_out():
    ax = plots.latency_histogram([*np.linspace(0.009, 0.010, 998), 0.5, 0.8]).axes[0]
    assert sum(bar.get_height() for bar in ax.patches) == 998
    assert max(bar.get_x() for bar in ax.patches) <= 10
    assert ax.get_xlabel() == "latency (ms); 2 slower, up to 800 ms, not shown"
    assert plots.latency_histogram([0.009, 0.01]).axes[0].get_xlabel() == "latency (ms)"


@pytest.mark.parametrize("kind", ["skewed", "constant", "uniform", "one"])
def test_labels_of_the_histogram_do_not_overlap(kind):
    rng = np.random.default_rng(0)
    seconds = {
        "skewed": rng.lognormal(0, 1, 500),
        "constant": np.full(9, 0.004),
        "uniform": rng.random(500),
        "one": [0.1],
    }[kind]
    fig = plots.latency_histogram(seconds)
    boxes = labels(fig.axes[0])
    assert not any(a.overlaps(b) for a, b in combinations(boxes.values(), 2))
    assert all(box.x1 <= fig.bbox.x1 and box.y1 <= fig.bbox.y1 for box in boxes.values())
    # From the top down latencies rise: no label is crossed by the line of a greater one.
    places = sorted((-note.xy[1], note.xy[0]) for note in boxes)
    assert [value for _, value in places] == sorted(value for _, value in places)


@pytest.mark.parametrize("seconds", [[], [np.nan], [-1.0]])
def test_the_histogram_rejects_what_is_no_latency(seconds):
    with pytest.raises(ValueError, match="latenc"):
        plots.latency_histogram(seconds)


def sweep(rates, **options):
    return [simulate_queue(rate, {1: 0.01, 8: 0.02}, n_requests=300, **options) for rate in rates]


def test_the_queue_chart_shows_throughput_latency_and_cost():
    results = sweep([80, 20, 40])
    latency, cost = plots.queue_chart(results).axes
    line = lines(latency, linestyle="-")[0]
    ordered = sorted(results, key=lambda r: r.arrival_rate)
    assert list(line.get_xdata()) == [r.throughput for r in ordered]
    assert list(line.get_ydata()) == [r.latency_ms_p99 for r in ordered]
    assert list(lines(cost, linestyle="-")[0].get_ydata()) == [r.cost_per_million for r in ordered]
    assert "x" not in [m.get_marker() for m in latency.lines if len(m.get_xdata())]
    for ax in (latency, cost):
        assert (ax.get_xscale(), ax.get_yscale(), ax.get_xlim()[0]) == ("linear", "log", 0)


def test_overload_is_a_cross_and_curves_differ_in_colour_marker_and_line():
    curves = {"one": sweep([50, 150]), "batches": sweep([50, 150], max_batch=8)}
    fig = plots.queue_chart(curves)
    crosses = [m for m in lines(fig.axes[0], marker="x") if len(m.get_xdata())]
    assert [len(cross.get_xdata()) for cross in crosses] == [1]
    assert crosses[0].get_ydata()[0] == curves["one"][1].latency_ms_p99
    handles = fig.legends[0].legend_handles
    assert [h.get_label() for h in handles][:2] == ["one", "batches"]
    for name in ("color", "marker", "linestyle"):
        assert len({getattr(h, f"get_{name}")() for h in handles[:2]}) == 2
    assert handles[2].get_label().startswith("overloaded")


@pytest.mark.parametrize("results", [[], {}, {"one": []}])
def test_the_queue_chart_wants_results(results):
    with pytest.raises(ValueError, match="at least one result"):
        plots.queue_chart(results)
