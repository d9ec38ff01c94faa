"""The evidence of a Bayesian linear model, maximised over its two precisions for all outputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.maths.ridge import Floats, _coarse, gram, moments

POINTS = 65  # of each grid over log(alpha / beta)
ZOOMS = 4  # each grid spans two cells of the last
TOLERANCE = 2e-6  # error of the evidence, in nats a row, that float32 may cause
RESOLVED = 10.0  # times the error, above which a squared singular value counts as known
CELLS = 2_000_000  # numbers that one grid may hold at once


@dataclass(frozen=True)
class Spectrum:
    """What the evidence needs to know of features F and outputs Y.

    Parameters
    ----------
    s : ndarray of shape (r,)
        Squared singular values of F above rounding, ascending.
    explained : ndarray of shape (r, c)
        Squared coordinates of the outputs along the left singular vectors of F.
    left : ndarray of shape (c,)
        Squared length of the outputs outside the column space of F.
    rows : int
        Rows of F.
    noise : float
        Error of the squared singular values; infinite where some drown in it.
    """

    s: Floats
    explained: Floats
    left: Floats
    rows: int
    noise: float


def spectrum(F: NDArray[Any], Y: Floats) -> Spectrum:
    """Decompose the smaller of the two Gram matrices of the features.

    Parameters
    ----------
    F : ndarray of shape (n, d)
        Features, float32 or float64.
    Y : ndarray of shape (n, c)
        Outputs.
    """
    from scipy.linalg import eigh

    n, d = F.shape
    small = n < d
    inner, cross = (gram(F.T), Y) if small else moments(F, Y)
    alive = np.diagonal(inner) > 0  # units that never fire say nothing
    if not small and not alive.all() and alive.any():
        inner, cross = inner[np.ix_(alive, alive)], cross[alive]
    precision = np.float32 if _coarse(F) else np.float64
    values, vectors = eigh(
        inner.astype(precision, copy=False), overwrite_a=True, check_finite=False, driver="evd"
    )
    top = max(float(values[-1]), 0.0)
    noise = top * float(np.finfo(precision).eps)
    if precision == np.float64:
        noise *= max(n, d)
    keep = values > noise
    s, V = values[keep].astype(np.float64), vectors[:, keep].astype(np.float64, copy=False)
    explained = np.square(V.T @ cross) / (1.0 if small else s[:, None])
    length = np.square(Y).sum(axis=0)
    # rounding can make the parts longer than the whole
    explained *= np.minimum(1.0, length / np.maximum(explained.sum(axis=0), 1e-300))
    left = np.maximum(length - explained.sum(axis=0), 0.0)
    if precision == np.float32 and values[0] < RESOLVED * noise:
        noise = np.inf  # what the labels are about may lie where rounding hides it
    return Spectrum(s, explained, left, n, noise)


def evidence_at(parts: Spectrum, t: Floats) -> Floats:
    """Return the log evidence at ratios ``t = alpha / beta``, with the best beta for each.

    ``n/2 log(n / (2 pi Q)) - n/2 - 1/2 sum_i log(1 + s_i / t)`` with the penalised residual
    ``Q = left + sum_i explained_i t / (t + s_i)``. Directions without features take part in no
    term: their prior precision cancels.

    Parameters
    ----------
    parts : Spectrum
        Features and c outputs.
    t : ndarray of shape (g, c)
        Ratios, above 0.

    Returns
    -------
    ndarray of shape (g, c)
    """
    n, s = parts.rows, parts.s[:, None, None]
    shrunk = t / (t + s)  # (r, g, c)
    Q = parts.left + np.einsum("rc,rgc->gc", parts.explained, shrunk)
    # outputs that the features fit exactly have no largest evidence; rounding sets the limit
    length = parts.left + parts.explained.sum(axis=0)
    Q = np.maximum(Q, np.finfo(np.float64).eps * np.maximum(length, 1e-300))
    fit = 0.5 * n * (np.log(n / (2.0 * np.pi * Q)) - 1.0)
    value: Floats = fit + 0.5 * np.log(shrunk).sum(axis=0)
    return value


def log_evidence(F: NDArray[Any], Y: Floats) -> Floats:
    """Return the log evidence of each output at its best alpha and beta, shape (c,).

    beta is known in closed form, so one number is left for each output. A grid over its logarithm
    finds the highest hill, and finer grids its top. Where float32 products are too coarse for the
    ratio found, they are made again in float64.

    Parameters
    ----------
    F : ndarray of shape (n, d)
        Features, float32 or float64.
    Y : ndarray of shape (n, c)
        Outputs.
    """
    parts = spectrum(F, Y)
    best, t = _largest(parts)
    # each direction is off by about log(1 + noise / t) / 2, up or down
    error = 0.5 * len(parts.s) ** 0.5 * parts.noise / float(t.min()) / len(F)
    if _coarse(F) and error > TOLERANCE:
        best, _ = _largest(spectrum(F.astype(np.float64), Y))
    return best


def _largest(parts: Spectrum) -> tuple[Floats, Floats]:
    """Return the largest evidence of each output and its ratio, both of shape (c,)."""
    outputs = parts.explained.shape[1]
    if not len(parts.s):
        return evidence_at(parts, np.ones((1, outputs)))[0], np.ones(outputs)
    step = max(1, CELLS // (len(parts.s) * POINTS))
    best, ratio = np.empty(outputs), np.empty(outputs)
    for start in range(0, outputs, step):
        part = slice(start, start + step)
        some = replace(parts, explained=parts.explained[:, part], left=parts.left[part])
        best[part], ratio[part] = _climb(some)
    return best, ratio


def _climb(parts: Spectrum) -> tuple[Floats, Floats]:
    outputs = parts.explained.shape[1]
    low = np.full(outputs, np.log(parts.s[0]) - 25.0)
    high = np.full(outputs, np.log(parts.s[-1]) + 25.0)
    best, ratio = np.full(outputs, -np.inf), np.ones(outputs)
    for _ in range(ZOOMS):
        grid = np.linspace(low, high, POINTS)  # (g, c)
        values = evidence_at(parts, np.exp(grid))
        top = values.argmax(axis=0)
        centre = np.take_along_axis(grid, top[None], axis=0)[0]
        higher = values.max(axis=0) > best
        best = np.maximum(best, values.max(axis=0))
        ratio = np.where(higher, np.exp(centre), ratio)
        cell = (high - low) / (POINTS - 1)
        low, high = centre - cell, centre + cell
    return best, ratio
