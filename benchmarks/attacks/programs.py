"""The forked process of a case: it becomes a program of the project, or runs a snippet."""

import os
import resource
import runpy
import sys
import traceback

from attacks.case import LIBRARY, PROGRAMS, ROOT

ACCEPTED = "ACCEPTED"
RAISED = "RAISED "  # a line of standard error, before the message
KERAS = "of Keras"  # in that line
MEMORY = 12 * 10**9  # bytes of addresses; more would endanger the machine


def become(program, arguments, stop, environment=()):
    """Runs a program as `python` would, up to the point `stop`; ends the process."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.environ.update(environment)
    try:
        if program == LIBRARY:
            _run_snippet(*arguments)
        else:
            STOPS[program, stop]()
            _run_program(program, arguments)
        code = 0
    except SystemExit as end:
        code = _code(end)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _code(end):
    if isinstance(end.code, str):
        print(end.code, file=sys.stderr)
        return 1
    return end.code or 0


def _run_program(program, arguments):
    name = PROGRAMS[program]
    if program == "train":
        sys.argv = [str(ROOT / name), *arguments]
        runpy.run_path(sys.argv[0], run_name="__main__")
    else:
        sys.argv = [str(ROOT / f"{name.replace('.', '/')}.py"), *arguments]
        sys.modules.pop(name, None)  # others import it too, which runpy would warn of
        runpy.run_module(name, run_name="__main__", alter_sys=True)


def _run_snippet(snippet):
    try:
        exec(compile(snippet, "<snippet>", "exec"), {"__name__": "__main__"})
    except Exception as error:
        kind = type(error)
        clear = issubclass(kind, ValueError | TypeError | OSError)
        if not clear:
            traceback.print_exc()
        of_keras = "/keras/" in traceback.extract_tb(error.__traceback__)[-1].filename
        print(f"{RAISED}{kind.__name__} {KERAS * of_keras}\n{error}", file=sys.stderr)
        sys.exit(1)
    print(ACCEPTED)


def _accept(*_, **__):
    print(ACCEPTED)
    sys.exit(0)


def _stop_after_prepare():
    from orc_keras import experiment

    prepare = experiment.prepare

    def prepared(settings):
        prepare(settings)
        return _accept

    experiment.prepare = prepared


def _stop_before_fit():
    from orc_keras import experiment

    experiment.fit = experiment.end = _accept


def _stop_at_epoch():
    """The group's training ends when it has been restored and begins to go on."""
    from orc_keras import experiment
    from orc_keras.training import resume

    begin = resume.SaveAndContinue.on_epoch_begin

    def on_epoch_begin(self, epoch, logs=None):
        if hasattr(self.model, "members"):
            _accept()
        begin(self, epoch, logs)

    resume.SaveAndContinue.on_epoch_begin = on_epoch_begin
    experiment.end = _accept


def _die_in_the_epoch():
    """The group's training ends as if it were killed, after so many steps that it has saved."""
    from orc_keras.training import resume

    end = resume.SaveAndContinue.on_train_batch_end

    def on_train_batch_end(self, batch, logs=None):
        end(self, batch, logs)
        if hasattr(self.model, "members") and batch == 12:
            os._exit(0)

    resume.SaveAndContinue.on_train_batch_end = on_train_batch_end


def _stop_before_runs():
    """A comparison ends before it starts a run."""
    from orc_keras.compare import running

    run_all = running.run_all

    def only_finished(runs, jobs):
        left = [run for run in runs if not running.RunDirectory(run.settings).is_finished()]
        for run in left:  # which comes before a run is started, and may fail
            run.directory.parent.mkdir(parents=True, exist_ok=True)
        return _accept() if left else run_all(runs, jobs)

    running.run_all = only_finished


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
