"""Methods ticked for targets whose classes differ gain from the setting, on a circle of classes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from acclimate import Domain

UNKNOWN = -1
STEPS = {"min_steps": 150, "batch_size": 64, "learning_rate": 0.003, "hidden": (32,)}


def circle(seed: int, here: Any, there: Any, spread: float) -> SimpleNamespace:
    """Return rows of some of eight classes on a circle; the target is turned a little and moved."""
    rng = np.random.default_rng(seed)
    angles = 2 * np.pi * np.arange(8) / 8
    rows = []
    for classes, turn, move in ((here, 0.0, 0.0), (there, 0.1, 0.5)):
        y = np.asarray(classes)[np.arange(120) % len(classes)]
        X = spread * rng.normal(size=(120, 4))
        X[:, 0] += 4 * np.cos(angles[y] + turn)
        X[:, 1] += 4 * np.sin(angles[y] + turn)
        X[:, 2] += move
        rows.append((X, y))
    (X, y), (Xt, yt) = rows
    return SimpleNamespace(X=X, y=y, Xt=Xt, yt=yt)


def made(case: Any, seed: int) -> Any:
    """Return the method, with a base of the length that its mathematics needs."""
    return case.make(estimator=case.estimator().set_params(**STEPS), length=1.0, random_state=seed)


@pytest.mark.rows(partial_classes=True, task="classification")
def test_a_target_that_lacks_classes(case: Any) -> None:
    gains = []
    for seed in range(3):
        d = circle(seed, range(8), (1, 2, 3), 1.0)
        model = made(case, seed).fit(d.X, d.y, target=Domain(d.Xt))
        before = model.score(d.Xt, d.yt)
        model.set_params(partial=True).adapt(Domain(d.Xt))
        gains.append(model.score(d.Xt, d.yt) - before)
    assert np.mean(gains) > 0.01


@pytest.mark.rows(open_classes=True, task="classification")
def test_a_target_with_classes_of_no_source(case: Any) -> None:
    scores = []
    for seed in range(3):
        d = circle(seed, (0, 2, 4, 6), range(8), 0.6)
        model = made(case, seed).set_params(unknown=UNKNOWN).fit(d.X, d.y)
        known = d.yt % 2 == 0
        sure = model.predict_proba(d.Xt).max(axis=1) >= 0.9
        answers = [np.where(sure, model.predict(d.Xt), UNKNOWN)]
        answers.append(model.adapt(Domain(d.Xt)).predict(d.Xt))
        found = []
        for answer in answers:
            right = (answer == d.yt)[known].mean()
            rejected = (answer == UNKNOWN)[~known].mean()
            found.append(2 * right * rejected / (right + rejected))
        scores.append(found)
    plain, ours = np.mean(scores, axis=0)  # the source model with a threshold on its confidence
    assert ours > plain
    assert ours > 0.6
