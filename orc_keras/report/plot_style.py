"""The style of a report's plots: small, for phones, with colours safe for the colour-blind."""

import base64
import contextlib
import io
import warnings

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

# Okabe and Ito's palette for colour-blind readers, with grey in place of its black and yellow.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#808080")
MARKERS = "osD^vP*X"
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))
SIZE = (4.6, 3.1)  # inches; text of 9 points stays readable on a phone
MODES = {"light": ("#1b1b1b", "#ffffff"), "dark": ("#dddddd", "#16181c")}  # ink, paper


@contextlib.contextmanager
def styled(mode):
    """A context in which matplotlib draws in a mode, `light` or `dark`."""
    ink, paper = MODES[mode]
    coloured = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    settings = {
        **dict.fromkeys(coloured, ink),
        **dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), paper),
        "legend.facecolor": paper,
        "legend.framealpha": 0.8,
        "font.size": 9,
        "font.family": _fonts(),
        "text.parse_math": False,  # a class may be called $5
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": ink,
        "grid.alpha": 0.15,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "svg.hashsalt": "orc-keras",  # the same plot gives the same file
    }
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def _fonts():
    """Returns DejaVu Sans, and installed fonts for scripts that it lacks."""
    there = set(font_manager.get_font_names())
    others = [name for name in sorted(there) if name.startswith(("Noto Sans CJK", "Noto Sans "))]
    return ["DejaVu Sans", *others[:20]]


def figure(height=SIZE[1]):
    """Returns a figure and its only axes."""
    drawn = Figure(figsize=(SIZE[0], height), layout="constrained")
    return drawn, drawn.add_subplot()


def two_panels(height, ratios):
    """Returns a figure and its two axes, one above the other, with a shared x axis."""
    drawn = Figure(figsize=(SIZE[0], height), layout="constrained")
    return drawn, *drawn.subplots(2, 1, sharex=True, height_ratios=ratios)


def look(position):
    """Returns the colour and the line style of the member at a position of the group."""
    around = position // len(COLOURS)  # the eighth member: first colour, next line
    return {
        "color": COLOURS[position % len(COLOURS)],
        "linestyle": LINES[(position + around) % len(LINES)],
    }


def logarithmic(axes):
    """Makes the y axis of a finished plot logarithmic, with plain numbers such as 0.2."""
    values = np.concatenate([np.ravel(line.get_ydata()) for line in axes.lines])
    if not np.any(np.isfinite(values) & (values > 0)):
        return
    axes.set_yscale("log")
    lowest, highest = axes.get_ylim()
    some = (1, 2, 5) if highest > 10 * lowest else (1, 1.5, 2, 3, 4, 6, 8)
    plain_logarithmic(axes.yaxis, some, "{x:g}")


def plain_logarithmic(axis, multiples, text="{x:,.0f}"):
    """Gives a logarithmic axis ticks at multiples of powers of ten, with plain numbers."""
    axis.set_major_locator(LogLocator(subs=multiples))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(text)


def legend_above(axes, columns=2):
    """Puts the legend above the axes, where it hides nothing."""
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, frameon=False)


def as_uri(drawn):
    """Returns a figure as a `data:` URI with an SVG."""
    file = io.BytesIO()
    drawn.savefig(file, format="svg", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(file.getvalue()).decode()}"


def short(name, most=18):
    """Returns a name, shortened to fit beside a plot."""
    return name if len(name) <= most else f"{name[: most - 1]}…"
