"""`grade`: a class, or the made-up one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from course.commands import shared
from course.commands.shared import Jobs, app
from course.errors import UserError
from course.writing.units import Unit

if TYPE_CHECKING:
    from course.grading.classes import StudentResult

SMALL_CLASS = 20  # students, up to which the reasons for lost points are printed too


@app.command()
def grade(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Holds STUDENT/UNIT/UNIT.ipynb; grading/submitted if left out."),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Grade the made-up class whose scores are known.")
    ] = False,
    unit: Annotated[
        str | None, typer.Option(help="Only this unit, such as 01 or efficiency.")
    ] = None,
    jobs: Jobs = 2,
) -> None:
    """Grade a class with nbgrader, one submission at a time, so that none can stop the others.

    Writes grading/scores.csv, grading/scores.json (with the reason for every lost point), and
    feedback for each student in grading/feedback (messages of failed tests, no hidden tests).
    A question in words shows "?" until a person grades it in nbgrader's formgrader, by the rubric
    that **guide** shows beside a full answer.

    ```
    python -m course grade --demo
    python -m course grade grading/submitted --unit efficiency
    python -m course grade ~/Downloads/class --jobs 4
    ```
    """
    from course.grading import classes as grading

    chosen = [shared.find_unit(unit)] if unit else shared.discover()
    if demo:
        if folder is not None:
            raise UserError("Give a folder or --demo, not both.")
        _grade_demo(chosen, jobs)
        return
    from course.run import find_data, progress

    folder = folder or shared.ROOT / "grading" / "submitted"
    grading.check_class_folder(folder)
    chosen = [unit for unit in chosen if grading.students_of(unit, folder)]
    if not chosen:
        raise UserError(
            f"{folder} holds no submission for {unit or 'any unit'}; it needs STUDENT/UNIT/"
            "UNIT.ipynb, such as ada/01_efficiency/01_efficiency.ipynb."
        )
    find_data(shared.console)
    results = {}
    for one in chosen:
        students = grading.students_of(one, folder)
        with progress(shared.console) as bar:
            task = bar.add_task(f"Grading {one.name}", total=len(students))
            results[one.name] = grading.grade_class(
                one,
                shared.ROOT,
                folder,
                jobs=jobs,
                on_result=lambda result: bar.advance(task),  # noqa: B023 - used at once
            )
        _show_scores(one.name, results[one.name])
    path = grading.write_scores(results, shared.ROOT / "grading")
    shared.console.print(f"Wrote {path} and scores.json beside it.", soft_wrap=True)
    failed = [r for group in results.values() for r in group if r.status == grading.NOT_GRADED]
    raise typer.Exit(1 if failed else 0)


def _show_scores(title: str, results: "Sequence[StudentResult]") -> None:
    """A table of points and, for a small class, why points are missing."""
    from course.grading.classes import mistakes_made
    from course.grading.tables import ScoreRow, score_table

    rows = [ScoreRow(result.student, result.status, result.questions) for result in results]
    shared.console.print(score_table(title, rows))
    for question, mistake, count in mistakes_made(results):
        who = "1 student" if count == 1 else f"{count} students"
        shared.console.print(f"{question}, {mistake}: {who}", markup=False)
    for result in results:
        if result.problem:
            shared.console.print(f"{result.student}: {result.problem}", style="red", markup=False)
        for name, score in result.questions.items() if len(results) <= SMALL_CLASS else ():
            if score.reason:
                reason = f"{result.student}, {name}: {score.reason}"
                shared.console.print(reason, markup=False, no_wrap=True, overflow="ellipsis")


def _grade_demo(units: list[Unit], jobs: int) -> None:
    from course.grading.demo import grade_demo, surprises
    from course.run import find_data, progress

    find_data(shared.console)
    wrong = []
    for unit in units:
        with progress(shared.console) as bar:
            task = bar.add_task(f"Grading the demo class of {unit.name}", total=None)
            students, results = grade_demo(
                unit,
                shared.ROOT / "build" / "demo" / unit.name,
                jobs=jobs,
                on_result=lambda result: bar.advance(task),  # noqa: B023 - used at once
            )
        _show_scores(unit.name, results)
        wrong += [f"{unit.name}: {surprise}" for surprise in surprises(students, results)]
    for surprise in wrong:
        shared.console.print(surprise, style="red", markup=False, soft_wrap=True)
    if not wrong:
        shared.console.print("Every score is as expected.")
    raise typer.Exit(1 if wrong else 0)
