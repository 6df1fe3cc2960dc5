"""Question 2, decoding and a step of weighted k-means: wrong answers, and right ones."""

from course.writing.mistakes import Alternative, Mistake

DECODE = "np.hstack([codebook[codes[:, m]] for m, codebook in enumerate(codebooks)])"
PARTS = "[codebook[codes[:, m]] for m, codebook in enumerate(codebooks)]"
COPY = "codebooks.astype(float)  # a copy, and one that can hold fractions"
CHUNKS = "enumerate(np.split(X, len(codebooks), axis=1))"
WORDS = "for k in np.unique(codes[:, m]):"
MEMBER = "member = codes[:, m] == k"
MEAN = "weights[member] @ chunk[member] / weights[member].sum()"
RETURN = "    return updated"


def weighed(text: str) -> tuple[tuple[str, str], ...]:
    """A slip in the weights of the members."""
    return (("weights[member]", f"({text})[member]"),)


def emptied(text: str) -> tuple[tuple[str, str], ...]:
    """What becomes of a codeword without members."""
    return (
        (
            RETURN,
            "    for m, chunk in enumerate(np.split(X, len(codebooks), axis=1)):\n"
            "        for k in set(range(codebooks.shape[1])) - set(codes[:, m].tolist()):\n"
            f"            updated[m, k] = {text}\n"
            "    return updated",
        ),
    )


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.quantization.ProductQuantizer.inverse_transform",
        changes=((DECODE, "decoded_by_the_library(codes, codebooks)"),),
        helpers="""
from utils.quantization import ProductQuantizer


def decoded_by_the_library(codes, codebooks):
    M, K, dsub = codebooks.shape
    quantizer = ProductQuantizer(n_subspaces=M, n_codes=K).fit(np.zeros((1, M * dsub)))
    quantizer.codebook_ = np.hstack(codebooks).astype(np.float32)
    return quantizer.inverse_transform(codes)
""",
    ),
    Mistake(
        name="updates-with-the-library",
        misconception="A step of k-means is a step of k-means, whatever it does with codewords "
        "that have no members.",
        message="your answer calls utils.quantization.vector.lloyd_step",
        changes=(
            (
                COPY,
                "np.stack([lloyd_step(*parts) for parts in zip(np.split(X, len(codebooks), axis=1), "
                "codebooks, codes.T)])",
            ),
        ),
        helpers="from utils.quantization.vector import lloyd_step",
    ),
    Mistake(
        name="trains-with-the-library",
        misconception="One step of k-means is what a fit does.",
        message="your answer calls utils.quantization.ProductQuantizer.fit",
        changes=((COPY, "fitted(X, codebooks)"),),
        helpers="""
from utils.quantization import ProductQuantizer


def fitted(X, codebooks):
    M, K, dsub = codebooks.shape
    quantizer = ProductQuantizer(n_subspaces=M, n_codes=min(K, len(X))).fit(X)
    return quantizer.codebook_.reshape(-1, M, dsub).swapaxes(0, 1).astype(float)
""",
    ),
    # ------------------------------------------------------------------------------ decoding
    Mistake(
        name="decodes-with-the-first-codebook",
        misconception="There is one codebook, and all chunks share it.",
        message="You decode all chunks with codebook 0, and each has its own.",
        changes=((DECODE, "codebooks[0][codes].reshape(len(codes), -1)"),),
        variants=(((DECODE, "np.hstack([codebooks[0][c] for c in codes.T])"),),),
    ),
    Mistake(
        name="decodes-the-first-code",
        misconception="A vector has one code.",
        message="You look up the first code of a row in all codebooks; chunk m has code m.",
        changes=(("codebook[codes[:, m]]", "codebook[codes[:, 0]]"),),
    ),
    Mistake(
        name="adds-the-codewords",
        misconception="A vector is the sum of its codewords.",
        message="The codewords of a vector stand side by side. You added them, as additive quantization "
        "does, whose codewords are as long as the vector.",
        changes=((DECODE, f"sum({PARTS})"),),
        variants=(((DECODE, f"np.mean({PARTS}, axis=0)"),),),
    ),
    Mistake(
        name="codewords-not-joined",
        misconception="A list of codewords is a vector.",
        message="You return a codeword for each chunk: join those of a vector to one row of "
        "M * dsub numbers.",
        changes=((DECODE, f"np.stack({PARTS}, axis=1)"),),
        variants=(((DECODE, f"np.stack({PARTS})"),), ((DECODE, PARTS),)),
    ),
    Mistake(
        name="joined-one-below-the-other",
        misconception="np.concatenate joins to the right.",
        message="You join the decoded chunks one below the other; they stand side by side (axis=1).",
        changes=((DECODE, f"np.concatenate({PARTS})"),),
        variants=(((DECODE, f"np.stack({PARTS}).reshape(len(codes), -1)"),),),
    ),
    Mistake(
        name="numbers-alternate",
        misconception="Stacking codewords on the last axis puts them side by side.",
        message="In your rows the numbers of the codewords alternate; first comes all of codeword 0, "
        "then all of codeword 1.",
        changes=((DECODE, f"np.stack({PARTS}, axis=-1).reshape(len(codes), -1)"),),
    ),
    Mistake(
        name="chunks-reversed",
        misconception="The order of the chunks does not matter.",
        message="Your chunks stand in the reverse order.",
        changes=((DECODE, f"np.hstack({PARTS}[::-1])"),),
    ),
    Mistake(
        name="two-codebooks",
        misconception="There are two chunks, as in the example.",
        message="You decode two chunks, as in the example, and there are M.",
        changes=((DECODE, "np.hstack([codebooks[0][codes[:, 0]], codebooks[1][codes[:, 1]]])"),),
        variants=(((DECODE, f"np.hstack({PARTS}[:2])"),),),
    ),
    Mistake(
        name="rows-of-four",
        misconception="A vector has four numbers, as in the example.",
        message="You make rows of four numbers, as in the example; a vector has M * dsub.",
        changes=((DECODE, "codebooks[np.arange(len(codebooks)), codes].reshape(-1, 4)"),),
        variants=(
            ((DECODE, "codebooks[np.arange(len(codebooks)), codes].reshape(len(codes), 4)"),),
        ),
    ),
    Mistake(
        name="columns-of-the-codebook",
        misconception="A codeword is a column of its codebook.",
        message="You look up a column of the codebook. Codeword k of chunk m is the row "
        "codebooks[m, k].",
        changes=(
            (
                "codebook[codes[:, m]]",
                "codebook.T[codes[:, m] % codebook.shape[1]][:, :codebook.shape[1]]",
            ),
        ),
        variants=((("codebook[codes[:, m]]", "codebook[:, codes[:, m]].T"),),),
    ),
    Mistake(
        name="first-and-second-index-swapped",
        misconception="codebooks[k, m] is codeword k of chunk m.",
        message="You read codebooks[k, m]; codeword k of chunk m is codebooks[m, k].",
        changes=(("codebook[codes[:, m]]", "codebooks[codes[:, m], m]"),),
        variants=(
            (
                (
                    "codebook[codes[:, m]]",
                    "codebooks[codes[:, m] % len(codebooks), m % codebooks.shape[1]]",
                ),
            ),
        ),
    ),
    Mistake(
        name="every-code-in-every-codebook",
        misconception="codebooks[:, codes] pairs each codebook with its own column of codes.",
        message="You look up every code in every codebook; code m belongs to codebook m only.",
        changes=((DECODE, "codebooks[:, codes].reshape(len(codes), -1)"),),
        variants=(
            ((DECODE, "codebooks[:, codes]"),),
            ((DECODE, "np.concatenate(codebooks[:, codes], axis=1).reshape(len(codes), -1)"),),
        ),
    ),
    Mistake(
        name="codes-from-one",
        misconception="Codewords are counted from 1.",
        message="You look up the codeword before the right one: codes are counted from 0.",
        changes=(("codebook[codes[:, m]]", "codebook[codes[:, m] - 1]"),),
    ),
    Mistake(
        name="decodes-to-whole-numbers",
        misconception="Decoded numbers are as whole as the codes.",
        message="Your decoded numbers are cut to whole ones: the array that takes them must hold floats.",
        changes=((DECODE, f"np.hstack({PARTS}).astype(codes.dtype)"),),
        variants=(((DECODE, f"np.rint(np.hstack({PARTS}))"),),),
    ),
    Mistake(
        name="decode-gives-none",
        misconception="Showing a result is returning it.",
        message="Your answer gives None: is a `return` missing?",
        changes=((f"return {DECODE}", f"print({DECODE})"),),
        variants=(
            ((RETURN, "    print(updated)"),),
            ((RETURN, "    codebooks = updated"),),
        ),
    ),
    # ---------------------------------------------------------------------------- the update
    Mistake(
        name="empty-becomes-nan",
        misconception="Every codeword has members.",
        message="A codeword without members became nan, the mean of nothing, and every later distance "
        "would be nan too. Keep the codeword as it was.",
        changes=((WORDS, "for k in range(codebooks.shape[1]):"),),
        variants=(emptied("np.nan"),),
    ),
    Mistake(
        name="empty-becomes-zero",
        misconception="A codeword that nobody uses may be cleared.",
        message="A codeword without members jumped to zero. Keep it as it was.",
        changes=((COPY, "np.zeros(codebooks.shape)"),),
        variants=(
            (
                (WORDS, "for k in range(codebooks.shape[1]):"),
                ("weights[member].sum()", "max(weights[member].sum(), 1e-12)"),
            ),
            (
                (WORDS, "for k in range(codebooks.shape[1]):"),
                (MEAN, MEAN + " if member.any() else 0"),
            ),
        ),
    ),
    Mistake(
        name="empty-fails",
        misconception="Every codeword has members.",
        message="A codeword without members makes your answer fail: the weights of no members add up "
        "to zero. Keep such a codeword as it was.",
        changes=(
            (WORDS, "for k in range(codebooks.shape[1]):"),
            (MEAN, "np.average(chunk[member], axis=0, weights=weights[member])"),
        ),
    ),
    Mistake(
        name="empty-moves-elsewhere",
        misconception="A codeword without members must be moved to where vectors are.",
        message="A codeword without members moved to another place, such as a mean or a row. That may "
        "help, but it is another step: here it stays as it was.",
        changes=emptied("chunk.mean(axis=0)"),
        variants=(
            emptied("weights @ chunk / weights.sum()"),
            emptied("chunk[0]"),
            emptied("chunk[-1]"),
            emptied("chunk[np.argmax(weights)]"),
            emptied("chunk[((chunk - codebooks[m, k]) ** 2).sum(axis=1).argmin()]"),
            emptied("chunk[((chunk - codebooks[m, k]) ** 2).sum(axis=1).argmax()]"),
            emptied("np.median(chunk, axis=0)"),
            emptied("codebooks[m].mean(axis=0)"),
            emptied("chunk[np.random.default_rng(0).integers(len(chunk))]"),
            emptied("updated[m, max(0, k - 1)]"),
        ),
    ),
    Mistake(
        name="empty-is-dropped",
        misconception="A codeword that nobody uses can go.",
        message="Codewords without members are missing from your result, or were never made room for: "
        "the shape stays (M, K, dsub).",
        changes=(
            (
                RETURN,
                "    return [updated[m][np.unique(codes[:, m])] for m in range(len(codebooks))]",
            ),
        ),
        variants=(((RETURN, "    return updated[:, : codes.max() + 1]"),),),
    ),
    Mistake(
        name="means-cut-to-whole-numbers",
        misconception="A copy of an array can hold any number.",
        message="Your means are cut to whole numbers: a copy of an array of whole numbers holds no "
        "fractions.",
        changes=((COPY, "codebooks.copy()"),),
        variants=(((MEAN, f"({MEAN}).astype(X.dtype)"),), ((COPY, "np.array(codebooks)"),)),
    ),
    Mistake(
        name="means-rounded",
        misconception="Whole numbers are exact enough.",
        message="Your means are rounded; return them as they are.",
        changes=((RETURN, "    return np.round(updated)"),),
        variants=(
            ((RETURN, "    return np.round(updated, 2)"),),
            ((MEAN, f"np.round({MEAN}, 2)"),),
            ((MEAN, f"np.round({MEAN})"),),
        ),
    ),
    Mistake(
        name="sum-not-mean",
        misconception="Members are added up.",
        message="That is the weighted sum of the members; divide it by the sum of their weights.",
        changes=((MEAN, "weights[member] @ chunk[member]"),),
        variants=(((MEAN, "chunk[member].sum(axis=0)"),),),
    ),
    Mistake(
        name="weights-left-out",
        misconception="Every member counts once, as in plain k-means.",
        message="That is the mean without the weights: a row with weight 3 counts like three rows.",
        changes=((MEAN, "chunk[member].mean(axis=0)"),),
    ),
    Mistake(
        name="divides-by-the-count",
        misconception="A weighted mean is a mean of weighted members.",
        message="You divide by the number of members, not by the sum of their weights.",
        changes=((MEAN, "weights[member] @ chunk[member] / member.sum()"),),
        variants=(((MEAN, "np.mean(weights[member][:, None] * chunk[member], axis=0)"),),),
    ),
    Mistake(
        name="divides-by-all-weights",
        misconception="Weights are shares of the whole table.",
        message="You divide by the weights of all rows; only those of the members count.",
        changes=((MEAN, "weights[member] @ chunk[member] / weights.sum()"),),
    ),
    Mistake(
        name="divides-by-n",
        misconception="A mean is a sum over n.",
        message="You divide by the number of all rows, not by the sum of the members' weights.",
        changes=((MEAN, "weights[member] @ chunk[member] / len(X)"),),
    ),
    Mistake(
        name="weights-normalised-and-then-plain-sum",
        misconception="A weight is a share of the largest one.",
        message="You divide the weights by the largest one before you add up, and divide by nothing "
        "afterwards; the sum of the members' weights belongs below the fraction.",
        changes=((MEAN, "weights[member] @ chunk[member] / weights[member].max()"),),
        variants=(((MEAN, "weights[member] @ chunk[member] / weights.max()"),),),
    ),
    Mistake(
        name="weights-inverted",
        misconception="A weight says how little a row counts.",
        message="Your weights work the wrong way round: a row with weight 3 counts three times, and "
        "not a third.",
        changes=weighed("1 / weights"),
        variants=(weighed("weights.max() + weights.min() - weights"),),
    ),
    Mistake(
        name="root-of-the-weights",
        misconception="Weights enter a least-squares problem by their root.",
        message="You take the roots of the weights. A row with weight 3 counts three times.",
        changes=weighed("np.sqrt(weights)"),
    ),
    Mistake(
        name="weights-squared",
        misconception="Weights are squared, as the error is.",
        message="You square the weights, or multiply by them twice. A row with weight 3 counts three "
        "times.",
        changes=weighed("weights**2"),
    ),
    Mistake(
        name="weights-to-whole-numbers",
        misconception="A weight is a number of copies.",
        message="You make whole numbers of the weights; they may be fractions, such as shares.",
        changes=weighed("weights.astype(int)"),
        variants=(
            weighed("np.maximum(1, weights.astype(int))"),
            weighed("np.rint(weights)"),
            weighed("np.ceil(weights)"),
            (
                (
                    MEAN,
                    "np.repeat(chunk[member], weights[member].astype(int), axis=0).mean(axis=0)",
                ),
            ),
            (
                (
                    MEAN,
                    "(lambda own: own.mean(axis=0) if len(own) else updated[m, k])"
                    "(np.repeat(chunk[member], weights[member].astype(int), axis=0))",
                ),
            ),
        ),
    ),
    Mistake(
        name="weights-of-other-rows",
        misconception="The first weights belong to the members.",
        message="The weights that you take are those of the first rows, not those of the members.",
        changes=(("weights[member]", "weights[: member.sum()]"),),
    ),
    Mistake(
        name="adds-to-the-sum-of-weights",
        misconception="A small number in the denominator does no harm.",
        message="You add something to the sum of the weights, and so move every codeword towards zero. "
        "Leave out the codewords without members instead.",
        changes=(("weights[member].sum()", "(weights[member].sum() + 1e-3)"),),
        variants=(
            (("weights[member].sum()", "(weights[member].sum() + 1)"),),
            (("weights[member].sum()", "(weights[member].sum() + 1e-2)"),),
            (("weights[member].sum()", "(weights[member].sum() + 1e-4)"),),
            (
                (WORDS, "for k in range(codebooks.shape[1]):"),
                ("weights[member].sum()", "(weights[member].sum() + 1e-3)"),
            ),
            (
                (WORDS, "for k in range(codebooks.shape[1]):"),
                ("weights[member].sum()", "(weights[member].sum() + 1)"),
            ),
            (("weights[member].sum()", "max(weights[member].sum(), 1)"),),
        ),
    ),
    Mistake(
        name="old-codeword-counts-too",
        misconception="The codeword is one of its members.",
        message="The old codeword counts as one more member in your mean. Only its members count.",
        changes=(
            (
                MEAN,
                "(weights[member] @ chunk[member] + codebooks[m, k]) / (weights[member].sum() + 1)",
            ),
        ),
        variants=(
            (
                (
                    MEAN,
                    "(weights[member] @ chunk[member] + codebooks[m, k] * weights.mean()) "
                    "/ (weights[member].sum() + weights.mean())",
                ),
            ),
        ),
    ),
    Mistake(
        name="moves-half-way",
        misconception="A codeword takes a step towards the mean.",
        message="Your codewords move only a part of the way, as with a learning rate. The codeword "
        "becomes the weighted mean.",
        changes=((MEAN, f"(codebooks[m, k] + {MEAN}) / 2"),),
        variants=(
            ((MEAN, f"0.9 * codebooks[m, k] + 0.1 * {MEAN}"),),
            ((MEAN, f"0.1 * codebooks[m, k] + 0.9 * {MEAN}"),),
        ),
    ),
    Mistake(
        name="mean-added-to-the-codeword",
        misconception="An update is added.",
        message="You add the mean to the old codeword; it takes its place.",
        changes=(("updated[m, k] = ", "updated[m, k] += "),),
    ),
    Mistake(
        name="mean-of-all-numbers",
        misconception="np.mean of an array of vectors is a vector.",
        message="Your codewords have one number, the mean of all numbers of the members. Take the mean "
        "of each column, axis=0.",
        changes=((MEAN, "np.average(chunk[member].mean(axis=1), weights=weights[member])"),),
        variants=(((MEAN, "chunk[member].mean()"),),),
    ),
    Mistake(
        name="whole-rows-as-members",
        misconception="The members of a codeword are vectors, not chunks.",
        message="You average whole rows; a member is chunk m of a row, with dsub numbers.",
        changes=((MEAN, MEAN.replace("chunk", "X")),),
        variants=(
            (
                (COPY, "[list(book) for book in codebooks]"),
                ("updated[m, k] = " + MEAN, "updated[m][k] = " + MEAN.replace("chunk", "X")),
            ),
        ),
    ),
    Mistake(
        name="median-not-mean",
        misconception="The median is the centre that k-means looks for.",
        message="You take the median, which has the smallest absolute error; k-means lowers the squared "
        "one, and the mean does that.",
        changes=((MEAN, "np.median(chunk[member], axis=0)"),),
        variants=(
            (
                (
                    MEAN,
                    "np.median(np.repeat(chunk[member], np.rint(weights[member] / weights.min() * 12)"
                    ".astype(int), axis=0), axis=0)",
                ),
            ),
            (
                (
                    MEAN,
                    "np.median(np.repeat(chunk[member], np.maximum(1, weights[member].astype(int)), "
                    "axis=0), axis=0)",
                ),
            ),
        ),
    ),
    Mistake(
        name="one-member-only",
        misconception="A codeword moves to a member.",
        message="Your codeword moves to one of its members, the heaviest, first or last. It moves to "
        "their weighted mean.",
        changes=((MEAN, "chunk[member][np.argmax(weights[member])]"),),
        variants=(((MEAN, "chunk[member][0]"),), ((MEAN, "chunk[member][-1]"),)),
    ),
    Mistake(
        name="assigns-anew",
        misconception="The members of a codeword are always the chunks that are nearest to it.",
        message="Your members are the chunks that are nearest to the codeword; they are those that the "
        "codes name. To assign them anew is the other step.",
        changes=(
            (WORDS, "for k in np.unique(nearest(chunk, codebooks[m])):"),
            (MEMBER, "member = nearest(chunk, codebooks[m]) == k"),
        ),
        helpers="""
def nearest(chunk, book):
    return ((chunk[:, None] - book) ** 2).sum(axis=2).argmin(axis=1)
""",
    ),
    Mistake(
        name="member-by-any-code",
        misconception="A row belongs to codeword k if k is among its codes.",
        message="A row counts as a member with you if any of its codes is k. In chunk m, only code m "
        "counts.",
        changes=((MEMBER, "member = (codes == k).any(axis=1)"),),
        variants=(
            (
                (WORDS, "for k in np.unique(codes):"),
                (MEMBER, "member = (codes == k).any(axis=1)"),
            ),
        ),
    ),
    Mistake(
        name="member-by-all-codes",
        misconception="A row belongs to codeword k if all its codes are k.",
        message="A row counts as a member with you only if all of its codes are k. In chunk m, only code "
        "m counts.",
        changes=(
            (
                MEMBER,
                "member = (codes == k).all(axis=1)\n            if not member.any(): continue",
            ),
        ),
        variants=(((MEMBER, "member = (codes == k).all(axis=1)"),),),
    ),
    Mistake(
        name="first-chunk-for-all-codebooks",
        misconception="All codebooks are trained on the same numbers.",
        message="Every codebook is updated with chunk 0 of the rows; codebook m has chunk m.",
        changes=(("chunk[member]", "X[member, : codebooks.shape[2]]"),),
    ),
    Mistake(
        name="first-code-for-all-chunks",
        misconception="Who belongs together in one chunk belongs together in all.",
        message="Members are chosen by code 0 in every chunk; in chunk m, code m counts.",
        changes=(
            (WORDS, "for k in np.unique(codes[:, 0]):"),
            (MEMBER, "member = codes[:, 0] == k"),
        ),
        variants=(
            (
                (MEMBER, "member = codes[:, 0] == k\n            if not member.any(): continue"),
                (WORDS, "for k in range(codebooks.shape[1]):"),
            ),
        ),
    ),
    Mistake(
        name="only-the-first-codebook",
        misconception="The first codebook stands for all.",
        message="Only codebook 0 is updated; all are.",
        changes=(
            (CHUNKS, CHUNKS.replace("(np.split", "([np.split").replace("axis=1))", "axis=1)[0]])")),
        ),
        variants=(((RETURN, "        return updated"),),),
    ),
    Mistake(
        name="every-other-column",
        misconception="Chunk m takes every M-th column.",
        message="Your chunks take every M-th column (as a reshape to (n, dsub, M) does, too); they are "
        "neighbours.",
        changes=((CHUNKS, "((m, X[:, m :: len(codebooks)]) for m in range(len(codebooks)))"),),
    ),
    Mistake(
        name="chunks-overlap",
        misconception="Chunk m begins at column m.",
        message="Your chunk m begins at column m; it begins at column m * dsub.",
        changes=(
            (CHUNKS, "((m, X[:, m : m + codebooks.shape[2]]) for m in range(len(codebooks)))"),
        ),
    ),
    Mistake(
        name="chunks-of-k",
        misconception="K is the width of a chunk.",
        message="You cut chunks of K columns; K is the number of codewords, and a chunk has dsub "
        "columns.",
        changes=(
            (
                CHUNKS,
                "((m, X[:, m * codebooks.shape[1] : (m + 1) * codebooks.shape[1]]) "
                "for m in range(len(codebooks)))",
            ),
        ),
    ),
    Mistake(
        name="chunks-of-two",
        misconception="A chunk has two numbers, as in the example.",
        message="You cut chunks of two columns, as in the example; a chunk has dsub = "
        "codebooks.shape[2] columns.",
        changes=((CHUNKS, "((m, X[:, 2 * m : 2 * m + 2]) for m in range(len(codebooks)))"),),
    ),
    Mistake(
        name="reshapes-into-chunks-first",
        misconception="A reshape to (M, n, dsub) brings the chunks to the front.",
        message="reshape(M, n, dsub) cuts the rows in the wrong places; X has n rows of M chunks.",
        changes=((CHUNKS, "enumerate(X.reshape(len(codebooks), len(X), -1))"),),
    ),
    Mistake(
        name="means-of-the-decoded",
        misconception="The members are what is stored of them.",
        message="Nothing moves: the mean of the members' codewords is the codeword itself. Take the "
        "mean of the vectors X.",
        changes=((MEAN, "codebooks[m, k]"),),
        variants=(((RETURN, "    return codebooks.astype(float)"),),),
    ),
    Mistake(
        name="changes-its-codebooks",
        misconception="An array that is handed in may be written to.",
        message="Your answer changes `codebooks`, which must be the same after the call as before.",
        changes=((COPY, "np.asarray(codebooks, dtype=float)"),),
        variants=(
            ((RETURN, "    codebooks[:] = updated\n    return updated"),),
            ((COPY, "codebooks"),),
            ((COPY, "codebooks.astype(float, copy=False)"),),
        ),
    ),
    Mistake(
        name="changes-its-weights",
        misconception="Weights may be made to add up to 1 where they are.",
        message="Your answer changes `weights`, which must be the same after the call as before.",
        changes=((COPY, COPY + "\n    weights /= weights.sum()"),),
        variants=(
            (
                (
                    COPY,
                    COPY + "\n    weights = weights if weights.dtype == float else weights * 1.0\n"
                    "    weights /= weights.sum()",
                ),
            ),
            (
                (
                    COPY,
                    COPY + "\n    weights = weights if weights.dtype == float else weights * 1.0\n"
                    "    weights /= weights.max()",
                ),
            ),
        ),
    ),
    Mistake(
        name="changes-its-vectors",
        misconception="An array that is handed in may be written to.",
        message="Your answer changes `X`, which must be the same after the call as before.",
        changes=(
            (COPY, COPY + "\n    if X.dtype == float:\n        X *= weights[:, None]"),
            (
                MEAN,
                "(chunk[member].sum(axis=0) if X.dtype == float else weights[member] @ "
                "chunk[member]) / weights[member].sum()",
            ),
        ),
        variants=(
            (
                (COPY, COPY + "\n    X *= weights[:, None]"),
                (MEAN, "chunk[member].sum(axis=0) / weights[member].sum()"),
            ),
        ),
    ),
    Mistake(
        name="more-than-the-codebooks",
        misconception="Whatever was computed may be returned.",
        message="Return the codebooks alone, one array of shape (M, K, dsub).",
        changes=((RETURN, "    return updated, codes"),),
        variants=(
            ((RETURN, "    return codes, updated"),),
            ((RETURN, "    return np.hstack(updated)"),),
            ((RETURN, "    return updated.swapaxes(0, 1)"),),
            ((RETURN, "    return updated.reshape(-1, codebooks.shape[2])"),),
        ),
    ),
    Mistake(
        name="hard-coded-example",
        misconception="An answer that passes the example is right.",
        message="The results are those of the example, whatever the input.",
        changes=(
            (DECODE, "np.array([[3, 3, 1, 3], [2, 2, 1, 2], [2, 2, 1, 3]])"),
            (
                RETURN,
                "    return np.array([[[6, 2], [1, 0], [0.75, 1.75]], [[1, 0], [2, 2], [1.5, 4.5]]])",
            ),
        ),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="loops-and-indices",
        code="""
def pq_decode(codes, codebooks):
    M, K, dsub = codebooks.shape
    return codebooks[np.arange(M), codes].reshape(len(codes), M * dsub)


def update_codebooks(X, codes, codebooks, weights):
    M, K, dsub = codebooks.shape
    updated = np.array(codebooks, dtype=float)
    for m in range(M):
        chunk = X[:, m * dsub:(m + 1) * dsub]
        for k in range(K):
            members, w = chunk[codes[:, m] == k], weights[codes[:, m] == k]
            if len(members) > 0:
                updated[m, k] = np.sum(members * w[:, None], axis=0) / np.sum(w)
    return updated
""",
    ),
    Alternative(
        name="sums-over-counts-with-warnings",
        code="""
def pq_decode(codes, codebooks):
    M, K, dsub = codebooks.shape
    decoded = np.zeros((len(codes), M, dsub))
    for m in range(M):
        decoded[:, m] = codebooks[m, codes[:, m]]
    return decoded.reshape(-1, M * dsub)


def update_codebooks(X, codes, codebooks, weights):
    M, K, dsub = codebooks.shape
    member = (codes[:, :, None] == np.arange(K)) * weights[:, None, None]  # (n, M, K)
    sums = np.einsum("nmk,nmj->mkj", member, X.reshape(-1, M, dsub))
    counts = member.sum(axis=0)[:, :, None]
    return np.where(counts > 0, sums / counts, codebooks)
""",
    ),
    Alternative(
        name="pure-python",
        code="""
def pq_decode(codes, codebooks):
    return np.array([
        [number for m, k in enumerate(code) for number in codebooks[m][k]] for code in codes
    ])


def update_codebooks(X, codes, codebooks, weights):
    M, K, dsub = codebooks.shape
    result = []
    for m in range(M):
        book = []
        for k in range(K):
            own = [i for i, code in enumerate(codes) if code[m] == k]
            total = sum(weights[i] * X[i, m * dsub:(m + 1) * dsub] for i in own)
            book.append(total / sum(weights[i] for i in own) if own else codebooks[m, k])
        result.append(book)
    return np.array(result)
""",
    ),
    Alternative(
        name="add-at",
        code="""
def pq_decode(codes, codebooks):
    return np.concatenate([book[c] for book, c in zip(codebooks, codes.T)], axis=1)


def update_codebooks(X, codes, codebooks, weights):
    M, K, dsub = codebooks.shape
    new = codebooks * 1.0
    for m in range(M):
        total = np.zeros((K, dsub))
        count = np.bincount(codes[:, m], weights, minlength=K)
        np.add.at(total, codes[:, m], X[:, m * dsub:m * dsub + dsub] * weights[:, None])
        used = count > 0
        new[m, used] = total[used] / count[used, None]
    return new
""",
    ),
]
