"""Run a unit's experiments and keep what they measured in ``course/results/UNIT.json``.

A unit's ``experiments.py`` holds a list ``EXPERIMENTS``. Each experiment is a function of a seed that
returns records: flat dicts with at least :data:`REQUIRED`. Finished (experiment, seed) pairs are kept
in the cache until the whole run is written, so an interrupted run goes on where it stopped. Grading,
which is no unit, is measured in the same way (:data:`ROOMS`).

The file holds ``runs``, each with its command, commit, data, machine and versions, and ``records``,
one a line, each with the number of its ``run``. Records stand in the order of ``EXPERIMENTS`` and of
the seeds. After a run of some experiments only, the others keep their records and their runs.
"""

import importlib.util
import json
import math
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import joblib
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from course.errors import UserError
from course.measuring.cache import Entry, entry, write_text
from course.measuring.provenance import provenance
from course.measuring.sources import sources
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
ASSETS = ROOT / "utils" / "assets"
PART = "records.json"


@dataclass(frozen=True)
class Room:
    """What is measured and is no unit: its experiments are in ``folder``."""

    topic: str
    folder: Path


ROOMS = {"grading": Room("grading", ROOT / "course" / "measuring" / "grading")}


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
    force: bool = False,
) -> Path:
    """Run the experiments of a unit and write its results file; return the file's path.

    ``jobs`` processes share the experiments through joblib. A ``joblib.parallel_config`` around the
    call hands them to another backend. ``only`` names the experiments to run, if not all: the
    records of the others stay in the file, with where they come from. ``force`` allows fewer seeds
    than the file has. ``finish`` of the unit's ``experiments.py`` gets the records that are new.

    Raises
    ------
    UserError
        If the unit is unknown, has no (such) experiments, a record lacks a required field or holds
        what JSON has no number for, or there are fewer seeds than in the file.
    """
    unit = ROOMS.get(unit_name) or find_unit(unit_name)
    console = console or Console()
    module = _load_experiments(unit)
    groups = list(dict.fromkeys(experiment.group for experiment in module.EXPERIMENTS))
    if unknown := set(only) - set(groups):
        raise UserError(
            f"Unit {unit.topic} has no experiment {sorted(unknown)[0]!r}; it has {', '.join(groups)}."
        )
    experiments = [e for e in module.EXPERIMENTS if not only or e.group in only]
    path = RESULTS / f"{unit.topic}.json"
    old = load_results(unit.topic) if path.exists() else {"runs": [], "records": []}
    if not force:
        _keep_seeds(path, old["records"], experiments, seeds)
    code = measuring_code(unit)
    options = "".join(f' --only "{group}"' for group in groups if group in only)
    run = {"command": f"python -m course results {unit.topic} --seeds {seeds}{options}"}
    run |= provenance(code)  # of the start: this is the code that runs
    parts = {
        (e, seed): entry("parts", {"unit": unit.topic, "experiment": e.name, "seed": seed}, code)
        for e in experiments
        for seed in e.seeds(seeds)
    }
    _measure(unit, parts, jobs, console)
    records = [
        record
        for part in parts.values()
        for record in json.loads((part.folder / PART).read_text(encoding="utf-8"))
    ]
    others = [group for group in groups if only and group not in only]
    kept = [record for record in old["records"] if record["experiment"] in others]
    write_results(path, *_merged(old["runs"], kept, run, records), groups)
    getattr(module, "finish", lambda records: None)(records)
    for part in parts.values():
        part.forget()
    return path


def measuring_code(unit: Unit | Room) -> list[Path]:
    """All files that a unit's measurements are made of, and what ``utils`` brings with it."""
    assets = sorted(file for file in ASSETS.glob("**/*") if file.is_file())
    return [*sources(unit.folder / "experiments.py"), *assets]


def write_results(path: Path, runs: list[dict], records: list[dict], groups: list[str]) -> None:
    """Write a results file: one run and one record a line, in the order of the experiments."""
    records = sorted(records, key=lambda record: groups.index(record["experiment"]))
    blocks = (
        f'"{name}": [\n'
        + ",\n".join(json.dumps(one, allow_nan=False, ensure_ascii=False) for one in ones)
        + "\n]"
        for name, ones in (("runs", runs), ("records", records))
    )
    path.parent.mkdir(exist_ok=True)
    write_text(path, "{\n" + ",\n".join(blocks) + "\n}\n")


def _merged(
    runs: list[dict], kept: list[dict], run: dict, records: list[dict]
) -> tuple[list[dict], list[dict]]:
    """Runs and records, old ones that stay and new ones; a new run gets the first number that is free.

    A run that measured everything again thus has the old one's number, and only values differ.
    """
    used = {record["run"] for record in kept}
    number = next(n for n in range(1, len(used) + 2) if n not in used)
    runs = [old for old in runs if old["run"] in used] + [{"run": number, **run}]
    new = [{"experiment": r["experiment"], "run": number} | r for r in records]
    return sorted(runs, key=lambda run: run["run"]), kept + new


def _keep_seeds(path: Path, records: list[dict], experiments: list[Experiment], seeds: int) -> None:
    """Refuse to replace records of many seeds by records of fewer."""
    for group in dict.fromkeys(experiment.group for experiment in experiments):
        there = len({r["seed"] for r in records if r["experiment"] == group})
        planned = max(len(e.seeds(seeds)) for e in experiments if e.group == group)
        if planned < there:
            raise UserError(
                f"{path.name} has {there} seeds of the experiment {group!r}, and {planned} would "
                f"replace them; ask for --seeds {there}, or add --force."
            )


def _load_experiments(unit: Unit | Room) -> ModuleType:
    source = unit.folder / "experiments.py"
    if not source.exists():
        raise UserError(f"Unit {unit.topic} has no experiments.py, so there is nothing to measure.")
    # As a package, so that `from .other import ...` finds the modules beside it.
    spec = importlib.util.spec_from_file_location(
        f"course_experiments_{unit.topic}", source, submodule_search_locations=[str(unit.folder)]
    )
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    experiments = getattr(module, "EXPERIMENTS", None)
    if not experiments:
        raise UserError(
            f"{source} has no list EXPERIMENTS; give it one, with an Experiment for each thing to "
            "measure."
        )
    names = [experiment.name for experiment in experiments]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UserError(f"{source} has two experiments called {twice[0]!r}; rename one.")
    return module


def _measure(
    unit: Unit | Room, parts: dict[tuple[Experiment, int], Entry], jobs: int, console: Console
) -> None:
    """Run what the cache does not have, timings last."""
    todo = [(e, seed) for (e, seed), part in parts.items() if not part.made]
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(unit.topic, total=len(parts), completed=len(parts) - len(todo))
        together = [
            joblib.delayed(_run)(unit, e.name, seed, parts[e, seed])
            for e, seed in todo
            if not e.alone
        ]
        for name in joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")(together):
            progress.update(bar, advance=1, description=name)
        for e, seed in todo:
            if e.alone:
                name = _run(unit, e.name, seed, parts[e, seed])
                progress.update(bar, advance=1, description=name)


def _run(unit: Unit | Room, name: str, seed: int, part: Entry) -> str:
    """Run one experiment in this process and keep its records.

    It takes a name, since functions of a file that is not a module do not travel to workers.
    """

    def write(folder: Path) -> None:
        experiments = _load_experiments(unit).EXPERIMENTS
        experiment = next(e for e in experiments if e.name == name)
        records = [{"experiment": experiment.group, **record} for record in experiment.run(seed)]
        where = f"Experiment {name!r} of unit {unit.topic}"
        for record in records:
            wanted = REQUIRED if experiment.scored else REQUIRED[:3]
            if missing := [key for key in wanted if key not in record]:
                raise UserError(f"{where} left out {', '.join(missing)} in a record.")
            if "run" in record:
                raise UserError(f"{where} has a field 'run', which names the run; rename it.")
            for field, value in record.items():
                _check(value, f"{where}: field {field!r}")
        write_text(folder / PART, json.dumps(records, allow_nan=False) + "\n")

    part.make(write)
    return name


def _check(value, where: str) -> None:
    """Refuse what JSON would not give back as it was."""
    if type(value) in (dict, list, tuple):
        for one in value.values() if type(value) is dict else value:
            _check(one, where)
        if type(value) is dict and not all(type(key) is str for key in value):
            raise UserError(f"{where} has keys that are not text; make them str.")
    elif type(value) is float and not math.isfinite(value):
        raise UserError(f"{where} is {value}, which JSON cannot hold; leave it out or mend it.")
    elif value is not None and type(value) not in (str, bool, int, float):
        kind = f"{type(value).__module__.partition('.')[0]}.{type(value).__name__}"
        raise UserError(f"{where} holds a {kind}; make it plain with float(), int() or .tolist().")
