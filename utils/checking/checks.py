"""Single checks: fail with a sentence, and below it what was got and what was expected."""

from collections.abc import Callable, Mapping

import numpy as np

from utils.checking.outcomes import numbers_in, shown


def check(condition, message: str) -> None:
    """Fail with ``message`` unless ``condition`` is true.

    Raises
    ------
    AssertionError
        With ``message`` alone.
    """
    if not condition:
        raise failure(message)


def check_close(actual, expected, message: str, tol: float = 1e-6) -> None:
    """Fail with ``message`` unless two numbers, or arrays of them, are alike.

    Parameters
    ----------
    actual, expected : number, array of any shape, sequence, torch tensor, or a dict of these
        A dict must have the same keys. Shapes must be the same: nothing is broadcast. A NaN or an
        infinity is like another of its kind in the same place only.
    message : what is likely wrong
    tol : largest difference allowed, relative to the expected value where that is above 1
        ``|actual - expected| <= tol * max(1, |expected|)``

    Raises
    ------
    AssertionError
        With ``message`` and, below it, what was got and what was expected.
    """
    if isinstance(expected, Mapping):
        if not isinstance(actual, Mapping):
            _fail(message, shown(actual), f"a dict with the keys {_listed(expected)}")
        if set(actual) != set(expected):
            _fail(message, f"a dict with the keys {_listed(actual)}", f"keys {_listed(expected)}")
        for key in expected:
            check_close(actual[key], expected[key], f"{message} (at {key!r})", tol)
        return
    wanted, got = numbers_in(expected), numbers_in(actual)
    if wanted is None:
        raise TypeError(f"check_close compares numbers, but expects {shown(expected)}")
    if got is None:
        hint = " (is the `return` missing?)" if actual is None else ""
        _fail(message, shown(actual) + hint, shown(wanted))
    if got.shape != wanted.shape:
        _fail(message, _of_shape(got), _of_shape(wanted))
    with np.errstate(invalid="ignore"):
        near = np.abs(got - wanted) <= tol * np.maximum(1, np.abs(wanted))
    alike = (near & np.isfinite(wanted)) | (got == wanted) | (np.isnan(got) & np.isnan(wanted))
    if alike.all():
        return
    if got.size <= 8:
        _fail(message, shown(got), shown(wanted))
    with np.errstate(invalid="ignore"):
        distance = np.where(alike, -1, np.nan_to_num(np.abs(got - wanted), nan=np.inf))
    worst = np.unravel_index(distance.argmax(), got.shape)
    where = f"at index {tuple(map(int, worst))}" if got.ndim > 1 else f"at index {int(worst[0])}"
    _fail(
        f"{message} ({(~alike).sum()} of {got.size} values differ)",
        f"{shown(got[worst])} {where}",
        f"{shown(wanted[worst])}",
    )


def check_raises(
    function: Callable[[], object],
    exception: type[BaseException] | tuple[type[BaseException], ...],
    message: str,
) -> None:
    """Fail with ``message`` unless ``function()`` raises ``exception``.

    Raises
    ------
    AssertionError
        With ``message`` and what happened instead.
    """
    kinds = exception if isinstance(exception, tuple) else (exception,)
    expected = " or ".join(kind.__name__ for kind in kinds)
    try:
        result = function()
    except kinds:
        return
    except Exception as error:
        text = "\n".join(_report(message, f"{type(error).__name__}: {error}", expected))
        raise AssertionError(text) from error  # with the traceback of what went wrong
    _fail(message, f"no error; it returned {shown(result)}", expected)


def failure(text: str) -> AssertionError:
    """An error that a notebook shows as its message alone, without the lines of this file."""
    error = AssertionError(text)
    error._render_traceback_ = lambda: [f"AssertionError: {text}"]  # asked for by IPython
    return error


def _report(message: str, got: str, expected: str) -> list[str]:
    return [message, f"  got:      {got}", f"  expected: {expected}"]


def _fail(message: str, got: str, expected: str) -> None:
    raise failure("\n".join(_report(message, got, expected)))


def _of_shape(array: np.ndarray) -> str:
    return f"shape {array.shape}" if array.ndim else f"a single number, {shown(array)}"


def _listed(keys) -> str:
    return ", ".join(repr(key) for key in keys) or "none"
