"""README.md says what is true of this checkout."""

import json
import re
import shutil

import pytest

from course.cli import app
from course.measuring import results
from course.measuring.budgets import best_on_dev, of_budgets
from course.writing import published, readme
from course.writing.units import ROOT
from utils.data import SPLITS, load_sample

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_table_and_picture_are_what_the_results_say():
    assert readme.readme_drift() == []


def test_a_changed_result_is_drift(tmp_path, monkeypatch):
    document = results.load_results("efficiency")
    for record in document["records"]:
        if "macro_f1" in record:
            record["macro_f1"] += 0.1
    for path in results.RESULTS.glob("*.json"):
        shutil.copy(path, tmp_path)
    (tmp_path / "efficiency.json").write_text(json.dumps(document))
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    assert any("table" in problem for problem in readme.readme_drift())


def test_each_part_is_dated_by_the_run_that_made_it(tmp_path, monkeypatch):
    for name in {name for name, _ in readme.ORIGINS.values()}:
        document = results.load_results(name)
        other = {"run": 99, "date": "a later day", "command": "another command"}
        document["runs"].append(document["runs"][0] | other)
        for record in document["records"]:
            if (name, record["experiment"]) not in readme.ORIGINS.values():
                record["run"] = 99
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    table = readme.results_table()
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    assert readme.results_table() == table and "another command" not in table


def test_the_table_has_ten_models_at_most_from_small_to_large():
    rows = [
        line.split(" | ") for line in readme.results_table().splitlines()[2:] if line[:1] == "|"
    ]
    assert 5 < len(rows) <= 10
    known = {
        (r["method"], r["setting"]): r["file_bytes"] for r in readme._records() if "file_bytes" in r
    }
    sizes = [known[row[0].removeprefix("| "), row[1]] for row in rows]
    assert sizes == sorted(sizes)
    assert all(row[2].startswith("0.") for row in rows)
    assert sum("ms" in row[5] for row in rows) == 3


def test_the_best_of_a_budget_is_best_on_dev_among_what_fits():
    def measured(setting, size, dev, test):
        shared = {"results": "distillation", "experiment": "budgets", "budget_bytes": 1500}
        shared |= {"method": "hashed words", "setting": setting, "file_bytes": size}
        shared |= {"macro_f1_low": 0.5, "macro_f1_high": 0.6}
        return [
            shared | {"split": split, "macro_f1": f1}
            for split, f1 in (("dev", dev), ("test", test))
        ]

    records = measured("lucky on test", 1400, 0.50, 0.70) + measured("chosen", 1500, 0.55, 0.52)
    records += measured("a seed too large", 1400, 0.60, 0.60)
    records += measured("a seed too large", 1501, 0.60, 0.60)
    assert readme._within_budgets(records) == [(*readme.BUDGETS[0], "hashed words", "chosen")]


def test_the_table_knows_every_experiment_that_ships_a_file_for_a_budget():
    records = [
        {**row, "results": path.stem}
        for path in results.RESULTS.glob("*.json")
        for row in results.load_results(path.stem).get("records", ())
        if of_budgets(row)
    ]
    best = best_on_dev(records)
    assert best
    for row in best.values():
        assert (row["results"], row["experiment"]) in readme.BUDGETS


def test_a_model_that_was_not_measured_gets_a_sentence(monkeypatch):
    monkeypatch.setattr(readme, "STORY", (("efficiency", "models", "sparse linear", "C=7"),))
    with pytest.raises(LookupError, match="no results of efficiency, models, sparse linear, C=7"):
        readme.results_table()


def test_a_missing_picture_and_missing_marks_are_noticed(tmp_path):
    (tmp_path / "README.md").write_text(TEXT)
    assert any(readme.PICTURE in problem for problem in readme.readme_drift(tmp_path))
    (tmp_path / "README.md").write_text("nothing")
    with pytest.raises(ValueError, match="once, found 0"):
        readme.readme_drift(tmp_path)


def test_an_update_writes_table_and_picture(tmp_path):
    marks = (
        (readme.PICTURE_BEGIN, readme.PICTURE_END),
        (readme.UNITS_BEGIN, readme.UNITS_END),
        (readme.BEGIN, readme.END),
        (published.BEGIN, published.END),
    )
    blocks = "\n".join(f"{begin}\nstale table\n{end}" for begin, end in marks)
    (tmp_path / "README.md").write_text(f"before\n{blocks}\nafter")
    (tmp_path / readme.PICTURE).parent.mkdir()  # as in the course
    readme.update_readme(tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "stale table" not in text and text.startswith("before") and text.endswith("after")
    assert "| sparse linear |" in text and "| 01. " in text and f"]({readme.PICTURE})" in text
    assert readme.readme_drift(tmp_path) == []


def test_every_path_it_names_exists():
    named = re.findall(
        r"`((?:lectures|course|solutions|assignments|utils|tests|docs)/[\w./-]*)`", TEXT
    )
    named += re.findall(r"\]\((?!http)([^)]+)\)", TEXT)
    assert len(named) > 8
    assert [name for name in named if "NN_topic" not in name and not (ROOT / name).exists()] == []


def test_every_command_it_names_exists():
    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    named = set(re.findall(r"python -m course (\w+)", TEXT))
    assert named and named <= commands
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"course", "test", "lab"} <= set(re.findall(r"\bmake (\w+)", TEXT)) & targets


def test_it_counts_the_sample_right():
    rows = sum(len(load_sample(split).texts) for split in SPLITS)
    assert f"sample of {rows:,} comments" in TEXT
