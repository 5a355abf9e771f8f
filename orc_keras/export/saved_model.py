"""Writes networks as SavedModels that take raw images, and reads these."""

from pathlib import Path

import keras
import tensorflow as tf

from orc_keras import startup
from orc_keras.data import normalise
from orc_keras.data.decoding import central_window
from orc_keras.data.images import decoded
from orc_keras.runs import checksums
from orc_keras.runs.names import SUMS


def export_saved_model(network, data, directory):
    """Writes a network as a SavedModel that takes raw images, with two signatures.

    `serving_default` takes `images`, uint8 of shape `[batch, height, width, channels]`, of the
    size that the network was trained on. `files` takes `contents`, strings of shape `[batch]`: the
    bytes of PNGs, JPEGs, BMPs or WebPs, which it crops and resizes like held-out images. Both
    return `logits` and `probabilities`, float32 `[batch, classes]`, and `classes`, the most
    probable class, int64 `[batch]`. `class_names.txt` and `SHA256SUMS` lie beside.

    Args:
        network: a `keras.Model` from normalised images to logits.
        data: `ImageData.description()`.
        directory: where to write.
    """
    shape = tuple(data["image_shape"])

    def serve(images):
        # A loaded signature does not check the shape.
        images = tf.ensure_shape(images, [None, *shape])
        normalised = normalise(images, data["mean"], data["std"])
        logits = tf.cast(network(normalised, training=False), tf.float32)
        return {
            "logits": logits,
            "probabilities": tf.nn.softmax(logits),
            "classes": tf.argmax(logits, axis=-1),
        }

    def serve_files(contents):
        window = central_window if data["resized"] else decoded
        one = tf.TensorSpec(shape, tf.uint8)
        return serve(tf.map_fn(lambda raw: window(raw, shape), contents, fn_output_signature=one))

    images = tf.TensorSpec((None, *shape), tf.uint8, name="images")
    contents = tf.TensorSpec((None,), tf.string, name="contents")
    archive = keras.export.ExportArchive()
    archive.track(network)
    archive.add_endpoint("serve", serve, input_signature=[images])
    archive.add_endpoint("files", serve_files, input_signature=[contents])
    archive.write_out(directory, verbose=False)
    _write_beside(data["class_names"], Path(directory))


def _write_beside(class_names, directory):
    """Writes the names of the classes, and then the checksums of all files."""
    lines = "".join(f"{name}\n" for name in class_names)
    (directory / "class_names.txt").write_text(lines, encoding="utf-8")
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    sums = checksums.of({path.relative_to(directory).as_posix(): path for path in files})
    (directory / SUMS).write_text(sums, encoding="utf-8")


class SavedModel:
    """A SavedModel that a run has exported.

    Args:
        path: its directory.

    Attributes:
        class_names: the names of the classes, in the order of its logits.
        image_shape: height, width and channels of the images that it takes.

    Raises:
        ValueError: if it is not one, or is damaged.
    """

    def __init__(self, path):
        self.path = Path(path)
        try:
            for name in checksums.read(path):
                checksums.check(path, name)
            self._loaded = tf.saved_model.load(str(path))
            answers = self._loaded.signatures["files"].structured_outputs
            images = self._loaded.signatures["serving_default"].structured_input_signature[1]
            self.image_shape = tuple(images["images"].shape[1:])
            names = (self.path / "class_names.txt").read_text(encoding="utf-8")
            self.class_names = names.splitlines()
            if len(self.class_names) != answers["logits"].shape[-1]:
                raise ValueError("There is not a name for each class.")
        except Exception as error:  # TensorFlow raises many kinds for damaged files
            reason = f" {error}" if type(error) is ValueError else ""
            raise ValueError(
                f"--saved_model={path} is not a whole SavedModel with class_names.txt, as a run "
                f"writes it to student/.{reason}"
            ) from error

    def answer(self, contents):
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
            raise ValueError(f"An image cannot be read; {self.takes}.") from error

    @property
    def takes(self):
        """A description of the images that it takes, for messages."""
        shape = " x ".join(map(str, self.image_shape))
        return (
            f"{self.path} takes undamaged PNGs, JPEGs, BMPs and WebPs, of {shape} unless it was "
            "trained on images that were resized"
        )
