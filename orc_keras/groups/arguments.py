"""The arguments of all methods: defaults, ranges, choices and meaning.

A method's class lists its own in its signature; the flags of `train.py` come from the same table.
No TensorFlow is needed.
"""

import types

from orc_keras.arguments import SEED, Argument

METHODS = ("orc", "alone", "kd", "dml", "kdcl", "takd", "dgkd")  # classes: see `methods`
TEACHINGS = ("intensive", "private", "group")

ARGUMENTS = {
    "temperature": Argument(4.0, "Temperature (T) that softens distilled logits.", above=0),
    "distillation_weight": Argument(
        0.5,
        "Weight of the teachers against the labels (beta), from 0 to 1.",
        at_least=0,
        at_most=1,
    ),
    "mixup_alpha": Argument(
        1.0, "Alpha of the Beta distribution of the mix-up (alpha); 0: no mixing.", at_least=0
    ),
    "num_temporary_teachers": Argument(
        1, "Students promoted in a mini-batch (k), fewer than there are students.", at_least=1
    ),
    "role_change_interval": Argument(1, "Mini-batches between changes of roles (m).", at_least=1),
    "teachings": Argument(
        TEACHINGS,
        "Which teachings take place, any of intensive, private and group; empty: none. Without the "
        "first the pivot stays as it is; students without theirs learn from the labels only.",
        choices=TEACHINGS,
    ),
    "teacher_aggregation": Argument(
        "individual",
        "How several teachers teach: individual, each by itself; ensemble, by the mean of their "
        "logits.",
        choices=("individual", "ensemble"),
    ),
    "fixed_teacher": Argument(
        "",
        "Name of a student that always is the temporary teacher (TT); empty: the most confident "
        "one of each mini-batch.",
    ),
    "feedback": Argument(
        "mixed",
        "What the pivot learns from: mixed, the mini-batch and the students' feedback, mixed up; "
        "feedback, that only; training, the mini-batch only.",
        choices=("mixed", "feedback", "training"),
    ),
    "teacher_bn_mode": Argument(
        "training",
        "What BatchNorm does while a member teaches: training, it normalises by the mini-batch and "
        "moves its statistics; batch, it does not move them; inference, it normalises by them.",
        choices=("training", "batch", "inference"),
    ),
    "distillation_warmup": Argument(
        0,
        "Mini-batches over which beta rises linearly from 0 to --distillation_weight.",
        at_least=0,
    ),
    "survival_probability": Argument(
        0.75,
        "Probability that dgkd keeps a teacher in a mini-batch.",
        above=0,
        at_most=1,
    ),
    "seed": SEED,
}

DEFAULT = types.SimpleNamespace(**{name: each.default for name, each in ARGUMENTS.items()})
