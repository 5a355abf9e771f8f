"""A finished run, as the programs that come after it see it."""

import dataclasses
from pathlib import Path

from orc_keras import data
from orc_keras.export.networks import load_members
from orc_keras.runs import checksums
from orc_keras.runs.directory import read_summary


class FinishedRun:
    """What is in the directory of a run that has finished.

    Args:
        path: the directory.

    Attributes:
        path: the directory, a `Path`.
        summary: the contents of its `summary.json`.

    Raises:
        ValueError: if there is none, or its summary is damaged.
    """

    def __init__(self, path):
        self.path = Path(path)
        if not (self.path / "summary.json").exists():
            raise ValueError(f"--run={path} holds no finished run: it has no summary.json.")
        self.summary = read_summary(self.path)

    @property
    def student(self):
        """The name of *the* student, which is the last member."""
        return list(self.summary["members"])[-1]

    def network(self, member):
        """Returns a member's network, as it was at the end.

        Raises:
            ValueError: if there is no such member, or its file is damaged.
        """
        if member not in self.summary["members"]:
            possible = ", ".join(self.summary["members"])
            raise ValueError(f"--member={member} is not in the run; possible are {possible}.")
        path = checksums.check(self.path, "checkpoints/group.keras")
        try:
            return load_members(path)[member]
        except Exception as error:  # Keras has many for a file that is damaged
            if "safe_mode" in str(error) or "unsafe" in str(error):
                reason = "it holds code, which Keras's safe mode does not run"
            else:
                reason = "it is damaged"
            raise ValueError(f"{path} cannot be loaded: {reason}.") from error

    def images(self, data_dir=""):
        """Returns the images that the run was evaluated on, `ImageData`.

        Args:
            data_dir: the folder of TensorFlow Datasets, if it is no longer where it was.

        Raises:
            ValueError: if they are not there, or others than they were.
        """
        settings = self.summary["settings"]
        fraction = settings["validation_fraction"]
        images = data.load(
            settings["dataset"],
            data_dir or settings["data_dir"],
            settings["image_size"],
            fraction,
            to_learn=fraction > 0,
        )
        there, then = images.description(), self.summary["data"]
        for key in ("class_names", "held_out_images", "held_out_from"):
            if there[key] != then[key]:
                raise ValueError(
                    f"The images of {settings['dataset']} are not those that the run in "
                    f"{self.path} was evaluated on: {key} differs."
                )
        return self.as_seen(images)

    def as_seen(self, images):
        """Returns `ImageData` with the size and the normalisation that the networks expect.

        Raises:
            ValueError: if they have another number of channels.
        """
        then = self.summary["data"]
        shape = tuple(then["image_shape"])
        if images.image_shape[-1] != shape[-1]:
            raise ValueError(
                f"The images have {images.image_shape[-1]} channels, but the networks of the run "
                f"in {self.path} take {shape[-1]}."
            )
        return dataclasses.replace(
            images,
            image_shape=shape,
            resized=then["resized"] or images.resized or images.image_shape != shape,
            mean=then["mean"],
            std=then["std"],
        )
