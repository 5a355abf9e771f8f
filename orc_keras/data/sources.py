"""The sources of images that `--dataset` can name."""

import dataclasses
import hashlib
import math
import os
from pathlib import Path

import numpy as np

from orc_keras.data import catalogue, files, folder, idx, records
from orc_keras.data.images import PixelImages

CIFAR = ((0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761))  # mean and standard deviation
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
STATISTICS = {"cifar10": CIFAR, "cifar100": CIFAR, "imagenet2012": IMAGENET}


@dataclasses.dataclass(frozen=True)
class Source:
    """The images of a source, and their properties.

    Attributes:
        splits: images by split, `train` first; the second one is held out.
        class_names: the names of the classes.
        channels: 1 or 3.
        size: height and width of every image; None if they differ.
        crop_flip: the default of training: `none`, `crop` or `crop_and_flip`.
        statistics: mean and standard deviation of each channel; None: to be computed.
        notes: facts for the summary.
    """

    splits: dict
    class_names: tuple[str, ...]
    channels: int
    size: tuple[int, int] | None
    crop_flip: str = "crop_and_flip"
    statistics: tuple | None = None
    notes: dict = dataclasses.field(default_factory=dict)


def find(dataset, data_dir, memory, known_fingerprint, held_out_only=False):
    """Returns the `Source` of a dataset; arguments as in `load`, but memory in bytes."""
    kind, _, name = dataset.partition(":")
    if dataset == "digits":
        return _digits()
    if dataset in STATISTICS:
        return _from_catalogue(dataset, data_dir, memory)
    if kind == "tfds" and name:
        return _from_catalogue(name, data_dir, memory)
    if kind == "folder" and name:
        return _from_folder(_path(name), memory, known_fingerprint, held_out_only)
    if kind == "idx" and name:
        return _from_idx(_path(name), memory)
    possible = ["digits", *STATISTICS, "tfds:<name in TensorFlow Datasets>"]
    possible += ["folder:<path>", "idx:<path>"]
    raise ValueError(f"--dataset={dataset} is unknown; possible are {', '.join(possible)}.")


def count(dataset, data_dir):
    """Counts the images of a dataset without reading one.

    Args:
        dataset: as in `load`.
        data_dir: as in `load`.

    Returns:
        The images that each part of a divided split needs at least: one per class if classes are
        known before images are read, else 1; the number of images by split, `train` first; and
        height and width of every image, None if they differ or are not known yet.

    Raises:
        ValueError: if the dataset is unknown or missing.
    """
    kind, _, name = dataset.partition(":")
    if kind == "folder" and name:
        class_names, splits = folder.find(_path(name))
        return len(class_names), {split: len(s.paths) for split, s in splits.items()}, None
    if kind == "idx" and name:
        shapes = {s: idx.shape(f["images"], "images") for s, f in idx.find(_path(name)).items()}
        return 1, {split: shape[0] for split, shape in shapes.items()}, shapes["train"][1:]
    if dataset in STATISTICS or (kind == "tfds" and name):
        builder = catalogue.open_builder(name or dataset, data_dir)
        numbers = {s: builder.info.splits[s].num_examples for s in catalogue.splits(builder)}
        *size, _ = catalogue.image_shape(builder)
        size = None if None in size else tuple(size)
        return 1, numbers, size
    source = find(dataset, data_dir, memory=0, known_fingerprint=None)
    numbers = {name: len(images) for name, images in source.splits.items()}
    return len(source.class_names), numbers, source.size


def _path(name):
    return Path(os.path.expanduser(name))


def _digits():
    """The 1,797 handwritten digits of scikit-learn, 8 x 8 x 1, split 80 / 20."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images = np.rint(digits.images * 255 / 16).astype(np.uint8)[..., None]
    train, test, train_labels, test_labels = train_test_split(
        images, digits.target, test_size=0.2, random_state=0, stratify=digits.target
    )
    return Source(
        {"train": PixelImages(train, train_labels), "test": PixelImages(test, test_labels)},
        class_names=tuple(map(str, digits.target_names)),
        channels=1,
        size=(8, 8),
        crop_flip="none",  # at 8 x 8 pixels it can change the digit
    )


def _from_catalogue(name, data_dir, memory):
    """A dataset of TensorFlow Datasets, downloaded if necessary."""
    builder = catalogue.open_builder(name, data_dir)
    *size, channels = catalogue.image_shape(builder)
    splits = catalogue.splits(builder)
    number = sum(builder.info.splits[split].num_examples for split in splits)
    fits = None not in size and number * np.prod([*size, channels]) <= memory
    images = records.in_memory if fits else records.RecordImages
    return Source(
        {split: images(builder, split) for split in splits},
        catalogue.class_names(builder),
        channels,
        None if None in size else tuple(size),
        statistics=STATISTICS.get(name),
        notes={"source": builder.info.full_name},
    )


def _from_folder(root, memory, known_fingerprint, held_out_only):
    """The user's own images, in one folder per class."""
    class_names, splits = folder.find_held_out(root) if held_out_only else folder.find(root)
    paths = [path for split in splits.values() for path in split.paths]
    headers = dict(zip(paths, files.read_headers(paths)))
    every = headers.values()
    channels = 1 if all(header.is_grey for header in every) else 3
    sizes = {(header.height, header.width) for header in every}
    notes = {
        "source": str(root),
        "files": files.fingerprint(root, paths),
        "ignored_folders": [
            str(path.relative_to(root)) for split in splits.values() for path in split.hidden
        ],
        "ignored_files": sum(len(split.ignored) for split in splits.values()),
        "images_with_alpha": sum(header.has_alpha for header in every),
        "images_with_16_bits": sum(header.has_16_bits for header in every),
    }
    if sum(header.height * header.width * channels for header in every) <= memory:
        images = {n: files.in_memory(s, headers, channels) for n, s in splits.items()}
    else:
        if notes["files"] != known_fingerprint:
            files.check(paths)
        images = {n: files.FileImages(s.paths, s.labels) for n, s in splits.items()}
    size = sizes.pop() if len(sizes) == 1 else None
    return Source(images, class_names, channels, size, notes=notes)


def _from_idx(path, memory):
    """Grey images of one size in IDX files, such as Fashion-MNIST's."""
    found = idx.find(path)
    shapes = [idx.shape(of_split["images"], "images") for of_split in found.values()]
    if sum(map(math.prod, shapes)) > memory:
        raise ValueError(
            f"The images of --dataset=idx:{path} take {sum(map(math.prod, shapes)) / 1e9:.3g} GB, "
            f"more than --memory_gb={memory / 1e9:g}; IDX files are read whole, so raise it."
        )
    if len({shape[1:] for shape in shapes}) > 1:
        raise ValueError(f"--dataset=idx:{path}: training and held-out images differ in size.")
    splits, class_names = idx.load(found)
    digest = hashlib.sha256()  # of the images, however they are compressed
    for images in splits.values():
        digest.update(images.pixels.numpy().data)
        digest.update(images.labels.numpy().data)
    notes = {"source": str(path), "files": digest.hexdigest()[:16]}
    return Source(splits, class_names, channels=1, size=shapes[0][1:], notes=notes)
