"""What every weighting does on awkward domains: an answer, or an error that says why."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import acclimate
from acclimate import Domain
from acclimate.catalogue import methods
from acclimate.exceptions import InputError

METHODS = [row.name for row in methods(family="reweighting", target_labels="ignored")]


def wide(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(24, 50)), rng.normal(0.2, 1.0, size=(20, 50))


def same(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    X = rng.normal(size=(24, 3))
    return X, X.copy()


def disjoint(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(24, 3)), rng.normal(1e3, 1.0, size=(20, 3))


def constant(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    X, Xt = rng.normal(size=(24, 3)), rng.normal(size=(20, 3))
    X[:, 0] = Xt[:, 0] = 5.0
    return X, Xt


@pytest.mark.filterwarnings("ignore:no class shares explain")  # which is true of disjoint domains
@pytest.mark.parametrize("make", [wide, same, disjoint, constant])
@pytest.mark.parametrize("name", METHODS)
def test_awkward_domains_get_an_answer(
    name: str, make: Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]
) -> None:
    X, Xt = make(np.random.default_rng(0))
    y = np.where(X[:, 1] > np.median(X[:, 1]), "yes", "no")
    model = getattr(acclimate, name)(random_state=0).fit(X, y, target=Domain(Xt))
    assert np.isfinite(model.weights_).all()
    assert (model.weights_ >= 0).all()
    assert model.weights_.mean() == pytest.approx(1.0)
    assert 1 <= model.weight_report_.effective_rows <= len(X) * (1 + 1e-12)
    assert set(model.predict(Xt)) <= {"yes", "no"}


@pytest.mark.parametrize("name", METHODS)
def test_infinity_is_an_error(name: str) -> None:
    X, Xt = same(np.random.default_rng(0))
    Xt[0, 0] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        getattr(acclimate, name)().fit(X, np.arange(24) % 2, target=Domain(Xt))


@pytest.mark.parametrize("name", METHODS)
def test_one_row_of_the_target_gets_an_answer_or_a_clear_error(name: str) -> None:
    X, Xt = same(np.random.default_rng(0))
    model = getattr(acclimate, name)(random_state=0)
    if name in ("DomainDiscriminator", "ULSIF", "RULSIF", "KLIEP"):
        with pytest.raises(InputError, match=r"n_samples = 1|1 in the target"):
            model.fit(X, np.arange(24) % 2, target=Domain(Xt[:1]))
    else:
        model.fit(X, np.arange(24) % 2, target=Domain(Xt[:1]))
        assert np.isfinite(model.weights_).all()
