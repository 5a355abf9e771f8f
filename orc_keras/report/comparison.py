"""A run beside another one of the same members: what changed, class by class."""

import numpy as np


def comparable(run, other):
    """Returns whether a run can be compared with another; if not, a problem of `other` says why."""
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
    """What two runs must have in common: classes, files, and classes of the held-out images."""
    what = [run.data.get(key) for key in ("class_names", "held_out_from", "source", "files")]
    return what, run.settings.dataset, next(iter(run.predictions.values())).labels.tolist()


class Comparison:
    """What the students of a group can do beside the same students in another run, "before".

    Args:
        run: the `ReportedRun` of the group.
        before: another `ReportedRun` that is comparable.

    Attributes:
        students: names of the students that both runs have.
        difficult: numbers of the quarter of the classes that these students find hardest, in both
            runs together. If they were chosen by one run alone, chance would make the other look
            better on them. The supplement's Figure 1 does not say how its classes were chosen: this
            is our reading.
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
        """Returns a student's accuracy on each class."""
        return run.predictions[student].accuracy_by_class(self._classes)

    def change(self, student, classes):
        """Returns how a student's accuracy on some classes changed.

        Returns:
            Accuracy before, accuracy after, and the standard error of their difference, which is
            that of the mean of paired differences; NaN where there is one image only.
        """
        labels = self.run.predictions[student].labels
        some = np.isin(labels, classes)
        before, after = (r.predictions[student].rank[some] == 0 for r in (self.before, self.run))
        difference = after.astype(int) - before
        spread = np.std(difference, ddof=1) if len(difference) > 1 else np.nan
        return before.mean(), after.mean(), spread / np.sqrt(len(difference))
