"""The contents of files by their form: edits of their values, and code or worse in their place."""

import io
import json
import os
import pickle
import re
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from helpers import photos

VALUES = ("huge", "negative", "nan", "nested", "type", "path", "absent")
DEEP = 100_000  # levels of a nested value
TOKENS = {  # what replaces a value in a text
    "huge": ("1" + "0" * 30, "1e308", "1e999", "9" * 5000),
    "negative": ("-1", "-1e30", "-Infinity"),
    "nan": ("NaN",),
    "nested": ("[[[0]]]", "[" * DEEP + "]" * DEEP),
    "type": ('"text"', "[]", "{}", "null", "true", '""', "1.5", "text"),
    "path": ("/etc/hostname", "../outside", "/dev/zero", "a[1]*", "~", "x" * 5000),
}
NUMBERS = {"huge": 3e38, "negative": -1.0, "nan": np.nan}  # what fills an array
HOSTILE = (  # module, class and configuration of what a `.keras` file may name
    ("os", "mkdir", "MARKER"),
    ("builtins", "function", "os.mkdir"),
    ("builtins", "exec", {"source": "import os; os.mkdir('MARKER')"}),
    ("keras.src.utils.file_utils", "get_file", {"fname": "MARKER", "origin": "file:///etc/hosts"}),
    ("keras.layers", "StringLookup", {"vocabulary": "/etc/passwd"}),
    ("keras.layers", "TFSMLayer", {"filepath": "MARKER"}),
    ("keras.models", "load_model", {"filepath": "MARKER"}),
    ("mine", "Unknown", {}),
)


class Payload:
    """Unpickled, it makes a directory: the sign that code in a file has run."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


def pickled(marker, rng):
    """Returns a pickle that makes the directory `marker`."""
    return pickle.dumps(Payload(marker))


def _numpy_code(marker, rng):
    return _saved(rng.choice((np.save, np.savez)), np.array([Payload(marker)], object))


def _torch_code(marker, rng):
    import torch

    return _saved(lambda file, state: torch.save(state, file), {"conv1.weight": Payload(marker)})


def _flags_code(marker, rng):
    """Returns flags whose pivot is a function in a module in the working directory."""
    Path("evil.py").write_text(f"import os\nos.mkdir({str(marker)!r})\n")
    return b"--dataset=digits\n--pivot=evil:build\n--students=resnet14,resnet8\n"


def _keras_code(marker, rng):
    """Returns a network with a Lambda layer, or with something else in place of an initializer."""
    import keras

    path = str(marker)
    code = keras.layers.Lambda(lambda images: (os.makedirs(path, exist_ok=True), images)[1])
    draw = rng.randrange(-1, len(HOSTILE))
    layers = [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    with tempfile.TemporaryDirectory() as folder:
        keras.Sequential(layers[:2] + [code] * (draw < 0) + layers[2:]).save(f"{folder}/a.keras")
        content = Path(folder, "a.keras").read_bytes()
    if draw < 0:
        os.rmdir(marker)  # building the network has run the code too
        return content
    module, name, settings = HOSTILE[draw]
    settings = json.loads(json.dumps(settings).replace("MARKER", str(marker)))
    named = {"module": module, "class_name": name, "registered_name": name, "config": settings}

    def edit(tree):
        if isinstance(tree, dict):
            return {k: named if k == "kernel_initializer" else edit(v) for k, v in tree.items()}
        return [edit(each) for each in tree] if isinstance(tree, list) else tree

    return _zip(content, {"config.json": lambda config: json.dumps(edit(json.loads(config)))})


def _json(content, damage, rng):
    """Replaces a value at any depth, or deletes it."""
    tree = json.loads(content)
    parent, key = rng.choice(list(_values(tree)))
    if damage == "absent":
        del parent[key]
        return json.dumps(tree).encode()
    parent[key] = "\0"
    quoted = json.dumps if damage == "path" else str
    return json.dumps(tree).replace('"\\u0000"', quoted(rng.choice(TOKENS[damage]))).encode()


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
        place = rng.randrange(0, len(fields), 2)
        changed = (f"\ufeff{fields[place]}", f"{fields[place]}  # a comment")
        fields[place] = rng.choice(TOKENS[damage] + changed * (damage == "type"))
    lines[number] = "".join(fields)
    return ("\n".join(lines) + "\n").encode()


def _array(array, damage, rng):
    """Returns an array in place of another one."""
    if damage == "nested":
        return np.array([[[None]], "text"], object)
    if damage == "type":
        return rng.choice((array.astype(str), array[None], array.ravel()[0]))
    if damage in ("absent", "path"):
        return array[:0]
    with np.errstate(invalid="ignore"):
        return np.full(array.shape, NUMBERS[damage]).astype(rng.choice((np.float32, array.dtype)))


def _numpy(content, damage, rng):
    """Replaces the array of an `.npy` file, or one of an `.npz` file, or its name."""
    loaded = np.load(io.BytesIO(content))
    if not isinstance(loaded, np.ndarray):
        arrays = dict(loaded)
        name = rng.choice(sorted(arrays))
        if damage == "path":
            arrays[rng.choice(TOKENS[damage])] = arrays.pop(name)
        else:
            arrays[name] = _array(arrays[name], damage, rng)
        return _saved(lambda file, arrays: np.savez(file, **arrays), arrays)
    if damage == "huge" and rng.random() < 0.5:  # a header that promises more than there is
        header = {"descr": loaded.dtype.str, "fortran_order": False, "shape": (10**9, 10**9)}
        return _saved(np.lib.format.write_array_header_1_0, header)
    return _saved(np.save, _array(loaded, damage, rng))


def _keras(content, damage, rng):
    """Edits the configuration of a `.keras` file, or its weights, or leaves members out."""
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    if damage == "absent" and rng.random() < 0.5:
        return _zip(content, dict.fromkeys(rng.choice([names, *([n] for n in names)]), None))
    if rng.random() < 0.3:
        return _zip(content, {"model.weights.h5": lambda file: _hdf5(file, damage, rng)})
    return _zip(content, {"config.json": lambda file: _json(file, damage, rng)})


def _zip(content, edits):
    """Edits members of an archive by functions of their contents, or leaves them out for None."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(file, "w") as edited:
        for name in archive.namelist():
            if edit := edits.get(name, bytes):
                edited.writestr(name, edit(archive.read(name)))
    return file.getvalue()


def _hdf5(content, damage, rng):
    """Replaces an array of an HDF5 file, perhaps by a link or by what is in another file."""
    import h5py

    stored, names = io.BytesIO(content), []
    with h5py.File(stored, "r+") as file:
        file.visit(lambda name: names.append(name) if hasattr(file[name], "shape") else None)
        name = rng.choice(names)
        array = file[name][()]
        del file[name]
        if damage == "nested":
            file.create_group(name)
        elif damage == "path" and rng.random() < 0.5:
            file[name] = rng.choice((h5py.ExternalLink("/etc/hostname", "/"), h5py.SoftLink("/")))
        elif damage == "path":
            outside = [("/etc/hostname", 0, h5py.h5s.UNLIMITED)]
            file.create_dataset(name, array.shape, array.dtype, external=outside)
        elif damage != "absent":
            value = np.asarray(_array(array, damage, rng))
            file[name] = value.astype("S") if value.dtype.kind == "U" else value
    return stored.getvalue()


def _torch(content, damage, rng):
    """Replaces a tensor, perhaps by one of a kind that no weight has, or its name."""
    import torch

    state = torch.load(io.BytesIO(content), weights_only=True)
    name = rng.choice(sorted(name for name in state if state[name].ndim))
    tensor = state[name]
    if damage == "nested" and rng.random() < 0.5:
        state["model"] = state["state_dict"] = state  # it contains itself
    elif damage == "nested":
        state[name] = {"model": {"model": [tensor]}}
    elif damage == "type":
        kinds = (torch.bool, torch.bfloat16, torch.float8_e5m2, torch.complex64, "meta")
        odd = ["text", None, 1.5, tensor[None], tensor.to_sparse(), *map(tensor.to, kinds)]
        odd += [torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8)]
        state[name] = rng.choice(odd)
    elif damage == "path":
        state[rng.choice((0, *TOKENS[damage]))] = state.pop(name)
    else:
        state[name] = torch.from_numpy(np.array(_array(tensor.numpy(), damage, rng)))
    return _saved(lambda file, state: torch.save(state, file), state)


def _saved(save, value):
    file = io.BytesIO()
    save(file, value)
    return file.getvalue()


EDITS = dict(json=_json, text=_text, flags=_text, npy=_numpy, npz=_numpy, keras=_keras)
EDITS |= dict(hdf5=_hdf5, torch=_torch)
CODE = dict(npy=_numpy_code, npz=_numpy_code, flags=_flags_code, keras=_keras_code)
REFUSED = [content for content, _ in photos.refused().values()]  # TensorFlow decodes them wrongly
CODE |= dict.fromkeys(("png", "bmp", "image"), lambda marker, rng: rng.choice(REFUSED))
CODE["torch"] = _torch_code
