"""One submission, judged: its cells run in a sandbox, its tests here."""

import contextlib
import io
import select
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType, SimpleNamespace
from typing import Any

from nbformat import NotebookNode

from course.grading.channel import Closed, Late
from course.grading.sandbox import Limits, Sandbox
from course.grading.session import Asked, Gone, Session, TimeUp
from course.grading.wire import WireError
from course.proving.shell import CRASHED, TIMED_OUT, error_output
from course.writing.notebooks import question_of
from utils.checking.keys import Key

MAX_RESTARTS = 6  # of a submission whose cells end their process
MOST_SHOWN = 10_000  # characters that a test says
ENDED = "this cell ended the kernel"
LATER = "something that this cell started ended the kernel later"
UNSTOPPED = "this cell could not be interrupted"
ENDS = (Closed, Late, Gone, WireError)
NOT_RUN = "not run: cells before it ended the kernel too often"
TOO_LATE = "not run: cells of the student's own took too long"
ACCIDENTS = (ENDED, LATER, UNSTOPPED, NOT_RUN, TOO_LATE)


@dataclass(frozen=True)
class Step:
    """A cell of a submission: `index` in it, and what is run: the student's source, or the trusted one
    of a cell that students may not change. Tests are run by the judge; one that is `told` gives no points,
    and only says more. A cell that is `extra` stands in no assignment: the student added it."""

    index: int
    source: str
    test: str = ""
    told: bool = False
    answers: str = ""  # the question that this cell answers
    extra: bool = False


@dataclass(frozen=True)
class Trusted:
    """What a judge has of an assignment: the names of its notebook after the setup, its tests by their
    grade ids, the names that answers define, keys of the class's own by the names of checks, and the
    limits of a submission."""

    space: dict[str, Any]
    tests: Mapping[str, CodeType]
    names: Sequence[str]
    keys: Mapping[str, Key]
    limits: Limits


class Judging:
    """Of one submission, in a process of its own. A cell, the tests of a question, and all extra cells
    together may each take `seconds`; a cell with an answer `answer_seconds`.

    The tests that give points run first. Those that give none are run for the questions that lost some,
    to say why, in a new sandbox: so what they show of its answers was computed by code that has never
    seen an input of a hidden test."""

    def __init__(
        self,
        trusted: Trusted,
        box: Sandbox,
        steps: Sequence[Step],
        seconds: float,
        answer_seconds: float,
    ) -> None:
        self.trusted, self.box, self.steps, self.seconds = trusted, box, steps, seconds
        self.answer_seconds = answer_seconds
        self.outputs: dict[int, list[dict]] = {}
        self.failed: dict[int, dict] = {}
        self.flags: list[str] = []
        self.used: dict[str, float] = {}  # seconds, by question
        self.session: Session | None = None
        self.leash: Any = None
        self.done = self.restarts = 0
        self.looking = seconds  # left to look for whoever ends a sandbox later
        self.apart = ""  # the question whose answer alone is run, to see what ends a sandbox
        self.culprits: set[str] = set()
        self.space = trusted.space

    def run(self) -> dict:
        import utils.checking
        from utils.checking import cells, trials, verdict

        examine, keys = verdict.examine, self.trusted.keys

        def examine_class(trial: Any, cases: Any, key: Key, **options: Any) -> None:
            examine(trial, cases, keys.get(key.question, key) if key.hidden else key, **options)

        utils.checking.examine = examine_class
        self.space["examine"] = examine_class
        trials.own_work = lambda function, *names: self._session.watch(function, *names)
        trials.at_most = lambda seconds: self._session.limit(seconds)
        trials.off_stderr = contextlib.nullcontext  # a test writes to none of this process's
        trials._line_of = lambda error, trial: getattr(error, "where", "")
        verdict._greet = lambda forbidden: None
        self.cells = cells._CELLS
        self.space.update({name: Asked(self, name) for name in self.trusted.names})
        signal.signal(signal.SIGALRM, _time_up)
        scored = [i for i, step in enumerate(self.steps) if step.test and not step.told]
        for number in scored:
            if not self._bring(number):
                break
            self._test(number, self.steps[number])
        for step in self.steps:
            if step.index in self.failed:
                self.outputs[step.index] = [self.failed[step.index]]
            elif step.test and not step.told and step.index not in self.outputs:
                self.outputs[step.index] = [dict(error_output(CRASHED, NOT_RUN))]
            elif step.test and question_of(step.test) in self.culprits:
                self.outputs[step.index] = [dict(error_output(CRASHED, LATER))]
        self._end()
        self._tell([self.steps[number] for number in scored])
        self._end()
        return {"outputs": self.outputs, "flags": list(dict.fromkeys(self.flags))}

    def _tell(self, scored: Sequence[Step]) -> None:
        """Run the tests that say why points were lost."""
        lost = {question_of(step.test) for step in scored if _raised(self.outputs[step.index])}
        passed = {question_of(step.test) for step in scored} - lost
        first = dict(self.outputs)
        for number, step in enumerate(self.steps):
            question = question_of(step.test) if step.told else ""
            if not question or question in passed | self.culprits:
                continue
            if not self._bring(number):
                break
            first[step.index], ended = self._tried(step, question)
            if ended:
                self._end()
        self.outputs = first

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
            try:
                self._run_cells(number)
                return True
            except ENDS as error:
                step, lived = self.steps[self.done], self._end()
                if isinstance(error, WireError):
                    self.flags.append(f"a cell sends messages of its own ({error})")
                late = isinstance(error, Late)
                if late or not self._was_another(self.done, step.answers, lived):
                    said = (TIMED_OUT, UNSTOPPED) if late else (CRASHED, ENDED)
                    self._fail(step, *said)
                self.restarts += 1
                if self.restarts > MAX_RESTARTS:
                    return False

    def _run_cells(self, number: int) -> None:
        if self.session is None:
            link, self.leash = self.box.open(self.trusted.limits)
            self.session, self.done, self.opened = Session(link), 0, time.monotonic()
            self.extra = self.seconds  # left to all extra cells
        while self.done < number:
            step = self.steps[self.done]
            another = bool(self.apart) and step.answers not in ("", self.apart)
            if not (step.test or another or step.index in self.failed):
                self._cell(step)
            self.done += 1

    def _was_another(self, number: int, question: str, lived: float) -> bool:
        """Whether it was another question's cell that ended a sandbox at a step of this question, by
        something that it had started: this question's answer alone does not end it, and another does
        within the time that the sandbox lived. Those others are noted."""
        others = self._others(number, question)
        if not question or not others or self._ends(number + 1, question):
            return False
        return self._blame(others, number, lived)

    def _others(self, number: int, question: str) -> list[Step]:
        """The answers of other questions above a step."""
        return [
            step
            for step in self.steps[:number]
            if step.answers not in ("", question) and step.index not in self.failed
        ]

    def _blame(self, others: Sequence[Step], number: int, lived: float) -> bool:
        found = [step for step in others if self._ends(number, step.answers, 2 * lived + 1)]
        for step in found:
            self._fail(step, CRASHED, LATER)
            self.culprits.add(step.answers)
        return bool(found)

    def _ends(self, number: int, question: str, wait: float = 0.0) -> bool:
        """Whether the cells above a step, with the answer of this question alone, end a sandbox."""
        started = time.monotonic()
        with self._only(question):
            try:
                self._run_cells(number)
                wait = max(0.0, min(wait, self.looking - (time.monotonic() - started)))
                return bool(select.select([self._session.channel.link], [], [], wait)[0])
            except ENDS:
                return True
            finally:
                self.looking -= time.monotonic() - started

    @contextlib.contextmanager
    def _only(self, question: str) -> Iterator[None]:
        """A sandbox in which no other question is answered."""
        self.apart = question
        try:
            yield
        finally:
            self.apart = ""
            self._end()

    def _fail(self, step: Step, name: str, said: str) -> None:
        self.failed[step.index] = dict(error_output(name, said))
        self._after(step.source, (name, said))

    def _cell(self, step: Step) -> None:
        if step.extra and self.extra <= 0:
            self.outputs[step.index] = [dict(error_output(TIMED_OUT, TOO_LATE))]
            self._after(step.source, (TIMED_OUT, TOO_LATE))
            return
        started = time.monotonic()
        seconds = self.answer_seconds if step.answers else self.seconds
        error = self._session.cell(step.source, self.extra if step.extra else seconds)
        self.extra -= (time.monotonic() - started) * step.extra
        self.outputs[step.index] = [dict(error_output(*error))] if error else []
        self._after(step.source, error)

    def _after(self, source: str, error: tuple[str, str] | None) -> None:
        """Tell the checks which definitions did not run."""
        raised = type(error[0], (Exception,), {})(error[1]) if error else None
        info = SimpleNamespace(raw_cell=source)
        self.cells.after(SimpleNamespace(error_before_exec=None, error_in_exec=raised, info=info))

    def _test(self, number: int, step: Step) -> None:
        question = question_of(step.test)
        outputs, ended = self._tried(step, question)
        if ended:
            lived = self._end()
            others = self._others(number, question)
            if ended == CRASHED and others:
                again, ended = self._tried_apart(number, step, question)
                if not ended:
                    outputs = again
                    self._blame(others, number, lived)
        self.outputs[step.index] = outputs

    def _tried_apart(self, number: int, step: Step, question: str) -> tuple[list[dict], str]:
        with self._only(question):
            try:
                self._run_cells(number)
            except ENDS:
                return [], CRASHED
            return self._tried(step, question)

    def _tried(self, step: Step, question: str) -> tuple[list[dict], str]:
        """What a test comes to, and the name of the error if it cost the sandbox."""
        started = time.monotonic()
        left = max(1.0, self.seconds - self.used.get(question, 0.0))
        said = io.StringIO()
        error: NotebookNode | None = None
        try:
            self._session.deadline, self._session.left = started + left, left
            with contextlib.redirect_stdout(said), _alarm(left):
                exec(self.trusted.tests[step.test], self.space)  # noqa: S102
        except Gone:
            error = error_output(CRASHED, ENDED)
        except TimeUp:
            error = error_output(TIMED_OUT, f"this cell took longer than {self.seconds:g} s")
        except BaseException as raised:
            error = error_output(*_said(raised))
        self.used[question] = self.used.get(question, 0.0) + time.monotonic() - started
        outputs = []
        if text := said.getvalue()[:MOST_SHOWN]:
            outputs.append({"output_type": "stream", "name": "stdout", "text": text})
        if error is None:
            return outputs, ""
        outputs.append(dict(error))
        return outputs, error.ename if error.ename in (CRASHED, TIMED_OUT) else ""

    def _end(self) -> float:
        """End the sandbox and every process in it; the seconds that it lived."""
        if self.session is None:
            return 0.0
        self.flags += self.session.flags
        self.session.channel.link.close()
        self.leash.close()
        self.session = None
        return time.monotonic() - self.opened


def _raised(outputs: Sequence[Mapping[str, Any]]) -> bool:
    return any(output["output_type"] == "error" for output in outputs)


def _said(error: BaseException) -> tuple[str, str]:
    """Name and message of what a test raised. An answer that raises what a test or the judge would say
    of it is said to raise that."""
    name, text = type(error).__name__, _text(error)
    own = hasattr(error, "where") and not error.not_own_work  # as `error_of` makes one
    if own and name in ("AssertionError", CRASHED, TIMED_OUT):
        return "AssertionError", f"Your answer raises {name}: {text}"
    return name, text


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
