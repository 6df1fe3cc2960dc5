"""What a student does in JupyterLab, by mouse and by keyboard."""

import json
import os
import re

import pytest
from playwright.sync_api import expect

from course.writing.units import discover

# LECTURES="02 05" tests these alone.
WANTED = tuple(os.environ.get("LECTURES", "").split()) or ("",)
UNITS = [unit for unit in discover() if unit.name.startswith(WANTED)]
assert UNITS, f"no lecture is called {WANTED}"
BY_NAME = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)

VIEW = "application/vnd.jupyter.widget-view+json"
PICTURE = "img[src^='data:image/png']"
EDITING_KEYS = "ddxab"  # of JupyterLab, where a cell is selected: delete, cut, insert


def press(page, keys) -> None:
    for key in keys:
        page.keyboard.press(key)


def drawn(notebook, cell) -> str | None:
    """The picture that a widget of the cell shows now."""
    notebook.settle()
    pictures = cell.locator(f".widget-html {PICTURE}")
    return pictures.first.get_attribute("src") if pictures.count() else None


def drag_and_type(notebook, cell, slider) -> None:
    page, handle = notebook.page, slider.locator(".noUi-handle")

    def at(name="text"):  # the others, "now", "min" and "max", have one digit after the point
        return float(handle.get_attribute(f"aria-value{name}"))

    start, track = at(), slider.locator(".noUi-target").bounding_box()
    low_half = start < (at("min") + at("max")) / 2
    handle.hover()
    page.mouse.down()
    page.mouse.move(track["x"] + (0.9 if low_half else 0.1) * track["width"], track["y"], steps=4)
    page.mouse.up()
    assert at() != start
    handle.focus()
    press(page, ["Home"])
    assert at("now") == at("min")
    least, first = at(), drawn(notebook, cell)
    press(page, ["ArrowRight"])
    assert at() > least
    press(page, ["End"])
    assert at("now") == at("max")
    greatest = at()
    assert drawn(notebook, cell) != first
    press(page, ["ArrowLeft", *EDITING_KEYS])
    assert at() < greatest
    readout = slider.locator(".widget-readout:visible")  # where a number can be typed
    if readout.count():
        readout.fill(f"{least:g}")
        press(page, ["Enter"])
        assert at() == least


def choose(notebook, cell, menu) -> None:
    """A menu that is open is not part of the page, so the mouse is played by `select_option`."""
    page, select = notebook.page, menu.locator("select")
    select.select_option(index=0)
    first = drawn(notebook, cell)
    select.focus()
    press(page, ["ArrowDown"])
    assert select.evaluate("select => select.selectedIndex") == 1
    assert drawn(notebook, cell) != first
    select.select_option(index=select.locator("option").count() - 1)
    press(page, EDITING_KEYS)


def write_own(notebook, cell, box) -> None:
    """A box with suggestions that takes any text."""
    page, entry, first = notebook.page, box.locator("input"), drawn(notebook, cell)
    entry.click()
    press(page, ["Control+a", *EDITING_KEYS, "Enter"])
    assert entry.input_value() == EDITING_KEYS
    assert drawn(notebook, cell) != first
    entry.fill(box.locator("option").last.get_attribute("value"))
    press(page, ["Enter"])


def guess(notebook, cell, box) -> None:
    page, entry, status = notebook.page, box.locator("input"), cell.locator("[role=status]")
    entry.click()
    press(page, ["Control+a", *EDITING_KEYS, "Enter"])
    expect(status).to_contain_text("That is not a number.")
    entry.fill("0.5")
    press(page, ["Enter"])
    expect(status).to_contain_text("Written down: 0.5")


def push(notebook, cell, button) -> None:
    page, status = notebook.page, cell.locator("[role=status]")
    entry = cell.locator(".widget-text input")
    entry.fill("0.25")
    button.click()
    expect(status).to_contain_text("Written down: 0.25")
    entry.fill("0.75")
    button.focus()
    press(page, ["Enter", *EDITING_KEYS])
    expect(status).to_contain_text("Written down: 0.75")


def unfold(notebook, cell, summary) -> None:
    def is_open():
        return summary.evaluate("summary => summary.parentElement.open")

    before = is_open()
    summary.click()
    assert is_open() != before
    summary.focus()
    press(notebook.page, ["Enter"])
    assert is_open() == before
    press(notebook.page, [" ", *EDITING_KEYS])
    assert is_open() != before


MOVES = {
    ".jp-OutputArea .widget-hslider": drag_and_type,
    ".jp-OutputArea .widget-dropdown": choose,
    ".jp-OutputArea .widget-text:has(input[list])": write_own,
    ".jp-OutputArea .widget-text:not(:has(input[list]))": guess,
    ".jp-OutputArea .jupyter-button": push,
    ".jp-OutputArea details > summary": unfold,
}
# All that can be moved, whatever else a widget may be made of.
CONTROLS = ".jupyter-widgets :is(input, select, button, textarea, .noUi-handle), details > summary"


@BY_NAME
def test_every_control_of_a_lecture(unit, course, page, open_notebook):
    path = f"lectures/{unit.name}.ipynb"
    notebook = open_notebook(path)
    count = notebook.cells()
    notebook.run_all()
    moved = dict.fromkeys(MOVES, 0)
    for number in range(count):
        cell = notebook.show(number)
        found = {kind: cell.locator(kind).all() for kind in MOVES}
        every = cell.locator(f".jp-OutputArea :is({CONTROLS})").count()
        assert every == sum(map(len, found.values())), f"cell {number} has another kind of control"
        for kind, controls in found.items():
            for control in controls:
                control.scroll_into_view_if_needed()
                MOVES[kind](notebook, cell, control)
                moved[kind] += 1
        if every:
            notebook.settle()
            assert cell.locator("[role=alert]").all_inner_texts() == [], f"cell {number}"
            assert notebook.cells() == count, f"keys pressed in cell {number} changed the notebook"
    written = re.findall(
        r"^(?:explore|predict|quiz)\(", unit.lecture_source.read_text("utf-8"), re.M
    )
    assert sum(moved.values()) >= len(written) > 0, moved
    assert notebook.panel.get_by_text("Error displaying widget").count() == 0
    notebook.save()
    notebook.stop()
    saved = [
        output
        for cell in json.loads((course / path).read_text())["cells"]
        for output in cell.get("outputs", ())
    ]
    assert not any(VIEW in output.get("data", {}) for output in saved)
    assert not any(output["output_type"] == "error" for output in saved)
    shows_pictures(open_notebook(path))


def shows_pictures(notebook) -> None:
    """Each cell that draws has its picture, although no kernel runs."""
    assert notebook.panel.get_by_text("Error displaying widget").count() == 0
    drawing = notebook.page.evaluate(
        "jupyterapp.shell.currentWidget.content.widgets.flatMap(({ model }, number) =>"
        r" /^(explore|show)\(/m.test(model.sharedModel.source) ? [number] : [])"
    )
    assert len(drawing) > 5
    for number in drawing:
        widths = (
            notebook.show(number)
            .locator(f".jp-OutputArea {PICTURE}")
            .evaluate_all("images => images.map(image => image.naturalWidth)")
        )
        assert widths and min(widths) > 1, f"cell {number} shows no picture"


@BY_NAME
def test_a_lecture_as_it_is_shipped_shows_pictures(unit, open_notebook):
    notebook = open_notebook(f"lectures/{unit.name}.ipynb")
    shows_pictures(notebook)
    notebook.stop()


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
    notebook.show(0).get_by_role("link", name=f"Assignment {UNITS[0].number}").click()
    page.locator(".jp-NotebookPanel:visible", has_text=f"Assignment {UNITS[0].number}: ").wait_for()
