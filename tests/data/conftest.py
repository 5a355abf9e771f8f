import pytest
from helpers.animals import prepare


@pytest.fixture(scope="module")
def animals(tmp_path_factory):
    """A prepared dataset of three shards for each split."""
    return prepare(tmp_path_factory.mktemp("animals"))


@pytest.fixture
def animals_copy(tmp_path):
    """One that can be damaged."""
    return prepare(tmp_path)
