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
