"""Every method survives a file: same answers, and the same adaptation without source rows."""

from __future__ import annotations

import numpy as np
import pytest

import acclimate
from acclimate.exceptions import AcclimateError


@pytest.mark.rows
def test_a_saved_method_answers_and_adapts_the_same(case, tmp_path):
    data = case.data()
    model = case.fitted(data)
    loaded = acclimate.load(model.save(tmp_path / "m.acclimate"))
    for side in ("source", "target"):
        np.testing.assert_array_equal(
            loaded.predict(data.Xt, domain=side), model.predict(data.Xt, domain=side)
        )
    assert set(vars(loaded)) == set(vars(model)) | {"card_", "extras_"}
    target = case.domain(data.Xt[::-1], data.yt[::-1])
    if case.row.needs_source:
        with pytest.raises(AcclimateError, match="needs the source rows"):
            loaded.adapt(target)
        return
    model.adapt(target)
    loaded.adapt(target)
    np.testing.assert_array_equal(loaded.predict(data.Xt), model.predict(data.Xt))


@pytest.mark.rows
def test_adapting_elsewhere_equals_adapting_here(case, tmp_path):
    data = case.data()
    if case.row.needs_source:
        pytest.skip("needs the source rows")
    source = case.make().fit(data.X, data.y)
    loaded = acclimate.load(source.save(tmp_path / "m.acclimate"))
    loaded.adapt(case.domain(data.Xt, data.yt))
    np.testing.assert_array_equal(loaded.predict(data.Xt), case.fitted(data).predict(data.Xt))
