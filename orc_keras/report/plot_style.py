"""The style of plots: small, for phones, with colours safe for the colour-blind."""

from typing import Any

import cycler
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

# Okabe and Ito's palette for colour-blind readers, with grey in place of its black and yellow.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#808080")
MARKERS = "osD^vP*X"
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))
GREY = {"color": "gray", "lw": 0.8}
WIDTH, HEIGHT = 4.6, 3.1  # inches; text of 9 points stays readable on a phone
NOTO = sorted({name for name in font_manager.get_font_names() if name.startswith("Noto Sans ")})
STYLE: list[Any] = [  # for `matplotlib.style.context`
    "default",
    {
        "axes.prop_cycle": cycler.cycler(color=COLOURS),  # so that "C2" is the third
        "font.family": ["DejaVu Sans", *NOTO[:20]],  # for scripts that the first lacks
        "font.size": 9,
        "text.parse_math": False,  # a class may be called $5
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "gray",
        "grid.alpha": 0.25,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "svg.hashsalt": "orc-keras",  # the same plot gives the same file
    },
]


def figure(height: float = HEIGHT, **subplots: Any) -> tuple[Figure, Any]:
    """Returns a figure and its axes, those of `Figure.subplots(**subplots)`."""
    drawing = Figure(figsize=(WIDTH, height), layout="constrained")
    return drawing, drawing.subplots(**subplots)


def look(position: int) -> dict[str, Any]:
    """Returns the colour and the line style of the member at a position of the group."""
    return {"color": COLOURS[position % len(COLOURS)], "linestyle": LINES[position % len(LINES)]}


def plain_logarithmic(axis: Axis, text: str = "{x:g}") -> None:
    """Gives a logarithmic axis at least three ticks, with plain numbers such as 0.2."""
    low, high = axis.get_view_interval()
    if high < 3 * low:  # where a LogLocator may find one multiple, or none
        axis.set_major_locator(MaxNLocator(5, min_n_ticks=4))
    else:
        multiples = (1, 2, 5) if high > 10 * low else (1, 1.5, 2, 3, 4, 6, 8)
        axis.set_major_locator(LogLocator(subs=multiples))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(text)


def legend_above(axes: Axes, columns: int = 2) -> None:
    """Puts the legend above the axes, where it hides nothing."""
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, frameon=False)


def short(name: str, most: int = 18) -> str:
    """Returns a name, shortened to fit beside a plot."""
    return name if len(name) <= most else f"{name[: most - 1]}…"
