"""The weights of the samples in a mini-batch, over all replicas."""

from typing import NamedTuple

import tensorflow as tf


class SampleWeights(NamedTuple):
    """The weights of a replica's samples, and what a mean over all replicas is divided by.

    A sample's weight multiplies its loss, whichever terms that has, and what it counts in the means
    by which confidence is judged (our reading: the paper has no weights). So a weight of 0 leaves
    the sample out, except that BatchNorm sees it.

    Attributes:
        unscaled: as the user states them, float32 `[B]`; metrics go over many mini-batches.
        relative: w, the same relative to the largest in the mini-batch.
        total: the sum of w over all replicas, a scalar.
    """

    unscaled: tf.Tensor
    relative: tf.Tensor
    total: tf.Tensor

    def sum(self, values: tf.Tensor) -> tf.Tensor:
        """Returns the weighted sum of values by sample, `[..., B]`, over this replica."""
        return tf.reduce_sum(self.relative * values, axis=-1)

    def global_mean(self, values: tf.Tensor) -> tf.Tensor:
        """Returns the weighted mean of values by sample, `[..., B]`, over all replicas."""
        replicas = tf.distribute.get_replica_context()
        return self.divide_by_total(
            replicas.all_reduce(tf.distribute.ReduceOp.SUM, self.sum(values))
        )

    def divide_by_total(self, total: tf.Tensor) -> tf.Tensor:
        """Returns a weighted sum, of this replica or of all, divided by the sum of all weights."""
        return tf.math.divide_no_nan(total, self.total)


def make_sample_weights(unscaled: tf.Tensor | None, labels: tf.Tensor) -> SampleWeights:
    """Returns the `SampleWeights` of a mini-batch.

    Weights are taken relative to the largest, so that equal ones, whatever they are, change not a
    bit.

    Args:
        unscaled: this replica's weights, `[B]`; None: all are 1.
        labels: `[B]`.
    """
    replicas = tf.distribute.get_replica_context()
    if unscaled is None:
        weights = unscaled = tf.ones(tf.shape(labels))
    else:
        largest = tf.reduce_max(replicas.all_gather(unscaled, axis=0))
        weights = tf.math.divide_no_nan(unscaled, largest)
    total = replicas.all_reduce(tf.distribute.ReduceOp.SUM, tf.reduce_sum(weights))
    return SampleWeights(unscaled, weights, total)
