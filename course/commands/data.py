"""`data`: what the course learns from."""

from rich.table import Table

from course.commands import shared
from course.commands.shared import app


@app.command()
def data() -> None:
    """Find GoEmotions (or the course sample), say which it is, and describe it."""
    from course.run import find_data
    from utils.data import SPLITS, describe, load_goemotions

    find_data(shared.console)
    table = Table("", title_justify="left")
    columns = [describe(load_goemotions(split)) for split in SPLITS]
    for split in SPLITS:
        table.add_column(split, justify="right")
    for name in columns[0]:
        if not isinstance(columns[0][name], dict):
            table.add_row(name.replace("_", " "), *(f"{column[name]:.4g}" for column in columns))
    for label in columns[0]["rows_per_label"]:
        table.add_row(label, *(str(column["rows_per_label"][label]) for column in columns))
    shared.console.print(table)
