"""Files of a folder that cannot be used, left out by --skip_damaged."""

import numpy as np
import pytest
from helpers.folders import fill, load, photo

from orc_keras import data
from orc_keras.data import files
from orc_keras.runs import summary


def spoil(root):
    """Adds four files that cannot be used; returns what is wrong with each."""
    fill(root)
    photo(1).convert("P").save(root / "train" / "cat" / "palette.bmp")
    photo(1).save(root / "train" / "dog" / "gif.png", "GIF")
    (root / "train" / "dog" / "text.jpg").write_text("no image")
    photo(1, 60, 60).save(root / "val" / "cat" / "short.png")
    whole = (root / "val" / "cat" / "short.png").read_bytes()
    (root / "val" / "cat" / "short.png").write_bytes(whole[: len(whole) * 2 // 3])
    return {
        "train/cat/palette.bmp": "is a BMP with a palette",
        "train/dog/gif.png": "is damaged, or not a PNG, JPEG",
        "train/dog/text.jpg": "is not a readable image",
        "val/cat/short.png": "is damaged or truncated",
    }


@pytest.mark.parametrize("memory_gb", [0, 1])
def test_they_are_left_out_and_named(tmp_path, memory_gb):
    wrong = spoil(tmp_path / "some")
    message = (
        "Of 16 images 4 cannot be used: .* Mend or remove them, or train with --skip_damaged.$"
    )
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "some", memory_gb=memory_gb)
    images = load(tmp_path / "some", skip_damaged=True, memory_gb=memory_gb)
    whole = load(fill(tmp_path / "whole"), memory_gb=memory_gb)
    skipped = images.notes.pop("skipped_files")
    assert list(skipped) == list(wrong)
    assert all(skipped[name].startswith(reason) for name, reason in wrong.items())
    assert whole.notes.pop("skipped_files") == {}
    for notes in (images.notes, whole.notes):
        del notes["source"], notes["place"]
    assert images.description() == whole.description()  # the fingerprint of the files, too
    ours, theirs = (next(iter(data.held_out_batches(each, 9))) for each in (images, whole))
    np.testing.assert_array_equal(ours[0], theirs[0])
    size = data.dataset_size(f"folder:{tmp_path}/some", skip_damaged=True)
    assert size == (6, (12, 16))


def test_the_first_line_has_the_first_of_them_and_their_number(tmp_path):
    spoil(tmp_path)
    line = summary.describe_images(load(tmp_path, skip_damaged=True).description())
    assert line.startswith("Images: 6 for training, 6 held out (from val); 2 classes; 12 x 16 x 3")
    assert "; skipped files: 4 (train/cat/palette.bmp is a BMP with a palette" in line
    assert line.endswith("; and 1 more)")


def test_a_class_of_which_nothing_is_left(tmp_path):
    fill(tmp_path)
    for path in (tmp_path / "val" / "dog").iterdir():
        path.write_text("no image")
    with pytest.raises(ValueError, match="No image of 'dog' in val can be used"):
        load(tmp_path, skip_damaged=True)


@pytest.mark.parametrize("memory_gb", [0, 1])
def test_a_run_continues_with_the_same_files(tmp_path, memory_gb, monkeypatch):
    """Without decoding them again, and even if a file that was left out is whole now, or gone."""
    wrong = [tmp_path / name for name in spoil(tmp_path)]
    options = dict(skip_damaged=True, memory_gb=memory_gb)
    notes = load(tmp_path, **options).notes
    wrong[0].unlink()
    photo(5).save(wrong[1])
    with monkeypatch.context() as patch:
        patch.setattr(files, "find_damaged", None)
        again = load(tmp_path, **options, known_notes=notes)
    assert again.notes == notes and len(again.train) == 6
    photo(6).save(tmp_path / "train" / "cat" / "new.png")
    other = load(tmp_path, **options, known_notes=notes)
    assert other.notes["files"] != notes["files"] and len(other.train) == 7
