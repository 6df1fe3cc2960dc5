"""The table of a class's points, for a terminal of eighty columns."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rich.markup import escape
from rich.table import Table

from course.grading.classes import QuestionScore


class ScoreRow(NamedTuple):
    """One student. `as_expected` is None where nothing is expected."""

    student: str
    status: str
    questions: Mapping[str, QuestionScore]
    as_expected: bool | None = None


def score_table(title: str, rows: Iterable[ScoreRow]) -> Table:
    """Points by question, the possible ones in the heading, and "?" for what waits for a person."""
    rows = list(rows)
    possible = {name: q.possible for row in rows for name, q in row.questions.items()}
    table = Table(title=f"{title} (?: to be graded by hand)", title_justify="left")
    table.add_column("Student", no_wrap=True)
    table.add_column("Status", no_wrap=True)
    for name in sorted(possible):
        table.add_column(f"{name}\nof {possible[name]:g}", justify="right", no_wrap=True)
    table.add_column(f"Sum\nof {sum(possible.values()):g}", justify="right", no_wrap=True)
    checked = any(row.as_expected is not None for row in rows)
    if checked:
        table.add_column("As it\nshould be")
    for row in rows:
        scores = [row.questions.get(name) for name in sorted(possible)]
        total = sum(score.points for score in scores if score)
        verdict = "[green]yes[/]" if row.as_expected else "[red]no[/]"
        table.add_row(
            escape(row.student),
            row.status,
            *(shown_points(score) for score in scores),
            f"{total:g}" if row.questions else "none",
            *([verdict] if checked else []),
        )
    return table


def shown_points(score: QuestionScore | None) -> str:
    """A question's points; "?" stands for those that wait for a person."""
    if score is None:
        return "none"
    if score.manual:
        return f"{score.points:g}+?" if score.points else "?"
    return f"{score.points:g}"
