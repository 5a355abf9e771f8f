"""What a report shows of a run, as far as it can be read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from orc_keras import run_files
from orc_keras.benchmark import table as costs
from orc_keras.callbacks.role_history import UNKNOWN_TEACHER
from orc_keras.runs.directory import RunDirectory
from orc_keras.runs.predictions import Evaluation

LARGEST = np.finfo(np.float32).max  # what is logged has this type
MOST_CLASSES = 10_000  # of a confusion matrix, which takes 0.8 GB then


class RunContents:
    """The contents of a run's directory; what is missing or damaged is empty or None.

    Args:
        path: of the directory, in which any file except the settings may be missing or damaged.

    Attributes:
        members: the names, the pivot first, *the* student last.
        history: each metric's values by epoch, by name.
        predictions: on the held-out images, by member.
        examples: images that the student misclassified, by position.
        files: the names of these images' files, where they have any.
        problems: sentences about what is missing or damaged.

    Raises:
        ValueError: if the settings are missing or damaged.
    """

    def __init__(self, path: str | Path):
        self.directory = directory = RunDirectory(path)
        self.name = directory.path.resolve().name
        self.settings, self.members = directory.settings, directory.members
        self.students, self.student = self.members[1:], self.members[-1]
        self.problems: list[str] = []
        self.summary = self._read(run_files.SUMMARY, self._summary)
        self.data = self._read(run_files.DATA, lambda: directory.data, expected=True) or {}
        self.history = self._read(run_files.HISTORY, self._history, expected=True) or {}
        changes_roles = any(name.endswith("_taught") for name in self.history)
        self.roles = self._read(run_files.ROLES, lambda: directory.roles, changes_roles)
        evaluation: Evaluation = self._read(
            run_files.EVALUATION, self._evaluation, self.summary is not None
        ) or Evaluation({}, {})
        self.predictions, self.examples, self.files = evaluation
        self.benchmark = self._read(run_files.BENCHMARK, self._benchmark)

    def _read(self, name: str, read: Callable, expected: bool = False) -> Any:
        """Returns what is in a file; None if it is missing or damaged, which `problems` say."""
        if not expected and not self.directory.has(name):
            return None
        try:
            return read()
        except ValueError as error:
            self.problems.append(str(error))
            return None

    def _summary(self):
        contents = self.directory.summary
        if [*contents["members"]] != self.members:
            path = self.directory / run_files.SUMMARY
            raise ValueError(f"{path} has other members than {run_files.SETTINGS}.")
        return contents

    def _evaluation(self):
        evaluation, number = self.directory.evaluation, len(self.class_names)
        for each in evaluation.predictions.values() if number else ():
            if max(each.labels.max(initial=0), each.predicted.max(initial=0)) >= number:
                path = self.directory / run_files.EVALUATION
                raise ValueError(f"{path} has more classes than {run_files.DATA}.")
        return evaluation

    def _benchmark(self):
        contents = self.directory.benchmark
        try:
            costs.text(contents)
        except Exception as error:  # a member is missing, or something costs nothing
            raise ValueError(f"{self.directory / run_files.BENCHMARK} is damaged.") from error
        return contents

    def _history(self):
        history = self.directory.history()
        columns = {f"val_{name}_{q}" for name in self.members for q in ("loss", "accuracy")}
        has_begun = history or self.directory.is_finished
        if has_begun and not {"epoch", *columns} <= history.keys():
            raise ValueError(f"{self.directory / run_files.HISTORY} is damaged.")
        values = np.abs([*history.values()])
        if (np.isfinite(values) & (values > LARGEST)).any():  # no axis is that long
            raise ValueError(f"{self.directory / run_files.HISTORY} has impossible values.")
        return history

    @property
    def class_names(self) -> list[str]:
        return self.data.get("class_names", [])

    @property
    def confusion_matrix(self) -> np.ndarray | None:
        """The student's `Predictions.confusion_matrix`, or None."""
        predictions = self.predictions.get(self.student)
        if predictions is None or not 0 < len(self.class_names) <= MOST_CLASSES:
            return None
        return predictions.confusion_matrix(len(self.class_names))

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

    def learning_rate_intervals(self) -> list[tuple[int, int]]:
        """Returns the first and last epoch of each learning rate in turn.

        If it changes in most epochs, as by a cosine, all epochs are one interval.
        """
        rates = np.array(self.history.get("learning_rate", []))
        starts = np.flatnonzero(np.diff(rates, prepend=np.nan) != 0)
        starts = starts[:1] if len(starts) > 1 + len(rates) / 2 else starts
        return [(int(s) + 1, int(e)) for s, e in zip(starts, [*starts[1:], len(rates)])]
