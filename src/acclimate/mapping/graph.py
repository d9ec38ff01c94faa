"""The graph of nearest neighbours, as a sparse Laplacian."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

Array = NDArray[np.floating[Any]]


def neighbour_laplacian(Z: Array, n_neighbors: int) -> csr_array:
    """Return the normalised Laplacian ``I - D^(-1/2) W D^(-1/2)``, shape (N, N).

    W holds the cosine similarity of rows of which one is among the other's nearest neighbours by
    it, and 0 elsewhere; similarities below 0 count as 0. D holds the sums of its rows. A row
    without a neighbour has a row of zeros.

    Parameters
    ----------
    Z : ndarray of shape (N, k)
        Rows.
    n_neighbors : int
        Neighbours of each row, without itself; at most N - 1 are used.
    """
    from sklearn.neighbors import NearestNeighbors

    N = len(Z)
    size = np.linalg.norm(Z, axis=1, keepdims=True)
    U = Z / np.where(size > 0, size, 1.0)
    # among rows of length 1, Euclidean neighbours are those of highest cosine
    finder = NearestNeighbors(n_neighbors=min(n_neighbors, N - 1)).fit(U)
    distance, found = finder.kneighbors()  # of the rows themselves, each without itself
    cosine = np.maximum(1.0 - distance.astype(np.float64) ** 2 / 2, 0.0)
    still = size[:, 0] == 0  # rows without a direction are like nothing
    cosine[still] = 0.0
    cosine[still[found]] = 0.0
    start = np.arange(N + 1) * found.shape[1]
    W = csr_array((cosine.ravel(), found.ravel(), start), shape=(N, N))
    W = W.maximum(W.T)
    degree = np.asarray(W.sum(axis=1)).ravel()
    root = np.where(degree > 0, 1.0 / np.sqrt(np.where(degree > 0, degree, 1.0)), 0.0)
    scaled = diags_array(root) @ W @ diags_array(root)
    return csr_array(diags_array((degree > 0).astype(np.float64)) - scaled)
