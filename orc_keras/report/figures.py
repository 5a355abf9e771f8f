"""The figures of a report: titles, captions, plots."""

import dataclasses
import functools
from collections.abc import Callable

from orc_keras.report import plot_style, plots

# The names of the plots; there is also `classes_<student>` for each student.
PLOTS = (
    *("accuracy", "loss", "roles", "confidence", "teachings", "difficult", "calibration"),
    "latency",
)


@dataclasses.dataclass(frozen=True)
class Figure:
    """A plot of a report.

    Attributes:
        name: of its file.
        section: of the report: costs, learning, roles, classes or calibration.
        title: its heading.
        caption: what it shows and how to read it; also the image's alternative text.
        draw: draws it in the current style.
    """

    name: str
    section: str
    title: str
    caption: str
    draw: Callable


def figures(run, comparison):
    """Returns the figures that a run has data for; `comparison` may be None."""
    before = comparison and comparison.before
    every = [
        Figure(
            "latency",
            "costs",
            "Which to take",
            "Accuracy on held-out images against the time for one image on one thread, "
            "logarithmic. On the line: no other is both faster and more accurate.",
            functools.partial(plots.latency, run),
        ),
        *_of_learning(run, before),
        *_of_roles(run),
        *_of_classes(comparison),
        Figure(
            "calibration",
            "calibration",
            f"Calibration of {run.student}",
            "Of the held-out images that it is so confident about, how many it gets right. On the "
            "diagonal it is as right as it is confident; below it, it is too confident. Larger "
            "dots: more images. ECE: expected calibration error.",
            functools.partial(plots.calibration, run, before),
        ),
    ]
    with plot_style.styled("light"):
        return [figure for figure in every if figure.draw() is not None]


def _of_learning(run, before):
    thin = f" Thin lines: {before.name}." if before and before.history else ""
    epochs = " Vertical lines: the learning rate changes."
    return [
        Figure(
            "accuracy",
            "learning",
            "Accuracy",
            f"Accuracy of each member on the held-out images after each epoch.{thin}{epochs}",
            functools.partial(plots.accuracy, run, before),
        ),
        Figure(
            "loss",
            "learning",
            "Loss",
            f"Cross-entropy of each member on the held-out images, logarithmic.{thin}{epochs}",
            functools.partial(plots.loss, run, before),
        ),
    ]


def _of_roles(run):
    return [
        Figure(
            "roles",
            "roles",
            "Who taught when",
            "Above, the share of the mini-batches around each time in which a student was a "
            "temporary teacher. Below, the same without smoothing: the stronger the colour, the "
            "more of the mini-batches there it taught. Gaps: not known.",
            functools.partial(plots.roles, run),
        ),
        Figure(
            "confidence",
            "roles",
            "Confidence",
            "Above, the confidence of each student: minus its mean cross-entropy on the training "
            "images, as it is when roles are chosen. Below, the mean gap between the most and the "
            "least confident student of a mini-batch.",
            functools.partial(plots.confidence, run),
        ),
        Figure(
            "teachings",
            "roles",
            "The three teachings",
            "Mean loss of the pivot (intensive), of the temporary teachers (private) and of the "
            "other students (group) in each epoch, logarithmic.",
            functools.partial(plots.teachings, run),
        ),
    ]


def _of_classes(comparison):
    if not comparison:
        return []
    number = min(len(comparison.hardest_first), plots.MOST_CLASSES)
    which = "" if number == len(comparison.hardest_first) else f"The {number} hardest classes. "
    return [
        Figure(
            "difficult",
            "classes",
            "Difficult classes",
            f"Change of accuracy from {comparison.before.name} to {comparison.run.name}, with one "
            "standard error to each side.",
            functools.partial(plots.difficult, comparison),
        ),
        *(
            Figure(
                f"classes_{name}",
                "classes",
                name,
                f"{which}Accuracy of {name} on each class in {comparison.before.name} (hollow) and "
                f"in {comparison.run.name} (filled); blue where it rose. Above the line: the "
                "difficult classes.",
                functools.partial(plots.by_class, comparison, name),
            )
            for name in comparison.students
        ),
    ]
