"""Permutation importance: how much the score of a fitted model falls where a column is shuffled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.report.compared_answers import Importance, Importances

MOST = 2000  # rows that are asked; more change little and cost much
Falls = dict[str, tuple[float, float]]


def falls(
    model: Any, X: Any, y: NDArray[Any], *, domain: str = "target", repeats: int = 5, seed: int = 0
) -> Falls:
    """Return by how much the score falls for each column, and its deviation over the shuffles.

    Of columns that say the same each looks unimportant, since the other still speaks. On rows that
    trained the model the falls are too large for what it learned by heart.

    Parameters
    ----------
    model : Adapter
        Fitted. Its accuracy or R2 is what falls.
    X : data frame or array of shape (m, d)
    y : ndarray of shape (m,)
    domain : {"target", "source"}, default="target"
        Which domain the rows come from.
    repeats : int, default=5
        Shuffles of a column, at least 1. Each takes a prediction of at most 2000 rows.
    seed : int, default=0

    Returns
    -------
    dict from str to pair of float
        In the order of the columns, which are ``x0``, ``x1`` and so on where they have no names.

    Raises
    ------
    InputError
        The rows are no table, or ``repeats`` is below 1.

    References
    ----------
    Breiman, "Random forests", doi:10.1023/A:1010933404324; scikit-learn's
    `sklearn.inspection.permutation_importance` computes it.
    """
    from sklearn.inspection import permutation_importance

    if isinstance(repeats, bool) or not isinstance(repeats, int) or repeats < 1:
        raise InputError(f"repeats must be a whole number of at least 1, got {repeats!r}")
    if len(X.shape) != 2 or hasattr(X, "tocsr"):
        kind = "sparse" if hasattr(X, "tocsr") else f"of shape {tuple(X.shape)}"
        raise InputError(
            f"importance takes a table, a frame or a dense array of shape (m, d); got rows {kind}"
        )

    def score(one: Any, rows: Any, labels: Any) -> float:
        return float(one.score(rows, labels, domain=domain))

    found = permutation_importance(
        model, X, y, scoring=score, n_repeats=repeats, random_state=seed,
        max_samples=min(MOST, len(y)),
    )  # fmt: skip
    names = getattr(X, "columns", [f"x{k}" for k in range(X.shape[1])])
    pairs = zip(found.importances_mean.tolist(), found.importances_std.tolist(), strict=True)
    return {str(name): pair for name, pair in zip(names, pairs, strict=True)}


def importances(
    target: Falls, source: Mapping[str, tuple[float, float]], score: str, **facts: Any
) -> Importances:
    """Return both sides as one record, the most important for the target first.

    Examples
    --------
    >>> both = importances({"a": (0.0, 0.0), "b": (0.2, 0.1)}, {"b": (0.3, 0.1)}, "R2")
    >>> [(one.column, one.target, one.source) for one in both.columns]
    [('b', 0.2, 0.3), ('a', 0.0, None)]
    """
    rows = [
        Importance(name, *pair, *source.get(name, (None, None))) for name, pair in target.items()
    ]
    rows.sort(key=lambda one: -(one.target or 0.0))
    return Importances(score, columns=tuple(rows), **facts)
