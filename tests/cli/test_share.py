"""`--share`: what is known of the target's class shares, on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import acclimate as library

ROWS = ("--label", "sick", "--id", "patient")


@pytest.fixture
def bare(shelf: Any) -> Any:
    """Return the folder of two clinics, with few rows and no label in the other."""
    pd.read_csv("here.csv").head(120).to_csv("here.csv", index=False)
    pd.read_csv("test.csv").head(60).drop(columns="sick").to_csv("bare.csv", index=False)
    return shelf


def shares(path: str) -> Any:
    return library.load(path).trained_on_["target"]["class_shares"]


@pytest.mark.slow
def test_fit_and_adapt_move_answers(bare: Any, acclimate: Any) -> None:
    fit = ("fit", "here.csv", *ROWS, "--target", "bare.csv", "--method", "SourceOnly")
    means = {}
    for share in ("0.2", "0.9", "0.6..0.8"):
        code, _, err = acclimate(*fit, "--share", f"yes={share}", "--out", "m.acclimate")
        assert (code, err) == (0, "")
        code, _, err = acclimate("predict", "m.acclimate", "bare.csv", "--proba", "--out", "p.csv")
        assert (code, err) == (0, "")
        proba = pd.read_csv("p.csv").filter(like="yes").to_numpy()
        means[share] = float(np.mean(proba))
    assert means["0.2"] < means["0.6..0.8"] < means["0.9"]
    assert shares("m.acclimate") == {"yes": [0.6, 0.8]}
    code, _, err = acclimate(
        "adapt", "m.acclimate", "bare.csv", "--share", "yes=0.3", "--out", "again.acclimate"
    )
    assert (code, err) == (0, "")
    assert shares("again.acclimate") == {"yes": 0.3}


@pytest.mark.slow
def test_compare_tries_and_saves_with_them(bare: Any, acclimate: Any) -> None:
    code, out, err = acclimate(
        "compare", "--source", "here.csv", "--target", "bare.csv", *ROWS, "--method", "CORAL",
        "--jobs", "1", "--share", "yes=0.7", "--store", "run.sqlite", "--out", "m.acclimate",
        "--json",
    )  # fmt: skip
    assert code == 0, err
    assert json.loads(out)["run"]["settings"]["class_shares"] == {"yes": 0.7}
    assert shares("m.acclimate") == {"yes": 0.7}
    code, out, err = acclimate("resume", "run.sqlite", "--jobs", "1", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["trials"]["reused"] > 0
    assert found["run"]["settings"]["class_shares"] == {"yes": 0.7}


@pytest.mark.slow
def test_predict_moves_a_saved_model_that_learned_no_labels_there(
    bare: Any, acclimate: Any
) -> None:
    fit = ("fit", "here.csv", *ROWS, "--method", "SourceOnly", "--target", "bare.csv")
    assert acclimate(*fit, "--out", "plain.acclimate")[0] == 0
    assert acclimate(*fit, "--share", "yes=0.8", "--out", "moved.acclimate")[0] == 0
    ask = ("bare.csv", "--proba", "--out")
    assert acclimate("predict", "plain.acclimate", *ask, "a.csv", "--share", "yes=0.8")[0] == 0
    assert acclimate("predict", "moved.acclimate", *ask, "b.csv")[0] == 0
    pd.testing.assert_frame_equal(pd.read_csv("a.csv"), pd.read_csv("b.csv"))
    # a range moves all rows of a file to its nearest end, and none where their mean is inside
    assert acclimate("predict", "plain.acclimate", *ask, "no.csv")[0] == 0
    mean = pd.read_csv("no.csv")["p_yes"].mean()
    beyond = (0.8, 0.99) if mean < 0.8 else (0.01, 0.8)
    for (low, high), same in ((beyond, "a.csv"), ((mean - 0.05, mean + 0.05), "no.csv")):
        share = ("--share", f"yes={low}..{high}")
        assert acclimate("predict", "plain.acclimate", *ask, "c.csv", *share)[0] == 0
        pd.testing.assert_frame_equal(pd.read_csv("c.csv"), pd.read_csv(same))
    folder = Path("parts")
    folder.mkdir()
    pd.read_csv("bare.csv").to_parquet(folder / "one.parquet")
    code, _, err = acclimate(
        "predict", "plain.acclimate", "parts", "--out", "said", "--share", "yes=0.6..0.8"
    )
    assert code != 0
    assert "a range needs all rows" in err
    fit = ("fit", "here.csv", *ROWS, "--target", "there.csv", "--method", "TargetOnly")
    assert acclimate(*fit, "--no-estimate", "--out", "labelled.acclimate")[0] == 0
    code, _, err = acclimate("predict", "labelled.acclimate", *ask, "a.csv", "--share", "yes=0.8")
    assert code != 0
    assert "from labels" in err


@pytest.mark.parametrize(
    ("share", "words"),
    [("ill=0.7", "'ill', which the source lacks"), ("yes", "--share takes"),
     ("yes=1.7", "from 0 to 1")],
)  # fmt: skip
def test_a_wrong_share_is_one_line(bare: Any, acclimate: Any, share: str, words: str) -> None:
    code, _, err = acclimate(
        "compare", "--source", "here.csv", "--target", "bare.csv", *ROWS, "--share", share
    )
    assert code != 0
    assert words in err


def test_without_a_target_it_is_refused(bare: Any, acclimate: Any) -> None:
    code, _, err = acclimate("fit", "here.csv", *ROWS, "--share", "yes=0.7", "--out", "m.acclimate")
    assert code != 0
    assert "--target" in err
