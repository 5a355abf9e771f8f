import keras
import numpy as np
import pytest
import tensorflow as tf

from orc_keras.models.normalization import BatchNormalization


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-5), ("mixed_bfloat16", 1e-2)])
@pytest.mark.parametrize("training", [True, False])
def test_computes_what_the_stock_layer_does(dtype, tolerance, training):
    """Outputs, gradients and moving statistics, with few enough pixels to tell the variances."""
    rng = np.random.default_rng(0)
    images, weights = rng.normal(2, 3, (2, 3, 2, 5)), rng.uniform(0.5, 2, (4, 5))

    def everything(layer):
        layer.build(images.shape)
        layer.set_weights(weights)
        inputs = tf.constant(images, layer.compute_dtype)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=training)
            loss = tf.reduce_sum(tf.cast(outputs, tf.float32) ** 3)
        gradients = tape.gradient(loss, [inputs, *(w.value for w in layer.trainable_weights)])
        return [tf.cast(x, tf.float32).numpy() for x in (outputs, *gradients)] + layer.get_weights()

    ours = everything(BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=dtype))
    stock = everything(keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=dtype))
    for actual, expected in zip(ours, stock, strict=True):
        np.testing.assert_allclose(actual, expected, atol=tolerance * np.abs(expected).max())
    moved = not np.allclose(ours[-1], weights[-1])
    assert moved == training


@pytest.mark.parametrize("without", [{"scale": False}, {"center": False}])
def test_without_a_weight_or_of_vectors_it_is_the_stock_layer(without):
    images = np.random.default_rng(0).normal(2, 3, (4, 3, 3, 5)).astype("float32")
    for inputs, options in ((images, without), (images[:, 0, 0], {})):
        ours = BatchNormalization(**options)(inputs, training=True)
        stock = keras.layers.BatchNormalization(**options)(inputs, training=True)
        np.testing.assert_allclose(ours, stock, atol=1e-5)


def test_a_file_names_the_layer_that_it_is():
    layer = keras.saving.serialize_keras_object(BatchNormalization(synchronized=True))
    assert layer["registered_name"] == "orc_keras>BatchNormalization"
    loaded = keras.saving.deserialize_keras_object(layer)
    assert type(loaded) is BatchNormalization and loaded.synchronized
