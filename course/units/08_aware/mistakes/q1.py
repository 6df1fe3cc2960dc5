"""Question 1, a rounding with a gradient: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

CODE = "code = torch.round(x / scale) + zero_point"
SAVE = "ctx.save_for_backward((code >= low) & (code <= high))"
VALUE = "return scale * (code.clamp(low, high) - zero_point)"
BACK = "return gradient * inside, None, None, None, None"


def code(text: str) -> tuple:
    return ((CODE, text),)


def save(text: str) -> tuple:
    return ((SAVE, text),)


def value(text: str) -> tuple:
    return ((VALUE, text),)


def back(text: str) -> tuple:
    return ((BACK, text),)


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.quantization.aware.fake_quantize",
        changes=(
            *value(
                "from utils.quantization.aware import fake_quantize\n"
                "        return fake_quantize(x, scale, zero_point, low, high)"
            ),
        ),
    ),
    # -------------------------------------------------------------------------------- the gradient
    Mistake(
        name="gradient-of-a-step",
        misconception="The derivative of rounding is 0.",
        message="Your gradient is 0 everywhere. That is the derivative of a step; straight-through takes 1.",
        changes=back("return torch.zeros_like(gradient), None, None, None, None"),
    ),
    Mistake(
        name="handed-through-everywhere",
        misconception="Straight-through means everywhere.",
        message="You hand the gradient through where the code was clipped, too. It is 0 there.",
        changes=back("return gradient, None, None, None, None"),
    ),
    Mistake(
        name="ends-get-none",
        misconception="A code at an end was clipped.",
        message="You take an end of the range for clipped. A code that lies at `low` or `high` before "
        "clipping has a gradient.",
        changes=save("ctx.save_for_backward((code > low) & (code < high))"),
    ),
    Mistake(
        name="range-of-values",
        misconception="What lies beyond the last value was clipped.",
        message="You compare before you round. A number a little beyond the last value rounds to its "
        "code, and is not clipped.",
        changes=save(
            "exact = x / scale + zero_point\n"
            "        ctx.save_for_backward((exact >= low) & (exact <= high))"
        ),
        variants=(
            save(
                "least, most = scale * (low - zero_point), scale * (high - zero_point)\n"
                "        ctx.save_for_backward((x >= least) & (x <= most))"
            ),
        ),
    ),
    Mistake(
        name="gradient-outside",
        misconception="What lies outside has to be pushed back.",
        message="Your gradient is handed through where the code was clipped, and is 0 elsewhere. It is "
        "the other way round.",
        changes=save("ctx.save_for_backward((code < low) | (code > high))"),
    ),
    Mistake(
        name="range-without-zero-point",
        misconception="The zero point is a matter of the values.",
        message="You compare codes to the ends before the zero point is added.",
        changes=save(
            "ctx.save_for_backward((code - zero_point >= low) & (code - zero_point <= high))"
        ),
    ),
    Mistake(
        name="one-end-only",
        misconception="Only what is too large is cut.",
        message="Your gradient is 0 beyond one end only.",
        changes=save("ctx.save_for_backward(code <= high)"),
        variants=(save("ctx.save_for_backward(code >= low)"),),
    ),
    Mistake(
        name="gradient-times-scale",
        misconception="The scale is a factor of the value, so it is one of the gradient.",
        message="You multiply the gradient by the scale, or divide it. Scale and division by it cancel.",
        changes=(
            (SAVE, SAVE + "\n        ctx.scale = scale"),
            *back("return gradient * inside * ctx.scale, None, None, None, None"),
        ),
        variants=(
            (
                (SAVE, SAVE + "\n        ctx.scale = scale"),
                *back("return gradient * inside / ctx.scale, None, None, None, None"),
            ),
        ),
    ),
    Mistake(
        name="nothing-from-above",
        misconception="A gradient is the derivative of the function alone.",
        message="You leave out the gradient that comes from above.",
        changes=back("return inside.to(gradient), None, None, None, None"),
    ),
    Mistake(
        name="gradient-of-the-value",
        misconception="The gradient is what the value lost.",
        message="You multiply the gradient by x or by its value.",
        changes=((SAVE, "ctx.save_for_backward(((code >= low) & (code <= high)) * x)"),),
        variants=(
            (
                (
                    SAVE,
                    "ctx.save_for_backward(((code >= low) & (code <= high)) * scale * (code - zero_point))",
                ),
            ),
        ),
    ),
    # -------------------------------------------------------------------------------- the values
    Mistake(
        name="codes-returned",
        misconception="Fake quantization gives codes.",
        message="You return codes. What is asked for are the values that they stand for.",
        changes=value("return code.clamp(low, high)"),
    ),
    Mistake(
        name="not-clipped",
        misconception="The range is a matter of the file.",
        message="You do not clip codes.",
        changes=value("return scale * (code - zero_point)"),
    ),
    Mistake(
        name="zero-point-not-taken-off",
        misconception="The zero point belongs to the value.",
        message="You do not take the zero point off again.",
        changes=value("return scale * code.clamp(low, high)"),
    ),
    Mistake(
        name="zero-point-subtracted-first",
        misconception="The sign of the zero point does not matter.",
        message="You subtract the zero point where it is added, and add it where it is subtracted.",
        changes=(
            *code("code = torch.round(x / scale) - zero_point"),
            *value("return scale * (code.clamp(low, high) + zero_point)"),
        ),
    ),
    Mistake(
        name="clipped-before-the-zero-point",
        misconception="The zero point is added at the end.",
        message="You clip before the zero point is added.",
        changes=(
            *code("code = torch.round(x / scale)"),
            *value("return scale * code.clamp(low, high)"),
        ),
    ),
    Mistake(
        name="rounded-after-the-zero-point",
        misconception="It does not matter when the zero point is added.",
        message="You round after the zero point was added. Of two codes that are equally near, the even "
        "one is another then.",
        changes=code("code = torch.round(x / scale + zero_point)"),
    ),
    Mistake(
        name="rounded-down",
        misconception="An integer is what is left without the decimals.",
        message="You cut decimals off instead of rounding.",
        changes=code("code = torch.floor(x / scale) + zero_point"),
        variants=(code("code = torch.trunc(x / scale) + zero_point"),),
    ),
    Mistake(
        name="halves-up",
        misconception="One half is rounded up.",
        message="You round halves up, or away from 0. Of two that are equally near it is the even one.",
        changes=code("code = torch.floor(x / scale + 0.5) + zero_point"),
        variants=(
            code("code = torch.sign(x) * torch.floor((x / scale).abs() + 0.5) + zero_point"),
        ),
    ),
    Mistake(
        name="multiplied-by-the-scale",
        misconception="A scale is a factor from numbers to codes.",
        message="You multiply by the scale to find a code. The code is x divided by it.",
        changes=code("code = torch.round(x * scale) + zero_point"),
    ),
    Mistake(
        name="scale-forgotten",
        misconception="A grid has the step 1.",
        message="You do not multiply by the scale at the end.",
        changes=value("return code.clamp(low, high) - zero_point"),
    ),
    Mistake(
        name="changes-its-input",
        misconception="The value takes the place of x.",
        message="Your answer changes x. Work on a copy.",
        changes=value(
            "x.data.copy_(scale * (code.clamp(low, high) - zero_point))\n        return x.clone()"
        ),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="with a product of two masks, in NumPy",
        code="""
import numpy as np

class FakeQuantize(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale, zero_point, low, high):
        numbers = x.detach().numpy()
        before = np.rint(numbers / scale) + zero_point
        after = np.clip(before, low, high)
        ctx.kept = torch.from_numpy((before == after).astype(float))
        return torch.from_numpy((after - zero_point) * scale)

    @staticmethod
    def backward(ctx, gradient):
        return ctx.kept.reshape(gradient.shape) * gradient, None, None, None, None
""",
    ),
    Alternative(
        name="keeps x and computes again",
        code="""
class FakeQuantize(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale, zero_point, low, high):
        ctx.save_for_backward(x)
        ctx.numbers = scale, zero_point, low, high
        q = torch.minimum(torch.maximum((x / scale).round() + zero_point, torch.tensor(float(low))),
                          torch.tensor(float(high)))
        return q.sub(zero_point).mul(scale)

    @staticmethod
    def backward(ctx, gradient):
        (x,), (scale, zero_point, low, high) = ctx.saved_tensors, ctx.numbers
        q = (x / scale).round() + zero_point
        out = gradient.clone()
        out[q < low] = 0
        out[q > high] = 0
        return out, None, None, None, None
""",
    ),
]
