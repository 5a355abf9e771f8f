"""`data.load`, from the name of a dataset to images."""

import io

import numpy as np
import pytest
import tensorflow_datasets as tfds
from helpers.animals import TinyAnimals, jpeg, prepare, read_in_order
from sklearn.datasets import load_digits

from orc_keras import data
from orc_keras.data.decoding import decode
from orc_keras.data.preprocessing import central_crop


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


def pixels(images):
    return images.pixels.numpy()


@pytest.mark.parametrize(
    "pixels, labels, message",
    [
        (
            np.zeros((2, 4, 4, 1), np.uint8),
            [0, 3],
            "The test images .* label 3; .* classes, 0 to 2",
        ),
        (np.zeros((2, 4, 4, 1), np.uint8), [-1, 0], "The test images .* the label -1; labels must"),
        (np.zeros((2, 4, 4, 1), np.uint8), [0, 0.5], "Labels must be whole numbers"),
        (np.zeros((2, 4, 4, 1), np.uint8), [0, 2**32], "Labels must be whole numbers"),
        (np.zeros((2, 4, 4, 1), np.uint8), ["a", "b"], "Labels must be whole numbers"),
        (np.zeros((2, 4, 4, 1), np.uint8), [0], r"2 images have labels of shape \[1\]"),
        (np.zeros((2, 4, 4), np.uint8), [0, 1], r"channels\], not uint8 \[2, 4, 4\]"),
        (np.zeros((2, 4, 4, 1), np.float32), [0, 1], "pixels must be uint8 .* not float32"),
    ],
)
def test_wrong_arrays_are_refused_as_they_are_given(pixels, labels, message):
    right = data.PixelImages(np.zeros((3, 4, 4, 1), np.uint8), range(3))
    with pytest.raises(ValueError, match=message):
        held_out = data.PixelImages(pixels, labels)
        data.ImageData(right, held_out, tuple("abc"), (4, 4, 1), (0.5,), (0.3,))


@pytest.mark.parametrize(
    "names, message",
    [
        (None, "The dataset must have a list of class names, not None"),
        ("ab", "must have a list of class names, not 'ab'"),
        ((0, 1), "The dataset has a class 0; a name is a text, and not empty"),
        ((b"a", b"b"), "has a class b'a'; a name is a text"),
        (("a", ""), "has a class ''; a name is a text, and not empty"),
        (("a", "b", "a"), "The dataset has 2 classes 'a'; each needs its own name"),
        *(
            (("a", f"b{c}c"), "has a class 'b.*c', a name that cannot be printed")
            for c in "\n\t\x1b\x7f\x85\u2028\u2029\u202e\u2067\udcff"
        ),
    ],
)
def test_names_that_no_class_can_have(names, message):
    images = data.PixelImages(np.zeros((1, 4, 4, 1), np.uint8), [0])
    with pytest.raises(ValueError, match=message):
        data.ImageData(images, images, names, (4, 4, 1), (0.5,), (0.3,))


@pytest.mark.parametrize(
    "name", ["می\u200cخواهم", "👩\u200d👧", "a\xa0b", "写真\u3000鳥", "e\u0301", " "]
)
def test_names_in_any_script(name):
    """With joiners and spaces of their own; a file of names, one a line, holds them."""
    images = data.PixelImages(np.zeros((1, 4, 4, 1), np.uint8), [0])
    classes = (name, "b")
    made = data.ImageData(images, images, classes, (4, 4, 1), (0.5,), (0.3,))
    assert made.class_names == tuple("\n".join(classes).splitlines()) == classes


def test_digits_are_those_of_scikit_learn(digits):
    assert pixels(digits.train).shape == (1437, 8, 8, 1)
    assert pixels(digits.held_out).shape == (360, 8, 8, 1)
    assert digits.image_shape == (8, 8, 1) and digits.num_classes == 10
    assert digits.augmentation == "none" and not digits.resized
    everything = np.concatenate([pixels(digits.train), pixels(digits.held_out)])[..., 0]
    expected = np.floor(load_digits().images * 255 / 16 + 0.5).astype(np.uint8)

    def as_set(images):
        return sorted(image.tobytes() for image in images)

    assert as_set(everything) == as_set(expected)
    np.testing.assert_allclose(digits.mean, pixels(digits.train).mean() / 255)
    np.testing.assert_allclose(digits.std, pixels(digits.train).std() / 255)


def test_no_held_out_digit_is_trained_on(digits):
    train = {image.tobytes() for image in pixels(digits.train)}
    assert not any(image.tobytes() in train for image in pixels(digits.held_out))


def test_validation_digits_come_from_the_training_images(digits):
    divided = data.load("digits", validation_fraction=0.1)
    assert (len(divided.train), len(divided.held_out)) == (1293, 144)
    assert divided.held_out_from == "train"
    parts = [
        subset.read(np.arange(len(subset)))[0].numpy()
        for subset in (divided.train, divided.held_out)
    ]
    together = sorted(image.tobytes() for image in np.concatenate(parts))
    assert together == sorted(image.tobytes() for image in pixels(digits.train))
    np.testing.assert_allclose(divided.mean, parts[0].mean() / 255)
    np.testing.assert_allclose(np.bincount(divided.held_out.labels), 14.4, atol=1)
    again = data.load("digits", validation_fraction=0.1)
    np.testing.assert_array_equal(again.held_out.labels, divided.held_out.labels)


def test_digits_enlarged():
    """Such as for the networks of ImageNet."""
    images = data.load("digits", image_size=32, crop_flip="crop")
    assert images.image_shape == (32, 32, 1) and images.resized
    batch, _ = next(data.train_batches(images, 16, seed=0).as_numpy_iterator())
    assert batch.shape == (16, 32, 32, 1)
    batch, _ = next(data.held_out_batches(images, 16).as_numpy_iterator())
    expected = central_crop(images.held_out.pixels[3], (32, 32, 1)).numpy() / 255
    np.testing.assert_allclose(batch[3] * images.std + images.mean, expected, atol=1e-5)


@pytest.mark.parametrize("dataset, classes", [("cifar10", 10), ("tfds:cifar100", 100)])
def test_cifar(tmp_path, dataset, classes, monkeypatch):
    builder = tfds.builder_cls(dataset.removeprefix("tfds:"))

    def examples(split):
        rng = np.random.default_rng(len(split))
        for number in range(70):
            image = rng.integers(0, 256, (32, 32, 3)).astype(np.uint8)
            label = {"label": number % classes, "id": str(number)}
            yield number, label | {"image": image} | ({"coarse_label": 0} if classes == 100 else {})

    splits = {split: split for split in ("train", "test")}
    monkeypatch.setattr(builder, "url_infos", {})
    monkeypatch.setattr(builder, "_split_generators", lambda *_: {s: examples(s) for s in splits})
    cifar = data.load(dataset, str(tmp_path))
    assert cifar.image_shape == (32, 32, 3) and cifar.num_classes == classes
    assert cifar.held_out_from == "test" and cifar.augmentation == "crop_and_flip"
    assert cifar.mean == (0.5071, 0.4867, 0.4408) and cifar.std == (0.2675, 0.2565, 0.2761)
    images, labels = next(data.held_out_batches(cifar, 70).as_numpy_iterator())
    expected = {np.array(e["image"]).tobytes(): e["label"] for _, e in examples("test")}
    raw = np.rint((images * cifar.std + cifar.mean) * 255).astype(np.uint8)
    assert [expected[image.tobytes()] for image in raw] == list(labels)
    stream = data.load(dataset, str(tmp_path), memory_gb=0)
    assert type(stream.train) is not type(cifar.train)
    for make in (lambda d: data.train_batches(d, 16, 1), lambda d: data.held_out_batches(d, 16)):
        for ours, theirs in zip(make(cifar).take(5), make(stream).take(5)):
            np.testing.assert_array_equal(ours[0], theirs[0])
            np.testing.assert_array_equal(ours[1], theirs[1])


def test_photographs_of_tensorflow_datasets(tmp_path):
    builder = prepare(tmp_path)
    photos = data.load("tfds:tiny_animals", str(tmp_path), image_size=16)
    assert photos.class_names == ("ant", "bee", "cat") and photos.held_out_from == "validation"
    assert photos.notes["source"] == "tiny_animals/1.0.0" and photos.resized
    stored = read_in_order(builder, "validation")
    images, labels = next(data.held_out_batches(photos, 7).as_numpy_iterator())
    assert list(labels) == [label for _, label in stored]
    expected = [central_crop(decode(image, 3), (16, 16, 3)) / 255 for image, _ in stored]
    np.testing.assert_allclose(images * photos.std + photos.mean, expected, atol=1e-5)
    images, labels = next(data.train_batches(photos, 23, seed=0).as_numpy_iterator())
    assert images.shape == (23, 16, 16, 3)
    assert sorted(labels) == sorted(label for _, label in read_in_order(builder, "train"))


def test_imagenet_by_its_recipe(tmp_path, monkeypatch):
    """Prepared by its real builder, from generated photographs."""

    def examples(split):
        rng = np.random.default_rng(len(split))
        for number in range(5):
            photo = {"image": io.BytesIO(jpeg(rng)), "label": 200 * number}
            yield f"{split}{number}", photo | {"file_name": f"{number}.JPEG"}

    names = ("train", "validation", "test")
    builder = tfds.builder("imagenet2012", data_dir=tmp_path)
    monkeypatch.setattr(builder, "_split_generators", lambda *_: {n: examples(n) for n in names})
    builder.download_and_prepare()
    imagenet = data.load("imagenet2012", str(tmp_path))
    assert imagenet.image_shape == (224, 224, 3) and imagenet.num_classes == 1000
    assert imagenet.held_out_from == "validation" and imagenet.augmentation == "crop_and_flip"
    assert imagenet.mean == (0.485, 0.456, 0.406) and imagenet.std == (0.229, 0.224, 0.225)
    images, labels = next(data.train_batches(imagenet, 5, seed=0).as_numpy_iterator())
    assert images.shape == (5, 224, 224, 3) and sorted(labels) == [0, 200, 400, 600, 800]


def test_records_can_be_held_back_for_validation(tmp_path, monkeypatch):
    monkeypatch.setattr(TinyAnimals, "numbers", {"train": 23})
    prepare(tmp_path, shards=2)
    with pytest.raises(ValueError, match="tiny_animals has no held-out images .*--validation_frac"):
        data.load("tfds:tiny_animals", str(tmp_path))
    photos = data.load("tfds:tiny_animals", str(tmp_path), image_size=8, validation_fraction=0.2)
    assert (len(photos.train), len(photos.held_out)) == (18, 5)


@pytest.mark.parametrize("dataset", ["mnist", "folder:", "tfds:", "folder", ""])
def test_an_unknown_dataset(dataset):
    message = f"--dataset={dataset} is unknown; possible are digits, cifar10, .* folder:<path>"
    with pytest.raises(ValueError, match=message):
        data.load(dataset)
