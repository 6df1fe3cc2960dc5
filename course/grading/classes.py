"""Grade a class with nbgrader: every submission by itself, so that none can stop the others.

A submission ends in one of these states:

graded       every cell ran
timed out    a cell took too long; it counts as failed, the rest was graded
crashed      a cell ended the kernel; it counts as failed, and the rest was graded without it
not graded   nothing could be run (no notebook, not a notebook): 0 points, and `problem` says why

So a student loses the points of the question that went wrong, and the instructor sees that
something did.
"""

import csv
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from course.errors import UserError
from course.writing.mistakes import AnswerBank, load_answers
from course.writing.units import Unit

NOT_GRADED = "not graded"
NO_ANSWERS = AnswerBank()  # no mistake is known by name


@dataclass(frozen=True)
class QuestionScore:
    """`manual` points wait for a person (a written answer); `reason` says why points were lost, and
    `mistakes` names those of the unit's list that the results prove."""

    points: float
    possible: float
    manual: float = 0.0
    reason: str = ""
    mistakes: tuple[str, ...] = ()


@dataclass(frozen=True)
class StudentResult:
    student: str
    status: str
    questions: dict[str, QuestionScore] = field(default_factory=dict)
    problem: str = ""
    seconds: float = 0.0

    @property
    def points(self) -> float:
        return sum(score.points for score in self.questions.values())

    @property
    def possible(self) -> float:
        return sum(score.possible for score in self.questions.values())


def grade_class(
    unit: Unit,
    root: Path,
    submitted: Path,
    *,
    students: Iterable[str] | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    feedback: bool = True,
    jobs: int = 2,
    on_result: Callable[[StudentResult], None] = lambda result: None,
) -> list[StudentResult]:
    """Grade what is in `submitted`/STUDENT/UNIT/UNIT.ipynb.

    The tests come from `root`/solutions; gradebook, graded notebooks and feedback go to
    `root`/grading. `settings` are nbgrader options for single students. `on_result` is told each
    result as it comes; the list is in the order of the students' names.
    """
    import joblib

    from course.grading.nbgrader_setup import Course

    if students is None:
        students = students_of(unit, submitted)
    common = {
        "CourseDirectory.submitted_directory": str(submitted.resolve()),
        "CourseDirectory.release_directory": "grading/release",  # leave assignments/ alone
    }
    Course(root, common).generate_assignment(unit.name)
    bank = load_answers(unit.mistakes_folder)
    results = []
    tasks = (
        joblib.delayed(grade_student)(
            root, unit.name, name, common | dict((settings or {}).get(name, {})), feedback, bank
        )
        for name in students
    )
    for result in joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")(tasks):
        on_result(result)
        results.append(result)
    return sorted(results, key=lambda result: result.student)


def students_of(unit: Unit, submitted: Path) -> list[str]:
    """The students who handed in something for this unit."""
    return sorted(folder.parent.name for folder in submitted.glob(f"*/{unit.name}"))


def grade_student(
    root: Path,
    assignment: str,
    student: str,
    settings: dict[str, Any],
    feedback: bool,
    bank: AnswerBank = NO_ANSWERS,
) -> StudentResult:
    """Grade one submission. Whatever goes wrong ends up in the result, never in an exception:
    three hundred submissions are graded in one go, and some are broken in new ways."""
    from course.grading.nbgrader_setup import Course

    started = time.monotonic()
    try:
        course = Course(root, settings)
        problem = course.autograde(assignment, student)
        status, questions = _read_scores(
            course, assignment, student, failed=bool(problem), bank=bank
        )
        if feedback and not problem:
            problem = course.generate_feedback(assignment, student)
    except Exception as error:
        status, questions, problem = NOT_GRADED, {}, f"{type(error).__name__}: {error}"
    return StudentResult(student, status, questions, problem or "", time.monotonic() - started)


def _read_scores(
    course: Any, assignment: str, student: str, failed: bool, bank: AnswerBank
) -> tuple[str, dict[str, QuestionScore]]:
    """Points from the gradebook, reasons from the graded notebook."""
    from nbgrader.api import Gradebook

    from course.proving.scores import score_notebook, status_of
    from course.writing.notebooks import question_of, read_notebook

    path = course.root / "grading" / "autograded" / student / assignment / f"{assignment}.ipynb"
    graded = None if failed or not path.is_file() else read_notebook(path)
    reasons = {} if graded is None else score_notebook(graded)
    questions: dict[str, QuestionScore] = {}
    with Gradebook(course.db_url) as gradebook:
        submission = gradebook.find_submission_notebook(assignment, assignment, student)
        for grade in submission.grades:
            name = question_of(grade.cell.name)
            tested = grade.cell.cell_type == "code"
            if graded is None and tested:
                grade.auto_score, grade.needs_manual_grade = 0.0, False
            waits = grade.max_score if grade.needs_manual_grade else 0.0
            old = questions.get(name, QuestionScore(0.0, 0.0))
            reason = reasons[name].reason if name in reasons else ""
            questions[name] = QuestionScore(
                old.points + (grade.score or 0.0),
                old.possible + grade.max_score,
                old.manual + waits,
                reason,
                tuple(mistake.name for mistake in bank.recognised(name, reason)),
            )
        gradebook.db.commit()
    return (NOT_GRADED if graded is None else status_of(graded)), questions


def mistakes_made(results: Iterable[StudentResult]) -> list[tuple[str, str, int]]:
    """Question, named mistake, and how many students made it, the most frequent first."""
    counts = Counter(
        (question, mistake)
        for result in results
        for question, score in result.questions.items()
        for mistake in score.mistakes
    )
    return [(*made, count) for made, count in counts.most_common()]


def write_scores(results: Mapping[str, list[StudentResult]], folder: Path) -> Path:
    """Write `scores.csv` (one row a student and assignment) and `scores.json` (with the reasons).

    nbgrader's own export does not quote, so a comma in a name shifts its columns."""
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted({q for group in results.values() for result in group for q in result.questions})
    path = folder / "scores.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        columns = ["points", "possible", "waiting_for_manual_grading", "problem"]
        writer.writerow(["assignment", "student", "status", *names, *columns])
        for assignment, group in results.items():
            for result in group:
                scores = [result.questions.get(name) for name in names]
                writer.writerow(
                    [assignment, result.student, result.status]
                    + ["" if score is None else score.points for score in scores]
                    + [result.points, result.possible]
                    + [sum(score.manual for score in scores if score), result.problem]
                )
    table = {name: [asdict(result) for result in group] for name, group in results.items()}
    text = json.dumps(table, indent=1, ensure_ascii=False) + "\n"
    (folder / "scores.json").write_text(text, encoding="utf-8")
    return path


def check_class_folder(folder: Path) -> None:
    """Raise UserError unless `folder` looks like STUDENT/UNIT/UNIT.ipynb."""
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder; give the folder that holds one per student.")
    if not any(folder.glob("*/*/*.ipynb")):
        raise UserError(
            f"{folder} holds no submission; it needs STUDENT/UNIT/UNIT.ipynb, such as "
            "ada/01_efficiency/01_efficiency.ipynb."
        )
