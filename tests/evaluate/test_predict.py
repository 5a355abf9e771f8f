"""What is on single photos, as text, CSV and JSON."""

import csv
import io
import json
import re
import shutil

import numpy as np
import pytest
from absl import flags
from helpers import folders
from helpers.digits_run import CLASSES, served

from orc_keras.commands import predict


@pytest.fixture
def answers(digits_run, capsys):
    """`predict` of the run on some files: the exit code, and what it prints on both streams."""

    def answers(format, *arguments):
        values = flags.FlagValues()
        predict.define_flags(values)
        values(["", f"--run={digits_run}", f"--format={format}"])
        with pytest.raises(SystemExit) as end:
            predict.main(values, list(map(str, arguments)))
        return (end.value.code, *capsys.readouterr())

    return answers


def test_a_prediction_is_the_most_probable_class(
    digits_run, held_out, folder, tmp_path, answers, monkeypatch
):
    """As text, CSV and JSON; of a file, a folder and a list; what is no image is named."""
    path = next((folder / "3").iterdir())
    image = held_out[0][int(path.stem)][None]
    ((probabilities,),) = (served(digits_run / "student", image)["probabilities"].numpy(),)
    order = [CLASSES[i] for i in np.argsort(-probabilities)]

    code, text, _ = answers("text", path)
    assert code == 0 and [line.split()[-1] for line in text.splitlines()[1:]] == order[:5]
    photos = shutil.copytree(folder / "3", tmp_path / "photos")
    (photos / "photo.heic").touch()
    code, text, error = answers("json", "nothing.png", photos)
    assert code == 1 and error.splitlines() == [
        "orc-keras predict: nothing.png is not a file.",
        f"orc-keras predict: {photos}: files passed over: 1 (.heic).",
    ]
    (tmp_path / "empty").mkdir()
    code, _, error = answers("json", tmp_path / "empty")
    assert code == 1 and error == f"orc-keras predict: {tmp_path}/empty has no image.\n"
    by_file = {each["file"]: each for each in json.loads(text)}
    assert list(by_file) == sorted(map(str, photos.glob("*.png")))
    answer = by_file[str(photos / path.name)]
    assert answer["class"] == order[0]
    found = list(answer["probabilities"].values())
    np.testing.assert_allclose(found, probabilities, atol=1e-6)
    too_long = "x" * 300
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{too_long}\n{path}\n"))
    _, text, error = answers("csv", too_long, "-")
    assert error == 2 * f"orc-keras predict: {too_long} is not a file.\n"
    head, row = csv.reader(io.StringIO(text))
    assert head == ["file", "class", *CLASSES] and row[:2] == [str(path), order[0]]
    np.testing.assert_allclose(list(map(float, row[2:])), probabilities, atol=1e-6)


@pytest.mark.parametrize("format", ["text", "csv", "json"])
def test_what_cannot_be_read_is_named_and_the_photos_behind_it_answered(
    folder, tmp_path, answers, monkeypatch, format
):
    photo = next((folder / "3").iterdir())
    for name in ("a/1.png", "c/2.png", "locked/3.png"):
        (tmp_path / name).parent.mkdir()
        shutil.copy(photo, tmp_path / name)
    (tmp_path / "b").symlink_to(".")
    (tmp_path / "c" / "link.png").symlink_to("../locked/3.png")
    folders.lock(monkeypatch, tmp_path / "locked", tmp_path / "c" / "link.png")
    code, text, error = answers(format, tmp_path, photo)
    assert code == 1 and sorted(error.splitlines()) == [
        f"orc-keras predict: {tmp_path}/b is a link to a folder whose images are there already.",
        f"orc-keras predict: {tmp_path}/c/link.png may not be read by this user.",
        f"orc-keras predict: The folder {tmp_path}/locked cannot be read: Permission denied.",
    ]
    answered = re.findall(r"/.*?[.]png", text)
    assert answered == [f"{tmp_path}/a/1.png", f"{tmp_path}/c/2.png", str(photo)]


def test_names_of_photos_move_nothing_in_a_terminal(folder, tmp_path, answers):
    name = "a\x1b[2J\nb"
    shutil.copy(next((folder / "3").iterdir()), tmp_path / f"{name}.png")
    (tmp_path / f"c.{name}").touch()
    _, text, error = answers("text", tmp_path)
    assert text.splitlines()[0] == repr(f"{tmp_path}/{name}.png")
    assert "files passed over: 1 (.a\\x1b[2J" in error and "\x1b" not in text + error
    (answer,) = json.loads(answers("json", tmp_path)[1])
    assert answer["file"] == f"{tmp_path}/{name}.png"
