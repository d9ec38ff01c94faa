"""Which class of the target is which class of the source."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError, TransferWarning
from acclimate.validation import Rows


@dataclass(frozen=True)
class Match:
    """The same classes under the labels of both domains. Both fields are None in a regression.

    Parameters
    ----------
    known : ndarray of shape (k,) or None
        The source's label for each of the target's.
    classes : ndarray of shape (k,) or None
        The target's labels, sorted.
    """

    known: NDArray[Any] | None = None
    classes: NDArray[Any] | None = None

    def to_source(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return target labels as the source calls them; values pass unchanged."""
        if self.known is None or self.classes is None:
            return y
        renamed: NDArray[Any] = self.known[np.searchsorted(self.classes, y)]
        return renamed

    def to_target(self, model: Any) -> Any:
        """Return a model of the source's labels as one that answers in the target's."""
        if self.known is None or self.classes is None or np.array_equal(self.known, self.classes):
            return model
        return Renamed(model, self.known, self.classes)


def match_classes(
    method: str, known: NDArray[Any], names: Mapping[Any, str] | None, target: Rows
) -> Match:
    """Match the target's classes to the source's, for methods whose question must be the same.

    Where both sides name their classes, names decide. Otherwise equal labels are taken to mean
    equal classes, and classes without a labelled target row stay known.

    Parameters
    ----------
    method : str
        Name for the message.
    known : ndarray of shape (k,)
        The source's classes, sorted.
    names : mapping from label to str or None
        What the source's labels mean.
    target : Rows
        Labelled rows.

    Returns
    -------
    Match

    Raises
    ------
    InputError
        The target has a class that the source does not have, or the names differ.
    """
    if names is not None and target.class_names is not None:
        mine = {names[label]: label for label in known.tolist() if label in names}
        classes = target.classes
        theirs = [target.class_names[label] for label in classes.tolist()]
        if set(mine) != set(theirs):
            raise InputError(
                f"{method} needs the same classes on both sides: the source's are called "
                f"{sorted(mine)}, the target's {sorted(theirs)}. FineTune and TargetOnly take "
                f"other classes"
            )
        return Match(np.array([mine[name] for name in theirs], dtype=known.dtype), classes)
    labels = set(known.tolist())
    unknown = [label for label in np.unique(target.labels).tolist() if label not in labels]
    if unknown:
        raise InputError(
            f"{method} needs the same classes on both sides: the target has {unknown[0]!r}, the "
            f"source has {known.tolist()}. FineTune and TargetOnly take other classes"
        )
    return Match(known, known)


def lost_classes(known: NDArray[Any], names: Mapping[Any, str] | None, target: Rows) -> list[str]:
    """Return what the source's classes without a labelled target row are called.

    There are none where the target has a class that the source lacks: its question is another.

    Parameters
    ----------
    known : ndarray of shape (k,)
        The source's classes, sorted.
    names : mapping from label to str or None
        What the source's labels mean.
    target : Rows
        Labelled rows.
    """
    seen: set[Any] = set(np.unique(target.labels).tolist())
    mine = {label: label for label in known.tolist()}
    if names is not None and target.class_names is not None:
        seen = {target.class_names[label] for label in seen}
        mine = {label: names[label] for label in known.tolist() if label in names}
    if not seen <= set(mine.values()):
        return []
    called = names or {}
    return [str(called.get(label, label)) for label, one in mine.items() if one not in seen]


def warn_of_lost(method: str, lost: Sequence[str], way_out: str) -> None:
    """Warn, where classes of the source are lost, that no row will be answered with them."""
    if not lost:
        return
    some = ", ".join(repr(name) for name in lost[:5])
    more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
    warnings.warn(
        f"no labelled target row is of the source's class {some}{more}, so {method} never answers "
        f"it. {way_out}",
        TransferWarning,
        stacklevel=6,
    )


class Renamed:
    """A fitted classifier whose labels are called otherwise on the target.

    Parameters
    ----------
    model : fitted classifier
        Answers in the source's labels.
    known : ndarray of shape (k,)
        The source's label for each of the target's.
    classes : ndarray of shape (k,)
        The target's labels, sorted.
    """

    def __init__(self, model: Any, known: NDArray[Any], classes: NDArray[Any]) -> None:
        self.model = model
        self.classes_ = classes
        self.columns = np.searchsorted(model.classes_, known)
        self.names: Mapping[Any, Any] = dict(zip(known.tolist(), classes.tolist(), strict=True))

    def predict(self, X: Any) -> Any:
        """Return the target's labels, shape (m,)."""
        answers = [self.names[label] for label in self.model.classes_.tolist()]
        codes = np.searchsorted(self.model.classes_, self.model.predict(X))
        return np.array(answers, dtype=self.classes_.dtype)[codes]

    def __getattr__(self, name: str) -> Any:
        if name in ("predict_proba", "decision_function"):
            answer = getattr(self.model, name)  # AttributeError where the model has none
            return lambda X: self._reorder(answer(X))
        raise AttributeError(name)

    def _reorder(self, scores: Any) -> Any:
        if scores.ndim == 2:
            return scores[:, self.columns]
        return scores if self.columns[0] == 0 else -scores


class Kept:
    """A fitted classifier beside an older one that answers for classes the newer has not met.

    A class without rows keeps the probability that the older model gives it; the others share what
    is left in the newer model's proportions.

    Parameters
    ----------
    model : fitted classifier
        The newer one, of k classes.
    source : fitted classifier
        The older one.
    columns : integer ndarray of shape (k,)
        For each class of the newer model, its column in the older one's probabilities.
    lost : boolean ndarray of shape (k,)
        Classes that the newer model has not met.
    """

    def __init__(
        self, model: Any, source: Any, columns: NDArray[np.intp], lost: NDArray[np.bool_]
    ) -> None:
        self.model = model
        self.source = source
        self.columns = columns
        self.lost = lost
        self.classes_ = model.classes_

    def predict_proba(self, X: Any) -> NDArray[np.floating[Any]]:
        """Return class probabilities, shape (m, k)."""
        lost = self.lost
        kept = self.source.predict_proba(X)[:, self.columns][:, lost]
        own = np.where(lost, 0.0, self.model.predict_proba(X))
        own += np.where(
            lost, 0.0, np.finfo(np.float64).tiny
        )  # where the newer is sure of lost ones
        shares: NDArray[np.floating[Any]] = own / own.sum(1, keepdims=True)
        shares *= 1.0 - kept.sum(1, keepdims=True)
        shares[:, lost] = kept
        return shares

    def decision_function(self, X: Any) -> NDArray[np.floating[Any]]:
        """Return log probabilities, shape (m, k)."""
        logs: NDArray[np.floating[Any]] = np.log(
            np.maximum(self.predict_proba(X), np.finfo(np.float64).tiny)
        )
        return logs

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the labels of the highest probability, shape (m,)."""
        labels: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(1)]
        return labels
