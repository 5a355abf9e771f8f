"""RandAugment and cutout: the layers of keras-cv, with stateless random numbers.

A keras-cv layer draws from stateful generators, so an image's augmentation depends on the images
before it. Here the numbers come from the image's own seed, and a layer only does its deterministic
part, `augment_images(images, transformations)`.
"""

import functools
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

OPERATIONS_PER_IMAGE = 3
MAGNITUDE = 0.5
MAGNITUDE_STDDEV = 0.15


def augment(images: Any, seeds: Any, names: Sequence[str]) -> tf.Tensor:
    """Augments each image by its seed alone; for `tf.data.Dataset.map` over mini-batches.

    Each image is a batch of one, since the last bit of a sum may depend on the batch size.

    `"randaugment"` (Cubuk et al. 2020) applies, three times, one of the ten operations of
    `keras_cv.layers.RandAugment` or none, with equal probability. It differs from that layer in the
    random numbers, from the same distributions; in rounding to whole pixel values after each
    operation, as in the paper; and grey images have no colour degeneration.

    `"cutout"` (DeVries & Taylor 2017) blackens a square around a random pixel, clipped at the
    border. Its side is half the image's shorter side, the paper's 16 of 32 pixels for CIFAR-10. The
    paper fills with 0 after normalisation, which is the mean; here 0 is black.

    Args:
        images: uint8 `[batch, height, width, channels]`, 1 or 3 channels, the last three static.
        seeds: one for each image, integers `[batch, 2]`.
        names: of the augmentations, in order.
    """
    functions = [{"randaugment": _randaugment, "cutout": _cutout}[name] for name in names]

    def augment_one(image_and_seed):
        image, seed = image_and_seed
        for position, function in enumerate(functions):
            image = function(image, tf.random.fold_in(seed, position))
        return image

    spec = tf.TensorSpec(images.shape[1:], tf.uint8)
    return tf.map_fn(augment_one, (images, seeds), fn_output_signature=spec)


def _randaugment(image, seed):
    for step in range(OPERATIONS_PER_IMAGE):
        image = _random_operation(image, tf.random.fold_in(seed, step))
    return image


def _random_operation(image, seed):
    seeds = tf.random.split(seed, 3)
    operations = _operations(
        tf.random.stateless_normal([2, 1, 1], seeds[0]),
        tf.random.stateless_uniform([1, 1], seeds[1], -1, 1),
    )
    if image.shape[-1] == 1:
        del operations["color"]
    branches: list[Any] = [functools.partial(_apply, image, *each) for each in operations.values()]
    branches.append(lambda: image)
    choice = tf.random.stateless_uniform([], seeds[2], maxval=len(branches), dtype=tf.int32)
    return tf.ensure_shape(tf.switch_case(choice, branches), image.shape)


def _operations(normal, uniform):
    """Returns each operation's layer and the transformation to apply, by name.

    `normal` are two standard normal numbers, `[2, 1, 1]`; `uniform` is one from -1 to 1, `[1, 1]`.
    """
    magnitude, other = tf.unstack(tf.clip_by_value(MAGNITUDE + MAGNITUDE_STDDEV * normal, 0, 1))
    slope, swing, zero = magnitude * tf.sign(uniform), MAGNITUDE * uniform, tf.zeros([1, 1])
    # more than 110 would leave little of an image, says keras-cv
    solarize = {"additions": 110 * magnitude, "thresholds": 255 * (1 - other)}
    right = {"width_translations": swing, "height_translations": zero}
    down = {"width_translations": zero, "height_translations": swing}
    layers = _layers()
    return {
        "auto_contrast": (layers["auto_contrast"], None),
        "equalize": (layers["equalize"], None),
        "solarize": (layers["solarize"], solarize),
        "color": (layers["color"], magnitude),
        "contrast": (layers["contrast"], 1 + swing),
        "brightness": (layers["brightness"], 255 * swing),
        "shear_x": (layers["shear"], {"shear_x": slope, "shear_y": None}),
        "shear_y": (layers["shear"], {"shear_x": None, "shear_y": slope}),
        "translate_x": (layers["translation"], right),
        "translate_y": (layers["translation"], down),
    }


def _cutout(image, seed):
    height, width, _ = image.shape
    centre = tf.random.stateless_uniform([2, 1], seed) * [[height], [width]]
    row, column = tf.unstack(tf.cast(centre, tf.int32))
    side = tf.constant([min(height, width) // 2])
    square = dict(centers_x=column, centers_y=row, rectangles_width=side, rectangles_height=side)
    return _apply(image, _layers()["cutout"], square)


def _apply(image, layer, transformation):
    pixels = tf.cast(image[tf.newaxis], tf.float32)
    return tf.cast(tf.round(layer(pixels, transformation)[0]), tf.uint8)


@functools.cache
def _layers():
    """Returns each layer's `augment_images`; the factors, which are required, are not used."""
    import keras_cv  # slow to import

    try:  # every layer requests this generator, though nothing here draws from it
        tf.random.get_global_generator()
    except RuntimeError:  # op determinism, which needs a seed
        with tf.init_scope():
            tf.random.set_global_generator(tf.random.Generator.from_seed(0))
    cv, factor, options = keras_cv.layers, MAGNITUDE, {"dtype": "float32"}
    colours = {"value_range": (0, 255), **options}
    layers = {
        "auto_contrast": cv.AutoContrast(**colours),
        "equalize": cv.Equalization(**colours),
        "solarize": cv.Solarization(**colours),
        "color": cv.RandomColorDegeneration(factor, **options),
        "contrast": cv.RandomContrast(factor=factor, **colours),
        "brightness": cv.RandomBrightness(factor, **colours),
        "shear": cv.RandomShear(factor, factor, **options),
        "translation": cv.RandomTranslation(factor, factor, **options),
        "cutout": cv.RandomCutout(factor, factor, **options),
    }
    # a tf.function, because Equalization needs AutoGraph
    return {name: tf.function(layer.augment_images) for name, layer in layers.items()}
