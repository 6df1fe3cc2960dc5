"""Measurements against a clock that stands still, counts by hand, queues against theory.

Nothing here asserts how long anything takes.
"""

import gc
import json
import os
import threading

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from utils.efficiency import (
    latency_percentiles,
    measure,
    seconds_in_turns,
    service_times,
    timing,
)
from utils.efficiency.running import limited_threads
from utils.models import SparseLinear


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


# ------------------------------------------------------------------------------------- in turns


def test_works_take_turns_and_the_first_round_does_not_count():
    calls, now = [], 0.0

    def work(name, *costs):
        turns = iter(costs)

        def run():
            nonlocal now
            calls.append(name)
            now += next(turns)

        return run

    works = {"a": work("a", 9, 9, 1, 3, 2, 2), "b": work("b", 9, 9, 5, 5, 7, 9)}
    found = seconds_in_turns(works, repeats=2, inner=2, clock=lambda: now)
    assert calls == list("aabb" * 3)
    assert {name: list(each) for name, each in found.items()} == {"a": [2, 2], "b": [5, 8]}


@pytest.mark.parametrize("numbers", [{"repeats": 0}, {"repeats": 1, "inner": 0}])
def test_less_than_one_round_or_call_is_refused(numbers):
    with pytest.raises(ValueError, match="1 or more"):
        seconds_in_turns({"a": int}, **numbers)


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
    monkeypatch.setattr(timing, "time", clock)
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
        with pytest.raises(ZeroDivisionError), limited_threads(1):
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


def test_an_error_of_the_classifier_is_not_swallowed():
    class Broken:
        def predict_proba(self, texts):
            raise ZeroDivisionError

    threads = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        measure(Broken(), TEXTS, batch_sizes=(1,))
    assert gc.isenabled() and threading.active_count() == threads


# -------------------------------------------------------------------------------- service times


def test_service_times_by_batch_size(clock):
    fake = Fake(clock)
    times = service_times(fake, ["aa"] * 10, (1, 4), samples=3, warmup=2)
    assert times == {1: pytest.approx([0.003] * 3), 4: pytest.approx([0.009] * 3)}
    assert [len(call) for call in fake.calls] == [1] * 5 + [4] * 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_sizes": (1, 11)}, "batch size 11 needs as many texts, got 10"),
        ({"batch_sizes": (0,)}, "batch sizes and samples must be at least 1"),
        ({"samples": 0}, "batch sizes and samples must be at least 1"),
        ({"threads": 0}, "threads must be at least 1"),
    ],
)
def test_service_times_reject_what_cannot_be_measured(options, message):
    with pytest.raises(ValueError, match=message):
        service_times(Fake(), ["a"] * 10, **{"batch_sizes": (1,)} | options)


def linear_model():
    """Weights: 'good' 2, 'bad' 1, 'so' 0 of 3 labels."""
    coef, words = np.array([[0.0, 0, 1], [1, 2, 0], [0, 0, 0]]), ["bad", "good", "so"]
    return SparseLinear("sentiment", "abc")._set(words, np.ones(3), coef, np.zeros(3))


def test_memory_is_read_in_fresh_processes_when_there_is_a_file(monkeypatch, tmp_path):
    path, peaks = tmp_path / "model", iter([300.0, 310.0, 330.0])
    path.write_bytes(b"x" * 123)
    asked = []

    def fake(*args, **options):
        asked.append((args, options))
        return {"peak_memory_mb": next(peaks), "predict_memory_mb": 5.0}

    monkeypatch.setattr(timing, "process_memory", fake)
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
