"""`SourceOnly`: the reference of every unsupervised method."""

from __future__ import annotations

from typing import Any

from acclimate.adapter import Adapted, Adapter
from acclimate.validation import Rows


class SourceOnly(Adapter):
    """Train on the source and use the model on the target as it is.

    Use it as the reference that a method must beat, and where the domains hardly differ. Do not
    use it where the inputs or the labels are distributed otherwise on the target.

    Minimises the base model's own loss on the source rows. The target is ignored.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model. None means ``LogisticRegression(max_iter=1000)``.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds the base model where it has no seed of its own.

    Attributes
    ----------
    source_model_ : estimator
        The fitted base model.
    adapted_ : bool
        Always False: nothing is adapted.
    classes_ : ndarray of shape (n_classes,)
        The source's labels.

    Raises
    ------
    InputError
        A value cannot be used; the message shows it.

    References
    ----------
    Ben-David et al., "A theory of learning from different domains", doi:10.1007/s10994-009-5152-4.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, SourceOnly
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    >>> model = SourceOnly().fit(X, y, target=Domain(X + 0.1))
    >>> model.predict(X + 0.1)
    array([0, 0, 1, 1])
    >>> model.summary()
    'SourceOnly on LogisticRegression: source model only, not adapted to any target.'
    """

    _reads_frames = True

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        return Adapted(model)
