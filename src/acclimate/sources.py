"""Several sources: each is adapted on its own, and counts by how much it is like the target."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from acclimate.arrays import dense
from acclimate.exceptions import InputError
from acclimate.folds import row_keys
from acclimate.maths.medians import weighted_median
from acclimate.validation import Rows, take

Array = NDArray[np.floating[Any]]
T = TypeVar("T")
SAMPLE = 1000  # most rows of a domain that are looked at
# what stage one and the base class learn; all else that ends in "_" is a method's own
_COMMON = (
    "adapted_", "classes_", "feature_names_in_", "n_features_in_", "preprocess_", "row_shape_",
    "seed_", "source_class_names_", "source_model_", "target_model_", "target_name_",
    "trained_on_",
)  # fmt: skip


def source_similarity(
    sources: Sequence[Array],
    target: Array,
    weights: Sequence[Array | None] | None = None,
    seed: int = 0,
) -> Array:
    """Return how much each source is like the target, from 0 to 1, shape (k,).

    It is ``1 - ||mu_i - mu||^2 / (||mu_i||^2 + ||mu||^2)``: mu_i and mu are the means of a source
    and of the target in the feature space of a Gaussian kernel, so that the numerator is the
    squared maximum mean discrepancy. 1 means equal distributions, 0 that nothing is near. Features
    are divided by their standard deviation within a domain, the mean over the domains. The width of
    the kernel is the median distance of a target row to a row of the nearest source, so that at
    least one source has a similarity well above 0.

    Parameters
    ----------
    sources : sequence of ndarrays of shapes (n_i, d)
        Finite rows of each source.
    target : ndarray of shape (m, d)
        Finite rows of the target.
    weights : sequence of ndarrays of shapes (n_i,) or None, default=None
        Weights of the rows of each source.
    seed : int, default=0
        Above 1000 rows a domain is represented by 1000, drawn by their values and this seed, not by
        their place.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> near, far = rng.normal(size=(200, 2)), rng.normal(size=(200, 2)) + 3
    >>> source_similarity([near, far], rng.normal(size=(150, 2))).round(1)
    array([1. , 0.1])
    """
    from sklearn.metrics.pairwise import euclidean_distances

    given = [None] * len(sources) if weights is None else list(weights)
    picked = [_sample(X, w, seed) for X, w in zip([*sources, target], [*given, None], strict=True)]
    variance = np.mean([_variance(X, p) for X, p in picked], axis=0)
    scale = np.sqrt(np.where(variance > 0, variance, 1.0))
    rows = [X / scale for X, _ in picked]
    shares = [p for _, p in picked]
    Xt, pt = rows[-1], shares[-1]
    across = [euclidean_distances(X, Xt, squared=True) for X in rows[:-1]]
    square = min(
        weighted_median(D.ravel(), np.repeat(p, len(Xt)))
        for D, p in zip(across, shares, strict=False)
    )
    gamma = 0.5 / (square if square > 0 else 1.0)

    def inner(D: Array, p: Array, q: Array) -> float:
        return float(p @ np.exp(-gamma * D) @ q)

    own = [
        inner(euclidean_distances(X, squared=True), p, p) for X, p in zip(rows, shares, strict=True)
    ]
    meets = [inner(D, p, pt) for D, p in zip(across, shares, strict=False)]
    similarity: Array = np.array(
        [2.0 * c / (a + own[-1]) for c, a in zip(meets, own, strict=False)]
    )
    return np.clip(similarity, 0.0, 1.0)


def _sample(X: Array, weight: Array | None, seed: int) -> tuple[Array, Array]:
    """Return at most `SAMPLE` rows of positive weight, and their shares of it."""
    X = X.astype(np.float64)
    if weight is not None:
        X, weight = X[weight > 0], weight[weight > 0]
    if len(X) > SAMPLE:
        kept = np.argsort(row_keys(X, seed), kind="stable")[:SAMPLE]
        X, weight = X[kept], None if weight is None else weight[kept]
    w: Array = np.ones(len(X)) if weight is None else weight
    return X, w / w.sum()


def _variance(X: Array, share: Array) -> Array:
    """Return the variance of each feature, shape (d,)."""
    centred = X - share @ X
    spread: Array = share @ centred**2
    return spread


@dataclass(frozen=True)
class Part:
    """The rows of one source.

    Parameters
    ----------
    id : str, int or float
        What the source is called.
    index : integer array of shape (n_i,)
        Where its rows lie among those of all sources.
    rows : Rows
        Its rows.
    """

    id: Any
    index: NDArray[np.intp]
    rows: Rows


def split(source: Rows) -> list[Part]:
    """Return the sources, sorted by id; none where all rows are of one.

    Parameters
    ----------
    source : Rows
        Rows of all sources.
    """
    if source.domains is None:
        return []
    ids = np.unique(source.domains)
    if len(ids) < 2:
        return []
    parts = []
    for name in ids.tolist():
        index = np.flatnonzero(source.domains == name)
        weight = None if source.weight is None else source.weight[index]
        rows = Rows(take(source.X, index), source.labels[index], None, weight)
        parts.append(Part(name, index, rows))
    return parts


def similarities(parts: Sequence[Part], target: Rows, seed: int) -> dict[Any, float]:
    """Return `source_similarity` of each source under its id."""
    values = source_similarity(
        [_numbers(part.rows.X) for part in parts], _numbers(target.X),
        [part.rows.weight for part in parts], seed,
    )  # fmt: skip
    return {part.id: float(v) for part, v in zip(parts, values, strict=True)}


def row_weights(
    parts: Sequence[Part], similarity: dict[Any, float], counts: Array | None = None
) -> Array:
    """Return a weight for each row in proportion to its source's similarity, 1 on average.

    A row counts by its source's similarity, whatever the size of the source, so that a source cut
    in two counts as before. Shape (n,), in the order of the rows before they were split. The
    average is over as many rows as ``counts`` says each row stands for.
    """
    w = np.empty(sum(len(part.index) for part in parts))
    for part in parts:
        w[part.index] = similarity[part.id]
    weights: Array = w / np.average(w, weights=counts)
    return weights


def each(method: Any, parts: Sequence[Part], run: Callable[[Any, Rows], T]) -> list[T]:
    """Run a method's own step on each source, and gather what it learned by the source's id.

    Parameters
    ----------
    method : Adapter
        Each source gets a shallow copy of it. What the copies learn, attributes that end in ``_``,
        is set on the method as a dict by source.
    parts : sequence of Part
        The sources.
    run : callable
        ``run(copy, rows of a source)``.

    Returns
    -------
    list
        What ``run`` returned for each source.

    Raises
    ------
    InputError
        A step failed on a source; the message names it.
    """
    results: list[T] = []
    learned: dict[str, dict[Any, Any]] = {}
    for part in parts:
        twin = copy.copy(method)
        for name in _own(twin):  # left by an earlier target
            delattr(twin, name)
        try:
            results.append(run(twin, part.rows))
        except InputError as error:
            raise InputError(f"source {part.id!r}: {error}") from error
        for name in _own(twin):
            learned.setdefault(name, {})[part.id] = getattr(twin, name)
    for name, values in learned.items():
        setattr(method, name, values)
    return results


def _own(method: Any) -> list[str]:
    """Return the names of what a method itself has learned."""
    return [name for name in vars(method) if name.endswith("_") and name not in _COMMON]


def _numbers(X: Any) -> Array:
    """Return rows as a dense matrix of shape (n, d)."""
    values: Array = np.asarray(dense(X), dtype=np.float64)
    flat: Array = values.reshape(len(values), -1)
    return flat
