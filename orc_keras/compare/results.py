"""The results of a comparison, and their statistics over the seeds."""

import numpy as np
from scipy import stats

from orc_keras.runs.directory import RunDirectory
from orc_keras.runs.record import finished

LEVEL = 0.95  # of confidence intervals


class Results:
    """The finished runs of a comparison.

    Args:
        runs: a list of `Trial`.

    Attributes:
        names: the variants that have a finished run, in order.
        unfinished: the number of unfinished runs.
    """

    def __init__(self, runs):
        there = [run for run in runs if RunDirectory(run.settings).is_finished()]
        self.unfinished = len(runs) - len(there)
        self.names = list(dict.fromkeys(run.variant for run in there))
        self._runs = {name: {} for name in self.names}
        for run in there:
            self._runs[run.variant][run.seed] = finished(run.directory)

    def seeds(self, name):
        """Returns the seeds of the finished runs of `name`."""
        return list(self._runs[name])

    def members(self, name):
        """Returns the names of the members, the pivot first."""
        return list(self._summary(name)["members"])

    def accuracies(self, name, member=None):
        """Returns the held-out accuracy of a member, *the* student by default, by seed."""
        member = member or self.members(name)[-1]
        records = self._runs[name].items()
        return {seed: run.summary["members"][member]["accuracy"] for seed, run in records}

    def difference(self, name, reference):
        """Compares the student's accuracy in two variants, over the seeds that both have.

        Returns:
            The mean of the paired differences and the ends of its 95 % confidence interval
            (Student's t), which are NaN for a single pair; None if there is no pair.
        """
        ours, theirs = self.accuracies(name), self.accuracies(reference)
        paired = [ours[seed] - theirs[seed] for seed in ours if seed in theirs]
        return mean_and_interval(paired) if paired else None

    def speed(self, name, reference):
        """Returns the student's speed relative to `reference`, the median over seeds, or NaN.

        Speed is its training images per second, without evaluation.
        """
        ours, theirs = self._rates(name), self._rates(reference)
        ratios = [ours[seed] / theirs[seed] for seed in ours if seed in theirs]
        return float(np.median(ratios)) if ratios else np.nan

    def curve(self, name):
        """Returns steps, `[epochs]`, and the student's held-out accuracy, `[seeds, epochs]`."""
        data, settings = self._summary(name)["data"], self._summary(name)["settings"]
        histories = [record.history() for record in self._runs[name].values()]
        accuracy = np.array([history["val_accuracy"] for history in histories])
        steps_per_epoch = data["train_images"] // settings["batch_size"]
        evaluated = ~np.isnan(accuracy).any(axis=0)
        steps = steps_per_epoch * np.arange(1, accuracy.shape[1] + 1)
        return steps[evaluated], accuracy[:, evaluated]

    def _summary(self, name):
        return next(iter(self._runs[name].values())).summary

    def _rates(self, name):
        key = "images_per_second_without_evaluation"
        rates = {seed: run.summary.get(key) for seed, run in self._runs[name].items()}
        return {seed: rate for seed, rate in rates.items() if rate}


def mean_and_error(values):
    """Returns the mean and its standard error, NaN for a single value."""
    values = np.asarray(list(values))
    spread = values.std(ddof=1) if len(values) > 1 else np.nan
    return float(values.mean()), float(spread / np.sqrt(len(values)))


def mean_and_interval(values):
    """Returns the mean and both ends of its confidence interval by Student's t."""
    mean, error = mean_and_error(values)
    half = error * stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) if len(values) > 1 else np.nan
    return mean, mean - half, mean + half
