"""The feedback to the pivot: the samples that the student group finds hardest.

`N` students, `B` samples in the mini-batch; with several replicas, in a replica's part of it.
"""

import tensorflow as tf


def shares(mean_losses, is_teacher, places):
    """Divides the places of the feedback among the student group (step 3).

    A student's share is the softmax of its mean loss over the student group R, rounded to whole
    places by the largest-remainder method; of equal remainders the earlier student's is first.

    Args:
        mean_losses: L, shape `[N]`.
        is_teacher: True for a temporary teacher, which gets no places; shape `[N]`.
        places: B, how many places there are.

    Returns:
        Places of each student, int32 of shape `[N]`, which add up to `places`.

    Example:

    >>> shares([0.5, 0.5, 0.1], [False, False, True], places=5).numpy()
    array([3, 2, 0], dtype=int32)
    """
    mean_losses = tf.convert_to_tensor(mean_losses)
    # A diverged student counts as loss 0, so that the step can end and a callback report it.
    mean_losses = tf.where(tf.math.is_finite(mean_losses), mean_losses, 0.0)
    softmax = tf.nn.softmax(tf.where(is_teacher, -float("inf"), mean_losses))
    exact = softmax * tf.cast(places, softmax.dtype)
    whole = tf.cast(tf.floor(exact), tf.int32)
    # The argsort of an argsort is each student's rank; the first ranks get the places left over.
    by_remainder = tf.argsort(tf.floor(exact) - exact, stable=True)
    rank = tf.argsort(by_remainder, stable=True)
    return whole + tf.cast(rank < places - tf.reduce_sum(whole), tf.int32)


def collect(sample_losses, shares):
    """Fills each student's share with its samples of largest loss (step 3).

    A sample that several students find hard appears several times.

    Args:
        sample_losses: l, the cross-entropy of each sample by each student, shape `[N, B]`.
        shares: places of each student, shape `[N]`, which add up to B.

    Returns:
        Positions in the mini-batch, student by student, int32 of shape `[B]`.

    Example:

    >>> collect([[0.1, 0.9, 0.5], [0.3, 0.2, 0.1]], shares=[2, 1]).numpy()
    array([1, 2, 0], dtype=int32)
    """
    hardest_first = tf.argsort(sample_losses, direction="DESCENDING", stable=True)
    place = tf.range(tf.shape(hardest_first)[1])
    ends = tf.cumsum(shares)  # where each student's places end, and the next one's begin
    student = tf.searchsorted(ends, place, side="right")
    rank = place - tf.gather(ends - shares, student)
    return tf.gather_nd(hardest_first, tf.stack([student, rank], axis=1))


def shuffle(positions, seed):
    """Shuffles positions of shape `[B]`, in a form that XLA can compile."""
    return tf.gather(positions, tf.argsort(tf.random.stateless_uniform(tf.shape(positions), seed)))


def mixing_ratio(alpha, seed):
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
