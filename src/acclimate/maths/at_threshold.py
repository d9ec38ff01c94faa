"""Answers of two classes by a threshold on the probability of one of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def codes_at(proba: NDArray[Any], code: int, value: float) -> NDArray[np.intp]:
    """Return which of two classes each row is said to be of, shape (m,).

    Parameters
    ----------
    proba : ndarray of shape (m, 2)
        Class probabilities.
    code : int
        Column of the class that is said where its probability is ``value`` or more.
    value : float

    >>> codes_at(np.array([[0.7, 0.3], [0.75, 0.25]]), 1, 0.3)
    array([1, 0])
    """
    said: NDArray[np.intp] = np.where(np.asarray(proba)[:, code] >= value, code, 1 - code)
    return said


def told_at(name: str, value: float) -> str:
    """Say what a threshold means.

    >>> told_at("yes", 0.3125)
    "answers 'yes' from a probability of 0.312 on"
    """
    return f"answers {name!r} from a probability of {value:.3g} on"
