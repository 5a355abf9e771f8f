"""Every member trained alone: the baseline of all methods."""

from orc_keras.groups.network_group import NetworkGroup
from orc_keras.groups.registry import method


@method("alone")
class Alone(NetworkGroup):
    """A group whose members train independently, each on the labels by cross-entropy only.

    They see the same mini-batches; all else is as in other groups. The pivot is not trained
    beforehand.

    Arguments and errors are those of `NetworkGroup`.

    Examples:
        >>> networks = [models.build(name, (8, 8, 1), 10) for name in ("resnet14", "resnet8")]
        >>> group = orc_keras.Alone(networks[0], networks[1:])
        >>> group.compile(keras.optimizers.SGD(0.05, momentum=0.9))
        >>> history = group.fit(images, labels, verbose=0)
    """

    description = "cross-entropy, without a teacher"
    trains_pivot_first = False
