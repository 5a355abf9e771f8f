"""The readers of `fuzz.py`: of which files, what reads them, and which result is right.

Where a file has no checksum, a damage may leave another possible file, which is not to be told from
the right one. What must not be accepted in any case, the function in `accepts` says.
"""

import operator
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import common  # noqa: F401 (first: it keeps TensorFlow's import quiet)
import fuzz_files as files
import fuzz_photos as photos
import numpy as np
import tensorflow as tf
from absl import flags
from fuzz_damages import PLACES
from fuzz_files import within
from helpers.made_up_run import CLASSES
from helpers.networks import IMAGE_SHAPE, NUM_CLASSES, hidden_network

from orc_keras import building, checksums, command_line, data, networks, settings
from orc_keras.commands import train
from orc_keras.compare import results
from orc_keras.evaluate.members import load_group_members, load_member
from orc_keras.export.exported import ExportedNetwork
from orc_keras.import_torch import convert
from orc_keras.runs import summary
from orc_keras.runs.directory import RunDirectory, finished_run
from orc_keras.runs.predictions import Predictions
from orc_keras.training.checkpoints import CheckpointManager

RAW = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)


def is_equal(result, right):
    """Accepts the result of the undamaged files only; AssertionError says where it differs."""
    np.testing.assert_equal(result, right)
    return True


def is_any(result, right):
    """Accepts every result."""
    return True


def has_same_shapes(result, right):
    """Accepts other numbers, but no other shapes."""
    return [np.shape(each) for each in result] == [np.shape(each) for each in right]


class Reader(NamedTuple):
    write: Callable[[Path, int], Any]  # a function of `fuzz_files`
    files: Mapping[str, str]  # those to damage, and the form of their contents
    read: Callable[[Path], Any]  # returns what is in the folder, as dicts, lists and arrays
    accepts: Callable[[Any, Any], bool] = is_equal  # whether a result is right
    culprit: str | None = None  # named in place of the file; "": a flag, or an entry of the file
    without: tuple[str, ...] = ()  # damages that are none here
    share: float = 1  # of the number of cases; less if they take long


PARTS = {
    **{n: operator.attrgetter(n) for n in ("settings", "data", "sources", "accuracy_before")},
    **{n: operator.attrgetter(n) for n in ("roles", "benchmark")},
    "history": lambda run: [run.history(), run.history("pivot")],
    "predictions": lambda run: {n: vars(p) for n, p in run.evaluation.predictions.items()},
    "examples": lambda run: run.evaluation.examples,
}


def read_parts(folder):
    return {part: read(RunDirectory(folder / "run")) for part, read in PARTS.items()}


def read_finished(folder):
    run = finished_run(folder / "run")
    checksums.check(run.path)
    return read_parts(folder) | {"summary": run.summary}


def read_strange(folder):
    """Returns what a run whose checksums are right shows, and what its student answers."""
    files.sign(folder / "run")
    run = finished_run(folder / "run")
    student = load_member(run, list(run.summary["members"])[-1])
    return [summary.table(run.summary), read_parts(folder), answers(student)]


def are_possible_parts(result, right):
    """Accepts roles that there are, and predictions of which all figures can be computed."""
    roles_are_known = set(result["roles"].flat) <= {0, 1, 255}
    predictions = [Predictions(**fields) for fields in result["predictions"].values()]
    return roles_are_known and all(each.metrics(CLASSES) for each in predictions)


def read_checkpoints(folder):
    epoch, _, values = CheckpointManager(folder, "group", run="fuzz 0").read()
    return epoch, values["weights"]


def is_one_of_them(result, right):
    """Accepts the checkpoint before."""
    return is_equal(result[1], np.arange(100.0) + result[0]) and result[0] in (1, 2)


def read_flagfile(folder):
    values = flags.FlagValues()
    train.define_flags(values)
    command_line.parse(train, values, ["--flagfile=my.flags"], "train.py")
    texts = "\n".join(path.read_text("utf-8-sig") for path in folder.glob("*.flags"))
    return settings.from_flags(values), texts.splitlines()


def are_flags_of_it(result, right):
    """Accepts settings that stand in the files, each as a whole line."""
    texts = {name: result[0].as_texts()[name] for name in result[0].changed()}
    # A list may end with a comma, and have quotes.
    lines = {line.strip().rstrip(",").replace('"', "") for line in result[1]}
    assert {f"--{name}={text}" for name, text in texts.items()} <= lines, (texts, lines)
    return True


def answers(network):
    shape = (2, *network.input_shape[1:])
    return np.asarray(network(np.linspace(-1, 1, np.prod(shape), dtype="f").reshape(shape)))


def read_network(folder):
    path = str(folder / "teacher.keras")
    builds = [networks.build(path, IMAGE_SHAPE, NUM_CLASSES)]
    builds += [networks.build(f"features:{path}", IMAGE_SHAPE, 2)]
    return [*map(answers, builds), networks.image_size(path)]


def read_weights(folder):
    pivot, found = hidden_network("teacher", 3, seed=1), []
    for name in files.WEIGHTS:
        building.load_pivot(pivot, str(folder / name))
        found.append(answers(pivot))
    return found


def read_group(folder):
    return list(map(answers, load_group_members(folder / "group.keras").values()))


def read_torch(folder):
    return convert(str(folder / "resnet8.pth"), "resnet8", NUM_CLASSES).get_weights()


def read_idx(folder):
    return arrays_of(data.load(f"idx:{folder}"))


def arrays_of(images):
    splits = (images.train, images.held_out)
    return [np.asarray(x) for split in splits for x in (split.pixels, split.labels)]


def read_records(folder):
    """Returns what is in memory, and the encoded images and labels that are read one by one."""
    images = data.load("tfds:equal_animals", str(folder))
    split = data.load("tfds:equal_animals", str(folder), memory_gb=0).train
    records = [split.read(tf.constant(i, tf.int64)) for i in range(len(split))]
    return [arrays_of(images), [[x.numpy() for x in record] for record in records]]


def answers_of(network):
    """Returns the probabilities by class of an exported network."""
    assert network.preprocessing.image_shape == RAW.shape[1:]
    rows = np.asarray(network.predict(RAW)["probabilities"])
    return [dict(zip(network.class_names, row, strict=True)) for row in rows]


def read_student(folder):
    return [answers_of(ExportedNetwork(folder / "student"))]


def read_exported(folder):
    """Returns what a student whose checksums are right answers in each format."""
    files.sign(folder / "student")
    return [answers_of(ExportedNetwork(folder / name)) for name in files.FORMATS]


READERS = {
    "flagfile": Reader(
        *(files.flagfiles, files.FLAGFILES, read_flagfile, are_flags_of_it, ""),
        without=("code",),  # what a flagfile names is the user's own
    ),
    "run": Reader(files.unfinished_run, within("run", files.PARTS), read_parts, are_possible_parts),
    "finished_run": Reader(files.run, within("run", files.SIGNED), read_finished),
    "strange_run": Reader(files.run, within("run", files.STRANGE), read_strange, is_any),
    "checkpoint": Reader(files.checkpoints, files.CHECKPOINT, read_checkpoints, is_one_of_them),
    "runs_csv": Reader(
        *(files.runs_csv, files.RUNS_CSV, lambda f: results.read(f / "runs.csv"), is_any),
        without=("fifo",),  # a user may name it as <(program)
    ),
    "network": Reader(files.teacher, files.TEACHER, read_network, has_same_shapes),
    "weights": Reader(files.teacher, files.WEIGHTS, read_weights, has_same_shapes),
    "group": Reader(files.group, files.GROUP, read_group, has_same_shapes),
    "pytorch": Reader(files.torch_checkpoint, files.TORCH, read_torch, has_same_shapes, ""),
    "images": Reader(
        *(files.folder_of_photos, within("train/cat", files.PHOTOS)),
        *(photos.read_images, photos.are_as_pillow_shows),
    ),
    "idx": Reader(files.idx, files.IDX, read_idx, has_same_shapes),
    "idx_gzip": Reader(files.idx_gzip, files.GZIP, read_idx, without=("foreign", "twice")),
    "records": Reader(
        *(files.records, within("equal_animals/1.0.0", files.RECORDS), read_records),
        *(is_equal, "equal_animals", ("foreign", "fifo"), 0.2),
    ),
    "student": Reader(files.student, within("student", files.SAVED_MODEL), read_student),
    "exported": Reader(files.student, files.EXPORTED, read_exported, is_any),
    "photos": Reader(files.student, files.PHOTOS, photos.read_photos, photos.all_agree),
    "server": Reader(
        *(files.student, files.PHOTOS, photos.read_server, photos.are_classes_of_it),
        without=PLACES,
    ),
}
