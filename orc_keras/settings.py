"""The settings of a run, and the flags that follow from them.

A setting is stated once: by the function or class that uses it, in its signature and its docstring.
What no function states, `Settings` does.
"""

import dataclasses
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from absl import flags

from orc_keras import data, recipe
from orc_keras.arguments import Argument, Range, arguments_of, as_text
from orc_keras.flag_parsing import MAX_BYTES, set_flags
from orc_keras.groups import METHODS
from orc_keras.groups.network_group import NetworkGroup

# Where settings are stated: `--distillation_weight`, say, in the signatures of the methods.
FUNCTIONS: tuple[Callable, ...] = (
    data.load,
    data.train_batches,
    recipe.make_optimizer,
    recipe.learning_rate_multiplier,
    recipe.learning_rate_factors,
    recipe.class_weights,
    *METHODS.values(),
    NetworkGroup.compile,
)
FROM_FUNCTIONS = {
    name: argument for each in FUNCTIONS for name, argument in arguments_of(each).items()
}
# Settings that do not change the result of a run; `evaluate_every` does with `patience`.
WITHOUT_EFFECT = {
    *("data_dir", "memory_gb", "output_dir", "overwrite", "save_every", "max_checkpoints"),
    *("evaluate_every", "strategy", "require_gpu"),
}
PATHS = ("data_dir", "output_dir", "pivot_weights")
MOST_STUDENTS = 255  # their positions are bytes in the history of the roles

_Base: Any = dataclasses.make_dataclass(
    "_Base", [(a.name, a.annotation, a.default) for a in FROM_FUNCTIONS.values()], frozen=True
)


@dataclasses.dataclass(frozen=True)
class Settings(_Base):
    """The settings of a run; the defaults are the CIFAR recipe of the method.

    Those that a function or a method takes are stated there, and are attributes too.

    Attributes:
        output_dir: Folder that the run writes to, and continues from; empty: a new one in runs/,
            named by date and time.
        overwrite: Delete the files that an earlier run wrote to --output_dir; others stay.
        save_every: How often to save a checkpoint, such as 2 epochs or 500 steps.
        max_checkpoints: How many checkpoints to keep (see --save_every), of each stage.
        method: How the group learns, by the name of a method.
        pivot: Network of the pivot teacher (PT): a name in models/, such as resnet20; or a file of
            a trained network, teacher.keras; a function that builds one, my_module:my_network; or
            one that has learnt ImageNet, applications:MobileNetV2 or hub:resnet_50_imagenet (see
            docs/bring_your_own.md).
        students: Networks of the students (S_1, ..., S_N), like --pivot, at least two for orc; the
            last is *the* student.
        vgg_head: End of VGGs: default, three fully connected layers; linear, one, as all other
            networks have.
        pivot_epochs: Epochs that the pivot is trained alone, before the group.
        pivot_weights: File of weights (.keras or .weights.h5) for the pivot, in place of training
            it alone.
        epochs: Epochs that the group is trained.
        patience: Epochs without a better accuracy on a validation part of the training images,
            after which a stage ends with the weights of its best epoch; 0: none ends early.
        patience_fraction: With --patience: the validation part, which members do not learn from.
        evaluate_every: Epochs between evaluations on the held-out images; the last epoch of a
            stage always has one.
        strategy: Devices: one_device; mirrored, all GPUs; multi_worker, those of all machines in
            TF_CONFIG; auto, the last where TF_CONFIG names several, mirrored with several GPUs.
        require_gpu: End with an error where TensorFlow sees no GPU, in place of training on the
            CPU.
        sync_batch_norm: Normalise by the statistics of the whole mini-batch, not of each replica's
            part of it.
        mixed_precision: Type of the computations where it is not float32; logits and losses always
            are.
        deterministic: Make every operation deterministic, also on GPUs; slower (see docs/runs.md).

    Raises:
        ValueError: if a field is missing or out of its range; the message names its flag.
    """

    output_dir: str = ""
    overwrite: bool = False
    save_every: str = "1 epoch"
    max_checkpoints: Annotated[int, Range(at_least=1)] = 2
    method: Literal[*METHODS] = "orc"  # type: ignore  (the registered ones)
    pivot: str = ""
    students: tuple[str, ...] = ()
    vgg_head: Literal["default", "linear"] = "default"
    pivot_epochs: Annotated[int, Range(at_least=0)] = 240
    pivot_weights: str = ""
    epochs: Annotated[int, Range(at_least=1)] = 240
    patience: Annotated[int, Range(at_least=0)] = 0
    patience_fraction: Annotated[float, Range(above=0, at_most=0.9)] = 0.1
    evaluate_every: Annotated[int, Range(at_least=1)] = 1
    strategy: Literal["auto", "one_device", "mirrored", "multi_worker"] = "auto"
    require_gpu: bool = False
    sync_batch_norm: bool = False
    mixed_precision: Literal["none", "bfloat16", "float16"] = "none"
    deterministic: bool = False

    def __post_init__(self):
        for name in ("dataset", "pivot", "students"):
            if not getattr(self, name):
                raise ValueError(f"--{name} is missing: {ARGUMENTS[name].help}")
        for name, argument in ARGUMENTS.items():
            argument.check(getattr(self, name), f"--{name}")
        self.save_interval()
        if len(self.students) > MOST_STUDENTS:
            raise ValueError(f"--students must be at most {MOST_STUDENTS}.")
        warmup, epochs = self.warmup_epochs, self.epochs
        if warmup >= epochs:
            raise ValueError(f"--warmup_epochs={warmup} must be below --epochs={epochs}.")
        rates = self.student_learning_rates
        if rates and (len(rates) != len(self.students) or rates[-1] != 1):
            raise ValueError(
                f"--student_learning_rates={as_text(rates)} must be {len(self.students)} numbers, "
                "one for each student, the last of them 1."
            )

    def save_interval(self) -> tuple[int, str]:
        """Returns the interval between checkpoints: a number, and `"steps"` or `"epochs"`."""
        found = re.fullmatch(r"\s*([1-9]\d*)\s*(step|epoch)s?\s*", self.save_every)
        if not found:
            example = "like '500 steps' or '1 epoch'"
            raise ValueError(f"--save_every must be {example}, not {self.save_every!r}.")
        return int(found[1]), f"{found[2]}s"

    def arguments(self, function: Callable) -> dict[str, Any]:
        """Returns the values of a function's arguments that are settings, by name."""
        return {name: getattr(self, name) for name in arguments_of(function) if name in ARGUMENTS}

    def as_texts(self) -> dict[str, str]:
        """Returns the settings as text, by name, without `output_dir` and `overwrite`."""
        names = [name for name in ARGUMENTS if name not in ("output_dir", "overwrite")]
        return {name: as_text(getattr(self, name)) for name in names}

    def as_flags(self) -> str:
        """Returns the settings as the text of a flagfile, without the output directory."""
        return "".join(f"--{name}={value}\n" for name, value in self.as_texts().items())

    def changed(self) -> list[str]:
        """Returns the names of the settings that are not the default."""
        return [n for n, argument in ARGUMENTS.items() if getattr(self, n) != argument.default]

    def identity(self) -> dict[str, str]:
        """Returns the settings that determine the result of a run, as text, by name.

        Runs with equal identities end with the same weights, up to differences between machines.
        Defaults and settings that the method ignores are left out, so that a setting added by a
        later version does not change the identity.
        """
        ignored = {*WITHOUT_EFFECT, *self.unused()}
        if self.patience:  # which judges only epochs that are evaluated
            ignored -= {"evaluate_every"}
        names = [name for name in sorted(self.changed()) if name not in ignored]
        return {name: as_text(getattr(self, name)) for name in names}

    def unused(self) -> list[str]:
        """Returns the names of settings that are not the default, and that the method ignores."""
        method = METHODS[self.method]
        ignored = {name for each in METHODS.values() for name in arguments_of(each)}
        ignored -= {"seed", *arguments_of(method)}
        ignored |= set() if method.trains_pivot_first else {"pivot_epochs"}
        return [name for name in self.changed() if name in ignored]


ARGUMENTS: dict[str, Argument] = arguments_of(Settings) | FROM_FUNCTIONS
_descriptions = "; ".join(f"{name}, {each.description}" for name, each in METHODS.items())
ARGUMENTS["method"] = dataclasses.replace(
    ARGUMENTS["method"], help=f"How the group learns: {_descriptions}."
)


def define_flags(flag_values: flags.FlagValues = flags.FLAGS) -> None:
    """Defines a flag for each setting."""
    define = {
        bool: flags.DEFINE_bool,
        int: flags.DEFINE_integer,
        float: flags.DEFINE_float,
        str: flags.DEFINE_string,
    }
    for name, argument in ARGUMENTS.items():
        default, help_ = argument.default, argument.help
        if argument.type is tuple:
            flags.DEFINE_list(name, list(map(str, default)), help_, flag_values=flag_values)
        elif argument.choices:
            choices = list(argument.choices)
            flags.DEFINE_enum(name, default, choices, help_, flag_values=flag_values)
        else:
            define[argument.type](name, default, help_, flag_values=flag_values)


def from_flags(flag_values: flags.FlagValues = flags.FLAGS) -> Settings:
    """Returns the `Settings` of the parsed flags.

    Raises:
        ValueError: if a flag is missing or out of its range.
    """
    values: dict[str, Any] = {name: flag_values[name].value for name in ARGUMENTS}
    values |= {n: os.path.expanduser(values[n]) for n in PATHS}  # a shell does not, after --flag=
    values |= {n: a.parse(values[n], f"--{n}") for n, a in ARGUMENTS.items() if a.item}
    return Settings(**values)


def parse(arguments: Iterable[str]) -> Settings:
    """Returns the `Settings` in a list of flags, whatever this process's flags are.

    Args:
        arguments: the flags, as text; no flagfiles.

    Raises:
        ValueError: if one of them is not a flag, or out of its range.
    """
    values = flags.FlagValues()
    define_flags(values)
    if rest := set_flags(values, arguments, with_flagfiles=False):
        raise ValueError(f"{rest[0]!r} is not a flag.")
    return from_flags(values)


def read(path: Path) -> Settings:
    """Returns the `Settings` that a run has written to a flagfile; errors as in `parse`."""
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"It is longer than a flagfile can be, {MAX_BYTES} bytes.")
    return from_text(path.read_text("utf-8"))


def from_text(text: str) -> Settings:
    """Returns the `Settings` in the text of a flagfile; errors as in `parse`."""
    return parse(text.splitlines())
