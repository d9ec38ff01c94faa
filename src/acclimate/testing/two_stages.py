"""The contract of `fit` and `adapt`."""

from __future__ import annotations

import copy
import importlib
import random
import sys
from typing import Any

import numpy as np

from acclimate.domain import Domain
from acclimate.exceptions import DomainTypeError, InputError
from acclimate.testing.cases import Case, CheckFailed, check, refused, require, same


def _settings(model: Any) -> dict[str, str]:
    """Return every hyperparameter, nested ones too, as text."""
    return {key: repr(value) for key, value in model.get_params(deep=True).items()}


@check()
def fit_with_a_target_is_fit_then_adapt(case: Case) -> None:
    """``fit(X, y, target=t)`` equals ``fit(X, y)`` then ``adapt(t)``."""
    d = case.data()
    target = case.domain(d.Xt, d.yt)
    at_once = case.make().fit(d.X, d.y, target=target)
    in_turn = case.make().fit(d.X, d.y).adapt(target)
    for model in (at_once, in_turn):
        require(model.adapted_ is case.row.alters, f"adapted_ is {model.adapted_}")
    require(same(at_once, in_turn, d.Xn), "fit with a target differs from fit and adapt")


@check()
def an_earlier_target_leaves_no_trace(case: Case) -> None:
    """``adapt(a)`` then ``adapt(b)`` equals ``adapt(b)``."""
    d, other = case.data(), case.data(seed=5, m=30)
    twice = case.make().fit(d.X, d.y).adapt(case.domain(other.Xt + 4, other.yt))
    twice.adapt(case.domain(d.Xt, d.yt))
    require(same(twice, case.fitted(d), d.Xn), "answers depend on a target of before")


@check()
def adapt_returns_self_and_leaves_the_source_model_alone(case: Case) -> None:
    """Stage two changes nothing of stage one."""
    d = case.data()
    model = case.make().fit(d.X, d.y)
    source_model, before = model.source_model_, copy.deepcopy(model.source_model_)
    require(model.adapt(case.domain(d.Xt, d.yt)) is model, "adapt does not return self")
    require(model.source_model_ is source_model, "adapt replaced source_model_")
    require(
        np.array_equal(source_model.predict(d.Xn), before.predict(d.Xn)),
        "adapt changed the source model; fit a copy",
    )


@check()
def without_a_target_only_the_source_is_learnt(case: Case) -> None:
    """`fit` without a target is stage one alone."""
    d = case.data()
    model = case.make().fit(d.X, d.y)
    require(model.adapted_ is False, "adapted_ is not False")
    require(model.target_model_ is None, "target_model_ is not None")
    require("not adapted" in model.summary(), "summary does not say so")
    plain = model.source_model_.predict(d.Xn)
    require(np.array_equal(model.predict(d.Xn), plain), "answers are not the source model's")
    require(np.array_equal(model.predict(d.Xn, domain="source"), plain), "nor are those there")


@check()
def a_refit_without_a_target_forgets_it(case: Case) -> None:
    """A fit starts from nothing."""
    d = case.data()
    model = case.fitted(d).fit(d.X, d.y)
    require(model.adapted_ is False, "adapted_ is not False")
    require(same(model, case.make().fit(d.X, d.y), d.Xn), "an earlier fit changes answers")


@check(alters=True)
def summary_names_the_target(case: Case) -> None:
    """The summary says to what the method was adapted."""
    d = case.data()
    target = Domain(d.Xt, d.yt, name="ward B")
    text = case.make().fit(d.X, d.y, target=target).summary()
    require("adapted to the target 'ward B'" in text, f"summary is {text!r}")


@check()
def fit_never_writes_a_hyperparameter(case: Case) -> None:
    """Constructors store, `fit` learns."""
    d = case.data()
    model = case.make(random_state=None)
    before, objects = _settings(model), model.get_params(deep=True)
    model.fit(d.X, d.y, target=case.domain(d.Xt, d.yt)).predict(d.Xn)
    after = _settings(model)
    changed = sorted(key for key in before if before[key] != after.get(key))
    require(after == before, f"fit changed {changed}")
    now = model.get_params(deep=True)
    require(all(now[key] is value for key, value in objects.items()), "fit replaced a setting")


@check()
def predict_never_changes_state(case: Case) -> None:
    """Answers leave the method as it was."""
    d = case.data()
    model = case.fitted(d)
    before = copy.deepcopy(model)
    model.predict(d.Xn)
    model.predict(d.Xn + 100, domain="source")
    model.score(d.Xn, d.yn)
    if hasattr(model, "predict_proba"):
        model.predict_proba(d.Xn)
    require(vars(model).keys() == vars(before).keys(), "an answer added or removed an attribute")
    require(same(model, before, d.Xn), "an answer changed later answers")


@check()
def a_target_that_is_no_domain_is_refused(case: Case) -> None:
    """Arrays, lists, pairs, frames and text are no targets."""
    import pandas as pd

    d = case.data()
    for wrong in (d.Xt, d.Xt.tolist(), (d.Xt, d.yt), pd.DataFrame(d.Xt), "target"):
        model = case.make()
        with refused(DomainTypeError, r"fit\(X, y, target=Domain\(X_target\)\)") as caught:
            model.fit(d.X, d.y, target=wrong)
        require(isinstance(caught.value, TypeError), "the error is no TypeError")
        require(not hasattr(model, "source_model_"), "the source was fitted before")
        with refused(TypeError, "must be a Domain"):
            model.fit(d.X, d.y).adapt(wrong)


@check()
def a_wrong_target_costs_no_fit_of_the_source(case: Case) -> None:
    """The target is checked first."""

    def fitted_too_early(*_: Any) -> None:
        raise CheckFailed("the source was fitted before the target was checked")

    d = case.data()
    model = case.make()
    model._fit_source = fitted_too_early
    for X in (d.Xt[:, :2], d.Xt[:0], np.full_like(d.Xt, np.nan), np.full_like(d.Xt, np.inf)):
        with refused(ValueError, r"features|0 sample|NaN|infinity"):
            model.fit(d.X, d.y, target=case.domain(X, d.yt[: len(X)]))


@check(target_labels="required")
def missing_target_labels_are_an_error_that_names_other_methods(case: Case) -> None:
    """The way out is in the message."""
    d = case.data()
    with refused(InputError, r"needs target labels.*Domain\(X_target, y_target\)"):
        case.make().fit(d.X, d.y, target=Domain(d.Xt))
    with refused(InputError, "rows but y has shape"):
        case.make().fit(d.X, d.y, target=Domain(d.Xt, d.yt[:-1]))


@check()
def random_state_makes_a_fit_reproducible(case: Case) -> None:
    """Equal seeds give equal answers, to the bit."""
    d = case.data()
    one, other = (case.fitted(d, random_state=7) for _ in range(2))
    require(same(one, other, d.Xn), "two fits with one random_state differ")


@check(network=True)
def another_random_state_makes_another_network(case: Case) -> None:
    """The seed reaches the network."""
    d = case.data()
    one, other = (case.fitted(d, random_state=seed) for seed in (7, 8))
    require(not same(one, other, d.Xn), "two random states make one network")


@check()
def global_random_states_are_untouched(case: Case) -> None:
    """Nothing is drawn from the generators that all code shares."""
    torch: Any = importlib.import_module("torch") if case.row.network else sys.modules.get("torch")
    d = case.data()

    def states() -> tuple[Any, Any, Any]:
        drawn = np.random.get_state()  # noqa: NPY002 - the old generator is the global one
        return drawn, None if torch is None else torch.get_rng_state(), random.getstate()

    before = states()
    case.fitted(d, random_state=3).predict(d.Xn)
    after = states()
    equal = all(np.array_equal(a, b) for a, b in zip(before[0], after[0], strict=True))
    require(equal, "numpy's global state moved; use np.random.default_rng(seed)")
    require(torch is None or torch.equal(before[1], after[1]), "torch's global state moved")
    require(before[2] == after[2], "the state of random moved")


@check()
def the_users_estimator_stays_unfitted(case: Case) -> None:
    """Base models are cloned."""
    d = case.data()
    model = case.make()
    before = set(getattr(model.estimator, "__dict__", ()))
    model.fit(d.X, d.y, target=case.domain(d.Xt, d.yt))
    added = set(getattr(model.estimator, "__dict__", ())) - before
    require(not added, f"fit wrote {sorted(added)} into the estimator that was given")
