import numpy as np
import pytest
from absl import flags
from helpers import smoke

import scaling  # isort: skip  (which smoke makes importable)
from orc_keras import models

ASSUMED = (
    *("--tflops=1", "--gpus_per_machine=2", "--link_gb=4", "--network_gb=1", "--gpus=1,2,4"),
    "--cifar_core=100",
)


def test_what_it_prints(monkeypatch, capsys):
    """Of a small group, with figures that can be followed by hand."""
    members = ("resnet14", "resnet8", "resnet8")
    monkeypatch.setitem(scaling.GROUPS, "small", (members, 64, "cifar_core"))
    smoke.run(scaling, "--groups=small", *ASSUMED)
    _, about, *printed = capsys.readouterr().out.splitlines()
    sizes, (head, first, second, third, *rest) = printed[:3], printed[3:]
    assert about.startswith("small: ") and len(rest) == 3
    assert [line.split(":")[0].strip() for line in sizes] == list(members)
    assert head.split()[:2] == ["GPUs", "batch"]

    networks = {name: models.build(name, (32, 32, 3), 100) for name in set(members)}
    large, small = (models.flops(networks[name]) for name in ("resnet14", "resnet8"))
    operations = 3 * (large + 2 * small) + large + small
    size = 4 * sum(models.parameters(networks[name]) for name in members)
    computing = 64 * operations / 1e12
    for row, gpus, summing in (
        (first, 1, 0),
        (second, 2, size / 4e9),  # each sends half of it twice, to the other one in the machine
        (third, 4, size / 1e9),  # and so does each of the two machines
    ):
        speed = gpus * 64 / (computing + summing)
        numbers = [float(word.replace(",", "").rstrip("%")) for word in row.split()]
        share = 100 * summing / (computing + summing)
        expected = [gpus, 64 * gpus, 1e3 * computing, 1e3 * summing, speed, share, speed / 100]
        np.testing.assert_allclose(numbers, expected, rtol=0.01, atol=0.51)
        np.testing.assert_allclose(numbers[2:4], expected[2:4], atol=0.051)


def test_its_groups_are_those_of_the_flagfiles():
    """What docs/scaling.md calculates is what configs/ trains."""
    for name, flagfile in (("wrn40_2", "wrn40_2"), ("imagenet", "imagenet")):
        lines = (smoke.ROOT / "configs" / f"{flagfile}.flags").read_text().splitlines()
        given = dict(line.split("=", 1) for line in lines if line.startswith("--"))
        members, batch, _ = scaling.GROUPS[name]
        assert ",".join(members) == f"{given['--pivot']},{given['--students']}"
        assert batch == int(given.get("--batch_size", 64))


def test_another_group_is_refused():
    with pytest.raises(flags.IllegalFlagValueError, match="must be some of wrn40_2,imagenet"):
        smoke.run(scaling, "--groups=resnet8")
