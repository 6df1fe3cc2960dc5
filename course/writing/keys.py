"""The keys of an assignment's checks: what the right answer and each named mistake compute.

Made when the notebook is built, by running them all on the checks' inputs: one process runs the
exercise's solution cell by cell, and forks at each question for every answer to it. What is made is
kept in `build/keys` until the exercise, its mistakes or the code of the checks change.
"""

import hashlib
import json
import linecache
import multiprocessing
import os
import pickle
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from course.errors import UserError
from course.writing.exercises import checks, tag_of
from course.writing.mistakes import AnswerBank
from course.writing.notebooks import BEGIN_SOLUTION, END_SOLUTION, region_lines

ANSWER_SECONDS = 2.0  # for one input, when a key is made; longer ones must say so
ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Keys:
    """Packed keys: `visible` for all checks of an assignment, `hidden` by question; and pairs of
    mistakes that compute the same on every input, visible and hidden."""

    visible: str
    hidden: dict[str, str]
    twins: tuple[tuple[str, str], ...] = ()


def solved(source: str) -> str:
    """The right answer as it stands between the markers of an answer cell."""
    return "\n".join(line for line, _ in region_lines(source, BEGIN_SOLUTION, END_SOLUTION))


def seeds_of(unit: str, check: str) -> tuple[int, int]:
    """The seeds of a check's inputs and of its hidden twin's."""
    return 0, zlib.crc32(f"{unit} {check} hidden".encode())


def make_keys(unit: str, nb: NotebookNode, bank: AnswerBank, folder: Path) -> Keys:
    """The keys of a source's checks, from `folder` if they are there.

    Raises UserError if an answer cannot be run, or the right answer is not its own equal.
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
    path = folder / f"{unit}-{stamp}.json"
    if not path.exists():
        keys = _computed(unit, nb, codes)
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"{unit}-*.json"):
            old.unlink()
        path.write_text(json.dumps(keys.__dict__), encoding="utf-8")
    stored = json.loads(path.read_text(encoding="utf-8"))
    return Keys(stored["visible"], stored["hidden"], tuple(map(tuple, stored["twins"])))


def _stamp(unit: str, nb: NotebookNode, codes: dict) -> str:
    from utils import checking

    files = sorted([*Path(checking.__file__).parent.glob("*.py"), Path(__file__)])
    parts = [unit, *(c.source for c in nb.cells if c.cell_type == "code"), repr(codes)]
    content = "\0".join(parts).encode() + b"".join(path.read_bytes() for path in files)
    return hashlib.sha256(content).hexdigest()[:16]


def _computed(unit: str, nb: NotebookNode, codes: dict) -> Keys:
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
    visible, hidden, prints = [], {}, {}
    for question, group in codes.items():
        results = [found[question, number] for number in range(len(group))]
        hidden_keys = []
        for name in results[0]:
            for place, seed in enumerate(seeds_of(unit, name)):
                expected = tuple(results[0][name][place])
                mistakes = []
                for (mistake, message, _, _), result in zip(group[1:], results[1:], strict=True):
                    sketches = _sketches(result.get(name, ((), ()))[place], expected)
                    prints.setdefault((question, mistake), []).append(sketches)
                    if sketches:
                        mistakes.append((message, sketches))
                key = Key(name, seed, expected, tuple(mistakes), hidden=bool(place))
                (hidden_keys if place else visible).append(key)
        hidden[question] = packed(hidden_keys)
    return Keys(packed(visible), hidden, _twins(prints))


def _sketches(outcomes: Sequence, expected: Sequence) -> dict:
    from utils.checking.outcomes import ENDLESS

    return {
        i: None if got.structure == ENDLESS else got.sketch()
        for i, (got, wanted) in enumerate(zip(outcomes, expected, strict=False))
        if not got.alike(wanted, 1e-6)
    }


def _twins(prints: dict) -> tuple[tuple[str, str], ...]:
    seen: dict[str, tuple[str, str]] = {}
    twins = []
    for (question, name), sketches in prints.items():
        shape = repr(
            (
                question,
                [[(i, s and (s[0], f"{s[1]:.6g}")) for i, s in part.items()] for part in sketches],
            )
        )
        if any(sketches) and shape in seen and seen[shape][1] != name:
            twins.append((f"{question}/{seen[shape][1]}", f"{question}/{name}"))
        seen.setdefault(shape, (question, name))
    return tuple(twins)


# ------------------------------------------------------------- in the process that runs answers


class _Names(dict):
    """In place of the keys: each is its own name."""

    def __missing__(self, name: str) -> str:
        return name


def _worker(sender, unit: str, cells: list, codes: dict) -> None:
    try:
        found = _run_all(unit, cells, codes)
    except Exception as error:  # told to the process that builds, which says it in a sentence
        found = f"{type(error).__name__}: {error}"
    sender.send(found)
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
            if tag.name in codes:
                _import_forbidden(space, own)
            for index, (name, _, code, seconds) in enumerate(codes.get(tag.name, ())):
                outcomes = _forked(space, unit, code, own, seconds)
                if isinstance(outcomes, str) and not name:
                    raise RuntimeError(f"the solution of {tag.name} does not run: {outcomes}")
                found[tag.name, index] = {} if isinstance(outcomes, str) else outcomes
            _execute(solved(source), space, f"answer-{tag.name}")
    return found


def _import_forbidden(space: dict, checks: list[str]) -> None:
    """Import what the checks forbid before any fork, which otherwise each would do for itself."""
    from utils.checking import own_work, verdict

    verdict.RECORDER = lambda trial, cases, name, forbidden, *_: own_work(trial, *forbidden)
    for source in checks:
        _execute(source, space, "check")
    verdict.RECORDER = None


def _execute(source: str, space: dict, name: str) -> None:
    name = f"<ipython-input-{name}>"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    exec(compile(source, name, "exec"), space)  # noqa: S102


def _forked(space: dict, unit: str, code: str, checks: list[str], seconds: float) -> dict | str:
    """What an answer computes in each check, by its name: outcomes on visible and hidden inputs."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
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
    from utils.checking.trials import run_cases

    noted: dict[str, tuple] = {}

    def record(trial, cases, name, forbidden, protect, tol):
        noted[name] = tuple(
            [
                run.outcome
                for run in run_cases(
                    trial, cases, seed, forbidden=forbidden, protect=protect, seconds=seconds
                )
            ]
            for seed in seeds_of(unit, name)
        )

    verdict.RECORDER = record
    _execute(code, space, "answer")
    for source in checks:
        _execute(source, space, "check")
    return noted
