"""Joined features and predictions against numpy, and random mixtures against their mean."""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import softmax
from scipy.stats import entropy

from acclimate.losses.conditioning import certainty, outer, random_outer


def test_outer_is_numpys() -> None:
    rng = np.random.default_rng(0)
    z, p = rng.normal(size=(5, 3)), rng.dirichlet(np.ones(4), size=5)
    found = outer(torch.tensor(z), torch.tensor(p)).numpy()
    np.testing.assert_allclose(found, [np.outer(b, a).ravel() for a, b in zip(z, p, strict=True)])


def test_mixtures_keep_inner_products_on_average() -> None:
    rng = np.random.default_rng(1)
    z, p = rng.normal(size=(4, 3)), rng.dirichlet(np.ones(2), size=4)
    r = 200_000
    mixes = (torch.tensor(rng.normal(size=(n, r))) for n in (3, 2))
    found = random_outer(torch.tensor(z), torch.tensor(p), *mixes).numpy()
    assert found.shape == (4, r)
    expected = (z @ z.T) * (p @ p.T)  # inner products of outer products multiply
    np.testing.assert_allclose(found @ found.T, expected, atol=0.05)


def test_certainty_is_scipys_and_has_mean_one() -> None:
    logits = 3 * np.random.default_rng(2).normal(size=(6, 3))
    w = 1 + np.exp(-entropy(softmax(logits, axis=1), axis=1))
    found = certainty(torch.tensor(logits, requires_grad=True))
    assert not found.requires_grad
    np.testing.assert_allclose(found.numpy(), w / w.mean(), rtol=1e-5)
