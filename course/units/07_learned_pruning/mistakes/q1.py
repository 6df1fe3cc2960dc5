"""Question 1, the hard concrete gate: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

X = "(np.log(noise) - np.log1p(-noise) + log_alpha) / beta"
S = "np.exp(-np.logaddexp(0, -x))"
STRETCHED = "s * (zeta - gamma) + gamma"
INSIDE = "(stretched > 0) & (stretched < 1)"
SLOPES = "inside * (zeta - gamma) * s * (1 - s) / beta"
WITHOUT_BETA = SLOPES.replace(" / beta", "")
Z = "np.clip(stretched, 0, 1)"
S_TEST = "np.exp(-np.logaddexp(0, -log_alpha))"
Z_TEST = "np.clip(at_test * (zeta - gamma) + gamma, 0, 1)"


def x(code: str) -> tuple:
    return ((X, code),)


def slopes(code: str) -> tuple:
    return ((SLOPES, code),)


def at_test(code: str) -> tuple:
    return ((Z_TEST, code),)


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.pruning.hard_concrete",
        code="""
import torch

from utils.pruning import deterministic_gate, hard_concrete


def sample_gates(log_alpha, noise, beta, gamma, zeta):
    a = torch.tensor(log_alpha) + torch.zeros(noise.shape, dtype=torch.float64)
    a.requires_grad_()
    z = hard_concrete(a, torch.tensor(noise), beta, gamma, zeta)
    z.sum().backward()
    return z.detach().numpy(), a.grad.numpy()


def gates_at_test(log_alpha, gamma, zeta):
    return deterministic_gate(torch.tensor(log_alpha), gamma, zeta).numpy()
""",
    ),
    # ------------------------------------------------------------------------------ the sample
    Mistake(
        name="temperature-left-out",
        misconception="The temperature matters only in the slope.",
        message="Your samples do not depend on the temperature. It divides what goes into the sigmoid.",
        changes=x(X.replace(" / beta", "")),
        variants=(x(X.replace(" / beta", "")) + slopes(WITHOUT_BETA),),
    ),
    Mistake(
        name="temperature-multiplies",
        misconception="A higher temperature makes the sigmoid steeper.",
        message="In your samples the temperature multiplies. It divides what goes into the sigmoid.",
        changes=x(X.replace("/ beta", "* beta")),
        variants=(x(X.replace("/ beta", "* beta")) + slopes(f"{WITHOUT_BETA} * beta"),),
    ),
    Mistake(
        name="temperature-of-the-noise-alone",
        misconception="The temperature belongs to the noise.",
        message="In your samples the temperature divides the noise's part alone. It divides the sum of "
        "that and log alpha.",
        changes=x("(np.log(noise) - np.log1p(-noise)) / beta + log_alpha"),
        variants=(
            x("(np.log(noise) - np.log1p(-noise)) / beta + log_alpha") + slopes(WITHOUT_BETA),
        ),
    ),
    Mistake(
        name="temperature-of-log-alpha-alone",
        misconception="The temperature belongs to the parameter.",
        message="In your samples the temperature divides log alpha alone. It divides the sum of that "
        "and the noise's part.",
        changes=x("np.log(noise) - np.log1p(-noise) + log_alpha / beta"),
    ),
    Mistake(
        name="noise-the-other-way-round",
        misconception="The noise is symmetric, so either end will do.",
        message="Your samples take 1 - u for u. That has the same distribution, but is another gate "
        "for the noise that is given.",
        changes=x("(np.log1p(-noise) - np.log(noise) + log_alpha) / beta"),
    ),
    Mistake(
        name="log-alpha-subtracted",
        misconception="The noise has to exceed log alpha.",
        message="Your samples close as log alpha grows. A larger log alpha opens the gate.",
        changes=x("(np.log(noise) - np.log1p(-noise) - log_alpha) / beta"),
        variants=(
            (
                (X, "(np.log(noise) - np.log1p(-noise) - log_alpha) / beta"),
                (SLOPES, f"-1 * {SLOPES}"),
            ),
        ),
    ),
    Mistake(
        name="noise-without-its-second-part",
        misconception="The logarithm of uniform noise is what the sigmoid needs.",
        message="Your samples lack ln(1 - u). The noise's part is ln u - ln(1 - u).",
        changes=x("(np.log(noise) + log_alpha) / beta"),
    ),
    Mistake(
        name="noise-added-as-it-is",
        misconception="The noise is added to log alpha.",
        message="Your samples add u itself to log alpha, without the logarithms.",
        changes=x("(noise + log_alpha) / beta"),
        variants=(x("(noise - (1 - noise) + log_alpha) / beta"),),
    ),
    Mistake(
        name="alpha-for-log-alpha",
        misconception="What is given is exponentiated first.",
        message="Your samples take alpha where log alpha belongs.",
        changes=x("(np.log(noise) - np.log1p(-noise) + np.exp(log_alpha)) / beta"),
        variants=(
            x("(np.log(noise) - np.log1p(-noise) + np.exp(log_alpha)) / beta")
            + slopes(f"{SLOPES} * np.exp(np.minimum(log_alpha, 700))"),
        ),
    ),
    Mistake(
        name="log-of-log-alpha",
        misconception="What is given is alpha, of which the logarithm is taken.",
        message="Your samples take the logarithm of log alpha. It is given as a logarithm already.",
        changes=x("(np.log(noise) - np.log1p(-noise) + np.log(log_alpha)) / beta"),
        variants=(
            x("(np.log(noise) - np.log1p(-noise) + np.log(log_alpha)) / beta")
            + slopes(f"{SLOPES} / log_alpha"),
        ),
    ),
    Mistake(
        name="noise-with-a-small-number",
        misconception="The logarithm of 0 must be avoided.",
        message="Your samples add a small number to the noise, or keep it away from 0 and 1. That moves "
        "the gates, and ln 0 needs no help: minus infinity goes through the sigmoid.",
        changes=x("(np.log(noise + 1e-6) - np.log(1 - noise + 1e-6) + log_alpha) / beta"),
        variants=(
            *(
                x(f"(np.log(noise + {e}) - np.log(1 - noise + {e}) + log_alpha) / beta")
                for e in ("1e-5", "1e-4", "1e-3")
            ),
            *(
                x(f"(np.log(noise / (1 - noise + {e}) + {e}) + log_alpha) / beta")
                for e in ("1e-6", "1e-5", "1e-4", "1e-3")
            ),
            (("    x = ", "    noise = np.clip(noise, 0.01, 0.99)\n    x = "),),
        ),
    ),
    Mistake(
        name="overflows",
        misconception="exp(x) / (1 + exp(x)) is a sigmoid for every x.",
        message="Where what goes into the sigmoid is large, your samples are NaN, infinity divided by "
        "infinity. Write the sigmoid so that no large number is exponentiated.",
        changes=((S, "np.exp(x) / (1 + np.exp(x))"),),
        variants=(
            (
                (
                    S,
                    "(a := (np.exp(log_alpha) * noise) ** (1 / beta)) / (a + (1 - noise) ** (1 / beta))",
                ),
            ),
        ),
    ),
    # ------------------------------------------------------------------------------ cut and stretch
    Mistake(
        name="sample-not-cut-off",
        misconception="The stretched number is the gate.",
        message="Your samples lie below 0 and above 1: stretched, and not cut off.",
        changes=((Z, "stretched"),),
        variants=(((Z, "stretched"), (SLOPES, SLOPES.replace("inside * ", ""))),),
    ),
    Mistake(
        name="sample-cut-off-below-alone",
        misconception="Only closed gates matter.",
        message="Your samples lie above 1. They are cut off at both ends.",
        changes=((Z, "np.maximum(stretched, 0)"),),
        variants=(((Z, "np.maximum(stretched, 0)"), (INSIDE, "stretched > 0")),),
    ),
    Mistake(
        name="sample-cut-off-above-alone",
        misconception="A gate is at most 1.",
        message="Your samples lie below 0. They are cut off at both ends.",
        changes=((Z, "np.minimum(stretched, 1)"),),
        variants=(((Z, "np.minimum(stretched, 1)"), (INSIDE, "stretched < 1")),),
    ),
    Mistake(
        name="sample-not-stretched",
        misconception="The concrete distribution reaches 0 and 1 by itself.",
        message="Your samples are not stretched. A sigmoid alone is never exactly 0 or 1.",
        changes=((STRETCHED, "s + 0 * gamma"),),
        variants=(((STRETCHED, "s + 0 * gamma"), (SLOPES, "inside * s * (1 - s) / beta")),),
    ),
    Mistake(
        name="sample-stretched-from-0",
        misconception="Multiplying by the width stretches to both sides.",
        message="Your samples are stretched from 0 and not from gamma: its addition is missing.",
        changes=((STRETCHED, "s * (zeta - gamma)"),),
    ),
    Mistake(
        name="sample-stretched-by-zeta",
        misconception="Zeta is the width.",
        message="Your samples are stretched by zeta. The width is zeta - gamma.",
        changes=((STRETCHED, "s * zeta + gamma"),),
        variants=(
            (
                (STRETCHED, "s * zeta + gamma"),
                (SLOPES, "inside * zeta * s * (1 - s) / beta"),
            ),
        ),
    ),
    Mistake(
        name="sample-stretched-by-the-sum",
        misconception="The width is the sum of the ends.",
        message="Your samples are stretched by zeta + gamma. The width is zeta - gamma, with a gamma "
        "below 0.",
        changes=((STRETCHED, "s * (zeta + gamma) + gamma"),),
        variants=(
            (
                (STRETCHED, "s * (zeta + gamma) + gamma"),
                (SLOPES, "inside * (zeta + gamma) * s * (1 - s) / beta"),
            ),
        ),
    ),
    Mistake(
        name="sample-stretched-upside-down",
        misconception="The order of the ends makes no difference.",
        message="Your samples are stretched from zeta down to gamma, the wrong way round.",
        changes=((STRETCHED, "s * (gamma - zeta) + zeta"),),
        variants=(((STRETCHED, "s * (gamma - zeta) + zeta"), (SLOPES, f"-1 * {SLOPES}")),),
    ),
    Mistake(
        name="sample-rounded",
        misconception="A gate is open or closed.",
        message="Your samples are all 0 or 1. Between the ends a gate keeps what it is.",
        changes=((Z, "(stretched > 0.5) * 1.0"),),
        variants=(((Z, "(stretched > 0) * 1.0"),), ((Z, "np.round(np.clip(stretched, 0, 1))"),)),
    ),
    # ------------------------------------------------------------------------------ the slope
    Mistake(
        name="slope-through-the-cut",
        misconception="The derivative is that of the sigmoid.",
        message="Your slope is not 0 where the gate is cut off. There it does not move with log alpha.",
        changes=slopes(SLOPES.replace("inside * ", "")),
    ),
    Mistake(
        name="slope-without-the-width",
        misconception="Stretching shifts, and does not steepen.",
        message="Your slope lacks the factor zeta - gamma, by which the gate is stretched.",
        changes=slopes("inside * s * (1 - s) / beta"),
    ),
    Mistake(
        name="slope-without-the-temperature",
        misconception="The temperature is a constant, so it has no part in the derivative.",
        message="Your slope lacks the temperature: the chain rule divides by it.",
        changes=slopes(WITHOUT_BETA),
    ),
    Mistake(
        name="slope-times-the-temperature",
        misconception="The chain rule multiplies by the temperature.",
        message="Your slope is multiplied by the temperature. It is divided by it.",
        changes=slopes(f"{WITHOUT_BETA} * beta"),
    ),
    Mistake(
        name="slope-of-the-gate-itself",
        misconception="The derivative is z (1 - z), with the gate for the sigmoid.",
        message="Your slope takes the gate z where the derivative of the sigmoid has s (1 - s).",
        changes=slopes("inside * (zeta - gamma) * (z := stretched) * (1 - z) / beta"),
        variants=(slopes("inside * (z := stretched) * (1 - z) / beta"),),
    ),
    Mistake(
        name="slope-of-the-sigmoid-is-the-sigmoid",
        misconception="The derivative of a sigmoid is itself.",
        message="Your slope has s where the derivative of the sigmoid has s (1 - s).",
        changes=slopes("inside * (zeta - gamma) * s / beta"),
    ),
    Mistake(
        name="slope-of-the-sigmoid-alone",
        misconception="The gate's derivative is that of a sigmoid.",
        message="Your slope lacks more than one part of the chain rule: the sigmoid has s (1 - s), what is "
        "in it is divided by the temperature, it is stretched by zeta - gamma, and where the gate is cut "
        "off the slope is 0.",
        changes=slopes("s * (1 - s)"),
        variants=(
            slopes("inside * s * (1 - s)"),
            slopes("s * (1 - s) / beta"),
            slopes("(zeta - gamma) * s * (1 - s)"),
        ),
    ),
    Mistake(
        name="slope-by-alpha",
        misconception="The derivative is asked for alpha.",
        message="Your slope is that by alpha. Asked is the one by log alpha, which is alpha times as large.",
        changes=slopes(f"{SLOPES} / np.exp(log_alpha)"),
    ),
    Mistake(
        name="slope-only-above-0",
        misconception="Only a closed gate is stuck.",
        message="Your slope is not 0 where the gate is cut off at 1.",
        changes=((INSIDE, "stretched > 0"),),
    ),
    Mistake(
        name="slope-only-below-1",
        misconception="A gate at 0 must be able to come back.",
        message="Your slope is not 0 where the gate is cut off at 0. With this noise nothing moves it.",
        changes=((INSIDE, "stretched < 1"),),
    ),
    Mistake(
        name="swaps-the-results",
        misconception="The order of results is free.",
        message="You return the slopes before the gates.",
        changes=((f"return {Z}, slopes", f"return slopes, {Z}"),),
    ),
    # ------------------------------------------------------------------------------ at test time
    Mistake(
        name="test-not-cut-off",
        misconception="Without noise the gate stays between 0 and 1.",
        message="At test time your gates lie below 0 and above 1: stretched, and not cut off.",
        changes=at_test("at_test * (zeta - gamma) + gamma"),
        variants=(
            at_test("np.maximum(at_test * (zeta - gamma) + gamma, 0)"),
            at_test("np.minimum(at_test * (zeta - gamma) + gamma, 1)"),
        ),
    ),
    Mistake(
        name="test-not-stretched",
        misconception="At test time the gate is the sigmoid.",
        message="At test time your gates are not stretched, so none is exactly 0.",
        changes=at_test("at_test"),
    ),
    Mistake(
        name="test-stretched-wrongly",
        misconception="The stretch is some sum of the ends.",
        message="At test time your gates are not stretched from gamma to zeta.",
        changes=at_test("np.clip(at_test * zeta + gamma, 0, 1)"),
        variants=(
            at_test("np.clip(at_test * (zeta - gamma), 0, 1)"),
            at_test("np.clip(at_test * (zeta + gamma) + gamma, 0, 1)"),
        ),
    ),
    Mistake(
        name="test-with-a-temperature",
        misconception="The temperature of 2/3 belongs to the gate.",
        message="At test time you divide log alpha by a temperature. It is left out there.",
        changes=((S_TEST, "np.exp(-np.logaddexp(0, -log_alpha / (2 / 3)))"),),
        variants=(((S_TEST, "np.exp(-np.logaddexp(0, -log_alpha / 0.5))"),),),
    ),
    Mistake(
        name="test-rounded",
        misconception="At test time a gate is there or not.",
        message="At test time your gates are all 0 or 1. What lies between the ends stays as it is.",
        changes=at_test("(at_test * (zeta - gamma) + gamma > 0.5) * 1.0"),
        variants=(
            at_test("(at_test * (zeta - gamma) + gamma > 0) * 1.0"),
            at_test("(at_test > 0.5) * 1.0"),
        ),
    ),
    Mistake(
        name="test-gate-by-the-chance-of-being-open",
        misconception="The gate at test time is the probability that it is not 0.",
        message="At test time you return the probability that a sample is not 0. Asked is the gate: the "
        "stretched sigmoid of log alpha, cut off.",
        changes=at_test("1 / (1 + np.exp((2 / 3) * np.log(-gamma / zeta) - log_alpha))"),
        variants=(at_test("1 / (1 + np.exp(np.log(-gamma / zeta) - log_alpha))"),),
    ),
    Mistake(
        name="test-overflows",
        misconception="exp(x) / (1 + exp(x)) is a sigmoid for every x.",
        message="At test time a large log alpha gives NaN, infinity divided by infinity. Write the "
        "sigmoid so that no large number is exponentiated.",
        changes=((S_TEST, "np.exp(log_alpha) / (1 + np.exp(log_alpha))"),),
    ),
    # ------------------------------------------------------------------------------ parameters
    Mistake(
        name="temperature-fixed",
        misconception="The temperature is 2/3, as in the paper.",
        message="Your samples have a temperature of their own, whatever is given.",
        changes=(("    x = ", "    beta = 2 / 3\n    x = "),),
    ),
    Mistake(
        name="ends-fixed",
        misconception="The gate is stretched from -0.1 to 1.1, as in the paper.",
        message="You stretch from -0.1 to 1.1, whatever ends are given.",
        changes=(
            ("    x = ", "    gamma, zeta = -0.1, 1.1\n    x = "),
            ("    at_test = ", "    gamma, zeta = -0.1, 1.1\n    at_test = "),
        ),
        variants=(
            (("    x = ", "    gamma, zeta = -0.1, 1.1\n    x = "),),
            (("    at_test = ", "    gamma, zeta = -0.1, 1.1\n    at_test = "),),
        ),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="by two cases, and SciPy's sigmoid",
        code="""
from scipy.special import expit, logit


def sample_gates(log_alpha, noise, beta, gamma, zeta):
    s = expit((logit(noise) + log_alpha) / beta)
    z = np.minimum(1, np.maximum(0, s * (zeta - gamma) + gamma))
    slopes = (zeta - gamma) / beta * s * expit(-(logit(noise) + log_alpha) / beta)
    slopes = np.where((z > 0) & (z < 1), slopes, 0)
    return z, slopes


def gates_at_test(log_alpha, gamma, zeta):
    return np.minimum(1, np.maximum(0, expit(log_alpha) * zeta + (1 - expit(log_alpha)) * gamma))
""",
    ),
    Alternative(
        name="1 / (1 + exp(-x)), which may overflow to the right answer, and noise kept off its ends",
        code="""
def sample_gates(log_alpha, noise, beta, gamma, zeta):
    u = np.clip(noise, 1e-7, 1 - 1e-7)
    s = 1 / (1 + np.exp(-(np.log(u / (1 - u)) + log_alpha) / beta))
    z = gamma + (zeta - gamma) * s
    slopes = (zeta - gamma) / beta * s * (1 - s)
    slopes[(z <= 0) | (z >= 1)] = 0
    return z.clip(0, 1), slopes


def gates_at_test(log_alpha, gamma, zeta):
    s = 1 / (1 + np.exp(-log_alpha))
    return (gamma + (zeta - gamma) * s).clip(0, 1)
""",
    ),
]
