"""Where the course is published: `[project.urls] Repository` in pyproject.toml, and nowhere else.

README.md's badge and links and CITATION.cff are made from it. While it is not there, README.md
points to no place, and CITATION.cff names none.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from course.errors import UserError
from course.writing.units import ROOT

CITATION = "CITATION.cff"
BEGIN = "<!-- published: made by `python -m course build`, do not edit -->"
END = "<!-- end of published -->"
GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)/?")
FIRST_LECTURE = "lectures/01_efficiency.ipynb"
BINDER = "https://mybinder.org"


def _project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def repository(root: Path = ROOT) -> str | None:
    """OWNER/NAME on GitHub, or None while the course is not published.

    Raises UserError for another kind of address: Binder could not be pointed at it."""
    url = _project(root).get("urls", {}).get("Repository")
    if url is None:
        return None
    match = GITHUB.fullmatch(url)
    if match is None:
        raise UserError(
            f"{root / 'pyproject.toml'}: Repository must be https://github.com/OWNER/NAME, got "
            f"{url!r}."
        )
    return match[1]


def published_block(root: Path = ROOT) -> str:
    """The Markdown for README.md: where to open the course without installing anything, and where
    to report what is wrong with it. Empty while the course is not published."""
    name = repository(root)
    if name is None:
        return ""
    binder = f"{BINDER}/v2/gh/{name}/HEAD?urlpath=lab/tree/{FIRST_LECTURE}"
    return (
        f"[![Open the lectures on Binder]({BINDER}/badge_logo.svg)]({binder})\n"
        f"[Source](https://github.com/{name}) · [Issues](https://github.com/{name}/issues)"
    )


def citation(root: Path = ROOT) -> str:
    """The text of CITATION.cff (Citation File Format 1.2.0)."""
    project, name = _project(root), repository(root)
    title = (root / "README.md").read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
    lines = [
        "# Made by `python -m course build` from pyproject.toml and README.md's title; do not edit.",
        "cff-version: 1.2.0",
        "message: If you use this course, please cite it as below.",
        "type: software",
        f"title: {json.dumps(title, ensure_ascii=False)}",
        f"abstract: {json.dumps(project['description'], ensure_ascii=False)}",
        "authors:",
        "  - name: The authors of the course",
        f"version: {project['version']}",
        "license:",
        *(f"  - {licence}" for licence in project["license"].split(" AND ")),
    ]
    if name is not None:
        lines.append(f"repository-code: https://github.com/{name}")
    return "\n".join(lines) + "\n"


def update_citation(root: Path = ROOT) -> None:
    """Write CITATION.cff."""
    (root / CITATION).write_text(citation(root), encoding="utf-8")


def citation_drift(root: Path = ROOT) -> list[str]:
    """Whether CITATION.cff says otherwise than pyproject.toml and README.md, in a sentence."""
    path = root / CITATION
    if path.is_file() and path.read_text(encoding="utf-8") == citation(root):
        return []
    return [f"{CITATION} differs from pyproject.toml; run `python -m course build`."]
