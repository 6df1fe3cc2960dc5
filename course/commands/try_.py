"""`try`: answers to a unit's questions, and what becomes of them."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from course.commands import shared
from course.commands.shared import Jobs, app


@app.command("try")
def try_answers(
    file: Annotated[Path, typer.Argument(metavar="ANSWERS", help="A JSON list of answers.")],
    unit: Annotated[
        str | None, typer.Option(help="Only answers to this unit, such as 01 or efficiency.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
    jobs: Jobs = 2,
) -> None:
    """Try answers to questions: their points, what the student reads, which mistake is recognised.

    An answer has `unit`, `question`, `name`, `kind` ("wrong" or "right") and `code`, the whole
    answer cell.

    ```
    python -m course try answers.json --unit efficiency
    python -m course try answers.json --json > verdicts.json
    ```
    """
    from course.proving.trying import read_answers, try_answers

    answers = read_answers(file)
    if unit is not None:
        wanted = shared.find_unit(unit)
        answers = [item for item in answers if shared.find_unit(item["unit"]) == wanted]
    found = try_answers(answers, jobs=jobs)
    if as_json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return
    table = Table("Answer", "Points", "Recognised", "The student reads first")
    for item in found:
        table.add_row(
            f"{item['unit'][:2]} {item['question']} {item['name']} ({item['kind']})",
            f"{item['points']:g} of {item['possible']:g}",
            item["mistake"] or "",
            item["message"].split("\n")[0],
        )
    shared.console.print(table)
