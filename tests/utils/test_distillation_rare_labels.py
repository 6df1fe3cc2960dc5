import numpy as np
import pytest
import torch
from scipy.special import expit

from utils.distillation import WeightedLoss, label_weights, start_at_frequencies
from utils.models import MeanVectorNetwork


def test_rare_labels_count_more_and_none_for_nothing():
    labels = np.zeros((1000, 3))
    labels[:500, 0] = labels[:10, 1] = 1
    weights = label_weights(labels)
    # Entropies of shares 1/2 and 1/100, by hand; an absent label counts as one in ten thousand.
    np.testing.assert_allclose(weights[1] / weights[0], np.sqrt(np.log(2) / 0.0560015), rtol=1e-4)
    assert weights[2] > weights[1] and weights.mean() == pytest.approx(1)

    # At a logit of 0 every label's cross entropy is log 2, so one gradient beside another shows the weights.
    logits = torch.zeros(1, 3, requires_grad=True)
    loss = WeightedLoss(labels)(logits, torch.tensor([[1.0, 1.0, 0.25]]))
    assert loss.item() == pytest.approx(np.log(2))
    loss.backward()
    expected = weights * np.array([-0.5, -0.5, 0.25]) / 3
    np.testing.assert_allclose(logits.grad[0].numpy(), expected, rtol=1e-5)


def test_a_network_starts_by_saying_how_frequent_each_label_is():
    network = MeanVectorNetwork(5, 4, hidden=3, labels=2)
    start_at_frequencies(network, np.array([[1, 0], [0, 0], [0, 0], [0, 0]]))
    np.testing.assert_allclose(expit(network.output.bias.detach().numpy()), [0.25, 1e-4], rtol=1e-4)


@pytest.mark.parametrize("labels", [np.zeros((0, 3)), np.zeros(3)])
def test_labels_that_are_no_matrix_are_refused(labels):
    for use in (label_weights, WeightedLoss):
        with pytest.raises(ValueError, match=r"labels must be a matrix \(n, labels\) with n > 0"):
            use(labels)
