"""IDX files, written here byte by byte."""

import gzip
import struct

import numpy as np
import pytest

from orc_keras import data

SPLITS = {"train": 12, "t10k": 6}


def idx(array):
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return struct.pack(">HBB", 0, 8, array.ndim) + sizes + array.tobytes()


def write(folder, name, content, ending=".gz"):
    packed = gzip.compress(content) if ending else content
    (folder / f"{name}-ubyte{ending}").write_bytes(packed)


def images_of(split, prefix=""):
    rng = np.random.default_rng(len(split + prefix))
    return rng.integers(0, 256, (SPLITS[split], 4, 6), np.uint8)


def collection(folder, prefix="", ending=".gz", first_label=0):
    folder.mkdir(exist_ok=True)
    for split, number in SPLITS.items():
        labels = (np.arange(number) % 3 + first_label).astype(np.uint8)
        write(folder, f"{prefix}{split}-images-idx3", idx(images_of(split, prefix)), ending)
        write(folder, f"{prefix}{split}-labels-idx1", idx(labels), ending)
    return f"idx:{folder}"


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_the_images_are_those_of_the_files(tmp_path, ending):
    dataset = collection(tmp_path, ending=ending, first_label=1)  # as EMNIST's letters
    loaded = data.load(dataset)
    assert loaded.image_shape == (4, 6, 1) and loaded.class_names == ("1", "2", "3")
    assert loaded.held_out_from == "t10k" and loaded.augmentation == "crop_and_flip"
    for images, split in ((loaded.train, "train"), (loaded.held_out, "t10k")):
        np.testing.assert_array_equal(images.pixels[..., 0], images_of(split))
        np.testing.assert_array_equal(images.labels, np.arange(SPLITS[split]) % 3)
    assert loaded.mean[0] == pytest.approx(images_of("train").mean() / 255)
    assert data.dataset_size(dataset) == (12, (4, 6))


def test_one_of_several_collections(tmp_path):
    dataset = collection(tmp_path, "emnist-letters-")
    assert len(data.load(dataset).train) == 12
    collection(tmp_path, "emnist-digits-")
    with pytest.raises(ValueError, match="holds emnist-digits, emnist-letters; add which"):
        data.load(dataset)
    digits = data.load(f"{dataset}/emnist-digits").train.pixels[..., 0]
    np.testing.assert_array_equal(digits, images_of("train", "emnist-digits-"))


def test_without_held_out_images_some_are_held_back(tmp_path):
    dataset = collection(tmp_path)
    for path in tmp_path.glob("t10k*"):
        path.unlink()
    with pytest.raises(ValueError, match="has no held-out images"):
        data.load(dataset)
    assert len(data.load(dataset, validation_fraction=0.25).held_out) == 3


WRONG = {
    "no folder": ("", None, "has no train-images-idx3-ubyte and train-labels"),
    "no labels": ("t10k-labels-idx1", None, "has no labels of t10k"),
    "truncated": ("train-images-idx3", idx(images_of("train"))[:-1], "not as long as its header"),
    "too long": ("train-images-idx3", idx(images_of("train")) + b"1", "not as long as its header"),
    "floats": ("train-images-idx3", b"\0\0\x0d\3" + b"\0" * 99, "is not an IDX file of images in"),
    "cut in its header": ("train-labels-idx1", b"\0\0\x08\1\0\0", "is not an IDX file of labels"),
    "empty": ("train-images-idx3", idx(np.zeros((0, 4, 6), np.uint8)), r"says \[0, 4, 6\]"),
    "labels too few": ("train-labels-idx1", idx(np.arange(11, dtype=np.uint8)), "has 11 labels"),
    "other labels": ("t10k-labels-idx1", idx(np.full(6, 9, np.uint8)), r"has not: \[9\]"),
    "other size": ("t10k-images-idx3", idx(np.zeros((6, 4, 4), np.uint8)), "differ in size"),
}


@pytest.mark.parametrize("name, content, said", WRONG.values(), ids=WRONG)
def test_what_is_refused(tmp_path, name, content, said):
    dataset = collection(tmp_path)
    for path in tmp_path.glob(f"{name}*"):
        path.unlink()
    if content is not None:
        write(tmp_path, name, content)
    with pytest.raises(ValueError, match=said):
        data.load(dataset)


def test_a_damaged_archive_and_too_little_memory(tmp_path):
    dataset = collection(tmp_path)
    with pytest.raises(ValueError, match="4.32e-07 GB, more than --memory_gb=1e-07"):
        data.load(dataset, memory_gb=1e-7)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match="idx3-ubyte.gz is damaged or truncated"):
        data.load(dataset)
