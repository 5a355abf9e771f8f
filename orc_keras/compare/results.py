"""The results of a comparison: the figures of every member of every finished run."""

import csv
from typing import NamedTuple

import numpy as np

from orc_keras.compare.statistics import Difference
from orc_keras.files import replacing
from orc_keras.groups.network_group import PIVOT
from orc_keras.runs import RunDirectory, continuation, finished_run


class Figures(NamedTuple):
    """The figures of a member of a finished run, a row of `runs.csv`.

    Attributes:
        name: of the method or variant.
        seed: of the run.
        member, role: its name and its role; the last member of a run is *the* student.
        parameters: the number of trainable ones.
        accuracy: on the held-out images, from 0 to 1.
        taught: the share of mini-batches in which it was a temporary teacher, or NaN.
        minutes: the run's training and evaluations, with the pivot's training beforehand, unless
            that is given by `--pivot_weights`; NaN if it is unknown.
    """

    name: str
    seed: int
    member: str
    role: str
    parameters: int
    accuracy: float
    taught: float
    minutes: float


def of_runs(runs):
    """Returns the `Figures` of the finished ones of a list of `Trial`."""
    return [figures for run in runs if _is_finished(run) for figures in _of_run(run)]


def _is_finished(run):
    return continuation.has_finished(RunDirectory(run.directory), run.settings)


def _of_run(run):
    summary = finished_run(run.directory).summary
    seconds = summary["seconds"]
    if run.pivot:  # learnt in another run, which may have failed later
        seconds += _seconds_of_pivot(RunDirectory(run.pivot.parents[1]))
    for name, member in summary["members"].items():
        yield Figures(
            run.variant,
            run.seed,
            name,
            member["role"],
            member["parameters"],
            member["accuracy"],
            np.nan if member["taught"] is None else member["taught"],
            round(seconds / 60, 2),
        )


def _seconds_of_pivot(record):
    if not record.is_finished:
        return np.nan
    return record.summary.get("seconds_of_stages", {}).get(PIVOT, np.nan)


def write(figures, path):
    """Writes a list of `Figures` as CSV."""
    with replacing(path) as unfinished, open(unfinished, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([Figures._fields, *figures])


def read(path):
    """Returns the list of `Figures` that a CSV file holds.

    Raises:
        ValueError: if it holds something else.
    """
    try:
        with open(path, newline="") as file:
            rows = csv.DictReader(file)
            types = Figures.__annotations__.items()
            return [Figures(**{name: kind(row[name]) for name, kind in types}) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not the runs.csv of a comparison.") from error


class Results:
    """The figures of a comparison, by method and variant.

    Args:
        figures: a list of `Figures`, not empty.
        member: the member that is compared; empty: *the* student, the last of each method.

    Attributes:
        names: the methods and variants, in order.
    """

    def __init__(self, figures, member=""):
        self._compared = member
        self.names = list(dict.fromkeys(each.name for each in figures))
        self._of = {name: [each for each in figures if each.name == name] for name in self.names}

    def members(self, name):
        """Returns the names of the members, the pivot first."""
        return list(dict.fromkeys(each.member for each in self._of[name]))

    def accuracies(self, name, member=None):
        """Returns the held-out accuracy of a member, by default the compared one, by seed."""
        member = member or self._compared or self.members(name)[-1]
        return {each.seed: each.accuracy for each in self._of[name] if each.member == member}

    def parameters(self, name):
        """Returns the number of parameters by member."""
        return {each.member: each.parameters for each in self._of[name]}

    def minutes(self, name):
        """Returns the minutes that training took, the mean over the seeds, or NaN."""
        known = [each.minutes for each in self._of[name] if not np.isnan(each.minutes)]
        return float(np.mean(known)) if known else np.nan

    def difference(self, name, reference):
        """Returns the `Difference` of the accuracies, or None if no seed is in both."""
        ours, theirs = self.accuracies(name), self.accuracies(reference)
        paired = [ours[seed] - theirs[seed] for seed in ours if seed in theirs]
        return Difference(name, reference, paired) if paired else None


def curves(runs):
    """Returns the student's accuracy over its training, by method, of finished `Trial`s.

    Returns:
        Steps, `[evaluations]`, and held-out accuracy, `[seeds, evaluations]`, by name.
    """
    there = [run for run in runs if _is_finished(run)]
    return {
        name: _curve([finished_run(run.directory) for run in there if run.variant == name])
        for name in dict.fromkeys(run.variant for run in there)
    }


def _curve(records):
    data, settings = records[0].summary["data"], records[0].summary["settings"]
    accuracy = np.array([record.history()["val_accuracy"] for record in records])
    steps_per_epoch = data["train_images"] // settings["batch_size"]
    steps = steps_per_epoch * np.arange(1, accuracy.shape[1] + 1)
    evaluated = ~np.isnan(accuracy).any(axis=0)
    return steps[evaluated], accuracy[:, evaluated]
