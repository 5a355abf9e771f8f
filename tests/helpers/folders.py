"""Folders of small images."""

import errno
import os

import numpy as np
from PIL import Image

from orc_keras import data


def photo(seed, height=12, width=16, channels=3):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (3, 4, channels)).astype(np.uint8)
    image = Image.fromarray(small.squeeze())
    return image.resize((width, height), Image.Resampling.BICUBIC)


def fill(root, splits=("train", "val"), classes=("cat", "dog"), number=3, **sizes):
    """Writes a folder of small PNGs, each another one."""
    for split in splits:
        for name in classes:
            (root / split / name).mkdir(parents=True, exist_ok=True)
            for i in range(number):
                seed = [ord(split[0]), ord(name[0]), i]
                photo(seed, **sizes).save(root / split / name / f"{i}.png")
    return root


def load(root, **options):
    return data.load(f"folder:{root}", **options)


def lock(monkeypatch, *paths):
    """Makes folders and files ones that this user, who may be root, may not read."""

    def locking(function):
        def refuse(path, *args, **kwargs):
            if path in locked:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
            return function(path, *args, **kwargs)

        return refuse

    locked = {*paths, *map(str, paths)}
    for name in ("scandir", "open"):
        monkeypatch.setattr(os, name, locking(getattr(os, name)))
