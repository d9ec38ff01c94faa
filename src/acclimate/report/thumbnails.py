"""Small copies of pictures, as text that a record, a page and a notebook can hold."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.report.compared import Compared
from acclimate.report.compared_answers import MissedRows

SIDE = 96  # pixels of the longer side of a copy
LEAST_SIDE = 8  # of a picture; what is smaller is more likely a table
_QUALITY = 85
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


def bytes_of(X: NDArray[Any]) -> NDArray[np.uint8] | None:
    """Return pictures as uint8 of shape (n, h, w) or (n, h, w, 3); None where rows are no pictures.

    Rows of uint8 are pixels, and so are numbers from 0 to 1. Anything else may be a series of
    measurements, which nobody can look at.

    Parameters
    ----------
    X : ndarray of shape (n, h, w) or (n, c, h, w)
        Rows, with one or three channels.

    Examples
    --------
    >>> import numpy as np
    >>> bytes_of(np.ones((1, 3, 8, 9))).shape, bytes_of(np.ones((5, 8)))
    ((1, 8, 9, 3), None)
    """
    if X.ndim == 4 and X.shape[1] == 1:
        X = X[:, 0]
    if X.ndim not in (3, 4) or (X.ndim == 4 and X.shape[1] != 3) or min(X.shape[-2:]) < LEAST_SIDE:
        return None
    if X.dtype != np.uint8:
        if X.dtype.kind != "f" or not X.size or X.min() < 0.0 or not X.max() <= 1.0:
            return None
        X = np.rint(X * 255.0).astype(np.uint8)
    return X if X.ndim == 3 else X.transpose(0, 2, 3, 1)


def thumbnail(pixels: NDArray[np.uint8]) -> str:
    """Return a small copy of a picture as JPEG, in base64.

    Parameters
    ----------
    pixels : uint8 ndarray of shape (h, w) or (h, w, 3)
    """
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY, subsampling=0)
    return base64.b64encode(file.getvalue()).decode()


def thumbnails(X: Any, rows: Iterable[int]) -> tuple[str, ...]:
    """Return small copies of some rows; nothing where rows are no pictures.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
    rows : iterable of int

    Examples
    --------
    >>> import numpy as np
    >>> len(thumbnails(np.zeros((9, 20, 20), np.uint8), [3, 8])), thumbnails(np.ones((9, 2)), [3])
    (2, ())
    """
    if not isinstance(X, np.ndarray):
        return ()
    pixels = bytes_of(X[list(rows)])
    return () if pixels is None else tuple(map(thumbnail, pixels))


def image_source(text: str | None) -> str:
    """Return what a page gives an ``<img>`` as its source; nothing where it is no base64.

    A record may come from a file, and what it holds goes nowhere but into a picture.

    Examples
    --------
    >>> image_source("aGk="), image_source("https://example.org/x.png"), image_source(None)
    ('data:image/jpeg;base64,aGk=', '', '')
    """
    return f"data:image/jpeg;base64,{text}" if text and _BASE64.fullmatch(text) else ""


def with_thumbnails(found: Compared, X: Any) -> Compared:
    """Return a comparison with small copies of the pictures that are missed.

    Parameters
    ----------
    found : Compared
    X : array-like of shape (m, ...)
        Rows of the target, as the user gave them.
    """
    if found.answers is None or found.answers.missed is None:
        return found
    return replace(found, answers=replace(found.answers, missed=pictured(found.answers.missed, X)))


def pictured(missed: MissedRows, X: Any) -> MissedRows:
    """Return missed rows with small copies of them, where they are pictures."""
    return replace(missed, thumbnails=thumbnails(X, missed.positions))


def marked(picture: NDArray[Any], weight: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return a picture in grey, red where it counts, of shape (3, h, w).

    Parameters
    ----------
    picture : ndarray of shape (h, w) or (c, h, w)
        One that `bytes_of` takes.
    weight : ndarray of shape (h, w)
        What counts, above 0; the most is all red, unless it is below 0.01.
    """
    pixels = bytes_of(picture[None])
    if pixels is None:
        return np.zeros((3, *weight.shape), np.uint8)
    grey = pixels[0].astype(np.float64)
    grey = grey if grey.ndim == 2 else grey.mean(axis=2)
    share = np.clip(weight / max(float(weight.max()), 0.01), 0.0, 1.0) * 0.8  # (h, w)
    red = np.array([230.0, 40.0, 20.0])[:, None, None]
    drawn: NDArray[np.uint8] = np.rint((1.0 - share) * grey + share * red).astype(np.uint8)
    return drawn
