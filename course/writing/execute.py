"""Run a notebook in a fresh kernel, and record its seconds and its peak memory."""

import ast
import contextlib
import os
import tempfile
import threading
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from course.writing.prose import as_expression, fields, fill

SAMPLE_EVERY = 0.1  # seconds between two looks at the memory of the kernel and its children


@dataclass(frozen=True)
class Execution:
    """What came of running a notebook. `seconds` is wall-clock time, kernel start included;
    `peak_mb` (1e6 bytes) is the largest resident memory of the kernel and its children together.
    `error` is None, or one sentence."""

    notebook: NotebookNode
    seconds: float
    peak_mb: float
    error: str | None

    @property
    def ok(self) -> bool:
        return self.error is None


def run_notebook(
    nb: NotebookNode,
    *,
    cell_seconds: float,
    folder: Path | None = None,
    on_cell: Callable[[int, int], None] | None = None,
) -> Execution:
    """Run a copy of `nb`, stopping at the first error.

    It runs in `folder`, or else in an empty temporary folder, so that no notebook comes to depend
    on where it is started. The controls of every widget are moved to their ends as well
    (COURSE_EXERCISE_WIDGETS, see utils.widgets), so the time includes that.
    `on_cell(done, total)` is called as the cells finish.
    """
    nb = deepcopy(nb)
    client = NotebookClient(
        nb,
        timeout=max(1, round(cell_seconds)),
        kernel_name="python3",
        startup_timeout=300,
        record_timing=False,
        store_widget_state=False,
        shutdown_kernel="immediate",
        extra_arguments=["--log-level=ERROR"],  # or every kernel warns that TCP is not encrypted
    )
    running = 0

    async def on_cell_start(cell: NotebookNode, cell_index: int) -> None:
        nonlocal running
        running = cell_index + 1
        if on_cell is not None:
            on_cell(cell_index, len(nb.cells))
        if cell.cell_type == "markdown":
            await _fill(client, cell)

    client.on_cell_start = on_cell_start
    error = None
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        cwd = folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        memory = stack.enter_context(MemoryWatch())
        client.on_notebook_start = lambda notebook: memory.start(client.km.provisioner.pid)
        environment = os.environ | {
            "COURSE_BUILD": "1",  # a claim that does not hold is an error, see utils.claims
            "COURSE_EXERCISE_WIDGETS": "1",
            "COURSE_PREDICTIONS": str(scratch / "predictions.json"),
        }
        try:
            client.execute(cwd=str(cwd), env=environment)
        except CellExecutionError as failure:
            error = f"cell {running} raised {failure.ename}: {failure.evalue}"
        except FieldError as failure:
            error = f"cell {running}: {failure}"
        except CellTimeoutError:
            error = f"cell {running} took longer than {cell_seconds:g} s"
        except DeadKernelError:
            error = f"the kernel died in cell {running}, perhaps for lack of memory"
    return Execution(nb, time.monotonic() - started, memory.peak_bytes / 1e6, error)


class FieldError(Exception):
    """A field of a Markdown cell that cannot be filled in."""


async def _fill(client: NotebookClient, cell: NotebookNode) -> None:
    """Put the values of a Markdown cell's fields in their places, as the kernel has them now."""
    wanted = fields(cell.source)
    if not wanted:
        return
    expressions = {str(i): as_expression(field) for i, field in enumerate(wanted)}
    reply = await client.kc.execute(
        "", silent=True, store_history=False, user_expressions=expressions, reply=True, timeout=60
    )
    values = []
    for field, result in zip(wanted, reply["content"]["user_expressions"].values(), strict=True):
        if result["status"] != "ok":
            raise FieldError(f"the field {field!r} raised {result['ename']}: {result['evalue']}")
        values.append(ast.literal_eval(result["data"]["text/plain"]))
    fill(cell, values)


class MemoryWatch:
    """Samples the resident memory of a process and its children until the `with` block ends."""

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "MemoryWatch":
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def start(self, pid: int) -> None:
        self._thread = threading.Thread(target=self._watch, args=(psutil.Process(pid),))
        self._thread.start()

    def _watch(self, kernel: psutil.Process) -> None:
        stopped = False
        while not stopped:
            with contextlib.suppress(psutil.Error):  # the kernel, or a child, has just ended
                total = sum(p.memory_info().rss for p in kernel.children(recursive=True))
                total += kernel.memory_info().rss
                self.peak_bytes = max(self.peak_bytes, total, _high_water(kernel.pid))
            stopped = self._stop.wait(SAMPLE_EVERY)


def _high_water(pid: int) -> int:
    """The kernel process's own peak as Linux keeps it, in bytes; 0 on other systems. It catches
    what falls between two samples."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
