"""IWCV and DEV: literal values, no bias with true weights, less variance with the variate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from acclimate.exceptions import InputError
from acclimate.validators.candidate import Evidence
from acclimate.validators.risks import dev, feature_weights, importance_weighted, source_score

TARGET = [[0.5, 0.5]]


def drawn(rng: np.random.Generator, n: int) -> tuple[Evidence, float]:
    """Source N(0, 1), target N(0.7, 1); a model that is wrong where x is above 0.5."""
    x = rng.normal(size=n)
    wrong = x > 0.5
    p = np.where(wrong[:, None], [0.2, 0.8], [0.8, 0.2])
    w = norm.pdf(x, 0.7) / norm.pdf(x)
    return Evidence(p, np.zeros(n, int), TARGET, weights=w), float(norm.sf(0.5, 0.7))


def test_true_weights_are_unbiased_and_dev_varies_less() -> None:
    rng = np.random.default_rng(0)
    pairs = [drawn(rng, 200) for _ in range(1000)]
    risk = pairs[0][1]
    plain = np.array([-importance_weighted(e) for e, _ in pairs])
    with_variate = np.array([-dev(e) for e, _ in pairs])
    # 4 standard errors of the mean of 1000 draws
    assert plain.mean() == pytest.approx(risk, abs=4 * plain.std() / np.sqrt(1000))
    # an estimated coefficient costs a bias of order 1/n
    assert with_variate.mean() == pytest.approx(risk, abs=0.01)
    assert with_variate.var() < 0.5 * plain.var()
    unweighted = np.mean([1 - source_score(e) for e, _ in pairs])
    assert abs(unweighted - risk) > 0.2  # the case would tell a bias


def test_against_loops() -> None:
    rng = np.random.default_rng(1)
    p = rng.dirichlet([1, 1, 1], size=30)
    y, w = rng.integers(0, 3, 30), rng.gamma(1.0, size=30)
    known = Evidence(p, y, [[1.0, 0.0, 0.0]], weights=w)
    errors = [float(max(range(3), key=lambda c: row[c]) != t) for row, t in zip(p, y, strict=True)]
    logs = [-np.log(row[t]) for row, t in zip(p, y, strict=True)]
    for loss, each in (("error", errors), ("log", logs)):
        products = [a * b for a, b in zip(w, each, strict=True)]
        risk = sum(products) / 30
        assert importance_weighted(known, loss=loss) == pytest.approx(-risk)
        eta = -np.cov(products, w)[0, 1] / np.var(w, ddof=1)
        assert dev(known, loss=loss) == pytest.approx(-(risk + eta * np.mean(w) - eta))
    assert source_score(known) == pytest.approx(1 - np.mean(errors))


def test_equal_weights_are_no_weights() -> None:
    known = Evidence([[0.9, 0.1]] * 4, [0, 0, 0, 1], TARGET, weights=np.ones(4))
    assert importance_weighted(known) == dev(known) == source_score(known) - 1 == -0.25


def test_a_probability_of_zero_costs_much_but_not_infinity() -> None:
    known = Evidence([[1.0, 0.0]], [1], TARGET, weights=[1.0])
    assert -1000 < importance_weighted(known, loss="log") < -500


def test_regression_has_squared_errors() -> None:
    known = Evidence([1.0, 3.0], [2.0, 1.0], [0.0], weights=[1.0, 2.0])
    assert importance_weighted(known) == pytest.approx(-(1 + 2 * 4) / 2)
    assert source_score(known) == pytest.approx(-2.5)


@pytest.mark.parametrize("score", [importance_weighted, dev, source_score])
def test_rows_and_classes_in_any_order(score: Any) -> None:
    rng = np.random.default_rng(2)
    p, y, w = rng.dirichlet([1, 1, 1], size=20), rng.integers(0, 3, 20), rng.gamma(1.0, size=20)
    first = score(Evidence(p, y, p, weights=w))
    order, classes = rng.permutation(20), rng.permutation(3)
    names = np.array(["c", "a", "b"])
    moved = Evidence(
        p[order][:, classes], names[y[order]], p, weights=w[order], classes=names[classes]
    )
    assert score(moved) == pytest.approx(first, abs=1e-12)


def test_feature_weights_follow_the_true_ratio() -> None:
    rng = np.random.default_rng(3)
    source, target = rng.normal(size=(2000, 1)), rng.normal(0.7, 1, size=(1000, 1))
    w = feature_weights(source, target)
    true = norm.pdf(source[:, 0], 0.7) / norm.pdf(source[:, 0])
    assert np.abs(np.log(w / true)).mean() < 0.1
    assert w.mean() == pytest.approx(1, abs=0.05)


def test_feature_weights_do_not_depend_on_the_order_of_rows() -> None:
    rng = np.random.default_rng(4)
    source, target = rng.normal(size=(40, 3)), rng.normal(0.5, 1, size=(30, 3))
    order = rng.permutation(40)
    moved = feature_weights(source[order], target[rng.permutation(30)])
    np.testing.assert_allclose(moved, feature_weights(source, target)[order], rtol=1e-4)


def test_features_stand_in_for_weights() -> None:
    rng = np.random.default_rng(5)
    source, target = rng.normal(size=(40, 2)), rng.normal(0.5, 1, size=(30, 2))
    p = rng.dirichlet([1, 1], size=40)
    known = Evidence(p, rng.integers(0, 2, 40), p[:30], source, target)
    given = Evidence(p, known.source_labels, p[:30], weights=feature_weights(source, target))
    assert importance_weighted(known) == importance_weighted(given)
    assert dev(known) == dev(given)


def test_errors() -> None:
    bare = Evidence([[0.9, 0.1]], [0], TARGET)
    with pytest.raises(InputError, match="needs weights"):
        dev(bare)
    with pytest.raises(InputError, match="needs source_proba and source_labels"):
        source_score(Evidence(None, None, TARGET))
    with pytest.raises(InputError, match="'error' or 'log'"):
        importance_weighted(Evidence([[0.9, 0.1]], [0], TARGET, weights=[1.0]), loss="hinge")
    with pytest.raises(InputError, match="2 rows of each domain"):
        feature_weights(np.zeros((1, 1)), np.zeros((3, 1)))
