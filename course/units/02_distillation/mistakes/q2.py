"""Question 2, a layer in two factors: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

RANK = "min(budget // (sum(shape) * bytes_per_value), *shape)"
PAID = "budget // (sum(shape) * bytes_per_value)"
CHECK = "    if rank < 1:\n"
RAISE = 'raise ValueError(f"{budget} bytes do not pay for rank 1")'
SVD = "    U, s, Vt = np.linalg.svd(matrix, full_matrices=False)\n"
A = "U[:, :rank] * s[:rank]"
ERROR = "np.sum(s[rank:] ** 2) / np.sum(s**2)"
RESULT = f"{A}, Vt[:rank], {ERROR}"
TALL = "np.eye(*matrix.shape)"


def rank(*texts):
    """The rank written so: a form for each text."""
    return [((RANK, text),) for text in texts]


def paid(*texts):
    return [((PAID, text),) for text in texts]


def error(*texts):
    return [((ERROR, text),) for text in texts]


def factors(*pairs):
    return [((f"{A}, Vt[:rank]", pair),) for pair in pairs]


def other_svd(*lines):
    return [((SVD, "".join(f"    {line}\n" for line in group.split("\n"))),) for group in lines]


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to use is the same as knowing what it does.",
        message="your answer calls utils.distillation.truncated_svd",
        changes=(
            ("def rank_for_bytes", "from utils import distillation\n\n\ndef rank_for_bytes"),
            (RESULT, f"*distillation.truncated_svd(matrix, rank), {ERROR}"),
        ),
    ),
    # ---------------------------------------------------------------- rank_for_bytes
    Mistake(
        "first-factor-only",
        "The second factor is small enough to forget.",
        "That pays for A only, of `rows` numbers for each rank; B has to be stored, too.",
        variants=tuple(paid("budget // (shape[0] * bytes_per_value)")),
    ),
    Mistake(
        "second-factor-only",
        "The first factor replaces the layer before it.",
        "That pays for B only, of `columns` numbers for each rank; A has to be stored, too.",
        variants=tuple(paid("budget // (shape[1] * bytes_per_value)")),
    ),
    Mistake(
        "one-side-for-both",
        "Both factors have the same shape.",
        "A has `rows` numbers for each rank and B has `columns`; you count the same side for both, or "
        "only the larger or the smaller one.",
        variants=tuple(
            paid(
                *(
                    f"budget // ({side} * bytes_per_value)"
                    for side in (
                        "2 * shape[0]",
                        "2 * shape[1]",
                        "2 * min(shape)",
                        "max(shape)",
                        "min(shape)",
                    )
                )
            )
        ),
    ),
    Mistake(
        "half-of-the-budget-each",
        "Each factor gets half of the budget.",
        "You give half of the budget to each factor, or count the larger side twice. The factors share "
        "the budget: what the smaller one does not need is left for the other.",
        variants=tuple(
            paid(
                "min(budget // 2 // (side * bytes_per_value) for side in shape)",
                "budget // (2 * max(shape) * bytes_per_value)",
            )
        ),
    ),
    Mistake(
        "half-of-the-budget",
        "Two factors cost twice as much.",
        "You spend half of the budget, or twice of it: `rows` plus `columns` numbers a rank are both "
        "factors already.",
        variants=tuple(
            paid(
                "budget // (2 * sum(shape) * bytes_per_value)",
                "2 * budget // (sum(shape) * bytes_per_value)",
            )
        ),
    ),
    Mistake(
        "values-for-bytes",
        "A budget counts values.",
        "The budget is in bytes, and a number takes `bytes_per_value` of them: divide by that.",
        variants=tuple(paid("budget // sum(shape)", "budget * bytes_per_value // sum(shape)")),
    ),
    Mistake(
        "fixed-bytes-per-value",
        "A number takes 4 bytes.",
        "You assume how many bytes a number takes; that is `bytes_per_value`.",
        variants=tuple(paid(*(f"budget // (sum(shape) * {b})" for b in (2, 4, 8)))),
    ),
    Mistake(
        "bits",
        "A budget is given in bits.",
        "You count bits; both the budget and `bytes_per_value` are bytes.",
        variants=tuple(
            paid(
                "budget // (sum(shape) * bytes_per_value * 8)",
                "budget * 8 // (sum(shape) * bytes_per_value)",
            )
        ),
    ),
    Mistake(
        "kilobytes",
        "A budget is given in kilobytes.",
        "You count kilobytes; the budget is in bytes.",
        variants=tuple(
            paid(
                "budget * 1024 // (sum(shape) * bytes_per_value)",
                "budget * 1000 // (sum(shape) * bytes_per_value)",
            )
        ),
    ),
    Mistake(
        "rounded-up",
        "A budget that is nearly kept is kept.",
        "You do not round down. A budget is a limit: what it does not pay in full does not fit.",
        variants=tuple(
            paid(
                "round(budget / (sum(shape) * bytes_per_value))",
                "-(-budget // (sum(shape) * bytes_per_value))",
                "int(budget / (sum(shape) * bytes_per_value) + 0.5)",
            )
        ),
    ),
    Mistake(
        "not-rounded",
        "A rank may have a fraction.",
        "A rank counts columns, so it has no fraction: round it down to a whole number.",
        variants=tuple(paid("budget / (sum(shape) * bytes_per_value)")),
    ),
    Mistake(
        "rank-as-a-float",
        "A number is a number.",
        "The rank is a float. It counts columns: return an int.",
        variants=(
            (("return rank\n", "return float(rank)\n"),),
            ((PAID, "np.floor(budget / (sum(shape) * bytes_per_value))"),),
            ((RANK, f"np.minimum(np.floor(1.0 * {PAID}), min(shape))"),),
        ),
    ),
    Mistake(
        "bytes-of-the-matrix",
        "A rank costs as much as a matrix.",
        "You compare with the bytes of W itself; the factors have (rows + columns) r numbers.",
        variants=(
            *paid("budget // (shape[0] * shape[1] * bytes_per_value)"),
            *(
                ((RANK, text), (CHECK, "    if budget < 1:\n"))
                for text in (
                    "budget // (shape[0] * shape[1] * bytes_per_value)",
                    "int(min(shape) * budget / (shape[0] * shape[1] * bytes_per_value))",
                )
            ),
        ),
    ),
    Mistake(
        "product-of-the-sides",
        "The rank is a share of the smaller side.",
        "You take that share of the smaller side which the budget is of the bytes of W; the factors "
        "have (rows + columns) r numbers.",
        variants=tuple(paid("min(shape) * budget // (shape[0] * shape[1] * bytes_per_value)")),
    ),
    Mistake(
        "budget-not-reached",
        "A limit must not be reached.",
        "A rank that uses up the budget to the last byte fits: `at most` includes it.",
        variants=tuple(paid("(budget - 1) // (sum(shape) * bytes_per_value)")),
    ),
    Mistake(
        "one-rank-too-many",
        "Counting stops at the first rank that does not fit.",
        "That is one rank more than the budget pays for.",
        variants=(
            *paid(f"{PAID} + 1"),
            (("return rank\n", "return rank + 1\n"),),
        ),
    ),
    Mistake(
        "one-rank-too-few",
        "A range ends where it ends.",
        "That is one rank fewer than fits.",
        variants=(
            *paid(f"{PAID} - 1"),
            (("return rank\n", "return rank - 1\n"),),
        ),
    ),
    Mistake(
        "one-rank-below-the-side",
        "The rank is below the smaller side.",
        "The rank may be as large as the smaller side of the matrix, and yours stops before that.",
        variants=tuple(rank(f"min({PAID}, min(shape) - 1)", f"min({PAID}, min(shape) // 2)")),
    ),
    Mistake(
        "rank-without-end",
        "More budget, more rank.",
        "A matrix has a rank of at most its smaller side, however large the budget.",
        variants=tuple(
            rank(
                PAID,
                f"min({PAID}, max(shape))",
                f"min({PAID}, sum(shape))",
                f"min({PAID}, shape[0] * shape[1])",
            )
        ),
    ),
    Mistake(
        "rank-up-to-one-side",
        "The smaller side is always the second.",
        "You limit the rank by `rows` alone or by `columns` alone; the smaller of the two is the limit.",
        variants=tuple(rank(f"min({PAID}, shape[1])", f"min({PAID}, shape[0])")),
    ),
    Mistake(
        "rank-zero",
        "A layer may have rank 0.",
        "When the budget does not pay for rank 1, raise ValueError: a layer of rank 0 would answer 0 "
        "to everything.",
        variants=(
            ((CHECK, "    if False:\n"),),
            ((RAISE, "return None"),),
            ((RAISE, "return -1"),),
            ((CHECK, "    if budget < 1:\n"),),
            ((CHECK, "    if rank < 0:\n"),),
        ),
    ),
    Mistake(
        "at-least-rank-one",
        "There is always room for a little.",
        "You return rank 1 where the budget does not pay for it: raise ValueError.",
        variants=(((RAISE, "return 1"),),),
    ),
    Mistake(
        "another-error",
        "Any error will do.",
        "When the budget does not pay for rank 1 the question asks for a ValueError, and no other.",
        variants=(
            *(
                ((RAISE, f'raise {kind}("too little")'),)
                for kind in ("RuntimeError", "AssertionError", "IndexError", "Exception")
            ),
            ((CHECK, "    if rank:\n        pass\n    else:\n        1 / 0\n    if rank < 1:\n"),),
        ),
    ),
    Mistake(
        "rank-one-is-an-error",
        "A rank of 1 is too little.",
        "You raise an error although the budget pays for rank 1.",
        variants=(
            ((CHECK, "    if rank <= 1:\n"),),
            ((CHECK, "    if budget <= sum(shape) * bytes_per_value:\n"),),
        ),
    ),
    Mistake(
        "singular-values-stored",
        "S is a third factor.",
        "You count the singular values. S takes no bytes, since it goes into A or B.",
        variants=tuple(
            paid(
                "budget // ((sum(shape) + 1) * bytes_per_value)",
                "max((r for r in range(1, min(shape) + 1)"
                " if r * (sum(shape) + r) * bytes_per_value <= budget), default=0)",
            )
        ),
    ),
    Mistake(
        "a-bias-or-header-counted",
        "A layer has a bias.",
        "You take something off the budget before you divide. Only the two factors are paid from it.",
        variants=tuple(
            paid(
                "(budget - shape[1] * bytes_per_value) // (sum(shape) * bytes_per_value)",
                "(budget - shape[0] * bytes_per_value) // (sum(shape) * bytes_per_value)",
                "(budget - 16) // (sum(shape) * bytes_per_value)",
                "(budget - bytes_per_value) // (sum(shape) * bytes_per_value)",
            )
        ),
    ),
    Mistake(
        "never-more-than-the-matrix",
        "Factors that are larger than the matrix are useless, so they are not allowed.",
        "You leave out ranks at which A and B have more numbers than W. That may be wise, but the "
        "question asks for the largest rank that the budget pays for.",
        variants=(
            *rank(
                f"min({PAID}, shape[0] * shape[1] // sum(shape))",
                f"min({PAID}, (shape[0] * shape[1] - 1) // sum(shape))",
                f"min({PAID}, max(1, shape[0] * shape[1] // sum(shape)))",
            ),
            (
                (
                    f"    rank = {RANK}",
                    "    if budget >= shape[0] * shape[1] * bytes_per_value:\n"
                    f"        return min(shape)\n    rank = {RANK}",
                ),
            ),
        ),
    ),
    Mistake(
        "too-large-a-budget-is-an-error",
        "A budget that cannot be spent is wrong.",
        "A budget for more than the smaller side is no error: the rank is the smaller side then.",
        variants=(
            (
                (
                    f"    rank = {RANK}\n",
                    f"    rank = {PAID}\n    if rank > min(shape):\n"
                    '        raise ValueError("more than there is")\n',
                ),
            ),
        ),
    ),
    Mistake(
        "hard-coded-rank",
        "An answer that passes the example is right.",
        "The rank is that of the example, whatever the input.",
        variants=tuple(rank("2", "9")),
    ),
    # ---------------------------------------------------------------- the factors
    Mistake(
        "smallest-singular-values",
        "NumPy sorts in ascending order, as everywhere.",
        "You kept the smallest singular values; the largest carry the most.",
        variants=(
            *factors("U[:, -rank:] * s[-rank:], Vt[-rank:]"),
            (
                (
                    RESULT,
                    "U[:, -rank:] * s[-rank:], Vt[-rank:], np.sum(s[:-rank]**2) / np.sum(s**2)",
                ),
            ),
            (
                (
                    SVD + f"    return {RESULT}",
                    "    w, V = np.linalg.eigh(matrix.T @ matrix)\n"
                    "    return matrix @ V[:, :rank], V[:, :rank].T, np.sum(w[rank:]) / np.sum(w)",
                ),
            ),
        ),
    ),
    Mistake(
        "singular-values-lost",
        "The directions are all that matters.",
        "The singular values are lost: W = U S Vt, so S has to go into A or B.",
        variants=tuple(factors("U[:, :rank], Vt[:rank]")),
    ),
    Mistake(
        "singular-values-twice",
        "Both factors need the singular values.",
        "The singular values are in A and in B; once is enough, or their root in both.",
        variants=tuple(
            factors(f"{A}, s[:rank, None] * Vt[:rank]", "U[:, :rank] * s[:rank] ** 2, Vt[:rank]")
        ),
    ),
    Mistake(
        "half-of-the-singular-values-each",
        "Sharing out S means halving it.",
        "You halve the singular values for each factor. In a product halves make a quarter: share "
        "out their root.",
        variants=tuple(
            factors(
                "U[:, :rank] * s[:rank] / 2, s[:rank, None] / 2 * Vt[:rank]",
                "U[:, :rank] * s[:rank] / 2, Vt[:rank] / 2",
            )
        ),
    ),
    Mistake(
        "root-in-one-factor",
        "The root of S belongs into a factor.",
        "Only the root of the singular values is in your product: it belongs into both factors, or S "
        "into one.",
        variants=tuple(
            factors(
                "U[:, :rank] * np.sqrt(s[:rank]), Vt[:rank]",
                "U[:, :rank], np.sqrt(s[:rank, None]) * Vt[:rank]",
            )
        ),
    ),
    Mistake(
        "singular-values-on-the-wrong-side",
        "Multiplying by S is multiplying by S, along whatever axis.",
        "S is applied along the wrong axis: it scales the columns of U, or the rows of Vt.",
        variants=tuple(
            factors(
                "U[:, :rank], Vt[:rank] * np.resize(s, Vt.shape[1])",
                "U[:, :rank], Vt[:rank] * np.pad(s, (0, Vt.shape[1] - len(s)))",
                "U[:, :rank], Vt[:rank] * s[: Vt.shape[1]]",
                "U[:, :rank] * np.resize(s, len(U))[:, None], Vt[:rank]",
                "U[:, :rank] * np.pad(s, (0, len(U) - len(s)))[:, None], Vt[:rank]",
                "U[:, :rank] * s[:, None], Vt[:rank]",
            )
        ),
    ),
    Mistake(
        "singular-values-in-another-order",
        "The singular values may be sorted once more.",
        "The singular values do not stand with their directions: keep them in the order of NumPy.",
        variants=tuple(
            factors(
                "U[:, :rank] * s[:rank][::-1], Vt[:rank]", "U[:, :rank] * s[::-1][:rank], Vt[:rank]"
            )
        ),
    ),
    Mistake(
        "normalised",
        "Singular values are shares.",
        "You scale the singular values, or W; take them as they are.",
        variants=(
            *factors(
                "U[:, :rank] * s[:rank] / s[0], Vt[:rank]",
                "U[:, :rank] * s[:rank] / s.sum(), Vt[:rank]",
                "U[:, :rank] / s[:rank], Vt[:rank]",
                "U[:, :rank] * s[:rank] * np.sum(s) / np.sum(s[:rank]), Vt[:rank]",
            ),
            *other_svd(
                "U, s, Vt = np.linalg.svd(matrix / np.abs(matrix).max(), full_matrices=False)",
                "U, s, Vt = np.linalg.svd(matrix / np.linalg.norm(matrix), full_matrices=False)",
            ),
        ),
    ),
    Mistake(
        "transposed-again",
        "NumPy returns V, and its columns are wanted.",
        "NumPy's Vt is transposed already: B is made of its rows.",
        variants=tuple(factors(f"{A}, Vt[:, :rank].T", f"{A}, Vt.T[:rank]")),
    ),
    Mistake(
        "rows-of-u",
        "The first directions are the first rows.",
        "The directions are the columns of U and the rows of Vt, and you cut the others.",
        variants=tuple(
            factors(
                "U[:rank] * s, Vt[:, :rank]",
                "U[:rank] * s[:rank], Vt[:, :rank]",
                "U[:rank].T * s[:rank], Vt[:rank]",
                "U[:rank], Vt[:, :rank]",
                "(U * s)[:rank], Vt[:, :rank]",
                "(U * s)[:rank], Vt[:rank]",
                f"{A}, Vt[:, :rank]",
            )
        ),
    ),
    Mistake(
        "all-of-it",
        "Small singular values cost nothing.",
        "Your factors have another rank than asked for: all of U and Vt are kept, or all of one.",
        variants=tuple(
            factors(
                "U * s, Vt",
                f"{A}, Vt",
                "U * s, Vt[:rank]",
                "U * np.where(np.arange(len(s)) < rank, s, 0), Vt",
            )
        ),
    ),
    Mistake(
        "one-rank-more-in-the-factors",
        "Rank r ends with the singular value of index r.",
        "Your factors have one rank more than asked for.",
        variants=(
            *factors("U[:, :rank + 1] * s[:rank + 1], Vt[:rank + 1]"),
            ((SVD, SVD + "    rank = rank + 1\n"),),
        ),
    ),
    Mistake(
        "one-rank-fewer-in-the-factors",
        "Slices include their end.",
        "Your factors have one rank fewer than asked for, or leave out the first direction.",
        variants=(
            *factors(
                "U[:, :rank - 1] * s[:rank - 1], Vt[:rank - 1]",
                "U[:, 1:rank] * s[1:rank], Vt[1:rank]",
                "U[:, 1:rank + 1] * s[1:rank + 1], Vt[1:rank + 1]",
            ),
            ((SVD, SVD + "    rank = rank - 1\n"),),
        ),
    ),
    Mistake(
        "rank-of-the-example",
        "The rank is 1, or 2.",
        "Your factors have always the same rank, and not the one asked for.",
        variants=tuple(
            [((SVD, SVD + f"    rank = {r}\n"),) for r in ("1", "2", "min(rank, 2)", "3")]
        ),
    ),
    Mistake(
        "product-returned",
        "An approximation is a matrix.",
        "Return A, B and the error, three results; the product of the factors is not among them.",
        variants=(
            ((RESULT, f"({A}) @ Vt[:rank], {ERROR}"),),
            ((RESULT, f"({A}) @ Vt[:rank]"),),
            ((RESULT, f"({A}) @ Vt[:rank], Vt[:rank], {ERROR}"),),
        ),
    ),
    Mistake(
        "error-not-returned",
        "The factors are what was asked for.",
        "Return A, B and the error: three results, in this order.",
        variants=(
            ((RESULT, f"{A}, Vt[:rank]"),),
            ((RESULT, f"{A}, s[:rank], Vt[:rank], {ERROR}"),),
        ),
    ),
    Mistake(
        "three-factors",
        "A singular value decomposition has three factors.",
        "Those are U, S and Vt. Two factors and the error were asked for: put S into A or B.",
        variants=(
            ((RESULT, "U[:, :rank], s[:rank], Vt[:rank]"),),
            ((RESULT, "U[:, :rank], np.diag(s[:rank]), Vt[:rank]"),),
        ),
    ),
    Mistake(
        "results-in-another-order",
        "The order of results makes no difference.",
        "The results are A, B, error in this order, A of shape (rows, rank) and B of (rank, columns).",
        variants=(
            ((RESULT, f"Vt[:rank], {A}, {ERROR}"),),
            ((RESULT, f"Vt[:rank].T, ({A}).T, {ERROR}"),),
            ((RESULT, f"{A}, Vt[:rank].T, {ERROR}"),),
            ((RESULT, f"({A}).T, Vt[:rank], {ERROR}"),),
        ),
    ),
    Mistake(
        "signs-dropped",
        "The signs of singular vectors are free.",
        "You dropped the signs of U or Vt. Only those of a whole direction are free, in both at once.",
        variants=tuple(
            factors(
                "np.abs(U[:, :rank]) * s[:rank], np.abs(Vt[:rank])",
                f"{A}, np.abs(Vt[:rank])",
                "np.abs(U[:, :rank]) * s[:rank], Vt[:rank]",
                f"{A}, -Vt[:rank]",
            )
        ),
    ),
    Mistake(
        "mean-subtracted",
        "A singular value decomposition is a principal component analysis.",
        "You subtract a mean first, and so approximate another matrix. Take W as it is.",
        variants=tuple(
            [
                (
                    (SVD, SVD.replace("svd(matrix", f"svd(matrix - matrix.mean({axis})")),
                    (A, ab),
                )
                # Of one row or column nothing is left; which vectors nothing has depends on the processor.
                for axis, ab in (
                    ("axis=0", A),
                    ("", A),
                    ("", "(matrix @ Vt[:rank].T)"),
                    ("axis=1, keepdims=True", A),
                )
            ]
        ),
    ),
    Mistake(
        "eigenvalues-unsorted",
        "Eigenvalues come in descending order, as singular values do.",
        "The directions are not those with the largest singular values: np.linalg.eig sorts nothing, "
        "and np.linalg.eigh in ascending order.",
        variants=tuple(
            [
                (
                    # Not `eig`: in which order it gives them depends on the processor.
                    (SVD, "    w, V = np.linalg.eigh(matrix.T @ matrix)\n"),
                    (RESULT, f"matrix @ V[:, :rank], V[:, :rank].T, {lost}"),
                )
                for lost in (
                    "np.sum(w[rank:]) / np.sum(w)",
                    "1 - np.sum((matrix @ V[:, :rank])**2) / np.sum(matrix**2)",
                )
            ]
        ),
    ),
    Mistake(
        "a-part-of-the-matrix",
        "The first columns are the most important ones.",
        "You keep rows or columns of W itself, which is not the best approximation: the directions come "
        "from the singular value decomposition.",
        variants=tuple(
            [
                (
                    (
                        SVD + f"    return {RESULT}",
                        f"    A, B = {pair}\n"
                        "    return A, B, np.sum((matrix - A @ B)**2) / np.sum(matrix**2)",
                    ),
                )
                for pair in (
                    "matrix[:, :rank], np.eye(rank, matrix.shape[1])",
                    "np.eye(len(matrix), rank), matrix[:rank]",
                    "matrix[:, :rank], np.linalg.pinv(matrix[:, :rank]) @ matrix",
                    "np.linalg.qr(matrix)[0][:, :rank], np.linalg.qr(matrix)[1][:rank]",
                )
            ]
        ),
    ),
    Mistake(
        "search-stopped-early",
        "A few rounds of an iteration come close enough.",
        "That is a search from a random start, stopped before it arrived; the singular value "
        "decomposition gives the best factors at once.",
        variants=tuple(
            [
                (
                    (
                        SVD + f"    return {RESULT}",
                        "    random = np.random.default_rng(0)\n"
                        f"    A = random.{draw}(size=(matrix.shape[0], rank))\n"
                        f"    for _ in range({rounds}):\n"
                        "        B = np.linalg.lstsq(A, matrix, rcond=None)[0]\n"
                        "        A = np.linalg.lstsq(B.T, matrix.T, rcond=None)[0].T\n"
                        "    return A, B, np.sum((matrix - A @ B) ** 2) / np.sum(matrix**2)",
                    ),
                )
                for draw in ("normal", "random")
                for rounds in (1, 2, 3, 5, 10)
            ]
        ),
    ),
    Mistake(
        "random-directions",
        "Random directions are nearly as good.",
        "Those are random directions, or close to them; the singular value decomposition gives the "
        "best ones.",
        variants=tuple(
            [
                (
                    (
                        SVD + f"    return {RESULT}",
                        f"    V = np.random.default_rng({seed}).normal(size=(matrix.shape[1], rank))\n"
                        "    Q = np.linalg.qr(matrix @ V)[0]\n"
                        "    B = Q.T @ matrix\n"
                        "    return Q, B, np.sum((matrix - Q @ B) ** 2) / np.sum(matrix**2)",
                    ),
                )
                for seed in (0, 1, 42)
            ]
        ),
    ),
    Mistake(
        "factors-with-few-digits",
        "Three digits are enough.",
        "The factors are rounded, or kept with too few digits. Return them as they are.",
        variants=tuple(
            factors(
                *(f"({A}).round({d}), Vt[:rank].round({d})" for d in (1, 2, 3, 4)),
                f"({A}).astype(np.float16), Vt[:rank].astype(np.float16)",
            )
            + [
                (
                    (
                        f"    return {RESULT}",
                        f"    A, B = ({A}).round({d}), Vt[:rank].round({d})\n"
                        "    return A, B, np.sum((matrix - A @ B) ** 2) / np.sum(matrix**2)",
                    ),
                )
                for d in (1, 2, 3, 4)
            ]
        ),
    ),
    Mistake(
        "changes-its-input",
        "An argument belongs to the function that was given it.",
        "Your answer changes `matrix`, which must be the same after the call as before.",
        variants=(
            ((SVD, "    matrix -= matrix.mean(axis=0)\n" + SVD),),
            ((SVD, "    matrix /= np.linalg.norm(matrix)\n" + SVD),),
            (
                (
                    f"    return {RESULT}",
                    f"    A, B, lost = {RESULT}\n    matrix -= A @ B\n    return A, B, lost",
                ),
            ),
        ),
    ),
    # ---------------------------------------------------------------- the relative error
    Mistake(
        "error-not-squared",
        "The norm of the error is the sum of what was left out.",
        "Square the singular values before you add them up for the error.",
        variants=tuple(error("np.sum(s[rank:]) / np.sum(s)", "1 - np.sum(s[:rank]) / np.sum(s)")),
    ),
    Mistake(
        "error-squares-the-sum",
        "The square of a sum is the sum of the squares.",
        "The error squares a sum; it is a sum of squares.",
        variants=tuple(
            error(
                "np.sum(s[rank:]) ** 2 / np.sum(s) ** 2",
                "np.sum(s[rank:]) ** 2 / np.sum(s**2)",
                "np.sum(s[rank:] ** 2) / np.sum(s) ** 2",
            )
        ),
    ),
    Mistake(
        "error-is-the-root",
        "A norm has a root.",
        "Your error is the square root; both sides are squares here.",
        variants=tuple(error("np.sqrt(np.sum(s[rank:] ** 2) / np.sum(s**2))")),
    ),
    Mistake(
        "error-with-a-root-on-one-side",
        "Only one of the two norms is squared.",
        "One of the two norms of the error is squared, and the other is not.",
        variants=tuple(
            error(
                "np.sqrt(np.sum(s[rank:] ** 2)) / np.sum(s**2)",
                "np.sum(s[rank:] ** 2) / np.sqrt(np.sum(s**2))",
            )
        ),
    ),
    Mistake(
        "error-squared-once-more",
        "The norm that is squared is a sum of squares.",
        "The error is squared once too often.",
        variants=tuple(
            error(
                "(np.sum(s[rank:] ** 2) / np.sum(s**2)) ** 2",
                "np.sum(s[rank:] ** 4) / np.sum(s**4)",
            )
        ),
    ),
    Mistake(
        "share-kept",
        "The error is the share of the energy.",
        "That is the share that is kept; the error is what is lost.",
        variants=tuple(
            error(
                "np.sum(s[:rank] ** 2) / np.sum(s**2)",
                "np.sum(s[:rank]) / np.sum(s)",
                "np.sqrt(np.sum(s[:rank] ** 2) / np.sum(s**2))",
            )
        ),
    ),
    Mistake(
        "next-singular-value-only",
        "The first one left out is the error.",
        "Your error has the next singular value only; all that are left out count.",
        variants=tuple(
            error(
                "np.sum(s[rank : rank + 1] ** 2) / np.sum(s**2)",
                "np.sum(s[rank : rank + 1]) / np.sum(s)",
            )
        ),
    ),
    Mistake(
        "error-not-relative",
        "An error is a sum of squares.",
        "Your error is not relative: divide by the squares of W.",
        variants=tuple(
            error("np.sum(s[rank:] ** 2)", "np.sqrt(np.sum(s[rank:] ** 2))", "np.sum(s[rank:])")
        ),
    ),
    Mistake(
        "mean-squared-error",
        "An error is a mean squared error.",
        "That is a mean squared error, or its root; the relative error is a share of the squares of W.",
        variants=tuple(
            error(
                "np.sum(s[rank:] ** 2) / matrix.size",
                "np.sqrt(np.sum(s[rank:] ** 2) / matrix.size)",
            )
        ),
    ),
    Mistake(
        "error-against-another-measure",
        "An error is relative to something.",
        "Your error is divided by something else than the sum of all squares of W.",
        variants=tuple(
            error(
                "np.sum(s[rank:] ** 2) / np.sum(s)",
                "np.sum(s[rank:] ** 2) / np.sum(matrix) ** 2",
                "np.sum(s[rank:] ** 2) / np.var(matrix) / matrix.size",
                "np.sum(s[rank:] ** 2) / np.max(s**2)",
                "np.sum(s[rank:] ** 2) / len(s)",
                "np.mean(s[rank:] ** 2) / np.mean(s**2) if rank < len(s) else 0.0",
                "np.mean(s[rank:] ** 2) / np.mean(s**2)",
            )
        ),
    ),
    Mistake(
        "error-against-what-is-kept",
        "The error is relative to the approximation.",
        "Divide the error by the squares of all singular values, and not of those kept.",
        variants=tuple(error("np.sum(s[rank:] ** 2) / np.sum(s[:rank] ** 2)")),
    ),
    Mistake(
        "error-of-one-rank-more",
        "Rank r ends with the singular value of index r.",
        "That is the error at one rank more; r singular values are kept, not r + 1.",
        variants=tuple(error("np.sum(s[rank + 1 :] ** 2) / np.sum(s**2)")),
    ),
    Mistake(
        "error-of-one-rank-fewer",
        "The singular value of the last rank is the first one lost.",
        "That is the error at one rank fewer; r singular values are kept, not r - 1.",
        variants=tuple(error("np.sum(s[rank - 1 :] ** 2) / np.sum(s**2)")),
    ),
    Mistake(
        "spectral-norm",
        "A norm of a matrix is its spectral norm.",
        "Your error compares two single singular values, the spectral norm; here the norm is of all "
        "entries.",
        variants=tuple(
            error(
                "(s[rank:].max(initial=0) / s[0]) ** 2",
                "s[rank:].max(initial=0) / s[0]",
            )
        ),
    ),
    Mistake(
        "another-norm",
        "One norm is as good as another.",
        "Your error is of absolute values, largest ones or another norm; here it is of squares.",
        variants=tuple(
            [
                (
                    (
                        f"    return {RESULT}",
                        f"    A, B = {A}, Vt[:rank]\n    D, W = abs(matrix - A @ B), abs(matrix)\n"
                        f"    return A, B, {norm}",
                    ),
                )
                for norm in (
                    "D.mean() / W.mean()",
                    "D.max() / W.max()",
                    "np.linalg.norm(D, 1) / np.linalg.norm(W, 1)",
                    "D.max()",
                    "D.mean()",
                    "np.mean(D / W)",
                    "np.mean((D / W) ** 2)",
                    "np.max(D / W)",
                )
            ]
        ),
    ),
    Mistake(
        "share-of-the-numbers",
        "The error is the share of what is left out.",
        "You count how many singular values or numbers are left out, and not how large they are.",
        variants=tuple(error("1 - rank / len(s)", "1 - rank * sum(matrix.shape) / matrix.size")),
    ),
    Mistake(
        "percent",
        "An error is given in percent.",
        "That is the error in percent; it is a share.",
        variants=tuple(error(f"100 * {ERROR}")),
    ),
    Mistake(
        "error-rounded",
        "Three digits are enough.",
        "The error is rounded. Return it as it is.",
        variants=tuple(error(*(f"round({ERROR}, {d})" for d in (2, 3, 4)))),
    ),
    Mistake(
        "no-return",
        "What a function computes last is its value.",
        "None: is a `return` missing?",
        variants=(
            (("    return rank\n", "    rank = rank\n"),),
            ((f"return {RESULT}", f"results = {RESULT}"),),
            ((f"return {RESULT}", f"print({RESULT})"),),
        ),
    ),
    Mistake(
        "hard-coded-error",
        "An answer that passes the example is right.",
        "The error is that of the example, whatever the input.",
        variants=tuple(error("180 / 504", "36 / 504")),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="numpy",
        code="""
def rank_for_bytes(shape, budget, bytes_per_value):
    rows, columns = shape
    rank = budget // ((rows + columns) * bytes_per_value)
    if rank == 0:
        raise ValueError("too little for rank 1")
    return min(rank, rows, columns)


def truncated_svd(matrix, rank):
    U, S, Vt = np.linalg.svd(matrix, full_matrices=False)
    A = U[:, :rank] * S[:rank]
    B = Vt[:rank]
    return A, B, sum(S[rank:] ** 2) / sum(S**2)
""",
    ),
    Alternative(
        name="eigenvectors",
        code="""
def rank_for_bytes(shape, budget, bytes_per_value):
    fitting = [r for r in range(1, min(shape) + 1) if r * sum(shape) * bytes_per_value <= budget]
    if not fitting:
        raise ValueError
    return fitting[-1]


def truncated_svd(matrix, rank):
    values, vectors = np.linalg.eigh(matrix.T @ matrix)
    V = vectors[:, ::-1][:, :rank]
    A = matrix @ V
    return A, V.T, 1 - np.sum(A**2) / np.sum(matrix**2)
""",
    ),
    Alternative(
        name="root-in-both-factors",
        code="""
def rank_for_bytes(shape, budget, bytes_per_value):
    rank = int(budget / bytes_per_value / (shape[0] + shape[1]))
    if rank < 1:
        raise ValueError("rank 0")
    return min(rank, min(shape))


def truncated_svd(matrix, rank):
    U, s, Vt = np.linalg.svd(matrix)
    root = np.diag(np.sqrt(s[:rank]))
    A, B = U[:, :rank] @ root, root @ Vt[:rank, :]
    return A, B, (np.linalg.norm(matrix - A @ B) / np.linalg.norm(matrix)) ** 2
""",
    ),
    Alternative(
        name="float32",
        code="""
def rank_for_bytes(shape, budget, bytes_per_value):
    rank = np.int64(budget) // (np.sum(shape) * bytes_per_value)
    if rank < 1:
        raise ValueError("rank 0")
    return np.minimum(rank, np.min(shape))


def truncated_svd(matrix, rank):
    U, s, Vt = np.linalg.svd(matrix.astype(np.float32), full_matrices=False)
    return U[:, :rank], s[:rank, None] * Vt[:rank], np.sum(s[rank:] ** 2) / np.sum(s**2)
""",
    ),
]
