"""Question 2, percentile calibration: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

BOUND = "np.percentile(np.abs(values), percent)"
TAIL = "(100 - percent) / 2"
ENDS = "np.percentile(values, tail), np.percentile(values, 100 - tail)"
START = "    if symmetric:\n"
BELOW, ABOVE = "np.percentile(values[values < 0]", "np.percentile(values[values > 0]"
CASE = "np.append(np.linspace(-1, 1, 300_000), 2.0)"

MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which class to use is the same as knowing what it does.",
        message="your answer calls utils.quantization.AffineQuantizer.fit",
        code="""
from utils.quantization import AffineQuantizer


def percentile_range(values, symmetric, percent=99.0):
    ruler = AffineQuantizer(bits=8, symmetric=symmetric, calibration="percentile")
    ruler.fit(values.reshape(1, -1))
    ends = [[-127, 127]] if symmetric else [[0, 255]]
    return tuple(ruler.inverse_transform(np.array(ends))[0])


def clipping_case():
    return np.append(np.linspace(-1, 1, 300_000), 2.0)
""",
    ),
    Mistake(
        name="percentile-of-signed-values",
        misconception="The 99th percentile of the values is that of their sizes.",
        message="Your symmetric bound is a percentile of the values with their signs. Take absolute "
        "values first.",
        changes=((BOUND, "np.percentile(values, percent)"),),
        variants=(
            ((BOUND, "abs(np.percentile(values, percent))"),),
            ((BOUND, "np.abs(np.percentile(values, 100 - (100 - percent) / 2))"),),
            ((BOUND, "np.percentile(values, 100 - (100 - percent) / 2)"),),
        ),
    ),
    Mistake(
        name="absolute-values-with-two-tails",
        misconception="What is left out is always shared between two ends.",
        message="You share what is left out between two ends in the symmetric case, too. Absolute "
        "values have only one tail: cut all of it off there.",
        changes=((BOUND, "np.percentile(np.abs(values), (100 + percent) / 2)"),),
    ),
    Mistake(
        name="farther-of-two-percentiles",
        misconception="The symmetric range is the asymmetric one, made symmetric.",
        message="Your symmetric bound comes from two percentiles of the values with their signs, one "
        "at each end. It is a single percentile, of the absolute values.",
        changes=((BOUND, f"max(abs(np.percentile(values, [{TAIL}, 100 - {TAIL}])))"),),
        variants=(
            ((BOUND, "max(abs(np.percentile(values, [100 - percent, percent])))"),),
            (
                (
                    BOUND,
                    "max(np.percentile(values, percent), -np.percentile(values, 100 - percent))",
                ),
            ),
            ((BOUND, f"np.mean(abs(np.percentile(values, [{TAIL}, 100 - {TAIL}])))"),),
            ((BOUND, f"min(abs(np.percentile(values, [{TAIL}, 100 - {TAIL}])))"),),
            ((BOUND, f"np.ptp(np.percentile(values, [{TAIL}, 100 - {TAIL}])) / 2"),),
        ),
    ),
    Mistake(
        name="symmetric-is-asymmetric",
        misconception="One range does for both.",
        message="Your range is the asymmetric one even where `symmetric` is True.",
        changes=((START, "    if False:\n"),),
    ),
    Mistake(
        name="always-symmetric",
        misconception="A range is always centred on 0.",
        message="Your range is the symmetric one even where `symmetric` is False.",
        changes=((START, "    if True:\n"),),
    ),
    Mistake(
        name="symmetric-upside-down",
        misconception="`symmetric` names the other case.",
        message="The two ranges are swapped: yours is asymmetric where `symmetric` is True.",
        changes=((START, "    if not symmetric:\n"),),
    ),
    Mistake(
        name="min-max",
        misconception="Calibration takes the smallest and the largest value.",
        message="Your range is min-max on either ruler; nothing is left out.",
        changes=((BOUND, "np.abs(values).max()"), (ENDS, "values.min(), values.max()")),
    ),
    Mistake(
        name="symmetric-min-max",
        misconception="Only an asymmetric range is clipped.",
        message="Your symmetric range is min-max; nothing is left out.",
        changes=((BOUND, "np.abs(values).max()"),),
    ),
    Mistake(
        name="asymmetric-min-max",
        misconception="Only a symmetric range is clipped.",
        message="Your asymmetric range is min-max; nothing is left out.",
        changes=((ENDS, "values.min(), values.max()"),),
    ),
    Mistake(
        name="whole-share-at-each-end",
        misconception="To keep 99 %, leave out 1 % at each end.",
        message="You leave out the whole share at each end, twice as much as you should. Share it "
        "between the two ends.",
        changes=((TAIL, "100 - percent"),),
    ),
    Mistake(
        name="quarter-at-each-end",
        misconception="The share is halved once for each end.",
        message="You leave out a quarter of the share at each end. It is half: together both ends "
        "lose all of it.",
        changes=((TAIL, "(100 - percent) / 4"),),
    ),
    Mistake(
        name="half-of-percent",
        misconception="The tail is half of `percent`.",
        message="Your tail is computed from `percent`, which is what is *kept*. Left out is the rest, "
        "100 - percent, in two halves.",
        changes=((TAIL, "percent / 2"),),
        variants=(((TAIL, "percent"),),),
    ),
    Mistake(
        name="bound-of-what-is-left-out",
        misconception="`percent` is the share to leave out.",
        message="You take `percent` for the share to leave out. It is the share to keep.",
        changes=((START, "    percent = 100 - percent\n" + START),),
        variants=(((BOUND, "np.percentile(np.abs(values), 100 - percent)"),),),
    ),
    Mistake(
        name="upper-end-only",
        misconception="Outliers are large values, so only the upper end is cut.",
        message="Your asymmetric range leaves out values at the upper end only. Share them between "
        "the two ends.",
        changes=((ENDS, "values.min(), np.percentile(values, percent)"),),
        variants=(((ENDS, "values.min(), np.percentile(values, 100 - tail)"),),),
    ),
    Mistake(
        name="lower-end-only",
        misconception="Outliers are small values, so only the lower end is cut.",
        message="Your asymmetric range leaves out values at the lower end only. Share them between "
        "the two ends.",
        changes=((ENDS, "np.percentile(values, 100 - percent), values.max()"),),
        variants=(((ENDS, "np.percentile(values, tail), values.max()"),),),
    ),
    Mistake(
        name="lower-end-at-0",
        misconception="The range begins at 0.",
        message="Your asymmetric range has an end at 0, which is no percentile of the values.",
        changes=(
            (
                ENDS,
                "min(0.0, np.percentile(values, tail)), max(0.0, np.percentile(values, 100 - tail))",
            ),
        ),
        variants=(
            ((ENDS, "0.0, np.percentile(values, 100 - tail)"),),
            ((ENDS, "0.0, np.percentile(values, percent)"),),
            ((ENDS, "min(0.0, np.percentile(values, tail)), np.percentile(values, 100 - tail)"),),
        ),
    ),
    Mistake(
        name="asymmetric-mirrored",
        misconception="One end tells the other.",
        message="Your asymmetric range is one end and its mirror image. Look up the other end on "
        "its own.",
        changes=((ENDS, "np.percentile(values, tail), -np.percentile(values, tail)"),),
        variants=(
            ((ENDS, "-np.percentile(values, 100 - tail), np.percentile(values, 100 - tail)"),),
            ((ENDS, "-np.percentile(values, percent), np.percentile(values, percent)"),),
        ),
    ),
    Mistake(
        name="asymmetric-of-absolute-values",
        misconception="Percentiles are taken of sizes.",
        message="Your asymmetric ends are percentiles of the absolute values. There the signs matter.",
        changes=(
            (
                ENDS,
                "np.percentile(np.abs(values), tail), np.percentile(np.abs(values), 100 - tail)",
            ),
        ),
    ),
    Mistake(
        name="ends-by-sign",
        misconception="The lower end is a matter of negative values, the upper of positive ones.",
        message="You take percentiles of the negative and of the positive values apart. The "
        "asymmetric ends are two percentiles of all values.",
        changes=(
            (
                ENDS,
                f"{BELOW}, 100 - percent), {ABOVE}, percent)",
            ),
        ),
        variants=(
            (
                (
                    ENDS,
                    f"{BELOW}, tail), {ABOVE}, 100 - tail)",
                ),
            ),
            (
                (
                    ENDS,
                    f"{BELOW}, 100 - percent), {ABOVE}, percent)".replace("< 0", "<= 0").replace(
                        "> 0", ">= 0"
                    ),
                ),
            ),
            (
                (
                    ENDS,
                    f"-np.percentile(-values[values < 0], 100 - tail), {ABOVE}, 100 - tail)",
                ),
            ),
        ),
    ),
    Mistake(
        name="ends-in-the-wrong-order",
        misconception="The larger end comes first.",
        message="Low comes first, then high.",
        changes=((ENDS, "np.percentile(values, 100 - tail), np.percentile(values, tail)"),),
        variants=(
            (("return -bound, bound", "return bound, -bound"),),
            (
                (ENDS, "np.percentile(values, 100 - tail), np.percentile(values, tail)"),
                ("return -bound, bound", "return bound, -bound"),
            ),
        ),
    ),
    Mistake(
        name="bound-alone",
        misconception="A symmetric range is known by its bound.",
        message="Return two numbers, low and high, in the symmetric case, too.",
        changes=(("return -bound, bound", "return bound"),),
    ),
    Mistake(
        name="bound-from-0",
        misconception="Absolute values begin at 0.",
        message="Your symmetric range begins at 0. It goes from -b to b.",
        changes=(("return -bound, bound", "return 0.0, bound"),),
    ),
    Mistake(
        name="fractions-for-percentages",
        misconception="np.percentile wants a fraction, as np.quantile does.",
        message="np.percentile wants percentages, 75 and not 0.75.",
        changes=(
            (START, "    percent = percent / 100\n" + START),
            (TAIL, "(1 - percent) / 2"),
            ("100 - tail", "1 - tail"),
        ),
        variants=(
            ((START, "    percent = percent / 100\n" + START),),
            ((TAIL, "(1 - percent / 100) / 2"),),
            ((BOUND, "np.percentile(np.abs(values), percent / 100)"),),
            ((TAIL, "(1 - percent / 100) / 2"), ("100 - tail", "1 - tail")),
        ),
    ),
    Mistake(
        name="percentages-for-fractions",
        misconception="np.quantile wants percentages, as np.percentile does.",
        message="np.quantile wants fractions from 0 to 1, not percentages.",
        changes=(("np.percentile", "np.quantile"),),
        variants=(
            ((BOUND, "np.quantile(np.abs(values), percent)"),),
            ((ENDS, "np.quantile(values, tail), np.quantile(values, 100 - tail)"),),
        ),
    ),
    Mistake(
        name="percent-ignored",
        misconception="Percentile calibration means 99.",
        message="Your range keeps 99 in 100 values, whatever `percent` says.",
        changes=((START, "    percent = 99\n" + START),),
        variants=(
            ((TAIL, "0.5"),),
            ((BOUND, "np.percentile(np.abs(values), 99)"),),
        ),
    ),
    Mistake(
        name="another-default",
        misconception="The default does not matter.",
        message="Without `percent` the share to keep is 99 %.",
        changes=(("percent=99.0", "percent=75"),),
        variants=(
            (("percent=99.0", "percent=0.99"),),
            (("percent=99.0", "percent"),),
            (("percent=99.0", "percent=99.9"),),
        ),
    ),
    Mistake(
        name="one-range-a-column",
        misconception="Each column has a range of its own.",
        message="You return a range for each row or column. It is one for the whole array.",
        changes=(
            ("np.abs(values), percent)", "np.abs(values), percent, axis=0)"),
            ("values, tail)", "values, tail, axis=0)"),
            ("100 - tail)", "100 - tail, axis=0)"),
        ),
        variants=(
            (
                ("np.abs(values), percent)", "np.abs(values), percent, axis=-1)"),
                ("values, tail)", "values, tail, axis=-1)"),
                ("100 - tail)", "100 - tail, axis=-1)"),
            ),
            (("np.abs(values), percent)", "np.abs(values), percent, axis=0)"),),
            (("values, tail)", "values, tail, axis=0)"), ("100 - tail)", "100 - tail, axis=0)")),
            (("np.abs(values), percent)", "np.abs(values), percent, axis=-1)"),),
            (("values, tail)", "values, tail, axis=-1)"), ("100 - tail)", "100 - tail, axis=-1)")),
        ),
    ),
    Mistake(
        name="first-row-only",
        misconception="Values come in one dimension.",
        message="You sort or index the rows of a matrix, and not all values together. The range is "
        "one for the whole array, whatever its shape.",
        changes=(
            (BOUND, "rank(np.abs(values), percent)"),
            (ENDS, "rank(values, tail), rank(values, 100 - tail)"),
        ),
        helpers="""
def rank(values, percent):
    ordered = np.sort(values)
    place = percent / 100 * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
""",
    ),
    Mistake(
        name="does-not-interpolate",
        misconception="A percentile is one of the values.",
        message="Your ends are values of the array. The way of np.percentile is meant, which "
        "interpolates between two values.",
        changes=(
            ("percent)\n", 'percent, method="higher")\n'),
            ("values, tail)", 'values, tail, method="lower")'),
            ("100 - tail)", '100 - tail, method="higher")'),
        ),
        variants=tuple(
            (
                ("percent)\n", f'percent, method="{how}")\n'),
                ("values, tail)", f'values, tail, method="{how}")'),
                ("100 - tail)", f'100 - tail, method="{how}")'),
            )
            for how in ("lower", "higher", "nearest", "inverted_cdf", "midpoint")
        )
        + (
            (
                ("percent)\n", 'percent, method="lower")\n'),
                ("values, tail)", 'values, tail, method="higher")'),
                ("100 - tail)", '100 - tail, method="lower")'),
            ),
            (
                (
                    BOUND,
                    "at(np.abs(values), percent)",
                ),
                (
                    ENDS,
                    "at(values, tail), -at(-values, tail)",
                ),
            ),
            (
                (
                    BOUND,
                    "at(np.abs(values), percent)",
                ),
                (
                    ENDS,
                    "at(values, tail), at(values, 100 - tail)",
                ),
            ),
            (
                (
                    BOUND,
                    "at(np.abs(values), percent, 1)",
                ),
                (
                    ENDS,
                    "at(values, tail, 1), at(values, 100 - tail, 1)",
                ),
            ),
        ),
        helpers="""
def at(values, percent, less=0):
    place = int(percent / 100 * (values.size - less))
    return sorted(values.flat)[min(place, values.size - 1)]
""",
    ),
    Mistake(
        name="rounds-the-result",
        misconception="Two decimals are enough.",
        message="The ends of your range are rounded. Return them as they are.",
        changes=(
            (BOUND, f"round({BOUND}, 2)"),
            (
                ENDS,
                "round(np.percentile(values, tail), 2), round(np.percentile(values, 100 - tail), 2)",
            ),
        ),
        variants=(
            (
                (BOUND, f"round({BOUND})"),
                (
                    ENDS,
                    "round(np.percentile(values, tail)), round(np.percentile(values, 100 - tail))",
                ),
            ),
            (
                (BOUND, f"int({BOUND})"),
                (ENDS, "int(np.percentile(values, tail)), int(np.percentile(values, 100 - tail))"),
            ),
            ((TAIL, "(100 - percent) // 2"),),
            ((TAIL, "int((100 - percent) / 2)"),),
        ),
    ),
    Mistake(
        name="changes-its-input",
        misconception="An array that is handed in may be sorted.",
        message="Your answer changes `values`, which must be the same after the call as before.",
        changes=((START, "    values.sort(axis=-1)\n" + START),),
        variants=(
            ((START, "    values.reshape(-1).sort()\n" + START),),
            ((BOUND, "np.percentile(np.abs(values, out=values), percent)"),),
            ((START, "    values.sort(axis=0)\n" + START),),
            (
                (BOUND, "np.percentile(values, percent, overwrite_input=True)"),
                (START, "    if symmetric:\n        np.abs(values, out=values)\n"),
            ),
        ),
    ),
    Mistake(
        name="prints-instead-of-returning",
        misconception="Showing a result is returning it.",
        message="Your answer gives None: is a `return` missing?",
        changes=(
            ("return -bound, bound", "print(-bound, bound)\n        return None"),
            (f"return {ENDS}", f"print({ENDS})"),
        ),
        variants=(
            (("return -bound, bound", "print(-bound, bound)\n        return None"),),
            ((f"return {ENDS}", f"print({ENDS})"),),
        ),
    ),
    Mistake(
        name="hard-coded-example",
        misconception="An answer that passes the example is right.",
        message="The results are those of the example, whatever the input.",
        code="""
def percentile_range(values, symmetric, percent=99.0):
    return (-7, 7) if symmetric else (-8, 3)


def clipping_case():
    return np.append(np.linspace(-1, 1, 300_000), 2.0)
""",
    ),
    # ------------------------------------------------------------------------- the case
    Mistake(
        name="case-of-a-bell-curve",
        misconception="What helps at 4 bits helps at 8, if the distribution is a natural one.",
        message="Clipping your numbers helps at 4 bits, where marks are coarse, and hurts at 8. There "
        "what is clipped costs more than finer marks bring: fewer of your numbers must be clipped, "
        "or by less.",
        changes=((CASE, "np.random.default_rng(0).normal(size=10_000)"),),
    ),
    Mistake(
        name="case-without-tails",
        misconception="Clipping makes a difference whatever the distribution.",
        message="Clipping your numbers hurts at 8 bits, and at 4 it helps a little, but less than 1.2 "
        "times: the range hardly shrinks, so marks hardly get finer. Compare where the two ranges end.",
        changes=((CASE, "np.random.default_rng(7).uniform(-1, 1, 2000)"),),
    ),
    Mistake(
        name="case-with-an-outlier-too-far",
        misconception="The larger the outlier, the better it is to clip it.",
        message="Clipping your numbers hurts at both: what is clipped is so far out, or so much, that "
        "it costs more than finer marks bring. The cost grows with the square of the distance.",
        changes=((CASE, "np.append(np.linspace(-1, 1, 2000), 1000.0)"),),
    ),
    Mistake(
        name="case-that-hardly-shrinks",
        misconception="Any gain will do.",
        message="Clipping your numbers helps at both, but at 8 bits less than 1.2 times: the clipped "
        "numbers are still too many, or too far out, or the range hardly shrinks.",
        changes=((CASE, "np.append(np.linspace(-1, 1, 50_000), 1.5)"),),
    ),
    Mistake(
        name="case-that-never-gains-enough",
        misconception="Any gain will do.",
        message="Clipping your numbers helps at both, but at neither 1.2 times: the range hardly "
        "shrinks. Compare where the two ranges end.",
        changes=((CASE, "np.append(np.linspace(-1, 1, 99_000), 1.05)"),),
    ),
    Mistake(
        name="case-of-equal-numbers",
        misconception="Without outliers clipping cannot hurt, so it helps.",
        message="Clipping makes no difference to your numbers: the 99 % range ends where min-max ends, "
        "or no error can be measured. It takes a few numbers that lie farther out than the "
        "rest, fewer than 1 in 100.",
        changes=((CASE, "np.ones(1000)"),),
        variants=(
            ((CASE, "np.append(np.linspace(-1, 1, 999), np.full(20, 3.0))"),),
            ((CASE, "np.zeros(1000)"),),
        ),
    ),
    Mistake(
        name="case-too-small",
        misconception="A handful of numbers shows it.",
        message="`clipping_case` must return 100 to 1,000,000 finite numbers; yours are more or fewer, "
        "or not finite.",
        changes=((CASE, "np.append(np.linspace(-1, 1, 20), 3.0)"),),
        variants=(
            ((CASE, "np.zeros(1_000_001)"),),
            ((CASE, "np.append(np.linspace(-1, 1, 5000), np.inf)"),),
        ),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="an-outlier",
        code="""
def percentile_range(values, symmetric, percent=99.0):
    if symmetric:
        b = float(np.percentile(np.abs(values), percent))
        return -b, b
    tail = (100 - percent) / 2
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)


def clipping_case():
    return np.append(np.linspace(-1, 1, 300_000), 2.0)
""",
    ),
    Alternative(
        name="sorted-by-hand",
        code="""
def percentile(values, percent):
    ordered = sorted(values)
    rank = percent / 100 * (len(ordered) - 1)
    below = min(int(rank), len(ordered) - 1)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (rank - below) * (ordered[above] - ordered[below])


def percentile_range(values, symmetric, percent=99.0):
    flat = values.ravel().tolist()
    if symmetric:
        bound = percentile([abs(v) for v in flat], percent)
        return [-bound, bound]
    return [percentile(flat, 50 - percent / 2), percentile(flat, 50 + percent / 2)]


def clipping_case():
    # Mostly between -1 and 1, and a single outlier.
    return [*np.linspace(-1, 1, 600_000), -4.0]
""",
    ),
    Alternative(
        name="quantiles",
        code="""
def percentile_range(values, symmetric, percent=99.0):
    share = percent / 100
    if not symmetric:
        return np.quantile(values, (0.5 - share / 2, 0.5 + share / 2))
    return np.quantile(np.absolute(values), share) * np.array([-1, 1])


def clipping_case():
    flat = np.random.default_rng(1).uniform(-1, 1, 400_000)
    flat[7] = 3.5
    return flat.reshape(400, 1000).astype(np.float32)
""",
    ),
]
