"""The damages of `fuzz.py`: of a file's place in its folder, of its bytes, and of its values."""

import os
import tempfile
import zlib
from functools import partial
from pathlib import Path
from typing import NamedTuple

from fuzz_forms import CODE, EDITS, VALUES, pickled

PLACES = ("missing", "directory", "link", "dangling", "fifo")
BYTES = ("empty", "cut", "flipped", "swapped", "foreign", "code")
DAMAGES = (*PLACES, *BYTES, *VALUES, "twice")
FIXED = (*PLACES, "empty", "foreign")  # nothing is drawn
TWICE = ("cut", "flipped", "swapped", "foreign", *VALUES)  # of which two are drawn
HEADERS = {  # places of numbers of 4 bytes, their order, places of other bytes, values of these
    "png": ((16, 20), "big", range(24, 29), (3, 5, 16, 255)),
    "bmp": ((2, 10, 18, 22, 34), "little", (14, 26, 28, 30), (1, 3, 8, 16, 32, 255)),
    "idx1": ((4,), "big", range(4), (1, 13, 255)),
    "idx3": ((4, 8, 12), "big", range(4), (1, 13, 255)),
}
IN_HEADERS = {"huge": 2**31 - 1, "negative": 2**32 - 1, "absent": 0}


class Case(NamedTuple):
    """A damage of a file of a reader; a seed determines what is drawn."""

    reader: str
    damage: str
    file: str
    seed: int

    def __str__(self):
        return ":".join(map(str, self))

    def is_possible(self, form, number):
        """Whether a file of this form has this damage, and so often, where nothing is drawn."""
        if form in HEADERS and self.damage in VALUES:
            return self.damage in ("type", *IN_HEADERS)
        is_fixed = self.damage in FIXED or (self.damage == "code" and form not in CODE)
        return (self.damage not in VALUES or form in EDITS) and not (is_fixed and number)


def apply(case, folder, forms, rng, other_file, marker):
    """Damages a file, or does so twice; returns the names of the damaged ones.

    Args:
        case: `Case`.
        folder: of the files.
        forms: of the files' contents, keys of `EDITS` and `CODE` or empty, by name.
        rng: `random.Random`.
        other_file: a function of a name and `rng`: the contents of a file of this name in another
            folder like this one, or, of an empty name, of another reader's file.
        marker: the directory that code in the file is to make.
    """
    files, damages = [case.file], [case.damage]
    if case.damage == "twice":
        files, damages = [case.file, rng.choice(list(forms))], rng.sample(TWICE, 2)
    for file, damage in zip(files, damages):
        path, form = folder / file, forms[file]
        content = path.read_bytes()
        path.unlink()
        if damage in PLACES:
            _misplace(path, content, damage, marker.parent)
        elif damage == "code":
            path.write_bytes(CODE.get(form, pickled)(marker, rng))
        elif damage in ("swapped", "foreign"):
            path.write_bytes(other_file(file if damage == "foreign" else "", rng))
        else:
            path.write_bytes(_damaged(content, damage, form, rng))
    return [Path(file).name for file in files]


def _misplace(path, content, damage, outside):
    if damage == "directory":
        path.mkdir()
    elif damage == "fifo":
        os.mkfifo(path)
    elif damage == "link":  # to the right file, out of the folder
        target = Path(tempfile.mkdtemp(dir=outside)) / path.name
        target.write_bytes(content)
        path.symlink_to(target)
    elif damage == "dangling":
        path.symlink_to(path.with_name("nowhere"))


def _damaged(content, damage, form, rng):
    """Returns the contents of a file with a damage to its bytes or its values."""
    if damage == "empty":
        return b""
    if damage == "cut":
        return content[: rng.randrange(1, max(2, len(content)))]
    if damage in VALUES and form in EDITS:
        try:
            return EDITS[form](content, damage, rng)
        except Exception:  # it has a damage already
            pass
    content = bytearray(content or b"\0")
    for _ in range(rng.choice((1, 8))):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def _header(form, content, damage, rng):
    """Edits a number in the header of a file; a PNG's checksum is right again."""
    numbers, order, others, values = HEADERS[form]
    content = bytearray(content)
    if damage == "type":
        content[rng.choice(others)] = rng.choice(values)
    else:
        place = rng.choice(numbers)
        content[place : place + 4] = IN_HEADERS[damage].to_bytes(4, order)
    if form == "png":
        content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


EDITS |= {form: partial(_header, form) for form in HEADERS}
