"""Each flagfile in configs/: that it can be run, and is the group it says."""

import pytest
from helpers.flags import CONFIGS, NEEDED, parse
from helpers.networks import linear_network
from helpers.programs import ROOT

from orc_keras.groups import METHODS
from orc_keras.settings import Settings

GROUPS = {  # the supplement's Tables 1 and 2, the groups for CIFAR-10 and ImageNet
    "wrn40_2": "wrn_40_2 wrn_34_2 wrn_28_2 wrn_16_2",
    "wrn40_2_wrn40_1": "wrn_40_2 wrn_40_1 wrn_40_1 wrn_40_1",
    "resnet56": "resnet56 resnet44 resnet32 resnet20",
    "resnet110_resnet20": "resnet110 resnet56 resnet44 resnet32 resnet20",
    "resnet110_resnet32": "resnet110 resnet56 resnet44 resnet32",
    "resnet32x4": "resnet32x4 resnet26x4 resnet14x4 resnet8x4",
    "vgg13": "vgg13 vgg11 vgg9 vgg8",
    "resnet50_mobilenet_v2": "resnet50 resnet34 resnet18 mobilenet_v2",
    "resnet50_vgg8": "resnet50 resnet34 resnet32 vgg8",
    "resnet32x4_shufflenet_v1": "resnet32x4 resnet26x4 resnet14x4 shufflenet_v1",
    "resnet32x4_shufflenet_v2": "resnet32x4 resnet26x4 resnet14x4 shufflenet_v2",
    "wrn40_2_shufflenet_v1": "wrn_40_2 wrn_34_2 wrn_28_2 shufflenet_v1",
    "vgg13_mobilenet_v2": "vgg13 vgg11 vgg9 mobilenet_v2",
    "cifar10": "resnet26 resnet20 resnet14 resnet8",
    "imagenet": "resnet34_imagenet resnet28_imagenet resnet22_imagenet resnet18_imagenet",
    "digits": "resnet20 resnet14 resnet8",
    "photos": "resnet20 resnet14 resnet8",
    "finetune": "applications:ResNet50 applications:MobileNet applications:MobileNetV2",
}


@pytest.mark.parametrize("path", [*(ROOT / "benchmarks").glob("*.flags")], ids=lambda p: p.stem)
def test_the_variants_of_a_comparison_have_different_names(path):
    lines = path.read_text().splitlines()
    names = [line.partition(":")[0] for line in lines if line.startswith("--variant=")]
    assert len({*names}) == len(names)


def test_every_group_has_its_flagfile():
    assert {config.stem for config in CONFIGS} == set(GROUPS)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.stem)
def test_config(config):
    """The names of its group, its command; and the method takes what it states."""
    settings = parse(f"--flagfile={config}")
    assert [settings.pivot, *settings.students] == GROUPS[config.stem].split()
    network, students = linear_network("pivot"), [linear_network(n) for n in settings.students]
    method = METHODS[settings.method]
    group = method(network, students, **settings.arguments(method))
    assert len(group.members) == 1 + len(settings.students)
    command = f"# python train.py --flagfile=configs/{config.name}"
    assert config.read_text().splitlines()[0] == command


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.stem)
def test_a_config_states_only_its_differences(config):
    given, default = parse(f"--flagfile={config}"), parse(*NEEDED)
    flags = [line for line in config.read_text().splitlines() if line.startswith("--")]
    for name in (flag[2:].split("=")[0] for flag in flags):
        assert name in ("dataset", "pivot", "students") or vars(given)[name] != vars(default)[name]


def test_the_recipe_of_imagenet():
    expected = dict(epochs=100, pivot_epochs=100, batch_size=256, learning_rate=0.1)
    expected |= dict(decay_epochs=(30, 60, 90), weight_decay=1e-4)
    changed = dict(dataset="imagenet2012", output_dir="runs/imagenet")
    groups = {"pivot": "resnet34_imagenet", "students": tuple(GROUPS["imagenet"].split()[1:])}
    given = parse(f"--flagfile={ROOT}/configs/imagenet.flags")
    assert given == Settings(**expected, **changed, **groups)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.stem)
def test_the_learning_rate_of_light_students(config):
    """The recipe of the method: 0.01 where the student is MobileNetV2 or a ShuffleNet."""
    settings = parse(f"--flagfile={config}")
    light = settings.students[-1] in ("mobilenet_v2", "shufflenet_v1", "shufflenet_v2")
    if settings.dataset.startswith("cifar"):
        assert settings.learning_rate == (0.01 if light else 0.05)
