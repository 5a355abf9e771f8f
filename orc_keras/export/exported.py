"""A network that a run has exported, in any format, and what it answers to image files."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from orc_keras import checksums, files
from orc_keras.data import Preprocessing
from orc_keras.data.files import read_pixels
from orc_keras.data.images import check_class_names
from orc_keras.export import saved_model
from orc_keras.export.formats import FORMATS, SAVED_MODEL, load
from orc_keras.run_files import STUDENT, SUFFIXES, SUMMARY


class ExportedNetwork:
    """A network that a run has exported.

    Args:
        path: the directory of its SavedModel, such as `runs/digits/student`; or one of the files
            beside it: `student.keras`, `student.tflite`, `student.onnx`.

    Attributes:
        path: as given.
        class_names: the names of the classes, in the order of its probabilities.
        preprocessing: how an image becomes its input.

    Raises:
        ValueError: if it is none of these, is damaged, or its runtime is not installed.
    """

    def __init__(self, path: str | Path):
        self.path = path = Path(path)
        if (path / SUMMARY).is_file():
            raise ValueError(f"{path} is a run; its student is {path / STUDENT}.")
        name, directory = _format_of(path)
        checksums.check_exported(path, directory)
        saved_model.check(directory)
        self.preprocessing = files.read(
            directory / saved_model.PREPROCESSING,
            lambda path: Preprocessing.from_json(files.from_json(path)),
        )
        self.class_names = _read_class_names(directory / saved_model.CLASS_NAMES)
        self._predict = load(name, path, self.preprocessing, len(self.class_names))

    def predict(self, images: np.ndarray) -> Mapping[str, Any]:
        """Returns `logits` and `probabilities`, `[batch, classes]`, and `classes`, `[batch]`.

        Args:
            images: uint8, `[batch, height, width, channels]`, of the network's size.

        Raises:
            ValueError: if they are not uint8. TensorFlow would cast floats from 0 to 1 to black.
        """
        if images.dtype != np.uint8:
            raise ValueError(f"Images must be of type uint8, 0 to 255, not {images.dtype.name}.")
        return self._predict(images)

    def predict_files(
        self, paths: Iterable[str | Path]
    ) -> Iterator[tuple[str | Path, np.ndarray | ValueError]]:
        """Yields each path with its probabilities, `[classes]`, or why the file has none."""
        for path in paths:
            try:
                pixels = read_pixels(path, self.preprocessing)
                yield path, np.asarray(self.predict(pixels[None])["probabilities"])[0]
            except ValueError as error:
                yield path, error


def _read_class_names(path):
    def parse(file):
        names = file.read_text("utf-8").splitlines()
        check_class_names(names, "It")
        return names

    return files.read(path, parse)


def _format_of(path):
    """Returns the name of the format of a file, and the directory of its SavedModel."""
    if path.is_dir():
        return SAVED_MODEL, path
    runnable = {name: suffix for name, suffix in SUFFIXES.items() if suffix and FORMATS[name].load}
    for name, suffix in sorted(runnable.items(), key=lambda item: -len(item[1])):
        directory = path.with_name(path.name.removesuffix(suffix))
        if path.is_file() and path.name.endswith(suffix) and directory.is_dir():
            return name, directory
    raise ValueError(
        f"{path} is no exported network: a SavedModel's directory, or a file beside it that ends "
        f"in {', '.join(runnable.values())}."
    )
