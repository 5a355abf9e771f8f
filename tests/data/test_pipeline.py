import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies as st

from orc_keras import data
from orc_keras.data import pipeline
from orc_keras.data.images import PixelImages, Subset
from orc_keras.data.order import sample
from orc_keras.data.preprocessing import Preprocessing


def image_data(number=50, augmentation="none", size=4):
    """Images whose pixels all say which one it is, from 1."""
    pixels = np.broadcast_to(np.arange(1, number + 1)[:, None, None, None], (number, size, size, 1))
    images = PixelImages(pixels.astype(np.uint8), np.arange(number))
    names = tuple(map(str, range(int(max(images.labels)) + 1)))
    return data.ImageData(images, images, names, (size, size, 1), (0.0,), (1 / 255,), augmentation)


def labels(batches, steps):
    return np.concatenate([y for _, y in batches.take(steps).as_numpy_iterator()])


@hypothesis.given(
    seed=st.integers(0, 2**32 - 1),
    epoch=st.integers(0, 10**6),
    number=st.integers(1, 300),
    begin=st.integers(0, 299),
)
def test_any_epoch_is_a_permutation_wherever_it_is_entered(seed, epoch, number, begin):
    epoch = tf.constant(epoch, tf.int64)
    index, seeds = sample(seed, epoch, tf.range(number, dtype=tf.int64), number)
    assert sorted(index.numpy()) == list(range(number)) and seeds.numpy().min() >= 0
    rest = tf.range(begin % number, number, dtype=tf.int64)
    for part, whole in zip(sample(seed, epoch, rest, number), (index, seeds)):
        np.testing.assert_array_equal(part, whole[begin % number :])


def test_an_epoch_is_a_permutation_and_each_has_its_own():
    batches = data.train_batches(image_data(), batch_size=10, seed=3)
    epochs = labels(batches, 20).reshape(4, 50)
    for epoch in epochs:
        assert sorted(epoch) == list(range(50))
    assert len({tuple(epoch) for epoch in epochs}) == 4
    assert (labels(data.train_batches(image_data(), 10, seed=4), 5) != epochs[0]).any()


@pytest.mark.parametrize("number", [360, 1000])
def test_every_epoch_is_mixed_as_well_as_by_numpy(number):
    """Images in the order of their classes: how many of a mini-batch of 32 are of one class."""

    def of_one_class(order):
        classes = np.asarray(order)[: number // 32 * 32].reshape(-1, 32) * 10 // number
        return np.mean([np.bincount(each).max() for each in classes])

    rng = np.random.default_rng(0)
    usual = [of_one_class(rng.permutation(number)) for _ in range(500)]
    positions = tf.range(number, dtype=tf.int64)
    for seed in range(3):
        for epoch in range(60):
            order, _ = sample(seed, tf.constant(epoch, tf.int64), positions, number)
            assert of_one_class(order) < max(usual) + 0.5, (seed, epoch)


def test_the_incomplete_last_batch_of_an_epoch_is_dropped():
    batches = data.train_batches(image_data(), batch_size=8, seed=0)
    for epoch in labels(batches, 12).reshape(2, 48):
        assert len(set(epoch)) == 48


def test_iterated_over_again_the_mini_batches_are_those_of_the_next_epoch():
    """So `fit` sees what a run sees, in an epoch after the other."""
    images = image_data(augmentation="crop_and_flip")
    epoch = images.train_batches(8, seed=3)
    expected = data.train_batches(images, 8, seed=3).as_numpy_iterator()
    assert int(epoch.cardinality()) == 6
    for batch in [*epoch.as_numpy_iterator(), *epoch.as_numpy_iterator()]:
        for ours, theirs in zip(batch, next(expected), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_images_stay_with_their_labels_and_are_normalised():
    images, classes = next(data.train_batches(image_data(), 16, 0).as_numpy_iterator())
    assert images.dtype == np.float32 and classes.dtype == np.int32
    np.testing.assert_allclose(images[:, 2, 3, 0], classes + 1, rtol=1e-5)


def test_normalise_against_numpy():
    images = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3)).astype(np.uint8)
    mean, std = (0.1, 0.5, 0.7), (0.2, 0.3, 0.4)
    expected = (images / 255 - np.array(mean)) / np.array(std)
    np.testing.assert_allclose(data.normalise(images, mean, std), expected, atol=1e-5)


@pytest.mark.parametrize("first_step", [1, 4, 5, 13])
def test_any_step_can_be_the_first(first_step):
    """The augmentation of its images is then the same, too."""
    images = image_data(augmentation="crop_and_flip", size=12)
    whole = list(data.train_batches(images, 10, seed=1).take(16).as_numpy_iterator())
    rest = data.train_batches(images, 10, seed=1, first_step=first_step)
    rest = list(rest.take(16 - first_step).as_numpy_iterator())
    for ours, theirs in zip(rest, whole[first_step:], strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])


def test_the_size_of_the_mini_batch_does_not_change_order_or_augmentation():
    images = image_data(augmentation="crop_and_flip", size=12)
    epochs = []
    for batch_size in (5, 25):
        batches = data.train_batches(images, batch_size, seed=1).take(100 // batch_size)
        epochs.append([np.concatenate(part) for part in zip(*batches.as_numpy_iterator())])
    np.testing.assert_array_equal(epochs[0][1], epochs[1][1])
    np.testing.assert_array_equal(epochs[0][0], epochs[1][0])


def test_every_position_has_seeds_of_its_own():
    epochs = [
        sample(7, tf.constant(e, tf.int64), tf.range(5000, dtype=tf.int64), 5000) for e in range(3)
    ]
    seeds = np.concatenate([seeds.numpy() for _, seeds in epochs])
    assert (seeds >= 0).all() and len(np.unique(seeds)) > 0.9999 * seeds.size
    for column in seeds.T:  # chi-squared of 162 predictions: mean 161, standard deviation 18
        counts = np.bincount(column % 162, minlength=162)
        expected = len(column) / 162
        assert ((counts - expected) ** 2 / expected).sum() < 161 + 5 * 18
    first, second, _ = seeds.reshape(3, 5000, 2)[..., 0] % 162
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.05, "of two epochs"
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 0.05, "of neighbours"


def test_every_held_out_image_comes_once_in_order():
    batches = list(data.held_out_batches(image_data(), 16).as_numpy_iterator())
    assert [len(y) for _, y in batches] == [16, 16, 16, 2]
    assert len(data.held_out_batches(image_data(), 16)) == 4, "which Keras wants to know"
    np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), np.arange(50))


def test_a_constant_channel_is_not_scaled():
    """Its deviation counts as 1; a value of 1e-6 would make thousands of one grey level."""
    pixels = np.random.default_rng(0).integers(0, 256, (9, 4, 4, 3), np.uint8)
    pixels[..., 1] = 200
    pixels[0, 0, 0, 1] = 201  # all but constant
    with pytest.warns(UserWarning, match="Channel 1 is the same in all images"):
        mean, std = pipeline.statistics(
            PixelImages(pixels, np.zeros(9)), Preprocessing((4, 4, 3), None)
        )
    np.testing.assert_allclose(std, [pixels[..., 0].std() / 255, 1, pixels[..., 2].std() / 255])
    normalised = Preprocessing((4, 4, 3), None, mean, std).normalise(pixels)
    assert np.abs(normalised[..., 1]).max() < 1 / 255


def test_statistics_against_numpy():
    pixels = np.random.default_rng(0).integers(0, 256, (90, 4, 4, 3)).astype(np.uint8)
    images = PixelImages(pixels, np.zeros(90))
    mean, std = pipeline.statistics(images, Preprocessing((4, 4, 3), None))
    np.testing.assert_allclose(mean, (pixels / 255).mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(std, (pixels / 255).std(axis=(0, 1, 2)))
    some = pixels[[0, 44, 89]] / 255
    mean, _ = pipeline.statistics(images, Preprocessing((4, 4, 3), None), most=3)
    np.testing.assert_allclose(mean, some.mean(axis=(0, 1, 2)))


def test_a_subset():
    subset = Subset(image_data().train, [3, 1, 4])
    pixels, classes = subset.read(tf.constant([2, 0]))
    assert len(subset) == 3
    np.testing.assert_array_equal(classes, [4, 3])
    np.testing.assert_array_equal(pixels[:, 0, 0, 0], [5, 4])
    np.testing.assert_array_equal(subset.labels, [3, 1, 4])


def test_more_augmentation_when_asked_for():
    images = image_data(augmentation="none", size=16)
    plain, _ = next(data.train_batches(images, 32, 0).as_numpy_iterator())
    cut, _ = next(data.train_batches(images, 32, 0, augmentation=("cutout",)).as_numpy_iterator())
    assert (plain > 0).all() and ((cut == 0) | np.isclose(cut, plain)).all()
    assert (cut == 0).any(axis=(1, 2, 3)).all()


def test_no_pipeline_has_a_tuner():
    """TensorFlow's would delay the end of `fit` by up to a minute: deleting an iterator waits."""
    images = image_data()
    for batches in (
        data.train_batches(images, batch_size=10, seed=0),
        data.held_out_batches(images, 10),
    ):
        assert batches.options().autotune.enabled is False
