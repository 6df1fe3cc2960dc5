"""What a model file says of dev and test, asked once: a transformer takes a minute to answer."""

from pathlib import Path

import numpy as np

from course.measuring.cache import entry
from course.measuring.sources import digest, sources
from course.measuring.training import data
from utils.packing import load_model

SPLITS = ("dev", "test")


def said(path: Path) -> dict[str, np.ndarray]:
    """Probabilities (n, labels) of dev and of test; kept by what is in the file."""

    def write(folder: Path) -> None:
        model = load_model(path)
        found = {split: model.predict_proba(data(split).texts) for split in SPLITS}
        np.savez(folder / "said.npz", **found)

    folder = entry("said", {"file": digest([path])}, sources(__file__)).make(write)
    with np.load(folder / "said.npz") as found:
        return {split: found[split] for split in SPLITS}
