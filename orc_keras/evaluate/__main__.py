"""Evaluates a network: python -m orc_keras.evaluate --run=runs/digits

`--member` selects another member than the student; `--saved_model`, in place of `--run`, evaluates
an exported network as it is deployed, on image files.
"""

import json
import os
import sys
from pathlib import Path

from absl import flags

from orc_keras import startup

startup.quietly()

from orc_keras import command_line
from orc_keras.evaluate.one_network import evaluate_member, evaluate_saved_model, table


def _evaluate(run, member, saved_model, dataset, data_dir):
    if bool(run) == bool(saved_model):
        raise ValueError("Give either --run or --saved_model.")
    if run:
        return evaluate_member(run, member, dataset, data_dir)
    if member or not dataset:
        raise ValueError("--saved_model needs --dataset, and no --member.")
    return evaluate_saved_model(saved_model, dataset, data_dir)


def check_writable(path):
    """Refuses a file that cannot be written, before the long work."""
    if not path:
        return
    is_new = not os.path.exists(path)
    try:
        open(path, "a").close()
        if is_new:
            os.remove(path)
    except OSError as error:
        raise ValueError(f"--json={path} cannot be written: {error.strerror}.") from error


def main(argv):
    if len(argv) > 1:
        sys.exit(f"orc_keras.evaluate: {argv[1]!r} is not a flag.")
    names = ("run", "member", "saved_model", "dataset", "data_dir")
    try:
        check_writable(flags.FLAGS.json)
        what, measures = _evaluate(*(flags.FLAGS[name].value for name in names))
        print(f"{what}\n\n{table(measures)}")
        if flags.FLAGS.json:
            text = json.dumps({"evaluated": what} | measures, indent=2)
            Path(flags.FLAGS.json).write_text(text + "\n")
    except (ValueError, OSError) as error:
        sys.exit(f"orc_keras.evaluate: {error}")


if __name__ == "__main__":
    flags.DEFINE_string("run", "", "Directory of a finished run.")
    flags.DEFINE_string("member", "", "Name of the member, as in the run's table; the student.")
    flags.DEFINE_string("saved_model", "", "Directory of a SavedModel, in place of --run.")
    flags.DEFINE_string(
        "dataset",
        "",
        "Images to evaluate on, as --dataset of train.py, or folder:<path> with a folder for each "
        "class in it; those that the run held out.",
    )
    flags.DEFINE_string("data_dir", "", "Folder of TensorFlow Datasets; empty: its usual place.")
    flags.DEFINE_string("json", "", "File to write the figures to, as JSON.")
    command_line.start(main, "orc_keras.evaluate")
