"""Reads the SavedModels that a run exports."""

from pathlib import Path

import tensorflow as tf

from orc_keras import startup
from orc_keras.files import without_patterns
from orc_keras.runs import checksums


class SavedModel:
    """A SavedModel that a run has exported.

    Attributes:
        class_names: the names of the classes, in the order of its logits.
        image_shape: height, width and channels of the images that it takes.

    Raises:
        ValueError: if it is not one, or is damaged.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        try:
            checksums.check(self.path)
            with without_patterns(self.path) as plain:
                self._loaded = tf.saved_model.load(plain)
            images = self._loaded.signatures["serving_default"].structured_input_signature[1]
            self.image_shape = tuple(images["images"].shape[1:])
            names = (self.path / "class_names.txt").read_text(encoding="utf-8")
            self.class_names = names.splitlines()
        except Exception as error:  # TensorFlow raises many kinds for damaged files
            raise ValueError(
                f"--saved_model={path} is not a whole SavedModel with class_names.txt, as a run "
                f"writes it to student/:\n{error}"
            ) from error

    def predict(self, contents):
        """Returns `logits`, `probabilities` and `classes` for images.

        Args:
            contents: the bytes of files, strings of shape `[batch]`; or raw images, uint8 of shape
                `[batch, height, width, channels]`.

        Raises:
            ValueError: if a file cannot be decoded; if images are of another size or type.
        """
        contents = tf.convert_to_tensor(contents)
        if contents.dtype not in (tf.string, tf.uint8):
            # TensorFlow would silently cast floats from 0 to 1 to black images.
            raise ValueError(
                f"{self.path} takes images of type uint8, 0 to 255, not {contents.dtype.name}."
            )
        try:
            if contents.dtype == tf.string:
                with startup.silent_stderr():  # libjpeg's warnings of stray bytes
                    return self._loaded.signatures["files"](contents=contents)
            return self._loaded.signatures["serving_default"](images=contents)
        except tf.errors.InvalidArgumentError as error:
            shape = " x ".join(map(str, self.image_shape))
            raise ValueError(
                f"An image cannot be read; {self.path} takes undamaged PNGs, JPEGs, BMPs and "
                f"WebPs, or pixels of {shape}."
            ) from error
