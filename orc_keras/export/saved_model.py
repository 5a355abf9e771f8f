"""Writes networks as SavedModels that take raw images."""

from pathlib import Path

import keras
import tensorflow as tf

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
