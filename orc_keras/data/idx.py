"""IDX files: the format of MNIST, Fashion-MNIST, KMNIST and EMNIST."""

import contextlib
import gzip
import math
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from orc_keras.data.images import PixelImages, empty_pixels

NAME = re.compile(r"(?:(.+)-)?(train|t10k|test)-(images|labels)[-.]idx[13]-ubyte(?:\.gz)?")
AXES = {"images": 3, "labels": 1}
UBYTE = 8  # the code of unsigned bytes, the only type that images have

Paths = dict[str, dict[str, Path]]  # by split, `train` first; then of `"images"` and `"labels"`


def find(path: Path) -> Paths:
    """Returns the files of a collection, or raises ValueError if they are missing or ambiguous.

    Args:
        path: a folder that holds one collection; or, where it holds several as EMNIST's does, that
            folder and the collection's name, as in `emnist/emnist-letters`.
    """
    root, name = (path, None) if path.is_dir() else (path.parent, path.name)
    paths = [each for each in sorted(root.glob("*ubyte*")) if each.is_file()]
    found = [(*match.groups(), each) for each in paths if (match := NAME.fullmatch(each.name))]
    names: set[Any] = {each[0] for each in found}
    if name is None and None not in names:
        if len(names) > 1:
            raise ValueError(
                f"--dataset=idx:{path} holds {', '.join(sorted(names))}; add which, as in "
                f"idx:{path}/<name>."
            )
        name = next(iter(names), None)
    splits: Paths = {"train": {}, "t10k": {}, "test": {}}
    for _, split, kind, each in filter(lambda file: file[0] == name, found):
        splits[split].setdefault(kind, each)  # of two, the one that is not compressed
    if not splits["train"]:
        raise ValueError(
            f"--dataset=idx:{path} has no train-images-idx3-ubyte and train-labels-idx1-ubyte "
            "(or either with .gz), with or without a collection's name before them."
        )
    for split, files in splits.items():
        if files and (missing := set(AXES) - set(files)):
            raise ValueError(f"--dataset=idx:{path} has no {missing.pop()} of {split}.")
    return {split: files for split, files in splits.items() if files}


def shape(path: Path, kind: str) -> Any:
    """Returns the shape that the header of a file states: `kind` is `"images"` or `"labels"`."""
    with _opened(path, kind) as (_, sizes):
        return sizes


def read(path: Path, kind: str) -> np.ndarray:
    """Returns the content of a file, uint8: images `[number, height, width]` or labels `[number]`.

    Raises:
        ValueError: if it is not such a file, or is damaged.
    """
    with _opened(path, kind) as (file, sizes):
        content: Any = empty_pixels(*sizes)
        if file.readinto(memoryview(content).cast("B")) < content.size or file.read(1):
            raise ValueError(f"{path} is not as long as its header says; it may be truncated.")
    return content


def load(files: Paths) -> tuple[dict[str, PixelImages], tuple[str, ...]]:
    """Reads a collection; returns the images by split and the names of the classes.

    These are the labels that occur among the training images (EMNIST's letters begin at 1).

    Raises:
        ValueError: if a file is damaged, or labels do not belong to the images.
    """
    labels = {split: read(paths["labels"], "labels") for split, paths in files.items()}
    classes = np.unique(labels["train"])
    splits = {}
    for split, paths in files.items():
        if unknown := sorted(set(labels[split].tolist()) - set(classes.tolist())):
            raise ValueError(f"{paths['labels']} has labels that training has not: {unknown}.")
        pixels = read(paths["images"], "images")[..., None]
        if len(pixels) != len(labels[split]):
            raise ValueError(
                f"{paths['images']} has {len(pixels):,} images, but {paths['labels']} has "
                f"{len(labels[split]):,} labels."
            )
        splits[split] = PixelImages(pixels, np.searchsorted(classes, labels[split]))
    return splits, tuple(map(str, classes.tolist()))


@contextlib.contextmanager
def _opened(path, kind):
    """Opens a file, compressed or not; yields it behind its header, and the shape stated there.

    The header: two zeros, the type, the number of axes, and their sizes, big-endian.
    """
    axes = AXES[kind]
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            header = file.read(4 + 4 * axes)
            if header[:4] != bytes([0, 0, UBYTE, axes]) or len(header) < 4 + 4 * axes:
                raise ValueError(f"{path} is not an IDX file of {kind} in unsigned bytes.")
            sizes = np.frombuffer(header, ">u4", offset=4).tolist()
            if not math.prod(sizes):
                raise ValueError(f"{path} holds nothing: its header says {sizes}.")
            yield file, tuple(sizes)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is damaged or truncated ({error}).") from error
