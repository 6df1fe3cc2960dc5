import json
from pathlib import Path

import pytest

from utils.records import load_provenance, load_published, load_records, load_runs, summarise

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    records = [
        {"method": "a", "setting": "x", "seed": s, "macro_f1": 0.5 + 0.1 * s} for s in range(3)
    ]
    records.append({"method": "b", "setting": "x", "seed": 0, "macro_f1": 0.4})
    records = [{"experiment": "models", "run": 1} | record for record in records]
    document = {"runs": [{"run": 1, "command": "make it"}], "records": records}
    (tmp_path / "unit.json").write_text(json.dumps(document))
    return tmp_path


def test_filters_choose_records_and_a_misspelt_one_is_an_error(folder):
    assert len(load_records("unit", folder, method="a")) == 3
    with pytest.raises(LookupError, match="no record in unit.json"):
        load_records("unit", folder, method="A")
    with pytest.raises(LookupError):
        load_records("unit", folder, metod="a")


def test_missing_results_name_the_command(folder):
    with pytest.raises(FileNotFoundError, match="python -m course results nothing"):
        load_records("nothing", folder)


def test_results_are_found_from_a_folder_below(folder, monkeypatch):
    results = folder / "course" / "results"
    results.mkdir(parents=True)
    (folder / "unit.json").rename(results / "unit.json")
    (folder / "lectures").mkdir()
    monkeypatch.chdir(folder / "lectures")
    assert load_provenance("unit") == {"run": 1, "command": "make it"}


def test_an_experiment_says_which_run_made_it(folder):
    document = json.loads((folder / "unit.json").read_text())
    document["runs"].append({"run": 2, "command": "time it"})
    document["records"].append({"experiment": "timing", "run": 2})
    (folder / "unit.json").write_text(json.dumps(document))
    assert load_provenance("unit", folder, experiment="models")["command"] == "make it"
    assert load_provenance("unit", folder, experiment="timing")["command"] == "time it"
    assert [run["command"] for run in load_runs("unit", folder)] == ["make it", "time it"]
    with pytest.raises(LookupError, match="2 runs made .* name one experiment of models, timing"):
        load_provenance("unit", folder)
    with pytest.raises(LookupError, match="no record"):
        load_provenance("unit", folder, experiment="model")


@pytest.mark.parametrize("name", ["efficiency", "quantization", "distillation"])
def test_every_record_of_the_course_names_a_run_and_every_run_made_one(name):
    records, runs = load_records(name), load_runs(name)
    stored = json.loads((ROOT / "course" / "results" / f"{name}.json").read_text())["runs"]
    assert runs == stored
    assert {record["run"] for record in records} == {run["run"] for run in runs}
    for experiment in {record["experiment"] for record in records}:
        assert load_runs(name, experiment=experiment)
    for run in runs:
        assert {"command", "commit", "uncommitted_changes", "date", "data", "machine"} <= set(run)
        assert "torch" in run["versions"]


def test_summary_has_mean_and_sample_deviation(folder):
    first, second = summarise(load_records("unit", folder))
    assert (first["method"], first["n"], first["min"], first["max"]) == ("a", 3, 0.5, 0.7)
    assert first["mean"] == pytest.approx(0.6)
    assert first["std"] == pytest.approx(0.1)
    assert (second["n"], second["std"]) == (1, 0.0)


def test_from_anywhere_else_the_results_of_this_checkout_are_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {point["name"] for point in load_published()}
    assert "BERT-base (published)" in names
    assert all(point["counts"] == "encoder" for point in load_published(part="compressed"))
