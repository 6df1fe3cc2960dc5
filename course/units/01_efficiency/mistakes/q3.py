"""Question 3, batches of similar length: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

ORDER = "sorted(range(len(lengths)), key=lambda row: lengths[row])"
STARTS = "range(0, len(order), batch_size)"
SLICE = "order[first : first + batch_size]"
CUT = f"[{SLICE} for first in {STARTS}]"
RETURN = f"    return {CUT}"
BY_RULE = '''
def batches_while(rows, may_join):
    """Each row joins the last batch if it may, else it begins a new one."""
    batches = []
    for row in rows:
        if batches and may_join(batches[-1], row):
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches
'''


def joined(condition: str) -> tuple[tuple[str, str], ...]:
    return ((CUT, f"batches_while(order, lambda batch, row: {condition})"),)


def bucketed(bucket: str, rows: str = "order") -> tuple[tuple[str, str], ...]:
    """Changes after which only rows of the same bucket share a batch."""
    group = f"[row for row in {rows} if bucket(lengths[row]) == one]"
    return (
        (
            RETURN,
            f"    bucket = lambda length: {bucket}\n"
            "    batches = []\n    for one in sorted({bucket(length) for length in lengths}):\n"
            f"        rows = {group}\n"
            "        batches += [rows[i : i + batch_size] for i in range(0, len(rows), batch_size)]\n"
            "    return batches",
        ),
    )


RULES = (
    "length // 2",
    "length // 3",
    "length // 4",
    "length // 5",
    "length // 8",
    "length // 10",
    "round(length / batch_size)",
    "length.bit_length()",
    "(length - 1) // batch_size",
    "(length - min(lengths)) // batch_size",
)

MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.efficiency.length_batches",
        code="""
import utils.efficiency


def length_batches(lengths, batch_size):
    return utils.efficiency.length_batches(lengths, batch_size)
""",
    ),
    Mistake(
        name="as-they-come",
        misconception="Cutting into batches is all there is to batching, or each batch is sorted.",
        message="Your batches hold the rows in the order in which they came, and are padded as if "
        "nothing had been sorted. Sort all rows by length before you cut; the order within a batch "
        "changes nothing.",
        changes=((ORDER, "list(range(len(lengths)))"),),
        variants=(
            (
                (ORDER, "list(range(len(lengths)))"),
                (SLICE, f"sorted({SLICE}, key=lambda row: lengths[row])"),
            ),
        ),
    ),
    Mistake(
        name="as-they-come-from-the-end",
        misconception="The comments come in order of length, and reversed they are longest first.",
        message="Your batches hold the rows in reverse order. Sort all rows by length before you cut.",
        changes=((ORDER, "list(range(len(lengths)))[::-1]"),),
        variants=(
            (
                (
                    f"    order = {ORDER}",
                    f"    lengths = sorted(lengths)[::-1]\n    order = {ORDER}",
                ),
            ),
            ((ORDER, "sorted(range(len(lengths)), reverse=True)"),),
        ),
    ),
    Mistake(
        name="lengths-not-rows",
        misconception="A batch is made of the lengths that were sorted.",
        message="Your batches hold lengths: return the numbers of the rows.",
        changes=((ORDER, "sorted(lengths)"),),
        variants=(
            ((SLICE, f"[lengths[row] for row in {SLICE}]"),),
            ((ORDER, "lengths"),),
        ),
    ),
    Mistake(
        name="rows-with-lengths",
        misconception="A row is best returned along with its length.",
        message="Your batches hold rows and their lengths: return the numbers of the rows alone.",
        changes=((SLICE, f"[(row, lengths[row]) for row in {SLICE}]"),),
        variants=(((ORDER, "sorted((n, row) for row, n in enumerate(lengths))"),),),
    ),
    Mistake(
        name="rows-counted-from-one",
        misconception="The first row is row 1.",
        message="Your row numbers begin at 1. Rows are counted from 0.",
        changes=((SLICE, f"[row + 1 for row in {SLICE}]"),),
    ),
    Mistake(
        name="ties-found-by-value",
        misconception="A row can be found again by its length.",
        message="Your batches hold the first row of each length again and again: rows of the same "
        "length are different rows.",
        changes=((ORDER, "[lengths.index(length) for length in sorted(lengths)]"),),
    ),
    Mistake(
        name="ties-lost",
        misconception="Each length occurs once.",
        message="Of rows of the same length, all but one are lost: each of them needs a prediction.",
        changes=(
            (
                ORDER,
                "[row for _, row in sorted({n: row for row, n in enumerate(lengths)}.items())]",
            ),
        ),
        variants=(
            ((ORDER, "[lengths.index(length) for length in sorted(set(lengths))]"),),
            ((ORDER, "np.unique(lengths, return_index=True)[1].tolist()"),),
        ),
    ),
    Mistake(
        name="ties-at-their-last-row",
        misconception="A dictionary from lengths to rows keeps all rows.",
        message="Your batches hold the last row of each length again and again: rows of the same "
        "length are different rows.",
        changes=(
            (ORDER, "[{n: row for row, n in enumerate(lengths)}[n] for n in sorted(lengths)]"),
        ),
    ),
    Mistake(
        name="empty-comments-dropped",
        misconception="A comment without words needs no prediction.",
        message="Rows of length 0 are lost: each row is in one batch.",
        changes=((ORDER, f"[row for row in {ORDER} if lengths[row]]"),),
    ),
    Mistake(
        name="last-batch-dropped",
        misconception="Only full batches are wanted.",
        message="The last batch is missing where it is smaller than the others: its rows would get "
        "no prediction.",
        changes=((STARTS, "range(0, len(order) - batch_size + 1, batch_size)"),),
        variants=(
            (
                (STARTS, "range(0, len(order) - batch_size + 1, batch_size)"),
                (ORDER, ORDER + "[::-1]"),
            ),
            ((CUT, f"[batch for batch in {CUT} if len(batch) == batch_size]"),),
        ),
    ),
    Mistake(
        name="last-batch-always-dropped",
        misconception="The range of the batches ends one batch before the end.",
        message="The last batch is missing, even where it is full.",
        changes=((STARTS, "range(0, len(order) - batch_size, batch_size)"),),
        variants=(
            ((CUT, CUT + "[:-1]"),),
            (
                (
                    RETURN,
                    "    batches, current = [], []\n    for row in order:\n"
                    "        if len(current) == batch_size:\n            batches.append(current)\n"
                    "            current = []\n        current.append(row)\n    return batches",
                ),
            ),
            (
                (STARTS, "range(0, len(order) - batch_size, batch_size)"),
                (ORDER, ORDER + "[::-1]"),
            ),
        ),
    ),
    Mistake(
        name="last-row-dropped",
        misconception="The last row is len(lengths) - 1, where a range must end.",
        message="The last row is missing: a range ends before its end anyway.",
        changes=((ORDER, ORDER.replace("len(lengths)", "len(lengths) - 1")),),
        variants=(((STARTS, "range(0, len(order) - 1, batch_size)"),),),
    ),
    Mistake(
        name="only-first-batch",
        misconception="A return in a loop returns once for each turn.",
        message="You return the first batch alone: the `return` belongs after the loop.",
        changes=((RETURN, f"    for first in {STARTS}:\n        return [{SLICE}]\n    return []"),),
        variants=(
            ((RETURN, f"    for first in {STARTS}:\n        return [{SLICE}]"),),
            ((RETURN, f"    for first in {STARTS}:\n        return {SLICE}"),),
            ((RETURN, "    return [order[:batch_size]]"),),
            ((RETURN, "    return [order[:batch_size]] if order else []"),),
        ),
    ),
    Mistake(
        name="only-last-batch",
        misconception="A variable in a loop collects what it is given.",
        message="You return the last batch alone: collect all batches in a list.",
        changes=((CUT, f"{CUT}[-1:]"),),
    ),
    Mistake(
        name="one-batch-per-length",
        misconception="Only rows of exactly the same length may share a batch.",
        message="There are more batches than needed: rows of different length may share a batch.",
        changes=bucketed("length"),
        variants=(joined("len(batch) < batch_size and lengths[row] == lengths[batch[0]]"),),
        helpers=BY_RULE,
    ),
    Mistake(
        name="buckets",
        misconception="Similar length means the same range of lengths.",
        message="There are more batches than needed: you put lengths into ranges, and rows of "
        "different ranges may share a batch.",
        changes=bucketed("length // batch_size"),
        variants=tuple(bucketed(rule) for rule in RULES)
        + tuple(bucketed(rule, "range(len(lengths))") for rule in ("length // batch_size", *RULES)),
    ),
    Mistake(
        name="new-batch-when-too-different",
        misconception="Rows may share a batch only if their lengths are close enough.",
        message="There are more batches than needed: you begin a new one where lengths differ too "
        "much, and a batch is finished only when it is full.",
        changes=joined("len(batch) < batch_size and lengths[row] - lengths[batch[0]] <= 2"),
        variants=tuple(
            joined(f"len(batch) < batch_size and {rule}")
            for rule in (
                "lengths[row] - lengths[batch[0]] <= 1",
                "lengths[row] - lengths[batch[0]] <= 3",
                "lengths[row] - lengths[batch[0]] <= 4",
                "lengths[row] - lengths[batch[0]] <= 5",
                "lengths[row] - lengths[batch[0]] <= 10",
                "lengths[row] - lengths[batch[0]] <= batch_size",
                "lengths[row] - lengths[batch[-1]] <= 1",
                "lengths[row] - lengths[batch[-1]] <= 2",
                "lengths[row] - lengths[batch[-1]] <= 3",
                "lengths[row] - lengths[batch[-1]] <= 5",
                "lengths[row] <= 2 * lengths[batch[0]]",
            )
        ),
        helpers=BY_RULE,
    ),
    Mistake(
        name="batch-size-in-words",
        misconception="batch_size says how many words a batch may have.",
        message="You limit the words or positions of a batch. `batch_size` is a number of rows.",
        changes=joined("sum(lengths[r] for r in batch) + lengths[row] <= batch_size"),
        variants=(
            joined("(len(batch) + 1) * lengths[row] <= batch_size"),
            joined("sum(lengths[r] for r in batch) < batch_size"),
            joined(
                "len(batch) < batch_size and sum(lengths[r] for r in batch) + lengths[row] <= batch_size"
            ),
            joined("len(batch) < batch_size and (len(batch) + 1) * lengths[row] <= batch_size"),
        ),
        helpers=BY_RULE,
    ),
    Mistake(
        name="batch-size-as-number-of-batches",
        misconception="batch_size says how many batches there are.",
        message="You make `batch_size` batches. It says how many rows a batch may have.",
        changes=((CUT, "[part.tolist() for part in np.array_split(order, batch_size)]"),),
        variants=(
            ((CUT, "[part.tolist() for part in np.array_split(order, batch_size) if len(part)]"),),
            ((CUT, "[order[k::batch_size] for k in range(batch_size)]"),),
            ((CUT, "[order[k::batch_size] for k in range(batch_size) if order[k::batch_size]]"),),
        ),
    ),
    Mistake(
        name="rest-joined-to-other-batches",
        misconception="The number of batches is rounded down, so that none is small.",
        message="You make as many batches as there are full ones, so that some are larger than "
        "`batch_size`. What is left makes a smaller batch of its own.",
        changes=(
            (
                CUT,
                "[part.tolist() for part in np.array_split(order, "
                "max(1, len(order) // batch_size)) if len(part)]",
            ),
        ),
        variants=(
            (
                (
                    RETURN,
                    f"    batches = {CUT}\n"
                    "    if len(batches) > 1 and len(batches[-1]) < batch_size:\n"
                    "        rest = batches.pop()\n        batches[-1] += rest\n    return batches",
                ),
            ),
            (
                (
                    CUT,
                    "[order[k * batch_size : (k + 1) * batch_size if (k + 2) * batch_size <= "
                    "len(order) else None] for k in range(max(1, len(order) // batch_size))]",
                ),
            ),
        ),
    ),
    Mistake(
        name="evened-out",
        misconception="Batches of equal size need the fewest positions.",
        message="You share the rows out evenly. That can need more positions than full batches and "
        "one smaller one at either end.",
        changes=(
            (
                RETURN,
                "    parts = -(-len(order) // batch_size)\n"
                "    return [p.tolist() for p in np.array_split(order, parts)] if parts else []",
            ),
        ),
    ),
    Mistake(
        name="dealt-out",
        misconception="Each batch should have its share of short and of long rows.",
        message="You deal the sorted rows out over the batches, so that each gets short and long ones, "
        "and all are padded to long rows. Cut the sorted rows into consecutive pieces.",
        changes=(
            (
                RETURN,
                "    parts = -(-len(order) // batch_size)\n"
                "    return [order[k::parts] for k in range(parts)]",
            ),
        ),
    ),
    Mistake(
        name="short-with-long",
        misconception="A short and a long row balance each other.",
        message="You put short rows beside long ones, and all are padded to the long ones. Like "
        "belongs beside like.",
        changes=(
            (
                RETURN,
                "    mixed = []\n    while order:\n        mixed.append(order.pop(0))\n"
                "        if order:\n            mixed.append(order.pop())\n"
                "    order = mixed\n" + RETURN,
            ),
        ),
    ),
    Mistake(
        name="small-batch-mixed",
        misconception="What does not fill a batch can be any rows.",
        message="Your smaller batch holds short and long rows together. What is left must come from "
        "one end of the order.",
        changes=(
            (
                RETURN,
                "    rest = len(order) % batch_size\n    long = rest - rest // 2\n"
                "    head = order[: rest // 2] + order[len(order) - long :] if rest else []\n"
                "    order = order[rest // 2 : len(order) - long] if rest else order\n"
                f"    return ([head] if head else []) + {CUT}",
            ),
        ),
        variants=(
            (
                (
                    RETURN,
                    "    rest = len(order) % batch_size\n    long = rest // 2\n"
                    "    head = order[: rest - long] + order[len(order) - long :] if rest else []\n"
                    "    order = order[rest - long : len(order) - long] if rest else order\n"
                    f"    return ([head] if head else []) + {CUT}",
                ),
            ),
        ),
    ),
    Mistake(
        name="ranks-not-order",
        misconception="The rank of each row is the order of the rows.",
        message="These look like ranks, the place that row k takes in the order. You need the row "
        "that comes k-th by length.",
        changes=((ORDER, f"[{ORDER}.index(row) for row in range(len(lengths))]"),),
        variants=(
            ((ORDER, "np.argsort(np.argsort(lengths, kind='stable')).tolist()"),),
            ((ORDER, "np.argsort(np.argsort(lengths)).tolist()"),),
            ((ORDER, "np.argsort(np.argsort(lengths)[::-1]).tolist()"),),
        ),
    ),
    Mistake(
        name="order-of-the-reversed-list",
        misconception="Reversing the lengths before sorting reverses the order.",
        message="You reverse the lengths before you sort them, so that the row numbers belong to "
        "another list. Reverse the order afterwards, if at all.",
        changes=((ORDER, "sorted(range(len(lengths)), key=lambda row: lengths[::-1][row])"),),
        variants=(((ORDER, "np.argsort(lengths[::-1]).tolist()"),),),
    ),
    Mistake(
        name="sorted-as-text",
        misconception="Numbers sort like texts.",
        message="You sort the lengths as texts, in which 10 comes before 9. Sort them as numbers.",
        changes=((ORDER, "sorted(range(len(lengths)), key=lambda row: str(lengths[row]))"),),
    ),
    Mistake(
        name="not-cut",
        misconception="Sorting by length is all there is to it.",
        message="You return the rows one by one, and not in batches of up to `batch_size`.",
        changes=((RETURN, "    return order"),),
        variants=(((RETURN, "    return [[row] for row in order]"),),),
    ),
    Mistake(
        name="one-batch",
        misconception="The model cuts its input into batches by itself.",
        message="You put all rows into one batch, whatever `batch_size` says.",
        changes=((RETURN, "    return [order]"),),
        variants=(((RETURN, "    return [order] if order else []"),),),
    ),
    Mistake(
        name="batch-size-fixed",
        misconception="The batch size of the example is the batch size.",
        message="Your batches hold 2 rows, as in the example, whatever `batch_size` says.",
        changes=((RETURN, "    batch_size = 2\n" + RETURN),),
    ),
    Mistake(
        name="batches-overlap",
        misconception="A slice includes its end, or the step is 1.",
        message="Your batches overlap, so that rows are in more than one of them: the next one begins "
        "where the last one ended.",
        changes=((STARTS, "range(len(order))"),),
        variants=(
            ((STARTS, "range(len(order) - batch_size + 1)"),),
            ((STARTS, "range(max(1, len(order) - batch_size + 1))"),),
            ((SLICE, "order[first : first + batch_size + 1]"),),
        ),
    ),
    Mistake(
        name="batches-one-short",
        misconception="A slice includes its end.",
        message="Each full batch lacks its last row: a slice ends before its end.",
        changes=((SLICE, "order[first : first + batch_size - 1]"),),
    ),
    Mistake(
        name="batches-one-smaller",
        misconception="`batch_size` must not be reached.",
        message="Your batches hold one row fewer than they may, so that there are too many of them.",
        changes=((RETURN, "    batch_size = max(1, batch_size - 1)\n" + RETURN),),
        variants=(joined("len(batch) < batch_size - 1"),),
        helpers=BY_RULE,
    ),
    Mistake(
        name="batches-one-larger",
        misconception="A batch is full when it holds more than batch_size rows.",
        message="Your batches hold one row more than they may.",
        changes=joined("len(batch) <= batch_size"),
        variants=(((RETURN, "    batch_size += 1\n" + RETURN),),),
        helpers=BY_RULE,
    ),
    Mistake(
        name="last-batch-filled-up",
        misconception="Every batch must be full.",
        message="You fill up the last batch with rows that are there already, or do not exist. Each "
        "row is in exactly one batch, and the last may be smaller.",
        changes=(
            (
                RETURN,
                f"    batches = {CUT}\n    while batches and len(batches[-1]) < batch_size:\n"
                "        batches[-1].append(batches[-1][-1])\n    return batches",
            ),
        ),
        variants=tuple(
            (
                (
                    RETURN,
                    f"    batches = {CUT}\n    while batches and len(batches[-1]) < batch_size:\n"
                    f"        batches[-1].append({filler})\n    return batches",
                ),
            )
            for filler in ("-1", "0", "batches[-1][0]", "order[0]", "len(lengths)")
        )
        + (
            (
                (
                    RETURN,
                    f"    batches = {CUT}\n    if batches:\n"
                    "        batches[-1] = order[-batch_size:]\n    return batches",
                ),
            ),
            (
                (
                    RETURN,
                    f"    batches = {CUT}\n    if batches:\n        rest = batches[-1]\n"
                    "        rest += order[: batch_size - len(rest)]\n    return batches",
                ),
            ),
        ),
    ),
    Mistake(
        name="an-empty-batch",
        misconception="There is always one more batch, and it may be empty.",
        message="One of your batches is empty: there are as few as possible.",
        changes=(
            (
                CUT,
                "[order[k * batch_size :][:batch_size] for k in range(len(order) // batch_size + 1)]",
            ),
        ),
        variants=(
            ((CUT, f"{CUT} or [[]]"),),
            (
                (
                    RETURN,
                    "    batches, current = [], []\n    for row in order:\n"
                    "        current.append(row)\n        if len(current) == batch_size:\n"
                    "            batches.append(current)\n            current = []\n"
                    "    return batches + [current]",
                ),
            ),
        ),
    ),
    Mistake(
        name="fails-on-no-comments",
        misconception="There is always something to cut.",
        message="Without comments there are no batches: return an empty list then.",
        changes=((RETURN, "    order[0]\n" + RETURN),),
        variants=(
            ((RETURN, "    if not order:\n        return None\n" + RETURN),),
            ((RETURN, "    if not order:\n        raise ValueError\n" + RETURN),),
            ((RETURN, "    1 / len(order)\n" + RETURN),),
            ((ORDER, "np.lexsort([lengths]).tolist() if max(lengths) > -1 else 0"),),
        ),
    ),
    Mistake(
        name="not-a-list",
        misconception="What can be gone through is a list.",
        message="Return a list of batches; a generator, a tuple, an array or a dictionary is no list.",
        changes=((RETURN, f"    yield from {CUT}"),),
        variants=(
            ((RETURN, f"    return tuple({CUT})"),),
            ((RETURN, f"    return map(list, {CUT})"),),
            ((RETURN, f"    return dict(enumerate({CUT}))"),),
            ((RETURN, f"    return np.array({CUT}, dtype=object)"),),
            ((RETURN, f"    return zip({CUT})"),),
        ),
    ),
    Mistake(
        name="changes-its-input",
        misconception="A list that is handed in may be reordered.",
        message="Your answer changes `lengths`, which must be the same after the call: sort row "
        "numbers, not the list.",
        changes=((RETURN, "    lengths.sort()\n" + RETURN),),
        variants=(((RETURN, "    lengths.sort(reverse=True)\n" + RETURN),),),
    ),
    Mistake(
        name="sorts-its-input-first",
        misconception="A list can be sorted and still be asked for its old places.",
        message="You sort `lengths` itself, so that the row numbers are those of the sorted list: "
        "sort row numbers, and leave the list as it is.",
        changes=((f"    order = {ORDER}", f"    lengths.sort()\n    order = {ORDER}"),),
        variants=(
            ((f"    order = {ORDER}", f"    lengths.sort(reverse=True)\n    order = {ORDER}"),),
        ),
    ),
    Mistake(
        name="prints-instead-of-returning",
        misconception="Showing a result is returning it.",
        message="Your answer gives no list but None: is a `return` missing?",
        changes=((RETURN, f"    print({CUT})"),),
    ),
    Mistake(
        name="hard-coded-example",
        misconception="An answer that passes the example is right.",
        message="Your batches are those of the example, whatever the input.",
        changes=((RETURN, "    return [[0, 4], [2, 5], [3, 1]]"),),
        variants=(((RETURN, "    return [[0, 4], [2, 5], [3, 1]] if lengths else []"),),),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="argsort",
        code="""
def length_batches(lengths, batch_size):
    order = np.argsort(lengths)
    return [order[i:i + batch_size] for i in range(0, len(order), batch_size)]
""",
    ),
    Alternative(
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
    Alternative(
        name="split-at-places",
        code="""
def length_batches(lengths, batch_size):
    if not lengths:
        return []
    order = np.argsort(lengths, kind="stable")[::-1]
    return np.split(order, range(batch_size, len(order), batch_size))
""",
    ),
]
