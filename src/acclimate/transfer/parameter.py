"""`ParameterTransfer`: a pull towards the source parameters, as strong as the target rows ask."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from acclimate.adapter import Adapted, Adapter, fit_model
from acclimate.classes import Match, lost_classes, match_classes, warn_of_lost
from acclimate.exceptions import InputError
from acclimate.folds import few_label_folds
from acclimate.settings import COUNT, SEVERAL, Constraints, Each
from acclimate.transfer.label_folds import row_key
from acclimate.validation import Rows, take

STRENGTHS = (np.inf, 1e3, 1e2, 1e1, 1.0, 1e-1, 1e-2, 0.0)


class ParameterTransfer(Adapter):
    """Fit a linear model to the target with a pull towards the source's parameters.

    Use it for linear models with few target labels: how far to trust the source is measured, not
    guessed. Do not use it where the inputs mean something else in the target, so that the source's
    coefficients say nothing; it then ends up at training on the target alone, after more work.

    Minimises ``sum_i loss_i + strength / 2 * ||w - w_source||^2`` over the labelled target rows (in
    squared-error regression, with ``strength * ||w - w_source||^2``). The intercept is free. The
    strength is chosen by cross-validation on the labelled target rows.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model: logistic, linear or ridge regression, or an SVM. None means
        ``LogisticRegression(max_iter=1000)``.
    strengths : sequence of float, default=None
        Strengths to choose from, at least 0. Infinity is the source model as it is. 0 takes nothing
        from the source: it is the estimator's own fit to the target, with its own penalty. None
        is infinity, 1000, 100, ..., 0.01 and 0.
    folds : int, default=5
        Folds of the cross-validation, at least 2.
    repeats : int, default=3
        How often the folds are drawn anew, at least 1.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds the folds, and the base model where it has no seed of its own.

    Attributes
    ----------
    source_model_ : estimator
        The fitted source model.
    target_model_ : estimator or None
        The model with the chosen strength.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The model's labels. Where strength 0 was chosen, those of the labelled target rows.
    strength_ : float
        The chosen strength. Only after a target was given.
    strengths_ : ndarray of shape (s,)
        The strengths tried, the strongest first.
    cv_scores_ : ndarray of shape (s,)
        Mean accuracy over held-out rows for each of them, or minus the mean squared error.

    Raises
    ------
    InputError
        A value cannot be used, the target has no labels or a class that the source does not have,
        or the estimator is none of those above.

    Notes
    -----
    Folds are stratified and do not depend on the order of the rows. Equal scores go to the stronger
    pull. A class with one labelled target row is unknown to the fold that holds it out; where a
    fold leaves one class to train on, strength 0 predicts that class. With one row in all, nothing
    can be measured, and the strongest pull is taken.

    Where features outnumber the labelled rows, as behind an encoder, logistic regression and linear
    SVMs are solved in as many numbers as rows: the same minimum, to the last digits
    (`acclimate.base.wide`).

    The grid holds both ends, the source model and the target-only model. So in the cross-validation
    the choice is never worse than the better of the two.

    References
    ----------
    Evgeniou and Pontil, "Regularized multi-task learning", doi:10.1145/1014052.1014067. Deviation:
    the source's parameters are fixed here, not learned together with the target's.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, ParameterTransfer
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(300, 3)), rng.normal(size=(12, 3))
    >>> y, yt = X[:, 0] + X[:, 1] > 0, Xt[:, 0] + Xt[:, 1] > 0
    >>> model = ParameterTransfer().fit(X, y.astype(int), target=Domain(Xt, yt.astype(int)))
    >>> model.strength_, float(model.cv_scores_.max())
    (inf, 1.0)
    """

    _weighs_target = True

    _parameter_constraints: ClassVar[Constraints] = {
        **Adapter._parameter_constraints,
        "strengths": [Each(Interval(Real, 0, None, closed="both"), least=1), None],
        "folds": [SEVERAL],
        "repeats": [COUNT],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        strengths: Sequence[float] | None = None,
        folds: int = 5,
        repeats: int = 3,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.strengths = strengths
        self.folds = folds
        self.repeats = repeats

    def _fit_source(self, source: Rows, seed: int) -> Any:
        from acclimate.transfer.shallow import SUPPORTED

        if not isinstance(self._base(), SUPPORTED):
            raise InputError(
                f"ParameterTransfer moves the parameters of "
                f"{', '.join(cls.__name__ for cls in SUPPORTED)}, got "
                f"{type(self._base()).__name__}. FineTune takes networks; a pipeline's transformer "
                f"belongs in preprocess="
            )
        return super()._fit_source(source, seed)

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        match, lost = Match(), list[str]()
        if not self._regression():
            names = self.source_class_names_
            match = match_classes("ParameterTransfer", model.classes_, names, target)
            lost = lost_classes(model.classes_, names, target)
        grid, X, y, w = self._grid(), target.labelled_X, target.labels, target.labelled_weight
        if lost and grid[0] > 0:
            grid = grid[grid > 0]  # without the source's pull the class would be gone
        elif lost:
            warn_of_lost("ParameterTransfer with strengths=(0,)", lost, "Give a strength above 0")
        folds = few_label_folds(
            y, classify=not self._regression(), folds=self.folds, repeats=self.repeats, seed=seed,
            key=row_key(X, seed),
        )  # fmt: skip
        scores = np.zeros(len(grid))
        if len(grid) > 1 and folds:
            scores = np.array(
                [self._score(model, X, y, w, match, strength, folds, seed) for strength in grid]
            )
        best = scores.max()
        level = np.isclose(scores, best, rtol=1e-9, atol=1e-12)
        self.strengths_, self.cv_scores_ = grid, scores
        self.strength_ = float(grid[np.flatnonzero(level)[0]])  # the strongest of the best
        return Adapted(self._pulled(model, X, y, w, match, self.strength_, seed))

    def _score(
        self, model: Any, X: Any, y: NDArray[Any], w: NDArray[Any] | None, match: Match,
        strength: float, folds: Any, seed: int,
    ) -> float:  # fmt: skip
        """Return the mean score over held-out rows of all folds."""
        total, c = 0.0, np.ones(len(y)) if w is None else w
        for train, held in folds:
            if strength == 0.0 and not self._regression() and len(np.unique(y[train])) == 1:
                answers = np.repeat(y[train[:1]], len(held))
            else:
                part = None if w is None else w[train]
                fitted = self._pulled(model, take(X, train), y[train], part, match, strength, seed)
                answers = fitted.predict(take(X, held))
            truth = y[held]
            total += (
                -float(c[held] @ np.square(answers - truth))
                if self._regression()
                else float(c[held] @ (answers == truth))
            )
        return total / sum(float(c[held].sum()) for _, held in folds)

    def _pulled(
        self, model: Any, X: Any, y: NDArray[Any], w: NDArray[Any] | None, match: Match,
        strength: float, seed: int,
    ) -> Any:  # fmt: skip
        """Return the model for one strength, which answers in the target's labels."""
        from acclimate.transfer.shallow import continue_from

        if strength == 0.0:
            return fit_model(self._base(), Rows(X, y, None, w), seed)
        if np.isinf(strength):
            return match.to_target(model)
        rows = Rows(X, match.to_source(y), None, w)
        return match.to_target(continue_from(model, rows, strength))

    def _grid(self) -> NDArray[np.float64]:
        """Return the strengths, the strongest first."""
        grid = np.unique(np.asarray(STRENGTHS if self.strengths is None else self.strengths, float))
        return grid[::-1]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.preprocess is not None  # linear models take none
        return tags
