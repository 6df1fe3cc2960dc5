"""Colours, sizes and units of all pictures, and how a picture is shown with its description."""

import base64
import io
import os

import matplotlib.pyplot as plt
from cycler import cycler
from IPython.display import display
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from utils.plots.legends import hidden_by_legends

# Okabe and Ito (2008), "Color Universal Design"; the yellow is left out: too pale on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#C46A9C", "#B87A00", "#2F97D6", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "<", ">", "h")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
GREY = "#595959"  # 7:1 against white
_DPI = 144  # 1.5 times the 96 that a browser assumes: sharp, and not yet heavy


def set_style() -> None:
    """Set matplotlib's defaults for the course: colours, sizes, a light grid."""
    plt.rcParams.update(
        {
            "axes.prop_cycle": cycler(color=PALETTE),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.titlelocation": "left",
            "axes.titlesize": 13,
            "axes.labelsize": 12,
            "figure.figsize": (8, 4.8),
            "figure.constrained_layout.use": True,
            "font.size": 11,
            "grid.color": "#E0E0E0",
            "legend.fontsize": 10,
            "legend.frameon": False,
            "lines.linewidth": 2,
            "xtick.labelsize": 11,
            "ytick.labelsize": 11,
        }
    )


def to_png(fig: Figure) -> bytes:
    """The figure as a PNG file, sharp on a screen; the figure stays open."""
    if not isinstance(fig, Figure):
        raise TypeError(f"expected a matplotlib Figure, got {type(fig).__name__}")
    file = io.BytesIO()
    fig.savefig(file, format="png", dpi=_DPI, facecolor="white")
    return file.getvalue()


def picture(fig: Figure, alt: str) -> tuple[dict, dict]:
    """Close a figure and return its mimebundle and metadata, as ``display(..., raw=True)`` takes.

    Parameters
    ----------
    fig : the figure
    alt : the description for those who cannot see it; also the ``text/plain`` form

    Raises
    ------
    ValueError
        If ``alt`` is empty.
    TypeError
        If ``fig`` is not a matplotlib figure.
    AssertionError
        If a legend lies over a curve and the lecture is being built (``COURSE_BUILD`` is set).
    """
    alt = checked_alt(alt)
    png = to_png(fig)
    if os.environ.get("COURSE_BUILD") and (hidden := hidden_by_legends(fig)):
        raise AssertionError(f"the legend {hidden} lies over what is drawn: put it elsewhere")
    width, height = (round(96 * inches) for inches in fig.get_size_inches())
    plt.close(fig)
    bundle = {"image/png": base64.b64encode(png).decode(), "text/plain": alt}
    return bundle, {"image/png": {"alt": alt, "width": width, "height": height}}


def checked_alt(alt: str) -> str:
    """``alt`` without space around it, or a ValueError if nothing is left."""
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError("alt is empty: say what the picture shows, for those who cannot see it")
    return alt.strip()


def show(fig: Figure, alt: str) -> None:
    """Display a figure with its description, and close it.

    Parameters
    ----------
    fig : the figure
    alt : one or two sentences that say what the picture shows, for those who cannot see it

    Raises
    ------
    ValueError
        If ``alt`` is empty.
    TypeError
        If ``fig`` is not a matplotlib figure.
    """
    bundle, metadata = picture(fig, alt)
    display(bundle, metadata=metadata, raw=True)


def human_bytes(n: float, _=None) -> str:
    """Bytes in the unit that a person would use: ``500 B``, ``1.5 kB``, ``44 MB`` (1 kB = 1000 B).

    The second argument is there for matplotlib's ``FuncFormatter`` and ignored.
    """
    for unit in ("B", "kB", "MB", "GB"):
        # 999.5 would be written as 1000 of its unit.
        if n < 999.5 or unit == "GB":
            return f"{n:.3g} {unit}"
        n /= 1000


def ink(colour: str) -> tuple[float, float, float]:
    """A darker shade for text: the palette's light colours are too pale to read on white."""
    return tuple(0.6 * part for part in to_rgb(colour))
