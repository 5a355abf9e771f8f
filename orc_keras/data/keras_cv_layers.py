"""RandAugment and cutout: the layers of keras-cv, with random numbers that have no state.

A keras-cv layer draws its numbers from generators with a state, so that what becomes of an image
depends on those before it. Here they come from the image's own seed, and a layer is only asked
for the part that is not random, `augment_images(images, transformations)`.
"""

import functools

import tensorflow as tf

OPERATIONS_PER_IMAGE = 3
MAGNITUDE = 0.5
MAGNITUDE_STDDEV = 0.15


def augment(images, seeds, names):
    """Augments each image by itself; made for `tf.data.Dataset.map` over mini-batches.

    The result follows from the image and its seed alone: not from the rest of the batch, the
    position in it or a global seed. Each is computed as a batch of one, since the last bit of a
    sum may depend on the size of the batch.

    `"randaugment"` (Cubuk et al. 2020) does what `keras_cv.layers.RandAugment` does by default:
    three times, one of ten operations or none, each as likely. Ours is drawing the random
    numbers, from the same distributions; rounding to whole pixel values after each operation, as
    in the paper; and leaving out colour degeneration, which needs three channels, for grey images.

    `"cutout"` (DeVries & Taylor 2017) blackens a square around a random pixel, clipped by the
    border. Its side is half the image's (the shorter one's), the paper's 16 of 32 pixels for
    CIFAR-10. The paper fills in 0 after normalisation, which is the mean; here 0 is black.

    Args:
        images: uint8 `[batch, height, width, channels]`, 1 or 3 channels; only the size of the
            batch may be unknown while a graph is built.
        seeds: one for each image, integers `[batch, 2]`.
        names: of the augmentations, each `"randaugment"` or `"cutout"`, in their order.

    Returns:
        Images of the same shape and type.

    Raises:
        ValueError: for another name.
    """
    for name in names:
        if name not in AUGMENTATIONS:
            raise ValueError(f"{name} is unknown; possible are {', '.join(AUGMENTATIONS)}.")

    def augment_one(image_and_seed):
        image, seed = image_and_seed
        for position, name in enumerate(names):
            image = AUGMENTATIONS[name](image, tf.random.fold_in(seed, position))
        return image

    one = tf.TensorSpec(images.shape[1:], tf.uint8)
    return tf.map_fn(augment_one, (images, seeds), fn_output_signature=one)


def _randaugment(image, seed):
    for step in range(OPERATIONS_PER_IMAGE):
        image = _one_operation(image, tf.random.fold_in(seed, step))
    return image


def _one_operation(image, seed):
    seeds = tf.random.split(seed, 3)
    operations = _operations(
        tf.random.stateless_normal([2, 1, 1], seeds[0]),
        tf.random.stateless_uniform([1, 1], seeds[1], -1, 1),
    )
    if image.shape[-1] == 1:
        del operations["color"]
    branches = [
        functools.partial(_apply, layer, image, transformation)
        for layer, transformation in operations.values()
    ]
    branches.append(lambda: image)
    choice = tf.random.stateless_uniform([], seeds[2], maxval=len(branches), dtype=tf.int32)
    return tf.ensure_shape(tf.switch_case(choice, branches), image.shape)


def _operations(normal, uniform):
    """Each operation's layer, and how the layer is to transform the image.

    Args:
        normal: two standard normal numbers, `[2, 1, 1]`.
        uniform: a number from -1 to 1, `[1, 1]`; an operation needs its size or its sign only.
    """
    magnitude, other = tf.unstack(tf.clip_by_value(MAGNITUDE + MAGNITUDE_STDDEV * normal, 0, 1))
    slope, swing, still = magnitude * tf.sign(uniform), MAGNITUDE * uniform, tf.zeros([1, 1])
    layers = _layers()
    shear, translation = layers["shear"], layers["translation"]
    return {
        "auto_contrast": (layers["auto_contrast"], None),
        "equalize": (layers["equalize"], None),
        "solarize": (
            layers["solarize"],
            # more than 110 would leave little of an image, says keras-cv
            {"additions": 110 * magnitude, "thresholds": 255 * (1 - other)},
        ),
        "color": (layers["color"], magnitude),
        "contrast": (layers["contrast"], 1 + swing),
        "brightness": (layers["brightness"], 255 * swing),
        "shear_x": (shear, {"shear_x": slope, "shear_y": None}),
        "shear_y": (shear, {"shear_x": None, "shear_y": slope}),
        "translate_x": (translation, {"width_translations": swing, "height_translations": still}),
        "translate_y": (translation, {"width_translations": still, "height_translations": swing}),
    }


def _cutout(image, seed):
    height, width, _ = image.shape
    centre = tf.random.stateless_uniform([2, 1], seed) * [[height], [width]]
    row, column = tf.unstack(tf.cast(centre, tf.int32))
    side = tf.constant([min(height, width) // 2])
    square = {
        "centers_x": column,
        "centers_y": row,
        "rectangles_width": side,
        "rectangles_height": side,
    }
    return _apply(_layers()["cutout"], image, square)


def _apply(layer, image, transformation):
    pixels = tf.cast(image[tf.newaxis], tf.float32)
    return tf.cast(tf.round(layer(pixels, transformation)[0]), tf.uint8)


@functools.cache
def _layers():
    """`augment_images` of each layer; the factors are required, but only for what is random."""
    import keras_cv  # only those who augment should wait for it

    layers, colours = keras_cv.layers, {"value_range": (0, 255), "dtype": "float32"}
    _have_a_generator()
    made = {
        "auto_contrast": layers.AutoContrast(**colours),
        "equalize": layers.Equalization(**colours),
        "solarize": layers.Solarization(**colours),
        "color": layers.RandomColorDegeneration(MAGNITUDE, dtype="float32"),
        "contrast": layers.RandomContrast(factor=MAGNITUDE, **colours),
        "brightness": layers.RandomBrightness(MAGNITUDE, **colours),
        "shear": layers.RandomShear(MAGNITUDE, MAGNITUDE, dtype="float32"),
        "translation": layers.RandomTranslation(MAGNITUDE, MAGNITUDE, dtype="float32"),
        "cutout": layers.RandomCutout(MAGNITUDE, MAGNITUDE, dtype="float32"),
    }
    # a tf.function, because Equalization needs AutoGraph whoever calls
    return {name: tf.function(layer.augment_images) for name, layer in made.items()}


def _have_a_generator():
    """Sets TensorFlow's global generator where there can be none: every layer asks for it.

    Where operations are deterministic it has to be made from a seed. None of ours draws from it.
    """
    try:
        tf.random.get_global_generator()
    except RuntimeError:
        with tf.init_scope():
            tf.random.set_global_generator(tf.random.Generator.from_seed(0))


AUGMENTATIONS = {"randaugment": _randaugment, "cutout": _cutout}
