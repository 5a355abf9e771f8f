"""The predictions of networks on the held-out images, and measures computed from them."""

import collections
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from scipy import stats
from scipy.special import log_softmax

CALIBRATION_BINS = 15
MOST_BYTES = 2**30  # of the arrays in a file
TOP = 5  # of no use where there are no more classes


@dataclasses.dataclass(frozen=True)
class Predictions:
    """The predictions of a network on n images, in order. All fields have shape `[n]`.

    Attributes:
        labels: the true classes, int32.
        predicted: the most probable classes, int32.
        rank: the number of classes ranked before the true one, int32.
        confidence: the probability of the predicted class, float32.
        cross_entropy: of the true class, in nats, float32.

    Examples:
        >>> predictions = Predictions.from_logits([[2.0, 0.0], [1.0, 3.0]], labels=[0, 0])
        >>> predictions.accuracy(), predictions.accuracy_by_class(2).tolist()
        (0.5, [0.5, nan])
    """

    labels: np.ndarray
    predicted: np.ndarray
    rank: np.ndarray
    confidence: np.ndarray
    cross_entropy: np.ndarray

    @classmethod
    def from_logits(cls, logits: Any, labels: Any) -> Self:
        """Returns the predictions of logits `[n, classes]`; ties go to the first class.

        Raises:
            FloatingPointError: if a logit is NaN or infinite.
        """
        logits, labels = np.asarray(logits, np.float32), np.asarray(labels, np.int32)
        if not np.isfinite(logits).all():
            raise FloatingPointError("A network answers with logits that are NaN or infinite.")
        log_probabilities = log_softmax(logits, axis=1)
        true = np.take_along_axis(logits, labels[:, None], axis=1)
        earlier = np.arange(logits.shape[1]) < labels[:, None]
        return cls(
            labels,
            logits.argmax(axis=1).astype(np.int32),
            np.asarray(((logits > true) | ((logits == true) & earlier)).sum(axis=1), np.int32),
            np.exp(log_probabilities.max(axis=1)),
            -np.take_along_axis(log_probabilities, labels[:, None], axis=1)[:, 0],
        )

    @classmethod
    def compute(cls, compute_logits: Callable, batches: Iterable) -> dict[str, Self]:
        """Returns the predictions of several networks, by name.

        Args:
            compute_logits: a function from images to logits by name.
            batches: of images and labels.
        """
        by_name = collections.defaultdict(list)
        for images, labels in batches:
            for name, logits in compute_logits(images).items():
                by_name[name].append(vars(cls.from_logits(logits, labels)).values())
        return {name: cls(*map(np.concatenate, zip(*each))) for name, each in by_name.items()}

    def accuracy(self, k: int = 1) -> float:
        """Returns the top-k accuracy."""
        return float(np.mean(self.rank < k))

    def accuracy_by_class(self, num_classes: int) -> np.ndarray:
        """Returns the accuracy on each class, NaN for a class without images."""
        images = np.bincount(self.labels, minlength=num_classes)
        hits = np.bincount(self.labels[self.rank == 0], minlength=num_classes)
        return np.where(images > 0, hits / np.maximum(images, 1), np.nan)

    def is_at_chance(self) -> bool:
        """Whether the answers would be as accurate in any other order (p >= 0.05).

        So it is for one that always answers the largest class, however large that is. One-sided
        binomial test against the accuracy to expect if answers and images were independent.

        Examples:
            >>> labels = [0] * 8 + [1] * 2
            >>> always_0 = Predictions.from_logits([[1.0, 0.0]] * 10, labels)
            >>> always_0.accuracy(), always_0.is_at_chance()
            (0.8, True)
        """
        images = len(self.labels)
        most = int(max(self.labels.max(), self.predicted.max())) + 1
        labels, answers = (
            np.bincount(each, minlength=most) for each in (self.labels, self.predicted)
        )
        expected = min(labels @ answers / images**2, 1.0)
        test = stats.binomtest(int(np.sum(self.rank == 0)), images, expected, "greater")
        return bool(test.pvalue >= 0.05)

    def reliability(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns the reliability diagram: images, mean confidence and accuracy in 15 bins.

        The bins of confidence have equal width; in an empty one the latter two are 0.
        """
        bins = np.ceil(self.confidence * CALIBRATION_BINS).astype(int) - 1  # (lower, upper]
        bins = np.clip(bins, 0, CALIBRATION_BINS - 1)
        images, confidences, hits = (
            np.bincount(bins, weights=weights, minlength=CALIBRATION_BINS)
            for weights in (None, self.confidence, self.rank == 0)
        )
        divisor = np.maximum(images, 1)
        return images, confidences / divisor, hits / divisor

    def calibration_error(self) -> float:
        """Returns the expected calibration error (Guo et al. 2017, equation 3), 15 bins."""
        images, confidence, accuracy = self.reliability()
        return float(np.sum(images * np.abs(accuracy - confidence)) / len(self.labels))

    def confusion_matrix(self, num_classes: int) -> np.ndarray:
        """Returns how many images of each class (row) are taken for each (column)."""
        pairs = self.labels * num_classes + self.predicted
        return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)

    def confusions(self, most: int = 6) -> list[tuple[int, int, np.ndarray]]:
        """Returns the pairs of classes that are confused most often, at most `most` of them.

        Each is class, larger class and positions of the confused images; most images first.
        """
        wrong = np.flatnonzero(self.rank > 0)
        pairs = np.sort(np.stack([self.labels[wrong], self.predicted[wrong]], axis=1), axis=1)
        different, pair_of, counts = np.unique(
            pairs, axis=0, return_inverse=True, return_counts=True
        )
        order = np.argsort(-counts, kind="stable")[:most]
        return [(*different[i].tolist(), wrong[pair_of.ravel() == i]) for i in order]

    def summary_metrics(self) -> dict[str, float]:
        """Returns the measures that a run's summary has of each member."""
        by_class = self.accuracy_by_class(self.labels.max() + 1)
        return {
            "accuracy": self.accuracy(),
            "top_5": self.accuracy(TOP),
            "balanced_accuracy": float(np.nanmean(by_class)),
            "cross_entropy": float(self.cross_entropy.mean()),
            "calibration_error": self.calibration_error(),
        }

    def metrics(self, class_names: Sequence[str]) -> dict[str, Any]:
        """Returns all measures as a dict that can be written as JSON."""
        figures = self.summary_metrics()
        by_class = zip(class_names, self.accuracy_by_class(len(class_names)).tolist())
        return {
            "images": len(self.labels),
            "top_1": figures.pop("accuracy"),
            **figures,
            "accuracy_by_class": {name: None if np.isnan(a) else a for name, a in by_class},
        }


class Evaluation(NamedTuple):
    """The evaluation of all members of a run on its held-out images."""

    predictions: Mapping[str, Predictions]  # of each member
    examples: Mapping[int, np.ndarray]  # misclassified by the student, uint8, by position
    files: Mapping[int, str] = {}  # the names of their files, where they have any


def write(evaluation: Evaluation, path: Path):
    """Writes an evaluation as an `.npz` file."""
    arrays = {
        f"{name}/{field}": value
        for name, predictions in evaluation.predictions.items()
        for field, value in vars(predictions).items()
    }
    arrays |= {f"/{position}": image for position, image in evaluation.examples.items()}
    if evaluation.files:
        arrays["/files"] = np.array([[str(i), name] for i, name in evaluation.files.items()])
    with open(path, "wb") as file:
        np.savez_compressed(file, **arrays)


def read(path: Path) -> Evaluation:
    """Returns the evaluation in a file; some exception if it is damaged."""
    members, examples, files = collections.defaultdict(dict), {}, {}
    with np.load(path) as arrays:
        if sum(each.file_size for each in arrays.zip.infolist()) > MOST_BYTES:
            raise ValueError(f"It has more than {MOST_BYTES:,} bytes unpacked.")
        for key, value in arrays.items():
            member, _, name = key.rpartition("/")
            if member:
                members[member][name] = value
            elif name == "files":
                files = {int(position): file for position, file in value.tolist()}
            else:
                examples[int(name)] = value
    predictions = {name: Predictions(**each) for name, each in members.items()}
    if not (
        all(map(_is_possible, predictions.values())) and all(map(_is_image, examples.values()))
    ):
        raise ValueError("It does not hold predictions.")
    return Evaluation(predictions, examples, files)


def _is_image(array: np.ndarray) -> bool:
    """Whether an array is a grey or a coloured image."""
    return array.dtype == np.uint8 and array.size > 0 and array.shape[2:] in ((), (3,))


def _is_possible(predictions: Predictions) -> bool:
    """Whether the arrays have the types, shapes and ranges that `Predictions` states."""
    classes = (predictions.labels, predictions.predicted, predictions.rank)
    numbers = (predictions.confidence, predictions.cross_entropy)
    return (
        {array.shape for array in (*classes, *numbers)} == {(predictions.labels.size,)}
        and all(each.dtype == np.int32 and each.min(initial=0) >= 0 for each in classes)
        and all(each.dtype == np.float32 and np.isfinite(each).all() for each in numbers)
    )
