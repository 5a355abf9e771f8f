"""The examples of the docstrings run, and give what they say."""

import doctest
import importlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import models
import orc_keras
from orc_keras.training.checkpoints import Saves

MODULES = (
    "models",
    "orc_keras.groups.independent",
    "orc_keras.callbacks.role_history",
    "orc_keras.callbacks.tensorboard",
    "orc_keras.callbacks.throughput",
    "orc_keras.training.resume",
    "orc_keras.data.image_data",
    "orc_keras.groups.feedback",
    "orc_keras.groups.knowledge_distillation",
    "orc_keras.groups.losses",
    "orc_keras.groups.mutual_learning",
    "orc_keras.groups.online_role_change",
    "orc_keras.groups.optimizers",
    "orc_keras.runs.predictions",
    "orc_keras.groups.roles",
    "orc_keras.training.checkpoints",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, tmp_path):
    rng = np.random.default_rng(0)
    given = {
        "keras": keras,
        "np": np,
        "tf": tf,
        "models": models,
        "directory": tmp_path,
        "Saves": Saves,
        "orc_keras": orc_keras,
        "images": rng.normal(size=(32, 8, 8, 1)),
        "labels": rng.integers(0, 10, 32),
    }
    result = doctest.testmod(importlib.import_module(name), extraglobs=given)
    assert result.attempted > 0 and result.failed == 0
