"""Scores of weights: what a network loses without them, by rules that cost more or less.

Each function gives scores by name of parameter, for the masks of ``utils.pruning.masks``.

Source: LeCun, Denker and Solla (1989), "Optimal brain damage", equation 5, for the saliency; Sun et al.
(2023), arXiv 2306.11695, equation 1, for the activation-aware score.

What people get wrong: the square of the mean gradient in place of the mean of squares. At a minimum
the mean gradient is 0, and so would be all saliencies; squares are taken of each comment's gradient.

>>> from utils.models import MeanVectorNetwork
>>> from utils.pruning import activation_scores, masks_per_output, random_scores
>>> network, ids = MeanVectorNetwork(50, dim=8, hidden=4, labels=2), torch.tensor([[5, 7], [7, 0]])
>>> scores = activation_scores(network, ids)
>>> torch.allclose(scores["embedding.weight"][7], network.embedding.weight[7].abs() * 2**0.5)
True
>>> masks = masks_per_output(scores, 0.5)
>>> masks["hidden.weight"].sum(dim=1).tolist()
[4, 4, 4, 4]
>>> sorted(random_scores(network, seed=0)) == sorted(masks)
True
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from utils.pruning.masks import matrices

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def random_scores(network: nn.Module, seed: int) -> dict[str, torch.Tensor]:
    """Scores that know nothing: the control of every other."""
    generator = torch.Generator().manual_seed(seed)
    return {n: torch.rand(w.shape, generator=generator) for n, w in matrices(network).items()}


@torch.no_grad()
def activation_scores(
    network: nn.Module, ids: torch.Tensor, batch_size: int = 256
) -> dict[str, torch.Tensor]:
    """``|w|`` times the norm of its input over comments; to compare by ``masks_per_output``.

    The input of a word's row in an embedding is 1 where the word stands, so its norm is the root of how
    often that is; that of a recurrent weight is a state, zero before the first word.

    Parameters
    ----------
    ids : (comments, tokens), padded with 0

    Raises
    ------
    ValueError
        If a GRU has several layers, or a matrix is none of an Embedding, a Linear or a GRU.
    """
    squares: dict[str, torch.Tensor] = {}

    def watch(name: str, layer: nn.Module, of_layer: Callable) -> Any:
        def add(layer: Any, inputs: Any, output: Any) -> None:
            for weight, values in of_layer(layer, inputs[0], output):
                full = f"{name}.{weight}"
                squares[full] = squares.get(full, 0) + values.double()

        return layer.register_forward_hook(add)

    hooks = [
        watch(name, layer, of_layer)
        for name, layer in network.named_modules()
        for kind, of_layer in _INPUT_SQUARES.items()
        if isinstance(layer, kind)
    ]
    training = network.training
    try:
        network.eval()
        for rows in torch.as_tensor(ids).split(batch_size):
            network(rows)
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    weights = matrices(network)
    if missing := set(weights) - set(squares):
        raise ValueError(f"the input of {sorted(missing)[0]} is not known")
    scores = {}
    for name, weight in weights.items():
        norm = squares[name].sqrt().to(weight.dtype)
        by_word = norm[:, None] if name.endswith("embedding.weight") else norm
        scores[name] = weight.abs() * by_word
    return scores


def _embedding_squares(layer: Any, ids: torch.Tensor, output: Any) -> Iterator:
    yield "weight", torch.bincount(ids.reshape(-1), minlength=layer.num_embeddings)


def _linear_squares(layer: Any, inputs: torch.Tensor, output: Any) -> Iterator:
    yield "weight", inputs.reshape(-1, layer.in_features).square().sum(dim=0)


def _gru_squares(layer: Any, inputs: Any, output: Any) -> Iterator:
    if layer.num_layers > 1:
        raise ValueError("of a GRU of several layers the inputs within are not seen")
    states, _ = output
    if isinstance(inputs, PackedSequence):  # padding is 0 and adds nothing
        inputs, lengths = pad_packed_sequence(inputs, batch_first=True)
        states, _ = pad_packed_sequence(states, batch_first=True)
    else:
        lengths = torch.full((len(inputs),), inputs.shape[1])
    of_inputs = inputs.square().sum(dim=(0, 1))
    rows = torch.arange(len(states))
    for number, state in enumerate(states.split(layer.hidden_size, dim=2)):
        # The state after the last word that a direction reads goes into no step of it.
        last = state[:, 0] if number else state[rows, lengths - 1]
        direction = "_reverse" * number
        yield f"weight_ih_l0{direction}", of_inputs
        yield f"weight_hh_l0{direction}", state.square().sum(dim=(0, 1)) - last.square().sum(dim=0)


_INPUT_SQUARES = {
    nn.Embedding: _embedding_squares,
    nn.Linear: _linear_squares,
    nn.GRU: _gru_squares,
}


def obd_saliency(
    weights: Mapping[str, torch.Tensor], curvature: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """``h w^2 / 2``: how much the loss rises without the weight, to second order at a minimum."""
    return {name: curvature[name] * weight.square() / 2 for name, weight in weights.items()}


def hessian_diagonal(
    loss: torch.Tensor, parameters: Sequence[torch.Tensor], chunk: int = 256
) -> list[torch.Tensor]:
    """The second derivative of the loss by each weight, exact, by a second backward pass for each.

    For small layers: n weights take n backward passes, ``chunk`` of them at once.

    Parameters
    ----------
    loss : a number with its graph
    parameters : tensors that it depends on
    """
    diagonals = []
    for parameter in parameters:
        (gradient,) = torch.autograd.grad(loss, parameter, create_graph=True)
        if not gradient.requires_grad:  # the loss is linear in it
            diagonals.append(torch.zeros_like(parameter))
            continue
        found = []
        for places in torch.arange(parameter.numel()).split(chunk):
            unit = torch.zeros(len(places), parameter.numel(), dtype=gradient.dtype)
            unit[torch.arange(len(places)), places] = 1.0
            (rows,) = torch.autograd.grad(
                gradient,
                parameter,
                unit.reshape(-1, *parameter.shape),
                retain_graph=True,
                is_grads_batched=True,
            )
            rows = rows.reshape(len(places), -1)
            found.append(rows[torch.arange(len(places)), places])
        diagonals.append(torch.cat(found).reshape(parameter.shape).detach())
    return diagonals


def fisher_diagonal(
    network: nn.Module,
    ids: torch.Tensor,
    targets: torch.Tensor,
    loss: Loss = binary_cross_entropy_with_logits,
) -> dict[str, torch.Tensor]:
    """The mean over comments of their squared gradients: an estimate of the Gauss-Newton diagonal.

    The two agree in expectation if targets are drawn from what the network says (see
    :func:`drawn_targets`) and the loss is a negative log-likelihood; a mean over labels in place of the
    sum only scales it.

    Parameters
    ----------
    ids : (comments, tokens), padded with 0
    targets : (comments, labels)
    """
    squares = {name: torch.zeros_like(weight) for name, weight in matrices(network).items()}
    parameters = [network.get_parameter(name) for name in squares]
    training = network.training
    network.eval()
    for row, target in zip(torch.as_tensor(ids), torch.as_tensor(targets), strict=True):
        row = row[: max(1, int((row != 0).sum()))]
        value = loss(network(row[None]), target[None])
        for square, gradient in zip(
            squares.values(), torch.autograd.grad(value, parameters), strict=True
        ):
            square.addcmul_(gradient, gradient, value=1 / len(ids))
    network.train(training)
    return squares


@torch.no_grad()
def drawn_targets(network: nn.Module, ids: torch.Tensor, seed: int) -> torch.Tensor:
    """0/1 labels drawn from the probabilities of a network, float (comments, labels)."""
    training = network.training
    probabilities = network.eval()(torch.as_tensor(ids)).sigmoid()
    network.train(training)
    return torch.bernoulli(probabilities, generator=torch.Generator().manual_seed(seed))
