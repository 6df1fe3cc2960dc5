"""More to learn from than there are comments: texts made up from them, which a teacher labels."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import expit

from utils.distillation.augment import augment


def with_made_up_texts(
    texts: Sequence[str],
    targets: np.ndarray,
    sets: int,
    say: Callable[[list[str], int], np.ndarray],
) -> tuple[list[str], np.ndarray]:
    """Comments and what they teach, and after them sets of made-up texts that a teacher has labelled.

    Parameters
    ----------
    texts : n comments
    targets : (n, 2k), the 0/1 labels and then a teacher's logits, as ``SoftLabelLoss`` wants them
    sets : how many sets of n texts to make up, with the seeds 0, 1, ... of :func:`augment`
    say : (made-up texts, seed) -> a teacher's logits (n, k)

    Returns
    -------
    Texts and targets ((1 + sets) n, 2k). Nobody labelled the made-up texts, so the teacher's
    probabilities stand in the place of their labels, too.

    Raises
    ------
    ValueError
        If the shapes of targets or of what the teacher says do not fit.

    Source: Tang et al. (2019), arXiv 1903.12136, section 3.2.

    What people get wrong: the labels of the old text are kept for the new one. A few words less,
    and they are wrong; only what the teacher says of the new text holds.

    >>> from utils.distillation import with_made_up_texts
    >>> targets = np.array([[1.0, 3.0], [0.0, -3.0]])  # labels, and a teacher's logits
    >>> teacher = lambda texts, seed: np.zeros((len(texts), 1))
    >>> texts, more = with_made_up_texts(["so glad", "so sad"], targets, sets=1, say=teacher)
    >>> len(texts), more[2:].tolist()
    (4, [[0.5, 0.0], [0.5, 0.0]])
    """
    targets = np.asarray(targets)
    if targets.ndim != 2 or len(targets) != len(texts) or targets.shape[1] % 2:
        raise ValueError(f"{len(texts)} texts need targets ({len(texts)}, 2k), got {targets.shape}")
    expected = (len(texts), targets.shape[1] // 2)
    everything, soft = list(texts), [targets]
    for seed in range(sets):
        made_up = augment(texts, seed)
        logits = np.asarray(say(made_up, seed))
        if logits.shape != expected:
            raise ValueError(f"a teacher must say logits {expected}, got {logits.shape}")
        everything += made_up
        soft.append(np.hstack([expit(logits), logits]))
    return everything, np.vstack(soft)
