"""Evaluates a trained network: a member of a run, an exported network, or a file.

    orc-keras evaluate --run=runs/digits
    orc-keras evaluate --saved_model=runs/digits/student --dataset=digits
    orc-keras evaluate --network=teacher.keras --dataset=cifar100

--run ends with exit code 1 if the figures are not the recorded ones to the digit; for the student
its directory needs no checkpoints. --saved_model is evaluated as it is deployed, on image files. No
positional arguments.
"""

import json
import os
from pathlib import Path
from typing import Any

from absl import flags

from orc_keras import startup
from orc_keras.command_line import CommandError


def define_flags(flag_values: flags.FlagValues) -> None:
    to: dict[str, Any] = {"flag_values": flag_values}
    flags.DEFINE_string("run", "", "Directory of a finished run.", **to)
    flags.DEFINE_string("member", "", "Name of the member of --run; the student.", **to)
    flags.DEFINE_string("saved_model", "", "Directory of a SavedModel, in place of --run.", **to)
    help = "A network as for --pivot of train, such as a file, in place of --run."
    flags.DEFINE_string("network", "", help, **to)
    help = (
        "Images to evaluate on, as --dataset of train, or folder:<path> with a folder for each "
        "class in it; those that the run held out."
    )
    flags.DEFINE_string("dataset", "", help, **to)
    help = "Folder of TensorFlow Datasets; empty: its usual place."
    flags.DEFINE_string("data_dir", "", help, **to)
    flags.DEFINE_string("json", "", "File to write the figures to, as JSON.", **to)


def main(flag_values: flags.FlagValues, arguments: list[str]) -> None:
    _check(flag_values)
    check_writable(flag_values.json)
    startup.quietly()
    from orc_keras.evaluate import evaluation

    dataset, data_dir = flag_values.dataset, flag_values.data_dir
    if run := flag_values.run:
        result = evaluation.evaluate_member(run, flag_values.member, dataset, data_dir)
    elif network := flag_values.network:
        result = evaluation.evaluate_network(network, dataset, data_dir)
    else:
        result = evaluation.evaluate_saved_model(flag_values.saved_model, dataset, data_dir)
    print(f"{result.description}\n\n{evaluation.table(result.measures)}")
    if flag_values.json:
        text = json.dumps({"evaluated": result.description} | result.measures, indent=2) + "\n"
        Path(flag_values.json).write_text(text, encoding="utf-8")
    if deviations := result.deviations():
        raise CommandError(f"these are not the recorded figures: {'; '.join(deviations)}.")
    if result.recorded:
        print("\nThe figures are the recorded ones, to the digit.")


def _check(flag_values):
    if sum(bool(flag_values[name].value) for name in ("run", "saved_model", "network")) != 1:
        raise ValueError("give one of --run, --saved_model and --network.")
    if not flag_values.run and (flag_values.member or not flag_values.dataset):
        flag = "saved_model" if flag_values.saved_model else "network"
        raise ValueError(f"--{flag} needs --dataset, and no --member.")


def check_writable(path: str) -> None:
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
