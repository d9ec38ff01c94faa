"""`PairedCCA`: directions of both sides that vary together."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from acclimate.folds import row_keys
from acclimate.maths.best_items import unit
from acclimate.paired.given_pairs import Floats, Side, Two
from acclimate.paired.pairing import Pairing
from acclimate.settings import COUNT, SHARE, Constraints, OneOf

SHRINKAGES = (0.03, 0.1, 0.3, 0.5, 0.7, 0.9)
FOLDS = 3
HELD = 1000  # most held-out pairs that are compared with each other
FEW = 12  # pairs with different items of B below which nothing is held out
MIDDLE = 0.5  # the shrinkage there


class PairedCCA(Pairing):
    """Learn from pairs the directions of two modalities that vary together.

    Use it where both sides have many columns of noise or of things that the other side does not
    show: what does not vary together is left out of the similarity. Do not use it with fewer than
    some dozens of pairs; `PairedRidge` has fewer choices and is as good where both encoders are.

    With covariances of both sides shrunk, ``C = (1 - s) S + s tr(S) / d I``, it takes the singular
    vectors of ``C_A^(-1/2) S_AB C_B^(-1/2)``. Items are projected on them, direction i counts
    by its canonical correlation ``rho_i``, and cosines are compared.

    Parameters
    ----------
    encoders : pair of transformers or None, default=None
        What makes numbers of an item of A and of one of B, such as ``(FrozenBody(), None)``; None
        takes rows of numbers. They are cloned and fitted on the pairs.
    components : int or None, default=None
        Directions that are kept, at least 1, the most correlated first. None keeps all.
    shrinkage : float in [0, 1] or "auto", default="auto"
        How far both covariances go to a multiple of the identity. "auto" takes the one of 0.03,
        0.1, 0.3, 0.5, 0.7 and 0.9 with which held-out partners are found best: by the mean
        reciprocal rank over three folds, in both directions. Of fewer than 12 different items of B
        none is held out, and it is 0.5. 0 is plain CCA, which finds correlations of 1 in any pairs
        where there are more columns than pairs.

    Attributes
    ----------
    encoders_ : tuple of (transformer or None, transformer or None)
        Fitted.
    mean_A_, mean_B_ : ndarrays of shape (d_A,) and (d_B,)
        Of the pairs.
    to_common_A_, to_common_B_ : ndarrays of shape (d_A, k) and (d_B, k)
        Projections of centred rows.
    correlations_ : ndarray of shape (k,)
        Canonical correlations of the shrunk covariances, falling.
    shrinkage_ : float
        The one that was used.

    Raises
    ------
    InputError
        A setting cannot be used, the sides have different lengths, or an item is no row of finite
        numbers.

    Notes
    -----
    Columns of one side should be of one unit, as features of an encoder are; put a scaler behind
    the encoder otherwise. Weights by correlation are those of Gong et al. (to the power of 1).

    References
    ----------
    Hotelling, "Relations between two sets of variates", doi:10.1093/biomet/28.3-4.321. Vinod,
    "Canonical ridge and econometrics of joint production", doi:10.1016/0304-4076(76)90010-5.
    Gong, Ke, Isard and Lazebnik, "A multi-view embedding space for modeling internet images, tags,
    and their semantics", arXiv:1212.4522.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import PairedCCA
    >>> rng = np.random.default_rng(0)
    >>> shared, noise = rng.normal(size=(100, 1)), rng.normal(size=(100, 4))
    >>> A, B = np.hstack([shared, noise[:, :2]]), np.hstack([noise[:, 2:], -shared])
    >>> PairedCCA(shrinkage=0.0).fit(A, B).correlations_.round(2)[:1]
    array([1.])
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "encoders": [Two(), None],
        "components": [COUNT, None],
        "shrinkage": [SHARE, OneOf("auto")],
    }

    def __init__(
        self,
        encoders: Any = None,
        *,
        components: int | None = None,
        shrinkage: float | str = "auto",
    ) -> None:
        super().__init__(encoders)
        self.components = components
        self.shrinkage = shrinkage

    def _learn(self, A: Floats, B: Floats) -> None:
        given = self.shrinkage
        self.shrinkage_ = chosen_shrinkage(A, B) if isinstance(given, str) else float(given)
        self.mean_A_, self.mean_B_ = A.mean(axis=0), B.mean(axis=0)
        sides = [spread(A - self.mean_A_), spread(B - self.mean_B_)]
        left, rho, right = canonical(sides[0], sides[1], self.shrinkage_)
        k = min(self.components or len(rho), len(rho))
        self.correlations_ = rho[:k]
        self.to_common_A_, self.to_common_B_ = left[:, :k], right[:, :k]

    def _embed(self, X: Floats, side: Side) -> Floats:
        if side == "A":
            return unit((X - self.mean_A_) @ self.to_common_A_ * self.correlations_)
        return unit((X - self.mean_B_) @ self.to_common_B_ * self.correlations_)


def spread(X: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the thin singular value decomposition ``U, s, V`` of centred rows, without zeros.

    Parameters
    ----------
    X : ndarray of shape (n, d)

    Returns
    -------
    U, s, V : ndarrays of shape (n, r), (r,) and (r, d)
        What the rows do not spread in says nothing of the other side.
    """
    U, s, V = np.linalg.svd(X, full_matrices=False)
    kept = s > max(float(s[0]), 1e-300) * np.finfo(np.float64).eps * max(X.shape)
    return U[:, kept], s[kept], V[kept]


def canonical(
    A: tuple[Floats, Floats, Floats], B: tuple[Floats, Floats, Floats], shrinkage: float
) -> tuple[Floats, Floats, Floats]:
    """Return projections of both sides and their correlations, (d_A, k), (k,) and (d_B, k).

    Parameters
    ----------
    A, B : tuples of ndarray
        From `spread`, of the same pairs.
    shrinkage : float in [0, 1]
        Share of the identity in the covariances, in units of the mean variance.
    """
    scores, maps = [], []
    for U, s, V in (A, B):
        variance = np.square(s) / len(U)
        shrunk = np.sqrt((1.0 - shrinkage) * variance + shrinkage * variance.sum() / V.shape[1])
        scores.append(U * (s / shrunk))
        maps.append(V.T / shrunk)
    left, rho, right = np.linalg.svd(scores[0].T @ scores[1] / len(A[0]), full_matrices=False)
    return maps[0] @ left, rho, maps[1] @ right.T


def chosen_shrinkage(A: Floats, B: Floats) -> float:
    """Return the shrinkage with which held-out partners are found best.

    Pairs with one item of B are held out together, and the order of pairs has no influence.

    Parameters
    ----------
    A, B : ndarrays of shape (n, d_A) and (n, d_B)
        Row i of both is one pair.
    """
    order, item = np.unique(row_keys(B, 0), return_inverse=True)
    if len(order) < FEW:
        return MIDDLE
    found = np.zeros(len(SHRINKAGES))
    for fold in range(FOLDS):
        held = item % FOLDS == fold
        means = A[~held].mean(axis=0), B[~held].mean(axis=0)
        sides = spread(A[~held] - means[0]), spread(B[~held] - means[1])
        some = np.flatnonzero(held)
        some = some[np.argsort(row_keys(np.hstack([A[some], B[some]]), 0), kind="stable")][:HELD]
        wrong = item[some][:, None] != item[some]
        for i, shrinkage in enumerate(SHRINKAGES):
            left, rho, right = canonical(*sides, shrinkage)
            S = unit((A[some] - means[0]) @ left * rho) @ unit((B[some] - means[1]) @ right * rho).T
            own = S.diagonal()
            ranks = 1.0 + ((own[:, None] < S) & wrong).sum(axis=1)
            back = 1.0 + ((own < S) & wrong).sum(axis=0)
            found[i] += (1.0 / ranks + 1.0 / back).sum()
    return SHRINKAGES[int(found.argmax())]
