"""Measurements against a clock that stands still, counts by hand, queues against theory.

Nothing here asserts how long anything takes.
"""

import gc
import heapq
import json
import math
import os
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from utils import efficiency
from utils.distillation import GroupedLinear, StaticSparseLinear, TensorTrainEmbedding
from utils.efficiency import (
    count_macs,
    count_parameters,
    latency_percentiles,
    length_batches,
    measure,
    naive_batches,
    padding_share,
    process_memory,
    service_times,
    simulate_queue,
)
from utils.models import GRUNetwork, MeanVectorNetwork, NeuralClassifier, SparseLinear


@pytest.fixture(scope="module", autouse=True)
def quick_collections():
    """`measure` collects garbage; here it need not go through all that torch has imported."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


# ------------------------------------------------------------------------------------- latency


def test_percentiles_are_in_milliseconds():
    seconds = np.arange(1, 102) / 1000
    assert latency_percentiles(seconds) == pytest.approx({"p50": 51, "p95": 96, "p99": 100})
    assert latency_percentiles([0.002]) == {"p50": 2, "p95": 2, "p99": 2}
    assert latency_percentiles([[0, 0.001]], (0, 25, 99.9, 100)) == pytest.approx(
        {"p0": 0, "p25": 0.25, "p99.9": 0.999, "p100": 1}
    )


@pytest.mark.parametrize("seconds", [[], [-0.1], [np.nan], [np.inf]])
def test_percentiles_reject_what_is_no_latency(seconds):
    with pytest.raises(ValueError, match="latenc"):
        latency_percentiles(seconds)


def test_percentiles_reject_what_is_no_percentile():
    with pytest.raises(ValueError, match="between 0 and 100"):
        latency_percentiles([1], [50, 101])


# ------------------------------------------------------------------------------------- batching


@given(st.lists(st.integers(0, 50), max_size=40), st.integers(1, 12))
@settings(deadline=None)
def test_batches_hold_every_text_once(lengths, size):
    for batches in (naive_batches(len(lengths), size), length_batches(lengths, size)):
        assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
        assert all(len(batch) == size for batch in batches[:-1])
    naive = padding_share(lengths, naive_batches(len(lengths), size))
    bucketed = padding_share(lengths, length_batches(lengths, size))
    assert 0 <= bucketed <= 1 and 0 <= naive <= 1
    if len(lengths) % size == 0:  # otherwise chance may put short texts into a small last batch
        assert bucketed <= naive + 1e-12


def test_batching_by_length_saves_padding():
    lengths = [1, 9, 1, 9]
    assert [b.tolist() for b in length_batches(lengths, 2)] == [[0, 2], [1, 3]]
    (ties,) = length_batches([7, 3] * 100, 200)
    assert ties.tolist() == [*range(1, 200, 2), *range(0, 200, 2)]
    assert padding_share(lengths, naive_batches(4, 2)) == 16 / 36
    assert padding_share(lengths, length_batches(lengths, 2)) == 0
    assert padding_share([], []) == 0 and padding_share([0, 0], naive_batches(2, 2)) == 0


def test_batches_reject_a_size_below_one():
    for make in (lambda: naive_batches(3, 0), lambda: length_batches([1], -1)):
        with pytest.raises(ValueError, match="batch_size must be at least 1"):
            make()


# ---------------------------------------------------------------------------------- parameters


def test_parameters_of_networks():
    assert count_parameters(nn.Linear(3, 5)) == 20
    tied = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    tied[1].weight = tied[0].weight
    assert count_parameters(tied) == 9
    network = GRUNetwork(50, 4, 6, 7)
    classifier = NeuralClassifier(network, None, "ekman", "abcdefg")
    assert count_parameters(classifier) == count_parameters(network)
    assert count_parameters(network) == 50 * 4 + 2 * (3 * 6 * (4 + 6) + 2 * 3 * 6) + (24 + 1) * 7


def linear_model():
    """Weights: 'good' 2, 'bad' 1, 'so' 0 of 3 labels."""
    coef, words = np.array([[0.0, 0, 1], [1, 2, 0], [0, 0, 0]]), ["bad", "good", "so"]
    return SparseLinear("sentiment", "abc")._set(words, np.ones(3), coef, np.zeros(3))


def test_parameters_of_the_sparse_model_are_those_that_are_not_zero():
    assert count_parameters(linear_model()) == 3 + 3 + 3


def test_parameters_of_something_else_are_not_zero():
    with pytest.raises(TypeError, match="parameters of a object"):
        count_parameters(object())


# ----------------------------------------------------------------------------------------- MACs


class Reader(nn.Module):
    """Ids to vectors, then whatever is to be counted."""

    def __init__(self, layer, dim=10, then=lambda x: x):
        super().__init__()
        self.embedding, self.layer, self.then = nn.Embedding(5, dim), layer, then

    def forward(self, ids):
        return self.then(self.layer(self.embedding(ids)))


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (nn.Linear(10, 4), 6 * 10 * 4),
        (nn.Sequential(nn.Linear(10, 4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 2)), 6 * (40 + 8)),
        (nn.LayerNorm(10), 0),
        (nn.GRU(10, 8, batch_first=True), 6 * 3 * 8 * (10 + 8)),
        (nn.GRU(10, 8, batch_first=True, bidirectional=True), 6 * 2 * 3 * 8 * (10 + 8)),
        (
            nn.GRU(10, 8, num_layers=3, batch_first=True, bidirectional=True),
            6 * 2 * 3 * 8 * ((10 + 8) + 2 * (16 + 8)),
        ),
        (nn.LSTM(10, 8, batch_first=True), 6 * 4 * 8 * (10 + 8)),
        (
            nn.TransformerEncoderLayer(10, nhead=2, dim_feedforward=32, batch_first=True),
            # query, key, value, output; scores and their sum of values; feed-forward
            6 * 4 * 10 * 10 + 2 * 6 * 6 * 10 + 6 * 2 * 10 * 32,
        ),
        (StaticSparseLinear(10, 4, sparsity=0.8), 6 * 4 * 2),
        (GroupedLinear(10, [[0, 2], [1]], members=3), 6 * 10 * (2 + 3)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_macs_by_hand(layer, expected):
    assert count_macs(Reader(layer), tokens=6) == expected


def test_macs_of_a_tensor_train():
    reader = Reader(nn.Identity())
    reader.embedding = TensorTrainEmbedding(6, 10, ((2, 3), (2, 5)), 3)
    # A row: 1 by 1 times 1 by (2 * 3), then 2 by 3 times 3 by 5.
    assert count_macs(reader, tokens=6) == 6 * (6 + 2 * 3 * 5)


@pytest.mark.parametrize("tokens", [1, 27])
def test_macs_of_the_courses_networks(tokens):
    model_1 = MeanVectorNetwork(50, 10, 8, 7)
    assert count_macs(model_1, tokens) == 10 * 8 + 8 * 7
    model_2 = GRUNetwork(50, 10, 8, 7, layers=2)
    gru = tokens * 2 * 3 * 8 * ((10 + 8) + (16 + 8))
    assert count_macs(model_2, tokens) == gru + 4 * 8 * 7


def test_macs_of_the_pretrained_kind_of_transformer():
    pytest.importorskip("transformers", reason="the transformer is an extra")
    from utils.models import TransformerNetwork

    encoder = dict(
        vocab_size=20, hidden_size=24, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=48, max_position_embeddings=16,
    )  # fmt: skip
    layer = 9 * 4 * 24 * 24 + 2 * 9 * 9 * 24 + 9 * 2 * 24 * 48
    assert count_macs(TransformerNetwork(encoder, labels=7), tokens=9) == 2 * layer + 24 * 7


class Packed(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.gru = nn.Embedding(5, 10), nn.GRU(10, 8, batch_first=True)

    def forward(self, ids):
        lengths = torch.full((len(ids),), ids.shape[1])
        return self.gru(pack_padded_sequence(self.embedding(ids), lengths, batch_first=True))[1]


def test_macs_of_packed_sequences():
    assert count_macs(Packed(), tokens=6) == 6 * 3 * 8 * (10 + 8)


def test_products_outside_of_layers_are_counted():
    weight = nn.Parameter(torch.ones(10, 3))
    assert count_macs(Reader(nn.Identity(), then=lambda x: x @ weight), 6) == 6 * 10 * 3
    scores = Reader(nn.Identity(), then=lambda x: torch.einsum("bti,bsi->bts", x, x))
    assert count_macs(scores, 6) == 6 * 6 * 10
    affine = Reader(nn.Identity(), then=lambda x: torch.addmm(torch.ones(3), x[0], weight))
    assert count_macs(affine, 6) == 6 * 10 * 3
    assert count_macs(Reader(nn.Identity(), then=lambda x: x[0, 0] @ x[0, 1]), 6) == 10


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv1d(6, 3, 2),
        nn.Sequential(nn.Conv1d(6, 3, 2)),
        nn.Bilinear(10, 10, 2),
        nn.GRUCell(10, 8),
        pytest.param(
            nn.LSTM(10, 8, proj_size=2, batch_first=True),
            marks=pytest.mark.filterwarnings("ignore:LSTM with projections"),
        ),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_an_unknown_layer_is_an_error_and_not_zero(layer):
    with pytest.raises(TypeError, match="count_macs does not know"):
        count_macs(Reader(layer), tokens=6)


class Own(nn.Module):
    """A layer of somebody's own: a subclass may do anything."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(10, 3))

    def forward(self, x):
        return x @ self.weight


class TwiceLinear(nn.Linear):
    def forward(self, x):
        return super().forward(super().forward(x))


@pytest.mark.parametrize("layer", [Own(), TwiceLinear(10, 10)])
def test_an_own_layer_is_unknown_even_if_it_is_like_a_known_one(layer):
    with pytest.raises(TypeError, match=type(layer).__name__):
        count_macs(Reader(layer), tokens=6)


def test_an_unknown_operation_is_an_error_and_not_zero():
    kernel = torch.ones(3, 6, 2)
    convolves = Reader(nn.Identity(), then=lambda x: nn.functional.conv1d(x, kernel))
    with pytest.raises(TypeError, match="does not know the operation convolution"):
        count_macs(convolves, tokens=6)


def test_counting_leaves_the_network_as_it_was():
    network = GRUNetwork(50, 10, 8, 7).train()
    network.gru.eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fast_path = torch.backends.mha.get_fastpath_enabled()
    count_macs(network)
    with pytest.raises(TypeError):
        count_macs(Reader(nn.Sequential(nn.Linear(10, 4), nn.Identity()), then=lambda x: (
            nn.functional.conv1d(x, torch.ones(3, 6, 2)))), 6)  # fmt: skip
    assert network.training and not network.gru.training and network.output.training
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert torch.backends.mha.get_fastpath_enabled() == fast_path


def test_macs_of_no_tokens():
    with pytest.raises(ValueError, match="tokens must be at least 1"):
        count_macs(nn.Identity(), 0)


# -------------------------------------------------------------------------------------- measure


class Clock:
    """Time that passes only when a classifier says so."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(efficiency, "time", clock)
    return clock


class Fake:
    """Takes 1 ms a call and 1 ms a character."""

    def __init__(self, clock=None):
        self.clock, self.calls, self.seen = clock, [], []

    def predict_proba(self, texts):
        self.calls.append(list(texts))
        self.seen.append((gc.isenabled(), torch.get_num_threads(), os.environ.get(PARALLEL)))
        if self.clock:
            self.clock.now += 0.001 + 0.001 * sum(map(len, texts))
        return np.zeros((len(texts), 2), np.float32)


PARALLEL = "TOKENIZERS_PARALLELISM"
TEXTS = ["a" * n for n in range(1, 102)]


def test_latency_and_throughput_on_a_clock_that_stands_still(clock):
    record = measure(Fake(clock), TEXTS, batch_sizes=(1, 4), repeats=3).to_record()
    assert record["latency_ms_p50"] == pytest.approx(52)
    assert record["latency_ms_p95"] == pytest.approx(97)
    assert record["latency_ms_p99"] == pytest.approx(101)
    assert record["latency_ms_mean"] == pytest.approx(52)
    assert record["throughput_b1_per_s"] == pytest.approx(1000 / 52)
    for name in ("latency_ms_p50", "latency_ms_p99", "throughput_b1_per_s", "throughput_b4_per_s"):
        assert record[f"{name}_spread"] == pytest.approx(0)
    stated = {"threads": 1, "warmup": 2, "repeats": 3, "n_texts": 101}
    assert {name: record[name] for name in stated} == stated
    assert record["file_bytes"] is record["parameters"] is record["macs"] is None
    json.dumps(record, allow_nan=False)


def test_a_repeat_that_is_slower_is_seen_in_the_spread(clock):
    class Tiring(Fake):
        def predict_proba(self, texts):
            clock.now += 1 + len(self.calls) // 3  # 3 calls a repeat: slower each time
            return super().predict_proba(texts)

    # Memory is read in one pass of 3 calls before: the repeats take 2, 3, 4, 5 and 6 s a call.
    measurement = measure(Tiring(), ["a", "b", "c"], batch_sizes=(1,), repeats=5, warmup=0)
    record = measurement.to_record()
    assert measurement.latency_seconds.mean(axis=1) == pytest.approx([2, 3, 4, 5, 6])
    assert record["latency_ms_p50"] == pytest.approx(4000)
    assert record["latency_ms_p50_spread"] == pytest.approx(2000)
    assert record["throughput_b1_per_s"] == pytest.approx(1 / 4)
    assert record["throughput_b1_per_s_spread"] == pytest.approx(1 / 3 - 1 / 5)


def test_a_single_repeat_has_no_spread(clock):
    record = measure(Fake(clock), TEXTS, batch_sizes=(8,), repeats=1).to_record()
    assert record["latency_ms_p50_spread"] is None and record["throughput_b8_per_s_spread"] is None
    assert record["latency_ms_p50"] > 0 and "throughput_b1_per_s" not in record


def test_the_calls_that_are_made():
    fake = Fake()
    measure(fake, TEXTS, batch_sizes=(1, 8, 64), repeats=2, warmup=3)
    sizes = [len(call) for call in fake.calls]
    assert sizes[:1] == [64]  # memory: one pass in the largest size
    assert sizes[1:10] == [1] * 3 + [8] * 3 + [64] * 3  # warm-up
    timed = sizes[10:]
    assert sorted(timed) == sorted(2 * ([1] * 101 + [8] * 12 + [64]))
    singles = [call[0] for call in fake.calls[10:] if len(call) == 1]
    assert sorted(singles[:101]) == sorted(singles[101:]) == sorted(TEXTS)
    assert singles[:101] == singles[101:] != TEXTS


def test_the_seed_decides_the_order():
    def order(seed):
        fake = Fake()
        measure(fake, TEXTS, batch_sizes=(1, 8), repeats=3, seed=seed)
        return fake.calls

    assert order(1) == order(1) != order(2)


def test_garbage_collection_is_off_while_timing_and_on_again_after():
    fake = Fake()
    measure(fake, TEXTS[:3], batch_sizes=(1,), repeats=1, warmup=1)
    assert [collecting for collecting, *_ in fake.seen] == [True] * 4 + [False] * 3
    assert gc.isenabled()
    gc.disable()
    try:
        measure(Fake(), TEXTS[:3], batch_sizes=(1,), repeats=1)
        assert not gc.isenabled()
    finally:
        gc.enable()


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_threads_are_set_and_restored(monkeypatch):
    pools = []

    class Looks(Fake):
        def predict_proba(self, texts):
            pools.append(blas_threads())
            return super().predict_proba(texts)

    before = torch.get_num_threads(), blas_threads()
    monkeypatch.setenv(PARALLEL, "true")
    torch.set_num_threads(3)
    try:
        one, two = Looks(), Looks()
        measure(one, TEXTS[:3], batch_sizes=(1,), repeats=1, threads=1)
        assert {(threads, parallel) for _, threads, parallel in one.seen} == {(1, "false")}
        assert {frozenset(found) for found in pools} == {frozenset({1})}
        measure(two, TEXTS[:3], batch_sizes=(1,), repeats=1, threads=2)
        assert {(threads, parallel) for _, threads, parallel in two.seen} == {(2, "true")}
        assert torch.get_num_threads() == 3 and os.environ[PARALLEL] == "true"
        with pytest.raises(ZeroDivisionError), efficiency._limited_threads(1):
            raise ZeroDivisionError
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before[0])
    assert blas_threads() == before[1]


def test_a_classifier_that_cuts_batches_is_told_not_to():
    class Cuts:
        sizes = []

        def predict_proba(self, texts, batch_size=2):
            self.sizes.append((len(texts), batch_size))

    measure(Cuts(), TEXTS, batch_sizes=(64,), repeats=1)
    assert {size for size in Cuts.sizes} == {(64, 64), (1, 1)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_sizes": (1, 64)}, "batch size 64 needs as many texts, got 5"),
        ({"batch_sizes": (0,)}, "batch sizes must be at least 1"),
        ({"repeats": 0}, "repeats must be at least 1"),
        ({"threads": 0}, "threads must be at least 1"),
    ],
)
def test_measure_rejects_what_it_cannot_do(options, message):
    with pytest.raises(ValueError, match=message):
        measure(Fake(), TEXTS[:5], **{"batch_sizes": (1,)} | options)


def test_a_missing_file_is_an_error_before_any_work():
    fake = Fake()
    with pytest.raises(FileNotFoundError):
        measure(fake, TEXTS, path="absent.model")
    assert fake.calls == []


def test_a_network_with_an_unknown_layer_is_an_error_before_any_work():
    classifier = NeuralClassifier(Reader(nn.GRUCell(10, 8)), None, "ekman", "abcdefg")
    with pytest.raises(TypeError, match="GRUCell"):
        measure(classifier, TEXTS)


def test_an_error_of_the_classifier_is_not_swallowed():
    class Broken:
        def predict_proba(self, texts):
            raise ZeroDivisionError

    threads = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        measure(Broken(), TEXTS, batch_sizes=(1,))
    assert gc.isenabled() and threading.active_count() == threads


def test_macs_of_the_sparse_model_are_the_mean_over_texts():
    texts = ["good good so", "bad film", "film"]
    measurement = measure(linear_model(), texts, batch_sizes=(1,), repeats=1)
    assert efficiency._sparse_macs(linear_model(), ["good bad", "so"]) == 2  # (3 + 0) / 2, rounded
    assert (measurement.macs, measurement.macs_tokens, measurement.parameters) == (1, None, 9)


def test_macs_of_a_sparse_model_count_what_it_reads():
    texts = ["lovely day", "awful day", "what a lovely garden", "awful rain"] * 3
    labels = np.array([[1], [0], [1], [0]] * 3)
    for options in ({"letters": 3}, {"pairs": True}, {"buckets": 1 << 12}):
        model = SparseLinear("ekman", ["joy"], C=5.0, **options).fit(texts, labels)
        met = np.mean([(model._vectorizer.transform([t]) != 0).sum() for t in texts])
        assert efficiency._sparse_macs(model, texts) == round(met) > 0


# --------------------------------------------------------------------------------------- memory


class Hungry:
    """Holds 80 MB, and takes 50 MB more while predicting."""

    def __init__(self):
        self.held = np.ones(10_000_000)

    def predict_proba(self, texts):
        block = np.ones(6_250_000)
        time.sleep(0.3)  # below an earlier peak, memory is looked at and not recorded: hold still
        return block.sum()


def test_memory_while_predicting_in_this_process():
    np.ones(50_000_000)  # 400 MB, given back: an earlier and higher peak
    record = measure(Hungry(), ["a"], batch_sizes=(1,), repeats=1, warmup=0).to_record()
    assert 45 < record["predict_memory_mb"] < 75  # 80 MB more were there before
    assert record["peak_memory_mb"] > 400
    assert record["memory_process"] == "this" and record["peak_memory_mb_spread"] is None


LOADER = """
import time
import numpy as np

class Hungry:
    def __init__(self):
        print("loading")
        self.held = np.ones(10_000_000)
    def predict_proba(self, texts):
        assert texts == ["one", "two"] or texts == ["three"]
        block = np.ones(6_250_000)
        time.sleep(0.3)
        return block.sum()

def load(path):
    assert open(path).read() == "a model"
    return Hungry()

def fail(path):
    raise ValueError("this is not a model")
"""


@pytest.fixture
def loader(tmp_path, monkeypatch):
    (tmp_path / "hungry_loader.py").write_text(LOADER)
    (tmp_path / "model").write_text("a model")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)  # as from a notebook's folder
    return SimpleNamespace(path=tmp_path / "model", load="hungry_loader.load")


def test_memory_of_a_fresh_process(loader):
    garbage = np.ones(40_000_000)  # 320 MB of this process, which are not the model's
    options = dict(batch_size=2, load=loader.load)
    report = process_memory(loader.path, ["one", "two", "three"], **options)
    assert 45 < report["predict_memory_mb"] < 75
    assert 80 + 45 < report["peak_memory_mb"] < 300
    assert garbage.nbytes == 320e6


def test_a_fresh_process_that_fails_says_why(loader):
    with pytest.raises(RuntimeError, match="measures memory failed: ValueError: this is not a mod"):
        process_memory(loader.path, ["one"], load="hungry_loader.fail")


def test_memory_is_read_in_fresh_processes_when_there_is_a_file(monkeypatch, tmp_path):
    path, peaks = tmp_path / "model", iter([300.0, 310.0, 330.0])
    path.write_bytes(b"x" * 123)
    asked = []

    def fake(*args, **options):
        asked.append((args, options))
        return {"peak_memory_mb": next(peaks), "predict_memory_mb": 5.0}

    monkeypatch.setattr(efficiency, "process_memory", fake)
    record = measure(Fake(), TEXTS, batch_sizes=(1, 8), path=path, repeats=1).to_record()
    assert record["file_bytes"] == 123 and record["memory_process"] == "fresh"
    assert record["peak_memory_mb"] == 310 and record["peak_memory_mb_spread"] == 15
    assert record["predict_memory_mb_spread"] == 0
    assert len(asked) == 3 and asked[0][1] == {"batch_size": 8, "threads": 1}


def test_a_model_of_the_course_from_its_file(tmp_path):
    from utils.packing import save_model

    path, model = tmp_path / "model", linear_model()
    size = save_model(model, path)
    options = dict(batch_sizes=(1,), path=path, processes=1)
    record = measure(model, ["good", "bad", "so"], **options).to_record()
    assert record["file_bytes"] == size
    assert record["peak_memory_mb"] > record["predict_memory_mb"] >= 0


def test_the_high_water_mark_is_that_of_this_process():
    before = efficiency._high_water()
    block = np.ones(30_000_000)
    assert efficiency._high_water() >= max(before, block.nbytes)
    assert efficiency._resident() <= efficiency._high_water()


# -------------------------------------------------------------------------------- service times


def test_service_times_by_batch_size(clock):
    fake = Fake(clock)
    times = service_times(fake, ["aa"] * 10, (1, 4), samples=3, warmup=2)
    assert times == {1: pytest.approx([0.003] * 3), 4: pytest.approx([0.009] * 3)}
    assert [len(call) for call in fake.calls] == [1] * 5 + [4] * 5


@pytest.mark.parametrize(
    "options", [{"batch_sizes": (1, 11)}, {"batch_sizes": (0,)}, {"samples": 0}, {"threads": 0}]
)
def test_service_times_reject_what_cannot_be_measured(options):
    with pytest.raises(ValueError):
        service_times(Fake(), ["a"] * 10, **{"batch_sizes": (1,)} | options)


# ---------------------------------------------------------------------------------------- queue


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_constant_service_is_the_m_d_1_queue(load):
    """Mean wait: Pollaczek and Khinchine."""
    service = 0.01
    result = simulate_queue(load / service, {1: service}, n_requests=200_000)
    wait = result.latency_seconds.mean() - service
    assert wait == pytest.approx(load / (2 * (1 - load)) * service, rel=0.03)
    assert result.utilisation == pytest.approx(load, rel=0.01)
    assert result.throughput == pytest.approx(load / service, rel=0.01)
    assert result.stable and result.capacity == pytest.approx(100) and result.mean_batch == 1


def test_exponential_service_is_the_m_m_1_queue():
    """Time in the system is exponential with rate (service rate - arrival rate)."""
    rng = np.random.default_rng(0)
    runs = [
        simulate_queue(50, lambda size: rng.exponential(0.01), n_requests=50_000, seed=seed)
        for seed in range(8)
    ]
    for percentile, name in ((50, "p50"), (95, "p95"), (99, "p99")):
        exact = -math.log(1 - percentile / 100) / (100 - 50) * 1000
        mean = np.mean([getattr(run, f"latency_ms_{name}") for run in runs])
        assert mean == pytest.approx(exact, rel=0.03)


def test_several_replicas_are_the_m_m_c_queue():
    """Mean wait: Erlang's C formula."""
    rng, load, servers = np.random.default_rng(0), 2.1, 3
    result = simulate_queue(
        210, lambda size: rng.exponential(0.01), replicas=servers, n_requests=200_000
    )
    waiting = load**servers / math.factorial(servers) * servers / (servers - load)
    erlang_c = waiting / (sum(load**k / math.factorial(k) for k in range(servers)) + waiting)
    wait = result.latency_seconds.mean() - 0.01
    assert wait == pytest.approx(erlang_c / (300 - 210), rel=0.05)
    assert result.utilisation == pytest.approx(load / servers, rel=0.01)


def simulate_by_events(arrivals, seconds, window, max_batch, replicas):
    """The same queue in another way: event after event, and a look at the queue after each."""
    latency, queue, free = [0.0] * len(arrivals), [], replicas
    events = [(at, "arrival", i) for i, at in enumerate(arrivals)]
    heapq.heapify(events)
    while events:
        now, kind, which = heapq.heappop(events)
        if kind == "arrival":
            queue.append(which)
            heapq.heappush(events, (now + window, "window", which))
        elif kind == "done":
            free += 1
        if events and events[0][0] == now:
            continue  # what happens at the same moment is seen together
        while free and queue:
            if len(queue) < max_batch and now < arrivals[queue[0]] + window:
                break
            batch, queue = queue[:max_batch], queue[max_batch:]
            free -= 1
            finish = now + seconds(len(batch))
            heapq.heappush(events, (finish, "done", 0))
            for i in batch:
                latency[i] = finish - arrivals[i]
    return latency


@given(
    rate=st.floats(5, 500),
    window_ms=st.sampled_from([0, 1, 7, 50]),
    max_batch=st.integers(1, 9),
    replicas=st.integers(1, 4),
    n=st.integers(1, 120),
    seed=st.integers(0, 1000),
)
@settings(deadline=None, max_examples=150)
def test_batches_and_windows_agree_with_a_simulation_by_events(
    rate, window_ms, max_batch, replicas, n, seed
):
    def seconds(size):
        return 0.007 + 0.002 * size

    options = dict(window_ms=window_ms, max_batch=max_batch, replicas=replicas)
    result = simulate_queue(rate, seconds, n_requests=n, seed=seed, **options)
    arriving = np.random.default_rng(np.random.SeedSequence(seed).spawn(2)[0])
    arrivals = np.cumsum(arriving.exponential(1 / rate, n)).tolist()
    expected = simulate_by_events(arrivals, seconds, window_ms / 1000, max_batch, replicas)
    assert result.latency_seconds == pytest.approx(expected, abs=1e-9)
    # Every request is served once, and none faster than it can be.
    assert len(result.latency_seconds) == n
    assert result.latency_seconds.min() >= seconds(1) - 1e-9
    assert 1 <= result.mean_batch <= max_batch
    assert 0 < result.utilisation <= 1 + 1e-9


def test_more_requests_than_can_be_served_is_not_stable():
    result = simulate_queue(200, {1: 0.01}, n_requests=5000)
    assert not result.stable
    assert result.throughput == pytest.approx(100, rel=0.01)
    assert result.utilisation == pytest.approx(1, rel=0.01)
    longer = simulate_queue(200, {1: 0.01}, n_requests=20_000)
    assert longer.latency_ms_p99 > 3 * result.latency_ms_p99  # it has no end
    for more in ({"replicas": 3}, {"max_batch": 8}):
        helped = simulate_queue(200, {1: 0.01, 8: 0.02}, n_requests=5000, **more)
        assert helped.stable and helped.latency_ms_p99 < 200
    assert not simulate_queue(200, lambda size: 0.01, n_requests=10).stable


def test_a_batch_waits_for_its_window_at_most():
    alone = simulate_queue(0.01, {1: 0.01, 4: 0.01}, window_ms=20, max_batch=4, n_requests=50)
    assert alone.latency_ms_p50 == pytest.approx(30) and alone.mean_batch == 1
    full = simulate_queue(1e5, {1: 0.01, 4: 0.01}, window_ms=20, max_batch=4, n_requests=400)
    assert full.mean_batch == 4
    single = simulate_queue(0.01, {1: 0.01}, window_ms=20, max_batch=1, n_requests=50)
    assert single.latency_ms_p50 == pytest.approx(10)  # a batch of one is full at once


def test_a_second_replica_makes_no_request_slower():
    one, two = (simulate_queue(80, {1: 0.01}, replicas=r, seed=3) for r in (1, 2))
    assert (two.latency_seconds <= one.latency_seconds + 1e-12).all()
    assert two.latency_ms_p99 < one.latency_ms_p99


def test_service_times_are_interpolated_and_drawn_from_what_was_measured():
    options = dict(max_batch=5, window_ms=10, n_requests=500)
    line = simulate_queue(300, lambda size: 0.004 + 0.001 * size, **options)
    measured = simulate_queue(300, {1: 0.005, 3: 0.007, 8: 0.012}, **options)
    assert measured.latency_seconds == pytest.approx(line.latency_seconds)
    assert measured.capacity == pytest.approx(line.capacity)

    rare = simulate_queue(1e-5, {1: np.array([0.03, 0.01, 0.02])}, n_requests=3000)
    values, counts = np.unique(rare.latency_seconds.round(6), return_counts=True)
    assert values.tolist() == [0.01, 0.02, 0.03]
    assert counts == pytest.approx([1000] * 3, rel=0.1)
    assert rare.capacity == pytest.approx(50)


def test_cost_follows_replicas_and_throughput():
    one = simulate_queue(50, {1: 0.01}, cost_per_replica_hour=0.36, n_requests=20_000)
    assert one.cost_per_million == pytest.approx(0.36 / 3600 * 1e6 / one.throughput)
    assert one.cost_per_million == pytest.approx(2, rel=0.02)
    four = simulate_queue(50, {1: 0.01}, cost_per_replica_hour=0.36, replicas=4, n_requests=20_000)
    assert four.cost_per_million == pytest.approx(4 * one.cost_per_million, rel=0.01)


def test_the_same_seed_gives_the_same_queue():
    first, again, other = (simulate_queue(80, {1: [0.01, 0.02]}, seed=s) for s in (1, 1, 2))
    assert first.to_record() == again.to_record() != other.to_record()
    json.dumps(first.to_record(), allow_nan=False)
    assert {"throughput_per_s", "latency_ms_p99", "stable", "replicas"} <= set(first.to_record())


@pytest.mark.parametrize(
    ("service", "options", "message"),
    [
        ({1: 0.01}, {"max_batch": 4}, "batches may hold 1 to 4 requests"),
        ({2: 0.01, 8: 0.02}, {"max_batch": 4}, "measured for 2 to 8"),
        ({1: 0.0}, {}, "service times must be positive"),
        ({1: [0.01, np.nan]}, {}, "service times must be positive"),
        (lambda size: -1.0, {}, "service times must be positive"),
        ({}, {}, "service_time must be a function or a dict"),
        (0.01, {}, "service_time must be a function or a dict"),
        ({1: 0.01}, {"arrival_rate": 0}, "arrival_rate must be positive"),
        ({1: 0.01}, {"arrival_rate": math.inf}, "arrival_rate must be positive"),
        ({1: 0.01}, {"max_batch": 0}, "max_batch must be positive"),
        ({1: 0.01}, {"replicas": 0}, "replicas, n_requests and max_batch"),
        ({1: 0.01}, {"n_requests": 0}, "replicas, n_requests and max_batch"),
        ({1: 0.01}, {"window_ms": -1}, "must not be negative"),
    ],
)
def test_queues_that_cannot_be(service, options, message):
    with pytest.raises(ValueError, match=message):
        simulate_queue(service_time=service, **{"arrival_rate": 10} | options)
