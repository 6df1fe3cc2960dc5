import pytest
import torch
from torch import nn

from utils.models import GRUNetwork, MeanVectorNetwork
from utils.pruning import (
    activation_scores,
    drawn_targets,
    fisher_diagonal,
    hessian_diagonal,
    obd_saliency,
    random_scores,
)


@pytest.fixture
def dense():
    torch.manual_seed(0)
    return MeanVectorNetwork(20, dim=4, hidden=5, labels=3).double()


# ---------------------------------------------------------------------------------- Optimal Brain Damage


def test_on_a_quadratic_the_saliency_is_exact():
    """At the minimum of a diagonal quadratic, the loss rises by exactly the saliency of a weight."""
    curvature, best = torch.tensor([1.0, 4.0, 0.5, 9.0]), torch.tensor([2.0, -1.0, 3.0, 0.1])

    def loss(weight):
        return (curvature * (weight - best).square()).sum() / 2

    weight = best.clone().requires_grad_()
    (diagonal,) = hessian_diagonal(loss(weight), [weight])
    assert diagonal.tolist() == pytest.approx(curvature.tolist())
    saliency = obd_saliency({"w": best}, {"w": diagonal})["w"]
    for i in range(4):
        without = best.clone()
        without[i] = 0
        assert saliency[i].item() == pytest.approx(loss(without).item())
    # Of the two largest weights, one matters less than the smaller one of high curvature.
    assert saliency.argsort().tolist() == [3, 0, 1, 2]
    assert best.abs().argsort().tolist() == [3, 1, 0, 2]


def test_the_diagonal_is_that_of_the_whole_hessian(dense):
    ids, targets = torch.randint(1, 20, (8, 5)), torch.rand(8, 3).double()
    parameters = [dense.hidden.weight, dense.output.weight]
    dense.eval()
    value = nn.functional.binary_cross_entropy_with_logits(dense(ids), targets)

    def exact(name):
        def loss(weight):
            logits = torch.func.functional_call(dense, {name: weight}, (ids,))
            return nn.functional.binary_cross_entropy_with_logits(logits, targets)

        weight = dense.get_parameter(name).detach()
        hessian = torch.autograd.functional.hessian(loss, weight)
        return hessian.reshape(weight.numel(), -1).diagonal().reshape(weight.shape)

    for chunk in (7, 256):
        hidden, output = hessian_diagonal(value, parameters, chunk)
        assert torch.allclose(hidden, exact("hidden.weight"))
        assert torch.allclose(output, exact("output.weight"))


def test_where_the_loss_is_linear_there_is_no_curvature():
    weight = torch.ones(3, requires_grad=True)
    (diagonal,) = hessian_diagonal((2 * weight).sum(), [weight])
    assert diagonal.tolist() == [0, 0, 0]


def test_the_curvature_of_a_gru_has_an_exact_diagonal_too():
    torch.manual_seed(0)
    network = GRUNetwork(9, dim=2, units=2, labels=1).double().eval()
    ids = torch.tensor([[1, 2, 3]])
    weight = network.gru.weight_hh_l0
    (diagonal,) = hessian_diagonal(network(ids).square().sum(), [weight])

    def loss(other):
        logits = torch.func.functional_call(network, {"gru.weight_hh_l0": other}, (ids,))
        return logits.square().sum()

    hessian = torch.autograd.functional.hessian(loss, weight.detach())
    assert torch.allclose(diagonal, hessian.reshape(12, 12).diagonal().reshape(6, 2), atol=1e-10)


def test_squares_are_taken_of_each_comment_and_not_of_their_mean(dense):
    ids, targets = torch.randint(1, 20, (6, 4)), torch.randint(0, 2, (6, 3)).double()
    fisher, dense = fisher_diagonal(dense, ids, targets), dense.eval()
    squares, mean = 0, 0
    for row, target in zip(ids, targets, strict=True):
        value = nn.functional.binary_cross_entropy_with_logits(dense(row[None]), target[None])
        (gradient,) = torch.autograd.grad(value, [dense.hidden.weight])
        squares, mean = squares + gradient.square() / 6, mean + gradient / 6
    assert torch.allclose(fisher["hidden.weight"], squares)
    assert (fisher["hidden.weight"] >= mean.square() - 1e-12).all()
    assert fisher["hidden.weight"].sum() > 1.5 * mean.square().sum()


def test_of_drawn_targets_the_estimate_is_the_gauss_newton_diagonal():
    """Of a linear network with logistic outputs: the mean of p (1 - p) x^2."""
    torch.manual_seed(0)
    network = MeanVectorNetwork(4, dim=3, hidden=2, labels=1).double().eval()
    ids = torch.tensor([[1], [2], [3]]).repeat(4000, 1)
    estimate = torch.zeros(1, 2).double()
    targets = drawn_targets(network, ids, seed=0)
    hidden = network.hidden(network.embedding(ids[:, 0])).relu().detach()
    p = network(ids).sigmoid().detach()
    exact = (p * (1 - p) * hidden.square()).mean(dim=0)
    gradients = (p - targets) * hidden
    estimate = gradients.square().mean(dim=0)
    assert torch.allclose(estimate, exact, rtol=0.1)
    few = slice(0, 30)
    fisher = fisher_diagonal(network, ids[few], targets[few])["output.weight"][0]
    assert torch.allclose(fisher, gradients[few].square().mean(dim=0))


# --------------------------------------------------------------------------------------- activations


def test_scores_of_layers_are_magnitude_times_the_norm_of_the_input(dense):
    ids = torch.tensor([[3, 4, 0], [5, 0, 0], [3, 3, 9]])
    scores, dense = activation_scores(dense, ids, batch_size=2), dense.eval()
    mask = (ids != 0).double()[..., None]
    means = (dense.embedding(ids) * mask).sum(1) / mask.sum(1)
    assert torch.allclose(scores["hidden.weight"], dense.hidden.weight.abs() * means.norm(dim=0))
    inputs = dense.hidden(means).relu()
    assert torch.allclose(scores["output.weight"], dense.output.weight.abs() * inputs.norm(dim=0))
    counts = torch.bincount(ids.reshape(-1), minlength=20).sqrt()
    assert torch.allclose(
        scores["embedding.weight"], dense.embedding.weight.abs() * counts[:, None]
    )


@pytest.mark.parametrize("bidirectional", [True, False])
def test_the_states_of_a_gru_that_go_into_a_step_count(bidirectional):
    torch.manual_seed(0)
    network = GRUNetwork(9, 3, 4, labels=2, bidirectional=bidirectional).eval()
    texts = [[1, 2, 3, 4], [5, 6], [7]]
    ids = torch.tensor([text + [0] * (4 - len(text)) for text in texts])
    scores = activation_scores(network, ids)
    squares, words = torch.zeros(2, 4), torch.zeros(3)
    for text in texts:
        vectors = network.embedding(torch.tensor([text]))
        words += vectors.square().sum(dim=(0, 1)).detach()
        states = network.gru(vectors)[0][0].detach()
        squares[0] += states[:-1, :4].square().sum(dim=0)
        if bidirectional:
            squares[1] += states[1:, 4:].square().sum(dim=0)
    gru = network.gru
    assert torch.allclose(scores["gru.weight_hh_l0"], gru.weight_hh_l0.abs() * squares[0].sqrt())
    assert torch.allclose(scores["gru.weight_ih_l0"], gru.weight_ih_l0.abs() * words.sqrt())
    if bidirectional:
        reverse = gru.weight_hh_l0_reverse.abs() * squares[1].sqrt()
        assert torch.allclose(scores["gru.weight_hh_l0_reverse"], reverse)


def test_what_is_not_seen_is_refused():
    with pytest.raises(ValueError, match="several layers"):
        activation_scores(GRUNetwork(9, 3, 4, labels=2, layers=2), torch.tensor([[1, 2]]))
    network = MeanVectorNetwork(9, 3, 4, labels=2)
    network.extra = nn.Parameter(torch.ones(2, 2))
    with pytest.raises(ValueError, match="input of extra"):
        activation_scores(network, torch.tensor([[1, 2]]))


def test_scores_leave_the_network_as_it_was(dense):
    dense.train()
    activation_scores(dense, torch.tensor([[1, 2]]))
    fisher_diagonal(dense, torch.tensor([[1, 2]]), torch.ones(1, 3).double())
    drawn_targets(dense, torch.tensor([[1, 2]]), seed=0)
    assert dense.training and not dense.hidden._forward_hooks
    assert all(parameter.grad is None for parameter in dense.parameters())


def test_random_scores_are_those_of_their_seed(dense):
    first, second = random_scores(dense, 1), random_scores(dense, 1)
    assert all(first[name].equal(second[name]) for name in first)
    assert not random_scores(dense, 2)["hidden.weight"].equal(first["hidden.weight"])
