"""The code that measures: the files of which a number is made, and whether they have changed."""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from course.writing.units import ROOT


def sources(file: str | Path, root: Path = ROOT) -> tuple[Path, ...]:
    """A Python file and all that it imports of ``root``, and what those import, sorted.

    Imports inside functions count. A name that a package only hands on is followed to the module that
    defines it, so that the rest of the package may change.
    """
    todo, found = [Path(file).resolve()], set()
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            definitions = (_definition(base, name, root) for base, name, _ in _imports(path, root))
            todo += [path for path in definitions if path]
    return tuple(sorted(found))


def digest(files: Iterable[Path]) -> str:
    """SHA-256 of the contents of files, in their order."""
    return hashlib.sha256(
        b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)
    ).hexdigest()


def _imports(file: Path, root: Path) -> Iterator[tuple[Path, str | None, str]]:
    """Of each import: the module's path without ending, the name taken from it, and what it is here."""
    for level, module, name, here in _named(file.read_text(encoding="utf-8")):
        base = file.parents[level - 1] if level else root
        yield base.joinpath(*module.split(".")), name, here


@cache  # by the text, not the file, which may have changed since
def _named(text: str) -> list[tuple[int, str, str | None, str]]:
    """Of each import: how many dots, the module, the name taken from it, and what it is here."""
    found: list[tuple[int, str, str | None, str]] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [(0, alias.name, None, alias.asname or alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            level, module = node.level, node.module or ""
            found += [(level, module, a.name, a.asname or a.name) for a in node.names]
    return found


def _definition(base: Path, name: str | None, root: Path) -> Path | None:
    """Where ``from base import name`` leads; None if that is no file below the root."""
    module = _module(base)
    if name is None:
        return module
    if inner := _module(base / name):
        return inner
    if module and module.name == "__init__.py":
        for other, original, here in _imports(module, root):
            if here == name:
                return _definition(other, original, root)
    return module


def _module(base: Path) -> Path | None:
    files = (base.parent / f"{base.name}.py", base / "__init__.py")
    return next((file for file in files if file.is_file()), None)
