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
from acclimate.transfer.encoders import Pixels

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
        "--report", "out.html", "--out", "best.acclimate", "--single",
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


@pytest.mark.slow
def test_an_encoder_makes_rows_that_every_method_reads(folders, acclimate):
    code, out, err = acclimate(
        "compare", "--source", "here", "--target", "there", "--method", "CORAL", "--encoder",
        "pixels", *QUICK, "--out", "best.acclimate",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "Encoder: pixels" in out
    assert "CORAL" in out
    assert library.load("best.acclimate").card_["encoder"] == "pixels"
    assert "encoder" in acclimate("show", "best.acclimate")[1]
    assert acclimate("predict", "best.acclimate", "bare", "--out", "p.csv")[0] == 0
    model = library.load("best.acclimate")
    assert np.array_equal(model.predict(np.zeros((1, 12, 12), np.uint8)), ["dark"])
    code, out, _ = acclimate("evaluate", "best.acclimate", "there")
    assert code == 0
    assert acclimate("adapt", "best.acclimate", "there", "--out", "again.acclimate")[0] == 0


def test_a_model_behind_an_encoder(folders, acclimate):
    asked = ("fit", "here", "--target", "there", "--out", "m.acclimate", "--no-estimate")
    code, out, err = acclimate(*asked, "--encoder", "hog")
    assert (code, err) == (0, "")
    assert "hog" in out
    assert library.load("m.acclimate").card_["encoder"] == "hog"
    first = library.load("m.acclimate").predict_proba(np.zeros((2, 12, 12), np.uint8))
    code, out, err = acclimate(
        "fit", "here", "--target", "there", "--out", "n.acclimate", "--encoder", "m.acclimate",
        "--no-estimate",
    )  # fmt: skip
    assert (code, err) == (0, "")
    second = library.load("n.acclimate").predict_proba(np.zeros((2, 12, 12), np.uint8))
    np.testing.assert_allclose(second, first)


@pytest.mark.slow
def test_from_two_folders_to_predictions_in_five_commands(folders, acclimate):
    image, rng = pytest.importorskip("PIL.Image"), np.random.default_rng(1)
    for k in range(100):  # enough for a check
        for path, level in ((Path("there/dark"), 80), (Path("there/light"), 180),
                            (Path("bare"), 80 if k % 2 else 180)):  # fmt: skip
            pixels = rng.integers(level - 50, level + 50, (12, 12)).astype(np.uint8)
            image.fromarray(pixels).save(path / f"more{k:03d}.png")
    steps = (
        ("diagnose", "here", "there"),
        ("compare", "--source", "here", "--target", "there", "--encoder", "pixels", "--method",
         "Pooled", *QUICK),
        ("fit", "here", "--target", "there", "--method", "Pooled", "--encoder", "pixels",
         "--no-estimate", "--out", "m.acclimate"),
        ("predict", "m.acclimate", "bare", "--out", "p.csv"),
        ("check", "m.acclimate", "bare"),
    )  # fmt: skip
    for step in steps:
        code, _, err = acclimate(*step)
        assert (code, err) == (0, ""), step
    lines = Path("p.csv").read_text().splitlines()[1:]
    said = [line.split(",")[1].strip('"') for line in lines]
    assert said == ["light", "dark"] * (ROWS + 50)


@pytest.mark.slow
def test_features_are_ranked_and_diagnosed(folders, acclimate):
    code, out, err = acclimate("rank", "there", "here", "--encoder", "hog", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["candidates"][0]["name"] == "here"
    code, out, err = acclimate("diagnose", "here", "there", "--encoder", "pixels", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert len(found["columns"]) == 11, "those of pictures, beside what the encoder makes of them"
    assert found["figures"]["coarse"] is False
    assert "Encoder: pixels" in acclimate("diagnose", "here", "there", "--encoder", "pixels")[1]


def test_an_encoder_that_is_none(folders, acclimate):
    code, _, err = acclimate("fit", "here", "--out", "m.acclimate", "--encoder", "hgo")
    assert code == cli.EXIT_INPUT
    assert "efficientnet-lite0, pixels, hog" in err
    Path("a.csv").write_text("x,y\n" + "1,a\n2,b\n" * 5)
    code, _, err = acclimate(
        "fit", "a.csv", "--label", "y", "--out", "m.acclimate", "--encoder", "hog"
    )
    assert code == cli.EXIT_INPUT
    assert "these rows are a table" in err


def test_without_the_extra_it_is_said_how_to_get_it(folders, acclimate, monkeypatch):
    from acclimate.transfer import encoders

    monkeypatch.setattr(encoders, "installed", lambda: False)
    code, _, err = acclimate(
        "fit", "here", "--out", "m.acclimate", "--set", "estimator__epochs=1", "--set",
        "estimator__min_steps=20",
    )  # fmt: skip
    assert code == 0
    assert 'pip install "acclimate[vision]"' in err
    assert isinstance(library.load("m.acclimate").estimator, NeuralClassifier)


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
        (
            ("compare", "--source", "here", "--target", "there", "--method", "CORAL", "--networks"),
            "maps rows",
        ),
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


@pytest.fixture
def shelf(folders, small, acclimate):
    """Return a folder with a model of 12 x 12 pictures, and pictures of 20 x 18 in colour."""
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(1)
    for name, level in (("dark", 60), ("light", 160)):
        for k in range(3):
            path = Path("wide", name, f"{k}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = rng.integers(level - 50, level + 50, (18, 20, 3)).astype(np.uint8)
            image.fromarray(pixels).save(path)
    code, out, err = acclimate("fit", "here", *small, "--no-estimate", "--out", "m.acclimate")
    assert (code, err) == (0, "")
    assert "Read here: 24 pictures of 2 classes, 12 x 12, grey" in out
    return folders


@pytest.mark.parametrize("command", ["adapt", "predict", "evaluate", "check"])
def test_pictures_of_another_size_are_refused_with_both_sizes_or_resized(shelf, acclimate, command):
    out = ("--out", "o.csv") if command in ("adapt", "predict") else ()
    code, _, err = acclimate(command, "m.acclimate", "wide", *out)
    assert code == cli.EXIT_INPUT
    assert "dark/0.png is 20 x 18 pixels" in err
    assert "12 x 12" in err
    assert "--resize crop" in err
    code, text, err = acclimate(command, "m.acclimate", "wide", *out, "--resize", "crop")
    assert (code in (0, cli.EXIT_DRIFTED, cli.EXIT_UNSURE), err) == (True, "")
    words = " ".join(text.split())
    assert "12 x 12, grey; cropped from 20 x 18; colours read as grey" in words


def test_how_pictures_are_read_goes_with_the_model(shelf, small, acclimate):
    done = acclimate("adapt", "m.acclimate", "wide", "--resize", "stretch", "--out", "w.acclimate")
    assert done[0] == 0
    code, out, err = acclimate("predict", "w.acclimate", "wide/dark/1.png", "--out", "p.csv")
    assert (code, err) == (0, "")
    assert "1 picture, 12 x 12, grey; stretched from 20 x 18" in " ".join(out.split())
    assert Path("p.csv").read_text().splitlines()[1].startswith('"1.png"')
    code, _, err = acclimate("fit", "wide", *small, "--image-size", "14x10", "--resize", "pad",
                             "--background", "black", "--out", "s.acclimate")  # fmt: skip
    assert (code, err) == (0, "")
    noted = library.load("s.acclimate").extras_["table"]["reading"]["pictures"]
    assert noted == {"size": [14, 10], "resize": "pad", "colour": True, "background": [0, 0, 0],
                     "white": None}  # fmt: skip
    code, out, err = acclimate("evaluate", "s.acclimate", "here", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["read"] == (
        "24 pictures of 2 classes, 14 x 10, colour; padded from 12 x 12; grey read as colour"
    )


def test_a_model_that_noted_no_pictures_knows_their_shape(shelf, acclimate):
    old = library.load("m.acclimate")
    del old.extras_["table"]["reading"]["pictures"]
    library.save(old, "old.acclimate", extras=old.extras_)
    for rows in ("wide", "here"):
        answers = []
        for name in ("m", "old"):
            code, _, err = acclimate(
                "predict", f"{name}.acclimate", rows, "--resize", "crop", "--out", "p.csv"
            )
            assert (code, err) == (0, "")
            answers.append(Path("p.csv").read_text())
        assert answers[0] == answers[1]


def test_bad_pictures_are_named_and_left_out_on_request(shelf, acclimate):
    Path("there", "dark", "bad.png").write_bytes(b"")
    code, _, err = acclimate("evaluate", "m.acclimate", "there", "--json")
    assert code == cli.EXIT_INPUT
    assert "dark/bad.png (empty)" in err
    code, out, err = acclimate("evaluate", "m.acclimate", "there", "--json", "--skip-bad")
    assert code == 0
    assert "note: 1 picture of 25 cannot be read and left out: dark/bad.png (empty)" in err
    assert json.loads(out)["rows"] == 24
    code, _, err = acclimate("predict", "m.acclimate", "there", "--skip-bad", "--out", "p.csv")
    assert "dark/bad.png" in err
    assert len(Path("p.csv").read_text().splitlines()) == 25


def test_a_file_with_a_column_of_paths_goes_everywhere(shelf, small, acclimate):
    paths = [f"{kind}/{k:02d}.png" for kind in ("dark", "light") for k in range(ROWS)]
    rows = [f"there/{path},{path.split('/')[0]},{k % 3}" for k, path in enumerate(paths)]
    Path("list.csv").write_text("file,kind,ward\n" + "\n".join(rows) + "\n")
    fit = ("fit", "list.csv", "--label", "kind", *small, "--out", "l.acclimate")
    code, out, err = acclimate(*fit)
    assert (code, err) == (0, "")
    assert "24 pictures of 2 classes, 12 x 12, grey; 1 column left out (ward)" in " ".join(
        out.split()
    )
    for model in ("l", "m"):
        code, _, err = acclimate("predict", f"{model}.acclimate", "list.csv", "--out", "p.csv")
        assert (code, err) == (0, "")
        assert Path("p.csv").read_text().splitlines()[1].startswith('"there/dark/00.png"')
        code, _, err = acclimate("check", f"{model}.acclimate", "list.csv")
        assert err == ""
    code, _, err = acclimate("evaluate", "m.acclimate", "list.csv", "--label", "kind")
    assert (code, err) == (0, "")
    code, out, err = acclimate("diagnose", "here", "list.csv", "--label", "kind")
    assert (code, err) == (0, "")


@pytest.mark.slow
def test_settings_of_pictures_are_options_of_a_config_and_of_a_store(shelf, small, acclimate):
    Path("c.toml").write_text('image-size = "10"\nresize = "pad"\nskip-bad = true\n')
    Path("there", "bad.png").write_bytes(b"")
    code, out, err = acclimate(
        "compare", "--source", "here", "--target", "there", "--method", "DeepCORAL", "--trials",
        "1", *small, *QUICK, "--config", "c.toml", "--store", "s.sqlite",
    )  # fmt: skip
    assert code == 0
    assert "bad.png (empty)" in err
    assert "24 pictures of 2 classes, 10 x 10, grey; padded from 12 x 12" in " ".join(out.split())
    code, out, err = acclimate("resume", "s.sqlite", "--json", "--jobs", "1")
    assert code == 0
    found = json.loads(out)
    assert found["trials"]["reused"] == found["trials"]["done"]
    command = " ".join(found["run"]["command"].split())
    assert "--image-size 10" in command
    assert "--skip-bad" in command


def test_each_model_of_a_verdict_reads_pictures_in_its_own_size(shelf, small, acclimate):
    fit = ("fit", "here", *small, "--image-size", "16", "--out", "large.acclimate")
    assert acclimate(*fit)[0] == 0
    scores = {}
    for one, other in (("m", "large"), ("large", "m")):
        code, out, err = acclimate(
            "evaluate", f"{one}.acclimate", "there", "--against", f"{other}.acclimate", "--json"
        )
        assert (code, err) == (0, "")
        found = json.loads(out)
        scores[one] = (found["score"], found["against"]["gain"])
    assert scores["m"][0] - scores["large"][0] == pytest.approx(scores["m"][1])
    assert scores["large"][0] - scores["m"][0] == pytest.approx(scores["large"][1])


def test_saved_models_are_ranked_on_pictures_in_their_size(shelf, acclimate):
    command = ("rank", "wide", "m.acclimate", "--json")
    code, _, err = acclimate(*command)
    assert code == cli.EXIT_INPUT
    assert "20 x 18" in err
    code, out, err = acclimate(*command, "--resize", "crop")
    assert (code, err) == (0, "")
    assert json.loads(out)["candidates"][0]["name"] == "m.acclimate"


def test_a_few_in_classes_and_a_heap_beside_them(shelf, small, acclimate):
    for k in range(2 * ROWS):
        Path("bare", f"{k:02d}.png").rename(Path("there", f"{k:02d}.png"))
    for name in ("dark", "light"):
        for k in range(5, ROWS):
            Path("there", name, f"{k:02d}.png").unlink()
    code, out, err = acclimate(
        "fit", "here", "--target", "there", *small, "--no-estimate", "--out", "t.acclimate"
    )
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    assert "Read there: 34 pictures of 2 classes, 12 x 12, grey; 24 without a label" in words
    assert "10 labelled of 34 rows of there" in words
    code, out, err = acclimate("evaluate", "t.acclimate", "there", "--json")
    assert (code, json.loads(out)["rows"]) == (0, 10)
    assert acclimate("predict", "t.acclimate", "there", "--out", "p.csv")[0] == 0
    assert len(Path("p.csv").read_text().splitlines()) == 35


@pytest.mark.slow
def test_from_folders_as_people_have_them_to_predictions(tmp_path, monkeypatch, small, acclimate):
    image = pytest.importorskip("PIL.Image")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)

    def save(name, level, size, mode="RGB"):
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(level - 40, level + 40, (*size, 3)).astype(np.uint8)
        image.fromarray(pixels).convert(mode).save(path)

    for kind, level in (("dark", 60), ("light", 190)):
        for k in range(12):
            part = "val" if k > 9 else "train"
            save(f"here/{part}/{kind}/{k}.jpg", level, (16 + k, 20))
        save(f"here/test/{kind}/0.jpg", level, (16, 20))
        for k in range(6):
            save(f"there/{kind}/{k}.png", level, (12, 12), "RGBA" if k % 2 else "L")
            save(f"new/{kind}/{k}.webp", level, (30, 12))
    for k in range(20):
        save(f"there/{k}.tif", 60 if k % 2 else 190, (15, 14))
    Path("there/Thumbs.db").write_bytes(b"x")
    Path("new/dark/6.webp").write_bytes(b"x")
    size = ("--image-size", "12")

    def run(*command):
        code, out, err = acclimate(*command)
        return code, " ".join(out.split()), " ".join(err.split())

    code, out, err = run("diagnose", "here", "there", *size)
    assert (code, err) == (0, "")
    assert "24 pictures of 2 classes, 12 x 12, colour; test/ left out; cropped from" in out
    assert "32 pictures of 2 classes, 12 x 12, colour; 20 without a label; 1 other file" in out
    code, _, err = run("fit", "here", *size, *small, "--out", "here.acclimate")
    assert (code, err) == (0, "")
    code, out, err = run("adapt", "here.acclimate", "there", "--out", "there.acclimate")
    assert (code, err) == (0, "")
    assert "12 labelled of 32 rows of there" in out
    code, out, err = run(
        "evaluate", "there.acclimate", "new", "--against", "here.acclimate", "--skip-bad"
    )
    assert code == 0
    assert "dark/6.webp" in err
    code, _, err = run("predict", "there.acclimate", "here/test", "--out", "p.csv")
    assert (code, err) == (0, "")
    assert len(Path("p.csv").read_text().splitlines()) == 3
    code, out, err = run("check", "there.acclimate", "new", "--skip-bad")
    assert code in (0, cli.EXIT_DRIFTED, cli.EXIT_UNSURE)
    code, out, err = run("show", "there.acclimate")
    assert "24 colour pictures of 12 x 12 of here; test/ left out" in out
    assert "32 colour pictures of 12 x 12 of there" in out
    assert "; classes dark, light" in out


def test_what_a_model_of_pictures_misses_is_shown(folders, acclimate):
    asked = ("fit", "here", "--out", "m.acclimate", "--encoder", "pixels")
    assert acclimate(*asked)[0] == 0
    Path("bare/01.png").rename("there/light/wrong.png")  # a dark one among light ones
    code, out, err = acclimate("evaluate", "m.acclimate", "there", "--report", "out.html")
    assert (code, err) == (0, "")
    assert "Report: out.html" in out
    page = Path("out.html").read_text(encoding="utf-8")
    assert "light/wrong.png" in page
    assert page.count('<img class="thumbnail" src="data:image/jpeg;base64,') >= 1
    found = json.loads(acclimate("evaluate", "m.acclimate", "there", "--answers", "--json")[1])
    rows = found["answers"]["missed"]
    assert len(rows["thumbnails"]) == len(rows["positions"]) == page.count('<img class="thumbnail"')
    code, out, _ = acclimate("predict", "m.acclimate", "bare", "--out", "p.csv", "--top", "3")
    assert code == 0
    head = Path("p.csv").read_text().splitlines()[0].replace('"', "")
    assert head == "name,prediction,top_1,top_1_p,top_2,top_2_p"


def test_colours_that_changed_places_are_noticed(tmp_path, monkeypatch, acclimate):
    image = pytest.importorskip("PIL.Image")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for folder, rows, order in (("here", 400, (0, 1, 2)), ("new", 150, (0, 1, 2)),
                                ("swapped", 150, (2, 1, 0))):  # fmt: skip
        for k in range(rows):
            path = Path(folder, "ab"[k % 2], f"{k:02d}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            level = rng.integers(40, 160)  # brightness says nothing
            pixels = rng.integers(level, level + 60, (12, 12, 3))
            pixels[..., 0] += 30 + 20 * (k % 2)
            image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)[..., order]).save(path)
    assert acclimate("fit", "here", "--out", "m.acclimate", "--encoder", "pixels")[0] == 0
    assert acclimate("check", "m.acclimate", "new")[0] == 0
    code, out, _ = acclimate("check", "m.acclimate", "swapped", "--json")
    assert code == cli.EXIT_DRIFTED
    moved = {one["name"] for one in json.loads(out)["columns"] if one["word"] == "shifted"}
    assert {"red", "blue"} <= moved
    assert "brightness" not in moved
    assert any(one["name"].startswith("encoder feature") for one in json.loads(out)["columns"])
    found = json.loads(acclimate("diagnose", "here", "swapped", "--encoder", "pixels", "--json")[1])
    assert found["word"] == "shifted"


def test_networks_by_the_words_that_people_use(folders, acclimate):
    quick = ("--set", "estimator__min_steps=2", "--set", "estimator__hidden=[4]")
    code, _, err = acclimate(
        "fit", "here", "--target", "bare", "--method", "AdaBN", "--out", "m.acclimate", *quick
    )
    assert (code, err) == (0, "")
    assert library.load("m.acclimate").estimator.network == "cnn-norm"
    asked = ("fit", "here", "--out", "n.acclimate", "--augment", "flip,crop,colour", *quick)
    assert acclimate(*asked, "--set", "estimator__class_weight=balanced")[0] == 0
    found = library.load("n.acclimate").estimator
    assert (found.network, found.augment) == ("cnn", "flip,crop,colour")
    assert found.class_weight == "balanced"
    code, _, err = acclimate(*asked[:4], "--augment", "flip", "--encoder", "pixels")
    assert code == cli.EXIT_INPUT
    assert "add --estimator cnn" in err
    code, _, err = acclimate(
        "fit", "here", "--target", "bare", "--method", "AdaBN", "--estimator", "cnn", "--out",
        "m.acclimate", *quick,
    )  # fmt: skip
    assert code == cli.EXIT_INPUT
    assert "--estimator cnn-norm" in err


def test_a_model_is_asked_where_it_looks(folders, acclimate):
    assert acclimate("fit", "here", "--out", "m.acclimate", "--encoder", "pixels")[0] == 0
    code, out, err = acclimate(
        "look", "m.acclimate", "there", "--source", "here", "--report", "look.html"
    )
    assert (code, err) == (0, "")
    assert "The first 12 are looked at." in out
    assert max(map(len, out.splitlines())) <= 80
    page = Path("look.html").read_text(encoding="utf-8")
    assert page.count('<img class="thumbnail" src="data:image/jpeg;base64,') == 12 * (1 + 4 + 1)
    (one,) = json.loads(
        acclimate("look", "m.acclimate", "bare/01.png", "--source", "here", "--json")[1]
    )
    assert one["picture"] == "01.png"
    assert one["says"][0]["class"] == "dark"
    assert sum(says["probability"] for says in one["says"]) == pytest.approx(1)
    assert {other["picture"].split("/")[0] for other in one["nearest"]} == {"dark"}
    Path("a.csv").write_text("x,y\n" + "1,a\n2,b\n" * 5)
    acclimate("fit", "a.csv", "--label", "y", "--out", "t.acclimate", "--no-estimate")
    code, _, err = acclimate("look", "t.acclimate", "a.csv")
    assert code == cli.EXIT_INPUT
    assert "holds no pictures" in err


def test_the_card_says_what_pictures_a_model_saw(folders, acclimate):
    asked = ("fit", "here", "--target", "bare", "--out", "m.acclimate", "--method", "CORAL")
    assert acclimate(*asked, "--encoder", "pixels")[0] == 0
    out = " ".join(acclimate("show", "m.acclimate")[1].split())
    assert "source 24 grey pictures of 12 x 12 of here; classes dark, light" in out
    assert "target 24 grey pictures of 12 x 12 of bare" in out
    X = np.zeros((6, 3, 9, 12), np.uint8)
    X[::2] = 200
    model = library.SourceOnly(preprocess=Pixels()).fit(X, [0, 1] * 3)
    model.save("n.acclimate")
    out = " ".join(acclimate("show", "n.acclimate")[1].split())
    assert "source 6 colour pictures of 12 x 9; classes 0, 1" in out
