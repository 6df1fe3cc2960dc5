"""A pruned transformer with other layers in it, such as an output that hears groups of labels."""

from utils.distillation.students import _Compressed
from utils.models import register_network
from utils.pruning.transformer import PrunedTransformerNetwork


@register_network
class CompressedPrunedTransformerNetwork(_Compressed, PrunedTransformerNetwork):
    """A :class:`PrunedTransformerNetwork` with other layers in it; made by ``replace_layers``."""
