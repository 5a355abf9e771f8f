"""Prints the table of the networks: python -m orc_keras.networks"""

import sys

from orc_keras import command_line, startup

NAME = command_line.name_of("orc_keras.networks")


def main(argv):
    """Prints each network's parameters, forward FLOPs at its usual input and smallest input."""
    if len(argv) > 1:
        sys.exit(f"{NAME}: takes no arguments, but got {argv[1]!r}.")
    startup.quietly()
    from orc_keras import models

    print(f"{'network':<18} {'parameters':>11} {'usual input':>12} {'MFLOPs':>8} {'smallest':>8}")
    for name in models.names():
        (height, width, channels), classes = models.usual_input(name)
        network = models.build(name, (height, width, channels), classes)
        smallest = models.smallest_size(name)
        print(
            f"{name:<18} {models.parameters(network):>11,} {f'{height} x {width}':>12} "
            f"{models.flops(network) / 1e6:>8,.1f} {f'{smallest} x {smallest}':>8}"
        )
    print(
        "\nParameters and MFLOPs: with 3 channels and 100 classes, for ImageNet networks 1000.\n"
        "MFLOPs: of a forward pass on one image of the usual input; a multiplication and an\n"
        "addition are two. Smallest: height and width in pixels; for VGGs with head=linear, 8 x 8."
    )


def program():
    """Runs the program, as the command `orc-networks` does."""
    command_line.start(main, NAME)


if __name__ == "__main__":
    program()
