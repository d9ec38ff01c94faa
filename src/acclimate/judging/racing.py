"""Which candidates are so far behind that more of their trials would tell nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acclimate.judging.weighing import ETA, LEAST

Floats = NDArray[np.float64]
ERRORS = 2.0  # standard errors of a paired difference that make it clear


def clearly_behind(losses: Floats, rows: int) -> NDArray[np.bool_]:
    """Tell which candidates will have no weight in a committee, by a part of the held-out rows.

    A candidate is out where its paired difference to the best, ``d``, is clear (two standard errors
    ``s``), and its weight would stay under one per cent of the best one's with ``d - s`` on all
    rows: ``exp(-eta (d - s) rows) < 0.01``.

    Parameters
    ----------
    losses : ndarray of shape (candidates, n)
        Losses of the same held-out rows, in nats; infinite where a candidate has none. NaN rows are
        left out.
    rows : int
        Rows that there will be in the end.

    Returns
    -------
    ndarray of shape (candidates,)
        The best is never among them; with fewer than 3 rows, or no finite loss, nobody is.

    References
    ----------
    Maron and Moore, "Hoeffding races", NIPS (1993), on racing models by their losses so far.

    Examples
    --------
    >>> import numpy as np
    >>> even, bad = np.full(20, 0.5), np.full(20, 2.0)
    >>> clearly_behind(np.array([even, even + 0.01, bad]), 60)
    array([False, False,  True])
    """
    losses = losses[:, ~np.isnan(losses).any(axis=0)]
    finite = np.asarray(np.isfinite(losses).all(axis=1))
    n = losses.shape[1]
    if n < 3 or not finite.any():
        return np.zeros(len(losses), dtype=bool)
    total = np.where(finite, losses.sum(axis=1, where=finite[:, None]), np.inf)
    d = losses[finite] - losses[int(total.argmin())]
    mean, error = d.mean(axis=1), d.std(axis=1, ddof=1) / np.sqrt(n)
    out: NDArray[np.bool_] = np.logical_not(finite)
    light = ETA * (mean - error) * rows > -np.log(LEAST)
    out[finite] = (mean > ERRORS * error) & light
    return out


def clearly_worse(scores: Floats) -> NDArray[np.bool_]:
    """Tell which candidates are behind the best by a clear paired difference of their scores.

    Parameters
    ----------
    scores : ndarray of shape (candidates, n)
        Scores of the same held-out rows, higher is better. NaN rows are left out.

    Examples
    --------
    >>> import numpy as np
    >>> clearly_worse(np.array([[1.0] * 9, [1.0] * 8 + [0.0], [0.0] * 9]))
    array([False, False,  True])
    """
    scores = scores[:, ~np.isnan(scores).any(axis=0)]
    n = scores.shape[1]
    if n < 3:
        return np.zeros(len(scores), dtype=bool)
    behind = scores[int(scores.mean(axis=1).argmax())] - scores
    error = behind.std(axis=1, ddof=1) / np.sqrt(n)
    out: NDArray[np.bool_] = behind.mean(axis=1) > ERRORS * error + 1e-12
    return out
