"""The examples of the docstrings and of the README run, and give what they say."""

import ast
import doctest
import importlib
import pkgutil
import re
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers.networks import hidden_network
from helpers.programs import ROOT

import orc_keras
from orc_keras import models
from orc_keras.training.checkpoints import CheckpointManager


def examples():
    """Every docstring with an example, in every module: found in the source, not by import."""
    for found in pkgutil.walk_packages(orc_keras.__path__, "orc_keras."):
        yield from examples_of(found.name, found.module_finder.find_spec(found.name))
    yield from examples_of("orc_keras", orc_keras.__spec__)


def examples_of(module, spec):
    for node in ast.walk(ast.parse(spec.loader.get_source(module))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node) or ""
            if doctest.DocTestParser().get_examples(text):
                name = getattr(node, "name", "")
                yield pytest.param(module, name, text, id=f"{module}.{name}".rstrip("."))


@pytest.fixture
def eagerly():
    """Tracing takes longer than the one step of an example."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.mark.parametrize("module, name, text", list(examples()))
def test_example(module, name, text, eagerly, tmp_path):
    rng = np.random.default_rng(0)
    given = {
        "keras": keras,
        "np": np,
        "tf": tf,
        "models": models,
        "directory": tmp_path,
        "CheckpointManager": CheckpointManager,
        "orc_keras": orc_keras,
        "images": rng.normal(size=(32, 8, 8, 1)),
        "labels": rng.integers(0, 10, 32),
    }
    if module.startswith("orc_keras.callbacks."):
        pivot, *students = (models.build("resnet8", (8, 8, 1), 10) for _ in range(3))
        given["group"] = orc_keras.OnlineRoleChange(pivot, students)
        given["group"].compile("sgd")
    given = vars(importlib.import_module(module)) | given
    example = doctest.DocTestParser().get_doctest(text, given, name, module, 0)
    said = []
    result = doctest.DocTestRunner().run(example, out=said.append)
    assert result.attempted > 0 and result.failed == 0, "".join(said)


def test_the_lines_of_the_readme(eagerly, monkeypatch):
    """From the name of a dataset to a group that has learnt, with networks that are tiny."""

    def build(name, image_shape, num_classes):
        width = {"resnet20": 32, "resnet14": 24, "resnet8": 16}[name]
        return hidden_network(name, width, 0, image_shape, num_classes)

    readme, library = ((ROOT / path).read_text() for path in ("README.md", "docs/library.md"))
    code = re.search(r"as a Keras model\n\n```python\n(.*?)```", readme, re.DOTALL)[1]
    assert code in library
    monkeypatch.setattr(models, "build", build)
    names = {}
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="`shuffle=True` was passed")
        exec(re.sub(r"epochs=\d+", "epochs=1", code), names)
    accuracies = names["group"].evaluate(names["held_out"], verbose=0, return_dict=True)
    assert 0.3 < accuracies["accuracy"] <= 1  # ten classes
