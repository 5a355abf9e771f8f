"""What is printed of a finished run."""

from helpers.summaries import MEMBER, SUMMARY

from orc_keras.runs import summary


def with_members(**accuracies):
    return SUMMARY | {"members": {n: MEMBER | {"accuracy": a} for n, a in accuracies.items()}}


def test_a_better_student_is_named_and_how_to_export_it():
    contents = with_members(pivot=0.9, large=0.7, middle=0.8, small=0.6)
    assert summary.results(contents, "runs/my photos").splitlines()[-2:] == [
        "middle is more accurate than the student, small. To export it:",
        "  orc-keras export --run='runs/my photos' --member=middle",
    ]


def test_a_student_that_no_other_is_better_than():
    contents = with_members(pivot=0.9, large=0.6, small=0.6)
    assert summary.results(contents, "run") == summary.table(contents)
