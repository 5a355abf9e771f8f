"""The methods by their names in `--method`."""

from collections.abc import Callable

import keras

METHODS: dict[str, type] = {}


def method(name: str) -> Callable[[type], type]:
    """Returns a decorator that registers a subclass of `NetworkGroup` as a method.

    Args:
        name: of the method, for `--method`.

    Examples:
        >>> @method("cross-entropy")
        ... class CrossEntropy(orc_keras.NetworkGroup):
        ...     description = "cross-entropy, without a teacher"
        >>> METHODS.pop("cross-entropy").__name__
        'CrossEntropy'
    """

    def register(group_class: type) -> type:
        METHODS[name] = keras.saving.register_keras_serializable("orc_keras")(group_class)
        return group_class

    return register
