"""Files for unit 02's budgets of bytes, measured again: hashed words whose codes have a price."""

import time

from course.measuring.baselines import scored
from course.measuring.results import Experiment
from course.measuring.training import TAXONOMY, data

from .hashed import hashed_codes
from .recipe import ENSEMBLE, LABELS, heard

TINY = {"letters": 5, "buckets": 1 << 15}
SMALL = {"letters": 6, "pairs": True, "buckets": 1 << 18}
# What a comment's labels weigh beside the ensemble's probabilities.
HEARD = {LABELS: 1.0, "labels and ensemble": 0.5, ENSEMBLE: 0.0}
STEP = 0.5


def budget(bytes_: int, method: str, hear: str, price: float, shrink: float, **reading):
    """A hashed linear model in codes, on labels, on the ensemble's probabilities, or on their mean."""
    setting = f"codes at a price, {hear}"

    def run(seed: int) -> list[dict]:
        train, weight = data("train"), HEARD[hear]
        targets = weight * train.labels + (1 - weight) * heard(ENSEMBLE)
        start = time.perf_counter()
        options = {"step": STEP, "price": price, "shrink": shrink} | reading
        model, codec = hashed_codes(train.texts, targets, TAXONOMY, train.label_names, **options)
        seconds, nonzeros = time.perf_counter() - start, int(model.coef.nnz)
        facts = {
            "budget_bytes": bytes_,
            "training_s": seconds,
            "words": len(model.words),
            "nonzeros": nonzeros,
            "parameters": nonzeros + len(model.label_names),
        }
        codecs = {"network.coef": codec, "*": "float16"}
        return scored(model, method, setting, seed, codecs, tune=True, **facts | options)

    return Experiment(f"budgets: {bytes_}, {hear}", run, seeded=False)


# Prices by hand: where the file fits. Labels alone cost more bits at the same price.
BUDGETS = [
    budget(1500, "hashed words", LABELS, 0.45, 3e-6, **TINY),
    budget(1500, "hashed words", "labels and ensemble", 0.32, 3e-6, **TINY),
    budget(1500, "hashed words", ENSEMBLE, 0.27, 3e-6, **TINY),
    budget(6000, "hashed pairs", LABELS, 0.16, 4e-6, **SMALL),
    budget(6000, "hashed pairs", "labels and ensemble", 0.053, 4e-6, **SMALL),
    budget(6000, "hashed pairs", ENSEMBLE, 0.022, 4e-6, **SMALL),
]
