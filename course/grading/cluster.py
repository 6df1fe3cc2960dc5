"""A class that outgrows one machine: `course grade --scheduler ADDRESS` lets the workers of a Dask cluster
judge it.

Only judging is sent. A submission and the solution go to a worker, and what the cells came to comes
back; the machine that grades does the rest, and it alone touches the class's folder. (A gradebook is
SQLite, whose locks cannot be trusted on a file system that several machines share.) So workers need no
shared folder; they need the same course. What a worker had under way that is ended is judged by another
one, and what was sent by a grader that has ended since changes nothing.

A worker runs tasks in threads. A judge forks, and signals stop it, which takes a process with one
thread: each worker keeps processes of its own for it, one for each task at a time, which end with the
worker, or when there has been nothing to judge for a while.
"""

import contextlib
import json
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from functools import lru_cache
from importlib import metadata
from multiprocessing.connection import Connection
from typing import Any

import nbformat
from nbformat import NotebookNode

from course.errors import UserError
from course.grading.judge import Judged
from course.grading.processes import CODE, end_with, hash_of, while_waiting
from course.threads import ONE_THREAD
from course.writing.units import ROOT

ANSWERS = 30  # seconds in which a scheduler must answer
IDLE = 300  # seconds after which a process that judges ends, if nothing is sent
MOST_ENDED = 3  # processes that are ended from outside while they judge one submission
RETRIES = 2  # by Dask, on any worker
LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch")


@lru_cache
def about() -> dict[str, str]:
    """What scores may depend on, of this machine."""
    code = hash_of(*(path for path in CODE if path.is_dir()))  # not the settings of nbgrader
    python = ".".join(platform.python_version_tuple()[:2])
    libraries = {name: metadata.version(name).partition("+")[0] for name in LIBRARIES}
    return {"the course": code, "Python": python, **libraries}


# ------------------------------------------------------------------------------- who grades


def ready(scheduler: str, unsafe: bool) -> int:
    """How many submissions the workers can judge at once.

    Raises UserError if they cannot judge as this machine would: there are none, one has another course
    or other libraries, or no sandbox (unless it is `unsafe`)."""
    client = _connected(scheduler)
    try:
        threads = client.nthreads()
        if not threads:
            raise UserError(
                f"The Dask scheduler at {scheduler} has no workers; start some, in a checkout of the "
                f"course, by `dask worker {scheduler}`."
            )
        asked = {
            worker: client.submit(_task(), "refusal", about(), unsafe, workers=[worker], pure=False)
            for worker in threads
        }
        for worker, future in asked.items():
            try:
                why = future.result()
            except Exception as error:
                why = f"{type(error).__name__}: {error}.".splitlines()[0]
            if why:
                raise UserError(f"The Dask worker at {worker} cannot judge: {why}")
        return sum(threads.values())
    finally:
        client.close()


def judged_by(
    scheduler: str,
    solution: str,
    submission: NotebookNode,
    **how: Any,
) -> Judged:
    """What `judged_here` of `course.grading.judges` would give, from a worker. Raises UserError if the
    cluster is gone, and RuntimeError if the worker cannot."""
    message = ("judge", about(), solution, json.dumps(submission), how)
    client = _kept_client(scheduler)
    try:
        if client.status == "closed":  # after it has tried for a while to connect again
            raise CancelledError
        with while_waiting():
            notebook, flags = client.submit(_task(), *message, pure=False, retries=RETRIES).result()
    except CancelledError:
        raise UserError(
            f"The connection to the Dask scheduler at {scheduler} was lost; run the command again: it "
            "goes on where it was"
        ) from None
    return Judged(nbformat.from_dict(json.loads(notebook)), flags)


@lru_cache(maxsize=1)
def _kept_client(scheduler: str) -> Any:
    return _connected(scheduler)


def _connected(scheduler: str) -> Any:
    try:
        from distributed import Client
        from distributed.comm import get_address_host_port
    except ImportError:
        raise UserError(
            "--scheduler takes Dask, which is not installed: pip install -c constraints.txt -e '.[dask]'"
        ) from None
    try:
        get_address_host_port(scheduler, strict=True)
    except ValueError:
        raise UserError(
            f"{scheduler!r} is no address of a Dask scheduler, which reads tcp://HOST:PORT."
        ) from None
    try:
        return Client(scheduler, timeout=ANSWERS, set_as_default=False)
    except OSError as error:
        raise UserError(f"No Dask scheduler answers at {scheduler} ({error}).") from None


def _task() -> Callable[..., Any]:
    """A function that is sent as it is, not by its name: the scheduler reads it and may lack the course."""

    def ask(*message: Any) -> Any:
        from course.grading.cluster import on_worker

        return on_worker(*message)

    return ask


# ------------------------------------------------------------------------------- a worker


class Ended(Exception):
    """A process was ended, by hand or for want of memory."""


class _Process:
    """A process that judges, started by a worker."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "course.grading.cluster", str(theirs.fileno())]
        self.process = subprocess.Popen(
            [*command, str(os.getpid()), str(IDLE)],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
            env=os.environ | ONE_THREAD,
        )
        theirs.close()
        self.link = Connection(ours.detach())

    def ask(self, *message: Any) -> tuple[bool, Any]:
        """Whether all went well, and what it answers. Raises Ended if it has ended."""
        try:
            self.link.send(message)
            return self.link.recv()
        except (EOFError, OSError):
            raise Ended from None

    def end(self) -> None:
        self.link.close()
        self.process.kill()
        self.process.wait()


_idle: list[_Process] = []


@contextlib.contextmanager
def _process() -> Iterator[_Process]:
    """A process for one task alone, whatever other threads of this worker do."""
    process = None
    while process is None:
        try:
            process = _idle.pop()
        except IndexError:
            process = _Process()
        if process.process.poll() is not None:  # there was nothing to judge for a while
            process.end()
            process = None
    try:
        yield process
    except BaseException:
        process.end()
        raise
    _idle.append(process)


def on_worker(*message: Any) -> Any:
    """What a process of this worker answers: the task that is sent to a cluster."""
    for _ in range(MOST_ENDED):
        with contextlib.suppress(Ended), _process() as process:
            well, said = process.ask(*message)
            break
    else:
        raise RuntimeError(f"a process that judges was ended {MOST_ENDED} times")
    if not well:
        raise RuntimeError(said)
    return said


# ------------------------------------------------------------------------------- its processes


class _Judges:
    """What a process answers: `refusal`, and `judge`."""

    def __init__(self) -> None:
        self.about = about()

    def refusal(self, theirs: dict[str, str], unsafe: bool) -> str:
        """Why nothing is judged here for a machine that says this about itself."""
        from course.grading.sandbox import without_sandbox

        others = [f"{name} is another" for name in theirs if theirs[name] != self.about[name]]
        if others:
            same = "install the same commit, with constraints.txt, on all machines"
            return f"{', '.join(others)} than where the class is graded; {same}."
        missing = None if unsafe else without_sandbox()
        return str(missing or "")

    def judge(
        self,
        theirs: dict[str, str],
        solution: str,
        submission: str,
        how: dict[str, Any],
    ) -> tuple[str, list[str]]:
        from course.grading.judges import judged_here

        if why := self.refusal(theirs, how["unsafe"]):  # of a worker that came later
            raise UserError(why)
        judged = judged_here(solution, nbformat.from_dict(json.loads(submission)), **how)
        return json.dumps(judged.notebook), judged.flags


def main() -> None:
    """Answer what comes over the socket whose number is the first argument, and end with the process
    whose number is the second, or after the third's seconds without a message."""
    end_with(int(sys.argv[2]))
    link = Connection(int(sys.argv[1]))
    judges = _Judges()
    with contextlib.suppress(EOFError):
        while link.poll(float(sys.argv[3])):
            kind, *message = link.recv()
            try:
                said = True, getattr(judges, kind)(*message)
            except Exception as error:
                said = False, f"{type(error).__name__}: {error}"
            link.send(said)


if __name__ == "__main__":
    main()
