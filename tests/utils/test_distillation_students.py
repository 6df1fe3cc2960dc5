import json
import subprocess
import sys
from math import prod

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from utils.data import Vocabulary
from utils.distillation import (
    FactorizedEmbedding,
    FactorizedLinear,
    StaticSparseLinear,
    StructuredGRU,
    TensorTrainEmbedding,
    every_second_layer,
    factorize_network,
    rank_for_bytes,
    rank_for_energy,
    replace_layers,
    splitmix64,
    static_sparse_index,
    static_sparse_network,
    tensor_train,
    truncated_svd,
    tt_reconstruct,
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


# --- low rank -------------------------------------------------------------------------------------


def test_truncated_svd_by_hand():
    A, B = truncated_svd([[3, 0], [0, -2], [0, 0]], 1)  # singular values 3 and 2
    np.testing.assert_allclose(A @ B, [[3, 0], [0, 0], [0, 0]], atol=1e-6)
    assert np.abs(A).max() == pytest.approx(np.abs(B).max())


@few_examples
@given(shapes_of_matrices, st.data())
def test_truncated_svd_is_as_near_as_eckart_and_young_allow(shape, data):
    W, rank = _matrix(shape), data.draw(st.integers(1, min(shape)))
    A, B = truncated_svd(W, rank)
    assert (A.shape, B.shape) == ((shape[0], rank), (rank, shape[1]))
    cut = np.linalg.svd(W, compute_uv=False)[rank:]
    assert np.square(A @ B - W).sum() == pytest.approx(np.square(cut).sum(), rel=1e-3, abs=1e-8)


def test_ranks_out_of_range_are_refused():
    for rank in (0, 4):
        with pytest.raises(ValueError, match="5 by 3 matrix is 1 to 3"):
            truncated_svd(np.ones((5, 3)), rank)
        with pytest.raises(ValueError, match="is 1 to 3"):
            FactorizedLinear(3, 5, rank)
        with pytest.raises(ValueError, match="is 1 to 3"):
            FactorizedEmbedding(5, 3, rank)
    with pytest.raises(ValueError, match="a matrix is wanted"):
        truncated_svd(np.ones(3), 1)


def test_rank_for_energy_by_hand():
    W = np.diag([3.0, 2.0, 1.0])  # squares 9, 4, 1 of 14
    assert [rank_for_energy(W, e) for e in (0, 9 / 14 - 1e-9, 0.7, 13 / 14 - 1e-9, 0.95, 1)] == [
        *(1, 1, 2, 2, 3, 3)
    ]
    with pytest.raises(ValueError, match="energy"):
        rank_for_energy(W, 1.1)


def test_rank_for_bytes_by_hand():
    assert rank_for_bytes((100, 50), 6000) == 10  # 150 values of 4 bytes each rank
    assert rank_for_bytes((100, 50), 5999) == 9
    assert rank_for_bytes((100, 50), 6000, bytes_per_value=0.5) == 50
    with pytest.raises(ValueError, match="rank 1 of a 100 by 50 matrix needs 600 bytes"):
        rank_for_bytes((100, 50), 599)


def test_factorized_layers_compute_with_the_product_of_their_factors():
    torch.manual_seed(0)
    x, linear, table = torch.randn(4, 7), nn.Linear(7, 5), nn.Embedding(9, 6, padding_idx=0)
    layer = FactorizedLinear.from_dense(linear, 3)
    torch.testing.assert_close(layer(x), x @ layer.dense().T + linear.bias)
    exact = FactorizedLinear.from_dense(linear, 5)
    torch.testing.assert_close(exact(x), linear(x))
    ids = torch.tensor([[1, 8, 0], [3, 3, 2]])
    embedding = FactorizedEmbedding.from_dense(table, 2)
    torch.testing.assert_close(embedding(ids), embedding.dense()[ids])
    torch.testing.assert_close(FactorizedEmbedding.from_dense(table, 6)(ids), table(ids))


# --- tensor trains --------------------------------------------------------------------------------


def test_an_entry_is_a_product_of_small_matrices():
    cores = [_matrix((1, 2, 3, 2), 1), _matrix((2, 3, 2, 1), 2)]
    W = tt_reconstruct(cores)
    assert W.shape == (6, 6)
    # Row 4 is the digits (1, 1) of 2 x 3; column 5 the digits (2, 1) of 3 x 2.
    assert W[4, 5] == pytest.approx((cores[0][:, 1, 2] @ cores[1][:, 1, 1]).item(), rel=1e-6)


@st.composite
def trains(draw):
    k = draw(st.integers(2, 3))
    rows, columns = ([draw(st.integers(1, 4)) for _ in range(k)] for _ in range(2))
    m = draw(st.integers(1, prod(rows)))
    ranks = [draw(st.integers(1, 5)) for _ in range(k - 1)]
    return _matrix((m, prod(columns)), draw(st.integers(0, 99))), (rows, columns), ranks


@few_examples
@given(trains())
def test_tensor_train_errs_no_more_than_oseledets_allows(train):
    W, (rows, columns), ranks = train
    cores = tensor_train(W, (rows, columns), ranks)
    edges = [1, *(core.shape[3] for core in cores)]
    assert [core.shape[:3] for core in cores] == list(
        zip(edges[:-1], rows, columns, strict=True)
    ) and edges[-1] == 1
    assert all(edge <= rank for edge, rank in zip(edges[1:-1], ranks, strict=True))
    tensor = np.zeros((prod(rows), prod(columns)))
    tensor[: len(W)] = W
    order = [axis for k in range(len(rows)) for axis in (k, k + len(rows))]
    tensor = tensor.reshape(*rows, *columns).transpose(order)
    bound = 0.0  # theorem 2.2: the sum of what the best matrices of these ranks lack
    for k, rank in enumerate(ranks, start=1):
        unfolding = tensor.reshape(prod(rows[:k]) * prod(columns[:k]), -1)
        bound += np.square(np.linalg.svd(unfolding, compute_uv=False)[rank:]).sum()
    error = np.square(tt_reconstruct(cores, len(W)) - W).sum()
    assert error <= bound * (1 + 1e-4) + 1e-6


def test_tensor_train_with_full_ranks_is_exact():
    W = _matrix((22, 20))
    cores = tensor_train(W, ((2, 3, 4), (5, 2, 2)), 1000)
    np.testing.assert_allclose(tt_reconstruct(cores, 22), W, atol=1e-5)


def test_two_cores_of_one_column_digit_are_a_truncated_svd():
    # With rows (m, 1) and columns (1, n) the only unfolding is the matrix itself.
    W = _matrix((6, 5))
    A, B = truncated_svd(W, 2)
    np.testing.assert_allclose(
        tt_reconstruct(tensor_train(W, ((6, 1), (1, 5)), 2)), A @ B, atol=1e-5
    )


@pytest.mark.parametrize(
    "shapes, ranks, message",
    [
        (((2, 2), (2, 2)), 2, "does not hold a 5 by 4"),
        (((3, 2), (2, 3)), 2, "does not hold a 5 by 4"),
        (((3, 2), (4,)), 2, "as many factors"),
        (((5,), (4,)), 2, "as many factors"),
        (((3, 2), (2, 2)), [2, 2], "2 cores have 1 ranks"),
        (((3, 2), (2, 2)), 0, "at least 1"),
    ],
)
def test_trains_that_do_not_fit_are_refused(shapes, ranks, message):
    with pytest.raises(ValueError, match=message):
        tensor_train(_matrix((5, 4)), shapes, ranks)
    with pytest.raises(ValueError, match=message):
        TensorTrainEmbedding(5, 4, shapes, ranks)


def test_tensor_train_embedding_gives_the_rows_of_its_table():
    table = nn.Embedding.from_pretrained(torch.from_numpy(_matrix((11, 12))))
    layer = TensorTrainEmbedding.from_dense(table, ((2, 3, 2), (2, 2, 3)), (3, 4))
    cores = [core.detach().numpy() for core in layer.cores]
    ids = torch.tensor([[10, 3, 3], [0, 7, 10]])
    expected = torch.from_numpy(tt_reconstruct(cores, 11)).float()
    torch.testing.assert_close(layer(ids), expected[ids])
    torch.testing.assert_close(layer.dense(), expected)
    exact = TensorTrainEmbedding.from_dense(table, ((2, 3, 2), (2, 2, 3)), 99)
    torch.testing.assert_close(exact(ids), table(ids))
    with pytest.raises(IndexError, match="0 to 10"):
        layer(torch.tensor([11]))


def test_a_new_tensor_train_embedding_starts_at_the_scale_of_an_embedding():
    torch.manual_seed(0)
    table = TensorTrainEmbedding(1000, 64, ((10, 10, 10), (4, 4, 4)), 8).dense()
    assert table.std().item() == pytest.approx(1, abs=0.15)


# --- static sparsity ------------------------------------------------------------------------------


def test_splitmix64_gives_its_published_outputs():
    assert splitmix64(0, 3).tolist() == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert splitmix64(1234567, 3).tolist() == expected
    assert splitmix64(1234567, 2, start=1).tolist() == expected[1:]


RANDOM = [[1, 5, 7], [0, 1, 2], [1, 5, 6], [2, 3, 7]]
BLOCK = [[0, 1, 2, 3], [0, 1, 2, 3], [2, 3, 6, 7], [2, 3, 6, 7]]
SMALL_WORLD = [[1, 4, 5], [0, 1, 3], [1, 5, 6], [2, 3, 5]]


def test_a_pattern_is_the_same_for_ever():
    # Files hold a seed instead of a pattern: should these change, old files become noise.
    assert static_sparse_index(8, 4, 3, "random", seed=7).tolist() == RANDOM
    assert static_sparse_index(8, 4, 4, "block", seed=7, block_size=2).tolist() == BLOCK
    assert static_sparse_index(8, 4, 3, "small-world", 7, rewiring=0.5).tolist() == SMALL_WORLD


@few_examples
@given(st.integers(1, 20), st.integers(1, 20), st.data())
def test_every_unit_has_as_many_different_inputs(n_in, n_out, data):
    fan_in = data.draw(st.integers(1, n_in))
    pattern = data.draw(st.sampled_from(["random", "small-world"]))
    rewiring, seed = data.draw(st.floats(0, 1)), data.draw(st.integers(-5, 2**70))
    index = static_sparse_index(n_in, n_out, fan_in, pattern, seed, rewiring=rewiring)
    assert index.shape == (n_out, fan_in) and index.dtype == np.int64
    assert 0 <= index.min() and index.max() < n_in
    assert (np.diff(index, axis=1) > 0).all()


def test_random_connections_are_spread_evenly():
    index = static_sparse_index(50, 2000, 10, seed=1)
    counts = np.bincount(index.ravel(), minlength=50)  # 400 expected, deviation about 18
    assert 300 < counts.min() and counts.max() < 500
    other = static_sparse_index(50, 2000, 10, seed=2)
    assert not np.array_equal(index, other)


def test_blocks_are_whole():
    mask = np.zeros((12, 16), dtype=bool)
    index = static_sparse_index(16, 12, 8, "block", seed=3, block_size=4)
    np.put_along_axis(mask, index, True, axis=1)
    blocks = mask.reshape(3, 4, 4, 4).sum(axis=(1, 3))
    assert set(blocks.ravel()) == {0, 16} and (blocks.sum(axis=1) == 32).all()


def test_a_small_world_goes_from_a_ring_to_far_connections():
    ring = static_sparse_index(8, 4, 3, "small-world", rewiring=0)
    assert ring.tolist() == [[0, 1, 7], [1, 2, 3], [3, 4, 5], [5, 6, 7]]
    near = static_sparse_index(100, 100, 10, "small-world", rewiring=0)
    shares = {
        rewiring: np.mean(
            [np.isin(*rows) for rows in zip(
                static_sparse_index(100, 100, 10, "small-world", 4, rewiring=rewiring), near,
                strict=True,
            )]
        )
        for rewiring in (0.1, 0.5, 1.0)
    }  # fmt: skip
    assert shares[0.1] == pytest.approx(0.9, abs=0.04)
    assert shares[0.5] == pytest.approx(0.5, abs=0.06)
    assert shares[1.0] == 0


@pytest.mark.parametrize("pattern", ["random", "block", "small-world"])
def test_sparse_layer_multiplies_as_its_dense_matrix_does(pattern):
    torch.manual_seed(0)
    layer = StaticSparseLinear(16, 8, 0.7, pattern, seed=5).double()
    x = torch.randn(3, 2, 16, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(layer(x), x @ layer.dense().T + layer.bias)
    assert (layer.dense() != 0).sum() == layer.weight.numel()
    assert torch.autograd.gradcheck(lambda x, *_: layer(x), (x, *layer.parameters()))


def test_stored_bytes_are_weights_and_biases_alone():
    layer = StaticSparseLinear(100, 32, 0.9)
    assert layer.weight.shape == (32, 10) and layer.nbytes() == 4 * 352 and layer.nbytes(2) == 704
    assert set(layer.state_dict()) == {"weight", "bias"}
    assert StaticSparseLinear(100, 32, 0.9, bias=False).nbytes() == 1280
    assert StaticSparseLinear(16, 8, 0.99).fan_in == 1
    assert StaticSparseLinear(16, 8, 0.7, "block").fan_in == 4


@pytest.mark.parametrize(
    "options, message",
    [
        (dict(sparsity=1.0), "sparsity"),
        (dict(sparsity=-0.1), "sparsity"),
        (dict(sparsity=float("nan")), "sparsity"),
        (dict(sparsity=0.5, pattern="star"), "random, block, small-world"),
        (dict(sparsity=0.5, pattern="block", block_size=3), "blocks of 3 do not fit"),
        (dict(sparsity=0.5, pattern="block", block_size=0), "blocks of 0 do not fit"),
        (dict(sparsity=0.5, pattern="small-world", rewiring=2), "rewiring"),
    ],
)
def test_sparse_layers_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        StaticSparseLinear(16, 8, **options)
    with pytest.raises(ValueError, match="possible connections"):
        StaticSparseLinear(1 << 12, 1 << 12, 0.9)


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
