import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy_with_logits

from utils.distillation import FeatureMatching, SoftLabelLoss, feature_matching, predict_features
from utils.models import GRUNetwork, MeanVectorNetwork
from utils.training import fit, set_seed


def _tensor(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def test_soft_label_loss_by_hand():
    logits, targets = _tensor([2, 0]), _tensor([1, 0, 4, -2])
    # Soft, T = 2: log(1 + e) - sigmoid(2) = 0.432465 and log 2; their mean times 4 is 2.251223.
    # Hard: log(1 + e^2) - 2 = 0.126928 and log 2; their mean is 0.410038.
    assert SoftLabelLoss(2, 1)(logits, targets).item() == pytest.approx(2.251223, abs=1e-5)
    assert SoftLabelLoss(2, 0)(logits, targets).item() == pytest.approx(0.410038, abs=1e-5)
    assert SoftLabelLoss(2, 0.25)(logits, targets).item() == pytest.approx(0.870334, abs=1e-5)


@pytest.mark.parametrize("temperature, alpha", [(1, 0.5), (4, 1.0), (0.5, 0.3)])
def test_soft_label_loss_has_the_gradient_that_numbers_give(temperature, alpha):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(0, 2, (5, 3), generator=generator)
    teacher = torch.randn(5, 3, generator=generator, dtype=torch.float64)
    targets, loss = torch.cat([labels, teacher], dim=1), SoftLabelLoss(temperature, alpha)
    assert torch.autograd.gradcheck(lambda s: loss(s, targets), logits)


def _gradient(loss, student, teacher):
    student = student.clone().requires_grad_()
    loss(student, torch.cat([torch.zeros_like(teacher), teacher], dim=1)).backward()
    return student.grad * student.numel()


def test_at_high_temperature_it_is_a_regression_on_the_teachers_logits():
    student, teacher = _tensor([3, -1], [0.5, 2]), _tensor([1, -4], [0, 6])
    gradient = _gradient(SoftLabelLoss(1000, 1), student, teacher)
    torch.testing.assert_close(gradient, (student - teacher) / 4, rtol=1e-4, atol=0)
    # Without the square of the temperature there would be nothing left of it.
    assert (gradient / 1000**2).abs().max() < 1e-5


@given(st.floats(-8, 8), st.floats(0.25, 50))
def test_soft_term_is_smallest_at_the_teacher_where_it_is_the_entropy(softened, temperature):
    teacher, loss = _tensor([softened * temperature]), SoftLabelLoss(temperature, 1)
    targets = torch.cat([torch.zeros_like(teacher), teacher], dim=1)  # labels have no say
    p = torch.sigmoid(teacher / temperature)
    entropy = -(torch.special.xlogy(p, p) + torch.special.xlogy(1 - p, 1 - p)).item()
    at_teacher = loss(teacher, targets).item()
    assert at_teacher == pytest.approx(temperature**2 * entropy, rel=1e-6, abs=1e-9)
    for step in (-1, 1):
        assert loss(teacher + step * temperature, targets).item() > at_teacher


def test_probabilities_in_place_of_logits_are_noticed():
    labels = torch.tensor([[0.0, 1.0]] * 10)
    logits = torch.linspace(-4, 0.9, 20).reshape(10, 2)
    SoftLabelLoss()(logits, torch.cat([labels, logits], dim=1))
    SoftLabelLoss()(logits, torch.cat([labels, torch.zeros(10, 2)], dim=1))  # knows nothing
    with pytest.raises(ValueError, match="as probabilities do"):
        SoftLabelLoss()(logits, torch.cat([labels, torch.sigmoid(logits)], dim=1))
    for wrong in (2.0, -0.1, torch.nan):
        with pytest.raises(ValueError, match="labels must lie between 0 and 1"):
            SoftLabelLoss()(logits, torch.cat([labels * wrong, logits], dim=1))


def test_a_teacher_that_knows_the_labels_makes_both_terms_equal():
    logits, labels = _tensor([2, -1, 0.5]), _tensor([1, 0, 1])
    targets = torch.cat([labels, (2 * labels - 1) * 1000], dim=1)
    soft, hard = (SoftLabelLoss(1, alpha)(logits, targets).item() for alpha in (1, 0))
    assert soft == pytest.approx(hard)


def test_soft_label_loss_refuses_what_it_cannot_mean():
    with pytest.raises(ValueError, match=r"need targets \(2, 6\).*got \(2, 3\)"):
        SoftLabelLoss()(torch.zeros(2, 3), torch.zeros(2, 3))
    for temperature in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="temperature"):
            SoftLabelLoss(temperature)
    with pytest.raises(ValueError, match="alpha"):
        SoftLabelLoss(alpha=1.5)


# --- features -------------------------------------------------------------------------------------


def _matching():
    matching = FeatureMatching(2, 3).double()
    with torch.no_grad():
        matching.projection.weight.copy_(_tensor([1, 0], [0, 2], [1, 1]))
        matching.projection.bias.copy_(torch.tensor([0.0, 0, 1]))
    return matching


def test_feature_matching_by_hand():
    # Projected: (1, 4, 4) and (0, -2, 0). Squares of the differences: 0 1 0 and 4 0 0.
    value = _matching()(_tensor([1, 2], [0, -1]), _tensor([1, 3, 4], [2, -2, 0]))
    assert value.item() == pytest.approx(5 / 6)


def test_feature_matching_has_the_gradient_that_numbers_give():
    generator = torch.Generator().manual_seed(0)
    student = torch.randn(4, 2, generator=generator, dtype=torch.float64, requires_grad=True)
    teacher = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    matching = _matching()
    assert torch.autograd.gradcheck(
        lambda features, *_: matching(features, teacher), (student, *matching.parameters())
    )


def test_feature_matching_refuses_other_widths():
    for shapes in [((4, 3), (4, 3)), ((4, 2), (4, 2)), ((4, 2), (5, 3))]:
        with pytest.raises(ValueError, match=r"expected features \(n, 2\) and \(n, 3\)"):
            FeatureMatching(2, 3)(*(torch.zeros(shape) for shape in shapes))


def _task(rows=200, seed=0):
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, 12, (rows, 6))
    ids[::3, 4:] = 0
    return ids, np.stack([(ids == 2).any(axis=1), (ids == 3).any(axis=1)], axis=1).astype(float)


@pytest.mark.parametrize("kind", [MeanVectorNetwork, GRUNetwork])
def test_features_are_what_the_output_layer_reads(kind):
    set_seed(0)
    network, (ids, _) = kind(12, 4, 5, 2), _task()
    features = torch.from_numpy(predict_features(network, ids, batch_size=7))
    with torch.no_grad():
        expected = network(torch.from_numpy(ids))
    torch.testing.assert_close(network.output(features), expected)


@pytest.mark.parametrize("kind", [MeanVectorNetwork, GRUNetwork])
def test_a_student_learns_a_teachers_features_and_is_left_as_a_plain_network(kind):
    set_seed(0)
    (ids, labels), teacher = _task(), MeanVectorNetwork(12, 4, 6, 2)
    fit(teacher, (ids, labels), (ids, labels), epochs=3, lr=0.01, progress=False)
    features = predict_features(teacher, ids)
    targets = np.hstack([labels, labels * 8 - 4, features])
    student = kind(12, 4, 5, 2, dropout=0.0)
    names = list(student.state_dict())
    matching = FeatureMatching(predict_features(student, ids[:1]).shape[1], 6)

    def distance():
        with torch.no_grad():
            ours = torch.from_numpy(predict_features(student, ids))
            return matching(ours, torch.from_numpy(features)).item()

    before, projection = distance(), matching.projection.weight.detach().clone()
    with feature_matching(student, matching, SoftLabelLoss(), weight=10) as loss:
        fit(student, (ids, targets), (ids, labels), loss=loss, epochs=8, lr=0.01, progress=False)
    assert distance() < before / 2
    assert not torch.equal(matching.projection.weight, projection)
    assert list(student.state_dict()) == names
    assert student.train()(torch.from_numpy(ids)).shape == (len(ids), 2)


def test_the_loss_is_the_sum_of_both_parts():
    set_seed(0)
    student, ids = MeanVectorNetwork(12, 4, 2, 2, dropout=0.0).double(), torch.tensor([[3, 4, 0]])
    labels, teacher = _tensor([1, 0]), _tensor([1, 2, 3])
    matching = _matching()
    with feature_matching(student, matching, binary_cross_entropy_with_logits, 0.5) as loss:
        value = loss(student.train()(ids), torch.cat([labels, teacher], dim=1))
        assert student.eval()(ids).shape == (1, 2)
    features = torch.from_numpy(predict_features(student, ids.numpy())).double()
    expected = binary_cross_entropy_with_logits(student(ids), labels)
    expected = expected + 0.5 * matching(features, teacher)
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_student_is_left_as_it_was_when_training_fails():
    student = MeanVectorNetwork(12, 4, 2, 2)
    with pytest.raises(FloatingPointError):
        with feature_matching(student, FeatureMatching(2, 3), SoftLabelLoss()):
            raise FloatingPointError
    assert student.train()(torch.tensor([[3]])).shape == (1, 2)
    assert not hasattr(student, "matching")
