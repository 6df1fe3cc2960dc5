"""Question 2, the price of pondering: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

SUMS = "np.cumsum(probabilities, axis=2)"
REACHED = f"{SUMS} >= 1 - epsilon"
FORCED = "    reached[..., -1] = True\n"
STEPS = "reached.argmax(axis=2) + 1"
BEFORE = "np.arange(1, most + 1) < steps[..., None]"
REMAINDER = "1 - np.where(before, probabilities, 0.0).sum(axis=2)"
UP_TO = "np.where(np.arange(1, most + 1) <= steps[..., None], probabilities, 0.0).sum(axis=2)"
IS_WORD = "np.arange(longest) < words[:, None]"
SHARE = "penalty * is_word / np.maximum(words, 1)[:, None] / comments"
COST = "(share * (steps + remainder)).sum()"
GRADIENT = "0.0 - share[..., None] * before"
RETURN = f"return price, {GRADIENT}"
EVERY = "np.ones_like(probabilities)"
AT_LAST = "(np.arange(1, most + 1) == steps[..., None])"

EXPECTED = (
    "(share * ((np.where(before, probabilities, 0.0) * np.arange(1, most + 1)).sum(axis=2)"
    " + steps * remainder)).sum()\n    number = np.arange(1, most + 1)"
)
FROM_N = "share[..., None] * (np.arange(1, most + 1) - steps[..., None]) * before"
HALTED = "(probabilities.sum(axis=2) >= 1 - epsilon)"
DIFFERENCES = """
def price_of_pondering(probabilities, words, penalty, epsilon=0.01):
    comments, longest, most = probabilities.shape
    is_word = np.arange(longest) < words[:, None]

    def price_at(p):
        reached = np.cumsum(p, axis=2) >= 1 - epsilon
        reached[..., -1] = True
        steps = reached.argmax(axis=2) + 1
        before = np.arange(1, most + 1) < steps[..., None]
        cost = steps + 1 - np.where(before, p, 0.0).sum(axis=2)
        return penalty * ((cost * is_word).sum(axis=1) / np.maximum(words, 1)).mean()

    gradient, h = np.zeros(probabilities.shape), {h}
    for index in np.ndindex(*probabilities.shape):
        up, down = probabilities.astype(float), probabilities.astype(float)
        up[index] += h
        down[index] -= h
        gradient[index] = {quotient}
    return price_at(probabilities), gradient
"""


def differences(h: str, quotient: str) -> str:
    return DIFFERENCES.format(h=h, quotient=quotient)


def reached(code: str) -> tuple:
    return ((REACHED, code),)


def price(code: str) -> tuple:
    return ((COST, code),)


def gradient(code: str) -> tuple:
    return ((RETURN, f"return price, {code}"),)


def share(code: str) -> tuple:
    return ((SHARE, code),)


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.adaptive.ponder_cost",
        code="""
import torch

from utils.adaptive import ponder_cost


def price_of_pondering(probabilities, words, penalty, epsilon=0.01):
    p = torch.tensor(probabilities, requires_grad=True)
    words = torch.tensor(words)
    is_word = torch.arange(p.shape[1]) < words[:, None]
    costs = (ponder_cost(p, epsilon) * is_word).sum(dim=1) / words.clamp(min=1)
    price = penalty * costs.mean()
    price.backward()
    return price.item(), p.grad.numpy()
""",
    ),
    # ------------------------------------------------------------------------------ the gradient
    Mistake(
        name="gradient-zero",
        misconception="N has no derivative, so the price has none.",
        message="Your gradient is 0 everywhere. N is constant, but R depends on the probabilities.",
        changes=gradient("np.zeros_like(probabilities)"),
        variants=(gradient("0 * share[..., None] * before"),),
    ),
    Mistake(
        name="gradient-uphill",
        misconception="More probability is more cost.",
        message="Your gradient has the wrong sign. A larger probability leaves less to the remainder, "
        "so the price falls.",
        changes=gradient("share[..., None] * before"),
    ),
    Mistake(
        name="gradient-at-the-last-step-too",
        misconception="The remainder depends on all steps taken.",
        message="Your gradient is not 0 at step N. R is what the steps before N leave, and the "
        "probability of step N is not in it.",
        changes=gradient(f"-share[..., None] * (before | {AT_LAST})"),
        variants=(
            (
                (REMAINDER, f"1 - {UP_TO}"),
                (RETURN, f"return price, -share[..., None] * (before | {AT_LAST})"),
                (COST, f"(share * (steps + {REMAINDER})).sum()"),
            ),
        ),
    ),
    Mistake(
        name="gradient-at-the-last-step-alone",
        misconception="The remainder belongs to the last step, and so does its gradient.",
        message="Your gradient is at step N alone. R is what the steps before N leave: it depends on "
        "their probabilities, and not on that of step N.",
        changes=gradient(f"-share[..., None] * {AT_LAST}"),
    ),
    Mistake(
        name="gradient-at-the-last-step-uphill",
        misconception="The last step's own probability adds to the cost.",
        message="Your gradient at step N is above 0. Neither N nor R depends on that probability as "
        "long as N stays the same.",
        changes=gradient(f"share[..., None] * ({AT_LAST} * 1.0 - before)"),
        variants=(gradient(f"share[..., None] * {AT_LAST}"),),
    ),
    Mistake(
        name="gradient-at-all-steps",
        misconception="Every probability is part of the sum.",
        message="Your gradient is not 0 behind step N, at steps that were never computed.",
        changes=gradient(f"-share[..., None] * {EVERY}"),
    ),
    Mistake(
        name="gradient-behind-the-last-step",
        misconception="The steps that are left make the cost.",
        message="Your gradient is at the steps from N on. It is at those before N.",
        changes=gradient("-share[..., None] * ~before"),
        variants=(gradient(f"-share[..., None] * (~before & ~{AT_LAST})"),),
    ),
    Mistake(
        name="gradient-where-forced-too",
        misconception="A step that is forced has its probability in the sum.",
        message="Where a word is forced to halt, your gradient is not 0 at its last step. R is what "
        "the steps before leave, there as well.",
        changes=gradient(
            f"-share[..., None] * (before | ({AT_LAST} & ({SUMS}[..., -1:] < 1 - epsilon)))"
        ),
        variants=(gradient(f"-share[..., None] * ({SUMS} < 1 - epsilon)"),),
    ),
    Mistake(
        name="gradient-only-of-the-first-step",
        misconception="The remainder is 1 - p.",
        message="Your gradient is not 0 at the first step alone. All steps before N are in R.",
        changes=gradient("-share[..., None] * (before & (np.arange(most) == 0))"),
    ),
    Mistake(
        name="gradient-only-of-the-step-before",
        misconception="Only the last step before N is near the bound.",
        message="Your gradient is not 0 at the step just before N alone. All steps before N are in R.",
        changes=gradient("-share[..., None] * (np.arange(1, most + 1) == steps[..., None] - 1)"),
    ),
    Mistake(
        name="gradient-spread",
        misconception="The remainder's gradient is shared by the steps.",
        message="You divide the gradient among the steps before N. Each of them has the whole of it: "
        "R falls by as much as any one of their probabilities rises.",
        changes=gradient("-share[..., None] * before / np.maximum(steps - 1, 1)[..., None]"),
        variants=(gradient("-share[..., None] * before / steps[..., None]"),),
    ),
    Mistake(
        name="gradient-times-probability",
        misconception="The derivative of a sum is the sum's terms.",
        message="You return the probabilities themselves, with a sign, for the gradient. R has the "
        "derivative -1 for each of those before N.",
        changes=gradient("-share[..., None] * before * probabilities"),
    ),
    Mistake(
        name="gradient-of-the-logits",
        misconception="A gradient is always taken through the sigmoid.",
        message="Your gradient is that for what went into the sigmoid, p (1 - p) times as large. Asked "
        "is the one for the probabilities.",
        changes=gradient("-share[..., None] * before * probabilities * (1 - probabilities)"),
    ),
    Mistake(
        name="gradient-of-expected-steps",
        misconception="The cost is the expected number of steps.",
        message="Your gradient is that of the sum of n times p, as if the steps were an expectation. "
        "In ACT the number of steps is constant.",
        changes=gradient(f"share[..., None] * np.arange(1, most + 1) * {EVERY}"),
        variants=(
            gradient("share[..., None] * np.arange(1, most + 1) * before"),
            gradient(f"share[..., None] * np.arange(1, most + 1) * (before | {AT_LAST})"),
        ),
    ),
    Mistake(
        name="gradient-at-padding",
        misconception="What is padded costs nothing, so its gradient does not matter.",
        message="Padding has a gradient in your answer. It costs nothing, whatever probabilities "
        "stand there.",
        changes=gradient("-penalty / np.maximum(words, 1)[:, None, None] / comments * before"),
    ),
    Mistake(
        name="gradient-without-the-penalty",
        misconception="A factor of the loss is not part of its gradient.",
        message="You forgot the time penalty in the gradient: a factor of the price is one of its "
        "gradient.",
        changes=gradient(
            "-(is_word / np.maximum(words, 1)[:, None] / comments)[..., None] * before"
        ),
    ),
    Mistake(
        name="gradient-of-a-single-comment",
        misconception="Each comment's gradient is its own.",
        message="Your gradient lacks the division by the number of comments. The price is a mean over "
        "them.",
        changes=gradient("-share[..., None] * before * comments"),
    ),
    Mistake(
        name="gradient-of-a-single-word",
        misconception="Each word's gradient is its own.",
        message="Your gradient lacks the division by a comment's words. A comment pays their mean.",
        changes=gradient("-share[..., None] * before * words[:, None, None]"),
    ),
    Mistake(
        name="gradient-of-the-cost-alone",
        misconception="The gradient of N + R is all that is asked.",
        message="Your gradient is that of a word's N + R: -1 before step N. The price is the penalty "
        "times a mean over comments of a mean over words, and so is its gradient.",
        changes=gradient("-1.0 * (before & is_word[..., None])"),
        variants=(gradient("-1.0 * before"),),
    ),
    # --------------------------------------------------------------------------------- the price
    Mistake(
        name="price-of-steps-alone",
        misconception="The ponder cost is the number of steps.",
        message="Your price counts the steps without the remainder. A word costs N + R.",
        changes=price("(share * steps).sum()"),
    ),
    Mistake(
        name="price-of-the-remainder-alone",
        misconception="What has no gradient is no part of the price.",
        message="Your price is that of the remainder without the steps. A word costs N + R.",
        changes=price("(share * remainder).sum()"),
    ),
    Mistake(
        name="remainder-subtracted",
        misconception="The remainder is what the last step saved.",
        message="You subtract the remainder. A word costs N + R.",
        changes=price("(share * (steps - remainder)).sum()"),
    ),
    Mistake(
        name="remainder-multiplied",
        misconception="The remainder weighs the steps.",
        message="You multiply the steps by the remainder. A word costs N + R.",
        changes=price("(share * steps * remainder).sum()"),
    ),
    Mistake(
        name="last-step-counted-by-its-remainder",
        misconception="The last step is taken in part.",
        message="You count the last step by its remainder, as N - 1 + R. A word costs N + R.",
        changes=price("(share * (steps - 1 + remainder)).sum()"),
        variants=(
            (
                (BEFORE, "np.arange(most) < reached.argmax(axis=2)[..., None]"),
                (STEPS, "reached.argmax(axis=2)"),
            ),
        ),
    ),
    Mistake(
        name="remainder-with-the-last-step",
        misconception="The remainder is what is left after step N.",
        message="In your price the remainder lacks the probability of step N, too. R is what the steps "
        "before N leave.",
        changes=((REMAINDER, f"1 - {UP_TO}"),),
        variants=(
            ((REMAINDER, f"np.maximum(0, 1 - {UP_TO})"),),
            (
                (REMAINDER, f"1 - {UP_TO}"),
                (RETURN, f"return price, -share[..., None] * (before | {AT_LAST})"),
            ),
        ),
    ),
    Mistake(
        name="remainder-is-the-last-probability",
        misconception="The last step weighs its probability.",
        message="For R you take the probability of step N. R is 1 minus the probabilities of the steps "
        "before.",
        changes=((REMAINDER, f"np.where({AT_LAST}, probabilities, 0.0).sum(axis=2)"),),
    ),
    Mistake(
        name="remainder-up-to-1-minus-epsilon",
        misconception="The remainder is what is left up to the bound.",
        message="Your remainder is what is left of 1 - epsilon. It is what is left of 1.",
        changes=((REMAINDER, REMAINDER.replace("1 -", "1 - epsilon -", 1)),),
    ),
    Mistake(
        name="expected-steps-for-the-price",
        misconception="A word costs its expected number of steps.",
        message="Your price is the mean of the steps by their weights. A word costs N + R.",
        changes=price(
            "(share * ((np.where(before, probabilities, 0.0) * np.arange(1, most + 1)).sum(axis=2)"
            " + steps * remainder)).sum()"
        ),
    ),
    Mistake(
        name="expected-steps-for-the-cost",
        misconception="The ponder cost is the expected number of steps, and so is what is differentiated.",
        message="You take the expected number of steps, by the weights, for the cost, and its gradient. "
        "A word costs N + R, and N is a constant.",
        changes=(
            (COST, EXPECTED),
            (RETURN, f"return price, {FROM_N}"),
        ),
        variants=(
            ((COST, EXPECTED), (RETURN, "return price, share[..., None] * (number + 0 * before)")),
            (
                (COST, EXPECTED),
                (RETURN, "return price, share[..., None] * number * before"),
            ),
        ),
    ),
    Mistake(
        name="gradient-of-expected-steps-by-the-weights",
        misconception="Weight moved from step N to step n saves N - n steps.",
        message="Your price is right, but your gradient is that of the expected number of steps, N - n "
        "at step n. N is a constant, and R falls by as much at each step before N.",
        changes=gradient(FROM_N),
    ),
    Mistake(
        name="forced-words-without-a-gradient",
        misconception="A word that is forced to halt has no say in when it halts.",
        message="Words that are forced to halt at the last step have no gradient in your answer. Their "
        "remainder depends on their probabilities as that of any other word.",
        changes=gradient(f"-share[..., None] * (before & {HALTED}[..., None])"),
        variants=(gradient(f"-share[..., None] * {HALTED}[..., None] * before"),),
    ),
    Mistake(
        name="forced-words-cost-nothing-to-learn-from",
        misconception="A word that is forced to halt pays its steps alone.",
        message="Words that are forced to halt pay no remainder in your answer, and have no gradient. "
        "They pay N + R as any other.",
        changes=(
            (COST, f"(share * (steps + remainder * {HALTED})).sum()"),
            (RETURN, f"return price, -share[..., None] * {HALTED}[..., None] * before"),
        ),
    ),
    Mistake(
        name="central-differences",
        misconception="A gradient can always be had from differences to both sides.",
        message="Your gradient is a difference of prices, and where a sum just reaches the bound it "
        "runs over the jump of N. Hold N fixed, and write the derivative of R down.",
        code=differences("1e-6", "(price_at(up) - price_at(down)) / (2 * h)"),
        variants=tuple(
            differences(h, "(price_at(up) - price_at(down)) / (2 * h)")
            for h in ("1e-2", "1e-3", "1e-4", "1e-5", "1e-7", "1e-8")
        ),
    ),
    Mistake(
        name="differences-to-one-side",
        misconception="A gradient can always be had from a small difference.",
        message="Your gradient is a difference of prices to one side, and where a sum is next to the "
        "bound it runs over the jump of N. Hold N fixed, and write the derivative of R down.",
        code=differences("1e-6", "(price_at(probabilities) - price_at(down)) / h"),
        variants=(
            *(
                differences(h, "(price_at(probabilities) - price_at(down)) / h")
                for h in ("1e-2", "1e-3", "1e-4", "1e-5", "1e-7")
            ),
            *(
                differences(h, "(price_at(up) - price_at(probabilities)) / h")
                for h in ("1e-2", "1e-3", "1e-4")
            ),
        ),
    ),
    Mistake(
        name="price-of-padding",
        misconception="All positions of the rectangle are words.",
        message="Padding is paid for in your answer. It must make no difference.",
        changes=((IS_WORD, f"({IS_WORD}) | True"),),
        variants=(
            (
                (IS_WORD, f"({IS_WORD}) | True"),
                (SHARE, "penalty * is_word / longest / comments"),
            ),
        ),
    ),
    Mistake(
        name="padding-costs-in-the-price-alone",
        misconception="Without a gradient, padding does no harm.",
        message="The price contains the cost of padding, of which your gradient is free.",
        changes=price("((steps + remainder).sum(axis=1) / np.maximum(words, 1)).mean() * penalty"),
        variants=(price("(steps + remainder).mean() * penalty"),),
    ),
    Mistake(
        name="one-word-too-few",
        misconception="Words are counted from 1.",
        message="You leave out the last word of each comment: a comment of k words has those with the "
        "numbers 0 to k - 1.",
        changes=((IS_WORD, "np.arange(longest) < words[:, None] - 1"),),
        variants=(((IS_WORD, "np.arange(1, longest + 1) < words[:, None]"),),),
    ),
    Mistake(
        name="one-word-too-many",
        misconception="A comment of k words has the words 0 to k.",
        message="You take one position of padding for a word of each comment: a comment of k words has "
        "those with the numbers 0 to k - 1.",
        changes=((IS_WORD, "np.arange(longest) <= words[:, None]"),),
    ),
    Mistake(
        name="padding-in-front",
        misconception="Comments are padded in front.",
        message="You take the first positions for padding. Comments are padded at the end.",
        changes=((IS_WORD, "np.arange(longest) >= longest - words[:, None]"),),
    ),
    Mistake(
        name="mean-over-all-words",
        misconception="A mean of means is the mean of all.",
        message="You take the mean over all words of the batch, in which long comments weigh more. "
        "Each comment pays the mean over its own words, and the batch the mean over comments.",
        changes=share("penalty * is_word / max(words.sum(), 1)"),
    ),
    Mistake(
        name="divided-by-the-longest",
        misconception="Every comment has as many words as the longest.",
        message="You divide by the length of the rectangle. A comment pays the mean over its own words.",
        changes=share("penalty * is_word / longest / comments"),
    ),
    Mistake(
        name="sum-over-words",
        misconception="Each word adds to the price.",
        message="A comment pays the sum over its words in your answer. It pays their mean.",
        changes=share("penalty * is_word / comments"),
    ),
    Mistake(
        name="sum-over-comments",
        misconception="Each comment adds to the price.",
        message="The batch pays the sum over its comments in your answer. It pays their mean.",
        changes=share("penalty * is_word / np.maximum(words, 1)[:, None]"),
    ),
    Mistake(
        name="sum-over-all",
        misconception="Everything adds to the price.",
        message="You sum over words and over comments. A comment pays the mean over its words, and the "
        "batch the mean over its comments.",
        changes=share("penalty * is_word"),
    ),
    Mistake(
        name="comments-without-words-left-out",
        misconception="A comment without words is no comment.",
        message="You leave comments without words out of the mean. They cost 0, and count.",
        changes=share(
            "penalty * is_word / np.maximum(words, 1)[:, None] / max((words > 0).sum(), 1)"
        ),
    ),
    Mistake(
        name="nothing-divided-by-nothing",
        misconception="There are words in every comment.",
        message="A comment without words makes your result NaN: you divide 0 by 0. It costs 0.",
        changes=share("penalty * is_word / words[:, None] / comments"),
    ),
    Mistake(
        name="penalty-forgotten",
        misconception="The price is the ponder cost.",
        message="You forgot the time penalty, in the price and in the gradient.",
        changes=share("is_word / np.maximum(words, 1)[:, None] / comments"),
    ),
    Mistake(
        name="price-without-the-penalty",
        misconception="The penalty is only for the gradient.",
        message="You forgot the time penalty in the price; your gradient has it.",
        changes=price(
            "(is_word / np.maximum(words, 1)[:, None] / comments * (steps + remainder)).sum()"
        ),
    ),
    Mistake(
        name="price-of-each-comment",
        misconception="Each comment has a price of its own.",
        message="You return a price for each comment. Asked is one number, the mean over the batch "
        "times the penalty.",
        changes=price("(share * (steps + remainder)).sum(axis=1)"),
        variants=(
            price("(share * (steps + remainder)).sum(axis=1) * comments"),
            price("share * (steps + remainder)"),
        ),
    ),
    # ------------------------------------------------------------------------------ when it halts
    Mistake(
        name="strictly-above",
        misconception="To reach a bound is to exceed it.",
        message="A word whose sum is just 1 - epsilon goes on in your answer. It has reached the bound.",
        changes=reached(f"{SUMS} > 1 - epsilon"),
    ),
    Mistake(
        name="epsilon-ignored",
        misconception="A word halts when its probabilities sum to 1.",
        message="Your words halt only when their sum reaches 1. They halt at 1 - epsilon.",
        changes=reached(f"{SUMS} >= 1"),
    ),
    Mistake(
        name="epsilon-hard-coded",
        misconception="Epsilon is 0.01.",
        message="You halt at 0.99 whatever `epsilon` is. Use the parameter.",
        changes=reached(f"{SUMS} >= 0.99"),
    ),
    Mistake(
        name="single-probability-decides",
        misconception="A word halts when its unit is sure.",
        message="You compare single probabilities with 1 - epsilon. It is their sum that reaches it.",
        changes=reached("probabilities >= 1 - epsilon"),
    ),
    Mistake(
        name="never-forced",
        misconception="Every word's sum reaches the bound some time.",
        message="A word whose sum never reaches the bound has one step in your answer. It takes all.",
        changes=((FORCED, ""),),
    ),
    Mistake(
        name="forced-one-step-late",
        misconception="The forced step is one more than all others.",
        message="A word whose sum never reaches the bound has one step too many in your answer. It "
        "halts at the last one there is.",
        changes=(
            (FORCED, ""),
            (STEPS, "np.where(reached.any(axis=2), reached.argmax(axis=2), most) + 1"),
        ),
        variants=(((FORCED, ""), (STEPS, "(~reached).sum(axis=2) + 1")),),
    ),
    Mistake(
        name="halts-after-reaching",
        misconception="A word goes on until its sum has been reached before.",
        message="Your words halt one step too late: the step at which the sum reaches the bound is the "
        "last one.",
        changes=((STEPS, "np.minimum(reached.argmax(axis=2) + 2, most)"),),
    ),
    # -------------------------------------------------------------------------- what is returned
    Mistake(
        name="results-swapped",
        misconception="The order of the results does not matter.",
        message="Price and gradient are swapped: return (price, gradient).",
        changes=((RETURN, f"return {GRADIENT}, price"),),
    ),
    Mistake(
        name="price-alone",
        misconception="A gradient is for the library to compute.",
        message="You return the price alone. Return (price, gradient).",
        changes=((RETURN, "return price"),),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="word by word",
        code="""
def price_of_pondering(probabilities, words, penalty, epsilon=0.01):
    costs = []
    gradient = np.zeros(probabilities.shape)
    for c, count in enumerate(words):
        cost = 0.0
        for w in range(count):
            left = 1.0
            for n, p in enumerate(probabilities[c, w]):
                if left - p <= epsilon or n == probabilities.shape[2] - 1:
                    break
                gradient[c, w, n] = -penalty / (count * len(words))
                left -= p
            cost += (n + 1 + left) / count
        costs.append(cost)
    return penalty * np.mean(costs), gradient
""",
    ),
    Alternative(
        name="by automatic differentiation",
        code="""
def price_of_pondering(probabilities, words, penalty, epsilon=0.01):
    import torch

    p = torch.tensor(probabilities, requires_grad=True)
    going_on = p.detach().cumsum(dim=2) < 1 - epsilon
    going_on[..., -1] = False
    cost = going_on.sum(dim=2) + 1 + 1 - (p * going_on).sum(dim=2)
    total = p.sum() * 0
    for row, count in zip(cost, words.tolist()):
        if count:
            total = total + row[:count].mean() * penalty / len(words)
    total.backward()
    return total.item(), p.grad.numpy()
""",
    ),
]
