"""Lists the networks with their parameters, forward FLOPs and smallest images.

    orc-keras networks

No positional arguments.
"""

from absl import flags

from orc_keras import startup
from orc_keras.formatting import aligned_table

HEAD = ("network", "parameters", "usual input", "MFLOPs", "smallest")
NOTE = """
Parameters and MFLOPs: with 3 channels and 100 classes, for ImageNet networks 1000.
MFLOPs: of a forward pass on one image of the usual input; a multiplication and an
addition are two. Smallest: height and width in pixels; for VGGs with vgg_head=linear, 8 x 8."""


def define_flags(flag_values: flags.FlagValues) -> None:
    """It has none."""


def main(flag_values: flags.FlagValues, arguments: list[str]) -> None:
    startup.import_tensorflow_quietly()
    from orc_keras import models

    rows = []
    for name in models.names():
        (height, width, channels), classes = models.usual_input(name)
        network = models.build(name, (height, width, channels), classes)
        parameters, mflops = models.parameters(network), models.flops(network) / 1e6
        smallest = models.smallest_size(name)
        columns = (name, f"{parameters:,}", f"{height} x {width}", f"{mflops:,.1f}")
        rows.append((*columns, f"{smallest} x {smallest}"))
    print(aligned_table([HEAD, *rows]))
    print(NOTE)
