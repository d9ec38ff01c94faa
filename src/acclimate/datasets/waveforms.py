"""Waveforms: decoded, in one channel, at one rate."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.extras import need

RATE = 16000  # samples of a second
LEAST_RATE = 1000
MOST_RATE = 1_000_000  # beyond it, filters of millions of numbers
_LOUDEST = 100.0  # of floats, of which some go beyond 1; whole numbers go far beyond
_CUT = re.compile(r"\bdata : (\d+) \(should be (\d+)\)")  # what libsndfile notes of a WAV file
_STREAMED = 0x7FFFF000  # bytes from here on are a length that nobody knew when it was written


def decoded(
    file: str | IO[bytes], seconds: float | None = None
) -> tuple[NDArray[np.float32], int, float]:
    """Return the samples of a file, the mean of its channels, their rate, and how long it is.

    Parameters
    ----------
    file : str or binary file
        WAV, FLAC, OGG, MP3 or AIFF.
    seconds : float, default=None
        How many of them are read; None reads all.

    Returns
    -------
    samples : ndarray of shape (n,)
        In [-1, 1]; of floats in a file as they are.
    rate : int
        Samples of a second.
    seconds : float
        Of the whole file.

    Raises
    ------
    InputError
        It cannot be read; the message says why and not which file.
    MissingExtraError
        The extra ``audio`` is not installed.
    """
    soundfile: Any = need("soundfile", "audio")
    try:
        with soundfile.SoundFile(file) as sound:
            rate, frames = int(sound.samplerate), int(sound.frames)
            if not LEAST_RATE <= rate <= MOST_RATE:
                raise InputError(f"it has {rate} samples a second")
            cut = _CUT.search(sound.extra_info)
            if cut and int(cut[2]) < int(cut[1]) < _STREAMED:
                raise InputError(f"cut off: {int(cut[2]):,} bytes of {int(cut[1]):,}")
            wanted = frames if seconds is None else min(frames, math.ceil(seconds * rate))
            samples = sound.read(wanted, dtype="float32", always_2d=True)  # (n, channels)
    except soundfile.SoundFileError as error:
        reason = str(getattr(error, "error_string", error)).rstrip(".")
        raise InputError(f"not a sound that can be decoded: {reason}") from error
    if not len(samples):
        raise InputError("it has no samples")
    if len(samples) < wanted:
        raise InputError(f"cut off: {len(samples):,} samples of {frames:,}")
    mono = samples.mean(axis=1)
    check_samples(mono)
    return mono, rate, frames / rate


def check_samples(samples: NDArray[Any], name: str = "it") -> None:
    """Raise where samples are not finite, or so large that they are no waveform in [-1, 1].

    Parameters
    ----------
    samples : ndarray of shape (n,)
        n above 0.
    name : str, default="it"
        What the message calls the sound.

    Examples
    --------
    >>> check_samples(np.array([0.0, 20000.0]))
    Traceback (most recent call last):
    acclimate.exceptions.InputError: it has a sample of 2e+04; samples lie in [-1, 1], so ...
    """
    loudest = max(float(samples.max()), -float(samples.min()))
    if not math.isfinite(loudest):
        raise InputError(f"{name} has samples that are not finite")
    if loudest > _LOUDEST:
        raise InputError(
            f"{name} has a sample of {loudest:.3g}; samples lie in [-1, 1], so divide those that "
            f"were 16 bits by 32768"
        )


def resampled(samples: NDArray[np.float32], rate: int, to: int = RATE) -> NDArray[np.float32]:
    """Return samples at another rate, by a polyphase filter.

    Parameters
    ----------
    samples : ndarray of shape (n,)
        One channel.
    rate, to : int
        Samples of a second, as they are and as they are to be.

    Returns
    -------
    ndarray of shape (ceil(n to / rate),)

    Examples
    --------
    >>> resampled(np.zeros(441, dtype=np.float32), 44100, 16000).shape
    (160,)
    """
    if rate == to:
        return samples
    from scipy.signal import resample_poly

    common = math.gcd(rate, to)
    up, down = to // common, rate // common
    found: NDArray[Any] = resample_poly(samples, up, down, window=_low_pass(max(up, down)))
    return found.astype(np.float32, copy=False)


@lru_cache(maxsize=16)
def _low_pass(factor: int) -> NDArray[np.float32]:
    """Return the filter that `resample_poly` makes anew for each sound, shape (20 factor + 1,)."""
    from scipy.signal import firwin

    taps: NDArray[Any] = firwin(20 * factor + 1, 1.0 / factor, window=("kaiser", 5.0))
    return taps.astype(np.float32)
