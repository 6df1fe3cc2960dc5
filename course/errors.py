"""The one kind of error that a person can mend by doing something else."""


class UserError(Exception):
    """One sentence that says what is wrong, where, and what to do. The command line prints it
    without a traceback and exits with code 2."""
