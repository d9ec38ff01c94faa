"""Graphs of nearest neighbours in memory linear in the rows: nodes, weights, systems, new rows."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from acclimate.exceptions import ConvergenceWarning
from acclimate.folds import row_keys

Array = NDArray[np.floating[Any]]

TOLERANCE = 1e-8  # of a solution, relative to the right-hand side
MOST_STEPS = 10_000


def merged(X: Array, seed: int = 0) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the places of rows that differ, in an order of their values, and each row's node.

    Rows that are equal are one node, so that a row that is there three times counts as one of
    weight 3, and a row of both domains is no second one.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows.
    seed : int, default=0
        Seeds the comparison of rows.

    Returns
    -------
    first : integer ndarray of shape (N,)
        Of each node, the place of a row.
    node : integer ndarray of shape (n,)
        Node of each row.

    >>> first, node = merged(np.array([[0.0], [4.0], [0.0]]))
    >>> len(first), bool(node[0] == node[2] != node[1])
    (2, True)
    """
    _, first, node = np.unique(row_keys(X, seed), return_index=True, return_inverse=True)
    return first, node.reshape(-1)


def similarity(distance: Array) -> Array:
    """Return ``exp(-4 d^2 / d_k^2)`` of the distances to k neighbours, nearest first, (n, k).

    A row whose neighbours all are at distance 0 is as similar to each.

    >>> similarity(np.array([[0.0, 1.0, 2.0]])).round(3)
    array([[1.   , 0.368, 0.018]])
    """
    farthest = distance[:, -1:].astype(np.float64)
    weight: Array = np.exp(-4.0 * (distance / np.where(farthest > 0, farthest, 1.0)) ** 2)
    return weight


def neighbour_weights(distance: Array, found: NDArray[np.intp]) -> csr_array:
    """Return the symmetric weights of the graph, ``(V + V') / 2`` with V of `similarity`, (N, N).

    Parameters
    ----------
    distance : ndarray of shape (N, k)
        Distances of each row to its neighbours, without itself, nearest first.
    found : integer ndarray of shape (N, k)
        Which rows these are.
    """
    N, k = found.shape
    start = np.arange(N + 1) * k
    V = csr_array((similarity(distance).ravel(), found.ravel(), start), shape=(N, N))
    return csr_array((V + V.T) * 0.5)


def degrees(W: csr_array) -> Array:
    """Return the sums of the rows of a weight matrix, shape (N,)."""
    sums: Array = np.asarray(W.sum(axis=1), dtype=np.float64).ravel()
    return sums


def solved(A: csr_array, B: Array) -> Array:
    """Return ``A^(-1) B`` by conjugate gradients, shape (N, c).

    Each column is solved by itself, so that no class depends on the order of the others.

    Parameters
    ----------
    A : sparse array of shape (N, N)
        Symmetric and positive definite, with a positive diagonal.
    B : ndarray of shape (N, c)
        Right-hand sides.

    Warns
    -----
    ConvergenceWarning
        A column is not solved after 10000 steps.
    """
    from scipy.sparse.linalg import cg

    precondition = diags_array(1.0 / A.diagonal())
    found = np.zeros_like(B, dtype=np.float64)
    for column in range(B.shape[1]):
        found[:, column], left = cg(
            A, B[:, column], rtol=TOLERANCE, atol=0.0, maxiter=MOST_STEPS, M=precondition
        )
        if left:
            warnings.warn(
                f"the scores of class {column} are not exact after {MOST_STEPS} steps of "
                f"conjugate gradients; raise ridge of PoissonLearning, or lower alpha of "
                f"LabelSpreading",
                ConvergenceWarning,
                stacklevel=7,
            )
    return found


def carried(distance: Array, found: NDArray[np.intp], U: Array) -> Array:
    """Return scores of new rows: means over their neighbours, weighted by `similarity`, (m, c).

    Parameters
    ----------
    distance : ndarray of shape (m, k)
        Distances of each row to its neighbours, nearest first.
    found : integer ndarray of shape (m, k)
        Which nodes these are.
    U : ndarray of shape (N, c)
        Scores of the nodes.
    """
    weight = similarity(distance)
    weight = weight / weight.sum(axis=1, keepdims=True)
    scores: Array = np.einsum("mk,mkc->mc", weight, U[found])
    return scores
