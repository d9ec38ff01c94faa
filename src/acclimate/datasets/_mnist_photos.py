"""MNIST digits on photographs, in colour: a target for MNIST."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from acclimate.datasets import _idx_images, _mnist
from acclimate.datasets._types import Dataset, DatasetInfo
from acclimate.datasets.cache import Arrays
from acclimate.datasets.formats import read_members
from acclimate.datasets.places import Wheel
from acclimate.datasets.recipe import Carrier, Entry, Recipe
from acclimate.exceptions import IntegrityError

PHOTOS = ("astronaut", "chelsea", "coffee")
SEED = {"train": 0, "test": 1}
_SIDE = 28
# Wheels of a version differ by machine, the photographs in them do not.
_WHEEL = Wheel("scikit-image", "0.26.0")

INFO = DatasetInfo(
    name="mnist_photos",
    title="MNIST digits on photographs, in colour",
    kind="image",
    task="classification",
    rows=70000,
    licence=(
        "digits: Creative Commons Attribution-ShareAlike 3.0; photographs: astronaut in the public "
        "domain (NASA), chelsea CC0 (Stefan van der Walt), coffee CC0 (Rachel Michetti)"
    ),
    citation=(
        "made as MNIST-M was: Ganin et al. (2016). Domain-adversarial training of neural networks. "
        "Journal of Machine Learning Research 17(59), arXiv:1505.07818; digits: "
        f"{_mnist.INFO.citation}"
    ),
    found=f"pip package scikit-image==0.26.0 for the photographs; digits: {_mnist.INFO.found}",
)


def _read_wheel(archive: Path) -> Arrays:
    from PIL import Image

    arrays: Arrays = {}
    members = read_members(archive, _members())
    for name, member in zip(PHOTOS, _members(), strict=True):
        try:
            with Image.open(io.BytesIO(members[member]), formats=("PNG",)) as picture:
                arrays[name] = np.array(picture.convert("RGB"))  # (height, width, 3)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise IntegrityError(f"{name}.png cannot be read: {error}") from error
    return arrays


def _members() -> list[str]:
    return [f"skimage/data/{name}.png" for name in PHOTOS]


def blend(
    digits: np.ndarray[Any, Any], photos: list[np.ndarray[Any, Any]], seed: int
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return ``|patch - digit|`` in each channel, each digit on a patch of its own.

    Parameters
    ----------
    digits : ndarray of uint8, shape (n, h, w)
        Grey images.
    photos : list of ndarray of uint8, shape (height, width, 3)
        Each at least as large as a digit. All are drawn equally often.
    seed : int
        Decides photograph and place of each patch.

    Returns
    -------
    ndarray of uint8, shape (n, 3, h, w)

    Examples
    --------
    >>> photo = np.full((4, 5, 3), 200, np.uint8)
    >>> blend(np.array([[[0, 255]]], np.uint8), [photo], seed=0)[0, 0].tolist()
    [[200, 55]]
    """
    n, h, w = digits.shape
    rng = np.random.default_rng(seed)
    which = rng.integers(len(photos), size=n)
    places = rng.random((n, 2))
    out = np.empty((n, 3, h, w), np.uint8)
    for number, photo in enumerate(photos):
        rows = np.flatnonzero(which == number)
        room = np.array(photo.shape[:2]) - (h, w) + 1
        top, left = (places[rows] * room).astype(np.intp).T
        windows = np.lib.stride_tricks.sliding_window_view(photo, (h, w), axis=(0, 1))
        patch = windows[top, left]  # (rows, 3, h, w)
        digit = digits[rows][:, None]
        out[rows] = np.where(patch > digit, patch - digit, digit - patch)
    return out


def _assemble(arrays: Arrays, recipe: Recipe) -> Dataset:
    photos = [arrays[name] for name in PHOTOS]
    made = {f"X_{part}": blend(arrays[f"X_{part}"], photos, SEED[part]) for part in SEED}
    return _idx_images.assemble({**arrays, **made}, INFO, recipe.split, _mnist.CLASS_NAMES)


ENTRY = Entry(
    info=INFO,
    recipes=(
        Recipe(
            key="photos",
            digests={
                "astronaut": "6d8f39a7328844c5e0bb4800e252bb582de121785994c0f6e988fe5b15dfcec1",
                "chelsea": "5346c5c2e89af2c15237b70724a825fa4c054d7dd76c660ce18ae8a6c5900d9b",
                "coffee": "b448416f19024a2839422b003b1ceca40e672c8dbace37390360d326744710f2",
            },
            split="the usual 60000 training and 10000 test images of MNIST, each on its own patch",
            carriers=(Carrier(_WHEEL, _WHEEL.pattern, _read_wheel),),
        ),
    ),
    assemble=_assemble,
    advice="The folder may hold the scikit-image wheel, beside what MNIST needs.",
    made_from=(_mnist.ENTRY,),
)
