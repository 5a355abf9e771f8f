import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from orc_keras.data import decoding, preprocessing
from orc_keras.data.augmentation import random_resized_crop


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return tf.constant(buffer.getvalue())


def photo(height=40, width=60, channels=3):
    """A smooth image, of which JPEG loses little."""
    small = np.random.default_rng(0).integers(0, 256, (5, 7, channels)).astype(np.uint8)
    return np.array(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_colour(kind):
    image = photo()
    np.testing.assert_array_equal(decoding.decode(encoded(Image.fromarray(image), kind), 3), image)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_colour(kind):
    decoded = decoding.decode(encoded(Image.fromarray(photo()), kind, quality=95), 3).numpy()
    assert np.abs(decoded.astype(int) - photo()).mean() < 3


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK"])
def test_other_modes_as_pillow_sees_them(mode):
    image = Image.fromarray(photo()).convert(mode)
    kind = "JPEG" if mode == "CMYK" else "PNG"
    decoded = decoding.decode(encoded(image, kind), 3).numpy().astype(int)
    expected = np.array(Image.open(io.BytesIO(encoded(image, kind).numpy())).convert("RGB"))
    assert np.abs(decoded - expected).max() <= (8 if mode == "CMYK" else 0)


def test_grey_and_colour_together():
    image = photo()[..., 0]
    grey = decoding.decode(encoded(Image.fromarray(image), "PNG"), 1).numpy()
    colour = decoding.decode(encoded(Image.fromarray(image), "PNG"), 3).numpy()
    np.testing.assert_array_equal(grey[..., 0], image)
    np.testing.assert_array_equal(colour, np.stack([image] * 3, axis=-1))


def test_16_bits_become_8():
    image = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    decoded = decoding.decode(encoded(Image.fromarray(image), "PNG"), 1).numpy()[..., 0]
    assert np.abs(decoded - image / 257).max() < 1


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparent_pixels_become_white(kind):
    image = np.dstack([photo(), np.linspace(0, 255, 60).astype(np.uint8)[None].repeat(40, axis=0)])
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    decoded = decoding.decode(encoded(Image.fromarray(image), kind, **options), 3).numpy()
    alpha = image[..., 3:] / 255
    expected = image[..., :3] * alpha + 255 * (1 - alpha)
    assert np.abs(decoded - expected).max() <= 0.51
    assert (decoded[:, 0] == 255).all()


def test_a_grey_image_with_alpha():
    image = np.dstack([photo(channels=3)[..., 0], np.zeros((40, 60), np.uint8)])
    assert (decoding.decode(encoded(Image.fromarray(image), "PNG"), 1).numpy() == 255).all()


def coordinates(height, width):
    """An image whose pixels say where they are: row in the first channel, column in the second."""
    rows, columns = np.mgrid[:height, :width]
    return tf.constant(np.stack([rows, columns, rows], axis=-1).astype(np.uint8))


def test_the_crop_of_evaluation():
    """The same as to resize the shorter side to 256 / 224 of the result, and cut its centre."""
    crop = preprocessing.central_crop(coordinates(128, 200), (56, 56, 3)).numpy().astype(float)
    # 56 of 64 parts of the height, 112 pixels, in the middle of each side; blocks of 2 x 2
    np.testing.assert_allclose(crop[:, 0, 0], np.arange(56) * 2 + 8 + 0.5, atol=0.51)
    np.testing.assert_allclose(crop[0, :, 1], np.arange(56) * 2 + 44 + 0.5, atol=0.51)


def test_crops_of_training_have_the_area_and_the_aspect_of_the_recipe():
    image = coordinates(200, 250)
    areas, aspects, corners, mirrored = [], [], set(), 0
    for seed in range(300):
        window = random_resized_crop(image, [seed, 5], (32, 32, 3), flip=True).numpy().astype(int)
        top, bottom = window[0, 0, 0], window[-1, 0, 0]
        left, right = sorted((window[0, 0, 1], window[0, -1, 1]))
        mirrored += window[0, 0, 1] > window[0, -1, 1]
        # From the middle of the first to that of the last of 32 pixels there are 31 of 32 parts.
        height, width = (bottom - top) * 32 / 31, (right - left) * 32 / 31
        areas.append(height * width / (200 * 250))
        aspects.append(width / height)
        corners.add((top, left))
    assert 0.07 < min(areas) < 0.12 and 0.9 < max(areas) < 1.03
    assert 0.7 < min(aspects) < 0.8 and 1.25 < max(aspects) < 1.4
    assert len(corners) > 250 and 110 < mirrored < 190


def test_a_crop_depends_on_its_seed_alone():
    image = coordinates(60, 60)
    windows = [random_resized_crop(image, [s, 1], (8, 8, 3), True).numpy() for s in (1, 2, 1)]
    assert (windows[0] != windows[1]).any() and (windows[0] == windows[2]).all()


@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_the_window_of_a_jpeg_is_that_of_the_whole_image(subsampling):
    """Only a part of it is decoded, which could have other colours at its edges."""
    jpeg = encoded(Image.fromarray(photo(150, 170)), "JPEG", quality=90, subsampling=subsampling)
    whole = decoding.decode(jpeg, 3)
    for seed in range(25):
        window = [random_resized_crop(raw, [seed, 0], (24, 24, 3), True) for raw in (jpeg, whole)]
        np.testing.assert_array_equal(*window)
    window = [preprocessing.central_crop(raw, (24, 24, 3)) for raw in (jpeg, whole)]
    np.testing.assert_array_equal(*window)


def test_large_images_are_averaged():
    image = np.random.default_rng(0).integers(0, 256, (96, 120, 3)).astype(np.uint8)
    small = preprocessing.resize(tf.constant(image), (24, 30, 3)).numpy()
    expected = image.reshape(24, 4, 30, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(small, expected, atol=0.51)


def test_a_smaller_image_is_enlarged_as_pillow_does():
    image = photo(20, 30)
    large = preprocessing.resize(tf.constant(image), (50, 60, 3)).numpy().astype(int)
    expected = np.array(Image.fromarray(image).resize((60, 50), Image.Resampling.BILINEAR))
    assert np.abs(large - expected).max() <= 1


@pytest.mark.parametrize("height, width", [(1, 1), (1, 300), (300, 1), (2, 3)])
def test_the_smallest_images(height, width):
    image = tf.zeros([height, width, 3], tf.uint8)
    assert preprocessing.central_crop(image, (8, 8, 3)).shape == (8, 8, 3)
    assert random_resized_crop(image, [0, 0], (8, 8, 3), True).shape == (8, 8, 3)
