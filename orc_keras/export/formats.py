"""Exports a member of a run as SavedModel, Keras and TensorFlow Lite files."""

from orc_keras.export import model_card, tflite
from orc_keras.export.saved_model import export_saved_model
from orc_keras.export.stock_layers import member_of
from orc_keras.runs.files import replacing
from orc_keras.runs.images import held_out_again
from orc_keras.runs.record import finished


def export(network, member, stem, directory, summary, images=None):
    """Writes `<stem>.keras`, `<stem>.tflite`, and `<stem>/`: a SavedModel with its model card.

    Args:
        network: a member of a run, a `keras.Model` from normalised images to logits.
        member: its name in the run.
        stem: the files' common name.
        directory: of the run.
        summary: of the run.
        images: `ImageData` to evaluate the TensorFlow Lite file on; None: it is not evaluated.

    Returns:
        What `tflite.measure` returns, or None.
    """
    with replacing(directory / f"{stem}.keras") as path:
        network.save(path)
    with replacing(directory / stem) as path:
        export_saved_model(network, summary["data"], path)
        content = tflite.convert(path)
        batch_size = summary["settings"]["batch_size"]
        measured = images and tflite.measure(content, network, images, batch_size)
        card = model_card.text(summary, member, stem, measured)
        (path / "README.md").write_text(card, encoding="utf-8")
    with replacing(directory / f"{stem}.tflite") as path:
        path.write_bytes(content)
    return measured


def export_member(run, member):
    """Exports a member of a finished run as `<run>/<member>/`, `.keras` and `.tflite`.

    Args:
        run: the run's directory.
        member: the member's name, as in the run's summary.

    Returns:
        The SavedModel's directory.

    Raises:
        ValueError: if there is no finished run or no such member, or it is exported already.
    """
    run = finished(run)
    network = member_of(run, member)
    for target in (run.path / member, run.path / f"{member}.keras", run.path / f"{member}.tflite"):
        if target.exists():
            raise ValueError(f"{target} exists already; delete it to export {member} again.")
    try:
        images = held_out_again(run)
    except ValueError as error:
        print(f"The TensorFlow Lite file is not measured. {error}")
        images = None
    export(network, member, member, run.path, run.summary, images)
    return run.path / member
