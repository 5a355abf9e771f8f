import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from orc_keras.groups import optimizers


def _step(optimizer, weight, gradients):
    variable = keras.Variable(weight)
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient)])
    return variable.numpy()


def test_l2_is_added_to_the_gradient_before_momentum():
    # g + l2 w: 1 + 0.1 * 2 = 1.2; velocity -0.6, w = 1.4; then 1 + 0.14, velocity -0.54 - 0.57
    weight = _step(optimizers.L2SGD(0.5, momentum=0.9, l2=0.1), 2.0, [1.0, 1.0])
    assert weight == pytest.approx(2.0 - 0.6 - (0.9 * 0.6 + 0.5 * 1.14))


def test_without_l2_it_is_keras_sgd():
    arguments = dict(learning_rate=0.1, momentum=0.9)
    ours = _step(optimizers.L2SGD(**arguments), 2.0, [1.0, -3.0])
    assert ours == _step(keras.optimizers.SGD(**arguments), 2.0, [1.0, -3.0])


def test_negative_l2_is_refused():
    with pytest.raises(ValueError, match="l2 must be 0 or more, not -1"):
        optimizers.L2SGD(l2=-1)


@pytest.mark.parametrize("rate", [math.nan, math.inf, -0.1, 1e38])
def test_impossible_learning_rates_are_refused_by_every_entrance(group, rate):
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([5], [rate, 0.1])
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(rate))
    before = group.optimizer
    for optimizer in (keras.optimizers.Adam(rate), keras.optimizers.SGD(schedule), scaled):
        with pytest.raises(ValueError, match="^learning_rate must be .*, not "):
            group.compile(optimizer)
    with pytest.raises(ValueError, match="^learning_rate must be .*, not "):
        optimizers.L2SGD(rate)
    with pytest.raises(ValueError, match="^learning_rate_factors.'large'. must be .*, not "):
        group.compile("sgd", learning_rate_factors={"large": rate})
    assert group.optimizer is before


def test_a_copy_has_the_settings_but_not_the_state():
    optimizer = optimizers.L2SGD(0.5, momentum=0.9, l2=0.1)
    expected = _step(optimizer, 2.0, [1.0, 1.0])
    assert _step(optimizers.copy_of(optimizer), 2.0, [1.0, 1.0]) == expected


def test_a_copy_follows_the_learning_rate():
    optimizer = keras.optimizers.Adam(0.5)
    copy = optimizers.copy_of(optimizer)
    optimizer.learning_rate = 0.25
    assert float(copy.learning_rate) == 0.25


def test_a_copy_follows_a_function():
    rate = tf.Variable(0.5)
    copy = optimizers.copy_of(keras.optimizers.SGD(rate.read_value), 0.5)
    rate.assign(0.25)
    assert _step(copy, 2.0, [1.0]) == pytest.approx(2.0 - 0.125)


def test_a_copy_follows_a_schedule_by_its_own_iterations():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([0], [0.5, 0.05])
    for factor in (1, 0.5):
        copy = optimizers.copy_of(keras.optimizers.SGD(schedule), factor)
        copy = type(copy).from_config(copy.get_config())
        assert _step(copy, 2.0, [1.0, 1.0]) == pytest.approx(2.0 - factor * (0.5 + 0.05))


def test_a_copy_of_a_loss_scale_optimizer_is_one():
    optimizer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.5), initial_scale=8.0, dynamic_growth_steps=3
    )
    copy = optimizers.copy_of(optimizer)
    assert (copy.initial_scale, copy.dynamic_growth_steps) == (8.0, 3)
    optimizer.learning_rate = 0.25
    assert float(copy.learning_rate) == 0.25


@pytest.mark.parametrize("name", ["sgd", "adam", "loss_scale"])
def test_a_step_that_is_off_leaves_no_trace(name, strategy):
    """Weights, momentum and iterations: those of a run that never had the steps turned off."""

    def run(gates):
        with strategy.scope():
            variable = keras.Variable([1.0, 2.0])
            optimizer = {
                "sgd": lambda: optimizers.L2SGD(0.1, momentum=0.9, l2=0.1),
                "adam": lambda: keras.optimizers.Adam(0.1),
                "loss_scale": lambda: keras.optimizers.LossScaleOptimizer(
                    keras.optimizers.SGD(0.1)
                ),
            }[name]()
            optimizer.build([variable])

        @tf.function
        def train(when):
            def step():
                with tf.GradientTape(persistent=True) as tape:
                    loss = optimizer.scale_loss(tf.reduce_sum(variable.value**2) / 2)
                optimizers.step(optimizer, tape, loss, [variable], when)

            strategy.run(step)

        for gate in gates:
            train(tf.constant(gate))
        return [v.numpy() for v in (variable, *optimizer.variables)]

    gated, ungated = run([True, False, False, True, False]), run([True, True])
    for ours, theirs in zip(gated, ungated, strict=True):
        np.testing.assert_array_equal(ours, theirs)
