"""What can go wrong by no fault of the program: a person can mend it by doing something else."""


class MendableError(Exception):
    """One sentence that says what is wrong, where, and what to do.

    The command line prints it without a traceback and exits with code 2.
    """


class DataError(MendableError, ValueError):
    """Input that cannot be used; the message is one sentence: what is wrong, where, what to do."""
