"""What can be read of a run, finished or not, for its report."""

import json
from pathlib import Path

import numpy as np

from orc_keras.callbacks.role_history import UNKNOWN
from orc_keras.evaluate import held_out
from orc_keras.groups.members import numbered
from orc_keras.report import tables
from orc_keras.runs import checksums
from orc_keras.training.stage import read_history


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
        self.summary = self._read("summary.json", self._summary, None, "has not finished")
        self.data = self._read("data.json", _data, {}, "has not loaded its images")
        self.history = self._read("history.csv", self._history, {}, "has not finished an epoch")
        teaches = any(name.endswith("_taught") for name in self.history)
        no_roles = "has no history of its roles" if teaches else None
        self.roles = self._read("roles.npy", self._roles, None, no_roles)
        not_evaluated = "has not been evaluated" if self.summary else None
        evaluated = self._read(held_out.FILE, self._evaluation, ({}, {}), not_evaluated)
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
        """Returns the share of mini-batches that each student taught, of some; NaN if unknown."""
        roles = self.roles[first:last]
        known = roles[(roles != UNKNOWN).all(axis=1)]
        if not len(known):
            return [np.nan for _ in self.students]
        return [(known == i).any(axis=1).mean() for i in range(len(self.students))]

    def mini_batches_per_epoch(self):
        return max(self.data["train_images"] // int(self.settings["batch_size"]), 1)

    def _settings(self):
        path = self.path / "settings.flags"
        if not self.path.is_dir():
            raise ValueError(f"{self.path} is not a directory.")
        if self._has_checksums():
            checksums.check(self.path, "settings.flags")
        try:
            lines = path.read_text().splitlines()
        except (OSError, UnicodeDecodeError):
            lines = []
        settings = dict(line.removeprefix("--").split("=", 1) for line in lines if "=" in line)
        if not {"pivot", "students", "batch_size", "dataset", "epochs"} <= settings.keys():
            raise ValueError(
                f"{self.path} is not the directory of a run: it has no settings.flags."
            )
        if not settings["batch_size"].isdecimal() or not int(settings["batch_size"]):
            raise ValueError(f"{path} is damaged: batch_size is {settings['batch_size']!r}.")
        return settings

    def _has_checksums(self):
        return all((self.path / name).exists() for name in ("summary.json", checksums.FILE))

    def _summary(self, path):
        contents = json.loads(path.read_text())
        tables.members_of_summary(contents, self.members)
        tables.lead_of_summary(contents, self.members[-1], self.settings)
        return contents | {"versions": dict(contents["versions"])}

    def _history(self, path):
        if not path.stat().st_size and not self.summary:  # before the first epoch's end
            return {}
        history = read_history(path)
        needed = [f"val_{name}_{q}" for name in self.members for q in ("loss", "accuracy")]
        return history if all(name in history for name in [*needed, "epoch"]) else _damaged()

    def _roles(self, path):
        roles = np.load(path)
        whole = roles.ndim == 2 and roles.dtype == np.uint8
        whole = whole and np.all((roles < len(self.students)) | (roles == UNKNOWN))
        return roles if whole else _damaged()

    def _evaluation(self, path):
        evaluated = held_out.read(path)
        for outcomes in (evaluated.outcomes[name] for name in self.members):
            largest = max(outcomes.labels.max(), outcomes.predicted.max())
            if self.class_names and largest >= len(self.class_names):
                _damaged()
        return evaluated

    def _read(self, name, read, otherwise, missing):
        """Reads a file; what is wrong becomes one of `problems`, if `missing` says so."""
        path = self.path / name
        if not path.exists():
            if missing:
                self.problems.append(f"{self.name} {missing}: it has no {name}.")
            return otherwise
        try:
            if self._has_checksums():
                checksums.check(self.path, name)
            return read(path)
        except Exception:  # whatever is in it, the rest can be shown
            or_sums = f", or its line in {checksums.FILE} is" * self._has_checksums()
            self.problems.append(
                f"{name} of {self.name} is damaged{or_sums}; what it holds is left out."
            )
            return otherwise


def _data(path):
    data = json.loads(path.read_text())
    counts = [data["train_images"], data["held_out_images"]]
    names = list(data["class_names"])
    return data if names and all(type(n) is int and n > 0 for n in counts) else _damaged()


def _damaged():
    raise ValueError("It does not hold what it should.")
