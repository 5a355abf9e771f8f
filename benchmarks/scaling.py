"""Images per second on many GPUs, and what limits them: python benchmarks/scaling.py

A calculation, not a measurement: what it starts from are flags, and docs/scaling.md says which of
them have been measured.
"""

import common  # first: it keeps TensorFlow's import quiet
from absl import flags

from orc_keras import models

GROUPS = {  # name: members, the group's recipe for the mini-batch, images per second and CPU core
    "wrn40_2": (("wrn_40_2", "wrn_34_2", "wrn_28_2", "wrn_16_2"), 64, "cifar_core"),
    "imagenet": (
        ("resnet34_imagenet", "resnet28_imagenet", "resnet22_imagenet", "resnet18_imagenet"),
        256,
        "jpeg_core",
    ),
}


def define_flags(values):
    to = {"flag_values": values}
    common.define_choice(values, "groups", GROUPS, "Which to calculate.")
    flags.DEFINE_list("gpus", ["1", "8", "64"], "How many GPUs, all together.", **to)
    what = "What a GPU sustains in these networks, in 10^12 a second."
    flags.DEFINE_float("tflops", 10.0, what, **to)
    flags.DEFINE_integer("gpus_per_machine", 8, "GPUs in a machine.", 1, **to)
    flags.DEFINE_float("link_gb", 12.0, "Between GPUs of a machine, in 10^9 bytes a second.", **to)
    flags.DEFINE_float("network_gb", 1.25, "Between machines, in 10^9 bytes a second.", **to)
    what = "Images of 32 x 32 that a CPU core feeds a second."
    flags.DEFINE_float("cifar_core", 39_931, what, **to)
    what = "JPEGs of 500 x 375 that a CPU core feeds a second."
    flags.DEFINE_float("jpeg_core", 532, what, **to)


def main(values, _=()):
    for name in values.groups:
        members, batch, core = GROUPS[name]
        networks = [models.build(member, *models.usual_input(member)) for member in members]
        operations = operations_per_image([models.flops(network) for network in networks])
        size = 4 * sum(map(models.parameters, networks))  # gradients are float32
        print(f"\n{name}: {operations / 1e9:.1f} GFLOP an image, {size / 1e6:.0f} MB of gradients")
        for member, network in zip(members, networks):
            print(f"  {member}: {4 * models.parameters(network) / 1e6:.1f} MB")
        print(f"{'GPUs':>6}{'batch':>8}{'compute, ms':>13}{'sum, ms':>9}{'images/s':>10}", end="")
        print(f"{'summing':>9}{'CPU cores':>11}")
        for per_gpu in (True, False):
            for gpus in map(int, values.gpus):
                of_gpu = batch if per_gpu else batch / gpus
                row(values, gpus, of_gpu, operations, size, values[core].value)


def operations_per_image(forwards):
    """A step of each member is three forward passes; two more are the teachers'."""
    pivot, *students = forwards
    return 3 * sum(forwards) + pivot + sum(students) / len(students)


def row(values, gpus, of_gpu, operations, size, core):
    """Prints what a step takes if each GPU has so many images of the mini-batch."""
    computing = of_gpu * operations / (values.tflops * 1e12)
    summing = seconds_to_sum(values, gpus, size)
    speed = gpus * of_gpu / (computing + summing)
    share = summing / (computing + summing)
    print(
        f"{gpus:>6}{gpus * of_gpu:>8,.0f}{1e3 * computing:>13.1f}{1e3 * summing:>9.1f}"
        f"{speed:>10,.0f}{share:>9.0%}{speed / core:>11,.1f}"
    )


def seconds_to_sum(values, gpus, size):
    """Of a ring: every link carries 2 (n - 1) / n times the bytes; the slowest link counts."""
    if gpus == 1:
        return 0.0
    machines = -(-gpus // values.gpus_per_machine)
    inside = 2 * (1 - 1 / min(gpus, values.gpus_per_machine)) * size / (values.link_gb * 1e9)
    between = 2 * (1 - 1 / machines) * size / (values.network_gb * 1e9)
    return max(inside, between)


if __name__ == "__main__":
    common.start()
