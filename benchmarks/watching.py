"""What watching a group costs: python benchmarks/watching.py --flagfile=configs/digits.flags

The group as it is, trained with the callbacks of a run that record (roles, TensorBoard, images per
second), stands beside the same group without these callbacks that keeps no record of its teachings,
its confidence gap and its teachers. Both are fitted by turns in one process, an epoch each, on one
mini-batch of random images in memory; the median of the turns' ratios is printed, with quartiles.
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

from orc_keras import callbacks, experiment, online_role_change, settings, startup

import tensorflow as tf  # isort: skip  (orc_keras keeps its import quiet)
from step_cost import random_batch  # isort: skip


class NoRecord:
    """In place of a metric that is not kept."""

    def update_state(self, *_):
        pass


def main(_):
    startup.log_warnings_only()
    tf.get_logger().setLevel("ERROR")  # that several models are traced is no mistake here
    ours = settings.from_flags()
    experiment.set_up_keras(ours)
    shape = tuple(map(int, flags.FLAGS.image_shape))
    batch = random_batch(ours.batch_size, shape, flags.FLAGS.classes)
    with tempfile.TemporaryDirectory() as directory:
        watched = epoch_of(build(ours, shape), batch, watching(Path(directory)))
        unwatched = epoch_of(without_records(ours, shape), batch, lambda data: (data, []))
        turns = [(unwatched(), watched()) for _ in range(flags.FLAGS.turns + 1)][1:]
    report(np.array(turns) / flags.FLAGS.steps)


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


def watching(directory):
    """Returns a function from data to the data of a watched training, and its callbacks."""
    throughput = callbacks.Throughput()
    recording = [
        callbacks.RoleHistory(directory / "roles.npy"),
        throughput,
        callbacks.GroupTensorBoard(directory / "tensorboard"),
    ]
    return lambda data: (throughput.timed(data), recording)


def epoch_of(group, batch, watching):
    """Returns a function that trains a group for an epoch, and returns the seconds it took."""
    data, recording = watching(tf.data.Dataset.from_tensors(batch).repeat())

    def epoch():
        began = time.perf_counter()
        steps = flags.FLAGS.steps
        group.fit(data, steps_per_epoch=steps, verbose=0, callbacks=recording)
        return time.perf_counter() - began

    return epoch


def report(seconds):
    unwatched, watched = np.median(seconds, axis=0)
    low, ratio, high = np.quantile(seconds[:, 1] / seconds[:, 0], (0.25, 0.5, 0.75))
    print(f"milliseconds a step  {1e3 * unwatched:.2f} without records, {1e3 * watched:.2f} with")
    print(f"ratio                {ratio:.4f} (half of the turns: {low:.4f} to {high:.4f})")


if __name__ == "__main__":
    settings.define_flags()
    flags.DEFINE_list("image_shape", ["32", "32", "3"], "Height, width and channels of an image.")
    flags.DEFINE_integer("classes", 100, "Number of classes.")
    flags.DEFINE_integer("steps", 22, "Steps of an epoch.")
    flags.DEFINE_integer("turns", 40, "How often each is measured.")
    app.run(main)
