"""What a report shows of a run, as far as it can be read."""

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np

from orc_keras import run_files
from orc_keras.benchmark import table
from orc_keras.callbacks.role_history import UNKNOWN_TEACHER
from orc_keras.runs.directory import RunDirectory
from orc_keras.runs.predictions import Predictions
from orc_keras.settings import Settings


@dataclasses.dataclass
class RunContents:
    """The contents of a run's directory; what is missing or damaged is empty or None."""

    path: Path
    name: str  # of the directory
    settings: Settings
    members: list[str]  # the pivot first, *the* student last
    summary: dict[str, Any] | None
    data: dict[str, Any]  # the description of the images
    history: dict[str, list[float]]  # each metric's values by epoch, by name
    roles: np.ndarray | None  # the teachers of each mini-batch, `[mini_batches, k]`
    predictions: dict[str, Predictions]  # of each member
    examples: dict[int, np.ndarray]  # images that the student misclassified, by position
    benchmark: dict[str, Any] | None
    problems: list[str]  # sentences about what is missing or damaged

    @property
    def students(self) -> list[str]:
        return self.members[1:]

    @property
    def student(self) -> str:
        return self.members[-1]

    @property
    def class_names(self) -> list[str]:
        return self.data.get("class_names", [])

    @property
    def epochs(self) -> np.ndarray:
        """The numbers of the finished epochs, from 1."""
        return np.arange(1, len(self.history.get("epoch", [])) + 1)

    @property
    def steps_per_epoch(self) -> int:
        return max(self.data["train_images"] // self.settings.batch_size, 1)

    @property
    def taught(self) -> np.ma.MaskedArray | None:
        """Whether each student taught in each known mini-batch, `[students, mini_batches]`."""
        if self.roles is None or not self.data:
            return None
        taught = [(self.roles == i).any(axis=1) for i in range(len(self.students))]
        is_unknown = (self.roles == UNKNOWN_TEACHER).any(axis=1)
        return np.ma.array(taught, float, mask=[is_unknown] * len(taught))

    def phases(self) -> list[tuple[int, int, float]]:
        """Returns (first epoch, last epoch, learning rate) for each learning rate in turn."""
        rates = np.array(self.history.get("learning_rate", []))
        starts = np.flatnonzero(np.diff(rates, prepend=np.nan) != 0)
        ends = [*starts[1:], len(rates)]
        return [(s + 1, int(e), float(rates[s])) for s, e in zip(starts.tolist(), ends)]


def read(path: str | Path) -> RunContents:
    """Reads a run, finished or not.

    Args:
        path: of its directory, in which any file except the settings may be missing or damaged.

    Raises:
        ValueError: if the directory is not a run's, or its settings are damaged.
    """
    directory = RunDirectory(path)
    if not directory.has(run_files.SETTINGS):
        raise ValueError(f"{path} is not the directory of a run: it has no {run_files.SETTINGS}.")
    problems: list[str] = []
    contents = functools.partial(_contents, directory, problems)
    summary = contents(run_files.SUMMARY, _summary, "has not finished")
    data = contents(run_files.DATA, lambda d: d.data, "has not loaded its images") or {}
    history = contents(run_files.HISTORY, _history, "has not finished an epoch") or {}
    changes_roles = any(name.endswith("_taught") for name in history)
    no_roles = "has no history of its roles" if changes_roles else ""
    roles = contents(run_files.ROLES, lambda d: d.roles, no_roles)
    not_evaluated = "has not been evaluated" if summary else ""
    read_evaluation = functools.partial(_evaluation, num_classes=len(data.get("class_names", [])))
    evaluation = contents(run_files.EVALUATION, read_evaluation, not_evaluated)
    return RunContents(
        path=directory.path,
        name=directory.path.resolve().name,
        settings=directory.settings,
        members=directory.members,
        summary=summary,
        data=data,
        history=history,
        roles=roles,
        predictions=evaluation.predictions if evaluation else {},
        examples=evaluation.examples if evaluation else {},
        benchmark=contents(run_files.BENCHMARK, _benchmark),
        problems=problems,
    )


def _contents(directory, problems, file, read_file, missing=""):
    """Returns the contents of a file; None if it is damaged or missing, which `problems` say."""
    name = directory.path.resolve().name
    if not directory.has(file):
        problems += [f"{name} {missing}: it has no {file}."] if missing else []
        return None
    try:
        return read_file(directory)
    except Exception:  # whatever is wrong, show the rest
        or_sums = f", or its line in {run_files.SUMS} is" * directory.has(run_files.SUMS)
        problems.append(f"{file} of {name} is damaged{or_sums}; what it holds is left out.")
        return None


def _summary(directory):
    summary = directory.summary
    if not set(directory.members) <= set(summary["members"]):
        raise ValueError("Members are missing.")
    return summary


def _history(directory):
    history = directory.history()
    columns = [f"val_{name}_{q}" for name in directory.members for q in ("loss", "accuracy")]
    if not history and not directory.is_finished:  # before the end of the first epoch
        return {}
    if not {*columns, "epoch"} <= history.keys():
        raise ValueError("Columns are missing.")
    return history


def _evaluation(directory, num_classes):
    evaluation = directory.evaluation
    for predictions in (evaluation.predictions[name] for name in directory.members):
        classes = np.concatenate([predictions.labels, predictions.predicted])
        if num_classes and classes.max() >= num_classes:
            raise ValueError("It has classes that the images have not.")
    return evaluation


def _benchmark(directory):
    benchmark = directory.benchmark
    table.text(benchmark)
    return benchmark
