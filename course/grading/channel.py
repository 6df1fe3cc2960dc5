"""Messages between the judge and a sandbox, and errors that cross as names and a text."""

import builtins
import select
import socket
import struct
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from course.grading.wire import MOST_BYTES, Export, Make, WireError, decode, encode

LENGTH = struct.Struct("<Q")
SOME = 65_536  # bytes that are received at once: most messages are smaller
MOST_TEXT = 2000  # characters of an error's message


class Closed(Exception):
    """The other side is gone."""


class Late(Exception):
    """The other side does not answer in time."""


class Channel:
    """Messages, each a list of plain values, over a stream socket."""

    def __init__(self, link: socket.socket, export: Export, make: Make) -> None:
        self.link, self.export, self.make = link, export, make
        self._ahead = b""  # received, and not yet read
        self._read, self._write = select.poll(), select.poll()
        self._read.register(link, select.POLLIN)
        self._write.register(link, select.POLLOUT)

    def send(self, *message: Any, deadline: float | None = None) -> None:
        data = encode(list(message), self.export)
        left = memoryview(LENGTH.pack(len(data)) + data)
        while left:
            try:
                n = self.link.send(left[:1_000_000], socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
            except BlockingIOError:
                self._wait(self._write, deadline)
                continue
            except OSError:
                raise Closed from None
            left = left[n:]

    def receive(self, deadline: float | None = None) -> list:
        """The next message. `deadline` is by time.monotonic().

        Raises
        ------
        Closed, Late
            If none comes.
        WireError
            If what comes is no message.
        """
        (size,) = LENGTH.unpack(self._take(LENGTH.size, deadline))
        if size > MOST_BYTES + 1000:
            raise WireError(f"a message of {size:,} bytes")
        message = decode(self._take(size, deadline), self.make)
        if not isinstance(message, list) or not message or not isinstance(message[0], str):
            raise WireError("a message is a list that begins with its kind")
        return message

    def waiting(self) -> bool:
        """Whether something has come that nobody asked for."""
        return bool(self._ahead or self._read.poll(0))

    def _take(self, missing: int, deadline: float | None) -> bytes:
        """Receive so many bytes, with no longer wait than until the deadline."""
        pieces = [self._ahead]
        missing -= len(self._ahead)
        while missing > 0:
            if deadline is not None:
                self._wait(self._read, deadline)
            try:
                piece = self.link.recv(min(max(missing, SOME), 1_000_000))
            except OSError:
                piece = b""
            if not piece:
                raise Closed
            pieces.append(piece)
            missing -= len(piece)
        data = b"".join(pieces)
        end = len(data) + missing  # what is missing may be less than nothing
        self._ahead = data[end:]
        return data[:end]

    def _wait(self, poll: Any, deadline: float | None) -> None:
        wait = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
        if not poll.poll(wait):
            raise Late


class Failure(NamedTuple):
    """An error as it crosses: the names of its class and those above it, what it says, the line of the
    student's code that raised it, and whether it is the verdict of the watch over answers."""

    kinds: tuple[str, ...]
    text: str
    where: str = ""
    not_own: bool = False


def failure_of(error: BaseException, where: str = "") -> Failure:
    kinds = tuple(kind.__name__ for kind in type(error).__mro__)
    try:
        text = str(error)
    except Exception as worse:  # of an error that a student wrote
        text = f"<{kinds[0]}, whose str raises {type(worse).__name__}>"
    not_own = bool(getattr(error, "not_own_work", False))
    return Failure(kinds[:30], text[:MOST_TEXT], where[:300], not_own)


def error_of(failed: Any) -> BaseException:
    """An error whose class has these names: those of Python itself are meant, the others are made.

    Raises WireError if this is no Failure.
    """
    try:
        kinds, text, where, not_own = failed
        if not all(isinstance(part, str) for part in (*kinds, text, where)) or not kinds:
            raise TypeError
        kinds = [kind.replace("\0", "")[:100] for kind in kinds[:30]]
        text, where = text[:MOST_TEXT], where[:300]
    except (TypeError, ValueError):
        raise WireError("no error") from None
    error = _kind(kinds)(text)
    error.where = where
    if not_own is True:
        error.not_own_work = True
    return error


def _kind(names: list[str]) -> Any:
    found = getattr(builtins, names[0], None)
    if isinstance(found, type) and issubclass(found, Exception | SystemExit):
        # These take more than a text, or show it in another way.
        if not issubclass(found, UnicodeError | BaseExceptionGroup | KeyError):
            return found
    known = [getattr(builtins, name, None) for name in names[1:]]
    bases = [k for k in known if isinstance(k, type) and issubclass(k, Exception)]
    own = [k for k in bases if not any(k is not o and issubclass(o, k) for o in bases)]
    if any(issubclass(k, UnicodeError | BaseExceptionGroup) for k in own):
        own = [ValueError if issubclass(k, UnicodeError) else Exception for k in own]
    plain = {"__str__": lambda self: str(self.args[0]), "__module__": "sandbox"}
    try:
        return type(names[0], tuple(_first(own)) or (Exception,), plain)
    except TypeError:  # bases that do not go together
        return type(names[0], (Exception,), plain)


def _first(kinds: Iterable[type]) -> list[type]:
    return list(dict.fromkeys(kinds))
