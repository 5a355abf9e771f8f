"""What can be read of a run, finished or not, for its report."""

import json
from pathlib import Path

import numpy as np

from orc_keras import evaluation
from orc_keras.callbacks.role_history import UNKNOWN
from orc_keras.fitting import read_history
from orc_keras.members import numbered


class Run:
    """The directory of a run, of which any file may be missing or damaged.

    Args:
        path: the directory.

    Attributes:
        name: of the directory.
        settings: flags and their values, as text.
        members: names, the pivot first.
        summary: the contents of `summary.json`, or None.
        data: the contents of `data.json`; empty if it is missing.
        history: values of each metric, an epoch each, by name; empty before the first epoch's end.
        roles: who taught, `[mini_batches, k]`, or None.
        outcomes: `Outcomes` of each member by name; empty before the end.
        examples: images that the student confused, by their position.
        problems: sentences about what is missing or damaged.

    Raises:
        ValueError: if the directory is not one of a run.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.name = self.path.resolve().name
        self.problems = []
        self.settings = self._settings()
        self.members = numbered([self.settings["pivot"], *self.settings["students"].split(",")])
        self.summary = self._read("summary.json", _json, None, "has not finished")
        self.data = self._read("data.json", _json, {}, "has not loaded its images")
        self.history = self._read("history.csv", _history, {}, "has not finished an epoch")
        self.roles = self._read("roles.npy", _roles, None, None)
        empty = evaluation.Evaluation({}, {})
        evaluated = self._read(evaluation.FILE, evaluation.read, empty, None)
        self.outcomes, self.examples = evaluated

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
        """1, 2, ..., as many as have been finished."""
        return np.arange(1, len(self.history.get("epoch", [])) + 1)

    def phases(self):
        """Returns (first epoch, last epoch, learning rate) of each part of the training."""
        rates = np.array(self.history.get("learning_rate", []))
        starts = np.flatnonzero(np.diff(rates, prepend=np.nan) != 0)
        ends = [*starts[1:], len(rates)]
        return [(s + 1, int(e), float(rates[s])) for s, e in zip(starts.tolist(), ends)]

    def taught(self, first=0, last=None):
        """Returns the share of mini-batches that each student taught, of some of them."""
        roles = self.roles[first:last]
        known = roles[(roles != UNKNOWN).all(axis=1)]
        return [(known == i).any(axis=1).mean() if len(known) else 0 for i in self._positions()]

    def mini_batches_per_epoch(self):
        return self.data["train_images"] // int(self.settings["batch_size"])

    def _positions(self):
        return range(len(self.students))

    def _settings(self):
        path = self.path / "settings.flags"
        if not self.path.is_dir():
            raise ValueError(f"{self.path} is not a directory.")
        try:
            lines = path.read_text().splitlines()
        except (OSError, UnicodeDecodeError):
            lines = []
        settings = dict(line.removeprefix("--").split("=", 1) for line in lines if "=" in line)
        if not {"pivot", "students", "batch_size", "dataset"} <= settings.keys():
            raise ValueError(
                f"{self.path} is not the directory of a run: it has no settings.flags."
            )
        return settings

    def _read(self, name, read, otherwise, missing):
        """Reads a file; what is wrong becomes one of `problems`, if `missing` says so."""
        path = self.path / name
        if not path.exists():
            if missing:
                self.problems.append(f"{self.name} {missing}: it has no {name}.")
            return otherwise
        try:
            return read(path)
        except Exception:  # whatever is in it, the rest can be shown
            self.problems.append(f"{name} of {self.name} is damaged; what it holds is left out.")
            return otherwise


def _json(path):
    return dict(json.loads(path.read_text()))


def _history(path):
    return read_history(path) if path.stat().st_size else {}


def _roles(path):
    roles = np.load(path)
    if roles.ndim != 2 or roles.dtype != np.uint8:
        raise ValueError("It is not a role history.")
    return roles
