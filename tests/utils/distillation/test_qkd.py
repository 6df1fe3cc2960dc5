import numpy as np
import pytest
import torch
from scipy.special import expit

from utils.distillation import SoftLabelLoss, co_distill, qkd
from utils.models import GRUNetwork, MeanVectorNetwork, predict_logits
from utils.quantization.aware import AdditivePowers, LearnedStep, QuantizationAware
from utils.training import fit, set_seed

PHASES = ("self_studying", "co_studying", "tutoring")
OPTIONS = dict(lr=0.02, batch_size=32, progress=False)


def _task(rows=200, seed=0):
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, 12, (rows, 6))
    ids[::3, 4:] = 0
    return ids, np.stack([(ids == 2).any(axis=1), (ids == 3).any(axis=1)], axis=1).astype(float)


TRAIN, DEV = _task(), _task(100, 1)


def _pair(fake=None):
    set_seed(0)
    student = MeanVectorNetwork(12, 4, 4, 2, dropout=0.0)
    student = QuantizationAware(student, {"*weight": fake or LearnedStep(3)})
    set_seed(1)
    teacher = MeanVectorNetwork(12, 8, 16, 2, dropout=0.0)
    fit(teacher, TRAIN, DEV, epochs=3, **OPTIONS)
    return student, teacher


def _state(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def _same(state, network):
    return all(torch.equal(tensor, state[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("left_out", [(), *[(phase,) for phase in PHASES], PHASES[:2], PHASES[1:]])
def test_each_phase_can_be_left_out(left_out):
    student, teacher = _pair()
    before, taught = _state(student), _state(teacher)
    epochs = {phase: 0 if phase in left_out else 1 for phase in PHASES}
    histories = qkd(student, teacher, TRAIN, DEV, **epochs, **OPTIONS)
    assert list(histories) == [phase for phase in PHASES if phase not in left_out]
    assert not _same(before, student)
    # Co-studying alone moves the teacher.
    assert _same(taught, teacher) == ("co_studying" in left_out)


def test_the_phases_are_these_trainings_one_after_another():
    student, teacher = _pair()
    qkd(
        student, teacher, TRAIN, DEV, self_studying=2, co_studying=2, tutoring=2,
        temperature=3.0, weight=0.5, **OPTIONS,
    )  # fmt: skip
    expected, tutor = _pair()
    fit(expected, TRAIN, DEV, epochs=2, **OPTIONS)
    co_distill([expected, tutor], TRAIN, DEV, temperature=3.0, weight=0.5, epochs=2, **OPTIONS)
    targets = np.hstack([TRAIN[1], predict_logits(tutor, TRAIN[0])])
    loss = SoftLabelLoss(3.0, alpha=1 / 3)  # (1 - alpha) : alpha is 1 : weight
    fit(expected, (TRAIN[0], targets), DEV, loss=loss, epochs=2, **OPTIONS)
    assert _same(_state(expected), student) and _same(_state(tutor), teacher)


def test_what_comes_out_is_a_network_of_codes():
    student, teacher = _pair(AdditivePowers(3))
    qkd(student, teacher, TRAIN, DEV, self_studying=1, co_studying=1, tutoring=1, **OPTIONS)
    last = predict_logits(student, DEV[0])
    network = student.quantized()
    np.testing.assert_array_equal(predict_logits(network, DEV[0]), last)
    assert all(len(w.unique()) <= 7 for n, w in network.named_parameters() if "weight" in n)


def test_a_tutored_student_says_what_its_teacher_says_right_or_wrong():
    distances = []
    for weight in (0.0, 20.0):
        student, teacher = _pair()
        contrary = TRAIN[0], 1 - TRAIN[1]
        fit(teacher, contrary, contrary, epochs=30, keep_from=30, **OPTIONS)
        options = dict(weight=weight, keep_from=8, **OPTIONS)
        qkd(student, teacher, TRAIN, DEV, self_studying=0, co_studying=0, tutoring=8, **options)
        said, taught = (expit(predict_logits(network, TRAIN[0])) for network in (student, teacher))
        distances.append(np.abs(said - taught).mean())
    assert distances[1] < 0.5 * distances[0]


def test_each_phase_has_a_checkpoint_of_its_own_and_goes_on_from_it(tmp_path):
    path, states = tmp_path / "run", []
    for _ in range(2):
        student, teacher = _pair()
        qkd(
            student, teacher, TRAIN, DEV, self_studying=1, co_studying=1, tutoring=1,
            checkpoint=path, **OPTIONS,
        )  # fmt: skip
        states.append(_state(student))
        assert {p.name for p in tmp_path.iterdir()} == {f"run.{phase}" for phase in PHASES}
    assert _same(states[0], student)


@pytest.mark.parametrize("epochs", [(0, 0, 0), (1, -1, 1)])
def test_phases_that_make_no_training_are_refused(epochs):
    student, teacher = _pair()
    with pytest.raises(ValueError, match="0 epochs or more, and not all of them 0"):
        qkd(student, teacher, TRAIN, DEV, **dict(zip(PHASES, epochs, strict=True)), **OPTIONS)


def test_a_teacher_of_other_labels_is_refused_before_anything_is_trained():
    student, _ = _pair()
    before, other = _state(student), GRUNetwork(12, 4, 4, labels=3)
    with pytest.raises(ValueError, match="the same labels, got 2 and 3"):
        qkd(student, other, TRAIN, DEV, self_studying=1, co_studying=0, tutoring=1, **OPTIONS)
    assert _same(before, student)
