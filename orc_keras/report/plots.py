"""The plots of a run: functions that return a figure in the current style, or None without data.

All take the run, and another one that some of them show beside it, or None.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from orc_keras.benchmark import table
from orc_keras.report import plot_style
from orc_keras.report.run_contents import RunContents

MAX_POINTS = 400  # along the time axis of the roles
THIN = {"lw": 0.8, "alpha": 0.6}
GREY = {"color": "gray", "lw": 0.8}
Before = RunContents | None


def accuracy(run: RunContents, before: Before = None) -> Figure | None:
    """Held-out accuracy of every member by epoch; thin lines: the run before."""
    return _curves(run, before, "accuracy", "held-out accuracy (%)", scale=100)


def loss(run: RunContents, before: Before = None) -> Figure | None:
    """Held-out cross-entropy of every member by epoch; thin lines: the run before."""
    figure = _curves(run, before, "loss", "held-out cross-entropy (nats)")
    if figure:
        _make_logarithmic(figure.axes[0])
    return figure


def _curves(run, before, quantity, label, scale=1):
    if not run.history:
        return None
    figure, axes = plot_style.figure()
    for i, name in enumerate(run.members):
        key = f"val_{name}_{quantity}"
        axes.plot(*_evaluated(run, key, scale), label=name, **plot_style.look(i))
        if before and key in before.history:
            axes.plot(*_evaluated(before, key, scale), **THIN, **plot_style.look(i))
    _finish_over_epochs(axes, run, label)
    return figure


def _evaluated(run, key, scale):
    """Returns the epochs with an evaluation, and their values."""
    values = scale * np.array(run.history[key])
    is_known = ~np.isnan(values)
    return run.epochs[is_known], values[is_known]


def confidence(run: RunContents, before: Before = None) -> Figure | None:
    """Each student's confidence by epoch, and the gap between most and least confident."""
    if "confidence_gap" not in run.history:
        return None
    figure, (upper, lower) = plot_style.figure(4.2, nrows=2, sharex=True, height_ratios=(3, 1.3))
    for i, name in enumerate(run.students, 1):
        values = -np.array(run.history[f"{name}_loss"])
        upper.plot(run.epochs, values, label=name, **plot_style.look(i))
    lower.plot(run.epochs, run.history["confidence_gap"], color="C4")
    lower.set_ylim(bottom=0)
    _finish_over_epochs(upper, run, "confidence (nats)")
    upper.set_xlabel("")
    lower.set(xlabel="epoch", ylabel="gap (nats)")
    _mark_phases(lower, run)
    return figure


def teachings(run: RunContents, before: Before = None) -> Figure | None:
    """The mean loss of each teaching by epoch."""
    names = [n for n in ("intensive", "private", "group") if f"{n}_teaching" in run.history]
    if not names:
        return None
    figure, axes = plot_style.figure()
    for i, name in enumerate(names):
        axes.plot(run.epochs, run.history[f"{name}_teaching"], label=name, **plot_style.look(i))
    _make_logarithmic(axes)
    _finish_over_epochs(axes, run, "loss of the teaching (nats)", columns=3)
    return figure


def roles(run: RunContents, before: Before = None) -> Figure | None:
    """Each student's share of mini-batches taught over time, smoothed, and below it unsmoothed."""
    taught = run.taught
    if run.roles is None or taught is None or taught.mask.all():
        return None
    figure, (upper, lower) = plot_style.figure(
        3.9, nrows=2, sharex=True, height_ratios=(3, 0.35 * len(taught))
    )
    steps = taught.shape[1]
    times = np.linspace(0, steps - 1, min(steps, MAX_POINTS)).astype(int)
    epochs = (times + 1) / run.steps_per_epoch
    window = max(steps // 25, min(steps, 20))
    shares = [100 * _smooth(each, window)[times] for each in taught]
    colours = [plot_style.look(i)["color"] for i in range(1, len(run.members))]
    upper.stackplot(epochs, shares, labels=run.students, colors=colours, alpha=0.85)
    most = 100 * run.roles.shape[1]
    upper.set(ylabel="share taught (%)", ylim=(0, most), xlim=(0, epochs[-1]))
    plot_style.legend_above(upper)
    _mark_phases(upper, run)
    parts = np.array_split(taught.filled(0), len(times), axis=1)
    opacity = np.stack([part.mean(axis=1) for part in parts], axis=1)
    lower.imshow(
        np.indices(opacity.shape)[0], ListedColormap(colours), alpha=opacity, aspect="auto",
        interpolation="nearest", extent=(0, epochs[-1], len(taught) - 0.5, -0.5),
    )  # fmt: skip
    lower.set_yticks(range(len(taught)), [plot_style.short(name) for name in run.students])
    lower.set_xlabel("epoch")
    lower.grid(visible=False)
    return figure


def _smooth(values, window):
    """Returns the mean of the known values in a window around each value, NaN if there is none."""
    ones = np.ones(window)
    sums = np.convolve(values.filled(0), ones, mode="same")
    counts = np.convolve(~values.mask, ones, mode="same")
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def calibration(run: RunContents, before: Before = None) -> Figure | None:
    """The reliability diagram of the student, and that of the run before."""
    runs = [each for each in (run, before) if each and run.student in each.predictions]
    if not runs:
        return None
    figure, axes = plot_style.figure(height=3.6)
    axes.plot([0, 100], [0, 100], **GREY)
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


def latency(run: RunContents, before: Before = None) -> Figure | None:
    """Accuracy of each member in each format against the time for one image."""
    if not run.benchmark:
        return None
    figure, axes = plot_style.figure(height=4.2)
    rows = run.benchmark["rows"]
    members = dict.fromkeys(row["member"] for row in rows)
    colours = {name: plot_style.look(i)["color"] for i, name in enumerate(members)}
    formats = dict.fromkeys(row["format"] for row in rows)
    markers = dict(zip(formats, plot_style.MARKERS))

    def point(row):
        return table.latency(row), 100 * row["accuracy"]

    axes.plot(*zip(*map(point, table.pareto_front(rows))), **GREY, zorder=0)
    for row in rows:
        look = {"color": colours[row["member"]], "marker": markers[row["format"]]}
        axes.scatter(*point(row), 30, alpha=0.8, **look)
    for name, colour in colours.items():
        axes.scatter([], [], 30, color=colour, label=name)
    for name, marker in markers.items():
        axes.scatter([], [], 30, color="gray", marker=marker, label=name)
    axes.set(xscale="log", xlabel="milliseconds for one image", ylabel="held-out accuracy (%)")
    plot_style.plain_logarithmic(axes.xaxis)
    plot_style.legend_above(axes)
    return figure


def _make_logarithmic(axes: Axes) -> None:
    """Makes the y axis of a finished plot logarithmic, if it has a positive value."""
    values = np.concatenate([np.ravel(line.get_ydata()) for line in axes.lines])
    if np.any(np.isfinite(values) & (values > 0)):
        axes.set_yscale("log")
        plot_style.plain_logarithmic(axes.yaxis)


def _finish_over_epochs(axes, run, label, columns=2):
    if len(run.epochs) == 1:  # a line of one point cannot be seen
        for line in axes.lines:
            line.set_marker("o")
    axes.set(xlabel="epoch", ylabel=label)
    axes.xaxis.get_major_locator().set_params(integer=True)
    plot_style.legend_above(axes, columns)
    _mark_phases(axes, run)


def _mark_phases(axes, run):
    """Draws vertical lines where the learning rate changed."""
    for _, last, _ in run.phases()[:-1]:
        axes.axvline(last, ls=(0, (2, 2)), **GREY)


PLOTS = {
    function.__name__: function
    for function in (latency, accuracy, loss, roles, confidence, teachings, calibration)
}
