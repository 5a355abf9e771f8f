"""A network as a SavedModel that takes raw images.

`python -m orc_keras.export --run <output_dir> --member <name>` exports any member of a run.
"""

import sys
from pathlib import Path

import keras
import tensorflow as tf
from absl import app, flags

from orc_keras import startup
from orc_keras.data import normalise
from orc_keras.data.decoding import central_window
from orc_keras.data.images import decoded
from orc_keras.run_directory import read_summary


def export_saved_model(network, data, directory):
    """Writes a network as a SavedModel that takes raw images, with two signatures.

    `serving_default` takes `images`, uint8 of shape `[batch, height, width, channels]`, of the
    size that the network was trained on. `files` takes `contents`, strings of shape `[batch]`: the
    bytes of PNGs, JPEGs, BMPs or WebPs, which it cuts and resizes as held-out images were. Both
    return `logits` and `probabilities`, float32 of shape `[batch, classes]`, and `classes`, the
    int64 index of the most probable one, of shape `[batch]`. The names of the classes are beside
    it in `class_names.txt`, one a line.

    Args:
        network: a `keras.Model` from normalised images to logits.
        data: `ImageData.description()`.
        directory: where to write.
    """
    shape = tuple(data["image_shape"])

    def serve(images):
        # A signature does not check the shape when it is called from a file.
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
    names = "".join(f"{name}\n" for name in data["class_names"])
    Path(directory, "class_names.txt").write_text(names, encoding="utf-8")


def export_member(run, member):
    """Exports a member of a finished run as `<run>/<member>/` and `<run>/<member>.keras`.

    Args:
        run: the run's directory.
        member: the member's name, as in the run's summary.

    Returns:
        The SavedModel's directory.

    Raises:
        ValueError: if there is no finished run, no such member, or it has been exported before.
    """
    run = Path(run)
    if not (run / "summary.json").exists():
        raise ValueError(f"--run={run} holds no finished run: it has no summary.json.")
    summary = read_summary(run)
    if member not in summary["members"]:
        possible = ", ".join(summary["members"])
        raise ValueError(f"--member={member} is not in the run; possible are {possible}.")
    for target in (run / member, run / f"{member}.keras"):
        if target.exists():
            raise ValueError(f"{target} exists already; delete it to export {member} again.")
    network = _load_group(run / "checkpoints" / "group.keras").members[member]
    network.save(run / f"{member}.keras")
    export_saved_model(network, summary["data"], run / member)
    return run / member


def _load_group(path):
    try:
        return keras.saving.load_model(path)
    except Exception as error:  # Keras has many for a file that is missing or damaged
        raise ValueError(f"{path} cannot be loaded; it is missing or damaged.") from error


def main(argv):
    startup.log_warnings_only()
    if len(argv) > 1:
        sys.exit(f"orc_keras.export: {argv[1]!r} is not a flag.")
    try:
        directory = export_member(flags.FLAGS.run, flags.FLAGS.member)
        print(f"Wrote {directory}/ (a SavedModel of raw images) and {directory}.keras.")
    except ValueError as error:
        sys.exit(f"orc_keras.export: {error}")


if __name__ == "__main__":
    flags.DEFINE_string("run", None, "Directory of a finished run.", required=True)
    flags.DEFINE_string("member", None, "Name of the member, as in its table.", required=True)
    app.run(main)
