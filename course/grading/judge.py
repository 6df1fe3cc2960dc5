"""Judge submissions: the tests run here, what they test runs in a sandbox.

Two processes, one of which is believed:

judge     forked for each submission from a process that has run the instructor's setup cells. It holds
          tests, keys and trusted copies of NumPy and `utils.checking`. For every name that an answer
          defines, its notebook holds a stand-in whose calls are messages (course.grading.session).
sandbox   forked for the same submission from a server in bubblewrap (course.grading.inside). It runs
          the student's cells and answers calls, one input at a time, that it has not seen before. It
          holds no test.

So the tests are those that students run, unchanged. What a student's code does to its own process,
be it an object that equals everything, a patched NumPy or a message of its own, changes only what it
answers; and what it answers is compared here. What it prints goes nowhere.

A sandbox that ends (a crash, the end of a question's time) costs the question that was tested or the cell
that ran; the next question gets a new one, in which the cells above run again without that cell.
"""

import ast
import contextlib
import gc
import importlib
import io
import json
import os
import re
import resource
import symtable
import sys
import zlib
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from course.grading.inside import end_with_parent
from course.grading.judging import Judging, Step, Trusted
from course.grading.memory import own_memory
from course.grading.processes import while_waiting
from course.grading.sandbox import DERIVES, Limits, Sandbox
from course.grading.session import CALLS, MODULE
from course.grading.signs import signs_in
from course.proving.shell import CRASHED
from course.writing.keys import UNPACKED, solved
from course.writing.notebooks import (
    BEGIN_HIDDEN,
    END_HIDDEN,
    KEYS,
    grade_id,
    is_answer,
    is_test,
    question_of,
    region_lines,
)
from utils.checking import unpacked
from utils.checking.keys import Expected, Key
from utils.checking.outcomes import Outcome
from utils.checking.trials import run_cases

LIMITS = Limits()
LIBRARY = re.compile(r"[\"']utils(?:\.[a-z]\w*)+\.([a-z]\w*)[\"']")  # a function, and no method
# A process may be ended from outside, by hand or for want of memory: a crash counts if it comes twice.
MOST_TRIES = 4


@dataclass
class Judged:
    """A submission with the outputs of its cells, and what an instructor should look at."""

    notebook: NotebookNode
    flags: list[str] = field(default_factory=list)


class Judge:
    """Judges submissions of one assignment, whose `solution` holds the tests."""

    def __init__(
        self,
        solution: NotebookNode,
        box: Sandbox,
        *,
        seed: str = "",
        limits: Limits = LIMITS,
    ) -> None:
        self.trusted = {
            grade_id(cell): cell.source
            for cell in solution.cells
            if cell.cell_type == "code" and grade_id(cell) and not is_answer(cell)
        }
        tested = {grade_id(cell) for cell in solution.cells if is_test(cell)}
        self.told = {
            grade_id(cell)
            for cell in solution.cells
            if is_test(cell) and not cell.metadata.nbgrader.points
        }
        first = next((i for i, cell in enumerate(solution.cells) if is_answer(cell)), 0)
        self.answers = {grade_id(cell) for cell in solution.cells if is_answer(cell)}
        # What students were given, in whichever cell it stands.
        self.own = {
            _given(cell.source)
            for cell in solution.cells
            if cell.cell_type == "code" and not is_answer(cell)
        }
        # Cells that no answer needs, and what they define: those between the questions that show what
        # an answer is good for, and the keys of the visible checks, which take long to read. They run if
        # other code that runs mentions one of these names.
        self.shows = {
            cell.source: _stored(cell.source)
            for number, cell in enumerate(solution.cells)
            if cell.cell_type == "code"
            and (grade_id(cell) == KEYS or (number >= first and not grade_id(cell)))
        }
        self.used = set().union(
            *(
                _used(source) - _stored(source)
                for name, source in self.trusted.items()
                if name not in tested | {KEYS}
            )
        )
        setup = [
            cell.source
            for number, cell in enumerate(solution.cells)
            if cell.cell_type == "code"
            and not is_test(cell)
            and (grade_id(cell) in self.trusted or (number < first and not grade_id(cell)))
        ]
        self.tests = {
            name: _compiled(source, f"test {name}")
            for name, source in self.trusted.items()
            if name in tested
        }
        names = [
            name
            for cell in solution.cells
            if is_answer(cell)
            for name in _defined(solved(cell.source) or cell.source)
        ]
        answers = [solved(cell.source) for cell in solution.cells if is_answer(cell)]
        tests = [self.trusted[name] for name in self.tests]
        keys = _keys_of(setup + answers, tests, seed) if seed else {}
        self.library = frozenset(name for test in tests for name in LIBRARY.findall(test))
        self.box = box
        self.known = Trusted(_ran(setup), self.tests, names, keys, limits)
        for test in tests:
            for text in UNPACKED.findall(test):
                unpacked(text)  # which remembers it: not for each submission again
        if "torch" in sys.modules:
            importlib.import_module(DERIVES)
        gc.collect()
        gc.freeze()  # else each judge looks for garbage among all objects of the libraries

    def judge(
        self,
        submission: NotebookNode,
        box: Sandbox | None = None,
        *,
        seconds: float,
        answer_seconds: float | None = None,
    ) -> Judged:
        """The submission with the outputs of its cells. It has all tests, once each; `seconds` is what
        a cell, and the tests of a question, may take, and `answer_seconds`, if fewer, an answer. It
        runs in another `box` than others if one is given."""
        box = (box or self.box).ready()
        found, crashes = {"broken": "not tried"}, 0
        for _ in range(MOST_TRIES):
            server = box.process
            found = self._judged(submission, box, seconds, answer_seconds)
            if "broken" in found:
                if box.process is server:  # else another thread has started it anew
                    box.restart()
            elif not _crashed(found) or crashes:
                break
            else:
                crashes += 1
        if "broken" in found:
            raise RuntimeError(found["broken"])
        done = deepcopy(submission)
        for cell in done.cells:
            if cell.cell_type == "code":
                cell.outputs = []
        for index, outputs in found["outputs"].items():
            clean = [{key: _printable(text) for key, text in output.items()} for output in outputs]
            done.cells[int(index)].outputs = [new_output(**output) for output in clean]
        flags = [" ".join(_printable(flag).split()) for flag in found["flags"]]
        said = str(found["outputs"])  # of who is found out by the watch there is no more to say
        library = frozenset() if CALLS in said else self.library
        return Judged(done, self.signs(submission, library) + flags)

    def _judged(
        self, submission: NotebookNode, box: Sandbox, seconds: float, answer_seconds: float | None
    ) -> dict[str, Any]:
        """What a process of its own finds: outputs and flags, or why it cannot, as `broken`."""
        steps = self.steps(submission)
        reading, writing = os.pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.close(reading)
                self._limit_myself(seconds)
                try:
                    least = min(seconds, answer_seconds or seconds)
                    found = Judging(self.known, box, steps, seconds, least).run()
                except (RuntimeError, OSError) as error:  # of this machine, not of the submission
                    found = {"broken": str(error)}
                with os.fdopen(writing, "w") as pipe:
                    json.dump(found, pipe)
                code = 0
            finally:
                os._exit(code)
        os.close(writing)
        with while_waiting(), os.fdopen(reading) as pipe:
            said = pipe.read()
            ended = os.waitpid(pid, 0)[1]
        return json.loads(said) if ended == 0 else {"broken": "the process that judged it ended"}

    def signs(self, submission: NotebookNode, library: frozenset[str]) -> list[str]:
        """What in a student's own cells looks like an attempt on the grading; `library` are functions that
        they are to write themselves."""
        found = []
        for number, cell in enumerate(submission.cells, start=1):
            name = grade_id(cell)
            if (
                cell.cell_type == "code"
                and name not in self.trusted
                and cell.source.strip() not in self.own
            ):
                where = name or f"cell {number}"
                found += [f"{where}: {sign}" for sign in signs_in(cell.source, library)]
        return found

    def steps(self, submission: NotebookNode) -> list[Step]:
        steps = []
        cells = [cell for cell in submission.cells if cell.cell_type == "code"]
        theirs = [cell.source for cell in cells if grade_id(cell) not in self.trusted]
        used = self.used.union(*(_used(text) for text in theirs if text.strip() not in self.own))
        for index, cell in enumerate(submission.cells):
            if cell.cell_type != "code":
                continue
            name = grade_id(cell)
            if name in self.tests:
                steps.append(Step(index, "", name, told=name in self.told))
                continue
            source = self.trusted.get(name, cell.source)
            if name in self.answers:
                steps.append(Step(index, source, answers=question_of(name)))
            elif source in self.shows:
                if used & self.shows[source]:
                    steps.append(Step(index, source))
            else:
                steps.append(Step(index, source, extra=name not in self.trusted))
        last = max((number for number, step in enumerate(steps) if step.test), default=-1)
        return steps[: last + 1]

    def _limit_myself(self, seconds: float) -> None:
        """What a submission makes the tests compute must not fill this machine's memory, nor go on
        without end or without the process that waits for it."""
        most, longest = own_memory() + 4_000_000_000, int((len(self.tests) + 1) * seconds) + 60
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CPU, (longest, longest))
        end_with_parent()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _crashed(found: dict[str, Any]) -> bool:
    outputs = [output for some in found["outputs"].values() for output in some]
    return any(output.get("ename") == CRASHED for output in outputs)


def _given(source: str) -> str:
    """A cell of a solution as students get it: without hidden tests."""
    lines = region_lines(source, BEGIN_HIDDEN, END_HIDDEN)
    return "\n".join(line for line, hidden in lines if not hidden).strip()


def _ran(sources: Sequence[str]) -> dict[str, Any]:
    """The names of a trusted notebook after these cells."""
    space: dict[str, Any] = {"__name__": MODULE}
    with contextlib.redirect_stdout(io.StringIO()):
        for number, source in enumerate(sources):
            exec(_compiled(source, f"cell {number}"), space)  # noqa: S102
    return space


def _keys_of(solution: Sequence[str], tests: Sequence[str], seed: str) -> dict[str, Key]:
    """Keys of the hidden checks for inputs that are drawn from a seed of the class's own: what the
    right answers give there. They know no named mistake; the visible checks do."""
    from utils.checking import verdict

    found: dict[str, Key] = {}

    def note(trial: Any, cases: Any, key: Key, *options: Any) -> None:
        if key.hidden:
            drawn = zlib.crc32(f"{seed} {key.question}".encode())
            runs = run_cases(trial, cases, drawn, seconds=60)
            found[key.question] = Key(
                key.question, drawn, tuple(_in_full(run.outcome) for run in runs), hidden=True
            )

    verdict.RECORDER = note
    try:
        _ran([*solution, *tests])
    finally:
        verdict.RECORDER = None
    return found


def _in_full(outcome: Outcome) -> Expected:
    """A right outcome number by number: sums of many, which a notebook's keys hold, could be met by huge
    numbers that cancel out."""
    return Expected(outcome.structure, outcome.values, outcome.shown, outcome.kinds)


def _defined(source: str) -> list[str]:
    """The names that a cell defines."""
    kinds = ast.FunctionDef | ast.ClassDef
    return [node.name for node in ast.parse(source).body if isinstance(node, kinds)]


def _stored(source: str) -> set[str]:
    """The names to which code gives a value, anywhere."""
    names = set(_defined(source))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
    return names


def _used(source: str) -> set[str]:
    """The names of a notebook that a student's code uses; none if it is no Python, and so does not run."""
    try:
        tables = [symtable.symtable(source, "<submission>", "exec")]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    for table in tables:  # which grows meanwhile
        tables += table.get_children()
    return {
        symbol.get_name()
        for table in tables
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (symbol.is_global() or table.get_type() == "module")
    }


def _compiled(source: str, name: str) -> Any:
    return compile(source, f"<{name}>", "exec")


def _printable(text: Any) -> Any:
    """Texts that a file or a terminal takes, whatever characters a student's code put into them."""
    if isinstance(text, list):
        return [_printable(part) for part in text]
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
