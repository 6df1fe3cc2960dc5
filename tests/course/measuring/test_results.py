import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from course.errors import UserError
from course.measuring import provenance, results
from course.measuring.results import load_results, run_results
from course.writing.units import ROOT, find_unit
from utils.records import load_provenance

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
def unit(tmp_path, monkeypatch, cache_folder):
    folder = tmp_path / "unit"
    folder.mkdir()
    (folder / "experiments.py").write_text(EXPERIMENTS)
    unit = SimpleNamespace(topic="toy", folder=folder)
    monkeypatch.setattr(results, "find_unit", lambda name: unit)
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    return unit


def _log(unit):
    return (unit.folder / "log.txt").read_text().split("\n")[:-1]


def test_a_run_writes_records_and_where_they_come_from(unit):
    path = run_results("toy", seeds=3)
    document = json.loads(path.read_text())
    (run,) = document["runs"]
    assert run["run"] == 1 and run["command"] == "python -m course results toy --seeds 3"
    assert {"commit", "uncommitted_changes", "date", "data", "machine", "versions"} <= set(run)
    assert run["machine"]["cores"] > 0 and "torch" in run["versions"]
    assert [(r["experiment"], r["run"], r["seed"]) for r in document["records"]] == [
        ("timing", 1, 0),
        ("models", 1, 0),
        ("models", 1, 1),
        ("models", 1, 2),
    ]
    assert load_results("toy") == document


def test_a_line_is_a_run_or_a_record_and_only_values_differ_after_the_next_run(unit, monkeypatch):
    _no_provenance(monkeypatch, "first")
    before = run_results("toy", seeds=2).read_text().splitlines()
    lines = [json.loads(line.rstrip(",")) for line in before if line.startswith('{"')]
    assert [line.get("experiment") for line in lines] == [None, "timing", "models", "models"]
    _no_provenance(monkeypatch, "second")
    after = run_results("toy", seeds=2).read_text().splitlines()
    changed = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert len(changed) == 1 and '"commit": "second"' in changed[0][1]


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


def test_what_was_written_is_measured_anew_the_next_time(unit):
    run_results("toy", seeds=1)
    run_results("toy", seeds=1)
    assert _log(unit).count("scored 0") == 2


def test_code_that_changes_while_it_runs_is_refused(unit):
    source = EXPERIMENTS.replace(
        "def scored(seed):",
        "def scored(seed):\n    Path(__file__).write_text(Path(__file__).read_text() + '#')",
    )
    (unit.folder / "experiments.py").write_text(source)
    with pytest.raises(UserError, match="changed while it ran"):
        run_results("toy", seeds=2)


def test_experiments_that_differ_by_punctuation_do_not_share_records(unit):
    (unit.folder / "experiments.py").write_text(
        EXPERIMENTS.replace(
            'Experiment("models: a b/c", scored)',
            'Experiment("models: a b/c", scored), Experiment("models: a-b c", timed, scored=False)',
        )
    )
    run_results("toy", seeds=1, only=["models"])
    assert _log(unit) == ["scored 0", "timed 0", "finish 2"]
    first, second = load_results("toy")["records"]
    assert "macro_f1" in first and "latency_ms_p50" in second


def test_fewer_seeds_than_are_there_need_to_be_forced(unit):
    run_results("toy", seeds=3)
    before = load_results("toy")
    for only in ([], ["models"]):
        with pytest.raises(UserError, match="has 3 seeds .*'models', and 2 would .* add --force"):
            run_results("toy", seeds=2, only=only)
    assert load_results("toy") == before and len(_log(unit)) == 5  # nothing ran
    run_results("toy", seeds=2, only=["timing"])  # which has one seed whatever is asked for
    run_results("toy", seeds=2, force=True)
    assert [r["seed"] for r in load_results("toy")["records"]] == [0, 0, 1]


@pytest.mark.parametrize(
    "value, message",
    [
        ("float('nan')", "'latency_ms_p50' is nan, which JSON cannot hold"),
        ("float('-inf')", "'latency_ms_p50' is -inf"),
        ("{'a': [1.0, float('nan')]}", "'latency_ms_p50' is nan"),
        (
            "np.float64(1.5)",
            r"'latency_ms_p50' holds a numpy.float64; make it plain with float\(\)",
        ),
        ("np.float32(1.5)", "'latency_ms_p50' holds a numpy.float32"),
        ("[np.int64(1)]", "'latency_ms_p50' holds a numpy.int64"),
        ("np.zeros(2)", "'latency_ms_p50' holds a numpy.ndarray"),
        ("{3: 1.5}", "'latency_ms_p50' has keys that are not text"),
        ("Path('a')", "'latency_ms_p50' holds a pathlib"),
    ],
)
def test_what_json_does_not_give_back_is_refused_with_experiment_and_field(unit, value, message):
    source = EXPERIMENTS.replace('"latency_ms_p50": 1.5', f'"latency_ms_p50": {value}')
    (unit.folder / "experiments.py").write_text("import numpy as np\n" + source)
    with pytest.raises(UserError, match=f"Experiment 'timing' of unit toy: field {message}"):
        run_results("toy", seeds=1)
    assert not (results.RESULTS / "toy.json").exists()


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("EXPERIMENTS =", "EXPERIMENT =", "experiments.py has no list EXPERIMENTS; give it one"),
        ("models: a b/c", "timing", "experiments.py has two experiments called 'timing'"),
        ('"latency_ms_p50"', '"run"', "has a field 'run', which names the run"),
    ],
)
def test_malformed_experiments_get_a_sentence(unit, old, new, message):
    (unit.folder / "experiments.py").write_text(EXPERIMENTS.replace(old, new))
    with pytest.raises(UserError, match=message):
        run_results("toy", seeds=1)


def test_a_change_to_anything_that_measured_is_an_uncommitted_change(tmp_path, monkeypatch):
    """The code of the house as well as that of the unit, but nothing that was not used."""

    def git(*arguments):
        options = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", "-C", tmp_path, *options, *arguments], check=True)

    unit = find_unit("quantization")
    code = [file.relative_to(ROOT) for file in results.measuring_code(unit)]
    used = (
        "course/measuring/baselines.py",
        "utils/models/networks.py",
        "utils/assets/word_vectors.bin",
    )
    used += ("course/units/03_quantization/races.py", "course/measuring/results.py")
    assert set(map(Path, used)) <= set(code)
    assert Path("course/units/03_quantization/lecture.py") not in code
    for file in (*code, Path("README.md")):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("as committed\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "all")
    monkeypatch.setattr(provenance, "ROOT", tmp_path)

    def changed():
        return provenance.provenance(tmp_path / file for file in code)["uncommitted_changes"]

    assert not changed()
    (tmp_path / "README.md").write_text("changed\n")
    assert not changed()
    for file in used:
        (tmp_path / file).write_text("changed\n")
        assert changed()
        git("checkout", "-q", file)


def test_a_record_that_lacks_a_field_is_refused(unit):
    (unit.folder / "experiments.py").write_text(
        EXPERIMENTS.replace('"file_bytes": 2', '"other": 2')
    )
    with pytest.raises(UserError, match="left out file_bytes"):
        run_results("toy", seeds=1)


def _no_provenance(monkeypatch, commit):
    monkeypatch.setattr(results, "provenance", lambda code: {"commit": commit})


def test_some_experiments_run_again_and_the_others_keep_records_and_run(unit, monkeypatch):
    _no_provenance(monkeypatch, "first")
    run_results("toy", seeds=2)
    first = load_results("toy")
    _no_provenance(monkeypatch, "second")
    path = run_results("toy", seeds=2, only=["models"])
    second = load_results("toy")
    command = 'python -m course results toy --seeds 2 --only "models"'
    assert second["runs"] == [*first["runs"], {"run": 2, "command": command, "commit": "second"}]
    assert [(r["experiment"], r["run"]) for r in second["records"]] == [
        ("timing", 1),
        ("models", 2),
        ("models", 2),
    ]
    assert second["records"][0] == first["records"][0]
    assert load_provenance("toy", path.parent, experiment="timing")["commit"] == "first"
    assert load_provenance("toy", path.parent, experiment="models")["commit"] == "second"
    assert _log(unit)[-3:] == ["scored 0", "scored 1", "finish 2"]  # finish sees what was measured

    _no_provenance(monkeypatch, "third")
    (unit.folder / "experiments.py").write_text(
        EXPERIMENTS.replace("timing", "timing 2")
        .replace('"models', '"new"), Experiment("models')
        .replace('"new")', '"new", scored)')
    )
    run_results("toy", seeds=1, only=["new"])  # a lost experiment takes its run with it
    third = load_results("toy")
    assert [(run["run"], run["commit"]) for run in third["runs"]] == [(1, "third"), (2, "second")]
    assert [(r["experiment"], r["run"]) for r in third["records"]] == [
        ("new", 1),
        ("models", 2),
        ("models", 2),
    ]
    _no_provenance(monkeypatch, "fourth")
    run_results("toy", seeds=2)
    assert [run["commit"] for run in load_results("toy")["runs"]] == ["fourth"]


def test_some_experiments_may_be_the_first(unit):
    run_results("toy", seeds=1, only=["timing"])
    document = load_results("toy")
    assert len(document["runs"]) == len(document["records"]) == 1


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
