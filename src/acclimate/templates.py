"""Two templates on the adapter contract: methods that map features, and methods that weigh rows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_regressor
from sklearn.utils._set_output import _wrap_data_with_container
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import has_fit_parameter

from acclimate import validation as door
from acclimate.adapter import Adapted, Adapter, fit_model
from acclimate.catalogue import Row
from acclimate.exceptions import InputError
from acclimate.maths.class_shares import shares_of
from acclimate.sources import Part, each, row_weights, similarities, split
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

    Several sources are aligned one by one, and their rows pooled with weights in proportion to
    `acclimate.sources.source_similarity`, which ``source_similarity_`` holds by source. What
    `_align` learns is then held as a dict by source, too. New rows of a source are answered by the
    stage-one model, since nothing says which source they are from.
    """

    _cautious = Row(family="mapping")
    _sklearn_auto_wrap_output_keys: ClassVar[set[str]] = {"transform"}

    @abstractmethod
    def _align(self, source: Rows, target: Rows, seed: int) -> tuple[Map, Map]:
        """Return the map of source rows and the map of target rows."""

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        rows = _required(source)
        parts = split(rows)
        if parts:
            return self._adapt_several(parts, rows, target, seed)
        _forget_similarity(self)
        source_map, target_map = self._align(rows, target, seed)
        mapped = Rows(source_map(rows.X), rows.y, None, rows.weight, rows.domains)
        fitted = fit_model(self._base(), self._training_rows(mapped, target, target_map), seed)
        return Adapted(Mapped(target_map, fitted), Mapped(source_map, fitted))

    def _align_several(
        self, parts: Sequence[Part], target: Rows, seed: int
    ) -> tuple[list[Map], Map]:
        """Return a map for each source and the map of target rows.

        This aligns each source on its own, which is right where the target's map does not depend on
        the source. Other methods write their own.
        """
        maps = each(self, parts, lambda method, rows: method._align(rows, target, seed))
        return [source_map for source_map, _ in maps], maps[0][1]

    def _adapt_several(
        self, parts: Sequence[Part], source: Rows, target: Rows, seed: int
    ) -> Adapted:
        maps, target_map = self._align_several(parts, target, seed)
        mapped = [source_map(part.rows.X) for source_map, part in zip(maps, parts, strict=True)]
        X: Array = np.empty((len(source.labels), mapped[0].shape[1]), dtype=mapped[0].dtype)
        for part, features in zip(parts, mapped, strict=True):
            X[part.index] = features
        self.source_similarity_ = similarities(parts, target, seed)
        w = row_weights(parts, self.source_similarity_, source.counts)
        if source.weight is not None:
            w = w * source.weight
        pooled = self._training_rows(Rows(X, source.y, None, w), target, target_map)
        return Adapted(Mapped(target_map, fit_weighted(self._base(), pooled, seed)))

    def _training_rows(self, mapped: Rows, target: Rows, target_map: Map) -> Rows:
        """Return the rows that the model is fitted on: labelled target rows join the source's."""
        if target.y is None:
            return mapped
        X = np.concatenate([mapped.X, target_map(target.labelled_X)])
        y = np.concatenate([mapped.labels, target.y])
        weight = mapped.weight
        if weight is not None:
            weight = np.concatenate([weight, np.full(len(target.y), mapped.unit)])
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
        if domain == "source" and self._source_after is None:
            raise InputError(
                "each of several sources has a map of its own, and nothing says which source these "
                "rows are from; fit one source at a time to transform its rows"
            )
        features: Array = self._answer(X, domain, "transform")
        wrapped: Array = _wrap_data_with_container("transform", features, X, self)
        return wrapped

    @available_if(lambda self: getattr(self, "adapted_", False))  # type: ignore[untyped-decorator]
    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return names of the features, such as ``coral0``; shape (k,).

        Parameters
        ----------
        input_features : object
            Not used; scikit-learn's other transformers have it.
        """
        width = int(self.target_model_.model.n_features_in_)
        prefix = type(self).__name__.lower()
        return np.asarray([f"{prefix}{k}" for k in range(width)], dtype=object)

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose what `transform` returns.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            "default" is an array; None leaves it as it was.

        Returns
        -------
        self : MapAdapter
        """
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self


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


def report_weights(w: Array, counts: Array | None = None) -> WeightReport:
    """Return effective sample size and tail of non-negative weights.

    Parameters
    ----------
    w : ndarray of shape (n,)
        Weights.
    counts : ndarray of shape (n,), default=None
        How many rows each row stands for; None is one each.

    >>> report_weights(np.array([1.0, 1.0, 0.0, 0.0]))
    WeightReport(effective_rows=2.0, share=0.5, top_share=0.5, tail=2.0)
    >>> report_weights(np.array([1.0, 0.0]), np.array([2.0, 2.0])).effective_rows
    2.0
    """
    c = np.ones(len(w)) if counts is None else counts
    n, total = float(c.sum()), float(c @ w)
    effective = total**2 / float(c @ w**2)
    order = np.argsort(-w, kind="stable")
    room = max(1, round(n) // 100)  # heaviest rows, whose counts fill it
    before = np.cumsum(c[order]) - c[order]
    top = float(np.clip(room - before, 0.0, c[order]) @ w[order])
    return WeightReport(effective, effective / n, top / total, float(w.max()) * n / total)


class WeighAdapter(Adapter):
    """Template "weigh": a weight for each source row, then the base model on weighted rows.

    A subclass writes `_weights`. Weights reach the base model by `fit_weighted`.

    Several sources are weighed one by one, to 1 on average in each. A source then counts in
    proportion to `acclimate.sources.source_similarity`, which ``source_similarity_`` holds by
    source, and to the share of its rows that are effective (`report_weights`): where a few rows
    bear all the weight, a source tells as much as a few rows. What `_weights` learns is held as a
    dict by source, too. Small sources give poor weights: without ``domains`` the rows are pooled,
    and which is better has to be measured.
    """

    _cautious = Row(family="reweighting")

    @abstractmethod
    def _weights(self, source: Rows, target: Rows, seed: int) -> Array:
        """Return non-negative weights of shape (n,), on any scale."""

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        rows = _required(source)
        parts = split(rows)
        if parts:
            w = self._weights_several(parts, target, seed)
        else:
            _forget_similarity(self)
            w = self._usable(rows, target, seed)
        self.weights_ = rows.of_each(w)
        self.weight_report_ = report_weights(w, rows.counts)
        if rows.weight is not None:
            w = w * rows.weight
        self._weighed_shares = None if self._regression() else shares_of(rows.labels, w)
        return Adapted(fit_weighted(self._weighed(), Rows(rows.X, rows.y, None, w), seed))

    def _learned_shares(self) -> NDArray[np.float64] | None:
        known, weighed = super()._learned_shares(), self._weighed_shares
        return weighed if known is None or weighed is None else np.maximum(weighed, 1e-3 * known)

    def _weighed(self) -> Any:
        """Return the base model that the weights are for."""
        return self._base()

    def _usable(self, source: Rows, target: Rows, seed: int) -> Array:
        """Return the weights of one source, 1 on average over the rows that its rows stand for."""
        w = np.asarray(self._weights(source, target, seed), dtype=np.float64)
        if not np.isfinite(w).all() or (w < 0).any() or not w.any():
            raise InputError(
                f"{type(self).__name__} found no usable weights ({int((w > 0).sum())} of {len(w)} "
                f"are above 0); the domains may not overlap. Look at them before transferring"
            )
        scaled: Array = w / np.average(w, weights=source.counts)
        return scaled

    def _weights_several(self, parts: Sequence[Part], target: Rows, seed: int) -> Array:
        """Return the weights of all sources, 1 on average, shape (n,)."""
        found = each(self, parts, lambda method, rows: method._usable(rows, target, seed))
        self.source_similarity_ = similarities(parts, target, seed)
        counts = np.empty(sum(len(part.index) for part in parts))
        for part in parts:
            counts[part.index] = part.rows.counts
        w = row_weights(parts, self.source_similarity_, counts)
        for part, weights in zip(parts, found, strict=True):
            w[part.index] *= weights * report_weights(weights, counts[part.index]).share
        scaled: Array = w / np.average(w, weights=counts)
        return scaled


def fit_weighted(estimator: Any, rows: Rows, seed: int) -> Any:
    """Return a clone of ``estimator`` fitted on weighted rows.

    For an estimator without ``sample_weight``, n rows are drawn with replacement in proportion to
    their weights; a class that no draw met keeps one row.
    """
    w = rows.weight
    if w is None or has_fit_parameter(estimator, "sample_weight"):
        return fit_model(estimator, rows, seed)
    drawn = np.random.default_rng(seed).choice(len(w), size=len(w), p=w / w.sum())
    y = rows.labels[drawn]
    missing = np.array([]) if is_regressor(estimator) else np.setdiff1d(rows.labels, y)
    if len(missing):  # a class that no draw met would vanish from the model
        first = [int(np.flatnonzero(rows.labels == label)[0]) for label in missing]
        drawn = np.concatenate([drawn, first])
        y = rows.labels[drawn]
    return fit_model(estimator, Rows(door.take(rows.X, drawn), y), seed)


def _forget_similarity(method: Adapter) -> None:
    """Drop what an earlier fit to several sources left."""
    if hasattr(method, "source_similarity_"):
        del method.source_similarity_


def _required(source: Rows | None) -> Rows:
    if source is None:
        raise InputError("this method needs the source rows, and there are none")
    return source
