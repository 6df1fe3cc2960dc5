"""What a student does in JupyterLab, by mouse and by keyboard."""

import json
import os

import pytest

from course.writing.units import discover

UNITS = [unit for unit in discover() if unit.name in os.environ.get("LECTURES", unit.name)]
VIEW = "application/vnd.jupyter.widget-view+json"
BROKEN = "model not found"


def output(path):
    return [output for cell in json.loads(path.read_text())["cells"]
            for output in cell.get("outputs", ())]  # fmt: skip


def move(page, control) -> None:
    """Move a control by mouse, then by keyboard, and press keys that JupyterLab would take."""
    handle = control.locator(".noUi-handle, select, input, button, summary").first
    handle.scroll_into_view_if_needed()
    box = (control.locator(".noUi-target").first if control.locator(".noUi-target").count()
           else handle).bounding_box()  # fmt: skip
    if control.locator("select").count():
        handle.select_option(index=0)
    else:
        page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2)
    handle.focus()
    for key in ("ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "Home", "End"):
        page.keyboard.press(key)
    if not control.locator("input").count():
        for key in "ddxab":
            page.keyboard.press(key)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_every_control_of_a_lecture(unit, course, page, open_notebook):
    path = f"lectures/{unit.name}.ipynb"
    notebook = open_notebook(path)
    count = notebook.cells()
    notebook.run_all(unit.lecture.max_seconds)
    moved = 0
    for number in range(count):
        cell = notebook.show(number)
        controls = cell.locator(
            ".widget-hslider, .widget-dropdown, .widget-combobox, .widget-text, .jupyter-button"
        )
        for control in controls.all():
            move(page, control)
            moved += 1
        for summary in cell.locator(".jp-OutputArea details > summary").all():
            summary.click()
            summary.focus()
            page.keyboard.press("Enter")  # closed again
            assert not summary.locator("xpath=..").evaluate("details => details.open")
            page.keyboard.press("d")
            page.keyboard.press("d")
            moved += 1
        page.wait_for_function(
            "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
        )
        assert cell.locator("[role=alert]").count() == 0
        assert cell.locator("text=Error displaying widget").count() == 0
        assert notebook.cells() == count
    assert moved > 10
    notebook.save()
    saved = output(course / path)
    assert not any(VIEW in found.get("data", {}) for found in saved)
    assert not any(found["output_type"] == "error" for found in saved)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_lecture_reopened_after_it_was_run_shows_pictures(unit, open_notebook, page):
    notebook = open_notebook(f"lectures/{unit.name}.ipynb")
    page.evaluate("jupyterapp.serviceManager.sessions.shutdownAll()")
    assert notebook.panel.locator(f"text={BROKEN}").count() == 0
    images = notebook.panel.locator(".jp-OutputArea img[src^='data:image/png']")
    widths = images.evaluate_all("images => images.map(image => image.naturalWidth)")
    assert len(widths) > 5 and min(widths) > 1


def test_a_quiz_answers_before_anything_ran(open_notebook):
    notebook = open_notebook(f"lectures/{UNITS[0].name}.ipynb")
    cell = notebook.panel.locator(".jp-CodeCell", has_text="Choose an answer:").last
    cell.wait_for()
    assert "answer=" not in cell.inner_text()
    summaries = cell.locator(".jp-OutputArea details > summary")
    assert summaries.count() >= 2
    for summary in summaries.all():
        summary.click()
    assert "Not right." in cell.inner_text() and "Right." in cell.inner_text()


def test_assignments_are_reached_from_the_lecture(open_notebook, page):
    notebook = open_notebook(f"lectures/{UNITS[0].name}.ipynb")
    notebook.show(1).get_by_role("link", name=f"Assignment {UNITS[0].number}").click()
    page.locator(".jp-NotebookPanel:visible", has_text=f"Assignment {UNITS[0].number}: ").wait_for()
