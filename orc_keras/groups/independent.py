"""Every member by itself: what a way of training together has to be compared with."""

import keras

from orc_keras.groups.network_group import NetworkGroup


@keras.saving.register_keras_serializable("orc_keras")
class Alone(NetworkGroup):
    """A group whose members learn beside each other, each from the labels by cross-entropy only.

    They see the same mini-batches, and everything else about them is as in other groups. None of
    them needs a pivot that has learnt beforehand.

    Args:
        pivot: as in `NetworkGroup`.
        students: likewise.
        name: the name of the group.

    Raises:
        ValueError: as in `NetworkGroup`.

    Example:

    >>> networks = [models.build(name, (8, 8, 1), 10) for name in ("resnet14", "resnet8")]
    >>> group = orc_keras.Alone(networks[0], networks[1:])
    >>> group.compile(keras.optimizers.SGD(0.05, momentum=0.9))
    >>> history = group.fit(images, labels, verbose=0)
    """

    way = "cross-entropy, without a teacher"
    pivot_learns_before = False
