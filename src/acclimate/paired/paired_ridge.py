"""`PairedRidge`: each side predicts the other, and both predictions are compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from acclimate.maths.best_items import unit
from acclimate.maths.ridge import fit_ridge
from acclimate.paired.given_pairs import Floats, Side
from acclimate.paired.pairing import Pairing


class PairedRidge(Pairing):
    """Learn from pairs to predict each modality from the other, and find partners by both.

    Use it first wherever there are some hundred pairs and an encoder of each side: it has no
    setting, takes seconds, and names classes that no pair showed (`predict`). Do not use it where
    there are fewer than some dozens of pairs, or where one item of A has many partners in B that
    have nothing in common: a mean of them is like none.

    With columns standardised, f predicts B from A and g predicts A from B by ridge regression,
    whose strength leave-one-out errors choose for each. An item a and an item b are similar by
    ``cos(f(a), b) + cos(a, g(b))``.

    Parameters
    ----------
    encoders : pair of transformers or None, default=None
        What makes numbers of an item of A and of one of B, such as ``(FrozenBody(), None)``; None
        takes rows of numbers. They are cloned and fitted on the pairs.

    Attributes
    ----------
    encoders_ : tuple of (transformer or None, transformer or None)
        Fitted.
    mean_A_, mean_B_ : ndarrays of shape (d_A,) and (d_B,)
        Of the pairs.
    scale_A_, scale_B_ : ndarrays of shape (d_A,) and (d_B,)
        One over the standard deviation of the pairs; 0 of a column that does not vary.
    to_B_, to_A_ : ndarrays of shape (d_A, d_B) and (d_B, d_A)
        Weights of f and g on standardised rows.
    penalties_ : tuple of float
        Strengths that were chosen for f and g, a pair.

    Raises
    ------
    InputError
        A setting cannot be used, the sides have different lengths, or an item is no row of finite
        numbers.

    Notes
    -----
    Swapping A and B swaps ``given`` and changes nothing else; units of columns change nothing. One
    direction alone draws its predictions to the mean, so that a few items near it are found for
    every query of the side that predicts (Lazaridou et al., "Hubness and pollution",
    doi:10.3115/v1/P15-1027); the sum of both suffers less. Memory of `fit` grows with the pairs,
    and time with n d^2, or n^2 d where there are fewer pairs than columns.

    References
    ----------
    Palatucci, Pomerleau, Hinton and Mitchell, "Zero-shot learning with semantic output codes",
    NeurIPS 2009; Romera-Paredes and Torr, "An embarrassingly simple approach to zero-shot
    learning", doi:10.1007/978-3-319-50077-5_2.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import PairedRidge
    >>> rng = np.random.default_rng(0)
    >>> both = rng.normal(size=(130, 3))  # what both show
    >>> A, B = both @ rng.normal(size=(3, 5)), both @ rng.normal(size=(3, 8))
    >>> model = PairedRidge().fit(A[:100], B[:100])
    >>> found = model.retrieve(A[100:], B[100:], k=3)
    >>> found.shape, bool((found[:, 0] == np.arange(30)).all())
    ((30, 3), True)
    """

    def __init__(self, encoders: Any = None) -> None:
        super().__init__(encoders)

    def _learn(self, A: Floats, B: Floats) -> None:
        self.mean_A_, self.scale_A_ = moments_of(A)
        self.mean_B_, self.scale_B_ = moments_of(B)
        ours, theirs = self._scaled(A, "A"), self._scaled(B, "B")
        there, back = fit_ridge(ours, theirs), fit_ridge(theirs, ours)
        self.to_B_, self.to_A_ = there.weights, back.weights
        self.penalties_ = (there.penalty, back.penalty)

    def _embed(self, X: Floats, side: Side) -> Floats:
        own = self._scaled(X, side)
        if side == "A":
            return np.hstack([unit(own @ self.to_B_), unit(own)])
        return np.hstack([unit(own), unit(own @ self.to_A_)])

    def _scaled(self, X: Floats, side: Side) -> Floats:
        if side == "A":
            return (X - self.mean_A_) * self.scale_A_
        return (X - self.mean_B_) * self.scale_B_


def moments_of(X: Floats) -> tuple[Floats, Floats]:
    """Return mean and one over the deviation of each column, 0 where it does not vary, (d,)."""
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    varies = deviation > 1e-7 * np.maximum(np.abs(mean), 1e-300)
    return mean, np.where(varies, 1.0 / np.where(varies, deviation, 1.0), 0.0)
