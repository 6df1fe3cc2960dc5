"""What units 06 and 07 measure of the transformer: heads, structure, and movement."""

import copy
from functools import cache
from pathlib import Path

import numpy as np
import torch
from scipy.special import expit
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from course.errors import UserError
from course.measuring.baselines import file_path
from course.measuring.cache import trained_once
from course.measuring.pairs import difference_to
from course.measuring.teachers.transformer import MAX_TOKENS
from course.measuring.training import TAXONOMY, data, soft_labels
from course.threads import one_thread
from utils.efficiency import count_macs, count_parameters
from utils.metrics import (
    bootstrap_interval,
    f1_report,
    macro_f1,
    tune_thresholds,
)
from utils.models import NeuralClassifier, TransformerNetwork, WordPiece, find_encoder
from utils.packing import load_model, save_model, size_report
from utils.pruning import PrunedTransformerNetwork, head_importance, prune_transformer, sizes

from .fine_tuning import fine_tune
from .keeping import SPLITS, network_once, said
from .learning import learn_gates, prune_weights, train_further
from .racing import times_as_fast
from .recovering import recover
from .switching import SENTENCES, answers

METHOD = "MiniLM"
EPOCHS = 2  # of fine-tuning
COMMENTS = 6_000  # of further training, for all choices of heads alike, and for movement
MORE = 6_000  # of further training, for all shapes alike
LONGER = 3  # epochs of train instead, for shapes that are smaller in all three, and their rivals
GATES = {"comments": 3_000, "rate": 0.15}
STRENGTHS = (0.001, 0.003, 0.01)
LOWER = 0.0005  # tried after these, to see what fewer heads less are worth
GONE = 36  # heads of 72, at least
DEV = 800  # comments of dev on which single heads are switched off
ASKED = 600  # comments of train that importance is asked of
SPARSITIES = (0.9, 0.97)
STRIDE = 300.0
HALF = {"network.*": "float16"}
FINE_TUNED = "unpruned, no further training"
HALF_DEPTH = "every second layer"
EVERY_SECOND = [n % 2 == 0 for n in range(6)]
# Layers, and how many heads and feed-forward columns are left in all of them together.
SHAPES = ((5, 30, 3840),)
LONG_SHAPES = ((5, 32, 4000), *SHAPES)


# --- what training starts from ------------------------------------------------------------------------


@cache
def fine_tuned(seed: int) -> tuple[NeuralClassifier, dict]:
    """The transformer that all others are made of."""
    one_thread()
    return trained_once(fine_tune, seed=seed, epochs=EPOCHS)


def numbers(network: TransformerNetwork) -> dict:
    """A network as settings, of which a key can be made."""
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    return {"config": network.config, "state": state}


def further(seed: int, comments: int, **kept) -> tuple[PrunedTransformerNetwork, dict]:
    """What is kept of the fine-tuned transformer, removed for real and trained further."""
    small = prune_transformer(fine_tuned(seed)[0].network, **kept)
    return network_once(train_further, seed=seed, comments=comments, **numbers(small))


def recovered(seed: int, **kept) -> tuple[PrunedTransformerNetwork, dict]:
    """The same with so many epochs as ``LONGER`` says."""
    small = prune_transformer(fine_tuned(seed)[0].network, **kept)
    network, cost = network_once(recover, seed=seed, epochs=LONGER, **numbers(small))
    return network, cost | {"further_comments": LONGER * len(data("train").texts)}


def with_gates(seed: int, strength: float) -> tuple[PrunedTransformerNetwork, dict]:
    whole = prune_transformer(fine_tuned(seed)[0].network)
    return network_once(learn_gates, seed=seed, strength=strength, **GATES, **numbers(whole))


# --- scores -------------------------------------------------------------------------------------------


def in_half(network: TransformerNetwork) -> NeuralClassifier:
    """A classifier of what its file will hold: weights in half precision."""
    rounded = copy.deepcopy(network)
    with torch.no_grad():
        for parameter in rounded.parameters():
            parameter.copy_(parameter.half().float())
    tokenizer, names = WordPiece.from_folder(find_encoder()), data("dev").label_names
    return NeuralClassifier(rounded, tokenizer, TAXONOMY, names, length=MAX_TOKENS)


def written(model: NeuralClassifier, path: Path) -> None:
    """Write a file, unless it is there, and see that it holds the model that is scored."""
    if not (path.exists() and _holds(path, model)):
        save_model(model, path, HALF)
        if not _holds(path, model):
            raise UserError(f"{path} does not hold the model that was scored; measure it again.")


def _holds(path: Path, model: NeuralClassifier) -> bool:
    found = load_model(path)
    ours, theirs = model.network.state_dict(), found.network.state_dict()
    return (
        model.network.config == found.network.config
        and np.array_equal(model.thresholds, found.thresholds)
        and all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())
    )


def score(
    network: TransformerNetwork, setting: str, seed: int, controls: dict | None = None, **extra
) -> tuple[list[dict], np.ndarray]:
    """A record for each split, of the file that is written; and what is predicted for test.

    Thresholds are tuned on dev, with the weights as the file holds them.

    ``controls`` are names and predictions for test, of which the record has paired differences.
    """
    path, records, model = file_path(METHOD, setting, seed), [], in_half(network)
    answers_of = said(model)
    model.thresholds = tune_thresholds(data("dev").labels, answers_of["dev"]).astype(np.float32)
    written(model, path)
    heads, columns = sizes(model.network)
    counts = {
        "layers": len(heads),
        "heads": heads,
        "heads_left": sum(heads),
        "columns": columns,
        "parameters": count_parameters(model.network),
        "macs": count_macs(model.network),
    }
    for split, probabilities in answers_of.items():
        comments, predicted = data(split), probabilities >= model.thresholds
        report = f1_report(comments.labels, probabilities, model.thresholds, comments.label_names)
        low, high = bootstrap_interval(comments.labels, predicted)
        record = {
            "method": METHOD,
            "setting": setting,
            "seed": seed,
            "split": split,
            "taxonomy": TAXONOMY,
            "macro_f1": report["macro_f1"],
            "macro_f1_low": low,
            "macro_f1_high": high,
            "micro_f1": report["micro_f1"],
            "per_label_f1": {name: s["f1"] for name, s in report["per_label"].items()},
            **extra,
            **counts,
            **size_report(path),
        }
        if split == SPLITS[-1]:
            for name, control in (controls or {}).items():
                record |= difference_to(name, comments.labels, predicted, control)
        records.append(record)
    return records, predicted


def unpruned(comments: int) -> str:
    return f"unpruned, {comments:,} comments more"


def controls(seed: int, comments: int) -> tuple[list[dict], dict]:
    """The unpruned transformer, as it was and trained as much further as all others."""
    (start, cost), (more, more_cost) = fine_tuned(seed), further(seed, comments)
    before, fine = score(
        start.network, FINE_TUNED, seed, criterion="none", further_comments=0, **cost
    )
    after, as_much = score(
        more,
        unpruned(comments),
        seed,
        {"fine_tuned": fine},
        criterion="none",
        further_comments=comments,
        **more_cost,
    )
    return before + after, {"unpruned": as_much, "fine_tuned": fine}


# --- heads --------------------------------------------------------------------------------------------


def chosen_strength(seed: int) -> float:
    """The smallest price at which enough heads are shut."""
    found = (s for s in STRENGTHS if _shut(with_gates(seed, s)[1]) >= GONE)
    if (strength := next(found, None)) is None:
        raise UserError(f"No price shuts {GONE} heads; try higher ones than {STRENGTHS}.")
    return strength


def _shut(cost: dict) -> int:
    return sum(gate == 0 for layer in cost["gates"] for gate in layer)


@cache
def importance(seed: int) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Of heads and of columns, each layer's scaled to length 1, as Michel et al. (2019) do."""
    model, _ = fine_tuned(seed)
    rows = np.random.default_rng(seed).permutation(len(data("train").texts))[:ASKED]
    ids = model.tokenizer.encode([data("train").texts[row] for row in rows], model.length)
    found = head_importance(model.network, ids, soft_labels()[rows], cross_entropy)
    heads, columns = ([each / each.norm() for each in kind] for kind in found)
    return heads, columns


def _sizes_of_heads(network: TransformerNetwork) -> list[torch.Tensor]:
    """The norm of all weights of each head."""
    found = []
    for layer in network.encoder.encoder.layer:
        attention, heads = layer.attention, layer.attention.self.num_attention_heads
        total = torch.zeros(heads)
        for name in ("query", "key", "value"):
            weight = attention.self.get_submodule(name).weight.detach()
            total += weight.square().view(heads, -1).sum(dim=1)
        out = attention.output.dense.weight.detach()
        found.append((total + out.square().sum(dim=0).view(heads, -1).sum(dim=1)).sqrt())
    return found


def largest(scores: list[torch.Tensor], count: int) -> list[torch.Tensor]:
    """Of each layer a mask of those that are among so many largest of all layers."""
    flat = torch.cat(scores)
    kept = torch.zeros(len(flat), dtype=torch.bool)
    kept[flat.argsort(descending=True, stable=True)[:count]] = True
    return list(kept.split([len(each) for each in scores]))


def choices(seed: int) -> dict[str, list[torch.Tensor]]:
    """By each criterion, which heads stay: as many as the gates leave."""
    model, gates = fine_tuned(seed)[0], with_gates(seed, chosen_strength(seed))[1]["gates"]
    by_gates = [torch.tensor(layer) > 0 for layer in gates]
    count = int(sum(mask.sum() for mask in by_gates))
    heads = sizes(model.network)[0]
    drawn = torch.rand(sum(heads), generator=torch.Generator().manual_seed(seed)).split(heads)
    return {
        "L0 gates": by_gates,
        "importance": largest(importance(seed)[0], count),
        "magnitude": largest(_sizes_of_heads(model.network), count),
        "random": largest(list(drawn), count),
    }


def heads(seed: int) -> list[dict]:
    """As many heads gone by each criterion, with the same further training; and the controls."""
    records, others = controls(seed, COMMENTS)
    for criterion, kept in choices(seed).items():
        model, cost = further(seed, COMMENTS, heads=kept)
        extra = {"criterion": criterion, "further_comments": COMMENTS, **cost}
        if criterion == "L0 gates":
            extra["strength"] = chosen_strength(seed)
        records += score(model, f"heads by {criterion}", seed, others, **extra)[0]
    return records


def strengths(seed: int) -> list[dict]:
    """At several prices, the transformer without the heads that are shut, trained further."""
    records, others = controls(seed, COMMENTS)
    for strength in (LOWER, STRENGTHS[0], STRENGTHS[-1]):
        gates = with_gates(seed, strength)[1]["gates"]
        kept = [torch.tensor(layer) > 0 for layer in gates]
        network, cost = further(seed, COMMENTS, heads=kept)
        extra = {"criterion": "L0 gates", "strength": strength, "further_comments": COMMENTS}
        setting = f"heads by L0 gates, λ={strength:g}"
        records += score(network, setting, seed, others, **extra, **cost)[0]
    return records


def living(seed: int) -> list[dict]:
    """Which heads live, by every criterion and at every price: a record for each head."""
    records, scores = [], {}
    for strength in STRENGTHS:
        cost = with_gates(seed, strength)[1]
        scores[f"L0 gates, λ={strength:g}"] = (cost["log_alpha"], cost["gates"])
    chosen = f"L0 gates, λ={chosen_strength(seed):g}"
    found = {name: [[g > 0 for g in of] for of in gates] for name, (_, gates) in scores.items()}
    others = {k: v for k, v in choices(seed).items() if k != "L0 gates"}
    found |= {name: [mask.tolist() for mask in kept] for name, kept in others.items()}
    for name, kept in found.items():
        for layer, of in enumerate(kept):
            for head, stays in enumerate(of):
                record = {"method": METHOD, "setting": name, "seed": seed, "chosen": name == chosen}
                record |= {"layer": layer, "head": head, "kept": stays}
                if name in scores:
                    log_alpha, gates = scores[name]
                    record |= {"log_alpha": log_alpha[layer][head], "gate": gates[layer][head]}
                records.append(record)
    return records


# --- one at a time ------------------------------------------------------------------------------------


def part_of_dev() -> tuple[list[str], np.ndarray]:
    """The comments, and their labels, that heads and layers are switched off on."""
    rows = np.random.default_rng(0).permutation(len(data("dev").texts))[:DEV]
    return [data("dev").texts[row] for row in rows], data("dev").labels[rows]


def one_at_a_time(seed: int) -> list[dict]:
    """Each head and each layer switched off alone: what it does to dev, and to our sentences."""
    model, _ = fine_tuned(seed)
    texts, labels = part_of_dev()
    on_dev = answers(model.network, model.tokenizer.encode(texts, model.length))
    on_ours = answers(model.network, model.tokenizer.encode(SENTENCES, model.length))
    records, before = [], None
    for (kind, layer, head, logits), (*_, ours) in zip(on_dev, on_ours, strict=True):
        predicted = expit(logits) >= model.thresholds
        loss = _loss(logits, labels)
        if before is None:
            before = logits, predicted, loss, macro_f1(labels, predicted)
        # With thresholds that suit these very comments: a shift of all logits alike does no harm.
        suited = macro_f1(labels, expit(logits) >= tune_thresholds(labels, expit(logits)))
        records.append(
            {
                "method": METHOD,
                "setting": f"{kind} off" if kind != "nothing" else "nothing off",
                "seed": seed,
                "split": "dev",
                "comments": DEV,
                "layer": layer if kind != "nothing" else None,
                "head": head,
                "macro_f1": macro_f1(labels, predicted),
                "macro_f1_difference": macro_f1(labels, predicted) - before[3],
                "macro_f1_suited_thresholds": suited,
                "loss": loss,
                "loss_difference": loss - before[2],
                "mean_logit_change": float(np.abs(logits - before[0]).mean()),
                "changed_labels": float((predicted != before[1]).mean()),
                "sentences": {
                    text: [round(float(value), 4) for value in row]
                    for text, row in zip(SENTENCES, ours, strict=True)
                },
            }
        )
    return records


def _loss(logits: np.ndarray, labels: np.ndarray) -> float:
    return cross_entropy(torch.from_numpy(logits), torch.as_tensor(labels).float()).item()


# --- structure ----------------------------------------------------------------------------------------


@cache
def layer_effects(seed: int) -> list[float]:
    """Of each layer, the loss on comments of dev without it."""
    model, _ = fine_tuned(seed)
    texts, labels = part_of_dev()
    ids = model.tokenizer.encode(texts, model.length)
    found = answers(model.network, ids, only_layers=True)
    return [_loss(logits, labels) for kind, *_, logits in found if kind == "layer"]


def shape_name(shape: tuple[int, int, int]) -> str:
    return "{} layers, {} heads, {} columns".format(*shape)


def shaped(seed: int, shape: tuple[int, int, int]) -> dict[str, list]:
    """What stays: the layers that matter most, and of these the most important heads and columns."""
    layers, heads, columns = shape
    effects = torch.tensor(layer_effects(seed))
    kept = torch.zeros(len(effects), dtype=torch.bool)
    kept[effects.argsort(descending=True, stable=True)[:layers]] = True
    chosen = {}
    for grain, scores, count in zip(
        ("heads", "columns"), importance(seed), (heads, columns), strict=True
    ):
        left = [s if stays else s - torch.inf for s, stays in zip(scores, kept, strict=True)]
        chosen[grain] = largest(left, count)
    return {"layers": kept.tolist(), **chosen}


def structure(seed: int) -> list[dict]:
    """Heads, columns and layers gone together, and the transformer of half the depth."""
    records, others = controls(seed, MORE)
    half, cost = further(seed, MORE, layers=EVERY_SECOND)
    extra = {"further_comments": MORE}
    records += score(half, HALF_DEPTH, seed, others, criterion="depth", **extra, **cost)[0]
    for shape in SHAPES:
        model, cost = further(seed, MORE, **shaped(seed, shape))
        extra |= {"criterion": "importance", **cost}
        records += score(model, shape_name(shape), seed, others, **extra)[0]
    return records


def structure_longer(seed: int) -> list[dict]:
    """The same with some epochs of train: pruned shapes, half of the layers, and the unpruned."""
    before = fine_tuned(seed)
    cost = {"criterion": "none", "further_comments": 0, **before[1]}
    records, fine = score(before[0].network, FINE_TUNED, seed, **cost)
    controls = {"fine_tuned": fine}
    for setting, criterion, kept in (
        ("unpruned", "none", {}),
        (HALF_DEPTH, "depth", {"layers": EVERY_SECOND}),
        *((shape_name(shape), "importance", shaped(seed, shape)) for shape in LONG_SHAPES),
    ):
        network, cost = recovered(seed, **kept)
        extra = {"criterion": criterion, **cost}
        found, predicted = score(network, longer(setting), seed, controls, **extra)
        records += found
        controls.setdefault("unpruned", predicted)
    return records


def longer(setting: str) -> str:
    return f"{setting}, {LONGER} epochs more"


def structure_latency(seed: int) -> list[dict]:
    """All shapes of :func:`structure`, and the one without heads, in turns; F1 stands there."""
    return _timed(unpruned(MORE), HALF_DEPTH, "heads by L0 gates", *map(shape_name, SHAPES))


def longer_latency(seed: int) -> list[dict]:
    """Those of :func:`structure_longer`, in turns."""
    return _timed(*map(longer, ("unpruned", HALF_DEPTH, *map(shape_name, LONG_SHAPES))))


def _timed(whole: str, *others: str) -> list[dict]:
    models = {setting: load_model(file_path(METHOD, setting, 0)) for setting in (whole, *others)}
    found = times_as_fast(models, whole, data("dev").texts[:128], repeats=3, seed=0)
    return [
        {"method": METHOD, "setting": setting, "seed": 0, **timing}
        for setting, timings in found.items()
        for timing in timings
    ]


# --- movement -----------------------------------------------------------------------------------------


def movement(seed: int) -> list[dict]:
    """Weights of the encoder gone by movement and by size, at high sparsities."""
    records, (_, others) = [], controls(seed, COMMENTS)
    whole = numbers(prune_transformer(fine_tuned(seed)[0].network))
    for sparsity in SPARSITIES:
        for name, learned in (("movement", True), ("magnitude", False)):
            settings = {"comments": COMMENTS, "sparsity": sparsity, "learned": learned}
            model, cost = network_once(prune_weights, seed=seed, stride=STRIDE, **settings, **whole)
            extra = {"criterion": name, "sparsity": sparsity, "further_comments": COMMENTS, **cost}
            records += score(model, f"weights by {name}, {sparsity:.0%}", seed, others, **extra)[0]
    return records
