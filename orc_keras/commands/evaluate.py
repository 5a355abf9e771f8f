"""Evaluates a trained network: a member of a run, an exported network, or a file.

    orc-keras evaluate --run=runs/digits
    orc-keras evaluate --model=runs/digits/student --dataset=digits
    orc-keras evaluate --network=teacher.keras --dataset=cifar100

--run ends with exit code 1 if the figures are not the recorded ones to the digit; for the student
its directory needs no checkpoints. --model is evaluated as it is deployed, on raw images. No
positional arguments.
"""

from typing import Any

from absl import flags

from orc_keras.command_line import CommandError, define_image_flags, import_modules


def define_flags(flag_values: flags.FlagValues) -> None:
    to: dict[str, Any] = {"flag_values": flag_values}
    flags.DEFINE_string("run", "", "Directory of a finished run.", **to)
    flags.DEFINE_string("member", "", "Name of the member of --run; the student.", **to)
    help = "Directory of a SavedModel, or a .keras, .tflite or .onnx file beside it, in place of"
    flags.DEFINE_string("model", "", f"{help} --run.", **to)
    help = "A network as for --pivot of train, such as a file, in place of --run."
    flags.DEFINE_string("network", "", help, **to)
    help = (
        "Images to evaluate on, as --dataset of train, or folder:<path> with a folder for each "
        "class in it; those that the run held out."
    )
    define_image_flags(flag_values, help)
    flags.DEFINE_enum("format", "text", ["text", "json"], "Of the figures.", **to)


def main(flag_values: flags.FlagValues, arguments: list[str]) -> None:
    run, model, network = flag_values.run, flag_values.model, flag_values.network
    dataset, data_dir = flag_values.dataset, flag_values.data_dir
    if sum(map(bool, (run, model, network))) != 1:
        raise ValueError("give one of --run, --model and --network.")
    if not run and (flag_values.member or not dataset):
        raise ValueError("--model and --network need --dataset, and no --member.")
    import_modules(flag_values)
    from orc_keras import files
    from orc_keras.evaluate import evaluation

    if run:
        result = evaluation.evaluate_member(run, flag_values.member, dataset, data_dir)
    elif network:
        result = evaluation.evaluate_network(network, dataset, data_dir)
    else:
        from orc_keras.export.exported import ExportedNetwork

        result = evaluation.evaluate_exported(ExportedNetwork(model), dataset, data_dir)
    if flag_values.format == "json":
        print(files.as_json({"evaluated": result.description} | result.measures), flush=True)
    else:
        print(f"{result.description}\n\n{evaluation.table(result.measures)}", flush=True)
    if mismatches := result.mismatches():
        raise CommandError(f"these are not the recorded figures: {'; '.join(mismatches)}.")
    if result.recorded and flag_values.format == "text":
        print("\nThe figures are the recorded ones, to the digit.")
