"""`python -m course new`."""

from typing import Annotated

import typer

from course.commands import shared
from course.commands.shared import app


@app.command()
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
    from course.writing.new import new_unit

    unit = new_unit(name, shared.ROOT)
    shared.console.print(f"Wrote {unit.folder}, a draft.", soft_wrap=True)
    shared.console.print(f"Its notebooks: python -m course build {unit.name}")
    shared.console.print(f"Its gates:     python -m course check {unit.name}")
    shared.console.print(
        "CONTRIBUTING.md says how to go on; delete `draft` in unit.toml to release it."
    )
