"""The files of a run that nobody made: logits are random."""

import json

import numpy as np

from helpers.summaries import MEMBER, SUMMARY
from orc_keras.runs.predictions import Evaluation, Predictions, write

CLASSES = ["one", "two & <b>more</b>", "$3$", "vier"]
MEMBERS = ("large", "small", "small_2")
EPOCHS, STEPS = 6, 10
IMAGES = {"image_shape": [8, 8, 3], "mean": [0.5] * 3, "std": [0.5] * 3}


def make_run(path, accuracy=0.6, classes=CLASSES, seed=0, finished=True):
    """The files that a run of 6 epochs of 10 mini-batches leaves; logits are random."""
    rng = np.random.default_rng(seed)
    path.mkdir()
    flags = {"dataset": "made:up", "pivot": "large", "students": "small,small", "batch_size": 8}
    flags |= {"epochs": EPOCHS, "seed": 0}
    (path / "settings.flags").write_text("".join(f"--{k}={v}\n" for k, v in flags.items()))
    numbers = {"class_names": classes, "train_images": 85, "held_out_images": 80}
    data = SUMMARY["data"] | IMAGES | numbers
    (path / "data.json").write_text(json.dumps(data))
    columns = {"epoch": range(EPOCHS), "learning_rate": [0.1] * 4 + [0.01] * 2}
    for name in MEMBERS:
        for quantity in ("loss", "accuracy", "taught"):
            columns[f"{name}_{quantity}"] = rng.uniform(0.2, 1, EPOCHS)
            columns[f"val_{name}_{quantity}"] = rng.uniform(0.2, 1, EPOCHS)
    for name in ("confidence_gap", "intensive_teaching", "private_teaching", "group_teaching"):
        columns[name] = rng.uniform(0.2, 1, EPOCHS)
    rows = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values()))]
    (path / "history.csv").write_text("\n".join(rows) + "\n")
    np.save(path / "roles.npy", rng.integers(0, 2, (EPOCHS * STEPS, 1)).astype(np.uint8))
    if not finished:
        return path
    labels = np.arange(80) % len(classes)
    predictions = {}
    for name in MEMBERS:
        logits = rng.normal(size=(80, len(classes)))
        logits[np.arange(80), labels] += np.where(rng.uniform(size=80) < accuracy, 9, -9)
        predictions[name] = Predictions.from_logits(logits, labels)
    shown = [i for *_, wrong in predictions["small_2"].confusions() for i in wrong[:6].tolist()]
    examples = {i: rng.integers(0, 256, (8, 8, 3)).astype(np.uint8) for i in shown}
    write(Evaluation(predictions, examples), path / "evaluation.npz")
    members = {
        name: MEMBER
        | {"network": name, "role": role, "parameters": 1234, "taught": taught}
        | predictions[name].summary_metrics()
        for name, role, taught in zip(
            MEMBERS, ("pivot", "immature teacher", "student"), (None, 0.5, 0.5)
        )
    }
    settings = SUMMARY["settings"] | {"dataset": "made:up", "batch_size": 8, "epochs": EPOCHS}
    summary = SUMMARY | {"settings": settings, "members": members, "data": data}
    summary |= {"description": "chance", "versions": {"numpy": "2"}}
    (path / "summary.json").write_text(json.dumps(summary))
    return path


def made_up_benchmark():
    """What two members cost in two formats."""
    rows = []
    for member, role, name, size, accuracy, milliseconds in (
        ("large", "pivot", "tflite", 2000, 0.9, 3.0),
        ("large", "pivot", "onnx", 2100, 0.9, 4.0),
        ("small", "student", "tflite", 500, 0.885, 2.0),
        ("small", "student", "onnx", 600, 0.88, 1.0),
    ):
        times = {"median": milliseconds, "p95": 2 * milliseconds, "images_per_second": 2000.0}
        row = {"member": member, "role": role, "format": name, "parameters": 99, "mflops": 1.5}
        row |= {"bytes": size, "accuracy": accuracy, "agreement": 1.0, "images": 80}
        rows.append(row | {"one_thread": times})
    return {"machine": "a <b>processor</b>", "cores": 2, "versions": {}, "rows": rows}
