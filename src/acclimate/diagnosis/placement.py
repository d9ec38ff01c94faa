"""Where the object lies in an image: framed alike in both domains, or not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.diagnosis.drift import holm
from acclimate.diagnosis.findings import Finding

Floats = NDArray[np.float64]

INK = 0.2  # share of an image's range above its border that counts as the object
LEAST_FRAME = 0.05  # of the frame, between the medians of where objects lie
PLAIN = (
    0.35  # share of the border that may count as the object: of digits a quarter, of photos half
)


def image_boxes(X: NDArray[Any]) -> dict[str, Floats]:
    """Return where the object of each image lies: how much of the frame it fills, and its centre.

    The object is all that differs from the median of the border by more than a fifth of the
    image's largest difference. An image without one fills nothing, in the middle.

    Parameters
    ----------
    X : ndarray of shape (n, ..., h, w)
        Images. Channels are averaged.

    Returns
    -------
    dict
        ``height``, ``width``, ``middle_row`` and ``middle_column``, as shares of the frame; each of
        shape (n,).
    """
    plain = X.reshape(len(X), -1, *X.shape[-2:]).mean(axis=1, dtype=np.float64)
    h, w = plain.shape[1:]
    away = np.abs(plain - np.median(_border(plain), axis=1)[:, None, None])
    most = away.max(axis=(1, 2), keepdims=True)
    ink = (away > INK * most) & (most > 0)
    figures: dict[str, Floats] = {}
    for axis, side, names in ((2, h, ("height", "middle_row")), (1, w, ("width", "middle_column"))):
        used = ink.any(axis=axis)  # (n, side)
        first, last = used.argmax(axis=1), side - used[:, ::-1].argmax(axis=1)
        some = used.any(axis=1)
        figures[names[0]] = np.where(some, last - first, 0) / side
        figures[names[1]] = np.where(some, (first + last) / 2.0, side / 2.0) / side
    return figures


def border_ink(X: NDArray[Any]) -> Floats:
    """Return the share of each image's border that differs from its median as an object does.

    Where it is large there is no object on a plain ground: the background fills the frame.

    Parameters
    ----------
    X : ndarray of shape (n, ..., h, w)
        Images. Channels are averaged.
    """
    plain = X.reshape(len(X), -1, *X.shape[-2:]).mean(axis=1, dtype=np.float64)
    border = _border(plain)
    middle = np.median(border, axis=1)
    most = np.abs(plain - middle[:, None, None]).max(axis=(1, 2))
    shares: Floats = (np.abs(border - middle[:, None]) > INK * most[:, None]).mean(axis=1)
    return shares


def _border(plain: Floats) -> Floats:
    """Return the border of images of shape (n, h, w), shape (n, 2w + 2h)."""
    return np.concatenate([plain[:, 0], plain[:, -1], plain[:, :, 0], plain[:, :, -1]], axis=1)


def compare(X: Any, Z: Any, level: float, figures: dict[str, Any]) -> list[Finding]:
    """Compare the sizes of images and where the object lies in them.

    Where the background fills the frame in one of the domains, as in photographs, there is no
    object to speak of.

    Parameters
    ----------
    X, Z : ndarray of shape (n, ..., h, w)
        Images of the source and of the target.
    level : float
        Chance of a false alarm.
    figures : dict
        Receives what was measured.
    """
    from scipy.stats import ks_2samp

    sizes = [side.shape[-2:] for side in (X, Z)]
    figures["image_sizes"] = [list(size) for size in sizes]
    before, now = image_boxes(X), image_boxes(Z)
    medians = {name: (float(np.median(before[name])), float(np.median(now[name]))) for name in now}
    figures["object_in_frame"] = {name: list(pair) for name, pair in medians.items()}
    grounds = [float(np.median(border_ink(side))) for side in (X, Z)]
    figures["border_ink"] = grounds
    raw = np.array([float(ks_2samp(before[name], now[name]).pvalue) for name in now])
    p = holm(raw)
    moved = [
        name
        for name, value in zip(now, p, strict=True)
        if value < level and abs(medians[name][0] - medians[name][1]) >= LEAST_FRAME
    ]
    findings = []
    if sizes[0] != sizes[1]:
        shown = [f"{h} x {w}" for h, w in sizes]
        words = f"Images of the source are {shown[0]} and those of the target {shown[1]}."
        findings.append(Finding("framing", words, 0.97))
    if moved and max(grounds) <= PLAIN:
        worst = max(moved, key=lambda name: abs(medians[name][0] - medians[name][1]))
        what = {
            "height": "fills {:.0%} of the frame's height in the source and {:.0%} in the target",
            "width": "fills {:.0%} of the frame's width in the source and {:.0%} in the target",
            "middle_row": "has its middle at {:.0%} of the height in the source, {:.0%} in the "
            "target",
            "middle_column": "has its middle at {:.0%} of the width in the source, {:.0%} in the "
            "target",
        }[worst].format(*medians[worst])
        words = f"The object {what}. Frame both alike before anything else."
        findings.append(Finding("framing", words, 0.98))
    return findings
