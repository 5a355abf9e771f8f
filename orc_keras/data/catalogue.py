"""Image classification datasets of TensorFlow Datasets, by name."""

import os
import sys
from typing import Any

import numpy as np


def open_builder(name: str, data_dir: str | None) -> Any:
    """Returns the `tfds.core.DatasetBuilder` of a dataset, prepared if it is not on disk.

    Args:
        name: as in `tfds.builder`: cifar10, imagenet_v2/topimages, imagenet2012:5.1.0, ...
        data_dir: the folder of TensorFlow Datasets; None for its usual place.

    Raises:
        ValueError: if the dataset is unknown, not for image classification, or cannot be prepared.
    """
    import tensorflow_datasets as tfds

    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    try:
        builder = tfds.builder(name, data_dir=data_dir)
        for split in builder.info.splits.values():
            split.filepaths  # noqa: B018 (read now: dataset_info.json may have anything)
    except tfds.core.DatasetNotFoundError:  # its message lists more than a thousand
        raise ValueError(
            f"--dataset={name} is unknown to TensorFlow Datasets; `tfds.list_builders()` lists "
            "what exists."
        ) from None
    except Exception as error:  # missing configurations, versions and libraries
        raise ValueError(f"--dataset={name} cannot be opened.\n{error}") from error
    keys(builder)  # before the download
    if os.path.exists(os.path.join(builder.data_dir, "dataset_info.json")):
        _check_features(builder)
        return builder
    if os.path.exists(builder.data_dir):
        raise ValueError(f"--dataset={name}: {builder.data_dir} is incomplete; delete that folder.")
    try:
        builder.download_and_prepare()
    except Exception as error:  # of many types
        raise ValueError(
            f"--dataset={name} is not in {builder.data_dir} and cannot be prepared there; prepare "
            "it on another machine and copy that folder, or name its place with --data_dir.\n"
            f"{type(error).__name__}: {error}"
        ) from error
    return builder


def _check_features(builder):
    """Refuses data on disk whose image or class is not as the builder describes it."""
    from tensorflow_datasets import features as types

    def described(features):
        each = [(key, features[key]) for key in keys(builder) if key in features]
        return [(k, type(f), f.shape, getattr(f, "num_classes", None)) for k, f in each]

    try:
        stored = described(types.FeaturesDict.from_config(os.fspath(builder.data_dir)))
    except FileNotFoundError:  # as early versions of TensorFlow Datasets have it
        return
    except Exception as error:
        raise ValueError(f"{builder.data_dir}/features.json is damaged.\n{error}") from error
    if stored != described(builder.info.features):
        raise ValueError(
            f"--dataset={builder.name}: {builder.data_dir}/features.json describes other images or "
            "classes than those of this dataset; delete that folder, or name another --data_dir."
        )


def splits(builder: Any) -> list[str]:
    """Returns `train` and the held-out split: `validation`, or `test`, or none."""
    names = {name for name, split in builder.info.splits.items() if split.num_examples}
    if "train" not in names:
        raise ValueError(
            f"--dataset={builder.name} has no images of `train` in {builder.data_dir}."
        )
    return ["train", *[name for name in ("validation", "test") if name in names][:1]]


def keys(builder: Any) -> tuple[str, str]:
    """Returns the names of the features that hold the image and the class."""
    from tensorflow_datasets import features as types

    features = builder.info.features
    if not isinstance(features, types.FeaturesDict):
        features = {}  # sequences, of video for example
    for pair in (builder.info.supervised_keys or ())[:2], ("image", "label"):
        if len(pair) == 2 and all(isinstance(key, str) and key in features for key in pair):
            image, label = (features[key] for key in pair)
            is_image = isinstance(image, types.Image) and image.np_dtype == np.uint8
            if is_image and isinstance(label, types.ClassLabel):
                return pair
    raise ValueError(
        f"--dataset={builder.name} is not one of image classification: its features "
        f"({', '.join(features)}) are not an image of 8 bits and its class."
    )
