"""How many threads a process computes with."""

import os
import sys

ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def one_thread() -> None:
    """Let this process, and every process it starts from now on, compute with one thread.

    Small models gain nothing from a second thread, and two processes with two threads each on two
    cores wait for one another most of the time. NumPy's and PyTorch's libraries read these
    variables when they are loaded, so call this before; PyTorch is also told if it is there.
    """
    os.environ.update(ONE_THREAD)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
