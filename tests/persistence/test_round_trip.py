"""What is loaded is what was saved: predictions and adaptation to the bit."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC
from torch import nn

import acclimate
from acclimate import (
    Domain,
    FineTune,
    NeuralClassifier,
    NeuralRegressor,
    SourceOnly,
    TargetOnly,
)
from acclimate.exceptions import (
    AcclimateError,
    DomainTypeError,
    InputError,
    IntegrityError,
    TransferWarning,
)
from acclimate.persistence import read_card

QUICK = {"hidden": (8,), "epochs": 1, "min_steps": 20}


class Net(nn.Module):
    """A user's own network."""

    def __init__(self, width: int = 6) -> None:
        super().__init__()
        self.first = nn.Linear(4, width)
        self.norm = nn.BatchNorm1d(width)
        self.out = nn.Linear(width, 2)

    def forward(self, x):
        return self.out(torch.relu(self.norm(self.first(x))))


def layers() -> nn.Module:
    return nn.Sequential(
        nn.Linear(4, 6), nn.BatchNorm1d(6), nn.GELU("tanh"), nn.Dropout(0.1), nn.Linear(6, 2)
    )


CLASSIFIERS = {
    "logistic": LogisticRegression(),
    "linear svm": LinearSVC(),
    "svm": SVC(),
    "network": NeuralClassifier(**QUICK),
    "own layers": NeuralClassifier(layers(), **QUICK),
}
SHALLOW = {
    "forest": RandomForestClassifier(5, random_state=0),
    "boosting": GradientBoostingClassifier(n_estimators=5),
    "histograms": HistGradientBoostingClassifier(max_iter=5),
    "pipeline": make_pipeline(SimpleImputer(), StandardScaler(), NeuralClassifier(**QUICK)),
}
REGRESSORS = {
    "linear": LinearRegression(),
    "ridge": Ridge(),
    "svr": SVR(),
    "network": NeuralRegressor(**QUICK),
}


def answers(model, X):
    """Return all that a model says about rows, both domains."""
    names = ("predict", "predict_proba", "decision_function")
    return [
        getattr(model, name)(X, domain=side)
        for name in names
        if hasattr(model, name)
        for side in ("source", "target")
    ]


def assert_same(a, b):
    assert len(a) == len(b)
    for left, right in zip(a, b, strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)


def check(model, toy, folder, other, **given):
    path = model.save(folder / "m.acclimate")
    loaded = acclimate.load(path, **given)
    assert type(loaded) is type(model)
    assert_same(answers(loaded, toy.Xt), answers(model, toy.Xt))
    assert loaded._source is None
    assert loaded.seed_ == model.seed_
    assert loaded.adapted_ == model.adapted_
    assert loaded.target_name_ == model.target_name_
    assert repr(loaded) == repr(model)
    assert clone(loaded).get_params().keys() == model.get_params().keys()
    model.adapt(other)
    loaded.adapt(other)
    assert_same(answers(loaded, toy.Xt), answers(model, toy.Xt))
    return loaded


@pytest.mark.parametrize("method", [SourceOnly, TargetOnly, FineTune])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_answer_and_adapt_the_same(toy, tmp_path, method, name):
    model = method(CLASSIFIERS[name], preprocess=StandardScaler(), random_state=0)
    model.fit(toy.X, toy.y, target=Domain(toy.Xt[:30], toy.yt[:30], name="ward B"))
    check(model, toy, tmp_path, Domain(toy.Xt[20:], toy.yt[20:]))


@pytest.mark.parametrize("name", SHALLOW)
def test_trees_and_nested_networks_answer_the_same(toy, tmp_path, name):
    model = TargetOnly(SHALLOW[name], random_state=0).fit(toy.X, toy.y)
    check(model, toy, tmp_path, Domain(toy.Xt, toy.yt))


@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors_answer_and_adapt_the_same(toy, tmp_path, name):
    model = FineTune(REGRESSORS[name], random_state=0).fit(
        toy.X, toy.r, target=Domain(toy.Xt[:30], toy.rt[:30])
    )
    check(model, toy, tmp_path, Domain(toy.Xt[20:], toy.rt[20:]))


def test_images_keep_the_order_in_memory(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 12, 12)).astype(np.float32), np.arange(40) % 2
    base = NeuralClassifier("cnn", **QUICK, precision="float32")
    model = FineTune(base, random_state=0).fit(X, y, target=Domain(X[:10], y[:10]))
    loaded = acclimate.load(model.save(tmp_path / "m"))
    assert_same(answers(loaded, X), answers(model, X))
    mine = model.target_model_.network_.state_dict()
    its = loaded.target_model_.network_.state_dict()
    assert {n: (w.stride(), w.dtype) for n, w in mine.items()} == {
        n: (w.stride(), w.dtype) for n, w in its.items()
    }
    assert all(torch.equal(mine[n], its[n]) for n in mine)


def test_renamed_classes_and_learned_attributes_survive(toy, tmp_path):
    y, yt = (toy.y == "ill").astype(int), np.where(toy.yt == "ill", 5, 9)
    model = FineTune(LogisticRegression(), random_state=0).fit(
        toy.X, y, class_names=["healthy", "sick"],
        target=Domain(toy.Xt, yt, class_names={5: "sick", 9: "healthy"}),
    )  # fmt: skip
    loaded = acclimate.load(model.save(tmp_path / "m"))
    assert_same(answers(loaded, toy.Xt), answers(model, toy.Xt))
    assert loaded.source_class_names_ == {0: "healthy", 1: "sick"}
    assert loaded.copied_head_ is True
    np.testing.assert_array_equal(loaded.classes_, [5, 9])
    assert loaded.trained_on_ == model.trained_on_
    assert loaded.trained_on_["source"]["rows"] == 120
    assert loaded.trained_on_["target"]["labelled"] == 60


def test_classes_that_are_objects_and_shared_survive(toy, tmp_path):
    """Labels of a data frame make `classes_` an array of objects, which two models share."""
    d = toy
    y, yt = (np.asarray(labels).astype(str).astype(object) for labels in (d.y, d.yt))
    model = FineTune(LogisticRegression(), head="copy").fit(d.X, y, target=Domain(d.Xt, yt))
    loaded = acclimate.load(model.save(tmp_path / "m.acclimate"))
    np.testing.assert_array_equal(loaded.predict_proba(d.Xt), model.predict_proba(d.Xt))
    assert loaded.predict(d.Xt).tolist() == model.predict(d.Xt).tolist()


def test_history_and_mixed_columns_survive(toy, tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": toy.X[:, 0], "b": np.where(toy.X[:, 1] > 0, "x", "y")})
    prepare = ColumnTransformer(
        [("n", SimpleImputer(), ["a"]), ("c", OneHotEncoder(sparse_output=False), ["b"])]
    )
    model = SourceOnly(NeuralClassifier(**QUICK), preprocess=prepare, random_state=0)
    model.fit(frame, toy.y)
    loaded = acclimate.load(model.save(tmp_path / "m"))
    assert_same([loaded.predict_proba(frame[["b", "a"]])], [model.predict_proba(frame)])
    np.testing.assert_array_equal(loaded.feature_names_in_, ["a", "b"])
    history = loaded.source_model_.history_
    assert history == model.source_model_.history_
    assert history.epochs


def test_no_source_row_is_in_the_file(toy, tmp_path):
    secret = np.full((4, 4), 0.123456789) + np.eye(4)
    X = np.vstack([toy.X, secret])
    y = np.concatenate([toy.y, ["ill", "well", "ill", "well"]])
    model = SourceOnly(LogisticRegression()).fit(X, y)
    model._source = acclimate.validation.Rows(X, y)
    data = model.save(tmp_path / "m").read_bytes()
    assert secret[0].tobytes() not in data
    model.rows_ = model._source
    with pytest.raises(InputError, match="rows_ holds rows"):
        model.save(tmp_path / "m")


def test_a_method_that_needs_source_rows_says_so_after_loading(toy, tmp_path, monkeypatch):
    from acclimate import catalogue

    model = SourceOnly(LogisticRegression()).fit(toy.X, toy.y)
    loaded = acclimate.load(model.save(tmp_path / "m"))
    import dataclasses

    row = dataclasses.replace(catalogue.find("SourceOnly"), needs_source=True)
    monkeypatch.setattr(SourceOnly, "_row", classmethod(lambda cls: row))
    with pytest.raises(AcclimateError, match="needs the source rows"):
        loaded.adapt(Domain(toy.Xt))


def test_an_unfitted_method_keeps_its_settings(tmp_path):
    model = FineTune(NeuralClassifier(hidden=(3, 2)), strength=0.5, random_state=7)
    loaded = acclimate.load(acclimate.save(model, tmp_path / "m"))
    assert loaded.get_params(deep=False).keys() == model.get_params(deep=False).keys()
    assert loaded.estimator.hidden == (3, 2)
    assert isinstance(loaded.estimator.hidden, tuple)
    assert loaded.strength == 0.5


def test_random_states_and_odd_values_survive(tmp_path):
    model = SourceOnly(LogisticRegression(), random_state=np.random.RandomState(3))
    model.odd_ = {
        1: (1, [2.5, float("inf")]), (2, "b"): {3, 4}, "n": float("nan"), None: frozenset({"x"}),
        "scalar": np.float32(0.1), "text": np.str_("é"), "empty": np.zeros((0, 3)),
        "f": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "o": np.array(["a", None], object),
        "t": torch.arange(3, dtype=torch.bfloat16), "d": torch.float32, "big": 10**30,
        "zero": np.array([-0.0]), "plus": np.array([0.0]),
    }  # fmt: skip
    model.same_ = model.odd_["f"]
    loaded = acclimate.load(model.save(tmp_path / "m"))
    odd = loaded.odd_
    assert odd[1] == (1, [2.5, float("inf")])
    assert odd[2, "b"] == {3, 4}
    assert np.isnan(odd["n"])
    assert odd[None] == frozenset({"x"})
    assert odd["scalar"] == np.float32(0.1)
    assert type(odd["scalar"]) is np.float32
    assert odd["text"] == "é"
    assert odd["empty"].shape == (0, 3)
    assert odd["f"].flags.f_contiguous
    np.testing.assert_array_equal(odd["f"], np.arange(6.0).reshape(2, 3))
    assert odd["o"].tolist() == ["a", None]
    assert torch.equal(odd["t"], torch.arange(3, dtype=torch.bfloat16))
    assert odd["d"] is torch.float32
    assert odd["big"] == 10**30
    assert np.signbit(odd["zero"][0])
    assert not np.signbit(odd["plus"][0])
    assert loaded.same_ is odd["f"]
    assert loaded.random_state.randint(1000) == np.random.RandomState(3).randint(1000)


@pytest.mark.parametrize("given", [Net, Net(), lambda: Net()])
def test_a_module_of_ones_own_is_given_to_load(toy, tmp_path, given):
    model = FineTune(NeuralClassifier(Net(), **QUICK), random_state=0)
    model.fit(toy.X, toy.y, target=Domain(toy.Xt[:30], toy.yt[:30]))
    path = model.save(tmp_path / "m")
    with pytest.raises(InputError, match=r"m.*Net' *, which is not acclimate.*modules="):
        acclimate.load(path)
    check(model, toy, tmp_path, Domain(toy.Xt, toy.yt), modules=[given])


def test_weights_that_do_not_fit_are_a_table(toy, tmp_path):
    model = SourceOnly(NeuralClassifier(Net(), **QUICK), random_state=0).fit(toy.X, toy.y)
    path = model.save(tmp_path / "m")
    with pytest.raises(IntegrityError, match=r"first.weight +skipped +shape \(6, 4\) in the file"):
        acclimate.load(path, modules=[Net(7)])
    with pytest.warns(TransferWarning) as seen:
        loaded = acclimate.load(path, modules=[Net(7)], partial=True)
    text = "\n".join(str(w.message) for w in seen)
    assert "out.bias                  loaded" in text
    assert "the head is new" in text
    its = loaded.estimator.network
    assert torch.equal(its.out.bias, model.estimator.network.out.bias)
    assert its.first.weight.shape == (7, 4)
    assert loaded.predict(toy.X).shape == (120,)


def test_frozen_weights_stay_frozen(toy, tmp_path):
    net = layers()
    net[0].weight.requires_grad_(False)
    model = SourceOnly(NeuralClassifier(net, **QUICK))
    loaded = acclimate.load(model.save(tmp_path / "m"))
    assert not loaded.estimator.network[0].weight.requires_grad
    assert loaded.estimator.network[0].bias.requires_grad


def local_kernel(a, b):
    return a @ b.T


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (SVC(kernel=lambda a, b: a @ b.T), "estimator.kernel"),
        (NeuralClassifier(lambda shape, k: layers()), "estimator.network"),
        (NeuralClassifier(local_kernel), "estimator.network"),
        (make_pipeline(StandardScaler(), SVC(kernel=lambda a, b: a @ b.T)), "kernel"),
    ],
)
def test_what_cannot_be_saved_is_named(tmp_path, estimator, name):
    with pytest.raises(InputError, match=rf"{name} is .*cannot hold.*Name it instead"):
        SourceOnly(estimator).save(tmp_path / "m")
    assert not list(tmp_path.iterdir())


def test_dates_and_foreign_models_are_refused(tmp_path):
    model = SourceOnly()
    model.when_ = np.array(["2020-01-01"], dtype="datetime64[D]")
    with pytest.raises(InputError, match=r"when_ is an array of datetime64"):
        model.save(tmp_path / "m")
    with pytest.raises(DomainTypeError, match="LogisticRegression"):
        acclimate.save(LogisticRegression(), tmp_path / "m")
    with pytest.raises(InputError, match=r"card\['x'\]"):
        SourceOnly().save(tmp_path / "m", card={"x": float("nan")})


def test_card_and_extras_travel(toy, tmp_path):
    model = FineTune(LogisticRegression()).fit(
        toy.X, toy.y, target=Domain(toy.Xt, toy.yt, name="ward B")
    )
    path = model.save(
        tmp_path / "new" / "m.acclimate", card={"scores": {"accuracy": 0.9}, "verdict": "helps"},
        extras={"drift": [1, 2.5, None]},
    )  # fmt: skip
    card = read_card(path)
    assert card["method"] == "FineTune"
    assert card["estimator"] == "LogisticRegression"
    assert card["trained_on"]["source"] == {
        "rows": 120, "features": 4, "classes": ["ill", "well"], "class_names": None,
    }  # fmt: skip
    assert card["trained_on"]["target"]["name"] == "ward B"
    assert card["verdict"] == "helps"
    assert card["scores"] == {"accuracy": 0.9}
    assert card["versions"]["numpy"] == np.__version__
    loaded = acclimate.load(path)
    assert loaded.card_ == card
    assert loaded.extras_ == {"drift": [1, 2.5, None]}


def test_another_process_without_data_answers_the_same(toy, tmp_path):
    """Another working folder, an empty environment, no source rows: predict, adapt, predict."""
    model = FineTune(NeuralClassifier(**QUICK), random_state=0).fit(toy.X, toy.y)
    path = model.save(tmp_path / "m.acclimate")
    away = tmp_path / "away"
    away.mkdir()
    np.savez(away / "rows.npz", X=toy.Xt, y=toy.yt)
    code = (
        "import sys, numpy as np, acclimate, torch; torch.set_num_threads(int(sys.argv[2]))\n"
        "r = np.load('rows.npz'); m = acclimate.load(sys.argv[1])\n"
        "a = m.predict_proba(r['X']); m.adapt(acclimate.Domain(r['X'], r['y']))\n"
        "np.savez('out.npz', a=a, b=m.predict_proba(r['X']))\n"
    )
    command = [sys.executable, "-c", code, str(path), str(torch.get_num_threads())]
    keep = {k: v for k, v in os.environ.items() if k in ("OMP_NUM_THREADS", "PYTHONPATH")}
    subprocess.run(command, cwd=away, env=keep, check=True)
    with np.load(away / "out.npz") as out:
        np.testing.assert_array_equal(out["a"], model.predict_proba(toy.Xt))
        model.adapt(Domain(toy.Xt, toy.yt))
        np.testing.assert_array_equal(out["b"], model.predict_proba(toy.Xt))


def test_expanded_and_transposed_tensors_keep_their_values(tmp_path):
    model = SourceOnly()
    model.a_ = torch.arange(3.0).expand(2, 3)
    model.b_ = torch.arange(6.0).reshape(2, 3).T
    model.c_ = torch.arange(10.0)[::2]
    loaded = acclimate.load(model.save(tmp_path / "m"))
    for name in ("a_", "b_", "c_"):
        assert torch.equal(getattr(loaded, name), getattr(model, name))
    assert loaded.b_.stride() == (1, 3)
