"""Running an answer on many inputs, each in a way that nothing it does can harm the next."""

import inspect
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np

from utils.checking.outcomes import (
    CHANGED,
    ENDLESS,
    Outcome,
    measured,
    outcome_of,
    outcome_of_error,
)
from utils.checking.watch import own_work

SECONDS = 5  # of the processor, that an answer may take for one input

Trial = Callable[..., object]
Cases = Callable[[np.random.Generator], Iterable[tuple]]


@dataclass
class Run:
    """What came of one trial: the inputs, by the names of its parameters, and the outcome. ``where``
    is the line of the student's code that raised; ``changed`` the inputs that it changed."""

    inputs: dict[str, object]
    outcome: Outcome
    where: str = ""
    changed: tuple[str, ...] = ()


def run_cases(
    trial: Trial,
    cases: Cases,
    seed: int,
    *,
    forbidden: str | Sequence[str] = (),
    protect: Sequence[str] = (),
    seconds: float = SECONDS,
) -> list[Run]:
    """Run a trial on every input, each a fresh copy; stop at one that never ends.

    Raises
    ------
    AssertionError
        If the answer calls what it is to write itself; see :func:`own_work`.
    """
    names = list(inspect.signature(trial).parameters)
    watched = own_work(trial, *([forbidden] if isinstance(forbidden, str) else forbidden))
    runs = []
    with tempfile.TemporaryFile(buffering=0) as aside:
        for case in cases(np.random.default_rng(seed)):
            case = case if isinstance(case, tuple) else (case,)
            given = dict(zip(names, deepcopy(case), strict=False))
            where = ""
            try:
                with off_stderr(aside), at_most(seconds):
                    outcome = outcome_of(watched(*given.values()))
            except Endless:
                outcome = Outcome(ENDLESS, np.zeros(0), f"still running after {seconds:g} seconds")
            except (Exception, SystemExit) as error:
                if getattr(error, "not_own_work", False):
                    raise
                outcome, where = outcome_of_error(error), _line_of(error, trial)
            inputs = dict(zip(names, case, strict=False))
            changed = tuple(
                name for name in protect if name in inputs and _differ(inputs[name], given[name])
            )
            if changed:
                structure = f"{outcome.structure}{CHANGED}{','.join(changed)}"
                outcome = replace(outcome, structure=structure)
            runs.append(Run(inputs, outcome, where, changed))
            if outcome.structure == ENDLESS:
                break
    return runs


def _differ(before: object, after: object) -> bool:
    if isinstance(before, np.ndarray) and before.dtype.kind in "biufc":
        if np.array_equal(before, after):  # NaN is not: see below
            return False
    (structure, values), (other, others) = measured(before), measured(after)
    return structure != other or not np.array_equal(values, others)


class Endless(BaseException):
    """Raised by the alarm; not an Exception, so that `except Exception` does not swallow it."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise :class:`Endless` after so many seconds of the processor, where signals can do that.

    Time of the processor, so that a right answer is not punished for a busy machine. What waits for
    ever without computing is left to the time limit of the cell."""
    if not hasattr(signal, "setitimer") or threading.current_thread() != threading.main_thread():
        yield
        return

    def on_alarm(number: int, frame: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0.5)  # again, should a bare `except:` swallow this one
        raise Endless

    before = signal.signal(signal.SIGPROF, on_alarm)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def off_stderr(aside: BinaryIO) -> Iterator[None]:
    """Send to stdout what is written to stderr, by Python, by C code or by a child process: nbgrader
    takes anything on stderr for a failure, and a warning costs no points. An empty file holds it
    meanwhile, and is empty again afterwards: to make one costs more than most trials."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # closed
        with redirect_stderr(sys.stdout):
            yield
        return
    os.dup2(aside.fileno(), 2)
    try:
        with redirect_stderr(sys.stdout):
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        aside.seek(0)
        if text := aside.read(10_000).decode(errors="replace"):
            sys.stdout.write(text)
            aside.seek(0)
            aside.truncate()


def _line_of(error: BaseException, trial: Trial) -> str:
    """The last line of the student's own code in a traceback: of a cell, and not of the check's."""
    check = trial.__code__.co_filename
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if ("ipython-input" in frame.filename or "ipykernel" in frame.filename)
        and frame.filename != check
    ]
    return f"line {own[-1].lineno}: {(own[-1].line or '').strip()}" if own else ""
