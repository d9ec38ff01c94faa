"""Whose rows are in a model file: found by looking, said, and refused where that is asked."""

from __future__ import annotations

import io
import json
import warnings
import zipfile

import numpy as np
import pytest
from sklearn.base import is_classifier, is_regressor
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.impute import KNNImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import all_estimators
from typer.testing import CliRunner

import acclimate
from acclimate import CORAL, TCA, Domain, NeuralClassifier, OTMapping, SourceOnly, TargetOnly
from acclimate.cli import app
from acclimate.exceptions import InputError, RowsWarning
from acclimate.persistence import held_by, read_card
from acclimate.persistence.held import words

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)
XT = RNG.normal(size=(40, 3)) + 0.5
YT = (XT[:, 0] > 0.5).astype(int)


def raw(path):
    """Return all bytes of a file, archives inside it opened."""
    with zipfile.ZipFile(path) as archive:
        parts = [archive.read(name) for name in archive.namelist()]
    for data in list(parts):
        if data[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(data)) as inner:
                parts += [inner.read(name) for name in inner.namelist()]
    return b"".join(parts)


def byte_for_byte(path, rows):
    data = raw(path)
    return sum(row.tobytes() in data for row in np.ascontiguousarray(rows))


def said(model, path):
    """Save and return what the warning says, None where there is none."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        model.save(path)
    texts = [str(w.message) for w in seen if issubclass(w.category, RowsWarning)]
    assert len(texts) <= 1
    return texts[0] if texts else None


@pytest.mark.parametrize(
    ("estimator", "keeps"),
    [
        (SVC(), True), (KNeighborsClassifier(), True), (GaussianProcessClassifier(), True),
        (make_pipeline(StandardScaler(), SVC()), True),
        (make_pipeline(StandardScaler(), KNeighborsClassifier()), True),
        (LogisticRegression(), False),
        (NeuralClassifier(hidden=(4,), epochs=1, min_steps=5), False),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("preprocess", [None, StandardScaler()], ids=["raw", "scaled"])
def test_rows_of_the_source_are_counted_said_and_refused(tmp_path, estimator, keeps, preprocess):
    model = SourceOnly(estimator, preprocess=preprocess, random_state=0).fit(X, Y)
    path = tmp_path / "m"
    text = said(model, path)
    Z = X if preprocess is None else model.preprocess_.transform(X)
    found = max(byte_for_byte(path, X), byte_for_byte(path, Z))
    held = held_by(model)
    assert read_card(path)["rows"] == held
    assert held.get("source", 0) >= found
    assert (text is not None) == keeps == bool(held)
    loaded = acclimate.load(path)
    assert held_by(loaded) == held
    if not keeps:
        assert found == 0
        model.save(path, rows="refuse")
        return
    assert words(held) in text
    assert "rows of the source" in text
    before = path.read_bytes()
    for each in (model, loaded):
        with pytest.raises(InputError, match=r"holds \d+ rows of the source, and rows='refuse'"):
            each.save(path, rows="refuse")
    assert path.read_bytes() == before


def test_exact_numbers_of_rows(tmp_path):
    svc = SourceOnly(SVC()).fit(X, Y)
    svc.save(tmp_path / "m")
    assert held_by(svc) == {"source": len(svc.source_model_.support_)}
    assert byte_for_byte(tmp_path / "m", X) == len(svc.source_model_.support_)
    near = TargetOnly(KNeighborsClassifier(2)).fit(X, Y, target=Domain(XT, YT))
    assert held_by(near) == {"source": 60, "target": 40}
    near.adapt(Domain(XT[:20], YT[:20]))
    assert held_by(near) == {"source": 60, "target": 20}
    imputer = SourceOnly(LogisticRegression(), preprocess=KNNImputer()).fit(X, Y)
    assert held_by(imputer) == {"source": 60}
    with pytest.raises(InputError, match="rows must be 'warn' or 'refuse'"):
        svc.save(tmp_path / "m", rows="no")


def test_maps_that_keep_rows_say_so(tmp_path):
    kernel = TCA(random_state=0).fit(X, Y, target=Domain(XT))
    assert held_by(kernel) == {"source": 60, "target": 40}
    moved = OTMapping(LogisticRegression()).fit(X, Y, target=Domain(XT))
    assert held_by(moved) == {"target": 40}  # moves are towards target rows
    assert held_by(CORAL(random_state=0).fit(X, Y, target=Domain(XT))) == {}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name, _ in all_estimators()])
def test_every_estimator_that_can_be_saved(name, tmp_path):
    try:
        estimator = dict(all_estimators())[name]()
        if is_classifier(estimator) or is_regressor(estimator):
            model = SourceOnly(estimator).fit(X, Y if is_classifier(estimator) else X @ np.ones(3))
        elif hasattr(estimator, "transform"):
            model = SourceOnly(LogisticRegression(), preprocess=estimator).fit(X, Y)
        else:
            pytest.skip("neither a model nor a transformer")
        model.save(tmp_path / "m")
    except (TypeError, ValueError, AttributeError) as error:
        pytest.skip(f"needs other data, or is not saved: {error}")
    found = byte_for_byte(tmp_path / "m", X)
    assert found <= held_by(model).get("source", 0)


def test_the_command_line_says_whose_rows_are_in_a_file(tmp_path):
    import pandas as pd

    names = [f"column {i}" for i in range(3)]
    here = pd.DataFrame(X, columns=names).assign(label=Y)
    here.to_csv(tmp_path / "here.csv", index=False)
    run = CliRunner().invoke
    pd.DataFrame(XT, columns=names).to_csv(tmp_path / "there.csv", index=False)
    out, other = str(tmp_path / "m.acclimate"), str(tmp_path / "other.acclimate")
    base = ["fit", str(tmp_path / "here.csv"), "--label", "label"]
    base += ["--target", str(tmp_path / "there.csv"), "--method"]
    done = run(app, [*base, "TCA", "--out", out])
    assert done.exit_code == 0, done.output
    said_once = " ".join(done.output.split())
    shown = " ".join(run(app, ["show", out]).output.split())
    card = json.loads(run(app, ["show", out, "--json"]).output)
    assert card["rows"] == {"source": 60, "target": 40}
    assert "holds 60 rows of the source and 40 rows of the target" in said_once
    assert "holds 60 rows of the source and 40 rows of the target" in shown
    done = run(app, [*base, "TCA", "--no-rows", "--out", other])
    assert isinstance(done.exception, InputError)
    assert not (tmp_path / "other.acclimate").exists()
    done = run(app, [*base, "CORAL", "--no-rows", "--out", other])
    assert done.exit_code == 0, done.output
    assert "rows of the source" not in done.output.split("Saved")[1].split("rows")[0]
    assert "holds no row" in " ".join(run(app, ["show", other]).output.split())
