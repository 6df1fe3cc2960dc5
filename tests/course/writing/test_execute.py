import os

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course.writing.execute import run_notebook


def run(*sources, **options):
    nb = new_notebook(cells=[new_code_cell(source) for source in sources])
    return run_notebook(nb, **{"cell_seconds": 60, **options})


def test_outputs_time_and_memory():
    nb = new_notebook(cells=[new_markdown_cell("text"), new_code_cell("1 + 1")])
    calls = []
    done = run_notebook(nb, cell_seconds=60, on_cell=lambda *call: calls.append(call))
    assert done.ok
    assert done.notebook.cells[1].outputs[0].data["text/plain"] == "2"
    assert done.seconds > 0
    assert calls == [(0, 2), (1, 2)]
    assert nb.cells[1].outputs == []  # the notebook given is left as it is


def test_nothing_of_this_run_stays_in_the_metadata():
    done = run("1")
    assert "execution" not in done.notebook.cells[0].metadata
    assert "widgets" not in done.notebook.metadata


def test_peak_memory_counts_what_the_kernel_and_its_children_hold():
    hold = "import time; held = bytearray(b'x') * {}_000_000; time.sleep(0.5)"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold.format(200)!r}])"
    small, large, of_child = run("1").peak_mb, run(hold.format(300)).peak_mb, run(child).peak_mb
    # An idle kernel's own memory varies by some megabytes from run to run.
    assert 280 < large - small < 450
    assert 180 < of_child - small < 300


def test_the_first_error_ends_the_run_and_is_named():
    done = run("1", "1 / 0", "print('never')")
    assert done.error == "cell 2 raised ZeroDivisionError: division by zero"
    assert done.notebook.cells[2].outputs == []


def test_a_slow_cell_ends_the_run():
    assert "longer than 1 s" in run("while True: pass", cell_seconds=1).error


def test_a_dead_kernel_ends_the_run():
    assert "kernel died in cell 2" in run("1", "import os; os._exit(1)").error


def test_it_runs_in_an_empty_folder_with_the_widgets_exercised():
    done = run(
        "import os; sorted(os.listdir())",
        "os.environ['COURSE_EXERCISE_WIDGETS'], os.path.exists(os.environ['COURSE_PREDICTIONS'])",
    )
    assert done.notebook.cells[0].outputs[0].data["text/plain"] == "[]"
    assert done.notebook.cells[1].outputs[0].data["text/plain"] == "('1', False)"
    assert "COURSE_EXERCISE_WIDGETS" not in os.environ


def test_it_runs_in_the_folder_that_is_given(tmp_path):
    (tmp_path / "here.txt").write_text("")
    done = run("import os; os.listdir()", folder=tmp_path)
    assert done.notebook.cells[0].outputs[0].data["text/plain"] == "['here.txt']"
