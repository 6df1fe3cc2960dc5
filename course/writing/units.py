"""Find the units in `course/units/NN_topic/` and read their `unit.toml`."""

import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course.errors import UserError

ROOT = Path(__file__).resolve().parents[2]  # of the checkout: lectures/, solutions/, ...
UNIT_NAME = re.compile(r"(\d\d)_([a-z][a-z0-9_]*)")
NUMBERS = {"minutes", "max_seconds", "max_mb"}


@dataclass(frozen=True)
class Budget:
    """Minutes of a student's time; seconds and MB (1e6 bytes, peak resident) of the computer's."""

    minutes: float
    max_seconds: float
    max_mb: float


@dataclass(frozen=True)
class Paper:
    title: str
    url: str


@dataclass(frozen=True)
class Unit:
    """One unit of the course, with the paths of its sources and of what is generated from them."""

    root: Path
    name: str
    title: str
    objectives: tuple[str, ...]
    papers: tuple[Paper, ...]
    lecture: Budget
    assignment: Budget
    draft: bool = False

    @property
    def number(self) -> str:
        return self.name[:2]

    @property
    def topic(self) -> str:
        return self.name[3:]

    @property
    def folder(self) -> Path:
        return self.root / "course" / "units" / self.name

    @property
    def lecture_source(self) -> Path:
        return self.folder / "lecture.py"

    @property
    def exercise_source(self) -> Path:
        return self.folder / "exercise.py"

    @property
    def mistakes_folder(self) -> Path:
        return self.folder / "mistakes"

    @property
    def rubric_source(self) -> Path:
        return self.folder / "rubric.toml"

    def lecture_notebook(self, root: Path | None = None) -> Path:
        return generated(self.name, root or self.root)[0]

    def solution_notebook(self, root: Path | None = None) -> Path:
        return generated(self.name, root or self.root)[1]

    def release_notebook(self, root: Path | None = None) -> Path:
        return generated(self.name, root or self.root)[2]


def generated(name: str, root: Path = ROOT) -> tuple[Path, Path, Path]:
    """The notebooks made from the unit called `name`: lecture, solution and release."""
    return (
        root / "lectures" / f"{name}.ipynb",
        root / "solutions" / name / f"{name}.ipynb",
        root / "assignments" / name / f"{name}.ipynb",
    )


def survey(root: Path = ROOT) -> tuple[list[Unit], list[str]]:
    """All units, drafts included, in order; and, in sentences, what is wrong with other folders.

    One folder in a bad state keeps nobody from working on the other units.
    """
    units, problems = [], []
    for path in unit_folders(root):
        try:
            units.append(read_unit(path, root))
        except UserError as error:
            problems.append(str(error))
    for number, count in sorted(Counter(unit.number for unit in units).items()):
        if count > 1:
            problems.append(str(_same_number(number, root)))
    return units, problems


def discover(root: Path = ROOT, *, drafts: bool = False) -> list[Unit]:
    """The units that can be read, in order; `survey` also says why others cannot.

    A unit whose unit.toml says `draft = true` is still being written: it is left out, unless asked
    for, and a command works on it only when it is named.
    """
    return [unit for unit in survey(root)[0] if drafts or not unit.draft]


def find_unit(name: str, root: Path = ROOT) -> Unit:
    """The unit called `name`: "01_efficiency", "efficiency", "01" or "1".

    Raises UserError when there is none, when it cannot be read, or when the number fits two."""
    units = discover(root, drafts=True)
    wanted = name.zfill(2) if name.isdigit() else name
    found = [unit for unit in units if wanted in (unit.name, unit.topic, unit.number)]
    if len(found) > 1:
        raise _same_number(wanted, root)
    if found:
        return found[0]
    for folder in unit_folders(root):
        if wanted in (folder.name, folder.name[:2], folder.name[3:]):
            read_unit(folder, root)  # says what is wrong with it
    known = ", ".join(unit.name for unit in units) or "none yet"
    raise UserError(f"There is no unit {name!r}; choose one of: {known}.")


def unit_folders(root: Path = ROOT) -> list[Path]:
    """Every folder in course/units, whether a unit can be read from it or not."""
    folders = (root / "course" / "units").glob("*")
    return sorted(p for p in folders if p.is_dir() and p.name[0] not in "._")


def _same_number(number: str, root: Path) -> UserError:
    folder = root / "course" / "units"
    return UserError(f"Two units have the number {number}; rename one in {folder}.")


def read_unit(folder: Path, root: Path = ROOT) -> Unit:
    """Read and validate `unit.toml` and the names around it."""
    if not UNIT_NAME.fullmatch(folder.name):
        raise UserError(
            f"{folder} is not a unit: name the folder with two digits, an underscore and a topic "
            "in lower case, such as 01_efficiency."
        )
    path = folder / "unit.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"{path} does not exist; every unit needs one: write it, or delete the folder."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid TOML: {error}.") from None
    _only(table, {"title", "objectives", "papers", "lecture", "assignment", "draft"}, path, "")
    if not isinstance(table.get("draft", False), bool):
        raise UserError(f"{path}: draft must be true or false, got {table['draft']!r}.")
    return Unit(
        root=root,
        name=folder.name,
        title=_text(table.get("title"), path, "title"),
        objectives=tuple(
            _text(item, path, "an objective") for item in _list(table, "objectives", path)
        ),
        papers=tuple(_paper(item, path) for item in _list(table, "papers", path)),
        lecture=_budget(table.get("lecture"), path, "lecture"),
        assignment=_budget(table.get("assignment"), path, "assignment"),
        draft=table.get("draft", False),
    )


def _text(value: Any, path: Path, what: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UserError(f"{path}: {what} must be a text that is not empty, got {value!r}.")
    return value


def _list(table: dict, key: str, path: Path) -> list:
    if not isinstance(table.get(key), list) or not table[key]:
        raise UserError(f"{path}: {key} must be a list with at least one item.")
    return table[key]


def _paper(item: Any, path: Path) -> Paper:
    if not isinstance(item, dict):
        raise UserError(f'{path}: write each paper as {{ title = "...", url = "https://..." }}.')
    _only(item, {"title", "url"}, path, "a paper's ")
    paper = Paper(
        _text(item.get("title"), path, "a paper's title"),
        _text(item.get("url"), path, "a paper's url"),
    )
    if not paper.url.startswith("https://"):
        raise UserError(f"{path}: the url of {paper.title!r} must start with https://.")
    return paper


def _budget(item: Any, path: Path, what: str) -> Budget:
    if not isinstance(item, dict):
        raise UserError(f"{path}: the table [{what}] is missing.")
    _only(item, NUMBERS, path, f"{what}.")
    for key in sorted(NUMBERS):
        value = item.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise UserError(f"{path}: {what}.{key} must be a positive number, got {value!r}.")
    return Budget(**{key: float(item[key]) for key in NUMBERS})


def _only(table: dict, allowed: set[str], path: Path, prefix: str) -> None:
    unknown = sorted(set(table) - allowed)
    if unknown:
        raise UserError(
            f"{path}: {prefix}{unknown[0]} is not known; use {', '.join(sorted(allowed))}."
        )
