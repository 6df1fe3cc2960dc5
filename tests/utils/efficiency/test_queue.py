"""Queues against theory, and against a simulation by events."""

import heapq
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.efficiency import (
    simulate_queue,
)


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
