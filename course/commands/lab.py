"""`lab`: where students start."""

import os
import sys

from course.commands import shared
from course.commands.shared import app
from course.errors import UserError


@app.command()
def lab() -> None:
    """Open JupyterLab on the first lecture."""
    units = shared.discover()
    path = units[0].lecture_notebook() if units else shared.ROOT / "lectures"
    if not path.exists():
        raise UserError(f"{path} does not exist; run `python -m course build` first.")
    os.chdir(shared.ROOT)
    command = [sys.executable, "-m", "jupyterlab", str(path.relative_to(shared.ROOT))]
    os.execv(sys.executable, command)
