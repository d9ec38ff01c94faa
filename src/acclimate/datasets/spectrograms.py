"""Waveforms as log-mel spectrograms: pictures of 80 bands, 100 columns a second."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.datasets.waveforms import (
    LEAST_RATE,
    MOST_RATE,
    RATE,
    check_samples,
    resampled,
)
from acclimate.exceptions import InputError

BANDS = 80
HOP = 160  # samples from one column to the next: 10 ms
WINDOW = 400  # samples that a column sees: 25 ms
LOWEST, HIGHEST = -10.0, 3.0  # decimal logarithm of the power that is 0 and that is 1
COLUMNS = RATE // HOP  # of a second
_LINEAR = 1000.0  # Hz up to which mels are even
_STEP = 200.0 / 3.0  # Hz of a mel there
_BASE = math.log(6.4) / 27.0  # growth of a mel above


def mel_of(hertz: Any) -> NDArray[np.float64]:
    """Return frequencies in mels: even up to 1000 Hz, logarithmic above.

    Examples
    --------
    >>> mel_of([0.0, 200.0, 1000.0, 6400.0]).round(6).tolist()
    [0.0, 3.0, 15.0, 42.0]
    """
    f = np.asarray(hertz, dtype=np.float64)
    above = np.log(np.maximum(f, _LINEAR) / _LINEAR) / _BASE
    return np.where(f < _LINEAR, f / _STEP, _LINEAR / _STEP + above)


def hertz_of(mels: Any) -> NDArray[np.float64]:
    """Return mels as frequencies; the inverse of `mel_of`."""
    m = np.asarray(mels, dtype=np.float64)
    corner = _LINEAR / _STEP
    return np.where(m < corner, m * _STEP, _LINEAR * np.exp(_BASE * np.maximum(m - corner, 0.0)))


@lru_cache(maxsize=1)
def mel_filters() -> NDArray[np.float64]:
    """Return triangles of equal area over the frequencies of a window, shape (80, 201)."""
    corners = hertz_of(np.linspace(0.0, mel_of(RATE / 2), BANDS + 2))  # (82,)
    frequencies = np.fft.rfftfreq(WINDOW, 1.0 / RATE)  # (201,)
    low, centre, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rise = (frequencies - low) / (centre - low)
    fall = (high - frequencies) / (high - centre)
    triangles = np.maximum(0.0, np.minimum(rise, fall))  # (80, 201)
    found: NDArray[np.float64] = triangles * (2.0 / (high - low))
    return found


def log_mel(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Return the decimal logarithm of the power in bands of mels.

    Column k is the power spectrum of a Hann window around sample ``160 k``. Before the first sample
    the sound is mirrored, after the last there is silence, so that a sound with silence after it
    begins with the same columns.

    Parameters
    ----------
    samples : ndarray of shape (n,)
        At 16000 samples a second, in [-1, 1].

    Returns
    -------
    ndarray of shape (80, ceil(n / 160))
        At least -10.

    References
    ----------
    Slaney, "Auditory toolbox", technical report 1998-010, for the filters; Radford et al.,
    "Robust speech recognition via large-scale weak supervision", arXiv:2212.04356, for the rest.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(1600) / 16000)
    >>> found = log_mel(tone)
    >>> found.shape, int(found[:, 5].argmax())
    ((80, 10), 26)
    """
    count = -(-len(samples) // HOP)
    half = WINDOW // 2
    x = np.zeros(half + max(count * HOP, half + 1) + half)
    x[half : half + len(samples)] = samples
    x[:half] = x[half + 1 : WINDOW + 1][::-1]
    windows = np.lib.stride_tricks.sliding_window_view(x, WINDOW)[::HOP][:count]  # (count, 400)
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(WINDOW) / WINDOW)
    power = np.abs(np.fft.rfft(windows * hann, axis=1)) ** 2  # (count, 201)
    mels = np.maximum(power @ mel_filters().T, 10.0**LOWEST)
    found: NDArray[np.float32] = np.log10(mels).T.astype(np.float32)
    return found


def spectrogram(samples: NDArray[Any], rate: int = RATE) -> NDArray[np.float32]:
    """Return a sound as a picture, shape (80, columns): 0 is silence, 1 as loud as can be.

    Parameters
    ----------
    samples : ndarray of shape (n,)
        In [-1, 1], n above 0.
    rate : int, default=16000
        Samples of a second.
    """
    found: NDArray[Any] = log_mel(resampled(np.asarray(samples, dtype=np.float32), rate))
    found -= np.float32(LOWEST)
    found /= np.float32(HIGHEST - LOWEST)
    return found


def stacked(pictures: Sequence[NDArray[Any]], columns: int | None = None) -> NDArray[Any]:
    """Return pictures of sounds as one array, the shorter ones with silence after them.

    Parameters
    ----------
    pictures : sequence of ndarray of shape (80, columns)
        At least one.
    columns : int, default=None
        Those of the result; longer sounds are cut. None is as many as the longest has.

    Returns
    -------
    ndarray of shape (n, 80, columns)
    """
    wanted = max(one.shape[1] for one in pictures) if columns is None else columns
    X = np.zeros((len(pictures), BANDS, wanted), dtype=pictures[0].dtype)
    for row, one in zip(X, pictures, strict=True):
        row[:, : one.shape[1]] = one[:, :wanted]
    return X


def as_pixels(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return a picture of a sound in bytes; a step is 0.05 of a decade, half a decibel."""
    steps: NDArray[np.uint8] = np.clip(np.rint(picture * 255.0), 0, 255).astype(np.uint8)
    return steps


def lengths(X: NDArray[Any]) -> NDArray[np.intp]:
    """Return how many columns each picture has before the silence at its end, at least 1.

    Parameters
    ----------
    X : ndarray of shape (n, 80, columns)
        Pictures of sounds.

    Examples
    --------
    >>> X = np.zeros((2, 80, 5), dtype=np.uint8)
    >>> X[0, 3, 2] = 9
    >>> lengths(X).tolist()
    [3, 1]
    """
    heard: NDArray[np.bool_] = np.greater(X, 0).any(axis=1)  # (n, columns)
    last = heard.shape[1] - heard[:, ::-1].argmax(axis=1)
    return np.where(heard.any(axis=1), last, 1)


def as_spectrograms(X: Any, rate: int = RATE, most: int | None = None) -> NDArray[Any]:
    """Return sounds as pictures of one shape, whether they are waveforms or pictures already.

    Parameters
    ----------
    X : sequence of ndarray of shape (samples,), or ndarray of shape (n, 80, columns)
        Waveforms of any lengths, in [-1, 1]; an array of shape (n, samples) is n of one length. Or
        what a folder of sounds is read as.
    rate : int, default=16000
        Samples of a second of waveforms.
    most : int, default=None
        How many sounds are read, from the first on; None reads all.

    Returns
    -------
    ndarray of shape (n, 80, columns)
        float32 in [0, 1] of waveforms; pictures as they are.

    Raises
    ------
    InputError
        They are neither.
    """
    several = isinstance(X, Sequence) or getattr(X, "ndim", 0) > 0
    X = X[:most] if several else X
    if getattr(X, "ndim", 1) == 3 and X.shape[1] == BANDS and X.shape[2]:
        return np.asarray(X)
    if rate < LEAST_RATE:
        raise InputError(f"rate must be at least {LEAST_RATE}, got {rate!r}")
    if rate > MOST_RATE:
        raise InputError(f"rate must be at most {MOST_RATE}, got {rate!r}")
    if not several or getattr(X, "ndim", 1) > 2 or isinstance(X, str | bytes) or not len(X):
        raise InputError(
            f"sounds must be waveforms, each of shape (samples,), or pictures of them of shape (n, "
            f"{BANDS}, columns); got {getattr(X, 'shape', None) or type(X).__name__}"
        )
    return stacked([spectrogram(_waveform(one, row), rate) for row, one in enumerate(X)])


def _waveform(given: Any, row: int) -> NDArray[Any]:
    samples = np.asarray(given)
    if samples.ndim != 1 or samples.dtype.kind not in "iuf" or not len(samples):
        held = "" if samples.dtype.kind in "iuf" else f" of {samples.dtype}"
        raise InputError(f"sound {row} must be one row of samples, got shape {samples.shape}{held}")
    if samples.dtype.kind in "iu":
        if samples.dtype.itemsize > 4:
            raise InputError(
                f"sound {row} is of {samples.dtype}, which does not tell how loud 1 is; divide "
                f"samples that were 16 bits by 32768"
            )
        half = 2.0 ** (8 * samples.dtype.itemsize - 1)
        samples = samples / half - (samples.dtype.kind == "u")  # unsigned, half is silence
    check_samples(samples, f"sound {row}")
    return samples
