"""Networks that train together from scratch, without a fixed teacher: DML and KDCL."""

from collections.abc import Iterable

import keras
import tensorflow as tf

from orc_keras.groups import losses
from orc_keras.groups.losses import Temperature
from orc_keras.groups.network_group import NetworkGroup
from orc_keras.groups.registry import method


@method("dml")
class MutualLearning(NetworkGroup):
    """Every member learns from the labels and from all others (DML, Zhang et al. 2018).

    Member i of K has the loss that the paper gives for more than two networks,

        L_i = CE(y, z_i) + 1 / (K - 1) sum_j KL(softmax(z_j) || softmax(z_i)),  j not i,

    without a temperature or a weight. As in Algorithm 1, the members are updated one after the
    other, and later ones learn from the predictions of updated ones. Our reading: this second pass
    runs in training mode, and so moves BatchNorm's statistics again.

    Args:
        pivot: as in `NetworkGroup`; here a member like the others, trained from scratch.
        students: as in `NetworkGroup`; so are the errors.
        name: the same.

    Examples:
        >>> networks = [models.build(name, (8, 8, 1), 10) for name in ("resnet14", "resnet8")]
        >>> group = orc_keras.MutualLearning(networks[0], networks[1:])
        >>> group.compile(keras.optimizers.SGD(0.05, momentum=0.9))
        >>> history = group.fit(images, labels, verbose=0)
    """

    description = "deep mutual learning (DML)"
    trains_pivot_first = False

    def train_step(self, data):
        images, labels, weights = self.unpack(data)
        with tf.GradientTape(persistent=True) as tape:
            logits = {name: self.forward(name, images) for name in self.members}
        newest = dict(logits)
        for name, z in logits.items():
            peers = [newest[peer] for peer in self.members if peer != name]
            with tape:  # entered again: it holds the forward pass of every member
                divergences = [losses.distillation(z, peer, temperature=1) for peer in peers]
                per_sample_loss = losses.cross_entropy(labels, z, self.label_smoothing)
                per_sample_loss += tf.add_n(divergences) / len(peers)
            self.apply_gradients(name, tape, per_sample_loss, weights)
            if name != self.student_names[-1]:  # no later member learns from it
                newest[name] = self.forward(name, images)
        return self.record(labels, logits, weights)


@method("kdcl")
class CollaborativeLearning(NetworkGroup):
    """Every member learns from the labels and an ensemble of all (KDCL, Guo et al. 2020).

    The teacher is the paper's KDCL-MinLogit: each member's logits relative to that of the true
    class, and of these, for each class, the smallest over the members,

        z_t[c] = min_i (z_i[c] - z_i[y]),  L_i = CE(y, z_i) + KD(z_i, z_t).

    Our reading: both terms have the weight 1, and all members see the same augmented images; the
    paper augments them separately for each member.

    Args:
        pivot: as in `NetworkGroup`; here a member like the others, trained from scratch.
        students: as in `NetworkGroup`; so are the errors.
        name: the same.
        temperature: Temperature (T) that softens distilled logits; above 0.

    Examples:
        >>> networks = [models.build(name, (8, 8, 1), 10) for name in ("resnet14", "resnet8")]
        >>> group = orc_keras.CollaborativeLearning(networks[0], networks[1:], temperature=2.0)
        >>> group.compile(keras.optimizers.SGD(0.05, momentum=0.9))
        >>> history = group.fit(images, labels, verbose=0)
    """

    description = "knowledge distillation via collaborative learning (KDCL)"
    trains_pivot_first = False

    def __init__(
        self,
        pivot: keras.Model,
        students: Iterable[keras.Model],
        temperature: Temperature = 4.0,
        name: str | None = None,
    ):
        super().__init__(pivot, students, name, temperature=temperature)

    def train_step(self, data):
        images, labels, weights = self.unpack(data)
        with tf.GradientTape(persistent=True) as tape:
            logits = {name: self.forward(name, images) for name in self.members}
        ensemble = losses.min_logit_ensemble(labels, list(logits.values()))
        for name, z in logits.items():
            with tape:
                per_sample_loss = losses.cross_entropy(labels, z, self.label_smoothing)
                per_sample_loss += losses.distillation(z, ensemble, self.temperature)
            self.apply_gradients(name, tape, per_sample_loss, weights)
        return self.record(labels, logits, weights)
