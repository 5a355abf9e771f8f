"""No method takes a name that a class of Keras or TensorFlow owns."""

import ast
import inspect
import textwrap

import pytest

from orc_keras.groups import METHODS

KINDS = list(METHODS.values())
# What Keras documents for subclasses to override; and one name of no documentation, its reason
# beside it.
OVERRIDDEN = {"call", "train_step", "test_step", "compile", "compile_from_config", "metrics"}
OVERRIDDEN |= {"get_metrics_result", "get_config", "from_config", "fit", "evaluate", "export"}
OVERRIDDEN |= {
    "train_on_batch",
    "test_on_batch",
    "predict",
    "predict_step",
    "built",
    "get_compile_config",
}
OVERRIDDEN |= {"_maybe_symbolic_build"}


def names_of(cls):
    """What a class defines, and what its methods assign to `self`, whenever they are called."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    attributes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    of_self = (a for a in attributes if isinstance(a.value, ast.Name) and a.value.id == "self")
    return set(vars(cls)) | {a.attr for a in of_self if isinstance(a.ctx, ast.Store)}


@pytest.mark.parametrize("kind", KINDS)
def test_no_attribute_is_one_that_a_base_class_owns(kind):
    ours, theirs = (
        set().union(*(names_of(c) for c in kind.__mro__[:-1] if is_ours(c) == wanted))
        for wanted in (True, False)
    )
    assert {"members", "optimizers"} < ours and {"_losses", "_metrics"} < theirs
    shared = {name for name in ours & theirs if not name.startswith("__")}
    assert shared <= OVERRIDDEN


def is_ours(cls):
    return cls.__module__.startswith("orc_keras")
