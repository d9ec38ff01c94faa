"""Spoken digits of six speakers: the Free Spoken Digit Dataset."""

from __future__ import annotations

import io
import re
import wave
from pathlib import Path

import numpy as np

from acclimate.datasets._types import DatasetInfo, SoundDataset
from acclimate.datasets.cache import Arrays
from acclimate.datasets.formats import read_tree, whole
from acclimate.datasets.places import SiteArchive
from acclimate.datasets.recipe import Carrier, Entry, Recipe
from acclimate.exceptions import DataNotFoundError, IntegrityError

RATE = 8000
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
_NAME = re.compile(r"([0-9])_([a-z]+)_([0-9]+)\.wav")
_ARCHIVE = SiteArchive(
    "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/"
    "26eb9aaf76e81b692f806f9140c2d2777410d7a1.zip",
    "fsdd.zip",
)

INFO = DatasetInfo(
    name="spoken_digits",
    title="Free Spoken Digit Dataset, six speakers",
    kind="sound",
    task="classification",
    rows=3000,
    licence="Creative Commons Attribution-ShareAlike 4.0",
    citation=(
        "Jackson and contributors (2016-2022). Free Spoken Digit Dataset, "
        "https://github.com/Jakobovski/free-spoken-digit-dataset, doi:10.5281/zenodo.1342401"
    ),
    found=(
        "fsdd.zip or the folder recordings in ACCLIMATE_DATA; the zip archive of the official "
        "repository"
    ),
)


def _read_folder(folder: Path) -> Arrays:
    """Read the unpacked recordings."""
    loose = sorted((folder / "recordings").glob("*.wav"))
    if not loose:
        raise DataNotFoundError("no folder recordings")
    return _read_files({path.name: whole(path) for path in loose})


def _read_archive(archive: Path) -> Arrays:
    return _read_files(read_tree(archive, "recordings", (".wav",)))


def _read_files(files: dict[str, bytes]) -> Arrays:
    """Return the samples of all files, one after the other, with lengths, digits and speakers."""
    sorts = []
    for name in files:
        found = _NAME.fullmatch(name)
        if found is None or found[2] not in SPEAKERS:
            raise IntegrityError(f"no recording is called {name!r}")
        sorts.append((SPEAKERS.index(found[2]), int(found[1]), int(found[3]), name))
    sorts.sort()
    samples = [_samples(files[name], name) for *_, name in sorts]
    return {
        "samples": np.frombuffer(b"".join(samples), np.uint8),
        "lengths": np.array([len(one) // 2 for one in samples], dtype=np.float64),
        "y": np.array([digit for _, digit, *_ in sorts], dtype=np.uint8),
        "domain": np.array([speaker for speaker, *_ in sorts], dtype=np.uint8),
    }


def _samples(data: bytes, name: str) -> bytes:
    """Return the samples of a WAV file as it holds them, little-endian int16."""
    with wave.open(io.BytesIO(data)) as file:
        if file.getparams()[:3] != (1, 2, RATE):
            raise IntegrityError(f"{name} is {file.getparams()}, not 16 bits at {RATE} Hz")
        samples: bytes = file.readframes(file.getnframes())
    return samples


def _assemble(arrays: Arrays, recipe: Recipe) -> SoundDataset:
    samples = arrays["samples"].view("<i2").astype(np.float32) / np.float32(32768.0)
    ends = np.cumsum(arrays["lengths"]).astype(np.int64)
    X = np.empty(len(ends), dtype=object)
    X[:] = np.split(samples, ends[:-1])
    return SoundDataset(
        X=X,
        y=arrays["y"].astype(np.int64),
        domain=np.array(SPEAKERS)[arrays["domain"]],
        class_names=tuple("0123456789"),
        info=INFO,
        split=recipe.split,
        rate=RATE,
    )


ENTRY = Entry(
    info=INFO,
    recipes=(
        Recipe(
            key="spoken_digits",
            digests={
                "samples": "f21b1d344783e5a285db584bbcd7bf0487952ccb6765e79969837736c48b4932",
                "lengths": "61da33e3e3fe4c8cb21a8dd262cbd5d360bc65316626ba8f8c07b9f90f02995c",
                "y": "80d14a6abe2ea010b0b784c57d9d7a460d2dca8fcefa277bba338e83478ef76d",
                "domain": "6e62de6f5a5daff06ce0060fa8a5be90e1b4c9e00888b21697455c665bf5ba73",
            },
            split="none: the speaker of each recording is in `domain`",
            loose=_read_folder,
            carriers=(Carrier(_ARCHIVE, _ARCHIVE.pattern, _read_archive),),
        ),
    ),
    assemble=_assemble,
    advice=(
        "The folder may hold the zip archive of "
        "https://github.com/Jakobovski/free-spoken-digit-dataset (as fsdd.zip), or its folder "
        "recordings."
    ),
)
