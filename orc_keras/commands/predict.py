"""Classifies images by an exported network.

    orc-keras predict --run=runs/birds photo.jpg another.png
    orc-keras predict --model=runs/birds/student_int8.tflite --format=csv photos/ > answers.csv

Positional arguments: files of images; folders, of which files with the names of images are taken,
those in folders below too; or -, to read paths from standard input, one a line. What cannot be read
is named, and the exit code is then 1; the others are answered.
"""

import csv
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from absl import flags

from orc_keras import startup
from orc_keras.formatting import printable, quoted
from orc_keras.run_files import STUDENT

ARGUMENTS = "the files of images"
SHOWN = 5  # classes, in text


def define_flags(flag_values: flags.FlagValues) -> None:
    to: dict[str, Any] = {"flag_values": flag_values}
    flags.DEFINE_string("run", "", "Directory of a finished run, whose student answers.", **to)
    help = "Directory of a SavedModel, or a .keras, .tflite or .onnx file beside it, in place of"
    flags.DEFINE_string("model", "", f"{help} --run.", **to)
    help = "text: the most probable classes; csv or json: the probability of each."
    flags.DEFINE_enum("format", "text", ["text", "csv", "json"], help, **to)


def main(flag_values: flags.FlagValues, arguments: list[str]) -> None:
    if bool(flag_values.run) == bool(flag_values.model):
        raise ValueError("give one of --run and --model.")
    startup.import_tensorflow_quietly()
    from orc_keras.export.exported import ExportedNetwork
    from orc_keras.runs import finished_run

    model = flag_values.model or finished_run(flag_values.run) / STUDENT
    network, failed = ExportedNetwork(model), []

    def refuse(error):
        _say(error)
        failed.append(error)

    def answers():
        for path, answer in network.predict_files(_paths(arguments, refuse)):
            if isinstance(answer, ValueError):
                refuse(answer)
            else:
                yield str(path), dict(zip(network.class_names, answer.tolist()))

    WRITERS[flag_values.format](answers(), network.class_names)
    sys.exit(int(bool(failed)))


def _say(sentence: Any) -> None:
    print(f"orc-keras predict: {printable(sentence)}", file=sys.stderr)


def _paths(arguments: Iterable[str], refuse: Callable[[ValueError], Any]) -> Iterator[str | Path]:
    from orc_keras.data import folder

    for argument in arguments:
        if argument == "-":
            yield from filter(None, (line.rstrip("\n") for line in sys.stdin))
        elif os.path.isdir(argument):  # `Path` raises errors for some names
            refused: list[ValueError] = []
            images, others = folder.images_below(Path(argument), refused.append)
            if others:
                suffixes = ", ".join(sorted({path.suffix or path.name for path in others}))
                _say(f"{argument}: files passed over: {len(others)} ({suffixes}).")
            if not (images or refused):
                refused = [ValueError(f"{argument} has no image.")]
            for error in refused:
                refuse(error)
            yield from images
        else:
            yield argument


def _write_text(answers, class_names):
    for path, probabilities in answers:
        best = sorted(probabilities, key=lambda name: -probabilities[name])[:SHOWN]
        print("\n".join([quoted(path), *(f"{probabilities[name]:7.1%}  {name}" for name in best)]))


def _write_csv(answers, class_names):
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["file", "class", *class_names])
    for path, probabilities in answers:
        best = max(probabilities, key=lambda name: probabilities[name])
        writer.writerow([path, best, *probabilities.values()])


def _write_json(answers, class_names):
    print(json.dumps([_answer(path, each) for path, each in answers], indent=2))


def _answer(path, probabilities):
    best = max(probabilities, key=lambda name: probabilities[name])
    return {"file": path, "class": best, "probabilities": probabilities}


WRITERS = {"text": _write_text, "csv": _write_csv, "json": _write_json}
