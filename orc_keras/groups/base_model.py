"""What a group changes in `keras.Model`. The only use of a private Keras name is here."""

import contextlib
from typing import Annotated

import keras
import tensorflow as tf

from orc_keras.arguments import Argument, Range
from orc_keras.groups import input_validation
from orc_keras.groups.default_callbacks import default_callbacks
from orc_keras.groups.members import image_shape

BATCH_SIZE = Argument("batch_size", Annotated[int, Range(at_least=1)])
VALIDATION_SPLIT = Argument("validation_split", Annotated[float, Range(at_least=0, below=1)])
OWN_OPTIONS = ("label_smoothing", "learning_rate_factors")  # of `compile`, besides Keras's


class GroupModel(keras.Model):
    """A `keras.Model` that checks its data and also trains on several machines.

    Everything must be built before `fit`, and a step must return `per_replica` of its metrics.
    Calls and exports go to `student`, a network that a subclass provides.

    Attributes:
        is_evaluating: whether metrics are those of an evaluation, not of training.
    """

    is_evaluating = False

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # keras-team/keras#20585: to infer shapes, Keras sums the replicas' parts of a mini-batch,
        # which fails on several machines, or if the parts differ in size.
        pass

    def get_compile_config(self):
        return super().get_compile_config() | {n: getattr(self, n) for n in OWN_OPTIONS}

    def compile_from_config(self, config):
        own = {name: config[name] for name in OWN_OPTIONS if name in config}
        config = keras.saving.deserialize_keras_object(config)
        arguments = ("optimizer", "run_eagerly", "steps_per_execution", "jit_compile")
        self.compile(**{argument: config[argument] for argument in arguments}, **own)

    def call(self, images, training=None):
        return self.student(images, training=training)

    def export(self, *args, **kwargs):
        """Exports the student as `keras.Model.export` does, even if it was never called."""
        images = keras.InputSpec(shape=(None, *image_shape(self.student)), dtype="float32")
        return super().export(*args, **{"input_signature": [images], **kwargs})

    def fit(self, x=None, *args, callbacks=None, **kwargs):
        """Trains as `keras.Model.fit` does, with a progress bar of the student's metrics only.

        For a bar of all members, pass a `keras.callbacks.ProgbarLogger` among the callbacks. What
        `sample_weight` and `class_weight` do, `SampleWeights` says.

        Raises:
            ValueError: if there are no images, a label is not a class, or an image or a weight is
                not finite.
        """
        if kwargs.get("batch_size") is not None:
            BATCH_SIZE.check(kwargs["batch_size"])
        VALIDATION_SPLIT.check(kwargs.get("validation_split", 0.0))
        with input_validation.checked(x):
            return super().fit(x, *args, callbacks=default_callbacks(callbacks), **kwargs)

    def evaluate(self, x=None, *args, callbacks=None, **kwargs):
        """Evaluates every member as `keras.Model.evaluate` does; bar and errors as in `fit`."""
        with input_validation.checked(x), self.evaluating():
            return super().evaluate(x, *args, callbacks=default_callbacks(callbacks), **kwargs)

    def train_on_batch(self, x, *args, **kwargs):
        """Trains on one mini-batch as `keras.Model.train_on_batch` does; errors as in `fit`."""
        with input_validation.checked(x):
            return super().train_on_batch(x, *args, **kwargs)

    def test_on_batch(self, x, *args, **kwargs):
        """Evaluates one mini-batch as `keras.Model.test_on_batch` does; errors as in `fit`."""
        with input_validation.checked(x), self.evaluating():
            return super().test_on_batch(x, *args, **kwargs)

    @contextlib.contextmanager
    def evaluating(self):
        """A context in which metrics are those of an evaluation."""
        earlier, self.is_evaluating = self.is_evaluating, True
        try:
            yield
        finally:
            self.is_evaluating = earlier


def per_replica(metrics):
    """Returns the metrics of a step in a shape that Keras can reduce over replicas.

    keras-team/keras#20329: on several machines Keras averages each metric over its first axis,
    which a scalar lacks.

    Args:
        metrics: scalars by name.
    """
    strategy = tf.distribute.get_strategy()
    is_multi_worker = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    return {n: value[None] for n, value in metrics.items()} if is_multi_worker else metrics
