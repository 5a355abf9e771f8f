"""Measures the members of a run in each format: size, accuracy, latency."""

import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orc_keras import models, run_files, startup
from orc_keras.evaluate.members import load_members
from orc_keras.export import CALIBRATION_IMAGES
from orc_keras.export.formats import FORMATS, INT8, SAVED_MODEL, Source, check, path_of
from orc_keras.export.measure import calibration, measure
from orc_keras.runs import finished_run
from orc_keras.runs.images import load_images
from orc_keras.runs.versions import PACKAGES, RUNTIMES, versions

TIMED = [name for name in FORMATS if FORMATS[name].load]


def benchmark(
    path: str | Path, formats: Sequence[str] = TIMED, turns: int = 100, data_dir: str = ""
) -> dict[str, Any]:
    """Measures every member of a finished run in each format, and writes `benchmark.json`.

    Every member is exported anew, to a temporary directory.

    Args:
        path: of the run's directory.
        formats: of `TIMED`; those whose packages are missing are left out, with a message.
        turns: the number of times that each file is called with one image.
        data_dir: the folder of TensorFlow Datasets, if it has moved.

    Returns:
        The contents of `benchmark.json`: `machine`; `cores`; `versions`; and `rows`, one for each
        member and format, dicts of `member`, `role`, `format`, `parameters`, `mflops` (a
        multiply-add counts as two), what `export.measure.measure` returns, and `one_thread` and
        `all_threads`, what `timing.measure_times` returns.

    Raises:
        ValueError: if there is no finished run, or its images are missing.
    """
    check(formats, TIMED)
    run = finished_run(path)
    rows = _measure_members(run, _installed(formats), turns, data_dir)
    contents = {
        "machine": _processor(),
        "cores": len(startup.cores()),
        "versions": versions((*PACKAGES, *RUNTIMES)),
        "rows": rows,
    }
    run.write_json(run_files.BENCHMARK, contents)
    return contents


def _installed(formats):
    installed = []
    for name in formats:
        try:
            FORMATS[name].check()
            installed.append(name)
        except ValueError as error:
            print(f"{name} is left out. {error}")
    return installed


def _measure_members(run, formats, turns, data_dir):
    """Returns the rows of `benchmark.json`."""
    images, summary = load_images(run, data_dir, INT8 in formats), run.summary
    calibrating = calibration(images, CALIBRATION_IMAGES) if INT8 in formats else ()
    rows, files = [], []
    with tempfile.TemporaryDirectory() as folder:
        for member, network in load_members(run).items():
            source = Source(network, summary["data"], Path(folder, member), calibrating)
            paths = _export(source, formats)
            measured = measure(paths, network, images, summary["settings"]["batch_size"])
            row = {"member": member, "role": summary["members"][member]["role"]}
            costs = {
                "parameters": models.parameters(network),
                "mflops": models.flops(network) / 1e6,
            }
            rows += [row | {"format": name} | costs | measured[name] for name in formats]
            files += [(name, str(path)) for name, path in paths.items()]
        for key, threads in (("one_thread", 1), ("all_threads", len(startup.cores()))):
            times = measure_times(files, summary["data"], threads, turns)
            for row, each in zip(rows, times, strict=True):
                row[key] = each
    return rows


def _export(source, formats):
    """Writes a network in some formats, and returns their paths by format."""
    for name in dict.fromkeys([SAVED_MODEL, *formats]):  # others are made from the SavedModel
        FORMATS[name].write(source, path_of(source.saved_model, name))
    return {name: path_of(source.saved_model, name) for name in formats}


def measure_times(
    files: list[tuple[str, str]], data: dict[str, Any], threads: int, turns: int
) -> list[dict[str, float]]:
    """Returns what `timing.measure_times` returns, from a process of its own."""
    arguments = {"files": files, "data": data, "threads": threads, "turns": turns}
    process = subprocess.run(
        [sys.executable, "-m", "orc_keras.benchmark.timing"],
        input=json.dumps(arguments), capture_output=True, text=True,
    )  # fmt: skip
    if process.returncode:
        reason = process.stderr.strip() or f"it ended with {process.returncode}"
        raise ValueError(f"The files cannot be timed:\n{reason}")
    return json.loads(process.stdout)


def _processor():
    """Returns the name of the CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line[:10] == "model name")
    except (OSError, StopIteration):  # not Linux, or another kind of processor
        return platform.processor() or platform.machine()
