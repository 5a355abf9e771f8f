"""Members from files."""

import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from helpers.networks import hidden_network, linear_network

import orc_keras
from orc_keras import models, networks

SHAPE, CLASSES = (4, 4, 1), 5
IMAGES = np.random.default_rng(0).normal(size=(6, *SHAPE)).astype(np.float32)


def classifier(*end, last="linear", regularizer=None):
    """A small network with weights of its own; `end` are more layers."""
    return keras.Sequential(
        [
            keras.Input(SHAPE),
            keras.layers.Flatten(),
            keras.layers.Dense(CLASSES, activation=last, kernel_regularizer=regularizer),
            *end,
        ]
    )


def saved(network, tmp_path, name="teacher.keras"):
    network.save(tmp_path / name)
    return str(tmp_path / name)


def built(source, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return networks.build(source, SHAPE, CLASSES, **options)


@pytest.mark.parametrize("source", ["x" * 5000, "~no such user"])
def test_what_cannot_be_a_path_is_a_name(source):
    with pytest.raises(ValueError, match="nknown network"):
        networks.check(source)


def test_a_file_keeps_its_weights_and_gets_its_name(tmp_path):
    network = hidden_network("other", 8)
    member = built(saved(network, tmp_path, "my teacher.keras"))
    assert member.name == "my_teacher"
    np.testing.assert_array_equal(member(IMAGES), network(IMAGES))


def in_sequential(network):
    return keras.Sequential([keras.Input(SHAPE), keras.layers.Rescaling(2.0), network])


def in_functional(network):
    images = keras.Input(SHAPE)
    return keras.Model(images, network(keras.layers.Rescaling(2.0)(images)))


def softmax_as_operation():
    images = keras.Input(SHAPE)
    return keras.Model(images, keras.ops.softmax(classifier()(images)))


@pytest.mark.parametrize(
    "network",
    [
        lambda: classifier(last="softmax"),
        lambda: classifier(keras.layers.Softmax()),
        lambda: classifier(keras.layers.Activation("softmax")),
        softmax_as_operation,
        lambda: in_sequential(classifier(last="softmax")),
        lambda: in_functional(classifier(keras.layers.Softmax())),
        lambda: in_sequential(in_functional(classifier(last="softmax"))),
        lambda: in_functional(in_sequential(softmax_as_operation())),
    ],
)
def test_a_softmax_is_taken_off(tmp_path, network):
    network = network()
    path = saved(network, tmp_path)
    with pytest.warns(UserWarning, match="^teacher: the softmax at its end is removed"):
        member = networks.build(path, SHAPE, CLASSES)
    logits, probabilities = member(IMAGES).numpy(), network(IMAGES).numpy()
    exponentials = np.exp(logits)
    np.testing.assert_allclose(
        exponentials / exponentials.sum(axis=1, keepdims=True), probabilities, rtol=1e-4
    )
    assert np.ptp(logits.sum(axis=1)) > 0.1
    member.save(tmp_path / "again.keras")
    again = keras.saving.load_model(tmp_path / "again.keras")
    np.testing.assert_array_equal(again(IMAGES), logits)


def test_a_softmax_before_the_end_stays(tmp_path):
    images = keras.Input(SHAPE)
    network = keras.Model(images, keras.ops.log(classifier(last="softmax")(images)))
    np.testing.assert_array_equal(built(saved(network, tmp_path))(IMAGES), network(IMAGES))


def test_a_network_for_other_classes_gets_a_new_last_layer(tmp_path):
    network = hidden_network("other", 8, num_classes=7)
    member = built(f"features:{saved(network, tmp_path)}")
    assert member.output_shape == (None, CLASSES) and member.name == "teacher"
    np.testing.assert_array_equal(member.layers[2].kernel, network.layers[2].kernel)
    for other in (classifier(keras.layers.Rescaling(2.0)), in_functional(classifier())):
        with pytest.raises(ValueError, match="last layer is not a fully connected .* inside it"):
            built(f"features:{saved(other, tmp_path)}")


def test_a_network_of_pixels_gets_pixels(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (6, *SHAPE)).astype(np.float32)
    network = hidden_network("other", 8)
    member = built(f"raw:{saved(network, tmp_path)}", mean=(0.3,), std=(0.2,))
    np.testing.assert_allclose(
        member((pixels / 255 - 0.3) / 0.2), network(pixels), rtol=1e-4, atol=1e-3
    )


def test_regularizers_are_taken_off_and_a_group_of_files_learns(tmp_path):
    path = saved(classifier(regularizer="l2"), tmp_path)
    group = orc_keras.OnlineRoleChange(
        built(path), [built(path), built(saved(linear_network(), tmp_path, "small.keras"))]
    )
    group.compile("sgd")
    before = group.pivot.get_weights()[0]
    group.fit(IMAGES, np.arange(6) % CLASSES, verbose=0)
    assert list(group.members) == ["teacher", "teacher_2", "small"]
    assert np.abs(group.pivot.get_weights()[0] - before).max() > 0
    group.save(tmp_path / "group.keras")  # which a file with regularizers could not be part of
    keras.saving.load_model(tmp_path / "group.keras")


def test_a_network_of_any_size_takes_these_images(tmp_path):
    x = inputs = keras.Input((None, None, 1))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(3, 3, padding="same")(x))
    network = keras.Model(inputs, keras.layers.Dense(CLASSES)(x))
    member = built(saved(network, tmp_path))
    assert member.input_shape == (None, *SHAPE)
    np.testing.assert_allclose(member(IMAGES), network(IMAGES), rtol=1e-6)
    kernels = 4 * 4 * 9 * 3 + 3 * CLASSES  # at every position a 3 x 3 kernel, then a matrix
    assert models.flops(member) == 2 * kernels


def two_outputs():
    inputs = keras.Input(SHAPE)
    x = keras.layers.Flatten()(inputs)
    return keras.Model(inputs, [keras.layers.Dense(CLASSES)(x), keras.layers.Dense(CLASSES)(x)])


def not_finite():
    network = linear_network()
    network.set_weights([np.full_like(w, np.nan) for w in network.get_weights()])
    return network


def with_code():
    return classifier(keras.layers.Lambda(lambda x: x))


def a_group():
    return orc_keras.OnlineRoleChange(
        linear_network("a"), [linear_network(name, seed=1) for name in ("b", "c")]
    )


@pytest.mark.parametrize(
    ("network", "complaint"),
    [
        (two_outputs, "must return one tensor of logits"),
        (not_finite, "teacher has NaN or infinite numbers in"),
        (lambda: classifier(last="sigmoid"), "teacher returns probabilities"),
        (
            lambda: in_functional(classifier(keras.layers.Identity(), last="softmax")),
            "teacher returns probabilities",
        ),
        (with_code, "in Keras's safe mode, which runs no code from a file:\n"),
        (a_group, "holds a group, not a network"),
        (lambda: linear_network(num_classes=7), "it has 7 classes, and the images 5"),
        (lambda: linear_network(image_shape=(4, 4, 3)), "it takes images of shape .4, 4, 3."),
    ],
)
def test_files_that_are_refused(tmp_path, network, complaint):
    path = saved(network(), tmp_path)
    with pytest.raises(ValueError, match=complaint) as refused:
        built(path)
    assert "teacher.keras" in str(refused.value)


def test_damaged_and_missing_files_are_refused(tmp_path):
    path = tmp_path / "teacher.keras"
    with pytest.raises(ValueError, match="is not a file"):
        networks.check(str(path))
    with pytest.raises(ValueError, match="student is not a file"):
        networks.check("features:student")
    content = Path(saved(linear_network(), tmp_path)).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="damaged"):
        networks.check(str(path))


def test_files_of_other_formats_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    network = linear_network()
    network.export("teacher", verbose=False)
    network.save("teacher.h5")
    save = 'network.save("teacher.keras").'
    load = 'keras.saving.load_model("teacher.h5", compile=False)'
    for source, parts in {
        "teacher": ("teacher is a SavedModel", save),
        "./teacher": ("teacher is a SavedModel", save),
        "raw:teacher": ("teacher is a SavedModel", save),
        "teacher.h5": ("teacher.h5 is in Keras's older format HDF5", load, save),
        "raw:teacher.h5": ("teacher.h5 is in Keras's older format HDF5", load, save),
        "features:./teacher.h5": ("teacher.h5 is in Keras's older format HDF5", load, save),
        "student.h5": ("student.h5 is not a file", ".keras file", 'save("student.keras")'),
        "a/student.hdf5": ("a/student.hdf5 is not a file", 'save("a/student.keras")'),
    }.items():
        for entrance in (networks.check, built, networks.image_size):
            with pytest.raises(ValueError) as refused:
                entrance(source)
            assert all(part in str(refused.value) for part in parts), source
    (tmp_path / "resnet8").mkdir()
    networks.check("resnet8")  # a name in models/ all the same
    loaded = keras.saving.load_model("teacher.h5", compile=False)  # as the sentence says
    loaded.save("teacher.keras")
    np.testing.assert_allclose(built("teacher.keras")(IMAGES), network(IMAGES), rtol=1e-6)
