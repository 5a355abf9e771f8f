"""Measures the members of a run in each format: size, accuracy, latency."""

import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from orc_keras import models, startup
from orc_keras.evaluate.members import load_members
from orc_keras.export import CALIBRATION_IMAGES
from orc_keras.export.formats import FORMATS, INT8, SAVED_MODEL, Source, check, path_of
from orc_keras.export.measure import calibration, measure
from orc_keras.files import replacing
from orc_keras.runs import names
from orc_keras.runs.images import held_out_again
from orc_keras.runs.record import finished
from orc_keras.runs.versions import PACKAGES, RUNTIMES, versions

TIMED = [name for name in FORMATS if FORMATS[name].load]


def benchmark(run, formats=TIMED, turns=100, data_dir=""):
    """Measures every member of a finished run in each format, and writes `benchmark.json`.

    Every member is exported anew, to a temporary directory.

    Args:
        run: the run's directory.
        formats: of `TIMED`; those whose packages are missing are left out, and it is said.
        turns: how often each file is called with one image.
        data_dir: the folder of TensorFlow Datasets, if it has moved.

    Returns:
        The contents of `benchmark.json`: `machine`; `cores`; `versions`; and `rows`, one for each
        member and format, dicts of `member`, `role`, `format`, `parameters`, `mflops` (a
        multiply-add counts as two), what `export.measure.measure` returns, and `one_thread` and
        `all_threads`, what `timing.measured` returns.

    Raises:
        ValueError: if there is no finished run, or its images are missing.
    """
    check(formats, TIMED)
    run = finished(run)
    formats = _installed(formats)
    images = held_out_again(run, data_dir, to_learn=INT8 in formats)
    some = calibration(images, CALIBRATION_IMAGES) if INT8 in formats else ()
    networks = load_members(run)
    rows, files = [], []
    with tempfile.TemporaryDirectory() as folder:
        for member, network in networks.items():
            paths = _write(network, run.summary["data"], Path(folder, member), formats, some)
            batch_size = run.summary["settings"]["batch_size"]
            measured = measure(paths, network, images, batch_size)
            rows += [_row(run.summary, member, network, each, measured[each]) for each in formats]
            files += [(name, str(paths[name])) for name in formats]
        asked = {"files": files, "data": run.summary["data"], "turns": turns}
        for key, threads in (("one_thread", 1), ("all_threads", len(startup.cores()))):
            for row, timed in zip(rows, times(asked | {"threads": threads}), strict=True):
                row[key] = timed
    contents = {
        "machine": _processor(),
        "cores": len(startup.cores()),
        "versions": versions((*PACKAGES, *RUNTIMES)),
        "rows": rows,
    }
    with replacing(run.path / names.BENCHMARK) as path:
        path.write_text(json.dumps(contents, indent=2) + "\n")
    return contents


def _installed(formats):
    there = []
    for name in formats:
        try:
            FORMATS[name].check()
            there.append(name)
        except ValueError as error:
            print(f"{name} is left out. {error}")
    return there


def _write(network, description, target, formats, some):
    """Writes a network in some formats, and returns their paths."""
    source = Source(network, description, target, some)
    for name in dict.fromkeys([SAVED_MODEL, *formats]):
        FORMATS[name].write(source, path_of(target, name))
    return {name: path_of(target, name) for name in formats}


def _row(summary, member, network, name, measured):
    return {
        "member": member,
        "role": summary["members"][member]["role"],
        "format": name,
        "parameters": models.parameters(network),
        "mflops": models.flops(network) / 1e6,
        **measured,
    }


def times(asked):
    """Returns the times of files, from a process of its own."""
    command = [sys.executable, "-m", "orc_keras.benchmark.timing"]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True)
    if done.returncode:
        why = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise ValueError(f"The files cannot be timed: {why[-1]}.")
    return json.loads(done.stdout)


def _processor():
    """Returns the name of the CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line[:10] == "model name")
    except (OSError, StopIteration):  # not Linux, or another kind of processor
        return platform.processor() or platform.machine()
