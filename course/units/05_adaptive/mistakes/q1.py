"""Question 1, halting weights: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

SUMS = "np.cumsum(probabilities, axis=1)"
REACHED = f"{SUMS} >= 1 - epsilon"
FORCED = "    reached[:, -1] = True\n"
STEPS = "reached.argmax(axis=1) + 1"
BEFORE = "np.where(number < steps[:, None], probabilities, 0.0)"
REMAINDER = "1 - before.sum(axis=1)"
WEIGHTS = "np.where(number == steps[:, None], remainder[:, None], before)"
RETURN = "return weights, steps, remainder"
UP_TO = "np.where(number <= steps[:, None], probabilities, 0.0)"
NUMBER = "    number = np.arange(1, probabilities.shape[1] + 1)\n"

RESCALED = """
def rescaled(given, steps):
    total = given.sum(axis=1, keepdims=True)
    weights = given / np.where(total > 0, total, 1)
    weights[total[:, 0] == 0, -1] = 1
    return weights
"""


def weights(code: str) -> tuple:
    return ((WEIGHTS, code),)


def reached(code: str) -> tuple:
    return ((REACHED, code),)


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.adaptive.halting_weights",
        code="""
import torch

from utils.adaptive import halting_weights as of_library


def halting_weights(probabilities, epsilon=0.01):
    return tuple(part.numpy() for part in of_library(torch.tensor(probabilities), epsilon))
""",
    ),
    # ------------------------------------------------------------------ what the last step weighs
    Mistake(
        name="last-step-weighs-its-probability",
        misconception="Every step weighs its probability.",
        message="Your last step weighs its probability. It weighs the remainder, or the weights of a "
        "position do not sum to 1.",
        changes=weights(UP_TO),
        variants=(weights("probabilities * (number <= steps[:, None])"),),
    ),
    Mistake(
        name="forced-step-weighs-its-probability",
        misconception="The remainder is for positions that halt by themselves.",
        message="Where a position is forced to halt, your last step weighs its probability. It weighs "
        "the remainder there, too: the weights must sum to 1.",
        changes=weights(
            f"np.where(({SUMS}[:, -1:] >= 1 - epsilon) & (number == steps[:, None]), "
            f"remainder[:, None], {UP_TO})"
        ),
        variants=(
            (
                (
                    WEIGHTS,
                    f"np.where(({SUMS}[:, -1:] < 1 - epsilon), probabilities, "
                    "np.where(number == steps[:, None], remainder[:, None], before))",
                ),
            ),
        ),
    ),
    Mistake(
        name="forced-remainder-is-its-probability",
        misconception="A position that is forced to halt has no remainder but its last probability.",
        message="Where a position is forced to halt, you take its last probability for the remainder, "
        "in the weights and in R. The remainder is what the steps before left of 1.",
        changes=(
            (
                REMAINDER,
                f"np.where({SUMS}[:, -1] < 1 - epsilon, probabilities[:, -1], 1 - before.sum(axis=1))",
            ),
        ),
    ),
    Mistake(
        name="remainder-is-the-last-probability",
        misconception="The remainder is another name for the probability of the last step.",
        message="You return the last step's probability as the remainder, and as its weight. The "
        "remainder is 1 minus the probabilities of the steps before.",
        changes=((REMAINDER, "probabilities[np.arange(len(steps)), steps - 1]"),),
        variants=(((REMAINDER, f"({UP_TO} - before).sum(axis=1)"),),),
    ),
    Mistake(
        name="only-r-is-the-last-probability",
        misconception="R is the probability with which the position halted.",
        message="Your weights are right, but as R you return the probability of the last step. R is "
        "the weight of that step.",
        changes=(
            (RETURN, "return weights, steps, probabilities[np.arange(len(steps)), steps - 1]"),
        ),
    ),
    Mistake(
        name="remainder-after-the-last-step",
        misconception="The remainder is what is left after step N.",
        message="You take away the probability of step N as well. The remainder is what the steps "
        "before N leave of 1.",
        changes=((REMAINDER, f"1 - {UP_TO}.sum(axis=1)"),),
        variants=(((REMAINDER, f"1 - {SUMS}[np.arange(len(steps)), steps - 1]"),),),
    ),
    Mistake(
        name="remainder-after-the-last-step-at-least-0",
        misconception="The remainder is what is left after step N, if anything is.",
        message="You take away the probability of step N as well, and cut what is below 0. The "
        "remainder is what the steps before N leave of 1.",
        changes=((REMAINDER, f"np.maximum(0, 1 - {UP_TO}.sum(axis=1))"),),
        variants=(((REMAINDER, f"np.clip(1 - {UP_TO}.sum(axis=1), 0, 1)"),),),
    ),
    Mistake(
        name="only-r-is-what-is-left-after",
        misconception="R is what no step got.",
        message="Your weights are right, but as R you return what is left after step N. R is the "
        "weight of that step.",
        changes=((RETURN, f"return weights, steps, 1 - {UP_TO}.sum(axis=1)"),),
        variants=(((RETURN, f"return weights, steps, np.maximum(0, 1 - {UP_TO}.sum(axis=1))"),),),
    ),
    Mistake(
        name="remainder-up-to-1-minus-epsilon",
        misconception="The weights sum to the bound at which a position halts.",
        message="Your remainder is what is left of 1 - epsilon, and the weights sum to that. Epsilon "
        "says when to halt; the remainder is what is left of 1.",
        changes=((REMAINDER, "1 - epsilon - before.sum(axis=1)"),),
    ),
    Mistake(
        name="weights-divided-by-their-sum",
        misconception="Weights are made to sum to 1 by dividing them.",
        message="You divide the probabilities by their sum, so that every step's weight changes. Steps "
        "before the last weigh their probability; only the last one makes up for the difference.",
        changes=weights(f"{UP_TO} / np.maximum({UP_TO}.sum(axis=1, keepdims=True), 1e-300)"),
        variants=(
            (
                *weights(f"{UP_TO} / np.maximum({UP_TO}.sum(axis=1, keepdims=True), 1e-300)"),
                (RETURN, "return weights, steps, weights[np.arange(len(steps)), steps - 1]"),
            ),
            weights(f"rescaled({UP_TO}, steps)"),
            (
                *weights(f"rescaled({UP_TO}, steps)"),
                (RETURN, "return weights, steps, weights[np.arange(len(steps)), steps - 1]"),
            ),
            weights(f"{UP_TO} / {UP_TO}.sum(axis=1, keepdims=True)"),
            (
                *weights(f"{UP_TO} / {UP_TO}.sum(axis=1, keepdims=True)"),
                (RETURN, "return weights, steps, weights[np.arange(len(steps)), steps - 1]"),
            ),
        ),
        helpers=RESCALED,
    ),
    Mistake(
        name="last-step-weighs-1",
        misconception="The state of the last step is the result.",
        message="Your last step weighs 1, whatever the steps before weigh. Only what is left of 1 is "
        "its weight.",
        changes=weights("np.where(number == steps[:, None], 1.0, before)"),
        variants=(weights("before + (number == steps[:, None])"),),
    ),
    Mistake(
        name="only-the-last-step-counts",
        misconception="What was computed before the last step is thrown away.",
        message="You give the steps before the last no weight. Each weighs its probability.",
        changes=weights("(number == steps[:, None]) * 1.0"),
        variants=(weights("np.where(number == steps[:, None], remainder[:, None], 0.0)"),),
    ),
    Mistake(
        name="all-steps-weigh-the-same",
        misconception="The states of all steps are averaged.",
        message="You give all steps up to the last the same weight. Each weighs its probability, and "
        "the last the remainder.",
        changes=weights("(number <= steps[:, None]) / steps[:, None]"),
    ),
    Mistake(
        name="remainder-only-as-a-cap",
        misconception="The remainder only cuts the last probability down to what is left of 1.",
        message="Your last step weighs its probability, cut down only where it overshoots what is left "
        "of 1. It weighs all that is left, also where its own probability is smaller.",
        changes=(
            (
                WEIGHTS,
                "np.where(number == steps[:, None], np.minimum(probabilities, remainder[:, None]), "
                "before)",
            ),
        ),
        variants=(
            (
                (
                    WEIGHTS,
                    "np.where(number == steps[:, None], np.minimum(probabilities, "
                    "remainder[:, None]), before)",
                ),
                (RETURN, "return weights, steps, weights[np.arange(len(steps)), steps - 1]"),
            ),
        ),
    ),
    Mistake(
        name="later-steps-keep-weight",
        misconception="What stands behind the last step does not matter.",
        message="Steps after the last one still have weight. They are not computed and weigh 0.",
        changes=weights("np.where(number == steps[:, None], remainder[:, None], probabilities)"),
    ),
    Mistake(
        name="remainder-one-step-later",
        misconception="The remainder goes to the step after those that weigh their probability.",
        message="Step N weighs its probability in your answer, and the step after it what is left. "
        "Step N is the last one and takes all that is left.",
        changes=weights(
            f"np.where(number == steps[:, None] + 1, np.maximum(0, 1 - {UP_TO}.sum(axis=1))[:, None], "
            f"{UP_TO})"
        ),
        variants=(
            weights(
                f"np.where(number == steps[:, None] + 1, 1 - {UP_TO}.sum(axis=1)[:, None], {UP_TO})"
            ),
            weights(f"np.where(number == steps[:, None] + 1, remainder[:, None], {UP_TO})"),
        ),
    ),
    Mistake(
        name="probabilities-of-arriving",
        misconception="A step's weight is the probability to arrive at it and halt there.",
        message="You multiply each probability by those of not having halted before. That is "
        "PonderNet; in ACT a step before the last weighs its own probability.",
        changes=(
            (
                BEFORE,
                "np.where(number < steps[:, None], probabilities * np.cumprod(np.column_stack("
                "[np.ones(len(steps)), 1 - probabilities[:, :-1]]), axis=1), 0.0)",
            ),
        ),
        variants=(
            (
                (
                    f"    reached = {REACHED}\n",
                    "    probabilities = probabilities * np.cumprod(np.column_stack("
                    "[np.ones(len(probabilities)), 1 - probabilities[:, :-1]]), axis=1)\n"
                    f"    reached = {REACHED}\n",
                ),
            ),
        ),
    ),
    # --------------------------------------------------------------------- when a position halts
    Mistake(
        name="strictly-above",
        misconception="To reach a bound is to exceed it.",
        message="A position whose sum is just 1 - epsilon goes on in your answer. It has reached the "
        "bound, and halts.",
        changes=reached(f"{SUMS} > 1 - epsilon"),
        variants=(reached(f"1 - {SUMS} < epsilon"),),
    ),
    Mistake(
        name="epsilon-ignored",
        misconception="A position halts when its probabilities sum to 1.",
        message="Your positions halt only when their sum reaches 1. They halt at 1 - epsilon.",
        changes=reached(f"{SUMS} >= 1"),
        variants=(reached(f"{SUMS} >= 1 - 1e-9"),),
    ),
    Mistake(
        name="epsilon-hard-coded",
        misconception="Epsilon is 0.01.",
        message="You halt at 0.99 whatever `epsilon` is. Use the parameter.",
        changes=reached(f"{SUMS} >= 0.99"),
        variants=(reached(f"{SUMS} >= 1 - 0.01"),),
    ),
    Mistake(
        name="epsilon-added",
        misconception="Epsilon is how far the sum may exceed 1.",
        message="You halt at 1 + epsilon. Positions halt a little before 1, at 1 - epsilon.",
        changes=reached(f"{SUMS} >= 1 + epsilon"),
        variants=(reached(f"{SUMS} > 1 + epsilon"),),
    ),
    Mistake(
        name="halts-at-epsilon",
        misconception="Epsilon is the bound.",
        message="You halt as soon as the sum reaches epsilon. The bound is 1 - epsilon.",
        changes=reached(f"{SUMS} >= epsilon"),
        variants=(reached(f"{SUMS} > epsilon"),),
    ),
    Mistake(
        name="single-probability-decides",
        misconception="A position halts when its unit is sure.",
        message="You compare single probabilities with 1 - epsilon. It is their sum that has to reach "
        "it.",
        changes=reached("probabilities >= 1 - epsilon"),
    ),
    Mistake(
        name="more-likely-than-not",
        misconception="A position halts when halting is more likely than going on.",
        message="You halt at the first probability of one half or more. What decides is whether the "
        "sum of the probabilities reaches 1 - epsilon.",
        changes=reached("probabilities >= 0.5"),
        variants=(reached("probabilities > 0.5"),),
    ),
    Mistake(
        name="half-of-the-sum",
        misconception="A position halts at the median of its steps.",
        message="You halt as soon as the sum reaches one half. The bound is 1 - epsilon.",
        changes=reached(f"{SUMS} >= 0.5"),
    ),
    Mistake(
        name="likely-to-have-halted",
        misconception="A position halts when it is likely to have halted by now.",
        message="You halt when the probability of not having halted, the product of all 1 - p, has "
        "become small. ACT adds the probabilities up.",
        changes=reached("1 - np.cumprod(1 - probabilities, axis=1) >= 1 - epsilon"),
        variants=(reached("np.cumprod(1 - probabilities, axis=1) <= epsilon"),),
    ),
    Mistake(
        name="halts-before-exceeding",
        misconception="The sum must not exceed the bound.",
        message="You halt one step too early, before the sum reaches the bound: the step that reaches "
        "it is the last one.",
        changes=((STEPS, "np.maximum(1, reached.argmax(axis=1))"),),
        variants=(
            (
                (
                    STEPS,
                    "np.where(reached[:, :-1].any(axis=1), np.maximum(1, reached.argmax(axis=1)), "
                    "reached.shape[1])",
                ),
            ),
        ),
    ),
    Mistake(
        name="halts-after-reaching",
        misconception="A position goes on until its sum has been reached before.",
        message="You halt one step too late: the step at which the sum reaches the bound is the last "
        "one, and not the step after it.",
        changes=((STEPS, "np.minimum(reached.argmax(axis=1) + 2, reached.shape[1])"),),
        variants=(reached("np.cumsum(probabilities, axis=1) - probabilities >= 1 - epsilon"),),
    ),
    Mistake(
        name="never-forced",
        misconception="Every position's sum reaches the bound some time.",
        message="A position whose sum never reaches the bound has one step in your answer: argmax of "
        "nothing but False is 0. It halts at the last step.",
        changes=((FORCED, ""),),
    ),
    Mistake(
        name="forced-one-step-late",
        misconception="The forced step is one more than all others.",
        message="A position whose sum never reaches the bound gets one step too many. There are "
        "`max_steps` steps, and it halts at the last one.",
        changes=(
            (FORCED, ""),
            (STEPS, "np.where(reached.any(axis=1), reached.argmax(axis=1), reached.shape[1]) + 1"),
        ),
        variants=(((FORCED, ""), (STEPS, "(~reached).sum(axis=1) + 1")),),
    ),
    Mistake(
        name="forced-position-has-no-steps",
        misconception="A position that never halts has no last step.",
        message="A position whose sum never reaches the bound has 0 steps in your answer. It halts at "
        "the last one, and has taken all of them.",
        changes=(
            (FORCED, ""),
            (STEPS, "np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, 0)"),
        ),
    ),
    Mistake(
        name="forced-one-step-early",
        misconception="The last step may not be reached.",
        message="You force positions to halt one step before the last. `max_steps` steps are allowed.",
        changes=((FORCED, "    reached[:, -2:] = True\n"),),
        variants=(
            ((STEPS, "np.minimum(reached.argmax(axis=1) + 1, max(1, reached.shape[1] - 1))"),),
        ),
    ),
    Mistake(
        name="batch-halts-together",
        misconception="All positions take as many steps as the slowest.",
        message="All your positions take as many steps as the one that needs most. Each halts by "
        "itself.",
        changes=((STEPS, "np.full(len(reached), (reached.argmax(axis=1) + 1).max())"),),
    ),
    Mistake(
        name="first-halt-halts-all",
        misconception="Once a position halts, all do.",
        message="All your positions halt as soon as the first one does. Each halts by itself.",
        changes=((STEPS, "np.full(len(reached), (reached.argmax(axis=1) + 1).min())"),),
    ),
    Mistake(
        name="summed-over-positions",
        misconception="The first axis is the one of steps.",
        message="You add up over positions. Add up over a position's steps, which lie along axis 1.",
        changes=((SUMS, "np.cumsum(probabilities, axis=0)"),),
    ),
    # ------------------------------------------------------------------------- what is returned
    Mistake(
        name="steps-counted-from-0",
        misconception="The first step has number 0.",
        message="Your steps are one too few: they are counted from 1.",
        changes=((RETURN, "return weights, steps - 1, remainder"),),
        variants=(
            (
                (STEPS, "reached.argmax(axis=1)"),
                ("np.arange(1, probabilities.shape[1] + 1)", "np.arange(probabilities.shape[1])"),
            ),
        ),
    ),
    Mistake(
        name="cost-for-steps",
        misconception="The number of steps is N + R.",
        message="For the number of steps you return N + R, the ponder cost. The number of steps is N.",
        changes=((RETURN, "return weights, steps + remainder, remainder"),),
    ),
    Mistake(
        name="expected-steps",
        misconception="The number of steps is their weighted mean.",
        message="For the number of steps you return the mean by weight. N is how many were taken.",
        changes=((RETURN, "return weights, weights @ number, remainder"),),
    ),
    Mistake(
        name="steps-with-weight",
        misconception="The steps taken are those with a weight.",
        message="You count the steps whose weight, or probability, is not 0. A step of probability 0 "
        "was computed, too.",
        changes=((RETURN, "return weights, (weights > 0).sum(axis=1), remainder"),),
    ),
    Mistake(
        name="results-swapped",
        misconception="The order of the results does not matter.",
        message="You return the right three arrays in another order: weights, steps, remainder.",
        changes=((RETURN, "return weights, remainder, steps"),),
        variants=(
            ((RETURN, "return steps, remainder, weights"),),
            ((RETURN, "return steps, weights, remainder"),),
        ),
    ),
    Mistake(
        name="results-as-columns",
        misconception="One number for each position is a column.",
        message="Steps and remainder have shape (positions, 1) in your answer. They must have shape "
        "(positions,).",
        changes=((RETURN, "return weights, steps[:, None], remainder[:, None]"),),
        variants=(((RETURN, "return weights, steps, remainder[:, None]"),),),
    ),
    Mistake(
        name="weights-transposed",
        misconception="Steps come first.",
        message="Your weights have shape (max_steps, positions). Positions come first.",
        changes=((RETURN, "return weights.T, steps, remainder"),),
    ),
    Mistake(
        name="weights-alone",
        misconception="The weights say everything.",
        message="You return the weights alone. Return weights, steps and remainder.",
        changes=((RETURN, "return weights"),),
    ),
    Mistake(
        name="rounds-the-result",
        misconception="Two digits are exact enough.",
        message="The weights or the remainders are rounded. Return them as they are.",
        changes=((RETURN, "return weights.round(2), steps, remainder.round(2)"),),
        variants=(
            ((RETURN, "return weights.round(1), steps, remainder.round(1)"),),
            ((RETURN, "return weights, steps, remainder.round(2)"),),
        ),
    ),
    Mistake(
        name="changes-its-input",
        misconception="An array that is handed in may be written to.",
        message="Your answer changes `probabilities`, which must be the same after the call as before.",
        changes=(
            (
                f"    reached = {REACHED}\n",
                f"    reached = {REACHED}\n    before = probabilities\n",
            ),
            (
                f"    before = {BEFORE}\n",
                "    before[number >= steps[:, None]] = 0\n",
            ),
        ),
        variants=(
            (
                (
                    RETURN,
                    "probabilities[...] = weights\n    return probabilities, steps, remainder",
                ),
            ),
        ),
    ),
    Mistake(
        name="weights-as-integers",
        misconception="An array of zeros holds whatever is put into it.",
        message="Your weights were cut to whole numbers: an array of integers cannot hold them.",
        changes=((RETURN, "return weights.astype(int), steps, remainder"),),
        variants=(((RETURN, "return weights.astype(int), steps, remainder.astype(int)"),),),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="one step after the other",
        code="""
def halting_weights(probabilities, epsilon=0.01):
    positions, most = probabilities.shape
    weights = np.zeros((positions, most))
    steps, remainders = [], []
    for i, row in enumerate(probabilities.tolist()):
        total = 0.0
        for n, p in enumerate(row, start=1):
            if total + p >= 1 - epsilon or n == most:
                break
            weights[i, n - 1] = p
            total += p
        weights[i, n - 1] = 1 - total
        steps.append(n)
        remainders.append(1 - total)
    return weights, steps, remainders
""",
    ),
    Alternative(
        name="the remainder from the sums shifted by one",
        code="""
def halting_weights(probabilities, epsilon=0.01):
    left = 1 - np.pad(probabilities, ((0, 0), (1, 0)))[:, :-1].cumsum(axis=1)
    running = np.ones_like(probabilities, dtype=bool)
    running[:, 1:] = np.cumsum(probabilities, axis=1)[:, :-1] < 1 - epsilon
    last = running & ~np.pad(running, ((0, 0), (0, 1)))[:, 1:]
    weights = np.where(last, left, probabilities * running)
    return weights, running.sum(axis=1), left[last]
""",
    ),
]
