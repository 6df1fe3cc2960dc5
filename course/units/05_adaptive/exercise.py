# %% [markdown]
# # Assignment 05: as many steps as needed
#
# A network of adaptive depth decides at each word, or for each comment, whether to go on computing.
# Here you write what makes that work: the weights of the steps, the price of a step and its gradient,
# a batch in which every word halts by itself, and an exit that keeps to a budget of time. Then you
# decide from measurements whether a server should use any of it. At the end you argue whether
# adaptive depth earned anything on the comments of this course.
#
# | Question | You write | Minutes | Points |
# |---|---|---|---|
# | 1 | weights of the steps, and the remainder | 15 | 4 |
# | 2 | the price of pondering, and its gradient | 20 | 5 |
# | 3 | words that halt one by one, in a padded batch | 20 | 5 |
# | 4 | an early exit for a budget of milliseconds | 20 | 5 |
# | 5 | a policy of depth for a server, from measured records | 20 | 5 |
# | 6 | a written verdict: does adaptive depth earn anything here? | 25 | 6 |
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
import math

import numpy as np

from utils.records import load_records, summarise

# %% [markdown]
# ## Question 1: what each step weighs
#
# *15 minutes, 4 points*
#
# A *position* is whatever halts by itself, a word for instance. After each step n a unit of the
# network gives the probability $p_n$ that the position halts here. Adaptive computation time (ACT)
# draws nothing at random: it takes the probabilities as *weights* of the steps' states, and stops as
# soon as there is hardly any weight left to give.
#
# - The last step, N, is the first one at which the sum $p_1 + \dots + p_N$ *reaches* 1 − ε (is equal
#   to it, or above). There are `max_steps` steps at most: a position whose sum never gets there halts
#   at that one, whatever the unit says.
# - Each step before N weighs its probability.
# - Step N weighs the *remainder*, $R = 1 - (p_1 + \dots + p_{N-1})$: what is left, and not $p_N$.
#   So the weights sum to 1, at a position that was forced to halt as well.
# - Later steps are not computed. They weigh 0, whatever probabilities stand there.
#
# Why ε? A sigmoid never says exactly 1. Without ε no position could ever halt at its first step.
#
# **Example.** Four positions, `max_steps` is 4. With ε = 0.01:
#
# | probabilities | weights | N | R |
# |---|---|---|---|
# | 0.25, 0.5, 0.75, 0.5 | 0.25, 0.5, **0.25**, 0 | 3 | 0.25 |
# | 0.125, 0.25, 0.125, 0.25 | 0.125, 0.25, 0.125, **0.5** (forced) | 4 | 0.5 |
# | 1, 0.5, 0, 0 | **1**, 0, 0, 0 | 1 | 1 |
# | 0.25, 0.5, 0.125, 0.125 | 0.25, 0.5, 0.125, **0.125** | 4 | 0.125 |
#
# With ε = 0.25 the last one halts at its second step, at which the sum is just 0.75. Then R = 0.75.

# %% tags=["locked:q1_example"]
# The example, to play with.
PROBABILITIES = np.array([[0.25, 0.5, 0.75, 0.5], [0.125, 0.25, 0.125, 0.25],
                          [1, 0.5, 0, 0], [0.25, 0.5, 0.125, 0.125]])

# %% tags=["answer:q1"]
def halting_weights(probabilities, epsilon=0.01):
    """Weights of all steps, the number of steps and the remainder, of each position.

    probabilities: float array of shape (positions, max_steps), from 0 to 1; max_steps is 1 or more.
    epsilon: from 0 to below 1.

    Returns (weights, steps, remainder): float array of shape (positions, max_steps), and two arrays
    of shape (positions,). Steps are counted from 1.
    """
    ### BEGIN SOLUTION
    reached = np.cumsum(probabilities, axis=1) >= 1 - epsilon
    reached[:, -1] = True
    steps = reached.argmax(axis=1) + 1
    number = np.arange(1, probabilities.shape[1] + 1)
    before = np.where(number < steps[:, None], probabilities, 0.0)
    remainder = 1 - before.sum(axis=1)
    weights = np.where(number == steps[:, None], remainder[:, None], before)
    return weights, steps, remainder
    ### END SOLUTION


# %% tags=["check:q1:4"]
# Check question 1: weights, steps and remainders. Sums that tie with 1 - epsilon are exact.
def cases_q1(random):
    yield PROBABILITIES,
    yield PROBABILITIES, 0.25
    yield np.array([[0.5]]), 0.01
    yield np.array([[0.25, 0.5, 0.25], [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]]), 0.0
    yield np.array([[0.99, 0.5], [0.98, 0.5]]), 0.005
    yield np.array([[0.0, 0.0, 0.0, 0.0]]), 0.125
    yield np.array([[0.5, 0.3, 0.15, 0.02, 0.3]]), 0.01
    for positions, most, high, epsilon in ((3, 2, 13, 0.25), (5, 4, 9, 0.125), (2, 6, 5, 0.01),
                                           (6, 3, 10, 0.25), (4, 4, 17, 0.5), (5, 8, 5, 0.125)):
        yield random.integers(0, high, (positions, most)) / 16, epsilon
    for positions, most in ((1, 5), (7, 6)):
        yield random.uniform(0.02, 0.4, (positions, most)).round(4), 0.03


def try_q1(probabilities, epsilon=0.01):
    return halting_weights(probabilities, epsilon)


examine(try_q1, cases_q1, KEYS["q1"], protect=["probabilities"],
        forbidden="utils.adaptive.halting_weights")

# %% [markdown]
# ## Question 2: the price of pondering
#
# *20 minutes, 5 points*
#
# Nothing in the weights of question 1 keeps a network from taking all steps everywhere. So each step
# has a price, which is added to the loss. At each word it is proportional to the *ponder cost*
# N + R: the number of steps, and the remainder, which is the weight of the last step. As before, N is
# the first step at which the sum of a word's probabilities reaches 1 − ε, or else the last one of
# all; $R = 1 - (p_1 + \dots + p_{N-1})$.
#
# A comment pays the *mean* over its words, or a long comment would have to be hasty at each of them.
# A batch pays the mean over its comments, times a factor, the *time penalty*. A comment without words
# costs 0, and is a comment.
#
# Training needs the gradient of that price with respect to every probability. N is a whole number. A
# small enough change of the probabilities leaves it as it is, except just where the sum reaches the
# bound, and there N jumps and has no derivative. So N is a constant, and all that can be followed
# downhill is R. Write down how R depends on each of $p_1, p_2, \dots$, and you have it: a word is told
# to halt earlier only by way of its remainder.
#
# Comments of a batch are padded at the end. At padding there stand probabilities, too, which must make
# no difference, and have the gradient 0.
#
# **Example.** Two comments, of 2 words and of 1, with 3 steps at most; ε = 0.01, time penalty 0.5:
#
# | comment | word | probabilities | N + R | gradient |
# |---|---|---|---|---|
# | 0 | 0 | 0.25, 0.5, 0.75 | 3.25 | −0.125, −0.125, 0 |
# | 0 | 1 | 1, 0.5, 0.5 | 2 | 0, 0, 0 |
# | 1 | 0 | 0.5, 0.125, 0.125 | 3.375 | −0.25, −0.25, 0 |
# | 1 | padding | 0.5, 0.75, 0 | | 0, 0, 0 |
#
# The comments cost (3.25 + 2) / 2 = 2.625 and 3.375, in the mean 3, and the price is **1.5**.

# %% tags=["locked:q2_example"]
# The example, to play with: two comments, two words, three steps.
PONDERED = np.array([[[0.25, 0.5, 0.75], [1, 0.5, 0.5]], [[0.5, 0.125, 0.125], [0.5, 0.75, 0]]])

# %% tags=["answer:q2"]
def price_of_pondering(probabilities, words, penalty, epsilon=0.01):
    """What a batch pays for its steps, and the gradient of that.

    probabilities: float array of shape (comments, longest, max_steps), from 0 to 1, nothing empty.
    words: integer array of shape (comments,), words of each comment, from 0 to longest.
    penalty: the time penalty, at least 0.
    epsilon: from 0 to below 1.

    Returns (price, gradient): a float, and a float array of the shape of `probabilities`.
    """
    ### BEGIN SOLUTION
    comments, longest, most = probabilities.shape
    reached = np.cumsum(probabilities, axis=2) >= 1 - epsilon
    reached[..., -1] = True
    steps = reached.argmax(axis=2) + 1
    before = np.arange(1, most + 1) < steps[..., None]
    remainder = 1 - np.where(before, probabilities, 0.0).sum(axis=2)
    is_word = np.arange(longest) < words[:, None]
    share = penalty * is_word / np.maximum(words, 1)[:, None] / comments
    price = (share * (steps + remainder)).sum()
    return price, -share[..., None] * before
    ### END SOLUTION


# %% tags=["check:q2:5"]
# Check question 2: price and gradient. Sums that tie with 1 - epsilon are exact.
def cases_q2(random):
    yield PONDERED, np.array([2, 1]), 0.5
    yield PONDERED, np.array([2, 2]), 1.0, 0.25
    yield PONDERED[:1, :1], np.array([1]), 1.0
    yield PONDERED[:, :1], np.array([0, 1]), 2.0
    yield PONDERED, np.array([0, 0]), 1.0
    yield np.array([[[0.25, 0.5, 0.25, 0.5], [0.0, 0.25, 0.0, 0.5]]]), np.array([2]), 1.0, 0.0
    yield np.array([[[0.5], [0.25]], [[0.125], [1.0]]]), np.array([2, 1]), 3.0
    for epsilon in (0.01, 0.005):
        yield np.array([[[0.5, 0.493, 0.25], [0.3, 0.2, 0.4]]]), np.array([2]), 1.0, epsilon
    for comments, longest, most, high, epsilon in ((2, 3, 2, 9, 0.25), (3, 2, 4, 7, 0.125),
                                                   (4, 3, 3, 14, 0.25), (1, 4, 6, 5, 0.125)):
        p = random.integers(0, high, (comments, longest, most)) / 16
        words = random.permutation(np.arange(comments) % (longest + 1))
        yield p, np.where(words.any(), words, longest), float(random.integers(1, 9)), epsilon
    p = random.uniform(0.02, 0.5, (4, 3, 5)).round(4)
    yield p, np.array([3, 1, 0, 2]), 0.7, 0.03
    yield p[:3], np.array([2, 3, 1]), 2.5


def try_q2(probabilities, words, penalty, epsilon=0.01):
    result = price_of_pondering(probabilities, words, penalty, epsilon)
    if not isinstance(result, tuple | list) or len(result) != 2:
        return result
    return {"price": result[0], "gradient": result[1]}


examine(try_q2, cases_q2, KEYS["q2"], protect=["probabilities", "words"],
        forbidden=["utils.adaptive.ponder_cost", "utils.adaptive.halting_weights"])

# %% [markdown]
# **Try it.** What finite differences say of one word with the probabilities 0.25, p and 0.75, where
# the cost jumps. What would a network learn that took the difference over the jump for a gradient?

# %%
one_word = np.array([1])
for p in (0.5, 0.7, 0.735, 0.75):
    word = np.array([[[0.25, p, 0.75]]])
    cost, gradient = price_of_pondering(word, one_word, 1.0)
    word[0, 0, 1] += 0.01
    difference = (price_of_pondering(word, one_word, 1.0)[0] - cost) / 0.01
    print(f"p = {p:5}: cost {cost:.3f}, gradient {gradient[0, 0, 1] + 0.0:+.0f}, "
          f"quotient of differences {difference:+.1f}")

# %% [markdown]
# ## Question 3: a batch in which every word halts by itself
#
# *20 minutes, 5 points*
#
# A mask that multiplies by 0 what a word that halted goes on to compute gives the right states, and
# saves nothing. To save time, the words that go on have to be gathered into a smaller array before
# each step. So you write the loop around a network's step, for comments of different lengths that
# make one padded batch.
#
# You get the step as a function: `step(states)` takes states of any number of words, of shape
# (a, dim), a row for each, and returns their new states, of the same shape, and the probabilities
# that they halt here, of shape (a,). What it returns for a row depends on that row alone.
#
# 1. Step 1 takes the given states of all words, and of no padding. What stands at padding may be
#    anything, even NaN, which times 0 is still NaN.
# 2. Each later step takes, of the words that have not halted, the states that the step before
#    returned. Their order in the array is up to you. Where all words have halted, or there are none,
#    `step` is not called.
# 3. A word halts at the first step at which the sum of its probabilities reaches 1 − ε, and at step
#    `max_steps` in any case. Each step before that weighs its probability, the last one what is left
#    of 1.
# 4. A word's result is the sum of the states *after* its steps, by these weights; and the number of its
#    steps. At padding both are 0.
#
# **Example.** Comments of 2 words and of 1, one number for a state, ε = 0.01. This `step` adds 1 to a
# state, and halts with probability 1/2 below 4, and 1 from there on:
#
# | call | rows | returned states | probabilities |
# |---|---|---|---|
# | 1 | 0, 3 and 1.5 | 1, 4 and 2.5 | 0.5, 1, 0.5 |
# | 2 | 1 and 2.5 | 2, 3.5 | 0.5, 0.5 |
#
# The results are 0.5 · 1 + 0.5 · 2 = **1.5**, then **4**, and 0.5 · 2.5 + 0.5 · 3.5 = **3**; the steps
# **2**, **1** and **2**. `step` had 5 rows, where 2 steps for each of the 4 positions would have
# been 8.

# %% tags=["locked:q3_example"]
# The example, to play with, and a network that only pretends: it notes how many rows each call had.
STATES = np.array([[[0.0], [3.0]], [[1.5], [np.nan]]])


class PretendNetwork:
    """Adds `drift` to each state, (dim,). The first number of a new state decides what the
    probability is: `patient` below `sure` (half of it below 0), and 1 from there on."""

    def __init__(self, drift=(1.0,), patient=0.5, sure=4.0):
        self.drift, self.patient, self.sure, self.rows = np.array(drift), patient, sure, []

    def step(self, states):
        new = np.array(states, dtype=float) + self.drift
        self.rows.append(len(new))
        first = new[:, 0]
        patient = np.where(first < 0, self.patient / 2, self.patient)
        return new, np.where(first < self.sure, patient, 1.0)

# %% tags=["answer:q3"]
def ponder(step, states, words, max_steps, epsilon=0.01):
    """Let each word of a padded batch take as many steps as it needs, and compute no others.

    step: function of states (a, dim) that returns new states (a, dim) and probabilities (a,).
    states: float array of shape (comments, longest, dim), padded at the end.
    words: integer array of shape (comments,), words of each comment, from 0 to longest.
    max_steps: at least 1; epsilon: from 0 to below 1.

    Returns (results, steps): float array of the shape of `states`, and integers (comments, longest).
    """
    ### BEGIN SOLUTION
    is_word = np.arange(states.shape[1]) < words[:, None]
    results, steps = np.zeros(states.shape), np.zeros(is_word.shape, dtype=int)
    active, now = np.argwhere(is_word), states[is_word]
    before = np.zeros(len(active))
    for n in range(1, max_steps + 1):
        if len(active) == 0:
            break
        now, probability = step(now)
        halts = (before + probability >= 1 - epsilon) | (n == max_steps)
        weight = np.where(halts, 1 - before, probability)
        comment, word = active.T
        results[comment, word] += weight[:, None] * now
        steps[comment, word] = n
        before = before + probability
        active, now, before = active[~halts], now[~halts], before[~halts]
    return results, steps
    ### END SOLUTION


# %% tags=["check:q3:5"]
# Check question 3: results, steps, and how many rows each call of `step` had. What stands at
# padding is NaN in some inputs, and numbers in the others.
def cases_q3(random):
    yield STATES, np.array([2, 1]), 4
    yield STATES, np.array([2, 1]), 1
    yield STATES, np.array([1, 0]), 3, 0.25
    yield STATES, np.array([0, 0]), 3
    yield np.array([[[0.0], [-2.0]]]), np.array([2]), 3, 0.01, (1.0,), 0.25, 9.0
    yield np.array([[[3.5, -1.0]]]), np.array([1]), 2, 0.01, (1.0, 0.5)
    for epsilon in (0.01, 0.005):
        yield np.array([[[0.5], [-1.0]]]), np.array([2]), 6, epsilon, (1.0,), 0.331, 9.0
    yield np.array([[[0.5], [7.0]], [[9.0], [2.0]]]), np.array([1, 2]), 5, 0.125, (2.0,), 0.375, 8.0
    for comments, longest, dim, most, epsilon, patient in (
            (2, 3, 2, 6, 0.25, 0.25), (3, 4, 3, 4, 0.125, 0.125), (4, 2, 1, 5, 0.01, 0.25),
            (3, 3, 2, 8, 0.5, 0.125), (1, 5, 2, 3, 0.25, 0.375)):
        states = random.integers(-8, 14, (comments, longest, dim)) / 2
        words = (random.permutation(comments) + 1) % (longest + 1)
        if most % 2 == 0:
            states[np.arange(longest) >= words[:, None]] = np.nan
        drift = (1.0, *random.integers(1, 5, dim - 1) / 2)
        yield states, words, most, epsilon, drift, patient, float(random.integers(5, 8))


def try_q3(states, words, max_steps, epsilon=0.01, drift=(1.0,), patient=0.5, sure=4.0):
    network = PretendNetwork(drift, patient, sure)
    got = ponder(network.step, states, words, max_steps, epsilon)
    if not isinstance(got, tuple | list) or len(got) != 2:
        return got
    return {"results": got[0], "steps": got[1], "rows of each call": network.rows}


examine(try_q3, cases_q3, KEYS["q3"], protect=["states", "words"],
        forbidden=["utils.adaptive.ponder", "utils.adaptive.halting_weights"])

# %% [markdown]
# ## Question 4: an exit for a budget of milliseconds
#
# *20 minutes, 5 points*
#
# A transformer with a classifier after each layer can stop where it is sure. "Sure" needs a number,
# and that number a threshold, which is chosen on dev, for the time that there is.
#
# - **Unsure.** Labels are independent, each yes or no, and several may be right, or none. So a layer
#   is as unsure of a comment as the *sum* over its labels of their Bernoulli entropies,
#   $-p \ln p - (1 - p) \ln(1 - p)$, in nats. A p of 0 or 1 has the entropy 0.
# - **Exit.** A comment leaves after the first layer that is *less* unsure than the threshold, or after
#   the last layer if none is. It is given those labels that have a p of 0.5 or more *there*.
# - **Time.** Layer k with its classifier takes `layer_ms[k]`. A comment pays for every layer up to its
#   exit. What has to keep to the budget is the *mean* over comments; it may just reach it.
# - **Choice.** Of the candidates that keep to the budget, the threshold with the highest macro-F1 on
#   these comments. On a tie of F1, the one that takes less time; on a tie of both, the lowest.
#   Macro-F1 is the mean over labels of 2 · hits / (times given + times right), which is 0 for a
#   label without a hit.
#
# Later layers are not always better: the highest score within the budget may leave some of it.
#
# **Example.** Two layers, of 3 and of 5 ms; four comments, two labels; a budget of 6 ms:
#
# | comment | right | p after layer 1 | unsure | p after layer 2 |
# |---|---|---|---|---|
# | 0 | yes, no | 0.9, 0.1 | 0.65 | 0.4, 0.1 |
# | 1 | yes, yes | 0.6, 0.2 | 1.17 | 0.9, 0.7 |
# | 2 | no, yes | 0.01, 0.99 | 0.11 | 0.2, 0.9 |
# | 3 | no, no | 0.6, 0.5 | 1.37 | 0.1, 0.3 |
#
# | threshold | leave after layer 1 | mean ms | macro-F1 | |
# |---|---|---|---|---|
# | 0.5 | 2 | (8 + 8 + 3 + 8) / 4 = 6.75 | 0.833 | over the budget |
# | **1.0** | 0, 2 | 5.5 | **1** | the choice |
# | 2.0 | 0, 1, 2, 3 | 3 | 0.65 | |

# %% tags=["locked:q4_example"]
# The example, to play with.
AFTER = np.array([[[0.9, 0.1], [0.6, 0.2], [0.01, 0.99], [0.6, 0.5]],
                  [[0.4, 0.1], [0.9, 0.7], [0.2, 0.9], [0.1, 0.3]]])
RIGHT = np.array([[1, 0], [1, 1], [0, 1], [0, 0]])


def draw_exits(random, layers, comments, labels):
    """Probabilities after each layer, and what is right: later layers err less and are surer."""
    right = random.integers(0, 2, (comments, labels))
    depth = np.arange(1, layers + 1)[:, None, None]
    logits = (2 * right - 1) * depth * 0.6 + random.normal(0, 1.3, (layers, comments, labels))
    return (1 / (1 + np.exp(-1.5 * logits))).round(2), right

# %% tags=["answer:q4"]
def calibrate_exit(probabilities, labels, layer_ms, budget_ms, candidates):
    """The threshold of an early exit that scores best on dev within a budget of time.

    probabilities: float array of shape (layers, comments, labels), after each layer, from 0 to 1.
    labels: array of shape (comments, labels), 0 or 1.
    layer_ms: list of floats, milliseconds of each layer.
    budget_ms: highest mean of milliseconds allowed.
    candidates: list of floats, thresholds, in any order.

    Returns (threshold, mean_ms, macro_f1), of the candidate that is chosen.
    Raises ValueError if no candidate keeps to the budget.
    """
    ### BEGIN SOLUTION
    p = np.clip(probabilities, 1e-12, 1 - 1e-12)
    unsure = -(p * np.log(p) + (1 - p) * np.log(1 - p)).sum(axis=2)
    spent, rows, best = np.cumsum(layer_ms), np.arange(len(labels)), None
    for threshold in sorted(candidates):
        leaves = unsure < threshold
        leaves[-1] = True
        layer = leaves.argmax(axis=0)
        ms = spent[layer].mean()
        given = probabilities[layer, rows] >= 0.5
        hits, both = (labels * given).sum(axis=0), labels.sum(axis=0) + given.sum(axis=0)
        f1 = np.mean(2 * hits / np.maximum(both, 1))
        if ms <= budget_ms and (best is None or (f1, -ms) > (best[2], -best[1])):
            best = threshold, ms, f1
    if best is None:
        raise ValueError(f"no threshold keeps to {budget_ms} ms")
    return best
    ### END SOLUTION


# %% tags=["check:q4:5"]
# Check question 4: threshold, mean milliseconds and macro-F1.
def cases_q4(random):
    yield AFTER, RIGHT, [3.0, 5.0], 6.0, [0.5, 1.0, 2.0]
    yield AFTER, RIGHT, [3.0, 5.0], 5.5, [2.0, 1.0, 0.5]
    yield AFTER, RIGHT, [3.0, 5.0], 2.5, [0.5, 2.0]
    yield AFTER, RIGHT, [3.0, 5.0], 20.0, [0.0, 0.05, 0.1]
    yield AFTER[:1], RIGHT, [4.0], 4.0, [0.4, 0.1]
    yield AFTER, 0 * RIGHT, [1.0, 2.0], 3.0, [0.3, 0.7, 2.5]
    halves = np.array([[[0.5, 1.0], [0.0, 0.5], [1.0, 1.0]], [[0.7, 0.9], [0.2, 0.1], [0.6, 1.0]]])
    yield halves, np.array([[1, 1], [0, 0], [1, 1]]), [2.0, 1.0], 3.0, [math.log(2)]
    yield halves[:, 2:], np.array([[1, 1]]), [2.0, 1.0], 3.0, [1.0, 0.4, 2.0, 0.1]
    halves[0] = 0.5
    yield halves, np.array([[1, 0], [0, 0], [1, 1]]), [2.0, 1.0], 3.0, [2 * math.log(2)]
    for layers, comments, labels, share in ((3, 8, 2, 0.7), (4, 16, 3, 0.6), (2, 12, 4, 0.8), (5, 20, 2, 0.5),
                                            (6, 30, 3, 0.6), (4, 25, 4, 0.9), (3, 10, 2, 1.0)):
        probabilities, right = draw_exits(random, layers, comments, labels)
        right[:, 0] *= comments % 3 > 0  # in some inputs the first label is never right,
        if comments % 8 == 4:  # in some the last one is never given,
            probabilities[..., -1] *= 0.4
            right[:, -1] *= comments < 20  # and in one of these it is neither
        layer_ms = random.integers(2, 20, layers) / 4
        top = labels * math.log(2)
        candidates = (random.permutation(12) / 11 * top).round(3) + 0.0005
        yield probabilities, right, layer_ms.tolist(), share * sum(layer_ms), candidates.tolist()
        yield probabilities[:, :5], right[:5], layer_ms.tolist(), 0.8 * sum(layer_ms), [top / 2, 9.0, 0.3]


def try_q4(probabilities, labels, layer_ms, budget_ms, candidates):
    return calibrate_exit(probabilities, labels, layer_ms, budget_ms, candidates)


examine(try_q4, cases_q4, KEYS["q4"],
        protect=["probabilities", "labels", "layer_ms", "candidates"],
        forbidden=["utils.adaptive.exit_layers", "utils.adaptive.bernoulli_entropy",
                   "utils.metrics.macro_f1", "utils.metrics.f1_report"])
