"""What the commands answer when there is nothing to do: help, and a sentence for wrong flags."""

import dataclasses

import pytest
from helpers.flags import NEEDED
from helpers.programs import PROGRAM, program, programs

from orc_keras.__main__ import COMMANDS
from orc_keras.settings import Settings, argument_of

RUN = ["train.py", *NEEDED, "--output_dir=runs/never"]
WRONG = {
    "train.py: --pivot: Unknown network 'resnet9'; did you mean resnet": [*RUN, "--pivot=resnet9"],
    "train.py: --students=resnet8, has an empty entry": [*RUN, "--students=resnet8,"],
    "train.py: Unknown command line flag 'epoch'. Did you mean: epochs": [*RUN, "--epoch=3"],
    "train.py: 'digits' is not a flag; see train.py --help": [*RUN, "digits"],
    "train.py: --batch_size must be": [*RUN, "--flagfile", "digits", "--batch_size=0"],
    "train.py: --flagfile=mine/digits.flags is not a file, nor one of ours: cifar10, digits": [
        *(*RUN, "--flagfile=mine/digits.flags")
    ],
    "orc-keras compare: --method is not for a comparison; give --methods.": [
        *(*PROGRAM, "compare", *NEEDED, "--method=kd")
    ],
    "orc-keras predict: --saved_model is missing: Directory of a": [*PROGRAM, "predict", "a.png"],
    "orc-keras predict: name the files of images": [*PROGRAM, "predict", "--saved_model=student"],
    "orc-keras: 'trian' is not a command; possible are train, compare": [*PROGRAM, "trian"],
}


def test_wrong_command_lines_end_in_a_sentence(tmp_path):
    ends = programs(*WRONG.values())
    for message, end in zip(WRONG, ends, strict=True):
        assert end.returncode == 1 and end.stderr.startswith(message), end.stderr
        assert end.stdout == "" and end.stderr.count("\n") == 1


def test_help():
    """The list of commands, and each one's: what it does, an example, its arguments, its flags."""
    listed, *helps = programs(
        [*PROGRAM, "--help"], *([*PROGRAM, command, "--help"] for command in COMMANDS)
    )
    assert listed.returncode == 0
    for command, end in zip(COMMANDS, helps, strict=True):
        assert (end.returncode, end.stderr) == (0, "")
        summary = end.stdout.splitlines()[0]
        assert f"  {command:<14}{summary}\n" in listed.stdout
        assert f"\n    orc-keras {command}" in end.stdout
        assert "ositional arguments" in end.stdout
    train = " ".join(helps[0].stdout.split())
    for field in dataclasses.fields(Settings):
        assert f"--{field.name}:" in train or f"--[no]{field.name}:" in train
        assert argument_of(field.name).help in train
    for symbol in ("(T)", "(beta)", "(alpha)", "(k)", "(m)", "(B)", "(PT)"):
        assert symbol in train


ANSWERS = """
import atexit, sys
atexit.register(lambda: print({"keras", "tensorflow", "numpy"} & {*sys.modules}))
from orc_keras import command_line
command_line.run("NAME", ["--no_such_flag"], "orc-keras NAME")
"""


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_heavy_is_imported_to_say_what_is_wrong(name):
    end = program("-c", ANSWERS.replace("NAME", name))
    assert end.stdout.splitlines()[-1:] == ["set()"] and end.returncode == 1
    assert end.stderr.startswith(f"orc-keras {name}: Unknown command line flag 'no_such_flag'")
    assert end.stderr.count("\n") == 1
