"""A group is used as people use Keras models: every method, in an order that nobody planned."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers.networks import IMAGE_SHAPE, NUM_CLASSES, hidden_group_members

import orc_keras
from orc_keras import callbacks
from orc_keras.groups import METHODS

KINDS = list(METHODS.values())


class Predicts(keras.callbacks.Callback):
    """Looks at what the group answers, in the middle of an epoch."""

    def __init__(self, images):
        super().__init__()
        self.images = images

    def on_train_batch_end(self, batch, logs=None):
        self.model.predict(self.images[:2], verbose=0)


class Batches(keras.utils.PyDataset):
    def __init__(self, images, labels):
        super().__init__()
        self.examples = images, labels

    def __len__(self):
        return 3

    def __getitem__(self, number):
        return [each[8 * number : 8 * number + 8] for each in self.examples]


def endless(images, labels):
    while True:
        yield images[:8], labels[:8]


def build(kind):
    """A group; each kind but one runs eagerly, because tracing takes longer than a few steps."""
    pivot, students = hidden_group_members()
    group = kind(pivot, students[1:])
    group(np.zeros((3, 4, 4, 1)))  # before it is compiled
    eagerly = kind is not orc_keras.OnlineRoleChange
    group.compile(keras.optimizers.SGD(0.1, momentum=0.9), run_eagerly=eagerly)
    return group


@pytest.fixture(params=KINDS)
def group(request):
    return build(request.param)


@pytest.mark.slow
@pytest.mark.parametrize("group", [METHODS["orc"], METHODS["takd"]], indirect=True)
def test_in_any_order(group, examples, tmp_path):
    """Whoever has predicted can fit, evaluate, save, load, and go on."""
    images, labels = examples
    assert group.predict(images, verbose=0) == pytest.approx(np.array(group.student(images)))
    before = group.evaluate(*examples, verbose=0, return_dict=True)
    group(images[:2])
    group.fit(*examples, batch_size=20, epochs=2, verbose=0, callbacks=[Predicts(images)])
    group.fit(Batches(*examples), verbose=0, validation_data=Batches(*examples))
    group.fit(endless(*examples), None, None, 1, 0, [Predicts(images)], steps_per_epoch=2)
    learner = f"{group.learners[-1]}_loss"
    assert group.evaluate(*examples, verbose=0, return_dict=True)[learner] < before[learner]
    expected = group.test_on_batch(images[:8], labels[:8], return_dict=True)
    assert group.evaluate(images[:8], labels[:8], verbose=0, return_dict=True) == pytest.approx(
        expected
    )
    group.save(tmp_path / "group.keras")
    loaded = keras.saving.load_model(tmp_path / "group.keras")
    assert loaded.predict(images, verbose=0) == pytest.approx(group.predict(images, verbose=0))
    for each in (group, loaded):
        each.fit(images[:8], labels[:8], shuffle=False, verbose=0)
        each.train_on_batch(images[:8], labels[:8])
    for ours, theirs in zip(loaded.get_weights(), group.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    loaded.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(exported.serve(images), loaded.predict(images, verbose=0), atol=1e-6)


@pytest.mark.parametrize("group", [METHODS["orc"], METHODS["takd"]], indirect=True)
def test_keras_callbacks(group, examples, tmp_path):
    """In a graph and eagerly; they know nothing of how a group learns, nor that more is better."""
    group.set_stage(group.stage)  # this one only
    learner = group.learners[-1]
    accuracy = f"val_{learner}_accuracy"
    of_keras = [
        keras.callbacks.ReduceLROnPlateau(accuracy, factor=0.5, min_delta=2, patience=1),
        keras.callbacks.EarlyStopping(accuracy, patience=2, restore_best_weights=True),
        keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", accuracy, save_best_only=True),
        keras.callbacks.BackupAndRestore(tmp_path / "backup"),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
    ]
    fit = dict(batch_size=20, epochs=3, verbose=0, validation_split=0.25, callbacks=of_keras)
    history = group.fit(*examples, **fit).history
    epochs = len(history[accuracy])
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 1 + epochs
    halved = 0.1 * 0.5 ** (epochs - 1)  # nothing improves by 2, so each epoch but the first halves
    rates = [float(optimizer.learning_rate) for optimizer in group.optimizers.values()]
    slower = 0.01 if type(group) is orc_keras.OnlineRoleChange else 1
    assert rates == pytest.approx([slower * halved, halved, halved])
    held_out = [each[60:] for each in examples]
    for best in (group, keras.saving.load_model(tmp_path / "best.keras")):
        result = best.evaluate(*held_out, verbose=0, return_dict=True)
        assert result[f"{learner}_accuracy"] == pytest.approx(max(history[accuracy]))


@pytest.mark.parametrize("kind", [METHODS["kd"], METHODS["takd"]])
def test_without_a_stage_fit_trains_the_group(kind, few):
    """As stage by stage, to the bit, each from the same learning rate; the pivot if asked."""
    by_stage, group = build(kind), build(kind)
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    fit = dict(batch_size=16, shuffle=False, verbose=0, callbacks=[halve])
    for stage in by_stage.stages:
        by_stage.optimizer.learning_rate = 0.1
        by_stage.set_stage(stage)
        by_stage.fit(*few, **fit)
    before = group.student.get_weights()
    assert {*group.fit_pivot(*few, **fit).history} == {"loss", "accuracy", "learning_rate"}
    np.testing.assert_equal(group.student.get_weights(), before)
    assert float(group.optimizer.learning_rate) == pytest.approx(0.1)
    assert "small_loss" in group.fit(*few, **fit).history
    for ours, theirs in zip(group.get_weights(), by_stage.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "callback",
    [
        lambda path: keras.callbacks.BackupAndRestore(path),
        lambda path: keras.callbacks.EarlyStopping("val_loss"),
        lambda path: callbacks.EarlyStopping(1, path / "best.weights.h5"),
    ],
)
def test_what_cannot_follow_several_stages_needs_one(callback, few, tmp_path):
    """The accuracy of *the* student does not rise while an assistant learns."""
    group = build(METHODS["takd"])
    with pytest.raises(ValueError, match="cannot follow the stages stage1, group in one fit"):
        group.fit(*few, callbacks=[callback(tmp_path)])


def augmenting_network(name):
    """A linear classifier whose layers draw at random, and have statistics, while it learns."""
    images = x = keras.Input(IMAGE_SHAPE)
    for layer in ("RandomFlip", "BatchNormalization", "Flatten"):
        x = getattr(keras.layers, layer)()(x)
    logits = keras.layers.Dense(NUM_CLASSES)(keras.layers.Dropout(0.5)(x))
    return keras.Model(images, logits, name=name)


@pytest.mark.parametrize("kind", [METHODS[name] for name in ("orc", "dgkd", "dml")])
def test_data_of_unknown_length_trains_the_same(kind, few):
    """TensorFlow learns of its end in a step, which must change nothing and count nowhere."""
    data = tf.data.Dataset.from_tensor_slices(few).batch(4, drop_remainder=True)
    groups, results = [], []
    for each in (data, data.filter(lambda *_: True)):
        keras.utils.set_random_seed(0)
        pivot, *students = map(augmenting_network, ("pivot", "large", "small"))
        groups.append(kind(pivot, students))
        groups[-1].compile(keras.optimizers.SGD(0.1, momentum=0.9))
        trained = groups[-1].fit(each, epochs=2, verbose=0, validation_data=each)
        results.append([trained.history, groups[-1].evaluate(each, verbose=0, return_dict=True)])
    known, unknown = groups
    assert results[0] == results[1]
    for variable, other in zip(known.variables, unknown.variables, strict=True):
        np.testing.assert_array_equal(variable, other, err_msg=variable.path)
    assert int(known.optimizer.iterations) > 0
    for name, optimizer in known.optimizers.items():
        assert int(optimizer.iterations) == int(unknown.optimizers[name].iterations), name


class Breaks(keras.callbacks.Callback):
    """Ends `fit` in its second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise InterruptedError


def test_where_the_pivots_training_broke_off_the_group_can_be_trained(few):
    group = build(METHODS["kd"])
    with pytest.raises(InterruptedError):
        group.fit_pivot(*few, epochs=2, verbose=0, callbacks=[Breaks()])
    assert "small_loss" in group.fit(*few, verbose=0).history
    with pytest.raises(ValueError, match="must be one of group, not pivot"):
        build(METHODS["dml"]).fit_pivot(*few)


def test_calls_and_exports_neither_augment_nor_drop_out(examples, tmp_path):
    """Nor does BatchNorm use the images' own statistics: the logits are those of one layer."""
    images, _ = examples
    group = orc_keras.Alone(augmenting_network("large"), [augmenting_network("small")])
    kernel, bias = group.student.layers[-1].get_weights()
    logits = images.reshape(len(images), -1) / np.sqrt(1.001) @ kernel + bias
    np.testing.assert_allclose(group(images), logits, atol=1e-5)
    group.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(exported.serve(images), logits, atol=1e-5)
    saved = tf.train.load_checkpoint(tmp_path / "exported" / "variables" / "variables")
    shapes = saved.get_variable_to_shape_map()
    kernels = [saved.get_tensor(name) for name, shape in shapes.items() if len(shape) == 2]
    assert kernels and all(np.array_equal(each, kernel) for each in kernels)  # the student's only


def test_a_pivot_that_does_not_change_draws_its_dropout_anew(examples):
    """In every mini-batch, though its BatchNorm statistics stay as they are."""
    members = (augmenting_network(name) for name in ("large", "middle", "small"))
    pivot, *students = members
    group = orc_keras.OnlineRoleChange(pivot, students, teachings=("private", "group"))
    group.compile(keras.optimizers.SGD(0.1))
    seeds = [v for v in pivot.non_trainable_variables if v.path.endswith("seed_generator_state")]
    states = []
    for _ in range(2):
        before = pivot.get_weights()
        group.train_on_batch(*examples)
        states.append([seed.numpy().tolist() for seed in seeds])
        for weight, earlier in zip(pivot.get_weights(), before, strict=True):
            np.testing.assert_array_equal(weight, earlier)
    assert len(seeds) == 2 and all(a != b for a, b in zip(*states))


@pytest.mark.parametrize("floatx, tolerance", [("float64", 1e-4), ("float16", 0.03)])
def test_any_default_type_of_keras(examples, tmp_path, floatx, tolerance):
    """Losses and metrics are float32 whatever the members are: two steps are those in float32."""
    histories, weights = [], None
    for kind in ("float32", floatx):
        keras.config.set_floatx(kind)
        keras.config.set_dtype_policy(kind)
        group = orc_keras.OnlineRoleChange(*hidden_group_members())
        weights = weights or group.get_weights()
        group.set_weights(weights)
        group.compile(keras.optimizers.SGD(0.1))
        histories.append(group.fit(*examples, batch_size=40, shuffle=False, verbose=0).history)
    assert group.predict(examples[0], verbose=0).dtype == floatx
    group.save(tmp_path / "group.keras")
    again = keras.saving.load_model(tmp_path / "group.keras")
    assert again.evaluate(*examples, verbose=0) == group.evaluate(*examples, verbose=0)
    group.export(tmp_path / "student", verbose=0)
    in_float32, other = histories
    for name, values in in_float32.items():
        np.testing.assert_allclose(other[name], values, rtol=tolerance, atol=tolerance)


def test_clone_summary_second_compile_and_eager_steps(group, examples):
    images, labels = examples
    clone = keras.models.clone_model(group)
    assert type(clone) is type(group) and list(clone.members) == list(group.members)
    lines = []
    group.summary(print_fn=lines.append)
    assert all(name in "\n".join(lines) for name in group.members)
    clone.set_weights(group.get_weights())
    clone.compile(keras.optimizers.SGD(0.1, momentum=0.9), run_eagerly=not group.run_eagerly)
    for each in (group, clone):
        each.fit(images[:16], labels[:16], batch_size=8, shuffle=False, verbose=0)
    for ours, theirs in zip(clone.get_weights(), group.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    group.compile("adam", run_eagerly=True)
    assert {type(o) for o in group.optimizers.values()} == {keras.optimizers.Adam}
    group.fit(*examples, batch_size=80, verbose=0)


@pytest.mark.parametrize("kind", [METHODS[name] for name in ("orc", "dgkd")])
def test_backup_and_restore_continues_what_counts_mini_batches(kind, examples, tmp_path):
    """A training that broke off in its second epoch ends as one that did not."""
    images, labels = examples
    group = build(kind)
    whole = keras.models.clone_model(group)
    again = keras.models.clone_model(group)
    for each in (whole, again):
        each.set_weights(group.get_weights())
        each.compile(keras.optimizers.SGD(0.1, momentum=0.9), run_eagerly=True)
    group.compile(group.optimizer, run_eagerly=True)
    for each in (group, whole, again):
        each.set_stage(group.stage)
    fit = dict(x=images, y=labels, batch_size=20, epochs=2, shuffle=False, verbose=0)
    whole.fit(**fit)
    with pytest.raises(InterruptedError):
        backup = keras.callbacks.BackupAndRestore(tmp_path)
        group.fit(**fit, callbacks=[backup, Breaks()])
    again.fit(**fit, callbacks=[keras.callbacks.BackupAndRestore(tmp_path)])
    for ours, theirs in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
