"""The results of a comparison: the figures of every member of every finished run."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from orc_keras.compare.plan import PlannedRun
from orc_keras.files import atomic_write
from orc_keras.groups.network_group import PIVOT
from orc_keras.runs import RunDirectory, finished_run

Curve = tuple[np.ndarray, np.ndarray]


class MemberResult(NamedTuple):
    """The figures of a member of a finished run, a row of `runs.csv`.

    Attributes:
        name: of the method or variant.
        seed: of the run.
        member: its name; the last member of a run is *the* student.
        role: in the group.
        parameters: the number of trainable ones.
        accuracy: on the held-out images, from 0 to 1.
        taught: the share of mini-batches in which it was a temporary teacher, or NaN.
        minutes: the run's training and evaluations, with the pivot's training beforehand, unless
            `--pivot_weights` names its weights; NaN if unknown.
    """

    name: str
    seed: int
    member: str
    role: str
    parameters: int
    accuracy: float
    taught: float
    minutes: float


def member_results(runs: Iterable[PlannedRun]) -> list[MemberResult]:
    """Returns the results of those runs that have finished."""
    return [result for run in runs if run.is_finished for result in _of_run(run)]


def _of_run(run: PlannedRun) -> Iterator[MemberResult]:
    summary = finished_run(run.directory.path).summary
    seconds = summary["seconds"]
    if run.pivot:
        trained = RunDirectory(run.pivot.parents[1])
        stages = trained.summary.get("seconds_of_stages", {}) if trained.is_finished else {}
        seconds += stages.get(PIVOT, np.nan)  # that run may have failed later
    minutes = round(seconds / 60, 2)
    for name, member in summary["members"].items():
        taught = np.nan if member["taught"] is None else member["taught"]
        figures = (member["role"], member["parameters"], member["accuracy"], taught, minutes)
        yield MemberResult(run.name, run.settings.seed, name, *figures)


def write(results: Iterable[MemberResult], path: Path) -> None:
    """Writes results as CSV."""
    with atomic_write(path) as unfinished, open(unfinished, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([MemberResult._fields, *results])


def read(path: str | Path) -> list[MemberResult]:
    """Returns the results that a CSV file holds.

    Raises:
        ValueError: if it holds something else.
    """
    types = MemberResult.__annotations__.items()
    try:
        with open(path, newline="") as file:
            rows = csv.DictReader(file)
            return [MemberResult(**{name: kind(row[name]) for name, kind in types}) for row in rows]
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise ValueError(f"{path} is not the runs.csv of a comparison.") from error


class Results:
    """The results of a comparison, by method and variant.

    Args:
        results: of all members, not empty.
        member: the member that is compared; empty: *the* student, the last of each method.

    Attributes:
        names: the methods and variants, in order.
    """

    def __init__(self, results: Sequence[MemberResult], member: str = ""):
        self.names = list(dict.fromkeys(each.name for each in results))
        self._member = member
        self._by_name = {n: [each for each in results if each.name == n] for n in self.names}

    def parameters(self, name: str) -> dict[str, int]:
        """Returns the number of parameters by member, the pivot first."""
        return {each.member: each.parameters for each in self._by_name[name]}

    def accuracies(self, name: str, member: str = "") -> dict[int, float]:
        """Returns the held-out accuracy of a member, by default the compared one, by seed."""
        member = member or self._member or list(self.parameters(name))[-1]
        return {each.seed: each.accuracy for each in self._by_name[name] if each.member == member}

    def minutes(self, name: str) -> float:
        """Returns the minutes that training took, the mean over the seeds, or NaN."""
        known = [each.minutes for each in self._by_name[name] if not np.isnan(each.minutes)]
        return float(np.mean(known)) if known else np.nan

    def differences(self, name: str, reference: str) -> list[float]:
        """Returns the differences of the accuracies, of the seeds that both have."""
        ours, theirs = self.accuracies(name), self.accuracies(reference)
        return [ours[seed] - theirs[seed] for seed in ours if seed in theirs]


def learning_curves(runs: Iterable[PlannedRun]) -> dict[str, Curve]:
    """Returns the student's accuracy over its training, by method, of the finished runs.

    Returns:
        Steps, `[evaluations]`, and held-out accuracy, `[seeds, evaluations]`, by name, up to the
        epoch at which the first seed stopped early.
    """
    finished = [run for run in runs if run.is_finished]
    names = dict.fromkeys(run.name for run in finished)
    return {n: _curve([run.directory for run in finished if run.name == n]) for n in names}


def _curve(runs: Sequence[RunDirectory]) -> Curve:
    summary = runs[0].summary
    by_epoch = zip(*(run.history()["val_accuracy"] for run in runs))
    accuracy = np.transpose([*by_epoch])
    steps_per_epoch = summary["data"]["train_images"] // summary["settings"]["batch_size"]
    steps = steps_per_epoch * np.arange(1, accuracy.shape[1] + 1)
    evaluated = ~np.isnan(accuracy).any(axis=0)
    return steps[evaluated], accuracy[:, evaluated]
