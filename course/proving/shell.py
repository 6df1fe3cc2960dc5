"""A shell that runs the cells of a notebook in this process, as a kernel would."""

import os
import re
import signal
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from traitlets.config import Config

# A magic, a line for the system, a question for help, a call without parentheses, or a prompt.
ADDED = re.compile(r"[%!?\r\f\v]|^[ \t]*[,;/]|^(?:>>>|\.\.\.|[ \t]*In \[)", re.MULTILINE)
CRASHED, TIMED_OUT = "KernelDied", "CellTimeoutError"


def error_output(name: str, message: str) -> NotebookNode:
    """The output of a cell that raised, without a traceback of its own."""
    return NotebookNode(
        output_type="error", ename=name, evalue=message, traceback=[f"{name}: {message}"]
    )


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


def make_shell() -> Any:
    from IPython.core.interactiveshell import InteractiveShell

    class Shell(InteractiveShell):
        def enable_gui(self, gui: str | None = None) -> None:
            """`%matplotlib inline` asks for it; there is no event loop here to set up."""

        def system(self, command: str) -> None:
            """`!pip install` and the like ask for a terminal and a network, and neither is here. Without
            this an error would end the cell, with the answer below that line."""

        def ask_exit(self) -> None:
            """`exit()` ends a kernel."""
            os._exit(0)

        @lru_cache(maxsize=256)  # noqa: B019 - there is one shell, and it lives as long as we do
        def transform_cell(self, raw_cell: str) -> str:
            """Reading a cell for magics takes longer than running most; forks inherit the cache. One that
            holds nothing of what IPython adds to Python stays as it is."""
            plain = "\n" in raw_cell.rstrip("\n") and not raw_cell[0].isspace()
            if plain and not ADDED.search(raw_cell) and self.transformers() == given:
                return raw_cell if raw_cell.endswith("\n") else f"{raw_cell}\n"
            return super().transform_cell(raw_cell)

        def transformers(self) -> list[Any]:
            """What a cell goes through, to which its code may add."""
            manager = self.input_transformer_manager
            return [
                *self.input_transformers_post,
                *manager.cleanup_transforms,
                *manager.line_transforms,
                *manager.token_transformers,
            ]

        def showtraceback(self, *args: Any, **options: Any) -> None:
            """Nobody reads it, and laying one out costs more than running most cells."""

        showsyntaxerror = showtraceback

    sys.argv = ["ipykernel"]
    sys.path.insert(0, "")
    # Otherwise every variant would go into the history of whoever runs this.
    quiet = Config({"HistoryManager": {"enabled": False, "hist_file": ":memory:"}})
    shell = Shell.instance(config=quiet, colors="nocolor")
    given = shell.transformers()
    return shell


def run_cell(shell: Any, source: str, seconds: float, streams: "Streams") -> list[dict]:
    outputs: list[dict[str, Any]] = []
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
        outputs.append(error_output(TIMED_OUT, f"this cell took longer than {seconds:g} s"))
    elif error is not None:
        outputs.append(error_output(type(error).__name__, _text(error)))
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


class Streams:
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
