"""What unit 05 measures: trade-offs of F1 and steps, their controls, early exits, bytes and time."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import spearmanr

from course.measuring.baselines import file_path, scored, ship
from course.measuring.results import Experiment
from course.measuring.training import data
from course.threads import one_thread
from utils.adaptive import ParityNetwork, parity_batch, steps_taken, train_parity
from utils.models import NeuralClassifier
from utils.packing import load_model

from .comparing import compared
from .exiting import early_exits, exit_latency
from .keeping import from_file, kept
from .pondering import train_ponder
from .racing import cost_of_asking, race
from .recipe import MAX_STEPS
from .recurrent import train_recurrent
from .spatial import train_spatial
from .universal import train_universal

# Word vectors in 8 bits and the rest in half precision, as unit 01 ships its networks.
NETWORK = {"vocabulary": "words", "network.embedding.weight": "int8", "network.*": "float16"}
DEPTHS = range(1, MAX_STEPS + 1)
PENALTIES = (0.0, 0.001, 0.003, 0.01)
RATES = (0.2, 0.4, 0.45, 0.9)


@dataclass(frozen=True)
class Form:
    """A form of adaptive depth, and its control of fixed depth.

    Attributes
    ----------
    method, control : what they are called
    train : gives a model for ``seed``, ``max_steps`` and a price
    fixed : gives a model of fixed depth for ``seed`` and ``max_steps``
    price : name of the dial, an argument of ``train``, and a field of the records
    prices : its values
    """

    method: str
    control: str
    train: Callable
    fixed: Callable
    price: str = "penalty"
    prices: tuple[float, ...] = PENALTIES

    def adaptive(self, seed: int, price: float) -> tuple[NeuralClassifier, dict]:
        settings = {"seed": seed, "max_steps": MAX_STEPS, self.price: price}
        return kept(self.train, **settings)

    def of_depth(self, seed: int, depth: int) -> tuple[NeuralClassifier, dict]:
        return kept(self.fixed, seed=seed, max_steps=depth)

    def setting(self, price: float) -> str:
        return f"{'penalty' if self.price == 'penalty' else 'prior'} {price:g}"

    def facts(self, price: float) -> dict:
        return {"time_penalty" if self.price == "penalty" else "prior_rate": price}


RECURRENT = Form("recurrent ACT", "GRU of fixed depth", train_recurrent, train_recurrent)
SPATIAL = Form("spatial ACT", "convolutions of fixed depth", train_spatial, train_spatial)
UNIVERSAL = Form(
    "Universal Transformer with ACT",
    "Universal Transformer of fixed depth",
    train_universal,
    train_universal,
)
PONDER = Form(
    "PonderNet", UNIVERSAL.control, train_ponder, train_universal, price="rate", prices=RATES
)


# --- parity -------------------------------------------------------------------------------------------

PARITY = {"bits": 8, "units": 16, "max_steps": 8}
PARITY_TRAINING = {"penalty": 0.02, "batches": 2000}


def parity(seed: int) -> list[dict]:
    """ACT on vectors of which the difficulty is known: accuracy and steps of each difficulty."""
    one_thread()
    torch.manual_seed(seed)
    network = ParityNetwork(**PARITY)
    train_parity(network, PARITY["bits"], seed=seed, **PARITY_TRAINING)
    fresh = torch.Generator().manual_seed(1000 + seed)
    vectors, difficulty, odd = parity_batch(20_000, PARITY["bits"], fresh)
    with torch.inference_mode():
        right = (network(vectors) > 0) == (odd > 0)
    steps = network.steps.double()
    by_difficulty = [steps[difficulty == d].mean().item() for d in range(1, PARITY["bits"] + 1)]
    return [
        {
            "method": "ACT on parity",
            "setting": f"{PARITY['bits']} bits",
            "seed": seed,
            "accuracy": right.double().mean().item(),
            "mean_steps": steps.mean().item(),
            "steps_by_difficulty": by_difficulty,
            "rank_correlation": float(spearmanr(difficulty, steps).statistic),
            "rank_correlation_of_means": float(
                spearmanr(range(len(by_difficulty)), by_difficulty).statistic
            ),
            "time_penalty": PARITY_TRAINING["penalty"],
            **PARITY,
        }
    ]


# --- trade-offs ---------------------------------------------------------------------------------------


def measured(
    model: NeuralClassifier, method: str, setting: str, seed: int, **facts
) -> tuple[list[dict], np.ndarray]:
    """Records of a model's file with its mean steps on both splits, and what it says of test."""
    records = scored(model, method, setting, seed, NETWORK, tune=True, **facts)
    loaded = load_model(file_path(method, setting, seed))
    for record in records:
        ids = loaded.tokenizer.encode(data(record["split"]).texts, loaded.length)
        steps = steps_taken(loaded.network, ids)
        record["mean_steps"] = float(steps[steps > 0].mean())
    return records, loaded.predict(data("test").texts)


def depths(depth: int) -> str:
    """The setting of a model of fixed depth."""
    return f"{depth} step{'s' * (depth > 1)}"


def controls(form: Form, seed: int) -> tuple[list[dict], dict[int, np.ndarray]]:
    """The records of all fixed depths, and what each says of test."""
    records, said = [], {}
    for depth in DEPTHS:
        model, cost = form.of_depth(seed, depth)
        facts = {"max_steps": depth} | cost
        new, said[depth] = measured(model, form.control, depths(depth), seed, **facts)
        records += new
    return records, said


def trade_off(form: Form, name: str, with_controls: bool = True) -> Experiment:
    """A form at all its prices; its controls at all depths, unless another experiment has them."""

    def run(seed: int) -> list[dict]:
        records, said = controls(form, seed)
        if not with_controls:
            records = []
        for price in form.prices:
            model, cost = form.adaptive(seed, price)
            facts = {"max_steps": MAX_STEPS} | form.facts(price) | cost
            new, predictions = measured(model, form.method, form.setting(price), seed, **facts)
            on = {record["split"]: record for record in new}
            records += [on["dev"], compared(on["test"], predictions, said, seed)]
        return records

    return Experiment(name, run)


# --- bytes and time -----------------------------------------------------------------------------------

SEPARATE = "Transformer of separate blocks"


def separate_blocks(seed: int) -> list[dict]:
    """As many separate blocks as the shared one has uses; the shared one stands in the trade-off."""
    model, cost = kept(train_universal, seed=seed, max_steps=MAX_STEPS, shared=False)
    return measured(model, SEPARATE, depths(MAX_STEPS), seed, max_steps=MAX_STEPS, **cost)[0]


def latency(form: Form, name: str) -> Experiment:
    """All models of a form's seed 0 in turns, alone and in batches; ratios are to the full depth."""

    def run(seed: int) -> list[dict]:
        names = [(form.control, depths(depth)) for depth in DEPTHS]
        full = names[-1]
        names += [(form.method, form.setting(price)) for price in form.prices]
        if form is UNIVERSAL:
            names.append((SEPARATE, depths(MAX_STEPS)))
        models = {each: from_file(*each) for each in names}
        texts = data("dev").texts[:256]
        return [
            {"method": method, "setting": setting, "seed": seed, **timing}
            for (method, setting), timings in race(models, full, texts, seed=seed).items()
            for timing in timings
        ]

    return Experiment(f"latency: {name}", run, seeded=False, alone=True, scored=False)


def asking(seed: int) -> list[dict]:
    """What the question whether to halt costs; the words are those of the models that were scored."""
    words = from_file(RECURRENT.control, depths(1)).tokenizer
    return cost_of_asking(words, data("dev").texts[:128], seed)


def finish(records: list[dict]) -> None:
    """Ship a model of each form, whose steps a lecture can show: the best on dev of few steps."""
    names = {RECURRENT: "recurrent", SPATIAL: "spatial", UNIVERSAL: "universal"}
    for form, name in names.items():
        few = [
            record
            for record in records
            if (record["method"], record["seed"]) == (form.method, 0)
            and record.get("split") == "dev"
            and record["mean_steps"] <= 0.6 * record["max_steps"]
        ]
        if few:
            ship(max(few, key=lambda record: record["macro_f1"]), f"adaptive-{name}.slm")


EXPERIMENTS = [
    Experiment("parity", parity, scored=False),
    trade_off(RECURRENT, "recurrent"),
    trade_off(UNIVERSAL, "universal"),
    trade_off(PONDER, "ponder", with_controls=False),
    trade_off(SPATIAL, "spatial"),
    Experiment("separate blocks", separate_blocks),
    Experiment("early exit", early_exits, seeded=False),
    latency(RECURRENT, "recurrent"),
    latency(UNIVERSAL, "universal"),
    latency(PONDER, "ponder"),
    latency(SPATIAL, "spatial"),
    Experiment("cost of asking", asking, seeded=False, alone=True, scored=False),
    Experiment("exit latency", exit_latency, seeded=False, alone=True, scored=False),
]
