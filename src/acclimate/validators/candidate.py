"""What is known of a candidate without target labels: the input of all validators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.arrays import _finite, _fit, as_proba
from acclimate.exceptions import InputError

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Mixed:
    """Predictions for mixed pairs of target rows. `reruns.mixed_predictions` makes it.

    Parameters
    ----------
    answers : ndarray of shape (p,)
        What the candidate predicts for each mixed row.
    expected : ndarray of shape (p,)
        What it predicts for the row that has the larger share.
    same : bool ndarray of shape (p,)
        Whether it predicts the same for both rows of the pair.
    """

    answers: NDArray[Any]
    expected: NDArray[Any]
    same: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of one candidate, without target labels.

    Use it with `validators.validate` and `estimates.estimate_accuracy`. All source rows must be
    *held out*: rows the candidate was not fitted on, predicted with ``domain="source"``. Do not
    put training rows there: every score that reads them is then too good.

    Parameters
    ----------
    source_proba : array-like of shape (n, k), or None
        Predicted probabilities of held-out source rows; for regression the values, shape (n,).
    source_labels : array-like of shape (n,), or None
        Their labels: column numbers of ``source_proba``, or members of ``classes``.
    target_proba : array-like of shape (m, k)
        Predicted probabilities of target rows; for regression the values, shape (m,).
    source_features, target_features : array-like of shape (n, d) and (m, d), default=None
        Features the candidate works on, of the same rows. Weights are estimated from them where
        ``weights`` is None.
    weights : array-like of shape (n,), default=None
        Density ratio p_target(x) / p_source(x) of the held-out source rows, at least 0. *Not*
        scaled to a mean of 1, which would take the control variate from DEV.
    target_logits : array-like of shape (m, k), default=None
        What a network gives before softmax.
    consensus : array-like of shape (m, k) or (m,), default=None
        What all candidates say together, this one included. See `panel.consensus`.
    reverse_labels : array-like of shape (n,), default=None
        What the reverse model predicts for the held-out source rows, in the same code as
        ``source_labels``. See `reruns.reverse_predictions`.
    mixed : Mixed, default=None
        See `reruns.mixed_predictions`.
    classes : array-like of shape (k,), default=None
        Label of each column. None means 0 to k - 1. None again afterwards, since labels are column
        numbers then.

    Raises
    ------
    InputError
        Shapes do not fit, a value is not finite, rows of probabilities do not add up to 1, or a
        label is none of the classes.

    Examples
    --------
    >>> from acclimate.validators.candidate import Evidence
    >>> known = Evidence([[0.9, 0.1], [0.2, 0.8]], ["no", "yes"], [[0.6, 0.4]],
    ...                  classes=["no", "yes"])
    >>> known.source_labels, known.regression
    (array([0, 1]), False)
    """

    source_proba: Any
    source_labels: Any
    target_proba: Any
    source_features: Any = None
    target_features: Any = None
    weights: Any = None
    target_logits: Any = None
    consensus: Any = None
    reverse_labels: Any = None
    mixed: Mixed | None = None
    classes: Any = None

    def __post_init__(self) -> None:
        """Check everything and store arrays; labels become column numbers."""
        checked: dict[str, Any] = {"target_proba": as_proba(self.target_proba, "target_proba")}
        m, columns = len(checked["target_proba"]), checked["target_proba"].shape[1:]
        n = None
        if (self.source_proba is None) != (self.source_labels is None):
            raise InputError("source_proba and source_labels must be given together, or neither")
        if self.source_proba is not None:
            checked["source_proba"] = source = as_proba(self.source_proba, "source_proba")
            n = len(source)
            _fit("source_proba", source, (n, *columns))
        for name in ("source_labels", "reverse_labels"):
            if getattr(self, name) is not None:
                checked[name] = self._codes(name, (n,), columns)
        for name, rows in (("source_features", n), ("target_features", m)):
            if getattr(self, name) is not None:
                features = _finite(getattr(self, name), name)
                checked[name] = _fit(name, features, (rows, *(features.shape[1:2] or (1,))))
        if self.weights is not None:
            weights = checked["weights"] = _fit("weights", _finite(self.weights, "weights"), (n,))
            if weights.min() < 0:
                raise InputError(f"weights must be at least 0, got {float(weights.min())}")
        if self.consensus is not None:
            consensus = as_proba(self.consensus, "consensus")
            checked["consensus"] = _fit("consensus", consensus, (m, *columns))
        if self.target_logits is not None:
            logits = _finite(self.target_logits, "target_logits")
            checked["target_logits"] = _fit("target_logits", logits, (m, *columns))
        checked["classes"] = None  # so that dataclasses.replace does not code the codes again
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def regression(self) -> bool:
        """Whether values are predicted, not classes."""
        return bool(self.target_proba.ndim == 1)

    def _codes(
        self, name: str, shape: tuple[int | None, ...], columns: tuple[int, ...]
    ) -> NDArray[Any]:
        """Return labels as column numbers, or values as they are, shape (n,)."""
        values = _fit(name, np.asarray(getattr(self, name)), shape)
        if not columns:
            return _finite(values, name)
        k = columns[0]
        classes = np.arange(k) if self.classes is None else np.asarray(self.classes)
        _fit("classes", classes, (k,))
        order = np.argsort(classes, kind="stable")
        place = np.minimum(np.searchsorted(classes, values, sorter=order), k - 1)
        codes: NDArray[np.intp] = order[place]
        wrong = classes[codes] != values
        if wrong.any():
            raise InputError(
                f"{name} holds {values[wrong][0]!r}, which is none of the {k} classes "
                f"{classes.tolist()[:10]}; pass classes= in the order of the columns"
            )
        return codes
