"""Images in one folder per class, under `train/` and under `val/` or `test/`."""

import dataclasses
import os
from pathlib import Path

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
HELD_OUT = ("val", "validation", "test")  # the first that exists


@dataclasses.dataclass(frozen=True)
class Split:
    """The images of a split, in order, with their classes, and what is left out.

    Attributes:
        paths: of the images.
        labels: their classes, as numbers.
        ignored: files that are not images.
        hidden: folders with images that are not classes, because their names begin with a dot.
    """

    paths: list[Path]
    labels: list[int]
    ignored: list[Path]
    hidden: list[Path]


def find(root):
    """Finds the images and the classes.

    Args:
        root: the folder, a `Path`.

    Returns:
        The names of the classes, in order; and `Split` by name, first `train`, then the held-out
        one, if there is one.

    Raises:
        ValueError: if the folder has no `train/`; if a class is empty, or in one split only; if
            an image lies outside the classes.
    """
    if not root.is_dir():
        raise ValueError(f"--dataset=folder:{root} is not a folder.")
    if not (root / "train").is_dir():
        raise ValueError(f"{root} has no folder train/ with a folder for each class in it.")
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


def find_held_out(root):
    """Finds images for evaluation only; the folder itself may hold the classes.

    Args:
        root: the folder, a `Path`.

    Returns:
        As `find` does, with one split.

    Raises:
        ValueError: as `find` does.
    """
    if not root.is_dir():
        raise ValueError(f"--dataset=folder:{root} is not a folder.")
    inside = [name for name in HELD_OUT if (root / name).is_dir()]
    name, place = (inside[0], root / inside[0]) if inside else ("images", root)
    classes = _classes(place)
    if not classes or "train" in classes:
        raise ValueError(f"{place} must have a folder for each class, or test/ with these in it.")
    return classes, {name: _split(place, classes)}


def _classes(folder):
    names = sorted(e.name for e in os.scandir(folder) if e.is_dir() and e.name[0] != ".")
    for name in names:
        if not name.isprintable():  # nor is a name that is not UTF-8
            raise ValueError(f"{folder} has a class {name!r}, a name that cannot be printed.")
    return tuple(names)


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
    hidden = [path for path in sorted(folder.iterdir()) if path.is_dir() and path.name[0] == "."]
    hidden = [path for path in hidden if any(map(_is_image, _files(path)))]
    return Split(paths, labels, ignored, hidden)


def _files(folder):
    seen = {folder.resolve().parent}
    for directory, _, names in os.walk(folder, followlinks=True):
        real = Path(directory).resolve()
        if real in seen:
            raise ValueError(f"{directory} is a link to a folder whose images are there already.")
        seen.add(real)
        yield from (Path(directory) / name for name in names)


def _is_image(path):
    # macOS puts ._photo.jpg, which is not an image, beside photo.jpg.
    return path.suffix.lower() in SUFFIXES and path.name[0] != "." and path.is_file()
