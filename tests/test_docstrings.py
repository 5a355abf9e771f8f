"""The examples of the docstrings run, and give what they say."""

import doctest
import importlib

import keras
import numpy as np
import pytest

import models
import orc_keras

MODULES = (
    "models",
    "orc_keras.feedback",
    "orc_keras.losses",
    "orc_keras.online_role_change",
    "orc_keras.optimizers",
    "orc_keras.roles",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    rng = np.random.default_rng(0)
    given = {
        "keras": keras,
        "models": models,
        "orc_keras": orc_keras,
        "images": rng.normal(size=(32, 8, 8, 1)),
        "labels": rng.integers(0, 10, 32),
    }
    result = doctest.testmod(importlib.import_module(name), extraglobs=given)
    assert result.attempted > 0 and result.failed == 0
