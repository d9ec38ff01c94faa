"""Sounds of one set: pictures of one shape, what was cut, and which cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.datasets.spectrograms import BANDS, COLUMNS, as_pixels, spectrogram, stacked
from acclimate.datasets.waveforms import decoded
from acclimate.exceptions import InputError
from acclimate.extras import need
from acclimate.tables import picture_sets
from acclimate.tables.picture_files import check_there, is_picture
from acclimate.tables.picture_sets import PictureSet, counted, tell_bad
from acclimate.tables.pictures import Pictures

ENDINGS = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff")
STEPS = (0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0)  # seconds where nothing is said


def is_sound(name: str) -> bool:
    """Tell by its name whether a file is a sound that can be read."""
    return name.lower().endswith(ENDINGS)


def is_like(name: str, sound: bool) -> bool:
    """Tell by its name whether a file is a sound, or else a picture, whichever is looked for."""
    return is_sound(name) if sound else is_picture(name)


def read_set(files: Sequence[Path], names: Sequence[str], how: Pictures) -> PictureSet:
    """Read files as pictures of one shape, whether they are pictures or sounds.

    Parameters
    ----------
    files : sequence of Path
        The files, at least one.
    names : sequence of str
        What messages call them.
    how : Pictures
        How they are read, and whether they are sounds.

    Raises
    ------
    InputError
        Some cannot be read, and ``how.skip_bad`` is False; or all of them; or pictures have not one
        size. The message names the files and the way out.
    MissingExtraError
        They are sounds, and the extra ``audio`` is not installed.

    Warns
    -----
    AcclimateWarning
        Files were left out.
    """
    return _sounds(files, names, how) if how.sound else picture_sets.read_set(files, names, how)


def _sounds(files: Sequence[Path], names: Sequence[str], how: Pictures) -> PictureSet:
    need("soundfile", "audio")
    if how.size is not None and not how.of_another:
        raise InputError(
            "sounds have no size in pixels; to say how long they are: Pictures(seconds=2.5) "
            "(--seconds 2.5)"
        )
    most = how.seconds or STEPS[-1] if how.size is None else how.size[0] / COLUMNS
    found: list[NDArray[Any]] = []
    seconds: list[float] = []
    kept: list[int] = []
    bad: dict[str, str] = {}
    for number, (file, name) in enumerate(zip(files, names, strict=True)):
        try:
            picture, long = read_sound(file, most)
        except InputError as error:
            bad[name] = str(error)
            continue
        found.append(picture)
        seconds.append(long)
        kept.append(number)
    tell_bad(bad, len(files), skip=how.skip_bad and bool(found), noun="sound")
    columns = round(most * COLUMNS)
    if how.size is None and how.seconds is None:
        longest = max(one.shape[1] for one in found) / COLUMNS
        columns = round(next(step for step in STEPS if longest <= step) * COLUMNS)
    X = stacked(found, columns)
    settled = replace(how, size=(columns, BANDS), colour=False, sound=True, of_another=True)
    notes = _notes(np.array(seconds), columns / COLUMNS)
    if bad:
        notes.append(f"{len(bad):,} unreadable left out")
    return PictureSet(X, np.array(kept), settled, tuple(notes))


def read_sound(path: Path, most: float) -> tuple[NDArray[np.uint8], float]:
    """Read the beginning of one sound.

    Parameters
    ----------
    path : Path
        The file.
    most : float
        Seconds that are read.

    Returns
    -------
    picture : ndarray of shape (80, columns)
        100 columns a second, at most ``100 most`` of them.
    seconds : float
        Of the whole file.

    Raises
    ------
    InputError
        It cannot be read; the message says why and not which file.
    """
    try:
        check_there(path)
        with path.open("rb") as file:
            samples, rate, seconds = decoded(file, most)
    except PermissionError:
        raise InputError("permission denied") from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}") from None
    return as_pixels(spectrogram(samples, rate))[:, : round(most * COLUMNS)], seconds


def _notes(seconds: NDArray[np.float64], most: float) -> list[str]:
    """Return how long sounds are, and what was cut."""
    notes = []
    least, longest = seconds.min(), seconds.max()
    if round(least, 2) != round(longest, 2):
        notes.append(f"{least:.2f} to {longest:.2f} s long")
    cut = int((seconds > most + 1.0 / COLUMNS).sum())
    if cut:
        notes.append(f"{counted(cut, 'longer one')} cut")
    return notes
