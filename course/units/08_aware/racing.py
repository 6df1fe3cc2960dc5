"""The student of collaborative distillation on four kinds of grids, at equal complete bytes."""

import copy
from itertools import product

import numpy as np

from course.measuring.pairs import difference_to
from course.measuring.training import data
from utils.distillation import SoftLabelLoss, co_distill
from utils.models import predict_logits

from .coding import AFTER, WHILE, further, gru, rounded, with_codes
from .judging import DRAWS, EXACT, FLOAT16, FLOAT32, Judge, on
from .recipe import AGAIN, ENSEMBLE, STUDENT, TEACHER, heard

APOT, PLAIN, KMEANS, PRICED = "APoT", "plain uniform", "k-means after training", "priced steps"
KINDS = (APOT, PLAIN, KMEANS, PRICED)
# A learned step starts the wider the fewer its bits; then a byte has a price in the loss.
PRICED_BITS, PRICES = (3, 5), (1e-6, 1e-5)
LOSS = SoftLabelLoss(temperature=1.0, alpha=0.5)


def race(seed: int) -> list[dict]:
    """Files of four kinds, all coded alike, and of each the best that APoT's bytes pay for.

    Student and teacher learn together in float32, each from the ensemble and from the other. Then the
    teacher is frozen, and the student learns its codes from it and from the ensemble. Whoever gets no
    codes while it trains, trains as long without.
    """
    run = Judge("GRU-8", seed)
    student, teacher = (
        copy.deepcopy(gru(units, ENSEMBLE, seed)[0]) for units in (STUDENT, TEACHER)
    )
    run.enter(student, "alone", FLOAT32, kind=EXACT)
    hears = on(student, heard(ENSEMBLE))
    together = co_distill(
        [student.network, teacher.network], *hears, seed=seed, decay=True, progress=False, **AGAIN
    )
    run.enter(
        student, "together", FLOAT32, {"alone": "alone"}, kind=EXACT, best_epoch=together.best_epoch
    )
    run.enter(teacher, "its teacher, after that", FLOAT16, kind="teacher")
    tutor = predict_logits(teacher.network, hears[0][0])
    tutored = {"targets": np.hstack([heard(ENSEMBLE), tutor]), "loss": LOSS}

    exact, cost = further(student, seed, **tutored)
    run.enter(exact, EXACT, FLOAT32, {"alone": "alone"}, kind=EXACT, **cost)
    pair = {"float32": EXACT}
    for bits in (2, 3, 4):
        codecs = rounded(exact, AFTER["k-means"](bits))
        run.enter_codes(exact, f"{KMEANS}, {bits} bits", codecs, pair, kind=KMEANS, bits=bits)
    grids = {APOT: ("APoT, learned range", (2, 3, 4)), PLAIN: ("uniform, min to max", (3, 4, 5))}
    for kind, (grid, widths) in grids.items():
        for bits in widths:
            model, codecs, cost = with_codes(student, WHILE[grid](bits), seed, **tutored)
            facts = {"kind": kind, "bits": bits, **cost}
            run.enter_codes(model, f"{kind}, {bits} bits", codecs, pair, **facts)
    for bits, price in product(PRICED_BITS, PRICES):
        steps = WHILE["uniform, learned step"](bits)
        model, codecs, cost = with_codes(student, steps, seed, price=price, **tutored)
        facts = {"kind": PRICED, "bits": bits, "price": price, **cost}
        run.enter_codes(model, f"{PRICED}, {bits} bits, {price:g}", codecs, pair, **facts)
    return run.records + at_equal_bytes(run)


def at_equal_bytes(run: Judge) -> list[dict]:
    """Of each kind the file that APoT's bytes of 2, 3 and 4 bits pay for, chosen on dev.

    Its record is that of the file, with ``budget_bytes`` and the paired difference to APoT's.
    """
    records = []
    for budget in [r for r in run.records if r["kind"] == APOT and r["split"] == "test"]:
        fits = {kind: run.best_within(budget["file_bytes"], kind) for kind in KINDS}
        control = run.said[fits[APOT]["setting"]]
        for kind, record in fits.items():
            if record is None:
                continue
            found = record | {
                "method": kind,
                "setting": f"in the bytes of APoT of {budget['bits']} bits",
                "kind": "at equal bytes",
                "chosen": record["setting"],
                "budget_bytes": budget["file_bytes"],
            }
            if kind != APOT:
                said = run.said[record["setting"]]
                found |= difference_to("apot", data("test").labels, said, control, n=DRAWS)
            records.append(found)
    return records
