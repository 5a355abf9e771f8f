"""The run that a report is about, read as far as possible."""

import json

import numpy as np

from orc_keras import run_files
from orc_keras.benchmark import table
from orc_keras.callbacks.role_history import UNKNOWN_TEACHER
from orc_keras.report import tables
from orc_keras.runs import RunDirectory
from orc_keras.runs.predictions import Evaluation


class ReportedRun:
    """A run, finished or not. Any file except the settings may be missing or damaged.

    Args:
        path: the directory.

    Attributes:
        path, name: the directory, a `Path`, and its name.
        settings: `Settings`.
        members: the names, the pivot first.
        summary: the contents of its summary, or None.
        data: the description of its images; empty if missing.
        history: each metric's values by epoch, by name; empty before the end of the first epoch.
        roles: who taught, `[mini_batches, k]`, or None.
        predictions: `Predictions` of each member by name; empty before the end of the run.
        examples: images that the student misclassified, by their position.
        benchmark: the contents of `benchmark.json`, or None.
        problems: sentences about what is missing or damaged.

    Raises:
        ValueError: if the directory is not a run's, or its settings are damaged.
    """

    def __init__(self, path):
        self._record = RunDirectory(path)
        self.path = self._record.path
        self.name = self.path.resolve().name
        self.problems = []
        if not self.path.is_dir():
            raise ValueError(f"{self.path} is not a directory.")
        if not self._record.has(run_files.SETTINGS):
            raise ValueError(
                f"{self.path} is not the directory of a run: it has no {run_files.SETTINGS}."
            )
        self.settings, self.members = self._record.settings, self._record.members
        self.summary = self._read(run_files.SUMMARY, self._summary, None, "has not finished")
        self.data = self._read(
            run_files.DATA, lambda: self._record.data, {}, "has not loaded its images"
        )
        self.history = self._read(run_files.HISTORY, self._history, {}, "has not finished an epoch")
        teaches = any(name.endswith("_taught") for name in self.history)
        no_roles = "has no history of its roles" if teaches else None
        self.roles = self._read(run_files.ROLES, lambda: self._record.roles, None, no_roles)
        not_evaluated = "has not been evaluated" if self.summary else None
        self.predictions, self.examples = self._read(
            run_files.EVALUATION, self._evaluation, Evaluation({}, {}), not_evaluated
        )

        self.benchmark = self._read(run_files.BENCHMARK, self._benchmark, None, None)

    @property
    def students(self):
        return self.members[1:]

    @property
    def student(self):
        return self.members[-1]

    @property
    def class_names(self):
        return self.data.get("class_names", [])

    @property
    def epochs(self):
        """The numbers of the finished epochs, from 1."""
        return np.arange(1, len(self.history.get("epoch", [])) + 1)

    def phases(self):
        """Returns (first epoch, last epoch, learning rate) for each learning rate in turn."""
        rates = np.array(self.history.get("learning_rate", []))
        starts = np.flatnonzero(np.diff(rates, prepend=np.nan) != 0)
        ends = [*starts[1:], len(rates)]
        return [(s + 1, int(e), float(rates[s])) for s, e in zip(starts.tolist(), ends)]

    def taught(self, first=0, last=None):
        """Returns each student's share of mini-batches taught, first to last; NaN if unknown."""
        roles = self.roles[first:last]
        known = roles[(roles != UNKNOWN_TEACHER).all(axis=1)]
        if not len(known):
            return [np.nan for _ in self.students]
        return [(known == i).any(axis=1).mean() for i in range(len(self.students))]

    def mini_batches_per_epoch(self):
        return max(self.data["train_images"] // self.settings.batch_size, 1)

    def _summary(self):
        summary = self._record.summary
        tables.members_of_summary(summary, self.members)
        return summary

    def _history(self):
        history = self._record.history()
        needed = [f"val_{name}_{q}" for name in self.members for q in ("loss", "accuracy")]
        if not history and not self.summary:  # before the end of the first epoch
            return {}
        if not all(name in history for name in [*needed, "epoch"]):
            raise ValueError("It does not hold what it should.")
        return history

    def _benchmark(self):
        benchmark = json.loads((self.path / run_files.BENCHMARK).read_text())
        table.text(benchmark)
        return benchmark

    def _evaluation(self):
        evaluation = self._record.evaluation
        for each in (evaluation.predictions[name] for name in self.members):
            largest = max(each.labels.max(), each.predicted.max())
            if self.class_names and largest >= len(self.class_names):
                raise ValueError("It has classes that the images have not.")
        return evaluation

    def _read(self, name, read, otherwise, missing):
        """Reads a part; notes in `problems` if it is damaged, or missing and `missing` is given."""
        if not self._record.has(name):
            if missing:
                self.problems.append(f"{self.name} {missing}: it has no {name}.")
            return otherwise
        try:
            return read()
        except Exception:  # whatever is wrong, show the rest
            or_sums = f", or its line in {run_files.SUMS} is" * self._record.has(run_files.SUMS)
            self.problems.append(
                f"{name} of {self.name} is damaged{or_sums}; what it holds is left out."
            )
            return otherwise
