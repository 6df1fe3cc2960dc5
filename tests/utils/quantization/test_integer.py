import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from utils.models import GRUNetwork, MeanVectorNetwork
from utils.quantization import (
    AffineQuantizer,
    IntegerEmbedding,
    IntegerGRU,
    IntegerLinear,
    dynamic_quantize,
    integer_matmul,
    quantize_network,
)
from utils.quantization.integer import layers, products


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
    with torch.inference_mode():
        yield


def n_bytes(network):
    return sum(tensor.nbytes for tensor in network.state_dict().values())


# --- products of integers -------------------------------------------------------------------------


@pytest.mark.parametrize("n, k, m", [(1, 1, 1), (0, 5, 3), (3, 300, 7), (65, 3072, 33)])
@pytest.mark.parametrize("fast", [True, False])
def test_integer_matmul_is_exact(monkeypatch, fast, n, k, m):
    if not fast:
        monkeypatch.setattr(products, "_has_exact_int_mm", lambda: False)
    a, b = (torch.randint(-128, 128, shape, dtype=torch.int8) for shape in ((n, k), (k, m)))
    a[: n // 2], b[:, : m // 2] = -128, 127  # the largest sums
    product = integer_matmul(a, b)
    assert product.dtype == torch.int32
    assert torch.equal(product.long(), a.long() @ b.long())


def test_dynamic_quantize_by_hand():
    x = torch.tensor([[0.0, 1.0, 2.55], [-1.0, 0.0, 1.55], [0.0, 0.0, 0.0], [-2.55, -1.0, -1.0]])
    codes, scale, zero_point = dynamic_quantize(x)
    torch.testing.assert_close(scale[:, 0], torch.tensor([0.01, 0.01, 1.0, 0.01]))
    assert zero_point[:, 0].tolist() == [-128, -28, -128, 127]
    assert codes.dtype == torch.int8
    assert codes.tolist() == [[-128, -28, 127], [-128, -28, 127], [-128] * 3, [-128, 27, 27]]


def test_dynamic_quantize_errs_at_most_half_a_step():
    x = torch.randn(200, 50) * torch.logspace(-6, 6, 200)[:, None]
    quantized = dynamic_quantize(x)
    error = (quantized.values() - x.double()).abs()
    assert (error <= quantized.scale / 2 + 1e-6 * x.abs()).all()


def test_dynamic_quantize_is_the_affine_quantizer_row_by_row():
    x = torch.randn(5, 40)
    quantizer = AffineQuantizer(8, symmetric=False, granularity="channel").fit(x)
    codes, scale, _ = dynamic_quantize(x)
    assert torch.equal(codes.int() + 128, quantizer.transform(x).int())
    np.testing.assert_allclose(scale[:, 0], quantizer.scale_, rtol=1e-6)


# --- layers: integer arithmetic agrees with the simulation, and both with float32 -------------------


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("static", [None, True, False], ids=["dynamic", "symmetric", "asymmetric"])
def test_linear_agrees_with_its_simulation(static, bias):
    linear, x = nn.Linear(300, 40, bias=bias), torch.randn(4, 9, 300) + 0.5
    grid = None if static is None else AffineQuantizer(8, symmetric=static).fit(x)
    layer = IntegerLinear(linear, activations=grid)
    assert layer(x).shape == (4, 9, 40)
    torch.testing.assert_close(layer(x), layer.simulate(x), rtol=1e-5, atol=1e-5)
    error = (layer(x) - linear(x)).abs().max()
    assert 0 < error < 0.05
    coarse = IntegerLinear(linear, bits=3, activations=grid)
    assert (coarse(x) - linear(x)).abs().max() > 3 * error


def test_simulation_is_the_float_product_of_rounded_values():
    """Written out once more with AffineQuantizer, so that the two do not share a mistake."""
    linear, x = nn.Linear(30, 8), torch.randn(16, 30)
    grid = AffineQuantizer(8, symmetric=False).fit(x)
    rows = AffineQuantizer(8, granularity="channel")

    def rounded(quantizer, values):
        return quantizer.inverse_transform(quantizer.transform(values))

    expected = rounded(grid, x) @ rounded(rows.fit(linear.weight), linear.weight).T + linear.bias
    layer = IntegerLinear(linear, activations=grid)
    torch.testing.assert_close(layer(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "options", [{}, {"num_layers": 2}, {"bidirectional": True}, {"bias": False}]
)
@pytest.mark.parametrize("static", [False, True])
def test_gru_agrees_with_its_simulation(options, static):
    gru = nn.GRU(30, 20, batch_first=True, **options)
    x = torch.randn(6, 27, 30)
    grid = AffineQuantizer(8, symmetric=False).fit(x) if static else None
    layer = IntegerGRU(gru, activations=grid)
    for ours, simulated, exact in zip(layer(x), layer.simulate(x), gru(x), strict=True):
        assert ours.shape == exact.shape
        torch.testing.assert_close(ours, simulated, rtol=0, atol=1e-5)
        assert 0 < (ours - exact).abs().max() < 0.03


def test_gru_without_rounding_is_nn_gru(monkeypatch):
    """With 8 bits replaced by float64 values, all that is left is the recurrence."""

    class Exact:
        def __init__(self, x):
            self.x = x

        def values(self):
            return self.x.double()

    gru = nn.GRU(7, 5, num_layers=2, bidirectional=True, batch_first=True)
    layer = IntegerGRU(gru)
    for name, weight in gru.state_dict().items():
        if name.startswith("weight"):
            layer.register_buffer(name, weight)
            layer.register_buffer(f"{name}_scale", torch.ones(len(weight)))
    monkeypatch.setattr(layers, "dynamic_quantize", Exact)
    monkeypatch.setattr(layers, "_state_codes", Exact)
    x, h = torch.randn(3, 11, 7), torch.rand(4, 3, 5) * 2 - 1
    for ours, exact in zip(layer.simulate(x, h), gru(x, h), strict=True):
        torch.testing.assert_close(ours, exact, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_gru_reads_packed_sequences(bidirectional):
    gru = nn.GRU(12, 10, num_layers=2, bidirectional=bidirectional, batch_first=True)
    layer, x = IntegerGRU(gru), torch.randn(5, 9, 12)
    lengths = torch.tensor([4, 9, 1, 7, 4])
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    output, last = layer(packed)
    exact, exact_last = gru(packed)
    assert torch.equal(output.batch_sizes, exact.batch_sizes)
    assert (output.data - exact.data).abs().max() < 0.03
    assert (last - exact_last).abs().max() < 0.03
    padded = pad_packed_sequence(output, batch_first=True)[0]
    for i, n in enumerate(lengths):  # the same as each sequence on its own
        alone, alone_last = layer(x[i : i + 1, :n])
        torch.testing.assert_close(padded[i, :n], alone[0], rtol=0, atol=1e-6)
        torch.testing.assert_close(last[:, i], alone_last[:, 0], rtol=0, atol=1e-6)


def test_gru_follows_batch_first_and_initial_states():
    gru, x, h = nn.GRU(6, 4), torch.randn(8, 3, 6), torch.full((1, 3, 4), 0.9)
    layer = IntegerGRU(gru)
    assert layer(x, h)[0].shape == (8, 3, 4)
    assert (layer(x, h)[0] - gru(x, h)[0]).abs().max() < 0.05
    assert (layer(x, h)[0] - layer(x)[0]).abs().max() > 0.1
    with pytest.raises(ValueError, match="-1..1"):
        layer(x, 2 * h)
    with pytest.raises(ValueError, match="batch of sequences"):
        layer(x[:, 0])


def test_embedding_comes_back_row_by_row():
    embedding = nn.Embedding(50, 20, padding_idx=0)
    embedding.weight.mul_(torch.logspace(-3, 3, 50)[:, None])
    layer, ids = IntegerEmbedding(embedding), torch.randint(0, 50, (4, 6))
    error = (layer(ids) - embedding(ids)).abs()
    assert (error <= layer.weight_scale[ids][..., None] * 0.5001).all()
    assert torch.equal(layer(torch.zeros(1, dtype=torch.long)), torch.zeros(1, 20))
    assert n_bytes(layer) == 50 * 20 + 50 * 4


# --- whole networks -------------------------------------------------------------------------------


NETWORKS = [
    MeanVectorNetwork(200, 40, 32, 7),
    GRUNetwork(200, 40, 24, 7),
    GRUNetwork(200, 40, 24, 7, layers=2, bidirectional=False),
]


@pytest.mark.parametrize("network", NETWORKS, ids=["mean", "gru", "deep-gru"])
@pytest.mark.parametrize("static", [False, True])
def test_networks_become_integer_networks(network, static):
    network.eval()
    ids = torch.randint(1, 200, (16, 27))
    ids[:8, 20:] = 0
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    integer = quantize_network(network, sample=ids if static else None)
    assert n_bytes(integer) < 0.35 * n_bytes(network)  # tiny layers: scales weigh more
    assert (integer(ids) - network(ids)).abs().max() < 0.03
    kinds = {type(layer) for layer in integer.modules()}
    assert not kinds & {nn.Linear, nn.GRU, nn.Embedding}
    for name, tensor in network.state_dict().items():  # the original is untouched
        assert torch.equal(tensor, before[name])
    # A file holds the state: the same structure, made from any weights, takes it over exactly.
    other = type(network)(**network.config)
    rebuilt = quantize_network(other, sample=ids if static else None)
    rebuilt.load_state_dict(integer.state_dict())
    assert torch.equal(rebuilt(ids), integer(ids))


def test_answers_do_not_depend_on_the_batch():
    integer = quantize_network(NETWORKS[1])
    ids = torch.randint(1, 200, (32, 27))
    alone = torch.cat([integer(row[None]) for row in ids])
    torch.testing.assert_close(integer(ids), alone, rtol=0, atol=1e-5)


def test_a_single_layer_is_a_network():
    assert isinstance(quantize_network(nn.Linear(3, 2)), IntegerLinear)


@pytest.mark.parametrize("kind", [IntegerLinear, IntegerGRU, IntegerEmbedding])
@pytest.mark.parametrize("bits", [1, 9])
def test_bits_are_checked(kind, bits):
    layer = {IntegerLinear: nn.Linear, IntegerGRU: nn.GRU, IntegerEmbedding: nn.Embedding}[kind](
        4, 4
    )
    with pytest.raises(ValueError, match="2..8"):
        kind(layer, bits)


def test_activations_must_fit_eight_bits_and_one_scale():
    x = torch.randn(10, 4)
    for grid in (AffineQuantizer(9), AffineQuantizer(granularity="channel", axis=1)):
        with pytest.raises(ValueError, match="per tensor"):
            IntegerLinear(nn.Linear(4, 4), activations=grid.fit(x))
