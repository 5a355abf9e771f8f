"""Loads the images that a finished run was evaluated on, or others for its networks."""

import dataclasses

from orc_keras import data


def held_out_again(record, data_dir="", to_learn=False):
    """Returns the images that a run was evaluated on, `ImageData`.

    Args:
        record: the `RunDirectory` of a finished run.
        data_dir: the folder of TensorFlow Datasets, if it has moved.
        to_learn: whether `train` must be the training images.

    Raises:
        ValueError: if the images are missing, or have changed.
    """
    settings = record.summary["settings"]
    fraction = settings["validation_fraction"]
    images = data.load(
        settings["dataset"],
        data_dir or settings["data_dir"],
        settings["image_size"],
        fraction,
        memory_gb=settings.get("memory_gb", 4.0),
        held_out_only=not (to_learn or fraction > 0),
    )
    there, then = images.description(), record.summary["data"]
    for key in ("class_names", "held_out_images", "held_out_from"):
        if there[key] != then[key]:
            raise ValueError(
                f"The images of {settings['dataset']} are not those that the run in {record.path} "
                f"was evaluated on: {key} differs."
            )
    return as_seen(record, images)


def as_seen(record, images):
    """Returns `ImageData` with the size and normalisation of the run's networks.

    Raises:
        ValueError: if the images have another number of channels.
    """
    then = record.summary["data"]
    shape = tuple(then["image_shape"])
    if images.image_shape[-1] != shape[-1]:
        raise ValueError(
            f"The images have {images.image_shape[-1]} channels, but the networks of the run in "
            f"{record.path} take {shape[-1]}."
        )
    return dataclasses.replace(
        images,
        image_shape=shape,
        resized=then["resized"] or images.resized or images.image_shape != shape,
        mean=then["mean"],
        std=then["std"],
    )
