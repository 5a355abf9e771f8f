"""Comparison of a run with another one of the same members, class by class."""

from collections.abc import Sequence

import numpy as np

from orc_keras.report.run_contents import RunContents


def reason_against(run: RunContents, other: RunContents) -> str:
    """Returns why two runs cannot be compared; empty if they can."""
    if other.path.resolve() == run.path.resolve():
        return "it is the same run"
    for each in (run, other):
        if not each.predictions or not each.data:
            return f"{each.name} has no evaluation.npz or no data.json"
    if _images(run) != _images(other):
        return f"it was evaluated on other images or classes than {run.name}"
    if not set(run.members) & set(other.members):
        return f"it has no member that {run.name} has"
    return ""


def _images(run):
    """Returns what two runs must share: the classes, the files and the held-out labels."""
    keys = ("class_names", "held_out_from", "source", "files")
    labels = next(iter(run.predictions.values())).labels.tolist()
    return [run.data.get(key) for key in keys], run.settings.dataset, labels


class Comparison:
    """The accuracy of a group's students against the same students in another run, "before".

    Args:
        run: of the group.
        before: another run that is comparable.

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
        """Returns the change of a student's accuracy on some classes.

        Returns:
            Accuracy before, accuracy after, and the standard error of their difference, from paired
            differences; NaN for a single image.
        """
        is_chosen = np.isin(self.run.predictions[student].labels, classes)
        before, after = (
            r.predictions[student].rank[is_chosen] == 0 for r in (self.before, self.run)
        )
        difference = after.astype(int) - before
        deviation = np.std(difference, ddof=1) if len(difference) > 1 else np.nan
        return before.mean(), after.mean(), deviation / np.sqrt(len(difference))
