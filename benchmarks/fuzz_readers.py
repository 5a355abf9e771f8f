"""The readers of `fuzz.py`: what writes a right file, what reads it, and which result is right."""

import contextlib
import hashlib
import json
import operator
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import common  # noqa: F401 (first: it keeps TensorFlow's import quiet)
import numpy as np
from absl import flags
from helpers import folders
from helpers.made_up_run import made_up_benchmark, make_run
from helpers.networks import NUM_CLASSES, hidden_network
from prepare_data import write_idx

from orc_keras import building, command_line, data, networks, run_files, settings
from orc_keras.commands import train
from orc_keras.compare import results
from orc_keras.import_torch import convert
from orc_keras.runs import summary
from orc_keras.runs.directory import RunDirectory, finished_run
from orc_keras.runs.predictions import Predictions
from orc_keras.training.checkpoints import CheckpointManager

SUMS = run_files.SUMS


def is_equal(result, right):
    """Accepts the result of the undamaged file only; AssertionError says where it differs."""
    np.testing.assert_equal(result, right)
    return True


def is_well_formed(result, right):
    """Accepts every result: nothing tells a possible value from the one that was there."""
    return True


class Reader(NamedTuple):
    write: Callable[[Path], Any]  # writes the right files into an empty folder
    file: str | tuple[str, ...]  # the one to damage; or several, of which one is drawn
    read: Callable[[Path], Any]  # returns what is in the folder, as dicts, lists and arrays
    form: str = ""  # of the file's contents, for damages of its values
    accepts: Callable[[Any, Any], bool] = is_equal  # whether a result is right
    culprit: str | None = None  # named in place of the file; "": a flag, or an entry of the file


def write_run(folder):
    make_run(folder / "run")
    (folder / "run" / run_files.BENCHMARK).write_text(json.dumps(made_up_benchmark()))
    (folder / "run" / run_files.SOURCES).write_text(json.dumps({"a.keras": 64 * "0"}))
    sign(folder / "run")


def sign(run):
    """Writes the checksums of a run anew."""
    paths = [path for path in sorted(run.iterdir()) if path.is_file() and path.name != SUMS]
    digests = [(hashlib.sha256(path.read_bytes()).hexdigest(), path.name) for path in paths]
    (run / SUMS).write_text("".join(f"{digest}  {name}\n" for digest, name in digests))


def write_unfinished(folder):
    write_run(folder)
    for name in (run_files.SUMMARY, SUMS):
        (folder / "run" / name).unlink()


def read_run(folder):
    run = finished_run(folder / "run")
    return {part: read(run) for part, read in PARTS.items()}


def run_part(part, form, accepts=is_well_formed, write=write_unfinished):
    """Returns the reader of a part of a run, whose checksums do not tell the damage."""

    def read(folder):
        if (folder / "run" / SUMS).exists():
            with contextlib.suppress(OSError):
                sign(folder / "run")
        return PARTS[part](RunDirectory(folder / "run"))

    return Reader(write, file_of(part), read, form, accepts)


def file_of(part):
    return f"run/{getattr(run_files, part.upper())}"


ATTRIBUTES = ("settings", "data", "sources", "roles", "benchmark")
PARTS = {
    **{name: operator.attrgetter(name) for name in ATTRIBUTES},
    "summary": lambda run: [run.summary, summary.table(run.summary)],
    "history": lambda run: run.history(),
    "evaluation": lambda run: [
        {name: vars(each) for name, each in run.evaluation.predictions.items()},
        run.evaluation.examples,
    ],
}


def are_predictions(result, right):
    """Accepts predictions of which all figures can be computed."""
    return all(Predictions(**fields).metrics(list("abcd")) for fields in result[0].values())


def write_checkpoints(folder):
    for epoch in (1, 2):
        values = {"weights": np.arange(100.0) + epoch}
        CheckpointManager(folder, "group", run="fuzz").write(epoch, 0, values)


def read_checkpoints(folder):
    epoch, _, values = CheckpointManager(folder, "group", run="fuzz").read()
    return epoch, values["weights"]


def is_one_of_them(result, right):
    """Accepts the checkpoint before."""
    return is_equal(result[1], np.arange(100.0) + result[0]) and result[0] in (1, 2)


def write_runs_csv(folder):
    row = results.MemberResult("orc", 0, "resnet8", "student", 99, 0.5, np.nan, 2.5)
    results.write([row, row._replace(seed=1)], folder / "runs.csv")


def write_flagfile(folder):
    lines = ("# a group", "--dataset=digits", "--pivot=resnet20", "--students=resnet14,resnet8")
    (folder / "my.flags").write_text("\n".join((*lines, "--epochs=9", "")))


def read_flagfile(folder):
    values = flags.FlagValues()
    train.define_flags(values)
    command_line.parse(train, values, [f"--flagfile={folder / 'my.flags'}"], "train.py")
    return settings.from_flags(values)


def write_keras(folder):
    hidden_network("teacher", 3).save(folder / "teacher.keras")


def read_network(folder):
    return answers(networks.build(str(folder / "teacher.keras"), (4, 4, 1), NUM_CLASSES))


def read_weights(folder):
    pivot = hidden_network("teacher", 3, seed=1)
    building.load_pivot(pivot, str(folder / "teacher.keras"))
    return answers(pivot)


def answers(network):
    images = np.linspace(-1, 1, 32, dtype=np.float32).reshape(2, 4, 4, 1)
    return [np.asarray(network(images))]


def write_torch(folder):
    import torch
    from helpers import torch_networks

    torch.manual_seed(0)
    torch.save(torch_networks.build("resnet8", NUM_CLASSES).state_dict(), folder / "resnet8.pth")


def read_torch(folder):
    network = convert(str(folder / "resnet8.pth"), "resnet8", NUM_CLASSES)
    return [np.asarray(weight) for weight in network.weights]


def has_same_shapes(result, right):
    """Accepts other numbers, where a file has no checksum of its own."""
    return [each.shape for each in result] == [each.shape for each in right]


def write_images(suffix, folder):
    for split in ("train", "val"):
        for name in ("cat", "dog"):
            (folder / split / name).mkdir(parents=True)
            for seed in range(2):
                folders.photo(seed).save(folder / split / name / f"{seed}{suffix}")


def write_idx_files(suffix, folder):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 4, 4)).astype(np.uint8)
    for split in ("train", "t10k"):
        write_idx(folder / f"{split}-images-idx3-ubyte{suffix}", pixels)
        write_idx(folder / f"{split}-labels-idx1-ubyte{suffix}", np.arange(20, dtype="u1") % 5)


def read_images(kind, folder):
    """Returns all images of a dataset, as `train.py` loads them."""
    images = data.load(f"{kind}:{folder}")
    splits = (images.train, images.held_out)
    return [np.asarray(x) for split in splits for x in (split.pixels, split.labels)]


write_pngs, write_jpegs = partial(write_images, ".png"), partial(write_images, ".jpg")
write_plain, write_gzip = partial(write_idx_files, ""), partial(write_idx_files, ".gz")
read_folder, read_idx = partial(read_images, "folder"), partial(read_images, "idx")


def lacks_the_first(result, right):
    """Accepts all images, or all but the first, whose file is not there."""
    first = 4 - len(result[0])
    return is_equal(result, [x[first:] for x in right[:2]] + right[2:])


def has_other_pixels(result, right):
    """Accepts other pixels of the first image, whose file has no checksum of its own; or none."""
    rest = [[x[-3:] for x in images[:2]] + images[2:] for images in (result, right)]
    return is_equal(*rest) and result[0].shape[1:] == right[0].shape[1:]


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
READERS = {
    "flagfile": Reader(write_flagfile, "my.flags", read_flagfile, "text", is_well_formed, ""),
    "settings": run_part("settings", "text"),
    "summary": run_part("summary", "json", write=write_run),
    "data": run_part("data", "json"),
    "sources": run_part("sources", "json"),
    "benchmark": run_part("benchmark", "json"),
    "history": run_part("history", "text"),
    "roles": run_part("roles", "npy", lambda roles, _: set(roles.flat) <= {0, 1, 255}),
    "evaluation": run_part("evaluation", "npz", are_predictions),
    "finished_run": Reader(
        write_run, tuple(file_of(part) for part in PARTS if part != "benchmark"), read_run
    ),
    "checksums": Reader(write_run, f"run/{SUMS}", read_run, "text"),
    "checkpoint": Reader(
        write_checkpoints, "group-000002-00000000.npz", read_checkpoints, "", is_one_of_them
    ),
    "runs_csv": Reader(
        write_runs_csv, "runs.csv", lambda f: results.read(f / "runs.csv"), "text", is_well_formed
    ),
    "network": Reader(write_keras, "teacher.keras", read_network, "keras", has_same_shapes),
    "weights": Reader(write_keras, "teacher.keras", read_weights, "keras", has_same_shapes),
    "pytorch": Reader(write_torch, "resnet8.pth", read_torch, "torch", has_same_shapes, ""),
    "png": Reader(write_pngs, "train/cat/0.png", read_folder, "png", lacks_the_first),
    "jpeg": Reader(write_jpegs, "train/cat/0.jpg", read_folder, "", has_other_pixels),
    "idx": Reader(write_plain, IMAGES, read_idx, "idx", has_same_shapes),
    "idx_labels": Reader(write_plain, LABELS, read_idx, "idx", has_same_shapes),
    "idx_gzip": Reader(write_gzip, f"{IMAGES}.gz", read_idx),
}
NO_FIFO = ("runs_csv",)  # a file that a user names, as <(program)
