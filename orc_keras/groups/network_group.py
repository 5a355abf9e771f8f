"""NetworkGroup: several networks, trained as one `keras.Model`."""

import keras
import tensorflow as tf

from orc_keras.callbacks.own import with_own
from orc_keras.checks import check, check_count, check_number
from orc_keras.groups import mini_batch
from orc_keras.groups.member_metrics import MeasuredMembers
from orc_keras.groups.members import as_list, check_synchronised
from orc_keras.training import optimizers


class NetworkGroup(MeasuredMembers):
    """Networks with the same input and the same classes, with an optimizer and metrics each.

    It is the common part of all ways to train a group; a subclass says how in `train_step`.
    Called on images, it answers with the logits of the student, its last member.

    Args:
        pivot: the pivot teacher, a built `keras.Model` from images to logits.
        students: the other networks, likewise; the last one is *the* student.
        name: the name of the group.

    Attributes:
        members: the networks by name, the pivot first, in order. A network that is called like
            an earlier one gets a number: `wrn_40_1`, `wrn_40_1_2`, ...
        optimizers: after `compile`, the optimizer of each member, by name.
        way: how the group learns, in words.
        pivot_learns_before: whether the pivot is to be trained by itself before the group.
        stages: which members learn, stage after stage: names of members by the stage's name. Most
            groups have one stage, "group".
        learners: names of the members that learn in the stage that has been entered.

    Raises:
        ValueError: if a member is not built, shares weights with another, does not return logits,
            or differs from the others in its input or number of classes; if there are no
            students.
    """

    way = "several networks, trained as one"
    pivot_learns_before = True

    def __init__(self, pivot, students, name=None):
        super().__init__([pivot, *as_list("students", students)], name=name)
        self.optimizers = {}
        self.enter(next(iter(self.stages)))

    @property
    def stages(self):
        return {"group": tuple(self.members)}

    def enter(self, stage):
        """Begins a stage, in which `fit` teaches `stages[stage]`; the first is entered already."""
        if stage not in self.stages:
            raise ValueError(f"A stage must be one of {', '.join(self.stages)}, not {stage}.")
        self.learners = self.stages[stage]
        if self.compiled:
            self.make_train_function(force=True)  # has to be traced anew

    def compile(
        self,
        optimizer,
        *others,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile=False,
        auto_scale_loss=True,
        **unsupported,
    ):
        """Gives every member its own copy of the optimizer.

        The student has the given one itself, `group.optimizer`. The learning rates of the others
        follow it, so that a callback which sets it sets all of them. Losses are not an argument:
        they are what the way of training consists of.

        Args:
            optimizer: a Keras optimizer or its name.
            run_eagerly: as in `keras.Model.compile`; so are the other arguments, but XLA is off
                unless asked for.
            *others: none; Keras's second argument is a loss.
            **unsupported: none.

        Raises:
            ValueError: if there are other arguments, such as a loss or metrics; if the optimizer
                averages weights (`use_ema=True`), because Keras would assign the student's averages
                to the other members; on several replicas, if XLA is asked for, or a member has
                BatchNorms that Keras synchronises.
        """
        _check_compilation(others, unsupported)
        check_count("steps_per_execution", steps_per_execution, smallest=1)
        for name, given in dict(
            run_eagerly=run_eagerly, jit_compile=jit_compile, auto_scale_loss=auto_scale_loss
        ).items():
            check(name, given, isinstance(given, bool), "True or False")
        replicas = self.distribute_strategy.num_replicas_in_sync
        if jit_compile and replicas > 1:
            raise ValueError(f"jit_compile works on one device, not on {replicas} replicas.")
        if replicas > 1:
            check_synchronised(self.members)
        with self.distribute_strategy.scope():
            optimizer = self._own_optimizer(optimizer)
            if getattr(getattr(optimizer, "inner_optimizer", optimizer), "use_ema", False):
                raise ValueError(
                    "An optimizer with use_ema=True cannot train a group; leave use_ema off."
                )
            super().compile(
                optimizer,
                run_eagerly=run_eagerly,
                steps_per_execution=steps_per_execution,
                jit_compile=jit_compile,
                auto_scale_loss=auto_scale_loss,
            )
            self.optimizers = {
                **{name: optimizers.copy_of(self.optimizer) for name in list(self.members)[:-1]},
                self.student_names[-1]: self.optimizer,
            }
            # Built now: Keras would build the student's for all members' variables, and restores
            # nothing into an optimizer that is not built.
            for name, network in self.members.items():
                if not self.optimizers[name].built:
                    self.optimizers[name].build(network.trainable_variables)
            self.track_in_checkpoints("optimizer_of", self.optimizers)

    def _own_optimizer(self, given):
        """Returns an optimizer that is no other model's, or says what is wrong with it."""
        if not isinstance(given, str | keras.optimizers.Optimizer):
            raise ValueError(
                f"optimizer must be a Keras optimizer or its name, not {type(given).__name__}."
            )
        optimizer = keras.optimizers.get(given)
        if optimizer.built and optimizer is not getattr(self, "optimizer", None):
            raise ValueError(
                f"The optimizer {optimizer.name} has trained another model; give a new one."
            )
        return optimizer

    def compile_from_config(self, config):
        config = keras.saving.deserialize_keras_object(config)
        arguments = ("optimizer", "run_eagerly", "steps_per_execution", "jit_compile")
        self.compile(**{argument: config[argument] for argument in arguments})

    def fit(self, x=None, *args, callbacks=None, **kwargs):
        """Trains as `keras.Model.fit` does, with a progress bar of the student's numbers only.

        For a bar of every member's, give a `keras.callbacks.ProgbarLogger` among the callbacks.

        Raises:
            ValueError: if there is nothing to learn from, a label is no class, an image is not
                finite, or there are weights of samples or classes.
        """
        mini_batch.check_given(x)
        if kwargs.get("batch_size") is not None:
            check_count("batch_size", kwargs["batch_size"], smallest=1)
        split = kwargs.get("validation_split", 0.0)
        check_number("validation_split", split, lambda part: 0 <= part < 1, "from 0 to below 1")
        with mini_batch.in_words():
            return super().fit(x, *args, callbacks=with_own(callbacks), **kwargs)

    def evaluate(self, x=None, *args, callbacks=None, **kwargs):
        """Evaluates every member as `keras.Model.evaluate` does; bar and errors as `fit`."""
        mini_batch.check_given(x)
        with mini_batch.in_words():
            return super().evaluate(x, *args, callbacks=with_own(callbacks), **kwargs)

    def train_on_batch(self, x, *args, **kwargs):
        """Trains on one mini-batch as `keras.Model.train_on_batch` does; errors as `fit`."""
        mini_batch.check_given(x)
        with mini_batch.in_words():
            return super().train_on_batch(x, *args, **kwargs)

    def test_on_batch(self, x, *args, **kwargs):
        """Evaluates one mini-batch as `keras.Model.test_on_batch` does; errors as `fit`."""
        mini_batch.check_given(x)
        with mini_batch.in_words():
            return super().test_on_batch(x, *args, **kwargs)

    def add_state(self, name, shape, dtype):
        """Returns a variable that belongs to the training and is the same on every replica."""
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=dtype,
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )

    def global_batch(self, labels):
        """Returns the number of samples in the mini-batch of all replicas, a float32 scalar."""
        samples = tf.cast(tf.shape(labels)[0], tf.float32)
        replicas = tf.distribute.get_replica_context()
        return replicas.all_reduce(tf.distribute.ReduceOp.SUM, samples)

    def learn(self, name, tape, sample_losses, global_batch, when=None):
        """One optimizer step of member `name` along the mean of `sample_losses`.

        Args:
            name: of the member.
            tape: a persistent `tf.GradientTape` that has recorded `sample_losses`.
            sample_losses: the loss of each sample of this replica, shape `[B]`.
            global_batch: that of `global_batch`. Gradients are summed over replicas, so the mean
                has to be over the samples of all of them.
            when: a boolean, the same on every replica; False turns the step off.
        """
        optimizer = self.optimizers[name]
        with tape:
            loss = optimizer.scale_loss(tf.reduce_sum(sample_losses) / global_batch)
        optimizers.step(optimizer, tape, loss, self.members[name].trainable_variables, when)

    def get_config(self):
        return {
            "name": self.name,
            "pivot": keras.saving.serialize_keras_object(self.pivot),
            "students": keras.saving.serialize_keras_object(self.students),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        networks = {
            key: keras.saving.deserialize_keras_object(config[key], custom_objects)
            for key in ("pivot", "students")
        }
        return cls(**config | networks)


def _check_compilation(others, unsupported):
    """Refuses a loss, metrics and whatever else `keras.Model.compile` takes, unless it is None."""
    given = [f"{other!r}" for other in others if other is not None]
    given += [name for name, value in unsupported.items() if value is not None]
    if given:
        raise ValueError(
            f"A group cannot be compiled with {', '.join(given)}: its losses and metrics are those "
            "of the method. It takes optimizer, run_eagerly, steps_per_execution, jit_compile and "
            "auto_scale_loss."
        )
