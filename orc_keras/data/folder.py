"""Images in one folder per class, under `train/` and under `val/` or `test/`."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
HELD_OUT = ("val", "validation", "test")  # the first that exists


class Split(NamedTuple):
    """The images of a split, in order, with their classes, and what is left out."""

    paths: list[Path]
    labels: list[int]
    ignored: list[Path]  # files that are not images
    hidden: list[Path]  # folders of images whose names begin with a dot


def find(root: Path, held_out_only: bool = False) -> tuple[tuple[str, ...], dict[str, Split]]:
    """Returns the names of the classes and the splits: `train`, and the held-out one if any.

    Args:
        root: the folder.
        held_out_only: `train/` is not needed; without a held-out split, the classes may lie in
            `root` itself, as the split `images`.

    Raises:
        ValueError: if the folder has no `train/`; if a class is empty, or in one split only; if
            an image lies outside the classes.
    """
    if not root.is_dir():
        raise ValueError(f"--dataset=folder:{root} is not a folder.")
    held_out = [name for name in HELD_OUT if (root / name).is_dir()][:1]
    names = (held_out or ["."]) if held_out_only else ["train", *held_out]
    if not (root / names[0]).is_dir():
        raise ValueError(f"{root} has no folder train/ with a folder for each class in it.")
    classes = {name: _classes(root / name) for name in names}
    class_names = classes[names[0]]
    if held_out_only and (not class_names or "train" in class_names):
        raise ValueError(f"{root} must have a folder for each class, or test/ with these in it.")
    if not held_out_only and len(class_names) < 2:
        raise ValueError(f"{root / 'train'} must have a folder for each of at least two classes.")
    for split, other in itertools.permutations(names, 2):
        if only := sorted(set(classes[split]) - set(classes[other])):
            raise ValueError(
                f"{root} has a class {only[0]!r} in {split}/ that is not in {other}/ "
                f"({len(only)} such); each class must be in both."
            )
    splits = {name: _split(root / name, class_names) for name in names}
    return class_names, {"images" if name == "." else name: splits[name] for name in names}


def _classes(folder):
    names = sorted(e.name for e in os.scandir(folder) if e.is_dir() and e.name[0] != ".")
    for name in names:
        if not name.isprintable():  # nor is a name that is not UTF-8
            raise ValueError(f"{folder} has a class {name!r}, a name that cannot be printed.")
    return tuple(names)


def _split(folder, class_names):
    entries = sorted(folder.iterdir())
    for path in filter(_is_image, entries):
        raise ValueError(f"{path} lies outside the folders of the classes.")
    hidden = [path for path in entries if path.is_dir() and path.name[0] == "."]
    hidden = [path for path in hidden if any(map(_is_image, _files(path)))]
    split = Split([], [], [path for path in entries if path.is_file()], hidden)
    for label, name in enumerate(class_names):
        files = sorted(_files(folder / name))
        images = list(filter(_is_image, files))
        if not images:
            raise ValueError(f"{folder / name} has no image ({', '.join(SUFFIXES)}).")
        split.paths.extend(images)
        split.labels.extend([label] * len(images))
        split.ignored.extend(path for path in files if not _is_image(path))
    return split


def _files(folder: Path) -> Iterator[Path]:
    seen = {folder.resolve().parent}
    for directory, _, names in os.walk(folder, followlinks=True):
        resolved = Path(directory).resolve()
        if resolved in seen:
            raise ValueError(f"{directory} is a link to a folder whose images are there already.")
        seen.add(resolved)
        yield from (Path(directory) / name for name in names)


def _is_image(path):
    # macOS puts ._photo.jpg, which is not an image, beside photo.jpg.
    return path.suffix.lower() in SUFFIXES and path.name[0] != "." and path.is_file()
