"""The arguments of a run that are neither of the images nor of the method. No TensorFlow."""

from orc_keras.arguments import Argument

ARGUMENTS = {
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
    "keep": Argument(2, "How many saves to keep (see --save_every), of each stage.", at_least=1),
    "pivot": Argument("", "Network of the pivot teacher (PT), by its name in models/."),
    "students": Argument(
        (),
        "Networks of the students (S_1, ..., S_N), at least two for orc; the last is *the* "
        "student.",
    ),
    "head": Argument(
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
    "learning_rate": Argument(0.05, "Learning rate of every member at the start.", above=0),
    "decay_epochs": Argument(
        (150, 180, 210),
        "Epochs after which the learning rate decays, counted from the start of each stage.",
    ),
    "decay_factor": Argument(
        0.1, "What the learning rate is multiplied by at each decay.", above=0
    ),
    "momentum": Argument(0.9, "Momentum of SGD.", at_least=0, at_most=1),
    "weight_decay": Argument(
        5e-4, "L2 weight decay: this times each weight is added to its gradient.", at_least=0
    ),
    "strategy": Argument(
        "auto",
        "Devices: one_device; mirrored, all GPUs (without a GPU, all logical CPUs); "
        "multi_worker, those of all machines in TF_CONFIG; auto, multi_worker where TF_CONFIG "
        "names several machines, mirrored where there are several GPUs.",
        choices=("auto", "one_device", "mirrored", "multi_worker"),
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
