"""Who handed in what: the students of nbgrader's folder, and of the downloads of Canvas and Moodle.

lib/content_zipper.rb of Canvas and mod/assign/locallib.php of Moodle make these names:

doejane_LATE_12345_67890_01_efficiency.ipynb                Canvas: name, user, upload, file
Jane Doe_12345_assignsubmission_file_/01_efficiency.ipynb   Moodle: name, participant, file
"""

import itertools
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from course.errors import UserError
from course.grading.intake.files import File, files_below, files_in, shown, without_junk

_UPLOAD = r"_(?:\d+_(?P<file>.+)|(?P<typed>text|link)\.html)"
CANVAS = re.compile(rf"(?P<name>.+?)(?P<late>_LATE)?_(?P<id>\d+){_UPLOAD}")
CANVAS_ANONYMOUS = re.compile(rf"(?P<late>LATE_)?(?P<name>anon)_(?P<id>[^_]+){_UPLOAD}")
MOODLE = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+?)_?")
MOODLE_FLAT = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)_(?P<file>.+)")
NOTEBOOK = re.compile(r"\.ipynb(\.(txt|json))?$", re.IGNORECASE)  # browsers add the second ending
ARCHIVE = re.compile(r"\.(zip|tar|tgz|gz|bz2|xz|7z|rar|zst)$", re.IGNORECASE)
LONGEST_ID = 200  # bytes; a name in a folder may have 255


@dataclass
class HandIn:
    """What one student handed in, its files named from the student's own folder down.

    `folders` says whether it comes from a folder that holds one for each unit, so that it may be
    about several units, and lack one without anything being wrong.
    """

    student: str
    source: str
    files: list[File] = field(default_factory=list)
    folders: bool = True
    look: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@contextmanager
def hand_ins(path: Path, units: Iterable[str] = ()) -> Iterator[list[HandIn]]:
    """What each student handed in, in the order of the students' ids, ready to be read as long as
    the context lasts. `units` are the names by which a folder around the students' is told from
    one of a student's.

    Raises UserError if `path` is neither a folder nor a zip, or if nobody handed in anything.
    """
    if path.is_dir():
        found = _by_student(path.name, list(files_below(path)), set(units))
        yield _not_empty(found, path)
        return
    if not path.is_file():
        raise UserError(f"{path} does not exist; give a folder with one per student, or a zip.")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError) as error:
        raise UserError(
            f"{path} cannot be read as a zip ({error}); download it again, or give the folder that "
            "holds one per student."
        ) from error
    with archive:
        yield _not_empty(_by_student(path.name, list(files_in(archive)), set(units)), path)


def _not_empty(found: list[HandIn], path: Path) -> list[HandIn]:
    if not found:
        raise UserError(
            f"{path} holds no submission; it needs STUDENT/UNIT/UNIT.ipynb, such as "
            "ada/01_efficiency/01_efficiency.ipynb, or what Canvas or Moodle hand out."
        )
    return found


def _by_student(top: str, files: list[File], units: set[str]) -> list[HandIn]:
    files = _unwrapped(list(without_junk(files, units)), units)
    grouped: dict[tuple[str, str], HandIn] = {}
    for file in files:
        first, rest = file.parts[0], file.parts[1:]
        if first in units:
            raise UserError(f"{top} holds {first} itself; give what holds a folder per student.")
        stem = ARCHIVE.sub("", NOTEBOOK.sub("", first))
        alone = not rest and not file.folder
        look, notes, folders = [], [], False
        if match := MOODLE.fullmatch(first) or (alone and MOODLE_FLAT.fullmatch(first)):
            key, folder = (match["name"], match["id"]), first
            rest = rest or ((match["file"],) if alone and "file" in match.groupdict() else ())
            if match["kind"] != "file":
                notes.append(f"Typed into Moodle: {shown(first)}.")
        elif alone and (match := CANVAS_ANONYMOUS.fullmatch(first) or CANVAS.fullmatch(first)):
            key, folder = (f"{match['name']}_{match['id']}", ""), first
            rest = (match["file"] or first,)
            if match["late"]:
                notes.append("Canvas has it as late.")
            if match["typed"]:
                notes.append(f"Typed into Canvas: {shown(first)}.")
        elif not alone or file.refused:
            key, folder, folders = (first, ""), first, True
        elif stem != first:
            key, folder, rest = (stem, ""), first, (first,)
            look.append(
                f"{shown(first)} lies in no student's folder; its name is taken for the student's."
            )
        else:
            continue  # a list of the class, say
        hand_in = grouped.setdefault(key, HandIn("", f"{top}/{folder}", folders=folders))
        hand_in.files.append(file.below(rest))
        hand_in.look += [text for text in look if text not in hand_in.look]
        hand_in.notes += [text for text in notes if text not in hand_in.notes]
    return _named(grouped)


def _unwrapped(files: list[File], units: set[str]) -> list[File]:
    """The files without a folder that is around all students', such as the `submitted` in a zip of
    it: one that holds names of Canvas or Moodle, or folders with folders of units."""
    tops = {file.parts[0] for file in files}
    inner = [file.below(file.parts[1:]) for file in files if len(file.parts) > 1]
    if len(tops) != 1 or not inner or MOODLE.fullmatch(*tops):
        return files
    downloaded = any(
        MOODLE.fullmatch(file.parts[0]) or CANVAS.fullmatch(file.parts[0]) for file in inner
    )
    students = (file.parts for file in inner if file.parts[0] not in units)
    if downloaded or any(len(parts) > 1 and parts[1] in units for parts in students):
        return inner
    return files


def _named(grouped: dict[tuple[str, str], HandIn]) -> list[HandIn]:
    """Give every hand-in an id that is a plain folder's name and nobody else's. Moodle numbers its
    participants anew for every assignment, so the number counts only among students of one name. A Mac
    writes accents in another way, which makes nobody another student."""
    names = [unicodedata.normalize("NFC", name) for name, _ in grouped]
    taken: set[str] = set()
    for (spelled, number), hand_in in sorted(grouped.items()):
        name = unicodedata.normalize("NFC", spelled)
        wanted = f"{name}_{number}" if number and names.count(name) > 1 else name
        student = plain = _plain(wanted)
        others = itertools.count(2)
        while student in taken:
            student = f"{plain} ({next(others)})"
        if student != wanted:
            hand_in.look.append(f"The name of the student's folder is written {student} here.")
        taken.add(student)
        hand_in.student = student
    return sorted(grouped.values(), key=lambda hand_in: hand_in.student)


def _plain(name: str) -> str:
    """A name that can stand in a path, a terminal and a table, and in nbgrader's formgrader, which writes
    it into its pages and scripts as it is."""
    plain = shown(name.strip(), LONGEST_ID)
    if len(plain.encode()) > LONGEST_ID:
        plain = shown(plain, LONGEST_ID // 4)  # a character has at most four
    return re.sub(r'^\.+|[/\\<>"]', "_", plain).strip() or "nameless"
