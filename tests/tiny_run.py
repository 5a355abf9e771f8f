"""train.py with tiny networks, in processes that can be killed: a program, and its control.

TensorFlow takes seconds to import, so the program does that once, and then forks for each run.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


class TinyRuns:
    """Starts runs of train.py whose members have one hidden layer."""

    def __enter__(self):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._program = subprocess.Popen([sys.executable, __file__], text=True, **pipes)
        return self

    def __exit__(self, *_):
        self._program.stdin.close()
        self._program.wait()

    def start(self, *flags, file_limit=None, devices=1, environment=None):
        """Starts a run, of which `wait()` must follow; returns its process id.

        Args:
            flags: of train.py.
            file_limit: the most bytes that a file of it can have.
            devices: logical CPU devices.
            environment: variables.
        """
        self._say([list(flags), file_limit, devices, environment or {}])
        return json.loads(self._program.stdout.readline())

    def wait(self):
        """Waits for its end; returns the exit code, negative for a signal, and what it printed."""
        return json.loads(self._program.stdout.readline())

    def _say(self, words):
        self._program.stdin.write(json.dumps(words) + "\n")
        self._program.stdin.flush()


def build(name, image_shape, num_classes, head):
    import keras

    images = keras.Input(image_shape)
    x = keras.layers.Dense(int(name.removeprefix("hidden")))(keras.layers.Flatten()(images))
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    return keras.Model(images, keras.layers.Dense(num_classes)(x), name=name)


def train_in_child(arguments, file_limit, devices, environment, output):
    """The forked process: trains, and ends as train.py does."""
    import resource

    import tensorflow as tf
    from absl import flags

    import train

    os.environ.update(environment)
    if file_limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
    if devices > 1:
        cpu, logical = (
            tf.config.list_physical_devices("CPU")[0],
            tf.config.LogicalDeviceConfiguration(),
        )
        tf.config.set_logical_device_configuration(cpu, [logical] * devices)
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    flags.FLAGS(["train.py", *arguments])
    try:
        train.main(["train.py"])
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code)
        code = error.code if isinstance(error.code, int) else 1
    else:
        code = 0
    sys.stdout.flush()
    os._exit(code)


def make_tiny():
    """Makes train.py's networks tiny, and defines its flags."""
    sys.path.insert(0, str(ROOT))
    import train  # noqa: F401  (it keeps TensorFlow's import quiet)

    # isort: split
    import models
    from orc_keras import command_line, report

    report.write = lambda paths: paths[0]  # which takes longer than such a run
    models.build = build
    models.smallest_size = lambda name, head: 1
    command_line.define_flags()


def main():
    make_tiny()
    for line in sys.stdin:
        with tempfile.TemporaryFile("w+") as output:
            child = os.fork()
            if not child:
                train_in_child(*json.loads(line), output)
            print(json.dumps(child), flush=True)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            output.seek(0)
            print(json.dumps([code, output.read()]), flush=True)


if __name__ == "__main__":
    main()
