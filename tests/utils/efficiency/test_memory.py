"""Memory, in this process and in fresh ones."""

import gc
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from utils.efficiency import (
    MemoryWatch,
    high_water,
    measure,
    process_memory,
)


@pytest.fixture(scope="module", autouse=True)
def quick_collections():
    """`measure` collects garbage; here it need not go through all that torch has imported."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class Hungry:
    """Holds 80 MB, and takes 50 MB more while predicting."""

    def __init__(self):
        self.held = np.ones(10_000_000)

    def predict_proba(self, texts):
        block = np.ones(6_250_000)
        time.sleep(0.3)  # below an earlier peak, memory is looked at and not recorded: hold still
        return block.sum()


def test_memory_while_predicting_in_this_process():
    np.ones(50_000_000)  # 400 MB, given back: an earlier and higher peak
    record = measure(Hungry(), ["a"], batch_sizes=(1,), repeats=1, warmup=0).to_record()
    assert 45 < record["predict_memory_mb"] < 75  # 80 MB more were there before
    assert record["peak_memory_mb"] > 400
    assert record["memory_process"] == "this" and record["peak_memory_mb_spread"] is None


LOADER = """
import time
import numpy as np

class Hungry:
    def __init__(self):
        print("loading")
        self.held = np.ones(10_000_000)
    def predict_proba(self, texts):
        assert texts == ["one", "two"] or texts == ["three"]
        block = np.ones(6_250_000)
        time.sleep(0.3)
        return block.sum()

def load(path):
    assert open(path).read() == "a model"
    return Hungry()

def fail(path):
    raise ValueError("this is not a model")
"""


@pytest.fixture
def loader(tmp_path, monkeypatch):
    (tmp_path / "hungry_loader.py").write_text(LOADER)
    (tmp_path / "model").write_text("a model")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")  # where neither utils nor the loader is
    return SimpleNamespace(path=tmp_path / "model", load="hungry_loader.load")


def test_memory_of_a_fresh_process(loader):
    garbage = np.ones(40_000_000)  # 320 MB of this process, which are not the model's
    options = dict(batch_size=2, load=loader.load)
    report = process_memory(loader.path, ["one", "two", "three"], **options)
    assert 45 < report["predict_memory_mb"] < 75
    assert 80 + 45 < report["peak_memory_mb"] < 300
    assert garbage.nbytes == 320e6


def test_a_fresh_process_that_fails_says_why(loader, monkeypatch):
    monkeypatch.delenv("PYTHONPATH")  # nor need it be set
    monkeypatch.chdir(loader.path.parent)
    with pytest.raises(RuntimeError, match="measures memory failed: ValueError: this is not a mod"):
        process_memory(loader.path, ["one"], load="hungry_loader.fail")


def test_the_high_water_mark_is_that_of_this_process():
    before = high_water()
    block = np.ones(30_000_000)
    assert high_water() >= max(before, block.nbytes)
    assert psutil.Process().memory_info().rss <= high_water()


def test_another_process_is_watched_with_its_children():
    """The child holds 100 MB; its parent, which waits for it, next to nothing."""
    child = "block = bytearray(100_000_000); print(flush=True); input()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with subprocess.Popen([sys.executable, "-c", parent], **pipes) as process:
        process.stdout.readline()  # the child has its block
        with MemoryWatch(process.pid) as alone, MemoryWatch(process.pid, children=True) as both:
            pass
        with MemoryWatch(process.pid, children=True) as until_the_end:
            process.communicate(b"\n")
    assert 0 < alone.peak < 100_000_000 < both.peak
    assert 100_000_000 < until_the_end.peak and process.returncode == 0
