"""The pipeline from the images of a source to normalised mini-batches.

The order and the augmentation of the images are functions of (seed, epoch, position) alone, without
state. So training can start at any step without reading earlier ones, and the mini-batches are the
same on any number of replicas.
"""

import itertools
import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import tensorflow as tf

from orc_keras import startup
from orc_keras.arguments import Range, Seed, check_arguments
from orc_keras.data import keras_cv_layers, order
from orc_keras.data.augmentation import random_resized_crop, shift_and_flip
from orc_keras.data.images import Images, Subset
from orc_keras.data.preprocessing import Preprocessing
from orc_keras.distribution.strategies import Replicas

if TYPE_CHECKING:
    from orc_keras.data.image_data import ImageData

Augmentation = Literal["randaugment", "cutout"]
ONE = Replicas()
CORES = len(startup.cores())
LEAST_STD = 0.1 / 255  # a tenth of a grey level; less would turn one level into noise


def train_batches(
    data: "ImageData",
    batch_size: Annotated[int, Range(at_least=1, at_most=10**6)] = 64,
    seed: Seed = 0,
    augmentation: tuple[Augmentation, ...] = (),
    *,
    first_step: int = 0,
    replicas: Replicas = ONE,
    endless: bool = True,
) -> tf.data.Dataset:
    """Returns endless shuffled mini-batches, in a new order each epoch.

    An epoch has `len(data.train) // batch_size` of them; the incomplete last one is dropped. For
    several replicas here, a mini-batch comes as their parts, one after the other.

    Args:
        data: the images.
        batch_size: Images in a mini-batch (B), over all replicas.
        seed: Seed of all that is random: here, of the order and the augmentation.
        augmentation: What happens to training images besides --crop_flip: randaugment, cutout.
        first_step: the mini-batch to start with, counted from the start of the first epoch.
        replicas: to feed.
        endless: whether epoch follows epoch. If not, each iteration is an epoch, the next one.

    Returns:
        (images, labels): float32 `[batch, height, width, channels]` and int32 `[batch]`.

    Raises:
        ValueError: if a mini-batch is larger than the training set, or not divisible by the
            replicas.
    """
    if batch_size > len(data.train):
        raise ValueError(f"batch_size must be 1 to {len(data.train):,}, not {batch_size:,}.")
    check_arguments(train_batches, dict(seed=seed, augmentation=augmentation))
    _check_batch_size(batch_size, replicas)
    steps_per_epoch = len(data.train) // batch_size
    flip, crop_or_shift = data.augmentation == "crop_and_flip", data.augmentation != "none"

    def samples(number):
        step, position = _step_and_positions(number, batch_size, replicas)
        position += step % steps_per_epoch * batch_size
        return order.sample(seed, step // steps_per_epoch, position, len(data.train))

    def crop(raw, seed):
        if data.resized and crop_or_shift:
            return random_resized_crop(raw, seed, data.image_shape, flip)
        return data.preprocessing.pixels(raw)

    def augment(images, labels, seeds):
        if crop_or_shift and not data.resized:
            images = shift_and_flip(images, seeds, flip)
        if augmentation:
            images = keras_cv_layers.augment(images, seeds, augmentation)
        return data.preprocessing.normalise(images), labels

    endless_steps = tf.data.Dataset.counter(first_step * replicas.local)
    steps = endless_steps if endless else _steps_of_next_epoch(steps_per_epoch)
    indices, size = steps.map(samples), batch_size // replicas.total
    batches = _read(data.train, data.resized, indices, crop, size)
    batches = _mapped(batches, augment).prefetch(tf.data.AUTOTUNE)
    if endless:
        return batches
    return batches.apply(tf.data.experimental.assert_cardinality(steps_per_epoch))


def _steps_of_next_epoch(steps):
    """Returns the numbers of an epoch's steps, which are the next epoch's in each iteration."""
    epochs = itertools.count()
    epoch = tf.data.Dataset.from_generator(
        lambda: [next(epochs)], output_signature=tf.TensorSpec([], tf.int64)
    )

    def numbers(epoch: Any) -> tf.data.Dataset:
        return tf.data.Dataset.range(epoch * steps, (epoch + 1) * steps)

    return epoch.flat_map(numbers)


def held_out_batches(
    data: "ImageData", batch_size: int, replicas: Replicas = ONE, images: Images | None = None
) -> tf.data.Dataset:
    """Returns mini-batches of the held-out images in order, each once; the last may be smaller.

    With several replicas every part is whole, because TensorFlow's fused convolutions fail on an
    empty one: the last image is repeated with weight 0, and weights are the third element.

    Args:
        data: the images.
        batch_size: images in a mini-batch, over all replicas.
        replicas: to feed.
        images: others than the held-out ones, such as `data.validation`.
    """
    batches = _as_evaluated(images or data.held_out, data.preprocessing, batch_size, replicas)

    def normalised(images, labels, *weights):
        return data.preprocessing.normalise(images), labels, *weights

    return _mapped(batches, normalised).prefetch(tf.data.AUTOTUNE)


def held_out_pixels(
    data: "ImageData", indices: Sequence[int], batch_size: int = 64, images: Images | None = None
) -> tf.data.Dataset:
    """Returns mini-batches of some held-out images, or of `images`, cropped as in evaluation.

    They are uint8.
    """
    subset = Subset(images or data.held_out, np.asarray(indices, np.int64))
    return _as_evaluated(subset, data.preprocessing, batch_size)


def statistics(
    images: Images, preprocessing: Preprocessing, most: int = 2000
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns mean and standard deviation of each channel, with pixels scaled to 0..1.

    They are computed from at most `most` images, evenly spaced, cropped as in evaluation. The
    deviation of a channel that is constant is 1, with a warning.
    """
    subset = Subset(images, np.linspace(0, len(images) - 1, min(most, len(images)), dtype=np.int64))
    height, width, channels = preprocessing.image_shape
    sums, number = np.zeros((2, channels)), 0
    batch_size = min(64, max(1, 2**24 // (height * width)))  # few large ones at a time
    with startup.silent_stderr():  # libjpeg's warnings of stray bytes
        for batch, _ in _as_evaluated(subset, preprocessing, batch_size).as_numpy_iterator():
            pixels = batch.reshape(-1, channels) / 255
            sums += pixels.sum(axis=0), (pixels**2).sum(axis=0)
            number += len(pixels)
    mean, mean_square = sums / number
    std = np.sqrt(np.maximum(mean_square - mean**2, 0))
    for channel in np.flatnonzero(std < LEAST_STD):
        std[channel] = 1
        message = f"Channel {channel} is the same in all images, so it is not scaled."
        warnings.warn(message, stacklevel=2)
    return tuple(map(float, mean)), tuple(map(float, std))


def _as_evaluated(images, preprocessing, batch_size, replicas=ONE):
    """Returns uint8 images, cropped as in evaluation, labels and, for several replicas, weights."""
    _check_batch_size(batch_size, replicas)
    number_of_batches = math.ceil(len(images) / batch_size) * replicas.local
    weighted = replicas.total > 1

    def samples(number):
        step, position = _step_and_positions(number, batch_size, replicas)
        index = step * batch_size + position
        exists = index < len(images)
        if not weighted:
            index, exists = tf.boolean_mask(index, exists), tf.boolean_mask(exists, exists)
        return tf.minimum(index, len(images) - 1), tf.cast(exists, tf.float32)

    def crop(raw, _):
        return preprocessing.pixels(raw)

    indices = tf.data.Dataset.range(number_of_batches).map(samples)
    batches = _read(
        images, preprocessing.crop is not None, indices, crop, batch_size // replicas.total
    )
    if not weighted:
        batches = batches.map(lambda images, labels, _: (images, labels))
    # Keras warns of a dataset of unknown length.
    return batches.apply(tf.data.experimental.assert_cardinality(number_of_batches))


def _check_batch_size(batch_size, replicas):
    check_arguments(train_batches, dict(batch_size=batch_size))
    if batch_size % replicas.total:
        raise ValueError(f"batch_size={batch_size} is not divisible by {replicas.total} replicas.")


def _step_and_positions(number, batch_size, replicas):
    """Returns the step of a local part, and its positions in the mini-batch of that step."""
    size = batch_size // replicas.total
    begin = (replicas.first + number % replicas.local) * size
    return number // replicas.local, begin + tf.range(size, dtype=tf.int64)


def _read(images, resized, indices, crop, batch_size):
    """Maps (indices, seeds) to (images, labels, seeds), by whole mini-batches if possible."""
    indices = indices.with_options(_options())

    if images.reads_batches and not resized:
        return _mapped(indices, lambda index, seed: (*images.read(index), seed))

    def read(index, seed):
        raw, label = images.read(index)
        return crop(raw, seed), label, seed

    return _mapped(indices.unbatch(), read).batch(batch_size, num_parallel_calls=CORES)


def _options():
    options = tf.data.Options()
    # The default optimisations would copy all images in memory, and make nothing here faster.
    options.experimental_optimization.apply_default_optimizations = False
    # The tuner sleeps for up to a minute at a time, and an iterator cannot be deleted until it
    # wakes up: `fit` would return half a minute late. Its result here is one call for each core.
    options.autotune.enabled = False
    return options


def _mapped(dataset: tf.data.Dataset, function: Any) -> tf.data.Dataset:
    return dataset.map(function, num_parallel_calls=CORES)
