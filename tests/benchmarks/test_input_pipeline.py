import numpy as np
from helpers import smoke

import input_pipeline  # isort: skip  (which smoke makes importable)

SMALL = ("--images=40", "--jpegs=3", "--batch_size=2", "--turns=1", "--seconds=0")


def test_what_it_prints(capsys):
    smoke.run(input_pipeline, *SMALL)
    about, head, *rows = capsys.readouterr().out.splitlines()
    assert 50 < smoke.number_behind(about, "JPEGs of ") < 200
    assert head.split() == ["pipeline", "images", "per", "second", "ratio"]
    names, speeds, ratios = zip(*(row.rsplit(maxsplit=2) for row in rows))
    assert names == (
        *("cifar", "cifar, one by one"),
        *("jpeg", "jpeg, decode and resize alone"),
    )
    cifar, one_by_one, *_ = (float(speed.replace(",", "")) for speed in speeds)
    assert ratios[1] == ratios[3] == "1.00"
    np.testing.assert_allclose(float(ratios[0]), cifar / one_by_one, atol=0.006, rtol=0.01)


def test_both_pipelines_make_the_same_of_an_image():
    """Otherwise their speeds could not be compared."""
    rng = np.random.default_rng(0)
    image_data, one_by_one = input_pipeline.cifar(rng, 40, 4)
    for batches in (input_pipeline.training(image_data, 4, ()), one_by_one):
        images, labels = next(iter(batches))
        assert images.shape == (4, 32, 32, 3) and images.dtype == "float32"
        assert labels.shape == (4,) and -2.01 < images.numpy().min() < -1.9
