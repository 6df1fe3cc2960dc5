"""Scores for multi-label classifiers: F1 at 0.5 and at tuned thresholds, with confidence intervals.

Source: van Rijsbergen (1979), "Information retrieval", chapter 7, for F1; Opitz and Burst (2019),
"Macro F1 and macro F1", arXiv 1911.03347, for its two averages.

What people get wrong: macro-F1 is the mean of the labels' F1. The F1 of mean precision and mean
recall is another number, and may be much larger.

>>> from utils.metrics import f1_report, macro_f1
>>> y_true = np.array([[1, 1], [1, 0], [1, 0], [1, 0], [1, 0]])
>>> y_pred = np.array([[1, 1], [0, 1], [0, 1], [0, 1], [0, 1]])
>>> report = f1_report(y_true, y_pred)
>>> [round(report[f"macro_{name}"], 3) for name in ("precision", "recall", "f1")]
[0.6, 0.6, 0.333]
>>> round(macro_f1(y_true, y_pred), 3)
0.333
"""

from collections.abc import Callable

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

AVERAGES = ("micro", "macro", "weighted")


def _as_matrix(values, name: str) -> np.ndarray:
    values = np.asarray(values)
    if values.ndim != 2:
        raise ValueError(f"{name} must have shape (rows, labels), got {values.shape}")
    return values


def as_labels(values, name: str = "y_true") -> np.ndarray:
    """A matrix of shape (rows, labels) of 0 and 1.

    Raises
    ------
    ValueError
        If it is no matrix, or holds anything else, such as shares, probabilities or NaN.
    """
    values = _as_matrix(values, name)
    if values.dtype != bool and not ((values == 0) | (values == 1)).all():
        odd = values[(values != 0) & (values != 1)][0]
        raise ValueError(f"{name} must hold 0 and 1 alone, found {odd}")
    return values


def as_probabilities(values, name: str = "probabilities") -> np.ndarray:
    """A matrix of shape (rows, labels) of numbers between 0 and 1.

    Raises
    ------
    ValueError
        If it is no matrix, or holds anything else, such as logits or NaN.
    """
    values = _as_matrix(values, name)
    inside = (values >= 0) & (values <= 1)  # NaN is not
    if not inside.all():
        raise ValueError(f"{name} must lie between 0 and 1, found {values[~inside][0]}")
    return values


def _same_shape(y_true, other: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    y_true = as_labels(y_true)
    if y_true.shape != other.shape:
        raise ValueError(f"y_true has shape {y_true.shape} but {name} has {other.shape}")
    return y_true, other


def tune_thresholds(y_true, probabilities) -> np.ndarray:
    """Find, for each label, the threshold with the highest F1. Call it on dev, never on test.

    Parameters
    ----------
    y_true : array of shape (n, labels), 0 or 1
    probabilities : array of shape (n, labels)

    Returns
    -------
    array of shape (labels,), float64
        A comment gets the label when its probability is at least the threshold. The threshold lies
        midway between two neighbouring probabilities. Equally good thresholds: the highest wins.
        A label that never occurs gets 1.0, since no threshold can find it.

    Raises
    ------
    ValueError
        If the shapes differ, there are no rows, a label is not 0 or 1, or a probability does not
        lie between them.

    Source: Lipton, Elkan and Naryanaswamy, "Optimal thresholding of classifiers to maximize F1
    measure" (2014); the search here is exhaustive over the observed probabilities.

    What people get wrong: thresholds tuned on the test set. They fit its few comments of a rare
    label, and the score says how well.

    >>> from utils.metrics import tune_thresholds
    >>> tune_thresholds(np.array([[1], [0], [1], [0]]), np.array([[0.5], [0.25], [0.75], [0.0]]))
    array([0.375])
    """
    y_true, probabilities = _same_shape(y_true, as_probabilities(probabilities), "probabilities")
    if len(y_true) == 0:
        raise ValueError("cannot tune thresholds on no rows")
    # float64 keeps the midpoint of two neighbouring float32 probabilities strictly between them.
    probabilities = probabilities.astype(np.float64)
    order = np.argsort(-probabilities, axis=0, kind="stable")
    ranked = np.take_along_axis(probabilities, order, axis=0)
    hits = np.cumsum(np.take_along_axis(y_true.astype(np.int64), order, axis=0), axis=0)
    predicted = np.arange(1, len(ranked) + 1)[:, None]
    positives = hits[-1]
    f1 = 2 * hits / (predicted + positives)
    following = np.vstack([ranked[1:], np.zeros((1, ranked.shape[1]))])
    f1[:-1][ranked[:-1] == ranked[1:]] = -1.0  # a tie cannot be cut in two
    best = f1.argmax(axis=0)
    columns = np.arange(ranked.shape[1])
    thresholds = (ranked[best, columns] + following[best, columns]) / 2
    return np.where(positives == 0, 1.0, thresholds)


def f1_report(y_true, probabilities, thresholds=0.5, label_names=None) -> dict:
    """Precision, recall and F1: micro, macro, weighted and per label.

    Parameters
    ----------
    y_true : array of shape (n, labels), 0 or 1
    probabilities : array of shape (n, labels)
    thresholds : float, or array of shape (labels,)
    label_names : sequence of str, optional
        Keys of ``per_label``; the column numbers when left out.

    Returns
    -------
    dict with ``{micro,macro,weighted}_{precision,recall,f1}`` and ``per_label``, which maps each
    name to its precision, recall, f1 and support. A ratio 0/0 counts as 0.

    Raises
    ------
    ValueError
        If shapes do not fit, there are no rows, a label is not 0 or 1, a probability does not lie
        between them, or a threshold is NaN.
    """
    y_true, probabilities = _same_shape(y_true, as_probabilities(probabilities), "probabilities")
    if len(y_true) == 0:
        raise ValueError("cannot score no rows")
    if np.isnan(thresholds).any():
        raise ValueError("a threshold is NaN")
    y_pred = probabilities >= np.asarray(thresholds)
    names = ("precision", "recall", "f1")
    report = {}
    for average in AVERAGES:
        scores = precision_recall_fscore_support(y_true, y_pred, average=average, zero_division=0)
        report |= {
            f"{average}_{name}": float(score) for name, score in zip(names, scores[:3], strict=True)
        }
    rows = zip(
        *precision_recall_fscore_support(y_true, y_pred, average=None, zero_division=0), strict=True
    )
    label_names = range(y_true.shape[1]) if label_names is None else label_names
    report["per_label"] = {
        str(label): {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(s)}
        for label, (p, r, f, s) in zip(label_names, rows, strict=True)
    }
    return report


def macro_f1(y_true, y_pred) -> float:
    """Mean over labels of F1 from 0/1 matrices of shape (n, labels); 0 for a label with no hit.

    The same number as scikit-learn's ``f1_score(average="macro", zero_division=0)``, an order of
    magnitude faster, since early stopping asks for it after every epoch.

    Raises
    ------
    ValueError
        If the shapes differ, or something else than 0 and 1 is given.
    """
    y_true, y_pred = _same_shape(y_true, as_labels(y_pred, "y_pred"), "y_pred")
    y_true, y_pred = y_true.astype(bool), y_pred.astype(bool)
    hits = (y_true & y_pred).sum(axis=0)
    total = y_true.sum(axis=0) + y_pred.sum(axis=0)
    return float(np.mean(2 * hits / np.maximum(total, 1)))


def bootstrap_interval(
    y_true,
    y_pred,
    average: str = "macro",
    *,
    samples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of F1 over comments drawn with replacement.

    Parameters
    ----------
    y_true, y_pred : 0/1 arrays of shape (n, labels)
    average : "macro" or "micro"
    samples : number of resampled test sets
    level : coverage, between 0 and 1

    Returns
    -------
    (low, high)

    Raises
    ------
    ValueError
        If shapes differ, there are no rows, something else than 0 and 1 is given, or ``average`` or
        ``level`` is not allowed.

    Source: Efron and Tibshirani, "An introduction to the bootstrap" (1993), chapter 13.

    What people get wrong: the interval is that of the test comments alone. What another seed of the
    training would give is not in it; and two intervals that overlap may still differ.

    >>> from utils.metrics import bootstrap_interval
    >>> y_true = np.array([[1, 0], [0, 1]] * 20)
    >>> y_pred = np.where(np.arange(40)[:, None] < 10, 1 - y_true, y_true)  # a quarter is wrong
    >>> low, high = bootstrap_interval(y_true, y_pred)
    >>> 0.5 < low < 0.75 < high < 1
    True
    """
    y_true, y_pred = _same_shape(y_true, as_labels(y_pred, "y_pred"), "y_pred")
    if len(y_true) == 0:
        raise ValueError("cannot resample no rows")
    if average not in ("macro", "micro"):
        raise ValueError(f"average must be 'macro' or 'micro', got {average!r}")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    y_true, y_pred = y_true.astype(bool), y_pred.astype(bool)
    n = len(y_true)
    # How often each comment is drawn is multinomial, so a matrix product counts hits in all samples.
    draws = (
        np.random.default_rng(seed)
        .multinomial(n, np.full(n, 1 / n), size=samples)
        .astype(np.float32)
    )
    hits = draws @ (y_true & y_pred).astype(np.float32)
    total = draws @ (y_true.astype(np.float32) + y_pred.astype(np.float32))
    if average == "micro":
        hits, total = hits.sum(axis=1, keepdims=True), total.sum(axis=1, keepdims=True)
    scores = (2 * hits / np.maximum(total, 1)).mean(axis=1)
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def paired_difference(
    targets,
    a,
    b,
    metric: Callable[[np.ndarray, np.ndarray], float] = macro_f1,
    *,
    n: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float, float]:
    """How much better ``a`` is than ``b`` on the same comments, with its bootstrap interval.

    Both are scored on the same drawn comments each time, so that a comment which is hard for both
    leaves their difference alone: its interval is narrower than the two intervals suggest.

    Parameters
    ----------
    targets : 0/1 array of shape (comments, labels)
    a, b : what two models predict, of the same shape
    metric : of targets and predictions
    n : number of resampled test sets
    level : coverage of the percentile interval, between 0 and 1

    Returns
    -------
    (difference, low, high): metric of ``a`` minus metric of ``b``, on all comments and its interval

    Raises
    ------
    ValueError
        If shapes differ, there are no rows, or ``n`` or ``level`` is not allowed.

    Source: Efron and Tibshirani, "An introduction to the bootstrap" (1993), chapter 13;
    Berg-Kirkpatrick et al. (2012), "An empirical investigation of statistical significance in NLP".
    """
    targets, a = _same_shape(targets, _as_matrix(a, "a"), "a")
    targets, b = _same_shape(targets, _as_matrix(b, "b"), "b")
    if len(targets) == 0:
        raise ValueError("cannot resample no rows")
    if n < 1:
        raise ValueError(f"there must be at least 1 resampled test set, got {n}")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    rng, differences = np.random.default_rng(seed), np.empty(n)
    for i in range(n):
        rows = rng.integers(0, len(targets), len(targets))
        drawn = targets[rows]
        differences[i] = metric(drawn, a[rows]) - metric(drawn, b[rows])
    low, high = np.quantile(differences, [(1 - level) / 2, (1 + level) / 2])
    return float(metric(targets, a) - metric(targets, b)), float(low), float(high)
