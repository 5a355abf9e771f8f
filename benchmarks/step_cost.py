"""What a step of a group costs: python benchmarks/step_cost.py --flagfile=configs/wrn40_2.flags

The group's step stands beside the sum of its members' ordinary training steps, which Keras makes:
of the same networks, and of networks with Keras's own BatchNormalization ("stock"). The group needs
two forward passes more than its members alone, the pivot's and a temporary teacher's; these are
measured too, in training mode, as the group makes them. The floor by operations counts a step as
three forward passes. Everything is measured in turns in one process, on one mini-batch of random
images in memory; medians are printed.
"""

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from absl import app, flags

from orc_keras import command_line, experiment, startup

import models  # isort: skip  (orc_keras keeps TensorFlow's import quiet)
import keras  # isort: skip
import tensorflow as tf  # isort: skip


def main(_):
    startup.log_warnings_only()
    tf.get_logger().setLevel("ERROR")  # that several models are traced is no mistake here
    ours = command_line.from_flags()
    experiment.set_up_keras(ours)
    shape = tuple(map(int, flags.FLAGS.image_shape))
    group = experiment.build_group(ours, shape, flags.FLAGS.classes)
    group.compile(**experiment.compilation(ours))
    batch = random_batch(ours.batch_size, shape, flags.FLAGS.classes)
    steps = {name: member_step(ours, network, batch) for name, network in group.members.items()}
    stock = {(n, "stock"): member_step(ours, s, batch) for n, s in stock_networks(group).items()}
    passes = {(n, "forward"): forward(ours, net, batch) for n, net in group.members.items()}
    programs = {**steps, **stock, **passes, "group": step_of(group, batch)}
    first = {name: seconds(program) for name, program in programs.items()}
    peaks = {name: peak_memory(program) for name, program in programs.items()}
    medians = measured(programs, flags.FLAGS.turns)
    show_members(group, medians, ours.steps_per_execution)
    show_group(group, ours, first, peaks, medians)


def random_batch(batch_size, shape, classes):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(batch_size, *shape)).astype(np.float32)
    return tf.constant(images), tf.constant(rng.integers(0, classes, batch_size).astype(np.int32))


def member_step(ours, network, batch):
    """The ordinary training step of a network by itself, which is Keras's own."""
    alone = keras.Model(network.input, network.output)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    alone.compile(loss=loss, metrics=["accuracy"], **experiment.compilation(ours))
    return step_of(alone, batch)


def stock_networks(group):
    """The members once more, of stock layers only, as their files have them."""
    return {name: type(net).from_config(net.get_config()) for name, net in group.members.items()}


def step_of(model, batch):
    """One call of what `fit` calls for `steps_per_execution` mini-batches."""
    step = model.make_train_function() or model.train_function
    data = iter(tf.data.Dataset.from_tensors(batch).repeat())
    return lambda: keras.tree.map_structure(np.asarray, step(data))


def forward(ours, network, batch):
    @tf.function(jit_compile=ours.jit_compile)
    def logits(images):
        return network(images, training=True)

    return lambda: logits(batch[0]).numpy()


def seconds(program):
    started = time.perf_counter()
    program()
    return time.perf_counter() - started


def measured(programs, turns):
    """Returns the median seconds of each program, run by turns."""
    times = {name: [] for name in programs}
    for _ in range(turns):
        for name, program in programs.items():
            times[name].append(seconds(program))
    return {name: np.median(each) for name, each in times.items()}


def peak_memory(program):
    """Returns the most memory, in bytes, that the process (or the first GPU) has while it runs."""
    if tf.config.list_logical_devices("GPU"):
        tf.config.experimental.reset_memory_stats("GPU:0")
        program()
        return tf.config.experimental.get_memory_info("GPU:0")["peak"]
    Path("/proc/self/clear_refs").write_text("5")  # forgets the earlier peak
    program()
    (peak,) = (x for x in Path("/proc/self/status").read_text().split("\n") if "VmHWM" in x)
    return int(peak.split()[1]) * 1024


def show_members(group, medians, mini_batches):
    print(f"{'milliseconds':<24}{'step':>10}{'stock':>10}{'forward':>10}")
    for name in group.members:
        step, stock = medians[name] / mini_batches, medians[name, "stock"] / mini_batches
        milliseconds = (1e3 * seconds for seconds in (step, stock, medians[name, "forward"]))
        print(f"{name:<24}" + "".join(f"{each:>10.1f}" for each in milliseconds))


def show_group(group, ours, first, peaks, medians):
    """Prints the group's step beside the sum of its members', what it took to trace, and memory."""
    shares = [float(group.get_metrics_result()[f"{name}_taught"]) for name in group.student_names]
    alone = sum(medians[name] for name in group.members) / ours.steps_per_execution
    stock = sum(medians[name, "stock"] for name in group.members) / ours.steps_per_execution
    step = medians["group"] / ours.steps_per_execution
    extra = teachers_passes(group, shares, {n: medians[n, "forward"] for n in group.members})
    flops = {name: models.flops(network) for name, network in group.members.items()}
    floor = 1 + teachers_passes(group, shares, flops) / (3 * sum(flops.values()))
    tracing = first["group"] - medians["group"]
    of_members = sum(first[name] - medians[name] for name in group.members)
    largest = max(peaks[name] for name in group.members)
    taught = ", ".join(f"{n} {share:.0%}" for n, share in zip(group.student_names, shares))
    print(f"{'sum of the members':<24}{1e3 * alone:>10.1f}{1e3 * stock:>10.1f}")
    print(f"{'teachers, once more':<24}{'':>20}{1e3 * extra:>10.1f}   (taught: {taught})")
    print(f"{'the group':<24}{1e3 * step:>10.1f}")
    print(f"ratio, group / sum       {step / alone:.3f} (floor by operations: {floor:.3f})")
    print(f"ratio, group / stock sum {step / stock:.3f}")
    print(f"images per second        {ours.batch_size / step:,.0f}")
    print(f"seconds to trace         {tracing:.1f} (the members alone, together: {of_members:.1f})")
    print(
        f"peak memory, GB          {peaks['group'] / 1e9:.2f} (a member alone: {largest / 1e9:.2f})"
    )


def teachers_passes(group, shares, costs):
    """What the second forward passes cost: the pivot's, and those of the students that taught."""
    of_students = sum(share * costs[name] for name, share in zip(group.student_names, shares))
    return costs[group.pivot_name] + of_students


if __name__ == "__main__":
    command_line.define_flags()
    flags.DEFINE_list("image_shape", ["32", "32", "3"], "Height, width and channels of an image.")
    flags.DEFINE_integer("classes", 100, "Number of classes.")
    flags.DEFINE_integer("turns", 15, "How often each is measured.")
    app.run(main)
