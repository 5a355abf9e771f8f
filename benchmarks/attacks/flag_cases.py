"""Wrong flags of train.py: of each flag by its type, and combinations that are impossible."""

import dataclasses
import itertools

from attacks import runs
from attacks.case import Case, step

KIND = "flags"
RIGHT = dict(flag.removeprefix("--").split("=") for flag in (*runs.FLAGS, runs.OUTPUT))
NOT_WHOLE = ("many", "1.5", "", "nan", "inf", "1e3", "1,2", "None", "0b2")
NOT_NUMBERS = ("much", "", "nan", "inf", "-inf", "1,5", "None", "1e999")
NOT_BOOLEANS = ("maybe", "2", "", "none")
COMMAS = ("{0},,{0}", "{0},", ",{0}", ",", "{0};{0}", "{0} {0}")
MISSPELT = ("--epoch=3", "--student=resnet8", "--bach_size=3", "--learning-rate=0.1", "--lr=0.1")
MISSPELT += ("--pivot-weights=x.keras", "--methods=orc", "--temparature=4", "--no_overwrite")
MISSPELT += ("--seeds=0", "--outputdir=x", "--KEEP=3", "--notemperature", "-epochz=2", "--gpus=2")
POSITIONAL = ("digits", "resnet8", "epochs=3", "—epochs=3", "runs/digits", "0")
# Overrides that are wrong together with the rest, and what names them. None: the flag is missing.
IMPOSSIBLE = (
    ({"num_temporary_teachers": "2"}, ("num_temporary_teachers",)),
    (
        {"num_temporary_teachers": "3", "students": "resnet8,resnet8,resnet8"},
        ("num_temporary_teachers",),
    ),
    ({"students": "resnet8"}, ("students",)),
    ({"students": "resnet8", "fixed_teacher": "resnet8"}, ("students", "fixed_teacher")),
    ({"steps_per_execution": "7"}, ("steps_per_execution",)),
    ({"steps_per_execution": "100"}, ("steps_per_execution",)),
    ({"batch_size": "2000"}, ("batch_size",)),
    ({"batch_size": "1438"}, ("batch_size",)),
    ({"batch_size": "1000000000000"}, ("batch_size",)),
    ({"validation_fraction": "0.0001"}, ("validation_fraction",)),
    ({"validation_fraction": "0.9999"}, ("validation_fraction",)),
    ({"validation_fraction": "1"}, ("validation_fraction",)),
    ({"validation_fraction": "0.99", "batch_size": "64"}, ("batch_size", "validation_fraction")),
    ({"image_size": "20000"}, ("image_size", "memory")),
    ({"image_size": "20000", "batch_size": "1"}, ("image_size", "memory")),
    ({"image_size": "5000", "batch_size": "1024"}, ("image_size", "batch_size", "memory")),
    ({"image_size": "3000", "batch_size": "1400"}, ("image_size", "batch_size", "memory")),
    ({"image_size": "1000000"}, ("image_size", "memory")),
    ({"image_size": "99999999999999999999"}, ("image_size", "memory")),
    ({"image_size": "1"}, ("image_size", "too small")),
    ({"image_size": "3"}, ("image_size", "too small")),
    ({"pivot": "vgg13"}, (("pivot", "vgg13", "too small"),)),
    ({"pivot": "vgg13", "head": "linear", "image_size": "3"}, ("too small", "image_size")),
    ({"students": "resnet8,mobilenet_v2"}, (("students", "mobilenet_v2", "too small"),)),
    ({"pivot": "resnet34_imagenet"}, (("pivot", "resnet34_imagenet", "too small"),)),
    ({"fixed_teacher": "resnet20"}, ("fixed_teacher",)),
    ({"fixed_teacher": "resnet8"}, ("fixed_teacher",)),  # the pivot's name
    ({"fixed_teacher": "Online"}, ("fixed_teacher",)),
    (
        {
            "fixed_teacher": "resnet8_2",
            "num_temporary_teachers": "2",
            "students": "resnet8,resnet8,resnet8",
        },
        ("num_temporary_teachers",),
    ),
    ({"pivot": "missing.keras"}, (("pivot", "missing.keras"),)),
    ({"pivot": "text.keras"}, (("pivot", "text.keras", "damaged"),)),
    ({"pivot": "nine_classes.keras"}, (("nine_classes.keras", "9 classes"),)),
    ({"pivot": "colour.keras"}, (("colour.keras", "shape"),)),
    ({"pivot": "half.keras"}, (("half.keras", "damaged"),)),
    ({"pivot": "no_module:network"}, (("pivot", "no_module"),)),
    ({"students": "resnet8,json:loads"}, (("students", "json:loads"),)),
    ({"pivot": "applications:ResNet"}, (("pivot", "ResNet50"),)),
    ({"pivot_weights": "missing.keras"}, ("missing.keras",)),
    ({"pivot_weights": "."}, ("pivot_weights",)),
    ({"pivot_weights": "text.keras"}, ("text.keras",)),
    ({"pivot_weights": "text.weights.h5"}, ("text.weights.h5",)),
    ({"pivot_weights": "text"}, ("pivot_weights",)),
    ({"pivot_weights": "resnet14.keras"}, ("resnet14.keras",)),
    ({"pivot_weights": "nine_classes.keras"}, ("nine_classes.keras",)),
    ({"pivot_weights": "colour.keras"}, ("colour.keras",)),
    ({"pivot_weights": "half.keras"}, ("half.keras",)),
    ({"pivot_weights": "resnet8.keras", "method": "dml"}, ("pivot_weights",)),
    ({"pivot_weights": "resnet8.keras", "method": "kdcl"}, ("pivot_weights",)),
    ({"pivot_weights": "resnet8.keras", "method": "alone"}, ("pivot_weights",)),
    ({"strategy": "multi_worker"}, ("TF_CONFIG",)),
    ({"dataset": None}, ("dataset",)),
    ({"pivot": None}, ("pivot",)),
    ({"students": None}, ("students",)),
    ({"dataset": None, "pivot": None, "students": None}, ("dataset", "pivot", "students")),
    ({"output_dir": "text"}, (("output_dir", "text"),)),
    ({"output_dir": "text/run"}, (("output_dir", "text"),)),
    ({"output_dir": "foreign"}, (("output_dir", "foreign"),)),
    ({"output_dir": "/proc/run"}, (("output_dir", "/proc/run"),)),
    ({"output_dir": "/dev/null"}, (("output_dir", "/dev/null"),)),
    ({"output_dir": "a" * 300}, ("output_dir",)),
    ({"data_dir": "text", "dataset": "imagenet2012"}, ("imagenet2012", "data_dir", "text")),
    ({"data_dir": "empty", "dataset": "imagenet2012"}, ("imagenet2012",)),
    ({"data_dir": "incomplete", "dataset": "cifar10"}, ("cifar10",)),
    ({"temperature": "1e-50"}, ("temperature",)),  # 0 in float32
    ({"learning_rate": "1e39"}, ("learning_rate",)),  # infinite in float32
    ({"mixed_precision": "float32"}, ("mixed_precision",)),
    ({"decay_epochs": "0"}, ("decay_epochs",)),
    ({"decay_epochs": "-1,2"}, ("decay_epochs",)),
    ({"learning_rate": "0"}, ("learning_rate",)),
    ({"decay_factor": "0"}, ("decay_factor",)),
    ({"temperature": "0"}, ("temperature",)),
)
DATASETS = ("mnist", "Digits", "digits ", "folder:", "folder:missing", "tfds:", "tfds:no_such_set")
DATASETS += (
    "idx:",
    "idx:missing",
    "tfds:../digits",
    "tfds:mnst",
    "tfds:coco",
    "digits:8",
    "cifar",
    "",
    "imagenet",
    "/",
)
NETWORKS = ("resnet9", "ResNet8", "resnet8.keras", "", "8", "resnet-8", "wrn_99_2", "none")
INTERVALS = ("", "0 steps", "5", "5 minutes", "-1 epochs", "1.5 epochs", "epoch", "1 epoch 2 steps")
CONFIGS = ("{", "[]", '{"cluster": 5}', '{"cluster": {"worker": ["a:1", "b:2"]}}')
CONFIGS += ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 7}}',)
# What has to be said, not refused: flags that a method does not use, and odd groups.
SAID = (
    ({"method": "alone", "temperature": "2"}, ("temperature",)),
    ({"method": "alone", "distillation_weight": "0.9"}, ("distillation_weight",)),
    ({"method": "dml", "temperature": "2"}, ("temperature",)),
    ({"method": "dml", "pivot_epochs": "5"}, ("pivot_epochs",)),
    ({"method": "kdcl", "distillation_weight": "0.1"}, ("distillation_weight",)),
    ({"method": "kd", "mixup_alpha": "0.5"}, ("mixup_alpha",)),
    ({"method": "kd", "num_temporary_teachers": "2"}, ("num_temporary_teachers",)),
    ({"method": "kd", "feedback": "training"}, ("feedback",)),
    ({"method": "takd", "role_change_interval": "3"}, ("role_change_interval",)),
    ({"method": "takd", "teachings": "private"}, ("teachings",)),
    ({"method": "dgkd", "teacher_passes": "batch"}, ("teacher_passes",)),
    ({"method": "dgkd", "distillation_warmup": "10"}, ("distillation_warmup",)),
    ({"method": "alone", "fixed_teacher": "resnet8"}, ("fixed_teacher",)),
    ({"students": "resnet20,resnet8"}, ("smaller", "larger")),
    ({"students": "resnet8,resnet20"}, ("smaller", "larger")),
    ({"pivot": "resnet8", "students": "resnet14,resnet14", "method": "kd"}, ("smaller", "larger")),
)


def pool(rng):
    """Returns all cases with one wrong flag, and as many again with two."""
    wrong = [*_by_type(), *_of_lists(), *_of_names(), *IMPOSSIBLE]
    said = [_case(overrides, names, expected="said", stop="fit") for overrides, names in SAID]
    return [
        *(_case(overrides, names) for overrides, names in wrong),
        *(_appended(flag, (flag.lstrip("-").partition("=")[0],)) for flag in MISSPELT),
        *(_appended(word, (word,)) for word in POSITIONAL),
        *(_appended(f"--{name}", (name,)) for name in ("epochs", "pivot", "students", "dataset")),
        *(_config(text) for text in CONFIGS),
        *said,
        *_pairs(rng, wrong),
    ]


def _by_type():
    """Yields wrong values of each flag by its type, its limits and its choices."""
    from orc_keras.settings import Settings

    for field in dataclasses.fields(Settings):
        for value in _wrong_values(field):
            yield {field.name: value}, (field.name,)


def _wrong_values(field):
    about = field.metadata["of"]
    if field.type is bool:
        return NOT_BOOLEANS
    if field.type is str:
        choices = about.choices
        return ("no_such_choice", "", choices[0].upper(), f"{choices[0]} ") if choices else ()
    if field.type not in (int, float):
        return ()
    limits = [] if about.at_least is None else [about.at_least - 1]
    limits += [] if about.at_most is None else [about.at_most + 1]
    limits += [] if about.above is None else [about.above]
    return (*(NOT_WHOLE if field.type is int else NOT_NUMBERS), *map(str, limits))


def _of_lists():
    items = {"students": "resnet8", "decay_epochs": "1", "augmentation": "cutout"}
    for flag, item in (items | {"teachings": "group"}).items():
        for pattern in COMMAS:
            yield {flag: pattern.format(item)}, (flag,)
        yield {flag: "no_such"}, (flag,)


def _of_names():
    flags = {"dataset": DATASETS, "pivot": NETWORKS, "save_every": INTERVALS}
    for flag, values in flags.items():
        for value in values:
            yield {flag: value}, (flag,)
    for network in NETWORKS:
        yield {"students": f"resnet8,{network}"}, ("students",)


def _pairs(rng, wrong):
    """Yields two wrong flags at once; it is right to name either."""
    for _ in wrong:
        one, other = rng.sample(wrong, 2)
        if not one[0].keys() & other[0].keys():
            yield _case(one[0] | other[0], one[1] + other[1])


def _case(overrides, names, **options):
    values = {flag: value for flag, value in (RIGHT | overrides).items() if value is not None}
    title = ", ".join("no " + f if v is None else f"{f}={v[:40]!r}" for f, v in overrides.items())
    arguments = tuple(f"--{flag}={value}" for flag, value in values.items())
    return Case(KIND, title, "train", arguments, names, files=_files(overrides), **options)


def _files(overrides):
    """Returns the steps that make what the overrides name."""
    weights = overrides.get("pivot_weights", "")
    if weights == "half.keras":
        return (step(runs.copy, "networks/resnet8.keras", weights), step(_halve, weights))
    if weights.startswith(("resnet", "nine", "colour")):
        return (step(runs.copy, f"networks/{weights}", weights),)
    return (
        (step(odd_places),) if {"pivot_weights", "output_dir", "data_dir"} & set(overrides) else ()
    )


def odd_places(place):
    for name in ("text", "text.keras", "text.weights.h5"):
        (place / name).write_text("no weights\n")
    for name in ("foreign", "empty", "incomplete/cifar10/3.0.2"):
        (place / name).mkdir(parents=True)
    (place / "foreign" / "thesis.tex").write_text("years of work\n")


def _halve(place, path):
    whole = (place / path).read_bytes()
    (place / path).write_bytes(whole[: len(whole) // 2])


def _appended(word, names):
    arguments = (*(f"--{flag}={value}" for flag, value in RIGHT.items()), word)
    return Case(KIND, f"also {word!r}", "train", arguments, names)


def _config(text):
    flags = tuple(f"--{flag}={value}" for flag, value in RIGHT.items())
    return Case(
        KIND,
        f"TF_CONFIG={text}",
        "train",
        flags,
        ("TF_CONFIG",),
        environment=(("TF_CONFIG", text),),
    )


def right_flags(**overrides):
    """Returns the right flags, some of them changed; for cases of other kinds."""
    return tuple(itertools.starmap("--{}={}".format, (RIGHT | overrides).items()))
