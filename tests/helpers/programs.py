"""Python in processes of their own."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
PROGRAM = ("-m", "orc_keras")


def program(*arguments, cwd=ROOT):
    """Runs Python in a process of its own."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=cwd, capture_output=True, text=True
    )


def programs(*commands):
    """Runs several programs of this project for one import of TensorFlow.

    Args:
        *commands: a list each, as `program` takes it.

    Returns:
        As many results, with `returncode`, `stdout` and `stderr`.
    """
    given = [[str(argument) for argument in command] for command in commands]
    run = program(Path(__file__).parent / "forked.py", json.dumps(given))
    assert (run.returncode, run.stderr) == (0, ""), run.stderr
    ends = json.loads(run.stdout)
    return [subprocess.CompletedProcess(c, *end) for c, end in zip(given, ends, strict=True)]


SERVE = """
import sys
sys.modules["orc_keras"] = None  # it may be installed; here it cannot be imported
import keras, numpy as np, tensorflow as tf
images = np.load(sys.argv[2])
signature = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
result = {key: value.numpy() for key, value in signature(images=tf.constant(images)).items()}
network = keras.saving.load_model(sys.argv[1] + ".keras", safe_mode=True)
np.savez(sys.argv[3], **result, keras=network(images.astype(np.float32)))
"""


def serve(saved_model, images, tmp_path):
    """Answers of a SavedModel in a process without this project.

    And, as `keras`, the logits of the Keras file beside it for images that are not normalised.
    """
    np.save(tmp_path / "images.npy", images)
    arguments = (saved_model, tmp_path / "images.npy", tmp_path / "answers.npz")
    run = program("-I", "-c", SERVE, *arguments, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    return np.load(tmp_path / "answers.npz")
