"""The command line: `python -m course`. It is assembled from the files of `course.commands`. Everything
heavy is imported inside the commands, so that `--help` answers at once."""

import errno
import importlib
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
    try:
        app()
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        Console(stderr=True).print(f"[red]Error:[/] {_escaped(sentence)}", soft_wrap=True)
        sys.exit(2)
    sys.exit(0)


def _sentence(error: Exception) -> str | None:
    """What to tell a person about an error that is theirs to mend; None for a fault of ours."""
    if isinstance(error, MendableError):
        return str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full; free some space and start again."
    if isinstance(error, PermissionError):
        return f"{error.filename} cannot be opened or written; check its permissions."
    return None


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
