import json
import sys
from types import SimpleNamespace

import pytest

from course.errors import UserError
from course.measuring import results
from course.measuring.results import load_results, run_results

EXPERIMENTS = """
from pathlib import Path
from course.measuring.results import Experiment

LOG = Path(__file__).parent / "log.txt"

def scored(seed):
    LOG.open("a").write(f"scored {seed}\\n")
    if (LOG.parent / "broken").exists() and seed == 2:
        raise RuntimeError("power cut")
    return [{"method": "m", "setting": "s", "seed": seed, "split": "test", "macro_f1": seed / 10,
             "per_label_f1": {}, "encoder_bytes": 1, "file_bytes": 2}]

def timed(seed):
    LOG.open("a").write(f"timed {seed}\\n")
    return [{"method": "m", "setting": "s", "seed": seed, "latency_ms_p50": 1.5}]

def finish(records):
    LOG.open("a").write(f"finish {len(records)}\\n")

EXPERIMENTS = [Experiment("timing", timed, seeded=False, alone=True, scored=False),
               Experiment("models: a b/c", scored)]
"""


@pytest.fixture
def unit(tmp_path, monkeypatch):
    folder = tmp_path / "unit"
    folder.mkdir()
    (folder / "experiments.py").write_text(EXPERIMENTS)
    unit = SimpleNamespace(topic="toy", folder=folder)
    monkeypatch.setattr(results, "find_unit", lambda name: unit)
    monkeypatch.setattr(results, "ROOT", tmp_path)
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    return unit


def _log(unit):
    return (unit.folder / "log.txt").read_text().split("\n")[:-1]


def test_a_run_writes_records_and_where_they_come_from(unit):
    path = run_results("toy", seeds=3)
    document = json.loads(path.read_text())
    assert document["command"] == "python -m course results toy --seeds 3"
    assert {"commit", "date", "data", "machine", "versions"} <= set(document)
    assert document["machine"]["cores"] > 0 and "torch" in document["versions"]
    assert [(r["experiment"], r["seed"]) for r in document["records"]] == [
        ("timing", 0),
        ("models", 0),
        ("models", 1),
        ("models", 2),
    ]
    assert load_results("toy") == document


def test_timings_run_after_everything_else(unit):
    run_results("toy", seeds=2)
    assert _log(unit) == ["scored 0", "scored 1", "timed 0", "finish 3"]


def test_an_interrupted_run_goes_on_where_it_stopped(unit):
    (unit.folder / "broken").touch()
    with pytest.raises(RuntimeError, match="power cut"):
        run_results("toy", seeds=3)
    assert not (results.RESULTS / "toy.json").exists()
    (unit.folder / "broken").unlink()
    run_results("toy", seeds=3)
    assert _log(unit) == ["scored 0", "scored 1", "scored 2", "scored 2", "timed 0", "finish 4"]


def test_changed_code_measures_everything_again(unit):
    (unit.folder / "broken").touch()
    with pytest.raises(RuntimeError):
        run_results("toy", seeds=3)
    (unit.folder / "broken").unlink()
    (unit.folder / "experiments.py").write_text(EXPERIMENTS + "\n# another method\n")
    run_results("toy", seeds=3)
    assert _log(unit).count("scored 0") == 2


def test_a_record_that_lacks_a_field_is_refused(unit):
    (unit.folder / "experiments.py").write_text(
        EXPERIMENTS.replace('"file_bytes": 2', '"other": 2')
    )
    with pytest.raises(UserError, match="left out file_bytes"):
        run_results("toy", seeds=1)


def _no_provenance(monkeypatch, commit):
    monkeypatch.setattr(results, "_provenance", lambda: {"commit": commit})


def test_some_experiments_run_again_and_the_others_keep_records_and_origin(unit, monkeypatch):
    _no_provenance(monkeypatch, "first")
    run_results("toy", seeds=2)
    first = load_results("toy")
    assert "kept" not in first
    _no_provenance(monkeypatch, "second")
    run_results("toy", seeds=1, only=["models"])
    second = load_results("toy")
    command = 'python -m course results toy --seeds 1 --only "models"'
    assert (second["command"], second["commit"]) == (command, "second")
    assert second["kept"] == {"timing": {"command": first["command"], "commit": "first"}}
    assert [(r["experiment"], r["seed"]) for r in second["records"]] == [
        ("timing", 0),
        ("models", 0),
    ]
    assert _log(unit)[-2:] == ["scored 0", "finish 1"]  # finish sees what was measured

    _no_provenance(monkeypatch, "third")
    (unit.folder / "experiments.py").write_text(
        EXPERIMENTS.replace("timing", "timing 2")
        .replace('"models', '"new"), Experiment("models')
        .replace('"new")', '"new", scored)')
    )
    run_results("toy", seeds=1, only=["new"])  # the origin is handed on, a lost experiment is not
    third = load_results("toy")
    assert {name: origin["commit"] for name, origin in third["kept"].items()} == {
        "models": "second"
    }
    assert [r["experiment"] for r in third["records"]] == ["new", "models"]
    run_results("toy", seeds=1)
    assert "kept" not in load_results("toy")


def test_some_experiments_may_be_the_first(unit):
    run_results("toy", seeds=1, only=["timing"])
    document = load_results("toy")
    assert "kept" not in document and len(document["records"]) == 1


def test_an_unknown_experiment_is_refused_by_name(unit):
    with pytest.raises(UserError, match="no experiment 'model'; it has timing, models"):
        run_results("toy", only=["model"])


def test_what_no_seed_changes_runs_once():
    def run(seed):
        return []

    assert list(results.Experiment("a", run).seeds(5)) == [0, 1, 2, 3, 4]
    assert list(results.Experiment("a", run, seeded=False).seeds(5)) == [0]


def test_experiments_may_import_modules_beside_them(unit):
    (unit.folder / "beside.py").write_text("FIELD = 7\n")
    (unit.folder / "experiments.py").write_text(
        EXPERIMENTS.replace("from pathlib", "from .beside import FIELD\nfrom pathlib").replace(
            '"latency_ms_p50": 1.5', '"latency_ms_p50": FIELD'
        )
    )
    run_results("toy", seeds=1, only=["timing"])
    assert load_results("toy")["records"][0]["latency_ms_p50"] == 7


@pytest.mark.skipif(sys.platform == "win32", reason="worker processes import this file on Windows")
def test_jobs_change_nothing_but_the_time(unit):
    alone = json.loads(run_results("toy", seeds=3).read_text())["records"]
    assert json.loads(run_results("toy", seeds=3, jobs=2).read_text())["records"] == alone


def test_missing_results_and_units_say_what_to_do(unit):
    with pytest.raises(UserError, match="python -m course results nothing"):
        load_results("nothing")
    (unit.folder / "experiments.py").unlink()
    with pytest.raises(UserError, match="nothing to measure"):
        run_results("toy")
