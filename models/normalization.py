"""BatchNorm as one fused operation; Keras 3 uses about a dozen."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("orc_keras")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` of images, computed by TensorFlow's fused kernel.

    The results are Keras's up to rounding, the biased moving variance included. With
    `synchronized=True`, for which there is no fused kernel, replicas sum their statistics; unlike
    Keras's, that can be differentiated inside a branch (`tf.cond`). The weights are those of
    Keras's layer, which replaces this one in exported networks.

    Examples:
        >>> layer = BatchNormalization(momentum=0.9, epsilon=1e-5)
        >>> layer(np.ones((2, 4, 4, 3), "float32"), training=True).shape
        TensorShape([2, 4, 4, 3])
    """

    def call(self, inputs, training=None, mask=None):
        learns = training and self.trainable
        # The fused kernel takes images and both weights, in float32.
        is_fused = mask is None and self.variable_dtype == "float32" and len(inputs.shape) == 4
        is_fused = is_fused and self.scale and self.center
        if not is_fused or (self.synchronized and not learns):
            return super().call(inputs, training=training, mask=mask)
        if self.synchronized:
            return self._synchronised(inputs)
        if not learns:
            return self._normalised(inputs, self.moving_mean, self.moving_variance)[0]
        outputs, mean, variance = self._normalised(inputs)
        # The kernel returns the unbiased variance; Keras's moving variance is biased.
        count = tf.cast(tf.size(inputs) // inputs.shape[-1], variance.dtype)
        self._move(self.moving_mean, mean)
        self._move(self.moving_variance, variance * ((count - 1) / count))
        return outputs

    def _synchronised(self, inputs):
        """Normalises by the statistics of the mini-batch of all replicas."""
        x = tf.cast(inputs, tf.float32)  # sums of squares overflow in float16
        # Sums and the count, in one all-reduce, give the statistics of replicas with unequal parts.
        sums = [tf.reduce_sum(each, [0, 1, 2]) for each in (x, x**2, tf.ones_like(x))]
        total, of_squares, count = tf.unstack(_sum_over_replicas(tf.stack(sums)))
        mean = total / count
        variance = tf.maximum(of_squares / count - mean**2, 0)
        self._move(self.moving_mean, mean)
        self._move(self.moving_variance, variance)
        gamma, beta = tf.convert_to_tensor(self.gamma), tf.convert_to_tensor(self.beta)
        outputs = tf.nn.batch_normalization(x, mean, variance, beta, gamma, self.epsilon)
        return tf.cast(outputs, self.compute_dtype)

    def _normalised(self, inputs, mean=None, variance=None):
        statistics = [None if x is None else tf.convert_to_tensor(x) for x in (mean, variance)]
        return tf.compat.v1.nn.fused_batch_norm(
            inputs,
            tf.convert_to_tensor(self.gamma),
            tf.convert_to_tensor(self.beta),
            *statistics,
            epsilon=self.epsilon,
            is_training=mean is None,
        )

    def _move(self, statistic, towards):
        statistic.assign(statistic * self.momentum + towards * (1 - self.momentum))


@tf.custom_gradient
def _sum_over_replicas(x):
    """Sums over replicas, and so does its gradient: each sum depends on every replica's x.

    A custom gradient, because it has to ask for the replica context where the gradient is taken,
    which may be inside a branch (`cross_replica_cond`).
    """

    def all_reduce(x):
        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.SUM, x) if context else x

    return all_reduce(x), all_reduce
