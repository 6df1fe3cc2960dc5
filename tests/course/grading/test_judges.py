"""Which server a submission runs in."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course.grading import judges
from course.grading.judges import imported, judged_here, preload_of
from course.grading.sandbox import DERIVES
from course.writing.units import discover
from tests.course.grading.judging import RIGHT, assignment, handed_in, points


@pytest.fixture(autouse=True)
def closed():
    judges.close_boxes()
    yield
    judges.close_boxes()


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import numpy as np, torch.nn as nn", {"numpy", "torch"}),
        ("from sklearn.metrics import f1_score", {"sklearn"}),
        ("if x:\n    from utils import metrics, data", {"utils.metrics", "utils.data"}),
        ("from utils.quantization.scalar import quantize", {"utils.quantization"}),
        ("from math import sqrt\n# import torch\nimportant = 1", set()),
    ],
)
def test_what_a_notebook_imports(source, names):
    assert imported(new_notebook(cells=[new_code_cell(source)])) == names


def test_a_server_holds_what_an_assignment_imports_and_what_its_checks_watch():
    preloads = {
        unit.topic: preload_of(nbformat.read(unit.solution_notebook(), as_version=4))
        for unit in discover()
    }
    assert "utils.metrics" in preloads["efficiency"]  # `examine(..., forbidden="utils.metrics...")`
    assert not any(name.startswith("torch") for name in preloads["pruning"])
    assert {"torch", DERIVES} <= set(preloads["aware"])


def test_who_imports_more_runs_in_a_server_that_has_it():
    nb = assignment()
    solution = json.dumps(nb)
    how = {"unsafe": True, "seed": "", "seconds": 200, "answer_seconds": None}
    plain = judged_here(solution, handed_in(nb), **how)
    assert points(plain.notebook)["q1"] == 2 and len(judges._boxes) == 1
    more = handed_in(nb, f"import scipy.sparse\n{RIGHT}")
    assert points(judged_here(solution, more, **how).notebook)["q1"] == 2
    first, second = judges._boxes.values()
    assert "scipy" not in first.modules and "scipy" in second.modules


def test_no_more_servers_are_kept_than_a_class_needs(monkeypatch):
    closed = []
    monkeypatch.setattr(judges.Unsafe, "launch", lambda self: self)
    monkeypatch.setattr(judges.Unsafe, "close", lambda self: closed.append(self.preload))
    for name in ("a", "b", "a", "c"):
        judges._box(True, (name,))
    assert closed == [("b",)]
