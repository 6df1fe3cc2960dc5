"""`check`: the gates of a unit."""

from typing import Annotated

import typer
from rich.table import Table

from course.commands import shared
from course.commands.shared import Jobs, Units, app


@app.command()
def check(
    units: Units = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Do not run the lecture and the solution in a kernel.")
    ] = False,
    jobs: Jobs = 2,
) -> None:
    """Prove that a unit is fit to be released.

    The solution gets full marks, the untouched release none; every known mistake loses its
    question, with the message that names it; every alternative answer passes; the release gives
    nothing away; pictures have alternative text; times and memory stay within the budget.

    ```
    python -m course check
    python -m course check efficiency
    ```
    """
    chosen = shared.units(units)
    from course.proving.gates import check_unit
    from course.run import find_data

    find_data(shared.console)
    table = Table("Unit", "Gate", "Result", title="Gates", title_justify="left")
    problems = shared.unreadable(units)
    for unit in chosen:
        with shared.console.status("") as status:
            results = check_unit(
                unit,
                run=not quick,
                jobs=jobs,
                on_gate=lambda gate: status.update(f"{unit.name}: {gate}"),  # noqa: B023
            )
        for result in results:
            verdict = (
                f"[red]{len(result.problems)} problems" if result.problems else "[green]passed"
            )
            table.add_row(unit.name, result.gate, verdict)
            problems += [f"{unit.name}, {result.gate}: {problem}" for problem in result.problems]
    shared.console.print(table)
    for problem in problems:
        shared.console.print(problem, style="red", markup=False, soft_wrap=True)
    raise typer.Exit(1 if problems else 0)
