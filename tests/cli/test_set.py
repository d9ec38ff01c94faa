"""`--set NAME=VALUE`: what cannot be used ends in one line, and nothing is written."""

from __future__ import annotations

import inspect
from pathlib import Path

import pandas as pd
import pytest

from acclimate import cli
from acclimate.catalogue import methods

FIT = ("fit", "tiny.csv", "--label", "sick", "--no-estimate", "--out", "m.acclimate")


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = {"age": range(40), "sick": ["yes", "no"] * 20}
    pd.DataFrame(rows).to_csv("tiny.csv", index=False)
    pd.DataFrame(rows).to_csv("there.csv", index=False)


@pytest.mark.parametrize(
    ("method", "setting", "words"),
    [
        ("KMM", "bound=abc", "bound must be a number of at least 1, got 'abc'"),
        ("KMM", "bound=true", "bound must be a number of at least 1, got True"),
        ("KMM", "bound=nan", "bound must be at least 1, got nan"),
        ("KMM", "bound=inf", "bound must be at least 1 and finite, got inf"),
        ("KMM", "bound=0.5", "bound must be at least 1, got 0.5"),
        ("KMM", "bound=", "bound must be a number of at least 1, got ''"),
        ("KMM", "bound=2020-01-01", "bound must be a number of at least 1, got datetime.date("),
        ("KMM", "bond=2", "KMM has no setting 'bond'; did you mean 'bound'?"),
        ("KMM", "bound", "--set takes name=value, got 'bound'"),
        ("KMM", "max_steps=1.5", "max_steps must be a whole number of at least 1, got 1.5"),
        ("CORAL", "use_target_labels=1", "use_target_labels must be True or False, got 1"),
        ("CORAL", "shrinkage=2", 'shrinkage must be in [0, 1] or "auto", got 2'),
        ("CORAL", "estimator__C=abc", "estimator__C must be a number above 0, got 'abc'"),
        ("CORAL", "estimator__CC=1", "CORAL has no setting 'estimator__CC'"),
        ("CORAL", "estimator=svm", "CORAL has no setting 'estimator'"),
        ("CORAL", "random_state=-1", "random_state must be a whole number from 0 to 2**32 - 1"),
        ("RULSIF", "widths=[1, 0]", "numbers above 0 or None, got 0 in [1, 0]"),
        ("DomainDiscriminator", "discriminator=svm", "must be an object with fit and predict"),
        ("LabelShift", "method=bbs", 'method must be "bbse" or "em", got \'bbs\''),
        ("DANN", "hidden=64", "hidden must be a list of whole numbers of at least 1, got 64"),
        ("DANN", "validator=best", "validator must be one of \"auto\", "),
        ("DANN", "estimator__epochs=no", "estimator__epochs must be a whole number of at least 1"),
    ],
)  # fmt: skip
def test_one_line_and_the_exit_code_of_wrong_input(tiny, acclimate, method, setting, words):
    network = ("--estimator", "mlp") if method == "DANN" else ()
    code, out, err = acclimate(*FIT, "--method", method, *network, "--set", setting)
    assert (code, out) == (cli.EXIT_INPUT, ""), err
    assert err.count("\n") == 1
    assert err.startswith("acclimate: ")
    assert words in err
    assert "unexpected" not in err
    assert not Path("m.acclimate").exists()


@pytest.mark.parametrize("row", methods(kind="tabular"), ids=lambda row: row.name)
def test_every_setting_of_every_method(tiny, acclimate, row):
    task = "classification" if "classification" in row.tasks else "regression"
    base = ("--estimator", "mlp") if row.network else ()
    for name in inspect.signature(row.load()).parameters:
        if name in ("estimator", "preprocess"):
            continue
        code, out, err = acclimate(
            "fit", "tiny.csv", "--label", "sick" if task == "classification" else "age", "--task",
            task, "--method", row.name, *base, "--out", "m.acclimate", "--set",
            f"{name}=1979-05-27",
        )  # fmt: skip
        assert (code, out, err.count("\n")) == (cli.EXIT_INPUT, "", 1), err
        assert err.startswith(f"acclimate: {name} must be ")
        assert ", got datetime.date(1979, 5, 27)" in err


def test_adapt_refuses_it_too(tiny, acclimate):
    pd.DataFrame({"age": range(40), "sick": ["yes", "no"] * 20}).to_csv("there.csv", index=False)
    options = ("--label", "sick", "--method", "TargetOnly", "--out", "m.acclimate")
    assert acclimate("fit", "tiny.csv", "--no-estimate", *options)[0] == 0
    before = Path("m.acclimate").read_bytes()
    code, out, err = acclimate(
        "adapt", "m.acclimate", "there.csv", "--out", "n.acclimate", "--set", "random_state=old"
    )
    assert (code, out, err.count("\n")) == (cli.EXIT_INPUT, "", 1)
    assert "random_state must be" in err
    assert Path("m.acclimate").read_bytes() == before
    assert not Path("n.acclimate").exists()
