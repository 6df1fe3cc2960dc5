"""What unit 01 measures of its models: other word vectors in pairs, more layers, a noisy run."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from course.errors import UserError
from course.measuring import results
from course.writing.units import find_unit
from utils.metrics import paired_difference
from utils.models import MeanVectorNetwork


@pytest.fixture(scope="module")
def unit():
    experiments = results._load_experiments(find_unit("efficiency"))
    name = "course_experiments_efficiency"
    modules = {m: sys.modules[f"{name}.{m}"] for m in ("layers", "noise")}
    return SimpleNamespace(experiments=experiments, **modules)


LABELS = np.random.default_rng(0).integers(0, 2, (60, 2))
SAID = {"GloVe": LABELS ^ (np.arange(60) % 3 == 0)[:, None], "distilled": LABELS, "GRU": 1 - LABELS}


@pytest.fixture
def vectors(unit, monkeypatch):
    """Models are their names here, and say of test what :data:`SAID` has."""
    asked = []

    def trained_once(train, *, vectors, build, embedding_lr, seed):
        asked.append((vectors.partition(",")[0], embedding_lr, seed))
        return vectors.partition(",")[0], {"training_s": 1.0}

    for name, value in {
        "trained_once": trained_once,
        "trained": lambda method, setting, seed: asked.append((setting, seed)) or ("GRU", {}),
        "scored": lambda *args, **cost: [{"split": "dev"} | cost, {"split": "test"} | cost],
        "_said": lambda model, name: SAID[model],
        "data": lambda split: SimpleNamespace(labels=LABELS),
    }.items():
        monkeypatch.setattr(unit.experiments, name, value)
    return SimpleNamespace(unit=unit.experiments, asked=asked)


@pytest.mark.parametrize("rate", [1e-3, 0.0])
def test_glove_is_compared_with_the_same_seeds_network_on_distilled_vectors(vectors, rate):
    run = vectors.unit._with_vectors(vectors.unit.MODEL_1, vectors.unit.GLOVE, rate)
    dev, test = run(3)
    assert vectors.asked == [("GloVe", rate, 3), ("distilled", rate, 3)]
    difference, low, high = paired_difference(LABELS, SAID["GloVe"], SAID["distilled"])
    assert difference < 0 and test["difference_to_distilled"] == difference
    assert (test["difference_to_distilled_low"], test["difference_to_distilled_high"]) == (
        low,
        high,
    )
    assert not [field for field in dev if field.startswith("difference")]


def test_the_gru_is_compared_with_the_baseline_of_the_same_seed(vectors):
    run = vectors.unit._with_vectors(vectors.unit.MODEL_2, vectors.unit.GLOVE, 1e-4)
    assert run(4)[1]["difference_to_distilled"] > 0
    assert vectors.asked == [("GloVe", 1e-4, 4), (vectors.unit.MODEL_2[1], 4)]


def test_distilled_vectors_are_not_compared_with_themselves(vectors):
    run = vectors.unit._with_vectors(vectors.unit.MODEL_1, vectors.unit.DISTILLED, 1e-3)
    assert all(set(record) == {"split", "training_s"} for record in run(0))


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


class Model:
    """Takes no time; keeps the texts that it was asked for."""

    def __init__(self, fails=None):
        self.fails, self.texts = fails, []

    def predict_proba(self, texts):
        self.texts += texts
        if len(self.texts) == self.fails:
            raise ArithmeticError


@pytest.fixture
def noisy(unit, monkeypatch):
    """Runs ``noise`` on a model; binds nothing, but keeps the cores at the start of the neighbour."""
    bound, neighbours = [{2, 5, 7}], []

    def popen(command):
        neighbours.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]))
        neighbours[-1].cores = bound[-1]
        return neighbours[-1]

    def run(model):
        monkeypatch.setattr(unit.noise, "load_model", lambda path: model)
        return unit.noise.noise(0)

    fakes = {
        "os": SimpleNamespace(
            sched_getaffinity=lambda pid: bound[-1],
            sched_setaffinity=lambda pid, cores: bound.append(cores),
        ),
        "subprocess": SimpleNamespace(Popen=popen),
        "time": SimpleNamespace(sleep=id, perf_counter=iter(CLOCK).__next__),
    }
    for name, fake in fakes.items():
        monkeypatch.setattr(unit.noise, name, fake)
    yield SimpleNamespace(run=run, neighbours=neighbours)
    assert bound == [{2, 5, 7}, {2}, {2, 5, 7}]
    assert [(one.cores, one.returncode is not None) for one in neighbours] == [({2}, True)]


CLOCK = np.cumsum([[1, 0.001 * (call + 1)] for call in range(2000)])


def test_a_noisy_run_shares_one_core_with_its_neighbour_and_leaves_out_the_first_calls(noisy):
    (record,) = noisy.run(model := Model())
    assert record["latencies_ms"] == list(range(21, len(model.texts) + 1))
    assert (
        record["latency_ms_p50"] == np.median(record["latencies_ms"]) == record["latency_ms_mean"]
    )
    assert record["latency_ms_p99"] == np.percentile(record["latencies_ms"], 99)


def test_when_the_model_fails_the_neighbour_ends_too(noisy):
    with pytest.raises(ArithmeticError):
        noisy.run(Model(fails=3))


def test_where_no_process_can_be_bound_to_a_core_a_sentence_says_so(unit, monkeypatch):
    monkeypatch.setattr(unit.noise, "os", SimpleNamespace())
    with pytest.raises(UserError, match="measure it on Linux"):
        unit.noise.noise(0)
