"""One file holds a whole model: raw text in, label probabilities out, nothing else needed.

Two rooms: :mod:`~utils.packing.container` writes named arrays to a file and reads them back, each
through a codec of ``utils.codecs``; :mod:`~utils.packing.models` makes classifiers of them.

A file is counted in full, so what it may leave out matters. The reader knows the code of this course
(the kinds of models, codecs and quantizers, and the order of their options) and the labels of its
taxonomies. It holds nothing that was fitted, and nothing that belongs to one model: no word, no
weight, no dictionary for the compressor made of such things.

Nothing in a file is executed, and reading one allocates no more than a fixed multiple of its own
length: sizes are checked against the stored bytes before any tensor is made.

Source: ours. Like safetensors, a file is a header and the bytes of arrays, and no pickle.

>>> import tempfile
>>> from pathlib import Path
>>> from utils.packing import read_file, write_file
>>> with tempfile.TemporaryDirectory() as folder:
...     size = write_file(Path(folder) / "a", {"x": np.eye(2)}, {"kind": "demo"}, {"x": "float16"})
...     tensors, header = read_file(Path(folder) / "a")
>>> size, tensors["x"].tolist(), header
(66, [[1.0, 0.0], [0.0, 1.0]], {'kind': 'demo'})

What people get wrong: a pattern that fits no tensor. The tensor it was meant for would be stored as
it is, and its bytes would be another method's; such a pattern is refused.
"""

from utils.codecs import Sparse, codec
from utils.packing.container import read_file, write_file
from utils.packing.entries import PackingError
from utils.packing.models import load_model, save_model, size_report

__all__ = [
    "PackingError",
    "Sparse",
    "codec",
    "load_model",
    "read_file",
    "save_model",
    "size_report",
    "write_file",
]
