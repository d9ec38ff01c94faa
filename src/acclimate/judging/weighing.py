"""Weights of a committee: exponential in the loss on held-out labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acclimate.exceptions import InputError

Floats = NDArray[np.float64]
ETA = 0.3  # chosen on development shifts; from 0.1 to 1 it matters little
MOST = 10
LEAST = 0.01
FLOOR = 1e-3  # a probability below counts as this much: one row must not decide


def committee_weights(
    losses: ArrayLike, *, prior: ArrayLike | None = None, eta: float = ETA, most: int = MOST,
    least: float = LEAST,
) -> Floats:  # fmt: skip
    """Return a weight for each candidate, with a sum of 1.

    Use it where few labels cannot tell the best of many candidates from its neighbours: a mean of
    what did well is safer than a pick. Do not use it on losses of rows that the candidates were
    trained on.

    The weights are ``m_k exp(-eta L_k)`` over their sum, with L_k the *summed* loss of candidate k
    and m_k its prior mass: so they become a pick as labels become many. Those under ``least`` are
    dropped, as are all but the ``most`` largest, and the rest scaled to a sum of 1.

    Parameters
    ----------
    losses : array-like of shape (candidates,)
        Summed losses; infinite or NaN for a candidate without any.
    prior : array-like of shape (candidates,), default=None
        Masses above 0, in any unit. None means that all have the same.
    eta : float, above 0, default=0.3
        How fast a weight falls with the loss, in 1 / nats.
    most : int, at least 1, default=10
        Most members.
    least : float in [0, 1), default=0.01
        Least weight of a member.

    Returns
    -------
    ndarray of shape (candidates,)
        At least 0.

    Raises
    ------
    InputError
        No candidate has a finite loss.

    References
    ----------
    Littlestone and Warmuth, "The weighted majority algorithm", doi:10.1006/inco.1994.1009. Vovk,
    "Aggregating strategies", COLT (1990), where eta = 1 is right for log loss that is seen once;
    cross-fitted losses of the same rows are less sure, so eta is smaller.

    Examples
    --------
    >>> committee_weights([10.0, 10.0, 40.0])
    array([0.5, 0.5, 0. ])
    """
    L = np.asarray(losses, dtype=np.float64)
    known = np.isfinite(L)
    if not known.any():
        raise InputError("no candidate has a finite loss, so there is nothing to weigh")
    w = np.zeros(len(L))
    logs = -eta * L[known]
    if prior is not None:
        logs = logs + np.log(np.asarray(prior, dtype=np.float64)[known])
    w[known] = np.exp(logs - logs.max())
    w /= w.sum()
    order = np.argsort(-w, kind="stable")
    w[order[most:]] = 0.0
    w[w < min(least, w.max())] = 0.0
    weights: Floats = w / w.sum()
    return weights


def class_losses(proba: Floats, codes: NDArray[np.intp]) -> Floats:
    """Return minus the log probability of each row's class, shape (..., m).

    Parameters
    ----------
    proba : ndarray of shape (..., m, k)
        Probabilities; below a thousandth they count as a thousandth.
    codes : ndarray of shape (m,)
        Columns of the true classes.
    """
    said = np.take_along_axis(
        proba, np.broadcast_to(codes[:, None], (*proba.shape[:-1], 1)), axis=-1
    )
    losses: Floats = -np.log(np.maximum(said[..., 0], FLOOR))
    return losses
