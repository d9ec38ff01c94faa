"""Entropic optimal transport between rows: kernels that do not underflow, classes kept together."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from acclimate.arrays import as_matrix
from acclimate.exceptions import ConvergenceWarning, InputError

Array = NDArray[np.floating[Any]]
Index = NDArray[np.intp]
BLOCK_PAIRS = 2**22  # pairs looked at together
SINGLE_PAIRS = 2**21  # above, kernels are held in float32
FAR = 1e8  # scalings beyond are taken into the potentials
STEPS = 1000
HARM = 1e-3  # share of the mass in the wrong place that is worth a warning
POWER = 0.5  # p of the penalty that keeps classes together
FLOOR = 1e-3  # added to the shares, so that the penalty has a slope at 0


class Gibbs:
    """The kernel ``exp((f_i + g_j - C_ij) / epsilon)`` with scalings, which stays within range.

    Parameters
    ----------
    C : ndarray of shape (n, m)
        Costs.
    epsilon : float
        Strength of the entropy, above 0.
    f, g : ndarrays of shapes (n,) and (m,)
        Potentials to start from.

    Attributes
    ----------
    u, v : ndarrays of shapes (n,) and (m,)
        Scalings since the potentials were last renewed.
    """

    def __init__(self, C: Array, epsilon: float, f: Array, g: Array) -> None:
        self.C, self.epsilon, self.f, self.g = C, epsilon, f, g
        self.K: Array = np.empty_like(C)
        self._renew()

    def _renew(self) -> None:
        for part in gen_batches(len(self.C), max(1, BLOCK_PAIRS // self.C.shape[1])):
            block = self.K[part]
            np.subtract(self.g.astype(self.C.dtype), self.C[part], out=block)
            block += self.f[part, None].astype(self.C.dtype)
            block /= self.C.dtype.type(self.epsilon)
            np.exp(block, out=block)
        self.u, self.v = np.ones(len(self.f)), np.ones(len(self.g))

    def columns(self) -> Array:
        """Return the column sums without the scaling v, shape (m,)."""
        sums: Array = self.u.astype(self.K.dtype) @ self.K
        return sums.astype(np.float64)

    def rows(self) -> Array:
        """Return the row sums without the scaling u, shape (n,)."""
        sums: Array = self.K @ self.v.astype(self.K.dtype)
        return sums.astype(np.float64)

    def settle(self, force: bool = False) -> None:
        """Take the scalings into the potentials where they are large or small, or always."""
        both = np.concatenate([self.u, self.v])
        if force or both.max() > FAR or both.min() < 1.0 / FAR:
            self.f = self.f + self.epsilon * np.log(self.u)
            self.g = self.g + self.epsilon * np.log(self.v)
            self._renew()

    def renewed(self, a: Array, b: Array) -> None:
        """Scale columns to b, then rows to a, by logarithms: where a whole sum underflows."""
        f, g = self.potentials()
        n, m = self.C.shape
        for part in gen_batches(m, max(1, BLOCK_PAIRS // n)):
            sums = log_sum((f[:, None] - self.C[:, part]) / self.epsilon, 0)
            g[part] = self.epsilon * (np.log(b[part]) - sums)
        for part in gen_batches(n, max(1, BLOCK_PAIRS // m)):
            sums = log_sum((g - self.C[part]) / self.epsilon, 1)
            f[part] = self.epsilon * (np.log(a[part]) - sums)
        self.f, self.g = f, g
        self._renew()

    def potentials(self) -> tuple[Array, Array]:
        """Return the potentials with the scalings in them, shapes (n,) and (m,)."""
        e = self.epsilon
        return self.f + e * np.log(self.u), self.g + e * np.log(self.v)

    def shares(self, codes: Index, k: int) -> Array:
        """Return the mass that each of k classes of rows sends to each column, shape (k, m)."""
        member = np.zeros((k, len(codes)), dtype=self.K.dtype)
        member[codes, np.arange(len(codes))] = self.u
        sums: Array = (member @ self.K) * self.v
        return sums

    def plan(self) -> Array:
        """Return the plan, shape (n, m)."""
        P: Array = self.K * self.v.astype(self.K.dtype)
        P *= self.u.astype(self.K.dtype)[:, None]
        return P


def log_sum(values: Array, axis: int) -> Array:
    """Return logarithms of the sums of exponentials along an axis."""
    top = values.max(axis, keepdims=True)
    sums: Array = np.log(np.exp(values - top).sum(axis)) + np.squeeze(top, axis)
    return sums


def sinkhorn(
    C: Array,
    a: Array,
    b: Array,
    epsilon: float,
    *,
    start: Array | None = None,
    tolerance: float | None = None,
) -> Gibbs:
    """Minimise ``<P, C> + epsilon sum_ij P_ij (log P_ij - 1)`` over plans with marginals a and b.

    Parameters
    ----------
    C : ndarray of shape (n, m)
        Costs.
    a, b : ndarrays of shapes (n,) and (m,)
        Masses, above 0, sum 1 each.
    epsilon : float
        Strength of the entropy, above 0.
    start : ndarray of shape (m,), default=None
        Potentials of the columns to start from.
    tolerance : float, default=None
        Mass that may be in the wrong column. None is 1e-8, or 1e-5 in float32.

    Returns
    -------
    Gibbs
        Its row sums are a but for rounding, its column sums are b within the tolerance.

    Raises
    ------
    InputError
        ``epsilon`` is so small that scalings overflow.

    Warns
    -----
    ConvergenceWarning
        More than a thousandth of the mass is in the wrong column after 1000 steps.
    """
    if tolerance is None:
        tolerance = 1e-5 if C.dtype == np.float32 else 1e-8
    f, g = np.empty(len(C)), np.full(C.shape[1], np.inf)
    before = np.zeros(len(b)) if start is None else start
    for part in gen_batches(len(C), max(1, BLOCK_PAIRS // len(b))):
        f[part] = (C[part] - before.astype(C.dtype)).min(1)
        g = np.minimum(g, (C[part] - f[part, None].astype(C.dtype)).min(0))
    kernel = Gibbs(C, epsilon, f, g)  # each row and each column holds a 1
    errors: list[float] = []
    power = 1.0
    most = float(np.finfo(C.dtype).max) ** 0.75  # a scaling beyond could overflow
    for step in range(STEPS):
        sums = kernel.columns()
        if (b > most * sums).any():
            kernel.renewed(a, b)
            sums = np.maximum(kernel.columns(), b / most)
        if step:
            errors.append(float(np.abs(kernel.v * sums - b).sum()))
            if errors[-1] <= tolerance:
                break
        if step % 20 == 0 and step:
            power = _power(errors, power)
        kernel.v = b / sums if power == 1.0 else kernel.v * (b / sums / kernel.v) ** power
        rows = kernel.rows()
        if (a > most * rows).any():
            kernel.renewed(a, b)
            rows = kernel.rows()
        wanted = a / rows
        kernel.u = wanted if power == 1.0 else kernel.u * (wanted / kernel.u) ** power
        kernel.settle()
    kernel.u = a / kernel.rows()
    wrong = float(np.abs(kernel.v * kernel.columns() - b).sum())
    if not np.isfinite(wrong):
        raise InputError(
            f"an entropy of strength {epsilon:.3g} is too weak for a mean cost of "
            f"{float(C.mean()):.3g} in {C.dtype}; raise epsilon"
        )
    if wrong > HARM:
        warnings.warn(
            f"{wrong:.2%} of the mass is in the wrong place after {STEPS} steps; a larger epsilon "
            f"converges faster",
            ConvergenceWarning,
            stacklevel=2,
        )
    return kernel


def _power(errors: list[float], power: float) -> float:
    """Return the power of the next steps: above 1 they go further, where plain ones are slow.

    With a plain step that leaves the share r of the error, ``2 / (1 + sqrt(1 - r))`` is the best
    power close to the solution (Lehmann et al., arXiv:2012.12562). It goes back to 1 where the
    error grows.
    """
    if power > 1.0:
        return 1.0 if errors[-1] > errors[-20] else power
    rate = (errors[-1] / errors[-11]) ** 0.1
    return min(2.0 / (1.0 + (1.0 - rate) ** 0.5), 1.95) if rate < 1.0 else 1.0


def sinkhorn_classes(
    C: Array, codes: Index, a: Array, b: Array, epsilon: float, strength: float
) -> tuple[Gibbs, Array]:
    """Like `sinkhorn`, with a penalty that keeps classes of source rows apart.

    Adds ``strength sum_j b_j sum_c (s_cj + 0.001)^0.5``, where s_cj is the share of the mass of
    target row j that comes from class c. It is concave, so each step solves the problem with its
    tangent: ten calls of `sinkhorn`, each lowering the objective.

    Parameters
    ----------
    C : ndarray of shape (n, m)
        Costs.
    codes : integer ndarray of shape (n,)
        Class of each source row.
    a, b : ndarrays of shapes (n,) and (m,)
        Masses, above 0, sum 1 each.
    epsilon : float
        Strength of the entropy, above 0.
    strength : float
        Strength of the penalty, at least 0.

    Returns
    -------
    kernel : Gibbs
        The plan.
    table : ndarray of shape (k, m)
        What the last tangent adds to the costs of each class.
    """
    k = int(codes.max()) + 1
    table = np.zeros((k, len(b)))
    start = None
    for _ in range(10):
        kernel = sinkhorn(C + table.astype(C.dtype)[codes], a, b, epsilon, start=start)
        start = kernel.potentials()[1]
        slope = strength * POWER * (kernel.shares(codes, k) / b + FLOOR) ** (POWER - 1.0)
        if float(np.abs(slope - table).max()) <= 1e-6 * max(float(slope.max()), epsilon):
            break
        table = slope
    return kernel, table


@dataclass(frozen=True)
class Barycentre:
    """The map onto the mean of target rows, each weighted as an entropic plan would.

    ``T(x) = sum_j p_j y_j`` with ``p_j`` in proportion to ``exp((g_j - ||x - z_j||^2) / epsilon)``.

    Parameters
    ----------
    centre : ndarray of shape (d,)
        Subtracted from x first.
    Z : ndarray of shape (m, d)
        Target rows as costs see them.
    g : ndarray of shape (m,)
        Potentials.
    epsilon : float
        Strength of the entropy.
    Y : ndarray of shape (m, q)
        What is averaged: target rows as they are, or their labels.
    """

    centre: Array
    Z: Array
    g: Array
    epsilon: float
    Y: Array

    def __call__(self, X: Any) -> Array:
        """Return mapped rows, shape (n, q), in the precision of X."""
        X = as_matrix(X)
        out: Array = np.empty((len(X), self.Y.shape[1]), dtype=X.dtype)
        Z, Y = self.Z.astype(X.dtype, copy=False), self.Y.astype(X.dtype, copy=False)
        constant = (self.g - np.einsum("ij,ij->i", self.Z, self.Z)).astype(X.dtype)
        for part in gen_batches(len(X), max(1, BLOCK_PAIRS // len(Z))):
            score = (X[part] - self.centre.astype(X.dtype)) @ Z.T
            score *= 2.0
            score += constant
            score -= score.max(1, keepdims=True)
            score /= self.epsilon
            np.exp(score, out=score)
            out[part] = (score @ Y) / score.sum(1, keepdims=True)
        return out
