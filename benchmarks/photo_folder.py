"""Writes a folder of coloured images: python benchmarks/photo_folder.py <new folder>

Squares of 32 x 32 pixels, cut out of scikit-learn's two photographs, a temple and a flower; the
lower quarter of each photograph is held out. Two classes are no challenge, but real colours.
"""

from pathlib import Path

import common
from PIL import Image
from sklearn.datasets import load_sample_images

SIDE, STEP = 32, 16  # pixels
CLASSES = ("temple", "flower")


def define_flags(values):
    pass


def main(values, arguments):
    if len(arguments) != 1:
        raise ValueError("name a new folder.")
    folder = Path(arguments[0])
    if folder.exists():
        raise ValueError(f"{folder} is there already; name a folder that is not.")
    for name, photo in zip(CLASSES, load_sample_images().images):
        border = len(photo) * 3 // 4
        write(photo[:border], folder / "train" / name)
        write(photo[border:], folder / "test" / name)


def write(photo, folder):
    """Writes the squares of a photograph `[height, width, 3]` as PNGs."""
    folder.mkdir(parents=True)
    for top in range(0, photo.shape[0] - SIDE + 1, STEP):
        for left in range(0, photo.shape[1] - SIDE + 1, STEP):
            square = Image.fromarray(photo[top : top + SIDE, left : left + SIDE])
            square.save(folder / f"{top:03}_{left:03}.png")


if __name__ == "__main__":
    common.start(main, define_flags)
