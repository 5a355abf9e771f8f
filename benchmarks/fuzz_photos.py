"""The readers of photos for `fuzz.py`: training's, an exported network's, and a server's."""

import asyncio
import functools
import importlib.util
import json
import os

import common
import numpy as np
import tensorflow as tf
from fuzz_files import PHOTOS

from orc_keras import data
from orc_keras.data.files import read_pixels
from orc_keras.export.exported import ExportedNetwork
from orc_keras.export.photo import to_images


def by_pillow(path, description):
    """Returns the pixels that Pillow makes of a photo; None if it refuses what we have read."""
    try:
        return to_images(path, description)[0]
    except Exception:  # of many kinds
        return None


def read_images(folder):
    """Returns the pixels of all images by path, as `train.py` loads them, and as Pillow does."""
    images, found = data.load(f"folder:{folder}"), {}
    for split in (images.train, images.held_out):
        for place in range(len(split)):
            path, (pixels, label) = split.path(place), split.read(place)
            size = dict(zip(("height", "width", "channels"), pixels.shape))
            of_pillow = by_pillow(path, images.preprocessing.as_json() | size | {"crop": 1})
            found[path] = [int(label), np.asarray(pixels), of_pillow]
    return found


def are_as_pillow_shows(result, right):
    """Accepts images that Pillow shows too, two of which may be others, or missing."""
    for _, pixels, of_pillow in result.values():
        assert of_pillow is None or np.array_equal(pixels, of_pillow)
    lost = {path for path in right if path not in result}
    others = {p for p in result if not np.array_equal(result[p][1], right[p][1])}
    return len(lost | others) <= 2


@functools.cache
def _networks(student):
    network = ExportedNetwork(student)
    return network, tf.saved_model.load(student).signatures["files"]


def read_photos(folder):
    """Returns pixels of the photos, as TensorFlow and as Pillow makes them, and logits of both."""
    network, of_files = _networks(str(folder / "student"))
    found = []
    for path in (folder / name for name in PHOTOS):
        pixels = read_pixels(path, network.preprocessing)
        contents = tf.constant([path.read_bytes()])
        logits = network.predict(pixels[None]), of_files(contents=contents)
        of_pillow = by_pillow(path, network.preprocessing.as_json())
        found.append([pixels.astype(int), of_pillow, *(np.asarray(x["logits"]) for x in logits)])
    return found


def all_agree(result, right):
    """Accepts other photos of which all three ways make the same, but for ties of rounding."""
    for pixels, of_pillow, *logits in result:
        assert of_pillow is None or np.abs(pixels - of_pillow).max() <= 1
        np.testing.assert_allclose(*logits, rtol=1e-5)
    return True


@functools.cache
def _server(student):
    os.environ["STUDENT"] = student
    spec = importlib.util.spec_from_file_location("serve", common.ROOT / "docs" / "serve.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.app


def read_server(folder):
    """Returns what the server of docs/serve.py answers; ValueError if it refuses a photo."""
    sent, scope = [], {"type": "http", "method": "POST", "path": "/predict", "query_string": b""}

    async def send(message):
        sent.append(message)

    for path in (folder / name for name in PHOTOS):
        body = {"type": "http.request", "body": path.read_bytes()}
        app = _server(str(folder / "student"))
        asyncio.run(app(scope | {"headers": []}, functools.partial(asyncio.sleep, 0, body), send))
        if sent[-2]["status"] in (413, 415):
            raise ValueError(f"{path}: {sent[-1]['body']}")
    return [json.loads(message["body"]) for message in sent[1::2]]


def are_classes_of_it(result, right):
    """Accepts other probabilities of the same classes."""
    return [each["probabilities"].keys() for each in result] == [
        each["probabilities"].keys() for each in right
    ]
