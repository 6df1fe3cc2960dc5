"""Question 4, the bytes of a model: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

NO_LIBRARY = "utils.packing.size_report reads a model file, and this model is only described"

TEXT = 'len("\\n".join(words).encode("utf-8"))'
LABELS = " + 4 * labels"
WIDTH = "(entries - 1).bit_length()"
BITS = f'{WIDTH} if entries else tensor["bits"]'
STORED = 'stored = tensor.get("kept", tensor["values"])'
NUMBERS = "math.ceil(stored * bits / 8)"
MASK = 'math.ceil(tensor["values"] / 8)'
IF_MASK = '        if "kept" in tensor:\n'
MASK_LINES = IF_MASK + f"            total += {MASK}\n"
TABLE = "        total += 2 * entries\n"
SCALES = '        total += 2 * tensor.get("scales", 0)\n'
SUM = f"        total += {NUMBERS}\n"


def in_one_sum(terms: str) -> tuple[tuple[str, str], ...]:
    """Changes after which the bits of a tensor are summed and rounded up once."""
    return (
        (
            SUM + MASK_LINES,
            '        mask = tensor["values"] if "kept" in tensor else 0\n'
            f"        total += math.ceil(({terms}) / 8)\n",
        ),
    )


MISTAKES = [
    # ------------------------------------------------------------------------- words and labels
    Mistake(
        name="characters-not-bytes",
        misconception="A character is a byte.",
        message="You count characters, not bytes: é, ü and ß take 2 bytes in UTF-8, 寿 and 司 take 3.",
        changes=((TEXT, 'len("\\n".join(words))'),),
        variants=(
            ((TEXT, "sum(map(len, words)) + max(0, len(words) - 1)"),),
            ((TEXT, "sum(map(len, words))"),),
            ((TEXT, "sum(map(len, words)) + len(words)"),),
        ),
    ),
    Mistake(
        name="line-breaks-forgotten",
        misconception="What separates the words costs nothing.",
        message="You leave out the line breaks, without which the words run together.",
        changes=((TEXT, 'len("".join(words).encode("utf-8"))'),),
    ),
    Mistake(
        name="line-break-after-the-last-word",
        misconception="There are as many line breaks as words.",
        message="You count a line break for each word, and join puts them in between only: there is "
        "none after the last one.",
        changes=((TEXT, 'sum(len(word.encode("utf-8")) + 1 for word in words)'),),
        variants=(((TEXT, TEXT + " + 1"),),),
    ),
    Mistake(
        name="empty-vocabulary-below-zero",
        misconception="There is always one line break less than words.",
        message="Without words there are no line breaks either, and not -1 of them.",
        changes=((TEXT, 'sum(len(word.encode("utf-8")) + 1 for word in words) - 1'),),
    ),
    Mistake(
        name="two-bytes-for-a-line-break",
        misconception="A line break is a backslash and an n.",
        message="A line break is one character, and takes 1 byte in UTF-8; you count 2.",
        changes=((TEXT, 'len("\\r\\n".join(words).encode("utf-8"))'),),
    ),
    Mistake(
        name="another-encoding",
        misconception="An encoding is an encoding.",
        message="That is the text in another encoding: in UTF-8 a letter of English takes 1 byte, "
        "others 2 to 4, and there is no mark at the beginning.",
        changes=((TEXT, 'len("\\n".join(words).encode("utf-16"))'),),
        variants=(
            ((TEXT, 'len("\\n".join(words).encode("utf-16-le"))'),),
            ((TEXT, 'len("\\n".join(words).encode("utf-32"))'),),
            ((TEXT, 'len("\\n".join(words).encode("utf-32-le"))'),),
            ((TEXT, 'len("\\n".join(words).encode("utf-8-sig"))'),),
            ((TEXT, 'len("\\n".join(words).encode("latin-1"))'),),
            ((TEXT, 'len("\\n".join(words).encode("ascii"))'),),
            ((TEXT, 'len("\\n".join(words).encode("ascii", "ignore"))'),),
        ),
    ),
    Mistake(
        name="object-sizes",
        misconception="sys.getsizeof says how many bytes a text has.",
        message="You count what Python needs to hold a text in memory. Count the bytes of the text in "
        "UTF-8.",
        changes=((TEXT, '__import__("sys").getsizeof("\\n".join(words).encode("utf-8"))'),),
        variants=(((TEXT, '__import__("sys").getsizeof("\\n".join(words))'),),),
    ),
    Mistake(
        name="words-counted",
        misconception="A word of the vocabulary is one unit.",
        message="You count words. Count the bytes of their text.",
        changes=((TEXT, "len(words)"),),
    ),
    Mistake(
        name="words-forgotten",
        misconception="The vocabulary is no part of a model.",
        message="The vocabulary is missing: without it nobody can turn text into what the model reads.",
        changes=((TEXT, "0"),),
    ),
    Mistake(
        name="thresholds-forgotten",
        misconception="Thresholds are no part of a model.",
        message="The thresholds are missing: a float32 for each label, without which nobody can turn "
        "probabilities into labels.",
        changes=((LABELS, ""),),
    ),
    Mistake(
        name="thresholds-of-another-width",
        misconception="A threshold is a float16 like the other numbers, or a Python float.",
        message="A threshold is a float32, which has 4 bytes; yours have another size.",
        changes=((LABELS, " + 2 * labels"),),
        variants=(
            ((LABELS, " + 8 * labels"),),
            ((LABELS, " + labels"),),
            ((LABELS, " + 32 * labels"),),
            ((LABELS, " + 3 * labels"),),
        ),
    ),
    Mistake(
        name="one-threshold",
        misconception="All labels share one threshold.",
        message="There is a threshold for each label; you count one for all.",
        changes=((LABELS, " + 4"),),
        variants=(((LABELS, " + 4 * (labels > 0)"),),),
    ),
    Mistake(
        name="thresholds-for-each-tensor",
        misconception="What belongs to the model belongs to each tensor.",
        message="You count thresholds or words once for each tensor. The model has them once.",
        changes=((LABELS, ""), (SCALES, SCALES + "        total += 4 * labels\n")),
    ),
    # --------------------------------------------------------------------------- bits and bytes
    Mistake(
        name="bits-rounded-down",
        misconception="Bits divided by 8, with //, are bytes.",
        message="You round bits down to bytes, and the last bits have no place. Round up.",
        changes=((NUMBERS, "stored * bits // 8"),),
        variants=(
            ((NUMBERS, "stored * bits // 8"), (MASK, 'tensor["values"] // 8')),
            ((NUMBERS, "int(stored * bits / 8)"), (MASK, 'int(tensor["values"] / 8)')),
        ),
    ),
    Mistake(
        name="mask-rounded-down",
        misconception="Bits divided by 8, with //, are bytes, in a mask.",
        message="You round the bits of the mask down to bytes. Round them up as well.",
        changes=((MASK, 'tensor["values"] // 8'),),
    ),
    Mistake(
        name="bits-rounded-to-nearest",
        misconception="A count of bytes is rounded like any number.",
        message="You round bits to the nearest number of bytes. Round up: the last bits need a place "
        "as well.",
        changes=((NUMBERS, "round(stored * bits / 8)"),),
        variants=(
            ((NUMBERS, "round(stored * bits / 8)"), (MASK, 'round(tensor["values"] / 8)')),
            (
                (NUMBERS, "int(stored * bits / 8 + 0.5)"),
                (MASK, 'int(tensor["values"] / 8 + 0.5)'),
            ),
            ((MASK, 'round(tensor["values"] / 8)'),),
        ),
    ),
    Mistake(
        name="always-one-byte-more",
        misconception="// 8 + 1 rounds up.",
        message="You count a byte too many where the bits fill their bytes exactly: // 8 + 1 is not "
        "rounding up.",
        changes=((NUMBERS, "stored * bits // 8 + 1"),),
        variants=(
            ((NUMBERS, "stored * bits // 8 + 1"), (MASK, 'tensor["values"] // 8 + 1')),
            ((MASK, 'tensor["values"] // 8 + 1'),),
        ),
    ),
    Mistake(
        name="fractions-of-a-byte",
        misconception="Half a byte is half a byte.",
        message="Your bytes are not whole: each array starts on a whole byte, so round its bits up.",
        changes=((NUMBERS, "stored * bits / 8"), (MASK, 'tensor["values"] / 8')),
        variants=(
            ((NUMBERS, "stored * bits / 8"),),
            ((MASK, 'tensor["values"] / 8'),),
        ),
    ),
    Mistake(
        name="a-byte-for-each-number",
        misconception="A number takes whole bytes, as in NumPy.",
        message="You give each number whole bytes. Numbers of a few bits are packed one after the "
        "other.",
        changes=((NUMBERS, "stored * math.ceil(bits / 8)"),),
        variants=(((NUMBERS, "stored * max(1, math.ceil(bits / 8))"),),),
    ),
    Mistake(
        name="bits-per-number-rounded-down",
        misconception="Bits divided by 8 are the bytes of a number, before they are many.",
        message="You divide the bits of a single number by 8 and round down, before you multiply. "
        "Multiply first, then round up.",
        changes=((NUMBERS, "stored * (bits // 8)"),),
    ),
    Mistake(
        name="bits-not-bytes",
        misconception="Bits can be added to bytes.",
        message="You add bits to bytes. A byte has 8 bits.",
        changes=((NUMBERS, "stored * bits"),),
        variants=(((NUMBERS, "stored * bits"), (MASK, 'tensor["values"]')),),
    ),
    Mistake(
        name="bits-taken-for-bytes-of-float",
        misconception="A stored number has four or two bytes, whatever its bits.",
        message="You count each stored number as a float. It has as many bits as `bits` or the "
        "codebook say.",
        changes=((NUMBERS, "stored * 4"),),
        variants=(((NUMBERS, "stored * 2"),), ((NUMBERS, "stored"),)),
    ),
    Mistake(
        name="rounded-once",
        misconception="All arrays of a model are one stream of bits, rounded up at the end.",
        message="You round up once, at the end. Each array starts on a whole byte: round up each on "
        "its own.",
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
    ),
    Mistake(
        name="mask-and-numbers-rounded-together",
        misconception="Numbers and mask of a tensor are one stream of bits.",
        message="The mask starts on a byte of its own: round up the bits of the stored numbers and "
        "those of the mask each on their own, not their sum.",
        changes=in_one_sum("stored * bits + mask"),
        variants=(in_one_sum('stored * bits + mask + 0 * tensor.get("scales", 0)'),),
    ),
    Mistake(
        name="padded-to-larger-units",
        misconception="Arrays start at multiples of four or eight bytes, as in memory.",
        message="You round up to more than a byte. Each array starts on a whole byte, nothing larger.",
        changes=((NUMBERS, "4 * math.ceil(stored * bits / 32)"),),
        variants=(
            (
                (NUMBERS, "4 * math.ceil(stored * bits / 32)"),
                (MASK, '4 * math.ceil(tensor["values"] / 32)'),
            ),
            ((NUMBERS, "2 * math.ceil(stored * bits / 16)"),),
            (
                (NUMBERS, "8 * math.ceil(stored * bits / 64)"),
                (MASK, '8 * math.ceil(tensor["values"] / 64)'),
            ),
        ),
    ),
    # ------------------------------------------------------------------------------- codebooks
    Mistake(
        name="codebook-forgotten",
        misconception="The codes are the model, and the codebook comes for free.",
        message="The codebook is stored, too: its entries are missing in your count.",
        changes=((TABLE, ""),),
    ),
    Mistake(
        name="codebook-of-another-width",
        misconception="The weights in a codebook are float32, or as wide as an index.",
        message="An entry of a codebook is a float16, which has 2 bytes; yours have another size.",
        changes=((TABLE, "        total += 4 * entries\n"),),
        variants=(
            ((TABLE, "        total += entries\n"),),
            ((TABLE, "        total += 8 * entries\n"),),
            ((TABLE, "        total += 16 * entries\n"),),
            ((TABLE, "        total += math.ceil(entries * bits / 8) if entries else 0\n"),),
        ),
    ),
    Mistake(
        name="codebook-as-bits",
        misconception="`codebook` is the number of bits of an index.",
        message="You take `codebook` for the bits of an index. It is the number of entries, and the "
        "bits of an index must be just enough to tell them apart.",
        changes=((BITS, 'entries or tensor["bits"]'),),
        variants=(
            (
                (BITS, 'entries or tensor["bits"]'),
                (TABLE, "        total += 2 * 2**entries if entries else 0\n"),
            ),
        ),
    ),
    Mistake(
        name="index-width-rounded-down",
        misconception="An index into k entries takes log2(k) bits, rounded down.",
        message="Your indices are too narrow: the logarithm must be rounded up, since 2 bits tell "
        "only 4 entries apart, and 5 entries take 3.",
        changes=((WIDTH, "int(math.log2(entries))"),),
        variants=(
            ((WIDTH, "(entries.bit_length() - 1)"),),
            ((WIDTH, "math.floor(math.log2(entries))"),),
        ),
    ),
    Mistake(
        name="index-width-rounded-to-nearest",
        misconception="log2(k) is rounded like any number.",
        message="You round the logarithm to the nearest whole number. Round it up, or some entries "
        "have no index.",
        changes=((WIDTH, "round(math.log2(entries))"),),
    ),
    Mistake(
        name="index-width-not-whole",
        misconception="An index takes log2(k) bits, as information theory says.",
        message="You count log2(k) bits for an index, which is not whole. Each index takes a whole "
        "number of bits.",
        changes=((WIDTH, "math.log2(entries)"),),
    ),
    Mistake(
        name="index-must-hold-k",
        misconception="Indices into k entries go up to k.",
        message="Your indices have a bit too many where k is a power of 2: 2 bits tell 4 entries "
        "apart (00, 01, 10, 11).",
        changes=((WIDTH, "entries.bit_length()"),),
        variants=(
            ((WIDTH, "math.ceil(math.log2(entries + 1))"),),
            ((WIDTH, "(int(math.log2(entries)) + 1)"),),
        ),
    ),
    Mistake(
        name="index-one-bit-too-wide",
        misconception="An index needs a sign, or a place for zero.",
        message="Your indices have a bit too many for every k.",
        changes=((WIDTH, "((entries - 1).bit_length() + 1)"),),
        variants=(((WIDTH, "math.ceil(math.log2(2 * entries))"),),),
    ),
    Mistake(
        name="index-one-entry-short",
        misconception="k - 1 entries have to be told apart.",
        message="Your indices are too narrow where k - 1 is a power of 2: they tell k - 1 entries "
        "apart, not k.",
        changes=((WIDTH, "max(0, entries - 2).bit_length()"),),
        variants=(((WIDTH, "math.ceil(math.log2(max(1, entries - 1)))"),),),
    ),
    Mistake(
        name="natural-logarithm",
        misconception="A logarithm is a logarithm.",
        message="You take a logarithm with another base. Bits are counted with base 2.",
        changes=((WIDTH, "math.ceil(math.log(entries))"),),
        variants=(((WIDTH, "math.ceil(math.log10(entries))"),),),
    ),
    Mistake(
        name="index-by-square-root",
        misconception="Bits are a root, or half, of the entries.",
        message="The bits of an index are the logarithm of k to base 2, rounded up, and no root or "
        "fraction of k.",
        changes=((WIDTH, "math.ceil(math.sqrt(entries))"),),
        variants=(
            ((WIDTH, "math.ceil(entries / 2)"),),
            ((WIDTH, "math.ceil(entries / 8)"),),
            ((WIDTH, "(entries - 1)"),),
        ),
    ),
    Mistake(
        name="index-of-whole-bytes",
        misconception="An index takes a byte, or 16 bits.",
        message="You give each index a fixed width, or whole bytes. It takes just enough bits to tell "
        "the k entries apart.",
        changes=((WIDTH, "8"),),
        variants=(
            ((WIDTH, "16"),),
            ((WIDTH, "32"),),
            ((WIDTH, "8 * math.ceil((entries - 1).bit_length() / 8)"),),
            ((WIDTH, "(8 if entries <= 256 else 16)"),),
            ((WIDTH, "4"),),
        ),
    ),
    Mistake(
        name="index-width-a-power-of-two",
        misconception="Widths are 1, 2, 4, 8 or 16 bits.",
        message="You widen indices to 1, 2, 4, 8 or 16 bits. Just enough bits may be any number.",
        changes=((WIDTH, "next(w for w in (0, 1, 2, 4, 8, 16) if 2**w >= entries)"),),
        variants=(((WIDTH, "next(w for w in (1, 2, 4, 8, 16) if 2**w >= entries)"),),),
    ),
    Mistake(
        name="index-of-a-single-entry",
        misconception="An index takes at least one bit.",
        message="A codebook of a single entry needs indices of 0 bits; you count at least 1.",
        changes=((WIDTH, "max(1, (entries - 1).bit_length())"),),
        variants=(((WIDTH, "max(1, math.ceil(math.log2(entries)))"),),),
    ),
    Mistake(
        name="index-width-from-values",
        misconception="An index says which of the values it is.",
        message="You take the width of an index from the number of values. It points into the "
        "codebook, and must tell its k entries apart.",
        changes=((WIDTH, "(tensor['values'] - 1).bit_length()"),),
        variants=(
            ((WIDTH, "math.ceil(math.log2(tensor['values']))"),),
            ((WIDTH, "math.ceil(math.log2(tensor.get('kept', tensor['values'])))"),),
        ),
    ),
    Mistake(
        name="indices-forgotten",
        misconception="A codebook replaces the numbers.",
        message="The indices are missing: a tensor with a codebook stores an index for each number, "
        "and the codebook as well.",
        changes=((WIDTH, "0"),),
    ),
    Mistake(
        name="codebook-for-each-value",
        misconception="Each stored number carries its own table entry.",
        message="You count a float16 for each stored number. The codebook holds k of them, and each "
        "stored number is an index.",
        changes=((WIDTH, "16"), (TABLE, "")),
        variants=(((TABLE, "        total += 2 * stored if entries else 0\n"),),),
    ),
    Mistake(
        name="expects-bits",
        misconception="Each tensor has `bits`.",
        message="A tensor with a `codebook` has no key `bits`, and your answer asks for it.",
        changes=((BITS, "tensor['bits']"),),
        variants=(
            ((BITS, "(entries - 1).bit_length() if tensor['bits'] is None else tensor['bits']"),),
        ),
    ),
    Mistake(
        name="expects-codebook-scales-or-kept",
        misconception="Each tensor has all keys.",
        message="`codebook`, `kept` and `scales` are not in every tensor, and your answer asks one of "
        "them of all.",
        changes=(('tensor.get("codebook", 0)', 'tensor["codebook"]'),),
        variants=(
            (('tensor.get("kept", tensor["values"])', 'tensor["kept"]'),),
            (('tensor.get("scales", 0)', 'tensor["scales"]'),),
            (
                ('tensor.get("codebook", 0)', 'tensor["codebook"]'),
                ('tensor.get("scales", 0)', 'tensor["scales"]'),
            ),
        ),
    ),
    # ------------------------------------------------------------------------- scales and masks
    Mistake(
        name="scales-forgotten",
        misconception="Integers are the model, and their scales come for free.",
        message="The scales are missing: they are stored, too.",
        changes=((SCALES, ""),),
    ),
    Mistake(
        name="scales-of-another-width",
        misconception="Scales are float32, or bytes.",
        message="A scale is a float16, which has 2 bytes; yours have another size.",
        changes=((SCALES, SCALES.replace("2 *", "4 *")),),
        variants=(
            ((SCALES, SCALES.replace("2 *", "1 *")),),
            ((SCALES, SCALES.replace("2 *", "8 *")),),
            ((SCALES, SCALES.replace("2 *", "16 *")),),
        ),
    ),
    Mistake(
        name="one-scale",
        misconception="A tensor has one scale.",
        message="`scales` says how many scales there are; you count one.",
        changes=((SCALES, '        total += 2 if "scales" in tensor else 0\n'),),
        variants=(((SCALES, '        total += 2 if tensor.get("scales") else 0\n'),),),
    ),
    Mistake(
        name="table-and-scales-float32",
        misconception="Real numbers are float32.",
        message="Entries of a codebook and scales are float16, of 2 bytes, and not of 4.",
        changes=(
            (TABLE, TABLE.replace("2 *", "4 *")),
            (SCALES, SCALES.replace("2 *", "4 *")),
        ),
    ),
    Mistake(
        name="mask-forgotten",
        misconception="Where the zeros are is known without being stored.",
        message="The mask is missing: without it nobody knows where the numbers that were kept belong.",
        changes=((MASK_LINES, ""),),
    ),
    Mistake(
        name="mask-of-what-is-kept",
        misconception="The mask has a bit for each number that is kept.",
        message="Your mask has one bit for each number that is kept. It needs one for each of the "
        "`values`, to say whether it is kept.",
        changes=((MASK, "math.ceil(stored / 8)"),),
    ),
    Mistake(
        name="mask-of-what-is-dropped",
        misconception="The mask has a bit for each zero.",
        message="Your mask has one bit for each number that was not kept. It needs one for each of the "
        "`values`.",
        changes=((MASK, 'math.ceil((tensor["values"] - stored) / 8)'),),
    ),
    Mistake(
        name="mask-of-bytes",
        misconception="A yes or no takes a byte, as in NumPy.",
        message="Your mask has one byte for each of the values. A yes or no takes one bit.",
        changes=((MASK, 'tensor["values"]'),),
    ),
    Mistake(
        name="mask-as-wide-as-numbers",
        misconception="The mask is an array like that of the numbers.",
        message="Your mask is as wide as the stored numbers. It has one bit for each of the values.",
        changes=((MASK, 'math.ceil(tensor["values"] * bits / 8)'),),
    ),
    Mistake(
        name="positions-not-mask",
        misconception="Where a number belongs is stored as its position.",
        message="You store the positions of what was kept. The question stores a mask: one bit for "
        "each of the values.",
        changes=((MASK, 'math.ceil(stored * math.ceil(math.log2(tensor["values"])) / 8)'),),
        variants=(((MASK, "2 * stored"),), ((MASK, "4 * stored"),)),
    ),
    Mistake(
        name="mask-for-every-tensor",
        misconception="Each tensor has a mask.",
        message="You count a mask for tensors that have none: it is stored only where `kept` is given.",
        changes=((IF_MASK, "        if True:\n"),),
        variants=(((IF_MASK, '        if tensor["values"]:\n'),),),
    ),
    Mistake(
        name="nothing-kept-is-no-mask",
        misconception="A key whose value is 0 is not there.",
        message="A tensor whose `kept` is 0 stores no numbers, and still a mask. Ask whether the key is "
        "there, since 0 counts as false.",
        changes=(
            (STORED, 'stored = tensor.get("kept") or tensor["values"]'),
            (IF_MASK, '        if tensor.get("kept"):\n'),
        ),
        variants=(
            ((IF_MASK, '        if tensor.get("kept"):\n'),),
            ((STORED, 'stored = tensor.get("kept") or tensor["values"]'),),
        ),
    ),
    Mistake(
        name="zeros-stored",
        misconception="Pruning leaves the stored numbers as they were.",
        message="You store all values. Where `kept` is given, only so many numbers are stored.",
        changes=((STORED, 'stored = tensor["values"]'),),
        variants=(((STORED, 'stored = tensor["values"]'), (MASK_LINES, "")),),
    ),
    Mistake(
        name="kept-are-the-zeros",
        misconception="`kept` says how many numbers are left out.",
        message="`kept` says how many numbers are stored. You store all the others.",
        changes=((STORED, 'stored = tensor["values"] - tensor.get("kept", 0)'),),
    ),
    Mistake(
        name="kept-and-all",
        misconception="What is kept is stored in addition.",
        message="You store what is kept and all values as well. Only what is kept is stored.",
        changes=((STORED, 'stored = tensor["values"] + tensor.get("kept", 0)'),),
    ),
    # --------------------------------------------------------------------------------- together
    Mistake(
        name="only-one-of-the-options",
        misconception="A tensor has either a codebook or scales or a mask.",
        message="Your branches exclude each other. A tensor may have a codebook, a mask and scales, "
        "all together.",
        code="""
def model_bytes(words, tensors, labels):
    total = len("\\n".join(words).encode("utf-8")) + 4 * labels
    for t in tensors:
        if "codebook" in t:
            bits = math.ceil(math.log2(t["codebook"]))
            total += math.ceil(t["values"] * bits / 8) + 2 * t["codebook"]
        elif "scales" in t:
            total += math.ceil(t["values"] * t["bits"] / 8) + 2 * t["scales"]
        elif "kept" in t:
            total += math.ceil(t["kept"] * t["bits"] / 8) + math.ceil(t["values"] / 8)
        else:
            total += math.ceil(t["values"] * t["bits"] / 8)
    return total
""",
        variants=(
            ((SCALES, SCALES.replace("2 *", "0 if entries else 2 *")),),
            ((SCALES, SCALES.replace("2 *", '0 if "kept" in tensor else 2 *')),),
            (
                (
                    STORED,
                    'stored = tensor["values"] if entries else tensor.get("kept", tensor["values"])',
                ),
                (IF_MASK, '        if "kept" in tensor and not entries:\n'),
            ),
            (
                (
                    STORED,
                    'stored = tensor["values"] if entries else tensor.get("kept", tensor["values"])',
                ),
                (IF_MASK, '        if "kept" in tensor and not entries:\n'),
                (SCALES, SCALES.replace("2 *", "0 if entries else 2 *")),
            ),
            ((IF_MASK, '        if "kept" in tensor and not entries:\n'),),
            """
def model_bytes(words, tensors, labels):
    total = len("\\n".join(words).encode("utf-8")) + 4 * labels
    for t in tensors:
        k = t.get("codebook", 0)
        bits = (k - 1).bit_length() if k else t["bits"]
        if "kept" in t:
            total += math.ceil(t["kept"] * bits / 8) + math.ceil(t["values"] / 8)
        elif "codebook" in t:
            total += math.ceil(t["values"] * bits / 8) + 2 * k
        elif "scales" in t:
            total += math.ceil(t["values"] * bits / 8) + 2 * t["scales"]
        else:
            total += math.ceil(t["values"] * bits / 8)
    return total
""",
        ),
    ),
    Mistake(
        name="only-first-tensor",
        misconception="A return in a loop returns once for each turn.",
        message="You count the first tensor alone: the `return` belongs after the loop.",
        changes=((SCALES, SCALES + "        return total\n"),),
        variants=(((SCALES, SCALES + "        break\n"),),),
    ),
    Mistake(
        name="only-last-tensor",
        misconception="= adds to what is there.",
        message="You count the last tensor alone: its bytes replace those before, and are to be added.",
        changes=(
            (
                "    for tensor in tensors:\n",
                "    whole = total\n    for tensor in tensors:\n        total = whole\n",
            ),
        ),
    ),
    Mistake(
        name="another-unit",
        misconception="A size is given in bits, or in kilobytes.",
        message="Your sum is in another unit, such as bits or kilobytes. Give bytes.",
        changes=(("return total", "return 8 * total"),),
        variants=(
            (("return total", "return total / 1000"),),
            (("return total", "return total / 1024"),),
            (("return total", "return total / 1_000_000"),),
        ),
    ),
    Mistake(
        name="float-not-int",
        misconception="NumPy's ceiling is a whole number.",
        message="Return an int: bytes are whole, and a float (from /, or np.ceil) loses count in large "
        "files. Use //, or math.ceil.",
        changes=((NUMBERS, "np.ceil(stored * bits / 8)"),),
        variants=(
            (("return total", "return float(total)"),),
            ((MASK, 'np.ceil(tensor["values"] / 8)'), (NUMBERS, "np.ceil(stored * bits / 8)")),
            (("    for tensor in", "    total += 0.0\n    for tensor in"),),
            ((TABLE, "        total += entries * 16 / 8\n"),),
            ((SCALES, '        total += 16 * tensor.get("scales", 0) / 8\n'),),
            (("4 * labels", "labels * 32 / 8"),),
        ),
    ),
    Mistake(
        name="prints-instead-of-returning",
        misconception="Showing a result is returning it.",
        message="Your answer gives no number but None: is a `return` missing?",
        changes=(("return total", "print(total)"),),
    ),
    Mistake(
        name="hard-coded-example",
        misconception="An answer that passes the example is right.",
        message="Your result is that of the example, whatever the input.",
        changes=(("return total", "return 101"),),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="add-seven",
        code="""
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
""",
    ),
    Alternative(
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
    Alternative(
        name="pops-keys",
        code="""
def model_bytes(words, tensors, labels):
    sizes = np.array([len("\\n".join(words).encode()), 4 * labels], dtype=np.int64)
    while tensors:
        t = tensors.pop()
        n = t.pop("values")
        k = t.pop("codebook", 0)
        bits = t.pop("bits", None)
        bits = int(np.ceil(np.log2(k))) if bits is None else bits
        mask = int(np.ceil(n / 8)) if "kept" in t else 0
        kept = t.pop("kept", n)
        sizes = np.append(sizes, [-(-kept * bits // 8), mask, 2 * k, 2 * t.pop("scales", 0)])
    return sizes.sum()
""",
    ),
]
