"""`Pooled`: one model of the rows of both domains, with a column that says which is which."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import has_fit_parameter

from acclimate.adapter import Adapted, Adapter, fit_model
from acclimate.classes import Match, match_classes
from acclimate.exceptions import InputError
from acclimate.settings import INNER_SHARE, SEVERAL, Constraints, OneOf
from acclimate.transfer.joint_objective import pool
from acclimate.transfer.label_folds import held_out_loss
from acclimate.validation import Rows

BALANCES = (0.1, 0.3, 0.6, 0.85)  # shares of the target that "auto" chooses from
COLUMN = "(target)"


class Pooled(Adapter):
    """Fit one model on source rows and labelled target rows, told which domain each is from.

    Use it as the first thing to try with some target labels and source rows at hand: a model that
    can use the column, such as boosting, learns what both domains share from all rows, and what
    differs from the target's. Do not use it without source rows, or where the inputs mean other
    things in the target.

    Minimises ``(1 - b) L + b L'`` over rows ``(x, 0)`` of the source and ``(x, 1)`` of the target,
    L and L' the mean losses and b the balance. With ``balance="rows"`` each row counts the same:
    ``b = m / (n + m)``.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model. None means ``LogisticRegression(max_iter=1000)``.
    column : bool, default=True
        Whether a column says which domain a row is from.
    balance : float in (0, 1), "rows" or "auto", default="rows"
        Share of the target in the objective. "auto" takes the one of the rows', 0.1, 0.3, 0.6 and
        0.85 that has the least loss (log loss, or squared error) on held-out target labels.
    folds : int, at least 2, default=5
        Folds of that choice.
    preprocess : transformer, default=None
        Fitted on the source for the source model, and on the rows of both domains for the pooled
        one.
    random_state : int, RandomState instance or None, default=None
        Seeds both stages.

    Attributes
    ----------
    source_model_ : estimator
        The model of the source alone.
    target_model_ : estimator or None
        The model of both domains.
    balance_ : float
        The share that was used.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The source's labels, or the target's names for them.

    Raises
    ------
    InputError
        A value cannot be used, the target has no labels or a class that the source does not have,
        or a balance is asked of an estimator that takes no ``sample_weight``.

    References
    ----------
    Daumé, "Frustratingly easy domain adaptation", arXiv:0907.1815, whose baselines "All" and
    "Weighted" these are. Deviation: the column.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import Domain, Pooled
    >>> from sklearn.linear_model import Ridge
    >>> X, Xt = np.linspace(-1, 1, 50)[:, None], np.linspace(-1, 1, 10)[:, None]
    >>> model = Pooled(Ridge(1e-3)).fit(X, X[:, 0], target=Domain(Xt, Xt[:, 0] + 5))
    >>> model.predict([[0.5]]).round(2), model.predict([[0.5]], domain="source").round(2)
    (array([5.5]), array([0.5]))
    """

    _reads_frames = True
    _fits_preprocess_on_both = True

    _parameter_constraints: ClassVar[Constraints] = {
        **Adapter._parameter_constraints,
        "column": ["boolean"],
        "balance": [INNER_SHARE, OneOf("rows", "auto")],
        "folds": [SEVERAL],
    }
    _ways_out: ClassVar[dict[str, str]] = {"balance": "SourceOnly and TargetOnly are its ends"}

    def __init__(
        self,
        estimator: Any = None,
        *,
        column: bool = True,
        balance: float | str = "rows",
        folds: int = 5,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.column = column
        self.balance = balance
        self.folds = folds

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        if source is None:  # the door lets nobody in without source rows
            raise InputError("Pooled needs the source rows")
        self._check_balance()
        match = Match()
        if not self._regression():
            match = match_classes("Pooled", model.classes_, self.source_class_names_, target)
        theirs = Rows(target.labelled_X, match.to_source(target.labels))
        ours = source
        if self.column:
            ours = Rows(with_column(source.X, 0.0), source.y, None, source.weight)
            theirs = Rows(with_column(theirs.X, 1.0), theirs.y)
        natural = natural_share(ours, theirs)
        self.balance_ = natural
        if self.balance == "auto":
            self.balance_ = self._choose((natural, *BALANCES), ours, theirs, seed)
        elif self.balance != "rows":
            self.balance_ = float(self.balance)
        joint = self._fit(ours, theirs, self.balance_, seed)
        if not self.column:
            return Adapted(match.to_target(joint))
        return Adapted(match.to_target(Marked(joint, 1.0)), Marked(joint, 0.0))

    def _fit(self, source: Rows, target: Rows, balance: float, seed: int) -> Any:
        rows = pool(source, target, balance)
        natural = natural_share(source, target)
        if source.weight is None and balance == natural:
            rows = Rows(rows.X, rows.y)
        return fit_model(self._base(), rows, seed)

    def _choose(self, balances: tuple[float, ...], source: Rows, target: Rows, seed: int) -> float:
        losses = held_out_loss(
            lambda part, balance: self._fit(source, part, balance, seed), balances, target,
            regression=self._regression(), folds=self.folds, seed=seed,
        )  # fmt: skip
        return balances[int(np.argmin(losses))]

    def _check_balance(self) -> None:
        if self.balance != "rows" and not has_fit_parameter(self._base(), "sample_weight"):
            raise InputError(
                f"Pooled with a balance weighs rows, and {type(self._base()).__name__} takes no "
                f'sample_weight; leave balance="rows", or choose an estimator that does'
            )


def natural_share(source: Rows, target: Rows) -> float:
    """Return the share of the labelled target rows among all rows."""
    return len(target.labels) / (float(source.counts.sum()) + len(target.labels))


class Marked:
    """A fitted model that gets the domain's column with each row.

    Parameters
    ----------
    model : fitted estimator
        Takes rows with the column.
    value : float
        What stands in the column.
    """

    def __init__(self, model: Any, value: float) -> None:
        self.model = model
        self.value = value
        if hasattr(model, "classes_"):
            self.classes_: NDArray[Any] = model.classes_

    def predict(self, X: Any) -> Any:
        """Return labels or values, shape (m,)."""
        return self.model.predict(with_column(X, self.value))

    def __getattr__(self, name: str) -> Any:
        if name in ("predict_proba", "decision_function"):
            answer = getattr(self.model, name)  # AttributeError where the model has none
            return lambda X: answer(with_column(X, self.value))
        raise AttributeError(name)


def with_column(X: Any, value: float) -> Any:
    """Return rows with one more column that holds ``value``.

    Parameters
    ----------
    X : array, sparse matrix or data frame of shape (n, d)
        Rows.
    value : float
        Of each of them.

    Returns
    -------
    array, sparse matrix or data frame of shape (n, d + 1)

    Examples
    --------
    >>> import numpy as np
    >>> with_column(np.array([[2.0], [3.0]]), 1.0)
    array([[2., 1.],
           [3., 1.]])
    """
    if hasattr(X, "iloc"):
        return X.assign(**{COLUMN: value})
    if X.ndim > 2:
        raise InputError("rows with several axes, such as images, take no column; use column=False")
    if hasattr(X, "tocsr"):
        from scipy.sparse import csr_array, hstack

        return hstack([X, csr_array(np.full((X.shape[0], 1), value))], format="csr")
    return np.column_stack([X, np.full(len(X), value, dtype=X.dtype)])
