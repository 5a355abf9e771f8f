"""The losses, each a function of tensors that returns one value per sample.

Per sample, because replicas have to average over the *global* mini-batch. `B` is the number of
samples, `C` of classes; logits are float32.
"""

from typing import Annotated

import tensorflow as tf

from orc_keras.arguments import Range, check_arguments

Temperature = Annotated[float, Range(above=0)]
DistillationWeight = Annotated[float, Range(at_least=0, at_most=1)]


def cross_entropy(labels: tf.Tensor, logits: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
    """Cross-entropy of softmax(logits) against the true class.

    Args:
        labels: integer classes, shape `[B]`.
        logits: shape `[B, C]`.
        smoothing: the share of a label that is spread evenly over all classes (Szegedy et al. 2016,
            section 7), from 0 to 1.

    Returns:
        Shape `[B]`, in nats.

    Examples:
        >>> cross_entropy([1], [[0.0, 0.0]]).numpy().round(4)
        array([0.6931], dtype=float32)
    """
    true_class_loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    if not smoothing:
        return true_class_loss
    mean_class_loss = -tf.reduce_mean(tf.nn.log_softmax(logits), axis=-1)
    return (1 - smoothing) * true_class_loss + smoothing * mean_class_loss


def distillation(
    student_logits: tf.Tensor, teacher_logits: tf.Tensor, temperature: Temperature
) -> tf.Tensor:
    """`KD(s, t) = T^2 KL(softmax(t / T) || softmax(s / T))` (Hinton et al. 2015).

    The teacher is never differentiated.

    Args:
        student_logits: s, shape `[B, C]`.
        teacher_logits: t, shape `[B, C]`.
        temperature: T, above 0.

    Returns:
        Shape `[B]`, in nats.

    Examples:
        >>> distillation([[1.0, 2.0]], [[1.0, 2.0]], temperature=4.0).numpy()
        array([0.], dtype=float32)
    """
    check_arguments(distillation, {"temperature": temperature})
    teacher_logits = tf.stop_gradient(teacher_logits)
    log_teacher = tf.nn.log_softmax(tf.divide(teacher_logits, temperature))
    log_student = tf.nn.log_softmax(tf.divide(student_logits, temperature))
    divergence = tf.reduce_sum(tf.exp(log_teacher) * (log_teacher - log_student), axis=-1)
    return temperature**2 * divergence


def intensive_teaching(
    labels: tf.Tensor,
    feedback_labels: tf.Tensor,
    logits: tf.Tensor,
    mixing_ratio: tf.Tensor,
    smoothing: float = 0.0,
) -> tf.Tensor:
    """The pivot's loss on the mixed images: `L_I` of step 4.

    Args:
        labels: y, classes of the mini-batch, shape `[B]`.
        feedback_labels: y_F, classes of the feedback samples, shape `[B]`.
        logits: the pivot's on the mixed images, shape `[B, C]`.
        mixing_ratio: lambda, the weight of the mini-batch, from 0 to 1.
        smoothing: of the labels.

    Returns:
        `lambda CE(y, z) + (1 - lambda) CE(y_F, z)`, shape `[B]`.
    """
    own = cross_entropy(labels, logits, smoothing)
    feedback = cross_entropy(feedback_labels, logits, smoothing)
    return mixing_ratio * own + (1 - mixing_ratio) * feedback


def teaching(
    labels: tf.Tensor,
    logits: tf.Tensor,
    teacher_logits: list[tf.Tensor],
    temperature: Temperature,
    distillation_weight: float | tf.Tensor,
    smoothing: float = 0.0,
) -> tf.Tensor:
    """A student's loss against the labels and each of its teachers.

    Private teaching (`L_P` of step 5) has one teacher, the pivot; group teaching (`L_i` of step 6)
    has the pivot and each temporary teacher.

    Args:
        labels: y, shape `[B]`.
        logits: the student's z, shape `[B, C]`.
        teacher_logits: of each teacher, shape `[B, C]`.
        temperature: T.
        distillation_weight: beta, from 0 to 1.
        smoothing: of the labels.

    Returns:
        `(1 - beta) CE(y, z) + beta sum_t KD(z, t)`, shape `[B]`; without teachers `CE(y, z)`.
    """
    label_loss = cross_entropy(labels, logits, smoothing)
    if not teacher_logits:
        return label_loss
    distilled = tf.add_n([distillation(logits, t, temperature) for t in teacher_logits])
    return (1 - distillation_weight) * label_loss + distillation_weight * distilled


def min_logit_ensemble(labels: tf.Tensor, logits: list[tf.Tensor]) -> tf.Tensor:
    """The ensemble teacher KDCL-MinLogit (Guo et al. 2020).

    Args:
        labels: y, shape `[B]`.
        logits: a list of each network's z, shape `[B, C]`.

    Returns:
        For each class the smallest of `z - z[y]`, shape `[B, C]`; 0 for the true class.

    Examples:
        >>> min_logit_ensemble([0], [[[5.0, 2.0]], [[1.0, 0.0]]]).numpy()
        array([[ 0., -3.]], dtype=float32)
    """
    relative = [z - tf.gather(z, labels, batch_dims=1)[:, None] for z in logits]
    return tf.reduce_min(tf.stack(relative), axis=0)
