"""Builds the group that settings describe."""

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import tensorflow as tf

from orc_keras import checksums, models, networks, recipe
from orc_keras.files import sha256
from orc_keras.groups import METHODS
from orc_keras.groups.members import check_weights
from orc_keras.groups.network_group import NetworkGroup
from orc_keras.networks import kind_of
from orc_keras.settings import Settings


def set_up_keras(settings: Settings) -> None:
    """Sets Keras's random seed and types, and whether operations are deterministic."""
    if settings.deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(settings.seed)
    half = settings.mixed_precision
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32" if half == "none" else f"mixed_{half}")


def build_group(
    settings: Settings,
    image_shape: tuple[int, int, int],
    num_classes: int,
    mean: float | Sequence[float] = 0.0,
    std: float | Sequence[float] = 1.0,
) -> NetworkGroup:
    """Builds the networks, and compiles their group.

    Args:
        settings: its settings.
        image_shape, num_classes, mean, std: as in `networks.build`.
    """

    def build(flag: str, source: str) -> keras.Model:
        with error_prefix(flag):
            network = networks.build(source, image_shape, num_classes, mean, std, settings.vgg_head)
        for layer in models.leaf_layers(network):
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = settings.sync_batch_norm
        return network

    pivot = build("pivot", settings.pivot)
    students = [build("students", source) for source in settings.students]
    method = METHODS[settings.method]
    group = method(pivot, students, **settings.arguments(method))
    compile_group(group, settings)
    return group


def compile_group(group: NetworkGroup, settings: Settings) -> None:
    """Compiles a group by the recipe that settings state."""
    factors = settings.arguments(recipe.learning_rate_factors)
    group.compile(
        recipe.make_optimizer(**settings.arguments(recipe.make_optimizer)),
        learning_rate_factors=recipe.learning_rate_factors(**factors, names=group.student_names),
        **settings.arguments(NetworkGroup.compile),
    )


@contextlib.contextmanager
def error_prefix(flag: str) -> Iterator[None]:
    """Prefixes the message of a ValueError with the name of a flag."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"--{flag}: {error}") from None


def trains_pivot(settings: Settings) -> bool:
    """Whether this run trains the pivot alone before the group."""
    is_first = METHODS[settings.method].trains_pivot_first
    return is_first and settings.pivot_epochs > 0 and not pivot_has_learnt(settings)


def pivot_has_learnt(settings: Settings) -> bool:
    """Whether the pivot comes trained, its last layer too."""
    return bool(settings.pivot_weights) or kind_of(settings.pivot) == "file"


def load_pivot(pivot: keras.Model, path: str | Path) -> None:
    """Loads weights from a file into the pivot; refuses weights that do not fit."""
    if not Path(path).is_file():
        raise ValueError(f"--pivot_weights={path} is not a file.")
    checksums.check_in_run(Path(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras only warns of weights that it skips
            pivot.load_weights(path)
    except Exception as error:  # Keras and HDF5 raise many kinds for damaged files
        raise ValueError(
            f"--pivot_weights={path} does not hold the weights of a {pivot.name} for images of "
            f"shape {pivot.input_shape[1:]} and {pivot.output_shape[-1]} classes."
        ) from error
    with error_prefix(f"pivot_weights={path}"):
        check_weights(pivot)


def source_checksums(settings: Settings, group: NetworkGroup) -> dict[str, str]:
    """Returns the SHA-256 of all files, code and weights that members come from, by source."""
    sources = zip((settings.pivot, *settings.students), group.members.values())
    sums = {source: networks.checksum(source, network) for source, network in sources}
    if settings.pivot_weights:
        sums[settings.pivot_weights] = sha256(settings.pivot_weights)
    return {source: value for source, value in sums.items() if value}
