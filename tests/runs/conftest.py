"""A copy of a finished run, to be changed."""

import shutil

import pytest


@pytest.fixture
def run(digits_run, tmp_path):
    return shutil.copytree(digits_run, tmp_path / "run")
