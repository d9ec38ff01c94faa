"""`Interpolation`: between the source's model and the target's, as held-out labels say."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from acclimate.adapter import Adapted, Adapter, fit_model
from acclimate.classes import Match, match_classes
from acclimate.exceptions import InputError
from acclimate.folds import few_label_folds
from acclimate.maths.class_shares import log_scores
from acclimate.settings import SEVERAL, SHARE, Constraints, OneOf
from acclimate.transfer.label_folds import log_losses, row_key
from acclimate.validation import Rows, take

Floats = NDArray[np.float64]
SHARES = np.linspace(0.0, 1.0, 21)


class Interpolation(Adapter):
    """Answer with a weighted mean of the source's model and the target's own.

    Use it with some target labels, and where the source rows are gone: it needs none to adapt. It
    is seldom far below either end. Do not use it where rows of both domains are there and alike:
    a model of all rows knows more than the mean of two.

    The answer is ``(1 - t) p_s + t p_t`` for class probabilities, and the same for values; t in
    [0, 1] has the least log loss, or squared error, on held-out target labels.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model of both stages, with ``predict_proba`` where it is a classifier. None means
        ``LogisticRegression(max_iter=1000)``.
    share : float in [0, 1] or "auto", default="auto"
        The weight t of the target's model. "auto" chooses among 21.
    folds : int, at least 2, default=5
        Folds of that choice.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds both stages.

    Attributes
    ----------
    source_model_ : estimator
        The model of the source alone.
    target_model_ : estimator or None
        The mean of both.
    share_ : float
        The weight t.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The source's labels, or the target's names for them.

    Raises
    ------
    InputError
        A value cannot be used, the target has no labels or a class that the source does not have,
        or a classifier gives no probabilities.

    References
    ----------
    Daumé, "Frustratingly easy domain adaptation", arXiv:0907.1815, whose baseline "LinInt" this is.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, Interpolation
    >>> X, Xt = np.linspace(-1, 1, 50)[:, None], np.linspace(-1, 1, 10)[:, None]
    >>> model = Interpolation().fit(X, X[:, 0] > 0, target=Domain(Xt, Xt[:, 0] > 0.1))
    >>> model.predict([[-0.5], [0.5]]), 0 <= model.share_ <= 1
    (array([False,  True]), True)
    """

    _reads_frames = True

    _parameter_constraints: ClassVar[Constraints] = {
        **Adapter._parameter_constraints,
        "share": [SHARE, OneOf("auto")],
        "folds": [SEVERAL],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        share: float | str = "auto",
        folds: int = 5,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.share = share
        self.folds = folds

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        regression = self._regression()
        match = Match()
        if not regression:
            if not hasattr(model, "predict_proba"):
                raise InputError(
                    f"Interpolation takes the mean of probabilities, and "
                    f"{type(model).__name__} gives none; choose an estimator that does"
                )
            match = match_classes("Interpolation", model.classes_, self.source_class_names_, target)
        X, y = target.labelled_X, match.to_source(target.labels)
        auto = self.share == "auto"
        self.share_ = self._choose(model, X, y, seed) if auto else float(self.share)
        own = fit_model(self._base(), Rows(X, y), seed)
        return Adapted(match.to_target(Mean((model, own), (1.0 - self.share_, self.share_))))

    def _choose(self, model: Any, X: Any, y: NDArray[Any], seed: int) -> float:
        """Return the share of the least loss; half where no label can be held out."""
        regression = self._regression()
        total, rows = np.zeros(len(SHARES)), 0
        parts = few_label_folds(
            y, classify=not regression, folds=self.folds, seed=seed, key=row_key(X, seed)
        )
        for train, held in parts:
            if not regression and len(np.unique(y[train])) < 2:
                continue
            own = fit_model(self._base(), Rows(take(X, train), y[train]), seed)
            mine, ours = (Mean((one,), (1.0,)) for one in (own, model))
            mine.classes_ = getattr(model, "classes_", None)
            total += _losses(mine.values(take(X, held)), ours.values(take(X, held)), y[held], model)
            rows += len(held)
        return float(SHARES[int(total.argmin())]) if rows else 0.5


def _losses(own: Floats, theirs: Floats, y: NDArray[Any], model: Any) -> Floats:
    """Return the summed loss of each share, shape (21,)."""
    found = []
    for t in SHARES:
        mean = (1.0 - t) * theirs + t * own
        if mean.ndim == 1:
            found.append(float(np.square(mean - y).sum()))
        else:
            found.append(float(log_losses(mean, model.classes_, y).sum()))
    return np.array(found)


class Mean:
    """A weighted mean of fitted models: of their probabilities, or of their values.

    Parameters
    ----------
    models : tuple of fitted estimators
        The first knows all classes.
    weights : tuple of float
        At least 0, with a sum above 0.
    """

    def __init__(self, models: tuple[Any, ...], weights: tuple[float, ...]) -> None:
        self.models = models
        self.weights = weights
        if hasattr(models[0], "classes_"):
            self.classes_: Any = models[0].classes_

    def values(self, X: Any) -> Floats:
        """Return the mean, shape (m,) or (m, n_classes)."""
        total: Any = 0.0
        first: Floats | None = None
        for model, weight in zip(self.models, self.weights, strict=True):
            if not hasattr(model, "classes_"):
                total = total + weight * np.asarray(model.predict(X), dtype=np.float64)
                continue
            own = np.asarray(model.predict_proba(X), dtype=np.float64)
            wide = np.zeros((len(own), len(self.classes_)))
            wide[:, np.searchsorted(self.classes_, model.classes_)] = own
            lost = ~np.isin(self.classes_, model.classes_)
            if first is None:
                first = wide
            elif lost.any():  # a class without a labelled target row stays what the source says
                wide *= 1.0 - first[:, lost].sum(axis=1, keepdims=True)
                wide[:, lost] = first[:, lost]
            total = total + weight * wide
        mean: Floats = total / sum(self.weights)
        return mean

    def predict(self, X: Any) -> Any:
        """Return labels or values, shape (m,)."""
        values = self.values(X)
        return values if values.ndim == 1 else self.classes_[values.argmax(axis=1)]

    def __getattr__(self, name: str) -> Any:
        if name in ("predict_proba", "decision_function") and "classes_" in self.__dict__:
            return self.values if name == "predict_proba" else lambda X: log_scores(self.values(X))
        raise AttributeError(name)
