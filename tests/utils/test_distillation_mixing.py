import numpy as np
import pytest
from scipy.special import expit

from utils.distillation import mixing_weights


def test_mixing_prefers_the_member_that_knows():
    rng = np.random.default_rng(0)
    labels = (rng.random((500, 3)) < 0.3).astype(float)
    guesses, knows, contradicts = rng.normal(scale=2, size=(3, *labels.shape))
    knows += 3 * labels - 2
    contradicts -= 3 * labels - 2
    weights = mixing_weights([guesses, knows, contradicts], labels)
    assert weights[1] > 0.3 and weights[0] < 0.1 and weights[2] == 0


def test_no_other_weights_fit_better():
    rng = np.random.default_rng(0)
    labels = (rng.random((400, 2)) < (0.5, 0.1)).astype(int)
    members = [0.8 * (2 * labels - 1) + rng.normal(scale=2, size=labels.shape) for _ in range(2)]
    share = labels.mean(axis=0)
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)

    def loss(weights):
        p = expit(weights[0] * members[0] + weights[1] * members[1])
        cross = -labels * np.log(p) - (1 - labels) * np.log(1 - p)
        return (cross.mean(axis=0) / entropy).mean()

    found = mixing_weights(members, labels)
    steps = 0.02 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1]])
    assert all(loss(found) < loss(found + step) for step in steps)


@pytest.mark.parametrize("shapes", [[], [(4, 2), (4, 3)], [(4, 3)], [(3, 2)]])
def test_members_must_fit_the_labels(shapes):
    with pytest.raises(ValueError, match=r"members need logits \(4, 2\) like the labels"):
        mixing_weights([np.zeros(shape) for shape in shapes], np.eye(4, 2))
