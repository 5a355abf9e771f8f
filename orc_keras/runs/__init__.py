"""Runs: what is in memory while a group trains, and the directory that is written and read."""

import dataclasses

from orc_keras.data import ImageData
from orc_keras.distribution.workers import Workers
from orc_keras.runs.directory import RunDirectory, directory_of, finished_run
from orc_keras.settings import Settings

__all__ = ["Run", "RunDirectory", "directory_of", "finished_run"]


@dataclasses.dataclass(frozen=True)
class Run:
    """What a run needs from its start to its end."""

    settings: Settings
    directory: RunDirectory
    images: ImageData
    workers: Workers  # the processes that share the computation
