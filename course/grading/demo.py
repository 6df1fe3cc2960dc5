"""A small class made up from a unit's mistakes, whose scores are known before it is graded."""

import shutil
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from course.grading.classes import StudentResult, grade_class
from course.grading.intake import read_class
from course.writing import build
from course.writing.keys import solved
from course.writing.mistakes import CALLS_THE_LIBRARY, AnswerBank, Mistake, load_answers
from course.writing.notebooks import (
    auto_questions,
    grade_id,
    is_manual,
    is_test,
    question_of,
    with_answers,
    write_notebook,
)
from course.writing.units import Unit

MISTAKE_STUDENTS = 5  # of each question the first so many mistakes; `course check` tries them all
LOOP_SECONDS = 10  # allowed to the answer that never ends
WRITTEN = "An answer in words, for a person to grade."


@dataclass(frozen=True)
class DemoStudent:
    """A submission, and what it must come to: the points per tested question and the status."""

    name: str
    about: str
    notebook: NotebookNode
    expected: dict[str, float]
    status: str = "graded"
    settings: dict[str, Any] = field(default_factory=dict)


def demo_students(
    unit: Unit,
    solution: NotebookNode,
    release: NotebookNode,
    bank: AnswerBank,
    loop_seconds: int = LOOP_SECONDS,
) -> list[DemoStudent]:
    """A dozen students or more: perfect, blank, mistaken in several ways, and every accident."""
    asked = auto_questions(solution)
    full = {name: question.points for name, question in asked.items()}
    right = {name: solved(question.answers[0].source) for name, question in asked.items()}
    written = {grade_id(cell): WRITTEN for cell in solution.cells if is_manual(cell)}
    first, last = list(asked)[0], list(asked)[-1]

    def first_code(mistake: Mistake) -> str:
        return mistake.codes(right[mistake.question])[0]

    def student(
        name: str,
        about: str,
        wrong: Mapping[str, str] | None = None,
        right: Mapping[str, str] = right,
        **more: Any,
    ) -> DemoStudent:
        wrong = wrong or {}
        notebook = with_answers(release, {**written, **right, **wrong})
        expected = {q: 0.0 if q in wrong else points for q, points in full.items()}
        return DemoStudent(name, about, notebook, expected, **more)

    others = {q: answers[0].code for q in asked if (answers := bank.alternatives_of(q))}
    library = {
        m.question: first_code(m)
        for m in bank.mistakes
        if m.name == CALLS_THE_LIBRARY and m.question in asked
    }
    slip = next(m for m in bank.mistakes if m.name != CALLS_THE_LIBRARY and m.question in asked)
    loop = {"JudgedExecute.answer_seconds": loop_seconds}
    students = [
        student("perfect", "answers everything correctly"),
        student("other-ways", "answers everything correctly in another way", right=right | others),
        DemoStudent("blank", "hands in the untouched release", release, dict.fromkeys(full, 0.0)),
        student(
            "one-slip",
            f"makes one mistake ({slip.name})",
            {slip.question: slip.codes(right[slip.question])[0]},
        ),
        student("calls-library", "calls the library instead of writing it", library),
        student(
            "syntax-error", f"has a syntax error in {first}", {first: "def answer(:\n    pass"}
        ),
        student(
            "endless-loop",
            f"never finishes {first}",
            {first: "while True:\n    pass"},
            status="timed out",
            settings=loop,
        ),
        student(
            "kernel-crash",
            f"ends the kernel in {last}",
            {last: "import os\n\nos._exit(1)"},
            status="crashed",
        ),
        _deleting(student("deleted-test", f"deleted the first test of {first}"), first),
        _copying(student("copied-test", f"copied the first test of {last}"), last),
    ]
    plain = {q: [m for m in bank.mistakes_of(q) if m.name != CALLS_THE_LIBRARY] for q in asked}
    for rank in range(min(MISTAKE_STUDENTS, max(map(len, plain.values())))):
        wrong = {
            q: first_code(mistakes[rank]) for q, mistakes in plain.items() if rank < len(mistakes)
        }
        about = f"makes mistake {rank + 1} of every question that has so many"
        students.append(student(f"mistake-{rank + 1}", about, wrong))
    return students


def grade_demo(
    unit: Unit,
    workspace: Path,
    *,
    jobs: int = 2,
    loop_seconds: int = LOOP_SECONDS,
    unsafe: bool = False,
    seed: str = "",
    scheduler: str = "",
    on_result: Callable[[StudentResult], None] = lambda result: None,
) -> tuple[list[DemoStudent], list[StudentResult]]:
    """Grade the demo class of a unit in `workspace`, which is made anew, as a class is graded."""
    shutil.rmtree(workspace, ignore_errors=True)
    solution = build.solution_from_source(unit)
    release = build.release_from_solution(unit, solution)
    students = demo_students(
        unit, solution, release, load_answers(unit.mistakes_folder), loop_seconds
    )
    write_notebook(solution, unit.solution_notebook(workspace))
    submitted = workspace / "grading" / "submitted"
    for student in students:
        path = submitted / student.name / unit.name / f"{unit.name}.ipynb"
        write_notebook(student.notebook, path)
    submissions = read_class(submitted, {unit.name: release}, unit.name)
    slow = {student.name for student in students if student.settings}
    results = grade_class(
        unit,
        workspace,
        sorted(submissions, key=lambda submission: submission.student not in slow),  # slow first
        settings={student.name: student.settings for student in students},
        unsafe=unsafe,
        seed=seed,
        feedback=False,
        jobs=jobs,
        scheduler=scheduler,
        on_result=on_result,
    )
    return students, results


def surprises(students: list[DemoStudent], results: list[StudentResult]) -> list[str]:
    """Where the grades are not what they must be."""
    by_name = {result.student: result for result in results}
    found = []
    for student in students:
        result = by_name.get(student.name)
        if result is None:
            found.append(f"{student.name} was not graded at all.")
            continue
        if result.status != student.status:
            reason = f" ({result.problem})" if result.problem else ""
            found.append(
                f"{student.name} is {result.status!r}, expected {student.status!r}{reason}."
            )
        for question, points in student.expected.items():
            score = result.questions.get(question)
            if score is None or score.points != points:
                got = "nothing" if score is None else f"{score.points:g}"
                why = f": {score.reason}" if score is not None and score.reason else ""
                found.append(f"{student.name} got {got} for {question}, expected {points:g}{why}.")
    return found


def _first_test(nb: NotebookNode, question: str) -> int:
    return next(
        index
        for index, cell in enumerate(nb.cells)
        if is_test(cell) and question_of(grade_id(cell)) == question
    )


def _deleting(student: DemoStudent, question: str) -> DemoStudent:
    del student.notebook.cells[_first_test(student.notebook, question)]
    return student


def _copying(student: DemoStudent, question: str) -> DemoStudent:
    cells = student.notebook.cells
    at = _first_test(student.notebook, question)
    copy = deepcopy(cells[at])
    copy.id = f"{copy.id}-copy"
    cells.insert(at + 1, copy)
    return student
