"""What a mini-batch must be, so that a group can learn from it or be evaluated on it."""

import contextlib
import numbers
import os
import re
from collections.abc import Generator, Iterator

import keras
import tensorflow as tf

NOT_FINITE = "Images must be finite numbers, but one has the value"
NO_CLASS = "A label must be one of the classes, a whole number from 0 to {last}, but one is"


@contextlib.contextmanager
def checked(images):
    """What `fit`, `evaluate` and their like run in: what is wrong with the data is a sentence.

    Args:
        images: their first argument.

    Raises:
        ValueError: if it is nothing, a single number or a path, or an empty array; in place of
            `tf.errors.InvalidArgumentError`, if a step has found an image or a label wrong.
    """
    _check_given(images)
    with _in_words():
        yield


def _check_given(images):
    """Refuses what holds no images, before Keras looks for them in it."""
    is_iterator = isinstance(images, Iterator) and not isinstance(images, Generator)
    nothing = str | bytes | os.PathLike | numbers.Number | None
    if isinstance(images, nothing) or is_iterator:
        raise ValueError(
            "Images must be an array, or mini-batches in a tf.data.Dataset, a "
            f"keras.utils.PyDataset or a generator, not {type(images).__name__}."
        )
    is_empty = isinstance(images, tf.data.Dataset) and int(images.cardinality()) == 0
    if is_empty or tuple(getattr(images, "shape", ())[:1]) == (0,):
        raise ValueError("There are no images: nothing to learn from, nothing to evaluate on.")


def unpack(data, image_shape, num_classes):
    """Returns images as floats and labels as integers, or says what is wrong with them.

    What can be known only when the step runs (a label that is no class, an image that has a NaN) is
    an error there, which `checked` turns into a sentence. XLA leaves such checks out.

    Args:
        data: what Keras's `train_step` is given: images `[B, height, width, channels]` and classes
            of shape `[B]` or `[B, 1]`.
        image_shape: height, width and channels, of which any may be None.
        num_classes: C.

    Returns:
        Images in `keras.config.floatx()`, and labels y, int32 of shape `[B]`.

    Raises:
        ValueError: if the labels are missing, if they or the images are not of such a shape or
            type, or if there are weights of samples.
    """
    images, labels, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    if sample_weight is not None:
        raise ValueError("A group does not support sample_weight or class_weight.")
    if labels is None:
        raise ValueError("A group learns from pairs of images and labels, not from images alone.")
    if isinstance(images, dict | list | tuple) or isinstance(labels, dict | list | tuple):
        raise ValueError("A group takes one tensor of images and one of labels, not several.")
    images, labels = map(tf.convert_to_tensor, (images, labels))  # eager steps get arrays
    _check_images(images, image_shape)
    _check_labels(labels)
    images, labels = tf.cast(images, keras.config.floatx()), tf.reshape(labels, [-1])
    with tf.control_dependencies([_check_values(images, labels, num_classes)]):
        return tf.identity(images), tf.identity(tf.cast(labels, tf.int32))


def _check_images(images, image_shape):
    if not images.shape[1:].is_compatible_with(image_shape):
        raise ValueError(
            f"Images must have the shape (batch, {', '.join(map(str, image_shape))}) that the "
            f"members take, not {tuple(images.shape)}."
        )
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


def _check_values(images, labels, num_classes):
    """Returns a tensor that cannot be computed unless all images and all labels fit.

    One branch for both, because on a GPU the step waits for its condition. Labels are looked at
    before they are cast: otherwise 2.5 would become the class 2.
    """
    is_finite = tf.math.is_finite(images)
    is_class = (labels >= 0) & (labels < num_classes)
    if labels.dtype.is_floating:
        is_class &= labels == tf.round(labels)
    no_class = NO_CLASS.format(last=num_classes - 1)

    def complain():
        wrong = [
            tf.debugging.Assert(tf.reduce_all(fits), [sentence, _first_wrong(fits, values)])
            for fits, sentence, values in (
                (is_finite, NOT_FINITE, images),
                (is_class, no_class, labels),
            )
        ]
        with tf.control_dependencies(wrong):
            return tf.constant(False)

    all_fit = tf.reduce_all(is_finite) & tf.reduce_all(is_class)
    return tf.cond(all_fit, lambda: tf.constant(True), complain)


def _first_wrong(fits, values):
    position = tf.argmin(tf.reshape(tf.cast(fits, tf.int32), [-1]))
    return tf.gather(tf.reshape(values, [-1]), position)


@contextlib.contextmanager
def _in_words():
    """Turns the error of a step in which something in the mini-batch was wrong into a sentence."""
    try:
        yield
    except ValueError as error:
        if "Invalid dtype" in str(error):  # Keras's, of text
            raise ValueError(f"Images and labels must be numbers. {error}.") from None
        if "generator must return a tuple" in str(error):  # which shows what it has returned
            raise ValueError("The generator must return pairs of images and labels.") from None
        raise
    except tf.errors.InvalidArgumentError as error:
        for sentence in (NOT_FINITE, NO_CLASS.partition("{")[0]):
            # A graph's message is "[sentence] [[value]]"; one of eager execution has lines.
            found = re.search(rf"{sentence}[^\]'\n]*", error.message)
            value = found and re.search(r"[-+\w.]+", error.message[found.end() :])
            if value:
                raise ValueError(f"{found[0]} {value[0]}.") from None
        raise
