"""A static page that classifies pictures in the browser, by onnxruntime-web."""

import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import jinja2

from orc_keras.export import onnx_file

RUNTIME = "onnxruntime-web@1.30.0"  # of npm
PARTS = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
PLACE = Path(__file__).parent
SCRIPT = "pixels.mjs"


def write(lite, description, directory):
    """Writes a directory that `python -m http.server` serves, also without internet.

    Args:
        lite: the bytes of the network's float32 TensorFlow Lite file.
        description: `ImageData.description()`.
        directory: to make.

    Raises:
        ValueError: if the packages are missing.
        Unsupported: if the network has an operation that ONNX lacks.
    """
    directory.mkdir()
    onnx_file.write(lite, directory / "model.onnx")
    _fetch_runtime(directory)
    shutil.copy(PLACE / SCRIPT, directory)
    wanted = {
        "image_shape": description["image_shape"],
        "resized": description["resized"],
        "class_names": description["class_names"],
    }
    (directory / "model.json").write_text(json.dumps(wanted, indent=2) + "\n")
    page = jinja2.Template((PLACE / "web.html.jinja").read_text(encoding="utf-8"), autoescape=True)
    (directory / "index.html").write_text(page.render(wanted), encoding="utf-8")


def check():
    """Raises ValueError if what writes the page is not installed."""
    onnx_file.check()
    if not shutil.which("npm"):
        raise ValueError("--formats=web needs npm, which fetches onnxruntime-web; install Node.js.")


def _fetch_runtime(directory):
    """Puts the parts of onnxruntime-web that the page needs into a directory."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", RUNTIME, "--prefer-offline", f"--pack-destination={folder}"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
        packed = list(Path(folder).glob("*.tgz"))
        if done.returncode or not packed:
            why = done.stderr.strip().splitlines() or ["it says nothing"]
            raise ValueError(f"npm cannot fetch {RUNTIME}: {why[-1]}")
        with tarfile.open(packed[0]) as archive:
            for part in PARTS:
                with archive.extractfile(f"package/dist/{part}") as source:
                    (directory / part).write_bytes(source.read())
