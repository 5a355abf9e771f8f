import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from sklearn.datasets import load_digits

from orc_keras import data


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


def test_digits_are_those_of_scikit_learn(digits):
    assert digits.train_images.shape == (1437, 8, 8, 1)
    assert digits.test_images.shape == (360, 8, 8, 1)
    assert digits.train_images.dtype == np.uint8 and digits.num_classes == 10
    source = load_digits()
    everything = np.concatenate([digits.train_images, digits.test_images])[..., 0]
    expected = np.floor(source.images * 255 / 16 + 0.5)

    def as_set(images):
        return sorted(image.astype(np.uint8).tobytes() for image in images)

    assert as_set(everything) == as_set(expected)


def test_the_split_is_fixed(digits):
    np.testing.assert_array_equal(data.load("digits").test_images, digits.test_images)


def test_no_held_out_image_is_trained_on(digits):
    train = {image.tobytes() for image in digits.train_images}
    assert not any(image.tobytes() in train for image in digits.test_images)


def test_training_batches_are_normalised_and_shuffled(digits):
    batches = data.train_batches(digits, 64, seed=3)
    images, labels = map(np.concatenate, zip(*batches.as_numpy_iterator()))
    assert images.shape == (22 * 64, 8, 8, 1) and images.dtype == np.float32
    assert abs(images.mean()) < 0.01 and images.std() == pytest.approx(1, abs=0.01)
    again = np.concatenate([labels for _, labels in batches.as_numpy_iterator()])
    assert (labels != again).any(), "each epoch has an order of its own"
    same = data.train_batches(digits, 64, seed=3)
    np.testing.assert_array_equal(
        labels, np.concatenate([labels for _, labels in same.as_numpy_iterator()])
    )


def test_every_held_out_image_comes_once(digits):
    batches = list(data.test_batches(digits, 64).as_numpy_iterator())
    np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), digits.test_labels)
    images = np.concatenate([x for x, _ in batches])
    expected = (digits.test_images / 255 - digits.mean[0]) / digits.std[0]
    np.testing.assert_allclose(images, expected, atol=1e-5)


def test_shift_and_flip_against_numpy():
    """Each image is one of the 81 crops of its padded self, mirrored or not."""
    images = np.random.default_rng(0).integers(1, 256, (64, 8, 8, 3)).astype(np.uint8)
    augmented = data.shift_and_flip(tf.constant(images), [1, 2]).numpy()
    corners, mirrored = set(), 0
    for image, result in zip(images, augmented):
        padded = np.pad(image, [(4, 4), (4, 4), (0, 0)])
        found = [
            (row, column, flip)
            for row in range(9)
            for column in range(9)
            for flip in (1, -1)
            if (padded[row : row + 8, column : column + 8][:, ::flip] == result).all()
        ]
        assert len(found) == 1
        corners.add(found[0][:2])
        mirrored += found[0][2] == -1
    assert len(corners) > 30 and 20 < mirrored < 44


@pytest.mark.parametrize("dataset, classes", [("cifar10", 10), ("cifar100", 100)])
def test_cifar_through_its_real_loader(dataset, classes):
    with tfds.testing.mock_data(num_examples=70):
        cifar = data.load(dataset)
    assert cifar.image_shape == (32, 32, 3) and cifar.num_classes == classes
    images, labels = next(data.train_batches(cifar, 64, seed=0).as_numpy_iterator())
    assert images.shape == (64, 32, 32, 3) and labels.dtype == np.int32
    images, labels = map(np.concatenate, zip(*data.test_batches(cifar, 64).as_numpy_iterator()))
    assert len(images) == 70
    expected = (cifar.test_images / 255 - np.array(cifar.mean)) / np.array(cifar.std)
    np.testing.assert_allclose(images, expected, atol=1e-5)


def test_an_unknown_dataset():
    with pytest.raises(
        ValueError, match="--dataset=mnist is unknown; possible are digits, cifar10"
    ):
        data.load("mnist")
