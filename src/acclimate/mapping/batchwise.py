"""Mapping methods that look at means and covariances only: one pass over batches is enough."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from acclimate.adapter import Adapted
from acclimate.batches import Learner, Reader, finish, prepared, start
from acclimate.exceptions import InputError
from acclimate.mapping.mapped import DenseMapAdapter
from acclimate.mapping.moments import Moments
from acclimate.maths.excess import Looked
from acclimate.templates import Map, Mapped
from acclimate.validation import Rows


class MomentsAdapter(DenseMapAdapter):
    """A `DenseMapAdapter` whose maps follow from the moments of both domains.

    A subclass writes `_align_moments` and gets `fit_batches`.
    """

    @abstractmethod
    def _align_moments(self, source: Moments, target: Moments) -> tuple[Map, Map]:
        """Return the map of source rows and the map of target rows."""

    def _looks_at_rows(self) -> bool:
        """Tell whether `_shrunk` needs rows."""
        return False

    def _shrunk(
        self, maps: tuple[Map, Map], moments: tuple[Moments, Moments], rows: tuple[Rows, Rows],
        seed: int,
    ) -> tuple[Map, Map]:  # fmt: skip
        """Return the maps, which may go less far.

        Parameters
        ----------
        maps : pair of callables
            What `_align_moments` found.
        moments : pair of Moments
            Of both domains.
        rows : pair of Rows
            Those that `acclimate.maths.excess.excess_share` looks at; none unless
            `_looks_at_rows`.
        seed : int
            As in `_align`.
        """
        return maps

    def fit_batches(self, source: Iterable[tuple[Any, Any]], target: Iterable[Any]) -> Self:
        """Fit on batches of rows, in memory that does not depend on their number.

        The maps are found in one pass over each domain and are those of `fit` on all rows, but for
        rounding. A second pass over the source hands the mapped rows to ``partial_fit`` of the base
        estimator, batch by batch and in their order, so rows should be shuffled. A preprocessing
        step needs ``partial_fit``, too, and one more pass over the source before the others.

        Parameters
        ----------
        source : iterable of pairs (X, y)
            Batches of shapes (k, d) and (k,), read two times: a list, or an object whose
            ``__iter__`` starts anew, such as `acclimate.tables.batches`. X may be an array, a data
            frame, or a table of Arrow. float32 stays float32.
        target : iterable of X
            Batches of shape (k, d), read once.

        Returns
        -------
        self : Adapter
            The fitted method. It holds no source rows, so it cannot `adapt` to another target.

        Raises
        ------
        InputError
            The estimator has no ``partial_fit``, the source can be read once only, or a batch
            cannot be used.
        """
        self._check_settings()
        reader = Reader(self)
        start(self, source, reader)
        ours, theirs, labels = Moments(), Moments(), set[Any]()
        seed, looks = self._stage_seed(2), self._looks_at_rows()
        here, there = Looked(seed), Looked(seed)
        for block, y in reader.pairs(source):
            ready = prepared(self, block)
            ours.add(ready.columns)
            if looks:
                here.add(ready.matrix)
            labels.update([] if self._regression() else np.unique(y).tolist())
        for block in reader.rows(target):
            ready = prepared(self, block)
            theirs.add(ready.columns)
            if looks:
                there.add(ready.matrix)
        classes = None
        if not self._regression():
            classes = np.array(sorted(labels))
            if len(classes) < 2:
                raise InputError(
                    f"the source labels have {len(classes)} class, {classes.tolist()!r}; "
                    f"a classifier needs at least 2"
                )
        source_map, target_map = self._shrunk(
            self._align_moments(ours, theirs), (ours, theirs), (Rows(here.X), Rows(there.X)), seed
        )
        plain = Learner(self._base(), self._stage_seed(1), classes)
        mapped = Learner(self._base(), self._stage_seed(2), classes)
        seen = 0
        for block, y in reader.pairs(source):
            X = prepared(self, block).matrix
            plain.learn(X, y)
            mapped.learn(source_map(X), y)
            seen += len(y)
        if seen != ours.n:
            raise InputError(
                f"the source had {ours.n} rows in the first pass and {seen} in the second; "
                f"its batches must be the same each time"
            )
        model = mapped.model
        adapted = Adapted(Mapped(target_map, model), Mapped(source_map, model))
        finish(self, plain.model, adapted, (ours.n, theirs.n), classes)
        return self
