"""Exports a member of a run for deployment.

    orc-keras export --run=runs/digits --formats=tflite-int8,onnx

Without --member it is the student, whose SavedModel, Keras and TensorFlow Lite files the run has
written itself. No positional arguments.
"""

from typing import Any

from absl import flags

from orc_keras.command_line import define_image_flags, import_modules
from orc_keras.export import CALIBRATION_IMAGES, RUN_FORMATS
from orc_keras.run_files import SUFFIXES


def define_flags(flag_values: flags.FlagValues) -> None:
    to: dict[str, Any] = {"flag_values": flag_values}
    flags.DEFINE_string("run", None, "Directory of a finished run.", **to)
    flags.DEFINE_string("member", "", "Name of the member, as in its table; the student.", **to)
    flags.DEFINE_list("formats", list(RUN_FORMATS), f"Any of {', '.join(SUFFIXES)}.", **to)
    help = "Training images by which tflite-int8 finds the range of each activation."
    flags.DEFINE_integer("calibration_images", CALIBRATION_IMAGES, help, 1, **to)
    help = "Run the files on held-out images; --nomeasure where the images are gone."
    flags.DEFINE_bool("measure", True, help, **to)
    define_image_flags(flag_values, "The run's images, as --dataset of train, if they have moved.")


def main(flag_values: flags.FlagValues, arguments: list[str]) -> None:
    import_modules(flag_values)
    from orc_keras.export.member import export_member
    from orc_keras.formatting import aligned_table

    written, card = export_member(
        flag_values.run,
        flag_values.member,
        flag_values.formats,
        flag_values.calibration_images,
        flag_values.data_dir,
        flag_values.dataset,
        flag_values.measure,
    )
    rows = [(str(path), *_cells(figures)) for path, figures in written.items()]
    print(f"{aligned_table([('file', 'size', 'accuracy'), *rows])}\n\n{card} says how to use them.")


def _cells(figures):
    if figures is None:
        return "", "not measured"
    return f"{figures['bytes'] / 1000:,.0f} kB", f"{figures['accuracy']:.2%}"
