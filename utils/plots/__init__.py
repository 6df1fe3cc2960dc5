"""Pictures that stay readable: colour-blind-safe colours, a marker of its own for each method,
labels that do not lie on one another, and a description in words for each.

Functions that draw return a matplotlib ``Figure``; :func:`show` puts it into the notebook.
"""

from utils.plots.serving import latency_histogram, queue_chart
from utils.plots.size import bytes_axis, size_f1_chart
from utils.plots.style import (
    GREY,
    LINES,
    MARKERS,
    PALETTE,
    checked_alt,
    human_bytes,
    ink,
    picture,
    set_style,
    show,
    to_png,
)

__all__ = [
    "GREY",
    "LINES",
    "MARKERS",
    "PALETTE",
    "bytes_axis",
    "checked_alt",
    "human_bytes",
    "ink",
    "latency_histogram",
    "picture",
    "queue_chart",
    "set_style",
    "show",
    "size_f1_chart",
    "to_png",
]
