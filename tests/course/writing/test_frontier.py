"""README's picture: what is chosen, and that its labels can be read."""

import itertools

import matplotlib.pyplot as plt
import pytest

from course.writing import frontier, readme
from utils.plots import set_style

BASELINE = [("small", 1000, 0.50, 0.50)]


def measured(*rows, method="sparse linear", error=0.005, **fields):
    """Records on dev and test of (setting, bytes, dev, test); ``error`` is dev's standard error."""
    return [
        {
            "results": "made up",
            "experiment": "models",
            "method": method,
            "setting": setting,
            "split": split,
            "file_bytes": size,
            "macro_f1": f1,
            "macro_f1_low": f1 - 1.96 * error,
            "macro_f1_high": f1 + 1.96 * error,
        }
        | fields
        for setting, size, *scores in rows
        for split, f1 in zip(("dev", "test"), scores, strict=True)
    ]


def settings(records):
    return [step.setting for step in frontier.frontier(frontier.candidates(records))]


@pytest.fixture
def chart():
    set_style()
    choices = frontier.candidates(readme._records())
    figure = frontier.draw(choices, readme._published())
    figure.canvas.draw()
    yield figure
    plt.close(figure)


def test_dev_chooses_where_test_disagrees():
    records = measured(
        ("small", 1000, 0.50, 0.50), ("lucky on test", 2000, 0.49, 0.70), ("dev", 3000, 0.60, 0.52)
    )
    assert settings(records) == ["small", "dev"]
    steps = frontier.frontier(frontier.candidates(records))
    assert [step.mean for step in steps] == [0.50, 0.52]  # what is drawn is test


def test_more_bytes_must_gain_a_standard_error():
    within = measured(("small", 1000, 0.50, 0.5), ("large", 2000, 0.5049, 0.6))
    beyond = measured(("small", 1000, 0.50, 0.5), ("large", 2000, 0.5051, 0.4))
    assert settings(within) == ["small"]
    assert settings(beyond) == ["small", "large"]


def test_a_file_counts_at_its_largest_seed():
    records = measured(("a", 1000, 0.5, 0.4)) + measured(("a", 1200, 0.7, 0.6))
    (choice,) = frontier.candidates(records)
    assert (choice.size, choice.dev, choice.mean) == (1200, pytest.approx(0.6), pytest.approx(0.5))
    assert choice.test == (0.4, 0.6) and choice.error == pytest.approx(0.005)


def test_what_is_no_candidate():
    dev, test = measured(("a", 1000, 0.5, 0.5))
    timing = {"results": "made up", "experiment": "timing", "method": "a", "setting": "1 thread"}
    other_labels = measured(("a", 1000, 0.5, 0.5), taxonomy="emotions")
    for records in ([dev], [test], [timing], other_labels):
        assert frontier.candidates(records) == []
    assert len(frontier.candidates([dev, test, timing, *other_labels])) == 1


def test_the_frontier_of_the_results_is_monotone():
    steps = frontier.frontier(frontier.candidates(readme._records()))
    assert len(steps) > 3
    for smaller, larger in itertools.pairwise(steps):
        assert smaller.size < larger.size and smaller.dev + larger.error < larger.dev


def test_of_two_files_of_one_size_the_better_on_dev_stands():
    rows = [("a", 1483, 0.584, 0.60), ("b", 1485, 0.588, 0.50), ("c", 1600, 0.588, 0.90)]
    assert settings(measured(*rows)) == ["b"]


def test_the_ends_and_the_highest_steps_are_named():
    dev = (0.50, 0.51, 0.60, 0.62, 0.70, 0.71)
    rows = [(str(i), 1000 * (i + 1), f1, 0.5) for i, f1 in enumerate(dev)]
    steps = frontier.frontier(frontier.candidates(measured(*rows)))
    assert [step.setting for step in frontier.named(steps)] == ["0", "2", "4", "5"]
    assert frontier.named(steps[:3]) == steps[:3]


def test_a_chart_without_the_baseline_is_refused():
    choices = frontier.candidates(measured(*BASELINE * 3, method="another"))
    with pytest.raises(ValueError, match="no candidate of the baseline, 'sparse linear', among 1"):
        frontier.draw(choices, [])


def test_what_was_trained_once_or_twice_is_no_candidate_unless_no_seed_changes_it():
    seeds = [frontier.candidates(measured(*BASELINE * n, method="a network")) for n in (1, 2, 3)]
    assert list(map(len, seeds)) == [0, 0, 1]
    assert len(frontier.candidates(measured(*BASELINE, method="hashed words"))) == 1


def test_a_published_size():
    assert frontier.published_bytes({"bytes": 35_000, "parameters": 1}) == 35_000
    assert frontier.published_bytes({"bytes": None, "parameters": 110_000_000}) == 440_000_000
    assert frontier.published_bytes({"bytes": None}) is None


def test_labels_are_few_inside_and_touch_nothing(chart):
    (ax,) = chart.axes
    renderer = chart.canvas.get_renderer()
    boxes = {text.get_text(): text.get_window_extent(renderer).padded(2) for text in ax.texts}
    assert 5 < len(boxes) == len(ax.texts) <= frontier.MOST_LABELS
    frame = ax.get_window_extent(renderer)
    for name, box in boxes.items():
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1, name
        assert frame.y0 <= box.y0 and box.y1 <= frame.y1, name
    for (one, box), (two, other) in itertools.combinations(boxes.items(), 2):
        assert not box.overlaps(other), (one, two)
    for line in ax.lines:  # steps, marks and bars
        path = ax.transData.transform_path(line.get_path())
        if len(path.vertices) > 1 and line.get_linestyle() != "None":
            assert not [name for name, box in boxes.items() if path.intersects_bbox(box, False)]
        else:
            hit = [name for name, box in boxes.items() if box.count_contains(path.vertices)]
            assert not hit


def test_the_description_says_what_is_drawn(chart):
    text = readme.picture_block()
    assert text.startswith("![Macro-F1 on test") and f"]({readme.PICTURE})\n" in text
    for part in ("Sparse linear baseline: ", "fastText with its own compression: ", "440 MB"):
        assert part in text
    assert text.count("(encoder only)") == 3
    for source in ("arXiv 2005.00547", "arXiv 1810.04805", "poster"):
        assert source in text
