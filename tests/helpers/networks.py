"""Networks that are tiny."""

import keras

from orc_keras.models.normalization import BatchNormalization

IMAGE_SHAPE = (4, 4, 1)
NUM_CLASSES = 5


def linear_network(name="linear", image_shape=IMAGE_SHAPE, num_classes=NUM_CLASSES, seed=0):
    """A linear classifier: few enough operations to compute its training by hand."""
    return keras.Sequential(
        [
            keras.Input(image_shape),
            keras.layers.Flatten(),
            keras.layers.Dense(num_classes, kernel_initializer=_initial(seed)),
        ],
        name=name,
    )


def hidden_network(name, width, seed=0, image_shape=IMAGE_SHAPE, num_classes=NUM_CLASSES):
    """A classifier with a hidden layer and no BatchNorm."""
    images = keras.Input(image_shape)
    x = keras.layers.Flatten()(images)
    x = keras.layers.Dense(width, activation="relu", kernel_initializer=_initial(seed))(x)
    logits = keras.layers.Dense(num_classes, kernel_initializer=_initial(seed + 1))(x)
    return keras.Model(images, logits, name=name)


def _initial(seed):
    return keras.initializers.RandomNormal(stddev=0.3, seed=seed)


def hidden_group_members():
    """A pivot and three students of different size, the same at every call."""
    widths = {"pivot": 16, "large": 12, "middle": 8, "small": 6}
    pivot, *students = (hidden_network(name, w, seed=w) for name, w in widths.items())
    return pivot, students


def normalised_members(synchronized):
    """The same group with BatchNorm behind the first layer."""

    def with_batch_norm(network):
        flatten, hidden, logits = network.layers[1:]
        images = keras.Input(IMAGE_SHAPE)
        x = BatchNormalization(synchronized=synchronized)(hidden(flatten(images))[:, None, None])
        x = keras.layers.Flatten()(x)
        return keras.Model(images, logits(x), name=network.name)

    pivot, (large, _, small) = hidden_group_members()
    return with_batch_norm(pivot), [with_batch_norm(large), with_batch_norm(small)]
