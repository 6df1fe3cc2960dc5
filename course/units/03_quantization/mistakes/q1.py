"""Question 1, quantize and dequantize: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

STEP = "(high - low) / last"
REACH = "max(abs(low), abs(high)) / last"
ZERO = "round(-low / scale)"
MARKS = "np.rint(values / scale)"
WHOLE = "np.rint(values / scale).astype(int)"
SUM = "np.rint(values / scale) + zero_point"
CODES = "np.clip(np.rint(values / scale) + zero_point, first, last)"
WIDEN = "low, high = min(low, 0.0), max(high, 0.0)"
INTEGERS = "codes.astype(int), scale"
DECODED = "scale * (codes.astype(int) - zero_point)"
START = "    if symmetric:\n        last"

MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which class to use is the same as knowing what it does.",
        message="your answer calls utils.quantization.AffineQuantizer.fit",
        code="""
from utils.quantization import AffineQuantizer


def quantize(values, low, high, bits, symmetric):
    ruler = AffineQuantizer(bits=bits, symmetric=bool(symmetric)).fit(np.array([[low, high]]))
    codes = [ruler.transform(np.array([[value, value]]))[0, 0] for value in values.ravel()]
    zero, one = ruler.inverse_transform(np.array([[0, 1]]))[0]
    scale = one - zero
    return np.array(codes).reshape(values.shape), scale, round(-zero / scale)


def dequantize(codes, scale, zero_point):
    return scale * (codes.astype(int) - zero_point)
""",
    ),
    # ------------------------------------------------------------------------- the scale
    Mistake(
        name="as-many-steps-as-marks",
        misconception="2**bits marks have 2**bits steps between them.",
        message="Your asymmetric scale divides the range by the number of marks. Between 8 marks "
        "there are 7 steps.",
        changes=((STEP, "(high - low) / 2 ** bits"),),
    ),
    Mistake(
        name="two-steps-too-few",
        misconception="An asymmetric ruler has 2**bits - 2 steps, as the symmetric one has.",
        message="Your asymmetric scale divides the range by 2 less than the number of marks. That is "
        "the number of steps of the symmetric ruler, which leaves a code unused; this one uses all.",
        changes=((STEP, "(high - low) / (2 ** bits - 2)"),),
    ),
    Mistake(
        name="asymmetric-steps-of-a-signed-grid",
        misconception="The number of steps is 2**(bits - 1) - 1 on any ruler.",
        message="Your asymmetric scale divides the range by 2**(bits - 1) - 1. Those are the steps "
        "from 0 to one end of the symmetric ruler; the asymmetric range has all 2**bits marks.",
        changes=((STEP, "(high - low) / (2 ** (bits - 1) - 1)"),),
    ),
    Mistake(
        name="range-of-these-values",
        misconception="The range is that of the values at hand, not the calibrated one.",
        message="Your range is that of the values. Use `low` and `high`, which you were given.",
        changes=((START, "    low, high = values.min(), values.max()\n" + START),),
    ),
    Mistake(
        name="symmetric-scale-from-max-minus-min",
        misconception="The length of the range is all that matters, also on a symmetric ruler.",
        message="Your symmetric scale comes from high - low. Such a ruler, which is centred on 0, "
        "does not reach the farther end of the range: take the larger of |low| and |high|.",
        changes=((REACH, "(high - low) / (2 * last)"),),
        variants=(
            ((REACH, "(high - low) / last"),),
            ((REACH, "(high - low) / (2 ** bits - 1)"),),
            ((REACH, "(max(high, 0) - min(low, 0)) / (2 * last)"),),
            ((REACH, "(max(high, 0) - min(low, 0)) / last"),),
            ((REACH, "(max(high, 0) - min(low, 0)) / (2 ** bits - 1)"),),
            ((REACH, "(high - low) / 2 ** bits"),),
        ),
    ),
    Mistake(
        name="symmetric-scale-without-abs",
        misconception="The largest value is the one farthest from 0.",
        message="Your symmetric scale looks at `high` alone, which is also what max(low, high) gives. "
        "The lower end may be the farther one: compare absolute values.",
        changes=((REACH, "max(low, high) / last"),),
        variants=(((REACH, "abs(max(low, high)) / last"),), ((REACH, "max(high, 0.0) / last"),)),
    ),
    Mistake(
        name="symmetric-scale-of-one-side",
        misconception="The lower end is always the farther one.",
        message="Your symmetric scale looks at `low` alone. The upper end may be the farther one.",
        changes=((REACH, "abs(low) / last"),),
        variants=(((REACH, "-low / last"),),),
    ),
    Mistake(
        name="symmetric-scale-of-the-nearer-end",
        misconception="The ruler must stay inside the range at both ends.",
        message="Your symmetric ruler reaches to the nearer end of the range only. It has to cover "
        "all of it: take the farther end.",
        changes=((REACH, "min(abs(low), abs(high)) / last"),),
    ),
    Mistake(
        name="symmetric-with-the-odd-code",
        misconception="A symmetric grid uses the lowest code of two's complement, too.",
        message="Your symmetric codes go down to -m - 1, which has no counterpart above 0. The "
        "lowest is -m.",
        changes=(("first, scale = -last", "first, scale = -last - 1"),),
    ),
    Mistake(
        name="symmetric-one-step-too-many",
        misconception="The largest symmetric code is 2**(bits - 1).",
        message="Your symmetric m is 2**(bits - 1), one too large: with 3 bits there are the codes "
        "-3 to 3.",
        changes=(("last = 2 ** (bits - 1) - 1", "last = 2 ** (bits - 1)"),),
        variants=(
            ((REACH, "max(abs(low), abs(high)) / (last + 1)"),),
            (
                ("last = 2 ** (bits - 1) - 1", "last = 2 ** (bits - 1)"),
                (CODES, "np.clip(np.rint(values / scale) + zero_point, first, last - symmetric)"),
            ),
            (
                (REACH, "max(abs(low), abs(high)) / (last + 1)"),
                ("first, scale = -last", "first, scale = -last - 1"),
            ),
        ),
    ),
    Mistake(
        name="symmetric-half-a-step",
        misconception="Half of 2**bits - 1 steps lie on either side of 0.",
        message="Your symmetric scale counts 2**bits - 1 steps from end to end. There are 2 m of "
        "them, and with 3 bits m is 3.",
        changes=((REACH, "max(abs(low), abs(high)) / ((2 ** bits - 1) / 2)"),),
    ),
    Mistake(
        name="sign-for-free",
        misconception="The sign takes no bit.",
        message="Your symmetric m is 2**bits - 1, as if the sign took no bit. With 3 bits m is 3.",
        changes=(("last = 2 ** (bits - 1) - 1", "last = 2 ** bits - 1"),),
        variants=(((REACH, "max(abs(low), abs(high)) / (2 ** bits - 1)"),),),
    ),
    Mistake(
        name="symmetric-ignored",
        misconception="One ruler does for both.",
        message="Your ruler is asymmetric even where `symmetric` is True.",
        changes=((START, "    symmetric = False\n" + START),),
    ),
    Mistake(
        name="always-symmetric",
        misconception="A ruler is symmetric.",
        message="Your ruler is symmetric even where `symmetric` is False.",
        changes=((START, "    symmetric = True\n" + START),),
    ),
    Mistake(
        name="symmetric-upside-down",
        misconception="`symmetric` names the other case.",
        message="The two rulers are swapped: yours is asymmetric where `symmetric` is True.",
        changes=((START, "    symmetric = not symmetric\n" + START),),
    ),
    Mistake(
        name="bits-ignored",
        misconception="Codes have 8 bits.",
        message="Your ruler has the marks of 8 bits, whatever `bits` says.",
        changes=((START, "    bits = 8\n" + START),),
    ),
    Mistake(
        name="scale-inverted",
        misconception="The scale is the number of steps in a unit.",
        message="Your scale is the inverse: steps per unit. It is the distance between two marks.",
        changes=((INTEGERS, "codes.astype(int), 1 / scale"),),
    ),
    Mistake(
        name="scale-rounded",
        misconception="A scale with a few decimals is good enough.",
        message="Your scale is rounded. Keep it as it is.",
        changes=(("scale = scale or 1.0", "scale = round(scale, 2) or 1.0"),),
        variants=(
            (("scale = scale or 1.0", "scale = round(scale, 3) or 1.0"),),
            (("scale = scale or 1.0", "scale = round(scale, 4) or 1.0"),),
            (("scale = scale or 1.0", "scale = round(scale) or 1.0"),),
            ((INTEGERS, "codes.astype(int), round(scale, 2)"),),
            ((INTEGERS, "codes.astype(int), round(scale, 3)"),),
            ((INTEGERS, "codes.astype(int), round(scale, 4)"),),
        ),
    ),
    Mistake(
        name="scale-in-float16",
        misconception="A scale in half precision is the same scale.",
        message="Your scale was rounded to float16, which keeps three digits.",
        changes=(("scale = scale or 1.0", "scale = float(np.float16(scale or 1.0))"),),
    ),
    Mistake(
        name="range-without-0",
        misconception="A range that does not hold 0 needs no code for 0.",
        message="The range from 2 to 6 stays as it is in your asymmetric ruler, so that 0 has no "
        "code. Widen it to 0 first, on either side.",
        changes=((WIDEN, "pass"),),
    ),
    Mistake(
        name="widened-below-only",
        misconception="Only a range above 0 has to be widened.",
        message="You widen a range that lies above 0, and not one that lies below, such as from -6 "
        "to -2, where `high` must become 0.",
        changes=((WIDEN, "low = min(low, 0.0)"),),
    ),
    Mistake(
        name="widened-above-only",
        misconception="Only a range below 0 has to be widened.",
        message="You widen a range that lies below 0, and not one that lies above, such as from 2 "
        "to 6, where `low` must become 0.",
        changes=((WIDEN, "high = max(high, 0.0)"),),
    ),
    Mistake(
        name="always-from-0",
        misconception="An asymmetric ruler begins at 0.",
        message="Your asymmetric ruler begins at 0, or ends there, even where the range holds "
        "numbers on both sides.",
        changes=((WIDEN, "low, high = 0.0, max(high, 0.0)"),),
        variants=(
            ((WIDEN, "low, high = 0.0, high"),),
            ((WIDEN, "low, high = max(low, 0.0), max(high, 0.0)"),),
            ((WIDEN, "low, high = min(low, 0.0), min(high, 0.0)"),),
        ),
    ),
    Mistake(
        name="widened-to-a-mirror-image",
        misconception="Widening a range makes it symmetric.",
        message="You widen the range to its mirror image. Widen it just until 0 is in it.",
        changes=((WIDEN, "low, high = -max(abs(low), abs(high)), max(abs(low), abs(high))"),),
        variants=(
            (
                (
                    WIDEN,
                    "low, high = (low, high) if low <= 0 <= high else "
                    "(-max(abs(low), abs(high)), max(abs(low), abs(high)))",
                ),
            ),
        ),
    ),
    Mistake(
        name="symmetric-widened-wrongly",
        misconception="A symmetric range that does not hold 0 is measured by its length.",
        message="A symmetric range on one side of 0, such as from 2 to 6, reaches to 6: the length "
        "of the range, 4, does not matter.",
        changes=((REACH, "(max(-low, high) if low <= 0 <= high else (high - low)) / last"),),
    ),
    Mistake(
        name="divides-by-a-scale-of-0",
        misconception="There is always something to scale.",
        message="If `low` and `high` are both 0, the scale is 1.0. Yours is 0, or a division by it.",
        changes=(("    scale = scale or 1.0\n", ""),),
        variants=(
            (("    scale = scale or 1.0\n", "    scale = np.float64(scale)\n"),),
            (
                ("    scale = scale or 1.0\n", ""),
                (
                    "0 if symmetric else round(-low / scale)",
                    "0 if not scale else round(-low / scale)",
                ),
            ),
            (
                ("    scale = scale or 1.0\n", "    scale = np.float64(scale)\n"),
                (
                    "0 if symmetric else round(-low / scale)",
                    "0 if symmetric or not scale else round(-low / scale)",
                ),
            ),
            (("    scale = scale or 1.0\n", "    scale = max(scale, 1e-8)\n"),),
            (("    scale = scale or 1.0\n", "    scale = max(scale, 1e-12)\n"),),
        ),
    ),
    Mistake(
        name="scale-1-for-an-empty-range",
        misconception="A range without length has the scale 1.",
        message="You take the scale 1.0 wherever `low` equals `high`. A range from 1.5 to 1.5 still "
        "has to be widened to 0; only if both are 0 the scale is 1.0.",
        changes=(
            ("scale = scale or 1.0", "scale = scale if given else 1.0"),
            (START, "    given = low != high\n" + START),
        ),
        variants=(
            (
                (
                    START,
                    "    if low == high:\n"
                    "        first, last = (0, 2 ** bits - 1) if not symmetric else "
                    "(1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1)\n"
                    "        zero_point = 0 if symmetric else round(-low)\n"
                    "        codes = np.clip(np.rint(values) + zero_point, first, last)\n"
                    "        return codes.astype(int), 1.0, zero_point\n" + START,
                ),
            ),
            (
                ("scale = scale or 1.0", "scale = scale if given or symmetric and scale else 1.0"),
                (START, "    given = low != high\n" + START),
            ),
            (
                (
                    START,
                    "    if low == high:\n        low = high = 0.0\n" + START,
                ),
            ),
            (
                (
                    START,
                    "    if low == high:\n"
                    "        m = 2 ** (bits - 1) - 1\n"
                    "        ends = (-m, m) if symmetric else (0, 2 ** bits - 1)\n"
                    "        return np.clip(np.rint(values), *ends).astype(int), 1.0, 0\n" + START,
                ),
            ),
        ),
    ),
    Mistake(
        name="scale-1-for-values-of-0",
        misconception="It is the values that must not all be 0.",
        message="You take the scale 1.0 where all *values* are 0, or not where they are not. It is "
        "`low` and `high` that count.",
        changes=(("scale = scale or 1.0", "scale = scale if np.any(values) else 1.0"),),
        variants=(
            (("scale = scale or 1.0", "scale = (scale if np.any(values) else 1.0) or 1.0"),),
            (
                ("scale = scale or 1.0", "scale = np.float64(scale if np.any(values) else 1.0)"),
                ("0 if symmetric", "0 if symmetric or scale == 0"),
            ),
        ),
    ),
    Mistake(
        name="scale-at-least-1",
        misconception="A scale below 1 is as bad as one of 0.",
        message="Your scale is never below 1. Only a scale of 0 becomes 1.0.",
        changes=(("scale = scale or 1.0", "scale = max(scale, 1.0)"),),
    ),
    # -------------------------------------------------------------------- the zero point
    Mistake(
        name="zero-point-with-the-wrong-sign",
        misconception="The zero point is low / scale.",
        message="Your zero point has the wrong sign: it is the code of 0, so it counts the steps "
        "from `low` up to 0.",
        changes=((ZERO, "round(low / scale)"),),
        variants=(((ZERO, "round(low / scale)"), (SUM, "np.rint(values / scale) - zero_point")),),
    ),
    Mistake(
        name="zero-point-is-a-value",
        misconception="The zero point is the value at which the ruler begins.",
        message="Your zero point is the value `low`. It is a code, the number of steps from `low` "
        "to 0.",
        changes=((ZERO, "low"),),
        variants=(
            ((ZERO, "-low"),),
            ((ZERO, "round(-low)"),),
            ((ZERO, "round(low)"),),
            ((ZERO, "low"), (SUM, "np.rint((values - low) / scale)")),
            ((ZERO, "low"), (SUM, "np.rint((values - zero_point) / scale)")),
        ),
    ),
    Mistake(
        name="zero-point-always-0",
        misconception="Code 0 stands for 0.",
        message="Your zero point is 0 on the asymmetric ruler, too. There code 0 stands for `low`, "
        "and the code of 0 is the number of steps from `low` to 0.",
        changes=(("0 if symmetric else round(-low / scale)", "0"),),
        variants=(
            (
                ("0 if symmetric else round(-low / scale)", "0"),
                (SUM, "np.rint((values - low) / scale)"),
            ),
        ),
    ),
    Mistake(
        name="zero-point-in-the-middle",
        misconception="The code of 0 is the middle one.",
        message="Your zero point is always the middle code. It depends on where 0 lies in the range.",
        changes=((ZERO, "2 ** (bits - 1)"),),
        variants=(((ZERO, "2 ** (bits - 1) - 1"),), ((ZERO, "last // 2"),), ((ZERO, "last / 2"),)),
    ),
    Mistake(
        name="zero-point-of-the-center",
        misconception="The zero point belongs to the center of the range.",
        message="Your zero point is computed from the center of the range. It is the code of 0: "
        "-low / s, rounded.",
        changes=((ZERO, "round(-(low + high) / 2 / scale)"),),
        variants=(
            ((ZERO, "round((low + high) / 2 / scale)"),),
            ((ZERO, "round(2 ** (bits - 1) - (low + high) / 2 / scale)"),),
        ),
    ),
    Mistake(
        name="zero-point-from-high",
        misconception="Steps are counted down from the upper end.",
        message="Your zero point is computed from `high`. It is the number of steps from `low` to 0; "
        "rounded from the other end it can be another one.",
        changes=((ZERO, "round(high / scale)"),),
        variants=(((ZERO, "round(-high / scale)"),),),
    ),
    Mistake(
        name="zero-point-as-a-signed-code",
        misconception="Codes of 8 bits go from -128 to 127.",
        message="Your asymmetric codes are signed, and so is the zero point. They go from 0 to "
        "2**bits - 1.",
        changes=((ZERO, "round(-low / scale) - 2 ** (bits - 1)"),),
        variants=(
            (
                (ZERO, "round(-low / scale) - 2 ** (bits - 1)"),
                (
                    CODES,
                    "np.clip(np.rint(values / scale) + zero_point, first - (not symmetric) * 2 ** "
                    "(bits - 1), last - (not symmetric) * 2 ** (bits - 1))",
                ),
            ),
        ),
    ),
    Mistake(
        name="zero-point-not-rounded",
        misconception="The zero point may lie between two codes, if the formula says so.",
        message="Your zero point is not a whole number, so that no code decodes to 0. Round it.",
        changes=((ZERO, "-low / scale"),),
        variants=(
            (
                (ZERO, "-low / scale"),
                (CODES, "np.clip(np.rint(values / scale + zero_point), first, last)"),
            ),
        ),
    ),
    Mistake(
        name="zero-point-cut-off",
        misconception="int() makes a whole number, and any whole number will do.",
        message="Your zero point is rounded down: -low / s is 0.8 for one of the inputs, and the "
        "nearest whole number is 1.",
        changes=((ZERO, "int(-low / scale)"),),
        variants=(((ZERO, "int(np.floor(-low / scale))"),), ((ZERO, "-low // scale"),)),
    ),
    Mistake(
        name="zero-point-rounded-up",
        misconception="The ruler must begin at low or below.",
        message="Your zero point is rounded up: -low / s is 1.2 for one of the inputs, and the "
        "nearest whole number is 1.",
        changes=((ZERO, "int(np.ceil(-low / scale))"),),
        variants=(((ZERO, "-int(low // scale)"),), ((ZERO, "int(-low / scale) + 1"),)),
    ),
    Mistake(
        name="zero-point-off-by-one",
        misconception="Codes are counted from 1.",
        message="Your zero point is off by one: the first mark has the code 0.",
        changes=((ZERO, "round(-low / scale) + 1"),),
        variants=(((ZERO, "round(-low / scale) - 1"),), ((ZERO, "round(-low / scale - 1)"),)),
    ),
    Mistake(
        name="zero-point-of-the-symmetric-ruler",
        misconception="The zero point is -low / s, on any ruler.",
        message="Your symmetric ruler has a zero point other than 0. Its marks are counted from 0.",
        changes=(("0 if symmetric else round(-low / scale)", "round(-low / scale)"),),
        variants=(
            (("0 if symmetric else", "last if symmetric else"),),
            (("0 if symmetric else", "2 ** (bits - 1) if symmetric else"),),
            (
                ("0 if symmetric else", "last if symmetric else"),
                ("first, last)", "first + zero_point * symmetric, last + zero_point * symmetric)"),
            ),
        ),
    ),
    Mistake(
        name="zero-point-clipped-too-low",
        misconception="The zero point is below the last code.",
        message="Your zero point is never the last code. For a range below 0 it is: 0 is its upper end.",
        changes=((ZERO, "min(round(-low / scale), last - 1)"),),
    ),
    Mistake(
        name="results-in-another-order",
        misconception="The order of three results does not matter.",
        message="Return codes, scale and zero point in this order.",
        changes=(("scale, zero_point\n", "zero_point, scale\n"),),
        variants=(
            (
                (
                    "return codes.astype(int), scale, zero_point",
                    "return scale, zero_point, codes.astype(int)",
                ),
            ),
        ),
    ),
    # ------------------------------------------------------------------------- the codes
    Mistake(
        name="zero-point-not-added",
        misconception="The zero point is for decoding only.",
        message="The zero point is not added to your codes; without it all that is negative becomes "
        "code 0.",
        changes=((SUM, "np.rint(values / scale)"),),
    ),
    Mistake(
        name="zero-point-subtracted",
        misconception="Both ways the zero point is subtracted.",
        message="You subtract the zero point from the codes. On the way there it is added.",
        changes=((SUM, "np.rint(values / scale) - zero_point"),),
    ),
    Mistake(
        name="not-clipped",
        misconception="All values lie in the calibrated range.",
        message="Your codes are not clipped: values outside the range get codes that do not fit "
        "into the bits.",
        changes=((CODES, SUM),),
        variants=(
            ((CODES, f"np.maximum({SUM}, first)"),),
            ((CODES, f"np.minimum({SUM}, last)"),),
        ),
    ),
    Mistake(
        name="clipped-one-too-high",
        misconception="The last code is 2**bits.",
        message="Your clipping lets one code too many through: 3 bits end at 7, and on a symmetric "
        "ruler at 3.",
        changes=((CODES, f"np.clip({SUM}, first, last + 1)"),),
        variants=(
            ((CODES, f"np.clip({SUM}, first, last + (not symmetric))"),),
            ((CODES, f"np.clip({SUM}, first, last + symmetric)"),),
        ),
    ),
    Mistake(
        name="clipped-one-too-low",
        misconception="The last code is one below the number of steps.",
        message="The code at the upper end is never used: your clipping ends one too low.",
        changes=((CODES, f"np.clip({SUM}, first, last - 1)"),),
        variants=(((CODES, f"np.clip({SUM}, first, last - (not symmetric))"),),),
    ),
    Mistake(
        name="clipped-to-other-codes",
        misconception="Both rulers have the same codes.",
        message="You clip to the codes of the other ruler: the symmetric ones go from -m to m, the "
        "asymmetric ones from 0 to 2**bits - 1.",
        changes=((CODES, f"np.clip({SUM}, 0, 2 ** bits - 1)"),),
        variants=(
            ((CODES, f"np.clip({SUM}, -(2 ** (bits - 1) - 1), 2 ** (bits - 1) - 1)"),),
            ((CODES, f"np.clip({SUM}, -2 ** (bits - 1), 2 ** (bits - 1) - 1)"),),
            ((CODES, f"np.clip({SUM}, 0, last)"),),
        ),
    ),
    Mistake(
        name="clipped-to-8-bits",
        misconception="Codes are bytes, so they are clipped to bytes.",
        message="You clip to what a byte holds. Clip to what fits into `bits`.",
        changes=(
            (CODES, f"np.clip({SUM}, 0 if not symmetric else -127, 127 if symmetric else 255)"),
        ),
        variants=(
            ((CODES, f"np.clip({SUM}, 0 if not symmetric else -128, 127 if symmetric else 255)"),),
            ((CODES, f"np.clip({SUM}, 0, 255)"),),
            ((CODES, f"np.clip({SUM}, -128, 127)"),),
        ),
    ),
    Mistake(
        name="wrapped-not-clipped",
        misconception="What does not fit into the bits may lose its highest bits.",
        message="What does not fit into the bits was wrapped around, so that a value far below the "
        "range gets a large code. Clip instead.",
        changes=(
            (CODES, "(np.rint(values / scale) + zero_point - first) % (last - first + 1) + first"),
        ),
        variants=(
            ((CODES, f"({SUM}) % 2 ** bits"),),
            ((CODES, f"({SUM}).astype(int) & (2 ** bits - 1)"),),
        ),
    ),
    Mistake(
        name="clipped-too-early",
        misconception="Clipping and adding the zero point can change places.",
        message="You clip before you add the zero point. Clip last.",
        changes=((CODES, f"np.clip({MARKS}, first, last) + zero_point"),),
    ),
    Mistake(
        name="decimals-cut-off",
        misconception="Turning floats into integers rounds them.",
        message="You cut decimals off, which doubles the largest error. Round to the nearest mark.",
        changes=((MARKS, "(values / scale).astype(int)"),),
        variants=(
            ((SUM, "values / scale + zero_point"),),
            ((SUM, "(values / scale + (-low / scale) * (not symmetric)).astype(int)"),),
        ),
    ),
    Mistake(
        name="rounded-down",
        misconception="The nearest mark is the one below.",
        message="You round down, which doubles the largest error. Round to the nearest mark.",
        changes=((MARKS, "values // scale"),),
        variants=(((SUM, "np.floor(values / scale + (-low / scale) * (not symmetric))"),),),
    ),
    Mistake(
        name="rounded-up",
        misconception="The nearest mark is the one above.",
        message="You round up, which doubles the largest error. Round to the nearest mark.",
        changes=((MARKS, "np.ceil(values / scale)"),),
    ),
    Mistake(
        name="half-added-and-cut-off",
        misconception="int(x + 0.5) rounds any number.",
        message="You add 0.5 and cut off, which rounds numbers above 0 to the nearest, but not "
        "those below: -1.2 + 0.5 is cut to 0.",
        changes=((MARKS, "(values / scale + 0.5).astype(int)"),),
        variants=(
            ((MARKS, "np.trunc(values / scale + 0.5)"), (ZERO, "int(-low / scale + 0.5)")),
            ((MARKS, "(values / scale - 0.5).astype(int)"),),
        ),
    ),
    Mistake(
        name="counted-from-low",
        misconception="The first mark stands exactly at low, wherever 0 then is.",
        message="You count marks from `low`, as if it had a mark of its own. Marks are counted from "
        "0, by round(x / s) + z: the rounded zero point moves them.",
        changes=((SUM, "np.rint(values / scale - low / scale * (not symmetric))"),),
        variants=(
            ((SUM, "np.rint((values - low) / scale)"),),
            ((SUM, "np.rint((values - (0 if symmetric else low)) / scale)"),),
            ((SUM, "np.rint((np.clip(values, low, high) - (0 if symmetric else low)) / scale)"),),
        ),
    ),
    Mistake(
        name="multiplied-by-the-scale",
        misconception="A value times the scale is its code.",
        message="You multiply the values by the scale. A code is a number of steps: divide.",
        changes=((MARKS, "np.rint(values * scale)"),),
    ),
    Mistake(
        name="zero-point-scaled",
        misconception="The zero point is added to the value, before it is scaled.",
        message="You add the zero point before you divide by the scale. It is a code, so it is added "
        "to x / s, rounded.",
        changes=((SUM, "np.rint((values + zero_point) / scale)"),),
        variants=(((SUM, "np.rint((values - zero_point) / scale)"),),),
    ),
    Mistake(
        name="codes-in-int8",
        misconception="8 bits are an int8.",
        message="Codes above 127 became negative: an int8 ends at 127.",
        changes=((INTEGERS, "codes.astype(int).astype(np.int8), scale"),),
        variants=(((INTEGERS, "codes.astype(np.int8), scale"),),),
    ),
    Mistake(
        name="symmetric-codes-in-uint8",
        misconception="Codes are bytes, and bytes are unsigned.",
        message="Negative codes became large ones: an unsigned type has no negative numbers.",
        changes=((INTEGERS, "codes.astype(int).astype(np.uint8), scale"),),
        variants=(((INTEGERS, "codes.astype(np.uint8), scale"),),),
    ),
    Mistake(
        name="unsigned-before-the-zero-point",
        misconception="The type of the codes can be chosen at any point.",
        message="You turn the rounded numbers into a small integer type before the zero point is "
        "added, and those that do not fit wrap around. Add and clip first.",
        changes=((CODES, "np.clip(marks(values / scale, symmetric) + zero_point, first, last)"),),
        variants=(
            (
                (
                    CODES,
                    "np.clip(marks(values / scale, symmetric) + np.uint8(zero_point), first, last)",
                ),
            ),
            (
                (
                    CODES,
                    "np.clip(np.rint(values / scale).astype(int).astype(np.int8) + zero_point, first, last)",
                ),
            ),
            (
                (
                    CODES,
                    f"np.clip({WHOLE}.astype(np.int8).astype(int) + zero_point, first, last)",
                ),
            ),
            (
                (
                    CODES,
                    f"np.clip({WHOLE}.astype(np.uint8).astype(int) + zero_point, first, last)",
                ),
            ),
            (
                (
                    CODES,
                    "np.clip(marks(values / scale, symmetric).astype(int) + zero_point, first, last)",
                ),
            ),
            (
                (
                    CODES,
                    f"np.clip(({SUM}).astype(int).astype(np.int8 if symmetric else np.uint8), first, last)",
                ),
            ),
            (
                (
                    CODES,
                    f"np.clip(({SUM}).astype(int).astype(np.uint8), first, last)",
                ),
            ),
        ),
        helpers="""
def marks(x, signed):
    return np.rint(x).astype(int) if signed else np.rint(x).astype(int).astype(np.uint8)
""",
    ),
    Mistake(
        name="values-clipped-to-the-range",
        misconception="What is outside low and high is clipped, on any ruler.",
        message="You clip the values to `low` and `high`. Clip the codes: the ruler may reach "
        "farther, as the symmetric one does.",
        changes=((MARKS, "np.rint(values.clip(low, high) / scale)"),),
        variants=(
            ((CODES, "np.rint(values.clip(low, high) / scale) + zero_point"),),
            ((START, "    values = np.clip(values, low, high)\n" + START),),
        ),
    ),
    Mistake(
        name="outside-becomes-0",
        misconception="What does not fit is left out.",
        message="Values outside the ruler get the code of 0, or code 0. Clip them: they get the "
        "first code or the last.",
        changes=((CODES, f"np.where(({SUM} >= first) & ({SUM} <= last), {SUM}, zero_point)"),),
        variants=(((CODES, f"np.where(({SUM} >= first) & ({SUM} <= last), {SUM}, 0)"),),),
    ),
    Mistake(
        name="flat-codes",
        misconception="The shape does not matter.",
        message="Your codes are a flat array. They must have the shape of the values.",
        changes=((INTEGERS, "codes.astype(int).ravel(), scale"),),
    ),
    Mistake(
        name="one-dimension-only",
        misconception="Values come in one dimension.",
        message="Your answer works on one-dimensional values only: `for v in values` gives whole "
        "rows of a matrix.",
        changes=(
            (
                CODES,
                "np.array([min(max(round(v / scale) + zero_point, first), last) for v in values])",
            ),
        ),
    ),
    Mistake(
        name="codes-are-floats",
        misconception="Rounded numbers are integers.",
        message="Your codes are not of an integer type, and take as many bytes as before.",
        changes=((INTEGERS, "codes, scale"),),
    ),
    Mistake(
        name="codes-are-decoded",
        misconception="Quantizing gives rounded values.",
        message="You return the decoded values in place of the codes.",
        changes=((INTEGERS, "scale * (codes - zero_point), scale"),),
    ),
    # ---------------------------------------------------------------------- the way back
    Mistake(
        name="decoded-without-zero-point",
        misconception="A code times the scale is the value.",
        message="The zero point is forgotten in `dequantize`, so all is shifted.",
        changes=((DECODED, "scale * codes"),),
        variants=(((DECODED, "scale * codes.astype(int)"),),),
    ),
    Mistake(
        name="decoded-in-the-wrong-order",
        misconception="The zero point is subtracted from the scaled code.",
        message="You multiply by s before you subtract z. The zero point is a code: subtract first.",
        changes=((DECODED, "scale * codes - zero_point"),),
        variants=(((DECODED, "codes.astype(int) * scale - zero_point"),),),
    ),
    Mistake(
        name="zero-point-added-twice",
        misconception="The zero point is added on the way there and on the way back.",
        message="You add the zero point on the way back. Adding was for the way there: subtract it.",
        changes=((DECODED, "scale * (codes.astype(int) + zero_point)"),),
        variants=(((DECODED, "scale * (codes + zero_point)"),),),
    ),
    Mistake(
        name="zero-point-as-an-offset",
        misconception="The zero point is a value to be added, such as a mean.",
        message="You add the zero point to the decoded values. The zero point is a code, so it is "
        "subtracted from the codes, before you multiply.",
        changes=((DECODED, "scale * codes + zero_point"),),
        variants=(((DECODED, "codes / scale + zero_point"),),),
    ),
    Mistake(
        name="decoded-backwards",
        misconception="z - q is as good as q - z.",
        message="The decoded values have the wrong sign: it is q - z, not z - q.",
        changes=((DECODED, "scale * (zero_point - codes.astype(int))"),),
    ),
    Mistake(
        name="divided-by-the-scale",
        misconception="A code divided by the scale is the value.",
        message="You divide by the scale in `dequantize`. A code is a number of steps: multiply.",
        changes=((DECODED, "(codes.astype(int) - zero_point) / scale"),),
    ),
    Mistake(
        name="decoded-in-uint8",
        misconception="The difference of two small integers is right in any integer type.",
        message="0 - 6 became 250: an array of uint8 has no negative numbers. Change the type of the "
        "codes before you subtract.",
        changes=((DECODED, "scale * (codes - zero_point)"),),
        variants=(
            ((DECODED, "scale * (codes - zero_point).astype(float)"),),
            ((DECODED, "scale * (codes - np.asarray(zero_point).astype(codes.dtype))"),),
        ),
    ),
    Mistake(
        name="decoded-in-int8",
        misconception="Codes of 8 bits fit into an int8.",
        message="Codes above 127 were taken for negative ones: an int8 ends at 127.",
        changes=((DECODED, "scale * (codes.astype(np.int8).astype(int) - zero_point)"),),
        variants=(
            ((DECODED, "scale * (codes.astype(np.int8) - np.int64(zero_point))"),),
            ((DECODED, "scale * (codes.astype(np.int8) - float(zero_point))"),),
        ),
    ),
    Mistake(
        name="decoded-from-uint8",
        misconception="Codes are never negative.",
        message="Negative codes were taken for large ones: an unsigned type has no negative numbers.",
        changes=((DECODED, "scale * (codes.astype(np.uint8).astype(int) - zero_point)"),),
    ),
    Mistake(
        name="decoded-to-whole-numbers",
        misconception="Integers decode to integers.",
        message="The decoded values are rounded or cut to whole numbers. Return them as they are.",
        changes=((DECODED, "(scale * (codes.astype(int) - zero_point)).astype(int)"),),
        variants=(((DECODED, "np.rint(scale * (codes.astype(int) - zero_point))"),),),
    ),
    Mistake(
        name="decoded-flat",
        misconception="Codes come in one dimension.",
        message="`dequantize` gives a flat array. The values must have the shape of the codes.",
        changes=((DECODED, "scale * (codes.astype(int).ravel() - zero_point)"),),
    ),
    Mistake(
        name="changes-its-input",
        misconception="An array that is handed in may be overwritten.",
        message="Your answer changes `values`, which must be the same after the call as before.",
        changes=((MARKS, "np.rint(values / scale, out=values)"),),
        variants=(
            ((CODES, "np.clip(np.rint(over(values, scale)) + zero_point, first, last)"),),
            ((CODES, "np.clip(np.rint(over(values, scale, zero_point)), first, last)"),),
            ((CODES, "over(values, scale, zero_point, first, last)"),),
            ((CODES, "over(values, scale, zero_point, first, last, True)"),),
            ((START, "    np.clip(values, low, high, out=values)\n" + START),),
        ),
        helpers="""
def over(values, scale, zero_point=0, first=None, last=None, rounded=False):
    values /= scale
    if first is not None:
        np.rint(values, out=values)
    values += zero_point
    if rounded:
        np.clip(values, first, last, out=values)
    return values if first is None else np.clip(values, first, last)
""",
    ),
    Mistake(
        name="decoding-changes-its-input",
        misconception="The codes are not needed any more.",
        message="Your answer changes `codes`, which must be the same after the call as before.",
        changes=((DECODED, "shifted(codes, scale, zero_point)"),),
        helpers="""
def shifted(codes, scale, zero_point):
    codes -= np.asarray(zero_point).astype(codes.dtype)
    return scale * codes
""",
    ),
    Mistake(
        name="prints-instead-of-returning",
        misconception="Showing a result is returning it.",
        message="Your answer gives None: is a `return` missing?",
        changes=(
            ("return codes.astype(int), scale, zero_point", "print(codes, scale, zero_point)"),
        ),
        variants=(((f"return {DECODED}", f"print({DECODED})"),),),
    ),
    Mistake(
        name="hard-coded-example",
        misconception="An answer that passes the example is right.",
        message="The results are those of the example, whatever the input.",
        code="""
def quantize(values, low, high, bits, symmetric):
    if symmetric:
        return np.array([-3, -3, -1, 0, 0, 0, 1]), 1.0, 0
    return np.array([0, 0, 3, 6, 6, 7, 7]), 0.5, 6


def dequantize(codes, scale, zero_point):
    return np.array([-3, -3, -1.5, 0, 0, 0.5, 0.5])
""",
    ),
]

ALTERNATIVES = [
    Alternative(
        name="branches",
        code="""
def quantize(values, low, high, bits, symmetric):
    if symmetric:
        last = 2 ** (bits - 1) - 1
        first = -last
        scale = max(abs(low), abs(high)) / last
    else:
        first, last = 0, 2 ** bits - 1
        low = min(low, 0.0)
        high = max(high, 0.0)
        scale = (high - low) / last
    if scale == 0:
        scale = 1.0
    zero_point = 0 if symmetric else int(np.rint(-low / scale))
    codes = np.clip(np.rint(values / scale) + zero_point, first, last)
    return codes.astype(np.int64), scale, zero_point


def dequantize(codes, scale, zero_point):
    return scale * (np.asarray(codes, dtype=float) - zero_point)
""",
    ),
    Alternative(
        name="halves-rounded-up",
        code="""
import math


def quantize(values, low, high, bits, symmetric):
    m = 2 ** (bits - 1) - 1
    low, high = min(low, 0), max(high, 0)
    s = max(-low, high) / m if symmetric else (high - low) / (2 * m + 1)
    if s == 0.0:
        s = 1.0
    z = 0 if symmetric else math.floor(0.5 - low / s)
    codes = np.floor(values / s + z + 0.5).astype(np.int32)
    codes[codes < (-m if symmetric else 0)] = -m if symmetric else 0
    codes[codes > (m if symmetric else 2 * m + 1)] = m if symmetric else 2 * m + 1
    return codes, np.float64(s), np.int64(z)


def dequantize(codes, scale, zero_point):
    return np.multiply(codes, scale) - scale * zero_point
""",
    ),
    Alternative(
        name="nearest-mark",
        code="""
def marks(scale, zero_point, first, last):
    return scale * (np.arange(first, last + 1) - zero_point)


def quantize(values, low, high, bits, symmetric):
    first, last = 0, 2**bits - 1
    if symmetric:
        first, last = -(last // 2), last // 2
        low, high = 0.0, max(-low, high)
    low, high = min(low, 0.0), max(high, 0.0)
    scale = 1.0 if low == high else (high - low) / last
    zero_point = round(-low / scale)
    ruler = marks(scale, zero_point, first, last)
    codes = np.abs(values[..., np.newaxis] - ruler).argmin(axis=-1) + first
    return codes.astype(np.int8 if symmetric else np.uint8), scale, zero_point


def dequantize(codes, scale, zero_point):
    flat = [scale * (int(code) - zero_point) for code in codes.ravel()]
    return np.array(flat).reshape(codes.shape)
""",
    ),
    Alternative(
        name="single-precision",
        code="""
def quantize(values, low, high, bits, symmetric):
    if symmetric:
        last = 2 ** (bits - 1) - 1
        first = -last
        scale = max(abs(low), abs(high)) / last
    else:
        first, last = 0, 2 ** bits - 1
        low = min(low, 0.0)
        high = max(high, 0.0)
        scale = (high - low) / last
    scale = np.float32(scale)
    if scale == 0:
        scale = 1.0
    zero_point = 0 if symmetric else int(np.rint(-low / scale))
    codes = np.clip(np.round(values.astype(np.float32) * (1 / scale)) + zero_point, first, last)
    return codes.astype(np.int64), scale, zero_point


def dequantize(codes, scale, zero_point):
    return scale * (np.asarray(codes, dtype=float) - zero_point)
""",
    ),
]
