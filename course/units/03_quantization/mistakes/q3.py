"""Question 3, a percentile grid and its error: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

EDGES = "np.quantile(values, np.arange(1, size) / size)"
CODES = 'np.searchsorted(edges, values, side="right")'
MEANS = "sums / np.maximum(counts, 1)"
ASIDE = "    size, before = 2**bits, values\n    values = values.copy()\n"
RETURN = f"return codes, {MEANS}"
ERROR = "np.mean((decoded - values) ** 2)"
RATIO = "float(np.mean((decoded - values) ** 2) / np.var(values))"
EQUAL = "if values.min() == values.max():"
GUARD = "    if values.min() == values.max():\n        return 0.0\n"


def entry(value: str) -> tuple:
    """Another representative of a bin, where it holds values."""
    return ((RETURN, f"return codes, per_bin(values, codes, size, lambda v: {value})"),)


PER_BIN = """
def per_bin(values, codes, size, entry):
    return np.array([entry(values[codes == k]) if (codes == k).any() else 0.0 for k in range(size)])
"""

MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which class to use is the same as knowing what it does.",
        message="your answer calls utils.quantization.PercentileQuantizer.fit",
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
    ),
    # --------------------------------------------------------------------- edges and codes
    Mistake(
        name="bins-of-equal-width",
        misconception="A grid has marks at equal distances.",
        message="Your bins have the same width. Give them the same number of values.",
        changes=((EDGES, "np.linspace(values.min(), values.max(), size + 1)[1:-1]"),),
    ),
    Mistake(
        name="bins-of-absolute-values",
        misconception="Weights are symmetric, so their sizes tell all.",
        message="Your bins are cut by absolute values. The values themselves are meant.",
        changes=((EDGES, "np.quantile(np.abs(values), np.arange(1, size) / size)"),),
        variants=(
            (
                (EDGES, "np.quantile(np.abs(values), np.arange(1, size) / size)"),
                (CODES, 'np.searchsorted(edges, np.abs(values), side="right")'),
            ),
        ),
    ),
    Mistake(
        name="edges-that-are-values",
        misconception="A quantile is one of the values.",
        message="Your edges are not those of np.quantile, which interpolates between two values; a "
        "value may end up on the other side.",
        changes=((EDGES, 'np.quantile(values, np.arange(1, size) / size, method="lower")'),),
        variants=(
            ((EDGES, 'np.quantile(values, np.arange(1, size) / size, method="nearest")'),),
            ((EDGES, "np.sort(values, axis=None)[np.arange(1, size) * values.size // size]"),),
            (
                (EDGES, "np.sort(values, axis=None)[np.arange(1, size) * values.size // size]"),
                (CODES, 'np.searchsorted(edges, values, side="left")'),
            ),
            (
                (EDGES, 'np.quantile(values, np.arange(1, size) / size, method="higher")'),
                (CODES, 'np.searchsorted(edges, values, side="left")'),
            ),
        ),
    ),
    Mistake(
        name="largest-value-beyond-the-last-bin",
        misconception="The outermost bins end at the smallest and at the largest value.",
        message="The largest value has a code of its own, 2**bits. It lies in the last bin, not beyond "
        "it: the outermost bins need no outer edge.",
        changes=(
            (EDGES, "np.quantile(values, np.arange(1, size + 1) / size)"),
            ("minlength=size", "minlength=size + 1"),
        ),
        variants=(
            ((EDGES, "np.quantile(values, np.arange(1, size + 1) / size)"),),
            (
                (EDGES, "np.quantile(values, np.arange(0, size + 1) / size)"),
                (CODES, 'np.searchsorted(edges, values, side="right") - 1'),
                ("minlength=size", "minlength=size + 1"),
            ),
        ),
    ),
    Mistake(
        name="smallest-value-alone",
        misconception="The outermost bins begin at the smallest value.",
        message="The smallest value got another code than the others of its bin, or code -1. The "
        "outermost bins need no outer edge.",
        changes=(
            (EDGES, "np.quantile(values, np.arange(0, size) / size)"),
            (CODES, 'np.searchsorted(edges, values, side="left")'),
            ("minlength=size", "minlength=size + 1"),
        ),
        variants=(
            (
                (EDGES, "np.quantile(values, np.arange(0, size) / size)"),
                (CODES, 'np.searchsorted(edges, values, side="left")'),
            ),
            (
                (EDGES, "np.quantile(values, np.arange(0, size + 1) / size)"),
                (CODES, 'np.searchsorted(edges, values, side="left") - 1'),
                (RETURN, "return codes, per_bin(values, codes, size, np.mean)"),
                ("    counts = np.bincount(codes.ravel(), minlength=size)\n", ""),
                (
                    "    sums = np.bincount(codes.ravel(), weights=values.ravel(), minlength=size)\n",
                    "",
                ),
            ),
        ),
        helpers=PER_BIN,
    ),
    Mistake(
        name="codes-from-1",
        misconception="The first bin has the number 1.",
        message="Your codes begin at 1. The first bin has the number 0.",
        changes=((RETURN, f"return codes + 1, {MEANS}"),),
        variants=(
            (
                (CODES, 'np.searchsorted(edges, values, side="right") + 1'),
                ("minlength=size", "minlength=size + 1"),
            ),
            ((RETURN, f"return codes + 1, np.append(0.0, {MEANS})"),),
        ),
    ),
    Mistake(
        name="codes-descending",
        misconception="Code 0 stands for the largest values.",
        message="Your codes run from the largest values to the smallest. Code 0 is the bin of the "
        "smallest values.",
        changes=((RETURN, f"return size - 1 - codes, ({MEANS})[::-1]"),),
        variants=(
            ((RETURN, f"return size - 1 - codes, {MEANS}"),),
            ((RETURN, f"return codes, ({MEANS})[::-1]"),),
        ),
    ),
    Mistake(
        name="too-few-bins",
        misconception="2**bits edges in all, outer ones included, make 2**bits bins.",
        message="You make fewer bins than 2**bits. That many bins are parted by 2**bits - 1 inner edges.",
        changes=((EDGES, "np.quantile(values, np.linspace(0, 1, size)[1:-1])"),),
        variants=(
            (("size = 2**bits", "size = 2**bits - 1"),),
            ((EDGES, "np.quantile(values, np.arange(1, size - 1) / size)"),),
            ((EDGES, "np.quantile(values, np.arange(1, size - 1) / (size - 1))"),),
            (
                (EDGES, "np.quantile(values, np.linspace(0, 1, size)[1:-1])"),
                (MEANS, "(sums / np.maximum(counts, 1))[:-1]"),
            ),
            ((EDGES, "np.quantile(values, np.arange(2, size) / size)"),),
            (("size = 2**bits", "size = 2 ** (bits - 1)"),),
        ),
    ),
    Mistake(
        name="too-many-bins",
        misconception="2**bits edges make 2**bits bins.",
        message="You make one bin more than 2**bits, by 2**bits inner edges. There are 2**bits - 1.",
        changes=(
            (EDGES, "np.quantile(values, np.arange(1, size + 1) / (size + 1))"),
            ("minlength=size", "minlength=size + 1"),
        ),
        variants=(
            (("size = 2**bits", "size = 2**bits + 1"),),
            (
                (EDGES, "np.quantile(values, np.linspace(0, 1, size + 2)[1:-1])"),
                ("minlength=size", "minlength=size + 1"),
            ),
        ),
    ),
    Mistake(
        name="twice-bits-for-a-power",
        misconception="2**bits is 2 * bits.",
        message="The number of your bins is 2 * bits or bits ** 2, which is 2**bits for 2 bits only.",
        changes=(("size = 2**bits", "size = 2 * bits"),),
        variants=((("size = 2**bits", "size = bits**2"),),),
    ),
    Mistake(
        name="as-many-bins-as-bits",
        misconception="bits is the number of bins.",
        message="You make as many bins as there are bits. Codes of so many bits tell 2**bits bins apart.",
        changes=(("size = 2**bits", "size = bits"),),
    ),
    Mistake(
        name="bits-ignored",
        misconception="The number of bins is always the same.",
        message="The number of your bins does not depend on `bits`.",
        changes=(("size = 2**bits", "size = 4"),),
        variants=((("size = 2**bits", "size = 256"),),),
    ),
    Mistake(
        name="fractions-for-percentages",
        misconception="np.percentile wants fractions, as np.quantile does.",
        message="np.percentile wants percentages from 0 to 100: with fractions all edges lie at the "
        "smallest values.",
        changes=((EDGES, "np.percentile(values, np.arange(1, size) / size)"),),
    ),
    Mistake(
        name="edges-of-every-row",
        misconception="Each row or column has a grid of its own.",
        message="You compute quantiles for each row or column. They are those of all values together.",
        changes=(("codes = " + CODES, "codes = by_row(values, size)"),),
        variants=(
            (("codes = " + CODES, 'codes = by_row(values, size, "left")'),),
            (("codes = " + CODES, 'codes = by_row(values, size, "left", flat=False)'),),
            (("codes = " + CODES, 'codes = by_row(values.T, size, "left").T'),),
            (("codes = " + CODES, "codes = by_row(values.T, size).T"),),
            ((EDGES, "np.quantile(values, np.arange(1, size) / size, axis=-1)"),),
            ((EDGES, "np.quantile(values, np.arange(1, size) / size, axis=0)"),),
        ),
        helpers="""
def by_row(values, size, side="right", flat=True):
    rows = np.atleast_2d(values)
    rows = rows.reshape(-1, rows.shape[-1]) if flat else rows
    parts = np.arange(1, size) / size
    found = [np.searchsorted(np.quantile(row, parts), row, side=side) for row in rows]
    return np.array(found).reshape(values.shape)
""",
    ),
    Mistake(
        name="flat-codes",
        misconception="The shape does not matter.",
        message="Your codes are a flat array. They must have the shape of the values.",
        changes=((RETURN, f"return codes.ravel(), {MEANS}"),),
    ),
    Mistake(
        name="codes-of-sorted-values",
        misconception="Codes come in the order of the sorted values.",
        message="Your codes are those of the sorted values. Give them in the order of the values.",
        changes=(
            (
                CODES,
                'np.searchsorted(edges, np.sort(values, axis=None), side="right").reshape(values.shape)',
            ),
            ("weights=values.ravel()", "weights=np.sort(values, axis=None)"),
        ),
        variants=(((RETURN, f"return np.sort(codes, axis=None).reshape(values.shape), {MEANS}"),),),
    ),
    Mistake(
        name="edge-values-in-no-bin",
        misconception="A value lies between two edges, and never on one.",
        message="A value that equals an edge got no bin, because it is compared with < on both sides, "
        "or got one far off.",
        changes=((CODES, "strictly(values, edges)"),),
        variants=(((CODES, "strictly(values, edges, len(edges))"),),),
        helpers="""
def strictly(values, edges, start=0):
    ends = np.concatenate([[-np.inf], edges, [np.inf]])
    codes = np.full(values.shape, start)
    for k in range(len(ends) - 1):
        codes[(values > ends[k]) & (values < ends[k + 1])] = k
    return codes
""",
    ),
    Mistake(
        name="ties-split",
        misconception="Bins of equal size are cut from the sorted values.",
        message="Equal values got different codes. Compare each value with the edges, and do not cut "
        "the sorted values into parts.",
        changes=((CODES, "ranks(values) * size // values.size"),),
        variants=(
            ((CODES, "cut(values, size)"),),
            ((CODES, "ranks(values, False) * size // values.size"),),
        ),
        helpers="""
def ranks(values, stable=True):
    order = np.argsort(values, axis=None, kind="stable" if stable else None)
    return np.argsort(order).reshape(values.shape)


def cut(values, size):
    codes = np.empty(values.size, dtype=int)
    for k, part in enumerate(np.array_split(np.argsort(values, axis=None, kind="stable"), size)):
        codes[part] = k
    return codes.reshape(values.shape)
""",
    ),
    Mistake(
        name="nearest-entry",
        misconception="A value is always decoded by the nearest entry.",
        message="You give each value the code of the nearest entry, which is a step of k-means. The "
        "code is the number of the bin that the value lies in.",
        changes=((RETURN, "return nearest(values, codes, size)"),),
        helpers="""
def nearest(values, codes, size):
    means = [values[codes == k].mean() if (codes == k).any() else np.inf for k in range(size)]
    book = np.array(means)
    codes = np.abs(values[..., None] - book).argmin(axis=-1)
    book[np.isinf(book)] = 0
    return codes, book
""",
    ),
    # ------------------------------------------------------------------------ the codebook
    Mistake(
        name="decoded-by-middles",
        misconception="A bin is best represented by its middle.",
        message="Your entries are the middles of the bins. In the tails hardly any value is near the "
        "middle; take the mean of the values in the bin.",
        changes=(
            (
                RETURN,
                "ends = np.quantile(values, np.arange(size + 1) / size)\n"
                "    return codes, (ends[1:] + ends[:-1]) / 2",
            ),
        ),
    ),
    Mistake(
        name="decoded-by-midranges",
        misconception="The mean of the smallest and the largest value is the mean of the bin.",
        message="Your entries are halfway between the smallest and the largest value of each bin; "
        "take the mean of all of them.",
        changes=entry("(v.min() + v.max()) / 2"),
        helpers=PER_BIN,
    ),
    Mistake(
        name="decoded-by-medians",
        misconception="Percentiles go with the median.",
        message="Your entries are medians, which make the mean absolute error small; for the mean "
        "squared error take means.",
        changes=entry("np.median(v)"),
        helpers=PER_BIN,
    ),
    Mistake(
        name="decoded-by-quantiles",
        misconception="The middle quantile of a bin is its mean.",
        message="Your entries are the quantiles (k + 0.5) / K. Take the mean of the values in each bin.",
        changes=((RETURN, "return codes, np.quantile(values, (np.arange(size) + 0.5) / size)"),),
        variants=(((RETURN, "return codes, np.quantile(values, np.linspace(0, 1, size))"),),),
    ),
    Mistake(
        name="decoded-by-lower-edges",
        misconception="The edges are the codebook.",
        message="Your entries are the lower edges of the bins, or their smallest values. Take the "
        "mean of the values in each bin.",
        changes=((RETURN, "return codes, np.append(values.min(), edges)"),),
        variants=(entry("v.min()"), ((RETURN, "return codes, np.append(0.0, edges)"),)),
        helpers=PER_BIN,
    ),
    Mistake(
        name="decoded-by-upper-edges",
        misconception="The edges are the codebook.",
        message="Your entries are the upper edges of the bins, or their largest values. Take the mean "
        "of the values in each bin.",
        changes=((RETURN, "return codes, np.append(edges, values.max())"),),
        variants=(entry("v.max()"), ((RETURN, "return codes, np.append(edges, 0.0)"),)),
        helpers=PER_BIN,
    ),
    Mistake(
        name="decoded-by-edges",
        misconception="There is an entry for each edge.",
        message="Your codebook holds the edges, one fewer than there are bins.",
        changes=((RETURN, "return codes, edges"),),
    ),
    Mistake(
        name="decoded-by-sums",
        misconception="A sum tells as much as a mean.",
        message="Your entries are the sums of the values in each bin. Divide by their number.",
        changes=((MEANS, "sums"),),
    ),
    Mistake(
        name="decoded-by-sums-over-all",
        misconception="A mean divides by the number of all values.",
        message="You divide the sum of a bin by the number of all values, or by the number that a bin "
        "should hold. Divide by the number of values in that bin.",
        changes=((MEANS, "sums / values.size"),),
        variants=(
            ((MEANS, "sums / (values.size / size)"),),
            ((MEANS, "sums / max(values.size // size, 1)"),),
        ),
    ),
    Mistake(
        name="decoded-by-equal-parts",
        misconception="The k-th part of the sorted values is the k-th bin.",
        message="Your entries are means of equal parts of the sorted values, which are not quite the "
        "bins between the edges. Take the mean of the values that have the code.",
        changes=((RETURN, "return codes, parts(values, size)"),),
        helpers="""
def parts(values, size):
    cut = np.array_split(np.sort(values, axis=None), size)
    return np.array([part.mean() if len(part) else 0.0 for part in cut])
""",
    ),
    Mistake(
        name="equal-values-count-once",
        misconception="A value that occurs twice counts once.",
        message="Equal values count once in your means. Ten zeros are ten values.",
        changes=entry("np.unique(v).mean()"),
        helpers=PER_BIN,
    ),
    Mistake(
        name="codebook-of-integers",
        misconception="An array takes whatever is put in.",
        message="The entries of your codebook are rounded or cut to whole numbers: it was made as an "
        "array of integers.",
        changes=((MEANS, "(sums / np.maximum(counts, 1)).astype(int)"),),
        variants=(
            ((MEANS, "sums // np.maximum(counts, 1)"),),
            ((MEANS, "np.rint(sums / np.maximum(counts, 1))"),),
            ((MEANS, "np.round(sums / np.maximum(counts, 1), 2)"),),
        ),
    ),
    Mistake(
        name="codebook-of-absolute-values",
        misconception="Sizes are what counts.",
        message="Your entries are means of absolute values. The values themselves are meant.",
        changes=(("weights=values.ravel()", "weights=np.abs(values).ravel()"),),
    ),
    Mistake(
        name="mean-of-nothing",
        misconception="Every bin holds values.",
        message="An empty bin has no mean, since 0 / 0 is nan. Put in any finite number.",
        changes=((MEANS, "sums / counts"),),
        variants=(
            ((RETURN, "return codes, np.array([values[codes == k].mean() for k in range(size)])"),),
            ((RETURN, "return codes, per_bin(values, codes, size, np.mean, np.inf)"),),
            ((RETURN, "return codes, per_bin(values, codes, size, np.mean, np.nan)"),),
        ),
        helpers=PER_BIN.replace("entry):", "entry, empty=0.0):").replace("else 0.0", "else empty"),
    ),
    Mistake(
        name="mean-of-nothing-raises",
        misconception="Every bin holds values.",
        message="Your answer raises ZeroDivisionError: an empty bin has no mean, so ask first whether "
        "it holds values.",
        changes=entry("v.mean()"),
        helpers="""
def per_bin(values, codes, size, entry):
    flat = [values[codes == k].tolist() for k in range(size)]
    return np.array([sum(part) / len(part) for part in flat])
""",
    ),
    Mistake(
        name="codes-with-gaps",
        misconception="Empty bins can be left out of the codebook and the codes left as they are.",
        message="You leave empty bins out of the codebook, but do not number the others anew, so that "
        "codes point beyond it or at a wrong entry.",
        changes=((RETURN, f"return codes, ({MEANS})[np.unique(codes)]"),),
        variants=(
            (
                (CODES, "np.searchsorted(edges, values)"),
                (RETURN, f"return codes, ({MEANS})[np.unique(codes)]"),
            ),
            (
                (RETURN, "return codes, sums[counts > 0] / counts[counts > 0]"),
                ("minlength=size", "minlength=1"),
            ),
        ),
    ),
    Mistake(
        name="codes-are-values",
        misconception="The code of a value is the number that it is replaced by.",
        message="You return the decoded values in place of the codes.",
        changes=((RETURN, f"return ({MEANS})[codes], {MEANS}"),),
    ),
    Mistake(
        name="codes-are-floats",
        misconception="Whole numbers are integers, whatever their type.",
        message="Your codes are not of an integer type.",
        changes=((RETURN, f"return codes.astype(float), {MEANS}"),),
    ),
    Mistake(
        name="codes-in-int8",
        misconception="Codes of 8 bits fit into an int8.",
        message="Codes above 127 became negative: an int8 ends at 127.",
        changes=((RETURN, f"return codes.astype(np.int8), {MEANS}"),),
    ),
    Mistake(
        name="codebook-is-a-list",
        misconception="A list can be indexed like an array.",
        message="Return the codebook as an array: `codebook[codes]` fails for a list or a dict.",
        changes=((RETURN, f"return codes, ({MEANS}).tolist()"),),
        variants=(((RETURN, f"return codes, dict(enumerate({MEANS}))"),),),
    ),
    Mistake(
        name="results-swapped",
        misconception="The order of the results does not matter.",
        message="Return the codes first, then the codebook.",
        changes=((RETURN, f"return {MEANS}, codes"),),
    ),
    Mistake(
        name="edges-returned-too",
        misconception="The edges are needed to decode.",
        message="Return two things, codes and codebook.",
        changes=((RETURN, f"return codes, {MEANS}, edges"),),
    ),
    # --------------------------------------------------------------------------- the error
    Mistake(
        name="error-over-mean-square",
        misconception="Relative means relative to the mean of the squares.",
        message="You divide by the mean of the squared values, and not by the variance.",
        changes=(("np.var(values)", "np.mean(values**2)"),),
        variants=((("np.var(values)", "np.mean(values**2)"), (GUARD, "")),),
    ),
    Mistake(
        name="error-over-standard-deviation",
        misconception="Relative means in standard deviations.",
        message="You divide by the standard deviation. Divide by its square, the variance.",
        changes=(("np.var(values)", "np.std(values)"),),
    ),
    Mistake(
        name="error-not-divided",
        misconception="A mean squared error can be compared across layers.",
        message="That is the mean squared error. Divide it by the variance of the values.",
        changes=(("np.mean((decoded - values) ** 2) / np.var(values)", ERROR),),
        variants=((("np.mean((decoded - values) ** 2) / np.var(values)", ERROR), (GUARD, "")),),
    ),
    Mistake(
        name="error-as-a-root",
        misconception="An error is the root of the mean squared error.",
        message="You take a square root. Both the error and the variance are squares already.",
        changes=((RATIO, f"{RATIO} ** 0.5"),),
        variants=(((RATIO, "float(np.sqrt(np.mean((decoded - values) ** 2)) / np.var(values))"),),),
    ),
    Mistake(
        name="error-of-a-sum",
        misconception="A sum of squares is as good as their mean.",
        message="You divide the *sum* of the squared errors by the variance, which is a mean. Take the "
        "mean of both, or the sum of both.",
        changes=(("np.mean((decoded", "np.sum((decoded"),),
        variants=((("np.var(values)", "np.sum((values - values.mean()) ** 2)"),),),
    ),
    Mistake(
        name="error-of-absolute-values",
        misconception="An error is a distance.",
        message="You take absolute errors. The mean *squared* error is meant.",
        changes=((ERROR, "np.mean(np.abs(decoded - values))"),),
        variants=(
            ((ERROR, "np.mean(np.abs(decoded - values)) ** 2"),),
            ((ERROR, "np.max(np.abs(decoded - values)) ** 2"),),
            ((RATIO, "float(np.mean(np.abs(decoded - values)) / np.std(values))"),),
        ),
    ),
    Mistake(
        name="error-with-signs",
        misconception="Errors add up.",
        message="Your errors keep their signs, so that they cancel. Square each, then take the mean.",
        changes=((ERROR, "np.mean(decoded - values) ** 2"),),
        variants=(((ERROR, "np.mean(decoded - values)"),),),
    ),
    Mistake(
        name="error-as-a-variance",
        misconception="The mean squared error is the variance of the errors.",
        message="You take the variance of the errors, which does not notice when all decoded values "
        "are too large by the same amount. Take the mean of their squares.",
        changes=((ERROR, "np.var(decoded - values)"),),
    ),
    Mistake(
        name="error-upside-down",
        misconception="A ratio of signal to noise.",
        message="Your ratio is upside down: the error is divided by the variance.",
        changes=((RATIO, "float(np.float64(np.var(values)) / np.mean((decoded - values) ** 2))"),),
    ),
    Mistake(
        name="one-minus-the-error",
        misconception="The relative error is the share of the variance that is left.",
        message="That is 1 minus the relative error, the share of the variance that is kept.",
        changes=((RATIO, f"1 - {RATIO}"),),
    ),
    Mistake(
        name="error-over-sample-variance",
        misconception="A variance divides by n - 1.",
        message="You divide by the variance of a sample (n - 1). np.var is meant, which divides by n.",
        changes=(("np.var(values)", "np.var(values, ddof=1)"),),
    ),
    Mistake(
        name="error-over-decoded-variance",
        misconception="Either variance will do.",
        message="You divide by the variance of the decoded values. That of the values is meant.",
        changes=(("np.var(values)", "np.var(decoded)"),),
        variants=(
            (("np.var(values)", "np.var(decoded)"), (EQUAL, "if decoded.min() == decoded.max():")),
        ),
    ),
    Mistake(
        name="error-of-single-ratios",
        misconception="Relative means relative to each value.",
        message="You divide each error by its own value. Divide the mean squared error by the "
        "variance of all values.",
        changes=((RATIO, "single(values, decoded)"),),
        variants=(
            ((RATIO, "single(values, decoded, every=True)"),),
            ((RATIO, "single(values, decoded, power=1)"),),
        ),
        helpers="""
def single(values, decoded, every=False, power=2):
    keep = values == values if every else values != 0
    return float(np.mean(np.abs((values - decoded)[keep] / values[keep]) ** power))
""",
    ),
    Mistake(
        name="error-of-every-row",
        misconception="Each row has an error of its own.",
        message="Return one number for all values, not one for each row or column.",
        changes=((RATIO, "np.mean((decoded - values) ** 2, axis=0) / np.var(values, axis=0)"),),
        variants=(
            ((RATIO, "np.mean((decoded - values) ** 2, axis=-1) / np.var(values, axis=-1)"),),
            ((RATIO, "(decoded - values) ** 2 / np.var(values)"),),
        ),
    ),
    Mistake(
        name="error-rounded",
        misconception="Some decimals are enough.",
        message="Your relative error is rounded. Return it as it is.",
        changes=((RATIO, f"round({RATIO}, 2)"),),
        variants=(((RATIO, f"round({RATIO}, 3)"),), ((RATIO, f"round({RATIO}, 4)"),)),
    ),
    Mistake(
        name="error-in-percent",
        misconception="A share is given in percent.",
        message="Your relative error is given in percent. Return the share.",
        changes=((RATIO, f"100 * {RATIO}"),),
    ),
    Mistake(
        name="error-0-by-0",
        misconception="There is always a variance to divide by.",
        message="If all values are equal, there is no variance to divide by: return 0.0.",
        changes=((GUARD, ""),),
        variants=(
            ((GUARD, ""), (RATIO, "np.mean((decoded - values) ** 2) / np.float64(np.var(values))")),
            (
                (GUARD, ""),
                (RATIO, "float(np.mean((decoded - values) ** 2)) / float(np.var(values))"),
            ),
            ((GUARD, "    if np.array_equal(values, decoded):\n        return 0.0\n"),),
            (
                (GUARD, "    if np.array_equal(values, decoded):\n        return 0.0\n"),
                (RATIO, "float(np.mean((decoded - values) ** 2)) / float(np.var(values))"),
            ),
        ),
    ),
    Mistake(
        name="variance-of-equal-values",
        misconception="The variance of equal values is exactly 0.",
        message="Three times 0.1 are equal values, but their variance is not 0, by rounding. Compare "
        "the smallest value with the largest.",
        changes=((EQUAL, "if np.var(values) == 0:"),),
        variants=(
            ((EQUAL, "if values.std() == 0:"),),
            ((EQUAL, "if (values == values.mean()).all():"),),
        ),
    ),
    Mistake(
        name="small-variance-taken-for-none",
        misconception="What is nearly 0 is 0.",
        message="You take values for equal where they only lie close together or are small. Weights "
        "of the size 0.00001 have a variance, too: compare the smallest with the largest.",
        changes=((EQUAL, "if np.isclose(np.var(values), 0):"),),
        variants=(
            ((EQUAL, "if np.allclose(values, values.flat[0]):"),),
            ((EQUAL, "if np.isclose(values.min(), values.max()):"),),
            ((EQUAL, "if np.isclose(np.std(values), 0):"),),
            ((EQUAL, "if np.var(values) < 1e-12:"),),
            ((EQUAL, "if np.var(values) < 1e-10:"),),
            ((EQUAL, "if np.var(values) < 1e-8:"),),
            ((EQUAL, "if np.var(values) < 1e-9:"),),
            ((EQUAL, "if np.std(values) < 1e-8:"),),
            ((EQUAL, "if np.ptp(values) < 1e-8:"),),
            ((GUARD, ""), ("/ np.var(values)", "/ (np.var(values) + 1e-12)")),
            ((GUARD, ""), ("/ np.var(values)", "/ (np.var(values) + 1e-8)")),
            ((GUARD, ""), ("/ np.var(values)", "/ max(np.var(values), 1e-12)")),
        ),
    ),
    Mistake(
        name="equal-values-are-an-error",
        misconception="If all values are equal, the error is that of the decoded ones.",
        message="If all values are equal, the result is 0.0, whatever they were decoded to.",
        changes=(("        return 0.0\n", f"        return float({ERROR})\n"),),
        variants=(
            (("        return 0.0\n", "        return 1.0\n"),),
            (("        return 0.0\n", "        return float('inf')\n"),),
            (("        return 0.0\n", "        return float('nan')\n"),),
            (
                (
                    "        return 0.0\n",
                    "        return float(not np.array_equal(values, decoded))\n",
                ),
            ),
            (
                (
                    "        return 0.0\n",
                    "        return 0.0 if np.allclose(values, decoded) else 1.0\n",
                ),
            ),
            (
                (
                    "        return 0.0\n",
                    "        return 0.0 if np.allclose(values, decoded) else float('inf')\n",
                ),
            ),
            (("        return 0.0\n", "        raise ValueError('equal')\n"),),
        ),
    ),
    Mistake(
        name="changes-its-input",
        misconception="An array that is handed in may be sorted.",
        message="Your answer changes `values`, which must be the same after the call as before.",
        changes=(
            (
                "    size = 2**bits\n",
                ASIDE + "    before.sort(axis=-1)\n",
            ),
        ),
        variants=(
            (
                (
                    "    size = 2**bits\n",
                    ASIDE + "    before.reshape(-1).sort()\n",
                ),
            ),
            (("    size = 2**bits\n", "    size = 2**bits\n    values.sort(axis=-1)\n"),),
            (("    size = 2**bits\n", "    size = 2**bits\n    values.reshape(-1).sort()\n"),),
            (
                (
                    "    size = 2**bits\n",
                    ASIDE + "    before.sort(axis=0)\n",
                ),
            ),
        ),
    ),
    Mistake(
        name="error-changes-its-input",
        misconception="An array that is handed in may be overwritten.",
        message="Your answer changes an array, which must be the same after the call as before.",
        changes=((RATIO, "float(np.mean(minus(decoded, values) ** 2) / np.var(values))"),),
        variants=(
            (
                (
                    RATIO,
                    "float(np.mean(minus(values, decoded, spread := np.var(values)) ** 2) / spread)",
                ),
            ),
            (
                (
                    "    if values.min()",
                    "    decoded = minus(decoded, values) + values\n    if values.min()",
                ),
            ),
        ),
        helpers="""
def minus(one, other, spread=0):
    one -= other
    return one
""",
    ),
    Mistake(
        name="prints-instead-of-returning",
        misconception="Showing a result is returning it.",
        message="Your answer gives None: is a `return` missing?",
        changes=(("return 0.0", "return print(0.0)"), (f"return {RATIO}", f"print({RATIO})")),
        variants=(
            ((RETURN, f"print(codes, {MEANS})"),),
            ((f"return {RATIO}", f"print({RATIO})"),),
            (
                (RETURN, f"print(codes, {MEANS})"),
                ("return 0.0", "return print(0.0)"),
                (f"return {RATIO}", f"print({RATIO})"),
            ),
        ),
    ),
    Mistake(
        name="hard-coded-example",
        misconception="An answer that passes the example is right.",
        message="The results are those of the example, whatever the input.",
        code="""
def percentile_grid(values, bits):
    return np.array([3, 1, 3, 2, 0, 1, 2, 0, 3, 1, 2, 0]), np.array([-6, -0.5, 1.5, 6])


def relative_error(values, decoded):
    return 83 / 305.75
""",
    ),
]

ALTERNATIVES = [
    Alternative(
        name="loop-over-bins",
        code="""
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
""",
    ),
    Alternative(
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
    return ((values - decoded) ** 2).mean() / np.var(values)
""",
    ),
    Alternative(
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
]
