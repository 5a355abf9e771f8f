"""Measures the members of a run in each format: size, accuracy, latency."""

import json
import platform
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orc_keras import models, run_files, startup
from orc_keras.data import ImageData
from orc_keras.evaluate.members import load_members
from orc_keras.export import CALIBRATION_IMAGES
from orc_keras.export.formats import FORMATS, INT8, SAVED_MODEL, check, path_of
from orc_keras.export.measure import representative_dataset
from orc_keras.export.member import export
from orc_keras.runs import RunDirectory, continuation, finished_run
from orc_keras.runs.images import load_images
from orc_keras.runs.summary import PACKAGES, versions

RUNTIMES = ("ai-edge-litert", "onnxruntime")
TIMED = [name for name in FORMATS if FORMATS[name].load]


def benchmark(
    path: str | Path,
    formats: Sequence[str] = TIMED,
    turns: int = 100,
    data_dir: str = "",
    dataset: str = "",
) -> dict[str, Any]:
    """Measures every member of a finished run in each format, and writes `benchmark.json`.

    Every member is exported anew, to a temporary directory.

    Args:
        path: of the run's directory.
        formats: of `TIMED`; those whose packages are missing are left out, with a message.
        turns: the number of times that each file is called with one image.
        data_dir: the folder of TensorFlow Datasets, if it has moved.
        dataset: the run's images, as for `train --dataset`, if they have moved.

    Returns:
        The contents of `benchmark.json`: `machine`; `cores`; `versions`; and `rows`, one for each
        member and format, dicts of `member`, `role`, `format`, `parameters`, `mflops` (a
        multiply-add counts as two), what `export.measure.measure` returns, and `one_thread`, what
        `timing.measure_times` returns.

    Raises:
        ValueError: if there is no finished run, it is read-only, or its images are missing.
    """
    check(formats, TIMED)
    run, formats = finished_run(path), _installed(formats)
    continuation.check_files(run, run_files.BENCHMARK, run_files.REPORT)
    images = load_images(run, data_dir, INT8 in formats, dataset)
    contents = {
        "machine": _processor(),
        "cores": len(startup.cores()),
        "versions": versions((*PACKAGES, *RUNTIMES)),
        "rows": _rows(run, images, formats, turns),
    }
    run.write_json(run_files.BENCHMARK, contents)
    return contents


def _installed(formats: Sequence[str]) -> list[str]:
    installed = []
    for name in formats:
        try:
            FORMATS[name].check()
            installed.append(name)
        except ValueError as error:
            print(f"{name} is left out. {error}")
    return installed


def _rows(
    run: RunDirectory, images: ImageData, formats: list[str], turns: int
) -> list[dict[str, Any]]:
    summary = run.summary
    calibrating = representative_dataset(images, CALIBRATION_IMAGES) if INT8 in formats else ()
    rows, files = [], []
    with tempfile.TemporaryDirectory() as folder:
        for member, network in load_members(run).items():
            target = Path(folder, member)
            names = [SAVED_MODEL, *formats]  # the others are made from it
            measured = export(network, member, target, summary, images, names, calibrating)
            row = {
                "member": member,
                "role": summary["members"][member]["role"],
                "parameters": models.parameters(network),
                "mflops": models.flops(network) / 1e6,
            }
            rows += [row | {"format": name} | measured[name] for name in formats]
            files += [(name, str(path_of(target, name))) for name in formats]
        times = _times({"files": files, "data": summary["data"], "turns": turns})
    return [row | {"one_thread": each} for row, each in zip(rows, times, strict=True)]


def _times(arguments: dict[str, Any]) -> list[dict[str, float]]:
    """Returns what `timing.measure_times` returns, from a process of its own."""
    command = startup.python("-m", "orc_keras.benchmark.timing")
    process = subprocess.run(
        **command, input=json.dumps(arguments), stdout=subprocess.PIPE, text=True
    )
    if process.returncode:
        raise OSError(f"the process that measures times ended with {process.returncode}.")
    return json.loads(process.stdout)


def _processor() -> str:
    """Returns the name of the CPU."""
    path = Path("/proc/cpuinfo")  # of Linux
    found = re.search(r"^model name\s*: (.+)", path.read_text() if path.exists() else "", re.M)
    return found[1] if found else platform.machine()
