"""What every rule of pruning is put through: awkward tensors, and all sparsities from 0 to 1."""

import torch
from torch import nn

from utils.pruning import (
    masks_over_all,
    masks_per_layer,
    masks_per_output,
    obd_saliency,
)

TENSORS = {
    "constant": torch.full((3, 4), 0.5),
    "all zero": torch.zeros(3, 4),
    "one element": torch.tensor([[2.0]]),
    "tied": torch.tensor([[1.0, -1.0, 2.0, -2.0], [1.0, 2.0, -1.0, -2.0]]),
    "float16": torch.linspace(-1, 1, 12).reshape(3, 4).half(),
    "bfloat16": torch.linspace(-1, 1, 12).reshape(3, 4).bfloat16(),
    "double": torch.linspace(-1, 1, 12).reshape(3, 4).double(),
    "infinite": torch.tensor([[1.0, torch.inf], [-torch.inf, 0.0]]),
    "negative zero": torch.tensor([[-0.0, 0.0], [1e-45, -1e-45]]),
    "wide": torch.linspace(-1, 1, 7).reshape(1, 7),
    "empty": torch.zeros(0, 4),
}
SPARSITIES = (0.0, 0.1, 0.25, 0.5, 0.9, 1.0)
NAN = torch.tensor([[1.0, torch.nan], [2.0, 3.0]])

# From weights to masks, one tensor at a time.
RULES = {
    "magnitude, per layer": lambda w, s, m=None: masks_per_layer({"w": w.abs()}, s, m),
    "magnitude, over all": lambda w, s, m=None: masks_over_all({"w": w.abs()}, s, m),
    "magnitude, per output": lambda w, s, m=None: masks_per_output({"w": w.abs()}, s, m),
    "activation-aware": lambda w, s, m=None: masks_per_output(
        {"w": w.abs() * torch.arange(1, w.shape[1] + 1).to(w.dtype)}, s, m
    ),
    "OBD": lambda w, s, m=None: masks_per_layer(
        obd_saliency({"w": w}, {"w": torch.ones_like(w)}), s, m
    ),
    "random": lambda w, s, m=None: masks_per_layer(
        {"w": torch.rand(w.shape, generator=torch.Generator().manual_seed(0))}, s, m
    ),
}


class OneMatrix(nn.Module):
    """The least network: a matrix, and its bias."""

    def __init__(self, weight: torch.Tensor):
        super().__init__()
        self.config = {"labels": len(weight)}
        self.linear = nn.Linear(weight.shape[1], weight.shape[0], dtype=weight.dtype)
        with torch.no_grad():
            self.linear.weight.copy_(weight)

    def forward(self, x):
        return self.linear(x)


def interrupted(loss, steps=None):
    """The loss, but the training stops at the call of this number, if one is given."""
    calls = []

    def counted(logits, targets):
        calls.append(1)
        if len(calls) == steps:
            raise KeyboardInterrupt
        return loss(logits, targets)

    return counted
