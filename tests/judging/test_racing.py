"""What is clearly behind: the best never, the level never, and no order of candidates matters."""

import numpy as np

from acclimate.judging.racing import clearly_behind, clearly_worse


def _losses() -> np.ndarray:
    rng = np.random.default_rng(0)
    row = rng.exponential(0.5, 40)
    return np.array([row, row + rng.normal(0, 0.1, 40), row + 1.0 + rng.normal(0, 0.5, 40)])


def test_only_what_is_far_behind_is_out() -> None:
    assert clearly_behind(_losses(), 60).tolist() == [False, False, True]


def test_with_few_rows_to_come_the_same_distance_is_no_reason() -> None:
    """A weight is exp(-0.3 times the summed loss): over ten rows 1 nat a row leaves 5 %."""
    assert not clearly_behind(_losses(), 10).any()


def test_the_order_of_candidates_and_rows_and_a_common_loss_do_not_matter() -> None:
    losses = _losses()
    order, rows = [2, 0, 1], np.random.default_rng(1).permutation(40)
    wanted = clearly_behind(losses, 60)
    np.testing.assert_array_equal(clearly_behind(losses[order][:, rows], 60), wanted[order])
    common = losses + np.linspace(0, 3, 40)
    np.testing.assert_array_equal(clearly_behind(common, 60), wanted)


def test_rows_without_a_loss_count_for_nobody_and_a_candidate_without_any_is_out() -> None:
    losses = _losses()
    losses[0, :5] = np.nan
    assert clearly_behind(losses, 60).tolist() == [False, False, True]
    losses[1] = np.inf
    assert clearly_behind(losses, 60).tolist() == [False, True, True]
    assert not clearly_behind(np.full((2, 9), np.inf), 60).any()
    assert not clearly_behind(losses[:, :2], 60).any()


def test_scores_say_the_same() -> None:
    assert clearly_worse(-_losses()).tolist() == [False, False, True]
    assert not clearly_worse(np.ones((3, 8))).any()
