"""Permutation importance, against scikit-learn's and against what must hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression

from acclimate import CORAL, Domain, SourceOnly, TargetOnly
from acclimate.exceptions import InputError
from acclimate.judging import importance as module
from acclimate.judging.importance import falls


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 3))
    return X, (X[:, 0] + 0.4 * X[:, 1] > 0).astype(int)


def test_it_is_that_of_scikit_learn_for_the_model_of_each_domain(rows):
    X, y = rows
    Xt = X[:60] * [1.0, 3.0, 1.0] + 1
    model = CORAL(LogisticRegression()).fit(X, y, target=Domain(Xt))
    for domain, here, labels in (("source", X, y), ("target", Xt, y[:60])):
        found = falls(model, here, labels, domain=domain, repeats=4, seed=7)

        class Plain(LogisticRegression):
            def predict(self, Z, domain=domain):
                return model.predict(Z, domain=domain)

        plain = Plain().fit(X, y)
        expected = permutation_importance(
            plain, here, labels, scoring="accuracy", n_repeats=4, random_state=7
        )
        np.testing.assert_allclose([a for a, _ in found.values()], expected.importances_mean)
        np.testing.assert_allclose([b for _, b in found.values()], expected.importances_std)
    assert list(found) == ["x0", "x1", "x2"]


def test_a_column_that_the_model_does_not_use_costs_nothing(rows):
    X, _ = rows
    y = 2.0 * X[:, 0]
    found = falls(SourceOnly(LinearRegression()).fit(X, y), X, y, domain="source")
    assert found["x1"] == (pytest.approx(0, abs=1e-12), pytest.approx(0, abs=1e-12))
    # R2 of a shuffled copy of the values themselves is 1 minus twice their variance over it
    assert found["x0"][0] == pytest.approx(2, abs=0.3)


def test_frames_keep_names_and_categories(rows):
    X, y = rows
    table = pd.DataFrame(X, columns=["a", "b", "c"]).assign(kind=np.where(y == 1, "on", "off"))
    table["kind"] = table["kind"].astype("category")
    from acclimate.tables import default_preprocess

    model = TargetOnly(LogisticRegression(), preprocess=default_preprocess(table))
    model.fit(table, y, target=Domain(table, y))
    found = falls(model, table, y)
    assert list(found) == ["a", "b", "c", "kind"]
    assert max(found, key=lambda name: found[name][0]) == "kind"
    assert table["kind"].dtype == "category", "the rows given are left as they are"


def test_no_more_rows_than_needed_are_asked(rows, monkeypatch):
    X, y = rows
    monkeypatch.setattr(module, "MOST", 40)
    model = SourceOnly(LogisticRegression()).fit(X, y)
    asked = []
    monkeypatch.setattr(
        SourceOnly, "score",
        lambda self, Z, labels, *, domain: asked.append((len(Z), len(labels))) or 0.5,
    )  # fmt: skip
    falls(model, X, y, repeats=2)
    assert set(asked[1:]) == {(40, 40)}


def test_what_is_no_table_is_refused(rows):
    X, y = rows
    model = SourceOnly(LogisticRegression()).fit(X, y)
    with pytest.raises(InputError, match=r"of shape \(150, 3, 1\)"):
        falls(model, X[..., None], y)
    with pytest.raises(InputError, match="sparse"):
        falls(model, sparse.csr_matrix(X), y)
    for repeats in (0, True, 2.0):
        with pytest.raises(InputError, match="repeats must be a whole number"):
            falls(model, X, y, repeats=repeats)
