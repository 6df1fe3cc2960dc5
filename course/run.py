"""`make course`: data, notebooks, lectures, a graded demo class, and the report about it all."""

import os
import time
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from course.errors import UserError
from course.grading.classes import ELSEWHERE, QuestionScore, can_judge
from course.grading.demo import grade_demo
from course.grading.tables import ScoreRow, score_table
from course.proving.gates import check_unit
from course.report import Report
from course.writing import build
from course.writing.units import Unit, survey


def find_data(console: Console) -> str:
    """Find GoEmotions, say where, and let the notebooks' kernels find it without asking again."""
    from utils.data import find_goemotions

    source = find_goemotions()
    if source.kind == "sample":
        os.environ["GOEMOTIONS_OFFLINE"] = "1"  # each kernel would wait for the network anew
    console.print(f"Data: {source}.")
    return str(source)


def has_no_sandbox(console: Console) -> bool:
    """Whether the demo class must do without a sandbox; if so, says why, and that it does."""
    from course.grading.sandbox import without_sandbox

    missing = without_sandbox()
    if missing is not None:
        console.print(
            f"There can be no sandbox here ({missing.reason}), so the demo class, which is the "
            "course's own code, is graded without one.",
            markup=False,
            soft_wrap=True,
        )
    return missing is not None


def progress(console: Console) -> Progress:
    """A progress bar that leaves nothing behind, and shows nothing where no one watches."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(
        *columns,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def run_course(
    units: list[Unit],
    root: Path,
    console: Console,
    *,
    gates: bool = False,
    jobs: int = 2,
) -> Report:
    """Do everything for these units, print what came of it, and write `root`/build/report.*.

    A unit that fails, or a folder that holds none, is reported and does not keep the others from
    being run. Only UserError for the data is passed on: without data there is nothing to do."""
    started = time.monotonic()
    report = Report(data=find_data(console))
    report.problems += survey(root)[1]
    judged = can_judge()
    unsafe = judged and has_no_sandbox(console)
    if not judged:
        console.print(f"No demo class is graded here: that takes Linux ({ELSEWHERE}).")
    for unit in units:
        try:
            _notebooks(unit, report, console)
            if judged:
                _demo(unit, root, unsafe, jobs, report, console)
            if gates:
                report.add_gates(unit, check_unit(unit, jobs=jobs))
        except UserError as error:
            report.problems.append(f"{unit.name}: {error}")
    report.seconds = round(time.monotonic() - started, 1)
    page = report.write(root / "build")
    print_report(report, console)
    console.print(f"Report: {page}", soft_wrap=True)
    return report


def _demo(
    unit: Unit, root: Path, unsafe: bool, jobs: int, report: Report, console: Console
) -> None:
    """Grade the demo class of a unit."""
    with progress(console) as bar:
        task = bar.add_task(f"{unit.name}: grading the demo class", total=None)
        students, results = grade_demo(
            unit,
            root / "build" / "demo" / unit.name,
            unsafe=unsafe,
            jobs=jobs,
            on_result=lambda result: bar.advance(task),
        )
    report.add_demo(unit, students, results)
    console.print(f"{unit.name}: graded a demo class of {len(results)}.")


def _notebooks(unit: Unit, report: Report, console: Console) -> None:
    """Build the notebooks of a unit and run its lecture and its solution."""
    build.build_assignment(unit)
    for kind, execute, budget in (
        ("lecture", build.execute_lecture, unit.lecture),
        ("solution", build.execute_solution, unit.assignment),
    ):
        with progress(console) as bar:
            task = bar.add_task(f"{unit.name}: running the {kind}", total=None)
            run = execute(
                unit,
                on_cell=lambda done, total: bar.update(task, completed=done, total=total),  # noqa: B023
            )
        entry = report.add_notebook(unit, kind, run, budget)
        console.print(
            f"{unit.name}: ran the {kind} in {entry.seconds:.0f} s and {entry.peak_mb:.0f} MB, "
            f"{entry.status}."
        )
        if kind == "lecture" and run.ok and not build.lecture_is_current(unit):
            build.save_lecture(unit, run)
            console.print(f"{unit.name}: wrote {unit.lecture_notebook().relative_to(unit.root)}.")


def print_report(report: Report, console: Console) -> None:
    """The tables of the report, for a terminal."""
    table = Table("Unit", "Notebook", "Status", title="Notebooks", title_justify="left")
    table.add_column("Seconds (budget)", justify="right")
    table.add_column("Peak MB (budget)", justify="right")
    for entry in report.notebooks:
        table.add_row(
            entry.unit,
            entry.kind,
            _mark(entry.status, entry.status == "ok"),
            f"{entry.seconds:.1f} ({entry.max_seconds:.0f})",
            f"{entry.peak_mb:.0f} ({entry.max_mb:.0f})",
        )
    console.print(table)
    for unit in dict.fromkeys(student.unit for student in report.demo):
        rows = [
            ScoreRow(
                student.student,
                student.status,
                {name: QuestionScore(**score) for name, score in student.questions.items()},
                student.as_expected,
            )
            for student in report.demo
            if student.unit == unit
        ]
        console.print(score_table(f"Demo class of {unit}", rows))
    for problem in report.problems:
        console.print(problem, style="red", markup=False, soft_wrap=True)
    console.print("Everything passed." if report.ok else f"{len(report.problems)} to look at.")


def _mark(text: str, good: bool) -> str:
    return f"[green]{text}[/]" if good else f"[red]{text}[/]"
