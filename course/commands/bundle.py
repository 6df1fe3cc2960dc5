"""`bundle`: what students receive."""

from pathlib import Path
from typing import Annotated

import typer

from course.commands import shared
from course.commands.shared import app


@app.command()
def bundle(
    out: Annotated[Path, typer.Argument(metavar="OUT.zip", help="Where to write the package.")],
    unit: Annotated[
        list[str] | None, typer.Option(help="Only this unit, such as 01; may be given again.")
    ] = None,
    instructors: Annotated[
        bool,
        typer.Option(
            "--instructors", help="With solutions and the instructor's pages: not for students."
        ),
    ] = False,
) -> None:
    """Make the package that students receive: a zip that holds no solution and no hidden test.

    Lectures, assignments, the library, the sample of the data, the results and models that lectures
    read, and what to install. Unpacked anywhere it works without the rest of the course.

    With **--instructors**, also the solutions with the hidden tests, and in guide/ what **guide** makes.

    ```
    python -m course bundle students.zip
    python -m course bundle week-1.zip --unit 01 --unit 02
    python -m course bundle instructors.zip --instructors
    ```
    """
    import tempfile

    from course.grading.guide import write_guide
    from course.writing.bundle import solution_files, write_bundle

    units = shared.units(unit)
    more: dict[str, bytes] = {}
    if instructors:
        more |= solution_files(units, shared.ROOT)
        with tempfile.TemporaryDirectory() as folder:
            pages = [write_guide(one, Path(folder)) for one in units]
            more |= {f"guide/{page.name}": page.read_bytes() for page in pages}
    count = write_bundle(units, shared.ROOT, out, more)
    size = out.stat().st_size / 1e6
    shared.console.print(f"Wrote {out}: {count} files, {size:.1f} MB.", soft_wrap=True)
