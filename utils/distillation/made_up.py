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
