"""A run while it is made."""

import dataclasses

from orc_keras.data import ImageData
from orc_keras.distribution.workers import Workers
from orc_keras.runs.directory import RunDirectory
from orc_keras.settings import Settings


@dataclasses.dataclass(frozen=True)
class Run:
    """What goes together through all of a run.

    Attributes:
        settings: what was asked for.
        directory: where it writes.
        images: what it learns from, and is evaluated on.
        workers: the processes that make it together.
    """

    settings: Settings
    directory: RunDirectory
    images: ImageData
    workers: Workers
