"""What took long to make is kept in ``build/cache`` until something that went into it changes.

An entry is a folder. Its name is a hash of the code that makes it (see :mod:`course.measuring.sources`),
of the data, and of every setting, the seed among them; ``made_of.json`` in it says which these were.
Deleting ``build/cache`` is always safe.
"""

import functools
import hashlib
import inspect
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from course.errors import UserError
from course.measuring.sources import digest, sources
from course.writing.units import ROOT
from utils.data import find_goemotions
from utils.embeddings import DISTILLED_FILE
from utils.models import TextClassifier
from utils.packing import load_model, save_model

BUILD = ROOT / "build" / "cache"
MADE_OF = "made_of.json"
LONG = 50  # of longer lists only a hash is written: targets, or the texts of comments


@dataclass(frozen=True)
class Entry:
    """A place in the cache; nothing needs to be there yet.

    Attributes
    ----------
    folder : where what is made is written to
    made_of : kind, settings, data and code, as ``made_of.json`` has them
    code : the files that make it
    """

    folder: Path
    made_of: dict
    code: tuple[Path, ...]

    @property
    def made(self) -> bool:
        return (self.folder / MADE_OF).exists()

    def make(self, write: Callable[[Path], None]) -> Path:
        """The folder, after ``write(folder)`` has filled it, unless it was full already.

        Interrupted, what ``write`` left there is there for the next try to go on from.

        Raises
        ------
        UserError
            If the code has changed since the entry was looked up: what runs may be older than it.
        """
        if not self.made:
            if _code(self.code) != self.made_of["code"]:
                raise UserError("The code that measures changed while it ran; start again.")
            self.folder.mkdir(parents=True, exist_ok=True)
            write(self.folder)
            write_text(self.folder / MADE_OF, json.dumps(self.made_of, indent=1) + "\n")
        return self.folder

    def forget(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def entry(kind: str, settings: Mapping, code: Iterable[Path]) -> Entry:
    """Where what this code makes of the data with these settings is kept.

    Parameters
    ----------
    kind : a folder of the cache, such as "models"
    settings : whatever the result depends on, see :func:`plain`
    code : files, see :func:`course.measuring.sources.sources`

    Raises
    ------
    UserError
        If a setting is of a kind that no key can be made of.
    """
    code = tuple(code)
    made_of = {
        "kind": kind,
        "settings": plain(settings),
        "data": {"GoEmotions": data_digest(), DISTILLED_FILE.name: digest([DISTILLED_FILE])},
        "code": _code(code),
    }
    key = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]
    return Entry(BUILD / kind / key, made_of, code)


def trained_once(
    train: Callable[..., tuple[TextClassifier, dict]], **settings: object
) -> tuple[TextClassifier, dict]:
    """``train(**settings)``: a model in float32 with its thresholds, and what its training cost.

    The model is the one that its file holds. ``train`` is called only if the cache has no model of
    these settings, these data, and the code of the module that ``train`` is in.
    """

    def write(folder: Path) -> None:
        model, cost = train(**settings)
        save_model(model, folder / "model.slm")
        (folder / "cost.json").write_text(json.dumps(cost), encoding="utf-8")

    by = {"train": train, **settings}
    folder = entry("models", by, sources(inspect.getfile(train))).make(write)
    return load_model(folder / "model.slm"), json.loads((folder / "cost.json").read_text("utf-8"))


def data_digest() -> str:
    """SHA-256 of the three files of GoEmotions, or of the sample that stands in for them."""
    folder = find_goemotions().folder
    contents = b"".join((folder / f"{s}.tsv").read_bytes() for s in ("train", "dev", "test"))
    return hashlib.sha256(contents).hexdigest()


def plain(value: Any) -> Any:
    """A setting in the terms of JSON, so that equal settings are written alike and others are not.

    Arrays and long lists become their hash; functions, classes and partial calls their names;
    dataclasses and objects of ``utils`` their class with what they were made of.

    Raises
    ------
    UserError
        For anything else, and for functions without a name of their own: what these do is not to be
        seen from outside.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.ndarray):
        contents = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return {"array": [str(value.dtype), *value.shape], "sha256": contents}
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | range):
        items = [plain(one) for one in value]
        if len(items) <= LONG:
            return items
        return {
            "list": [len(items)],
            "sha256": hashlib.sha256(json.dumps(items).encode()).hexdigest(),
        }
    if isinstance(value, functools.partial):
        call = {"call": plain(value.func), "with": plain(value.args)}
        return call | plain(value.keywords)
    if inspect.isfunction(value) or inspect.isclass(value):
        if "<" in value.__qualname__:
            raise UserError(
                f"{value.__qualname__} in {value.__module__} cannot be a setting that a model is kept "
                "by; give it a name of its own in its module."
            )
        return f"{value.__module__}.{value.__qualname__}"
    if is_dataclass(value):
        names = [field.name for field in fields(value) if field.init]
    elif type(value).__module__.startswith("utils."):
        names = vars(value)
    else:
        raise UserError(
            f"A {type(value).__name__} cannot be a setting that something is kept by; "
            "give numbers, text, arrays, or a dataclass of them."
        )
    return {"class": plain(type(value))} | {name: plain(getattr(value, name)) for name in names}


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _code(files: Iterable[Path]) -> dict[str, str]:
    """Each file below the root, or else by its name, and the start of its hash."""
    return {
        str(file.relative_to(ROOT) if file.is_relative_to(ROOT) else file.name): digest([file])[:16]
        for file in files
    }
