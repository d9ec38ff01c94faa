"""The share of the target's model, against a search on the line between the two models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.svm import LinearSVC

from acclimate import Domain, Interpolation
from acclimate.exceptions import InputError
from acclimate.folds import few_label_folds
from acclimate.transfer.label_folds import row_key


def test_answers_lie_between_both_models(toy: Any) -> None:
    d = toy(0)
    base = LogisticRegression(max_iter=1000)
    model = Interpolation(base, share=0.3).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    ours, own = base.fit(d.X, d.y).predict_proba(d.Xn), None
    own = LogisticRegression(max_iter=1000).fit(d.Xt, d.yt).predict_proba(d.Xn)
    np.testing.assert_allclose(model.predict_proba(d.Xn), 0.7 * ours + 0.3 * own, atol=1e-10)


def test_the_share_has_the_least_squared_error_of_held_out_rows(toy: Any) -> None:
    d = toy(0, classes=None, m=24)
    model = Interpolation(Ridge(), random_state=0).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    source, held_out = Ridge().fit(d.X, d.y).predict(d.Xt), np.zeros(len(d.yt))
    seed = model._stage_seed(2)
    parts = few_label_folds(
        d.yt, classify=False, folds=5, seed=seed, key=row_key(d.Xt, seed)
    )  # fmt: skip
    for train, held in parts:
        held_out[held] = Ridge().fit(d.Xt[train], d.yt[train]).predict(d.Xt[held])
    gap = held_out - source
    best = np.clip((gap @ (d.yt - source)) / (gap @ gap), 0, 1)  # the minimum in closed form
    assert abs(model.share_ - best) <= 0.025 + 1e-12  # half a step of the grid


def test_a_source_that_is_wrong_has_no_share(toy: Any) -> None:
    d = toy(0, n=200, m=90)
    wrong = Interpolation(random_state=0).fit(d.X, (d.y + 1) % 3, target=Domain(d.Xt, d.yt))
    assert wrong.share_ > 0.9


def test_a_class_without_a_target_row_keeps_the_source_s_word(toy: Any) -> None:
    d = toy(0)
    some = d.yt != 2
    model = Interpolation(share=0.5).fit(d.X, d.y, target=Domain(d.Xt[some], d.yt[some]))
    assert model.classes_.tolist() == [0, 1, 2]
    assert (model.predict_proba(d.Xn)[:, 2] > 0).all()


def test_probabilities_are_needed(toy: Any) -> None:
    d = toy(0)
    with pytest.raises(InputError, match="LinearSVC gives none"):
        Interpolation(LinearSVC()).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    with pytest.raises(InputError, match="share must be in"):
        Interpolation(share=2.0).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
