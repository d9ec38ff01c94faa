"""DAN: the distance it minimises, and what it is for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from acclimate import DAN, Domain, NeuralClassifier, NeuralRegressor
from acclimate.exceptions import InputError
from acclimate.losses.mmd import mmd

QUICK: dict[str, Any] = {
    "hidden": (16,), "dropout": 0.0, "epochs": 1, "min_steps": 150, "batch_size": 32,
    "learning_rate": 0.01, "random_state": 0,
}  # fmt: skip
LONGER = QUICK | {"min_steps": 300, "batch_size": 64}


def test_it_unlearns_what_the_target_moves(moved: Any) -> None:
    d = moved
    model = DAN(NeuralClassifier(**LONGER), random_state=0)
    before = model.fit(d.X, d.y).score(d.Xt, d.yt)
    assert before < 0.75
    assert model.adapt(Domain(d.Xt)).score(d.Xt, d.yt) > 0.9


def test_the_recorded_loss_is_that_of_all_rows() -> None:
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(64, 3)), 2 * rng.normal(size=(64, 3)) + 1
    base = NeuralClassifier(**QUICK | {"batch_size": 64, "min_steps": 0})
    model = DAN(base, rate=1e-12, validator=None, random_state=0)  # one step, of all rows
    model.fit(X, X[:, 0] > 0, target=Domain(Xt))
    (z, _logits), (zt, _logits_t) = (model.source_model_.infer(rows) for rows in (X, Xt))
    assert model.history_ is not None
    expected = mmd(z, zt).item()
    assert model.history_.epochs[0]["mmd"] == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_several_sources_count_equally() -> None:
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(48, 3)), 2 * rng.normal(size=(16, 3))])
    Xt, ids = 3 * rng.normal(size=(64, 3)), np.repeat([5, 9], [48, 16])
    base = NeuralClassifier(**QUICK | {"batch_size": 64, "min_steps": 0})
    model = DAN(base, rate=1e-12, validator=None, random_state=0)
    model.fit(X, X[:, 0] > 0, target=Domain(Xt), domains=ids)
    zt, _logits_t = model.source_model_.infer(Xt)
    parts = []
    for number in (5, 9):
        z, _logits = model.source_model_.infer(X[ids == number])
        parts.append(mmd(z, zt).item())
    assert model.history_ is not None
    assert model.history_.epochs[0]["mmd"] == pytest.approx(np.mean(parts), rel=1e-3)


@pytest.mark.parametrize("classes", [3, None])
def test_features_come_closer(classes: int | None, toy: Any) -> None:
    d = toy(classes=classes)
    Xt, base = d.Xt + 1, (NeuralClassifier if classes else NeuralRegressor)(**QUICK)
    far, near = (
        DAN(base, strength=strength, validator=None, random_state=0)
        .fit(d.X, d.y, target=Domain(Xt))
        for strength in (0.0, 3.0)
    )  # fmt: skip
    gaps = [mmd(*(model.target_model_.infer(rows)[0] for rows in (d.X, Xt))).item()
            for model in (far, near)]  # fmt: skip
    assert gaps[1] < 0.5 * gaps[0]


def test_strength_zero_is_training_on_the_source(toy: Any) -> None:
    d = toy()
    settings = {"strength": 0.0, "validator": None, "random_state": 0}
    one, two = (
        DAN(NeuralClassifier(**QUICK), **settings).fit(d.X, d.y, target=Domain(Xt))
        for Xt in (d.Xt, 9 * d.Xt)
    )
    assert np.array_equal(one.predict_proba(d.Xn), two.predict_proba(d.Xn))


@pytest.mark.parametrize(("name", "value"), [("strength", -1.0), ("strength", np.inf)])
def test_settings_out_of_range_are_refused(name: str, value: Any, toy: Any) -> None:
    d = toy()
    with pytest.raises(InputError, match=name):
        DAN(**{name: value}).fit(d.X, d.y)
