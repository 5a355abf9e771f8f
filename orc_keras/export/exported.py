"""A network that a run has exported, in any format, and what it answers to image files."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from orc_keras import checksums, files
from orc_keras.data import Preprocessing
from orc_keras.data.files import read_pixels
from orc_keras.evaluate import saved_model
from orc_keras.export.formats import FORMATS, SAVED_MODEL, load
from orc_keras.export.saved_model import PREPROCESSING
from orc_keras.run_files import STUDENT, SUFFIXES, SUMMARY


class ExportedNetwork:
    """A network that a run has exported.

    Args:
        path: the directory of its SavedModel, such as `runs/digits/student`; or one of the files
            beside it: `student.keras`, `student.tflite`, `student.onnx`.

    Attributes:
        class_names: the names of the classes, in the order of its probabilities.
        preprocessing: how an image becomes its input.

    Raises:
        ValueError: if it is none of these, is damaged, or its runtime is not installed.
    """

    def __init__(self, path: str | Path):
        path = Path(path)
        if (path / SUMMARY).is_file():
            raise ValueError(f"{path} is a run; its student is {path / STUDENT}.")
        name, directory = _format_of(path)
        checksums.check_exported(path, directory)
        saved_model.check(directory)
        self.preprocessing = files.read(
            directory / PREPROCESSING, lambda path: Preprocessing.from_json(files.from_json(path))
        )
        self.class_names = saved_model.read_class_names(directory)
        self._predict = load(name, path, self.preprocessing, len(self.class_names))

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Returns the probability of each class, `[batch, classes]`.

        Args:
            images: uint8, `[batch, height, width, channels]`, of the network's size.
        """
        return self._predict(images)

    def predict_files(
        self, paths: Iterable[str | Path]
    ) -> Iterator[tuple[str | Path, np.ndarray | ValueError]]:
        """Yields each path with its probabilities, `[classes]`, or why the file has none."""
        for path in paths:
            try:
                yield path, self.predict(read_pixels(path, self.preprocessing)[None])[0]
            except ValueError as error:
                yield path, error


def _format_of(path):
    """Returns the name of the format of a file, and the directory of its SavedModel."""
    if path.is_dir():
        return SAVED_MODEL, path
    runnable = {name: suffix for name, suffix in SUFFIXES.items() if suffix and FORMATS[name].load}
    for name, suffix in sorted(runnable.items(), key=lambda item: -len(item[1])):
        saved_model = path.with_name(path.name.removesuffix(suffix))
        if path.is_file() and path.name.endswith(suffix) and saved_model.is_dir():
            return name, saved_model
    raise ValueError(
        f"{path} is no exported network: a SavedModel's directory, or a file beside it that ends "
        f"in {', '.join(runnable.values())}."
    )
