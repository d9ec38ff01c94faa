"""`SourcePrediction`: what the source model says is a feature of the target's model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_regressor

from acclimate.adapter import Adapted, Adapter, fit_model
from acclimate.classes import lost_classes, warn_of_lost
from acclimate.exceptions import InputError
from acclimate.validation import Rows

Floats = NDArray[np.float64]
LEAST = 1e-3  # probabilities are kept this far from 0


class SourcePrediction(Adapter):
    """Train on the labelled target rows, with the source model's prediction as further columns.

    Use it with some target labels and a source model that knows something: strong, cheap, and it
    needs no source row to adapt. The target may ask another question. Do not use it where the
    source model is at chance on the target: it then learns from a column of noise.

    Minimises the base model's own loss on labelled target rows ``(x, s(x))``. For a classifier s
    is the source model's log odds against the last class, or its log probabilities with more than
    two classes; for a regressor its value in standard deviations of the source's predictions.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model of both stages. None means ``LogisticRegression(max_iter=1000)``.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds both stages.

    Attributes
    ----------
    source_model_ : estimator
        The model of the source alone.
    target_model_ : estimator or None
        The model of the target behind the source model.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The target's labels once there is a target.

    Raises
    ------
    InputError
        A value cannot be used, or the target has no labels.

    References
    ----------
    Daumé, "Frustratingly easy domain adaptation", arXiv:0907.1815, whose baseline "Pred" this is.
    Deviation: the prediction enters as log odds.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, SourcePrediction
    >>> from sklearn.linear_model import Ridge
    >>> X, Xt = np.linspace(-1, 1, 50)[:, None], np.linspace(-1, 1, 10)[:, None]
    >>> model = SourcePrediction(Ridge(1e-3)).fit(X, X[:, 0], target=Domain(Xt, 2 * Xt[:, 0] + 1))
    >>> model.predict([[0.5]]).round(2)
    array([2.])
    """

    _reads_frames = True

    def __init__(
        self, estimator: Any = None, *, preprocess: Any = None, random_state: Any = None
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)

    def _fit_source(self, source: Rows, seed: int) -> Any:
        model = super()._fit_source(source, seed)
        self.spread_ = _spread(model, source.X, source.counts) if self._regression() else 1.0
        return model

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        if not self._regression():
            lost = lost_classes(model.classes_, self.source_class_names_, target)
            way_out = "Pooled and Interpolation keep what the source knows of it"
            warn_of_lost("SourcePrediction", lost, way_out)
        X, spread = target.labelled_X, getattr(self, "spread_", None)
        if spread is None:  # it goes on from the source model of another method
            spread = _spread(model, target.X) if self._regression() else 1.0
        rows = Rows(with_prediction(X, said(model, X, spread)), target.labels)
        return Adapted(Stacked(model, fit_model(self._base(), rows, seed), spread))


def _spread(model: Any, X: Any, counts: Any = None) -> float:
    """Return the standard deviation of what a model says of rows; 1 where it is 0."""
    answers = np.asarray(model.predict(X), dtype=np.float64)
    mean = np.average(answers, weights=counts)
    spread = float(np.sqrt(np.average((answers - mean) ** 2, weights=counts)))
    return spread if spread > 0 else 1.0


class Stacked:
    """A fitted model that reads a source model's prediction with each row.

    Parameters
    ----------
    source : fitted estimator
        What is asked first.
    model : fitted estimator
        Takes rows with the prediction.
    spread : float, above 0
        Unit of a predicted value.
    """

    def __init__(self, source: Any, model: Any, spread: float) -> None:
        self.source = source
        self.model = model
        self.spread = spread
        if hasattr(model, "classes_"):
            self.classes_: NDArray[Any] = model.classes_

    def _rows(self, X: Any) -> Any:
        return with_prediction(X, said(self.source, X, self.spread))

    def predict(self, X: Any) -> Any:
        """Return labels or values, shape (m,)."""
        return self.model.predict(self._rows(X))

    def __getattr__(self, name: str) -> Any:
        if name in ("predict_proba", "decision_function"):
            answer = getattr(self.model, name)  # AttributeError where the model has none
            return lambda X: answer(self._rows(X))
        raise AttributeError(name)


def said(model: Any, X: Any, spread: float) -> Floats:
    """Return what a model says of rows, as columns of shape (m, k).

    Parameters
    ----------
    model : fitted estimator
        Classifier or regressor.
    X : array or data frame of shape (m, d)
        Rows.
    spread : float, above 0
        Unit of a value.
    """
    if is_regressor(model):
        return np.asarray(model.predict(X), dtype=np.float64).reshape(-1, 1) / spread
    if hasattr(model, "predict_proba"):
        logs = np.log(np.maximum(np.asarray(model.predict_proba(X), dtype=np.float64), LEAST))
        return logs[:, :1] - logs[:, 1:] if logs.shape[1] == 2 else logs
    scores = np.asarray(model.decision_function(X), dtype=np.float64)
    return scores.reshape(len(scores), -1)


def with_prediction(X: Any, columns: Floats) -> Any:
    """Return rows with the prediction's columns behind their own.

    Parameters
    ----------
    X : array, sparse matrix or data frame of shape (m, d)
        Rows.
    columns : ndarray of shape (m, k)
        What is added.
    """
    if hasattr(X, "iloc"):
        return X.assign(**{f"(source {j})": column for j, column in enumerate(columns.T)})
    if X.ndim > 2:
        raise InputError(
            "rows with several axes, such as images, take no further column; give a preprocess "
            "that makes features of them"
        )
    if hasattr(X, "tocsr"):
        from scipy.sparse import csr_array, hstack

        return hstack([X, csr_array(columns)], format="csr")
    kind = X.dtype if X.dtype.kind == "f" else np.float64  # whole numbers would cut it off
    return np.column_stack([X, columns.astype(kind)])
