"""Sentences that hold only while the numbers do."""

import os


def claim(holds: bool, sentence: str) -> None:
    """Stop the build of a lecture when what its text says is no longer so.

    A lecture states what was measured. Beside a sentence that would be wrong with other numbers
    stands a claim; when the numbers turn, the build stops, and an author writes the text anew. In a
    student's own run, on another machine or on the sample, it only says so.

    Parameters
    ----------
    holds : what must be true
    sentence : what the text says

    Raises
    ------
    AssertionError
        If it does not hold and the lecture is being built (``COURSE_BUILD`` is set).

    Examples
    --------
    >>> from utils.claims import claim
    >>> claim(0.604 > 0.583, "the GRU beats the linear baseline")
    >>> claim(0.570 > 0.583, "the GRU beats the linear baseline")
    In your run it is not so that the GRU beats the linear baseline.
    """
    if holds:
        return
    if os.environ.get("COURSE_BUILD"):
        raise AssertionError(f"it is no longer so that {sentence}: write the text anew")
    print(f"In your run it is not so that {sentence}.")
