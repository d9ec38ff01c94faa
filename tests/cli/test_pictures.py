"""Folders of pictures: what differs, which source, which method."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import acclimate as library
from acclimate import cli
from acclimate.base.neural import NeuralClassifier
from acclimate.cli import models

ROWS = 12  # pictures of a class


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Return a folder with two of pictures in classes, and one without."""
    image = pytest.importorskip("PIL.Image")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)

    def save(path, level):
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(level - 50, level + 50, (12, 12)).astype(np.uint8)
        image.fromarray(pixels).save(path)

    for side, shift in (("here", 0), ("there", 20)):
        for name, level in (("dark", 60), ("light", 160)):
            for k in range(ROWS):
                save(Path(side, name, f"{k:02d}.png"), level + shift)
    for k in range(2 * ROWS):
        save(Path("bare", f"{k:02d}.png"), 80 if k % 2 else 180)
    return tmp_path


@pytest.fixture
def small(monkeypatch):
    """Let the base model of pictures be a small one."""
    kinds = {"classification": ("acclimate.base.neural", "NeuralClassifier",
                                {"hidden": (4,), "epochs": 1, "min_steps": 20,
                                 "verbose": False})}  # fmt: skip
    monkeypatch.setitem(models.ESTIMATORS, "mlp", kinds)
    return ("--estimator", "mlp")


QUICK = ("--repeats", "1", "--folds", "3", "--jobs", "1")


def test_what_differs_between_two_folders(folders, acclimate):
    code, out, err = acclimate("diagnose", "here", "there")
    assert (code, err) == (0, "")
    assert "24 source and 24 target rows" in out
    assert "brightness" in out
    assert max(map(len, out.splitlines())) <= 80
    found = json.loads(acclimate("diagnose", "here", "bare", "--json")[1])
    assert found["target_rows"] == 24


def test_folders_are_ranked(folders, acclimate):
    code, out, err = acclimate("rank", "there", "here", "--json")
    assert (code, err) == (0, "")
    (found,) = json.loads(out)["candidates"]
    assert found["name"] == "here"


def test_methods_are_compared_on_folders_and_the_best_is_saved(folders, small, acclimate):
    code, out, err = acclimate(
        "compare", "--source", "here", "--target", "there", "--method", "DeepCORAL", *small, *QUICK,
        "--report", "out.html", "--out", "best.acclimate",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "DeepCORAL" in out
    page = Path("out.html").read_text(encoding="utf-8")
    assert 'id="features"' in page
    assert 'id="training"' in page
    assert "of a folder" in page
    model = library.load("best.acclimate")
    assert isinstance(model.estimator, NeuralClassifier)
    assert acclimate("predict", "best.acclimate", "bare", "--out", "p.csv")[0] == 0


def test_methods_that_map_rows_are_not_tried_on_pictures(folders, small, acclimate):
    code, out, err = acclimate(
        "compare", "--source", "here", "--target", "there", "--trials", "1", *small, *QUICK,
        "--json",
    )  # fmt: skip
    assert (code, err) == (0, "")
    found = json.loads(out)
    reasons = {one["method"]: one["reason"] for one in found["excluded"]}
    assert "maps rows of features" in reasons["CORAL"]
    assert "linear base model" in reasons["ParameterTransfer"]
    assert "batch norm" in reasons["AdaBN"]
    assert found["trials"]["failed"] == 0


def test_pictures_to_label_are_named_by_their_files(folders, small, acclimate):
    code, out, err = acclimate(
        "compare", "--source", "here", "--target", "bare", "--method", "DeepCORAL", *small, *QUICK,
        "--json",
    )  # fmt: skip
    assert (code, err) == (0, "")
    label = json.loads(out)["to_label"]
    assert label["ids"] == [f"{position:02d}.png" for position in label["positions"]]
    assert label["id_name"] == "file in the folder"
    assert label["file_rows"] is None


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("compare", "--source", "here", "--target", "there", "--method", "CORAL"), "maps rows"),
        (("compare", "--source", "bare", "--target", "there"), "no label"),
        (("compare", "--source", "here", "--target", "empty"), "holds no pictures"),
        (("diagnose", "here", "empty"), "holds no pictures"),
        (("diagnose", "here", "mixed"), "must have one size"),
        (("rank", "bare", "here"), "no label"),
    ],
)
def test_what_cannot_be_used_is_one_line(folders, acclimate, command, words):
    image = pytest.importorskip("PIL.Image")
    Path("empty").mkdir()
    Path("mixed").mkdir()
    for k, size in enumerate(((12, 12), (8, 12))):
        image.fromarray(np.zeros(size, dtype=np.uint8)).save(f"mixed/{k}.png")
    code, out, err = acclimate(*command)
    assert (code, out) == (cli.EXIT_INPUT, "")
    assert err.count("\n") == 1
    assert words in err
