"""Searches that judge on the target, with metadata routing on and off."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score

from acclimate import CORAL, Domain, SourceOnly, TargetOnly
from acclimate.exceptions import InputError
from acclimate.folds import few_label_folds
from acclimate.refits.search import TargetSplit, target_scorer, unlabelled_scorer


@pytest.fixture
def sides():
    """Return a source and a target whose label means the opposite of the source's."""
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(80, 2)), rng.normal(size=(40, 2))
    return X, (X[:, 0] > 0).astype(int), Xt, (Xt[:, 0] < 0).astype(int)


def by_hand(model, X, y, Xt, yt, labelled):
    """Refit without each fold and count the right answers on it."""
    right, counts = np.zeros(len(yt)), np.zeros(len(yt))
    for train, test in few_label_folds(yt[labelled], classify=True, folds=5, repeats=1, seed=0):
        mask = np.zeros(len(yt), dtype=bool)
        mask[labelled[train]] = True
        model.fit(X, y, target=Domain(Xt, yt, labelled=mask))
        rows = labelled[test]
        right[rows] += model.predict(Xt[rows]) == yt[rows]
        counts[rows] += 1
    return (right[counts > 0] / counts[counts > 0]).mean()


@pytest.mark.parametrize("routing", [False, True])
def test_a_search_picks_what_is_best_on_the_target(sides, routing):
    X, y, Xt, yt = sides
    target = Domain(Xt, yt)
    with sklearn.config_context(enable_metadata_routing=routing):
        search = GridSearchCV(
            TargetOnly(LogisticRegression(), random_state=0), {"estimator__C": [1e-9, 1.0]},
            cv=TargetSplit(), scoring=target_scorer(target),
        )  # fmt: skip
        search.fit(X, y, target=target)
    assert search.best_params_ == {"estimator__C": 1.0}
    assert search.best_estimator_.adapted_
    want = [
        by_hand(TargetOnly(LogisticRegression(C=C), random_state=0), X, y, Xt, yt, np.arange(40))
        for C in (1e-9, 1.0)
    ]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], want)


@pytest.mark.parametrize("routing", [False, True])
def test_the_source_alone_may_be_searched_and_labels_still_decide(sides, routing):
    """Source accuracy would take C=1; on this target the source model is wrong nearly always."""
    X, y, Xt, yt = sides
    with sklearn.config_context(enable_metadata_routing=routing):
        search = GridSearchCV(
            SourceOnly(LogisticRegression()), {"estimator__C": [1e-9, 1.0]},
            cv=TargetSplit(), scoring=target_scorer(Domain(Xt, yt)),
        ).fit(X, y)  # fmt: skip
    assert search.best_params_ == {"estimator__C": 1e-9}
    assert not search.best_estimator_.adapted_


def test_labels_that_are_not_known_change_nothing(sides):
    X, y, Xt, yt = sides
    labelled = np.arange(40) < 25
    model = TargetOnly(LogisticRegression()).fit(X, y)
    scores = []
    for seed in (None, 1):
        shown = yt.copy()
        if seed is not None:
            shown[~labelled] = np.random.default_rng(seed).integers(0, 2, 15)
        scores.append(target_scorer(Domain(Xt, shown, labelled=labelled))(model))
    assert scores[0] == scores[1]
    hand = by_hand(TargetOnly(LogisticRegression()), X, y, Xt, yt, np.flatnonzero(labelled))
    assert scores[0] == pytest.approx(hand)


def test_scoring_leaves_the_model_alone(sides):
    X, y, Xt, yt = sides
    model = CORAL(LogisticRegression()).fit(X, y, target=Domain(Xt, name="here"))
    before = model.predict_proba(Xt)
    target_scorer(Domain(Xt[:30] + 5, yt[:30]))(model)
    unlabelled_scorer(Domain(Xt))(model)
    np.testing.assert_array_equal(model.predict_proba(Xt), before)
    assert model.target_name_ == "here"


def test_cross_val_score_takes_the_scorer_without_a_warning(sides):
    X, y, Xt, yt = sides
    target = Domain(Xt, yt)
    scores = cross_val_score(
        TargetOnly(LogisticRegression()), X, y, cv=TargetSplit(), scoring=target_scorer(target),
        params={"target": target}, error_score="raise",
    )  # fmt: skip
    assert scores.shape == (1,)
    assert scores[0] > 0.8


def test_values_are_judged_by_their_squared_error(sides):
    X, _, Xt, _ = sides
    target = Domain(Xt, 3 * Xt[:, 0])
    search = GridSearchCV(
        TargetOnly(Ridge()), {"estimator__alpha": [1e-6, 1e6]}, cv=TargetSplit(),
        scoring=target_scorer(target),
    ).fit(X, X[:, 0], target=target)  # fmt: skip
    assert search.best_params_ == {"estimator__alpha": 1e-6}
    assert search.best_score_ == pytest.approx(0, abs=1e-6)
    assert search.cv_results_["mean_test_score"][1] < -1


def test_without_labels_a_validator_decides(sides):
    X, y, Xt, yt = sides
    scorer = unlabelled_scorer(Domain(Xt, yt), lambda p: p.max(axis=1).mean())
    search = GridSearchCV(
        SourceOnly(LogisticRegression()), {"estimator__C": [1e-9, 10.0]}, cv=TargetSplit(),
        scoring=scorer,
    ).fit(X, y, target=Domain(Xt))  # fmt: skip
    assert search.best_params_ == {"estimator__C": 10.0}
    proba = LogisticRegression(C=10.0).fit(X, y).predict_proba(Xt)
    assert search.best_score_ == pytest.approx(proba.max(axis=1).mean())


def test_the_splitter_trains_on_every_row_or_draws_as_many():
    X = np.zeros((30, 2))
    ((train, test),) = TargetSplit().split(X)
    assert train.tolist() == test.tolist() == list(range(30))
    drawn = [train for train, _ in TargetSplit(3, random_state=1).split(X)]
    assert TargetSplit(3).get_n_splits() == len(drawn) == 3
    assert all(len(train) == 30 for train in drawn)
    assert all(len(set(train.tolist())) < 30 for train in drawn)
    again = [train for train, _ in TargetSplit(3, random_state=1).split(X)]
    assert all(np.array_equal(a, b) for a, b in zip(drawn, again, strict=True))


def test_what_cannot_be_used_is_said(sides):
    X, y, Xt, yt = sides
    with pytest.raises(InputError, match="needs target labels"):
        target_scorer(Domain(Xt))
    with pytest.raises(InputError, match="must be a Domain, got ndarray"):
        target_scorer(Xt)
    with pytest.raises(InputError, match="no validator 'luck'"):
        unlabelled_scorer(Domain(Xt), "luck")
    with pytest.raises(InputError, match="got LogisticRegression"):
        target_scorer(Domain(Xt, yt))(LogisticRegression().fit(X, y))
    with pytest.raises(InputError, match="at least 1, got 0"):
        TargetSplit(0)
