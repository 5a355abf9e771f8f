"""Wide ResNets (Zagoruyko and Komodakis 2016), the supplement's Table 5: `wrn_<depth>_<width>`.

Pre-activation blocks, (depth - 4) / 6 in each of three stages. If a block changes the shape, its
first BatchNorm and ReLU precede the shortcut as well.
"""

import keras
from keras import layers

from orc_keras.models.parts import Tensor, average_pool, batch_norm, classifier, conv, relu

# name -> depth, widening factor
VARIANTS = {
    f"wrn_{depth}_{widening}": (depth, widening)
    for depth, widening in ((16, 2), (28, 2), (34, 2), (40, 2), (40, 1))
}
STAGE_WIDTHS = (16, 32, 64)  # channels, times the widening factor


def smallest_size(name: str) -> int:
    """Returns the image size that ends at 1 pixel: two stages halve it."""
    return 4


def build(name: str, input_shape: tuple[int, int, int], num_classes: int) -> keras.Model:
    """Builds the wide ResNet `name`; see `models.build`."""
    depth, widening = VARIANTS[name]
    images = keras.Input(input_shape, name="images")
    x = conv(images, STAGE_WIDTHS[0], "stem")
    for stage, width in enumerate(STAGE_WIDTHS, start=1):
        for number in range(1, (depth - 4) // 6 + 1):
            strides = 2 if stage > 1 and number == 1 else 1
            x = block(x, widening * width, strides, f"stage{stage}_block{number}")
    x = average_pool(bn_relu(x, "last"))
    return keras.Model(images, classifier(x, num_classes, bias_initial="zeros"), name=name)


def block(x: Tensor, width: int, strides: int, name: str) -> Tensor:
    """BatchNorm, ReLU and 3 x 3 convolution, twice, with a shortcut."""
    activated = bn_relu(x, f"{name}_1")
    y = conv(activated, width, f"{name}_1", strides=strides)
    y = conv(bn_relu(y, f"{name}_2"), width, f"{name}_2")
    if x.shape[-1] != width:
        x = conv(activated, width, f"{name}_shortcut", kernel_size=1, strides=strides)
    return layers.Add(name=f"{name}_add")([y, x])


def bn_relu(x: Tensor, name: str) -> Tensor:
    """BatchNorm, then ReLU."""
    return relu(batch_norm(x, name), name)
