"""The package that students receive: what they work with, and nothing that would do it for them."""

import io
import os
import re
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from course.errors import UserError
from course.writing.units import Unit

TOP = "small-language-models"  # the folder that it unpacks to
TEMPLATES = Path(__file__).parents[1] / "assets" / "bundle"
# As they stand in the course. (`course/` is the course as a program, with solutions and mistakes: of it
# there are only the figures and the models that lectures read.)
FILES = (
    "LICENSE",
    "LICENSE-text",
    "CITATION.cff",
    "AGENTS.md",
    "constraints.txt",
    "jupyter_config.py",
)
FOLDERS = ("utils", "course/results", "course/models", "course/assets/nbconvert/folded")
# What the course as a program needs, and no notebook.
NOT_FOR_STUDENTS = ("bleach", "jupytext", "nbgrader", "sqlalchemy", "typer")
EPOCH = (1980, 1, 1, 0, 0, 0)  # of each file, so that the same course makes the same bytes


def write_bundle(
    units: Sequence[Unit], root: Path, path: Path, more: Mapping[str, bytes] | None = None
) -> int:
    """Write the zip of these units to `path`, with `more` files by their names. Returns their number.
    UserError where a notebook is missing, or the place is none for a zip."""
    if path.suffix != ".zip" or path.is_dir():
        raise UserError(f"{path} is no name for the package; give one that ends in .zip.")
    if not path.parent.is_dir():
        raise UserError(f"{path.parent} does not exist; make it first, or give another place.")
    files = dict(bundle_files(units, root)) | dict(more or {})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(f"{TOP}/{name}", EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            archive.writestr(member, files[name])
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(packed.getvalue())
    os.replace(new, path)
    return len(files)


def bundle_files(units: Iterable[Unit], root: Path) -> Iterator[tuple[str, bytes]]:
    """Each file that students get, by its name below the package's folder."""
    for unit in units:
        for notebook in (unit.lecture_notebook(root), unit.release_notebook(root)):
            yield notebook.relative_to(root).as_posix(), _read(notebook)
    for name in FILES:
        yield name, _read(root / name)
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            parts = file.relative_to(root).parts
            if file.is_file() and "__pycache__" not in parts and not file.name.startswith("."):
                yield "/".join(parts), _read(file)
    yield from _made(root)


def solution_files(units: Iterable[Unit], root: Path) -> Iterator[tuple[str, bytes]]:
    """What instructors get besides: the solutions with their hidden tests."""
    for unit in units:
        path = unit.solution_notebook(root)
        yield path.relative_to(root).as_posix(), _read(path)


def _made(root: Path) -> Iterator[tuple[str, bytes]]:
    """What is written for students: how to begin, and what to install."""
    project = tomllib.loads(_read(root / "pyproject.toml").decode())["project"]
    needed = [line for line in project["dependencies"] if _name(line) not in NOT_FOR_STUDENTS]
    filled = {
        "VERSION": project["version"],
        "PYTHON": project["requires-python"],
        "DEPENDENCIES": "".join(f'    "{line}",\n' for line in needed),
    }
    for name in ("README.md", "pyproject.toml"):
        text = (TEMPLATES / f"{name}.template").read_text(encoding="utf-8")
        for key, value in filled.items():
            text = text.replace(f"{{{key}}}", value)
        yield name, text.encode()
    lines = _read(root / "environment.yml").decode().splitlines(keepends=True)
    kept = [line for line in lines if _name(line.strip(" -")) not in NOT_FOR_STUDENTS]
    yield "environment.yml", "".join(kept).encode()


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9_.-]", requirement, maxsplit=1)[0]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; run `python -m course build` first.") from None
