"""Question 4, the best rotation: wrong answers, and right ones written another way."""

from course.writing.mistakes import Alternative, Mistake

PRODUCT = "(X.T * weights) @ Y"
RESULT = "U @ Vt"


def product(text: str) -> tuple[tuple[str, str], ...]:
    """The SVD of another matrix."""
    return ((PRODUCT, text),)


MISTAKES = [
    Mistake(
        name="calls-the-library",
        misconception="Knowing which function to call is the same as knowing what it does.",
        message="your answer calls utils.quantization.procrustes",
        code="""
from utils.quantization import procrustes


def best_rotation(X, Y, weights):
    return procrustes(weights[:, None] * X, Y)
""",
    ),
    Mistake(
        name="calls-scipy",
        misconception="Another library's function is an answer.",
        message="your answer calls scipy.linalg.orthogonal_procrustes",
        code="""
from scipy.linalg import orthogonal_procrustes


def best_rotation(X, Y, weights):
    R, scale = orthogonal_procrustes(weights[:, None] * X, Y)
    return R
""",
    ),
    Mistake(
        name="transposed",
        misconception="The order of the two factors, or of X and Y, does not matter.",
        message="That is R transposed, which turns Y to X (V Uᵀ, or the SVD of Yᵀ X).",
        changes=((RESULT, "Vt.T @ U.T"),),
        variants=(product("(Y.T * weights) @ X"), ((RESULT, "(U @ Vt).T"),)),
    ),
    Mistake(
        name="transposes-v-again",
        misconception="NumPy's svd returns V.",
        message="You transpose V once more; NumPy's svd returns V transposed already.",
        changes=((RESULT, "U @ Vt.T"),),
    ),
    Mistake(
        name="factors-swapped",
        misconception="The order of the two factors does not matter.",
        message="You multiply Vᵀ U; the order is U Vᵀ.",
        changes=((RESULT, "Vt @ U"),),
        variants=(((RESULT, "Vt.T @ U"),), ((RESULT, "U.T @ Vt"),), ((RESULT, "U.T @ Vt.T"),)),
    ),
    Mistake(
        name="one-factor-only",
        misconception="The singular vectors of one side are the rotation.",
        message="You return one of the two orthogonal factors; R is their product, U Vᵀ.",
        changes=((RESULT, "U"),),
        variants=(((RESULT, "Vt"),), ((RESULT, "Vt.T"),), ((RESULT, "U.T"),)),
    ),
    Mistake(
        name="weights-left-out",
        misconception="Every row counts once, as in plain OPQ.",
        message="That is best if all rows weigh the same: the weights are missing.",
        changes=product("X.T @ Y"),
        variants=(product("X.T @ Y * weights.sum()"), product("X.T @ Y / weights.sum()")),
    ),
    Mistake(
        name="weights-on-both-sides",
        misconception="To weigh rows is to multiply them, in X and in Y.",
        message="Every weight counts twice, once with X and once with Y.",
        changes=product("(X.T * weights) @ (weights[:, None] * Y)"),
        variants=(product("(X.T * weights**2) @ Y"),),
    ),
    Mistake(
        name="root-of-the-weights-once",
        misconception="The roots of the weights belong to X.",
        message="The roots of the weights are with one side only, X or Y; with both they make the weight.",
        changes=product("(X.T * np.sqrt(weights)) @ Y"),
    ),
    Mistake(
        name="divides-by-weights",
        misconception="A weight is a variance.",
        message="You divide by the weights. A row with a large weight counts more, not less.",
        changes=product("(X.T / weights) @ Y"),
        variants=(product("(X.T / np.sqrt(weights)) @ Y"), product("(X.T / weights**2) @ Y")),
    ),
    Mistake(
        name="weights-to-whole-numbers",
        misconception="A weight is a number of copies.",
        message="You make whole numbers of the weights; they may be fractions.",
        changes=product("(X.T * weights.astype(int)) @ Y"),
        variants=(
            product("(X.T * np.rint(weights)) @ Y"),
            product("(X.T * np.ceil(weights)) @ Y"),
            product("(X.T * np.maximum(1, weights.astype(int))) @ Y"),
            product("(X.T * np.maximum(1, np.rint(weights))) @ Y"),
            product("(X.T * (weights + 0.5).astype(int)) @ Y"),
        ),
    ),
    Mistake(
        name="weights-on-columns",
        misconception="X * weights multiplies rows.",
        message="X * weights multiplies columns, where it works at all; a row gets its weight from "
        "weights[:, None] * X.",
        changes=product("(X * weights).T @ Y"),
        variants=(product("X.T @ (Y * weights)"),),
    ),
    Mistake(
        name="weights-normalised-wrongly",
        misconception="Only the heaviest rows count.",
        message="You keep the heaviest rows only, or those above the mean: every row counts by its "
        "weight.",
        changes=product("(X.T * (weights >= weights.mean())) @ Y"),
        variants=(
            product("(X.T * (weights > np.median(weights))) @ Y"),
            product("(X.T * (weights >= np.median(weights))) @ Y"),
            product("(X.T * (weights >= 1)) @ Y"),
        ),
    ),
    Mistake(
        name="ranks-or-logarithms-of-weights",
        misconception="A weight is only an order.",
        message="You change the weights by a logarithm, a softmax or their order before you use them. A "
        "row with weight w counts w times.",
        changes=product("(X.T * np.log1p(weights)) @ Y"),
        variants=(
            product("(X.T * np.log(weights)) @ Y"),
            product("(X.T * np.exp(weights - weights.max())) @ Y"),
            product("(X.T * (1 + np.argsort(np.argsort(weights)))) @ Y"),
            product("(X.T * (weights - weights.min())) @ Y"),
            product("(X.T * (weights - weights.mean())) @ Y"),
        ),
    ),
    Mistake(
        name="least-squares",
        misconception="The best matrix is the best rotation.",
        message="RᵀR is not I: that is the least-squares solution. It comes closer to Y, but changes "
        "lengths, and Rᵀ no longer undoes it.",
        code="""
def best_rotation(X, Y, weights):
    root = np.sqrt(weights)[:, None]
    return np.linalg.lstsq(root * X, root * Y, rcond=None)[0]
""",
        variants=(
            """
def best_rotation(X, Y, weights):
    return np.linalg.lstsq(X, Y, rcond=None)[0]
""",
            """
def best_rotation(X, Y, weights):
    return np.linalg.pinv((X.T * weights) @ X) @ (X.T * weights) @ Y
""",
        ),
    ),
    Mistake(
        name="least-squares-made-orthogonal",
        misconception="The rotation nearest to the best matrix is the best rotation.",
        message="You look for the rotation nearest to the least-squares solution. That is not the one "
        "with the least error: take the SVD of the weighted Xᵀ Y itself.",
        code="""
def best_rotation(X, Y, weights):
    root = np.sqrt(weights)[:, None]
    A = np.linalg.lstsq(root * X, root * Y, rcond=None)[0]
    U, _, Vt = np.linalg.svd(A)
    return U @ Vt
""",
        variants=(
            """
def best_rotation(X, Y, weights):
    U, _, Vt = np.linalg.svd(np.linalg.lstsq(X, Y, rcond=None)[0])
    return U @ Vt
""",
            """
def best_rotation(X, Y, weights):
    root = np.sqrt(weights)[:, None]
    Q, R = np.linalg.qr(np.linalg.lstsq(root * X, root * Y, rcond=None)[0])
    return Q * np.where(np.diag(R) < 0, -1, 1)
""",
        ),
    ),
    Mistake(
        name="scaled",
        misconception="A better fit by a scale is still a rotation.",
        message="RᵀR is not I: your R also scales. That may come closer, but it changes lengths, and Rᵀ "
        "no longer undoes it.",
        changes=((RESULT, "U @ Vt * _.sum() / np.sum(X**2)"),),
        variants=(
            ((RESULT, "U @ Vt * _.sum() / (weights @ (X**2).sum(axis=1))"),),
            ((RESULT, "U @ Vt * np.linalg.norm(Y) / np.linalg.norm(X)"),),
            ((RESULT, "U @ Vt / weights.sum()"),),
        ),
    ),
    Mistake(
        name="singular-values-kept",
        misconception="R is what the SVD puts together again.",
        message="RᵀR is not I: the singular values are still in it. Leave them out, U Vᵀ.",
        changes=((RESULT, "U @ np.diag(_) @ Vt"),),
        variants=(
            ((RESULT, "U @ np.diag(_ / _.max()) @ Vt"),),
            ((RESULT, "U @ np.diag(_ / _.sum()) @ Vt"),),
            ((RESULT, "U @ np.diag(np.sqrt(_)) @ Vt"),),
            ((RESULT, "(U * _) @ Vt / np.linalg.norm(_)"),),
            (("U, _, Vt", "U, S, Vt"), (RESULT, PRODUCT)),
        ),
    ),
    Mistake(
        name="columns-made-unit-vectors",
        misconception="A matrix with columns of length 1 is orthogonal.",
        message="RᵀR is not I: columns of length 1 need not be at right angles.",
        code="""
def best_rotation(X, Y, weights):
    A = (X.T * weights) @ Y
    return A / np.maximum(np.linalg.norm(A, axis=0), 1e-12)
""",
        variants=(
            """
def best_rotation(X, Y, weights):
    A = (X.T * weights) @ Y
    return A / np.maximum(np.linalg.norm(A, axis=1, keepdims=True), 1e-12)
""",
            """
def best_rotation(X, Y, weights):
    A = (X.T * weights) @ Y
    return A / np.linalg.norm(A, axis=0)
""",
        ),
    ),
    Mistake(
        name="no-mirrors",
        misconception="A rotation that mirrors is forbidden.",
        message="You allow only proper rotations, with determinant 1. R may mirror, which comes closer "
        "in some cases.",
        changes=(
            (
                "    return U",
                "    U[:, -1] *= np.sign(np.linalg.det(U) * np.linalg.det(Vt))\n    return U",
            ),
        ),
        variants=(
            (
                (
                    "    return U @ Vt",
                    "    R = U @ Vt\n    if np.linalg.det(R) < 0:\n        R[:, -1] *= -1\n    return R",
                ),
            ),
            (
                (
                    "    return U @ Vt",
                    "    R = U @ Vt\n    if np.linalg.det(R) < 0:\n        R[:, 0] *= -1\n    return R",
                ),
            ),
            (
                (
                    "    return U @ Vt",
                    "    R = U @ Vt\n    if np.linalg.det(R) < 0:\n        R = -R\n    return R",
                ),
            ),
            (
                (
                    "    return U",
                    "    U[:, 0] *= np.sign(np.linalg.det(U) * np.linalg.det(Vt))\n    return U",
                ),
            ),
        ),
    ),
    Mistake(
        name="always-mirrors",
        misconception="The sign of R is free.",
        message="You change signs in R. Each one counts: −R turns every row to the opposite side.",
        changes=((RESULT, "-U @ Vt"),),
        variants=(
            ((RESULT, "np.abs(U @ Vt)"),),
            (
                (
                    "    return U @ Vt",
                    "    R = U @ Vt\n    return R * np.where(np.diag(R) < 0, -1, 1)",
                ),
            ),
            (
                (
                    "    return U @ Vt",
                    "    R = U @ Vt\n    return R * np.where(R[np.abs(R).argmax(axis=0), "
                    "np.arange(len(R))] < 0, -1, 1)",
                ),
            ),
            ((RESULT, "(U * np.where(U.sum(axis=0) < 0, -1, 1)) @ Vt"),),
        ),
    ),
    Mistake(
        name="centres-first",
        misconception="Vectors are centred before they are turned.",
        message="You centre the vectors first. Nothing is centred: R is to bring X R itself closest to Y.",
        changes=product("(X.T * weights) @ (Y - weights @ Y / weights.sum())"),
        variants=(
            product("((X - X.mean(axis=0)).T * weights) @ (Y - Y.mean(axis=0))"),
            product("((X - X.mean(axis=0)).T * weights) @ Y"),
            product("(X.T * weights) @ (Y - Y.mean(axis=0))"),
        ),
    ),
    Mistake(
        name="rows-made-unit-vectors",
        misconception="Only the directions of rows matter.",
        message="You scale the rows of X or Y to the length 1 first. Nothing is scaled: a long row counts "
        "more.",
        changes=product(
            "((X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-12)).T * weights) "
            "@ (Y / np.maximum(np.linalg.norm(Y, axis=1, keepdims=True), 1e-12))"
        ),
        variants=(
            product("((X / np.linalg.norm(X, axis=1, keepdims=True)).T * weights) @ Y"),
            product("(X.T * weights) @ (Y / np.linalg.norm(Y, axis=1, keepdims=True))"),
        ),
    ),
    Mistake(
        name="columns-standardised",
        misconception="Columns are brought to the same scale first.",
        message="You scale the columns of X or Y first. Nothing is scaled.",
        changes=product("((X / np.maximum(X.std(axis=0), 1e-12)).T * weights) @ Y"),
        variants=(
            product(
                "((X / np.maximum(X.std(axis=0), 1e-12)).T * weights) "
                "@ (Y / np.maximum(Y.std(axis=0), 1e-12))"
            ),
            product(
                "(((X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-12)).T * weights) "
                "@ ((Y - Y.mean(axis=0)) / np.maximum(Y.std(axis=0), 1e-12))"
            ),
        ),
    ),
    Mistake(
        name="principal-components",
        misconception="The best rotation is the one to the principal components.",
        message="You turn to principal axes, of X or of both. R is orthogonal then, but brings X R "
        "closest to Y only by chance: it takes the SVD of the weighted Xᵀ Y.",
        code="""
def best_rotation(X, Y, weights):
    r = np.sqrt(weights)[:, None]
    return np.linalg.svd(X * r)[2].T @ np.linalg.svd(Y * r)[2]
""",
        variants=(
            """
def best_rotation(X, Y, weights):
    return np.linalg.svd(X)[2].T @ np.linalg.svd(Y)[2]
""",
            """
def best_rotation(X, Y, weights):
    return np.linalg.svd(weights[:, None] * X)[2].T
""",
            """
def best_rotation(X, Y, weights):
    return np.linalg.svd(np.sqrt(weights)[:, None] * X)[2].T
""",
            """
def best_rotation(X, Y, weights):
    return np.linalg.svd(X)[2].T
""",
            """
def best_rotation(X, Y, weights):
    values, vectors = np.linalg.eigh((X.T * weights) @ X)
    return vectors
""",
            """
def best_rotation(X, Y, weights):
    values, vectors = np.linalg.eigh((X.T * weights) @ X)
    return vectors[:, ::-1]
""",
            """
def best_rotation(X, Y, weights):
    _, V = np.linalg.eigh((X.T * weights) @ X)
    _, W = np.linalg.eigh((Y.T * weights) @ Y)
    return V @ W.T
""",
        ),
    ),
    Mistake(
        name="qr-not-svd",
        misconception="Any way to make X^T Y orthogonal will do.",
        message="You make Xᵀ Y orthogonal by a QR decomposition. That is orthogonal, but not the closest: "
        "R = U Vᵀ, from an SVD.",
        code="""
def best_rotation(X, Y, weights):
    Q, R = np.linalg.qr((X.T * weights) @ Y)
    return Q
""",
        variants=(
            """
def best_rotation(X, Y, weights):
    Q, R = np.linalg.qr((X.T * weights) @ Y)
    return Q * np.where(np.diag(R) < 0, -1, 1)
""",
            """
def best_rotation(X, Y, weights):
    Q, R = np.linalg.qr((X.T * weights) @ Y)
    return Q * np.sign(np.diag(R))
""",
        ),
    ),
    Mistake(
        name="eigenvectors-of-the-product",
        misconception="The eigenvectors of X^T Y are its singular vectors.",
        message="You take eigenvectors of Xᵀ Y, which is not symmetric; R comes from its singular vectors.",
        code="""
def best_rotation(X, Y, weights):
    A = (X.T * weights) @ Y
    values, vectors = np.linalg.eigh((A + A.T) / 2)
    return vectors @ np.diag(np.where(values < 0, -1, 1)) @ vectors.T
""",
        variants=(
            """
def best_rotation(X, Y, weights):
    values, vectors = np.linalg.eigh((X.T * weights) @ Y)
    return vectors
""",
            """
def best_rotation(X, Y, weights):
    A = (X.T * weights) @ Y
    return np.linalg.eigh(A + A.T)[1]
""",
            """
def best_rotation(X, Y, weights):
    A = (X.T * weights) @ Y
    return np.linalg.eigh(A.T @ A)[1]
""",
        ),
    ),
    Mistake(
        name="permutation-only",
        misconception="A rotation matches columns to columns.",
        message="Your R only exchanges columns and their signs. It may turn by any angle, which comes "
        "closer.",
        code="""
def best_rotation(X, Y, weights):
    A = (X.T * weights) @ Y
    d = len(A)
    R, free = np.zeros((d, d)), set(range(d))
    for i in range(d):
        j = max(free, key=lambda j: abs(A[i, j]))
        free.remove(j)
        R[i, j] = 1.0 if A[i, j] >= 0 else -1.0
    return R
""",
        variants=(
            """
from scipy.optimize import linear_sum_assignment


def best_rotation(X, Y, weights):
    A = (X.T * weights) @ Y
    i, j = linear_sum_assignment(-np.abs(A))
    R = np.zeros_like(A)
    R[i, j] = np.where(A[i, j] < 0, -1, 1)
    return R
""",
            """
from scipy.optimize import linear_sum_assignment


def best_rotation(X, Y, weights):
    A = (X.T * weights) @ Y
    i, j = linear_sum_assignment(-A)
    R = np.zeros_like(A)
    R[i, j] = 1
    return R
""",
        ),
    ),
    Mistake(
        name="rows-not-columns",
        misconception="The matrix to decompose is X Y^T.",
        message="You decompose X Yᵀ, which is (n, n); R turns vectors of d numbers, and comes from "
        "Xᵀ Y, which is (d, d).",
        changes=product("(X * weights[:, None]) @ Y.T"),
        variants=(product("X @ Y.T"),),
    ),
    Mistake(
        name="not-of-full-rank",
        misconception="X^T Y always has an inverse.",
        message="Where columns are constant or rows are few, some singular values of Xᵀ Y are 0. You "
        "divide by them, or leave out what belongs to them, and your R is not orthogonal there: U Vᵀ "
        "with all singular vectors always is.",
        code="""
def best_rotation(X, Y, weights):
    A = (X.T * weights) @ Y
    values, vectors = np.linalg.eigh(A.T @ A)
    return A @ vectors @ np.diag(1 / np.sqrt(np.maximum(values, 1e-300))) @ vectors.T
""",
        variants=(
            ((RESULT, "U[:, : min(len(X), len(U))] @ Vt[: min(len(X), len(U))]"),),
            ((RESULT, "U[:, _ > 1e-9] @ Vt[_ > 1e-9]"),),
            ((RESULT, "U[:, _ > 1e-6 * _[0]] @ Vt[_ > 1e-6 * _[0]]"),),
            """
def best_rotation(X, Y, weights):
    A = (X.T * weights) @ Y
    values, vectors = np.linalg.eigh(A.T @ A)
    return A @ (vectors / np.sqrt(values)) @ vectors.T
""",
            """
def best_rotation(X, Y, weights):
    A = (X.T * weights) @ Y
    values, vectors = np.linalg.eigh(A.T @ A)
    return A @ (vectors / np.sqrt(np.maximum(values, 1e-12))) @ vectors.T
""",
            """
def best_rotation(X, Y, weights):
    A = (X.T * weights) @ Y
    values, vectors = np.linalg.eigh(A.T @ A)
    return A @ (vectors / np.sqrt(values + 1e-12)) @ vectors.T
""",
            """
def best_rotation(X, Y, weights):
    A = (X.T * weights) @ Y
    values, vectors = np.linalg.eigh(A.T @ A)
    return A @ (vectors / np.sqrt(np.maximum(values, 1e-10))) @ vectors.T
""",
            """
def best_rotation(X, Y, weights):
    R = (X.T * weights) @ Y
    for _ in range(50):
        R = (R + np.linalg.inv(R).T) / 2
    return R
""",
            """
from scipy.linalg import sqrtm


def best_rotation(X, Y, weights):
    A = (X.T * weights) @ Y
    return np.real(A @ np.linalg.inv(sqrtm(A.T @ A)))
""",
        ),
    ),
    Mistake(
        name="no-rotation",
        misconception="Not to turn is good enough.",
        message="You do not turn at all: R is the identity.",
        code="""
def best_rotation(X, Y, weights):
    return np.eye(X.shape[1])
""",
    ),
    Mistake(
        name="changes-its-input",
        misconception="An array that is handed in may be written to.",
        message="Your answer changes `X`, which must be the same after the call as before.",
        changes=(
            ("    # Each row's", "    X *= weights[:, None]\n    # Each row's"),
            (PRODUCT, "X.T @ Y"),
        ),
    ),
    Mistake(
        name="changes-its-weights",
        misconception="Weights may be made to add up to 1 where they are.",
        message="Your answer changes `weights`, which must be the same after the call as before.",
        changes=(("    # Each row's", "    weights /= weights.sum()\n    # Each row's"),),
        variants=((("    # Each row's", "    weights /= weights.max()\n    # Each row's"),),),
    ),
    Mistake(
        name="more-than-the-rotation",
        misconception="Whatever was computed may be returned.",
        message="Return R, of shape (d, d), and nothing else: not X R, nor its parts or its error.",
        changes=((RESULT, "X @ U @ Vt"),),
        variants=(
            ((RESULT, "U, Vt"),),
            ((RESULT, "U @ Vt, _"),),
            ((RESULT, "U @ Vt, _.sum()"),),
            ((RESULT, "Y @ Vt.T @ U.T"),),
        ),
    ),
    Mistake(
        name="rounds-the-rotation",
        misconception="Three decimals are exact enough.",
        message="Your R is rounded, and so not quite orthogonal; return it as it is.",
        changes=((RESULT, "np.round(U @ Vt, 3)"),),
        variants=(
            ((RESULT, "np.round(U @ Vt, 2)"),),
            ((RESULT, "np.round(U @ Vt, 4)"),),
            ((RESULT, "np.round(U @ Vt)"),),
        ),
    ),
    Mistake(
        name="prints-instead-of-returning",
        misconception="Showing a result is returning it.",
        message="Your answer gives None: is a `return` missing?",
        changes=(("return U @ Vt", "print(U @ Vt)"),),
    ),
    Mistake(
        name="hard-coded-example",
        misconception="An answer that passes the example is right.",
        message="The result is that of the example, whatever the input.",
        code="""
def best_rotation(X, Y, weights):
    return np.array([[0.6, 0.8], [-0.8, 0.6]])
""",
        variants=(
            """
def best_rotation(X, Y, weights):
    return np.array([[0.6, 0.8], [-0.8, 0.6]]) if len(X) == 3 else np.eye(X.shape[1])
""",
            """
def best_rotation(X, Y, weights):
    return np.array([[0.6, 0.8], [-0.8, 0.6]]) if X.shape[1] == 2 else np.eye(X.shape[1])
""",
        ),
    ),
]

ALTERNATIVES = [
    Alternative(
        name="transposed-at-the-end",
        code="""
def best_rotation(X, Y, weights):
    U, _, Vt = np.linalg.svd(Y.T @ np.diag(weights) @ X)
    return (U @ Vt).T
""",
    ),
    Alternative(
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
]
