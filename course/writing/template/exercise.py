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
# - Below each answer stands a check. Run it as often as you like: when it fails, its last lines say
#   what it saw, and which idea may be behind it. It gives no points by itself.
# - The points come from hidden tests with other inputs, which run when your work is graded. They
#   test nothing that is not stated in the question, but they do test all of it.
# - No question needs the answer to another one. If you are stuck, go on.
# - Before you hand in, choose *Kernel, Restart and Run All*.

# %% [markdown]
# ## Question 1: the median
#
# *10 minutes, 3 points*
#
# Half of all answers come sooner than the median, half of them later. With an even number of values
# it is the mean of the middle two. Do not call a library for it.
#
# **Example.** The median of 3, 1 and 2 ms is 2 ms; that of 4 and 8 ms is 6 ms.

# %% nbgrader={"grade": false, "grade_id": "q1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def median(milliseconds):
    """The median of a list of numbers, in any order, at least one of them, as a float."""
    ### BEGIN SOLUTION
    ordered = sorted(milliseconds)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return float(ordered[middle])
    return (ordered[middle - 1] + ordered[middle]) / 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "q1_test_example", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
# Check question 1. This cell explains; the hidden tests give the points.
def test_q1_example():
    from utils.checking import check, check_close, own_work

    answer = own_work(median, "statistics.median")
    check(answer([3, 1, 2]) != 1, "That is the value in the middle of the list as it was given; "
          "sort it first.")
    check_close(answer([3, 1, 2]), 2, "The median of 3, 1 and 2 ms.")
    check(answer([4, 8]) != 8, "That is the upper one of the middle two; take their mean.")
    check_close(answer([4, 8]), 6, "The median of 4 and 8 ms.")

test_q1_example()

# %% nbgrader={"grade": true, "grade_id": "q1_test_hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden tests of question 1: 3 points.
### BEGIN HIDDEN TESTS
def test_q1_hidden(given, expected):
    from utils.checking import check, check_close, own_work

    milliseconds = list(given)
    answer = own_work(median, "statistics.median")(milliseconds)
    check_close(answer, expected, f"The median of {given}. If the check above passes, your answer "
                "may fit its example only.")
    check(milliseconds == given, "The list that you were given has changed: sort a copy of it.")
for given, expected in (([7], 7), ([9, 2, 4, 30], 6.5), ([5, 1, 1, 8, 2], 2), ([2, 0.5], 1.25)):
    test_q1_hidden(given, expected)
### END HIDDEN TESTS
