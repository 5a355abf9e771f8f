import numpy as np
import tensorflow as tf

from orc_keras.data.augmentation import shift_and_flip


def moved(image, row, column, flip):
    """The image shifted in NumPy: padded by 4, cut out at a corner, mirrored or not."""
    padded = np.pad(image, [(4, 4), (4, 4), (0, 0)])
    height, width, _ = image.shape
    return padded[row : row + height, column : column + width][:, ::flip]


def found(image, result):
    """All ways in which `result` can have come from `image`."""
    places = [(r, c, f) for r in range(9) for c in range(9) for f in (1, -1)]
    return [place for place in places if (moved(image, *place) == result).all()]


def test_each_image_is_one_of_its_crops_mirrored_or_not():
    rng = np.random.default_rng(0)
    images = rng.integers(1, 256, (64, 8, 10, 3)).astype(np.uint8)
    seeds = rng.integers(0, 2**31, (64, 2))
    results = shift_and_flip(tf.constant(images), seeds).numpy()
    places = [found(image, result) for image, result in zip(images, results)]
    assert all(len(each) == 1 for each in places)
    assert len({each[0][:2] for each in places}) > 30
    assert 20 < sum(each[0][2] == -1 for each in places) < 44
    results = shift_and_flip(tf.constant(images), seeds, flip=False).numpy()
    places = [found(image, result) for image, result in zip(images, results)]
    assert all(len(each) == 1 and each[0][2] == 1 for each in places)


def test_every_crop_occurs_as_often():
    image = np.random.default_rng(1).integers(1, 256, (6, 6, 1)).astype(np.uint8)
    seeds = np.stack([np.arange(162), np.zeros(162)], axis=1).astype(np.int32)
    results = shift_and_flip(tf.constant(np.stack([image] * 162)), seeds).numpy()
    assert len({result.tobytes() for result in results}) == 162


def test_what_happens_to_an_image_depends_on_its_seed_alone():
    rng = np.random.default_rng(2)
    images = tf.constant(rng.integers(0, 256, (9, 8, 8, 1)).astype(np.uint8))
    seeds = rng.integers(0, 2**31, (9, 2))
    together = shift_and_flip(images, seeds).numpy()
    order = rng.permutation(9)
    np.testing.assert_array_equal(
        shift_and_flip(tf.gather(images, order), seeds[order]), together[order]
    )
    np.testing.assert_array_equal(shift_and_flip(images[4:5], seeds[4:5])[0], together[4])
