"""Pictures of one set: one array of one shape, what was left out, and one line that says it."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.datasets.spectrograms import COLUMNS
from acclimate.exceptions import AcclimateWarning, InputError
from acclimate.tables.picture_files import Picture, grey_of, read_picture, size_of
from acclimate.tables.pictures import RANGES, Pictures

_NAMED = 6  # files or sizes in a message
_LEFT_OUT = 100  # names of files that are left out


@dataclass(frozen=True, eq=False)
class PictureSet:
    """Pictures as an array.

    Parameters
    ----------
    X : uint8 ndarray of shape (n, h, w) or (n, 3, h, w)
        Grey or colour.
    kept : integer ndarray of shape (n,)
        Which of the files they are.
    how : Pictures
        How they were read, with all that was left open.
    notes : tuple of str
        What was done to them, in words.
    """

    X: NDArray[np.uint8]
    kept: NDArray[np.intp]
    how: Pictures
    notes: tuple[str, ...]


def read_set(files: Sequence[Path], names: Sequence[str], how: Pictures) -> PictureSet:
    """Read files as pictures of one shape.

    Parameters
    ----------
    files : sequence of Path
        The files, at least one.
    names : sequence of str
        What messages call them.
    how : Pictures
        How they are read.

    Raises
    ------
    InputError
        Some cannot be read, and ``how.skip_bad`` is False; or all of them; or they have not one
        size; or values lie above what is white. The message names the files and the way out.

    Warns
    -----
    AcclimateWarning
        Files were left out.
    """
    found: list[Picture] = []
    kept: list[int] = []
    bad: dict[str, str] = {}
    for number, (file, name) in enumerate(zip(files, names, strict=True)):
        try:
            picture = read_picture(file, how)
        except InputError as error:
            bad[name] = str(error)
            continue
        first = how.size or (found[0].size if found else picture.size)
        if picture.size != first and how.resize is None:
            raise _sizes(files, names, how, names[kept[0]] if found else name, name)
        found.append(picture)
        kept.append(number)
    tell_bad(bad, len(files), skip=how.skip_bad and bool(found))
    here = [names[number] for number in kept]
    white = _white(found, here, how)
    colour = any(one.values.ndim == 3 for one in found)
    notes = _notes(found, how, white, colour)
    settled = replace(
        how, size=found[0].values.shape[1::-1], white=white, of_another=True,
        colour=colour if how.colour is None else how.colour,
    )  # fmt: skip
    X = np.empty((len(found), *settled.shape), dtype=np.uint8)  # type: ignore[misc]
    paper = grey_of(how.background)
    for row, one in enumerate(found):
        X[row] = as_shape(_bytes(one.values, white, paper), bool(settled.colour))
    if bad:
        notes.append(f"{len(bad):,} unreadable left out")
    return PictureSet(X, np.array(kept), settled, tuple(notes))


def as_shape(values: NDArray[Any], colour: bool) -> NDArray[Any]:
    """Return a picture of shape (h, w) or (h, w, 3) as (3, h, w) in colour, as (h, w) in grey."""
    if colour:
        return np.broadcast_to(values[None], (3, *values.shape)) if values.ndim == 2 else (
            values.transpose(2, 0, 1)
        )  # fmt: skip
    if values.ndim == 2:
        return values
    from PIL import Image

    return np.asarray(Image.fromarray(values).convert("L"))


def like_rows(X: NDArray[Any], how: Pictures) -> NDArray[Any]:
    """Return pictures of an archive in the axes of those that are known, where only these differ.

    Channels last become channels first, an axis of one grey channel comes or goes, grey becomes
    colour. Anything else is left as it is.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
        Rows of an archive.
    how : Pictures
        Settings of a model or another set; nothing is done where they are not.
    """
    wanted, now = how.shape, X.shape[1:]
    if not how.of_another or wanted is None or now == wanted:
        return X
    h, w = wanted[-2:]
    if now in ((1, h, w), (h, w, 1)):
        X, now = X.reshape(len(X), h, w), (h, w)
    if now == (h, w) and how.colour:
        return np.repeat(X[:, None], 3, axis=1)
    if now == (h, w, 3) and how.colour:
        return np.ascontiguousarray(X.transpose(0, 3, 1, 2))
    return X


def sentence(
    labels: Any, labelled: Any, how: Pictures, number: int, notes: Sequence[str] = ()
) -> str:
    """Return what was read, in one line.

    Examples
    --------
    >>> how = Pictures(size=(64, 64), colour=True)
    >>> sentence(["cat", "dog"], None, how, 2, ["3 hidden left out"])
    '2 pictures of 2 classes, 64 x 64, colour; 3 hidden left out'
    >>> sentence(None, None, Pictures(size=(250, 80), sound=True), 1)
    '1 sound, 2.50 s'
    """
    some = labels if labelled is None or labels is None else labels[labelled]
    classes = 0 if some is None else len(set(map(str, some)))
    words = counted(number, "sound" if how.sound else "picture")
    if classes:
        words += f" of {counted(classes, 'class')}"
    if how.sound:
        words += f", {(how.size or (0,))[0] / COLUMNS:.2f} s"
    else:
        words += f", {_pixels(how.size)}, {'colour' if how.colour else 'grey'}"
    rest = 0 if labels is None or labelled is None else number - len(some)
    unlabelled = [f"{rest:,} without a label"] if rest else []
    return "; ".join([words, *unlabelled, *notes])


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, which takes -s or -es."""
    plural = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{plural}"


def listed(names: Sequence[str], most: int = _NAMED) -> str:
    """Return the first names, and how many there are more."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _pixels(size: tuple[int, int] | None) -> str:
    return " x ".join(map(str, size or ()))


def _bytes(values: NDArray[Any], white: int | None, paper: int) -> NDArray[np.uint8]:
    """Return values as uint8; those of a deep picture are scaled by what is white."""
    if values.dtype == np.uint8:
        return values
    scaled = np.where(np.isnan(values), paper, values * (255.0 / (white or RANGES[-1])))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _white(found: Sequence[Picture], names: Sequence[str], how: Pictures) -> int | None:
    """Return the value that is white in the deep pictures of a set."""
    tops = {name: one.top for one, name in zip(found, names, strict=True) if one.top is not None}
    if not tops:
        return how.white
    top = max(tops.values())
    if how.white is None and how.of_another:
        raise InputError(
            f"{counted(len(tops), 'picture')} ({listed(list(tops))}) have more than 8 bits, and "
            f"the model or the other set has none; say which value is white, 65535 or 4095: "
            f"Pictures(white=65535) (--white 65535)"
        )
    if how.white is None:
        return next(white for white in RANGES if top <= white)
    above = [f"{name} ({value})" for name, value in tops.items() if value > how.white]
    if above:
        raise InputError(
            f"{counted(len(above), 'picture')} hold values above {how.white}, which is white for "
            f"this set or model: {listed(above)}; say another with Pictures(white=65535) "
            f"(--white 65535)"
        )
    return how.white


def tell_bad(bad: dict[str, str], number: int, *, skip: bool, noun: str = "picture") -> None:
    """Raise or warn of files that cannot be read."""
    if not bad:
        return
    named = [f"{name} ({why})" for name, why in bad.items()]
    if skip:
        warnings.warn(
            f"{counted(len(bad), noun)} of {number:,} cannot be read and left out: "
            f"{listed(named, _LEFT_OUT)}",
            AcclimateWarning,
            stacklevel=4,
        )
        return
    way_out = "replace or remove them"
    if len(bad) < number:
        way_out += ", or leave them out with Pictures(skip_bad=True) (--skip-bad)"
    raise InputError(
        f"{counted(len(bad), noun)} of {number:,} cannot be read: {listed(named)}; {way_out}"
    )


def _sizes(
    files: Sequence[Path], names: Sequence[str], how: Pictures, first: str, other: str
) -> InputError:
    """Return the error of pictures that have not one size, with all sizes found."""
    sizes = {name: size_of(file) for name, file in zip(names, files, strict=True)}
    counts = Counter(size for size in sizes.values() if size is not None)
    shown = listed([f"{_pixels(size)} ({n:,})" for size, n in counts.most_common()])
    if how.size is not None:
        odd = next(name for name, size in sizes.items() if size not in (None, how.size))
        return InputError(
            f"all pictures must have one size: {odd} is {_pixels(sizes[odd])} pixels, and those of "
            f"the model or the other set {_pixels(how.size)}; found {shown}. To bring them to it: "
            f"Pictures(resize='crop') (--resize crop), or pad or stretch"
        )
    return InputError(
        f"all pictures must have one size: {first} is {_pixels(sizes[first])} pixels, {other} is "
        f"{_pixels(sizes[other])}; found {shown}. To bring them to one: Pictures(size=96) "
        f"(--image-size 96, with --resize crop, pad or stretch)"
    )


def _notes(found: Sequence[Picture], how: Pictures, white: int | None, colour: bool) -> list[str]:
    """Return what was done to pictures, in words."""
    notes = []
    sizes = {one.size for one in found}
    if how.resize is not None and sizes != {how.size}:
        least, most = (pick(sizes, key=lambda size: size[0] * size[1]) for pick in (min, max))
        word = {"crop": "cropped", "pad": "padded", "stretch": "stretched"}[how.resize]
        span = _pixels(least) if least == most else f"{_pixels(least)} to {_pixels(most)}"
        notes.append(f"{word} from {span}")
    if any(one.top is not None for one in found):
        notes.append(f"more than 8 bits, {white} is white")
    if colour and how.colour is False:
        notes.append("colours read as grey")
    if how.colour and not colour:
        notes.append("grey read as colour")
    several = sum(one.frames for one in found)
    if several:
        notes.append(f"{several:,} of several frames, of which the first is read")
    return notes
