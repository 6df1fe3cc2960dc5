"""The command line: `python -m course`. It is assembled from the files of `course.commands`. Everything
heavy is imported inside the commands, so that `--help` answers at once."""

import errno
import importlib
import os
import pkgutil
import sys
from typing import NoReturn

from rich.console import Console
from typer.models import CommandInfo

from course import commands
from course.commands.shared import app
from utils.errors import MendableError

# In the order that help lists them; a command that is not named here comes after these.
ORDER = (
    "run",
    "new",
    "build",
    "check",
    "try",
    "grade",
    "guide",
    "bundle",
    "lab",
    "results",
    "teachers",
    "predict",
    "evaluate",
    "data",
)


def _name(command: CommandInfo) -> str:
    return str(command.name or getattr(command.callback, "__name__", ""))


for module in pkgutil.iter_modules(commands.__path__):
    importlib.import_module(f"course.commands.{module.name}")
app.registered_commands.sort(
    key=lambda command: ([*ORDER, _name(command)].index(_name(command)), _name(command))
)


def main() -> NoReturn:
    """Run the command line. What a person can mend is said in one sentence, with exit code 2."""
    _open_streams()
    try:
        app()
    except BrokenPipeError:
        _reader_went()
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        Console(stderr=True).print(
            f"[red]Error:[/] {_escaped(_shortened(sentence))}", soft_wrap=True
        )
        sys.exit(2)
    sys.exit(0)


def _open_streams() -> None:
    """Let nothing that is printed end the program: no letter that the terminal's encoding lacks, and
    no stream that was closed before the start."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _reader_went() -> None:
    """End quietly, as other programs do when what reads them (such as `head`) has seen enough."""
    # What is left in the buffer is written at exit, and would fail again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _sentence(error: Exception) -> str | None:
    """What to tell a person about an error that is theirs to mend; None for a fault of ours."""
    if isinstance(error, MendableError):
        return str(error)
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return f"{str(error.filename)[:60]}... is too long for the name of a file."
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full; free some space and start again."
    if isinstance(error, PermissionError):
        return f"{error.filename} cannot be opened or written; check its permissions."
    return None


def _shortened(sentence: str, most: int = 600) -> str:
    """Without the middle, where somebody gave a name of thousands of letters."""
    if len(sentence) <= most:
        return sentence
    return f"{sentence[: most // 2]} ... {sentence[-most // 2 :]}"


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
