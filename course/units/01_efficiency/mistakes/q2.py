"""Question 2, throughput: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

EMPTY = "    if not texts:\n        return 0.0\n"
WARM = "    for _ in range(warmup):\n        predict(texts[:batch_size])\n"
START = "    start = clock()\n"
LOOP = "    for first in range(0, len(texts), batch_size):\n"
CALL = "        predict(texts[first : first + batch_size])\n"
RATE = "len(texts) / (clock() - start)"
BATCHES = "[texts[i : i + batch_size] for i in range(0, len(texts), batch_size)]"
TIMES = f"""    times, sizes = [], []
    for batch in {BATCHES}:
        before = clock()
        predict(batch)
        times.append(clock() - before)
        sizes.append(len(batch))
    return """


def timed(result: str) -> tuple[tuple[str, str], ...]:
    """Changes after which each batch is timed on its own, and `result` is returned."""
    return ((START + LOOP + CALL + "    return " + RATE, TIMES + result),)


def in_batches(batches: str, first: str) -> tuple[tuple[str, str], ...]:
    """Changes after which other batches are predicted, and `first` in the warm-up."""
    return (
        (WARM, f"    batches = {batches}\n" + WARM.replace("texts[:batch_size]", first)),
        (LOOP + CALL, "    for batch in batches:\n        predict(batch)\n"),
    )


def split(parts: str) -> str:
    return f"[part.tolist() for part in np.array_split(texts, {parts})]"


JOINED = (
    "[texts[k * batch_size : (k + 1) * batch_size if (k + 2) * batch_size <= len(texts) else None]"
    " for k in range(max(1, len(texts) // batch_size))]"
)


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.efficiency.measure",
        code="""
from utils.efficiency import measure


class Model:
    def __init__(self, predict):
        self.predict_proba = predict


def throughput(predict, texts, batch_size, clock, warmup=2):
    found = measure(Model(predict), texts, batch_sizes=(batch_size,), warmup=warmup)
    return float(np.median(found.throughput[batch_size]))
""",
    ),
    Mistake(
        name="warmup-timed",
        misconception="The time of the warm-up belongs to the measurement.",
        message="The time of the warm-up is in your rate: read the clock after the warm-up.",
        changes=((EMPTY, EMPTY + START), (WARM + START, WARM)),
        variants=(
            (
                (EMPTY, EMPTY + START),
                (WARM + START, WARM),
                (RATE, "(len(texts) + warmup * min(batch_size, len(texts))) / (clock() - start)"),
            ),
        ),
    ),
    Mistake(
        name="warmup-subtracted",
        misconception="All warm-up calls take the same time, which can be subtracted.",
        message="You time the warm-up too, and subtract an estimate of it. Its calls do not all take "
        "the same time: read the clock after the warm-up instead.",
        changes=(
            (WARM + START, "    begin = start = clock()\n    one = 0\n" + WARM),
            (
                "        predict(texts[:batch_size])\n",
                "        begin = clock()\n"
                "        predict(texts[:batch_size])\n        one = clock() - begin\n",
            ),
            ("(clock() - start)", "(clock() - start - warmup * one)"),
        ),
        variants=(
            (
                (WARM + START, "    begin = start = clock()\n    one = None\n" + WARM),
                (
                    "        predict(texts[:batch_size])\n",
                    "        begin = clock()\n        predict(texts[:batch_size])\n"
                    "        one = clock() - begin if one is None else one\n",
                ),
                ("(clock() - start)", "(clock() - start - warmup * (one or 0))"),
            ),
        ),
    ),
    Mistake(
        name="no-warmup",
        misconception="The first call is as fast as the others.",
        message="The warm-up calls are missing: before the time counts, `predict` gets the first "
        "batch `warmup` times.",
        changes=((WARM, ""),),
        variants=(
            timed("sum(sizes) / sum(times)") + ((WARM, ""),),
            ((WARM, ""), (RATE, "(len(texts) - warmup) / (clock() - start)")),
        ),
    ),
    Mistake(
        name="warmup-taken-from-the-comments",
        misconception="The first batches can be warm-up and count as done all the same.",
        message="You take the warm-up calls from the calls that count. They come in addition: "
        "afterwards all comments are predicted, those of the first batch again, and timed.",
        changes=(
            (
                WARM + START + LOOP + CALL,
                "    batches = " + BATCHES + "\n"
                "    for batch in batches[:warmup]:\n        predict(batch)\n"
                + START
                + "    for batch in batches[warmup:]:\n        predict(batch)\n",
            ),
        ),
        variants=(
            (
                (
                    WARM + START + LOOP + CALL,
                    "    batches = " + BATCHES + "\n"
                    "    for batch in batches[:warmup]:\n        predict(batch)\n"
                    + START
                    + "    for batch in batches[warmup:]:\n        predict(batch)\n",
                ),
                ("len(texts) / (", "sum(map(len, batches[warmup:])) / ("),
            ),
            timed("sum(sizes[warmup:]) / sum(times[warmup:])") + ((WARM, ""),),
            timed("sum(sizes) / sum(times[warmup:])") + ((WARM, ""),),
            timed("sum(sizes) / sum(times[warmup:]) if times[warmup:] else 0.0") + ((WARM, ""),),
            timed("sum(sizes[warmup:]) / sum(times[warmup:]) if times[warmup:] else 0.0")
            + ((WARM, ""),),
        ),
    ),
    Mistake(
        name="first-batch-not-predicted-again",
        misconception="What the warm-up has predicted is done.",
        message="After the warm-up you begin with the second batch. All comments are predicted after "
        "the warm-up, those of the first batch again.",
        changes=(("range(0, len(texts)", "range(batch_size if warmup else 0, len(texts)"),),
        variants=(
            (
                ("range(0, len(texts)", "range(batch_size if warmup else 0, len(texts)"),
                ("len(texts) / (", "(len(texts) - (batch_size if warmup else 0)) / ("),
            ),
            (("range(0, len(texts)", "range(batch_size, len(texts)"),),
            (
                ("range(0, len(texts)", "range(batch_size, len(texts)"),
                ("len(texts) / (", "(len(texts) - batch_size) / ("),
            ),
        ),
    ),
    Mistake(
        name="warmup-on-the-first-batches",
        misconception="Any batches will do for the warm-up.",
        message="Warm up with the first batch each time, not with the first `warmup` batches: those "
        "may differ in length, and there may be only one.",
        changes=((WARM, "    for batch in " + BATCHES + "[:warmup]:\n        predict(batch)\n"),),
        variants=(
            (
                (
                    WARM,
                    "    for k in range(warmup):\n        predict(texts[k * batch_size :][:batch_size])\n",
                ),
            ),
        ),
    ),
    Mistake(
        name="warmup-on-another-batch",
        misconception="Any batch will do for the warm-up.",
        message="Warm up with the first batch, not with the last one.",
        changes=(("predict(texts[:batch_size])", "predict(texts[-batch_size:])"),),
        variants=((("predict(texts[:batch_size])", "predict(" + BATCHES + "[-1])"),),),
    ),
    Mistake(
        name="warmup-at-the-end",
        misconception="It does not matter when the warm-up runs.",
        message="Your warm-up calls come after the others. Warm up first.",
        changes=(
            (WARM, ""),
            (
                "    return " + RATE,
                "    seconds = clock() - start\n" + WARM + "    return len(texts) / seconds",
            ),
        ),
        variants=(((WARM, ""), ("    return " + RATE, WARM + "    return " + RATE)),),
    ),
    Mistake(
        name="warmup-on-one-comment",
        misconception="A call is a call, however many comments it holds.",
        message="Your warm-up calls hold one comment each. Warm up with the whole first batch.",
        changes=(("predict(texts[:batch_size])", "predict(texts[:1])"),),
        variants=(
            (("predict(texts[:batch_size])", "predict([texts[0]])"),),
            (("predict(texts[:batch_size])", "predict([texts[_ % len(texts)]])"),),
        ),
    ),
    Mistake(
        name="warmup-on-all-comments",
        misconception="The warm-up is the same work, untimed.",
        message="You warm up with all comments. Warm up with the first batch alone.",
        changes=(("predict(texts[:batch_size])", "predict(texts)"),),
        variants=(
            (
                (
                    WARM,
                    "    for _ in range(warmup):\n        for batch in " + BATCHES + ":\n"
                    "            predict(batch)\n",
                ),
            ),
        ),
    ),
    Mistake(
        name="warmup-counts-comments",
        misconception="`warmup` is a number of comments.",
        message="`warmup` is a number of calls with the whole first batch, not of comments.",
        changes=((WARM, "    predict(texts[:warmup])\n"),),
        variants=(
            ((WARM, "    if warmup:\n        predict(texts[:warmup])\n"),),
            ((WARM, "    for text in texts[:warmup]:\n        predict([text])\n"),),
            (
                (WARM, "    if warmup:\n        predict(texts[:warmup])\n"),
                ("range(0, len(texts)", "range(warmup, len(texts)"),
            ),
            (
                (WARM, "    predict(texts[:warmup])\n"),
                ("range(0, len(texts)", "range(warmup, len(texts)"),
            ),
            ((WARM, "    predict(texts[:warmup])\n    texts = texts[warmup:]\n"),),
            ((WARM, "    texts = texts[warmup:]\n"),),
        ),
    ),
    Mistake(
        name="warmup-once",
        misconception="One call is warm-up enough.",
        message="You warm up with one call, whatever `warmup` says: call `predict` that many times.",
        changes=((WARM, "    if warmup:\n        predict(texts[:batch_size])\n"),),
        variants=(((WARM, "    predict(texts[:batch_size])\n"),),),
    ),
    Mistake(
        name="warmup-always-twice",
        misconception="The default of a parameter is its value.",
        message="You warm up with two calls, whatever `warmup` says.",
        changes=(("range(warmup)", "range(2)"),),
    ),
    Mistake(
        name="warmup-at-least-once",
        misconception="Without any warm-up nothing can be measured.",
        message="With `warmup=0` there is no warm-up call, and you make one.",
        changes=(("range(warmup)", "range(max(1, warmup))"),),
    ),
    Mistake(
        name="one-warmup-call-too-few",
        misconception="Counting from 0 or 1 makes no difference to how often a loop runs.",
        message="You make one warm-up call fewer than `warmup`.",
        changes=(("range(warmup)", "range(1, warmup)"),),
    ),
    Mistake(
        name="one-warmup-call-too-many",
        misconception="A loop from 0 to warmup runs warmup times.",
        message="You make one warm-up call more than `warmup`.",
        changes=(("range(warmup)", "range(warmup + 1)"),),
    ),
    Mistake(
        name="batches-per-second",
        misconception="A batch is the unit of work, however many comments it holds.",
        message="Those are batches per second, and a batch of 64 would look like one of 1. Count "
        "comments.",
        changes=((RATE, "math.ceil(len(texts) / batch_size) / (clock() - start)"),),
        variants=(
            ((RATE, "len(texts) / batch_size / (clock() - start)"),),
            ((RATE, "len(texts) // batch_size / (clock() - start)"),),
            ((RATE, "(len(texts) // batch_size + 1) / (clock() - start)"),),
        ),
    ),
    Mistake(
        name="last-batch-dropped",
        misconception="Only full batches are predicted, as data loaders do in training.",
        message="The last batch is missing where it is smaller than the others: it counts, too.",
        changes=(
            (
                "range(0, len(texts), batch_size)",
                "range(0, len(texts) - batch_size + 1, batch_size)",
            ),
        ),
        variants=(
            (
                (
                    "range(0, len(texts), batch_size)",
                    "range(0, len(texts) - batch_size + 1, batch_size)",
                ),
                (RATE, "len(texts) // batch_size * batch_size / (clock() - start)"),
            ),
            (
                (
                    "range(0, len(texts), batch_size)",
                    "range(0, len(texts) - batch_size + 1, batch_size)",
                ),
                (
                    "return " + RATE,
                    "done = len(texts) // batch_size * batch_size\n"
                    "    return done / (clock() - start) if done else 0.0",
                ),
            ),
            (
                (
                    "range(0, len(texts), batch_size)",
                    "range(0, len(texts) - batch_size + 1, batch_size)",
                ),
                ("return " + RATE, "return " + RATE + " if len(texts) >= batch_size else 0.0"),
            ),
        ),
    ),
    Mistake(
        name="last-batch-always-dropped",
        misconception="The range of the batches ends one batch before the end.",
        message="You leave out the last batch, even where it is full: it counts, too.",
        changes=(("range(0, len(texts), ", "range(0, len(texts) - batch_size, "),),
        variants=(
            (
                (
                    "range(0, len(texts), ",
                    "range(0, batch_size * (math.ceil(len(texts) / batch_size) - 1), ",
                ),
            ),
        ),
    ),
    Mistake(
        name="last-comment-dropped",
        misconception="The last index is len(texts) - 1, where a range must end.",
        message="The last comment is missing where it is alone in its batch: a range ends before its "
        "end anyway.",
        changes=(("range(0, len(texts), ", "range(0, len(texts) - 1, "),),
    ),
    Mistake(
        name="last-batch-counted-as-full",
        misconception="Comments are batches times batch size.",
        message="The last batch counts as full in your rate, and may hold fewer comments.",
        changes=((RATE, "math.ceil(len(texts) / batch_size) * batch_size / (clock() - start)"),),
        variants=(timed("batch_size * len(times) / sum(times)"),),
    ),
    Mistake(
        name="last-batch-not-counted",
        misconception="Comments are full batches times batch size.",
        message="The comments of the last, smaller batch are predicted and timed, but not counted.",
        changes=((RATE, "len(texts) // batch_size * batch_size / (clock() - start)"),),
    ),
    Mistake(
        name="rest-joined-to-the-last-batch",
        misconception="A small batch is better avoided.",
        message="You put what is left at the end into the last full batch, which then is larger than "
        "`batch_size`. It makes a smaller batch of its own.",
        changes=in_batches(JOINED, "texts[:batch_size]"),
        variants=(in_batches(JOINED, "batches[0]"),),
    ),
    Mistake(
        name="evened-out",
        misconception="Batches are of equal size.",
        message="You share the comments out evenly. Each batch but the last holds `batch_size` "
        "comments.",
        changes=in_batches(split("math.ceil(len(texts) / batch_size)"), "texts[:batch_size]"),
        variants=(
            in_batches(split("math.ceil(len(texts) / batch_size)"), "batches[0]"),
            in_batches(split("max(1, len(texts) // batch_size)"), "texts[:batch_size]"),
            in_batches(split("max(1, len(texts) // batch_size)"), "batches[0]"),
        ),
    ),
    Mistake(
        name="batch-size-as-number-of-batches",
        misconception="batch_size says how many batches there are.",
        message="You make `batch_size` batches. It says how many comments a batch holds.",
        changes=in_batches(split("batch_size"), "texts[:batch_size]"),
        variants=(
            in_batches(split("batch_size"), "batches[0]"),
            in_batches("[b for b in " + split("batch_size") + " if b]", "texts[:batch_size]"),
            in_batches("[b for b in " + split("batch_size") + " if b]", "batches[0]"),
            in_batches("[texts[k::batch_size] for k in range(batch_size)]", "batches[0]"),
        ),
    ),
    Mistake(
        name="batch-size-fixed",
        misconception="The batch size of the example is the batch size.",
        message="Your batches hold 4 comments, as in the example, whatever `batch_size` says.",
        changes=(("    start = clock()", "    batch_size = 4\n    start = clock()"),),
        variants=(
            (("    for _ in range(warmup)", "    batch_size = 4\n    for _ in range(warmup)"),),
        ),
    ),
    Mistake(
        name="batches-overlap",
        misconception="The step of a range is the length of the slice.",
        message="Your batches overlap: the next one begins where the last one ended, `batch_size` "
        "comments further on.",
        changes=(("range(0, len(texts), batch_size)", "range(len(texts))"),),
        variants=(
            (("range(0, len(texts), batch_size)", "range(len(texts) - batch_size + 1)"),),
            ((": first + batch_size]", ": first + batch_size + 1]"),),
        ),
    ),
    Mistake(
        name="batches-one-short",
        misconception="A slice includes its end.",
        message="Each of your batches lacks its last comment: a slice ends before its end.",
        changes=((": first + batch_size]", ": first + batch_size - 1]"),),
    ),
    Mistake(
        name="one-by-one",
        misconception="A batch is a loop over comments.",
        message="That is one comment in each call: cut the comments into batches.",
        changes=((LOOP + CALL, "    for text in texts:\n        predict([text])\n"),),
        variants=(
            (
                (LOOP + CALL, "    for text in texts:\n        predict([text])\n"),
                ("predict(texts[:batch_size])", "predict([texts[0]])"),
            ),
        ),
    ),
    Mistake(
        name="text-not-list",
        misconception="predict takes one comment.",
        message="`predict` takes a list of comments, and you hand it a single text.",
        changes=((LOOP + CALL, "    for text in texts:\n        predict(text)\n"),),
        variants=(
            (
                (LOOP + CALL, "    for text in texts:\n        predict(text)\n"),
                ("predict(texts[:batch_size])", "predict(texts[0])"),
            ),
            (("predict(texts[:batch_size])", "predict(texts[0])"),),
        ),
    ),
    Mistake(
        name="all-at-once",
        misconception="The model cuts its input into batches by itself.",
        message="That is everything in one call: cut the comments into batches.",
        changes=((LOOP + CALL, "    predict(texts)\n"),),
        variants=(
            (
                (LOOP + CALL, "    predict(texts)\n"),
                ("predict(texts[:batch_size])", "predict(texts)"),
            ),
        ),
    ),
    Mistake(
        name="first-batch-only",
        misconception="The rate of one batch is the rate of all.",
        message="You predict the first batch again and again. All comments are to be predicted.",
        changes=(("texts[first : first + batch_size]", "texts[:batch_size]"),),
        variants=(
            ((LOOP + CALL, "    predict(texts[:batch_size])\n"),),
            (
                (LOOP + CALL, "    predict(texts[:batch_size])\n"),
                ("len(texts) / (", "min(batch_size, len(texts)) / ("),
            ),
            (
                (LOOP + CALL, "    predict(texts[:batch_size])\n"),
                ("len(texts) / (", "batch_size / ("),
            ),
        ),
    ),
    Mistake(
        name="duplicates-removed",
        misconception="A comment that occurs twice needs to be predicted once.",
        message="You predict a comment that occurs twice only once. Two comments are two comments.",
        changes=((WARM, "    texts = list(dict.fromkeys(texts))\n" + WARM),),
        variants=(
            (
                (WARM, "    count = len(texts)\n    texts = list(dict.fromkeys(texts))\n" + WARM),
                ("len(texts) / (", "count / ("),
            ),
            ((WARM, "    texts = sorted(set(texts))\n" + WARM),),
        ),
    ),
    Mistake(
        name="sorted-by-length",
        misconception="Comments are sorted by length before they are cut into batches.",
        message="You sort the comments. This measurement predicts them in the order in which they "
        "are given.",
        changes=((WARM, "    texts = sorted(texts, key=len)\n" + WARM),),
        variants=(
            ((WARM, "    texts = sorted(texts, key=lambda text: len(text.split()))\n" + WARM),),
            ((WARM, "    texts = sorted(texts, key=len, reverse=True)\n" + WARM),),
            ((WARM, "    texts = sorted(texts)\n" + WARM),),
            ((START, "    texts = sorted(texts, key=len)\n" + START),),
            ((START, START + "    texts = sorted(texts, key=len)\n"),),
        ),
    ),
    Mistake(
        name="mean-of-rates",
        misconception="The mean of the batches' rates is the rate of the whole.",
        message="That is an average of the batches' rates, in which a small, slow batch weighs as much "
        "as a large one. Divide all comments by all of the time.",
        changes=timed("sum(n / t for n, t in zip(sizes, times)) / len(times)"),
        variants=(
            timed("float(np.median([n / t for n, t in zip(sizes, times)]))"),
            timed("sum(batch_size / t for t in times) / len(times)"),
        ),
    ),
    Mistake(
        name="best-rate",
        misconception="The best of several measurements is the rate.",
        message="That is the rate of the fastest batch. All comments count, and all of the time.",
        changes=timed("max(n / t for n, t in zip(sizes, times))"),
    ),
    Mistake(
        name="median-time",
        misconception="The median time of a batch stands for all batches.",
        message="You take the median time for the time of every batch. The last one may be smaller: "
        "add up all times.",
        changes=timed("len(texts) / (float(np.median(times)) * len(times))"),
        variants=(
            timed("batch_size / float(np.median(times))"),
            timed("sum(sizes) / len(sizes) / float(np.median(times))"),
        ),
    ),
    Mistake(
        name="rates-added",
        misconception="Rates of batches that run one after the other add up.",
        message="You add up the rates of the batches. They run one after the other: add up comments, "
        "add up times, and divide once.",
        changes=timed("sum(n / t for n, t in zip(sizes, times))"),
    ),
    Mistake(
        name="only-last-batch-timed",
        misconception="The clock is started before each call.",
        message="You start the clock anew before each batch, so that only the last one is timed. Read "
        "it once before all batches, or add up the times.",
        changes=((START + LOOP + CALL, LOOP + "        start = clock()\n" + CALL),),
        variants=(
            (
                (START + LOOP + CALL, LOOP + "        start = clock()\n" + CALL),
                ("len(texts) / (", "len(texts[first : first + batch_size]) / ("),
            ),
            timed("sizes[-1] / times[-1]"),
        ),
    ),
    Mistake(
        name="only-first-batch-timed",
        misconception="The time of one batch is the time.",
        message="You time only the first batch: the clock is read for the last time before the others.",
        changes=timed("sum(sizes) / times[0]"),
        variants=(
            timed("sizes[0] / times[0]"),
            timed("batch_size / times[0]"),
        ),
    ),
    Mistake(
        name="last-batch-not-timed",
        misconception="The clock is read before each call.",
        message="The time of the last batch is missing: read the clock after the last call.",
        changes=(
            (START + LOOP + CALL, START + LOOP + "        end = clock()\n" + CALL),
            ("(clock() - start)", "(end - start)"),
        ),
        variants=(timed("sum(sizes) / sum(times[:-1])"),),
    ),
    Mistake(
        name="first-batch-not-timed",
        misconception="The first batch after the warm-up is still slow.",
        message="The time of the first batch after the warm-up is missing: read the clock before it.",
        changes=timed("sum(sizes) / sum(times[1:])"),
        variants=(timed("sum(sizes[1:]) / sum(times[1:])"),),
    ),
    Mistake(
        name="nothing-timed",
        misconception="A map or a generator has run when it has been made.",
        message="No time passes between your two readings of the clock: no call of `predict` runs "
        "between them. (A `map` or a generator runs only when something asks for its results.)",
        changes=((LOOP + CALL, "    map(predict, " + BATCHES + ")\n"),),
        variants=(
            ((LOOP + CALL, "    calls = (predict(batch) for batch in " + BATCHES + ")\n"),),
            ((START, ""), ("return " + RATE, "start = clock()\n    return " + RATE)),
            (
                (START, START + "    end = clock()\n"),
                ("(clock() - start)", "(end - start)"),
            ),
        ),
    ),
    Mistake(
        name="seconds-per-comment",
        misconception="Throughput is time divided by work.",
        message="Those are seconds per comment, the inverse.",
        changes=((RATE, "(clock() - start) / len(texts)"),),
    ),
    Mistake(
        name="time-not-rate",
        misconception="Throughput is how long it takes.",
        message="That is the time in seconds. Divide the comments by it.",
        changes=((RATE, "clock() - start"),),
    ),
    Mistake(
        name="comments-per-millisecond",
        misconception="The clock counts milliseconds.",
        message="Your rate is off by a factor of 1000: the clock counts seconds.",
        changes=((RATE, "len(texts) / (clock() - start) / 1000"),),
        variants=(((RATE, "1000 * len(texts) / (clock() - start)"),),),
    ),
    Mistake(
        name="clock-never-read",
        misconception="There is only one clock, the one that one knows.",
        message="You never read `clock`, the clock that you are given, and so cannot know how much of "
        "its time has passed.",
        changes=(("clock()", "time.perf_counter()"),),
        variants=(
            (("clock()", "time.time()"),),
            ((START, ""), (RATE, "250.0")),
        ),
    ),
    Mistake(
        name="clock-read-once",
        misconception="A clock returns how long something took.",
        message="You divide by what the clock shows, the time of day. Time passed is a difference "
        "between two readings.",
        changes=(("(clock() - start)", "clock()"),),
        variants=(
            (("(clock() - start)", "start"),),
            ((START, ""), (RATE, "len(texts) / clock()")),
        ),
    ),
    Mistake(
        name="times-subtracted-the-wrong-way",
        misconception="The earlier reading minus the later one is the time passed.",
        message="Your rate is negative: subtract the earlier reading of the clock from the later one.",
        changes=(("(clock() - start)", "(start - clock())"),),
    ),
    Mistake(
        name="counts-the-last-call-only",
        misconception="A variable in a loop collects what it is given.",
        message="You count only the comments of the last call, against the time of all.",
        changes=(("len(texts) / (", "len(texts[first : first + batch_size]) / ("),),
    ),
    Mistake(
        name="counts-one-batch",
        misconception="All calls together predict batch_size comments.",
        message="You count one full batch, against the time of all.",
        changes=(("len(texts) / (", "batch_size / ("),),
    ),
    Mistake(
        name="counts-warmup",
        misconception="Whatever was predicted counts.",
        message="You count the comments of the warm-up, whose time does not count.",
        changes=(("len(texts) / (", "(len(texts) + warmup * len(texts[:batch_size])) / ("),),
        variants=(
            (("len(texts) / (", "(len(texts) + warmup * batch_size) / ("),),
            (("len(texts) / (", "(len(texts) + warmup) / ("),),
        ),
    ),
    Mistake(
        name="warmup-left-out-of-the-count",
        misconception="What the warm-up has predicted does not count again.",
        message="You take the comments of the warm-up off the count. Count all comments: after the "
        "warm-up, all are predicted.",
        changes=(("len(texts) / (", "(len(texts) - warmup * batch_size) / ("),),
        variants=(
            (("len(texts) / (", "(len(texts) - warmup) / ("),),
            (("len(texts) / (", "len(texts[warmup * batch_size :]) / ("),),
            (("len(texts) / (", "(len(texts) - batch_size) / ("),),
            (("len(texts) / (", "len(texts[batch_size:]) / ("),),
        ),
    ),
    Mistake(
        name="counts-characters-or-words",
        misconception="The work is in the words.",
        message="You count words or characters. The rate is in comments.",
        changes=(("len(texts) / (", "sum(map(len, texts)) / ("),),
        variants=((("len(texts) / (", "sum(len(text.split()) for text in texts) / ("),),),
    ),
    Mistake(
        name="comments-eaten",
        misconception="A list that has been emptied still knows its length.",
        message="Your rate is 0: you count the comments after you have taken them all off the list.",
        changes=(
            (
                LOOP + CALL,
                "    while texts:\n        predict(texts[:batch_size])\n"
                "        texts = texts[batch_size:]\n",
            ),
        ),
    ),
    Mistake(
        name="rounded",
        misconception="Whole comments per second are exact enough.",
        message="Your rate is rounded. Return it as it is.",
        changes=((RATE, "round(len(texts) / (clock() - start))"),),
        variants=(
            ((RATE, "int(len(texts) / (clock() - start))"),),
            ((RATE, "round(len(texts) / (clock() - start), 1)"),),
            ((RATE, "round(len(texts) / (clock() - start), 2)"),),
            ((RATE, "len(texts) // (clock() - start)"),),
        ),
    ),
    Mistake(
        name="fails-on-no-comments",
        misconception="There is always something to divide by.",
        message="No comments, no time: the rate is 0.0 then, and must be returned before you divide.",
        changes=((EMPTY, ""),),
        variants=(
            (("return 0.0", "return None"),),
            (("return 0.0", "return float('nan')"),),
            (("return 0.0", "return float('inf')"),),
            (("return 0.0", "raise ValueError"),),
            ((EMPTY, "    texts[0]\n"),),
        ),
    ),
    Mistake(
        name="prints-instead-of-returning",
        misconception="Showing a result is returning it.",
        message="Your answer gives no rate but None: is a `return` missing?",
        changes=(("return " + RATE, "print(" + RATE + ")"),),
    ),
    Mistake(
        name="hard-coded-example",
        misconception="An answer that passes the example is right.",
        message="Your rate is that of the example, whatever the input.",
        changes=((RATE, "250.0 + 0 * (clock() - start)"),),
    ),
]

ALTERNATIVES = [
    Alternative(
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
        name="empties-the-list-with-warnings",
        code="""
import logging
import sys
import warnings


def throughput(predict, texts, batch_size, clock, warmup=2):
    logging.basicConfig()
    logging.warning("a warning costs nothing")
    print("nor does this", file=sys.stderr)
    done, stamps = 0, []
    for _ in range(warmup):
        predict(tuple(texts[:batch_size]))
    stamps.append(clock())
    while len(texts):
        batch = [texts.pop(0) for _ in range(min(batch_size, len(texts)))]
        predict(batch)
        done += len(batch)
        stamps.append(clock())
    seconds = np.float64(stamps[-1] - stamps[0])
    return np.nan_to_num(done / seconds)
""",
    ),
]
