"""The plots of a report: functions of a `ReportedRun` that return a figure, or None without data.

Each draws in the current plot_style.
"""

import numpy as np

from orc_keras.benchmark import table
from orc_keras.callbacks.role_history import UNKNOWN_TEACHER
from orc_keras.report import plot_style

MOST_CLASSES = 20  # in a plot
MOST_POINTS = 400  # along the time axis of the roles


def accuracy(run, before=None):
    """Held-out accuracy of every member by epoch; thin lines: the run before."""
    return _curves(run, before, "accuracy", "held-out accuracy (%)", scale=100)


def loss(run, before=None):
    """Held-out cross-entropy of every member by epoch; thin lines: the run before."""
    drawn = _curves(run, before, "loss", "held-out cross-entropy (nats)")
    if drawn:
        plot_style.logarithmic(drawn.axes[0])
    return drawn


def _curves(run, before, quantity, label, scale=1):
    if not run.history:
        return None
    drawn, axes = plot_style.figure()
    for i, name in enumerate(run.members):
        key = f"val_{name}_{quantity}"
        axes.plot(*_evaluated(run, key, scale), label=name, **plot_style.look(i))
        if before and key in before.history:
            axes.plot(*_evaluated(before, key, scale), lw=0.8, alpha=0.6, **plot_style.look(i))
    _finish_over_epochs(axes, run, label)
    return drawn


def _evaluated(run, key, scale):
    """Returns the epochs with an evaluation, and their values."""
    values = scale * np.array(run.history[key])
    known = ~np.isnan(values)
    return np.array(run.epochs)[known], values[known]


def confidence(run):
    """Each student's confidence by epoch, and the gap between most and least confident."""
    if "confidence_gap" not in run.history:
        return None
    drawn, upper, lower = plot_style.two_panels(4.2, (3, 1.3))
    for i, name in enumerate(run.students, 1):
        upper.plot(
            run.epochs, -np.array(run.history[f"{name}_loss"]), label=name, **plot_style.look(i)
        )
    lower.plot(run.epochs, run.history["confidence_gap"], color=plot_style.COLOURS[4])
    lower.set_ylim(bottom=0)
    _finish_over_epochs(upper, run, "confidence (nats)")
    upper.set_xlabel("")
    lower.set(xlabel="epoch", ylabel="gap (nats)")
    _mark_phases(lower, run)
    return drawn


def teachings(run):
    """The mean loss of each teaching by epoch."""
    names = [n for n in ("intensive", "private", "group") if f"{n}_teaching" in run.history]
    if not names:
        return None
    drawn, axes = plot_style.figure()
    for i, name in enumerate(names):
        axes.plot(run.epochs, run.history[f"{name}_teaching"], label=name, **plot_style.look(i))
    plot_style.logarithmic(axes)
    _finish_over_epochs(axes, run, "loss of the teaching (nats)", columns=3)
    return drawn


def roles(run):
    """Who taught when: each student's smoothed share, and below it the unsmoothed one."""
    if run.roles is None or not len(run.roles) or not run.data:
        return None
    drawn, upper, lower = plot_style.two_panels(3.9, (3, 0.35 * len(run.students)))
    taught = _taught(run)
    window = max(len(run.roles) // 25, min(len(run.roles), 20))
    times = np.linspace(0, len(run.roles) - 1, min(len(run.roles), MOST_POINTS)).astype(int)
    epochs = (times + 1) / run.mini_batches_per_epoch()
    shares = [100 * _smooth(each, window)[times] for each in taught]
    if np.isnan(shares).all():
        return None
    colours = [plot_style.look(i)["color"] for i in range(1, len(run.members))]
    upper.stackplot(epochs, shares, labels=run.students, colors=colours, alpha=0.85)
    upper.set(ylabel="share taught (%)", ylim=(0, 100 * run.roles.shape[1]), xlim=(0, epochs[-1]))
    plot_style.legend_above(upper)
    _mark_phases(upper, run)
    lower.imshow(
        _raster(taught, colours), aspect="auto", interpolation="nearest",
        extent=(0, epochs[-1], len(taught) - 0.5, -0.5),
    )  # fmt: skip
    lower.set_yticks(range(len(taught)), [plot_style.short(name) for name in run.students])
    lower.set_xlabel("epoch")
    lower.grid(visible=False)
    return drawn


def _taught(run):
    """Whether each student taught in each mini-batch, or NaN: floats `[N, mini_batches]`."""
    unknown = (run.roles == UNKNOWN_TEACHER).any(axis=1)
    taught = np.stack([(run.roles == i).any(axis=1) for i in range(len(run.students))])
    return np.where(unknown, np.nan, taught.astype(float))


def _smooth(values, window):
    """Returns the mean of the known values in a window around each value."""
    known = ~np.isnan(values)
    sums, counts = (
        np.convolve(x, np.ones(window), mode="same") for x in (np.where(known, values, 0), known)
    )
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _raster(taught, colours):
    """Returns each student's row of RGBA colours; the share of mini-batches is the opacity."""
    parts = np.array_split(taught, min(taught.shape[1], MOST_POINTS), axis=1)
    shares = np.stack([np.nan_to_num(part).mean(axis=1) for part in parts], axis=1)
    rgb = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in colours])
    colour = np.broadcast_to(rgb[:, None], (*shares.shape, 3))
    return np.concatenate([colour, shares[..., None]], axis=-1)


def calibration(run, before=None):
    """The reliability diagram of the student, and that of the run before."""
    runs = [r for r in (run, before) if r and run.student in r.predictions]
    if not runs:
        return None
    drawn, axes = plot_style.figure(height=3.6)
    axes.plot([0, 100], [0, 100], color="gray", lw=0.8)
    for i, each in enumerate(runs):
        predictions = each.predictions[run.student]
        images, confidences, hits = predictions.reliability()
        some = images > 0
        label = f"in {plot_style.short(each.name)}: ECE {predictions.calibration_error():.1%}"
        style_of = {
            "color": plot_style.COLOURS[i],
            "linestyle": plot_style.LINES[i],
            "label": label,
        }
        axes.plot(100 * confidences[some], 100 * hits[some], **style_of)
        sizes = 10 + 90 * images[some] / images.max()
        axes.scatter(100 * confidences[some], 100 * hits[some], sizes, color=plot_style.COLOURS[i])
    axes.set(xlabel="confidence (%)", ylabel="accuracy (%)", xlim=(0, 102), ylim=(0, 102))
    plot_style.legend_above(axes, columns=1)
    return drawn


def by_class(comparison, student):
    """A student's accuracy on each class before (hollow) and after; hardest classes on top."""
    names = comparison.run.class_names
    classes = comparison.hardest_first[:MOST_CLASSES]
    before, after = (
        100 * comparison.by_class(run, student)[classes]
        for run in (comparison.before, comparison.run)
    )
    drawn, axes = plot_style.figure(height=1.2 + 0.2 * len(classes))
    rows = np.arange(len(classes))
    better = after >= before
    colours = np.where(better, plot_style.COLOURS[0], plot_style.COLOURS[4])
    axes.hlines(rows, before, after, colors=colours, lw=2.5, alpha=0.6)
    axes.scatter(before, rows, 26, facecolors="none", edgecolors=colours)
    axes.scatter(after, rows, 26, c=colours)
    axes.scatter([], [], 26, facecolors="none", edgecolors="gray", label="before")
    axes.scatter([], [], 26, c="gray", label="after")
    axes.set_yticks(rows, [plot_style.short(names[c]) for c in classes])
    axes.axhline(len(comparison.difficult) - 0.5, color="gray", lw=0.8)
    axes.invert_yaxis()
    axes.set(xlabel="accuracy (%)", ylabel="class")
    plot_style.legend_above(axes)
    return drawn


def difficult(comparison):
    """Change of each student's accuracy on the difficult classes, and on the others."""
    drawn, axes = plot_style.figure(height=1.3 + 0.45 * len(comparison.students))
    others = comparison.hardest_first[len(comparison.difficult) :]
    parts = (("difficult classes", comparison.difficult), ("other classes", others))
    for i, (label, classes) in enumerate(part for part in parts if part[1]):
        changes = [comparison.change(name, classes) for name in comparison.students]
        gains = [100 * (after - before) for before, after, _ in changes]
        errors = [100 * error for *_, error in changes]
        rows = np.arange(len(gains)) + (i - 0.5) * 0.3
        axes.errorbar(
            gains,
            rows,
            xerr=errors,
            fmt="os"[i],
            color=plot_style.COLOURS[i],
            capsize=3,
            label=label,
        )
    axes.axvline(0, color="gray", lw=0.8)
    axes.set_yticks(range(len(comparison.students)), comparison.students)
    axes.invert_yaxis()
    axes.set_xlabel("change of accuracy (points)")
    plot_style.legend_above(axes)
    return drawn


def latency(run):
    """Accuracy of each member in each format against the time for one image."""
    if not run.benchmark:
        return None
    drawn, axes = plot_style.figure(height=4.2)
    rows = run.benchmark["rows"]
    formats = list(dict.fromkeys(row["format"] for row in rows))
    members = list(dict.fromkeys(row["member"] for row in rows))

    def place(row):
        return row["one_thread"]["median"], 100 * row["accuracy"]

    best = [place(row) for row in table.pareto_front(run.benchmark["rows"])]
    axes.plot(*zip(*best), color="gray", lw=0.8, zorder=0)
    for row in rows:
        colour = plot_style.COLOURS[members.index(row["member"]) % len(plot_style.COLOURS)]
        marker = plot_style.MARKERS[formats.index(row["format"])]
        axes.scatter(*place(row), 30, color=colour, marker=marker, alpha=0.8)
    for i, name in enumerate(members):
        axes.scatter([], [], 30, color=plot_style.COLOURS[i % len(plot_style.COLOURS)], label=name)
    for marker, name in zip(plot_style.MARKERS, formats):
        axes.scatter([], [], 30, color="gray", marker=marker, label=name)
    axes.set(xscale="log", xlabel="milliseconds for one image", ylabel="held-out accuracy (%)")
    plot_style.plain_logarithmic(axes.xaxis, (1, 2, 5), "{x:g}")
    plot_style.legend_above(axes)
    return drawn


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
        axes.axvline(last, color="gray", lw=0.8, ls=(0, (2, 2)))
