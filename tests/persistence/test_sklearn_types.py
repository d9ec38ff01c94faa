"""Every estimator of scikit-learn: what is written is read and answers alike, or it is refused."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest
from sklearn import cluster, model_selection
from sklearn.base import is_regressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.utils import all_estimators

import acclimate
from acclimate import SourceOnly
from acclimate.exceptions import InputError
from acclimate.persistence.sklearn_types import CHECKED, PLAIN

NAMES = [name for name, _ in all_estimators()]
# neither a model nor a transformer of new rows, or compiled code whose arrays are not checked
REFUSED = (
    "AffinityPropagation", "AgglomerativeClustering", "BayesianGaussianMixture", "Birch",
    "BisectingKMeans", "ClassicalMDS", "DBSCAN", "EllipticEnvelope", "EmpiricalCovariance",
    "FeatureAgglomeration", "GaussianMixture", "GraphicalLasso", "GraphicalLassoCV", "HDBSCAN",
    "IsolationForest", "KernelDensity", "LedoitWolf", "LocalOutlierFactor", "MDS", "MeanShift",
    "MinCovDet", "OAS", "OPTICS", "SGDOneClassSVM", "ShrunkCovariance", "SpectralBiclustering",
    "SpectralClustering", "SpectralCoclustering", "SpectralEmbedding", "TSNE",
    "TunedThresholdClassifierCV",
)  # fmt: skip
SETTINGS = {
    "CCA": {"n_components": 1},
    "DictVectorizer": {},
    "GaussianRandomProjection": {"n_components": 2},
    "HistGradientBoostingClassifier": {"max_iter": 3},
    "HistGradientBoostingRegressor": {"max_iter": 3},
    "MissingIndicator": {"features": "all"},
    "OneHotEncoder": {"handle_unknown": "ignore", "min_frequency": 2, "drop": "first"},
    "PLSCanonical": {"n_components": 1},
    "PLSSVD": {"n_components": 1},
    "PatchExtractor": {"patch_size": (2, 2), "random_state": 0},
    "NearestNeighbors": {"n_neighbors": 2},
    "SparseRandomProjection": {"n_components": 2},
    "SplineTransformer": {"extrapolation": "periodic"},
}
GIVEN = {
    "base_estimator": LogisticRegression(),
    "dictionary": np.eye(4),
    "estimator": LogisticRegression(),
    "estimators": [("a", LogisticRegression()), ("b", KNeighborsClassifier())],
    "param_distributions": {"C": [1, 2]},
    "param_grid": {"C": [1, 2]},
    "steps": [("a", StandardScaler()), ("b", KNeighborsClassifier())],
    "transformer_list": [("a", StandardScaler()), ("b", cluster.KMeans(2))],
    "transformers": [("a", StandardScaler(), [0, 1])],
}


def rows():
    rng = np.random.default_rng(0)
    X = np.abs(rng.normal(size=(60, 4))).round(1)
    return X, (X[:, 0] > 0.7).astype(int), X @ np.arange(4.0)


def fitted(name):
    """Return a fitted estimator and the rows that it answers for."""
    cls = dict(all_estimators())[name]
    asked = inspect.signature(cls.__init__).parameters.values()
    settings = {p.name: GIVEN[p.name] for p in asked if p.default is p.empty and p.name in GIVEN}
    X, y, r = rows()
    words = [f"red {i % 3} green {i % 5} blue" for i in range(60)]
    shown = {
        "CountVectorizer": words, "TfidfVectorizer": words, "HashingVectorizer": words,
        "DictVectorizer": [{"a": i, w.split()[1]: 1} for i, w in enumerate(words)],
        "FeatureHasher": [{"a": i} for i in range(60)], "IsotonicRegression": X[:, 0],
        "KernelCenterer": X @ X.T, "LabelBinarizer": y, "LabelEncoder": y,
        "MultiLabelBinarizer": [(i % 3, i % 4) for i in range(60)],
        "PatchExtractor": X.reshape(15, 4, 4),
    }  # fmt: skip
    if name in ("StackingRegressor", "VotingRegressor"):
        settings["estimators"] = [("a", LinearRegression()), ("b", LinearRegression())]
    elif name in ("RegressorChain", "MultiOutputRegressor"):
        settings["estimator"] = LinearRegression()
    elif name == "FrozenEstimator":
        settings["estimator"] = LogisticRegression().fit(X, y)
    elif name == "SelfTrainingClassifier":
        settings["estimator"] = LogisticRegression()
    estimator = cls(**{**settings, **SETTINGS.get(name, {})})
    goal = r if is_regressor(estimator) else y
    if name.startswith(("MultiOutput", "MultiTask")) or name.endswith("Chain"):
        goal = np.column_stack([goal, goal])
    data = shown.get(name, X)
    asked = inspect.signature(estimator.fit).parameters
    given = (data, goal) if {"y", "Y"} & set(asked) else (data,)
    if name in ("LabelBinarizer", "LabelEncoder", "MultiLabelBinarizer"):
        given = (data,)
    return estimator.fit(*given), data


def answers(estimator, data):
    found = []
    for name in ("predict", "predict_proba", "decision_function", "transform"):
        if hasattr(estimator, name):
            given = getattr(estimator, name)(data)
            found.append(given.toarray() if hasattr(given, "toarray") else np.asarray(given))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_what_is_written_is_read_and_answers_alike(name, tmp_path):
    estimator, data = fitted(name)
    model = SourceOnly()
    model.held_ = estimator
    if name in REFUSED:
        with pytest.raises(
            InputError, match=r"held_.*(no model file may|a model file cannot) hold"
        ):
            model.save(tmp_path / "m")
        assert not list(tmp_path.iterdir())
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = acclimate.load(model.save(tmp_path / "m"))
    given, wanted = answers(loaded.held_, data), answers(estimator, data)
    assert given or name == "NearestNeighbors"
    for left, right in zip(given, wanted, strict=True):
        if right.dtype.kind == "f":  # a kernel of strided rows adds up in another order
            np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-12)
        else:
            np.testing.assert_array_equal(left, right)


NEWER = {"ClassicalMDS"}  # than the lowest scikit-learn


def test_each_estimator_is_decided_on():
    assert not PLAIN & CHECKED
    assert not (PLAIN | CHECKED) & set(REFUSED)
    assert set(NAMES) <= PLAIN | CHECKED | set(REFUSED)
    assert set(REFUSED) - NEWER <= set(NAMES)


@pytest.mark.parametrize(
    "estimator",
    [
        KNeighborsClassifier(3, algorithm="ball_tree", metric="manhattan"),
        KNeighborsClassifier(3, algorithm="kd_tree", metric="minkowski", p=3),
        KNeighborsClassifier(3, algorithm="brute", metric="cosine"),
        KNeighborsClassifier(3, metric="seuclidean", metric_params={"V": np.arange(1.0, 5.0)}),
        SVC(kernel="poly", degree=2), SVC(decision_function_shape="ovo"),
        model_selection.GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [1, 3]}, cv=2),
        FunctionTransformer(np.log1p),
    ],
    ids=str,
)  # fmt: skip
def test_settings_that_change_what_is_held(estimator, tmp_path):
    X, y, _ = rows()
    y = y + (X[:, 1] > 1)
    model = SourceOnly()
    model.held_ = estimator.fit(X, y)
    loaded = acclimate.load(model.save(tmp_path / "m"))
    for left, right in zip(answers(loaded.held_, X), answers(estimator, X), strict=True):
        np.testing.assert_array_equal(left, right)


def test_sparse_rows_are_read(tmp_path):
    from scipy import sparse

    X, y, _ = rows()
    for estimator in (SVC(), KNeighborsClassifier(), LogisticRegression()):
        model = SourceOnly()
        model.held_ = estimator.fit(sparse.csr_matrix(X), y)
        loaded = acclimate.load(model.save(tmp_path / "m"))
        np.testing.assert_array_equal(
            loaded.held_.predict(sparse.csr_matrix(X)), estimator.predict(sparse.csr_matrix(X))
        )
