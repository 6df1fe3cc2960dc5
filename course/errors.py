"""What the command line was asked for and cannot be done."""

from utils.errors import MendableError


class UserError(MendableError):
    """A wish of a person's that cannot be fulfilled, and what to wish for instead."""
