"""A dataset of TensorFlow Datasets that is tiny."""

import io

import numpy as np
import PIL.Image
import tensorflow as tf
import tensorflow_datasets as tfds

from helpers import folders

NUMBERS = {"train": 23, "validation": 7, "test": 5}


def jpeg(rng):
    """A JPEG image of random size."""
    pixels = rng.integers(0, 256, (*rng.integers(8, 40, 2), 3), np.uint8)
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


class TinyAnimals(tfds.core.GeneratorBasedBuilder):
    """Random images of different sizes, and things that are of no use here."""

    VERSION = tfds.core.Version("1.0.0")
    FEATURES = {
        "image": tfds.features.Image(shape=(None, None, 3)),
        "label": tfds.features.ClassLabel(names=["ant", "bee", "cat"]),
        "mask": tfds.features.Image(shape=(None, None, 3)),
    }
    KEYS = None
    numbers = NUMBERS

    def _info(self):
        features = tfds.features.FeaturesDict(self.FEATURES)
        return tfds.core.DatasetInfo(builder=self, features=features, supervised_keys=self.KEYS)

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in self.numbers}

    def _generate_examples(self, split):
        rng = np.random.default_rng(len(split))
        for number in range(self.numbers[split]):
            image = {"image": io.BytesIO(jpeg(rng)), "mask": io.BytesIO(jpeg(rng))}
            yield number, image | {"label": int(rng.integers(3))}


class EqualAnimals(TinyAnimals):
    """Images of one size, which can be in memory."""

    FEATURES = {
        "image": tfds.features.Image(shape=(12, 16, 3)),
        "label": tfds.features.ClassLabel(names=["ant", "bee", "cat"]),
    }
    numbers = {"train": 6, "test": 3}

    def _generate_examples(self, split):
        for i in range(self.numbers[split]):
            yield i, {"image": np.asarray(folders.photo(i)), "label": i % 3}


def prepare(data_dir, shards=3, cls=TinyAnimals, **keywords):
    builder = cls(data_dir=data_dir)
    config = tfds.download.DownloadConfig(num_shards=shards)
    builder.download_and_prepare(download_config=config, **keywords)
    return builder


def read_in_order(builder, split):
    """What TensorFlow Datasets reads by itself."""
    decoders = {"image": tfds.decode.SkipDecoding()}
    one_by_one = tfds.ReadConfig(interleave_cycle_length=1)  # file after file
    examples = builder.as_dataset(
        split=split, decoders=decoders, shuffle_files=False, read_config=one_by_one
    )
    return [(e["image"], int(e["label"])) for e in examples.as_numpy_iterator()]


def read(records, order):
    order = tf.data.Dataset.from_tensor_slices(np.array(order, np.int64))
    examples = order.map(records.read, num_parallel_calls=2)
    return [(image, int(label)) for image, label in examples.as_numpy_iterator()]
