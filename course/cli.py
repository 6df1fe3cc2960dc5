"""The command line: `python -m course`. Everything heavy is imported inside the commands, so that
`--help` answers at once."""

import errno
import json
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from course.commands.new import new
from course.errors import UserError
from course.writing.units import ROOT, Unit, discover, find_unit, survey

app = typer.Typer(
    name="python -m course",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Every command explains itself: `python -m course check --help`",
)
console = Console()
SMALL_CLASS = 20  # students, up to which the reasons for lost points are printed too

Units = Annotated[
    list[str] | None,
    typer.Argument(metavar="UNIT", help="Such as 01, efficiency or 01_efficiency; else all."),
]
Jobs = Annotated[int, typer.Option(min=1, help="Processes to use at once.")]
Model = Annotated[Path, typer.Argument(help="A model file, such as course/models/NAME.")]


@app.callback()
def course() -> None:
    """A course in notebooks on making language models small, fast and cheap.

    **Students** start with **lab**. **Instructors** grade with **grade**.
    **Maintainers** edit course/units/, then **build** and **check**.
    """


@app.command()
def run(
    check: Annotated[
        bool, typer.Option("--check", help="Also put every unit through the gates of `check`.")
    ] = False,
    jobs: Jobs = 2,
) -> None:
    """Do everything: data, notebooks, lectures, a graded demo class, and a report.

    Writes build/report.html and build/report.json. Exits with 1 when anything failed. This is what
    **make course** calls.
    """
    from course.run import run_course

    report = run_course(_units(None), ROOT, console, gates=check, jobs=jobs)
    raise typer.Exit(0 if report.ok else 1)


app.command()(new)


@app.command()
def build(
    units: Units = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if anything would change.")
    ] = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Run lectures again even if their cells are the same.")
    ] = False,
) -> None:
    """Make lectures/, solutions/ and assignments/ from course/units/, and README.md's results.

    A lecture is run when its cells changed, or with --refresh, as when new results should show.

    ```
    python -m course build
    python -m course build efficiency --refresh
    python -m course build --check
    ```
    """
    from course.writing import build as builder
    from course.writing.house import house_drift, update_house
    from course.writing.published import citation_drift, update_citation
    from course.writing.readme import readme_drift, update_readme

    chosen = _units(units)
    if check:
        problems = [
            *_unreadable(units),
            *builder.drift(chosen, ROOT),
            *readme_drift(ROOT),
            *house_drift(ROOT),
            *citation_drift(ROOT),
        ]
        for problem in problems:
            console.print(problem, style="red", markup=False, soft_wrap=True)
        if not problems:
            console.print("The notebooks match their sources, and README.md the results.")
        raise typer.Exit(1 if problems else 0)
    from course.run import find_data, progress

    for unit in chosen:
        builder.build_assignment(unit)
        console.print(f"Wrote solutions/{unit.name} and assignments/{unit.name}.")
        if not refresh and builder.lecture_is_current(unit):
            console.print(f"lectures/{unit.name}.ipynb is up to date.")
            continue
        find_data(console)
        with progress(console) as bar:
            task = bar.add_task(f"Running the lecture of {unit.name}", total=None)
            done = builder.execute_lecture(
                unit,
                lambda number, total, b=bar, t=task: b.update(t, completed=number, total=total),
            )
        builder.save_lecture(unit, done)
        console.print(f"Wrote lectures/{unit.name}.ipynb ({done.seconds:.0f} s).")
    update_readme(ROOT)
    console.print("Wrote the table and the picture of README.md.")
    update_house(ROOT)
    update_citation(ROOT)
    console.print("Wrote the picture of the house and CITATION.cff.")
    for problem in _unreadable(units):
        console.print(problem, style="red", markup=False, soft_wrap=True)


@app.command()
def check(
    units: Units = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Do not run the lecture and the solution in a kernel.")
    ] = False,
    jobs: Jobs = 2,
) -> None:
    """Prove that a unit is fit to be released.

    The solution gets full marks, the untouched release none; every known mistake loses its
    question, with the message that names it; every alternative answer passes; the release gives
    nothing away; pictures have alternative text; times and memory stay within the budget.

    ```
    python -m course check
    python -m course check efficiency
    ```
    """
    from course.proving.gates import check_unit
    from course.run import find_data

    chosen = _units(units)
    find_data(console)
    table = Table("Unit", "Gate", "Result", title="Gates", title_justify="left")
    problems = _unreadable(units)
    for unit in chosen:
        with console.status("") as status:
            results = check_unit(
                unit,
                run=not quick,
                jobs=jobs,
                on_gate=lambda gate, u=unit, s=status: s.update(f"{u.name}: {gate}"),
            )
        for result in results:
            verdict = (
                f"[red]{len(result.problems)} problems" if result.problems else "[green]passed"
            )
            table.add_row(unit.name, result.gate, verdict)
            problems += [f"{unit.name}, {result.gate}: {problem}" for problem in result.problems]
    console.print(table)
    for problem in problems:
        console.print(problem, style="red", markup=False, soft_wrap=True)
    raise typer.Exit(1 if problems else 0)


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

    ```
    python -m course grade --demo
    python -m course grade grading/submitted --unit efficiency
    python -m course grade ~/Downloads/class --jobs 4
    ```
    """
    from course.grading import classes as grading

    chosen = [find_unit(unit)] if unit else discover()
    if demo:
        if folder is not None:
            raise UserError("Give a folder or --demo, not both.")
        _grade_demo(chosen, jobs)
        return
    from course.run import find_data, progress

    folder = folder or ROOT / "grading" / "submitted"
    grading.check_class_folder(folder)
    chosen = [unit for unit in chosen if grading.students_of(unit, folder)]
    if not chosen:
        raise UserError(
            f"{folder} holds no submission for {unit or 'any unit'}; it needs STUDENT/UNIT/"
            "UNIT.ipynb, such as ada/01_efficiency/01_efficiency.ipynb."
        )
    find_data(console)
    results = {}
    for one in chosen:
        students = grading.students_of(one, folder)
        with progress(console) as bar:
            task = bar.add_task(f"Grading {one.name}", total=len(students))
            results[one.name] = grading.grade_class(
                one,
                ROOT,
                folder,
                jobs=jobs,
                on_result=lambda result, b=bar, t=task: b.advance(t),
            )
        _show_scores(one.name, results[one.name])
    path = grading.write_scores(results, ROOT / "grading")
    console.print(f"Wrote {path} and scores.json beside it.", soft_wrap=True)
    failed = [r for group in results.values() for r in group if r.status == grading.NOT_GRADED]
    raise typer.Exit(1 if failed else 0)


@app.command()
def lab() -> None:
    """Open JupyterLab on the first lecture."""
    units = discover()
    path = units[0].lecture_notebook() if units else ROOT / "lectures"
    if not path.exists():
        raise UserError(f"{path} does not exist; run `python -m course build` first.")
    os.chdir(ROOT)
    command = [sys.executable, "-m", "jupyterlab", str(path.relative_to(ROOT))]
    os.execv(sys.executable, command)


@app.command()
def results(
    unit: Annotated[str, typer.Argument(help="Such as 01, efficiency or 01_efficiency.")],
    seeds: Annotated[int, typer.Option(min=1, help="Repeat each experiment so often.")] = 5,
    jobs: Jobs = 1,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only this experiment (repeat it for more); keep the others' records."),
    ] = None,
) -> None:
    """Run a unit's experiments and write course/results/UNIT.json, which the lectures read.

    May take long. Interrupted, it goes on where it stopped.

    ```
    python -m course results efficiency --seeds 5 --jobs 2
    python -m course results quantization --only models --only "word vectors"
    ```
    """
    from course.threads import one_thread

    one_thread()
    from course.measuring.results import run_results

    path = run_results(unit, seeds, jobs, console, only or ())
    console.print(f"Wrote {path}.", soft_wrap=True)
    console.print("To show the new numbers: python -m course build --refresh")


@app.command()
def teachers(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="TEACHER", help="Such as transformer; else all.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Train each so often, from other seeds.")] = 1,
    ship: Annotated[
        bool, typer.Option("--ship", help="Write the logits that students learn from.")
    ] = False,
) -> None:
    """Train the teachers of unit 02 from nothing, on a GPU when there is one.

    Without a GPU the transformer takes long. Interrupted, a network's training goes on from its last
    epoch. What is trained already is not trained again.

    ```
    python -m course teachers transformer --seeds 5
    python -m course teachers --ship
    ```
    """
    from course.threads import one_thread

    one_thread()
    from course.measuring.teachers import TEACHERS, is_trained, ship_logits, train_teacher

    for name in names or TEACHERS:
        for seed in range(seeds):
            if not is_trained(name, seed):
                with console.status(f"Training {name}, seed {seed}"):
                    train_teacher(name, seed)
            console.print(f"{name}, seed {seed}: trained.")
    if ship:
        for name, size in ship_logits().items():
            console.print(f"Wrote utils/assets/teachers/{name}.bin ({size:,} bytes).")


@app.command()
def predict(
    model: Model,
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="One text a line; else standard input."),
    ] = None,
) -> None:
    """Label texts: one a line in, one JSON object a line out.

    ```
    echo "Thank you so much" | python -m course predict course/models/NAME
    python -m course predict course/models/NAME comments.txt > labels.jsonl
    ```
    """
    _exists(model)
    from course.measuring.inference import predict_lines

    name = str(file) if file else "standard input"
    with open(file, "rb") if file else sys.stdin.buffer as stream:
        for labelled in predict_lines(model, _lines(stream, name)):
            print(json.dumps(labelled, ensure_ascii=False), flush=file is None)


@app.command()
def evaluate(
    model: Model,
    split: Annotated[str, typer.Option(help="train, dev or test.")] = "test",
    taxonomy: Annotated[
        str | None, typer.Option(help="emotions, ekman or sentiment; else the model's own.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Score a model file on a split of GoEmotions.

    ```
    python -m course evaluate course/models/NAME --split test --taxonomy ekman --json
    ```
    """
    _exists(model)
    from course.measuring.inference import evaluate as score

    # What it says about the data would spoil the JSON.
    with _stdout_to_stderr(as_json):
        found = score(model, split, taxonomy)
    if as_json:
        print(json.dumps(found))
        return
    table = Table("Measure", "Value", title=str(model), title_justify="left")
    for name, value in found.items():
        if name != "per_label":
            table.add_row(name, f"{value:.4f}" if isinstance(value, float) else str(value))
    console.print(table)


@app.command()
def data() -> None:
    """Find GoEmotions (or the course sample), say which it is, and describe it."""
    from course.run import find_data
    from utils.data import SPLITS, describe, load_goemotions

    find_data(console)
    table = Table("", title_justify="left")
    columns = [describe(load_goemotions(split)) for split in SPLITS]
    for split in SPLITS:
        table.add_column(split, justify="right")
    for name in columns[0]:
        if not isinstance(columns[0][name], dict):
            table.add_row(name.replace("_", " "), *(f"{column[name]:.4g}" for column in columns))
    for label in columns[0]["rows_per_label"]:
        table.add_row(label, *(str(column["rows_per_label"][label]) for column in columns))
    console.print(table)


def main() -> NoReturn:
    """Run the command line. What a person can mend is said in one sentence, with exit code 2."""
    try:
        app()
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        Console(stderr=True).print(f"[red]Error:[/] {_escaped(sentence)}", soft_wrap=True)
        sys.exit(2)
    sys.exit(0)


def _sentence(error: Exception) -> str | None:
    """What to tell a person about an error that is theirs to mend; None for a fault of ours."""
    kinds: list[type] = [UserError]
    for module, name in (("utils.data", "DataError"), ("utils.packing", "PackingError")):
        if module in sys.modules:  # otherwise it cannot have been raised
            kinds.append(getattr(sys.modules[module], name))
    if isinstance(error, tuple(kinds)):
        return str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full; free some space and start again."
    if isinstance(error, PermissionError):
        return f"{error.filename} cannot be opened or written; check its permissions."
    return None


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _units(names: list[str] | None) -> list[Unit]:
    units = [find_unit(name) for name in names] if names else discover()
    if not units:
        raise UserError(f"There are no units in {ROOT / 'course' / 'units'}.")
    return units


def _unreadable(names: list[str] | None) -> list[str]:
    """What is wrong with folders that hold no unit, where a command is about all units."""
    return [] if names else survey(ROOT)[1]


def _exists(model: Path) -> None:
    if not model.is_file():
        shipped = sorted((ROOT / "course" / "models").glob("[!.]*"))
        names = ", ".join(f"course/models/{path.name}" for path in shipped) or "none"
        raise UserError(f"There is no model file {model}; those of the course are: {names}.")


def _lines(stream, name: str):
    for number, line in enumerate(stream, start=1):
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError:
            raise UserError(f"{name}:{number} is not UTF-8 text; save the file as UTF-8.") from None


def _stdout_to_stderr(active: bool):
    import contextlib

    return contextlib.redirect_stdout(sys.stderr) if active else contextlib.nullcontext()


def _show_scores(title: str, results) -> None:
    """A table of points and, for a small class, why points are missing."""
    from course.grading.tables import ScoreRow, score_table

    rows = [ScoreRow(result.student, result.status, result.questions) for result in results]
    console.print(score_table(title, rows))
    for result in results:
        if result.problem:
            console.print(f"{result.student}: {result.problem}", style="red", markup=False)
        for name, score in result.questions.items() if len(results) <= SMALL_CLASS else ():
            if score.reason:
                reason = f"{result.student}, {name}: {score.reason}"
                console.print(reason, markup=False, no_wrap=True, overflow="ellipsis")


def _grade_demo(units: list[Unit], jobs: int) -> None:
    from course.grading.demo import grade_demo, surprises
    from course.run import find_data, progress

    find_data(console)
    wrong = []
    for unit in units:
        with progress(console) as bar:
            task = bar.add_task(f"Grading the demo class of {unit.name}", total=None)
            students, results = grade_demo(
                unit,
                ROOT / "build" / "demo" / unit.name,
                jobs=jobs,
                on_result=lambda result, b=bar, t=task: b.advance(t),
            )
        _show_scores(unit.name, results)
        wrong += [f"{unit.name}: {surprise}" for surprise in surprises(students, results)]
    for surprise in wrong:
        console.print(surprise, style="red", markup=False, soft_wrap=True)
    if not wrong:
        console.print("Every score is as expected.")
    raise typer.Exit(1 if wrong else 0)
