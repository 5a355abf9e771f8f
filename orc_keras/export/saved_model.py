"""SavedModels that take raw images: written, checked and run."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from orc_keras import checksums
from orc_keras.data import Preprocessing
from orc_keras.data.preprocessing import normalise_fixed_size
from orc_keras.files import as_json, check_kinds, read, without_patterns, write_text
from orc_keras.run_files import SUMS

CLASS_NAMES, PREPROCESSING = "class_names.txt", "preprocessing.json"
PHOTO = Path(__file__).parent / "photo.py"
# Operations that may touch files, run Python or reach other machines.
OUTSIDE = re.compile(
    "File|PyFunc|Dataset|Reader|Save|Restore|Checkpoint|Remap|Print|Summary|Event|Debug|Rpc|Remote|"
    "ImmutableConst|Proto|FixedUnigram|Skipgram|Record|Dump|Send|Recv|Collective|Abort"
)
SAVER = {"SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename"}  # of its own variables


def write(network: keras.Model, data: dict[str, Any], directory: Path) -> None:
    """Writes a network as a SavedModel that takes raw images, with two signatures.

    `serving_default` takes `images`, uint8 of shape `[batch, height, width, channels]`, of the
    size that the network was trained on. `files` takes `contents`, strings of shape `[batch]`: the
    bytes of PNGs, JPEGs, BMPs or WebPs, which it crops and resizes like held-out images. Both
    return `logits` and `probabilities`, float32 `[batch, classes]`, and `classes`, the most
    probable class, int64 `[batch]`. Beside lie `class_names.txt`; `preprocessing.json`, how an
    image becomes `images`; `photo.py`, which does it without this project; and `SHA256SUMS`.

    Args:
        network: from normalised images to logits.
        data: `ImageData.description()`.
        directory: to make.
    """
    preprocessing = Preprocessing.from_description(data)
    shape, mean, std = preprocessing.image_shape, preprocessing.mean, preprocessing.std

    def serve(images):
        images = tf.ensure_shape(images, [None, *shape])  # a loaded signature does not check it
        normalised = normalise_fixed_size(images, mean, std)
        logits = tf.cast(network(normalised, training=False), tf.float32)
        return {
            "logits": logits,
            "probabilities": tf.nn.softmax(logits),
            "classes": tf.argmax(logits, axis=-1),
        }

    def serve_files(contents):
        image = tf.TensorSpec(shape, tf.uint8)
        return serve(tf.map_fn(preprocessing.pixels, contents, fn_output_signature=image))

    images = tf.TensorSpec((None, *shape), tf.uint8, name="images")
    contents = tf.TensorSpec((None,), tf.string, name="contents")
    archive: Any = keras.export.ExportArchive()
    archive.track(network)
    archive.add_endpoint("serve", serve, input_signature=[images])
    archive.add_endpoint("files", serve_files, input_signature=[contents])
    archive.write_out(directory, verbose=False)
    write_text(directory / CLASS_NAMES, "".join(f"{name}\n" for name in data["class_names"]))
    write_text(directory / PREPROCESSING, as_json(preprocessing.as_json()))
    shutil.copy(PHOTO, directory)
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    sums = checksums.text({path.relative_to(directory).as_posix(): path for path in files})
    (directory / SUMS).write_text(sums, encoding="utf-8")


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


def load(path: Path) -> Callable:
    """Returns a function from raw images to the outputs of a SavedModel, by name."""
    with without_patterns(path) as plain:
        serve = tf.saved_model.load(plain).signatures["serving_default"]
    return lambda images: serve(images=tf.convert_to_tensor(images))
