"""Grade a class with nbgrader: every submission by itself, so that none can stop the others.

A submission ends in one of these states:

graded          every cell ran
timed out       a cell took too long; it counts as failed, the rest was graded
crashed         a cell ended the kernel; it counts as failed, and the rest was graded without it
needs a look    `problem` says why; it has points if it was certain what to grade
could not run   there was nothing to run, so there are no points, and `problem` says why

So a student loses the points of the question that went wrong, and the instructor sees that
something did.
"""

import csv
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from course.grading.intake import COULD_NOT_RUN, NEEDS_A_LOOK, READY, Submission
from course.writing.mistakes import AnswerBank, load_answers
from course.writing.units import Unit

GRADED = "graded"
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
    submissions: Iterable[Submission],
    *,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    feedback: bool = True,
    jobs: int = 2,
    on_result: Callable[[StudentResult], None] = lambda result: None,
) -> list[StudentResult]:
    """Grade the submissions of a unit, one result for each of them.

    The tests come from `root`/solutions; gradebook, graded notebooks and feedback go to
    `root`/grading. The submissions are taken one by one as they are needed, and written to
    `root`/grading/intake, from where nbgrader reads them. `settings` are nbgrader options for
    single students. `on_result` is told each result as it comes; the list is in the order of the
    students' names.
    """
    import joblib

    from course.grading.nbgrader_setup import Course

    intake = root.resolve() / "grading" / "intake"
    if intake.exists():
        shutil.rmtree(intake)
    common = {
        "CourseDirectory.submitted_directory": str(intake),
        "CourseDirectory.release_directory": "grading/release",  # leave assignments/ alone
    }
    Course(root, common).generate_assignment(unit.name)
    bank = load_answers(unit.mistakes_folder)
    results: list[StudentResult] = []
    taken: dict[str, Submission] = {}

    def add(result: StudentResult) -> None:
        on_result(result)
        results.append(result)

    def tasks() -> Iterator[Any]:
        for submission in submissions:
            taken[submission.student] = replace(submission, notebook=None)
            if submission.notebook is None:
                add(listed(submission))
                continue
            name = submission.student
            try:
                put_down(submission, intake)
            except OSError as error:  # raised here, it would end joblib's thread and all would wait
                problem = f"It cannot be written to {intake} ({error.strerror})."
                add(StudentResult(name, COULD_NOT_RUN, problem=problem))
                continue
            options = common | dict((settings or {}).get(name, {}))
            yield joblib.delayed(grade_student)(root, unit.name, name, options, feedback, bank)

    for result in joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")(tasks()):
        add(with_findings(result, taken[result.student]))
    return sorted(results, key=lambda result: result.student)


def put_down(submission: Submission, folder: Path) -> None:
    """Write a submission to `folder`/STUDENT/UNIT/UNIT.ipynb, with its time beside it."""
    path = folder / submission.student / submission.unit / f"{submission.unit}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(submission.notebook)
    if submission.submitted is not None:
        text = f"{submission.submitted:%Y-%m-%d %H:%M:%S.%f} UTC\n"
        (path.parent / "timestamp.txt").write_text(text, encoding="utf-8")


def listed(submission: Submission) -> StudentResult:
    """The result of a submission that there is nothing to run of."""
    problem = " ".join(submission.findings)
    return StudentResult(submission.student, submission.status, problem=problem)


def with_findings(result: StudentResult, submission: Submission) -> StudentResult:
    """A result that says what was found when its submission was read, if somebody must know."""
    if submission.status == READY:
        return result
    problem = " ".join([*submission.findings, result.problem]).strip()
    status = NEEDS_A_LOOK if result.status == GRADED else result.status
    return replace(result, status=status, problem=problem)


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
        status, questions, problem = COULD_NOT_RUN, {}, f"{type(error).__name__}: {error}"
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
    return (COULD_NOT_RUN if graded is None else status_of(graded)), questions


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
                sums = [result.points, result.possible, sum(s.manual for s in scores if s)]
                writer.writerow(
                    [assignment, result.student, result.status]
                    + ["" if score is None else score.points for score in scores]
                    + (sums if result.questions else [""] * len(sums))  # none is not 0
                    + [result.problem]
                )
    table = {name: [asdict(result) for result in group] for name, group in results.items()}
    text = json.dumps(table, indent=1, ensure_ascii=False) + "\n"
    (folder / "scores.json").write_text(text, encoding="utf-8")
    return path
