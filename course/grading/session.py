"""The judge's side of a conversation with one submission.

A test calls what a student defined through :class:`Asked`, which sends the arguments to the sandbox and
returns what comes back. Arguments that the call changed are changed here too, so that a check sees it.
What a test hands over that is no plain data (a function, an object of a class that the notebook
defines) stays here; the sandbox can call it and read or set its public attributes. What an answer
returns that is no plain data stays there; see :class:`Remote`.

Nothing that comes from the sandbox is trusted: it is decoded with limits, and a reply must carry the
number that its question was sent with. One that does not ends the sandbox.
"""

import copy
import os
import socket
import time
import tracemalloc
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import count
from typing import Any

import numpy as np

from course.grading.channel import Channel, Closed, Late, error_of, failure_of
from course.grading.wire import Growing, Handle, Items, Part, WireError, decode, encode, is_tensor
from utils.checking.trials import SECONDS, Endless

MODULE = "assignment"  # the __name__ of the trusted notebook, and so of its classes
MOST_COPIES = 1000  # of objects that were handed over, which are kept
MOST_CALLS_BACK = 200_000  # by one answer, for all its inputs
START_SECONDS = 120  # until a sandbox must be there, on a busy machine
MOST_MEMORY = 10**10  # that a sandbox may say a call took


# What utils.checking.watch says of an answer.
CALLS = "This question asks you to write it: your answer calls "
HIDES = "Your answer sets a profile function, which hides what it calls from this test."
# What reading a reply that is not made as it should be may raise.
MISMADE = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)


class Gone(BaseException):
    """The sandbox has ended. Not an Exception: no test may take it for an answer's own error."""


class Unshareable(Exception):
    """A test hands an answer something that cannot cross: a fault of the test."""


class TimeUp(BaseException):
    """The time of a question is over."""


class Session:
    """A conversation. `deadline` (of time.monotonic) is for all that is asked until it is set anew;
    `flags` are things that an honest answer does not do.

    Raises RuntimeError if the sandbox is not there: before any code of a student's has run in it.
    """

    def __init__(self, link: socket.socket) -> None:
        self.channel = Channel(link, self._export, self._make)
        self.deadline = time.monotonic()
        self.flags: list[str] = []
        self.forbidden: tuple[str, ...] = ()
        self.left = float(SECONDS)  # of the processor, for the input that is being tried
        self._shared: dict[int, object] = {}
        self._numbers = count(1)
        self._growing: dict[int, Any] = {}  # arguments of this call that gradients are asked by
        self._backs = self._copies = 0
        try:
            first = self.channel.receive(time.monotonic() + START_SECONDS)
        except (Closed, Late) as error:
            raise RuntimeError(f"a sandbox did not start: {type(error).__name__}") from None
        if first[0] != "ready":
            raise RuntimeError(f"a sandbox could not be made: {first[-1]}")

    # ---------------------------------------------------------------- cells and calls

    def cell(self, source: str, seconds: float) -> tuple[str, str] | None:
        """Run a cell; the name and message of its error, if it raised.

        Raises Gone, Closed, Late or WireError if the sandbox ended, or does not stop.
        """
        self.deadline = time.monotonic() + seconds + 10
        try:
            error = self._send("cell", source, float(seconds))[2]
            if error is None:
                return None
            name, said = error
        except MISMADE as mismade:
            raise mismade if isinstance(mismade, WireError) else WireError(str(mismade)) from None
        if not isinstance(name, str) or not isinstance(said, str):
            raise WireError("no error of a cell")
        return name[:200], said[:2000]

    def ask(self, target: str | int, name: str, args: tuple, kwargs: dict) -> Any:
        """Call something in the sandbox, and return or raise what comes of it."""
        memory = tracemalloc.is_tracing()
        given = [*args, *kwargs.values()]
        before, self._growing = self._growing, {}
        try:
            packed = [encode(value, self._export) for value in given]
            reply = self._send(
                *("call", target, name, packed, list(kwargs)),
                *(list(self.forbidden), max(0.05, self.left), memory),
            )
            value, error = self._result(reply, given, memory)
        except Late:
            raise TimeUp from None
        except (Closed, WireError, *MISMADE) as error:
            if not isinstance(error, Closed):
                self.flags.append(f"what came from its process is no answer ({error})")
            raise Gone from None
        finally:
            self._growing = before
        if error is not None:
            error.not_own_work = self._believes(error)
            raise error
        return value

    def _believes(self, error: BaseException) -> bool:
        """Whether an error is the verdict of the sandbox's watch, which a test says as it stands: in
        other words there may be what the answer was asked."""
        if not getattr(error, "not_own_work", False):
            return False
        called = str(error).removeprefix(CALLS).removesuffix(".").split(" and ")
        named = len(set(called)) == len(called) and set(called) <= set(self.forbidden)
        return named or str(error) == HIDES

    def _send(self, kind: str, *rest: Any) -> list:
        """The reply to a message, after whatever the sandbox asks meanwhile."""
        nonce = os.urandom(8)
        if self.channel.waiting():
            # Closed, or something was said before it was asked.
            self.channel.receive(time.monotonic() + 1)
            raise WireError("it spoke before it was asked")
        self.channel.send(kind, nonce, *rest, deadline=self.deadline)
        while True:
            reply = self.channel.receive(self.deadline)
            if len(reply) < 3 or reply[1] != nonce:
                raise WireError("it answers another question than was asked")
            if reply[0] != "back":
                return reply
            self._serve(*reply[1:])

    def _result(self, reply: list, given: list, memory: bool) -> tuple[Any, BaseException | None]:
        """The value of a call, or what it raised."""
        if reply[0] == "endless":
            raise Endless
        kind, _, changed, seconds, *rest = reply
        self.left -= float(seconds)
        for place, data in changed.items():
            _become(given[place], decode(data, self._make_changed))
        if kind == "raised":
            return None, error_of(rest[0])
        if kind != "value":
            raise WireError(f"no kind of reply: {kind[:20]}")
        peak, data = rest
        value = decode(data, self._make)
        if memory:
            # A check that traces memory means the answer's, which was taken in the sandbox.
            tracemalloc.reset_peak()
            bytearray(max(0, min(int(peak), MOST_MEMORY)))
        return value, None

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """In place of `utils.checking.trials.at_most`: the seconds are counted in the sandbox."""
        before, self.left = self.left, float(seconds)
        try:
            yield
        finally:
            self.left = before

    def watch(self, function: Callable, *forbidden: str) -> Callable:
        """In place of `utils.checking.own_work`: the sandbox watches what is called meanwhile."""

        def watched(*args: Any) -> Any:
            self.forbidden = forbidden
            try:
                return function(*args)
            finally:
                self.forbidden = ()

        return watched

    # ---------------------------------------------------------------- objects that do not cross

    def _export(self, value: object) -> Handle:
        if isinstance(value, Remote):
            return Handle(value._number, "=", "")  # its own
        if isinstance(value, Asked):
            return Handle(0, "=" + value._name, "")
        if is_tensor(value):
            number = next(self._numbers)
            self._growing[number] = value
            return Handle(number, "", "")
        if not _may_be_shared(value):
            raise Unshareable(f"a {type(value).__name__} cannot be handed to an answer")
        self._shared[id(value)] = value
        name = getattr(value, "__name__", type(value).__name__)
        return Handle(id(value), str(name), f"<{name} of the notebook>")

    def _make_changed(self, part: Part) -> Any:
        return part.tensor if isinstance(part, Growing) else self._make(part)

    def _make(self, part: Part) -> Any:
        if isinstance(part, Growing):
            given = self._growing
            whence = self, part.number, list(given)
            return _crossing().apply(whence, part.tensor, *given.values()) if given else part.tensor
        kind = part.kind.replace("\0", "")[:100]
        if isinstance(part, Handle):
            remote = type(kind, (Remote,), {})()
            vars(remote).update(_session=self, _number=part.number, _shown=part.shown)
            return remote
        if isinstance(part, Items):
            return type(kind, (_Items,), {})(part.items)
        return type(kind, (_ArrayLike,), {})(part.array)

    def _serve(
        self, nonce: bytes, number: int, op: str, name: str, args: list, kwargs: dict
    ) -> None:
        """What the sandbox asks of an object that it was handed."""
        self._backs += 1
        if self._backs > MOST_CALLS_BACK:
            raise WireError("it calls back without end")
        try:
            value = self._done(number, op, name, args, kwargs)
            self.channel.send("value", nonce, value, deadline=self.deadline)
        except Exception as error:
            if isinstance(error, Closed | Late):
                raise
            self.channel.send("error", nonce, failure_of(error), deadline=self.deadline)

    def _done(self, number: int, op: str, name: str, args: list, kwargs: dict) -> Any:
        shared = self._shared[number]
        if op == "call" and callable(shared):
            return shared(*args, **kwargs)
        if op == "copy":
            self._copies += 1
            if self._copies > MOST_COPIES:
                raise MemoryError("too many copies of what the test handed over")
            return copy.copy(shared) if name == "copy" else copy.deepcopy(shared)
        public = name.isidentifier() and not name.startswith("_")
        if op == "call" or not public or type(shared).__module__ != MODULE:
            raise AttributeError(f"{name or 'it'} cannot be used while work is graded")
        if op == "get":
            return getattr(shared, name)  # what may not be shared does not cross
        if name not in vars(shared):
            raise AttributeError(f"{name} cannot be set while work is graded")
        setattr(shared, name, args[0])
        return None


class Asked:
    """In the judge's notebook, in place of what a student defines under a name."""

    only_handle = True

    def __init__(self, session: Session, name: str) -> None:
        vars(self).update(_session=session, _name=name, __name__=name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._session.ask(self._name, "", args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") and name != "__code__":  # whose names a test may want to see
            raise AttributeError(name)
        return self._session.ask(self._name, "=" + name, (), {})


class Remote:
    """In place of an object of the sandbox: it can be called, and has its public attributes. Its class
    has the name of the object's, and nothing else of it."""

    only_handle = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._session.ask(self._number, "", args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._session.ask(self._number, "=" + name, (), {})

    def __repr__(self) -> str:
        return self._shown


class _Items(Iterator):
    def __init__(self, items: list) -> None:
        self._items = iter(items)

    def __next__(self) -> Any:
        return next(self._items)


class _ArrayLike:
    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._array, dtype=dtype)

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, place: Any) -> Any:
        return self._array[place]


@lru_cache
def _crossing() -> Any:
    """The function, as PyTorch knows it, from tensors given to an answer to one that it returned: its
    gradients are asked for where the answer is."""
    import torch

    class Crossing(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, whence: tuple, value: Any, *given: Any) -> Any:
            ctx.whence = whence
            return value.detach().clone()

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> tuple:
            session, number, numbers = ctx.whence
            return None, None, *session.ask(number, "", (gradient, numbers), {})

    return Crossing


def _may_be_shared(value: object) -> bool:
    """Functions, methods and objects that the trusted notebook defines."""
    if isinstance(value, types.MethodType):
        return type(value.__self__).__module__ == MODULE
    if isinstance(value, types.FunctionType):
        return value.__module__ == MODULE
    return type(value).__module__ == MODULE and not isinstance(value, type)


def _become(value: Any, new: Any) -> None:
    """Change a value in place into what a call made of it."""
    if is_tensor(value):
        value.data = value.data.copy_(new) if new.shape == value.shape else new.data
        value.grad = new.grad
        return
    with suppress(TypeError, ValueError):  # of another kind or shape: then it is emptied, below
        if isinstance(value, list):
            value[:] = new
        elif isinstance(value, dict):
            changed = dict(new)
            value.clear()
            value.update(changed)
        elif isinstance(value, set):
            changed = set(new)
            value.clear()
            value.update(changed)
        elif isinstance(value, np.ndarray):
            if new.shape != value.shape:
                value.resize(new.shape, refcheck=False)
            value[...] = new
        return
    if isinstance(value, np.ndarray):
        value[...] = np.nan if value.dtype.kind in "fc" else value + 1
