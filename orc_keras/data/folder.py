"""Images in one folder per class, under `train/` and under `val/` or `test/`, or in the folder."""

import itertools
import os
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from orc_keras.data.images import check_class_names

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
        root: the folder. Without any split in it, the classes may lie in it itself.
        held_out_only: `train/` is not needed; the split of classes in `root` itself is `images`.

    Raises:
        ValueError: if the folder is laid out in another way, or in both; if a class is empty, or
            in one split only; if an image lies outside the classes.
    """
    if not root.is_dir():
        raise ValueError(f"--dataset=folder:{root} is not a folder.")
    folders = _folders_of_splits(root, held_out_only)
    classes = {split: _classes(folder) for split, folder in folders.items()}
    class_names = tuple(next(iter(classes.values())))
    if held_out_only and not class_names:
        raise ValueError(f"{root} must have a folder for each class, or test/ with these in it.")
    if not held_out_only and len(class_names) < 2:
        folder = folders["train"]
        raise ValueError(f"{folder} must have a folder for each of at least two classes.")
    for split, other in itertools.permutations(classes, 2):
        if only := sorted(set(classes[split]) - set(classes[other])):
            raise ValueError(
                f"{root} has a class {only[0]!r} in {split}/ that is not in {other}/ "
                f"({len(only)} such); each class must be in both."
            )
    return class_names, {split: _split(folders[split], classes[split]) for split in folders}


def leave_out(
    splits: dict[str, Split], class_names: tuple[str, ...], damaged: Collection[Path]
) -> dict[str, Split]:
    """Returns splits without some files; ValueError if nothing is left of a class."""
    left = {}
    for name, split in splits.items():
        kept = [(p, label) for p, label in zip(split.paths, split.labels) if p not in damaged]
        paths, labels = map(list, zip(*kept)) if kept else ([], [])
        if empty := sorted(set(split.labels) - set(labels)):
            raise ValueError(f"No image of {class_names[empty[0]]!r} in {name} can be used.")
        left[name] = split._replace(paths=paths, labels=labels)
    return left


def _folders_of_splits(root, held_out_only):
    """Returns the folder of each split, by name, `train` first."""
    splits = [name for name in ("train", *HELD_OUT) if (root / name).is_dir()]
    if not splits:
        return {"images" if held_out_only else "train": root}
    if not held_out_only and "train" not in splits:
        raise ValueError(
            f"{root} has no folder train/ with a folder for each class in it, beside {splits[0]}/."
        )
    for name in _visible_folders(root):
        if name not in splits and _has_image(root / name):
            raise ValueError(
                f"{root} has {splits[0]}/ and also {name}/ with images; the classes lie either all "
                f"in {splits[0]}/, or all in {root} itself."
            )
    held_out = [name for name in splits if name != "train"][:1]
    if held_out_only and not held_out:
        raise ValueError(f"{root} must have a folder for each class, or test/ with these in it.")
    names = held_out if held_out_only else ["train", *held_out]
    return {name: root / name for name in names}


def _classes(folder):
    """Returns the folders of the classes by name, an accented letter in it being one character.

    macOS makes two of it, the letter and its accent.
    """
    folders, names = {}, _visible_folders(folder)
    check_class_names(names, folder)
    for name in names:
        other = folders.setdefault(_composed(name), folder / name).name
        if other != name:
            raise ValueError(
                f"{folder} has two classes {name!r}, {ascii(other)} and {ascii(name)}, which "
                "differ only in how Unicode composes a letter; make one folder of them."
            )
    return dict(sorted(folders.items()))


def _visible_folders(folder):
    return sorted(e.name for e in os.scandir(folder) if e.is_dir() and e.name[0] != ".")


def _composed(text):
    return unicodedata.normalize("NFC", text)


def _in_order(paths: Iterable[Path]) -> list[Path]:
    """Returns paths in an order that is the same however their letters are composed."""
    return sorted(paths, key=lambda path: (tuple(map(_composed, path.parts)), path.parts))


def _split(folder, classes):
    entries = _in_order(folder.iterdir())
    for path in filter(_is_image, entries):
        raise ValueError(f"{path} lies outside the folders of the classes.")
    hidden = [path for path in entries if os.path.isdir(path) and path.name[0] == "."]
    hidden = list(filter(_has_image, hidden))
    split = Split([], [], [path for path in entries if not os.path.isdir(path)], hidden)
    for label, class_folder in enumerate(classes.values()):
        files = _in_order(_files(class_folder))
        images = list(filter(_is_image, files))
        if not images:
            raise ValueError(f"{class_folder} has no image ({', '.join(SUFFIXES)}).")
        split.paths.extend(images)
        split.labels.extend([label] * len(images))
        split.ignored.extend(path for path in files if not _is_image(path))
    return split


def images_below(
    folder: Path, refuse: Callable[[ValueError], Any]
) -> tuple[list[Path], list[Path]]:
    """Returns the files in a folder and in those below it, in order: images, and others.

    Args:
        folder: the folder.
        refuse: gets why a folder in it is left out.
    """
    files = sorted(path for path in _files(folder, refuse) if path.name[0] != ".")
    return list(filter(_is_image, files)), list(itertools.filterfalse(_is_image, files))


def _raise(error: ValueError):
    raise error


def _files(folder: Path, refuse: Callable[[ValueError], Any] = _raise) -> Iterator[Path]:
    def refuse_locked(error: OSError):
        refuse(ValueError(f"The folder {error.filename} cannot be read: {error.strerror}."))

    seen = {folder.resolve().parent}
    for directory, folders, names in os.walk(folder, onerror=refuse_locked, followlinks=True):
        resolved = Path(directory).resolve()
        if resolved in seen:
            refuse(ValueError(f"{directory} is a link to a folder whose images are there already."))
            folders.clear()
            continue
        seen.add(resolved)
        yield from (Path(directory) / name for name in names)


def _has_image(folder):
    """Whether a folder that is no class has images, as far as it can be read."""
    return any(map(_is_image, _files(folder, refuse=lambda error: None)))


def _is_image(path):
    """Whether a file has the name of an image; if it cannot be read, its reader names it."""
    # macOS puts ._photo.jpg, which is not an image, beside photo.jpg.
    return path.suffix.lower() in SUFFIXES and path.name[0] != "." and not os.path.isdir(path)
