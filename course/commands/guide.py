"""`guide`: the instructor's page of a unit."""

from course.commands import shared
from course.commands.shared import Units, app


@app.command()
def guide(units: Units = None) -> None:
    """Make the instructor's page of a unit: what to teach, to ask in class, and how to mark.

    Writes build/guide/UNIT.html: objectives, minutes, the questions that the lecture asks, the
    misconceptions with what the checks say, and the rubric of the written question beside a full
    answer. It holds answers; do not give it to students.

    ```
    python -m course guide
    python -m course guide efficiency
    ```
    """
    from course.grading.guide import write_guide

    for unit in shared.units(units):
        path = write_guide(unit, shared.ROOT / "build" / "guide")
        shared.console.print(f"Wrote {path}.", soft_wrap=True)
