"""TensorFlow Lite files, for small devices: converted from a SavedModel, and run."""

import re

import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from orc_keras import startup

SIGNATURE = "serving_default"


class Unsupported(ValueError):
    """A network has an operation that a format lacks."""


def convert(saved_model, precision="float32", calibration=()):
    """Returns the bytes of a TensorFlow Lite file of a SavedModel that takes raw images.

    Its input stays uint8. BatchNormalization is folded into the convolutions in any case.

    Args:
        saved_model: its directory.
        precision: `float32`; `float16`, of the weights, half the size; `int8`, of weights and
            activations, a quarter; or `int8-weights`, which leaves the activations in float. The
            weights in 8 bits have a scale for each output channel of a convolution.
        calibration: for `int8`, raw images, uint8 `[height, width, channels]`, by which the range
            of each activation is found.

    Raises:
        Unsupported: if the network has an operation that this precision lacks.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(saved_model), signature_keys=[SIGNATURE]
    )
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        # Without falling back to float: an operation that has no integers is an error.
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = lambda: (
            (SIGNATURE, {"images": np.asarray(image)[None]}) for image in calibration
        )
    with startup.silent_stderr():  # it describes what it does
        try:
            return converter.convert()
        except Exception as error:  # the converter raises many kinds
            lacking = re.search(r"ops: (.+)", str(error))
            why = f"it has no {lacking[1]}" if lacking else str(error).partition("\n")[0]
            raise Unsupported(f"No TensorFlow Lite file in {precision}: {why}.") from error


def answers(path, threads=None):
    """Returns a function from raw images to the answers of a TensorFlow Lite file.

    Args:
        path: of the file.
        threads: of the CPU to use; None: the runtime's choice.
    """
    with startup.silent_stderr():  # it reports its delegate
        run = Interpreter(str(path), num_threads=threads).get_signature_runner(SIGNATURE)
        shape = run.get_input_details()["images"]["shape"][1:]
        run(images=np.zeros((1, *shape), np.uint8))
    return lambda images: run(images=np.asarray(images))


def operations(content):
    """Returns the operations of a TensorFlow Lite file in order, with the types of their tensors.

    Args:
        content: the bytes of the file.

    Returns:
        A list of names such as `CONV_2D`, each with the types of its inputs and its outputs, such
        as `INT8`.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    kinds, types = (
        {number: name for name, number in vars(kind).items() if isinstance(number, int)}
        for kind in (schema.BuiltinOperator, schema.TensorType)
    )

    def type_of(graph, tensors):
        return [types[graph.tensors[tensor].type] for tensor in tensors if tensor >= 0]

    codes = [max(c.builtinCode, c.deprecatedBuiltinCode) for c in model.operatorCodes]
    return [
        (kinds[codes[each.opcodeIndex]], type_of(graph, each.inputs), type_of(graph, each.outputs))
        for graph in model.subgraphs
        for each in graph.operators
    ]
