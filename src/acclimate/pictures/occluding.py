"""`occlusion`: where a model looks, by what it says when parts of a picture are covered."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.pictures.nearest_pictures import pictures


def occlusion(
    model: Any, X: Any, *, label: Any = None, patch: int | None = None, domain: str = "target"
) -> NDArray[np.float64]:
    """Return how much the probability of a class falls where each place of a picture is covered.

    Use it to see whether a model looks at the object or at its background. Do not take small
    figures for an explanation: covering is a change that the model has never seen.

    A square moves over the picture by half of its side and has the mean colour of the picture. A
    place has the mean fall over the squares that cover it.

    Parameters
    ----------
    model : Adapter
        Fitted, with probabilities.
    X : ndarray of shape (m, h, w) or (m, c, h, w)
        Pictures. Each is predicted about 60 times.
    label : label, default=None
        The class. None takes what the model says of each picture.
    patch : int, default=None
        Side of the square in pixels, from 1 to the shorter side; None is a quarter of the longer
        side, at most the shorter one.
    domain : {"target", "source"}, default="target"
        Where the pictures come from.

    Returns
    -------
    ndarray of shape (m, h, w)
        Above 0 where the class needs the place, below where it is better without.

    Raises
    ------
    InputError
        These are no pictures, the model gives no probabilities, or a setting cannot be used.

    References
    ----------
    Zeiler and Fergus, "Visualizing and understanding convolutional networks", arXiv:1311.2901.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import SourceOnly
    >>> from acclimate.transfer.encoders import Pixels
    >>> X = np.zeros((40, 8, 8), np.uint8)
    >>> X[1::2, :3, :3] = 255
    >>> model = SourceOnly(preprocess=Pixels()).fit(X, [0, 1] * 20)
    >>> fall = occlusion(model, X[1:2])[0]
    >>> bool(fall[0, 0] > 0.01), bool(abs(fall[7, 7]) < 0.01)
    (True, True)
    """
    X = pictures(X, "X")
    if not hasattr(model, "predict_proba"):
        raise InputError(f"{type(model).__name__} gives no probabilities of classes, which fall")
    h, w = X.shape[-2:]
    side = min(-(-max(h, w) // 4), h, w) if patch is None else patch
    if isinstance(side, bool) or not isinstance(side, int) or not 1 <= side <= min(h, w):
        raise InputError(f"patch must be a whole number from 1 to {min(h, w)}, got {patch!r}")
    first = model.predict_proba(X, domain=domain)  # (m, k)
    columns = first.argmax(axis=1)
    if label is not None:
        known = np.asarray(model.classes_).tolist()
        if label not in known:
            raise InputError(f"label must be one of {known}, got {label!r}")
        columns = np.full(len(X), known.index(label))
    places = list(product(_starts(h, side), _starts(w, side)))
    covered = np.zeros((h, w))
    for row, column in places:
        covered[row : row + side, column : column + side] += 1
    maps = np.zeros((len(X), h, w))
    for number, (picture, column) in enumerate(zip(X, columns, strict=True)):
        mean = picture.mean(axis=(-2, -1), keepdims=True)
        paper = np.rint(mean) if X.dtype.kind in "ui" else mean
        changed = np.repeat(picture[None], len(places), axis=0)
        for one, (row, left) in zip(changed, places, strict=True):
            one[..., row : row + side, left : left + side] = paper
        said = model.predict_proba(changed, domain=domain)[:, column]
        for fall, (row, left) in zip(first[number, column] - said, places, strict=True):
            maps[number, row : row + side, left : left + side] += fall
    return maps / covered


def _starts(length: int, side: int) -> list[int]:
    """Return where squares begin, by half of their side, the last at the end."""
    last = length - side
    return sorted({*range(0, last + 1, max(1, side // 2)), last})
