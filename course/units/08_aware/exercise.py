# %% [markdown]
# # Assignment 08: training with the quantizer
#
# A network that is rounded after its training was never asked. Here you write what asks it: a rounding
# that has a gradient, a step that is learned, a grid of powers of two, weights that share a value, a step
# of a student and a teacher who learn from one another, and the packing of weights of three values. At
# the end you argue from measurements which of it a small model needs.
#
# | Question | You write | Minutes | Points |
# |---|---|---|---|
# | 1 | a rounding with a gradient | 20 | 5 |
# | 2 | the gradient of a step, and its scale | 20 | 5 |
# | 3 | additive powers of two | 20 | 5 |
# | 4 | a step of shared weights | 15 | 4 |
# | 5 | the losses of three phases | 20 | 5 |
# | 6 | trits, five in a byte | 15 | 4 |
# | 7 | a written verdict: which grid at equal bytes? | 30 | 5 |
#
# **How it works.**
#
# - Write where it says `# YOUR CODE HERE`, and delete the line that raises `NotImplementedError`.
# - Below each answer stands a check. Run it as often as you like: it calls your function with many
#   inputs, and prints "passed" or ends in an `AssertionError`, whose last lines show the smallest
#   input on which your answer is wrong, what came out and what was expected. Where all results
#   together prove which idea went wrong, it says which; else it guesses at no cause. Checks give no
#   points.
# - The points come from hidden tests, which are put in when your work is graded; leave their cells,
#   empty but for a comment, where they are. They are the checks with other inputs, drawn in the same
#   way: they test nothing that the question does not say, and all that it says.
# - No question needs the answer to another one. *Restart and Run All* stops at a question that you leave
#   open; to go on below it, put the cursor there and choose *Run, Run Selected Cell and All Below*.
# - The standard library, NumPy and PyTorch are allowed; import what else you need in the
#   answer's cell. The course's own `utils` implements much of this; calling that is no answer, and
#   the checks notice. A warning, say of 0 / 0, costs no points.
# - What your functions are given must be the same after the call as before.
# - Before you hand in, choose *Kernel, Restart and Run All*.
#
# The small numbers in questions 1 to 6 are invented, so that you can follow them in your head.
# The numbers in question 7 are measured.

# %%
import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from utils.records import load_records

# %% [markdown]
# ## Question 1: a rounding with a gradient
#
# *20 minutes, 5 points*
#
# A uniform grid stores x as a whole number, its code, and gives back a multiple of the scale:
#
# 1. x / `scale` is rounded to the nearest whole number (of two that are equally near the even one, as
#    `torch.round` does);
# 2. the zero point is added;
# 3. what lies outside `low` .. `high` is clipped to the nearer end: that is the code;
# 4. the value is `scale` · (code − `zero_point`).
#
# The derivative of a step is 0 wherever it has one, so nothing could be learned through it. The
# *straight-through estimator* takes 1 instead, where the code was **not** clipped, that is where it lies
# in `low` .. `high` after step 2, ends included; where it was clipped, the gradient is 0. As always it is
# multiplied by the gradient that comes from above. Scale, zero point and ends get none.
#
# In PyTorch that is a `torch.autograd.Function` with two static methods. `forward(ctx, ...)` gets the
# inputs and returns the value; `ctx.save_for_backward(tensor)` keeps what the other one needs.
# `backward(ctx, gradient)` finds it in `ctx.saved_tensors`, and returns a gradient **for each input** of
# forward, None for those that have none.
#
# **Example.** `scale` 0.5, `zero_point` 0, codes from −3 to 3:
#
# | x | −9 | −1.75 | 0.3 | 0.75 | 1.7 | 9 |
# |---|---|---|---|---|---|---|
# | rounded | −18 | −4 | 1 | 2 | 3 | 18 |
# | value | −1.5 | −1.5 | 0.5 | 1 | 1.5 | 1.5 |
# | gradient, if 10 comes from above | 0 | 0 | 10 | 10 | 10 | 0 |

# %% tags=["locked:q1_example"]
# The example, to play with.
NUMBERS = np.array([-9.0, -1.75, 0.3, 0.75, 1.7, 9.0])


# %% tags=["answer:q1"]
class FakeQuantize(torch.autograd.Function):
    """To be called as FakeQuantize.apply(x, scale, zero_point, low, high)."""

    @staticmethod
    def forward(ctx, x, scale, zero_point, low, high):
        """x: float64 tensor of any shape. scale: a number above 0. zero_point, low, high: whole numbers.

        Returns the values on the grid, of the shape of x.
        """
        ### BEGIN SOLUTION
        code = torch.round(x / scale) + zero_point
        ctx.save_for_backward((code >= low) & (code <= high))
        return scale * (code.clamp(low, high) - zero_point)
        ### END SOLUTION

    @staticmethod
    def backward(ctx, gradient):
        """gradient: of the loss by the values. Returns a gradient for each of the five inputs."""
        ### BEGIN SOLUTION
        (inside,) = ctx.saved_tensors
        return gradient * inside, None, None, None, None
        ### END SOLUTION


# %% tags=["check:q1:5"]
# Check question 1: values, and the gradient by x for one that comes from above.
def cases_q1(random):
    yield NUMBERS, np.full(6, 10.0), 0.5, 0, -3, 3
    yield NUMBERS, np.arange(6.0), 0.5, 2, -3, 3
    yield np.array([0.0]), np.array([3.0]), 1.0, 0, -1, 1
    yield np.array([0.5, 1.5, 2.5, -0.5, -1.5, 3.5]), np.ones(6), 1.0, 1, -2, 3
    yield np.array([0.5, 1.5, 2.5, -0.5, -1.5, 3.5]), np.arange(1.0, 7), 1.0, 0, -1, 2
    yield np.array([[1.2, 1.7], [-1.3, 1.4]]), np.array([[2.0, 3], [5, 7]]), 1.0, 0, -1, 1
    yield np.arange(-9, 10) / 4, np.arange(1.0, 20), 0.25, 3, 0, 7
    yield np.array([-0.7, 0.2, 0.9, 2.2]), np.array([1.0, -1, 2, -2]), 0.5, 128, 0, 255
    for shape, zero_point, low, high in (((7,), 0, -7, 7), ((3, 4), 5, 0, 15), ((2, 2, 3), -2, -8, 7),
                                         ((9,), 1, 0, 3), ((6, 2), 0, 0, 1), ((5,), 3, -1, 9)):
        scale = float(random.choice([0.125, 0.3, 0.75, 2.0]))
        x = random.uniform(low - zero_point - 3, high - zero_point + 3, shape) * scale
        yield x.round(3), random.normal(0, 2, shape).round(2), scale, zero_point, low, high


def try_q1(x, gradient, scale, zero_point, low, high):
    x = torch.from_numpy(x).requires_grad_()
    values = FakeQuantize.apply(x, scale, zero_point, low, high)
    result = {"values": values.detach().clone()}
    values.backward(torch.from_numpy(gradient))
    return result | {"gradient": x.grad}


examine(try_q1, cases_q1, KEYS["q1"], protect=["x", "gradient"],
        forbidden=["utils.quantization.aware.fake_quantize",
                   "utils.quantization.aware.straight_through"])

# %% [markdown]
# ## Question 2: the gradient of a step, and its scale
#
# *20 minutes, 5 points*
#
# Which step a grid has need not be decided beforehand: it can be learned. With $u = w / s$ the value of a
# weight $w$ is $v = s \cdot \mathrm{round}(\mathrm{clip}(u, low, high))$, and treating rounding as if it
# had the derivative 1 gives (Esser et al., 2020)
#
# $$\frac{\partial v}{\partial s} = \begin{cases} \mathrm{round}(u) - u & low < u < high \\
#   low & u < low \\ high & u > high \end{cases} \qquad
#   \frac{\partial v}{\partial w} = \begin{cases} 1 & low < u < high \\ 0 & \text{elsewhere} \end{cases}$$
#
# (No check draws a u that is an end exactly, or half way between two codes.) A step is shared by many
# weights, so its gradient is a **sum** over them, each times the gradient that comes from above. The more
# weights there are, the larger it is, and so is the share of a step that one update moves it. To keep
# updates of steps and weights in proportion, the paper multiplies the *step's* gradient by
#
# $$g = 1 / \sqrt{N \cdot high}$$
#
# where N is the number of weights **that share the step**. The gradient of the weights stays as it is.
#
# `steps` has the shape (1,), one step for all weights, or (outputs,), one for each row.
#
# **Example.** Weights (0.3, 0.8, 9), all with 1 from above, a step of 0.5 and codes −3 .. 3: u is 0.6,
# 1.6 and 18, so the parts are 1 − 0.6, 2 − 1.6 and 3, together 3.8, and g is 1/√(3 · 3): the step's
# gradient is **1.2667**, that of the weights **1, 1, 0**. The same weights as two rows of three with a
# step each have the same g, since three weights share a step; with one step for all six it would be 1/√(6
# · 3).

# %% tags=["locked:q2_example"]
# The example, to play with.
ROW = np.array([[0.3, 0.8, 9.0]])


# %% tags=["answer:q2"]
def step_gradients(weights, steps, low, high, gradient):
    """Gradients by weights and by steps.

    weights: float array (outputs, inputs). steps: float array (1,) or (outputs,), above 0.
    low, high: whole numbers, low at most 0, high at least 1. gradient: of the loss by the values, (outputs, inputs).

    Returns (by_weights, by_steps), float arrays of the shapes of weights and of steps.
    """
    ### BEGIN SOLUTION
    u = weights / steps[:, None]
    inside = (u > low) & (u < high)
    parts = gradient * np.where(inside, np.round(u) - u, np.clip(u, low, high))
    sums = parts.sum(axis=1) if len(steps) == len(weights) else parts.sum(keepdims=True)[0]
    shared = weights.size / len(steps)
    return gradient * inside, sums / np.sqrt(shared * high)
    ### END SOLUTION


# %% tags=["check:q2:5"]
# Check question 2.
def cases_q2(random):
    yield ROW, np.array([0.5]), -3, 3, np.ones((1, 3))
    yield np.vstack([ROW, ROW]), np.array([0.5, 0.5]), -3, 3, np.ones((2, 3))
    yield np.vstack([ROW, ROW]), np.array([0.5]), -3, 3, np.ones((2, 3))
    yield -np.vstack([ROW, 2 * ROW]), np.array([0.5, 0.25]), -3, 3, np.array([[1, 2, 3], [4, 5, 6.0]])
    yield np.array([[0.0]]), np.array([1.0]), -1, 1, np.array([[2.0]])
    yield np.array([[-4.2, 0.2, 1.3, 7.7]]), np.array([1.0]), -2, 5, np.array([[1.0, -1, 2, 3]])
    yield np.array([[-0.4, 0.2, 1.3, 7.7]]), np.array([0.5]), 0, 7, np.array([[1.0, -1, 2, 3]])
    for (rows, columns), low, high in (((2, 5), -7, 7), ((3, 4), -3, 3), ((4, 2), 0, 15), ((1, 9), -1, 1),
                                       ((5, 3), -8, 7), ((3, 3), -2, 1)):
        for count in {1, rows}:
            steps = random.uniform(0.2, 0.9, count).round(2)
            weights = random.uniform(low - 2, high + 2, (rows, columns)).round(2) * 0.45 + 0.0013
            yield weights, steps, low, high, random.normal(0, 1, (rows, columns)).round(2)


def try_q2(weights, steps, low, high, gradient):
    by_weights, by_steps = step_gradients(weights, steps, low, high, gradient)
    return {"by weights": by_weights, "by steps": by_steps}


examine(try_q2, cases_q2, KEYS["q2"], protect=["weights", "steps", "gradient"],
        forbidden="utils.quantization.aware.learned_step")

# %% [markdown]
# ## Question 3: additive powers of two
#
# *20 minutes, 5 points*
#
# A product with a power of two is a shift. But a grid of powers alone (1, 1/2, 1/4, ...) is hardly finer
# near 1 with more bits: each new one is next to 0. *Additive* powers of two (Li et al., 2020) are sums of
# a few. Of b bits one is the sign. Of the b − 1 others two choose a term, so that there are n = (b − 1)
# // 2 terms, numbered i = 0 .. n − 1. Term i is one of
#
# $$0,\quad 2^{-i},\quad 2^{-(i + n)},\quad 2^{-(i + 2n)}$$
#
# If b − 1 is odd, one bit is left. It chooses one more term, 0 or $2^{-2n}$; and to make room, the *last*
# of the four values of each other term is halved, to $2^{-(i + 2n + 1)}$. All sums of one value of each
# term, divided by the largest of them, are the **magnitudes**: $2^{b-1}$ of them, from 0 to 1.
#
# A layer's weights w have another mean and spread than the grid. So they are first normalised,
# $(w - \mu) / \sigma$, with the mean and the standard deviation of all of them (the root of the *mean* of
# squares); then divided by `clip`, put on the nearest of the magnitudes with either sign (what lies
# beyond 1 thus becomes 1), and all of this is **undone** again: times clip, times σ, plus μ. The paper
# leaves the last part out, since the batch-norm that follows in its networks takes out both. After a GRU
# there is none.
#
# **Example.** The magnitudes of 4 bits: b − 1 = 3, so there is n = 1 term, 0, 1, 1/2 or 1/8, and one bit
# is left, for 0 or 1/4. The sums are 0, 1/8, 1/4, 3/8, 1/2, 3/4, 1 and 5/4; divided by 5/4 they are **0,
# 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1**. And of 5 bits: two terms, 0, 1, 1/4 or 1/16, and 0, 1/2, 1/8 or 1/32;
# the largest sum is 3/2.
#
# The weights (1, 3, 5, 11) have the mean 5 and the deviation √14 = 3.742. With 3 bits (magnitudes 0, 1/4,
# 1/2, 1) and a `clip` of 2 they are −0.535, −0.267, 0 and 0.802 on the grid's scale; the nearest values
# are −0.5, −0.25, 0 and 1, which are the weights **1.258, 3.129, 5** and **12.483**.


# %% tags=["answer:q3"]
def power_magnitudes(bits):
    """The magnitudes of additive powers of two, ascending, a float array of length 2**(bits - 1).

    bits: 2 to 7, the sign among them.
    """
    ### BEGIN SOLUTION
    n, left = divmod(bits - 1, 2)
    sums = np.zeros(1)
    for i in range(n):
        term = [0, 2.0**-i, 2.0 ** -(i + n), 2.0 ** -(i + 2 * n + left)]
        sums = np.add.outer(sums, term).ravel()
    if left:
        sums = np.add.outer(sums, [0, 2.0 ** (-2 * n)]).ravel()
    return np.sort(sums) / sums.max()
    ### END SOLUTION


def on_powers(weights, magnitudes, clip):
    """Weights on the grid of these magnitudes, on their own scale again.

    weights: float array of any shape, not all equal. magnitudes: float array, ascending from 0 to 1. clip: above 0, in
    standard deviations. (No check draws a weight half way between two values.)

    Returns a float array of the shape of weights.
    """
    ### BEGIN SOLUTION
    mean, deviation = weights.mean(), weights.std()
    u = (weights - mean) / deviation / clip
    grid = np.concatenate([-magnitudes[:0:-1], magnitudes])
    nearest = grid[np.abs(u[..., None] - grid).argmin(axis=-1)]
    return nearest * clip * deviation + mean
    ### END SOLUTION


# %% tags=["check:q3"]
# Check question 3, the magnitudes.
def cases_q3(random):
    for bits in (3, 5, 4, 2, 6, 7):
        yield (bits,)


def try_q3(bits):
    return power_magnitudes(bits)


examine(try_q3, cases_q3, KEYS["q3"],
        forbidden=["utils.quantization.scalar.power_levels", "utils.quantization.scalar.power_terms"])


# %% tags=["check:q3_grid:5"]
# Check question 3, weights on the grid.
def cases_q3_grid(random):
    three, four = np.array([0, 0.25, 0.5, 1]), np.array([0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1])
    yield np.array([1.0, 3, 5, 11]), three, 2.0
    yield np.array([[1.0, 3], [5, 11]]), three, 0.5
    yield np.array([-1.0, 1.0]), np.array([0.0, 1.0]), 1.25
    yield np.array([0.1, 0.2, 0.35, -0.9, 2.5]), four, 1.5
    yield np.array([10.0, 10.5, 10.1, 9.2]), four, 3.0
    for magnitudes, shape in ((three, (6,)), (four, (3, 4)), (three, (2, 2, 3)), (np.linspace(0, 1, 5), (9,)),
                              (four, (5, 2))):
        weights = random.normal(random.uniform(-1, 1), random.uniform(0.05, 4), shape).round(3)
        yield weights, magnitudes, float(random.choice([0.7, 1.3, 2.2, 3.1]))


def try_q3_grid(weights, magnitudes, clip):
    return on_powers(weights, magnitudes, clip)


examine(try_q3_grid, cases_q3_grid, KEYS["q3_grid"], protect=["weights", "magnitudes"],
        forbidden="utils.quantization.PowersOfTwoQuantizer")

# %% [markdown]
# ## Question 4: a step of shared weights
#
# *15 minutes, 4 points*
#
# Weights that share a value are a codebook of *centroids* and, for each weight, the number of its
# centroid. Rounding to it breaks something; training the centroids mends it, while every weight stays in
# its cluster. Write one such step:
#
# - a centroid moves by −`rate` times the **mean** of the gradients of its weights. (The paper that
#   brought this up takes the sum. Then the centroid of a thousand weights moves a hundred times as far as
#   that of ten.)
# - a centroid that is 0 stays 0, wherever it stands: its weights were pruned;
# - a centroid without weights stays as it is;
# - the codes stay as they are, also where another centroid is nearer afterwards.
#
# **Example.** The centroids are 0, 1, 5 and 7, the rate is 0.5:
#
# | weight | 0 | 1 | 1 | 5 |
# |---|---|---|---|---|
# | its code | 0 | 1 | 1 | 2 |
# | its gradient | 7 | 2 | 4 | −1 |
#
# The centroids are then 0, 1 − 0.5 · 3 = **−0.5**, 5 + 0.5 = **5.5**, and 7. The weights are 0, −0.5,
# −0.5 and 5.5.

# %% tags=["locked:q4_example"]
# The example, to play with.
CENTROIDS, CODES = np.array([0.0, 1.0, 5.0, 7.0]), np.array([0, 1, 1, 2])


# %% tags=["answer:q4"]
def shared_step(centroids, codes, gradient, rate):
    """One step of the centroids.

    centroids: float array (n,), in any order. codes: int array of any shape, from 0 to n - 1. gradient: of the loss
    by each weight, of the shape of codes. rate: above 0.

    Returns (centroids, weights): (n,), and of the shape of codes.
    """
    ### BEGIN SOLUTION
    flat = codes.ravel()
    counts = np.bincount(flat, minlength=len(centroids))
    totals = np.bincount(flat, weights=gradient.ravel(), minlength=len(centroids))
    means = np.where(centroids == 0, 0, totals / np.maximum(counts, 1))
    moved = centroids - rate * means
    return moved, moved[codes]
    ### END SOLUTION


# %% tags=["check:q4:4"]
# Check question 4.
def cases_q4(random):
    yield CENTROIDS, CODES, np.array([7.0, 2, 4, -1]), 0.5
    yield CENTROIDS[::-1].copy(), 3 - CODES, np.array([7.0, 2, 4, -1]), 0.5
    yield np.array([2.0]), np.array([[0, 0], [0, 0]]), np.array([[1.0, 2], [3, 6]]), 0.25
    yield np.array([-1.0, 2.0]), np.array([0, 1, 1]), np.array([-20.0, 4.0, 8.0]), 1.0
    yield np.array([0.0, -3.0]), np.array([0, 0, 0]), np.array([1.0, 2.0, 3.0]), 0.5
    yield np.array([1.0, -1.0, 0.0]), np.array([2, 1, 2, 1]), np.array([5.0, 1.0, -5.0, 2.0]), 2.0
    for n, shape in ((4, (9,)), (3, (4, 3)), (8, (5,)), (5, (2, 3, 4)), (2, (7,))):
        centroids = random.normal(0, 2, n).round(2)
        if n > 3:
            centroids[random.integers(1, n)] = 0
        yield centroids, random.integers(0, n, shape), random.normal(0, 3, shape).round(2), 0.5


def try_q4(centroids, codes, gradient, rate):
    centroids, weights = shared_step(centroids, codes, gradient, rate)
    return {"centroids": centroids, "weights": weights}


examine(try_q4, cases_q4, KEYS["q4"], protect=["centroids", "codes", "gradient"],
        forbidden=["utils.quantization.aware.share", "utils.quantization.aware.SharedWeights"])

# %% [markdown]
# ## Question 5: the losses of three phases
#
# *20 minutes, 5 points*
#
# Quantization-aware knowledge distillation (Kim et al., 2019) trains a student with codes in three
# phases. Write the loss of each, for logits $s$ of the student and $t$ of the teacher, 0/1 labels $y$ and
# a temperature $T$. BCE is the binary cross entropy, averaged over all comments and labels; $\sigma$ is
# the sigmoid; a bar over it says that it counts as a **constant**, so that no gradient flows through it.
#
# - `"self-studying"`: the student alone learns its codes. $\mathrm{BCE}(\sigma(s), y)$
# - `"co-studying"`: both learn, from the labels and from each other. The *sum* of
#   $L_s = \mathrm{BCE}(\sigma(s), y) + \lambda T^2\, \mathrm{BCE}(\sigma(s/T), \overline{\sigma(t/T)})$
#   and
#   $L_t = \mathrm{BCE}(\sigma(t), y) + \lambda T^2\, \mathrm{BCE}(\sigma(t/T), \overline{\sigma(s/T)})$
# - `"tutoring"`: the teacher no longer learns. $L_s$ alone
#
# So in no phase is anyone pulled towards those who learn from him: the gradient by $s$ is that of the
# student's own loss, and that by $t$ that of the teacher's. A gradient that is 0 everywhere and one that
# is not there (None) are the same for the check.
#
# You may use `binary_cross_entropy_with_logits(logits, targets)`, which is imported above and takes
# probabilities as targets. `tensor.detach()` is a constant.
#
# **Example.** One comment, one label: s = 0, t = 2, y = 1, T = 1, λ = 1. BCE(σ(0), y) is 0.6931,
# BCE(σ(0), σ(2)) too; BCE(σ(2), y) is 0.1269, and BCE(σ(2), σ(0)) is 1.1269:
#
# | phase | loss | by s | by t |
# |---|---|---|---|
# | self-studying | 0.6931 | −0.5 | 0 |
# | co-studying | 2.6401 | −0.5 − 0.3808 = −0.8808 | −0.1192 + 0.3808 = 0.2616 |
# | tutoring | 1.3863 | −0.8808 | 0 |


# %% tags=["answer:q5"]
def phase_loss(student, teacher, labels, phase, temperature, weight):
    """The loss of one batch, a tensor with a single number, to be differentiated.

    student, teacher: logits, float64 tensors (comments, labels) with gradients. labels: 0 or 1, float64, of that shape.
    phase: "self-studying", "co-studying" or "tutoring". temperature: T, above 0. weight: λ, above 0.
    """

    ### BEGIN SOLUTION
    def from_other(logits, other):
        said = torch.sigmoid(other / temperature).detach()
        softened = binary_cross_entropy_with_logits(logits / temperature, said)
        return weight * temperature**2 * softened

    loss = binary_cross_entropy_with_logits(student, labels)
    if phase != "self-studying":
        loss = loss + from_other(student, teacher)
    if phase == "co-studying":
        loss = loss + binary_cross_entropy_with_logits(teacher, labels) + from_other(teacher, student)
    return loss
    ### END SOLUTION


# %% tags=["check:q5:5"]
# Check question 5: the loss, and its gradients by both.
def cases_q5(random):
    for phase in ("self-studying", "co-studying", "tutoring"):
        yield np.array([[0.0]]), np.array([[2.0]]), np.array([[1.0]]), phase, 1.0, 1.0
        for (rows, columns), temperature, weight in (((1, 1), 2.0, 1.0), ((2, 3), 1.0, 0.5), ((3, 2), 3.0, 2.0),
                                                     ((4, 1), 1.5, 0.7)):
            student, teacher = random.normal(0, 2, (2, rows, columns)).round(2)
            labels = random.integers(0, 2, (rows, columns)).astype(float)
            yield student, teacher, labels, phase, temperature, weight


def try_q5(student, teacher, labels, phase, temperature, weight):
    student, teacher = (torch.from_numpy(x).requires_grad_() for x in (student, teacher))
    loss = phase_loss(student, teacher, torch.from_numpy(labels), phase, temperature, weight)
    result = {"loss": loss.detach().clone()}
    loss.backward()
    for name, x in (("by student", student), ("by teacher", teacher)):
        result[name] = np.zeros(x.shape) if x.grad is None else x.grad
    return result


examine(try_q5, cases_q5, KEYS["q5"], protect=["student", "teacher", "labels"],
        forbidden=["utils.distillation.collaborative_losses", "utils.distillation.SoftLabelLoss"])

# %% [markdown]
# ## Question 6: trits, five in a byte
#
# *15 minutes, 4 points*
#
# Weights of three values, −1, 0 and 1 times a scale, carry at most $\log_2 3 = 1.58$ bits. In two bits
# each they waste a fifth. But $3^5 = 243$ fits into a byte: five of them are a number to base 3. Write
# three functions:
#
# - `pack`: each code plus 1 is a digit, 0 to 2. The first of five is the lowest digit: a byte is
#   $d_0 + 3 d_1 + 9 d_2 + 27 d_3 + 81 d_4$. If the last byte has fewer, its missing **digits** are 0.
# - `unpack`: the first `count` codes of packed bytes.
# - `ternary`: codes and scale of weights. The scale is the mean of $|w|$ and the code is $w / scale$,
#   rounded and clipped to −1 .. 1. But weights that *are* ternary, that is 0 or ± one number only, keep
#   that number as their scale: a file that is loaded and saved again must not change. (The mean of $|w|$
#   would be smaller, by the share of zeros, and smaller again the next time.) No check draws weights that
#   are all 0, or a quotient of ±1/2.
#
# **Example.** The codes −1, 0, 1, 1, −1, 1 have the digits 0, 1, 2, 2, 0 and 2. The first byte is 0 + 3 +
# 18 + 54 + 0 = **75**, the second **2**.
#
# The weights 0.1, −1, 0.2 and 2.7 have the scale 4/4 = **1** and the codes **0, −1, 0, 1**. The values of
# these are 0, −1, 0 and 1, and *their* scale is **1**, though their mean magnitude is 0.5.


# %% tags=["answer:q6"]
def pack(codes):
    """codes: int array (n,), int8 or int64, of -1, 0 and 1; n may be 0. Returns a uint8 array (ceil(n / 5),)."""
    ### BEGIN SOLUTION
    digits = np.zeros(-(-len(codes) // 5) * 5, dtype=np.int64)
    digits[: len(codes)] = codes + 1
    return (digits.reshape(-1, 5) @ 3 ** np.arange(5)).astype(np.uint8)
    ### END SOLUTION


def unpack(packed, count):
    """packed: uint8 array, as pack makes it. count: how many codes. Returns an int array (count,)."""
    ### BEGIN SOLUTION
    digits = packed[:, None].astype(np.int64) // 3 ** np.arange(5) % 3
    return digits.ravel()[:count] - 1
    ### END SOLUTION


def ternary(weights):
    """weights: float array of any shape. Returns (codes, scale): an int array of that shape, and a float."""
    ### BEGIN SOLUTION
    sizes = np.abs(weights)
    of_three = ((sizes == 0) | (sizes == sizes.max())).all()
    scale = sizes.max() if of_three else sizes.mean()
    return np.clip(np.round(weights / scale), -1, 1).astype(int), float(scale)
    ### END SOLUTION


# %% tags=["check:q6"]
# Check question 6: packed and unpacked.
def cases_q6(random):
    yield np.array([-1, 0, 1, 1, -1, 1]), np.array([75, 2], dtype=np.uint8), 6
    yield np.array([], dtype=np.int64), np.array([], dtype=np.uint8), 0
    yield np.array([1, 1, 1, 1, 1], dtype=np.int8), np.array([242], dtype=np.uint8), 5
    yield np.array([0]), np.array([1], dtype=np.uint8), 1
    yield np.array([-1, -1, 1], dtype=np.int8), np.array([18], dtype=np.uint8), 3
    for count in (2, 4, 5, 7, 10, 13):
        digits = random.integers(0, 243, -(-count // 5))
        if count % 5:
            digits[-1] %= 3 ** (count % 5)
        kind = np.int8 if count % 2 else np.int64
        yield random.integers(-1, 2, count).astype(kind), digits.astype(np.uint8), count


def try_q6(codes, packed, count):
    return {"packed": pack(codes), "unpacked": unpack(packed, count)}


examine(try_q6, cases_q6, KEYS["q6"], protect=["codes", "packed"],
        forbidden=["utils.quantization.pack_trits", "utils.quantization.unpack_trits"])


# %% tags=["check:q6_scale:4"]
# Check question 6: codes and scale.
def cases_q6_scale(random):
    yield (np.array([0.1, -1.0, 0.2, 2.7]),)
    yield (np.array([0.0, -1.0, 0.0, 1.0]),)
    yield (np.array([[3.0, -3.0], [3.0, -3.0]]),)
    yield (np.array([2.0]),)
    yield (np.array([0.0, 0.0, 4.0]),)
    yield (np.array([0.0, 1.0, 2.0]),)
    yield (np.array([1.0, -2.0, 1.0]),)
    yield (np.array([-5.0, 0.3, 0.4, -0.2]),)
    for shape in ((6,), (3, 4), (2, 2, 2)):
        yield (random.normal(0, 2, shape).round(3),)
        of_three = random.integers(-1, 2, shape) * 0.375
        of_three.flat[0] = -0.375
        yield (of_three,)


def try_q6_scale(weights):
    codes, scale = ternary(weights)
    return {"codes": codes, "scale": scale}


examine(try_q6_scale, cases_q6_scale, KEYS["q6_scale"], protect=["weights"],
        forbidden="utils.quantization.TernaryQuantizer")

# %% [markdown]
# ## Question 7: which grid at equal bytes?
#
# *30 minutes, 5 points, read by a person*
#
# A student of 8 units has learned together with its teacher. Four kinds of files were made of it: its
# weights on **APoT** grids with a learned range, or on a **plain uniform** grid from the smallest to the
# largest weight, both with training; by **k-means after training**; and on uniform **priced steps**,
# learned steps where each byte costs something in the loss (the last number of their names). The codes of
# all are entropy-coded. Choose **one** budget of *complete* bytes, and give your verdict: which kind would
# you ship?
#
# The cell below prints of each file, in the mean of the runs: complete bytes, those of the encoder (all
# but words and word vectors, before the file is compressed as a whole), the entropy of the codes in bits
# a weight, macro-F1 on dev and on test (lowest to highest), and the paired difference on test to the
# student in float32, with the 95 % interval of each run, in points (hundredths of F1).
#
# Write 120 to 200 words, numbers not counted; notes will do. Each of these gives one point:
#
# 1. You name your budget and, of each kind, the file that fits into it and is best **on dev**, with its
#    bytes and its macro-F1 on test; or you say that none fits.
# 2. You say which wins, and hold the difference against what the runs of one kind differ by, or against
#    intervals.
# 3. You say what share of the file the encoder is, and why a figure of the encoder alone says little.
# 4. You explain with two numbers why files of equal bits differ in bytes.
# 5. You say what you would ship, and name one more measurement that could change that, and the result
#    that would.

# %% tags=["locked:q7_show"]
KINDS = ("APoT", "plain uniform", "k-means after training", "priced steps")


def mean(runs, field):
    return np.mean([r[field] for r in runs])


def show():
    """Print every file of the race, by kind."""
    runs = {}
    for r in load_records("aware", experiment="race"):
        if r["kind"] in KINDS:
            runs.setdefault((r["kind"], r["setting"]), {}).setdefault(r["split"], []).append(r)
    for (_, setting), on in sorted(runs.items(), key=lambda item: KINDS.index(item[0][0])):
        test, scores = on["test"], [r["macro_f1"] for r in on["test"]]
        pairs = ([100 * r["difference_to_float32" + end] for end in ("", "_low", "_high")] for r in test)
        pairs = "; ".join(f"{found:+.1f} [{low:+.1f}, {high:+.1f}]" for found, low, high in pairs)
        print(f"{setting}: {mean(test, 'file_bytes'):,.0f} bytes, encoder {mean(test, 'encoder_bytes'):,.0f}; "
              f"{mean(test, 'bits_a_weight'):.2f} bits a weight; dev {mean(on['dev'], 'macro_f1'):.4f}, "
              f"test {np.mean(scores):.4f} ({min(scores):.4f} to {max(scores):.4f})\n   to float32: {pairs}")


show()

# %% [markdown] tags=["written:q7:5"]
# **How a full answer is built** (for the person who reads the answers; the numbers in brackets are
# those that the cell above prints).
#
# *Files:* within [budget] complete bytes the best on dev are APoT in [bits] bits with [bytes] and
# [macro-F1] on test, plain uniform with [bytes] and [macro-F1], k-means after training with [bytes] and
# [macro-F1], and priced steps with [bytes] and [macro-F1].
#
# *Who wins:* [kind], by [points] before [kind]. Its runs differ by [points] among themselves, so that is
# [a win, or none], and [number] of its intervals to float32 hold 0.
#
# *Encoder:* of [bytes] the encoder is [bytes], that is [percent]. Words and their vectors are the rest.
# Whoever reports the encoder alone may double it without a reader noticing, and halve it without one
# gaining.
#
# *Bytes and bits:* at [bits] bits the codes of the uniform grid have [entropy] bits a weight, since its
# range is set by the largest weight and most codes are near 0; those of APoT have [entropy]. With entropy
# coding a file pays for the entropy.
#
# *Ship:* [kind] in [bytes]. Five more seeds in which [kind] leads by more than [points] at these bytes
# would change that.
#
# A point is for the argument, not for the grid. Point 1 is not earned by files chosen on test. Point 2 is
# half earned by a difference that is held against nothing. Point 4 needs both entropies.
