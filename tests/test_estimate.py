"""What a run will take: numbers that can be counted, and that nothing is written."""

import re

import pytest
from helpers.networks import hidden_network

from orc_keras import estimate

PARAMETERS = 3072 * 6 + 6 + 6 * 10 + 10  # of the networks that stand in


@pytest.fixture
def quickly(monkeypatch):
    monkeypatch.setattr(estimate, "MOST", 4)


def cells(text, begin):
    """The columns of the line that begins so."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"{begin} ")]
    return re.split(r" {2,}", line)[1:]


@pytest.mark.slow
def test_stages_of_a_chain(tiny, tmp_path, monkeypatch, quickly):
    monkeypatch.chdir(tmp_path)
    settings = tiny(method="takd", epochs=7, pivot_epochs=2, evaluate_every=3, output_dir="run")
    text = estimate.estimate(settings)
    per_epoch = len(estimate.data.load().train) // settings.batch_size
    assert cells(text, "pivot")[2] == f"{2 * per_epoch}" and cells(text, "pivot")[4] == "1"
    for stage in ("stage1", "stage2", "group"):
        assert cells(text, stage)[2] == f"{7 * per_epoch}" and cells(text, stage)[4] == "3"
    assert not list(tmp_path.iterdir())


def test_weights_of_the_pivot_must_suit_it(tiny, tmp_path):
    path = tmp_path / "other.keras"
    hidden_network("hidden8", 8, 0, (8, 8, 1), 10).save(path)
    with pytest.raises(ValueError, match=f"--pivot_weights={path}"):
        estimate.estimate(tiny(pivot_weights=str(path)))
    with pytest.raises(ValueError, match="--pivot_epochs=0 leaves the pivot untrained"):
        estimate.estimate(tiny(pivot_epochs=0))


def test_images_that_are_not_there(tiny, monkeypatch, quickly):
    """A tenth of CIFAR's 50,000 is held back, and each epoch drops an incomplete mini-batch."""
    monkeypatch.setattr(estimate.data, "load", lambda *_: pytest.fail("images were looked for"))
    build = lambda name, shape, classes, head: hidden_network(name, 6, 0, shape, classes)  # noqa: E731
    monkeypatch.setattr(estimate.models, "build", build)
    settings = tiny(dataset="cifar10", validation_fraction=0.1, method="alone", batch_size=700)
    text = estimate.estimate(settings)
    assert cells(text, "group")[2] == f"{64 * settings.epochs:,}"
    for member in ("hidden16", "hidden6"):
        assert cells(text, f"parameters of {member}")[0] == f"{PARAMETERS:,}"
