"""`lab`: where students start."""

import os
import sys
from typing import Annotated

import typer

from course.commands import shared
from course.commands.shared import app
from course.errors import UserError


@app.command()
def lab(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Serve on this port; else on a free one.")
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address and open no browser.")
    ] = False,
) -> None:
    """Open JupyterLab on the first lecture, with the whole course beside it."""
    units = shared.discover()
    path = units[0].lecture_notebook() if units else shared.ROOT / "lectures"
    if not path.exists():
        raise UserError(f"{path} does not exist; run `python -m course build` first.")
    os.chdir(shared.ROOT)
    # Where Jupyter finds jupyter_config.py.
    others = os.environ.get("JUPYTER_CONFIG_PATH")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, (str(shared.ROOT), others)))
    # Given a file to open, JupyterLab would show nothing outside of its folder.
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={shared.ROOT}",
        f"--LabApp.default_url=/lab/tree/{path.relative_to(shared.ROOT).as_posix()}",
    ]
    if port is not None:
        command.append(f"--port={port}")
    if no_browser:
        command.append("--no-browser")
    os.execv(sys.executable, command)
