"""The linear system of `MEDA`, factorised once for all rounds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, lu_factor, lu_solve
from scipy.sparse import csr_array, diags_array

from acclimate.mapping.expansion import Expansion

Array = NDArray[np.floating[Any]]


class System:
    """The linear system ``((A + align E E' + smooth L) K + ridge I) a = A Y``, factorised once.

    For features F with ``K = F F'`` it is the equivalent ``(F' (...) F + ridge I) a' = F' A Y`` for
    coefficients of the features.

    Parameters
    ----------
    rows : Expansion
        All N rows.
    weight : ndarray of shape (N,)
        Diagonal of A: 0 for rows without a label.
    L : sparse array of shape (N, N)
        Laplacian.
    ridge : float
        Penalty, above 0.
    smooth : float
        Weight of L.
    """

    def __init__(
        self, rows: Expansion, weight: Array, L: csr_array, ridge: float, smooth: float
    ) -> None:
        self.rows, self.weight = rows, weight
        M = rows.matrix  # K, (N, N), or F, (N, p)
        fixed = (smooth * L + diags_array(weight)) @ M
        if not rows.is_kernel:
            fixed = M.T @ fixed
            fixed = (fixed + fixed.T) / 2
        fixed[np.diag_indices(len(fixed))] += ridge
        self.factor = (
            lu_factor(fixed.T, overwrite_a=True)  # transposed: LAPACK's order, so no copy
            if rows.is_kernel
            else cho_factor(fixed, overwrite_a=True)
        )

    def solve(self, E: Array, Y: Array, align: float) -> Array:
        """Return coefficients of shape (N, c) or (p, c), by the identity of Woodbury.

        Parameters
        ----------
        E : ndarray of shape (N, r)
            Factor of M.
        Y : ndarray of shape (N, c)
            What f should be. Rows of weight 0 play no part.
        align : float
            Weight of M.
        """
        M = self.rows.matrix
        B, V = self.weight[:, None] * Y, M.T @ E  # K is symmetric
        if self.rows.is_kernel:
            both = lu_solve(self.factor, np.hstack([B, E]), trans=1)
        else:
            both = cho_solve(self.factor, np.hstack([M.T @ B, V]))
        x, u = both[:, : Y.shape[1]], both[:, Y.shape[1] :]
        inner = np.eye(E.shape[1]) + align * (V.T @ u)
        a: Array = x - align * (u @ np.linalg.solve(inner, V.T @ x))
        return a
