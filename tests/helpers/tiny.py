"""Runs that take a second."""

import numpy as np

from helpers.devices import replicas
from helpers.networks import hidden_network
from orc_keras import data, models
from orc_keras.distribution import strategies
from orc_keras.report import page
from orc_keras.settings import Settings


def tiny_settings(monkeypatch):
    """Makes networks and data tiny; returns a function from changed settings to `Settings`."""

    def build(name, image_shape, num_classes, head):
        assert (image_shape, num_classes) == ((4, 4, 1), 5)
        return hidden_network(name, int(name.removeprefix("hidden")))

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 4, 4, 1)).astype(np.uint8)
    labels = rng.integers(0, 5, 60).astype(np.int32)
    tiny_data = data.ImageData(
        data.PixelImages(images[:40], labels[:40]),
        data.PixelImages(images[40:], labels[40:]),
        tuple("abcde"),
        (4, 4, 1),
        (0.5,),
        (0.3,),
    )
    monkeypatch.setattr(page, "write", lambda paths: paths[0])  # longer than such a run
    monkeypatch.setattr(models, "build", build)
    monkeypatch.setattr(models, "smallest_size", lambda name, head: 4)
    monkeypatch.setattr(data, "load", lambda *_, **__: tiny_data)
    monkeypatch.setattr(strategies, "_mirrored", lambda: replicas(2))

    def settings(**changed):
        return Settings(
            **{
                "dataset": "tiny",
                "pivot": "hidden16",
                "students": ("hidden12", "hidden8", "hidden6"),
                "pivot_epochs": 1,
                "epochs": 2,
                "batch_size": 8,
                "decay_epochs": (1,),
            }
            | changed
        )

    return settings
