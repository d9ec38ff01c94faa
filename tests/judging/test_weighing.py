"""Weights of a committee, against their definition and what must hold whatever the losses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from acclimate.exceptions import InputError
from acclimate.judging.weighing import class_losses, committee_weights


def test_they_are_a_softmax_of_minus_the_losses() -> None:
    losses = np.array([3.0, 4.0, 3.5, 6.0])
    weights = committee_weights(losses, least=0.0)
    np.testing.assert_allclose(weights, softmax(-0.3 * losses))


def test_a_prior_mass_multiplies() -> None:
    losses, masses = np.array([3.0, 4.0, np.inf, 6.0]), np.array([1.0, 8.0, 50.0, 2.0])
    weights = committee_weights(losses, prior=masses, least=0.0)
    wanted = masses * np.exp(-0.3 * losses)
    np.testing.assert_allclose(weights, wanted / wanted.sum())
    np.testing.assert_allclose(committee_weights(losses, prior=9 * masses, least=0.0), weights)


def test_a_constant_changes_nothing_and_many_rows_make_a_pick() -> None:
    losses = np.array([3.0, 4.0, 3.5])
    np.testing.assert_allclose(committee_weights(losses + 1e4), committee_weights(losses))
    assert committee_weights(1000 * losses).tolist() == [1.0, 0.0, 0.0]


def test_few_members_and_none_below_the_least() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        weights = committee_weights(rng.normal(scale=10, size=50))
        assert (weights > 0).sum() <= 10
        assert weights.sum() == pytest.approx(1.0)
        assert weights[weights > 0].min() >= 0.01
    assert (committee_weights(np.zeros(300)) > 0).sum() == 10  # each is below the least alone


def test_candidates_without_a_loss_have_no_weight() -> None:
    assert committee_weights([np.nan, 1.0, np.inf]).tolist() == [0.0, 1.0, 0.0]
    with pytest.raises(InputError, match="no candidate"):
        committee_weights([np.nan, np.inf])


def test_losses_of_rows() -> None:
    rng = np.random.default_rng(0)
    proba, codes = rng.dirichlet(np.ones(3), size=(2, 40)), rng.integers(0, 3, 40)
    proba = 0.9 * proba + 0.1 / 3  # above the floor everywhere
    own = class_losses(proba, codes).mean(axis=1)
    np.testing.assert_allclose(own, [log_loss(codes, one, labels=[0, 1, 2]) for one in proba])
    sure = class_losses(np.array([[1.0, 0.0]]), np.array([1]))
    assert sure.tolist() == [-np.log(1e-3)]
