"""`python -m course new`."""

from typing import Annotated

import typer
from rich.console import Console

from course.writing.new import new_unit
from course.writing.units import ROOT

console = Console()


def new(
    name: Annotated[str, typer.Argument(metavar="NN_topic", help="Such as 05_adaptive.")],
) -> None:
    """Begin a unit: a draft in course/units/ that passes every gate, to be written over.

    It has a placeholder lecture and one question. Other commands leave a draft out unless it is
    named.

    ```
    python -m course new 05_adaptive
    ```
    """
    unit = new_unit(name, ROOT)
    console.print(f"Wrote {unit.folder}, a draft.", soft_wrap=True)
    console.print(f"Its notebooks: python -m course build {unit.name}")
    console.print(f"Its gates:     python -m course check {unit.name}")
    console.print("CONTRIBUTING.md says how to go on; delete `draft` in unit.toml to release it.")
