"""The contract of `fit` and `adapt`, on every tabular row."""

from __future__ import annotations

import copy
import random
from typing import Any

import numpy as np
import pytest

from acclimate import Domain
from acclimate.exceptions import DomainTypeError, InputError


def frozen_params(model: Any) -> dict[str, str]:
    """Every hyperparameter, nested ones too, as text."""
    return {key: repr(value) for key, value in model.get_params(deep=True).items()}


def test_fit_with_a_target_is_fit_then_adapt(case: Any, same: Any) -> None:
    d = case.data()
    target = case.domain(d.Xt, d.yt)
    at_once = case.make().fit(d.X, d.y, target=target)
    in_turn = case.make().fit(d.X, d.y).adapt(target)
    assert at_once.adapted_ is in_turn.adapted_ is case.row.alters
    assert same(at_once, in_turn, d.Xn)


def test_an_earlier_target_leaves_no_trace(case: Any, same: Any) -> None:
    d, other = case.data(), case.data(seed=5, m=30)
    twice = case.make().fit(d.X, d.y).adapt(case.domain(other.Xt + 4, other.yt))
    twice.adapt(case.domain(d.Xt, d.yt))
    assert same(twice, case.fitted(d), d.Xn)


def test_adapt_returns_self_and_leaves_the_source_model_alone(case: Any) -> None:
    d = case.data()
    model = case.make().fit(d.X, d.y)
    source_model, before = model.source_model_, copy.deepcopy(model.source_model_)
    assert model.adapt(case.domain(d.Xt, d.yt)) is model
    assert model.source_model_ is source_model
    assert np.array_equal(source_model.predict(d.Xn), before.predict(d.Xn))


def test_without_a_target_only_the_source_is_learnt(case: Any) -> None:
    d = case.data()
    model = case.make().fit(d.X, d.y)
    assert model.adapted_ is False
    assert model.target_model_ is None
    assert "not adapted" in model.summary()
    assert np.array_equal(model.predict(d.Xn), model.source_model_.predict(d.Xn))
    assert np.array_equal(model.predict(d.Xn), model.predict(d.Xn, domain="source"))


def test_a_refit_without_a_target_forgets_it(case: Any, same: Any) -> None:
    d = case.data()
    model = case.fitted(d).fit(d.X, d.y)
    assert model.adapted_ is False
    assert same(model, case.make().fit(d.X, d.y), d.Xn)


@pytest.mark.rows(alters=True)
def test_summary_names_the_target(case: Any) -> None:
    d = case.data()
    target = Domain(d.Xt, d.yt, name="ward B")
    text = case.make().fit(d.X, d.y, target=target).summary()
    assert "adapted to the target 'ward B'" in text


def test_fit_never_writes_a_hyperparameter(case: Any) -> None:
    d = case.data()
    model = case.make(random_state=None)
    before, objects = frozen_params(model), model.get_params(deep=True)
    model.fit(d.X, d.y, target=case.domain(d.Xt, d.yt)).predict(d.Xn)
    assert frozen_params(model) == before
    assert all(objects[key] is value for key, value in model.get_params(deep=True).items())


def test_predict_never_changes_state(case: Any, same: Any) -> None:
    d = case.data()
    model = case.fitted(d)
    before = copy.deepcopy(model)
    model.predict(d.Xn)
    model.predict(d.Xn + 100, domain="source")
    model.score(d.Xn, d.yn)
    if not case.regression:
        model.predict_proba(d.Xn)
    assert vars(model).keys() == vars(before).keys()
    assert same(model, before, d.Xn)


@pytest.mark.parametrize("form", ["array", "list", "tuple", "frame", "text"])
def test_a_target_that_is_no_domain_is_refused(case: Any, form: str) -> None:
    import pandas as pd

    d = case.data()
    wrong: dict[str, Any] = {
        "array": d.Xt, "list": d.Xt.tolist(), "tuple": (d.Xt, d.yt), "frame": pd.DataFrame(d.Xt),
        "text": "target",
    }  # fmt: skip
    model = case.make()
    with pytest.raises(DomainTypeError, match=r"fit\(X, y, target=Domain\(X_target\)\)") as caught:
        model.fit(d.X, d.y, target=wrong[form])
    assert isinstance(caught.value, TypeError)
    assert not hasattr(model, "source_model_")
    with pytest.raises(TypeError, match="must be a Domain"):
        model.fit(d.X, d.y).adapt(wrong[form])


def test_a_wrong_target_costs_no_fit_of_the_source(
    case: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    d = case.data()
    model = case.make()

    def fitted_too_early(*_: Any) -> None:
        pytest.fail("the source was fitted before the target was checked")

    monkeypatch.setattr(case.row.load(), "_fit_source", fitted_too_early)
    for X in (d.Xt[:, :2], d.Xt[:0], np.full_like(d.Xt, np.nan), np.full_like(d.Xt, np.inf)):
        with pytest.raises(ValueError, match=r"features|0 sample|NaN|infinity"):
            model.fit(d.X, d.y, target=case.domain(X, d.yt[: len(X)]))


@pytest.mark.rows(target_labels="required")
def test_missing_target_labels_are_an_error_that_names_other_methods(case: Any) -> None:
    d = case.data()
    with pytest.raises(InputError, match=r"needs target labels.*Domain\(X_target, y_target\)"):
        case.make().fit(d.X, d.y, target=Domain(d.Xt))
    with pytest.raises(InputError, match="rows but y has shape"):
        case.make().fit(d.X, d.y, target=Domain(d.Xt, d.yt[:-1]))


def test_random_state_makes_a_fit_reproducible(case: Any, same: Any) -> None:
    d = case.data()
    assert same(case.fitted(d, random_state=7), case.fitted(d, random_state=7), d.Xn)


@pytest.mark.rows(network=True)
def test_another_random_state_makes_another_network(case: Any, same: Any) -> None:
    d = case.data()
    assert not same(case.fitted(d, random_state=7), case.fitted(d, random_state=8), d.Xn)


def test_global_random_states_are_untouched(case: Any) -> None:
    import torch

    d = case.data()
    before = np.random.get_state(), torch.get_rng_state(), random.getstate()  # noqa: NPY002
    case.fitted(d, random_state=3).predict(d.Xn)
    after = np.random.get_state(), torch.get_rng_state(), random.getstate()  # noqa: NPY002
    assert all(np.array_equal(a, b) for a, b in zip(before[0], after[0], strict=True))
    assert torch.equal(before[1], after[1])
    assert before[2] == after[2]


def test_the_users_estimator_stays_unfitted(case: Any) -> None:
    d = case.data()
    model = case.make()
    before = set(vars(model.estimator))
    model.fit(d.X, d.y, target=case.domain(d.Xt, d.yt))
    assert set(vars(model.estimator)) == before
