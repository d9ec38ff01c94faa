"""`TCA`: transfer component analysis, solved exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from acclimate.exceptions import InputError
from acclimate.mapping.common import Affine, DenseMapAdapter, check_components
from acclimate.mapping.kernels import KernelMap, check_kernel, make_kernel
from acclimate.templates import Map
from acclimate.validation import Rows

Array = NDArray[np.floating[Any]]
EXACT_ROWS = 5000  # above, a kernel without a primal form is expanded in landmarks
DENSE = 600  # above, a few eigenvectors come from Lanczos iterations
SHARE = 0.01  # of the largest eigenvalue, that a feature of the default must have
FLAT = "the kernel does not vary over the rows of both domains; there is nothing to align"


class TCA(DenseMapAdapter):
    """Find features of high variance in which the domains have nearly equal means.

    Use it when the domains differ in some directions, linear or not, that the labels do not need.
    Do not use it when the shares of the classes differ much, since equal means then mix classes,
    or when the shift depends on the class.

    Minimises ``tr(W' (K L K + mu I) W)`` subject to ``W' K H K W = I``, where K is the kernel of
    all n + m rows, H centres and ``tr(W' K L K W)`` is the squared distance of the domains' means.
    L has rank one and H is a centring, so neither is ever a matrix. The problem is symmetric and
    definite. Features are ``k(x, rows) W sqrt(n + m)``.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model, classifier or regressor. None means ``LogisticRegression(max_iter=1000)``.
    n_components : int, default=None
        Number k of features, at least 1. Fewer are kept where the kernel has a lower rank. None
        keeps those whose eigenvalue is at least a hundredth of the largest, at most 30: with
        variance 1, the others would carry noise to new rows.
    kernel : {"rbf", "linear"} or callable, default="rbf"
        A callable takes rows of shapes (n, d) and (m, d) and returns a matrix of shape (n, m),
        positive semi-definite where the rows are the same.
    gamma : float, default=None
        For "rbf", inverse squared width, above 0. None is one over the median squared distance
        among at most 1000 rows.
    mu : float, default=1.0
        Strength of the penalty on W, above 0. Smaller values care more for equal means.
    n_landmarks : int, default=500
        Above 5000 rows, "rbf" and callables are expanded in this many rows drawn at random
        (Nystrom), at least 1. A linear kernel is always exact.
    use_target_labels : bool, default=False
        Whether labelled target rows join the mapped source rows when the model is fitted.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds the model, the landmarks and the rows of the median.

    Attributes
    ----------
    source_model_ : estimator
        The model of the source alone.
    target_model_ : Mapped or None
        The model of the mapped source rows, behind the map.
    objective_ : float
        The minimum. Only after a target was given.
    n_components_ : int
        Number of features. Only after a target was given.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The labels.

    Raises
    ------
    InputError
        A value cannot be used, or the kernel does not vary over the rows.

    Notes
    -----
    The paper leaves the features at variance 1 / (n + m); the factor gives them variance 1, so that
    the model's penalty keeps its meaning. New rows are mapped by the same expansion. Weights of the
    source rows reach the model, not the map. A saved model holds the rows that the kernel is
    expanded in; with a linear kernel and no more features than rows, only a matrix.

    References
    ----------
    Pan, Tsang, Kwok and Yang, "Domain adaptation via transfer component analysis",
    doi:10.1109/TNN.2010.2091281.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import TCA, Domain
    >>> X = np.random.default_rng(0).normal(size=(200, 2)) * [2.0, 0.5]
    >>> y = (X[:, 0] > 0).astype(int)
    >>> model = TCA(kernel="linear", n_components=1).fit(X, y, target=Domain(X + [0.0, 9.0]))
    >>> model.predict([[2.0, 9.0], [-2.0, 9.0]])
    array([1, 0])
    """

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_components: int | None = None,
        kernel: Any = "rbf",
        gamma: float | None = None,
        mu: float = 1.0,
        n_landmarks: int = 500,
        use_target_labels: bool = False,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.n_components = n_components
        self.kernel = kernel
        self.gamma = gamma
        self.mu = mu
        self.n_landmarks = n_landmarks
        self.use_target_labels = use_target_labels

    def _check_settings(self) -> None:
        check_components(self.n_components)
        check_kernel(self.kernel, self.gamma)
        if not 0.0 < self.mu < np.inf:
            raise InputError(f"mu must be finite and above 0, got {self.mu!r}")
        if self.n_landmarks < 1:
            raise InputError(f"n_landmarks must be at least 1, got {self.n_landmarks!r}")

    def _align(self, source: Rows, target: Rows, seed: int) -> tuple[Map, Map]:
        X: Array = np.concatenate([source.X, target.X])
        n, N = len(source.X), len(X)
        rng = np.random.default_rng(seed)
        kernel = make_kernel(self.kernel, self.gamma, X, rng)
        k = 30 if self.n_components is None else int(self.n_components)
        scale = np.sqrt(N)
        shared: Map
        if kernel.kind == "linear" and X.shape[1] <= N:
            P, roots = self._chosen(*tca_primal(X, n, self.mu, k))
            d = X.shape[1]
            shared = Affine(np.zeros(d), P * scale, np.zeros(P.shape[1]))
        elif N <= EXACT_ROWS or kernel.kind == "linear":
            K = kernel(X, X).astype(np.float64, copy=False)
            W, roots = self._chosen(*tca_dual(K, n, self.mu, k, rng))
            shared = KernelMap(kernel, X, W * scale)
        else:
            Z = X[np.sort(rng.choice(N, min(self.n_landmarks, N), replace=False))]
            R = whiten(kernel(Z, Z).astype(np.float64, copy=False))
            P, roots = self._chosen(*tca_primal(KernelMap(kernel, Z, R)(X), n, self.mu, k))
            shared = KernelMap(kernel, Z, R @ P * scale)
        self.objective_ = float((1.0 / roots).sum())
        self.n_components_ = len(roots)
        return shared, shared

    def _chosen(self, W: Array, roots: Array) -> tuple[Array, Array]:
        """Return the features that the default keeps, or all that were asked for."""
        if self.n_components is None:
            held = roots >= roots[0] * SHARE
            W, roots = W[:, held], roots[held]
        return W, roots


def tca_dual(K: Array, n: int, mu: float, k: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Solve the problem for a kernel matrix.

    With ``v = K l``, l = 1/n on source rows and -1/m on target rows, ``K L K + mu I`` is
    ``mu I + v v'``, whose inverse root B is known in closed form. The eigenvectors of the symmetric
    ``B K H K B`` then give W.

    Parameters
    ----------
    K : ndarray of shape (N, N)
        Kernel of all rows, source first.
    n : int
        Number of source rows.
    mu : float
        Penalty, above 0.
    k : int
        Number of features.
    rng : numpy Generator
        Draws the start of the iterations.

    Returns
    -------
    W : ndarray of shape (N, k)
        Coefficients, ``W' K H K W = I``.
    roots : ndarray of shape (k,)
        Eigenvalues, largest first; the objective is the sum of their inverses.
    """
    N = len(K)
    if np.ptp(K, axis=1).max() <= 1e-14 * max(K.max(), -K.min()):
        raise InputError(FLAT)
    v = K[:, :n].mean(1) - K[:, n:].mean(1)
    size = float(np.linalg.norm(v))
    u = v / size if size > 0 else v
    gap = np.sqrt(mu / (mu + size**2)) - 1.0

    def halve(Y: Array) -> Array:
        """Multiply by the root B of the inverse, shape (N, ...)."""
        out: Array = (Y + np.multiply.outer(u, gap * (u @ Y))) / np.sqrt(mu)
        return out

    if N <= DENSE or k > N // 4:
        G = halve(K - K.mean(1)[:, None])  # B K H
        M = G @ G.T
        roots, Q = eigh(M, subset_by_index=[max(N - k, 0), N - 1])
    else:
        from scipy.sparse.linalg import LinearOperator, eigsh

        def product(y: Array) -> Array:
            inner = K @ halve(np.ravel(y))
            return halve(K @ (inner - inner.mean()))

        operator = LinearOperator((N, N), matvec=product, dtype=np.float64)
        roots, Q = eigsh(operator, k=k, which="LA", v0=rng.normal(size=N))
    roots, Q = _kept(roots, Q)
    return halve(Q) / np.sqrt(roots), roots


def tca_primal(F: Array, n: int, mu: float, k: int) -> tuple[Array, Array]:
    """Solve the problem for the linear kernel of features, ``K = F F'``, in d dimensions.

    Coefficients outside the range of F cost ``mu`` and change nothing, so ``W = U a`` with
    ``F = U D V'``, and a solves a problem of the size of D.

    Parameters
    ----------
    F : ndarray of shape (N, d)
        Features of all rows, source first.
    n : int
        Number of source rows.
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
    """
    F = F.astype(np.float64, copy=False)
    centre = F.mean(0)
    difference = F[:n].mean(0) - F[n:].mean(0)
    centred = F - centre
    S = centred.T @ centred  # F' H F
    if np.trace(S) <= 1e-28 * len(F) * (centre**2).sum():
        raise InputError(FLAT)
    squares, V = eigh(S + len(F) * np.outer(centre, centre))  # F' F
    held = squares > max(squares[-1], 0.0) * len(squares) * np.finfo(np.float64).eps
    VD = V[:, held] * np.sqrt(squares[held])  # (d, r)
    v = VD.T @ difference
    # K W = F V D a, so means and variances of the features are those of F under V D
    r = len(v)
    left = np.outer(v, v) + mu * np.eye(r)
    right = VD.T @ S @ VD
    roots, Q = eigh((right + right.T) / 2, left, subset_by_index=[max(r - k, 0), r - 1])
    roots, Q = _kept(roots, Q)
    return VD @ (Q / np.sqrt(roots)), roots


def whiten(K: Array) -> Array:
    """Return R of shape (p, r) with ``R R'`` the pseudo-inverse of a kernel matrix (p, p)."""
    values, vectors = eigh(K)
    held = values > max(values[-1], 0.0) * len(K) * np.finfo(np.float64).eps
    R: Array = vectors[:, held] / np.sqrt(values[held])
    return R


def _kept(roots: Array, Q: Array) -> tuple[Array, Array]:
    """Return eigenpairs, largest first, without those that are zero but for rounding."""
    order = np.argsort(roots)[::-1]
    roots, Q = roots[order], Q[:, order]
    held = roots > roots[0] * 1e-9  # below, rounding would decide the objective
    return roots[held], Q[:, held]
