"""Where a number comes from: code, data, machine and versions."""

import datetime
import importlib.metadata
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path

import joblib

from course.measuring.cache import data_digest
from course.writing.units import ROOT
from utils.data import find_goemotions

LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "safetensors", "zstandard", "transformers")


def provenance(code: Iterable[Path]) -> dict:
    """What a reader needs to judge or repeat a number that this code measures."""
    return {
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain", "--", *map(str, code))),
        "date": datetime.date.today().isoformat(),
        "data": {
            "kind": "sample" if find_goemotions().kind == "sample" else "GoEmotions",
            "sha256": data_digest(),
        },
        "machine": {
            "processor": _processor(),
            "cores": joblib.cpu_count(),
            "system": platform.system(),
            "architecture": platform.machine(),
        },
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in LIBRARIES if _installed(name)},
    }


def _git(*arguments: str) -> str:
    """What git says of this checkout; "unknown" where it says nothing, which is never "unchanged"."""
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def _installed(name: str) -> bool:
    return bool(list(importlib.metadata.distributions(name=name)))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        "unknown",
    )
