"""Going on boosting, against an independent round written out, and against what must not change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.tree import DecisionTreeRegressor

from acclimate import Domain, FineTune, SourceOnly
from acclimate.base.sized import BoostingClassifier
from acclimate.exceptions import TransferWarning
from acclimate.transfer.boosted import BoostedClassifier, BoostedRegressor, raw_scores, slopes


@pytest.mark.parametrize("classes", [2, 3])
def test_no_rounds_are_the_source_model(toy: Any, classes: int) -> None:
    d = toy(0, classes=classes)
    model = HistGradientBoostingClassifier(max_iter=5).fit(d.X, d.y)
    none = BoostedClassifier(model, 0).fit(d.Xt, d.yt)
    np.testing.assert_array_equal(none.predict_proba(d.Xn), model.predict_proba(d.Xn))


def test_one_round_is_a_newton_step_in_the_leaves_of_a_tree(toy: Any) -> None:
    d = toy(0, classes=2, m=60)
    model = HistGradientBoostingClassifier(max_iter=5).fit(d.X, d.y)
    one = BoostedClassifier(model, 1, rate=0.1).fit(d.Xt, d.yt)
    p = model.predict_proba(d.Xt)[:, 1]
    tree = DecisionTreeRegressor(max_leaf_nodes=8, min_samples_leaf=3, random_state=0)
    leaf, new = tree.fit(d.Xt, d.yt - p).apply(d.Xt), tree.apply(d.Xn)
    step = np.array([
        (d.yt - p)[leaf == k].sum() / ((p * (1 - p))[leaf == k].sum() + 1) for k in new
    ])  # fmt: skip
    before = model.predict_proba(d.Xn)[:, 1]
    wanted = expit(np.log(before / (1 - before)) + 0.1 * step)
    np.testing.assert_allclose(one.predict_proba(d.Xn)[:, 1], wanted, atol=1e-10)


def test_slopes_are_derivatives_of_the_losses() -> None:
    rng = np.random.default_rng(0)
    scores, codes = rng.normal(size=(4, 3)), np.array([0, 2, 1, 1])

    def loss(S: Any) -> Any:
        return np.log(np.exp(S).sum(1)) - S[np.arange(4), codes]

    down, _ = slopes(scores, codes, 3)
    for k in range(3):
        e = np.zeros((1, 3))
        e[0, k] = 1e-6
        slope = (loss(scores + e) - loss(scores - e)) / 2e-6
        np.testing.assert_allclose(-down[:, k], slope, atol=1e-8)


def test_a_level_that_moved_is_followed(toy: Any) -> None:
    d = toy(0, classes=None, n=300, m=90)
    model = HistGradientBoostingRegressor(max_iter=50).fit(d.X, d.y)
    own = BoostedRegressor(model, 100).fit(d.X, d.y + 3.0)
    gap = own.predict(d.X) - raw_scores(model, d.X)
    assert abs(gap.mean() - 3.0) < 0.2


def test_fine_tuning_a_boosted_model_lowers_the_loss_on_the_target(toy: Any) -> None:
    d = toy(0, n=300, m=90)
    target = Domain(d.Xt, (d.yt + 1) % 3)  # the source is wrong
    source = SourceOnly(BoostingClassifier(rounds=20), random_state=0).fit(d.X, d.y)
    tuned = FineTune(BoostingClassifier(rounds=20), head="copy", random_state=0)
    with pytest.warns(TransferWarning, match="copy"):
        tuned.fit(d.X, d.y, target=target)
    assert tuned.score(d.Xt, target.y) > source.score(d.Xt, target.y) + 0.3
    np.testing.assert_array_equal(tuned.predict(d.X, domain="source"), source.predict(d.X))
