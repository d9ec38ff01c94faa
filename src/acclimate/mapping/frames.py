"""Bring images of a target into the source's frame: same canvas, size, place and intensities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.datasets.images import resize_matrix
from acclimate.diagnosis.placement import image_boxes
from acclimate.exceptions import InputError

Array = NDArray[Any]

ALIKE = 0.05  # of the frame, or of the range of intensities: smaller differences are left


@dataclass(frozen=True)
class Look:
    """How the images of a domain look.

    Parameters
    ----------
    height, width : int
        Pixels of the canvas.
    box_height, box_width : float
        Median size of the object, in pixels.
    middle_row, middle_column : float
        Median middle of the object, in pixels from the corner.
    ground, ink : float
        Median intensity of the border, and that of the pixel that differs most from it.
    """

    height: int
    width: int
    box_height: float
    box_width: float
    middle_row: float
    middle_column: float
    ground: float
    ink: float


def look(images: Array) -> Look:
    """Measure how images look. The object is what differs from the border.

    Parameters
    ----------
    images : ndarray of shape (n, ..., h, w)
        Any numbers. Channels are averaged.
    """
    h, w = images.shape[-2:]
    boxes = {name: float(np.median(shares)) for name, shares in image_boxes(images).items()}
    plain = images.reshape(len(images), -1, h, w).mean(axis=1, dtype=np.float64)
    edge = np.concatenate([plain[:, 0], plain[:, -1], plain[:, :, 0], plain[:, :, -1]], axis=1)
    ground = np.median(edge, axis=1)
    away = plain.reshape(len(plain), -1) - ground[:, None]
    most = np.abs(away).argmax(axis=1)
    ink = ground + away[np.arange(len(away)), most]
    return Look(
        h, w, boxes["height"] * h, boxes["width"] * w, boxes["middle_row"] * h,
        boxes["middle_column"] * w, float(np.median(ground)), float(np.median(ink)),
    )  # fmt: skip


@dataclass(frozen=True)
class FrameMap:
    """The change that brings target images into the source's frame; call it on images.

    Parameters
    ----------
    source, target : Look
        How the two domains look.
    scale : float
        Factor on the size of target images, the same in both directions.
    gain, offset : float
        Intensities become ``gain * x + offset``.
    """

    source: Look
    target: Look
    scale: float = 1.0
    gain: float = 1.0
    offset: float = 0.0

    @property
    def changes(self) -> tuple[str, ...]:
        """What is done, in words; empty where the domains look alike."""
        before, now = self.source, self.target
        words = []
        if (before.height, before.width) != (now.height, now.width):
            words.append(
                f"canvas {now.height} x {now.width} to {before.height} x {before.width} pixels"
            )
        if self.scale != 1.0:
            words.append(f"size times {self.scale:.3g}")
        rows, columns = self._move()
        if rows or columns:
            words.append(f"moved by {rows} rows and {columns} columns")
        if self.gain < 0:
            words.append("light and dark exchanged")
        if (self.gain, self.offset) != (1.0, 0.0):
            words.append(f"intensities times {self.gain:.3g} plus {self.offset:.3g}")
        return tuple(words)

    def _sides(self) -> tuple[int, int]:
        """Return the target's sides after scaling."""
        sides = (self.target.height, self.target.width)
        return tuple(max(1, round(side * self.scale)) for side in sides)  # type: ignore[return-value]

    def _move(self) -> tuple[int, int]:
        """Return rows and columns by which the scaled image's corner moves in the canvas."""
        h, w = self._sides()
        row = self.source.middle_row - self.target.middle_row * h / self.target.height
        column = self.source.middle_column - self.target.middle_column * w / self.target.width
        alike = (
            abs(row) < ALIKE * self.source.height and abs(column) < ALIKE * self.source.width
        ) and (h, w) == (self.source.height, self.source.width)
        return (0, 0) if alike else (round(row), round(column))

    def __call__(self, images: Array) -> Array:
        """Return target images in the source's frame, shape (m, ..., h, w), of the same type.

        What is new at the edges has the intensity of the border.
        """
        sides = (self.target.height, self.target.width)
        if images.shape[-2:] != sides:
            raise InputError(
                f"this map was made for images of {sides[0]} x {sides[1]} pixels, got "
                f"{images.shape[-2]} x {images.shape[-1]}"
            )
        if not self.changes:
            return images
        work = np.result_type(images.dtype, np.float32)
        values = images.astype(work)
        h, w = self._sides()
        if (h, w) != sides:
            down = resize_matrix(sides[0], h).astype(work)  # (h, height)
            across = resize_matrix(sides[1], w).astype(work)  # (w, width)
            values = down @ (values @ across.T)
        shape = (*images.shape[:-2], self.source.height, self.source.width)
        canvas = np.full(shape, self.target.ground, dtype=work)
        rows, columns = self._move()
        there, here = _overlap(rows, h, shape[-2])
        there_w, here_w = _overlap(columns, w, shape[-1])
        canvas[..., there, there_w] = values[..., here, here_w]
        canvas = canvas * work.type(self.gain) + work.type(self.offset)
        if images.dtype == np.uint8:
            canvas = np.clip(np.rint(canvas), 0, 255)
        aligned: Array = canvas.astype(images.dtype)
        return aligned


def align_frames(source: Any, target: Any) -> FrameMap:
    """Return the map that brings target images into the source's frame.

    Use it before moving between data sets of images whose objects differ in size or place, or whose
    ground is dark on one side and light on the other: it is often worth more than any method.
    Do not use it where images have no object on a plain ground, such as photographs.

    The target's images are scaled by one factor for both directions and all images, so that
    objects have the source's size, and put into a canvas of the source's size with the objects
    where the source has them. They are padded, never stretched. Intensities are mapped linearly, so
    that ground and object have the source's. Sizes are medians over each domain; labels are not
    read. Differences below a twentieth of the frame or of the range are left.

    Parameters
    ----------
    source : array-like of shape (n, h, w) or (n, c, h, w)
        Images of the source.
    target : array-like of shape (m, h', w') or (m, c, h', w')
        Images of the target.

    Returns
    -------
    FrameMap
        Call it on target images, seen or not. ``changes`` says what it does.

    Raises
    ------
    InputError
        These are no images, or the numbers of channels differ.

    Examples
    --------
    >>> import numpy as np
    >>> source = np.zeros((5, 28, 28), np.uint8)
    >>> source[:, 4:24, 10:18] = 255
    >>> target = np.full((5, 16, 16), 255, np.uint8)
    >>> target[:, 3:13, 6:10] = 0
    >>> framed = align_frames(source, target)
    >>> framed.changes[1], framed.changes[3]
    ('size times 2', 'light and dark exchanged')
    >>> framed(target).shape, int(framed(target)[0, 14, 14]), int(framed(target)[0, 0, 0])
    ((5, 28, 28), 255, 0)
    """
    X, Z = np.asarray(source), np.asarray(target)
    for name, images in (("source", X), ("target", Z)):
        if images.ndim not in (3, 4) or 0 in images.shape:
            raise InputError(
                f"{name} must hold images of shape (n, h, w) or (n, c, h, w), got {images.shape}"
            )
        if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
            raise InputError(f"{name} must be uint8 or floating point, got {images.dtype}")
    if X.shape[1:-2] != Z.shape[1:-2]:
        raise InputError(
            f"source and target must have the same channels, got images of {X.shape[1:]} and "
            f"{Z.shape[1:]}"
        )
    before, now = look(X), look(Z)
    return FrameMap(before, now, _scale(before, now), *_intensities(before, now))


def _scale(before: Look, now: Look) -> float:
    """Return the factor that gives objects the source's size, 1 where they are alike."""
    ours, theirs = (max(side.box_height, side.box_width) for side in (before, now))
    if ours == 0.0 or theirs == 0.0:  # no object to go by
        return 1.0
    alike = abs(ours - theirs) < ALIKE * max(before.height, before.width)
    return 1.0 if alike else ours / theirs


def _intensities(before: Look, now: Look) -> tuple[float, float]:
    """Return gain and offset that map ground to ground and ink to ink."""
    ours, theirs = before.ink - before.ground, now.ink - now.ground
    if ours == 0.0 or theirs == 0.0:
        return 1.0, 0.0
    if max(abs(before.ink - now.ink), abs(before.ground - now.ground)) < ALIKE * abs(ours):
        return 1.0, 0.0
    gain = ours / theirs
    return gain, before.ground - gain * now.ground


def _overlap(start: int, size: int, room: int) -> tuple[slice, slice]:
    """Return where a part of ``size`` that begins at ``start`` lies in ``room``, and which part."""
    low, high = max(start, 0), min(start + size, room)
    return slice(low, max(low, high)), slice(low - start, max(low, high) - start)
