"""Run a notebook in a fresh kernel, and record its seconds and its peak memory."""

import ast
import contextlib
import os
import tempfile
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from course.writing.prose import as_expression, fields, fill
from utils.efficiency import MB, MemoryWatch

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
        memory: list[MemoryWatch] = []  # empty until there is a kernel to watch

        def on_notebook_start(notebook: NotebookNode) -> None:
            watch = MemoryWatch(client.km.provisioner.pid, children=True, every=SAMPLE_EVERY)
            memory.append(stack.enter_context(watch))

        client.on_notebook_start = on_notebook_start
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
    peak = max((watch.peak for watch in memory), default=0)
    return Execution(nb, time.monotonic() - started, peak / MB, error)


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
