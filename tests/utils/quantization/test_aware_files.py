"""What comes out of training: the file predicts what the last evaluation did, and holds integers."""

import numpy as np
import pytest
import torch
from scipy.special import expit
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import nn

from utils.data import Vocabulary, label_names
from utils.distillation import StructuredGRU
from utils.models import (
    GRUNetwork,
    MeanVectorNetwork,
    NeuralClassifier,
    TransformerNetwork,
    WordPiece,
    predict_logits,
)
from utils.packing import load_model, save_model, size_report
from utils.pruning import PenalizedLoss
from utils.quantization import AffineQuantizer, KMeansQuantizer, TernaryQuantizer
from utils.quantization.aware import (
    AdditivePowers,
    LearnedClip,
    LearnedStep,
    QuantizationAware,
    SharedWeights,
    Straight,
)
from utils.training import fit, set_seed

WORDS = Vocabulary([f"word{n}" for n in range(28)])
RNG = np.random.default_rng(0)
IDS = RNG.integers(2, len(WORDS), (80, 5)) * (np.arange(5) < RNG.integers(1, 6, (80, 1)))
LABELS = np.stack([(IDS % 7 == k).any(axis=1) for k in range(7)], axis=1).astype(float)
TEXTS = [" ".join(WORDS.words[i - 2] for i in row if i) for row in IDS]
TRAIN = (IDS, LABELS)


def transformer():
    encoder = dict(
        vocab_size=len(WORDS),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
    )
    return TransformerNetwork(encoder, labels=7)


NETWORKS = {
    "mean": lambda: MeanVectorNetwork(len(WORDS), 8, hidden=6, labels=7),
    "gru": lambda: GRUNetwork(len(WORDS), 8, units=5, labels=7, layers=2),
    "transformer": transformer,
}
FAKES = {
    "step": LearnedStep(4),
    "step of each output": LearnedStep(3, granularity="channel", entropy_coding=True),
    "clip": LearnedClip(4),
    "powers": AdditivePowers(4),
    "powers around 0": AdditivePowers(5, centre=False, entropy_coding=True),
    "shared": SharedWeights(3),
    "shared and sparse": SharedWeights(2, sparse=True, entropy_coding=True),
    "k-means": KMeansQuantizer(3),
    "percentile": AffineQuantizer(3, calibration="percentile", percentile=95.0),
    "unsigned": AffineQuantizer(4, symmetric=False, calibration="mse"),
    "ternary": TernaryQuantizer(),
}


def word_pieces():
    """Whole words, with the ids that ``WORDS`` gives them."""
    pieces = {"[PAD]": 0, "[UNK]": 1} | {word: i for i, word in enumerate(WORDS.words, 2)}
    backend = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return WordPiece(backend.to_str())


@pytest.mark.parametrize("fake", FAKES)
@pytest.mark.parametrize("kind", NETWORKS)
def test_the_file_predicts_what_the_last_evaluation_did(kind, fake, tmp_path):
    set_seed(0)
    network = NETWORKS[kind]()
    aware = QuantizationAware(network, {"*weight*": FAKES[fake]}, refresh=5)
    fit(aware, TRAIN, TRAIN, epochs=2, lr=1e-2, batch_size=8, progress=False)
    last = predict_logits(aware, IDS)
    network = aware.quantized()
    assert network is aware.network
    np.testing.assert_array_equal(predict_logits(network, IDS), last)
    np.testing.assert_array_equal(predict_logits(aware, IDS), last)

    words = word_pieces() if kind == "transformer" else WORDS
    model = NeuralClassifier(network, words, "ekman", label_names("ekman"), length=5)
    save_model(model, tmp_path / "model", aware.codecs)
    loaded = load_model(tmp_path / "model")
    np.testing.assert_array_equal(predict_logits(loaded.network, IDS), last)
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), expit(last))
    save_model(model, tmp_path / "float", {})
    weights = size_report(tmp_path / "model"), size_report(tmp_path / "float")
    assert weights[0]["embedding_bytes"] < weights[1]["embedding_bytes"] / 3


def test_every_weight_of_the_trained_network_is_one_of_few_values():
    for name, values in [("step", 15), ("powers", 15), ("shared", 8), ("ternary", 3), ("clip", 15)]:
        aware = QuantizationAware(NETWORKS["gru"](), {"*weight*": FAKES[name]})
        fit(aware, TRAIN, TRAIN, epochs=1, progress=False)
        for parameter, weight in aware.quantized().named_parameters():
            assert ("weight" not in parameter) or len(weight.unique()) <= values


def test_ternary_weights_fitted_anew_are_the_same_file(tmp_path):
    aware = QuantizationAware(NETWORKS["mean"](), {"*weight": TernaryQuantizer()})
    model = NeuralClassifier(aware.quantized(), WORDS, "ekman", label_names("ekman"))
    save_model(model, tmp_path / "fitted", aware.codecs)
    save_model(model, tmp_path / "anew", {"*weight": TernaryQuantizer()})
    assert (tmp_path / "fitted").read_bytes() == (tmp_path / "anew").read_bytes()


def test_before_it_is_quantized_there_are_no_codecs():
    aware = QuantizationAware(NETWORKS["mean"](), {"*weight": LearnedStep(4)})
    with pytest.raises(ValueError, match=r"take quantized\(\) first"):
        aware.codecs  # noqa: B018


# --- what is learned ------------------------------------------------------------------------------


def loss_of(network):
    logits = torch.from_numpy(predict_logits(network, IDS))
    return nn.functional.binary_cross_entropy_with_logits(
        logits, torch.from_numpy(LABELS).float()
    ).item()


@pytest.mark.parametrize("fake", ["step", "clip", "powers", "shared", "step of each output"])
def test_training_wins_back_what_rounding_lost(fake):
    set_seed(0)
    network = NETWORKS["gru"]()
    options = dict(lr=1e-2, batch_size=8, progress=False, patience=99)
    fit(network, TRAIN, TRAIN, epochs=15, **options)
    aware = QuantizationAware(network, {"*weight*": FAKES[fake]})
    before = [p.detach().clone() for p in aware.weights.parameters()]
    rounded = loss_of(aware)
    fit(aware, TRAIN, TRAIN, epochs=15, **options)
    assert loss_of(aware) < 0.8 * rounded
    for old, new in zip(before, aware.weights.parameters(), strict=True):
        assert not torch.equal(old, new)
    assert all((fake.value > 0).all() for fake in aware.weights if hasattr(fake, "value"))


def test_weights_behind_shared_values_stay_and_codes_too():
    set_seed(0)
    network = NETWORKS["mean"]()
    network.hidden.weight.data[:, ::2] = 0
    aware = QuantizationAware(network, {"*weight": SharedWeights(3, sparse=True)})
    behind = network.hidden.weight.detach().clone()
    codes = [fake.codes.clone() for fake in aware.weights]
    fit(aware, TRAIN, TRAIN, epochs=3, lr=1e-2, progress=False)
    assert torch.equal(network.hidden.weight, behind)
    assert all(torch.equal(a, fake.codes) for a, fake in zip(codes, aware.weights, strict=True))
    assert not aware.quantized().hidden.weight[:, ::2].any()
    assert network.hidden.weight.any()


def test_a_price_on_the_rate_makes_the_file_smaller(tmp_path):
    sizes = []
    for strength in (0.0, 1e-2):
        set_seed(0)
        aware = QuantizationAware(
            NETWORKS["gru"](), {"*weight*": LearnedStep(6, entropy_coding=True)}
        )
        loss = PenalizedLoss(nn.functional.binary_cross_entropy_with_logits, aware.rate, strength)
        options = dict(epochs=8, lr=1e-2, progress=False, patience=99, keep_from=8)
        fit(aware, TRAIN, TRAIN, loss=loss, **options)
        expected = aware.rate().item()
        model = NeuralClassifier(aware.quantized(), WORDS, "ekman", label_names("ekman"))
        size = save_model(model, tmp_path / "model", aware.codecs)
        sizes.append((expected, size))
    assert sizes[1][0] < 0.7 * sizes[0][0] and sizes[1][1] < sizes[0][1]


def test_without_a_learned_step_there_is_no_rate():
    aware = QuantizationAware(NETWORKS["mean"](), {"*weight": KMeansQuantizer(2)})
    with pytest.raises(ValueError, match="no rate to train for"):
        aware.rate()


def test_steps_start_where_the_paper_starts_them():
    weight = torch.tensor([[1.0, -3.0], [0.0, 0.0]])
    assert LearnedStep(3).start(weight).value.item() == pytest.approx(2 * 1 / np.sqrt(3))
    channels = LearnedStep(3, granularity="channel").start(weight)
    assert channels.value[0].item() == pytest.approx(2 * 2 / np.sqrt(3))
    assert channels(weight)[1].tolist() == [0, 0]  # an output of zeros has a step above 0 too
    assert channels.value[1] > 0
    assert AdditivePowers(4).start(weight).value.item() == pytest.approx(3)


def test_n_is_that_of_the_step_s_own_group():
    """One weight gets the same gradient by its step whatever other outputs there are."""
    gradients = []
    for outputs in (1, 5):
        fake = LearnedStep(3, granularity="channel").start(torch.full((outputs, 4), 0.3))
        fake(torch.full((outputs, 4), 0.25)).sum().backward()
        gradients.append(fake.log.grad[0].item())
    assert gradients[0] == pytest.approx(gradients[1]) != 0
    # Of activations the features are counted and not the batch: the sum grows with the batch.
    ratios = []
    for rows in (1, 5):
        fake = LearnedStep(3, of="activations").start(torch.full((1, 4), 0.3))
        fake(torch.full((rows, 4), 0.25)).sum().backward()
        ratios.append(fake.log.grad.item())
    assert ratios[1] == pytest.approx(5 * ratios[0])


# --- activations ----------------------------------------------------------------------------------


def test_what_goes_into_a_layer_is_quantized_and_its_range_is_learned():
    set_seed(0)
    network = NETWORKS["gru"]()
    network.dropout.p = network.input_dropout.p = 0.0
    seen = {}
    acts = {"gru": LearnedStep(4, of="activations"), "output": LearnedClip(3)}
    aware = QuantizationAware(network, {"*weight*": LearnedStep(8)}, activations=acts)
    network.output.register_forward_pre_hook(lambda _, inputs: seen.update(output=inputs[0]))
    network.gru.register_forward_pre_hook(lambda _, inputs: seen.update(gru=inputs[0].data))
    before = [p.detach().clone() for p in aware.activations.parameters()]
    fit(aware, TRAIN, TRAIN, epochs=2, lr=1e-2, progress=False)
    predict_logits(aware, IDS)
    assert len(seen["gru"].unique()) <= 15 and len(seen["output"].unique()) <= 7
    for old, fake in zip(before, aware.activations, strict=True):
        assert fake.started and not torch.equal(old, fake.log)


def test_the_states_of_a_structured_gru_are_quantized_step_by_step():
    sizes = [dict(in_features=n, out_features=12, rank=2) for n in (3, 4)]
    gru = StructuredGRU(3, 4, [[["FactorizedLinear", size] for size in sizes]])
    aware = QuantizationAware(gru, {"*": LearnedStep(4)}, activations={"states.0": LearnedClip(2)})
    seen = []
    gru.states[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    aware(torch.randn(2, 6, 3))
    assert len(seen) == 6 and len(torch.cat(seen[1:]).unique()) <= 3


def test_an_unsigned_range_is_an_affine_grid_without_a_negative_code():
    x = torch.tensor([0.0, 0.4, 1.1, 2.0])
    fake = LearnedClip(3, signed=False).start(x)
    grid = fake.quantizer(x)
    assert torch.equal(grid.inverse_transform(grid.transform(fake(x))), fake(x))
    assert grid.transform(torch.tensor([-5.0, 5.0])).tolist() == [0, 7]


# --- errors ---------------------------------------------------------------------------------------


def test_of_a_grid_that_cuts_what_it_cuts_gets_no_gradient():
    weight = torch.tensor([0.1, 0.2, -0.1, 9.0], requires_grad=True)
    quantizer = AffineQuantizer(4, calibration="percentile", percentile=70.0)
    Straight(quantizer).start(weight)(weight).sum().backward()
    assert weight.grad.tolist() == [1, 1, 1, 0]


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda: LearnedStep(1), "bits must lie in 2..16"),
        (lambda: LearnedStep(4, granularity="row"), "granularity must be"),
        (lambda: LearnedStep(4, granularity="channel", of="activations"), "one step"),
        (lambda: LearnedClip(0), "bits must lie in 2..16"),
        (lambda: SharedWeights(13), "1..12"),
        (lambda: AdditivePowers(1), "bits of powers of two"),
        (lambda: AdditivePowers(9), "bits of powers of two"),
    ],
)
def test_options_that_make_no_grid_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_a_layer_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="no layer is called 'lstm'; there are .*hidden"):
        QuantizationAware(
            NETWORKS["mean"](), {"*weight": LearnedStep(4)}, activations={"lstm": LearnedClip(4)}
        )


def test_weights_of_zeros_are_quantized_to_zeros():
    for fake in (LearnedStep(4), LearnedClip(4), AdditivePowers(4), SharedWeights(2, sparse=True)):
        weight = torch.zeros(3, 4)
        fake = fake.new().start(weight)
        assert not fake(weight).any()
        codec = fake.quantizer(weight)
        assert not codec.inverse_transform(codec.transform(weight)).any()
