"""A run in progress."""

import dataclasses

from orc_keras.data import ImageData
from orc_keras.distribution.workers import Workers
from orc_keras.runs.directory import RunDirectory
from orc_keras.settings import Settings


@dataclasses.dataclass(frozen=True)
class Run:
    """The objects that a run needs from beginning to end.

    Attributes:
        settings: its settings.
        directory: where it writes.
        images: the images to train and to evaluate on.
        workers: the processes that share the computation.
    """

    settings: Settings
    directory: RunDirectory
    images: ImageData
    workers: Workers
