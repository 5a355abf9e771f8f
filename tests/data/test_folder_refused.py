"""Folders that cannot be learnt from: what is wrong is named."""

import os
import re

import pytest
from helpers.folders import fill, load, lock, photo
from PIL import PngImagePlugin


def damage(path, what):
    whole = path.read_bytes()
    path.write_bytes(
        {"empty": b"", "text": b"no image", "short": whole[: len(whole) * 2 // 3]}[what]
    )


@pytest.mark.parametrize(
    "suffix, what, memory_gb",
    [
        *((suffix, "short", gb) for suffix in (".png", ".jpg", ".bmp", ".webp") for gb in (0, 1)),
        *((".png", what, 1) for what in ("empty", "text")),
    ],
)
def test_a_damaged_image_is_named(tmp_path, suffix, what, memory_gb):
    fill(tmp_path)
    bad = tmp_path / "val" / "dog" / f"bad{suffix}"
    photo(1, 60, 60).save(bad)
    damage(bad, what)
    with pytest.raises(ValueError, match=f"Of (12|13|7) images 1 cannot be used: {bad} is "):
        load(tmp_path, memory_gb=memory_gb)


def test_many_damaged_images(tmp_path):
    fill(tmp_path, number=5)
    for path in (tmp_path / "train").rglob("*.png"):
        damage(path, "text")
    message = r"Of 20 images 10 cannot be used: .*0.png is .*; and 7 more\. Mend or remove them, or"
    with pytest.raises(ValueError, match=message):
        load(tmp_path)


def palette_bmp(root):
    photo(1).convert("P").save(root / "train" / "cat" / "bad.bmp")


def bmp_of_32_bits(root):
    photo(1).convert("RGBA").save(root / "train" / "cat" / "bad.bmp")


def transparent_colour(root):
    photo(1).save(root / "train" / "cat" / "bad.png", transparency=(1, 2, 3))


def animation(root):
    frames = [photo(seed) for seed in range(3)]
    path = root / "train" / "cat" / "bad.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:])


def strange_header(root):
    """A chunk that Pillow refuses with an exception of its own kind."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "a" * 3_000_000, zip=True)
    photo(1).save(root / "train" / "cat" / "bad.png", pnginfo=text)


def link_to_itself(root):
    (root / "train" / "cat" / "me").symlink_to(".")


def link_to_its_parent(root):
    (root / "train" / "cat" / "all").symlink_to("..")


def link_to_nothing(root):
    (root / "train" / "cat" / "gone.png").symlink_to("nowhere.png")


def fifo(root):
    os.mkfifo(root / "train" / "cat" / "fifo.png")


def name_of_two_lines(root):
    (root / "train" / "a\nb").mkdir()


def gif(root):
    photo(1).save(root / "train" / "cat" / "bad.png", "GIF")


def one_class(root):
    for split in ("train", "val"):
        for path in (root / split / "dog").iterdir():
            path.unlink()
        (root / split / "dog").rmdir()


def empty_class(root):
    (root / "train" / "emu").mkdir()
    (root / "val" / "emu").mkdir()


def class_in_train_only(root):
    (root / "train" / "emu").mkdir()
    photo(1).save(root / "train" / "emu" / "0.png")


def class_in_val_only(root):
    (root / "val" / "emu").mkdir()


def loose_image(root):
    photo(1).save(root / "val" / "loose.png")


def no_train(root):
    (root / "train").rename(root / "training")


@pytest.mark.parametrize(
    "change, message",
    [
        (palette_bmp, "bad.bmp is a BMP with a palette, .* save it as PNG"),
        (bmp_of_32_bits, "bad.bmp is a BMP with .* alpha, or other than 24 bits; save it as PNG"),
        (transparent_colour, "bad.png has a transparent colour; save it with an alpha channel"),
        (animation, "bad.webp is an animation; save one of its images"),
        (strange_header, "bad.png is not a readable image .ValueError of Pillow"),
        (link_to_itself, "cat/me is a link to a folder whose images are there already"),
        (link_to_its_parent, "cat/all is a link to a folder whose images are there already"),
        (link_to_nothing, "Of 13 images 1 cannot be used: .*cat/gone.png is not a file"),
        (fifo, "cat/fifo.png is not a file"),
        (name_of_two_lines, r"has a class 'a\\nb', a name that cannot be printed"),
        (gif, "bad.png is damaged, or not a PNG, JPEG, BMP or WebP"),
        (one_class, "train must have a folder for each of at least two classes"),
        (empty_class, "train/emu has no image"),
        (class_in_train_only, "has a class 'emu' in train/ that is not in val/"),
        (class_in_val_only, "has a class 'emu' in val/ that is not in train/"),
        (loose_image, "val/loose.png lies outside the folders of the classes"),
        (no_train, "has no folder train/ with a folder for each class in it"),
    ],
)
def test_what_cannot_be_learnt_from_is_named(tmp_path, change, message):
    fill(tmp_path)
    change(tmp_path)
    with pytest.raises(ValueError, match=message):
        load(tmp_path)


@pytest.mark.parametrize("name", ["train/cat", "train/cat/more", "val/dog/more/and_more"])
def test_a_locked_folder_is_named(tmp_path, monkeypatch, name):
    (fill(tmp_path) / name).mkdir(parents=True, exist_ok=True)
    lock(monkeypatch, tmp_path / name)
    sentence = f"The folder {tmp_path / name} cannot be read: Permission denied."
    with pytest.raises(ValueError, match=re.escape(sentence)):
        load(tmp_path)


@pytest.mark.parametrize("name", ["lost+found", "train/.Trash"])
def test_a_locked_folder_that_is_no_class(tmp_path, monkeypatch, name):
    (fill(tmp_path) / name).mkdir()
    lock(monkeypatch, tmp_path / name)
    assert load(tmp_path).class_names == ("cat", "dog")


def test_a_photo_that_may_not_be_read_is_not_called_damaged(tmp_path, monkeypatch):
    """Nor what a link names in a folder that is locked."""
    locked = [fill(tmp_path) / "val" / "cat" / "0.png", tmp_path / "val" / "dog" / "link.png"]
    locked[1].symlink_to(tmp_path / "locked" / "1.png")
    lock(monkeypatch, *locked)
    sentence = "Of 13 images 2 cannot be used: " + "; ".join(
        f"{path} may not be read by this user" for path in locked
    )
    with pytest.raises(ValueError, match=re.escape(f"{sentence}. Mend or remove them, or train")):
        load(tmp_path)
    images = load(tmp_path, skip_damaged=True)
    assert images.notes["skipped_files"] == {
        str(path.relative_to(tmp_path)): "may not be read by this user" for path in locked
    }


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match=f"--dataset=folder:{tmp_path}/nowhere is not a folder"):
        load(tmp_path / "nowhere")
