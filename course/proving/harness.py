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
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_notebook, new_output

import utils
from course.errors import UserError
from course.proving.shell import CRASHED, Streams, error_output, make_shell, run_cell
from course.threads import ONE_THREAD
from course.writing.keys import UNPACKED
from course.writing.notebooks import grade_id, is_test, question_of, with_answers
from utils.checking import unpacked

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
    "torch.fx.experimental.symbolic_shapes",  # `backward` with a gradient imports it, for half a second
    "ipywidgets",
    *(f"utils.{module.name}" for module in pkgutil.iter_modules(utils.__path__)),
)
ENVIRONMENT = ONE_THREAD | {
    "MPLBACKEND": "Agg",
    "NBGRADER_EXECUTION": "autograde",
    # Gradients start threads for every GPU that PyTorch sees, and then it refuses to be forked.
    "CUDA_VISIBLE_DEVICES": "",
}
MAX_RESTARTS = 6  # as in course.grading.judging
STARTUP_SECONDS = 300  # for the first libraries to be imported, on a busy machine
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
    """Cells (index and source) to be run in a fork; `number` is the trial's place among all, `keys`
    are those of its checks, packed."""

    number: int
    cells: list[tuple[int, str]]
    seconds: float
    keys: tuple[str, ...] = ()


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
        _Trial(number, _code(own.cells), answer.seconds, _keys(own.cells))
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
    for index, cell in enumerate(nb.cells):
        if grade_id(cell) == question:
            return index
    raise UserError(f"No cell has the grade id {question!r}.")


def _own_cells(nb: NotebookNode, answer: Answer) -> NotebookNode:
    """The answer cell, the tests of its question, and the cells between that are no other's."""
    first = _answer_index(nb, answer.question)
    tests = [
        index
        for index, cell in enumerate(nb.cells)
        if is_test(cell) and question_of(grade_id(cell)) == question_of(answer.question)
    ]
    between = range(first, max(tests, default=first) + 1)
    own = [nb.cells[i] for i in between if i in tests or not is_test(nb.cells[i])]
    return with_answers(new_notebook(cells=own), {answer.question: answer.code})


def _code(cells: Sequence[NotebookNode]) -> list[tuple[int, str]]:
    return [(i, cell.source) for i, cell in enumerate(cells) if cell.cell_type == "code"]


def _keys(cells: Sequence[NotebookNode]) -> tuple[str, ...]:
    return tuple(text for cell in cells if is_test(cell) for text in UNPACKED.findall(cell.source))


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


def _chain(
    sender: Connection, steps: Sequence[str | _Trial], home: str, cell_seconds: float
) -> None:
    """In a process of its own: run the cells, and send the outputs of each trial."""
    os.chdir(home)
    streams = Streams(Path(home).parent)
    shell = make_shell()
    sender.send("ready")
    for step in steps:
        if isinstance(step, str):
            run_cell(shell, step, cell_seconds, streams)
        elif threads := _other_threads():
            sender.send(f"a cell above them leaves a thread running ({threads}); end it there")
        else:
            for _, source in step.cells:
                with suppress(SyntaxError):  # reported when the cell is run
                    shell.transform_cell(source)
            for text in step.keys:
                unpacked(text)  # takes longer than most answers; forks inherit what it has read
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
        outputs[running] = failed[running] = [error_output(CRASHED, "this cell ended the kernel")]
    never = [error_output(CRASHED, "not run: cells before it ended the kernel too often")]
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
                streams = Streams(home.parent)
                for _, source in cells:
                    sender.send(run_cell(shell, source, trial.seconds, streams))
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
