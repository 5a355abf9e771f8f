"""What networks cost: by hand, in the table that is printed, and in the headers of configs/."""

import keras
import pytest
from absl import flags
from helpers.flags import CONFIGS, parse

from orc_keras import models
from orc_keras.commands import networks

PARAMETERS = {  # trainable; 100 classes and 3 channels, 1000 classes for ImageNet
    "resnet8": 83_892,
    "resnet14": 181_108,
    "resnet20": 278_324,
    "resnet26": 375_540,
    "resnet32": 472_756,
    "resnet44": 667_188,
    "resnet56": 861_620,
    "resnet110": 1_736_564,
    "resnet8x4": 1_233_540,
    "resnet14x4": 2_783_620,
    "resnet26x4": 5_883_780,
    "resnet32x4": 7_433_860,
    "resnet18": 11_220_132,
    "resnet34": 21_328_292,
    "resnet50": 23_705_252,
    "resnet18_imagenet": 11_689_512,
    "resnet22_imagenet": 13_165_608,
    "resnet28_imagenet": 19_140_904,
    "resnet34_imagenet": 21_797_672,
    "wrn_16_2": 703_284,
    "wrn_28_2": 1_479_220,
    "wrn_34_2": 1_867_188,
    "wrn_40_1": 569_780,
    "wrn_40_2": 2_255_156,
    "vgg8": 4_490_340,
    "vgg9": 6_851_172,
    "vgg11": 9_802_596,
    "vgg13": 9_987_492,
    "mobilenet_v2": 812_836,
    "shufflenet_v1": 949_258,
    "shufflenet_v2": 1_355_528,
}
PARAMETERS_LINEAR = {
    "vgg8": 3_965_028,
    "vgg9": 6_325_860,
    "vgg11": 9_277_284,
    "vgg13": 9_462_180,
    "wrn_40_1": 569_780,  # has a single fully connected layer anyway
}


@pytest.mark.slow
def test_the_table_that_is_printed(capsys):
    networks.main(flags.FlagValues(), [])
    header, *rows = capsys.readouterr().out.split("\n\n")[0].splitlines()
    assert header.split() == ["network", "parameters", "usual", "input", "MFLOPs", "smallest"]
    table = {name: columns for name, *columns in map(str.split, rows)}
    assert list(table) == models.names()
    assert table["resnet20"] == ["278,324", "32", "x", "32", "81.6", "4", "x", "4"]
    assert {name: int(row[0].replace(",", "")) for name, row in table.items()} == PARAMETERS


@pytest.mark.parametrize("name", PARAMETERS_LINEAR)
def test_parameters_with_a_linear_head(name):
    network = models.build(name, *models.usual_input(name), "linear")
    assert models.parameters(network) == PARAMETERS_LINEAR[name]


OWN = [config for config in CONFIGS if config.stem != "finetune"]  # of networks of models/
# The others' are the usual ones:
INPUTS = {"digits": ((8, 8, 1), 10), "cifar10": ((32, 32, 3), 10), "photos": ((32, 32, 3), 4)}


def slow_unless_small(config):
    marks = [] if config.stem in INPUTS else [pytest.mark.slow]
    return pytest.param(config, marks=marks, id=config.stem)


@pytest.mark.parametrize("config", [slow_unless_small(config) for config in OWN])
def test_the_header_of_a_config(config):
    settings = parse(f"--flagfile={config}")
    names = [settings.pivot, *settings.students]
    roles = [" (pivot)", *[""] * (len(names) - 2), " (student)"]
    header = [line for line in config.read_text().splitlines() if line.startswith("#")]
    for name, role, line in zip(names, roles, header[-len(names) :], strict=True):
        network = models.build(name, *INPUTS.get(config.stem, models.usual_input(name)))
        cost = f"{models.parameters(network):>12,} {models.flops(network) / 1e6:>16,.1f}"
        assert line == f"# {name + role:<28} {cost}"


def test_flops_by_hand():
    network = models.build("resnet8", (8, 8, 3), 10)
    by_hand = 64 * 9 * 3 * 16  # multiplications and additions of the stem, at 8 x 8 positions
    by_hand += 2 * 64 * 9 * 16 * 16
    by_hand += 16 * (9 * 16 * 32 + 9 * 32 * 32 + 16 * 32)
    by_hand += 4 * (9 * 32 * 64 + 9 * 64 * 64 + 32 * 64)
    by_hand += 64 * 10
    assert models.flops(network) == 2 * by_hand


def test_flops_of_grouped_and_depthwise_convolutions():
    inputs = keras.Input((6, 6, 12))
    x = keras.layers.Conv2D(24, 1, groups=3)(inputs)
    x = keras.layers.DepthwiseConv2D(3, 2, padding="same")(x)
    network = keras.Model(inputs, x)
    assert models.flops(network) == 2 * (36 * 12 * 24 // 3 + 9 * 24 * 3 * 3)
