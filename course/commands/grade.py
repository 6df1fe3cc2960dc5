"""`grade`: a class, or the made-up one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from course.commands import shared
from course.commands.shared import app
from course.errors import UserError
from course.writing.units import Unit

if TYPE_CHECKING:
    from course.grading.classes import StudentResult

UNSAFE = (
    "Graded without a sandbox (--unsafe): students' code can read, change and delete what you can."
)
SMALL_CLASS = 20  # students, up to which the reasons for lost points are printed too


@app.command()
def grade(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="Holds STUDENT/UNIT/UNIT.ipynb, or is the zip that Canvas or Moodle hand out; "
            "grading/submitted if left out."
        ),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Grade the made-up class whose scores are known.")
    ] = False,
    unit: Annotated[
        str | None, typer.Option(help="Only this unit, such as 01 or efficiency.")
    ] = None,
    unsafe: Annotated[
        bool,
        typer.Option(
            "--unsafe", help="Run students' code without a sandbox, with all that you may do."
        ),
    ] = False,
    seed: Annotated[
        str,
        typer.Option(
            help="Any text of your own, from which hidden tests draw their inputs; else the one of "
            "before, and at first one by chance."
        ),
    ] = "",
    jobs: Annotated[int, typer.Option(min=1, help="Submissions to judge at once.")] = 3,
    scheduler: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Of a Dask cluster, such as tcp://HOST:8786: its workers judge, whatever --jobs says.",
        ),
    ] = "",
) -> None:
    """Grade a class with nbgrader, one submission at a time, so that none can stop the others.

    Students' code runs in a sandbox (Linux, bubblewrap; or Docker, where the environment says
    COURSE_SANDBOX=docker), and what it answers is judged outside.
    Where there can be no sandbox nobody is graded, unless you say **--unsafe**. Hidden tests draw other
    inputs than the repository has, from a seed of the class in grading/seed.txt.

    Writes, from all that stands in the gradebook, grading/class.html (who needs a look and why, points
    by question, which mistakes were made; also while it grades), scores.csv, scores.json (with the
    reason for every lost point), and feedback for each student in grading/feedback, which opens with
    what was lost and why.
    Every submission has a status. What cannot be read, or is not certain, is listed with what was
    found and what to do, and somebody must look at it. So is code that looks like an attempt on the
    grading: it costs nothing by itself. The exit code is 1 as long as class.html lists anyone who needs
    a look, whichever submissions were graded last.

    A class that outgrows this machine is judged by a Dask cluster: **--scheduler** takes the address. Each
    worker needs the same commit, installed with the extra `dask`, and a sandbox, but no folder that it
    shares with this machine: submissions, hidden tests and verdicts are sent, and this machine alone
    writes the gradebook and all else. Whoever can reach a cluster's scheduler can run anything on its
    workers; keep it in a network of yours.

    A question in words shows "?" until a person grades it in nbgrader's formgrader (in **lab**, at
    /formgrader), by the rubric that **guide** shows beside a full answer. Points and comments that a
    person gave stay when the class is graded again.

    ```
    python -m course grade --demo
    python -m course grade grading/submitted --unit efficiency
    python -m course grade ~/Downloads/submissions.zip --unit 01 --jobs 4 --seed autumn-2026
    python -m course grade --demo --scheduler tcp://127.0.0.1:8786
    ```
    """
    chosen = [shared.find_unit(unit)] if unit else shared.discover()
    if demo:
        if folder is not None:
            raise UserError("Give a folder or --demo, not both.")
        _grade_demo(chosen, unsafe, seed, jobs, scheduler)
        return
    if unsafe:
        shared.console.print(UNSAFE, style="red", soft_wrap=True)
    from course.grading import classes as grading
    from course.grading.intake import hand_ins, submission_of, units_of
    from course.grading.page import Running, who_needs_a_look, write_scores
    from course.grading.records import all_results
    from course.grading.seeds import class_seed
    from course.run import find_data, progress
    from course.writing.notebooks import read_notebook

    folder = folder or shared.ROOT / "grading" / "submitted"
    releases = {
        one.name: read_notebook(one.release_notebook()) for one in [*shared.discover(), *chosen]
    }
    results = {}
    with hand_ins(folder, releases) as found:
        if unit is None:
            named = units_of(found, releases)
            chosen = [one for one in chosen if one.name in named]
        if not chosen:
            raise UserError(f"{folder} does not say which unit it is for; give --unit.")
        find_data(shared.console)
        seed = class_seed(shared.ROOT / "grading", seed)
        for one in chosen:
            read = (submission_of(hand_in, releases, one.name) for hand_in in found)
            with (
                progress(shared.console) as bar,
                Running(shared.ROOT, one.name, len(found)) as running,
            ):
                task = bar.add_task(f"Grading {one.name}", total=len(found))

                def tell(result: "StudentResult") -> None:
                    running.add(result)  # noqa: B023 - used at once
                    bar.advance(task)  # noqa: B023

                results[one.name] = grading.grade_class(
                    one,
                    shared.ROOT,
                    (submission for submission in read if submission is not None),
                    unsafe=unsafe,
                    seed=seed,
                    jobs=jobs,
                    scheduler=scheduler,
                    on_result=tell,
                )
            if not results[one.name]:
                raise UserError(f"{folder} holds no submission for {one.name}.")
    everything = all_results(shared.ROOT)
    for name, graded in results.items():
        now = {result.student for result in graded}
        _show_scores(name, [result for result in everything.get(name, ()) if result.student in now])
    path = write_scores(everything, shared.ROOT / "grading")
    shared.console.print(f"Wrote {path}, and scores.csv and scores.json beside it.", soft_wrap=True)
    looks = who_needs_a_look(everything)
    shown = {(name, result.student) for name, graded in results.items() for result in graded}
    if before := sum((name, result.student) not in shown for name, result in looks):
        who = (
            "1 submission graded before needs"
            if before == 1
            else f"{before} submissions graded before need"
        )
        shared.console.print(f"{who} a look, too: {path} says why.", style="red", soft_wrap=True)
    raise typer.Exit(1 if looks else 0)


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
            problem = f"{result.student}: {result.problem}"
            shared.console.print(problem, style="red", markup=False, soft_wrap=True)
        for name, score in result.questions.items() if len(results) <= SMALL_CLASS else ():
            if score.reason:
                reason = f"{result.student}, {name}: {score.reason}"
                shared.console.print(reason, markup=False, no_wrap=True, overflow="ellipsis")


def _grade_demo(units: list[Unit], unsafe: bool, seed: str, jobs: int, scheduler: str) -> None:
    from course.grading.demo import grade_demo, surprises
    from course.run import find_data, has_no_sandbox, progress

    find_data(shared.console)
    unsafe = unsafe or (not scheduler and has_no_sandbox(shared.console))
    wrong = []
    for unit in units:
        with progress(shared.console) as bar:
            task = bar.add_task(f"Grading the demo class of {unit.name}", total=None)
            students, results = grade_demo(
                unit,
                shared.ROOT / "build" / "demo" / unit.name,
                unsafe=unsafe,
                seed=seed,
                jobs=jobs,
                scheduler=scheduler,
                on_result=lambda result: bar.advance(task),  # noqa: B023 - used at once
            )
        _show_scores(unit.name, results)
        wrong += [f"{unit.name}: {surprise}" for surprise in surprises(students, results)]
    for surprise in wrong:
        shared.console.print(surprise, style="red", markup=False, soft_wrap=True)
    if not wrong:
        shared.console.print("Every score is as expected.")
    raise typer.Exit(1 if wrong else 0)
