"""The gates that every unit passes before it is released.

A gate is a function that takes a Workbench and returns its problems as sentences; none means that
the gate is green. `tests/course/proving/test_gates.py` has a broken unit for every gate.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from course.errors import UserError
from course.proving.controls import controls_keep_drawing
from course.proving.scores import Score, failure_of, score_notebook
from course.proving.workbench import Workbench
from course.proving.written import (
    answers_listed,
    clean_release,
    named,
    no_emoji,
    own_work_watched,
    rubrics_written,
    short_cells,
    short_name,
    sources,
    times_told,
    up_to_date,
    well_formed,
)
from course.writing import build
from course.writing.execute import Execution
from course.writing.mistakes import CALLS_THE_LIBRARY
from course.writing.notebooks import (
    BEGIN_HIDDEN,
    code_cells,
    grade_id,
    images,
    is_test,
    read_notebook,
)
from course.writing.units import Budget, Unit

HARD_CODED = "hard-coded"  # the name of a mistake that passes the visible check begins so
NUMBER = re.compile(r"0x[0-9a-f]+|\d+(?:[.,]\d+)*(?:e[-+]?\d+)?")
MARKDOWN_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\s*[(\[]")
HTML_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
HTML_ALT = re.compile(
    r"""\balt\s*=\s*("[^"]*[^"\s][^"]*"|'[^']*[^'\s][^']*')|\balt="" role="presentation\"""",
    re.IGNORECASE,  # a picture that only decorates says so
)
STILL_RUNNING = "still running after"  # what a check says of an answer that does not end


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
            problems.append(f"{named(attempt)} gets full marks: no test catches it.")
        elif attempt.mistake is not None and own.points:
            problems.append(
                f"{named(attempt)} keeps {own.points:g} of {own.possible:g} points: a test of "
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
                f"{named(attempt)} is not recognised: its message is {attempt.mistake.message!r}, "
                f"and the check said {said[:300]!r}."
            )
        if STILL_RUNNING in f"{visible} {hidden}" and attempt.mistake.seconds is None:
            problems.append(
                f"{named(attempt)} never ends on some input, and is recognised by that alone: change "
                "it so that it ends, or give it `seconds`, after which it is stopped."
            )
        # Who calls the library may well be wrong in the rest, too.
        lone = not by_hand and attempt.mistake.name != CALLS_THE_LIBRARY
        for cell in tests if lone else []:
            told = bench.bank.recognised(attempt.question, failure_of(cell))
            if told and attempt.mistake not in told:
                problems.append(
                    f"{named(attempt)} is taken for {told[0].name!r} by {grade_id(cell)}: add an "
                    "input that tells them apart."
                )
    return problems


def alternatives_pass(bench: Workbench) -> list[str]:
    """Every correct answer written another way gets full marks, and no check complains."""
    problems = []
    for attempt, nb in bench.tried.items():
        if attempt.mistake is None:
            problems += _lost(score_notebook(nb), named(attempt))
            complaints = [said for cell in nb.cells if is_test(cell) and (said := failure_of(cell))]
            problems += [f"{named(attempt)} is told {said[:300]!r}." for said in complaints]
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
                others = ", ".join(short_name(a) for q, a in answers.items() if q != question)
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
    for path, nb in sources(bench):
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
    *(well_formed, answers_listed, rubrics_written, times_told, own_work_watched),
    *(short_cells, no_emoji, controls_keep_drawing, up_to_date, clean_release),
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
    variants: bool = True,
    on_gate: Callable[[str], None] = lambda gate: None,
) -> list[GateResult]:
    """Put a unit through the gates; unless `run`, through those that need no kernel. Unless
    `variants`, each mistake is tried in its first form only. `on_gate` is told the name of each gate
    before it starts."""
    bench = Workbench(unit, jobs, run, variants)
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


def _lost(scores: dict[str, Score], who: str) -> Iterator[str]:
    for question, score in scores.items():
        if score.points != score.possible:
            yield (
                f"{who} gets {score.points:g} of {score.possible:g} points for {question}: "
                f"{score.reason[:300] or 'no reason shown'}."
            )


def _executed(bench: Workbench) -> Iterator[tuple[str, NotebookNode]]:
    """The lecture as it runs now, and as it stands in the repository."""
    yield "The lecture", bench.lecture_run.notebook
    if bench.unit.lecture_notebook().is_file():
        yield str(bench.unit.lecture_notebook()), read_notebook(bench.unit.lecture_notebook())


def _unlabelled(text: str) -> bool:
    """Whether Markdown or HTML shows a picture without alternative text."""
    markdown = any(not found["alt"].strip() for found in MARKDOWN_IMAGE.finditer(text))
    return markdown or any(not HTML_ALT.search(tag) for tag in HTML_IMAGE.findall(text))
