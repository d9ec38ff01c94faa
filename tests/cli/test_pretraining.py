"""`acclimate pretrain`: pictures and tables without labels, and what goes on from the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import acclimate as library
from acclimate import cli

QUICK = ("--steps", "4", "--epochs", "1")
FEW = ("--set", "strategy=lp-ft", "--set", "estimator__min_steps=6", "--set", "estimator__epochs=1")


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with pictures in classes, and one with pictures alone."""
    image = pytest.importorskip("PIL.Image")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for place in ("there/dark", "there/light", "bare"):
        Path(place).mkdir(parents=True)
        for k in range(14):
            level = 60 if place == "there/dark" or (place == "bare" and k % 2) else 160
            pixels = rng.integers(level - 50, level + 50, (12, 12)).astype(np.uint8)
            image.fromarray(pixels).save(Path(place, f"{k:02d}.png"))
    return tmp_path


@pytest.mark.slow
def test_pictures(pictures: Path, acclimate: Any) -> None:
    code, out, err = acclimate("pretrain", "there", "--out", "e.acclimate", *QUICK)
    assert (code, err) == (0, "")
    assert "SimCLR(), 4 steps, no label" in out
    assert "by linear model" in out  # folders are classes: they score
    code, out, err = acclimate("adapt", "e.acclimate", "there", "--out", "m.acclimate", *FEW)
    assert (code, err) == (0, "")
    model = library.load("m.acclimate")
    assert model.classes_.tolist() == ["dark", "light"]
    assert acclimate("predict", "m.acclimate", "bare", "--out", "p.csv")[0] == 0
    assert len(Path("p.csv").read_text(encoding="utf-8").splitlines()) == 15
    code, _, err = acclimate("predict", "e.acclimate", "bare", "--out", "q.csv")
    assert code == cli.EXIT_INPUT
    assert "learnt no labels and answers nothing; adapt" in err
    code, out, _ = acclimate("fit", "there", "--out", "f.acclimate", "--encoder", "e.acclimate")
    assert code == 0
    assert library.load("f.acclimate").predict_proba(np.zeros((1, 12, 12), np.uint8)).shape[1] == 2


def test_pictures_without_a_label_and_a_second_domain(pictures: Path, acclimate: Any) -> None:
    code, out, err = acclimate(
        "pretrain", "bare", "--target", "there", "--out", "e.acclimate", "--method", "vicreg",
        "--network", "cnn", "--set", "augment=crop,flip", *QUICK,
    )  # fmt: skip
    assert (code, err) == (0, "")
    made = library.load("e.acclimate")
    assert made.method_ == "VICReg(augment='crop,flip')"
    assert made.trained_on_["target"]["rows"] == 28
    code, out, _ = acclimate(
        "pretrain", "bare", "--network", "e.acclimate", "--out", "f.acclimate", *QUICK
    )
    assert code == 0
    assert "by linear model" not in out
    assert library.load("f.acclimate").model.network == "cnn"


def test_a_table(shelf: Path, acclimate: Any) -> None:
    columns = ("--label", "sick", "--id", "patient")
    code, out, err = acclimate(
        "pretrain", "here.csv", "--target", "new.csv", "--out", "e.acclimate", *columns, *QUICK
    )
    assert (code, err) == (0, "")
    assert "SCARF(), 4 steps, no label" in out
    made = library.load("e.acclimate")
    assert list(made.feature_names_in_) == ["age", "pressure", "ward"]
    on = ("pretrain", "new.csv", "--network", "e.acclimate", "--out", "f.acclimate")
    assert acclimate(*on, "--id", "patient", *QUICK)[0] == 0
    code, _, err = acclimate(
        "adapt", "f.acclimate", "there.csv", "--label", "sick", "--out", "m.acclimate", *FEW
    )
    assert (code, err) == (0, "")
    assert library.load("m.acclimate").classes_.tolist() == ["no", "yes"]
    code, out, _ = acclimate("evaluate", "m.acclimate", "test.csv")
    assert code == 0
    assert "accuracy" in out


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--method", "nothing"), "no way to pretrain called 'nothing'"),
        (("--set", "temprature=3"), "SCARF has no setting 'temprature'"),
        (("--set", "share=3"), "share must be"),
        (("--method", "Rotation"), "Rotation needs images"),
    ],
)
def test_what_cannot_be_is_told(more: Any, words: str, shelf: Path, acclimate: Any) -> None:
    code, _, err = acclimate(
        "pretrain", "here.csv", "--out", "e.acclimate", "--id", "patient", *more
    )
    assert code == cli.EXIT_INPUT
    assert words in " ".join(err.split())
    assert not Path("e.acclimate").exists()
