"""The checks of assignments: messages, and a watch that sees through disguises."""

import functools
import importlib
import math
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from utils.checking import check, check_close, check_raises, own_work

LIBRARY = """
import functools

def tune(values):
    return max(values)

def other(values):
    return min(values)

def through(values):
    return tune(values)

def decorate(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper

@decorate
def decorated(values):
    return max(values)

@decorate
def decorated_too(values):
    return min(values)

def make():
    def made(values):
        return max(values)
    return made

made = make()

class Record:
    def __init__(self, values):
        self.values = values
    def best(self):
        return max(self.values)
    def worst(self):
        return min(self.values)
    @classmethod
    def of(cls, *values):
        return cls(values)
    @staticmethod
    def first(values):
        return values[0]
    @property
    def size(self):
        return len(self.values)

class Empty:
    pass
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    (folder / "course_library.py").write_text(LIBRARY)
    sys.path.insert(0, str(folder))
    yield importlib.import_module("course_library")
    sys.path.remove(str(folder))
    del sys.modules["course_library"]


def caught(answer, *args, forbidden="course_library.tune"):
    """The message of the watch, after the answer has been run on ``args``."""
    with pytest.raises(AssertionError) as error:
        result = own_work(answer, forbidden)(*args)
        if hasattr(result, "__next__"):
            list(result)
    return str(error.value)


VERDICT = "This question asks you to write it: your answer calls course_library.tune."


# ---------------------------------------------------------------------- own_work: what it catches


def test_a_direct_call_is_caught(library):
    assert caught(lambda values: library.tune(values), [1, 2]) == VERDICT


def test_an_alias_is_caught(library):
    alias = library.tune
    assert caught(lambda values: alias(values), [1, 2]) == VERDICT


def test_an_import_inside_the_answer_is_caught(library):
    def answer(values):
        from course_library import tune as mine

        return mine(values)

    assert caught(answer, [1, 2]) == VERDICT


def test_a_partial_is_caught(library):
    assert caught(functools.partial(library.tune, [1, 2])) == VERDICT


def test_an_answer_that_is_the_library_function_is_caught(library):
    assert caught(library.tune, [1, 2]) == VERDICT


def test_a_thread_started_by_the_answer_is_watched(library):
    def answer(values):
        thread = threading.Thread(target=library.tune, args=(values,))
        thread.start()
        thread.join()
        return max(values)

    assert caught(answer, [1, 2]) == VERDICT


def test_a_pool_of_threads_started_by_the_answer_is_watched(library):
    def answer(values):
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(library.tune, values).result()

    assert caught(answer, [1, 2]) == VERDICT


def test_an_answer_that_swallows_exceptions_is_caught(library):
    def answer(values):
        try:
            return library.tune(values)
        except BaseException:
            return max(values)

    assert caught(answer, [1, 2]) == VERDICT


def test_an_answer_that_fails_after_the_call_is_told_of_the_call(library):
    def answer(values):
        library.tune(values)
        raise ZeroDivisionError

    assert caught(answer, [1, 2]) == VERDICT


def test_a_call_by_another_library_function_is_caught(library):
    assert caught(library.through, [1, 2]) == VERDICT


def test_a_call_by_name_or_from_c_code_is_caught(library):
    for answer in (
        lambda values: eval("tune(values)", {"tune": library.tune, "values": values}),
        lambda values: sorted([values], key=library.tune),
        lambda values: np.vectorize(library.tune, signature="(n)->()")(values),
    ):
        assert caught(answer, [1]) == VERDICT


def test_a_lazy_answer_is_watched_while_it_is_read(library):
    def generator(values):
        yield library.tune(values)

    assert caught(generator, [1, 2]) == VERDICT
    assert caught(lambda values: map(library.tune, [values]), [1, 2]) == VERDICT


def test_a_second_copy_of_the_module_is_recognised(library):
    def answer(values):
        spec = importlib.util.spec_from_file_location("copy", library.__file__)
        copy = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(copy)
        return copy.tune(values)

    assert caught(answer, [1, 2]) == VERDICT


def test_methods_properties_and_constructors(library):
    record = library.Record([1, 2])
    for name, answer in {
        "course_library.Record.best": lambda: record.best(),
        "course_library.Record.of": lambda: library.Record.of(1, 2),
        "course_library.Record.first": lambda: library.Record.first([1]),
        "course_library.Record.size": lambda: record.size,
        "course_library.Record": lambda: library.Record([1]),
    }.items():
        assert caught(answer, forbidden=name).endswith(f"your answer calls {name}.")
    assert own_work(record.worst, "course_library.Record.best")() == 1


def test_a_function_behind_numpys_dispatcher_is_caught():
    message = caught(lambda x: np.percentile(x, 50), [1.0, 2.0], forbidden="numpy.percentile")
    assert message.endswith("your answer calls numpy.percentile.")
    caught(functools.partial(np.percentile, q=50), [1.0], forbidden="numpy.percentile")
    caught(np.percentile, [1.0], 50, forbidden="numpy.percentile")


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("math.dist", lambda: math.dist([0], [1])),
        ("math.dist", functools.partial(lambda f: f([0], [1]), math.dist)),
        ("torch.bucketize", lambda: torch.bucketize(torch.ones(2), torch.ones(1))),
        ("torch.Tensor.clamp", lambda: torch.ones(2).clamp(0, 1)),
        ("numpy.ndarray.sort", lambda: np.ones(3).sort()),
        ("builtins.sorted", lambda: sorted([2, 1])),
    ],
)
def test_functions_written_in_c_are_caught(name, answer):
    assert caught(answer, forbidden=name).endswith(f"your answer calls {name}.")


def test_a_c_function_that_is_the_answer_is_caught():
    assert "math.dist" in caught(math.dist, [0], [1], forbidden="math.dist")


def test_all_functions_called_are_named_once_and_in_order(library):
    def answer(values):
        return [library.other(values), library.tune(values), library.tune(values)]

    with pytest.raises(AssertionError) as error:
        own_work(answer, "course_library.tune", "course_library.other")([1])
    assert str(error.value).endswith("calls course_library.other and course_library.tune.")


@pytest.mark.parametrize("replacement", [None, lambda *event: None])
def test_an_answer_that_takes_the_watch_off_is_caught(library, replacement):
    def answer(values):
        sys.setprofile(replacement)
        return library.tune(values)

    def answer_that_puts_it_back(values):
        before = sys.getprofile()
        sys.setprofile(replacement)
        result = library.tune(values)
        sys.setprofile(before)
        return result

    def answer_that_lets_c_code_do_it(values):
        list(map(sys.setprofile, [replacement]))
        return library.tune(values)

    for hides in (answer, answer_that_puts_it_back, answer_that_lets_c_code_do_it):
        assert caught(hides, [1]).startswith("Your answer sets a profile function")
    assert sys.getprofile() is None


# ------------------------------------------------------------------- own_work: what it lets pass


def test_other_functions_of_the_same_module_pass(library):
    assert own_work(lambda values: library.other(values), "course_library.tune")([1, 2]) == 1


def test_functions_under_the_same_decorator_pass(library):
    forbidden = "course_library.decorated"
    assert own_work(library.decorated_too, forbidden)([1, 2]) == 1
    assert caught(library.decorated, [1, 2], forbidden=forbidden)


def test_scikit_learns_decorated_functions_are_told_apart():
    from sklearn.metrics import accuracy_score, f1_score

    forbidden = "sklearn.metrics.f1_score"
    assert own_work(accuracy_score, forbidden)([1, 0], [1, 0]) == 1
    assert forbidden in caught(f1_score, [1, 0], [1, 0], forbidden=forbidden)


def test_an_own_function_of_the_same_name_passes(library):
    def tune(values):
        return max(values)

    assert own_work(tune, "course_library.tune")([1, 2]) == 2


def test_numpy_and_recursion_pass(library):
    def factorial(n):
        return 1 if n <= 1 else n * factorial(n - 1)

    assert own_work(factorial, "course_library.tune")(500) == math.factorial(500)
    mean = own_work(lambda x: np.percentile(np.sort(x), 50) + np.mean(x), "course_library.tune")
    assert mean([1.0, 3.0]) == 4.0


def test_recursion_without_end_is_its_own_error_and_hides_no_call(library):
    def endless(n):
        return endless(n + 1)

    def sly(n):
        library.tune([1])
        return endless(n)

    with pytest.raises(RecursionError):
        own_work(endless, "course_library.tune")(0)
    assert caught(sly, 0) == VERDICT
    assert sys.getprofile() is None


def test_recursion_through_the_wrapper_passes_and_is_still_watched(library):
    def factorial(n):
        return 1 if n <= 1 else n * watched(n - 1)

    watched = own_work(factorial, "course_library.tune")
    assert watched(400) == math.factorial(400)

    def sly(n):
        return library.tune([1]) if n == 0 else sly_watched(n - 1)

    sly_watched = own_work(sly, "course_library.tune")
    with pytest.raises(AssertionError, match="course_library.tune"):
        sly_watched(50)


def test_arguments_results_and_errors_go_through(library):
    def answer(a, *rest, b=2):
        """Said by the student."""
        if b == 0:
            raise ZeroDivisionError("b")
        return a, rest, b

    watched = own_work(answer, "course_library.tune")
    assert watched(1, 5, b=3) == (1, (5,), 3)
    assert watched.__name__ == "answer" and watched.__doc__ == "Said by the student."
    with pytest.raises(ZeroDivisionError):
        watched(1, b=0)
    assert list(own_work(lambda n: (i for i in range(n)), "course_library.tune")(3)) == [0, 1, 2]


def test_a_verdict_is_about_one_call_only(library):
    watched = own_work(lambda use: library.tune([1]) if use else 0, "course_library.tune")
    with pytest.raises(AssertionError):
        watched(True)
    assert watched(False) == 0


# --------------------------------------------------------------------- own_work: its surroundings


def test_the_profile_function_of_before_is_restored_and_kept_informed(library):
    seen = []

    def before(frame, event, argument):
        seen.append(frame.f_code.co_name)

    def inside(values):
        return max(values)

    sys.setprofile(before)
    threading.setprofile(before)
    try:
        own_work(inside, "course_library.tune")([1])
        with pytest.raises(AssertionError):
            own_work(library.tune, "course_library.tune")([1])
        assert sys.getprofile() is before and threading.getprofile() is before
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    assert "inside" in seen and "tune" in seen


def test_watches_can_be_nested(library):
    inner = own_work(lambda values: library.tune(values), "course_library.other")
    assert inner([1, 2]) == 2
    assert caught(inner, [1, 2]) == VERDICT
    assert sys.getprofile() is None


@pytest.mark.parametrize("name", ["course_library.absent", "absent_library.tune", "tune"])
def test_a_name_that_does_not_exist_is_an_error_of_the_author(library, name):
    with pytest.raises(LookupError, match=f"there is no {name}"):
        own_work(max, name)


@pytest.mark.parametrize(
    "name",
    ["numpy.add", "numpy.concatenate", "course_library.made", "course_library.Empty", "math.pi"],
)
def test_what_cannot_be_watched_is_refused(library, name):
    with pytest.raises(TypeError):
        own_work(max, name)


def test_a_module_that_fails_to_import_shows_why(library, tmp_path, monkeypatch):
    (tmp_path / "broken_library.py").write_text("import absent_dependency")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="absent_dependency"):
        own_work(max, "broken_library.tune")


# ------------------------------------------------------------------------------------- messages


def failure(*args, **options):
    with pytest.raises(AssertionError) as error:
        check_close(*args, **options)
    return str(error.value)


def rendered(fails, *args):
    """What IPython shows: it asks an error for its own way to be shown."""
    with pytest.raises(AssertionError) as error:
        fails(*args)
    return getattr(error.value, "_render_traceback_", lambda: "the traceback")()


def test_a_notebook_shows_the_message_alone(library):
    assert rendered(check, False, "m") == ["AssertionError: m"]
    assert rendered(check_close, 1, 2, "m") == [
        "AssertionError: m\n  got:      1.0\n  expected: 2.0"
    ]
    answer = own_work(library.tune, "course_library.tune")
    assert rendered(answer, [1]) == [f"AssertionError: {VERDICT}"]


def test_an_unexpected_error_comes_with_its_traceback():
    assert rendered(check_raises, lambda: 1 / 0, ValueError, "m") == "the traceback"


def test_checks_write_nothing_to_stderr(library, capsys):
    check_close(np.array([np.nan, np.inf]), [np.nan, np.inf], "never seen")
    failure([np.inf, np.nan] * 8, np.zeros(16), "m")
    caught(library.tune, [1])
    assert capsys.readouterr() == ("", "")
