"""Which cells of a live notebook failed, so that no check tests an older definition."""

import re
import types
from dataclasses import dataclass, field
from typing import Any

from utils.checking.checks import failure
from utils.checking.trials import Trial


@dataclass
class _Cells:
    """Which names the notebook's cells define, and what went wrong in the last cell that did."""

    broken: dict[str, str] = field(default_factory=dict)

    def after(self, result: Any) -> None:
        error = result.error_before_exec or result.error_in_exec
        source = result.info.raw_cell or ""
        for name in re.findall(r"^(?:def|class)\s+(\w+)", source, re.MULTILINE):
            self.broken.pop(name, None)
            if error is not None:
                said = str(error).splitlines() or [""]
                self.broken[name] = f"{type(error).__name__}: {said[0]}"


_CELLS = _Cells()


def watch_cells() -> None:
    """Notice, from now on, which cells of this notebook fail; called by an assignment's first cell."""
    try:
        shell = get_ipython()  # type: ignore[name-defined]  # noqa: F821 - a builtin of IPython
    except NameError:
        return
    for callback in list(shell.events.callbacks["post_run_cell"]):
        if getattr(callback, "__self__", None).__class__.__name__ == "_Cells":
            shell.events.unregister("post_run_cell", callback)
    _CELLS.broken.clear()
    shell.events.register("post_run_cell", _CELLS.after)


def refuse_stale(trial: Trial) -> None:
    """Fail if a cell that defines what the trial calls did not run, or nothing defines it."""
    for name in names_in(trial.__code__):
        if name in _CELLS.broken:
            raise failure(
                f"The cell that defines `{name}` did not run ({_CELLS.broken[name]}), so there is "
                "nothing new to check. Mend that cell and run it first."
            )


def names_in(code: types.CodeType) -> set[str]:
    """The names of globals and attributes that code uses, that of functions inside it included."""
    inner = [part for part in code.co_consts if isinstance(part, types.CodeType)]
    return set(code.co_names).union(*map(names_in, inner))
