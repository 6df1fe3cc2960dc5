"""What a class came to, for whoever teaches it: a page to read, and tables for other programs."""

import csv
import io
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from course.grading import records
from course.grading.classes import StudentResult, mistakes_made
from course.grading.tables import shown_points

TEMPLATE = Path(__file__).parents[1] / "assets" / "class.html.jinja"
FORMULA = ("=", "+", "-", "@")  # a spreadsheet computes what begins with one of these
PAUSE = 10  # seconds between two writings of the page, at least
SHARE = 20  # and at least so many times as long as one took, since a class may be large


class Progress(NamedTuple):
    """How far the grading of a unit is, and when that was."""

    unit: str
    done: int
    of: int
    at: str


@dataclass(frozen=True)
class QuestionTotal:
    """What a class came to in one question; `graded` counts those of whom nothing waits."""

    name: str
    possible: float
    graded: int
    mean: float
    full: int
    none: int
    waiting: int


class Running:
    """Notes in the gradebook of `root` what becomes of a unit's submissions, and writes the class's
    page anew from time to time while they are graded. At the end, however it comes, all are noted."""

    def __init__(self, root: Path, unit: str, of: int) -> None:
        self.root, self.unit, self.of = root, unit, of
        self.done, self.new, self.next = 0, list[StudentResult](), time.monotonic()

    def __enter__(self) -> "Running":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._keep()
        if kind is not None and self.done:  # the page must not say that it goes on
            write_page(records.all_results(self.root), self.root / "grading")

    def add(self, result: StudentResult) -> None:
        self.new.append(result)
        self.done += 1
        started = time.monotonic()
        if started >= self.next:
            self._keep()
            at = time.strftime("%H:%M:%S")
            write_page(
                records.all_results(self.root),
                self.root / "grading",
                Progress(self.unit, self.done, self.of, at),
            )
            now = time.monotonic()
            self.next = now + max(PAUSE, SHARE * (now - started))

    def _keep(self) -> None:
        if self.new:
            records.keep(self.root, self.unit, self.new)
            self.new = []


def write_scores(results: Mapping[str, Sequence[StudentResult]], folder: Path) -> Path:
    """Write `scores.csv` (one row a student and assignment), `scores.json` (with the reasons) and
    `class.html`: who needs a look and why, the mistakes made, all points. Returns the page's path.

    nbgrader's own export does not quote, so a comma in a name shifts its columns. A text that a
    spreadsheet would take for a formula has an apostrophe before it."""
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted({q for group in results.values() for result in group for q in result.questions})
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    columns = ["points", "possible", "waiting_for_manual_grading", "problem"]
    writer.writerow(["assignment", "student", "status", *names, *columns])
    for assignment, group in results.items():
        for result in group:
            scores = [result.questions.get(name) for name in names]
            sums = [result.points, result.possible, sum(s.manual for s in scores if s)]
            writer.writerow(
                [assignment, _text(result.student), result.status]
                + ["" if score is None else score.points for score in scores]
                + (sums if result.questions else [""] * len(sums))  # none is not 0
                + [_text(result.problem)]
            )
    _write(folder / "scores.csv", file.getvalue())
    table = {name: [asdict(result) for result in group] for name, group in results.items()}
    _write(folder / "scores.json", json.dumps(table, indent=1, ensure_ascii=False) + "\n")
    return write_page(results, folder)


def write_page(
    results: Mapping[str, Sequence[StudentResult]], folder: Path, progress: Progress | None = None
) -> Path:
    """Write `class.html`, which says how far the grading is if it goes on. Returns its path."""
    path = folder / "class.html"
    _write(path, class_page(results, progress))
    return path


def _write(path: Path, text: str) -> None:
    """Whoever reads meanwhile, and whoever comes after an end in between, finds the old or the new."""
    new = path.with_name(f"{path.name}.new")
    with new.open("w", encoding="utf-8", errors="replace", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def class_page(
    results: Mapping[str, Sequence[StudentResult]], progress: Progress | None = None
) -> str:
    """The page, by assignment. All that students wrote is escaped."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["points"] = shown_points
    units = [
        {
            "name": name,
            "results": group,
            "mistakes": mistakes_made(group),
            "totals": question_totals(group),
        }
        for name, group in results.items()
    ]
    looks = who_needs_a_look(results)
    n = sum(map(len, results.values()))
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(units=units, looks=looks, n=n, progress=progress)


def who_needs_a_look(
    results: Mapping[str, Sequence[StudentResult]],
) -> list[tuple[str, StudentResult]]:
    """Every submission about which an instructor has something to decide, with its assignment."""
    return [(name, r) for name, group in results.items() for r in group if r.needs_a_look]


def question_totals(group: Sequence[StudentResult]) -> list[QuestionTotal]:
    """What a unit's students came to in each question, those who could not be graded left out."""
    names = sorted({name for result in group for name in result.questions})
    totals = []
    for name in names:
        all_scores = [result.questions[name] for result in group if name in result.questions]
        scores = [score for score in all_scores if not score.manual]
        totals.append(
            QuestionTotal(
                name,
                max(score.possible for score in all_scores),
                len(scores),
                sum(score.points for score in scores) / max(1, len(scores)),
                sum(score.points >= score.possible for score in scores),
                sum(score.points == 0 for score in scores),
                len(all_scores) - len(scores),
            )
        )
    return totals


def _text(text: str) -> str:
    """A text that a spreadsheet shows as it is."""
    text = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return f"'{text}" if text.lstrip().startswith(FORMULA) else text
