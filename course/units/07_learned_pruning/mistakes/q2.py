"""Question 2, the expected number of weights: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

SHIFT = "beta * np.log(-gamma / zeta)"
P = "1 / (1 + np.exp(shift - a))"
SIZES = "[inputs, *(q.sum() for q in p), outputs]"
WEIGHTS = "sizes[:-1] @ sizes[1:]"
BIASES = "sizes[1:].sum()"
GRADIENT = "q * (1 - q) * (below + above + 1)"
GRADIENTS = f"[{GRADIENT} for q, below, above in around]"
RETURN = "return weights + biases, gradients"
FULL = "[inputs, *map(len, log_alphas), outputs]"
PAIRS = "for f, g in zip([np.ones(inputs), *p], [*p, np.ones(outputs)]) for x in f for y in g"
EITHER = f"sum(1 - (1 - x) * (1 - y) {PAIRS})"
EITHER_OF_TWO = (
    "inputs * p[0].sum() + outputs * p[-1].sum()"
    " + sum(1 - (1 - x) * (1 - y) for f, g in zip(p, p[1:]) for x in f for y in g)"
)


def p(code: str) -> tuple:
    return ((P, code),)


def shift(code: str) -> tuple:
    return ((SHIFT, code),)


def weights(code: str) -> tuple:
    return ((WEIGHTS, code),)


def gradient(code: str) -> tuple:
    return ((GRADIENT, code),)


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.pruning.keep_probability",
        code="""
import torch

from utils.pruning import keep_probability


def expected_weights(inputs, log_alphas, outputs, beta, gamma, zeta):
    leaves = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in log_alphas]
    totals = [inputs, *(keep_probability(a, beta, gamma, zeta).sum() for a in leaves), outputs]
    expected = sum(t + below * t for below, t in zip(totals, totals[1:]))
    expected.backward()
    return expected.item(), [a.grad.numpy() for a in leaves]
""",
    ),
    # ------------------------------------------------------------------------------ the probability
    Mistake(
        name="without-the-stretch",
        misconception="A gate is open with the probability sigmoid(log alpha).",
        message="Your probability is sigmoid(log alpha). That is where s is above one half; it must be "
        "above the point that is stretched to 0.",
        changes=shift("0.0"),
    ),
    Mistake(
        name="shifted-the-other-way",
        misconception="The stretch closes gates.",
        message="Your probability is shifted the wrong way. The closer gamma is to 0, the more of the "
        "noise leaves a gate open.",
        changes=shift("-beta * np.log(-gamma / zeta)"),
        variants=(shift("beta * np.log(-zeta / gamma)"),),
    ),
    Mistake(
        name="without-the-temperature",
        misconception="The temperature does not change which gates are closed.",
        message="Your probability does not depend on the temperature. Solve s > -gamma / (zeta - gamma) "
        "for u: the sigmoid's inverse is multiplied by beta.",
        changes=shift("np.log(-gamma / zeta)"),
    ),
    Mistake(
        name="divided-by-the-temperature",
        misconception="The temperature divides what is in the sigmoid.",
        message="Your probability has log alpha, or its shift, divided by the temperature. Solve the "
        "inequality for the noise: the temperature moves to the other side.",
        changes=shift("np.log(-gamma / zeta) / beta"),
        variants=(
            (
                (SHIFT, "np.log(-gamma / zeta)"),
                (P, "1 / (1 + np.exp((shift - a) / beta))"),
            ),
            p("1 / (1 + np.exp(shift - a / beta))"),
        ),
    ),
    Mistake(
        name="the-point-itself-for-its-logit",
        misconception="The noise's part is compared with the point at which the gate closes.",
        message="Your probability lacks the inverse of the sigmoid at the point where s is stretched "
        "to 0.",
        changes=shift("beta * -gamma / (zeta - gamma)"),
        variants=(
            shift("beta * np.log(-gamma / (zeta - gamma))"),
            shift("-gamma / (zeta - gamma)"),
            shift("beta * -gamma / zeta"),
        ),
    ),
    Mistake(
        name="probability-of-being-closed",
        misconception="The distribution function at 0 is the probability that counts.",
        message="Your probability is that of a closed gate. What is left has an open one.",
        changes=p("1 / (1 + np.exp(a - shift))"),
        variants=(((P, "1 / (1 + np.exp(a - shift))"), (GRADIENT, f"-{GRADIENT}")),),
    ),
    Mistake(
        name="probability-of-being-1",
        misconception="An open gate is 1.",
        message="Your probability is that of a gate of exactly 1. A gate between 0 and 1 is open, too.",
        changes=shift("beta * np.log((1 - gamma) / (zeta - 1))"),
    ),
    Mistake(
        name="the-gate-at-test-time",
        misconception="The gate at test time is how likely it is to be open.",
        message="You take the gate at test time for the probability that it is open.",
        changes=p("np.clip((zeta - gamma) / (1 + np.exp(-a)) + gamma + 0 * shift, 0, 1)"),
    ),
    Mistake(
        name="open-or-not",
        misconception="A gate is either open or closed.",
        message="You count whole gates. Asked is the mean over the noise: each is open with a probability.",
        changes=p("(1 / (1 + np.exp(shift - a)) > 0.5) * 1.0"),
        variants=(p("(a > 0) * 1.0 + 0 * shift"),),
    ),
    # ------------------------------------------------------------------------------ the count
    Mistake(
        name="counts-gates",
        misconception="L0 counts gates.",
        message="You count open gates. A gate stands for all weights of its neuron.",
        changes=((RETURN, "return biases - outputs, gradients"),),
        variants=(
            (
                (RETURN, "return biases - outputs, gradients"),
                (GRADIENT, "q * (1 - q)"),
            ),
        ),
    ),
    Mistake(
        name="incoming-weights-alone",
        misconception="A neuron's weights are those that come in.",
        message="Your weights of a layer depend on the gates above them alone. What comes from a neuron "
        "that is gone is gone as well.",
        changes=weights(f"sum(b * q for b, q in zip({FULL}, sizes[1:]))"),
        variants=(
            (
                (WEIGHTS, f"sum(b * q for b, q in zip({FULL}, sizes[1:]))"),
                (GRADIENTS, f"[q * (1 - q) * (n + 1) for q, n in zip(p, {FULL})]"),
            ),
        ),
    ),
    Mistake(
        name="outgoing-weights-alone",
        misconception="A neuron that is off sends nothing, and that is all.",
        message="Your weights of a layer depend on the gates below them alone. What leads to a neuron "
        "that is gone is gone as well.",
        changes=weights(f"sum(q * n for q, n in zip(sizes, {FULL}[1:]))"),
        variants=(
            (
                (WEIGHTS, f"sum(q * n for q, n in zip(sizes, {FULL}[1:]))"),
                (GRADIENTS, f"[q * (1 - q) * (n + 1) for q, n in zip(p, {FULL}[2:])]"),
            ),
        ),
    ),
    Mistake(
        name="each-end-pays",
        misconception="The groups of two neurons do not overlap.",
        message="You count a weight between two gated neurons once for each of them. It is one weight, "
        "and it is left if both are.",
        changes=weights(f"sum(q.sum() * (b + t) for q, b, t in zip(p, {FULL}, {FULL}[2:]))"),
        variants=(
            (
                (WEIGHTS, f"sum(q.sum() * (b + t) for q, b, t in zip(p, {FULL}, {FULL}[2:]))"),
                (
                    GRADIENTS,
                    f"[q * (1 - q) * (b + t + 1) for q, b, t in zip(p, {FULL}, {FULL}[2:])]",
                ),
            ),
            weights("sum(q.sum() * (b + t) for q, b, t in zip(p, sizes, sizes[2:]))"),
            (
                (WEIGHTS, "sum(q.sum() * (b + t) for q, b, t in zip(p, sizes, sizes[2:]))"),
                (
                    GRADIENT,
                    "q * (1 - q) * (below * (1 + (len(p) > 1)) + above * (1 + (len(p) > 1)) + 1)",
                ),
            ),
        ),
    ),
    Mistake(
        name="left-if-either-is-open",
        misconception="A weight is needed as long as one of its ends is.",
        message="You count a weight if either end is open. It needs both.",
        changes=weights(EITHER),
        variants=(
            (
                (WEIGHTS, EITHER),
                (
                    GRADIENTS,
                    "[q * (1 - q) * (b - below + t - above + 1) for q, b, below, t, above in"
                    f" zip(p, {FULL}, sizes, {FULL}[2:], sizes[2:])]",
                ),
            ),
            weights(EITHER_OF_TWO),
            (
                (WEIGHTS, EITHER_OF_TWO),
                (
                    GRADIENTS,
                    "[q * (1 - q) * (b - below + t - above + 1) for q, b, below, t, above in"
                    f" zip(p, {FULL}, [0, *sizes[1:-2]], {FULL}[2:], [*sizes[2:-1], 0])]",
                ),
            ),
        ),
    ),
    Mistake(
        name="the-smaller-of-two-probabilities",
        misconception="Both are open as often as the rarer one.",
        message="You take the smaller of two probabilities for the one that both gates are open. They are "
        "independent.",
        changes=weights(f"sum(min(x, y) {PAIRS})"),
        variants=(
            (
                (WEIGHTS, f"sum(min(x, y) {PAIRS})"),
                (
                    GRADIENTS,
                    "[q * (1 - q) * (1 + sum(y > q for f in (b, t) for y in f)) for b, q, t in"
                    " zip([np.ones(inputs), *p], p, [*p[1:], np.ones(outputs)])]",
                ),
            ),
        ),
    ),
    Mistake(
        name="the-mean-of-two-probabilities",
        misconception="Each end decides half of a weight.",
        message="You take the mean of two probabilities for the one that both gates are open. They are "
        "independent.",
        changes=weights(f"sum((x + y) / 2 {PAIRS})"),
        variants=(
            (
                (WEIGHTS, f"sum((x + y) / 2 {PAIRS})"),
                (
                    GRADIENTS,
                    f"[q * (1 - q) * ((b + t) / 2 + 1) for q, b, t in zip(p, {FULL}, {FULL}[2:])]",
                ),
            ),
        ),
    ),
    Mistake(
        name="layer-by-its-mean",
        misconception="The sum over pairs is the product of sums of one and means of the other.",
        message="Between hidden layers you multiply by the mean of a layer's probabilities. There is a "
        "weight for each pair, so the sums are multiplied.",
        changes=((SIZES, "[inputs, *(q.mean() for q in p), outputs]"),),
        variants=(
            (
                (SIZES, "[inputs, *(q.mean() for q in p), outputs]"),
                (GRADIENT, f"{GRADIENT} / len(q)"),
            ),
        ),
    ),
    Mistake(
        name="all-must-be-left-below",
        misconception="A weight is left if a whole path to the inputs is.",
        message="Your sizes multiply from layer to layer, as if paths were counted. A weight needs its two "
        "ends, and no more.",
        changes=weights("sum(np.prod(sizes[: i + 1]) for i in range(1, len(sizes)))"),
    ),
    Mistake(
        name="no-biases",
        misconception="A bias is no weight.",
        message="Your expected number lacks the biases.",
        changes=((BIASES, "0"),),
        variants=(((BIASES, "0"), (GRADIENT, "q * (1 - q) * (below + above)")),),
    ),
    Mistake(
        name="no-biases-of-outputs",
        misconception="Only gated biases count.",
        message="Your expected number lacks the biases of the outputs, which are always left.",
        changes=((BIASES, "sum(sizes[1:-1])"),),
    ),
    Mistake(
        name="no-biases-of-hidden-neurons",
        misconception="The hidden biases are always zero.",
        message="Your expected number lacks the biases of the hidden neurons.",
        changes=((BIASES, "outputs"),),
        variants=(((BIASES, "outputs"), (GRADIENT, "q * (1 - q) * (below + above)")),),
    ),
    Mistake(
        name="biases-never-go",
        misconception="A bias belongs to the layer, not to the neuron.",
        message="You count the biases of all hidden neurons. That of a closed gate is gone.",
        changes=((BIASES, f"sum({FULL}[1:])"),),
        variants=(((BIASES, f"sum({FULL}[1:])"), (GRADIENT, "q * (1 - q) * (below + above)")),),
    ),
    Mistake(
        name="inputs-have-biases",
        misconception="Every layer has biases, the inputs too.",
        message="You count a bias for each input. Inputs are no layer, and have none.",
        changes=((BIASES, "sum(sizes)"),),
    ),
    Mistake(
        name="a-share-of-all",
        misconception="The expected number is a share.",
        message="You return a share of all weights. Asked is their number.",
        changes=(
            (
                RETURN,
                f"n = {FULL}\n    whole = sum(n[1:]) + sum(a * b for a, b in zip(n, n[1:]))\n"
                "    return (weights + biases) / whole, gradients",
            ),
        ),
        variants=(
            (
                (
                    RETURN,
                    f"n = {FULL}\n    whole = sum(n[1:]) + sum(a * b for a, b in zip(n, n[1:]))\n"
                    "    return (weights + biases) / whole, [g / whole for g in gradients]",
                ),
            ),
        ),
    ),
    # ------------------------------------------------------------------------------ the gradient
    Mistake(
        name="gradient-by-the-probability",
        misconception="The derivative by the probability is the one that is asked.",
        message="Your gradient is that by the probability. By log alpha it has the derivative of the "
        "sigmoid as a factor.",
        changes=gradient("0 * q + (below + above + 1)"),
    ),
    Mistake(
        name="gradient-times-the-probability",
        misconception="The derivative of a sigmoid is itself.",
        message="Your gradient has the probability p where the derivative of the sigmoid has p (1 - p).",
        changes=gradient("q * (below + above + 1)"),
        variants=(gradient("(1 - q) * (below + above + 1)"),),
    ),
    Mistake(
        name="gradient-divided-by-the-temperature",
        misconception="The gate's slope has 1 / beta, and so has this.",
        message="Your gradient is divided by the temperature. In the probability log alpha is not.",
        changes=gradient("q * (1 - q) * (below + above + 1) / beta"),
        variants=(gradient("q * (1 - q) * (below + above + 1) * beta"),),
    ),
    Mistake(
        name="gradient-without-the-bias",
        misconception="The bias is constant.",
        message="Your gradient lacks the neuron's own bias, which goes with it.",
        changes=gradient("q * (1 - q) * (below + above)"),
    ),
    Mistake(
        name="gradient-of-incoming-weights-alone",
        misconception="A gate is responsible for what comes in.",
        message="Your gradient lacks the weights that lead on from the neuron.",
        changes=gradient("q * (1 - q) * (below + 1)"),
    ),
    Mistake(
        name="gradient-of-outgoing-weights-alone",
        misconception="A gate is responsible for what goes out.",
        message="Your gradient lacks the weights that lead to the neuron.",
        changes=gradient("q * (1 - q) * (above + 1)"),
    ),
    Mistake(
        name="gradient-with-full-neighbours",
        misconception="A neuron stands for all its weights.",
        message="Your gradient counts all neighbours. A weight to a neighbour whose gate may be closed "
        "counts as often as that is open.",
        changes=(
            (GRADIENTS, f"[q * (1 - q) * (b + t + 1) for q, b, t in zip(p, {FULL}, {FULL}[2:])]"),
        ),
    ),
    Mistake(
        name="gradient-of-the-neighbours-by-half",
        misconception="A weight between two gates is shared.",
        message="Your gradient halves what a neuron shares with its neighbours. A product's derivative "
        "by one factor is the whole of the other.",
        changes=gradient("q * (1 - q) * ((below + above) / 2 + 1)"),
    ),
    Mistake(
        name="gradient-downhill",
        misconception="The gradient is the direction of the step.",
        message="Your gradient has the wrong sign: a larger log alpha leaves more weights.",
        changes=gradient("-q * (1 - q) * (below + above + 1)"),
    ),
    Mistake(
        name="gradient-0",
        misconception="A count has no derivative.",
        message="Your gradient is 0. A count has none, but the expected count is smooth.",
        changes=gradient("0 * q"),
    ),
    Mistake(
        name="gradients-from-the-top",
        misconception="A gradient goes from the outputs back to the inputs.",
        message="Your gradients begin with the last hidden layer. They stand in the order of the layers.",
        changes=((RETURN, "return weights + biases, gradients[::-1]"),),
    ),
    Mistake(
        name="gradients-in-one-array",
        misconception="A gradient is one vector.",
        message="You return the gradients in one array. Asked is a list, of one array for each layer.",
        changes=((RETURN, "return weights + biases, np.concatenate(gradients)"),),
    ),
    Mistake(
        name="ends-fixed",
        misconception="The gate is stretched from -0.1 to 1.1, as in the paper.",
        message="You stretch from -0.1 to 1.1, whatever ends are given.",
        changes=shift("beta * np.log(0.1 / 1.1)"),
    ),
    Mistake(
        name="temperature-fixed",
        misconception="The temperature is 2/3, as in the paper.",
        message="You take 2/3 for the temperature, whatever is given.",
        changes=shift("(2 / 3) * np.log(-gamma / zeta)"),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="weight by weight",
        code="""
from math import exp, log


def expected_weights(inputs, log_alphas, outputs, beta, gamma, zeta):
    open_ = [[1.0] * inputs]
    for layer in log_alphas:
        open_.append([1 / (1 + exp(-a) * exp(beta * (log(-gamma) - log(zeta)))) for a in layer])
    open_.append([1.0] * outputs)
    expected, by_p = 0.0, [[0.0] * len(layer) for layer in open_]
    for k in range(1, len(open_)):
        for j, upper in enumerate(open_[k]):
            expected += upper
            by_p[k][j] += 1
            for i, lower in enumerate(open_[k - 1]):
                expected += lower * upper
                by_p[k][j] += lower
                by_p[k - 1][i] += upper
    gradients = [
        [g * p * (1 - p) for g, p in zip(by_p[k], open_[k])] for k in range(1, len(open_) - 1)
    ]
    return expected, gradients
""",
    ),
    Alternative(
        name="by the point of the distribution function, and torch's gradient",
        code="""
import torch


def expected_weights(inputs, log_alphas, outputs, beta, gamma, zeta):
    leaves = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in log_alphas]
    point = torch.tensor(-gamma / (zeta - gamma), dtype=torch.float64)
    p = [1 - torch.sigmoid(beta * torch.logit(point) - a) for a in leaves]
    totals = [torch.tensor(float(inputs)), *(q.sum() for q in p), torch.tensor(float(outputs))]
    expected = sum(t + below * t for below, t in zip(totals, totals[1:]))
    expected.backward()
    return expected.item(), [a.grad.numpy() for a in leaves]
""",
    ),
]
