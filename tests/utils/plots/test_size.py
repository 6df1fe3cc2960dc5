"""Pictures: what is on them, and that no label lies on another."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.path import Path
from matplotlib.text import Annotation

from utils import plots


def records(method, setting, f1, size, *, encoder=None, seeds=1, split="test"):
    """One record a seed, macro-F1 0.01 apart and centred on ``f1``."""
    return [
        {
            "method": method,
            "setting": setting,
            "seed": seed,
            "split": split,
            "macro_f1": f1 + 0.01 * (seed - (seeds - 1) / 2),
            "per_label_f1": {},
            "encoder_bytes": size // 2 if encoder is None else encoder,
            "file_bytes": size,
        }
        for seed in range(seeds)
    ]


BASELINE = records("sparse linear", "C=0.5", 0.58, 6000)
PUBLISHED = [{"name": "published GRU", "bytes": 3_200_000, "macro_f1": 0.566}]


def crowd():
    """More settings, nearer to one another, than a lecture would show."""
    rows = list(BASELINE)
    for units, f1, size in ((8, 0.58, 60_000), (16, 0.6, 90_000), (32, 0.61, 160_000)):
        rows += records("GRU, distilled", f"{units} units", f1, size, seeds=5)
        rows += records("GRU, hard labels", f"{units} units", f1 - 0.012, size, seeds=5)
    for rank in (8, 16, 24):
        rows += records("factorised", f"rank {rank}", 0.6 + rank / 2000, 9000 * rank, seeds=3)
    for share in (80, 90, 95):
        rows += records("static sparse", f"{share}% zeros", 0.61 - share / 1e4, 120_000, seeds=2)
    return rows


def labels(ax):
    fig = ax.figure
    fig.canvas.draw()
    notes = [child for child in ax.get_children() if isinstance(child, Annotation)]
    return {note: note.get_window_extent(fig.canvas.get_renderer()) for note in notes}


def written(ax):
    return sorted(note.get_text() for note in labels(ax))


# ------------------------------------------------------------------------------- size_f1_chart


def test_the_chart_wants_its_baseline():
    with pytest.raises(ValueError, match="no record of the baseline, 'sparse linear'.*there: GRU"):
        plots.size_f1_chart(records("GRU", "64", 0.6, 10_000))
    with pytest.raises(ValueError, match="on split 'dev'"):
        plots.size_f1_chart(BASELINE, split="dev")
    with pytest.raises(ValueError, match="methods there: none"):
        plots.size_f1_chart([])
    plots.size_f1_chart(records("GRU", "64", 0.6, 10_000), baseline="GRU")


@pytest.mark.parametrize("name", ["method", "macro_f1", "file_bytes", "encoder_bytes", "split"])
def test_a_record_without_a_field_is_named(name):
    broken = dict(BASELINE[0])
    del broken[name]
    with pytest.raises(ValueError, match=f"record 1 has no {name}"):
        plots.size_f1_chart([*BASELINE, broken])


@pytest.mark.parametrize("change", [{"macro_f1": np.nan}, {"file_bytes": 0}])
def test_what_cannot_be_drawn_is_not_left_out_in_silence(change):
    with pytest.raises(ValueError, match="GRU, 64: macro-F1 and bytes"):
        plots.size_f1_chart([*BASELINE, records("GRU", "64", 0.6, 9000)[0] | change])


def lines(ax, **wanted):
    """Lines by what they look like."""
    return [
        line
        for line in ax.get_lines()
        if all(getattr(line, f"get_{name}")() == value for name, value in wanted.items())
    ]


def test_mean_and_range_over_seeds_are_drawn():
    rows = BASELINE + records("GRU", "64", 0.6, 10_000, encoder=7000, seeds=3)
    ax = plots.size_f1_chart(rows).axes[0]
    filled, hollow = [line for line in lines(ax, marker="o") if len(line.get_xdata())]
    assert filled.get_xydata() == pytest.approx(np.array([[10_000, 0.6]]))
    assert hollow.get_xydata() == pytest.approx(np.array([[7000, 0.6]]))
    assert hollow.get_markerfacecolor() == "white" != filled.get_markerfacecolor()
    bars = [c.get_segments() for c in ax.collections]
    tall = max((s for group in bars for s in group), key=lambda s: np.ptp(s[:, 1]))
    assert tall[:, 1] == pytest.approx([0.59, 0.61])


@pytest.mark.parametrize("first", ["small", "large"])
def test_the_baseline_is_a_point_and_a_labelled_line_at_its_smallest(first):
    """Not at its best: a larger setting must not raise the bar without anybody seeing why."""
    large = records("sparse linear", "C=2", 0.59, 9000)
    rows = BASELINE + large if first == "small" else large + BASELINE
    ax = plots.size_f1_chart(rows + records("GRU", "64", 0.6, 9999)).axes[0]
    (line,) = lines(ax, linestyle="--")
    assert list(line.get_ydata()) == [0.58, 0.58]
    stars = [star.get_markerfacecolor() for star in lines(ax, marker="*")]
    assert stars.count("white") == len(stars) - stars.count("white") == 2
    assert written(ax) == ["C=0.5", "C=2", "GRU", "sparse linear, C=0.5: 0.580"]


def test_the_line_goes_through_the_setting_that_is_asked_for():
    rows = BASELINE + records("sparse linear", "C=2", 0.59, 9000)
    ax = plots.size_f1_chart(rows, baseline_setting="C=2").axes[0]
    (line,) = lines(ax, linestyle="--")
    assert list(line.get_ydata()) == [0.59, 0.59]
    assert "sparse linear, C=2: 0.590" in written(ax)
    with pytest.raises(ValueError, match="setting 'C=3' on split 'test'.*there: C=0.5, C=2"):
        plots.size_f1_chart(rows, baseline_setting="C=3")


def test_other_splits_are_left_out():
    ax = plots.size_f1_chart(BASELINE + records("GRU", "64", 0.6, 9999, split="dev")).axes[0]
    assert written(ax) == ["sparse linear: 0.580"]


def test_methods_differ_in_colour_and_in_marker():
    rows = list(BASELINE)
    for i in range(9):
        rows += records(f"method {i}", "one", 0.5 + 0.01 * i, 10_000 * (i + 1))
    ax = plots.size_f1_chart(rows).axes[0]
    legend = ax.get_legend().legend_handles
    handles = {h.get_label(): (h.get_marker(), h.get_color()) for h in legend}
    looks = [handles[f"method {i}"] for i in range(9)] + [handles["sparse linear"]]
    assert len({marker for marker, _ in looks}) == 10
    assert len({colour for _, colour in looks[:6]}) == 6


def test_published_points_are_crosses_with_names():
    ax = plots.size_f1_chart(BASELINE, published=PUBLISHED).axes[0]
    (cross,) = lines(ax, marker="x")
    assert cross.get_xydata().tolist() == [[3_200_000, 0.566]]
    assert "published GRU" in written(ax)
    assert "x" not in [line.get_marker() for line in plots.size_f1_chart(BASELINE).axes[0].lines]


def test_a_published_size_without_word_vectors_is_hollow_and_the_legend_says_so():
    def legend(ax):
        return [text.get_text() for text in ax.get_legend().get_texts() if "publ" in str(text)]

    encoder = PUBLISHED[0] | {"counts": "encoder", "bytes": 900_000}
    ax = plots.size_f1_chart(BASELINE, published=[encoder]).axes[0]
    (hollow,) = [line for line in lines(ax, marker="X") if len(line.get_xdata())]
    assert hollow.get_xydata().tolist() == [[900_000, 0.566]]
    assert hollow.get_markerfacecolor() == "white"
    assert not lines(ax, marker="x")
    assert legend(ax) == ["published by others, encoder only"]
    both = plots.size_f1_chart(BASELINE, published=[encoder, *PUBLISHED]).axes[0]
    assert legend(both) == ["published by others", "published by others, encoder only"]
    whole = plots.size_f1_chart(BASELINE, published=[PUBLISHED[0] | {"counts": "file"}]).axes[0]
    assert len(lines(whole, marker="x")) == 1 and legend(whole) == ["published by others"]
    with pytest.raises(ValueError, match="published GRU: counts is 'network'"):
        plots.size_f1_chart(BASELINE, published=[encoder | {"counts": "network"}])


def test_the_legend_tells_what_bars_are_when_there_are_any():
    def legend(rows):
        return [t.get_text() for t in plots.size_f1_chart(rows).axes[0].get_legend().get_texts()]

    assert not any("seeds" in text for text in legend(BASELINE))
    several = BASELINE + records("GRU", "64", 0.6, 9999, seeds=5)
    assert "bar: lowest to highest of 1 to 5 seeds" in legend(several)
    alone = records("sparse linear", "C=1", 0.5, 9000, seeds=5)
    assert "bar: lowest to highest of 5 seeds" in legend(alone)


def test_a_setting_of_several_methods_is_written_with_its_method():
    rows = records("GRU", "taught", 0.6, 90_000) + records("GRU", "labels", 0.61, 95_000)
    rows += records("Model 1", "taught", 0.59, 92_000) + records("Model 1", "rank 8", 0.57, 20_000)
    (ax,) = plots.size_f1_chart([*BASELINE, *rows]).axes
    assert {"GRU, taught", "Model 1, taught", "labels", "rank 8"} <= set(written(ax))


@pytest.mark.parametrize("published", [(), PUBLISHED], ids=["ours", "published"])
def test_no_label_lies_on_another_or_outside(published):
    fig = plots.size_f1_chart(crowd(), published=published)
    ax = fig.axes[0]
    boxes = labels(ax)
    assert len(boxes) == 13 + len(published)
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        assert not a.overlaps(b), (one.get_text(), other.get_text())
    frame = ax.get_window_extent()
    for note, box in boxes.items():
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1, note.get_text()
        assert frame.y0 <= box.y0 and box.y1 <= frame.y1, note.get_text()


def test_no_label_lies_on_a_marker():
    ax = plots.size_f1_chart(crowd(), published=PUBLISHED).axes[0]
    boxes = labels(ax)
    marks = [line for line in ax.lines if line.get_marker() not in ("None", "", None, "_", "|")]
    points = np.concatenate([line.get_xydata() for line in marks if len(line.get_xdata())])
    assert len(points) > 24
    for x, y in ax.transData.transform(points):
        for note, box in boxes.items():
            assert not box.contains(x, y), note.get_text()


def test_no_label_lies_on_a_bar_or_on_the_line_to_a_hollow_marker():
    rows = BASELINE + records("sparse linear", "C=2", 0.59, 24_000)
    for setting, f1 in (("random vectors", 0.57), ("distilled vectors", 0.6), ("both", 0.62)):
        rows += records("Model 2 (GRU)", setting, f1, 1_300_000, encoder=130_000, seeds=5)
    ax = plots.size_f1_chart(rows).axes[0]
    boxes, to_pixels = labels(ax), ax.transData.transform
    joins = [line.get_xydata() for line in lines(ax, linestyle=":")]
    bars = [part for c in ax.collections for part in c.get_segments()]
    assert len(joins) == 5 and len(bars) >= 3
    for stroke in joins + bars:
        for note, box in boxes.items():
            assert not Path(to_pixels(stroke)).intersects_bbox(box), note.get_text()


def test_the_size_axis_is_logarithmic_in_human_units():
    ax = plots.size_f1_chart(BASELINE + records("transformer", "", 0.64, 44_000_000)).axes[0]
    ax.figure.canvas.draw()
    assert ax.get_xscale() == "log"
    texts = [t.get_text() for t in ax.get_xticklabels()]
    assert {"10 kB", "1 MB"} <= set(texts)
    near = plots.size_f1_chart(BASELINE + records("GRU", "", 0.6, 20_000)).axes[0]
    near.figure.canvas.draw()
    assert {"5 kB", "10 kB"} <= {t.get_text() for t in near.get_xticklabels()}


def test_any_axis_of_bytes_can_have_these_units():
    _, ax = plt.subplots()
    ax.plot([200_000, 2_000_000], [0, 1])
    plots.bytes_axis(ax)
    ax.figure.canvas.draw()
    assert ax.get_xscale() == "log"
    assert {"200 kB", "500 kB", "1 MB", "2 MB"} <= {t.get_text() for t in ax.get_xticklabels()}


def test_a_chart_can_be_drawn_on_given_axes():
    fig, ax = plt.subplots()
    assert plots.size_f1_chart(BASELINE, ax=ax) is fig
