"""The plots of a comparison."""

import math

import numpy as np

from orc_keras.compare.statistics import mean_and_interval
from orc_keras.files import replacing
from orc_keras.report import plot_style


def write(results, curves, directory):
    """Writes the plots into the `Path` directory: accuracy, steps, minutes and size, as PNG.

    Args:
        results: `Results`.
        curves: of the function `curves`.
        directory: a `Path`.
    """
    drawn = {
        "accuracy": lambda: accuracy(results),
        "steps": lambda: steps(results, curves),
        "minutes": lambda: minutes(results),
        "size": lambda: size(results),
    }
    with plot_style.styled("light"):
        for name, draw in drawn.items():
            with replacing(directory / f"{name}.png") as path:
                draw().savefig(path, dpi=200, format="png")


def accuracy(results):
    """The student's accuracy by method: every seed, the mean and its confidence interval."""
    drawn, axes = plot_style.figure(height=0.9 + 0.25 * len(results.names))
    for place, name in enumerate(results.names):
        values = _percent(results, name)
        colour = plot_style.COLOURS[0]
        mean, low, high = mean_and_interval(values)
        axes.plot(values, np.full(len(values), place), "o", color=colour, ms=3, alpha=0.35)
        axes.plot([low, high], [place, place], color=colour)
        axes.plot([mean], [place], "D", color=colour, ms=5)
    axes.set_yticks(range(len(results.names)), [plot_style.short(n, 28) for n in results.names])
    axes.invert_yaxis()
    axes.set_xlabel("student's held-out accuracy (%)")
    return drawn


def steps(results, curves):
    """The student's accuracy over its training, the mean over seeds, by method."""
    drawn, axes, legend = _with_legend(results.names)
    for i, name in enumerate(results.names):
        taken, values = curves[name]
        axes.plot(taken, 100 * values.mean(axis=0), label=_short(name), **plot_style.look(i))
        if len(taken) == 1:
            axes.lines[-1].set_marker("o")  # a line of one point cannot be seen
    axes.set(xlabel="the student's steps", ylabel="held-out accuracy (%)")
    finals = [_percent(results, name).mean() for name in results.names]
    # Show where they differ: down to 3 times the largest final error. Early epochs are cut off.
    error = max(100 - min(finals), 1)
    best = max(line.get_ydata().max() for line in axes.lines)
    axes.set_ylim(max(100 - 3 * error, 0), best + error / 10)
    legend()
    return drawn


def minutes(results):
    """The student's accuracy, its mean and interval, against the time of training, by method."""
    drawn, axes, legend = _with_legend(results.names)
    for i, name in enumerate(results.names):
        mean, low, _ = mean_and_interval(_percent(results, name))
        how = {"color": plot_style.look(i)["color"], "marker": _marker(i), "label": _short(name)}
        axes.errorbar([results.minutes(name)], [mean], yerr=[mean - low], ls="", ms=5, **how)
    axes.set(xlabel="minutes of training, the pivot's included", ylabel="held-out accuracy (%)")
    axes.set_xlim(left=0)
    legend()
    return drawn


def size(results):
    """Each member's mean accuracy against its number of parameters, by method."""
    drawn, axes, legend = _with_legend(results.names)
    for i, name in enumerate(results.names):
        parameters = results.parameters(name)
        members = sorted(parameters, key=parameters.get)
        means = [_percent(results, name, member).mean() for member in members]
        numbers = [parameters[member] for member in members]
        axes.plot(numbers, means, marker=_marker(i), ms=4, label=_short(name), **plot_style.look(i))
    axes.set(xlabel="trainable parameters", ylabel="held-out accuracy (%)", xscale="log")
    plot_style.plain_logarithmic(axes.xaxis, "{x:,.0f}")
    legend()
    return drawn


def _percent(results, name, member=None):
    return 100 * np.array(list(results.accuracies(name, member).values()))


def _with_legend(names):
    """Returns a figure with room for a legend above it, its axes, and what draws the legend."""
    columns = max(1, 50 // (7 + max(len(_short(name)) for name in names)))  # as many as fit
    drawn, axes = plot_style.figure(height=3.2 + 0.19 * math.ceil(len(names) / columns))
    return drawn, axes, lambda: plot_style.legend_above(axes, columns)


def _short(name):
    return plot_style.short(name, 28)


def _marker(position):
    return "osD^vPXp"[position % 8]  # there are seven colours: the eighth method differs in both
