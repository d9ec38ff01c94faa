"""What can be wrong in a file or an option: one line, the value, the way out, and nothing lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from acclimate import cli

FIT = ("--label", "sick", "--id", "patient", "--no-estimate", "--out", "m.acclimate")


def fails(result, *words):
    """Check that a command ended with one line that has these words; nothing on standard output."""
    code, out, err = result
    assert code == cli.EXIT_INPUT, (out, err)
    assert out == ""
    assert err.count("\n") == 1, err
    assert err.startswith("acclimate: ")
    assert "Traceback" not in err
    for word in words:
        assert word in err, (word, err)


def rewrite(name, **columns):
    pd.read_csv(name, dtype=str).assign(**columns).to_csv(name, index=False)


def test_a_missing_file(shelf, acclimate):
    fails(acclimate("fit", "hare.csv", *FIT), "hare.csv")


def test_a_missing_label_column_names_the_close_match(shelf, acclimate):
    fails(
        acclimate("fit", "here.csv", "--label", "sck", "--out", "m.acclimate"),
        "'sck'", "did you mean 'sick'",
    )  # fmt: skip
    fails(acclimate("fit", "here.csv", "--out", "m.acclimate"), "--label", "'sick'")


def test_a_missing_column(model, acclimate):
    before = model.read_bytes()
    pd.read_csv("new.csv").rename(columns={"pressure": "presure"}).to_csv("odd.csv", index=False)
    Path("p.csv").write_text("precious")
    fails(
        acclimate("predict", model, "odd.csv", "--out", "p.csv"),
        "'pressure'", "did you mean 'presure'",
    )  # fmt: skip
    assert Path("p.csv").read_text() == "precious"
    assert model.read_bytes() == before


def test_an_unseen_category_is_predicted(model, acclimate):
    pd.read_csv("new.csv").assign(ward="attic").to_csv("attic.csv", index=False)
    assert acclimate("predict", model, "attic.csv", "--out", "p.csv")[0] == 0
    assert len(pd.read_csv("p.csv")) == 200


def test_a_typo_in_a_label(shelf, acclimate):
    rows = pd.read_csv("there.csv")
    rows.loc[4, "sick"] = "yess"
    rows.to_csv("there.csv", index=False)
    fails(
        acclimate("fit", "here.csv", "--target", "there.csv", *FIT),
        "row 5", "'yess'", "did you mean 'yes'",
    )  # fmt: skip
    assert not Path("m.acclimate").exists()


def test_mixed_types(model, acclimate):
    rows = pd.read_csv("new.csv", dtype=str)
    rows.loc[7, "age"] = "old"
    rows.to_csv("mixed.csv", index=False)
    Path("p.csv").write_text("precious")
    fails(acclimate("predict", model, "mixed.csv", "--out", "p.csv"), "age", "old")
    assert Path("p.csv").read_text() == "precious"


@pytest.mark.parametrize("text", ["", "patient,age,pressure,ward,sick\n"])
def test_an_empty_file(shelf, acclimate, text):
    Path("here.csv").write_text(text)
    fails(acclimate("fit", "here.csv", *FIT), "here.csv")


@pytest.mark.parametrize("harm", ["truncated", "altered", "other"])
def test_a_hostile_or_broken_model_file(model, acclimate, harm):
    content = model.read_bytes()
    middle = len(content) // 2
    model.write_bytes(
        {
            "truncated": content[:-100],
            "altered": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
            "other": b"\x80\x05cos\nsystem\n",
        }[harm]
    )
    for command in (["show", model], ["predict", model, "new.csv", "--out", "p.csv"]):
        if harm == "altered" and command[0] == "show":
            continue  # a card is read without the arrays, which are checked when they are loaded
        fails(acclimate(*command), "there.acclimate")
    assert not Path("p.csv").exists()


def test_disk_full_while_saving_keeps_the_old_file(model, acclimate, monkeypatch):
    before = model.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    fails(
        acclimate("adapt", model, "test.csv", "--out", model.name + "2"), "No space left on device"
    )
    fails(acclimate("fit", "here.csv", *FIT[:-1], model.name), "No space left on device")
    assert model.read_bytes() == before
    assert {path.name for path in model.parent.iterdir() if path.name.startswith(".")} == set()


def test_a_target_without_any_label_names_the_methods_that_need_none(shelf, acclimate):
    rewrite("there.csv", sick=np.nan)
    fails(acclimate("fit", "here.csv", "--target", "there.csv", *FIT), "FineTune", "CORAL")


def test_the_output_is_no_input(shelf, acclimate):
    before = Path("here.csv").read_bytes()
    fails(acclimate("fit", "here.csv", *FIT[:-1], "here.csv"), "--out 'here.csv'")
    assert Path("here.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--method", "FinTune"), ("'FinTune'", "did you mean 'FineTune'")),
        (("--estimator", "logistics"), ("'logistics'", "did you mean 'logistic'")),
        (("--estimator", "ridge"), ("ridge does no classification",)),
        (("--set", "stratgy=full"), ("'stratgy'", "did you mean 'strategy'")),
        (("--set", "strategy"), ("name=value", "'strategy'")),
        (("--task", "clustering"), ("'clustering'",)),
        (("--drop", "aga"), ("'aga'", "did you mean 'age'")),
        (("--nothing",), ("--nothing",)),
    ],
)
def test_options(shelf, acclimate, option, words):
    fails(acclimate("fit", "here.csv", *FIT, *option), *words)
    assert not Path("m.acclimate").exists()


def test_an_unexpected_error_is_one_line_with_its_own_code(shelf, acclimate, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the moon is in the way")

    monkeypatch.setattr("acclimate.cli.rows.read_rows", broken)
    code, _, err = acclimate("fit", "here.csv", *FIT)
    assert code == cli.EXIT_BUG
    assert err.count("\n") == 1
    assert "the moon is in the way" in err


def test_ctrl_c_leaves_what_was_there(model, acclimate, monkeypatch):
    before = model.read_bytes()

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("acclimate.cli.fitting.save", stop)
    code, _, err = acclimate("fit", "here.csv", *FIT[:-1], model.name)
    assert code == cli.EXIT_STOPPED
    assert err == "acclimate: stopped\n"
    assert model.read_bytes() == before
