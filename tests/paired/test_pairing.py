"""What methods on pairs share: encoders, classes by name, and checks for methods of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from typer.testing import CliRunner

from acclimate import PairedCCA, PairedRidge, TeacherThroughPairs, load
from acclimate.cli import app, stored
from acclimate.cli.models import complete_method, method_row
from acclimate.exceptions import InputError
from acclimate.testing import check_method
from acclimate.testing.toy_pairs import toy_pairs

SHADES = {"black": 0.0, "dark": 0.3, "light": 0.7, "white": 1.0}


class Shades(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A text encoder of few words: their shade, and its opposite."""

    def fit(self, X: Any, y: Any = None) -> Shades:
        self.fitted_ = True
        return self

    def transform(self, X: Any) -> Any:
        shades = np.array([np.mean([SHADES[word] for word in text.split()]) for text in X])
        return np.column_stack([shades, 1 - shades, np.square(shades)])


def pictures(shades: Any, seed: int = 0) -> Any:
    noise = np.random.default_rng(seed).normal(size=(len(shades), 4, 4))
    return np.asarray(shades)[:, None, None] * 200 + 20 + noise


class Flat(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Rows of pixels."""

    def fit(self, X: Any, y: Any = None) -> Flat:
        self.fitted_ = True
        return self

    def transform(self, X: Any) -> Any:
        return np.asarray(X).reshape(len(X), -1)


@pytest.fixture
def fitted() -> PairedRidge:
    texts = ["black", "dark", "dark light", "light", "black dark"] * 6
    shades = [np.mean([SHADES[w] for w in text.split()]) for text in texts]
    return PairedRidge((Flat(), Shades())).fit(pictures(shades), texts)


def test_encoders_read_what_they_are_made_for(fitted: PairedRidge) -> None:
    new = pictures([0.0, 0.7], seed=1)
    assert fitted.retrieve(new, ["light", "black"], k=1).tolist() == [[1], [0]]
    assert fitted.retrieve(["light", "black"], new, k=1, given="B").tolist() == [[1], [0]]
    assert fitted.widths_ == (16, 3)
    assert "what Flat makes, 16" in fitted.summary()


def test_names_are_texts_where_an_encoder_reads_them(fitted: PairedRidge) -> None:
    new = pictures([1.0, 0.0], seed=1)  # white was in no pair
    assert fitted.predict(new, ["black", "white"]).tolist() == ["black", "white"][::-1]
    said = {"noir": "black", "blanc": ["white", "white light"]}
    assert fitted.predict(new, said).tolist() == ["blanc", "noir"]
    one, two = pictures([1.0], seed=2)[0], pictures([0.0, 0.1], seed=3)
    assert fitted.predict(["light", "black"], {"w": one, "b": two}, given="B").tolist() == [
        "w",
        "b",
    ]


class Loudness(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """An encoder of waveforms of any length."""

    def fit(self, X: Any, y: Any = None) -> Loudness:
        self.fitted_ = True
        return self

    def transform(self, X: Any) -> Any:
        return np.array([[np.mean(x), np.ptp(x), np.mean(np.square(x))] for x in X])


def test_items_of_many_lengths_are_items() -> None:
    rng = np.random.default_rng(0)
    volumes = rng.uniform(0.5, 2.0, 40)
    sounds = np.empty(40, dtype=object)
    sounds[:] = [v * np.sin(np.arange(rng.integers(50, 90))) for v in volumes]
    rows = np.column_stack([volumes, 1 / volumes])
    model = PairedRidge((None, Loudness())).fit(rows, sounds)
    quiet, loud = sounds[volumes.argmin()], sounds[volumes.argmax()]
    new = [[0.4, 2.5], [2.0, 0.5]]
    assert model.predict(new, {"low": quiet, "high": loud}).tolist() == ["low", "high"]
    several = {0: [quiet], 1: [loud, loud[:40]]}
    assert model.predict(new, several).tolist() == [0, 1]
    assert model.retrieve(new, [loud, quiet], k=1).tolist() == [[1], [0]]


def test_frames_are_rows() -> None:
    d = toy_pairs()
    A, B = pd.DataFrame(d.A), pd.DataFrame(d.B)
    model, plain = PairedRidge().fit(A, B), PairedRidge().fit(d.A, d.B)
    classes = {(0, 1): d.Bn[0], (2, 3): pd.DataFrame(d.Bn[1:3])}
    found = model.predict(pd.DataFrame(d.An), classes)
    expected = plain.predict(d.An, {(0, 1): d.Bn[:1], (2, 3): d.Bn[1:3]})
    assert found.tolist() == expected.tolist()
    assert set(found) == {(0, 1), (2, 3)}
    np.testing.assert_array_equal(model.retrieve(d.An, B), plain.retrieve(d.An, d.B))


def test_a_clone_has_encoders_of_its_own() -> None:
    model = PairedRidge((StandardScaler(with_mean=False), None))
    again = clone(model)
    assert again.encoders[0] is not model.encoders[0]
    assert again.encoders[0].with_mean is False
    assert again.encoders[1] is None


def test_encoders_given_are_not_changed(fitted: PairedRidge) -> None:
    encoder = Shades()
    PairedRidge((Flat(), encoder)).fit(pictures([0.0, 0.3, 0.7]), ["black", "dark", "light"])
    assert not hasattr(encoder, "fitted_")


def test_a_file_holds_the_encoders(tmp_path: Any) -> None:
    d = toy_pairs()
    model = PairedRidge((StandardScaler(), None)).fit(d.A, d.B)
    again = load(model.save(tmp_path / "m.acclimate"))
    np.testing.assert_array_equal(again.retrieve(d.An, d.Bn), model.retrieve(d.An, d.Bn))
    assert again.card_["trained_on"] == {"pairs": 60, "A": 5, "B": 7}


def test_what_an_encoder_makes_is_checked() -> None:
    d = toy_pairs()
    texts = [f"item {i} of {i % 7}" for i in range(60)]
    with pytest.raises(InputError, match=r"what TfidfVectorizer makes of B is sparse.*SVD"):
        PairedRidge((None, TfidfVectorizer())).fit(d.A, texts)
    with pytest.raises(InputError, match=r"B must be rows of numbers.*encoders="):
        PairedRidge().fit(d.A, texts)
    with pytest.raises(InputError, match=r"A must be rows of numbers.*\(60, 5, 1\)"):
        PairedRidge().fit(d.A[:, :, None], d.B)
    logs = make_pipeline(FunctionTransformer(np.log))
    with np.errstate(all="ignore"), pytest.raises(InputError, match="what Pipeline makes of A"):
        PairedRidge((logs, None)).fit(d.A - 100, d.B)
    with pytest.raises(InputError, match="one text"):
        PairedRidge().fit(d.A, "text")


@pytest.mark.parametrize("wrong", ["word", 3, (None,), [StandardScaler(), 3], (None, None, None)])
def test_encoders_are_a_pair(wrong: Any) -> None:
    d = toy_pairs()
    with pytest.raises(InputError, match=r"^encoders must be a pair"):
        PairedRidge(wrong).fit(d.A, d.B)


def test_a_gap_is_told_with_its_place() -> None:
    d = toy_pairs()
    d.A[17, 2] = np.inf
    with pytest.raises(InputError, match=r"A holds inf in item 17, column 2, and 1 such cell"):
        PairedRidge().fit(d.A, d.B)


def test_methods_on_pairs_are_checked_like_others() -> None:
    assert len(check_method(PairedRidge())) >= 8
    teacher = TeacherThroughPairs()
    with pytest.raises(AssertionError, match="needs a teacher"):
        check_method(teacher)


def test_the_command_line_names_the_way() -> None:
    with pytest.raises(InputError, match=r"pairs of two modalities.*from acclimate import PairedR"):
        method_row("PairedRidge", "classification")
    assert complete_method("paired") == []


def test_commands_show_the_card_and_name_the_way(tmp_path: Any) -> None:
    d = toy_pairs()
    path = PairedRidge().fit(d.A, d.B).save(tmp_path / "m.acclimate")
    shown = CliRunner().invoke(app, ["show", str(path)])
    assert shown.exit_code == 0
    assert "source model" not in shown.output
    assert "from 60 pairs" in " ".join(shown.output.split())
    with pytest.raises(InputError, match=r"pairs of two modalities.*acclimate\.load"):
        stored.load(path)


@pytest.mark.parametrize("method", [PairedRidge, PairedCCA])
def test_numbers_too_small_to_be_squared(method: Any) -> None:
    A, B = toy_pairs(0).A, toy_pairs(0).B
    with pytest.raises(InputError, match=r"the numbers of B differ by .*e-\d+ at most.*multiply"):
        method().fit(A, B * 1e-200)
