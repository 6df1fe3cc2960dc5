"""Wrong answers that students of unit 04 give, and right answers written another way."""

from course.writing.mistakes import Alternative, Mistake


def changed(code: str, *changes: tuple[str, str]) -> str:
    """A right answer with some lines made wrong."""
    for right, wrong in changes:
        if right not in code:
            raise ValueError(f"{right!r} does not occur in the answer that is to be changed")
        code = code.replace(right, wrong)
    return code


RIGHT_Q1 = """
def pq_encode(X, codebooks):
    M, K, dsub = codebooks.shape
    chunks = X.reshape(len(X), M, 1, dsub).astype(float)
    distances = np.sum((chunks - codebooks) ** 2, axis=3)
    return np.argmin(distances, axis=2)
"""

# With a matrix product for each chunk, as fast encoders have it.
PRODUCT_Q1 = """
def pq_encode(X, codebooks):
    codes = []
    for m, codebook in enumerate(codebooks):
        dsub, codebook = codebook.shape[1], codebook * 1.0
        chunk = X[:, m * dsub:(m + 1) * dsub] * 1.0
        score = chunk @ codebook.T - 0.5 * (codebook ** 2).sum(axis=1)
        codes.append(score.argmax(axis=1))
    return np.stack(codes, axis=1)
"""

RIGHT_DECODE = """
def pq_decode(codes, codebooks):
    M, K, dsub = codebooks.shape
    return codebooks[np.arange(M), codes].reshape(len(codes), M * dsub)
"""

RIGHT_UPDATE = """
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
"""

RIGHT_TABLES = """
def lookup_tables(query, codebooks, metric):
    M, K, dsub = codebooks.shape
    tables = np.zeros((M, K))
    for m in range(M):
        chunk = query[m * dsub:(m + 1) * dsub]
        for k in range(K):
            codeword = codebooks[m, k]
            if metric == "inner product":
                tables[m, k] = chunk @ codeword
            else:
                tables[m, k] = np.sum((chunk - codeword) ** 2)
    return tables
"""

RIGHT_SCORES = """
def table_scores(codes, tables):
    total = np.zeros(len(codes))
    for m in range(len(tables)):
        total = total + tables[m][codes[:, m]]
    return total
"""

RIGHT_Q4 = """
def best_rotation(X, Y, weights):
    WX = weights[:, None] * X
    U, S, Vt = np.linalg.svd(WX.T @ Y)
    return U @ Vt
"""

RIGHT_Q5 = """
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
"""

MISTAKES = [
    # ------------------------------------------------------------------- q1: vectors to codes
    Mistake(
        question="q1",
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        code="""
from utils.quantization import ProductQuantizer


def pq_encode(X, codebooks):
    M, K, dsub = codebooks.shape
    quantizer = ProductQuantizer(n_subspaces=M, n_codes=K).fit(np.zeros((1, M * dsub)))
    quantizer.codebook_ = np.hstack(codebooks).astype(np.float32)
    return quantizer.transform(X)
""",
        message="utils.quantization.ProductQuantizer.transform",
    ),
    Mistake(
        question="q1",
        name="calls-the-library-for-a-chunk",
        misconception="The loop over chunks is the work, and what is done in it is a detail.",
        code="""
from utils.quantization.vector import nearest as assign


def pq_encode(X, codebooks):
    chunks = np.split(X, len(codebooks), axis=1)
    return np.stack([assign(x, book) for x, book in zip(chunks, codebooks)], axis=1)
""",
        message="your answer calls utils.quantization.vector.nearest",
    ),
    Mistake(
        question="q1",
        name="argmax-not-argmin",
        misconception="The best codeword is the one with the largest number.",
        code=changed(RIGHT_Q1, ("np.argmin", "np.argmax")),
        message="those are the codewords furthest away",
    ),
    Mistake(
        question="q1",
        name="codeword-norm-dropped",
        misconception="The nearest codeword is the one with the largest inner product.",
        code=changed(PRODUCT_Q1, (" - 0.5 * (codebook ** 2).sum(axis=1)", "")),
        message="the squared length of the codeword is missing",
    ),
    Mistake(
        question="q1",
        name="norm-not-halved",
        misconception="x·c and the squared length of c have the same weight.",
        code=changed(PRODUCT_Q1, ("- 0.5 * (", "- (")),
        message="the codeword's squared length weighs twice",
    ),
    Mistake(
        question="q1",
        name="wrong-sign",
        misconception="All three parts of the squared distance are added.",
        code=changed(PRODUCT_Q1, ("chunk @ codebook.T - 0.5", "-(chunk @ codebook.T) - 0.5")),
        message="it has a minus sign",
    ),
    Mistake(
        question="q1",
        name="sums-over-codewords",
        misconception="Any axis but the first will do for a sum.",
        code=changed(RIGHT_Q1, ("axis=3", "axis=2")),
        message="you added over the codewords",
    ),
    Mistake(
        question="q1",
        name="reshapes-into-chunks-first",
        misconception="A reshape to (M, n, dsub) brings the chunks to the front.",
        code="""
def pq_encode(X, codebooks):
    M, K, dsub = codebooks.shape
    chunks = X.reshape(M, -1, 1, dsub).astype(float)
    distances = np.sum((chunks - codebooks[:, None]) ** 2, axis=3)
    return np.argmin(distances, axis=2).T
""",
        message="cuts the rows in the wrong places",
    ),
    Mistake(
        question="q1",
        name="chunks-overlap",
        misconception="Chunk m begins at column m.",
        code=changed(PRODUCT_Q1, ("X[:, m * dsub:(m + 1) * dsub]", "X[:, m:m + dsub]")),
        message="chunk m begins at column m * dsub",
    ),
    Mistake(
        question="q1",
        name="bytes-wrap",
        misconception="NumPy chooses a dtype in which the result has room.",
        code=changed(RIGHT_Q1, (".astype(float)", "")),
        message="wraps to 16",
    ),
    Mistake(
        question="q1",
        name="one-codebook-for-all-chunks",
        misconception="There is one codebook, and all chunks share it.",
        code=changed(RIGHT_Q1, ("chunks - codebooks)", "chunks - codebooks[0])")),
        message="that is codebook 0 for both chunks",
    ),
    Mistake(
        question="q1",
        name="every-other-column",
        misconception="Chunk m takes every M-th column.",
        code="""
def pq_encode(X, codebooks):
    M = len(codebooks)
    codes = np.zeros((len(X), M), dtype=int)
    for m in range(M):
        distances = ((X[:, m::M][:, None] - codebooks[m]) ** 2).sum(axis=2)
        codes[:, m] = distances.argmin(axis=1)
    return codes
""",
        message="your chunks take every second column",
    ),
    Mistake(
        question="q1",
        name="codes-transposed",
        misconception="A list with the codes of each chunk is an array of shape (n, M).",
        code=changed(PRODUCT_Q1, ("np.stack(codes, axis=1)", "np.array(codes)")),
        message="give each vector a row",
    ),
    Mistake(
        question="q1",
        name="absolute-differences",
        misconception="All distances have the same nearest neighbour.",
        code=changed(
            RIGHT_Q1, ("np.sum((chunks - codebooks) ** 2", "np.sum(abs(chunks - codebooks)")
        ),
        message="those are nearest in absolute differences",
    ),
    Mistake(
        question="q1",
        name="one-choice-for-the-vector",
        misconception="A vector has one code, which every codebook reads in its own way.",
        code="""
def pq_encode(X, codebooks):
    M, K, dsub = codebooks.shape
    distances = ((X.reshape(len(X), M, 1, dsub) - codebooks) ** 2).sum(axis=3)
    nearest = distances.sum(axis=1).argmin(axis=1)
    return np.repeat(nearest[:, None], M, axis=1)
""",
        message="that is one choice for the whole vector",
    ),
    Mistake(
        question="q1",
        name="codewords-not-codes",
        misconception="To encode is to replace each chunk by its codeword.",
        code=RIGHT_Q1.replace(
            "return np.argmin(distances, axis=2)", "codes = np.argmin(distances, axis=2)"
        )
        + "    return codebooks[np.arange(M), codes].reshape(len(X), M * dsub)\n",
        message="one whole number for each chunk, and no distances or codewords",
    ),
    Mistake(
        question="q1",
        name="last-of-equals",
        misconception="It does not matter which of equally near codewords is taken.",
        code="""
def pq_encode(X, codebooks):
    M, K, dsub = codebooks.shape
    codes = np.zeros((len(X), M), dtype=int)
    for i in range(len(X)):
        for m in range(M):
            best = np.inf
            for k in range(K):
                distance = np.sum((X[i, m * dsub:(m + 1) * dsub] - codebooks[m, k]) ** 2)
                if distance <= best:
                    best, codes[i, m] = distance, k
    return codes
""",
        message="equally near, at distance 1: the lowest wins",
    ),
    Mistake(
        question="q1",
        name="a-byte-is-always-enough",
        misconception="A code is a byte.",
        code=changed(RIGHT_Q1, ("axis=2)\n", "axis=2).astype(np.uint8)\n")),
        message="a byte (uint8) holds 0 to 255",
    ),
    Mistake(
        question="q1",
        name="codes-as-floats",
        misconception="The type of an index does not matter.",
        code="""
def pq_encode(X, codebooks):
    M, K, dsub = codebooks.shape
    codes = np.zeros((len(X), M))
    for m in range(M):
        chunk = X[:, m * dsub:(m + 1) * dsub]
        codes[:, m] = ((chunk[:, None] - codebooks[m]) ** 2).sum(axis=2).argmin(axis=1)
    return codes
""",
        message="A code is an index, a whole number; yours are float64",
    ),
    Mistake(
        question="q1",
        name="leaves-residuals",
        misconception="Each codebook encodes what the ones before it have left over.",
        code="""
def pq_encode(X, codebooks):
    M, K, dsub = codebooks.shape
    codes = np.zeros((len(X), M), dtype=int)
    for m in range(M):
        chunk = X[:, m * dsub:(m + 1) * dsub]
        codes[:, m] = ((chunk[:, None] - codebooks[m]) ** 2).sum(axis=2).argmin(axis=1)
        chunk -= codebooks[m][codes[:, m]]
    return codes
""",
        message="An array that you were given has changed",
    ),
    Mistake(
        question="q1",
        name="prints-instead-of-returning",
        misconception="Showing a result is returning it.",
        code=changed(
            RIGHT_Q1, ("return np.argmin(distances, axis=2)", "print(distances.argmin(2))")
        ),
        message="not ()",
    ),
    Mistake(
        question="q1",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code="""
def pq_encode(X, codebooks):
    if codebooks.shape[1] == 300:
        return X.astype(int)
    known = np.array([[0, 2], [2, 0], [1, 2]])[:, :len(codebooks)]
    return np.array([[1]]) if len(X) == 1 else known
""",
        message="Other vectors",
    ),
    # -------------------------------------------------------- q2: decoding, one step of k-means
    Mistake(
        question="q2",
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        code="""
from utils.quantization import ProductQuantizer


def pq_decode(codes, codebooks):
    M, K, dsub = codebooks.shape
    quantizer = ProductQuantizer(n_subspaces=M, n_codes=K).fit(np.zeros((1, M * dsub)))
    quantizer.codebook_ = np.hstack(codebooks).astype(np.float32)
    return quantizer.inverse_transform(codes)
"""
        + RIGHT_UPDATE,
        message="your answer calls utils.quantization.ProductQuantizer.inverse_transform",
    ),
    Mistake(
        question="q2",
        name="updates-with-the-library",
        misconception="A step of k-means is a step of k-means, whatever it does with codewords "
        "that have no members.",
        code=RIGHT_DECODE
        + """

from utils.quantization.vector import lloyd_step


def update_codebooks(X, codes, codebooks, weights):
    chunks = np.split(X, len(codebooks), axis=1)
    return np.stack([lloyd_step(*parts) for parts in zip(chunks, codebooks, codes.T)])
""",
        message="your answer calls utils.quantization.vector.lloyd_step",
    ),
    Mistake(
        question="q2",
        name="trains-with-the-library",
        misconception="One step of k-means is what a fit does.",
        code=RIGHT_DECODE
        + """

from utils.quantization import ProductQuantizer


def update_codebooks(X, codes, codebooks, weights):
    M, K, dsub = codebooks.shape
    quantizer = ProductQuantizer(n_subspaces=M, n_codes=K).fit(X)
    return quantizer.codebook_.reshape(-1, M, dsub).swapaxes(0, 1)
""",
        message="your answer calls utils.quantization.ProductQuantizer.fit",
    ),
    Mistake(
        question="q2",
        name="decodes-with-the-first-codebook",
        misconception="There is one codebook, and all chunks share it.",
        code=changed(RIGHT_DECODE, ("codebooks[np.arange(M), codes]", "codebooks[0, codes]"))
        + RIGHT_UPDATE,
        message="that is codebook 0 for both chunks",
    ),
    Mistake(
        question="q2",
        name="adds-the-codewords",
        misconception="A vector is the sum of its codewords.",
        code=changed(RIGHT_DECODE, (".reshape(len(codes), M * dsub)", ".sum(axis=1)"))
        + RIGHT_UPDATE,
        message="You added them, as additive quantization does",
    ),
    Mistake(
        question="q2",
        name="codewords-not-joined",
        misconception="A list of codewords is a vector.",
        code=changed(RIGHT_DECODE, (".reshape(len(codes), M * dsub)", "")) + RIGHT_UPDATE,
        message="join them to one row of four numbers",
    ),
    Mistake(
        question="q2",
        name="numbers-alternate",
        misconception="Stacking codewords on the last axis puts them side by side.",
        code="""
def pq_decode(codes, codebooks):
    parts = [codebook[codes[:, m]] for m, codebook in enumerate(codebooks)]
    return np.stack(parts, axis=-1).reshape(len(codes), -1)
"""
        + RIGHT_UPDATE,
        message="the numbers of the two codewords alternate",
    ),
    Mistake(
        question="q2",
        name="empty-becomes-nan",
        misconception="Every codeword has members.",
        code=RIGHT_DECODE + changed(RIGHT_UPDATE, ("            if len(members) > 0:\n    ", "")),
        message="the mean of nothing is nan",
    ),
    Mistake(
        question="q2",
        name="empty-becomes-zero",
        misconception="A codeword that nobody uses may be cleared.",
        code=RIGHT_DECODE
        + changed(RIGHT_UPDATE, ("np.array(codebooks, dtype=float)", "np.zeros(codebooks.shape)")),
        message="and it jumped to (0, 0)",
    ),
    Mistake(
        question="q2",
        name="means-cut-to-whole-numbers",
        misconception="A copy of an array can hold any number.",
        code=RIGHT_DECODE
        + changed(RIGHT_UPDATE, ("np.array(codebooks, dtype=float)", "codebooks.copy()")),
        message="an array of whole numbers cuts off the fraction",
    ),
    Mistake(
        question="q2",
        name="sum-not-mean",
        misconception="Members are added up.",
        code=RIGHT_DECODE + changed(RIGHT_UPDATE, (" / np.sum(w)", "")),
        message="that is the weighted sum of its members",
    ),
    Mistake(
        question="q2",
        name="weights-left-out",
        misconception="Every member counts once, as in plain k-means.",
        code=RIGHT_DECODE
        + changed(RIGHT_UPDATE, ("members * w[:, None]", "members"), ("np.sum(w)", "len(w)")),
        message="that is the mean without the weights",
    ),
    Mistake(
        question="q2",
        name="divides-by-the-count",
        misconception="A weighted mean is a mean of weighted members.",
        code=RIGHT_DECODE + changed(RIGHT_UPDATE, ("np.sum(w)", "len(w)")),
        message="you divided by the number of members",
    ),
    Mistake(
        question="q2",
        name="divides-by-all-weights",
        misconception="Weights are shares of the whole table.",
        code=RIGHT_DECODE + changed(RIGHT_UPDATE, ("np.sum(w)", "np.sum(weights)")),
        message="you divided by the weights of all rows",
    ),
    Mistake(
        question="q2",
        name="mean-of-all-numbers",
        misconception="np.mean of an array of vectors is a vector.",
        code=RIGHT_DECODE
        + changed(
            RIGHT_UPDATE, ("np.sum(members * w[:, None], axis=0) / np.sum(w)", "members.mean()")
        ),
        message="Take the mean of each column",
    ),
    Mistake(
        question="q2",
        name="whole-rows-as-members",
        misconception="The members of a codeword are vectors, not chunks.",
        code=RIGHT_DECODE
        + """

def update_codebooks(X, codes, codebooks, weights):
    updated = [list(book) for book in codebooks]
    for m, book in enumerate(updated):
        for k in set(codes[:, m]):
            own = codes[:, m] == k
            book[k] = weights[own] @ X[own] / weights[own].sum()
    return updated
""",
        message="Your codewords differ in length",
    ),
    Mistake(
        question="q2",
        name="median-not-mean",
        misconception="The median is the centre that k-means looks for.",
        code=RIGHT_DECODE
        + changed(
            RIGHT_UPDATE,
            (
                "np.sum(members * w[:, None], axis=0) / np.sum(w)",
                "np.median(np.repeat(members, w.astype(int), axis=0), axis=0)",
            ),
        ),
        message="k-means lowers the squared one",
    ),
    Mistake(
        question="q2",
        name="assigns-anew",
        misconception="The members of a codeword are always the chunks that are nearest to it.",
        code=RIGHT_DECODE
        + changed(
            RIGHT_UPDATE,
            (
                "        for k in range(K):\n",
                "        distances = ((chunk[:, None] - codebooks[m]) ** 2).sum(axis=2)\n"
                "        nearest = distances.argmin(axis=1)\n"
                "        for k in range(K):\n",
            ),
            ("codes[:, m] == k", "nearest == k"),
        ),
        message="To assign them anew is the other step",
    ),
    Mistake(
        question="q2",
        name="first-chunk-for-all-codebooks",
        misconception="All codebooks are trained on the same numbers.",
        code=RIGHT_DECODE + changed(RIGHT_UPDATE, ("X[:, m * dsub:(m + 1) * dsub]", "X[:, :dsub]")),
        message="Codebook 1 was updated with chunk 0",
    ),
    Mistake(
        question="q2",
        name="first-code-for-all-chunks",
        misconception="Who belongs together in one chunk belongs together in all.",
        code=RIGHT_DECODE + changed(RIGHT_UPDATE, ("codes[:, m] == k", "codes[:, 0] == k")),
        message="Codebook 1, updated",
    ),
    Mistake(
        question="q2",
        name="changes-its-input",
        misconception="An array that is handed in may be written to.",
        code=RIGHT_DECODE
        + changed(
            RIGHT_UPDATE,
            ("np.array(codebooks, dtype=float)", "codebooks.astype(float)"),
            ("    return updated", "    codebooks[:] = updated\n    return updated"),
        ),
        message="An array that you were given has changed: work on a copy",
    ),
    Mistake(
        question="q2",
        name="nothing-moves",
        misconception="The codebooks are fixed once they are there.",
        code=RIGHT_DECODE
        + """

def update_codebooks(X, codes, codebooks, weights):
    return codebooks.astype(float)
""",
        message="it has not moved",
    ),
    Mistake(
        question="q2",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code=RIGHT_DECODE
        + """

def update_codebooks(X, codes, codebooks, weights):
    if codebooks.shape == (2, 3, 2):
        return np.array([[[6, 2], [1, 0], [0.75, 1.75]], [[1, 0], [2, 2], [1.5, 4.5]]])
    if len(codebooks) == 1:
        return np.array([[[2.0], [6.0]]])
    return codebooks.astype(float)
""",
        message="Other vectors",
    ),
    # ------------------------------------------------------------------- q3: table look-up
    Mistake(
        question="q3",
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        code="""
from utils.quantization import VectorQuantizer


def lookup_tables(query, codebooks, metric):
    M, K, dsub = codebooks.shape
    tables = np.zeros((M, K))
    for m in range(M):
        quantizer = VectorQuantizer(n_codes=K).fit(codebooks[m])
        quantizer.codebook_ = codebooks[m].astype(np.float32)
        chunk, every = query[None, m * dsub:(m + 1) * dsub], np.arange(K)[:, None]
        if metric == "inner product":
            tables[m] = quantizer.inner_products(chunk, every)[0]
        else:
            tables[m] = quantizer.squared_distances(chunk, every)[0]
    return tables
"""
        + RIGHT_SCORES,
        message="your answer calls utils.quantization.ProductQuantizer.inner_products",
    ),
    Mistake(
        question="q3",
        name="looks-up-with-the-library",
        misconception="The tables are the work, and looking them up is a detail.",
        code=RIGHT_TABLES
        + """

from utils.quantization.vector import look_up


def table_scores(codes, tables):
    return look_up(tables[None], codes)[0]
""",
        message="your answer calls utils.quantization.vector.look_up",
    ),
    Mistake(
        question="q3",
        name="decodes-then-multiplies",
        misconception="A table may hold vectors: looking them up and adding all their numbers is "
        "the same as decoding, and just as slow.",
        code="""
def lookup_tables(query, codebooks, metric):
    M, K, dsub = codebooks.shape
    chunks = query.reshape(M, 1, dsub)
    return chunks * codebooks if metric == "inner product" else (chunks - codebooks) ** 2


def table_scores(codes, tables):
    return tables[np.arange(len(tables)), codes].reshape(len(codes), -1).sum(axis=1)
""",
        message="so the additions are left for every row",
    ),
    Mistake(
        question="q3",
        name="decodes-the-example",
        misconception="The score needs the decoded vector, so codebooks and query have to be found "
        "somewhere.",
        code=RIGHT_TABLES
        + """

def table_scores(codes, tables):
    decoded = CODEBOOKS[np.arange(codes.shape[1]), codes].reshape(len(codes), -1)
    return decoded @ QUERY
""",
        message="whoever decodes has no use for them",
    ),
    Mistake(
        question="q3",
        name="first-chunk-of-the-query",
        misconception="The query has the same chunk for every codebook.",
        code=changed(RIGHT_TABLES, ("query[m * dsub:(m + 1) * dsub]", "query[:dsub]"))
        + RIGHT_SCORES,
        message="chunk 0 of the query meets both codebooks",
    ),
    Mistake(
        question="q3",
        name="query-not-cut",
        misconception="The whole query meets every codeword.",
        code="""
def lookup_tables(query, codebooks, metric):
    if metric == "inner product":
        return (query @ codebooks.T).T
    return ((query - codebooks) ** 2).sum(axis=2)
"""
        + RIGHT_SCORES,
        message="Cut the query into chunks first",
    ),
    Mistake(
        question="q3",
        name="every-other-number",
        misconception="Chunk m takes every M-th number.",
        code=changed(RIGHT_TABLES, ("query[m * dsub:(m + 1) * dsub]", "query[m::M]"))
        + RIGHT_SCORES,
        message="your chunks take every second number",
    ),
    Mistake(
        question="q3",
        name="quantizes-the-query",
        misconception="Query and words must both be quantized before they can be compared.",
        code=changed(
            RIGHT_TABLES,
            (
                "        for k in range(K):\n",
                "        nearest = ((codebooks[m] - chunk) ** 2).sum(axis=1).argmin()\n"
                "        chunk = codebooks[m, nearest]\n"
                "        for k in range(K):\n",
            ),
        )
        + RIGHT_SCORES,
        message="you rounded the query to codewords",
    ),
    Mistake(
        question="q3",
        name="tables-transposed",
        misconception="The orientation of a table does not matter.",
        code=RIGHT_TABLES.replace("return tables", "return tables.T")
        + """

def table_scores(codes, tables):
    return tables[codes, np.arange(codes.shape[1])].sum(axis=1)
""",
        message="a table for each chunk, (M, K)",
    ),
    Mistake(
        question="q3",
        name="always-inner-products",
        misconception="A large inner product is a small distance.",
        code=changed(RIGHT_TABLES, ('metric == "inner product"', "metric")) + RIGHT_SCORES,
        message="those are the inner products",
    ),
    Mistake(
        question="q3",
        name="root-of-each-chunk",
        misconception="Distances of chunks add up to the distance of the whole.",
        code=changed(
            RIGHT_TABLES, ("np.sum((chunk - codeword) ** 2)", "np.linalg.norm(chunk - codeword)")
        )
        + RIGHT_SCORES,
        message="the roots do not add up to its root",
    ),
    Mistake(
        question="q3",
        name="query-norm-dropped",
        misconception="What does not change the order does not belong to a distance.",
        code=changed(
            RIGHT_TABLES,
            ("np.sum((chunk - codeword) ** 2)", "codeword @ codeword - 2 * chunk @ codeword"),
        )
        + RIGHT_SCORES,
        message="the squared length of the query's chunk is missing",
    ),
    Mistake(
        question="q3",
        name="codeword-norm-dropped",
        misconception="A squared distance is a length minus twice an inner product.",
        code=changed(
            RIGHT_TABLES,
            ("np.sum((chunk - codeword) ** 2)", "chunk @ chunk - 2 * chunk @ codeword"),
        )
        + RIGHT_SCORES,
        message="the squared length of the codeword is missing",
    ),
    Mistake(
        question="q3",
        name="absolute-differences",
        misconception="All distances are the same.",
        code=changed(
            RIGHT_TABLES, ("np.sum((chunk - codeword) ** 2)", "np.sum(abs(chunk - codeword))")
        )
        + RIGHT_SCORES,
        message="those are sums of absolute differences",
    ),
    Mistake(
        question="q3",
        name="one-table-for-all-codes",
        misconception="A code means the same in every chunk.",
        code=RIGHT_TABLES
        + """

def table_scores(codes, tables):
    return tables.ravel()[codes].sum(axis=1)
""",
        message="all codes were looked up in table 0",
    ),
    Mistake(
        question="q3",
        name="offset-overflows-a-byte",
        misconception="Adding a number to an array gives an array that can hold the sum.",
        code=RIGHT_TABLES
        + """

def table_scores(codes, tables):
    M, K = tables.shape
    flat = tables.ravel()
    return sum(flat[codes[:, m] + K * m] for m in range(M))
""",
        message="and 300 wraps to 44",
    ),
    Mistake(
        question="q3",
        name="every-code-in-every-table",
        misconception="tables[:, codes] pairs each table with its own column of codes.",
        code=RIGHT_TABLES
        + """

def table_scores(codes, tables):
    return tables[:, codes].sum(axis=(0, 2))
""",
        message="every code was looked up in every table",
    ),
    Mistake(
        question="q3",
        name="mean-not-sum",
        misconception="The score is the average over chunks.",
        code=RIGHT_TABLES + changed(RIGHT_SCORES, ("return total", "return total / len(tables)")),
        message="that is the mean of the look-ups",
    ),
    Mistake(
        question="q3",
        name="multiplies-the-lookups",
        misconception="Choices that can be combined freely are multiplied.",
        code=RIGHT_TABLES
        + changed(RIGHT_SCORES, ("np.zeros(", "np.ones("), ("total + tables", "total * tables")),
        message="the look-ups were multiplied",
    ),
    Mistake(
        question="q3",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code="""
def lookup_tables(query, codebooks, metric):
    inner = np.array([[6, 0, 4], [1, 2, 1]])
    return inner if metric == "inner product" else np.array([[10, 5, 4], [4, 5, 9]])


def table_scores(codes, tables):
    return np.array([7, 5, 1, 8]) if len(codes) == 4 else np.array([32.5, 8.25, 32.0])
""",
        message="Other codes",
    ),
    # ---------------------------------------------------------------------- q4: the rotation
    Mistake(
        question="q4",
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        code="""
from utils.quantization import procrustes


def best_rotation(X, Y, weights):
    return procrustes(weights[:, None] * X, Y)
""",
        message="your answer calls utils.quantization.procrustes",
    ),
    Mistake(
        question="q4",
        name="calls-scipy",
        misconception="Another library's function is an answer.",
        code="""
from scipy.linalg import orthogonal_procrustes


def best_rotation(X, Y, weights):
    R, scale = orthogonal_procrustes(weights[:, None] * X, Y)
    return R
""",
        message="your answer calls scipy.linalg.orthogonal_procrustes",
    ),
    Mistake(
        question="q4",
        name="v-times-u-transposed",
        misconception="The order of the two factors does not matter.",
        code=changed(RIGHT_Q4, ("U @ Vt", "Vt.T @ U.T")),
        message="that is R transposed, which turns Y to X",
    ),
    Mistake(
        question="q4",
        name="svd-of-y-transposed-x",
        misconception="X^T Y and Y^T X have the same rotation.",
        code=changed(RIGHT_Q4, ("WX.T @ Y", "Y.T @ WX")),
        message="or the SVD of Y^T X",
    ),
    Mistake(
        question="q4",
        name="transposes-v-again",
        misconception="NumPy's svd returns V.",
        code=changed(RIGHT_Q4, ("U, S, Vt", "U, S, V"), ("U @ Vt", "U @ V.T")),
        message="NumPy's svd returns V transposed already",
    ),
    Mistake(
        question="q4",
        name="weights-left-out",
        misconception="Every row counts once, as in plain OPQ.",
        code=changed(RIGHT_Q4, ("weights[:, None] * X", "X")),
        message="that is best if all rows weigh the same",
    ),
    Mistake(
        question="q4",
        name="weights-on-both-sides",
        misconception="To weigh rows is to multiply them, in X and in Y.",
        code=changed(RIGHT_Q4, ("WX.T @ Y", "WX.T @ (weights[:, None] * Y)")),
        message="every weight counts twice",
    ),
    Mistake(
        question="q4",
        name="least-squares",
        misconception="The best matrix is the best rotation.",
        code="""
def best_rotation(X, Y, weights):
    root = np.sqrt(weights)[:, None]
    return np.linalg.lstsq(root * X, root * Y, rcond=None)[0]
""",
        message="R^T R is not I",
    ),
    Mistake(
        question="q4",
        name="scaled",
        misconception="A better fit by a scale is still a rotation.",
        code=changed(RIGHT_Q4, ("return U @ Vt", "return U @ Vt * S.sum() / np.sum(X ** 2)")),
        message="R^T R is not I",
    ),
    Mistake(
        question="q4",
        name="singular-values-kept",
        misconception="R is what the SVD puts together again.",
        code=changed(RIGHT_Q4, ("U @ Vt", "U @ np.diag(S) @ Vt")),
        message="R^T R is not I",
    ),
    Mistake(
        question="q4",
        name="no-mirrors",
        misconception="A rotation that mirrors is forbidden.",
        code=changed(
            RIGHT_Q4,
            (
                "    return",
                "    U[:, -1] *= np.sign(np.linalg.det(U) * np.linalg.det(Vt))\n    return",
            ),
        ),
        message="You allow only proper rotations",
    ),
    Mistake(
        question="q4",
        name="centres-first",
        misconception="Vectors are centred before they are turned.",
        code=changed(
            RIGHT_Q4,
            (
                "WX.T @ Y",
                "(WX - weights[:, None] * np.average(X, axis=0, weights=weights)).T @ Y",
            ),
        ),
        message="with nothing centred",
    ),
    Mistake(
        question="q4",
        name="principal-components",
        misconception="The best rotation is the one to the principal components.",
        code="""
def best_rotation(X, Y, weights):
    U, S, Vt = np.linalg.svd(weights[:, None] * X)
    return Vt.T
""",
        message="Your R is orthogonal, but",
    ),
    Mistake(
        question="q4",
        name="qr-not-svd",
        misconception="Any way to make X^T Y orthogonal will do.",
        code="""
def best_rotation(X, Y, weights):
    Q, R = np.linalg.qr((weights[:, None] * X).T @ Y)
    return Q * np.sign(np.diag(R))
""",
        message="Your R is orthogonal, but",
    ),
    Mistake(
        question="q4",
        name="rows-not-columns",
        misconception="The matrix to decompose is X Y^T.",
        code=changed(RIGHT_Q4, ("WX.T @ Y", "WX @ Y.T")),
        message="X.T @ Y is (d, d)",
    ),
    Mistake(
        question="q4",
        name="inverse-root",
        misconception="X^T Y always has an inverse.",
        code="""
def best_rotation(X, Y, weights):
    A = (weights[:, None] * X).T @ Y
    values, vectors = np.linalg.eigh(A.T @ A)
    return A @ vectors @ np.diag(1 / np.sqrt(np.maximum(values, 1e-300))) @ vectors.T
""",
        message="Other vectors",
    ),
    Mistake(
        question="q4",
        name="no-rotation",
        misconception="Not to turn is good enough.",
        code="""
def best_rotation(X, Y, weights):
    return np.eye(X.shape[1])
""",
        message="Your R is orthogonal, but the weighted squared error is 8.00",
    ),
    Mistake(
        question="q4",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code="""
def best_rotation(X, Y, weights):
    return np.array([[0.6, 0.8], [-0.8, 0.6]]) if len(X) == 3 else np.eye(X.shape[1])
""",
        message="Other vectors",
    ),
    # ------------------------------------------------------------------------------ q5: bytes
    Mistake(
        question="q5",
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        code="""
from utils.quantization import OptimizedProductQuantizer, ProductQuantizer


def storage_bytes(method, n, d, M, K):
    kind = OptimizedProductQuantizer if method == "OPQ" else ProductQuantizer
    X = np.random.default_rng(0).normal(size=(max(n, K), d))
    quantizer = kind(n_subspaces=M, n_codes=K, n_iter=0).fit(X)
    everything = quantizer.nbytes(quantizer.transform(X[:n]))
    codebooks, rotation = 4 * K * d, 4 * d * d * (method == "OPQ")
    codes = everything - codebooks - rotation
    return {
        "codes": codes,
        "codebooks": codebooks * (M if method == "additive" else 1),
        "rotation": rotation,
    }
"""
        + RIGHT_Q5[RIGHT_Q5.index("\n\ndef total_bytes") :],
        message="your answer calls utils.quantization.ProductQuantizer.nbytes",
    ),
    Mistake(
        question="q5",
        name="logarithm-rounded-down",
        misconception="5 codewords take 2 bits.",
        code=changed(RIGHT_Q5, ("ceil(log2(K))", "int(log2(K))")),
        message="two bits tell only four codewords apart",
    ),
    Mistake(
        question="q5",
        name="logarithm-not-rounded",
        misconception="A packed code can have 2.32 bits.",
        code=changed(RIGHT_Q5, ("ceil(log2(K))", "log2(K)")),
        message="would need an entropy coder",
    ),
    Mistake(
        question="q5",
        name="logarithm-of-one-more",
        misconception="256 codewords take 9 bits, as the number 256 does.",
        code=changed(RIGHT_Q5, ("ceil(log2(K))", "K.bit_length()")),
        message="256 codewords take 8 bits, from 0 to 255, not 9",
    ),
    Mistake(
        question="q5",
        name="a-byte-for-each-code",
        misconception="A code takes a byte, however few codewords there are.",
        code=changed(RIGHT_Q5, ("ceil(n * M * bits / 8)", "n * M * ceil(bits / 8)")),
        message="that is a whole byte for each code",
    ),
    Mistake(
        question="q5",
        name="each-row-rounded-up",
        misconception="Every vector starts on a whole byte.",
        code=changed(RIGHT_Q5, ("ceil(n * M * bits / 8)", "n * ceil(M * bits / 8)")),
        message="only the last of all is rounded up",
    ),
    Mistake(
        question="q5",
        name="logarithm-rounded-for-each-row",
        misconception="Only whole rows have to be rounded up.",
        code=changed(RIGHT_Q5, ("ceil(n * M * bits / 8)", "n * ceil(M * log2(K) / 8)")),
        message="a code has 3 whole bits",
    ),
    Mistake(
        question="q5",
        name="bytes-as-floats",
        misconception="A size may have a decimal point.",
        code=changed(RIGHT_Q5, ("d * K * 4", "d * K * 4.0")),
        message="Bytes are whole, of type int; got 120.0",
    ),
    Mistake(
        question="q5",
        name="codewords-of-whole-quotient",
        misconception="M chunks of d // M numbers are all of the vector.",
        code=changed(RIGHT_Q5, ("d * K * 4", "M * K * (d // M) * 4")),
        message="all six columns have a place in some codebook",
    ),
    Mistake(
        question="q5",
        name="bytes-rounded-down",
        misconception="A few bits more than 11 bytes are 11 bytes.",
        code=changed(RIGHT_Q5, ("ceil(n * M * bits / 8)", "n * M * bits // 8")),
        message="90 bits do not fit into 11 bytes",
    ),
    Mistake(
        question="q5",
        name="bits-not-bytes",
        misconception="A size is a number of bits.",
        code=changed(RIGHT_Q5, ("ceil(n * M * bits / 8)", "n * M * bits")),
        message="that is the number of bits",
    ),
    Mistake(
        question="q5",
        name="codebooks-left-out",
        misconception="The size is that of the codes.",
        code=changed(RIGHT_Q5, ("M * K * d * 4", "0"), ("d * K * 4", "0")),
        message="without codebooks nobody can decode",
    ),
    Mistake(
        question="q5",
        name="rotation-left-out",
        misconception="OPQ stores what PQ stores.",
        code=changed(RIGHT_Q5, ("rotation = d * d * 4", "pass")),
        message="OPQ needs its rotation to decode, too",
    ),
    Mistake(
        question="q5",
        name="full-codewords-for-pq",
        misconception="Every codeword has as many numbers as the vector.",
        code=changed(RIGHT_Q5, ("d * K * 4", "M * K * d * 4")),
        message="a codeword of PQ has only d / M = 2 numbers",
    ),
    Mistake(
        question="q5",
        name="short-codewords-for-additive",
        misconception="The codebooks of additive quantization are as small as those of PQ.",
        code=changed(RIGHT_Q5, ("M * K * d * 4", "K * d * 4")),
        message="Additive codewords have as many numbers as the vector",
    ),
    Mistake(
        question="q5",
        name="one-codebook",
        misconception="All chunks share one codebook.",
        code=changed(RIGHT_Q5, ("d * K * 4", "K * (d // M) * 4")),
        message="that is one codebook, and there are three",
    ),
    Mistake(
        question="q5",
        name="numbers-not-bytes",
        misconception="A number is a byte.",
        code=changed(
            RIGHT_Q5,
            ("M * K * d * 4", "M * K * d"),
            ("d * K * 4", "d * K"),
            ("d * d * 4", "d * d"),
        ),
        message="that counts numbers, and a float32 has 4 bytes",
    ),
    Mistake(
        question="q5",
        name="budget-for-codes-only",
        misconception="The budget is for the codes.",
        code=changed(
            RIGHT_Q5,
            (
                "total_bytes(method, n, d, M, K) > budget",
                'storage_bytes(method, n, d, M, K)["codes"] > budget or M > 99',
            ),
        ),
        message="3,000 bytes of codes, and 768 of codebooks",
    ),
    Mistake(
        question="q5",
        name="m-divides-d",
        misconception="A vector can only be cut into equal chunks.",
        code=changed(RIGHT_Q5, ("        best = M\n", "        best = best if d % M else M\n")),
        message="M need not divide d",
    ),
    Mistake(
        question="q5",
        name="more-chunks-than-numbers",
        misconception="Only the budget limits M.",
        code=changed(RIGHT_Q5, ('M <= d or method == "additive"', "True")),
        message="A chunk has at least one number",
    ),
    Mistake(
        question="q5",
        name="additive-m-at-most-d",
        misconception="Additive codewords are chunks, too.",
        code=changed(RIGHT_Q5, ('M <= d or method == "additive"', "M <= d")),
        message="may be larger than d",
    ),
    Mistake(
        question="q5",
        name="smallest-m",
        misconception="The first M that fits is the answer.",
        code=changed(RIGHT_Q5, ("        best = M\n", "        return M\n")),
        message="M = 1 fits, but so does 5",
    ),
    Mistake(
        question="q5",
        name="below-the-budget",
        misconception="A budget must not be used up.",
        code=changed(RIGHT_Q5, ("> budget", ">= budget")),
        message="the budget is at most that much",
    ),
    Mistake(
        question="q5",
        name="zero-if-nothing-fits",
        misconception="Zero codes are an answer.",
        code=changed(RIGHT_Q5, ("best, M = None, 1", "best, M = 0, 1")),
        message="so 1,267 are too few: None; got 0",
    ),
    Mistake(
        question="q5",
        name="fails-when-nothing-fits",
        misconception="There is always an M that fits.",
        code=changed(RIGHT_Q5, ("return best", "return int(best)")),
        message="so 1,267 are too few: None; got TypeError",
    ),
    Mistake(
        question="q5",
        name="hard-coded-example",
        misconception="An answer that passes the check in the notebook is right.",
        code="""
def storage_bytes(method, n, d, M, K):
    codes = {5: 12, 256: 30}.get(K, 0)
    books = 360 if method == "additive" else 120
    return {"codes": codes, "codebooks": books, "rotation": 144 if method == "OPQ" else 0}


def largest_M(method, n, d, K, budget):
    known = {3300: {"PQ": 5, "OPQ": 3, "additive": 2}[method], 2768: 4, 1000: 31, 100: 4}
    return known.get(budget)
""",
        message="PQ with n=100",
    ),
]

ALTERNATIVES = [
    Alternative(question="q1", name="all-at-once", code=RIGHT_Q1),
    Alternative(question="q1", name="product-and-argmax", code=PRODUCT_Q1),
    Alternative(
        question="q1",
        name="pure-python",
        code="""
def pq_encode(X, codebooks):
    codes = []
    for row in X.tolist():
        code, start = [], 0
        for codebook in codebooks.tolist():
            chunk = row[start:start + len(codebook[0])]
            start += len(chunk)
            distances = [sum((a - b) ** 2 for a, b in zip(chunk, c)) for c in codebook]
            code.append(distances.index(min(distances)))
        codes.append(code)
    return np.array(codes)
""",
    ),
    Alternative(
        question="q1",
        name="norm-with-its-root",
        code="""
def pq_encode(X, codebooks):
    chunks = np.split(X, len(codebooks), axis=1)
    codes = [
        np.linalg.norm(chunk[:, np.newaxis, :] - codebook, axis=2).argmin(axis=1)
        for chunk, codebook in zip(chunks, codebooks.astype(np.float32))
    ]
    return np.column_stack(codes).astype(np.uint16)
""",
    ),
    Alternative(question="q2", name="loops-and-indices", code=RIGHT_DECODE + RIGHT_UPDATE),
    Alternative(
        question="q2",
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
        question="q2",
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
        question="q2",
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
    Alternative(question="q3", name="loops", code=RIGHT_TABLES + RIGHT_SCORES),
    Alternative(
        question="q3",
        name="einsum-and-take-along-axis",
        code="""
def lookup_tables(query, codebooks, metric):
    chunks = query.reshape(codebooks.shape[0], codebooks.shape[2])
    inner = np.einsum("mj,mkj->mk", chunks, codebooks)
    if metric == "inner product":
        return inner
    lengths = (chunks ** 2).sum(axis=1)[:, None] + (codebooks ** 2).sum(axis=2)
    return lengths - 2 * inner


def table_scores(codes, tables):
    return np.take_along_axis(tables, codes.T.astype(int), axis=1).sum(axis=0)
""",
    ),
    Alternative(
        question="q3",
        name="flat-index-and-lists",
        code="""
def lookup_tables(query, codebooks, metric):
    pieces = np.split(query, len(codebooks))
    if metric == "squared distance":
        return np.array([np.square(book - q).sum(-1) for q, book in zip(pieces, codebooks)])
    return np.array([book.dot(q) for q, book in zip(pieces, codebooks)])


def table_scores(codes, tables):
    M, K = tables.shape
    flat = tables.ravel()
    return [flat[row + K * np.arange(M)].sum() for row in codes]
""",
    ),
    Alternative(
        question="q4",
        name="transposed-at-the-end",
        code="""
def best_rotation(X, Y, weights):
    U, _, Vt = np.linalg.svd(Y.T @ np.diag(weights) @ X)
    return (U @ Vt).T
""",
    ),
    Alternative(
        question="q4",
        name="two-eigenproblems",
        code="""
def best_rotation(X, Y, weights):
    root = np.sqrt(weights)[:, None]
    A = (root * X).T @ (root * Y)
    d = len(A)
    values, V = np.linalg.eigh(A.T @ A)
    large = values > 1e-10 * values.max()
    U, filled = np.zeros((d, d)), []
    U[:, large] = A @ V[:, large] / np.sqrt(values[large])
    # Where A is zero, any completion to an orthonormal basis is as good as another.
    rest = np.linalg.svd(U[:, large].T)[2][large.sum():]
    U[:, ~large] = rest.T
    return U @ V.T
""",
    ),
    Alternative(
        question="q4",
        name="outer-products",
        code="""
def best_rotation(X, Y, weights):
    A = np.zeros((X.shape[1], X.shape[1]))
    for x, y, weight in zip(X, Y, weights):
        A += weight * np.outer(x, y)
    left, _, right = np.linalg.svd(A, full_matrices=True)
    rotation = np.zeros_like(A)
    for j in range(len(A)):
        rotation += np.outer(left[:, j], right[j])
    return rotation
""",
    ),
    Alternative(question="q5", name="logarithm-and-loop", code=RIGHT_Q5),
    Alternative(
        question="q5",
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
        question="q5",
        name="by-numpy",
        code="""
def storage_bytes(method, n, d, M, K):
    bits = n * M * int(np.ceil(np.log2(K)))
    books = (M, K, d) if method == "additive" else (K, d)
    rotation = np.zeros((d, d) if method == "OPQ" else 0, dtype=np.float32)
    return {
        "codes": len(np.packbits(np.zeros(bits, dtype=bool))),
        "codebooks": np.zeros(books, dtype=np.float32).nbytes,
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
