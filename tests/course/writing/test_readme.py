"""README.md says what is true of this checkout."""

import json
import re
import shutil

import pytest

from course.cli import app
from course.measuring import results
from course.writing import published, readme
from course.writing.units import ROOT
from utils.data import SPLITS, load_sample

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_table_and_picture_are_what_the_results_say():
    assert readme.readme_drift() == []


def test_a_changed_result_is_drift(tmp_path, monkeypatch):
    document = results.load_results("efficiency")
    for record in document["records"]:
        record["macro_f1"] = record.get("macro_f1", 0) + 0.1
    (tmp_path / "efficiency.json").write_text(json.dumps(document))
    for name in ("quantization", "distillation"):
        shutil.copy(results.RESULTS / f"{name}.json", tmp_path)
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    assert any("table" in problem for problem in readme.readme_drift())


def test_a_missing_picture_and_missing_marks_are_noticed(tmp_path):
    (tmp_path / "README.md").write_text(TEXT)
    assert any(readme.PICTURE in problem for problem in readme.readme_drift(tmp_path))
    (tmp_path / "README.md").write_text("nothing")
    with pytest.raises(ValueError, match="once, found 0"):
        readme.readme_drift(tmp_path)


def test_an_update_writes_table_and_picture(tmp_path):
    marks = (
        (readme.BEGIN, readme.END),
        (readme.UNITS_BEGIN, readme.UNITS_END),
        (published.BEGIN, published.END),
    )
    blocks = "\n".join(f"{begin}\nstale table\n{end}" for begin, end in marks)
    (tmp_path / "README.md").write_text(f"before\n{blocks}\nafter")
    readme.update_readme(tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "stale table" not in text and text.startswith("before") and text.endswith("after")
    assert "| sparse linear |" in text and "| 01. " in text
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
