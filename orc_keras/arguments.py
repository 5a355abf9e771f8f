"""Arguments and their ranges, stated once for the functions that take them and for the flags."""

import dataclasses
import math
import numbers


@dataclasses.dataclass(frozen=True)
class Argument:
    """An argument and its range.

    Attributes:
        default: its default, of the same type as the flag.
        help: what it means, in a sentence.
        at_least, above: the lower bound, included or excluded.
        at_most, below: the upper bound, included or excluded.
        choices: the possible values of a text, or of each entry of a tuple.

    Example:

    >>> Argument(4.0, "Temperature.", above=0).check("temperature", -1)
    Traceback (most recent call last):
    ValueError: temperature must be above 0, not -1.
    """

    default: object
    help: str = ""
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()

    def check(self, name, given):
        """Raises ValueError, which says what is possible, unless `given` is."""
        if not self._is_possible(given):
            raise ValueError(f"{name} must be {self._possible()}, not {given!r}.")
        is_whole = isinstance(self.default, int) and not isinstance(self.default, bool)
        if is_whole and given >= 2**63:  # more than a step can count
            raise ValueError(f"{name} must be below 2**63, not {given}.")
        if isinstance(self.default, float) and given and not 1e-37 < abs(given) < 1e38:
            raise ValueError(f"{name} must be a number that float32 can hold, not {given!r}.")

    def _is_possible(self, given):
        if isinstance(self.default, tuple):
            is_list = isinstance(given, list | tuple)
            return is_list and (not self.choices or all(map(self._is_choice, given)))
        if self.choices:
            return self._is_choice(given)
        if isinstance(self.default, bool | str):
            return isinstance(given, type(self.default))
        kind = numbers.Integral if isinstance(self.default, int) else numbers.Real
        return isinstance(given, kind) and not isinstance(given, bool) and self._is_in_range(given)

    def _is_choice(self, given):
        return isinstance(given, str) and given in self.choices

    def _is_in_range(self, given):
        return (
            -math.inf < given < math.inf  # nor NaN
            and (self.at_least is None or given >= self.at_least)
            and (self.above is None or given > self.above)
            and (self.at_most is None or given <= self.at_most)
            and (self.below is None or given < self.below)
        )

    def _possible(self):
        if isinstance(self.default, tuple):
            return f"a list of {', '.join(self.choices)}"
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if isinstance(self.default, bool):
            return "True or False"
        if isinstance(self.default, str):
            return "a text"
        is_whole = isinstance(self.default, int)
        return ", ".join([*["a whole number"] * is_whole, self._range() or "finite"])

    def _range(self):
        low, high = self.at_least, self.at_most
        if low is not None and high is not None:
            return f"{low} to {high}"
        parts = []
        if low is not None:
            parts.append(f"{low} or more")
        if self.above is not None:
            parts.append(f"above {self.above}")
        if high is not None:
            parts.append(f"at most {high}")
        if self.below is not None:
            parts.append(f"below {self.below}")
        return " and ".join(parts)


# The seed of everything random in a run; NumPy takes no larger one.
SEED = Argument(0, "Seed of all that is random.", at_least=0, at_most=2**32 - 1)

# The arguments of a run that belong neither to the images (`data`) nor to the method (`groups`).
RUN = {
    "output_dir": Argument(
        "",
        "Folder that the run writes to, and continues from; empty: a new one in runs/, named "
        "by date and time.",
    ),
    "overwrite": Argument(
        False, "Delete the files that an earlier run wrote to --output_dir; others stay."
    ),
    "save_every": Argument(
        "1 epoch",
        "How often to save what a killed run needs to continue, such as 2 epochs or 500 steps.",
    ),
    "max_checkpoints": Argument(
        2, "How many saves to keep (see --save_every), of each stage.", at_least=1
    ),
    "pivot": Argument(
        "",
        "Network of the pivot teacher (PT): a name in models/, such as resnet20; or a file of a "
        "trained network, teacher.keras; a function that builds one, my_module:my_network; or one "
        "that has learnt ImageNet, applications:MobileNetV2 or hub:resnet_50_imagenet (see "
        "docs/bring_your_own.md).",
    ),
    "students": Argument(
        (),
        "Networks of the students (S_1, ..., S_N), like --pivot, at least two for orc; the last "
        "is *the* student.",
    ),
    "vgg_head": Argument(
        "default",
        "End of every member: linear, one fully connected layer; default, its own (VGGs have "
        "three layers, all others one).",
        choices=("default", "linear"),
    ),
    "pivot_epochs": Argument(
        240, "Epochs that the pivot is trained alone, before the group.", at_least=0
    ),
    "pivot_weights": Argument(
        "",
        "File of weights (.keras or .weights.h5) for the pivot, in place of training it alone.",
    ),
    "epochs": Argument(240, "Epochs that the group is trained.", at_least=1),
    "patience": Argument(
        0,
        "Epochs without a better accuracy on a validation part of the training images, after which "
        "a stage ends with the weights of its best epoch; 0: none ends early.",
        at_least=0,
    ),
    "patience_fraction": Argument(
        0.1,
        "With --patience: the validation part, which members do not learn from.",
        above=0,
        at_most=0.9,
    ),
    "evaluate_every": Argument(
        1,
        "Epochs between evaluations on the held-out images; the last epoch of a stage always has "
        "one.",
        at_least=1,
    ),
    "learning_rate": Argument(0.05, "Learning rate of every member at the start.", above=0),
    "pivot_learning_rate": Argument(
        1.0,
        "The pivot's learning rate in the group as a multiple of --learning_rate: it has learnt "
        "already.",
        at_least=0,
    ),
    "student_learning_rates": Argument(
        (),
        "Learning rates of the students in order, as multiples of --learning_rate, such as 0.1,1 "
        "where the first is pretrained; empty: 1 for all. The last, *the* student's, must be 1.",
    ),
    "decay_epochs": Argument(
        (150, 180, 210),
        "Epochs after which the learning rate decays, counted from the start of each stage.",
    ),
    "decay_factor": Argument(
        0.1, "What the learning rate is multiplied by at each decay.", above=0
    ),
    "schedule": Argument(
        "step",
        "How the learning rate falls: step, at --decay_epochs; cosine, to 0 at the end of each "
        "stage, along half a cosine.",
        choices=("step", "cosine"),
    ),
    "warmup_epochs": Argument(
        0,
        "Epochs at the start of each stage in which the learning rate rises linearly.",
        at_least=0,
    ),
    "optimizer": Argument(
        "sgd",
        "sgd, with momentum; or adamw, whose --learning_rate should be smaller, such as 0.001.",
        choices=("sgd", "adamw"),
    ),
    "momentum": Argument(0.9, "Momentum of SGD.", at_least=0, at_most=1),
    "weight_decay": Argument(
        5e-4,
        "L2 weight decay: this times each weight is added to its gradient. For adamw the decoupled "
        "one: this times the learning rate is taken off each weight.",
        at_least=0,
    ),
    "clip_norm": Argument(
        0.0,
        "Largest norm of a member's gradients, all of them together; larger ones are scaled down. "
        "0: none are. On one device only.",
        at_least=0,
    ),
    "label_smoothing": Argument(
        0.0,
        "Share of each label that is spread over all classes while members learn.",
        at_least=0,
        at_most=1,
    ),
    "class_weight": Argument(
        "none",
        "balanced: training images count inversely to the number of their class, so that rare "
        "classes matter as much as others.",
        choices=("none", "balanced"),
    ),
    "strategy": Argument(
        "auto",
        "Devices: one_device; mirrored, all GPUs; multi_worker, those of all machines in "
        "TF_CONFIG; auto, multi_worker where TF_CONFIG "
        "names several machines, mirrored where there are several GPUs.",
        choices=("auto", "one_device", "mirrored", "multi_worker"),
    ),
    "require_gpu": Argument(
        False, "End with an error where TensorFlow sees no GPU, in place of training on the CPU."
    ),
    "sync_batch_norm": Argument(
        False,
        "Normalise by the statistics of the whole mini-batch, not of each replica's part of it.",
    ),
    "mixed_precision": Argument(
        "none",
        "Type of the computations where it is not float32; logits and losses always are.",
        choices=("none", "bfloat16", "float16"),
    ),
    "steps_per_execution": Argument(
        1,
        "Mini-batches that TensorFlow makes before it returns to Python; must divide those of "
        "an epoch. More can be faster with small networks on a GPU. At most 512, so that the "
        "role history is whole.",
        at_least=1,
        at_most=512,
    ),
    "jit_compile": Argument(
        False, "Compile the step with XLA; on one device only. Pays on GPUs, not on CPUs."
    ),
    "deterministic": Argument(
        False,
        "Make every operation deterministic, also on GPUs; costs speed (see docs/runs.md).",
    ),
}
