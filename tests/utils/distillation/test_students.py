import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st
from torch import nn

from utils.data import Vocabulary
from utils.distillation import (
    StaticSparseLinear,
    StructuredGRU,
    TensorTrainEmbedding,
    every_second_layer,
    factorize_network,
    replace_layers,
    static_sparse_network,
    truncated_svd,
)
from utils.efficiency import count_macs, count_parameters
from utils.models import (
    GRUNetwork,
    MeanVectorNetwork,
    NeuralClassifier,
    TransformerNetwork,
    WordPiece,
)
from utils.packing import PackingError, load_model, read_file, save_model, size_report, write_file
from utils.training import fit, set_seed

few_examples = settings(max_examples=25)
shapes_of_matrices = st.tuples(st.integers(1, 12), st.integers(1, 12))


def _matrix(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


# --- networks -------------------------------------------------------------------------------------

IDS = torch.tensor([[3, 4, 5, 0, 0], [7, 8, 9, 10, 11], [6, 0, 0, 0, 0]])


def _gru(units=6, layers=2, bidirectional=True):
    torch.manual_seed(0)
    return GRUNetwork(40, 8, units, 3, layers, bidirectional).eval()


def _mean():
    torch.manual_seed(0)
    return MeanVectorNetwork(40, 8, 12, 3).eval()


@pytest.mark.parametrize("layers, bidirectional", [(1, False), (2, True)])
def test_a_structured_gru_of_dense_matrices_is_a_gru(layers, bidirectional):
    network = _gru(layers=layers, bidirectional=bidirectional)
    with torch.no_grad():  # matrices of rank 2 lose nothing at rank 2
        for name, weight in network.gru.named_parameters():
            if name.startswith("weight"):
                A, B = truncated_svd(weight.numpy(), 2)
                weight.copy_(torch.from_numpy(A @ B))
    low = factorize_network(network, rank=2, layers=["gru"])
    assert isinstance(low.gru, StructuredGRU)
    torch.testing.assert_close(low(IDS), network(IDS), rtol=1e-4, atol=1e-5)
    vectors = torch.randn(2, 5, 8)
    for ours, theirs in zip(low.gru(vectors), network.gru(vectors), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_a_structured_gru_needs_matrices_that_fit():
    def spec(n, m):
        return ["Linear", dict(in_features=n, out_features=m)]

    with pytest.raises(ValueError, match="2 layers in 1 directions"):
        StructuredGRU(4, 3, [[spec(4, 9), spec(3, 9)]], num_layers=2)
    with pytest.raises(ValueError, match="do not fit"):
        StructuredGRU(4, 3, [[spec(4, 9), spec(4, 9)]])
    with pytest.raises(ValueError, match="no layer is called 'Conv'"):
        StructuredGRU(4, 3, [[["Conv", {}], spec(3, 9)]])


@pytest.mark.parametrize("make", [_mean, _gru])
def test_energy_and_rank_say_how_far_to_factorise(make):
    network = make()
    assert factorize_network(network, energy=1.0).config["replaced"] == {}
    torch.testing.assert_close(factorize_network(network, energy=1.0)(IDS), network(IDS))
    low = factorize_network(network, rank=1)
    assert "embedding" in low.config["replaced"]
    assert low.embedding.weight.shape == (40, 1)
    assert low(IDS).shape == (3, 3) and torch.isfinite(low(IDS)).all()
    errors = [
        (factorize_network(network, energy=e, layers=["embedding"])(IDS) - network(IDS)).norm()
        for e in (0.1, 0.4, 0.7)
    ]
    assert errors[0] > errors[1] > errors[2] > 0


@pytest.mark.parametrize("make", [_mean, _gru])
@pytest.mark.parametrize("bytes_per_value", [4, 2])
def test_a_byte_budget_is_kept_and_used(make, bytes_per_value):
    network = make()
    dense = count_parameters(network) * bytes_per_value
    for share in (0.5, 0.7, 1.0):
        low = factorize_network(network, budget=share * dense, bytes_per_value=bytes_per_value)
        left = share * dense - count_parameters(low) * bytes_per_value
        # The next rank of the largest matrix, 48 values, may not fit any more.
        assert 0 <= left < 48 * bytes_per_value
    with pytest.raises(ValueError, match="matrices of rank 1 have"):
        factorize_network(network, budget=10)


def test_a_budget_goes_first_where_a_value_buys_most():
    network = MeanVectorNetwork(40, 8, 12, 3)
    with torch.no_grad():  # each matrix has two directions of equal energy
        for matrix in (network.embedding.weight, network.hidden.weight, network.output.weight):
            matrix.zero_()
            matrix[1, 1] = matrix[2, 2] = 5.0
    # A direction of embedding, hidden and output costs 48, 20 and 15 values; biases have 15.
    one_each = 48 + 20 + 15 + 15
    for extra, expected in [(0, (1, 1, 1)), (15, (1, 1, 2)), (35, (1, 2, 2)), (83, (2, 2, 2))]:
        low = factorize_network(network, budget=4 * (one_each + extra))
        ranks = [
            low.config["replaced"][name][1]["rank"] for name in ("embedding", "hidden", "output")
        ]
        assert tuple(ranks) == expected


def test_factorising_wants_one_measure():
    for options in ({}, dict(rank=2, energy=0.5)):
        with pytest.raises(ValueError, match="exactly one"):
            factorize_network(_mean(), **options)
    with pytest.raises(ValueError, match="rank must be at least 1"):
        factorize_network(_mean(), rank=0)
    with pytest.raises(ValueError, match="energy"):
        factorize_network(_mean(), energy=2)


def test_macs_of_factors_are_counted_in_order():
    low = factorize_network(_mean(), rank=2, layers=["hidden"])
    assert count_macs(low) == 2 * (8 + 12) + 12 * 3
    low = factorize_network(_gru(layers=1), rank=1, layers=["gru"])
    assert count_macs(low, tokens=5) == 5 * 2 * ((8 + 18) + (6 + 18)) + 24 * 3


def test_replacing_twice_keeps_what_was_replaced_before():
    low = factorize_network(_mean(), rank=2, layers=["embedding"])
    both = static_sparse_network(low, 0.5, layers=["hidden"], seed=3)
    assert set(both.config["replaced"]) == {"embedding", "hidden"}
    assert torch.equal(both.embedding.weight, low.embedding.weight)
    assert torch.equal(both.output.weight, low.output.weight)
    assert set(low.config["replaced"]) == {"embedding"}


def test_what_cannot_be_replaced():
    with pytest.raises(AttributeError):
        replace_layers(_mean(), {"gru": nn.Linear(2, 2)})
    with pytest.raises(TypeError, match="no layer is called GRU"):
        replace_layers(_gru(), {"gru": nn.GRU(8, 6)})
    with pytest.raises(TypeError, match="cannot replace layers of a Linear"):
        replace_layers(nn.Linear(2, 2), {})


def test_the_patterns_of_a_network_differ_from_layer_to_layer():
    network = static_sparse_network(_gru(), 0.5, "small-world", seed=10, rewiring=0.3)
    sparse = [m for m in network.modules() if isinstance(m, StaticSparseLinear)]
    assert sorted(m.config["seed"] for m in sparse) == list(range(10, 19))
    assert {m.config["rewiring"] for m in sparse} == {0.3}
    assert torch.equal(network.embedding.weight, _gru().embedding.weight)


WORDS = [f"word{i}" for i in range(38)]
TEXTS = ["word0 word1 word2", "word37", "", "word5 word5 unheard word9 word11"]


def _tensor_train(network):
    layer = TensorTrainEmbedding.from_dense(network.embedding, ((5, 8), (2, 4)), 3)
    return replace_layers(network, {"embedding": layer})


STUDENTS = {
    "low-rank mean": lambda: factorize_network(_mean(), rank=2),
    "low-rank gru": lambda: factorize_network(_gru(), rank=2),
    "tensor-train mean": lambda: _tensor_train(_mean()),
    "random mean": lambda: static_sparse_network(_mean(), 0.5),
    "block gru": lambda: static_sparse_network(_gru(units=8), 0.5, "block", layers=["gru"]),
    "small-world gru": lambda: static_sparse_network(_gru(), 0.7, "small-world"),
}


def _classifier(network):
    return NeuralClassifier(network, Vocabulary(WORDS), "ekman", ["a", "b", "c"])


@pytest.mark.parametrize("student", STUDENTS)
def test_students_learn_like_any_network(student):
    network, rng = STUDENTS[student](), np.random.default_rng(0)
    ids = rng.integers(1, 12, (300, 6))
    labels = np.stack([(ids == token).any(axis=1) for token in (2, 3, 4)], axis=1).astype(float)
    options = dict(epochs=15, patience=15, batch_size=32, lr=0.02, progress=False)
    losses = [e["loss"] for e in fit(network, (ids, labels), (ids, labels), **options).epochs]
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize("student", STUDENTS)
def test_students_train_in_half_precision_too(student):
    network, ids = STUDENTS[student](), IDS.numpy()
    history = fit(network, (ids, np.eye(3)), (ids, np.eye(3)), epochs=1, bf16=True, progress=False)
    assert np.isfinite(history.epochs[0]["loss"])


def test_a_fresh_process_loads_every_student(tmp_path):
    expected = []
    for i, make in enumerate(STUDENTS.values()):
        save_model(_classifier(make()), tmp_path / f"{i}.slm")
        expected.append(load_model(tmp_path / f"{i}.slm").predict_proba(TEXTS))
    code = (
        "from utils.packing import load_model; import sys, json;"
        "print(json.dumps([load_model(p).predict_proba(json.loads(sys.argv[1])).tolist()"
        " for p in sys.argv[2:]]))"
    )
    files = [tmp_path / f"{i}.slm" for i in range(len(STUDENTS))]
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(TEXTS), *files],
        capture_output=True,
        text=True,
        check=True,
    )
    np.testing.assert_allclose(json.loads(done.stdout), expected, atol=1e-6)


@pytest.mark.parametrize("student", STUDENTS)
def test_a_student_comes_back_from_its_file(student, tmp_path):
    model = _classifier(STUDENTS[student]())
    save_model(model, tmp_path / "m.slm")
    loaded = load_model(tmp_path / "m.slm")
    np.testing.assert_allclose(loaded.predict_proba(TEXTS), model.predict_proba(TEXTS), atol=1e-6)
    assert loaded.network.config == model.network.config
    parameters = count_parameters(model)
    report = size_report(tmp_path / "m.slm")
    assert report["encoder_bytes"] + report["embedding_bytes"] == 4 * parameters


def test_a_sparse_network_stores_non_zeros_times_their_width(tmp_path):
    network = static_sparse_network(_mean(), 0.75, layers=["hidden"])
    save_model(_classifier(network), tmp_path / "m.slm", {"network.*": "float16"})
    output = 2 * (12 * 3 + 3)
    assert size_report(tmp_path / "m.slm")["encoder_bytes"] == network.hidden.nbytes(2) + output
    assert network.hidden.nbytes(2) == 2 * (12 * 2 + 12)


@pytest.mark.parametrize(
    "replaced",
    [
        {"hidden": ["Module", {}]},
        {"hidden": ["StaticSparseLinear", {"sparsity": 0.5}]},
        {"hidden": ["StaticSparseLinear", dict(in_features=9**9, out_features=9, sparsity=0.5)]},
        {"hidden": ["FactorizedLinear", dict(in_features=8, out_features=12, rank=3)]},
        {"nothing": ["Linear", dict(in_features=8, out_features=12)]},
        {"hidden": "Linear"},
        ["hidden"],
    ],
)
def test_a_file_that_lies_about_its_layers_is_refused(replaced, tmp_path):
    path = tmp_path / "m.slm"
    save_model(_classifier(factorize_network(_mean(), rank=2, layers=["hidden"])), path)
    tensors, header = read_file(path)
    header["config"]["replaced"] = replaced
    write_file(path, tensors, header)
    with pytest.raises(PackingError):
        load_model(path)


# --- transformers ---------------------------------------------------------------------------------


def _transformer(layers=5):
    encoder = dict(
        vocab_size=40,
        hidden_size=8,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=20,
        type_vocab_size=2,
        layer_norm_eps=1e-12,
        hidden_act="gelu",
    )
    torch.manual_seed(0)
    return TransformerNetwork(encoder, labels=3).eval()


def test_every_second_layer_is_the_teacher_without_the_others():
    teacher = _transformer()
    student = every_second_layer(teacher).eval()
    assert student.config["encoder"]["num_hidden_layers"] == 3
    assert teacher.config["encoder"]["num_hidden_layers"] == 5
    logits = student(IDS)
    assert not torch.allclose(logits, teacher(IDS))
    for odd in (3, 1):
        del teacher.encoder.encoder.layer[odd]
    torch.testing.assert_close(logits, teacher(IDS))
    # A copy: training the student leaves the teacher alone.
    with torch.no_grad():
        student.output.weight.zero_()
    assert teacher.output.weight.abs().sum() > 0


def test_only_a_transformer_has_layers_to_leave_out():
    with pytest.raises(TypeError, match="not GRUNetwork"):
        every_second_layer(_gru())


def test_a_transformers_embedding_and_layers_can_be_factorised(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers

    network = _transformer(2)
    low = factorize_network(network, rank=2, layers=["*word_embeddings", "*.dense"])
    assert count_parameters(low) < count_parameters(network)
    set_seed(0)
    fit(low, (IDS.numpy(), np.eye(3)), (IDS.numpy(), np.eye(3)), epochs=1, progress=False)
    pieces = {"[PAD]": 0, "[UNK]": 1} | {word: i for i, word in enumerate(WORDS, start=2)}
    backend = Tokenizer(models.WordLevel(pieces, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    model = NeuralClassifier(low, WordPiece(backend.to_str()), "ekman", ["a", "b", "c"])
    save_model(model, tmp_path / "m.slm")
    np.testing.assert_allclose(
        load_model(tmp_path / "m.slm").predict_proba(TEXTS), model.predict_proba(TEXTS), atol=1e-6
    )
