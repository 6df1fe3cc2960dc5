"""What unit 01 measures of its models: copies of train in test, differences in pairs, more layers."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from course.measuring import results
from course.writing.units import find_unit
from utils.models import MeanVectorNetwork


@pytest.fixture(scope="module")
def unit():
    results._load_experiments(find_unit("efficiency"))
    name = "course_experiments_efficiency"
    return SimpleNamespace(**{m: sys.modules[f"{name}.{m}"] for m in ("comparing", "layers")})


SPLITS = {
    "train": (["Thank you!", "so so", "I see"], [[1, 0], [0, 1], [1, 1]]),
    "dev": (["new"], [[1, 0]]),
    "test": (
        ["Thank you!", "thank  YOU!", "so so", "never seen"],
        [[1, 0], [1, 0], [1, 0], [0, 1]],
    ),
}


class Comments(SimpleNamespace):
    def __len__(self):
        return len(self.texts)


@pytest.fixture
def comparing(unit, monkeypatch):
    data = {
        split: Comments(texts=texts, labels=np.array(labels), label_names=["joy", "anger"])
        for split, (texts, labels) in SPLITS.items()
    }
    monkeypatch.setattr(unit.comparing, "data", data.get)
    return unit.comparing


def test_copies_are_verbatim_or_of_the_same_words(comparing):
    assert comparing.in_train("test").tolist() == [True, False, True, False]
    assert comparing.in_train("test", exactly=False).tolist() == [True, True, True, False]
    assert comparing.in_train("train").all() and not comparing.in_train("dev").any()


@pytest.fixture
def said(comparing, monkeypatch):
    """The shipped files say: the first all wrong, the second all right, the third only joy right."""
    labels = np.array(SPLITS["test"][1])
    only_joy = np.column_stack([labels[:, 0], 1 - labels[:, 1]])
    answers = dict(zip(comparing.FILES.values(), (1 - labels, labels, only_joy), strict=True))
    monkeypatch.setattr(comparing, "_probabilities", lambda file: (answers[file], np.full(2, 0.5)))
    monkeypatch.setattr(comparing, "size_report", lambda path: {"file_bytes": len(path.name)})


def test_scores_without_copies_leave_out_these_comments_alone(comparing, said):
    records = comparing.duplicates(0)
    assert [r["comments"] for r in records] == [4, 2, 1] * 3
    counts = {
        (r["copies"], r["copies_with_the_labels_of_train"], r["copies_in_dev"]) for r in records
    }
    assert counts == {(2, 1, 0)}  # "so so" has another label in train
    scores = [round(r["macro_f1"], 6) for r in records]
    # Alone, "never seen" has no joy: F1 of a label without hits is 0.
    assert scores == [0, 0, 0, 1, 1, 0.5, 0.5, 0.5, 0]


def test_differences_are_the_second_minus_the_first_and_sure_when_all_comments_agree(
    comparing, said
):
    records = comparing.paired(0)
    names = [method for method, _ in comparing.FILES]
    assert [(r["other"], r["method"]) for r in records] == [
        (names[0], names[1]), (names[0], names[2]), (names[1], names[2]),
    ]  # fmt: skip
    assert [r["difference"] for r in records] == [1, 0.5, -0.5]
    for r in records:
        assert r["difference_low"] <= r["difference"] <= r["difference_high"]
        assert (r["difference_low"] > 0) is (r["difference"] > 0)


def test_one_layer_is_model_1(unit):
    torch.manual_seed(0)
    model_1 = MeanVectorNetwork(20, dim=6, hidden=5, labels=3).eval()
    deep = unit.layers.DeepMeanVectorNetwork(20, dim=6, width=5, layers=1, labels=3).eval()
    states = {name.replace("hidden.", "hidden.0."): t for name, t in model_1.state_dict().items()}
    deep.load_state_dict(states)
    ids = torch.tensor([[3, 4, 0], [5, 6, 7], [0, 0, 0]])
    assert torch.equal(deep(ids), model_1(ids))


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_each_layer_reads_the_one_before_and_padding_changes_nothing(unit, layers):
    torch.manual_seed(0)
    network = unit.layers.DeepMeanVectorNetwork(20, 6, width=8, layers=layers, labels=3).eval()
    assert [tuple(layer.weight.shape) for layer in network.hidden] == [
        (8, 6),
        *[(8, 8)] * (layers - 1),
    ]
    short, padded = torch.tensor([[5, 7]]), torch.tensor([[5, 7, 0, 0]])
    assert torch.allclose(network(short), network(padded), atol=1e-6)
    before = network(short)
    for layer in network.hidden:  # none is left out
        bias = layer.bias.detach().clone()
        with torch.no_grad():
            layer.bias += 1
        assert not torch.allclose(network(short), before)
        with torch.no_grad():
            layer.bias.copy_(bias)
