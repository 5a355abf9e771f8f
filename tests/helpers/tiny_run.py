"""train.py with tiny networks, in processes that can be killed: a program, and its control.

TensorFlow takes seconds to import, so the program does that once, and then forks for each run.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

ROOT = Path(__file__).parents[2]


class TinyRuns:
    """Starts runs of train.py whose members have one hidden layer."""

    def __enter__(self):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._program = subprocess.Popen([sys.executable, __file__], text=True, **pipes)
        return self

    def __exit__(self, *_):
        self._program.stdin.close()
        self._program.wait()

    def start(self, *flags, at=None, file_limit=None, devices=1, environment=None, without=""):
        """Starts a run; returns what `wait` takes.

        Args:
            flags: of train.py.
            at: when the process gets which signal: `("step", 12, signal.SIGKILL)` is after its
                twelfth mini-batch, `("test", 1, ...)` after the first of a validation,
                `("rename", "summary.json", ...)` before a file or directory that has been written
                gets this name.
            file_limit: the most bytes that a file of it can have.
            devices: logical CPU devices.
            environment: variables.
            without: the name of a workaround of a fault of Keras's, which is left out.
        """
        how = (at, file_limit, devices, environment or {}, without)
        return self._ask("start", list(flags), *how)

    def wait(self, run):
        """Waits for its end; returns the exit code, negative for a signal, and what it printed."""
        return self._ask("wait", run)

    def run(self, *flags, **how):
        """Starts a run, and waits for its end."""
        return self.wait(self.start(*flags, **how))

    def _ask(self, *words):
        self._program.stdin.write(json.dumps(words) + "\n")
        self._program.stdin.flush()
        return json.loads(self._program.stdout.readline())


def build(name, image_shape, num_classes, head):
    import keras

    images = keras.Input(image_shape)
    x = keras.layers.Dense(int(name.removeprefix("hidden")))(keras.layers.Flatten()(images))
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    return keras.Model(images, keras.layers.Dense(num_classes)(x), name=name)


def train_in_child(arguments, at, file_limit, devices, environment, without, output):
    """The forked process: trains, and ends as train.py does."""
    import resource

    import tensorflow as tf

    from orc_keras import command_line
    from orc_keras.commands import train

    os.environ.update(environment)
    if file_limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
    if at:
        signal_oneself(*at)
    if without:
        leave_out(without)
    if devices > 1:
        cpu, logical = (
            tf.config.list_physical_devices("CPU")[0],
            tf.config.LogicalDeviceConfiguration(),
        )
        tf.config.set_logical_device_configuration(cpu, [logical] * devices)
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    code = 1
    try:
        command_line.run(train, arguments, "train.py")
        code = 0
    except SystemExit as end:
        code = end.code
    except Exception:
        traceback.print_exc()  # and no more: TensorFlow's threads may keep Python from ending
    sys.stdout.flush()
    os._exit(code)


def leave_out(workaround):
    from orc_keras.groups import base_model, steps

    if workaround == "with_replica_axis":
        steps.with_replica_axis = lambda metrics: metrics
    else:
        delattr(base_model.GroupModel, workaround)


def signal_oneself(event, when, number):
    """Sends a signal to this process after the step, or before the renaming, that is named."""
    import keras

    def counting(batch_end, which):
        batches = itertools.count(1)

        def counted(*args, **kwargs):
            if event == which and next(batches) == when:
                os.kill(os.getpid(), number)
            return batch_end(*args, **kwargs)

        return counted

    def renaming(function):
        def rename(source, target):
            if event == "rename" and Path(target).name == when:
                os.kill(os.getpid(), number)
            return function(source, target)

        return rename

    every = keras.callbacks.CallbackList
    every.on_train_batch_end = counting(every.on_train_batch_end, "step")
    every.on_test_batch_end = counting(every.on_test_batch_end, "test")
    os.rename, os.replace = renaming(os.rename), renaming(os.replace)


def make_tiny():
    """Makes train.py's networks tiny."""
    sys.path.insert(0, str(ROOT))
    from orc_keras import startup

    startup.import_tensorflow_quietly()
    from orc_keras import models
    from orc_keras.report import page

    os.fsync = lambda descriptor: None  # nobody pulls a plug here
    page.write = lambda paths: paths[0]  # which takes longer than such a run
    models.build = build
    models.smallest_size = lambda name, head: 1


def main():
    make_tiny()
    outputs = {}
    for line in sys.stdin:
        what, *words = json.loads(line)
        answer = wait(outputs, *words) if what == "wait" else start(outputs, *words)
        print(json.dumps(answer), flush=True)


def start(outputs, *words):
    output = tempfile.TemporaryFile("w+")  # noqa: SIM115
    child = os.fork()
    if not child:
        train_in_child(*words, output)
    outputs[child] = output
    return child


def wait(outputs, child):
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with outputs.pop(child) as output:
        output.seek(0)
        return code, output.read()


if __name__ == "__main__":
    main()
