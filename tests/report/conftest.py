"""A run to report on."""

import pytest
from helpers.made_up_run import make_run


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "run")
