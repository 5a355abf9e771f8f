"""The callbacks that a group brings to its own `fit` and `evaluate`."""

import keras

from orc_keras.callbacks.progress import StudentProgress
from orc_keras.callbacks.some_data import SomeData


def with_own(callbacks):
    """Adds what a group needs: a look at whether there are data, and a progress bar of the
    student's numbers, unless there is a bar already.

    Args:
        callbacks: what `fit` and `evaluate` are given.

    Raises:
        ValueError: if one of them is none.
    """
    if isinstance(callbacks, keras.callbacks.CallbackList):  # of the `fit` that is evaluating
        return callbacks
    callbacks = keras.tree.flatten(callbacks) if callbacks else []
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise ValueError(f"callbacks must be keras.callbacks.Callback, not {callback!r}.")
    has_bar = any(isinstance(callback, keras.callbacks.ProgbarLogger) for callback in callbacks)
    return [SomeData(), *callbacks, *([] if has_bar else [StudentProgress()])]
