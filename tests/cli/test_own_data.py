"""From the user's own files to predictions: each command, and what it leaves."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import acclimate as library

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_five_commands_of_the_readme(tmp_path, monkeypatch, acclimate):
    monkeypatch.chdir(tmp_path)
    assert acclimate("example")[::2] == (0, "")
    found = re.search(
        r"<!-- own-data -->\s*```\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found is not None
    lines = [line for line in found[1].splitlines() if line.strip()]
    assert len(lines) == 5
    for line in lines:
        program, *arguments = shlex.split(line, comments=True)
        assert program == "acclimate"
        code, out, err = acclimate(*arguments)
        assert (code, err) == (0, ""), line
        assert out
    predictions = pd.read_csv("predictions.csv")
    assert predictions["patient"].tolist() == pd.read_csv("new.csv")["patient"].tolist()
    truth = pd.read_csv("test.csv")
    model = library.load("there.acclimate")
    assert (model.predict(truth.drop(columns=["sick", "patient"])) == truth["sick"]).mean() > 0.75


def test_the_example_is_the_same_each_time_and_overwrites_nothing(tmp_path, monkeypatch, acclimate):
    monkeypatch.chdir(tmp_path)
    code, out, err = acclimate("example", "a folder")
    assert (code, err) == (0, "")
    command = "acclimate fit here.csv --label sick --id patient --out here.acclimate"
    assert out.endswith(f"cd 'a folder' && {command}\n")  # whole, so that it can be pasted
    names = {"here.csv", "there.csv", "test.csv", "new.csv", "next_month.parquet"}
    assert {path.name for path in Path("a folder").iterdir()} == names
    before = {path: path.read_bytes() for path in Path("a folder").iterdir()}
    code, _, err = acclimate("example", "a folder")
    assert code == 2
    assert "here.csv" in err
    assert before == {path: path.read_bytes() for path in Path("a folder").iterdir()}
    acclimate("example", "again")
    acclimate("example", "other", "--seed", "1")
    assert Path("again/here.csv").read_bytes() == Path("a folder/here.csv").read_bytes()
    assert Path("other/here.csv").read_bytes() != Path("a folder/here.csv").read_bytes()


def test_predictions_are_the_models_in_the_order_of_the_file(model, acclimate):
    code, out, _ = acclimate("predict", model, "new.csv", "--out", "p.parquet", "--proba")
    assert code == 0
    assert "200" in out
    written, rows = pd.read_parquet("p.parquet"), pd.read_csv("new.csv")
    loaded = library.load(model)
    X = rows.drop(columns="patient")
    assert written["patient"].tolist() == rows["patient"].tolist()
    assert written["prediction"].tolist() == loaded.predict(X).tolist()
    np.testing.assert_array_equal(written[["p_no", "p_yes"]].to_numpy(), loaded.predict_proba(X))


def test_columns_are_matched_by_name(model, acclimate):
    rows = pd.read_csv("new.csv")
    rows[rows.columns[::-1]].assign(more=1).to_csv("turned.csv", index=False)
    for name in ("new", "turned"):
        assert acclimate("predict", model, f"{name}.csv", "--out", f"p-{name}.csv")[0] == 0
    assert Path("p-new.csv").read_bytes() == Path("p-turned.csv").read_bytes()


def test_rows_of_the_source_are_predicted_as_such(model, acclimate):
    acclimate("predict", model, "new.csv", "--out", "p.csv", "--domain", "source", "--proba")
    X = pd.read_csv("new.csv").drop(columns="patient")
    written = pd.read_csv("p.csv")[["p_no", "p_yes"]].to_numpy()
    loaded = library.load(model)
    np.testing.assert_allclose(written, loaded.predict_proba(X, domain="source"), atol=1e-9)
    assert np.abs(written - loaded.predict_proba(X)).max() > 0.01


def test_adapting_a_saved_model_equals_fitting_with_the_target(model, acclimate, shelf):
    common = ("--label", "sick", "--id", "patient", "--no-estimate")
    acclimate("fit", "here.csv", *common, "--out", "here.acclimate")
    Path("here.csv").unlink()  # the source stays with its owner
    code, out, err = acclimate("adapt", "here.acclimate", "there.csv", "--method", "FineTune",
                               "--out", "again.acclimate")  # fmt: skip
    assert (code, err) == (0, "")
    assert "30 labelled of 300 rows" in out
    X = pd.read_csv("new.csv").drop(columns="patient")
    one, two = library.load(model), library.load("again.acclimate")
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


def test_evaluate_judges_against_the_source_model(model, acclimate):
    code, out, _ = acclimate("evaluate", model, "test.csv", "--json")
    assert code == 0
    found = json.loads(out)
    truth = pd.read_csv("test.csv")
    right = library.load(model).predict(truth.drop(columns=["patient", "sick"])) == truth["sick"]
    assert found["score"] == pytest.approx(right.mean())
    assert found["low"] < found["score"] < found["high"]
    assert found["against"]["reference"] == "its own source model"
    assert found["against"]["word"] in (
        "helps", "hurts", "makes no difference", "not settled",
    )  # fmt: skip
    assert {row["class"]: row["rows"] for row in found["recall"]} == truth[
        "sick"
    ].value_counts().to_dict()
    _, words, _ = acclimate("evaluate", model, "test.csv")
    assert f"{100 * right.mean():.1f} %" in words


def test_evaluate_says_what_classes_are_taken_for_and_which_columns_matter(model, acclimate):
    _, out, _ = acclimate("evaluate", model, "test.csv", "--importance", "--json")
    found, truth = json.loads(out), pd.read_csv("test.csv")
    X = truth.drop(columns=["patient", "sick"])
    loaded = library.load(model)
    said = pd.crosstab(truth["sick"], loaded.predict(X))
    for row in found["recall"]:
        counts = said.loc[row["class"]]
        assert row["said"] == counts[counts > 0].to_dict()
    columns = {row["column"]: row for row in found["importance"]}
    assert set(columns) == set(X.columns)
    falls = [row["fall"] for row in found["importance"]]
    assert falls == sorted(falls, reverse=True)
    top, shuffled = found["importance"][0], X.copy()
    shuffled[top["column"]] = np.roll(X[top["column"]].to_numpy(), 7)
    fall = loaded.score(X, truth["sick"]) - loaded.score(shuffled, truth["sick"])
    assert top["fall"] == pytest.approx(fall, abs=0.1)
    assert all(row["reference_fall"] is not None for row in found["importance"])
    _, words, _ = acclimate("evaluate", model, "test.csv", "--importance")
    assert "Fall of the score where a column is shuffled, in points of accuracy" in words
    assert "taken for" in words
    acclimate("evaluate", model, "test.csv", "--importance", "--report", "one.html")
    page = Path("one.html").read_text(encoding="utf-8").split('id="importance-title"')[1]
    places = [page.index(f'<th scope="row">{row["column"]}</th>') for row in found["importance"]]
    assert places == sorted(places)
    assert f"{100 * top['fall']:+.1f} ±" in page.split("</tr>")[1]
    assert "importance" not in json.loads(acclimate("evaluate", model, "test.csv", "--json")[1])


def test_evaluate_tells_the_rows_that_both_models_miss(model, acclimate):
    code, out, _ = acclimate("evaluate", model, "test.csv", "--answers", "--json")
    assert code == 0
    found, truth = json.loads(out)["answers"], pd.read_csv("test.csv")
    X, loaded = truth.drop(columns=["patient", "sick"]), library.load(model)
    proba = loaded.predict_proba(X)[:, list(loaded.classes_).index(found["positive"])]
    yes = truth["sick"] == found["positive"]
    assert found["sides"][0]["auc"] == pytest.approx(roc_auc_score(yes, proba))
    said = pd.crosstab(truth["sick"], loaded.predict(X))
    np.testing.assert_array_equal(found["sides"][0]["confusion"], said)
    missed = found["missed"]
    rows = truth.iloc[missed["positions"]]
    assert missed["ids"] == rows["patient"].tolist()
    assert missed["truth"] == rows["sick"].tolist()
    assert missed["said"] == loaded.predict(X).take(missed["positions"]).tolist()
    assert len(missed["said"]) == min(missed["rows"], 20)
    assert all(a != b and a != c for a, b, c in zip(
        missed["truth"], missed["said"], missed["reference_said"], strict=True
    ))  # fmt: skip
    _, words, _ = acclimate("evaluate", model, "test.csv", "--answers")
    assert f"Rows that both miss ({missed['rows']}), by patient:" in words
    # without something to compare with: those of the model alone
    common = ("--label", "sick", "--id", "patient", "--no-estimate")
    acclimate("fit", "here.csv", *common, "--method", "SourceOnly", "--out", "one.acclimate")
    half = truth.assign(sick=truth["sick"].where(truth.index % 2 == 1))
    half.loc[5, "sick"] = "perhaps"
    half.to_csv("half.csv", index=False)
    _, words, _ = acclimate("evaluate", "one.acclimate", "half.csv", "--answers")
    assert "Rows that it misses" in words
    _, out, _ = acclimate("evaluate", "one.acclimate", "half.csv", "--answers", "--json")
    alone = json.loads(out)["answers"]["missed"]
    assert all(position % 2 for position in alone["positions"]), "by their place in the file"
    assert 5 not in alone["positions"]
    assert alone["ids"] == truth["patient"].iloc[alone["positions"]].tolist()
    assert alone["reference_said"] == []


def test_evaluate_notices_the_rows_it_was_trained_on(model, acclimate):
    _, out, _ = acclimate("evaluate", model, "there.csv")
    assert "Careful" in out
    assert "Careful" not in acclimate("evaluate", model, "test.csv")[1]


def test_evaluate_against_a_model_of_the_target_alone(model, acclimate):
    acclimate("fit", "here.csv", "--target", "there.csv", "--label", "sick", "--id", "patient",
              "--method", "TargetOnly", "--no-estimate", "--out", "alone.acclimate")  # fmt: skip
    _, out, _ = acclimate("evaluate", model, "test.csv", "--against", "alone.acclimate", "--json")
    assert json.loads(out)["against"]["reference"] == "alone.acclimate"


def test_check_has_a_code_for_schedulers(model, acclimate):
    code, out, _ = acclimate("check", model, "next_month.parquet")
    assert code == 0
    assert "Holds" in out
    rows = pd.read_parquet("next_month.parquet")
    rows.assign(pressure=rows["pressure"] + 40).to_csv("moved.csv", index=False)
    code, out, _ = acclimate("check", model, "moved.csv")
    assert code == 3
    assert "pressure" in out
    rows.head(3).to_csv("few.csv", index=False)
    assert acclimate("check", model, "few.csv")[0] == 4
    rows.drop(columns="ward").to_csv("less.csv", index=False)
    code, out, _ = acclimate("check", model, "less.csv", "--json")
    assert code == 3
    assert json.loads(out)


def test_show_prints_the_card(model, acclimate):
    code, out, _ = acclimate("show", model)
    assert code == 0
    words = " ".join(out.split())
    for word in ("FineTune", "400 rows of here.csv", "300 rows of there.csv", "30 labelled", "no"):
        assert word in words
    assert json.loads(acclimate("show", model, "--json")[1])["label"] == "sick"


def test_fit_tells_what_it_found(shelf, acclimate):
    code, out, err = acclimate("fit", "here.csv", "--target", "there.csv", "--label", "sick",
                               "--id", "patient", "--out", "m.acclimate")  # fmt: skip
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    assert "400 labelled rows of here.csv" in words
    assert "source only" in words
    assert "target only" in words
    assert max(map(len, out.splitlines())) <= 80


def test_values_are_a_regression(shelf, acclimate):
    code, out, _ = acclimate("fit", "here.csv", "--target", "test.csv", "--label", "pressure",
                             "--id", "patient", "--drop", "sick",
                             "--out", "m.acclimate")  # fmt: skip
    assert code == 0
    assert "regression" in out
    code, out, _ = acclimate("evaluate", "m.acclimate", "test.csv", "--json")
    assert code == 0
    assert json.loads(out)["metric"] == "R2"


def test_a_method_without_target_labels(shelf, acclimate):
    pd.read_csv("there.csv").drop(columns="sick").to_csv("bare.csv", index=False)
    code, out, err = acclimate("fit", "here.csv", "--target", "bare.csv", "--label", "sick", "--id",
                               "patient", "--method", "CORAL", "--out", "m.acclimate")  # fmt: skip
    assert (code, err) == (0, "")
    assert "no label" in out
    assert acclimate("predict", "m.acclimate", "new.csv", "--out", "p.csv")[0] == 0


def test_a_network_for_tables_gets_categories_as_they_are(shelf, acclimate):
    rng = np.random.default_rng(0)
    for name, n in (("a", 120), ("b", 60)):
        ward, drug = rng.integers(0, 2, n), rng.integers(0, 2, n)
        rows = pd.DataFrame({
            "ward": np.array(["north", "south"])[ward], "drug": np.array(["old", "new"])[drug],
            "age": rng.normal(size=n), "day": pd.date_range("2020-01-01", periods=n),
            "sick": np.array(["no", "yes"])[ward ^ drug],
        })  # fmt: skip
        rows.loc[2, "age"] = np.nan
        rows.loc[3, "ward"] = "north" if name == "a" else "west"
        rows.to_csv(f"{name}.csv", index=False)
    code, _, err = acclimate("fit", "a.csv", "--label", "sick", "--estimator", "tabular", "--set",
                             "estimator__min_steps=600", "--out", "m.acclimate")  # fmt: skip
    assert (code, err) == (0, "")
    assert acclimate("predict", "m.acclimate", "b.csv", "--out", "p.csv")[0] == 0
    truth = pd.read_csv("b.csv")["sick"]
    assert (pd.read_csv("p.csv")["prediction"] == truth).mean() > 0.9
    model = library.load("m.acclimate").source_model_
    sizes = {model.columns_.names[place]: size for place, size in model.columns_.sizes.items()}
    assert sizes == {"ward": 3, "drug": 3}


def test_settings_reach_the_method_and_its_estimator(shelf, acclimate):
    code, _, err = acclimate("fit", "here.csv", "--label", "sick", "--id", "patient", "--set",
                             "estimator__C=0.5", "--out", "m.acclimate")  # fmt: skip
    assert (code, err) == (0, "")
    assert library.load("m.acclimate").estimator.C == 0.5


def test_pictures_in_folders(tmp_path, monkeypatch, acclimate):
    image = pytest.importorskip("PIL.Image")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for side in ("here", "there"):
        for name, level in (("dark", 60), ("light", 190)):
            folder = Path(side, name)
            folder.mkdir(parents=True)
            for k in range(12):
                pixels = rng.integers(level - 50, level + 50, (12, 12)).astype(np.uint8)
                image.fromarray(pixels).save(folder / f"{k}.png")
    code, out, err = acclimate("fit", "here", "--target", "there", "--estimator", "mlp", "--out",
                               "m.acclimate", "--set", "estimator__hidden=[8]", "--set",
                               "estimator__epochs=3",
                               "--set", "estimator__min_steps=50")  # fmt: skip
    assert (code, err) == (0, "")
    assert "dark" in out


def test_evaluate_scores_the_rest_where_a_label_is_unknown(model, acclimate):
    frame = pd.read_csv("test.csv")
    frame.loc[[3, 7], "sick"] = "unclear"
    frame.loc[[9], "sick"] = "?!"
    frame.to_csv("rare.csv", index=False)
    frame.drop(index=[3, 7, 9]).to_csv("rest.csv", index=False)
    code, out, _ = acclimate("evaluate", model, "rare.csv", "--json")
    found, rest = json.loads(out), json.loads(acclimate("evaluate", model, "rest.csv", "--json")[1])
    assert code == 0
    assert (found["rows"], found["score"]) == (497, rest["score"])
    assert found["unknown_labels"] == {"unclear": [4, 8], "?!": [10]}
    words = " ".join(acclimate("evaluate", model, "rare.csv")[1].split())
    assert "Not scored: 2 rows of the class 'unclear', which the model does not know" in words
    assert "(row 4, 8)" in words
    frame["sick"] = "odd"
    frame.to_csv("odd.csv", index=False)
    code, _, err = acclimate("evaluate", model, "odd.csv")
    assert code == 2
    assert "unknown label 'odd'" in err


def test_adapt_without_labels_says_which_methods_can_and_how(shelf, acclimate):
    fit = ["fit", "here.csv", "--label", "sick", "--id", "patient", "--no-estimate"]
    assert acclimate(*fit, "--method", "JointObjective", "--out", "m")[0] == 0
    code, _, err = acclimate("adapt", "m", "new.csv", "--out", "a")
    words = " ".join(err.split())
    assert code == 2
    assert "acclimate label new.csv --label sick --id patient --out SHEET.csv" in words
    assert "--target new.csv --method NAME, with one of" in words
    assert "CORAL" in words
    assert "then acclimate adapt MODEL new.csv, with one of" in words
    assert "SHOT" in words


def test_evaluate_says_that_a_model_is_the_one_it_is_held_against(model, acclimate):
    _, out, _ = acclimate("evaluate", model, "test.csv", "--against", model)
    words = " ".join(out.split())
    assert "The model there.acclimate and there.acclimate are the same model" in words
    _, out, _ = acclimate("evaluate", model, "test.csv", "--against", model, "--json")
    assert json.loads(out)["against"]["word"] == "the same model"


def test_evaluate_names_both_sides(model, acclimate):
    _, out, _ = acclimate("evaluate", model, "test.csv")
    words = " ".join(out.split())
    said = words.split(" yes ", 1)[1]
    assert "he model there.acclimate" in said
    assert "its own source model" in said


def test_show_says_who_is_in_a_committee(shelf, acclimate):
    code, out, _ = acclimate("fit", "here.csv", "--label", "sick", "--id", "patient",
                             "--method", "FineTune", "--out", "one.acclimate")  # fmt: skip
    assert code == 0
    assert "FineTune on LogisticRegression" in " ".join(out.split())
    X = pd.read_csv("here.csv").drop(columns=["patient", "ward"]).fillna(0.0)
    y = X.pop("sick")
    both = library.Committee(
        [("the first", library.SourceOnly()), ("the second", library.TargetOnly())], weights=[1, 3]
    )
    there = pd.read_csv("test.csv").head(50).fillna(0.0)
    there.to_csv("few.csv", index=False)
    X.assign(sick=y).to_csv("plain.csv", index=False)
    both.fit(X, y).save("both.acclimate")
    for arguments in (
        ("show", "both.acclimate"),
        ("adapt", "both.acclimate", "few.csv", "--label", "sick", "--out", "two.acclimate"),
        ("show", "two.acclimate"),
    ):
        code, out, err = acclimate(*arguments)
        assert code == 0, err
        assert "Committee of the second 75 % and the first 25 %" in " ".join(out.split())
        assert "Voices" not in out


def test_a_column_that_the_other_model_does_not_read_has_no_importance_there(model, acclimate):
    first = pd.read_csv("here.csv").drop(columns=["patient", "sick"]).columns[0]
    acclimate("fit", "here.csv", "--label", "sick", "--id", "patient", "--drop", first,
              "--method", "SourceOnly", "--no-estimate", "--out", "less.acclimate")  # fmt: skip
    code, out, _ = acclimate(
        "evaluate", model, "test.csv", "--against", "less.acclimate", "--importance", "--json"
    )
    assert code == 0
    rows = {row["column"]: row["reference_fall"] for row in json.loads(out)["importance"]}
    assert rows[first] == 0
    assert max(map(abs, rows.values())) > 0


def test_adapt_takes_what_does_best_on_the_labels_and_says_so(shelf, acclimate):
    acclimate("fit", "here.csv", "--label", "sick", "--id", "patient", "--out", "here.acclimate")
    code, out, err = acclimate("adapt", "here.acclimate", "there.csv", "--out", "a.acclimate")
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    assert "least log loss in 5-fold cross-validation, 3 times on 30 target labels (" in words
    tried = words.split("target labels (")[1].split(")")[0].split(", ")
    names, losses = zip(*(one.rsplit(" ", 1) for one in tried), strict=True)
    assert set(names) == {
        "the source model as it is", "FineTune", "ParameterTransfer", "SourcePrediction",
        "Interpolation", "TargetOnly",
    }  # fmt: skip
    assert sorted(map(float, losses)) == list(map(float, losses))
    assert f"choice {names[0]}: least log loss" in words
    shown = " ".join(acclimate("show", "a.acclimate")[1].split())
    assert f"choice {names[0]}: least log loss" in shown
    taken = type(library.load("a.acclimate")).__name__
    assert taken == ("FineTune" if names[0] == "the source model as it is" else names[0])


def test_adapt_to_what_is_no_other_leaves_the_source_model_as_it_is(shelf, acclimate):
    """Labels of the source's own rows: nothing that learns from ten of them is better."""
    acclimate("fit", "here.csv", "--label", "sick", "--id", "patient", "--out", "here.acclimate")
    few = pd.read_csv("here.csv").head(10)
    few.to_csv("same.csv", index=False)
    code, out, err = acclimate("adapt", "here.acclimate", "same.csv", "--out", "a.acclimate")
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    assert "target nothing: the source model as it is" in words
    one, two = library.load("here.acclimate"), library.load("a.acclimate")
    X = pd.read_csv("new.csv").drop(columns="patient")
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    _, out, _ = acclimate("evaluate", "a.acclimate", "test.csv", "--against", "here.acclimate")
    assert "are the same model: there is nothing to compare" in " ".join(out.split())


def test_adapt_with_a_method_of_its_own(shelf, acclimate):
    common = ("--label", "sick", "--id", "patient", "--no-estimate")
    acclimate("fit", "here.csv", *common, "--out", "here.acclimate")
    acclimate("fit", "here.csv", *common, "--target", "there.csv", "--method", "TargetOnly",
              "--out", "alone.acclimate")  # fmt: skip
    arguments = ("adapt", "here.acclimate", "there.csv", "--out", "a.acclimate", "--method")
    code, out, err = acclimate(*arguments, "TargetOnly")
    assert (code, err) == (0, "")
    assert "choice" not in out
    X = pd.read_csv("new.csv").drop(columns="patient")
    one, two = library.load("alone.acclimate"), library.load("a.acclimate")
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    code, _, err = acclimate(*arguments, "CORAL")
    assert code == 2
    assert "CORAL needs the source rows to adapt" in " ".join(err.split())
    code, _, err = acclimate(*arguments, "FineTun")
    assert code == 2
    assert "FineTune" in err


def test_adapt_with_settings_does_what_the_file_says(shelf, acclimate):
    acclimate("fit", "here.csv", "--label", "sick", "--id", "patient", "--out", "here.acclimate")
    code, out, _ = acclimate("adapt", "here.acclimate", "there.csv", "--out", "a.acclimate",
                             "--set", "strength=0.5")  # fmt: skip
    assert code == 0
    assert "choice" not in out
    assert "30 labelled" in out
