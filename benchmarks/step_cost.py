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

import tensorflow as tf  # isort: skip


def define_flags(values):
    common.define_group_flags(values)


def main(values, _=()):
    images = common.RandomImages(values)
    group = images.group()
    programs = programs_of(group, images)
    first = {name: common.seconds(program) for name, program in programs.items()}
    peaks = {name: peak_memory(program) for name, program in programs.items()}
    times = common.time_in_turns(programs, values.turns)
    mini_batches = images.settings.steps_per_execution
    medians = {name: np.median(each) for name, each in times.items()}
    tracing = {name: first[name] - medians[name] for name in programs}
    costs = {
        name: median if "forward" in name else median / mini_batches
        for name, median in medians.items()
    }
    show_members(group, costs)
    show_group(group, costs, images.settings.batch_size)
    largest = max(peaks[name] for name in group.members)
    print(f"seconds to trace         {tracing['group']:.1f}", end=" ")
    print(f"(the members alone, together: {sum(tracing[name] for name in group.members):.1f})")
    print(f"peak memory, GB          {peaks['group'] / 1e9:.2f}", end=" ")
    print(f"(a member alone: {largest / 1e9:.2f})")


def programs_of(group, images):
    """Returns what is timed: of each member its step, that of stock layers, and a forward pass."""
    programs = {name: images.member_step(net) for name, net in group.members.items()}
    for name, network in group.members.items():
        stock = type(network).from_config(network.get_config())  # as its file has it
        programs[name, "stock"] = images.member_step(stock)
        programs[name, "forward"] = forward(network, images)
    return programs | {"group": images.step_of(group)}


def forward(network, images):
    @tf.function(jit_compile=images.settings.jit_compile)
    def logits(batch):
        return network(batch, training=True)

    return lambda: logits(images.batch[0]).numpy()


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


def show_members(group, costs):
    print(f"{'milliseconds':<24}{'step':>10}{'stock':>10}{'forward':>10}")
    for name in group.members:
        columns = (costs[name], costs[name, "stock"], costs[name, "forward"])
        print(f"{name:<24}" + "".join(f"{1e3 * seconds:>10.1f}" for seconds in columns))


def show_group(group, costs, batch_size):
    """Prints the group's step beside the sum of its members'."""
    shares = [float(group.get_metrics_result()[f"{name}_taught"]) for name in group.student_names]
    alone = sum(costs[name] for name in group.members)
    stock = sum(costs[name, "stock"] for name in group.members)
    step = costs["group"]
    extra = teachers_passes(group, shares, {n: costs[n, "forward"] for n in group.members})
    flops = {name: models.flops(network) for name, network in group.members.items()}
    floor = 1 + teachers_passes(group, shares, flops) / (3 * sum(flops.values()))
    taught = ", ".join(f"{n} {share:.0%}" for n, share in zip(group.student_names, shares))
    print(f"{'sum of the members':<24}{1e3 * alone:>10.1f}{1e3 * stock:>10.1f}")
    print(f"{'teachers, once more':<24}{'':>20}{1e3 * extra:>10.1f}   (taught: {taught})")
    print(f"{'the group':<24}{1e3 * step:>10.1f}")
    print(f"ratio, group / sum       {step / alone:.3f} (floor by operations: {floor:.3f})")
    print(f"ratio, group / stock sum {step / stock:.3f}")
    print(f"images per second        {batch_size / step:,.0f}")


def teachers_passes(group, shares, costs):
    """What the second forward passes cost: the pivot's, and those of the students that taught."""
    by_students = sum(share * costs[name] for name, share in zip(group.student_names, shares))
    return costs[group.pivot_name] + by_students


if __name__ == "__main__":
    common.start()
