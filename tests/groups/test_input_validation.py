"""What is wrong with images and labels is a sentence, for every method, in graphs and eagerly."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers.networks import hidden_group_members, linear_network

import orc_keras
from orc_keras.groups import METHODS


def with_label(value, dtype=np.float32):
    def spoil(images, labels):
        labels = labels.astype(dtype)
        labels[5] = value
        return images, labels

    return spoil


def with_pixel(value):
    def spoil(images, labels):
        images = images.copy()
        images[3, 1, 2, 0] = value
        return images, labels

    return spoil


CLASSES = "must be one of the classes, a whole number from 0 to 4, but one is"
PIXELS = r"Images must be numbers from -1e\+09 to 1e\+09, but one has the value"
SPOILT = {
    "half": (with_label(2.5), f"{CLASSES} 2.5"),
    "nan label": (with_label(np.nan), f"{CLASSES} nan"),
    "too large": (with_label(5, np.int64), f"{CLASSES} 5"),
    "negative": (with_label(-1, np.int32), f"{CLASSES} -1"),
    "nan": (with_pixel(np.nan), f"{PIXELS} nan"),
    "infinite": (with_pixel(-np.inf), f"{PIXELS} -inf"),
    "huge": (with_pixel(1e38), rf"{PIXELS} 1e\+38"),
}


@pytest.fixture(scope="module", params=list(METHODS.values()))
def eager_group(request):
    pivot, students = hidden_group_members()
    group = request.param(pivot, students)
    group.compile("sgd", run_eagerly=True)
    return group


@pytest.mark.parametrize("what", SPOILT)
def test_what_cannot_be_learnt_changes_nothing(eager_group, examples, what):
    spoil, message = SPOILT[what]
    images, labels = spoil(*examples)
    before = eager_group.get_weights()
    for act in (eager_group.train_on_batch, eager_group.test_on_batch):
        with pytest.raises(ValueError, match=message):
            act(images[:8], labels[:8])
    for ours, theirs in zip(eager_group.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("what", SPOILT)
def test_in_a_graph_too(group, examples, what):
    spoil, message = SPOILT[what]
    data = tf.data.Dataset.from_tensor_slices(spoil(*examples)).batch(8)
    with pytest.raises(ValueError, match=rf"^[^\n]*{message}\.$"):
        group.evaluate(data, verbose=0)
    if message.startswith(PIXELS):
        with pytest.raises(ValueError, match=rf"^{message}\.$"):
            group.predict(data, verbose=0)


def mini_batches(*sizes, labels=8, weights=8, known=False):
    """Mini-batches of square images, whose sizes TensorFlow knows beforehand or not."""
    images = [np.zeros((8, size, size, 1), np.float32) for size in sizes]
    shapes = [images[0].shape, (labels,), (weights,)]
    kinds = [tf.TensorSpec(s if known else [None] * len(s), tf.float32) for s in shapes]
    return tf.data.Dataset.from_generator(
        lambda: ((each, np.zeros(labels), np.ones(weights)) for each in images),
        output_signature=tuple(kinds),
    )


@pytest.mark.parametrize(
    "data, message",
    [
        (mini_batches(4, 6), r"shape \(batch, 4, 4, 1\) that the members take, not \(8, 6, 6, 1\)"),
        (mini_batches(4, labels=6), "a label for each image .* the number of labels is 6"),
        (mini_batches(4, labels=0), "a label for each image .* the number of labels is 0"),
        (mini_batches(4, weights=1), "a sample_weight for each image .* their number is 1"),
        (mini_batches(4, labels=6, known=True), "the number of labels is 6"),
        (mini_batches(4, weights=1, known=True), "a sample_weight for each .* number is 1"),
    ],
)
def test_sizes_that_do_not_fit(data, message):
    """Of networks that compute with images of any size, and with one weight for all."""

    def network():
        pooling = keras.layers.GlobalAveragePooling2D()
        return keras.Sequential([keras.Input((4, 4, 1)), pooling, keras.layers.Dense(5)])

    group = orc_keras.OnlineRoleChange(network(), [network(), network()])
    group.compile("sgd")
    for act in (group.fit, group.evaluate):
        with pytest.raises(ValueError, match=rf"^[^\n]*{message}\.$"):
            act(data, verbose=0)


def test_images_of_another_size_in_an_optimised_graph(group):
    """Whose messages have other names of tensors."""
    set_options = tf.config.optimizer.set_experimental_options
    set_options({"disable_meta_optimizer": False})
    try:
        with pytest.raises(ValueError, match=r"^Images must have .* not \(8, 6, 6, 1\)\.$"):
            group.evaluate(mini_batches(4, 6), verbose=0)
    finally:
        set_options({"disable_meta_optimizer": True})


def test_what_the_data_itself_refuses_is_not_the_members(group):
    def of_six(images, labels, _):
        return images, tf.ensure_shape(tf.reshape(labels, [2, -1]), [None, 3])[0]

    data = mini_batches(4).map(of_six)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Error in user-defined function"):
        group.evaluate(data, verbose=0)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "float16"])
def test_labels_of_types_that_do_not_hold_the_number_of_classes(dtype):
    networks = [linear_network(num_classes=256, seed=seed) for seed in range(3)]
    group = orc_keras.OnlineRoleChange(networks[0], networks[1:])
    group.compile("sgd", run_eagerly=True)
    images, labels = np.zeros((2, 4, 4, 1)), np.array([0, 100], dtype)
    expected = group.test_on_batch(images, labels.astype("int64"))
    np.testing.assert_array_equal(group.test_on_batch(images, labels), expected)


def test_while_it_trains(group, examples, strategy):
    """On one device and on two; a whole number may be a float, as NumPy's readers give them."""
    images, labels = examples
    with strategy.scope():
        group = orc_keras.Alone(*hidden_group_members())
        group.compile("sgd")
    group.fit(images, labels.astype(np.float64), batch_size=16, verbose=0)
    with pytest.raises(ValueError, match=f"{CLASSES} 2.5"):
        group.fit(*with_label(2.5, np.float64)(*examples), batch_size=16, verbose=0)


def no_mini_batch():
    yield from ()


@pytest.mark.parametrize(
    "nothing",
    [
        lambda x, y: dict(x=x[:0], y=y[:0]),
        lambda x, y: dict(x=tf.data.Dataset.from_tensor_slices((x, y)).take(0).batch(8)),
        lambda x, y: dict(
            x=tf.data.Dataset.from_generator(
                no_mini_batch,
                output_signature=(tf.TensorSpec([None, 4, 4, 1]), tf.TensorSpec([None])),
            )
        ),
    ],
)
def test_nothing_is_no_success(eager_group, examples, nothing):
    with pytest.raises(ValueError, match="nothing to learn from"):
        eager_group.fit(**nothing(*examples), verbose=0)
    with pytest.raises(ValueError, match="nothing to evaluate on"):
        eager_group.evaluate(**nothing(*examples), verbose=0)


def test_labels_that_are_no_numbers(eager_group, examples):
    names = tf.data.Dataset.from_tensor_slices((examples[0], ["cat"] * 80)).batch(8)
    with pytest.raises(
        ValueError, match="must be the integer class of an image, not of type string"
    ):
        eager_group.fit(names, verbose=0)


@pytest.mark.parametrize(
    "given, named",
    [
        (("mse",), "loss"),
        ({"loss": "mse"}, "loss"),
        ({"metrics": ["accuracy"], "loss_weights": [1]}, "loss_weights, metrics"),
    ],
)
def test_losses_and_metrics_are_the_methods_own(eager_group, given, named):
    by_place, by_name = ((), given) if isinstance(given, dict) else (given, {})
    with pytest.raises(ValueError, match=f"cannot be compiled with {named}: its losses"):
        eager_group.compile("sgd", *by_place, **by_name)
