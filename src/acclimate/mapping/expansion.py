"""Rows of both domains under a kernel, and what TCA, JDA, BDA and TJM share around the solver."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from acclimate.adapter import once
from acclimate.exceptions import InputError
from acclimate.folds import as_often
from acclimate.mapping.components import FLAT, Reduced, reduce, solve_dual, solve_primal
from acclimate.mapping.mapped import Affine, DenseMapAdapter, in_own_order
from acclimate.mapping.shrunk import beside, shrinkage_of
from acclimate.maths.kernels import (
    KERNEL_SETTINGS,
    FourierMap,
    Kernel,
    KernelMap,
    check_approximation,
    make_kernel,
)
from acclimate.maths.landmarks import frequencies, whiten
from acclimate.settings import COUNT, POSITIVE, SHARE, Constraints, OneOf
from acclimate.templates import Map
from acclimate.validation import Rows

Array = NDArray[np.floating[Any]]
EXACT_ROWS = 5000  # above, a kernel without a primal form is approximated by features
WIDE = 0.01  # times the inverse median squared distance is the default gamma
LEAST = 0.01  # of the largest eigenvalue, that a feature must have where None chooses


class Expansion:
    """All rows under a kernel: as features where there are few, else as a kernel matrix.

    A linear kernel has the features X themselves. Another kernel, and a linear one with more
    features than rows, is a matrix of shape (N, N). Above `EXACT_ROWS` rows, other kernels get
    features: those of landmarks (Nystrom), or random waves. Memory is then linear in the rows.

    Parameters
    ----------
    kernel : Kernel
        The kernel.
    X : ndarray of shape (N, d)
        All rows.
    n_landmarks : int
        How many rows are landmarks, or how many random features there are, where there are any.
    seed : int
        Draws the landmarks or features, and the start of iterations.
    approximation : {"landmarks", "fourier"}, default="landmarks"
        Which features. "fourier" is for "rbf" alone.

    Attributes
    ----------
    is_kernel : bool
        Whether ``matrix`` is a kernel.
    matrix : ndarray of shape (N, N) or (N, p)
        The kernel, or the features.
    """

    def __init__(
        self,
        kernel: Kernel,
        X: Array,
        n_landmarks: int,
        seed: int,
        approximation: str = "landmarks",
    ) -> None:
        self.kernel, self.seed = kernel, seed
        self._Z = X
        self._root: Array | None = None
        self._waves: FourierMap | None = None
        self._start: Array | None = None
        self._form: Reduced | None = None
        N = len(X)
        linear = kernel.kind == "linear"
        self.is_kernel = X.shape[1] > N if linear else N <= EXACT_ROWS
        if self.is_kernel:
            self.matrix = kernel(X, X).astype(np.float64, copy=False)
            if np.ptp(self.matrix, axis=1).max() <= 1e-14 * max(
                self.matrix.max(), -self.matrix.min()
            ):
                raise InputError(FLAT)
        elif linear:
            self.matrix = X.astype(np.float64, copy=False)
        elif approximation == "fourier":
            rng, number = np.random.default_rng(seed), (n_landmarks + 1) // 2
            W = frequencies(X.shape[1], number, kernel.gamma, rng).astype(X.dtype)
            self._waves = FourierMap(X.mean(0, dtype=np.float64).astype(X.dtype), W)
            self.matrix = self._waves(X).astype(np.float64, copy=False)
        else:
            drawn = np.random.default_rng(seed).choice(N, min(n_landmarks, N), replace=False)
            self._Z = X[np.sort(drawn)]
            self._root = whiten(kernel(self._Z, self._Z).astype(np.float64, copy=False))
            features = KernelMap(kernel, self._Z, self._root)(X)
            self.matrix = features.astype(np.float64, copy=False)

    def solve(
        self, E: Array, mu: float, k: int, scale: Array | None = None
    ) -> tuple[Array, Array, Array]:
        """Solve the problem of `solve_dual` in whichever form the rows are.

        Parameters
        ----------
        E : ndarray of shape (N, r)
            Differences of means.
        mu : float
            Penalty, above 0.
        k : int
            Number of features.
        scale : ndarray of shape (N,), default=None
            Inverse root of the penalty of each row.

        Returns
        -------
        P : ndarray of shape (N, k) or (p, k)
            What `features` and `map` take.
        roots : ndarray of shape (k,)
            Eigenvalues, largest first.
        W : ndarray of shape (N, k)
            Coefficients of the rows.
        """
        if self.is_kernel:
            W, roots = solve_dual(
                self.matrix, E, mu, k, seed=self.seed, scale=scale, start=self._start
            )
            self._start = (W * np.sqrt(roots)).sum(1)
            return W, roots, W
        if scale is not None:
            P, roots, C = solve_primal(reduce(self.matrix, scale), E, mu, k)
            return P, roots, (self.matrix @ C) * scale[:, None] ** 2
        if self._form is None:
            self._form = reduce(self.matrix)
        P, roots, C = solve_primal(self._form, E, mu, k)
        return P, roots, self.matrix @ C

    def features(self, P: Array) -> Array:
        """Return the features of the rows themselves, shape (N, k)."""
        Z: Array = self.matrix @ P
        return Z

    def map(self, P: Array, *, centred: bool = False) -> Map:
        """Return the map of new rows to features, without the rows where it can do without.

        ``centred`` takes away the mean of the features over all rows.
        """
        offset = -self.matrix.mean(0) @ P if centred else None
        if self.is_kernel:
            return KernelMap(self.kernel, self._Z, P, offset)
        if self._waves is not None:
            return FourierMap(self._waves.centre, self._waves.frequencies, P, offset)
        if self._root is not None:
            return KernelMap(self.kernel, self._Z, self._root @ P, offset)
        if offset is not None:
            return Affine(self.matrix.mean(0), P, np.zeros(P.shape[1]))
        return Affine(np.zeros(len(P)), P, np.zeros(P.shape[1]))


class ComponentsAdapter(DenseMapAdapter):
    """What TCA, JDA, BDA and TJM share: settings, rows in an order of their own, one map.

    A subclass writes `_solve`. It meets the rows in an order that depends on their values alone, so
    that landmarks, iterations and pseudo-labels do not depend on the order they were given in.
    """

    # what `_solve` leaves where no label of a target row moves the maps; else None
    _found: ClassVar[tuple[str, ...] | None] = None
    _parameter_constraints: ClassVar[Constraints] = {
        **DenseMapAdapter._parameter_constraints,
        **KERNEL_SETTINGS,
        "n_components": [COUNT, None],
        "mu": [POSITIVE],
        "shrinkage": [SHARE, OneOf("auto")],
        "as_published": ["boolean"],
        "use_target_labels": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_components: int | None = 30,
        kernel: Any = "rbf",
        gamma: float | None = None,
        mu: float = 1e-4,
        shrinkage: float | str = "auto",
        as_published: bool = False,
        n_landmarks: int = 500,
        approximation: str = "landmarks",
        use_target_labels: bool = False,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.n_components = n_components
        self.kernel = kernel
        self.gamma = gamma
        self.mu = mu
        self.shrinkage = shrinkage
        self.as_published = as_published
        self.n_landmarks = n_landmarks
        self.approximation = approximation
        self.use_target_labels = use_target_labels

    @abstractmethod
    def _solve(self, rows: Expansion, source: Rows, target: Rows, seed: int) -> tuple[Array, float]:
        """Return what `Expansion.map` takes, and the value of the objective."""

    def _check_settings(self) -> None:
        check_approximation(self.approximation, self.kernel)

    def _align(self, source: Rows, target: Rows, seed: int) -> tuple[Map, Map]:
        if self._found is None:
            return self._learn_maps(source, target, seed)
        names = ("shrinkage_", "objective_", "n_components_", *self._found)

        def learn() -> tuple[tuple[Map, Map], dict[str, Any]]:
            maps = self._learn_maps(source, target, seed)
            return maps, {name: getattr(self, name) for name in names}

        # methods tried on the same rows with other labels of the target find the same maps
        given = self.get_params(deep=False)
        settings = [given[k] for k in sorted(given) if k not in ("estimator", "preprocess")]
        rows = (source.X, source.y, source.weight, target.X)
        maps, found = once(rows, (type(self).__name__, settings, seed, target.y is None), learn)
        for name, value in found.items():
            setattr(self, name, value)
        return maps  # type: ignore[no-any-return]

    def _learn_maps(self, source: Rows, target: Rows, seed: int) -> tuple[Map, Map]:
        source, target = in_own_order(source, seed), in_own_order(target, seed)
        s = self.shrinkage_ = shrinkage_of(self.shrinkage, source, target, seed)
        if source.weight is not None:
            index = as_often(source.counts, seed)
            source = Rows(source.X[index], source.labels[index])
        X: Array = np.concatenate([source.X, target.X])
        rng = np.random.default_rng(seed)
        kernel = make_kernel(self.kernel, self.gamma, X, rng, WIDE)
        rows = Expansion(kernel, X, self.n_landmarks, seed, self.approximation)
        P, self.objective_ = self._solve(rows, source, target, seed)
        self.n_components_ = P.shape[1]
        shared = rows.map(P * self._unit(len(X)), centred=not self.as_published)
        ours, theirs = beside((shared, shared), s, (source, target))
        return ours, theirs

    def _find(
        self, rows: Expansion, E: Array, scale: Array | None = None, most: int | None = None
    ) -> tuple[Array, Array, Array]:
        """Solve for the gaps E; return what `Expansion.solve` does."""
        if not self.as_published:
            return rows.solve(E, self.mu, most or self._most(), scale)
        E = E / np.sqrt(np.linalg.norm(E.T @ E))  # M = E E' then has a norm of 1
        P, roots, W = rows.solve(E, self.mu, most or self._most(), scale)
        lengths = np.linalg.norm(W, axis=0)
        return P / lengths, roots, W / lengths

    def _unit(self, N: int) -> float:
        """Return the factor that gives features of N rows a variance of 1, or 1 as published."""
        return 1.0 if self.as_published else float(np.sqrt(N))

    def _most(self) -> int:
        """Return how many features to look for."""
        return 30 if self.n_components is None else int(self.n_components)

    def _held(self, roots: Array) -> int:
        """Return how many features to keep: all that were asked for, or the default's."""
        return (
            len(roots) if self.n_components is not None else int((roots >= roots[0] * LEAST).sum())
        )
