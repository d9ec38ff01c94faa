"""`Pairing`: what methods on pairs of two modalities share; a method learns and embeds."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted

from acclimate.catalogue import Row, row_of
from acclimate.exceptions import InputError
from acclimate.maths.best_items import ROWS, best_items, similarities
from acclimate.paired.given_pairs import (
    Floats,
    Side,
    Two,
    axes,
    check_lengths,
    check_side,
    count,
    is_names,
    named,
    named_items,
    numbers,
    stacked,
)
from acclimate.refusing import as_input_error
from acclimate.settings import Constraints, check_settings


class Pairing(BaseEstimator, ABC):  # type: ignore[misc]
    """Two modalities in one space, in which partners are near each other.

    A subclass writes `_learn` and `_embed`. Rows of `_embed` have inner products that are
    similarities.
    """

    _parameter_constraints: ClassVar[Constraints] = {"encoders": [Two(), None]}

    def __init__(self, encoders: Any = None) -> None:
        self.encoders = encoders

    @abstractmethod
    def _learn(self, A: Floats, B: Floats) -> None:
        """Learn from numbers of both sides, shapes (n, d_A) and (n, d_B), row i of both a pair."""

    @abstractmethod
    def _embed(self, X: Floats, side: Side) -> Floats:
        """Return items of one side in the common space, shape (m, e)."""

    def fit(self, A: Any, B: Any) -> Self:
        """Learn from pairs.

        Parameters
        ----------
        A : array-like of n items
            Rows of numbers, or what the first encoder takes: images, texts, sounds.
        B : array-like of n items
            As A, of the other modality; item i of both is one pair. At least 3.

        Raises
        ------
        InputError
            A setting cannot be used, the sides have different lengths, or an item is no row of
            finite numbers.
        """
        check_settings(self)
        n = check_lengths(A, B)
        fitted, found = [], []
        for X, encoder, name in zip((A, B), self.encoders or (None, None), "AB", strict=True):
            step = None if encoder is None else clone(encoder)
            if step is not None:
                with as_input_error(X, name, only=ValueError):
                    step.fit(X)
            fitted.append(step)
            found.append(numbers(X, step, name))
        for rows, name in zip(found, "AB", strict=True):
            if not (rows != rows[0]).any():
                raise InputError(f"all {n} items of {name} are alike, so nothing tells them apart")
            if not rows.var(axis=0).any():
                raise InputError(
                    f"the numbers of {name} differ by {np.ptp(rows, axis=0).max():.3g} at most, "
                    f"which is too little to be squared; multiply them"
                )
        self.encoders_ = tuple(fitted)
        self.axes_ = (axes(A), axes(B))
        self.widths_ = (found[0].shape[1], found[1].shape[1])
        self.trained_on_ = {"pairs": n, "A": self.widths_[0], "B": self.widths_[1]}
        self._learn(*found)
        return self

    def transform(self, X: Any, given: str = "A") -> Floats:
        """Return items in the common space, whose inner products are similarities, shape (m, e).

        Parameters
        ----------
        X : array-like of m items
            Of the side that ``given`` names.
        given : {"A", "B"}, default="A"
            Which side they are of.
        """
        check_is_fitted(self)
        side = check_side(given)
        return self._embed(self._numbers(X, side), side)

    def retrieve(self, X: Any, gallery: Any, k: int = 10, *, given: str = "A") -> NDArray[np.intp]:
        """Return which items of a gallery fit best, shape (m, k), best first.

        Memory grows with m and with the gallery, not with their product. Equally similar items are
        in the order of the gallery.

        Parameters
        ----------
        X : array-like of m items
            New items of the side that ``given`` names.
        gallery : array-like of items
            Of the other side, at least k.
        k : int, default=10
            Items to find for each, at least 1.
        given : {"A", "B"}, default="A"
            Which side X is of; the gallery is of the other.

        Raises
        ------
        InputError
            ``k`` is out of range, or an item cannot be read.
        """
        check_is_fitted(self)
        side = check_side(given)
        size = count(gallery, "gallery")
        whole = isinstance(k, Integral) and not isinstance(k, bool)
        if not whole or not 1 <= k <= size:
            raise InputError(
                f"k must be a whole number from 1 to the {size} items of the gallery, got {k!r}"
            )
        queries = self._embed(self._numbers(X, side), side)
        return best_items(queries, self._blocks(gallery, _other(side)), int(k))

    def predict(self, X: Any, classes: Any, *, given: str = "A") -> NDArray[Any]:
        """Return the class that each item fits best, shape (m,): zero-shot, by a class's items.

        Classes need not be in the pairs that were learnt from. A class is the mean of its items'
        numbers; of equally similar classes the first is taken.

        Parameters
        ----------
        X : array-like of m items
            New items of the side that ``given`` names.
        classes : mapping from name to items, or list of str
            One item or several of the other side for each name. A list of names serves where the
            other side's encoder reads text: each name is its own item.
        given : {"A", "B"}, default="A"
            Which side X is of.

        Raises
        ------
        InputError
            There is no class, a class has no items, or an item cannot be read.

        Examples
        --------
        >>> import numpy as np
        >>> from acclimate import PairedRidge
        >>> A = np.random.default_rng(0).normal(size=(50, 3))
        >>> model = PairedRidge().fit(A, A @ np.diag([1.0, 2.0, 3.0]))
        >>> new = {"first": [5.0, 0.0, 0.0], "second": [[0.0, 5.0, 0.0], [0.0, 6.0, 1.0]]}
        >>> model.predict([[3.0, 0.0, 0.0], [0.0, 3.0, 0.0]], new)
        array(['first', 'second'], dtype='<U6')
        """
        check_is_fitted(self)
        side = check_side(given)
        other = _other(side)
        place = "AB".index(other)
        if is_names(classes):
            if self.encoders_[place] is None:
                raise InputError(
                    f"classes are names alone, and {other} has no encoder that reads text; give a "
                    f"mapping from each name to one or more items of {other}"
                )
            names, items, sizes = list(classes), list(classes), [1] * len(classes)
        else:
            names, items, sizes = named_items(classes, self.axes_[place])
        found = self._numbers(stacked(items), other)
        starts = np.cumsum([0, *sizes[:-1]])
        means = np.add.reduceat(found, starts, axis=0) / np.array(sizes)[:, None]
        prototypes = self._embed(means, other)
        queries = self._embed(self._numbers(X, side), side)
        best = [similarities(queries[part], prototypes).argmax(1) for part in
                gen_batches(len(queries), ROWS)]  # fmt: skip
        answers: NDArray[Any] = named(names)[np.concatenate(best)]
        return answers

    def summary(self) -> str:
        """Return a plain sentence on what was fitted."""
        check_is_fitted(self)
        names = [
            "rows of numbers" if one is None else f"what {type(one).__name__} makes"
            for one in self.encoders_
        ]
        return (
            f"{type(self).__name__}: A ({names[0]}, {self.widths_[0]}) and B ({names[1]}, "
            f"{self.widths_[1]}) in one space, from {self.trained_on_['pairs']} pairs."
        )

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        card: Mapping[str, Any] | None = None,
        extras: Mapping[str, Any] | None = None,
        rows: str = "warn",
    ) -> Path:
        """Write the model and its encoders into one file; see `acclimate.save`.

        Parameters
        ----------
        path : path-like
            The file. ``.acclimate`` is the usual ending.
        card : mapping, default=None
            Entries for the model card, such as scores. The summary is there already.
        extras : mapping, default=None
            Anything else that JSON can hold.
        rows : {"warn", "refuse"}, default="warn"
            What to do where the model keeps rows that it was fitted on.
        """
        from acclimate.persistence import save

        told = {"summary": self.summary()} if self.__sklearn_is_fitted__() else {}
        return save(self, path, card={**told, **(card or {})}, extras=extras, rows=rows)

    @classmethod
    def _row(cls) -> Row:
        return row_of(cls)

    def _numbers(self, X: Any, side: Side) -> Floats:
        """Return what an encoder makes of items, shape (m, d)."""
        place = "AB".index(side)
        return numbers(X, self.encoders_[place], side, self.widths_[place])

    def _blocks(self, gallery: Any, side: Side) -> Iterator[Floats]:
        """Yield the gallery in the common space, some items at a time."""
        found = self._numbers(gallery, side)
        for part in gen_batches(len(found), ROWS):
            yield self._embed(found[part], side)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "trained_on_")


def _other(side: Side) -> Side:
    return "B" if side == "A" else "A"
