"""Requests that wait in a queue for replicas of a model."""

import heapq
import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from utils.efficiency.timing import latency_percentiles


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

    Source: Kleinrock (1975), "Queueing systems", volume 1; Schroeder, Wierman and Harchol-Balter
    (2006), "Open versus closed: a cautionary tale", NSDI.

    What people get wrong: a client that waits for each answer before it asks again. It never sees a
    queue; requests of many users arrive whether the last one is served or not.

    >>> from utils.efficiency import simulate_queue
    >>> for rate in (20, 90, 110):  # requests a second, 10 ms each
    ...     queue = simulate_queue(rate, {1: 0.01})
    ...     print(round(queue.utilisation, 1), queue.stable, queue.latency_ms_p99 > 100)
    0.2 True False
    0.9 True True
    1.0 False True
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
