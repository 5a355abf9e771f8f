"""Evaluates a network: python -m orc_keras.evaluate --run=runs/digits

`--member` selects another member than the student; `--saved_model`, in place of `--run`, evaluates
an exported network as it is deployed, on image files; `--network`, a file such as teacher.keras.
"""

import json
import os
import sys
from pathlib import Path

from absl import flags

from orc_keras import command_line, startup

NAME = command_line.name_of("orc_keras.evaluate")


def _check(run, member, saved_model, network, dataset):
    if sum(map(bool, (run, saved_model, network))) != 1:
        raise ValueError("Give one of --run, --saved_model and --network.")
    if not run and (member or not dataset):
        flag = "saved_model" if saved_model else "network"
        raise ValueError(f"--{flag} needs --dataset, and no --member.")


def _evaluate(run, member, saved_model, network, dataset, data_dir):
    startup.quietly()
    from orc_keras.evaluate import one_network

    if run:
        what, measures = one_network.evaluate_member(run, member, dataset, data_dir)
    elif network:
        what, measures = one_network.evaluate_network(network, dataset, data_dir)
    else:
        what, measures = one_network.evaluate_saved_model(saved_model, dataset, data_dir)
    print(f"{what}\n\n{one_network.table(measures)}")
    return {"evaluated": what} | measures


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
        sys.exit(f"{NAME}: {argv[1]!r} is not a flag.")
    names = ("run", "member", "saved_model", "network", "dataset")
    given = [flags.FLAGS[name].value for name in names]
    try:
        _check(*given)
        check_writable(flags.FLAGS.json)
        evaluated = _evaluate(*given, flags.FLAGS.data_dir)
        if flags.FLAGS.json:
            Path(flags.FLAGS.json).write_text(json.dumps(evaluated, indent=2) + "\n")
    except (ValueError, OSError) as error:
        sys.exit(f"{NAME}: {error}")


def program():
    """Runs the program, as the command `orc-evaluate` does."""
    flags.DEFINE_string("run", "", "Directory of a finished run.")
    flags.DEFINE_string("member", "", "Name of the member, as in the run's table; the student.")
    flags.DEFINE_string("saved_model", "", "Directory of a SavedModel, in place of --run.")
    flags.DEFINE_string(
        "network", "", "A network as for --pivot of train.py, such as a file, in place of --run."
    )
    flags.DEFINE_string(
        "dataset",
        "",
        "Images to evaluate on, as --dataset of train.py, or folder:<path> with a folder for each "
        "class in it; those that the run held out.",
    )
    flags.DEFINE_string("data_dir", "", "Folder of TensorFlow Datasets; empty: its usual place.")
    flags.DEFINE_string("json", "", "File to write the figures to, as JSON.")
    command_line.start(main, NAME)


if __name__ == "__main__":
    program()
