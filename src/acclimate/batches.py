"""What fitting on batches needs: batches of every usual kind, learners that take them, the state.

A method that is fitted in one pass over the target and a few over the source writes `fit_batches`
with these functions. Memory then depends on the size of a batch, not on the number of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from acclimate import validation as door
from acclimate.adapter import Adapted, Adapter, seeded
from acclimate.exceptions import InputError
from acclimate.settings import check_settings, drawn_seed

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Block:
    """Rows of one batch.

    Parameters
    ----------
    columns : ndarray of shape (k, d), or list of d ndarrays of shape (k,)
        A matrix, or columns that need not lie side by side.
    names : list of str or None
        Names of the columns.
    """

    columns: Any
    names: list[str] | None

    def __len__(self) -> int:
        if isinstance(self.columns, np.ndarray):
            return len(self.columns)
        return len(self.columns[0]) if self.columns else 0

    @property
    def matrix(self) -> Array:
        """The rows as a matrix of shape (k, d)."""
        if isinstance(self.columns, np.ndarray):
            return self.columns
        dtype = np.result_type(*self.columns)
        room: Array = np.empty((len(self.columns), len(self)), dtype=dtype)
        for j, column in enumerate(self.columns):
            room[j] = column
        return room.T


def as_block(X: Any) -> Block:
    """Return a batch as numbers: an array, a data frame, or an Arrow table or record batch.

    Raises
    ------
    InputError
        It holds something other than a matrix of numbers.
    """
    names: list[str] | None = None
    columns: Any
    if hasattr(X, "column_names") and hasattr(X, "num_rows"):  # of Arrow, columns are not copied
        names = list(X.column_names)
        columns = [_numbers(_column(X.column(j)), names[j]) for j in range(len(names))]
    elif hasattr(X, "columns") and hasattr(X, "dtypes"):
        names = [str(name) for name in X.columns]
        columns = [_numbers(X.iloc[:, j].to_numpy(), names[j]) for j in range(len(names))]
    else:
        columns = _numbers(np.asarray(X), "the batch")
        if columns.ndim != 2:
            raise InputError(
                f"a batch must hold rows of features, shape (k, d); got shape {columns.shape}. "
                f"Batches of the source are pairs (X, y)"
            )
    return Block(columns, names)


def _column(column: Any) -> NDArray[Any]:
    try:
        values = column.to_numpy()
    except (TypeError, ValueError, ArithmeticError, NotImplementedError):
        values = column.to_numpy(zero_copy_only=False)
    return np.asarray(values)


def _numbers(values: NDArray[Any], name: str) -> Array:
    if values.dtype in (np.float32, np.float64):
        return values
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} holds something other than numbers ({error})") from error


class Reader:
    """Reads batches again and again, and holds them to the features of the first one.

    Parameters
    ----------
    method : Adapter
        Gets ``n_features_in_`` and ``feature_names_in_`` from the first batch that is read.
    """

    def __init__(self, method: Adapter) -> None:
        self.method = method
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(method, name):
                delattr(method, name)

    def rows(self, batches: Iterable[Any]) -> Iterator[Block]:
        """Yield batches without labels, in the order of the fitted columns."""
        for batch in batches:
            block = self._matched(as_block(batch))
            if len(block):
                yield block

    def pairs(self, batches: Iterable[Any]) -> Iterator[tuple[Block, NDArray[Any]]]:
        """Yield batches with their labels, shape (k,)."""
        for batch in batches:
            if not isinstance(batch, tuple) or len(batch) != 2:
                raise InputError(
                    f"a batch of the source must be a pair (X, y), got {type(batch).__name__}"
                )
            block = self._matched(as_block(batch[0]))
            if len(block):
                regression = self.method._regression()
                y = door.check_labels(self.method, batch[1], regression=regression, n=len(block))
                yield block, y

    def _matched(self, block: Block) -> Block:
        method = self.method
        d = len(block.columns.T if isinstance(block.columns, np.ndarray) else block.columns)
        if not hasattr(method, "n_features_in_"):
            method.n_features_in_ = d
            if block.names is not None:
                method.feature_names_in_ = np.array(block.names, dtype=object)
        known = getattr(method, "feature_names_in_", None)
        if known is not None and block.names is not None and list(known) != block.names:
            place = {name: j for j, name in enumerate(block.names)}
            missing = [name for name in known if name not in place]
            if missing:
                raise InputError(
                    f"a batch lacks the column {missing[0]!r}; it has {list(place)[:8]}"
                )
            block = Block([block.columns[place[name]] for name in known], list(known))
            d = len(known)
        if d != method.n_features_in_:
            raise InputError(f"a batch has {d} features, the first one had {method.n_features_in_}")
        return block


def check_again(batches: Any, side: str) -> None:
    """Raise where batches can be read once only."""
    if isinstance(batches, Iterator) or not isinstance(batches, Iterable):
        raise InputError(
            f"the batches of the {side} are read more than once: give a list or an object whose "
            f"__iter__ starts anew, such as acclimate.tables.batches(path), not a generator; got "
            f"{type(batches).__name__}"
        )


def check_learner(model: Any, role: str, examples: str) -> None:
    """Raise where a model cannot learn in batches."""
    if not hasattr(model, "partial_fit"):
        raise InputError(
            f"{type(model).__name__} cannot learn in batches: it has no partial_fit. Give {role} "
            f"one that has, such as {examples}"
        )


def start(method: Adapter, source: Any, reader: Reader) -> None:
    """Check what cannot learn in batches, draw the seed and fit the preprocessing, in one pass."""
    check_settings(method)
    check_again(source, "source")
    regression = method._regression()
    examples = "SGDRegressor()" if regression else "SGDClassifier(loss='log_loss')"
    check_learner(method._base(), "estimator", examples)
    method.seed_ = drawn_seed(method.random_state)[0]
    method.preprocess_ = None
    if method.preprocess is not None:
        check_learner(method.preprocess, "preprocess", "StandardScaler()")
        step = clone(method.preprocess)
        for block, _ in reader.pairs(source):
            step.partial_fit(block.matrix)
        method.preprocess_ = step


def prepared(method: Adapter, block: Block) -> Block:
    """Return a batch after preprocessing."""
    step = method.preprocess_
    return block if step is None else as_block(np.asarray(step.transform(block.matrix)))


class Learner:
    """A clone of an estimator that learns batch by batch.

    Parameters
    ----------
    estimator : estimator with ``partial_fit``
        Is not changed.
    seed : int
        Seeds its free random states.
    classes : ndarray of shape (n_classes,) or None
        All labels there are, for a classifier.
    """

    def __init__(self, estimator: Any, seed: int, classes: NDArray[Any] | None) -> None:
        self.model = seeded(estimator, seed)
        self._first: Mapping[str, Any] = {} if classes is None else {"classes": classes}

    def learn(self, X: Array, y: NDArray[Any], weight: Array | None = None) -> None:
        """Take in rows, shape (k, d), their labels, and weights of shape (k,)."""
        extra = {} if weight is None else {"sample_weight": weight}
        self.model.partial_fit(X, y, **self._first, **extra)
        self._first = {}


def finish(
    method: Adapter,
    source_model: Any,
    adapted: Adapted,
    rows: tuple[int, int],
    classes: NDArray[Any] | None,
) -> None:
    """Leave a method as `fit` leaves it, but for the source rows, which it does not keep.

    Parameters
    ----------
    method : Adapter
        Gets the state.
    source_model : estimator
        Model of the source alone.
    adapted : Adapted
        Models after adaptation.
    rows : tuple of two int
        Rows of source and target.
    classes : ndarray of shape (n_classes,) or None
        Labels of the source.
    """
    about = {"features": method.n_features_in_, "class_names": None}
    listed = None if classes is None else classes.tolist()
    method.source_model_ = source_model
    method.source_class_names_ = method.source_shares_ = None
    method._source = None
    method.trained_on_ = {"source": {"rows": rows[0], "classes": listed, **about}}
    method._reset_to_stage_one()
    if hasattr(method, "source_similarity_"):  # of an earlier fit
        del method.source_similarity_
    method.target_model_, method._source_after = adapted.target, adapted.source
    method.adapted_ = True
    method.trained_on_["target"] = {
        "name": None, "labelled": 0, "rows": rows[1], "classes": None, **about,
    }  # fmt: skip
    if hasattr(adapted.target, "classes_"):
        method.classes_ = adapted.target.classes_
