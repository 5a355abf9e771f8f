"""A static page that classifies pictures in the browser, by onnxruntime-web."""

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import jinja2

from orc_keras.data import Preprocessing
from orc_keras.export import onnx_file
from orc_keras.export.saved_model import PREPROCESSING
from orc_keras.files import as_json, write_text

RUNTIME = "onnxruntime-web@1.30.0"  # of npm
RUNTIME_FILES = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
)
PIXELS = Path(__file__).parent / "pixels.mjs"
PAGE = Path(__file__).parent / "web.html.jinja"


def write(lite: bytes, data: dict[str, Any], directory: Path) -> None:
    """Writes a directory that `python -m http.server` serves, also without internet.

    Args:
        lite: the network's float32 TensorFlow Lite file.
        data: `ImageData.description()`.
        directory: to make.
    """
    directory.mkdir()
    onnx_file.write(lite, directory / "model.onnx")
    _fetch_runtime(directory)
    shutil.copy(PIXELS, directory)
    preprocessing = Preprocessing.from_description(data).as_json()
    write_text(directory / PREPROCESSING, as_json(preprocessing))
    write_text(directory / "class_names.json", as_json(data["class_names"]))
    page = jinja2.Template(PAGE.read_text(encoding="utf-8"), autoescape=True)
    classes = len(data["class_names"])
    write_text(directory / "index.html", page.render(preprocessing, classes=classes))


def check() -> None:
    """Raises ValueError if what writes the page is not installed."""
    onnx_file.check()
    if not shutil.which("npm"):
        raise ValueError("--formats=web needs npm, which fetches onnxruntime-web; install Node.js.")


def _fetch_runtime(directory: Path) -> None:
    """Puts the files of onnxruntime-web that the page needs into a directory."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", RUNTIME, "--prefer-offline", f"--pack-destination={folder}"]
        npm = subprocess.run(command, capture_output=True, text=True, cwd=folder)
        archives = list(Path(folder).glob("*.tgz"))
        if npm.returncode or not archives:
            raise ValueError(f"npm cannot fetch {RUNTIME}: {npm.stderr.strip()}")
        with tarfile.open(archives[0]) as archive:
            for name in RUNTIME_FILES:
                with archive.extractfile(f"package/dist/{name}") as source:  # type: ignore
                    (directory / name).write_bytes(source.read())
