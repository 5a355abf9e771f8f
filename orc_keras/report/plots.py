"""The plots of a report, in the current style of matplotlib."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from orc_keras.benchmark import table
from orc_keras.report import plot_style
from orc_keras.report.comparison import Comparison
from orc_keras.report.plot_style import GREY
from orc_keras.report.run_contents import RunContents

MAX_CLASSES = 20  # in a plot
MATRIX_CLASSES = 30  # at most, in the plot of the confusion matrix
COUNTED_CLASSES = 12  # at most, where its cells have numbers
INTERVALS = 50  # of training, in the plot of the roles


def draw(run: RunContents, comparison: Comparison | None) -> dict[str, Figure]:
    """Returns the plots that there are data for, by name."""
    before, taught = comparison.before if comparison else None, run.taught
    figures = {}
    if run.benchmark:
        figures["latency"] = latency(run.benchmark["rows"])
    if run.history:
        figures["accuracy"] = accuracy(run, before)
        figures["loss"] = loss(run, before)
    if taught is not None and not taught.mask.all():
        figures["roles"] = roles(run, taught)
    if "confidence_gap" in run.history:
        figures["confidence"] = confidence(run)
    names = [n for n in ("intensive", "private", "group") if f"{n}_teaching" in run.history]
    if names:
        figures["teachings"] = teachings(run, names)
    if run.student in run.predictions:
        figures["calibration"] = calibration(run, before)
    if run.confusion_matrix is not None and len(run.confusion_matrix) <= MATRIX_CLASSES:
        figures["confusion_matrix"] = confusion_matrix(run.confusion_matrix, run.class_names)
    if comparison:
        for student in comparison.students:
            figures[f"classes_{student}"] = by_class(comparison, student)
    return figures


def accuracy(run: RunContents, before: RunContents | None) -> Figure:
    """Held-out accuracy of every member by epoch; thin lines: the run before."""
    figure, axes = _members(run, before, "accuracy", factor=100)
    _finish(axes, run, "held-out accuracy (%)")
    return figure


def loss(run: RunContents, before: RunContents | None) -> Figure:
    """Held-out cross-entropy of every member by epoch; thin lines: the run before."""
    figure, axes = _members(run, before, "loss")
    _finish(axes, run, "held-out cross-entropy (nats)", scale="log")
    return figure


def _members(run, before, quantity, factor=1):
    figure, axes = plot_style.figure()
    for i, name in enumerate(run.members):
        key = f"val_{name}_{quantity}"
        _plot(axes, run, key, factor, label=name, **plot_style.look(i))
        if before and key in before.history:
            _plot(axes, before, key, factor, lw=0.8, alpha=0.6, **plot_style.look(i))
    plot_style.legend_above(axes)
    return figure, axes


def _plot(axes, run, key, factor=1, **look):
    """Draws a metric over the epochs that have it."""
    values = factor * np.array(run.history[key])
    known = ~np.isnan(values)
    marker = "o" if known.sum() == 1 else ""  # a line of one point cannot be seen
    axes.plot(run.epochs[known], values[known], marker=marker, **look)


def _finish(axes, run, label, scale="linear"):
    """Labels axes over epochs, and marks where the learning rate changed."""
    axes.set(xlabel="epoch", ylabel=label, yscale=scale)
    axes.label_outer()
    axes.xaxis.get_major_locator().set_params(integer=True)
    if scale == "log":
        plot_style.plain_logarithmic(axes.yaxis)
    else:
        axes.yaxis.get_major_locator().set_params(min_n_ticks=3)
    for _, last in run.learning_rate_intervals()[:-1]:
        axes.axvline(last, ls=(0, (2, 2)), **GREY)


def roles(run: RunContents, taught: np.ma.MaskedArray) -> Figure:
    """Each student's share of the mini-batches of an interval, over time.

    Args:
        run: whose roles change.
        taught: `run.taught`.
    """
    steps = taught.shape[1]
    edges = np.linspace(0, steps, min(steps, INTERVALS) + 1).astype(int)
    shares = np.ma.stack([taught[:, a:b].mean(axis=1) for a, b in zip(edges, edges[1:])], axis=1)
    tops = 100 * np.cumsum(shares.filled(np.nan), axis=0)
    figure, axes = plot_style.figure()
    for i, (name, bottom, top) in enumerate(zip(run.students, [0 * tops[0], *tops], tops), 1):
        look = {"color": plot_style.look(i)["color"], "alpha": 0.85, "label": name, "lw": 0}
        axes.stairs(top, edges / run.steps_per_epoch, baseline=bottom, fill=True, **look)
    axes.set(xlim=(0, steps / run.steps_per_epoch), ylim=(0, np.nanmax(tops)))
    plot_style.legend_above(axes)
    _finish(axes, run, "share taught (%)")
    return figure


def confidence(run: RunContents) -> Figure:
    """Each student's confidence by epoch, and the gap between most and least confident."""
    figure, (upper, lower) = plot_style.figure(4.2, nrows=2, sharex=True, height_ratios=(3, 1.3))
    for i, name in enumerate(run.students, 1):
        _plot(upper, run, f"{name}_loss", factor=-1, label=name, **plot_style.look(i))
    plot_style.legend_above(upper)
    _finish(upper, run, "confidence (nats)")
    _plot(lower, run, "confidence_gap", color="C4")
    lower.set_ylim(bottom=0)
    _finish(lower, run, "gap (nats)")
    return figure


def teachings(run: RunContents, names: Sequence[str]) -> Figure:
    """The mean loss of each teaching by epoch."""
    figure, axes = plot_style.figure()
    for i, name in enumerate(names):
        _plot(axes, run, f"{name}_teaching", label=name, **plot_style.look(i))
    plot_style.legend_above(axes, columns=3)
    _finish(axes, run, "loss of the teaching (nats)", scale="log")
    return figure


def calibration(run: RunContents, before: RunContents | None) -> Figure:
    """The reliability diagram of the student, and that of the run before."""
    figure, axes = plot_style.figure(height=3.6)
    axes.plot([0, 100], [0, 100], **GREY)
    runs = [each for each in (run, before) if each and run.student in each.predictions]
    for i, each in enumerate(runs):
        predictions = each.predictions[run.student]
        images, confidences, accuracies = predictions.reliability()
        points = 100 * confidences[images > 0], 100 * accuracies[images > 0]
        label = f"in {plot_style.short(each.name)}: ECE {predictions.calibration_error():.1%}"
        axes.plot(*points, label=label, **plot_style.look(i))
        axes.scatter(*points, 10 + 90 * images[images > 0] / images.max(), color=f"C{i}")
    axes.set(xlabel="confidence (%)", ylabel="accuracy (%)", xlim=(0, 102), ylim=(0, 102))
    plot_style.legend_above(axes, columns=1)
    return figure


def confusion_matrix(matrix: np.ndarray, class_names: Sequence[str]) -> Figure:
    """What the images of each class (row) are taken for, in shares of the row; few with numbers."""
    number = len(matrix)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure, axes = plot_style.figure(height=plot_style.WIDTH)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if number <= COUNTED_CLASSES:
        for (row, column), count in np.ndenumerate(matrix):
            colour = "white" if shares[row, column] > 0.6 else "black"
            axes.text(column, row, str(count), color=colour, ha="center", va="center", size=7)
    names = [plot_style.short(name, 14) for name in class_names]
    size = 9 if number <= COUNTED_CLASSES else 6
    axes.set_xticks(range(number), names, rotation=90, size=size)
    axes.set_yticks(range(number), names, size=size)
    axes.grid(False)
    axes.set(xlabel="taken for", ylabel="class")
    return figure


def latency(rows: list[dict[str, Any]]) -> Figure:
    """Accuracy of each member in each format against the time for one image."""
    figure, axes = plot_style.figure(height=4.2)
    front = table.pareto_front(rows)
    accuracies = [100 * row["accuracy"] for row in front]
    axes.plot(list(map(table.latency, front)), accuracies, **GREY, zorder=0)
    colours = dict(zip(dict.fromkeys(row["member"] for row in rows), plot_style.COLOURS * 9))
    markers = dict(zip(dict.fromkeys(row["format"] for row in rows), plot_style.MARKERS))
    for row in rows:
        look = {"color": colours[row["member"]], "marker": markers[row["format"]], "alpha": 0.8}
        axes.scatter(table.latency(row), 100 * row["accuracy"], 30, **look)
    for name, colour in colours.items():
        axes.scatter([], [], 30, color=colour, label=name)
    for name, marker in markers.items():
        axes.scatter([], [], 30, color="gray", marker=marker, label=name)
    axes.set(xscale="log", xlabel="milliseconds for one image", ylabel="held-out accuracy (%)")
    plot_style.plain_logarithmic(axes.xaxis)
    plot_style.legend_above(axes)
    return figure


def by_class(comparison: Comparison, student: str) -> Figure:
    """A student's accuracy on each class before (hollow) and after; hardest classes on top."""
    classes = comparison.hardest_first[:MAX_CLASSES]
    before, after = (
        100 * comparison.by_class(run, student)[classes]
        for run in (comparison.before, comparison.run)
    )
    figure, axes = plot_style.figure(height=1.2 + 0.2 * len(classes))
    rows = np.arange(len(classes))
    colours = np.where(after >= before, plot_style.COLOURS[0], plot_style.COLOURS[4])
    axes.hlines(rows, before, after, colors=colours, lw=2.5, alpha=0.6)
    axes.scatter(before, rows, 26, facecolors="none", edgecolors=colours)
    axes.scatter(after, rows, 26, c=colours)
    axes.set_yticks(rows, [plot_style.short(comparison.run.class_names[c]) for c in classes])
    axes.axhline(len(comparison.difficult) - 0.5, **GREY)
    axes.invert_yaxis()
    axes.set(xlabel="accuracy (%), before (hollow) and after", ylabel="class")
    return figure
