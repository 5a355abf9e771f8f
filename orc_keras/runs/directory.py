"""The directory of a run, and the checks that no run overwrites another."""

import fcntl
import json
import os
import time
from pathlib import Path

from orc_keras.files import delete, replacing
from orc_keras.runs import checksums, names
from orc_keras.runs.record import RunRecord
from orc_keras.settings import from_text


class RunDirectory:
    """The directory that `settings` name, or a new one.

    Args:
        settings: `Settings`.
    """

    def __init__(self, settings):
        self.path = Path(settings.output_dir or time.strftime("runs/%Y%m%d-%H%M%S"))
        self.settings = settings

    def __truediv__(self, name):
        return self.path / name

    def is_finished(self):
        """Whether a run with the same settings has finished here."""
        there = self._same_run_is_there() and (self / names.SUMMARY).exists()
        return there and not self.settings.overwrite

    def how_to_continue(self):
        """Returns, for the middle of a sentence, how to continue this run."""
        changed = [f" with --output_dir={self.path}"] * (not self.settings.output_dir)
        changed += [" without --overwrite"] * self.settings.overwrite
        return f"the same command{' and'.join(changed)} continues"

    def check(self):
        """Raises ValueError if the run would overwrite something in the directory."""
        check_place(self.path)
        if not self._flags_there():
            others = self.path.is_dir() and set(os.listdir(self.path)) - {names.SETTINGS}
            if others:
                raise ValueError(
                    f"--output_dir={self.path} holds files that are not of a run: there is no "
                    f"{names.SETTINGS}, or it is empty."
                )
        elif self.settings.overwrite:
            self._check_needed()
        elif not self._same_run_is_there():
            raise ValueError(
                f"--output_dir={self.path} holds a run with other settings "
                f"({', '.join(self._differences())}); choose another, or delete that run by adding "
                "--overwrite."
            )

    def claim(self):
        """Locks the directory for this run until `close`, and writes the settings.

        Raises:
            ValueError: if it cannot be written to, or another process or run has claimed it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            # The lock lasts until the file is closed or the process ends, in whatever way.
            self._file = open(self / names.SETTINGS, "a+")  # noqa: SIM115
            _lock(self._file)
            if self.settings.overwrite:
                self._delete_run()
                self._file.truncate(0)
            if not self._flags_there():
                self._file.write(self.settings.as_flags())
                self._file.flush()
                os.fsync(self._file.fileno())
            elif not self._same_run_is_there():
                raise BlockingIOError
            (self / names.CHECKPOINTS).mkdir(exist_ok=True)
        except BlockingIOError as error:
            raise ValueError(f"--output_dir={self.path} is in use by another process.") from error
        except OSError as error:
            raise ValueError(f"--output_dir={self.path} cannot be written: {error}.") from error

    def is_in_use(self):
        """Whether another process has claimed the directory."""
        if not (self / names.SETTINGS).exists():
            return False
        with open(self / names.SETTINGS, "a") as file:
            try:
                _lock(file)
            except BlockingIOError:
                return True
        return False

    def close(self):
        """Releases the directory."""
        self._file.close()

    def saved_data(self):
        """Returns the description of the images that the run began with; empty if it has not."""
        record = RunRecord(self.path)
        if self.settings.overwrite or not record.has(names.DATA):
            return {}
        try:
            return record.data
        except ValueError as error:
            sentence = str(error).rstrip(".")
            raise ValueError(f"{sentence}; begin anew by adding --overwrite.") from error

    def check_data(self, description):
        """Raises ValueError if these are not the images that the run began with."""
        there = self.saved_data()
        computed = ("mean", "std")  # may differ in the last digit between machines
        known = [key for key in there if key not in computed]
        changed = [key for key in known if there[key] != description.get(key)]
        if changed:
            raise ValueError(
                f"--dataset={self.settings.dataset} is not what it was when the run in "
                f"{self.path} began ({', '.join(changed)}); choose another --output_dir, or begin "
                "anew by adding --overwrite."
            )

    def check_sources(self, sources):
        """Raises ValueError if a file or code is not what the run's members began with."""
        record = RunRecord(self.path)
        there = {} if self.settings.overwrite else record.sources
        changed = [source for source in there if there[source] != sources.get(source)]
        if changed:
            raise ValueError(
                f"{changed[0]} is not what it was when the run in {self.path} began; put it back, "
                "choose another --output_dir, or begin anew by adding --overwrite."
            )

    def finish(self, summary):
        """Writes the summary, which marks the run as finished, and checksums of all its files."""
        written = [
            name for name in names.ALL if name not in (names.SUMMARY, names.SUMS, names.BENCHMARK)
        ]
        written += [*self._earlier_histories(), names.GROUP, names.PIVOT]
        written += [f"{names.STUDENT}/{n}" for n in checksums.read(self / names.STUDENT)]
        paths = {name: self / name for name in written if (self / name).is_file()}
        with self.replacing(names.SUMMARY) as unfinished:
            unfinished.write_text(_as_json(summary))
            with self.replacing(names.SUMS) as path:
                path.write_text(checksums.of(paths | {names.SUMMARY: unfinished}))

    def write_json(self, name, contents):
        """Writes a JSON file, whole or not at all."""
        with self.replacing(name) as path:
            path.write_text(_as_json(contents))

    def replacing(self, name):
        """A context that gives a path to write to; see `files.replacing`."""
        return replacing(self / name)

    def _delete_run(self):
        for name in (*names.ALL, *self._earlier_histories(), *self._exported()):
            if name != names.SETTINGS:  # the locked file
                delete(self / name)

    def _earlier_histories(self):
        return [path.name for each in names.EARLIER_HISTORIES for path in self.path.glob(each)]

    def _check_needed(self):
        """Refuses to overwrite what this run begins with: weights, or a member's file."""
        pivot, students = self.settings.pivot, self.settings.students
        needed = [("pivot_weights", self.settings.pivot_weights), ("pivot", pivot)]
        for flag, source in needed + [("students", student) for student in students]:
            path = Path(source).expanduser()
            if path.is_file() and path.resolve().is_relative_to(self.path.resolve()):
                raise ValueError(f"--overwrite would delete --{flag}={source}.")

    def _exported(self):
        """Returns what the files of exported members may be called."""
        try:
            members = RunRecord(self.path).members
        except ValueError:  # the settings are damaged
            members = []
        return [f"{each}{suffix}" for each in members for suffix in names.SUFFIXES.values()]

    def _flags_there(self):
        """Returns the settings of the run in this directory as text; empty if there is none."""
        settings = self / names.SETTINGS
        try:
            return settings.read_text() if settings.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(
                f"--output_dir={self.path}: {settings} is not the settings of a run: {error}."
            ) from error

    def _differences(self):
        """Returns the names of settings that differ from those of the run in this directory."""
        try:
            there = from_text(self._flags_there()).identity()
        except ValueError as error:
            raise ValueError(
                f"{self / names.SETTINGS} is damaged: {str(error).rstrip('.')}; choose another "
                "--output_dir, or delete that run by adding --overwrite."
            ) from None
        ours = self.settings.identity()
        return [name for name in ours | there if ours.get(name) != there.get(name)]

    def _same_run_is_there(self):
        return bool(self._flags_there()) and not self._differences()


def check_place(path):
    """Raises ValueError if a directory cannot be made or written to, before the long work.

    Args:
        path: of the directory.
    """
    there = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not there.is_dir():
        raise ValueError(f"--output_dir={path} is impossible: {there} is not a directory.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ValueError(f"--output_dir={path} cannot be written: {there} is not writable.")


def _as_json(contents):
    return json.dumps(contents, indent=2) + "\n"  # ASCII only


def _lock(file):
    """Locks an open file; BlockingIOError if another process has locked it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # some network file systems have no locks
        pass
