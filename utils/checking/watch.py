"""A watch over answers: calling the library's own implementation does not count."""

import functools
import importlib
import inspect
import sys
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr

from utils.checking.checks import failure


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
        # An alarm that goes off inside a profile function takes that function off, and so does
        # recursion that reaches its limit there.
        stopped = kind is not None and (
            not issubclass(kind, Exception) or issubclass(kind, RecursionError)
        )
        self.tampered |= sys.getprofile() is not self and not stopped
        sys.setprofile(self.before)
        threading.setprofile(self.before_threads)
        if self.called:
            names = " and ".join(dict.fromkeys(self.called))
            raise _not_own(
                f"This question asks you to write it: your answer calls {names}."
            ) from None
        if self.tampered:
            raise _not_own(
                "Your answer sets a profile function, which hides what it calls from this test."
            ) from None


def _not_own(text: str) -> AssertionError:
    """A verdict, which no check takes for an error of the answer's own."""
    error = failure(text)
    error.not_own_work = True
    return error


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
