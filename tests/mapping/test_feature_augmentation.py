"""Feature augmentation against its penalised form, solved directly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from acclimate import Domain, FeatureAugmentation
from acclimate.exceptions import InputError


def test_ridge_solves_the_three_penalties(toy: Any) -> None:
    """The joint quadratic in (w, v_s, v_t), written out block by block."""
    d = toy(0, classes=None)
    d.yt = d.yt + 2 * d.Xt[:, 1]  # one feature means something else
    model = FeatureAugmentation(Ridge(alpha=0.7, fit_intercept=False))
    model.fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    S, T, eye = d.X.T @ d.X, d.Xt.T @ d.Xt, 0.7 * np.eye(4)
    zero = np.zeros((4, 4))
    left = np.block([[S + T + eye, S, T], [S, S + eye, zero], [T, zero, T + eye]])
    s, t = d.X.T @ d.y, d.Xt.T @ d.yt
    w, vs, vt = np.linalg.solve(left, np.concatenate([s + t, s, t])).reshape(3, 4)
    np.testing.assert_allclose(model.predict(d.Xn), d.Xn @ (w + vt), rtol=1e-8)
    np.testing.assert_allclose(model.predict(d.Xn, domain="source"), d.Xn @ (w + vs), rtol=1e-8)


def test_domains_that_disagree_are_both_learnt(toy: Any) -> None:
    d = toy(0, n=120, m=90)
    turned = Domain(d.Xt, (d.yt + 1) % 3)
    model = FeatureAugmentation().fit(d.X, d.y, target=turned)
    assert model.score(d.Xn, (d.yn + 1) % 3) > 0.9
    assert model.score(d.X, d.y, domain="source") > 0.9


def test_only_known_labels_count(toy: Any) -> None:
    d = toy(0)
    known = np.arange(len(d.yt)) % 3 != 0
    some = FeatureAugmentation().fit(d.X, d.y, target=Domain(d.Xt, d.yt, labelled=known))
    alone = FeatureAugmentation().fit(d.X, d.y, target=Domain(d.Xt[known], d.yt[known]))
    np.testing.assert_allclose(some.predict_proba(d.Xn), alone.predict_proba(d.Xn), atol=1e-12)


def test_classes_are_matched(toy: Any) -> None:
    d = toy(0)
    code = np.array([6, 7, 5])
    plain = FeatureAugmentation().fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    renamed = FeatureAugmentation().fit(
        d.X, d.y, class_names=["a", "b", "c"],
        target=Domain(d.Xt, code[d.yt], class_names={5: "c", 6: "a", 7: "b"}),
    )  # fmt: skip
    assert renamed.predict(d.Xn).tolist() == code[plain.predict(d.Xn)].tolist()
    with pytest.raises(InputError, match="FeatureAugmentation needs the same classes"):
        FeatureAugmentation().fit(d.X, d.y, target=Domain(d.Xt, d.yt + 1))


def test_float32_stays_float32(toy: Any) -> None:
    d = toy(0)
    model = FeatureAugmentation().fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    assert model.transform(d.Xn.astype(np.float32)).dtype == np.float32
