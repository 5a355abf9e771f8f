"""The names of the files in a run's directory, defined only here."""

SETTINGS = "settings.flags"  # a flagfile; also the lock of a run in progress
DATA = "data.json"  # the description of the images
SOURCES = "sources.json"  # checksums of files and code that members come from
SUMMARY = "summary.json"  # marks a finished run
SUMS = "SHA256SUMS"  # checksums of a finished run's files, for `sha256sum --check`
HISTORY = "history.csv"  # of the last stage, one row per epoch
PIVOT_HISTORY = "pivot_history.csv"
STAGE_HISTORIES = "stage[0-9]*_history.csv"  # of stages between these
PIVOT_BEFORE = "pivot_before.json"  # the accuracy with which a trained pivot comes
ROLES = "roles.npy"  # who taught in each mini-batch
EVALUATION = "evaluation.npz"  # the members' predictions on the held-out images
CHECKPOINTS = "checkpoints"
GROUP = f"{CHECKPOINTS}/group.keras"
PIVOT = f"{CHECKPOINTS}/pivot.keras"
TENSORBOARD = "tensorboard"
STUDENT = "student"  # its SavedModel; its other formats are beside it
SUFFIXES = {  # of the formats of a network, behind the name of its SavedModel
    "saved_model": "",
    "keras": ".keras",
    "tflite": ".tflite",
    "tflite-float16": "_float16.tflite",
    "tflite-int8": "_int8.tflite",
    "tflite-int8-weights": "_int8_weights.tflite",
    "onnx": ".onnx",
    "web": "_web",
}
BENCHMARK = "benchmark.json"  # what each member costs in each format
REPORT = "report"
PAGE = f"{REPORT}/report.html"

ALL = (
    SETTINGS,
    DATA,
    SOURCES,
    SUMMARY,
    SUMS,
    PIVOT_BEFORE,
    PIVOT_HISTORY,
    HISTORY,
    ROLES,
    TENSORBOARD,
    CHECKPOINTS,
    *(f"{STUDENT}{suffix}" for suffix in SUFFIXES.values()),
    EVALUATION,
    BENCHMARK,
    REPORT,
)
FOLDERS = (TENSORBOARD, CHECKPOINTS, STUDENT, f"{STUDENT}{SUFFIXES['web']}", REPORT)


def best(stage):
    """Returns the name of the weights of a stage's best epoch, where it may end early."""
    return f"{CHECKPOINTS}/best-{stage}.weights.h5"


def history(stage):
    """Returns the name of the history of a stage; "group" is the last of every method."""
    return HISTORY if stage == "group" else f"{stage}_history.csv"
