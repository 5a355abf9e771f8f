"""Wrong arguments of evaluate, export, predict and report, and images that do not fit."""

import re

from attacks import pictures, runs
from attacks.case import Case, step
from attacks.run_cases import REPORT

KIND = "arguments"
RUN, STUDENT = "--run=run", "--saved_model=run/student"
# Arguments, and what names what is wrong with them.
EVALUATE = (
    ((), ("--run", "--saved_model")),
    ((RUN, STUDENT), ("--run", "--saved_model")),
    (("--run=missing",), ("missing",)),
    (("--run=text",), ("text",)),
    (("--run=unfinished",), ("unfinished",)),
    (("--run=folder",), ("folder",)),
    (("--run=",), ("--run",)),
    (("--run",), ("run",)),
    (("--runs=run",), ("runs",)),
    ((RUN, "--member=resnet14"), ("resnet14",)),
    ((RUN, "--member=student"), ("student",)),
    ((RUN, "--member=resnet8_4"), ("resnet8_4",)),
    ((RUN, "--member=Resnet8"), ("Resnet8",)),
    ((RUN, "--dataset=folder:missing"), ("missing",)),
    ((RUN, "--dataset=folder:text"), ("text",)),
    ((RUN, "--dataset=folder:colour"), ("channels", "colour", "grey")),
    ((RUN, "--dataset=folder:animals"), ("'cat'", "classes")),
    ((RUN, "--dataset=folder:folder"), ("folder",)),
    ((RUN, "--dataset=folder:run"), ("run",)),
    ((RUN, "--dataset=nothing"), ("nothing",)),
    ((RUN, "--dataset=tfds:no_such"), ("no_such",)),
    ((RUN, "--batch_size=3"), ("batch_size",)),
    ((RUN, "resnet8"), ("resnet8",)),
    ((STUDENT,), ("--dataset",)),
    ((STUDENT, "--dataset=digits", "--member=resnet8"), ("--member",)),
    ((STUDENT, "--dataset=folder:animals"), ("'cat'", "classes")),
    ((STUDENT, "--dataset=folder:colour"), ("channels", "colour", "grey")),
    ((STUDENT, "--dataset=folder:large"), ("8 x 8", "large", "size")),
    ((STUDENT, "--dataset=folder:missing"), ("missing",)),
    (("--saved_model=missing", "--dataset=digits"), ("missing",)),
    (("--saved_model=text", "--dataset=digits"), ("text",)),
    (("--saved_model=run", "--dataset=digits"), ("run",)),
    (("--saved_model=run/student.keras", "--dataset=digits"), ("run/student.keras",)),
    (("--saved_model=run/student.tflite", "--dataset=digits"), ("run/student.tflite",)),
)
# Nothing may be computed before these are refused.
JSON = ("missing/out.json", "run", "text/out.json", "/proc/out.json", "run/")
EXPORT = (
    ((), ("run", "member")),
    ((RUN,), ("member",)),
    (("--member=resnet8",), ("run",)),
    (("--run=missing", "--member=resnet8"), ("missing",)),
    (("--run=unfinished", "--member=resnet8"), ("unfinished",)),
    (("--run=text", "--member=resnet8"), ("text",)),
    ((RUN, "--member="), ("member",)),
    ((RUN, "--member=resnet14"), ("resnet14",)),
    ((RUN, "--member=../run"), ("../run",)),
    ((RUN, "--member=resnet8", "--format=onnx"), ("format",)),
    ((RUN, "--member=resnet8", "out"), ("out",)),
)
REPORTS = (
    ((), ("directory of a run",)),
    (("missing",), ("missing",)),
    (("text",), ("text",)),
    (("folder",), ("folder",)),
    (("animals",), ("animals",)),
    (("run", "missing"), ("missing",)),
    (("run", "folder"), ("folder",)),
    (("--run=run",), ("run",)),
    (("",), ("",)),
)
SAID = ((("run", "run"), ("same run",)), (("unfinished", "run"), ("unfinished",)))
PREDICT = (
    ((STUDENT,), ("files of images",)),
    (("one.png",), ("saved_model",)),
    (("--saved_model=", "one.png"), ("saved_model",)),
    (("--saved_model=missing", "one.png"), ("missing",)),
    (("--saved_model=run", "one.png"), ("run",)),
    (("--saved_model=text", "one.png"), ("text",)),
    (("--saved_model=run/student.keras", "one.png"), ("run/student.keras",)),
    (("--saved_model=run/checkpoints", "one.png"), ("run/checkpoints",)),
    ((STUDENT, "missing.png"), ("missing.png",)),
    ((STUDENT, "folder"), ("folder",)),
    ((STUDENT, "text"), ("text",)),
    ((STUDENT, "one.png", "missing.png"), ("missing.png",)),
    ((STUDENT, ""), ("''", "file")),
    ((STUDENT, "--member=resnet8", "one.png"), ("member",)),
    ((STUDENT, "colour.png"), (("colour.png", "colour"), ("colour.png", "channel"))),
    ((STUDENT, "colour.jpg"), (("colour.jpg", "colour"), ("colour.jpg", "channel"))),
    ((STUDENT, "nine.png"), (("nine.png", "8 x 8"),)),
    ((STUDENT, "one_pixel.png"), (("one_pixel.png", "8 x 8"),)),
)


def pool(rng):
    """Returns a case for each line above, and some for damaged and unusable images."""
    return [
        *(_case("evaluate", *of) for of in EVALUATE),
        *(_case("evaluate", (RUN, f"--json={path}"), (path,), "refused first") for path in JSON),
        *(_case("export", *of) for of in EXPORT),
        *(_case("export", (RUN, "--member=resnet8"), (name,), make=name) for name in EXPORTED),
        *(_case("report", *of) for of in REPORTS),
        *(_case("report", *of, expected="said") for of in SAID),
        *(_case("predict", *of) for of in PREDICT),
        *_images(rng),
    ]


EXPORTED = ("run/resnet8", "run/resnet8.keras", "run/resnet8.tflite")


def _images(rng):
    ways = [(pictures.damaged, how, rng.getrandbits(30)) for how in pictures.DAMAGES]
    ways += [(pictures.other_kind, kind) for kind in pictures.OTHER_KINDS]
    for write, what, *seed in ways:
        path = f"bad.{rng.choice(pictures.SUFFIXES)}"
        damage = step(write, path, what, *seed)
        yield _case("predict", (STUDENT, path), (path,), damage=damage, title=f"{path}: {what}")


def _case(program, arguments, names, expected="refused", make=None, damage=None, title=""):
    files = [step(places)]
    if any(re.search(r"(^|[=:])(run|unfinished)\b", argument) for argument in arguments):
        files.append(step(runs.copy, "finished"))
        files.append(step(runs.copy, "unfinished/run", "unfinished"))
    files += [step(pictures.write, make, b"mine")] if make else []
    title = title or " ".join(map(repr, arguments)) or "nothing"
    return Case(
        KIND,
        f"{program}: {title}" + (f", {make} is there" if make else ""),
        program,
        arguments,
        names,
        files=tuple(files),
        damage=(damage,) if damage else (),
        expected=expected,
        changes=(*REPORT, "unfinished/report/*"),
        seconds=30,
    )


def places(place):
    """Makes what the arguments above name."""
    pictures.write(place, "text", b"This is a text.\n")
    (place / "folder").mkdir()
    pictures.folder(place, "animals", splits=("test",), size=8, channels=1)
    pictures.folder(place, "colour", splits=("test",), classes=("1", "2"), size=8)
    pictures.folder(place, "large", splits=("test",), classes=("1", "2"), size=9, channels=1)
    for name, size, channels in (
        ("one", 8, 1),
        ("colour", 8, 3),
        ("nine", 9, 1),
        ("one_pixel", 1, 1),
    ):
        image = pictures.noise(size, size, channels)
        pictures.write(place, f"{name}.png", pictures.encoded(image, "png"))
        if channels == 3:
            pictures.write(place, f"{name}.jpg", pictures.encoded(image, "jpg"))
