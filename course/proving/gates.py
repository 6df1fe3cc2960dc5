"""The gates that every unit passes before it is released.

A gate is a function that takes a Workbench and returns its problems as sentences; none means that
the gate is green. `tests/course/proving/test_gates.py` has a broken unit for every gate.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from course.errors import UserError
from course.proving.scores import Score, failure_of, score_notebook
from course.proving.workbench import Workbench
from course.writing import build
from course.writing.execute import Execution
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
    images,
    is_test,
    question_of,
    questions,
    read_notebook,
    region_lines,
    secret_lines,
)
from course.writing.units import Budget, Unit

MAX_LINES = 25
SOLUTION = (BEGIN_SOLUTION, END_SOLUTION)
CHECK_LINES = 35  # of a check, which has three parts: inputs, trial, and the call that compares
MIN_MISTAKES = 3
HARD_CODED = "hard-coded"  # the name of a mistake that passes the visible check begins so
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
NUMBER = re.compile(r"0x[0-9a-f]+|\d+(?:[.,]\d+)*(?:e[-+]?\d+)?")
MARKDOWN_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\s*[(\[]")
HTML_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
HTML_ALT = re.compile(r"""\balt\s*=\s*("[^"]*[^"\s][^"]*"|'[^']*[^'\s][^']*')""", re.IGNORECASE)


# Gates on what is written


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
    answers = (*bench.bank.mistakes, *bench.bank.alternatives)
    for answer in answers:
        if answer.question not in known:
            problems.append(f"{_name(answer)} is about {answer.question}, which has no tests.")
    names = Counter(map(_name, answers))
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
                problems.append(f"{_name(mistake)} has an empty {part}.")
        if not (mistake.code.strip() or mistake.changes):
            problems.append(f"{_name(mistake)} has neither code nor changes.")
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
    for path, nb in _sources(bench):
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


# Gates on what comes out when it runs


def solution_passes(bench: Workbench) -> list[str]:
    """The solution gets full marks."""
    return list(_lost(bench.scores["solution"], "The solution"))


def release_scores_zero(bench: Workbench) -> list[str]:
    """The untouched release gets no points."""
    return [
        f"The untouched release gets {score.points:g} of {score.possible:g} points for {question}."
        for question, score in bench.scores["blank"].items()
        if score.points != 0
    ]


def questions_stand_alone(bench: Workbench) -> list[str]:
    """Every question can be answered without the others.

    With no other question answered, each gets full marks. This is what lets the gates below try
    answers by their own question only."""
    return list(_lost(bench.alone, "With no other question answered, the solution"))


def mistakes_fail(bench: Workbench) -> list[str]:
    """Every mistake, in every variant, loses all points of its question."""
    problems = []
    for attempt, nb in bench.tried.items():
        own = score_notebook(nb)[attempt.question]
        if attempt.mistake is not None and own.points == own.possible:
            problems.append(f"{_name(attempt)} gets full marks: no test catches it.")
        elif attempt.mistake is not None and own.points:
            problems.append(
                f"{_name(attempt)} keeps {own.points:g} of {own.possible:g} points: a test of "
                f"{attempt.question} that gives points misses it. Let that test catch it too, or "
                "move its points."
            )
    return problems


def mistakes_recognised(bench: Workbench) -> list[str]:
    """Every mistake, in every variant, is recognised as itself by a check that students see (unless
    it is hard-coded: then by the hidden test), and no check takes it for another alone. Where one
    check of several cannot tell two mistakes apart, it names both."""
    problems = []
    for attempt, nb in bench.tried.items():
        if attempt.mistake is None:
            continue
        tests = [cell for cell in nb.cells if is_test(cell)]
        visible = " ".join(failure_of(c) for c in tests if BEGIN_HIDDEN not in c.source)
        hidden = " ".join(failure_of(c) for c in tests if BEGIN_HIDDEN in c.source)
        by_hand = not any("examine(" in cell.source for cell in tests)
        if by_hand or attempt.mistake.name.startswith(HARD_CODED):
            said = f"{visible} {hidden}"
        else:
            said = visible
        found = bench.bank.recognised(attempt.question, said)
        if attempt.mistake not in found:
            problems.append(
                f"{_name(attempt)} is not recognised: its message is {attempt.mistake.message!r}, "
                f"and the check said {said[:300]!r}."
            )
        # Who calls the library may well be wrong in the rest, too.
        lone = not by_hand and attempt.mistake.name != CALLS_THE_LIBRARY
        for cell in tests if lone else []:
            told = bench.bank.recognised(attempt.question, failure_of(cell))
            if told and attempt.mistake not in told:
                problems.append(
                    f"{_name(attempt)} is taken for {told[0].name!r} by {grade_id(cell)}: add an "
                    "input that tells them apart."
                )
    return problems


def alternatives_pass(bench: Workbench) -> list[str]:
    """Every correct answer written another way gets full marks, and no check complains."""
    problems = []
    for attempt, nb in bench.tried.items():
        if attempt.mistake is None:
            problems += _lost(score_notebook(nb), _name(attempt))
            complaints = [said for cell in nb.cells if is_test(cell) and (said := failure_of(cell))]
            problems += [f"{_name(attempt)} is told {said[:300]!r}." for said in complaints]
    return problems


def answers_keep_apart(bench: Workbench) -> list[str]:
    """No answer changes what another question gets: some notebooks are run as a whole, with an
    answer of the bank to every question, and there every question gets the same points for the same
    reason (but for numbers in it, such as times) as when its answer is tried by itself.

    Together with `questions_stand_alone` this is what lets answers be tried by their own question;
    one whole notebook for each answer would show it of each, and cost as many runs as answers."""
    problems = []
    for answers, scores in zip(bench.rounds, bench.together, strict=True):
        for question, score in scores.items():
            answer = answers.get(question)
            if answer is None:
                alone = Score(score.possible, score.possible)
            else:
                alone = score_notebook(bench.tried[answer])[question]
            if score.points != alone.points or _wording(score) != _wording(alone):
                others = ", ".join(_short(a) for q, a in answers.items() if q != question)
                problems.append(
                    f"In a notebook with {others}, {question} gets {score.points:g} points "
                    f"({score.reason[:200]!r}), but {alone.points:g} when they are not there "
                    f"({alone.reason[:200]!r}): one of them changes what {question} meets."
                )
    return problems


def runs_in_budget(bench: Workbench) -> list[str]:
    """Lecture and solution run without error, within the unit's seconds and memory."""
    return [
        *over_budget("The lecture", bench.lecture_run, bench.unit.lecture),
        *over_budget("The solution", bench.solution_run, bench.unit.assignment),
    ]


def over_budget(what: str, run: Execution, budget: Budget) -> Iterator[str]:
    """What is wrong with one run."""
    if not run.ok:
        yield f"{what} does not run: {run.error}."
        return
    if run.seconds > budget.max_seconds:
        yield f"{what} took {run.seconds:.0f} s; its budget is {budget.max_seconds:g} s."
    if run.peak_mb > budget.max_mb:
        yield f"{what} needed {run.peak_mb:.0f} MB; its budget is {budget.max_mb:g} MB."


def alt_text(bench: Workbench) -> list[str]:
    """Every picture, in outputs and in text, has alternative text."""
    problems = []
    for path, nb in _sources(bench):
        for number, cell in enumerate(nb.cells, start=1):
            if cell.cell_type == "markdown" and _unlabelled(cell.source):
                problems.append(f"{path}: cell {number} shows a picture without alternative text.")
    for what, nb in _executed(bench):
        for number, output in images(nb):
            for kind in (kind for kind in output.data if kind.startswith("image/")):
                alt = output.get("metadata", {}).get(kind, {}).get("alt", "")
                if not alt.strip() or alt.startswith("<"):
                    problems.append(
                        f"{what}: the {kind} of cell {number} has no alternative text; show it "
                        "with utils.plots.show(figure, alt)."
                    )
        for number, cell in code_cells(nb):
            html = "".join(str(o.get("data", {}).get("text/html", "")) for o in cell.outputs)
            if _unlabelled(html):
                problems.append(f"{what}: the HTML of cell {number} has an <img> without alt.")
    return problems


def static_widgets(bench: Workbench) -> list[str]:
    """Every widget leaves something to see where no widget can be shown."""
    problems = []
    for number, cell in code_cells(bench.lecture_run.notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            fallback = any(k.startswith(("image/", "text/html", "text/markdown")) for k in data)
            if build.WIDGET_VIEW in data and not fallback:
                problems.append(
                    f"The lecture: cell {number} shows a widget without a static picture or text."
                )
    return problems


def quiet_lecture(bench: Workbench) -> list[str]:
    """The lecture writes nothing to stderr: no warning, no progress bar left behind."""
    return [
        f"{what}: cell {number} writes to stderr: {output.text.strip()[:120]!r}."
        for what, nb in _executed(bench)
        for number, cell in code_cells(nb)
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stderr"
    ]


Gate = Callable[[Workbench], list[str]]
WRITTEN: tuple[Gate, ...] = (
    *(well_formed, answers_listed, own_work_watched, short_cells),
    *(no_emoji, up_to_date, clean_release),
)
WHOLE: tuple[Gate, ...] = (solution_passes, release_scores_zero, questions_stand_alone)
ANSWERED: tuple[Gate, ...] = (
    *(mistakes_fail, mistakes_recognised, alternatives_pass, answers_keep_apart),
)
SHOWN: tuple[Gate, ...] = (alt_text, quiet_lecture)
EXECUTED: tuple[Gate, ...] = (runs_in_budget, static_widgets)
GATES = WRITTEN + WHOLE + ANSWERED + SHOWN + EXECUTED


@dataclass(frozen=True)
class GateResult:
    gate: str
    problems: tuple[str, ...]


def check_unit(
    unit: Unit,
    *,
    run: bool = True,
    jobs: int = 2,
    gates: Sequence[Gate] = GATES,
    part: tuple[int, int] = (0, 1),
    variants: bool = True,
    on_gate: Callable[[str], None] = lambda gate: None,
) -> list[GateResult]:
    """Put a unit through the gates; unless `run`, through those that need no kernel. `part` and
    `variants` say which of the answers to try (see Workbench). `on_gate` is told the name of each
    gate before it starts."""
    bench = Workbench(unit, jobs, run, part, variants)
    results = []
    for gate in (gate for gate in gates if run or gate not in EXECUTED):
        name = gate.__name__.replace("_", " ")
        on_gate(name)
        try:
            problems = gate(bench)
        except UserError as error:
            problems = [str(error)]
        results.append(GateResult(name, tuple(dict.fromkeys(problems))))
    return results


def _wording(score: Score) -> str:
    """The reason for lost points without the numbers in it, which may be times or random."""
    return NUMBER.sub("#", score.reason)


def _short(answer: Attempt | Mistake | Alternative) -> str:
    return f"{question_of(answer.question)}/{answer.name}"


def _name(answer: Attempt | Mistake | Alternative) -> str:
    wrong = answer.mistake if isinstance(answer, Attempt) else isinstance(answer, Mistake)
    return f"The {'mistake' if wrong else 'alternative'} {_short(answer)}"


def _lost(scores: dict[str, Score], who: str) -> Iterator[str]:
    for question, score in scores.items():
        if score.points != score.possible:
            yield (
                f"{who} gets {score.points:g} of {score.possible:g} points for {question}: "
                f"{score.reason[:300] or 'no reason shown'}."
            )


def _sources(bench: Workbench) -> Iterator[tuple[object, NotebookNode]]:
    yield bench.unit.lecture_source, bench.lecture
    yield bench.unit.exercise_source, bench.exercise


def _executed(bench: Workbench) -> Iterator[tuple[str, NotebookNode]]:
    """The lecture as it runs now, and as it stands in the repository."""
    yield "The lecture", bench.lecture_run.notebook
    if bench.unit.lecture_notebook().is_file():
        yield str(bench.unit.lecture_notebook()), read_notebook(bench.unit.lecture_notebook())


def _unlabelled(text: str) -> bool:
    """Whether Markdown or HTML shows a picture without alternative text."""
    markdown = any(not found["alt"].strip() for found in MARKDOWN_IMAGE.finditer(text))
    return markdown or any(not HTML_ALT.search(tag) for tag in HTML_IMAGE.findall(text))
