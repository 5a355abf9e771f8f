"""The sources of images that `--dataset` can name."""

import contextlib
import dataclasses
import hashlib
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from orc_keras.data import catalogue, files, folder, idx, records
from orc_keras.data.images import Images, PixelImages

CIFAR = ((0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761))  # mean and standard deviation
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
STATISTICS = {"cifar10": CIFAR, "cifar100": CIFAR, "imagenet2012": IMAGENET}


@dataclasses.dataclass(frozen=True)
class Content:
    """The images of a source, and their properties."""

    splits: Mapping[str, Images]  # `train` first; the last one is held out
    class_names: tuple[str, ...]
    channels: int
    crop_flip: str = "crop_and_flip"  # the default of training
    statistics: tuple | None = None  # mean and standard deviation; None: to be computed
    notes: dict = dataclasses.field(default_factory=dict)  # for the summary


@dataclasses.dataclass(frozen=True)
class Source:
    """What is known of a dataset before its images are read."""

    num_images: dict[str, int]  # as `Content.splits`
    size: tuple[int, int] | None  # height and width of every image; None: they differ, or unknown
    read: Callable[[float], Content]  # from the bytes of memory that images may take
    median_side: int | None = None  # of the shorter sides of training images; None if not known


def find(
    dataset: str,
    data_dir: str | None = None,
    held_out_only: bool = False,
    skip_damaged: bool = False,
    known_notes: Mapping[str, Any] | None = None,
) -> Source:
    """Returns the `Source` of a dataset; arguments as in `load`."""
    kind, _, name = dataset.partition(":")
    if dataset == "digits":
        return _digits()
    if dataset in STATISTICS or (kind == "tfds" and name):
        return _from_catalogue(name or dataset, data_dir)
    if kind == "folder" and name:
        root = Path(name).expanduser()
        return _from_folder(root, held_out_only, skip_damaged, known_notes or {})
    if kind == "idx" and name:
        return _from_idx(Path(name).expanduser())
    possible = ["digits", *STATISTICS, "tfds:<name in TensorFlow Datasets>"]
    possible += ["folder:<path>", "idx:<path>"]
    raise ValueError(f"--dataset={dataset} is unknown; possible are {', '.join(possible)}.")


def place(dataset: str, data_dir: str) -> dict[str, str]:
    """Returns the same arguments of `load` with absolute paths, valid in any working directory."""
    kind, _, path = dataset.partition(":")
    dataset = f"{kind}:{_absolute(path)}" if kind in ("folder", "idx") else dataset
    return {"dataset": dataset, "data_dir": _absolute(data_dir) if data_dir else ""}


def _absolute(path):
    return os.path.abspath(os.path.expanduser(path))


def _digits():
    """The 1,797 handwritten digits of scikit-learn, 8 x 8 x 1, split 80 / 20."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits: Any = load_digits()
    images = np.rint(digits.images * 255 / 16).astype(np.uint8)[..., None]
    arrays: Any = train_test_split(
        images, digits.target, test_size=0.2, random_state=0, stratify=digits.target
    )
    train, test, train_labels, test_labels = arrays
    content = Content(
        {"train": PixelImages(train, train_labels), "test": PixelImages(test, test_labels)},
        class_names=tuple(map(str, digits.target_names)),
        channels=1,
        crop_flip="none",  # at 8 x 8 pixels it can change the digit
    )
    return Source({"train": len(train), "test": len(test)}, (8, 8), lambda *_: content)


def _from_catalogue(name, data_dir):
    """A dataset of TensorFlow Datasets, downloaded if necessary."""
    builder = catalogue.open_builder(name, data_dir)
    splits = builder.info.splits
    num_images = {split: splits[split].num_examples for split in catalogue.splits(builder)}
    image, label = (builder.info.features[key] for key in catalogue.keys(builder))
    size = None if None in image.shape else image.shape[:2]

    def read(memory):
        fits = size and sum(num_images.values()) * math.prod(image.shape) <= memory
        images = records.in_memory if fits else records.RecordImages
        return Content(
            {split: images(builder, split) for split in num_images},
            tuple(label.names),
            image.shape[-1],
            statistics=STATISTICS.get(name),
            notes={"source": builder.info.full_name},
        )

    return Source(num_images, size, read)


def _from_folder(root, held_out_only, skip_damaged, known_notes):
    """The user's own images, in one folder per class."""
    class_names, splits = folder.find(root, held_out_only)
    damaged = _find_damaged(root, splits, known_notes) if skip_damaged else {}
    splits = folder.leave_out(splits, class_names, damaged)
    paths = [path for split in splits.values() for path in split.paths]
    with _naming_skip_damaged():
        headers = files.read_headers(paths)
    sizes = {path: (header.height, header.width) for path, header in zip(paths, headers)}
    first_split = next(iter(splits.values()))
    median_side = int(np.median([min(sizes[path]) for path in first_split.paths]))
    size = next(iter(sizes.values())) if len({*sizes.values()}) == 1 else None

    def read(memory):
        channels = 1 if all(header.is_grey for header in headers) else 3
        notes = _notes(root, splits, headers, damaged)
        fits = sum(map(math.prod, sizes.values())) * channels <= memory
        with _naming_skip_damaged():
            if not (fits or skip_damaged or notes["files"] == known_notes.get("files")):
                files.check(paths)
            images = {
                name: _in_memory(split, sizes, channels)
                if fits
                else files.FileImages(split.paths, split.labels, [sizes[p] for p in split.paths])
                for name, split in splits.items()
            }
        return Content(images, class_names, channels, notes=notes)

    num_images = {name: len(split.paths) for name, split in splits.items()}
    return Source(num_images, size, read, median_side)


def _notes(root, splits, headers, damaged):
    paths = [path for split in splits.values() for path in split.paths]
    hidden = [path.relative_to(root) for split in splits.values() for path in split.hidden]
    return {
        "source": str(root),
        "files": files.fingerprint(root, paths),
        "skipped_files": {str(path.relative_to(root)): why for path, why in damaged.items()},
        "ignored_folders": list(map(str, hidden)),
        "ignored_files": sum(len(split.ignored) for split in splits.values()),
        "images_with_alpha": sum(header.has_alpha for header in headers),
        "images_with_16_bits": sum(header.has_16_bits for header in headers),
        "images_rotated_by_exif": sum(header.is_rotated for header in headers),
    }


def _in_memory(split, sizes, channels):
    """Returns the decoded images of a split; `sizes` by path."""
    images = files.in_memory(
        split.paths, split.labels, [sizes[path] for path in split.paths], channels
    )
    images.paths = list(map(os.fsencode, split.paths))
    return images


def _find_damaged(root, splits, known_notes):
    """Returns why files cannot be used, by path; first those of earlier notes, as they were then.

    If all others are still the same, they are not decoded again.
    """
    earlier = {root / name: why for name, why in known_notes.get("skipped_files", {}).items()}
    paths = [path for split in splits.values() for path in split.paths if path not in earlier]
    if "files" in known_notes and files.fingerprint(root, paths) == known_notes["files"]:
        return earlier
    return earlier | files.find_damaged(paths)


@contextlib.contextmanager
def _naming_skip_damaged():
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{error} Mend or remove them, or train with --skip_damaged.") from error


def _from_idx(path):
    """Grey images of one size in IDX files, such as Fashion-MNIST's."""
    collection = idx.find(path)
    shapes = {split: idx.shape(p["images"], "images") for split, p in collection.items()}
    size = shapes["train"][1:]

    def read(memory):
        needed = sum(map(math.prod, shapes.values()))
        if needed > memory:
            raise ValueError(
                f"The images of --dataset=idx:{path} take {needed / 1e9:.3g} GB, more than "
                f"--memory_gb={memory / 1e9:g}; IDX files are read whole, so raise it."
            )
        if len({shape[1:] for shape in shapes.values()}) > 1:
            raise ValueError(f"--dataset=idx:{path}: training and held-out images differ in size.")
        splits, class_names = idx.load(collection)
        digest = hashlib.sha256()  # of the content, however the files are compressed
        for images in splits.values():
            digest.update(images.pixels.numpy().data)
            digest.update(images.labels.numpy().data)
        notes = {"source": str(path), "files": digest.hexdigest()[:16]}
        return Content(splits, class_names, channels=1, notes=notes)

    return Source({split: shape[0] for split, shape in shapes.items()}, size, read)
