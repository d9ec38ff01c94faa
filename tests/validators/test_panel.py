"""The panel: ranks by hand, weights that find the validator that tells the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

from acclimate.exceptions import InputError
from acclimate.validators import risks
from acclimate.validators.candidate import Evidence
from acclimate.validators.panel import (
    CLASSES,
    VALUES,
    combine,
    fit_weights,
    ranks,
    score_candidates,
)
from acclimate.validators.registry import VALIDATORS, validate

TABLE = {
    "a": {"dev": 1.0, "snd": 5.0},
    "b": {"dev": 2.0, "snd": 5.0},
    "c": {"dev": 3.0, "snd": 1.0},
}


def test_ranks_by_hand() -> None:
    expected = [[-0.5, 0.25, 0.0], [0.0, 0.25, 0.0], [0.5, -0.5, 0.0]]
    np.testing.assert_allclose(ranks(TABLE, ["dev", "snd", "mano"]), expected)


def test_combine_by_hand() -> None:
    found = combine(TABLE, {"dev": 3.0, "snd": 1.0, "mano": 6.0})  # nobody has a value for mano
    assert found.names == ("c", "b", "a")
    np.testing.assert_allclose(found.scores, [0.25, 0.0625, -0.3125])
    assert found.used == {"dev": 0.75, "snd": 0.25}
    assert found.best == "c"
    assert found.values == TABLE


def test_missing_values_are_the_middle_and_ties_keep_their_order() -> None:
    found = combine({"x": {}, "y": {"dev": 1.0}, "z": {"dev": 2.0}}, {"dev": 1.0})
    assert found.names == ("z", "x", "y")
    level = combine({"q": {"dev": 1.0}, "p": {"dev": 1.0 + 1e-15}}, {"dev": 1.0})
    assert level.names == ("q", "p")


def test_any_rising_function_of_a_validator_gives_the_same() -> None:
    bent = {name: {v: np.exp(x) for v, x in row.items()} for name, row in TABLE.items()}
    weights = {"dev": 0.7, "snd": 0.3}
    assert combine(bent, weights).scores == combine(TABLE, weights).scores


def tasks(seed: int, count: int = 20) -> list[Any]:
    """Let dev tell the truth, snd half of it, mano nothing, and entropy the opposite."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        truth = rng.random(12)
        values = {
            f"m{i}": {
                "dev": t + 0.1 * rng.normal(), "snd": t + 0.5 * rng.normal(),
                "mano": rng.normal(), "entropy": -t,
            }
            for i, t in enumerate(truth)
        }  # fmt: skip
        made.append((values, {f"m{i}": float(t) for i, t in enumerate(truth)}))
    return made


def test_weights_find_who_tells_the_truth() -> None:
    found = fit_weights(tasks(0))
    assert next(iter(found)) == "dev"
    assert found["dev"] > 0.6
    assert "entropy" not in found
    assert found.get("mano", 0.0) < 0.1
    assert sum(found.values()) == pytest.approx(1)
    assert set(found) <= set(VALIDATORS)


def test_weights_against_another_solver() -> None:
    names, made = ["dev", "snd", "mano"], tasks(1, 5)

    def loss(w: Any) -> float:
        total = 0.0
        for values, truth in made:
            own = np.array(list(truth.values())).argsort().argsort() / (len(truth) - 1) - 0.5
            total += np.square(ranks(values, names) @ w - own).mean() / len(made)
        return total + 0.05 * float(w @ w)

    found = minimize(loss, np.full(3, 0.3), bounds=[(0, None)] * 3, tol=1e-12).x
    expected = dict(zip(names, found / found.sum(), strict=True))
    for name, weight in fit_weights(made, names, ridge=0.05).items():
        assert weight == pytest.approx(expected[name], abs=1e-4)


def test_the_order_of_candidates_and_tasks_does_not_matter() -> None:
    made = tasks(2, 4)
    turned = [
        (dict(reversed(values.items())), dict(reversed(truth.items())))
        for values, truth in reversed(made)
    ]
    first, second = fit_weights(made), fit_weights(turned)
    assert second == pytest.approx(first)


def test_weights_of_the_library_are_shares() -> None:
    for weights in (CLASSES, VALUES):
        assert sum(weights.values()) == pytest.approx(1, abs=5e-3)
        assert all(weight > 0 for weight in weights.values())
        assert set(weights) <= set(VALIDATORS)
    assert all(VALIDATORS[name].regression for name in VALUES)


def test_score_candidates_makes_the_consensus() -> None:
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, 40)
    good = np.where(y[:, None] == [0, 1], 0.9, 0.1)
    poor = np.where(rng.integers(0, 2, 40)[:, None] == [0, 1], 0.6, 0.4)
    known = {name: Evidence(p, y, p, weights=np.ones(40)) for name, p in
             (("poor", poor), ("good", good), ("good too", good))}  # fmt: skip
    found = score_candidates(known)
    assert found.best == "good"
    assert found.values["good"]["agreement"] == 1
    agrees = (poor.argmax(1) == (poor + 2 * good).argmax(1)).mean()
    assert found.values["poor"]["agreement"] == pytest.approx(agrees)
    given = {name: Evidence(e.source_proba, y, e.target_proba, consensus=poor)
             for name, e in known.items()}  # fmt: skip
    assert score_candidates(given).values["poor"]["agreement"] == 1


def test_weights_of_shared_features_are_estimated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    y, calls = rng.integers(0, 2, 30), []
    source, target = rng.normal(size=(30, 2)), rng.normal(0.5, 1, size=(20, 2))
    known = {
        name: Evidence(rng.dirichlet([1, 1], 30), y, rng.dirichlet([1, 1], 20), source, target)
        for name in "abc"
    }
    expected = {name: validate(one)["importance_weighted"] for name, one in known.items()}
    real = risks.feature_weights
    monkeypatch.setattr(
        risks, "feature_weights", lambda *sides: calls.append(sides) or real(*sides)
    )
    found = score_candidates(known).values
    assert len(calls) == 1
    for name, value in expected.items():
        assert found[name]["importance_weighted"] == value


def test_regression_takes_its_own_weights() -> None:
    y = np.arange(6.0)
    known = {
        "far": Evidence(y + 2, y, y + 2, weights=np.ones(6), reverse_labels=y + 2),
        "near": Evidence(y + 0.1, y, y + 0.1, weights=np.ones(6), reverse_labels=y + 0.1),
        "nearer": Evidence(y, y, y, weights=np.ones(6), reverse_labels=y),
    }
    found = score_candidates(known)
    assert found.names[-1] == "far"
    assert set(found.used) <= set(VALUES)


def test_errors() -> None:
    with pytest.raises(InputError, match="no candidates"):
        score_candidates({})
    with pytest.raises(InputError, match="no candidates"):
        combine({}, {"dev": 1.0})
    with pytest.raises(InputError, match="at least 0"):
        combine(TABLE, {"dev": -1.0})
    with pytest.raises(InputError, match="none of the validators"):
        combine(TABLE, {"mano": 1.0})
    with pytest.raises(InputError, match="same target rows"):
        score_candidates({"a": Evidence(None, None, [[0.5, 0.5]]),
                          "b": Evidence(None, None, [[0.5, 0.5]] * 2)})  # fmt: skip
    with pytest.raises(InputError, match="at least one"):
        fit_weights([])
    with pytest.raises(InputError, match="agrees"):
        fit_weights(tasks(4, 2), ["entropy"])
