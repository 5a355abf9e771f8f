"""The networks of `models` once more, in NumPy: inference with the weights of a Keras network.

Written from the papers and from the networks that the field compares with, not from `models`, and
in another way: the weights are taken in the order of the layers, every padding is explicit, every
operation a few lines of arithmetic.
"""

import numpy as np

from orc_keras.models import leaf_layers


class Weights:
    """The weights of convolutions, BatchNorms and fully connected layers, each kind in order."""

    def __init__(self, network):
        self.kinds = {"conv": [], "bn": [], "dense": []}
        for layer in leaf_layers(network):
            if layer.weights:
                kind = {4: "conv", 2: "dense", 1: "bn"}[len(layer.weights[0].shape)]
                self.kinds[kind].append(layer.get_weights())

    def conv(self, x, pad=0, stride=1, groups=1):
        kernel, *bias = self.kinds["conv"].pop(0)
        y = [
            np.tensordot(windows(part, len(k), pad, stride), k, [(4, 5, 3), (0, 1, 2)])
            for part, k in zip(np.split(x, groups, axis=-1), np.split(kernel, groups, axis=-1))
        ]
        return np.concatenate(y, axis=-1) + (bias[0] if bias else 0)

    def depthwise(self, x, stride=1):
        (kernel,) = self.kinds["conv"].pop(0)
        return np.einsum("bhwcij,ijcm->bhwc", windows(x, 3, 1, stride), kernel)

    def bn(self, x):
        gamma, beta, mean, variance = self.kinds["bn"].pop(0)
        return (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta

    def conv_bn(self, x, pad=0, stride=1, groups=1):
        return self.bn(self.conv(x, pad, stride, groups))

    def dense(self, x):
        kernel, bias = self.kinds["dense"].pop(0)
        return x @ kernel + bias


def windows(x, size, pad, stride):
    """All windows of images with zeros around them: `[batch, row, column, channel, size, size]`."""
    x = np.pad(x, [(0, 0), (pad, pad), (pad, pad), (0, 0)])
    return np.lib.stride_tricks.sliding_window_view(x, (size, size), (1, 2))[:, ::stride, ::stride]


def relu(x):
    return np.maximum(x, 0)


def max_pool(x):
    return windows(x, 2, 0, 2).max((4, 5))


def shuffle(x, groups):
    """Channel j of group i goes to place j * groups + i."""
    size = x.shape[-1] // groups
    return x[..., [i * size + j for j in range(size) for i in range(groups)]]


def resnet(w, x, blocks, bottleneck=False, imagenet=False):
    x = relu(w.conv_bn(x, pad=3, stride=2) if imagenet else w.conv_bn(x, pad=1))
    if imagenet:
        x = windows(x, 3, 1, 2).max((4, 5))
    for stage, count in enumerate(blocks):
        for stride in [2 if stage else 1] + [1] * (count - 1):
            if bottleneck:
                y = relu(w.conv_bn(x))
                y = relu(w.conv_bn(y, pad=1, stride=stride))
                y = w.conv_bn(y)
            else:
                y = relu(w.conv_bn(x, pad=1, stride=stride))
                y = w.conv_bn(y, pad=1)
            same = x.shape == y.shape
            x = relu(y + (x if same else w.conv_bn(x, stride=stride)))
    return w.dense(x.mean((1, 2)))


def wide_resnet(w, x, blocks):
    x = w.conv(x, pad=1)
    for stage in range(3):
        for stride in [2 if stage else 1] + [1] * (blocks - 1):
            activated = relu(w.bn(x))
            y = relu(w.bn(w.conv(activated, pad=1, stride=stride)))
            y = w.conv(y, pad=1)
            x = y + (x if x.shape == y.shape else w.conv(activated, stride=stride))
    return w.dense(relu(w.bn(x)).mean((1, 2)))


def vgg(w, x, convolutions, linear=False):
    size = min(x.shape[1:3])
    for stage, count in enumerate(convolutions):
        for _ in range(count):
            x = relu(w.conv_bn(x, pad=1))
        if not linear or stage < 3 or (stage == 3 and size >= 64):
            x = max_pool(x)
    if linear:
        return w.dense(x.mean((1, 2)))
    return w.dense(relu(w.dense(relu(w.dense(x.reshape(-1, 512))))))


def mobilenet_v2(w, x):
    x = relu(w.conv_bn(x, pad=1, stride=2))
    rows = ((16, 1, 1), (24, 2, 1), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))
    for full_width, count, first in rows:
        for stride in [first] + [1] * (count - 1):
            y = relu(w.conv_bn(x))
            y = relu(w.bn(w.depthwise(y, stride)))
            y = w.conv_bn(y)
            assert y.shape[-1] == full_width / 2
            x = x + y if stride == 1 and x.shape[-1] == y.shape[-1] else y
    return w.dense(relu(w.conv_bn(x)).mean((1, 2)))


def shufflenet_v1(w, x):
    x = relu(w.conv_bn(x))
    for units in (4, 8, 4):
        for stride in [2] + [1] * (units - 1):
            groups = 1 if x.shape[-1] == 24 else 3
            y = shuffle(relu(w.conv_bn(x, groups=groups)), groups)
            y = relu(w.bn(w.depthwise(y, stride)))
            y = w.conv_bn(y, groups=3)
            if stride == 1:
                x = relu(y + x)
            else:
                x = relu(np.concatenate([y, windows(x, 3, 1, 2).mean((4, 5))], axis=-1))
    return w.dense(x.mean((1, 2)))


def shufflenet_v2(w, x):
    def right_branch(x, stride):
        x = relu(w.conv_bn(x))
        x = w.bn(w.depthwise(x, stride))
        return relu(w.conv_bn(x))

    x = relu(w.conv_bn(x))
    for units in (4, 8, 4):
        left = relu(w.conv_bn(w.bn(w.depthwise(x, 2))))
        x = shuffle(np.concatenate([left, right_branch(x, 2)], axis=-1), 2)
        for _ in range(units - 1):
            left, right = np.split(x, 2, axis=-1)
            x = shuffle(np.concatenate([left, right_branch(right, 1)], axis=-1), 2)
    return w.dense(relu(w.conv_bn(x)).mean((1, 2)))


IMAGENET_BLOCKS = {
    "18": (2, 2, 2, 2),
    "22": (2, 3, 3, 2),
    "28": (3, 3, 4, 3),
    "34": (3, 4, 6, 3),
    "50": (3, 4, 6, 3),
}
VGG_CONVOLUTIONS = {
    "vgg8": (1, 1, 1, 1, 1),
    "vgg9": (1, 1, 1, 1, 2),
    "vgg11": (1, 1, 2, 2, 2),
    "vgg13": (2, 2, 2, 2, 2),
}


def logits(network, images, linear=False):
    """Returns the logits that the reference network of that name gives with these weights."""
    name, w, x = network.name, Weights(network), images.astype(np.float64)
    if name.startswith("wrn"):
        result = wide_resnet(w, x, {"16": 2, "28": 4, "34": 5, "40": 6}[name.split("_")[1]])
    elif name.startswith("vgg"):
        result = vgg(w, x, VGG_CONVOLUTIONS[name], linear)
    elif name.startswith("resnet"):
        depth = name.removeprefix("resnet").removesuffix("x4").removesuffix("_imagenet")
        if blocks := IMAGENET_BLOCKS.get(depth):
            result = resnet(w, x, blocks, depth == "50", name.endswith("_imagenet"))
        else:
            result = resnet(w, x, [int(depth) // 6] * 3)
    else:
        result = globals()[name](w, x)
    assert not any(w.kinds.values()), "weights are left over"
    return result
