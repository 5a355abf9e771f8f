"""The published networks in PyTorch, with the parameters' names of their checkpoints."""

import torch
from torch import nn
from torch.nn import functional


def conv(i, o, size=3, strides=1, **options):
    return nn.Conv2d(i, o, size, strides, size // 2, **{"bias": False} | options)


def norm(channels):
    return nn.BatchNorm2d(channels)


class Residual(nn.Module):
    """A basic block, or a bottleneck; `shortcut` is the name of what changes the shape."""

    def __init__(self, i, width, strides, shortcut, is_bottleneck):
        super().__init__()
        self.shortcut_name, o = shortcut, 4 * width if is_bottleneck else width
        sizes = (1, 3, 1) if is_bottleneck else (3, 3)
        widths, places = [i, *[width] * (len(sizes) - 1), o], range(1, len(sizes) + 1)
        for k, size in zip(places, sizes):
            step = strides if k == (2 if is_bottleneck else 1) else 1
            setattr(self, f"conv{k}", conv(widths[k - 1], widths[k], size, step))
            setattr(self, f"bn{k}", norm(widths[k]))
        self.places, self.out = list(places), o
        if strides != 1 or i != o:
            setattr(self, shortcut, nn.Sequential(conv(i, o, 1, strides), norm(o)))

    def forward(self, x):
        y = x
        for k in self.places:
            y = getattr(self, f"bn{k}")(getattr(self, f"conv{k}")(y))
            y = functional.relu(y) if k < self.places[-1] else y
        return functional.relu(y + getattr(self, self.shortcut_name, nn.Identity())(x))


class ResNet(nn.Module):
    def __init__(self, classes, stem, widths, blocks, v2=False, bottleneck=False, imagenet=False):
        super().__init__()
        self.conv1, self.bn1 = conv(3, stem, *((7, 2) if imagenet else (3, 1))), norm(stem)
        self.pool = nn.MaxPool2d(3, 2, 1) if imagenet else nn.Identity()
        self.stages, channels = len(widths), stem
        for stage, (width, number) in enumerate(zip(widths, blocks), start=1):
            layers = []
            for n in range(number):
                strides = 2 if stage > 1 and n == 0 else 1
                name = "shortcut" if v2 else "downsample"
                layers.append(Residual(channels, width, strides, name, bottleneck))
                channels = layers[-1].out
            setattr(self, f"layer{stage}", nn.Sequential(*layers))
        self.end = "linear" if v2 else "fc"
        setattr(self, self.end, nn.Linear(channels, classes))

    def forward(self, x):
        x = self.pool(functional.relu(self.bn1(self.conv1(x))))
        for stage in range(1, self.stages + 1):
            x = getattr(self, f"layer{stage}")(x)
        return getattr(self, self.end)(x.mean((2, 3)))


class WideBlock(nn.Module):
    def __init__(self, i, o, strides):
        super().__init__()
        self.bn1, self.conv1 = norm(i), conv(i, o, 3, strides)
        self.bn2, self.conv2 = norm(o), conv(o, o)
        self.convShortcut = conv(i, o, 1, strides) if i != o else None

    def forward(self, x):
        activated = functional.relu(self.bn1(x))
        y = self.conv2(functional.relu(self.bn2(self.conv1(activated))))
        return y + (self.convShortcut(activated) if self.convShortcut else x)


class WideStage(nn.Module):
    def __init__(self, i, o, strides, number):
        super().__init__()
        blocks = [WideBlock(o if n else i, o, 1 if n else strides) for n in range(number)]
        self.layer = nn.Sequential(*blocks)

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    def __init__(self, classes, depth, widening):
        super().__init__()
        widths = [16, *(widening * width for width in (16, 32, 64))]
        self.conv1 = conv(3, 16)
        for stage in (1, 2, 3):
            shape = widths[stage - 1], widths[stage], 1 if stage == 1 else 2
            setattr(self, f"block{stage}", WideStage(*shape, (depth - 4) // 6))
        self.bn1, self.fc = norm(widths[-1]), nn.Linear(widths[-1], classes)

    def forward(self, x):
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        return self.fc(functional.relu(self.bn1(x)).mean((2, 3)))


class VGG(nn.Module):
    def __init__(self, classes, convolutions):
        super().__init__()
        channels = 3
        for stage, (width, number) in enumerate(zip((64, 128, 256, 512, 512), convolutions)):
            layers = []
            for _ in range(number):
                layers += [conv(channels, width, bias=True), norm(width), nn.ReLU()]
                channels = width
            setattr(self, f"block{stage}", nn.Sequential(*layers[:-1]))
        self.classifier = nn.Linear(512, classes)

    def forward(self, x):
        for stage in range(5):
            x = functional.relu(getattr(self, f"block{stage}")(x))
            x = functional.max_pool2d(x, 2) if stage < 3 else x
        return self.classifier(x.mean((2, 3)))


class Inverted(nn.Module):
    def __init__(self, i, o, strides, expansion):
        super().__init__()
        wide = i * expansion
        self.is_residual = strides == 1 and i == o
        self.conv = nn.Sequential(
            *(conv(i, wide, 1), norm(wide), nn.ReLU()),
            *(conv(wide, wide, 3, strides, groups=wide), norm(wide), nn.ReLU()),
            *(conv(wide, o, 1), norm(o)),
        )

    def forward(self, x):
        return x + self.conv(x) if self.is_residual else self.conv(x)


class MobileNetV2(nn.Module):
    """At width 0.5."""

    def __init__(self, classes):
        super().__init__()
        rows = [(1, 8, 1, 1), (6, 12, 2, 1), (6, 16, 3, 2), (6, 32, 4, 2), (6, 48, 3, 1)]
        rows += [(6, 80, 3, 2), (6, 160, 1, 1)]
        self.conv1 = nn.Sequential(conv(3, 16, 3, 2), norm(16), nn.ReLU())
        self.blocks, channels = nn.ModuleList(), 16
        for expansion, width, number, strides in rows:
            row = []
            for n in range(number):
                row.append(Inverted(channels, width, 1 if n else strides, expansion))
                channels = width
            self.blocks.append(nn.Sequential(*row))
        self.conv2 = nn.Sequential(conv(160, 1280, 1), norm(1280), nn.ReLU())
        self.classifier = nn.Sequential(nn.Linear(1280, classes))

    def forward(self, x):
        x = self.conv1(x)
        for row in self.blocks:
            x = row(x)
        return self.classifier(self.conv2(x).mean((2, 3)))


def shuffled(x, groups):
    batch, channels, height, width = x.shape
    x = x.reshape(batch, groups, channels // groups, height, width)
    return x.transpose(1, 2).reshape(batch, channels, height, width)


class ShuffleUnit(nn.Module):
    """Of ShuffleNetV1, with three groups."""

    def __init__(self, i, o, strides):
        super().__init__()
        self.strides, self.groups = strides, 1 if i == 24 else 3
        o -= i if strides == 2 else 0
        middle = o // 4
        self.conv1, self.bn1 = conv(i, middle, 1, groups=self.groups), norm(middle)
        self.conv2, self.bn2 = conv(middle, middle, 3, strides, groups=middle), norm(middle)
        self.conv3, self.bn3 = conv(middle, o, 1, groups=3), norm(o)

    def forward(self, x):
        y = shuffled(functional.relu(self.bn1(self.conv1(x))), self.groups)
        y = self.bn3(self.conv3(functional.relu(self.bn2(self.conv2(y)))))
        if self.strides == 2:
            return functional.relu(torch.cat([y, functional.avg_pool2d(x, 3, 2, 1)], 1))
        return functional.relu(x + y)


class ShuffleNetV1(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1, self.bn1, channels = conv(3, 24, 1), norm(24), 24
        for stage, (width, number) in enumerate([(240, 4), (480, 8), (960, 4)], start=1):
            units = [ShuffleUnit(channels, width, 2)]
            units += [ShuffleUnit(width, width, 1) for _ in range(number - 1)]
            setattr(self, f"layer{stage}", nn.Sequential(*units))
            channels = width
        self.linear = nn.Linear(960, classes)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        return self.linear(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


class SplitUnit(nn.Module):
    """Of ShuffleNetV2: half of the channels pass."""

    def __init__(self, channels):
        super().__init__()
        half = self.half = channels // 2
        self.conv1, self.bn1 = conv(half, half, 1), norm(half)
        self.conv2, self.bn2 = conv(half, half, groups=half), norm(half)
        self.conv3, self.bn3 = conv(half, half, 1), norm(half)

    def forward(self, x):
        left, right = x[:, : self.half], x[:, self.half :]
        right = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(right)))))
        return shuffled(torch.cat([left, functional.relu(self.bn3(self.conv3(right)))], 1), 2)


class DownUnit(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        half = o // 2
        self.conv1, self.bn1 = conv(i, i, 3, 2, groups=i), norm(i)
        self.conv2, self.bn2 = conv(i, half, 1), norm(half)
        self.conv3, self.bn3 = conv(i, half, 1), norm(half)
        self.conv4, self.bn4 = conv(half, half, 3, 2, groups=half), norm(half)
        self.conv5, self.bn5 = conv(half, half, 1), norm(half)

    def forward(self, x):
        left = functional.relu(self.bn2(self.conv2(self.bn1(self.conv1(x)))))
        right = self.bn4(self.conv4(functional.relu(self.bn3(self.conv3(x)))))
        return shuffled(torch.cat([left, functional.relu(self.bn5(self.conv5(right)))], 1), 2)


class ShuffleNetV2(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1, self.bn1, channels = conv(3, 24, 1), norm(24), 24
        for stage, (width, number) in enumerate([(116, 3), (232, 7), (464, 3)], start=1):
            units = [DownUnit(channels, width), *(SplitUnit(width) for _ in range(number))]
            setattr(self, f"layer{stage}", nn.Sequential(*units))
            channels = width
        self.conv2, self.bn2 = conv(464, 1024, 1), norm(1024)
        self.linear = nn.Linear(1024, classes)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(functional.relu(self.bn2(self.conv2(x))).mean((2, 3)))


def build(name, classes):
    """The network of a name in `models/`, with statistics and weights that a test can tell."""
    torch.manual_seed(0)
    network = _built(name, classes)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.1)
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 2)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    return network.eval()


def _built(name, classes):
    small = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3), "resnet50": (3, 4, 6, 3)}
    if name in small:
        options = dict(v2=True, bottleneck=name == "resnet50")
        return ResNet(classes, 64, (64, 128, 256, 512), small[name], **options)
    if name.endswith("_imagenet"):
        blocks = small[name.removesuffix("_imagenet")]
        return ResNet(classes, 64, (64, 128, 256, 512), blocks, imagenet=True)
    if name.startswith("resnet"):
        depth, _, wide = name.removeprefix("resnet").partition("x")
        stem, widths = (32, (64, 128, 256)) if wide else (16, (16, 32, 64))
        return ResNet(classes, stem, widths, ((int(depth) - 2) // 6,) * 3)
    if name.startswith("wrn"):
        return WideResNet(classes, *map(int, name.split("_")[1:]))
    if name.startswith("vgg"):
        return VGG(classes, {"vgg8": (1,) * 5, "vgg13": (2,) * 5, "vgg11": (1, 1, 2, 2, 2)}[name])
    others = dict(zip(("mobilenet_v2", "shufflenet_v1", "shufflenet_v2"),
                      (MobileNetV2, ShuffleNetV1, ShuffleNetV2)))  # fmt: skip
    return others[name](classes)
