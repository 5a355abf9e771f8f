"""The plots of a comparison, in the current style."""

import numpy as np
from matplotlib.figure import Figure

from orc_keras.report import plot_style
from orc_keras.report.comparison import Comparison

MAX_CLASSES = 20  # in a plot
GREY = {"color": "gray", "lw": 0.8}


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
    axes.scatter([], [], 26, facecolors="none", edgecolors="gray", label="before")
    axes.scatter([], [], 26, c="gray", label="after")
    axes.set_yticks(rows, [plot_style.short(comparison.run.class_names[c]) for c in classes])
    axes.axhline(len(comparison.difficult) - 0.5, **GREY)
    axes.invert_yaxis()
    axes.set(xlabel="accuracy (%)", ylabel="class")
    plot_style.legend_above(axes)
    return figure


def difficult(comparison: Comparison) -> Figure:
    """Change of each student's accuracy on the difficult classes, and on the others."""
    figure, axes = plot_style.figure(height=1.3 + 0.45 * len(comparison.students))
    rows = np.arange(len(comparison.students))
    for i, (label, classes) in enumerate(
        (("difficult classes", comparison.difficult), ("other classes", comparison.others))
    ):
        if classes:
            changes = np.array([comparison.change(name, classes) for name in comparison.students])
            before, after, errors = 100 * changes.T
            axes.errorbar(
                after - before, rows + (i - 0.5) * 0.3, xerr=errors, fmt="os"[i], color=f"C{i}",
                capsize=3, label=label,
            )  # fmt: skip
    axes.axvline(0, **GREY)
    axes.set_yticks(rows, comparison.students)
    axes.invert_yaxis()
    axes.set_xlabel("change of accuracy (points)")
    plot_style.legend_above(axes)
    return figure
