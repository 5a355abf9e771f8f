"""Reads and validates the directory of a run, for all that happens afterwards.

No network is imported.
"""

import csv
import functools
import json
from pathlib import Path

import numpy as np

from orc_keras.callbacks.role_history import UNKNOWN_TEACHER
from orc_keras.groups.members import numbered
from orc_keras.networks import name_of
from orc_keras.runs import checksums, names, predictions, summary
from orc_keras.settings import from_text


class RunRecord:
    """The directory of a run, finished or not. Each part is read on first access.

    Args:
        path: the directory.

    Raises:
        ValueError: from each part, if it is missing, damaged or not what the run wrote; the message
            names the file.
    """

    def __init__(self, path):
        self.path = Path(path)

    @property
    def is_finished(self):
        return (self.path / names.SUMMARY).exists()

    def has(self, name):
        """Whether the file exists."""
        return (self.path / name).exists()

    @functools.cached_property
    def settings(self):
        """The run's `Settings`."""
        path = self._checked(names.SETTINGS)
        try:
            return from_text(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} is not the settings of a run: {error}") from error

    @functools.cached_property
    def members(self):
        """The names of the members, the pivot first, *the* student last."""
        sources = [self.settings.pivot, *self.settings.students]
        return numbered([name_of(source) for source in sources])

    @functools.cached_property
    def summary(self):
        """The contents of the summary of a finished run, a dict."""
        try:
            return summary.checked(json.loads(self._checked(names.SUMMARY).read_text()))
        except (OSError, ValueError) as error:
            sentence = str(error).rstrip(".")
            raise ValueError(
                f"{sentence}; {self.path / names.SUMMARY} deleted, the same command writes it "
                "again."
            ) from error

    @functools.cached_property
    def data(self):
        """The description of the images, a dict."""
        return self._read(names.DATA, lambda p: summary.checked_data(json.loads(p.read_text())))

    @functools.cached_property
    def sources(self):
        """The checksums of files and code that members come from, by source."""
        if not self.has(names.SOURCES):
            return {}
        return self._read(names.SOURCES, lambda path: dict(json.loads(path.read_text())))

    def history(self, stage="group"):
        """Returns each metric's values by epoch, by name; empty before the first epoch."""
        return self._read(names.history(stage), read_history)

    @functools.cached_property
    def roles(self):
        """The teachers of each mini-batch, positions of students, uint8 `[mini_batches, k]`."""

        def read(path):
            roles = np.load(path)
            if roles.ndim != 2 or roles.dtype != np.uint8:
                raise ValueError("It is not an array of uint8 and two axes.")
            if not np.all((roles < len(self.members) - 1) | (roles == UNKNOWN_TEACHER)):
                raise ValueError("It names students that there are not.")
            return roles

        return self._read(names.ROLES, read)

    @functools.cached_property
    def evaluation(self):
        """The predictions of all members on the held-out images, an `Evaluation`."""
        return self._read(names.EVALUATION, predictions.read)

    def _read(self, name, read):
        path = self._checked(name)
        try:
            return read(path)
        except Exception as error:  # the file may hold anything
            raise ValueError(f"{path} is damaged.") from error

    def _checked(self, name):
        """Returns the path of a file; in a finished run its checksum must match."""
        if self.is_finished and self.has(names.SUMS):
            return checksums.check(self.path, name)
        if not self.has(name):
            raise ValueError(f"{self.path / name} is missing.")
        return self.path / name


def finished(path):
    """Returns the `RunRecord` of a finished run, whose summary and checksums are there and whole.

    Raises:
        ValueError: if there is none, or one of them is damaged.
    """
    record = RunRecord(path)
    if not record.is_finished:
        raise ValueError(f"--run={path} holds no finished run: it has no {names.SUMMARY}.")
    if not record.has(names.SUMS):
        raise ValueError(
            f"{record.path / names.SUMS} is missing or damaged; {record.path / names.SUMMARY} "
            "deleted, the same command writes it again."
        )
    record.summary  # noqa: B018 (it is read now, so that what is wrong is said first)
    return record


def read_history(path):
    """Returns each metric's values by epoch, by name, from a history file."""
    text = Path(path).read_text()
    history = as_history(text)
    if not history and text:
        raise ValueError(f"{path} has no epoch.")
    return history


def as_history(text):
    """Returns each metric's values by epoch, by name, from the contents of a history file."""
    rows = list(csv.DictReader(text.splitlines()))
    return {name: [float(row[name]) for row in rows] for name in rows[0]} if rows else {}
