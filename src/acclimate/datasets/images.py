"""Put images of one size into the frame of another."""

from __future__ import annotations

from typing import Any

import numpy as np

from acclimate.exceptions import InputError


def resize_matrix(size_in: int, size_out: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the matrix of linear interpolation between two lengths.

    Enlarging interpolates between the two nearest pixel centres; shrinking widens the triangle so
    that every pixel counts.

    Parameters
    ----------
    size_in, size_out : int
        Pixels, at least 1.

    Returns
    -------
    ndarray, shape (size_out, size_in)
        Each row sums to 1.

    Examples
    --------
    >>> resize_matrix(4, 2).round(3).tolist()
    [[0.429, 0.429, 0.143, 0.0], [0.0, 0.143, 0.429, 0.429]]
    """
    ratio = size_in / size_out
    centre = (np.arange(size_out) + 0.5) * ratio - 0.5  # (size_out,)
    distance = np.abs(np.arange(size_in) - centre[:, None])  # (size_out, size_in)
    weights = np.maximum(0.0, 1.0 - distance / max(1.0, ratio))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float64)


def frame(images: np.ndarray[Any, Any], *, size: int = 28, box: int = 20) -> np.ndarray[Any, Any]:
    """Scale images to a box and centre the box in an empty canvas.

    MNIST digits fill a box of 20 x 20 pixels inside 28 x 28. Digits that fill their whole image,
    as in USPS, look like MNIST after this. Use it before moving between the two; stretching to
    the full canvas makes every stroke larger than any in MNIST. Not for images that have a margin
    already: pad those.

    Each image becomes ``R @ image @ C.T``, with `resize_matrix` for rows and columns. The longer
    side becomes `box`, so shapes keep their proportions.

    Parameters
    ----------
    images : ndarray, shape (n, height, width)
        Unsigned bytes or floating point.
    size : int, default=28
        Side of the canvas in pixels, at least `box`.
    box : int, default=20
        Longer side of the scaled image in pixels, at least 1.

    Returns
    -------
    ndarray, shape (n, size, size)
        Same type as `images`; zero outside the box.

    Raises
    ------
    InputError
        Wrong shape, type or sizes.

    Notes
    -----
    MNIST itself moves the centre of mass to the middle; here the middle of the box is used, which
    needs no look at the pixels.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner (1998), doi:10.1109/5.726791.

    Examples
    --------
    >>> import numpy as np
    >>> framed = frame(np.full((1, 16, 16), 255, np.uint8))
    >>> framed.shape, int((framed > 0).sum())
    ((1, 28, 28), 400)
    """
    if images.ndim != 3 or 0 in images.shape[1:]:
        raise InputError(f"images must have shape (n, height, width), got {images.shape}.")
    if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
        raise InputError(f"images must be uint8 or floating point, got {images.dtype}.")
    if not 1 <= box <= size:
        raise InputError(f"box must lie between 1 and size={size}, got {box}.")
    n, height, width = images.shape
    longer = max(height, width)
    out_h, out_w = (max(1, round(side * box / longer)) for side in (height, width))
    work = np.result_type(images.dtype, np.float32)
    rows = resize_matrix(height, out_h).astype(work)  # (out_h, height)
    columns = resize_matrix(width, out_w).astype(work)  # (out_w, width)
    scaled = rows @ (images.astype(work).reshape(n * height, width) @ columns.T).reshape(
        n, height, out_w
    )  # (n, out_h, out_w)
    if images.dtype == np.uint8:
        scaled = np.clip(np.rint(scaled), 0, 255)
    canvas = np.zeros((n, size, size), images.dtype)
    top, left = (size - out_h) // 2, (size - out_w) // 2
    canvas[:, top : top + out_h, left : left + out_w] = scaled
    return canvas
