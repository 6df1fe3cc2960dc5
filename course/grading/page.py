"""What a class came to, for whoever teaches it: a page to read, and tables for other programs."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from course.grading.classes import StudentResult, mistakes_made
from course.grading.tables import shown_points

TEMPLATE = Path(__file__).parents[1] / "assets" / "class.html.jinja"
FORMULA = ("=", "+", "-", "@")  # a spreadsheet computes what begins with one of these


def write_scores(results: Mapping[str, Sequence[StudentResult]], folder: Path) -> Path:
    """Write `scores.csv` (one row a student and assignment), `scores.json` (with the reasons) and
    `class.html`: who needs a look and why, the mistakes made, all points. Returns the page's path.

    nbgrader's own export does not quote, so a comma in a name shifts its columns. A text that a
    spreadsheet would take for a formula has an apostrophe before it."""
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted({q for group in results.values() for result in group for q in result.questions})
    with (folder / "scores.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        columns = ["points", "possible", "waiting_for_manual_grading", "problem"]
        writer.writerow(["assignment", "student", "status", *names, *columns])
        for assignment, group in results.items():
            for result in group:
                scores = [result.questions.get(name) for name in names]
                sums = [result.points, result.possible, sum(s.manual for s in scores if s)]
                writer.writerow(
                    [assignment, _text(result.student), result.status]
                    + ["" if score is None else score.points for score in scores]
                    + (sums if result.questions else [""] * len(sums))  # none is not 0
                    + [_text(result.problem)]
                )
    table = {name: [asdict(result) for result in group] for name, group in results.items()}
    text = json.dumps(table, indent=1, ensure_ascii=False) + "\n"
    (folder / "scores.json").write_text(text, encoding="utf-8")
    path = folder / "class.html"
    path.write_text(class_page(results), encoding="utf-8")
    return path


def class_page(results: Mapping[str, Sequence[StudentResult]]) -> str:
    """The page, by assignment. All that students wrote is escaped."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["points"] = shown_points
    units = [
        {
            "name": name,
            "results": group,
            "mistakes": mistakes_made(group),
            "questions": {
                question: score.possible
                for result in group
                for question, score in sorted(result.questions.items())
            },
        }
        for name, group in results.items()
    ]
    looks = [(name, r) for name, group in results.items() for r in group if r.needs_a_look]
    n = sum(map(len, results.values()))
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(units=units, looks=looks, n=n)


def _text(text: str) -> str:
    """A text that a spreadsheet shows as it is."""
    text = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return f"'{text}" if text.lstrip().startswith(FORMULA) else text
