"""What watching a group costs: python benchmarks/watching.py --flagfile=configs/digits.flags

The step of the group as it is, with the callbacks of a run that record (roles, TensorBoard, images
per second), stands beside the step of a group of the same members that measures only their losses
and accuracies, without these callbacks. Steps are made by turns in one process, on one mini-batch
of random images in memory; the median of the turns' ratios is printed, with quartiles. What the
callbacks do at the end of an epoch is measured too, and divided by its steps.
"""

import tempfile
from pathlib import Path

import common  # first: it keeps TensorFlow's import quiet
import keras
import numpy as np
from absl import flags

from orc_keras import callbacks
from orc_keras.groups.role_record import RoleRecord


def define_flags(values):
    common.define_group_flags(values, turns=300)
    flags.DEFINE_integer("steps", 22, "Steps of an epoch.", 1, flag_values=values)


def main(values, _=()):
    images = common.RandomImages(values)
    group, unrecorded = images.group(), without_records(images.group())
    with tempfile.TemporaryDirectory() as directory:
        throughput = callbacks.Throughput()
        recording = [
            callbacks.RoleHistory(Path(directory) / "roles.npy"),
            throughput,
            callbacks.GroupTensorBoard(Path(directory) / "tensorboard"),
        ]
        recording = keras.callbacks.CallbackList(recording, model=group)
        unwatched = step_of(images, unrecorded, keras.callbacks.CallbackList())
        images.batches = throughput.time_dataset(images.batches)
        watched = step_of(images, group, recording)
        for program in (watched, unwatched):
            program()  # which traces it
        turns = [time_turn(unwatched, watched, i % 2) for i in range(values.turns)]
        logs = {name: float(value) for name, value in group.get_metrics_result().items()}
        ends = [common.seconds(lambda: recording.on_epoch_end(0, logs)) for _ in range(9)]
    report(np.array(turns), np.median(ends) / values.steps)


class NoRecord(RoleRecord):
    """Counts the mini-batches, which a group needs, and records nothing else of its roles."""

    metrics = ()

    def record(self, *_):
        self.mini_batches.assign_add(1)

    def record_teaching_loss(self, *_):
        pass


def without_records(group):
    """Returns a group with `NoRecord` of its roles."""
    if not hasattr(group, "role_record"):
        raise ValueError("--method must be orc; others record no roles.")
    group.role_record = NoRecord(group.add_state, group.student_names, 1, group.teachings)
    return group


def step_of(images, group, recording):
    """Returns a function that makes a step as `fit` does, with what callbacks do then."""
    step = images.step_of(group)
    recording.on_train_begin()
    recording.on_epoch_begin(0)
    return lambda: recording.on_train_batch_end(0, step())


def time_turn(unwatched, watched, watched_first):
    """Returns how many seconds each takes; who is first changes, because caches stay warm."""
    if watched_first:
        return (common.seconds(watched), common.seconds(unwatched))[::-1]
    return common.seconds(unwatched), common.seconds(watched)


def report(turns, epoch_end):
    unwatched, watched = 1e3 * np.median(turns, axis=0)
    low, ratio, high = np.quantile(turns[:, 1] / turns[:, 0], (0.25, 0.5, 0.75))
    print(f"milliseconds a step     {unwatched:.2f} without records, {watched:.2f} with")
    print(f"ratio of the steps      {ratio:.4f} (half of the turns: {low:.4f} to {high:.4f})")
    print(f"an epoch's end, a step  {1e3 * epoch_end:.3f} ms")
    print(f"ratio, that included    {ratio + epoch_end / np.median(turns[:, 0]):.4f}")


if __name__ == "__main__":
    common.start()
