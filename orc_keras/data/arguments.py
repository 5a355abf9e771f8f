"""The arguments of the data: which images, and how they are processed. No TensorFlow."""

from orc_keras.arguments import Argument

ARGUMENTS = {
    "dataset": Argument(
        "",
        "Images: digits, cifar10, cifar100, imagenet2012, tfds:<any other name in TensorFlow "
        "Datasets>, folder:<path>, a folder with train/<class>/ and val/<class>/ (or "
        "validation/, or test/), or idx:<path>, a folder of IDX files such as MNIST's.",
    ),
    "data_dir": Argument("", "Folder of TensorFlow Datasets; empty: its usual place."),
    "image_size": Argument(
        0,
        "Height and width that images are resized to; 0: none where all are equally large and at "
        "most 96 pixels, otherwise 224.",
        at_least=0,
    ),
    "validation_fraction": Argument(
        0.0,
        "Part of the training images to hold out in place of the dataset's own held-out images; "
        "needed where it has none.",
        at_least=0,
        at_most=1,
    ),
    "crop_flip": Argument(
        "auto",
        "What happens to training images. crop: those that keep their size are shifted by up to 4 "
        "pixels, those that are resized are replaced by a random part of them; crop_and_flip: also "
        "mirrored; auto: crop_and_flip, but none for digits.",
        choices=("auto", "none", "crop", "crop_and_flip"),
    ),
    "augmentation": Argument(
        (),
        "What happens to training images besides --crop_flip: randaugment, cutout.",
        choices=("randaugment", "cutout"),
    ),
    "memory_gb": Argument(
        4.0,
        "Images that take at most so many GB (10^9 bytes) decoded are kept in memory; others are "
        "read anew in each epoch.",
        at_least=0,
    ),
    "batch_size": Argument(64, "Images in a mini-batch (B), over all replicas.", at_least=1),
}


def check(**given):
    """Raises ValueError if an argument is out of its range.

    Args:
        **given: some of `ARGUMENTS`, by name.
    """
    for name, value in given.items():
        ARGUMENTS[name].check(name, value)
