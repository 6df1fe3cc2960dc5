"""What a file holds before anything is decoded: one entry a tensor."""

from typing import Any, NamedTuple

import numpy as np

from utils.errors import MendableError


class PackingError(MendableError, ValueError):
    """A model file that cannot be read or written; the message says which and why."""


class Entry(NamedTuple):
    """A tensor as it is stored: what ``utils.codecs.decode`` needs, under the tensor's name.

    As it comes from a file, so every field may be wrong but ``parts``: arrays of stored bytes.
    """

    name: Any
    codec: Any
    config: Any
    parts: list[np.ndarray]
    shape: Any

    @property
    def nbytes(self) -> int:
        return sum(part.nbytes for part in self.parts)
