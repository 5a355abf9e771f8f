import numpy as np
import pytest
from helpers import smoke
from PIL import Image
from sklearn.datasets import load_sample_images

import photo_folder  # isort: skip  (which smoke makes importable)


def test_what_it_writes(tmp_path):
    folder = tmp_path / "photos"
    smoke.run(photo_folder, str(folder))
    temple = load_sample_images().images[0]
    held_out = len(temple) * 3 // 4  # the first row of pixels that is
    for split, first in (("train", 0), ("test", held_out)):
        squares = sorted(folder.glob(f"{split}/temple/*.png"))
        assert len(list(folder.glob(f"{split}/flower/*.png"))) == len(squares) > 100
        for path in (squares[0], squares[-1]):
            top, left = map(int, path.stem.split("_"))
            assert split == "test" or top + 32 <= held_out
            square = temple[first + top : first + top + 32, left : left + 32]
            np.testing.assert_array_equal(np.asarray(Image.open(path)), square)
    with pytest.raises(ValueError, match="is there already"):
        smoke.run(photo_folder, str(folder))
