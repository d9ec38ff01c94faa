"""Which labels train and which judge: nested cross-fitting on the labelled target rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.folds import few_label_folds

LeftOut = tuple[int, tuple[int, ...]]  # a repeat, and the folds that are left out
LEAST_LABELS = 8
_LEAST_FOLDS = 3  # one judges, one chooses, one trains


@dataclass(frozen=True, eq=False)
class Design:
    """Repeated folds of the labelled rows, the same for all candidates.

    In repeat r and fold i the rows of fold i judge. Candidates are fitted on all other folds, and
    the one that answers for fold i is picked on scores from *inside* those: for each other fold j,
    by models that were trained without i and without j. So no row has a part in choosing or
    training what it judges. The models without {i, j} serve both outer folds i and j, so K folds
    take K + K (K - 1) / 2 fits in each repeat instead of K^2.

    Parameters
    ----------
    known : ndarray of shape (m,)
        Positions of the labelled rows in the target.
    labels : ndarray of shape (m,)
        Their labels or values.
    fold_of : ndarray of shape (repeats, m)
        Fold of each labelled row.
    classify : bool
    weights : ndarray of shape (m,) or None
        Importance weights of the labelled rows, where they are no plain sample.
    few : bool, default=False
        Whether the labels are too few for a verdict, so that nothing is settled by them.
    """

    known: NDArray[np.intp]
    labels: NDArray[Any]
    fold_of: NDArray[np.intp]
    classify: bool
    weights: NDArray[np.float64] | None = None
    few: bool = False

    @property
    def repeats(self) -> int:
        """Number of repeats."""
        return len(self.fold_of)

    @property
    def folds(self) -> int:
        """Folds in each repeat."""
        return int(self.fold_of.max()) + 1

    @property
    def training_labels(self) -> int:
        """Labels that train where one fold is left out, rounded."""
        return round(len(self.labels) * (1 - 1 / self.folds))

    def weigh(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return scores of shape (..., m) times the weights, so that means are over the target."""
        return scores if self.weights is None else scores * self.weights

    def parts(self, repeats: int | None = None, *, pooled: bool = False) -> Iterator[LeftOut]:
        """Yield (repeat, folds left out): each fold alone, then each pair that leaves a model.

        Parameters
        ----------
        repeats : int, default=None
            Only the first so many.
        pooled : bool, default=False
            Whether source rows train, too, so that any row that stays is enough.
        """
        for r in range(self.repeats if repeats is None else repeats):
            for size in (1, 2):
                for out in combinations(range(self.folds), size):
                    if self.can_learn(r, out) or (pooled and not self.left_out(r, out).all()):
                        yield r, out

    def left_out(self, repeat: int, out: tuple[int, ...]) -> NDArray[np.bool_]:
        """Return which labelled rows lie in these folds, shape (m,)."""
        mask: NDArray[np.bool_] = np.isin(self.fold_of[repeat], out)
        return mask

    def can_learn(self, repeat: int, out: tuple[int, ...]) -> bool:
        """Tell whether the rows that stay train a model alone: two classes, or two rows."""
        stay = self.labels[~self.left_out(repeat, out)]
        return len(stay) > 1 and (not self.classify or len(np.unique(stay)) > 1)


def fits_of(folds: int) -> int:
    """Return the fits of one repeat: without each fold, and without each pair of folds."""
    return folds + folds * (folds - 1) // 2


def make_design(
    labels: NDArray[Any],
    known: NDArray[np.intp],
    *,
    classify: bool,
    folds: int,
    repeats: int,
    seed: int,
    key: NDArray[Any] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> Design:
    """Lay out the folds of the labelled rows.

    Fewer than 8 labels, or fewer than two classes with 3 of them, are too `few` for a verdict. They
    are laid out all the same: one row at a time where there are fewer than 8, and without regard to
    the classes where none has 3. What stays may then have one class; see `Design.can_learn`.

    Parameters
    ----------
    labels : ndarray of shape (m,)
        Labels or values of the labelled rows.
    known : ndarray of shape (m,)
        Their positions in the target.
    classify : bool
    folds, repeats : int
        At least 3 and 1.
    seed : int
    key : ndarray of shape (m,), default=None
        See `few_label_folds`.
    weights : ndarray of shape (m,), default=None
        See `Design`.

    Raises
    ------
    InputError
        There are fewer than 2 labels, or a setting is out of its range.
    """
    if folds < _LEAST_FOLDS:
        raise InputError(f"folds must be at least {_LEAST_FOLDS}, got {folds!r}")
    if len(labels) < 2:
        raise InputError(f"{len(labels)} target labels cannot train and judge; give at least 2")
    counts = np.unique(labels, return_counts=True)[1] if classify else np.array([len(labels)] * 2)
    few = len(labels) < LEAST_LABELS or (counts >= _LEAST_FOLDS).sum() < 2
    if len(labels) < LEAST_LABELS:  # more repeats would lay out the same
        order = np.arange(len(labels)) if key is None else np.argsort(key, kind="stable")
        return Design(known, labels, np.argsort(order)[None], classify, weights, few)
    parts = few_label_folds(
        labels, classify=classify and bool(counts.max() >= _LEAST_FOLDS), folds=folds,
        repeats=repeats, seed=seed, key=key,
    )  # fmt: skip
    each = len(parts) // repeats
    fold_of = np.zeros((repeats, len(labels)), dtype=np.intp)
    for place, (_, held) in enumerate(parts):
        fold_of[place // each, held] = place % each
    return Design(known, labels, fold_of, classify, weights, few)
