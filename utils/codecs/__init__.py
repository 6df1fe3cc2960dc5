"""How one array becomes bytes: codecs, and the one list of them that writer and reader share.

A codec turns an array into a short configuration and a few stored arrays, its parts, and back:
``encode(array) -> config, parts`` and ``decode(config, parts, shape)``. The ones here store numbers
and words; every quantizer of ``utils.quantization`` is one as well, and :class:`Sparse` stores the
non-zeros of an array by any other.

>>> from utils.codecs import Sparse, decode, encode
>>> weights = np.array([[0, 0.5, 0], [0, 0, -2]], np.float32)
>>> name, config, parts = encode(Sparse("float16"), weights)
>>> name, config, sum(part.nbytes for part in parts)
('sparse', ['float16', []], 5)
>>> decode(name, config, parts, weights.shape)
array([[ 0. ,  0.5,  0. ],
       [ 0. ,  0. , -2. ]], dtype=float32)

A codec of one's own is a class under :func:`codec`.

Source: ours; each codec names its own.

What people get wrong: a codec whose class the reader never imports. It works where it was written
and nowhere else, so reading knows only those that are registered, and writing refuses all others.
"""

from utils.codecs.basic import Float16, Int8, Raw
from utils.codecs.registry import (
    CODECS,
    MAX_EXPANSION,
    Codec,
    codec,
    decode,
    encode,
    expect,
)
from utils.codecs.sequences import Gaps, Words, pack_words, unpack_words
from utils.codecs.sparse import Sparse, break_even, positions_bits

__all__ = [
    "CODECS",
    "MAX_EXPANSION",
    "Codec",
    "Float16",
    "Gaps",
    "Int8",
    "Raw",
    "Sparse",
    "Words",
    "break_even",
    "codec",
    "decode",
    "encode",
    "expect",
    "pack_words",
    "positions_bits",
    "unpack_words",
]
