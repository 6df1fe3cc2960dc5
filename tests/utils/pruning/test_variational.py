import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from utils.models import GRUNetwork, MeanVectorNetwork
from utils.pruning import (
    PenalizedLoss,
    VariationalNetwork,
    dropout_rate,
    kl_divergence,
    linear_noise,
    log_alpha,
    lookup_noise,
)
from utils.training import fit, set_seed

IDS = torch.tensor([[2, 3, 4, 0], [5, 6, 7, 8]])


def integrated(log_alpha: float) -> float:
    """E log|1 + √α ε| - (log α) / 2 by quadrature: the divergence up to a constant."""
    root = np.exp(log_alpha / 2)

    def integrand(noise: float) -> float:
        return norm.pdf(noise) * np.log(abs(1 + root * noise))

    pole = -1 / root  # where the logarithm has its pole
    points = sorted({-12.0, max(-12.0, pole), 12.0})
    area = sum(
        quad(integrand, a, b, limit=400)[0] for a, b in zip(points, points[1:], strict=False)
    )
    return area - log_alpha / 2


@pytest.mark.parametrize("value", [-6.0, -2.0, -1.0, 0.0, 1.0, 3.0, 6.0])
def test_the_divergence_agrees_with_numerical_integration(value):
    # The constant is such that the divergence goes to 0 as α goes to infinity.
    exact = integrated(value) - integrated(25.0)
    assert kl_divergence(torch.tensor(value)).item() == pytest.approx(exact, abs=0.02)


def test_the_divergence_falls_with_alpha_and_its_gradient_is_right():
    values = torch.linspace(-8, 8, 200, dtype=torch.float64, requires_grad=True)
    divergence = kl_divergence(values)
    assert (divergence > 0).all() and (divergence.diff() < 0).all()
    assert torch.autograd.gradcheck(kl_divergence, values)


def test_log_alpha_of_zero_is_the_largest_there_is_and_its_gradient_finite():
    theta = torch.tensor([0.0, 1.0, 0.5], requires_grad=True)
    noise = log_alpha(theta, torch.tensor([-8.0, -2.0, -2.0]))
    assert noise.tolist() == pytest.approx([8.0, -2.0, -2.0 - 2 * np.log(0.5)])
    noise.sum().backward()
    assert theta.grad.isfinite().all()
    assert dropout_rate(torch.tensor(3.0)).item() == pytest.approx(0.9526, abs=1e-4)


def test_noise_of_outputs_has_the_spread_that_noise_of_weights_has():
    set_seed(0)
    x, variance = torch.randn(3, 5), torch.randn(4, 5)
    ours = torch.stack([linear_noise(x, variance) for _ in range(20_000)])
    drawn = torch.randn(20_000, 4, 5) * (variance / 2).exp()
    theirs = torch.einsum("bi,noi->nbo", x, drawn)
    assert torch.allclose(ours.std(0), theirs.std(0), rtol=0.05)
    assert ours.mean(0).abs().max() < 0.1
    looked_up = torch.stack([lookup_noise(torch.tensor([1, 1]), variance) for _ in range(20_000)])
    assert torch.allclose(looked_up.std(0), (variance[[1, 1]] / 2).exp(), rtol=0.05)
    assert not torch.equal(looked_up[:, 0], looked_up[:, 1])


@pytest.mark.parametrize("build", [MeanVectorNetwork, GRUNetwork])
def test_noise_while_training_and_none_afterwards(build):
    set_seed(0)
    network = build(20, 4, 6, 2, dropout=0.0)
    noisy = VariationalNetwork(network, ["*weight*"], log_variance=-3.0)
    assert not torch.equal(noisy(IDS), noisy(IDS))
    (noisy(IDS).sum() + noisy.kl()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in noisy.positions)
    noisy.eval()
    assert torch.equal(noisy(IDS), noisy(IDS))
    assert torch.equal(noisy.pruned()(IDS), noisy(IDS))
    quiet = VariationalNetwork(network, ["*weight*"], log_variance=-60.0, threshold=99.0)
    assert torch.allclose(quiet.train()(IDS), network(IDS), atol=1e-3)


def test_weights_over_the_threshold_go_and_rank_lowest():
    network = MeanVectorNetwork(20, 4, 6, 2)
    with torch.no_grad():
        network.hidden.weight.copy_(torch.linspace(-1, 1, 24).view(6, 4))
    noisy = VariationalNetwork(network, ["hidden.weight"], log_variance=0.0)
    pruned = noisy.pruned().hidden.weight
    gone = network.hidden.weight.abs() < np.exp(-1.5)
    assert 0 < gone.sum() < 24 and torch.equal(pruned == 0, gone)
    assert noisy.sparsity() == pytest.approx(gone.double().mean().item())
    scores = noisy.scores()["hidden.weight"]
    assert scores[gone].max() < scores[~gone].min()


def test_the_price_of_knowing_drowns_what_is_not_needed():
    ids = np.random.default_rng(0).integers(2, 6, (64, 1))
    labels = np.stack([ids[:, 0] == 2, ids[:, 0] == 3], axis=1).astype(np.float32)
    set_seed(0)
    network = MeanVectorNetwork(9, 4, 16, 2, dropout=0.0)
    noisy = VariationalNetwork(network, ["hidden.weight"], log_variance=-3.0, stride=5)
    loss = PenalizedLoss(torch.nn.functional.mse_loss, noisy.kl, 1e-3, warmup=10)
    options = {"lr": 0.02, "progress": False, "batch_size": 32}
    data = (ids, labels), (ids, labels)
    history = fit(noisy, *data, epochs=60, keep_from=60, loss=loss, **options)
    assert noisy.sparsity() > 0.5 and history.best_dev_macro_f1 > 0.9


def test_weights_that_are_not_finite_are_refused():
    network = MeanVectorNetwork(20, 4, 6, 2)
    with torch.no_grad():
        network.hidden.weight[0, 0] = torch.inf
    with pytest.raises(ValueError, match="finite"):
        VariationalNetwork(network, ["hidden.weight"])
