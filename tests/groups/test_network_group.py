import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers.networks import IMAGE_SHAPE, NUM_CLASSES, hidden_group_members

import orc_keras
from orc_keras.arguments import arguments_of
from orc_keras.groups import optimizers


@pytest.fixture
def group():
    """A group that is trained without a graph: each test makes a few steps."""
    group = orc_keras.OnlineRoleChange(*hidden_group_members())
    group.compile(keras.optimizers.SGD(0.1, momentum=0.9), run_eagerly=True)
    return group


def test_members_by_name_and_role(group):
    assert list(group.members) == ["pivot", "large", "middle", "small"]
    assert group.pivot is group.members["pivot"]
    assert [s.name for s in group.students] == ["large", "middle", "small"]
    assert group.student is group.members["small"]


@pytest.mark.parametrize("name", ["val", "val_large"])
def test_no_member_is_called_as_held_out_metrics_are(name):
    pivot, students = hidden_group_members()
    students[0].name = name
    with pytest.raises(ValueError, match=f"cannot be called {name}, because {name}_accuracy is"):
        orc_keras.Alone(pivot, students)
    students[0].name = "large"
    orc_keras.Alone(pivot, students)


def test_metrics_of_training_and_evaluation(group, examples):
    fit = dict(batch_size=40, verbose=0, shuffle=False, validation_data=examples)
    history = group.fit(*examples, **fit).history
    names = list(group.members)
    both = {"loss", "accuracy"} | {f"{n}_{m}" for n in names for m in ("loss", "accuracy")}
    taught = {f"{name}_taught" for name in names[1:]}
    of_training = {f"{t}_teaching" for t in ("intensive", "private", "group")} | {"confidence_gap"}
    assert set(history) == both | taught | of_training | {f"val_{key}" for key in both}
    assert set(group.evaluate(*examples, verbose=0, return_dict=True)) == both


def test_evaluation_against_numpy(examples, strategy):
    """Every image counts once, also in a last mini-batch of another size."""
    with strategy.scope():
        group = orc_keras.OnlineRoleChange(*hidden_group_members())
        group.compile("sgd")
    images, labels = examples[0][:77], examples[1][:77]
    results = group.evaluate(images, labels, batch_size=10, verbose=0, return_dict=True)
    for name, network in group.members.items():
        logits = np.array(network(images), np.float64)
        losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(77), labels]
        assert results[f"{name}_loss"] == pytest.approx(losses.mean(), rel=1e-5)
        accuracy = (logits.argmax(axis=1) == labels).mean()
        assert results[f"{name}_accuracy"] == pytest.approx(accuracy, rel=1e-5)
    assert (results["loss"], results["accuracy"]) == (
        results["small_loss"],
        results["small_accuracy"],
    )


def test_the_training_loss_is_the_cross_entropy_before_the_step(group, examples):
    """It is what confidence is, and comparable with the held-out loss."""
    before = group.evaluate(*examples, verbose=0, return_dict=True)
    history = group.fit(*examples, batch_size=80, verbose=0).history
    for name in group.student_names:
        assert history[f"{name}_loss"] == pytest.approx([before[f"{name}_loss"]], rel=1e-5)


@pytest.mark.parametrize("optimizer", [keras.optimizers.SGD(0.1, momentum=0.9), "adamw", "lion"])
def test_any_keras_optimizer(examples, optimizer):
    group = orc_keras.OnlineRoleChange(*hidden_group_members())
    group.compile(optimizer, run_eagerly=True)
    copies = list(group.optimizers.values())
    assert group.optimizer is group.optimizers["small"]
    assert len({id(o) for o in copies}) == 4 and len({type(o) for o in copies}) == 1
    before = [w.numpy() for w in group.trainable_weights]
    group.fit(*examples, batch_size=80, verbose=0)
    assert all(np.abs(a - b).max() > 0 for a, b in zip(before, group.trainable_weights))


@pytest.mark.parametrize("wrap", [lambda o: o, keras.optimizers.LossScaleOptimizer])
def test_averaging_optimizers_are_refused(wrap):
    group = orc_keras.OnlineRoleChange(*hidden_group_members())
    with pytest.raises(ValueError, match="use_ema=True cannot train a group"):
        group.compile(wrap(keras.optimizers.SGD(use_ema=True)))


def test_a_frozen_pivot_stays_as_it_is(examples):
    pivot, students = hidden_group_members()
    pivot.trainable = False
    group = orc_keras.OnlineRoleChange(pivot, students)
    group.compile("sgd", run_eagerly=True)
    before = pivot.get_weights()
    group.fit(*examples, batch_size=40, verbose=0)
    for ours, theirs in zip(pivot.get_weights(), before):
        np.testing.assert_array_equal(ours, theirs)


def test_weights_hold_momentum_and_roles(few, tmp_path):
    """A group whose weights were saved and loaded goes on exactly like the one that was not."""
    fit = dict(batch_size=8, shuffle=False, verbose=0)

    def compiled():
        group = orc_keras.OnlineRoleChange(*hidden_group_members())
        group.compile(keras.optimizers.SGD(0.1, momentum=0.9), run_eagerly=True)
        return group

    group, loaded = compiled(), compiled()
    group.fit(*few, **fit)
    group.save_weights(tmp_path / "group.weights.h5")
    loaded.load_weights(tmp_path / "group.weights.h5")
    assert int(loaded.role_record.mini_batches.numpy()) == 4
    for each in (group, loaded):
        each.fit(*few, **fit)
    for ours, theirs in zip(loaded.get_weights(), group.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_settings_survive_saving(tmp_path):
    arguments = dict(
        temperature=3.0,
        distillation_weight=0.9,
        mixup_alpha=0.2,
        num_temporary_teachers=2,
        role_change_interval=5,
        seed=7,
        teachings=("group", "intensive"),
        teacher_aggregation="ensemble",
        fixed_teacher="",
        feedback="training",
        teacher_bn_mode="inference",
        distillation_warmup=9,
        pivot_learning_rate=0.1,
    )
    assert set(arguments) == set(arguments_of(orc_keras.OnlineRoleChange))
    group = orc_keras.OnlineRoleChange(*hidden_group_members(), **arguments)
    group.compile(optimizers.L2SGD(0.1, l2=0.5), learning_rate_factors={"pivot": 0.5})
    group.save(tmp_path / "group.keras")
    loaded = keras.saving.load_model(tmp_path / "group.keras")
    assert {name: getattr(loaded, name) for name in arguments} == arguments
    assert [o.l2 for o in loaded.optimizers.values()] == [0.5] * 4
    rates = [float(o.learning_rate) for o in loaded.optimizers.values()]
    assert rates == pytest.approx([0.05, 0.1, 0.1, 0.1])


def test_a_callback_sets_the_learning_rate_of_all_members(group, examples):
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    group.fit(*examples, batch_size=20, epochs=3, verbose=0, callbacks=[halve])
    assert [float(o.learning_rate) for o in group.optimizers.values()] == pytest.approx(
        [0.001 / 8, *[0.1 / 8] * 3]
    )


def test_members_with_learning_rates_of_their_own(examples):
    """The factors hold in the group, not where the pivot learns alone; 0 leaves it as it is.

    That of a trained pivot is the method's, a hundredth, where `compile` has none.
    """
    group = orc_keras.OnlineRoleChange(*hidden_group_members())
    factors = {"pivot": 0.25, "middle": 0.5}
    group.compile(optimizers.L2SGD(0.1, momentum=0.9), learning_rate_factors=factors)

    def rates():
        return [float(group.optimizers[name].learning_rate) for name in group.members]

    assert rates() == pytest.approx([0.025, 0.1, 0.05, 0.1])
    group.set_stage("pivot")
    assert rates()[0] == pytest.approx(0.1)
    group.set_stage("group")
    group.optimizer.learning_rate = 0.2
    assert rates() == pytest.approx([0.05, 0.2, 0.1, 0.2])
    group.compile(optimizers.L2SGD(0.1), learning_rate_factors={"middle": 0.5})
    assert rates() == pytest.approx([0.001, 0.1, 0.05, 0.1])
    still = orc_keras.OnlineRoleChange(*hidden_group_members())
    decay = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    still.compile(keras.optimizers.SGD(decay), learning_rate_factors={"pivot": 0})
    before = [v.numpy() for v in still.trainable_variables]
    still.fit(*examples, batch_size=20, verbose=0)
    moved = [np.any(a != b.numpy()) for a, b in zip(before, still.trainable_variables)]
    of_pivot = len(still.pivot.trainable_variables)
    assert not any(moved[:of_pivot]) and all(moved[of_pivot:])
    with pytest.raises(ValueError, match="names 'small'; possible are pivot, large, middle"):
        group.compile("sgd", learning_rate_factors={"small": 0.5})


def test_labels_must_be_classes(group, examples):
    images, labels = examples
    with pytest.raises(ValueError, match=r"integer class .* have shape \(32, 5\)"):
        group.fit(images, keras.utils.to_categorical(labels, 5), verbose=0)
    with pytest.raises(ValueError, match="pairs of images and labels"):
        group.fit(images, verbose=0)


def test_a_column_of_labels_is_accepted(group, examples):
    """As `keras.datasets` gives them; also after labels of the other shape."""
    images, labels = examples
    flat, column = (
        tf.data.Dataset.from_tensor_slices((images, given)).batch(20)
        for given in (labels, labels[:, None])
    )
    expected = group.evaluate(flat, verbose=0)
    assert group.evaluate(column, verbose=0) == pytest.approx(expected)
    group.fit(flat, verbose=0)
    group.fit(column, verbose=0)


def test_evaluate_returns_the_student_first(group, examples):
    results = group.evaluate(*examples, verbose=0)
    by_name = group.evaluate(*examples, verbose=0, return_dict=True)
    assert results[:2] == [by_name["loss"], by_name["accuracy"]]


@keras.saving.register_keras_serializable("tests")
class OwnNetwork(keras.Model):
    """A network of a user's own making."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(5)

    def call(self, images):
        return self.dense(keras.ops.reshape(images, (-1, 16)))


def test_a_network_of_ones_own_can_be_saved_with_the_group(examples, tmp_path):
    own = OwnNetwork(name="own")
    own(examples[0])
    pivot, students = hidden_group_members()
    group = orc_keras.OnlineRoleChange(pivot, [own, students[-1]])
    group.compile("adam", run_eagerly=True)
    group.fit(*examples, verbose=0, callbacks=keras.callbacks.ModelCheckpoint(tmp_path / "g.keras"))
    loaded = keras.saving.load_model(tmp_path / "g.keras").members["own"]
    np.testing.assert_allclose(loaded(examples[0]), own(examples[0]), atol=1e-6)


def test_evaluation_changes_no_weight_and_no_statistic(examples):
    """Not even BatchNorm's: held-out images never influence training."""

    def network(name):
        images = keras.Input(IMAGE_SHAPE)
        x = keras.layers.BatchNormalization()(keras.layers.Flatten()(images))
        return keras.Model(images, keras.layers.Dense(NUM_CLASSES)(x), name=name)

    group = orc_keras.OnlineRoleChange(network("a"), [network("b"), network("c")])
    group.compile("sgd")
    before = group.get_weights()
    group.evaluate(*examples, verbose=0)
    for ours, theirs in zip(group.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
