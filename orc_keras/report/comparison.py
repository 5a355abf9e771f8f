"""Comparison of a run with another one of the same members, class by class."""

import numpy as np


def comparable(run, other):
    """Returns whether two runs can be compared; if not, adds the reason to `other.problems`."""
    reason = _reason_against(run, other)
    if reason:
        other.problems.append(f"{other.name} is not compared: {reason}.")
    return not reason


def _reason_against(run, other):
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
    what = [run.data.get(key) for key in ("class_names", "held_out_from", "source", "files")]
    return what, run.settings.dataset, next(iter(run.predictions.values())).labels.tolist()


class Comparison:
    """The accuracy of a group's students against the same students in another run, "before".

    Args:
        run: the `ReportedRun` of the group.
        before: another `ReportedRun` that is comparable.

    Attributes:
        students: the students that both runs have.
        hardest_first: the classes with held-out images, those of lowest mean accuracy first.
        difficult: the hardest quarter of the classes, by the accuracy of these students in both
            runs. Chosen by one run alone, chance would favour the other. The supplement's Figure 1
            does not state its choice: this is our reading.
    """

    def __init__(self, run, before):
        self.run, self.before = run, before
        self.students = [name for name in run.students if name in before.predictions]
        self._classes = len(run.class_names)
        accuracy = np.mean([self.by_class(r, s) for r in (run, before) for s in self.students], 0)
        known = np.flatnonzero(~np.isnan(accuracy))  # classes with held-out images
        hardest_first = known[np.argsort(accuracy[known], kind="stable")]
        self.hardest_first = hardest_first.tolist()
        self.difficult = self.hardest_first[: max(1, round(len(known) / 4))]

    def by_class(self, run, student):
        """Returns a student's accuracy on each class in a run."""
        return run.predictions[student].accuracy_by_class(self._classes)

    def change(self, student, classes):
        """Returns the change of a student's accuracy on some classes.

        Returns:
            Accuracy before, accuracy after, and the standard error of their difference, from paired
            differences; NaN for a single image.
        """
        labels = self.run.predictions[student].labels
        some = np.isin(labels, classes)
        before, after = (r.predictions[student].rank[some] == 0 for r in (self.before, self.run))
        difference = after.astype(int) - before
        spread = np.std(difference, ddof=1) if len(difference) > 1 else np.nan
        return before.mean(), after.mean(), spread / np.sqrt(len(difference))
