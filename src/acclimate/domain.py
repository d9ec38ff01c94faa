"""`Domain`: the target as one value that arrives whole wherever it is passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any


@dataclass(frozen=True, eq=False)
class Domain:
    """Inputs of one domain, with labels where there are any.

    Pass it as ``target=`` to `fit` or `adapt`. It has no length, no shape and no items, on purpose:
    scikit-learn slices every array-like fit parameter that has as many rows as ``X``, so an array
    passed through ``GridSearchCV.fit`` would lose rows without a word. A `Domain` arrives whole.

    Parameters
    ----------
    X : array-like or data frame of shape (m, ...)
        Inputs.
    y : array-like of shape (m,), default=None
        Labels or target values. Whether a method sees them is written in its catalogue row. A gap,
        that is None, NaN or NA, is a label that is not known.
    labelled : array-like of bool of shape (m,), default=None
        Which labels are known. None means all but gaps. Values of ``y`` elsewhere are never read.
    sample_weight : array-like of shape (m,), default=None
        Weights of the rows with a known label, at least 0: 3 counts as three rows, 0 as no label.
        `TargetOnly`, `FineTune`, `ParameterTransfer` and `JointObjective` take them.
    class_names : sequence of str or mapping from label to str, default=None
        What the labels mean. In a sequence, the integer label ``i`` is called ``class_names[i]``.
    class_shares : mapping from label, or its name, to float or pair of float, default=None
        What share of these rows is of a class: 0.7, or (0.6, 0.8) for a range. For targets without
        labels; see `Adapter.adapt`.
    name : str, default=None
        What messages and reports call this domain.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain
    >>> target = Domain(np.zeros((3, 2)), [0, 1, 0], name="ward B")
    >>> target
    Domain('ward B', X: (3, 2), y: given)
    >>> target == Domain(target.X, target.y)
    False
    """

    X: Any
    y: Any = field(default=None)
    _: KW_ONLY
    labelled: Any = field(default=None)
    sample_weight: Any = field(default=None)
    class_names: Sequence[str] | Mapping[Any, str] | None = field(default=None)
    class_shares: Mapping[Any, float | tuple[float, float]] | None = field(default=None)
    name: str | None = field(default=None)

    def __repr__(self) -> str:
        shape = getattr(self.X, "shape", None)
        size = tuple(shape) if shape is not None else type(self.X).__name__
        labels = "none" if self.y is None else "given" if self.labelled is None else "partly given"
        title = f"{self.name!r}, " if self.name else ""
        return f"Domain({title}X: {size}, y: {labels})"
