"""The damages of `fuzz.py`: of a file's place in its folder, of its bytes, and of its values."""

import io
import json
import os
import pickle
import re
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np

PLACES = ("missing", "directory", "link", "dangling", "fifo")
BYTES = ("empty", "cut", "flipped", "swapped", "code")
VALUES = ("huge", "negative", "nan", "nested", "type", "absent")
DAMAGES = (*PLACES, *BYTES, *VALUES)
FIXED = (*PLACES, "empty", "code")  # nothing is drawn

DEEP = 100_000  # levels of a nested value
TOKENS = {  # what replaces a value in a text
    "huge": ("1" + "0" * 30, "1e308", "1e999", "9" * 5000),
    "negative": ("-1", "-1e30", "-Infinity"),
    "nan": ("NaN",),
    "nested": ("[[[0]]]", "[" * DEEP + "]" * DEEP),
    "type": ('"text"', "[]", "{}", "null", "true", '""', "1.5", "text"),
}
NUMBERS = {"huge": 3e38, "negative": -1.0, "nan": np.nan}  # what fills an array


class Payload:
    """Unpickled, it makes a directory: the sign that code in a file has run."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


def is_possible(damage, form):
    """Whether a file of this form can have this damage."""
    if damage in ("nan", "nested") and form in ("png", "idx"):  # whole numbers in a header
        return False
    return damage not in VALUES or form in EDITS


def apply(damage, path, form, rng, other, marker):
    """Damages a file.

    Args:
        damage: one of `DAMAGES`.
        path: of the file.
        form: of its contents, a key of `EDITS`; empty: unknown.
        rng: `random.Random`.
        other: the contents of another reader's file.
        marker: the directory that code in the file is to make.
    """
    content = path.read_bytes()
    path.unlink()
    if damage == "directory":
        path.mkdir()
    elif damage == "fifo":
        os.mkfifo(path)
    elif damage == "link":  # to the right file, out of the folder
        outside = Path(tempfile.mkdtemp(dir=marker.parent)) / path.name
        outside.write_bytes(content)
        path.symlink_to(outside)
    elif damage == "dangling":
        path.symlink_to(path.with_name("nowhere"))
    elif damage in VALUES:
        path.write_bytes(EDITS[form](content, damage, rng))
    elif damage == "code":
        path.write_bytes(_code(form, marker))
    elif damage != "missing":
        damaged = {"empty": b"", "cut": content[: rng.randrange(1, len(content))], "swapped": other}
        path.write_bytes(damaged[damage] if damage in damaged else _flipped(content, rng))


def _flipped(content, rng):
    content = bytearray(content)
    for _ in range(rng.choice((1, 8))):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def _code(form, marker):
    """Returns a file of this form that makes the directory `marker` if its code is run."""
    file = io.BytesIO()
    if form in ("npy", "npz"):
        save = np.save if form == "npy" else np.savez
        save(file, np.array([Payload(marker)], object))
    elif form == "torch":
        import torch

        torch.save({"conv1.weight": Payload(marker)}, file)
    elif form == "keras":
        return _lambda_layer(str(marker))
    else:
        pickle.dump(Payload(marker), file)
    return file.getvalue()


def _lambda_layer(marker):
    import keras

    code = keras.layers.Lambda(lambda images: (os.makedirs(marker, exist_ok=True), images)[1])
    layers = [keras.Input((4, 4, 1)), code, keras.layers.Flatten(), keras.layers.Dense(3)]
    content = _keras_file(keras.Sequential(layers))
    os.rmdir(marker)  # building the network has run the code too
    return content


def _keras_file(network):
    with tempfile.TemporaryDirectory() as folder:
        network.save(Path(folder, "network.keras"))
        return Path(folder, "network.keras").read_bytes()


def _json(content, damage, rng):
    """Replaces a value at any depth, or deletes it."""
    tree = json.loads(content)
    parent, key = rng.choice(list(_values(tree)))
    if damage == "absent":
        del parent[key]
        return json.dumps(tree).encode()
    parent[key] = "\0"
    return json.dumps(tree).replace('"\\u0000"', rng.choice(TOKENS[damage])).encode()


def _values(tree):
    for key in tree if isinstance(tree, dict) else range(len(tree)):
        yield tree, key
        if isinstance(tree[key], dict | list):
            yield from _values(tree[key])


def _text(content, damage, rng):
    """Replaces what stands between separators in a line, or deletes the line."""
    lines = content.decode().splitlines()
    number = rng.randrange(len(lines))
    fields = re.split(r"(,|=|  )", lines[number])
    if damage == "absent":
        fields = []
    else:
        fields[rng.randrange(0, len(fields), 2)] = rng.choice(TOKENS[damage])
    lines[number] = "".join(fields)
    return ("\n".join(lines) + "\n").encode()


def _array(array, damage, rng):
    """Returns an array in place of another one."""
    if damage == "nested":
        return np.array([[[None]], "text"], object)
    if damage == "type":
        return rng.choice((array.astype(str), array[None], array.ravel()[0]))
    if damage == "absent":
        return array[:0]
    with np.errstate(invalid="ignore"):
        return np.full(array.shape, NUMBERS[damage]).astype(rng.choice((np.float32, array.dtype)))


def _numpy(content, damage, rng):
    """Replaces the array of an `.npy` file, or one of an `.npz` file."""
    file, loaded = io.BytesIO(), np.load(io.BytesIO(content))
    if not isinstance(loaded, np.ndarray):
        arrays = dict(loaded)
        name = rng.choice(sorted(arrays))
        np.savez(file, **arrays | {name: _array(arrays[name], damage, rng)})
    elif damage == "huge" and rng.random() < 0.5:  # a header that promises more than there is
        header = {"descr": loaded.dtype.str, "fortran_order": False, "shape": (10**9, 10**9)}
        np.lib.format.write_array_header_1_0(file, header)
    else:
        np.save(file, _array(loaded, damage, rng))
    return file.getvalue()


def _keras(content, damage, rng):
    """Edits the configuration of a `.keras` file, or fills its weights with a number."""
    import keras

    if damage in NUMBERS and rng.random() < 0.5:
        with tempfile.NamedTemporaryFile(suffix=".keras") as file:
            Path(file.name).write_bytes(content)
            network = keras.saving.load_model(file.name)
        network.set_weights([np.full_like(w, NUMBERS[damage]) for w in network.get_weights()])
        return _keras_file(network)
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(file, "w") as edited:
        for name in archive.namelist():
            member = archive.read(name)
            edit = name == "config.json"
            edited.writestr(name, _json(member, damage, rng) if edit else member)
    return file.getvalue()


def _torch(content, damage, rng):
    import torch

    file, state = io.BytesIO(), torch.load(io.BytesIO(content), weights_only=True)
    name = rng.choice(sorted(name for name in state if state[name].ndim))
    if damage == "nested":
        state[name] = {"model": {"model": [state[name]]}}
    elif damage == "type":
        state[name] = rng.choice(("text", None, 1.5, state[name][None], state[name].bool()))
    else:
        state[name] = torch.from_numpy(np.array(_array(state[name].numpy(), damage, rng)))
    torch.save(state, file)
    return file.getvalue()


def _png(content, damage, rng):
    """Edits the header of a PNG, whose checksum is right again; or takes its pixels away."""
    if damage == "absent":
        return content[: content.index(b"IDAT") - 4] + content[content.index(b"IEND") - 4 :]
    header = bytearray(content[12:29])  # IHDR, width, height, and five bytes
    if damage == "type":
        header[rng.randrange(12, 17)] = rng.choice((3, 5, 16, 255))
    else:
        _put(header, rng.choice((4, 8)), damage)
    return content[:12] + bytes(header) + zlib.crc32(header).to_bytes(4, "big") + content[33:]


def _idx(content, damage, rng):
    """Edits the header of an IDX file: the type, or the size of an axis."""
    content = bytearray(content)
    if damage == "type":
        content[rng.randrange(4)] = rng.choice((1, 13, 255))
    else:
        _put(content, 4 + 4 * rng.randrange(content[3]), damage)
    return bytes(content)


def _put(content, place, damage):
    number = {"huge": 2**31 - 1, "negative": 2**32 - 1, "absent": 0}[damage]
    content[place : place + 4] = number.to_bytes(4, "big")


EDITS = dict(
    json=_json, text=_text, npy=_numpy, npz=_numpy, keras=_keras, torch=_torch, png=_png, idx=_idx
)
