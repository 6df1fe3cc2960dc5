"""Run an assignment without a Jupyter kernel, fast enough to try every wrong answer of a unit.

A kernel takes six to eight seconds to start, import and stop; a unit has some forty variants. Here
one server process imports the heavy libraries once (`PRELOAD`), and every variant runs in a fork of
it, cell by cell in an IPython shell, as nbgrader would run it: it goes on after an error, a cell
has a time limit, and what a cell writes to stderr is kept. It stops after the last test, since no
cell below changes a score. The outputs go into the notebook's cells so that nbgrader's own
`determine_grade` scores them. `tests/course/test_grading.py` proves that this and nbgrader give the
same scores to the whole demo class.
"""

import multiprocessing
import os
import pkgutil
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from traitlets.config import Config

import utils
from course.writing.notebooks import is_test

PRELOAD = (
    "course.proving.harness",
    "IPython.core.interactiveshell",
    "numpy",
    "scipy.sparse",
    "matplotlib.pyplot",
    "matplotlib_inline.backend_inline",
    "sklearn.linear_model",
    "sklearn.feature_extraction.text",
    "sklearn.metrics",
    "torch",
    "ipywidgets",
    *(f"utils.{module.name}" for module in pkgutil.iter_modules(utils.__path__)),
)
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
}
MAX_RESTARTS = 6  # as c.TolerantExecute.max_restarts in nbgrader_config.py
STARTUP_SECONDS = 300  # for the first libraries to be imported, on a busy machine
READY = "ready"
CRASHED, TIMED_OUT = "KernelDied", "CellTimeoutError"


def run_variants(
    notebooks: Sequence[NotebookNode],
    *,
    cell_seconds: float,
    folder: Path | None = None,
    jobs: int = 2,
    preload: Sequence[str] = PRELOAD,
) -> list[NotebookNode]:
    """Copies of the notebooks, each run in a process of its own up to its last test (or to its end
    if it has none), with the outputs of their cells.

    Each runs in a temporary copy of `folder` (or an empty one). A cell that ends its process counts
    as failed and the notebook is run again without it, as our nbgrader does. `preload` has an
    effect only until the server process has started.
    """
    # The server process inherits the environment it is started with, and torch and OpenBLAS read
    # their thread counts from it.
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(lambda nb: _run(context, nb, cell_seconds, folder), notebooks))


def _run(context: Any, nb: NotebookNode, seconds: float, folder: Path | None) -> NotebookNode:
    nb = deepcopy(nb)
    end = max((i + 1 for i, cell in enumerate(nb.cells) if is_test(cell)), default=len(nb.cells))
    code = [i for i, cell in enumerate(nb.cells[:end]) if cell.cell_type == "code"]
    failed: dict[int, list[NotebookNode]] = {}
    for _ in range(MAX_RESTARTS + 1):
        sources = [(i, nb.cells[i].source) for i in code if i not in failed]
        outputs, running = _run_once(context, sources, seconds, folder)
        outputs |= failed
        if running is None:
            break
        failed[running] = [_error(CRASHED, "this cell ended the kernel")]
        outputs[running] = failed[running]
    for index, cell in enumerate(nb.cells):
        if cell.cell_type == "code":
            never = [_error(CRASHED, "not run: cells before it ended the kernel too often")]
            ran = outputs.get(index, never if index < end else [])
            cell.outputs = [new_output(**output) for output in ran]
    return nb


def _run_once(
    context: Any, sources: list[tuple[int, str]], seconds: float, folder: Path | None
) -> tuple[dict[int, list], int | None]:
    """Outputs by cell, and the cell during which the process ended (None when it did not)."""
    outputs = {}
    with tempfile.TemporaryDirectory() as scratch:
        cwd = Path(scratch) / "assignment"
        if folder is not None and folder.is_dir():
            shutil.copytree(folder, cwd)
        else:
            cwd.mkdir()
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_worker, args=(sender, sources, seconds, str(cwd)))
        process.start()
        sender.close()
        try:
            if not receiver.poll(STARTUP_SECONDS) or receiver.recv() != READY:
                raise RuntimeError("A process that runs notebooks did not start.")
            for index, _ in sources:
                # A cell that swallows the alarm is given some time to notice, then killed.
                if not receiver.poll(seconds + 10):
                    return outputs, index
                try:
                    outputs[index] = receiver.recv()
                except EOFError:
                    return outputs, index
        finally:
            process.kill()
            process.join()
            receiver.close()
    return outputs, None


def _error(name: str, message: str) -> dict[str, Any]:
    return {
        "output_type": "error",
        "ename": name,
        "evalue": message,
        "traceback": [f"{name}: {message}"],
    }


class _CellTimeout(BaseException):
    """Raised by the alarm; not an Exception, so that `except Exception` does not swallow it."""


def _worker(sender: Connection, sources: list[tuple[int, str]], seconds: float, cwd: str) -> None:
    """In the forked process: run the cells and send the outputs of each."""
    os.chdir(cwd)
    os.environ["NBGRADER_EXECUTION"] = "autograde"
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    streams = _Streams(Path(cwd).parent)
    shell = _make_shell()

    def on_alarm(number: int, frame: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 1)  # again, should a bare `except:` swallow this one
        raise _CellTimeout

    signal.signal(signal.SIGALRM, on_alarm)
    sender.send(READY)
    for _, source in sources:
        sender.send(_run_cell(shell, source, seconds, streams))
    sender.close()


def _make_shell() -> Any:
    from IPython.core.interactiveshell import InteractiveShell

    class Shell(InteractiveShell):
        def enable_gui(self, gui: str | None = None) -> None:
            """`%matplotlib inline` asks for it; there is no event loop here to set up."""

        def ask_exit(self) -> None:
            """`exit()` ends a kernel."""
            os._exit(0)

    sys.argv = ["ipykernel"]
    sys.path.insert(0, "")
    # Otherwise every variant would go into the history of whoever runs this.
    quiet = Config({"HistoryManager": {"enabled": False, "hist_file": ":memory:"}})
    return Shell.instance(config=quiet, colors="nocolor")


def _run_cell(shell: Any, source: str, seconds: float, streams: "_Streams") -> list[dict]:
    outputs = []
    streams.start()
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        result = shell.run_cell(source, store_history=True)
        error = result.error_before_exec or result.error_in_exec
    except _CellTimeout as timeout:  # between the cell's code and the shell's own
        result, error = None, timeout
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    for name, text in streams.stop().items():
        if text:
            outputs.append({"output_type": "stream", "name": name, "text": text})
    if isinstance(error, _CellTimeout):
        outputs.append(_error(TIMED_OUT, f"this cell took longer than {seconds:g} s"))
    elif error is not None:
        outputs.append(_error(type(error).__name__, _text(error)))
    elif result.result is not None:
        outputs.append(
            {
                "output_type": "execute_result",
                "execution_count": result.execution_count or 1,
                "data": {"text/plain": _text(result.result, repr)},
            }
        )
    return outputs


def _text(value: object, function: Any = str) -> str:
    """str() or repr() of something a student defined, which may raise itself."""
    try:
        return function(value)
    except Exception as error:
        return f"<{type(value).__name__}: {type(error).__name__}>"


class _Streams:
    """Catches what this process writes to its standard streams, from Python or below it, as a
    kernel does. A traceback that IPython prints lands here too, on stdout."""

    def __init__(self, folder: Path) -> None:
        self._files = {}
        for number, name in ((1, "stdout"), (2, "stderr")):
            file = open(folder / name, "w+b", buffering=0)  # noqa: SIM115 - lives as long as we do
            os.dup2(file.fileno(), number)
            setattr(sys, name, open(number, "w", encoding="utf-8", buffering=1, closefd=False))
            self._files[name] = file

    def start(self) -> None:
        for file in self._files.values():
            file.seek(0)
            file.truncate()

    def stop(self) -> dict[str, str]:
        texts = {}
        for name, file in self._files.items():
            getattr(sys, name).flush()
            file.seek(0)
            texts[name] = file.read(100_000).decode("utf-8", errors="replace")
        return texts
