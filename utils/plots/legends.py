"""Legends that hide what a picture shows."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text

_PALE = 0.85  # an area that is lighter may lie behind a legend


def hidden_by_legends(fig: Figure) -> list[str]:
    """The entries of legends, by their texts, that lie on a curve, a mark, a bar or a text.

    The figure is drawn without its legends and grid; where an entry was, only a pale area may be.
    Both are gone afterwards and the layout is frozen, so ask this of a figure that is done with.
    """
    legends = [legend for legend in fig.findobj(Legend) if legend.get_visible()]
    if not legends:
        return []
    for _ in range(2):  # the second time settles what the first one moved
        fig.canvas.draw()
    fig.set_layout_engine("none")
    entries = [
        (text.get_text(), _pixels(legend, text)) for legend in legends for text in legend.texts
    ]
    for legend in legends:
        legend.set_visible(False)
    for ax in fig.axes:
        ax.grid(False)
    fig.canvas.draw()
    lightness = np.asarray(fig.canvas.buffer_rgba())[::-1, :, :3].mean(axis=-1) / 255
    return [label for label, pixels in entries if (lightness[pixels] < _PALE).any()]


def _pixels(legend: Legend, text: Text) -> tuple[slice, slice]:
    """Where a text and the handle on its left are."""
    box, size = text.get_window_extent(), text.get_fontsize() * legend.figure.dpi / 72
    handle = (legend.handlelength + legend.handletextpad) * size
    edges = (box.x0 - handle, box.x1, box.y0, box.y1)
    left, right, bottom, top = (max(0, round(edge)) for edge in edges)
    return slice(bottom, top), slice(left, right)
