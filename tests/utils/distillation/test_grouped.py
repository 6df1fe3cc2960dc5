import numpy as np
import pytest
import torch
from scipy.special import expit, logit
from torch import nn

from utils.data import Vocabulary
from utils.distillation import GroupedLinear, grouped_logits, replace_layers
from utils.models import GRUNetwork, NeuralClassifier
from utils.packing import load_model, save_model

# Two groups: members 0 and 2, and member 1 by itself.
GROUPS = [[0, 2], [1]]


def test_a_group_is_the_mean_of_its_own_answer_and_of_the_union_of_its_members():
    p = np.array([[0.4, 0.1, 0.5, 0.3, 0.2]])
    grouped = expit(grouped_logits(torch.from_numpy(logit(p)), GROUPS).numpy())
    # By hand: (0.4 + 1 - 0.5 * 0.8) / 2 = 0.5, and (0.1 + 0.3) / 2 = 0.2.
    np.testing.assert_allclose(grouped, [[0.5, 0.2, 0.5, 0.3, 0.2]], rtol=1e-6)


def test_members_that_say_the_same_as_the_group_leave_it_alone():
    rng = np.random.default_rng(0)
    members = rng.normal(scale=3, size=(50, 3))
    p = expit(members)
    union = logit(np.stack([1 - (1 - p[:, 0]) * (1 - p[:, 2]), p[:, 1]], axis=1))
    z = torch.from_numpy(np.hstack([union, members]))
    np.testing.assert_allclose(grouped_logits(z, GROUPS).numpy(), z.numpy(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("size", [30.0, 200.0, 1e4])
def test_no_logit_is_too_large(size):
    z = torch.tensor([[s * size for s in signs] for signs in np.ndindex(3, 3, 3)]) - size
    z = torch.cat([z, z[:, :2]], dim=1)
    assert torch.isfinite(grouped_logits(z, GROUPS)).all()
    # All agree that the answer is no, or yes: so does the group.
    same = grouped_logits(torch.tensor([[-size] * 5, [size] * 5]), GROUPS)
    assert (same[0] < -15).all() and (same[1] > 15).all()


def test_too_few_columns_are_an_error():
    with pytest.raises(ValueError, match="need 5 columns, got 4"):
        grouped_logits(torch.zeros(2, 4), GROUPS)


def test_the_layer_has_the_weights_of_the_linear_one_and_gives_groups_alone():
    torch.manual_seed(0)
    layer, x = nn.Linear(4, 5), torch.randn(3, 4)
    grouped = GroupedLinear.from_linear(layer, GROUPS)
    assert grouped(x).shape == (3, 2)
    torch.testing.assert_close(grouped(x), grouped_logits(layer(x), GROUPS)[:, :2])


def test_a_network_with_grouped_outputs_survives_its_file(tmp_path):
    torch.manual_seed(0)
    network = GRUNetwork(20, 4, units=3, labels=5)
    grouped = replace_layers(network, {"output": GroupedLinear.from_linear(network.output, GROUPS)})
    assert grouped.config["labels"] == 2 and network.config["labels"] == 5

    vocabulary = Vocabulary([f"word{i}" for i in range(18)])
    model = NeuralClassifier(grouped, vocabulary, "ekman", ["a", "b"])
    texts = ["word1 word2 word17", "word3"]
    save_model(model, tmp_path / "grouped.slm")
    loaded = load_model(tmp_path / "grouped.slm")
    np.testing.assert_allclose(loaded.predict_proba(texts), model.predict_proba(texts), atol=1e-6)
    assert loaded.predict_proba(texts).shape == (2, 2)
