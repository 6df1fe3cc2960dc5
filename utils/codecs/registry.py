"""What a codec is, the list of all, and the checks that no codec has to make itself."""

import json
from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np

# An array may have so many times the bytes of the parts that it is decoded from. A bitmask stands
# for 32 times its own bytes of float32.
MAX_EXPANSION = 64

Encoded = tuple[list, list[np.ndarray]]  # configuration and parts
Parts = Sequence[np.ndarray]
Shape = tuple[int, ...]


class Codec(Protocol):
    """Turns an array into a configuration and stored arrays, and back.

    ``config`` is a list of plain values that JSON can hold; ``parts`` are arrays of numbers, in an
    order that the codec chooses. ``decode`` must raise ValueError if they do not fit together, and
    must not allocate more than a fixed multiple of what the parts and the shape take. It does not
    check the shape of what it returns: :func:`encode` and :func:`decode` do, for all codecs.

    Attributes
    ----------
    name : what files call the codec. :func:`codec` sets it to the name of the class if there is none.
    """

    name: ClassVar[str]

    def encode(self, array: np.ndarray) -> Encoded: ...

    @classmethod
    def decode(cls, config: list, parts: Parts, shape: Shape) -> np.ndarray: ...


CODECS: dict[str, type[Codec]] = {}
C = TypeVar("C", bound=type[Any])


def codec(cls: C) -> C:
    """Class decorator: make a codec known to writer and reader by its ``name``.

    Raises
    ------
    ValueError
        If another class has the name. (The same class may be defined anew, as a notebook's cell does.)
    """
    cls.name = cls.__dict__.get("name", cls.__name__)
    taken = CODECS.get(cls.name)
    if taken is not None and _place(taken) != _place(cls):
        raise ValueError(
            f"{_place(taken)} is the codec {cls.name!r} already; give {_place(cls)} another name"
        )
    CODECS[cls.name] = cls
    return cls


def _place(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def encode(chosen: str | Codec, array: np.ndarray) -> tuple[str, list, list[np.ndarray]]:
    """Encode an array, and make sure that reading will get one of its shape back.

    Parameters
    ----------
    chosen : a codec, or the name of one that needs no parameters
    array : of numbers, of any shape that the codec takes

    Returns
    -------
    The codec's name, its configuration, and the parts.

    Raises
    ------
    ValueError
        If the codec is not registered or cannot hold the array; if what it makes of it decodes to
        another shape, or is so small that reading would refuse it.
    """
    array = np.asarray(array, order="C")
    if isinstance(chosen, str):
        chosen = _known(chosen)()
    kind = type(chosen)
    expect(
        CODECS.get(getattr(kind, "name", "")) is kind,
        f"reading would not know {_place(kind)}; register it with utils.codecs.codec",
    )
    config, parts = chosen.encode(array)
    parts = [np.asarray(part, order="C") for part in parts]
    try:
        config = json.loads(json.dumps(config))
    except TypeError as error:
        raise ValueError(f"the configuration {config} of {kind.name} is not JSON") from error
    decode(kind.name, config, parts, array.shape)
    return kind.name, config, parts


def decode(
    name: str, config: list, parts: Sequence[np.ndarray], shape: Sequence[int]
) -> np.ndarray:
    """The array of a shape that :func:`encode` encoded.

    Nothing here is trusted: a file that lies about shapes or options costs an error, and no memory.

    Raises
    ------
    ValueError
        If there is no such codec, or the parts do not fit the configuration or the shape. Damaged
        parts can also make a codec raise TypeError, KeyError, IndexError, or RuntimeError.
    """
    shape = tuple(shape)
    expect(all(type(n) is int and n >= 0 for n in shape), f"shape {shape} is no shape")
    held = sum(part.nbytes for part in parts)
    expect(
        4 * prod(shape) <= MAX_EXPANSION * held,
        f"shape {shape} is too large for {held} stored bytes: reading stops at {MAX_EXPANSION} times",
    )
    array = _known(name).decode(config, parts, shape)
    expect(
        np.shape(array) == shape,
        f"{name} makes the shape {np.shape(array)} of {shape}, and loses it",
    )
    return array


def _known(name: Any) -> type[Codec]:
    if not isinstance(name, str) or name not in CODECS:
        raise ValueError(
            f"no codec is called {str(name)[:60]!r}; there are {', '.join(sorted(CODECS))}"
        )
    return CODECS[name]


def expect(condition: bool, message: str) -> None:
    """Raise ValueError with the message unless the condition holds."""
    if not condition:
        raise ValueError(message)
