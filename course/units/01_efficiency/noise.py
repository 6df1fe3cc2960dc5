"""A noisy run: Model 2's latencies while another process wants its core."""

import os
import subprocess
import sys
import time

import numpy as np

from course.errors import UserError
from course.measuring.baselines import MODEL_2, SHIPPED
from utils.data import SPLITS, load_sample
from utils.efficiency.running import limited_threads
from utils.packing import load_model

# Busy a fifth of the time, on the core that it is started on.
_NEIGHBOUR = """
import time
while True:
    end = time.perf_counter() + 0.01
    while time.perf_counter() < end:
        pass
    time.sleep(0.04)
"""


def noise(seed: int) -> list[dict]:
    """Model 2's latency on the course sample, one comment at a time, with a busy neighbour.

    Model and neighbour are bound to one core, so that what is measured does not hang on how many there
    are. The first 20 calls warm up and are left out.

    Raises
    ------
    UserError
        If this system binds no process to a core.
    """
    if not hasattr(os, "sched_setaffinity"):
        raise UserError(
            "The noisy run binds two processes to one core, which this system cannot do; measure it on "
            "Linux, or name the other experiments with --only."
        )
    texts = [text for split in SPLITS for text in load_sample(split).texts][:1000]
    model, cores, seconds = load_model(SHIPPED / "model-2.slm"), os.sched_getaffinity(0), []
    os.sched_setaffinity(0, {min(cores)})
    neighbour = subprocess.Popen([sys.executable, "-c", _NEIGHBOUR])
    try:
        time.sleep(1)  # for it to start
        with limited_threads(1):
            for text in texts:
                start = time.perf_counter()
                model.predict_proba([text])
                seconds.append(time.perf_counter() - start)
    finally:
        neighbour.kill()
        neighbour.wait()
        os.sched_setaffinity(0, cores)
    latencies = [round(1e3 * s, 3) for s in seconds[20:]]
    return [
        {
            "method": MODEL_2[0],
            "setting": "a neighbour on the same core",
            "seed": seed,
            "latency_ms_mean": float(np.mean(latencies)),
            **{f"latency_ms_p{q}": float(np.percentile(latencies, q)) for q in (50, 95, 99)},
            "latencies_ms": latencies,
        }
    ]
