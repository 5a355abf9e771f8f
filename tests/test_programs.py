"""What the programs answer when there is nothing to do: help, and a sentence for wrong flags."""

import dataclasses

import pytest
from helpers.flags import NEEDED
from helpers.programs import program, programs

from orc_keras.settings import Settings, argument_of

COMPARE = ["-m", "orc_keras.compare"]
PROGRAMS = ("train", "compare", "evaluate", "export", "networks", "predict", "report", "verify")
WRONG = {
    "train.py: --pivot: Unknown network 'resnet9'; did you mean resnet": ["--pivot=resnet9"],
    "train.py: --students=resnet8, has an empty entry": ["--students=resnet8,"],
    "train.py: Unknown command line flag 'epoch'. Did you mean: epochs": ["--epoch=3"],
    "train.py: 'digits' is not a flag": ["digits"],
    "train.py: --batch_size must be": ["--flagfile", "digits", "--batch_size=0"],
    "train.py: --flagfile=mine/digits.flags is not a file, nor one of ours: cifar10, digits": [
        "--flagfile=mine/digits.flags"
    ],
}


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    """The place where they should write nothing, and how each of them ended."""
    place = tmp_path_factory.mktemp("programs") / "run"
    flags = ["train.py", *NEEDED, f"--output_dir={place}"]
    wrong = [[*flags, *arguments] for arguments in WRONG.values()]
    compare = [*COMPARE, "--method=kd", "--dataset=digits"]
    return place, programs(["train.py", "--help"], compare, *wrong)


def test_help_explains_every_flag(ends):
    text = " ".join(ends[1][0].stdout.split())
    for field in dataclasses.fields(Settings):
        assert f"--{field.name}:" in text or f"--[no]{field.name}:" in text
        assert argument_of(field.name).help in text
    for symbol in ("(T)", "(beta)", "(alpha)", "(k)", "(m)", "(B)", "(PT)"):
        assert symbol in text


def test_wrong_flags_end_in_a_sentence(ends):
    place, (_, compare, *wrong) = ends
    for message, end in zip(WRONG, wrong, strict=True):
        assert end.returncode == 1 and end.stderr.startswith(message), end.stderr
        assert end.stdout == "" and end.stderr.count("\n") == 1
    assert compare.returncode == 1
    assert compare.stderr == "compare: --method is not for a comparison; give --methods.\n"
    assert not place.exists()


ANSWERS = """
import atexit, runpy, sys
atexit.register(lambda: print({"keras", "tensorflow", "numpy"} & {*sys.modules}))
sys.argv = ["", "--no_such_flag"]
runpy.run_module("orc_keras.NAME", run_name="__main__")
"""


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_heavy_is_imported_to_say_what_is_wrong(name):
    end = program("-c", ANSWERS.replace("NAME", name))
    assert end.stdout.splitlines()[-1:] == ["set()"] and end.returncode == 1
    assert end.stderr.count("\n") == 1 and "Unknown command line flag 'no_such_flag'" in end.stderr
