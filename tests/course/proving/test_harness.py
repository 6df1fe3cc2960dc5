import os
import threading

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course.errors import UserError
from course.proving.harness import Answer, run_answers, run_variants


def run(*sources, folder=None, cell_seconds=30):
    cells = [new_markdown_cell("text"), *(new_code_cell(source) for source in sources)]
    (done,) = run_variants([new_notebook(cells=cells)], cell_seconds=cell_seconds, folder=folder)
    return [cell.outputs for cell in done.cells[1:]]


def errors(outputs):
    return [(o.ename, o.evalue) for o in outputs if o.output_type == "error"]


def stream(outputs, name):
    return "".join(o.text for o in outputs if o.output_type == "stream" and o.name == name)


def test_cells_share_a_namespace_and_go_on_after_an_error():
    first, second, third = run("a = 2", "1 / 0", "a + 1")
    assert first == []
    assert errors(second) == [("ZeroDivisionError", "division by zero")]
    assert third[-1].data["text/plain"] == "3"


def test_a_syntax_error_is_an_error():
    (outputs, after) = run("def f(:", "1;")
    assert errors(outputs)[0][0] == "SyntaxError"
    assert errors(after) == []


@pytest.mark.parametrize(
    "source",
    [
        "import warnings; warnings.warn('careful')",
        "import sys; print('careful', file=sys.stderr)",
        "import logging; logging.warning('careful')",
        "import os; os.system('echo careful >&2');",
        "import os; os.write(2, b'careful');",
    ],
)
def test_what_goes_to_stderr_is_kept_apart(source):
    (outputs,) = run(source)
    assert "careful" in stream(outputs, "stderr")
    assert "careful" not in stream(outputs, "stdout")


def test_stdout_of_each_cell():
    one, two = run("print('one')", "print('two')")
    assert (stream(one, "stdout"), stream(two, "stdout")) == ("one\n", "two\n")


@pytest.mark.parametrize(
    "loop",
    [
        "while True: pass",
        "while True:\n    try:\n        while True: pass\n    except Exception: pass",
        "import time; time.sleep(60)",
        "try:\n    while True: pass\nexcept: pass",
        "try:\n    while True: pass\nfinally:\n    raise ValueError('hidden')",
    ],
)
def test_a_cell_that_does_not_end_is_stopped_and_the_rest_runs(loop):
    slow, after = run(loop, "'after'", cell_seconds=2)
    assert errors(slow) == [("CellTimeoutError", "this cell took longer than 2 s")]
    assert after[-1].data["text/plain"] == "'after'"


@pytest.mark.parametrize("end", ["import os; os._exit(1)", "import os; os.abort()"])
def test_a_cell_that_ends_the_process_is_left_out_and_the_rest_runs(end):
    before, crash, after = run("a = 1", end, "a")
    assert errors(crash) == [("KernelDied", "this cell ended the kernel")]
    assert (before, after[-1].data["text/plain"]) == ([], "1")


def test_a_notebook_that_crashes_everywhere_is_given_up():
    outputs = run(*["import os; os._exit(1)"] * 9)
    assert all(errors(cell)[0][0] == "KernelDied" for cell in outputs)
    assert "not run" in errors(outputs[-1])[0][1]


def test_magics_displays_and_plots_work():
    outputs = run(
        "%matplotlib inline\nimport matplotlib.pyplot as plt",
        "plt.plot([1, 2]); plt.show()",
        "from IPython.display import HTML, display\ndisplay(HTML('<b>x</b>'))",
        "%%time\nb = 1",
    )
    assert [errors(cell) for cell in outputs] == [[]] * 4
    assert [stream(cell, "stderr") for cell in outputs] == [""] * 4


def test_nothing_is_run_after_the_last_test():
    test = {"nbgrader": {"grade": True, "solution": False}}
    cells = [new_code_cell("1"), new_code_cell("2", metadata=test), new_code_cell("3")]
    (done,) = run_variants([new_notebook(cells=cells)], cell_seconds=30)
    assert [bool(cell.outputs) for cell in done.cells] == [True, True, False]


@pytest.mark.parametrize("method, use", [("__str__", "raise Bad"), ("__repr__", "Bad()")])
def test_what_cannot_be_shown_does_not_end_the_run(method, use):
    source = f"class Bad(Exception):\n    def {method}(self): raise ValueError\n{use}"
    outputs, after = run(source, "1")
    assert outputs
    assert after[-1].data["text/plain"] == "1"


def test_it_runs_in_a_copy_of_the_folder(tmp_path):
    (tmp_path / "data.txt").write_text("given")
    source = "open('data.txt').read(), open('new.txt', 'w').write('x')"
    (outputs,) = run(source, folder=tmp_path)
    assert outputs[-1].data["text/plain"] == "('given', 1)"
    assert [p.name for p in tmp_path.iterdir()] == ["data.txt"]


def test_variants_do_not_see_each_other_and_keep_their_order():
    nbs = [
        new_notebook(cells=[new_code_cell(f"import math; old = math.pi; math.pi = {n}; old, {n}")])
        for n in range(6)
    ]
    done = run_variants(nbs, cell_seconds=30)
    shown = [nb.cells[0].outputs[-1].data["text/plain"] for nb in done]
    assert shown == [f"(3.141592653589793, {n})" for n in range(6)]
    assert all(nb.cells[0].outputs == [] for nb in nbs)


def test_one_thread_for_numpy_and_torch_as_they_are_imported_once():
    (outputs,) = run("import sys, torch; torch.get_num_threads(), 'sklearn' in sys.modules")
    assert outputs[-1].data["text/plain"] == "(1, True)"
    assert threading.active_count() < 10


def cell(source, name, **flags):
    flags = {"grade": False, "solution": False} | flags
    return new_code_cell(source, metadata={"nbgrader": {"grade_id": name, **flags}})


def assignment(setup="start = [1]", between="kept = start"):
    return new_notebook(
        cells=[
            new_code_cell(setup),
            cell("a = 1", "q1", solution=True),
            new_code_cell("helper = 10"),
            cell("start.append(a); (a + helper, start)", "q1_test", grade=True),
            new_code_cell(between),
            cell("b = 2", "q2", solution=True),
            cell("(a, b, kept, __import__('os').getpid())", "q2_test", grade=True),
            new_code_cell("1 / 0"),
        ]
    )


def shown(nb):
    return [cell.outputs[-1].data["text/plain"] for cell in nb.cells if cell.outputs]


@pytest.mark.parametrize("jobs", [1, 3])
def test_an_answer_meets_what_stands_above_it_and_its_own_tests(jobs):
    answers = [Answer("q1", f"a = {n}", 30) for n in (5, 6)] + [Answer("q2", "b = 7", 30)]
    nb = assignment()
    first, second, third = run_answers(nb, answers, cell_seconds=30, jobs=jobs)
    assert [c.source for c in first.cells] == ["a = 5", "helper = 10", nb.cells[3].source]
    assert (shown(first), shown(second)) == (["(15, [1, 5])"], ["(16, [1, 6])"])
    assert shown(third)[0].startswith("(1, 7, [1], ")  # no test of question 1 has run
    assert [c.metadata for c in third.cells] == [nb.cells[5].metadata, nb.cells[6].metadata]
    assert not any(cell.outputs for cell in nb.cells)


def test_answers_that_end_or_block_their_process_stop_no_other():
    codes = ["import os; os._exit(1)", "while True:\n    pass", "1 / 0", "b = 3"]
    answers = [Answer("q2", code, 30 if code[0] != "w" else 1) for code in codes]
    done = run_answers(assignment(), answers, cell_seconds=30, jobs=1)
    assert [errors(nb.cells[0].outputs) for nb in done] == [
        [("KernelDied", "this cell ended the kernel")],
        [("CellTimeoutError", "this cell took longer than 1 s")],
        [("ZeroDivisionError", "division by zero")],
        [],
    ]
    assert [errors(nb.cells[1].outputs)[:1] for nb in done[:2]] == [
        [("NameError", "name 'b' is not defined")]
    ] * 2
    assert shown(done[3])[0].startswith("(1, 3, [1], ")


@pytest.mark.parametrize(
    "between, message",
    [
        ("import os; os._exit(1)", "a cell above them ends its process"),
        (
            "import threading, time; threading.Thread(target=time.sleep, args=(99,), name='ticker').start()",
            r"leaves a thread running \(ticker\)",
        ),
    ],
)
def test_answers_below_a_cell_that_cannot_be_forked(between, message):
    nb = assignment(between=between)
    with pytest.raises(UserError, match=message):
        run_answers(nb, [Answer("q2", "b = 3", 30)], cell_seconds=30)
    assert shown(run_answers(nb, [Answer("q1", "a = 3", 30)], cell_seconds=30)[0])


def test_gradients_above_and_in_an_answer():
    """PyTorch refuses gradients in a fork of a process that has started threads for them."""
    step = "import torch; w = torch.ones(9, requires_grad=True); (w @ w).backward(); w.grad.sum()"
    (done,) = run_answers(assignment(step), [Answer("q2", step, 60)], cell_seconds=60)
    assert done.cells[0].outputs[-1].data["text/plain"] == "tensor(18.)"


def test_an_answer_to_no_question():
    with pytest.raises(UserError, match="No cell has the grade id 'q7'"):
        run_answers(assignment(), [Answer("q7", "", 30)], cell_seconds=30)


def test_the_environment_of_this_process_is_left_alone(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    (outputs,) = run("import os; os.environ['NBGRADER_EXECUTION'], os.environ['OMP_NUM_THREADS']")
    assert outputs[-1].data["text/plain"] == "('autograde', '1')"
    assert os.environ["OMP_NUM_THREADS"] == "3" and "NBGRADER_EXECUTION" not in os.environ
