"""`FeatureAugmentation`: a shared copy of the features and one of each domain's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from acclimate.arrays import as_matrix
from acclimate.mapping.mapped import DenseMapAdapter
from acclimate.templates import Map
from acclimate.validation import Rows

Array = NDArray[np.floating[Any]]


class FeatureAugmentation(DenseMapAdapter):
    """Give the model each feature three times: shared, for the source alone, for the target alone.

    Use it with a linear model when the target has some labels and most features mean the same in
    both domains, but not all. Do not use it without target labels, nor with models whose answer
    does not depend on how weights are spread over copies, such as unpenalised linear models; for
    trees, the copies only say which domain a row is from.

    Minimises the base model's loss over source rows ``(x, x, 0)`` and labelled target rows
    ``(x, 0, x)``. For a linear model with a squared penalty, that is two weight vectors ``w + v_s``
    and ``w + v_t`` with the penalty ``||w||^2 + ||v_s||^2 + ||v_t||^2``.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model, classifier or regressor. None means ``LogisticRegression(max_iter=1000)``.
    preprocess : transformer, default=None
        Fitted on the source for the source model, and on the rows of both domains for the model of
        both.
    random_state : int, RandomState instance or None, default=None
        Seeds the model.

    Attributes
    ----------
    source_model_ : estimator
        The model of the source alone, on the plain features.
    target_model_ : Mapped or None
        The model of both domains, behind the target's map.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The source's labels, or the target's names for them.

    Raises
    ------
    InputError
        A value cannot be used, the target has no labels, or a class that the source does not have.

    Notes
    -----
    Every labelled row counts as one, as in the paper: with many more source rows than target rows
    the shared copy follows the source. Deviation: each domain has a constant of its own, penalised
    like a weight, unless the base model has ``fit_intercept=False``; the paper leaves the level to
    the shared intercept.

    References
    ----------
    Daumé, "Frustratingly easy domain adaptation", arXiv:0907.1815.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, FeatureAugmentation
    >>> X = np.linspace(-1, 1, 40)[:, None] * [[1.0, 0.5]]
    >>> y = (X[:, 0] > 0).astype(int)
    >>> target = Domain(X[::4], 1 - y[::4])
    >>> model = FeatureAugmentation().fit(X, y, target=target)
    >>> model.transform([[1.0, 2.0]])
    array([[1., 2., 0., 0., 1., 2., 0., 1.]])
    >>> model.transform([[1.0, 2.0]], domain="source")
    array([[1., 2., 1., 2., 0., 0., 1., 0.]])
    """

    _fits_preprocess_on_both = True

    def __init__(
        self, estimator: Any = None, *, preprocess: Any = None, random_state: Any = None
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)

    def _align(self, source: Rows, target: Rows, seed: int) -> tuple[Map, Map]:
        constant = bool(getattr(self._base(), "fit_intercept", True))
        return Augment("source", constant), Augment("target", constant)


@dataclass(frozen=True)
class Augment:
    """The map of one domain.

    Parameters
    ----------
    side : {"source", "target"}
        Which domain the rows come from.
    constant : bool, default=False
        Whether each domain has a constant of its own; files of earlier versions have none.
    """

    side: Literal["source", "target"]
    constant: bool = False

    def __call__(self, X: Any) -> Array:
        """Return augmented rows, shape (m, 3 d), or (m, 3 d + 2) with constants."""
        return augment(as_matrix(X), self.side, self.constant)


def augment(X: Array, side: Literal["source", "target"], constant: bool = False) -> Array:
    """Return ``(x, x, 0)`` for source rows and ``(x, 0, x)`` for target rows.

    Parameters
    ----------
    X : ndarray of shape (m, d)
        Rows of one domain.
    side : {"source", "target"}
        Which domain.
    constant : bool, default=False
        Whether ``(1, 0)`` or ``(0, 1)`` follows.

    Returns
    -------
    ndarray of shape (m, 3 d) or (m, 3 d + 2)
        In the precision of X.
    """
    m, d = X.shape
    Z: Array = np.zeros((m, 3 * d + 2 * constant), dtype=X.dtype)
    Z[:, :d] = X
    own = d if side == "source" else 2 * d
    Z[:, own : own + d] = X
    if constant:
        Z[:, -2 if side == "source" else -1] = 1.0
    return Z
