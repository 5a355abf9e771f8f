"""The feedback to the pivot: the samples that the student group finds hardest.

`N` students, `B` samples in the mini-batch; with several replicas, in a replica's part of it.
"""

import tensorflow as tf


def allocate(mean_losses: tf.Tensor, is_teacher: tf.Tensor, num_samples: tf.Tensor) -> tf.Tensor:
    """Divides the samples of the feedback among the student group (step 3).

    A student's share is the softmax of its mean loss over the student group R, rounded to whole
    samples by the largest-remainder method; of equal remainders the earlier student's is first.

    Args:
        mean_losses: L, shape `[N]`.
        is_teacher: True for a temporary teacher, which hands in no samples; shape `[N]`.
        num_samples: B, the number of samples.

    Returns:
        The number of each student's samples, int32 of shape `[N]`; the sum is `num_samples`.

    Examples:
        >>> allocate([0.5, 0.5, 0.1], [False, False, True], num_samples=5).numpy()
        array([3, 2, 0], dtype=int32)
    """
    mean_losses = tf.convert_to_tensor(mean_losses)
    # A diverged student counts as loss 0, so that the step can end and a callback report it.
    mean_losses = tf.where(tf.math.is_finite(mean_losses), mean_losses, 0.0)
    softmax = tf.nn.softmax(tf.where(is_teacher, -float("inf"), mean_losses))
    exact = softmax * tf.cast(num_samples, softmax.dtype)
    whole = tf.cast(tf.floor(exact), tf.int32)
    # The argsort of an argsort is each student's rank; the first ranks get the samples left over.
    by_remainder = tf.argsort(tf.floor(exact) - exact, stable=True)
    rank = tf.argsort(by_remainder, stable=True)
    return whole + tf.cast(rank < num_samples - tf.reduce_sum(whole), tf.int32)


def select_hardest(sample_losses: tf.Tensor, allocation: tf.Tensor) -> tf.Tensor:
    """Selects each student's samples of largest loss (step 3).

    A sample that several students find hard appears several times.

    Args:
        sample_losses: l, the cross-entropy of each sample by each student, shape `[N, B]`.
        allocation: the number of samples of each student, shape `[N]`, whose sum is B.

    Returns:
        Indices in the mini-batch, student by student, int32 of shape `[B]`.

    Examples:
        >>> select_hardest([[0.1, 0.9, 0.5], [0.3, 0.2, 0.1]], allocation=[2, 1]).numpy()
        array([1, 2, 0], dtype=int32)
    """
    hardest_first = tf.argsort(sample_losses, direction="DESCENDING", stable=True)
    index = tf.range(tf.shape(hardest_first)[1])
    ends = tf.cumsum(allocation)  # where each student's samples end, and the next one's begin
    student = tf.searchsorted(ends, index, side="right")
    rank = index - tf.gather(ends - allocation, student)
    return tf.gather_nd(hardest_first, tf.stack([student, rank], axis=1))


def shuffle(indices: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Shuffles indices of shape `[B]`, in a form that XLA can compile."""
    return tf.gather(indices, tf.argsort(tf.random.stateless_uniform(tf.shape(indices), seed)))


def mixing_ratio(alpha: float, seed: tf.Tensor) -> tf.Tensor:
    """Draws lambda ~ Beta(alpha, alpha), the mini-batch's weight in mixup (step 4).

    Inverts the distribution function at a uniform number by bisection, because XLA cannot compile
    TensorFlow's gamma sampler.

    Args:
        alpha: 0 or more; 0 means lambda = 1, no mixing.
        seed: of the stateless random numbers, two integers.

    Returns:
        A float32 scalar from 0 to 1.
    """
    if alpha == 0:
        return tf.ones([])
    uniform = tf.random.stateless_uniform([], seed)
    ratio, width = tf.constant(0.5), 0.5
    for _ in range(24):  # the bits of a float32's significand
        width /= 2
        ratio += tf.where(tf.math.betainc(alpha, alpha, ratio) < uniform, width, -width)
    return ratio
