"""Run answers to an assignment without a Jupyter kernel, fast enough to try hundreds.

A kernel takes six to eight seconds to start, import and stop. Here one server process imports the
heavy libraries once (`PRELOAD`), and everything else is forked from it:

run_variants  whole notebooks, each in a fork of its own
run_answers   single answers: one process runs the notebook cell by cell and, before the answer cell
              of a question, is forked for each answer to it; the fork runs this answer and the
              tests of its question

A fork runs its cells in an IPython shell, as nbgrader would run them: it goes on after an error, a
cell has a time limit, and what a cell writes to stderr is kept. Nothing below the last test is run,
since no cell there changes a score. The outputs go into the cells so that nbgrader's own
`determine_grade` scores them. `tests/course/grading/test_classes.py` proves that this and nbgrader
give the same scores to the whole demo class.
"""

import gc
import multiprocessing
import os
import pkgutil
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_notebook, new_output
from traitlets.config import Config

import utils
from course.errors import UserError
from course.threads import ONE_THREAD
from course.writing.notebooks import grade_id, is_test, question_of, with_answers

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
ENVIRONMENT = ONE_THREAD | {
    "MPLBACKEND": "Agg",
    "NBGRADER_EXECUTION": "autograde",
    # Gradients start threads for every GPU that PyTorch sees, and then it refuses to be forked.
    "CUDA_VISIBLE_DEVICES": "",
}
MAX_RESTARTS = 6  # as c.TolerantExecute.max_restarts in nbgrader_config.py
STARTUP_SECONDS = 300  # for the first libraries to be imported, on a busy machine
CRASHED, TIMED_OUT = "KernelDied", "CellTimeoutError"
Outputs = dict[int, list[dict[str, Any]]]  # by the index of the cell in its notebook


@dataclass(frozen=True)
class Answer:
    """Something to put into the answer cell of `question`; none of the cells that run it may take
    longer than `seconds`."""

    question: str
    code: str
    seconds: float


@dataclass(frozen=True)
class _Trial:
    """Cells (index and source) to be run in a fork; `number` is the trial's place among all."""

    number: int
    cells: list[tuple[int, str]]
    seconds: float


def run_variants(
    notebooks: Sequence[NotebookNode],
    *,
    cell_seconds: float,
    folder: Path | None = None,
    jobs: int = 2,
    preload: Sequence[str] = PRELOAD,
) -> list[NotebookNode]:
    """Copies of the notebooks, each run up to its last test (or to its end if it has none), with
    the outputs of their cells.

    Each runs in a process and in a temporary copy of `folder` (or an empty one) of its own. A cell
    that ends its process counts as failed and the notebook is run again without it, as our nbgrader
    does. `preload` has an effect only until the server process has started.
    """
    done = deepcopy(list(notebooks))
    trials = []
    for number, nb in enumerate(done):
        end = max((i + 1 for i, cell in enumerate(nb.cells) if is_test(cell)), default=None)
        trials.append(_Trial(number, _code(nb.cells[:end]), cell_seconds))
    found = _run_chains([trials[job::jobs] for job in range(jobs)], folder, preload)
    for number, nb in enumerate(done):
        _show(nb, found[number])
    return done


def run_answers(
    nb: NotebookNode,
    answers: Sequence[Answer],
    *,
    cell_seconds: float,
    folder: Path | None = None,
    jobs: int = 2,
    preload: Sequence[str] = PRELOAD,
) -> list[NotebookNode]:
    """For each answer a notebook of the cells of its question, run with this answer: the answer
    cell, the tests, and what stands between them. `score_notebook` and `status_of` read it.

    Before the answer the cells above it have run as they stand in `nb`, tests excepted, within
    `cell_seconds` each: so the other questions have the answers that `nb` gives them. `jobs`
    processes do that, each for its share of the answers. The rest is as in `run_variants`.

    Raises UserError if a question has no answer cell of its name, or if the cells above an answer
    end their process, or leave a thread running (a fork cannot take it along).
    """
    done = [_own_cells(nb, answer) for answer in answers]
    trials = [
        _Trial(number, _code(own.cells), answer.seconds)
        for number, (own, answer) in enumerate(zip(done, answers, strict=True))
    ]
    chains: list[list[str | _Trial]] = []
    for job in range(min(jobs, len(answers))):
        mine = range(job, len(answers), jobs)
        last = max(_answer_index(nb, answers[number].question) for number in mine)
        steps: list[str | _Trial] = []
        for cell in nb.cells[: last + 1]:
            steps += [
                trials[number] for number in mine if grade_id(cell) == answers[number].question
            ]
            if cell.cell_type == "code" and not is_test(cell):
                steps.append(cell.source)
        chains.append(steps)
    found = _run_chains(chains, folder, preload, cell_seconds)
    for number, own in enumerate(done):
        _show(own, found[number])
    return done


def _answer_index(nb: NotebookNode, question: str) -> int:
    return [grade_id(cell) for cell in nb.cells].index(question)


def _own_cells(nb: NotebookNode, answer: Answer) -> NotebookNode:
    """The answer cell, the tests of its question, and the cells between that are no other's."""
    cells = with_answers(nb, {answer.question: answer.code}).cells
    first = _answer_index(nb, answer.question)
    tests = [
        index
        for index, cell in enumerate(cells)
        if is_test(cell) and question_of(grade_id(cell)) == question_of(answer.question)
    ]
    between = range(first, max(tests, default=first) + 1)
    return new_notebook(cells=[cells[i] for i in between if i in tests or not is_test(cells[i])])


def _code(cells: Sequence[NotebookNode]) -> list[tuple[int, str]]:
    return [(i, cell.source) for i, cell in enumerate(cells) if cell.cell_type == "code"]


def _show(nb: NotebookNode, outputs: Outputs) -> None:
    for index, cell in enumerate(nb.cells):
        if cell.cell_type == "code":
            cell.outputs = [new_output(**output) for output in outputs.get(index, [])]


def _run_chains(
    chains: Sequence[Sequence[str | _Trial]],
    folder: Path | None,
    preload: Sequence[str],
    cell_seconds: float = 0.0,
) -> dict[int, Outputs]:
    """Run the chains side by side, each in a process of its own: what it holds of cells one after
    the other, and each trial in a fork. Returns the outputs by the number of the trial."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    with _environment():
        forkserver.ensure_running()

    def run(steps: Sequence[str | _Trial]) -> dict[int, Outputs]:
        with tempfile.TemporaryDirectory() as scratch:
            home = Path(scratch) / "assignment"
            if folder is not None and folder.is_dir():
                shutil.copytree(folder, home)
            else:
                home.mkdir()
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=_chain, args=(sender, steps, str(home), cell_seconds))
            process.start()
            sender.close()
            try:
                return _receive(receiver, steps)
            finally:
                process.kill()
                process.join()
                receiver.close()

    chains = [steps for steps in chains if steps]
    found: dict[int, Outputs] = {}
    with ThreadPoolExecutor(max(1, len(chains))) as pool:
        for outputs in pool.map(run, chains):
            found |= outputs
    return found


def _receive(receiver: Connection, steps: Sequence[str | _Trial]) -> dict[int, Outputs]:
    found: dict[int, Outputs] = {}
    if not receiver.poll(STARTUP_SECONDS):
        raise RuntimeError("A process that runs notebooks did not start.")
    receiver.recv()
    for trial in (step for step in steps if isinstance(step, _Trial)):
        try:
            message = receiver.recv()
        except EOFError:
            message = "a cell above them ends its process"
        if isinstance(message, str):
            raise UserError(f"The answers cannot be tried: {message}.")
        found[trial.number] = message
    return found


@contextmanager
def _environment() -> Iterator[None]:
    """The environment that the server process is started in, and no other process: a lecture that
    is run later computes with as many threads as students' kernels do."""
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ.update(ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _error(name: str, message: str) -> dict[str, Any]:
    return {
        "output_type": "error",
        "ename": name,
        "evalue": message,
        "traceback": [f"{name}: {message}"],
    }


class _CellTimeout(BaseException):
    """Raised by the alarm; not an Exception, so that `except Exception` does not swallow it."""


class _Alarm:
    """Stops the cell that runs when its seconds are over; `rang` says that this happened, whatever
    the cell made of it."""

    def __init__(self) -> None:
        self.rang = False
        signal.signal(signal.SIGALRM, self._ring)

    def set(self, seconds: float) -> None:
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, number: int, frame: object) -> None:
        self.rang = True
        signal.setitimer(signal.ITIMER_REAL, 1)  # again, should a bare `except:` swallow this one
        raise _CellTimeout


def _chain(
    sender: Connection, steps: Sequence[str | _Trial], home: str, cell_seconds: float
) -> None:
    """In a process of its own: run the cells, and send the outputs of each trial."""
    os.chdir(home)
    streams = _Streams(Path(home).parent)
    shell = _make_shell()
    sender.send("ready")
    for step in steps:
        if isinstance(step, str):
            _run_cell(shell, step, cell_seconds, streams)
        elif threads := _other_threads():
            sender.send(f"a cell above them leaves a thread running ({threads}); end it there")
        else:
            sender.send(_try(shell, step))
    sender.close()


def _other_threads() -> str:
    """The threads of this process besides the main one, those of libraries included where the
    system lists them."""
    names = [thread.name for thread in threading.enumerate()[1:]]
    tasks = Path("/proc/self/task")
    if not names and tasks.is_dir() and len(os.listdir(tasks)) > 1:
        names = ["of a library"]
    return ", ".join(names)


def _try(shell: Any, trial: _Trial) -> Outputs:
    """Run a trial in forks of this process, the second without the cell that ended the first."""
    failed: Outputs = {}
    for _ in range(MAX_RESTARTS + 1):
        outputs, running = _fork(shell, trial, failed)
        outputs |= failed
        if running is None:
            return outputs
        outputs[running] = failed[running] = [_error(CRASHED, "this cell ended the kernel")]
    never = [_error(CRASHED, "not run: cells before it ended the kernel too often")]
    return {index: never for index, _ in trial.cells} | outputs


def _fork(shell: Any, trial: _Trial, failed: Outputs) -> tuple[Outputs, int | None]:
    """Outputs by cell, and the cell during which the fork ended (None when it did not)."""
    outputs: Outputs = {}
    cells = [(index, source) for index, source in trial.cells if index not in failed]
    receiver, sender = multiprocessing.Pipe(duplex=False)
    # Else a fork would look for garbage among all objects of the libraries, and copy their pages.
    gc.freeze()
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(shutil.copytree(".", Path(scratch) / "assignment"))
        pid = os.fork()
        if pid == 0:
            try:
                os.chdir(home)
                streams = _Streams(home.parent)
                for _, source in cells:
                    sender.send(_run_cell(shell, source, trial.seconds, streams))
            finally:
                os._exit(0)
        sender.close()
        try:
            for index, _ in cells:
                # A cell that swallows the alarm is given some time to notice, then killed.
                if not receiver.poll(trial.seconds + 10):
                    return outputs, index
                try:
                    outputs[index] = receiver.recv()
                except EOFError:
                    return outputs, index
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            receiver.close()
    return outputs, None


def _make_shell() -> Any:
    from IPython.core.interactiveshell import InteractiveShell

    class Shell(InteractiveShell):
        def enable_gui(self, gui: str | None = None) -> None:
            """`%matplotlib inline` asks for it; there is no event loop here to set up."""

        def ask_exit(self) -> None:
            """`exit()` ends a kernel."""
            os._exit(0)

        def showtraceback(self, *args: Any, **options: Any) -> None:
            """Nobody reads it, and laying one out costs more than running most cells."""

        showsyntaxerror = showtraceback

    sys.argv = ["ipykernel"]
    sys.path.insert(0, "")
    # Otherwise every variant would go into the history of whoever runs this.
    quiet = Config({"HistoryManager": {"enabled": False, "hist_file": ":memory:"}})
    return Shell.instance(config=quiet, colors="nocolor")


def _run_cell(shell: Any, source: str, seconds: float, streams: "_Streams") -> list[dict]:
    outputs = []
    alarm = _Alarm()
    streams.start()
    alarm.set(seconds)
    try:
        result = shell.run_cell(source, store_history=True)
        error = result.error_before_exec or result.error_in_exec
    except _CellTimeout:  # between the cell's code and the shell's own
        result, error = None, None
    finally:
        alarm.stop()
    for name, text in streams.stop().items():
        if text:
            outputs.append({"output_type": "stream", "name": name, "text": text})
    if alarm.rang:
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
    kernel does."""

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
