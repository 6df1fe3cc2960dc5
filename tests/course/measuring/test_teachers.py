from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import expit

from course.errors import UserError
from course.measuring import teachers
from utils.data import EMOTIONS, GROUPS, load_sample
from utils.distillation import teacher_logits
from utils.distillation import teachers as shipped
from utils.models import MeanVectorNetwork
from utils.packing import read_file


@pytest.fixture
def house(tmp_path, monkeypatch):
    """Teachers that learn from the course sample and are kept in temporary folders."""
    monkeypatch.setattr(teachers, "BUILD", tmp_path / "build")
    for module in (teachers, shipped):
        monkeypatch.setattr(module, "FOLDER", tmp_path / "shipped")

    def as_if_real(split, taxonomy="ekman"):
        data = load_sample(split, taxonomy)
        return replace(data, source=replace(data.source, kind="environment"))

    monkeypatch.setattr(teachers, "load_goemotions", as_if_real)
    return tmp_path


def test_a_linear_teacher_says_something_of_every_comment(house):
    path = teachers.train_teacher("linear-words")
    assert path.exists() and teachers.is_trained("linear-words", 0)
    ids, logits = teachers.load_logits("linear-words")
    assert logits.shape == (len(ids), 35) and np.isfinite(logits).all()
    assert set(ids) == {i for split in ("train", "dev", "test") for i in load_sample(split).ids}
    train = load_sample("train")
    row_of = dict(zip(ids, range(len(ids)), strict=True))
    own = logits[[row_of[i] for i in train.ids], :7]
    assert own[train.labels == 1].mean() > own[train.labels == 0].mean() + 1


def test_what_is_shipped_is_what_the_teachers_said(house, monkeypatch):
    monkeypatch.setattr(teachers, "MEMBERS", {"linear-words": 2, "linear-characters": 1})
    monkeypatch.setattr(teachers, "SHIPPED", ("linear-words", "ensemble"))
    for name, seeds in teachers.MEMBERS.items():
        for seed in range(seeds):
            teachers.train_teacher(name, seed)
    sizes = teachers.ship_logits()
    assert sizes == {p.stem: p.stat().st_size for p in (house / "shipped").glob("*.bin")}
    test = load_sample("test")
    ids, logits = teachers.load_logits("linear-words")
    rows = [ids.index(i) for i in test.ids]
    said = teacher_logits(test, "linear-words")
    np.testing.assert_allclose(expit(said), expit(logits[rows, :7]), atol=0.004)
    _, mixed, made_of = teachers.ensemble()
    assert all(member["weight"] >= 0 for member in made_of.values())
    header = read_file(house / "shipped" / "ensemble.bin")[1]
    assert header["made_of"] == made_of and made_of["linear-words"]["seeds"] == [0, 1]
    said = teacher_logits(test, "ensemble")
    np.testing.assert_allclose(expit(said), expit(mixed[rows, :7]), atol=0.004)


def test_a_label_of_ekman_hears_its_emotions_in_logits_and_in_the_network_alike():
    torch.manual_seed(0)
    network = MeanVectorNetwork(9, 4, hidden=3, labels=35).eval()
    ids = torch.arange(1, 9).reshape(4, 2)
    with torch.no_grad():
        raw, grouped = network(ids), teachers.for_ekman(network)(ids).numpy()
    answers = teachers._answers(raw.numpy())
    np.testing.assert_allclose(answers[:, :7], grouped, atol=1e-5)
    np.testing.assert_array_equal(answers[:, 7:], raw[:, 7:].numpy())
    # Fear is said of fear and of nervousness: nobody else is asked.
    fear, emotions = list(GROUPS["ekman"]).index("fear"), list(EMOTIONS)
    for name, heard in (("nervousness", True), ("fear", True), ("joy", False)):
        louder = raw.clone()
        louder[:, 7 + emotions.index(name)] += 5
        assert (teachers._answers(louder.numpy())[:, fear] > grouped[:, fear] + 0.1).all() == heard


def test_made_up_texts_come_with_the_answers_of_a_transformer_and_are_kept(house, monkeypatch):
    (house / "build").mkdir()
    asked = []

    def transformer_network(seed):
        asked.append(seed)
        return MeanVectorNetwork(9, 4, 3, 35)

    monkeypatch.setattr(teachers, "transformer_network", transformer_network)
    monkeypatch.setattr(
        teachers, "_transformer_logits", lambda _, texts: np.zeros((len(texts), 35))
    )
    texts, logits = teachers.made_up_texts(0)
    assert len(texts) == len(load_sample("train")) == len(logits)
    # A label of one emotion is as likely as that; with more emotions, one of them is more likely.
    disgust, joy = list(GROUPS["ekman"]).index("disgust"), list(GROUPS["ekman"]).index("joy")
    assert (logits[:, disgust] == 0).all() and (logits[:, joy] > 1).all()
    np.testing.assert_array_equal(teachers.made_up_texts(0)[1], logits)
    assert asked == [0]  # kept: nobody is asked again
    monkeypatch.setattr(teachers, "MEMBERS", {"gru": 3, "transformer": 2})
    for seed in (1, 2, 3):
        teachers.made_up_texts(seed)
    assert asked == [0, 1, 0, 1]


def test_rare_labels_count_more_and_none_for_nothing():
    labels = np.zeros((1000, 3))
    labels[:500, 0] = labels[:10, 1] = 1
    weights = teachers.label_weights(labels)
    # Entropies of shares 1/2 and 1/100, by hand; an absent label counts as one in ten thousand.
    np.testing.assert_allclose(weights[1] / weights[0], np.sqrt(np.log(2) / 0.0560015), rtol=1e-4)
    assert weights[2] > weights[1] and weights.mean() == pytest.approx(1)

    # At a logit of 0 every label's cross entropy is log 2, so one gradient beside another shows the weights.
    logits = torch.zeros(1, 3, requires_grad=True)
    loss = teachers.weighted_loss(labels)(logits, torch.tensor([[1.0, 1.0, 0.25]]))
    assert loss.item() == pytest.approx(np.log(2))
    loss.backward()
    expected = weights * np.array([-0.5, -0.5, 0.25]) / 3
    np.testing.assert_allclose(logits.grad[0].numpy(), expected, rtol=1e-5)


def test_a_network_starts_by_saying_how_frequent_each_label_is():
    network = MeanVectorNetwork(5, 4, hidden=3, labels=2)
    teachers.start_at_frequencies(network, np.array([[1, 0], [0, 0], [0, 0], [0, 0]]))
    np.testing.assert_allclose(expit(network.output.bias.detach().numpy()), [0.25, 1e-4], rtol=1e-4)


def test_mixing_prefers_the_member_that_knows():
    rng = np.random.default_rng(0)
    labels = (rng.random((500, 3)) < 0.3).astype(float)
    guesses, knows, contradicts = rng.normal(scale=2, size=(3, *labels.shape))
    knows += 3 * labels - 2
    contradicts -= 3 * labels - 2
    weights = teachers.mixing_weights([guesses, knows, contradicts], labels)
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

    found = teachers.mixing_weights(members, labels)
    steps = 0.02 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1]])
    assert all(loss(found) < loss(found + step) for step in steps)


def test_errors_name_what_to_do(house, monkeypatch):
    with pytest.raises(UserError, match="no teacher 'bert'; there are linear-words"):
        teachers.train_teacher("bert")
    with pytest.raises(UserError, match="course teachers gru --seeds 3"):
        teachers.load_logits("gru", 2)
    monkeypatch.setattr(teachers, "load_goemotions", load_sample)
    with pytest.raises(UserError, match="set GOEMOTIONS_DIR"):
        teachers.train_teacher("linear-words")
