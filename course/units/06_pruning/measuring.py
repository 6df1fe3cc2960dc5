"""Unit 06's records: a network of which weights are gone, as its file holds it, beside the control."""

from functools import cache

import numpy as np
from scipy.special import expit
from torch import nn

from course.measuring.baselines import file_path
from course.measuring.cache import trained_once
from course.measuring.pairs import difference_to, scores
from course.measuring.training import TAXONOMY, data
from utils.codecs import Sparse
from utils.metrics import tune_thresholds
from utils.models import NeuralClassifier, predict_logits
from utils.packing import load_model, save_model, size_report
from utils.pruning import matrices, sparsity_of
from utils.quantization import AffineQuantizer

from .recipe import train_early, train_further, train_parent, vocabulary

DRAWS = 300  # of comments, for intervals
SPARSITIES = (0.5, 0.8, 0.9, 0.95, 0.98)
# Word vectors in 8 bits and the rest in half precision, as unit 01 ships its networks, or all in
# float32; non-zeros in the same way, with where they stand.
DENSE = {"vocabulary": "words", "network.embedding.weight": "int8", "network.*": "float16"}
SPARSE = {
    "vocabulary": "words",
    "network.embedding.weight": Sparse(AffineQuantizer(8)),
    "network.*weight*": Sparse("float16"),
    "network.*": "float16",
}
DENSE_FLOAT32 = {"vocabulary": "words"}
SPARSE_FLOAT32 = {"vocabulary": "words", "network.*weight*": Sparse("raw")}


def numbers(model: NeuralClassifier) -> dict[str, np.ndarray]:
    """A network's state as arrays, for what is kept by them."""
    return {name: tensor.numpy() for name, tensor in model.network.state_dict().items()}


def early(model: str, seed: int, **sizes) -> tuple[NeuralClassifier, dict]:
    return trained_once(train_early, model=model, seed=seed, **sizes)


def parent(model: str, seed: int, **sizes) -> tuple[NeuralClassifier, dict]:
    state = numbers(early(model, seed, **{k: v for k, v in sizes.items() if k != "epochs"})[0])
    return trained_once(train_parent, model=model, seed=seed, state=state, **sizes)


def control(model: str, seed: int) -> tuple[NeuralClassifier, dict]:
    state = numbers(parent(model, seed)[0])
    return trained_once(train_further, model=model, seed=seed, state=state)


@cache
def encoded(split: str, length: int) -> np.ndarray:
    """A split as all the networks read it: they share their words."""
    return vocabulary().encode(data(split).texts, length)


def probabilities(model: NeuralClassifier) -> dict[str, np.ndarray]:
    return {
        split: expit(predict_logits(model.network, encoded(split, model.length)))
        for split in ("dev", "test")
    }


class Judge:
    """Scores what is left of a model of one seed, beside its control.

    Parameters
    ----------
    model : of ``recipe.MODELS``
    """

    def __init__(self, model: str, seed: int):
        self.model, self.seed = model, seed
        self.like, _ = control(model, seed)
        self.beside(self.like.network)

    def beside(self, network: nn.Module) -> None:
        """Make a network the control that others are compared with."""
        said = probabilities(self._classifier(network))
        thresholds = tune_thresholds(data("dev").labels, said["dev"])
        self.control = said["test"] >= thresholds

    def _classifier(self, network: nn.Module) -> NeuralClassifier:
        names = self.like.label_names
        return NeuralClassifier(network, vocabulary(), TAXONOMY, names, length=self.like.length)

    def records(
        self,
        network: nn.Module,
        method: str,
        sparsity: float,
        *,
        stored: str = "8 bits",
        **facts,
    ) -> list[dict]:
        """Records of dev and test, of the model that was saved and loaded back.

        Fields: ``model``; ``sparsity``, that was asked for; ``sparsity_in_file``, the share of zeros
        among all numbers of the network that its file gives back, the biases too; ``pruned``, the
        tensors of which weights may go, and ``sparsity_of_layers``, the share of zeros in each;
        ``float32_file_bytes``, of the same network in float32; of networks that were trained after they
        were pruned, on test, also ``difference_to_control``, ``_low`` and ``_high``, of macro-F1 on the
        same comments. At sparsity 0 files are dense ones.
        """
        setting = f"{self.model}, {sparsity:.0%}, {stored}"
        model = self._classifier(network)
        path = file_path(method, setting, self.seed)
        small, full = (SPARSE, SPARSE_FLOAT32) if sparsity else (DENSE, DENSE_FLOAT32)
        codecs = full if stored == "float32" else small
        float32 = save_model(model, path, full)
        save_model(model, path, codecs)
        loaded = load_model(path)
        said = probabilities(loaded)
        model.thresholds = tune_thresholds(data("dev").labels, said["dev"]).astype(np.float32)
        save_model(model, path, codecs)
        common = {
            "method": method,
            "setting": setting,
            "model": self.model,
            "seed": self.seed,
            "taxonomy": TAXONOMY,
            "sparsity": sparsity,
            "stored": stored,
            "sparsity_in_file": sparsity_of(dict(loaded.network.named_parameters())),
            "pruned": list(matrices(network)),
            "sparsity_of_layers": {
                name: sparsity_of({name: weight})
                for name, weight in matrices(loaded.network).items()
            },
            **size_report(path),
            "float32_file_bytes": float32,
            **facts,
        }
        thresholds = model.thresholds
        records = [
            common | {"split": split} | scores(data(split), one, thresholds, DRAWS)
            for split, one in said.items()
        ]
        if "epochs" in facts:
            records[1] |= difference_to(
                "control", data("test").labels, said["test"] >= thresholds, self.control, n=DRAWS
            )
        return records
