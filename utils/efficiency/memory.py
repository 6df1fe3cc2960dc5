"""Memory that a process holds: a watch over one, and a fresh one that only loads and predicts.

Source: proc(5) of the Linux manual, VmHWM and VmRSS.

What people get wrong: the peak of the process that trained the model. It never falls again, so it
says nothing of what predicting takes; a fresh process does.

>>> from utils.efficiency import high_water
>>> ones = np.ones(1_000_000)
>>> needed = ones.nbytes
>>> del ones
>>> high_water() > needed  # though it is given back
True
"""

import gc
import importlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from utils.efficiency.batches import naive_batches
from utils.efficiency.running import limited_threads, predictor

MB = 1_000_000


def high_water(pid: int | None = None) -> int:
    """Most resident memory that a process (by default this one) ever had, in bytes.

    0 for another process, where the system does not tell.
    """
    pid = os.getpid() if pid is None else pid
    if sys.platform == "linux":
        # Not getrusage: there, a child starts from the peak of the parent that launched it.
        status = Path(f"/proc/{pid}/status").read_text()
        if match := re.search(r"VmHWM:\s+(\d+) kB", status):
            return 1024 * int(match[1])
    if sys.platform == "win32":
        return psutil.Process(pid).memory_info().peak_wset
    if pid != os.getpid():
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


class MemoryWatch:
    """Context: the most resident memory of a process within it.

    The system's high-water mark is exact but only ever rises, so it tells nothing about a peak
    below an earlier one; there, a thread that looks every now and then has to do.

    Parameters
    ----------
    pid : the process; by default this one
    children : whether the memory of its children, and of theirs, counts as well; they have no
        high-water mark here, so a peak of theirs between two looks is missed
    every : seconds between two looks

    Attributes
    ----------
    baseline : bytes at the beginning
    peak : the most bytes since then
    high_water : the most bytes that the process itself ever had, also before; 0 if not known
    """

    def __init__(self, pid: int | None = None, *, children: bool = False, every: float = 0.001):
        self.pid = os.getpid() if pid is None else pid
        self.children, self.every = children, every
        self.baseline = self.peak = self.high_water = 0

    def __enter__(self) -> "MemoryWatch":
        if self.pid == os.getpid():
            gc.collect()
        self._process = psutil.Process(self.pid)
        self._mark = high_water(self.pid)
        self.baseline = self.peak = self._resident()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        stopped = False
        while not stopped:
            stopped = self._stop.wait(self.every)  # a last look, after the end was asked for
            with suppress(psutil.Error, OSError):  # the process has ended
                self.peak = max(self.peak, self._resident())
                self.high_water = high_water(self.pid)
                if self.high_water > self._mark:
                    self.peak = max(self.peak, self.high_water)

    def _resident(self) -> int:
        total = self._process.memory_info().rss
        for child in self._process.children(recursive=True) if self.children else ():
            with suppress(psutil.NoSuchProcess):  # it has just ended
                total += child.memory_info().rss
        return total


def process_memory(
    path,
    texts: Sequence[str],
    *,
    batch_size: int = 64,
    threads: int = 1,
    load: str = "utils.packing.load_model",
) -> dict[str, float]:
    """Memory that a fresh process needs to load a model file and predict.

    A new Python is started, so that nothing of the present one (training data, plots, memory that
    was freed but not given back) is counted.

    Parameters
    ----------
    path : the model file
    texts : the texts to predict, in batches of ``batch_size``
    threads : threads for linear algebra
    load : dotted name of the function that turns ``path`` into a classifier

    Returns
    -------
    dict, 1 MB being 1,000,000 bytes:

    - ``peak_memory_mb``: the most resident memory that the process ever had: interpreter,
      libraries, model and data;
    - ``predict_memory_mb``: how far memory rose, while predicting, above the level right after
      the model was loaded.

    Raises
    ------
    RuntimeError
        If the process fails; the last line of its error output is in the message.
    """
    task = {"path": str(Path(path).resolve()), "texts": list(texts), "batch_size": batch_size}
    task |= {"threads": threads, "load": load}
    root = str(Path(__file__).resolve().parents[2])
    inherited = os.environ.get("PYTHONPATH")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([root, inherited] if inherited else [root]),
        "OMP_NUM_THREADS": str(threads),  # some libraries size their pools when imported
    }
    child = subprocess.run(
        [sys.executable, "-c", "from utils.efficiency.memory import _child; _child()"],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if child.returncode:
        lines = child.stderr.strip().splitlines() or [f"exit code {child.returncode}"]
        raise RuntimeError(f"the process that measures memory failed: {lines[-1]}")
    return json.loads(child.stdout.splitlines()[-1])  # a loader may print lines of its own


def _child() -> None:
    task = json.load(sys.stdin)
    module, _, function = task["load"].rpartition(".")
    with limited_threads(task["threads"]):
        classifier = getattr(importlib.import_module(module), function)(task["path"])
        predict = predictor(classifier)
        with MemoryWatch() as memory:
            for batch in naive_batches(len(task["texts"]), task["batch_size"]):
                predict([task["texts"][i] for i in batch])
    report = {
        "peak_memory_mb": memory.high_water / MB,
        "predict_memory_mb": (memory.peak - memory.baseline) / MB,
    }
    print("\n" + json.dumps(report))
