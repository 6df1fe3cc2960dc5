"""What the sources of the lectures do for their pictures."""

import ast
import re

import numpy as np
import pytest

from course.writing.units import discover

LECTURES = {unit.name: unit.lecture_source.read_text() for unit in discover()}


@pytest.mark.parametrize("name", LECTURES)
def test_no_colour_is_called_red(name):
    """The palette has none: its second colour is an orange."""
    assert re.findall(r".*\b[Rr]ed\b.*", LECTURES[name]) == []


@pytest.mark.parametrize("name", LECTURES)
def test_text_is_not_written_in_a_colour_of_lines(name):
    """Orange, green and pink have less than 4.5:1 against white: `plots.ink` darkens them."""
    for call in ast.walk(ast.parse(LECTURES[name])):
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") in ("annotate", "text"):
            colors = [ast.unparse(k.value) for k in call.keywords if k.arg == "color"]
            readable = r"plots\.(ink\(.*\)|GREY)|'(black|white)'|.* if .* else .*"
            assert all(re.fullmatch(readable, color) for color in colors), ast.unparse(call)


def test_neighbouring_cells_of_unit_04_have_different_colours():
    source = ast.parse(LECTURES["04_vector_quantization"])
    (function,) = (node for node in source.body if getattr(node, "name", "") == "distinct_colors")
    names = {"np": np}
    exec(ast.unparse(function), names)
    random = np.random.default_rng(0)
    across, up = np.meshgrid(np.arange(60), np.arange(50))
    for n in (1, 2, 8, 16, 64):
        points = random.uniform((0, 0), (60, 50), size=(n, 2))
        distances = np.square(np.stack([across, up], axis=-1)[..., None, :] - points).sum(axis=-1)
        cells = distances.argmin(axis=-1)
        colors = names["distinct_colors"](cells, n)
        for one, other in ((cells[1:], cells[:-1]), (cells[:, 1:], cells[:, :-1])):
            assert (colors[one] != colors[other])[one != other].all()
        assert colors.shape == (n,) and set(colors) <= set(range(5))  # the colours that there are
