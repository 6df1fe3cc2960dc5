"""Read measured results: every number that a lecture shows comes from ``course/results/*.json``."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np


def load_records(name: str, folder: str | Path | None = None, **filters) -> list[dict]:
    """Records of ``course/results/NAME.json`` whose fields equal the filters.

    Parameters
    ----------
    name : such as ``"efficiency"``
    folder : where the results are; by default ``course/results`` in the current folder, above it,
        or beside ``utils``
    filters : such as ``experiment="models", split="test"``

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    LookupError
        If no record fits, so that a misspelt filter cannot pass as an empty chart.
    """
    records = _read(name, folder)["records"]
    found = [r for r in records if all(r.get(key) == value for key, value in filters.items())]
    if not found:
        raise LookupError(f"no record in {name}.json has {filters}")
    return found


def load_provenance(
    name: str, folder: str | Path | None = None, *, experiment: str | None = None
) -> dict:
    """Command, commit, date, data, machine and versions of the run that made an experiment's records.

    Parameters
    ----------
    name, folder : as in :func:`load_records`
    experiment : such as ``"models"``; None for all of the file, if one run made them all

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    LookupError
        If no record is of that experiment, or several runs made the records.
    """
    runs = load_runs(name, folder, experiment=experiment)
    if len(runs) != 1:
        records = load_records(name, folder)
        known = ", ".join(dict.fromkeys(record["experiment"] for record in records))
        raise LookupError(
            f"{len(runs)} runs made the records of {name}.json; name one experiment of {known}, or "
            "show all with load_runs"
        )
    return runs[0]


def load_runs(
    name: str, folder: str | Path | None = None, *, experiment: str | None = None
) -> list[dict]:
    """All runs behind ``course/results/NAME.json``, or behind one experiment in it, each as
    :func:`load_provenance` has it."""
    filters = {} if experiment is None else {"experiment": experiment}
    numbers = {record["run"] for record in load_records(name, folder, **filters)}
    return [run for run in _read(name, folder)["runs"] if run["run"] in numbers]


def load_published(folder: str | Path | None = None, part: str = "points") -> list[dict]:
    """Published figures, each with ``name``, ``macro_f1``, ``bytes`` (or None) and ``source``.

    ``part`` is "points", models that their authors trained, or "compressed", what was made of them.
    """
    return _read("published", folder)[part]


def summarise(
    records: Iterable[dict], value: str = "macro_f1", by: tuple[str, ...] = ("method", "setting")
) -> list[dict]:
    """Mean and spread of one field over seeds.

    Returns
    -------
    One dict a group, in order of appearance: the fields of ``by``, ``mean``, ``std`` (sample standard
    deviation; 0.0 for a single record), ``min``, ``max`` and ``n``.
    """
    groups: dict[tuple, list[float]] = {}
    for record in records:
        groups.setdefault(tuple(record[key] for key in by), []).append(record[value])
    return [
        dict(zip(by, key, strict=True))
        | {
            "mean": float(np.mean(values)),
            "std": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0,
            "min": min(values),
            "max": max(values),
            "n": len(values),
        }
        for key, values in groups.items()
    ]


def _read(name: str, folder: str | Path | None) -> dict:
    # A notebook is also run from a temporary folder, by a grader say; then the checkout that this
    # file is part of has the results.
    here = Path.cwd()
    roots = (here, *here.parents, Path(__file__).parents[1])
    folders = [Path(folder)] if folder else [root / "course" / "results" for root in roots]
    for path in (f / f"{name}.json" for f in folders):
        if path.exists():
            return json.loads(path.read_text(encoding="utf-8"))
    raise FileNotFoundError(
        f"no course/results/{name}.json in {here} or above; run `python -m course results {name}`"
    )
