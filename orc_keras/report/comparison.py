"""Comparison of a run with another one of the same students, class by class."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

from orc_keras.report.run_contents import RunContents


def evaluation_key(run: RunContents) -> list[Any] | None:
    """Returns what comparable runs share: classes, files and labels; None if it is unknown."""
    if not run.data or not run.predictions:
        return None
    keys = ("class_names", "held_out_from", "source", "files")
    labels = run.predictions[run.student].labels.tolist()
    return [run.settings.dataset, *map(run.data.get, keys), labels]


class Comparison:
    """The accuracy of a group's students against the same students in another run, "before".

    Args:
        run: of the group.
        before: another run, evaluated on the same images.

    Attributes:
        students: the students that both runs have.
        hardest_first: the classes with held-out images, those of lowest mean accuracy first.
        difficult, others: the hardest quarter of the classes, by the accuracy of these students in
            both runs, and the rest. Chosen by one run alone, chance would favour the other. The
            supplement's Figure 1 does not state its choice: this is our reading.
    """

    def __init__(self, run: RunContents, before: RunContents):
        self.run, self.before = run, before
        self.students = [name for name in run.students if name in before.predictions]
        accuracy = np.mean([self.by_class(r, s) for r in (run, before) for s in self.students], 0)
        known = np.flatnonzero(~np.isnan(accuracy))  # classes with held-out images
        self.hardest_first = known[np.argsort(accuracy[known], kind="stable")].tolist()
        quarter = max(1, round(len(known) / 4))
        self.difficult = self.hardest_first[:quarter]
        self.others = self.hardest_first[quarter:]

    def by_class(self, run: RunContents, student: str) -> np.ndarray:
        """Returns a student's accuracy on each class in a run."""
        return run.predictions[student].accuracy_by_class(len(self.run.class_names))

    def change(self, student: str, classes: Sequence[int]) -> tuple[float, float, float]:
        """Returns accuracy before and after on some classes, and their difference's standard error.

        The differences are paired; of a single image the error is NaN.
        """
        is_chosen = np.isin(self.run.predictions[student].labels, classes)
        before, after = (
            r.predictions[student].rank[is_chosen] == 0 for r in (self.before, self.run)
        )
        return before.mean(), after.mean(), stats.sem(after.astype(int) - before)
