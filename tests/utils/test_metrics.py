import numpy as np
import pytest
from sklearn.metrics import f1_score

from utils.metrics import (
    bootstrap_interval,
    f1_report,
    macro_f1,
    paired_difference,
    tune_thresholds,
)


@pytest.fixture
def scored():
    rng = np.random.default_rng(0)
    y_true = rng.random((400, 5)) < [0.5, 0.2, 0.1, 0.05, 0.02]
    probabilities = np.clip(0.3 * y_true + rng.random((400, 5)) * 0.7, 0, 1)
    return y_true.astype(int), probabilities


def test_thresholds_beat_every_threshold_of_a_fine_grid(scored):
    y_true, probabilities = scored
    tuned = tune_thresholds(y_true, probabilities)
    predicted = probabilities >= np.linspace(0, 1, 501)[:, None, None]  # (thresholds, n, labels)
    hits = (predicted & (y_true == 1)).sum(axis=1)
    grid = 2 * hits / (predicted.sum(axis=1) + y_true.sum(axis=0))
    for label in range(5):
        ours = f1_score(y_true[:, label], probabilities[:, label] >= tuned[label])
        assert ours >= grid[:, label].max()


def test_thresholds_of_a_hand_computed_case():
    # Cut after the second: 2 hits of 2 positives among 2 predicted, F1 = 1; midway between .8 and .4.
    y_true, probabilities = np.array([[1], [1], [0]]), np.array([[0.9], [0.8], [0.4]])
    assert tune_thresholds(y_true, probabilities) == pytest.approx([0.6])


def test_tied_probabilities_are_never_cut_apart():
    y_true, probabilities = np.array([[1], [0], [0], [0]]), np.array([[0.7], [0.7], [0.7], [0.1]])
    assert tune_thresholds(y_true, probabilities) == pytest.approx([0.4])


def test_neighbouring_float32_probabilities_stay_apart():
    low = np.float32(0.5)
    high = np.nextafter(low, np.float32(1))
    probabilities = np.array([[high], [low]], dtype=np.float32)
    thresholds = tune_thresholds([[1], [0]], probabilities)
    assert (probabilities >= thresholds).ravel().tolist() == [True, False]


def test_absent_label_is_never_predicted_and_constant_label_always():
    thresholds = tune_thresholds([[0, 1], [0, 1]], [[0.2, 0.3], [0.9, 0.6]])
    assert thresholds[0] == 1.0
    assert thresholds[1] <= 0.3


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1, 1.5, -3])
@pytest.mark.parametrize("function", [tune_thresholds, f1_report])
def test_what_is_no_probability_is_refused(function, bad):
    with pytest.raises(ValueError, match=f"probabilities must lie between 0 and 1, found {bad}"):
        function([[1, 0]], [[0.5, bad]])
    function([[1, 0]], [[0, 1]])


@pytest.mark.parametrize("bad", [np.nan, 0.5, 2, -1])
@pytest.mark.parametrize("function", [tune_thresholds, f1_report, macro_f1, bootstrap_interval])
def test_shares_where_a_label_is_yes_or_no_are_refused(function, bad):
    with pytest.raises(ValueError, match=f"y_true must hold 0 and 1 alone, found {bad}"):
        function([[1, bad]], [[1, 1]])
    if function in (macro_f1, bootstrap_interval):
        with pytest.raises(ValueError, match=f"y_pred must hold 0 and 1 alone, found {bad}"):
            function([[1, 1]], [[1, bad]])
    function([[True, False]], [[True, False]])


def test_a_threshold_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="a threshold is NaN"):
        f1_report([[1, 0]], [[0.5, 0.5]], [0.5, np.nan])


def test_of_equally_good_thresholds_the_highest_wins():
    # Cut above .5 or above .3: F1 is 2/3 either way.
    y_true, probabilities = [[1], [0], [0], [1]], [[0.9], [0.7], [0.5], [0.3]]
    assert tune_thresholds(y_true, probabilities) == pytest.approx([0.8])
    assert tune_thresholds([[0], [0]], [[0.9], [0.1]]) == [1.0]  # no threshold can find it


@pytest.mark.parametrize("level", [0, 1, -0.5, 2])
def test_a_level_outside_0_and_1_is_refused(level):
    for function in (
        lambda: bootstrap_interval([[1]], [[1]], level=level),
        lambda: paired_difference([[1]], [[1]], [[1]], level=level),
    ):
        with pytest.raises(ValueError, match="level must lie between 0 and 1"):
            function()


def test_another_seed_draws_other_comments_and_a_narrower_level_a_narrower_interval():
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.random((2, 200, 3)) < 0.4
    first = bootstrap_interval(y_true, y_pred)
    assert first == bootstrap_interval(y_true, y_pred, seed=0)
    assert first != bootstrap_interval(y_true, y_pred, seed=1)
    low, high = bootstrap_interval(y_true, y_pred, level=0.5)
    assert first[0] < low < high < first[1]
    # Of a normal distribution 50% lie within 0.674 standard deviations, 95% within 1.96.
    assert (high - low) / (first[1] - first[0]) == pytest.approx(0.674 / 1.96, rel=0.15)
    paired = [paired_difference(y_true, y_pred, ~y_pred, seed=seed) for seed in (0, 0, 1)]
    assert paired[0] == paired[1] and paired[0][1:] != paired[2][1:]


@pytest.mark.parametrize("function", [tune_thresholds, f1_report])
def test_empty_and_misshapen_input_is_refused(function):
    with pytest.raises(ValueError, match="no rows"):
        function(np.zeros((0, 3)), np.zeros((0, 3)))
    with pytest.raises(ValueError, match="shape"):
        function(np.zeros((2, 3)), np.zeros((2, 4)))
    with pytest.raises(ValueError, match="shape"):
        function(np.zeros(3), np.zeros(3))


def test_report_agrees_with_scikit_learn(scored):
    y_true, probabilities = scored
    report = f1_report(y_true, probabilities, 0.4, label_names="abcde")
    predicted = probabilities >= 0.4
    for average in ("micro", "macro", "weighted"):
        assert report[f"{average}_f1"] == pytest.approx(
            f1_score(y_true, predicted, average=average)
        )
    assert report["per_label"]["e"]["support"] == y_true[:, 4].sum()


def test_macro_f1_agrees_with_scikit_learn_with_a_label_missing(scored):
    y_true, probabilities = scored
    y_true[:, 2] = 0
    predicted = probabilities >= 0.5
    predicted[:, 2] = False
    assert macro_f1(y_true, predicted) == pytest.approx(
        f1_score(y_true, predicted, average="macro", zero_division=0)
    )


def test_bootstrap_interval_agrees_with_plain_resampling(scored):
    y_true, probabilities = scored
    predicted = probabilities >= 0.4
    rng = np.random.default_rng(1)
    scores = [
        f1_score(y_true[rows], predicted[rows], average="macro", zero_division=0)
        for rows in rng.integers(0, len(y_true), (300, len(y_true)))
    ]
    low, high = bootstrap_interval(y_true, predicted)
    assert (low, high) == pytest.approx(np.quantile(scores, [0.025, 0.975]), abs=0.02)
    assert low < macro_f1(y_true, predicted) < high


def test_bootstrap_micro_of_perfect_predictions_has_no_width():
    y = np.eye(4)
    assert bootstrap_interval(y, y, "micro") == (1.0, 1.0)
    with pytest.raises(ValueError, match="average"):
        bootstrap_interval(y, y, "samples")
    with pytest.raises(ValueError, match="level"):
        bootstrap_interval(y, y, level=95)


def test_identical_predictions_do_not_differ(scored):
    y_true, probabilities = scored
    assert paired_difference(y_true, probabilities > 0.5, probabilities > 0.5, n=20) == (0, 0, 0)


def test_the_paired_difference_is_that_of_a_plain_loop(scored):
    y_true, probabilities = scored
    a, b = probabilities >= 0.4, probabilities >= 0.6
    rng, differences = np.random.default_rng(3), []
    for _ in range(50):
        rows = rng.integers(0, len(y_true), len(y_true))
        scores = [
            f1_score(y_true[rows], each[rows], average="macro", zero_division=0) for each in (a, b)
        ]
        differences.append(scores[0] - scores[1])
    expected = np.quantile(differences, [0.05, 0.95])
    difference, low, high = paired_difference(y_true, a, b, n=50, level=0.9, seed=3)
    assert difference == pytest.approx(macro_f1(y_true, a) - macro_f1(y_true, b))
    assert (low, high) == pytest.approx(tuple(expected))


def test_a_paired_interval_is_narrower_than_two_intervals(scored):
    y_true, probabilities = scored
    a, b = probabilities >= 0.50, probabilities >= 0.51
    _, low, high = paired_difference(y_true, a, b, n=300)
    widths = [np.diff(bootstrap_interval(y_true, each))[0] for each in (a, b)]
    assert high - low < min(widths)


def test_the_paired_difference_takes_any_metric_and_changes_its_sign(scored):
    y_true, probabilities = scored
    a, b = probabilities >= 0.4, probabilities >= 0.6

    def accuracy(targets, predictions):
        return (targets == predictions).mean()

    one, other = (paired_difference(y_true, *p, accuracy, n=40) for p in ((a, b), (b, a)))
    assert one[0] == pytest.approx(accuracy(y_true, a) - accuracy(y_true, b))
    assert one == pytest.approx((-other[0], -other[2], -other[1]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 0}, "at least 1 resampled test set"),
        ({"level": 1.0}, "level must lie between 0 and 1"),
        ({"a": np.zeros((3, 2))}, "but a has"),
        ({"b": np.zeros(4)}, "b must have shape"),
    ],
)
def test_the_paired_difference_refuses_what_it_cannot_compare(change, message):
    y = np.zeros((4, 2))
    with pytest.raises(ValueError, match=message):
        paired_difference(**{"targets": y, "a": y, "b": y} | change)
    with pytest.raises(ValueError, match="no rows"):
        paired_difference(y[:0], y[:0], y[:0])
