"""What unit 08 measures: codes after training and with it, ranges, prices, phases, clusters, shifts."""

import copy

from course.measuring.budgets import ship_best
from course.measuring.cache import trained_once
from course.measuring.results import Experiment
from utils.distillation import qkd
from utils.quantization import QuantizationAware

from .budgets import BUDGETS
from .coding import AFTER, FIXED, WHILE, further, gru, rounded, with_codes
from .judging import EXACT, FLOAT16, FLOAT32, Judge, on
from .racing import race
from .recipe import (
    AGAIN,
    ENSEMBLE,
    LABELS,
    MODEL_1_AGAIN,
    STUDENT,
    TEACHER,
    heard,
    train_model_1,
)
from .shifting import shifts
from .transformer import ship_transformer, transformer

# --- after training, and with it ----------------------------------------------------------------------

BITS = (8, 4, 3, 2)
MIN_MAX, LEAST_ERROR = "uniform, min to max", "uniform, least error"
# With more bits the grids differ too little to be worth the time of training on all.
ALL = tuple(dict.fromkeys((MIN_MAX, *FIXED.values(), *FIXED)))
TRAINED = {8: (MIN_MAX,), 4: (MIN_MAX, LEAST_ERROR, "uniform, learned step"), 3: ALL, 2: ALL}


def bits(seed: int) -> list[dict]:
    """The student on every grid, rounded after training and trained with its codes.

    ``when`` is "after" or "with". Records of test have paired differences: ``difference_to_longer``, to
    float32 trained as long; with codes ``difference_to_after``, to the same grid after training (of a
    learned range, to the one of least error); of a learned range ``difference_to_fixed``, to the fixed
    one that also trained.
    """
    run = Judge("student", seed)
    start, cost = gru(STUDENT, ENSEMBLE, seed)
    run.enter(start, EXACT, FLOAT32, when="never", bits=32, **cost)
    longer, cost = further(start, seed, targets=heard(ENSEMBLE))
    run.enter(longer, "longer", FLOAT32, {"float32": EXACT}, when="never", bits=32, **cost)

    def after(grid: str, width: int) -> None:
        codecs = rounded(start, AFTER[grid](width))
        facts = {"when": "after", "grid": grid, "bits": width}
        run.enter_codes(
            start, f"{grid}, {width} bits, after", codecs, {"longer": "longer"}, **facts
        )

    def trained(grid: str, width: int) -> None:
        fixed = FIXED.get(grid)
        against = {"longer": "longer", "after": f"{fixed or grid}, {width} bits, after"}
        if fixed:
            against["fixed"] = f"{fixed}, {width} bits, with"
        model, codecs, cost = with_codes(start, WHILE[grid](width), seed, targets=heard(ENSEMBLE))
        facts = {"when": "with", "grid": grid, "bits": width, **cost}
        run.enter_codes(model, f"{grid}, {width} bits, with", codecs, against, **facts)

    for width in BITS:
        for grid in AFTER:
            if grid != "ternary" or width == 2:  # it has three values, whatever the bits
                after(grid, width)
        for grid in TRAINED[width]:
            trained(grid, width)
    trained("ternary", 2)
    return run.records


# --- phases -------------------------------------------------------------------------------------------

PHASES = {
    "all three": (1, 1, 1),
    "without self-studying": (0, 1, 2),
    "without co-studying": (1, 0, 2),
    "without tutoring": (1, 2, 0),
    "self-studying alone": (3, 0, 0),
}
PHASE_BITS = 3


def phases(seed: int) -> list[dict]:
    """QKD on labels, and with each phase left out, its epoch given to the last one that is left.

    Student and teacher know labels alone, as in the paper and on the poster. Records of test have a
    paired difference to all three.
    """
    run = Judge("QKD", seed)
    networks = [gru(units, LABELS, seed) for units in (STUDENT, TEACHER)]
    for (model, cost), kind in zip(networks, ("student", "teacher"), strict=True):
        run.enter(model, f"{kind}, labels", FLOAT16, kind=kind, **cost)
    for name, epochs in PHASES.items():
        student, teacher = (copy.deepcopy(model) for model, _ in networks)
        grids = {"*weight*": WHILE["APoT, learned range"](PHASE_BITS)}
        aware = QuantizationAware(student.network, grids)
        lasting = dict(zip(("self_studying", "co_studying", "tutoring"), epochs, strict=True))
        options = {**AGAIN, **lasting, "seed": seed, "decay": True, "progress": False}
        del options["epochs"]
        qkd(aware, teacher.network, *on(student, heard(LABELS)), temperature=2.0, **options)
        student.network = aware.quantized()
        against = {"all_phases": "all three"} if run.said.get("all three") is not None else {}
        facts = {"kind": "phases", "bits": PHASE_BITS, **lasting}
        run.enter_codes(student, name, aware.codecs, against, **facts)
    return run.records


# --- clusters -----------------------------------------------------------------------------------------


def clusters(seed: int) -> list[dict]:
    """Model 1, its weights shared by k-means after training, and trained as clusters."""
    run = Judge("Model 1", seed)
    start, cost = trained_once(train_model_1, seed=seed)
    run.enter(start, EXACT, FLOAT32, when="never", bits=32, **cost)
    for width in (4, 3):
        codecs, shared = rounded(start, AFTER["k-means"](width)), f"shared by k-means, {width} bits"
        run.enter_codes(start, shared, codecs, {"float32": EXACT}, when="after", bits=width)
        grid = WHILE["shared values"](width)
        model, codecs, cost = with_codes(start, grid, seed, targets=heard(LABELS), **MODEL_1_AGAIN)
        against = {"float32": EXACT, "after": shared}
        facts = {"when": "with", "bits": width, **cost}
        run.enter_codes(model, f"clusters that learn, {width} bits", codecs, against, **facts)
    whole = run.records[0]["file_bytes"]
    return [r | {"smaller_by": 1 - r["file_bytes"] / whole} for r in run.records]


EXPERIMENTS = [
    Experiment("race", race),
    Experiment("clusters", clusters),
    Experiment("phases", phases),
    Experiment("bits", bits),
    Experiment("transformer: with codes", transformer),
    *BUDGETS,
    Experiment("shifts", shifts, seeded=False, alone=True, scored=False),
]


def finish(records: list[dict]) -> None:
    ship_transformer([r for r in records if r["experiment"] == "transformer"])
    ship_best(records)
