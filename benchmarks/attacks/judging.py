"""Whether what came of a case is what has to come of it."""

import dataclasses
import hashlib
import html
import json
import os
import re
import shutil

from attacks import outcome
from attacks.case import LIBRARY, Verdict
from attacks.programs import ACCEPTED, KERAS, RAISED

CLEAR = ("ValueError", "TypeError", "OSError", "FileNotFoundError", "IsADirectoryError")
CLEAR += ("NotADirectoryError", "FileExistsError", "PermissionError", "UnicodeDecodeError")
LONGEST = 1500  # characters of a sentence
# What libraries print by themselves.
LEAKS = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWEF] |^[IWEF]\d{4,} |WARNING:(tensorflow|absl)|"
    r"\w+Warning: |Corrupt JPEG|libpng|Premature end of JPEG|warnings\.warn|"
    r"WARNING: All log messages",
    re.MULTILINE,
)
PARSING = "FATAL Flags parsing error:"  # absl's words around its own sentence
AFTER_PARSING = "Pass --helpshort or --helpfull to see help on flags."
RESULTS = ("report.html", "README.md", "class_names.txt", "results.md", "runs.csv")
PROBLEMS = re.compile(r'<div class="problems">(.*?)</div>', re.DOTALL)


def judge(case, work):
    """Makes a case's files, runs it, and returns its `Verdict`; for a process of its own.

    Args:
        case: a `Case`.
        work: the folder in which there is one for each case.
    """
    place = work / f"{case.number:04d}"
    try:
        prepare(case, place)
    except Exception as error:  # two kinds of damage may exclude each other
        return Verdict(case, "no case", f"Its files cannot be made: {error}", "", 0.0, place)
    before = outcome.files_in(place)
    came = outcome.run(case, place, work / f"{case.number:04d}")
    problem, detail = _problem(case, came, place, before, work)
    said = (came.out, came.err, _problems_of_report(place) if case.program == "report" else "")
    output = "\n".join(filter(None, map(str.strip, said)))
    shutil.rmtree(place, ignore_errors=True)
    if problem:
        prepare(case, place)  # for who wants to repeat it
    else:
        for log in work.glob(f"{place.name}.*"):
            log.unlink()
    return Verdict(case, problem, detail, output[-1200:], came.seconds, place)


def prepare(case, place):
    """Makes the folder of a case."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for make in (*case.files, *case.damage):
        make(place)


def _problem(case, came, place, before, work):
    """Returns what is wrong, in a word, and more about it."""
    if came.code == outcome.HANGS:
        return "hang", f"It took more than {case.seconds} seconds."
    if came.code < 0:
        return "crash", f"It was ended by signal {-came.code}."
    if (place / "marker").exists():
        return "code ran", "Code in a file has run."
    lost = outcome.lost(before, outcome.files_in(place), case.changes)
    if lost:
        return "lost", f"Files are gone or others: {', '.join(lost[:3])} ({len(lost)} in all)."
    if "Traceback (most recent call last)" in came.err:
        return "traceback", came.err.strip().splitlines()[-1]
    if leak := LEAKS.search(came.out + "\n" + _before_message(came.err)):
        return "leak", f"A library speaks: {leak[0].strip()}"
    if case.check and (wrong := case.check(place)):
        return "wrong files", wrong
    if case.expected == "same":
        return _same(case, came, _result(came, place, before), work)
    return _EXPECTED[case.expected](case, came, place)


def _before_message(err):
    return err.partition(RAISED)[0] if RAISED in err else err


def _refused(case, came, *_):
    if not came.code or ACCEPTED in came.out:
        return "accepted", ""
    kind, lines = _sentence(case, came.err)
    most = 3 if kind.endswith(KERAS) else 1  # what Keras says may have some more
    kind = kind.partition(" ")[0]
    if kind and kind not in CLEAR:
        return "traceback", f"It is a {kind}, not a ValueError or TypeError."
    if not lines:
        return "unclear", f"No sentence; exit code {came.code}."
    if len(lines) > most:
        return "unclear", f"{len(lines)} lines in place of one: {lines[0]}"
    sentence = " ".join(lines)
    if len(sentence) > LONGEST:
        return "unclear", f"A sentence of {len(sentence)} characters."
    if " object at 0x" in sentence:
        return "unclear", f"An address in memory: {sentence}"
    if not _named(case, sentence):
        return "unclear", f"It names none of {case.names}: {sentence}"
    return "", sentence


def _sentence(case, err):
    """Returns the name of the exception, if a snippet raised it, and the lines of what was said."""
    kind = ""
    if case.program == LIBRARY:
        kind, _, err = err.partition(RAISED)[2].partition("\n")
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    return kind, [line for line in lines if line not in (PARSING, AFTER_PARSING)]


def _named(case, text):
    """Whether a text contains what the case wants to be named."""
    low = text.lower()
    for name in case.names:
        parts = name if isinstance(name, tuple) else (name,)
        if all(part.lower() in low for part in parts):
            return True
    return False


def _refused_first(case, came, *_):
    if came.out.strip():
        return "too late", "Something was printed before it was refused."
    return _refused(case, came)


def _said(case, came, place):
    if came.code:
        return _refused(case, came)
    if not _named(case, came.out.replace(ACCEPTED, "") + came.err + _problems_of_report(place)):
        return "unsaid", f"Nothing in the output names one of {case.names}."
    return "", ""


def _accepted(case, came, *_):
    return ("refused", "") if came.code else ("", "")


def _any(case, came, *_):
    return _refused(case, came) if came.code else ("", "")


def _same(case, came, ours, work):
    """Refused; or it says that something is damaged; or nothing comes out otherwise."""
    if came.code:
        return _refused(case, came)
    undamaged = _undamaged(case, work)
    new = [line for line in ours["text"].splitlines() if line not in undamaged["text"]]
    if _named(case, "\n".join(new)) or ours == undamaged:
        return "", ""
    complaints = [line for line in new if "damaged" in line or "missing" in line]
    if complaints:
        return "unclear", f"It names none of {case.names}: {' '.join(complaints)[:300]}"
    parts = [key for key in ours | undamaged if ours.get(key) != undamaged.get(key)]
    return "different", f"Accepted, but without a word otherwise: {', '.join(parts)}."


def _result(came, place, before):
    """What came out of a program: what it said, and the files of results that it has written."""
    text = (came.out + came.err).replace(str(place), "") + _problems_of_report(place)
    now = {p: c for p, c in outcome.files_in(place).items() if os.path.basename(p) in RESULTS}
    return {"text": text, **{path: c for path, c in now.items() if before.get(path) != c}}


def _undamaged(case, work):
    """What comes out of the same command without the damage; computed once for each command."""
    whole = dataclasses.replace(case, damage=(), seconds=120)
    key = repr((case.program, case.arguments, case.stop, case.environment, case.files))
    name = f"undamaged-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    stored = work / f"{name}.json"
    if not stored.exists():
        place = work / f"{name}-{os.getpid()}"
        prepare(whole, place)
        before = outcome.files_in(place)
        result = _result(outcome.run(whole, place, f"{place}.log"), place, before)
        shutil.rmtree(place)
        unfinished = work / f"{name}-{os.getpid()}.part"
        unfinished.write_text(json.dumps(result))
        os.replace(unfinished, stored)
    return json.loads(stored.read_text())


def _problems_of_report(place):
    """What the pages of reports say of missing or damaged files."""
    pages = (p.read_text(errors="replace") for p in sorted(place.glob("*/report/report.html")))
    return "".join(f"\n{html.unescape(text)}" for page in pages for text in PROBLEMS.findall(page))


_EXPECTED = {
    "refused": _refused,
    "refused first": _refused_first,
    "said": _said,
    "accepted": _accepted,
    "any": _any,
}
