"""Unit 06's methods on the GRU and on the dense model, at all sparsities."""

import copy
from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from course.measuring.baselines import SPARSE as LINEAR
from course.measuring.baselines import scored, trained
from course.measuring.results import Experiment
from course.measuring.training import data
from utils.pruning import (
    L0Network,
    MaskedNetwork,
    PenalizedLoss,
    VariationalNetwork,
    activation_scores,
    apply_masks,
    cubic,
    drawn_targets,
    fisher_diagonal,
    magnitude_masks,
    masks_over_all,
    masks_per_layer,
    masks_per_output,
    matrices,
    obd_saliency,
    random_scores,
    steps_of,
    ticket_sparsities,
    tickets,
    with_new_weights,
)

from .measuring import SPARSITIES, Judge, control, early, parent
from .recipe import EARLY, MODELS, learn, untrained, vocabulary

EVERY = 10  # steps between two prunings
DONE = 0.6  # of the steps after which gradual pruning is over
LONGER = {"dense": 8, "GRU": 5}  # epochs, where pruning has more time
SAMPLE = 1024  # comments for the curvature
# Word vectors by their principal axes, and units: networks of about the bytes of those that are sparse.
SMALLER = {0.5: (25, 2), 0.8: (10, 4), 0.9: (5, 8), 0.95: (3, 8)}
# What is measured of each model, as far as time allows.
AT_LENGTH = {"dense": SPARSITIES, "GRU": (0.8, 0.9, 0.98)}
BY_WEIGHT, STRIDE = ["*weight*"], 5.0
# Prices of learned sparsity, chosen on dev of seed 0: from the network of each price, sparsities are cut
# that are near to what it reaches by itself.
PRICES = {
    "L0": {0.5: 0.5, 0.8: 0.5, 0.9: 5.0, 0.95: 5.0, 0.98: 5.0},
    "variational dropout": {0.5: 0.003, 0.8: 0.03, 0.9: 1.0, 0.95: 1.0, 0.98: 1.0},
}


def start(model: str, seed: int) -> nn.Module:
    """The parent's network, to be changed."""
    return copy.deepcopy(parent(model, seed)[0].network)


def of_round(model: str, sparsity: float) -> dict:
    """Options of :func:`learn` for a round of the lottery, see ``Model.ticket``."""
    options = dict(MODELS[model].parent)
    if sparsity not in SPARSITIES:
        options["epochs"], options["first"] = MODELS[model].ticket
    return options


def ids(comments: int | None = None) -> torch.Tensor:
    """Comments of train as the networks read them."""
    texts = data("train").texts[:comments]
    return torch.as_tensor(vocabulary().encode(texts, control("dense", 0)[0].length))


# --- nothing pruned ------------------------------------------------------------------------------------


def whole(model: str, seed: int) -> list[dict]:
    """The parent; the control; and of the dense model the parent with twice the epochs: is it done?"""
    judge, epochs = Judge(model, seed), MODELS[model].parent["epochs"]
    networks = {"parent": parent(model, seed), "control": control(model, seed)}
    if model == "dense":
        networks["parent, twice the epochs"] = parent(model, seed, epochs=2 * epochs)
    records = []
    for method, (classifier, cost) in networks.items():
        records += judge.records(classifier.network, method, 0.0, **cost)
    return records + judge.records(judge.like.network, "control", 0.0, stored="float32")


def smaller(model: str, seed: int) -> list[dict]:
    """Smaller networks, of as many epochs as the control has altogether."""
    judge, recipe, records = Judge(model, seed), MODELS[model], []
    epochs = recipe.parent["epochs"] + recipe.extra["epochs"]
    for sparsity, (dim, times) in SMALLER.items():
        units = recipe.units // times
        classifier, cost = parent(model, seed, epochs=epochs, units=units, dim=dim)
        named = judge.records(
            classifier.network, f"smaller, {recipe.size} {units}, {dim} axes", 0.0, **cost
        )
        records += [record | {"instead_of": sparsity} for record in named]
    return records


def linear(seed: int) -> list[dict]:
    """The sparse linear baseline as unit 01 ships it."""
    model, _ = trained(*LINEAR, seed)
    codecs = {"network.coef": "sparse", "idf": "float16", "network.intercept": "float16"}
    records = scored(model, *LINEAR, seed, codecs)
    return [record | {"model": LINEAR[0]} for record in records]


# --- pruned at once ------------------------------------------------------------------------------------


def fisher_scores(network: nn.Module, seed: int) -> dict[str, torch.Tensor]:
    """OBD's saliency with the curvature of the Gauss-Newton matrix.

    A word that is in none of the comments has none: what is added sorts those by their magnitude, and
    below all others.
    """
    sample = ids(SAMPLE)
    curvature = fisher_diagonal(network, sample, drawn_targets(network, sample, seed))
    return obd_saliency(matrices(network), {name: h + 1e-20 for name, h in curvature.items()})


def at_once(model: str, seed: int) -> list[dict]:
    """Rules that need no training: magnitude, activation-aware, OBD, random."""
    judge, network = Judge(model, seed), start(model, seed)
    magnitudes = {name: weight.abs() for name, weight in matrices(network).items()}
    activations, curved = activation_scores(network, ids()), fisher_scores(network, seed)
    by_chance = random_scores(network, seed)
    rules: dict[str, tuple[Callable, dict]] = {
        "magnitude, one-shot, per layer": (masks_per_layer, magnitudes),
        "magnitude, one-shot, over all": (masks_over_all, magnitudes),
        "activation-aware": (masks_per_output, activations),
        "OBD": (masks_over_all, curved),
        "random": (masks_per_layer, by_chance),
    }
    records = []
    for method, (masks, scores) in rules.items():
        for sparsity in SPARSITIES:
            pruned = apply_masks(copy.deepcopy(network), masks(scores, sparsity))
            records += judge.records(pruned, method, sparsity)
    return records


# --- pruned, and trained on ----------------------------------------------------------------------------


def trained_on(masked: MaskedNetwork, model: str, seed: int) -> tuple[nn.Module, dict]:
    """A masked network after the epochs that come after; the last one has all the pruning behind it."""
    extra = MODELS[model].extra
    cost = learn(masked, seed, keep_from=extra["epochs"], **extra)[1]
    return masked.pruned(), cost


def fine_tuned(model: str, seed: int) -> list[dict]:
    """Pruned at once by magnitude, then trained: the fair rival of gradual pruning."""
    judge, records = Judge(model, seed), []
    for sparsity in AT_LENGTH[model]:
        network = start(model, seed)
        masked = MaskedNetwork(network, magnitude_masks(network, sparsity))
        pruned, cost = trained_on(masked, model, seed)
        records += judge.records(pruned, "magnitude, one-shot, fine-tuned", sparsity, **cost)
    return records


def random_tuned(model: str, seed: int) -> list[dict]:
    """Pruned by chance, then trained, at one sparsity."""
    judge, network, sparsity = Judge(model, seed), start(model, seed), 0.9
    masks = masks_per_layer(random_scores(network, seed), sparsity)
    pruned, cost = trained_on(MaskedNetwork(network, masks), model, seed)
    return judge.records(pruned, "random, fine-tuned", sparsity, **cost)


def gradual(model: str, seed: int) -> list[dict]:
    """By magnitude in each layer, on the cubic schedule."""
    judge, records, steps = Judge(model, seed), [], int(DONE * MODELS[model].steps())
    for sparsity in SPARSITIES:
        masked = MaskedNetwork(start(model, seed), schedule=cubic(sparsity, steps), every=EVERY)
        pruned, cost = trained_on(masked, model, seed)
        records += judge.records(pruned, "magnitude, gradual", sparsity, **cost)
        if sparsity == 0.9:
            facts = cost | {"stored": "float32"}
            records += judge.records(pruned, "magnitude, gradual", sparsity, **facts)
    return records


def longer(model: str, seed: int) -> list[dict]:
    """Gradual pruning with more time, beside a control that has as much."""
    judge, recipe, sparsity = Judge(model, seed), MODELS[model], 0.9
    epochs = LONGER[model]
    gentle = {name: recipe.parent[name] for name in ("lr", "embedding_lr")}
    whole = start(model, seed)
    cost = learn(whole, seed, **dict(recipe.extra) | gentle | {"epochs": epochs})[1]
    records = judge.records(whole, "control, longer", 0.0, **cost)
    judge.beside(whole)
    steps = int(DONE * recipe.steps() * epochs / recipe.extra["epochs"])
    masked = MaskedNetwork(start(model, seed), schedule=cubic(sparsity, steps), every=EVERY)
    options = dict(recipe.extra) | {"epochs": epochs, "keep_from": epochs}
    cost = learn(masked, seed, **options)[1]
    for stored in ("8 bits", "float32"):
        facts = cost | {"stored": stored}
        records += judge.records(masked.pruned(), "magnitude, gradual, longer", sparsity, **facts)
    return records


def five_percent(model: str, seed: int) -> list[dict]:
    """The lecture's schedule at one sparsity, in the time that the cubic one has."""
    judge, sparsity = Judge(model, seed), 0.9
    every = int(DONE * MODELS[model].steps() * 0.05 / sparsity)
    masked = MaskedNetwork(start(model, seed), schedule=steps_of(sparsity, every), every=every)
    pruned, cost = trained_on(masked, model, seed)
    return judge.records(pruned, "magnitude, 5% at a time", sparsity, every=every, **cost)


# --- the lottery ticket --------------------------------------------------------------------------------


def lottery(model: str, seed: int) -> list[dict]:
    """Tickets rewound to an early step, and their masks with other random weights.

    The word vectors of the control are those of the start, not random ones, which nothing here has.
    """
    judge, records = Judge(model, seed), []
    network, at_start = start(model, seed), early(model, seed)[0].network.state_dict()

    def train(masked: MaskedNetwork, sparsity: float) -> dict:
        return learn(masked, seed, **of_round(model, sparsity))[1]

    for sparsity, masks, cost in tickets(network, at_start, train, ticket_sparsities(SPARSITIES)):
        if sparsity not in SPARSITIES:
            continue
        records += judge.records(network, "lottery ticket", sparsity, **cost)
        if sparsity in AT_LENGTH[model]:
            other = with_new_weights(untrained(model, 1000 + seed), masks)
            first = dict(MODELS[model].parent) | {"epochs": 1, "decay": False}
            learn(other, seed, first=EARLY, **first)
            cost = learn(other, seed, **of_round(model, sparsity))[1]
            method = "mask of the ticket, new weights"
            records += judge.records(other.pruned(), method, sparsity, **cost)
    return records


# --- learned sparsity ----------------------------------------------------------------------------------


def learned(model: str, seed: int, method: str) -> list[dict]:
    """Gates or noise on all weights, from the parent on; cut to each sparsity by what was learned.

    ``own_sparsity`` is what the method had removed by itself; if that is more than was asked for, it
    stays. Gates are cut over all layers together, noise in each: the small layers bear more of it.
    """
    judge, records, learners = Judge(model, seed), [], {}
    for sparsity, price in PRICES[method].items():
        if price not in learners:
            learners[price] = with_price(model, seed, method, price)
            learner, cost = learners[price]
            own = learner.sparsity()
            uncut = f"{method}, not cut, price {price:g}"
            records += judge.records(learner.pruned(), uncut, own, own_sparsity=own, **cost)
        learner, cost = learners[price]
        cut = masks_over_all if method == "L0" else masks_per_layer
        pruned = apply_masks(learner.pruned(), cut(learner.scores(), sparsity))
        own = learner.sparsity()
        records += judge.records(pruned, method, sparsity, own_sparsity=own, **cost)
    return records


def with_price(model: str, seed: int, method: str, price: float):
    """A network of learned sparsity after the epochs that come after, and what it cost."""
    network, extra = start(model, seed), dict(MODELS[model].extra)
    comments = len(data("train").texts)
    if method == "L0":
        learner = L0Network(network, BY_WEIGHT, stride=STRIDE)
        weights = sum(weight.numel() for weight in matrices(network).values())
        loss = PenalizedLoss(cross_entropy, learner.expected_l0, price / weights)
    else:
        learner = VariationalNetwork(network, BY_WEIGHT, stride=STRIDE)
        warmup = MODELS[model].steps() // 2
        loss = PenalizedLoss(cross_entropy, learner.kl, price / comments, warmup)
    cost = learn(learner, seed, keep_from=extra["epochs"], loss=loss, **extra)[1]
    return learner.eval(), cost | {"price": price}


def of_both(name: str, run: Callable[[str, int], list[dict]], *more) -> list[Experiment]:
    """An experiment for each model."""
    return [Experiment(f"{name}, {model}", partial(_of, run, model, *more)) for model in MODELS]


def _of(run: Callable, model: str, *more_and_seed) -> list[dict]:
    *more, seed = more_and_seed
    return run(model, seed, *more)


RULES = [
    *of_both("whole", whole),
    *of_both("at once", at_once),
    *of_both("gradual", gradual),
    *of_both("longer", longer),
    *of_both("fine-tuned", fine_tuned),
    *of_both("5% at a time", five_percent),
    *of_both("random, fine-tuned", random_tuned),
    *of_both("smaller", smaller),
    *of_both("L0", learned, "L0"),
    *of_both("variational dropout", learned, "variational dropout"),
    *of_both("lottery", lottery),
    Experiment("sparse linear", linear, seeded=False),
]
