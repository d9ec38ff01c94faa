"""Searches over settings that judge on the target: a splitter and scorers for scikit-learn."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import _num_samples

from acclimate.adapter import Adapter
from acclimate.domain import Domain
from acclimate.exceptions import InputError
from acclimate.refits.pick import held_out_scores
from acclimate.validators.confidence import entropy, information_maximisation, nuclear_norm, snd

Validator = Callable[[NDArray[Any]], float]
OF_PROBABILITIES: dict[str, Validator] = {
    rule.__name__: rule for rule in (information_maximisation, entropy, nuclear_norm, snd)
}


class TargetSplit:
    """Give every source row to training: what is judged lies in the target.

    Use it as ``cv`` of `GridSearchCV` together with `target_scorer`, which holds target rows out.
    Do not use it with an ordinary scorer: that would score the rows that were trained on.

    Parameters
    ----------
    n_splits : int, default=1
        How often each candidate is fitted, at least 1. More than one draws as many source rows
        again with replacement, which shows how much a score depends on the source rows.
    random_state : int, default=0
        Seeds the draws.

    Examples
    --------
    >>> import numpy as np
    >>> [(len(train), len(test)) for train, test in TargetSplit().split(np.zeros((5, 2)))]
    [(5, 5)]
    """

    def __init__(self, n_splits: int = 1, *, random_state: int = 0) -> None:
        if n_splits < 1:
            raise InputError(f"n_splits must be at least 1, got {n_splits!r}")
        self.n_splits = n_splits
        self.random_state = random_state

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Yield row numbers for training and for scoring; a target scorer ignores the latter."""
        n = _num_samples(X)
        every = np.arange(n)
        rng = np.random.default_rng(self.random_state)
        for _ in range(self.n_splits):
            train = every if self.n_splits == 1 else np.sort(rng.integers(n, size=n))
            yield train, every

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of fits of each candidate."""
        return self.n_splits


class _TargetScorer:
    """A scorer that looks at the target alone; `Adapter.fit` looks for the mark on it."""

    scores_target: ClassVar[bool] = True

    def __init__(self, score: Callable[[Adapter], float], words: str) -> None:
        self.score = score
        self.words = words

    def __call__(self, estimator: Any, X: Any = None, y: Any = None) -> float:
        if not isinstance(estimator, Adapter):
            raise InputError(
                f"a target scorer judges methods of acclimate, got {type(estimator).__name__}. "
                f"Preprocessing belongs inside: CORAL(estimator, preprocess=...)"
            )
        return float(self.score(estimator))

    def __repr__(self) -> str:
        return self.words


def target_scorer(target: Domain, *, folds: int = 5, random_state: int = 0) -> Any:
    """Return a scorer that judges a method on labelled target rows while they are held out.

    Use it as ``scoring`` of `GridSearchCV`, with ``cv=TargetSplit()``, where the target has labels.
    Each fold of the labelled rows is held out in turn: the method's second stage is run anew with
    the other labels (where it may see any), and judged on the fold. So it makes no difference
    whether the search itself is given the target. Do not take the best score of a search as an
    estimate: the best of many looks better than it is. Judge it with `verdict` on other rows.

    Parameters
    ----------
    target : Domain
        The target, with labels on at least 2 rows.
    folds : int, default=5
        Folds of the labelled rows, at least 2.
    random_state : int, default=0
        Seeds the folds.

    Returns
    -------
    callable
        Accuracy, or minus the mean squared error. Not a number where no fold has two classes.

    Raises
    ------
    InputError
        The target has no labels.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from acclimate import Domain, TargetOnly
    >>> from acclimate.refits.search import TargetSplit, target_scorer
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> target = Domain(X, np.arange(40) // 10 % 2)
    >>> grid = {"estimator__n_neighbors": [31, 1]}
    >>> search = GridSearchCV(TargetOnly(KNeighborsClassifier()), grid,
    ...                       cv=TargetSplit(), scoring=target_scorer(target))
    >>> search.fit(X, 1 - target.y, target=target).best_params_
    {'estimator__n_neighbors': 1}
    """
    if not isinstance(target, Domain):
        raise InputError(f"target must be a Domain, got {type(target).__name__}")
    if target.y is None:
        raise InputError(
            "target_scorer needs target labels: pass Domain(X_target, y_target); without any, use "
            "unlabelled_scorer"
        )

    def score(method: Adapter) -> float:
        found = held_out_scores(
            {"method": method}, None, None, target, folds=folds, random_state=random_state
        )
        return float(found.mean()) if found.shape[1] else float("nan")

    return _TargetScorer(score, f"target_scorer(folds={folds})")


def unlabelled_scorer(
    target: Domain, validator: str | Validator = "information_maximisation"
) -> Any:
    """Return a scorer that judges a classifier by its probabilities on unlabelled target rows.

    Use it where the target has no labels at all. It ranks and says nothing of the accuracy; it
    cannot see that labels mean something else in the target.

    Parameters
    ----------
    target : Domain
        The target. Its labels are not looked at.
    validator : str or callable, default="information_maximisation"
        "information_maximisation", "entropy", "nuclear_norm" or "snd"; or a function from
        probabilities of shape (m, k) to a number, higher is better.

    Returns
    -------
    callable

    Raises
    ------
    InputError
        There is no such validator.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import CORAL, Domain
    >>> from acclimate.refits.search import unlabelled_scorer
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> model = CORAL().fit(X, (X[:, 0] > 0).astype(int), target=Domain(X))
    >>> 0 < unlabelled_scorer(Domain(X), lambda p: p.max(axis=1).mean())(model) < 1
    True
    """
    if not isinstance(target, Domain):
        raise InputError(f"target must be a Domain, got {type(target).__name__}")
    rule = OF_PROBABILITIES.get(validator) if isinstance(validator, str) else validator
    if rule is None:
        raise InputError(
            f"there is no validator {validator!r}; there are {', '.join(OF_PROBABILITIES)}"
        )
    bare = Domain(target.X, class_names=target.class_names, name=target.name)

    def score(method: Adapter) -> float:
        # a method that needs target labels has to be given the target in the search itself
        model = method if method.adapted_ else copy.copy(method).adapt(bare)
        return float(rule(model.predict_proba(bare.X)))

    return _TargetScorer(score, f"unlabelled_scorer({validator!r})")
