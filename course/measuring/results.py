"""Run a unit's experiments and keep what they measured in ``course/results/UNIT.json``.

A unit's ``experiments.py`` holds a list ``EXPERIMENTS``. Each experiment is a function of a seed that
returns records: flat dicts with at least :data:`REQUIRED`. Finished (experiment, seed) pairs are kept
in ``build/results`` until the whole run is written, so an interrupted run goes on where it stopped.

The file says which command, commit, machine and versions its records come from. After a run of some
experiments only, ``"kept"`` says the same of each of the others.
"""

import datetime
import hashlib
import importlib.metadata
import importlib.util
import json
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import joblib
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from course.errors import UserError
from course.writing.units import ROOT, Unit, find_unit

REQUIRED = (
    "method",
    "setting",
    "seed",
    "split",
    "macro_f1",
    "per_label_f1",
    "encoder_bytes",
    "file_bytes",
)
RESULTS = ROOT / "course" / "results"
NOTEBOOKS = ("exercise", "lecture", "mistakes")  # sources in a unit's folder that measure nothing
LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "safetensors", "zstandard", "transformers")


@dataclass(frozen=True)
class Experiment:
    """One thing to measure.

    Attributes
    ----------
    name : unique within the unit; what stands before a colon becomes the field ``experiment`` of
        its records, so that several experiments can fill one chart
    run : seed -> list of records (dicts of plain values)
    seeded : False for what no seed changes: it runs once, with seed 0
    alone : True for timings: runs after all others, with nothing beside it
    scored : False when its records carry no F1 (timings): then only ``method``, ``setting``, ``seed``
        are required
    """

    name: str
    run: Callable[[int], list[dict]]
    seeded: bool = True
    alone: bool = False
    scored: bool = True

    @property
    def group(self) -> str:
        """The field ``experiment`` of its records."""
        return self.name.partition(":")[0]

    def seeds(self, asked: int) -> range:
        """The seeds it runs with when so many are asked for."""
        return range(asked) if self.seeded else range(1)


def load_results(name: str) -> dict:
    """Read ``course/results/NAME.json``: what lectures, README and plots show.

    Raises
    ------
    UserError
        If there is no such file, naming the command that makes it.
    """
    path = RESULTS / f"{name}.json"
    if not path.exists():
        raise UserError(
            f"There are no results called {name!r}; make them with `python -m course results {name}`."
        )
    return json.loads(path.read_text(encoding="utf-8"))


def run_results(
    unit_name: str,
    seeds: int = 5,
    jobs: int = 1,
    console: Console | None = None,
    only: Collection[str] = (),
) -> Path:
    """Run the experiments of a unit and write its results file; return the file's path.

    ``jobs`` processes share the experiments through joblib. A ``joblib.parallel_config`` around the
    call hands them to another backend. ``only`` names the experiments to run, if not all: the
    records of the others stay in the file, with where they come from. ``finish`` of the unit's
    ``experiments.py`` gets the records that are new.

    Raises
    ------
    UserError
        If the unit is unknown, has no (such) experiments, or a record lacks a required field.
    """
    unit, console = find_unit(unit_name), console or Console()
    experiments, finish = _load_experiments(unit)
    groups = list(dict.fromkeys(experiment.group for experiment in experiments))
    if unknown := set(only) - set(groups):
        raise UserError(
            f"Unit {unit.topic} has no experiment {sorted(unknown)[0]!r}; it has {', '.join(groups)}."
        )
    experiments = [e for e in experiments if not only or e.group in only]
    parts = ROOT / "build" / "results" / unit.topic / _fingerprint(unit)
    parts.mkdir(parents=True, exist_ok=True)
    runs = [(e, seed) for e in experiments for seed in e.seeds(seeds)]
    todo = [(e, seed) for e, seed in runs if not _part(parts, e, seed).exists()]
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(unit.topic, total=len(runs), completed=len(runs) - len(todo))
        together = [
            joblib.delayed(_run)(unit, e.name, seed, parts) for e, seed in todo if not e.alone
        ]
        for name in joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")(together):
            progress.update(bar, advance=1, description=name)
        for experiment, seed in todo:
            if experiment.alone:
                progress.update(
                    bar, description=_run(unit, experiment.name, seed, parts), advance=1
                )
    records = [
        r for e, seed in runs for r in json.loads(_part(parts, e, seed).read_text(encoding="utf-8"))
    ]
    options = "".join(f' --only "{group}"' for group in groups if group in only)
    document = {
        "command": f"python -m course results {unit.topic} --seeds {seeds}{options}",
        **_provenance(),
    }
    path = RESULTS / f"{unit.topic}.json"
    path.parent.mkdir(exist_ok=True)
    others = [group for group in groups if only and group not in only]
    together = _keep(path, others, document, records)
    document["records"] = sorted(together, key=lambda r: groups.index(r["experiment"]))
    _write_json(path, document)
    finish(records)
    shutil.rmtree(parts)
    return path


def _keep(path: Path, others: list[str], document: dict, records: list[dict]) -> list[dict]:
    """Old records of the experiments ``others``, and the new ones; ``document`` gets their origin."""
    if not others or not path.exists():
        return records
    old = json.loads(path.read_text(encoding="utf-8"))
    kept = [record for record in old.pop("records") if record["experiment"] in others]
    origins = old.pop("kept", {})
    if kept:
        groups = dict.fromkeys(record["experiment"] for record in kept)
        document["kept"] = {group: origins.get(group, old) for group in groups}
    return kept + records


def _load_experiments(unit: Unit):
    source = unit.folder / "experiments.py"
    if not source.exists():
        raise UserError(f"Unit {unit.topic} has no experiments.py, so there is nothing to measure.")
    # As a package, so that `from .other import ...` finds the modules beside it.
    spec = importlib.util.spec_from_file_location(
        f"course_experiments_{unit.topic}", source, submodule_search_locations=[str(unit.folder)]
    )
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.EXPERIMENTS, getattr(module, "finish", lambda records: None)


def _run(unit: Unit, name: str, seed: int, parts: Path) -> str:
    """Run one experiment in this process and keep its records.

    It takes a name, since functions of a file that is not a module do not travel to workers.
    """
    experiments, _ = _load_experiments(unit)
    experiment = next(e for e in experiments if e.name == name)
    records = [{"experiment": experiment.group, **record} for record in experiment.run(seed)]
    for record in records:
        wanted = REQUIRED if experiment.scored else REQUIRED[:3]
        if missing := [key for key in wanted if key not in record]:
            raise UserError(
                f"Experiment {name} of unit {unit.topic} left out {', '.join(missing)} in a record."
            )
    _write_json(_part(parts, experiment, seed), records)
    return name


def _part(parts: Path, experiment: Experiment, seed: int) -> Path:
    return parts / f"{re.sub(r'[^a-zA-Z0-9]+', '-', experiment.name)}-{seed}.json"


def _fingerprint(unit: Unit) -> str:
    """Of the code that measures: a run goes on only if nothing in it has changed since."""
    files = [
        *sorted((ROOT / "utils").glob("**/*.py")),
        *sorted(Path(__file__).parent.glob("*.py")),
        *(file for file in sorted(unit.folder.glob("*.py")) if file.stem not in NOTEBOOKS),
    ]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _write_json(path: Path, value) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(path)


def _provenance() -> dict:
    """Commit, machine, library versions and date: what a reader needs to judge or repeat a number."""
    from utils.data import find_goemotions

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else "unknown"

    source = find_goemotions()
    digest = hashlib.sha256(
        b"".join((source.folder / f"{s}.tsv").read_bytes() for s in ("train", "dev", "test"))
    )
    return {
        "commit": git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(git("status", "--porcelain", "--", "utils", "course/units")),
        "date": datetime.date.today().isoformat(),
        "data": {
            "kind": "sample" if source.kind == "sample" else "GoEmotions",
            "sha256": digest.hexdigest(),
        },
        "machine": {
            "processor": _processor(),
            "cores": joblib.cpu_count(),
            "system": platform.system(),
            "architecture": platform.machine(),
        },
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in LIBRARIES if _installed(name)},
    }


def _installed(name: str) -> bool:
    return bool(list(importlib.metadata.distributions(name=name)))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        "unknown",
    )
