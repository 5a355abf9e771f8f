"""Images per second of the input pipelines: python benchmarks/input_pipeline.py

CIFAR-sized images with the full training augmentation, beside a straightforward pipeline that maps
one image at a time; ImageNet-sized JPEGs with theirs, beside decoding and resizing alone. All are
measured in turns in one process; the medians are printed.

With --memory instead the memory that images take: random images prepared like CIFAR-100, then
loaded as by `--dataset=cifar100`, with the pipelines at work. Printed is the peak of the process,
less what a tenth of the images takes, beside the bytes of the images.
"""

import contextlib
import io
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import common  # first: it keeps TensorFlow's import quiet
import numpy as np
from absl import flags
from PIL import Image

from orc_keras import data
from orc_keras.data.files import FileImages
from orc_keras.data.images import PixelImages

import tensorflow as tf  # isort: skip

MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
AUTOTUNE = tf.data.AUTOTUNE
PAIRS = (("cifar", "cifar, one by one"), ("jpeg", "jpeg, decode and resize alone"))


def define_flags(values):
    to = {"flag_values": values}
    flags.DEFINE_integer("batch_size", 64, "Images in a mini-batch.", 1, **to)
    flags.DEFINE_list("augmentation", [], "Of our pipelines besides: randaugment, cutout.", **to)
    flags.DEFINE_integer("images", 60_000, "Images of 32 x 32; a sixth is held out.", 1, **to)
    flags.DEFINE_integer("jpegs", 256, "How many JPEGs there are.", 1, **to)
    flags.DEFINE_integer("turns", 5, "How often each pipeline is measured.", 1, **to)
    flags.DEFINE_float("seconds", 3.0, "How long it is measured each time.", 0, **to)
    flags.DEFINE_boolean("memory", False, "Measure memory instead.", **to)


def main(values, _=()):
    if values.memory:
        show_memory(values.images)
        return
    rng, batch_size = np.random.default_rng(0), values.batch_size
    with tempfile.TemporaryDirectory() as directory:
        small, one_by_one = cifar(rng, values.images - values.images // 6, batch_size)
        jpegs, alone = imagenet(rng, Path(directory), values.jpegs, batch_size)
        ours = [training(each, batch_size, values.augmentation) for each in (small, jpegs)]
        pipelines = (ours[0], one_by_one, ours[1], alone)
        names = [name for pair in PAIRS for name in pair]
        speeds = measure(dict(zip(names, pipelines)), values.turns, values.seconds)
    print(f"{'pipeline':<46}{'images per second':>18}{'ratio':>8}")
    for pair in PAIRS:
        for name in pair:
            ratio = speeds[name] / speeds[pair[1]]
            print(f"{name:<46}{speeds[name]:>18,.0f}{ratio:>8.2f}")


def cifar(rng, number, batch_size):
    """Images of 32 x 32 x 3, shifted, mirrored and normalised: ours, and a pipeline one by one."""
    pixels = rng.integers(0, 256, (number, 32, 32, 3), dtype=np.uint8)
    labels = rng.integers(0, 100, number).astype(np.int32)

    def one(image, label):
        image = tf.image.random_crop(tf.pad(image, [[4, 4], [4, 4], [0, 0]]), (32, 32, 3))
        image = tf.cast(tf.image.random_flip_left_right(image), tf.float32)
        return (image / 255 - MEAN) / STD, label

    theirs = tf.data.Dataset.from_tensor_slices((pixels, labels)).shuffle(number).repeat()
    theirs = theirs.map(one, AUTOTUNE).batch(batch_size).prefetch(AUTOTUNE)
    return image_data(PixelImages(pixels, labels), (32, 32, 3), resized=False), theirs


def imagenet(rng, directory, number, batch_size):
    """JPEGs of 500 x 375 in files: random windows, resized and mirrored; and resized alone."""
    paths = [directory / f"{number}.jpg" for number in range(number)]
    for path in paths:
        noise = Image.fromarray(rng.integers(0, 256, (94, 125, 3), dtype=np.uint8))
        noise.resize((500, 375), Image.Resampling.BICUBIC).save(path, quality=92)

    def one(path):
        image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        return tf.cast(tf.image.resize(image, (224, 224)), tf.uint8), 0

    alone = tf.data.Dataset.from_tensor_slices([str(path) for path in paths]).repeat()
    alone = alone.map(one, AUTOTUNE).batch(batch_size).prefetch(AUTOTUNE)
    print(f"JPEGs of {np.mean([path.stat().st_size for path in paths]) / 1000:.0f} kB on average.")
    return image_data(FileImages(paths, np.zeros(number)), (224, 224, 3), resized=True), alone


def image_data(images, image_shape, resized):
    """The images with the full training augmentation."""
    names = tuple(map(str, range(100)))
    return data.ImageData(images, images, names, image_shape, MEAN, STD, "crop_and_flip", resized)


def training(image_data, batch_size, augmentation):
    return data.train_batches(image_data, batch_size, seed=0, augmentation=tuple(augmentation))


def measure(pipelines, turns, seconds):
    """Returns the median images per second of each pipeline, run by turns."""
    iterators = {name: iter(pipeline) for name, pipeline in pipelines.items()}
    speeds = {name: [] for name in pipelines}
    for turn in range(turns + 1):
        for name, iterator in iterators.items():
            speed = images_per_second(iterator, seconds)
            if turn:  # the first one warms up
                speeds[name].append(speed)
    return {name: np.median(each) for name, each in speeds.items()}


def images_per_second(iterator, seconds):
    """Draws mini-batches for some seconds; other pipelines only fill their buffers meanwhile."""
    seen, started = 0, time.perf_counter()
    while seen == 0 or time.perf_counter() - started < seconds:
        images, _ = next(iterator)
        seen += len(images)
    return seen / (time.perf_counter() - started)


def show_memory(number):
    fewer = max(number // 10, 200)
    memory, size = peak(number) - peak(fewer), (number - fewer) * 32 * 32 * 3
    print(
        f"{size / 1e6:,.0f} MB of images took {memory / 1e6:,.0f} MB of memory at the peak: "
        f"{memory / size:.2f} times their bytes."
    )


def peak(number):
    """Prepares and loads images, each in a new process; returns the peak of the latter in bytes."""
    with tempfile.TemporaryDirectory() as directory:
        in_new_process(prepare, directory, number)
        return in_new_process(load, directory)


def in_new_process(function, *arguments):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def prepare(directory, number):
    """Writes random images as TensorFlow Datasets would write CIFAR-100 after a download."""
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()
    rng = np.random.default_rng(0)

    def examples(number):
        for i in range(number):
            pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            yield i, {"id": str(i), "image": pixels, "label": i % 100, "coarse_label": 0}

    class Cifar100(tfds.builder_cls("cifar100"), skip_registration=True):  # under the same name
        url_infos = {}

        def _split_generators(self, *_):  # which is how tfds wants it
            return {"train": examples(number - number // 6), "test": examples(number // 6)}

    with contextlib.redirect_stdout(io.StringIO()):
        Cifar100(data_dir=directory).download_and_prepare()


def load(directory):
    """Loads the images and draws from both pipelines; returns the process's peak in bytes."""
    images = data.load("cifar100", directory)
    for pipeline in (data.train_batches(images, 64, seed=0), data.held_out_batches(images, 64)):
        for _ in pipeline.take(50):
            pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    common.start()
