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
import io
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from course.grading.channel import Closed, Late
from course.grading.sandbox import Limits, Sandbox
from course.grading.session import MODULE, Asked, Gone, Session, TimeUp
from course.grading.signs import signs_in
from course.grading.wire import WireError
from course.proving.shell import CRASHED, TIMED_OUT, error_output
from course.writing.keys import solved
from course.writing.notebooks import grade_id, is_answer, is_test, question_of

MAX_RESTARTS = 6  # of a submission whose cells end their process
MOST_SHOWN = 10_000  # characters that a test says
ENDED = "this cell ended the kernel"
NOT_RUN = "not run: cells before it ended the kernel too often"


@dataclass(frozen=True)
class Step:
    """A cell of a submission: `index` in it, and what is run: the student's source, or the trusted one
    of a cell that students may not change. Tests are run by the judge."""

    index: int
    source: str
    test: str = ""


@dataclass
class Judged:
    """A submission with the outputs of its cells, and what an instructor should look at."""

    notebook: NotebookNode
    flags: list[str] = field(default_factory=list)


class Judge:
    """Judges submissions of one assignment, whose `solution` holds the tests.

    seconds : the assignment's budget, allowed to each cell and to the tests of each question
    """

    def __init__(
        self, solution: NotebookNode, box: Sandbox, *, seconds: float, limits: Limits | None = None
    ) -> None:
        self.solution, self.box, self.seconds = solution, box, seconds
        self.limits = limits or Limits(cpu=int(4 * seconds))
        self.trusted = {
            grade_id(cell): cell.source
            for cell in solution.cells
            if cell.cell_type == "code" and grade_id(cell) and not is_answer(cell)
        }
        first = next((i for i, cell in enumerate(solution.cells) if is_answer(cell)), 0)
        self.own = {
            cell.source
            for cell in solution.cells
            if cell.cell_type == "code" and not grade_id(cell)
        }
        # Cells between the questions that show what an answer is good for; no test needs them.
        self.shows = {
            cell.source
            for cell in solution.cells[first:]
            if cell.cell_type == "code" and not grade_id(cell)
        }
        self.space: dict[str, Any] = {"__name__": MODULE}
        with contextlib.redirect_stdout(io.StringIO()):
            for number, cell in enumerate(solution.cells):
                locked = grade_id(cell) in self.trusted and not is_test(cell)
                if cell.cell_type == "code" and (locked or number < first and not grade_id(cell)):
                    exec(_compiled(cell.source, f"cell {number}"), self.space)  # noqa: S102
        self.tests = {
            name: _compiled(source, f"test {name}")
            for name, source in self.trusted.items()
            if name in {grade_id(cell) for cell in solution.cells if is_test(cell)}
        }
        self.names = [
            name
            for cell in solution.cells
            if is_answer(cell)
            for name in _defined(solved(cell.source) or cell.source)
        ]

    def judge(self, submission: NotebookNode) -> Judged:
        """The submission with the outputs of its cells. `submission` has all tests, once each."""
        steps = self.steps(submission)
        reading, writing = os.pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.close(reading)
                self._limit_myself()
                found = _Judging(self, steps).run()
                with os.fdopen(writing, "w") as pipe:
                    json.dump(found, pipe)
                code = 0
            finally:
                os._exit(code)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            said = pipe.read()
        os.waitpid(pid, 0)
        if not said:
            raise RuntimeError("the process that judged it ended")
        found = json.loads(said)
        done = deepcopy(submission)
        for cell in done.cells:
            if cell.cell_type == "code":
                cell.outputs = []
        for index, outputs in found["outputs"].items():
            done.cells[int(index)].outputs = [new_output(**output) for output in outputs]
        return Judged(done, self.signs(submission) + found["flags"])

    def signs(self, submission: NotebookNode) -> list[str]:
        """What in a student's own cells looks like an attempt on the grading."""
        found = []
        for number, cell in enumerate(submission.cells, start=1):
            name = grade_id(cell)
            if (
                cell.cell_type == "code"
                and name not in self.trusted
                and cell.source not in self.own
            ):
                where = name or f"cell {number}"
                found += [f"{where}: {sign}" for sign in signs_in(cell.source)]
        return found

    def steps(self, submission: NotebookNode) -> list[Step]:
        steps = []
        for index, cell in enumerate(submission.cells):
            if cell.cell_type != "code":
                continue
            name = grade_id(cell)
            if name in self.tests:
                steps.append(Step(index, "", name))
            elif name in self.trusted:
                steps.append(Step(index, self.trusted[name]))
            elif name or cell.source not in self.shows:
                steps.append(Step(index, cell.source))
        last = max((number for number, step in enumerate(steps) if step.test), default=-1)
        return steps[: last + 1]

    def _limit_myself(self) -> None:
        """What a submission makes the tests compute must not fill this machine's memory."""
        pages = int(open("/proc/self/statm").read().split()[0])
        most = pages * resource.getpagesize() + 4_000_000_000
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


class _Judging:
    """Of one submission, in a process of its own."""

    def __init__(self, judge: Judge, steps: Sequence[Step]) -> None:
        self.judge, self.steps = judge, steps
        self.outputs: dict[int, list[dict]] = {}
        self.failed: dict[int, dict] = {}
        self.flags: list[str] = []
        self.used: dict[str, float] = {}  # seconds, by question
        self.session: Session | None = None
        self.leash: Any = None
        self.done = self.restarts = 0
        self.space = judge.space

    def run(self) -> dict:
        from utils.checking import cells, trials, verdict

        trials.own_work = lambda function, *names: self._session.watch(function, *names)
        trials.at_most = lambda seconds: self._session.limit(seconds)
        trials.off_stderr = contextlib.nullcontext  # a test writes to none of this process's
        trials._line_of = lambda error, trial: getattr(error, "where", "")
        verdict._greet = lambda forbidden: None
        self.cells = cells._CELLS
        self.space.update({name: Asked(self, name) for name in self.judge.names})
        signal.signal(signal.SIGALRM, _time_up)
        for number, step in enumerate(self.steps):
            if step.test and not self._bring(number):
                break
            if step.test:
                self._test(step)
        for step in self.steps:
            if step.index in self.failed:
                self.outputs[step.index] = [self.failed[step.index]]
            elif step.test and step.index not in self.outputs:
                self.outputs[step.index] = [dict(error_output(CRASHED, NOT_RUN))]
        self._end()
        return {"outputs": self.outputs, "flags": list(dict.fromkeys(self.flags))}

    def ask(self, *message: Any) -> Any:
        return self._session.ask(*message)

    @property
    def _session(self) -> Session:
        if self.session is None:
            raise Gone
        return self.session

    def _bring(self, number: int) -> bool:
        """Have all cells above a step run in a sandbox; False if they end it too often."""
        while True:
            if self.session is None:
                link, self.leash = self.judge.box.open(self.judge.limits)
                self.session, self.done = Session(link), 0
            try:
                while self.done < number:
                    step = self.steps[self.done]
                    if not step.test and step.index not in self.failed:
                        self._cell(step)
                    self.done += 1
                return True
            except (Closed, Late, Gone, WireError) as error:
                late = isinstance(error, Late)
                said = (
                    (TIMED_OUT, "this cell could not be interrupted") if late else (CRASHED, ENDED)
                )
                if isinstance(error, WireError):
                    self.flags.append(f"a cell sends messages of its own ({error})")
                self.failed[self.steps[self.done].index] = dict(error_output(*said))
                self._after(self.steps[self.done].source, said)
                self._end()
                self.restarts += 1
                if self.restarts > MAX_RESTARTS:
                    return False

    def _cell(self, step: Step) -> None:
        error = self._session.cell(step.source, self.judge.seconds)
        self.outputs[step.index] = [dict(error_output(*error))] if error else []
        self._after(step.source, error)

    def _after(self, source: str, error: tuple[str, str] | None) -> None:
        """Tell the checks which definitions did not run."""
        raised = type(error[0], (Exception,), {})(error[1]) if error else None
        info = SimpleNamespace(raw_cell=source)
        self.cells.after(SimpleNamespace(error_before_exec=None, error_in_exec=raised, info=info))

    def _test(self, step: Step) -> None:
        question = question_of(step.test)
        started = time.monotonic()
        left = max(1.0, self.judge.seconds - self.used.get(question, 0.0))
        self._session.deadline = started + left
        said = io.StringIO()
        error: NotebookNode | None = None
        try:
            with contextlib.redirect_stdout(said), _alarm(left):
                exec(self.judge.tests[step.test], self.space)  # noqa: S102
        except Gone:
            error = error_output(CRASHED, ENDED)
        except TimeUp:
            error = error_output(TIMED_OUT, f"this cell took longer than {self.judge.seconds:g} s")
        except BaseException as raised:
            error = error_output(type(raised).__name__, _text(raised))
        self.used[question] = self.used.get(question, 0.0) + time.monotonic() - started
        outputs = []
        if text := said.getvalue()[:MOST_SHOWN]:
            outputs.append({"output_type": "stream", "name": "stdout", "text": text})
        self.outputs[step.index] = outputs + ([dict(error)] if error else [])
        if error is not None and error.ename in (CRASHED, TIMED_OUT):
            self._end()

    def _end(self) -> None:
        """End the sandbox and every process in it."""
        if self.session is not None:
            self.flags += self.session.flags
            self.session.channel.link.close()
            self.leash.close()
            self.session = None


def _defined(source: str) -> list[str]:
    """The names that a cell defines."""
    kinds = ast.FunctionDef | ast.ClassDef
    return [node.name for node in ast.parse(source).body if isinstance(node, kinds)]


def _compiled(source: str, name: str) -> Any:
    return compile(source, f"<{name}>", "exec")


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as worse:
        return f"<{type(error).__name__}: {type(worse).__name__}>"


def _time_up(number: int, frame: object) -> None:
    raise TimeUp


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    signal.setitimer(signal.ITIMER_REAL, seconds + 1)  # what the tests themselves compute, too
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
