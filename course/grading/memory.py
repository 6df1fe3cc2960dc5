"""Memory that processes hold, as the kernel counts it."""

import os
import resource
from pathlib import Path


def own_memory() -> int:
    """Bytes of addresses that this process has taken."""
    return _pages("self")[0] * resource.getpagesize()


def hold_more(most: int) -> bool:
    """Whether several processes of this namespace, of which we are the first, together hold more than so
    many bytes."""
    running = [name for name in os.listdir("/proc") if name.isdigit() and name != "1"]
    if len(running) < 2:
        return False
    ours = _resident("self")  # what all have of the libraries
    grown = sum(max(0, _resident(process) - ours) for process in running)
    return grown > most and sum(map(_held, running)) > most  # which takes longer to count


def _resident(process: str) -> int:
    try:
        return _pages(process)[1] * resource.getpagesize()
    except OSError:  # it has ended
        return 0


def _pages(process: str) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/statm").read_text().split()]


def _held(process: str) -> int:
    """Bytes of memory that a process holds, of what it shares its part."""
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except PermissionError:  # it hides itself
        return 2**60
    except OSError:  # it has ended
        return 0
    return 1024 * sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
