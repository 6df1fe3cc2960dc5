"""What every notebook gets when it is built: links to its neighbours, a list of contents, and quizzes
whose answers cannot be read in their cells."""

import ast
import re
from pathlib import Path

from nbformat import NotebookNode

from course.errors import UserError
from course.writing.asking import arguments, asking_calls
from course.writing.units import Unit, discover

QUIZ = re.compile(r"^quiz\(", re.MULTILINE)
HEADING = re.compile(r"^## +(.+?)\s*$", re.MULTILINE)
CLOSING = (
    "An open lecture keeps its models and data in memory until its kernel is shut down, and where "
    "memory runs out a kernel is killed without a word. When you are done, choose *Kernel, Shut Down "
    "Kernel*; closing the tab is not enough. *Running Terminals and Kernels*, on the left, lists "
    "those that still run."
)
FOLDED = {"jupyter": {"source_hidden": True}, "tags": ["hide-input"]}


def links(unit: Unit, kind: str) -> str:
    """A line with the unit's other notebook and the lectures before and after it, as seen from its
    "lecture" or its "assignment"."""
    lectures, assignments = (
        ("", "../assignments/") if kind == "lecture" else ("../../lectures/", "../")
    )
    found = []
    if kind == "lecture":
        found.append(f"[Assignment {unit.number}]({assignments}{unit.name}/{unit.name}.ipynb)")
    else:
        found.append(f"[Lecture {unit.number}]({lectures}{unit.name}.ipynb)")
    units = discover(unit.root)
    names = [other.name for other in units]
    if unit.name in names:
        place = names.index(unit.name)
        for word, other in (("Before it", place - 1), ("After it", place + 1)):
            if 0 <= other < len(units):
                there = units[other]
                path = f"{lectures}{there.name}.ipynb"
                found.append(f"{word}: [{there.number}, {there.title}]({path})")
    return " · ".join(found)


def add_contents(nb: NotebookNode, links: str, closing: str = "") -> None:
    """Put links and the list of contents below the first cell's text.

    Not in a cell of their own: cells are counted in the source and in what is built of it alike."""
    headings = [
        heading
        for cell in nb.cells
        if cell.cell_type == "markdown"
        for heading in HEADING.findall(cell.source)
    ]
    # An anchor is made of a heading as JupyterLab and nbconvert make it: blanks become hyphens.
    lines = [f"- [{title}](#{_anchor(title)})" for title in headings]
    parts = [links, *(["**Contents**\n\n" + "\n".join(lines)] if lines else []), closing]
    nb.cells[0].source = "\n\n".join(part for part in (nb.cells[0].source, *parts) if part)


def _anchor(title: str) -> str:
    plain = re.sub(r"[*`]|\[([^\]]*)\]\([^)]*\)", r"\1", title)
    return re.sub(r"[()]", lambda bracket: f"%{ord(bracket[0]):x}", plain.replace(" ", "-"))


def seal_quizzes(nb: NotebookNode, path: Path) -> None:
    """Fold the cells of quizzes, and seal their options and answers.

    Raises UserError for a quiz whose arguments are not plain texts."""
    from utils.widgets import sealed

    for cell in nb.cells:
        if cell.cell_type != "code" or not QUIZ.search(cell.source):
            continue
        try:
            (call,) = asking_calls(cell.source)
            (_,) = ast.parse(cell.source).body
            given = arguments(call)
            question, options, answer = (
                ast.literal_eval(given[name]) for name in ("question", "options", "answer")
            )
            text = sealed(options, answer)
        except (ValueError, KeyError, SyntaxError) as error:
            raise UserError(
                f"{path}: a cell of a quiz must be one call with a question, options and an answer "
                f"that are plain texts: {error}."
            ) from error
        cell.source = f'quiz({question!r},\n     "{text}")'
        cell.metadata.update(FOLDED)
