"""Gates on what is written: they run nothing. See `course.proving.gates`."""

import re
from collections import Counter
from collections.abc import Iterator

from nbformat import NotebookNode

from course.proving.workbench import Workbench
from course.writing import build
from course.writing.exercises import tag_of
from course.writing.mistakes import CALLS_THE_LIBRARY, Alternative, Attempt, Mistake
from course.writing.notebooks import (
    BEGIN_HIDDEN,
    BEGIN_SOLUTION,
    END_HIDDEN,
    END_SOLUTION,
    MARKERS,
    auto_questions,
    code_cells,
    grade_id,
    question_of,
    questions,
    read_notebook,
    region_lines,
    secret_lines,
)
from course.writing.rubrics import load_rubrics

MAX_LINES = 25
CHECK_LINES = 35  # of a check, which has three parts: inputs, trial, and the call that compares
MIN_MISTAKES = 3
SOLUTION = (BEGIN_SOLUTION, END_SOLUTION)
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
TABLE_HEAD = "| Question | You write | Minutes | Points |\n"
TABLE_ROW = re.compile(r"^\| (\d+) \|.*\| (\d+) \| ([\d.]+) \|$", re.MULTILINE)
TOLD = r"^## Question (\d+)\b[^\n]*\n+\*(\d+) minutes, ([\d.]+) points?\b"
TIME_TOLD = re.compile(TOLD, re.MULTILINE)


def well_formed(bench: Workbench) -> list[str]:
    """Question names, answer cells, points and hidden tests are as the harness expects them."""
    problems = []
    if not auto_questions(bench.solution):
        problems.append("The assignment has no question with tests.")
    names = [name for cell in bench.solution.cells if (name := grade_id(cell))]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.append(f"Two cells have the grade id {name!r}.")
    for name, question in questions(bench.solution).items():
        if not question.tests:
            if not question.manual:
                problems.append(f"{name} has an answer cell but no test and no written answer.")
            continue
        if [grade_id(cell) for cell in question.answers] != [name]:
            problems.append(f"{name} must have one answer cell, whose grade id is {name!r}.")
        if question.points <= 0:
            problems.append(f"The tests of {name} give no points.")
        hidden = [c for c in question.tests if BEGIN_HIDDEN in c.source and END_HIDDEN in c.source]
        if not hidden:
            problems.append(f"{name} has no hidden test, so a hard-coded answer passes.")
    return problems


def answers_listed(bench: Workbench) -> list[str]:
    """Every question has wrong answers enough, one that calls the library, and an alternative."""
    problems = []
    known = auto_questions(bench.solution)
    answers: list[Mistake | Alternative] = [*bench.bank.mistakes, *bench.bank.alternatives]
    for answer in answers:
        if answer.question not in known:
            problems.append(f"{named(answer)} is about {answer.question}, which has no tests.")
    names = Counter(map(named, answers))
    problems += [f"{name} is there twice." for name, count in names.items() if count > 1]
    for question in known:
        mistakes = bench.bank.mistakes_of(question)
        if len(mistakes) < MIN_MISTAKES:
            problems.append(
                f"{question} has {len(mistakes)} mistakes; write at least {MIN_MISTAKES}."
            )
        calls = any(mistake.name == CALLS_THE_LIBRARY for mistake in mistakes)
        if not calls and not bench.bank.no_library.get(question):
            problems.append(
                f'{question} has no mistake "{CALLS_THE_LIBRARY}"; write one, or say in NO_LIBRARY '
                "why there is nothing to call."
            )
        if not bench.bank.alternatives_of(question):
            problems.append(f"{question} has no alternative answer; write at least one.")
    for mistake in bench.bank.mistakes:
        for part in ("name", "misconception", "message"):
            if not getattr(mistake, part).strip():
                problems.append(f"{named(mistake)} has an empty {part}.")
        if not (mistake.code.strip() or mistake.changes or mistake.variants):
            problems.append(f"{named(mistake)} has no code, changes or variants.")
    return problems


def rubrics_written(bench: Workbench) -> list[str]:
    """Every written question, and no other, has a rubric whose points are the question's."""
    path = bench.unit.rubric_source
    rubrics = load_rubrics(path)
    asked = {
        name: q.manual_points for name, q in questions(bench.solution).items() if q.manual_points
    }
    problems = [f"{path}: {name} is no written question." for name in rubrics if name not in asked]
    for name, points in asked.items():
        if name not in rubrics:
            problems.append(f"{name} is a written question without a rubric; write one in {path}.")
        elif rubrics[name].points != points:
            problems.append(
                f"{path}: the criteria of {name} give {rubrics[name].points:g} points, and the "
                f"question has {points:g}."
            )
    return problems


def times_told(bench: Workbench) -> list[str]:
    """A question's minutes and points are the same in the table of questions, above the question
    and in its tests; the minutes add up to those of the unit."""
    problems = []
    text = "\n".join(cell.source for cell in bench.solution.cells if cell.cell_type == "markdown")
    table = text.partition(TABLE_HEAD)[2].partition("\n\n")[0]
    rows = {f"q{row[1]}": (int(row[2]), float(row[3])) for row in TABLE_ROW.finditer(table)}
    told = {f"q{line[1]}": (int(line[2]), float(line[3])) for line in TIME_TOLD.finditer(text)}
    for name, question in questions(bench.solution).items():
        given = question.points + question.manual_points
        if name not in rows:
            problems.append(f"{name} has no row in the table of questions.")
        elif name not in told:
            problems.append(f'{name} says no minutes and points: "*10 minutes, 4 points*".')
        elif not rows[name] == told[name] == (rows[name][0], given):
            problems.append(
                "{} has {:g} minutes and {:g} points in the table, {:g} minutes and {:g} points above "
                "the question and {:g} points in its tests.".format(
                    name, *rows[name], *told[name], given
                )
            )
    total, stated = sum(minutes for minutes, _ in rows.values()), bench.unit.assignment.minutes
    if total != stated:
        problems.append(f"The questions add up to {total} minutes, and unit.toml says {stated}.")
    return problems


def own_work_watched(bench: Workbench) -> list[str]:
    """Every test runs the answer under the watch over own work: through `examine`, or `own_work`."""
    return [
        f"{grade_id(cell)} runs the answer without `examine` or `own_work`."
        for question in auto_questions(bench.solution).values()
        for cell in question.tests
        if not re.search(r"\b(examine|own_work)\(", cell.source)
    ]


def short_cells(bench: Workbench) -> list[str]:
    """No code cell is longer than 25 lines, nor a solution; a check may have 35."""
    problems = []
    for path, nb in sources(bench):
        for number, cell in code_cells(nb):
            tag = tag_of(cell)
            most = CHECK_LINES if tag is not None and tag.kind == "check" else MAX_LINES
            # Of an answer, what a student sees and the solution that stands for it are two texts.
            parts = Counter(inside for _, inside in region_lines(cell.source, *SOLUTION))
            lines = max(parts.values(), default=0)
            if lines > most:
                problems.append(
                    f"{path}: cell {number} has {lines} lines; split it or move plumbing to utils "
                    f"(at most {most})."
                )
    return problems


def no_emoji(bench: Workbench) -> list[str]:
    """No emoji in the unit's sources."""
    problems = []
    for path in sorted(bench.unit.folder.rglob("*.*")):
        if path.suffix not in (".py", ".toml", ".md"):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if found := EMOJI.search(line):
                problems.append(f"{path}:{number} has an emoji ({ascii(found.group())}).")
    return problems


def up_to_date(bench: Workbench) -> list[str]:
    """The generated notebooks are what the sources say."""
    return build.unit_drift(bench.unit, bench.lecture, bench.solution, bench.release)


def clean_release(bench: Workbench) -> list[str]:
    """The release holds no solution, hidden test, marker, output, widget state or stray file."""
    path = bench.unit.release_notebook()
    problems = [
        f"{stray} is not part of the release; delete it."
        for stray in sorted(path.parent.rglob("*"))
        if stray.is_file() and stray != path
    ]
    nb = read_notebook(path)
    secret = secret_lines(bench.solution)
    if "widgets" in nb.metadata:
        problems.append(f"{path} holds saved widget state.")
    for number, cell in enumerate(nb.cells, start=1):
        where = f"{path}: cell {number}"
        if MARKERS.search(cell.source):
            problems.append(f"{where} shows a BEGIN or END marker of nbgrader.")
        if leaked := [line for line in cell.source.split("\n") if line.strip() in secret]:
            problems.append(
                f"{where} shows text of a solution or hidden test: {leaked[0].strip()!r}."
            )
        if cell.get("outputs") or cell.get("execution_count"):
            problems.append(f"{where} has been run; a release holds no outputs.")
    return problems


def short_name(answer: Attempt | Mistake | Alternative) -> str:
    """Such as q1/unsorted."""
    return f"{question_of(answer.question)}/{answer.name}"


def named(answer: Attempt | Mistake | Alternative) -> str:
    """Such as "The mistake q1/unsorted"."""
    wrong = answer.mistake if isinstance(answer, Attempt) else isinstance(answer, Mistake)
    return f"The {'mistake' if wrong else 'alternative'} {short_name(answer)}"


def sources(bench: Workbench) -> Iterator[tuple[object, NotebookNode]]:
    """The lecture and the exercise as written, with their paths."""
    yield bench.unit.lecture_source, bench.lecture
    yield bench.unit.exercise_source, bench.exercise
