"""`build`: the notebooks and README.md."""

from typing import Annotated

import typer

from course.commands import shared
from course.commands.shared import Units, app


@app.command()
def build(
    units: Units = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if anything would change.")
    ] = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Run lectures again even if their cells are the same.")
    ] = False,
) -> None:
    """Make lectures/, solutions/ and assignments/ from course/units/, and README.md's results.

    A lecture is run when its cells changed, or with --refresh, as when new results should show.

    ```
    python -m course build
    python -m course build efficiency --refresh
    python -m course build --check
    ```
    """
    from course.writing import build as builder
    from course.writing.house import house_drift, update_house
    from course.writing.published import citation_drift, update_citation
    from course.writing.readme import readme_drift, update_readme

    chosen = shared.units(units)
    if check:
        problems = [
            *shared.unreadable(units),
            *builder.drift(chosen, shared.ROOT),
            *readme_drift(shared.ROOT),
            *house_drift(shared.ROOT),
            *citation_drift(shared.ROOT),
        ]
        for problem in problems:
            shared.console.print(problem, style="red", markup=False, soft_wrap=True)
        if not problems:
            shared.console.print("The notebooks match their sources, and README.md the results.")
        raise typer.Exit(1 if problems else 0)
    from course.run import find_data, progress

    for unit in chosen:
        builder.build_assignment(unit)
        shared.console.print(f"Wrote solutions/{unit.name} and assignments/{unit.name}.")
        if not refresh and builder.lecture_is_current(unit):
            shared.console.print(f"lectures/{unit.name}.ipynb is up to date.")
            continue
        find_data(shared.console)
        with progress(shared.console) as bar:
            task = bar.add_task(f"Running the lecture of {unit.name}", total=None)
            done = builder.execute_lecture(
                unit,
                lambda number, total: bar.update(task, completed=number, total=total),  # noqa: B023
            )
        builder.save_lecture(unit, done)
        shared.console.print(f"Wrote lectures/{unit.name}.ipynb ({done.seconds:.0f} s).")
    update_readme(shared.ROOT)
    shared.console.print("Wrote the table and the picture of README.md.")
    update_house(shared.ROOT)
    update_citation(shared.ROOT)
    shared.console.print("Wrote the picture of the house and CITATION.cff.")
    for problem in shared.unreadable(units):
        shared.console.print(problem, style="red", markup=False, soft_wrap=True)
