"""Networks of unit 08 with codes: rounded after training, or trained while they are rounded."""

import copy
from collections.abc import Callable

import numpy as np
from torch.nn.functional import binary_cross_entropy_with_logits

from course.measuring.cache import trained_once
from course.measuring.training import train_network
from utils.models import NeuralClassifier
from utils.pruning import PenalizedLoss
from utils.quantization import (
    AffineQuantizer,
    KMeansQuantizer,
    PowersOfTwoQuantizer,
    QuantizationAware,
    Quantizer,
    TernaryQuantizer,
)
from utils.quantization.aware import (
    AdditivePowers,
    FakeQuantizer,
    LearnedClip,
    LearnedStep,
    SharedWeights,
)

from .recipe import AGAIN, Heard, train_gru

Grid = Quantizer | FakeQuantizer
# All files hold entropy-coded codes, so that no grid is handicapped by how it is stored. But of two
# bits over the whole range nearly all codes are 0, and no file may hold so many in so few bytes.
CODED = {"entropy_coding": True}


def _whole_range(bits: int) -> dict[str, bool]:
    return {"entropy_coding": bits > 2}


AFTER: dict[str, Callable[[int], Quantizer]] = {
    "uniform, min to max": lambda bits: AffineQuantizer(bits, **_whole_range(bits)),
    "uniform, least error": lambda bits: AffineQuantizer(bits, calibration="mse", **CODED),
    "APoT, least error": lambda bits: PowersOfTwoQuantizer(bits, centre=True, **CODED),
    "k-means": lambda bits: KMeansQuantizer(bits, **CODED),
    "ternary": lambda bits: TernaryQuantizer(**CODED),
}
WHILE: dict[str, Callable[[int], Grid]] = AFTER | {
    "uniform, learned step": lambda bits: LearnedStep(bits, **CODED),
    "uniform, learned range": lambda bits: LearnedClip(bits, **_whole_range(bits)),
    "APoT, learned range": lambda bits: AdditivePowers(bits, **CODED),
    "shared values": lambda bits: SharedWeights(bits, **CODED),
}
# Of a grid whose range is learned, the one whose range is found anew from time to time.
FIXED = {
    "uniform, learned step": "uniform, least error",
    "uniform, learned range": "uniform, least error",
    "APoT, learned range": "APoT, least error",
}


def gru(units: int, hear: Heard, seed: int) -> tuple[NeuralClassifier, dict]:
    """A student or a teacher in float32, trained once."""
    return trained_once(train_gru, units=units, hear=hear, seed=seed)


def rounded(start: NeuralClassifier, grid: Quantizer) -> dict[str, Quantizer]:
    """Codecs of a network that is quantized after its training, fitted to its weights."""
    return {
        f"network.{name}": copy.deepcopy(grid).fit(weight.detach())
        for name, weight in start.network.named_parameters()
        if "weight" in name
    }


def further(start: NeuralClassifier, seed: int, **options) -> tuple[NeuralClassifier, dict]:
    """A copy of a network, trained as long as those with codes, and without any."""
    network = copy.deepcopy(start.network)
    options = AGAIN | options
    return train_network(network, start.tokenizer, seed, length=start.length, **options)


def with_codes(
    start: NeuralClassifier,
    grid: Grid,
    seed: int,
    targets: np.ndarray,
    *,
    loss: Callable = binary_cross_entropy_with_logits,
    price: float = 0.0,
    **options,
) -> tuple[NeuralClassifier, dict[str, Quantizer], dict]:
    """A copy of a network, trained further with the codes of one grid in all its matrices.

    ``price`` is what a byte of the codes costs in the loss. Returns the network with the values of its
    codes, the codecs that trained, and what training cost.
    """
    aware = QuantizationAware(copy.deepcopy(start.network), {"*weight*": grid})
    if price:
        loss = PenalizedLoss(loss, aware.rate, price)
    options = AGAIN | options | {"targets": targets, "loss": loss}
    model, cost = train_network(aware, start.tokenizer, seed, length=start.length, **options)
    model.network = aware.quantized()
    return model, aware.codecs, cost
