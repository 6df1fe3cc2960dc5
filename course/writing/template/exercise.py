# %% [markdown]
# # Assignment UNIT_NUMBER: UNIT_TITLE
#
# A placeholder: say here what students build, and why.
#
# | Question | You write | Minutes | Points |
# |---|---|---|---|
# | 1 | the median of some latencies | 10 | 3 |
#
# **How it works.**
#
# - Write where it says `# YOUR CODE HERE`, and delete the line that raises `NotImplementedError`.
# - Below each answer stands a check. Run it as often as you like: it tries your answer on several
#   inputs and says "passed", or shows the smallest input on which it is wrong. Where your results
#   prove which idea went wrong, it says that, too. It gives no points by itself.
# - The points come from hidden tests, which run when your work is graded. They are the same checks with
#   other inputs.
# - No question needs the answer to another one. If you are stuck, go on.
# - Before you hand in, choose *Kernel, Restart and Run All*.

# %% [markdown]
# ## Question 1: the median
#
# *10 minutes, 3 points*
#
# Half of all answers come sooner than the median, half of them later. With an even number of values
# it is the mean of the middle two. Do not call a library for it, and leave the list as it is.
#
# **Example.** The median of 3, 1 and 2 ms is 2 ms; that of 4 and 8 ms is 6 ms.

# %% tags=["answer:q1"]
def median(milliseconds):
    """The median of a list of numbers, in any order, at least one of them, as a float.

    The list must be the same after the call as before.
    """
    ### BEGIN SOLUTION
    ordered = sorted(milliseconds)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return float(ordered[middle])
    return (ordered[middle - 1] + ordered[middle]) / 2
    ### END SOLUTION


# %% tags=["check:q1:3"]
# Check question 1. The hidden test draws other inputs in the same way, and gives the points.
def cases_q1(random):
    yield ([3, 1, 2],)
    yield ([4, 8],)
    yield ([7],)
    for n in (4, 5, 8, 9):
        yield (random.gamma(2.0, 3.0, n).round(1).tolist(),)


def try_q1(milliseconds):
    return median(milliseconds)


examine(try_q1, cases_q1, KEYS["q1"], protect=["milliseconds"], forbidden="statistics.median")
