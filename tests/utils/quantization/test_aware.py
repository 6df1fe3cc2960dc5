import numpy as np
import pytest
import torch
from torch import nn

from utils.models import GRUNetwork, MeanVectorNetwork, predict_logits
from utils.quantization import AffineQuantizer, KMeansQuantizer, QuantizationAware
from utils.training import fit, set_seed


class Product(nn.Module):
    """One weight for each input, so that gradients can be followed by hand."""

    config = {"labels": 1}

    def __init__(self, weights):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weights))

    def forward(self, x):
        return x @ self.weight


def test_it_computes_with_the_codes_and_hands_the_gradient_through():
    network = Product([0.0, 0.1, 1.0, 1.2])
    aware = QuantizationAware(network, {"weight": KMeansQuantizer(1)})
    x = torch.tensor([[1.0, 10, 100, 1000]])
    # Two shared values: the means of (0, 0.1) and of (1, 1.2).
    result = aware(x)
    torch.testing.assert_close(result, torch.tensor([0.05 * 11 + 1.1 * 1100]))
    (result**2).sum().backward()
    torch.testing.assert_close(network.weight.grad, 2 * result.detach() * x[0])
    # What is learned are the float32 weights, and they are as they were.
    torch.testing.assert_close(network.weight.data, torch.tensor([0.0, 0.1, 1.0, 1.2]))


def test_codebooks_follow_the_weights_every_few_passes_and_before_predictions():
    network = Product([0.0, 0.0, 1.0, 1.0])
    aware = QuantizationAware(network, {"*": KMeansQuantizer(1)}, refresh=3).train()
    network.weight.data += 5
    x = torch.eye(4)
    assert aware(x).tolist() == aware(x).tolist() == [1, 1, 1, 1]  # nearest of the old values
    assert aware(x).tolist() == [5, 5, 6, 6]
    network.weight.data += 5
    aware.eval()
    assert aware(x).tolist() == [10, 10, 11, 11]


@pytest.mark.parametrize("build", [
    lambda: GRUNetwork(12, 6, units=5, labels=3, layers=2),
    lambda: MeanVectorNetwork(12, 6, hidden=5, labels=3),
])  # fmt: skip
def test_the_network_that_comes_out_says_what_was_said_in_training(build):
    torch.manual_seed(0)
    aware = QuantizationAware(
        build(), {"*weight*": KMeansQuantizer(2), "*bias*": AffineQuantizer(8)}
    )
    ids = np.random.default_rng(0).integers(1, 12, (9, 4))
    before = predict_logits(aware, ids)
    network = aware.quantized()
    np.testing.assert_allclose(predict_logits(network, ids), before, atol=1e-6)
    for name, weight in network.named_parameters():
        if "weight" in name:
            assert len(weight.unique()) <= 4
            # A codec of the same kind finds these values and no others.
            again = KMeansQuantizer(2).fit(weight.detach())
            assert torch.equal(again.inverse_transform(again.transform(weight.detach())), weight)


def test_training_wins_back_what_rounding_lost():
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 40, (600, 6))
    labels = np.stack([(ids % 7 == k).any(axis=1) for k in range(3)], axis=1).astype(float)
    on = (ids[:400], labels[:400]), (ids[400:], labels[400:])
    options = dict(batch_size=32, lr=1e-2, progress=False, patience=99)
    set_seed(0)
    network = MeanVectorNetwork(40, 8, hidden=16, labels=3)
    fit(network, *on, epochs=12, **options)
    quantizers = {"embedding.weight": KMeansQuantizer(1), "hidden.weight": KMeansQuantizer(1)}

    def loss(network):
        logits = torch.from_numpy(predict_logits(network, ids[:400]))
        return nn.functional.binary_cross_entropy_with_logits(
            logits, torch.from_numpy(labels[:400]).float()
        ).item()

    aware = QuantizationAware(network, quantizers, refresh=5)
    rounded = loss(aware)
    fit(aware, *on, epochs=12, **options)
    assert loss(aware.quantized()) < 0.7 * rounded


def test_errors_name_what_is_wrong():
    with pytest.raises(ValueError, match="no parameter is called 'bias'; there are weight"):
        QuantizationAware(Product([1.0]), {"bias": KMeansQuantizer(1)})
    with pytest.raises(ValueError, match="at least 1, got 0"):
        QuantizationAware(Product([1.0]), {"weight": KMeansQuantizer(1)}, refresh=0)
