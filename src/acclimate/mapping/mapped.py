"""What the mapping methods share: affine maps that can be saved, moments, and principal axes."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.utils import gen_batches

from acclimate.adapter import Adapted
from acclimate.arrays import as_matrix
from acclimate.classes import Match, match_classes
from acclimate.exceptions import InputError
from acclimate.folds import row_keys
from acclimate.mapping.moments import Moments, shrink
from acclimate.templates import Map, MapAdapter
from acclimate.validation import Rows

Array = NDArray[np.floating[Any]]
BLOCK = 4096  # rows turned into float64 at a time


@dataclass(frozen=True)
class Same:
    """The identity map."""

    def __call__(self, X: Any) -> Array:
        """Return the rows, shape (m, d), as numbers."""
        return as_matrix(X)


@dataclass(frozen=True)
class Affine:
    """The map ``(x - centre) matrix + offset``.

    Parameters
    ----------
    centre : ndarray of shape (d,)
        Subtracted first.
    matrix : ndarray of shape (d, k)
        Applied from the right.
    offset : ndarray of shape (k,)
        Added last.
    """

    centre: Array
    matrix: Array
    offset: Array

    def __call__(self, X: Any) -> Array:
        """Return mapped rows, shape (m, k), in the precision of X."""
        X = as_matrix(X)
        cast = X.dtype
        centred = X - self.centre.astype(cast)  # first, so that large means cost no digits
        mapped: Array = centred @ self.matrix.astype(cast) + self.offset.astype(cast)
        return mapped


@dataclass(frozen=True)
class UnitRows:
    """The map to features of length one: those of another map, each row over its norm.

    Parameters
    ----------
    whole : callable
        The other map, from rows of shape (m, d) to features of shape (m, k).
    """

    whole: Map

    def __call__(self, X: Any) -> Array:
        """Return mapped rows, shape (m, k)."""
        return unit_rows(self.whole(X))


def unit_rows(Z: Array) -> Array:
    """Return rows of shape (m, k) over their norms; rows of zeros stay."""
    norms = np.linalg.norm(Z, axis=1, keepdims=True)
    scaled: Array = Z / np.where(norms > 0, norms, 1.0).astype(Z.dtype)
    return scaled


class DenseMapAdapter(MapAdapter):
    """A `MapAdapter` on finite dense rows, whose labelled target rows carry the source's classes.

    A subclass writes `_align` and may write `_check_settings`, which runs before the first fit.
    """

    @abstractmethod
    def _align(self, source: Rows, target: Rows, seed: int) -> tuple[Map, Map]: ...

    def _check_settings(self) -> None:
        """Raise where a setting cannot be used."""

    def _fit_source(self, source: Rows, seed: int) -> Any:
        self._check_settings()
        return super()._fit_source(source, seed)

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        source, target, match = self._matched(model, source, target)
        adapted = super()._adapt(model, source, target, seed)
        return Adapted(match.to_target(adapted.target), adapted.source)

    def _matched(
        self, model: Any, source: Rows | None, target: Rows
    ) -> tuple[Rows | None, Rows, Match]:
        """Return both domains as matrices, the target's labels as the source calls them."""
        if source is not None:
            source = replace(source, X=as_matrix(source.X))
        match = Match()
        if target.y is not None and not self._regression():
            name, names = type(self).__name__, self.source_class_names_
            match = match_classes(name, model.classes_, names, target)
        y = None if target.y is None else match.to_source(target.y)
        return source, Rows(as_matrix(target.X), y, target.labelled), match

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.preprocess is not None
        return tags


def own_order(X: Array, seed: int) -> NDArray[np.intp]:
    """Return an order of the rows that depends on their values alone, shape (n,)."""
    return np.argsort(row_keys(X, seed), kind="stable")


def in_own_order(rows: Rows, seed: int) -> Rows:
    """Return rows in their `own_order`; labels and weights move along."""
    order = own_order(rows.X, seed)
    y, labelled = rows.y, rows.labelled
    if y is not None:
        place = np.arange(len(order)) if labelled is None else labelled
        rank = np.argsort(order)[place]  # where each labelled row has gone
        by_rank = np.argsort(rank)
        y, labelled = y[by_rank], None if labelled is None else rank[by_rank]
    weight = None if rows.weight is None else rows.weight[order]
    return Rows(rows.X[order], y, labelled, weight)


def moments(
    X: Array, weight: Array | None = None, *, name: str, shrinkage: float | str = 0.0
) -> tuple[Array, Array]:
    """Return mean and covariance in float64.

    The covariance is ``(1 - s) C + s trace(C) / d I`` with ``C = sum_i w_i (x_i - mean)(x_i -
    mean)' / sum_i w_i``.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows.
    weight : ndarray of shape (n,), default=None
        Weights of the rows; None means equal ones.
    name : str
        Name of the domain, for messages.
    shrinkage : float in [0, 1] or "auto", default=0.0
        Share s of the multiple of the identity. "auto" is the share of Ledoit and Wolf.

    Returns
    -------
    mean : ndarray of shape (d,)
        Mean.
    C : ndarray of shape (d, d)
        Covariance.

    Raises
    ------
    InputError
        There are fewer than two rows, or all rows are equal.
    """
    if weight is not None:
        X, weight = X[weight > 0], weight[weight > 0]
    n, d = X.shape
    if n < 2:
        raise InputError(f"the {name} has n_samples={n}; a covariance needs at least 2 rows")
    if weight is None:
        return Moments(double=True).add(X).covariance(name=name, shrinkage=shrinkage)
    w = Rows(X, weight=weight).counts
    total = float(w.sum())
    mean: Array = np.average(X, axis=0, weights=w)
    C: Array = np.zeros((d, d))
    fourth = 0.0
    for part in gen_batches(n, BLOCK):
        centred = X[part] - mean
        C += (centred * w[part][:, None]).T @ centred
        fourth += float(w[part] @ np.einsum("ij,ij->i", centred, centred) ** 2)
    return mean, shrink(mean, C / total, total, fourth, shrinkage, name)


def spectrum(C: Array, most: int | None = None) -> tuple[Array, Array]:
    """Return the positive eigenvalues of a covariance, largest first, and their vectors.

    Parameters
    ----------
    C : ndarray of shape (d, d)
        Symmetric and positive semi-definite. Values under d times the rounding of the largest are
        taken for zeros.
    most : int, default=None
        Most pairs to look for, at least 1. None is all.

    Returns
    -------
    values : ndarray of shape (r,)
        Positive eigenvalues.
    vectors : ndarray of shape (d, r)
        Orthonormal columns.
    """
    d = len(C)
    few = None if most is None or most >= d else [d - most, d - 1]
    values, vectors = eigh(C, subset_by_index=few)
    kept = values > values[-1] * len(C) * np.finfo(np.float64).eps
    return values[kept][::-1], vectors[:, kept][:, ::-1]


def principal_axes(
    X: Array, weight: Array | None, *, name: str, most: int | None = None
) -> tuple[Array, Array, Array]:
    """Return mean, variances and axes of the principal components.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows.
    weight : ndarray of shape (n,) or None
        Weights of the rows.
    name : str
        Name of the domain, for messages.
    most : int, default=None
        Most components to look for, at least 1. None is all.

    Returns
    -------
    mean : ndarray of shape (d,)
        Mean.
    variances : ndarray of shape (r,)
        Positive variances, largest first.
    P : ndarray of shape (d, r)
        Orthonormal axes.
    """
    n, d = X.shape
    if d <= n:
        mean, C = moments(X, weight, name=name)
        return (mean, *spectrum(C, most))
    if weight is not None:
        X, weight = X[weight > 0], weight[weight > 0]
    n = len(X)
    if n < 2:
        raise InputError(f"the {name} has n_samples={n}; principal axes need at least 2 rows")
    w: Array = np.ones(n) if weight is None else weight * (n / weight.sum())
    mean = np.average(X, axis=0, weights=w)
    centred = (X - mean) * np.sqrt(w / n)[:, None]
    if (centred**2).sum() <= 1e-28 * (mean**2).sum():
        raise InputError(f"all rows of the {name} are equal; there are no principal axes")
    from scipy.linalg import svd

    _, s, vt = svd(centred, full_matrices=False)
    kept = s > s[0] * max(X.shape) * np.finfo(np.float64).eps
    return mean, (s[kept] ** 2)[:most], vt[kept].T[:, :most]


def n_axes(wanted: int | None, *variances: Array, share: float = 0.95) -> int:
    """Return how many principal axes to keep.

    Parameters
    ----------
    wanted : int or None
        A number, or None for as many as carry ``share`` of the variance in each domain.
    *variances : ndarrays of shapes (r,)
        Variances of each domain, largest first.
    share : float, default=0.95
        Share of the variance.

    Returns
    -------
    int
        At least 1 and at most the smallest r.

    Raises
    ------
    InputError
        More axes are wanted than a domain has.
    """
    most = min(len(v) for v in variances)
    if wanted is None:
        # the tolerance keeps a share that is met exactly from asking for one axis more
        needed = [int((np.cumsum(v) / v.sum() < share - 1e-12).sum()) + 1 for v in variances]
        return min(most, max(needed))
    if wanted > most:
        raise InputError(
            f"n_components is {wanted}, but one domain varies along {most} axes only; "
            f"choose at most {most}, or None"
        )
    return int(wanted)
