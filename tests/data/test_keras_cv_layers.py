import functools

import numpy as np
import pytest
import tensorflow as tf
from helpers.programs import program

from orc_keras.data import keras_cv_layers

BOTH = ("randaugment", "cutout")


def samples(channels, count=8, height=12, width=10):
    """Images without a black pixel, and their seeds."""
    rng = np.random.default_rng(0)
    images = rng.integers(1, 256, (count, height, width, channels)).astype(np.uint8)
    return images, rng.integers(0, 2**31, (count, 2))


@functools.cache
def traced(names, channels):
    augment = tf.function(functools.partial(keras_cv_layers.augment, names=names))
    images = tf.TensorSpec([None, 12, 10, channels], tf.uint8)
    return augment.get_concrete_function(images, tf.TensorSpec([None, 2], tf.int64))


def augmented(images, seeds, names=BOTH):
    return traced(names, images.shape[-1])(tf.constant(images), tf.constant(seeds)).numpy()


@pytest.mark.parametrize("channels", [1, 3])
def test_neither_batch_nor_position_matter(channels):
    images, seeds = samples(channels)
    result = augmented(images, seeds)
    assert result.shape == images.shape and result.dtype == np.uint8
    order = np.random.default_rng(1).permutation(8)
    np.testing.assert_array_equal(augmented(images[order], seeds[order]), result[order])
    for i in range(8):
        alone = slice(i, i + 1)
        np.testing.assert_array_equal(augmented(images[alone], seeds[alone]), result[alone])


@pytest.mark.parametrize("names", [("randaugment",), ("cutout",)])
def test_the_seed_matters(names):
    images, seeds = samples(3, count=32)
    images[:] = images[0]
    results = {image.tobytes() for image in augmented(images, seeds, names)}
    assert len(results) > 20
    seeds[:] = seeds[0]
    assert len({image.tobytes() for image in augmented(images, seeds, names)}) == 1


def test_the_order_of_the_names():
    """What is cut out first is not black any more after most operations."""
    images, seeds = samples(3, count=8)
    cut_last = augmented(images, seeds)
    cut_first = augmented(images, seeds, BOTH[::-1])
    assert (cut_last == 0).all(axis=-1).any(axis=(1, 2)).all()
    assert not (cut_first == 0).all(axis=-1).any(axis=(1, 2)).all()


def test_operations_against_numpy():
    """Each at the mean magnitude, with half of the greatest swing."""
    image = samples(3, height=32, width=32)[0][0] // 2 + 40
    operations = keras_cv_layers._operations(tf.zeros([2, 1, 1]), tf.fill([1, 1], 0.5))
    results = {
        name: keras_cv_layers._apply(tf.constant(image), layer, transformation).numpy()
        for name, (layer, transformation) in operations.items()
    }
    assert len(results) == 10
    pixels = image.astype(np.float64)
    lighter = pixels + 55
    mean = pixels.mean(axis=(0, 1))
    grey = (pixels @ [0.2989, 0.587, 0.114])[..., np.newaxis]
    low, high = pixels.min(axis=(0, 1)), pixels.max(axis=(0, 1))
    for name, expected in {
        "auto_contrast": (pixels - low) / (high - low) * 255,
        "equalize": np.stack([equalized(image[..., i]) for i in range(3)], axis=-1),
        "solarize": np.where(lighter < 127.5, lighter, 255 - lighter),
        "color": (pixels + grey) / 2,
        "contrast": (pixels - mean) * 1.25 + mean,
        "brightness": pixels + 255 / 4,
    }.items():
        np.testing.assert_allclose(results[name], expected, atol=0.501, err_msg=name)
    np.testing.assert_array_equal(results["translate_x"][:, 8:], image[:, :-8])
    np.testing.assert_array_equal(results["translate_y"][8:], image[:-8])
    for i in range(0, 32, 2):  # a slope of a half: every other row moves by whole pixels
        np.testing.assert_array_equal(results["shear_x"][i, : 32 - i // 2], image[i, i // 2 :])
        np.testing.assert_array_equal(results["shear_y"][: 32 - i // 2, i], image[i // 2 :, i])


def equalized(channel):
    """Maps a value to the number of darker pixels, as a multiple of what makes a step of 1."""
    counts = np.bincount(channel.ravel(), minlength=256)
    step = (channel.size - counts[counts > 0].min()) // 255
    return np.minimum((np.cumsum(counts) - counts + step // 2) // step, 255)[channel]


@pytest.mark.parametrize("height, width, side", [(32, 32, 16), (9, 7, 3)])
def test_cutout_against_numpy(height, width, side):
    """One black square around a pixel of the image, without what is beyond the border."""
    images, seeds = samples(3, 64, height, width)
    results = keras_cv_layers.augment(images, seeds, ("cutout",)).numpy()
    y, x = np.mgrid[:height, :width]
    centres = set()
    for image, result in zip(images, results):
        black = (result == 0).all(axis=-1)
        np.testing.assert_array_equal(result, np.where(black[..., np.newaxis], 0, image))
        found = [
            (row, column)
            for row in range(height)
            for column in range(width)
            if np.array_equal(black, _covers(y - row, side) & _covers(x - column, side))
        ]
        assert len(found) == 1
        centres.update(found)
    rows, columns = np.transpose(list(centres))
    assert np.ptp(rows) > 0.8 * (height - 1) and np.ptp(columns) > 0.8 * (width - 1)


def _covers(offsets, side):
    return (-side / 2 <= offsets) & (offsets < side / 2)


DETERMINISTIC = """
import sys
from orc_keras import startup
startup.import_tensorflow_quietly()
import keras, numpy as np, tensorflow as tf
from orc_keras.data import keras_cv_layers
assert "keras_cv" not in sys.modules, "only those who augment wait for its import"
tf.config.experimental.enable_op_determinism()
keras.utils.set_random_seed(5)
keras.config.set_dtype_policy("mixed_float16")
given = np.load(sys.argv[1])
batches = tf.data.Dataset.from_tensor_slices((given["images"], given["seeds"])).batch(3).map(
    lambda *batch: keras_cv_layers.augment(*batch, ("randaugment", "cutout")),
    num_parallel_calls=2,
)
assert batches.element_spec.shape == (None, *given["images"].shape[1:])
np.save(sys.argv[2], np.concatenate(list(batches.as_numpy_iterator())))
"""


@pytest.mark.slow
def test_a_deterministic_program_with_another_seed_does_the_same_and_is_quiet(tmp_path):
    images, seeds = samples(3)
    np.savez(tmp_path / "given.npz", images=images, seeds=seeds)
    run = program("-c", DETERMINISTIC, tmp_path / "given.npz", tmp_path / "result.npy")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    np.testing.assert_array_equal(np.load(tmp_path / "result.npy"), augmented(images, seeds))
