"""Labels that keep off one another, off marks and off lines."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

from utils.plots.style import ink


def _freeze(fig: Figure) -> None:
    """Lay out the figure now and keep it so: what is measured in pixels must stay where it is."""
    for _ in range(2):  # the second time settles what the first one moved
        fig.canvas.draw()
    fig.set_layout_engine("none")


_HALO = withStroke(linewidth=3, foreground="white")  # a label crossed by a line stays readable

# Directions in which a label may stand: right, above, below, left, then more and more aslant.
_SIDES = [(1, 0), (0, 1), (0, -1), (-1, 0)]
_SIDES += [(x, y) for x in (0.15, 0.3, 0.5, 0.75, 1) for y in (1, -1)]
_SIDES += [(-x, y) for x, y in _SIDES[4:]]
_GAPS = (5, 10, 18, 28, 40, 54, 70, 88, 108, 130, 155, 180, 210)  # points from mark to text


class Labels:
    """Writes on axes so that no text lies on another, on a mark or on a line.

    Greedy: each label takes the nearest free place round its point, with a thin line to it where
    that is far. The layout of the figure is frozen.
    """

    def __init__(self, ax: Axes, points: Sequence, strokes: Sequence = (), radius: float = 6):
        _freeze(ax.figure)
        self.ax, self.renderer = ax, ax.figure.canvas.get_renderer()
        self.frame, self.scale = ax.get_window_extent(), ax.figure.dpi / 72
        self.radius = radius * self.scale
        self.taken = [self._around(*xy) for xy in ax.transData.transform(list(points))]
        self.texts: list[Bbox] = []
        self.strokes = [Path(ax.transData.transform(stroke)) for stroke in strokes]

    def _around(self, x: float, y: float) -> Bbox:
        r = self.radius
        return Bbox([(x - r, y - r), (x + r, y + r)])

    def _clashes(self, box: Bbox) -> int:
        frame = self.frame
        inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0
        padded = box.padded(1.5 * self.scale)
        crossed = sum(stroke.intersects_bbox(padded) for stroke in self.strokes)
        written = padded.count_overlaps(self.taken) + padded.count_overlaps(self.texts)
        return written + crossed + 10 * (not (inside and box.y1 <= frame.y1))

    def along(self, y: float, text: str) -> None:
        """Write on a horizontal line, at the first place that is free, and keep off the line."""
        note = self.ax.annotate(
            text,
            (0, y),
            xycoords=("axes fraction", "data"),
            xytext=(0, 3),
            textcoords="offset points",
            va="bottom",
            fontsize=10,
            weight="bold",
        )
        places = []
        for share in np.linspace(0.01, 0.99, 50):
            for va, offset in (("bottom", 3), ("top", -3)):
                note.set(position=(0, offset), va=va)
                note.xy = (share, y)
                box = note.get_window_extent(self.renderer)
                places.append((self._clashes(box), share, va, offset, box))
        _, share, va, offset, box = min(places, key=lambda place: place[0])
        note.set(position=(0, offset), va=va)
        note.xy = (share, y)
        height = self.ax.transData.transform((1, y))[1]
        line = Bbox([(self.frame.x0, height - 1), (self.frame.x1, height + 1)])
        self.taken.append(line)
        self.texts.append(box)

    def beside(self, x: float, y: float, text: str, colour: str) -> None:
        """Write beside a point."""
        note = self.ax.annotate(
            text,
            (x, y),
            xytext=(0, 0),
            textcoords="offset points",
            color=ink(colour),
            fontsize=10,
            ha="center",
            va="center",
            path_effects=[_HALO],
        )
        extent = note.get_window_extent(self.renderer)
        size, centre = np.array([extent.width, extent.height]), self.ax.transData.transform((x, y))
        best = None
        for gap in _GAPS:
            for side in _SIDES:
                middle = centre + side * (size / 2 + self.radius + gap * self.scale)
                box = Bbox([middle - size / 2, middle + size / 2])
                leader = Path([np.clip(centre, box.min, box.max), centre])
                clashes = self._clashes(box)
                if gap > 10:
                    clashes += sum(leader.intersects_bbox(other) for other in self.texts)
                if best is None or clashes < best[0]:
                    best = (clashes, gap, (middle - centre) / self.scale, box, leader)
            if best[0] == 0:
                break
        _, gap, offset, box, leader = best
        note.set_position(offset)
        if gap > 10:
            ends = self.ax.transData.inverted().transform(leader.vertices)
            self.ax.plot(*ends.T, color=ink(colour), linewidth=0.7, zorder=1.5)
            self.strokes.append(leader)
        self.texts.append(box)
