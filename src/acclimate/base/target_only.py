"""`TargetOnly`: the reference of every method that is given target labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from acclimate.adapter import Adapted, Adapter, fit_model, only_tried
from acclimate.classes import lost_classes, warn_of_lost
from acclimate.validation import Rows


class TargetOnly(Adapter):
    """Train on the labelled target rows alone, from scratch.

    Use it as the reference that transfer must beat once the target has labels. Where it is as good
    as transfer, *do not transfer* is the answer. Do not use it without labels, or with so few that
    a close source is worth more.

    Minimises the base model's own loss on the labelled target rows.

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
        The base model fitted on the source. It answers until there is a target.
    target_model_ : estimator or None
        The base model fitted on the target.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The target's labels once there is a target.

    Raises
    ------
    InputError
        A value cannot be used, or the target has no labels.

    Warns
    -----
    TransferWarning
        The source has a class without a labelled target row, which is then never predicted.

    References
    ----------
    Ben-David et al., "A theory of learning from different domains", doi:10.1007/s10994-009-5152-4.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, TargetOnly
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    >>> model = TargetOnly().fit(X, y, target=Domain(X, 1 - y))
    >>> model.predict(X), model.predict(X, domain="source")
    (array([1, 1, 0, 0]), array([0, 0, 1, 1]))
    """

    _reads_frames = True
    _weighs_target = True

    def _fit_source(self, source: Rows, seed: int) -> Any:
        if only_tried():  # nothing is asked of the source there, and a network takes long
            return _Unasked(None if self._regression() else np.unique(np.asarray(source.y)))
        return super()._fit_source(source, seed)

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        if not self._regression():
            lost = lost_classes(model.classes_, self.source_class_names_, target)
            warn_of_lost("TargetOnly", lost, "Pooled and JointObjective learn it from the source")
        return Adapted(fit_model(self._base(), target, seed))


class _Unasked:
    """Stands for a source model where none is needed.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,) or None
        The source's labels, None in a regression.
    """

    def __init__(self, classes: Any) -> None:
        if classes is not None:
            self.classes_ = classes
