"""An exported network, used as it is deployed: from files to probabilities."""

from pathlib import Path

import tensorflow as tf


class SavedModel:
    """A SavedModel that a run has exported.

    Args:
        path: its directory.

    Attributes:
        class_names: in the order of its answers.
        image_shape: height, width and channels of the images that it takes.

    Raises:
        ValueError: if it is not one.
    """

    def __init__(self, path):
        self.path = Path(path)
        try:
            self._loaded = tf.saved_model.load(str(path))  # which the signatures do not keep alive
            self._signature = self._loaded.signatures["files"]
            images = self._loaded.signatures["serving_default"].structured_input_signature[1]
            self.image_shape = tuple(images["images"].shape[1:])
            names = (self.path / "class_names.txt").read_text(encoding="utf-8")
            self.class_names = names.splitlines()
            if len(self.class_names) != self._signature.structured_outputs["logits"].shape[-1]:
                raise ValueError("There is not a name for each class.")
        except Exception as error:  # TensorFlow has many for what is damaged
            raise ValueError(
                f"--saved_model={path} is not a whole SavedModel with class_names.txt, as a run "
                "writes it to student/."
            ) from error

    def answer(self, contents):
        """Returns `logits`, `probabilities` and `classes` for files.

        Args:
            contents: their bytes, strings of shape `[batch]`.

        Raises:
            ValueError: if one cannot be decoded, or has not the size that is needed.
        """
        try:
            return self._signature(contents=tf.convert_to_tensor(contents))
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(f"An image cannot be read; {self.takes}.") from error

    @property
    def takes(self):
        """What an image must be, in words."""
        shape = " x ".join(map(str, self.image_shape))
        return (
            f"{self.path} takes undamaged PNGs, JPEGs, BMPs and WebPs, of {shape} unless it was "
            "trained on images that were resized"
        )
