"""The plots of a comparison."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from orc_keras.compare.plan import PLOTS
from orc_keras.compare.results import Curve, Results
from orc_keras.compare.statistics import mean_and_interval
from orc_keras.files import atomic_write
from orc_keras.report import plot_style

ACCURACY = "held-out accuracy (%)"


def write(results: Results, curves: Mapping[str, Curve], directory: Path) -> None:
    """Writes the plots as PNG; `curves` is what `results.learning_curves` returns."""
    with matplotlib.style.context(plot_style.STYLE):
        figures = accuracy(results), minutes(results), steps(results, curves), size(results)
        for name, figure in zip(PLOTS, figures, strict=True):
            with atomic_write(directory / f"{name}.png") as path:
                figure.savefig(path, dpi=200, format="png")


def accuracy(results: Results) -> Figure:
    """The student's accuracy by method: every seed, the mean and its confidence interval."""
    figure, axes = plot_style.figure(height=0.9 + 0.25 * len(results.names))
    colour = plot_style.COLOURS[0]
    for row, name in enumerate(results.names):
        values = _percent(results, name)
        mean, errors = _mean_and_errors(values)
        axes.plot(values, np.full(len(values), row), "o", color=colour, ms=3, alpha=0.35)
        axes.errorbar([mean], [row], xerr=errors, fmt="D", color=colour, ms=5)
    axes.set_yticks(range(len(results.names)), list(map(_short, results.names)))
    axes.invert_yaxis()
    axes.set_xlabel(f"student's {ACCURACY}")
    axes.set_xlim(_within_percent(axes.get_xlim()))
    return figure


def steps(results: Results, curves: Mapping[str, Curve]) -> Figure:
    """The student's accuracy over its training, the mean over seeds, by method."""
    figure, axes = _figure(results)
    for i, name in enumerate(results.names):
        x, values = curves[name]
        marker = "o" if len(x) == 1 else ""  # a line of one point cannot be seen
        look = dict(_look(i, name), marker=marker)
        axes.plot(x, 100 * values.mean(axis=0), **look)
    axes.set_xlabel("the student's steps")
    # Show where they differ: down to 3 times the largest final error. Early epochs are cut off.
    error = max(100 - min(_percent(results, name).mean() for name in results.names), 1)
    best = 100 * max(curves[name][1].mean(axis=0).max() for name in results.names)
    axes.set_ylim(max(100 - 3 * error, 0), min(best + error / 10, 100))
    plot_style.legend_above(axes)
    return figure


def minutes(results: Results) -> Figure:
    """The student's accuracy, its mean and interval, against the time of training, by method."""
    figure, axes = _figure(results)
    for i, name in enumerate(results.names):
        mean, errors = _mean_and_errors(_percent(results, name))
        look = dict(_look(i, name), linestyle="")
        axes.errorbar([results.minutes(name)], [mean], yerr=errors, **look)
    axes.set_xlabel("minutes of training, the pivot's included")
    axes.set(xlim=(0, None), ylim=_within_percent(axes.get_ylim()))
    plot_style.legend_above(axes)
    return figure


def size(results: Results) -> Figure:
    """Each member's mean accuracy against its number of parameters, by method."""
    figure, axes = _figure(results)
    for i, name in enumerate(results.names):
        parameters = results.parameters(name)
        points = [(n, _percent(results, name, member).mean()) for member, n in parameters.items()]
        axes.plot(*zip(*sorted(points)), **_look(i, name))
    ylim = _within_percent(axes.get_ylim())
    axes.set(xlabel="trainable parameters", xscale="log", ylim=ylim)
    plot_style.plain_logarithmic(axes.xaxis, "{x:,.0f}")
    plot_style.legend_above(axes)
    return figure


def _percent(results: Results, name: str, member: str = "") -> np.ndarray:
    return 100 * np.array(list(results.accuracies(name, member).values()))


def _mean_and_errors(values: np.ndarray) -> tuple[float, np.ndarray]:
    """Returns the mean of percentages, and its interval within 0 and 100 as `errorbar` takes it."""
    mean, *ends = mean_and_interval(values)
    low, high = np.clip(ends, 0, 100)
    return mean, np.array([[mean - low], [high - mean]])


def _within_percent(limits: tuple[float, float]) -> tuple[float, float]:
    return max(limits[0], 0.0), min(limits[1], 100.0)


def _figure(results: Results) -> tuple[Figure, Axes]:
    """Returns a figure with room for a legend of two columns above it, and its axes."""
    figure, axes = plot_style.figure(height=3.2 + 0.19 * math.ceil(len(results.names) / 2))
    axes.set_ylabel(ACCURACY)
    return figure, axes


def _look(position: int, name: str) -> dict[str, Any]:
    marker = plot_style.MARKERS[position % len(plot_style.MARKERS)]
    return {"label": _short(name), "marker": marker, "ms": 4} | plot_style.look(position)


def _short(name: str) -> str:
    return plot_style.short(name, 26)
