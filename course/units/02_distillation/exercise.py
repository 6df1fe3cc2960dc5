# %% [markdown]
# # Assignment 02: a small model taught by a large one
#
# A small model learns more from a large one than from labels alone, sometimes. Here you write what
# it takes: the loss, three ways to make a student small or a teacher good, and the choice at the
# end, which has to be fair to the models that had no teacher.
#
# | Question | You write | Minutes | Points |
# |---|---|---|---|
# | 1 | the distillation loss, and its gradient | 25 | 6 |
# | 2 | a layer in two factors, within a budget of bytes | 15 | 5 |
# | 3 | a sparse layer whose pattern is a seed | 25 | 6 |
# | 4 | the target of dropout distillation | 15 | 4 |
# | 5 | the student to ship, and whether its teacher was worth it | 15 | 4 |
# | 6 | a written answer: when was the teacher worth it? | 35 | 6 |
#
# **How it works.**
#
# - Write where it says `# YOUR CODE HERE`, and delete the line that raises `NotImplementedError`.
# - Below each answer stand checks. Run them as often as you like: when one ends in an
#   `AssertionError`, its last lines say what it saw, and which idea may be behind it. Any other
#   error was most likely raised in your own code; the traceback shows the line. Checks give no
#   points.
# - The points come from hidden tests with other inputs, which are put in when your work is graded;
#   leave their cells, empty but for a comment, where they are. Hidden tests test nothing that the
#   question does not say, and all that it says.
# - No question needs the answer to another one. *Restart and Run All* stops at a question that you leave
#   open; to go on below it, put the cursor there and choose *Run, Run Selected Cell and All Below*.
# - The standard library, NumPy and SciPy are allowed. The course's own `utils` implements much of
#   this; calling that is no answer, and the checks notice. (`summarise`, imported below, only computes
#   means, and is allowed.) A warning, say of an overflow, costs no
#   points.
# - What your functions are given, arrays and lists, must be the same after the call as before.
# - Before you hand in, choose *Kernel, Restart and Run All*.
#
# The small numbers in questions 1 to 5 are invented, so that you can follow them in your head.

# %%
import numpy as np
from scipy.sparse import csr_array

from utils.records import load_records, summarise

# %% [markdown]
# ## Question 1: learn from probabilities
#
# *25 minutes, 6 points*
#
# A comment may have several emotions, so a network has an output for each label on its own. Its
# *logit* $z$ becomes the probability $\sigma(z) = 1 / (1 + e^{-z})$. The usual loss is the cross
# entropy between the label, $y = 0$ or $1$, and that probability:
#
# $$\mathrm{BCE}(y, z) = -y \log \sigma(z) - (1 - y) \log(1 - \sigma(z))$$
#
# Nothing in it says that $y$ must be 0 or 1. A teacher with the logit $t$ offers its probability
# instead, and from "0.3 joy" there is more to learn than from "no joy". If the teacher is very sure
# of nearly everything, its probabilities are hardly more than labels again. A *temperature* $T$
# above 1 softens them, and the student, with the logit $s$, is softened alike:
#
# $$L = \alpha \, T^2 \, \mathrm{BCE}(\sigma(t/T),\; s/T) + (1 - \alpha) \, \mathrm{BCE}(y,\; s)$$
#
# Take the **mean** over all comments and labels. The hard labels, on the right, know no
# temperature. (Hinton, Vinyals and Dean, 2015, section 2, with softmax; each label here has a
# sigmoid of its own, because the emotions of a comment need not add up to 1.)
#
# **Why $T^2$?** Differentiate the soft part (the loss at $\alpha = 1$) with respect to one of the
# student's logits: the cross entropy gives $\sigma(s/T) - \sigma(t/T)$, the chain rule a factor
# that you find. Write that *gradient*, too, as a formula of its own, $T^2$ and mean included. A cell
# below the question shows what would become of it without $T^2$.
#
# Logits may be as large as ±1000. There, $e^{1000}$ overflows and $\log 0$ is minus infinity, but
# the loss is an ordinary number. *Hint:* $-\log \sigma(z) = \log(1 + e^{-z})$, and
# `np.logaddexp(0, -z)` computes it without overflow; $1 - \sigma(z) = \sigma(-z)$.
#
# **Example.** T = 2, α = 0.75. All logits are multiples of log 3 = 1.0986, since then
# probabilities come out even: $\sigma(\log 3) = 0.75$ and $\sigma(2 \log 3) = 0.9$.
#
# | comment, label | 1, 1 | 1, 2 | 2, 1 | 2, 2 | mean |
# |---|---|---|---|---|---|
# | teacher's logit t | -2 log 3 | -2 log 3 | 2 log 3 | 2 log 3 | |
# | student's logit s | 0 | 2 log 3 | 2 log 3 | -4 log 3 | |
# | label y | 1 | 0 | 0 | 1 | |
# | σ(t / 2) | 0.25 | 0.25 | 0.75 | 0.75 | |
# | σ(s / 2) | 0.5 | 0.75 | 0.75 | 0.1 | |
# | soft cross entropy | 0.693147 | 1.111641 | 0.562335 | 1.753279 | 1.030101 |
# | σ(s) | 0.5 | 0.9 | 0.9 | 0.012195 | |
# | hard cross entropy | 0.693147 | 2.302585 | 2.302585 | 4.406719 | 2.426259 |
# | **gradient of the soft part** | 0.125 | 0.25 | 0 | -0.325 | |
#
# The loss is 0.75 · 4 · 1.030101 + 0.25 · 2.426259 = **3.696867**. For label 1 of comment 2 the
# student agrees with its teacher, and still its cross entropy is not 0: what is left is the
# teacher's own uncertainty. The gradient is what is 0 there.

# %% tags=["locked:q1_example"]
# The example, to play with.
TEACHER = np.log(3) * np.array([[-2, -2], [2, 2]])
STUDENT = np.log(3) * np.array([[0, 2], [2, -4]])
LABELS = np.array([[1, 0], [0, 1]])

# %% tags=["answer:q1"]
def distillation_loss(student, teacher, labels, temperature, alpha):
    """student, teacher: logits, float arrays of shape (comments, labels); labels: 0 and 1, an
    integer array (int64) of the same shape; temperature: above 0; alpha: 0 to 1, the weight of the
    soft part. Returns a float."""
    ### BEGIN SOLUTION
    def cross_entropy(p, z):
        return np.mean(p * np.logaddexp(0, -z) + (1 - p) * np.logaddexp(0, z))

    soft = cross_entropy(sigmoid(teacher / temperature), student / temperature)
    return alpha * temperature**2 * soft + (1 - alpha) * cross_entropy(labels, student)
    ### END SOLUTION

def soft_gradient(student, teacher, temperature):
    """Gradient of the loss at alpha = 1 with respect to `student`, an array of the same shape."""
    ### BEGIN SOLUTION
    difference = sigmoid(student / temperature) - sigmoid(teacher / temperature)
    return temperature * difference / student.size

def sigmoid(z):
    return np.exp(-np.logaddexp(0, -z))
    ### END SOLUTION


# %% tags=["check:q1_loss"]
# Check question 1, the loss. The hidden test draws other inputs in the same way, and gives the points.
def cases_q1_loss(random):
    for temperature, alpha in ((2, 0.75), (2, 1), (2, 0), (3.0, 0.5)):
        yield STUDENT, TEACHER, LABELS, temperature, alpha
    for shape, temperature, alpha in (((1, 1), 4, 0.5), ((3, 2), 3, 1.0), ((2, 5), 0.5, 0.6),
                                      ((4, 3), 1.0, 0.3), ((1, 4), 10.0, 0.9), ((6, 3), 2.5, 0.2)):
        student, teacher = random.normal(0, 3, (2, *shape)).round(1)
        yield student, teacher, random.integers(0, 2, shape), temperature, alpha
    far, labels = np.array([[1000.0, -1000, -1000]]), np.array([[1, 0, 1]])
    for student, teacher in ((far, -far), (far / 8, -far / 8), (far, far / 1000), (far / 500, far)):
        yield student, teacher, labels, 1.0, 0.0
        yield student, teacher, labels, 1.5, random.integers(5, 10) / 10
    student, teacher = random.normal(0, 300, (2, 5, 4)).round()
    yield student, teacher, random.integers(0, 2, (5, 4)), 5.0, 0.4


def try_q1_loss(student, teacher, labels, temperature, alpha):
    return distillation_loss(student, teacher, labels, temperature, alpha)


examine(try_q1_loss, cases_q1_loss, KEYS["q1_loss"], protect=["student", "teacher", "labels"],
        forbidden="utils.distillation.SoftLabelLoss", tol=1e-5)

# %% tags=["check:q1_gradient:6"]
# Check question 1, the gradient.
def cases_q1_gradient(random):
    yield STUDENT, TEACHER, 2
    yield np.array([[0.0]]), np.array([[-1.0]]), 1
    for shape, temperature in (((1, 1), 4), ((3, 2), 3.0), ((2, 5), 0.5), ((4, 3), 1),
                               ((1, 4), 10.0), ((4, 1), 2.5)):
        student, teacher = random.normal(0, 3, (2, *shape)).round(1)
        yield student, teacher, temperature
    far = np.array([[1000.0, -1000, -1000]])
    for student, teacher in ((far, -far), (far, far / 1000), (far / 500, far)):
        yield student, teacher, 2.0


def try_q1_gradient(student, teacher, temperature):
    return soft_gradient(student, teacher, temperature)


examine(try_q1_gradient, cases_q1_gradient, KEYS["q1_gradient"], protect=["student", "teacher"],
        forbidden="utils.distillation.SoftLabelLoss")

# %% [markdown]
# **Why $T^2$.** The next cell moves one logit of random students a little, and sees how your loss
# moves. Without $T^2$ the soft labels fall silent as T grows, and α would no longer say what they
# weigh. With it their gradient stays on the scale of the hard one. It even has a limit: at high
# temperatures, distillation is a regression of the student's logits on those of its teacher.

# %%
random = np.random.default_rng(0)
students, teachers = random.normal(0, 3, (2, 500, 1, 1))
hard_labels = (teachers > 0).astype(int)
def slope(temperature, alpha):
    """Typical size of the derivative with respect to a student's logit, by a difference."""
    moved = [[distillation_loss(s + step, t, y, temperature, alpha) for s, t, y
              in zip(students, teachers, hard_labels, strict=True)] for step in (0.001, -0.001)]
    return np.mean(np.abs(np.subtract(*moved))) / 0.002

print(f"hard labels: {slope(1, 0):.3f}")
for T in (1, 2, 5, 10, 50):
    print(f"soft, T = {T:2}: {slope(T, 1):.3f}; without T^2: {slope(T, 1) / T**2:.5f}")
print(f"regression of logits, (s - t) / 4: {np.mean(np.abs(students - teachers)) / 4:.3f}")

# %% [markdown]
# ## Question 2: two thin matrices for one
#
# *15 minutes, 5 points*
#
# A student can be its teacher with less in it. A layer computes $x W$ with a matrix $W$ of `rows`
# times `columns` numbers. Replace it by $x A B$, where A is `rows` times r, and B is r times
# `columns`: two factors, thin if the *rank* r is small, and both have to be stored.
#
# Which A and B? The singular value decomposition $W = U S V^\top$ writes the matrix as a sum of
# simple ones, ordered by their singular values $s_1 \ge s_2 \ge \dots \ge 0$. Whoever keeps the
# first r of them has the best approximation of rank r (Eckart and Young, 1936), and the singular
# values left out tell how good it is, before a single factor is computed:
#
# $$\lVert W - AB \rVert^2 = s_{r+1}^2 + s_{r+2}^2 + \dots, \qquad
#   \lVert W \rVert^2 = s_1^2 + s_2^2 + \dots$$
#
# ($\lVert\cdot\rVert^2$ is the sum of all squared entries.) Write
#
# - `rank_for_bytes`: the largest rank whose *two* factors take at most `budget` bytes. A rank is
#   never above the smaller side of the matrix, however large the budget. If the budget does not pay
#   for rank 1, raise `ValueError`;
# - `truncated_svd`: the factors A and B for a given rank, and the *relative error*
#   $\lVert W - AB \rVert^2 / \lVert W \rVert^2$. How S is shared out between A and B is up to you.
#
# `np.linalg.svd` is allowed. It returns $U$, the singular values as a vector, and $V^\top$, already
# transposed. With `full_matrices=False` it leaves out what you would not keep anyway: for 10,000 word
# vectors the full $U$ has a hundred million numbers.
#
# **Example.** A matrix whose singular values are 18, 12 and 6, and its best approximations:
#
# | W | rank 1 | rank 2 |
# |---|---|---|
# | 3 6 9 | 6 6 3 | 2 8 7 |
# | 1 10 5 | 6 6 3 | 2 8 7 |
# | 11 2 1 | 6 6 3 | 10 4 -1 |
# | 9 6 -3 | 6 6 3 | 10 4 -1 |
# | **relative error** | (144 + 36) / 504 = 0.357143 | 36 / 504 = 0.071429 |
#
# | shape | bytes per value | budget | bytes for each rank | **rank** | bytes of both factors |
# |---|---|---|---|---|---|
# | 4 x 3 | 2 | 40 | (4 + 3) · 2 = 14 | 2 | 28 |
# | 4 x 3 | 4 | 60 | 28 | 2 | 56, more than the 48 of W itself |
# | 4 x 3 | 4 | 27 | 28 | `ValueError` | |
# | 4 x 3 | 1 | 1,000 | 7 | 3 | 21 |
# | 64 x 192 | 2 | 5,000 | 512 | 9 | 4,608 |

# %% tags=["locked:q2_example"]
# The example, to play with.
MATRIX = np.array([[3.0, 6, 9], [1, 10, 5], [11, 2, 1], [9, 6, -3]])

# %% tags=["answer:q2"]
def rank_for_bytes(shape, budget, bytes_per_value):
    """shape: (rows, columns); budget: in bytes; all are whole numbers. Returns the rank, an int."""
    ### BEGIN SOLUTION
    rank = min(budget // (sum(shape) * bytes_per_value), *shape)
    if rank < 1:
        raise ValueError(f"{budget} bytes do not pay for rank 1")
    return rank
    ### END SOLUTION

def truncated_svd(matrix, rank):
    """matrix: float array of shape (rows, columns), not all 0; rank: 1 to min(rows, columns).
    Returns (A, B, error): arrays of shape (rows, rank) and (rank, columns), and a float."""
    ### BEGIN SOLUTION
    U, s, Vt = np.linalg.svd(matrix, full_matrices=False)
    return U[:, :rank] * s[:rank], Vt[:rank], np.sum(s[rank:] ** 2) / np.sum(s**2)
    ### END SOLUTION


# %% tags=["check:q2_rank"]
# Check question 2, ranks. The hidden test draws other inputs in the same way, and gives the points.
def cases_q2_rank(random):
    for budget, width in ((40, 2), (60, 4), (27, 4), (28, 4), (1000, 1)):
        yield (4, 3), budget, width
    yield from (((64, 192), 5000, 2), ((64, 192), 5120, 2), ((3, 4), 1000, 1), ((5, 5), 0, 2))
    for rows, columns in ((1, 9), (8, 1), (6, 6), (12, 5), (7, 30), (300, 40)):
        width, most = int(random.choice([1, 2, 4, 8])), min(rows, columns)
        rank = int(random.integers(1, most + 1))
        price = (rows + columns) * width
        yield (rows, columns), rank * price, width
        yield (rows, columns), (rank + 1) * price - 1, width
        yield (rows, columns), most * price - 1, width
        yield (rows, columns), price * 100, width


def try_q2_rank(shape, budget, bytes_per_value):
    rank = rank_for_bytes(shape, budget, bytes_per_value)
    return {"rank": rank, "is an int": hasattr(rank, "__index__")}


examine(try_q2_rank, cases_q2_rank, KEYS["q2_rank"], forbidden="utils.distillation.rank_for_bytes")

# %% tags=["check:q2_svd:5"]
# Check question 2, factors. A and B are free; their product and their shapes are not.
def cases_q2_svd(random):
    for matrix in (MATRIX, MATRIX[:, ::-1], MATRIX.T):
        yield from ((matrix, rank) for rank in (1, 2, 3))
    yield np.array([[3.0, -4.0]]), 1
    for rows, columns, rank in ((1, 1, 1), (5, 8, 2), (12, 5, 3), (6, 6, 1), (7, 4, 3), (6, 1, 1),
                                (9, 6, 5)):
        matrix = random.normal(0, 1, (rows, columns)) * 0.7 ** np.arange(columns)[::-1] + 0.5
        yield matrix.round(2), rank


def try_q2_svd(matrix, rank):
    got = truncated_svd(matrix, rank)
    if not isinstance(got, tuple | list) or len(got) != 3:
        return got
    A, B, error = np.asarray(got[0]), np.asarray(got[1]), got[2]
    fit = A.shape[1:] == B.shape[:1]
    return {"shapes": [A.shape, B.shape], "A B": A @ B if fit else "no product", "error": error}


examine(try_q2_svd, cases_q2_svd, KEYS["q2_svd"], protect=["matrix"],
        forbidden="utils.distillation.truncated_svd", tol=1e-5)

# %% [markdown]
# **Try it** on a trained network: Model 2 of this course, each matrix in half of its bytes (of the
# word vectors those of the 2,000 most frequent words). The last column is the error that it would
# have if all its singular values were equal. What does the difference say about the word vectors, and
# what about the GRU?

# %%
from pathlib import Path

import utils
from utils.packing import load_model

model = load_model(Path(utils.__file__).parents[1] / "course" / "models" / "model-2.slm")
for name, weight in model.network.named_parameters():
    W = weight.detach().numpy()[:2000]
    if W.ndim == 2:
        rank = rank_for_bytes(W.shape, W.nbytes // 2, 4)
        print(f"{name:29} {str(W.shape):>14}, rank {rank:2}: relative error "
              f"{truncated_svd(W, rank)[2]:.3f}; if all were equal {1 - rank / min(W.shape):.3f}")

# %% [markdown]
# ## Question 3: a pattern that costs nothing
#
# *25 minutes, 6 points*
#
# Most connections of a layer can be left out. A mask that says which ones are left costs a bit for
# each weight, or an index for each one kept. Unless nobody chose them: a *static* sparse layer
# draws its pattern before the training, and never changes it, so that the seed of the random
# numbers is all that has to be stored. (How well a random pattern does: Liu et al., 2022.)
#
# Whoever reads the file, years later and on another machine, must draw the same pattern. So the
# numbers come from a rule in whole numbers that is written out (Steele, Lea and Flood, 2014):
# `splitmix64(seed, n)`, which the next cell imports, is an array of n of them, of type `uint64`.
#
# **The pattern.** A layer has `outputs` times `inputs` positions, counted row by row, and a row
# belongs to an output (as in `torch.nn.Linear`). Each position gets a random number, all of them
# different, from *one* call of `splitmix64`. The $k$ positions with the **smallest** numbers
# are connected, where $k = (1 - \mathrm{sparsity}) \cdot \mathrm{outputs} \cdot \mathrm{inputs}$,
# rounded to the nearest whole number (it is at least 1, and never halfway between two). Return
# their rows and their columns, in the order in which positions are counted.
#
# **The layer.** $y_{ij} = b_j$ plus the sum of weight · $x$ over the connections of output j. The
# weights come as a vector of length k, in the order of the pattern. Compute with these k only: no
# matrix of all weights, most of them 0, may be made.
# `scipy.sparse.csr_array((values, (rows, columns)), shape)` and its product `@` are allowed; so is
# NumPy alone.
#
# **The bytes.** A header of 16 bytes (outputs, inputs, k and seed, 4 bytes each), the k weights
# and the bias, both with `width` bytes a number.
#
# **Example.** 3 outputs, 4 inputs, sparsity 0.7, seed 3, so $k = 3.6$, rounded **4**. The random
# numbers, in units of $10^{18}$ and rounded:
#
# | | input 0 | input 1 | input 2 | input 3 |
# |---|---|---|---|---|
# | output 0 | **2.1** | 12.9 | 11.3 | **1.3** |
# | output 1 | **4.0** | 11.7 | **2.5** | 16.4 |
# | output 2 | 9.1 | 16.4 | 12.9 | 13.1 |
#
# Rows **(0, 0, 1, 1)**, columns **(0, 3, 0, 2)**. With the weights (2, 3, 4, 5), the bias (0.5,
# 0.25, 0.125) and x = (1, 10, 100, 1000), y is (2 + 3000 + 0.5, 4 + 500 + 0.25, 0.125) =
# **(3002.5, 504.25, 0.125)**. At 2 bytes a number: 16 + 4 · 2 + 3 · 2 = **30** bytes.
#
# Output 2 has no connection at all. That is allowed here; the layers of `utils` avoid it, and give
# the same number of connections to each output.

# %% nbgrader={"grade": false, "grade_id": "q3_example", "locked": true, "schema_version": 3, "solution": false, "task": false}
# The random numbers of the example, to play with.
from utils.distillation import splitmix64

print((splitmix64(3, 12) / 1e18).reshape(3, 4).round(1))

# %% nbgrader={"grade": false, "grade_id": "q3", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sparse_pattern(outputs, inputs, sparsity, seed):
    """outputs, inputs, seed: whole numbers; sparsity: at least 0 and below 1, the share of positions
    that is not connected. Returns (rows, columns), two integer arrays of shape (k,)."""
    ### BEGIN SOLUTION
    k = round((1 - sparsity) * outputs * inputs)
    positions = np.argsort(splitmix64(seed, outputs * inputs))[:k]
    return np.divmod(np.sort(positions), inputs)
    ### END SOLUTION

def sparse_forward(x, values, rows, columns, bias):
    """x: float array of shape (n, inputs); values, rows, columns: of shape (k,); bias: of shape
    (outputs,). Returns a float array of shape (n, outputs)."""
    ### BEGIN SOLUTION
    weights = csr_array((values, (rows, columns)), shape=(len(bias), x.shape[1]))
    return (weights @ x.T).T + bias
    ### END SOLUTION

def stored_bytes(outputs, inputs, sparsity, width):
    """Bytes of the file of such a layer; width: bytes a number. Returns an int."""
    ### BEGIN SOLUTION
    return 16 + (round((1 - sparsity) * outputs * inputs) + outputs) * width
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "q3_test_pattern", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
# Check question 3, the pattern. This cell explains; the hidden tests give the points.
def test_q3_pattern():
    from utils.checking import check, own_work

    got = own_work(sparse_pattern, "utils.distillation.static_sparse_index")(3, 4, 0.7, 3)
    check(got is not None and len(got) == 2, f"Return (rows, columns), and no mask; got {got}.")
    pairs = list(zip(*(np.asarray(part).tolist() for part in got), strict=True))
    check(len(pairs) != 8, "You have 8 connections, not 4: sparsity is the share that is left out.")
    for wrong, why in {
        ((0, 0), (0, 3), (1, 2)): "3.6 is rounded to 4, and not cut off, nor rounded row by row",
        ((0, 3), (1, 2), (2, 0)): "each row has as many, but those of the whole layer compete",
        ((0, 1), (1, 3), (2, 1), (2, 3)): "those have the largest numbers",
        ((0, 1), (0, 2), (1, 1), (2, 2)): "as int64, numbers from 9.22 on turn negative",
        ((0, 0), (3, 0), (0, 1), (2, 1)): "rows and columns have changed places",
        ((0, 0), (0, 1), (1, 1), (0, 2)): "you count column by column",
        ((0, 0), (1, 0), (1, 1), (2, 0)): "a row has 4 positions, one for each input, and not 3",
        ((0, 3), (0, 0), (1, 2), (1, 0)): "they are in the order of their random numbers, but the "
        "weights are stored in the order of the positions",
    }.items():
        check(pairs != list(wrong), f"The connections are {wrong}: {why}.")
    check(pairs == [(0, 0), (0, 3), (1, 0), (1, 2)], f"Wrong connections (output, input): {pairs}. "
          "All numbers come from one call of splitmix64.")
    check({np.asarray(part).dtype.kind for part in got} <= set("iu"), "Rows and columns are integers.")

test_q3_pattern()

# %% nbgrader={"grade": true, "grade_id": "q3_test_seed", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
# Check question 3, seeds.
def test_q3_seed():
    from utils.checking import check, check_close

    def connections(seed, outputs=20, inputs=30, sparsity=0.9):
        got = sparse_pattern(outputs, inputs, sparsity, seed)
        check(got is not None, "Nothing came back: is the `return` missing?")
        return np.array(got).T.tolist()

    first, again, other = map(connections, (1, 1, 2))
    check(first == again, "Two calls with the same seed gave two patterns. The weights in a file "
          "would land in the wrong places: use splitmix64(seed, ...) and no other source.")
    check(first != other, "Seeds 1 and 2 gave the same pattern: hand the seed on.")
    sizes = [len(connections(seed)) for seed in range(8)]
    check(len(set(sizes)) == 1, f"With eight seeds you have {sizes} connections. Whether a number "
          "is below a threshold makes that a matter of luck, and the file would have to say where "
          "it ends: take exactly the k smallest.")
    check_close(sizes, [60] * 8, "A tenth of 600 positions is connected.")
    check(connections(6, 3, 4, 0.7) == [[0, 2], [0, 3], [2, 0], [2, 2]], "With seed 6, the layer "
          "of the example has the connections (0, 2), (0, 3), (2, 0) and (2, 2).")

test_q3_seed()

# %% nbgrader={"grade": true, "grade_id": "q3_test_count", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
# Check question 3, how many connections.
def test_q3_count():
    from utils.checking import check_close

    for outputs, inputs, sparsity, k, why in (
        (4, 5, 0.9, 2, "(1 - 0.9) * 20 is 1.9999999999999996 in floating point; round it to 2."),
        (3, 4, 0.8, 2, "2.4 is rounded to 2, and not up."),
        (3, 4, 0.0, 12, "At sparsity 0 all 12 positions are connected."),
    ):
        try:
            got = np.shape(sparse_pattern(outputs, inputs, sparsity, 0))
        except (IndexError, ValueError) as error:
            got = f"{type(error).__name__}: {error}"
        check_close(got, (2, k), f"{outputs} outputs, {inputs} inputs, sparsity {sparsity}: {why} "
                    "The shape of your rows and columns:")

test_q3_count()

# %% nbgrader={"grade": true, "grade_id": "q3_test_forward", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
# Check question 3, the layer.
def test_q3_forward():
    from utils.checking import check, check_close, own_work

    answer = own_work(sparse_forward, "utils.distillation.StaticSparseLinear.forward")
    given = [np.array([[1.0, 10, 100, 1000], [0, 0, 1, 0]]), np.array([2.0, 3, 4, 5]),
             np.array([0, 0, 1, 1]), np.array([0, 3, 0, 2]), np.array([0.5, 0.25, 0.125])]
    before = [array.copy() for array in given]
    got = np.asarray(answer(*given))
    check(got.shape == (2, 3), f"2 comments and 3 outputs: the shape is {got.shape}, not (2, 3).")
    for wrong, why in {
        (3000.5, 500.25, 0.125): "of an output's connections only the last one counts. y[:, rows] "
        "+= ... writes to each output once: add up with np.add.at, or a sparse product",
        (3002, 504, 0): "the bias is missing",
        (0.5, 0.25, 0.125): "that is the bias alone",
        (1001.5, 101.25, 0.125): "x is summed up, and the weights are not in it",
    }.items():
        check(not np.allclose(got[0], wrong), f"The first comment's y is {wrong}: {why}.")
    check_close(got, [[3002.5, 504.25, 0.125], [0.5, 5.25, 0.125]], "y for the x of the example, "
                "and for (0, 0, 1, 0). Row of a connection: output; column: input.")
    check(all(map(np.array_equal, given, before)), "An array that you were given has changed.")

test_q3_forward()

# %% nbgrader={"grade": true, "grade_id": "q3_test_unconnected", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
# Check question 3, outputs of which one has no connection, one a single one, and one three.
def test_q3_unconnected():
    from utils.checking import check, check_close, own_work

    answer = own_work(sparse_forward, "utils.distillation.StaticSparseLinear.forward")
    try:
        got = np.asarray(answer(np.array([[1.0, 10, 100, 1000]]), np.array([2.0, 3, 4, 5]),
                                np.array([0, 2, 2, 2]), np.array([0, 0, 1, 2]), np.zeros(4)))
    except IndexError as error:
        check(False, f"IndexError: {error}. The last output has no connection, which np.add.reduceat cannot say.")
    check(got.shape == (1, 4), f"1 comment and 4 outputs: the shape is {got.shape}, not (1, 4).")
    for wrong, why in {
        (2, 543, 0, 0): "output 1 has no connection, and got the sum of output 2",
        (2, 3, 543, 0): "output 1 has no connection, and np.add.reduceat gave it a product of output 2",
        (5, 0, 540, 0): "outputs may have different numbers of connections",
    }.items():
        check(not np.allclose(got, [wrong]), f"y is {wrong}, and not (2, 0, 543, 0): {why}.")
    check_close(got, [[2, 0, 543, 0]], "y where rows are (0, 2, 2, 2) and columns (0, 0, 1, 2).")

test_q3_unconnected()

# %% nbgrader={"grade": true, "grade_id": "q3_test_memory", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
# Check question 3, memory: 6,000 of six million positions are connected.
def peak_memory(function, *arguments):
    """The result, and the largest number of bytes that were in use on the way."""
    import tracemalloc

    function(*arguments)  # so that what it imports does not count
    tracemalloc.start()
    result = function(*arguments)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result, peak

def test_q3_memory():
    from utils.checking import check, check_close

    rows, columns = np.arange(6000) // 3, np.arange(6000) % 3000
    y, peak = peak_memory(sparse_forward, np.ones((2, 3000)), np.ones(6000), rows, columns,
                          np.zeros(2000))
    check_close(y, np.full((2, 2000), 3.0), "Each of the 2,000 outputs adds up three ones.")
    check(peak < 3e6, f"On the way to y you needed {peak:,} bytes, and the 6,000 weights have "
          "48,000. A matrix that holds the zeros, too, is what a sparse layer does without.")

test_q3_memory()

# %% nbgrader={"grade": true, "grade_id": "q3_test_bytes", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
# Check question 3, bytes.
def test_q3_bytes():
    from utils.checking import check, check_close, own_work

    got = own_work(stored_bytes, "utils.distillation.StaticSparseLinear.nbytes")(64, 128, 0.9, 2)
    for wrong, why in {
        16528: "zeros are not stored", 14890: "sparsity is the share that is left out",
        2806: "that is with a mask of a bit for each position; the seed says it all",
        9974: "that is with a mask of a byte for each position; the seed says it all",
        3420: "that is with an index of 2 bytes for each weight; the seed says it all",
        5058: "that is with two indices of 2 bytes for each weight; the seed says it all",
        1654: "the bias is missing; it has 64 numbers, one for each output",
        1666: "you leave out nine tenths of the bias, too; only weights are sparse",
        1766: "the header is missing; without its seed nobody finds the connections",
        1778: "the header has four numbers, the seed among them",
        1910: "the bias has a number for each of the 64 outputs",
        899: "those are numbers; each takes 2 bytes",
        3548: "that is with 4 bytes a number; `width` is 2",
    }.items():
        check(got != wrong, f"64 x 128 at 90 % take {wrong} bytes, not 1782: {why}.")
    check_close(got, 1782, "819 weights and 64 biases of 2 bytes, and 16 bytes at every width.")
    check(hasattr(got, "__index__"), f"Bytes are whole: return an int, and not {got!r}.")
    check_close(stored_bytes(3, 4, 0.7, 2), 30, "The example; 3.6 is rounded, then multiplied.")

test_q3_bytes()

# %% nbgrader={"grade": true, "grade_id": "q3_test_hidden", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of question 3: 6 points.
### BEGIN HIDDEN TESTS
def test_q3_hidden(outputs, inputs, sparsity, k, seed):
    from utils.checking import check, check_close, own_work
    what, library = f"Other layers, {outputs=}, {inputs=}, {sparsity=}, {seed=}: ", [
        "utils.distillation." + name for name in ("static_sparse_index", "StaticSparseLinear.forward")]
    ranks = splitmix64(seed, outputs * inputs).argsort().argsort().reshape(outputs, inputs)
    where = np.nonzero(ranks < k)
    got = own_work(sparse_pattern, *library)(outputs, inputs, sparsity, seed)
    check_close(got, where, what + "connections. Does it fit the examples only?")
    size = own_work(stored_bytes, *library)(outputs, inputs, sparsity, 8)
    check_close(size, 16 + 8 * (k + outputs), what + "bytes.")
    check(np.asarray(got).dtype.kind in "iu" and hasattr(size, "__index__"), what + "integers.")
    x, values, bias = np.split(np.random.default_rng(k).normal(size=inputs + k + outputs), [inputs, inputs + k])
    arrays, dense = (np.stack([x, -2 * x]), values, *where, bias), np.zeros((outputs, inputs))
    dense[where] = values
    given = [array.copy() for array in arrays]
    y, peak = peak_memory(own_work(sparse_forward, *library), *given)
    check_close(y, arrays[0] @ dense.T + bias, what + "y. Does it fit the example only?")
    check(all(map(np.array_equal, given, arrays)), what + "an array has changed.")
    check(peak < 1e6, what + f"{peak:,} bytes needed, so zeros were stored as well.")
for case in ((5, 3, 0.45, 8, 7), (20, 31, 0.951, 30, 0), (1, 9, 0.1, 8, 2), (7, 6, 0.0, 42, 5),
             (1200, 900, 0.999, 1080, 123), (4, 5, 0.9, 2, 99)):
    test_q3_hidden(*case)
### END HIDDEN TESTS

# %% [markdown]
# **Four ways to store the same layer.** 64 outputs, 192 inputs, 2 bytes a number. Between which two
# rows does each way begin to beat the dense matrix? (Exactly: a mask costs 1 bit of 16 for each
# position, so from 6.25% on; an index doubles each weight, so from 50% on; a seed at once.)

# %%
positions = 64 * 192
print("sparsity    dense   with a mask   with indices   with a seed")
for sparsity in (0.0, 0.3, 0.5, 0.7, 0.9, 0.99):
    size = stored_bytes(64, 192, sparsity, 2)
    k = round((1 - sparsity) * positions)
    print(f"{sparsity:8.0%} {stored_bytes(64, 192, 0, 2):8,} {size + positions // 8:13,} "
          f"{size + 2 * k:14,} {size:13,}")

# %% [markdown]
# ## Question 4: a hundred networks in one
#
# *15 minutes, 4 points*
#
# A large teacher is not the only good one. A network trained with *dropout* is many networks: with
# each mask another one. Averaged over a hundred masks its predictions are often better, and a
# hundred times slower. *Dropout distillation* (Bulò, Porzi and Kontschieder, 2016) takes that
# average as the target of a student, which then needs a single pass. (Often is not always: what it did
# to GRU-8 stands in lecture 02.)
#
# **Dropout** itself first: each number on its own is dropped (becomes 0) with the probability
# `rate`, and those kept are divided by 1 - `rate`, so that the expected value stays what it was.
# Draw one array of random numbers with `random.random(values.shape)`; where it is below `rate`, the
# number is dropped.
#
# **The target**: the mean of the network's *probabilities*, for each comment and label, over
# `samples` passes with masks of their own. A pass is a call of the network with all of `x`, and there
# are no others. You get the network as an object that works as in PyTorch: `network(x)` returns logits,
# a NumPy array of shape (comments, labels). Somewhere in it is its dropout, which `network.train()` switches on and
# `network.eval()` off; `network.train(mode)` takes True or False. `network.training` says which it
# is, but setting it would switch nothing inside. Networks come in either mode, and you leave them in
# the mode in which they came.
#
# Why probabilities? With logits you would average first and squash afterwards, and one mask that is
# very sure would outvote many that doubt. For a linear layer it is worse: over many samples the mean
# of its logits comes close to what it says without dropout, so that hardly anything would be learned.
#
# **Example.** One comment with the values (1, 1), `rate` 0.5, one label with the weights log 3 and
# -0.5 log 3, and four samples:
#
# | sample | kept | after dropout | logit | probability |
# |---|---|---|---|---|
# | 1 | first | (2, 0) | 2 log 3 | 0.9 |
# | 2 | both | (2, 2) | log 3 | 0.75 |
# | 3 | second | (0, 2) | -log 3 | 0.25 |
# | 4 | first | (2, 0) | 2 log 3 | 0.9 |
#
# The target is 2.8 / 4 = **0.7**. The mean logit is log 3, and its probability 0.75. Without
# dropout the network says 0.634.

# %% nbgrader={"grade": false, "grade_id": "q4_example", "locked": true, "schema_version": 3, "solution": false, "task": false}
# The example: dropout, which is your function, and a linear layer. Seed 101 draws the masks above.
class Network:
    training = dropping = False
    rate, weights = 0.5, np.log(3) * np.array([[1.0], [-0.5]])

    def __init__(self):
        self.random = np.random.default_rng(101)

    def train(self, mode=True):
        self.training = self.dropping = mode
        return self

    def eval(self):
        return self.train(False)

    def __call__(self, x):
        return (dropout(x, self.rate, self.random) if self.dropping else x) @ self.weights

# %% nbgrader={"grade": false, "grade_id": "q4", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dropout(values, rate, random):
    """values: float array of any shape; rate: at least 0 and below 1; random: np.random.Generator.
    Returns an array of the same shape."""
    ### BEGIN SOLUTION
    return np.where(random.random(values.shape) < rate, 0, values / (1 - rate))
    ### END SOLUTION

def dropout_target(network, x, samples):
    """x: array of shape (comments, features), what the network takes; samples: at least 1.
    Returns probabilities, an array of shape (comments, labels)."""
    ### BEGIN SOLUTION
    mode = network.training
    network.train()
    target = np.mean([1 / (1 + np.exp(-network(x))) for _ in range(samples)], axis=0)
    network.train(mode)
    return target
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "q4_test_dropout", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
# Check question 4, dropout. This cell explains; the hidden tests give the points.
class Dice:
    def __init__(self):
        self.numbers = [0.9, 0.1, 0.25, 0.2, 0.6, 0.3, 0.8] * 9

    def random(self, size=()):
        return np.reshape([self.numbers.pop(0) for _ in range(int(np.prod(size)))], size)

def test_q4_dropout():
    from utils.checking import check, check_close, own_work

    given = np.array([[3.0, 6, 9], [12, 15, 18]])
    got = own_work(dropout)(given, 0.25, Dice())
    check(np.shape(got) == (2, 3), f"The shape should be (2, 3) as before, not {np.shape(got)}.")
    for wrong, why in {
        (3, 0, 9, 0, 15, 18): "what is kept must be divided by 1 - rate; later, nothing is dropped, "
        "and the sums should be as large as now",
        (12, 0, 36, 0, 60, 72): "you divide by rate; the share that is kept is 1 - rate",
        (2.25, 0, 6.75, 0, 11.25, 13.5): "you multiply by 1 - rate; divide what is kept by it",
    }.items():
        check(not np.allclose(np.ravel(got), wrong), f"3, 6, 9, 12, 15, 18 became {wrong}: {why}.")
    check_close(given, [[3, 6, 9], [12, 15, 18]], "The array that you were given has changed.")

test_q4_dropout()

# %% nbgrader={"grade": true, "grade_id": "q4_test_masks", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
# Check question 4, which numbers are dropped.
def test_q4_masks():
    from utils.checking import check, check_close, own_work

    given, dice = np.array([[3.0, 6, 9], [12, 15, 18]]), Dice()
    got = np.asarray(own_work(dropout)(given, 0.25, dice))
    check(got.shape == (2, 3), f"The shape should be (2, 3) as before, not {got.shape}.")
    check(len(dice.numbers) < 63, "You draw from a generator of your own. Take the one that you are given: "
          "with its seed, everybody gets the same masks.")
    for wrong, why in {
        (0, 8, 0, 16, 0, 0): "you keep what should be dropped",
        (4, 0, 0, 0, 20, 24): "0.25 is not below 0.25, so the 9 is kept",
        (0, 8, 12, 16, 20, 24): "you drop from 1 - rate on. That is as likely, but what is below "
        "`rate` was asked for",
        (4, 0, 12, 16, 0, 24): "all comments share a row of random numbers",
        (4, 8, 12, 0, 0, 0): "a comment is kept or dropped as a whole; draw a number for each value",
        (4, 8, 12, 16, 20, 24): "a single random number decides over all values; draw one for each",
    }.items():
        check(not np.allclose(got.ravel(), wrong), f"3, 6, 9, 12, 15, 18 became {wrong}: {why}.")
    check_close(got, [[4, 0, 12], [0, 20, 24]], "Dropout at 0.25, with one array of "
                "random numbers: 0.9, 0.1, 0.25, 0.2, 0.6, 0.3.")
    got = dropout(np.ones((1, 3, 2)), 0.5, Dice())
    check_close(got, [[[2, 0], [0, 0], [2, 0]]], "Dropout at 0.5 of ones in three dimensions.")

test_q4_masks()

# %% nbgrader={"grade": true, "grade_id": "q4_test_target", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
# Check question 4, the target. This network has its own dropout, so that yours may be wrong.
def test_q4_target():
    from utils.checking import check, check_close, own_work

    class Sampled(Network):
        def __call__(self, x):
            kept = self.random.random(x.shape) >= self.rate if self.dropping else 0.5
            return 2 * kept * x @ self.weights
    got = own_work(dropout_target)(Sampled(), np.ones((1, 2)), 4)
    check(np.shape(got) == (1, 1), f"One comment, one label: the shape is (1, 1), not {np.shape(got)}.")
    for wrong, why in {
        0.75: "that is the probability of the mean logit (squash first, then average), or the share "
        "of samples above 0.5",
        1: "that is a softmax over a single label; each label has a sigmoid of its own",
        np.log(3): "that is the mean logit; average probabilities",
        np.log(7 / 3): "that is the logit of the mean probability; return the probability",
        0.633975: "nothing was dropped: after eval(), as it came, or with `training` set. Call train()",
        0.9: "all samples have the mask of the first; each pass has to draw its own",
        2.8: "you add up four probabilities; take their mean",
        0.825: "that is the median of the samples",
    }.items():
        check(abs(np.ravel(got)[0] - wrong) > 1e-5, f"The target is {wrong:.4g}, not 0.7: {why}.")
    check_close(got, [[0.7]], "The mean of 0.9, 0.75, 0.25 and 0.9.")

test_q4_target()

# %% nbgrader={"grade": false, "grade_id": "q4_deep_network", "locked": true, "schema_version": 3, "solution": false, "task": false}
# For the checks below: two comments and three labels, and a dropout behind the first layer.
class Deep(Network):
    layers = [[1, 1], [1, -1]], np.log(3) / 2 * np.array([[1, 2, 0], [1, 0, 1]])

    def __init__(self):
        super().__init__()
        self.calls = []

    def __call__(self, x):
        kept = 2 * (self.random.random((len(x), 2)) >= 0.5) if self.dropping else 1
        self.calls.append(len(x))
        return (x @ self.layers[0] * kept) @ self.layers[1]

# %% nbgrader={"grade": true, "grade_id": "q4_test_deep", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
# Check question 4, the target of the network above.
def test_q4_deep():
    from utils.checking import check, check_close, own_work

    for mode in (False, True):
        network = Deep().train(mode)
        got = np.asarray(own_work(dropout_target)(network, np.eye(2), 3))
        check(got.shape == (2, 3), f"The mean is over passes only: shape (2, 3), not {got.shape}.")
        check(len(network.calls) != 6, "You call the network twice a pass; each call draws other masks.")
        for wrong, why in {(0.75, 0.5): "nothing is dropped; train() makes the network drop (or you take "
            "medians: a mean is asked for)",
            (0.766667, 0.5): "you drop values of x; the network drops others, further in",
            (0.666667, 0.666667): "you mix up comments; call the network with x, three times",
            (0.8, 0.666667): "all passes are one call; call the network with x, three times",
            (0.666667, 0.583333): "a call before the others draws masks, too; three are enough",
        }.items():
            check(not np.allclose(got[:, 0], wrong), f"Label 1 has {got[:, 0].round(3)}: {why}.")
        check_close(got, np.divide([[9, 9.2, 7], [7, 10.8, 4]], 12), "The mean of three passes, not "
                    f"rounded; the network came with training={mode}.")

test_q4_deep()

# %% nbgrader={"grade": true, "grade_id": "q4_test_mode", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
# Check question 4, the network's mode.
def test_q4_mode():
    from utils.checking import check, own_work

    for mode in (False, True):
        network = Deep().train(mode)
        own_work(dropout_target)(network, np.eye(2), 3)
        check(network.training == network.dropping == mode, f"The network came with training={mode} "
              f"and is left with {network.training}, its dropout with {network.dropping}. Whoever "
              "uses it next gets other predictions: put back what was there, with train() or eval().")

test_q4_mode()

# %% nbgrader={"grade": true, "grade_id": "q4_test_hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of question 4: 4 points.
### BEGIN HIDDEN TESTS
def test_q4_hidden(comments, features, labels, rate, samples):
    from utils.checking import check, check_close, own_work
    class Other(Network):
        weights = np.random.default_rng(features).normal(size=(features, labels))
        def __call__(self, x):
            kept = self.random.random(x.shape) >= rate if self.dropping else 1 - rate
            return x * kept / (1 - rate) @ self.weights
    what = f"Other values, {comments=}, {features=}, {labels=}, {rate=}, {samples=}: "
    x = np.random.default_rng(samples).normal(size=(comments, features))
    given, numbers = x.copy(), Other().random.random((samples, *x.shape))
    passes = (numbers >= rate) * x / (1 - rate)
    got = own_work(dropout)(given[:, None], rate, Other().random)  # of three dimensions
    check_close(got, passes[0][:, None], what + "dropout.")
    edge = type("Edge", (), {"random": lambda self, size=(): np.full(size, rate)})()
    check_close(own_work(dropout)(x, rate, edge), x / (1 - rate), what + "all are at the rate.")
    target = (0.5 + np.tanh(passes @ Other.weights / 2) / 2).mean(axis=0)
    for mode in (False, True):
        network = Other().train(mode)
        check_close(own_work(dropout_target)(network, given, samples), target, what + "the target.")
        check(network.training == network.dropping == mode and (x == given).all(), what + "mode or x.")
for case in ((5, 4, 3, 0.5, 1), (1, 6, 7, 0.25, 20), (3, 2, 1, 0.0, 3), (8, 30, 2, 0.8, 101)):
    test_q4_hidden(*case)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 5: does the teacher earn its keep?
#
# *15 minutes, 4 points*
#
# An app has room for `max_bytes`, and you have measured many students: some taught by a teacher,
# others by labels alone, the sparse linear baseline among them, each from one or several seeds.
# Which one is shipped, and what may you promise? A teacher has to be trained, kept and asked again
# whenever the labels change, so a student that was taught is shipped only if it is *clearly* better
# than the best that could do without.
#
# 1. **Who fits?** Seeds may differ in size, and whoever trains a student again gets another seed: all
#    files of a student must have at most `max_bytes`.
# 2. **Two favourites.** Of those that fit, take the best *taught* one and the best one *without* a
#    teacher: the highest macro-F1 on *dev*, as a mean over seeds. One lucky seed is no better
#    student. No two students of a list have equal means, so there are no ties to break.
# 3. **Is the teacher worth it?** The taught favourite is shipped if its *worst* seed on dev is above
#    the *best* seed on dev of the favourite without a teacher: then the gain is more than chance.
#    Else the one without is shipped, even where its mean is lower. If only one of the two exists,
#    that one is shipped.
# 4. **Promise** the macro-F1 on *test* of the one that is shipped, a mean over its seeds. Choosing
#    and promising on the same split would promise the luck that it was chosen for.
# 5. Nothing fits? Return `None`.
#
# **Example.** `max_bytes=6000`. The students, two seeds each (a list may mix students with one seed,
# two, or more):
#
# | name | taught | dev | test | files | verdict |
# |---|---|---|---|---|---|
# | GRU-64 | yes | 0.62 0.64 | 0.61 0.63 | 400,000 400,000 | too large |
# | static sparse | yes | 0.58 0.59 | 0.57 0.57 | 6,100 5,900 | a file is too large |
# | GRU-8 with a teacher | yes | 0.53 0.56 | 0.48 0.50 | 5,900 5,900 | favourite, taught: mean 0.545 |
# | Model 1 with a teacher | yes | 0.54 0.54 | 0.55 0.56 | 5,000 5,000 | mean 0.54 |
# | GRU-8 | no | 0.42 0.58 | 0.40 0.51 | 5,900 5,900 | a lucky seed; mean 0.50 |
# | sparse linear | no | 0.52 0.50 | 0.47 0.48 | 5,200 5,200 | favourite without: mean 0.51 |
#
# The worst seed of GRU-8 with a teacher, 0.53, is above the best of the sparse linear model, 0.52: the
# result is **("GRU-8 with a teacher", 0.49)**. Had the sparse linear model reached 0.53 with one seed,
# the result would be that model.

# %% tags=["locked:q5_example"]
# The example, to play with.
def as_students(rows):
    keys = "name", "taught", "dev", "test", "file_bytes"
    return [dict(zip(keys, row, strict=True)) for row in rows]

STUDENTS = as_students([
    ("GRU-64", True, [0.62, 0.64], [0.61, 0.63], [400_000, 400_000]),
    ("static sparse", True, [0.58, 0.59], [0.57, 0.57], [6_100, 5_900]),
    ("GRU-8 with a teacher", True, [0.53, 0.56], [0.48, 0.50], [5_900, 5_900]),
    ("Model 1 with a teacher", True, [0.54, 0.54], [0.55, 0.56], [5_000, 5_000]),
    ("GRU-8", False, [0.42, 0.58], [0.40, 0.51], [5_900, 5_900]),
    ("sparse linear", False, [0.52, 0.50], [0.47, 0.48], [5_200, 5_200]),
])

# For the check: students of which no two have the same mean on dev.
def draw_students(random, count, gain):
    rows, levels = [], 0.40 + 0.013 * random.permutation(count)
    for number, level in enumerate(levels):
        seeds, taught = int(random.integers(1, 4)), bool(random.integers(0, 2))
        dev = random.uniform(-0.06, 0.06, seeds)
        dev += level + gain * taught - dev.mean()
        test, files = random.uniform(0.3, 0.6, seeds), random.integers(20, 60, seeds)
        rows.append((f"student {number}", taught, dev.round(5).tolist(), test.round(3).tolist(),
                     files.tolist()))
    return as_students(rows)

# %% tags=["answer:q5"]
def choose_student(students, max_bytes):
    """students: list of dicts with the keys name (a text), taught (True or False), and dev, test and
    file_bytes, lists with a number for each seed; max_bytes: a whole number.
    Returns (name, macro-F1 on test): a text and a float, or None if nothing fits."""
    ### BEGIN SOLUTION
    fitting = [s for s in students if max(s["file_bytes"]) <= max_bytes]
    if not fitting:
        return None

    def favourite(taught):
        group = [s for s in fitting if s["taught"] == taught]
        return max(group, key=lambda s: np.mean(s["dev"]), default=None)

    with_teacher, without = favourite(True), favourite(False)
    worth_it = without is None or (
        with_teacher is not None and min(with_teacher["dev"]) > max(without["dev"])
    )
    best = with_teacher if worth_it else without
    return best["name"], np.mean(best["test"])
    ### END SOLUTION


# %% tags=["check:q5:4"]
# Check question 5. The hidden test draws other inputs in the same way, and gives the points.
def cases_q5(random):
    yield STUDENTS, 6000
    yield STUDENTS, 5899
    yield STUDENTS, 5200
    yield STUDENTS, 1000
    yield as_students([("zero", True, [0.0], [0.0], [7])]), 7
    yield as_students([("a", True, [0.5, 0.6], [0.4, 0.5], [5, 5]),
                       ("b", False, [0.5, 0.3, 0.4], [0.3, 0.4, 0.2], [5, 5, 5])]), 5
    for count in (2, 3, 4, 5, 6, 7, 8, 9):
        for gain in (0.0, 0.05, 0.12):
            yield draw_students(random, count, gain), int(random.choice([30, 45, 60]))


def try_q5(students, max_bytes):
    return choose_student(students, max_bytes)


examine(try_q5, cases_q5, KEYS["q5"], protect=["students"])

# %% [markdown]
# ## Question 6: when was the teacher worth it?
#
# *35 minutes, 6 points, read by a person*
#
# A teacher is expensive. It has to be trained, and asked about every comment of the training split;
# it makes the training of the student one step longer and harder to repeat. What it does not cost
# is a larger student: the file holds as many numbers as before. So it is worth its price if the student gets better by it,
# by more than chance, and if there is no cheaper way to the same score.
#
# The next cell prints what was measured: macro-F1 on test as a mean over seeds, its *spread* (lowest to
# highest seed), the largest file and the minutes of training. Of a teacher without bytes or minutes only
# its logits are kept. Students learned from the *shipped* teachers: logits of one seed each, written
# down once. Nothing is chosen or shipped here, only reported, so test is the split to look
# at. Lecture 02 draws all this; it also shows how sure the teacher is.
#
# Write 150 to 350 words. Each of these gives one point, or half of it if a part is missing:
#
# 1. You name the pair of students, the same network with and without a teacher, that gained most,
#    with the mean and the spread of both, and say whether the gain is clear: both have several seeds,
#    and their spreads do not overlap.
# 2. You name a pair that gained nothing, or lost, with its numbers, and a reason that fits this
#    student: its size, what it sees of a comment (words, or their order, too), or what it started
#    from (half-depth and factorised students start from trained weights, see lecture 02).
# 3. You set a taught student beside the best model *without* a teacher whose file is about as large
#    or smaller (a tenth more is chance), the sparse linear baseline included, and say what the
#    teacher is worth then. Students on labels count as without, teachers and halves of them do not.
# 4. You compare two teachers of the same student, their own scores and its score with each, and say
#    whether the better teacher was the better one to learn from.
# 5. You say what the teacher cost, in minutes where they are known, and who pays, in training and on
#    the device.
# 6. You name one more measurement, and say which result would change your answer.

# %% nbgrader={"grade": false, "grade_id": "q6_records", "locked": true, "schema_version": 3, "solution": false, "task": false}
def summaries(rows, field):
    """Of each method and setting of which the field is recorded, its summary over seeds."""
    found = summarise([row for row in rows if field in row], field)
    return {(group["method"], group["setting"]): group for group in found}

for experiment in ("teachers", "shipped teachers", "students", "half depth"):
    print(f"{experiment}: macro-F1 on test, mean over seeds (lowest to highest), largest file, training")
    rows = load_records("distillation", experiment=experiment, split="test")
    files, seconds = (summaries(rows, field) for field in ("file_bytes", "training_s"))
    for name, f1 in summaries(rows, "macro_f1").items():
        print(f"- {name[0]}, {name[1]}: {f1['mean']:.3f} ({f1['min']:.3f} to {f1['max']:.3f}), seeds: "
              f"{f1['n']}" + (f"; {files[name]['max']:,} bytes" if name in files else "")
              + (f"; {seconds[name]['mean'] / 60:.1f} minutes" if name in seconds else ""))

# %% [markdown] nbgrader={"grade": true, "grade_id": "q6", "locked": false, "points": 6, "schema_version": 3, "solution": true, "task": false}
# **How a full answer is built** (for the person who reads the answers; the numbers in brackets are
# those of the lecture).
#
# *Most gained:* [student], from [mean] with labels to [mean] taught by [teacher], over five seeds
# each. The seeds reach from [lowest] to [highest] and from [lowest] to [highest]: the two ranges
# [do not overlap / overlap], so this gain is [more than / not clearly more than] a change of seed.
#
# *Nothing gained:* [student], [mean] and [mean]. It is a bag of words and cannot see what its
# teacher saw: word order, negation. Soft labels cannot teach what the student has no means to
# express. [Or: it is nearly as large as its teacher, and labels were enough. Or: the teacher is
# sure of nearly everything at T = 1, so that its probabilities are labels once more.]
#
# *Against the baseline:* at [bytes] bytes the taught [student] has [mean]. The best model without a
# teacher in as many bytes is [model] with [mean], [difference] away. Against the same network with
# labels alone the teacher looked [larger]; against the best that one would have shipped otherwise
# it is worth [that difference].
#
# *Two teachers:* [teacher] scores [F1] itself and [teacher] [F1]. The same student reaches [mean]
# and [mean]. So the better teacher [was / was not] the better one to learn from; [a reason: how
# soft its probabilities are, how far it is ahead of the student, labels it confuses as people do].
#
# *Price:* the teacher was trained once, for [minutes] (an ensemble: once for each member), and asked
# about each comment of the training split. Whoever trains pays; whoever runs the student pays
# nothing, for its file and its speed are the same. If the labels change, the bill comes again.
#
# *Next:* the same comparison with unlabelled comments, which only a teacher can label. If students
# gain more there than here, the teacher is worth its price even where it was not before.
#
# A point is for the argument, not for the verdict: "it was never worth it", defended with the same
# care, gets all six. A point is given whole or by half: half where a difference comes without the spread
# of its seeds, where a number is missing, or where a taught student is compared only with itself.
