"""What codes will cost once they are entropy-coded, with a gradient."""

import torch


def code_entropy(u: torch.Tensor, low: int, high: int) -> torch.Tensor:
    """Entropy in bits a code of values on a grid of step 1, smoothed so that it has a gradient.

    A value between two codes counts for both, by how near it is: p_k is the mean of
    max(0, 1 - |u - k|). Where all values are codes this is the entropy of the codes; elsewhere it is
    the entropy of this smoother histogram. By a value between the codes k and k + 1 its derivative is
    (log2 p_k - log2 p_(k+1)) / n: values move to the more frequent neighbour.

    Parameters
    ----------
    u : values divided by their step, of any shape; what lies outside low..high counts for the end
    low, high : the lowest and the highest code

    Raises
    ------
    ValueError
        If there are no values, or not two codes.

    Source: Shannon (1948), theorem 9, for the bound; Ballé, Laparra and Simoncelli (2017), arXiv
    1611.01704, section 3, who train for rate and distortion together with noise in place of the
    smoothing, which is ours.

    What people get wrong: the number of bits is taken for the rate. Of entropy-coded values a wider
    range at the same step costs next to nothing, and a wider step saves what fewer bits would not.

    >>> from utils.quantization import entropy
    >>> from utils.quantization.aware import code_entropy
    >>> u = torch.tensor([0.0, 0.0, 0.0, 1.0])
    >>> round(code_entropy(u, -3, 3).item(), 4) == round(entropy(u.int().numpy()), 4)
    True
    >>> code_entropy(2 * u / 5, -3, 3) < code_entropy(u, -3, 3)  # a wider step
    tensor(True)
    """
    if u.numel() == 0 or not low < high:
        raise ValueError(f"an entropy needs values and two codes, got {u.numel()}, {low}..{high}")
    u = u.flatten().clamp(low, high) - low
    below = u.detach().floor().clamp(max=high - low - 1)
    upper = u - below  # the share of the code above
    index = below.long()
    p = u.new_zeros(high - low + 1)
    p = p.index_add(0, index, 1 - upper).index_add(0, index + 1, upper) / len(u)
    # Towards a code that no value has, the slope is large, and finite.
    return -(p * torch.log2(p.clamp(min=1e-9))).sum()
