"""A check's verdict: passed, a proved misconception, an accident in words, or no cause at all."""

import signal
import subprocess
import sys

import numpy as np
import pytest

from utils.checking import examine
from utils.checking.keys import Key, packed, unpacked
from utils.checking.outcomes import outcome_of
from utils.checking.trials import run_cases


def middle(values):
    return sorted(values)[len(values) // 2]


def cases(random):
    yield ([3, 1, 2],)
    yield ([5, 5, 1],)
    yield (random.integers(0, 50, 9).tolist(),)


def unsorted(values):
    return values[len(values) // 2]


def largest(values):
    return max(values)


def key_of(mistakes, trial=middle, cases=cases, hidden=False, name="q1"):
    """A key as the course makes it: from what the right answer and each mistake compute."""
    expected = [run.outcome for run in run_cases(trial, cases, 0)]
    known = []
    for message, mistake in mistakes.items():
        runs = run_cases(mistake, cases, 0, seconds=0.3)
        known.append(
            (
                message,
                {
                    i: None if run.outcome.structure == "endless" else run.outcome.sketch()
                    for i, run in enumerate(runs)
                    if not run.outcome.alike(expected[i], 1e-6)
                },
            )
        )
    key = Key(name, 0, tuple(expected), tuple(known), hidden)
    return unpacked(packed([key]))[name]  # as it comes out of a notebook


MISTAKES = {"Sort first.": unsorted, "That is the largest.": largest}


def verdict(answer, mistakes=MISTAKES, **options):
    def trial(values):
        return answer(values)

    with pytest.raises(AssertionError) as failed:
        examine(trial, cases, key_of(mistakes), **options)
    return str(failed.value)


def test_a_right_answer_passes_and_is_told_so(capsys):
    examine(lambda values: float(np.median(values)), cases, key_of(MISTAKES))
    assert capsys.readouterr().out == "Check of q1: passed (3 inputs).\n"


def test_a_named_mistake_is_recognised_by_what_it_computes():
    said = verdict(lambda values: list(values)[1 if len(values) == 3 else 4])
    assert said.startswith("Sort first.\n")
    assert "input:    values=[3, 1, 2]" in said and "expected: 2" in said


def test_two_mistakes_that_compute_the_same_are_both_named():
    said = verdict(unsorted, {"Sort first.": unsorted, "Or else that.": lambda v: unsorted(v)})
    assert said.startswith("Sort first.\nOr else that.\n")


def test_a_wrong_answer_like_none_gets_the_smallest_input_and_no_cause():
    said = verdict(lambda values: 49 if len(values) == 3 else middle(values))
    assert said.startswith("The result is wrong.\n")
    assert "Sort" not in said and "largest" not in said


def test_an_answer_that_is_wrong_like_a_mistake_and_wrong_elsewhere_proves_no_cause():
    mistakes = {"Only the first.": lambda v: 0 if v == [3, 1, 2] else middle(v)}
    assert verdict(lambda values: 0, mistakes).startswith("The result is wrong.")


def test_two_mistakes_that_account_for_all_are_both_said():
    one = {
        "A.": lambda v: 0 if v[0] == 3 else middle(v),
        "B.": lambda v: 0 if v[0] == 5 else middle(v),
    }
    said = verdict(lambda v: 0 if v[0] in (3, 5) and len(v) == 3 else middle(v), one)
    assert said.startswith("A.\nB.\n") or said.startswith("B.\nA.\n")


def test_a_mistake_that_another_check_disproves_is_not_named():
    """Two mistakes give the same in the second check, and one of them fails the first as well."""
    first = key_of({"Sort first.": unsorted, "Or else that.": middle}, name="q7_first")
    second = key_of({"Sort first.": unsorted, "Or else that.": unsorted}, name="q7_second")
    space = {"__builtins__": __builtins__, "first_part": middle, "second_part": unsorted}
    source = "def try_first(values): return first_part(values)\n"
    exec(source + "def try_second(values): return second_part(values)", space)

    def said():
        with pytest.raises(AssertionError) as failed:
            examine(space["try_second"], cases, second)
        return str(failed.value)

    assert said().startswith("Sort first.\nOr else that.\n")
    examine(space["try_first"], cases, first)
    assert said().startswith("Or else that.\n  input:")
    space["first_part"] = lambda values: middle(values)  # written anew: nothing is known of it yet
    assert said().startswith("Sort first.\nOr else that.\n")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda values: None, "is a `return` missing?"),
        (lambda values: [middle(values)], "1 number, not a single number"),
        (lambda values: np.ones((2, 2)), "numbers of shape (2, 2), not a single number"),
        (lambda values: {"middle": None}, "A part of the result is None."),
        (lambda values: 1 / 0, "raises ZeroDivisionError: division by zero"),
        (lambda values: sys.exit(), "raises SystemExit"),
        (lambda values: middle(values) + 256, "integers of 8 bits wrap around"),
        (lambda values: middle(values) - 2**16, "integers of 16 bits wrap around"),
    ],
)
def test_the_usual_accidents_have_a_sentence(answer, words):
    assert words in verdict(answer)


def test_another_text_is_wrong_and_not_built_in_another_way():
    def trial(values):
        return ["it's right", 1]

    key = Key("q1", 0, tuple(outcome_of(["it's", 1]) for _ in range(3)))
    with pytest.raises(AssertionError) as failed:
        examine(trial, cases, key)
    assert str(failed.value).startswith("The result is wrong.")


def test_an_input_changed_in_place_is_noticed_only_where_it_is_protected(capsys):
    def sorts(values):
        values.sort()
        return values[len(values) // 2]

    assert "changes `values`" in verdict(sorts, protect=["values"])
    examine(lambda values: sorts(values), cases, key_of(MISTAKES))
    assert "passed" in capsys.readouterr().out


def test_an_answer_that_never_ends_is_stopped_though_it_catches_everything():
    def loop(values):
        while True:
            try:
                sum(range(1000))
            except Exception:
                pass

    assert "look for a loop that does not end" in verdict(loop, seconds=0.3)
    assert signal.getitimer(signal.ITIMER_PROF)[0] == 0


def test_a_mistake_that_never_ends_is_recognised_too():
    def loop(values):
        while len(values) == 9:
            pass
        return middle(values)

    assert verdict(loop, {"It waits for ever.": loop}, seconds=0.3).startswith("It waits for ever.")


def test_an_error_that_is_asked_for():
    def strict(values):
        if not values:
            raise ValueError("nothing")
        return middle(values)

    def empty(random):
        yield ([1],)
        yield ([],)

    key = key_of({}, strict, empty)
    for answer, words in (
        (lambda values: 0 if not values else 1, "must raise ValueError here, and raises nothing"),
        (lambda values: values[0], "must raise ValueError here, and raises IndexError"),
    ):
        with pytest.raises(AssertionError, match=words):
            examine(answer, empty, key)


def test_a_hidden_test_shows_no_input():
    with pytest.raises(AssertionError) as failed:
        examine(lambda values: 0, cases, key_of(MISTAKES, hidden=True))
    assert "values=" not in str(failed.value) and "got:" not in str(failed.value)


def test_whatever_goes_to_stderr_is_let_through_to_stdout(capfd):
    kept = sys.stderr

    def loud(values):
        print("by Python", file=sys.stderr)
        subprocess.run([sys.executable, "-c", "import sys; sys.stderr.write('by a child')"])
        import os

        os.write(2, b"by C code")
        return middle(values)

    key = key_of(MISTAKES)
    examine(loud, cases, key)
    found = capfd.readouterr()
    assert kept is sys.stderr and found.err == ""
    for words in ("by Python", "by a child", "by C code"):
        assert found.out.count(words) == len(key.expected)  # each input's own, and no other's again


def test_inputs_are_handed_out_as_copies():
    def greedy(values):
        result = middle(values)
        values.clear()
        return result

    examine(greedy, cases, key_of(MISTAKES))


def test_calling_the_library_is_no_answer():
    from utils.metrics import macro_f1

    with pytest.raises(AssertionError, match="your answer calls utils.metrics.macro_f1"):
        examine(
            lambda values: macro_f1(np.ones((2, 1)), np.ones((2, 1))),
            cases,
            key_of(MISTAKES),
            forbidden="utils.metrics.macro_f1",
        )


def test_a_key_of_other_inputs_is_refused():
    def fewer(random):
        yield ([3, 1, 2],)

    with pytest.raises(ValueError, match="build anew"):
        examine(middle, fewer, key_of(MISTAKES))


def test_a_large_result_is_known_by_its_fingerprint():
    def many(random):
        yield (random.normal(size=1000),)

    key = key_of({}, lambda values: np.sort(values), many)
    examine(lambda values: np.array(sorted(values)), many, key)
    with pytest.raises(AssertionError, match="The result is wrong"):
        examine(lambda values: values, many, key)
