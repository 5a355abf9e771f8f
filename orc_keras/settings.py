"""The settings of a run, a frozen dataclass. Each field is a flag (see `command_line`).

No TensorFlow is needed to say that a setting is out of its range.
"""

import dataclasses
import re

from orc_keras.arguments import RUN, Argument
from orc_keras.data.arguments import ARGUMENTS as DATA
from orc_keras.groups.arguments import ARGUMENTS as METHOD
from orc_keras.groups.arguments import METHODS

METHOD_NAME = Argument(
    "orc",
    "How the group learns: orc, online role change; or, to compare with: alone, every "
    "member by itself; kd, from the pivot; dml, deep mutual learning; kdcl, collaborative "
    "learning; takd, a chain of teacher assistants; dgkd, each member from all larger "
    "ones.",
    choices=METHODS,
)


def _flag(argument, identity=True):
    """A field and its flag; runs that differ only in fields without `identity` are the same."""
    return dataclasses.field(
        default=argument.default, metadata=dict(of=argument, identity=identity)
    )


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of a run; the defaults are the CIFAR recipe of the method.

    Raises:
        ValueError: if a field is missing or out of its range; the message names its flag.
    """

    dataset: str = _flag(DATA["dataset"])
    data_dir: str = _flag(DATA["data_dir"], identity=False)
    image_size: int = _flag(DATA["image_size"])
    validation_fraction: float = _flag(DATA["validation_fraction"])
    crop_flip: str = _flag(DATA["crop_flip"])
    augmentation: tuple[str, ...] = _flag(DATA["augmentation"])
    memory_gb: float = _flag(DATA["memory_gb"], identity=False)
    output_dir: str = _flag(RUN["output_dir"], identity=False)
    overwrite: bool = _flag(RUN["overwrite"], identity=False)
    save_every: str = _flag(RUN["save_every"], identity=False)
    max_checkpoints: int = _flag(RUN["max_checkpoints"], identity=False)
    method: str = _flag(METHOD_NAME)
    pivot: str = _flag(RUN["pivot"])
    students: tuple[str, ...] = _flag(RUN["students"])
    vgg_head: str = _flag(RUN["vgg_head"])
    pivot_epochs: int = _flag(RUN["pivot_epochs"])
    pivot_weights: str = _flag(RUN["pivot_weights"])
    epochs: int = _flag(RUN["epochs"])
    batch_size: int = _flag(DATA["batch_size"])
    learning_rate: float = _flag(RUN["learning_rate"])
    pivot_learning_rate: float = _flag(RUN["pivot_learning_rate"])
    student_learning_rates: tuple[float, ...] = _flag(RUN["student_learning_rates"])
    evaluate_every: int = _flag(RUN["evaluate_every"], identity=False)
    patience: int = _flag(RUN["patience"])
    patience_fraction: float = _flag(RUN["patience_fraction"])
    decay_epochs: tuple[int, ...] = _flag(RUN["decay_epochs"])
    decay_factor: float = _flag(RUN["decay_factor"])
    schedule: str = _flag(RUN["schedule"])
    warmup_epochs: int = _flag(RUN["warmup_epochs"])
    optimizer: str = _flag(RUN["optimizer"])
    momentum: float = _flag(RUN["momentum"])
    weight_decay: float = _flag(RUN["weight_decay"])
    clip_norm: float = _flag(RUN["clip_norm"])
    label_smoothing: float = _flag(RUN["label_smoothing"])
    class_weight: str = _flag(RUN["class_weight"])
    temperature: float = _flag(METHOD["temperature"])
    distillation_weight: float = _flag(METHOD["distillation_weight"])
    mixup_alpha: float = _flag(METHOD["mixup_alpha"])
    num_temporary_teachers: int = _flag(METHOD["num_temporary_teachers"])
    role_change_interval: int = _flag(METHOD["role_change_interval"])
    teachings: tuple[str, ...] = _flag(METHOD["teachings"])
    teacher_aggregation: str = _flag(METHOD["teacher_aggregation"])
    fixed_teacher: str = _flag(METHOD["fixed_teacher"])
    feedback: str = _flag(METHOD["feedback"])
    teacher_bn_mode: str = _flag(METHOD["teacher_bn_mode"])
    distillation_warmup: int = _flag(METHOD["distillation_warmup"])
    survival_probability: float = _flag(METHOD["survival_probability"])
    strategy: str = _flag(RUN["strategy"], identity=False)
    require_gpu: bool = _flag(RUN["require_gpu"], identity=False)
    sync_batch_norm: bool = _flag(RUN["sync_batch_norm"])
    mixed_precision: str = _flag(RUN["mixed_precision"])
    steps_per_execution: int = _flag(RUN["steps_per_execution"])
    jit_compile: bool = _flag(RUN["jit_compile"])
    deterministic: bool = _flag(RUN["deterministic"])
    seed: int = _flag(METHOD["seed"])

    def __post_init__(self):
        for name in ("dataset", "pivot", "students"):
            if not getattr(self, name):
                raise ValueError(f"--{name} is missing: {argument_of(name).help}")
        for field in dataclasses.fields(self):
            _check(field.name, getattr(self, field.name))
        self.saving()
        if self.warmup_epochs >= self.epochs:
            raise ValueError(
                f"--warmup_epochs={self.warmup_epochs} must be below --epochs={self.epochs}."
            )
        rates = self.student_learning_rates
        if rates and (len(rates) != len(self.students) or rates[-1] != 1):
            raise ValueError(
                f"--student_learning_rates={_as_text(rates)} must be {len(self.students)} numbers, "
                "one for each student, the last of them 1."
            )

    def saving(self):
        """Returns the interval between saves: a number, and `"steps"` or `"epochs"`."""
        found = re.fullmatch(r"\s*([1-9]\d*)\s*(step|epoch)s?\s*", self.save_every)
        if not found:
            raise ValueError(
                f"--save_every must be like '500 steps' or '1 epoch', not {self.save_every!r}."
            )
        return int(found[1]), f"{found[2]}s"

    def as_flags(self):
        """Returns the settings as the text of a flagfile, without the output directory."""
        return "".join(f"--{name}={value}\n" for name, value in self.as_texts().items())

    def as_texts(self):
        """Returns the settings as text, by name, without `output_dir` and `overwrite`."""
        values = dataclasses.asdict(self)
        del values["output_dir"], values["overwrite"]
        return {name: _as_text(value) for name, value in values.items()}

    def identity(self):
        """Returns the settings that determine the result of a run, as text, by name.

        Runs with equal identities end with the same weights, up to differences between machines.
        Defaults and settings that the method ignores are left out, so that a setting added by a
        later version does not change the identity.
        """
        unused = self.unused()
        return {
            field.name: _as_text(getattr(self, field.name))
            for field in dataclasses.fields(self)
            if field.metadata["identity"]
            and field.name not in unused
            and getattr(self, field.name) != field.default
        }

    def unused(self):
        """Returns the names of settings that are not the default, and that the method ignores."""
        from orc_keras.groups import methods  # imports TensorFlow

        method = methods.METHODS[self.method]
        ignored = set(METHOD) - {"seed", *methods.arguments_of(method)}
        ignored |= set() if method.pivot_learns_before else {"pivot_epochs"}
        return [
            field.name
            for field in dataclasses.fields(self)
            if field.name in ignored and getattr(self, field.name) != field.default
        ]


def argument_of(name):
    """Returns the `Argument` of a field of `Settings`."""
    return {field.name: field.metadata["of"] for field in dataclasses.fields(Settings)}[name]


def check_commas(flag, values):
    """Refuses a list of a flag that has an empty entry."""
    if "" in values:
        raise ValueError(f"--{flag}={','.join(values)} has an empty entry; leave out the comma.")


def _check(name, value):
    """Refuses a value that is out of range, or that a flagfile cannot hold."""
    if name == "decay_epochs":
        for epoch in value:
            Argument(1, at_least=1).check("--decay_epochs", epoch)
    elif name == "student_learning_rates":
        for rate in value:
            argument_of("pivot_learning_rate").check("--student_learning_rates", rate)
    elif isinstance(value, tuple):
        _check_list(name, value)
    else:
        argument_of(name).check(f"--{name}", value)
    if isinstance(value, str) and not (value.isprintable() and value == value.strip()):
        raise ValueError(f"--{name}={value!r} has a space at an end, or what cannot be printed.")


def _check_list(name, values):
    check_commas(name, values)
    choices = argument_of(name).choices
    for each in values:
        if choices and each not in choices:
            raise ValueError(f"--{name}={each} is unknown; possible are {', '.join(choices)}.")
        if choices and values.count(each) > 1:
            raise ValueError(f"--{name} names {each} twice.")


def _as_text(value):
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
