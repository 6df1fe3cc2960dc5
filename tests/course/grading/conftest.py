"""The assignment of the tiny unit as students get it and as a student answers it, made without a
kernel, and a way to hand it in."""

import io
import shutil
import zipfile
from copy import deepcopy
from types import SimpleNamespace

import nbformat
import pytest

from course.grading.classes import grade_student
from course.grading.intake import read_class
from course.grading.nbgrader_setup import Course
from course.writing import build
from course.writing.keys import solved
from course.writing.notebooks import answer_sources, read_notebook, with_answers, write_notebook
from tests.course.grading.right import RIGHT

UNIT = "01_tiny"
OTHER = "02_other"


@pytest.fixture(scope="session")
def tiny(unbuilt, tmp_path_factory):
    """`solution`, `release` and `answered` of the tiny unit, notebooks not to be changed, the
    `answers` in the last by question, and the `releases` of it and of a unit with other texts."""
    solution = build.solution_from_source(unbuilt)
    release = build.release_from_solution(unbuilt, solution)
    right = {name: solved(source) for name, source in answer_sources(solution).items()}
    other = deepcopy(release)
    for cell in other.cells:
        cell.source += "\n# Another unit."
    return SimpleNamespace(
        unit=unbuilt,
        solution=solution,
        release=release,
        answered=with_answers(release, right),
        answers={name: source.strip("\n") for name, source in right.items()},
        releases={UNIT: release, OTHER: other},
    )


@pytest.fixture
def answered(tiny):
    """A copy of the answered notebook, to change."""
    return deepcopy(tiny.answered)


@pytest.fixture
def draft(answered):
    """The same with another answer to the first question."""
    return with_answers(answered, {"q1": "def median(values):\n    return 7"})


@pytest.fixture
def take(tiny, tmp_path):
    """A function that hands in files, by their names below the class's folder, and returns the
    submissions by student. A file is bytes, a notebook, or a function that makes it at its path."""

    def take(files, path=None):
        folder = tmp_path / "submitted"
        for name, what in files.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if callable(what):
                what(place)
            else:
                place.write_bytes(written(what))
        found = list(read_class(path or folder, tiny.releases, UNIT))
        by_student = {submission.student: submission for submission in found}
        assert len(by_student) == len(found)
        return by_student

    return take


@pytest.fixture
def one(take):
    """A function that hands in the files of one student, named below the student's folder, and
    returns the submission."""

    def one(files):
        (submission,) = take({f"ada/{name}": what for name, what in files.items()}).values()
        return submission

    return one


def written(what):
    return what if isinstance(what, bytes) else nbformat.writes(what).encode()


def zipped(members, **options):
    """The bytes of a zip with these members; a member is bytes or a notebook."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", **{"compression": zipfile.ZIP_DEFLATED} | options) as archive:
        for name, what in members.items():
            archive.writestr(name, written(what))
    return packed.getvalue()


@pytest.fixture
def make_zip():
    return zipped


@pytest.fixture
def answers_of():
    """A function that returns the answers in a submission, by question."""
    return lambda submission: answer_sources(nbformat.reads(submission.notebook.decode(), 4))


@pytest.fixture(scope="module")
def class_root(built_root, tmp_path_factory):
    root = tmp_path_factory.mktemp("class") / "course"
    shutil.copytree(built_root, root)
    Course(root).generate_assignment(UNIT)
    return root


@pytest.fixture
def submit(class_root, request):
    """A function that grades one submission, made of the release with these answers and then
    changed, and returns its result, its executed notebook and its feedback."""
    student = request.node.name  # brackets and all

    def grade(answers=RIGHT, change=lambda nb: None, feedback=False, flagged=False, **settings):
        grading = class_root / "grading"
        nb = read_notebook(class_root / "assignments" / UNIT / f"{UNIT}.ipynb")
        nb = with_answers(nb, answers)
        change(nb)
        write_notebook(nb, grading / "submitted" / student / UNIT / f"{UNIT}.ipynb")
        options = {name.replace("__", "."): value for name, value in settings.items()}
        result = grade_student(class_root, UNIT, student, options, feedback)
        assert result.problem.startswith("Look at its code") == flagged, result.problem
        assert flagged or not result.problem
        done = read_notebook(grading / "autograded" / student / UNIT / f"{UNIT}.ipynb")
        page = grading / "feedback" / student / UNIT / f"{UNIT}.html"
        return result, done, page.read_text() if feedback else ""

    return grade
