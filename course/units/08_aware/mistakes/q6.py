"""Question 6, trits: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

LENGTH = "digits = np.zeros(-(-len(codes) // 5) * 5, dtype=np.int64)"
DIGITS = "digits[: len(codes)] = codes + 1"
PACKED = "return (digits.reshape(-1, 5) @ 3 ** np.arange(5)).astype(np.uint8)"
UNPACK = "digits = packed[:, None].astype(np.int64) // 3 ** np.arange(5) % 3"
CODES = "return digits.ravel()[:count] - 1"
OF_THREE = "of_three = ((sizes == 0) | (sizes == sizes.max())).all()"
SCALE = "scale = sizes.max() if of_three else sizes.mean()"
TERNARY = "return np.clip(np.round(weights / scale), -1, 1).astype(int), float(scale)"


def packed(text: str) -> tuple:
    return ((PACKED, text),)


def scale(text: str) -> tuple:
    return ((SCALE, f"scale = {text}"),)


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.quantization.pack_trits",
        changes=packed("from utils.quantization import pack_trits\n    return pack_trits(codes)"),
    ),
    # -------------------------------------------------------------------------------- packing
    Mistake(
        name="first-digit-highest",
        misconception="The first digit is the highest, as one writes numbers.",
        message="You pack the first of five as the highest digit. It is the lowest.",
        changes=packed("return (digits.reshape(-1, 5) @ 3 ** np.arange(5)[::-1]).astype(np.uint8)"),
        variants=(
            (
                *packed(
                    "return (digits.reshape(-1, 5) @ 3 ** np.arange(5)[::-1]).astype(np.uint8)"
                ),
                (
                    UNPACK,
                    "digits = packed[:, None].astype(np.int64) // 3 ** np.arange(5)[::-1] % 3",
                ),
            ),
        ),
    ),
    Mistake(
        name="two-bits-each",
        misconception="Three values take two bits.",
        message="You spend two bits on a code. Five of them fit into a byte as digits to base 3.",
        changes=(
            (LENGTH, "digits = np.zeros(-(-len(codes) // 4) * 4, dtype=np.int64)"),
            *packed("return (digits.reshape(-1, 4) @ 4 ** np.arange(4)).astype(np.uint8)"),
        ),
        variants=(
            packed("return (digits.reshape(-1, 5) @ 4 ** np.arange(5) % 256).astype(np.uint8)"),
        ),
    ),
    Mistake(
        name="gaps-are-code-zero",
        misconception="What is missing is filled with the code 0.",
        message="You fill the last byte with the code 0, whose digit is 1. Missing digits are 0.",
        changes=((LENGTH, "digits = np.ones(-(-len(codes) // 5) * 5, dtype=np.int64)"),),
    ),
    Mistake(
        name="last-byte-lost",
        misconception="A byte that is not full is none.",
        message="Codes that do not fill a byte are lost.",
        changes=packed(
            "return (digits.reshape(-1, 5) @ 3 ** np.arange(5)).astype(np.uint8)[: len(codes) // 5]"
        ),
    ),
    Mistake(
        name="a-byte-too-many",
        misconception="There is always a last byte.",
        message="Where codes fill their last byte you add another one.",
        changes=((LENGTH, "digits = np.zeros((len(codes) // 5 + 1) * 5, dtype=np.int64)"),),
    ),
    Mistake(
        name="filled-at-the-front",
        misconception="A number is filled up with zeros in front.",
        message="Missing digits stand first in your answer. They are the highest ones of the last byte.",
        changes=((DIGITS, "digits[len(digits) - len(codes) :] = codes + 1"),),
    ),
    Mistake(
        name="digits-reversed",
        misconception="-1 is the highest digit.",
        message="Your digit is 1 less the code. It is the code plus 1.",
        changes=((DIGITS, "digits[: len(codes)] = 1 - codes"),),
        variants=(
            (
                (DIGITS, "digits[: len(codes)] = 1 - codes"),
                (CODES, "return 1 - digits.ravel()[:count]"),
            ),
        ),
    ),
    Mistake(
        name="codes-for-digits",
        misconception="A digit may be -1.",
        message="You take codes for digits, modulo 3 or as they are. A digit is the code plus 1.",
        changes=((DIGITS, "digits[: len(codes)] = codes % 3"),),
        variants=(((DIGITS, "digits[: len(codes)] = codes"),),),
    ),
    Mistake(
        name="small-integers-overflow",
        misconception="What fits into a byte can be computed in one.",
        message="You compute in int8, where 2 · 81 is no number: it overflows.",
        changes=packed(
            "places = (3 ** np.arange(5)).astype(np.int8)\n"
            "    products = digits.reshape(-1, 5).astype(np.int8) * places\n"
            "    return np.clip(products.sum(axis=1), 0, 255).astype(np.uint8)"
        ),
    ),
    # -------------------------------------------------------------------------------- unpacking
    Mistake(
        name="unpacked-highest-first",
        misconception="The first digit is the highest, as one writes numbers.",
        message="You unpack the highest digit first. The first code is the lowest one.",
        changes=(
            (UNPACK, "digits = packed[:, None].astype(np.int64) // 3 ** np.arange(5)[::-1] % 3"),
        ),
    ),
    Mistake(
        name="count-ignored",
        misconception="A file knows how many codes it has.",
        message="You return more codes than `count`: the last byte may hold digits that stand for none.",
        changes=((CODES, "return digits.ravel() - 1"),),
    ),
    Mistake(
        name="digits-returned",
        misconception="A digit is a code.",
        message="You return digits. A code is the digit less 1.",
        changes=((CODES, "return digits.ravel()[:count]"),),
    ),
    Mistake(
        name="below-zero-in-a-byte",
        misconception="A byte less one is a number less one.",
        message="You subtract 1 from bytes without a sign: 0 − 1 is 255 there.",
        changes=((CODES, "return digits.ravel()[:count].astype(np.uint8) - np.uint8(1)"),),
    ),
    Mistake(
        name="in-the-wrong-order",
        misconception="First all first digits, then all second ones.",
        message="You return the first digits of all bytes, then the second ones. A byte's five stand "
        "together.",
        changes=((CODES, "return digits.T.ravel()[:count] - 1"),),
    ),
    Mistake(
        name="remainders-left-out",
        misconception="Dividing by a place gives its digit.",
        message="You divide by the place and do not take the remainder by 3.",
        changes=((UNPACK, "digits = packed[:, None].astype(np.int64) // 3 ** np.arange(5)"),),
        variants=(((UNPACK, "digits = packed[:, None].astype(np.int64) % 3 ** np.arange(1, 6)"),),),
    ),
    # -------------------------------------------------------------------------------- the scale
    Mistake(
        name="shrinks-when-saved-again",
        misconception="The scale is the mean of |w|, of whatever weights.",
        message="Weights that are ternary already get a smaller scale, by the share of zeros. They keep "
        "their number.",
        changes=scale("sizes.mean()"),
    ),
    Mistake(
        name="mean-of-the-nonzero",
        misconception="Zeros do not count.",
        message="You take the mean of weights that are not 0. It is that of all, unless they are ternary.",
        changes=scale("sizes[sizes > 0].mean()"),
    ),
    Mistake(
        name="largest",
        misconception="The scale is the largest weight.",
        message="You take the largest weight for the scale of all weights.",
        changes=scale("sizes.max()"),
    ),
    Mistake(
        name="root-of-mean-squares",
        misconception="The scale is the deviation.",
        message="You take the root of the mean square, or the deviation. It is the mean of |w|.",
        changes=scale("sizes.max() if of_three else np.sqrt((weights**2).mean())"),
        variants=(scale("sizes.max() if of_three else weights.std()"),),
    ),
    Mistake(
        name="median",
        misconception="The middle magnitude is the scale.",
        message="You take the median. It is the mean of |w|.",
        changes=scale("sizes.max() if of_three else np.median(sizes)"),
    ),
    Mistake(
        name="mean-of-the-weights",
        misconception="The scale is the mean.",
        message="You take the mean of weights with their signs.",
        changes=scale("sizes.max() if of_three else abs(weights.mean())"),
    ),
    Mistake(
        name="divided-always",
        misconception="The mean of |w| is always too small by the share of zeros.",
        message="You divide by the share that is not 0 for all weights. That is right for those that are "
        "ternary already, and too large for others.",
        changes=scale(
            "sizes.mean() / np.abs(np.clip(np.round(weights / sizes.mean()), -1, 1)).mean()"
        ),
    ),
    Mistake(
        name="two-magnitudes",
        misconception="Weights of two magnitudes are ternary.",
        message="You take weights of two magnitudes for ternary, also where neither is 0.",
        changes=((OF_THREE, "of_three = len(np.unique(sizes)) <= 2"),),
    ),
    Mistake(
        name="signs-as-codes",
        misconception="A code is the sign.",
        message="Your code is the sign of the weight. Small weights have the code 0.",
        changes=((TERNARY, "return np.sign(weights).astype(int), float(scale)"),),
    ),
    Mistake(
        name="not-clipped",
        misconception="Rounding gives -1, 0 or 1.",
        message="You do not clip codes: a weight of two scales has the code 2.",
        changes=((TERNARY, "return np.round(weights / scale).astype(int), float(scale)"),),
    ),
    Mistake(
        name="cut-not-rounded",
        misconception="int() rounds.",
        message="You cut decimals off instead of rounding.",
        changes=(
            (TERNARY, "return np.clip(np.trunc(weights / scale), -1, 1).astype(int), float(scale)"),
        ),
        variants=(
            (
                (
                    TERNARY,
                    "return np.clip(np.floor(weights / scale), -1, 1).astype(int), float(scale)",
                ),
            ),
        ),
    ),
    Mistake(
        name="values-for-codes",
        misconception="A code is a value.",
        message="You return values for codes.",
        changes=(
            (TERNARY, "return np.clip(np.round(weights / scale), -1, 1) * scale, float(scale)"),
        ),
    ),
    Mistake(
        name="results-swapped",
        misconception="The order of results does not matter.",
        message="Your results stand in another order: codes, scale.",
        changes=(
            (TERNARY, "return float(scale), np.clip(np.round(weights / scale), -1, 1).astype(int)"),
        ),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="with loops and divmod",
        code="""
def pack(codes):
    values = [int(code) + 1 for code in codes]
    out = []
    for start in range(0, len(values), 5):
        byte = 0
        for digit in reversed(values[start:start + 5]):
            byte = 3 * byte + digit
        out.append(byte)
    return np.array(out, dtype=np.uint8)

def unpack(packed, count):
    out = []
    for byte in packed.tolist():
        for _ in range(5):
            byte, digit = divmod(byte, 3)
            out.append(digit - 1)
    return np.array(out[:count], dtype=np.int8)

def ternary(weights):
    found = set(np.abs(weights).ravel().tolist()) - {0.0}
    scale = found.pop() if len(found) == 1 else np.mean(np.abs(weights))
    codes = (weights > scale / 2).astype(int) - (weights < -scale / 2).astype(int)
    return codes, scale
""",
    ),
]
