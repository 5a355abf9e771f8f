"""The directory of a run."""

import atexit
import contextlib
import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from orc_keras import checksums, files, run_files
from orc_keras.callbacks.group_csv_logger import parse_history
from orc_keras.callbacks.role_history import UNKNOWN_TEACHER
from orc_keras.files import as_json, delete, from_json, lock
from orc_keras.groups.members import numbered
from orc_keras.networks import name_of
from orc_keras.runs import predictions, summary
from orc_keras.settings import Settings, read


class RunDirectory:
    """The directory of a run, finished or not, for writing and reading.

    Every property reads its file anew; in a finished run the file must have its checksum.

    Args:
        path: of the directory, which need not exist yet.

    Raises:
        ValueError: from a property, if its file is missing or damaged.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def has(self, name: str) -> bool:
        """Whether a file or a directory of this name exists."""
        return (self / name).exists()

    @property
    def is_finished(self) -> bool:
        return self.has(run_files.SUMMARY)

    @property
    def has_begun(self) -> bool:
        path = self / run_files.SETTINGS
        return path.is_file() and path.stat().st_size > 0

    @property
    def settings(self) -> Settings:
        """The run's settings, without `output_dir`."""
        return self._read(run_files.SETTINGS, read)

    @property
    def members(self) -> list[str]:
        """The names of the members, the pivot first, *the* student last."""
        settings = self.settings
        return numbered([name_of(source) for source in (settings.pivot, *settings.students)])

    @property
    def summary(self) -> dict[str, Any]:
        """The summary of a finished run."""
        return self._read(run_files.SUMMARY, summary.read)

    @property
    def data(self) -> dict[str, Any]:
        """The description of the images."""
        return self._read(run_files.DATA, summary.read_data)

    @property
    def sources(self) -> dict[str, str]:
        """The checksums of files and code that members come from, by source."""
        is_listed = self.has(run_files.SUMS) and run_files.SOURCES in checksums.read(self.path)
        if not (is_listed or self.has(run_files.SOURCES)):
            return {}
        return self._read(run_files.SOURCES, lambda path: dict(from_json(path)))

    @property
    def accuracy_before(self) -> float | None:
        """The pivot's held-out accuracy before anything learnt; None unless it came trained."""
        if not self.has(run_files.PIVOT_BEFORE):
            return None
        return self._read(run_files.PIVOT_BEFORE, lambda path: float(from_json(path)["accuracy"]))

    @property
    def roles(self) -> np.ndarray:
        """The teachers of each mini-batch, positions of students, uint8 `[mini_batches, k]`."""
        students = len(self.members) - 1

        def parse(path: Path) -> np.ndarray:
            roles = np.load(path)
            is_known = (roles < students) | (roles == UNKNOWN_TEACHER)
            if roles.ndim != 2 or roles.dtype != np.uint8 or not is_known.all():
                raise ValueError(f"It is not a history of the roles of {students} students.")
            return roles

        return self._read(run_files.ROLES, parse)

    @property
    def evaluation(self) -> predictions.Evaluation:
        """The predictions of all members on the held-out images."""
        return self._read(run_files.EVALUATION, predictions.read)

    @property
    def benchmark(self) -> dict[str, Any]:
        """What each member costs; written after the run, so without a checksum."""
        return files.read(self / run_files.BENCHMARK, summary.read_benchmark)

    def history(self, stage: str = "group") -> dict[str, list[float]]:
        """Returns each metric's values by epoch, by name; empty before the first epoch."""
        return self._read(run_files.history(stage), lambda path: parse_history(path.read_text()))

    def checked(self, name: str) -> Path:
        """Returns the path of a file, which in a finished run must have its checksum."""
        if self.is_finished and self.has(run_files.SUMS):
            checksums.check(self.path, name)
        return self / name

    def inside(self, name: str) -> Path:
        """Returns the path of what is to be written; DamagedFile if a link leads out of the run."""
        path = self / name
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.path)):
            raise files.DamagedFile(f"{path} leads out of the run by a link; delete it.")
        return path

    def lock(self, settings: Settings):
        """Locks the directory for this run until `close`, and writes the settings.

        Raises:
            ValueError: if it cannot be written to, or another process or run has claimed it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            # The lock lasts until the file is closed or the process ends, in whatever way.
            self._file = open(self / run_files.SETTINGS, "a+")  # noqa: SIM115
            is_ours = lock(self._file)
            if is_ours and settings.overwrite:
                self._delete_run()
                self._file.truncate(0)
            if is_ours and not self.has_begun:
                self._file.write(settings.as_flags())
                self._file.flush()
                os.fsync(self._file.fileno())
            (self / run_files.CHECKPOINTS).mkdir(exist_ok=True)
        except OSError as error:
            raise ValueError(f"--output_dir={self.path} cannot be written: {error}.") from error
        if not is_ours or self.settings.identity() != settings.identity():
            raise ValueError(f"--output_dir={self.path} is in use by another process.")

    def is_locked(self) -> bool:
        """Whether another process has claimed the directory."""
        if not (self / run_files.SETTINGS).is_file():  # a FIFO would be waited for
            return False
        with open(self / run_files.SETTINGS, "a") as file:
            return not lock(file)

    def close(self):
        """Releases the directory."""
        self._file.close()

    def finish(self, contents: dict[str, Any]):
        """Writes the summary, which marks the run as finished, and checksums of all its files."""
        later = (run_files.SUMMARY, run_files.SUMS, run_files.BENCHMARK)
        names = [name for name in run_files.ALL if name not in later]
        names += [*self.stage_histories(), run_files.GROUP, run_files.PIVOT]
        student = checksums.read(self / run_files.STUDENT)
        names += [f"{run_files.STUDENT}/{name}" for name in student]
        paths = {name: self / name for name in names if (self / name).is_file()}
        with self.atomic_write(run_files.SUMMARY) as unfinished:
            unfinished.write_text(as_json(contents))
            sums = checksums.text(paths | {run_files.SUMMARY: unfinished})
            files.write_text(self / run_files.SUMS, sums)

    def write_json(self, name: str, contents: Any):
        """Writes a JSON file, whole or not at all."""
        files.write_text(self / name, as_json(contents))

    def atomic_write(self, name: str):
        """A context that gives a path to write to; see `files.atomic_write`."""
        return files.atomic_write(self / name)

    def _read(self, name: str, parse: Callable[[Path], Any]) -> Any:
        return files.read(self.checked(name), parse)

    def _delete_run(self):
        for name in (*run_files.ALL, *self.stage_histories(), *self._exported()):
            if name != run_files.SETTINGS:  # the locked file
                delete(self / name)

    def stage_histories(self) -> list[str]:
        """Returns the names of the histories of the stages between the pivot's and the last."""
        return [path.name for path in self.path.glob(run_files.STAGE_HISTORIES)]

    def _exported(self) -> list[str]:
        """Returns what the files of exported members may be called."""
        with contextlib.suppress(ValueError):  # the settings are damaged
            return [f"{each}{end}" for each in self.members for end in run_files.SUFFIXES.values()]
        return []


def directory_of(settings: Settings) -> RunDirectory:
    """Returns the directory that settings name, or a new one, which no other process has.

    The new one is named by date and time, and deleted at the end if nothing was written to it.
    """
    if settings.output_dir:
        return RunDirectory(settings.output_dir)
    path = name = time.strftime("runs/%Y%m%d-%H%M%S")
    for number in itertools.count(2):
        try:
            os.makedirs(path)
            break
        except FileExistsError:  # of another process, that started in the same second
            path = f"{name}-{number}"
    atexit.register(_remove_if_empty, os.path.abspath(path))
    return RunDirectory(path)


def _remove_if_empty(path: str):
    with contextlib.suppress(OSError):
        os.rmdir(path)
        os.rmdir(os.path.dirname(path))


def finished_run(path: str | Path) -> RunDirectory:
    """Returns the directory of a finished run, whose summary and checksums are there and whole.

    Raises:
        ValueError: if there is none, or one of them is damaged.
    """
    run = RunDirectory(path)
    if not run.is_finished:
        raise ValueError(f"--run={path} holds no finished run: it has no {run_files.SUMMARY}.")
    files.check_kinds(run.path)
    checksums.read(run.path)
    run.summary  # noqa: B018 (read now, so that what is wrong is said first)
    return run
