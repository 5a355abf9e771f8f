"""Wrong images and labels for groups, as arrays, datasets and generators, and wrong options."""

from attacks.case import LIBRARY, Case
from attacks.group_cases import GROUPS, IMPORT

KIND = "data"
LABEL, IMAGE, LENGTHS = (
    ("label",),
    ("image", "shape", "input"),
    ("length", "number", "size", "cardinality", "labels.shape"),
)
# Images and labels, what names what is wrong with them, and where they can be given at all.
ARRAYS, ALL = ("arrays",), ("arrays", "dataset", "generator")
DATA = {
    "labels of 2.5": ("images", "labels + 0.5", LABEL, ALL),
    "a label too large": ("images", "labels + 1", LABEL, ALL),
    "a label of -1": ("images", "labels - 1", LABEL, ALL),
    "a label of 10**10": ("images", "labels + 10**10", LABEL, ALL),
    "one-hot labels": ("images", "np.eye(3)[labels]", LABEL, ALL),
    "labels of two columns": ("images", "np.stack([labels, labels], 1)", LABEL, ALL),
    "words as labels": ("images", "np.array(['cat'] * 12)", LABEL, ALL),
    "NaN labels": ("images", "np.where(labels == 1, np.nan, labels)", LABEL, ALL),
    "an infinite label": ("images", "np.where(labels == 1, np.inf, labels)", LABEL, ALL),
    "complex labels": ("images", "labels + 0j", LABEL, ALL),
    "a NaN in the images": (
        "np.where(images > 2, np.nan, images)",
        "labels",
        ("image", "finite"),
        ALL,
    ),
    "an infinite image": (
        "np.where(images > 2, np.inf, images)",
        "labels",
        ("image", "finite"),
        ALL,
    ),
    "images of 5 x 5": ("np.zeros((12, 5, 5, 1))", "labels", IMAGE, ALL),
    "colour images": ("np.zeros((12, 4, 4, 3))", "labels", IMAGE, ALL),
    "flat images": ("np.zeros((12, 16))", "labels", IMAGE, ALL),
    "words as images": ("np.full(images.shape, 'x')", "labels", IMAGE, ALL),
    "complex images": ("images * 1j", "labels", IMAGE, ALL),
    "objects as images": ("images.astype(object)", "labels", IMAGE, ARRAYS),
    "no images": ("images[:0]", "labels[:0]", ("image", "data", "empty"), ALL),
    "fewer labels": ("images", "labels[:5]", LENGTHS, ARRAYS),
    "more labels": ("images[:5]", "labels", LENGTHS, ARRAYS),
    "no labels": ("images", "None", LABEL, ALL),
    "None": ("None", "None", ("image", "data", "None", "x"), ARRAYS),
    "a path": ("'images.npy'", "labels", ("image", "str", "data"), ARRAYS),
}
GIVEN = {
    "arrays": "{x}, {y}",
    "dataset": "batches({x}, {y})",
    "generator": "generator({x}, {y})",
}
METHODS = ("fit", "evaluate", "train_on_batch", "test_on_batch")
OPTIONS = (
    ("fit", "images, labels, sample_weight=-np.ones(12)", ("sample_weight",)),
    ("fit", "images, labels, class_weight={0: float('nan')}", ("sample_weight",)),
    ("evaluate", "images, labels, sample_weight=np.full(12, np.inf)", ("sample_weight",)),
    ("train_on_batch", "images, labels, sample_weight=np.ones((12, 2))", ("sample_weight",)),
    (
        "fit",
        "tf.data.Dataset.from_tensor_slices((images, labels, -np.ones(12))).batch(4)",
        ("sample_weight",),
    ),
    ("fit", "tf.data.Dataset.from_tensor_slices((images, labels))", ("shape", "image", "batch")),
    (
        "fit",
        "tf.data.Dataset.from_tensor_slices((images, labels, labels, labels)).batch(4)",
        ("4", "tuple", "x, y"),
    ),
    ("fit", "images, labels, validation_data=(images, labels + 1)", LABEL),
    ("fit", "images, labels, validation_data=images", ("validation_data", "label")),
    ("fit", "images, labels, validation_data=(images, None)", ("label", "validation_data")),
    ("fit", "images, labels, validation_split=1.5", ("validation_split",)),
    ("fit", "images, labels, batch_size=0", ("batch_size",)),
    ("fit", "images, labels, epochs='two'", ("epochs", "str")),
    ("fit", "images, labels, callbacks=[5]", ("callback", "int")),
    ("fit", "images, labels, callbacks='RoleHistory'", ("callback", "str")),
    ("fit", "images, labels, loss='mse'", ("loss",)),
    ("fit", "iter([])", ("data", "empty", "generator")),
    ("fit", "", ("x", "image", "data")),
    ("fit", "5", ("int", "image", "data")),
    ("enter", "'stage7'", ("stage7",)),
    ("enter", "None", ("stage",)),
)


def pool(rng):
    """Returns cases of each wrong data, given in each way, and of each option."""
    return [
        *_data(rng),
        *(_group_call(method, given, names, rng) for method, given, names in OPTIONS),
    ]


def _data(rng):
    for title, (x, y, names, where) in DATA.items():
        for container in where:
            given = GIVEN[container].format(x=x, y=y)
            for method in METHODS if container == "arrays" else METHODS[:2]:
                yield _group_call(method, given, names, rng, f"{title}, {container}")


def _group_call(method, given, names, rng, title=""):
    kind = rng.choice(GROUPS)
    code = f"group(orc_keras.{kind}).{method}({given or 'None'}{options(method, given)})"
    title = f"{method}: {title or given} ({kind})"
    return Case(KIND, title, LIBRARY, (IMPORT + code + "\n",), names)


def options(method, given):
    """Returns the arguments without which Keras warns of what is right."""
    more = ", verbose=0" if method in ("fit", "evaluate", "predict") else ""
    if given.startswith("generator"):
        return more + (", shuffle=False, steps_per_epoch=3" if method == "fit" else ", steps=3")
    return more + (
        ", shuffle=False" if method == "fit" and given.startswith(("batches", "tf.data")) else ""
    )
