"""Where a program stops, so that a case does not train: all that takes hold of the project inside.

Each function changes the project in this process, which is a case's own.
"""

import os
import sys

ACCEPTED = "ACCEPTED"


def _replace(owner, name, replacement):
    """Sets what a module or class has under this name; without it, nothing would be stopped."""
    if name not in vars(owner):
        raise AttributeError(f"{owner.__name__} has no {name} any more that a case could stop at.")
    setattr(owner, name, replacement)


def _accept(*_, **__):
    print(ACCEPTED)
    sys.exit(0)


def _stop_after_prepare():
    from orc_keras import experiment

    prepare = experiment.prepare

    def prepared(settings):
        prepare(settings)
        return _accept

    _replace(experiment, "prepare", prepared)


def _stop_before_fit():
    from orc_keras import experiment
    from orc_keras.training import stage

    _replace(stage, "train", _accept)
    _replace(experiment, "finish", _accept)  # of a run whose training is over


def _stop_at_epoch():
    """The group's training ends when it has been restored and begins to go on."""
    from orc_keras import experiment
    from orc_keras.training import resume

    begin = resume.SaveAndContinue.on_epoch_begin

    def on_epoch_begin(self, epoch, logs=None):
        if self.model.stage != "pivot":
            _accept()
        begin(self, epoch, logs)

    _replace(resume.SaveAndContinue, "on_epoch_begin", on_epoch_begin)
    _replace(experiment, "finish", _accept)  # of a run whose training is over


def _die_in_the_epoch():
    """The group's training ends as if it were killed, after so many steps that it has saved."""
    from orc_keras.training import resume

    end = resume.SaveAndContinue.on_train_batch_end

    def on_train_batch_end(self, batch, logs=None):
        end(self, batch, logs)
        if self.model.stage != "pivot" and batch == 12:
            os._exit(0)

    _replace(resume.SaveAndContinue, "on_train_batch_end", on_train_batch_end)


def _stop_before_runs():
    """A comparison ends before it starts a run."""
    from orc_keras.compare import running
    from orc_keras.runs.directory import RunDirectory

    run_all = running.run_all

    def only_finished(runs, jobs):
        left = [run for run in runs if not RunDirectory(run.settings).is_finished()]
        for run in left:  # which comes before a run is started, and may fail
            run.directory.parent.mkdir(parents=True, exist_ok=True)
        return _accept() if left else run_all(runs, jobs)

    _replace(running, "run_all", only_finished)


def _nowhere():
    pass


STOPS = {
    ("train", "prepare"): _stop_after_prepare,
    ("train", "fit"): _stop_before_fit,
    ("train", "epoch"): _stop_at_epoch,
    ("train", "killed"): _die_in_the_epoch,
    ("train", ""): _nowhere,
    ("compare", "prepare"): _stop_before_runs,
    **{(name, "prepare"): _nowhere for name in ("evaluate", "export", "predict", "report")},
}
