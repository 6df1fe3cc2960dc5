import numpy as np
import pytest
import torch
from torch.nn.functional import mse_loss

from tests.utils.pruning.battery import interrupted
from utils.models import GRUNetwork, MeanVectorNetwork
from utils.pruning import MovementPruning, straight_through_mask
from utils.training import fit, set_seed

IDS = np.random.default_rng(0).integers(2, 9, (64, 3))
LABELS = np.stack([(IDS == 2).any(1), (IDS == 3).any(1)], axis=1).astype(np.float32)


def test_the_schedule_stands_where_the_paper_says():
    def planned(sparsity, passes, **options):
        network = MeanVectorNetwork(20, 4, 16, 2)
        moving = MovementPruning(network, ["hidden.weight"], sparsity, steps=100, **options)
        found = []
        for count in passes:
            moving.passes.fill_(count)
            found.append(moving.planned())
        return found

    whole = planned(0.9, (0, 10, 50, 90, 100), start=0.0, end=1.0)
    assert whole == pytest.approx([0, 0.2439, 0.7875, 0.8991, 0.9], abs=1e-4)
    part = planned(0.8, (0, 20, 40, 60, 90), start=0.2, end=0.6)
    assert part == pytest.approx([0, 0, 0.7, 0.8, 0.8])


def test_a_score_rises_when_its_weight_wants_to_grow_in_size():
    weights = torch.tensor([2.0, -2.0, 2.0, -2.0], requires_grad=True)
    scores = torch.tensor([1.0, 1.0, -1.0, -1.0], requires_grad=True)
    wanted = torch.tensor([3.0, -1.0, 3.0, 1.0])  # grow, shrink, come back, stay away
    ((weights * straight_through_mask(scores, 0.0) - wanted) ** 2).sum().backward()
    # d loss / d score = w * d loss / d (w m): of a descent step, the negative
    assert (-scores.grad).sign().tolist() == [1, -1, 1, -1]
    assert weights.grad[2:].tolist() == [0, 0] and weights.grad[:2].abs().min() > 0


@pytest.mark.parametrize("learned", [True, False])
@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.95])
def test_every_matrix_has_its_share_of_zeros_at_the_end(learned, sparsity):
    set_seed(0)
    network = GRUNetwork(20, 4, 10, 2)
    options = {"stride": 10, "refresh": 3, "learned": learned}
    moving = MovementPruning(network, ["gru.weight_*"], sparsity, steps=20, **options)
    data = (IDS, LABELS), (IDS, LABELS)
    fit(moving, *data, epochs=5, keep_from=5, batch_size=16, progress=False, lr=0.01)
    pruned = moving.pruned()
    for name, scores in moving.scores().items():
        weight = pruned.get_parameter(name)
        assert (weight == 0).sum().item() == round(sparsity * weight.numel())
        kept = weight != 0
        if 0 < kept.sum() < kept.numel():
            assert scores[kept].min() > scores[~kept].max()
    assert moving.sparsity() == pytest.approx(sparsity, abs=0.01)
    ids = torch.from_numpy(IDS)
    assert torch.allclose(pruned(ids), moving.eval()(ids), atol=1e-6)


def test_the_control_keeps_the_largest_weights_and_movement_others():
    def kept(learned: bool) -> torch.Tensor:
        set_seed(0)
        network = MeanVectorNetwork(20, 4, 16, 2, dropout=0.0)
        before = network.hidden.weight.detach().abs().clone()
        options = {"learned": learned, "stride": 10, "refresh": 1}
        moving = MovementPruning(network, ["hidden.weight"], 0.5, steps=40, **options)
        data = (IDS, LABELS), (IDS, LABELS)
        options = {"epochs": 10, "keep_from": 10, "batch_size": 16, "lr": 1e-3, "loss": mse_loss}
        fit(moving, *data, progress=False, **options)
        return before[moving.pruned().hidden.weight != 0].mean().item()

    assert kept(False) > kept(True)


def test_training_goes_on_from_a_checkpoint_as_if_it_had_not_stopped(tmp_path):
    def train(checkpoint, steps=None) -> MovementPruning:
        set_seed(0)
        network = MeanVectorNetwork(20, 4, 16, 2)
        moving = MovementPruning(network, ["hidden.weight"], 0.8, steps=24, refresh=5)
        data = (IDS, LABELS), (IDS, LABELS)
        options = {"batch_size": 16, "progress": False, "checkpoint": checkpoint}
        fit(moving, *data, epochs=6, keep_from=6, loss=interrupted(mse_loss, steps), **options)
        return moving

    whole = train(None)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "half.pt", steps=14)  # in the fourth of six epochs of four steps
    resumed = train(tmp_path / "half.pt")
    for ours, theirs in zip(
        whole.state_dict().values(), resumed.state_dict().values(), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_numbers_out_of_range_are_refused():
    network = MeanVectorNetwork(20, 4, 16, 2)
    for wrong in ({"sparsity": 1.0}, {"sparsity": -0.1}, {"steps": 0}, {"start": 0.8}):
        with pytest.raises(ValueError, match="sparsity must|at least 1"):
            MovementPruning(network, ["hidden.weight"], **{"sparsity": 0.5, "steps": 9} | wrong)
