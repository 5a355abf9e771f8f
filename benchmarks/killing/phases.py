"""How far a run has got, as it can be seen from outside: from what it prints and writes."""

import collections
import time
from pathlib import Path

from killing.children import Failure

PATIENCE = 900  # seconds that a phase may take at most
SAVING = {"pivot": "pivot: a save", "group": "group: a save"}


def printed(text):
    return lambda watch: text in watch.output()


def written(pattern):
    return lambda watch: any(map(watch.is_new, watch.directory.glob(pattern)))


def maps(library):
    return lambda watch: library in watch.libraries()


# What a run does, in order, and how one sees that it has begun. All of it can be seen in a run that
# continues, too: nothing that an earlier process wrote or printed counts. A save is seen otherwise.
BEGINS = {
    "imports": lambda watch: True,
    "loading, building": maps("/sklearn/datasets/"),  # imported to load the digits
    "pivot: first steps": printed("The pivot learns alone"),
    "pivot: later steps": written("checkpoints/pivot-*"),
    "group: first steps": printed("The group learns"),
    "group: later steps": written("checkpoints/group-*"),
    "evaluation": written("checkpoints/*group.keras"),
    "export": written("evaluation.npz"),
    "report": written("summary.json"),
}
ORDER = list(BEGINS)
PHASES = [*ORDER[:4], SAVING["pivot"], *ORDER[4:6], SAVING["group"], *ORDER[6:]]


class Watch:
    """Sees what a process makes of a run.

    Args:
        process: which trains, a `subprocess.Popen` that has just been started.
        directory: of the run.
        log: what it prints to, which earlier processes may have done before.
        printed_before: the size of the log at the start.
    """

    def __init__(self, process, directory, log, printed_before):
        self.process, self.directory = process, directory
        self._log, self._printed_before = log, printed_before
        self._started, self._seen = time.time(), 0

    def phase(self):
        """Returns the phase that the run is in; of a process that was killed, the one it was in."""
        while self._seen + 1 < len(ORDER):
            further = ORDER[self._seen + 1 :]
            reached = [name for name in further if BEGINS[name](self)]
            if not reached:
                break
            self._seen = ORDER.index(reached[-1])
        name = ORDER[self._seen]
        return next((SAVING[stage] for stage in SAVING if self.save(stage)), name)

    def has_passed(self, phase):
        """Whether the run is beyond a phase."""
        return PHASES.index(self.phase()) > PHASES.index(phase)

    def save(self, stage):
        """Returns the name of the save of a stage that is being written, or None."""
        unfinished = self.directory.glob(f"checkpoints/unfinished-{stage}-*")
        return next((path.name for path in unfinished if self.is_new(path)), None)

    def has_ended(self):
        return self.process.poll() is not None

    def output(self):
        with open(self._log, errors="replace") as file:
            file.seek(self._printed_before)
            return file.read()

    def libraries(self):
        try:
            return Path(f"/proc/{self.process.pid}/maps").read_text()
        except OSError:  # it has ended
            return ""

    def is_new(self, path):
        try:
            return path.stat().st_mtime >= self._started
        except OSError:  # renamed or deleted in between
            return False


def follow(watch):
    """Follows a run to its end; returns the seconds of each phase, of saves those of one."""
    seconds, saves, before = collections.Counter(), collections.defaultdict(set), time.monotonic()
    while not watch.has_ended():
        time.sleep(0.005)
        phase, now = watch.phase(), time.monotonic()
        seconds[phase] += now - before
        saves[phase] |= {watch.save(stage) for stage in SAVING if phase == SAVING[stage]}
        before = now
    return {phase: seconds[phase] / max(1, len(saves[phase])) for phase in PHASES}


def wait_within(phase, watch, seconds, rng):
    """Waits until a run is at a random moment of a phase, or beyond it, or has ended.

    Args:
        phase: one of `PHASES`.
        watch: `Watch`.
        seconds: what `follow` returned.
        rng: `random.Random`.
    """
    if phase in SAVING.values():
        learning = phase.replace("a save", "later steps")
        _wait(lambda: watch.phase() in (phase, learning) or watch.has_passed(phase), watch, 0.02)
        _stay(watch, rng.uniform(0, 0.8 * seconds[learning]))
        _wait(lambda: watch.phase() == phase or watch.has_passed(phase), watch, 0.002)
    else:
        _wait(lambda: watch.phase() == phase or watch.has_passed(phase), watch, 0.02)
    _stay(watch, rng.uniform(0, seconds[phase]))


def _wait(condition, watch, interval):
    until = time.monotonic() + PATIENCE
    while not (watch.has_ended() or condition()):
        if time.monotonic() > until:
            raise Failure(f"{watch.directory}: nothing but {watch.phase()!r} for {PATIENCE} s.")
        time.sleep(interval)


def _stay(watch, seconds):
    until = time.monotonic() + seconds
    while not watch.has_ended() and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 0.05))
        watch.phase()


class Plans:
    """Draws in which phases to kill a run, all of them equally often in the long run.

    Args:
        rng: `random.Random`.
    """

    def __init__(self, rng):
        self._rng, self._deck = rng, []

    def draw(self, number):
        """Returns the phases of the next run, so that none is drawn when it is over."""
        drawn = [self._one() for _ in range(number)]
        anywhere = [phase for phase in drawn if phase in ORDER[:2]]  # every start passes these
        plan = sorted((p for p in drawn if p not in anywhere), key=PHASES.index)
        for phase in anywhere:
            plan.insert(self._rng.randint(0, len(plan)), phase)
        return plan

    def _one(self):
        if not self._deck:
            self._deck = self._rng.sample(2 * PHASES, 2 * len(PHASES))
        return self._deck.pop()
