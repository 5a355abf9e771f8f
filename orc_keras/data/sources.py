"""Sources of images: `load(dataset, data_dir)`."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class ImageData:
    """Raw images in memory, split into those to learn and those held out.

    Attributes:
        train_images: uint8, shape `[number, height, width, channels]`; so are `test_images`.
        train_labels: int32 classes, shape `[number]`; so are `test_labels`.
        class_names: a name for each class.
        mean: of each channel, where 255 counts as 1; `std`, the standard deviation, likewise.
        augment: whether training shifts and flips the images.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    augment: bool

    @property
    def image_shape(self):
        return self.train_images.shape[1:]

    @property
    def num_classes(self):
        return len(self.class_names)

    def description(self):
        """Returns all but the images, for a run's summary."""
        return {
            "image_shape": self.image_shape,
            "class_names": self.class_names,
            "mean": self.mean,
            "std": self.std,
            "train_images": len(self.train_images),
            "test_images": len(self.test_images),
        }


def load(dataset, data_dir=""):
    """Loads a dataset.

    Args:
        dataset: its name: digits, cifar10 or cifar100.
        data_dir: the folder of TensorFlow Datasets; empty for its usual place.

    Returns:
        `ImageData`.

    Raises:
        ValueError: if the dataset is unknown, or not in `data_dir` and there is no network.
    """
    sources = {"digits": _digits, "cifar10": _cifar, "cifar100": _cifar}
    if dataset not in sources:
        raise ValueError(f"--dataset={dataset} is unknown; possible are {', '.join(sources)}.")
    return sources[dataset](dataset, data_dir or None)


def _digits(dataset, data_dir):
    """The 1,797 handwritten digits that scikit-learn carries, 8 x 8 x 1, split 80 / 20."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images = np.rint(digits.images * 255 / 16).astype(np.uint8)[..., None]
    labels = digits.target.astype(np.int32)
    train_images, test_images, train_labels, test_labels = train_test_split(
        images, labels, test_size=0.2, random_state=0, stratify=labels
    )
    return ImageData(
        train_images,
        train_labels,
        test_images,
        test_labels,
        class_names=tuple(map(str, digits.target_names)),
        mean=(float(train_images.mean() / 255),),
        std=(float(train_images.std() / 255),),
        augment=False,  # a shifted or mirrored digit can be another one at 8 x 8 pixels
    )


def _cifar(dataset, data_dir):
    """CIFAR-10 and CIFAR-100, 32 x 32 x 3; TensorFlow Datasets downloads what is not there."""
    import tensorflow_datasets as tfds

    builder = tfds.builder(dataset, data_dir=data_dir)
    try:
        builder.download_and_prepare()
    except Exception as error:  # each kind of network trouble has its own exception
        raise ValueError(
            f"--dataset={dataset} is not in {builder.data_dir} and cannot be downloaded "
            f"({type(error).__name__}); copy a prepared one there, or set --data_dir."
        ) from error
    train, test = (
        _arrays(tfds.as_numpy(builder.as_dataset(split=split))) for split in ("train", "test")
    )
    return ImageData(
        *train,
        *test,
        class_names=tuple(builder.info.features["label"].names),
        mean=(0.5071, 0.4867, 0.4408),
        std=(0.2675, 0.2565, 0.2761),
        augment=True,
    )


def _arrays(examples):
    """Returns the images and the labels of examples of TensorFlow Datasets."""
    images, labels = zip(*((example["image"], example["label"]) for example in examples))
    return np.stack(images), np.array(labels, np.int32)
