"""Exact optimal transport between rows, without a matrix of all pairs."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from acclimate.arrays import as_matrix
from acclimate.exceptions import ConvergenceWarning
from acclimate.folds import row_keys
from acclimate.mapping.pot_loading import pot

Array = NDArray[np.floating[Any]]
Index = NDArray[np.intp]
DENSE_PAIRS = 2**22  # up to here, all pairs at once are faster, in some 200 MB
BLOCK_PAIRS = 2**22  # pairs looked at together: 16 MB in float32
START_ROWS = 1000  # rows of each side that the first potentials are taken from
NEAREST = 20  # pairs a row that the first problem has
SOME = 4  # where at most one row of so many had pairs to add, these rows are looked at alone
ROUNDS = 60
SEED = 0  # of the keys that say which rows are equal
GAP = 1e-7  # relative gap of the bounds at which the search ends


@dataclass(frozen=True)
class Cost:
    """The cost of moving source row i onto target row j: ``||x_i - z_j||^2 + T[code_i, j]``.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Source rows.
    Z : ndarray of shape (m, d)
        Target rows.
    codes : integer ndarray of shape (n,), default=None
        Class of each source row.
    table : ndarray of shape (k, m), default=None
        What a class adds at each target row.
    """

    X: Array
    Z: Array
    codes: Index | None = None
    table: Array | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Number of source and of target rows."""
        return len(self.X), len(self.Z)

    @cached_property
    def squares(self) -> tuple[Array, Array]:
        """Squared lengths of the rows, shapes (n,) and (m,)."""
        return np.einsum("ij,ij->i", self.X, self.X), np.einsum("ij,ij->i", self.Z, self.Z)

    def of(self, rows: Any = slice(None), columns: Any = slice(None)) -> Array:
        """Return the costs of some source rows to some target rows, in the precision of X."""
        a, b = self.squares
        costs: Array = self.X[rows] @ self.Z[columns].T
        costs *= -2.0
        costs += a[rows, None]
        costs += b[columns]
        np.maximum(costs, 0.0, out=costs)
        if self.codes is not None and self.table is not None:
            costs += self.table[:, columns][self.codes[rows]].astype(costs.dtype, copy=False)
        return costs

    def pairs(self, i: Index, j: Index) -> Array:
        """Return the costs of single pairs in float64, shape (p,)."""
        costs: Array = np.empty(len(i))
        step = max(1, 2**20 // max(1, self.X.shape[1]))
        for s in range(0, len(i), step):
            part = slice(s, s + step)
            gap = self.X[i[part]].astype(np.float64) - self.Z[j[part]]
            costs[part] = np.einsum("ij,ij->i", gap, gap)
        if self.codes is not None and self.table is not None:
            costs += self.table[self.codes[i], j]
        return costs

    def mean(self, a: Array, b: Array) -> float:
        """Return the mean cost over all pairs, with row weights (n,) and (m,) that sum to 1."""
        squares, others = self.squares
        centre, other = a @ self.X.astype(np.float64), b @ self.Z.astype(np.float64)
        total = float(a @ squares + b @ others - 2.0 * centre @ other)
        if self.codes is not None and self.table is not None:
            shares = np.bincount(self.codes, weights=a, minlength=len(self.table))
            total += float(shares @ self.table @ b)
        return total

    def single(self) -> Cost:
        """Return the same cost in float32."""
        if self.X.dtype == np.float32 and self.Z.dtype == np.float32:
            return self
        table = None if self.table is None else self.table.astype(np.float32)
        return Cost(self.X.astype(np.float32), self.Z.astype(np.float32), self.codes, table)


@dataclass(frozen=True)
class Coupling:
    """A transport plan, and the potentials that prove how good it is.

    Parameters
    ----------
    matrix : sparse array of shape (n, m)
        Mass moved from each source row to each target row; at most n + m - 1 entries.
    u, v : ndarrays of shapes (n,) and (m,)
        Dual potentials; ``u_i + v_j`` is at most the cost, but for rounding.
    cost : float
        Cost of the plan.
    bound : float
        No plan costs less than this, but for rounding.
    """

    matrix: csr_array
    u: Array
    v: Array
    cost: float
    bound: float


@dataclass
class Near:
    """Pairs of a large problem, as i m + j, that plans of similar costs begin with."""

    keys: Index | None = None


def exact_plan(
    cost: Cost, a: Array, b: Array, *, seed: int = 0, near: Near | None = None, gap: float = GAP
) -> Coupling:
    """Return a plan that minimises ``sum_ij P_ij cost_ij`` with marginals a and b.

    Small problems are solved at once, by POT's network simplex. Larger ones by adding pairs: the
    simplex solves the problem on a few pairs, its potentials say which of all pairs would lower the
    cost, and those join, until there are none, or the plan costs at most ``gap`` more than a bound
    on all plans. Rows that had such pairs are looked at by themselves before all are again. Memory
    grows with n + m, since pairs are looked at a block of rows at a time, in float32.

    Parameters
    ----------
    cost : Cost
        Costs of all pairs.
    a : ndarray of shape (n,)
        Mass of the source rows, above 0, sum 1.
    b : ndarray of shape (m,)
        Mass of the target rows, above 0, sum 1.
    seed : int, default=0
        Draws the rows that the first potentials are taken from.
    near : Near, default=None
        Pairs of the last plan between the same masses, which this one begins with, and changes.
    gap : float, default=1e-7
        Share of its cost by which the plan of a large problem may be above the bound.

    Warns
    -----
    ConvergenceWarning
        Pairs that would lower the cost are left; the message shows by how much at most.
    """
    n, m = cost.shape
    if n * m <= DENSE_PAIRS:
        return _dense_plan(cost, a, b)
    exact, cost = cost, cost.single()
    if near is not None and near.keys is not None:
        keys = near.keys
    else:
        u, v = _first_potentials(cost, np.random.default_rng(seed))
        keys = np.union1d(_candidates(cost, u, v, None)[0], _feasible(a, b))
    few = _Few(exact, a, b, keys)
    tolerance = 1e-6 * float(cost.squares[0].max() + cost.squares[1].max())
    best = -np.inf
    while few.solved < ROUNDS:
        few.solve()
        fresh, slack = _candidates(cost, few.u, few.v, tolerance)
        best = max(best, float(a @ (few.u + np.minimum(slack, 0.0)) + b @ few.v))
        if few.cost - best <= gap * abs(few.cost) or not few.add(fresh):
            break
        rows = np.flatnonzero(slack < -tolerance)
        while len(rows) <= n // SOME and few.solved < ROUNDS:
            few.solve()
            fresh, slack = _candidates(cost, few.u, few.v, tolerance, rows)
            left = -float(a[rows] @ np.minimum(slack, 0.0))
            if not few.add(fresh) or left <= gap * abs(few.cost):
                break
    if few.cost - best > 1e-3 * abs(few.cost):
        warnings.warn(
            f"the transport plan may cost {few.cost - best:.3g} more than the best one, which "
            f"costs at least {best:.6g}",
            ConvergenceWarning,
            stacklevel=2,
        )
    if near is not None:
        near.keys = few.nearest()
    return Coupling(few.matrix, few.u, few.v, few.cost, best)


class _Few:
    """The problem on some pairs, as i m + j, which hold a plan."""

    def __init__(self, cost: Cost, a: Array, b: Array, keys: Index) -> None:
        self.whole, self.a, self.b, self.keys = cost, a, b, keys
        self.costs = cost.pairs(*np.divmod(keys, len(b)))
        self.solved, self._stale = 0, True

    def solve(self) -> None:
        """Find the plan, its cost and its potentials."""
        if not self._stale:
            return
        places = np.divmod(self.keys, len(self.b))
        M = coo_array((self.costs, places), shape=self.whole.shape)
        G, log = pot().emd(self.a, self.b, M, numItermax=10**8, log=True)
        self.matrix, self.u, self.v = csr_array(G), log["u"], log["v"]
        self.cost = float(log["cost"])
        self.solved, self._stale = self.solved + 1, False

    def add(self, keys: Index) -> bool:
        """Take in pairs, and tell whether any of them is new."""
        fresh = np.setdiff1d(keys, self.keys, assume_unique=True)
        self.keys = np.concatenate([self.keys, fresh])
        more = self.whole.pairs(*np.divmod(fresh, len(self.b)))
        self.costs = np.concatenate([self.costs, more])
        self._stale = len(fresh) > 0
        return self._stale

    def nearest(self) -> Index:
        """Return the pairs of the plan, and those that come next to it."""
        i, j = np.divmod(self.keys, len(self.b))
        reduced = self.costs - self.u[i] - self.v[j]
        most = NEAREST * sum(self.whole.shape)
        if len(reduced) <= most:
            return self.keys
        near = self.keys[np.argpartition(reduced, most)[:most]]
        rows, columns = self.matrix.nonzero()
        return np.union1d(near, rows * np.intp(len(self.b)) + columns)


def _dense_plan(cost: Cost, a: Array, b: Array) -> Coupling:
    X, Z = (rows.astype(np.float64, copy=False) for rows in (cost.X, cost.Z))
    wide = Cost(X, Z, cost.codes, cost.table)
    G, log = pot().emd(a, b, wide.of(), numItermax=10**8, log=True)
    bound = float(a @ log["u"] + b @ log["v"])
    return Coupling(csr_array(G), log["u"], log["v"], float(log["cost"]), bound)


def _first_potentials(cost: Cost, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return potentials from an exact plan between some rows, extended to all, (n,) and (m,)."""
    n, m = cost.shape
    some = np.sort(rng.choice(n, min(n, START_ROWS), replace=False))
    others = np.sort(rng.choice(m, min(m, START_ROWS), replace=False))
    C = cost.of(some, others).astype(np.float64)
    _, log = pot().emd([], [], C, numItermax=10**8, log=True)
    u, v = np.empty(n), np.empty(m)
    for s in range(0, m, START_ROWS):
        part = slice(s, s + START_ROWS)
        v[part] = (cost.of(some, part) - log["u"][:, None]).min(0)
    for s in range(0, n, START_ROWS):
        part = slice(s, s + START_ROWS)
        u[part] = (cost.of(part, others) - log["v"]).min(1)
    return u, v


def _candidates(
    cost: Cost, u: Array, v: Array, tolerance: float | None, among: Index | None = None
) -> tuple[Index, Array]:
    """Return pairs that may belong to the plan, and the least reduced cost of each source row.

    Parameters
    ----------
    cost : Cost
        Costs of all pairs.
    u, v : ndarrays of shapes (n,) and (m,)
        Potentials.
    tolerance : float or None
        Pairs are wanted whose reduced cost ``cost_ij - u_i - v_j`` is below minus this. None wants
        the lowest of each row, whatever they are.
    among : integer ndarray of shape (r,), default=None
        Source rows that are looked at; None means all n.

    Returns
    -------
    keys : integer ndarray of shape (p,)
        Pairs as i m + j.
    slack : ndarray of shape (r,)
        Least reduced cost of each of these rows.
    """
    n, m = cost.shape
    k = min(NEAREST, m)
    height = int(np.clip(BLOCK_PAIRS // m, 16, 1024))
    u32, v32 = u.astype(np.float32), v.astype(np.float32)
    looked = np.arange(n) if among is None else among
    slack, found = np.empty(len(looked)), []
    for s in range(0, len(looked), height):
        here = looked[s : s + height]
        reduced = cost.of(slice(here[0], here[-1] + 1) if among is None else here)
        reduced -= v32
        reduced -= u32[here, None]
        least = reduced.min(1)
        slack[s : s + len(least)] = least
        rows = np.arange(len(least)) if tolerance is None else np.flatnonzero(least < -tolerance)
        if not len(rows):
            continue
        held = reduced if tolerance is None else reduced[rows]
        columns = np.argpartition(held, k - 1, axis=1)[:, :k]
        keys = here[rows][:, None] * m + columns
        best = held.argmin(0)  # for each target row, too
        ends = here[rows[best]] * m + np.arange(m)
        if tolerance is not None:
            keys = keys[np.take_along_axis(held, columns, 1) < -tolerance]
            ends = ends[held[best, np.arange(m)] < -tolerance]
        found += [keys.ravel(), ends]
    return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.intp), slack


def _feasible(a: Array, b: Array) -> Index:
    """Return the pairs of the north-west corner rule, which hold a plan, as i m + j."""
    ends = np.union1d(np.cumsum(a)[:-1], np.cumsum(b)[:-1])
    # both sides of each end, so that rounding cannot take a pair away
    points = np.concatenate([[0.0], ends - 1e-12, ends + 1e-12, [1.0]])
    i = np.minimum(np.searchsorted(np.cumsum(a), points, side="right"), len(a) - 1)
    j = np.minimum(np.searchsorted(np.cumsum(b), points, side="right"), len(b) - 1)
    keys: Index = np.unique(i * len(b) + j)
    return keys


# --- rows, whatever their order ---------------------------------------------------------------


def merge_rows(X: Array, extra: Index | None = None) -> tuple[Index, Index]:
    """Sort rows and find the equal ones.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows.
    extra : integer ndarray of shape (n,), default=None
        Rows that differ here are not equal.

    Returns
    -------
    first : integer ndarray of shape (r,)
        One of each kind of row, sorted by `row_keys`: their order does not depend on that of X.
    group : integer ndarray of shape (n,)
        Which of them each row is.
    """
    keys = row_keys(X, SEED)
    if extra is None:
        _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    else:
        pairs = np.empty(len(keys), dtype=[("key", np.uint64), ("extra", np.int64)])
        pairs["key"], pairs["extra"] = keys, extra
        _, first, group = np.unique(pairs, return_index=True, return_inverse=True)
    return first, group.reshape(-1)


@dataclass(frozen=True)
class NearestMove:
    """The map ``x + move``, where the move is that of the nearest row that was seen.

    Parameters
    ----------
    rows : ndarray of shape (r, d)
        Different rows, sorted as `merge_rows` sorts.
    moved : ndarray of shape (r, d)
        Where they go.
    """

    rows: Array
    moved: Array

    def __call__(self, X: Any) -> Array:
        """Return mapped rows, shape (m, d), in the precision of X. A row that was seen is exact."""
        X = as_matrix(X)
        own = X.astype(self.rows.dtype, copy=False)
        known, wanted = row_keys(self.rows, SEED), row_keys(own, SEED)
        place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        seen = known[place] == wanted
        out: Array = np.empty_like(X)
        out[seen] = self.moved[place[seen]]
        if not seen.all():
            from sklearn.metrics import pairwise_distances_argmin

            new = own[~seen]
            near = pairwise_distances_argmin(new, self.rows)
            out[~seen] = new + (self.moved[near] - self.rows[near])
        return out
