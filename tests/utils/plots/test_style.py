"""Colours, units, and descriptions."""

import base64
import io

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from utils import plots


def test_show_displays_a_png_with_its_description_and_closes_the_figure(monkeypatch):
    shown = []
    monkeypatch.setattr(
        plots.style, "display", lambda *args, **options: shown.append((args, options))
    )
    fig, ax = plt.subplots(figsize=(4, 2))
    ax.plot([1, 2])
    plots.show(fig, alt=" A rising line. ")
    (((bundle,), options),) = shown
    assert options["raw"] is True
    assert bundle["text/plain"] == "A rising line."
    assert options["metadata"] == {
        "image/png": {"alt": "A rising line.", "width": 384, "height": 192}
    }
    picture = imread(io.BytesIO(base64.b64decode(bundle["image/png"])), format="png")
    assert picture.shape[:2] == (288, 576)  # sharper than its size on the page
    assert plt.get_fignums() == []


@pytest.mark.parametrize("alt", ["", "  \n", None])
def test_show_wants_a_description(alt):
    with pytest.raises(ValueError, match="alt is empty"):
        plots.show(plt.figure(), alt=alt)


def test_show_wants_a_figure():
    with pytest.raises(TypeError, match="expected a matplotlib Figure, got Axes"):
        plots.show(plt.subplots()[1], alt="An axes.")


def test_figures_can_be_shown_without_pyplot(monkeypatch):
    monkeypatch.setattr(plots.style, "display", lambda *args, **options: None)
    plots.show(matplotlib.figure.Figure(), alt="Nothing.")


def contrast(colour):
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 1.05 / (np.dot(parts, [0.2126, 0.7152, 0.0722]) + 0.05)


def test_text_is_readable_on_white():
    """WCAG 2.2 asks for a contrast of 4.5 for text."""
    assert min(contrast(plots.ink(colour)) for colour in plots.PALETTE) >= 4.5
    assert contrast(plots.GREY) >= 4.5


def test_lines_are_seen_on_white():
    """WCAG 2.2 asks for a contrast of 3 for what is not text."""
    assert min(contrast(colour) for colour in plots.PALETTE) >= 3


def test_set_style_uses_the_palette():
    assert plt.rcParams["axes.prop_cycle"].by_key()["color"] == list(plots.PALETTE)


@pytest.mark.parametrize(
    ("n", "text"),
    [(1, "1 B"), (999, "999 B"), (1000, "1 kB"), (1500, "1.5 kB"), (999_600, "1 MB"),
     (44e6, "44 MB"), (2e9, "2 GB"), (5e12, "5e+03 GB")],
)  # fmt: skip
def test_human_bytes(n, text):
    assert plots.human_bytes(n) == text
