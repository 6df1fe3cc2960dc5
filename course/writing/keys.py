"""The keys of an assignment's checks: what the right answer and each named mistake compute.

Made when the notebook is built, by running them all on the checks' inputs: one process runs the
exercise's solution cell by cell, and forks at each question for every answer to it. The notebook says
what its keys were made of; until the exercise, its mistakes or the code of the checks change, they
are taken from there. That they hold is what the gates prove.
"""

import gc
import hashlib
import linecache
import multiprocessing
import os
import pickle
import re
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from course.errors import UserError
from course.writing.exercises import checks, hidden_name, tag_of
from course.writing.mistakes import AnswerBank
from course.writing.notebooks import (
    BEGIN_SOLUTION,
    END_SOLUTION,
    grade_id,
    read_notebook,
    region_lines,
)

ANSWER_SECONDS = 2.0  # for one input, when a key is made; longer ones must say so
ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


UNPACKED = re.compile(r'unpacked\("([^"]*)"\)')


@dataclass(frozen=True)
class Keys:
    """Packed keys: `visible` for all checks of an assignment, `hidden` by question, and the `stamp` of
    what they were made of."""

    visible: str
    hidden: dict[str, str]
    stamp: str


def solved(source: str) -> str:
    """The right answer as it stands between the markers of an answer cell."""
    return "\n".join(line for line, _ in region_lines(source, BEGIN_SOLUTION, END_SOLUTION))


def seeds_of(unit: str, check: str) -> tuple[int, int]:
    """The seeds of a check's inputs and of its hidden twin's."""
    return 0, zlib.crc32(f"{unit} {check} hidden".encode())


def make_keys(unit: str, nb: NotebookNode, bank: AnswerBank, built: Path) -> Keys:
    """The keys of a source's checks; those of the notebook `built` of it, if they are still right.

    Raises UserError if a check has no answer cell, or the right answer cannot be run.
    """
    answers = {
        tag.question: c.source for c in nb.cells if (tag := tag_of(c)) and tag.kind == "answer"
    }
    codes: dict[str, list[tuple[str, str, str, float]]] = {}
    for question in checks(nb):
        if question not in answers:
            raise UserError(f"{unit}: the check of {question} has no answer cell.")
        right = solved(answers[question])
        codes[question] = [("", "", right, ANSWER_SECONDS)] + [
            (mistake.name, mistake.message, code, mistake.seconds or ANSWER_SECONDS)
            for mistake in bank.mistakes_of(question)
            for code in mistake.codes(right)
        ]
    stamp = _stamp(unit, nb, codes)
    return _of_notebook(built, stamp, list(codes)) or _computed(unit, nb, codes, stamp)


def _of_notebook(path: Path, stamp: str, asked: list[str]) -> Keys | None:
    """The keys that a built notebook holds, if they have this stamp."""
    if not path.is_file():
        return None
    sources = {grade_id(cell): cell.source for cell in read_notebook(path).cells}
    if stamp not in sources.get("keys", ""):
        return None
    texts = {
        name: UNPACKED.search(sources.get(name, "")) for name in ("keys", *map(hidden_name, asked))
    }
    if not all(texts.values()):
        return None
    visible, *hidden = (match[1] for match in texts.values() if match)
    return Keys(visible, dict(zip(asked, hidden, strict=True)), stamp)


def _stamp(unit: str, nb: NotebookNode, codes: dict) -> str:
    from utils import checking

    files = sorted([*Path(checking.__file__).parent.glob("*.py"), Path(__file__)])
    parts = [unit, *(c.source for c in nb.cells if c.cell_type == "code"), repr(codes)]
    content = "\0".join(parts).encode() + b"".join(path.read_bytes() for path in files)
    return hashlib.sha256(content).hexdigest()[:16]


def _computed(unit: str, nb: NotebookNode, codes: dict, stamp: str) -> Keys:
    from utils.checking.keys import Key, packed

    cells = [(c.source, tag_of(c)) for c in nb.cells if c.cell_type == "code"]
    # A fresh process: the one that builds has threads, and forks of it might hang.
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_worker, args=(sender, unit, cells, codes))
    process.start()
    sender.close()
    try:
        found = receiver.recv()
    except EOFError:
        raise UserError(f"{unit}: the process that runs its answers ended.") from None
    finally:
        process.join()
    if isinstance(found, str):
        raise UserError(f"{unit}: {found}")
    visible: list[Key] = []
    hidden: dict[str, str] = {}
    for question, group in codes.items():
        results = [found[question, number] for number in range(len(group))]
        hidden_keys: list[Key] = []
        for name in results[0]:
            for place, seed in enumerate(seeds_of(unit, name)):
                expected, tol = tuple(results[0][name][place]), results[0][name][-1]
                mistakes = []
                for (_, message, _, _), result in zip(group[1:], results[1:], strict=True):
                    sketches = _sketches(result.get(name, ((), ()))[place], expected, tol)
                    mistakes.append((message, sketches))
                key = Key(name, seed, expected, tuple(mistakes), hidden=bool(place))
                (hidden_keys if place else visible).append(key)
        hidden[question] = packed(hidden_keys)
    return Keys(packed(visible), hidden, stamp)


def _sketches(outcomes: Sequence, expected: Sequence, tol: float) -> dict:
    """Fingerprints of what a mistake gives where a check would call it wrong."""
    from utils.checking.keys import as_known, is_right
    from utils.checking.outcomes import ENDLESS

    return {
        i: None if got.structure == ENDLESS else got.sketch()
        for i, (got, wanted) in enumerate(zip(outcomes, expected, strict=False))
        if not is_right(got, as_known(wanted), tol)
    }


# ------------------------------------------------------------- in the process that runs answers


class _Names(dict):
    """In place of the keys: each is its own name."""

    def __missing__(self, name: str) -> str:
        return name


def _worker(sender: Connection, unit: str, cells: list, codes: dict) -> None:
    try:
        sender.send(_run_all(unit, cells, codes))
    except Exception as error:  # told to the process that builds, which says it in a sentence
        sender.send(f"{type(error).__name__}: {error}")
    sender.close()


def _run_all(unit: str, cells: list, codes: dict) -> dict:
    import matplotlib

    matplotlib.use("Agg")
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - of this process, to its end
    from utils.checking import examine, unpacked

    space = {"__name__": "__main__", "KEYS": _Names(), "examine": examine, "unpacked": unpacked}
    found = {}
    for number, (source, tag) in enumerate(cells):
        if tag is None or tag.kind == "locked":
            _execute(source, space, f"cell-{number}")
        elif tag.kind == "answer":
            own = [
                source for source, t in cells if t and t.kind == "check" and t.question == tag.name
            ]
            _load_watched(space, own)
            for index, (name, _, code, seconds) in enumerate(codes.get(tag.name, ())):
                outcomes = _forked(space, unit, code, own, seconds)
                if isinstance(outcomes, str) and not name:
                    raise RuntimeError(f"the solution of {tag.name} does not run: {outcomes}")
                found[tag.name, index] = {} if isinstance(outcomes, str) else outcomes
            _execute(solved(source), space, f"answer-{tag.name}")
    return found


def _load_watched(space: dict, checks: list[str]) -> None:
    """Import what checks watch once, rather than in every fork."""
    from utils.checking import own_work, verdict

    verdict.RECORDER = lambda trial, cases, name, forbidden, *_: own_work(list, *forbidden)()
    for source in checks:
        _execute(source, space, "check")


def _execute(source: str, space: dict, name: str) -> None:
    name = f"<ipython-input-{name}>"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    exec(compile(source, name, "exec"), space)  # noqa: S102


def _forked(space: dict, unit: str, code: str, checks: list[str], seconds: float) -> dict | str:
    """What an answer computes in each check, by its name: outcomes on visible and hidden inputs, and
    the check's tolerance."""
    reading, writing = os.pipe()
    gc.freeze()  # see course.proving.harness: a fork should not look through what it was given
    child = os.fork()
    if child == 0:
        result: dict | str
        try:
            result = _outcomes(space, unit, code, checks, seconds)
        except BaseException as error:
            result = f"{type(error).__name__}: {error}"
        with os.fdopen(writing, "wb") as pipe:
            pickle.dump(result, pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    return pickle.loads(data) if data else "it ended its process"


def _outcomes(space: dict, unit: str, code: str, checks: list[str], seconds: float) -> dict:
    from utils.checking import verdict
    from utils.checking.trials import Cases, Trial, run_cases

    noted: dict[str, tuple] = {}

    def record(
        trial: Trial,
        cases: Cases,
        name: str,
        forbidden: Sequence[str],
        protect: Sequence[str],
        tol: float,
    ) -> None:
        options: dict[str, Any] = {
            "forbidden": forbidden,
            "protect": protect,
            "seconds": seconds,
        }
        visible, hidden = (
            [run.outcome for run in run_cases(trial, cases, seed, **options)]
            for seed in seeds_of(unit, name)
        )
        noted[name] = visible, hidden, tol

    verdict.RECORDER = record
    _execute(code, space, "answer")
    for source in checks:
        _execute(source, space, "check")
    return noted
