"""Features whose inner products are near a kernel: random waves for "rbf", landmarks for any."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

Array = NDArray[np.floating[Any]]


def frequencies(d: int, number: int, gamma: float, rng: np.random.Generator) -> Array:
    """Draw frequencies of ``exp(-gamma ||x - z||^2)``, orthogonal in blocks, shape (d, number).

    Each column is distributed as ``sqrt(2 gamma)`` times a normal vector, so `waves` are unbiased.
    Up to d columns are orthogonal (Yu et al., arXiv:1610.09072), which makes the error smaller.

    Parameters
    ----------
    d : int
        Number of inputs.
    number : int
        Number of frequencies.
    gamma : float, above 0
        Inverse squared width.
    rng : numpy Generator
        Draws them.
    """
    W: Array = rng.normal(size=(d, number))
    lengths = np.sqrt(np.einsum("ij,ij->j", W, W))  # a direction and a length are independent
    for start in range(0, number, d):
        block = slice(start, start + d)
        Q, R = np.linalg.qr(W[:, block])
        W[:, block] = Q * np.sign(np.diag(R)) * lengths[block]
    W *= np.sqrt(2.0 * gamma)
    return W


def waves(X: Array, W: Array) -> Array:
    """Return cosines and sines whose inner products are near the kernel, shape (n, 2 number).

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows, near the origin for their digits.
    W : ndarray of shape (d, number)
        Frequencies, in the precision of X.
    """
    phase = X @ W
    number = W.shape[1]
    F: Array = np.empty((len(X), 2 * number), dtype=phase.dtype)
    np.cos(phase, out=F[:, :number])
    np.sin(phase, out=F[:, number:])
    F *= phase.dtype.type(1.0 / np.sqrt(number))
    return F


def whiten(K: Array, precision: float = float(np.finfo(np.float64).eps)) -> Array:
    """Return R of shape (p, r) with ``R R'`` the pseudo-inverse of a kernel matrix (p, p).

    ``k(X, landmarks) R`` are then features of rows X: Nystrom's.

    Parameters
    ----------
    K : ndarray of shape (p, p)
        Kernel of the landmarks, in float64.
    precision : float
        Eigenvalues below p times this, in units of the largest, are taken for zeros.
    """
    values, vectors = eigh(K)
    held = values > max(values[-1], 0.0) * len(K) * precision
    R: Array = vectors[:, held] / np.sqrt(values[held])
    return R
