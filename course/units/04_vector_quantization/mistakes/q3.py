"""Question 3, cosines by table look-up: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

TURNED = "query @ rotation  # q . (y R^T) = (q R) . y"
CHUNKS = "chunks = turned.reshape(len(codebooks), 1, -1)"
INNER = "np.sum(chunks * codebooks, axis=2)"
LENGTHS = "np.sum(codebooks**2, axis=2)  # a rotation changes no length"
STACK = "return np.stack([inner, lengths])"
EACH = "each = np.arange(tables.shape[1])"
FOUND = "inner = tables[0][each, codes].sum(axis=1)"
SQUARED = "squared = tables[1][each, codes].sum(axis=1)"
PRODUCT = "product = length * np.sqrt(squared)"
DIVIDE = "np.divide(inner, product, out=np.zeros(len(codes)), where=squared > 0)"
LOOKED_UP = "[each, codes]"


def result(text: str, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Another result of table_cosines, made of the right one."""
    return ((f"return {DIVIDE}", f"cosines = {DIVIDE}\n    return {text}"), *more)


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.quantization.ProductQuantizer.inner_products",
        changes=((INNER, "by_the_library(turned, codebooks)"),),
        helpers="""
from utils.quantization import VectorQuantizer


def by_the_library(query, codebooks):
    M, K, dsub = codebooks.shape
    tables = np.zeros((M, K))
    for m in range(M):
        quantizer = VectorQuantizer(n_codes=K).fit(codebooks[m])
        quantizer.codebook_ = codebooks[m].astype(np.float32)
        chunk, every = query[None, m * dsub:(m + 1) * dsub], np.arange(K)[:, None]
        tables[m] = quantizer.inner_products(chunk, every)[0]
    return tables
""",
    ),
    Mistake(
        name="looks-up-with-the-library",
        misconception="The tables are the work, and looking them up is a detail.",
        message="your answer calls utils.quantization.vector.look_up",
        changes=((FOUND, "inner = look_up(tables[:1], codes)[0]"),),
        helpers="from utils.quantization.vector import look_up",
    ),
    # ------------------------------------------------------------------------------ rotation
    Mistake(
        name="rotation-left-out",
        misconception="A rotation changes no inner product, so it can be ignored.",
        message="You do not turn the query. A rotation changes no inner product if both are turned; the "
        "codes are those of turned vectors.",
        changes=((TURNED, "query"),),
    ),
    Mistake(
        name="rotation-transposed",
        misconception="The query is turned back, as the words are.",
        message="You turn the query the wrong way round. x̂ = ŷ Rᵀ, so q · x̂ = (q R) · ŷ.",
        changes=((TURNED, "query @ rotation.T"),),
        variants=(
            ((TURNED, "rotation @ query"),),
            ((TURNED, "np.linalg.solve(rotation.T, query)"),),
        ),
    ),
    Mistake(
        name="turned-twice",
        misconception="Query and words are turned, so one turns twice.",
        message="You turn the query twice. Once makes q · x̂ = (q R) · ŷ.",
        changes=((TURNED, "query @ rotation @ rotation"),),
    ),
    Mistake(
        name="turns-the-codewords",
        misconception="The codewords are turned back, each in its chunk.",
        message="You turn the codewords, chunk by chunk with a part of R. The rotation mixes chunks: "
        "turn the query, once.",
        changes=(
            (
                TURNED,
                "query\n"
                "    M, K, dsub = codebooks.shape\n"
                "    codebooks = np.stack([codebooks[m] @ rotation[m * dsub : (m + 1) * dsub, "
                "m * dsub : (m + 1) * dsub].T for m in range(M)])",
            ),
        ),
        variants=(
            (
                (
                    TURNED,
                    "query\n"
                    "    M, K, dsub = codebooks.shape\n"
                    "    codebooks = np.stack([codebooks[m] @ rotation[m * dsub : (m + 1) * dsub, "
                    "m * dsub : (m + 1) * dsub] for m in range(M)])",
                ),
            ),
        ),
    ),
    # -------------------------------------------------------------------------------- tables
    Mistake(
        name="first-chunk-of-the-query",
        misconception="The query has the same chunk for every codebook.",
        message="Chunk 0 of the query meets all codebooks; codebook m needs chunk m.",
        changes=((CHUNKS, CHUNKS + "[:1]"),),
    ),
    Mistake(
        name="every-other-number",
        misconception="Chunk m takes every M-th number.",
        message="Your chunks take every M-th number of the query; they are neighbours.",
        changes=((CHUNKS, "chunks = turned.reshape(-1, 1, len(codebooks)).swapaxes(0, 2)"),),
        variants=(
            (
                (
                    CHUNKS,
                    "chunks = np.stack([turned[m :: len(codebooks)] for m in range(len(codebooks))])"
                    "[:, None]",
                ),
            ),
        ),
    ),
    Mistake(
        name="chunks-reversed",
        misconception="The order of the chunks does not matter.",
        message="Your chunks of the query are in the reverse order.",
        changes=((CHUNKS, CHUNKS + "[::-1]"),),
    ),
    Mistake(
        name="chunks-of-two",
        misconception="A chunk has two numbers, as in the example.",
        message="You cut chunks of two numbers, as in the example; a chunk has dsub = "
        "codebooks.shape[2].",
        changes=(
            (
                INNER,
                "np.array([[turned[2 * m : 2 * m + 2] @ c for c in book] "
                "for m, book in enumerate(codebooks)])",
            ),
        ),
        variants=(
            ((CHUNKS, "chunks = turned.reshape(-1, 1, 2)"),),
            (
                (
                    INNER,
                    "np.array([(turned[2 * m : 2 * m + 2] * book).sum(axis=1) "
                    "for m, book in enumerate(codebooks)])",
                ),
            ),
        ),
    ),
    Mistake(
        name="chunks-overlap",
        misconception="Chunk m begins at number m.",
        message="Your chunk m begins at number m of the query; it begins at m * dsub.",
        changes=(
            (
                CHUNKS,
                "width = codebooks.shape[2]\n"
                "    chunks = np.array([turned[m : m + width] for m in range(len(codebooks))])[:, None]",
            ),
        ),
    ),
    Mistake(
        name="chunks-of-k",
        misconception="K is the width of a chunk.",
        message="You cut chunks of K numbers; K is the number of codewords, and a chunk has dsub.",
        changes=(
            (
                INNER,
                "np.array([book @ turned[m * len(book) : (m + 1) * len(book)] "
                "for m, book in enumerate(codebooks)])",
            ),
        ),
        variants=(
            (
                (
                    INNER,
                    "np.array([(book * turned[m * len(book) : (m + 1) * len(book)]).sum(axis=1) "
                    "for m, book in enumerate(codebooks)])",
                ),
            ),
        ),
    ),
    Mistake(
        name="query-not-cut",
        misconception="The whole query meets every codeword.",
        message="The whole query meets each codeword, which has the length of a chunk. Cut the query "
        "into chunks first.",
        changes=((INNER, "(codebooks @ turned)"),),
        variants=(((INNER, "np.sum(turned * codebooks, axis=2)"),),),
    ),
    Mistake(
        name="first-codebook-for-all",
        misconception="There is one codebook, and all chunks share it.",
        message="You use codebook 0 for all chunks, and each has its own.",
        changes=((INNER, "np.sum(chunks * codebooks[0], axis=2)"),),
        variants=(
            (
                (INNER, "np.sum(chunks * codebooks[0], axis=2)"),
                (LENGTHS, "np.tile(np.sum(codebooks[0] ** 2, axis=1), (len(codebooks), 1))"),
            ),
        ),
    ),
    Mistake(
        name="quantizes-the-query",
        misconception="Query and words must both be quantized before they can be compared.",
        message="You round the query to codewords. Only the words are quantized.",
        changes=((CHUNKS, CHUNKS + "\n    chunks = rounded(chunks, codebooks)"),),
        helpers="""
def rounded(chunks, codebooks):
    nearest = ((chunks - codebooks) ** 2).sum(axis=2).argmin(axis=1)
    return codebooks[np.arange(len(codebooks)), nearest][:, None]
""",
    ),
    Mistake(
        name="products-not-added",
        misconception="A table may hold vectors: the rest is added up when it is looked up.",
        message="Your tables hold the products number by number, so the additions are left for every "
        "row. Add up over the numbers of a chunk, once.",
        changes=((INNER, "chunks * codebooks"), (LENGTHS, "codebooks**2")),
    ),
    Mistake(
        name="adds-over-codewords",
        misconception="Any axis but the first will do for a sum.",
        message="You add up over the codewords; add over the numbers of a chunk, the last axis.",
        changes=(
            (INNER, "np.sum(chunks * codebooks, axis=1)"),
            (LENGTHS, "np.sum(codebooks**2, axis=1)"),
        ),
        variants=(
            ((INNER, "np.sum(chunks * codebooks, axis=1)"),),
            ((LENGTHS, "np.sum(codebooks**2, axis=1)"),),
        ),
    ),
    Mistake(
        name="mean-of-the-products",
        misconception="An inner product is a mean of products.",
        message="You take means over the numbers of a chunk; both tables have sums.",
        changes=(
            (INNER, "np.mean(chunks * codebooks, axis=2)"),
            (LENGTHS, "np.mean(codebooks**2, axis=2)"),
        ),
        variants=(
            ((INNER, "np.mean(chunks * codebooks, axis=2)"),),
            ((LENGTHS, "np.mean(codebooks**2, axis=2)"),),
        ),
    ),
    Mistake(
        name="tables-of-lengths-not-squared",
        misconception="Lengths of chunks add up to the length of the whole.",
        message="Your second table has lengths of codewords. Lengths of chunks do not add up to the "
        "length of the whole; their squares do.",
        changes=((LENGTHS, "np.linalg.norm(codebooks, axis=2)"),),
    ),
    Mistake(
        name="tables-of-absolute-sums",
        misconception="The length of a vector is the sum of its numbers.",
        message="Your second table adds up numbers, absolute or not; a squared length adds up squares.",
        changes=((LENGTHS, "np.sum(np.abs(codebooks), axis=2)"),),
        variants=(
            ((LENGTHS, "np.sum(codebooks, axis=2)"),),
            ((LENGTHS, "np.sum(codebooks, axis=2) ** 2"),),
        ),
    ),
    Mistake(
        name="lengths-of-the-query",
        misconception="The length that is missing is that of the query.",
        message="Your second table has the squared length of the query's chunks. The query's length is "
        "known; that of the decoded vector is missing.",
        changes=((LENGTHS, "np.sum(chunks**2, axis=2) + np.zeros(codebooks.shape[:2])"),),
        variants=(((LENGTHS, "query @ query + np.zeros(codebooks.shape[:2])"),),),
    ),
    Mistake(
        name="cosines-in-the-tables",
        misconception="The cosines of the chunks add up to that of the whole.",
        message="Your first table has inner products divided by lengths, chunk by chunk. Cosines of "
        "chunks do not add up: divide at the end, once.",
        changes=((STACK, "return np.stack([inner / np.sqrt(lengths), lengths])"),),
        variants=(
            (
                (
                    STACK,
                    "return np.stack([inner / np.sqrt(lengths) / np.linalg.norm(chunks, axis=2), "
                    "lengths])",
                ),
            ),
            (
                (
                    STACK,
                    "return np.stack([inner / np.maximum(np.sqrt(lengths) "
                    "* np.linalg.norm(chunks, axis=2), 1e-12), lengths])",
                ),
            ),
            ((STACK, "return np.stack([inner / np.maximum(np.sqrt(lengths), 1e-12), lengths])"),),
        ),
    ),
    Mistake(
        name="query-made-a-unit-vector",
        misconception="For a cosine, the query is first divided by its length.",
        message="You divide the query by its length, in the tables. They have inner products with the "
        "query as it is; the length comes in at the end.",
        changes=((TURNED, "query @ rotation / np.linalg.norm(query)"),),
        variants=(((TURNED, "query @ rotation / max(np.linalg.norm(query), 1e-12)"),),),
    ),
    Mistake(
        name="distances-in-the-tables",
        misconception="Near and similar are the same.",
        message="Your first table has squared distances of chunks and codewords, not inner products.",
        changes=((INNER, "np.sum((chunks - codebooks) ** 2, axis=2)"),),
        variants=(((LENGTHS, "np.sum((chunks - codebooks) ** 2, axis=2)"),),),
    ),
    Mistake(
        name="absolute-products",
        misconception="An inner product is never negative.",
        message="Your inner products have lost their signs.",
        changes=((INNER, f"np.abs({INNER})"),),
        variants=(
            ((INNER, "np.sum(np.abs(chunks * codebooks), axis=2)"),),
            ((INNER, f"np.maximum({INNER}, 0)"),),
        ),
    ),
    Mistake(
        name="tables-swapped",
        misconception="The order of the two tables does not matter.",
        message="Your two tables have changed places: inner products come first.",
        changes=((STACK, "return np.stack([lengths, inner])"),),
    ),
    Mistake(
        name="one-table-only",
        misconception="Inner products are all that it takes.",
        message="You return one of the two tables only; the shape is (2, M, K).",
        changes=((STACK, "return inner"),),
        variants=(((STACK, "return lengths"),), ((STACK, "return inner[None]"),)),
    ),
    Mistake(
        name="tables-turned",
        misconception="The orientation of a table does not matter.",
        message="Your tables have another orientation: the shape is (2, M, K), first the two tables, "
        "then chunks, then codewords.",
        changes=((STACK, "return np.stack([inner.T, lengths.T])"),),
        variants=(
            ((STACK, "return np.stack([inner, lengths], axis=1)"),),
            ((STACK, "return np.stack([inner, lengths], axis=2)"),),
            ((STACK, "return np.hstack([inner, lengths])"),),
            ((STACK, "return np.vstack([inner, lengths])"),),
            ((STACK, "return np.stack([inner, lengths]).reshape(2, -1)"),),
        ),
    ),
    Mistake(
        name="tables-sorted",
        misconception="The best codewords come first.",
        message="Your tables are sorted, and so the place of a codeword is lost: entry k belongs to "
        "codeword k.",
        changes=((STACK, "return np.sort(np.stack([inner, lengths]), axis=2)"),),
        variants=(
            ((STACK, "return np.stack([np.sort(inner, axis=1)[:, ::-1], lengths])"),),
            ((STACK, "return np.stack([np.sort(inner, axis=1), lengths])"),),
            ((STACK, "return np.sort(np.stack([inner, lengths]), axis=2)[:, :, ::-1]"),),
        ),
    ),
    Mistake(
        name="tables-of-whole-numbers",
        misconception="The tables are as whole as the codes.",
        message="Your tables are cut to whole numbers: the array that takes them must hold floats.",
        changes=((STACK, "return np.stack([inner, lengths]).astype(int)"),),
        variants=(
            ((STACK, "return np.stack([inner, lengths]).astype(codebooks.dtype)"),),
            ((STACK, "return np.stack([inner.astype(codebooks.dtype), lengths])"),),
            ((STACK, "return np.round(np.stack([inner, lengths]))"),),
            ((STACK, "return np.stack([inner.astype(int), lengths.astype(int)])"),),
        ),
    ),
    # ------------------------------------------------------------------------------- cosines
    Mistake(
        name="one-table-for-all-codes",
        misconception="A code means the same in every chunk.",
        message="All codes are looked up in the table of chunk 0; those of chunk m belong to table m.",
        changes=((LOOKED_UP, "[0, codes]"),),
        variants=(
            (("tables[0][each, codes]", "tables[0].ravel()[codes]"),),
            (("tables[1][each, codes]", "tables[1][0, codes]"),),
        ),
    ),
    Mistake(
        name="first-code-in-all-tables",
        misconception="A vector has one code.",
        message="The first code of a row is looked up in all tables; table m needs code m.",
        changes=((LOOKED_UP, "[each, codes[:, :1]]"),),
    ),
    Mistake(
        name="offset-overflows-a-byte",
        misconception="Adding a number to an array gives an array that can hold the sum.",
        message="Codes of dtype uint8 end at 255, and an index into flattened tables goes beyond and "
        "wraps around. Convert the codes first.",
        changes=(
            (EACH, "M, K = tables.shape[1:]\n    each = (K * np.arange(M)).astype(codes.dtype)"),
            ("tables[0][each, codes]", "tables[0].ravel()[codes + each]"),
            ("tables[1][each, codes]", "tables[1].ravel()[codes + each]"),
        ),
        variants=(
            (
                (EACH, "M, K = tables.shape[1:]\n    flat = tables.reshape(2, -1)"),
                (FOUND, "inner = sum(flat[0][codes[:, m] + (K * m) % 256] for m in range(M))"),
                (SQUARED, "squared = sum(flat[1][codes[:, m] + (K * m) % 256] for m in range(M))"),
            ),
            (
                (EACH, "M, K = tables.shape[1:]\n    flat = tables.reshape(2, -1)"),
                (FOUND, "inner = sum(flat[0][codes[:, m] + K * m] for m in range(M))"),
                (SQUARED, "squared = sum(flat[1][codes[:, m] + K * m] for m in range(M))"),
            ),
        ),
    ),
    Mistake(
        name="offset-of-256",
        misconception="A codebook has 256 codewords.",
        message="Your index into the flattened tables has 256 written in for K.",
        changes=(
            (EACH, "each = 256 * np.arange(tables.shape[1])"),
            ("tables[0][each, codes]", "tables[0].ravel()[codes + each]"),
            ("tables[1][each, codes]", "tables[1].ravel()[codes + each]"),
        ),
    ),
    Mistake(
        name="offset-of-m",
        misconception="Flattened tables have M numbers in a row.",
        message="Your index into the flattened tables goes in steps of M; a table has K numbers.",
        changes=(
            (EACH, "each = tables.shape[1] * np.arange(tables.shape[1])"),
            ("tables[0][each, codes]", "tables[0].ravel()[codes + each]"),
            ("tables[1][each, codes]", "tables[1].ravel()[codes + each]"),
        ),
    ),
    Mistake(
        name="every-code-in-every-table",
        misconception="tables[:, codes] pairs each table with its own column of codes.",
        message="Every code is looked up in every table; code m belongs to table m only.",
        changes=(
            (FOUND, "inner = tables[0][:, codes].sum(axis=(0, 2))"),
            (SQUARED, "squared = tables[1][:, codes].sum(axis=(0, 2))"),
        ),
        variants=(
            (
                (FOUND, "inner = tables[0][:, codes].mean(axis=(0, 2)) * codes.shape[1]"),
                (SQUARED, "squared = tables[1][:, codes].mean(axis=(0, 2)) * codes.shape[1]"),
            ),
            (
                (FOUND, "inner = tables[0][:, codes].sum(axis=0)"),
                (SQUARED, "squared = tables[1][:, codes].sum(axis=0)"),
                (DIVIDE, "inner / product"),
            ),
        ),
    ),
    Mistake(
        name="two-tables",
        misconception="There are two chunks, as in the example.",
        message="You add two look-ups, as in the example; there are M.",
        changes=((EACH, "each, codes = np.arange(2), codes[:, :2]"),),
        variants=(((EACH, "each, codes = np.arange(tables.shape[1])[:2], codes[:, :2]"),),),
    ),
    Mistake(
        name="last-chunk-left-out",
        misconception="range(M - 1) covers all M chunks.",
        message="You leave out the last chunk.",
        changes=((EACH, "each, codes = np.arange(tables.shape[1] - 1), codes[:, :-1]"),),
    ),
    Mistake(
        name="look-ups-not-added",
        misconception="Looking up is all there is to do.",
        message="Your result has a number for each chunk: add up the M look-ups of each row, before "
        "the root and the division.",
        changes=(
            (FOUND, "inner = tables[0][each, codes]"),
            (SQUARED, "squared = tables[1][each, codes]"),
            (DIVIDE, "np.divide(inner, product, out=np.zeros(codes.shape), where=squared > 0)"),
        ),
        variants=(
            (
                (FOUND, "inner = tables[0][each, codes]"),
                (SQUARED, "squared = tables[1][each, codes]"),
                (DIVIDE, "inner / product"),
            ),
        ),
    ),
    Mistake(
        name="adds-over-the-rows",
        misconception="The sum of a table has one axis only.",
        message="You add up over the rows; each row has a sum of its own, over its chunks.",
        changes=(
            (FOUND, "inner = tables[0][each, codes].sum()"),
            (SQUARED, "squared = tables[1][each, codes].sum()"),
        ),
        variants=(
            (
                (FOUND, FOUND.replace("axis=1", "axis=0")),
                (SQUARED, SQUARED.replace("axis=1", "axis=0")),
                (DIVIDE, "inner / product"),
            ),
            (
                (FOUND, FOUND.replace("axis=1", "axis=0")),
                (SQUARED, SQUARED.replace("axis=1", "axis=0")),
                (DIVIDE, "np.divide(inner, product, out=np.zeros(len(inner)), where=squared > 0)"),
            ),
        ),
    ),
    Mistake(
        name="mean-of-the-look-ups",
        misconception="The score is the average over chunks.",
        message="You average look-ups over the chunks; inner product and squared length are sums.",
        changes=((FOUND, FOUND.replace("sum", "mean")), (SQUARED, SQUARED.replace("sum", "mean"))),
        variants=(
            ((FOUND, FOUND.replace("sum", "mean")),),
            ((SQUARED, SQUARED.replace("sum", "mean")),),
        ),
    ),
    Mistake(
        name="look-ups-multiplied",
        misconception="Choices that can be combined freely are multiplied.",
        message="You multiply the look-ups; both sums over the chunks are sums.",
        changes=((FOUND, FOUND.replace("sum", "prod")),),
        variants=(
            ((SQUARED, SQUARED.replace("sum", "prod")),),
            ((FOUND, FOUND.replace("sum", "prod")), (SQUARED, SQUARED.replace("sum", "prod"))),
        ),
    ),
    Mistake(
        name="inner-product-only",
        misconception="Dividing by lengths does not change the order.",
        message="That is the inner product, divided by no length of the decoded vector. A long vector "
        "gets a large one whatever its direction.",
        changes=((DIVIDE, "inner"),),
        variants=(((DIVIDE, "inner / length"),), ((DIVIDE, "inner * 1.0"),)),
    ),
    Mistake(
        name="length-of-the-query-left-out",
        misconception="What does not change the order does not belong to a cosine.",
        message="You do not divide by the length of the query. The order is the same without it, but "
        "these are no cosines.",
        changes=((PRODUCT, "product = np.sqrt(squared)"),),
    ),
    Mistake(
        name="root-left-out",
        misconception="The table holds lengths.",
        message="You divide by the squared length of the decoded vector: take the root of the sum.",
        changes=((PRODUCT, "product = length * squared"),),
    ),
    Mistake(
        name="root-of-the-query-too",
        misconception="Both lengths are given as squares.",
        message="You take the root of the query's length; what is given is the length and not its "
        "square.",
        changes=((PRODUCT, "product = np.sqrt(length * squared)"),),
    ),
    Mistake(
        name="query-length-squared",
        misconception="Both squared lengths are multiplied.",
        message="You divide by the square of the query's length.",
        changes=((PRODUCT, "product = length**2 * np.sqrt(squared)"),),
        variants=(((PRODUCT, "product = length**2 * squared"),),),
    ),
    Mistake(
        name="root-of-each-chunk",
        misconception="Lengths of chunks add up to the length of the whole.",
        message="You add up the lengths of the chunks. Add their squares, and take one root of the sum.",
        changes=((SQUARED, "squared = np.sqrt(tables[1][each, codes]).sum(axis=1) ** 2"),),
        variants=(
            (
                (SQUARED, "squared = np.sqrt(tables[1][each, codes]).sum(axis=1)"),
                (PRODUCT, "product = length * squared"),
            ),
            ((SQUARED, "squared = np.sqrt(tables[1][each, codes]).sum(axis=1)"),),
        ),
    ),
    Mistake(
        name="cosines-of-chunks-added",
        misconception="The cosines of the chunks add up to that of the whole.",
        message="You divide chunk by chunk and add up. Cosines of chunks do not add up: add both sums, "
        "then divide once.",
        changes=(
            (
                DIVIDE,
                "np.divide(tables[0][each, codes], np.sqrt(tables[1][each, codes]), "
                "out=np.zeros(codes.shape), where=tables[1][each, codes] > 0).sum(axis=1) / length",
            ),
        ),
        variants=(
            (
                (
                    DIVIDE,
                    "np.divide(tables[0][each, codes], np.sqrt(tables[1][each, codes]), "
                    "out=np.zeros(codes.shape), where=tables[1][each, codes] > 0).mean(axis=1) / length",
                ),
            ),
            (
                (
                    DIVIDE,
                    "(tables[0][each, codes] / np.sqrt(tables[1][each, codes])).sum(axis=1) / length",
                ),
            ),
        ),
    ),
    Mistake(
        name="multiplies-by-the-length",
        misconception="A cosine has the lengths above the fraction.",
        message="You multiply by a length by which a cosine is divided.",
        changes=((DIVIDE, "inner * product"),),
        variants=(
            ((DIVIDE, f"length**2 * {DIVIDE}"),),
            ((DIVIDE, "inner * np.sqrt(squared) / length"),),
        ),
    ),
    Mistake(
        name="tables-mixed-up",
        misconception="The order of the two tables does not matter.",
        message="You take squared lengths for inner products, and the other way round: tables[0] has "
        "the inner products.",
        changes=(
            (FOUND, FOUND.replace("tables[0]", "tables[1]")),
            (SQUARED, SQUARED.replace("tables[1]", "tables[0]")),
        ),
        variants=(
            ((FOUND, FOUND.replace("tables[0]", "tables[1]")),),
            ((SQUARED, SQUARED.replace("tables[1]", "tables[0]")),),
        ),
    ),
    Mistake(
        name="zero-vector-becomes-nan",
        misconception="Every vector has a direction.",
        message="A decoded vector of length 0 gives 0 / 0, which is nan; its cosine is to be 0.",
        changes=((DIVIDE, "inner / product"),),
    ),
    Mistake(
        name="zero-vector-fails",
        misconception="Every vector has a direction.",
        message="A decoded vector of length 0 makes your answer fail, by a division by zero; its cosine "
        "is to be 0.",
        changes=(
            (
                DIVIDE,
                "np.array([i / p for i, p in zip(inner.tolist(), product.tolist())])",
            ),
        ),
    ),
    Mistake(
        name="zero-vector-becomes-one",
        misconception="A vector without a direction has every direction.",
        message="The cosine of a decoded vector of length 0 is to be 0, and yours is another number.",
        changes=((DIVIDE, DIVIDE.replace("np.zeros", "np.ones")),),
        variants=(
            (((DIVIDE, DIVIDE.replace("np.zeros(len(codes))", "np.full(len(codes), -1.0)"))),),
        ),
    ),
    Mistake(
        name="zero-vectors-left-out",
        misconception="What has no cosine has no place in the result.",
        message="Your result leaves out the vectors of length 0; it has a number for each row, 0 for "
        "those.",
        changes=((DIVIDE, "inner[squared > 0] / product[squared > 0]"),),
    ),
    Mistake(
        name="adds-to-the-denominator",
        misconception="A small number in the denominator does no harm.",
        message="You add something to the denominator, which changes every cosine. Treat a length of "
        "0 by itself.",
        changes=((DIVIDE, "inner / (product + 1e-3)"),),
        variants=(
            ((DIVIDE, "inner / (product + 1)"),),
            ((DIVIDE, "inner / (product + 1e-2)"),),
            ((DIVIDE, "inner / (length * np.sqrt(squared + 1e-3))"),),
            ((DIVIDE, "inner / (length * (np.sqrt(squared) + 1e-3))"),),
            ((DIVIDE, "inner / (length * np.sqrt(squared + 1))"),),
        ),
    ),
    Mistake(
        name="result-in-whole-numbers",
        misconception="The result has the type of the codes or tables.",
        message="Your cosines are cut to whole numbers: the array that takes them must hold floats, "
        "whatever the type of codes and tables.",
        changes=((DIVIDE, f"({DIVIDE}).astype(int)"),),
        variants=(
            ((DIVIDE, f"({DIVIDE}).astype(codes.dtype)"),),
            ((DIVIDE, f"({DIVIDE}).astype(tables.dtype)"),),
            ((DIVIDE, "inner // np.maximum(product, 1e-9)"),),
        ),
    ),
    Mistake(
        name="sums-in-small-integers",
        misconception="A sum has room in the type of the codes.",
        message="Your sums are kept in the type of the codes, a byte, which holds no fractions, no "
        "negative numbers, and wraps at 256.",
        changes=((FOUND, FOUND + ".astype(int).astype(codes.dtype)"),),
        variants=(
            (
                (FOUND, FOUND + ".astype(int).astype(codes.dtype)"),
                (SQUARED, SQUARED + ".astype(int).astype(codes.dtype)"),
            ),
            ((SQUARED, SQUARED + ".astype(int).astype(codes.dtype)"),),
        ),
    ),
    Mistake(
        name="keeps-the-second-axis",
        misconception="A column is as good as a vector.",
        message="Your result has the shape (n, 1) or (1, n); it is one of n numbers, (n,).",
        changes=(
            (FOUND, FOUND.replace("axis=1", "axis=1, keepdims=True")),
            (SQUARED, SQUARED.replace("axis=1", "axis=1, keepdims=True")),
            (DIVIDE, "np.divide(inner, product, out=np.zeros((len(codes), 1)), where=squared > 0)"),
        ),
        variants=(result("cosines[None]"), result("cosines[:, None]")),
    ),
    Mistake(
        name="ranks-not-cosines",
        misconception="The order is all that counts.",
        message="You return an order of the rows, or the best of them; the cosine of each row is asked "
        "for, in the order of the rows.",
        changes=result("np.argsort(-cosines, kind='stable')"),
        variants=(
            result("np.argsort(cosines, kind='stable')"),
            result("np.sort(cosines)[::-1]"),
            result("np.sort(cosines)"),
            result("np.argmax(cosines)"),
            result("cosines.max()"),
        ),
    ),
    Mistake(
        name="distance-not-cosine",
        misconception="Cosine distance and cosine are the same.",
        message="That is one minus the cosine, or minus it: a distance. The cosine is asked for.",
        changes=result("1 - cosines"),
        variants=(result("-cosines"),),
    ),
    Mistake(
        name="signs-lost",
        misconception="A cosine is not negative.",
        message="Your cosines have lost their signs: they go from -1 to 1.",
        changes=result("np.abs(cosines)"),
        variants=(result("np.maximum(cosines, 0)"), result("np.clip(cosines, 0, 1)")),
    ),
    Mistake(
        name="angle-not-cosine",
        misconception="The angle is as good as its cosine.",
        message="That is an angle, or a square of the cosine; the cosine is asked for.",
        changes=result("np.arccos(cosines)"),
        variants=(result("cosines**2"), result("np.degrees(np.arccos(cosines))")),
    ),
    Mistake(
        name="rounds-the-cosines",
        misconception="Three decimals are exact enough.",
        message="Your cosines are rounded; return them as they are.",
        changes=result("np.round(cosines, 3)"),
        variants=(result("np.round(cosines, 2)"), result("np.round(cosines, 4)")),
    ),
    Mistake(
        name="decodes-the-example",
        misconception="The score needs the decoded vector, so codebooks and query have to be found "
        "somewhere.",
        message="You decode with the codebooks of the example. Codes, tables and length are all that "
        "it needs, and all that it gets.",
        changes=(
            (
                EACH,
                "each = np.arange(tables.shape[1])\n"
                "    decoded = CODEBOOKS[np.arange(codes.shape[1]), codes].reshape(len(codes), -1)\n"
                "    return decoded @ (QUERY @ ROTATION) / np.linalg.norm(decoded, axis=1) / length",
            ),
        ),
    ),
    Mistake(
        name="prints-instead-of-returning",
        misconception="Showing a result is returning it.",
        message="Your answer gives None: is a `return` missing?",
        changes=((f"return {DIVIDE}", f"print({DIVIDE})"),),
        variants=(((STACK, STACK.replace("return ", "print(") + ")"),),),
    ),
    Mistake(
        name="hard-coded-example",
        misconception="An answer that passes the example is right.",
        message="The results are those of the example, whatever the input.",
        changes=(
            (STACK, "return TABLES"),
            (DIVIDE, "np.array([7 / 28**0.5, 5 / 13**0.5, 1 / 11**0.5, 8 / 26**0.5]) / 5**0.5"),
        ),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="plain-loops",
        code="""
def lookup_tables(query, codebooks, rotation):
    M, K, dsub = codebooks.shape
    q = [sum(query[i] * rotation[i, j] for i in range(len(query))) for j in range(len(query))]
    tables = np.zeros((2, M, K))
    for m in range(M):
        for k in range(K):
            word = codebooks[m, k]
            tables[0, m, k] = sum(a * b for a, b in zip(q[m * dsub:(m + 1) * dsub], word))
            tables[1, m, k] = sum(b * b for b in word)
    return tables


def table_cosines(codes, tables, length):
    result = []
    for row in codes:
        inner = sum(float(tables[0][m][int(k)]) for m, k in enumerate(row))
        square = sum(float(tables[1][m][int(k)]) for m, k in enumerate(row))
        result.append(inner / (length * square ** 0.5) if square else 0.0)
    return result
""",
    ),
    Alternative(
        name="einsum-and-take-along-axis",
        code="""
def lookup_tables(query, codebooks, rotation):
    chunks = (rotation.T @ query).reshape(codebooks.shape[0], codebooks.shape[2])
    inner = np.einsum("mj,mkj->mk", chunks, codebooks)
    return inner, np.einsum("mkj,mkj->mk", codebooks, codebooks)


def table_cosines(codes, tables, length):
    inner, squares = (np.take_along_axis(t, codes.T.astype(int), axis=1).sum(axis=0) for t in tables)
    with np.errstate(all="ignore"):
        return np.nan_to_num(inner / np.sqrt(squares) / length)
""",
    ),
    Alternative(
        name="flat-index",
        code="""
def lookup_tables(query, codebooks, rotation):
    pieces = np.split(np.matmul(query, rotation), len(codebooks))
    return [[book.dot(q) for q, book in zip(pieces, codebooks)],
            [np.linalg.norm(book, axis=1) ** 2 for book in codebooks]]


def table_cosines(codes, tables, length):
    _, M, K = tables.shape
    inner, squared = tables.reshape(2, M * K)[:, codes.astype(int) + K * np.arange(M)].sum(axis=2)
    return inner / np.where(squared == 0, 1, np.sqrt(squared)) / length
""",
    ),
]
