"""What a model makes of a picture: its nearest source pictures, and where it looks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from acclimate import Domain, NeuralClassifier, SourceOnly
from acclimate.exceptions import InputError
from acclimate.pictures import nearest, occlusion
from acclimate.pictures.nearest_pictures import seen_as
from acclimate.transfer.encoders import Pixels

RNG = np.random.default_rng(0)


def model_of(X: Any, y: Any) -> SourceOnly:
    return SourceOnly(preprocess=Pixels()).fit(X, y, target=Domain(X))


@pytest.mark.parametrize("shape", [(9, 10), (3, 9, 10)])
def test_the_nearest_are_those_of_the_smallest_angle(shape: tuple[int, ...]) -> None:
    X = RNG.integers(0, 255, (30, *shape), dtype=np.uint8)
    X[:, 0] = 7  # a feature without spread
    Z = RNG.integers(0, 255, (4, *shape), dtype=np.uint8)
    model = model_of(X, np.arange(30) % 2)
    found = nearest(model, Z, X, k=3)
    F = X.reshape(30, -1).astype(float)
    moves = np.ptp(F, axis=0) > 0
    F, T = F[:, moves], Z.reshape(4, -1)[:, moves]
    S, T = ((one - F.mean(axis=0)) / F.std(axis=0) for one in (F, T))
    for row, (places, close) in enumerate(zip(*found, strict=True)):
        cosine = [s @ T[row] / np.linalg.norm(s) / np.linalg.norm(T[row]) for s in S]
        order = np.argsort(-np.array(cosine))[:3]
        assert places.tolist() == order.tolist()
        np.testing.assert_allclose(close, np.array(cosine)[order], atol=1e-5)
    assert nearest(model, X, X, k=1).rows[:, 0].tolist() == list(range(30)), "each is its own"
    assert nearest(model, Z, X[:2], k=5).rows.shape == (4, 2)
    turned = RNG.permutation(30)
    again = nearest(model, Z, X[turned], k=3)
    assert turned[again.rows].tolist() == found.rows.tolist()


def test_a_network_compares_by_its_body_and_rows_of_many_targets_agree() -> None:
    X = RNG.integers(0, 255, (40, 12, 12), dtype=np.uint8)
    base = NeuralClassifier("cnn", hidden=(5,), min_steps=3, epochs=1, random_state=0)
    model = SourceOnly(base).fit(X, np.arange(40) % 2)
    F = seen_as(model, X)
    assert F.shape == (40, 5)
    np.testing.assert_allclose(F, model.source_model_.infer(X)[0].numpy(), rtol=1e-6)
    many = np.concatenate([X] * 8)
    assert nearest(model, many, X, k=1).rows.shape == (320, 1)
    assert (nearest(model, many, X).similarity[:40] == nearest(model, X, X).similarity).all()


def test_what_cannot_be_compared_is_told() -> None:
    X = RNG.integers(0, 255, (6, 9, 10), dtype=np.uint8)
    model = model_of(X, np.arange(6) % 2)
    with pytest.raises(InputError, match=r"shape \(9, 10\); one picture is X\[None\]"):
        nearest(model, X[0][None][0], X)
    with pytest.raises(InputError, match=r"shape \(9, 9\), and those of the source \(9, 10\)"):
        nearest(model, X[:, :, :9], X)
    for k in (0, True, 1.5):
        with pytest.raises(InputError, match="k must be a whole number"):
            nearest(model, X, X, k=k)  # type: ignore[arg-type]


@pytest.mark.parametrize("channels", [None, 3])
def test_probability_falls_where_the_object_is_covered(channels: int | None) -> None:
    X = RNG.integers(0, 20, (60, 16, 12), dtype=np.uint8)
    y = np.arange(60) % 2
    X[y == 1, 10:14, 2:6] += 200
    if channels:
        X = np.repeat(X[:, None], channels, axis=1)
    model = model_of(X, y)
    fall = occlusion(model, X[1:4:2])
    assert fall.shape == (2, 16, 12)
    for one in fall:
        assert one[10:14, 2:6].mean() > 0.1
        assert abs(one[:5, 6:].mean()) < 0.1 * one[10:14, 2:6].mean()
    np.testing.assert_allclose(occlusion(model, X[1:2], label=0), -fall[:1], atol=1e-12)


def test_the_map_is_the_mean_over_the_squares_that_cover_a_place() -> None:
    X = RNG.integers(0, 255, (20, 5, 6), dtype=np.uint8)
    model = model_of(X, np.arange(20) % 2)
    found = occlusion(model, X[:1], label=1, patch=2)[0]
    total, covered = np.zeros((5, 6)), np.zeros((5, 6))
    before = model.predict_proba(X[:1])[0, 1]
    for row in range(4):
        for column in range(5):
            changed = X[:1].copy()
            changed[0, row : row + 2, column : column + 2] = np.rint(X[0].mean())
            total[row : row + 2, column : column + 2] += before - model.predict_proba(changed)[0, 1]
            covered[row : row + 2, column : column + 2] += 1
    np.testing.assert_allclose(found, total / covered, atol=1e-6)
    whole = occlusion(model, X[:1], label=1, patch=5)[0]
    assert whole.shape == (5, 6)


def test_what_cannot_be_covered_is_told() -> None:
    X = RNG.integers(0, 255, (6, 9, 10), dtype=np.uint8)
    model = model_of(X, np.arange(6) % 2)
    with pytest.raises(InputError, match=r"label must be one of \[0, 1\], got 2"):
        occlusion(model, X, label=2)
    for patch in (0, 10, 1.5, True):
        with pytest.raises(InputError, match="patch must be a whole number from 1 to 9"):
            occlusion(model, X, patch=patch)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="X must hold pictures"):
        occlusion(model, X.reshape(6, -1))
    values = SourceOnly(Ridge(), preprocess=Pixels()).fit(X, np.arange(6) / 7)
    with pytest.raises(InputError, match="gives no probabilities"):
        occlusion(values, X)
