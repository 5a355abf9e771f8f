"""Loads the images that a finished run was evaluated on, or others for its networks."""

import dataclasses
import json
import os
import re
from pathlib import Path
from typing import Any

from orc_keras import data
from orc_keras.data import ImageData, Preprocessing
from orc_keras.runs.directory import RunDirectory
from orc_keras.runs.summary import DATA_NOTES

OWN_FEATURES = "tensorflow_datasets."


def load_images(
    run: RunDirectory, data_dir: str = "", needs_training: bool = False, dataset: str = ""
) -> ImageData:
    """Returns the images that a run was evaluated on; ValueError if they are missing or others.

    Args:
        run: the directory of a finished run.
        data_dir: the folder of TensorFlow Datasets, if it has moved.
        needs_training: whether `train` must be the training images.
        dataset: as for `data.load`, if the images have moved.
    """
    moved = {"dataset": dataset} if dataset else {}
    moved |= {"data_dir": data_dir} if data_dir else {}
    arguments: dict[str, Any] = run.settings.arguments(data.load)
    arguments |= _recorded_place(run) | moved
    _refuse_code(**{n: arguments[n] for n in ("dataset", "data_dir") if n not in moved})
    held_out_only = not (needs_training or arguments["validation_fraction"])
    known_notes = {"skipped_files": run.summary["data"].get("skipped_files", {})}
    try:
        images = data.load(**arguments, held_out_only=held_out_only, known_notes=known_notes)
    except ValueError as error:
        if moved:
            raise
        raise ValueError(f"{error} Images that have moved are named by --dataset.") from error
    description, recorded = images.description(), run.summary["data"]
    keys = ["class_names", "held_out_images", "held_out_from"]
    for key in keys if held_out_only else [*keys, "files"]:
        if description.get(key) != recorded.get(key):
            raise ValueError(
                f"The images of {arguments['dataset']} are not those that the run in {run.path} "
                f"was evaluated on: {key} differs."
            )
    return preprocess_as(Preprocessing.from_description(recorded), images)


def _recorded_place(run: RunDirectory) -> dict[str, str]:
    """Returns `dataset` and `data_dir` with absolute paths; nothing if these are gone altogether.

    Then relative ones may still lead there, where a run and its images have moved together.
    """
    place = run.summary["data"].get("place", {})
    place = {name: place[name] for name in DATA_NOTES["place"] if place}
    paths = [value.removeprefix("folder:").removeprefix("idx:") for value in place.values()]
    is_there = all(Path(path).parent.exists() for path in paths)
    return place if is_there else {}


def _refuse_code(dataset: str = "", data_dir: str = "") -> None:
    """Refuses what a run, perhaps a stranger's, names if TensorFlow Datasets would import for it.

    It imports the modules that a dataset's features.json names, and code of a `community:name`.
    """

    def check(feature: dict[str, Any]) -> dict[str, Any]:
        names = [feature.get(k) for k in ("type", "pythonClassName", "python_class_name")]
        if foreign := [n for n in names if isinstance(n, str) and not n.startswith(OWN_FEATURES)]:
            raise ValueError(f"It names code, {foreign[0]}.")
        for text in feature.values():
            if isinstance(text, str) and text.lstrip()[:1] in ("{", "["):  # JSON in JSON
                json.loads(text, object_hook=check)
        return feature

    trust = "if you trust that, say so by --dataset and --data_dir."
    if re.match(r"tfds:[^:/]+:(?![\d*])", dataset) or "://" in data_dir:
        raise ValueError(f"The run's images, {dataset} {data_dir}, lie in the internet; {trust}")
    folder = Path(data_dir or os.devnull)
    for path in (*folder.glob("*/*/features.json"), *folder.glob("*/*/*/features.json")):
        try:
            if not path.is_file():  # a FIFO would be waited for
                raise ValueError("It is not a file.")
            json.loads(path.read_text(), object_hook=check)
        except Exception as error:  # the file may hold anything
            raise ValueError(f"The run's images need {path}; {trust}\n{error}") from error


def preprocess_as(given: Preprocessing, images: ImageData) -> ImageData:
    """Returns the images with the size and normalisation of a network's input."""
    return dataclasses.replace(
        images,
        image_shape=given.image_shape,
        resized=given.crop != 1 or images.resized or images.image_shape != given.image_shape,
        crop=given.crop,
        mean=given.mean,
        std=given.std,
    )
