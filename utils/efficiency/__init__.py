"""Measure what a classifier costs: time, memory, multiplications and bytes; simulate a queue.

Every number keeps its repeats, so that it can be given with a spread. A spread, here and in the
course's result files, is the interquartile range over repeats: a laptop that pauses for a second
then moves it little, where a standard deviation would be all about that second.

1 MB is 1,000,000 bytes throughout.
"""

from utils.efficiency.batches import length_batches, naive_batches, padding_share
from utils.efficiency.counts import count_macs, count_parameters
from utils.efficiency.memory import MB, MemoryWatch, high_water, process_memory
from utils.efficiency.queue import QueueResult, simulate_queue
from utils.efficiency.timing import (
    PERCENTILES,
    Measurement,
    latency_percentiles,
    measure,
    seconds_in_turns,
    service_times,
)

__all__ = [
    "MB",
    "PERCENTILES",
    "Measurement",
    "MemoryWatch",
    "QueueResult",
    "count_macs",
    "count_parameters",
    "high_water",
    "latency_percentiles",
    "length_batches",
    "measure",
    "naive_batches",
    "padding_share",
    "process_memory",
    "seconds_in_turns",
    "service_times",
    "simulate_queue",
]
