"""`predict` and `evaluate`: use a model file."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.table import Table

from course.commands import shared
from course.commands.shared import app
from course.errors import UserError

Model = Annotated[Path, typer.Argument(help="A model file, such as course/models/NAME.")]


@app.command()
def predict(
    model: Model,
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="One text a line; else standard input."),
    ] = None,
) -> None:
    """Label texts: one a line in, one JSON object a line out.

    ```
    echo "Thank you so much" | python -m course predict course/models/NAME
    python -m course predict course/models/NAME comments.txt > labels.jsonl
    ```
    """
    _exists(model)
    if file is None and sys.stdin is None:
        raise UserError("Standard input is closed; name a file of texts.")
    from course.measuring.inference import BATCH, predict_lines

    name, batch = (str(file), BATCH) if file else ("standard input", 1)
    # Escapes of JSON for a terminal that has no letters of its own for all texts.
    narrow = (getattr(sys.stdout, "encoding", None) or "utf-8").lower() not in ("utf-8", "utf8")
    with open(file, "rb") if file else sys.stdin.buffer as stream:
        for labelled in predict_lines(model, _lines(stream, name), batch):
            print(json.dumps(labelled, ensure_ascii=narrow), flush=file is None)


@app.command()
def evaluate(
    model: Model,
    split: Annotated[str, typer.Option(help="train, dev or test.")] = "test",
    taxonomy: Annotated[
        str | None, typer.Option(help="emotions, ekman or sentiment; else the model's own.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Score a model file on a split of GoEmotions.

    ```
    python -m course evaluate course/models/NAME --split test --taxonomy ekman --json
    ```
    """
    _exists(model)
    from course.measuring.inference import evaluate as score

    # What it says about the data would spoil the JSON.
    with _stdout_to_stderr(as_json):
        found = score(model, split, taxonomy)
    if as_json:
        print(json.dumps(found))
        return
    table = Table("Measure", "Value", title=str(model), title_justify="left")
    for name, value in found.items():
        if name != "per_label":
            table.add_row(name, f"{value:.4f}" if isinstance(value, float) else str(value))
    shared.console.print(table)


def _exists(model: Path) -> None:
    if not model.is_file():
        shipped = sorted((shared.ROOT / "course" / "models").glob("[!.]*"))
        names = ", ".join(f"course/models/{path.name}" for path in shipped) or "none"
        raise UserError(f"There is no model file {model}; those of the course are: {names}.")


def _lines(stream: IO[bytes], name: str) -> Iterator[str]:
    for number, line in enumerate(stream, start=1):
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError:
            raise UserError(f"{name}:{number} is not UTF-8 text; save the file as UTF-8.") from None


def _stdout_to_stderr(active: bool) -> contextlib.AbstractContextManager[object]:
    return contextlib.redirect_stdout(sys.stderr) if active else contextlib.nullcontext()
