"""Processes that grade: the code that they run, what ends them or keeps them out, and whose turn it is."""

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from course.errors import UserError
from course.writing.units import ROOT

ROOMS = ("course/grading", "course/proving", "course/writing", "utils", "nbgrader_config.py")
CODE = tuple(ROOT / name for name in ROOMS)  # what grades


def hashed(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()


def hash_of(*paths: Path) -> str:
    """Of a file, or of all Python files below a folder."""
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*.py"))]
    return hashed(*(file.read_bytes() for file in sorted(files)))


def end_with(parent: int) -> None:
    """Let this process end with the one that has started it, from its first moment on: one that waits for
    its first submission would outlive a grader that was ended by minutes."""
    from course.grading.inside import end_with_parent

    end_with_parent()
    if os.getppid() != parent:  # it has ended meanwhile
        os._exit(1)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Raises UserError if another process is in here for the same folder. The system lets go when a
    process ends, however it ends."""
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"Another process is grading in {folder}; wait until it has ended, or end it."
            ) from None
        yield


class _Turn(threading.local):
    mine = False  # of this thread


_lock, _turn = threading.Lock(), _Turn()


@contextlib.contextmanager
def in_turn() -> Iterator[None]:
    """One thread at a time is in here. nbgrader's steps change what all threads share, and a process that
    forks must not do so while another thread holds a lock."""
    with _lock:
        _turn.mine = True
        try:
            yield
        finally:
            _turn.mine = False


@contextlib.contextmanager
def while_waiting() -> Iterator[None]:
    """In here another thread has its turn, if it was this one's."""
    if not _turn.mine:
        yield
        return
    _turn.mine = False
    _lock.release()
    try:
        yield
    finally:
        _lock.acquire()
        _turn.mine = True
