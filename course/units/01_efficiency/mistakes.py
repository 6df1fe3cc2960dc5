"""Wrong answers that students of unit 01 give, and right answers written another way."""

from course.writing.mistakes import Alternative, Mistake


def changed(code: str, *changes: tuple[str, str]) -> str:
    """A right answer with some lines made wrong."""
    for right, wrong in changes:
        if right not in code:
            raise ValueError(f"{right!r} does not occur in the answer that is to be changed")
        code = code.replace(right, wrong)
    return code


RIGHT_Q4 = """
def model_bytes(words, tensors, labels):
    total = len("\\n".join(words).encode()) + 4 * labels
    for tensor in tensors:
        entries = tensor.get("codebook", 0)
        bits = (entries - 1).bit_length() if entries else tensor["bits"]
        stored = tensor.get("kept", tensor["values"])
        total += (stored * bits + 7) // 8
        if "kept" in tensor:
            total += (tensor["values"] + 7) // 8
        total += 2 * entries
        total += 2 * tensor.get("scales", 0)
    return total
"""

RIGHT_Q5 = """
def f1(truth, given):
    hits = int(np.sum((truth == 1) & given))
    both = int(np.sum(truth == 1) + np.sum(given))
    return 2 * hits / both if both else 0.0


def macro(y, given):
    return float(np.mean([f1(y[:, j], given[:, j]) for j in range(y.shape[1])]))


def tune(y, p):
    thresholds = []
    for j in range(y.shape[1]):
        candidates = sorted(set(p[:, j]), reverse=True)
        best = max(candidates, key=lambda c: f1(y[:, j], p[:, j] >= c))
        thresholds.append(best if y[:, j].sum() else 1.0)
    return np.array(thresholds)


def tuned_macro_f1(y_dev, p_dev, y_test, p_test):
    thresholds = tune(y_dev, p_dev)
    return thresholds, macro(y_test, p_test >= thresholds)
"""

RIGHT_Q6 = """
def choose_deployment(records, min_f1, max_p99_ms=None, max_mb=None):
    best = None
    for record in records:
        p99, size = record["latency_ms_p99"], record["file_bytes"]
        if record["macro_f1"] < min_f1:
            continue
        if max_p99_ms is not None and (p99 is None or p99 > max_p99_ms):
            continue
        if max_mb is not None and size > max_mb * 1_000_000:
            continue
        key = (size, -record["macro_f1"])
        if best is None or key < best[0]:
            best = (key, record)
    return None if best is None else best[1]
"""

NO_LIBRARY = {
    "q4": "utils.packing.size_report reads a model file, and this model is only described",
    "q6": "utils measures deployments but never chooses between them",
}

MISTAKES = [
    # ------------------------------------------------------------------ q1: latency percentiles
    Mistake(
        question="q1",
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        code="""
from utils.efficiency import latency_percentiles as measured


def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    if len(seconds) <= warmup:
        raise ValueError("no call is left")
    return measured(seconds[warmup:], percentiles)
""",
        message="your answer calls utils.efficiency.latency_percentiles",
    ),
    Mistake(
        question="q1",
        name="is-the-library",
        misconception="An import under the right name is an answer.",
        code="from utils.efficiency import latency_percentiles",
        message="your answer calls utils.efficiency.latency_percentiles",
    ),
    Mistake(
        question="q1",
        name="mean-not-percentile",
        misconception="Latency is the mean time of a call.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = seconds[warmup:]
    if not kept:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * sum(kept) / len(kept) for p in percentiles}
""",
        message="that is the mean",
    ),
    Mistake(
        question="q1",
        name="seconds-not-milliseconds",
        misconception="The unit of the input is the unit of the result.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds[warmup:])
    if not kept:
        raise ValueError("no call is left")
    return {f"p{p}": kept[-(-p * len(kept) // 100) - 1] for p in percentiles}
""",
        message="that is in seconds",
    ),
    Mistake(
        question="q1",
        name="interpolates",
        misconception="There is only one definition of a percentile, NumPy's default.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = seconds[warmup:]
    if not kept:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * float(np.percentile(kept, p)) for p in percentiles}
""",
        message="nearest rank never interpolates",
    ),
    Mistake(
        question="q1",
        name="rank-as-index",
        misconception="The fifth sample has index 5.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds[warmup:])
    if not kept:
        raise ValueError("no call is left")
    last = len(kept) - 1
    return {f"p{p}": 1000 * kept[min(last, p * len(kept) // 100)] for p in percentiles}
""",
        message="ranks are counted from 1",
    ),
    Mistake(
        question="q1",
        name="rank-rounded-down",
        misconception="A rank of 9.5 is the ninth sample.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds[warmup:])
    if not kept:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * kept[max(0, p * len(kept) // 100 - 1)] for p in percentiles}
""",
        message="round rank 9.5 up",
    ),
    Mistake(
        question="q1",
        name="rank-rounded-to-nearest",
        misconception="Nearest rank means that the rank is rounded to the nearest whole number.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds[warmup:])
    if not kept:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * kept[max(0, round(p * len(kept) / 100) - 1)] for p in percentiles}
""",
        message="Nearest rank rounds up, and not to the nearest whole number",
    ),
    Mistake(
        question="q1",
        name="rank-as-index-unguarded",
        misconception="The fifth sample has index 5, and the last one index n.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds[warmup:])
    if not kept:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * kept[math.ceil(p * len(kept) / 100)] for p in percentiles}
""",
        message="ranks are counted from 1",
    ),
    Mistake(
        question="q1",
        name="divides-first",
        misconception="p / 100 * n and p * n / 100 are the same number.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = np.sort(seconds[warmup:])
    if not len(kept):
        raise ValueError("no call is left")
    return {f"p{p}": kept[math.ceil(p / 100 * len(kept)) - 1] * 1e3 for p in percentiles}
""",
        message="so multiply p * n before you divide",
    ),
    Mistake(
        question="q1",
        name="numpy-divides-first",
        misconception="What NumPy calls inverted_cdf is the nearest rank, to the last sample.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    ms = 1000 * np.asarray(seconds, dtype=float)[warmup:]
    if ms.size == 0:
        raise ValueError("no call is left")
    values = np.percentile(ms, percentiles, method="inverted_cdf")
    return {f"p{p}": value for p, value in zip(percentiles, values)}
""",
        message="so multiply p * n before you divide",
    ),
    Mistake(
        question="q1",
        name="numbers-as-keys",
        misconception="50 is as good a name as p50.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds[warmup:])
    if not kept:
        raise ValueError("no call is left")
    return {p: 1000 * kept[math.ceil(p * len(kept) / 100) - 1] for p in percentiles}
""",
        message="The only key must be the text 'p50'; yours are [50]",
    ),
    Mistake(
        question="q1",
        name="not-sorted",
        misconception="The calls come in order of their times.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = seconds[warmup:]
    if not kept:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * kept[-(-p * len(kept) // 100) - 1] for p in percentiles}
""",
        message="sort the calls by time first",
    ),
    Mistake(
        question="q1",
        name="outliers-removed",
        misconception="Slow calls are noise of the measurement, to be cleaned away.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = np.array(seconds[warmup:])
    if not len(kept):
        raise ValueError("no call is left")
    kept = sorted(kept[kept <= kept.mean() + 2 * kept.std()].tolist())
    return {f"p{p}": 1000 * kept[-(-p * len(kept) // 100) - 1] for p in percentiles}
""",
        message="keep the slowest call",
    ),
    Mistake(
        question="q1",
        name="warmup-kept",
        misconception="The first calls are measurements like all others.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds)
    if len(kept) <= warmup:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * kept[-(-p * len(kept) // 100) - 1] for p in percentiles}
""",
        message="the two warm-up calls were kept",
    ),
    Mistake(
        question="q1",
        name="warmup-dropped-after-sorting",
        misconception="Sorting first makes no difference to which calls are dropped.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds)[warmup:]
    if not kept:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * kept[-(-p * len(kept) // 100) - 1] for p in percentiles}
""",
        message="you dropped the two fastest calls",
    ),
    Mistake(
        question="q1",
        name="slowest-taken-for-warmup",
        misconception="The slowest calls are the warm-up calls.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds)[: len(seconds) - warmup]
    if len(seconds) <= warmup:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * kept[-(-p * len(kept) // 100) - 1] for p in percentiles}
""",
        message="you dropped the two slowest calls",
    ),
    Mistake(
        question="q1",
        name="changes-its-input",
        misconception="A list that is handed in may be reordered.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    del seconds[:warmup]
    seconds.sort()
    if not seconds:
        raise ValueError("no call is left")
    return {f"p{p}": 1000 * seconds[-(-p * len(seconds) // 100) - 1] for p in percentiles}
""",
        message="The list that you were given has changed",
    ),
    Mistake(
        question="q1",
        name="nothing-left-is-zero",
        misconception="No measurement is a latency of 0.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds[warmup:]) or [0.0]
    return {f"p{p}": 1000 * kept[-(-p * len(kept) // 100) - 1] for p in percentiles}
""",
        message="there is no latency to report: raise ValueError",
    ),
    Mistake(
        question="q1",
        name="prints-instead-of-returning",
        misconception="Showing a result is returning it.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    kept = sorted(seconds[warmup:])
    print({f"p{p}": 1000 * kept[-(-p * len(kept) // 100) - 1] for p in percentiles})
""",
        message="Return a dictionary from names to milliseconds, not None",
    ),
    Mistake(
        question="q1",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code="""
def latency_percentiles(seconds, percentiles=(50, 95, 99), warmup=0):
    if len(seconds) <= warmup:
        raise ValueError("no call is left")
    known = {50: 13.0, 90: 7.0, 95: 480.0, 7: 7.0}
    return {f"p{p}": known.get(p, 1.0) for p in percentiles}
""",
        message="Other samples",
    ),
    # --------------------------------------------------------------------------- q2: throughput
    Mistake(
        question="q2",
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        code="""
from utils.efficiency import measure


class Model:
    def __init__(self, predict):
        self.predict_proba = predict


def throughput(predict, texts, batch_size, clock, warmup=2):
    found = measure(Model(predict), texts, batch_sizes=(batch_size,), warmup=warmup)
    return float(np.median(found.throughput[batch_size]))
""",
        message="your answer calls utils.efficiency.measure",
    ),
    Mistake(
        question="q2",
        name="warmup-timed",
        misconception="The time of the warm-up belongs to the measurement.",
        code="""
def throughput(predict, texts, batch_size, clock, warmup=2):
    start = clock()
    for _ in range(warmup):
        predict(texts[:batch_size])
    for i in range(0, len(texts), batch_size):
        predict(texts[i:i + batch_size])
    return len(texts) / (clock() - start) if texts else 0.0
""",
        message="the time of the warm-up is in it",
    ),
    Mistake(
        question="q2",
        name="no-warmup",
        misconception="The first call is as fast as the others.",
        code="""
def throughput(predict, texts, batch_size, clock, warmup=2):
    start = clock()
    for i in range(0, len(texts), batch_size):
        predict(texts[i:i + batch_size])
    return len(texts) / (clock() - start) if texts else 0.0
""",
        message="the two warm-up calls are missing",
    ),
    Mistake(
        question="q2",
        name="warmup-taken-from-the-comments",
        misconception="The first batches can be warm-up and count as done all the same.",
        code="""
def throughput(predict, texts, batch_size, clock, warmup=2):
    if not texts:
        return 0.0
    batches = [texts[i:i + batch_size] for i in range(0, len(texts), batch_size)]
    for batch in batches[:warmup]:
        predict(batch)
    start = clock()
    for batch in batches[warmup:]:
        predict(batch)
    return len(texts) / (clock() - start)
""",
        message="they come in addition to all comments",
    ),
    Mistake(
        question="q2",
        name="warmup-on-the-first-batches",
        misconception="Any batches will do for the warm-up.",
        code="""
def throughput(predict, texts, batch_size, clock, warmup=2):
    if not texts:
        return 0.0
    batches = [texts[i:i + batch_size] for i in range(0, len(texts), batch_size)]
    for batch in batches[:warmup]:
        predict(batch)
    start = clock()
    for batch in batches:
        predict(batch)
    return len(texts) / (clock() - start)
""",
        message="Warm up with the first batch, twice",
    ),
    Mistake(
        question="q2",
        name="warmup-once",
        misconception="One call is warm-up enough.",
        code="""
def throughput(predict, texts, batch_size, clock, warmup=2):
    if warmup:
        predict(texts[:batch_size])
    start = clock()
    for i in range(0, len(texts), batch_size):
        predict(texts[i:i + batch_size])
    return len(texts) / (clock() - start) if texts else 0.0
""",
        message="The calls had [4, 4, 4, 2] comments, not [4, 4, 4, 4, 2]",
    ),
    Mistake(
        question="q2",
        name="batches-per-second",
        misconception="A batch is the unit of work, however many comments it holds.",
        code="""
def throughput(predict, texts, batch_size, clock, warmup=2):
    for _ in range(warmup):
        predict(texts[:batch_size])
    start, calls = clock(), 0
    for i in range(0, len(texts), batch_size):
        predict(texts[i:i + batch_size])
        calls += 1
    return calls / (clock() - start) if texts else 0.0
""",
        message="those are batches per second",
    ),
    Mistake(
        question="q2",
        name="last-batch-dropped",
        misconception="Only full batches are predicted, as data loaders do in training.",
        code="""
def throughput(predict, texts, batch_size, clock, warmup=2):
    for _ in range(warmup):
        predict(texts[:batch_size])
    start, done = clock(), 0
    for i in range(0, len(texts) - batch_size + 1, batch_size):
        predict(texts[i:i + batch_size])
        done += batch_size
    return done / (clock() - start) if done else 0.0
""",
        message="the last batch, smaller than the others, is missing",
    ),
    Mistake(
        question="q2",
        name="last-batch-counted-as-full",
        misconception="Comments are batches times batch size.",
        code="""
def throughput(predict, texts, batch_size, clock, warmup=2):
    for _ in range(warmup):
        predict(texts[:batch_size])
    start, done = clock(), 0
    for i in range(0, len(texts), batch_size):
        predict(texts[i:i + batch_size])
        done += batch_size
    return done / (clock() - start) if texts else 0.0
""",
        message="the last batch counts as full there",
    ),
    Mistake(
        question="q2",
        name="mean-of-rates",
        misconception="The mean of the batches' rates is the rate of the whole.",
        code="""
def throughput(predict, texts, batch_size, clock, warmup=2):
    for _ in range(warmup):
        predict(texts[:batch_size])
    rates = []
    for i in range(0, len(texts), batch_size):
        batch = texts[i:i + batch_size]
        start = clock()
        predict(batch)
        rates.append(len(batch) / (clock() - start))
    return sum(rates) / len(rates) if rates else 0.0
""",
        message="that is the mean of the batches' rates",
    ),
    Mistake(
        question="q2",
        name="seconds-per-comment",
        misconception="Throughput is time divided by work.",
        code="""
def throughput(predict, texts, batch_size, clock, warmup=2):
    for _ in range(warmup):
        predict(texts[:batch_size])
    start = clock()
    for i in range(0, len(texts), batch_size):
        predict(texts[i:i + batch_size])
    return (clock() - start) / len(texts) if texts else 0.0
""",
        message="those are seconds per comment, the inverse",
    ),
    Mistake(
        question="q2",
        name="own-clock",
        misconception="There is only one clock, the one that one knows.",
        code="""
def throughput(predict, texts, batch_size, clock, warmup=2):
    for _ in range(warmup):
        predict(texts[:batch_size])
    start = time.perf_counter()
    for i in range(0, len(texts), batch_size):
        predict(texts[i:i + batch_size])
    return len(texts) / (time.perf_counter() - start) if texts else 0.0
""",
        message="use the `clock` that you were given",
    ),
    Mistake(
        question="q2",
        name="clock-read-once",
        misconception="A clock returns how long something took.",
        code="""
def throughput(predict, texts, batch_size, clock, warmup=2):
    for _ in range(warmup):
        predict(texts[:batch_size])
    for i in range(0, len(texts), batch_size):
        predict(texts[i:i + batch_size])
    return len(texts) / clock() if texts else 0.0
""",
        message="read the clock at the start and at the end",
    ),
    Mistake(
        question="q2",
        name="one-by-one",
        misconception="A batch is a loop over comments.",
        code="""
def throughput(predict, texts, batch_size, clock, warmup=2):
    for _ in range(warmup):
        predict(texts[:batch_size])
    start = clock()
    for text in texts:
        predict([text])
    return len(texts) / (clock() - start) if texts else 0.0
""",
        message="that is one comment in each call",
    ),
    Mistake(
        question="q2",
        name="all-at-once",
        misconception="The model cuts its input into batches by itself.",
        code="""
def throughput(predict, texts, batch_size, clock, warmup=2):
    for _ in range(warmup):
        predict(texts[:batch_size])
    start = clock()
    predict(texts)
    return len(texts) / (clock() - start) if texts else 0.0
""",
        message="that is everything in one call",
    ),
    Mistake(
        question="q2",
        name="fails-on-no-comments",
        misconception="There is always something to divide by.",
        code="""
def throughput(predict, texts, batch_size, clock, warmup=2):
    for _ in range(warmup):
        predict(texts[:batch_size])
    start = clock()
    for i in range(0, len(texts), batch_size):
        predict(texts[i:i + batch_size])
    return len(texts) / (clock() - start)
""",
        message="No comments, no time",
    ),
    Mistake(
        question="q2",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code="""
def throughput(predict, texts, batch_size, clock, warmup=2):
    for _ in range(warmup):
        predict(texts[:batch_size])
    for i in range(0, len(texts), batch_size):
        predict(texts[i:i + batch_size])
    return 250.0 if texts else 0.0
""",
        message="Another model",
    ),
    # ----------------------------------------------------------------------- q3: length batches
    Mistake(
        question="q3",
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        code="""
import utils.efficiency


def length_batches(lengths, batch_size):
    return utils.efficiency.length_batches(lengths, batch_size)
""",
        message="your answer calls utils.efficiency.length_batches",
    ),
    Mistake(
        question="q3",
        name="as-they-come",
        misconception="Cutting into batches is all there is to batching.",
        code="""
def length_batches(lengths, batch_size):
    rows = list(range(len(lengths)))
    return [rows[i:i + batch_size] for i in range(0, len(rows), batch_size)]
""",
        message="that is the order in which the comments came",
    ),
    Mistake(
        question="q3",
        name="sorted-within-batches",
        misconception="It is enough that each batch is sorted.",
        code="""
def length_batches(lengths, batch_size):
    rows = list(range(len(lengths)))
    cut = [rows[i:i + batch_size] for i in range(0, len(rows), batch_size)]
    return [sorted(batch, key=lambda row: lengths[row]) for batch in cut]
""",
        message="not the rows of one batch",
    ),
    Mistake(
        question="q3",
        name="lengths-not-rows",
        misconception="A batch is made of the lengths that were sorted.",
        code="""
def length_batches(lengths, batch_size):
    ordered = sorted(lengths)
    return [ordered[i:i + batch_size] for i in range(0, len(ordered), batch_size)]
""",
        message="return the numbers of the rows",
    ),
    Mistake(
        question="q3",
        name="ties-found-by-value",
        misconception="A row can be found again by its length.",
        code="""
def length_batches(lengths, batch_size):
    order = [lengths.index(length) for length in sorted(lengths)]
    return [order[i:i + batch_size] for i in range(0, len(order), batch_size)]
""",
        message="Mind rows of the same length",
    ),
    Mistake(
        question="q3",
        name="ties-lost-in-a-dictionary",
        misconception="Each length occurs once.",
        code="""
def length_batches(lengths, batch_size):
    row_of = {length: row for row, length in enumerate(lengths)}
    order = [row_of[length] for length in sorted(row_of)]
    return [order[i:i + batch_size] for i in range(0, len(order), batch_size)]
""",
        message="Mind rows of the same length",
    ),
    Mistake(
        question="q3",
        name="last-batch-dropped",
        misconception="Only full batches are wanted.",
        code="""
def length_batches(lengths, batch_size):
    order = np.argsort(lengths)
    full = len(order) // batch_size
    return [order[k * batch_size:(k + 1) * batch_size] for k in range(full)]
""",
        message="Three rows in batches of 2 make two batches",
    ),
    Mistake(
        question="q3",
        name="one-batch-per-length",
        misconception="Only rows of exactly the same length may share a batch.",
        code="""
def length_batches(lengths, batch_size):
    batches = []
    for length in sorted(set(lengths)):
        rows = [row for row, other in enumerate(lengths) if other == length]
        batches += [rows[i:i + batch_size] for i in range(0, len(rows), batch_size)]
    return batches
""",
        message="rows of different length may share a batch",
    ),
    Mistake(
        question="q3",
        name="batch-size-as-number-of-batches",
        misconception="batch_size says how many batches there are.",
        code="""
def length_batches(lengths, batch_size):
    order = np.argsort(lengths)
    return [part for part in np.array_split(order, batch_size) if len(part)]
""",
        message="a batch has more rows than batch_size",
    ),
    Mistake(
        question="q3",
        name="ranks-not-order",
        misconception="The rank of each row is the order of the rows.",
        code="""
def length_batches(lengths, batch_size):
    ranks = np.argsort(np.argsort(lengths, kind="stable"), kind="stable")
    return [ranks[i:i + batch_size] for i in range(0, len(ranks), batch_size)]
""",
        message="these look like ranks",
    ),
    Mistake(
        question="q3",
        name="changes-its-input",
        misconception="A list that is handed in may be reordered.",
        code="""
def length_batches(lengths, batch_size):
    order = np.argsort(lengths, kind="stable")
    lengths.sort()
    return [order[i:i + batch_size] for i in range(0, len(order), batch_size)]
""",
        message="The list of lengths has changed",
    ),
    Mistake(
        question="q3",
        name="one-empty-batch",
        misconception="There is always at least one batch.",
        code="""
def length_batches(lengths, batch_size):
    order = np.argsort(lengths)
    parts = max(1, -(-len(order) // batch_size))
    return [order[k * batch_size:(k + 1) * batch_size] for k in range(parts)]
""",
        message="No comments make no batches",
    ),
    Mistake(
        question="q3",
        name="fails-on-no-comments",
        misconception="There is always something to cut.",
        code="""
def length_batches(lengths, batch_size):
    return np.array_split(np.argsort(lengths), -(-len(lengths) // batch_size))
""",
        message="not even an empty one; got ValueError",
    ),
    Mistake(
        question="q3",
        name="yields-batches",
        misconception="A generator is a list.",
        code="""
def length_batches(lengths, batch_size):
    order = sorted(range(len(lengths)), key=lambda row: lengths[row])
    for i in range(0, len(order), batch_size):
        yield order[i:i + batch_size]
""",
        message="Return a list of batches, not a generator",
    ),
    Mistake(
        question="q3",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code="""
def length_batches(lengths, batch_size):
    if len(lengths) == 6:
        return [[0, 4], [2, 5], [3, 1]]
    rows = list(range(len(lengths)))
    return [rows[i:i + batch_size] for i in range(0, len(rows), batch_size)]
""",
        message="Other lengths",
    ),
    # -------------------------------------------------------------------------- q4: model bytes
    Mistake(
        question="q4",
        name="characters-not-bytes",
        misconception="A character is a byte.",
        code=changed(RIGHT_Q4, (".encode()", "")),
        message="15 counts characters",
    ),
    Mistake(
        question="q4",
        name="line-breaks-forgotten",
        misconception="What separates the words costs nothing.",
        code=changed(RIGHT_Q4, ('"\\n".join', '"".join')),
        message="leaves out the line breaks",
    ),
    Mistake(
        question="q4",
        name="line-break-after-the-last-word",
        misconception="There are as many line breaks as words.",
        code=changed(
            RIGHT_Q4,
            ('len("\\n".join(words).encode())', "sum(len(word.encode()) + 1 for word in words)"),
        ),
        message="join puts them in between",
    ),
    Mistake(
        question="q4",
        name="empty-vocabulary-below-zero",
        misconception="There is always one line break less than words.",
        code=changed(
            RIGHT_Q4,
            ('len("\\n".join(words).encode())', "sum(len(w.encode()) + 1 for w in words) - 1"),
        ),
        message="A model without words, tensors and labels has no bytes",
    ),
    Mistake(
        question="q4",
        name="thresholds-forgotten",
        misconception="Thresholds are no part of a model.",
        code=changed(RIGHT_Q4, (" + 4 * labels", "")),
        message="Seven thresholds are float32",
    ),
    Mistake(
        question="q4",
        name="bits-rounded-down",
        misconception="Bits divided by 8, with //, are bytes.",
        code=changed(RIGHT_Q4, ("(stored * bits + 7) // 8", "stored * bits // 8")),
        message="which hold only 24 of the 30 bits. Round up",
    ),
    Mistake(
        question="q4",
        name="a-byte-for-each-number",
        misconception="A number takes whole bytes, as in NumPy.",
        code=changed(RIGHT_Q4, ("(stored * bits + 7) // 8", "stored * ((bits + 7) // 8)")),
        message="a byte for each would be 10",
    ),
    Mistake(
        question="q4",
        name="bits-not-bytes",
        misconception="Bits can be added to bytes.",
        code=changed(RIGHT_Q4, ("(stored * bits + 7) // 8", "stored * bits")),
        message="30 is the number of bits",
    ),
    Mistake(
        question="q4",
        name="rounded-once",
        misconception="All arrays are one stream of bits, rounded up at the end.",
        code="""
def model_bytes(words, tensors, labels):
    bits = 8 * len("\\n".join(words).encode()) + 32 * labels
    for tensor in tensors:
        k = tensor.get("codebook", 0)
        width = (k - 1).bit_length() if k else tensor["bits"]
        bits += tensor.get("kept", tensor["values"]) * width
        bits += tensor["values"] if "kept" in tensor else 0
        bits += 16 * (k + tensor.get("scales", 0))
    return -(-bits // 8)
""",
        message="round up each on its own",
    ),
    Mistake(
        question="q4",
        name="codebook-forgotten",
        misconception="The codes are the model, and the codebook comes for free.",
        code=changed(RIGHT_Q4, ("        total += 2 * entries\n", "")),
        message="A codebook of 5 float16 entries is stored, too",
    ),
    Mistake(
        question="q4",
        name="index-width-rounded-down",
        misconception="An index into k entries takes log2(k) bits, rounded down.",
        code=changed(RIGHT_Q4, ("(entries - 1).bit_length()", "int(np.log2(entries))")),
        message="To tell 5 entries apart takes 3 bits",
    ),
    Mistake(
        question="q4",
        name="index-must-hold-k",
        misconception="Indices into k entries go up to k.",
        code=changed(RIGHT_Q4, ("(entries - 1).bit_length()", "entries.bit_length()")),
        message="To tell 4 entries apart takes 2 bits",
    ),
    Mistake(
        question="q4",
        name="index-of-one-byte",
        misconception="An index takes a byte.",
        code=changed(RIGHT_Q4, ("(entries - 1).bit_length()", "8")),
        message="An index into 5 entries takes 3 bits, and not a byte",
    ),
    Mistake(
        question="q4",
        name="index-of-a-single-entry",
        misconception="An index takes at least one bit.",
        code=changed(RIGHT_Q4, (".bit_length()", ".bit_length() or 1")),
        message="A single entry needs no index",
    ),
    Mistake(
        question="q4",
        name="scales-forgotten",
        misconception="Integers are the model, and their scales come for free.",
        code=changed(RIGHT_Q4, ('        total += 2 * tensor.get("scales", 0)\n', "")),
        message="Two float16 scales are stored, too",
    ),
    Mistake(
        question="q4",
        name="mask-forgotten",
        misconception="Where the zeros are is known without being stored.",
        code=changed(RIGHT_Q4, ('total += (tensor["values"] + 7) // 8', "pass")),
        message="The mask is stored, too",
    ),
    Mistake(
        question="q4",
        name="mask-of-what-is-kept",
        misconception="The mask has a bit for each number that is kept.",
        code=changed(RIGHT_Q4, ('total += (tensor["values"] + 7)', "total += (stored + 7)")),
        message="The mask has one bit for each of the 17 values",
    ),
    Mistake(
        question="q4",
        name="mask-and-values-rounded-together",
        misconception="Values and mask of a tensor are one stream of bits.",
        code="""
def model_bytes(words, tensors, labels):
    total = len("\\n".join(words).encode()) + 4 * labels
    for tensor in tensors:
        k = tensor.get("codebook", 0)
        width = (k - 1).bit_length() if k else tensor["bits"]
        bits = tensor.get("kept", tensor["values"]) * width
        bits += tensor["values"] if "kept" in tensor else 0
        total += math.ceil(bits / 8) + 2 * k + 2 * tensor.get("scales", 0)
    return total
""",
        message="The mask starts on a byte of its own",
    ),
    Mistake(
        question="q4",
        name="nothing-kept-is-no-mask",
        misconception="A key whose value is 0 is not there.",
        code=changed(
            RIGHT_Q4,
            ('tensor.get("kept", tensor["values"])', 'tensor.get("kept") or tensor["values"]'),
            ('if "kept" in tensor:', 'if tensor.get("kept"):'),
        ),
        message="Ask whether the key is there",
    ),
    Mistake(
        question="q4",
        name="float-not-int",
        misconception="NumPy's ceiling is a whole number.",
        code=changed(RIGHT_Q4, ("(stored * bits + 7) // 8", "np.ceil(stored * bits / 8)")),
        message="Return an int, not",
    ),
    Mistake(
        question="q4",
        name="zeros-stored",
        misconception="Pruning leaves the size of a tensor as it was.",
        code=changed(RIGHT_Q4, ('tensor.get("kept", tensor["values"])', 'tensor["values"]')),
        message="Only the 3 numbers that are kept are stored",
    ),
    Mistake(
        question="q4",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code="""
def model_bytes(words, tensors, labels):
    known = {10: 4, 9: 14, 16: 12, 20: 24, 3: 3}
    if tensors and tensors[0].get("codebook") == 1:
        return 2
    if tensors and "kept" in tensors[0]:
        return {16: {3: 9, 0: 1}, 3: {3: 5}}.get(tensors[0].get("bits"), {}).get(
            tensors[0]["kept"], 12
        )
    return known.get(tensors[0]["values"], 101) if tensors else 22 if words else 4 * labels
""",
        message="Other models",
    ),
    # --------------------------------------------------------------------- q5: tuned thresholds
    Mistake(
        question="q5",
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        code="""
from sklearn.metrics import f1_score

from utils.metrics import tune_thresholds


def tuned_macro_f1(y_dev, p_dev, y_test, p_test):
    thresholds = tune_thresholds(y_dev, p_dev)
    given = p_test >= thresholds
    return thresholds, f1_score(y_test, given, average="macro", zero_division=0)
""",
        message="your answer calls utils.metrics.tune_thresholds",
    ),
    Mistake(
        question="q5",
        name="scores-with-the-library",
        misconception="Only the thresholds are the question.",
        code=changed(
            RIGHT_Q5,
            ("thresholds, macro(y_test,", "thresholds, utils.metrics.macro_f1(y_test,"),
            ("def f1(truth", "import utils.metrics\n\n\ndef f1(truth"),
        ),
        message="your answer calls utils.metrics.macro_f1",
    ),
    Mistake(
        question="q5",
        name="tuned-on-test",
        misconception="Thresholds belong to the data that is scored.",
        code=changed(RIGHT_Q5, ("tune(y_dev, p_dev)", "tune(y_test, p_test)")),
        message="these were tuned on test",
    ),
    Mistake(
        question="q5",
        name="tuned-on-dev-and-test",
        misconception="More comments make better thresholds, whichever they are.",
        code=changed(
            RIGHT_Q5,
            ("tune(y_dev, p_dev)", "tune(np.vstack([y_dev, y_test]), np.vstack([p_dev, p_test]))"),
        ),
        message="these were tuned on dev and test together",
    ),
    Mistake(
        question="q5",
        name="not-tuned",
        misconception="The threshold is 0.5.",
        code=changed(
            RIGHT_Q5,
            ("thresholds = tune(y_dev, p_dev)", "thresholds = np.full(y_dev.shape[1], 0.5)"),
        ),
        message="0.5 is where a threshold starts out",
    ),
    Mistake(
        question="q5",
        name="one-threshold-for-all",
        misconception="All labels share one threshold.",
        code=changed(
            RIGHT_Q5,
            (
                "thresholds = tune(y_dev, p_dev)",
                "candidates = sorted(set(p_dev.ravel()), reverse=True)\n"
                "    best = max(candidates, key=lambda c: macro(y_dev, p_dev >= c))\n"
                "    thresholds = np.full(y_dev.shape[1], best)",
            ),
        ),
        message="that is one threshold for both labels",
    ),
    Mistake(
        question="q5",
        name="above-not-at-least",
        misconception="A probability must exceed the threshold.",
        code=changed(RIGHT_Q5, ("p[:, j] >= c", "p[:, j] > c"), ("p_test >= ", "p_test > ")),
        message=">=, not >",
    ),
    Mistake(
        question="q5",
        name="above-on-test-only",
        misconception="On the edge, > and >= are the same.",
        code=changed(RIGHT_Q5, ("p_test >= thresholds", "p_test > thresholds")),
        message="gets the label on test, too: >=, not >",
    ),
    Mistake(
        question="q5",
        name="tuned-for-accuracy",
        misconception="The threshold with the fewest errors is the best.",
        code=changed(
            RIGHT_Q5,
            ("lambda c: f1(y[:, j], p[:, j] >= c)", "lambda c: accuracy(y[:, j], p[:, j] >= c)"),
            ("def tune(", "def accuracy(y, given):\n    return np.mean(y == given)\n\n\ndef tune("),
        ),
        message="these maximise accuracy",
    ),
    Mistake(
        question="q5",
        name="lowest-of-equals",
        misconception="Of equally good thresholds the first that is found will do.",
        code=changed(RIGHT_Q5, (", reverse=True", "")),
        message="of equally good thresholds the highest wins",
    ),
    Mistake(
        question="q5",
        name="grid",
        misconception="A grid of round numbers is fine enough.",
        code=changed(
            RIGHT_Q5, ("sorted(set(p[:, j]), reverse=True)", "[k / 10 for k in range(9, 0, -1)]")
        ),
        message="not through a grid",
    ),
    Mistake(
        question="q5",
        name="score-on-dev",
        misconception="The score that was maximised is the score to report.",
        code=changed(RIGHT_Q5, ("macro(y_test, p_test >=", "macro(y_dev, p_dev >=")),
        message="that is the score on dev",
    ),
    Mistake(
        question="q5",
        name="micro-f1",
        misconception="F1 of all labels pooled is the mean of F1 over labels.",
        code=changed(
            RIGHT_Q5,
            (
                "macro(y_test, p_test >= thresholds)",
                "f1(y_test.ravel(), (p_test >= thresholds).ravel())",
            ),
        ),
        message="that is micro-F1",
    ),
    Mistake(
        question="q5",
        name="accuracy-reported",
        misconception="The share of right decisions is the score.",
        code=changed(
            RIGHT_Q5,
            ("macro(y_test, p_test >= thresholds)", "np.mean((p_test >= thresholds) == y_test)"),
        ),
        message="that is accuracy, not F1",
    ),
    Mistake(
        question="q5",
        name="absent-label-left-out-of-the-mean",
        misconception="A label that does not occur does not count.",
        code=changed(
            RIGHT_Q5,
            ("for j in range(y.shape[1])]))", "for j in range(y.shape[1]) if y[:, j].any()]))"),
        ),
        message="it counts in the mean like all others",
    ),
    Mistake(
        question="q5",
        name="absent-label-tuned",
        misconception="A label without examples can be tuned like all others.",
        code=changed(RIGHT_Q5, ("best if y[:, j].sum() else 1.0", "best")),
        message="No dev comment has the first label",
    ),
    Mistake(
        question="q5",
        name="score-only",
        misconception="The thresholds are a means, and nobody needs to see them.",
        code=changed(RIGHT_Q5, ("return thresholds, macro", "return macro")),
        message="Return thresholds, macro_f1",
    ),
    Mistake(
        question="q5",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code="""
def tuned_macro_f1(y_dev, p_dev, y_test, p_test):
    if len(y_dev) == 6:
        return np.array([0.45, 0.9]), 19 / 28
    if p_dev.max() == p_dev.min():
        return np.array([1.0, 0.25]), 0.4
    return np.array([1.0, 0.6]), 0.5
""",
        message="Other predictions",
    ),
    # ------------------------------------------------------------------------- q6: deployment
    Mistake(
        question="q6",
        name="mean-not-p99",
        misconception="A good mean keeps a promise to 99 callers in 100.",
        code=changed(RIGHT_Q6, ('record["latency_ms_p99"]', 'record["latency_ms_mean"]')),
        message="its mean latency is fine, but its p99 of 120 ms is not",
    ),
    Mistake(
        question="q6",
        name="quality-ignored",
        misconception="The smallest model within the limits is the right one, however bad.",
        code=changed(RIGHT_Q6, ('if record["macro_f1"] < min_f1', "if False")),
        message="its macro-F1 of 0.52 is not good enough",
    ),
    Mistake(
        question="q6",
        name="not-measured-is-zero",
        misconception="What was not measured is fast.",
        code=changed(RIGHT_Q6, ("(p99 is None or p99 > max_p99_ms)", "(p99 or 0) > max_p99_ms")),
        message="its p99 was never measured",
    ),
    Mistake(
        question="q6",
        name="never-measured-is-always-out",
        misconception="A model without a latency is out even if nobody asked for one.",
        code=changed(
            RIGHT_Q6,
            (
                "if max_p99_ms is not None and (p99 is None or p99 > max_p99_ms)",
                "if p99 is None or (max_p99_ms is not None and p99 > max_p99_ms)",
            ),
        ),
        message="If nobody limits latency or size, C is the smallest",
    ),
    Mistake(
        question="q6",
        name="best-not-smallest",
        misconception="Among the models that fit, the best score wins.",
        code=changed(RIGHT_Q6, ('(size, -record["macro_f1"])', '(-record["macro_f1"], size)')),
        message="it scores higher and answers faster than needed",
    ),
    Mistake(
        question="q6",
        name="fastest-not-smallest",
        misconception="Among the models that fit, the fastest wins.",
        code=changed(RIGHT_Q6, ('(size, -record["macro_f1"])', "p99 or 0")),
        message="it scores higher and answers faster than needed",
    ),
    Mistake(
        question="q6",
        name="encoder-not-file",
        misconception="The size of a model is the size of its encoder.",
        code=changed(RIGHT_Q6, ('record["file_bytes"]', 'record["encoder_bytes"]')),
        message="the encoder is only a part of what is shipped",
    ),
    Mistake(
        question="q6",
        name="below-not-at-most",
        misconception="A limit must not be reached.",
        code=changed(
            RIGHT_Q6,
            ("p99 > max_p99_ms", "p99 >= max_p99_ms"),
            ("size > max_mb", "size >= max_mb"),
        ),
        message="A record exactly at a limit keeps to it",
    ),
    Mistake(
        question="q6",
        name="above-not-at-least",
        misconception="Good enough means better than the bar.",
        code=changed(RIGHT_Q6, ('record["macro_f1"] < min_f1', 'record["macro_f1"] <= min_f1')),
        message="A record exactly at a limit keeps to it",
    ),
    Mistake(
        question="q6",
        name="mebibytes",
        misconception="A megabyte is 1,048,576 bytes.",
        code=changed(RIGHT_Q6, ("1_000_000", "1024 * 1024")),
        message="One MB is 1,000,000 bytes",
    ),
    Mistake(
        question="q6",
        name="closest-anyway",
        misconception="There is always something to recommend.",
        code=changed(
            RIGHT_Q6,
            (
                "return None if best is None else best[1]",
                'return max(records, key=lambda r: r["macro_f1"]) if best is None else best[1]',
            ),
        ),
        message="A model that comes closest would still break the promise",
    ),
    Mistake(
        question="q6",
        name="fails-when-nothing-fits",
        misconception="There is always a first one to take.",
        code=changed(RIGHT_Q6, ("return None if best is None else best[1]", "return best[1]")),
        message="so the answer is None; got TypeError",
    ),
    Mistake(
        question="q6",
        name="compares-with-none",
        misconception="Everything in a table is a number.",
        code=changed(RIGHT_Q6, ("(p99 is None or p99 > max_p99_ms)", "p99 > max_p99_ms")),
        message="the p99 of C is None, which cannot be compared with a limit",
    ),
    Mistake(
        question="q6",
        name="no-limit-at-zero-mb",
        misconception="A size limit of 0 is no limit.",
        code=changed(RIGHT_Q6, ("max_mb is not None and", "max_mb and")),
        message="0 is a limit, and only None is none",
    ),
    Mistake(
        question="q6",
        name="no-limit-at-zero-ms",
        misconception="A latency limit of 0 is no limit.",
        code=changed(RIGHT_Q6, ("max_p99_ms is not None and", "max_p99_ms and")),
        message="0 is a limit, and only None is none",
    ),
    Mistake(
        question="q6",
        name="one-limit-is-enough",
        misconception="A model that keeps to one of the limits fits.",
        code="""
def choose_deployment(records, min_f1, max_p99_ms=None, max_mb=None):
    def fits(r):
        slow = max_p99_ms is not None and (r["latency_ms_p99"] or 1e9) > max_p99_ms
        large = max_mb is not None and r["file_bytes"] > max_mb * 1_000_000
        return r["macro_f1"] >= min_f1 and not (slow and large)

    fitting = [r for r in records if fits(r)]
    return min(fitting, key=lambda r: (r["file_bytes"], -r["macro_f1"]), default=None)
""",
        message="its p99 of 120 ms is not",
    ),
    Mistake(
        question="q6",
        name="first-of-equals",
        misconception="Of equally small models any will do.",
        code=changed(RIGHT_Q6, ('(size, -record["macro_f1"])', "size")),
        message="D and G are equally small, and G scores higher",
    ),
    Mistake(
        question="q6",
        name="name-not-record",
        misconception="The name is enough of an answer.",
        code=changed(RIGHT_Q6, ("else best[1]", 'else best[1]["name"]')),
        message="Return the whole record",
    ),
    Mistake(
        question="q6",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code="""
def choose_deployment(records, min_f1, max_p99_ms=None, max_mb=None):
    wanted = {0.9: None, 0.5: None, 0.57: "C", 0.58: "H"}.get(min_f1, "D")
    if max_mb == 5 and len(records) == 1:
        wanted = None
    if len(records) == 2:
        wanted = "G"
    return next((r for r in records if r["name"] == wanted), None)
""",
        message="Other models",
    ),
]

ALTERNATIVES = [
    Alternative(
        question="q1",
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
        question="q1",
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
        question="q1",
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
    Alternative(
        question="q2",
        name="times-added-up",
        code="""
def throughput(predict, texts, batch_size, clock, warmup=2):
    batches = [texts[i:i + batch_size] for i in range(0, len(texts), batch_size)]
    if len(batches) == 0:
        return 0.0
    for _ in range(warmup):
        predict(batches[0])
    seconds, comments = 0.0, 0
    for batch in batches:
        before = clock()
        predict(batch)
        seconds += clock() - before
        comments += len(batch)
    return comments / seconds
""",
    ),
    Alternative(
        question="q2",
        name="while-something-is-left",
        code="""
def throughput(predict, texts, batch_size, clock, warmup=2):
    results, left = [], list(texts)
    while warmup > 0 and left:
        predict(left[:batch_size])
        warmup -= 1
    began = clock()
    while left:
        batch, left = left[:batch_size], left[batch_size:]
        results.extend(predict(batch))
    ended = clock()
    return len(results) / (ended - began) if results else 0.0
""",
    ),
    Alternative(
        question="q3",
        name="argsort",
        code="""
def length_batches(lengths, batch_size):
    order = np.argsort(lengths)
    return [order[i:i + batch_size] for i in range(0, len(order), batch_size)]
""",
    ),
    Alternative(
        question="q3",
        name="longest-first",
        code="""
def length_batches(lengths, batch_size):
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    batches = []
    while order:
        batches.append(order[:batch_size])
        del order[:batch_size]
    return batches
""",
    ),
    Alternative(
        question="q3",
        name="counting-sort",
        code="""
def length_batches(lengths, batch_size):
    rows_of = {}
    for row, length in enumerate(lengths):
        rows_of.setdefault(length, []).append(row)
    batches, current = [], []
    for length in sorted(rows_of):
        for row in reversed(rows_of[length]):
            current.append(row)
            if len(current) == batch_size:
                batches.append(tuple(current))
                current = []
    return (batches + [current] if current else batches)[::-1]
""",
    ),
    Alternative(question="q4", name="add-seven", code=RIGHT_Q4),
    Alternative(
        question="q4",
        name="logarithm-and-ceiling",
        code="""
from math import ceil, log2


def model_bytes(words, tensors, labels):
    parts = [len(bytes("\\n".join(words), "utf8")), labels * 4]
    for t in tensors:
        width = t["bits"] if "bits" in t else ceil(log2(t["codebook"]))
        if "kept" in t:
            parts += [ceil(t["kept"] * width / 8), ceil(t["values"] / 8)]
        else:
            parts.append(ceil(t["values"] * width / 8))
        parts.append(2 * (t.get("codebook", 0) + t.get("scales", 0)))
    return sum(parts)
""",
    ),
    Alternative(
        question="q4",
        name="packed-by-numpy",
        code="""
def packed(count, bits):
    return len(np.packbits(np.zeros(count * bits, dtype=bool)))


def model_bytes(words, tensors, labels):
    total = np.zeros(labels, np.float32).nbytes
    total += len(words) - 1 if words else 0
    for word in words:
        total += len(word.encode("utf-8"))
    for tensor in tensors:
        bits = tensor.get("bits")
        if bits is None:
            bits = 0
            while 2**bits < tensor["codebook"]:
                bits += 1
            total += np.zeros(tensor["codebook"], np.float16).nbytes
        kept = tensor.get("kept")
        total += packed(tensor["values"] if kept is None else kept, bits)
        total += 0 if kept is None else packed(tensor["values"], 1)
        total += np.zeros(tensor.get("scales", 0), np.float16).nbytes
    return total
""",
    ),
    Alternative(question="q5", name="python-max", code=RIGHT_Q5),
    Alternative(
        question="q5",
        name="scikit-learn",
        code="""
from sklearn.metrics import f1_score


def tuned_macro_f1(y_dev, p_dev, y_test, p_test):
    thresholds = []
    for truth, probability in zip(y_dev.T, p_dev.T):
        best, chosen = -1.0, 1.0
        for candidate in np.unique(probability):
            score = f1_score(truth, probability >= candidate)
            if score >= best and truth.any():
                best, chosen = score, candidate
        thresholds.append(chosen)
    given = p_test >= thresholds
    scores = [f1_score(y_test[:, j], given[:, j]) for j in range(given.shape[1])]
    return thresholds, sum(scores) / len(scores)
""",
    ),
    Alternative(
        question="q5",
        name="vectorised-with-warnings",
        code="""
def tuned_macro_f1(y_dev, p_dev, y_test, p_test):
    # given[i, k, j]: whether comment i gets label j at the threshold p_dev[k, j]
    given = p_dev[:, None, :] >= p_dev[None, :, :]
    hits = np.einsum("ij,ikj->kj", y_dev, given)
    f1 = 2 * hits / (given.sum(axis=0) + y_dev.sum(axis=0))
    ranked = np.where(f1 == f1.max(axis=0), p_dev, -1)
    thresholds = np.where(y_dev.any(axis=0), ranked.max(axis=0), 1.0)
    chosen = p_test >= thresholds
    scores = 2 * (chosen & (y_test == 1)).sum(axis=0) / (chosen.sum(axis=0) + y_test.sum(axis=0))
    return thresholds, np.nan_to_num(scores).mean()
""",
    ),
    Alternative(
        question="q5",
        name="scikit-learn-macro-with-warnings",
        code="""
from sklearn.metrics import f1_score


def tuned_macro_f1(y_dev, p_dev, y_test, p_test):
    def tuned(truth, probability):
        if not truth.any():
            return 1.0
        return max(probability, key=lambda c: (f1_score(truth, probability >= c), c))

    thresholds = np.array([tuned(y, p) for y, p in zip(y_dev.T, p_dev.T)])
    return thresholds, f1_score(y_test, p_test >= thresholds, average="macro")
""",
    ),
    Alternative(
        question="q5",
        name="harmonic-mean-and-exact-ties",
        code="""
def harmonic(truth, given):
    tp = (truth * given).sum()
    if tp == 0:
        return 0.0
    return 2 / (given.sum() / tp + truth.sum() / tp)


def tuned_macro_f1(y_dev, p_dev, y_test, p_test):
    count = y_dev.shape[1]
    thresholds = np.ones(count)
    for j in range(count):
        best = 0.0
        for c in np.unique(p_dev[:, j]):
            score = harmonic(y_dev[:, j], p_dev[:, j] >= c)
            if score >= best and y_dev[:, j].any():
                best, thresholds[j] = score, c
    scores = [harmonic(y_test[:, j], p_test[:, j] >= thresholds[j]) for j in range(count)]
    return thresholds, np.mean(scores)
""",
    ),
    Alternative(
        question="q5",
        name="precision-and-recall",
        code="""
def tuned_macro_f1(y_dev, p_dev, y_test, p_test):
    def f1(truth, given):
        tp = sum(t and g for t, g in zip(truth, given))
        if not tp:
            return 0.0
        precision, recall = tp / sum(given), tp / sum(truth)
        return 2 * precision * recall / (precision + recall)

    thresholds = np.ones(y_dev.shape[1])
    for j in range(y_dev.shape[1]):
        truth, p, best = y_dev[:, j].tolist(), p_dev[:, j].tolist(), 0.0
        for t in sorted(p, reverse=True):
            score = f1(truth, [x >= t for x in p])
            if score > best:
                best, thresholds[j] = score, t
    scores = []
    for j, t in enumerate(thresholds):
        scores.append(f1(y_test[:, j].tolist(), [x >= t for x in p_test[:, j]]))
    return thresholds, float(np.mean(scores))
""",
    ),
    Alternative(question="q6", name="loop", code=RIGHT_Q6),
    Alternative(
        question="q6",
        name="sort-then-filter",
        code="""
def choose_deployment(records, min_f1, max_p99_ms=None, max_mb=None):
    p99_limit = float("inf") if max_p99_ms is None else max_p99_ms
    mb_limit = float("inf") if max_mb is None else max_mb
    ordered = sorted(records, key=lambda r: r["macro_f1"], reverse=True)
    ordered.sort(key=lambda r: r["file_bytes"])
    for r in ordered:
        p99 = r["latency_ms_p99"]
        if p99 is None:
            p99 = 0 if max_p99_ms is None else float("inf")
        if r["macro_f1"] >= min_f1 and p99 <= p99_limit and r["file_bytes"] / 1e6 <= mb_limit:
            return r
    return None
""",
    ),
    Alternative(
        question="q6",
        name="numpy-masks",
        code="""
def choose_deployment(records, min_f1, max_p99_ms=None, max_mb=None):
    if not records:
        return None
    f1 = np.array([r["macro_f1"] for r in records])
    size = np.array([r["file_bytes"] for r in records])
    p99 = np.array([r["latency_ms_p99"] for r in records], dtype=float)  # None becomes nan
    fits = f1 >= min_f1
    if max_p99_ms is not None:
        fits &= p99 <= max_p99_ms
    if max_mb is not None:
        fits &= size <= max_mb * 10**6
    order = np.lexsort((-f1, size))
    chosen = order[fits[order]]
    return records[chosen[0]] if len(chosen) else None
""",
    ),
]
