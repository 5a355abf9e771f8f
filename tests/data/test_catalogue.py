"""Datasets of TensorFlow Datasets: which there are, and a sentence for what is wrong."""

import errno
import io
import json
import socket
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from helpers.animals import TinyAnimals, jpeg, prepare, read
from tensorflow_datasets.core.download import downloader

from orc_keras import data
from orc_keras.data import catalogue
from orc_keras.data.records import RecordImages


class TinyText(TinyAnimals):
    FEATURES = {"text": tfds.features.Text(), "label": tfds.features.ClassLabel(num_classes=2)}


class TinyOtherKeys(TinyAnimals):
    KEYS = ("photo", "kind")
    FEATURES = {"photo": tfds.features.Image(), "kind": tfds.features.ClassLabel(num_classes=2)}


class TinyFullDisk(TinyAnimals):
    def _generate_examples(self, split):
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Every connection fails, and at once."""

    def refuse(*arguments, **keywords):
        raise OSError("There is no network here.")

    for function in ("create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, function, refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(downloader, "MAX_RETRIES", 0)


@pytest.mark.parametrize(
    "names, held_out",
    [
        ("train test validation extra", ["validation"]),
        ("train test extra", ["test"]),
        ("extra train", []),
    ],
)
def test_the_split_to_hold_out(tmp_path, monkeypatch, names, held_out):
    monkeypatch.setattr(TinyAnimals, "numbers", dict.fromkeys(names.split(), 1))
    assert catalogue.splits(prepare(tmp_path, shards=1)) == ["train", *held_out]


def test_a_dataset_without_training_images(tmp_path, monkeypatch):
    """Without the split, or by a description that leaves out its files."""
    message = "--dataset=tiny_animals has no images of `train` in /"
    monkeypatch.setattr(TinyAnimals, "numbers", {"test": 1})
    with pytest.raises(ValueError, match=message):
        catalogue.splits(prepare(tmp_path / "test", shards=1))
    monkeypatch.setattr(TinyAnimals, "numbers", {"train": 1})
    path = Path(prepare(tmp_path / "train", shards=1).data_dir, "dataset_info.json")
    contents = json.loads(path.read_text())
    del contents["splits"][0]["shardLengths"]
    path.write_text(json.dumps(contents))
    with pytest.raises(ValueError, match=message):
        catalogue.splits(catalogue.open_builder("tiny_animals", str(tmp_path / "train")))


def test_images_and_classes_of_other_names(tmp_path):
    builder = TinyOtherKeys(data_dir=tmp_path)
    assert catalogue.keys(builder) == ("photo", "kind")


def test_prepared_data_need_no_network(animals):
    builder = catalogue.open_builder("tiny_animals", str(animals.data_dir_root))
    assert len(read(RecordImages(builder, "test"), range(5))) == 5


def test_neither_data_nor_network(tmp_path):
    message = error("cifar100", tmp_path)
    assert message.startswith(
        f"--dataset=cifar100 is not in {tmp_path}/cifar100/3.0.2 and cannot be prepared there; "
        "prepare it on another machine and copy that folder, or name its place with --data_dir.\n"
    )
    assert "ConnectionError" in message


def error(name, data_dir):
    with pytest.raises(ValueError) as raised:
        catalogue.open_builder(name, str(data_dir))
    return str(raised.value)


@pytest.mark.parametrize(
    "name, message",
    [
        ("zzzz", "--dataset=zzzz is unknown to TensorFlow Datasets; `tfds.list_builders()` lists"),
        ("../cifar10", "--dataset=../cifar10 cannot be opened.\n"),
        ("cifar10/blue", "--dataset=cifar10/blue cannot be opened.\n"),
        ("cifar10:1.2.3", "cannot be loaded at version 1.2.3"),
    ],
)
def test_unknown_names(tmp_path, name, message):
    assert message in error(name, tmp_path)


def test_not_images(tmp_path):
    expected = (
        "--dataset=imdb_reviews is not one of image classification: its features (text, label)"
    )
    assert expected in error("imdb_reviews", tmp_path)
    assert "not one of image" in error("bair_robot_pushing_small", tmp_path)


def test_missing_archives_of_imagenet(tmp_path):
    message = error("imagenet2012", tmp_path)
    assert message.startswith(f"--dataset=imagenet2012 is not in {tmp_path}/imagenet2012/")
    assert str(tmp_path / "downloads" / "manual") in message
    assert "ILSVRC2012_img_train.tar" in message and "ILSVRC2012_img_val.tar" in message


def test_a_full_disk(tmp_path):
    assert "OSError: [Errno 28] No space left on device" in error("tiny_full_disk", tmp_path)


def test_data_of_other_classes(tmp_path, monkeypatch):
    """Written by another version of the builder, for example."""
    features = TinyAnimals.FEATURES | {"label": tfds.features.ClassLabel(num_classes=5)}
    prepare(tmp_path, shards=1)
    monkeypatch.setattr(TinyAnimals, "FEATURES", features)
    message = f"--dataset=tiny_animals: {tmp_path}/tiny_animals/1.0.0/features.json describes other"
    assert error("tiny_animals", tmp_path).startswith(message)


def test_a_split_without_labels(tmp_path, monkeypatch):
    """Streamed, where no label is known before it is read; before anything is trained."""

    def examples(self, split):
        for number in range(9):
            label = -1 if split == "validation" else number % 3
            image = jpeg(np.random.default_rng(number))
            images = {name: io.BytesIO(image) for name in ("image", "mask")}
            yield number, images | {"label": label}

    monkeypatch.setattr(TinyAnimals, "_generate_examples", examples)
    prepare(tmp_path, shards=1)
    sentence = "has the label -1; labels must be classes, 0 to 2"
    with pytest.raises(ValueError, match=f"^--dataset=tfds:tiny_animals .*-validation.*{sentence}"):
        data.load("tfds:tiny_animals", data_dir=str(tmp_path))
    images = data.load("tfds:tiny_animals", data_dir=str(tmp_path), validation_fraction=0.4)
    assert images.held_out_from == "train"


def test_data_that_are_prepared_by_half(tmp_path):
    builder = catalogue.open_builder("tiny_animals", str(tmp_path))
    info = builder.data_path / "dataset_info.json"
    assert json.loads(info.read_text())
    info.unlink()
    assert f"{builder.data_dir} is incomplete; delete that folder." in error(
        "tiny_animals", tmp_path
    )
