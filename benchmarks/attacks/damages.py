"""What can happen to a file of a run: each function is a step, called with the place first."""

import json
import random
import shutil

from attacks import runs

WAYS = ("missing", "empty", "cut", "flipped", "text", "a directory", "swapped", "another run's")
OF_LINES = ("a line less", "a line twice")
OF_JSON = ("a list", "a number", "null", "an empty object", "a key less", "another type inside")
JSON_VALUES = {"a list": [], "a number": 5, "null": None, "an empty object": {}}
OTHER_TYPES = (None, "text", -1, [], {}, 1e400, [1, [2]])


def damage(place, path, way, seed, other=None):
    """Damages the file `path` in one of `WAYS`, of `OF_LINES` or, if it holds JSON, of `OF_JSON`.

    Args:
        place: the case's folder.
        path: of the file in it.
        way: how.
        seed: of what is drawn.
        other: of "swapped", the file to change places with; of "another run's", the file among
            those that were made beforehand.
    """
    file, rng = place / path, random.Random(seed)
    whole = file.read_bytes()
    if way == "swapped":
        file.write_bytes((place / other).read_bytes())
        (place / other).write_bytes(whole)
    elif way == "another run's":
        shutil.copyfile(runs.directory() / other, file)
    elif way in ("missing", "a directory"):
        file.unlink()
        if way == "a directory":
            file.mkdir()
    elif way in OF_LINES:
        lines = whole.splitlines(keepends=True)
        line = rng.randrange(len(lines))
        lines[line : line + 1] = [lines[line]] * 2 if way == "a line twice" else []
        file.write_bytes(b"".join(lines))
    elif way in OF_JSON:
        file.write_text(json.dumps(_other_json(json.loads(whole), way, rng)))
    else:
        file.write_bytes(_other_bytes(whole, way, rng))


def _other_bytes(whole, way, rng):
    if way == "empty":
        return b""
    if way == "text":
        return b"This is not what a run has written.\n"
    if way == "cut":
        return whole[: rng.randrange(1, max(len(whole), 2))]
    at = rng.randrange(len(whole))
    return whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1 :]


def _other_json(contents, way, rng):
    if way in JSON_VALUES:
        return JSON_VALUES[way]
    where = contents
    while True:  # down to a random place
        key = rng.choice(list(where))
        if not (isinstance(where[key], dict) and where[key]) or rng.random() < 0.3:
            break
        where = where[key]
    if way == "a key less":
        del where[key]
    else:
        where[key] = rng.choice([v for v in OTHER_TYPES if type(v) is not type(where[key])])
    return contents


def copy_save(place, path, to):
    """Copies a save to the name of another one, or from the runs that were made beforehand."""
    source = place / path
    shutil.copyfile(source if source.exists() else runs.directory() / path, place / to)
