"""Images in folders: one for each class, under `train/` and under `val/` or `test/`."""

import concurrent.futures
import dataclasses
import hashlib
import os
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image, UnidentifiedImageError

from orc_keras.data.decoding import decode
from orc_keras.data.images import FileImages, MixedImages, PixelImages, empty_pixels

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
HELD_OUT = ("val", "validation", "test")  # the first of them that is there


@dataclasses.dataclass(frozen=True)
class Header:
    """What the beginning of an image's file says."""

    height: int
    width: int
    is_grey: bool
    has_alpha: bool
    has_16_bits: bool


@dataclasses.dataclass(frozen=True)
class Split:
    """The files of a split, in order, and their classes."""

    paths: list[Path]
    labels: list[int]
    ignored: list[Path]


def find(root):
    """Finds the images and the classes.

    Args:
        root: the folder, a `Path`.

    Returns:
        The names of the classes, in order; and `Split` by name, `train` first. The second, if there
        is one, is held out.

    Raises:
        ValueError: if the folder has no `train/`; if a class is empty, or in one split only; if
            an image lies outside the classes.
    """
    if not (root / "train").is_dir():
        raise ValueError(f"{root} has no folder train/ with a folder of images for each class.")
    held_out = [name for name in HELD_OUT if (root / name).is_dir()]
    names = ["train", *held_out[:1]]
    classes = {name: _classes(root / name) for name in names}
    if len(classes["train"]) < 2:
        raise ValueError(f"{root / 'train'} must have a folder for each of at least two classes.")
    for name in names[1:]:
        for one, other in (("train", name), (name, "train")):
            only = [label for label in classes[one] if label not in set(classes[other])]
            if only:
                raise ValueError(
                    f"{root} has a class {only[0]!r} in {one}/ that is not in {other}/ "
                    f"({len(only)} such); each class must be in both."
                )
    return classes["train"], {name: _split(root / name, classes["train"]) for name in names}


def _classes(folder):
    return tuple(sorted(e.name for e in os.scandir(folder) if e.is_dir() and e.name[0] != "."))


def _split(folder, class_names):
    loose = [path for path in sorted(folder.iterdir()) if _is_image(path)]
    if loose:
        raise ValueError(f"{loose[0]} lies outside the folders of the classes.")
    paths, labels, ignored = [], [], [path for path in folder.iterdir() if path.is_file()]
    for label, name in enumerate(class_names):
        files = sorted(_files(folder / name))
        images = [path for path in files if _is_image(path)]
        if not images:
            raise ValueError(f"{folder / name} has no image ({', '.join(SUFFIXES)}).")
        paths += images
        labels += [label] * len(images)
        ignored += [path for path in files if not _is_image(path)]
    return Split(paths, labels, ignored)


def _files(folder):
    for directory, _, names in os.walk(folder, followlinks=True):
        yield from (Path(directory) / name for name in names)


def _is_image(path):
    # macOS puts files ._photo.jpg, which are no images, beside photo.jpg.
    return path.suffix.lower() in SUFFIXES and path.name[0] != "." and path.is_file()


def read_headers(paths):
    """Returns the `Header` of each file.

    Raises:
        ValueError: if there are files that are not images, or not such as can be decoded.
    """
    return _of_all(_header, paths)


def _header(path):
    """Reads the header of a file, or says in words what is wrong with it."""
    try:
        with Image.open(path) as image:
            width, height = image.size
            mode, kind = image.mode, image.format
            transparent = mode in ("RGBA", "LA", "PA") or "transparency" in image.info
        with open(path, "rb") as file:
            start = file.read(25)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        return f"is not a readable image ({type(error).__name__})"
    if kind == "BMP" and mode not in ("L", "RGB", "RGBA"):
        return f"is a BMP with {'a palette' if mode == 'P' else 'one bit'}; save it as PNG"
    if kind not in ("PNG", "JPEG", "MPO", "BMP", "WEBP"):
        return f"is a {kind}, not a PNG, JPEG, BMP or WebP"
    has_16_bits = kind == "PNG" and start[24] == 16
    is_grey = mode in ("1", "L", "LA") or mode.startswith("I")
    return Header(height, width, is_grey, transparent, has_16_bits)


def _of_all(function, paths):
    """Calls a function for each file, many at once; a string that it returns is a complaint."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        results = list(pool.map(function, paths))
    wrong = [(path, said) for path, said in zip(paths, results) if isinstance(said, str)]
    if wrong:
        named = "; ".join(f"{path} {said}" for path, said in wrong[:3])
        more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise ValueError(f"Of {len(paths):,} images {len(wrong):,} cannot be used: {named}{more}.")
    return results


def fingerprint(root, paths):
    """Returns a short text that changes when a file comes, goes, or changes its size."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.relative_to(root)} {path.stat().st_size}\n".encode())
    return digest.hexdigest()[:16]


def check(paths):
    """Decodes every file once.

    Raises:
        ValueError: if one cannot be decoded.
    """
    _of_all(lambda path: _decode(path, 3, lambda image: None), paths)


def in_memory(split, headers, channels):
    """Returns the images of a split decoded, in memory.

    Raises:
        ValueError: if one cannot be decoded.
    """
    sizes = np.array([(header.height, header.width) for header in headers], np.int64)
    lengths = sizes.prod(axis=1) * channels
    ends = np.cumsum(lengths)
    pixels = empty_pixels(ends[-1])
    places = {p: slice(end - n, end) for p, end, n in zip(split.paths, ends, lengths)}

    def keep(path):
        def put(image):
            pixels[places[path]] = image.ravel()

        return _decode(path, channels, put)

    _of_all(keep, split.paths)
    if (sizes == sizes[0]).all():
        return PixelImages(pixels.reshape(-1, *sizes[0], channels), split.labels)
    return MixedImages(pixels, sizes, channels, split.labels)


def _decode(path, channels, use):
    try:
        use(decode(tf.io.read_file(str(path)), channels).numpy())
    except (tf.errors.OpError, ValueError):  # ValueError: not of the size that its header says
        return "is damaged or truncated"
    return None


def on_disk(split):
    """Returns the images of a split, decoded when they are needed."""
    return FileImages(split.paths, split.labels)
