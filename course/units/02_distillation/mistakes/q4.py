"""Question 4, the target of dropout distillation: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

DROPPED = "np.where(random.random(values.shape) < rate, 0, values / (1 - rate))"
DRAWN = "random.random(values.shape)"
KEPT = f"({DRAWN} >= rate)"
TARGET = "np.mean([1 / (1 + np.exp(-network(x))) for _ in range(samples)], axis=0)"
PASS = "1 / (1 + np.exp(-network(x)))"
ASSIGNED = f"    target = {TARGET}\n"
MODE = "    mode = network.training\n    network.train()\n"
ON = "    network.train()\n"
BACK = "    network.train(mode)\n"
SIGMOID = """
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
"""


def forms(text, *others):
    """A form for each text that replaces this one."""
    return [((text, other),) for other in others]


MISTAKES = [
    # ---------------------------------------------------------------- dropout
    Mistake(
        "not-inverted",
        "Dropout only drops.",
        "What is kept must be divided by 1 - rate; later, nothing is dropped, and the sums should be as "
        "large as now.",
        variants=tuple(forms(DROPPED, f"values * {KEPT}", f"np.where({DRAWN} <= rate, 0, values)")),
    ),
    Mistake(
        "divided-by-rate",
        "What is kept is divided by the rate of dropping.",
        "You divide by rate; the share that is kept is 1 - rate.",
        variants=tuple(
            forms(
                DROPPED,
                f"values * {KEPT} / rate",
                f"np.divide(values, rate, where={KEPT}, out=np.zeros(values.shape))",
                f"values * ({DRAWN} < rate) / rate",
            )
        ),
    ),
    Mistake(
        "scaled-as-for-prediction",
        "Values are scaled down, as in the first paper on dropout, but in training.",
        "You multiply by 1 - rate, or by the rate; divide what is kept by 1 - rate.",
        variants=tuple(
            forms(
                DROPPED,
                f"values * {KEPT} * (1 - rate)",
                f"values * {KEPT} * rate",
                f"values * {KEPT} * (1 + rate)",
            )
        ),
    ),
    Mistake(
        "scaled-by-the-root",
        "What is to be kept is the variance.",
        "You divide by a root or a square of 1 - rate; it is the expected value that stays what it was: "
        "divide by 1 - rate.",
        variants=tuple(
            forms(
                DROPPED,
                f"values * {KEPT} / np.sqrt(1 - rate)",
                f"values * {KEPT} / (1 - rate) ** 2",
            )
        ),
    ),
    Mistake(
        "scaled-by-the-share-kept",
        "What is kept is divided by the share that is kept.",
        "You divide by the share that happened to be kept, or make up for the sum; divide by 1 - rate, "
        "whatever the luck of the mask.",
        variants=tuple(
            [
                (
                    (
                        f"    return {DROPPED}",
                        f"    mask = {DRAWN} >= rate\n    return values * mask / {share}",
                    ),
                )
                for share in (
                    "mask.mean()",
                    "max(mask.mean(), 1e-9)",
                    "max(1, mask.sum()) * mask.size",
                    "np.maximum(mask.mean(axis=0), 1e-9)",
                    "np.maximum(mask.mean(axis=-1, keepdims=True), 1e-9)",
                    "max(mask.mean(), 1e-12)",
                )
            ]
        ),
    ),
    Mistake(
        "keeps-what-should-be-dropped",
        "The rate is the share that is kept.",
        "You keep what should be dropped, and drop the rest.",
        variants=tuple(
            forms(
                DROPPED,
                f"values * ({DRAWN} < rate) / (1 - rate)",
                f"values * ({DRAWN} <= rate) / (1 - rate)",
                f"np.where({DRAWN} > rate, 0, values / (1 - rate))",
                f"values * ({DRAWN} < rate)",
            )
        ),
    ),
    Mistake(
        "drops-at-the-rate-itself",
        "Below and at most are the same for random numbers.",
        "You drop where the random number equals the rate; only below it is dropped.",
        variants=tuple(forms(DROPPED, f"values * ({DRAWN} > rate) / (1 - rate)")),
    ),
    Mistake(
        "drops-from-one-minus-rate-on",
        "A number is kept with the probability 1 - rate, so it is kept below that.",
        "You drop from 1 - rate on. That is as likely, but what is below `rate` was asked for.",
        variants=tuple(
            forms(
                DROPPED,
                f"values * ({DRAWN} < 1 - rate) / (1 - rate)",
                f"values * ({DRAWN} <= 1 - rate) / (1 - rate)",
            )
        ),
    ),
    Mistake(
        "one-row-for-all-comments",
        "A mask belongs to a layer, not to a comment.",
        "All comments share a row of random numbers; each number is dropped on its own.",
        variants=tuple(
            forms(
                DRAWN,
                "random.random(values.shape[1:])",
                "random.random((1, *values.shape[1:]))",
                "random.random(values.shape[-1])",
                "random.random((1,) * (values.ndim - 1) + values.shape[-1:])",
            )
        ),
    ),
    Mistake(
        "whole-comments",
        "A mask belongs to a comment.",
        "A comment, or a row of a comment, is kept or dropped as a whole; draw a number for each value.",
        variants=tuple(
            forms(
                DRAWN,
                "random.random((len(values), 1))",
                "random.random((len(values), *[1] * (values.ndim - 1)))",
                "random.random((*values.shape[:-1], 1))",
                "random.random((*values.shape[:1], *values.shape[1:2], 1))",
            )
        ),
    ),
    Mistake(
        "all-or-nothing",
        "A layer is dropped as a whole.",
        "A single random number decides over all values; draw one for each.",
        variants=tuple(forms(DRAWN, "random.random()", "random.random(1)")),
    ),
    Mistake(
        "dropout-in-place",
        "An argument belongs to the function that was given it.",
        "Your answer changes `values`, which must be the same after the call as before.",
        variants=tuple(
            forms(
                f"    return {DROPPED}",
                f"    values *= {KEPT}\n    return values / (1 - rate)",
                f"    values[{DRAWN} < rate] = 0\n    values /= 1 - rate\n    return values",
                f"    values[{DRAWN} < rate] = 0\n    return values / (1 - rate)",
                f"    values /= 1 - rate\n    return values * {KEPT}",
                f"    values[{DRAWN} < rate] = 0\n    return values",
            )
        ),
    ),
    Mistake(
        "two-dimensions-only",
        "An array is a table.",
        "You draw for two dimensions only. An array may have any number of them.",
        variants=tuple(
            forms(
                f"    return {DROPPED}",
                "    rows, columns = values.shape\n"
                f"    return {DROPPED.replace('values.shape', '(rows, columns)')}",
                "    return "
                + DROPPED.replace("values.shape", "(values.shape[0], values.shape[1])"),
                "    return " + DROPPED.replace("values.shape", "(len(values), len(values[0]))"),
                "    return " + DROPPED.replace("values.shape", "values.shape[:2]"),
                "    out = np.zeros(values.shape)\n"
                "    for i in range(values.shape[0]):\n        for j in range(values.shape[1]):\n"
                "            if random.random() >= rate:\n"
                "                out[i, j] = values[i, j] / (1 - rate)\n    return out",
            )
        ),
    ),
    Mistake(
        "flat-numbers",
        "As many numbers as values are enough.",
        "The random numbers do not have the shape of the values: `values.shape`, and not their count.",
        variants=tuple(forms(DRAWN, "random.random(values.size)", "random.random(len(values))")),
    ),
    Mistake(
        "numbers-in-another-order",
        "Random numbers have no order.",
        "The random numbers are not in the places in which they were drawn: one array of the shape of "
        "the values.",
        variants=tuple(
            forms(
                DRAWN,
                "random.random(values.shape[::-1]).T",
                "random.random(values.size)[::-1].reshape(values.shape)",
                'random.random(values.size).reshape(values.shape, order="F")',
            )
        ),
    ),
    Mistake(
        "draws-from-something-else",
        "Any random numbers will do.",
        "You draw no number from the generator `random` that you are given: with its seed, everybody gets "
        "the same masks.",
        variants=tuple(
            forms(
                DRAWN,
                "np.random.default_rng(0).random(values.shape)",
                "np.random.rand(*values.shape)",
                "np.random.default_rng().random(values.shape)",
                "np.full(values.shape, 0.9)",
            )
            + forms(DROPPED, "values / (1 - rate)", "values.copy()", "values * (1 - rate)")
        ),
    ),
    Mistake(
        "draws-twice",
        "Random numbers cost nothing.",
        "You draw more than once: one array of random numbers decides what is dropped.",
        variants=tuple(
            forms(
                f"    return {DROPPED}",
                f"    {DRAWN}\n    return {DROPPED}",
                f"    random.random()\n    return {DROPPED}",
                f"    return np.where({DRAWN} < rate, 0, values * ({DRAWN} >= rate) / (1 - rate))",
            )
        ),
    ),
    Mistake(
        "a-fixed-number-is-dropped",
        "The rate is the share that is dropped, exactly.",
        "You drop a fixed share of the numbers, those with the smallest random numbers; each is dropped on "
        "its own.",
        variants=tuple(
            forms(
                DROPPED,
                *(
                    f"np.where({DRAWN}.ravel().argsort().argsort().reshape(values.shape)"
                    f" < {count}(rate * values.size), 0, values / (1 - rate))"
                    for count in ("round", "int")
                ),
            )
        ),
    ),
    Mistake(
        "rate-of-the-example",
        "The rate is one half.",
        "You use a rate of your own, one half, and not the one that is given.",
        variants=(
            ((DROPPED, DROPPED.replace("< rate", "< 0.5").replace("(1 - rate)", "0.5")),),
            ((DROPPED, DROPPED.replace("< rate", "< 0.5")),),
            ((DROPPED, DROPPED.replace("(1 - rate)", "0.5")),),
            ((DROPPED, DROPPED.replace("values / (1 - rate)", "2 * values")),),
        ),
    ),
    Mistake(
        "integers",
        "A mask is made of whole numbers.",
        "Fractions are lost: the result is made of integers, or rounded.",
        variants=tuple(
            forms(
                DROPPED,
                f"({DROPPED}).astype(int)",
                f"np.round({DROPPED})",
                f"np.round({DROPPED}, 1)",
                f"np.round({DROPPED}, 2)",
                f"np.round({DROPPED}, 3)",
            )
        ),
    ),
    Mistake(
        "something-else-for-zero",
        "What is dropped is missing.",
        "What is dropped becomes 0: it is not missing, not left out, and no mean or number of its own.",
        variants=tuple(
            forms(
                DROPPED,
                f"np.where({DRAWN} < rate, np.nan, values / (1 - rate))",
                f"values[{KEPT}] / (1 - rate)",
                f"np.where({DRAWN} < rate, values.mean(), values / (1 - rate))",
                f"np.where({DRAWN} < rate, values, values / (1 - rate))",
            )
        ),
    ),
    Mistake(
        "mask-returned",
        "Dropout is a mask.",
        "That is the mask, or comes with it; return the values after dropout alone.",
        variants=tuple(
            forms(
                DROPPED,
                f"{KEPT}",
                f"{KEPT} / (1 - rate)",
                f"({DROPPED}, None)",
                f"({DRAWN} < rate)",
            )
            + [
                (
                    (
                        f"    return {DROPPED}",
                        f"    mask = {DRAWN} >= rate\n    return values * mask / (1 - rate), mask",
                    ),
                ),
            ]
        ),
    ),
    Mistake(
        "no-return",
        "What a function computes last is its value.",
        "Your answer gives None: is a `return` missing?",
        variants=tuple(forms(f"return {DROPPED}", f"values = {DROPPED}", f"print({DROPPED})")),
    ),
    # ---------------------------------------------------------------- the target
    Mistake(
        "averages-logits",
        "Squashing and averaging can change places.",
        "That is the probability of the mean logit. Squash first, then average.",
        variants=tuple(
            forms(
                TARGET,
                "1 / (1 + np.exp(-np.mean([network(x) for _ in range(samples)], axis=0)))",
            )
        ),
    ),
    Mistake(
        "returns-mean-logits",
        "The target of a student is the mean of what networks return.",
        "That is the mean logit; average probabilities.",
        variants=tuple(forms(TARGET, "np.mean([network(x) for _ in range(samples)], axis=0)")),
    ),
    Mistake(
        "returns-the-logit",
        "A target is a logit.",
        "That is the logit of the mean probability; return the probability.",
        variants=(((ASSIGNED, ASSIGNED + "    target = np.log(target) - np.log1p(-target)\n"),),),
    ),
    Mistake(
        "squashed-again",
        "A target is squashed once more, to be safe.",
        "You take a sigmoid of probabilities; once is enough.",
        variants=(
            ((ASSIGNED, ASSIGNED + "    target = 1 / (1 + np.exp(-target))\n"),),
            ((PASS, "1 / (1 + np.exp(-1 / (1 + np.exp(-network(x)))))"),),
        ),
    ),
    Mistake(
        "another-squashing-function",
        "All functions of the shape of an S are alike.",
        "Your probabilities are not the sigmoid of the logits: mind the sign in the exponent, the 1 and "
        "the function.",
        variants=tuple(
            forms(
                PASS,
                "1 / (1 + np.exp(network(x)))",
                "np.tanh(network(x))",
                "0.5 + 0.5 * np.tanh(network(x))",
                "np.exp(-np.logaddexp(0, network(x)))",
                "1 / (1 - np.exp(-network(x)))",
                "np.clip(network(x), 0, 1)",
                "np.exp(network(x))",
            )
        ),
    ),
    Mistake(
        "softmax",
        "Probabilities add up to 1.",
        "That is a softmax, over labels or comments; each label has a sigmoid of its own.",
        variants=tuple([((PASS, f"softmax(network(x), {axis})"),) for axis in (1, 0, None)]),
        helpers="""
def softmax(z, axis):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)
""",
    ),
    Mistake(
        "votes",
        "A network answers yes or no.",
        "You round the passes to yes and no, or their mean; average the probabilities as they are.",
        variants=(
            *forms(PASS, "network(x) > 0", "np.round(1 / (1 + np.exp(-network(x))))"),
            ((ASSIGNED, ASSIGNED + "    target = np.round(target)\n"),),
            ((ASSIGNED, ASSIGNED + "    target = target > 0.5\n"),),
        ),
    ),
    Mistake(
        "dropout-off",
        "A network that predicts is in eval mode.",
        "Nothing was dropped: the network must be switched by train() before its passes.",
        variants=(
            ((ON, "    network.eval()\n"),),
            ((ON, "    network.train(False)\n"),),
            ((ON, "    network.training = True\n"), (BACK, "    network.training = mode\n")),
            ((ON, "    network.training = True\n"),),
        ),
    ),
    Mistake(
        "mode-as-it-comes",
        "The network is in the right mode.",
        "A network that came in eval mode drops nothing in your passes: call train() first.",
        variants=(
            ((ON, ""),),
            ((ON, ""), (BACK, "")),
            ((ON, "    network.train(mode)\n"),),
        ),
    ),
    Mistake(
        "other-mode-than-it-came-in",
        "Networks come in eval mode.",
        "You switch a network that came in training mode off. It must drop in every pass, whatever its mode "
        "was.",
        variants=(((ON, "    network.train(not mode)\n"),),),
    ),
    Mistake(
        "left-in-training",
        "The mode is somebody else's business.",
        "A network that came in eval mode is left in training mode. Whoever uses it next gets other "
        "predictions: put back what was there.",
        variants=(
            ((BACK, ""),),
            ((BACK, "    network.train()\n"),),
            ((MODE, "    network.train()\n    mode = network.training\n"),),
        ),
    ),
    Mistake(
        "always-back-to-eval",
        "Networks are in eval mode unless somebody trains them.",
        "A network that came in training mode is left in eval mode: put back what was there.",
        variants=(
            ((BACK, "    network.eval()\n"),),
            ((BACK, "    network.train(False)\n"),),
        ),
    ),
    Mistake(
        "mode-turned-round",
        "The mode is put back by switching once more.",
        "The network is left in the other mode than it came in.",
        variants=(((BACK, "    network.train(not mode)\n"),),),
    ),
    Mistake(
        "puts-the-attribute-back",
        "Only training needs train().",
        "You set `training` at the end, which switches nothing inside: its dropout stays on. Put the mode "
        "back with train() or eval().",
        variants=(((BACK, "    network.training = mode\n"),),),
    ),
    Mistake(
        "one-mask-for-all-samples",
        "A pass is a pass.",
        "All samples have the mask of the first; each pass has to draw its own.",
        variants=(
            *forms(
                TARGET,
                "np.mean([1 / (1 + np.exp(-z)) for z in [network(x)] * samples], axis=0)",
                "np.mean([1 / (1 + np.exp(-__import__('copy').deepcopy(network)(x)))"
                " for _ in range(samples)], axis=0)",
                PASS,
            ),
        ),
    ),
    Mistake(
        "each-comment-by-itself",
        "Comments are predicted one at a time.",
        "Each comment goes through its samples by itself, in calls of its own or repeated in one call. A "
        "pass is one call with all comments, and there are `samples` of them.",
        variants=(
            *forms(
                TARGET,
                "np.array([np.mean([1 / (1 + np.exp(-network(x[i : i + 1]))) for _ in range(samples)],"
                " axis=0)[0] for i in range(len(x))])",
                "np.concatenate([np.mean([1 / (1 + np.exp(-network(row[None])))"
                " for _ in range(samples)], axis=0) for row in x])",
            ),
            (
                (
                    ASSIGNED,
                    "    runs = 1 / (1 + np.exp(-network(np.repeat(x, samples, axis=0))))\n"
                    "    target = runs.reshape(len(x), samples, -1).mean(axis=1)\n",
                ),
            ),
        ),
    ),
    Mistake(
        "number-of-samples",
        "Four samples are enough.",
        "You make another number of passes than `samples`, or divide by another number.",
        variants=tuple(
            forms(
                "range(samples)",
                "range(4)",
                "range(3)",
                "range(10)",
                "range(100)",
                "range(samples + 1)",
                "range(max(1, samples - 1))",
                "range(min(samples, 4))",
            )
            + [
                ((ASSIGNED, ASSIGNED + f"    target = target * samples / {n}\n"),)
                for n in ("(samples + 1)", "max(samples - 1, 1)", "4", "len(x)")
            ]
        ),
    ),
    Mistake(
        "sum-not-mean",
        "More samples, more probability.",
        "You add up the probabilities of the passes; take their mean.",
        variants=tuple(forms(TARGET, TARGET.replace("np.mean", "np.sum"))),
    ),
    Mistake(
        "another-average",
        "A median is the better mean.",
        "You take another average than the mean: a median, a geometric mean, a largest or a smallest "
        "one, or the last pass.",
        variants=tuple(
            forms(
                TARGET,
                TARGET.replace("np.mean", "np.median"),
                TARGET.replace("np.mean", "np.max"),
                TARGET.replace("np.mean", "np.min"),
                TARGET.replace("np.mean", "np.std"),
                TARGET.replace("np.mean(", "np.exp(np.mean(np.log(").replace(
                    ", axis=0)", "), axis=0))"
                ),
                "[1 / (1 + np.exp(-network(x))) for _ in range(samples)][-1]",
            )
        ),
    ),
    Mistake(
        "running-mean-by-halves",
        "The mean of a mean and a new number is their half.",
        "Your running mean halves at each pass, so that late passes count most; all count the same.",
        variants=(
            (
                (
                    ASSIGNED,
                    f"    target = {PASS}\n    for _ in range(samples - 1):\n"
                    f"        target = (target + {PASS}) / 2\n",
                ),
            ),
            (
                (
                    ASSIGNED,
                    f"    target = 0\n    for _ in range(samples):\n"
                    f"        target = (target + {PASS}) / 2\n",
                ),
            ),
            (
                (
                    ASSIGNED,
                    f"    target = {PASS}\n    for _ in range(samples - 1):\n"
                    f"        target = 0.9 * target + 0.1 * {PASS}\n",
                ),
            ),
            (
                (
                    ASSIGNED,
                    f"    target = 0\n    for n in range(1, samples + 1):\n"
                    f"        target = target + ({PASS} - target) / (n + 1)\n",
                ),
            ),
        ),
    ),
    Mistake(
        "mean-over-more-than-passes",
        "The mean is over all that comes out of the network.",
        "The mean is over passes only: there is a probability for each comment and label.",
        variants=(
            *forms(
                TARGET,
                TARGET.replace("axis=0", "axis=1"),
                TARGET.replace("axis=0", "axis=-1"),
                TARGET.replace("axis=0", "axis=(0, 1)"),
                TARGET.replace("axis=0", "axis=(0, 2)"),
                TARGET.replace(", axis=0", ""),
            ),
            ((ASSIGNED, ASSIGNED + "    target = target.mean(axis=0, keepdims=True)\n"),),
            ((ASSIGNED, ASSIGNED + "    target = target.mean(axis=1, keepdims=True)\n"),),
        ),
    ),
    Mistake(
        "all-passes-returned",
        "The passes are the target.",
        "Those are all passes; return their mean, or return it alone.",
        variants=(
            *forms(TARGET, "np.array([1 / (1 + np.exp(-network(x))) for _ in range(samples)])"),
            *forms(
                TARGET,
                "np.concatenate([1 / (1 + np.exp(-network(x))) for _ in range(samples)])",
            ),
            (("    return target", "    return target, samples"),),
        ),
    ),
    Mistake(
        "comments-mixed-up",
        "A batch of samples is sorted by comment.",
        "You mix up comments when you take the passes of a large batch apart.",
        variants=(
            (
                (
                    ASSIGNED,
                    "    runs = 1 / (1 + np.exp(-network(np.tile(x, (samples, 1)))))\n"
                    "    target = runs.reshape(len(x), samples, -1).mean(axis=1)\n",
                ),
            ),
        ),
    ),
    Mistake(
        "own-dropout-before-the-network",
        "Dropout is what happens to x.",
        "You drop values of x yourself; the network drops on its own, further in, and what it is given is "
        "x.",
        variants=tuple(
            [
                (
                    (ON, f"    network.{how}()\n    random = {source}\n"),
                    ("network(x)", f"network(dropout(x, {rate}, random))"),
                )
                for how in ("eval", "train")
                for source in (
                    "np.random.default_rng(101)",
                    "network.random",
                    "np.random.default_rng(0)",
                )
                for rate in ("network.rate", "0.5")
            ]
        ),
    ),
    Mistake(
        "a-pass-without-dropout-counts",
        "The whole network is one of the networks.",
        "The prediction without dropout is one of your samples; all of them are passes with dropout.",
        variants=tuple(
            [
                (
                    (
                        MODE,
                        f"    mode = network.training\n    network.eval()\n    first = [{PASS}]\n"
                        + ON,
                    ),
                    (TARGET, TARGET.replace("[1", "first + [1").replace("range(samples)", count)),
                )
                for count in ("range(samples)", "range(samples - 1)")
            ]
            + [
                (
                    (MODE, f"    mode = network.training\n    first = [{PASS}]\n" + ON),
                    (TARGET, TARGET.replace("[1", "first + [1")),
                ),
                (
                    (
                        ASSIGNED,
                        f"{ASSIGNED}    network.eval()\n    target = (target + {PASS}) / 2\n",
                    ),
                ),
            ]
        ),
    ),
    Mistake(
        "one-pass-for-the-shape",
        "A call that is thrown away makes no difference.",
        "You call the network more often than `samples` times. A call that is thrown away draws masks, "
        "too.",
        variants=(((ASSIGNED, "    network(x)\n" + ASSIGNED),),),
    ),
    Mistake(
        "two-calls-a-pass",
        "Calling a network twice gives the same logits.",
        "You call the network twice a pass; each call draws other masks.",
        variants=tuple(
            forms(
                PASS,
                "np.exp(network(x)) / (1 + np.exp(network(x)))",
                "np.where(network(x) >= 0, 1 / (1 + np.exp(-network(x))), 1 / (1 + np.exp(-network(x))))",
            )
        ),
    ),
    Mistake(
        "target-rounded",
        "Four digits are enough.",
        "The target is rounded. Return it as it is.",
        variants=tuple(
            [
                ((ASSIGNED, ASSIGNED + f"    target = np.round(target, {d})\n"),)
                for d in (1, 2, 3, 4)
            ]
        ),
    ),
    Mistake(
        "opposite-probability",
        "One of the two probabilities is as good as the other.",
        "That is the probability that the label does not hold, one minus the target.",
        variants=(((ASSIGNED, ASSIGNED + "    target = 1.0 - target + 0.0\n"),),),
    ),
    Mistake(
        "changes-x",
        "An argument belongs to the function that was given it.",
        "Your answer changes `x`, which must be the same after the call as before.",
        variants=(
            ((ASSIGNED, f"    x *= 1.5\n{ASSIGNED}"),),
            ((ASSIGNED, f"    x[:] = dropout(x, 0.5, np.random.default_rng(0))\n{ASSIGNED}"),),
        ),
    ),
    Mistake(
        "no-target-returned",
        "What a function computes last is its value.",
        "A part of the result is None: is a `return` missing?",
        variants=(
            (("    return target", "    target = target"),),
            (("    return target", "    print(target)"),),
        ),
    ),
    Mistake(
        "hard-coded-example",
        "An answer that passes the example is right.",
        "The results are those of the example, whatever the input.",
        variants=tuple(forms(TARGET, "np.array([[0.7]])")),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="running-sum",
        code="""
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def dropout(values, rate, random):
    keep = random.random(values.shape) >= rate
    return values * keep / (1 - rate)


def dropout_target(network, x, samples):
    before = network.training
    network.train()
    total = 0
    for _ in range(samples):
        total = total + sigmoid(network(x))
    network.train(before)
    return total / samples
""",
    ),
    Alternative(
        name="one-large-batch",
        code="""
from scipy.special import expit


def dropout(values, rate, random):
    result = values / (1 - rate)
    result[random.random(values.shape) < rate] = 0
    return result


def dropout_target(network, x, samples):
    mode = network.training
    network.train(True)
    probabilities = expit(network(np.concatenate([x] * samples)))
    network.train() if mode else network.eval()
    return probabilities.reshape(samples, len(x), -1).mean(axis=0)
""",
    ),
    Alternative(
        name="number-by-number",
        code="""
from copy import deepcopy


def dropout(values, rate, random):
    result = np.zeros(values.shape)
    for place in np.ndindex(values.shape):
        if not random.random() < rate:
            result[place] = values[place] / (1 - rate)
    return result


def dropout_target(network, x, samples):
    copy = deepcopy(network).train()
    return sum((np.tanh(copy(x) / 2) + 1) / 2 / samples for _ in range(samples))
""",
    ),
]

NO_LIBRARY = (
    "utils.distillation.dropout_distillation_targets takes torch networks, and this is none"
)
