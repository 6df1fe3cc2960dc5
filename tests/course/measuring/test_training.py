"""What the models of several units are trained from."""

from types import SimpleNamespace

import numpy as np

from course.measuring import training
from course.measuring.training import principal_vectors
from utils.data import Vocabulary, load_sample
from utils.embeddings import distilled_vectors
from utils.models import MeanVectorNetwork


def test_principal_vectors_are_the_distilled_ones_on_their_first_axes_at_their_scale():
    vocabulary = Vocabulary.from_texts(load_sample("train").texts)  # thousands of words
    values = principal_vectors(vocabulary, 20)
    assert values.dtype == np.float32 and not values[Vocabulary.PAD].any()
    whole = distilled_vectors(vocabulary, 100).values.astype(np.float64)
    U, S, _ = np.linalg.svd(whole - whole.mean(axis=0), full_matrices=False)
    expected = U[:, :20] * S[:20] * np.sqrt(100 / 20)
    words = np.arange(len(vocabulary)) != Vocabulary.PAD
    np.testing.assert_allclose(np.abs(values[words]), np.abs(expected[words]), atol=1e-3)


def test_a_network_learns_comments_and_labels_unless_there_are_others(monkeypatch):
    seen, train, dev = [], load_sample("train"), load_sample("dev")

    def fit(network, data, dev, **options):
        seen.append((*data, *dev, options))
        return SimpleNamespace(epochs=[1, 2], best_epoch=2, thresholds=np.full(7, 0.25))

    for name, value in {"fit": fit, "data": load_sample, "one_thread": lambda: None}.items():
        monkeypatch.setattr(training, name, value)
    words = Vocabulary.from_texts(train.texts)
    network = MeanVectorNetwork(len(words), 2, hidden=2, labels=7)
    model, cost = training.train_network(network, words, 3, length=9)
    soft = np.full((1, 7), 0.5)
    training.train_network(network, words, 4, texts=["one"], targets=soft, length=9, epochs=1)
    np.testing.assert_array_equal(seen[0][0], words.encode(train.texts, 9))
    np.testing.assert_array_equal(seen[1][0], words.encode(["one"], 9))
    np.testing.assert_array_equal(seen[0][1], train.labels)
    assert seen[1][1] is soft
    for _, _, ids, labels, _ in seen:
        np.testing.assert_array_equal(ids, words.encode(dev.texts, 9))
        np.testing.assert_array_equal(labels, dev.labels)
    expected = training.TRAINING | {"seed": 3, "progress": False}
    assert seen[0][4] == expected and seen[1][4] == expected | {"seed": 4, "epochs": 1}
    assert (cost["epochs"], cost["best_epoch"], model.length) == (2, 2, 9)
    assert model.thresholds.tolist() == [0.25] * 7
