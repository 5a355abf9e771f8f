"""VGGs (Simonyan and Zisserman 2015) with BatchNorm, from the supplement's Table 6.

The table ends in FC-512, FC-512, FC-512 and softmax. A name counts exactly three fully connected
layers (VGG8 has five convolutions), so we read the end as FC-512, FC-512, FC-classes, with ReLU
between (our reading).

With `vgg_head="linear"` global average pooling replaces the fifth max pooling, and one fully
connected layer follows, as in most published results on CIFAR-100. Like those networks, it has the
fourth max pooling only for images of 64 pixels or more, not for 32.
"""

from typing import Literal

import keras
from keras import layers

from orc_keras.models.parts import Initializer, Tensor, average_pool, classifier, conv_bn_relu, relu

VggHead = Literal["default", "linear"]
# name -> convolutions in each stage
VARIANTS = {
    "vgg8": (1, 1, 1, 1, 1),
    "vgg9": (1, 1, 1, 1, 2),
    "vgg11": (1, 1, 2, 2, 2),
    "vgg13": (2, 2, 2, 2, 2),
}
STAGE_WIDTHS = (64, 128, 256, 512, 512)  # channels


def smallest_size(name: str, vgg_head: VggHead = "default") -> int:
    """Returns the image size that ends at 1 pixel after all max poolings."""
    return 32 if vgg_head == "default" else 8


def build(
    name: str, input_shape: tuple[int, int, int], num_classes: int, vgg_head: VggHead = "default"
) -> keras.Model:
    """Builds the VGG `name`; see `models.build`."""
    pooled_stages = 3 if min(input_shape[:2]) < 64 else 4  # that end in max pooling
    if vgg_head == "default":
        pooled_stages = 5
    images = x = keras.Input(input_shape, name="images")
    for stage, (width, convolutions) in enumerate(zip(STAGE_WIDTHS, VARIANTS[name]), start=1):
        for number in range(1, convolutions + 1):
            x = conv_bn_relu(x, width, f"stage{stage}_{number}", use_bias=True)
        if stage <= pooled_stages:
            x = layers.MaxPooling2D(name=f"stage{stage}_pool")(x)
    x = average_pool(x)  # a no-op after five max poolings of 32 pixels
    if vgg_head == "default":
        x = fully_connected(fully_connected(x, "fc1"), "fc2")
    logits = classifier(x, num_classes, initial=normal(), bias_initial="zeros")
    return keras.Model(images, logits, name=name)


def fully_connected(x: Tensor, name: str) -> Tensor:
    """512 units with ReLU."""
    return relu(layers.Dense(512, kernel_initializer=normal(), name=name)(x), name)


def normal() -> Initializer:
    """Normal of standard deviation 0.01, for fully connected layers."""
    return keras.initializers.RandomNormal(stddev=0.01)
