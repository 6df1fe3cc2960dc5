"""Labels that stand for groups of others: a teacher knows both, and answers for a group twice."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import linear, logsigmoid


def grouped_logits(logits: torch.Tensor, groups: Sequence[Sequence[int]]) -> torch.Tensor:
    """Let the members of each group have a say in the logit of the group.

    What a network says of a group of labels, and what it says of the labels in the group, are two
    answers to one question. Taken as independent, the members have at least one of them right with
    probability 1 - (1 - p_1) (1 - p_2)..., a "noisy or". The group gets the mean of this and of its
    own probability.

    Parameters
    ----------
    logits : (n, groups + members), those of the groups first
    groups : for each group the numbers of its members, counted from the first member

    Returns
    -------
    Logits of that shape; those of the members are as they were.

    Raises
    ------
    ValueError
        If there are not as many columns as groups and members.

    Source: Pearl (1988), "Probabilistic reasoning in intelligent systems", section 4.3.2.

    What people get wrong: the sum, or the largest, of the members' probabilities. One may pass 1,
    the other forgets all members but one.

    >>> from utils.distillation import grouped_logits
    >>> logits = torch.zeros(1, 3)  # a group and its two members, of probability 1/2 each
    >>> torch.sigmoid(grouped_logits(logits, [[0, 1]])).numpy().round(3)  # (1/2 + 3/4) / 2
    array([[0.625, 0.5  , 0.5  ]], dtype=float32)
    """
    width = len(groups) + 1 + max(max(members) for members in groups)
    if logits.shape[-1] < width:
        raise ValueError(f"groups and members need {width} columns, got {logits.shape[-1]}")
    own, others = logits[..., : len(groups)], logits[..., len(groups) :]
    none = logsigmoid(-others)  # log(1 - p)
    none = torch.stack([none[..., list(members)].sum(dim=-1) for members in groups], dim=-1)
    # Where 1 - p rounds to 1, its logarithm is -p: the smallest number keeps log(p) finite.
    none = none.clamp(max=-torch.finfo(none.dtype).tiny)
    some = torch.log(-torch.expm1(none))
    yes, no = torch.logaddexp(logsigmoid(own), some), torch.logaddexp(logsigmoid(-own), none)
    return torch.cat([yes - no, others], dim=-1)


class GroupedLinear(nn.Module):
    """A linear layer to groups and their members of which only the groups come out.

    Parameters
    ----------
    in_features : size of the input
    groups, members : as in :func:`grouped_logits`; how many members there are
    """

    def __init__(self, in_features: int, groups: Sequence[Sequence[int]], members: int):
        super().__init__()
        groups = [list(group) for group in groups]
        self.config = dict(in_features=in_features, groups=groups, members=members)
        self.weight = nn.Parameter(torch.empty(len(groups) + members, in_features))
        self.bias = nn.Parameter(torch.zeros(len(groups) + members))
        nn.init.xavier_uniform_(self.weight)

    @classmethod
    def from_linear(cls, layer: nn.Linear, groups: Sequence[Sequence[int]]) -> "GroupedLinear":
        """The same weights; the layer has outputs for the groups, then for the members."""
        grouped = cls(layer.in_features, groups, layer.out_features - len(groups))
        grouped.load_state_dict(layer.state_dict())
        return grouped

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., in_features) to the logits of the groups, (..., groups)."""
        groups = self.config["groups"]
        return grouped_logits(linear(x, self.weight, self.bias), groups)[..., : len(groups)]

    def macs(self, output: torch.Tensor) -> int:
        """Multiply-accumulates: the members are computed, too, though only the groups come out."""
        return output.numel() // output.shape[-1] * self.weight.numel()
