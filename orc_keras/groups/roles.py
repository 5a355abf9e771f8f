"""Who teaches: the most confident students of a mini-batch. `N` students, `k` teachers."""

import tensorflow as tf


def promote(mean_losses: tf.Tensor, num_temporary_teachers: int) -> tf.Tensor:
    """Chooses the students that become temporary teachers (step 2).

    Confidence is the negative mean loss over the global mini-batch. Ties go to the earlier student.

    Args:
        mean_losses: L, the mean cross-entropy of each student, shape `[N]`.
        num_temporary_teachers: k, fewer than N.

    Returns:
        Indices of the k chosen students, most confident first; int32 of shape `[k]`.

    Examples:
        >>> promote([0.9, 0.2, 0.5], num_temporary_teachers=1).numpy()
        array([1], dtype=int32)
    """
    return tf.math.top_k(tf.negative(mean_losses), num_temporary_teachers).indices


def as_mask(teachers: tf.Tensor, num_students: int) -> tf.Tensor:
    """Turns indices of shape `[k]` into a boolean per student, of shape `[N]`."""
    return tf.reduce_any(tf.equal(tf.range(num_students)[:, None], teachers), axis=1)
