"""What watching a group costs: python benchmarks/watching.py --flagfile=configs/digits.flags

The step of the group as it is, with the callbacks of a run that record (roles, TensorBoard, images
per second), stands beside the step of the same group that keeps no record of its teachings, its
confidence gap and its teachers, without these callbacks. Steps are made by turns in one process, on
one mini-batch of random images in memory; the median of the turns' ratios is printed, with
quartiles. What the callbacks do at the end of an epoch is measured too, and divided by its steps.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from absl import app, flags
from step_cost import random_batch

from orc_keras import callbacks, command_line, experiment, startup
from orc_keras.groups import online_role_change

import keras  # isort: skip  (orc_keras keeps TensorFlow's import quiet)
import tensorflow as tf  # isort: skip


class NoRecord:
    """In place of a metric that is not kept."""

    def update_state(self, *_):
        pass


def main(_):
    startup.log_warnings_only()
    tf.get_logger().setLevel("ERROR")  # that several models are traced is no mistake here
    ours = command_line.from_flags()
    experiment.set_up_keras(ours)
    shape = tuple(map(int, flags.FLAGS.image_shape))
    batch = random_batch(ours.batch_size, shape, flags.FLAGS.classes)
    data = tf.data.Dataset.from_tensors(batch).repeat()
    with tempfile.TemporaryDirectory() as directory:
        throughput = callbacks.Throughput()
        recording = keras.callbacks.CallbackList(
            [
                callbacks.RoleHistory(Path(directory) / "roles.npy"),
                throughput,
                callbacks.GroupTensorBoard(Path(directory) / "tensorboard"),
            ],
            model=build(ours, shape),
        )
        watched = step_of(recording.model, throughput.timed(data), recording)
        unwatched = step_of(without_records(ours, shape), data, keras.callbacks.CallbackList())
        for program in (watched, unwatched):
            program()  # which traces it
        turns = [turn(unwatched, watched, i % 2) for i in range(flags.FLAGS.turns)]
        ends = [epoch_end(recording) for _ in range(9)]
    report(np.array(turns), np.median(ends) / flags.FLAGS.steps)


def build(ours, shape):
    group = experiment.build_group(ours, shape, flags.FLAGS.classes)
    group.compile(**experiment.compilation(ours))
    return group


def without_records(ours, shape):
    online_role_change.REMEMBERED = 1
    group = build(ours, shape)
    group._lessons = dict.fromkeys(online_role_change.TEACHINGS, NoRecord())
    group._gap = NoRecord()
    group._metrics_of_training = lambda: list(group._taught.values())
    return group


def step_of(group, data, recording):
    """Returns a function that makes a step as `fit` does, with what callbacks do then."""
    group.make_train_function()
    iterator = iter(data)
    recording.on_train_begin()
    recording.on_epoch_begin(0)

    def step():
        logs = keras.tree.map_structure(np.asarray, group.train_function(iterator))
        recording.on_train_batch_end(0, logs)

    return step


def epoch_end(recording):
    """Returns how many seconds the callbacks take at the end of an epoch."""
    logs = {name: float(value) for name, value in recording.model.get_metrics_result().items()}
    return seconds(lambda: recording.on_epoch_end(0, logs))


def turn(unwatched, watched, watched_first):
    """Returns how many seconds each takes; who is first changes, because caches stay warm."""
    if watched_first:
        return (seconds(watched), seconds(unwatched))[::-1]
    return seconds(unwatched), seconds(watched)


def seconds(program):
    began = time.perf_counter()
    program()
    return time.perf_counter() - began


def report(turns, of_epoch):
    unwatched, watched = 1e3 * np.median(turns, axis=0)
    low, ratio, high = np.quantile(turns[:, 1] / turns[:, 0], (0.25, 0.5, 0.75))
    print(f"milliseconds a step     {unwatched:.2f} without records, {watched:.2f} with")
    print(f"ratio of the steps      {ratio:.4f} (half of the turns: {low:.4f} to {high:.4f})")
    print(f"an epoch's end, a step  {1e3 * of_epoch:.3f} ms")
    print(f"ratio, that included    {ratio + of_epoch / np.median(turns[:, 0]):.4f}")


if __name__ == "__main__":
    command_line.define_flags()
    flags.DEFINE_list("image_shape", ["32", "32", "3"], "Height, width and channels of an image.")
    flags.DEFINE_integer("classes", 100, "Number of classes.")
    flags.DEFINE_integer("steps", 22, "Steps of an epoch.")
    flags.DEFINE_integer("turns", 300, "How often each is measured.")
    app.run(main)
