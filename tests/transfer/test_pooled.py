"""Pooled rows against ridge regression on the stacked matrix, written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier

from acclimate import Domain, JointObjective, Pooled, SourceOnly
from acclimate.base.sized import BoostingClassifier
from acclimate.exceptions import InputError
from acclimate.tables import MixedPreprocessor, TabularPreprocessor


@pytest.mark.parametrize("balance", ["rows", 0.4])
def test_it_is_weighted_ridge_on_all_rows_with_the_column(toy: Any, balance: Any) -> None:
    d = toy(0, classes=None)
    n, m = len(d.y), len(d.yt)
    model = Pooled(Ridge(0.7), balance=balance).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    A = np.vstack([np.c_[d.X, np.zeros(n), np.ones(n)], np.c_[d.Xt, np.ones(m), np.ones(m)]])
    share = m / (n + m) if balance == "rows" else balance
    w = np.r_[np.full(n, (1 - share) / n), np.full(m, share / m)] * (n + m)
    ridge = 0.7 * np.diag([1.0] * 5 + [0.0])
    theta = np.linalg.solve(A.T @ (w[:, None] * A) + ridge, A.T @ (w * np.r_[d.y, d.yt]))
    new = len(d.Xn)
    np.testing.assert_allclose(
        model.predict(d.Xn), np.c_[d.Xn, np.ones((new, 2))] @ theta, rtol=1e-8
    )
    np.testing.assert_allclose(
        model.predict(d.Xn, domain="source"),
        np.c_[d.Xn, np.zeros(new), np.ones(new)] @ theta,
        rtol=1e-8,
    )


def test_without_the_column_it_is_the_joint_objective(toy: Any) -> None:
    d = toy(0)
    target = Domain(d.Xt, d.yt)
    ours = Pooled(column=False, balance=0.3).fit(d.X, d.y, target=target)
    theirs = JointObjective(balance=0.3).fit(d.X, d.y, target=target)
    np.testing.assert_allclose(ours.predict_proba(d.Xn), theirs.predict_proba(d.Xn), atol=1e-12)


def test_the_balance_is_that_of_the_least_held_out_loss(toy: Any) -> None:
    """Where the source's labels are wrong, all weight goes to the target; else it does not."""
    d = toy(0, n=312)
    X, y, target = d.X[12:], d.y[12:], Domain(d.X[:12], d.y[:12])  # nothing is shifted
    right = Pooled(balance="auto", column=False).fit(X, y, target=target)
    wrong = Pooled(balance="auto", column=False).fit(X, (y + 1) % 3, target=target)
    assert wrong.balance_ == 0.85
    assert right.balance_ < wrong.balance_


def test_a_column_that_tells_the_domains_apart_stays() -> None:
    """In the source alone it is constant; the preprocessing is fitted on both."""
    rng = np.random.default_rng(0)
    here = pd.DataFrame({"x": rng.normal(size=400), "site": "A"})
    there = pd.DataFrame({"x": rng.normal(size=150), "site": "B"})
    y, yt = here.x.to_numpy(), there.x.to_numpy() + 5
    for method in (Pooled(Ridge(), column=False), JointObjective(Ridge())):
        method.set_params(preprocess=TabularPreprocessor())
        method.fit(here, y, target=Domain(there[:50], yt[:50]))
        assert method.score(there[50:], yt[50:]) > 0.99
        assert method.score(here, y, domain="source") > 0.99
        source = SourceOnly(Ridge(), preprocess=TabularPreprocessor()).fit(here, y)
        np.testing.assert_array_equal(  # stage one is as it was
            method.source_model_.predict(method.preprocess_.transform(here)), source.predict(here)
        )


def test_boosting_takes_categories_and_gaps_as_they_are() -> None:
    rng = np.random.default_rng(0)

    def frame(n: int, levels: int) -> pd.DataFrame:
        made = pd.DataFrame({"ward": [f"ward {k}" for k in rng.integers(0, levels, n)]})
        return made.assign(age=np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)))

    here, there = frame(3000, 300), frame(200, 300)  # more levels than a histogram has bins
    y, yt = ((f.ward.str[5:].astype(int) % 2) ^ f.age.isna() for f in (here, there))
    model = Pooled(BoostingClassifier(), preprocess=MixedPreprocessor())
    model.fit(here, y, target=Domain(there[:100], yt[:100]))
    assert model.score(there[100:], yt[100:]) > 0.8


def test_what_cannot_be_used_is_refused(toy: Any) -> None:
    d = toy(0)
    target = Domain(d.Xt, d.yt)
    with pytest.raises(InputError, match="balance must be in"):
        Pooled(balance=1.0).fit(d.X, d.y, target=target)
    with pytest.raises(InputError, match="KNeighborsClassifier takes no sample_weight"):
        Pooled(KNeighborsClassifier(), balance=0.5).fit(d.X, d.y, target=target)
    with pytest.raises(InputError, match="Pooled needs the same classes"):
        Pooled(LogisticRegression()).fit(d.X, d.y, target=Domain(d.Xt, d.yt + 1))
