"""Image classification datasets of TensorFlow Datasets, by name."""

import difflib
import os
import re
import sys
import textwrap
from urllib.parse import urlsplit

import numpy as np


def open_builder(name, data_dir):
    """Opens a dataset; downloads and prepares it if it is not on disk.

    Args:
        name: as in `tfds.builder`: cifar10, imagenet_v2/topimages, imagenet2012:5.1.0, ...
        data_dir: the folder of TensorFlow Datasets; None for its usual place.

    Returns:
        A `tfds.core.DatasetBuilder` whose data are on disk. If they were there before, the network
        is not accessed.

    Raises:
        ValueError: if the dataset is unknown, is not for image classification, or is not on disk
            and cannot be prepared.
    """
    import tensorflow_datasets as tfds

    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    builder = _find(name, data_dir)
    keys(builder)  # before the download
    if not os.path.exists(os.path.join(builder.data_dir, "dataset_info.json")):
        _prepare(name, builder)
    return builder


def splits(builder):
    """Returns the names of the training split and, if there is one, of the held-out split.

    The latter is `validation` if it exists, otherwise `test`; other splits are not used.
    """
    names = set(builder.info.splits)
    if "train" not in names:
        raise ValueError(f"--dataset={builder.name} has no split `train` in {builder.data_dir}.")
    return ["train", *[name for name in ("validation", "test") if name in names][:1]]


def class_names(builder):
    """Returns the names of the classes."""
    return tuple(builder.info.features[keys(builder)[1]].names)


def image_shape(builder):
    """Returns (height, width, channels), None where images differ."""
    return tuple(builder.info.features[keys(builder)[0]].shape)


def _find(name, data_dir):
    """Returns the builder of a dataset, prepared or not."""
    import tensorflow_datasets as tfds

    # A namespace before the name would be looked up on the network.
    if re.fullmatch(r"\w+(/[\w.-]+)?(:\d+\.\d+\.\d+)?", name):
        try:
            return tfds.builder(name, data_dir=data_dir)
        except tfds.core.DatasetNotFoundError:
            pass
        except Exception as error:  # missing configurations, versions and libraries
            reason = first_line(str(error).rpartition('}": ')[2])  # the rest names the call
            raise ValueError(f"--dataset={name} cannot be opened: {reason}.") from error
    names = tfds.list_builders(with_community_datasets=False)
    close = difflib.get_close_matches(re.split("[/:]", name.lower())[0], names, n=1)
    meant = f"is {close[0]} meant?" if close else "`tfds.list_builders()` lists what there is."
    raise ValueError(f"--dataset={name} is unknown to TensorFlow Datasets; {meant}")


def keys(builder):
    """Returns the names of the features that hold the image and the class."""
    from tensorflow_datasets import features as kinds

    features = builder.info.features
    if not isinstance(features, kinds.FeaturesDict):
        features = {}  # sequences, of video for example
    for keys in (builder.info.supervised_keys or ())[:2], ("image", "label"):
        if len(keys) == 2 and all(isinstance(key, str) and key in features for key in keys):
            image, label = (features[key] for key in keys)
            is_image = isinstance(image, kinds.Image) and image.np_dtype == np.uint8
            if is_image and isinstance(label, kinds.ClassLabel):
                return keys
    raise ValueError(
        f"--dataset={builder.name} is not one of image classification: its features "
        f"({', '.join(features)}) are not an image of 8 bits and its class."
    )


def _prepare(name, builder):
    """Downloads and prepares a dataset, or raises ValueError with the reason."""
    where = f"--dataset={name} is not in {builder.data_dir} and cannot be"
    if os.path.exists(builder.data_dir):
        raise ValueError(f"--dataset={name}: {builder.data_dir} is incomplete; delete that folder.")
    if builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
        _check_manual_download(where, builder)
    elif trouble := _network_trouble(builder):
        raise ValueError(_not_downloaded(where, name, trouble)) from trouble
    try:
        builder.download_and_prepare()
    except Exception as error:  # there are many kinds
        if type(error).__module__.startswith(("requests", "tensorflow_datasets.core.download")):
            raise ValueError(_not_downloaded(where, name, error)) from error
        raise ValueError(
            f"{where} prepared there ({type(error).__name__}: {first_line(error)})."
        ) from error


def _not_downloaded(where, name, error):
    return (
        f"{where} downloaded ({type(error).__name__}); prepare it on a machine with internet by "
        '`python -c "import tensorflow_datasets as tfds; '
        f"tfds.builder('{name}').download_and_prepare()\"` and copy that folder here, or name the "
        "place with --data_dir."
    )


def _check_manual_download(where, builder):
    """Raises ValueError if archives that must be downloaded by hand are missing."""
    folder = os.path.join(builder.data_dir_root, "downloads", "manual")
    there = os.listdir(folder) if os.path.isdir(folder) else []
    instructions = builder.MANUAL_DOWNLOAD_INSTRUCTIONS
    archives = dict.fromkeys(re.findall(r"ILSVRC\w+\.tar", instructions))
    missing = [archive for archive in archives if archive not in there]
    if missing or not there:
        need = " and ".join(missing) or f"({textwrap.shorten(instructions, 200)})"
        other = ", or name an extracted copy by --dataset=folder:<path>"
        raise ValueError(
            f"{where} downloaded without an account: put the archives {need} into {folder}"
            f"{other if builder.name == 'imagenet2012' else ''}."
        )


def _network_trouble(builder):
    """Returns why a dataset's hosts do not answer, or None; a download would retry for minutes."""
    import requests

    trouble = None
    for host in _hosts(builder)[:3]:
        try:
            requests.head(host, timeout=5)
            return None
        except requests.RequestException as error:
            trouble = error
    return trouble


def _hosts(builder):
    """Returns the hosts that a dataset is downloaded from; none if archives are on disk."""
    urls = builder.url_infos or {}
    downloads = builder.data_dir_root / "downloads"
    names = {info.filename for info in urls.values() if info.filename}
    by_hand = any((downloads / "manual" / name).exists() for name in names)
    if by_hand or any((downloads / builder.name).glob("*.INFO")):  # written after a download
        return []
    parts = [urlsplit(url.replace("gs://", "https://storage.googleapis.com/")) for url in urls]
    return list(dict.fromkeys(f"{p.scheme}://{p.netloc}" for p in parts if "http" in p.scheme))


def first_line(error):
    """Returns the first line of an error or text, for the middle of a sentence."""
    return textwrap.shorten(str(error).strip().partition("\n")[0], 200).rstrip(".")
