"""Features of high variance on which means agree: one solver for TCA, JDA, BDA and TJM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh, svd

from acclimate.exceptions import InputError

Array = NDArray[np.floating[Any]]
DENSE = 600  # above, a few eigenvectors come from Lanczos iterations
FLAT = "the kernel does not vary over the rows of both domains; there is nothing to align"


def solve_dual(
    K: Array,
    E: Array,
    mu: float,
    k: int,
    *,
    seed: int = 0,
    scale: Array | None = None,
    start: Array | None = None,
) -> tuple[Array, Array]:
    """Minimise ``tr(W' (K E E' K + mu G) W)`` subject to ``W' K H K W = I``; H centres.

    With ``S = G^(-1/2)`` and ``V = S K E``, the inverse root B of ``mu I + V V'`` comes from the
    thin decomposition of V, shape (N, r). Eigenvectors of the symmetric ``B S K H K S B`` give W.

    Parameters
    ----------
    K : ndarray of shape (N, N)
        Kernel of all rows, symmetric.
    E : ndarray of shape (N, r)
        Each column is one difference of means, as weights of the rows.
    mu : float
        Penalty, above 0.
    k : int
        Number of features.
    seed : int, default=0
        Draws the start of the iterations.
    scale : ndarray of shape (N,), default=None
        Diagonal of S, above 0. None is the identity.
    start : ndarray of shape (N,), default=None
        Where the iterations start instead, such as a sum of earlier eigenvectors.

    Returns
    -------
    W : ndarray of shape (N, k)
        Coefficients.
    roots : ndarray of shape (k,)
        Eigenvalues, largest first; the minimum is the sum of their inverses.
    """
    N = len(K)
    s = np.ones(N) if scale is None else scale
    U, sizes, _ = svd(s[:, None] * (K @ E), full_matrices=False)  # (N, r), (r,)
    shrink = np.sqrt(mu / (mu + sizes**2)) - 1.0

    def halve(Y: Array) -> Array:
        """Multiply by the root B, shape (N, ...)."""
        out: Array = (Y + U @ (shrink * (U.T @ Y).T).T) / np.sqrt(mu)
        return out

    if N <= DENSE or k > N // 4:
        G = halve(s[:, None] * (K - K.mean(1)[:, None]))  # B S K H
        roots, Q = eigh(G @ G.T, subset_by_index=[max(N - k, 0), N - 1])
    else:
        from scipy.linalg.blas import dsymv
        from scipy.sparse.linalg import LinearOperator, eigsh

        # symmetric, so half of the matrix need be read, and its transpose is in BLAS's order
        F = np.asfortranarray(K if K.flags.f_contiguous else K.T)

        def product(y: Array) -> Array:
            inner = dsymv(1.0, F, s * halve(np.ravel(y)), lower=1)
            return halve(s * dsymv(1.0, F, inner - inner.mean(), lower=1))

        operator = LinearOperator((N, N), matvec=product, dtype=np.float64)
        first = np.random.default_rng(seed).normal(size=N) if start is None else start
        # the eigenvalues are exact to the square of what the vectors are exact to
        roots, Q = eigsh(operator, k=k, which="LA", v0=first, tol=1e-10)
    roots, Q = _kept(roots, Q)
    return s[:, None] * halve(Q) / np.sqrt(roots), roots


@dataclass(frozen=True)
class Reduced:
    """Features of N rows, turned so that the penalty is the identity; see `reduce`.

    Parameters
    ----------
    F : ndarray of shape (N, d)
        The features.
    VD : ndarray of shape (d, p)
        Right singular vectors of ``S F``, times the singular values.
    sizes : ndarray of shape (p,)
        The singular values.
    scatter : ndarray of shape (p, p)
        ``VD' F' H F VD``.
    """

    F: Array
    VD: Array
    sizes: Array
    scatter: Array


def reduce(F: Array, scale: Array | None = None) -> Reduced:
    """Prepare the problem for the linear kernel of features, ``K = F F'``.

    With ``S F = U D V'``, coefficients ``S^(-1) W`` outside the range of U cost and change nothing,
    so ``S^(-1) W = U a``, and a solves a problem of the size of D.

    Parameters
    ----------
    F : ndarray of shape (N, d)
        Features of all rows, in float64.
    scale : ndarray of shape (N,), default=None
        Diagonal of S, above 0. None is the identity.
    """
    centre = F.mean(0)
    centred = F - centre
    scatter = centred.T @ centred  # F' H F
    if np.trace(scatter) <= 1e-28 * len(F) * (centre**2).sum():
        raise InputError(FLAT)
    if scale is None:
        inner = scatter + len(F) * np.outer(centre, centre)
    else:
        scaled = F * scale[:, None]
        inner = scaled.T @ scaled
    squares, V = eigh(inner)  # F' S^2 F
    held = squares > max(squares[-1], 0.0) * len(squares) * np.finfo(np.float64).eps
    sizes = np.sqrt(squares[held])
    VD = V[:, held] * sizes
    turned = VD.T @ scatter @ VD
    return Reduced(F, VD, sizes, (turned + turned.T) / 2)


def solve_primal(form: Reduced, E: Array, mu: float, k: int) -> tuple[Array, Array, Array]:
    """Solve the same problem as `solve_dual` for features, in d dimensions.

    Parameters
    ----------
    form : Reduced
        The features.
    E : ndarray of shape (N, r)
        Differences of means.
    mu : float
        Penalty, above 0.
    k : int
        Number of features to find.

    Returns
    -------
    P : ndarray of shape (d, k)
        Projection: ``F P`` equals ``K W``.
    roots : ndarray of shape (k,)
        Eigenvalues, largest first.
    C : ndarray of shape (d, k)
        ``W`` equals ``S^2 F C``.
    """
    v = form.VD.T @ (form.F.T @ E)  # (p, r)
    p = len(v)
    left = v @ v.T + mu * np.eye(p)
    roots, Q = eigh(form.scatter, left, subset_by_index=[max(p - k, 0), p - 1])
    roots, Q = _kept(roots, Q)
    a = Q / np.sqrt(roots)
    return form.VD @ a, roots, form.VD @ (a / form.sizes[:, None] ** 2)


def _kept(roots: Array, Q: Array) -> tuple[Array, Array]:
    """Return eigenpairs, largest first, without those that are zero but for rounding."""
    order = np.argsort(roots)[::-1]
    roots, Q = roots[order], Q[:, order]
    held = roots > roots[0] * 1e-9  # below, rounding would decide the objective
    return roots[held], Q[:, held]
