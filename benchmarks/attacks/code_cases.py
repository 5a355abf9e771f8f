"""Files that hold code, and names that are code where they are shown."""

import hashlib
import html
import io
import json
import os
import shutil
import zipfile

import numpy as np

from attacks import pictures, runs
from attacks.case import Case, step
from attacks.flag_cases import right_flags
from attacks.run_cases import CONTINUED, REPORT

KIND = "code"
GROUP = "run/checkpoints/group.keras"
MEMBER = "--member=resnet8"
SAFE = (("group.keras", "safe mode"),)
# What a configuration could name in place of a layer.
CALLS = {
    "os.system": {"module": "os", "class_name": "system", "config": {"command": "touch marker"}},
    "builtins.exec": {
        "module": "builtins",
        "class_name": "exec",
        "config": "open('marker', 'w')",
    },
    "subprocess.Popen": {
        "module": "subprocess",
        "class_name": "Popen",
        "config": {"args": ["touch", "marker"]},
    },
    "a function": {"module": "os", "class_name": "function", "config": "system"},
}
HTML_NAMES = ("<script>alert(1)", "<img src=x onerror=alert(1)>", "a&amp;b", '"quoted"')
MARKDOWN_NAMES = ("a|b", "`code`", "*bold*", "[link](x)", "__init__")


class Payload:
    """Unpickled, it makes a file `marker`."""

    def __reduce__(self):
        return os.system, ("touch marker",)


def pool(rng):
    """Returns the cases; the last two train a run."""
    return [
        *_of_group("a Lambda in place of", SAFE, step(_replace_group)),
        *_of_group("a Lambda as a layer of", SAFE, step(_lambda_in_group)),
        *(case for name, call in CALLS.items() for case in _called(name, call)),
        _of_report("roles.npy", step(_pickled_roles)),
        _of_report("evaluation.npz", step(_pickled_npz)),
        *_weights(),
        *map(_names, (HTML_NAMES, MARKDOWN_NAMES)),
    ]


def _of_group(title, names, damage):
    """The file of a run's members holds code, and its checksum is right."""
    for program, *arguments in (("evaluate", "--run=run"), ("export", "--run=run", MEMBER)):
        what = f"{program}: {title} group.keras"
        yield _of_run(what, program, tuple(arguments), names, damage, expected="refused")


def _called(name, call):
    return _of_group(f"{name} as a layer of", ("group.keras",), step(_call_in_group, call))


def _of_report(name, damage):
    title = f"report: a pickle as {name}"
    return _of_run(title, "report", ("run",), (name,), damage, expected="said", changes=REPORT)


def _of_run(title, program, arguments, names, damage, **options):
    files, both = (step(runs.copy, "finished"),), (damage, step(_sign))
    return Case(KIND, title, program, arguments, names, files, both, seconds=30, **options)


def _sign(place):
    """Makes the checksums of a run right again, as who means ill would."""
    sums = place / "run" / "SHA256SUMS"
    if not sums.exists():
        return
    names = [line.split("  ", 1)[1] for line in sums.read_text().splitlines()]
    digests = [hashlib.sha256((place / "run" / name).read_bytes()).hexdigest() for name in names]
    sums.write_text("".join(f"{digest}  {name}\n" for digest, name in zip(digests, names)))


def _weights():
    """Of a file that is given as --pivot_weights only the weights are read."""
    flags = right_flags(pivot_weights="bad.keras")
    for name, call in (("a Lambda", None), *CALLS.items()):
        source = "networks/resnet8.keras" if call else "networks/lambda.keras"
        files = (step(runs.copy, source, "bad.keras"),)
        damage = (step(_call_in, "bad.keras", call),) if call else ()
        of = {"files": files, "damage": damage, "expected": "any" if call else "refused"}
        yield Case(KIND, f"weights beside {name}", "train", flags, ("bad.keras",), **of)


def _replace_group(place):
    shutil.copyfile(runs.directory() / "networks" / "lambda.keras", place / GROUP)


def _call_in_group(place, call):
    _call_in(place, GROUP, call)


def _lambda_in_group(place):
    with zipfile.ZipFile(runs.directory() / "networks" / "lambda.keras") as file:
        code = json.loads(file.read("config.json"))["config"]["layers"][1]
    _call_in_group(place, {key: code[key] for key in ("module", "class_name", "config")})


def _call_in(place, path, call):
    """Puts a call in the place of a layer in a `.keras` file."""
    with zipfile.ZipFile(place / path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    config = json.loads(parts["config.json"])
    layer = _layers(config)[1]
    name = layer["config"]["name"]
    layer.update(call | {"registered_name": None, "build_config": None})
    if "function" in layer["config"]:  # otherwise a function's arguments, which have no name
        layer["config"]["name"] = name
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(place / path, "w") as file:
        for name, contents in parts.items():
            file.writestr(name, contents)


def _layers(config):
    """Returns the layers of the first network in a configuration."""
    inside = config["config"]
    return inside["layers"] if "layers" in inside else _layers(inside["pivot"])


def _pickled_roles(place):
    np.save(place / "run" / "roles.npy", np.array([Payload()], dtype=object), allow_pickle=True)


def _pickled_npz(place):
    path = place / "run" / "evaluation.npz"
    with np.load(path) as arrays:
        contents = {name: arrays[name] for name in arrays.files}
    pickled = io.BytesIO()
    np.save(pickled, np.array([Payload()], dtype=object), allow_pickle=True)
    del contents["resnet8_3/labels"]
    np.savez(path, **contents)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("resnet8_3/labels.npy", pickled.getvalue())


def _names(names):
    """Trains on classes with such names; they have to be shown as they are."""
    flags = dict(
        dataset="folder:images", image_size="12", batch_size="2", basic_augmentation="none"
    )
    return Case(
        KIND,
        f"classes {', '.join(names)}",
        "train",
        right_flags(**flags),
        files=(step(pictures.folder, classes=names),),
        expected="accepted",
        stop="",
        changes=CONTINUED,
        check=step(_shown_as_they_are, names),
        seconds=180,
    )


def _shown_as_they_are(place, names):
    """Returns what is wrong with the names in the report and the model card, or nothing."""
    from markdown_it import MarkdownIt

    card = (place / "run" / "student" / "README.md").read_text()
    pages = {
        "report.html": (place / "run" / "report" / "report.html").read_text(),
        "README.md": MarkdownIt("commonmark", {"html": True}).enable("table").render(card),
    }
    for page, text in pages.items():
        for name in names:
            if name[0] == "<" and name in text:
                return f"{page} holds {name} as HTML."
    shown = html.unescape(pages["README.md"])
    missing = [name for name in names if name not in shown]
    return f"README.md does not show {missing[0]} as it is." if missing else ""
