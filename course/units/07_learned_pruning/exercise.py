# %% [markdown]
# # Assignment 07: gates that learn to be 0
#
# A rule such as "the smallest weights go" decides after training. Here training decides: each weight,
# neuron or head has a gate, and what an open gate costs is part of the loss. You write the gate and
# its price, the penalty of another way to the same end, and then what makes any of it worth while:
# you take heads and units out of their matrices, so that what is left is smaller and says the same.
# At the end you argue which way of pruning works best on the comments of this course, and by what
# measure.
#
# | Question | You write | Minutes | Points |
# |---|---|---|---|
# | 1 | a gate that can be exactly 0, for training and for test | 15 | 4 |
# | 2 | how many weights will be left, and the gradient of that | 20 | 5 |
# | 3 | variational dropout: loss, noise and mask | 20 | 5 |
# | 4 | attention heads, removed for real | 20 | 5 |
# | 5 | units of a GRU, removed for real | 20 | 5 |
# | 6 | a written verdict: which way of pruning works best here? | 25 | 6 |
#
# **How it works.**
#
# - Write where it says `# YOUR CODE HERE`, and delete the line that raises `NotImplementedError`.
# - Below each answer stand checks. Run them as often as you like: each calls your function with many
#   inputs, and prints "passed" or ends in an `AssertionError`, whose last lines show the smallest
#   input on which your answer is wrong, what came out and what was expected. Where all results
#   together prove which idea went wrong, it says which; else it guesses at no cause. Checks give no
#   points.
# - The points come from hidden tests, which are put in when your work is graded; leave their cells,
#   empty but for a comment, where they are. They are the checks with other inputs, drawn in the same
#   way: they test nothing that the question does not say, and all that it says.
# - No question needs the answer to another one. *Restart and Run All* stops at a question that you leave
#   open; to go on below it, put the cursor there and choose *Run, Run Selected Cell and All Below*.
# - The standard library, NumPy and scikit-learn are allowed; import what else you need in the
#   answer's cell. The course's own `utils` implements much of this; calling that is no answer, and
#   the checks notice. A warning, say of 0 / 0, costs no points.
# - What your functions are given must be the same after the call as before.
# - Before you hand in, choose *Kernel, Restart and Run All*.
#
# The small numbers in questions 1 to 5 are invented, so that you can follow them in your head.
# The numbers in question 6 are measured.

# %%
import numpy as np

from utils.records import load_records, summarise

# %% [markdown]
# ## Question 1: a gate that can be exactly 0
#
# *15 minutes, 4 points*
#
# The *hard concrete* gate multiplies a weight, a neuron or a head, and learns a single number, log α.
# In training it is drawn anew each time, from noise u that is uniform between 0 and 1:
#
# $$s = \sigma\left(\frac{\ln u - \ln(1 - u) + \ln \alpha}{\beta}\right), \qquad
# z = \min(1, \max(0, s\,(\zeta - \gamma) + \gamma))$$
#
# σ is the sigmoid, β > 0 a temperature. With γ < 0 and ζ > 1 the number s is stretched beyond 0 and 1,
# and then cut off there. So the gate z is often *exactly* 0 or 1, and yet a smooth function of log α in
# between.
#
# 1. `sample_gates` returns z for given noise, and its **slope**, the derivative dz / d log α, for the
#    same noise. Where the gate is cut off, nothing moves it: the slope is 0.
# 2. `gates_at_test` returns the gate that is used at test time. Nothing is drawn there, and the temperature
#    is left out: take σ(log α) for s, stretch it, and cut it off.
#
# Noise that a computer draws may be exactly 0, and after rounding 1, too. The gate is then 0 or 1 (and
# the slope is 0); ln 0 is no accident here. The checks draw such noise for log α between −4 and 4, and
# a log α far from 0, up to ±2000, with other noise. No result may be NaN.
#
# **Example.** β = 0.5, γ = −0.25, ζ = 1.25:
#
# | log α | u | s | z | slope | | z at test |
# |---|---|---|---|---|---|---|
# | 0 | 0.5 | 0.5 | 0.5 | 1.5 · 0.25 / 0.5 = **0.75** | | 0.5 |
# | 0 | 0.2 | 1/17 = 0.059 | −0.162, so **0** | **0** | | 0.5 |
# | ln 4 | 0.5 | 16/17 = 0.941 | 1.162, so **1** | **0** | | 0.8 · 1.5 − 0.25 = **0.95** |
# | −2 | 0.9 | 0.597 | 0.646 | 0.722 | | **0** |

# %% tags=["answer:q1"]
def sample_gates(log_alpha, noise, beta, gamma, zeta):
    """Hard concrete gates for given noise, and how each changes with its log alpha.

    log_alpha: float array of shape (gates,).
    noise: float array of shape (draws, gates), from 0 to 1.
    beta, gamma, zeta: floats, temperature above 0, lower end below 0, upper end above 1.

    Returns (z, slopes), two float arrays of shape (draws, gates).
    """
    ### BEGIN SOLUTION
    x = (np.log(noise) - np.log1p(-noise) + log_alpha) / beta
    s = np.exp(-np.logaddexp(0, -x))
    stretched = s * (zeta - gamma) + gamma
    inside = (stretched > 0) & (stretched < 1)
    slopes = inside * (zeta - gamma) * s * (1 - s) / beta
    return np.clip(stretched, 0, 1), slopes
    ### END SOLUTION


def gates_at_test(log_alpha, gamma, zeta):
    """The gates at test time: float array of shape (gates,), of one such array."""
    ### BEGIN SOLUTION
    at_test = np.exp(-np.logaddexp(0, -log_alpha))
    return np.clip(at_test * (zeta - gamma) + gamma, 0, 1)
    ### END SOLUTION


# %% tags=["check:q1_sample"]
# Check question 1, in training: gates, which of them are exactly 0 or 1, and slopes.
def cases_q1_sample(random):
    yield np.array([0.0]), np.array([[0.5], [0.2]]), 0.5, -0.25, 1.25
    yield np.array([np.log(4), -2.0]), np.array([[0.5, 0.9]]), 0.5, -0.25, 1.25
    yield np.array([1.0]), np.array([[0.25], [0.6]]), 2 / 3, -0.1, 1.1
    yield np.array([1.0, -2.0, 4.0, -4.0]), np.array([[0.0], [1.0], [0.5]]) + np.zeros(4), 2 / 3, -0.1, 1.1
    yield np.array([2000.0, -2000.0, 900.0]), np.full((2, 3), 0.25), 0.5, -0.1, 1.1
    for draws, gates, beta, gamma, zeta in ((1, 4, 0.5, -0.1, 1.1), (3, 2, 0.75, -0.25, 1.5), (2, 5, 1.5, -0.5, 1.25),
                                            (4, 3, 0.4, -0.2, 1.1), (3, 6, 2.0, -0.1, 1.75)):
        noise = random.uniform(0.02, 0.98, (draws, gates)).round(3)
        yield random.uniform(-2.5, 2.5, gates).round(2), noise, beta, gamma, zeta


def try_q1_sample(log_alpha, noise, beta, gamma, zeta):
    result = sample_gates(log_alpha, noise, beta, gamma, zeta)
    if not isinstance(result, tuple | list) or len(result) != 2:
        return result
    z, slopes = result
    return {"z": z, "exactly 0": np.equal(z, 0), "exactly 1": np.equal(z, 1), "slopes": slopes}


examine(try_q1_sample, cases_q1_sample, KEYS["q1_sample"], protect=["log_alpha", "noise"])


# %% tags=["check:q1_test:4"]
# Check question 1, at test time: gates, and which of them are exactly 0 or 1.
def cases_q1_test(random):
    yield np.array([0.0, np.log(4), -2.0]), -0.25, 1.25
    yield np.array([-2.39, -2.41, 2.39, 2.41]), -0.1, 1.1
    yield np.array([2000.0, -2000.0]), -0.1, 1.1
    yield np.array([0.5]), -0.5, 1.25
    for gates, gamma, zeta in ((3, -0.1, 1.1), (8, -0.25, 1.5), (5, -0.5, 1.25), (6, -0.1, 1.75)):
        yield random.uniform(-4, 4, gates).round(2), gamma, zeta


def try_q1_test(log_alpha, gamma, zeta):
    z = gates_at_test(log_alpha, gamma, zeta)
    return {"z": z, "exactly 0": np.equal(z, 0), "exactly 1": np.equal(z, 1)}


examine(try_q1_test, cases_q1_test, KEYS["q1_test"], protect=["log_alpha"])

# %% [markdown]
# ## Question 2: how many weights will be left?
#
# *20 minutes, 5 points*
#
# The loss pays for what is left, in the mean over the noise: λ times the expected number of weights. A
# count has no derivative, but its expectation has, and it needs no sample.
#
# A network has some inputs, one or more hidden layers and some outputs. Each layer is dense, with a weight
# for each pair of neighbours and a bias for each of its neurons. Each *hidden* neuron has a gate, all
# independent of each other; inputs and outputs have none, and are always there.
#
# - A gate is **open** if it is not exactly 0. It is drawn as in training: with u uniform between 0 and 1,
#   $s = \sigma((\ln u - \ln(1 - u) + \ln \alpha) / \beta)$ is stretched to $s\,(\zeta - \gamma) + \gamma$,
#   where γ < 0 and ζ > 1, and is cut off at 0 and 1. Find the probability of that as a formula: for
#   which u is the stretched number above 0?
# - A weight is **left** if the gates at *both* its ends are open (an end without a gate always is). The
#   bias of a neuron is left if the neuron's gate is open.
# - Nothing else counts: a neuron may be left though all below it are gone.
#
# Return the expected number of weights and biases that are left, and its derivative with respect to each
# log α. Neurons of one layer may be gated quite differently, and layers differ in size: a neuron stands
# for as many weights as its neighbours are likely to leave it. Both are formulas; samples and
# differences are no answer.
#
# **Example.** β = 0.5, γ = −0.375, ζ = 1.5. Two inputs, hidden layers of 2 neurons and of 1, one output.
#
# | neuron | log α | open with probability | derivative |
# |---|---|---|---|
# | first layer, 0 | −ln 2 | 0.5 | **0.95** |
# | first layer, 1 | ln 1.5 | 0.75 | **0.7125** |
# | second layer | ln 2 | 0.8 | **0.52** |
#
# Of the 4 weights of the first layer 2.5 are left in the mean, of its 2 biases 1.25; in the second
# layer 0.5 · 0.8 + 0.75 · 0.8 = 1 of 2 weights and 0.8 of a bias; at the output 0.8 of a weight and the
# bias, 1. Together **7.35**.

# %% tags=["answer:q2"]
def expected_weights(inputs, log_alphas, outputs, beta, gamma, zeta):
    """How many weights and biases of a gated network are left in the mean, and the gradient of that.

    inputs, outputs: whole numbers, at least 1.
    log_alphas: list of float arrays, one for each hidden layer, in order; each of shape (neurons,).
        At least one layer, of at least one neuron.
    beta, gamma, zeta: floats, temperature above 0, lower end below 0, upper end above 1.

    Returns (expected, gradients): a float, and a list of float arrays with the shapes of `log_alphas`.
    """
    ### BEGIN SOLUTION
    shift = beta * np.log(-gamma / zeta)
    p = [1 / (1 + np.exp(shift - a)) for a in log_alphas]
    sizes = [inputs, *(q.sum() for q in p), outputs]
    weights = sum(below * above for below, above in zip(sizes, sizes[1:]))
    biases = sum(sizes[1:])
    gradients = [q * (1 - q) * (below + above + 1) for q, below, above in zip(p, sizes, sizes[2:])]
    return weights + biases, gradients
    ### END SOLUTION


# %% tags=["check:q2:5"]
# Check question 2: the expected number, and the gradient for each hidden layer.
def cases_q2(random):
    yield 2, [np.log([0.5, 1.5]), np.log([2.0])], 1, 0.5, -0.375, 1.5
    yield 1, [np.array([0.0])], 1, 2 / 3, -0.1, 1.1
    yield 3, [np.array([-2.4, 2.4])], 2, 2 / 3, -0.1, 1.1
    yield 2, [np.array([1.0]), np.array([-1.0]), np.array([0.5])], 4, 1.0, -0.2, 1.4
    yield 1, [np.array([30.0, -30.0, 0.3])], 5, 0.5, -0.1, 1.1
    for inputs, sizes, outputs, beta, gamma, zeta in (
            (4, (3,), 2, 0.5, -0.1, 1.1), (2, (3, 2), 5, 0.75, -0.25, 1.5), (5, (1, 4), 3, 1.5, -0.5, 1.25),
            (3, (2, 5, 3), 1, 0.4, -0.2, 1.1), (6, (4, 2, 3), 2, 2.0, -0.1, 1.75)):
        yield inputs, [random.uniform(-3, 3, n).round(2) for n in sizes], outputs, beta, gamma, zeta


def try_q2(inputs, log_alphas, outputs, beta, gamma, zeta):
    result = expected_weights(inputs, log_alphas, outputs, beta, gamma, zeta)
    if not isinstance(result, tuple | list) or len(result) != 2:
        return result
    return {"expected": result[0], "gradients": list(result[1])}


examine(try_q2, cases_q2, KEYS["q2"], protect=["log_alphas"])
