import os

import numpy as np
import pytest
from helpers.folders import fill, load, photo
from PIL import Image

from orc_keras import data
from orc_keras.runs import summary


def pictures(batches, number=1):
    """The first mini-batches' images and labels in one array each."""
    return map(np.concatenate, zip(*batches.take(number).as_numpy_iterator()))


def test_small_images_of_one_size_stay_as_they_are(tmp_path):
    images = load(fill(tmp_path))
    assert images.image_shape == (12, 16, 3) and not images.resized
    assert images.class_names == ("cat", "dog") and images.held_out_from == "val"
    assert images.augmentation == "crop_and_flip"
    pixels, labels = pictures(data.held_out_batches(images, 10))
    files = [tmp_path / "val" / name / f"{i}.png" for name in ("cat", "dog") for i in range(3)]
    expected = np.stack([np.array(Image.open(file)) for file in files]) / 255
    np.testing.assert_allclose(pixels * images.std + images.mean, expected, atol=1e-5)
    np.testing.assert_array_equal(labels, [0, 0, 0, 1, 1, 1])
    train = np.stack([np.array(Image.open(p)) for p in sorted((tmp_path / "train").rglob("*.png"))])
    np.testing.assert_allclose(images.mean, (train / 255).mean(axis=(0, 1, 2)))


def test_every_kind_of_file_in_one_folder(tmp_path):
    fill(tmp_path)
    cats = tmp_path / "train" / "cat"
    photo(1, 30, 20).save(cats / "photo.JPEG", quality=95)
    photo(2, 40, 50).save(cats / "photo.webp")
    photo(3, 10, 90).save(cats / "photo.bmp")
    photo(4, 25, 25).convert("L").save(cats / "grey.jpg")
    photo(5, 25, 25).convert("RGBA").save(cats / "alpha.png")
    Image.fromarray(np.full((9, 9), 40000, np.uint16)).save(cats / "deep.png")
    (cats / "more").mkdir()
    photo(6).save(cats / "more" / "nested.png")
    (cats / "Thumbs.db").write_text("no image")
    (cats / "._photo.jpg").write_text("no image")
    (tmp_path / "train" / ".DS_Store").write_text("no image")
    images = load(tmp_path, image_size=8)
    assert len(images.train) == 13 and images.image_shape == (8, 8, 3) and images.resized
    notes = images.description()
    assert notes["ignored_files"] == 3
    assert notes["images_with_alpha"] == 1 and notes["images_with_16_bits"] == 1
    assert summary.describe_images(notes) == (
        "Images: 13 for training, 6 held out (from val); 2 classes; 8 x 8 x 3; ignored files: 3; "
        "images with alpha: 1; images with 16 bits: 1"
    )
    pixels, labels = pictures(data.train_batches(images, 13, seed=0))
    assert pixels.shape == (13, 8, 8, 3) and np.isfinite(pixels).all()
    assert sorted(labels) == [0] * 10 + [1] * 3


@pytest.mark.parametrize("sizes, image_size", [((12, 12), 0), ((12, 30), 10)])
def test_images_in_memory_and_on_disk_are_the_same(tmp_path, sizes, image_size):
    fill(tmp_path, number=4, height=sizes[0])
    photo(9, sizes[1], 16).save(tmp_path / "train" / "dog" / "0.png")
    photo(8, sizes[1], 16).save(tmp_path / "train" / "dog" / "1.png", quality=90)
    memory, disk = (load(tmp_path, image_size=image_size, memory_gb=gb) for gb in (1, 0))
    assert type(memory.train) is not type(disk.train)
    assert memory.description() == disk.description()
    for batches in (
        lambda images: data.train_batches(images, 4, seed=1),
        lambda images: data.held_out_batches(images, 4),
    ):
        for ours, theirs in zip(pictures(batches(memory), 3), pictures(batches(disk), 3)):
            np.testing.assert_array_equal(ours, theirs)


def test_grey_images_have_one_channel(tmp_path):
    fill(tmp_path, channels=1)
    assert load(tmp_path).image_shape == (12, 16, 1)
    photo(1).save(tmp_path / "val" / "cat" / "colour.png")
    assert load(tmp_path).image_shape == (12, 16, 3)


def test_larger_images_are_resized(tmp_path):
    fill(tmp_path, number=1, height=97, width=20)
    assert load(tmp_path).image_shape == (224, 224, 3)
    assert load(tmp_path, image_size=16).image_shape == (16, 16, 3)


@pytest.mark.parametrize("side, resized", [(96, False), (224, True)])
def test_large_images_of_the_networks_size_get_the_recipe_of_large_images(tmp_path, side, resized):
    fill(tmp_path, number=1, height=side, width=side)
    images = load(tmp_path, image_size=side)
    assert images.image_shape == (side, side, 3) and images.resized == resized


def test_test_takes_the_place_of_val(tmp_path):
    fill(tmp_path, splits=("train", "test"))
    assert load(tmp_path).held_out_from == "test"
    fill(tmp_path, splits=("val",), number=2)
    images = load(tmp_path)
    assert images.held_out_from == "val" and len(images.held_out) == 4


@pytest.mark.parametrize("inside", ["test", "val", "."])
def test_images_that_nothing_is_learnt_from(tmp_path, inside):
    """With or without `train/` beside them, which is not looked at."""
    for label in ("cat", "dog"):
        (tmp_path / inside / label).mkdir(parents=True)
        for i in range(3):
            photo(i, 60, 50).save(tmp_path / inside / label / f"{i}.png")
    if inside != ".":
        (tmp_path / "train").mkdir()
        (tmp_path / "train" / "no-image.png").write_text("damaged")
    images = data.load(f"folder:{tmp_path}", held_out_only=True)
    assert images.class_names == ("cat", "dog") and len(images.held_out) == 6
    assert images.held_out_from == ("images" if inside == "." else inside)


def test_part_of_the_training_images_can_be_held_out(tmp_path):
    fill(tmp_path, splits=("train",), number=10)
    with pytest.raises(ValueError, match="has no held-out images .*--validation_fraction=0.1"):
        load(tmp_path)
    images = load(tmp_path, validation_fraction=0.2)
    assert (len(images.train), len(images.held_out), images.held_out_from) == (16, 4, "train")
    np.testing.assert_array_equal(np.bincount(images.held_out.labels), [2, 2])
    plain = load(tmp_path, validation_fraction=0.2, crop_flip="none")
    train, _ = pictures(data.train_batches(plain, 16, 0))
    held_out, _ = pictures(data.held_out_batches(plain, 16))
    together = np.unique(np.concatenate([train, held_out]).reshape(20, -1), axis=0)
    assert len(together) == 20
    for fraction in (0.001, 0.99):
        with pytest.raises(ValueError, match=f"--validation_fraction={fraction} is impossible"):
            load(tmp_path, validation_fraction=fraction)


def noise(seed, size=90):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8))


def test_images_that_stream_are_checked_once(tmp_path):
    """And not again when the run continues; what is damaged later is named when it is read."""
    fill(tmp_path)
    bad = tmp_path / "val" / "dog" / "0.png"
    noise(1).save(bad)
    notes = load(tmp_path, memory_gb=0, image_size=8).notes
    whole = bytearray(bad.read_bytes())
    whole[len(whole) // 2] ^= 255
    bad.write_bytes(whole)
    images = load(tmp_path, memory_gb=0, image_size=8, known_notes=notes)
    assert images.notes == notes
    cannot = "Images can no longer be read. Of 6 images 1 cannot be used: .*/dog/0.png"
    with pytest.raises(OSError, match=f"{cannot} is damaged"), images.naming_unreadable():
        list(data.held_out_batches(images, 2))
    for known in (None, {"files": "another"}):
        with pytest.raises(ValueError, match="0.png is damaged"):
            load(tmp_path, memory_gb=0, known_notes=known)


def test_an_image_that_is_replaced_while_images_stream_is_named(tmp_path):
    """By one of another size; by a FIFO, for which nobody waits; by nothing."""
    images = load(fill(tmp_path), memory_gb=0)
    path = tmp_path / "val" / "dog" / "0.png"

    def another_size():
        photo(1, 24, 24).save(path)

    for replace, reason in (
        (another_size, "is now of 24 x 24 pixels"),
        (lambda: os.mkfifo(path), "is not a file"),
        (lambda: None, "is not a file"),
    ):
        path.unlink()
        replace()
        sentence = f"Of 6 images 1 cannot be used: {path} {reason}"
        with pytest.raises(OSError, match=sentence), images.naming_unreadable():
            list(data.held_out_batches(images, 2))


def test_the_fingerprint_tells_images_apart(tmp_path):
    """Also such as have the same sizes, or have changed places."""
    fill(tmp_path)
    for name in ("cat", "dog"):
        noise(len(name)).save(tmp_path / "train" / name / "0.bmp")
    prints = [load(tmp_path).notes["files"]]
    noise(7).save(tmp_path / "train" / "cat" / "0.bmp")
    prints.append(load(tmp_path).notes["files"])
    (tmp_path / "train" / "cat" / "0.bmp").rename(tmp_path / "bmp")
    (tmp_path / "train" / "dog" / "0.bmp").rename(tmp_path / "train" / "cat" / "0.bmp")
    (tmp_path / "bmp").rename(tmp_path / "train" / "dog" / "0.bmp")
    prints.append(load(tmp_path).notes["files"])
    assert len(set(prints)) == 3
    assert load(tmp_path).notes["files"] == prints[-1]


def test_a_class_whose_name_begins_with_a_dot_is_said(tmp_path):
    """It is none; where it holds no image, as .git, there is nothing to say."""
    fill(tmp_path, classes=("cat", "dog", ".owl", ".a\x1b[2J"))
    (tmp_path / "train" / ".git").mkdir()
    images = load(tmp_path)
    assert images.class_names == ("cat", "dog")
    assert images.notes["ignored_folders"] == [
        f"{split}/{name}" for split in ("train", "val") for name in (".a\x1b[2J", ".owl")
    ]
    line = summary.describe_images(images.description())
    shown = r"'train/.a\x1b[2J', train/.owl, 'val/.a\x1b[2J', val/.owl"
    assert line.endswith(f"; no classes, because of the dot: {shown}")


def test_libraries_say_nothing_of_single_images(tmp_path, monkeypatch, recwarn, capfd):
    """Pillow of a large one, libjpeg of stray bytes in one that can be decoded."""
    fill(tmp_path)
    path = tmp_path / "train" / "cat" / "stray.jpg"
    photo(1, 64, 64).save(path, quality=95)
    contents = bytearray(path.read_bytes())
    contents[len(contents) // 2] ^= 0xFF
    path.write_bytes(contents)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 64 * 64 - 1)
    assert load(tmp_path, memory_gb=0).class_names == ("cat", "dog")
    assert not recwarn.list and capfd.readouterr().err == ""
