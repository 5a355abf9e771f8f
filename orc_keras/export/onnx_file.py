"""ONNX files: made from the TensorFlow Lite file, checked, and run by onnxruntime."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from orc_keras import startup
from orc_keras.export import tflite

OPSET = 17  # onnxruntime and onnxruntime-web of the last years run it


def write(lite: bytes, path: Path) -> None:
    """Writes an ONNX file of a network; Unsupported if onnxruntime does not load it.

    It comes from the TensorFlow Lite file, because tf2onnx writes broken files of a SavedModel with
    grouped convolutions, which Keras compiles as functions of their own.

    Args:
        lite: the float32 TensorFlow Lite file.
        path: of the file.
    """
    import onnx
    import tf2onnx
    from onnx.tools import update_model_dims

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "model.tflite")
        source.write_bytes(lite)
        names = _names(source)
        try:
            with startup.silent_stderr():
                model, _ = tf2onnx.convert.from_tflite(str(source), opset=OPSET)
            _rename(model.graph, names)
            inputs, outputs = map(_shapes, (model.graph.input, model.graph.output))
            model = update_model_dims.update_inputs_outputs_dims(model, inputs, outputs)
            onnx.checker.check_model(model, full_check=True)
            onnx.save(model, path)
            load(path)
        except Exception as error:  # each of the packages raises kinds of its own
            raise tflite.Unsupported(f"No ONNX file: {error}") from error


def check() -> None:
    """Raises ValueError if the packages that write and run ONNX files are not installed."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise ValueError("ONNX needs packages: pip install 'orc-keras[onnx]'.") from error


def load(path: Path, threads: int | None = None) -> Callable:
    """Returns a function from raw images to the outputs of an ONNX file, by name."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda images: dict(zip(names, session.run(names, {"images": images})))


def _names(lite: Path) -> dict[str, str]:
    """Returns the names of the inputs and outputs, by those of the file's tensors."""
    with startup.silent_stderr():
        run = tflite.interpreter(lite).get_signature_runner(tflite.SIGNATURE)
    details = run.get_input_details() | run.get_output_details()
    return {tensor["name"]: name for name, tensor in details.items()}


def _rename(graph, names: dict[str, str]) -> None:
    for node in graph.node:
        for tensors in (node.input, node.output):
            tensors[:] = [names.get(tensor, tensor) for tensor in tensors]
    for tensor in (*graph.input, *graph.output):
        tensor.name = names[tensor.name]


def _shapes(tensors) -> dict[str, list]:
    """Returns the axes of inputs or outputs, the first of which is free."""
    return {
        tensor.name: ["batch", *(axis.dim_value for axis in tensor.type.tensor_type.shape.dim[1:])]
        for tensor in tensors
    }
