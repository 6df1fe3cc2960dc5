"""What the test cells of assignments use: checks that say what was seen, and a watch over answers.

A message says which misconception is behind the mistake, in a sentence or two; what was got and
what was expected follow on lines of their own. Nothing here writes to stderr, which nbgrader
would take for a failure.
"""

import functools
import importlib
import inspect
import sys
import threading
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr
from numbers import Number

import numpy as np


def check(condition, message: str) -> None:
    """Fail with ``message`` unless ``condition`` is true.

    Raises
    ------
    AssertionError
        With ``message`` alone.
    """
    if not condition:
        raise _failure(message)


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
            _fail(message, _shown(actual), f"a dict with the keys {_listed(expected)}")
        if set(actual) != set(expected):
            _fail(message, f"a dict with the keys {_listed(actual)}", f"keys {_listed(expected)}")
        for key in expected:
            check_close(actual[key], expected[key], f"{message} (at {key!r})", tol)
        return
    wanted, got = _numbers(expected), _numbers(actual)
    if wanted is None:
        raise TypeError(f"check_close compares numbers, but expects {_shown(expected)}")
    if got is None:
        hint = " (is the `return` missing?)" if actual is None else ""
        _fail(message, _shown(actual) + hint, _shown(wanted))
    if got.shape != wanted.shape:
        _fail(message, _of_shape(got), _of_shape(wanted))
    with np.errstate(invalid="ignore"):
        near = np.abs(got - wanted) <= tol * np.maximum(1, np.abs(wanted))
    alike = (near & np.isfinite(wanted)) | (got == wanted) | (np.isnan(got) & np.isnan(wanted))
    if alike.all():
        return
    if got.size <= 8:
        _fail(message, _shown(got), _shown(wanted))
    with np.errstate(invalid="ignore"):
        distance = np.where(alike, -1, np.nan_to_num(np.abs(got - wanted), nan=np.inf))
    worst = np.unravel_index(distance.argmax(), got.shape)
    where = f"at index {tuple(map(int, worst))}" if got.ndim > 1 else f"at index {int(worst[0])}"
    _fail(
        f"{message} ({(~alike).sum()} of {got.size} values differ)",
        f"{_shown(got[worst])} {where}",
        f"{_shown(wanted[worst])}",
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
    _fail(message, f"no error; it returned {_shown(result)}", expected)


def _failure(text: str) -> AssertionError:
    """An error that a notebook shows as its message alone, without the lines of this file."""
    error = AssertionError(text)
    error._render_traceback_ = lambda: [f"AssertionError: {text}"]  # asked for by IPython
    return error


def _report(message: str, got: str, expected: str) -> list[str]:
    return [message, f"  got:      {got}", f"  expected: {expected}"]


def _fail(message: str, got: str, expected: str) -> None:
    raise _failure("\n".join(_report(message, got, expected)))


def _numbers(value) -> np.ndarray | None:
    """As a float (or complex) array; None for what is not made of numbers."""
    if hasattr(value, "detach"):  # a torch tensor that requires a gradient
        value = value.detach()
    if value is None or isinstance(value, str | bytes | Mapping | set):
        return None
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):  # rows of different lengths, say
        return None
    if array.dtype.kind == "O" and all(isinstance(item, Number) for item in array.flat):
        array = array.astype(np.float64)  # fractions, decimals, very large integers
    if array.dtype.kind not in "biufc":
        return None
    return array if array.dtype.kind == "c" else array.astype(np.float64)


def _shown(value) -> str:
    """On one line, and not too long."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.item() if value.ndim == 0 else value
    if isinstance(value, np.ndarray):
        text = np.array2string(value, separator=", ", precision=8, threshold=20)
    else:
        text = repr(value)
    text = " ".join(text.split())
    return text if len(text) <= 200 else text[:197] + "..."


def _of_shape(array: np.ndarray) -> str:
    return f"shape {array.shape}" if array.ndim else f"a single number, {_shown(array)}"


def _listed(keys) -> str:
    return ", ".join(repr(key) for key in keys) or "none"


# ----------------------------------------------------------------------------------- own work


def own_work(function: Callable, *forbidden: str) -> Callable:
    """Wrap a student's answer so that calling the library's own implementation does not count.

    While the answer runs, a profile function sees every call in this thread and in those that are
    started meanwhile. It recognises the forbidden functions by their code, whatever name they are
    called by, so that an alias, ``from ... import``, ``functools.partial`` or an answer that *is*
    the library's function makes no difference. It only takes notes; the verdict comes after the
    answer has ended, so an answer that catches exceptions cannot swallow it. An answer
    that is a generator, or returns a ``map``, is watched while that is read, too.

    Warnings and whatever else the answer writes to stderr go to stdout: nbgrader takes anything on
    stderr for a failure, and a correct answer may well divide 0 by 0 on its way.

    Parameters
    ----------
    function : the answer
    *forbidden : dotted names of functions or methods, such as
        ``"utils.metrics.tune_thresholds"`` or ``"utils.efficiency.Measurement.to_record"``; for a
        class, its constructor is meant

    Returns
    -------
    A function with the same arguments and result as ``function``.

    Raises
    ------
    LookupError
        If there is nothing by a forbidden name.
    TypeError
        If calls of it cannot be seen: a NumPy ufunc, for instance, leaves no trace in a profile.
    AssertionError
        By the returned function: after a forbidden call, or if the answer takes the watch off.

    Notes
    -----
    Not seen: calls in another process, in threads that ran before, or long after the answer has
    returned (from methods of an object that it returned); a function written in C that is called
    by C (``map``, ``functools.partial``) and not by Python.
    """
    watch = _Watch(forbidden)

    @functools.wraps(function, updated=())
    def watched(*args, **kwargs):
        if watch.is_on():  # the answer calls itself by the name that it was given back
            return function(*args, **kwargs)
        with redirect_stderr(sys.stdout), _Notes(watch):
            result = function(*args, **kwargs)
        lazy = isinstance(result, types.GeneratorType | map | filter | zip)
        return _watched_iterator(watch, result) if lazy else result

    return watched


def _watched_iterator(watch: "_Watch", iterator: Iterator) -> Iterator:
    while True:
        with redirect_stderr(sys.stdout), _Notes(watch):
            try:
                item = next(iterator)
            except StopIteration:
                return
        yield item


class _Watch:
    """What must not be called, in the form in which a profile function sees it."""

    def __init__(self, forbidden: tuple[str, ...]):
        # By where the code was written, not by identity: a module imported a second time under
        # another name has the same code in new objects.
        self.python: dict[tuple[str, int, str], str] = {}
        self.native: dict[object, str] = {}
        for name in forbidden:
            for target in _targets(name):
                if code := getattr(target, "__code__", None):
                    self.python[_place(code)] = name
                else:
                    self.native[_native_key(target)] = name
        self.code_names = {place[2] for place in self.python}

    def is_on(self) -> bool:
        profile = sys.getprofile()
        return isinstance(profile, _Notes) and profile.watch is self


class _Notes:
    """A profile function that notes forbidden calls, and the context in which it is set.

    Leaving the context gives the verdict.
    """

    def __init__(self, watch: _Watch):
        self.watch, self.called, self.tampered = watch, [], False

    def __call__(self, frame, event, argument) -> None:
        watch = self.watch
        if event == "call":
            code = frame.f_code
            # The name first: it is cheap, and this runs at every call that the answer makes.
            if code.co_name in watch.code_names and (name := watch.python.get(_place(code))):
                self.called.append(name)
        elif event == "c_call":
            if argument is sys.setprofile and frame.f_code.co_filename != __file__:
                self.tampered = True
            elif watch.native and (name := watch.native.get(_native_key(argument))):
                self.called.append(name)
        if self.before is not None:
            self.before(frame, event, argument)

    def __enter__(self) -> None:
        self.before, self.before_threads = sys.getprofile(), threading.getprofile()
        threading.setprofile(self)
        sys.setprofile(self)

    def __exit__(self, kind, error, traceback) -> None:
        self.tampered |= sys.getprofile() is not self
        sys.setprofile(self.before)
        threading.setprofile(self.before_threads)
        if self.called:
            names = " and ".join(dict.fromkeys(self.called))
            raise _failure(
                f"This question asks you to write it: your answer calls {names}."
            ) from None
        if self.tampered:
            raise _failure(
                "Your answer sets a profile function, which hides what it calls from this test."
            ) from None


def _place(code: types.CodeType) -> tuple[str, int, str]:
    return code.co_filename, code.co_firstlineno, code.co_name


def _native_key(function) -> object:
    """What identifies a C function: a method is a new object each time that it is looked up."""
    owner = getattr(function, "__self__", None)
    if isinstance(function, types.MethodDescriptorType):
        return function.__objclass__, function.__name__
    if owner is None or isinstance(owner, types.ModuleType):
        return id(function)
    kind = owner if isinstance(owner, type) else type(owner)
    for base in kind.__mro__:
        if function.__name__ in vars(base):
            return base, function.__name__
    return id(function)


def _targets(name: str) -> list[Callable]:
    """The functions behind a dotted name, without their decorators."""
    found = _resolve(name)
    if isinstance(found, type):
        made = [vars(found)[part] for part in ("__init__", "__new__") if part in vars(found)]
        if not made:
            raise TypeError(f"{name} has no constructor of its own to watch: name a method of it")
        return [_innermost(part, name) for part in made]
    return [_innermost(found, name)]


def _resolve(name: str):
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError as error:
            if error.name and not ".".join(parts[:cut]).startswith(error.name):
                raise  # the module is there, but what it imports is not
            continue
        for part in parts[cut:]:
            if not hasattr(found, part):
                raise LookupError(f"there is no {name}: {'.'.join(parts[:cut])} has no {part}")
            found = (
                inspect.getattr_static(found, part)
                if isinstance(found, type)
                else getattr(found, part)
            )
        return found
    raise LookupError(f"there is no {name}: no such module")


def _innermost(function, name: str) -> Callable:
    """Without decorators: what they wrap round a function is shared by all that they decorate."""
    while True:
        if isinstance(function, functools.partial | functools.partialmethod):
            function = function.func
        elif isinstance(function, property):
            function = function.fget
        elif isinstance(function, classmethod | staticmethod | types.MethodType):
            function = function.__func__
        elif hasattr(function, "__wrapped__"):
            outer, function = function, function.__wrapped__
            # From C to C: such a call leaves no trace in a profile.
            if isinstance(function, types.BuiltinFunctionType) and not hasattr(outer, "__code__"):
                raise TypeError(f"calls of {name} cannot be seen: it is C code called by C code")
        else:
            break
    if isinstance(function, types.FunctionType):
        if "<locals>" in function.__qualname__:
            raise TypeError(f"{name} was made inside a function: its code is shared by others")
        return function
    kinds = types.BuiltinFunctionType | types.MethodDescriptorType
    if isinstance(function, kinds):
        return function
    raise TypeError(f"calls of {name} cannot be seen: it is a {type(function).__name__}")
