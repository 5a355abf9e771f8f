"""The plots of a comparison."""

import math

import numpy as np

from orc_keras.compare.results import mean_and_interval
from orc_keras.report import style
from orc_keras.runs.files import replacing


def write(results, directory):
    """Writes `accuracy.png` and `steps.png` into the `Path` directory."""
    with style.styled("light"):
        for name, draw in (("accuracy", accuracy), ("steps", steps)):
            with replacing(directory / f"{name}.png") as path:
                draw(results).savefig(path, dpi=200, format="png")


def accuracy(results):
    """The student's accuracy by method: every seed, the mean and its confidence interval."""
    drawn, axes = style.figure(height=0.9 + 0.25 * len(results.names))
    for place, name in enumerate(results.names):
        values = 100 * np.array(list(results.accuracies(name).values()))
        colour = style.COLOURS[0]
        mean, low, high = mean_and_interval(values)
        axes.plot(values, np.full(len(values), place), "o", color=colour, ms=3, alpha=0.35)
        axes.plot([low, high], [place, place], color=colour)
        axes.plot([mean], [place], "D", color=colour, ms=5)
    axes.set_yticks(range(len(results.names)), [style.short(n, 28) for n in results.names])
    axes.invert_yaxis()
    axes.set_xlabel("student's held-out accuracy (%)")
    return drawn


def steps(results):
    """The student's accuracy over its training, the mean over seeds, by method."""
    labels = [style.short(name, 28) for name in results.names]
    columns = max(1, 50 // (7 + max(map(len, labels))))  # as many as fit the plot's width
    drawn, axes = style.figure(height=3.2 + 0.19 * math.ceil(len(labels) / columns))
    for i, name in enumerate(results.names):
        taken, values = results.curve(name)
        axes.plot(taken, 100 * values.mean(axis=0), label=labels[i], **style.look(i))
        if len(taken) == 1:
            axes.lines[-1].set_marker("o")  # a line of one point cannot be seen
    axes.set(xlabel="the student's steps", ylabel="held-out accuracy (%)")
    finals = [100 * np.mean(list(results.accuracies(name).values())) for name in results.names]
    # Show where they differ: down to 3 times the largest final error. Early epochs are cut off.
    error = max(100 - min(finals), 1)
    best = max(line.get_ydata().max() for line in axes.lines)
    axes.set_ylim(max(100 - 3 * error, 0), best + error / 10)
    style.legend_above(axes, columns)
    return drawn
