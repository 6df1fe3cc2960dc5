"""The transformer with codes: complete files of 8,000,000 bytes, of 4,500,000, and of 1,000,000.

The first goes on from a fine-tuned teacher with its 7 + 28 outputs, the others from the first. Of each
network there are two files, which differ in their outputs alone: one says Ekman's labels, the other the
28 emotions.
"""

import copy
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import numpy as np
import torch
from scipy.special import expit
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from course.errors import UserError
from course.measuring.baselines import file_path, ship
from course.measuring.pairs import difference_to, scores
from course.measuring.teachers.base import answers, for_ekman
from course.measuring.teachers.trained import transformer_network
from course.measuring.training import data
from course.threads import one_thread
from utils.distillation.teachers import COLUMNS
from utils.efficiency import count_parameters
from utils.metrics import tune_thresholds
from utils.models import NeuralClassifier, keep_pieces
from utils.packing import load_model, save_model, size_report
from utils.pruning import PrunedTransformerNetwork, head_importance, prune_transformer, sizes
from utils.quantization import AffineQuantizer, entropy

from .fine_coding import (
    MATRICES,
    MAX_TOKENS,
    TABLE,
    TAXONOMIES_HEARD,
    grid,
    heard,
    network_of,
    pieces,
)
from .fine_keeping import said, trained
from .judging import DRAWS

METHOD = "MiniLM"
# How often a word piece must occur in train, epochs with codes, and steps in standard deviations.
WHOLE = {"min_count": 1, "epochs": 2, "step": 0.35, "table_step": 0.35}
SMALL = {"min_count": 2, "epochs": 2, "step": 0.45, "table_step": 0.7, "lr": 1.5e-4}
TINY = {"min_count": 20, "epochs": 3, "step": 0.9, "table_step": 1.0, "lr": 3e-4}
# Which layers stay, and of these together so many heads and columns.
SMALL_SHAPE = {"layers": 6 * [True], "heads": 44, "columns": 5_600}
TINY_SHAPE = {"layers": 3 * [True, False], "heads": 14, "columns": 1_536}
ASKED = 600  # comments of train that importance is asked of
HALF = {"thresholds": "raw", "network.*": "float16"}
SHIPPED = "transformer-in-4500000-bytes.slm"
FINE_TUNED, SMALL_WITH_CODES = "fine-tuned", "small, with codes"
TINY_WITH_CODES = "three layers, with codes"


# --- networks -----------------------------------------------------------------------------------------


@cache
def whole(seed: int, min_count: int) -> PrunedTransformerNetwork:
    """The fine-tuned transformer, with the word pieces of train and the places that they need."""
    one_thread()
    network = transformer_network(seed)
    return prune_transformer(keep_pieces(network.eval(), pieces(min_count)[1], MAX_TOKENS))


def coded(seed: int) -> tuple[PrunedTransformerNetwork, dict]:
    """The whole one, trained on with codes."""
    return trained(whole(seed, WHOLE["min_count"]), seed=seed, **WHOLE)


def cut(
    seed: int, min_count: int, layers: list[bool], heads: int, columns: int
) -> PrunedTransformerNetwork:
    """Some layers of :func:`coded`, of these the most important heads and feed-forward columns, and
    fewer word pieces.

    The table of these is the fine-tuned one's: it is rounded once, by the steps of the network to come.
    """
    start = whole(seed, min_count)
    state = dict(coded(seed)[0].state_dict()) | {TABLE: start.state_dict()[TABLE]}
    network = network_of(start.config, {name: tensor.numpy() for name, tensor in state.items()})
    network = prune_transformer(network, layers=layers)
    rows = np.random.default_rng(seed).permutation(len(data("train").texts))[:ASKED]
    texts = [data("train").texts[row] for row in rows]
    ids = pieces(min_count)[0].encode(texts, MAX_TOKENS)
    found = head_importance(network, ids, heard()[rows], cross_entropy)
    # Each layer's scaled to length 1, as Michel et al. (2019) do.
    of_heads, of_columns = ([each / each.norm() for each in kind] for kind in found)
    return prune_transformer(
        network, heads=_largest(of_heads, heads), columns=_largest(of_columns, columns)
    )


def _largest(scores: list[torch.Tensor], count: int) -> list[torch.Tensor]:
    """Of each layer a mask of those that are among so many largest of all layers."""
    flat = torch.cat(scores)
    kept = torch.zeros(len(flat), dtype=torch.bool)
    kept[flat.argsort(descending=True, stable=True)[:count]] = True
    return list(kept.split([len(each) for each in scores]))


def matrices(network: nn.Module) -> Iterator[str]:
    """Names of all parameters that have codes, the table of word pieces among them."""
    for name, _ in network.named_parameters():
        if name == TABLE or any(fnmatchcase(name, pattern) for pattern in MATRICES):
            yield name


def codecs_of(scales: Mapping[str, float], settings: Mapping) -> dict[str, AffineQuantizer]:
    """The grids of these scales, by the names of parameters."""
    codecs = {}
    for name, scale in scales.items():
        codecs[name] = grid(settings["table_step" if name == TABLE else "step"])
        codecs[name].scale_ = np.array([scale], np.float32)
    return codecs


def rounded(network: nn.Module, settings: Mapping) -> dict[str, AffineQuantizer]:
    """Grids of a network that is quantized after its training, by the names of parameters."""
    steps = {n: settings["table_step" if n == TABLE else "step"] for n in matrices(network)}
    return {
        name: grid(step).fit(network.get_parameter(name).detach()) for name, step in steps.items()
    }


# --- scores -------------------------------------------------------------------------------------------


@torch.no_grad()
def as_stored(network: nn.Module, codecs: Mapping[str, AffineQuantizer]) -> nn.Module:
    """A copy with what its file will hold: values of codes, and half precision."""
    stored = copy.deepcopy(network).eval()
    for name, parameter in stored.named_parameters():
        if name in codecs:
            codec = codecs[name]
            parameter.copy_(codec.inverse_transform(codec.transform(parameter.detach())))
        else:
            parameter.copy_(parameter.half().float())
    return stored


def speaking(network: PrunedTransformerNetwork, taxonomy: str) -> nn.Module:
    """A network of 7 + 28 outputs as one of a taxonomy's labels, as the teachers speak."""
    if taxonomy == "ekman":
        return for_ekman(network)
    config, state = dict(network.config), dict(network.state_dict())
    for name in ("output.weight", "output.bias"):
        state[name] = state[name][COLUMNS[taxonomy]]
    return network_of(
        config | {"labels": len(state["output.bias"])}, {k: v.numpy() for k, v in state.items()}
    )


class Run:
    """What has been measured of one seed: records, and what each file decides on test."""

    def __init__(self, seed: int):
        self.seed, self.records = seed, []
        self.decided: dict[tuple[str, str], np.ndarray] = {}

    def enter(
        self,
        network: PrunedTransformerNetwork,
        setting: str,
        min_count: int,
        codecs: Mapping[str, AffineQuantizer] | None = None,
        against: Mapping[str, str] | None = None,
        **facts,
    ) -> None:
        """Records of dev and test, in both taxonomies, of the files that are written.

        Thresholds are tuned on dev with the weights as the files hold them. Without codecs all is in
        half precision. On test there are paired differences to each of ``against``, a name and the
        setting of a network that was entered before.
        """
        codecs, tokenizer = codecs or {}, pieces(min_count)[0]
        stored = as_stored(network, codecs)
        facts |= {
            "min_count": min_count,
            "pieces": stored.config["encoder"]["vocab_size"],
            **_counts(stored),
        }
        if codecs:
            codes = {n: c.transform(stored.get_parameter(n).detach()) for n, c in codecs.items()}
            bits = sum(entropy(each.numpy()) * each.numel() for each in codes.values())
            facts["bits_a_weight"] = bits / sum(each.numel() for each in codes.values())
        heard_of = {split: answers(logits) for split, logits in said(stored, min_count).items()}
        for taxonomy in TAXONOMIES_HEARD:
            logits = {split: each[:, COLUMNS[taxonomy]] for split, each in heard_of.items()}
            self._enter(stored, setting, taxonomy, tokenizer, codecs, logits, against or {}, facts)

    def _enter(self, stored, setting, taxonomy, tokenizer, codecs, logits, against, facts) -> None:
        probabilities = {split: expit(each) for split, each in logits.items()}
        dev = data("dev", taxonomy)
        thresholds = tune_thresholds(dev.labels, probabilities["dev"]).astype(np.float32)
        model = NeuralClassifier(
            speaking(stored, taxonomy),
            tokenizer,
            taxonomy,
            dev.label_names,
            thresholds,
            length=MAX_TOKENS,
        )
        path = file_path(METHOD, f"{setting}, {taxonomy}", self.seed)
        save_model(model, path, {f"network.{n}": c for n, c in codecs.items()} | HALF)
        _check(path, model)
        common = {
            "method": METHOD,
            "setting": f"{setting}, {taxonomy}",
            "network": setting,
            "seed": self.seed,
            "taxonomy": taxonomy,
            **facts,
            **size_report(path),
        }
        for split, values in probabilities.items():
            comments, predicted = data(split, taxonomy), values >= thresholds
            found = scores(comments, values, thresholds, DRAWS)
            record = common | {"split": split} | found
            if split == "test":
                self.decided[setting, taxonomy] = predicted
                for name, other in against.items():
                    control = self.decided[other, taxonomy]
                    record |= difference_to(name, comments.labels, predicted, control, n=DRAWS)
            self.records.append(record)


def _counts(network: nn.Module) -> dict:
    heads, columns = sizes(network)
    return {
        "layers": len(heads),
        "heads": sum(heads),
        "columns": sum(columns),
        "parameters": count_parameters(network),
    }


def _check(path: Path, model: NeuralClassifier) -> None:
    """See that a file holds the model that was scored."""
    found = load_model(path)
    theirs = found.network.state_dict()
    same = found.network.config == model.network.config and all(
        torch.equal(tensor, theirs[name]) for name, tensor in model.network.state_dict().items()
    )
    if not same or not np.array_equal(found.thresholds, model.thresholds):
        raise UserError(f"{path} does not hold the model that was scored; measure it again.")


# --- what is measured ---------------------------------------------------------------------------------


def transformer(seed: int) -> list[dict]:
    """As fine-tuned, that rounded, and three shapes with codes.

    ``when`` is "never", "after" or "with". Records of test have paired differences to the fine-tuned
    transformer in half precision (``difference_to_fine_tuned``), with codes also to that rounded by the
    steps of the whole one (``difference_to_after``), and of the smaller ones to the whole.
    """
    run, start = Run(seed), whole(seed, WHOLE["min_count"])
    whole_name, after = "whole, with codes", f"{FINE_TUNED}, rounded"
    run.enter(start, FINE_TUNED, WHOLE["min_count"], shape="whole", when="never")
    against, facts = {"fine_tuned": FINE_TUNED}, {"shape": "whole", **_of(WHOLE)}
    run.enter(start, after, codecs=rounded(start, WHOLE), against=against, when="after", **facts)
    network, cost = coded(seed)
    codecs, against = codecs_of(cost["scales"], WHOLE), against | {"after": after}
    facts |= {"when": "with", "epochs": WHOLE["epochs"], "training_s": cost["training_s"]}
    run.enter(network, whole_name, codecs=codecs, against=against, **facts)
    against |= {"whole": whole_name}
    for name, settings, shape in (
        (SMALL_WITH_CODES, SMALL, SMALL_SHAPE),
        (TINY_WITH_CODES, TINY, TINY_SHAPE),
    ):
        start = cut(seed, settings["min_count"], **shape)
        network, cost = trained(start, seed=seed, **settings)
        codecs = codecs_of(cost["scales"], settings)
        facts |= {"shape": name.split(",")[0], "epochs": settings["epochs"], **_of(settings)}
        facts["training_s"] = cost["training_s"]
        run.enter(network, name, codecs=codecs, against=against, **facts)
    return run.records


def _of(settings: Mapping) -> dict:
    return {name: settings[name] for name in ("min_count", "step", "table_step")}


def ship_transformer(records: list[dict]) -> None:
    """Ship the small one with codes, of the seed that is best on dev."""
    small = [r for r in records if r["setting"] == f"{SMALL_WITH_CODES}, ekman"]
    if small:
        best = max((r for r in small if r["split"] == "dev"), key=lambda r: r["macro_f1"])
        ship(best, SHIPPED)
