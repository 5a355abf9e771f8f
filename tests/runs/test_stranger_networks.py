"""Networks in the directory of a run that a stranger has made, checksums and all."""

import shutil
import zipfile

import keras
import pytest
import tensorflow as tf
from helpers.networks import hidden_network
from helpers.signing import sign

from orc_keras import networks
from orc_keras.evaluate import evaluation
from orc_keras.export.exported import ExportedNetwork
from orc_keras.export.member import export_member

GROUP, STUDENT = "checkpoints/group.keras", "student.keras"
CODE = "import pathlib; pathlib.Path(__file__).with_name('marker').touch()"


def archive(config, **parts):
    def write(path):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in {"config.json": config, **parts}.items():
                file.writestr(name, content)

    return write


def vocabulary(path):
    """Writes a network whose vocabulary is to be read from a file outside."""
    words = keras.layers.StringLookup(vocabulary=["a"])
    keras.Sequential([keras.Input((8, 8, 1), dtype="string"), words]).save(path)
    with zipfile.ZipFile(path) as file:
        config = file.read("config.json").decode()
    archive(config.replace('["a"]', '"/etc/passwd"'))(path)


def of_shape(shape, num_classes):
    return lambda path: hidden_network("hidden8", 8, 0, shape, num_classes).save(path)


def of_pixels(path):
    images = keras.Input((8, 8, 1), dtype="uint8")
    logits = keras.layers.Dense(10)(keras.layers.Flatten()(images))
    keras.Model(images, logits).save(path)


SGD = '{"module": "keras.optimizers", "class_name": "SGD", "config": {}, "registered_name": null}'
UNLOADABLE = "cannot be loaded in Keras's safe mode"


@pytest.mark.parametrize(
    ("write", "complaint"),
    [
        (lambda path: zipfile.ZipFile(path, "w").close(), UNLOADABLE),
        (archive("[" * 100_000 + "]" * 100_000), UNLOADABLE),
        (archive("9" * 5000), UNLOADABLE),
        (archive('{"class_name": "Nothing", "module": "none", "config": {}}'), UNLOADABLE),
        (archive("{}", bomb=bytes(2**24)), "'bomb' in it has 16,777,216 bytes unpacked"),
        (vocabulary, "loading of a vocabulary file outside"),
        (archive(SGD, **{"model.weights.h5": ""}), UNLOADABLE),
        (of_pixels, "takes numbers of type uint8"),
        (of_shape((4, 4, 1), 10), r"takes images of shape \(4, 4, 1\)|cannot be loaded: "),
        (of_shape((8, 8, 1), 7), r"has 7 classes|answers with \(1, 7\) probabilities for 10"),
    ],
)
def test_a_network_is_refused_at_every_entrance(run, write, complaint):
    shutil.rmtree(run / "checkpoints")
    write(run / STUDENT)
    sums = (run / "SHA256SUMS").read_text().splitlines(keepends=True)
    (run / "SHA256SUMS").write_text("".join(line for line in sums if GROUP not in line))
    sign(run)
    for entrance in (
        evaluation.evaluate_member,
        lambda run: ExportedNetwork(run / STUDENT),
        lambda run: networks.build(str(run / STUDENT), (8, 8, 1), 10),
    ):
        with pytest.raises(ValueError, match=rf"(?s)^{run / STUDENT} [^\n]*.*({complaint})"):
            entrance(run)


def test_a_group_is_that_of_the_summary(run):
    shutil.copy(run / STUDENT, run / GROUP)
    sign(run)
    with pytest.raises(ValueError, match="group.keras holds no group, but a Functional"):
        evaluation.evaluate_member(run)


def reads_a_file(logits):
    return logits + tf.cast(tf.strings.length(tf.io.read_file("/etc/hostname")), tf.float32) * 0


def maps_a_file(logits):
    mapped = tf.raw_ops.ImmutableConst(
        dtype=tf.uint8, shape=[1], memory_region_name="/etc/hostname"
    )
    return logits + tf.cast(mapped, tf.float32) * 0


def reads_records(logits):
    records = tf.raw_ops.RecordInput(file_pattern="/etc/*")
    return logits + tf.cast(tf.size(records), tf.float32) * 0


def writes_a_file(logits):
    with tf.control_dependencies([tf.raw_ops.WriteFile(filename="written", contents="x")]):
        return tf.identity(logits)


def saves(logits):
    tensors = dict(prefix="written", tensor_names=["x"], shape_and_slices=[""], tensors=[logits])
    with tf.control_dependencies([tf.raw_ops.SaveV2(**tensors)]):
        return tf.identity(logits)


def runs_python(logits):
    return tf.ensure_shape(tf.py_function(lambda each: each, [logits], tf.float32), logits.shape)


@pytest.mark.parametrize(
    "strange", [reads_a_file, maps_a_file, reads_records, writes_a_file, saves, runs_python]
)
def test_a_saved_model_touches_tensors_only(run, strange):
    """It is refused before TensorFlow loads it, and before it is converted."""

    class Strange(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 1), tf.uint8, name="images")])
        def serve(self, images):
            zeros = tf.zeros((1, 10))
            logits = tf.cond(tf.size(images) > 0, lambda: strange(zeros), lambda: zeros)
            return {"logits": logits, "probabilities": logits, "classes": tf.argmax(logits, 1)}

    (run / "student" / "saved_model.pb").unlink()
    tf.saved_model.save(Strange(), run / "student", {"serving_default": Strange().serve})
    sign(run)
    refused = rf"(?s){run / 'student'} has operations that reach out of it \(\w+\), which no net"
    for entrance in (
        lambda: ExportedNetwork(run / "student"),
        lambda: export_member(run, names=["tflite-float16"], measure=False),
    ):
        with pytest.raises(ValueError, match=refused):
            entrance()
