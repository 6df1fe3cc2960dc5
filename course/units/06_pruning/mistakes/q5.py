"""Question 5, the bytes of sparse weights: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

NO_LIBRARY = (
    "utils.codecs writes sparse tensors; here the bytes are counted, of widths that are given."
)

PLACES = "places = np.flatnonzero(mask)"
WEIGHTS = "weights = math.ceil(len(places) * value_bits / 8)"
GAPS = "np.diff(places, prepend=-1) - 1"
FILLERS = "int((gaps // 2**gap_bits).sum())"
ENTRIES = f"len(places) + {FILLERS}"
DENSE = "math.ceil(mask.size * value_bits / 8)"
BITMAP = "math.ceil(mask.size / 8) + weights"
DELTAS = "math.ceil(entries * gap_bits / 8) + math.ceil(entries * value_bits / 8)"
COLUMNS_FIT = "mask.shape[1] <= 2**column_bits"
POINTERS_FIT = "len(places) < 2**pointer_bits"
FITS = f"{COLUMNS_FIT} and {POINTERS_FIT}"
POINTERS = "math.ceil((len(mask) + 1) * pointer_bits / 8)"
CSR = "math.ceil(len(places) * column_bits / 8) + pointers + weights"
RETURN = "return found, min(found, key=found.get)"
OF_DENSE = "dense = math.ceil(n * value_bits / 8)"
RANGE = "range(n + 1)"
OTHERS = "math.ceil((place_bits * n + entry_bits * (n - zeros)) / 8)"
VALUES = "math.ceil((n - zeros) * value_bits / 8)"
SMALLER = f"others + {VALUES} < dense"

ADD_CSR = """smallest = min(found, key=found.get)
    found.setdefault("csr", {})
    return found, smallest"""


def fillers(code: str) -> tuple:
    return ((FILLERS, code),)


def deltas(code: str) -> tuple:
    return ((DELTAS, code),)


def others(code: str) -> tuple:
    return ((OTHERS, code),)


MISTAKES = [
    # -------------------------------------------------------------------------------- bytes of arrays
    Mistake(
        name="arrays-rounded-together",
        misconception="Bits are rounded up to bytes once, at the end.",
        message="You round once for several arrays. Each array begins on a whole byte.",
        changes=(
            (DELTAS, "math.ceil(entries * (gap_bits + value_bits) / 8)"),
            (BITMAP, "math.ceil((mask.size + len(places) * value_bits) / 8)"),
            (
                CSR,
                "math.ceil((len(places) * (column_bits + value_bits) + (len(mask) + 1) * pointer_bits) / 8)",
            ),
        ),
        variants=(
            deltas("math.ceil(entries * (gap_bits + value_bits) / 8)"),
            ((BITMAP, "math.ceil((mask.size + len(places) * value_bits) / 8)"),),
            (
                (
                    CSR,
                    "math.ceil((len(places) * (column_bits + value_bits)"
                    " + (len(mask) + 1) * pointer_bits) / 8)",
                ),
            ),
            ((CSR, "math.ceil(len(places) * (column_bits + value_bits) / 8) + pointers"),),
        ),
    ),
    Mistake(
        name="rounded-down",
        misconception="Bits divided by 8, with //, are bytes.",
        message="You round bits down to bytes. The last bits need a byte, too.",
        changes=(
            (WEIGHTS, "weights = len(places) * value_bits // 8"),
            (DENSE, "mask.size * value_bits // 8"),
            (BITMAP, "mask.size // 8 + weights"),
            (DELTAS, "entries * gap_bits // 8 + entries * value_bits // 8"),
            (POINTERS, "(len(mask) + 1) * pointer_bits // 8"),
            (CSR, "len(places) * column_bits // 8 + pointers + weights"),
        ),
        variants=(
            ((BITMAP, "mask.size // 8 + weights"),),
            ((WEIGHTS, "weights = len(places) * value_bits // 8"),),
        ),
    ),
    Mistake(
        name="not-rounded",
        misconception="Bytes may be fractions.",
        message="Your bytes are fractions: a byte that is filled in part is a byte.",
        changes=(
            (WEIGHTS, "weights = len(places) * value_bits / 8"),
            (DENSE, "mask.size * value_bits / 8"),
            (BITMAP, "mask.size / 8 + weights"),
            (DELTAS, "entries * gap_bits / 8 + entries * value_bits / 8"),
            (POINTERS, "(len(mask) + 1) * pointer_bits / 8"),
            (CSR, "len(places) * column_bits / 8 + pointers + weights"),
        ),
    ),
    Mistake(
        name="each-number-a-byte",
        misconception="Each number begins on a byte.",
        message="You round each number up to bytes. Numbers of an array stand one after another.",
        changes=(
            (WEIGHTS, "weights = len(places) * math.ceil(value_bits / 8)"),
            (DENSE, "mask.size * math.ceil(value_bits / 8)"),
            (DELTAS, "entries * (math.ceil(gap_bits / 8) + math.ceil(value_bits / 8))"),
            (POINTERS, "(len(mask) + 1) * math.ceil(pointer_bits / 8)"),
            (CSR, "len(places) * math.ceil(column_bits / 8) + pointers + weights"),
        ),
    ),
    Mistake(
        name="rows-rounded",
        misconception="A row of a bitmap begins on a byte.",
        message="You round the bitmap row by row. It is one array.",
        changes=((BITMAP, "len(mask) * math.ceil(mask.shape[1] / 8) + weights"),),
    ),
    Mistake(
        name="bits-for-bytes",
        misconception="Bits are bytes.",
        message="Those are bits. A byte has 8.",
        changes=(
            (WEIGHTS, "weights = len(places) * value_bits"),
            (DENSE, "mask.size * value_bits"),
            (BITMAP, "mask.size + weights"),
            (DELTAS, "entries * (gap_bits + value_bits)"),
            (POINTERS, "(len(mask) + 1) * pointer_bits"),
            (CSR, "len(places) * column_bits + pointers + weights"),
        ),
    ),
    Mistake(
        name="mask-a-byte-each",
        misconception="A bool takes a byte.",
        message="Your bitmap has a byte for each place. A bit will do.",
        changes=((BITMAP, "mask.size + weights"),),
        variants=(((BITMAP, "mask.nbytes + weights"),),),
    ),
    Mistake(
        name="bitmap-without-its-bits",
        misconception="Zeros cost nothing.",
        message="You count only the weights of the bitmap, or of the deltas or csr. What says where "
        "they stand is missing.",
        changes=((BITMAP, "weights"),),
        variants=(((BITMAP, "weights"), (DELTAS, "weights"), (CSR, "weights")),),
    ),
    Mistake(
        name="bitmap-of-the-kept",
        misconception="The bitmap has a bit for each weight that is stored.",
        message="Your bitmap has a bit for each weight that is not 0. It has one for each place.",
        changes=((BITMAP, "math.ceil(len(places) / 8) + weights"),),
    ),
    Mistake(
        name="dense-without-zeros",
        misconception="Dense counts what is there.",
        message="Your dense matrix lacks its zeros. They are as long as other weights.",
        changes=((DENSE, "weights"),),
    ),
    Mistake(
        name="weights-of-32-bits",
        misconception="A weight has 4 bytes.",
        message="You take a weight for 4 bytes. It has `value_bits`.",
        changes=((WEIGHTS, "weights = len(places) * 4"), (DENSE, "mask.size * 4")),
        variants=(
            ((DENSE, "mask.size * 4"),),
            (
                (WEIGHTS, "weights = len(places) * 4"),
                (DENSE, "mask.size * 4"),
                (DELTAS, "math.ceil(entries * gap_bits / 8) + entries * 4"),
            ),
        ),
    ),
    # -------------------------------------------------------------------------------- deltas
    Mistake(
        name="no-stored-zeros",
        misconception="A gap fits.",
        message="Your gaps are longer than `gap_bits` can say. A zero has to be stored where one does "
        "not reach to the next weight.",
        changes=fillers("0"),
    ),
    Mistake(
        name="gaps-of-positions",
        misconception="A gap is the difference of two places.",
        message="You take the difference of two places for the gap. It is the number of zeros in "
        "between, one less.",
        changes=((GAPS, "np.diff(places, prepend=-1)"),),
        variants=(((GAPS, "np.diff(places, prepend=0)"),),),
    ),
    Mistake(
        name="stored-zeros-cover-no-place",
        misconception="A stored zero is none of those that are passed.",
        message="Your stored zeros take up no place: one that comes after 2^b - 1 zeros is itself a zero, "
        "so that it covers 2^b places.",
        changes=fillers("int((gaps // (2**gap_bits - 1)).sum())"),
        variants=(
            fillers("int((np.maximum(gaps - 1, 0) // (2**gap_bits - 1)).sum())"),
            fillers("int((-(-gaps // (2**gap_bits - 1)) - (gaps > 0)).sum())"),
        ),
    ),
    Mistake(
        name="gap-of-2-to-the-b",
        misconception="b bits count to 2^b.",
        message="Your gap counts to 2^b. The largest number of b bits is 2^b - 1.",
        changes=fillers("int((gaps // (2**gap_bits + 1)).sum())"),
        variants=(fillers("int((np.maximum(gaps - 1, 0) // 2**gap_bits).sum())"),),
    ),
    Mistake(
        name="gap-of-b",
        misconception="b bits count to b.",
        message="Your gap counts to `gap_bits`. b bits count to 2^b - 1.",
        changes=fillers("int((gaps // (gap_bits + 1)).sum())"),
        variants=(fillers("int((gaps // gap_bits).sum())"),),
    ),
    Mistake(
        name="one-stored-zero-a-gap",
        misconception="One stored zero is enough.",
        message="You store at most one zero in a gap. As many as needed.",
        changes=fillers("int((gaps >= 2**gap_bits).sum())"),
    ),
    Mistake(
        name="first-gap-left-out",
        misconception="The first weight has no gap.",
        message="You leave out the zeros before the first weight.",
        changes=((GAPS, "np.diff(places) - 1"),),
    ),
    Mistake(
        name="zeros-at-the-end-stored",
        misconception="The gaps cover the whole matrix.",
        message="You store zeros after the last weight as well. Nothing is stored there.",
        changes=((GAPS, "np.diff(places, prepend=-1, append=mask.size) - 1"),),
    ),
    Mistake(
        name="each-row-by-itself",
        misconception="A gap ends with its row.",
        message="You begin to count the gap anew in each row. It goes on through the matrix.",
        changes=(
            (
                GAPS,
                "np.concatenate([np.diff(np.flatnonzero(row), prepend=-1) - 1 for row in mask])",
            ),
        ),
    ),
    Mistake(
        name="column-by-column",
        misconception="The order does not matter.",
        message="You go through the matrix column by column. It is row by row.",
        changes=((GAPS, "np.diff(np.flatnonzero(mask.T), prepend=-1) - 1"),),
    ),
    Mistake(
        name="stored-zeros-without-weight",
        misconception="A stored zero is only a gap.",
        message="Your stored zeros have a gap and no weight. Each entry has both.",
        changes=deltas("math.ceil(entries * gap_bits / 8) + weights"),
    ),
    Mistake(
        name="stored-zeros-without-gap",
        misconception="A stored zero is only a weight.",
        message="Your stored zeros have a weight and no gap. Each entry has both.",
        changes=deltas(
            "math.ceil(len(places) * gap_bits / 8) + math.ceil(entries * value_bits / 8)"
        ),
    ),
    Mistake(
        name="deltas-weights-alone",
        misconception="Gaps are part of the weights.",
        message="You leave out the gaps, or the weights, of the deltas.",
        changes=deltas("math.ceil(entries * value_bits / 8)"),
        variants=(deltas("math.ceil(entries * gap_bits / 8)"),),
    ),
    # -------------------------------------------------------------------------------- csr
    Mistake(
        name="a-pointer-for-each-row",
        misconception="There are as many pointers as rows.",
        message="You have a pointer for each row. One more says where the last row ends.",
        changes=((POINTERS, "math.ceil(len(mask) * pointer_bits / 8)"),),
    ),
    Mistake(
        name="pointers-for-columns",
        misconception="Pointers are for columns.",
        message="You count a pointer for each column. They are for rows (those for columns are CSC).",
        changes=((POINTERS, "math.ceil((mask.shape[1] + 1) * pointer_bits / 8)"),),
    ),
    Mistake(
        name="no-pointers",
        misconception="Columns are enough.",
        message="You leave out the pointers, without which nobody knows where a row begins.",
        changes=((POINTERS, "0"),),
    ),
    Mistake(
        name="row-index-of-each-weight",
        misconception="Each weight says its row and its column.",
        message="You store a row number with each weight. In CSR there is a pointer for each row "
        "instead.",
        changes=((POINTERS, "math.ceil(len(places) * pointer_bits / 8)"),),
    ),
    Mistake(
        name="no-columns",
        misconception="Pointers are enough.",
        message="You leave out the columns, or the weights, of csr.",
        changes=((CSR, "pointers + weights"),),
        variants=(((CSR, "math.ceil(len(places) * column_bits / 8) + pointers"),),),
    ),
    Mistake(
        name="widths-swapped",
        misconception="A width is a width.",
        message="The widths of columns and pointers are swapped.",
        changes=(
            (POINTERS, "math.ceil((len(mask) + 1) * column_bits / 8)"),
            (CSR, "math.ceil(len(places) * pointer_bits / 8) + pointers + weights"),
        ),
    ),
    Mistake(
        name="csr-always-fits",
        misconception="A width that is given fits.",
        message="You give csr where a number does not fit into its bits.",
        changes=((FITS, "True"),),
        variants=(((FITS, COLUMNS_FIT),), ((FITS, POINTERS_FIT),)),
    ),
    Mistake(
        name="columns-counted-from-1",
        misconception="With 9 columns the largest number is 9.",
        message="Columns are numbered from 0, so that 2^b of them fit into b bits.",
        changes=((COLUMNS_FIT, "mask.shape[1] < 2**column_bits"),),
    ),
    Mistake(
        name="pointers-one-too-far",
        misconception="With n weights the largest pointer is n - 1.",
        message="The last pointer is the number of weights itself, and has to fit as well.",
        changes=((POINTERS_FIT, "len(places) <= 2**pointer_bits"),),
    ),
    Mistake(
        name="pointers-of-places",
        misconception="A pointer says a place of the matrix.",
        message="Your pointers have to reach to all places of the matrix, or to its rows. They reach to "
        "the number of weights.",
        changes=((POINTERS_FIT, "mask.size < 2**pointer_bits"),),
        variants=(((POINTERS_FIT, "len(mask) < 2**pointer_bits"),),),
    ),
    Mistake(
        name="csr-none",
        misconception="A format that does not fit has no size.",
        message="Where csr does not fit you return it, without a size. It is left out.",
        changes=(
            (
                RETURN,
                ADD_CSR.format("None"),
            ),
        ),
        variants=(
            (
                (
                    RETURN,
                    'found.setdefault("csr", math.inf)\n    return found, min(found, key=found.get)',
                ),
            ),
            (
                (
                    RETURN,
                    ADD_CSR.format(0),
                ),
            ),
        ),
    ),
    Mistake(
        name="dense-not-among-them",
        misconception="The smallest is a sparse format.",
        message="You choose among the sparse formats. Dense may be the smallest.",
        changes=((RETURN, 'return found, min((k for k in found if k != "dense"), key=found.get)'),),
    ),
    Mistake(
        name="ties-to-the-last",
        misconception="Of equal ones any will do.",
        message="Of equal formats you name the one that stands last, or first in the alphabet.",
        changes=((RETURN, "return found, min(reversed(found), key=found.get)"),),
        variants=(((RETURN, "return found, min(sorted(found, reverse=True), key=found.get)"),),),
    ),
    Mistake(
        name="largest-named",
        misconception="The best has the highest number.",
        message="You name the largest.",
        changes=((RETURN, "return found, max(found, key=found.get)"),),
    ),
    Mistake(
        name="size-for-name",
        misconception="The smallest is a size.",
        message="You return the smallest size. Return its name.",
        changes=((RETURN, "return found, min(found.values())"),),
    ),
    Mistake(
        name="inverted-mask",
        misconception="A mask marks what is pruned.",
        message="You store the weights where the mask is False. It is True where a weight is not 0.",
        changes=((PLACES, "places = np.flatnonzero(~mask)"),),
    ),
    # -------------------------------------------------------------------------------- fewest zeros
    Mistake(
        name="as-small-is-enough",
        misconception="A format that is as small is worth it.",
        message="You stop where the format is as small as dense. It has to take fewer bytes.",
        changes=((SMALLER, f"others + {VALUES} <= dense"),),
    ),
    Mistake(
        name="break-even-in-bits",
        misconception="The break-even is a formula.",
        message="You compare bits. Each array is rounded up to bytes, so that a saving of a few bits may "
        "be none.",
        changes=(
            (SMALLER, "place_bits * n + (entry_bits + value_bits) * (n - zeros) < n * value_bits"),
        ),
        variants=(
            (
                (OTHERS, "(place_bits * n + entry_bits * (n - zeros)) / 8"),
                (SMALLER, "others + (n - zeros) * value_bits / 8 < n * value_bits / 8"),
            ),
        ),
    ),
    Mistake(
        name="break-even-rounded-together",
        misconception="The two arrays are one.",
        message="You round once for what says where and for the weights. They are two arrays.",
        changes=(
            (
                SMALLER,
                "math.ceil((place_bits * n + (entry_bits + value_bits) * (n - zeros)) / 8) < dense",
            ),
        ),
    ),
    Mistake(
        name="arrays-of-one-rounded-apart",
        misconception="What is for places and what is for weights are two arrays.",
        message="You round the bits for places and those for non-zero weights apart. They are one array.",
        changes=others("math.ceil(place_bits * n / 8) + math.ceil(entry_bits * (n - zeros) / 8)"),
    ),
    Mistake(
        name="kept-for-zeros",
        misconception="The most weights that may stay is the answer.",
        message="You return how many weights are not 0. Return the zeros.",
        changes=(("            return zeros\n", "            return n - zeros\n"),),
    ),
    Mistake(
        name="sparsity-for-zeros",
        misconception="The break-even is a share.",
        message="You return a share. Return a number of zeros.",
        changes=(("            return zeros\n", "            return zeros / n\n"),),
    ),
    Mistake(
        name="never-all-zeros",
        misconception="A matrix has a weight that is not 0.",
        message="You do not try a matrix of zeros alone.",
        changes=((RANGE, "range(n)"),),
        variants=(((RANGE, "range(1, n)"),),),
    ),
    Mistake(
        name="zeros-for-kept",
        misconception="Zeros are what is stored.",
        message="You store the zeros. The others are stored.",
        changes=(
            (OTHERS, "math.ceil((place_bits * n + entry_bits * zeros) / 8)"),
            (VALUES, "math.ceil(zeros * value_bits / 8)"),
        ),
        variants=(others("math.ceil((place_bits * n + entry_bits * zeros) / 8)"),),
    ),
    Mistake(
        name="bits-of-places-for-the-kept",
        misconception="Place bits are for stored weights.",
        message="You count `place_bits` for the non-zero weights alone. It is for each place.",
        changes=others("math.ceil((place_bits + entry_bits) * (n - zeros) / 8)"),
    ),
    Mistake(
        name="bits-of-entries-for-all",
        misconception="Entry bits are for each place.",
        message="You count `entry_bits` for each place. It is for each non-zero weight.",
        changes=others("math.ceil((place_bits + entry_bits) * n / 8)"),
    ),
    Mistake(
        name="entry-bits-ignored",
        misconception="Places are all that there is.",
        message="You ignore `place_bits`, or `entry_bits`.",
        changes=others("math.ceil(place_bits * n / 8)"),
        variants=(others("math.ceil(entry_bits * (n - zeros) / 8)"),),
    ),
    Mistake(
        name="never-is-a-number",
        misconception="There is always a number.",
        message="Where it never takes fewer bytes you return a number. It is None there.",
        changes=(("    return None", "    return n"),),
        variants=(
            (("    return None", "    return n + 1"),),
            (("    return None", "    return 0"),),
            (("    return None", "    return -1"),),
        ),
    ),
    Mistake(
        name="never-is-an-error",
        misconception="Never is an error.",
        message="Where it never takes fewer bytes your answer raises an error. It returns None.",
        changes=(("    return None", "    raise ValueError(n)"),),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="walking through the places",
        code="""
def whole(bits):
    return -(-int(bits) // 8)


def sparse_bytes(mask, value_bits, gap_bits, column_bits, pointer_bits):
    rows, columns = mask.shape
    kept = entries = run = 0
    for here in mask.ravel().tolist():
        if here:
            kept, entries, run = kept + 1, entries + 1 + run // 2**gap_bits, 0
        else:
            run += 1
    sizes = [
        ("dense", whole(rows * columns * value_bits)),
        ("bitmap", whole(rows * columns) + whole(kept * value_bits)),
        ("deltas", whole(entries * gap_bits) + whole(entries * value_bits)),
    ]
    if (columns - 1).bit_length() <= column_bits and kept.bit_length() <= pointer_bits:
        pointers = whole((rows + 1) * pointer_bits)
        sizes.append(("csr", pointers + whole(kept * column_bits) + whole(kept * value_bits)))
    return dict(sizes), min(sizes, key=lambda pair: pair[1])[0]


def fewest_zeros(n, value_bits, place_bits, entry_bits):
    def smaller(kept):
        return whole(place_bits * n + entry_bits * kept) + whole(kept * value_bits) < whole(
            n * value_bits
        )

    return next((n - kept for kept in range(n, -1, -1) if smaller(kept)), None)
""",
    ),
]
