"""From images at their source to the normalised mini-batches that a network sees.

The order of the images and the augmentation of each are a function of (seed, epoch, position)
alone: no state is carried along. So training can begin at any step without reading what came
before it, and sees the same mini-batches on any number of replicas.
"""

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from orc_keras import startup
from orc_keras.arguments import SEED
from orc_keras.data import arguments, decoding, keras_cv_layers, order
from orc_keras.data.augmentation import shift_and_flip
from orc_keras.data.images import Subset, decoded


class Replicas(NamedTuple):
    """The replicas that a process feeds, each of which gets its part of every mini-batch.

    Attributes:
        first: the first of them.
        here: how many they are.
        all: how many there are in all processes.
    """

    first: int = 0
    here: int = 1
    all: int = 1


ONE = Replicas()


def train_batches(data, batch_size, seed, first_step=0, augmentation=(), replicas=ONE):
    """Shuffled mini-batches without end, in another order each epoch.

    An epoch has `len(data.train) // batch_size` of them: the incomplete last one is dropped. With
    several replicas here, each mini-batch comes in their parts, one after the other.

    Args:
        data: `ImageData`.
        batch_size: images in a mini-batch, over all replicas.
        seed: of the order and the augmentation.
        first_step: the mini-batch to begin with, counted from the first of the first epoch.
        augmentation: of `randaugment` and `cutout`, what is done besides `data.augmentation`.
        replicas: those that the mini-batches are for.

    Returns:
        A `tf.data.Dataset` of (images, labels): float32 `[batch, height, width, channels]` and
        int32 `[batch]`.

    Raises:
        ValueError: if there are fewer images than a mini-batch has, or the replicas do not divide
            it.
    """
    if not 0 < batch_size <= len(data.train):
        raise ValueError(f"batch_size must be 1 to {len(data.train):,}, not {batch_size:,}.")
    SEED.check("seed", seed)
    arguments.check(augmentation=augmentation)
    part = _part(batch_size, replicas)
    steps_per_epoch = len(data.train) // batch_size

    def samples(number):
        step, replica = number // replicas.here, replicas.first + number % replicas.here
        position = step % steps_per_epoch * batch_size + replica * part
        position += tf.range(part, dtype=tf.int64)
        return order.sample(seed, step // steps_per_epoch, position, len(data.train))

    def one(raw, seed):
        if not data.resized:
            return decoded(raw, data.image_shape)
        if data.augmentation == "none":
            return decoding.central_window(raw, data.image_shape)
        flip = data.augmentation == "crop_and_flip"
        return decoding.random_window(raw, seed, data.image_shape, flip)

    def augmented(images, labels, seeds):
        if not data.resized and data.augmentation != "none":
            images = shift_and_flip(images, seeds, data.augmentation == "crop_and_flip")
        if augmentation:
            images = keras_cv_layers.augment(images, seeds, augmentation)
        return normalise(images, data.mean, data.std), labels

    parts = tf.data.Dataset.counter(first_step * replicas.here)
    batches = _read(data.train, data.resized, parts.map(samples), one, part)
    return _mapped(batches, augmented).prefetch(tf.data.AUTOTUNE)


def held_out_batches(data, batch_size, replicas=ONE):
    """The held-out images in order, each once; the last mini-batch may be smaller.

    With several replicas, parts of the last mini-batch may be smaller than others, or empty.
    """
    batches = _as_evaluated(data.held_out, data.image_shape, data.resized, batch_size, replicas)

    def normalised(images, labels):
        return normalise(images, data.mean, data.std), labels

    return _mapped(batches, normalised).prefetch(tf.data.AUTOTUNE)


def held_out_pixels(data, indices, batch_size=64):
    """Some of the held-out images as evaluation cuts them, but uint8; in mini-batches with labels.

    Args:
        data: `ImageData`.
        indices: of the images.
        batch_size: images in a mini-batch.
    """
    some = Subset(data.held_out, np.asarray(indices, np.int64))
    return _as_evaluated(some, data.image_shape, data.resized, batch_size)


def held_out_files(data, batch_size):
    """The held-out images as files, uncut: mini-batches of strings, of PNGs if they were none."""

    def file(index):
        raw, label = data.held_out.read(index)
        return raw if raw.dtype == tf.string else tf.io.encode_png(raw), label

    images = tf.data.Dataset.range(len(data.held_out))
    return _mapped(images, file).batch(batch_size).prefetch(tf.data.AUTOTUNE)


def normalise(images, mean, std):
    """Turns uint8 images into float32 of mean 0 and standard deviation 1 in each channel.

    Args:
        images: uint8, shape `[batch, height, width, channels]`, of which the last three are static.
        mean: of each channel, where 255 counts as 1.
        std: the standard deviation, likewise.
    """
    width = images.shape[2]
    scale, shift = 1 / (255 * np.array(std)), -np.array(mean) / np.array(std)
    # By rows of the image: broadcasting over the three channels alone is several times slower.
    rows = tf.cast(tf.reshape(images, [-1, width * len(scale)]), tf.float32)
    rows = rows * np.tile(scale, width).astype("f") + np.tile(shift, width).astype("f")
    return tf.reshape(rows, [-1, *images.shape[1:]])


def statistics(images, image_shape, resized, most=2000):
    """Returns mean and standard deviation of each channel, where 255 counts as 1.

    They are those of at most `most` images, evenly spaced, as evaluation shows them.

    Args:
        images: of the training split.
        image_shape: of the mini-batches' images.
        resized: whether the images have to be brought to that shape.
        most: images to look at.
    """
    some = Subset(images, np.linspace(0, len(images) - 1, min(most, len(images)), dtype=np.int64))
    sums, number = np.zeros((2, image_shape[-1])), 0
    batch_size = min(64, max(1, 2**24 // math.prod(image_shape[:2])))  # of large ones few at a time
    batches = _as_evaluated(some, image_shape, resized, batch_size)
    with startup.silent_stderr():  # libjpeg's, of stray bytes in images that can be decoded
        for batch, _ in batches.as_numpy_iterator():
            pixels = batch.reshape(-1, image_shape[-1]) / 255
            sums += pixels.sum(axis=0), (pixels**2).sum(axis=0)
            number += len(pixels)
    mean, mean_square = sums / number
    std = np.sqrt(np.maximum(mean_square - mean**2, 1e-12))  # images of one colour have none
    return tuple(map(float, mean)), tuple(map(float, std))


def _as_evaluated(images, image_shape, resized, batch_size, replicas=ONE):
    """Images and labels in order, uint8, cut as in evaluation."""
    part = _part(batch_size, replicas)
    parts = math.ceil(len(images) / batch_size) * replicas.here

    def one(raw, _):
        window = decoding.central_window if resized else decoded
        return window(raw, image_shape)

    def samples(number):
        step, replica = number // replicas.here, replicas.first + number % replicas.here
        begin = step * batch_size + replica * part
        index = tf.range(tf.minimum(begin, len(images)), tf.minimum(begin + part, len(images)))
        return index, tf.zeros_like(index)

    batches = _read(images, resized, tf.data.Dataset.range(parts).map(samples), one, part)
    batches = batches.map(lambda images, labels, _: (images, labels))
    # Images that were read one by one give no empty part.
    nothing = tf.zeros([0, *image_shape], tf.uint8), tf.zeros([0], tf.int32)
    batches = batches.concatenate(tf.data.Dataset.from_tensors(nothing).repeat()).take(parts)
    # Keras warns of data whose end it does not know.
    return batches.apply(tf.data.experimental.assert_cardinality(parts))


def _part(batch_size, replicas):
    arguments.check(batch_size=batch_size)
    if batch_size % replicas.all:
        raise ValueError(f"batch_size={batch_size} is not divisible by {replicas.all} replicas.")
    return batch_size // replicas.all


def _read(images, resized, samples, one, batch_size):
    """From (indices, seeds) to (images, labels, seeds), by mini-batches where that is possible."""
    options = tf.data.Options()
    # These would copy all images in memory once more, and make nothing here faster.
    options.experimental_optimization.apply_default_optimizations = False
    samples = samples.with_options(options)

    def read(index, seed):
        return *images.read(index), seed

    if images.reads_batches and not resized:
        return _mapped(samples, read)
    # Reading and decoding are two steps: the first may have to be done one after the other.
    one_by_one = _mapped(samples.unbatch(), read)
    windows = _mapped(one_by_one, lambda raw, label, seed: (one(raw, seed), label, seed))
    return windows.batch(batch_size, num_parallel_calls=tf.data.AUTOTUNE)


def _mapped(dataset, function):
    return dataset.map(function, num_parallel_calls=tf.data.AUTOTUNE)
