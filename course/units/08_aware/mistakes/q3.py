"""Question 3, additive powers of two: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

COUNT = "n, left = divmod(bits - 1, 2)"
TERM = "term = [0, 2.0**-i, 2.0 ** -(i + n), 2.0 ** -(i + 2 * n + left)]"
LEFT = "sums = np.add.outer(sums, [0, 2.0 ** (-2 * n)]).ravel()"
SORTED = "return np.sort(sums) / sums.max()"
MOMENTS = "mean, deviation = weights.mean(), weights.std()"
U = "u = (weights - mean) / deviation / clip"
GRID = "grid = np.concatenate([-magnitudes[:0:-1], magnitudes])"
NEAREST = "nearest = grid[np.abs(u[..., None] - grid).argmin(axis=-1)]"
BACK = "return nearest * clip * deviation + mean"


def term(text: str) -> tuple:
    return ((TERM, text),)


def left(text: str) -> tuple:
    return ((LEFT, text),)


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.quantization.scalar.power_levels",
        changes=(
            (
                SORTED,
                "from utils.quantization.scalar import power_levels\n    return power_levels(bits)",
            ),
        ),
    ),
    # -------------------------------------------------------------------------------- magnitudes
    Mistake(
        name="plain-powers",
        misconception="Powers of two are 1, 1/2, 1/4 and so on.",
        message="Your magnitudes are plain powers of two. They are sums of a few.",
        changes=((SORTED, "return np.r_[0, 2.0 ** -np.arange(2 ** (bits - 1) - 2, -1, -1)]"),),
    ),
    Mistake(
        name="uniform",
        misconception="A grid has equal steps.",
        message="Your magnitudes have equal steps.",
        changes=((SORTED, "return np.linspace(0, 1, 2 ** (bits - 1))"),),
    ),
    Mistake(
        name="sign-not-counted",
        misconception="The sign is extra.",
        message="You spend all bits on the magnitude. One of them is the sign.",
        changes=((COUNT, "n, left = divmod(bits, 2)"),),
    ),
    Mistake(
        name="neighbouring-exponents",
        misconception="Term i has the next three powers.",
        message="The powers of your terms follow one another. Those of a term are n apart, so that "
        "all terms together have each power once.",
        changes=term("term = [0, 2.0**-i, 2.0 ** -(i + 1), 2.0 ** -(i + 2 + left)]"),
        variants=(
            term("term = [0, 2.0 ** -(3 * i), 2.0 ** -(3 * i + 1), 2.0 ** -(3 * i + 2 + left)]"),
        ),
    ),
    Mistake(
        name="terms-begin-at-1",
        misconception="Terms are numbered from 1.",
        message="You number terms from 1. Beside the value for the last bit that is another grid.",
        changes=(("for i in range(n):", "for i in range(1, n + 1):"),),
    ),
    Mistake(
        name="no-room-for-the-last-bit",
        misconception="The last bit adds a term, and nothing else changes.",
        message="With an odd number of bits for the magnitude, the last value of each term is halved.",
        changes=term("term = [0, 2.0**-i, 2.0 ** -(i + n), 2.0 ** -(i + 2 * n)]"),
    ),
    Mistake(
        name="last-bit-dropped",
        misconception="Bits that do not divide are lost.",
        message="The bit that is left over chooses nothing in your answer.",
        changes=(
            *left("pass"),
            (TERM, "term = [0, 2.0**-i, 2.0 ** -(i + n), 2.0 ** -(i + 2 * n)]"),
        ),
        variants=(left("pass"),),
    ),
    Mistake(
        name="last-bit-elsewhere",
        misconception="The last term is the next one in the row.",
        message="The term of the last bit has another power. It is 0 or 2 to the −2n.",
        changes=left("sums = np.add.outer(sums, [0, 2.0**-n]).ravel()"),
        variants=(
            left("sums = np.add.outer(sums, [0, 2.0 ** (-3 * n)]).ravel()"),
            left("sums = np.add.outer(sums, [0, 2.0 ** (-2 * n - 1)]).ravel()"),
        ),
    ),
    Mistake(
        name="not-scaled-to-1",
        misconception="Powers of two stay as they are.",
        message="You do not divide by the largest sum.",
        changes=((SORTED, "return np.sort(sums)"),),
    ),
    Mistake(
        name="divided-by-their-total",
        misconception="Normalising is dividing by the sum.",
        message="You divide by the sum of all magnitudes, or their number. It is the largest of them.",
        changes=((SORTED, "return np.sort(sums) / sums.sum()"),),
        variants=(((SORTED, "return np.sort(sums) / len(sums)"),),),
    ),
    Mistake(
        name="without-zero",
        misconception="A power of two is never 0.",
        message="A term of yours may not be 0.",
        changes=((SORTED, "sums = sums[sums > 0]\n    return np.sort(sums) / sums.max()"),),
    ),
    Mistake(
        name="signs-too",
        misconception="A grid has both signs.",
        message="You return both signs. Magnitudes are asked for.",
        changes=((SORTED, "return np.sort(np.r_[-sums[sums > 0], sums]) / sums.max()"),),
    ),
    Mistake(
        name="not-in-order",
        misconception="The order of magnitudes is that of their terms.",
        message="Your magnitudes are not in ascending order.",
        changes=((SORTED, "return sums / sums.max()"),),
        variants=(((SORTED, "return np.sort(sums)[::-1] / sums.max()"),),),
    ),
    # -------------------------------------------------------------------------------- weights
    Mistake(
        name="stays-normalised",
        misconception="A layer does not mind the scale of its weights.",
        message="You leave weights normalised. Mean and deviation are undone: after a GRU no batch-norm "
        "absorbs them.",
        changes=((BACK, "return nearest * clip"),),
        variants=(((BACK, "return nearest"),),),
    ),
    Mistake(
        name="mean-not-undone",
        misconception="Weights have the mean 0.",
        message="You do not add the mean again.",
        changes=((BACK, "return nearest * clip * deviation"),),
    ),
    Mistake(
        name="deviation-not-undone",
        misconception="The clip is the scale.",
        message="You do not multiply by the deviation again.",
        changes=((BACK, "return nearest * clip + mean"),),
    ),
    Mistake(
        name="clip-not-undone",
        misconception="The clip cuts, and does not scale.",
        message="You divide by the clip, and do not multiply by it again.",
        changes=((BACK, "return nearest * deviation + mean"),),
    ),
    Mistake(
        name="clip-cuts-only",
        misconception="Clipping leaves what lies within as it is.",
        message="You cut at the clip, and do not spread the grid over it.",
        changes=(
            (U, "u = np.clip((weights - mean) / deviation, -clip, clip)"),
            (BACK, "return nearest * deviation + mean"),
        ),
    ),
    Mistake(
        name="clip-in-units-of-weights",
        misconception="The clip is a weight.",
        message="You take the clip in the unit of the weights. It counts deviations.",
        changes=(
            (U, "u = (weights - mean) / clip"),
            (BACK, "return nearest * clip + mean"),
        ),
    ),
    Mistake(
        name="mean-not-taken-off",
        misconception="Weights are spread around 0.",
        message="You do not take the mean off.",
        changes=(
            (U, "u = weights / deviation / clip"),
            (BACK, "return nearest * clip * deviation"),
        ),
    ),
    Mistake(
        name="deviation-of-a-sample",
        misconception="A standard deviation divides by n - 1.",
        message="Your deviation divides by n − 1. It is the root of the mean of squares.",
        changes=((MOMENTS, "mean, deviation = weights.mean(), weights.std(ddof=1)"),),
    ),
    Mistake(
        name="largest-for-the-deviation",
        misconception="Normalising is dividing by the largest.",
        message="You divide by the largest distance from the mean. It is the standard deviation.",
        changes=((MOMENTS, "mean = weights.mean()\n    deviation = np.abs(weights - mean).max()"),),
    ),
    Mistake(
        name="variance-for-the-deviation",
        misconception="The spread is the variance.",
        message="You take the variance. It is its root.",
        changes=((MOMENTS, "mean, deviation = weights.mean(), weights.var()"),),
    ),
    Mistake(
        name="moments-of-rows",
        misconception="Each output is normalised.",
        message="You take mean and deviation of rows. They are those of all weights.",
        changes=(
            (
                MOMENTS,
                "along = -1 if weights.ndim > 1 else None\n"
                "    mean = weights.mean(axis=along, keepdims=True)\n"
                "    deviation = np.maximum(weights.std(axis=along, keepdims=True), 1e-9)",
            ),
        ),
    ),
    Mistake(
        name="rounded-towards-zero",
        misconception="The largest magnitude that fits is the code.",
        message="You take the largest magnitude that is not above. It is the nearest.",
        changes=(
            (
                NEAREST,
                'lower = np.searchsorted(magnitudes, np.abs(u), side="right") - 1\n'
                "    nearest = np.sign(u) * magnitudes[lower]",
            ),
        ),
    ),
    Mistake(
        name="rounded-up-to-a-magnitude",
        misconception="searchsorted finds the nearest.",
        message="You take the next magnitude above. It is the nearest.",
        changes=(
            (
                NEAREST,
                "upper = np.minimum(np.searchsorted(magnitudes, np.abs(u)), len(magnitudes) - 1)\n"
                "    nearest = np.sign(u) * magnitudes[upper]",
            ),
        ),
    ),
    Mistake(
        name="nearest-by-ratio",
        misconception="Powers are rounded in the exponent.",
        message="You take the nearest magnitude by ratio. It is that by distance.",
        changes=(
            (
                NEAREST,
                "logs = np.log(np.maximum(magnitudes, 1e-9))\n"
                "    apart = np.abs(np.log(np.maximum(np.abs(u), 1e-9))[..., None] - logs)\n"
                "    nearest = np.sign(u) * magnitudes[apart.argmin(axis=-1)]",
            ),
        ),
    ),
    Mistake(
        name="sign-lost",
        misconception="Magnitudes are values.",
        message="You lose the sign.",
        changes=((GRID, "grid, u = magnitudes, np.abs(u)"),),
        variants=(((GRID, "grid = magnitudes"),),),
    ),
    Mistake(
        name="changes-its-input",
        misconception="Normalising happens in place.",
        message="Your answer changes the weights that it is given. Work on a copy.",
        changes=((BACK, "weights -= mean\n    return nearest * clip * deviation + mean"),),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="with a product of terms and middles",
        code="""
import itertools

def power_magnitudes(bits):
    free = bits - 1
    n = free // 2
    terms = []
    for i in range(n):
        last = i + 2 * n + (1 if free % 2 else 0)
        terms.append((0.0, 0.5 ** i, 0.5 ** (i + n), 0.5 ** last))
    if free % 2:
        terms.append((0.0, 0.25 ** n))
    found = sorted(sum(each) for each in itertools.product(*terms))
    return np.array(found) / found[-1]

def on_powers(weights, magnitudes, clip):
    mean = np.mean(weights)
    scale = clip * np.sqrt(np.mean((weights - mean) ** 2))
    away = (weights - mean) / scale
    middles = (magnitudes[1:] + magnitudes[:-1]) / 2
    size = magnitudes[np.searchsorted(middles, np.abs(away))]
    return mean + scale * np.copysign(size, away)
""",
    ),
]
