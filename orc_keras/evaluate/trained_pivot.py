"""Evaluates a pivot that comes trained, before anything learns."""

import contextlib
import warnings

import keras

from orc_keras import models, run_files
from orc_keras.evaluate.evaluation import predict
from orc_keras.evaluate.members import copy_member
from orc_keras.groups.network_group import NetworkGroup
from orc_keras.networks import kind_of
from orc_keras.runs import Run, RunDirectory

OWN_PREPROCESSING = keras.layers.Rescaling | keras.layers.Normalization


def evaluate_pivot(run: Run, group: NetworkGroup) -> None:
    """Evaluates a pivot that comes trained on the held-out images; once, also if a run continues.

    Prints its accuracy and how it will learn, and warns if it is at chance level. The accuracy is
    written to the run's directory.

    Args:
        run: whose workers all call this.
        group: before anything has learnt.
    """
    if run.workers.broadcast(_is_recorded(run.directory)):
        return
    name = group.pivot_name
    network = copy_member(group.pivot)
    predictions = predict({name: network}, run.images, run.settings.batch_size)[name]
    accuracy = predictions.accuracy()
    run.directory.write_json(run_files.PIVOT_BEFORE, {"accuracy": accuracy})
    print(f"{name} comes trained: held out {accuracy:.2%}. {_how_it_learns(group)}")
    if predictions.is_at_chance() and run.workers.is_chief:
        warnings.warn(_of_chance(run.settings.pivot, network), stacklevel=2)


def _is_recorded(directory: RunDirectory) -> bool:
    with contextlib.suppress(ValueError):  # it is damaged
        return directory.accuracy_before is not None
    return False


def _how_it_learns(group: NetworkGroup) -> str:
    """Returns a sentence about the pivot's learning in the group."""
    learners = {name for names in group.group_stages().values() for name in names}
    teachings = getattr(group, "teachings", ("intensive",))
    if group.pivot_name not in learners or "intensive" not in teachings:
        return "It does not learn in the group."
    factor = group.learning_rate_factors.get(group.pivot_name, 1.0)
    return f"It learns on in the group, at {factor:g} times the learning rate."


def _of_chance(source: str, network: keras.Model) -> str:
    """Returns the warning of a pivot at chance level, with what may be the reason."""
    found = [each for each in models.leaf_layers(network) if isinstance(each, OWN_PREPROCESSING)]
    if found and kind_of(source) == "file" and not source.startswith("raw:"):
        reason = (
            f"it has a layer {type(found[0]).__name__}, so it may take pixels from 0 to 255, "
            f"which --pivot=raw:{source} gives it"
        )
    else:
        reason = "check which images it takes, and the order of its classes"
    return f"{source} is no better than chance on the held-out images; {reason}."
