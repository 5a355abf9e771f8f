"""Reads the SavedModels that a run exports."""

import re
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from orc_keras import checksums, startup
from orc_keras.data.images import check_class_names
from orc_keras.files import check_kinds, read, without_patterns

# Operations that may touch files, run Python or reach other machines.
OUTSIDE = re.compile(
    "File|PyFunc|Dataset|Reader|Save|Restore|Checkpoint|Remap|Print|Summary|Event|Debug|Rpc|Remote"
)
SAVER = {"SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename"}  # of its own variables


def check(path: Path) -> None:
    """Raises ValueError if a SavedModel, which may be a stranger's, touches more than tensors."""
    check_kinds(path)
    parse = saved_model_pb2.SavedModel.FromString
    for graph in read(path / "saved_model.pb", lambda file: parse(file.read_bytes())).meta_graphs:
        library = graph.graph_def.library.function
        attributes = [a for f in library for node in f.node_def for a in node.attr.values()]
        called = {each.name for a in attributes for each in (a.func, *a.list.func)}
        called |= {*graph.object_graph_def.concrete_functions}
        functions = {f.signature.name: f.node_def for f in library} | {"": graph.graph_def.node}
        for name, nodes in functions.items():
            saves = name and name not in called and graph.HasField("object_graph_def")
            found = {node.op for node in nodes if OUTSIDE.search(node.op)}
            if found := sorted(found - SAVER if saves else found):
                raise ValueError(
                    f"{path} has operations that reach out of it ({', '.join(found)}), which no "
                    "network needs; it is not loaded."
                )


def read_class_names(path: Path) -> list[str]:
    """Returns the names of the classes in the order of the logits; ValueError if damaged."""

    def parse(file: Path) -> list[str]:
        names = file.read_text("utf-8").splitlines()
        check_class_names(names, "It")
        return names

    return read(path / "class_names.txt", parse)


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
            checksums.check_exported(self.path, self.path)
            check(self.path)
            with without_patterns(self.path) as plain:
                self._loaded = tf.saved_model.load(plain)
            images = self._loaded.signatures["serving_default"].structured_input_signature[1]
            self.image_shape = tuple(images["images"].shape[1:])
            self.class_names = read_class_names(self.path)
            self._check_answers()
        except Exception as error:  # TensorFlow raises many kinds for damaged files
            raise ValueError(
                f"--saved_model={path} is not a whole SavedModel with class_names.txt, as a run "
                f"writes it to student/:\n{error}"
            ) from error

    def _check_answers(self):
        """Raises some exception unless both signatures give an image a logit of each class."""
        blank = np.zeros((1, *self.image_shape), np.uint8)
        for images in (blank, [tf.io.encode_png(blank[0])]):
            shape = tuple(self.predict(images)["logits"].shape)
            if shape != (1, len(self.class_names)):
                raise ValueError(f"It gives {len(self.class_names)} classes {shape} logits.")

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
