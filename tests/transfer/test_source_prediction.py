"""The source's prediction as a feature, against a logistic regression on the stacked columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

import acclimate
from acclimate import Domain, SourcePrediction


@pytest.mark.parametrize("classes", [2, 3])
def test_it_is_the_model_on_log_odds(toy: Any, classes: int) -> None:
    d = toy(0, classes=classes)
    base = LogisticRegression(max_iter=1000)
    model = SourcePrediction(base).fit(d.X, d.y, target=Domain(d.Xt, d.yt))
    source = LogisticRegression(max_iter=1000).fit(d.X, d.y)

    def columns(X: Any) -> Any:
        p = np.clip(source.predict_proba(X), 1e-3, None)
        return np.log(p[:, :1] / p[:, 1:]) if classes == 2 else np.log(p)

    own = base.fit(np.c_[d.Xt, columns(d.Xt)], d.yt)
    np.testing.assert_allclose(
        model.predict_proba(d.Xn), own.predict_proba(np.c_[d.Xn, columns(d.Xn)]), atol=1e-10
    )
    np.testing.assert_array_equal(model.predict(d.X, domain="source"), source.predict(d.X))


def test_a_source_that_is_right_up_to_a_line_leaves_a_line(toy: Any) -> None:
    d = toy(0, classes=None)
    source = Ridge(1e-6).fit(d.X, d.y)
    yt = 3 * source.predict(d.Xt) + 2
    model = SourcePrediction(Ridge(1e-6)).fit(d.X, d.y, target=Domain(d.Xt[:6], yt[:6]))
    np.testing.assert_allclose(model.predict(d.Xn), 3 * source.predict(d.Xn) + 2, rtol=1e-3)


def test_other_classes_and_a_saved_model(toy: Any, tmp_path: Any) -> None:
    d = toy(0)
    model = SourcePrediction(random_state=0).fit(d.X, d.y)
    path = model.save(tmp_path / "m.acclimate")
    target = Domain(d.Xt, np.where(d.yt > 0, "later", "now"))
    fresh = acclimate.load(path).adapt(target)  # no source row is needed
    np.testing.assert_allclose(
        fresh.predict_proba(d.Xn), model.adapt(target).predict_proba(d.Xn), atol=1e-10
    )
    assert fresh.classes_.tolist() == ["later", "now"]
