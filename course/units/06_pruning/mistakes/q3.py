"""Question 3, Optimal Brain Damage: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

USES = "(weight_of[:, None] == np.arange(len(weights))).astype(float)"
OF_WEIGHTS = "uses.T @ hessian @ uses"
EXACT = "np.diag(of_weights) * weights**2 / 2"
ESTIMATE = "((gradients @ uses) ** 2).mean(axis=0) * weights**2 / 2"
GONE = 'np.argsort(exact, kind="stable")[:count]'
PREDICTED = "exact[gone].sum()"
REAL = "change @ of_weights @ change / 2"
RETURN = f"return exact, estimate, {PREDICTED}, {REAL}"


def exact(code: str) -> tuple:
    return ((EXACT, code),)


def estimate(code: str) -> tuple:
    return ((ESTIMATE, code),)


def gone(code: str) -> tuple:
    return ((GONE, code),)


def real(code: str) -> tuple:
    return ((REAL, code),)


OWN = "uses.T @ np.diag(hessian)"

MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.pruning.obd_saliency",
        changes=exact(
            "np.diag(of_weights); import torch; from utils.pruning import obd_saliency as of_library\n"
            "    exact = of_library({'w': torch.tensor(weights)}, {'w': torch.tensor(exact)})['w'].numpy()"
        ),
    ),
    # -------------------------------------------------------------------------------- the exact one
    Mistake(
        name="connections-do-not-meet",
        misconception="The curvature of a shared weight is the sum of those of its connections.",
        message="You add the diagonal entries of a weight's connections alone. They move together, so "
        "the entries where they meet each other count as well.",
        changes=exact(f"{OWN} * weights**2 / 2"),
        variants=(
            ((OF_WEIGHTS, f"np.diag({OWN})"),),
            (
                (
                    OF_WEIGHTS,
                    f"uses.T @ hessian @ uses; of_weights[np.diag_indices(len(weights))] = {OWN}",
                ),
            ),
        ),
    ),
    Mistake(
        name="mean-over-connections",
        misconception="A shared weight has the mean of what its connections have.",
        message="You average over the connections of a weight. By the chain rule they are added up.",
        changes=((USES, f"{USES}\n    uses = uses / np.maximum(uses.sum(axis=0), 1)"),),
        variants=(
            exact(f"{OWN} / np.maximum(uses.sum(axis=0), 1) * weights**2 / 2"),
            (
                *exact(f"{OWN} / np.maximum(uses.sum(axis=0), 1) * weights**2 / 2"),
                *estimate(
                    "((gradients @ uses / np.maximum(uses.sum(axis=0), 1)) ** 2).mean(axis=0)"
                    " * weights**2 / 2"
                ),
            ),
        ),
    ),
    Mistake(
        name="one-connection-of-each-weight",
        misconception="Assigning to the same place adds up.",
        message="You keep one connection of each weight, the last or the first, as an indexed `+=` "
        "does. They are added up.",
        changes=((USES, f"{USES}\n    uses *= np.cumsum(uses[::-1], axis=0)[::-1] == 1"),),
        variants=(
            ((USES, f"{USES}\n    uses *= np.cumsum(uses, axis=0) == 1"),),
            (
                (
                    OF_WEIGHTS,
                    "np.zeros((len(weights), len(weights)))\n"
                    "    of_weights[weight_of[:, None], weight_of] += hessian",
                ),
            ),
            (
                (
                    "    gone = ",
                    "    sums = np.zeros((len(gradients), len(weights)))\n"
                    "    sums[:, weight_of] += gradients\n"
                    "    estimate = (sums**2).mean(axis=0) * weights**2 / 2\n    gone = ",
                ),
            ),
        ),
    ),
    Mistake(
        name="sharing-only-once",
        misconception="The Hessian is added up over the connections of a weight once.",
        message="You add the Hessian up over the connections of a weight along one of its sides alone. "
        "Both of its sides are connections.",
        changes=((OF_WEIGHTS, "uses.T @ hessian @ (uses * (np.cumsum(uses, axis=0) == 1))"),),
        variants=(((OF_WEIGHTS, "uses.T @ hessian @ (uses / np.maximum(uses.sum(axis=0), 1))"),),),
    ),
    Mistake(
        name="row-sums",
        misconception="What a connection has to do with all others counts to it.",
        message="You add up whole rows of the Hessian. What stands where a weight meets *another* is "
        "not on the diagonal.",
        changes=exact("of_weights.sum(axis=1) * weights**2 / 2"),
        variants=(exact("weights * (of_weights @ weights) / 2"),),
    ),
    Mistake(
        name="optimal-brain-surgeon",
        misconception="A saliency is divided by the inverse of the Hessian.",
        message="That is Optimal Brain Surgeon, in which the other weights make up for the deleted "
        "one. Here they stay.",
        changes=exact("weights**2 / 2 / np.maximum(np.diag(np.linalg.pinv(of_weights)), 1e-12)"),
    ),
    Mistake(
        name="half-forgotten",
        misconception="The loss rises by h w squared.",
        message="You forget the 1/2 of the second-order term.",
        changes=exact("np.diag(of_weights) * weights**2"),
        variants=(
            estimate("((gradients @ uses) ** 2).mean(axis=0) * weights**2"),
            (
                *exact("np.diag(of_weights) * weights**2"),
                *estimate("((gradients @ uses) ** 2).mean(axis=0) * weights**2"),
            ),
            (
                *exact("np.diag(of_weights) * weights**2"),
                *estimate("((gradients @ uses) ** 2).mean(axis=0) * weights**2"),
                *real("change @ of_weights @ change"),
            ),
        ),
    ),
    Mistake(
        name="weight-not-squared",
        misconception="A saliency is proportional to the weight.",
        message="You multiply by the weight, or by its magnitude. It is squared.",
        changes=exact("np.diag(of_weights) * np.abs(weights) / 2"),
        variants=(
            (
                *exact("np.diag(of_weights) * np.abs(weights) / 2"),
                *estimate("((gradients @ uses) ** 2).mean(axis=0) * np.abs(weights) / 2"),
            ),
            (
                *exact("np.diag(of_weights) * weights / 2"),
                *estimate("((gradients @ uses) ** 2).mean(axis=0) * weights / 2"),
            ),
        ),
    ),
    Mistake(
        name="curvature-for-saliency",
        misconception="Flat directions are the ones that can go.",
        message="You return the curvature alone. A saliency has the weight in it as well.",
        changes=exact("np.diag(of_weights) / 2"),
        variants=(
            (
                *exact("np.diag(of_weights)"),
                *estimate("((gradients @ uses) ** 2).mean(axis=0)"),
            ),
        ),
    ),
    Mistake(
        name="magnitude-for-saliency",
        misconception="Small weights matter least.",
        message="Your saliency is the size of the weight alone. The curvature is missing.",
        changes=exact("weights**2 / 2"),
        variants=(exact("np.abs(weights)"), exact("weights**2")),
    ),
    Mistake(
        name="unused-weights-missing",
        misconception="Each weight has a connection.",
        message="A weight that no connection uses is missing in your answer, or NaN. Its saliency is 0.",
        changes=(
            (
                RETURN,
                f"used = uses.any(axis=0)\n    return exact[used], estimate[used], {PREDICTED}, {REAL}",
            ),
        ),
        variants=(
            (
                (
                    RETURN,
                    "used = np.where(uses.any(axis=0), 1, np.nan)\n"
                    f"    return exact * used, estimate * used, {PREDICTED}, {REAL}",
                ),
            ),
            ((USES, "(weight_of[:, None] == np.arange(weight_of.max() + 1)).astype(float)"),),
        ),
    ),
    # -------------------------------------------------------------------------------- the estimate
    Mistake(
        name="square-of-the-mean",
        misconception="The gradient of the batch, squared, estimates the curvature.",
        message="You square the mean over samples, which at a minimum is 0. Take the mean of the "
        "squares.",
        changes=estimate("(gradients @ uses).mean(axis=0) ** 2 * weights**2 / 2"),
        variants=(
            estimate("(gradients @ uses).sum(axis=0) ** 2 * weights**2 / 2"),
            estimate("uses.T @ (gradients.mean(axis=0) ** 2) * weights**2 / 2"),
        ),
    ),
    Mistake(
        name="squares-of-connections",
        misconception="Squaring and adding up may be done in either order.",
        message="You square the gradient of each connection, and add then. What is squared is the "
        "gradient of the weight, the sum over its connections.",
        changes=estimate("(gradients**2 @ uses).mean(axis=0) * weights**2 / 2"),
    ),
    Mistake(
        name="sum-over-samples",
        misconception="Squares are summed over samples.",
        message="You sum the squares over samples. It is their mean.",
        changes=estimate("((gradients @ uses) ** 2).sum(axis=0) * weights**2 / 2"),
    ),
    Mistake(
        name="mean-over-the-wrong-axis",
        misconception="The mean over everything that is not a weight.",
        message="You divide by another number than that of the samples.",
        changes=estimate("((gradients @ uses) ** 2).sum(axis=0) / len(weight_of) * weights**2 / 2"),
        variants=(
            estimate("((gradients @ uses) ** 2).sum(axis=0) / len(weights) * weights**2 / 2"),
            estimate(
                "((gradients @ uses) ** 2).sum(axis=0) / max(len(gradients) - 1, 1) * weights**2 / 2"
            ),
        ),
    ),
    Mistake(
        name="variance-of-the-gradients",
        misconception="The mean of the gradients has to be taken off first.",
        message="You take the variance over samples. It is the mean of the squares as they are.",
        changes=estimate("(gradients @ uses).var(axis=0) * weights**2 / 2"),
    ),
    Mistake(
        name="gradients-not-squared",
        misconception="The size of the gradient is the curvature.",
        message="You take the magnitudes of the gradients, or the gradients themselves. It is their "
        "squares.",
        changes=estimate("np.abs(gradients @ uses).mean(axis=0) * weights**2 / 2"),
        variants=(
            estimate("(gradients @ uses).mean(axis=0) * weights**2 / 2"),
            estimate("np.abs((gradients @ uses).mean(axis=0) * weights)"),
        ),
    ),
    Mistake(
        name="root-of-the-squares",
        misconception="A mean of squares needs a root.",
        message="You take the root of the mean of the squares. The mean itself estimates the curvature.",
        changes=estimate("np.sqrt(((gradients @ uses) ** 2).mean(axis=0)) * weights**2 / 2"),
    ),
    # -------------------------------------------------------------------------------- which go
    Mistake(
        name="chosen-by-the-estimate",
        misconception="What is chosen is chosen by the estimate.",
        message="You delete the weights of the lowest *estimated* saliency. The exact one decides.",
        changes=gone('np.argsort(estimate, kind="stable")[:count]'),
    ),
    Mistake(
        name="chosen-by-magnitude",
        misconception="The smallest weights go.",
        message="You delete the smallest weights. The exact saliency decides.",
        changes=gone('np.argsort(np.abs(weights), kind="stable")[:count]'),
    ),
    Mistake(
        name="chosen-from-the-top",
        misconception="What has a high saliency goes.",
        message="You delete the weights of the highest saliency. The lowest go.",
        changes=gone('np.argsort(-exact, kind="stable")[:count]'),
        variants=(gone('np.argsort(exact, kind="stable")[::-1][:count]'),),
    ),
    Mistake(
        name="ties-the-other-way",
        misconception="Of equal ones any may go.",
        message="Of equal saliencies you delete those of the higher index. The lower goes first.",
        changes=gone("np.lexsort((-np.arange(len(weights)), exact))[:count]"),
    ),
    Mistake(
        name="count-of-the-kept",
        misconception="`count` weights are kept.",
        message="You keep `count` weights. So many are deleted.",
        changes=gone('np.argsort(exact, kind="stable")[:len(weights) - count]'),
    ),
    Mistake(
        name="count-ignored",
        misconception="One weight is deleted.",
        message="You delete one weight, or all, whatever `count` is.",
        changes=gone('np.argsort(exact, kind="stable")[:1]'),
        variants=(gone('np.argsort(exact, kind="stable")'),),
    ),
    # -------------------------------------------------------------------------------- what it costs
    Mistake(
        name="predicted-by-the-estimate",
        misconception="A prediction is an estimate.",
        message="You predict with the estimate. The prediction is the sum of the exact saliencies.",
        changes=((PREDICTED, "estimate[gone].sum()"),),
    ),
    Mistake(
        name="predicted-is-a-mean",
        misconception="A prediction is for a weight.",
        message="You predict the mean over the deleted weights, or the largest. It is the sum.",
        changes=((PREDICTED, "(exact[gone].mean() if count else 0.0)"),),
        variants=(((PREDICTED, "exact[gone].max(initial=0)"),),),
    ),
    Mistake(
        name="real-by-the-diagonal",
        misconception="What is exact for one weight is exact for several.",
        message="Your real rise is that of the diagonal, and equal to the prediction. Several weights "
        "together need the whole Hessian.",
        changes=real("exact[gone].sum()"),
    ),
    Mistake(
        name="pairs-counted-once",
        misconception="A pair of weights is counted once.",
        message="You count each pair of deleted weights at half of what it adds, or twice. In d H d / 2 "
        "it stands twice, above the diagonal and below.",
        changes=real("(change @ of_weights @ change / 2 + exact[gone].sum()) / 2"),
        variants=(real("change @ of_weights @ change - exact[gone].sum()"),),
    ),
    Mistake(
        name="pairs-taken-off",
        misconception="What is deleted together costs less.",
        message="You take off what pairs of deleted weights add. Its sign is in the weights and the "
        "Hessian.",
        changes=real("2 * exact[gone].sum() - change @ of_weights @ change / 2"),
        variants=(real("np.abs(change) @ of_weights @ np.abs(change) / 2"),),
    ),
    Mistake(
        name="real-without-the-half",
        misconception="The loss rises by d H d.",
        message="The real rise lacks the 1/2.",
        changes=real("change @ of_weights @ change"),
    ),
    Mistake(
        name="real-of-what-is-left",
        misconception="The loss without a weight is that of the others.",
        message="You put what is left into the Hessian. The change is: minus the deleted weights.",
        changes=real("(weights + change) @ of_weights @ (weights + change) / 2"),
        variants=(
            real(
                "(weights @ of_weights @ weights - (weights + change) @ of_weights @ (weights + change)) / 2"
            ),
            real(
                "((weights + change) @ of_weights @ (weights + change) - weights @ of_weights @ weights) / 2"
            ),
        ),
    ),
    Mistake(
        name="real-and-predicted-swapped",
        misconception="The order of results does not matter.",
        message="The predicted and the real rise are swapped, or the two saliencies.",
        changes=((RETURN, f"return exact, estimate, {REAL}, {PREDICTED}"),),
        variants=(((RETURN, f"return estimate, exact, {PREDICTED}, {REAL}"),),),
    ),
    Mistake(
        name="changes-its-input",
        misconception="Deleting happens in place.",
        message="Your answer changes what it is given, which must be the same after the call.",
        changes=(
            (
                "change[gone] = -weights[gone]",
                "change[gone] = -weights[gone]\n    weights[gone] = 0",
            ),
        ),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="connection by connection",
        code="""
def brain_damage(weights, weight_of, hessian, gradients, count):
    n, connections = len(weights), range(len(weight_of))
    h = [[0.0] * n for _ in range(n)]
    for a in connections:
        for b in connections:
            h[weight_of[a]][weight_of[b]] += hessian[a, b]
    exact = [h[k][k] * weights[k] ** 2 / 2 for k in range(n)]
    estimate = np.zeros(n)
    for sample in gradients:
        g = np.zeros(n)
        np.add.at(g, weight_of, sample)
        estimate += g**2 / len(gradients)
    gone = sorted(range(n), key=lambda k: (exact[k], k))[:count]
    real = sum(h[i][j] * weights[i] * weights[j] for i in gone for j in gone) / 2
    return exact, estimate * weights**2 / 2, sum(exact[k] for k in gone), real
""",
    ),
]
