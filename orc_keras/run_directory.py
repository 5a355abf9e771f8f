"""The directory of a run: what lies where, and that no run overwrites another."""

import json
import os
import shutil
import time
from pathlib import Path

# What a run writes; nothing else in its directory is ever deleted.
FILES = (
    "settings.flags",
    "summary.json",
    "history.csv",
    "pivot_history.csv",
    "tensorboard",
    "checkpoints",
    "student.keras",
    "student",
)


class RunDirectory:
    """The directory that `settings` name, or a new one.

    Args:
        settings: `Settings`.
    """

    def __init__(self, settings):
        self.path = Path(settings.output_dir or time.strftime("runs/%Y%m%d-%H%M%S"))
        self._flags = settings.as_flags()
        self._overwrite = settings.overwrite
        self._pivot_weights = settings.pivot_weights

    def __truediv__(self, name):
        return self.path / name

    def is_finished(self):
        """Whether a run of the same settings has finished here."""
        there = self._flags_there() == self._flags and (self / "summary.json").exists()
        return there and not self._overwrite

    def check(self):
        """Raises ValueError if something in the directory would be overwritten."""
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(f"--output_dir={self.path} is not a directory.")
        if self._flags_there() is None:
            if self.path.is_dir() and any(self.path.iterdir()):
                raise ValueError(f"--output_dir={self.path} holds files that are not of a run.")
        elif not self._overwrite:
            same = self._flags_there() == self._flags
            what = "an unfinished run" if same else "a run with other settings"
            raise ValueError(
                f"--output_dir={self.path} holds {what}; choose another, or delete that run by "
                "adding --overwrite."
            )
        elif self._pivot_weights and _is_within(self._pivot_weights, self.path):
            raise ValueError(f"--overwrite would delete --pivot_weights={self._pivot_weights}.")

    def claim(self):
        """Makes the directory, with nothing of an earlier run, and writes the settings into it.

        Raises:
            ValueError: if the directory cannot be written to, or another run has taken it.
        """
        try:
            if self._overwrite:
                self._delete_run()
            self.path.mkdir(parents=True, exist_ok=True)
            with open(self / "settings.flags", "x") as file:  # fails if there is one by now
                file.write(self._flags)
            (self / "checkpoints").mkdir()
        except FileExistsError as error:
            raise ValueError(f"--output_dir={self.path} is taken by another run.") from error
        except OSError as error:
            raise ValueError(f"--output_dir={self.path} cannot be written: {error}.") from error

    def write_summary(self, summary):
        """Writes the summary, which marks the run as finished, whole or not at all."""
        unfinished = self / "summary.json.part"
        unfinished.write_text(json.dumps(summary, indent=2) + "\n")
        os.replace(unfinished, self / "summary.json")

    def _delete_run(self):
        for path in (self / name for name in FILES):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def _flags_there(self):
        settings = self / "settings.flags"
        try:
            return settings.read_text() if settings.exists() else None
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{settings} is not the settings of a run: {error}.") from error


def _is_within(path, directory):
    return Path(path).resolve().is_relative_to(directory.resolve())


def read_summary(run):
    """Returns the summary of the finished run in the directory `run`, or says it is damaged."""
    path = Path(run) / "summary.json"
    try:
        summary = json.loads(path.read_text())
        summary["members"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is damaged; it is not the summary of a run.") from error
    return summary
