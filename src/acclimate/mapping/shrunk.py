"""How far a method of alignment goes: no further than the domains differ beyond chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.arrays import as_matrix
from acclimate.maths.excess import excess_share
from acclimate.templates import Map
from acclimate.validation import Rows

Array = NDArray[np.floating[Any]]
MARGIN = 0.1  # by which the share that chance explains varies between draws


def shrinkage_of(setting: float | str, source: Rows, target: Rows, seed: int) -> float:
    """Return a shrinkage in [0, 1]: 0 is the method as it is, 1 the source's rows or model.

    "auto" follows the share of the domains' distance that two draws of one domain would have: 0 up
    to a tenth, so that plain shifts are treated as the paper says, 1 from nine tenths on, since
    that share varies from draw to draw, and in proportion between.
    Where the method reads labels of the target it is 0: domains of equal inputs may then differ.

    Parameters
    ----------
    setting : float in [0, 1] or "auto"
        A number is returned as it is.
    source, target : Rows
        Dense rows of both domains; source rows count by their weights.
    seed : int
        Decides which rows are looked at where there are many.
    """
    if setting != "auto":
        return float(setting)
    if target.y is not None:
        return 0.0
    counts = None if source.weight is None else source.counts
    chance = 1.0 - excess_share(source.X, target.X, counts, seed=seed)
    return min(1.0, max(0.0, chance - MARGIN) / (1.0 - 2.0 * MARGIN))


@dataclass(frozen=True)
class PartWay:
    """The map ``x + (1 - s) (T(x) - x)``: a part of the way that another map goes.

    Parameters
    ----------
    whole : callable
        The map T, from rows of shape (m, d) to rows of the same shape.
    shrinkage : float
        Share s in [0, 1] of the way that is not gone.
    """

    whole: Map
    shrinkage: float

    def __call__(self, X: Any) -> Array:
        """Return mapped rows, shape (m, d), in the precision of X."""
        X = as_matrix(X)
        moved: Array = X + X.dtype.type(1.0 - self.shrinkage) * (self.whole(X) - X)
        return moved


@dataclass(frozen=True)
class Beside:
    """The map to ``(root(s) c x, root(1 - s) T(x))``, inputs beside features.

    A kernel of such rows is a mean of two: that of the inputs and that of the features.

    Parameters
    ----------
    whole : callable
        The map T, from rows of shape (m, d) to features of shape (m, k).
    shrinkage : float
        Share s in (0, 1] of the inputs.
    factor : float
        Scale c of the inputs.
    """

    whole: Map
    shrinkage: float
    factor: float

    def __call__(self, X: Any) -> Array:
        """Return inputs and features, shape (m, d + k), in the precision of X."""
        X = as_matrix(X)
        own: Array = X * X.dtype.type(np.sqrt(self.shrinkage) * self.factor)
        if self.shrinkage == 1:
            return own
        features = self.whole(X) * X.dtype.type(np.sqrt(1.0 - self.shrinkage))
        both: Array = np.hstack([own, features])
        return both


def beside(maps: Sequence[Map], shrinkage: float, sides: Sequence[Rows]) -> list[Map]:
    """Return the maps of all domains with a share of the inputs beside their features.

    With 0 they are the maps as they are, with 1 the inputs as they are. In between, the inputs are
    scaled by `unit_of_inputs`, with the total variances of inputs and features over all domains.

    Parameters
    ----------
    maps : sequence of callables
        From rows of each domain to features of shape (m, k).
    shrinkage : float
        Share s in [0, 1].
    sides : sequence of Rows
        Rows of each domain.
    """
    if shrinkage == 0:
        return list(maps)
    inputs = sum(total_variance(rows.X, rows.weight) for rows in sides)
    features = sum(
        total_variance(m(rows.X), rows.weight) for m, rows in zip(maps, sides, strict=True)
    )
    factor = unit_of_inputs(inputs, features, shrinkage)
    return [Beside(whole, shrinkage, factor) for whole in maps]


def unit_of_inputs(inputs: float, features: float, shrinkage: float) -> float:
    """Return the scale of inputs beside features, ``(V / U)^((1 - s) / 2)``.

    A unit of the inputs then weighs less the less of them there is to be.

    Parameters
    ----------
    inputs, features : float
        Total variances U and V.
    shrinkage : float
        Share s in [0, 1].
    """
    ratio = features / inputs if inputs > 0 and features > 0 else 1.0
    return float(ratio ** ((1.0 - shrinkage) / 2.0))


def total_variance(X: Array, weight: Array | None) -> float:
    """Return the sum of the variances of the columns of X, shape (n, d), by weights (n,)."""
    X = X.astype(np.float64, copy=False)
    mean = np.average(X, axis=0, weights=weight)
    return float(np.average(((X - mean) ** 2).sum(1), weights=weight))
