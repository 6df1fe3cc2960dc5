"""Every gate is green for the tiny unit, and red, with a message, for a unit broken in its way."""

import shutil
from dataclasses import replace

import pytest
from nbformat.v4 import new_notebook, new_output

from course.proving import gates as check
from course.proving.gates import GATES, Workbench, check_unit
from course.writing.execute import Execution
from course.writing.mistakes import AnswerBank, Attempt, Mistake
from course.writing.notebooks import grade_id, read_notebook, write_notebook

HIDDEN_Q2 = """### BEGIN HIDDEN TESTS
assert "fsum" not in shares.__code__.co_names, "Write it: you call math.fsum."
assert math.isclose(sum(shares([1, 2, 4])), 1), "The shares must add up to one."
try:
    nothing = shares([0, 0])
except ZeroDivisionError:
    raise AssertionError("With no counts at all you divide by zero.")
### END HIDDEN TESTS
"""
LONG = "\n".join(f"x{i} = {i}" for i in range(26))
CONTROLS = """least = min(values)

# %%
def draw(bits):
    return helper(bits)


def helper(bits):
    return least + bits


explore(draw, lambda bits: "a line", bits=IntSlider())

# %%
[least for least in values]

# %%
least = max(values)
"""
LIBRARY_Q1 = """name="calls-the-library",
        misconception="Calling it is writing it.",
        code=\"\"\"
import statistics"""


def test_every_gate_passes_the_tiny_unit(built_unit):
    results = check_unit(built_unit)
    assert {result.gate: result.problems for result in results} == {
        gate.__name__.replace("_", " "): () for gate in GATES
    }
    assert len(results) == 21


# What breaks what: the gate, the change (file, old, new), a part of the message.
WRITTEN = [
    (check.well_formed, ("exercise", '"q2_test"', '"q1_test_hidden"'), "Two cells have the grade"),
    (check.well_formed, ("exercise", HIDDEN_Q2, ""), "q2 has no hidden test"),
    (check.well_formed, ("exercise", '"grade_id": "q2"', '"grade_id": "q2_a"'), "grade id is 'q2'"),
    (check.well_formed, ("exercise", '"points": 3', '"points": 0'), "tests of q2 give no points"),
    (check.answers_listed, ("mistakes", 'name="unsorted"', 'name="upper-middle"'), "there twice"),
    (check.answers_listed, ("mistakes", 'message="not the count"', 'message=" "'), "empty message"),
    (check.rubrics_written, ("rubric", "[q3", "[q2"), "q3 is a written question without a rubric"),
    (check.rubrics_written, ("rubric", "[q3", "[q2"), "q2 is no written question"),
    (check.rubrics_written, ("rubric", "points = 2", "points = 1"), "q3 give 1 points, and the q"),
    (
        check.times_told,
        ("exercise", "| 2 | shares | 4 | 3 |", "| 2 | shares | 5 | 3 |"),
        "q2 has 5 minutes and 3 points in the table, 4 minutes and 3 points above the question and 3",
    ),
    (check.times_told, ("exercise", "| 2 | shares | 4 | 3 |", ""), "q2 has no row in the table"),
    (
        check.times_told,
        ("exercise", "# *4 minutes, 3 points*", ""),
        "q2 says no minutes and points",
    ),
    (
        check.times_told,
        ("unit", "minutes = 10", "minutes = 12"),
        "add up to 10 minutes, and unit.t",
    ),
    (
        check.own_work_watched,
        ("exercise", "own_work(shares)", "shares"),
        "q2_test runs the answer without",
    ),
    (check.short_cells, ("exercise", "import math", LONG), "exercise.py: cell 2 has 26 lines"),
    (
        check.short_cells,
        ("exercise", "import math\n", f"import math\n\n# %%\n{LONG}\n"),
        "26 lines",
    ),
    (check.short_cells, ("lecture", "print(sorted(values)[1])", LONG), "lecture.py: cell 5 has 26"),
    (
        check.controls_keep_drawing,
        ("lecture", "print(sorted(values)[1])", CONTROLS),
        "Cell 6 has controls whose picture reads 'least', and cell 8 binds it anew.",
    ),
    (check.no_emoji, ("lecture", "# # Medians", "# # Medians \U0001f600"), "lecture.py:2 has an"),
    (check.no_emoji, ("unit", "Medians", "Medians \u2713"), "unit.toml:1 has an emoji"),
    (check.alt_text, ("lecture", "![The middle one of five sorted values]", "![]"), "cell 1 shows"),
    (check.alt_text, ("exercise", "# # Medians: exercises", "# <img src='a.png'>"), "cell 1 shows"),
    (check.alt_text, ("exercise", "# # Medians: exercises", '# <img alt=" " src="a">'), "cell 1"),
    (check.alt_text, ("exercise", "# # Medians: exercises", '# <img alt="" src="a">'), "cell 1"),
]
VISIBLE_Q1 = """"points": 0}
assert own_work(median)([1, 2, 3]) == 2, "The median of 1, 2, 3 is 2."
"""
UNSORTED = "    return (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2\n"
UPPER = "    return sorted(values)[len(values) // 2]\n"
RIGHT = """    ordered = sorted(values)
    return (ordered[(len(values) - 1) // 2] + ordered[len(values) // 2]) / 2
"""
ANSWERED = [
    (
        check.solution_passes,
        ("exercise", "return (low + high) / 2", "return low"),
        "The solution gets 0 of 2 points for q1: With an even number",
    ),
    (
        check.release_scores_zero,
        ("exercise", VISIBLE_Q1, '"points": 1}\nassert callable(median)\n'),
        "The untouched release gets 1 of 3 points for q1",
    ),
    (
        check.mistakes_fail,
        ("mistakes", UPPER, RIGHT),
        "q1/upper-middle gets full marks: no test catches it",
    ),
    (
        check.mistakes_fail,
        ("exercise", VISIBLE_Q1, VISIBLE_Q1.replace("0}", "1}")),
        "q1/unsorted keeps 1 of 3 points: a test of q1 that gives points misses it",
    ),
    (
        check.mistakes_recognised,
        ("mistakes", 'message="divide by zero"', 'message="mind the gap"'),
        "q2/divides-by-zero is not recognised: its message is 'mind the gap', and the check said ' With",
    ),
    (
        check.questions_stand_alone,
        ("exercise", "    total = sum(counts)", "    total = median([1]) * sum(counts)"),
        "With no other question answered, the solution gets 0 of 3 points for q2: NotImplemented",
    ),
    (
        check.answers_keep_apart,
        ("mistakes", UNSORTED, f"{UNSORTED}\n\nown_work = None\n"),
        "In a notebook with q1/unsorted, q2 gets 0 points (\"TypeError: 'NoneType'",
    ),
    (
        check.answers_keep_apart,
        ("mistakes", "    ordered, n =", "    math.isclose = None\n    ordered, n ="),
        "In a notebook with q1/two-halves, q2 gets 0 points (",
    ),
    (
        check.alternatives_pass,
        ("mistakes", "count / max(sum(counts), 1)", "count"),
        "The alternative q2/loop gets 0 of 3 points for q2: A share is a part of the total",
    ),
]
LAST = "print(sorted(values)[1])"
ALT = '"image/png": {"alt": "One grey pixel"}'
UNDER = """from utils import plots
figure, axes = plots.style.plt.subplots()
axes.plot([0, 1], [0, 1], label="rising")
axes.legend(loc="upper right")
plots.show(figure, alt="A rising line.")"""
SHOW = f"display(picture, metadata={{{ALT}}}, raw=True)"
EXECUTED = [
    (check.runs_in_budget, ("lecture", LAST, "1 / 0"), "The lecture does not run: cell 5 raised Z"),
    (check.runs_in_budget, ("lecture", LAST, UNDER), "the legend ['rising'] lies over what is dr"),
    (check.runs_in_budget, ("unit", "max_seconds = 120", "max_seconds = 0.01"), "budget is 0.01 s"),
    (
        check.runs_in_budget,
        ("exercise", "import math", "1 / 0"),
        "The solution does not run: cell 2",
    ),
    (check.runs_in_budget, ("unit", "max_mb = 1000\n[as", "max_mb = 9\n[as"), "budget is 9 MB"),
    (check.alt_text, ("lecture", SHOW, "display(picture, raw=True)"), "image/png of cell 3 has no"),
    (check.alt_text, ("lecture", ALT, '"image/png": {"alt": " "}'), "image/png of cell 3 has no"),
    (
        check.alt_text,
        ("lecture", LAST, "display({'text/html': '<img src=x>'}, raw=True)"),
        "HTML of",
    ),
    (check.static_widgets, ("lecture", "view | picture", "view"), "cell 4 shows a widget without"),
    (check.quiet_lecture, ("lecture", LAST, "import warnings; warnings.warn('loud')"), "cell 5 wr"),
]


def broken(make_unit, change):
    file, old, new = change
    return make_unit(**{file: (old, new)})


@pytest.mark.parametrize("gate, change, message", WRITTEN)
def test_gates_on_what_is_written(make_unit, gate, change, message):
    bench = Workbench(broken(make_unit, change))
    bench.lecture_run = Execution(bench.lecture, 0, 0, None)
    problems = gate(bench)
    assert any(message in problem for problem in problems), problems


@pytest.mark.parametrize("gate, change, message", ANSWERED)
def test_gates_on_answers(make_unit, gate, change, message):
    problems = gate(Workbench(broken(make_unit, change)))
    assert any(message in problem for problem in problems), problems


QUESTION_2 = "# %% [markdown]\n# ## Question 2\n"


@pytest.mark.parametrize(
    "demonstration, needed", [("print(median([1, 2]))", False), ("from math import fsum", True)]
)
def test_cells_that_no_test_needs_are_not_run_with_every_round(make_unit, demonstration, needed):
    test = "assert own_work(shares)([1, 3])[0] != 1"
    unit = make_unit(exercise=(QUESTION_2, f"# %%\n{demonstration}\n\n{QUESTION_2}"))
    source = unit.exercise_source.read_text(encoding="utf-8")
    if needed:
        unit.exercise_source.write_text(source.replace(test, f"fsum([1])\n{test}"), "utf-8")
    bench = Workbench(unit)
    assert (demonstration in [cell.source for cell in bench.lean.cells]) is needed
    assert check.solution_passes(bench) == check.answers_keep_apart(bench) == []


@pytest.mark.parametrize("gate, change, message", EXECUTED)
def test_gates_on_what_comes_out(make_unit, gate, change, message):
    problems = gate(Workbench(broken(make_unit, change)))
    assert any(message in problem for problem in problems), problems


def add_to_release(unit, change):
    nb = read_notebook(unit.release_notebook())
    change(nb)
    write_notebook(nb, unit.release_notebook())


def answer_cell(nb):
    return next(cell for cell in nb.cells if "median(values)" in cell.source)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda nb: nb.metadata.update(widgets={}), "saved widget state"),
        (lambda nb: nb.cells[1].update(execution_count=3), "cell 2 has been run"),
        (lambda nb: nb.cells[1].outputs.append(new_output("stream", text="x")), "has been run"),
        (lambda nb: nb.cells[0].update(source="### BEGIN SOLUTION"), "cell 1 shows a BEGIN"),
        (lambda nb: nb.cells[0].update(source="# END HIDDEN TESTS"), "cell 1 shows a BEGIN or END"),
        (
            lambda nb: answer_cell(nb).update(
                source="def median(values):\n  ordered = sorted(values)"
            ),
            "text of a solution or hidden test: 'ordered = sorted(values)'",
        ),
        (
            lambda nb: nb.cells[-2].update(source="    nothing = shares([0, 0])"),
            "text of a solution or hidden test: 'nothing = shares([0, 0])'",
        ),
        (
            lambda nb: nb.cells[-1].update(
                source="The median withstands outliers, unlike the mean of the sample."
            ),
            "text of a solution or hidden test",
        ),
    ],
)
def test_the_release_gives_nothing_away(built_unit, change, message):
    add_to_release(built_unit, change)
    (problem,) = check.clean_release(Workbench(built_unit))
    assert message in problem


@pytest.mark.parametrize("name", ["reference.py", ".solution", "data/x.tsv"])
def test_a_stray_file_beside_the_release(built_unit, name):
    stray = built_unit.release_notebook().parent / name
    stray.parent.mkdir(exist_ok=True)
    stray.write_text("")
    (problem,) = check.clean_release(Workbench(built_unit))
    assert f"{name} is not part of the release" in problem


def test_notebooks_that_do_not_match_their_sources(built_unit):
    text = built_unit.exercise_source.read_text()
    built_unit.exercise_source.write_text(text.replace("Question 1", "Question one"))
    problems = check.up_to_date(Workbench(built_unit))
    assert ["solutions" in problems[0], "assignments" in problems[1]] == [True, True]
    shutil.rmtree(built_unit.release_notebook().parent)
    assert any("does not exist" in p for p in check.up_to_date(Workbench(built_unit)))


def test_the_lecture_in_the_repository_is_looked_at_too(built_unit):
    nb = read_notebook(built_unit.lecture_notebook())
    nb.cells[2].outputs[0].metadata = {}
    nb.cells[4].outputs.append(new_output("stream", name="stderr", text="careful"))
    write_notebook(nb, built_unit.lecture_notebook())
    bench = Workbench(built_unit, run=False)
    assert "cell 3 has no alternative text" in check.alt_text(bench)[0]
    assert "cell 5 writes to stderr: 'careful'" in check.quiet_lecture(bench)[0]


def test_a_mistake_that_never_ends_must_say_so(make_unit):
    bench = Workbench(make_unit())
    (check_cell,) = [c for c in bench.solution.cells if grade_id(c) == "q2_test"]
    said = "Your idea.\n  got: still running after 5 seconds"
    check_cell.outputs = [new_output("error", ename="AssertionError", evalue=said, traceback=[])]
    nb = new_notebook(cells=[check_cell])

    def problems(seconds):
        mistake = Mistake("slow", "b", "Your idea.", "x = 1", seconds=seconds, question="q2")
        bench.bank = AnswerBank((mistake,))
        bench.tried = {Attempt("q2", "slow", "x = 1", mistake): nb}
        return check.mistakes_recognised(bench)

    assert "q2/slow never ends on some input" in problems(None)[0]
    assert problems(1.0) == []


def test_no_library_needs_a_reason(make_unit):
    one = ("mistakes", LIBRARY_Q1, LIBRARY_Q1.replace("calls-the-library", "other"))
    bench = Workbench(broken(make_unit, one))
    assert 'q1 has no mistake "calls-the-library"' in check.answers_listed(bench)[0]
    source = bench.unit.mistakes_folder / "q1.py"
    source.write_text(source.read_text() + "\nNO_LIBRARY = 'Nobody has written one.'\n")
    assert check.answers_listed(Workbench(bench.unit)) == []


def test_answers_to_a_question_that_is_not_there(make_unit):
    bench = Workbench(make_unit())
    folder = bench.unit.mistakes_folder
    (folder / "q2.py").rename(folder / "q7.py")
    assert "q7, which has no tests" in check.answers_listed(bench)[0]


def test_a_mistake_that_says_no_answer_is_named(make_unit):
    bench = Workbench(make_unit())
    first, *others = bench.bank.mistakes
    for nothing in ("", " \n"):
        bench.bank = replace(bench.bank, mistakes=(replace(first, code=nothing), *others))
        assert check.answers_listed(bench) == [
            "The mistake q1/unsorted has no code, changes or variants."
        ]


def test_too_few_mistakes_and_no_alternative(make_unit):
    bench = Workbench(make_unit())
    mistakes, alternatives = bench.bank.mistakes, bench.bank.alternatives
    bench.bank = type(bench.bank)(mistakes[1:], alternatives[1:])
    problems = check.answers_listed(bench)
    assert problems == [
        "q1 has 2 mistakes; write at least 3.",
        "q1 has no alternative answer; write at least one.",
    ]


def test_a_unit_that_cannot_be_read_is_red_and_not_a_traceback(make_unit):
    unit = make_unit()
    shutil.rmtree(unit.mistakes_folder)
    results = check_unit(unit, run=False)
    problems = {result.gate: result.problems for result in results}
    assert "mistakes holds no q1.py" in problems["answers listed"][0]
    assert "mistakes holds no q1.py" in problems["mistakes fail"][0]
    assert problems["well formed"] == ()
