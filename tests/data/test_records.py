"""Records of TensorFlow Datasets at any position, and what happens when they are damaged."""

import numpy as np
import pytest
import tensorflow as tf
from helpers.animals import NUMBERS, prepare, read, read_in_order

from orc_keras.data.records import RECORD_OVERHEAD, RecordImages


def shards(builder):
    return builder.info.splits["train"].filepaths


@pytest.mark.parametrize("split", NUMBERS)
def test_every_record_is_read_at_its_position(animals, split):
    records = RecordImages(animals, split)
    expected = read_in_order(animals, split)
    assert len(records) == len(expected) == NUMBERS[split]
    assert read(records, range(len(records))) == expected
    order = np.random.default_rng(0).integers(0, len(records), 40)
    assert read(records, order) == [expected[position] for position in order]


def test_other_formats_are_refused(tmp_path):
    builder = prepare(tmp_path, shards=1, file_format="parquet")
    with pytest.raises(ValueError, match="in the format parquet; .* from the format tfrecord only"):
        RecordImages(builder, "train")


def test_a_truncated_file(animals_copy):
    path = shards(animals_copy)[1]
    path.write_bytes(path.read_bytes()[:-3])
    number = animals_copy.info.splits["train"].shard_lengths[1]
    message = f"{path} is damaged: it does not hold {number} whole records."
    with pytest.raises(ValueError, match=message):
        RecordImages(animals_copy, "train")


def test_a_file_that_lacks_a_record(animals_copy):
    path = shards(animals_copy)[2]
    length = int.from_bytes(path.read_bytes()[:8], "little")
    path.write_bytes(path.read_bytes()[length + RECORD_OVERHEAD :])
    with pytest.raises(ValueError, match=f"{path} is damaged: it does not hold"):
        RecordImages(animals_copy, "train")


@pytest.mark.parametrize("byte", [0, 5])
def test_a_damaged_length(animals_copy, byte):
    path = shards(animals_copy)[1]
    flip(path, byte)
    with pytest.raises(ValueError, match=f"{path} is damaged"):
        RecordImages(animals_copy, "train")


def test_a_missing_file(animals_copy):
    path = shards(animals_copy)[1]
    path.unlink()
    with pytest.raises(FileNotFoundError, match=f"{path}"):
        RecordImages(animals_copy, "train")


def flip(path, byte):
    content = bytearray(path.read_bytes())
    content[byte] ^= 1
    path.write_bytes(content)


def damage_a_byte(path):
    flip(path, 200)


def delete(path):
    path.unlink()


@pytest.mark.parametrize("damage", [damage_a_byte, delete])
def test_damage_while_running(animals_copy, damage):
    records = RecordImages(animals_copy, "train")
    path = shards(animals_copy)[1]
    first, second, _ = animals_copy.info.splits["train"].shard_lengths
    damage(path)
    others = [*range(first), *range(first + second, len(records))]
    assert len(read(records, others)) == len(others)
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"{path} is damaged or unreadable"):
        read(records, range(len(records)))
