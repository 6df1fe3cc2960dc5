"""Question 5, the bytes of codes, codebooks and rotation: wrong answers, and right ones."""

from course.writing.mistakes import Alternative, Mistake

NUMBERS = 'K * d * (M if method == "additive" else 1)'
WIDTH = "(K - 1).bit_length()"
BITS = f"bits = n * M * {WIDTH}"
CODES = "-(-bits // 8)"
ROTATION = 'd * d if method == "OPQ" else 0'
BOOKS = "4 * numbers"
SIZES = '{"codes": -(-bits // 8), "codebooks": 4 * numbers, "rotation": 4 * rotation}'
MOST = 'most = budget // (4 * K * d) if method == "additive" else d'
FITS = "sum(storage_bytes(method, n, d, M, K).values()) <= budget"
LARGEST = (
    "max((M for M in range(1, most + 1)\n"
    "                if sum(storage_bytes(method, n, d, M, K).values()) <= budget), default=None)"
)


def codes(text: str) -> tuple[tuple[str, str], ...]:
    """Another number of bytes for the codes."""
    return ((CODES, text),)


def closed(text: str) -> tuple[tuple[str, str], ...]:
    """M by a division, not by trying."""
    return (
        (
            f"    {MOST}\n    return {LARGEST}",
            "    width = (K - 1).bit_length()\n"
            '    rotation = 4 * d * d if method == "OPQ" else 0\n'
            '    left = budget - rotation - (0 if method == "additive" else 4 * K * d)\n'
            '    each = n * width / 8 + (4 * K * d if method == "additive" else 0)\n' + text,
        ),
    )


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.quantization.ProductQuantizer.nbytes",
        changes=((BITS, "bits = 8 * by_the_library(method, n, d, M, K)"),),
        helpers="""
from utils.quantization import ProductQuantizer


def by_the_library(method, n, d, M, K):
    M, n, K = min(M, d), min(n, 50), min(K, 64)
    X = np.random.default_rng(0).normal(size=(max(n, K), d))
    quantizer = ProductQuantizer(n_subspaces=M, n_codes=K, n_iter=0).fit(X)
    return quantizer.nbytes(quantizer.transform(X[:n])) - 4 * K * d
""",
    ),
    # --------------------------------------------------------------------------------- codes
    Mistake(
        name="logarithm-rounded-down",
        misconception="5 codewords take 2 bits.",
        message="You round log2(K) down: two bits tell only four codewords apart, and five need three.",
        changes=((WIDTH, "(K.bit_length() - 1)"),),
    ),
    Mistake(
        name="logarithm-rounded-to-nearest",
        misconception="The logarithm is rounded to the nearest whole number.",
        message="You round log2(K) to the nearest whole number: 5 codewords need 3 bits, though log2(5) "
        "is 2.32. Round up.",
        changes=((WIDTH, "round(np.log2(K))"),),
        variants=(((WIDTH, "int(np.log2(K) + 0.5)"),),),
    ),
    Mistake(
        name="logarithm-not-rounded",
        misconception="A packed code can have 2.32 bits.",
        message="A packed code has a whole number of bits: you do not round log2(K) up for each code.",
        changes=((BITS, "bits = n * M * np.log2(K)"), (CODES, "int(-(-bits // 8))")),
        variants=(
            ((BITS, "bits = int(np.ceil(n * M * np.log2(K)))"),),
            ((BITS, "bits = n * M * np.log2(K)"), (CODES, "bits / 8")),
        ),
    ),
    Mistake(
        name="logarithm-rounded-for-each-row",
        misconception="Only whole rows have to be rounded up.",
        message="You round up M · log2(K) for each row; a code has a whole number of bits, and M codes M "
        "times as many.",
        changes=((BITS, "bits = n * int(np.ceil(M * np.log2(K)))"),),
        variants=(((CODES, "n * int(np.ceil(M * np.log2(K) / 8))"),),),
    ),
    Mistake(
        name="logarithm-of-one-more",
        misconception="256 codewords take 9 bits, as the number 256 does.",
        message="You count one bit too many where K is a power of two: 256 codewords take 8 bits, from 0 "
        "to 255.",
        changes=((WIDTH, "K.bit_length()"),),
        variants=(((WIDTH, "int(np.floor(np.log2(K)) + 1)"),),),
    ),
    Mistake(
        name="one-bit-at-least",
        misconception="Every code takes a bit.",
        message="A single codeword takes 0 bits, and not 1: there is nothing to tell apart.",
        changes=((WIDTH, "max(1, (K - 1).bit_length())"),),
    ),
    Mistake(
        name="logarithm-to-another-base",
        misconception="The logarithm is np.log.",
        message="You take the natural logarithm, or that to the base 10; bits are counted by log2.",
        changes=((WIDTH, "int(np.ceil(np.log(K)))"),),
        variants=(((WIDTH, "int(np.ceil(np.log10(K)))"),),),
    ),
    Mistake(
        name="one-bit-for-each-codeword",
        misconception="A code marks its codeword among all.",
        message="You count K bits for a code, or K - 1, as if a bit stood for each codeword. Codes are "
        "numbers: log2(K) bits, rounded up.",
        changes=((WIDTH, "K"),),
        variants=(((WIDTH, "(K - 1)"),), ((WIDTH, "(K // 2)"),)),
    ),
    Mistake(
        name="a-byte-for-each-code",
        misconception="A code takes a byte, however few codewords there are.",
        message="You count whole bytes for each code; codes are packed, and have just enough bits.",
        changes=codes("n * M * -(-(K - 1).bit_length() // 8)"),
        variants=(
            codes("n * M"),
            codes("n * M * (1 if K <= 256 else 2)"),
            codes("n * M * (1 if K <= 256 else 2 if K <= 65536 else 4)"),
            codes("n * M * max(1, -(-(K - 1).bit_length() // 8))"),
        ),
    ),
    Mistake(
        name="four-bytes-for-each-code",
        misconception="A code is a number, and a number has four bytes.",
        message="You count four bytes or eight for each code, as for an int32 or int64; codes are packed, "
        "and have just enough bits.",
        changes=codes("4 * n * M"),
        variants=(codes("8 * n * M"), codes("4 * bits")),
    ),
    Mistake(
        name="each-row-rounded-up",
        misconception="Every vector starts on a whole byte.",
        message="You round up to whole bytes for each row; all n · M codes are packed together, and only "
        "the very end is rounded up.",
        changes=codes("n * -(-M * (K - 1).bit_length() // 8)"),
    ),
    Mistake(
        name="each-chunk-rounded-up",
        misconception="The codes of each codebook are packed by themselves.",
        message="You round up to whole bytes for each chunk; all n · M codes are packed together, and "
        "only the very end is rounded up.",
        changes=codes("M * -(-n * (K - 1).bit_length() // 8)"),
    ),
    Mistake(
        name="bytes-rounded-down",
        misconception="A few bits more than 11 bytes are 11 bytes.",
        message="You round the bytes of the codes down: 90 bits do not fit into 11 bytes, which hold 88.",
        changes=codes("bits // 8"),
    ),
    Mistake(
        name="bytes-rounded-to-nearest",
        misconception="Bytes are rounded to the nearest whole number.",
        message="You round the bytes of the codes to the nearest number. What is left over needs a byte, "
        "so round up.",
        changes=codes("round(bits / 8)"),
        variants=(codes("int(bits / 8 + 0.5)"),),
    ),
    Mistake(
        name="one-byte-more",
        misconception="Rounding up adds one.",
        message="You count a byte too many where the bits fill whole bytes.",
        changes=codes("bits // 8 + 1"),
    ),
    Mistake(
        name="bits-not-bytes",
        misconception="A size is a number of bits.",
        message="That is the number of bits of the codes; a byte has 8.",
        changes=codes("bits"),
    ),
    Mistake(
        name="bytes-as-floats",
        misconception="A size may have a decimal point.",
        message="Bytes are whole numbers, of type int; one of yours is a float.",
        changes=codes("float(-(-bits // 8))"),
        variants=(
            codes("np.ceil(bits / 8)"),
            ((BOOKS, "4.0 * numbers"),),
            (("4 * rotation", "4.0 * rotation"),),
            ((SIZES, "{k: float(v) for k, v in " + SIZES + ".items()}"),),
        ),
    ),
    Mistake(
        name="codes-of-one-chunk",
        misconception="A vector has one code.",
        message="You count one code for each row; there are M.",
        changes=((BITS, f"bits = n * {WIDTH}"),),
        variants=((("bits = n * M", 'bits = n * (M if method == "additive" else 1)'),),),
    ),
    Mistake(
        name="codes-of-one-row",
        misconception="The size is that of a vector.",
        message="You count the codes of one row; there are n rows.",
        changes=((BITS, f"bits = M * {WIDTH}"),),
    ),
    Mistake(
        name="a-code-for-each-number",
        misconception="Every number has a code.",
        message="You count a code for each of the d numbers; there is one for each chunk, M in a row.",
        changes=((BITS, f"bits = n * d * {WIDTH}"),),
        variants=(
            ((BITS, f"bits = n * M * d * {WIDTH}"),),
            ((BITS, f"bits = n * (d // M) * {WIDTH}"),),
        ),
    ),
    Mistake(
        name="codes-of-the-additive-method",
        misconception="A sum of codewords has one code.",
        message="With the additive method a row has M codes, too: one for each codeword of the sum.",
        changes=(("bits = n * M", 'bits = n * (1 if method == "additive" else M)'),),
    ),
    # ----------------------------------------------------------------------------- codebooks
    Mistake(
        name="codebooks-left-out",
        misconception="The size is that of the codes.",
        message="You leave out the codebooks, without which nobody can decode.",
        changes=((BOOKS, "0"),),
        variants=(
            ((BOOKS, '(4 * numbers if method == "additive" else 0)'),),
            ((BOOKS, '(0 if method == "additive" else 4 * numbers)'),),
        ),
    ),
    Mistake(
        name="full-codewords-for-pq",
        misconception="Every codeword has as many numbers as the vector.",
        message="For PQ and OPQ you count codewords as long as the vector; they are as long as a chunk, "
        "and all M codebooks together hold K · d numbers.",
        changes=((NUMBERS, "K * d * M"),),
        variants=(
            ((NUMBERS, 'K * d * (1 if method == "additive" else M)'),),
            ((NUMBERS, 'K * d * (1 if method == "OPQ" else M)'),),
            ((NUMBERS, 'K * d * (1 if method == "PQ" else M)'),),
        ),
    ),
    Mistake(
        name="short-codewords-for-additive",
        misconception="The codebooks of additive quantization are as small as those of PQ.",
        message="Additive codewords have as many numbers as the vector, since they are added up: each of "
        "the M codebooks holds K · d numbers.",
        changes=((NUMBERS, "K * d"),),
    ),
    Mistake(
        name="codewords-of-whole-quotient",
        misconception="M chunks of d // M numbers are all of the vector.",
        message="You count M chunks of d // M numbers, or of the quotient rounded up. Where M does not "
        "divide d, chunks differ by one number: together they have d.",
        changes=((NUMBERS, '(K * d * M if method == "additive" else K * (d // M) * M)'),),
        variants=(
            ((NUMBERS, '(K * d * M if method == "additive" else K * -(-d // M) * M)'),),
            ((NUMBERS, '(K * d * M if method == "additive" else K * round(d / M) * M)'),),
            (
                (NUMBERS, '(K * d * M if method == "additive" else K * (d // M) * M)'),
                (MOST, "most = 99"),
            ),
        ),
    ),
    Mistake(
        name="one-codebook",
        misconception="All chunks share one codebook.",
        message="For PQ and OPQ you count the codebook of one chunk; there are M.",
        changes=((NUMBERS, '(K * d * M if method == "additive" else K * (d // M))'),),
        variants=(
            ((NUMBERS, '(K * d * M if method == "additive" else int(K * d / M))'),),
            ((NUMBERS, "K * d // M"),),
            ((NUMBERS, '(K * d * M if method == "additive" else K * d / M)'),),
            ((NUMBERS, '(K * d * M if method == "additive" else K * -(-d // M))'),),
        ),
    ),
    Mistake(
        name="codebook-padded-to-a-power-of-two",
        misconception="A codebook has as many codewords as its codes can tell apart.",
        message="You count 2 to the power of the bits for the codewords of a codebook; there are K.",
        changes=((NUMBERS, NUMBERS.replace("K *", "2 ** (K - 1).bit_length() *")),),
    ),
    Mistake(
        name="numbers-not-bytes",
        misconception="A number is a byte.",
        message="You count numbers, and a float32 has 4 bytes.",
        changes=((BOOKS, "numbers"), ("4 * rotation", "rotation")),
        variants=(((BOOKS, "numbers"),), (("4 * rotation", "rotation"),)),
    ),
    Mistake(
        name="other-floats",
        misconception="A float has 2 or 8 bytes.",
        message="You count 2 bytes a number, or 8; a float32 takes 4.",
        changes=((BOOKS, "2 * numbers"), ("4 * rotation", "2 * rotation")),
        variants=(
            ((BOOKS, "2 * numbers"),),
            (("4 * rotation", "2 * rotation"),),
            ((BOOKS, "8 * numbers"), ("4 * rotation", "8 * rotation")),
            ((BOOKS, "8 * numbers"),),
            (("4 * rotation", "8 * rotation"),),
        ),
    ),
    Mistake(
        name="float-bits",
        misconception="A size is a number of bits.",
        message="You count 32 bits a number, where bytes are asked for.",
        changes=((BOOKS, "32 * numbers"), ("4 * rotation", "32 * rotation")),
        variants=(((BOOKS, "32 * numbers"),), (("4 * rotation", "32 * rotation"),)),
    ),
    Mistake(
        name="codewords-counted-not-numbers",
        misconception="A codebook holds K numbers.",
        message="You count codewords, not the numbers in them.",
        changes=((NUMBERS, "K * M"),),
        variants=(((NUMBERS, '(K * d * M if method == "additive" else K * M)'),),),
    ),
    # ------------------------------------------------------------------------------ rotation
    Mistake(
        name="rotation-left-out",
        misconception="OPQ stores what PQ stores.",
        message="You leave out the rotation: OPQ needs it to decode, too.",
        changes=(("4 * rotation", "0"),),
    ),
    Mistake(
        name="rotation-for-all",
        misconception="Every method has a rotation.",
        message="Only OPQ has a rotation.",
        changes=((ROTATION, "d * d"),),
        variants=(
            ((ROTATION, 'd * d if method != "PQ" else 0'),),
            ((ROTATION, 'd * d if method != "additive" else 0'),),
        ),
    ),
    Mistake(
        name="rotation-of-d-numbers",
        misconception="A rotation is an angle for each column.",
        message="A rotation is a matrix of d times d numbers; you count fewer.",
        changes=((ROTATION, 'd if method == "OPQ" else 0'),),
        variants=(
            ((ROTATION, 'd * (d - 1) // 2 if method == "OPQ" else 0'),),
            ((ROTATION, 'd * (d + 1) // 2 if method == "OPQ" else 0'),),
            ((ROTATION, '(d // M) ** 2 if method == "OPQ" else 0'),),
            ((ROTATION, 'M * (d // M) ** 2 if method == "OPQ" else 0'),),
        ),
    ),
    Mistake(
        name="rotation-for-each-codebook",
        misconception="Each chunk is turned by itself.",
        message="You count a rotation for each chunk; there is one, of the whole vector.",
        changes=((ROTATION, 'M * d * d if method == "OPQ" else 0'),),
    ),
    Mistake(
        name="another-dict",
        misconception="The keys, or their sum, are the answer's own affair.",
        message="Return a dict with the keys 'codes', 'codebooks' and 'rotation', for every method, and "
        "nothing else.",
        changes=(
            (
                SIZES,
                "{'codes': -(-bits // 8), 'codebooks': 4 * numbers} | "
                "({'rotation': 4 * rotation} if rotation else {})",
            ),
        ),
        variants=(
            ((SIZES, f"list({SIZES}.values())"), (".values())", ")")),
            (
                (SIZES, f"sum({SIZES}.values())"),
                (FITS, FITS.replace("sum(", "(").replace(".values()", "")),
            ),
            ((SIZES, SIZES[:-1] + ', "total": -(-bits // 8) + 4 * numbers + 4 * rotation}'),),
        ),
    ),
    # ------------------------------------------------------------------------------- largest M
    Mistake(
        name="budget-for-codes-only",
        misconception="The budget is for the codes.",
        message="In largest_M only the codes have to fit with you; the budget is for everything "
        "together.",
        changes=(
            (MOST, 'most = 5000 if method == "additive" else d'),
            (FITS, 'storage_bytes(method, n, d, M, K)["codes"] <= budget'),
        ),
        variants=(
            ((FITS, 'storage_bytes(method, n, d, M, K)["codes"] <= budget'),),
            (
                (MOST, 'most = 10_000 if method == "additive" else d'),
                (FITS, 'storage_bytes(method, n, d, M, K)["codes"] <= budget'),
            ),
            (
                (MOST, 'most = 1000 if method == "additive" else d'),
                (FITS, 'storage_bytes(method, n, d, M, K)["codes"] <= budget'),
            ),
        ),
    ),
    Mistake(
        name="budget-without-a-part",
        misconception="What is stored once does not count.",
        message="In largest_M you leave the rotation, or the codebooks, out of what has to fit.",
        changes=((FITS, FITS.replace("<=", '- storage_bytes(method, n, d, M, K)["rotation"] <=')),),
        variants=(
            ((FITS, FITS.replace("<=", '- storage_bytes(method, n, d, M, K)["codebooks"] <=')),),
            (
                (FITS, FITS.replace("<=", '- storage_bytes(method, n, d, M, K)["codebooks"] <=')),
                (MOST, 'most = 5000 if method == "additive" else d'),
            ),
        ),
    ),
    Mistake(
        name="m-divides-d",
        misconception="A vector can only be cut into equal chunks.",
        message="You only try M that divide d. They need not: chunks may differ by one number.",
        changes=((FITS, FITS + " and d % M == 0"),),
        variants=(((FITS, FITS + ' and (method == "additive" or d % M == 0)'),),),
    ),
    Mistake(
        name="powers-of-two",
        misconception="M is a power of two.",
        message="You only try powers of two for M; any number from 1 up is possible.",
        changes=((FITS, FITS + " and M & (M - 1) == 0"),),
        variants=(((FITS, FITS + " and (M == 1 or M % 2 == 0)"),),),
    ),
    Mistake(
        name="more-chunks-than-numbers",
        misconception="Only the budget limits M.",
        message="For PQ and OPQ, M is at most d: a chunk has at least one number.",
        changes=((MOST, "most = 20_000"),),
        variants=(
            ((MOST, 'most = budget // (4 * K * d) if method == "additive" else 10_000'),),
            ((MOST, 'most = budget // (4 * K * d) if method == "additive" else 1000'),),
            ((MOST, 'most = budget // (4 * K * d) if method == "additive" else n'),),
            ((MOST, "most = budget"),),
            ((MOST, 'most = budget // (4 * K * d) if method != "OPQ" else d'),),
        ),
    ),
    Mistake(
        name="additive-m-at-most-d",
        misconception="Additive codewords are chunks, too.",
        message="With the additive method M may be larger than d, as large as the budget allows: its "
        "codewords are no chunks.",
        changes=((MOST, "most = d"),),
        variants=(
            ((MOST, 'most = 10 * d if method == "additive" else d'),),
            ((MOST, 'most = 2 * d if method == "additive" else d'),),
            ((MOST, 'most = 4 * d if method == "additive" else d'),),
            ((MOST, 'most = 100 if method == "additive" else d'),),
            ((MOST, 'most = 99 if method == "additive" else d'),),
            ((MOST, 'most = 1000 if method == "additive" else d'),),
            ((MOST, 'most = 64 if method == "additive" else d'),),
            ((MOST, 'most = 256 if method == "additive" else d'),),
        ),
    ),
    Mistake(
        name="range-stops-short",
        misconception="range(1, most) includes its end.",
        message="You never try the largest M that is possible: range ends before its second number.",
        changes=(("range(1, most + 1)", "range(1, most)"),),
        variants=(
            (
                (
                    "range(1, most + 1)",
                    'range(1, most + (method == "additive"))',
                ),
            ),
            (("range(1, most + 1)", 'range(1, most + (method != "additive"))'),),
        ),
    ),
    Mistake(
        name="starts-at-two",
        misconception="One chunk is no product quantization.",
        message="You never try M = 1, which is plain vector quantization.",
        changes=(("range(1, most + 1)", "range(2, most + 1)"),),
    ),
    Mistake(
        name="one-too-many",
        misconception="The first M that does not fit is the limit.",
        message="You return the first M that does not fit; the one before it is the last that does.",
        changes=(
            (
                f"return {LARGEST}",
                f"found = {LARGEST}\n    return found if found is None else found + 1",
            ),
        ),
        variants=(((f"return {LARGEST}", f"found = {LARGEST}\n    return (found or 0) + 1"),),),
    ),
    Mistake(
        name="one-too-few",
        misconception="One stays below the limit.",
        message="You return one less than the largest M that fits.",
        changes=(
            (
                f"return {LARGEST}",
                f"found = {LARGEST}\n    return found if found is None else found - 1",
            ),
        ),
        variants=(
            (
                (
                    f"return {LARGEST}",
                    f"found = {LARGEST}\n    return found - 1 if found and found > 1 else None",
                ),
            ),
        ),
    ),
    Mistake(
        name="smallest-m",
        misconception="The first M that fits is the answer.",
        message="You return the first M that fits; the largest is asked for.",
        changes=(("max((M for M", "min((M for M"),),
    ),
    Mistake(
        name="below-the-budget",
        misconception="A budget must not be used up.",
        message="You want less than the budget; it may be used to the last byte.",
        changes=((FITS, FITS.replace("<=", "<")),),
    ),
    Mistake(
        name="zero-if-nothing-fits",
        misconception="Zero codes are an answer.",
        message="Where no M fits the answer is None, and not a number.",
        changes=(("default=None", "default=0"),),
        variants=(
            (("default=None", "default=1"),),
            (("default=None", "default=-1"),),
            (("default=None", "default=float('nan')"),),
        ),
    ),
    Mistake(
        name="fails-when-nothing-fits",
        misconception="There is always an M that fits.",
        message="Where no M fits your answer fails; it is to return None.",
        changes=((", default=None", ""),),
        variants=(
            ((f"return {LARGEST}", f"return int({LARGEST})"),),
            (("return max((M", "return sorted((M"), (", default=None)", ")[-1]")),
        ),
    ),
    Mistake(
        name="divides-by-no-bits",
        misconception="A code has at least one bit.",
        message="With K = 1 a code has 0 bits, and your division by them fails, or makes no sense: then "
        "M = d fits for PQ and OPQ, if anything does.",
        changes=closed(
            '    M = int(8 * left // (8 * each)) if method == "additive" else '
            "min(d, 8 * left // (n * width))\n"
            "    return M if left >= 0 and M >= 1 else None"
        ),
        variants=(
            closed(
                "    if left < 0:\n        return None\n"
                "    M = int(left // each)\n"
                '    M = M if method == "additive" else min(d, M)\n'
                "    return M if M >= 1 else None"
            ),
            closed(
                "    if width == 0 or left < 0:\n        return None\n"
                "    M = int(left // each)\n"
                '    M = M if method == "additive" else min(d, M)\n'
                "    return M if M >= 1 else None"
            ),
            closed(
                '    if left < 0 or (width == 0 and method != "additive"):\n        return None\n'
                "    M = int(left // each)\n"
                '    M = M if method == "additive" else min(d, M)\n'
                "    return M if M >= 1 else None"
            ),
        ),
    ),
    Mistake(
        name="m-rounded",
        misconception="The quotient is rounded to the nearest whole number.",
        message="You divide, and round M to the nearest number, or up; what does not fit whole does not "
        "fit.",
        changes=closed(
            "    M = int(np.round(left / each)) if each else d\n"
            '    M = M if method == "additive" else min(d, M)\n'
            "    return M if M >= 1 else None"
        ),
        variants=(
            closed(
                "    M = int(np.round(left / each)) if each else d\n"
                '    M = M if method == "additive" else min(d, M)\n'
                "    return M if M >= 1 and left >= 0 else None"
            ),
            closed(
                "    M = int(np.ceil(left / each)) if each else d\n"
                '    M = M if method == "additive" else min(d, M)\n'
                "    return M if M >= 1 and left >= 0 else None"
            ),
        ),
    ),
    Mistake(
        name="whole-bytes-a-row-in-the-budget",
        misconception="Every vector starts on a whole byte.",
        message="In largest_M you count whole bytes for each row. All codes are packed together, as in "
        "storage_bytes.",
        changes=(
            (
                FITS,
                FITS.replace(
                    "<=",
                    '- storage_bytes(method, n, d, M, K)["codes"] '
                    "+ n * -(-M * (K - 1).bit_length() // 8) <=",
                ),
            ),
        ),
        variants=(
            closed(
                '    most = budget // (4 * K * d) if method == "additive" else d\n'
                "    fits = [M for M in range(1, most + 1) if left - (4 * K * d * M if "
                'method == "additive" else 0) >= 0 and (left - (4 * K * d * M if '
                'method == "additive" else 0)) // n >= -(-M * width // 8)]\n'
                "    return max(fits, default=None)"
            ),
        ),
    ),
    Mistake(
        name="bits-and-bytes-in-the-budget",
        misconception="A budget may be in bits.",
        message="In largest_M you mix up bits and bytes.",
        changes=((FITS, FITS + " * 8"),),
        variants=(((FITS, FITS + " / 8"),), ((FITS, FITS + " // 8"),)),
    ),
    Mistake(
        name="method-ignored-in-the-budget",
        misconception="The budget is the same for all methods.",
        message="In largest_M you count the bytes of one and the same method, whatever `method` says.",
        changes=((FITS, FITS.replace("storage_bytes(method,", 'storage_bytes("PQ",')),),
        variants=(
            ((FITS, FITS.replace("storage_bytes(method,", 'storage_bytes("OPQ",')),),
            ((FITS, FITS.replace("storage_bytes(method,", 'storage_bytes("additive",')),),
        ),
    ),
    Mistake(
        name="bytes-not-m",
        misconception="The bytes that are used are asked for.",
        message="You return bytes; the number M is asked for.",
        changes=(
            (
                f"return {LARGEST}",
                f"M = {LARGEST}\n    return M and sum(storage_bytes(method, n, d, M, K).values())",
            ),
        ),
        variants=(
            (
                (
                    f"return {LARGEST}",
                    f"M = {LARGEST}\n"
                    "    return M and budget - sum(storage_bytes(method, n, d, M, K).values())",
                ),
            ),
            ((f"return {LARGEST}", f"M = {LARGEST}\n    return M and list(range(1, M + 1))"),),
        ),
    ),
    Mistake(
        name="prints-instead-of-returning",
        misconception="Showing a result is returning it.",
        message="Your answer gives None: is a `return` missing?",
        changes=((f"return {LARGEST}", f"print({LARGEST})"),),
        variants=((("return " + SIZES, f"print({SIZES})"),),),
    ),
    Mistake(
        name="hard-coded-example",
        misconception="An answer that passes the example is right.",
        message="The results are those of the example, whatever the input.",
        code="""
def storage_bytes(method, n, d, M, K):
    books = 360 if method == "additive" else 120
    return {"codes": 12, "codebooks": books, "rotation": 144 if method == "OPQ" else 0}


def largest_M(method, n, d, K, budget):
    return {"PQ": 5, "OPQ": 3, "additive": 2}[method]
""",
    ),
]

ALTERNATIVES = [
    Alternative(
        name="logarithm-and-loop",
        code="""
from math import ceil, log2


def storage_bytes(method, n, d, M, K):
    bits = ceil(log2(K))
    codes = ceil(n * M * bits / 8)
    if method == "additive":
        codebooks = M * K * d * 4
    else:
        codebooks = d * K * 4
    rotation = 0
    if method == "OPQ":
        rotation = d * d * 4
    return {"codes": codes, "codebooks": codebooks, "rotation": rotation}


def total_bytes(method, n, d, M, K):
    return sum(storage_bytes(method, n, d, M, K).values())


def largest_M(method, n, d, K, budget):
    best, M = None, 1
    while M <= d or method == "additive":
        if total_bytes(method, n, d, M, K) > budget:
            break
        best = M
        M += 1
    return best
""",
    ),
    Alternative(
        name="counting-up-and-down",
        code="""
def storage_bytes(method, n, d, M, K):
    width = 0
    while 2 ** width < K:
        width += 1
    numbers = {"PQ": K * d, "OPQ": K * d, "additive": M * K * d}[method]
    return dict(
        codes=(n * M * width + 7) // 8,
        codebooks=4 * numbers,
        rotation=4 * d ** 2 * (method == "OPQ"),
    )


def largest_M(method, n, d, K, budget):
    for M in range(d if method != "additive" else 1 + budget // (4 * d * K), 0, -1):
        if sum(storage_bytes(method, n, d, M, K).values()) <= budget:
            return M
""",
    ),
    Alternative(
        name="by-numpy",
        code="""
def storage_bytes(method, n, d, M, K):
    bits = n * M * int(np.ceil(np.log2(K)))
    books = (M, K, d) if method == "additive" else (K, d)
    rotation = np.zeros((d, d) if method == "OPQ" else 0, dtype=np.float32)
    return {
        "codes": len(np.packbits(np.zeros(bits, dtype=bool))),
        "codebooks": 4 * int(np.prod(books)),
        "rotation": rotation.nbytes,
    }


def largest_M(method, n, d, K, budget):
    possible = range(1, d + 1)
    if method == "additive":
        possible = range(1, budget // (4 * d * K) + 1)
    best = None
    for M in possible:
        sizes = storage_bytes(method, n, d, M, K)
        if sizes["codes"] + sizes["codebooks"] + sizes["rotation"] <= budget:
            best = M
    return best
""",
    ),
]
