"""jupyter_config.py: what is dropped when a notebook is saved, and how a page folds code."""

import runpy
from copy import deepcopy
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook, new_output
from traitlets.config import Config

ROOT = Path(__file__).parents[2]
VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def config():
    config = Config()
    runpy.run_path(str(ROOT / "jupyter_config.py"), {"get_config": lambda: config})
    return config


def notebook(*bundles):
    outputs = [new_output("display_data", data=data) for data in bundles]
    return new_notebook(cells=[new_code_cell("draw()", outputs=outputs)])


def test_a_saved_notebook_keeps_the_picture_and_not_the_widget(config):
    content = notebook(
        {VIEW: {"model_id": "x"}, "image/png": "AAAA"}, {VIEW: {}}, {"text/html": ""}
    )
    config.ContentsManager.pre_save_hook(
        model={"type": "notebook", "content": content}, path="a.ipynb", contents_manager=None
    )
    found = [set(output.data) for output in content.cells[0].outputs]
    assert found == [{"image/png"}, {VIEW}, {"text/html"}]  # what has no picture is left


def test_other_files_and_notebooks_of_old_are_left(config):
    for model in (
        {"type": "file", "content": "text"},
        {"type": "notebook", "content": {"nbformat": 3, "worksheets": []}},
    ):
        before = deepcopy(model)
        config.ContentsManager.pre_save_hook(model=model, path="a", contents_manager=None)
        assert model == before


def test_a_page_folds_the_code_of_hidden_cells_and_no_other(config):
    nb = new_notebook(
        cells=[
            new_code_cell("first = 1", metadata={"tags": ["hide-input"]}),
            new_code_cell("second = 2"),
        ]
    )
    page, _ = HTMLExporter(config=config).from_notebook_node(nbformat.from_dict(nb))
    folded = page.partition("<details><summary>Code</summary>")[2].partition("</details>")[0]
    assert "first" in folded and "second" not in folded
    assert page.count("<details>") == 1 and "second" in page
