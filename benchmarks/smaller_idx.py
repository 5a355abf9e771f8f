"""Writes a part of a collection of IDX files: python benchmarks/smaller_idx.py <folder> <new one>

The data of docs/results.md: so many training images, as many of each class, drawn at random, and
all held-out images; with --half at half the resolution, each pixel the mean of four; with --classes
only images of these classes, which are then counted from 0.
"""

import gzip
from pathlib import Path

import common
import numpy as np

from orc_keras.data import idx

from absl import flags  # isort: skip


def define_flags(values):
    to = {"flag_values": values}
    flags.DEFINE_integer("images", 1000, "Training images, as many of each class.", 1, **to)
    flags.DEFINE_integer("seed", 0, "Of which images are drawn.", 0, **to)
    flags.DEFINE_list("classes", [], "Of the images; empty: all.", **to)
    flags.DEFINE_boolean("half", False, "Halve the resolution.", **to)


def main(values, arguments):
    if len(arguments) != 2:
        raise ValueError("name the folder of a collection, and a new one.")
    source, folder = map(Path, arguments)
    if folder.exists():
        raise ValueError(f"{folder} is there already; name a folder that is not.")
    (_, train), *others = idx.find(source).items()
    if not others:
        raise ValueError(f"{source} has no held-out images.")
    content = {}
    for split, paths in (("train", train), ("t10k", others[0][1])):
        images, labels = (idx.read(paths[what], what) for what in ("images", "labels"))
        content[split] = of_classes(images, labels, values.classes)
    chosen = draw(content["train"][1], values.images, values.seed)
    content["train"] = [each[chosen] for each in content["train"]]
    folder.mkdir(parents=True)
    for split, (images, labels) in content.items():
        write(folder / f"{split}-images-idx3-ubyte.gz", half(images) if values.half else images)
        write(folder / f"{split}-labels-idx1-ubyte.gz", labels)


def of_classes(images, labels, classes):
    """Returns the images of some classes, and their labels, which are places among the classes."""
    if not classes:
        return images, labels
    chosen = np.array(sorted(map(int, classes)), np.uint8)
    there = np.isin(labels, chosen)
    return images[there], np.searchsorted(chosen, labels[there]).astype(np.uint8)


def draw(labels, number, seed):
    """Returns the indices of so many images, in order, as many of each class."""
    classes, counts = np.unique(labels, return_counts=True)
    of_each, rest = divmod(number, len(classes))
    if rest or of_each > min(counts):
        raise ValueError(
            f"--images={number} must be a multiple of {len(classes)}, the number of classes, and "
            f"at most {len(classes) * min(counts)}."
        )
    order = np.random.default_rng(seed).permutation(len(labels))
    return np.sort(np.concatenate([order[labels[order] == c][:of_each] for c in classes]))


def half(images):
    """Returns images `[number, height, width]` at half the resolution; an odd edge is cut off."""
    number, height, width = images.shape
    even = images[:, : height // 2 * 2, : width // 2 * 2]
    squares = even.reshape(number, height // 2, 2, width // 2, 2)
    return squares.mean(axis=(2, 4)).round().astype(np.uint8)


def write(path, array):
    """Writes an array of unsigned bytes as an IDX file, compressed."""
    header = bytes([0, 0, idx.UBYTE, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(header + array.tobytes(), compresslevel=6, mtime=0))


if __name__ == "__main__":
    common.start(main, define_flags)
