"""What watching a group costs: python benchmarks/watching.py --flagfile=configs/digits.flags

The step of the group as it is, with the callbacks of a run that record (roles, TensorBoard, images
per second), stands beside the step of a group of the same members that measures only their losses
and accuracies, without these callbacks. Steps are made by turns in one process, on one mini-batch
of random images in memory; the median of the turns' ratios is printed, with quartiles. What the
callbacks do at the end of an epoch is measured too, and divided by its steps.
"""

import sys
import tempfile
from pathlib import Path

import common  # first: it keeps TensorFlow's import quiet
import keras
import numpy as np
from absl import flags

import orc_keras
from orc_keras import callbacks
from orc_keras.groups.role_record import RoleRecord
from orc_keras.settings import from_flags


def define_flags(values):
    common.define_group_flags(values, turns=300)
    flags.DEFINE_integer("steps", 22, "Steps of an epoch.", 1, flag_values=values)


def main(values, _=()):
    ours, shape = from_flags(values), common.image_shape(values)
    data = common.endless(common.random_batch(ours, shape, values.classes))
    group = common.compiled_group(ours, shape, values.classes)
    unrecorded = without_records(ours, shape, values.classes)
    with tempfile.TemporaryDirectory() as directory:
        throughput = callbacks.Throughput()
        recording = keras.callbacks.CallbackList(
            [
                callbacks.RoleHistory(Path(directory) / "roles.npy"),
                throughput,
                callbacks.GroupTensorBoard(Path(directory) / "tensorboard"),
            ],
            model=group,
        )
        watched = watched_step(group, throughput.timed(data), recording)
        unwatched = watched_step(unrecorded, data, keras.callbacks.CallbackList())
        for program in (watched, unwatched):
            program()  # which traces it
        check(group, unrecorded)
        turns = [turn(unwatched, watched, i % 2) for i in range(values.turns)]
        ends = [epoch_end(recording) for _ in range(9)]
    report(np.array(turns), np.median(ends) / values.steps)


RECORDING = {"record", "record_lesson"}  # methods of RoleRecord


class NoRecord(RoleRecord):
    """Counts the mini-batches, which a group needs, and records nothing else of its roles.

    Attributes:
        left_out: those of `RECORDING` that have been called, and did nothing.
    """

    metrics = ()

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.left_out = set()

    def record(self, teachers, is_teacher, mean_losses):
        self.left_out.add("record")
        self.mini_batches.assign_add(1)

    def record_teaching_loss(self, teaching, sample_losses, weights=None):
        self.left_out.add("record_lesson")


def without_records(ours, shape, classes):
    """Returns the group of the settings with `NoRecord` of its roles."""
    group = common.compiled_group(ours, shape, classes)
    if type(group) is not orc_keras.OnlineRoleChange:
        sys.exit(f"watching.py: --method must be orc, not {ours.method}: others record no roles.")
    group.role_record = NoRecord(group.add_state, group.student_names, 1, group.teachings)
    return group


def check(recorded, unrecorded):
    """Ends the program unless the groups, which have made a step, differ as they are said to.

    Otherwise a method that the library has renamed would be left out no more, and the ratio would
    still look plausible.
    """
    if lost := RECORDING - unrecorded.role_record.left_out:
        names = " and ".join(sorted(lost))
        sys.exit(f"watching.py: OnlineRoleChange does not record by RoleRecord.{names} any more.")
    more = {metric.name for metric in recorded.metrics} - {m.name for m in unrecorded.metrics}
    if "confidence_gap" not in more:
        sys.exit(f"watching.py: {sorted(more)} is all that one group measures and not the other.")


def watched_step(group, data, recording):
    """Returns a function that makes a step as `fit` does, with what callbacks do then."""
    step = common.step_of(group, data)
    recording.on_train_begin()
    recording.on_epoch_begin(0)
    return lambda: recording.on_train_batch_end(0, step())


def epoch_end(recording):
    """Returns how many seconds the callbacks take at the end of an epoch."""
    logs = {name: float(value) for name, value in recording.model.get_metrics_result().items()}
    return common.seconds(lambda: recording.on_epoch_end(0, logs))


def turn(unwatched, watched, watched_first):
    """Returns how many seconds each takes; who is first changes, because caches stay warm."""
    if watched_first:
        return (common.seconds(watched), common.seconds(unwatched))[::-1]
    return common.seconds(unwatched), common.seconds(watched)


def report(turns, of_epoch):
    unwatched, watched = 1e3 * np.median(turns, axis=0)
    low, ratio, high = np.quantile(turns[:, 1] / turns[:, 0], (0.25, 0.5, 0.75))
    print(f"milliseconds a step     {unwatched:.2f} without records, {watched:.2f} with")
    print(f"ratio of the steps      {ratio:.4f} (half of the turns: {low:.4f} to {high:.4f})")
    print(f"an epoch's end, a step  {1e3 * of_epoch:.3f} ms")
    print(f"ratio, that included    {ratio + of_epoch / np.median(turns[:, 0]):.4f}")


if __name__ == "__main__":
    common.start(main, define_flags)
