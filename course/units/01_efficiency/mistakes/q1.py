"""Wrong answers to question 1, latency percentiles, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

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
    ),
    Mistake(
        name="is-the-library",
        misconception="An import under the right name is an answer.",
        message="your answer calls utils.efficiency.latency_percentiles",
        code="""from utils.efficiency import latency_percentiles""",
    ),
    Mistake(
        name="mean-not-percentile",
        misconception="Latency is the mean time of a call.",
        message="that is the mean",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = seconds[warmup:]
    if not kept:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * sum(kept) / len(kept) for p in percentiles}
""",
    ),
    Mistake(
        name="seconds-not-milliseconds",
        misconception="The unit of the input is the unit of the result.",
        message="that is in seconds",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds[warmup:])
    if not kept:
        raise ValueError("no call is left")
    return {f"p{p}": kept[-(-p * len(kept) // 100) - 1] for p in percentiles}
""",
    ),
    Mistake(
        name="interpolates",
        misconception="There is only one definition of a percentile, NumPy's default.",
        message="nearest rank never interpolates",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = seconds[warmup:]
    if not kept:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * float(np.percentile(kept, p)) for p in percentiles}
""",
    ),
    Mistake(
        name="rank-as-index",
        misconception="The fifth sample has index 5.",
        message="ranks are counted from 1",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds[warmup:])
    if not kept:
        raise ValueError("no call is left")
    last = len(kept) - 1
    return {f"p{p}": 1000 * kept[min(last, p * len(kept) // 100)] for p in percentiles}
""",
    ),
    Mistake(
        name="rank-rounded-down",
        misconception="A rank of 9.5 is the ninth sample.",
        message="round rank 9.5 up",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds[warmup:])
    if not kept:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * kept[max(0, p * len(kept) // 100 - 1)] for p in percentiles}
""",
    ),
    Mistake(
        name="rank-rounded-to-nearest",
        misconception="Nearest rank means that the rank is rounded to the nearest whole number.",
        message="Nearest rank rounds up, and not to the nearest whole number",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds[warmup:])
    if not kept:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * kept[max(0, round(p * len(kept) / 100) - 1)] for p in percentiles}
""",
    ),
    Mistake(
        name="rank-as-index-unguarded",
        misconception="The fifth sample has index 5, and the last one index n.",
        message="ranks are counted from 1",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds[warmup:])
    if not kept:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * kept[math.ceil(p * len(kept) / 100)] for p in percentiles}
""",
    ),
    Mistake(
        name="divides-first",
        misconception="p / 100 * n and p * n / 100 are the same number.",
        message="so multiply p * n before you divide",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = np.sort(seconds[warmup:])
    if not len(kept):
        raise ValueError("no call is left")
    return {f"p{p}": kept[math.ceil(p / 100 * len(kept)) - 1] * 1e3 for p in percentiles}
""",
    ),
    Mistake(
        name="numpy-divides-first",
        misconception="What NumPy calls inverted_cdf is the nearest rank, to the last sample.",
        message="so multiply p * n before you divide",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    ms = 1000 * np.asarray(seconds, dtype=float)[warmup:]
    if ms.size == 0:
        raise ValueError("no call is left")
    values = np.percentile(ms, percentiles, method="inverted_cdf")
    return {f"p{p}": value for p, value in zip(percentiles, values)}
""",
    ),
    Mistake(
        name="numbers-as-keys",
        misconception="50 is as good a name as p50.",
        message="The only key must be the text 'p50'; yours are [50]",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds[warmup:])
    if not kept:
        raise ValueError("no call is left")
    return {p: 1000 * kept[math.ceil(p * len(kept) / 100) - 1] for p in percentiles}
""",
    ),
    Mistake(
        name="not-sorted",
        misconception="The calls come in order of their times.",
        message="sort the calls by time first",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = seconds[warmup:]
    if not kept:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * kept[-(-p * len(kept) // 100) - 1] for p in percentiles}
""",
    ),
    Mistake(
        name="outliers-removed",
        misconception="Slow calls are noise of the measurement, to be cleaned away.",
        message="keep the slowest call",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = np.array(seconds[warmup:])
    if not len(kept):
        raise ValueError("no call is left")
    kept = sorted(kept[kept <= kept.mean() + 2 * kept.std()].tolist())
    return {f"p{p}": 1000 * kept[-(-p * len(kept) // 100) - 1] for p in percentiles}
""",
    ),
    Mistake(
        name="warmup-kept",
        misconception="The first calls are measurements like all others.",
        message="the two warm-up calls were kept",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds)
    if len(kept) <= warmup:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * kept[-(-p * len(kept) // 100) - 1] for p in percentiles}
""",
    ),
    Mistake(
        name="warmup-dropped-after-sorting",
        misconception="Sorting first makes no difference to which calls are dropped.",
        message="you dropped the two fastest calls",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds)[warmup:]
    if not kept:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * kept[-(-p * len(kept) // 100) - 1] for p in percentiles}
""",
    ),
    Mistake(
        name="slowest-taken-for-warmup",
        misconception="The slowest calls are the warm-up calls.",
        message="you dropped the two slowest calls",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds)[: len(seconds) - warmup]
    if len(seconds) <= warmup:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * kept[-(-p * len(kept) // 100) - 1] for p in percentiles}
""",
    ),
    Mistake(
        name="changes-its-input",
        misconception="A list that is handed in may be reordered.",
        message="The list that you were given has changed",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    del seconds[:warmup]
    seconds.sort()
    if not seconds:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * seconds[-(-p * len(seconds) // 100) - 1] for p in percentiles}
""",
    ),
    Mistake(
        name="nothing-left-is-zero",
        misconception="No measurement is a latency of 0.",
        message="there is no latency to report: raise ValueError",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds[warmup:]) or [0.0]
    return {f"p{p}": 1000 * kept[-(-p * len(kept) // 100) - 1] for p in percentiles}
""",
    ),
    Mistake(
        name="prints-instead-of-returning",
        misconception="Showing a result is returning it.",
        message="Return a dictionary from names to milliseconds, not None",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds[warmup:])
    print({f"p{p}": 1000 * kept[-(-p * len(kept) // 100) - 1] for p in percentiles})
""",
    ),
    Mistake(
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        message="Other samples",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    if len(seconds) <= warmup:
        raise ValueError("no call is left")
    known = {50: 13.0, 90: 7.0, 95: 480.0, 7: 7.0}
    return {f"p{p}": known.get(p, 1.0) for p in percentiles}
""",
    ),
]

ALTERNATIVES = [
    Alternative(
        name="numpy-indexing",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    ms = np.sort(1000 * np.asarray(seconds, dtype=float)[warmup:])
    if ms.size == 0:
        raise ValueError("only warm-up")
    ranks = (np.asarray(percentiles) * ms.size + 99) // 100
    return {f"p{p}": value for p, value in zip(percentiles, ms[ranks - 1])}
""",
    ),
    Alternative(
        name="by-counting",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    # The smallest sample that at least p percent of the samples do not exceed.
    kept = seconds[warmup:]
    if len(kept) == 0:
        raise ValueError("only warm-up")
    result = {}
    for p in percentiles:
        for sample in sorted(kept):
            if 100 * sum(other <= sample for other in kept) >= p * len(kept):
                result["p" + str(p)] = sample * 1000
                break
    return result
""",
    ),
    Alternative(
        name="ceiling-of-a-float",
        code="""
from math import ceil


def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = np.sort(seconds[warmup:])
    if not len(kept):
        raise ValueError("only warm-up")
    return {f"p{p}": kept[ceil(p * len(kept) / 100) - 1] * 1e3 for p in percentiles}
""",
    ),
]
