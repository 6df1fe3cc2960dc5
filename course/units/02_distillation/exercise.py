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
# - Below each answer stand checks. Run them as often as you like: each runs your answer on many
#   inputs and says "passed", or shows the smallest input on which the result is wrong, what came out
#   and what was expected. It says which idea went wrong only if your results prove it. Checks give
#   no points.
# - The points come from hidden tests, which are put in when your work is graded; leave their cells,
#   empty but for a comment, where they are. A hidden test is its check with other inputs, drawn in
#   the same way: it tests nothing that the question does not say.
# - No question needs the answer to another one. *Restart and Run All* stops at a question that you leave
#   open; to go on below it, put the cursor there and choose *Run, Run Selected Cell and All Below*.
# - The standard library, NumPy, SciPy and scikit-learn are allowed; import what else you need in the
#   answer's cell. The course's own `utils` implements much of this; calling that is no answer, and
#   the checks notice. A warning, say of an overflow, costs no points.
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
# **What the seed buys.** `connections_for_bytes` says how many connections a file of at most `budget`
# bytes can have if its pattern is stored in one of three ways. Each file has a header of 16 bytes, the
# bias and the weights, both with `width` bytes a number, and for the pattern
#
# - `"seed"`: nothing, since the seed is in the header;
# - `"mask"`: one bit for each position, connected or not, rounded up to whole bytes;
# - `"indices"`: 4 bytes for each connection, its position.
#
# A layer never has more connections than positions, and where the budget pays for none, the number is 0.
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
# **(3002.5, 504.25, 0.125)**.
#
# With 2 bytes a number and 41 bytes, header and bias leave 41 - 16 - 3 · 2 = 19: with the seed for 9
# connections (19 / 2 = 9.5), after a mask of 2 bytes (12 bits) for 8, and with indices for 3 of 6 bytes.
#
# Output 2 has no connection at all. That is allowed here; the layers of `utils` avoid it, and give
# the same number of connections to each output.

# %% tags=["locked:q3_example"]
# The random numbers of the example, to play with.
from utils.distillation import splitmix64

print((splitmix64(3, 12) / 1e18).reshape(3, 4).round(1))

def peak_memory(function, *arguments):
    """For a check: the result, and the largest number of bytes that were in use on the way."""
    import tracemalloc
    from copy import deepcopy

    function(*deepcopy(arguments))  # so that what it imports does not count
    tracemalloc.start()
    try:
        return function(*arguments), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

# %% tags=["answer:q3"]
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

def connections_for_bytes(outputs, inputs, budget, width):
    """budget: of the file, in bytes; width: bytes a number. Returns a dict from "seed", "mask" and
    "indices" to the largest number of connections, whole numbers."""
    ### BEGIN SOLUTION
    positions = outputs * inputs
    left = budget - 16 - outputs * width
    mask = -(-positions // 8)
    paid = {"seed": left // width, "mask": (left - mask) // width, "indices": left // (width + 4)}
    return {way: min(max(k, 0), positions) for way, k in paid.items()}
    ### END SOLUTION


# %% tags=["check:q3_pattern"]
# Check question 3, the pattern. The hidden test draws other inputs in the same way.
def cases_q3_pattern(random):
    yield from ((3, 4, 0.7, 3), (3, 4, 0.7, 6), (40, 5, 0.9, 1), (8, 9, 0.9, 0), (3, 4, 0.0, 4))
    for outputs, inputs in ((1, 30), (24, 1), (7, 6), (4, 11), (15, 3), (20, 31)):
        n = outputs * inputs
        k = int(random.integers(3, n - 2)) + random.uniform(0.15, 0.4) * random.choice([-1, 1])
        yield outputs, inputs, round(1 - k / n, 4), int(random.integers(1, 10**6))


def try_q3_pattern(outputs, inputs, sparsity, seed):
    got, again = (sparse_pattern(outputs, inputs, sparsity, seed) for _ in range(2))
    if not np.array_equal(got, again):
        return "another pattern when called once more"
    if not isinstance(got, tuple | list) or len(got) != 2:
        return got
    rows, columns = map(np.asarray, got)
    integers = {rows.dtype.kind, columns.dtype.kind} <= set("iu")
    return {"rows": rows, "columns": columns, "integers": integers}


examine(try_q3_pattern, cases_q3_pattern, KEYS["q3_pattern"],
        forbidden="utils.distillation.static_sparse_index")

# %% tags=["check:q3_layer"]
# Check question 3, the layer: y, and whether a matrix of all weights was made on the way to it.
def cases_q3_layer(random):
    x, weights = np.array([[1.0, 10, 100, 1000], [0, 0, 1, 0]]), np.array([2.0, 3, 4, 5])
    rows, columns, bias = np.array([0, 0, 1, 1]), np.array([0, 3, 0, 2]), np.array([0.5, 0.25, 0.125])
    yield x, weights, rows, columns, bias
    yield x[:1], weights, np.array([0, 2, 2, 2]), np.array([0, 0, 1, 2]), np.zeros(4)
    for n, outputs, inputs, k in ((1, 3, 5, 1), (3, 5, 2, 6), (2, 2, 7, 9), (3, 3, 3, 9), (4, 6, 6, 5),
                                  (2, 100, 30_000, 4000)):
        where = np.sort(random.choice(outputs * inputs, k, replace=False))
        x, bias = random.normal(0, 2, (n, inputs)).round(1), random.normal(0, 2, outputs).round(1)
        yield x, random.normal(0, 2, k).round(3), *np.divmod(where, inputs), bias


def try_q3_layer(x, values, rows, columns, bias):
    y, peak = peak_memory(sparse_forward, x, values, rows, columns, bias)
    return {"y": y, "memory": "little" if peak < 2e6 else "as for a matrix of all weights"}


examine(try_q3_layer, cases_q3_layer, KEYS["q3_layer"], tol=1e-5,
        protect=["x", "values", "rows", "columns", "bias"],
        forbidden="utils.distillation.StaticSparseLinear.forward")

# %% tags=["check:q3_bytes:6"]
# Check question 3, connections for bytes.
def cases_q3_bytes(random):
    yield from ((3, 4, 41, 2), (3, 4, 22, 2), (3, 4, 23, 2), (3, 4, 24, 2), (3, 4, 10, 2), (3, 4, 99, 8))
    yield from ((64, 192, 2500, 2), (64, 192, 25_000, 2), (16, 8, 1000, 4), (8, 2, 42, 1))
    for outputs, inputs in ((5, 3), (7, 9), (1, 20), (30, 40), (90, 33)):
        for width in (1, 2, 4, 8):
            full = 16 + outputs * width + outputs * inputs * width
            yield outputs, inputs, int(full * random.uniform(0.2, 1.1)), width


def try_q3_bytes(outputs, inputs, budget, width):
    return connections_for_bytes(outputs, inputs, budget, width)


examine(try_q3_bytes, cases_q3_bytes, KEYS["q3_bytes"])

# %% [markdown]
# **Which way for which layer?** 64 outputs, 192 inputs, 2 bytes a number: the share of the positions
# that are connected, for some budgets. A pattern that was *chosen*, by pruning say, has no seed. Which
# of the other two would you take, and does that depend on `width`? (Indices win below one connection in
# 32: there four bytes for each connection cost less than a bit for each position.)

# %%
positions = 64 * 192
print(" budget   seed   mask  indices")
for budget in (500, 1000, 2500, 5000, 10_000, 25_000):
    found = connections_for_bytes(64, 192, budget, 2)
    shares = [f"{found[way] / positions:6.1%}" for way in ("seed", "mask", "indices")]
    print(f"{budget:7,} {' '.join(shares)}")

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
# `samples` passes. A pass is one call, `network(x)`, with all the comments of `x`; each call draws
# masks of its own, so make exactly `samples` calls. You get the network as an object that works as in
# PyTorch: `network(x)` returns logits, a NumPy array of shape (comments, labels). Somewhere inside is
# its dropout, and `network.train()` switches that on, `network.eval()` off; `network.train(mode)` takes
# True or False. `network.training` tells the mode, but setting it would switch nothing inside. A network
# may come in either mode. Leave it in the mode in which it came.
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

# %% tags=["locked:q4_example"]
# The example: dropout between two layers, of which the first changes nothing here. Seed 101 draws the
# masks above. The network has its own dropout, so that it can be used before yours is right.
class Network:
    def __init__(self, first, second, rate):
        self.first, self.second, self.rate = first, second, rate
        self.random = np.random.default_rng(101)
        self.eval()

    def train(self, mode=True):
        self.training, self.inside = mode, {"dropping": mode}
        return self

    def eval(self):
        return self.train(False)

    def __call__(self, x):
        hidden = x @ self.first
        if self.inside["dropping"]:
            hidden = hidden * (self.random.random(hidden.shape) >= self.rate) / (1 - self.rate)
        return hidden @ self.second

WEIGHTS = np.log(3) * np.array([[1.0], [-0.5]])
print(Network(np.eye(2), WEIGHTS, rate=0.5).train()(np.ones((1, 2))) / np.log(3))

# %% tags=["locked:q4_dice"]
# For the check of dropout: in place of a random generator, it gives these numbers in turn.
class Dice:
    def __init__(self, numbers):
        self.numbers, self.drawn = numbers, 0

    def random(self, size=()):
        count = int(np.prod(size))
        self.drawn += count
        numbers = [self.numbers[i % len(self.numbers)] for i in range(self.drawn - count, self.drawn)]
        return np.reshape(numbers, size)

    def __getattr__(self, name):
        raise AttributeError(f"draw with random.random(values.shape), and not with {name}")

# %% tags=["answer:q4"]
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


# %% tags=["check:q4_dropout"]
# Check question 4, dropout. The hidden test draws other inputs in the same way, and gives the points.
def cases_q4_dropout(random):
    dice = [0.9, 0.1, 0.25, 0.2, 0.6, 0.3, 0.8]
    yield np.array([[3.0, 6, 9], [12, 15, 18]]), 0.25, dice
    yield np.ones((1, 3, 2)), 0.5, dice
    yield np.array([[1.5], [-2.5]]), 0.2, [0.0, 0.2]
    yield np.array([[0.5, 4.5]]), 0.0, [0.0, 0.7]
    for shape, rate in (((4,), 0.5), ((3, 4), 0.6), ((4, 3), 0.25), ((2, 3, 2), 0.4), ((5, 2), 0.9)):
        yield random.normal(0, 3, shape).round(1), rate, random.random(13).round(2).tolist()


def try_q4_dropout(values, rate, numbers):
    dice = Dice(numbers)
    result = dropout(values, rate, dice)
    if result is not None and rate and not dice.drawn:
        return "no number was drawn from `random`"
    return result


examine(try_q4_dropout, cases_q4_dropout, KEYS["q4_dropout"], protect=["values"])

# %% tags=["check:q4_target:4"]
# Check question 4, the target, and the mode in which the network is left.
def cases_q4_target(random):
    for samples, mode in ((4, False), (4, True), (1, False)):
        yield np.ones((1, 2)), np.eye(2), WEIGHTS, 0.5, samples, mode
    deep = np.array([[1.0, 1], [1, -1]]), np.log(3) / 2 * np.array([[1.0, 2, 0], [1, 0, 1]])
    yield np.eye(2), *deep, 0.5, 3, False
    yield np.eye(2), *deep, 0.5, 3, True
    for comments, features, labels, rate in ((1, 3, 2, 0.25), (3, 2, 1, 0.0), (2, 3, 4, 0.8),
                                             (5, 3, 3, 0.5), (3, 4, 2, 0.6)):
        arrays = (random.normal(0, 2, shape).round(1) for shape in (
            (comments, features), (features, 6), (6, labels)))
        yield *arrays, rate, int(random.integers(3, 12)), bool(random.integers(0, 2))


def try_q4_target(x, first, second, rate, samples, mode):
    network = Network(first, second, rate).train(mode)
    target = dropout_target(network, x, samples)
    return {"target": target, "training": network.training, "dropping": network.inside["dropping"]}


examine(try_q4_target, cases_q4_target, KEYS["q4_target"], protect=["x"])

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

# %% tags=["locked:q5_random"]
# For the check: students of whom only these three things matter, and random ones.
def made_up(*rows):
    return as_students([(f"student {i}", taught, dev, [0.9 * f + 0.01 * i for f in dev], [size] * len(dev))
                        for i, (taught, dev, size) in enumerate(rows)])

def draw_students(random, count, share, gain):
    rows, levels = [], 0.45 + 0.006 * random.permutation(count)
    for number, level in enumerate(levels):
        seeds, taught = int(random.integers(1, 5)), bool(random.random() < share)
        noise = random.choice([-1, 1]) * random.exponential(random.choice([0.004, 0.07]), seeds)
        dev = np.clip(level + gain * taught + noise - noise.mean(), 0.05, 0.95)
        test, files = random.uniform(0.3, 0.6, seeds), random.integers(20, 60, seeds)
        rows.append((f"student {number}", taught, dev.round(4).tolist(), test.round(3).tolist(),
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
    yield from ((STUDENTS, budget) for budget in (6000, 5899, 5200, 1000))
    for rows in ([(True, [0.0], 7)], [(True, [0.5, 0.6], 9), (False, [0.5, 0.3, 0.4], 9)],
                 [(False, [0.452], 9), (False, [0.454], 9), (False, [0.45, 0.45], 9)],
                 [(False, [0.45], 9), (False, [0.1, 0.66, 0.65], 9), (False, [0.6, 0.0, 0.62], 9)],
                 [(True, [0.6, 0.7], 9), (True, [0.4], 9), (False, [0.5, 0.51], 9), (False, [0.9], 99)],
                 [(True, [0.45, 0.75], 9), (False, [0.5], 9), (True, [0.58, 0.58], 8)]):
        yield made_up(*rows), 9
    for count in (2, 3, 5, 7, 9):
        for share, gain in ((0.0, 0.0), (1.0, 0.0), (0.5, 0.02), (0.5, 0.08), (0.5, 0.2)):
            yield draw_students(random, count, share, gain), int(random.choice([35, 50, 60]))


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
# is a larger student: the file holds as many numbers as before. So it is worth its price if the
# student gets better by it, by more than chance, and if there is no cheaper way to the same score.
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
# 3. You compare a taught student with the best model *without* a teacher of its size, and say what the
#    teacher is worth then. Of its size: a file at most a tenth larger. Without a teacher are the
#    students that learned from labels alone and the sparse linear baseline; teachers and half-depth
#    models, which are parts of a teacher, do not count here.
# 4. You compare two teachers of the same student, their own scores and its score with each, and say
#    whether the better teacher was the better one to learn from.
# 5. You say what the teacher costs and who pays: its own training and one pass over the comments (in
#    minutes, where they are printed) are paid by whoever trains; say what changes, if anything, for
#    whoever runs the student on a device.
# 6. You name one more measurement, and say which result would change your answer.

# %% tags=["locked:q6_records"]
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

# %% [markdown] tags=["written:q6:6"]
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
