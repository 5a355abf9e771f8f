"""The installed package: the library and the program, in a folder that has its own `models/`."""

import os
import shutil
import subprocess
import sys
import sysconfig

import pytest
from helpers.programs import ROOT

pytestmark = pytest.mark.slow

EXAMPLE = """
from orc_keras.groups.network_group import NetworkGroup  # before anything that it imports
import orc_keras
from orc_keras import models
assert "site-packages" in orc_keras.__file__ and "site-packages" in models.__file__
pivot, *students = (models.build("resnet8", (8, 8, 1), 10) for _ in range(3))
group = orc_keras.OnlineRoleChange(pivot, students)
print(list(group.members))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment with the wheel, beside what it needs, and a folder in which others work."""
    root = tmp_path_factory.mktemp("installed")
    for folder in ("orc_keras", "models", "configs"):  # a build writes beside its sources
        shutil.copytree(ROOT / folder, root / "source" / folder, symlinks=True)
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, root / "source")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", root, root / "source"]
    subprocess.run([*pip, *build], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / "venv"], check=True)
    (wheel,) = root.glob("*.whl")
    python = root / "venv" / "bin" / "python"
    subprocess.run([*pip, "--python", python, "install", "--no-deps", wheel], check=True)
    (packages,) = (root / "venv").glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for theirs in ("models", "data", "tests"):
        (root / "project" / theirs).mkdir(parents=True)
        (root / "project" / theirs / "__init__.py").write_text("raise ImportError('not ours')\n")
    return root


def run(installed, command, *arguments):
    """Runs a command of the environment in that folder, with an empty home and nothing else."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(installed / "home")}
    return subprocess.run(
        [installed / "venv" / "bin" / command, *arguments],
        cwd=installed / "project",
        env=environment,
        capture_output=True,
        text=True,
    )


def test_the_library(installed):
    done = run(installed, "python", "-c", EXAMPLE)
    assert done.stdout == "['resnet8', 'resnet8_2', 'resnet8_3']\n", done.stderr


def test_the_program(installed):
    wrong = run(installed, "orc-keras", "predict", "--no_such_flag")
    assert wrong.stderr == "orc-keras predict: Unknown command line flag 'no_such_flag'.\n"
    missing = run(installed, "orc-keras", "train", "--flagfile=digits", "--pivot=nothing.keras")
    assert missing.returncode == 1
    assert missing.stderr.startswith("orc-keras train: --pivot: nothing.keras"), missing.stderr
