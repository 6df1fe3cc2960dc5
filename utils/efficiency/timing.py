"""Latency and throughput, with all else that a classifier costs; every repeat is kept.

Source: Hyndman and Fan (1996), "Sample quantiles in statistical packages", definition 7; Dean and
Barroso (2013), "The tail at scale", on why the tail and not the mean.

What people get wrong: a mean of latencies, which no user waits; a first call that counts, though it
also loads and allocates; and a p99 of fewer than 100 texts, which is the slowest one.

>>> from utils.efficiency import latency_percentiles
>>> seconds = np.array([0.001] * 97 + [0.5] * 3)
>>> {name: round(ms, 3) for name, ms in latency_percentiles(seconds).items()}
{'p50': 1.0, 'p95': 1.0, 'p99': 500.0}
"""

import os
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from utils.efficiency.batches import naive_batches
from utils.efficiency.counts import count_macs, count_parameters, sparse_macs
from utils.efficiency.memory import MB, MemoryWatch, process_memory
from utils.efficiency.running import limited_threads, no_garbage_collection, predictor

PERCENTILES = (50, 95, 99)
Name = TypeVar("Name", bound=Hashable)


def latency_percentiles(seconds, percentiles: Sequence[float] = PERCENTILES) -> dict[str, float]:
    """Percentiles of a sample of latencies, in milliseconds.

    Parameters
    ----------
    seconds : array of any shape, seconds per request, finite and not negative
    percentiles : numbers from 0 to 100

    Returns
    -------
    dict such as ``{"p50": 1.2, "p95": 3.4, "p99": 9.1}``, milliseconds. Between two measurements
    the percentile is interpolated linearly (definition 7 of Hyndman and Fan, 1996).

    Raises
    ------
    ValueError
        For no measurements, a negative or non-finite one, or a percentile outside 0 to 100.
    """
    seconds = np.asarray(seconds, dtype=np.float64).ravel()
    if seconds.size == 0:
        raise ValueError("no latencies were given: a percentile needs at least one measurement")
    if not np.isfinite(seconds).all() or (seconds < 0).any():
        raise ValueError("latencies must be finite and not negative, in seconds")
    if any(not 0 <= p <= 100 for p in percentiles):
        raise ValueError(f"percentiles lie between 0 and 100, got {tuple(percentiles)}")
    values = 1000 * np.percentile(seconds, list(percentiles))
    return {f"p{p:g}": float(value) for p, value in zip(percentiles, values, strict=True)}


def seconds_in_turns(
    works: Mapping[Name, Callable[[], object]],
    repeats: int,
    inner: int = 1,
    clock: Callable[[], float] = time.process_time,
) -> dict[Name, np.ndarray]:
    """Seconds of some pieces of work, each called in every round: a busy spell hits them alike.

    Parameters
    ----------
    works : functions without arguments, by their names
    repeats : rounds, after one that warms up and does not count; at least 1
    inner : calls in a row that are timed together, for works that take but microseconds; at least 1
    clock : gives seconds. That of the process leaves out what others on the machine do, but also what
        its own threads wait for, and counts all threads.

    Returns
    -------
    dict of name to array (repeats,), seconds for one call.

    Raises
    ------
    ValueError
        For fewer than one repeat or inner call.
    """
    if repeats < 1 or inner < 1:
        raise ValueError(f"repeats and inner are 1 or more, got {repeats} and {inner}")
    seconds = {name: np.empty(repeats + 1) for name in works}
    for turn in range(repeats + 1):
        for name, work in works.items():
            begin = clock()
            for _ in range(inner):
                work()
            seconds[name][turn] = (clock() - begin) / inner
    return {name: values[1:] for name, values in seconds.items()}


def _timed(predict, batches: Sequence[list[str]]) -> np.ndarray:
    seconds = np.empty(len(batches))
    for i, batch in enumerate(batches):
        start = time.perf_counter()
        predict(batch)
        seconds[i] = time.perf_counter() - start
    return seconds


def _spread(values: np.ndarray) -> float | None:
    """Interquartile range; None for a single value, which says nothing about spread."""
    if len(values) < 2:
        return None
    low, high = np.percentile(values, [25, 75])
    return float(high - low)


@dataclass(frozen=True, eq=False)
class Measurement:
    """What :func:`measure` found, with every repeat.

    Attributes
    ----------
    latency_seconds : (repeats, texts) seconds of each request at batch 1
    throughput : batch size -> (repeats,) texts per second
    peak_memory_mb, predict_memory_mb : (readings,), see :func:`measure`
    memory_process : ``"fresh"`` (a process that only loads the file and predicts) or ``"this"``
    parameters, macs, file_bytes : int, or None where it is not known
    macs_tokens : tokens in the text that ``macs`` is about; None for a mean over the texts
    threads, warmup : as given
    """

    latency_seconds: np.ndarray = field(repr=False)
    throughput: dict[int, np.ndarray]
    peak_memory_mb: np.ndarray
    predict_memory_mb: np.ndarray
    memory_process: str
    parameters: int | None
    macs: int | None
    macs_tokens: int | None
    file_bytes: int | None
    threads: int
    warmup: int

    def to_record(self) -> dict:
        """A flat dict for a results file, units in the names.

        Each measured number is the median over repeats and comes with ``<name>_spread``, the
        interquartile range over repeats (None where there was one reading only). Keys:
        ``latency_ms_p50``, ``latency_ms_p95``, ``latency_ms_p99`` and ``latency_ms_mean`` at
        batch 1; ``throughput_b<batch size>_per_s``; ``peak_memory_mb``, ``predict_memory_mb``,
        ``memory_process``; and, exact, without spread: ``parameters``, ``macs``,
        ``macs_tokens``, ``file_bytes``, ``threads``, ``warmup``, ``repeats``, ``n_texts``.
        """
        runs = [latency_percentiles(run) for run in self.latency_seconds]
        samples = {f"latency_ms_{p}": np.array([run[p] for run in runs]) for p in runs[0]}
        samples["latency_ms_mean"] = 1000 * self.latency_seconds.mean(axis=1)
        samples |= {f"throughput_b{b}_per_s": values for b, values in self.throughput.items()}
        samples |= {
            "peak_memory_mb": self.peak_memory_mb,
            "predict_memory_mb": self.predict_memory_mb,
        }
        record = {}
        for name, values in samples.items():
            record[name] = float(np.median(values))
            record[f"{name}_spread"] = _spread(values)
        exact = ("memory_process", "parameters", "macs", "macs_tokens", "file_bytes")
        record |= {name: getattr(self, name) for name in (*exact, "threads", "warmup")}
        repeats, n_texts = self.latency_seconds.shape
        return record | {"repeats": repeats, "n_texts": n_texts}


def measure(
    classifier,
    texts: Sequence[str],
    *,
    batch_sizes: Sequence[int] = (1, 8, 64),
    repeats: int = 5,
    warmup: int = 2,
    threads: int = 1,
    path=None,
    processes: int = 3,
    seed: int = 0,
) -> Measurement:
    """Throughput, latency, memory, parameters, multiply-accumulates and bytes of a classifier.

    How it measures:

    - Wall-clock time of ``predict_proba`` on raw text, tokenising included, by
      ``time.perf_counter``, with garbage collection off and ``threads`` threads for linear
      algebra (NumPy, SciPy and torch; put back afterwards).
    - For each batch size, ``warmup`` calls that are not timed come first.
    - A repeat goes once through the texts (in an order drawn from ``seed``, the same for all) for
      each batch size, in an order drawn anew, so that a machine that slows down over time slows
      all batch sizes. Texts that do not fill a last batch are left out.
    - Latency is that of single texts: per repeat, percentiles over the texts. Give at least 100
      texts, better 1,000, or p99 is nothing but the slowest text.
    - Memory is read while the classifier predicts all texts in the largest batch size. With
      ``path``, in ``processes`` fresh processes (see :func:`process_memory`). Without, in this
      process, once and before anything else: ``peak_memory_mb`` is then the most that this
      process ever held, whatever it did before, and ``predict_memory_mb`` misses memory that
      earlier predictions left with the process.

    Parameters
    ----------
    classifier : anything with ``predict_proba(texts)``
        If that takes a ``batch_size``, it is given the size of the batch.
    texts : at least as many as the largest batch size
    batch_sizes : texts per call; latency is measured at 1 in any case
    path : model file, for ``file_bytes`` and for memory in fresh processes; it must be one that
        ``utils.packing.load_model`` reads

    Returns
    -------
    Measurement
        ``parameters`` and ``macs`` are counted for classifiers of ``utils.models`` and None for
        others. ``macs`` of a network are for one text of full length; those of the sparse linear
        model are the mean over ``texts``.

    Raises
    ------
    ValueError
        For too few texts, no repeats, or a batch size or thread count below 1.
    TypeError
        If the network holds a layer that :func:`count_macs` does not know.
    OSError
        If ``path`` cannot be read.
    """
    from utils.models import SparseLinear

    sizes = sorted({1, *batch_sizes})
    if sizes[0] < 1:
        raise ValueError(f"batch sizes must be at least 1, got {tuple(batch_sizes)}")
    if len(texts) < sizes[-1]:
        raise ValueError(f"batch size {sizes[-1]} needs as many texts, got {len(texts)}")
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, got {repeats}")
    file_bytes = None if path is None else os.path.getsize(path)

    parameters = macs = macs_tokens = None
    if isinstance(classifier, SparseLinear):
        parameters, macs = count_parameters(classifier), sparse_macs(classifier, texts)
    elif hasattr(classifier, "network"):
        parameters, macs_tokens = count_parameters(classifier), classifier.length
        macs = count_macs(classifier.network, macs_tokens)

    rng = np.random.default_rng(seed)
    texts = [texts[i] for i in rng.permutation(len(texts))]
    batches = {
        size: [[texts[i] for i in b] for b in naive_batches(len(texts), size) if len(b) == size]
        for size in sizes
    }
    predict = predictor(classifier)
    with limited_threads(threads):
        if path is None:
            with MemoryWatch() as memory:
                for batch in batches[sizes[-1]]:
                    predict(batch)
            readings = [(memory.high_water / MB, (memory.peak - memory.baseline) / MB)]
        else:
            options = dict(batch_size=sizes[-1], threads=threads)
            reports = [process_memory(path, texts, **options) for _ in range(processes)]
            readings = [(r["peak_memory_mb"], r["predict_memory_mb"]) for r in reports]
        for size in sizes:
            for call in range(warmup):
                predict(batches[size][call % len(batches[size])])
        latency, throughput = [], {size: [] for size in sizes}
        with no_garbage_collection():
            for _ in range(repeats):
                for size in rng.permutation(sizes).tolist():
                    seconds = _timed(predict, batches[size])
                    throughput[size].append(size * len(seconds) / seconds.sum())
                    if size == 1:
                        latency.append(seconds)
    peak, extra = np.array(readings).T
    return Measurement(
        latency_seconds=np.array(latency),
        throughput={size: np.array(throughput[size]) for size in sizes if size in batch_sizes},
        peak_memory_mb=peak,
        predict_memory_mb=extra,
        memory_process="this" if path is None else "fresh",
        parameters=parameters,
        macs=macs,
        macs_tokens=macs_tokens,
        file_bytes=file_bytes,
        threads=threads,
        warmup=warmup,
    )


def service_times(
    classifier,
    texts: Sequence[str],
    batch_sizes: Sequence[int] = (1, 2, 4, 8, 16, 32, 64),
    *,
    samples: int = 50,
    warmup: int = 2,
    threads: int = 1,
    seed: int = 0,
) -> dict[int, np.ndarray]:
    """Seconds that a classifier takes for a batch, by batch size: input of :func:`simulate_queue`.

    Batches are drawn at random from the texts, and timed as in :func:`measure`.

    Returns
    -------
    dict, batch size -> (samples,) seconds

    Raises
    ------
    ValueError
        For too few texts, no samples, or a batch size or thread count below 1.
    """
    if min(batch_sizes) < 1 or samples < 1:
        raise ValueError("batch sizes and samples must be at least 1")
    if len(texts) < max(batch_sizes):
        raise ValueError(f"batch size {max(batch_sizes)} needs as many texts, got {len(texts)}")
    rng, predict, times = np.random.default_rng(seed), predictor(classifier), {}
    with limited_threads(threads):
        for size in batch_sizes:
            drawn = [rng.choice(len(texts), size, replace=False) for _ in range(warmup + samples)]
            batches = [[texts[i] for i in batch] for batch in drawn]
            for batch in batches[:warmup]:
                predict(batch)
            with no_garbage_collection():
                times[size] = _timed(predict, batches[warmup:])
    return times
