"""Where the classes lie in a folder, how they are called, and which size their images get."""

import unicodedata

import numpy as np
import pytest
from helpers.folders import fill, load, photo

from orc_keras import data
from orc_keras.runs import summary


def test_classes_in_the_folder_itself(tmp_path):
    fill(tmp_path, splits=(".",), number=10)
    (tmp_path / "about.txt").write_text("no image")
    with pytest.raises(ValueError, match="has no held-out images .*--validation_fraction=0.1"):
        load(tmp_path)
    images = load(tmp_path, validation_fraction=0.2)
    assert images.class_names == ("cat", "dog") and images.held_out_from == "train"
    assert np.bincount(images.train.labels).tolist() == [8, 8]
    assert np.bincount(images.held_out.labels).tolist() == [2, 2]
    assert images.notes["ignored_files"] == 1
    size = data.dataset_size(f"folder:{tmp_path}", validation_fraction=0.2)
    assert size == (16, (12, 16))


@pytest.mark.parametrize(
    "folders, message",
    [
        (
            ["train/cat", "train/dog", "cat"],
            "has train/ and also cat/ with images; .* all in train/",
        ),
        (["train", "car", "tram"], "has train/ and also car/ with images"),  # a class of trains
        (["test/cat", "test/dog", "train/cat", "train/dog", "more/x"], "and also more/ with im"),
        (["val/cat", "val/dog", "cat", "dog"], "has no folder train/ with .* beside val/"),
        (["cat"], "must have a folder for each of at least two classes"),
        ([".", "cat", "dog"], "lies outside the folders of the classes"),
    ],
)
def test_layouts_that_are_refused(tmp_path, folders, message):
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        photo(1).save(tmp_path / folder / "0.png")
    with pytest.raises(ValueError, match=message):
        load(tmp_path, validation_fraction=0.5)


def test_a_folder_without_images_beside_the_splits(tmp_path):
    (fill(tmp_path) / "notes").mkdir()
    assert load(tmp_path).class_names == ("cat", "dog")


def accented(root, form, splits=("train", "val")):
    """A folder whose names are composed (NFC), as Linux keeps them, or decomposed (NFD)."""
    for split in splits:
        for i, (label, name) in enumerate([("löwe", "ö"), ("löwe", "z"), ("maus", "é")]):
            folder = root / split / unicodedata.normalize(form, label)
            folder.mkdir(parents=True, exist_ok=True)
            photo([i, len(split)]).save(folder / f"{unicodedata.normalize(form, name)}.png")
    return root


def test_letters_that_are_composed_in_another_way(tmp_path):
    """The same classes, in the same order, and the same images; also from one split to another."""
    composed = load(accented(tmp_path / "linux", "NFC"))
    decomposed = load(accented(tmp_path / "macos", "NFD"))
    accented(accented(tmp_path / "both", "NFC", ["train"]), "NFD", ["val"])
    both = load(tmp_path / "both")
    for other in (decomposed, both):
        assert other.class_names == composed.class_names == ("löwe", "maus")
        assert other.notes["files"] == composed.notes["files"]
        for split in ("train", "held_out"):
            ours, theirs = getattr(other, split), getattr(composed, split)
            np.testing.assert_array_equal(ours.labels, theirs.labels)
            np.testing.assert_array_equal(ours.pixels, theirs.pixels)


def test_a_class_that_is_there_twice(tmp_path):
    accented(accented(tmp_path, "NFC"), "NFD")
    message = (
        r"train has two classes 'löwe', 'lo\\u0308we' and 'l\\xf6we', which differ only in how"
    )
    with pytest.raises(ValueError, match=message):
        load(tmp_path)


def sides(root, *lengths):
    """A folder whose training images have these shorter sides, and held-out ones of 10 pixels."""
    fill(root, splits=("val",), height=10)
    for name in ("cat", "dog"):
        (root / "train" / name).mkdir(parents=True)
        for i, length in enumerate(lengths):
            photo(i, length, 2 * length).save(root / "train" / name / f"{i}.png")
    return root


@pytest.mark.parametrize(
    "lengths, expected",
    [
        ((12, 16, 17), 32),  # 32 at least
        ((40, 63, 250), 32),
        ((40, 64, 250), 64),
        ((200, 223), 192),  # the median is 211
        ((223, 225), 224),
        ((100, 300, 500), 224),  # 224 at most
    ],
)
def test_images_of_several_sizes_get_one_that_suits_them(tmp_path, lengths, expected):
    images = load(sides(tmp_path, *lengths))
    assert images.image_shape == (expected, expected, 3) and images.resized
    assert data.dataset_size(f"folder:{tmp_path}") == (2 * len(lengths), (expected, expected))
    median = int(np.median(lengths))
    expected = f"; {expected} x {expected} x 3 (the median of the shorter sides is {median})"
    assert summary.describe_images(images.description()).endswith(expected)


def test_a_size_that_is_given_or_the_only_one(tmp_path):
    images = load(sides(tmp_path / "several", 40, 70), image_size=48)
    assert images.image_shape == (48, 48, 3) and "median_side" not in images.notes
    images = load(fill(tmp_path / "one", height=100, width=100))
    assert images.image_shape == (224, 224, 3) and "median_side" not in images.notes
