"""Checks that recognise a mistake by what it computes.

A check runs the answer on several inputs and compares what comes out with two things that were
computed when the notebook was built: what the right answer gives there, and fingerprints of what
each named mistake gives. Equal to one mistake's wherever that differs from the right answer: the
check says which idea went wrong. Else it says on which input, and guesses no cause.
"""

import re
import sys
from collections.abc import Callable, Collection, Sequence

import numpy as np

from utils.checking.cells import names_in, refuse_stale
from utils.checking.checks import failure
from utils.checking.keys import Key, Sketched, is_right
from utils.checking.outcomes import ENDLESS, Outcome, shown, size_of
from utils.checking.trials import SECONDS, Cases, Run, Trial, run_cases


def examine(
    trial: Trial,
    cases: Cases,
    key: Key,
    *,
    forbidden: str | Sequence[str] = (),
    protect: Sequence[str] = (),
    tol: float = 1e-6,
    seconds: float = SECONDS,
) -> None:
    """Check an answer on all its inputs, and say "passed" or what is wrong.

    Parameters
    ----------
    trial : calls the answer with one input and returns what matters of the result; its parameters'
        names are those by which a message shows the input
    cases : function of a random generator that yields inputs, each a tuple of the trial's arguments
    key : of this question, from :func:`unpacked`
    forbidden : what the answer is to write itself, see :func:`own_work`
    protect : names of inputs that must be the same after the call as before
    tol : of numbers, relative where they are above 1
    seconds : of the processor, that the answer may take for one input

    Raises
    ------
    AssertionError
        With the misconception, if the results prove a named one; else with the smallest input on
        which the answer is wrong, what came out and what was expected.
    """
    forbidden = [forbidden] if isinstance(forbidden, str) else list(forbidden)
    if RECORDER is not None:
        RECORDER(trial, cases, key, forbidden, protect, tol)
        return
    _greet(forbidden)
    refuse_stale(trial)
    runs = run_cases(trial, cases, key.seed, forbidden=forbidden, protect=protect, seconds=seconds)
    if message := diagnose(runs, key, tol, _ruled_out(trial, key)):
        raise failure(message)
    _PASSED[key.question] = (
        _called(trial),
        {i for i, (_, known) in enumerate(key.mistakes) if known},
    )
    what = "Hidden test" if key.hidden else "Check"
    print(f"{what} of {key.question}: passed ({len(runs)} inputs).")


# Set when a notebook is built: called in place of checking, to note what an answer computes.
RECORDER: Callable[..., None] | None = None


# Of each check that passed: what it called, and the numbers of the mistakes that would have failed it.
_PASSED: dict[str, tuple[dict[str, object], set[int]]] = {}


def _called(trial: Trial) -> dict[str, object]:
    """What a trial names, as it is defined now."""
    space = trial.__globals__
    return {name: space[name] for name in names_in(trial.__code__) if name in space}


def _ruled_out(trial: Trial, key: Key) -> set[int]:
    """The mistakes that another check of the question has disproved: it passed, and what it called
    has not been defined anew since."""
    found: set[int] = set()
    for name, (called, failing) in _PASSED.items():
        now = trial.__globals__
        same = all(now.get(function) is value for function, value in called.items())
        if name.split("_")[0] == key.question.split("_")[0] and name != key.question and same:
            found |= failing
    return found


def diagnose(
    runs: Sequence[Run], key: Key, tol: float, ruled_out: Collection[int] = ()
) -> str | None:
    """What to tell a student; None when all is right. ``ruled_out`` are numbers of mistakes that
    are known not to be the cause.

    Raises
    ------
    ValueError
        If the key belongs to other inputs: there are more or fewer.
    """
    ended = runs[-1].outcome.structure != ENDLESS
    if (len(runs) != len(key.expected)) if ended else (len(runs) > len(key.expected)):
        raise ValueError(f"the key of {key.question} is for {len(key.expected)} inputs; build anew")
    wrong = [
        i
        for i, run in enumerate(runs)
        if run.changed or not is_right(run.outcome, key.expected[i], tol)
    ]
    if not wrong:
        return None
    smallest = min(wrong, key=lambda i: size_of(list(runs[i].inputs.values())))
    found = recognised(runs, wrong, key, tol, ruled_out)
    if found:
        # Of several ideas each accounts for some of the inputs.
        return "\n".join(list(dict.fromkeys(found)) + _example(runs[smallest], key, smallest))
    lines = _accident(runs[smallest], key.expected[smallest], tol)
    return "\n".join(lines + _example(runs[smallest], key, smallest))


def recognised(
    runs: Sequence[Run],
    wrong: Sequence[int],
    key: Key,
    tol: float,
    ruled_out: Collection[int] = (),
) -> list[str]:
    """The messages of the named mistakes that the results prove; none, if they prove no cause.

    A mistake is proved if the answer gives what it gives wherever that differs from the right
    answer, and is right elsewhere. Where no single mistake accounts for all wrong results, two that
    together account for all of them are proved, too.
    """
    same: dict[int, set[int]] = {}
    for number, (_, sketches) in enumerate(key.mistakes):
        known = {i: s for i, s in sketches.items() if i < len(runs)}
        if (
            known
            and number not in ruled_out
            and all(_same(runs[i].outcome, s, tol) for i, s in known.items())
        ):
            same[number] = set(known)
    target = set(wrong)
    whole = [number for number, places in same.items() if places == target]
    if whole:
        return [key.mistakes[number][0] for number in whole]
    # Widest first, so that the idea behind most of what is wrong is named first.
    order = sorted(same, key=lambda number: -len(same[number]))
    for one in order:
        for other in order:
            if one != other and same[one] | same[other] == target:
                return [key.mistakes[one][0], key.mistakes[other][0]]
    return []


def _same(outcome: Outcome, sketch: tuple[int, float] | None, tol: float) -> bool:
    if sketch is None:
        return outcome.structure == ENDLESS
    return outcome.fits(sketch, tol)


def _accident(run: Run, expected: Outcome, tol: float) -> list[str]:
    """What can be said for certain of a wrong result that no named mistake gives."""
    outcome = run.outcome
    if run.changed:
        names = " and ".join(f"`{name}`" for name in run.changed)
        return [f"Your answer changes {names}, which must be the same after the call as before."]
    if outcome.structure == ENDLESS:
        return [f"Your answer was {outcome.shown}: look for a loop that does not end."]
    if outcome.kinds:
        where = f", in {run.where}" if run.where else ""
        if expected.kinds:
            return [
                f"Your answer must raise {expected.structure[1:]} here, and raises {outcome.shown}"
                f"{where}."
            ]
        return [f"Your answer raises {outcome.shown}{where}."]
    if expected.structure.startswith("!"):
        return [f"Your answer must raise {expected.structure[1:]} here, and raises nothing."]
    if outcome.structure == "None":
        return ["Your answer gives None: is a `return` missing?"]
    if "None" in outcome.structure and "None" not in expected.structure:
        return ["A part of the result is None."]
    if _without_texts(outcome.structure) != _without_texts(expected.structure):
        return [
            "The result is built in another way than the question says: "
            f"{_described(outcome)}, not {_described(expected)}."
        ]
    if not isinstance(expected, Sketched):
        apart = outcome.values - expected.values
        apart = apart[np.abs(apart) > tol]
        for bits in (32, 16, 8):
            if apart.size and (np.abs(apart) % 2**bits == 0).all():
                return [
                    f"What is wrong is off by {2**bits}, or a multiple of it: integers of {bits} "
                    "bits wrap around; convert them before you calculate."
                ]
    return ["The result is wrong."]


def _without_texts(structure: str) -> str:
    """How a result is built, whatever its texts say."""
    return re.sub(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", "text", structure)


def _described(outcome: Outcome) -> str:
    """The structure of a result, in words for the usual ones."""
    text = outcome.structure
    if text == "#":
        return "a single number"
    if one := re.fullmatch(r"#\((\d+),\)", text):
        return f"{one[1]} number{'s' * (one[1] != '1')}"
    if re.fullmatch(r"#\([\d, ]*\)", text):
        return f"numbers of shape {text[1:]}"
    plain = text.replace("#", "number")
    return plain if len(plain) <= 160 else plain[:157] + "..."


def _example(run: Run, key: Key, index: int) -> list[str]:
    expected = key.expected[index]
    if key.hidden:
        return [
            "  (on inputs that this test does not show; the checks draw theirs in the same way)"
        ]
    inputs = ", ".join(f"{name}={shown(value)}" for name, value in run.inputs.items())
    lines = [f"  input:    {inputs}", f"  got:      {run.outcome.shown}"]
    lines.append(f"  expected: {expected.shown}")
    if run.outcome.structure == expected.structure and expected.values.size > 8:
        if not isinstance(expected, Sketched):
            differ = run.outcome.differences(expected, 1e-6)
            if differ.size:
                at = int(differ[0])
                lines.append(
                    f"  {differ.size} of {expected.values.size} numbers differ, the first is "
                    f"{run.outcome.values[at]:.9g}, not {expected.values[at]:.9g}"
                )
    return lines


def _greet(forbidden: Sequence[str]) -> None:
    """Say that something happens, before seconds of importing."""
    modules = {name.rpartition(".")[0] for name in forbidden}
    if any(name.startswith("utils.") and name not in sys.modules for name in modules):
        print("Starting: the first check loads what it compares with ...", flush=True)
