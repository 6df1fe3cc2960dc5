"""What became of every submission, kept in the gradebook, and read from it again.

nbgrader's tables hold the points, those that a person gave among them. They have no place for a
submission's status, for what an instructor must look at, or for why points were lost; these stand in
one more table, which nbgrader leaves alone. All that is written of a class is written from all of it,
whichever submissions were graded last.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from course.grading.classes import QuestionScore, StudentResult
from course.grading.gradebook import GRADES, gradebook_of, graded_notebook, opened
from course.grading.intake import COULD_NOT_RUN
from course.proving.scores import score_notebook, status_of
from course.writing.notebooks import question_of

TABLE = """create table if not exists course_result (
    assignment text, student text, status text, problem text, seconds real, told text,
    primary key (assignment, student)
)"""
SCORES = f"""
select assignment.name, submitted_assignment.student_id, base_cell.name, grade_cells.max_score,
       coalesce(manual_score, auto_score, 0) + coalesce(extra_credit, 0),
       needs_manual_grade, manual_score is not null {GRADES}
"""
BEFORE = "The points are those of an earlier hand-in."
UNFINISHED = "Its grading was ended before it was done; run the command again."
BY_HAND = "A person gave these points."

Questions = dict[str, QuestionScore]


def keep(root: Path, assignment: str, results: Iterable[StudentResult]) -> None:
    """Note in the gradebook of `root` what became of these submissions, in place of what stood there
    of the same students. The points are there already."""
    with opened(root) as book:
        book.execute(TABLE)
        book.executemany(
            "insert or replace into course_result values (?, ?, ?, ?, ?, ?)",
            [
                (assignment, r.student, r.status, r.problem, r.seconds, _told(r.questions))
                for r in results
            ],
        )


def all_results(root: Path) -> dict[str, list[StudentResult]]:
    """Every submission that was ever graded or listed in `root`, by assignment and student."""
    if not gradebook_of(root).is_file():
        return {}
    with opened(root) as book:
        book.execute(TABLE)
        kept = {row[:2]: row[2:] for row in book.execute("select * from course_result")}
        scores: dict[tuple[str, str], Questions] = {}
        for assignment, student, name, possible, points, waits, by_hand in book.execute(SCORES):
            of_student = scores.setdefault((assignment, student), {})
            question = question_of(name)
            old = of_student.get(question, QuestionScore(0.0, 0.0))
            of_student[question] = QuestionScore(
                old.points + points,
                old.possible + possible,
                old.manual + (possible if waits else 0.0),
                BY_HAND if by_hand and not waits else old.reason,
            )
    found: dict[str, list[StudentResult]] = {}
    for assignment, student in sorted(kept.keys() | scores.keys()):
        questions = scores.get((assignment, student), {})
        if (assignment, student) in kept:
            result = _from_kept(student, questions, *kept[assignment, student])
        else:
            result = _from_notebook(root, assignment, student, questions)
        found.setdefault(assignment, []).append(result)
    return found


def _from_kept(
    student: str, questions: Questions, status: str, problem: str, seconds: float, told: str
) -> StudentResult:
    reasons = json.loads(told)
    if status == COULD_NOT_RUN and not reasons and questions:
        problem = f"{problem} {BEFORE}"
    explained = {
        name: _explained(score, *reasons.get(name, ("", ()))) for name, score in questions.items()
    }
    return StudentResult(student, status, explained, problem, seconds)


def _from_notebook(
    root: Path, assignment: str, student: str, questions: Questions
) -> StudentResult:
    """Of a submission that nbgrader alone has graded, or whose grading was ended from outside."""
    graded = graded_notebook(root, assignment, student)
    if graded is None:
        return StudentResult(student, COULD_NOT_RUN, questions, UNFINISHED)
    reasons = {name: score.reason for name, score in score_notebook(graded).items()}
    explained = {
        name: _explained(score, reasons.get(name, "")) for name, score in questions.items()
    }
    return StudentResult(student, status_of(graded), explained)


def _explained(score: QuestionScore, reason: str, mistakes: Iterable[str] = ()) -> QuestionScore:
    """A question's score with why points are missing, if any are."""
    if score.points >= score.possible:
        return replace(score, reason="")
    return replace(
        score, reason=" ".join(filter(None, [reason, score.reason])), mistakes=tuple(mistakes)
    )


def _told(questions: Questions) -> str:
    return json.dumps({name: (s.reason, s.mistakes) for name, s in questions.items()})
