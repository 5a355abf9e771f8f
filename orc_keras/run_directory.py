"""The directory of a run: what lies where, and that no run overwrites another."""

import json
import shutil
import time
from pathlib import Path


class RunDirectory:
    """The directory that `settings` name, or a new one.

    Args:
        settings: `Settings`.
    """

    def __init__(self, settings):
        self.path = Path(settings.output_dir or time.strftime("runs/%Y%m%d-%H%M%S"))
        self._flags = settings.as_flags()
        self._overwrite = settings.overwrite

    def __truediv__(self, name):
        return self.path / name

    def is_finished(self):
        """Whether a run of the same settings has finished here."""
        there = self._flags_there() == self._flags and (self / "summary.json").exists()
        return there and not self._overwrite

    def check(self):
        """Raises ValueError if another run would be overwritten."""
        if self._flags_there() is None and self.path.is_dir() and any(self.path.iterdir()):
            raise ValueError(f"--output_dir={self.path} holds files that are not of a run.")
        if self._flags_there() is None or self._overwrite:
            return
        what = (
            "an unfinished run"
            if self._flags_there() == self._flags
            else "a run with other settings"
        )
        raise ValueError(
            f"--output_dir={self.path} holds {what}; choose another, or delete that run by adding "
            "--overwrite."
        )

    def claim(self):
        """Makes the directory, empty but for the settings and a place for checkpoints."""
        try:
            if self._flags_there() is not None:
                shutil.rmtree(self.path)
            (self / "checkpoints").mkdir(parents=True)
            (self / "settings.flags").write_text(self._flags)
        except OSError as error:
            raise ValueError(f"--output_dir={self.path} cannot be written: {error}") from error

    def read_summary(self):
        """Returns what `write_summary` wrote."""
        return json.loads((self / "summary.json").read_text())

    def write_summary(self, summary):
        """Writes the summary, which marks the run as finished."""
        (self / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")

    def _flags_there(self):
        settings = self / "settings.flags"
        return settings.read_text() if settings.exists() else None
