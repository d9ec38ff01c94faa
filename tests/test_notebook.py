"""Methods in notebooks, and data frames out of `transform`."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import acclimate
from acclimate import CORAL, TCA, Domain, SourceOnly

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def sides():
    rng = np.random.default_rng(0)
    X, Xt = rng.normal(size=(40, 3)), rng.normal(size=(30, 3)) + 1
    return X, (X[:, 0] > 0).astype(int), Xt


def words(html):
    """Return what a reader sees, without styles and scripts."""
    html = re.sub(r"<(style|script).*?</\1>", "", html, flags=re.S)
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", html).split()))


def test_the_diagram_shows_the_parts_and_whether_it_is_adapted(sides):
    X, y, Xt = sides
    model = CORAL(LogisticRegression(C=0.25), preprocess=StandardScaler())
    shown = words(model._repr_html_())
    assert "LogisticRegression" in shown
    assert "StandardScaler" in shown
    assert shown.endswith("CORAL on LogisticRegression: not fitted.")
    model.fit(X, y)
    assert words(model._repr_html_()).endswith("source model only, not adapted to any target.")
    model.adapt(Domain(Xt, name="clinic B"))
    assert "adapted to the target 'clinic B'." in words(model._repr_html_())


def test_the_bundle_has_the_same_diagram_and_plain_text(sides):
    X, y, _ = sides
    model = SourceOnly().fit(X, y)  # its own default as base model
    bundle = model._repr_mimebundle_()
    assert "SourceOnly on LogisticRegression: source model only" in words(bundle["text/html"])
    assert bundle["text/plain"] == repr(model)


def test_names_from_the_data_are_escaped(sides):
    X, y, Xt = sides
    model = CORAL().fit(X, y, target=Domain(Xt, name=HOSTILE))
    assert "<img" not in model._repr_html_()
    assert "&lt;img" in model._repr_html_()


def test_scikit_learns_setting_turns_the_diagram_off():
    with sklearn.config_context(display="text"):
        assert not hasattr(CORAL(), "_repr_html_")
        assert "text/html" not in CORAL()._repr_mimebundle_()


@pytest.mark.parametrize("domain", ["target", "source"])
def test_transform_gives_a_frame_where_asked(sides, domain):
    X, y, Xt = sides
    frame = pd.DataFrame(Xt, columns=["a", "b", "c"], index=[f"r{k}" for k in range(30)])
    model = TCA(n_components=2, shrinkage=0, random_state=0)
    model.fit(pd.DataFrame(X, columns=["a", "b", "c"]), y, target=Domain(frame))
    plain = model.transform(frame, domain=domain)
    assert isinstance(plain, np.ndarray)
    assert model.set_output(transform="pandas") is model
    found = model.transform(frame, domain=domain)
    assert list(found.columns) == ["tca0", "tca1"] == list(model.get_feature_names_out())
    assert list(found.index) == list(frame.index)
    np.testing.assert_array_equal(found.to_numpy(), plain)
    model.set_output(transform=None)
    assert isinstance(model.transform(frame), pd.DataFrame)
    model.set_output(transform="default")
    np.testing.assert_array_equal(model.transform(frame, domain=domain), plain)


def test_the_choice_of_output_survives_cloning_and_the_global_one_counts(sides):
    X, y, Xt = sides
    model = clone(CORAL().set_output(transform="pandas")).fit(X, y, target=Domain(Xt))
    assert isinstance(model.transform(Xt), pd.DataFrame)
    plain = CORAL().fit(X, y, target=Domain(Xt))
    with sklearn.config_context(transform_output="pandas"):
        assert list(plain.transform(Xt).columns) == ["coral0", "coral1", "coral2"]
    assert isinstance(plain.transform(Xt), np.ndarray)


def test_frames_change_no_prediction_and_the_model_can_be_saved(sides, tmp_path):
    X, y, Xt = sides
    model = CORAL().fit(X, y, target=Domain(Xt))
    before = model.predict_proba(Xt)
    model.set_output(transform="pandas")
    np.testing.assert_array_equal(model.predict_proba(Xt), before)
    again = acclimate.load(model.save(tmp_path / "m.acclimate"))
    np.testing.assert_array_equal(np.asarray(again.transform(Xt)), model.transform(Xt))


def test_before_a_target_there_are_no_features(sides):
    X, y, _ = sides
    model = CORAL().fit(X, y)
    assert not hasattr(model, "transform")
    assert not hasattr(model, "get_feature_names_out")
    assert "source model only" in words(model._repr_html_())
