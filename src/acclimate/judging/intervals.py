"""Intervals for a gain that varies over label draws and test rows: pure functions on arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from acclimate.exceptions import InputError

Floats = NDArray[np.float64]

# A search for a settling size stops here: a larger answer helps nobody.
_LARGEST_ROWS = 1_000_000_000
_LARGEST_DRAWS = 10_000


class Interval(NamedTuple):
    """An estimate with the two ends of its interval."""

    estimate: float
    low: float
    high: float


class CrossedVariances(NamedTuple):
    """The mean squares of a draws x rows table, each divided by the number of cells, shape (...).

    The variance of the grand mean is estimated without bias by ``draws + rows - residual``.
    """

    draws: Floats
    rows: Floats
    residual: Floats


class Settlement(NamedTuple):
    """The size at which a gain is expected to be settled; None where no size would do.

    ``rows`` test rows with the draws as they are, or ``draws`` label draws with the rows as they
    are. Where neither alone is enough, ``together`` is one pair (draws, rows) that is.
    """

    rows: int | None
    draws: int | None
    together: tuple[int, int] | None


def most_disagreement(rows: int, confidence: float) -> float:
    """Return the largest share of rows on which two models may differ that agreed on all of these.

    It is the exact bound of Clopper and Pearson for no success in ``rows`` draws.

    >>> round(most_disagreement(5, 0.95), 3), round(most_disagreement(299, 0.95), 4)
    (0.451, 0.01)
    """
    return float(1.0 - (1.0 - confidence) ** (1.0 / rows))


def rows_that_agree(margin: float, confidence: float) -> int | None:
    """Return how many rows without a disagreement bound it below a margin; None for margin 0."""
    return None if margin <= 0.0 else int(np.log(1.0 - confidence) / np.log1p(-margin)) + 1


def crossed_variances(differences: Floats) -> CrossedVariances:
    """Mean squares of the two-way random effects model, over the last two axes.

    The model is ``x[d, n] = mu + a[d] + b[n] + e[d, n]``. With one draw the draw and residual terms
    cannot be estimated and are 0.

    Parameters
    ----------
    differences : ndarray of shape (..., D, N)
        Per-row gains; N at least 2.

    Returns
    -------
    CrossedVariances
        Three arrays of shape (...).
    """
    draws, rows = differences.shape[-2:]
    centred = differences - differences.mean(axis=(-2, -1), keepdims=True)
    of_draws = np.square(centred.mean(axis=-1)).sum(axis=-1)
    of_rows = np.square(centred.mean(axis=-2)).sum(axis=-1)
    var_rows = of_rows / ((rows - 1) * rows)
    if draws == 1:
        return CrossedVariances(np.zeros_like(var_rows), var_rows, np.zeros_like(var_rows))
    cells = np.einsum("...dn,...dn->...", centred, centred)
    # The difference of sums of squares can round to just below zero.
    left = np.maximum(cells - rows * of_draws - draws * of_rows, 0.0)
    var_residual = left / ((draws - 1) * (rows - 1) * draws * rows)
    return CrossedVariances(of_draws / ((draws - 1) * draws), var_rows, var_residual)


def crossed_interval(
    differences: Floats, confidence: float = 0.95, *, bounded: bool = False
) -> tuple[Floats, Floats, Floats]:
    """Interval for the mean of a draws x rows table, over the last two axes, without checks.

    See `gain_interval` for the formula. This form takes many tables at once.

    Parameters
    ----------
    differences : ndarray of shape (..., D, N)
        Per-row gains; N at least 2.
    confidence : float in (0, 1), default 0.95
    bounded : bool, default False
        Whether every gain lies in [-1, 1]; then the pseudo pair is added.

    Returns
    -------
    tuple of three ndarrays of shape (...)
        The mean, and the low and high ends.
    """
    mean = differences.mean(axis=(-2, -1))
    if bounded:
        pair = np.broadcast_to(np.array([1.0, -1.0]), (*differences.shape[:-1], 2))
        differences = np.concatenate([differences, pair], axis=-1)
    draws, rows = differences.shape[-2:]
    var = crossed_variances(differences)
    half = np.sqrt(_squared_half_width(var, draws, rows, confidence))
    centre = differences.mean(axis=(-2, -1))
    # The pair pulls the centre towards 0; the interval must still hold the gain that is shown.
    low, high = np.minimum(centre - half, mean), np.maximum(centre + half, mean)
    if bounded:
        low, high = np.maximum(low, -1.0), np.minimum(high, 1.0)
    return mean, low, high


def gain_interval(
    differences: ArrayLike, confidence: float = 0.95, *, bounded: bool = False
) -> Interval:
    r"""Give the interval for a mean gain over label draws and test rows.

    Use it where several models, one for each draw of labels, are scored on the same rows. Do not
    use it for folds of a cross-validation, whose rows differ: see `nadeau_bengio_interval`.

    The model has crossed random effects, ``x[d, n] = mu + a[d] + b[n] + e[d, n]``, with D draws and
    N rows. With mean squares divided by DN, V_D (draws), V_N (rows) and V_E (residual), the
    variance of the grand mean is estimated by V_D + V_N - V_E. The half-width is

    .. math:: h^2 = t_{D-1}^2 \, V_D + t_{N-1}^2 \, \max(V_N - V_E, 0)

    so each part has the Student quantile of its own degrees of freedom. It is wide where few draws
    disagree and narrow where the rows dominate. Under normal effects it covers at least at the
    stated confidence, for any mix of the components.

    Parameters
    ----------
    differences : array-like of shape (D, N) or (N,)
        Gain of each row in each draw; at least 2 rows, finite.
    confidence : float in (0, 1), default 0.95
    bounded : bool, default False
        Whether gains lie in [-1, 1], as differences of 0/1 correctness do. Then two pseudo rows,
        one gain of +1 and one of -1, are added first, so that a few rows that all agree do not give
        an interval of no width.

    Returns
    -------
    Interval
        ``estimate`` is the plain mean; ``low`` and ``high`` always hold it.

    Raises
    ------
    InputError
        If the table is not of one or two dimensions, has fewer than 2 rows, or is not finite; if
        ``bounded`` and a gain lies outside [-1, 1]; if the confidence is not in (0, 1).

    Notes
    -----
    Satterthwaite's effective degrees of freedom were tried instead. They cover too little where
    few draws dominate: about 93 % for 3 draws and 89 % for 2 at a nominal 95 %.
    With one draw only V_N is known, and the interval covers the test rows alone.
    The pseudo pair is after Agresti and Min, who add half a row to each of the four cells of a
    paired table. Here whole rows are added and Student's quantile is used, which is a little wider.

    References
    ----------
    Owen and Eckles (2012), Bootstrapping data arrays of arbitrary order,
    doi:10.1214/12-AOAS547, for means under crossed random effects.
    Banerjee (1960), Approximate confidence interval for linear functions of means of k populations
    when the population variances are not equal, Sankhya 22, 357-358, for the sum of
    t-quantiles (no DOI).
    Agresti and Min (2005), Simple improved confidence intervals for comparing matched proportions,
    Statistics in Medicine 24, 729-740, doi:10.1002/sim.1781.

    Examples
    --------
    >>> from acclimate.judging.intervals import gain_interval
    >>> gain, low, high = gain_interval([[0.1, 0.3, 0.2], [0.2, 0.4, 0.3], [0.3, 0.5, 0.4]])
    >>> round(gain, 2), low < 0.3 < high
    (0.3, True)
    """
    check_confidence(confidence)
    table = _as_table(differences)
    if bounded and np.abs(table).max() > 1:
        worst = float(table.flat[int(np.abs(table).argmax())])
        raise InputError(
            f"a bounded gain must lie in [-1, 1], got {worst}; pass bounded=False for other scores"
        )
    mean, low, high = crossed_interval(table, confidence, bounded=bounded)
    return Interval(float(mean), float(low), float(high))


def settlement(
    differences: Floats, margin: float, confidence: float = 0.95, *, bounded: bool = False
) -> Settlement:
    """Estimate how many rows or draws would settle a gain of the size seen.

    A gain g is settled once the half-width h falls below ``max(|g|, margin - |g|)``: then either 0
    is outside the interval, or the whole interval lies inside the margin. The components of the
    variance are taken as estimated, and h is computed for other numbers of draws and rows. It is a
    plan, not a promise: the gain itself will move.

    Parameters
    ----------
    differences : ndarray of shape (D, N)
        Per-row gains of a table whose verdict is not settled; N at least 2.
    margin : float
        Gains within the margin count as no difference, in units of the score.
    confidence : float in (0, 1), default 0.95
    bounded : bool, default False
        As in `gain_interval`.

    Returns
    -------
    Settlement
    """
    draws, rows = differences.shape
    gain = abs(float(differences.mean()))
    goal = max(gain, margin - gain) ** 2
    if bounded:
        pair = np.broadcast_to(np.array([1.0, -1.0]), (draws, 2))
        differences = np.concatenate([differences, pair], axis=1)
    size = differences.shape[1]
    seen = crossed_variances(differences)
    # Back from shares of the grand mean's variance to the components of one cell.
    residual = float(seen.residual) * draws * size
    of_draws = max(float(seen.draws) * draws - residual / size, 0.0)
    of_rows = max(float(seen.rows) * size - residual / draws, 0.0)

    def enough(at_draws: int, at_rows: int) -> bool:
        share = residual / (at_draws * at_rows)
        then = CrossedVariances(
            np.asarray(of_draws / at_draws + share),
            np.asarray(of_rows / at_rows + share),
            np.asarray(share),
        )
        return float(_squared_half_width(then, at_draws, at_rows, confidence)) < goal

    more_rows = _smallest(lambda value: enough(draws, value), rows, _LARGEST_ROWS)
    if draws == 1:
        return Settlement(more_rows, None, None)
    more_draws = _smallest(lambda value: enough(value, rows), draws, _LARGEST_DRAWS)
    together = None
    if more_rows is None and more_draws is None:
        factor = _smallest(lambda k: enough(k * draws, k * rows), 1, _LARGEST_DRAWS)
        together = None if factor is None else (factor * draws, factor * rows)
    return Settlement(more_rows, more_draws, together)


def nadeau_bengio_interval(
    differences: ArrayLike, n_train: int, n_test: int, confidence: float = 0.95
) -> Interval:
    r"""Give the interval for a mean gain over random splits or folds whose training rows overlap.

    Use it for repeated train/test splits or cross-validation. Do not use it where every model is
    scored on the same rows: `gain_interval` is right there.

    The variance of the mean of J gains is taken as
    :math:`(1/J + n_\mathrm{test}/n_\mathrm{train}) \, s^2`, with Student's t on J - 1 degrees of
    freedom. The second term stands for the correlation that shared training rows cause.

    Parameters
    ----------
    differences : array-like of shape (J,)
        Gain of each split; at least 2, finite.
    n_train, n_test : int
        Rows used for training and for scoring in each split, at least 1.
    confidence : float in (0, 1), default 0.95

    Returns
    -------
    Interval

    Raises
    ------
    InputError
        If there are fewer than 2 gains, one is not finite, or a size or the confidence is out of
        its range.

    Notes
    -----
    The correction is a heuristic: no unbiased estimate of this variance exists.

    References
    ----------
    Nadeau and Bengio (2003), Inference for the generalization error, Machine Learning 52,
    doi:10.1023/A:1024068626366.

    Examples
    --------
    >>> from acclimate.judging.intervals import nadeau_bengio_interval
    >>> interval = nadeau_bengio_interval([0.02, 0.04, 0.03], n_train=90, n_test=10)
    >>> [round(value, 3) for value in interval]
    [0.03, 0.001, 0.059]
    """
    check_confidence(confidence)
    if n_train < 1 or n_test < 1:
        raise InputError(f"n_train and n_test must be at least 1, got {n_train} and {n_test}")
    gains = np.asarray(differences, dtype=np.float64)
    if gains.ndim != 1 or gains.size < 2:
        raise InputError(
            f"differences must be one gain for each of at least 2 splits, got shape {gains.shape}"
        )
    _check_finite(gains, "differences")
    scale = (1 / gains.size + n_test / n_train) * gains.var(ddof=1)
    half = float(_quantile(gains.size - 1, confidence) * np.sqrt(scale))
    mean = float(gains.mean())
    return Interval(mean, mean - half, mean + half)


def r2_contributions(y_true: Floats, candidate: Floats, reference: Floats) -> Floats:
    """Split a gain in R2 into one contribution for each row.

    The gain is ``(SSE_reference - SSE_candidate) / SST``, a ratio of two sums over the test rows.
    The contributions are those of its linearisation, so their mean is the gain exactly and their
    spread holds the noise of SST as well.

    Parameters
    ----------
    y_true : ndarray of shape (N,)
        Not constant.
    candidate, reference : ndarray of shape (D, N)
        Predicted values.

    Returns
    -------
    ndarray of shape (D, N)
        ``G + (reference error - candidate error - G * s) / mean(s)`` with squared errors, the gain
        G over all draws and ``s`` the squared distance of each target from the mean.
    """
    spread = np.square(y_true - y_true.mean())
    errors = np.square(reference - y_true) - np.square(candidate - y_true)
    gain = errors.mean() / spread.mean()
    contributions: Floats = gain + (errors - gain * spread) / spread.mean()
    return contributions


def check_confidence(confidence: float) -> None:
    """Raise `InputError` unless the confidence lies strictly between 0 and 1."""
    if not 0 < confidence < 1:
        raise InputError(f"confidence must lie strictly between 0 and 1, got {confidence!r}")


def _squared_half_width(var: CrossedVariances, draws: int, rows: int, confidence: float) -> Floats:
    of_rows = _quantile(rows - 1, confidence) ** 2 * np.maximum(var.rows - var.residual, 0.0)
    if draws == 1:
        return np.asarray(of_rows)
    return np.asarray(_quantile(draws - 1, confidence) ** 2 * var.draws + of_rows)


def _quantile(degrees: int, confidence: float) -> float:
    return float(stdtrit(degrees, (1 + confidence) / 2))


def _smallest(ready: Callable[[int], bool], now: int, largest: int) -> int | None:
    """Find the smallest value above ``now`` that is ready, where ready never turns back."""
    low, high = now, now + 1
    while not ready(high):
        low, high = high, 2 * high
        if high > largest:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if ready(middle) else (middle, high)
    return high


def _as_table(differences: ArrayLike) -> Floats:
    table = np.asarray(differences, dtype=np.float64)
    if table.ndim == 1:
        table = table[np.newaxis]
    if table.ndim != 2 or table.shape[0] < 1 or table.shape[1] < 2:
        raise InputError(
            "differences must have shape (draws, rows) or (rows,) with at least 2 rows, "
            f"got {np.shape(differences)}"
        )
    _check_finite(table, "differences")
    return table


def _check_finite(values: Floats, name: str) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if bad.size:
        where = tuple(int(i) for i in bad[0])
        raise InputError(f"{name} must be finite, got {float(values[where])} at index {where}")
