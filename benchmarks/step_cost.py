"""What a step of a group costs: python benchmarks/step_cost.py --flagfile=configs/wrn40_2.flags

The group's step stands beside the sum of its members' ordinary training steps, which Keras makes:
of the same networks, and of networks with Keras's own BatchNormalization ("stock"). The group needs
two forward passes more than its members alone, the pivot's and a temporary teacher's; these are
measured too, in training mode, as the group makes them. The floor by operations counts a step as
three forward passes. Everything is measured in turns in one process, on one mini-batch of random
images in memory; medians are printed.
"""

from pathlib import Path

import common  # first: it keeps TensorFlow's import quiet
import numpy as np

from orc_keras import models
from orc_keras.settings import from_flags

import tensorflow as tf  # isort: skip


def define_flags(values):
    common.define_group_flags(values)


def main(values, _=()):
    ours, shape = from_flags(values), common.image_shape(values)
    group = common.compiled_group(ours, shape, values.classes)
    batch = common.random_batch(ours, shape, values.classes)
    programs = programs_of(group, ours, batch)
    first = {name: common.seconds(program) for name, program in programs.items()}
    peaks = {name: peak_memory(program) for name, program in programs.items()}
    times = common.by_turns(programs, values.turns)
    medians = {name: np.median(each) for name, each in times.items()}
    show_members(group, medians, ours.steps_per_execution)
    show_group(group, ours, medians)
    show_tracing_and_memory(group, first, peaks, medians)


def programs_of(group, ours, batch):
    """Returns what is timed: of each member its step, that of stock layers, and a forward pass."""
    members, stock = group.members, stock_networks(group)
    return {
        **{name: common.member_step(ours, network, batch) for name, network in members.items()},
        **{(n, "stock"): common.member_step(ours, net, batch) for n, net in stock.items()},
        **{(n, "forward"): forward(ours, network, batch) for n, network in members.items()},
        "group": common.step_of(group, common.endless(batch)),
    }


def stock_networks(group):
    """The members once more, of stock layers only, as their files have them."""
    return {name: type(net).from_config(net.get_config()) for name, net in group.members.items()}


def forward(ours, network, batch):
    @tf.function(jit_compile=ours.jit_compile)
    def logits(images):
        return network(images, training=True)

    return lambda: logits(batch[0]).numpy()


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


def show_group(group, ours, medians):
    """Prints the group's step beside the sum of its members'."""
    shares = [float(group.get_metrics_result()[f"{name}_taught"]) for name in group.student_names]
    alone = sum(medians[name] for name in group.members) / ours.steps_per_execution
    stock = sum(medians[name, "stock"] for name in group.members) / ours.steps_per_execution
    step = medians["group"] / ours.steps_per_execution
    extra = teachers_passes(group, shares, {n: medians[n, "forward"] for n in group.members})
    flops = {name: models.flops(network) for name, network in group.members.items()}
    floor = 1 + teachers_passes(group, shares, flops) / (3 * sum(flops.values()))
    taught = ", ".join(f"{n} {share:.0%}" for n, share in zip(group.student_names, shares))
    print(f"{'sum of the members':<24}{1e3 * alone:>10.1f}{1e3 * stock:>10.1f}")
    print(f"{'teachers, once more':<24}{'':>20}{1e3 * extra:>10.1f}   (taught: {taught})")
    print(f"{'the group':<24}{1e3 * step:>10.1f}")
    print(f"ratio, group / sum       {step / alone:.3f} (floor by operations: {floor:.3f})")
    print(f"ratio, group / stock sum {step / stock:.3f}")
    print(f"images per second        {ours.batch_size / step:,.0f}")


def show_tracing_and_memory(group, first, peaks, medians):
    tracing = first["group"] - medians["group"]
    of_members = sum(first[name] - medians[name] for name in group.members)
    largest = max(peaks[name] for name in group.members)
    print(f"seconds to trace         {tracing:.1f} (the members alone, together: {of_members:.1f})")
    print(
        f"peak memory, GB          {peaks['group'] / 1e9:.2f} (a member alone: {largest / 1e9:.2f})"
    )


def teachers_passes(group, shares, costs):
    """What the second forward passes cost: the pivot's, and those of the students that taught."""
    of_students = sum(share * costs[name] for name, share in zip(group.student_names, shares))
    return costs[group.pivot_name] + of_students


if __name__ == "__main__":
    common.start(main, define_flags)
