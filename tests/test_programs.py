"""What the commands answer when there is nothing to do: help, and a sentence for wrong flags."""

import os
import subprocess
import sys

import pytest
from helpers.flags import NEEDED
from helpers.programs import PROGRAM, ROOT, program, programs

from orc_keras.__main__ import COMMANDS
from orc_keras.settings import ARGUMENTS

RUN = ["train.py", *NEEDED, "--output_dir=runs/never"]
WRONG = {
    "train.py: --pivot: Unknown network 'resnet9'; did you mean resnet": [*RUN, "--pivot=resnet9"],
    "train.py: --students must be a list of entries, none empty": [*RUN, "--students=resnet8,"],
    "train.py: Unknown command line flag 'epoch'. Did you mean: epochs": [*RUN, "--epoch=3"],
    "train.py: 'digits' is not a flag; see train.py --help": [*RUN, "digits"],
    "train.py: --batch_size must be": [*RUN, "--flagfile=digits", "--batch_size=0"],
    "orc-keras compare: --method is not for a comparison; give --methods.": [
        *(*PROGRAM, "compare", *NEEDED, "--method=kd")
    ],
    "orc-keras predict: give one of --run and --model.": [*PROGRAM, "predict", "a.png"],
    "orc-keras predict: name the files of images": [*PROGRAM, "predict", "--run=runs/digits"],
    "orc-keras: 'trian' is not a command; possible are train, compare": [*PROGRAM, "trian"],
}


@pytest.mark.slow
def test_wrong_command_lines_end_in_a_sentence(tmp_path):
    ends = programs(*WRONG.values())
    for message, end in zip(WRONG, ends, strict=True):
        assert end.returncode == 1 and end.stderr.startswith(message), end.stderr
        assert end.stdout == "" and end.stderr.count("\n") == 1


@pytest.mark.slow
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
    for name, argument in ARGUMENTS.items():
        assert f"--{name}:" in train or f"--[no]{name}:" in train
        assert argument.help in train
    for symbol in ("(T)", "(beta)", "(k)", "(m)", "(B)", "(PT)"):
        assert symbol in train


ANSWERS = """
import atexit, sys
atexit.register(lambda: print({"keras", "tensorflow", "numpy"} & {*sys.modules}))
from orc_keras.__main__ import main
main()
"""
LIGHT_MODULES = """
import sys
from orc_keras import arguments, command_line, commands, formatting, run_files, startup
print({"keras", "tensorflow", "numpy"} & {*sys.modules})
"""
LIGHT = [command for command in COMMANDS if command not in ("train", "compare")]


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--nothing"] for name in LIGHT)])
def test_nothing_heavy_is_imported_to_answer(arguments):
    """Except for the settings, which the methods' signatures state."""
    end = program("-c", ANSWERS, *arguments)
    assert end.stdout.splitlines()[-1:] == ["set()"]
    if arguments != ["--help"]:
        wrong = f"orc-keras {arguments[0]}: Unknown command line flag 'nothing'.\n"
        assert (end.returncode, end.stderr) == (1, wrong)


@pytest.mark.parametrize(
    ("shell", "end"),
    [
        (">/dev/full", (1, "", "orc-keras{}: [Errno 28] No space left on device\n")),
        (">&-", (0, "", "")),
        ("2>&- | true", (0, "", "")),
        ("| head -1", (0, "{summary}\n", "")),
        (">/dev/full 2>&-", (1, "", "")),
    ],
)
@pytest.mark.parametrize("command", ["", "networks"])
def test_streams_that_are_closed_or_full(shell, end, command):
    line = f"{sys.executable} -m orc_keras {command} --help {shell}"
    run = subprocess.run(line, shell=True, cwd=ROOT, capture_output=True, text=True)
    summary, *_ = program(*PROGRAM, command or "--help", "--help").stdout.splitlines()
    code, out, err = end
    wanted = (code, out.format(summary=summary), err.format(f" {command}".rstrip()))
    assert (run.returncode, run.stdout, run.stderr) == wanted


CLOSED = """
import os, sys
for number in (0, 1, 2): os.close(number)
sys.stdin = sys.stdout = sys.stderr = None
from orc_keras import startup
with startup.silent_stderr(), open(sys.argv[1], "w") as file:
    os.write(2, b"of a library")
    print("shown")
    file.write(str(file.fileno()))
"""


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path):
    program("-c", CLOSED, tmp_path / "file")
    assert int((tmp_path / "file").read_text()) > 2


NAMES = """
import sys
from orc_keras import command_line
with command_line.errors_as_sentences("x"):
    print(sys.stdin.read(), chr(0x5199))
"""


@pytest.mark.parametrize(
    "environment, name, printed",
    [
        ({"PYTHONIOENCODING": "utf-8:strict"}, b"\xff", rb"\udcff"),
        ({"PYTHONIOENCODING": "latin-1"}, b"\xe4", b"\xe4"),
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, b"\xff", rb"\udcff"),
    ],
)
def test_names_that_an_encoding_lacks_are_read_and_printed(environment, name, printed):
    """As Python writes them; so is what the program itself has in another script."""
    names = subprocess.run(
        [sys.executable, "-c", NAMES], cwd=ROOT, input=name, capture_output=True,
        env=os.environ | environment,
    )  # fmt: skip
    script = "写".encode() if "utf-8" in str(environment) else rb"\u5199"
    assert (names.stdout, names.stderr) == (printed + b" " + script + b"\n", b"")


HOMELESS = """
import os, pwd, sys
pwd.getpwuid = lambda uid: {}[uid]  # as of a user without a name
os.environ.pop("HOME", None)
os.environ["KERAS_BACKEND"] = "torch"
from orc_keras import startup
startup.import_tensorflow_quietly()
import keras
print(os.listdir(), keras.backend.backend())
"""


@pytest.mark.slow
def test_a_user_without_a_home_gets_no_folder_called_so(tmp_path):
    """And one who uses Keras with PyTorch gets TensorFlow here."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}){HOMELESS}"
    end = program("-c", code, cwd=tmp_path)
    assert (end.stdout, end.stderr) == ("[] tensorflow\n", "")


def test_modules_that_need_no_tensorflow_do_not_import_it():
    assert program("-c", LIGHT_MODULES).stdout == "set()\n"
