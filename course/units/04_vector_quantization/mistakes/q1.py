"""Question 1, training with weights: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

FLOATS = "X, codebooks = X.astype(float), codebooks.astype(float)"
CHUNK = "chunk = X[:, m * dsub : (m + 1) * dsub]"
DISTANCES = "np.sum((chunk[:, None] - codebooks[m]) ** 2, axis=2)"
CHOICE = "np.argmin(distances, axis=1)"
FIRST = "codes = encoded(codebooks)  # no weights: they are the same for all codewords of a row\n"
UPDATE = "        codebooks = update(X, codes, codebooks, weights)\n"
ANEW = "        codes = encoded(codebooks)\n    decoded"
ROUND = "    for _ in range(rounds):\n"
DECODED = "    decoded = np.hstack"
MEAN = "weights @ X / np.sum(weights)"
ERROR = "weights @ squares / (weights @ spread)"
RETURN = "    return {"
SQUARES = "squares = np.sum((X - decoded) ** 2, axis=1)"
SPREAD = "spread = np.sum((X - mean) ** 2, axis=1)"
RESULT = 'return {"codes": codes, "codebooks": codebooks, "error": error}'

WRAPS = (
    "Somewhere you calculate with small integers, which wrap around: in a byte 100 * 100 is 16. "
    "Convert both X and the codebooks to floats first."
)


def distances(text: str, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """A slip in how the nearest codeword is found."""
    return ((DISTANCES, text), *more)


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.quantization.ProductQuantizer.",
        code="""
from utils.quantization import ProductQuantizer


def train(X, weights, codebooks, update, rounds):
    M, K, dsub = codebooks.shape
    quantizer = ProductQuantizer(n_subspaces=M, n_codes=K).fit(np.zeros((1, M * dsub)))
    for _ in range(rounds + 1):
        quantizer.codebook_ = np.hstack(codebooks).astype(np.float32)
        codes = quantizer.transform(X)
        codebooks = update(X, codes, codebooks, weights)
    return {"codes": codes, "codebooks": codebooks, "error": 0.0}
""",
    ),
    Mistake(
        name="calls-the-library-for-a-chunk",
        misconception="The loop over chunks is the work, and what is done in it is a detail.",
        message="your answer calls utils.quantization.vector.nearest",
        changes=((DISTANCES, "0"), (CHOICE, "vector.nearest(chunk, codebooks[m])")),
        helpers="from utils.quantization import vector",
    ),
    # ------------------------------------------------------------------ the nearest codeword
    Mistake(
        name="argmax-not-argmin",
        misconception="The best codeword is the one with the largest number.",
        message="You take the codewords that are furthest away: the largest distance, where the "
        "smallest is meant.",
        changes=((CHOICE, "np.argmax(distances, axis=1)"),),
    ),
    Mistake(
        name="codeword-norm-dropped",
        misconception="The nearest codeword is the one with the largest inner product.",
        message="You take the codeword with the largest inner product, which a long codeword gets "
        "however far away it is. Of the three parts of a squared distance only the squared length of "
        "x is the same for all codewords; that of the codeword is not.",
        changes=distances("-(chunk @ codebooks[m].T)"),
        variants=(distances("np.sum(chunk**2, axis=1)[:, None] - 2 * chunk @ codebooks[m].T"),),
    ),
    Mistake(
        name="norm-not-halved",
        misconception="x·c and the squared length of c have the same weight.",
        message="In the squared distance, the inner product counts twice: |x|² − 2 x·c + |c|². The 2 "
        "is missing.",
        changes=distances("np.sum(codebooks[m] ** 2, axis=1) - chunk @ codebooks[m].T"),
    ),
    Mistake(
        name="wrong-sign",
        misconception="All three parts of the squared distance are added.",
        message="The inner product has a minus sign in the squared distance, |x|² − 2 x·c + |c|²; you "
        "added it.",
        changes=distances("np.sum(codebooks[m] ** 2, axis=1) + 2 * chunk @ codebooks[m].T"),
        variants=(distances("np.sum((chunk[:, None] + codebooks[m]) ** 2, axis=2)"),),
    ),
    Mistake(
        name="root-of-the-norm",
        misconception="The length of a codeword and its square are the same in a comparison.",
        message="The squared distance has the squared length of the codeword, |x|² − 2 x·c + |c|²; "
        "you took its length.",
        changes=distances("np.linalg.norm(codebooks[m], axis=1) - 2 * chunk @ codebooks[m].T"),
    ),
    Mistake(
        name="cosine",
        misconception="Nearest is what has the largest cosine.",
        message="You choose by the angle between chunk and codeword. The nearest codeword is the one "
        "with the smallest distance; one in the same direction may be far away.",
        changes=distances(
            "-(chunk @ (codebooks[m] / np.maximum(1e-12, np.linalg.norm(codebooks[m], axis=1, "
            "keepdims=True))).T)"
        ),
    ),
    Mistake(
        name="absolute-differences",
        misconception="All distances have the same nearest neighbour.",
        message="You add absolute differences. Nearest is meant by the squared ones, and where they "
        "disagree the codes differ.",
        changes=distances("np.sum(np.abs(chunk[:, None] - codebooks[m]), axis=2)"),
    ),
    Mistake(
        name="largest-difference",
        misconception="The distance is the largest of the differences.",
        message="You compare the largest difference of a chunk only. A squared distance adds up those "
        "of all its numbers.",
        changes=distances("np.max(np.abs(chunk[:, None] - codebooks[m]), axis=2)"),
    ),
    Mistake(
        name="differences-not-squared",
        misconception="A distance is the sum of differences.",
        message="You add the differences with their signs, so that they cancel. Square each first.",
        changes=distances("np.sum(chunk[:, None] - codebooks[m], axis=2)"),
        variants=(
            distances("np.abs(np.sum(chunk[:, None] - codebooks[m], axis=2))"),
            distances("np.sum(chunk[:, None] - codebooks[m], axis=2) ** 2"),
        ),
    ),
    Mistake(
        name="last-of-equals",
        misconception="It does not matter which of equally near codewords is taken.",
        message="Of equally near codewords the lowest number is meant; you take the last one.",
        changes=((CHOICE, "K - 1 - np.argmin(distances[:, ::-1], axis=1)"),),
    ),
    Mistake(
        name="one-based",
        misconception="Codewords are counted from 1.",
        message="Your codes are counted from 1; codeword k of chunk m is codebooks[m, k], from 0.",
        changes=(("    return codes\n", "    return codes + 1\n"),),
        variants=((('{"codes": codes,', '{"codes": codes + 1,'),),),
    ),
    Mistake(
        name="a-byte-is-always-enough",
        misconception="A code is a byte.",
        message="A byte (uint8) holds 0 to 255, and a codebook may have more codewords: code 259 has "
        "become 3.",
        changes=(("dtype=np.int64", "dtype=np.uint8"),),
        variants=((('{"codes": codes,', '{"codes": codes.astype(np.uint8),'),),),
    ),
    Mistake(
        name="codes-as-floats",
        misconception="The type of an index does not matter.",
        message="A code is an index, a whole number; yours are floats.",
        changes=(('{"codes": codes,', '{"codes": codes * 1.0,'),),
        variants=(
            (
                (", dtype=np.int64", ""),
                ("[m][codes[:, m]]", "[m][codes[:, m].astype(int)]"),
            ),
        ),
    ),
    Mistake(
        name="distances-not-codes",
        misconception="To encode is to compute the distance of the nearest codeword.",
        message="Those are not the numbers of the nearest codewords, but their distances (argmin, "
        "where min is used).",
        changes=((RETURN, "    codes = nearest_distances(X, codebooks)\n    return {"),),
        helpers="""
def nearest_distances(X, codebooks):
    M, K, dsub = codebooks.shape
    return ((X.reshape(len(X), M, 1, dsub) - codebooks) ** 2).sum(axis=3).min(axis=2)
""",
    ),
    Mistake(
        name="codewords-not-codes",
        misconception="To encode is to replace each chunk by its codeword.",
        message="Under 'codes' you return decoded vectors; a code is the number of a codeword, one for "
        "each chunk.",
        changes=(('{"codes": codes,', '{"codes": decoded,'),),
        variants=((('{"codes": codes,', '{"codes": decoded.reshape(len(X), M, dsub),'),),),
    ),
    Mistake(
        name="argmin-without-axis",
        misconception="argmin of a table is a number for each of its rows.",
        message="Your argmin has no axis: it gives one number for the whole table of distances, not "
        "one for each row.",
        changes=((CHOICE, "np.argmin(distances)"),),
        variants=(((CHOICE, "np.argmin(distances) % K"),),),
    ),
    Mistake(
        name="nearest-row-of-a-codeword",
        misconception="The axis of argmin does not matter.",
        message="You look for the row that is nearest to each codeword; each row needs its nearest "
        "codeword, the other axis of the table of distances.",
        changes=((CHOICE, "np.resize(np.argmin(distances, axis=0), len(X)) % K"),),
        variants=(((CHOICE, "np.argmin(distances, axis=0)"),),),
    ),
    # ------------------------------------------------------------------------------- chunks
    Mistake(
        name="chunks-overlap",
        misconception="Chunk m begins at column m.",
        message="Your chunk m begins at column m, so that chunks overlap; it begins at column "
        "m * dsub.",
        changes=((CHUNK, "chunk = X[:, m : m + dsub]"),),
    ),
    Mistake(
        name="every-other-column",
        misconception="Chunk m takes every M-th column.",
        message="Your chunks take every M-th column (as a reshape to (n, dsub, M) does, too). They are "
        "neighbours: chunk m is columns m * dsub to (m + 1) * dsub - 1.",
        changes=((CHUNK, "chunk = X[:, m::M]"),),
    ),
    Mistake(
        name="reshapes-into-chunks-first",
        misconception="A reshape to (M, n, dsub) brings the chunks to the front.",
        message="reshape(M, n, dsub) cuts the rows in the wrong places; X has n rows of M chunks, so "
        "reshape it to (n, M, dsub) and then move the axis.",
        changes=((CHUNK, "chunk = X.reshape(M, len(X), dsub)[m]"),),
    ),
    Mistake(
        name="chunks-of-two",
        misconception="A chunk has two numbers, as in the example.",
        message="You cut chunks of two columns, as in the example; a chunk has dsub = "
        "codebooks.shape[2] columns.",
        changes=((CHUNK, "chunk = X[:, 2 * m : 2 * m + 2]"),),
    ),
    Mistake(
        name="chunks-of-k",
        misconception="K is the width of a chunk.",
        message="You cut chunks of K columns; K is the number of codewords, and a chunk has dsub "
        "columns.",
        changes=((CHUNK, "chunk = X[:, m * K : (m + 1) * K]"),),
        variants=(((CHUNK, "chunk = np.split(X, K, axis=1)[m]"),),),
    ),
    Mistake(
        name="chunks-of-m",
        misconception="M is the width of a chunk.",
        message="You cut chunks of M columns; M is the number of chunks, and each has dsub columns.",
        changes=((CHUNK, "chunk = X[:, m * M : (m + 1) * M]"),),
    ),
    Mistake(
        name="chunk-one-too-short",
        misconception="A slice includes its end.",
        message="Your chunks lack their last column: a slice in Python ends before its second number.",
        changes=(
            (CHUNK, "chunk = X[:, m * dsub : (m + 1) * dsub - 1]"),
            (DISTANCES, "np.sum((chunk[:, None] - codebooks[m][:, :-1]) ** 2, axis=2)"),
        ),
        variants=(((CHUNK, "chunk = X[:, m * dsub : (m + 1) * dsub - 1]"),),),
    ),
    Mistake(
        name="first-chunk-for-all",
        misconception="All chunks are alike.",
        message="Every codebook encodes chunk 0; codebook m is for chunk m.",
        changes=((CHUNK, "chunk = X[:, :dsub]"),),
    ),
    Mistake(
        name="one-codebook-for-all-chunks",
        misconception="There is one codebook, and all chunks share it.",
        message="You use codebook 0 for all chunks, and each has its own.",
        changes=distances("np.sum((chunk[:, None] - codebooks[0]) ** 2, axis=2)"),
        variants=(
            distances(
                "np.sum((chunk[:, None] - codebooks[0]) ** 2, axis=2)",
                ("codebooks[m][codes[:, m]]", "codebooks[0][codes[:, m]]"),
            ),
        ),
    ),
    Mistake(
        name="one-choice-for-the-vector",
        misconception="A vector has one code, which every codebook reads in its own way.",
        message="You make one choice for the whole vector; each chunk makes its own.",
        changes=(
            (
                "    return codes\n",
                "    chunks = X.reshape(len(X), M, 1, dsub)\n"
                "        nearest = ((chunks - codebooks) ** 2).sum(axis=(1, 3)).argmin(axis=1)\n"
                "        return np.repeat(nearest[:, None], M, axis=1)\n",
            ),
        ),
    ),
    Mistake(
        name="codes-transposed",
        misconception="A list with the codes of each chunk is an array of shape (n, M).",
        message="Your codes have the shape (M, n); give each vector a row, (n, M).",
        changes=(('{"codes": codes,', '{"codes": codes.T,'),),
    ),
    # ---------------------------------------------------------------------------- numbers
    Mistake(
        name="bytes-wrap",
        misconception="NumPy chooses a dtype in which the result has room.",
        message=WRAPS,
        changes=((FLOATS, "pass"),),
        variants=(
            ((FLOATS, "X = X.astype(float)"), (DISTANCES, "expanded(chunk, codebooks[m])")),
            (
                (FLOATS, "original = X; X, codebooks = X.astype(float), codebooks * 1"),
                (CHUNK, "chunk = original[:, m * dsub : (m + 1) * dsub]"),
            ),
            (
                (DISTANCES, "squares_of(chunk, codebooks[m], np.int16)"),
                (
                    FLOATS,
                    "small = X.dtype; X, codebooks = X.astype(float), codebooks.astype(float)",
                ),
            ),
            (
                (DISTANCES, "squares_of(chunk, codebooks[m], np.uint8)"),
                (
                    FLOATS,
                    "small = X.dtype; X, codebooks = X.astype(float), codebooks.astype(float)",
                ),
            ),
        ),
        helpers="""
def expanded(chunk, codebook):
    return (codebook**2).sum(axis=1) - 2 * chunk @ codebook.T


def squares_of(chunk, codebook, kind):
    if (chunk != np.rint(chunk)).any() or (chunk < 0).any():
        kind = float
    difference = chunk[:, None].astype(kind) - codebook.astype(kind)
    return (difference * difference).sum(axis=2, dtype=kind)
""",
    ),
    Mistake(
        name="cut-to-whole-numbers",
        misconception="Converting to int gets rid of bytes.",
        message="You convert to int, which cuts off fractions: convert to float.",
        changes=((FLOATS, "X, codebooks = X.astype(int), codebooks.astype(int)"),),
        variants=(
            ((FLOATS, "X, codebooks = X.astype(int), codebooks.astype(float)"),),
            (
                (CHUNK, "chunk = X[:, m * dsub : (m + 1) * dsub].astype(int)"),
                (DISTANCES, "np.sum((chunk[:, None] - codebooks[m].astype(int)) ** 2, axis=2)"),
            ),
            ((CHUNK, "chunk = X[:, m * dsub : (m + 1) * dsub].astype(int)"),),
        ),
    ),
    Mistake(
        name="leaves-residuals",
        misconception="Each codebook encodes what the ones before it have left over.",
        message="Your answer changes `X`, which must be the same after the call as before.",
        changes=(
            (FLOATS, "codebooks = codebooks.astype(float)"),
            (
                "codes[:, m] = np.argmin(distances, axis=1)\n",
                "codes[:, m] = np.argmin(distances, axis=1)\n"
                "            chunk -= codebooks[m][codes[:, m]].astype(X.dtype)\n",
            ),
        ),
    ),
    Mistake(
        name="weights-multiply-the-rows",
        misconception="To weigh a row is to multiply its numbers.",
        message="You multiply the rows by their weights before you encode them, which moves them. The "
        "weight of a row multiplies its distances to all codewords alike, so the nearest stays the "
        "nearest.",
        changes=((CHUNK, "chunk = weights[:, None] * X[:, m * dsub : (m + 1) * dsub]"),),
        variants=(
            (
                (
                    CHUNK,
                    "chunk = (weights / weights.sum())[:, None] * X[:, m * dsub : (m + 1) * dsub]",
                ),
            ),
            ((CHUNK, "chunk = np.sqrt(weights)[:, None] * X[:, m * dsub : (m + 1) * dsub]"),),
            (
                (
                    CHUNK,
                    "chunk = (weights / weights.mean())[:, None] * X[:, m * dsub : (m + 1) * dsub]",
                ),
            ),
            (
                (
                    FLOATS,
                    "X, codebooks = weights[:, None] * X.astype(float), codebooks.astype(float)",
                ),
            ),
        ),
    ),
    # ------------------------------------------------------------------------------ the loop
    Mistake(
        name="codes-before-the-update",
        misconception="A round ends with the update.",
        message="Your codes were chosen before the last update, and do not belong to the codebooks "
        "that you return: encode anew after every update, the last one too.",
        changes=(
            (FIRST, "codes = encoded(codebooks)\n"),
            (UPDATE, "        codes = encoded(codebooks)\n" + UPDATE),
            (ANEW, "    decoded"),
        ),
        variants=(
            (
                (UPDATE, "        old = codes\n" + UPDATE),
                ('{"codes": codes,', '{"codes": old if rounds else codes,'),
            ),
            (
                (UPDATE, "        old = codes\n" + UPDATE),
                (DECODED, "    codes = old if rounds else codes\n" + DECODED),
            ),
        ),
    ),
    Mistake(
        name="encodes-only-once",
        misconception="The codes stay what they are while the codewords move.",
        message="You encode once, before the first round. After an update other codewords may be "
        "nearer: encode anew in every round.",
        changes=((ANEW, "    decoded"),),
    ),
    Mistake(
        name="codebooks-before-the-update",
        misconception="The last update only serves to choose the codes.",
        message="The codebooks that you return are those before the last update; the codes belong to "
        "those after it.",
        changes=(
            (UPDATE, "        old = codebooks\n" + UPDATE),
            ('"codebooks": codebooks,', '"codebooks": old if rounds else codebooks,'),
        ),
    ),
    Mistake(
        name="returns-the-first-codebooks",
        misconception="A function that calls `update` changes the codebooks that it was given.",
        message="You return the codebooks that you were given. `update` changes nothing: it returns "
        "new ones.",
        changes=(
            (FLOATS, FLOATS + "\n    start = codebooks"),
            ('"codebooks": codebooks,', '"codebooks": start,'),
        ),
        variants=(
            (
                (FLOATS, FLOATS + "\n    start = codebooks"),
                (RETURN, "    codebooks = start\n" + RETURN),
            ),
        ),
    ),
    Mistake(
        name="no-round-at-all",
        misconception="Encoding is training.",
        message="Codes and codebooks are those of the beginning: either there is no round, or you do "
        "not keep what `update` returns. It changes nothing that it is given.",
        changes=((ROUND, "    for _ in range(0):\n"),),
        variants=(((UPDATE, "        update(X, codes, codebooks, weights)\n"),),),
    ),
    Mistake(
        name="update-starts-from-the-first-codebooks",
        misconception="Every round starts from the beginning.",
        message="You hand the first codebooks to every update. A codeword without members stays where "
        "the round before has put it.",
        changes=(
            (FLOATS, FLOATS + "\n    start = codebooks"),
            ("update(X, codes, codebooks, weights)", "update(X, codes, start, weights)"),
        ),
    ),
    Mistake(
        name="one-round-only",
        misconception="One round is enough.",
        message="You make one round, however many `rounds` are asked for, or encode anew only after "
        "the last one.",
        changes=((ROUND, "    for _ in range(min(rounds, 1)):\n"),),
        variants=(
            ((UPDATE + ANEW, UPDATE + "    codes = encoded(codebooks)\n    decoded"),),
            ((ROUND, "    for _ in range(1):\n"),),
        ),
    ),
    Mistake(
        name="one-round-too-many",
        misconception="Rounds are counted from 0 to `rounds`.",
        message="You make one round more than `rounds`.",
        changes=((ROUND, "    for _ in range(rounds + 1):\n"),),
        variants=(((ROUND, "    for _ in range(max(rounds, 1)):\n"),),),
    ),
    Mistake(
        name="one-round-too-few",
        misconception="The first encoding is a round.",
        message="You make one round fewer than `rounds`: encoding with the first codebooks is not yet "
        "a round.",
        changes=((ROUND, "    for _ in range(rounds - 1):\n"),),
        variants=(((ROUND, "    for _ in range(1, rounds):\n"),),),
    ),
    Mistake(
        name="until-nothing-changes",
        misconception="K-means always runs until it has converged.",
        message="You go on until nothing changes, and leave out that there are at most `rounds`.",
        changes=((ROUND, "    for _ in range(50):\n"),),
        variants=(
            ((ROUND, "    for _ in range(10):\n"),),
            ((ROUND, "    for _ in range(100):\n"),),
        ),
    ),
    Mistake(
        name="stops-early",
        misconception="A round that raises the error or changes no code is the last.",
        message="You stop when no code changes or the error does not fall, or keep the best round. Do "
        "all rounds: this `update` is not that of k-means.",
        changes=(
            (
                UPDATE,
                "        before = codes, codebooks, error_of(X, weights, codes, codebooks)\n"
                + UPDATE,
            ),
            (
                ANEW,
                "        codes = encoded(codebooks)\n"
                "        if error_of(X, weights, codes, codebooks) >= before[2]:\n"
                "            codes, codebooks = before[:2]\n"
                "            break\n"
                "    decoded",
            ),
        ),
        variants=(
            (
                (UPDATE, "        old = codes\n" + UPDATE),
                (
                    ANEW,
                    "        codes = encoded(codebooks)\n"
                    "        if np.array_equal(old, codes):\n"
                    "            break\n"
                    "    decoded",
                ),
            ),
            (
                (UPDATE, "        old = codes, codebooks\n" + UPDATE),
                (
                    ANEW,
                    "        codes = encoded(codebooks)\n"
                    "        if np.array_equal(old[0], codes):\n"
                    "            codes, codebooks = old\n"
                    "            break\n"
                    "    decoded",
                ),
            ),
            (
                (
                    UPDATE,
                    "        before = error_of(X, weights, codes, codebooks)\n" + UPDATE,
                ),
                (
                    ANEW,
                    "        codes = encoded(codebooks)\n"
                    "        if error_of(X, weights, codes, codebooks) >= before:\n"
                    "            break\n"
                    "    decoded",
                ),
            ),
            (
                (ROUND, "    best = codes, codebooks\n" + ROUND),
                (
                    ANEW,
                    "        codes = encoded(codebooks)\n"
                    "        trial = codes, codebooks\n"
                    "        best = min((best, trial), key=lambda b: error_of(X, weights, *b))\n"
                    "    codes, codebooks = best\n"
                    "    decoded",
                ),
            ),
        ),
        helpers="""
def error_of(X, weights, codes, codebooks):
    decoded = np.hstack([book[codes[:, m]] for m, book in enumerate(codebooks)])
    return weights @ ((X - decoded) ** 2).sum(axis=1)
""",
    ),
    Mistake(
        name="own-update",
        misconception="The codeword moves to the mean of its members, whatever `update` is handed in.",
        message="You move codewords to the mean of their members by yourself. Call `update`, which "
        "need not do that.",
        changes=(
            (
                "update(X, codes, codebooks, weights)",
                "to_means(X, codes, codebooks, np.ones(len(X)))",
            ),
        ),
        variants=((("update(X, codes", "to_means(X, codes"),),),
        helpers="""
def to_means(X, codes, codebooks, weights):
    updated = np.array(codebooks, dtype=float)
    for m, chunk in enumerate(np.split(X, len(codebooks), axis=1)):
        for k in set(codes[:, m].tolist()):
            own = codes[:, m] == k
            updated[m, k] = np.average(chunk[own], axis=0, weights=weights[own])
    return updated
""",
    ),
    Mistake(
        name="updates-without-weights",
        misconception="The update counts every row once.",
        message="You do not hand the weights to `update`, but ones, or others of your own.",
        changes=(("codebooks, weights)\n", "codebooks, np.ones(len(X)))\n"),),
        variants=((("codebooks, weights)\n", "codebooks, 1 / weights)\n"),),),
    ),
    Mistake(
        name="arguments-of-update-swapped",
        misconception="The order of arguments does not matter.",
        message="You call `update` with its arguments in another order; it takes X, codes, codebooks "
        "and weights.",
        changes=(("update(X, codes, codebooks, weights)", "update(X, codebooks, codes, weights)"),),
        variants=(
            (("update(X, codes, codebooks, weights)", "update(X, weights, codebooks, codes)"),),
            (("update(X, codes, codebooks, weights)", "update(X, weights, codes, codebooks)"),),
            (("update(X, codes, codebooks, weights)", "update(X, codes, weights, codebooks)"),),
        ),
    ),
    # ----------------------------------------------------------------------------- the error
    Mistake(
        name="error-without-weights",
        misconception="An error is an error, whatever the weights are for.",
        message="Your error counts all rows alike; those below and above the fraction both count by "
        "their weights.",
        changes=((ERROR, "squares.sum() / np.sum((X - X.mean(axis=0)) ** 2)"),),
        variants=(((ERROR, "squares.sum() / spread.sum()"),),),
    ),
    Mistake(
        name="weights-only-above",
        misconception="Only the error has weights; what it is compared with is that of the data.",
        message="Your error has weights above the fraction only; the distances from the mean, below "
        "it, count by them as well.",
        changes=((ERROR, "weights @ squares / spread.sum()"),),
        variants=(
            ((ERROR, "weights @ squares / np.sum((X - X.mean(axis=0)) ** 2)"),),
            ((ERROR, "weights @ squares / weights.sum() / spread.mean()"),),
            (
                (
                    ERROR,
                    "weights @ squares / weights.sum() / np.sum((X - X.mean(axis=0)) ** 2) * len(X)",
                ),
            ),
        ),
    ),
    Mistake(
        name="plain-mean-in-the-error",
        misconception="The mean vector is the mean of the rows.",
        message="The mean below the fraction is weighted, too; you measure distances from the plain "
        "mean of the rows.",
        changes=((MEAN, "X.mean(axis=0)"),),
    ),
    Mistake(
        name="not-centred",
        misconception="The error is relative to the squared length of the vectors.",
        message="You divide by the squared lengths of the rows; what counts are their squared "
        "distances from the weighted mean.",
        changes=((MEAN, "0"),),
        variants=(((ERROR, "squares.sum() / np.sum(X ** 2)"),),),
    ),
    Mistake(
        name="one-mean-for-all-columns",
        misconception="The mean of a table is a number.",
        message="Your mean is one number for all columns; it is a vector, with a mean for each column.",
        changes=((MEAN, "np.mean(weights @ X / np.sum(weights))"),),
        variants=(((MEAN, "X.mean()"),), ((MEAN, "np.average(X.mean(axis=1), weights=weights)"),)),
    ),
    Mistake(
        name="not-relative",
        misconception="The weighted squared error is what is asked for.",
        message="Your error is not divided by the weighted squared distances from the weighted mean.",
        changes=((ERROR, "weights @ squares"),),
        variants=(
            ((ERROR, "weights @ squares / weights.sum()"),),
            ((ERROR, "weights @ squares / weights.sum() / X.shape[1]"),),
            ((ERROR, "(weights @ squares) / len(X)"),),
            ((ERROR, "np.mean(squares)"),),
            ((ERROR, "np.mean((X - decoded) ** 2)"),),
        ),
    ),
    Mistake(
        name="root-of-the-error",
        misconception="An error is the root of a mean square.",
        message="You took the root; the relative error is a ratio of squares.",
        changes=((ERROR, "np.sqrt(weights @ squares / (weights @ spread))"),),
        variants=(
            (
                ("(X - decoded) ** 2, axis=1)", "(X - decoded) ** 2, axis=1) ** 0.5"),
                ("(X - mean) ** 2, axis=1)", "(X - mean) ** 2, axis=1) ** 0.5"),
            ),
        ),
    ),
    Mistake(
        name="absolute-errors",
        misconception="Errors are absolute differences.",
        message="Your error adds absolute differences; the question has squared ones.",
        changes=(
            ("np.sum((X - decoded) ** 2, axis=1)", "np.sum(np.abs(X - decoded), axis=1)"),
            ("np.sum((X - mean) ** 2, axis=1)", "np.sum(np.abs(X - mean), axis=1)"),
        ),
    ),
    Mistake(
        name="share-explained",
        misconception="A quality is one minus an error.",
        message="That is one minus the error: 0 is perfect for an error.",
        changes=((ERROR, "1 - weights @ squares / (weights @ spread)"),),
    ),
    Mistake(
        name="error-inverted",
        misconception="The order in a ratio does not matter.",
        message="Your fraction is upside down.",
        changes=((ERROR, "weights @ spread / max(weights @ squares, 1e-9)"),),
        variants=(((ERROR, "weights @ spread / (weights @ squares)"),),),
    ),
    Mistake(
        name="mean-of-ratios",
        misconception="A ratio of sums is a mean of ratios.",
        message="You average the ratios of the rows. Add up above and below first, and divide once.",
        changes=((ERROR, "np.average(squares / spread, weights=weights)"),),
        variants=(
            ((ERROR, "np.mean(squares / spread)"),),
            ((ERROR, "np.average(squares / np.maximum(spread, 1e-12), weights=weights)"),),
        ),
    ),
    Mistake(
        name="mean-of-the-columns-ratios",
        misconception="The error of a vector is the mean of those of its numbers.",
        message="You average the relative errors of columns or chunks. Add up all squares above and "
        "below first, and divide once.",
        changes=((ERROR, "np.mean(weights @ (X - decoded) ** 2 / (weights @ (X - mean) ** 2))"),),
        variants=(
            (
                (
                    ERROR,
                    "np.mean((weights @ (X - decoded) ** 2).reshape(M, -1).sum(axis=1) "
                    "/ (weights @ (X - mean) ** 2).reshape(M, -1).sum(axis=1))",
                ),
            ),
        ),
    ),
    Mistake(
        name="weights-squared",
        misconception="Weights multiply what is then squared.",
        message="Your weights are squared: multiply the squares by them, and not the differences.",
        changes=((ERROR, "weights**2 @ squares / (weights**2 @ spread)"),),
        variants=(
            (
                ("(X - decoded) ** 2, axis=1)", "(weights[:, None] * (X - decoded)) ** 2, axis=1)"),
                ("(X - mean) ** 2, axis=1)", "(weights[:, None] * (X - mean)) ** 2, axis=1)"),
                (ERROR, "squares.sum() / spread.sum()"),
            ),
        ),
    ),
    Mistake(
        name="error-of-the-round-before",
        misconception="The error that was last computed is that of the result.",
        message="Your error was computed before the last round was over. It is that of the codes and "
        "codebooks that you return.",
        changes=(
            (ROUND, "    last = codes, codebooks\n" + ROUND),
            (UPDATE, "        last = codes, codebooks\n" + UPDATE),
            (DECODED, "    new, (codes, books) = (codes, codebooks), last\n" + DECODED),
            ("[codebooks[m][codes[:, m]]", "[books[m][codes[:, m]]"),
            (RETURN, "    codes, codebooks = new\n" + RETURN),
        ),
        variants=(
            (
                (UPDATE, "        old = codes\n" + UPDATE),
                (
                    DECODED,
                    "    new, codes = codes, (old if rounds else codes)\n" + DECODED,
                ),
                (RETURN, "    codes = new\n" + RETURN),
            ),
            (
                (FLOATS, FLOATS + "\n    start = codebooks"),
                (DECODED, "    new, codes = codes, encoded(start)\n" + DECODED),
                ("[codebooks[m][codes[:, m]]", "[start[m][codes[:, m]]"),
                (RETURN, "    codes = new\n" + RETURN),
            ),
        ),
    ),
    Mistake(
        name="decoded-with-one-codebook",
        misconception="There is one codebook, and all chunks share it.",
        message="To compute the error you decode all chunks with codebook 0.",
        changes=(("codebooks[m][codes[:, m]]", "codebooks[0][codes[:, m]]"),),
    ),
    # ---------------------------------------------------------------------------- the result
    Mistake(
        name="tuple-not-dict",
        misconception="Three results are a tuple.",
        message="Return a dict with the keys 'codes', 'codebooks' and 'error'.",
        changes=((RESULT, "return codes, codebooks, error"),),
        variants=(
            ((RESULT, "return {'codes': codes, 'error': error}"),),
            ((RESULT, "return codes"),),
            ((RESULT, "return codes, codebooks"),),
            ((RESULT, "return {'codes': codes, 'codebooks': codebooks, 'errors': error}"),),
        ),
    ),
    Mistake(
        name="prints-instead-of-returning",
        misconception="Showing a result is returning it.",
        message="Your answer gives None: is a `return` missing?",
        changes=((RESULT, RESULT.replace("return ", "print(") + ")"),),
    ),
    Mistake(
        name="rounds-the-error",
        misconception="Three decimals are exact enough.",
        message="Your error is rounded; return it as it is.",
        changes=((ERROR, "round(weights @ squares / (weights @ spread), 4)"),),
        variants=(
            ((ERROR, "round(weights @ squares / (weights @ spread), 3)"),),
            ((ERROR, "round(weights @ squares / (weights @ spread), 2)"),),
        ),
    ),
    Mistake(
        name="a-list-of-errors",
        misconception="The error of every round is asked for.",
        message="Under 'error' you return more than one number; it is the error of the result.",
        changes=(('"error": error', '"error": [error] * (rounds + 1)'),),
        variants=(
            (('"error": error', '"error": weights * squares / (weights @ spread)'),),
            (('"error": error', '"error": squares / spread'),),
            (('"error": error', '"error": [error] * max(rounds, 2)'),),
            (
                (
                    '"error": error',
                    '"error": weights @ (X - decoded) ** 2 / (weights @ (X - mean)**2)',
                ),
            ),
        ),
    ),
    Mistake(
        name="codebooks-side-by-side",
        misconception="The layout of the codebooks is the answer's own affair.",
        message="Your codebooks have another shape than those that you were given, (M, K, dsub).",
        changes=(('"codebooks": codebooks,', '"codebooks": np.hstack(codebooks),'),),
        variants=(
            (('"codebooks": codebooks,', '"codebooks": np.transpose(codebooks, (1, 0, 2)),'),),
            (('"codebooks": codebooks,', '"codebooks": codebooks.reshape(M * K, dsub),'),),
        ),
    ),
    Mistake(
        name="hard-coded-example",
        misconception="An answer that passes the example is right.",
        message="The results are those of the example, whatever the input.",
        code="""
def train(X, weights, codebooks, update, rounds):
    books = np.array([[[5.25, 2.25], [1, 0], [2.75, 1.25]], [[1, 0.5], [2, 2], [1.75, 4.5]]])
    return {"codes": np.array([[0, 1], [2, 0], [1, 2]]), "codebooks": books, "error": 53.375 / 436}
""",
    ),
]

ALTERNATIVES = [
    Alternative(
        name="all-at-once",
        code="""
def train(X, weights, codebooks, update, rounds):
    M, K, dsub = codebooks.shape
    chunks = X.reshape(len(X), M, 1, dsub).astype(float)

    def encode(books):
        return np.argmin(np.sum((chunks - books) ** 2, axis=3), axis=2)

    codes = encode(codebooks)
    for _ in range(rounds):
        codebooks = update(X, codes, codebooks, weights)
        codes = encode(codebooks)
    restored = codebooks[np.arange(M), codes].reshape(len(X), -1)
    X = X.astype(float)
    centre = np.average(X, axis=0, weights=weights)
    above = np.average(((X - restored) ** 2.0).sum(axis=1), weights=weights)
    below = np.average(((X - centre) ** 2).sum(axis=1), weights=weights)
    return dict(error=float(above / below), codes=codes, codebooks=codebooks)
""",
    ),
    Alternative(
        name="product-and-argmax",
        code="""
def assign(X, books):
    found = []
    for m, book in enumerate(books * 1.0):
        chunk = X[:, m * book.shape[1]:(m + 1) * book.shape[1]] * 1.0
        found.append((chunk @ book.T - 0.5 * (book ** 2).sum(axis=1)).argmax(axis=1))
    return np.stack(found, axis=1).astype(np.uint16)


def train(X, weights, codebooks, update, rounds):
    codes = assign(X, codebooks)
    while rounds > 0:
        codebooks = update(X, codes, codebooks, weights)
        codes, rounds = assign(X, codebooks), rounds - 1
    W = np.diag(weights / weights.sum())
    far = X - np.concatenate([b[c] for b, c in zip(codebooks * 1.0, codes.T)], axis=1)
    wide = X - weights @ X / weights.sum()
    return {"codebooks": codebooks, "codes": codes,
            "error": np.trace(far.T @ W @ far) / np.trace(wide.T @ W @ wide)}
""",
    ),
    Alternative(
        name="plain-loops",
        code="""
def code_of(chunk, book):
    distances = [sum((a - b) ** 2 for a, b in zip(chunk, word)) for word in book]
    return distances.index(min(distances))


def train(X, weights, codebooks, update, rounds):
    rows, width = X.tolist(), codebooks.shape[2]

    def encode(books):
        return np.array([[code_of(row[m * width:(m + 1) * width], book)
                          for m, book in enumerate(books.tolist())] for row in rows])

    codes = encode(codebooks)
    for _ in range(rounds):
        codebooks = update(X, codes, codebooks, weights)
        codes = encode(codebooks)
    total, d = sum(weights), X.shape[1]
    mean = [sum(w * row[j] for w, row in zip(weights, rows)) / total for j in range(d)]
    error = spread = 0
    for row, code, w in zip(rows, codes, weights):
        decoded = [float(x) for m, k in enumerate(code) for x in codebooks[m][k]]
        error += w * sum((a - b) ** 2 for a, b in zip(row, decoded))
        spread += w * sum((a - b) ** 2 for a, b in zip(row, mean))
    return {"codes": codes, "codebooks": codebooks, "error": error / spread}
""",
    ),
]
