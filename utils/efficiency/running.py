"""A classifier runs undisturbed: so many threads, no garbage collection, batches left whole.

Source: threadpoolctl, https://github.com/joblib/threadpoolctl, for threads; Python's ``timeit``,
which switches garbage collection off as well.

What people get wrong: ``OMP_NUM_THREADS`` is read when a library is loaded. Set after NumPy was
imported, it limits nothing that is in use already.

>>> import gc
>>> from utils.efficiency.running import limited_threads, no_garbage_collection
>>> with limited_threads(1), no_garbage_collection():
...     torch.get_num_threads(), gc.isenabled()
(1, False)
"""

import gc
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def limited_threads(threads: int) -> Iterator[None]:
    """Linear algebra on so many threads; what was set before is set again after."""
    if threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    torch = sys.modules.get("torch")  # a classifier that runs on torch has imported it
    before = torch.get_num_threads() if torch else None
    tokenizers = os.environ.get("TOKENIZERS_PARALLELISM")
    try:
        with threadpool_limits(limits=threads):
            if torch:
                torch.set_num_threads(threads)
            if threads == 1:  # the transformer's tokenizer has threads of its own
                os.environ["TOKENIZERS_PARALLELISM"] = "false"
            yield
    finally:
        if torch:
            torch.set_num_threads(before)
        if tokenizers is None:
            os.environ.pop("TOKENIZERS_PARALLELISM", None)
        else:
            os.environ["TOKENIZERS_PARALLELISM"] = tokenizers


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """A collection in the middle of a timing would be charged to one unlucky request."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def predictor(classifier) -> Callable[[list[str]], object]:
    """``predict_proba`` on a list as one batch, also where it would cut long lists itself."""
    if "batch_size" in inspect.signature(classifier.predict_proba).parameters:
        return lambda texts: classifier.predict_proba(texts, batch_size=len(texts))
    return classifier.predict_proba
