"""Toy pairs of two modalities that show the same thing."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np


def toy_pairs(
    seed: int = 0, n: int = 60, m: int = 30, shared: int = 3, noise: float = 0.05
) -> SimpleNamespace:
    """Return pairs A, B with labels y and values v, and new ones An, Bn, yn, vn.

    Both sides are linear in what they share, A in 5 columns and B in 7, with noise of their own.

    Parameters
    ----------
    seed : int
        Of the items.
    n, m : int
        Pairs, and new pairs.
    shared : int
        Numbers that both sides show. The label is the place of the largest, the value the first.
    noise : float
        Deviation of what each side has alone.
    """
    rng = np.random.default_rng(seed)
    seen = rng.normal(size=(n + m, shared))
    sides = [
        seen @ rng.normal(size=(shared, d)) + noise * rng.normal(size=(n + m, d)) + 2.0
        for d in (5, 7)
    ]
    y, v = seen.argmax(axis=1), seen[:, 0]
    (A, An), (B, Bn) = ((side[:n], side[n:]) for side in sides)
    return SimpleNamespace(A=A, B=B, y=y[:n], v=v[:n], An=An, Bn=Bn, yn=y[n:], vn=v[n:])
