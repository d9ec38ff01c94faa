"""What is built without skops is what skops builds, and skops is asked about all else."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from skops import io as skops_io

from acclimate.persistence import direct, foreign
from acclimate.persistence.sklearn_types import PLAIN, TRUSTED

GOLDEN = Path(__file__).resolve().parent / "golden"
X = np.random.default_rng(0).normal(size=(40, 3))
Y = np.where(X[:, 0] > 0, "ill", "well")
WORDS = np.array([["a", 1.0], ["b", 2.5], [None, 1.0]] * 10, dtype=object)

MODELS = {
    "logistic": LogisticRegression().fit(X, Y),
    "weights by class": LogisticRegression(class_weight={0: 1.0, 1: 2.5}).fit(X, X[:, 0] > 0),
    "float32": Ridge(alpha=np.float64(0.5)).fit(X.astype(np.float32), X[:, 1]),
    "pipeline": make_pipeline(SimpleImputer(), StandardScaler(), Ridge()).fit(X, X[:, 1]),
    "categories": OneHotEncoder(handle_unknown="ignore", dtype=np.float32).fit(WORDS),
    "not fitted": LogisticRegression(C=float("inf")),
}


def opened(data):
    archive = zipfile.ZipFile(io.BytesIO(data))
    return json.loads(archive.read("schema.json")), archive


def golden(name):
    with zipfile.ZipFile(GOLDEN / f"{name}.acclimate") as archive:
        return archive.read("estimators.skops")


@pytest.mark.filterwarnings("ignore:Trying to unpickle")  # the lowest scikit-learn is older
@pytest.mark.parametrize("name", ["coral", "jda", "linear"])
def test_golden_files_are_built_as_skops_builds_them(name):
    data = golden(name)
    made = direct.build(*opened(data))
    wanted = skops_io.loads(data, trusted=list(TRUSTED))
    assert made is not None
    assert foreign.dump(made) == foreign.dump(wanted)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_models_are_built_as_skops_builds_them(model):
    data = foreign.dump([model, {"again": model}])
    made = direct.build(*opened(data))
    assert made is not None
    assert made[0] is made[1]["again"]
    assert foreign.dump(made) == data
    assert foreign.dump(skops_io.loads(data, trusted=list(TRUSTED))) == data


@pytest.mark.parametrize("model", [
    RandomForestClassifier(2).fit(X, Y), KNeighborsClassifier(algorithm="brute").fit(X, Y),
    ColumnTransformer([("a", StandardScaler(), slice(0, 2))]).fit(X), {1, 2}, np.log1p, b"bytes",
], ids=lambda model: type(model).__name__)  # fmt: skip
def test_other_parts_are_left_to_skops(model):
    assert direct.build(*opened(skops_io.dumps([model]))) is None


def test_no_type_is_built_that_skops_does_not_trust():
    from skops.io._trusted_types import SKLEARN_ESTIMATOR_TYPE_NAMES

    shown = [name for name in SKLEARN_ESTIMATOR_TYPE_NAMES if direct.find(name) is not None]
    last = {name.rpartition(".")[2] for name in shown}
    assert {"LogisticRegression", "Ridge", "Pipeline", "OneHotEncoder"} <= last
    assert last <= PLAIN | {"OneHotEncoder"}


@pytest.mark.parametrize("name", [
    "sklearn.linear_model.LogisticRegression", "sklearn.linear_model._ridge.LogisticRegression",
    "sklearn.linear_model.tests.test_ridge.Ridge", "sklearn.linear_model._ridge.__init__",
    "sklearn.tree._tree.Tree", "sklearn.conftest.Ridge", "os.system", "sklearn..Ridge",
    "sklearn.linear_model", "sklearn", "",
])  # fmt: skip
def test_names_that_lead_elsewhere_are_not_found(name):
    assert direct.find(name) is None


def changed(change):
    """Return the parts of a file whose first estimator's node was changed."""
    schema, archive = opened(foreign.dump([MODELS["logistic"]]))
    change(schema["content"][0])
    return direct.build(schema, archive)


def test_what_is_not_as_skops_writes_it_is_left_to_skops():
    def itself(node):
        node["content"]["content"]["C"] = node

    changes = {
        "a loop": itself,
        "another loader": lambda node: node.update(__loader__="MethodNode"),
        "another class": lambda node: node.update({"__class__": "system", "__module__": "os"}),
        "a state that is a list": lambda node: node["content"].update(__loader__="ListNode"),
        "more keys than types": lambda node: node["content"]["key_types"]["content"].pop(),
        "a type of keys": lambda node: node["content"]["key_types"]["content"][0].update(
            {"__class__": "eval"}
        ),
        "a number that is text": lambda node: node.update(__id__="1"),
        "a number that is none": lambda node: node.update(__id__=True),
        "no state": lambda node: node.pop("content"),
        "a list in a plain part": lambda node: node["content"]["content"]["C"].update(
            content="[[], []]"
        ),
        "no file": lambda node: node["content"]["content"]["coef_"].update(file="x.npy"),
        "a file that is none": lambda node: node["content"]["content"]["coef_"].update(
            file="schema.json"
        ),
    }
    for name, change in changes.items():
        assert changed(change) is None, name
    assert changed(lambda node: None) is not None


def test_nothing_is_built_before_all_is_looked_at(monkeypatch):
    made = []
    monkeypatch.setattr(
        LogisticRegression, "__setstate__", lambda self, state: made.append(state), raising=False
    )
    schema, archive = opened(skops_io.dumps([MODELS["logistic"], {1, 2}]))
    assert direct.build(schema, archive) is None
    assert made == []
    schema["content"].pop()
    assert direct.build(schema, archive) is not None
    assert len(made) == 1


@pytest.mark.slow
def test_a_linear_model_is_loaded_without_skops_and_torch():
    code = (
        "import sys, acclimate; "
        f"acclimate.load({str(GOLDEN / 'linear.acclimate')!r}); "
        "print([m for m in ('torch', 'skops.io', 'sklearn.ensemble') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
