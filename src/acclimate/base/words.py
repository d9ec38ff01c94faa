"""Base models by the words that people use for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from acclimate.exceptions import InputError
from acclimate.importing import on_use

Kind = tuple[str, str, Mapping[str, Any]]
_LINEAR, _SVM, _NEURAL = "sklearn.linear_model", "sklearn.svm", "acclimate.base.neural"
_SIZED, _PENALISED = "acclimate.base.sized", "acclimate.base.penalised"


def _both(module: str, name: str, settings: Mapping[str, Any] | None = None) -> dict[str, Kind]:
    """Return a pair of classes that are called alike."""
    more = settings or {}
    return {
        "classification": (module, f"{name}Classifier", more),
        "regression": (module, f"{name}Regressor", more),
    }


# By word, and then by task: module, class and settings.
MODELS: Mapping[str, Mapping[str, Kind]] = {
    "linear": _both(_PENALISED, "Linear"),
    "boosting": _both(_SIZED, "Boosting"),
    "trees": _both(_SIZED, "Extra"),
    "forest": _both(_SIZED, "Forest"),
    "logistic": {"classification": (_LINEAR, "LogisticRegression", {"max_iter": 1000})},
    "lda": {
        "classification": (
            "sklearn.discriminant_analysis",
            "LinearDiscriminantAnalysis",
            {"solver": "lsqr", "shrinkage": "auto"},
        ),
    },
    "ridge": {"regression": (_LINEAR, "Ridge", {})},
    "ols": {"regression": (_LINEAR, "LinearRegression", {})},
    "svm": {
        "classification": (_SVM, "LinearSVC", {"max_iter": 10000}),
        "regression": (_SVM, "LinearSVR", {"max_iter": 10000}),
    },
    "mlp": _both(_NEURAL, "Neural"),
    "tabular": _both(_NEURAL, "Neural", {"network": "tabular"}),
    "cnn": _both(_NEURAL, "Neural", {"network": "cnn"}),
    "mlp-norm": _both(_NEURAL, "Neural", {"network": "mlp-norm"}),
    "cnn-norm": _both(_NEURAL, "Neural", {"network": "cnn-norm"}),
    "resnet": _both(_NEURAL, "Neural", {"network": "resnet"}),
    "lightgbm": _both("lightgbm", "LGBM", {"verbosity": -1, "n_jobs": 1}),
    "xgboost": _both("xgboost", "XGB", {"n_jobs": 1}),
    "catboost": _both("catboost", "CatBoost", {"verbose": False, "thread_count": 1}),
}
NETWORKS = ("mlp", "tabular", "cnn", "mlp-norm", "cnn-norm", "resnet")
STRONG = ("linear", "boosting", "trees", "forest")  # what a comparison of tables begins with
WIDE = ("linear", "trees")  # and of features of an encoder, where the others take too long
# What answers together on the source where nothing is known of the target: word and settings.
SOURCE_MODELS: Mapping[str, Sequence[tuple[str, str, Mapping[str, Any]]]] = {
    "classification": (
        ("logistic", "logistic", {}),
        ("logistic, C 0.1", "logistic", {"C": 0.1}),
        ("lda", "lda", {}),
        ("trees", "trees", {}),
        ("boosting", "boosting", {"rounds": 60, "max_leaf_nodes": 8}),
    ),
    "regression": (
        ("ridge", "ridge", {}),
        ("ridge, alpha 10", "ridge", {"alpha": 10.0}),
        ("trees", "trees", {}),
        ("boosting", "boosting", {"rounds": 60, "max_leaf_nodes": 8}),
    ),
}
ONE = {"classification": "logistic", "regression": "ridge"}  # where one has to do


def estimator(word: str, task: str) -> Any:
    """Return the base model of a word, not fitted.

    Parameters
    ----------
    word : str
        A key of `MODELS`.
    task : {"classification", "regression"}
        What it is to do.

    Raises
    ------
    InputError
        There is no such word, it does another task, or its package is missing.

    Examples
    --------
    >>> estimator("boosting", "classification")
    BoostingClassifier()
    """
    if word not in MODELS:
        raise InputError(f"there is no estimator {word!r}. There are {', '.join(MODELS)}")
    if task not in MODELS[word]:
        able = [one for one, kinds in MODELS.items() if task in kinds]
        raise InputError(f"{word} does no {task}; choose one of {', '.join(able)}")
    module, name, settings = MODELS[word][task]
    try:
        return on_use(module, name)(**settings)
    except ModuleNotFoundError as error:
        raise InputError(f"{word} needs a package: pip install {word}") from error


def is_network(estimator: Any) -> bool:
    """Tell whether a base model is one of the library's networks, without importing torch."""
    return any(
        cls.__module__ == "acclimate.base.neural" or cls.__module__.startswith("torch")
        for cls in type(estimator).__mro__
    )


def source_models(task: str) -> dict[str, Any]:
    """Return the base models of `SOURCE_MODELS` by name, not fitted.

    Parameters
    ----------
    task : {"classification", "regression"}

    Examples
    --------
    >>> list(source_models("regression"))
    ['ridge', 'ridge, alpha 10', 'trees', 'boosting']
    """
    return {
        name: estimator(word, task).set_params(**settings)
        for name, word, settings in SOURCE_MODELS[task]
    }
