"""Question 2, the gradient of a step: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

U = "u = weights / steps[:, None]"
INSIDE = "inside = (u > low) & (u < high)"
PART = "np.where(inside, np.round(u) - u, np.clip(u, low, high))"
PARTS = f"parts = gradient * {PART}"
SUMS = "sums = parts.sum(axis=1) if len(steps) == len(weights) else parts.sum(keepdims=True)[0]"
SHARED = "shared = weights.size / len(steps)"
RETURN = "return gradient * inside, sums / np.sqrt(shared * high)"


def part(text: str) -> tuple:
    return ((PART, text),)


def scaled(text: str) -> tuple:
    return ((RETURN, f"return gradient * inside, {text}"),)


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.quantization.aware.learned_step",
        changes=(
            (
                RETURN,
                "import torch; from utils.quantization.aware import learned_step\n"
                "    learned_step(torch.from_numpy(weights), torch.ones(1), low, high, 1)\n    "
                + RETURN,
            ),
        ),
    ),
    # -------------------------------------------------------------------------------- the scale
    Mistake(
        name="not-scaled",
        misconception="A gradient is a gradient.",
        message="You leave the factor 1/√(N · high) out.",
        changes=scaled("sums"),
    ),
    Mistake(
        name="all-weights-of-the-layer",
        misconception="N is the number of weights of the layer.",
        message="With a step for each row you count all weights. N is the number of those that share a step.",
        changes=((SHARED, "shared = weights.size"),),
    ),
    Mistake(
        name="weights-of-a-row",
        misconception="N is the number of inputs.",
        message="With one step for all you count the weights of a row. N is the number of all that share it.",
        changes=((SHARED, "shared = weights.shape[1]"),),
    ),
    Mistake(
        name="outputs-counted",
        misconception="N is the number of steps or outputs.",
        message="You count rows, or steps. N is the number of weights that share a step.",
        changes=((SHARED, "shared = len(steps)"),),
        variants=(((SHARED, "shared = len(weights)"),),),
    ),
    Mistake(
        name="without-the-number-of-weights",
        misconception="The factor is about bits.",
        message="Your factor lacks N.",
        changes=scaled("sums / np.sqrt(high)"),
    ),
    Mistake(
        name="without-the-highest-code",
        misconception="The factor is about the number of weights.",
        message="Your factor lacks the highest code.",
        changes=scaled("sums / np.sqrt(shared)"),
    ),
    Mistake(
        name="levels-for-the-highest-code",
        misconception="Q is the number of codes.",
        message="You take the number of codes, or of steps between them, for the highest code.",
        changes=scaled("sums / np.sqrt(shared * (high - low + 1))"),
        variants=(scaled("sums / np.sqrt(shared * (high - low))"),),
    ),
    Mistake(
        name="lowest-code-for-the-highest",
        misconception="Both ends are alike.",
        message="You take the lowest code, without its sign, for the highest.",
        changes=scaled("sums / np.sqrt(shared * max(-low, 1))"),
    ),
    Mistake(
        name="no-root",
        misconception="A sum of N is divided by N.",
        message="You divide by N · high. It is its root.",
        changes=scaled("sums / (shared * high)"),
    ),
    Mistake(
        name="root-of-one",
        misconception="The root is of N.",
        message="Your root covers one of the two factors only.",
        changes=scaled("sums / (np.sqrt(shared) * high)"),
        variants=(scaled("sums / (shared * np.sqrt(high))"),),
    ),
    Mistake(
        name="multiplied-by-the-root",
        misconception="A larger group needs a larger step.",
        message="You multiply by the root instead of dividing by it.",
        changes=scaled("sums * np.sqrt(shared * high)"),
    ),
    Mistake(
        name="weights-scaled-too",
        misconception="The factor belongs to the layer.",
        message="You scale the gradient of the weights as well. It stays as it is.",
        changes=(
            (RETURN, "g = 1 / np.sqrt(shared * high)\n    return g * gradient * inside, g * sums"),
        ),
    ),
    # -------------------------------------------------------------------------------- the parts
    Mistake(
        name="mean-instead-of-sum",
        misconception="A shared number gets the mean.",
        message="You take the mean over the weights that share a step. It is the sum.",
        changes=scaled("sums / shared / np.sqrt(shared * high)"),
        variants=(scaled("sums / shared"),),
    ),
    Mistake(
        name="nothing-inside",
        misconception="Rounding is straight through, so only clipped weights say something about the step.",
        message="Weights within the range add nothing in your answer. They add round(u) − u.",
        changes=part("np.where(inside, 0, np.clip(u, low, high))"),
    ),
    Mistake(
        name="sign-of-the-rounding",
        misconception="The error is u - round(u).",
        message="Within the range your sign is the other one: it is round(u) − u.",
        changes=part("np.where(inside, u - np.round(u), np.clip(u, low, high))"),
    ),
    Mistake(
        name="code-inside",
        misconception="The value is step times code, so its derivative is the code.",
        message="Within the range you take the code. But u depends on the step as well: round(u) − u is "
        "left.",
        changes=part("np.clip(np.round(u), low, high)"),
    ),
    Mistake(
        name="ratio-inside",
        misconception="The derivative is u within the range.",
        message="Within the range you take u, or −u. It is round(u) − u.",
        changes=part("np.where(inside, u, np.clip(u, low, high))"),
        variants=(part("np.where(inside, -u, np.clip(u, low, high))"),),
    ),
    Mistake(
        name="nothing-outside",
        misconception="What is clipped has no gradient.",
        message="Clipped weights add nothing in your answer. For the step they add the code they are "
        "clipped to.",
        changes=part("np.where(inside, np.round(u) - u, 0)"),
    ),
    Mistake(
        name="high-on-both-sides",
        misconception="Outside it is the highest code.",
        message="Below the range you add the highest code. It is the lowest one.",
        changes=part("np.where(inside, np.round(u) - u, high)"),
    ),
    Mistake(
        name="one-outside",
        misconception="As in PACT, a clipped number adds 1 or -1.",
        message="Outside the range you add 1 or −1. That is the gradient of a range; a step is as many times "
        "smaller as the code is large.",
        changes=part("np.where(inside, np.round(u) - u, np.sign(u))"),
    ),
    Mistake(
        name="distance-outside",
        misconception="Outside it is the error, too.",
        message="Outside the range you add the distance to the end as well. There the value is code times "
        "step, and u has no part in it.",
        changes=part("np.clip(np.round(u), low, high) - u"),
    ),
    Mistake(
        name="times-the-step",
        misconception="The error is in units of the weights.",
        message="Your parts are in units of weights, or divided by the step once more.",
        changes=((PARTS, f"parts = gradient * steps[:, None] * {PART}"),),
        variants=(((PARTS, f"parts = gradient / steps[:, None] * {PART}"),),),
    ),
    Mistake(
        name="nothing-from-above-for-steps",
        misconception="The step's gradient is that of the values.",
        message="You leave the gradient that comes from above out of the step's.",
        changes=((PARTS, f"parts = {PART}"),),
    ),
    Mistake(
        name="nothing-from-above-for-weights",
        misconception="The straight-through gradient is 1.",
        message="You leave the gradient that comes from above out of the weights'.",
        changes=((RETURN, "return inside.astype(float), sums / np.sqrt(shared * high)"),),
    ),
    Mistake(
        name="weights-everywhere",
        misconception="Straight-through means everywhere.",
        message="Weights outside the range get a gradient in your answer. It is 0.",
        changes=((RETURN, "return gradient, sums / np.sqrt(shared * high)"),),
    ),
    Mistake(
        name="inside-after-rounding",
        misconception="What rounds to an end lies within.",
        message="You ask whether the rounded u lies in the range. It is u itself.",
        changes=((INSIDE, "inside = (np.round(u) >= low) & (np.round(u) <= high)"),),
    ),
    Mistake(
        name="symmetric-range",
        misconception="A range is symmetric.",
        message="Your range is symmetric. The lowest code need not be minus the highest.",
        changes=(
            (INSIDE, "inside = abs(u) < high"),
            *part("np.where(abs(u) < high, np.round(u) - u, np.clip(u, -high, high))"),
        ),
    ),
    Mistake(
        name="steps-along-the-inputs",
        misconception="A step for each column.",
        message="You sum over rows of the wrong axis, or one sum for all. Each row has its own.",
        changes=((SUMS, "sums = np.full(len(steps), parts.sum())"),),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="with loops",
        code="""
def step_gradients(weights, steps, low, high, gradient):
    by_weights, by_steps = np.zeros(weights.shape), [0.0] * len(steps)
    number = weights.size // len(steps)
    for i, row in enumerate(weights):
        j = i if len(steps) > 1 else 0
        for k, w in enumerate(row):
            u = w / steps[j]
            if u <= low:
                by_steps[j] += low * gradient[i, k]
            elif u >= high:
                by_steps[j] += high * gradient[i, k]
            else:
                by_weights[i, k] = gradient[i, k]
                by_steps[j] += (round(u) - u) * gradient[i, k]
    return by_weights, np.array(by_steps) / (number * high) ** 0.5
""",
    ),
    Alternative(
        name="by autograd",
        code="""
def step_gradients(weights, steps, low, high, gradient):
    w = torch.tensor(weights, requires_grad=True)
    s = torch.tensor(steps, requires_grad=True)
    u = (w / s[:, None]).clamp(low, high)
    v = (u + (u.round() - u).detach()) * s[:, None]
    v.backward(torch.tensor(gradient))
    return w.grad.numpy(), s.grad.numpy() / np.sqrt(weights.size // len(steps) * high)
""",
    ),
]
