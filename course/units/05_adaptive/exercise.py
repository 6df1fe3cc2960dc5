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
# | 1 | weights of the steps, and the remainder | 10 | 4 |
# | 2 | the price of pondering, and its gradient | 20 | 5 |
# | 3 | words that halt one by one, in a padded batch | 20 | 5 |
# | 4 | an early exit for a budget of milliseconds | 20 | 5 |
# | 5 | a policy of depth for a server, from measured records | 20 | 5 |
# | 6 | a written verdict: does adaptive depth earn anything here? | 30 | 6 |
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
# *10 minutes, 4 points*
#
# A *position* is whatever halts by itself, a word for instance. After each step n a unit of the
# network gives the probability $p_n$ that the position halts here. Adaptive computation time (ACT)
# draws nothing at random: it takes the probabilities as *weights* of the steps' states, and stops as
# soon as there is hardly any weight left to give.
#
# - The last step, N, is the first one at which the sum $p_1 + \dots + p_N$ *reaches* 1 − ε (is equal
#   to it, or above). Where the checks draw a sum that is equal, it is so in floating point, too: their
#   numbers are sixteenths, which add up without rounding. There are `max_steps` steps at most: a
#   position whose sum never gets there halts at that one, whatever the unit says.
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
# Check question 1: weights, steps and remainders.
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
# bound, and there N jumps and has no derivative. So N is held fixed, as a constant, at the bound as
# well, and all that can be followed downhill is R. Write down how R depends on each of
# $p_1, p_2, \dots$, and you have it: a word is told to halt earlier only by way of its remainder. The
# gradient is that formula. Differences of prices are no answer, since they see N jump.
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
    return price, 0.0 - share[..., None] * before
    ### END SOLUTION


# %% tags=["check:q2:5"]
# Check question 2: price and gradient. Ties with 1 - epsilon are exact, as in question 1.
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
    yield np.array([[[0.5, 0.24995, 0.25]]]), np.array([1]), 1.0, 0.25
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
# <details><summary>What it would learn (think first)</summary>
#
# Away from the jump, the quotient is the gradient: −1 before N, and 0 at it. Over the jump it is a
# multiple of that, and it grows without bound as the difference gets smaller: a step saved, divided by
# almost nothing. A network that learned from it would be pulled hard at the few words whose sums
# happen to stand just below the bound, by a force that depends on the width of the difference and not
# on the price. All others it would tell what the remainder tells them.
#
# </details>

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
# 2. Each later step takes the states that the step before returned, of the words that have not halted;
#    a word that has halted must not be passed again. Each step is *one* call of `step`, for all words
#    of all comments that go on. Their order in the array is up to you. Where all words have halted,
#    or there are none, `step` is not called.
# 3. A word halts at the first step at which the sum of its probabilities reaches 1 − ε (equal to it, or
#    above; ties are exact, as in question 1), and at step `max_steps` in any case. Each step before
#    that weighs its probability, the last one what is left of 1.
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
#   these comments. On a tie of F1, the one of fewer mean milliseconds; on a tie of both, the lowest.
#   Macro-F1 is the mean over *all* labels of 2 · hits / (times given + times right). A label without a
#   hit counts with 0, also one that is never right and never given.
# - **None.** Where no candidate keeps to the budget, raise a `ValueError`; its words are up to you. There
#   is always at least one candidate.
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
    candidates: list of floats, thresholds, in any order, at least one.

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

# %% [markdown]
# ## Question 5: a policy of depth for a server
#
# *20 minutes, 5 points*
#
# A server tags comments in batches of 64. It collects 64 as they arrive, and computes them as one
# batch while the next 64 come in. Which policy of depth should it run: all layers, fewer for all,
# or an adaptive one? You get two lists of measurements, of `policies` and of `timings`.
#
# A policy has a `name`, its `macro_f1` on test, and two paired intervals of differences of macro-F1 on
# the same comments, each as (low, high): `to_full`, this policy minus the full depth, which is None for
# the full depth itself; and `to_equal`, an adaptive policy minus a control of fixed depth with as many
# steps in the mean. A policy of fixed depth has None there. It needs no such control.
#
# A timing has the `name` of a policy, a `batch_size`, and the milliseconds that a *whole batch* takes,
# `p50_ms` and `p99_ms`. Each policy was timed at some sizes of batches. What it saves for a single
# comment tells little about batches, in which all wait for the comment that takes most steps.
#
# A policy is out for one or several of these:
#
# - `"quality"`: the interval `to_full` reaches below `-max_loss`, so that a loss of more than `max_loss`
#   is not ruled out. The interval alone decides: `macro_f1` has no part in it.
# - `"not earned"`: the interval `to_equal` does not lie above 0 as a whole. Fewer steps for everyone may
#   do as well, and need no machinery. (An interval that begins at 0 does not lie above it.)
# - `"throughput"`: at the median, a batch of 64 takes longer than 64 comments take to arrive at
#   `per_second`. Then the queue grows without end.
# - `"latency"`: the first comment of a batch waits for 63 others, for which reckon the time in which 64
#   arrive, and then for the batch. If the p99 of a batch of 64 takes the sum above `max_p99_ms`, the
#   promise is broken.
# - `"not timed"`: there is no timing at 64. Then nobody knows about throughput and latency, so neither
#   is among its reasons.
#
# Of those that are out for none of these, the choice is the one whose batches of 64 take least at the
# median, and on a tie the one with the higher `macro_f1` (on a tie of both, the first in the
# list). Each *other one of those*, and no policy that is out, has the single reason `"slower"`.
#
# **Example.** `per_second=800, max_p99_ms=200, max_loss=0.01`. 64 comments arrive in 80 ms.
#
# | name | macro_f1 | to_full | to_equal | p50, p99 of 1 | p50, p99 of 64 | reasons |
# |---|---|---|---|---|---|---|
# | full | 0.620 | | | 4, 6 | 90, 110 | throughput |
# | half | 0.612 | −0.015 to −0.001 | | 2, 3 | 46, 60 | quality |
# | two thirds | 0.616 | −0.010 to 0.001 | | 3, 4 | 61, 80 | **the choice** |
# | exit | 0.618 | −0.006 to 0.002 | 0.001 to 0.011 | 1, 6 | 74, 125 | latency |
# | patience | 0.617 | −0.009 to 0.003 | −0.002 to 0.008 | 2, 5 | 58, 95 | not earned |
# | halting | 0.617 | −0.008 to 0.004 | 0.001 to 0.009 | 3, 5 | 75, 90 | slower |
# | pondering | 0.615 | −0.012 to 0.000 | −0.003 to 0.004 | 2, 2 | | quality, not earned, not timed |

# %% tags=["locked:q5_example"]
# The example, to play with.
ROWS = [("full", 0.620, None, None, (4, 6), (90, 110)),
        ("half", 0.612, (-0.015, -0.001), None, (2, 3), (46, 60)),
        ("two thirds", 0.616, (-0.010, 0.001), None, (3, 4), (61, 80)),
        ("exit", 0.618, (-0.006, 0.002), (0.001, 0.011), (1, 6), (74, 125)),
        ("patience", 0.617, (-0.009, 0.003), (-0.002, 0.008), (2, 5), (58, 95)),
        ("halting", 0.617, (-0.008, 0.004), (0.001, 0.009), (3, 5), (75, 90)),
        ("pondering", 0.615, (-0.012, 0.000), (-0.003, 0.004), (2, 2), None)]


def as_records(rows, sizes=(1, 64)):
    """The two lists of records, of rows such as those of the example."""
    policies = [dict(zip(("name", "macro_f1", "to_full", "to_equal"), row, strict=False)) for row in rows]
    timings = [{"name": name, "batch_size": size, "p50_ms": ms[0], "p99_ms": ms[1]}
               for name, _, _, _, *timed in rows for size, ms in zip(sizes, timed, strict=True) if ms]
    return policies, timings

# %% tags=["locked:q5_draw"]
# For the checks: more policies, most of them close to a limit.
def draw_policies(random, per_second, max_p99_ms, max_loss):
    """Policies timed at 1, 64 and 8, of which about every seventh was not timed at 64."""
    fill = 64_000 / per_second
    for name in random.permutation("ash bay elm fig fir ivy oak yew".split()).tolist():
        f1 = round(0.6 + random.integers(0, 30) / 1000, 3)
        low = round(-max_loss + random.choice([-0.03, -0.004, 0, 0.002, 0.005, 0.012]), 3)
        equal = random.choice([-0.012, -0.005, 0.0, 0.001, 0.004, 0.004])
        p50 = fill + random.choice([0, 2, -1, -1, -fill / 2, -fill / 4, -fill / 4, max_p99_ms])
        p99 = max_p99_ms - fill + random.choice([0, 1, -1, 8, -fill / 4, -fill / 8, fill - 0.5])
        alone, eight = (sorted(random.integers(1, 3 * fill, 2).tolist()) for _ in range(2))
        yield (name, f1, (low, round(low + 0.001 * random.integers(4, 20), 3)),
               None if random.random() < 0.35 else (float(equal), round(equal + 0.006, 3)),
               alone, (p50, max(p50, p99)) if random.random() < 0.85 else None, eight)

# %% tags=["answer:q5"]
def choose_policy(policies, timings, per_second, max_p99_ms, max_loss):
    """The policy of depth for a server that computes batches of 64, and why each other is not it.

    policies: list of dicts with "name", "macro_f1", "to_full" and "to_equal"; names are different.
    timings: list of dicts with "name", "batch_size", "p50_ms" and "p99_ms", in any order, at most
        one for a policy and a size.
    per_second: comments that arrive in a second. max_p99_ms: milliseconds promised.
    max_loss: macro-F1 that may be lost against the full depth, at least 0.

    Returns (choice, reasons): the name of the choice, or None if all are out; and a dict from the
    name of each other policy to a list of its reasons, all that apply, in any order.
    """
    ### BEGIN SOLUTION
    fill_ms, reasons = 64 * 1000 / per_second, {}
    of_64 = {t["name"]: t for t in timings if t["batch_size"] == 64}
    for policy in policies:
        name, full, equal = policy["name"], policy["to_full"], policy["to_equal"]
        timing, broken = of_64.get(name), []
        if full is not None and full[0] < -max_loss:
            broken.append("quality")
        if equal is not None and equal[0] <= 0:
            broken.append("not earned")
        if timing is None:
            broken.append("not timed")
        else:
            if timing["p50_ms"] > fill_ms:
                broken.append("throughput")
            if fill_ms + timing["p99_ms"] > max_p99_ms:
                broken.append("latency")
        reasons[name] = broken or ["slower"]
    fitting = [p for p in policies if reasons[p["name"]] == ["slower"]]
    if not fitting:
        return None, reasons
    choice = min(fitting, key=lambda p: (of_64[p["name"]]["p50_ms"], -p["macro_f1"]))
    del reasons[choice["name"]]
    return choice["name"], reasons
    ### END SOLUTION


# %% tags=["check:q5:5"]
# Check question 5: the choice ("nothing" stands for None) and the reasons of each other policy.
def cases_q5(random):
    yield *as_records(ROWS), 800, 200, 0.01
    yield *as_records(ROWS[::-1]), 500, 300, 0.015
    yield *as_records(ROWS), 2000, 90, 0.001
    yield [], [], 800, 200, 0.01
    yield *as_records([ROWS[5], ("late", 0.61, (0.0, 0.01), (0.002, 0.004), (1, 1), (75, 90))]), 800, 170, 0.0
    yield *as_records([("late", 0.61, (0.0, 0.01), (0.002, 0.004), (1, 1), (75, 90)), ROWS[5]]), 800, 170, 0.01
    for per_second, max_p99_ms, max_loss in ((800, 200, 0.01), (400, 500, 0.005), (640, 260, 0.01),
                                             (1000, 150, 0.0), (1600, 130, 0.02), (500, 400, 0.003)):
        rows = list(draw_policies(random, per_second, max_p99_ms, max_loss))
        for first, last in ((0, 1), (1, 2), (2, 5), (0, 8)):
            policies, timings = as_records(rows[first:last], (1, 64, 8))
            timings = [timings[i] for i in random.permutation(len(timings))]
            yield policies, timings, per_second, max_p99_ms, max_loss
        # Limits that more policies keep to, and more of fixed depth.
        policies = [p | {"to_equal": None} if i % 2 else p for i, p in enumerate(policies)]
        yield policies, timings, per_second / 4, 8 * max_p99_ms, 0.025


def try_q5(policies, timings, per_second, max_p99_ms, max_loss):
    result = choose_policy(policies, timings, per_second, max_p99_ms, max_loss)
    if not isinstance(result, tuple | list) or len(result) != 2 or not isinstance(result[1], dict):
        return result
    words = {name: ", ".join(sorted(map(str, why))) if isinstance(why, list | tuple | set) else [why]
             for name, why in result[1].items()}
    return "nothing" if result[0] is None else result[0], words


examine(try_q5, cases_q5, KEYS["q5"], protect=["policies", "timings"])

# %% [markdown]
# ## Question 6: does adaptive depth earn anything here?
#
# *30 minutes, 6 points, read by a person*
#
# Choose **one** form of adaptive depth in **one** setting, but not recurrent ACT at penalty 0.01, which
# the lecture argues. Give your verdict for the comments of this course: does it earn anything, or
# would fewer steps for everyone have done?
#
# The next cell prints quality on test. Steps are the mean over words (over comments, where the comment
# halts as a whole). Below an adaptive model stands, for each run of the training, its difference in
# macro-F1 to the control of fixed depth with as many steps in the mean, on the same comments, with
# the 95 % interval of a paired bootstrap. Where the mean lies between two depths, each comment was
# drawn, blindly, to go to one of them.
#
# The cell after it prints times, of the models of run 0 alone. They are ratios of the milliseconds of
# a batch to those of the form's own full depth at the same moments on the same machine. Those at p99
# are noisier; argue from p50. "Slowest" is the largest number of steps in a batch, in the mean over
# batches. A batch waits for that many, except with recurrent ACT: that reads word by word, and waits at
# each word for the slowest comment *there*, in the mean for fewer steps. Alone, it waits for nothing.
#
# Write 150 to 200 words; notes will do. Each of these gives one point:
#
# 1. You name form and setting, its mean steps as a share of the full depth, and its macro-F1 beside that
#    of the full depth. You say why this comparison alone does not show that *adaptivity* earned
#    anything.
# 2. You give the differences to the control of equal mean steps with their intervals, of all
#    runs, and say in how many of them the interval lies on one side of 0.
# 3. You say how far that is to be trusted: how many settings were tried (say what you count; any count
#    will do), how many of their intervals would miss 0 by chance if nothing were true, and what follows
#    for a setting that is picked because it looks best.
# 4. You name the simplest fixed depth that would have done, with its macro-F1: one that takes no more
#    steps than yours in the mean, rounded up, and scores as yours does, as far as the runs can tell. Or
#    you say by what number none would.
# 5. You say what is saved in time, as a ratio, for a single comment and for a batch of 64. You explain
#    the difference between the two, or that there is none, by steps and by what else a step costs.
# 6. You name one more measurement that could change your verdict, and the result that would.

# %% tags=["locked:q6_quality"]
scored = [r for r in load_records("adaptive", split="test", taxonomy="ekman")
          if r["experiment"] in ("recurrent", "spatial", "universal", "ponder")]
print("macro-F1 on test, mean of the runs (lowest to highest); mean steps\n"
      "    difference to equal steps [95 % interval] in run 0; run 1; run 2")
for f1, steps in zip(*(summarise(scored, field) for field in ("macro_f1", "mean_steps")), strict=True):
    name = f1["method"], f1["setting"]
    runs = [r for r in scored if (r["method"], r["setting"]) == name]
    print(f"- {', '.join(name)}: {f1['mean']:.4f} ({f1['min']:.4f} to {f1['max']:.4f}); "
          f"{steps['mean']:.2f} of {runs[0]['max_steps']}")
    key = "difference_to_equal_steps"
    if key in runs[0]:
        print("   ", "; ".join(f"{r[key]:+.5f} [{r[key + '_low']:+.5f}, {r[key + '_high']:+.5f}]"
                               for r in runs))

# %% tags=["locked:q6_time"]
# The Universal Transformer of fixed depth was timed twice; here stands its first race.
raced = {}
for r in load_records("adaptive", experiment="latency"):
    raced.setdefault((r["method"], r["setting"], r["batch_size"]), r)
print("time as a share of the full depth's, p50 (p99), of the models of run 0; steps, mean / slowest")
for method, setting in dict.fromkeys((r["method"], r["setting"]) for r in scored):
    print(f"- {method}, {setting}: " + "; ".join(
        f"{words} {r['ratio']:.2f} ({r['ratio_p99']:.2f}), {r['mean_steps']:.2f} / {r['slowest_steps']:.2f}"
        for words, r in (("alone", raced[method, setting, 1]), ("in 64", raced[method, setting, 64]))))

# %% [markdown] tags=["written:q6:6"]
# **How a full answer is built** (for the person who reads the answers; the numbers in brackets are
# those that the cells above print).
#
# *Verdict:* the Universal Transformer with ACT, penalty 0.001, takes [mean steps] steps of 4 at a word,
# [share] of the full depth, and scores [macro-F1], where fixed 4 steps score [macro-F1]. So steps can
# be left out without loss. That shows that 4 steps are more than these comments need, and not that
# it matters *where* they are left out: for that, compare with as many steps given out blindly.
#
# *Control:* the differences to equal mean steps are [difference, interval] in run 0, [..] in run 1 and
# [..] in run 2. [Number] of the three intervals lie on one side of 0.
#
# *Trust:* [number] settings of [number] runs make [number] intervals. At 95 %, one in twenty misses 0 if
# nothing is true, [number] of them. I chose my setting after I had seen its score on test, which
# favours it; chosen on dev, it would not be flattered.
#
# *What would have done:* [number] fixed steps for every word, [macro-F1], [difference] away, which is
# within what the runs of a single setting differ by.
#
# *Time:* alone, a comment takes [ratio] of the time of the full depth, for [share] of its steps: word
# vectors, gates and Python's loop do not shrink with them. In batches of 64 it is [ratio]. There the
# batch waits for [slowest steps], which here are hardly more than the mean, so there is little
# difference; what a step costs besides its arithmetic is shared by 64.
#
# *Next:* the same with ten runs, settings chosen on dev. If the differences to equal steps were above 0
# in nearly all of them, I would say that it earns something, however little.
#
# **What the records say** (compare with what is printed above; it changes when the course is measured
# again). Of the intervals to equal mean steps most contain 0. More lie above it than chance would
# give, but in no setting in two of three runs. And the intervals are not independent: the settings of a
# form share its controls and the test comments. Most of those above 0 come from run 2 of the Universal
# Transformer and of PonderNet, which have the same controls: one unlucky training of a fixed depth
# lifts them all. An interval is over comments, and knows nothing of how runs of the training differ.
# Somebody who sees that has point 3 without the count.
#
# A point is for the argument, not for the verdict. Point 2 is not earned by overlapping intervals of
# two scores, nor by one run where three are printed. Point 3 takes any count of settings that is
# stated. Point 4 is not earned by "fewer steps": it needs the score of one fixed depth. Point 5 takes
# "there is none" where the two ratios are about the same, if steps and the rest are named. Give half
# of it where one minus the share of steps is called a speed-up.
