"""Early exit: a classifier after each layer of a transformer, and a rule when to believe it.

Source: Xin et al. (2020), DeeBERT, arXiv 2004.12993, for a rule of entropy; Zhou et al. (2020),
PABEE, arXiv 2006.04152, for one of patience.

What people get wrong: the threshold is chosen on dev, for a budget there. Other comments may take
more layers or fewer with it, so layers are counted anew where the score is measured.

>>> from utils.adaptive import EarlyExitTransformer, exit_layers
>>> from utils.adaptive import predict_exits, threshold_for_budget
>>> sizes = dict(vocab_size=9, hidden_size=8, num_hidden_layers=3, num_attention_heads=2)
>>> network = EarlyExitTransformer(sizes | {"intermediate_size": 8}, labels=2)
>>> logits = predict_exits(network, np.array([[5, 3, 8], [2, 0, 0]]))
>>> logits.shape
torch.Size([3, 2, 2])
>>> threshold = threshold_for_budget(logits, mean_layers=2)
>>> exit_layers(logits, threshold=threshold).double().mean().item() <= 2
True
>>> exit_layers(logits).tolist()  # without a rule
[3, 3]
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from utils.adaptive.halting import still_active
from utils.models import PAD, TransformerNetwork, masked_mean, register_network


def bernoulli_entropy(logits: torch.Tensor) -> torch.Tensor:
    """How unsure independent yes-or-no labels are together: (..., labels) to (...), nats.

    The sum over labels of -p log p - (1 - p) log(1 - p), from 0 to labels * log 2. It is computed
    from logits, where neither log p nor log(1 - p) can overflow.

    >>> from utils.adaptive import bernoulli_entropy
    >>> bernoulli_entropy(torch.tensor([[0.0, 0.0], [0.0, 999.0], [999.0, -999.0]])).tolist()
    [1.3862943649291992, 0.6931471824645996, 0.0]

    What people get wrong: the entropy of a softmax, which is of one label among several. A comment
    with two labels for certain then looks unsure, and one with none looks like anything.
    """
    p = torch.sigmoid(logits)
    softplus = nn.functional.softplus
    return (p * softplus(-logits) + (1 - p) * softplus(logits)).sum(dim=-1)


def agreeing(logits: torch.Tensor, cuts: torch.Tensor) -> torch.Tensor:
    """How many layers in a row, up to each one, decide alike on all labels.

    Parameters
    ----------
    logits : (layers, n, labels)
    cuts : (labels,), a label is given where its logit reaches its cut

    Returns
    -------
    int64 (layers, n), 1 at the first layer

    >>> from utils.adaptive import agreeing
    >>> agreeing(torch.tensor([[[1.0]], [[2.0]], [[-1.0]]]), torch.zeros(1)).squeeze(1).tolist()
    [1, 2, 1]
    """
    decided = logits >= cuts
    counts = [torch.ones(logits.shape[1], dtype=torch.int64, device=logits.device)]
    for before, now in zip(decided[:-1], decided[1:], strict=True):
        counts.append(torch.where((before == now).all(dim=-1), counts[-1] + 1, 1))
    return torch.stack(counts)


def exit_layers(
    logits: torch.Tensor,
    *,
    threshold: float = 0.0,
    patience: int = 0,
    cuts: Sequence[float] | None = None,
) -> torch.Tensor:
    """At which layer, counted from 1, each comment leaves: int64 (n,).

    Parameters
    ----------
    logits : (layers, n, labels), of the classifiers after each layer
    threshold : leave when :func:`bernoulli_entropy` is below; 0 never does
    patience : leave when so many layers in a row agree on all labels (1 at once); 0 never does
    cuts : as in :func:`agreeing`; 0, a probability of 1/2, unless given

    Source: sure enough: Xin et al. (2020), DeeBERT, arXiv 2004.12993, section 3, there by a softmax;
    patience: Zhou et al. (2020), PABEE, arXiv 2006.04152, section 3.1.
    """
    leaves = bernoulli_entropy(logits) < threshold
    if patience:
        given = torch.zeros(logits.shape[-1]) if cuts is None else torch.as_tensor(cuts)
        leaves |= agreeing(logits, given.to(logits)) >= patience
    leaves[-1] = True
    return leaves.int().argmax(dim=0) + 1


def threshold_for_budget(logits: torch.Tensor, mean_layers: float) -> float:
    """The smallest threshold of entropy with which comments leave after so many layers in the mean.

    Call it on dev. A larger threshold leaves earlier, so the smallest one spends the whole budget.

    Parameters
    ----------
    logits : (layers, n, labels)
    mean_layers : at least 1

    Raises
    ------
    ValueError
        If ``mean_layers`` is below 1, which no threshold can reach.
    """
    if mean_layers < 1:
        raise ValueError(f"every comment takes a layer, so the mean cannot be {mean_layers}")
    # Just above an entropy that was seen, that exit opens for its comment.
    seen = bernoulli_entropy(logits[:-1]).flatten().unique()
    candidates = torch.cat([torch.zeros(1), torch.nextafter(seen, seen + 1)])
    low, high = 0, len(candidates) - 1
    while low < high:
        middle = (low + high) // 2
        layers = exit_layers(logits, threshold=candidates[middle].item())
        if layers.double().mean() <= mean_layers:
            high = middle
        else:
            low = middle + 1
    return candidates[low].item()


class Exit(nn.Module):
    """The classifier after a layer: states pooled over words (n, dim) to logits (n, labels)."""

    def __init__(self, dim: int, labels: int, dropout: float):
        super().__init__()
        self.dropout, self.output = nn.Dropout(dropout), nn.Linear(dim, labels)

    def forward(self, pooled: torch.Tensor) -> torch.Tensor:
        return self.output(self.dropout(pooled))


@register_network
class EarlyExitTransformer(TransformerNetwork):
    """A transformer with a classifier after each layer; a comment leaves where a rule believes it.

    The classifier after the last layer is the transformer's own. Without a rule it is that
    transformer, and the other classifiers are not computed.

    Parameters
    ----------
    encoder, labels, dropout : as in ``utils.models.TransformerNetwork``
    threshold, patience, cuts : the rule, see :func:`exit_layers`; :meth:`leave_by` changes it

    Attributes
    ----------
    steps : int64 (batch,), layers that each comment of the last forward pass took
    exit_logits : (layers, batch, labels), after a forward pass in training

    >>> from utils.adaptive import EarlyExitTransformer
    >>> sizes = dict(vocab_size=9, hidden_size=8, num_hidden_layers=3, num_attention_heads=2)
    >>> network = EarlyExitTransformer(sizes | {"intermediate_size": 8}, labels=2).eval()
    >>> network.leave_by(threshold=9.0)(torch.tensor([[5, 3, 8], [2, 0, 0]])).shape
    torch.Size([2, 2])
    >>> network.steps.tolist()
    [1, 1]

    What people get wrong: a saving of a third of the layers is called a speed-up of a third. Time
    divides: at best it is 1.5 times as fast, and less by what the classifiers and the waiting in a
    batch cost.

    Source: Xin et al. (2020), arXiv 2004.12993; Zhou et al. (2020), arXiv 2006.04152.
    """

    config: dict[str, Any]

    def __init__(
        self,
        encoder: dict,
        labels: int,
        dropout: float = 0.1,
        threshold: float = 0.0,
        patience: int = 0,
        cuts: Sequence[float] | None = None,
    ):
        super().__init__(encoder, labels, dropout)
        layers = encoder["num_hidden_layers"]
        self.exits = nn.ModuleList(
            Exit(encoder["hidden_size"], labels, dropout) for _ in range(layers - 1)
        )
        self.leave_by(threshold=threshold, patience=patience, cuts=cuts)

    def leave_by(
        self, *, threshold: float = 0.0, patience: int = 0, cuts: Sequence[float] | None = None
    ) -> "EarlyExitTransformer":
        """Set the rule by which comments leave, see :func:`exit_layers`; model files hold it."""
        cuts = [0.0] * self.config["labels"] if cuts is None else [float(cut) for cut in cuts]
        if len(cuts) != self.config["labels"]:
            raise ValueError(f"{self.config['labels']} labels need as many cuts, got {len(cuts)}")
        self.config |= {"threshold": float(threshold), "patience": patience, "cuts": cuts}
        return self

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Word piece ids (batch, tokens) to logits (batch, labels), of the exit that each took."""
        if self.training:
            self.exit_logits = self.all_exits(ids)
            self.steps = torch.full((len(ids),), len(self.exit_logits), device=ids.device)
            return self.exit_logits[-1]
        labels, layers = self.config["labels"], self.encoder.encoder.layer
        threshold, patience = self.config["threshold"], self.config["patience"]
        states, mask, rows = self._start(ids), ids != PAD, torch.arange(len(ids), device=ids.device)
        cuts, logits = states.new_tensor(self.config["cuts"]), states.new_zeros(len(ids), labels)
        steps, agreed = torch.zeros_like(rows), torch.zeros_like(rows)
        before = torch.zeros_like(logits, dtype=torch.bool)
        for n, layer in enumerate(layers, 1):
            states = layer(states, _attention_mask(mask, states.dtype))
            if n < len(layers) and not (threshold or patience):
                continue
            now = self.classify(n, masked_mean(states, mask))
            leaves = bernoulli_entropy(now) < threshold
            if patience:
                decided = now >= cuts
                alike = (decided == before).all(dim=1) & (agreed > 0)
                agreed, before = torch.where(alike, agreed + 1, 1), decided
                leaves |= agreed >= patience
            if n == len(layers):
                leaves = torch.ones_like(leaves)
            logits[rows[leaves]], steps[rows[leaves]] = now[leaves], n
            if leaves.any():
                rows, stays = still_active(rows, leaves), ~leaves
                if len(rows) == 0:
                    break
                states, mask, agreed, before = (x[stays] for x in (states, mask, agreed, before))
        self.steps = steps
        return logits

    def all_exits(self, ids: torch.Tensor) -> torch.Tensor:
        """Logits (layers, batch, labels) of every exit."""
        states, mask, logits = self._start(ids), ids != PAD, []
        for n, layer in enumerate(self.encoder.encoder.layer, 1):
            states = layer(states, _attention_mask(mask, states.dtype))
            logits.append(self.classify(n, masked_mean(states, mask)))
        return torch.stack(logits)

    def cut_after(self, n: int) -> TransformerNetwork:
        """The first ``n`` layers and the classifier after them, as a network of its own: the control.

        Raises
        ------
        ValueError
            If there are not so many layers.
        """
        if not 1 <= n <= len(self.exits) + 1:
            raise ValueError(f"there are layers 1 to {len(self.exits) + 1}, and not layer {n}")
        encoder = self.config["encoder"] | {"num_hidden_layers": n}
        network = TransformerNetwork(encoder, self.config["labels"], self.config["dropout"])
        classifier = self.exits[n - 1] if n <= len(self.exits) else self
        network.encoder.load_state_dict(
            {
                name: tensor
                for name, tensor in self.encoder.state_dict().items()
                if not name.startswith("encoder.layer.") or int(name.split(".")[2]) < n
            }
        )
        network.output.load_state_dict(classifier.output.state_dict())
        return network.train(self.training)

    def classify(self, n: int, pooled: torch.Tensor) -> torch.Tensor:
        """Logits after layer ``n``, counted from 1, of states pooled over words (batch, dim)."""
        if n <= len(self.exits):
            return self.exits[n - 1](pooled)
        return self.output(self.dropout(pooled))

    def _start(self, ids: torch.Tensor) -> torch.Tensor:
        return self.encoder.embeddings(
            input_ids=ids,
            token_type_ids=torch.zeros_like(ids),
            position_ids=torch.arange(ids.shape[1], device=ids.device)[None],
        )


def _attention_mask(mask: torch.Tensor, dtype: torch.dtype) -> torch.Tensor | None:
    """What a layer adds to the scores of padding; None where there is none, which is faster."""
    if mask.all():
        return None
    added = torch.zeros_like(mask, dtype=dtype).masked_fill(~mask, torch.finfo(dtype).min)
    return added[:, None, None]


@torch.inference_mode()
def predict_exits(
    network: EarlyExitTransformer, ids: np.ndarray, batch_size: int = 256
) -> torch.Tensor:
    """Logits of every exit, (layers, n, labels): what rules are calibrated on."""
    network.eval()
    lengths = (ids != PAD).sum(axis=1)
    order = np.argsort(lengths, kind="stable")
    layers, device = len(network.exits) + 1, next(network.parameters()).device
    logits = torch.empty(layers, len(ids), network.config["labels"])
    for start in range(0, len(ids), batch_size):
        rows = order[start : start + batch_size]
        batch = torch.from_numpy(ids[rows, : max(1, lengths[rows].max())]).to(device)
        logits[:, rows] = network.all_exits(batch).cpu()
    return logits


class ExitLoss:
    """The loss of all exits together, for ``utils.training.fit``: a mean that weighs layer n by n.

    Later exits weigh more, since all comments that reach them depend on them.

    Parameters
    ----------
    network : the EarlyExitTransformer that is trained
    loss : of logits (n, labels) and targets

    Source: Zhou et al. (2020), PABEE, arXiv 2006.04152, equation 3.

    What people get wrong: the early exits are not free. Layers that serve them as well may serve
    the last one worse, so compare it with a transformer that was trained for its last layer alone.

    >>> from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
    >>> from utils.adaptive import EarlyExitTransformer, ExitLoss
    >>> sizes = dict(vocab_size=9, hidden_size=8, num_hidden_layers=3, num_attention_heads=2)
    >>> network = EarlyExitTransformer(sizes | {"intermediate_size": 8}, labels=2).train()
    >>> loss = ExitLoss(network, cross_entropy)
    >>> loss(network(torch.tensor([[5, 3, 8]])), torch.tensor([[0.0, 1.0]])).shape
    torch.Size([])
    """

    def __init__(self, network: EarlyExitTransformer, loss: Callable):
        self.network, self.loss = network, loss

    def __call__(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        losses = torch.stack([self.loss(each, targets) for each in self.network.exit_logits])
        weights = torch.arange(1, len(losses) + 1).to(losses)
        return losses @ weights / weights.sum()
