"""Widgets, executed in a real kernel without a front end."""

import base64
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from utils import widgets

VIEW = "application/vnd.jupyter.widget-view+json"
PNG = b"\x89PNG\r\n\x1a\n"

CELLS = [
    """
import matplotlib.pyplot as plt
from ipywidgets import IntSlider
from utils.widgets import explore, predict, quiz, reveal
slider = IntSlider(value=3, min=1, max=4)
def draw(n):
    fig, ax = plt.subplots()
    ax.plot([1 / (5 - n)] * n)
    return fig
explore(draw, "A line.", n=slider)
""",
    "slider.value = 2",
    "predict('speed', 'How fast?', 'ms')",
    "reveal('speed', 3.5, 'ms')",
    "quiz('Which?', {'a': 'Yes.', 'b': 'No.'}, 'a')",
    "explore(draw, 'A line.', n=IntSlider(value=3, min=1, max=5))  # fails at 5",
]


def test_in_a_kernel_without_front_end(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(widgets.__file__).resolve().parents[1]))
    monkeypatch.setenv("COURSE_EXERCISE_WIDGETS", "1")
    monkeypatch.setenv("COURSE_PREDICTIONS", str(tmp_path / "guesses.json"))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    resources = {"metadata": {"path": str(tmp_path)}}
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources)
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        client.execute()
    explored, moved, predicted, revealed, asked, failed = [c.outputs for c in notebook.cells]

    assert len(explored) == len(predicted) == len(revealed) == len(asked) == 1 and moved == []
    assert {VIEW, "image/png", "text/plain"} <= set(explored[0].data)
    assert base64.b64decode(explored[0].data["image/png"]).startswith(PNG)
    assert explored[0].metadata["image/png"]["alt"] == "A line."
    assert {VIEW, "text/html", "text/plain"} <= set(predicted[0].data)
    assert "3.5 ms" in revealed[0].data["text/plain"]
    assert set(asked[0].data) == {"text/html", "text/plain"}
    assert [o.output_type for o in failed] == ["error"]  # and no picture left behind
    assert list(tmp_path.iterdir()) == []
