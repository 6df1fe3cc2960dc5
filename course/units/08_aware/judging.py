"""Unit 08's records: a network as its file holds it, with the pairs that it is compared in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from scipy.special import expit

from course.measuring.baselines import file_path
from course.measuring.pairs import difference_to, scores
from course.measuring.training import TAXONOMY, data
from utils.data import Vocabulary
from utils.metrics import tune_thresholds
from utils.models import NeuralClassifier, predict_logits
from utils.packing import load_model, save_model, size_report
from utils.quantization import Quantizer, entropy

DRAWS = 300  # of comments, for intervals
EXACT = "float32"
FLOAT32 = {"vocabulary": "words"}
FLOAT16 = FLOAT32 | {"thresholds": "float16", "network.*": "float16"}


@cache
def _encoded(words: tuple[str, ...], split: str, length: int) -> np.ndarray:
    return Vocabulary(words).encode(data(split).texts, length)


def on(model: NeuralClassifier, targets: np.ndarray) -> tuple[tuple, tuple]:
    """Train with these targets, and dev, as ``fit`` takes them."""
    words = tuple(model.tokenizer.words)
    train, dev = (_encoded(words, split, model.length) for split in ("train", "dev"))
    return (train, targets), (dev, data("dev").labels)


def _probabilities(model: NeuralClassifier, split: str) -> np.ndarray:
    ids = _encoded(tuple(model.tokenizer.words), split, model.length)
    return expit(predict_logits(model.network, ids))


@dataclass
class Judge:
    """What has been measured of one seed: records, and what each file decides on test."""

    method: str
    seed: int
    records: list[dict] = field(default_factory=list)
    said: dict[str, np.ndarray] = field(default_factory=dict)

    def enter(
        self,
        model: NeuralClassifier,
        setting: str,
        codecs: Mapping,
        against: Mapping[str, str] | None = None,
        **facts,
    ) -> None:
        """Records of dev and test of a model that was saved and loaded back.

        Thresholds are tuned on dev with the weights as codecs left them. On test there is a paired
        difference to each of ``against``, a name and the setting of a file that was judged before.
        """
        path = file_path(self.method, setting, self.seed)
        save_model(model, path, codecs)
        said = _probabilities(load_model(path), "dev")
        thresholds = tune_thresholds(data("dev").labels, said)
        tuned = NeuralClassifier(
            model.network,
            model.tokenizer,
            TAXONOMY,
            model.label_names,
            thresholds,
            length=model.length,
        )
        save_model(tuned, path, codecs)
        common = {"method": self.method, "setting": setting, "seed": self.seed}
        common |= {"taxonomy": TAXONOMY} | size_report(path) | facts
        loaded = load_model(path)
        for split in ("dev", "test"):
            said = _probabilities(loaded, split)
            found = scores(data(split), said, loaded.thresholds, DRAWS)
            self.records.append(common | {"split": split} | found)
        self.said[setting] = said >= loaded.thresholds
        for name, other in (against or {}).items():
            labels, control = data("test").labels, self.said[other]
            self.records[-1] |= difference_to(name, labels, self.said[setting], control, n=DRAWS)

    def enter_codes(
        self,
        model: NeuralClassifier,
        setting: str,
        codecs: Mapping[str, Quantizer],
        against: Mapping[str, str] | None = None,
        **facts,
    ) -> None:
        """The same, of a network whose matrices are stored by these quantizers.

        What is no matrix is in half precision. A record says the entropy of the codes, in bits a weight.
        """
        state = {f"network.{name}": t.numpy() for name, t in model.network.state_dict().items()}
        codes = [codec.transform(state[name]) for name, codec in codecs.items()]
        total = sum(each.size for each in codes)
        facts["bits_a_weight"] = sum(entropy(each) * each.size for each in codes) / total
        self.enter(model, setting, {**codecs, **FLOAT16}, against, **facts)

    def best_within(self, budget: int, kind: str) -> dict | None:
        """The record on test of the file of a kind that is best on dev and fits; None if none does."""
        fits = [r for r in self.records if r["kind"] == kind and r["file_bytes"] <= budget]
        best = max((r for r in fits if r["split"] == "dev"), key=_macro_f1, default=None)
        tests = (
            r for r in fits if best and r["split"] == "test" and r["setting"] == best["setting"]
        )
        return next(tests, None)


def _macro_f1(record: dict) -> float:
    return record["macro_f1"]
