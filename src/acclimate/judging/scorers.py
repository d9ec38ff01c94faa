"""Scorers of scikit-learn, by name or of one's own, on answers that are there already."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.judging.influence import jackknife
from acclimate.judging.scored import Metric, Scored

Floats = NDArray[np.float64]
_KNOWN = 500  # contributions that are kept


@lru_cache(maxsize=1)
def scorer_names() -> tuple[str, ...]:
    """Return the names of scikit-learn's scorers."""
    from sklearn.metrics import get_scorer_names

    return tuple(get_scorer_names())


def from_scorer(scorer: str | Callable[..., float]) -> Metric:
    """Return a scorer as a metric; more is better.

    The scorer is called as ``scorer(estimator, X, y)``, where the estimator answers from what was
    cross-fitted and X holds positions of rows, so a scorer that looks at columns cannot be used. A
    scorer by name gets classes as codes: of two, 1 is the positive class and 0 the other. One's
    own gets the labels. What a row contributes is found by the jackknife.

    Raises
    ------
    InputError
        It is no scorer. Later, where it fails on the answers or returns no number.
    """
    from sklearn.metrics import get_scorer

    if not callable(scorer) and not isinstance(scorer, str):
        raise InputError(f"metric must be a name or scorer(estimator, X, y), got {scorer!r}")
    by_name = isinstance(scorer, str)
    call: Any = get_scorer(scorer) if isinstance(scorer, str) else scorer
    title = scorer if isinstance(scorer, str) else _name_of(scorer)
    method = getattr(call, "_response_method", "predict")

    known: dict[bytes, Floats] = {}  # a comparison holds the same answers against several others

    def parts(s: Scored) -> Floats:
        key = _digest(s)
        if key not in known:
            s = _coded(s) if by_name else s
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of classes that are missing without some rows
                known[key] = jackknife(
                    lambda rows: _call(call, title, s.take(rows)), len(s.truth), s.blocks
                )
            if len(known) > _KNOWN:
                del known[next(iter(known))]
        return known[key]

    def alone(s: Scored) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of classes that nobody is said to be of
            return _call(call, title, _coded(s) if by_name else s)

    by_answers = "predict" in np.atleast_1d(method)
    return Metric(title, title, None, parts, proba=not by_answers, alone=alone)


def _digest(s: Scored) -> bytes:
    """Return what tells apart what is scored."""
    found = hashlib.sha256(f"{s.positive} {s.blocks} {s.classes!r}".encode())
    for one in (s.truth, s.answers, s.proba, s.weights):
        found.update(b"none" if one is None else np.ascontiguousarray(one).tobytes())
    return found.digest()


def _name_of(scorer: Any) -> str:
    function = getattr(scorer, "_score_func", scorer)
    return str(getattr(function, "__name__", type(scorer).__name__))


def _coded(s: Scored) -> Scored:
    """Return the same with codes as labels; of two classes the positive one is 1."""
    if s.classes is None:
        return s
    codes = np.arange(len(s.classes))
    if len(codes) != 2 or s.positive != 0:
        return replace(s, classes=codes)
    proba = None if s.proba is None else s.proba[:, ::-1]
    return replace(s, truth=1 - s.truth, answers=1 - s.answers, proba=proba, classes=codes)


def _call(scorer: Any, title: str, s: Scored) -> float:
    """Return the score of some rows."""
    truth = s.truth if s.classes is None else s.classes[s.truth]
    weights = {} if s.weights is None else {"sample_weight": s.weights}
    try:
        return float(scorer(_answering(s), np.arange(len(truth))[:, None], truth, **weights))
    except Exception as error:
        raise InputError(
            f"the metric {title} cannot be computed from "
            f"{'answers and probabilities' if s.proba is not None else 'answers'} of "
            f"{len(truth)} rows: {type(error).__name__}: {error}"
        ) from error


def _answering(s: Scored) -> Any:
    """Return an estimator that answers for positions of rows."""
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

    class _Base(BaseEstimator):  # type: ignore[misc]
        def fit(self, X: Any, y: Any) -> Any:
            return self

        def __sklearn_is_fitted__(self) -> bool:
            return True

        def predict(self, X: Any) -> Any:
            answers = s.answers[X[:, 0]]
            return answers if s.classes is None else s.classes[answers]

    if s.classes is None:
        return type("Answers", (RegressorMixin, _Base), {})()
    held: dict[str, Any] = {"classes_": s.classes}
    if s.proba is not None:
        proba = s.proba

        def predict_proba(self: Any, X: Any) -> Any:  # scikit-learn asks for its name
            return proba[X[:, 0]]

        held["predict_proba"] = predict_proba
    return type("Answers", (ClassifierMixin, _Base), held)()
