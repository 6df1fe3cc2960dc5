"""The instructor's page of a unit, made from what is there: nothing on it is written for it alone."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from course.errors import UserError
from course.writing.asking import arguments, asking_calls
from course.writing.exercises import tag_of
from course.writing.mistakes import Mistake, load_answers
from course.writing.notebooks import is_manual, question_of, read_source
from course.writing.rubrics import Rubric, load_rubrics
from course.writing.units import Unit

TEMPLATE = Path(__file__).parents[1] / "assets" / "guide.html.jinja"
HEAD = re.compile(r"^## Question (\d+)\b:? *([^\n]*)\n+\*(\d+) minutes, ([\d.]+) points?", re.M)


@dataclass(frozen=True)
class ToAsk:
    """A question that the lecture asks. `answers` maps each answer it offers to what it replies to
    it (none where it asks for a guess), and `right` is the right one."""

    question: str
    answers: dict[str, str]
    right: str


@dataclass(frozen=True)
class Asked:
    """A question of the assignment, and what an instructor has to know of it."""

    name: str
    title: str
    minutes: float
    points: float
    mistakes: list[Mistake]
    rubric: Rubric | None
    model_answer: str


def write_guide(unit: Unit, folder: Path) -> Path:
    """Write `folder`/UNIT.html; returns its path."""
    import jinja2
    from nbconvert.filters import markdown2html

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    page = template.render(
        unit=unit,
        asked=assignment_questions(unit),
        to_ask=lecture_questions(unit),
        markdown=lambda text: jinja2.utils.markupsafe.Markup(markdown2html(text)),
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{unit.name}.html"
    path.write_text(page, encoding="utf-8")
    return path


def assignment_questions(unit: Unit) -> list[Asked]:
    """The questions of the unit's assignment, in their order."""
    cells = read_source(unit.exercise_source).cells
    bank, rubrics = load_answers(unit.mistakes_folder), load_rubrics(unit.rubric_source)
    written = {name: cell.source for cell in cells if (name := _written(cell))}
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return [
        Asked(
            name := f"q{number}",
            title,
            float(minutes),
            float(points),
            bank.mistakes_of(name),
            rubrics.get(name),
            written.get(name, ""),
        )
        for number, title, minutes, points in HEAD.findall(text)
    ]


def _written(cell: NotebookNode) -> str:
    """The question that a cell holds the model answer of; empty if it holds none."""
    tag = tag_of(cell)
    if tag is not None:
        return tag.question if tag.kind == "written" else ""
    return question_of(cell.metadata["nbgrader"]["grade_id"]) if is_manual(cell) else ""


def lecture_questions(unit: Unit) -> list[ToAsk]:
    """What the lecture asks with `predict` and `quiz`, in its order.

    A number that is computed when the lecture runs stands as [...]. Raises UserError where a
    question is neither a text nor an f-string.
    """
    found = []
    for cell in read_source(unit.lecture_source).cells:
        for call in asking_calls(cell.source) if cell.cell_type == "code" else ():
            given = _literals(call, unit)
            found.append(
                ToAsk(given["question"], given.get("options", {}), given.get("answer", ""))
            )
    return found


def _literals(call: ast.Call, unit: Unit) -> dict[str, Any]:
    try:
        return {
            name: ast.literal_eval(_WithoutNumbers().visit(value))
            for name, value in arguments(call).items()
            if name in ("question", "options", "answer")  # limits of a guess may be computed
        }
    except ValueError:
        raise UserError(
            f"{unit.lecture_source}: the question {ast.unparse(call)[:80]!r} is computed; write it "
            "as a text or an f-string, so that the instructor's page can show it."
        ) from None


class _WithoutNumbers(ast.NodeTransformer):
    """Makes a plain text of an f-string: what it computes is known only when the lecture runs."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.Constant:
        parts = [p.value if isinstance(p, ast.Constant) else "[...]" for p in node.values]
        return ast.Constant("".join(parts))
