"""Question 5, an integer layer and its bytes: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

PRODUCTS = "codes.astype(np.int64) @ weight_codes.astype(np.int64).T"
BRACKETS = "products - zero_point * row_sums"
RETURN = "return brackets, scale * row_scales * brackets"
CODE_BYTES = "(rows * columns * bits + 7) // 8"
GRID = '{"symmetric": 2, "asymmetric": 2 + 1, "codebook": 2 * 2**bits}[scheme]'
GRIDS = "rows if per_row else 1"


def products(code: str) -> tuple:
    return ((PRODUCTS, code),)


def narrow(kind: str) -> tuple:
    """The whole bracket in a narrow type of integers."""
    return (
        (PRODUCTS, f"codes.astype(np.{kind}) @ weight_codes.astype(np.{kind}).T"),
        (
            BRACKETS,
            f"products - np.array(zero_point).astype(np.{kind}) * row_sums.astype(np.{kind})",
        ),
    )


MISTAKES = [
    # -------------------------------------------------------------- the integers of the layer
    Mistake(
        name="types-not-widened",
        misconception="NumPy chooses a type in which the result fits.",
        message="Your products, or the brackets, are held in 16 bits, the type that NumPy takes for a "
        "uint8 and an int8, and large ones wrap around. Widen both arrays before you multiply.",
        changes=products("codes @ weight_codes.T"),
        variants=(
            products("codes.astype(np.int16) @ weight_codes.astype(np.int16).T"),
            products("codes.astype(np.int16) @ weight_codes.T"),
            products("np.dot(codes, weight_codes.T).astype(np.int32)"),
            narrow("int16"),
            ((BRACKETS, "(products - zero_point * row_sums).astype(np.int16)"),),
            ((BRACKETS, "products.astype(np.int16) - zero_point * row_sums"),),
            (
                *products("codes @ weight_codes.T"),
                (BRACKETS, "(products - zero_point * row_sums).astype(np.int16)"),
            ),
        ),
    ),
    Mistake(
        name="products-in-int8",
        misconception="8-bit codes are multiplied in 8 bits.",
        message="Your products are computed in 8 bits, and wrap around from the very first one.",
        changes=products("codes.astype(np.int8) @ weight_codes" + ".T"),
        variants=(
            products("(codes.astype(np.int8) @ weight_codes.T).astype(np.int64)"),
            products("codes @ weight_codes.astype(np.uint8).T"),
            products("(codes @ weight_codes.astype(np.uint8).T).astype(np.int64)"),
            narrow("int8"),
        ),
    ),
    Mistake(
        name="input-codes-as-int8",
        misconception="A code of 8 bits is an int8.",
        message="Input codes above 127 were taken for negative ones: they are uint8, and an int8 ends "
        "at 127.",
        changes=products(
            "codes.astype(np.int8).astype(np.int64) @ weight_codes.astype(np.int64).T"
        ),
        variants=(
            products("codes.view(np.int8).astype(np.int64) @ weight_codes.astype(np.int64).T"),
        ),
    ),
    Mistake(
        name="weight-codes-as-uint8",
        misconception="A code of 8 bits is a uint8.",
        message="Negative codes of the weights were taken for large ones: they are int8.",
        changes=products(
            "codes.astype(np.int64) @ weight_codes.astype(np.uint8).astype(np.int64).T"
        ),
        variants=(
            products("codes.astype(np.int64) @ weight_codes.view(np.uint8).astype(np.int64).T"),
        ),
    ),
    Mistake(
        name="zero-point-subtracted-in-uint8",
        misconception="The difference of two small integers is right in any integer type.",
        message="You subtract the zero point from the codes in uint8, which has no negative numbers: "
        "0 - 6 becomes 250. Widen them first, or use the row sums.",
        changes=(
            (PRODUCTS, "(codes - zero_point).astype(np.int64) @ weight_codes.astype(np.int64).T"),
            (BRACKETS, "products"),
        ),
        variants=(
            (
                (
                    PRODUCTS,
                    "(codes - np.uint8(zero_point)).astype(np.int64) @ weight_codes.astype(np.int64).T",
                ),
                (BRACKETS, "products + 0 * row_sums"),
            ),
            (
                (PRODUCTS, "(codes - zero_point) @ weight_codes.astype(np.int64).T"),
                (BRACKETS, "products"),
            ),
            ((PRODUCTS, "(codes - zero_point) @ weight_codes.T"), (BRACKETS, "products")),
        ),
    ),
    Mistake(
        name="zero-point-clipped",
        misconception="Codes below the zero point count as 0.",
        message="Inputs below 0 were cut off: a code below the zero point stands for a negative "
        "number.",
        changes=(
            (
                PRODUCTS,
                "np.maximum(codes.astype(np.int64) - zero_point, 0) @ weight_codes.astype(np.int64).T",
            ),
            (BRACKETS, "products"),
        ),
    ),
    Mistake(
        name="summed-in-float32",
        misconception="float32 holds every integer.",
        message="You sum in float32, which is exact only up to 16,777,216. The brackets must be "
        "exact: sum in integers of 32 bits or more.",
        changes=(
            products("(codes.astype(np.float32) @ weight_codes.astype(np.float32).T)")[0],
            (BRACKETS, "(products - zero_point * row_sums).astype(np.int64)"),
        ),
        variants=(
            products(
                "(codes.astype(np.float32) @ weight_codes.astype(np.float32).T).astype(np.int64)"
            ),
            (
                products("(codes.astype(np.float32) @ weight_codes.astype(np.float32).T)")[0],
                (
                    BRACKETS,
                    "(products - np.float32(zero_point) * row_sums.astype(np.float32)).astype(int)",
                ),
            ),
        ),
    ),
    Mistake(
        name="summed-in-float16",
        misconception="A half-precision float holds the sums.",
        message="You sum in float16, which is exact only up to 2048. Sum in integers.",
        changes=(
            products("codes.astype(np.float16) @ weight_codes.astype(np.float16).T")[0],
            (
                BRACKETS,
                "np.nan_to_num(products - zero_point * row_sums, posinf=0, neginf=0).astype(np.int64)",
            ),
        ),
    ),
    Mistake(
        name="brackets-are-floats",
        misconception="Whole numbers are integers, whatever their type.",
        message="Your brackets are not of an integer type.",
        changes=products("codes.astype(float) @ weight_codes.astype(float).T"),
        variants=((("return brackets,", "return brackets.astype(float),"),),),
    ),
    # ----------------------------------------------------------------------- the zero point
    Mistake(
        name="zero-point-forgotten",
        misconception="A sum of codes is a sum of values, but for the scale.",
        message="The zero point is missing from your brackets: the sum of the products of codes is not "
        "yet the bracket.",
        changes=((BRACKETS, "products"),),
        variants=((("return brackets,", "return products,"),),),
    ),
    Mistake(
        name="zero-point-not-in-the-outputs",
        misconception="The outputs are the scaled sums of products.",
        message="Your brackets are right, but the outputs are computed from the sums of the "
        "products, without the zero point's part.",
        changes=((RETURN, "return brackets, scale * row_scales * products"),),
        variants=(
            ((RETURN, "return brackets, scale * row_scales * (products - zero_point)"),),
            ((RETURN, "return brackets, scale * row_scales * (products + zero_point * row_sums)"),),
        ),
    ),
    Mistake(
        name="zero-point-added",
        misconception="The zero point's part is added.",
        message="You add the zero point's part. Each code is too large by z, so it is subtracted.",
        changes=((BRACKETS, "products + zero_point * row_sums"),),
    ),
    Mistake(
        name="zero-point-subtracted-once",
        misconception="A sum is shifted by z, once.",
        message="You subtract the zero point once. It is in every term of the sum, each time with "
        "another weight: z times the row sum.",
        changes=((BRACKETS, "products - zero_point"),),
        variants=(
            ((BRACKETS, "products - zero_point * codes.shape[1]"),),
            ((BRACKETS, "products - zero_point * len(row_sums)"),),
        ),
    ),
    Mistake(
        name="row-sums-without-zero-point",
        misconception="The row sums are the correction.",
        message="You subtract the row sums without the zero point.",
        changes=((BRACKETS, "products - row_sums"),),
    ),
    Mistake(
        name="zero-point-twice",
        misconception="The codes are shifted, and the sums corrected as well.",
        message="You take the zero point away twice: from the codes and, by the row sums, from their "
        "sums.",
        changes=products("(codes.astype(np.int64) - zero_point) @ weight_codes.astype(np.int64).T"),
    ),
    Mistake(
        name="zero-point-taken-from-the-weights",
        misconception="The zero point belongs to the weights.",
        message="You take the zero point from the codes of the weights, which are symmetric and have "
        "none. It belongs to the inputs.",
        changes=(
            (PRODUCTS, "codes.astype(np.int64) @ (weight_codes.astype(np.int64) - zero_point).T"),
            (BRACKETS, "products"),
        ),
        variants=(
            (
                (
                    BRACKETS,
                    "products - zero_point * codes.astype(np.int64).sum(axis=1, keepdims=True)",
                ),
            ),
        ),
    ),
    Mistake(
        name="sums-of-all-weights",
        misconception="One sum corrects all units.",
        message="You use the sum over all units. Each unit has a row sum of its own.",
        changes=((BRACKETS, "products - zero_point * row_sums.sum()"),),
        variants=(
            ((BRACKETS, "products - zero_point * row_sums[0]"),),
            ((BRACKETS, "products - zero_point * row_sums.mean()"),),
        ),
    ),
    Mistake(
        name="row-sums-of-columns",
        misconception="The sums run down the columns.",
        message="The row sums are subtracted along the wrong axis: entry j belongs to column j of the "
        "brackets.",
        changes=((BRACKETS, "products - zero_point * row_sums[:, None]"),),
        variants=(((BRACKETS, "products - zero_point * weight_codes.astype(int).sum(axis=0)"),),),
    ),
    Mistake(
        name="row-sums-in-int8",
        misconception="A sum of small integers is a small integer.",
        message="The row sums, or their products with the zero point, were narrowed to 8 or 16 bits "
        "and wrapped around.",
        changes=((BRACKETS, "products - zero_point * row_sums.astype(np.int8).astype(np.int64)"),),
        variants=(
            (
                (
                    BRACKETS,
                    "products - zero_point * weight_codes.sum(axis=1, dtype=np.int8).astype(np.int64)",
                ),
            ),
            ((BRACKETS, "products - (zero_point * row_sums).astype(np.int16)"),),
            ((BRACKETS, "products - np.int16(zero_point) * row_sums.astype(np.int16)"),),
            ((BRACKETS, "products - (zero_point * row_sums).astype(np.int8)"),),
        ),
    ),
    Mistake(
        name="zero-point-scaled-first",
        misconception="The zero point is a value.",
        message="The zero point is multiplied by the scale before it is subtracted from integers. It "
        "is a code: all in the bracket is integers, and the scale comes last.",
        changes=(
            (RETURN, "return brackets, row_scales * (scale * products - zero_point * row_sums)"),
        ),
        variants=(
            ((RETURN, "return brackets, scale * row_scales * products - zero_point * row_sums"),),
            ((RETURN, "return brackets, scale * row_scales * products - zero_point"),),
            (
                (
                    RETURN,
                    "return brackets, scale * (row_scales * products - zero_point * row_sums)",
                ),
            ),
            ((BRACKETS, "products - scale * zero_point * row_sums"),),
        ),
    ),
    # --------------------------------------------------------------------------- the scales
    Mistake(
        name="scale-forgotten",
        misconception="The scales of the rows are all.",
        message="Your outputs lack the scale of the inputs.",
        changes=((RETURN, "return brackets, row_scales * brackets"),),
    ),
    Mistake(
        name="row-scales-forgotten",
        misconception="One scale is enough.",
        message="Your outputs lack the scales of the rows.",
        changes=((RETURN, "return brackets, scale * brackets"),),
    ),
    Mistake(
        name="scales-forgotten",
        misconception="The outputs are the brackets.",
        message="Your outputs are the brackets, without any scale.",
        changes=((RETURN, "return brackets, brackets"),),
        variants=(((RETURN, "return brackets, brackets.astype(float)"),),),
    ),
    Mistake(
        name="one-scale-for-all-rows",
        misconception="A layer has one scale for its weights.",
        message="You use one scale for all rows. Each unit has its own.",
        changes=((RETURN, "return brackets, scale * row_scales[0] * brackets"),),
        variants=(
            ((RETURN, "return brackets, scale * row_scales.mean() * brackets"),),
            ((RETURN, "return brackets, scale * row_scales.max() * brackets"),),
            ((RETURN, "return brackets, scale * row_scales.sum() * brackets"),),
        ),
    ),
    Mistake(
        name="row-scales-along-the-inputs",
        misconception="The scales belong to the rows of the result.",
        message="The scales of the rows are multiplied in along the wrong axis: scale j belongs to "
        "column j of the brackets.",
        changes=((RETURN, "return brackets, scale * row_scales[:, None] * brackets"),),
        variants=(((RETURN, "return brackets, (scale * row_scales * brackets.T).T"),),),
    ),
    Mistake(
        name="divided-by-the-scales",
        misconception="A code divided by the scale is a value.",
        message="You divide by a scale. A code stands for scale times code: multiply.",
        changes=((RETURN, "return brackets, brackets / (scale * row_scales)"),),
        variants=(
            ((RETURN, "return brackets, brackets * row_scales / scale"),),
            ((RETURN, "return brackets, scale * brackets / row_scales"),),
        ),
    ),
    Mistake(
        name="scales-added",
        misconception="Two scales make one by addition.",
        message="You add the two scales. They are multiplied.",
        changes=((RETURN, "return brackets, (scale + row_scales) * brackets"),),
    ),
    Mistake(
        name="scale-squared",
        misconception="Each part of the bracket has its scale.",
        message="A scale is multiplied in twice.",
        changes=((RETURN, "return brackets, scale ** 2 * row_scales * brackets"),),
        variants=(((RETURN, "return brackets, scale * row_scales ** 2 * brackets"),),),
    ),
    Mistake(
        name="outputs-rounded",
        misconception="An integer layer gives integers.",
        message="Your outputs are rounded or cut to whole numbers. They are floats.",
        changes=((RETURN, "return brackets, np.rint(scale * row_scales * brackets)"),),
        variants=(
            ((RETURN, "return brackets, (scale * row_scales * brackets).astype(int)"),),
            ((RETURN, "return brackets, np.round(scale * row_scales * brackets, 2)"),),
        ),
    ),
    Mistake(
        name="brackets-are-outputs",
        misconception="The bracket holds values.",
        message="You return outputs, with the scales in them, in place of the brackets, which are "
        "integers and come first.",
        changes=((RETURN, "return scale * row_scales * brackets, scale * row_scales * brackets"),),
        variants=(
            ((RETURN, "return scale * row_scales * brackets, brackets"),),
            (
                (
                    RETURN,
                    "return (scale * row_scales * brackets).astype(int), scale * row_scales * brackets",
                ),
            ),
            (
                (
                    RETURN,
                    "outputs = scale * row_scales * brackets\n"
                    "    return np.rint(outputs).astype(int), outputs",
                ),
            ),
        ),
    ),
    # ---------------------------------------------------------------------- shape and order
    Mistake(
        name="outputs-alone",
        misconception="Only the outputs matter.",
        message="Return two arrays, the brackets and the outputs.",
        changes=((RETURN, "return scale * row_scales * brackets"),),
    ),
    Mistake(
        name="result-transposed",
        misconception="The units are the rows of the result.",
        message="Your result is transposed: its rows are the inputs, its columns the units.",
        changes=((RETURN, "return brackets.T, (scale * row_scales * brackets).T"),),
    ),
    Mistake(
        name="weights-not-transposed",
        misconception="The rows of the matrix are the inputs.",
        message="Your product takes the columns of the weights for units. A unit is a *row* of "
        "`weight_codes`, so the matrix is transposed in the product.",
        changes=products("codes.astype(np.int64) @ weight_codes.astype(np.int64)"),
    ),
    Mistake(
        name="one-input-only",
        misconception="A layer gets one input.",
        message="Your answer works on a single input only. `codes` has a row for each of n inputs.",
        changes=((PRODUCTS, "codes[0].astype(np.int64) @ weight_codes.astype(np.int64).T"),),
        variants=(((PRODUCTS, "codes[:1].astype(np.int64) @ weight_codes.astype(np.int64).T"),),),
    ),
    Mistake(
        name="products-not-summed",
        misconception="@ and * are the same.",
        message="You multiply element by element. A unit sums the products over its inputs: a matrix "
        "product.",
        changes=products("codes.astype(np.int64) * weight_codes.astype(np.int64)"),
        variants=(
            products(
                "(codes.astype(np.int64)[:, None] * weight_codes.astype(np.int64)).mean(axis=-1)"
            ),
        ),
    ),
    Mistake(
        name="changes-its-input",
        misconception="An array that is handed in may be overwritten.",
        message="Your answer changes an array that it was given, which must be the same after the "
        "call as before.",
        changes=(
            (PRODUCTS, "shifted(codes, zero_point) @ weight_codes.astype(np.int64).T"),
            (BRACKETS, "products"),
        ),
        variants=(
            ((BRACKETS, "products - np.multiply(row_sums, zero_point, out=row_sums)"),),
            ((RETURN, "row_scales *= scale\n    return brackets, row_scales * brackets"),),
            ((BRACKETS, "products - wide(row_sums, zero_point)"),),
        ),
        helpers="""
def shifted(codes, zero_point):
    codes -= np.uint8(zero_point)
    return codes.astype(np.int64)


def wide(row_sums, zero_point):
    row_sums *= zero_point
    return row_sums
""",
    ),
    Mistake(
        name="prints-instead-of-returning",
        misconception="Showing a result is returning it.",
        message="Your answer gives None: is a `return` missing?",
        changes=(
            (RETURN, "print(brackets, scale * row_scales * brackets)"),
            ("return (rows", "print((rows"),
            ("grids * grid", "grids * grid)"),
        ),
        variants=(
            ((RETURN, "print(brackets, scale * row_scales * brackets)"),),
            (("return (rows", "print((rows"), ("grids * grid", "grids * grid)")),
        ),
    ),
    # ---------------------------------------------------------------------------- the bytes
    Mistake(
        name="calls-the-library",
        misconception="Knowing which class to use is the same as knowing what it counts.",
        message="your answer calls utils.quantization.",
        changes=(
            ("    grid = {", "    return by_library(rows, columns, bits, scheme)\n    grid = {"),
        ),
        helpers="""
def by_library(rows, columns, bits, scheme):
    from utils.quantization import AffineQuantizer, KMeansQuantizer

    values = np.random.default_rng(0).normal(size=(rows, columns))
    if scheme == "codebook":
        quantizer = KMeansQuantizer(bits=bits)
    else:
        quantizer = AffineQuantizer(bits=max(2, bits), symmetric=scheme == "symmetric")
    return quantizer.nbytes(quantizer.fit(values).transform(values))
""",
    ),
    Mistake(
        name="codes-alone",
        misconception="The codes are the model, and the grids come for free.",
        message="You count the codes alone. Without scales, zero points and codebooks nobody can decode.",
        changes=((" + grids * grid", ""),),
    ),
    Mistake(
        name="scale-forgotten-in-the-bytes",
        misconception="Scales come for free.",
        message="The scales are missing from the bytes. Without them nobody can decode.",
        changes=((GRID, '{"symmetric": 0, "asymmetric": 1, "codebook": 2 * 2**bits}[scheme]'),),
        variants=(
            ((GRID, '{"symmetric": 0, "asymmetric": 2 + 1, "codebook": 2 * 2**bits}[scheme]'),),
            ((GRID, '{"symmetric": 2, "asymmetric": 1, "codebook": 2 * 2**bits}[scheme]'),),
            ((GRID, '{"symmetric": 0, "asymmetric": 0, "codebook": 2 * 2**bits}[scheme]'),),
        ),
    ),
    Mistake(
        name="codebook-forgotten",
        misconception="The codes are the model, and the codebook comes for free.",
        message="The codebooks are missing from the bytes. Without them the codes mean nothing.",
        changes=(("2 * 2**bits}", "0}"),),
    ),
    Mistake(
        name="zero-point-forgotten-in-the-bytes",
        misconception="A zero point is no more than part of the formula.",
        message="The zero points are missing from the bytes; each asymmetric grid has one, of a byte.",
        changes=(("2 + 1", "2"),),
    ),
    Mistake(
        name="one-zero-point-only",
        misconception="A zero point is shared by all rows.",
        message="With `per_row` each row has a zero point of its own, not only a scale.",
        changes=(
            (GRID, '{"symmetric": 2, "asymmetric": 2, "codebook": 2 * 2**bits}[scheme]'),
            ("grids * grid", "grids * grid + (scheme == 'asymmetric')"),
        ),
    ),
    Mistake(
        name="zero-point-in-float16",
        misconception="A zero point is stored like a scale.",
        message="You count a zero point like a scale. It is a whole number, in a byte of its own.",
        changes=(("2 + 1", "2 + 2"),),
    ),
    Mistake(
        name="zero-point-in-four-bytes",
        misconception="An integer takes 4 bytes.",
        message="You count 4 or 8 bytes for a zero point. It is stored in a single byte.",
        changes=(("2 + 1", "2 + 4"),),
        variants=((("2 + 1", "2 + 8"),),),
    ),
    Mistake(
        name="zero-point-packed-as-a-code",
        misconception="A zero point is a code like others, and is packed with them.",
        message="You pack the zero points with the codes, in `bits` bits. Each has a byte of its own.",
        changes=(
            ("2 + 1", "2"),
            (
                CODE_BYTES,
                "(rows * columns * bits + (scheme == 'asymmetric') * grids * bits + 7) // 8",
            ),
        ),
    ),
    Mistake(
        name="zero-point-on-every-grid",
        misconception="Every affine grid stores a zero point, also a symmetric one.",
        message="A symmetric grid has no zero point to store.",
        changes=((GRID, '{"symmetric": 3, "asymmetric": 3, "codebook": 2 * 2**bits}[scheme]'),),
    ),
    Mistake(
        name="codebook-with-a-scale",
        misconception="Every grid has a scale.",
        message="You count a scale besides the codebook. Its entries are numbers already.",
        changes=(("2 * 2**bits}", "2 * 2**bits + 2}"),),
        variants=((("2 * 2**bits}", "2 * 2**bits + 3}"),),),
    ),
    Mistake(
        name="a-byte-for-each-code",
        misconception="A code takes a whole byte, as in NumPy.",
        message="You count a whole byte for each code. Codes are packed: `bits` bits each.",
        changes=((CODE_BYTES, "rows * columns"),),
    ),
    Mistake(
        name="codes-in-powers-of-two",
        misconception="Codes are stored in 1, 2, 4 or 8 bits.",
        message="You leave bits unused, as if a code of 3 bits took 4, or never lay across two bytes. "
        "Packed one after the other, codes of 3 bits take 3 bits each.",
        changes=((CODE_BYTES, "(rows * columns * (1 << (bits - 1).bit_length()) + 7) // 8"),),
        variants=(
            ((CODE_BYTES, "-(-rows * columns // (8 // bits))"),),
            ((CODE_BYTES, "rows * columns // (8 // bits)"),),
        ),
    ),
    Mistake(
        name="bits-divided-by-8-for-each-code",
        misconception="Bits of a code become bytes by // 8, before multiplying.",
        message="You divide the bits of a single code by 8, which gives 0 for 3 bits. Multiply first.",
        changes=((CODE_BYTES, "rows * columns * (bits // 8)"),),
    ),
    Mistake(
        name="bits-not-bytes",
        misconception="Bits can be added to bytes.",
        message="You add the number of bits of the codes to bytes.",
        changes=((CODE_BYTES, "rows * columns * bits"),),
    ),
    Mistake(
        name="bits-rounded-down",
        misconception="Bits divided by 8, with //, are bytes.",
        message="You round the bytes of the codes down: 16 bytes hold only 128 of 135 bits. Round up.",
        changes=((CODE_BYTES, "rows * columns * bits // 8"),),
        variants=(((CODE_BYTES, "int(rows * columns * bits / 8)"),),),
    ),
    Mistake(
        name="bits-rounded-to-nearest",
        misconception="Rounding is rounding.",
        message="You round the bytes of the codes to the nearest: 99 bits take 13 bytes, not 12. "
        "Round up.",
        changes=((CODE_BYTES, "round(rows * columns * bits / 8)"),),
    ),
    Mistake(
        name="bits-not-rounded",
        misconception="A file can end in the middle of a byte.",
        message="Your bytes are no whole number. Round the bytes of the codes up.",
        changes=((CODE_BYTES, "rows * columns * bits / 8"),),
    ),
    Mistake(
        name="always-a-byte-more",
        misconception="// 8 + 1 rounds up.",
        message="You add a byte even where the bits fill whole bytes: // 8 + 1 does not round up.",
        changes=((CODE_BYTES, "rows * columns * bits // 8 + 1"),),
    ),
    Mistake(
        name="rounded-row-by-row",
        misconception="Each row of codes starts on a new byte.",
        message="You round each row up. The codes are packed through the whole matrix.",
        changes=((CODE_BYTES, "rows * ((columns * bits + 7) // 8)"),),
        variants=(
            ((CODE_BYTES, "columns * ((rows * bits + 7) // 8)"),),
            (
                (
                    CODE_BYTES,
                    "(rows * ((columns * bits + 7) // 8) if per_row else (rows * columns * bits + 7) // 8)",
                ),
            ),
        ),
    ),
    Mistake(
        name="one-grid-only",
        misconception="A matrix has one grid, whatever the granularity.",
        message="You count one grid even where `per_row` is True: each row has a grid of its own.",
        changes=((GRIDS, "1"),),
        variants=(
            ((GRIDS, "rows if per_row and scheme != 'codebook' else 1"),),
            ((GRIDS, "rows if per_row and scheme != 'symmetric' else 1"),),
            ((GRIDS, "rows if per_row and scheme != 'asymmetric' else 1"),),
        ),
    ),
    Mistake(
        name="one-grid-a-row-always",
        misconception="Every row has a scale of its own.",
        message="You count a grid for each row even where `per_row` is False: one is enough there.",
        changes=((GRIDS, "rows"),),
        variants=(((GRIDS, "1 if per_row else rows"),),),
    ),
    Mistake(
        name="columns-as-rows",
        misconception="Channels are columns.",
        message="You count a grid for each column. With `per_row` there is one for each row.",
        changes=((GRIDS, "columns if per_row else 1"),),
        variants=(
            ((GRIDS, "(columns if scheme == 'codebook' else rows) if per_row else 1"),),
            ((GRIDS, "(columns if scheme != 'codebook' else rows) if per_row else 1"),),
            ((GRIDS, "rows * columns if per_row else 1"),),
        ),
    ),
    Mistake(
        name="float32-for-float16",
        misconception="A float takes 4 bytes.",
        message="You count 4 bytes or more for a scale or an entry. They are stored in float16, which "
        "takes 2.",
        changes=((GRID, '{"symmetric": 4, "asymmetric": 4 + 1, "codebook": 4 * 2**bits}[scheme]'),),
        variants=(
            ((GRID, '{"symmetric": 4, "asymmetric": 4 + 1, "codebook": 2 * 2**bits}[scheme]'),),
            ((GRID, '{"symmetric": 2, "asymmetric": 2 + 1, "codebook": 4 * 2**bits}[scheme]'),),
            ((GRID, '{"symmetric": 8, "asymmetric": 8 + 1, "codebook": 8 * 2**bits}[scheme]'),),
            ((GRID, '{"symmetric": 4, "asymmetric": 4 + 4, "codebook": 4 * 2**bits}[scheme]'),),
            ((GRID, '{"symmetric": 16, "asymmetric": 16 + 1, "codebook": 16 * 2**bits}[scheme]'),),
        ),
    ),
    Mistake(
        name="entries-of-a-byte",
        misconception="An entry is stored like a code.",
        message="You count a byte for an entry of a codebook, or less. It is stored in float16.",
        changes=(("2 * 2**bits}", "2**bits}"),),
        variants=((("2 * 2**bits}", "2**bits * bits // 8}"),),),
    ),
    Mistake(
        name="codebook-of-bits-entries",
        misconception="A codebook has as many entries as a code has bits.",
        message="Your codebook has as many entries as a code has bits, or twice as many. 4 bits tell "
        "16 entries apart: 2**bits.",
        changes=(("2 * 2**bits}", "2 * bits}"),),
        variants=((("2 * 2**bits}", "4 * bits}"),), (("2 * 2**bits}", "2 * bits**2}"),)),
    ),
    Mistake(
        name="codebook-of-one-entry",
        misconception="A codebook costs as much as a scale.",
        message="You count one entry for a codebook. It has an entry for each code.",
        changes=(("2 * 2**bits}", "2}"),),
    ),
    Mistake(
        name="codebook-one-entry-short",
        misconception="The last code is 2**bits - 1, so there are as many entries.",
        message="Your codebook is one entry short: the codes 0 to 2**bits - 1 are 2**bits.",
        changes=(("2 * 2**bits}", "2 * (2**bits - 1)}"),),
    ),
    Mistake(
        name="bytes-and-a-ratio",
        misconception="A byte count is returned with its ratio.",
        message="Return the bytes alone.",
        changes=(
            (
                "return (rows * columns * bits + 7) // 8 + grids * grid",
                "total = (rows * columns * bits + 7) // 8 + grids * grid\n"
                "    return total, 4 * rows * columns / total",
            ),
        ),
    ),
    Mistake(
        name="ratio-not-bytes",
        misconception="Bytes are given as a share of float32.",
        message="You return a ratio to float32. Return bytes.",
        changes=(
            (
                "return (rows * columns * bits + 7) // 8 + grids * grid",
                "return 4 * rows * columns / ((rows * columns * bits + 7) // 8 + grids * grid)",
            ),
        ),
        variants=(
            (
                (
                    "return (rows * columns * bits + 7) // 8 + grids * grid",
                    "return ((rows * columns * bits + 7) // 8 + grids * grid) / (4 * rows * columns)",
                ),
            ),
        ),
    ),
    Mistake(
        name="hard-coded-example",
        misconception="An answer that passes the example is right.",
        message="The results are those of the example, whatever the input.",
        code="""
def integer_layer(codes, scale, zero_point, weight_codes, row_scales, row_sums):
    return np.array([[10900, -1470]]), np.array([[2.18, -0.0294]])


def quantized_bytes(rows, columns, bits, scheme, per_row):
    return {5: 19, 4: 24, 10: 33, 2: 72}.get(rows, 24)
""",
    ),
]

ALTERNATIVES = [
    Alternative(
        name="shifted-codes",
        code="""
from math import ceil


def integer_layer(codes, scale, zero_point, weight_codes, row_scales, row_sums):
    shifted = codes.astype(np.int32) - zero_point
    brackets = np.einsum("ni,ji->nj", shifted, weight_codes.astype(np.int32))
    return brackets, brackets * row_scales * scale


def quantized_bytes(rows, columns, bits, scheme, per_row):
    size = ceil(rows * columns * bits / 8)
    for _ in range(rows if per_row else 1):
        size += 2 if scheme != "codebook" else 2 * 2**bits
        size += scheme == "asymmetric"
    return size
""",
    ),
    Alternative(
        name="exact-in-float64",
        code="""
def integer_layer(codes, scale, zero_point, weight_codes, row_scales, row_sums):
    products = codes.astype(float) @ weight_codes.astype(float).T
    brackets = np.rint(products - float(zero_point) * row_sums).astype("int32")
    return brackets, scale * brackets * row_scales


def quantized_bytes(rows, columns, bits, scheme, per_row):
    packed = np.packbits(np.zeros((rows, columns, bits), dtype=bool)).nbytes
    grid = np.zeros(2**bits if scheme == "codebook" else 1, np.float16).nbytes
    return packed + (rows if per_row else 1) * (grid + (scheme == "asymmetric"))
""",
    ),
    Alternative(
        name="pure-python",
        code="""
def integer_layer(codes, scale, zero_point, weight_codes, row_scales, row_sums):
    inputs, units = codes.tolist(), weight_codes.tolist()
    brackets = [
        [sum(q * w for q, w in zip(x, row)) - zero_point * int(s) for row, s in zip(units, row_sums)]
        for x in inputs
    ]
    outputs = [[scale * t * b for b, t in zip(line, row_scales)] for line in brackets]
    return np.array(brackets), np.array(outputs)


def quantized_bytes(rows, columns, bits, scheme, per_row):
    whole, rest = divmod(rows * columns * bits, 8)
    each = 2 ** (bits + 1) if scheme == "codebook" else 2
    if scheme == "asymmetric":
        each += 1
    return whole + bool(rest) + each * (rows if per_row else 1)
""",
    ),
]
