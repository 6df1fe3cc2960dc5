"""From a student's files to one submission for each unit: which notebook was meant, and what was
found on the way."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course.grading.intake.files import (
    ARCHIVE_BYTES,
    MB,
    NOTEBOOK_BYTES,
    File,
    Unreadable,
    files_in,
    is_junk,
    open_archive,
    shown,
)
from course.grading.intake.parse import parse_notebook
from course.grading.intake.repair import mend
from course.grading.intake.students import ARCHIVE, NOTEBOOK, HandIn, hand_ins
from course.writing.notebooks import BEGIN_HIDDEN, BEGIN_SOLUTION, answer_sources

READY = "ready"
NEEDS_A_LOOK = "needs a look"
COULD_NOT_RUN = "could not run"

ENDING = re.compile(r"\.(json|txt)$|^[^.]+$", re.IGNORECASE)  # a notebook's that lost its own
TIMESTAMP, TIMESTAMP_BYTES = "timestamp.txt", 200
TIME = re.compile(
    r"\d{4}-\d\d?-\d\d?([T ]\d\d?:\d\d[\d:.]*)?Z?( ?[+-]\d\d:?\d\d| [A-Za-z_]+(/[\w+-]+)*)?"
)
NESTED = 2  # archives in one another
ALIKE = 0.2  # part of a release's own texts that a notebook shares at least if it comes of it


@dataclass(frozen=True)
class Submission:
    """What one student handed in for one unit.

    `notebook` holds it as nbformat 4 in UTF-8, without outputs and with the names and marks of the
    release's cells; it is None unless it is certain which notebook was meant. `findings` are
    sentences that say what was found and what to do; those of a submission that is ready are for
    information. `submitted` is in UTC and without a time zone, as nbgrader has it.
    """

    student: str
    unit: str
    source: str
    status: str
    findings: tuple[str, ...] = ()
    notebook: bytes | None = None
    submitted: datetime | None = None


@dataclass
class _Notebook:
    """A notebook among a student's files. `nb` is None if it is none, and `look` says why."""

    name: tuple[str, ...]
    nb: NotebookNode | None = None
    answers: dict[str, str] = field(default_factory=dict)
    blank: bool = False
    look: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return shown("/".join(self.name))


@dataclass
class _Found:
    """What was found among a student's files: notebooks, what is no regular file, and the rest."""

    notebooks: list[_Notebook] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    others: list[tuple[str, ...]] = field(default_factory=list)
    look: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_class(path: Path, releases: Mapping[str, NotebookNode], unit: str) -> Iterator[Submission]:
    """The submissions of a class for one unit, in the order of the students' ids, one read at a
    time. `path` is nbgrader's folder or a download of Canvas or Moodle, `releases` are the
    assignments of all units as students get them. Raises UserError if there is nobody."""
    with hand_ins(path, releases) as found:
        for hand_in in found:
            if (submission := submission_of(hand_in, releases, unit)) is not None:
                yield submission


def units_of(found: Iterable[HandIn], releases: Iterable[str]) -> list[str]:
    """The units that a class handed in something for, by the names alone: those with a folder, or
    else the one that most students' files are named after. A download is of one assignment."""
    releases = sorted(releases)
    folders: set[str] = set()
    named: Counter[str] = Counter()
    for hand_in in found:
        if hand_in.folders:
            folders |= {_folder_of(file, releases) for file in hand_in.files}
        named.update({_unit_by_name(file.parts, releases) for file in hand_in.files})
    if folders - {""}:
        return sorted(folders - {""})
    del named[""]
    return [unit for unit, _ in named.most_common(1)] or (releases if len(releases) == 1 else [])


def submission_of(
    hand_in: HandIn, releases: Mapping[str, NotebookNode], unit: str
) -> Submission | None:
    """What a student handed in for a unit, or None if it is certain that it was for others only.

    Whatever goes wrong ends up in the submission, never in an exception: three hundred are read in
    one go, and some are broken in new ways.
    """
    try:
        return _submission_of(hand_in, releases, unit)
    except Exception as error:
        why = shown(f"{type(error).__name__}: {error}")
        finding = f"Reading it raised {why}; open it by hand, and report this."
        return Submission(hand_in.student, unit, hand_in.source, COULD_NOT_RUN, (finding,))


def _submission_of(
    hand_in: HandIn, releases: Mapping[str, NotebookNode], unit: str
) -> Submission | None:
    files = hand_in.files
    if hand_in.folders:
        files = [file for file in files if _folder_of(file, releases) in (unit, "")]
    elsewhere = len(files) < len(hand_in.files)
    here = any(_folder_of(file, releases) for file in files)
    found = _Found(look=list(hand_in.look), notes=list(hand_in.notes))
    _sort(files, found, Allowance())
    mine, strange = [], []
    for notebook in found.notebooks:
        said = unit if not hand_in.folders or unit in notebook.name[:-1] else ""
        by_text = _unit_by_text(notebook, releases)
        theirs = by_text or ("" if said else _unit_by_name(notebook.name, releases))
        if theirs in (unit, ""):
            if notebook.nb is not None:
                _compare(notebook, releases[unit])
        elif elsewhere and not said:
            continue
        else:
            notebook.look = [f"{notebook} is of {theirs}, not {unit}; ask for the right one."]
            notebook.nb = None
            strange.append(notebook)
            continue
        mine.append(notebook)
    if any(
        notebook.answers and not notebook.blank for notebook in mine
    ):  # all units in one archive
        found.others += [notebook.name for notebook in strange]
    else:
        mine += strange
    if hand_in.folders and elsewhere and not (here or mine):
        return None
    if any(notebook.answers for notebook in mine):  # the rest are no versions of the assignment
        found.others += [n.name for n in mine if n.nb is not None and not n.answers]
        mine = [n for n in mine if n.nb is None or n.answers]
    chosen, look, notes = _choose(mine, unit)
    if chosen is not None:
        look += _beside(chosen, found.others)
    look, notes = [*found.look, *look], [*found.notes, *notes]
    (notes if chosen else look).extend(found.refused)
    if chosen is None and not look:
        look.append(f"There is no notebook; ask for {unit}.ipynb.")
    if found.others:
        notes.append(f"Not used: {_names(found.others)}.")
    submitted = _submitted(files, unit, look)
    status = NEEDS_A_LOOK if look else READY
    if chosen is None and not any(notebook.nb for notebook in mine):
        status = COULD_NOT_RUN
    return Submission(
        hand_in.student,
        unit,
        hand_in.source,
        status,
        tuple(dict.fromkeys([*look, *notes])),
        None if chosen is None else _written(chosen.nb),
        submitted,
    )


# ---------------------------------------------------------------------------------------- the files


@dataclass
class Allowance:
    """How many bytes of one student's are still read, whatever they are packed in."""

    left: int = 2 * ARCHIVE_BYTES

    def read(self, file: File, limit: int) -> bytes:
        if not self.left:
            raise Unreadable(
                f"comes after {2 * ARCHIVE_BYTES // MB} MB of others; ask for it alone"
            )
        data = file.read(min(limit, self.left))
        self.left -= len(data)
        return data


def _sort(files: Iterable[File], found: _Found, allowance: Allowance, nested: int = 0) -> None:
    """Read the notebooks among a student's files, those in archives too."""
    for file in files:
        name = file.parts[-1] if file.parts else ""
        if file.unsafe and not any("archive names" in text for text in found.look):
            found.look.append(
                f"The archive names {_names([file.parts])} by a path that {file.unsafe}; nothing is "
                "written there, but ask how it came about."
            )
        if not (NOTEBOOK.search(name) or ARCHIVE.search(name) or _is_one(file, allowance)):
            if file.refused:
                found.refused.append(f"{_names([file.parts])} {file.refused}.")
            elif not file.folder and name != TIMESTAMP:
                found.others.append(file.parts)
            continue
        if file.folder:
            continue
        notebook = _Notebook(file.parts)
        try:
            if file.refused:
                raise Unreadable(file.refused)
            data = allowance.read(file, ARCHIVE_BYTES if ARCHIVE.search(name) else NOTEBOOK_BYTES)
            if data.startswith(b"PK"):  # whatever the name says
                if nested == NESTED:
                    raise Unreadable("is an archive in archives; ask for the notebook alone")
                with open_archive(data) as archive:
                    inside = [f for f in files_in(archive, file.parts) if not is_junk(f)]
                    _sort(inside, found, allowance, nested + 1)
                continue
            if ARCHIVE.search(name) and not data.lstrip().startswith(b"{"):
                raise Unreadable("is no zip that can be read; ask for the notebook alone")
            notebook.nb, notebook.look, notebook.notes = parse_notebook(data)
        except Unreadable as error:
            notebook.look = [f"{notebook} {error}."]
        found.notebooks.append(notebook)


def _is_one(file: File, allowance: Allowance) -> bool:
    """Whether a file with another ending is a notebook all the same."""
    if file.folder or file.refused or not ENDING.search(file.parts[-1]):
        return False
    try:
        data = allowance.read(file, NOTEBOOK_BYTES)
    except Unreadable:
        return False
    return data.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"{") and b'"cells"' in data


def _submitted(files: Iterable[File], unit: str, look: list[str]) -> datetime | None:
    """The time in the file that nbgrader's exchange leaves beside a notebook."""
    from nbgrader.utils import parse_utc

    for file in files:
        if file.parts == (unit, TIMESTAMP) and not file.refused:
            try:
                text = file.read(TIMESTAMP_BYTES).decode("utf-8-sig").strip()
                if not TIME.fullmatch(text):  # dateutil would open a file that is named as a zone
                    raise ValueError(text)
                # nbgrader takes an offset by itself for seconds, and dateutil one without a space.
                return parse_utc(re.sub(r" (?=[+-]\d)", "", text))
            except (Unreadable, ValueError, OverflowError):
                look.append(
                    f"{unit}/{TIMESTAMP} holds no time, so nothing says whether this is late; write "
                    "one like 2026-01-30 15:30:10 UTC into it, or delete it."
                )
    return None


# ------------------------------------------------------------------------------------ the notebooks


def _folder_of(file: File, releases: Iterable[str]) -> str:
    """The unit in whose folder a file lies, or whose folder it is itself; "" if in none."""
    return next((part for part in file.parts if part in releases), "")


def _unit_by_name(name: tuple[str, ...], releases: Iterable[str]) -> str:
    """The unit that a file's name comes closest to, or else those of its folders; "" if to none."""
    for part in reversed(name):
        plain = _letters(part)
        names = ((unit, {_letters(unit), _letters(unit.partition("_")[2])}) for unit in releases)
        if found := [unit for unit, words in names if any(word in plain for word in words if word)]:
            return max(found, key=len)
    return ""


def _unit_by_text(notebook: _Notebook, releases: Mapping[str, NotebookNode]) -> str:
    if notebook.nb is None:
        return ""
    texts = {cell.source for cell in notebook.nb.cells}
    alike = {}
    for unit, release in releases.items():
        own = {cell.source for cell in release.cells}
        alike[unit] = len(own & texts) / max(1, len(own))
    best = sorted(alike, key=alike.__getitem__)[-2:]
    if not best or alike[best[-1]] < ALIKE or (len(best) > 1 and alike[best[0]] == alike[best[1]]):
        return ""
    return best[-1]


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name.casefold())


def _compare(notebook: _Notebook, release: NotebookNode) -> None:
    """Compare a notebook with the release of its unit, and mend what can be mended."""
    if any(mark in c.source for c in notebook.nb.cells for mark in (BEGIN_SOLUTION, BEGIN_HIDDEN)):
        notebook.look.append(
            f"{notebook} holds the marks of the instructor's solution; ask where it comes from."
        )
    look, notes = mend(notebook.nb, release)
    notebook.look += look
    notebook.notes += notes
    notebook.answers = {n: text.strip() for n, text in answer_sources(notebook.nb).items()}
    texts = {cell.source.strip() for cell in release.cells} | {""}
    notebook.blank = all(cell.source.strip() in texts for cell in notebook.nb.cells)


def _choose(notebooks: list[_Notebook], unit: str) -> tuple[_Notebook | None, list[str], list[str]]:
    """The notebook that was meant, or None if that is not certain, and what was found in sentences:
    what an instructor should look at, and what is certain."""
    unread = [text for n in notebooks if n.nb is None for text in n.look]
    read = sorted((n for n in notebooks if n.nb is not None), key=lambda n: _rank(n, unit))
    answered = [n for n in read if not n.blank]
    meant: dict[tuple[tuple[str, str], ...], _Notebook] = {}
    for notebook in answered:
        meant.setdefault(tuple(sorted(notebook.answers.items())), notebook)
    if not answered:
        if not read or unread:
            blank = [f"{_list(read)}: blank, so another was meant."] if read else []
            return None, [*unread, *blank], []
        return read[0], read[0].look, [*read[0].notes, "It is blank: no answer was written."]
    chosen, look, notes = answered[0], [*unread], []
    if len(meant) > 1:
        which = f"{_list(meant.values())} are answered in different words"
        if _rank(answered[0], unit)[0] or not _rank(answered[1], unit)[0]:
            return None, [*unread, f"{which}; keep the one that was meant."], []
        look.append(f"{which}; {chosen} is graded, by its name: if it was not meant, delete it.")
    elif len(read) > 1:
        notes.append(f"{chosen} is graded; the others are blank or the same.")
    return chosen, [*look, *chosen.look], [*notes, *chosen.notes]


def _beside(notebook: _Notebook, others: Iterable[tuple[str, ...]]) -> list[str]:
    """What an instructor should know where a notebook needs code from a file beside it."""
    folder = notebook.name[:-1]
    inside = [
        n[len(folder) :] for n in others if n[: len(folder)] == folder and n[-1][-3:] == ".py"
    ]
    code = "\n".join(cell.source for cell in notebook.nb.cells if cell.cell_type == "code")
    needed = [
        name
        for name in dict.fromkeys(names[0].removesuffix(".py") for names in inside)
        if re.search(rf"^\s*(?:from|import|%run)\s+{re.escape(name)}\b", code, re.MULTILINE)
    ]
    if not needed:
        return []
    names = shown(", ".join(needed))
    return [
        f"It imports {names}, handed in beside it, which does not run here; ask for one notebook."
    ]


def _rank(notebook: _Notebook, unit: str) -> tuple[bool, int, str]:
    """Sorts those first that have the name asked for (Canvas adds -1 to what is handed in again)."""
    named = re.fullmatch(rf"{re.escape(unit)}(-\d+)?\.ipynb", notebook.name[-1])
    return not named, len(notebook.name), str(notebook)


def _written(nb: NotebookNode) -> bytes:
    nbformat.validate(nb)
    text = nbformat.v4.writes(nb, indent=None, split_lines=False)  # for programs, and many cells
    return text.encode("utf-8", "replace")


def _list(notebooks: Iterable[_Notebook]) -> str:
    return _names([notebook.name for notebook in notebooks])


def _names(names: Sequence[tuple[str, ...]], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(shown("/".join(name)) or "The folder" for name in names[:most]) + more
