"""Values and gradients of fake quantization, beside hand-computed ones and finite differences."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from utils.quantization import entropy
from utils.quantization.aware import (
    LearnedStep,
    code_entropy,
    fake_quantize,
    learned_powers,
    learned_step,
    pact,
    share,
    straight_through,
)
from utils.quantization.scalar import power_levels

NUMBERS = arrays(
    np.float32, array_shapes(max_dims=3, max_side=6), elements=st.floats(-50, 50, width=32)
)


def leaf(values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def slope(function, x: torch.Tensor, eps: float = 1e-6) -> torch.Tensor:
    """Central differences of a sum by each number of x."""
    with torch.no_grad():
        steps = eps * torch.eye(x.numel(), dtype=x.dtype).view(-1, *x.shape)
        return torch.stack(
            [(function(x + s).sum() - function(x - s).sum()) / (2 * eps) for s in steps]
        ).view(x.shape)


# --- straight through -----------------------------------------------------------------------------


@given(NUMBERS)
def test_straight_through_gives_the_values_bit_by_bit(x):
    values = torch.from_numpy(np.flip(x).copy() * np.float32(1.1))
    x = torch.from_numpy(x).requires_grad_()
    result = straight_through(x, values)
    assert torch.equal(result, values)
    result.backward(values)
    assert torch.equal(x.grad, values)


def test_straight_through_leaves_its_values_as_they_were():
    x, values = torch.zeros(2, requires_grad=True), torch.ones(2)
    straight_through(x, values).mul_(3)
    assert values.tolist() == [1, 1]


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"x has the shape \(2,\), not \(3,\)"):
        straight_through(torch.zeros(2), torch.zeros(3))
    with pytest.raises(ValueError, match="shape"):
        straight_through(torch.zeros(2), torch.zeros(2), torch.ones(1, dtype=torch.bool))


@given(
    NUMBERS,
    st.floats(2**-10, 8, width=32),
    st.integers(-3, 3),
    st.sampled_from([(-127, 127), (0, 15), (-2, 1)]),
)
def test_fake_quantization_is_that_of_torch_bit_by_bit(x, scale, zero_point, ends):
    low, high = ends
    zero_point = min(max(zero_point, low), high)
    results = []
    for function in (fake_quantize, torch.fake_quantize_per_tensor_affine):
        weight = torch.from_numpy(x.copy()).requires_grad_()
        values = function(weight, scale, zero_point, low, high)
        values.sum().backward()
        results.append((values.detach(), weight.grad))
    (ours, our_gradient), (theirs, their_gradient) = results
    assert torch.equal(ours, theirs) and torch.equal(our_gradient, their_gradient)


@given(arrays(np.float32, (3, 4), elements=st.floats(-50, 50, width=32)))
def test_with_a_scale_for_each_output_it_is_that_of_torch_too(x):
    scale = torch.tensor([0.1, 1.0, 3.0])
    zeros = torch.zeros(3, dtype=torch.int32)
    expected = torch.fake_quantize_per_channel_affine(torch.from_numpy(x), scale, zeros, 0, -7, 7)
    assert torch.equal(fake_quantize(torch.from_numpy(x), scale[:, None], 0, -7, 7), expected)


def test_outside_the_range_nothing_is_learned():
    x = torch.tensor([-100.0, -1.0, 1.0, 100.0], requires_grad=True)
    fake_quantize(x, 1.0, low=-3, high=3).sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf"), torch.tensor([1.0, 0.0])])
def test_a_scale_that_makes_no_grid_is_refused(scale):
    with pytest.raises(ValueError, match="number above 0"):
        fake_quantize(torch.zeros(2), scale)
    with pytest.raises(ValueError, match="two codes"):
        fake_quantize(torch.zeros(2), 1.0, low=3, high=3)


# --- learned steps and ranges ---------------------------------------------------------------------


def test_the_gradient_of_the_step_by_hand():
    x, step = leaf([0.3, -0.8, 9.0, -9.0, 0.0]), leaf(0.5)
    values = learned_step(x, step, -3, 2, group=5)
    values.backward(leaf([1.0, 2.0, 3.0, 4.0, 5.0]).detach())
    assert values.tolist() == [0.5, -1.0, 1.0, -1.5, 0.0]
    # round(u) - u within, the code beyond; 1 / sqrt(group * highest code) over the sum.
    by_hand = (1 * (1 - 0.6) + 2 * (-2 + 1.6) + 3 * 2 + 4 * -3 + 5 * 0) / np.sqrt(5 * 2)
    assert step.grad.item() == pytest.approx(by_hand)
    assert x.grad.tolist() == [1, 2, 0, 0, 5]


def test_each_output_has_the_gradient_of_a_layer_of_its_own():
    rng = np.random.default_rng(0)
    x, steps = rng.normal(size=(3, 8)), [0.1, 0.4, 2.0]
    together = leaf(steps)
    learned_step(leaf(x), together[:, None], -7, 7, group=8).square().sum().backward()
    for row, step, gradient in zip(x, steps, together.grad, strict=True):
        alone = leaf(step)
        learned_step(leaf(row), alone, -7, 7, group=8).square().sum().backward()
        assert alone.grad.item() == pytest.approx(gradient.item())


def smooth_step(x, step, low, high, wobble):
    """The same function, what rounding adds to u held at `wobble`."""
    u = (x / step).clamp(low, high)
    return (u + wobble) * step


@given(arrays(np.float64, 7, elements=st.floats(-9, 9)), st.floats(0.3, 3))
def test_the_gradient_of_the_step_is_that_of_the_function_with_rounding_held(x, step):
    x, step = leaf(x), leaf(step)
    u = (x / step).detach()
    if (((u.abs() - 3).abs()) < 1e-3).any():
        return  # a corner of the clipped function has two slopes
    clipped = u.clamp(-3, 3)
    wobble = clipped.round() - clipped
    learned_step(x, step, -3, 3, group=7).sum().backward()
    by_step = slope(lambda s: smooth_step(x.detach(), s, -3, 3, wobble), step.detach())
    by_x = slope(lambda v: smooth_step(v, step.detach(), -3, 3, wobble), x.detach())
    torch.testing.assert_close(step.grad, by_step / np.sqrt(7 * 3), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(x.grad, by_x, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("signed, low", [(False, 0.0), (True, -2.0)])
def test_the_gradient_of_a_range_is_that_of_clipping_alone(signed, low):
    x, clip = leaf([-5.0, -0.3, 0.0, 0.7, 1.9, 2.0, 5.0]), leaf(2.0)
    pact(x, clip, bits=3, signed=signed).sum().backward()

    def clipped(x, clip):
        return torch.minimum(torch.maximum(x, -clip if signed else clip * 0), clip)

    corners = torch.tensor([low, 2.0])
    smooth = ~torch.isin(x.detach(), corners.double())
    by_x = slope(lambda v: clipped(v, clip.detach()), x.detach())
    torch.testing.assert_close(x.grad[smooth], by_x[smooth])
    assert x.grad[5] == 0 and clip.grad.item() == (1 if signed else 2)  # at the clip it counts


def test_a_range_is_a_uniform_grid_up_to_it():
    x = torch.tensor([-5.0, -0.3, 0.7, 1.9, 5.0])
    values = pact(x, torch.tensor(2.0), bits=3, signed=True)  # steps of 2/3
    torch.testing.assert_close(values, torch.tensor([-2.0, 0.0, 2 / 3, 2.0, 2.0]))
    torch.testing.assert_close(
        pact(x, torch.tensor(2.0), bits=2), torch.tensor([0.0, 0.0, 2 / 3, 2.0, 2.0])
    )
    with pytest.raises(ValueError, match="bits"):
        pact(x, torch.tensor(2.0), bits=1, signed=True)


@pytest.mark.parametrize("bits", [3, 4, 5, 6])
def test_the_gradient_of_a_range_of_powers_by_hand(bits):
    x, clip = leaf([-7.0, -1.15, -0.2, 0.0, 0.35, 2.1, 2.9]), leaf(2.2)
    values = learned_powers(x, clip, bits)
    values.sum().backward()
    by_clip, levels = 0.0, power_levels(bits).astype(np.float64)
    for number, value in zip(x.tolist(), values.tolist(), strict=True):
        u = number / 2.2
        nearest = (
            np.sign(u) * levels[np.abs(levels - abs(u)).argmin()] if abs(u) < 1 else np.sign(u)
        )
        assert value == pytest.approx(2.2 * nearest, rel=1e-6)
        by_clip += nearest - u if abs(u) < 1 else np.sign(u)
    assert clip.grad.item() == pytest.approx(by_clip, rel=1e-5, abs=1e-6)
    assert x.grad.tolist() == [0, 1, 1, 1, 1, 1, 0]


# --- shared weights -------------------------------------------------------------------------------


def test_a_shared_value_gets_the_mean_of_its_weights_gradients():
    centroids = leaf([-1.0, 0.0, 2.0, 9.0])
    codes = torch.tensor([[0, 0, 1], [2, 0, 1]])
    weights = share(centroids, codes)
    assert weights.tolist() == [[-1, -1, 0], [2, -1, 0]]
    weights.backward(leaf([[1.0, 2.0, 50.0], [7.0, 6.0, 50.0]]).detach())
    assert centroids.grad.tolist() == [3, 0, 7, 0]  # zero stays, and the last has no weight


# --- rate -----------------------------------------------------------------------------------------


@given(arrays(np.int64, st.integers(1, 30), elements=st.integers(-4, 4)))
def test_of_codes_it_is_their_entropy(codes):
    found = code_entropy(torch.from_numpy(codes).double(), -4, 4).item()
    assert found == pytest.approx(entropy(codes), abs=1e-9)


def test_its_gradient_is_that_of_the_smoothed_histogram():
    rng = np.random.default_rng(0)
    u = leaf(rng.normal(size=60) * 1.5)
    code_entropy(u, -3, 3).backward()
    difference = slope(lambda v: code_entropy(v, -3, 3), u.detach())
    torch.testing.assert_close(u.grad, difference, atol=1e-7, rtol=1e-5)
    assert (u.grad[u.detach().abs() > 3] == 0).all() and (u.detach().abs() > 3).any()


def test_its_gradient_by_hand():
    # p: 0.5 * 0.75 + 0.5 for the code 0, 0.5 * 0.25 for the code 1.
    u = leaf([0.25, 0.0])
    value = code_entropy(u, -1, 1)
    p = np.array([0.875, 0.125])
    assert value.item() == pytest.approx(-(p * np.log2(p)).sum())
    value.backward()
    assert u.grad[0].item() == pytest.approx((np.log2(0.875) - np.log2(0.125)) / 2)


def test_by_the_step_it_is_scaled_like_that_of_the_values():
    """So a step weighs loss against rate as weights do, whatever their number."""
    x = torch.from_numpy(np.random.default_rng(0).normal(size=60))
    fake = LearnedStep(3).start(x).double()
    fake.rate(x).backward()
    by_log = slope(lambda log: 60 * code_entropy(x / log.exp(), -3, 3), fake.log.detach())
    assert fake.log.grad.item() == pytest.approx(by_log.item() / np.sqrt(60 * 3), rel=1e-5)


def test_a_code_that_no_value_has_costs_a_number():
    u = leaf([0.0, 0.0, 3.0])
    code_entropy(u, -3, 3).backward()
    assert torch.isfinite(u.grad).all()
    for wrong in (lambda: code_entropy(torch.zeros(0), -1, 1), lambda: code_entropy(u, 2, 2)):
        with pytest.raises(ValueError, match="an entropy needs values"):
            wrong()
