"""Evaluates one network: a member of a run, or an exported one as it is deployed."""

import numpy as np

from orc_keras import data, networks
from orc_keras.evaluate.members import load_member, logits_function, to_keras_layers
from orc_keras.evaluate.saved_model import SavedModel
from orc_keras.formatting import aligned_table
from orc_keras.runs import finished_run
from orc_keras.runs.images import as_seen, held_out_again
from orc_keras.runs.predictions import Predictions

BATCH_SIZE = 64
MOST_CLASSES = 20  # in the table


def evaluate_member(run, member="", dataset="", data_dir=""):
    """Evaluates a member of a finished run.

    Args:
        run: the run's directory.
        member: the member's name; empty: the student.
        dataset: the dataset whose held-out images to evaluate on, as for `train.py --dataset`, or
            `folder:<path>` with a folder for each class; empty: the run's held-out images.
        data_dir: the folder of TensorFlow Datasets.

    Returns:
        A description of what was evaluated, and its `Predictions.measures`.

    Raises:
        ValueError: if the run, the member or the images are missing, or do not fit.
    """
    run = finished_run(run)
    member = member or list(run.summary["members"])[-1]
    network = load_member(run, member)
    own = as_seen(run, _load(dataset, data_dir)) if dataset else None
    images = own or held_out_again(run, data_dir)
    class_names = run.summary["data"]["class_names"]
    batches = _labelled(data.held_out_batches(images, BATCH_SIZE), images, class_names)
    predictions = _predictions(member, logits_function({member: network}), batches)
    dataset = dataset or run.summary["settings"]["dataset"]
    return f"{member} of {run.path} on {dataset}", predictions.measures(class_names)


def evaluate_saved_model(path, dataset, data_dir=""):
    """Evaluates an exported network on image files, as it is deployed.

    Args:
        path: the SavedModel's directory.
        dataset: as in `evaluate_member`.
        data_dir: as in `evaluate_member`.

    Returns:
        As `evaluate_member`.

    Raises:
        ValueError: as `evaluate_member`.
    """
    network = SavedModel(path)
    images = _load(dataset, data_dir)
    if images.image_shape[-1] > network.image_shape[-1]:
        raise ValueError(f"{dataset} has images in colour, but {path} takes grey ones.")
    batches = _labelled(data.held_out_files(images, BATCH_SIZE), images, network.class_names)
    predictions = _predictions(path, lambda files: {path: network.answer(files)["logits"]}, batches)
    return f"{path} on {dataset}", predictions.measures(network.class_names)


def evaluate_network(source, dataset, data_dir=""):
    """Evaluates a network from any source of members on the images that a dataset holds out.

    They are normalised as in training on that dataset.

    Args:
        source: as for `networks.build`, such as a `.keras` file.
        dataset: as for `train.py --dataset`.
        data_dir: the folder of TensorFlow Datasets.

    Returns:
        As `evaluate_member`.

    Raises:
        ValueError: as `evaluate_member`.
    """
    images = data.load(dataset, data_dir)
    how = (images.image_shape, images.num_classes, images.mean, images.std)
    network = to_keras_layers(networks.build(source, *how))
    batches = data.held_out_batches(images, BATCH_SIZE)
    predictions = _predictions(source, logits_function({source: network}), batches)
    return f"{source} on {dataset}", predictions.measures(images.class_names)


def table(measures):
    """Returns measures as text; of many classes, those of lowest accuracy."""
    by_class = {n: a for n, a in measures["accuracy_by_class"].items() if a is not None}
    shown = sorted(by_class, key=by_class.get)[:MOST_CLASSES]
    in_order = [name for name in by_class if name in shown]
    which = "class" if len(shown) == len(by_class) else f"the {MOST_CLASSES} worst classes"
    return "\n\n".join(
        [
            aligned_table(
                [
                    ("images", f"{measures['images']:,}"),
                    ("top-1 accuracy", f"{measures['top_1']:.2%}"),
                    ("top-5 accuracy", f"{measures['top_5']:.2%}"),
                    ("balanced accuracy", f"{measures['balanced_accuracy']:.2%}"),
                    ("cross-entropy (nats)", f"{measures['cross_entropy']:.4f}"),
                    ("expected calibration error", f"{measures['calibration_error']:.2%}"),
                ]
            ),
            aligned_table([(which, "accuracy"), *((n, f"{by_class[n]:.2%}") for n in in_order)]),
        ]
    )


def _predictions(name, compute_logits, batches):
    try:
        return Predictions.of(compute_logits, batches)[name]
    except FloatingPointError as error:
        raise ValueError(f"{name} cannot be evaluated. {error}") from error


def _load(dataset, data_dir):
    return data.load(dataset, data_dir, held_out_only=True)


def _labelled(batches, images, class_names):
    """Returns the batches, with the labels that the network has for classes of these names."""
    unknown = [name for name in images.class_names if name not in class_names]
    if unknown:
        raise ValueError(
            f"The images have {len(unknown)} classes that the network does not know, such as "
            f"{unknown[0]!r}; it knows {', '.join(class_names[:10])}"
            f"{' and others' if len(class_names) > 10 else ''}."
        )
    numbers = np.array([class_names.index(name) for name in images.class_names])
    return ((contents, numbers[labels.numpy()]) for contents, labels in batches)
