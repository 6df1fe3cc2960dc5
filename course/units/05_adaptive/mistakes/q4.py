"""Question 4, an exit for a budget: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

CLIP = "np.clip(probabilities, 1e-12, 1 - 1e-12)"
UNSURE = "-(p * np.log(p) + (1 - p) * np.log(1 - p)).sum(axis=2)"
EXACT = "-(np.nan_to_num(p * np.log(p)) + np.nan_to_num((1 - p) * np.log(1 - p))).sum(axis=2)"
SPENT = "np.cumsum(layer_ms)"
IN_ORDER = "sorted(candidates)"
LEAVES = "unsure < threshold"
FORCED = "        leaves[-1] = True\n"
LAYER = "leaves.argmax(axis=0)"
MS = "spent[layer].mean()"
GIVEN = "probabilities[layer, rows] >= 0.5"
HITS = "hits, both = (labels * given).sum(axis=0), labels.sum(axis=0) + given.sum(axis=0)"
F1 = "np.mean(2 * hits / np.maximum(both, 1))"
FITS = "ms <= budget_ms"
BETTER = "(f1, -ms) > (best[2], -best[1])"
CHOICE = f"if {FITS} and (best is None or {BETTER}):"
RAISE = 'raise ValueError(f"no threshold keeps to {budget_ms} ms")'
RETURN = "    return best"


def unsure(code: str) -> tuple:
    return ((UNSURE, code),)


def leaves(code: str) -> tuple:
    return ((LEAVES, code),)


def better(code: str) -> tuple:
    return ((BETTER, code),)


def f1(code: str) -> tuple:
    return ((F1, code),)


SOFTMAX = """
def softmax_entropy(p):
    odds = p / (1 - p)
    q = odds / odds.sum(axis=2, keepdims=True)
    return -(q * np.log(np.maximum(q, 1e-300))).sum(axis=2)


def share_entropy(p):
    q = p / p.sum(axis=2, keepdims=True)
    return -(q * np.log(np.maximum(q, 1e-300))).sum(axis=2)
"""

MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.adaptive.exit_layers",
        code="""
import torch

from utils.adaptive import exit_layers
from sklearn.metrics import f1_score


def calibrate_exit(probabilities, labels, layer_ms, budget_ms, candidates):
    best, spent = None, np.cumsum(layer_ms)
    for threshold in sorted(candidates):
        layer = exit_layers(torch.logit(torch.tensor(probabilities)), threshold=threshold) - 1
        ms = spent[layer.numpy()].mean()
        given = probabilities[layer.numpy(), np.arange(len(labels))] >= 0.5
        f1 = f1_score(labels, given, average="macro", zero_division=0)
        if ms <= budget_ms and (best is None or (f1, -ms) > (best[2], -best[1])):
            best = threshold, ms, f1
    if best is None:
        raise ValueError("no threshold")
    return best
""",
    ),
    # ----------------------------------------------------------------------------- how unsure
    Mistake(
        name="entropy-of-a-softmax",
        misconception="The labels are one choice among several.",
        message="You take the entropy over labels, as if exactly one of them were right. Labels are "
        "independent: add up the entropy of each yes or no.",
        changes=unsure("softmax_entropy(p)"),
        variants=(unsure("share_entropy(p)"),),
        helpers=SOFTMAX,
    ),
    Mistake(
        name="entropy-of-yes-alone",
        misconception="The entropy of a label is -p log p.",
        message="You add up -p ln p alone. A label that is unlikely is sure as well: the term of 1 - p "
        "is missing.",
        changes=unsure("-(p * np.log(p)).sum(axis=2)"),
    ),
    Mistake(
        name="entropy-of-no-alone",
        misconception="The entropy of a label is that of its absence.",
        message="You add up -(1 - p) ln(1 - p) alone. The term of p is missing.",
        changes=unsure("-((1 - p) * np.log(1 - p)).sum(axis=2)"),
    ),
    Mistake(
        name="entropy-in-bits",
        misconception="Entropy is in bits.",
        message="Your entropy is in bits. The thresholds are in nats: take the natural logarithm.",
        changes=((UNSURE, UNSURE.replace("np.log(", "np.log2(")),),
    ),
    Mistake(
        name="entropy-in-tens",
        misconception="log is the logarithm to base 10.",
        message="Your logarithm has the base 10. The thresholds are in nats: take the natural one.",
        changes=((UNSURE, UNSURE.replace("np.log(", "np.log10(")),),
    ),
    Mistake(
        name="mean-over-labels",
        misconception="More labels must not make a comment more unsure.",
        message="You take the mean entropy over labels. It is their sum.",
        changes=unsure(UNSURE.replace(".sum(", ".mean(")),
    ),
    Mistake(
        name="most-unsure-label",
        misconception="The most unsure label decides.",
        message="You take the entropy of the most unsure label. It is the sum over labels.",
        changes=((UNSURE, "(-(p * np.log(p) + (1 - p) * np.log(1 - p))).max(axis=2)"),),
    ),
    Mistake(
        name="surest-label",
        misconception="One label that is sure is enough.",
        message="You take the entropy of the label that is surest. It is the sum over labels.",
        changes=((UNSURE, "(-(p * np.log(p) + (1 - p) * np.log(1 - p))).min(axis=2)"),),
    ),
    Mistake(
        name="entropy-without-its-sign",
        misconception="A logarithm of a probability is its entropy.",
        message="Your entropies are negative, so that all are below any threshold.",
        changes=((UNSURE, UNSURE[1:]),),
    ),
    Mistake(
        name="highest-probability",
        misconception="The most probable label says how sure a layer is.",
        message="You take 1 minus the highest probability. What counts is the sum over labels of their "
        "entropies; a comment without any label is sure when all p are low.",
        changes=unsure("1 - p.max(axis=2)"),
    ),
    Mistake(
        name="distance-from-one-half",
        misconception="A label's doubt is its distance from certainty.",
        message="You add up how far each p is from 0 or 1. Asked is the sum of entropies.",
        changes=unsure("np.minimum(p, 1 - p).sum(axis=2)"),
        variants=(unsure("(1 - 2 * np.abs(p - 0.5)).sum(axis=2)"),),
    ),
    Mistake(
        name="variance-for-entropy",
        misconception="Variance and entropy are the same measure of doubt.",
        message="You add up p (1 - p), the variance. Asked is the sum of entropies.",
        changes=unsure("(p * (1 - p)).sum(axis=2)"),
    ),
    Mistake(
        name="nan-at-0-and-1",
        misconception="0 times the logarithm of 0 is 0 in floating point, too.",
        message="A p of 0 or 1 makes your entropy NaN, which is below no threshold: 0 times infinity is "
        "not a number. Such a label has the entropy 0.",
        changes=((CLIP, "probabilities"),),
    ),
    Mistake(
        name="nan-of-the-whole-comment",
        misconception="The NaN of a single label can be mended after the sum.",
        message="You put 0 for NaN after the sum over labels, so a comment with a single p of 0 or 1 "
        "looks perfectly sure. Only that label has the entropy 0; mend it before the sum.",
        changes=((CLIP, "probabilities"), *unsure(f"np.nan_to_num({UNSURE})")),
        variants=(((CLIP, "probabilities"), *unsure(f"np.nan_to_num({UNSURE}, nan=-1.0)")),),
    ),
    Mistake(
        name="clipped-far-from-0",
        misconception="A small constant changes nothing.",
        message="You move p so far away from 0 and 1 that labels which are certain look unsure.",
        changes=((CLIP, "np.clip(probabilities, 0.01, 0.99)"),),
        variants=(((CLIP, "np.clip(probabilities, 0.02, 0.98)"),),),
    ),
    # ----------------------------------------------------------------------------- where it leaves
    Mistake(
        name="leaves-when-unsure",
        misconception="A comment leaves where the entropy is above the threshold.",
        message="Your comments leave where a layer is more unsure than the threshold. They leave where "
        "it is less.",
        changes=leaves("unsure > threshold"),
        variants=(leaves("unsure >= threshold"),),
    ),
    Mistake(
        name="leaves-at-the-threshold",
        misconception="Less means at most.",
        message="A comment that is just as unsure as the threshold leaves in your answer. It has to be "
        "less.",
        changes=leaves("unsure <= threshold"),
        variants=(
            ((CLIP, CLIP.replace("1e-12", "1e-15")), *leaves("unsure <= threshold")),
            ((CLIP, "probabilities"), *unsure(EXACT), *leaves("unsure <= threshold")),
        ),
    ),
    Mistake(
        name="last-layer-not-forced",
        misconception="Some layer is always sure enough.",
        message="A comment of which no layer is sure leaves after the first one in your answer. It "
        "leaves after the last.",
        changes=((FORCED, ""),),
    ),
    Mistake(
        name="last-layer-that-is-sure",
        misconception="A comment leaves after the last layer that is sure.",
        message="Your comments leave after the last layer that is sure enough. They leave after the "
        "first one.",
        changes=(
            (
                LAYER,
                "np.where(leaves[:-1].any(axis=0), "
                "len(leaves) - 2 - leaves[:-1][::-1].argmax(axis=0), len(leaves) - 1)"
                " if len(leaves) > 1 else leaves.argmax(axis=0)",
            ),
        ),
        variants=(
            (
                (FORCED, ""),
                (
                    LAYER,
                    "np.where(leaves.any(axis=0), len(leaves) - 1 - leaves[::-1].argmax(axis=0), "
                    "len(leaves) - 1)",
                ),
            ),
        ),
    ),
    Mistake(
        name="surest-layer",
        misconception="A comment leaves after the layer that is surest.",
        message="Your comments leave after the layer that is surest. They leave after the first that is "
        "sure enough; what later layers will say, nobody knows yet.",
        changes=(
            (LAYER, "np.where(leaves[:-1].any(axis=0), unsure.argmin(axis=0), len(leaves) - 1)"),
        ),
        variants=(((LAYER, "unsure.argmin(axis=0)"),),),
    ),
    Mistake(
        name="one-layer-later",
        misconception="A comment leaves before the next classifier.",
        message="Your comments take one layer too many: they leave after the layer that is sure.",
        changes=((LAYER, "np.minimum(leaves.argmax(axis=0) + 1, len(leaves) - 1)"),),
    ),
    Mistake(
        name="one-layer-earlier",
        misconception="Layers are counted from 1.",
        message="Your comments leave one layer before the first that is sure.",
        changes=((LAYER, "np.maximum(leaves.argmax(axis=0) - 1, 0)"),),
    ),
    Mistake(
        name="all-leave-together",
        misconception="A threshold chooses a layer.",
        message="All your comments leave after the same layer. Each leaves by itself.",
        changes=((LAYER, "np.full(len(rows), leaves.all(axis=1).argmax())"),),
        variants=(
            ((LAYER, "np.full(len(rows), (unsure.mean(axis=1) < threshold).argmax())"),),
            ((LAYER, "np.full(len(rows), leaves.argmax(axis=0).max())"),),
        ),
    ),
    # ----------------------------------------------------------------------------- the time
    Mistake(
        name="time-of-one-layer",
        misconception="A comment pays for the layer at which it leaves.",
        message="Your comments pay for the layer of their exit alone. They pay for all up to it.",
        changes=((SPENT, "np.array(layer_ms)"),),
    ),
    Mistake(
        name="time-without-the-exit",
        misconception="A comment that leaves at a layer does not pay for it.",
        message="Your comments do not pay for the layer after which they leave. It was computed.",
        changes=((SPENT, "np.cumsum(layer_ms) - np.array(layer_ms)"),),
        variants=(((SPENT, "np.concatenate([[0], np.cumsum(layer_ms)])"),),),
    ),
    Mistake(
        name="time-of-all-layers",
        misconception="All layers are computed.",
        message="Your comments pay for all layers. They pay for those up to their exit.",
        changes=((MS, "float(spent[-1])"),),
    ),
    Mistake(
        name="time-of-mean-depth",
        misconception="All layers take the same time.",
        message="You multiply the mean number of layers by the mean time of a layer. Layers take "
        "different times: add up those that a comment takes.",
        changes=((MS, "(layer + 1).mean() * np.mean(layer_ms)"),),
    ),
    Mistake(
        name="time-of-the-slowest",
        misconception="The budget holds for every comment.",
        message="You hold the slowest comment to the budget. It is the mean that has to keep to it.",
        changes=((MS, "spent[layer].max()"),),
        variants=(((FITS, "spent[layer].max() <= budget_ms"),),),
    ),
    Mistake(
        name="time-of-the-median",
        misconception="The middle comment stands for all.",
        message="You hold the median to the budget. It is the mean.",
        changes=((MS, "np.median(spent[layer])"),),
    ),
    Mistake(
        name="time-of-all-comments",
        misconception="The budget is for all comments together.",
        message="You add up the time of all comments. It is their mean that has to keep to the budget.",
        changes=((MS, "spent[layer].sum()"),),
    ),
    Mistake(
        name="steps-for-time",
        misconception="A layer is a millisecond.",
        message="You count layers in place of milliseconds.",
        changes=((MS, "(layer + 1).mean()"),),
        variants=(((MS, "layer.mean()"),),),
    ),
    # ----------------------------------------------------------------------------- the score
    Mistake(
        name="micro-f1",
        misconception="F1 counts all labels together.",
        message="Your F1 counts hits of all labels together, which is micro-F1. Macro-F1 is the mean "
        "over labels.",
        changes=f1("2 * hits.sum() / max(both.sum(), 1)"),
    ),
    Mistake(
        name="f1-of-comments",
        misconception="F1 is a comment's.",
        message="Your F1 is that of each comment, and its mean. Macro-F1 is the mean over labels.",
        changes=((HITS, HITS.replace("axis=0", "axis=1")),),
    ),
    Mistake(
        name="accuracy",
        misconception="The score is how many decisions are right.",
        message="Your score is the share of decisions that are right. It is macro-F1.",
        changes=f1("np.mean(labels == given)"),
        variants=(f1("np.mean((labels == given).all(axis=1))"),),
    ),
    Mistake(
        name="labels-without-a-hit-left-out",
        misconception="A label that nobody gives has no F1.",
        message="You leave out labels without a hit. They count, with an F1 of 0.",
        changes=f1("(2 * hits / np.maximum(both, 1)).sum() / max((hits > 0).sum(), 1)"),
    ),
    Mistake(
        name="labels-that-never-occur-left-out",
        misconception="A label that never occurs has no F1.",
        message="You leave out labels that are never right, or never right and never given. They count, "
        "with an F1 of 0.",
        changes=f1(
            "(2 * hits / np.maximum(both, 1)).sum() / max((labels.sum(axis=0) > 0).sum(), 1)"
        ),
        variants=(f1("(2 * hits / np.maximum(both, 1)).sum() / max((both > 0).sum(), 1)"),),
    ),
    Mistake(
        name="nothing-is-perfect",
        misconception="A label that is never right and never given is all right.",
        message="A label that is never right and never given has an F1 of 1 in your answer. It has 0.",
        changes=f1("np.mean(np.where(both == 0, 1.0, 2 * hits / np.maximum(both, 1)))"),
    ),
    Mistake(
        name="nothing-by-nothing",
        misconception="Every label occurs.",
        message="A label that is never right and never given makes your F1 NaN. It has 0.",
        changes=f1("np.mean(2 * hits / both)"),
    ),
    Mistake(
        name="f1-without-its-factor",
        misconception="F1 is hits by all.",
        message="Your F1 lacks the factor 2, or counts hits twice in what it divides by.",
        changes=f1("np.mean(hits / np.maximum(both, 1))"),
        variants=(f1("np.mean(hits / np.maximum(both - hits, 1))"),),
    ),
    Mistake(
        name="precision",
        misconception="What is given should be right.",
        message="Your score is precision: it does not see what is missing. It is F1.",
        changes=f1("np.mean(hits / np.maximum(given.sum(axis=0), 1))"),
    ),
    Mistake(
        name="recall",
        misconception="What is right should be given.",
        message="Your score is recall: it does not see what is too much. It is F1.",
        changes=f1("np.mean(hits / np.maximum(labels.sum(axis=0), 1))"),
    ),
    Mistake(
        name="one-half-is-no",
        misconception="A label is given above one half.",
        message="A p of just 0.5 is a no in your answer. It is a yes.",
        changes=((GIVEN, "probabilities[layer, rows] > 0.5"),),
        variants=(((GIVEN, "probabilities[layer, rows].round() > 0"),),),
    ),
    Mistake(
        name="labels-of-the-last-layer",
        misconception="A comment is given the labels of the last layer.",
        message="You score what the last layer says. A comment is given the labels of its exit.",
        changes=((GIVEN, "probabilities[-1] >= 0.5"),),
    ),
    Mistake(
        name="labels-of-the-surest-layer-if-none-is-sure",
        misconception="If no layer is sure enough, the surest of them is asked.",
        message="Where no layer is sure enough, you give a comment the labels of the one that is least "
        "unsure. It leaves after the last layer, with the labels that it has there.",
        changes=(
            (
                GIVEN,
                "probabilities[np.where(leaves[:-1].any(axis=0), layer, unsure.argmin(axis=0)), rows] "
                ">= 0.5",
            ),
        ),
    ),
    Mistake(
        name="labels-of-the-first-layer-if-none-is-sure",
        misconception="If no layer is sure enough, the first answer stands.",
        message="Where no layer is sure enough, you give a comment the labels of the first one. It "
        "leaves after the last layer, with the labels that it has there.",
        changes=((GIVEN, "probabilities[layer * leaves[:-1].any(axis=0), rows] >= 0.5"),),
    ),
    Mistake(
        name="labels-of-the-first-layer",
        misconception="A comment is given the labels of the first layer.",
        message="You score what the first layer says. A comment is given the labels of its exit.",
        changes=((GIVEN, "probabilities[0] >= 0.5"),),
    ),
    Mistake(
        name="labels-of-all-layers",
        misconception="The layers up to the exit vote.",
        message="You average over layers. A comment is given what its exit says.",
        changes=((GIVEN, "probabilities.mean(axis=0) >= 0.5"),),
        variants=(
            (
                (
                    GIVEN,
                    "np.cumsum(probabilities, axis=0)[layer, rows] / (layer + 1)[:, None] >= 0.5",
                ),
            ),
        ),
    ),
    Mistake(
        name="only-the-most-probable-label",
        misconception="A comment has one label.",
        message="You give each comment its most probable label alone. It is given all with a p of 0.5 "
        "or more.",
        changes=(
            (
                GIVEN,
                "np.eye(labels.shape[1], dtype=int)[probabilities[layer, rows].argmax(axis=1)] == 1",
            ),
        ),
    ),
    # ----------------------------------------------------------------------------- the choice
    Mistake(
        name="budget-ignored",
        misconception="The best score is the best choice.",
        message="You choose the highest F1 without looking at the budget.",
        changes=((FITS, "True"),),
    ),
    Mistake(
        name="budget-not-reached",
        misconception="A budget must not be used up.",
        message="A mean that just reaches the budget is over it in your answer. It keeps to it.",
        changes=((FITS, "ms < budget_ms"),),
    ),
    Mistake(
        name="over-the-budget",
        misconception="The budget is what is to be spent at least.",
        message="You choose among the candidates that are over the budget.",
        changes=((FITS, "ms > budget_ms"),),
        variants=(((FITS, "ms >= budget_ms"),),),
    ),
    Mistake(
        name="fastest",
        misconception="Less time is better.",
        message="You choose the fastest candidate. Among those within the budget, F1 decides.",
        changes=better("(-ms, f1) > (-best[1], best[2])"),
        variants=(better("-ms > -best[1]"),),
    ),
    Mistake(
        name="budget-spent",
        misconception="More time is always better.",
        message="You choose the lowest threshold within the budget, which spends most of it. Among "
        "those within it, F1 decides: later layers are not always better.",
        changes=better("(ms, f1) > (best[1], best[2])"),
        variants=(better("ms > best[1]"), better("False")),
    ),
    Mistake(
        name="highest-threshold",
        misconception="The highest threshold that keeps to the budget is the best.",
        message="You choose the highest threshold within the budget, whatever its F1.",
        changes=better("True"),
    ),
    Mistake(
        name="tie-by-the-lowest-threshold",
        misconception="On a tie of F1, the lowest threshold wins.",
        message="Of candidates with the same F1 you take the one with the lowest threshold, which "
        "takes more time. It is the one that takes less.",
        changes=better("f1 > best[2]"),
        variants=(better("(f1, ms) > (best[2], best[1])"),),
    ),
    Mistake(
        name="tie-by-the-highest-threshold",
        misconception="On a tie, the highest threshold wins.",
        message="Of candidates with the same F1 and the same time you take the one with the highest "
        "threshold. It is the lowest.",
        changes=better("(f1, -ms) >= (best[2], -best[1])"),
        variants=(better("f1 >= best[2]"),),
    ),
    Mistake(
        name="tie-by-order",
        misconception="Candidates come in order.",
        message="Of candidates with the same F1 and the same time you take the first in the list. It "
        "is the lowest threshold, and they come in any order.",
        changes=((IN_ORDER, "candidates"),),
    ),
    Mistake(
        name="tie-of-f1-by-order",
        misconception="The first of the best is the best.",
        message="Of candidates with the same F1 you take the first in the list. It is the one that "
        "takes less time, and then the lowest.",
        changes=((IN_ORDER, "candidates"), *better("f1 > best[2]")),
    ),
    Mistake(
        name="lowest-f1",
        misconception="A score is to be small.",
        message="You choose the lowest F1. It is the highest.",
        changes=better("(f1, ms) < (best[2], best[1])"),
        variants=(better("f1 < best[2]"),),
    ),
    Mistake(
        name="nothing-fits-is-none",
        misconception="No choice is None.",
        message="If no candidate keeps to the budget, raise ValueError.",
        changes=((RAISE, "return None"),),
        variants=(
            ((RAISE, "return None, None, None"),),
            ((RAISE, "return 0.0, 0.0, 0.0"),),
            ((RAISE, "return math.nan, math.nan, math.nan"),),
        ),
    ),
    Mistake(
        name="nothing-fits-takes-the-fastest",
        misconception="The nearest to the budget is better than nothing.",
        message="If no candidate keeps to the budget you choose one that does not. Raise ValueError.",
        changes=(
            (
                RAISE,
                "return calibrate_exit(probabilities, labels, layer_ms, 1e9, [max(candidates)])",
            ),
        ),
    ),
    Mistake(
        name="another-error",
        misconception="Any error will do.",
        message="If no candidate keeps to the budget, the question asks for a ValueError.",
        changes=((RAISE, 'raise LookupError("no threshold")'),),
        variants=(
            ((RAISE, 'raise RuntimeError("no threshold")'),),
            ((RAISE, "assert best is not None"),),
        ),
    ),
    # ----------------------------------------------------------------------------- what is returned
    Mistake(
        name="threshold-alone",
        misconception="The threshold is the answer.",
        message="You return the threshold alone. Return (threshold, mean_ms, macro_f1).",
        changes=((RETURN, "    return best[0]"),),
    ),
    Mistake(
        name="results-swapped",
        misconception="The order of the results does not matter.",
        message="Milliseconds and F1 are swapped: return (threshold, mean_ms, macro_f1).",
        changes=((RETURN, "    return best[0], best[2], best[1]"),),
    ),
    Mistake(
        name="index-for-threshold",
        misconception="The place of the candidate is the answer.",
        message="You return the candidate's place in the list. Return the threshold.",
        changes=((RETURN, "    return candidates.index(best[0]), best[1], best[2]"),),
    ),
    Mistake(
        name="rounds-the-result",
        misconception="Two digits are exact enough.",
        message="The results are rounded. Return them as they are.",
        changes=((RETURN, "    return best[0], round(best[1], 2), round(best[2], 2)"),),
        variants=(
            ((RETURN, "    return best[0], round(best[1], 1), round(best[2], 2)"),),
            ((RETURN, "    return best[0], best[1], round(best[2], 2)"),),
        ),
    ),
    Mistake(
        name="changes-its-input",
        misconception="A list that is handed in may be sorted.",
        message="Your answer changes what it is given, which must be the same after the call.",
        changes=((IN_ORDER, "(candidates.sort() or candidates)"),),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="with scikit-learn and one maximum",
        code="""
from sklearn.metrics import f1_score


def calibrate_exit(probabilities, labels, layer_ms, budget_ms, candidates):
    layers, comments, _ = probabilities.shape
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.nan_to_num(probabilities * np.log(probabilities)) + np.nan_to_num(
            (1 - probabilities) * np.log(1 - probabilities)
        )
    unsure = -terms.sum(axis=2)
    found = []
    for threshold in candidates:
        exits = [
            next((k for k in range(layers - 1) if unsure[k, c] < threshold), layers - 1)
            for c in range(comments)
        ]
        ms = sum(sum(layer_ms[: k + 1]) for k in exits) / comments
        given = [probabilities[k, c] >= 0.5 for c, k in enumerate(exits)]
        f1 = f1_score(labels, np.array(given), average="macro", zero_division=0)
        if ms <= budget_ms:
            found.append((-round(f1, 9), round(ms, 9), threshold, f1, ms))
    if not found:
        raise ValueError
    *_, threshold, f1, ms = min(found)
    return threshold, ms, f1
""",
    ),
    Alternative(
        name="all candidates at once",
        code="""
from scipy.special import entr


def calibrate_exit(probabilities, labels, layer_ms, budget_ms, candidates):
    unsure = (entr(probabilities) + entr(1 - probabilities)).sum(axis=2)
    thresholds = np.sort(candidates)
    stays = np.cumprod(unsure[None, :-1] >= thresholds[:, None, None], axis=1).sum(axis=1)
    ms = np.cumsum(layer_ms)[stays].mean(axis=1)
    given = np.take_along_axis(probabilities[None] >= 0.5, stays[:, None, :, None], axis=1)[:, 0]
    hits = (given & (labels == 1)).sum(axis=1)
    f1 = (2 * hits / np.maximum(given.sum(axis=1) + labels.sum(axis=0), 1)).mean(axis=1)
    fits = np.flatnonzero(ms <= budget_ms)
    if not fits.size:
        raise ValueError("none fits")
    best = fits[np.lexsort((thresholds[fits], ms[fits], -f1[fits]))[0]]
    return thresholds[best], ms[best], f1[best]
""",
    ),
]
