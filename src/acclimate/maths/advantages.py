"""Generalised advantage estimation: how much better an action went than was expected."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


def advantages(
    rewards: Array,
    values: Array,
    following: Array,
    last: NDArray[np.bool_],
    discount: float,
    trace: float,
) -> Array:
    """Return the advantage of each action, from what was earned and what was expected.

    With the surprise ``d[t] = r[t] + discount * following[t] - values[t]`` it is ``A[t] = d[t] +
    discount * trace * A[t + 1]``, where the second term is 0 at the last step of an episode. A
    trace of 0 gives the surprise alone, a trace of 1 the discounted return less the value.

    Parameters
    ----------
    rewards : ndarray of shape (T, N)
        Of T steps in N environments.
    values : ndarray of shape (T, N)
        Expected return from the state before each step.
    following : ndarray of shape (T, N)
        Expected return from the state after it: 0 where the task ended there, but not where a time
        limit cut it.
    last : ndarray of bool of shape (T, N)
        Whether an episode ended or was cut after the step.
    discount, trace : float in [0, 1]
        Gamma and lambda.

    Returns
    -------
    ndarray of shape (T, N)

    References
    ----------
    Schulman et al., arXiv:1506.02438, equation 16.

    Examples
    --------
    >>> import numpy as np
    >>> one, none = np.ones((3, 1)), np.zeros((3, 1))
    >>> ends = np.array([[False], [False], [True]])
    >>> advantages(one, none, none, ends, 1.0, 1.0).ravel()
    array([3., 2., 1.])
    """
    found = rewards + discount * following - values
    kept = discount * trace * ~last
    for t in range(len(found) - 2, -1, -1):
        found[t] += kept[t] * found[t + 1]
    return found
