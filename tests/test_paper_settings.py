"""The settings of the papers: known to the constructor, fitted, and told from what has none."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from acclimate import Domain, make, methods
from acclimate.catalogue import CATALOGUE, Made, Row
from acclimate.exceptions import InputError
from acclimate.testing.quick import quick_base, quick_settings

ADAPTS = ("mapping", "reweighting", "semisupervised", "adversarial", "invariant", "source-free")
GIVEN = [row for row in CATALOGUE if row.paper_settings is not None]
NONE = [row for row in CATALOGUE if row.paper_settings is None]


def problem() -> Any:
    """Two classes in 24 columns of which three matter; the target is moved and scaled."""
    rng = np.random.default_rng(0)
    y, yt = np.arange(60) % 2, np.arange(50) % 2
    X, Xt = (rng.normal(size=(len(labels), 24)) for labels in (y, yt))
    X[:, :3] += 4.0 * y[:, None]
    Xt[:, :3] += 4.0 * yt[:, None]
    return X, y, 1.2 * Xt + 0.3, yt


def fitted(row: Row, **changes: Any) -> Any:
    X, y, Xt, yt = problem()
    target = Domain(Xt) if row.target_labels == "ignored" else Domain(Xt, yt)
    return make(row.name, settings="paper", random_state=0, **changes).fit(X, y, target=target)


def test_methods_of_adaptation_have_them_and_others_say_why() -> None:
    lacking = {row.name for row in NONE if row.family in ADAPTS}
    assert lacking == {"TrAdaBoostR2"}  # its paper is about classes
    assert all(row.family in ADAPTS for row in GIVEN)
    assert all(row.paper_note for row in CATALOGUE)


@pytest.mark.parametrize("row", GIVEN, ids=lambda row: row.name)
def test_every_name_is_a_parameter(row: Row) -> None:
    known = inspect.signature(row.load()).parameters
    assert set(row.paper_settings or ()) <= set(known)
    model = make(row.name, settings="paper")
    assert type(model) is row.load()
    for name, value in (row.paper_settings or {}).items():
        if isinstance(value, Made):  # a new one each time: fitting one model changes no other
            assert getattr(model, name) is not getattr(make(row.name, settings="paper"), name)
        else:
            assert getattr(model, name) == value


@pytest.mark.parametrize("row", [row for row in GIVEN if not row.network], ids=lambda r: r.name)
def test_every_row_is_fitted(row: Row) -> None:
    model = fitted(row)
    X, _, Xt, yt = problem()
    assert (model.predict(Xt) == yt).mean() > 0.8
    assert set(model.predict(X, domain="source")) <= {0, 1}


@pytest.mark.slow
@pytest.mark.parametrize("row", [row for row in GIVEN if row.network], ids=lambda r: r.name)
def test_every_network_is_fitted(row: Row) -> None:
    fast = {k: v for k, v in quick_settings(row).items() if k not in (row.paper_settings or {})}
    model = fitted(row, estimator=quick_base(row, "classification"), **fast)
    assert set(model.predict(problem()[2])) <= {0, 1}


def test_changes_count_before_the_papers() -> None:
    model = make("JDA", settings="paper", mu=3.0, estimator=None)
    assert (model.mu, model.estimator, model.n_components) == (3.0, None, 100)
    assert make("JDA").get_params() == type(model)().get_params()


def test_what_cannot_be_had_is_named() -> None:
    with pytest.raises(InputError, match="no method 'Jda'"):
        make("Jda")
    with pytest.raises(InputError, match="SourceOnly has no settings of its paper: a reference"):
        make("SourceOnly", settings="paper")
    with pytest.raises(InputError, match="'default' or 'paper', got 'best'"):
        make("JDA", settings="best")  # type: ignore[arg-type]


def test_a_row_can_still_be_a_member_of_a_set() -> None:
    assert len({*methods()}) == len(CATALOGUE)


def test_an_object_is_written_as_in_python() -> None:
    inner = Made("sklearn.neighbors.KNeighborsClassifier", settings={"n_neighbors": 1})
    outer = Made("sklearn.pipeline.make_pipeline", (inner,))
    assert str(outer) == "make_pipeline(KNeighborsClassifier(n_neighbors=1))"
    assert outer.make().steps[0][1].n_neighbors == 1
