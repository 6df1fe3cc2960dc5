"""What the test cells of assignments use: checks that say what was seen, and a watch over answers.

A message says which misconception is behind the mistake, in a sentence or two; what was got and
what was expected follow on lines of their own. Nothing here writes to stderr, which nbgrader
would take for a failure.
"""

from utils.checking.cells import watch_cells
from utils.checking.checks import check, check_close, check_raises
from utils.checking.keys import unpacked
from utils.checking.verdict import examine
from utils.checking.watch import own_work

__all__ = ["check", "check_close", "check_raises", "examine", "own_work", "unpacked", "watch_cells"]
