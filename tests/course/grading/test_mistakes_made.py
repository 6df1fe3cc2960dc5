"""What a teacher reads of a class: the points of each student, and the mistakes most often made."""

from course.grading.classes import QuestionScore, StudentResult, mistakes_made
from course.grading.tables import ScoreRow, score_table


def student(name, **mistakes):
    questions = {q: QuestionScore(0.0, 2.0, mistakes=made) for q, made in mistakes.items()}
    return StudentResult(name, "graded", questions)


def test_each_mistake_is_counted_once_a_student_and_the_most_frequent_comes_first():
    results = [
        student("ada", q1=("unsorted",), q2=()),
        student("bob", q1=("upper-middle",), q2=("counts",)),
        student("eve", q1=("unsorted",), q2=("counts", "of-the-largest")),
        student("fay", q2=("counts",)),
    ]
    assert mistakes_made(results) == [
        ("q2", "counts", 3),
        ("q1", "unsorted", 2),
        ("q1", "upper-middle", 1),
        ("q2", "of-the-largest", 1),
    ]
    assert mistakes_made([student("ada", q1=())]) == []


def test_points_wait_for_a_person_where_a_person_reads():
    rows = [
        ScoreRow(
            "[ada]", "graded", {"q1": QuestionScore(1.5, 2.0), "q2": QuestionScore(0, 3, True)}
        ),
        ScoreRow("bob", "graded", {"q2": QuestionScore(1.0, 3.0, manual=True)}),
        ScoreRow("eve", "missing", {}, as_expected=True),
    ]
    table = score_table("Medians", rows)
    cells = list(zip(*(list(column.cells) for column in table.columns), strict=True))
    assert [column.header for column in table.columns[2:5]] == ["q1\nof 2", "q2\nof 3", "Sum\nof 5"]
    assert [row[1:5] for row in cells] == [
        ("graded", "1.5", "?", "1.5"),
        ("graded", "none", "1+?", "1"),
        ("missing", "none", "none", "none"),
    ]
    assert cells[0][0] == r"\[ada]" and "yes" in cells[2][5]
