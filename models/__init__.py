"""The networks by name: `build(name, input_shape, num_classes)` and `names()`.

Every network is made of stock Keras layers only, so a saved one loads without this project.
"""

from models import resnet

_FAMILIES = (resnet,)
_FAMILY_OF = {name: family for family in _FAMILIES for name in family.VARIANTS}


def names():
    """Returns the names that `build` knows, as a list of strings."""
    return list(_FAMILY_OF)


def build(name, input_shape, num_classes):
    """Builds the network `name`, with fresh weights.

    Args:
        name: one of `names()`.
        input_shape: `(height, width, channels)` of an image.
        num_classes: number of classes, at least 2.

    Returns:
        A built `keras.Model` called `name`, from images `[batch, height, width, channels]`
        (floating point, normalised) to float32 logits `[batch, num_classes]`.

    Raises:
        ValueError: if the name is unknown, the image too small for the network's strides, or
            there are fewer than two classes.

    Example:

    >>> network = models.build("resnet20", (32, 32, 3), num_classes=100)
    >>> network.output_shape
    (None, 100)
    """
    if name not in _FAMILY_OF:
        raise ValueError(f"Unknown network {name!r}; possible are {', '.join(names())}.")
    if num_classes < 2:
        raise ValueError(f"num_classes must be at least 2, not {num_classes}.")
    family = _FAMILY_OF[name]
    height, width, _ = input_shape
    if min(height, width) < family.SMALLEST_SIZE:
        raise ValueError(
            f"Images of {height} x {width} pixels are too small for the strides of {name}, "
            f"which needs at least {family.SMALLEST_SIZE} x {family.SMALLEST_SIZE}."
        )
    return family.build(name, input_shape, num_classes)
