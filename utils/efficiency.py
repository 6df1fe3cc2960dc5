"""Measure what a classifier costs: time, memory, multiplications and bytes; simulate a queue.

Every number keeps its repeats, so that it can be given with a spread. A spread, here and in the
course's result files, is the interquartile range over repeats: a laptop that pauses for a second
then moves it little, where a standard deviation would be all about that second.

1 MB is 1,000,000 bytes throughout.
"""

import gc
import heapq
import importlib
import inspect
import json
import math
import os
import re
import subprocess
import sys
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from threadpoolctl import threadpool_limits

PERCENTILES = (50, 95, 99)
MB = 1_000_000


# ------------------------------------------------------------------------------------ latency


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


# ----------------------------------------------------------------------------------- batching


def naive_batches(n: int, batch_size: int) -> list[np.ndarray]:
    """Indices 0 to ``n - 1`` in the order they came, in batches of ``batch_size`` (the last may be
    smaller).

    Raises
    ------
    ValueError
        If ``batch_size`` is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    return [np.arange(start, min(start + batch_size, n)) for start in range(0, n, batch_size)]


def length_batches(lengths, batch_size: int) -> list[np.ndarray]:
    """Batches of similar length: indices sorted by length (ties stay in order), then cut.

    Parameters
    ----------
    lengths : (n,) tokens in each text
    batch_size : texts in a batch; the last batch may be smaller

    Returns
    -------
    list of index arrays; each index from 0 to n - 1 is in exactly one of them.

    Raises
    ------
    ValueError
        If ``batch_size`` is below 1.
    """
    order = np.argsort(np.asarray(lengths), kind="stable")
    return [order[batch] for batch in naive_batches(len(order), batch_size)]


def padding_share(lengths, batches: Sequence[np.ndarray]) -> float:
    """Share of token positions that are padding when each batch is padded to its longest text.

    Parameters
    ----------
    lengths : (n,) tokens in each text
    batches : index arrays into ``lengths``, as from :func:`length_batches`

    Returns
    -------
    float from 0 (no padding) to 1; 0 when there is no position at all.
    """
    lengths = np.asarray(lengths)
    in_batches = [lengths[batch] for batch in batches if len(batch)]
    positions = sum(len(batch) * int(batch.max()) for batch in in_batches)
    tokens = sum(int(batch.sum()) for batch in in_batches)
    return 1 - tokens / positions if positions else 0.0


# ------------------------------------------------------------------------------------- counts


def count_parameters(model) -> int:
    """How many numbers a model learned from data and needs in order to predict.

    Parameters
    ----------
    model : torch module, or a classifier of ``utils.models``
        A torch module: every element of every parameter, a tensor that is shared counted once.
        The sparse linear model: its non-zero weights, its intercepts and its IDF values.

    Raises
    ------
    TypeError
        For any other kind of model, rather than a zero.
    """
    import torch

    network = getattr(model, "network", model)
    if isinstance(network, torch.nn.Module):
        return sum(parameter.numel() for parameter in network.parameters())
    from utils.models import SparseLinear

    if isinstance(model, SparseLinear):
        return int(model.coef.count_nonzero()) + len(model.intercept) + len(model.idf)
    raise TypeError(f"cannot count the parameters of a {type(model).__name__}")


def count_macs(network, tokens: int = 27) -> int:
    """Multiply-accumulates of one forward pass over one text of ``tokens`` tokens.

    Layers are counted by formula, at the shapes seen in a forward pass over dummy ids (1, tokens):

    - ``Linear``: inputs times outputs, for each position it is applied to;
    - ``GRU`` (3 gates) and ``LSTM`` (4 gates): gates times units times (inputs + units), for each
      token, layer and direction;
    - ``StaticSparseLinear``: non-zero weights, for each position it is applied to;
    - ``TensorTrainEmbedding``: the products of its cores, for each token (a repeated word counts again);
    - ``Embedding`` (a look-up), normalisation, activations and dropout: 0. As is usual, only the
      products of matrices are counted: no biases, no element-wise products.

    A product of matrices made outside of these layers, as in self-attention, is counted from its
    shapes. Unlike the counters in common use, of which several return 0 for a GRU, nothing that
    could multiply matrices is passed over in silence.

    Parameters
    ----------
    network : torch module that takes ids (batch, tokens)
    tokens : length of the text, as the network sees it

    Returns
    -------
    int, multiply-accumulates (twice as many floating-point operations).

    Raises
    ------
    TypeError
        If the network holds a layer, or runs an operation, whose cost is not known here.
    ValueError
        If ``tokens`` is below 1.
    """
    import torch

    if tokens < 1:
        raise ValueError(f"tokens must be at least 1, got {tokens}")
    counter = _MacCounter(network)
    was_training = {module: module.training for module in network.modules()}
    fast_path = torch.backends.mha.get_fastpath_enabled()
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    # Id 1 is a word like any other; id 0 would be padding, which networks leave out.
    ids = torch.ones((1, tokens), dtype=torch.int64, device=device)
    try:
        network.eval()
        # Both switches make attention run as plain matrix products, which can be seen and counted.
        torch.backends.mha.set_fastpath_enabled(False)
        attention = torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)
        with torch.no_grad(), attention, counter.watching():
            network(ids)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)
        for module, training in was_training.items():
            module.training = training
    return counter.macs


def _linear_macs(layer, output) -> int:
    return output.numel() * layer.in_features


def _recurrent_macs(gates: int) -> Callable:
    def count(layer, output) -> int:
        if getattr(layer, "proj_size", 0):
            raise TypeError("count_macs does not know recurrent layers with proj_size")
        states = getattr(output[0], "data", output[0])  # a packed sequence keeps them in .data
        directions = 2 if layer.bidirectional else 1
        steps = states.numel() // states.shape[-1]
        inputs = [layer.input_size] + [directions * layer.hidden_size] * (layer.num_layers - 1)
        units = layer.hidden_size
        return steps * directions * sum(gates * units * (size + units) for size in inputs)

    return count


def _tensor_train_macs(layer, output) -> int:
    columns, macs = 1, 0  # columns of the table that are there so far
    for core in layer.cores:
        rank, _, more, next_rank = core.shape
        macs += columns * rank * more * next_rank
        columns *= more
    return output.numel() // columns * macs


def _grouped_macs(layer, output) -> int:
    # The members are computed, too, though only the groups come out.
    return output.numel() // output.shape[-1] * layer.weight.numel()


class _MacCounter:
    """Sums the products of matrices in a forward pass: see :func:`count_macs`."""

    # Operations that multiply matrices in some way that is not counted below.
    SUSPECT = re.compile(r"mm|conv|linear|matmul|attention|gru|lstm|rnn|transformer|bag|cdist|dot")

    def __init__(self, network):
        from torch import nn

        from utils.distillation import GroupedLinear, StaticSparseLinear, TensorTrainEmbedding

        self.network, self.macs, self.inside = network, 0, 0
        self.formulas = {
            nn.Linear: _linear_macs,
            nn.modules.linear.NonDynamicallyQuantizableLinear: _linear_macs,
            nn.GRU: _recurrent_macs(3),
            nn.LSTM: _recurrent_macs(4),
            StaticSparseLinear: lambda layer, output: output.numel() * layer.fan_in,
            TensorTrainEmbedding: _tensor_train_macs,
            GroupedLinear: _grouped_macs,
        }
        # A list of parameters does nothing itself; whoever multiplies them is watched.
        lists = (nn.ParameterList, nn.ParameterDict)
        self.free = (nn.Embedding, nn.LayerNorm, nn.RMSNorm, nn.BatchNorm1d, nn.PReLU, *lists)
        for module in network.modules():
            own = next(module.parameters(recurse=False), None) is not None
            leaf = next(module.children(), None) is None
            known = type(module) in self.formulas or isinstance(module, self.free)
            # A leaf without parameters (an activation, dropout) is watched like code in between.
            if leaf and own and not known:
                raise TypeError(
                    f"count_macs does not know the layer {type(module).__name__}: add its formula "
                    "instead of counting it as zero"
                )

    @contextmanager
    def watching(self) -> Iterator[None]:
        from torch.utils._python_dispatch import TorchDispatchMode

        counter = self

        class Products(TorchDispatchMode):
            def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
                result = operation(*args, **(kwargs or {}))
                if not counter.inside:
                    counter.macs += counter.product(operation, args, result)
                return result

        handles = []
        for module in self.network.modules():
            if formula := self.formulas.get(type(module)):
                handles += [
                    module.register_forward_pre_hook(self.enter),
                    module.register_forward_hook(self.leave(formula)),
                ]
        try:
            with Products():
                yield
        finally:
            for handle in handles:
                handle.remove()

    def enter(self, layer, inputs) -> None:
        self.inside += 1

    def leave(self, formula: Callable) -> Callable:
        def hook(layer, inputs, output) -> None:
            self.inside -= 1
            self.macs += formula(layer, output)

        return hook

    def product(self, operation, args, result) -> int:
        name = operation.overloadpacket.__name__
        factors = {"mm": 0, "bmm": 0, "mv": 0, "dot": 0, "addmm": 1, "baddbmm": 1, "addmv": 1}
        if name in factors:  # rows x inner times inner x columns: inner products for each result
            return result.numel() * args[factors[name]].shape[-1]
        if self.SUSPECT.search(name):
            raise TypeError(
                f"count_macs does not know the operation {name}, which the network runs outside "
                "of the layers that are counted: add its formula instead of counting it as zero"
            )
        return 0


def _sparse_macs(model, texts) -> int:
    """Mean non-zero weights met by the distinct known words of a text."""
    weights = dict(zip(model.words, np.diff(model.coef.tocsr().indptr), strict=True))
    met = [sum(int(weights.get(w, 0)) for w in set(model._analyze(text))) for text in texts]
    return round(float(np.mean(met)))


# ------------------------------------------------------------------------------------- memory


def _resident() -> int:
    return psutil.Process().memory_info().rss


def _high_water() -> int:
    """Most resident memory that this process ever had, in bytes."""
    if sys.platform == "linux":
        # Not getrusage: there, a child starts from the peak of the parent that launched it.
        status = Path("/proc/self/status").read_text()
        if match := re.search(r"VmHWM:\s+(\d+) kB", status):
            return 1024 * int(match[1])
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


class _MemoryWatch:
    """Context: the most resident memory within it, and how far that is above its beginning.

    The system's high-water mark is exact but only ever rises, so it tells nothing about a peak
    below an earlier one; there, a thread that looks every millisecond has to do.
    """

    def __enter__(self) -> "_MemoryWatch":
        gc.collect()
        self.baseline, self.mark, self.seen = _resident(), _high_water(), 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._stop.wait(0.001):
            self.seen = max(self.seen, _resident())

    def __exit__(self, *exception) -> None:
        self._stop.set()
        self._thread.join()
        mark = _high_water()
        peak = max(self.seen, self.baseline, _resident(), mark if mark > self.mark else 0)
        self.peak_mb, self.extra_mb = mark / MB, (peak - self.baseline) / MB


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
    root = str(Path(__file__).resolve().parents[1])
    inherited = os.environ.get("PYTHONPATH")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([root, inherited] if inherited else [root]),
        "OMP_NUM_THREADS": str(threads),  # some libraries size their pools when imported
    }
    child = subprocess.run(
        [sys.executable, "-c", "from utils.efficiency import _memory_child; _memory_child()"],
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


def _memory_child() -> None:
    task = json.load(sys.stdin)
    module, _, function = task["load"].rpartition(".")
    with _limited_threads(task["threads"]):
        classifier = getattr(importlib.import_module(module), function)(task["path"])
        predict = _predictor(classifier)
        with _MemoryWatch() as memory:
            for batch in naive_batches(len(task["texts"]), task["batch_size"]):
                predict([task["texts"][i] for i in batch])
    report = {"peak_memory_mb": memory.peak_mb, "predict_memory_mb": memory.extra_mb}
    print("\n" + json.dumps(report))


# ------------------------------------------------------------------------------------ measure


@contextmanager
def _limited_threads(threads: int) -> Iterator[None]:
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
def _no_garbage_collection() -> Iterator[None]:
    """A collection in the middle of a timing would be charged to one unlucky request."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _predictor(classifier) -> Callable[[list[str]], object]:
    """``predict_proba`` on a list as one batch, also where it would cut long lists itself."""
    if "batch_size" in inspect.signature(classifier.predict_proba).parameters:
        return lambda texts: classifier.predict_proba(texts, batch_size=len(texts))
    return classifier.predict_proba


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
        parameters, macs = count_parameters(classifier), _sparse_macs(classifier, texts)
    elif hasattr(classifier, "network"):
        parameters, macs_tokens = count_parameters(classifier), classifier.length
        macs = count_macs(classifier.network, macs_tokens)

    rng = np.random.default_rng(seed)
    texts = [texts[i] for i in rng.permutation(len(texts))]
    batches = {
        size: [[texts[i] for i in b] for b in naive_batches(len(texts), size) if len(b) == size]
        for size in sizes
    }
    predict = _predictor(classifier)
    with _limited_threads(threads):
        if path is None:
            with _MemoryWatch() as memory:
                for batch in batches[sizes[-1]]:
                    predict(batch)
            readings = [(memory.peak_mb, memory.extra_mb)]
        else:
            options = dict(batch_size=sizes[-1], threads=threads)
            reports = [process_memory(path, texts, **options) for _ in range(processes)]
            readings = [(r["peak_memory_mb"], r["predict_memory_mb"]) for r in reports]
        for size in sizes:
            for call in range(warmup):
                predict(batches[size][call % len(batches[size])])
        latency, throughput = [], {size: [] for size in sizes}
        with _no_garbage_collection():
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
    rng, predict, times = np.random.default_rng(seed), _predictor(classifier), {}
    with _limited_threads(threads):
        for size in batch_sizes:
            drawn = [rng.choice(len(texts), size, replace=False) for _ in range(warmup + samples)]
            batches = [[texts[i] for i in batch] for batch in drawn]
            for batch in batches[:warmup]:
                predict(batch)
            with _no_garbage_collection():
                times[size] = _timed(predict, batches[warmup:])
    return times


# -------------------------------------------------------------------------------------- queue


@dataclass(frozen=True, eq=False)
class QueueResult:
    """What :func:`simulate_queue` saw.

    Attributes
    ----------
    throughput : requests finished per second, from the first arrival to the last finish
    latency_ms_p50, latency_ms_p95, latency_ms_p99 : waiting and service together
    utilisation : share of the replicas' time spent serving, 0 to 1
    mean_batch : requests in a batch, on average
    cost_per_million : cost of a million requests, in the currency of ``cost_per_replica_hour``
    capacity : requests per second that the replicas can serve with full batches
    stable : whether fewer requests arrive than ``capacity``; if not, the queue grows without end
        and the latencies only say how long the simulation lasted
    arrival_rate, window_ms, max_batch, replicas : as given
    latency_seconds : (n_requests,) in order of arrival
    """

    throughput: float
    latency_ms_p50: float
    latency_ms_p95: float
    latency_ms_p99: float
    utilisation: float
    mean_batch: float
    cost_per_million: float
    capacity: float
    stable: bool
    arrival_rate: float
    window_ms: float
    max_batch: int
    replicas: int
    latency_seconds: np.ndarray = field(repr=False)

    def to_record(self) -> dict:
        """A flat dict for a results file: all but the single latencies, units in the names."""
        record = {k: v for k, v in vars(self).items() if k != "latency_seconds"}
        for name in ("throughput", "capacity", "arrival_rate"):
            record[f"{name}_per_s"] = record.pop(name)
        return record


def _checked_seconds(seconds) -> float:
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(f"service times must be positive numbers of seconds, got {seconds}")
    return float(seconds)


def _service_draws(service_time, max_batch: int, rng, n: int) -> tuple[Callable, float]:
    """A function batch size -> seconds, and the mean seconds of a full batch."""
    if callable(service_time):

        def draw(size: int) -> float:
            return _checked_seconds(service_time(size))

        return draw, float(np.mean([draw(max_batch) for _ in range(256)]))
    if not isinstance(service_time, Mapping) or not service_time:
        raise ValueError("service_time must be a function or a dict: batch size -> seconds")
    measured = {size: np.sort(np.atleast_1d(service_time[size])) for size in sorted(service_time)}
    sizes = list(measured)
    if sizes[0] != 1 or sizes[-1] < max_batch:
        raise ValueError(
            f"batches may hold 1 to {max_batch} requests, but service times were measured for "
            f"{sizes[0]} to {sizes[-1]}: measure both ends, they are not extrapolated"
        )
    for values in measured.values():
        for value in values:
            _checked_seconds(value)
    samples = {size: values.tolist() for size, values in measured.items()}
    levels = iter(rng.random(n).tolist())  # as many as there can be batches

    def at(size: int, level: float) -> float:
        values = samples[size]
        return values[int(level * len(values))]

    def draw(size: int) -> float:
        # One level for both neighbours: a slow moment is slow for either batch size.
        level = next(levels)
        if size in samples:
            return at(size, level)
        i = bisect_right(sizes, size)
        low, high = sizes[i - 1], sizes[i]
        share = (size - low) / (high - low)
        return (1 - share) * at(low, level) + share * at(high, level)

    means = [measured[size].mean() for size in sizes]
    return draw, float(np.interp(max_batch, sizes, means))


def simulate_queue(
    arrival_rate: float,
    service_time: Callable[[int], float] | Mapping[int, Sequence[float]],
    *,
    window_ms: float = 0.0,
    max_batch: int = 1,
    replicas: int = 1,
    n_requests: int = 2000,
    seed: int = 0,
    cost_per_replica_hour: float = 1.0,
) -> QueueResult:
    """Simulate requests that wait in one queue for replicas of a model that serve in batches.

    Requests arrive at random (a Poisson process) and queue up, first come, first served. A free
    replica takes up to ``max_batch`` of those waiting. If fewer wait, it holds on until the batch
    is full or the first of them has waited ``window_ms``. The simulation starts with an empty
    queue and keeps all requests.

    Parameters
    ----------
    arrival_rate : requests per second, on average
    service_time : seconds that a batch takes
        Either a function of the batch size, called once a batch, or measured values as from
        :func:`service_times`: a dict, batch size -> seconds (one number or a sample to draw
        from), interpolated linearly between the batch sizes measured.
    window_ms : longest time to wait for a batch to fill, milliseconds
    max_batch : most requests in a batch
    replicas : servers, alike
    n_requests : requests to simulate
    seed : the arrivals depend on it and on ``arrival_rate`` alone, so that two ways of serving
        are compared on the same requests
    cost_per_replica_hour : what one replica costs in an hour, busy or not

    Returns
    -------
    QueueResult

    Raises
    ------
    ValueError
        For an argument out of range, a service time that is not positive, or measured batch sizes
        that do not reach from 1 to ``max_batch``.

    Notes
    -----
    With a constant service time s, one replica and no batches this is the M/D/1 queue, where the
    mean wait is s * rho / (2 * (1 - rho)) with rho = arrival_rate * s (Pollaczek and Khinchine).
    """
    for name, value in (("arrival_rate", arrival_rate), ("max_batch", max_batch)):
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be positive, got {value}")
    if replicas < 1 or n_requests < 1 or max_batch < 1:
        raise ValueError("replicas, n_requests and max_batch must be at least 1")
    if window_ms < 0 or cost_per_replica_hour < 0:
        raise ValueError("window_ms and cost_per_replica_hour must not be negative")

    arriving, serving = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
    gaps = arriving.exponential(1 / arrival_rate, n_requests)
    arrivals = np.cumsum(gaps)
    draw, full_batch_seconds = _service_draws(service_time, max_batch, serving, n_requests)
    times, window = arrivals.tolist(), window_ms / 1000
    finished = np.empty(n_requests)
    free = [0.0] * replicas  # when each replica is free again: a heap
    first = batches = busy = 0
    while first < n_requests:
        ready = times[first] + window
        if first + max_batch <= n_requests:
            ready = min(ready, times[first + max_batch - 1])
        # Batches start in the order of the queue, so the earliest free replica takes this one.
        start = max(ready, free[0])
        after = bisect_right(times, start, first, min(first + max_batch, n_requests))
        seconds = draw(after - first)
        heapq.heapreplace(free, start + seconds)
        finished[first:after] = start + seconds
        first, batches, busy = after, batches + 1, busy + seconds

    latency = finished - arrivals
    span = finished.max() - arrivals[0]
    throughput = n_requests / span
    percentiles = {f"latency_ms_{p}": ms for p, ms in latency_percentiles(latency).items()}
    capacity = replicas * max_batch / full_batch_seconds
    return QueueResult(
        throughput=float(throughput),
        **percentiles,
        utilisation=float(busy / (replicas * span)),
        mean_batch=n_requests / batches,
        cost_per_million=float(1e6 * replicas * cost_per_replica_hour / 3600 / throughput),
        capacity=capacity,
        stable=bool(arrival_rate < capacity),
        arrival_rate=float(arrival_rate),
        window_ms=float(window_ms),
        max_batch=max_batch,
        replicas=replicas,
        latency_seconds=latency,
    )
