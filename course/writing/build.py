"""Sources to notebooks: `lectures/`, `solutions/` and, through nbgrader, `assignments/`.

Building is deterministic: the same sources give the same cells, ids and metadata. A lecture keeps
its outputs in the repository, and outputs hold measured times, so a lecture is run again only when
its cells changed (or on request), and drift is a difference in sources, never in outputs.
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path

from nbformat import NotebookNode

from course.errors import UserError
from course.writing.contents import CLOSING, add_contents, links, seal_quizzes
from course.writing.execute import Execution, run_notebook
from course.writing.exercises import checks, expanded
from course.writing.keys import make_keys
from course.writing.mistakes import load_answers
from course.writing.notebooks import (
    METADATA,
    read_notebook,
    read_source,
    set_cell_ids,
    write_notebook,
)
from course.writing.prose import fields, same_prose
from course.writing.units import Unit, generated, unit_folders

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"


def lecture_from_source(unit: Unit) -> NotebookNode:
    """The lecture, not run: with links and contents, and its quizzes sealed."""
    nb = read_source(unit.lecture_source)
    seal_quizzes(nb, unit.lecture_source)
    add_contents(nb, links(unit, "lecture"), CLOSING)
    set_cell_ids(nb)
    return nb


def solution_from_source(unit: Unit) -> NotebookNode:
    """The assignment with solutions and hidden tests, and the keys of its checks."""
    nb = read_source(unit.exercise_source)
    add_contents(nb, links(unit, "assignment"))
    if not checks(nb):
        nb = expanded(nb)
        set_cell_ids(nb)
        return nb
    bank = load_answers(unit.mistakes_folder)
    keys = make_keys(unit.name, nb, bank, unit.solution_notebook())
    nb = expanded(nb, keys.visible, keys.hidden, keys.stamp)
    set_cell_ids(nb)
    return nb


def release_from_solution(unit: Unit, solution: NotebookNode) -> NotebookNode:
    """The assignment as students get it, made by nbgrader's generate_assignment."""
    from course.grading.nbgrader_setup import Course  # nbgrader takes a second to import

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        write_notebook(solution, unit.solution_notebook(root))
        Course(root).generate_assignment(unit.name, database=False)
        return read_notebook(unit.release_notebook(root))


def without_widgets(nb: NotebookNode) -> NotebookNode:
    """A copy for the repository: no widget state, no widget views (their static pictures stay), and
    nothing that depends on the machine that ran it but the outputs themselves."""
    nb = deepcopy(nb)
    nb.metadata.clear()
    nb.metadata.update(deepcopy(METADATA))
    for cell in nb.cells:
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET_VIEW, None)
            output.get("data", {}).pop(WIDGET_STATE, None)
    return nb


def execute_lecture(unit: Unit, on_cell: Callable[[int, int], None] | None = None) -> Execution:
    """Run the lecture as it stands in its source, in `lectures/`, where students open it: it loads
    the shipped models by a path from there."""
    folder = unit.lecture_notebook().parent
    folder.mkdir(exist_ok=True)
    nb = lecture_from_source(unit)
    return run_notebook(nb, cell_seconds=unit.lecture.max_seconds, folder=folder, on_cell=on_cell)


def execute_solution(unit: Unit, on_cell: Callable[[int, int], None] | None = None) -> Execution:
    """Run the assignment's solution, hidden tests included, as it stands in its source."""
    nb = solution_from_source(unit)
    return run_notebook(nb, cell_seconds=unit.assignment.max_seconds, on_cell=on_cell)


def save_lecture(unit: Unit, execution: Execution) -> None:
    """Write an executed lecture to `lectures/`."""
    if not execution.ok:
        raise UserError(f"{unit.lecture_source} does not run: {execution.error}.")
    write_notebook(without_widgets(execution.notebook), unit.lecture_notebook())


def lecture_is_current(unit: Unit) -> bool:
    """Whether `lectures/` holds this lecture, with outputs, as its source says."""
    path = unit.lecture_notebook()
    if not path.is_file():
        return False
    nb = read_notebook(path)
    executed = all(c.get("execution_count") for c in nb.cells if c.cell_type == "code" and c.source)
    return executed and not differences(nb, lecture_from_source(unit), "")


def build_assignment(unit: Unit) -> None:
    """Write `solutions/<unit>/` and `assignments/<unit>/`, and nothing else into these folders."""
    solution = solution_from_source(unit)
    release = release_from_solution(unit, solution)
    for nb, path in ((solution, unit.solution_notebook()), (release, unit.release_notebook())):
        if path.parent.is_dir():
            shutil.rmtree(path.parent)
        write_notebook(nb, path)


def drift(units: Sequence[Unit], root: Path) -> list[str]:
    """Every way in which the generated notebooks of these units differ from what the sources say,
    and every generated file that belongs to no folder in course/units at all."""
    problems = []
    for unit in units:
        try:
            solution = solution_from_source(unit)
            release = release_from_solution(unit, solution)
            problems += unit_drift(unit, lecture_from_source(unit), solution, release)
        except UserError as error:
            problems.append(str(error))
    expected = {path for folder in unit_folders(root) for path in generated(folder.name, root)}
    for folder in ("lectures", "solutions", "assignments"):
        for path in sorted((root / folder).rglob("*")):
            ignored = ".ipynb_checkpoints" in path.parts
            if path.is_file() and path not in expected and not ignored:
                problems.append(f"{path} belongs to no unit; delete it.")
    return problems


def unit_drift(
    unit: Unit, lecture: NotebookNode, solution: NotebookNode, release: NotebookNode
) -> list[str]:
    """How the three notebooks of a unit in the repository differ from those made of its sources."""
    wanted = {
        unit.lecture_notebook(): lecture,
        unit.solution_notebook(): solution,
        unit.release_notebook(): release,
    }
    problems = []
    for path, expected in wanted.items():
        if not path.is_file():
            problems.append(f"{path} does not exist; run `python -m course build {unit.name}`.")
            continue
        problems += differences(read_notebook(path), expected, f"{path}: ")
    return problems


def differences(found: NotebookNode, expected: NotebookNode, prefix: str) -> list[str]:
    """How two notebooks differ in metadata, and in the types, sources, metadata and ids of their
    cells; outputs and execution counts are left out of it."""
    advice = "run `python -m course build` and commit what it writes"
    if found.metadata != expected.metadata:
        return [f"{prefix}the notebook's metadata is not what is generated; {advice}."]
    if len(found.cells) != len(expected.cells):
        counts = f"{len(found.cells)} cells where the source has {len(expected.cells)}"
        return [f"{prefix}{counts}; {advice}."]
    for number, (one, other) in enumerate(zip(found.cells, expected.cells, strict=True), start=1):
        for part in ("cell_type", "source", "metadata", "id"):
            same = one.get(part) == other.get(part)
            if part == "source" and other.cell_type == "markdown" and fields(other.source):
                same = same_prose(one.source, other.source)  # as filled in when it was built
            if not same:
                what = part.replace("_", " ")
                return [f"{prefix}the {what} of cell {number} is not what is generated; {advice}."]
    return []
