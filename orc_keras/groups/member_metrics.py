"""The metrics of each member of a group."""

import keras
import tensorflow as tf

from orc_keras.groups import losses

QUANTITIES = ("loss", "accuracy")


class MemberMetrics:
    """The loss and the accuracy of each member over the mini-batches since the last reset.

    *The* student's are reported twice, as `loss` and as `<student>_loss`, so that callbacks that
    know nothing of groups find them. If only one member is measured, it has the short names only.

    Args:
        names: of the members, *the* student last.

    Raises:
        ValueError: if one is `val`, or begins with `val_`, as the names of held-out metrics do.
    """

    def __init__(self, names):
        for name in names:
            if name.startswith("val_") or name == "val":
                raise ValueError(
                    f"A member cannot be called {name}, because {name}_accuracy is the name of a "
                    "held-out accuracy; choose another, as by network.name = 'teacher'."
                )
        self._student = names[-1]
        prefixes = {name: f"{name}_" for name in names} | {self._student: ""}
        self._of = {
            name: [keras.metrics.Mean(prefix + quantity, "float32") for quantity in QUANTITIES]
            for name, prefix in prefixes.items()
        }

    def record(self, name, labels, logits, weights):
        """Adds a mini-batch of member `name`: labels and weights `[B]`, logits `[B, C]`."""
        loss, accuracy = self._of[name]
        loss.update_state(losses.cross_entropy(labels, logits), weights)
        hits = tf.equal(tf.argmax(logits, axis=-1, output_type=labels.dtype), labels)
        accuracy.update_state(tf.cast(hits, tf.float32), weights)

    def metrics(self, names):
        """Returns the metrics of some members; the student's come first, for Keras's reports."""
        return [metric for name in reversed(self._of) if name in names for metric in self._of[name]]

    def results(self, names):
        """Returns the results of some members, by the names of their metrics."""
        results = {
            f"{name}_{quantity}": metric.result()
            for name in names
            for quantity, metric in zip(QUANTITIES, self._of[name])
        }
        if len(names) == 1:
            return dict(zip(QUANTITIES, results.values()))
        if self._student in names:
            results |= {quantity: results[f"{self._student}_{quantity}"] for quantity in QUANTITIES}
        return results
