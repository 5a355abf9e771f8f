"""A photo becomes the network's input in one way, wherever the network is used."""

import io
import json
import shutil
import subprocess
import sys
import tracemalloc
import zlib

import numpy as np
import pytest
import tensorflow as tf
from helpers import photos
from helpers.networks import hidden_network
from PIL import Image

from orc_keras import checksums, data
from orc_keras.data import ImageData, PixelImages
from orc_keras.data.decoding import refusal
from orc_keras.data.preprocessing import CENTRAL, Preprocessing, normalise_fixed_size
from orc_keras.export import formats, photo, saved_model, tflite
from orc_keras.export.exported import ExportedNetwork


def write_student(folder, shape, resized):
    """Writes `student/`, a SavedModel, and its TensorFlow Lite and ONNX files."""
    channels, classes = shape[-1], ("a", "b", "c")
    none = PixelImages(np.zeros((1, *shape), np.uint8), [0])
    images = ImageData(
        none, none, classes, shape, (0.4,) * channels, (0.3,) * channels, resized=resized
    )
    network = hidden_network("student", 8, 0, shape, len(classes))
    source = formats.Source(network, images.description(), folder / "student")
    for name in ("saved_model", "tflite", "onnx"):
        formats.FORMATS[name].write(source, formats.path_of(source.saved_model, name))
    return folder / "student"


@pytest.fixture(scope="module", params=["resized", "grey, of one size"])
def student(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    resized = request.param == "resized"
    return write_student(folder, (32, 32, 3) if resized else (8, 8, 1), resized)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    for name, contents in photos.good().items():
        (root / name).write_bytes(contents)
    for name, (contents, _) in photos.refused().items():
        (root / name).write_bytes(contents)
    return root


def test_pixels_are_those_of_pillow(student):
    """By photo.py, which shares no code; in training as in evaluation."""
    description = json.loads((student / "preprocessing.json").read_text())
    preprocessing = Preprocessing.from_json(description)
    assert preprocessing.crop == (CENTRAL if preprocessing.image_shape[0] == 32 else 1)
    assert len(photos.good()) > 30
    for name, contents in photos.good().items():
        expected = photo.to_images(io.BytesIO(contents), description)[0]
        pixels = preprocessing.pixels(tf.constant(contents)).numpy()
        np.testing.assert_array_equal(pixels, expected, name)


def test_images_of_the_right_size_stay_as_they_are():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    same = Preprocessing((8, 8, 3), 1.0).pixels(tf.constant(pixels))
    np.testing.assert_array_equal(same, pixels)


def of_files(student):
    return tf.saved_model.load(student).signatures["files"]


def test_every_entrance_answers_alike(student, folder):
    """The signature `files`, each format on files, and the code of the model card."""
    names = list(photos.good())
    contents = [(folder / name).read_bytes() for name in names]
    expected = of_files(student)(contents=tf.constant(contents))["probabilities"].numpy()
    for path in (student, student.with_name("student.tflite"), student.with_name("student.onnx")):
        answers = ExportedNetwork(path).predict_files([folder / name for name in names])
        np.testing.assert_allclose([each for _, each in answers], expected, atol=1e-5)
    program = (
        f"import sys; sys.path.insert(0, {str(student)!r})\n"
        "from photo import to_images\n"
        "import numpy as np\n"
        f"images = np.concatenate([to_images({str(folder)!r} + '/' + n) for n in {names!r}])\n"
        "np.save(sys.argv[1], images)\n"
        "assert not {'tensorflow', 'keras', 'orc_keras'} & {*sys.modules}\n"
    )
    subprocess.run([sys.executable, "-c", program, folder / "images.npy"], check=True)
    served = saved_model.load(student)(np.load(folder / "images.npy"))
    np.testing.assert_allclose(served["probabilities"], expected, atol=1e-5)


def test_constants_of_one_size_change_not_a_bit():
    """The normalisation in exported files is that of training."""
    images = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3), np.uint8)
    numbers = ((0.4914, 0.4822, 0.4465), (0.2, 0.199, 0.201))
    expected = data.normalise(tf.constant(images), *numbers)
    np.testing.assert_array_equal(normalise_fixed_size(tf.constant(images), *numbers), expected)


@pytest.mark.parametrize(
    "wrong",
    [
        {"height": 0},
        {"height": 10**9},
        {"width": "8"},
        {"channels": 2},
        {"crop": float("nan")},
        {"crop": 2},
        {"mean": []},
        {"std": [None]},
        {"std": [float("inf")] * 3},
    ],
)
def test_a_damaged_description_is_named(student, tmp_path, wrong):
    """Also where its checksum is right."""
    copy = shutil.copytree(student, tmp_path / "student")
    path = copy / "preprocessing.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | wrong))
    checksums.update(copy, [path])
    with pytest.raises(ValueError, match=r"preprocessing.json is damaged"):
        ExportedNetwork(copy)


def test_what_tensorflow_decodes_wrongly_or_no_memory_holds_is_refused_everywhere(student, folder):
    network = of_files(student)
    for name, (contents, reason) in photos.refused().items():
        ((_, error),) = ExportedNetwork(student).predict_files([folder / name])
        assert str(error).startswith(f"{folder / name} ") and reason in str(error)
        with pytest.raises(tf.errors.InvalidArgumentError):
            network(contents=tf.constant([contents]))
        if name in ("huge.png", "huge.jpg"):
            with pytest.raises(ValueError, match="10000 x 10000 pixels is too large"):
                photo.to_images(folder / name, ExportedNetwork(student).preprocessing.as_json())
    for name in photos.good():
        assert refusal((folder / name).read_bytes()).numpy() == b"", name


def test_photos_of_a_folder_are_counted_and_named(folder, tmp_path):
    """As training reads them: each refused one by its name, and those that EXIF data rotate."""
    for split in ("train", "val"):
        for name, contents in photos.good().items():
            path = tmp_path / split / name[0] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(contents)
    images = data.load(f"folder:{tmp_path}", image_size=32)
    assert images.notes["images_rotated_by_exif"] == 6
    (pixels, _), *_ = data.held_out_pixels(images, [0], batch_size=1)
    first = sorted(tmp_path.glob("val/*/*"))[0]
    expected = photo.to_images(first, images.preprocessing.as_json())
    np.testing.assert_array_equal(pixels, expected)
    for name, (contents, _) in photos.refused().items():
        (tmp_path / "train" / "1" / name).write_bytes(contents)
    with pytest.raises(ValueError, match="cannot be used"):
        data.load(f"folder:{tmp_path}", image_size=32)


def test_a_lite_file_refuses_images_of_another_size(student):
    """LiteRT resizes the input of a file to what comes; the file's constants do not fit then."""
    shape = ExportedNetwork(student).preprocessing.image_shape
    run = tflite.load(student.with_name("student.tflite"))
    height, width, channels = shape
    for size in ((2 * height, 2 * width), (height, 2 * width), (2 * height, width)):
        with pytest.raises((RuntimeError, ValueError)):
            run(np.zeros((1, *size, channels), np.uint8))
    assert run(np.zeros((3, *shape), np.uint8))["classes"].shape == (3,)


def test_a_png_that_lacks_its_palette_is_damaged():
    """Pillow ends in an AssertionError then."""
    file, description = io.BytesIO(), Preprocessing((8, 8, 3), 1.0, [0] * 3, [1] * 3).as_json()
    Image.new("L", (8, 8)).save(file, "PNG")
    contents = bytearray(file.getvalue())
    contents[25] = 3  # the kind of colour; behind the header is its checksum
    contents[29:33] = zlib.crc32(contents[12:29]).to_bytes(4, "big")
    with pytest.raises(ValueError, match="The image is damaged"):
        photo.to_images(io.BytesIO(contents), description)


def test_transparent_pixels_take_little_memory():
    """A small file may have millions of them."""
    file, description = io.BytesIO(), Preprocessing((8, 8, 3), 1.0, [0] * 3, [1] * 3).as_json()
    Image.new("RGBA", (1000, 1000)).save(file, "PNG")
    tracemalloc.start()
    assert (photo.to_images(file, description) == 255).all()
    assert tracemalloc.get_traced_memory()[1] < 20 * 10**6
    tracemalloc.stop()
