"""Few labels, many rows of the same kind without one: what is taken, and where it is not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from acclimate import Domain, compare
from acclimate.comparison.bases import ALIGNED
from acclimate.comparison.spreading import SPREAD, alike

CLASSES = 4
Images = tuple[np.ndarray, np.ndarray]


def pictures(n: int, seed: int, shift: int = 0) -> Images:
    """Return pictures of classes that noise hides where labels are few."""
    rng = np.random.default_rng(seed)
    parts = np.random.default_rng(9).integers(40, 160, size=(CLASSES, 8, 8))
    y = np.arange(n) % CLASSES
    return (parts[y] + rng.integers(0, 60, size=(n, 8, 8)) + shift).astype(np.uint8), y


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0, 35])
def test_labels_are_spread_where_nothing_shifts_and_aligned_where_it_does(shift: int) -> None:
    (X, y), (Xt, yt) = pictures(24, 0), pictures(400, 1, shift)
    found = compare((X, y), Domain(Xt), encoder="pixels", n_jobs=1, trials=8)
    assert found.recommendation.candidate == (ALIGNED if shift else SPREAD)
    assert found.recommendation.action == "not settled"
    if not shift:
        assert "nothing shows that the domains differ" in found.recommendation.reason
        assert {row.method for row in found.details.table} <= {
            "SourceOnly", "PoissonLearning", "LabelSpreading"
        }  # fmt: skip
        model = found.best_model()
        assert model.multiply
        assert model.score(Xt, yt) > 0.95


@pytest.mark.slow
def test_more_labels_are_no_few() -> None:
    (X, y), (Xt, _) = pictures(48, 0), pictures(400, 1)
    found = compare((X, y), Domain(Xt), encoder="pixels", n_jobs=1, trials=1)
    assert found.recommendation.candidate == ALIGNED


@pytest.mark.slow
@pytest.mark.parametrize("rows", [150, 80])
def test_labels_of_the_target_are_spread_where_they_are_few(rows: int) -> None:
    (X, y), (Xt, yt) = pictures(40, 0), pictures(rows, 1, 35)
    known = np.arange(rows) < 12
    called = {label: str(label) for label in range(CLASSES)}
    target = Domain(Xt, yt, labelled=known, class_names=called)
    found = compare(Domain(X, y, class_names=called), target, encoder="pixels", n_jobs=1, folds=3)
    names = {row.candidate for row in found.details.table if row.status == "done"}
    spread = {SPREAD, "PoissonLearning"}
    assert spread <= names if rows == 150 else not spread & names
    assert found.best_model().score(Xt[~known], yt[~known]) > 0.9


def problem(X: Any, Xt: Any) -> Any:
    return SimpleNamespace(
        source=Domain(X), target=Domain(Xt), source_rows=len(X), target_rows=len(Xt)
    )


def test_two_draws_of_one_domain_are_alike_and_scaled_rows_are_not() -> None:
    rng = np.random.default_rng(0)
    same = [
        alike(problem(rng.normal(size=(50, 6)), rng.normal(size=(700, 6))), seed)
        for seed in range(20)
    ]
    assert all(same)
    X, Xt = rng.normal(size=(50, 6)), 2 * rng.normal(size=(700, 6)) + 1
    assert not alike(problem(X, Xt), 0)
