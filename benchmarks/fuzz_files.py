"""The right files of `fuzz.py`: each function writes some into an empty folder, by number others.

The dicts name those to damage, and the form of their contents.
"""

import json
from functools import partial

import numpy as np
import tensorflow_datasets as tfds
from helpers import animals, folders, torch_networks
from helpers.made_up_run import CLASSES, made_up_benchmark, make_run
from helpers.networks import NUM_CLASSES, hidden_network
from prepare_data import write_idx

from orc_keras import OnlineRoleChange, checksums, run_files
from orc_keras.compare import results
from orc_keras.export import formats
from orc_keras.run_files import STUDENT, SUMMARY, SUMS
from orc_keras.training.checkpoints import CheckpointManager

KERAS = f"{STUDENT}.keras"
PARTS = dict.fromkeys((run_files.DATA, run_files.SOURCES, run_files.PIVOT_BEFORE), "json")
PARTS |= dict.fromkeys((run_files.HISTORY, "pivot_history.csv"), "text")
PARTS |= {run_files.SETTINGS: "flags", run_files.ROLES: "npy", run_files.EVALUATION: "npz"}
PARTS |= {run_files.BENCHMARK: "json"}
STRANGE = PARTS | {SUMMARY: "json", KERAS: "keras"}
SIGNED = STRANGE | {SUMS: "text"}
FLAGFILES = {"my.flags": "flags", "base.flags": "flags"}
CHECKPOINT = {"group-000002-00000000.npz": "npz"}
RUNS_CSV = {"runs.csv": "text"}
TEACHER = {"teacher.keras": "keras"}
WEIGHTS = TEACHER | {"teacher.weights.h5": "hdf5"}
GROUP = {"group.keras": "keras"}
TORCH = {"resnet8.pth": "torch"}
SUFFIXES = {".png": "png", ".jpg": "image", ".bmp": "bmp", ".webp": "image"}
PHOTOS = {f"{place}{suffix}": form for place, (suffix, form) in enumerate(SUFFIXES.items())}
IDX = {f"train-{kind}-ubyte": kind[-4:] for kind in ("images-idx3", "labels-idx1")}
GZIP = {f"{name}.gz": "" for name in IDX}
RECORDS = dict.fromkeys(("dataset_info.json", "features.json"), "json")
RECORDS |= {"label.labels.txt": "text", "equal_animals-train.tfrecord-00000-of-00001": ""}
BESIDE = {"preprocessing.json": "json", "class_names.txt": "text"}
SAVED_MODEL = BESIDE | {SUMS: "text", "variables/variables.data-00000-of-00001": ""}
SAVED_MODEL |= dict.fromkeys(("saved_model.pb", "photo.py", "variables/variables.index"), "")


def within(folder, names):
    """Returns the names of files in a folder, with their forms."""
    return {f"{folder}/{name}": form for name, form in names.items()}


FORMATS = (STUDENT, KERAS, f"{STUDENT}.tflite", f"{STUDENT}.onnx")
EXPORTED = {KERAS: "keras", f"{STUDENT}.tflite": "", f"{STUDENT}.onnx": ""}
EXPORTED |= within(STUDENT, BESIDE | {"saved_model.pb": ""})


def run(folder, number):
    directory = make_run(folder / "run", seed=number)
    contents = {
        run_files.BENCHMARK: made_up_benchmark(),
        run_files.SOURCES: {"a.keras": 64 * str(number)},
        run_files.PIVOT_BEFORE: {"accuracy": 0.5 + number / 10},
    }
    for name, content in contents.items():
        (directory / name).write_text(json.dumps(content))
    (directory / "pivot_history.csv").write_text(f"epoch,loss\n0,1.{number}\n")
    hidden_network("small_2", 3, number, (8, 8, 3), len(CLASSES)).save(directory / KERAS)
    sign(directory)


def unfinished_run(folder, number):
    run(folder, number)
    for name in (SUMMARY, SUMS):
        (folder / "run" / name).unlink()


def sign(folder):
    """Writes the checksums of a folder anew, as a stranger can."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != SUMS]
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    (folder / SUMS).write_text(checksums.text(names))


def checkpoints(folder, number):
    for epoch in (1, 2):
        values = {"weights": np.arange(100.0) + epoch}
        CheckpointManager(folder, "group", run=f"fuzz {number}").write(epoch, 0, values)


def runs_csv(folder, number):
    row = results.MemberResult("orc", number, "resnet8", "student", 99, 0.5, np.nan, 2.5)
    results.write([row, row._replace(seed=2)], folder / "runs.csv")


def flagfiles(folder, number):
    lines = ("# a group", "--dataset=digits", "--flagfile=base.flags", f"--epochs={9 + number}")
    (folder / "my.flags").write_text("\n".join((*lines, "")))
    (folder / "base.flags").write_text("--pivot=resnet20\n--students=resnet14,resnet8\n")


def teacher(folder, number):
    network = hidden_network("teacher", 3 + number, seed=number)
    network.save(folder / "teacher.keras")
    network.save_weights(folder / "teacher.weights.h5")


def group(folder, number):
    members = [hidden_network(name, 3, seed=number) for name in ("pivot", "large", "small")]
    OnlineRoleChange(members[0], members[1:]).save(folder / "group.keras")


def torch_checkpoint(folder, number):
    import torch

    torch.manual_seed(number)
    torch.save(torch_networks.build("resnet8", NUM_CLASSES).state_dict(), folder / "resnet8.pth")


def photos(folder, number):
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(PHOTOS):
        folders.photo(seed + 10 * number).save(folder / name)


def folder_of_photos(folder, number):
    for place, split in enumerate(("train/cat", "train/dog", "val/cat", "val/dog")):
        photos(folder / split, 2 * place + number)


def idx_files(suffix, folder, number):
    pixels = np.random.default_rng(number).integers(0, 256, (20, 4, 4)).astype(np.uint8)
    for split in ("train", "t10k"):
        write_idx(folder / f"{split}-images-idx3-ubyte{suffix}", pixels)
        labels = np.arange(20, dtype="u1") % (5 + number)
        write_idx(folder / f"{split}-labels-idx1-ubyte{suffix}", labels)


idx, idx_gzip = partial(idx_files, ""), partial(idx_files, ".gz")


def records(folder, number):
    tfds.disable_progress_bar()
    animals.prepare(folder, shards=1, cls=animals.EqualAnimals)


def student(folder, number):
    """Writes a student in all formats that are read, of other classes by number; and photos."""
    network = hidden_network("student", 3, number, (8, 8, 3), 3 + number)
    data = {"image_shape": (8, 8, 3), "class_names": CLASSES[: 3 + number], "resized": False}
    data |= {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]}
    source = formats.Source(network, data, folder / STUDENT)
    for name in ("saved_model", "keras", "tflite", "onnx"):
        formats.FORMATS[name].write(source, formats.path_of(source.saved_model, name))
    photos(folder, number)
