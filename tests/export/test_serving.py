"""The server of docs/serve.py, as a process of its own, and the page for the browser."""

import concurrent.futures
import functools
import http.server
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
import tensorflow as tf
from helpers import photos
from helpers.digits_run import served
from helpers.networks import hidden_network
from helpers.programs import ROOT
from PIL import Image

from orc_keras.data import ImageData, PixelImages
from orc_keras.data.preprocessing import CENTRAL, Preprocessing
from orc_keras.export import formats, saved_model, web
from orc_keras.export.member import export_member

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def exported(digits_run, tmp_path_factory):
    run = tmp_path_factory.mktemp("served") / "run"
    shutil.copytree(digits_run, run)
    export_member(run, names=["onnx"])
    return run


@pytest.fixture(scope="module")
def address(exported):
    """Of the server, which ends at once and says nothing but what it must, whatever was sent."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"STUDENT": str(exported / "student"), "PORT": str(port)}
    command = [sys.executable, ROOT / "docs" / "serve.py"]
    server = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    for _ in range(200):
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}/predict"
    with upload(port):  # which does not come to its end
        time.sleep(0.5)
        server.send_signal(signal.SIGINT)
        printed = server.communicate(timeout=10)[1]
    assert server.returncode == 0 and "Traceback" not in printed


def upload(port, length="5000"):
    """Returns a connection by which an image of this length has begun to come."""
    connection = socket.create_connection(("127.0.0.1", port))
    request = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\nimage"
    connection.sendall(request.encode())
    return connection


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(file, "png")
    return file.getvalue()


def bomb():
    """A PNG of 170 kB with 177 million pixels."""
    file = io.BytesIO()
    Image.new("1", (13_300, 13_300)).save(file, "png")
    return file.getvalue()


def ask(address, body, method="POST"):
    """Returns the status and what is answered."""
    request = urllib.request.Request(address, body, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_hundred_at_once_lose_none(address, exported, held_out):
    images = held_out[0][:100]
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda image: ask(address, png(image)), images))
    assert {status for status, _ in answers} == {200}
    expected = served(exported / "student", images)["probabilities"]
    probabilities = np.array([list(answer["probabilities"].values()) for _, answer in answers])
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    assert [int(answer["class"]) for _, answer in answers] == probabilities.argmax(axis=1).tolist()


def test_photos_of_every_mode_and_size(address, exported):
    """Each gets the probabilities of the SavedModel's signature `files`, to the digit."""
    of_files = tf.saved_model.load(exported / "student").signatures["files"]
    for name, contents in photos.good().items():
        status, answer = ask(address, contents)
        expected = of_files(contents=tf.constant([contents]))["probabilities"][0]
        assert status == 200
        found = list(answer["probabilities"].values())
        np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=name)


def test_wrong_images_get_a_sentence(address, held_out):
    image = png(held_out[0][0])
    emf = b"\1\0\0\0" + bytes(36) + b" EMF" + bytes(40)  # for which Pillow divides by 0
    for body in (b"", b"no image", image[:40], b"\xff\xd8\xff" + bytes(100), b"<svg/>", emf):
        status, answer = ask(address, body)
        assert (status, json.loads(answer)["error"][:26]) == (415, "This is not an undamaged P")
    with concurrent.futures.ThreadPoolExecutor(12) as pool:  # of a gigabyte each, decoded
        assert {status for status, _ in pool.map(ask, [address] * 12, [bomb()] * 12)} == {415}
    status, answer = ask(address, bytes(20_000_001))
    assert (status, json.loads(answer)["error"]) == (413, "More than 20,000,000 bytes.")
    assert [ask(address, None, method)[0] for method in ("GET", "HEAD", "PUT")] == [405] * 3
    port = int(re.search(r":(\d+)/", address)[1])
    upload(port).close()
    with upload(port, length="-5") as wrong:
        assert wrong.recv(12) == b"HTTP/1.1 400"


def test_a_server_without_a_student_ends_with_a_sentence(digits_run):
    command = [sys.executable, ROOT / "docs" / "serve.py"]
    whole = str(digits_run / "student")
    for student, missing in (("", "/photo.py"), ("no", "no/photo.py"), (whole, f"{whole}.onnx")):
        environment = os.environ | {"STUDENT": student}
        ended = subprocess.run(command, env=environment, capture_output=True, text=True)
        sentence = f"STUDENT={student} must be an exported student's directory: {missing} is"
        assert ended.returncode == 1 and ended.stderr == f"{sentence} missing.\n"


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js")
def test_the_page_cuts_pictures_as_evaluation_does(tmp_path):
    """pixels.mjs against Preprocessing, on noise of many sizes, in colour and grey."""
    rng = np.random.default_rng(0)
    cases, expected = [], []
    for height, width, shape in (
        (8, 8, (8, 8, 3)), (37, 61, (8, 8, 3)), (20, 9, (16, 12, 3)), (5, 5, (8, 8, 3)),
        (224, 300, (32, 32, 3)), (64, 64, (32, 32, 3)), (224, 300, (32, 32, 1)), (8, 8, (8, 8, 1)),
    ):  # fmt: skip
        pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
        case = {"height": height, "width": width, "data": pixels.ravel().tolist()}
        preprocessing = Preprocessing(shape, 1.0 if height == 8 else CENTRAL)
        cases.append({"picture": case, "description": preprocessing.as_json()})
        expected.append(preprocessing.pixels(tf.constant(pixels)).numpy().ravel())
    shutil.copy(web.PIXELS, tmp_path)
    program = (
        f"import {{ fitted }} from './{web.PIXELS.name}';"
        f"const cases = {json.dumps(cases)};"
        "console.log(JSON.stringify(cases.map((c) => [...fitted(c.picture, c.description)])));"
    )
    (tmp_path / "program.mjs").write_text(program)
    done = subprocess.run(["node", tmp_path / "program.mjs"], capture_output=True, check=True)
    for ours, theirs in zip(json.loads(done.stdout), expected, strict=True):
        assert np.abs(np.array(ours) - theirs.astype(int)).max() <= 1  # rounding of floats
        assert np.mean(ours != theirs) < 0.01


@pytest.mark.skipif(
    not (shutil.which("chromium") and shutil.which("npm")), reason="needs Chromium and npm"
)
def test_the_page_answers_like_the_network(exported, held_out):
    """Served by Python's own server, with what lies in the folder alone: grey and coloured."""
    export_member(exported, names=["web"])
    pages = exported.parent
    (exported / "student_web" / "photo.png").write_bytes(png(held_out[0][0]))
    (exported / "student_web" / "none.png").write_bytes(b"no image")
    photo = coloured(pages)
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    handler = functools.partial(quiet, directory=pages)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def shown(page, name):
        """Returns the page when it has answered: virtual time may end before a picture is read."""
        address = f"http://127.0.0.1:{server.server_port}/{page}/index.html?image={name}"
        browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu"]
        browser += ["--virtual-time-budget=20000", "--dump-dom", address]
        for _ in range(5):
            text = subprocess.run(browser, capture_output=True, text=True, timeout=120).stdout
            if not re.search(r'role="status">(Loading the network\.|Classifying\.)?</p>', text):
                break
        return text

    grey = exported / "student"
    for path, images in ((grey, held_out[0][:1]), (pages / "coloured", photo)):
        page = shown(path.relative_to(pages).with_name(path.name + "_web"), "photo.png")
        logits = json.loads(re.search(r'data-logits="(.*?)"', page)[1])
        expected = served(path, images)["logits"][0]
        np.testing.assert_allclose(logits, expected, atol=1e-4)
        assert f'role="status">{np.argmax(expected)}</p>' in page
    of_files = tf.saved_model.load(pages / "coloured").signatures["files"]
    for name in (
        "rotated_by_exif.jpg",
        "rotated_by_exif.png",
        "RGBA.png",
        "16_bits.png",
        "cmyk.jpg",
    ):
        contents = photos.good()[name]
        (pages / "coloured_web" / name).write_bytes(contents)
        logits = json.loads(re.search(r'data-logits="(.*?)"', shown("coloured_web", name))[1])
        expected = of_files(contents=tf.constant([contents]))["logits"][0]
        np.testing.assert_allclose(logits, expected, atol=1e-4, err_msg=name)
    wrong, missing = (shown("run/student_web", name) for name in ("none.png", "nowhere.png"))
    server.shutdown()
    assert "none.png is not a picture that this browser can read." in wrong
    assert "nowhere.png is not beside this page." in missing


def coloured(folder):
    """Writes `coloured`, a SavedModel, and its page, with a picture that is returned too."""
    shape, half = (6, 8, 3), (0.5, 0.5, 0.5)
    photo = np.random.default_rng(0).integers(0, 256, (1, *shape), np.uint8)
    images = PixelImages(photo, np.zeros(1, np.int64))
    description = ImageData(images, images, ("0", "1", "2"), shape, half, half).description()
    network = hidden_network("coloured", 8, 0, shape, 3)
    saved_model.write(network, description, folder / "coloured")
    source = formats.Source(network, description, folder / "coloured")
    web.write(source.tflite, description, folder / "coloured_web")
    (folder / "coloured_web" / "photo.png").write_bytes(png(photo[0]))
    return photo
