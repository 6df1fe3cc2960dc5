"""Files for unit 02's budgets of bytes, measured again: hashed words and GRUs whose codes have a price."""

import time
from dataclasses import asdict, dataclass

from course.measuring.baselines import scored
from course.measuring.cache import trained_once
from course.measuring.results import Experiment
from course.measuring.training import TAXONOMY, data
from utils.models import NeuralClassifier

from .coding import WHILE, with_codes
from .hashed import hashed_codes
from .judging import FLOAT16
from .made_up import with_made_up
from .recipe import ENSEMBLE, LABELS, heard, train_with_made_up

TINY = {"letters": 5, "buckets": 1 << 15}
SMALL = {"letters": 6, "pairs": True, "buckets": 1 << 18}
# What a comment's labels weigh beside the ensemble's probabilities.
HEARD = {LABELS: 1.0, "labels and ensemble": 0.5, ENSEMBLE: 0.0}
MADE_UP = "ensemble and made-up texts"
STEP = 0.5


def budget(
    bytes_: int, method: str, hear: str, price: float, shrink: float, sets: int = 0, **reading
):
    """A hashed linear model in codes, on labels, on the ensemble's probabilities, on their mean, or on
    ``sets`` of made-up texts too."""
    setting = f"codes at a price, {hear}"

    def run(seed: int) -> list[dict]:
        train = data("train")
        if sets:
            texts, targets = with_made_up(sets)
        else:
            weight = HEARD[hear]
            texts, targets = train.texts, weight * train.labels + (1 - weight) * heard(ENSEMBLE)
        start = time.perf_counter()
        options = {"step": STEP, "price": price, "shrink": shrink} | reading
        model, codec = hashed_codes(texts, targets, TAXONOMY, train.label_names, **options)
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

    # A group of its own, since new records take the place of all others of their group.
    group = "made-up budgets" if sets else "budgets"
    return Experiment(f"{group}: {bytes_}, {hear}", run, seeded=False)


@dataclass(frozen=True)
class PricedGRU:
    """A GRU that learns codes at a price, on comments and on ``sets`` of made-up texts.

    ``epochs_before`` are in float32, and then ``epochs_with_codes`` with steps that are learned and
    ``price`` a byte (:func:`with_codes`). Bytes follow the price, and ``bits`` only where the steps start.
    """

    units: int
    dim: int
    min_count: int
    epochs_before: int
    epochs_with_codes: int
    price: float
    sets: int = 4
    bits: int = 4

    def trained(self, seed: int) -> tuple[NeuralClassifier, dict, dict]:
        """The network with the values of its codes, their codecs, and what training cost."""
        shape = {name: getattr(self, name) for name in ("units", "dim", "min_count", "sets")}
        start, first = trained_once(
            train_with_made_up, **shape, epochs=self.epochs_before, seed=seed
        )
        texts, targets = with_made_up(self.sets)
        epochs = self.epochs_with_codes
        # Bytes fall from epoch to epoch, so of the early ones none may be kept.
        options = {"texts": texts, "epochs": epochs, "keep_from": max(1, epochs - 1)}
        steps = WHILE["uniform, learned step"](self.bits)
        model, codecs, cost = with_codes(start, steps, seed, targets, price=self.price, **options)
        cost["training_s"] += first["training_s"]
        return model, codecs, cost


def gru_budget(bytes_: int, recipe: PricedGRU) -> Experiment:
    def run(seed: int) -> list[dict]:
        model, codecs, cost = recipe.trained(seed)
        facts = {"budget_bytes": bytes_, "words": len(model.tokenizer)}
        return scored(
            model,
            f"GRU-{recipe.units}",
            f"codes at a price, {MADE_UP}",
            seed,
            codecs | FLOAT16,
            tune=True,
            **facts | asdict(recipe) | cost,
        )

    return Experiment(f"budgets: {bytes_}, GRU", run)


IN_64_KB = PricedGRU(
    units=64, dim=32, min_count=4, epochs_before=4, epochs_with_codes=4, price=3e-7
)

# Prices by hand: where the file fits. Labels alone cost more bits at the same price.
BUDGETS = [
    budget(1500, "hashed words", LABELS, 0.45, 3e-6, **TINY),
    budget(1500, "hashed words", "labels and ensemble", 0.32, 3e-6, **TINY),
    budget(1500, "hashed words", ENSEMBLE, 0.27, 3e-6, **TINY),
    budget(6000, "hashed pairs", LABELS, 0.16, 4e-6, **SMALL),
    budget(6000, "hashed pairs", "labels and ensemble", 0.053, 4e-6, **SMALL),
    budget(6000, "hashed pairs", ENSEMBLE, 0.022, 4e-6, **SMALL),
    budget(1500, "hashed words", MADE_UP, 0.8, 3e-6, sets=2, **TINY),
    budget(6000, "hashed pairs", MADE_UP, 0.05, 4e-6, sets=2, **SMALL),
    gru_budget(64_000, IN_64_KB),
]
