"""The records of TensorFlow Datasets, in memory or read from disk at any position."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import tensorflow as tf

from orc_keras.data.catalogue import keys
from orc_keras.data.images import NO_CLASS, Images, PixelImages, empty_pixels

RECORD_OVERHEAD = 16  # bytes: a TFRecord's length (8), its checksum (4), the data's checksum (4)


def in_memory(builder: Any, split: str) -> PixelImages:
    """Returns the decoded images of a split, all of one size, in the order of the files."""
    import tensorflow_datasets as tfds

    image, label = keys(builder)
    number, end = builder.info.splits[split].num_examples, 0
    pixels = empty_pixels(number, *builder.info.features[image].shape)
    labels = np.empty(number, np.int32)
    # File by file, the order of RecordImages; no cache, which would take the memory again.
    in_order = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
    batches = builder.as_dataset(
        split=split, batch_size=500, shuffle_files=False, read_config=in_order
    )
    for batch in batches.as_numpy_iterator():
        begin, end = end, end + len(batch[label])
        pixels[begin:end], labels[begin:end] = batch[image], batch[label]
    return PixelImages(pixels[:end], labels[:end])


class RecordImages(Images):
    """The images of a split on disk, in TFRecord files, readable in any order.

    TensorFlow verifies the checksums; Python is not called for each record.

    Raises:
        ValueError: if a file of the split is damaged or has another format.
    """

    def __init__(self, builder: Any, split: str):
        import tensorflow_datasets as tfds

        self._image, self._label = keys(builder)
        self._classes = builder.info.features[self._label].num_classes
        wanted = tfds.decode.PartialDecoding({self._image: True, self._label: True})
        self._features: Any = wanted.extract_features(builder.info.features)
        self._decoders = {self._image: tfds.decode.SkipDecoding()}
        file_format = builder.info.file_format.value
        if file_format != "tfrecord":
            raise ValueError(
                f"{builder.data_dir} is in the format {file_format}; what does not fit into memory "
                "is read from the format tfrecord only."
            )
        info = builder.info.splits[split]
        paths, lengths = list(map(os.fspath, info.filepaths)), info.shard_lengths
        with ThreadPoolExecutor(16) as pool:  # they mostly wait for the disk
            offsets = list(pool.map(_offsets, paths, lengths))
        with tf.device("CPU"):
            self._paths: Any = tf.constant(paths)
            self._offsets: Any = tf.constant(np.concatenate(offsets))
            self._ends = tf.constant(np.cumsum(lengths, dtype=np.int64))

    def __len__(self) -> int:
        return len(self._offsets)

    def read(self, index: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the encoded image as it is stored, and its label."""
        path = self._paths[tf.searchsorted(self._ends, index[None], side="right")[0]]
        record = _record_at(path, self._offsets[index])
        example = self._features.deserialize_example(record, decoders=self._decoders)
        label: Any = tf.cast(example[self._label], tf.int32)
        texts = NO_CLASS.format(label="|", last=self._classes - 1).split("|")
        message = [path, ": ", texts[0], tf.strings.as_string(label), texts[1]]
        is_class = (label >= 0) & (label < self._classes)
        check = tf.debugging.Assert(is_class, [tf.strings.join(message)])
        with tf.control_dependencies([check]):
            return example[self._image], tf.identity(label)


def _record_at(path, offset):
    """Returns the serialized example at an offset; raises an error that names the file."""

    def read(path, offset):
        reader = tf.raw_ops.TFRecordDatasetV2(
            filenames=path[None],
            compression_type="",
            buffer_size=0,  # read only the record
            byte_offsets=offset[None],
        )
        records = tf.data.experimental.from_variant(reader, tf.TensorSpec([], tf.string))
        return records.take(1).get_single_element()

    # TensorFlow's error would not name the file, so an empty string replaces it. The `map`
    # consumes its only element before it fails, so `ignore_errors` does not retry for ever.
    record = tf.data.Dataset.from_tensors((path, offset)).map(read).ignore_errors()
    record = record.concatenate(tf.data.Dataset.from_tensors(b"")).take(1).get_single_element()
    message = [path, " is damaged or unreadable at byte ", tf.strings.as_string(offset)]
    check = tf.debugging.Assert(tf.not_equal(record, b""), [tf.strings.join(message)])
    with tf.control_dependencies([check]):  # before decoding can fail
        return tf.identity(record)


def _offsets(path, number):
    """Returns the offset of each record of a TFRecord file; reads only their lengths."""
    offsets, end, size = [], 0, os.path.getsize(path)
    with open(path, "rb", buffering=0) as file:
        while end < size:
            offsets.append(end)
            end += RECORD_OVERHEAD + int.from_bytes(os.pread(file.fileno(), 8, end), "little")
    if len(offsets) != number or end != size:
        raise ValueError(f"{path} is damaged: it does not hold {number} whole records.")
    return np.array(offsets, np.int64)
