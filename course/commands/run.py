"""`run`: everything at once."""

from typing import Annotated

import typer

from course.commands import shared
from course.commands.shared import Jobs, app


@app.command()
def run(
    check: Annotated[
        bool, typer.Option("--check", help="Also put every unit through the gates of `check`.")
    ] = False,
    jobs: Jobs = 2,
) -> None:
    """Do everything: data, notebooks, lectures, a graded demo class, and a report.

    Writes build/report.html and build/report.json. Exits with 1 when anything failed. This is what
    **make course** calls.
    """
    from course.run import run_course

    report = run_course(shared.units(None), shared.ROOT, shared.console, gates=check, jobs=jobs)
    raise typer.Exit(0 if report.ok else 1)
