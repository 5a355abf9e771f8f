"""Checks the mini-batches that a group is trained or evaluated on."""

import contextlib
import numbers
import os
import re
from collections.abc import Generator, Iterator
from typing import Any

import keras
import tensorflow as tf

MOST = 1e9  # of a pixel; far larger ones overflow within a network
NOT_A_PIXEL = f"Images must be numbers from -{MOST:g} to {MOST:g}, but one has the value"
NO_LABEL = "There must be a label for each image of a mini-batch, but the number of labels is"
FEW_WEIGHTS = "There must be a sample_weight for each image of a mini-batch, but their number is"
NO_WEIGHT = "sample_weight must be finite and 0 or more, but one is"
WRONG_SHAPE = "Images must have the shape (batch, {}) that the members take, not ({})."
NO_CLASS = "A label must be one of the classes, a whole number from 0 to {last}, but one is"


@contextlib.contextmanager
def validate_data(images: Any) -> Iterator[None]:
    """A context for `fit`, `evaluate` and the like that reports wrong data in one sentence.

    Args:
        images: their first argument.

    Raises:
        ValueError: if it is None, a number, a path or text, an iterator, or empty; in place of
            `tf.errors.InvalidArgumentError`, if a step finds an image or a label wrong.
    """
    _check_given(images)
    with _translate_errors():
        yield


def _check_given(images):
    """Refuses what cannot hold images, before Keras looks for some in it."""
    is_iterator = isinstance(images, Iterator) and not isinstance(images, Generator)
    nothing = str | bytes | os.PathLike | numbers.Number | None
    if isinstance(images, nothing) or is_iterator or getattr(images, "shape", None) == ():
        raise ValueError(
            "Images must be an array, or mini-batches in a tf.data.Dataset, a "
            f"keras.utils.PyDataset or a generator, not {type(images).__name__}."
        )
    is_empty = isinstance(images, tf.data.Dataset) and int(images.cardinality()) == 0
    if is_empty or tuple(getattr(images, "shape", ())[:1]) == (0,):
        raise ValueError("There are no images: nothing to learn from, nothing to evaluate on.")


def unpack(
    data: Any, image_shape: tuple[int | None, ...], num_classes: int
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor | None]:
    """Returns images as floats and labels as integers, after checking both.

    Values, and sizes unknown before, are checked when the step runs: a label out of range or a NaN
    in an image raises an error there, which `validate_data` turns into a sentence. XLA drops these
    checks.

    Args:
        data: the argument of Keras's `train_step`: images `[B, height, width, channels]` and
            classes of shape `[B]` or `[B, 1]`; perhaps weights, of the same shape, 0 or more.
        image_shape: height, width and channels, any of which may be None.
        num_classes: C.

    Returns:
        Images in float32; labels y, int32 of shape `[B]`; and weights w, float32 of
        shape `[B]`, or None if there are none.

    Raises:
        ValueError: if the labels are missing, or if images, labels or weights have another shape or
            type.
    """
    images, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
    if labels is None:
        raise ValueError("A group learns from pairs of images and labels, not from images alone.")
    if isinstance(images, dict | list | tuple) or isinstance(labels, dict | list | tuple):
        raise ValueError("A group takes one tensor of images and one of labels, not several.")
    images, labels = map(tf.convert_to_tensor, (images, labels))  # eager steps receive arrays
    _check_images(images, image_shape)
    _check_labels(labels)
    images = tf.ensure_shape(tf.cast(images, tf.float32), (None, *image_shape))
    labels = tf.reshape(labels, [-1])
    weights = None if weights is None else _as_weights(weights)
    for sentence, each in ((NO_LABEL, labels), (FEW_WEIGHTS, weights)):
        if each is not None and not each.shape.is_compatible_with(images.shape[:1]):
            raise ValueError(f"{sentence} {each.shape[0]}.")
    with tf.control_dependencies([_check_values(images, labels, weights, num_classes)]):
        labels = tf.cast(labels, tf.int32)
        weights = None if weights is None else tf.identity(weights)
        return tf.identity(images), tf.identity(labels), weights


def unpack_images(images: Any, image_shape: tuple[int | None, ...]) -> tf.Tensor:
    """Returns images without labels as floats, checked as those in `unpack`."""
    images = tf.convert_to_tensor(images)
    labels = tf.zeros(tf.shape(images)[:1], tf.int32)
    return unpack((images, labels), image_shape, num_classes=1)[0]


def _check_images(images, image_shape):
    if not images.shape[1:].is_compatible_with(image_shape):
        given = (", ".join(map(str, shape)) for shape in (image_shape, images.shape))
        raise ValueError(WRONG_SHAPE.format(*given))
    if not (images.dtype.is_integer or images.dtype.is_floating or images.dtype.is_bool):
        raise ValueError(f"Images must be numbers, not of type {images.dtype.name}.")


def _check_labels(labels):
    if labels.shape.rank not in (None, 1) and labels.shape[1:] != (1,):
        raise ValueError(
            "A label must be the integer class of an image, shape (batch,), but the labels have "
            f"shape {tuple(labels.shape)}."
        )
    if not (labels.dtype.is_integer or labels.dtype.is_floating):
        raise ValueError(
            f"A label must be the integer class of an image, not of type {labels.dtype.name}."
        )


def _as_weights(weights):
    """Returns the weights of samples as float32 `[B]`, after checking their shape."""
    weights = tf.convert_to_tensor(weights)
    if weights.shape.rank not in (None, 1) and weights.shape[1:] != (1,):
        raise ValueError(
            "sample_weight must be a number for each image, shape (batch,), but it has the shape "
            f"{tuple(weights.shape)}."
        )
    return tf.reshape(tf.cast(weights, tf.float32), [-1])


def _check_values(images, labels, weights, num_classes):
    """Returns a tensor whose computation fails unless all values are valid.

    One branch for all, because a GPU step waits for each condition. Labels are compared as float64,
    which keeps 2.5, and holds C, which int8 may not.
    """
    batch_size = tf.shape(images)[0]
    weights = tf.ones([batch_size]) if weights is None else weights
    has_labels, has_weights = tf.size(labels) == batch_size, tf.size(weights) == batch_size
    is_weight = tf.math.is_finite(weights) & (weights >= 0)
    is_pixel = tf.abs(images) <= MOST  # NaN is not
    exact = tf.cast(labels, tf.float64)
    is_class = (exact >= 0) & (exact < num_classes) & (exact == tf.round(exact))
    no_class = NO_CLASS.format(last=num_classes - 1)

    def complain():
        wrong = [
            tf.debugging.Assert(tf.reduce_all(fits), [sentence, _first_wrong(fits, values)])
            for fits, sentence, values in (
                (is_pixel, NOT_A_PIXEL, images),
                (is_class, no_class, labels),
                (is_weight, NO_WEIGHT, weights),
                (has_labels, NO_LABEL, tf.size(labels)),
                (has_weights, FEW_WEIGHTS, tf.size(weights)),
            )
        ]
        with tf.control_dependencies(wrong):
            return tf.constant(False)

    all_fit = [tf.reduce_all(each) for each in (is_pixel, is_class, is_weight)]
    all_fit += [has_labels, has_weights]
    return tf.cond(tf.reduce_all(all_fit), lambda: tf.constant(True), complain)


def _first_wrong(fits, values):
    """Returns the first wrong value, `[1]`; `[0]` if there is none."""
    return tf.boolean_mask(tf.reshape(values, [-1]), tf.reshape(~fits, [-1]))[:1]


@contextlib.contextmanager
def _translate_errors():
    """Turns the error that a wrong mini-batch causes in a step into one sentence."""
    try:
        yield
    except ValueError as error:
        if "Invalid dtype" in str(error):  # Keras's error for text
            raise ValueError(f"Images and labels must be numbers. {error}.") from None
        if "generator must return a tuple" in str(error):  # Keras's, with the whole value
            raise ValueError("The generator must return pairs of images and labels.") from None
        raise
    except tf.errors.InvalidArgumentError as error:
        shapes = re.search(
            r"\[([\d,]*)\] is not compatible with expected .*\[\?,(.*?)\]", str(error)
        )
        if shapes and "user-defined function" not in error.message:  # of our `tf.ensure_shape`
            given, expected = (text.replace(",", ", ") for text in shapes.groups())
            raise ValueError(WRONG_SHAPE.format(expected, given)) from None
        no_class = NO_CLASS.partition("{")[0]
        for sentence in (NO_LABEL, FEW_WEIGHTS, NOT_A_PIXEL, no_class, NO_WEIGHT):
            # In a graph the message is "[sentence] [[value]]"; eager execution adds lines.
            found = re.search(rf"{re.escape(sentence)}[^\]'\n]*", error.message)
            if found and (value := re.search(r"[-+\w.]+", error.message[found.end() :])):
                raise ValueError(f"{found[0]} {value[0]}.") from None
        raise
