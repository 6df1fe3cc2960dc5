"""Grade a class with nbgrader: every submission by itself, so that none can stop the others.

A submission ends in one of these states:

graded          every cell ran
timed out       a cell took too long; it counts as failed, the rest was graded
crashed         a cell ended its process; it counts as failed, and the rest was graded without it
needs a look    `problem` says why; it has points if it was certain what to grade
could not run   there was nothing to run, so there are no points, and `problem` says why

So a student loses the points of the question that went wrong, and the instructor sees that
something did. What looks like an attempt on the grading is told in `problem`, whatever the state.
"""

import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from course.errors import UserError
from course.grading.intake import COULD_NOT_RUN, NEEDS_A_LOOK, READY, Submission
from course.grading.processes import CODE, alone, hash_of, hashed, in_turn
from course.writing.mistakes import AnswerBank, load_answers
from course.writing.units import Unit

GRADED = "graded"
ELSEWHERE = "elsewhere a virtual machine will do, or WSL"
SLACK = 3  # times a unit's seconds: several are graded at once, and not every machine is as fast
MOST_FLAGS = 3  # told of one submission; the graded notebook's metadata has them all
NO_ANSWERS = AnswerBank()  # no mistake is known by name
Task = tuple[Path, str, str, dict[str, Any], bool, AnswerBank, str]  # of grade_student


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

    @property
    def needs_a_look(self) -> bool:
        """Whether an instructor has something to decide, with points or without."""
        return bool(self.problem) or self.status in (NEEDS_A_LOOK, COULD_NOT_RUN)


def grade_class(
    unit: Unit,
    root: Path,
    submissions: Iterable[Submission],
    *,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    unsafe: bool = False,
    seed: str = "",
    feedback: bool = True,
    jobs: int = 2,
    scheduler: str = "",
    on_result: Callable[[StudentResult], None] = lambda result: None,
) -> list[StudentResult]:
    """Grade the submissions of a unit, one result for each of them.

    The tests come from `root`/solutions; gradebook, graded notebooks and feedback go to
    `root`/grading. The submissions are taken one by one as they are needed, and written to
    `root`/grading/intake, from where nbgrader reads them. `settings` are nbgrader options for
    single students. `on_result` is told each result as it comes; the list is in the order of the
    students' names.

    A cell, and the tests of a question, may take the unit's seconds, three times over. With a
    `seed`, hidden tests draw inputs of the class's own from it. With a `scheduler`, the workers of that Dask
    cluster judge, as many submissions at once as they can, whatever `jobs` is. Raises SandboxError, before
    anything is done, if students' code cannot be confined on this machine, unless it is `unsafe`, and
    UserError where it cannot be judged at all, or while another process grades in `root`.

    Nobody's cells run again if nothing has changed since they ran to the end: neither the submission,
    the solution, the options nor the code that grades. So a run that was ended goes on where it was.
    """
    if not can_judge():
        raise UserError(f"Grading takes Linux ({ELSEWHERE}).")
    if scheduler:
        from course.grading.cluster import ready

        jobs = ready(scheduler, unsafe)
        from course.grading.nbgrader_setup import Course
    else:
        from course.grading.judges import box_for

        box = box_for(unit.solution_notebook(root), unsafe)  # it imports while we do
        from course.grading.nbgrader_setup import Course

        box.ready()
    intake = root.resolve() / "grading" / "intake"
    common = {
        "CourseDirectory.submitted_directory": str(intake),
        "CourseDirectory.release_directory": "grading/release",  # leave assignments/ alone
        "JudgedExecute.seconds": SLACK * unit.assignment.max_seconds,
        "JudgedExecute.unsafe": unsafe,
        "JudgedExecute.seed": seed,
    }
    bank = load_answers(unit.mistakes_folder)
    grader = hash_of(unit.solution_notebook(root), *CODE)
    results: list[StudentResult] = []
    taken: dict[str, Submission] = {}
    aside: list[StudentResult] = []  # of what is not run, from joblib's thread, which must not fail

    def add(result: StudentResult) -> None:
        on_result(result)
        results.append(result)

    def tasks() -> Iterator[Task]:
        for submission in submissions:
            taken[submission.student] = replace(submission, notebook=None)
            if submission.notebook is None:
                aside.append(listed(submission))
                continue
            name = submission.student
            try:
                put_down(submission, intake)
            except OSError as error:  # raised here, it would end joblib's thread and all would wait
                problem = f"It cannot be written to {intake} ({error.strerror})."
                aside.append(StudentResult(name, COULD_NOT_RUN, problem=problem))
                continue
            options = common | dict((settings or {}).get(name, {}))
            made_of = [grader, repr(sorted(options.items())), str(submission.submitted)]
            key = hashed(*map(str.encode, made_of), submission.notebook)
            options |= {"JudgedExecute.scheduler": scheduler}  # by which no score changes
            yield root, unit.name, name, options, feedback, bank, key

    with alone(root / "grading"):
        if intake.exists():
            shutil.rmtree(intake)
        Course(root, common).generate_assignment(unit.name)
        for result in _results(tasks(), jobs):
            add(with_findings(result, taken[result.student]))
            while aside:
                add(aside.pop())
        for result in aside:
            add(result)
    return sorted(results, key=lambda result: result.student)


def _results(todo: Iterator[Task], jobs: int) -> Iterator[StudentResult]:
    """Results as they come. The threads of this process wait for others, which judge, at the same time;
    what else a submission takes one of them does after the other."""
    import joblib

    def tasks() -> Iterator[Any]:
        while True:
            with in_turn():
                task = next(todo, None)
            if task is None:
                return
            yield joblib.delayed(grade_student)(*task)

    parallel = joblib.Parallel(n_jobs=jobs, backend="threading", return_as="generator_unordered")
    yield from parallel(tasks())


def can_judge() -> bool:
    """Whether this system has what a judge needs: processes that fork, namespaces and limits."""
    return sys.platform.startswith("linux")


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
    key: str = "",
) -> StudentResult:
    """Grade one submission. Whatever goes wrong ends up in the result, never in an exception:
    three hundred submissions are graded in one go, and some are broken in new ways.

    Its cells are not run if they have been run for the same `key`; the scores are read again."""
    from course.grading.gradebook import settled
    from course.grading.nbgrader_setup import kept_course

    with in_turn():
        started = time.monotonic()
        try:
            course = kept_course(root, settings)
            # Beside the graded notebook, which nbgrader deletes, and all else there, before it begins.
            done = course.root / "grading" / "autograded" / student / assignment / "graded.txt"
            again = not key or not done.is_file() or done.read_text() != key
            problem = None
            if again:
                with settled(course.root, assignment, student):
                    problem = course.autograde(assignment, student)
            status, questions, flags = _read_scores(
                course, assignment, student, failed=bool(problem), bank=bank
            )
            if feedback and not problem:
                problem = course.generate_feedback(assignment, student)
            if again and key and not problem:
                done.write_text(key)
            if flags:
                status = NEEDS_A_LOOK if status == GRADED else status
                problem = " ".join(filter(None, [problem, _told(flags)]))
        except Exception as error:
            status, questions, problem = COULD_NOT_RUN, {}, f"{type(error).__name__}: {error}"
    return StudentResult(student, status, questions, problem or "", time.monotonic() - started)


def _read_scores(
    course: Any, assignment: str, student: str, failed: bool, bank: AnswerBank
) -> tuple[str, dict[str, QuestionScore], list[str]]:
    """Points from the gradebook, reasons and the judge's flags from the graded notebook."""
    from course.grading.warm import open_gradebook
    from course.proving.scores import score_notebook, status_of
    from course.writing.notebooks import question_of, read_notebook

    path = course.root / "grading" / "autograded" / student / assignment / f"{assignment}.ipynb"
    graded = None if failed or not path.is_file() else read_notebook(path)
    reasons = {} if graded is None else score_notebook(graded)
    questions: dict[str, QuestionScore] = {}
    with open_gradebook(course.db_url) as gradebook:
        for name, grade in gradebook.grades_of(assignment, assignment, student).items():
            name = question_of(name)
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
    if graded is None:
        return COULD_NOT_RUN, questions, []
    return status_of(graded), questions, graded.metadata["course"]["flags"]


def _told(flags: Sequence[str]) -> str:
    rest = f" (and {len(flags) - MOST_FLAGS} more)" if len(flags) > MOST_FLAGS else ""
    return f"Look at its code: {'; '.join(flags[:MOST_FLAGS])}{rest}."


def mistakes_made(results: Iterable[StudentResult]) -> list[tuple[str, str, int]]:
    """Question, named mistake, and how many students made it, the most frequent first."""
    counts = Counter(
        (question, mistake)
        for result in results
        for question, score in result.questions.items()
        for mistake in score.mistakes
    )
    return [(*made, count) for made, count in counts.most_common()]
