"""The runs that are made beforehand, by the program itself, for cases to damage copies of."""

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from attacks import forking, outcome
from attacks.case import ROOT, Case

MEMBERS = ("--pivot=resnet8", "--students=resnet8,resnet8")
EPOCHS = ("--pivot_epochs=1", "--epochs=1", "--decay_epochs=1")
FLAGS = ("--dataset=digits", *MEMBERS, *EPOCHS)
OUTPUT = "--output_dir=run"
COMPARISON = ("--dataset=digits", "--pivot=resnet14", "--students=resnet8,resnet8", *EPOCHS)
COMPARISON += ("--methods=kd,alone", "--seeds=0", "--output_dir=comparison")
# Each one's flags, and where its training ends. The last has saves of steps 5 and 10 of its epoch.
MADE = {
    "finished": ((*FLAGS, OUTPUT), ""),
    "other_seed": ((*FLAGS, OUTPUT, "--seed=1"), ""),
    "unfinished": ((*FLAGS, OUTPUT, "--save_every=5 steps"), "killed"),
}
NEWEST, OLDER = "group-000000-00000010.npz", "group-000000-00000005.npz"


@functools.cache
def directory():
    """Returns where the runs are that were made with the present code."""
    digest = hashlib.sha256()
    sources = [p for folder in ("orc_keras", "models") for p in (ROOT / folder).rglob("*.*")]
    for path in sorted([ROOT / "train.py", __file__, *sources], key=str):
        if Path(path).suffix in (".py", ".jinja"):
            digest.update(Path(path).read_bytes())
    return forking.work_directory() / f"runs-{digest.hexdigest()[:12]}"


def make(jobs=2):
    """Makes the runs, unless they are there.

    Raises:
        RuntimeError: if one of them fails, with the end of what it printed.
    """
    if directory().is_dir():
        return
    _delete_old()
    part = directory().with_name(f"{directory().name}-{os.getpid()}")
    part.mkdir()
    names = [(part, name) for name in (*MADE, "comparison", "networks")]
    failures = list(filter(None, forking.each(_make, names, jobs)))
    if failures:
        raise RuntimeError("\n".join(failures))
    os.replace(part, directory())


def _delete_old():
    """Deletes what earlier code has made, unless it may still be in use."""
    for path in directory().parent.glob("runs-*"):
        if time.time() - path.stat().st_mtime > 24 * 3600:
            shutil.rmtree(path)


def _make(where_and_name):
    """Makes a run; returns what is wrong, or nothing."""
    part, name = where_and_name
    place = part / name
    place.mkdir()
    if name == "networks":
        return _networks(place)
    if name == "comparison":
        return _comparison(place)
    flags, stop = MADE[name]
    case = Case("", name, "train", flags, stop=stop, seconds=300)
    came = outcome.run(case, place, part / name)
    return "" if came.code == 0 else f"{name} failed: {(came.out + came.err)[-2000:]}"


def _comparison(place):
    """A comparison starts its runs as programs, which a fork cannot take the place of."""
    command = [sys.executable, "-m", "orc_keras.compare", *COMPARISON, "--jobs=1"]
    paths = {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, cwd=place, env=os.environ | paths, capture_output=True, text=True)
    return "" if ran.returncode == 0 else f"comparison failed: {(ran.stdout + ran.stderr)[-2000:]}"


def _networks(place):
    """Files of networks, as somebody else may have written them."""
    import keras

    from orc_keras import models

    models.build("resnet14", (8, 8, 1), 10).save(place / "resnet14.keras")
    models.build("resnet8", (8, 8, 1), 10).save(place / "resnet8.keras")
    models.build("resnet8", (8, 8, 1), 9).save(place / "nine_classes.keras")
    models.build("resnet8", (8, 8, 3), 10).save(place / "colour.keras")
    code = keras.layers.Lambda(lambda x: (open("marker", "w").close(), x)[1])
    keras.Sequential([keras.Input((8, 8, 1)), code]).save(place / "lambda.keras")
    return ""


def copy(place, name, to=""):
    """A step: copies what was made beforehand, or a part of it, to a case's folder."""
    source = directory() / name
    if source.is_dir():
        shutil.copytree(source, place / to, dirs_exist_ok=True)
    else:
        (place / to).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place / to)
