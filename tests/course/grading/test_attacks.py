"""Submissions that forge, escape or break, each with an honest twin. `make hostile` tries them all.

An attack is first tried where a test runs in the process that it tests: there it must work, or nothing
is shown where it does not. Its twin does something similar for a good reason.
"""

from typing import NamedTuple

import psutil
import pytest

from course.grading.judge import Judge
from course.grading.sandbox import Sandbox
from tests.course.grading.escapes import ACCIDENTS, REMAINS, Scene, answer, running
from tests.course.grading.judging import (
    WITH_TORCH,
    assignment,
    handed_in,
    points,
    reason,
    unprotected,
)
from tests.course.grading.unseen import ESCAPES, FORGERIES, UNLIMITED

SECONDS = 250  # of a busy machine; what has to run out of them gets fewer
FULL = {"q1": 2, "q2": 3}

# Of each kind, what takes little time; the rest waits for `make hostile`.
SHORT = (
    "reads the solution",
    "writes marks",
    "plants code in the configuration",
    "reads the environment of another program",
    "opens the memory of its parent",
    "sends a signal",
    "connects",
    "connects to a local socket",
    "starts processes without number",
    "equals everything",
    "patches beneath numpy.testing",
    "patches torch.allclose",
    "replaces the key",
    "puts a package of its own first",
    "reads the key",
    "drops assertions as syntax",
    *UNLIMITED,
    "takes the notes of the watch away",
    "calls the library when its result is read",
    "answers in place of the process",
)
SHORT_ACCIDENTS = (
    "a syntax error",
    "exit() above the answer",
    "sys.exit() in the answer",
    "input()",
    "the kernel ended in its cell",
    "the kernel ended in the answer",
    "an endless answer",
    "an answer that sleeps",
    "too deep",
)


def groups(table, short):
    rest = [name for name in table if name not in short]
    return [
        pytest.param(list(short), id="short"),
        pytest.param(rest, id="rest", marks=pytest.mark.hostile),
    ]


class Came(NamedTuple):
    """The points of an attack without a judge and with one, and of its twin; whether it was flagged,
    and whether the scene was left as it was."""

    unprotected: dict
    judged: dict
    twin: dict
    flagged: bool = True
    untouched: bool = True


@pytest.fixture(scope="module")
def judge():
    """A function that judges a submission of the assignment with such a test."""
    judges = {}
    with Sandbox(preload=WITH_TORCH) as box:

        def judged(nb, test="examine", seconds=SECONDS):
            if test not in judges:
                judges[test] = Judge(assignment(test), box)
            return judges[test].judge(nb, seconds=seconds)

        yield judged


def cases(scene, names):
    """The kind of test, the attack and the twin of each."""
    for name in names:
        if name in FORGERIES:
            test, code, twin, *_ = FORGERIES[name]
        else:
            test, (code, twin) = "examine", (answer(body, scene) for body in ESCAPES[name])
        yield test, handed_in(assignment(test), code), handed_in(assignment(test), twin)


def odd(came, must):
    return {name: (came[name], must[name]) for name in must if came[name] != must[name]}


@pytest.mark.parametrize("names", groups(ESCAPES | FORGERIES, SHORT))
def test_an_attack_earns_nothing_and_its_twin_everything(judge, names, tmp_path):
    with Scene(tmp_path / "open", f"{tmp_path.name}-open") as scene:
        open_points = unprotected([attack for _, attack, _ in cases(scene, names)])
    came, must = {}, {}
    with Scene(tmp_path / "class", f"{tmp_path.name}-class") as scene:
        for name, (test, attack, twin), without in zip(
            names, cases(scene, names), open_points, strict=True
        ):
            done, honest = judge(attack, test), judge(twin, test)
            flagged = bool(done.flags) or name in ESCAPES  # which earn nothing by themselves
            results = (points(done.notebook), points(honest.notebook))
            came[name] = Came(without, *results, flagged, scene.is_untouched())
            earns, keeps = FORGERIES[name][3:] if name in FORGERIES else (0, 3)
            must[name] = Came(FULL, {"q1": earns, "q2": keeps}, FULL)
    assert odd(came, must) == {}


@pytest.mark.parametrize("names", groups(REMAINS, ("a child of a child that is gone",)))
def test_nothing_is_left_running(judge, names, tmp_path):
    for name in names:
        with Scene(tmp_path / name, f"{tmp_path.name}-{list(REMAINS).index(name)}") as scene:
            attack, twin = (handed_in(assignment(), answer(body, scene)) for body in REMAINS[name])
            mark = f"{scene['mark']}-left"
            assert unprotected([attack]) == [FULL]
            left = running(mark)
            assert len(left) == 1, "without a judge it lives on"
            left[0].kill()
            left[0].wait(SECONDS)
            assert points(judge(attack).notebook) == FULL  # nothing says that it may not
            psutil.wait_procs(running(mark), SECONDS)
            assert running(mark) == []
            assert points(judge(twin).notebook) == FULL


@pytest.mark.parametrize("names", groups(ACCIDENTS, SHORT_ACCIDENTS))
def test_an_accident_costs_its_own_question(judge, names):
    came = {}
    for name in names:
        code, said, twin = ACCIDENTS[name]
        done = judge(
            handed_in(assignment(), code), seconds=10 if said == "took longer" else SECONDS
        )
        honest = judge(handed_in(assignment(), twin))
        why = reason(done.notebook, "q1")
        told = said if said in why else why
        came[name] = (points(done.notebook), told, points(honest.notebook))
    must = {name: ({"q1": 0, "q2": 3}, ACCIDENTS[name].said, FULL) for name in names}
    assert odd(came, must) == {}
