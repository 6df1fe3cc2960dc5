"""The files that a class handed in, listed and read without trusting any of them.

Nothing is unpacked to a disk, no link is followed, nothing but a regular file is opened, and what is
read or decompressed stops at a limit, whatever the header of an archive says.
"""

import io
import itertools
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MB = 2**20
NOTEBOOK_BYTES = 32 * MB
ARCHIVE_BYTES = 64 * MB
MAX_FILES = 5000  # of one student, or in one student's archive
MAX_DEPTH = 10  # of folders
KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
JUNK = re.compile(r"__MACOSX|__pycache__|\..*|Thumbs\.db|desktop\.ini", re.IGNORECASE)
# How every program that people zip with packs a file. LZMA and bzip2 take memory as their headers ask.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
FLAG_ENCRYPTED = 0x1
_ARCHIVE_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)


class Unreadable(Exception):
    """Why a file cannot be read and what to do, worded to follow the file's name: "is empty"."""


@dataclass(frozen=True)
class File:
    """One file or folder, as it is named below the top of what was handed in.

    `read` takes the most bytes that it may return and raises Unreadable. `refused` says why it is
    not to be read at all, and `unsafe` why its name is none to unpack to; both may be empty.
    """

    parts: tuple[str, ...]
    read: Callable[[int], bytes]
    folder: bool = False
    refused: str = ""
    unsafe: str = ""

    def below(self, parts: tuple[str, ...]) -> "File":
        """The same file under another name."""
        return File(parts, self.read, self.folder, self.refused, self.unsafe)


def is_junk(file: File) -> bool:
    """Whether a system or an editor left this behind, not a person."""
    return any(JUNK.fullmatch(part) for part in file.parts)


def without_junk(files: Iterable[File], units: Iterable[str] = ()) -> Iterator[File]:
    """The files that a person handed in. A folder that holds only junk is still there, and one that holds
    a unit's is a student's, whatever that student is called."""
    for file in files:
        of_unit = len(file.parts) > 1 and file.parts[1] in units
        if not is_junk(file.below(file.parts[1:]) if of_unit else file):
            yield file
        elif around := tuple(itertools.takewhile(lambda p: not JUNK.fullmatch(p), file.parts)):
            yield File(around, _no_bytes, folder=True)


# ------------------------------------------------------------------------------------------ folders


def files_below(folder: Path, parts: tuple[str, ...] = ()) -> Iterator[File]:
    """What is in a folder, itself at first unless it is the top, in the order of the names."""
    if parts:
        yield File(parts, _no_bytes, folder=True)
    if len(parts) > MAX_DEPTH:
        yield _refused(parts, f"is more than {MAX_DEPTH} folders deep; move the notebook up")
        return
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        yield _refused(parts, _cannot_open(error))
        return
    for entry in entries:
        inside = _entry(entry, (*parts, entry.name))
        if parts:
            yield from inside
            continue
        yield from itertools.islice(inside, MAX_FILES)  # of one student
        if next(inside, None) is not None:
            yield _refused((entry.name,), f"holds more than {MAX_FILES:,} files; look at them")


def _entry(entry: os.DirEntry, parts: tuple[str, ...]) -> Iterator[File]:
    path = Path(entry.path)
    try:
        mode = entry.stat(follow_symlinks=False).st_mode
    except OSError as error:
        yield _refused(parts, _cannot_open(error))
        return
    if stat.S_ISDIR(mode):
        if len(parts) == 1 or not JUNK.fullmatch(entry.name):  # a student may be called so
            yield from files_below(path, parts)
    elif stat.S_ISREG(mode):
        yield File(parts, lambda limit: _read_regular(path, limit))
    else:
        yield _refused(parts, _special(mode, os.readlink(path) if stat.S_ISLNK(mode) else ""))


def _read_regular(path: Path, limit: int) -> bytes:
    """The bytes of a file that is one when it is opened, not only when it was listed: opening a
    link fails, and opening a pipe does not wait for somebody to write to it."""
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # not every system has each
        flags |= getattr(os, name, 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise Unreadable(_special(mode))
            return _at_most(file, limit)
    except OSError as error:
        raise Unreadable(_cannot_open(error)) from error


def _at_most(file: io.BufferedIOBase | zipfile.ZipExtFile, limit: int) -> bytes:
    data = file.read(limit + 1)
    if len(data) > limit:
        raise Unreadable(f"holds more than {limit // MB} MB; ask for the notebook without outputs")
    return data


def _special(mode: int, target: str = "") -> str:
    kind = KINDS.get(stat.S_IFMT(mode), "no file")
    to = f" to {shown(target)}" if target else ""
    return f"is {kind}{to} and was not opened; ask for the file itself"


def _cannot_open(error: OSError) -> str:
    return f"cannot be opened ({error.strerror}); look at its permissions"


# ----------------------------------------------------------------------------------------- archives


def open_archive(data: bytes) -> zipfile.ZipFile:
    """A student's archive. Raises Unreadable if it is none or holds too many files."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _ARCHIVE_ERRORS as error:
        raise Unreadable(f"is a damaged archive ({shown(str(error))}); ask for it again") from error
    if len(archive.infolist()) > MAX_FILES:
        raise Unreadable(f"holds more than {MAX_FILES:,} files; ask for the notebook alone")
    return archive


def files_in(archive: zipfile.ZipFile, parts: tuple[str, ...] = ()) -> Iterator[File]:
    """The members of an archive, named as if it were a folder with the name `parts`.

    Names are split at both kinds of slashes, since some programs on Windows write the other one.
    """
    for info in archive.infolist():
        split = [part for part in re.split(r"[\\/]", info.filename) if part not in ("", ".")]
        unsafe = ""
        if ".." in split:
            unsafe = "leads out of its folder"
        elif re.match(r"[\\/]|[A-Za-z]:", info.filename):
            unsafe = "is an absolute path"
        name = (*parts, *(part for part in split if part != ".." and not part.endswith(":")))
        mode = info.external_attr >> 16
        if len(name) == len(parts):
            continue
        if info.is_dir():
            yield File(name, _no_bytes, folder=True, unsafe=unsafe)
        elif stat.S_IFMT(mode) in KINDS:
            yield File(name, _no_bytes, refused=_special(mode), unsafe=unsafe)
        else:
            yield File(name, _member(archive, info), unsafe=unsafe)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[int], bytes]:
    def read(limit: int) -> bytes:
        if info.flag_bits & FLAG_ENCRYPTED:
            raise Unreadable("is locked with a password; ask for it without")
        if info.compress_type not in METHODS:
            raise Unreadable("is packed in a way that is not read here; ask for a plain zip")
        try:
            with archive.open(info) as file:
                return _at_most(file, limit)
        except _ARCHIVE_ERRORS as error:
            raise Unreadable(
                f"is damaged in its archive ({shown(str(error))}); ask for it again"
            ) from error

    return read


# ------------------------------------------------------------------------------------------- shared


def shown(text: str, most: int = 80) -> str:
    """A name or text of somebody else's, fit for a terminal and a page: printable, and not long."""
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return plain if len(plain) <= most else plain[: most - 3] + "..."


def _no_bytes(limit: int) -> bytes:
    raise Unreadable("is no file")


def _refused(parts: tuple[str, ...], why: str) -> File:
    return File(parts, _no_bytes, refused=why)
