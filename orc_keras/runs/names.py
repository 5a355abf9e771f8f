"""What a run writes, by the names that it has in the run's directory. Nothing else knows them."""

SETTINGS = "settings.flags"  # a flagfile; also the lock of a run that is being made
DATA = "data.json"  # a description of the images
SUMMARY = "summary.json"  # marks a finished run
SUMS = "SHA256SUMS"  # of what a finished run has written, as `sha256sum --check` reads them
HISTORY = "history.csv"  # of the last stage; a row for each epoch
ROLES = "roles.npy"  # who taught in each mini-batch
UNKNOWN_TEACHER = 255  # in it, where nobody has seen who taught
EVALUATION = "evaluation.npz"  # what each member answers to each held-out image
CHECKPOINTS = "checkpoints"
GROUP = f"{CHECKPOINTS}/group.keras"
PIVOT = f"{CHECKPOINTS}/pivot.keras"
TENSORBOARD = "tensorboard"
STUDENT = "student"  # its SavedModel; `.keras` and `.tflite` lie beside
REPORT = "report"
PAGE = f"{REPORT}/report.html"

ALL = (
    SETTINGS,
    DATA,
    SUMMARY,
    SUMS,
    HISTORY,
    ROLES,
    TENSORBOARD,
    CHECKPOINTS,
    f"{STUDENT}.keras",
    f"{STUDENT}.tflite",
    STUDENT,
    EVALUATION,
    REPORT,
)
EARLIER_HISTORIES = ("pivot_history.csv", "stage[0-9]*_history.csv")  # of earlier stages


def history(stage):
    """Returns the name of the history of a stage; "group" is the last of every method."""
    return HISTORY if stage == "group" else f"{stage}_history.csv"
