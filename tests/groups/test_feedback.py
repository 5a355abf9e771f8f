import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from scipy import stats
from scipy.special import softmax

from orc_keras.groups import feedback


@pytest.mark.parametrize(
    "mean_losses, is_teacher, num_samples, expected",
    [
        # softmax over R of (0, ln 3) is (1/4, 3/4)
        ([0.0, np.log(3.0), -1.0], [False, False, True], 8, [2, 6, 0]),
        # 1/4, 1/4 and 1/2 of 6: of the equal remainders 0.5 the earlier student's is first
        ([0.0, 0.0, np.log(2.0), -1.0], [False, False, False, True], 6, [2, 1, 3, 0]),
        # 1/4 and 3/4 of 7 are 1.75 and 5.25
        ([0.0, np.log(3.0)], [False, False], 7, [2, 5]),
        # equal losses: thirds of 64 are 21.33, one sample is left over
        ([0.7, 0.7, 0.7], [False, False, False], 64, [22, 21, 21]),
        ([0.7, 0.7, 0.7], [False, False, False], 65, [22, 22, 21]),
        # a single sample, a single student, a share that rounds to nothing
        ([0.5, 0.5], [False, False], 1, [1, 0]),
        ([0.1, 3.0], [True, False], 5, [0, 5]),
        ([0.0, 20.0], [False, False], 8, [0, 8]),
    ],
)
def test_shares(mean_losses, is_teacher, num_samples, expected):
    assert feedback.allocate(mean_losses, is_teacher, num_samples).numpy().tolist() == expected


@hypothesis.given(
    losses=st.lists(st.floats(0, 30, width=32), min_size=2, max_size=7),
    teacher=st.integers(0, 6),
    num_samples=st.integers(1, 130),
)
def test_shares_always_add_up(losses, teacher, num_samples):
    """And none is a whole sample or more away from its exact part, computed in other digits."""
    is_teacher = np.arange(len(losses)) == teacher % len(losses)
    allocation = feedback.allocate(np.float32(losses), is_teacher, num_samples).numpy()
    assert (
        allocation.sum() == num_samples
        and allocation.min() >= 0
        and not allocation[is_teacher].any()
    )
    exact = num_samples * softmax(np.where(is_teacher, -np.inf, np.float64(losses)))
    assert np.all(np.abs(allocation - exact) < 1 + 1e-4 * num_samples)


def test_a_diverged_student_does_not_break_the_shares():
    assert feedback.allocate([np.nan, 1.0, np.inf], [False] * 3, 12).numpy().sum() == 12


def test_students_hand_in_what_they_find_hardest():
    sample_losses = [[0.1, 0.9, 0.5, 0.2], [9.0, 9.0, 9.0, 9.0], [0.3, 0.8, 0.1, 0.6]]
    chosen = feedback.select_hardest(sample_losses, allocation=[2, 0, 2])
    # sample 1 is hard for both: it appears twice
    assert chosen.numpy().tolist() == [1, 2, 1, 3]


def test_of_equally_hard_samples_the_earlier_is_chosen():
    assert feedback.select_hardest([[0.5, 0.7, 0.7, 0.7]], allocation=[4]).numpy().tolist() == [
        1,
        2,
        3,
        0,
    ]


def test_a_mini_batch_of_one():
    assert feedback.select_hardest([[0.5], [0.7]], allocation=[0, 1]).numpy().tolist() == [0]


def test_shuffling_keeps_the_positions_and_depends_on_the_seed():
    positions = np.array([4, 4, 2, 9, 0, 7, 1, 1])
    orders = [feedback.shuffle(positions, [0, step]).numpy() for step in range(20)]
    assert all(sorted(order) == sorted(positions) for order in orders)
    assert len({tuple(order) for order in orders}) > 15
    assert feedback.shuffle(positions, [0, 3]).numpy().tolist() == orders[3].tolist()


@pytest.mark.parametrize("alpha", [0.2, 1.0, 8.0])
def test_the_mixing_ratio_is_beta_distributed(alpha):
    ratios = [feedback.mixing_ratio(alpha, [7, step]).numpy() for step in range(300)]
    assert stats.kstest(ratios, stats.beta(alpha, alpha).cdf).pvalue > 0.01


def test_no_mixing_without_alpha():
    assert feedback.mixing_ratio(0, [0, 0]).numpy() == 1
