import zlib

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

from utils.data import Vocabulary, tokenize
from utils.metrics import tune_thresholds
from utils.models import (
    NETWORKS,
    GRUNetwork,
    MeanVectorNetwork,
    NeuralClassifier,
    SparseLinear,
    predict_logits,
    register_network,
)

TEXTS = [
    "what a lovely day",
    "this is awful and I hate it",
    "lovely lovely garden",
    "awful traffic again",
    "a day at work",
    "the garden in the rain",
] * 10
LABELS = np.array([[1, 0], [0, 1], [1, 0], [0, 1], [0, 0], [0, 0]] * 10)


@pytest.fixture(params=["mean", "gru", "two-layer one-way gru"])
def network(request):
    torch.manual_seed(0)
    if request.param == "mean":
        return MeanVectorNetwork(50, 6, hidden=8, labels=3).eval()
    if request.param == "gru":
        return GRUNetwork(50, 6, units=5, labels=3).eval()
    return GRUNetwork(50, 6, units=5, labels=3, layers=2, bidirectional=False).eval()


def test_padding_changes_no_logit(network):
    ids = torch.tensor([[3, 4, 5, 0, 0, 0], [7, 8, 9, 10, 11, 12]])
    together = network(ids)
    torch.testing.assert_close(together[:1], network(ids[:1, :3]))
    torch.testing.assert_close(together[1:], network(ids[1:]))


def test_a_comment_without_tokens_gets_finite_logits(network):
    assert torch.isfinite(network(torch.zeros(2, 4, dtype=torch.int64))).all()


def test_logits_come_back_in_the_order_of_the_comments(network):
    ids = np.zeros((20, 7), dtype=np.int64)
    rng = np.random.default_rng(1)
    for row, length in zip(ids, rng.integers(0, 8, 20), strict=True):
        row[:length] = rng.integers(1, 50, length)
    one_by_one = np.concatenate([predict_logits(network, ids[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(predict_logits(network, ids, batch_size=6), one_by_one, atol=1e-6)
    assert predict_logits(network, ids[:0]).shape == (0, 3)


def test_mean_vector_network_computes_what_it_says():
    network = MeanVectorNetwork(4, 2, hidden=2, labels=1).eval()
    with torch.no_grad():
        network.embedding.weight.copy_(torch.tensor([[0.0, 0], [1, 0], [3, 2], [9, 9]]))
        network.hidden.weight.copy_(torch.eye(2))
        network.hidden.bias.fill_(-1.5)
        network.output.weight.copy_(torch.tensor([[10.0, 1.0]]))
        network.output.bias.fill_(0.25)
    # Mean of (1,0) and (3,2) is (2,1); minus 1.5 and cut at 0 is (.5, 0); 10 * .5 + .25.
    assert network(torch.tensor([[1, 2, 0]])).item() == pytest.approx(5.25)


def test_sparse_linear_drops_words_without_weight_and_learns():
    model = SparseLinear("ekman", ["joy", "anger"], C=5.0).fit(TEXTS, LABELS)
    assert set(model.words) < {word for text in TEXTS for word in tokenize(text)}
    assert (model.predict(TEXTS) == LABELS).all()
    assert model.words == sorted(model.words)


def test_sparse_linear_is_tf_idf_times_weights():
    model = SparseLinear("ekman", ["joy", "anger"], C=5.0).fit(TEXTS, LABELS)
    vectorizer = TfidfVectorizer(analyzer=tokenize, vocabulary=model.words, sublinear_tf=True).fit(
        TEXTS
    )
    logits = vectorizer.transform(TEXTS) @ model.coef.toarray() + model.intercept
    np.testing.assert_allclose(model.predict_proba(TEXTS), 1 / (1 + np.exp(-logits)), rtol=1e-5)


def test_sparse_linear_of_few_letters_knows_other_forms_of_a_word():
    texts = ["thanks a lot", "what a mess", "thankful for that", "messy again"] * 3
    labels = np.array([[1], [0], [1], [0]] * 3)
    model = SparseLinear("ekman", ["joy"], C=5.0, letters=4).fit(texts, labels)
    assert max(map(len, model.words)) == 4 and "than" in model.words
    unseen = model.predict_proba(["thanked", "messier"])[:, 0]
    assert unseen[0] > 0.5 > unseen[1]


def test_sparse_linear_sees_pairs_of_neighbours():
    texts = ["not good", "good", "bad", "not bad"] * 5  # no weights of single words can tell these
    labels = np.array([[0], [1], [0], [1]] * 5)
    alone = SparseLinear("ekman", ["joy"], C=100.0).fit(texts, labels)
    pairs = SparseLinear("ekman", ["joy"], C=100.0, pairs=True).fit(texts, labels)
    assert (pairs.predict(texts) == labels).all() and not (alone.predict(texts) == labels).all()
    assert {"not good", "not bad"} & set(pairs.words)


def test_hashed_words_of_one_bucket_share_their_weights():
    texts = ["lovely", "awful"] * 10
    labels = np.array([[1], [0]] * 10)
    bucket = [zlib.crc32(word.encode()) % 50 for word in texts[:2]]
    assert bucket[0] != bucket[1]
    model = SparseLinear("ekman", ["joy"], C=5.0, buckets=50).fit(texts, labels)
    assert set(map(int, model.words)) <= set(bucket) and model.words == sorted(model.words)
    others = (f"word{n}" for n in range(1000))
    colliding = next(w for w in others if zlib.crc32(w.encode()) % 50 == bucket[0])
    np.testing.assert_array_equal(*map(model.predict_proba, (["lovely"], [colliding])))


def test_sparse_linear_with_an_absent_label_never_predicts_it():
    labels = LABELS.copy()
    labels[:, 1] = 0
    model = SparseLinear("ekman", ["joy", "anger"], C=5.0).fit(TEXTS, labels)
    assert (model.predict_proba(TEXTS)[:, 1] < 1e-6).all()
    assert model.predict_proba([]).shape == (0, 2)


def test_a_classifier_is_tuned_to_the_best_thresholds_of_the_comments_that_it_is_given():
    model = SparseLinear("ekman", ["joy", "anger"], C=5.0).fit(TEXTS, LABELS)
    wanted = tune_thresholds(LABELS, model.predict_proba(TEXTS)).astype(np.float32)
    assert not np.array_equal(model.thresholds, wanted)
    assert model.tune(TEXTS, LABELS) is model
    np.testing.assert_array_equal(model.thresholds, wanted)


def test_sparse_linear_takes_the_same_labels_in_any_type():
    models = [
        SparseLinear("ekman", ["joy", "anger"], C=5.0).fit(TEXTS, LABELS.astype(kind))
        for kind in (int, float, bool)
    ]
    for model in models[1:]:
        np.testing.assert_array_equal(model.coef.toarray(), models[0].coef.toarray())
        np.testing.assert_array_equal(model.intercept, models[0].intercept)


def test_sparse_linear_minimises_the_soft_cross_entropy_with_exact_zeros():
    targets = np.abs(LABELS - np.random.default_rng(0).uniform(0, 0.4, LABELS.shape))
    model = SparseLinear("ekman", ["joy", "anger"], C=2.0).fit(TEXTS, targets)
    vectorizer = TfidfVectorizer(analyzer=tokenize, vocabulary=model.words, sublinear_tf=True)
    features = vectorizer.fit_transform(TEXTS).toarray()
    coef = model.coef.toarray()
    p = 1 / (1 + np.exp(-(features @ coef + model.intercept)))
    gradient = 2.0 * features.T @ (p - targets)
    # Where a weight is 0 the penalty, whose slope is 1, holds it there; elsewhere it balances.
    assert (np.abs(gradient[coef == 0]) <= 1.01).all() and (coef == 0).any()
    np.testing.assert_allclose(gradient[coef != 0], -np.sign(coef[coef != 0]), atol=0.01)


def test_sparse_linear_learns_a_teachers_probabilities():
    texts = ["lovely", "awful", "rain"] * 20
    targets = np.array([[0.8, 0.1, 0.0], [0.3, 0.6, 0.0], [0.05, 0.5, 0.0]] * 20)
    model = SparseLinear("ekman", ["joy", "anger", "fear"], C=1e4).fit(texts, targets)
    np.testing.assert_allclose(model.predict_proba(texts), targets, atol=0.005)


@pytest.mark.parametrize("wrong", [-0.1, 1.5, np.nan])
def test_sparse_linear_refuses_labels_that_are_no_probabilities(wrong):
    labels = LABELS.astype(float)
    labels[3, 1] = wrong
    with pytest.raises(ValueError, match="between 0 and 1"):
        SparseLinear("ekman", ["joy", "anger"]).fit(TEXTS, labels)


def test_tuned_classifier_predicts_at_its_thresholds():
    vocabulary = Vocabulary.from_texts(TEXTS, min_count=1)
    torch.manual_seed(0)
    model = NeuralClassifier(
        MeanVectorNetwork(len(vocabulary), 4, 4, 2), vocabulary, "ekman", ["joy", "anger"]
    )
    model.tune(TEXTS, LABELS)
    assert (model.predict(TEXTS) == (model.predict_proba(TEXTS) >= model.thresholds)).all()
    assert model.thresholds.dtype == np.float32
    with pytest.raises(ValueError, match="as many thresholds"):
        NeuralClassifier(model.network, vocabulary, "ekman", ["joy", "anger"], [0.5])


def test_a_name_of_a_network_is_taken_once(monkeypatch):
    monkeypatch.setattr("utils.models.networks.NETWORKS", dict(NETWORKS))

    class GRUNetwork(torch.nn.Module):
        pass

    with pytest.raises(ValueError, match="utils.models.networks has a network called GRUNetwork"):
        register_network(GRUNetwork)
    assert register_network(NETWORKS["MeanVectorNetwork"]) is NETWORKS["MeanVectorNetwork"]
