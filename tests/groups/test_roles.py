import pytest

from orc_keras.groups import roles


@pytest.mark.parametrize(
    "mean_losses, temporary_teachers, promoted",
    [
        ([0.9, 0.2, 0.5], 1, [1]),
        ([0.9, 0.2, 0.5], 2, [1, 2]),
        ([0.5, 0.5], 1, [0]),  # a tie goes to the earlier network
        ([0.9, 0.3, 0.3, 0.3], 2, [1, 2]),
        ([0.0, 0.0, 0.0], 2, [0, 1]),
    ],
)
def test_the_smallest_losses_are_promoted(mean_losses, temporary_teachers, promoted):
    assert roles.promote(mean_losses, temporary_teachers).numpy().tolist() == promoted


def test_mask_of_teachers():
    assert roles.as_mask([2, 0], num_students=4).numpy().tolist() == [True, False, True, False]
