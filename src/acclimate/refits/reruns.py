"""Run a candidate for its evidence: predictions, circular validation, and mixed samples."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acclimate.exceptions import InputError, TransferWarning
from acclimate.folds import row_keys
from acclimate.validators.candidate import Evidence, Mixed
from acclimate.workers import spread, working

if TYPE_CHECKING:
    from acclimate.adapter import Adapter
    from acclimate.domain import Domain

# (labelled rows, labels, unlabelled rows) -> predictor of rows like the unlabelled ones
Adapt = Callable[[Any, Any, Any], Callable[[Any], Any]]


def gather(
    method: Adapter,
    X: Any,
    y: Any,
    target: Domain,
    X_held: Any,
    y_held: Any,
    *,
    weights: Any = None,
    circular: bool = True,
    mixed: bool = True,
) -> Evidence:
    """Collect the evidence on a fitted method.

    Use it for each candidate, on the same rows, and pass the results to `panel.score_candidates`.
    Do not use it with held-out rows that the method was fitted on.

    Parameters
    ----------
    method : Adapter
        Fitted on ``(X, y)`` with the target. It is not changed.
    X, y : array-like or data frame of shape (n, ...), array-like of shape (n,)
        Source rows and labels that it was fitted on.
    target : Domain
        The target. Its labels are not used.
    X_held, y_held : array-like or data frame of shape (h, ...), array-like of shape (h,)
        Held-out source rows and their labels.
    weights : array-like of shape (h,), default=None
        As in `Evidence`.
    circular : bool, default=True
        Whether to fit the reverse model, which costs as much as the method itself.
    mixed : bool, default=True
        Whether to predict mixtures of target rows, where they are arrays of numbers.

    Returns
    -------
    Evidence
        Without ``consensus``, which `panel.score_candidates` makes.

    Raises
    ------
    InputError
        The method is not fitted, or has classes but no probabilities.

    Warns
    -----
    TransferWarning
        The reverse model cannot be fitted, for example since a class is predicted for one target
        row only. ``reverse_labels`` is None then.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import CORAL, Domain
    >>> from acclimate.refits.reruns import gather
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(60, 2)), Domain(rng.normal(size=(40, 2)) * 2)
    >>> y = (X[:, 0] > 0).astype(int)
    >>> model = CORAL(random_state=0).fit(X[:40], y[:40], target=Xt)
    >>> gather(model, X[:40], y[:40], Xt, X[40:], y[40:]).target_proba.shape
    (40, 2)
    """
    if not hasattr(method, "source_model_"):
        raise InputError("evidence is of a fitted method; call fit(X, y, target=Domain(X_target))")
    reverse = _reverse_or_none(method, X, y, target, X_held) if circular else None
    if method._regression():
        here = method.predict(X_held, domain="source")
        there = method.predict(target.X)
        return Evidence(here, y_held, there, weights=weights, reverse_labels=reverse)
    if not hasattr(method, "predict_proba"):
        raise InputError(
            f"{type(method).__name__} gives no probabilities; choose an estimator with "
            "predict_proba, or wrap it in CalibratedClassifierCV"
        )
    pairs = None
    if mixed and getattr(target.X, "dtype", np.dtype("O")).kind in "biuf":
        pairs = mixed_predictions(method.predict_proba, target.X)
    return Evidence(
        method.predict_proba(X_held, domain="source"),
        y_held,
        method.predict_proba(target.X),
        weights=weights,
        reverse_labels=reverse,
        mixed=pairs,
        classes=method.classes_,
    )


def gather_each(
    methods: Mapping[str, Adapter],
    X: Any,
    y: Any,
    target: Domain,
    X_held: Any,
    y_held: Any,
    *,
    weights: Any = None,
    circular: bool = True,
    mixed: bool = True,
    executor: Any = None,
) -> dict[str, Evidence]:
    """Collect the evidence on each of several fitted methods, by name; see `gather`.

    Use it in front of `panel.score_candidates` where the reverse models take long: each method is
    a job of its own.

    Parameters
    ----------
    methods : mapping from str to Adapter
        Fitted on ``(X, y)`` with the target.
    X, y, target, X_held, y_held, weights, circular, mixed
        See `gather`.
    executor : concurrent.futures.Executor or dask.distributed.Client, default=None
        Runs the jobs. None runs them here. The result is the same.

    Raises
    ------
    InputError
        A method is not fitted, or has classes but no probabilities.
    AcclimateError
        The cluster or the executor is gone.
    """
    common = (X, y, target, X_held, y_held, weights, circular, mixed)
    with working(executor):
        found = spread(_gathered, [(method,) for method in methods.values()], common=common)
    return dict(zip(methods, found, strict=True))


def _gathered(
    X: Any, y: Any, target: Domain, X_held: Any, y_held: Any, weights: Any, circular: bool,
    mixed: bool, method: Adapter,
) -> Evidence:  # fmt: skip
    return gather(
        method, X, y, target, X_held, y_held, weights=weights, circular=circular, mixed=mixed
    )


def _reverse_or_none(method: Adapter, X: Any, y: Any, target: Domain, X_held: Any) -> Any:
    try:
        return reverse_predictions(method, X, y, target, X_held)
    except InputError as error:
        warnings.warn(
            f"{type(method).__name__} cannot be fitted on its own predictions for the target, so "
            f"it goes without circular validation: {error}",
            TransferWarning,
            stacklevel=3,
        )
        return None


def reverse_predictions(
    method: Adapter | Adapt, X: Any, y: Any, target: Domain | Any, X_held: Any
) -> NDArray[Any]:
    """Adapt to the target, label it, adapt back, and predict held-out source rows.

    The score of these predictions is circular (or reverse) validation. Use it to compare methods
    of any kind: it sees wrong labels that confidence does not. Do not use it where fits are dear,
    or where the target lacks classes. It cannot see an error that the way back undoes: classes that
    swap places on the way there may swap again on the way back.

    1. adapt from ``(X, y)`` to the target, and predict the target's rows;
    2. fit anew on the target's rows with these labels, and adapt to ``X``, without labels;
    3. predict ``X_held``.

    Parameters
    ----------
    method : Adapter or callable
        An adapter, which is cloned; where it is adapted already, step 1 only predicts. Or a
        function ``(X, y, X_other) -> predict`` that adapts and returns ``predict(rows)``.
    X, y : array-like or data frame of shape (n, ...), array-like of shape (n,)
        Source rows and labels that the candidate learns from.
    target : Domain, or the rows alone for a callable
        The target. Its labels are not used.
    X_held : array-like or data frame of shape (h, ...)
        Source rows that the candidate did not learn from.

    Returns
    -------
    ndarray of shape (h,)
        Labels or values of the held-out rows, for `Evidence.reverse_labels`. Where step 1 predicts
        one class only, nothing can be learnt from it, and that class is predicted everywhere.

    Raises
    ------
    InputError
        An adapter was given with something other than a `Domain`.

    Notes
    -----
    Deviation from the papers, which go over folds: there is one split, made by the caller.

    References
    ----------
    Bruzzone and Marconcini, "Domain adaptation problems: a DASVM classification technique and a
    circular validation strategy", doi:10.1109/TPAMI.2009.57.
    Zhong, Fan, Yang, Verscheure and Ren, "Cross validation framework to choose amongst models and
    datasets for transfer learning", doi:10.1007/978-3-642-15939-8_35.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from acclimate.refits.reruns import reverse_predictions
    >>> def stay(X, y, other):
    ...     return LogisticRegression().fit(X, y).predict
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> y = (X[:, 0] > 0).astype(int)
    >>> reverse_predictions(stay, X, y, X + 0.1, [[-0.5], [0.5]])
    array([0, 1])
    """
    if hasattr(method, "adapt"):
        return _reverse_adapter(method, X, y, target, X_held)
    there = np.asarray(method(X, y, target)(target))
    if _constant(there, y):
        return np.full(len(X_held), there[0])
    return np.asarray(method(target, there, X)(X_held))


def _reverse_adapter(method: Any, X: Any, y: Any, target: Any, X_held: Any) -> NDArray[Any]:
    from sklearn.base import clone

    if not hasattr(target, "labelled"):
        raise InputError(f"an adapter needs target=Domain(X), got {type(target).__name__}")
    bare = replace(target, y=None, labelled=None)
    forward = method if getattr(method, "adapted_", False) else clone(method).fit(X, y, target=bare)
    there = np.asarray(forward.predict(target.X))
    if _constant(there, y):
        return np.full(len(X_held), there[0])
    back = clone(method).fit(target.X, there, target=replace(bare, X=X))
    return np.asarray(back.predict(X_held))


def _constant(labels: NDArray[Any], y: Any) -> bool:
    """Tell whether predictions are all the same where the labels are not."""
    return bool((labels == labels[0]).all()) and len(np.unique(np.asarray(y))) > 1


def mixed_predictions(
    predict: Callable[[Any], Any],
    X: ArrayLike,
    *,
    share: float = 0.55,
    random_state: int = 0,
) -> Mixed:
    """Predict mixtures of pairs of target rows.

    `validators.mixval` scores how often the prediction of a mixture is that of the row with the
    larger share. Use it where a mixture of two inputs is an input: pictures, measurements. Do not
    use it for codes, words or ids, nor with a linear model alone, whose answers on mixtures are
    nearly settled by its answers on the pairs.

    Parameters
    ----------
    predict : callable
        ``predict(rows)`` gives labels of shape (m,), or probabilities of shape (m, k).
    X : array-like of shape (m, ...)
        At least 2 target rows of numbers.
    share : float in (0.5, 1), default=0.55
        Share of the first row of each pair.
    random_state : int, default=0
        Seeds the pairs. They depend on the values of the rows, not on their order.

    Returns
    -------
    Mixed
        One pair for each row.

    Raises
    ------
    InputError
        There are fewer than 2 rows, they are no numbers, or the share is out of range.

    References
    ----------
    Hu, Liang, Liew, Xue, Bai and Wang, "Mixed samples as probes for unsupervised model selection in
    domain adaptation", NeurIPS 2023 (no DOI).

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate.refits.reruns import mixed_predictions
    >>> mixed = mixed_predictions(lambda X: (X[:, 0] > 0).astype(int), [[-1.0], [1.0]])
    >>> mixed.answers.tolist(), mixed.expected.tolist(), mixed.same.tolist()
    ([0, 1], [0, 1], [False, False])
    """
    if not 0.5 < share < 1:
        raise InputError(f"share must lie strictly between 0.5 and 1, got {share!r}")
    rows = np.asarray(X)
    if rows.dtype.kind not in "biuf":
        raise InputError(f"only rows of numbers can be mixed, got dtype {rows.dtype}")
    if rows.ndim < 2 or len(rows) < 2:
        raise InputError(f"mixing needs at least 2 rows of features, got shape {rows.shape}")
    if rows.dtype.kind != "f":
        rows = rows.astype(np.float64)
    order = np.argsort(row_keys(rows.reshape(len(rows), -1), random_state), kind="stable")
    partner = np.empty(len(rows), dtype=np.intp)
    partner[order] = np.roll(order, 1)
    expected = _answers(predict(rows))
    answers = _answers(predict(share * rows + (1 - share) * rows[partner]))
    return Mixed(answers, expected, np.asarray(expected == expected[partner]))


def _answers(predicted: Any) -> NDArray[Any]:
    values = np.asarray(predicted)
    labels: NDArray[Any] = values.argmax(axis=1) if values.ndim == 2 else values
    return labels
