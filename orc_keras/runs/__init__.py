"""The directory of a run: writing and reading."""

from orc_keras.runs.directory import RunDirectory, directory_of, finished_run
from orc_keras.runs.run import Run

__all__ = ["Run", "RunDirectory", "directory_of", "finished_run"]
