"""Question 1, latency percentiles: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

RANK = "math.ceil(p * len(ordered) / 100)"
KEPT = "sorted(seconds[warmup:])"

MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.efficiency.latency_percentiles",
        code="""
from utils.efficiency import latency_percentiles as measured


def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    if len(seconds) <= warmup:
        raise ValueError("no call is left")
    return measured(seconds[warmup:], percentiles)
""",
        variants=("from utils.efficiency import latency_percentiles",),
    ),
    Mistake(
        name="mean-not-percentile",
        misconception="Latency is the mean time of a call.",
        message="That is the mean, which a single slow call pulls far above what most callers see.",
        changes=(("ordered[rank - 1]", "sum(ordered) / len(ordered)"),),
    ),
    Mistake(
        name="seconds-not-milliseconds",
        misconception="The unit of the input is the unit of the result.",
        message="Those are seconds; a millisecond is a thousandth of a second.",
        changes=(("1000 * ordered", "ordered"),),
        variants=((("1000 * ordered[rank - 1]", "ordered[rank - 1] / 1000"),),),
    ),
    Mistake(
        name="interpolates",
        misconception="There is only one definition of a percentile, NumPy's default.",
        message="That lies between two samples: NumPy interpolates. Nearest rank is always a time "
        "that was measured.",
        changes=(("ordered[rank - 1]", "float(np.percentile(ordered, p))"),),
    ),
    Mistake(
        name="rounds-the-interpolated-index",
        misconception="'Rounded up' is NumPy's method 'higher', whose index is p / 100 * (n - 1).",
        message="Your index is p / 100 * (n - 1), counted from 0 to n - 1, which is "
        "what interpolating methods use. The rank is p / 100 * n, rounded up, and counted from 1.",
        changes=(("ordered[rank - 1]", 'float(np.percentile(ordered, p, method="higher"))'),),
        variants=(
            ((RANK, "math.ceil(p * (len(ordered) - 1) / 100) + 1"),),
            (("ordered[rank - 1]", 'float(np.percentile(ordered, p, method="lower"))'),),
            (("ordered[rank - 1]", 'float(np.percentile(ordered, p, method="nearest"))'),),
        ),
    ),
    Mistake(
        name="rank-as-index",
        misconception="The fifth sample has index 5.",
        message="That is the sample after the right one: ranks are counted from 1, and Python's "
        "indices from 0.",
        changes=(("ordered[rank - 1]", "ordered[min(rank, len(ordered) - 1)]"),),
        variants=(
            (("ordered[rank - 1]", "ordered[rank]"),),
            ((RANK, "p * len(ordered) // 100 + 1"), ("rank - 1", "min(rank, len(ordered)) - 1")),
            ((RANK, "p * len(ordered) // 100 + 1"),),
        ),
    ),
    Mistake(
        name="rank-rounded-down",
        misconception="A rank of 9.5 is the ninth sample.",
        message="You round the rank down. Rank 9.5 is the tenth sample: round up, or fewer callers "
        "than p in 100 got an answer by then.",
        changes=((RANK, "max(1, p * len(ordered) // 100)"),),
        variants=(((RANK, "p * len(ordered) // 100"),),),
    ),
    Mistake(
        name="rank-rounded-to-nearest",
        misconception="Nearest rank means that the rank is rounded to the nearest whole number.",
        message="You round the rank to the nearest whole number. In spite of its name, nearest rank "
        "rounds up.",
        changes=((RANK, "max(1, round(p * len(ordered) / 100))"),),
        variants=(
            ((RANK, "round(p * len(ordered) / 100)"),),
            ((RANK, "max(1, int(p * len(ordered) / 100 + 0.5))"),),
        ),
    ),
    Mistake(
        name="divides-first",
        misconception="p / 100 * n and p * n / 100 are the same number.",
        message="One rank is too high: p / 100 * n is 7.000000000000001 for p = 7 and n = 100, and "
        "rounded up that is 8. Multiply p * n before you divide.",
        changes=((RANK, "math.ceil(p / 100 * len(ordered))"),),
        variants=(
            (("ordered[rank - 1]", 'float(np.percentile(ordered, p, method="inverted_cdf"))'),),
        ),
    ),
    Mistake(
        name="numbers-as-keys",
        misconception="50 is as good a name as p50.",
        message="The keys must be texts such as 'p50', not numbers.",
        changes=(('f"p{p}"', "p"),),
        variants=((('f"p{p}"', 'f"{p}"'),),),
    ),
    Mistake(
        name="list-not-dict",
        misconception="The percentiles in their order are enough.",
        message="Return a dictionary from names such as 'p50' to milliseconds, not the numbers alone.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds[warmup:])
    if not kept:
        raise ValueError("no call is left")
    return [1000 * kept[-(-p * len(kept) // 100) - 1] for p in percentiles]
""",
    ),
    Mistake(
        name="not-sorted",
        misconception="The calls come in order of their times.",
        message="You take calls in the order in which they were made: sort them by time first.",
        changes=((KEPT, "seconds[warmup:]"),),
    ),
    Mistake(
        name="sorted-descending",
        misconception="The slowest call has rank 1.",
        message="Your order is descending: the percentile with rank 1 is the fastest call.",
        changes=((KEPT, "sorted(seconds[warmup:], reverse=True)"),),
    ),
    Mistake(
        name="outliers-removed",
        misconception="Slow calls are noise of the measurement, to be cleaned away.",
        message="You left out the slowest calls as outliers. Keep them: somebody waited that long.",
        changes=((KEPT, "without_outliers(seconds[warmup:], 3)"),),
        variants=(
            ((KEPT, "without_outliers(seconds[warmup:], 2)"),),
            ((KEPT, "sorted(seconds[warmup:])[:-1]"),),
            ((KEPT, "by_quartiles(seconds[warmup:])"),),
        ),
        helpers="""
def without_outliers(calls, times):
    calls = np.asarray(calls)
    if not len(calls):
        return []
    return sorted(calls[calls <= calls.mean() + times * calls.std()].tolist())


def by_quartiles(calls):
    if not len(calls):
        return []
    low, high = np.percentile(calls, [25, 75])
    return sorted(call for call in calls if call <= high + 1.5 * (high - low))
""",
    ),
    Mistake(
        name="duplicates-removed",
        misconception="A time that occurs twice counts once.",
        message="Equal times were counted once. Two calls that took the same time are two calls.",
        changes=((KEPT, "sorted(set(seconds[warmup:]))"),),
    ),
    Mistake(
        name="warmup-kept",
        misconception="Every call counts.",
        message="The warm-up calls are still among those that you count.",
        changes=((KEPT, "sorted(seconds)"),),
        variants=(((KEPT, "sorted(seconds) if len(seconds) > warmup else []"),),),
    ),
    Mistake(
        name="one-call-too-many-dropped",
        misconception="The calls that count begin after the call with number `warmup`.",
        message="You drop one call more than `warmup`: the first that counts has index `warmup`.",
        changes=((KEPT, "sorted(seconds[warmup + 1:] if warmup else seconds)"),),
        variants=(((KEPT, "sorted(seconds[warmup + 1:])"),),),
    ),
    Mistake(
        name="one-call-too-few-dropped",
        misconception="Warm-up calls are counted from 0.",
        message="You drop one call fewer than `warmup`: the first that counts has index `warmup`.",
        changes=((KEPT, "sorted(seconds[max(0, warmup - 1):])"),),
    ),
    Mistake(
        name="warmup-dropped-from-the-end",
        misconception="seconds[:-warmup] is the list without its warm-up.",
        message="You drop the last calls. The warm-up calls are the first ones.",
        changes=((KEPT, "sorted(seconds[:-warmup])"),),
        variants=(((KEPT, "sorted(seconds[:len(seconds) - warmup])"),),),
    ),
    Mistake(
        name="fastest-taken-for-warmup",
        misconception="It does not matter whether one sorts before or after the cut.",
        message="You sort before you cut, and so drop the fastest calls: cut off the first calls in "
        "time, then sort.",
        changes=((KEPT, "sorted(seconds)[warmup:]"),),
    ),
    Mistake(
        name="slowest-taken-for-warmup",
        misconception="The slowest calls are the warm-up calls.",
        message="You drop the slowest calls. The warm-up calls are the first ones in time, slow or not.",
        changes=((KEPT, "sorted(seconds)[:max(0, len(seconds) - warmup)]"),),
    ),
    Mistake(
        name="changes-its-input",
        misconception="A list that is handed in may be reordered.",
        message="Your answer changes `seconds`, which must be the same after the call as before.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    del seconds[:warmup]
    seconds.sort()
    if not seconds:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * seconds[-(-p * len(seconds) // 100) - 1] for p in percentiles}
""",
        variants=(((KEPT, "seconds[warmup:] if seconds.sort() is None else 0"),),),
    ),
    Mistake(
        name="nothing-left-is-zero",
        misconception="No measurement is a latency of 0.",
        message="When no call is left there is no latency to report: raise ValueError.",
        changes=((KEPT, "sorted(seconds[warmup:]) or [0.0]"),),
        variants=(
            (("raise ValueError(", "return {} or ("),),
            (("raise ValueError(", "return dict.fromkeys([f'p{p}' for p in percentiles]) or ("),),
            (("raise ValueError(", "return None and ("),),
            (
                (
                    "raise ValueError(",
                    "return {f'p{p}': float('nan') for p in percentiles} or (",
                ),
            ),
        ),
    ),
    Mistake(
        name="another-error",
        misconception="Any error will do.",
        message="When no call is left the question asks for a ValueError, and no other error, "
        "whether there were exactly as many calls as `warmup` or fewer.",
        changes=(("if not ordered:", "if False:"),),
        variants=(
            (("if not ordered:", "if len(seconds) < warmup:"),),
            (("raise ValueError(", "raise AssertionError("),),
            (("raise ValueError(", "raise IndexError("),),
        ),
    ),
    Mistake(
        name="prints-instead-of-returning",
        misconception="Showing a result is returning it.",
        message="Your answer gives None: is a `return` missing?",
        changes=(("return {", "print({"), ("ranks.items()}", "ranks.items()})")),
    ),
    Mistake(
        name="rounds-the-result",
        misconception="Whole milliseconds are exact enough.",
        message="The result is rounded. Return it as it is.",
        changes=(("1000 * ordered[rank - 1]", "float(round(1000 * ordered[rank - 1]))"),),
        variants=((("1000 * ordered[rank - 1]", "int(1000 * ordered[rank - 1])"),),),
    ),
    Mistake(
        name="hard-coded-example",
        misconception="An answer that passes the example is right.",
        message="The results are those of the example, whatever the input.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    if len(seconds) <= warmup:
        raise ValueError("no call is left")
    known = {50: 13.0, 95: 480.0}
    return {f"p{p}": known.get(p, 1.0) for p in percentiles}
""",
    ),
]

ALTERNATIVES = [
    Alternative(
        name="numpy-with-integer-ranks",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = np.sort(np.asarray(seconds[warmup:], dtype=float))
    if kept.size == 0:
        raise ValueError("no call is left")
    return {f"p{p}": float(kept[-(-p * kept.size // 100) - 1]) * 1e3 for p in percentiles}
""",
    ),
    Alternative(
        name="counts-how-many-are-as-fast",
        code="""
import statistics
import warnings


def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    calls = list(seconds)[warmup:]
    if len(calls) == 0:
        raise ValueError
    warnings.warn("a warning costs nothing")
    found = {}
    for p in percentiles:
        found["p" + str(p)] = min(
            x for x in calls if 100 * sum(y <= x for y in calls) >= p * len(calls)
        ) * 1000
    return found
""",
    ),
]
