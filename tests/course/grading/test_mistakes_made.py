from course.grading.classes import QuestionScore, StudentResult, mistakes_made


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
