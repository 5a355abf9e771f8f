"""What an argument of a method can be: each range once, in the method that has it."""

import numpy as np
import pytest
from helpers.networks import linear_network

from orc_keras.groups import METHODS


@pytest.fixture(scope="module")
def members():
    """A pivot and three students, `student1` to `student3`."""
    return linear_network("pivot"), [linear_network(f"student{i}", seed=i) for i in (1, 2, 3)]


@pytest.mark.parametrize(
    "kind, wrong, message",
    [
        ("orc", {"temperature": 0}, "temperature must be above 0, not 0"),
        ("orc", {"temperature": float("nan")}, "temperature must be above 0"),
        ("orc", {"temperature": "4"}, "temperature must be above 0, not '4'"),
        ("orc", {"temperature": True}, "temperature must be above 0, not True"),
        ("orc", {"distillation_weight": 1.5}, "distillation_weight must be 0 to 1, not 1.5"),
        ("orc", {"mixup_alpha": -1}, "mixup_alpha must be 0 or more, not -1"),
        ("orc", {"mixup_alpha": "1"}, "mixup_alpha must be 0 or more, not '1'"),
        ("orc", {"pivot_learning_rate": -1}, "pivot_learning_rate must be 0 to 1000000, not -1"),
        ("orc", {"num_temporary_teachers": 3}, "below the number of students, 3, not 3"),
        ("orc", {"num_temporary_teachers": 0}, "_teachers must be a whole number, 1 or more"),
        ("orc", {"num_temporary_teachers": 1.0}, "_teachers must be a whole number, 1 or more"),
        ("orc", {"role_change_interval": 0}, "role_change_interval must be .*, 1 or more"),
        ("orc", {"role_change_interval": 1.5}, "role_change_interval must be a whole number"),
        ("orc", {"role_change_interval": [1]}, r"role_change_interval must be .* not \[1\]"),
        ("orc", {"seed": 0.5}, "seed must be a whole number, .*, not 0.5"),
        ("orc", {"seed": 2**70}, "seed must be a whole number, 0 to 4294967295"),
        (
            "orc",
            {"teachings": ("all",)},
            "teachings must be a list of .* not .'all'",
        ),
        ("orc", {"teachings": "group"}, "teachings must be a list of .* intensive, private, group"),
        ("orc", {"teacher_aggregation": "both"}, "must be one of individual, ensemble, not 'both'"),
        ("orc", {"teacher_aggregation": ["ensemble"]}, r"must be one of .* not \['ensemble'\]"),
        (
            "orc",
            {"fixed_teacher": "pivot"},
            "one of student1, student2, student3, not 'pivot'",
        ),
        (
            "orc",
            {"fixed_teacher": "student1", "num_temporary_teachers": 2},
            "num_temporary_teachers must be 1 where the temporary teacher is fixed, not 2",
        ),
        ("orc", {"feedback": "none"}, "feedback must be one of mixed, feedback, training, not"),
        ("orc", {"teacher_bn_mode": "eval"}, "teacher_bn_mode must be one of training, batch, inf"),
        ("orc", {"distillation_warmup": -1}, "distillation_warmup must be .*, 0 or more, not -1"),
        ("kd", {"temperature": 0}, "temperature must be above 0, not 0"),
        ("kd", {"distillation_weight": 2}, "distillation_weight must be 0 to 1"),
        ("kd", {"distillation_weight": None}, "must be 0 to 1, not None"),
        ("kdcl", {"temperature": -1}, "temperature must be above 0, not -1"),
        ("kdcl", {"temperature": np.ones(2)}, "temperature must be above 0, not array"),
        ("dgkd", {"survival_probability": 0}, "must be above 0 and at most 1, not 0"),
        ("dgkd", {"survival_probability": "1"}, "survival_probability must be above 0"),
        ("dgkd", {"seed": 0.5}, "seed must be a whole number, .*, not 0.5"),
    ],
)
def test_bad_arguments(members, kind, wrong, message):
    with pytest.raises(ValueError, match=message):
        METHODS[kind](*members, **wrong)


def test_roles_change_among_two_students_at_least(members):
    pivot, students = members
    with pytest.raises(ValueError, match="at least two students, not 1"):
        METHODS["orc"](pivot, students[:1])


@pytest.mark.parametrize("wrong", [linear_network("network"), None, 3])
def test_students_are_a_list(members, wrong):
    with pytest.raises(ValueError, match="students must be a list of networks, not"):
        METHODS["alone"](members[0], wrong)
