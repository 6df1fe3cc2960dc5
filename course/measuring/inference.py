"""Use a model file: label texts, or score it on a split."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from course.errors import UserError
from utils.data import label_names, load_goemotions
from utils.metrics import bootstrap_interval, f1_report
from utils.packing import load_model, size_report

BATCH = 256


def predict_lines(
    model_path: str | Path, lines: Iterable[str], batch: int = BATCH
) -> Iterator[dict]:
    """Label texts, one a line, in the order they come, ``batch`` of them at once.

    An error of ``lines`` is raised after the texts before it have been labelled.

    Yields
    ------
    dict with ``text``, ``probabilities`` (label to number) and ``labels`` (those over their threshold)

    Raises
    ------
    PackingError
        If the model file cannot be read.
    """
    model, lines = load_model(model_path), iter(lines)
    problem: UserError | None = None
    while problem is None:
        texts: list[str] = []
        try:
            texts.extend(line.rstrip("\r\n") for line in islice(lines, batch))
        except UserError as error:
            problem = error
        if not texts:
            break
        probabilities = model.predict_proba(texts)
        for text, row, chosen in zip(
            texts, probabilities, probabilities >= model.thresholds, strict=True
        ):
            yield {
                "text": text,
                "probabilities": {
                    n: round(float(p), 4) for n, p in zip(model.label_names, row, strict=True)
                },
                "labels": [n for n, yes in zip(model.label_names, chosen, strict=True) if yes],
            }
    if problem is not None:
        raise problem


def evaluate(model_path: str | Path, split: str = "test", taxonomy: str | None = None) -> dict:
    """Score a model file on a split, with the thresholds inside the file.

    Returns
    -------
    dict with the scores of ``utils.metrics.f1_report``, a 95% bootstrap interval of macro-F1, the
    sizes of ``utils.packing.size_report``, and where the data came from

    Raises
    ------
    UserError
        If the model was trained for another taxonomy.
    PackingError, DataError
        If the model file or the data cannot be read.
    """
    model = load_model(model_path)
    taxonomy = taxonomy or model.taxonomy
    label_names(taxonomy)  # an unknown one is an error of its own
    if taxonomy != model.taxonomy:
        raise UserError(
            f"{model_path} predicts the taxonomy {model.taxonomy!r}; "
            f"score it with --taxonomy {model.taxonomy}."
        )
    data = load_goemotions(split, taxonomy)
    probabilities = model.predict_proba(data.texts)
    report = f1_report(data.labels, probabilities, model.thresholds, data.label_names)
    low, high = bootstrap_interval(data.labels, probabilities >= model.thresholds)
    return {
        "model": str(model_path),
        "split": split,
        "taxonomy": taxonomy,
        "rows": len(data.texts),
        "data": data.source.kind,
        **report,
        "macro_f1_low": low,
        "macro_f1_high": high,
        **size_report(model_path),
    }
