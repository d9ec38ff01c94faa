"""AFN: features grow longer in both domains."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from acclimate import AFN, Domain, NeuralClassifier
from acclimate.exceptions import InputError

QUICK: dict[str, Any] = {
    "hidden": (16,), "dropout": 0.0, "epochs": 1, "min_steps": 150, "batch_size": 32,
    "learning_rate": 0.01, "random_state": 0,
}  # fmt: skip
LONGER = QUICK | {"min_steps": 300, "batch_size": 64}


def lengths(model: Any, *sides: Any) -> list[float]:
    return [model.target_model_.infer(X)[0].norm(dim=1).mean().item() for X in sides]


def test_features_grow_in_both_domains(toy: Any) -> None:
    d = toy()
    plain, longer = (
        AFN(NeuralClassifier(**QUICK), strength=strength, limit=np.inf, validator=None,
            random_state=0)
        .fit(d.X, d.y, target=Domain(d.Xt))
        for strength in (0.0, 0.5)
    )  # fmt: skip
    for one, other in zip(*(lengths(m, d.X, d.Xt) for m in (plain, longer)), strict=True):
        assert other > 1.2 * one


def test_features_stop_growing_at_the_limit(toy: Any) -> None:
    d = toy()
    found = []
    for limit in (1.5, np.inf):
        model = AFN(
            NeuralClassifier(**LONGER), strength=1.0, limit=limit, validator=None, random_state=0
        ).fit(d.X, d.y, target=Domain(d.Xt))
        start = model.source_model_.infer(d.X)[0].norm(dim=1).mean().item()
        found.append(max(lengths(model, d.X, d.Xt)) / start)
    assert found[0] < 2.5  # momentum and the task go on a little beyond the limit
    assert found[1] > 3.0


def test_it_helps_a_little_where_one_column_moves(moved: Any) -> None:
    d = moved
    model = AFN(NeuralClassifier(**LONGER), limit=np.inf, random_state=0)
    before = model.fit(d.X, d.y).score(d.Xt, d.yt)
    assert model.adapt(Domain(d.Xt)).score(d.Xt, d.yt) > before


def test_a_radius_is_reached(toy: Any) -> None:
    d = toy()
    base = NeuralClassifier(**LONGER)
    model = AFN(base, strength=1.0, radius=9.0, validator=None, random_state=0)
    model.fit(d.X, d.y, target=Domain(d.Xt))
    assert lengths(model, d.X, d.Xt) == pytest.approx([9.0, 9.0], rel=0.1)


def test_the_recorded_losses_by_hand(toy: Any) -> None:
    d = toy()
    base = NeuralClassifier(**QUICK | {"batch_size": 60, "min_steps": 0})
    for settings, power in (({"step": 3.0}, None), ({"radius": 2.0}, 2.0)):
        model = AFN(base, rate=1e-12, validator=None, random_state=0, **settings)
        model.fit(d.X, d.y, target=Domain(d.X))
        mean = model.source_model_.infer(d.X)[0].norm(dim=1).mean().item()
        length = model.source_model_.infer(d.X)[0].norm(dim=1).numpy()
        grown = np.maximum(length, np.minimum(length + 3.0, 2.5 * mean))
        expected = ((grown - length) ** 2).mean() if power is None else (mean - 2.0) ** 2
        assert model.history_ is not None
        for name in ("norm_source", "norm_target"):
            assert model.history_.epochs[0][name] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("name", "value"), [("strength", -1.0), ("step", 0.0), ("radius", -2.0),
                                             ("limit", 0.0), ("limit", np.nan)])  # fmt: skip
def test_settings_out_of_range_are_refused(name: str, value: Any, toy: Any) -> None:
    d = toy()
    with pytest.raises(InputError, match=name):
        AFN(**{name: value}).fit(d.X, d.y)
