"""What the commands share: the application, the terminal, and how units are named.

A command is a function in a file of this package, decorated with ``app.command()``: the command line
imports every file here, so nothing else needs to be told of it. It asks for units, root and terminal
as ``shared.units(...)``, ``shared.ROOT`` and ``shared.console``, so that tests can put others there,
and imports what is heavy inside the function, so that ``--help`` answers at once::

    from course.commands import shared
    from course.commands.shared import Units, app


    @app.command()
    def hello(units: Units = None) -> None:
        '''Greet the units, or those that are named.'''
        for unit in shared.units(units):
            shared.console.print(f"Hello, {unit.name}.")
"""

from typing import Annotated

import typer
from rich.console import Console

from course.errors import UserError
from course.writing.units import ROOT, Unit, discover, find_unit, survey

app = typer.Typer(
    name="python -m course",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Every command explains itself: `python -m course check --help`",
)
console = Console()

Units = Annotated[
    list[str] | None,
    typer.Argument(metavar="UNIT", help="Such as 01, efficiency or 01_efficiency; else all."),
]
Jobs = Annotated[int, typer.Option(min=1, help="Processes to use at once.")]


@app.callback()
def course() -> None:
    """A course in notebooks on making language models small, fast and cheap.

    **Students** start with **lab**. **Instructors** grade with **grade**.
    **Maintainers** edit course/units/, then **build** and **check**.
    """


def units(names: list[str] | None) -> list[Unit]:
    """The units of these names, or all; UserError if there are none."""
    found = [find_unit(name) for name in names] if names else discover()
    if not found:
        raise UserError(f"There are no units in {ROOT / 'course' / 'units'}.")
    return found


def unreadable(names: list[str] | None) -> list[str]:
    """What is wrong with folders that hold no unit, where a command is about all units."""
    return [] if names else survey(ROOT)[1]
