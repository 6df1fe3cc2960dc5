"""Wrong answers that students of unit 03 give, and right answers written another way."""

from course.writing.mistakes import Alternative, Mistake


def changed(code: str, *changes: tuple[str, str]) -> str:
    """A right answer with some lines made wrong."""
    for right, wrong in changes:
        if right not in code:
            raise ValueError(f"{right!r} does not occur in the answer that is to be changed")
        code = code.replace(right, wrong)
    return code


RIGHT_Q1 = """
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
"""

RIGHT_Q2 = """
def percentile_range(values, symmetric, percent=99.0):
    if symmetric:
        b = float(np.percentile(np.abs(values), percent))
        return -b, b
    tail = (100 - percent) / 2
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)


def clipping_case():
    return np.random.default_rng(7).laplace(size=2000)
"""

RIGHT_Q3 = """
def percentile_grid(values, bits):
    edges = np.percentile(values, 100 * np.arange(1, 2 ** bits) / 2 ** bits)
    codes = np.digitize(values, edges)
    codebook = np.zeros(2 ** bits)
    for k in range(2 ** bits):
        if (codes == k).any():
            codebook[k] = values[codes == k].mean()
    return codes, codebook


def relative_error(values, decoded):
    mse = ((values - decoded) ** 2).mean()
    if values.min() == values.max():
        return 0.0
    return mse / values.var()
"""

RIGHT_Q4 = """
def lloyd_step(centers, counts, centroids):
    distances = np.abs(centers[:, None] - centroids[None, :])
    assignment = distances.argmin(axis=1)
    moved = centroids.astype(float)
    for k in range(len(centroids)):
        mine = assignment == k
        if counts[mine].sum() > 0:
            moved[k] = (counts[mine] * centers[mine]).sum() / counts[mine].sum()
    return assignment, moved
"""

RIGHT_Q5 = """
def quantized_bytes(tensors):
    total, numbers = 0, 0
    for tensor in tensors:
        rows, columns = tensor["shape"]
        bits = tensor["bits"]
        width = np.dtype(tensor["dtype"]).itemsize
        grids = rows if tensor["per_channel"] else 1
        total += (rows * columns * bits + 7) // 8
        if tensor["scheme"] == "codebook":
            total += grids * 2 ** bits * width
        else:
            total += grids * width
        if tensor["scheme"] == "asymmetric":
            total += grids
        numbers += rows * columns
    return total, numbers * 4 / total
"""

MISTAKES = [
    # ----------------------------------------------------------- q1: quantize and dequantize
    Mistake(
        question="q1",
        name="calls-the-library",
        misconception="Knowing which class to use is the same as knowing what it does.",
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
        message="your answer calls utils.quantization.AffineQuantizer.fit",
    ),
    Mistake(
        question="q1",
        name="as-many-steps-as-marks",
        misconception="2**bits marks have 2**bits steps between them.",
        code=changed(RIGHT_Q1, ("(high - low) / last", "(high - low) / 2 ** bits")),
        message="between 8 marks there are 7 steps",
    ),
    Mistake(
        question="q1",
        name="range-of-these-values",
        misconception="The range is that of the values at hand, not the calibrated one.",
        code=changed(
            RIGHT_Q1,
            ("    if symmetric:", "    low, high = values.min(), values.max()\n    if symmetric:"),
        ),
        message="use the range that you were given",
    ),
    Mistake(
        question="q1",
        name="symmetric-scale-from-max-minus-min",
        misconception="The length of the range is all that matters, also on a symmetric ruler.",
        code=changed(RIGHT_Q1, ("max(abs(low), abs(high)) / last", "(high - low) / (2 * last)")),
        message="does not reach -3",
    ),
    Mistake(
        question="q1",
        name="symmetric-scale-without-abs",
        misconception="The largest value is the one farthest from 0.",
        code=changed(RIGHT_Q1, ("max(abs(low), abs(high)) / last", "max(low, high) / last")),
        message="take its absolute value",
    ),
    Mistake(
        question="q1",
        name="symmetric-scale-of-one-side",
        misconception="The lower end is always the farther one.",
        code=changed(RIGHT_Q1, ("max(abs(low), abs(high)) / last", "abs(low) / last")),
        message="now high is the farther end",
    ),
    Mistake(
        question="q1",
        name="symmetric-with-the-odd-code",
        misconception="A symmetric grid uses the lowest code of two's complement, too.",
        code=changed(RIGHT_Q1, ("first = -last", "first = -last - 1")),
        message="has no counterpart above 0",
    ),
    Mistake(
        question="q1",
        name="symmetric-one-step-too-many",
        misconception="The largest symmetric code is 2**(bits - 1).",
        code=changed(RIGHT_Q1, ("last = 2 ** (bits - 1) - 1", "last = 2 ** (bits - 1)")),
        message="m is 3 here, not 4",
    ),
    Mistake(
        question="q1",
        name="sign-for-free",
        misconception="The sign takes no bit.",
        code=changed(RIGHT_Q1, ("last = 2 ** (bits - 1) - 1", "last = 2 ** bits - 1")),
        message="the sign takes one of the 3 bits",
    ),
    Mistake(
        question="q1",
        name="zero-point-with-the-wrong-sign",
        misconception="The zero point is low / scale.",
        code=changed(RIGHT_Q1, ("np.rint(-low / scale)", "np.rint(low / scale)")),
        message="The zero point is -6, not 6",
    ),
    Mistake(
        question="q1",
        name="zero-point-is-a-value",
        misconception="The zero point is the value at which the ruler begins.",
        code=changed(RIGHT_Q1, ("int(np.rint(-low / scale))", "low")),
        message="and not the value low",
    ),
    Mistake(
        question="q1",
        name="zero-point-always-0",
        misconception="Code 0 stands for 0.",
        code=changed(RIGHT_Q1, ("0 if symmetric else int(np.rint(-low / scale))", "0")),
        message="code 0 stands for low, -3",
    ),
    Mistake(
        question="q1",
        name="zero-point-not-rounded",
        misconception="The zero point may lie between two codes, if the formula says so.",
        code=changed(RIGHT_Q1, ("int(np.rint(-low / scale))", "-low / scale")),
        message="no code decodes to 0. Round it",
    ),
    Mistake(
        question="q1",
        name="zero-point-cut-off",
        misconception="int() makes a whole number, and any whole number will do.",
        code=changed(RIGHT_Q1, ("int(np.rint(-low / scale))", "int(-low / scale)")),
        message="do not cut it",
    ),
    Mistake(
        question="q1",
        name="zero-point-rounded-up",
        misconception="The ruler must begin at low or below.",
        code=changed(RIGHT_Q1, ("np.rint(-low / scale)", "np.ceil(-low / scale)")),
        message="you round 1.2 up",
    ),
    Mistake(
        question="q1",
        name="zero-point-not-added",
        misconception="The zero point is for decoding only.",
        code=changed(RIGHT_Q1, ("np.rint(values / scale) + zero_point", "np.rint(values / scale)")),
        message="z is missing",
    ),
    Mistake(
        question="q1",
        name="not-clipped",
        misconception="All values lie in the calibrated range.",
        code=changed(
            RIGHT_Q1,
            (
                "np.clip(np.rint(values / scale) + zero_point, first, last)",
                "np.rint(values / scale) + zero_point",
            ),
        ),
        message="do not fit into 3 bits; clip them",
    ),
    Mistake(
        question="q1",
        name="wrapped-not-clipped",
        misconception="What does not fit into the bits may lose its highest bits.",
        code=changed(
            RIGHT_Q1,
            (
                "np.clip(np.rint(values / scale) + zero_point, first, last)",
                "(np.rint(values / scale) + zero_point - first) % (last - first + 1) + first",
            ),
        ),
        message="was wrapped around",
    ),
    Mistake(
        question="q1",
        name="clipped-too-early",
        misconception="Clipping and adding the zero point can change places.",
        code=changed(
            RIGHT_Q1,
            (
                "np.clip(np.rint(values / scale) + zero_point, first, last)",
                "np.clip(np.rint(values / scale), first, last) + zero_point",
            ),
        ),
        message="clip last",
    ),
    Mistake(
        question="q1",
        name="decimals-cut-off",
        misconception="Turning floats into integers rounds them.",
        code=changed(RIGHT_Q1, ("np.rint(values / scale)", "(values / scale).astype(int)")),
        message="you cut decimals off",
    ),
    Mistake(
        question="q1",
        name="rounded-down",
        misconception="The nearest mark is the one below.",
        code=changed(RIGHT_Q1, ("np.rint(values / scale)", "values // scale")),
        message="you round down",
    ),
    Mistake(
        question="q1",
        name="rounded-up",
        misconception="The nearest mark is the one above.",
        code=changed(RIGHT_Q1, ("np.rint(values / scale)", "np.ceil(values / scale)")),
        message="you round up",
    ),
    Mistake(
        question="q1",
        name="counted-from-low",
        misconception="The first mark stands exactly at low, wherever 0 then is.",
        code=changed(
            RIGHT_Q1,
            (
                "np.rint(values / scale) + zero_point",
                "np.rint(values / scale - low / scale * (not symmetric))",
            ),
        ),
        message="and not from low",
    ),
    Mistake(
        question="q1",
        name="range-without-0",
        misconception="A range that does not hold 0 needs no code for 0.",
        code=changed(
            RIGHT_Q1, ("        low = min(low, 0.0)\n        high = max(high, 0.0)\n", "")
        ),
        message="so widen the range to 0",
    ),
    Mistake(
        question="q1",
        name="divides-by-a-scale-of-0",
        misconception="There is always something to scale.",
        code=changed(RIGHT_Q1, ("    if scale == 0:\n        scale = 1.0\n", "")),
        message="If all is 0, the scale is 1.0",
    ),
    Mistake(
        question="q1",
        name="codes-in-int8",
        misconception="8 bits are an int8.",
        code=changed(
            RIGHT_Q1, ("codes.astype(np.int64)", "codes.astype(np.int64).astype(np.int8)")
        ),
        message="int8 ends at 127",
    ),
    Mistake(
        question="q1",
        name="symmetric-codes-in-uint8",
        misconception="Codes are bytes, and bytes are unsigned.",
        code=changed(
            RIGHT_Q1, ("codes.astype(np.int64)", "codes.astype(np.int64).astype(np.uint8)")
        ),
        message="an unsigned type has no negative numbers",
    ),
    Mistake(
        question="q1",
        name="values-clipped-to-the-range",
        misconception="What is outside low and high is clipped, on any ruler.",
        code=changed(
            RIGHT_Q1, ("np.rint(values / scale)", "np.rint(values.clip(low, high) / scale)")
        ),
        message="the symmetric ruler reaches to 3",
    ),
    Mistake(
        question="q1",
        name="codes-are-floats",
        misconception="Rounded numbers are integers.",
        code=changed(RIGHT_Q1, ("codes.astype(np.int64)", "codes")),
        message="Codes are integers",
    ),
    Mistake(
        question="q1",
        name="decoded-without-zero-point",
        misconception="A code times the scale is the value.",
        code=changed(RIGHT_Q1, ("(np.asarray(codes, dtype=float) - zero_point)", "codes")),
        message="the zero point is forgotten",
    ),
    Mistake(
        question="q1",
        name="decoded-in-the-wrong-order",
        misconception="The zero point is subtracted from the scaled code.",
        code=changed(
            RIGHT_Q1,
            ("scale * (np.asarray(codes, dtype=float) - zero_point)", "scale * codes - zero_point"),
        ),
        message="subtract z before you multiply by s",
    ),
    Mistake(
        question="q1",
        name="zero-point-added-twice",
        misconception="The zero point is added on the way there and on the way back.",
        code=changed(RIGHT_Q1, ("dtype=float) - zero_point", "dtype=float) + zero_point")),
        message="adding it was for the way there",
    ),
    Mistake(
        question="q1",
        name="zero-point-as-an-offset",
        misconception="The zero point is a value to be added, such as a mean.",
        code=changed(
            RIGHT_Q1,
            ("scale * (np.asarray(codes, dtype=float) - zero_point)", "scale * codes + zero_point"),
        ),
        message="the zero point is a code, so it is subtracted from the codes",
    ),
    Mistake(
        question="q1",
        name="decoded-in-uint8",
        misconception="The difference of two small integers is right in any integer type.",
        code=changed(RIGHT_Q1, ("np.asarray(codes, dtype=float)", "codes")),
        message="which has no negative numbers",
    ),
    Mistake(
        question="q1",
        name="changes-its-input",
        misconception="An array that is handed in may be overwritten.",
        code=changed(RIGHT_Q1, ("np.rint(values / scale)", "np.rint(values / scale, out=values)")),
        message="the array of values has changed",
    ),
    Mistake(
        question="q1",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code="""
def quantize(values, low, high, bits, symmetric):
    if bits == 2:
        codes, scale = [1, 1, 0, 3], 1.0
        if low == 2:
            return np.array([0, 1, 3]), 2.0, 0
        if low == -6:
            return np.array([3, 0, 2]), 2.0, 3
        return np.array(codes), scale, 1
    if symmetric:
        return np.array([-3, -3, -1, 0, 0, 0, 1]), 1.0, 0
    return np.array([0, 0, 3, 6, 6, 7, 7]), 0.5 if bits == 3 else 1.0, 6


def dequantize(codes, scale, zero_point):
    return scale * (codes.astype(int) - zero_point)
""",
        message="Other values",
    ),
    # ---------------------------------------------------------- q2: percentile calibration
    Mistake(
        question="q2",
        name="calls-the-library",
        misconception="Knowing which class to use is the same as knowing what it does.",
        code="""
from utils.quantization import AffineQuantizer


def percentile_range(values, symmetric, percent=99.0):
    ruler = AffineQuantizer(bits=8, symmetric=symmetric, calibration="percentile")
    ruler.fit(values.reshape(1, -1))
    ends = [[-127, 127]] if symmetric else [[0, 255]]
    return tuple(ruler.inverse_transform(np.array(ends))[0])


def clipping_case():
    return np.random.default_rng(0).normal(size=10_000)
""",
        message="your answer calls utils.quantization.AffineQuantizer.fit",
    ),
    Mistake(
        question="q2",
        name="percentile-of-signed-values",
        misconception="The 99th percentile of the values is that of their sizes.",
        code=changed(
            RIGHT_Q2, ("np.percentile(np.abs(values), percent)", "np.percentile(values, percent)")
        ),
        message="Take absolute values first",
    ),
    Mistake(
        question="q2",
        name="absolute-values-with-two-tails",
        misconception="What is left out is always shared between two ends.",
        code=changed(
            RIGHT_Q2,
            (
                "np.percentile(np.abs(values), percent)",
                "np.percentile(np.abs(values), (100 + percent) / 2)",
            ),
        ),
        message="Absolute values have only one",
    ),
    Mistake(
        question="q2",
        name="farther-of-two-percentiles",
        misconception="The symmetric range is the asymmetric one, made symmetric.",
        code="""
def percentile_range(values, symmetric, percent=99.0):
    tail = (100 - percent) / 2
    low, high = np.percentile(values, [tail, 100 - tail])
    if symmetric:
        high = max(abs(low), abs(high))
        low = -high
    return low, high


def clipping_case():
    return np.random.default_rng(0).normal(size=10_000)
""",
        message="Absolute values have only one",
    ),
    Mistake(
        question="q2",
        name="min-max",
        misconception="Calibration takes the smallest and the largest value.",
        code=changed(
            RIGHT_Q2,
            ("float(np.percentile(np.abs(values), percent))", "np.abs(values).max()"),
            ("np.percentile(values, [tail, 100 - tail])", "values.min(), values.max()"),
        ),
        message="that is min-max; nothing is cut off",
    ),
    Mistake(
        question="q2",
        name="asymmetric-min-max",
        misconception="Only a symmetric range is clipped.",
        code=changed(
            RIGHT_Q2, ("np.percentile(values, [tail, 100 - tail])", "values.min(), values.max()")
        ),
        message="that is min-max; nothing is left out",
    ),
    Mistake(
        question="q2",
        name="whole-share-at-each-end",
        misconception="To keep 99 %, leave out 1 % at each end.",
        code=changed(RIGHT_Q2, ("(100 - percent) / 2", "100 - percent")),
        message="share the 25 % between the ends",
    ),
    Mistake(
        question="q2",
        name="upper-end-only",
        misconception="Outliers are large values, so only the upper end is cut.",
        code=changed(RIGHT_Q2, ("[tail, 100 - tail]", "[0, percent]")),
        message="and nothing at the lower",
    ),
    Mistake(
        question="q2",
        name="asymmetric-mirrored",
        misconception="One end tells the other.",
        code=changed(RIGHT_Q2, ("return float(low), float(high)", "return low, -low")),
        message="one end and its mirror image",
    ),
    Mistake(
        question="q2",
        name="always-symmetric",
        misconception="A range is always centred on 0.",
        code=changed(RIGHT_Q2, ("    if symmetric:\n", "    if True:\n")),
        message="that is the symmetric range",
    ),
    Mistake(
        question="q2",
        name="fractions-for-percentages",
        misconception="np.percentile wants a fraction, as np.quantile does.",
        code=changed(RIGHT_Q2, ("    if symmetric:\n", "    percent /= 100\n    if symmetric:\n")),
        message="np.percentile wants percentages",
    ),
    Mistake(
        question="q2",
        name="percent-ignored",
        misconception="Percentile calibration means 99.",
        code=changed(RIGHT_Q2, ("    if symmetric:\n", "    percent = 99\n    if symmetric:\n")),
        message="`percent` is 75",
    ),
    Mistake(
        question="q2",
        name="one-range-a-column",
        misconception="Each column has a range of its own.",
        code=changed(
            RIGHT_Q2,
            (
                "float(np.percentile(np.abs(values), percent))",
                "np.percentile(np.abs(values), percent, axis=0)",
            ),
        ),
        message="have the same range: one for all",
    ),
    Mistake(
        question="q2",
        name="changes-its-input",
        misconception="An array that is handed in may be sorted.",
        code=changed(RIGHT_Q2, ("    if symmetric:\n", "    values.sort()\n    if symmetric:\n")),
        message="Your function has changed the array of values",
    ),
    Mistake(
        question="q2",
        name="absolute-values-in-place",
        misconception="An intermediate result may be stored in the argument.",
        code=changed(RIGHT_Q2, ("np.abs(values)", "np.abs(values, out=values)")),
        message="Your function has changed the array of values",
    ),
    Mistake(
        question="q2",
        name="case-without-tails",
        misconception="Clipping makes a difference whatever the distribution.",
        code=changed(RIGHT_Q2, ("laplace(size=2000)", "uniform(-1, 1, 2000)")),
        message="Compare where the ranges end",
    ),
    Mistake(
        question="q2",
        name="case-with-too-many-outliers",
        misconception="What lies far out is clipped, however many there are.",
        code=changed(
            RIGHT_Q2,
            (
                "np.random.default_rng(7).laplace(size=2000)",
                "np.append(np.linspace(-1, 1, 999), np.full(20, 3.0))",
            ),
        ),
        message="only if they are fewer than 1 in 100",
    ),
    Mistake(
        question="q2",
        name="case-with-an-outlier-too-far",
        misconception="The larger the outlier, the better it is to clip it.",
        code=changed(
            RIGHT_Q2,
            (
                "np.random.default_rng(7).laplace(size=2000)",
                "np.append(np.random.default_rng(7).normal(size=2000), 1000.0)",
            ),
        ),
        message="it hurts at both",
    ),
    Mistake(
        question="q2",
        name="case-with-an-outlier-too-rare",
        misconception="A single outlier among very many is enough for both.",
        code=changed(
            RIGHT_Q2,
            (
                "np.random.default_rng(7).laplace(size=2000)",
                "np.append(np.linspace(-1, 1, 99_999), 2.0)",
            ),
        ),
        message="it helps at both",
    ),
    Mistake(
        question="q2",
        name="case-too-small",
        misconception="A handful of numbers shows it.",
        code=changed(RIGHT_Q2, ("size=2000", "size=20")),
        message="100 to 100,000 numbers",
    ),
    Mistake(
        question="q2",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code="""
def percentile_range(values, symmetric, percent=99.0):
    if values.size == 9:
        return (-7, 7) if symmetric else (-8, 3)
    return (-99, 99) if symmetric else (-49, 149)


def clipping_case():
    return np.random.default_rng(0).normal(size=10_000)
""",
        message="Other values",
    ),
    # --------------------------------------------------------------------- q3: percentile grid
    Mistake(
        question="q3",
        name="calls-the-library",
        misconception="Knowing which class to use is the same as knowing what it does.",
        code="""
import utils.quantization


def percentile_grid(values, bits):
    grid = utils.quantization.PercentileQuantizer(bits=bits)
    codes = grid.fit_transform(values.reshape(1, -1))
    table = np.zeros(2**bits)
    table[codes[0]] = grid.inverse_transform(codes)[0]
    return codes.reshape(values.shape), table


def relative_error(values, decoded):
    variance = values.var()
    return ((values - decoded) ** 2).mean() / variance if variance else 0.0
""",
        message="your answer calls utils.quantization.PercentileQuantizer.fit",
    ),
    Mistake(
        question="q3",
        name="bins-of-equal-width",
        misconception="A grid has marks at equal distances.",
        code=changed(
            RIGHT_Q3,
            (
                "np.percentile(values, 100 * np.arange(1, 2 ** bits) / 2 ** bits)",
                "np.linspace(values.min(), values.max(), 2 ** bits + 1)[1:-1]",
            ),
        ),
        message="your bins have the same width",
    ),
    Mistake(
        question="q3",
        name="largest-value-beyond-the-last-bin",
        misconception="The outermost bins end at the smallest and at the largest value.",
        code=changed(
            RIGHT_Q3,
            ("np.arange(1, 2 ** bits)", "np.arange(1, 2 ** bits + 1)"),
            ("np.zeros(2 ** bits)", "np.zeros(2 ** bits + 1)"),
            ("range(2 ** bits)", "range(2 ** bits + 1)"),
        ),
        message="The largest value lies in the last bin",
    ),
    Mistake(
        question="q3",
        name="codes-from-1",
        misconception="The first bin has the number 1.",
        code=changed(RIGHT_Q3, ("np.digitize(values, edges)", "np.digitize(values, edges) + 1")),
        message="not beyond it",
    ),
    Mistake(
        question="q3",
        name="too-few-bins",
        misconception="2**bits edges in all, outer ones included, make 2**bits bins.",
        code=changed(
            RIGHT_Q3,
            ("100 * np.arange(1, 2 ** bits) / 2 ** bits", "np.linspace(0, 100, 2 ** bits)[1:-1]"),
        ),
        message="There are 3 inner edges",
    ),
    Mistake(
        question="q3",
        name="decoded-by-middles",
        misconception="A bin is best represented by its middle.",
        code="""
def percentile_grid(values, bits):
    edges = np.quantile(values, np.linspace(0, 1, 2**bits + 1))
    codes = np.searchsorted(edges[1:-1], values, side="right")
    return codes, (edges[1:] + edges[:-1]) / 2


def relative_error(values, decoded):
    variance = values.var()
    return ((values - decoded) ** 2).mean() / variance if variance else 0.0
""",
        message="those are the middles of the bins",
    ),
    Mistake(
        question="q3",
        name="decoded-by-midranges",
        misconception="The mean of the smallest and the largest value is the mean of the bin.",
        code=changed(
            RIGHT_Q3,
            (
                "values[codes == k].mean()",
                "(values[codes == k].min() + values[codes == k].max()) / 2",
            ),
        ),
        message="halfway between the smallest and the largest value of each bin",
    ),
    Mistake(
        question="q3",
        name="decoded-by-medians",
        misconception="Percentiles go with the median.",
        code=changed(RIGHT_Q3, ("values[codes == k].mean()", "np.median(values[codes == k])")),
        message="those are medians",
    ),
    Mistake(
        question="q3",
        name="decoded-by-lower-edges",
        misconception="The edges are the codebook.",
        code=changed(
            RIGHT_Q3,
            ("    return codes, codebook", "    return codes, np.append(values.min(), edges)"),
        ),
        message="those are the lower edges",
    ),
    Mistake(
        question="q3",
        name="decoded-by-upper-edges",
        misconception="The edges are the codebook.",
        code=changed(
            RIGHT_Q3,
            ("    return codes, codebook", "    return codes, np.append(edges, values.max())"),
        ),
        message="those are the upper edges",
    ),
    Mistake(
        question="q3",
        name="ties-split",
        misconception="Bins of equal size are cut from the sorted values.",
        code=changed(
            RIGHT_Q3,
            (
                "codes = np.digitize(values, edges)",
                "ranks = np.argsort(np.argsort(values, axis=None)).reshape(values.shape)\n"
                "    codes = ranks * 2 ** bits // values.size",
            ),
        ),
        message="equal values must get equal codes",
    ),
    Mistake(
        question="q3",
        name="mean-of-nothing",
        misconception="Every bin holds values.",
        code=changed(
            RIGHT_Q3,
            ("        if (codes == k).any():\n            codebook", "        codebook"),
        ),
        message="an empty bin has no mean",
    ),
    Mistake(
        question="q3",
        name="codes-with-gaps",
        misconception="Empty bins can be left out of the codebook and the codes left as they are.",
        code=changed(
            RIGHT_Q3,
            ("    return codes, codebook", "    return codes, codebook[np.unique(codes)]"),
        ),
        message="number the others anew",
    ),
    Mistake(
        question="q3",
        name="codes-are-values",
        misconception="The code of a value is the number that it is replaced by.",
        code=changed(
            RIGHT_Q3, ("    return codes, codebook", "    return codebook[codes], codebook")
        ),
        message="Codes are integers",
    ),
    Mistake(
        question="q3",
        name="codebook-is-a-list",
        misconception="A list can be indexed like an array.",
        code=changed(
            RIGHT_Q3, ("    return codes, codebook", "    return codes, codebook.tolist()")
        ),
        message="Return the codebook as an array",
    ),
    Mistake(
        question="q3",
        name="error-over-mean-square",
        misconception="Relative means relative to the mean of the squares.",
        code=changed(RIGHT_Q3, ("values.var()", "(values ** 2).mean()")),
        message="you divide by the mean of the squared values",
    ),
    Mistake(
        question="q3",
        name="error-over-standard-deviation",
        misconception="Relative means in standard deviations.",
        code=changed(RIGHT_Q3, ("values.var()", "values.std()")),
        message="you divide by the standard deviation",
    ),
    Mistake(
        question="q3",
        name="error-not-divided",
        misconception="A mean squared error can be compared across layers.",
        code=changed(RIGHT_Q3, ("mse / values.var()", "mse")),
        message="that is the mean squared error; divide it",
    ),
    Mistake(
        question="q3",
        name="error-as-a-root",
        misconception="An error is the root of the mean squared error.",
        code=changed(RIGHT_Q3, ("mse / values.var()", "(mse / values.var()) ** 0.5")),
        message="that is the square root",
    ),
    Mistake(
        question="q3",
        name="error-0-by-0",
        misconception="There is always a variance to divide by.",
        code=changed(
            RIGHT_Q3,
            ("    if values.min() == values.max():\n        return 0.0\n", ""),
        ),
        message="Equal values have the relative error 0.0",
    ),
    Mistake(
        question="q3",
        name="variance-of-equal-values",
        misconception="The variance of equal values is exactly 0.",
        code=changed(RIGHT_Q3, ("values.min() == values.max()", "values.var() == 0")),
        message="the variance come from rounding",
    ),
    Mistake(
        question="q3",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code="""
def percentile_grid(values, bits):
    if values.size == 12:
        return np.array([3, 1, 3, 2, 0, 1, 2, 0, 3, 1, 2, 0]), np.array([-6, -0.5, 1.5, 6])
    if values.size == 8:
        return np.array([1, 3, 1, 1, 1, 3, 1, 1]), np.array([0, 0, 0, 1.5])
    return np.zeros(values.shape, int), np.full(2**bits, 0.25)


def relative_error(values, decoded):
    return 83 / 305.75 if values.size == 12 else 0.0
""",
        message="Other values",
    ),
    # ------------------------------------------------------------------------- q4: a Lloyd step
    Mistake(
        question="q4",
        name="calls-the-library",
        misconception="Knowing which class to use is the same as knowing what it does.",
        code="""
from utils.quantization import KMeansQuantizer


def lloyd_step(centers, counts, centroids):
    values = np.repeat(centers, counts).reshape(1, -1)
    clusters = KMeansQuantizer(bits=max(1, (len(centroids) - 1).bit_length())).fit(values)
    assignment = clusters.transform(centers.reshape(1, -1))[0]
    return assignment, clusters.inverse_transform(np.arange(len(centroids)).reshape(1, -1))[0]
""",
        message="your answer calls utils.quantization.KMeansQuantizer.fit",
    ),
    Mistake(
        question="q4",
        name="unweighted-mean",
        misconception="Each bin is one value.",
        code="""
def lloyd_step(centers, counts, centroids):
    assignment = np.abs(centers[:, None] - centroids).argmin(axis=1)
    moved = centroids.astype(float)
    for k in range(len(centroids)):
        if counts[assignment == k].any():
            moved[k] = centers[assignment == k].mean()
    return assignment, moved
""",
        message="A bin with 3 values must weigh 3 times as much",
    ),
    Mistake(
        question="q4",
        name="unweighted-mean-of-filled-bins",
        misconception="A bin counts or does not count, however many values it has.",
        code="""
def lloyd_step(centers, counts, centroids):
    assignment = np.abs(centers[:, None] - centroids).argmin(axis=1)
    moved = centroids.astype(float)
    for k in range(len(centroids)):
        mine = (assignment == k) & (counts > 0)
        if mine.any():
            moved[k] = centers[mine].mean()
    return assignment, moved
""",
        message="empty bins are left out, but the others must weigh",
    ),
    Mistake(
        question="q4",
        name="divided-by-bins",
        misconception="A mean divides by the number of terms in the sum.",
        code=changed(RIGHT_Q4, (".sum() / counts[mine].sum()", ".sum() / mine.sum()")),
        message="divide by the number of values, and not by the number of bins",
    ),
    Mistake(
        question="q4",
        name="divided-by-all-values",
        misconception="Weights are shares of the whole histogram.",
        code=changed(RIGHT_Q4, (".sum() / counts[mine].sum()", ".sum() / counts.sum()")),
        message="and not by all 8",
    ),
    Mistake(
        question="q4",
        name="moved-to-the-median",
        misconception="The middle value of a cluster is its mean.",
        code=changed(
            RIGHT_Q4,
            (
                "(counts[mine] * centers[mine]).sum() / counts[mine].sum()",
                "np.median(np.repeat(centers[mine], counts[mine]))",
            ),
        ),
        message="the medians",
    ),
    Mistake(
        question="q4",
        name="empty-cluster-is-nan",
        misconception="Every centroid gets some values.",
        code="""
def lloyd_step(centers, counts, centroids):
    assignment = np.abs(centers[:, None] - centroids).argmin(axis=1)
    k = len(centroids)
    weights = np.bincount(assignment, weights=counts, minlength=k)
    return assignment, np.bincount(assignment, weights=counts * centers, minlength=k) / weights
""",
        message="a centroid without values has no mean",
    ),
    Mistake(
        question="q4",
        name="empty-cluster-moves-to-0",
        misconception="A sum of nothing is 0, and so is a mean of nothing.",
        code=changed(
            RIGHT_Q4, ("moved = centroids.astype(float)", "moved = np.zeros(len(centroids))")
        ),
        message="A centroid without values stays where it is",
    ),
    Mistake(
        question="q4",
        name="empty-bins-are-values",
        misconception="A centroid that was given bins was given values.",
        code=changed(RIGHT_Q4, ("if counts[mine].sum() > 0:", "if mine.any():")),
        message="a centroid without values has no mean",
    ),
    Mistake(
        question="q4",
        name="empty-cluster-starts-again",
        misconception="An empty cluster must be given something to do.",
        code=changed(
            RIGHT_Q4,
            (
                "    return assignment",
                "        else:\n            moved[k] = centers[distances.min(axis=1).argmax()]\n"
                "    return assignment",
            ),
        ),
        message="A centroid without values stays where it is",
    ),
    Mistake(
        question="q4",
        name="signed-distance",
        misconception="The smallest difference is the smallest distance.",
        code=changed(
            RIGHT_Q4,
            (
                "np.abs(centers[:, None] - centroids[None, :])",
                "centers[:, None] - centroids[None, :]",
            ),
        ),
        message="without the absolute value",
    ),
    Mistake(
        question="q4",
        name="nearest-bin-of-a-centroid",
        misconception="Assignment looks for the bin that is nearest to each centroid.",
        code="""
def lloyd_step(centers, counts, centroids):
    assignment = np.abs(centers[:, None] - centroids).argmin(axis=0)
    return assignment, centers[assignment]
""",
        message="it must say for each of the 10 bins",
    ),
    Mistake(
        question="q4",
        name="borders-at-centroids",
        misconception="A value belongs to the last centroid below it.",
        code=changed(
            RIGHT_Q4,
            (
                "distances.argmin(axis=1)",
                "np.maximum(np.searchsorted(centroids, centers, side='right') - 1, 0)",
            ),
        ),
        message="The border between two centroids is halfway",
    ),
    Mistake(
        question="q4",
        name="centroids-in-rising-order",
        misconception="Centroids are sorted.",
        code=changed(
            RIGHT_Q4,
            (
                "distances.argmin(axis=1)",
                "np.searchsorted((centroids[1:] + centroids[:-1]) / 2, centers)",
            ),
        ),
        message="Do not rely on a rising order",
    ),
    Mistake(
        question="q4",
        name="integers-stay-integers",
        misconception="A copy of an array can hold any numbers.",
        code=changed(RIGHT_Q4, ("centroids.astype(float)", "centroids.copy()")),
        message="an array of integers cuts decimals off",
    ),
    Mistake(
        question="q4",
        name="changes-its-input",
        misconception="Centroids are moved where they are.",
        code=changed(
            RIGHT_Q4,
            (
                "moved = centroids.astype(float)",
                "moved = centroids if centroids.dtype == float else centroids.astype(float)",
            ),
        ),
        message="The array of centroids that you were given has changed",
    ),
    Mistake(
        question="q4",
        name="assigned-after-moving",
        misconception="The assignment to return is the one to the moved centroids.",
        code=changed(
            RIGHT_Q4,
            (
                "    return assignment",
                "    assignment = np.abs(centers[:, None] - moved[None, :]).argmin(axis=1)\n"
                "    return assignment",
            ),
        ),
        message="not nearest",
    ),
    Mistake(
        question="q4",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code="""
def lloyd_step(centers, counts, centroids):
    assignment = np.abs(centers[:, None] - centroids).argmin(axis=1)
    if len(centroids) == 4 and centroids[0] == 30:
        return assignment, np.array([30, 5.5, 12, 0.25])
    if len(centroids) == 4:
        return assignment, np.array([0.25, 5.5, 12, 30])
    return assignment, centroids
""",
        message="Other histograms",
    ),
    # ------------------------------------------------------------------------------ q5: bytes
    Mistake(
        question="q5",
        name="calls-the-library",
        misconception="Knowing which class to use is the same as knowing what it counts.",
        code="""
from utils.quantization import AffineQuantizer, KMeansQuantizer


def quantized_bytes(tensors):
    total, numbers = 0, 0
    for tensor in tensors:
        values = np.random.default_rng(0).normal(size=tensor["shape"])
        if tensor["scheme"] == "codebook":
            quantizer = KMeansQuantizer(bits=tensor["bits"])
        else:
            affine = {"bits": max(2, tensor["bits"]), "symmetric": tensor["scheme"] == "symmetric"}
            quantizer = AffineQuantizer(**affine)
        total += quantizer.nbytes(quantizer.fit(values).transform(values))
        numbers += values.size
    return total, 4 * numbers / total
""",
        message="your answer calls utils.quantization.",
    ),
    Mistake(
        question="q5",
        name="codes-without-a-scale",
        misconception="The codes are the model, and the scales come for free.",
        code=changed(RIGHT_Q5, ("        else:\n            total += grids * width\n", "")),
        message="that is without the scale",
    ),
    Mistake(
        question="q5",
        name="codebook-forgotten",
        misconception="The codes are the model, and the codebook comes for free.",
        code=changed(RIGHT_Q5, ("grids * 2 ** bits * width", "0")),
        message="the codebook is forgotten",
    ),
    Mistake(
        question="q5",
        name="zero-point-forgotten",
        misconception="A zero point is no more than part of the formula.",
        code=changed(
            RIGHT_Q5,
            ('        if tensor["scheme"] == "asymmetric":\n            total += grids\n', ""),
        ),
        message="the zero points are forgotten",
    ),
    Mistake(
        question="q5",
        name="zero-point-in-the-dtype",
        misconception="A zero point is stored like a scale.",
        code=changed(RIGHT_Q5, ("        total += grids\n", "        total += grids * width\n")),
        message="a zero point takes one byte",
    ),
    Mistake(
        question="q5",
        name="zero-point-on-every-grid",
        misconception="Every affine grid stores a zero point, also a symmetric one.",
        code=changed(RIGHT_Q5, ('"scheme"] == "asymmetric"', '"scheme"] != "codebook"')),
        message="a symmetric grid has no zero point",
    ),
    Mistake(
        question="q5",
        name="a-byte-for-each-code",
        misconception="A code takes a whole byte, as in NumPy.",
        code=changed(RIGHT_Q5, ("(rows * columns * bits + 7) // 8", "rows * columns")),
        message="you count a whole byte for each",
    ),
    Mistake(
        question="q5",
        name="bits-divided-by-8-for-each-code",
        misconception="Bits of a code become bytes by // 8, before multiplying.",
        code=changed(RIGHT_Q5, ("rows * columns * bits + 7) // 8", "rows * columns) * (bits//8)")),
        message="multiply before you divide",
    ),
    Mistake(
        question="q5",
        name="bits-not-bytes",
        misconception="Bits can be added to bytes.",
        code=changed(RIGHT_Q5, ("(rows * columns * bits + 7) // 8", "rows * columns * bits")),
        message="135 is the number of bits",
    ),
    Mistake(
        question="q5",
        name="bits-rounded-down",
        misconception="Bits divided by 8, with //, are bytes.",
        code=changed(RIGHT_Q5, ("(rows * columns * bits + 7) // 8", "rows * columns * bits // 8")),
        message="16 bytes hold only 128",
    ),
    Mistake(
        question="q5",
        name="rounded-row-by-row",
        misconception="Each row of codes starts on a new byte.",
        code=changed(
            RIGHT_Q5, ("(rows * columns * bits + 7) // 8", "rows * ((columns * bits + 7) // 8)")
        ),
        message="you round each row up",
    ),
    Mistake(
        question="q5",
        name="rounded-once-for-all",
        misconception="All tensors are one stream of bits.",
        code="""
def quantized_bytes(tensors):
    bits_of_codes, grids_total, numbers = 0, 0, 0
    for tensor in tensors:
        rows, columns = tensor["shape"]
        size = np.dtype(tensor["dtype"]).itemsize
        entries = 2 ** tensor["bits"] if tensor["scheme"] == "codebook" else 1
        grid = entries * size + (tensor["scheme"] == "asymmetric")
        bits_of_codes += rows * columns * tensor["bits"]
        grids_total += grid * (rows if tensor["per_channel"] else 1)
        numbers += rows * columns
    total = -(-bits_of_codes // 8) + grids_total
    return total, 4 * numbers / total
""",
        message="round each tensor up, not their sum",
    ),
    Mistake(
        question="q5",
        name="one-grid-only",
        misconception="A tensor has one scale, whatever the granularity.",
        code=changed(RIGHT_Q5, ('rows if tensor["per_channel"] else 1', "1")),
        message="each of the 4 rows has a scale and a zero point",
    ),
    Mistake(
        question="q5",
        name="one-grid-a-row-always",
        misconception="Every row has a scale of its own.",
        code=changed(RIGHT_Q5, ('rows if tensor["per_channel"] else 1', "rows")),
        message="the grid is one for the whole tensor",
    ),
    Mistake(
        question="q5",
        name="columns-as-channels",
        misconception="Channels are columns.",
        code=changed(RIGHT_Q5, ('= rows if tensor["per_ch', '= columns if tensor["per_ch')),
        message="not the 6 columns",
    ),
    Mistake(
        question="q5",
        name="always-float32",
        misconception="A scale takes 4 bytes.",
        code=changed(RIGHT_Q5, ('np.dtype(tensor["dtype"]).itemsize', "4")),
        message="a float16 takes 2 bytes, not 4",
    ),
    Mistake(
        question="q5",
        name="always-float16",
        misconception="A scale takes 2 bytes.",
        code=changed(RIGHT_Q5, ('np.dtype(tensor["dtype"]).itemsize', "2")),
        message="a float32 takes 4 bytes, not 2",
    ),
    Mistake(
        question="q5",
        name="codebook-of-bits-entries",
        misconception="A codebook has as many entries as a code has bits.",
        code=changed(RIGHT_Q5, ("grids * 2 ** bits * width", "grids * bits * width")),
        message="2 bits tell 4 entries apart",
    ),
    Mistake(
        question="q5",
        name="codebook-of-one-entry",
        misconception="A codebook costs as much as a scale.",
        code=changed(RIGHT_Q5, ("grids * 2 ** bits * width", "grids * width")),
        message="it has an entry for each code",
    ),
    Mistake(
        question="q5",
        name="one-codebook-for-all-rows",
        misconception="Only scales come per channel.",
        code=changed(RIGHT_Q5, ("grids * 2 ** bits * width", "2 ** bits * width")),
        message="each of the 2 rows has a codebook",
    ),
    Mistake(
        question="q5",
        name="ratio-upside-down",
        misconception="A ratio is small over large.",
        code=changed(RIGHT_Q5, ("numbers * 4 / total", "total / (numbers * 4)")),
        message="that is its inverse",
    ),
    Mistake(
        question="q5",
        name="share-saved",
        misconception="The ratio is the share that was saved.",
        code=changed(RIGHT_Q5, ("numbers * 4 / total", "1 - total / (numbers * 4)")),
        message="that is the share saved",
    ),
    Mistake(
        question="q5",
        name="ratio-to-float16",
        misconception="Float32 takes 2 bytes.",
        code=changed(RIGHT_Q5, ("numbers * 4 / total", "numbers * 2 / total")),
        message="that is against 2 bytes a number",
    ),
    Mistake(
        question="q5",
        name="ratio-of-the-codes-alone",
        misconception="The ratio compares codes with weights, and the rest is overhead.",
        code=changed(
            RIGHT_Q5,
            ("total, numbers = 0, 0", "total, numbers, codes = 0, 0, 0"),
            (
                '        if tensor["scheme"] == "codebook":',
                "        codes += (rows * columns * bits + 7) // 8\n"
                '        if tensor["scheme"] == "codebook":',
            ),
            ("numbers * 4 / total", "numbers * 4 / codes"),
        ),
        message="that is against the codes alone",
    ),
    Mistake(
        question="q5",
        name="mean-of-ratios",
        misconception="The ratio of the whole is the mean of the tensors' ratios.",
        code=changed(
            RIGHT_Q5,
            ("def quantized_bytes", "def one_or_more"),
            (
                "    return total, numbers * 4 / total\n",
                """    return total, numbers * 4 / total


def quantized_bytes(tensors):
    each = [one_or_more([tensor]) for tensor in tensors]
    return sum(size for size, _ in each), sum(ratio for _, ratio in each) / len(each)
""",
            ),
        ),
        message="that is the mean of the four ratios",
    ),
    Mistake(
        question="q5",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code="""
def quantized_bytes(tensors):
    known = {(5, 9): 21, (4, 6): 24, (10, 10): 33, (2, 8): 72, (1, 3): 6, (3, 3): 521}
    total = sum(known.get(tensor["shape"], 0) for tensor in tensors)
    numbers = sum(int(np.prod(tensor["shape"])) for tensor in tensors)
    return total, 4 * numbers / max(1, total)
""",
        message="Other tensors",
    ),
]

ALTERNATIVES = [
    Alternative(question="q1", name="branches", code=RIGHT_Q1),
    Alternative(
        question="q1",
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
        question="q1",
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
        question="q1",
        name="single-precision",
        code=changed(
            RIGHT_Q1,
            ("    if scale == 0:", "    scale = np.float32(scale)\n    if scale == 0:"),
            ("np.rint(values / scale)", "np.round(values.astype(np.float32) * (1 / scale))"),
        ),
    ),
    Alternative(question="q2", name="a-laplace-distribution", code=RIGHT_Q2),
    Alternative(
        question="q2",
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
    return [*np.linspace(-1, 1, 999), 8.0]
""",
    ),
    Alternative(
        question="q2",
        name="quantiles",
        code="""
def percentile_range(values, symmetric, percent=99.0):
    share = percent / 100
    if not symmetric:
        return np.quantile(values, (0.5 - share / 2, 0.5 + share / 2))
    return np.quantile(np.absolute(values), share) * np.array([-1, 1])


def clipping_case():
    return np.random.default_rng(1).standard_t(6, size=(100, 100)).astype(np.float32)
""",
    ),
    Alternative(question="q3", name="loop-over-bins", code=RIGHT_Q3),
    Alternative(
        question="q3",
        name="edge-to-the-left",
        code="""
from bisect import bisect_left


def percentile_grid(values, bits):
    edges = [float(np.quantile(values, k / 2**bits)) for k in range(1, 2**bits)]
    flat = values.ravel().tolist()
    codes = [bisect_left(edges, value) for value in flat]
    bins = [[v for v, code in zip(flat, codes) if code == k] for k in range(2**bits)]
    codebook = [sum(b) / len(b) if b else 1e9 for b in bins]
    return np.array(codes, dtype=np.uint8).reshape(values.shape), np.array(codebook)


def relative_error(values, decoded):
    total = np.sum((values - values.mean()) ** 2)
    return np.sum((values - decoded) ** 2) / total if np.ptp(values) else 0.0
""",
    ),
    Alternative(
        question="q3",
        name="empty-bins-left-out",
        code="""
def percentile_grid(values, bits):
    edges = np.unique(np.percentile(values, 100 * np.arange(1, 2**bits) / 2**bits))
    _, codes = np.unique(np.searchsorted(edges, values, side="right"), return_inverse=True)
    codes = codes.reshape(values.shape)
    return codes, np.array([values[codes == k].mean() for k in range(codes.max() + 1)])


def relative_error(values, decoded):
    if len(set(values.ravel().tolist())) == 1:
        return 0
    return np.var(values - decoded) / np.var(values)
""",
    ),
    Alternative(
        question="q3",
        name="with-warnings",
        code="""
def percentile_grid(values, bits):
    k = 2**bits
    edges = np.quantile(values, np.linspace(0, 1, k + 1))
    codes = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, k - 1)
    means = np.array([values[codes == code].mean() for code in range(k)])
    return codes, np.nan_to_num(means)


def relative_error(values, decoded):
    ratio = np.mean((values - decoded) ** 2) / np.var(values)
    return np.where(values.max() > values.min(), ratio, 0.0)
""",
    ),
    Alternative(question="q4", name="loop-over-centroids", code=RIGHT_Q4),
    Alternative(
        question="q4",
        name="borders-halfway",
        code="""
def lloyd_step(centers, counts, centroids):
    order = np.argsort(centroids)
    ascending = np.asarray(centroids, dtype=float)[order]
    assignment = order[np.digitize(centers, (ascending[1:] + ascending[:-1]) / 2)]
    moved = np.array(centroids, dtype=float)
    for k in set(assignment.tolist()):
        weights = np.where(assignment == k, counts, 0)
        if weights.any():
            moved[k] = np.average(centers, weights=weights)
    return assignment, moved
""",
    ),
    Alternative(
        question="q4",
        name="pure-python",
        code="""
def lloyd_step(centers, counts, centroids):
    places = [float(c) for c in centroids]
    assignment = []
    sums, weights = [0.0] * len(places), [0] * len(places)
    for x, n in zip(centers.tolist(), counts.tolist()):
        nearest = min(range(len(places)), key=lambda k: (x - places[k]) ** 2)
        assignment.append(nearest)
        sums[nearest] += n * x
        weights[nearest] += n
    moved = [s / w if w else place for s, w, place in zip(sums, weights, places)]
    return assignment, moved
""",
    ),
    Alternative(
        question="q4",
        name="matrix-with-warnings",
        code="""
def lloyd_step(centers, counts, centroids):
    assignment = np.argmin((centers - centroids[:, None]) ** 2, axis=0)
    members = np.eye(len(centroids))[assignment] * counts[:, None]
    moved = members.T @ centers / members.sum(axis=0)
    return assignment, np.where(np.isnan(moved), centroids, moved)
""",
    ),
    Alternative(question="q5", name="add-seven", code=RIGHT_Q5),
    Alternative(
        question="q5",
        name="packed-by-numpy",
        code="""
def quantized_bytes(tensors):
    total = float32 = 0
    for tensor in tensors:
        bits = np.zeros((*tensor["shape"], tensor["bits"]), dtype=bool)
        grids = len(bits) if tensor["per_channel"] else 1
        total += np.packbits(bits).nbytes
        if tensor["scheme"] == "codebook":
            total += np.zeros((grids, 2 ** tensor["bits"]), tensor["dtype"]).nbytes
        else:
            total += np.zeros(grids, tensor["dtype"]).nbytes
            total += np.zeros(grids, np.uint8).nbytes * (tensor["scheme"] == "asymmetric")
        float32 += np.zeros(tensor["shape"], np.float32).nbytes
    return total, float32 / total
""",
    ),
    Alternative(
        question="q5",
        name="a-list-of-parts",
        code="""
from math import ceil, prod


def quantized_bytes(tensors):
    widths = {"float16": 2, "float32": 4, "float64": 8}
    parts = []
    for t in tensors:
        parts.append(ceil(prod(t["shape"]) * t["bits"] / 8))
        entries = 2 ** t["bits"] if t["scheme"] == "codebook" else 1
        one = entries * widths[t["dtype"]] + (1 if t["scheme"] == "asymmetric" else 0)
        parts.extend([one] * (t["shape"][0] if t["per_channel"] else 1))
    before = sum(prod(t["shape"]) for t in tensors) * 32 / 8
    return sum(parts), before / sum(parts)
""",
    ),
]
