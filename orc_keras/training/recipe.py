"""The recipe by which members learn: optimizer, learning rate by epoch, weights of classes."""

import math

import keras
import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from orc_keras.groups.optimizers import L2SGD


def optimizer(settings):
    """Returns a new optimizer, as `settings` say."""
    clip = {"global_clipnorm": settings.clip_norm or None}
    if settings.optimizer == "adamw":
        return keras.optimizers.AdamW(
            settings.learning_rate, weight_decay=settings.weight_decay, **clip
        )
    return L2SGD(settings.learning_rate, settings.momentum, l2=settings.weight_decay, **clip)


def learning_rate(settings, epochs):
    """Returns the learning rate by epoch, a function of the epoch in its stage, from 0.

    Args:
        settings: `Settings`.
        epochs: of the stage.
    """
    warmup = settings.warmup_epochs

    def factor(epoch):
        if epoch < warmup:
            return (epoch + 1) / (warmup + 1)
        if settings.schedule == "cosine":
            return (1 + math.cos(math.pi * (epoch - warmup) / (epochs - warmup))) / 2
        return settings.decay_factor ** sum(epoch >= decay for decay in settings.decay_epochs)

    return lambda epoch, _=None: settings.learning_rate * factor(epoch)


def class_weights(settings, images):
    """Returns the weight of each class, float32 `[C]`; None if all are the same.

    Args:
        settings: `Settings`.
        images: `ImageData`; a class without training images has the weight 0.

    Raises:
        ValueError: if the labels are not known before the images are read.
    """
    if settings.class_weight == "none":
        return None
    if images.train.labels is None:
        raise ValueError(
            f"--class_weight={settings.class_weight} needs labels that are known before images are "
            f"read; those of {settings.dataset} are not."
        )
    labels = np.asarray(images.train.labels)
    there, weights = np.unique(labels), np.zeros(images.num_classes, np.float32)
    weights[there] = compute_class_weight("balanced", classes=there, y=labels)
    return weights
