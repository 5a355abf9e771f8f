"""Exports a member of a run: python -m orc_keras.export --run=<output_dir> --formats=onnx

Without --member it is the student, whose SavedModel, Keras and TensorFlow Lite files the run has
written itself.
"""

import sys

from absl import flags

from orc_keras import command_line, startup
from orc_keras.export import AT_THE_END, CALIBRATION_IMAGES
from orc_keras.runs.names import SUFFIXES

NAME = command_line.name_of("orc_keras.export")


def main(argv):
    if len(argv) > 1:
        sys.exit(f"{NAME}: {argv[1]!r} is not a flag.")
    startup.quietly()
    from orc_keras.export.member import export_member

    values = flags.FLAGS
    given = (values.run, values.member, values.formats, values.calibration_images, values.data_dir)
    try:
        paths, card = export_member(*given)
        print(f"Wrote {', '.join(map(str, paths))}; {card} describes them.")
    except KeyboardInterrupt:
        sys.exit(f"{NAME}: interrupted; no file is half written.")
    except (ValueError, OSError, FloatingPointError) as error:
        sys.exit(f"{NAME}: {error}")


def program():
    """Runs the program, as the command `orc-export` does."""
    flags.DEFINE_string("run", None, "Directory of a finished run.", required=True)
    flags.DEFINE_string("member", "", "Name of the member, as in its table; the student.")
    flags.DEFINE_list("formats", list(AT_THE_END), f"Any of {', '.join(SUFFIXES)}.")
    flags.DEFINE_integer(
        "calibration_images",
        CALIBRATION_IMAGES,
        "Training images by which tflite-int8 finds the range of each activation.",
        1,
    )
    flags.DEFINE_string("data_dir", "", "Folder of TensorFlow Datasets; empty: its usual place.")
    command_line.start(main, NAME)


if __name__ == "__main__":
    program()
