"""The settings of a run, a frozen dataclass. Each field is one flag (`command_line`)."""

import dataclasses
import math
import re

from orc_keras.groups.methods import METHODS
from orc_keras.groups.role_record import TEACHINGS


def _flag(default, help, lower=None, upper=None, choices=None, identity=True):
    """A field and its flag; runs that differ only where `identity` is False are the same run."""
    metadata = dict(help=help, lower=lower, upper=upper, choices=choices, identity=identity)
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a run is made from; the defaults are the CIFAR recipe of the method."""

    dataset: str = _flag(
        "",
        "Images to learn: digits, cifar10, cifar100, imagenet2012, tfds:<any other name in "
        "TensorFlow Datasets>, or folder:<path>, a folder with train/<class>/ and val/<class>/ "
        "(or validation/, or test/).",
    )
    data_dir: str = _flag(
        "", "Folder of TensorFlow Datasets; empty: its usual place.", identity=False
    )
    image_size: int = _flag(
        0,
        "Height and width that images are resized to; 0: none where all are equally large and "
        "at most 96 pixels, otherwise 224.",
        0,
    )
    validation_fraction: float = _flag(
        0.0,
        "Part of the training images to hold out in place of the dataset's own held-out "
        "images; needed where it has none.",
        0,
        1,
    )
    basic_augmentation: str = _flag(
        "auto",
        "What happens to training images. crop: those that keep their size are shifted by up to "
        "4 pixels, those that are resized are replaced by a random part of them; crop_and_flip: "
        "also mirrored; auto: crop_and_flip, but none for digits.",
        choices=("auto", "none", "crop", "crop_and_flip"),
    )
    augmentation: tuple[str, ...] = _flag(
        (),
        "What happens to training images besides --basic_augmentation: randaugment, cutout.",
        choices=("randaugment", "cutout"),
    )
    memory_gb: float = _flag(
        4.0,
        "Images that take at most so many GB (10^9 bytes) decoded are kept in memory; others are "
        "read anew in each epoch.",
        0,
        identity=False,
    )
    output_dir: str = _flag(
        "",
        "Folder that the run writes to, and continues from; empty: a new one in runs/, named by "
        "date and time.",
        identity=False,
    )
    overwrite: bool = _flag(
        False,
        "Delete the files that an earlier run wrote to --output_dir; others stay.",
        identity=False,
    )
    save_every: str = _flag(
        "1 epoch",
        "How often to save what a killed run needs to continue, such as 2 epochs or 500 steps.",
        identity=False,
    )
    keep: int = _flag(
        2, "How many saves to keep (see --save_every), of each stage.", 1, identity=False
    )
    method: str = _flag(
        "orc",
        "How the group learns: orc, online role change; or, to compare with: alone, every member "
        "by itself; kd, from the pivot; dml, deep mutual learning; kdcl, collaborative learning; "
        "takd, a chain of teacher assistants; dgkd, each member from all larger ones.",
        choices=tuple(METHODS),
    )
    pivot: str = _flag("", "Network of the pivot teacher (PT), by its name in models/.")
    students: tuple[str, ...] = _flag(
        (),
        "Networks of the students (S_1, ..., S_N), at least two for orc; the last is *the* "
        "student.",
    )
    head: str = _flag(
        "default",
        "End of every member: linear, one fully connected layer; default, its own (VGGs have "
        "three layers, all others one).",
        choices=("default", "linear"),
    )
    pivot_epochs: int = _flag(240, "Epochs that the pivot is trained alone, before the group.", 0)
    pivot_weights: str = _flag(
        "", "File of weights (.keras or .weights.h5) for the pivot, in place of training it alone."
    )
    epochs: int = _flag(240, "Epochs that the group is trained.", 1)
    batch_size: int = _flag(64, "Images in a mini-batch (B), over all replicas.", 1)
    learning_rate: float = _flag(0.05, "Learning rate of every member at the start.", 0)
    decay_epochs: tuple[int, ...] = _flag(
        (150, 180, 210),
        "Epochs after which the learning rate decays, counted from the start of each stage.",
    )
    decay_factor: float = _flag(0.1, "What the learning rate is multiplied by at each decay.", 0)
    momentum: float = _flag(0.9, "Momentum of SGD, from 0 to 1.", 0, 1)
    weight_decay: float = _flag(
        5e-4, "L2 weight decay: this times each weight is added to its gradient.", 0
    )
    temperature: float = _flag(4.0, "Temperature (T) that softens distilled logits; above 0.", 0)
    distillation_weight: float = _flag(
        0.5, "Weight of the teachers against the labels (beta), from 0 to 1.", 0, 1
    )
    mixup_alpha: float = _flag(
        1.0, "Alpha of the Beta distribution of the mix-up (alpha); 0: no mixing.", 0
    )
    temporary_teachers: int = _flag(
        1, "Students promoted in a mini-batch (k), fewer than there are students.", 1
    )
    role_change_interval: int = _flag(1, "Mini-batches between changes of roles (m).", 1)
    teachings: tuple[str, ...] = _flag(
        TEACHINGS,
        "Which teachings take place, any of intensive, private and group; empty: none. Without the "
        "first the pivot stays as it is; students without theirs learn from the labels only.",
        choices=TEACHINGS,
    )
    teaching: str = _flag(
        "individual",
        "How several teachers teach: individual, each by itself; ensemble, by the mean of their "
        "logits.",
        choices=("individual", "ensemble"),
    )
    temporary_teacher: str = _flag(
        "online",
        "Who becomes temporary teacher (TT): online, the most confident of each mini-batch; or the "
        "name of a student, which always is it.",
    )
    feedback: str = _flag(
        "mixed",
        "What the pivot learns from: mixed, the mini-batch and the students' feedback, mixed up; "
        "feedback, that only; training, the mini-batch only.",
        choices=("mixed", "feedback", "training"),
    )
    teacher_passes: str = _flag(
        "training",
        "What BatchNorm does while a member teaches: training, it normalises by the mini-batch and "
        "moves its statistics; batch, it does not move them; inference, it normalises by them.",
        choices=("training", "batch", "inference"),
    )
    distillation_warmup: int = _flag(
        0, "Mini-batches over which beta rises linearly from 0 to --distillation_weight.", 0
    )
    strategy: str = _flag(
        "auto",
        "Devices: one_device; mirrored, all GPUs (without a GPU, all logical CPUs); multi_worker, "
        "those of all machines in TF_CONFIG; auto, multi_worker where TF_CONFIG names several "
        "machines, mirrored where there are several GPUs.",
        choices=("auto", "one_device", "mirrored", "multi_worker"),
        identity=False,
    )
    sync_batch_norm: bool = _flag(
        False,
        "Normalise by the statistics of the whole mini-batch, not of each replica's part of it.",
    )
    mixed_precision: str = _flag(
        "none",
        "Type of the computations where it is not float32; logits and losses always are.",
        choices=("none", "bfloat16", "float16"),
    )
    steps_per_execution: int = _flag(
        1,
        "Mini-batches that TensorFlow makes before it returns to Python; must divide those of an "
        "epoch. More can be faster with small networks on a GPU. At most 512, so that the role "
        "history is whole.",
        1,
        512,
    )
    jit_compile: bool = _flag(
        False, "Compile the step with XLA; on one device only. Pays on GPUs, not on CPUs."
    )
    deterministic: bool = _flag(
        False, "Make every operation deterministic, also on GPUs; costs speed (see the README)."
    )
    seed: int = _flag(
        0,
        "Seed of weights, order and augmentation of the images, and mix-up.",
        0,
        2**32 - 1,
    )

    def __post_init__(self):
        for name in ("dataset", "pivot", "students"):
            if not getattr(self, name):
                raise ValueError(f"--{name} is missing: {self.help(name)}")
        for name, value in dataclasses.asdict(self).items():
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"--{name} must be a finite number, not {value}.")
            if isinstance(value, float) and value and not 1e-37 < abs(value) < 1e38:
                raise ValueError(f"--{name} must be a number that float32 can hold, not {value}.")
            if isinstance(value, str) and not (value.isprintable() and value == value.strip()):
                raise ValueError(  # no flagfile could hold it
                    f"--{name}={value!r} has a space at an end, or what cannot be printed."
                )
        for name in ("students", "augmentation", "teachings"):
            self._check_list(name)
        self.saving()
        for epoch in self.decay_epochs:
            if epoch < 1:
                raise ValueError(f"--decay_epochs must be 1 or more, not {epoch}.")
        for name in ("learning_rate", "decay_factor"):
            if not getattr(self, name) > 0:
                raise ValueError(f"--{name} must be above 0, not {getattr(self, name)}.")

    def _check_list(self, flag):
        """Refuses stray commas, entries that are there twice, and what is no choice."""
        values, choices = getattr(self, flag), self.__dataclass_fields__[flag].metadata["choices"]
        check_commas(flag, values)
        for name in values:
            if choices and name not in choices:
                raise ValueError(f"--{flag}={name} is unknown; possible are {', '.join(choices)}.")
            if choices and values.count(name) > 1:
                raise ValueError(f"--{flag} names {name} twice.")

    @classmethod
    def help(cls, name):
        """Returns the description of the field `name`."""
        return cls.__dataclass_fields__[name].metadata["help"]

    def saving(self):
        """Returns how often to save: a number, and `"steps"` or `"epochs"`."""
        found = re.fullmatch(r"\s*([1-9]\d*)\s*(step|epoch)s?\s*", self.save_every)
        if not found:
            raise ValueError(
                f"--save_every must be like '500 steps' or '1 epoch', not {self.save_every!r}."
            )
        return int(found[1]), f"{found[2]}s"

    def as_flags(self):
        """Returns the settings as the text of a flagfile, without saying where to write."""
        values = dataclasses.asdict(self)
        del values["output_dir"], values["overwrite"]
        return "".join(f"--{name}={_as_text(value)}\n" for name, value in values.items())

    def identity(self):
        """Returns the settings that make a run what it is, by name, as text.

        Runs for which they are equal end with the same weights, as far as the machines compute
        alike. Those that are as by default, or that the method does not use, are left out: what
        a later version adds makes no other run.
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
        """Returns the names of settings that are not as by default, and that the method ignores."""
        group, arguments = METHODS[self.method]
        of_methods = {name for _, names in METHODS.values() for name in names} - {"seed"}
        ignored = of_methods - set(arguments)
        ignored |= set() if group.pivot_learns_before else {"pivot_epochs"}
        return [
            field.name
            for field in dataclasses.fields(self)
            if field.name in ignored and getattr(self, field.name) != field.default
        ]


def check_commas(flag, values):
    """Refuses a list in which nothing stands between two commas, before one or behind one."""
    if "" in values:
        raise ValueError(f"--{flag}={','.join(values)} has an empty entry; leave out the comma.")


def _as_text(value):
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
