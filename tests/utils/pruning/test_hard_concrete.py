import pytest
import torch

from utils.pruning import (
    SHUT,
    HardConcrete,
    deterministic_gate,
    hard_concrete,
    hard_concrete_density,
    keep_probability,
)


@pytest.mark.parametrize("log_alpha", [-4.0, -1.0, 0.0, 2.0])
def test_expected_l0_and_the_density_agree_with_samples(log_alpha):
    uniform = torch.rand(400_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    gates = hard_concrete(torch.tensor(log_alpha).double().expand_as(uniform), uniform)
    kept = keep_probability(torch.tensor(log_alpha)).item()
    assert (gates > 0).double().mean().item() == pytest.approx(kept, abs=0.003)
    edges = torch.linspace(1e-9, 1 - 1e-9, 2001, dtype=torch.float64)
    area = torch.trapezoid(hard_concrete_density(edges, log_alpha), edges).item()
    inside = ((gates > 0) & (gates < 1)).double().mean().item()
    assert area == pytest.approx(inside, abs=0.003)


def test_a_gate_at_test_time_is_shut_exactly_below_its_limit_and_has_no_temperature():
    assert pytest.approx(-2.398, abs=5e-4) == SHUT
    beside = torch.tensor([SHUT - 0.001, SHUT + 0.001, -SHUT - 0.001, -SHUT + 0.001])
    shut, ajar, nearly, open_ = deterministic_gate(beside).tolist()
    assert (shut, open_) == (0, 1) and 0 < ajar < 1e-3 and 1 - 1e-3 < nearly < 1
    assert deterministic_gate(torch.tensor(1.0)) == torch.sigmoid(torch.tensor(1.0)) * 1.2 - 0.1


def test_gradients_of_gates_agree_with_finite_differences():
    generator = torch.Generator().manual_seed(1)
    log_alpha = torch.randn(50, generator=generator, dtype=torch.float64, requires_grad=True)
    uniform = torch.rand(50, generator=generator, dtype=torch.float64)
    gates = hard_concrete(log_alpha, uniform)
    assert 0 < (gates == 0).sum() and 0 < (gates == 1).sum()  # of clipped gates, too
    assert torch.autograd.gradcheck(lambda a: hard_concrete(a, uniform), log_alpha)
    assert torch.autograd.gradcheck(keep_probability, log_alpha)


def test_gates_draw_while_they_train_and_stand_still_otherwise():
    gates = HardConcrete((4, 5), keep=0.5)
    assert not torch.equal(gates(), gates())
    assert torch.equal(gates.eval()(), gates())
    assert gates.expected_l0().item() == pytest.approx(10)


def test_the_stride_changes_how_far_a_step_goes_and_not_where_gates_begin():
    slow, fast = (HardConcrete((3,), stride=s) for s in (1.0, 50.0))
    assert torch.allclose(slow.log_alpha, fast.log_alpha)
    for gates in (slow, fast):
        optimizer = torch.optim.Adam(gates.parameters(), lr=0.01)
        gates.expected_l0().backward()
        optimizer.step()
    start = HardConcrete((3,)).log_alpha
    moved = [(start - gates.log_alpha).mean().item() for gates in (slow, fast)]
    assert moved == pytest.approx([0.01, 0.5], rel=1e-3)


def test_a_gate_that_is_likely_not_0_need_not_be_open():
    half, nearly = (HardConcrete((1,), keep=p).eval()().item() for p in (0.9, 0.98))
    assert half == pytest.approx(0.67, abs=0.005) and nearly == pytest.approx(0.99, abs=0.01)


@pytest.mark.parametrize("wrong", [{"keep": 0.0}, {"keep": 1.0}, {"stride": 0.0}])
def test_what_gates_cannot_begin_with_is_refused(wrong):
    with pytest.raises(ValueError, match="must"):
        HardConcrete((2,), **wrong)
