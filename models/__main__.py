"""`python -m models` prints the table of the networks."""

import models


def main():
    """Prints each network's parameters, forward FLOPs at its usual input, and smallest input."""
    print(f"{'network':<18} {'parameters':>11} {'usual input':>12} {'MFLOPs':>8} {'smallest':>8}")
    for name in models.names():
        (height, width, channels), classes = models.usual_input(name)
        network = models.build(name, (height, width, channels), classes)
        smallest = models.smallest_size(name)
        print(
            f"{name:<18} {models.parameters(network):>11,} {f'{height} x {width}':>12} "
            f"{models.flops(network) / 1e6:>8,.1f} {f'{smallest} x {smallest}':>8}"
        )
    print("\nMFLOPs are those of a forward pass on one image of the usual input, where a")
    print("multiplication and an addition are two. Classes: 100, for ImageNet networks 1000.")


if __name__ == "__main__":
    main()
