"""The style of a report's plots: small, for phones, with colours safe for the colour-blind."""

import base64
import contextlib
import io
import warnings
from collections.abc import Iterator
from typing import Any

import cycler
import matplotlib.style
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

# Okabe and Ito's palette for colour-blind readers, with grey in place of its black and yellow.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#808080")
MARKERS = "osD^vP*X"
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))
WIDTH, HEIGHT = 4.6, 3.1  # inches; text of 9 points stays readable on a phone
MODES = {"light": "default", "dark": "dark_background"}  # matplotlib's styles
STYLE: dict[Any, Any] = {
    "axes.prop_cycle": cycler.cycler(color=COLOURS),  # so that "C2" is the third
    "legend.framealpha": 0.8,
    "font.size": 9,
    "text.parse_math": False,  # a class may be called $5
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "gray",
    "grid.alpha": 0.25,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "orc-keras",  # the same plot gives the same file
}


@contextlib.contextmanager
def styled(mode: str) -> Iterator[None]:
    """A context in which matplotlib draws in a mode, `light` or `dark`."""
    with (
        matplotlib.style.context([MODES[mode], STYLE | {"font.family": _fonts()}]),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def _fonts() -> list[str]:
    """Returns DejaVu Sans, and installed fonts for scripts that it lacks."""
    installed = sorted(set(font_manager.get_font_names()))
    return ["DejaVu Sans", *[name for name in installed if name.startswith("Noto Sans ")][:20]]


def figure(height: float = HEIGHT, **subplots: Any) -> tuple[Figure, Any]:
    """Returns a figure and its axes, those of `Figure.subplots(**subplots)`."""
    drawing = Figure(figsize=(WIDTH, height), layout="constrained")
    return drawing, drawing.subplots(**subplots)


def look(position: int) -> dict[str, Any]:
    """Returns the colour and the line style of the member at a position of the group."""
    return {"color": COLOURS[position % len(COLOURS)], "linestyle": LINES[position % len(LINES)]}


def plain_logarithmic(axis: Axis, text: str = "{x:g}") -> None:
    """Gives a logarithmic axis ticks with plain numbers such as 0.2."""
    low, high = axis.get_view_interval()
    multiples = (1, 2, 5) if high > 10 * low else (1, 1.5, 2, 3, 4, 6, 8)
    axis.set_major_locator(LogLocator(subs=multiples))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(text)


def legend_above(axes: Axes, columns: int = 2) -> None:
    """Puts the legend above the axes, where it hides nothing."""
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, frameon=False)


def data_uri(drawing: Figure) -> str:
    """Returns a figure as a `data:` URI with an SVG, whose background is the page's."""
    file = io.BytesIO()
    drawing.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(file.getvalue()).decode()}"


def short(name: str, most: int = 18) -> str:
    """Returns a name, shortened to fit beside a plot."""
    return name if len(name) <= most else f"{name[: most - 1]}…"
