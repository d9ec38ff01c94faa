"""Two templates on the adapter contract: methods that map features, and methods that weigh rows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import has_fit_parameter

from acclimate import validation as door
from acclimate.adapter import Adapted, Adapter, fit_model
from acclimate.exceptions import InputError
from acclimate.validation import Rows

Array = NDArray[np.floating[Any]]
Map = Callable[[Array], Array]


def _model_has(name: str) -> Any:
    return lambda self: hasattr(self.model, name)


class Mapped:
    """A fitted model behind a map of features.

    Parameters
    ----------
    map : callable
        Maps rows (m, d) of one domain to features (m, k).
    model : fitted estimator
        Predicts from features.
    """

    def __init__(self, map: Map, model: Any) -> None:
        self.map = map
        self.model = model
        if hasattr(model, "classes_"):
            self.classes_ = model.classes_

    def transform(self, X: Array) -> Array:
        """Return features, shape (m, k)."""
        return self.map(X)

    def predict(self, X: Array) -> Any:
        """Return labels or values, shape (m,)."""
        return self.model.predict(self.map(X))

    @available_if(_model_has("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Array) -> Any:
        """Return class probabilities, shape (m, n_classes)."""
        return self.model.predict_proba(self.map(X))

    @available_if(_model_has("decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(self, X: Array) -> Any:
        """Return the model's scores."""
        return self.model.decision_function(self.map(X))


class MapAdapter(Adapter):
    """Template "map": one map a domain into a common space, then one model there.

    A subclass writes `_align`. The model is fitted on mapped source rows; rows of the target are
    mapped by the target's map, whether they were seen or not.
    """

    @abstractmethod
    def _align(self, source: Rows, target: Rows, seed: int) -> tuple[Map, Map]:
        """Return the map of source rows and the map of target rows."""

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        rows = _required(source)
        source_map, target_map = self._align(rows, target, seed)
        mapped = Rows(source_map(rows.X), rows.y, None, rows.weight, rows.domains)
        fitted = fit_model(self._base(), self._training_rows(mapped, target, target_map), seed)
        return Adapted(Mapped(target_map, fitted), Mapped(source_map, fitted))

    def _training_rows(self, mapped: Rows, target: Rows, target_map: Map) -> Rows:
        """Return the rows that the model is fitted on: labelled target rows join the source's."""
        if target.y is None:
            return mapped
        X = np.concatenate([mapped.X, target_map(target.labelled_X)])
        y = np.concatenate([mapped.labels, target.y])
        weight = mapped.weight
        if weight is not None:
            weight = np.concatenate([weight, np.full(len(target.y), weight.mean())])
        return Rows(X, y, None, weight)

    @available_if(lambda self: getattr(self, "adapted_", False))  # type: ignore[untyped-decorator]
    def transform(self, X: Any, *, domain: str = "target") -> Array:
        """Return features in the common space, shape (m, k).

        Parameters
        ----------
        X : array-like or data frame of shape (m, d)
            Inputs, seen before or not.
        domain : {"target", "source"}, default="target"
            Which domain the rows come from.
        """
        features: Array = self._answer(X, domain, "transform")
        return features


@dataclass(frozen=True)
class WeightReport:
    """How even the weights are.

    Parameters
    ----------
    effective_rows : float
        ``(sum w)^2 / sum w^2`` (Kish): as many equal rows would tell as much.
    share : float
        Effective rows over rows, in (0, 1].
    top_share : float
        Share of the total weight on the heaviest hundredth of the rows.
    tail : float
        Largest weight over the mean weight.
    """

    effective_rows: float
    share: float
    top_share: float
    tail: float


def report_weights(w: Array) -> WeightReport:
    """Return effective sample size and tail of non-negative weights of shape (n,).

    >>> report_weights(np.array([1.0, 1.0, 0.0, 0.0]))
    WeightReport(effective_rows=2.0, share=0.5, top_share=0.5, tail=2.0)
    """
    total = float(w.sum())
    effective = total**2 / float((w**2).sum())
    top = np.sort(w)[-max(1, len(w) // 100) :]
    return WeightReport(
        effective, effective / len(w), float(top.sum()) / total, float(w.max()) * len(w) / total
    )


class WeighAdapter(Adapter):
    """Template "weigh": a weight for each source row, then the base model on weighted rows.

    A subclass writes `_weights`. Weights reach the estimator's ``sample_weight``; for one that
    takes none, n source rows are drawn with replacement in proportion to their weights.
    """

    @abstractmethod
    def _weights(self, source: Rows, target: Rows, seed: int) -> Array:
        """Return non-negative weights of shape (n,), on any scale."""

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        rows = _required(source)
        w = np.asarray(self._weights(rows, target, seed), dtype=np.float64)
        if not np.isfinite(w).all() or (w < 0).any() or not w.any():
            raise InputError(
                f"{type(self).__name__} found no usable weights ({int((w > 0).sum())} of {len(w)} "
                f"are above 0); the domains may not overlap. Look at them before transferring"
            )
        w = w * (len(w) / w.sum())
        self.weights_ = w
        self.weight_report_ = report_weights(w)
        if rows.weight is not None:
            w = w * rows.weight
        if has_fit_parameter(self._base(), "sample_weight"):
            return Adapted(fit_model(self._base(), Rows(rows.X, rows.y, None, w), seed))
        drawn = np.random.default_rng(seed).choice(len(w), size=len(w), p=w / w.sum())
        y = rows.labels[drawn]
        missing = np.setdiff1d(rows.labels, y) if not self._regression() else np.array([])
        if len(missing):  # a class that no draw met would vanish from the model
            first = [int(np.flatnonzero(rows.labels == label)[0]) for label in missing]
            drawn = np.concatenate([drawn, first])
            y = rows.labels[drawn]
        return Adapted(fit_model(self._base(), Rows(door.take(rows.X, drawn), y), seed))


def _required(source: Rows | None) -> Rows:
    if source is None:
        raise InputError("this method needs the source rows, and there are none")
    return source
