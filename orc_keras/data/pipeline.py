"""The pipeline from the images of a source to normalised mini-batches.

The order and the augmentation of the images are functions of (seed, epoch, position) alone, without
state. So training can start at any step without reading earlier ones, and the mini-batches are the
same on any number of replicas.
"""

import math
from typing import Annotated, Literal

import numpy as np
import tensorflow as tf

from orc_keras import startup
from orc_keras.arguments import Range, Seed, check_arguments
from orc_keras.data import decoding, keras_cv_layers, order
from orc_keras.data.augmentation import shift_and_flip
from orc_keras.data.images import Subset, decoded
from orc_keras.distribution.strategies import Replicas

ONE = Replicas()
CORES = len(startup.cores())


def train_batches(
    data,
    batch_size: Annotated[int, Range(at_least=1)] = 64,
    seed: Seed = 0,
    augmentation: tuple[Literal["randaugment", "cutout"], ...] = (),
    *,
    first_step: int = 0,
    replicas: Replicas = ONE,
) -> tf.data.Dataset:
    """Returns endless shuffled mini-batches, in a new order each epoch.

    An epoch has `len(data.train) // batch_size` of them; the incomplete last one is dropped. For
    several replicas here, a mini-batch comes as their parts, one after the other.

    Args:
        data: `ImageData`.
        batch_size: Images in a mini-batch (B), over all replicas.
        seed: Seed of all that is random: here, of the order and the augmentation.
        augmentation: What happens to training images besides --crop_flip: randaugment, cutout.
        first_step: the mini-batch to start with, counted from the start of the first epoch.
        replicas: the `Replicas` to feed.

    Returns:
        A `tf.data.Dataset` of (images, labels): float32 `[batch, height, width, channels]` and
        int32 `[batch]`.

    Raises:
        ValueError: if a mini-batch is larger than the training set, or not divisible by the
            replicas.
    """
    if not 0 < batch_size <= len(data.train):
        raise ValueError(f"batch_size must be 1 to {len(data.train):,}, not {batch_size:,}.")
    check_arguments(train_batches, dict(seed=seed, augmentation=augmentation))
    part = _part(batch_size, replicas)
    steps_per_epoch = len(data.train) // batch_size

    def samples(number):
        step, replica = number // replicas.local, replicas.first + number % replicas.local
        position = step % steps_per_epoch * batch_size + replica * part
        position += tf.range(part, dtype=tf.int64)
        return order.sample(seed, step // steps_per_epoch, position, len(data.train))

    one, augmented = _augmentation(data, augmentation)
    parts = tf.data.Dataset.counter(first_step * replicas.local)
    batches = _read(data.train, data.resized, parts.map(samples), one, part)
    return _mapped(batches, augmented).prefetch(tf.data.AUTOTUNE)


def _augmentation(data, more):
    """Returns what happens to one training image, and then to a mini-batch of them."""
    flip = data.augmentation == "crop_and_flip"

    def one(raw, seed):
        if not data.resized:
            return decoded(raw, data.image_shape)
        if data.augmentation == "none":
            return decoding.central_window(raw, data.image_shape)
        return decoding.random_window(raw, seed, data.image_shape, flip)

    def augmented(images, labels, seeds):
        if not data.resized and data.augmentation != "none":
            images = shift_and_flip(images, seeds, flip)
        if more:
            images = keras_cv_layers.augment(images, seeds, more)
        return normalise(images, data.mean, data.std), labels

    return one, augmented


def held_out_batches(data, batch_size, replicas=ONE, images=None):
    """Returns mini-batches of the held-out images in order, each once; the last may be smaller.

    If `images` are given, such as `data.validation`, it is those, as if they had been held out.

    With several replicas every part is whole, because TensorFlow's fused convolutions fail on an
    empty one: the last image is repeated with weight 0, and weights are the third element.
    """
    images = images or data.held_out
    batches = _as_evaluated(images, data.image_shape, data.resized, batch_size, replicas)

    def normalised(images, labels, *weights):
        return normalise(images, data.mean, data.std), labels, *weights

    return _mapped(batches, normalised).prefetch(tf.data.AUTOTUNE)


def held_out_pixels(data, indices, batch_size=64, images=None):
    """Returns some held-out images, cut as in evaluation but uint8, in mini-batches with labels.

    Args:
        data: `ImageData`.
        indices: of the images.
        batch_size: images in a mini-batch.
        images: others than the held-out ones, such as `data.train`.
    """
    some = Subset(images or data.held_out, np.asarray(indices, np.int64))
    return _as_evaluated(some, data.image_shape, data.resized, batch_size)


def held_out_files(data, batch_size):
    """Returns mini-batches of the held-out images as whole files; decoded images become PNGs."""

    def file(index):
        raw, label = data.held_out.read(index)
        return raw if raw.dtype == tf.string else tf.io.encode_png(raw), label

    images = tf.data.Dataset.range(len(data.held_out)).with_options(_options())
    return _mapped(images, file).batch(batch_size).prefetch(tf.data.AUTOTUNE)


def normalise(images, mean, std):
    """Normalises uint8 images to float32 `(images / 255 - mean) / std`.

    Args:
        images: uint8, shape `[batch, height, width, channels]`, the last three static.
        mean: of each channel, with pixels scaled to 0..1.
        std: the standard deviation of each channel, on the same scale.
    """
    width = images.shape[2]
    scale, shift = 1 / (255 * np.array(std)), -np.array(mean) / np.array(std)
    # By image rows: broadcasting over three channels is several times slower.
    rows = tf.cast(tf.reshape(images, [-1, width * len(scale)]), tf.float32)
    rows = rows * np.tile(scale, width).astype("f") + np.tile(shift, width).astype("f")
    return tf.reshape(rows, [-1, *images.shape[1:]])


def statistics(images, image_shape, resized, most=2000):
    """Returns mean and standard deviation of each channel, with pixels scaled to 0..1.

    They are computed from at most `most` images, evenly spaced, cut as in evaluation.

    Args:
        images: of the training split.
        image_shape: of the networks' input.
        resized: whether the images must be resized to that shape.
        most: the largest number of images to use.
    """
    some = Subset(images, np.linspace(0, len(images) - 1, min(most, len(images)), dtype=np.int64))
    sums, number = np.zeros((2, image_shape[-1])), 0
    batch_size = min(64, max(1, 2**24 // math.prod(image_shape[:2])))  # few large ones at a time
    batches = _as_evaluated(some, image_shape, resized, batch_size)
    with startup.silent_stderr():  # libjpeg's warnings of stray bytes
        for batch, _ in batches.as_numpy_iterator():
            pixels = batch.reshape(-1, image_shape[-1]) / 255
            sums += pixels.sum(axis=0), (pixels**2).sum(axis=0)
            number += len(pixels)
    mean, mean_square = sums / number
    std = np.sqrt(np.maximum(mean_square - mean**2, 1e-12))  # constant images have 0
    return tuple(map(float, mean)), tuple(map(float, std))


def _as_evaluated(images, image_shape, resized, batch_size, replicas=ONE):
    """Returns uint8 images and labels, cut as in evaluation; for several replicas weights too."""
    part, number_of_images = _part(batch_size, replicas), len(images)
    parts = math.ceil(number_of_images / batch_size) * replicas.local
    weighted = replicas.total > 1

    def one(raw, _):
        window = decoding.central_window if resized else decoded
        return window(raw, image_shape)

    def samples(number):
        step, replica = number // replicas.local, replicas.first + number % replicas.local
        index = step * batch_size + replica * part + tf.range(part, dtype=tf.int64)
        is_there = index < number_of_images
        if not weighted:
            index, is_there = (tf.boolean_mask(each, is_there) for each in (index, is_there))
        return tf.minimum(index, number_of_images - 1), tf.cast(is_there, tf.float32)

    batches = _read(images, resized, tf.data.Dataset.range(parts).map(samples), one, part)
    if not weighted:
        batches = batches.map(lambda images, labels, _: (images, labels))
    # Keras warns of a dataset of unknown length.
    return batches.apply(tf.data.experimental.assert_cardinality(parts))


def _part(batch_size, replicas):
    check_arguments(train_batches, dict(batch_size=batch_size))
    if batch_size % replicas.total:
        raise ValueError(f"batch_size={batch_size} is not divisible by {replicas.total} replicas.")
    return batch_size // replicas.total


def _read(images, resized, samples, one, batch_size):
    """Maps (indices, seeds) to (images, labels, seeds), by whole mini-batches if possible."""
    samples = samples.with_options(_options())

    def read(index, seed):
        return *images.read(index), seed

    if images.reads_batches and not resized:
        return _mapped(samples, read)
    # Two maps, since reading may be serial (an ArrayRecord is read in Python), decoding is not.
    one_by_one = _mapped(samples.unbatch(), read)
    windows = _mapped(one_by_one, lambda raw, label, seed: (one(raw, seed), label, seed))
    return windows.batch(batch_size, num_parallel_calls=CORES)


def _options():
    options = tf.data.Options()
    # The default optimisations would copy all images in memory, and make nothing here faster.
    options.experimental_optimization.apply_default_optimizations = False
    # The tuner sleeps for up to a minute at a time, and an iterator cannot be deleted until it
    # wakes up: `fit` would return half a minute late. Its result here is one call for each core.
    options.autotune.enabled = False
    return options


def _mapped(dataset, function):
    return dataset.map(function, num_parallel_calls=CORES)
