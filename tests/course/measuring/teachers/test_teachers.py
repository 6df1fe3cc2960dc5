"""Teachers learn, are kept by what they are made of, and are shipped as what they said."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.special import expit

from course.errors import UserError
from course.measuring import cache
from course.measuring.teachers import base, ensemble, gru, trained, transformer
from course.measuring.teachers.gru import GRUTeacher
from course.measuring.teachers.linear import LinearTeacher
from utils.data import EMOTIONS, GROUPS, Vocabulary, load_sample
from utils.distillation import teacher_logits
from utils.distillation import teachers as shipped
from utils.models import MeanVectorNetwork, predict_logits
from utils.packing import read_file


@pytest.fixture
def house(tmp_path, monkeypatch, cache_folder):
    """Teachers that learn from the course sample and are kept in temporary folders."""
    for module in (ensemble, shipped):
        monkeypatch.setattr(module, "FOLDER", tmp_path / "shipped")

    def as_if_real(split, taxonomy="ekman"):
        data = load_sample(split, taxonomy)
        return replace(data, source=replace(data.source, kind="environment"))

    for module in (base, ensemble, gru, trained):
        monkeypatch.setattr(module, "load_goemotions", as_if_real)
    return tmp_path


def test_a_linear_teacher_says_something_of_every_comment(house):
    path = trained.train_teacher("linear-words")
    assert path.exists() and trained.is_trained("linear-words", 0)
    ids, logits = trained.load_logits("linear-words")
    assert logits.shape == (len(ids), 35) and np.isfinite(logits).all()
    assert set(ids) == {i for split in ("train", "dev", "test") for i in load_sample(split).ids}
    train = load_sample("train")
    row_of = dict(zip(ids, range(len(ids)), strict=True))
    own = logits[[row_of[i] for i in train.ids], :7]
    assert own[train.labels == 1].mean() > own[train.labels == 0].mean() + 1


def test_a_teacher_of_other_settings_is_another_teacher(house, monkeypatch):
    first = trained.train_teacher("linear-words")
    assert trained.train_teacher("linear-words") == first
    monkeypatch.setitem(trained.TEACHERS, "linear-words", partial(LinearTeacher, "words", C=9.0))
    assert not trained.is_trained("linear-words", 0)
    second = trained.train_teacher("linear-words")
    assert second != first and first.exists()
    assert (np.load(first)["logits"] != np.load(second)["logits"]).any()
    monkeypatch.setattr(cache, "data_digest", lambda: "other comments")
    assert not trained.is_trained("linear-words", 0)


def test_folds_part_train_and_keep_the_same_words_together():
    texts = [f"comment {i % 40}" for i in range(100)] + ["Comment 3!", "comment 3 !"]
    rows = np.array([base.Fold(number, 3).rows(texts) for number in range(3)])
    assert (rows.sum(axis=0) == 1).all() and (rows.sum(axis=1) > 20).all()
    for words in {text.lower().replace(" !", "!") for text in texts}:
        same = [i for i, text in enumerate(texts) if text.lower().replace(" !", "!") == words]
        assert (rows[:, same] == rows[:, same[:1]]).all()
    np.testing.assert_array_equal(base.Fold(1, 3).rows(texts), rows[1])


def test_cross_fitted_logits_come_from_a_teacher_that_has_not_seen_the_comment(house, monkeypatch):
    class Remembers:
        """A teacher that says 5 of what it has seen, and -5 of all else."""

        def fit(self, seed, checkpoint, fold=None):
            self.seen = set(base.texts_and_labels("train", fold)[0])

        def logits(self, texts):
            return np.tile([[5.0 if text in self.seen else -5.0] for text in texts], (1, 35))

        def save(self, folder):
            pass

    monkeypatch.setitem(trained.TEACHERS, "linear-words", Remembers)
    monkeypatch.setattr(trained, "answers", lambda logits: logits)
    monkeypatch.setattr(trained, "entry", lambda kind, settings, code: place(house, settings))
    ids, logits = trained.cross_fitted_logits("linear-words", 0, 3)
    train = load_sample("train")
    own = logits[trained.rows_of(ids, train)]
    assert (own == -5).all()
    ids, logits = trained.cross_fitted_logits("linear-words", 0, 3, seen=True)
    np.testing.assert_allclose(logits[trained.rows_of(ids, train)], 5, rtol=1e-5)
    trained.train_teacher("linear-words")
    _, in_sample = trained.load_logits("linear-words")
    assert (in_sample[trained.rows_of(ids, train)] == 5).all()


def place(house, settings):
    folder = house / "remembers" / str(settings["fold"])
    return cache.Entry(folder, {"code": {}}, ())


def test_all_else_is_the_mean_probability_of_the_folds_teachers(house):
    folds = [base.Fold(number, 2) for number in range(2)]
    ids, logits = trained.cross_fitted_logits("linear-words", 0, 2)
    assert all(trained.is_trained("linear-words", 0, fold) for fold in folds)
    assert not trained.is_trained("linear-words", 0)
    each = [np.load(trained.train_teacher("linear-words", 0, fold))["logits"] for fold in folds]
    rows = trained.rows_of(ids, load_sample("test"))
    mean = np.mean([expit(one[rows].astype(np.float64)) for one in each], axis=0)
    np.testing.assert_allclose(expit(logits[rows]), mean, atol=1e-5)
    assert (each[0][rows] != each[1][rows]).any()


def test_a_network_is_kept_with_its_weights_and_without_its_checkpoint(house, monkeypatch):
    small = partial(GRUTeacher, units=4, layers=1, training={"epochs": 1, "batch_size": 64})
    monkeypatch.setitem(trained.TEACHERS, "gru", small)
    folder = trained.train_teacher("gru", 1).parent
    assert sorted(p.name for p in folder.iterdir()) == [
        "logits.npz",
        "made_of.json",
        "network.safetensors",
    ]
    vocabulary = Vocabulary.from_texts(load_sample("train").texts, min_count=2)
    network = trained.gru_network(vocabulary, 1)
    weights = load_file(folder / "network.safetensors")
    assert all(torch.equal(weights[k], v) for k, v in network.state_dict().items())
    assert trained.training_seconds("gru", 1) > 0


def test_what_is_shipped_is_what_the_teachers_said(house, monkeypatch):
    monkeypatch.setattr(ensemble, "MEMBERS", {"linear-words": 2, "linear-characters": 1})
    monkeypatch.setattr(ensemble, "SHIPPED", ("linear-words", "ensemble", "cross-fitted"))
    for name, seeds in ensemble.MEMBERS.items():
        for seed in range(seeds):
            trained.train_teacher(name, seed)
    sizes = ensemble.ship_logits(["linear-words", "ensemble"])
    assert sizes == {p.stem: p.stat().st_size for p in (house / "shipped").glob("*.bin")}
    test = load_sample("test")
    ids, logits = trained.load_logits("linear-words")
    rows = [ids.index(i) for i in test.ids]
    said = teacher_logits(test, "linear-words")
    np.testing.assert_allclose(expit(said), expit(logits[rows, :7]), atol=0.004)
    _, mixed, made_of = ensemble.ensemble()
    assert mixed.dtype == np.float32
    assert all(member["weight"] >= 0 for member in made_of.values())
    header = read_file(house / "shipped" / "ensemble.bin")[1]
    assert header["made_of"] == made_of and made_of["linear-words"]["seeds"] == [0, 1]
    said = teacher_logits(test, "ensemble")
    np.testing.assert_allclose(expit(said), expit(mixed[rows, :7]), atol=0.004)


def test_the_cross_fitted_ensemble_is_made_of_those_who_have_not_seen_the_comment(
    house, monkeypatch
):
    monkeypatch.setattr(ensemble, "CROSS_FITTED", ("linear-words", "linear-characters"))
    assert list(ensemble.ship_logits(["cross-fitted"])) == ["cross-fitted"]
    made_of = read_file(house / "shipped" / "cross-fitted.bin")[1]["made_of"]
    assert tuple(made_of) == ensemble.CROSS_FITTED
    assert all(one["seeds"] == [0] and one["folds"] == 2 for one in made_of.values())
    assert not trained.is_trained("linear-words", 0)  # nobody who has seen all of train was asked
    members = [trained.cross_fitted_logits(name, 0, 2)[1] for name in made_of]
    weights = [one["weight"] for one in made_of.values()]
    ids, logits, _ = ensemble.cross_fitted_ensemble()
    np.testing.assert_allclose(logits, np.tensordot(weights, members, axes=1), rtol=0.02, atol=0.02)
    train = load_sample("train")
    rows = trained.rows_of(ids, train)
    said = teacher_logits(train, "cross-fitted")
    np.testing.assert_allclose(expit(said), expit(logits[rows, :7]), atol=0.004)
    ids, seen, _ = ensemble.cross_fitted_ensemble(seen=True)
    sure = [np.abs(one[rows, :7]).mean() for one in (logits, seen)]
    assert sure[0] < sure[1]  # of comments that it has seen a teacher is surer


def test_a_transformer_says_in_full_precision_what_it_thinks(monkeypatch):
    """On a processor, that is: many only emulate bfloat16."""
    network, ids = MeanVectorNetwork(9, 4, hidden=3, labels=35), np.arange(1, 9).reshape(4, 2)
    kind = SimpleNamespace(from_folder=lambda _: SimpleNamespace(encode=lambda texts, length: ids))
    for name, value in {"find_encoder": str, "device": lambda: "cpu", "WordPiece": kind}.items():
        monkeypatch.setattr(transformer, name, value)
    said = transformer.transformer_logits(network, ["of any length"])
    np.testing.assert_array_equal(said, predict_logits(network, ids))


def test_a_label_of_ekman_hears_its_emotions_in_logits_and_in_the_network_alike():
    torch.manual_seed(0)
    network = MeanVectorNetwork(9, 4, hidden=3, labels=35).eval()
    ids = torch.arange(1, 9).reshape(4, 2)
    with torch.no_grad():
        raw, grouped = network(ids), base.for_ekman(network)(ids).numpy()
    answers = base.answers(raw.numpy())
    np.testing.assert_allclose(answers[:, :7], grouped, atol=1e-5)
    np.testing.assert_array_equal(answers[:, 7:], raw[:, 7:].numpy())
    # Fear is said of fear and of nervousness: nobody else is asked.
    fear, emotions = list(GROUPS["ekman"]).index("fear"), list(EMOTIONS)
    for name, heard in (("nervousness", True), ("fear", True), ("joy", False)):
        louder = raw.clone()
        louder[:, 7 + emotions.index(name)] += 5
        assert (base.answers(louder.numpy())[:, fear] > grouped[:, fear] + 0.1).all() == heard


def test_made_up_texts_come_with_the_answers_of_transformers_in_turns_and_are_kept(
    house, monkeypatch
):
    asked = []

    def transformer_network(seed):
        asked.append(seed)
        return torch.nn.Identity()

    monkeypatch.setitem(trained.TEACHERS, "transformer", partial(LinearTeacher, "words", C=2.0))
    monkeypatch.setattr(trained, "TRANSFORMERS", 2)
    monkeypatch.setattr(trained, "transformer_network", transformer_network)
    monkeypatch.setattr(trained, "transformer_logits", lambda _, texts: np.zeros((len(texts), 35)))
    logits = trained.say_of_made_up(["a", "b", "c"], 0)
    # A label of one emotion is as likely as that; with more emotions, one of them is more likely.
    disgust, joy = list(GROUPS["ekman"]).index("disgust"), list(GROUPS["ekman"]).index("joy")
    assert (logits[:, disgust] == 0).all() and (logits[:, joy] > 1).all()
    np.testing.assert_array_equal(trained.say_of_made_up(["a", "b", "c"], 0), logits)
    assert asked == [0]  # kept: nobody is asked again
    for seed in (1, 2, 3):
        trained.say_of_made_up([f"text {seed}"], seed)
    assert asked == [0, 1, 0, 1]


def test_errors_name_what_to_do(house, monkeypatch):
    with pytest.raises(UserError, match="no teacher 'bert'; there are linear-words"):
        trained.train_teacher("bert")
    with pytest.raises(UserError, match="course teachers gru --seeds 3"):
        trained.load_logits("gru", 2)
    with pytest.raises(UserError, match="No teacher 'bert' is shipped; there are transformer"):
        ensemble.ship_logits(["bert"])
    monkeypatch.setattr(trained, "load_goemotions", load_sample)
    with pytest.raises(UserError, match="set GOEMOTIONS_DIR"):
        trained.train_teacher("linear-words")
