"""`Pictures`: how pictures and sounds are read, as a user says it and as a model keeps it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from acclimate.exceptions import InputError

RESIZE = ("crop", "pad", "stretch")
LARGEST = 8192  # pixels of a side
SECONDS = (0.16, 600.0)  # of sounds
RANGES = (4095, 65535)  # of pictures of 12 and of 16 bits
PAPER = (255, 255, 255)


@dataclass(frozen=True)
class Pictures:
    """Say how pictures and sounds become arrays of one shape.

    Use it with `read` and `predict_file`, where pictures differ in size or are to be grey, or
    sounds are long. A sound becomes a grey picture, 80 bands high with 100 columns a second. What
    is left open follows the pictures that are read, and a model keeps what came out, so that
    pictures that come later are read the same way.

    Parameters
    ----------
    size : int, (int, int) or str, default=None
        Width and height in pixels, 1 to 8192; one number is both, a text is "96" or "96x64". None
        takes pictures as they are, and all must have one size.
    resize : {"crop", "pad", "stretch"}, default=None
        How pictures of another size or shape are brought to ``size``: "crop" scales and cuts the
        longer side at both ends, "pad" scales and lays on the background, "stretch" changes the
        proportions. None means "crop" where ``size`` is given.
    colour : bool, default=None
        True for three channels, False for grey. None means colour where one picture has it.
    background : str or (int, int, int), default=(255, 255, 255)
        What lies behind pixels that are transparent and around padded pictures: a name or a code
        such as "black" or "#ffeedd".
    white : int, default=None
        The value that is white in grey pictures of more than 8 bits, 1 to 65535. None means 4095
        where none of the pictures has a value above it, and 65535 otherwise.
    seconds : float, default=None
        How long sounds are, 0.16 to 600: longer ones are cut, shorter ones end in silence. None
        means the longest rounded up to 0.5, 1, 1.5, 2, 3, 5, 10, 20 or 30.
    skip_bad : bool, default=False
        Whether files that cannot be read are left out, with a warning, and are no error.
    of_another : bool, default=False
        Whether these are the settings of a model or of another set, which are not to be changed.
    sound : bool, default=False
        Whether the files are sounds; found by what there is where it is left out.

    Raises
    ------
    InputError
        A value cannot be used.

    Examples
    --------
    >>> Pictures(size="96x64", resize="pad").size
    (96, 64)
    """

    size: tuple[int, int] | None = None
    resize: str | None = None
    colour: bool | None = None
    background: tuple[int, int, int] = PAPER
    white: int | None = None
    skip_bad: bool = False
    of_another: bool = False
    seconds: float | None = None
    sound: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", _size(self.size))
        object.__setattr__(self, "background", _background(self.background))
        if self.resize not in (None, *RESIZE):
            raise InputError(f"resize must be one of {', '.join(RESIZE)}, got {self.resize!r}")
        if self.colour not in (None, True, False):
            raise InputError(f"colour must be True, False or None, got {self.colour!r}")
        if self.white is not None and not (
            isinstance(self.white, int) and 1 <= self.white <= RANGES[-1]
        ):
            raise InputError(f"white must be a whole number from 1 to 65535, got {self.white!r}")
        if self.seconds is not None and not SECONDS[0] <= self.seconds <= SECONDS[1]:
            raise InputError(
                f"the seconds of sounds must be between {SECONDS[0]} and {SECONDS[1]:g}, got "
                f"{self.seconds!r}"
            )
        if self.size is not None and self.resize is None and not self.of_another:
            object.__setattr__(self, "resize", RESIZE[0])

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of one row, (height, width) or (3, height, width), where it is known."""
        if self.size is None or self.colour is None:
            return None
        return ((3,) if self.colour else ()) + self.size[::-1]

    def like(self, known: Pictures | None) -> Pictures:
        """Return the settings of a model or another set, with what may differ from file to file."""
        if known is None:
            return self
        return replace(
            known, resize=self.resize or known.resize, white=self.white or known.white,
            skip_bad=self.skip_bad, of_another=True,
        )  # fmt: skip

    def noted(self) -> dict[str, Any]:
        """Return what pictures that come later need, as plain values; empty where there is none."""
        if self.size is None:
            return {}
        if self.sound:
            return {"size": list(self.size), "colour": False, "sound": True}
        return {
            "size": list(self.size), "resize": self.resize, "colour": self.colour,
            "background": list(self.background), "white": self.white,
        }  # fmt: skip


def noted_or_of_shape(noted: Any, shape: Any) -> Pictures | None:
    """Return the settings that a model was read with; None where it knows no pictures.

    Parameters
    ----------
    noted : mapping or None
        What `Pictures.noted` returned. Models that were fitted on arrays have none.
    shape : tuple of int or None
        The shape of the rows that it was fitted on.

    Examples
    --------
    >>> noted_or_of_shape(None, (3, 64, 48)).size
    (48, 64)
    """
    if isinstance(noted, Mapping) and noted.get("size"):
        names = ("size", "resize", "colour", "background", "white", "sound")
        return Pictures(**{n: noted[n] for n in names if n in noted}, of_another=True)
    sides = tuple(shape or ())
    if len(sides) not in (2, 3) or (len(sides) == 3 and sides[0] != 3) or max(sides) > LARGEST:
        return None
    return Pictures(size=sides[:-3:-1], colour=len(sides) == 3, of_another=True)


def of_words(
    size: str | None = None,
    resize: str | None = None,
    grey: bool = False,
    colour: bool = False,
    background: str | None = None,
    white: str | int | None = None,
    skip_bad: bool = False,
    seconds: str | float | None = None,
) -> Pictures:
    """Return the options of the command line as settings."""
    if grey and colour:
        raise InputError("pictures are read either with --grey or with --colour; leave out one")
    if isinstance(white, str):
        white = int(white) if white.isascii() and white.isdigit() else -1
    return Pictures(
        size,  # type: ignore[arg-type]
        resize, False if grey else True if colour else None,
        PAPER if background is None else background,  # type: ignore[arg-type]
        white, bool(skip_bad), seconds=_seconds(seconds),
    )  # fmt: skip


def _seconds(given: Any) -> float | None:
    """Return seconds of what a user wrote."""
    if given is None:
        return None
    try:
        return float(given)
    except ValueError:
        raise InputError(f"--seconds takes a number such as 2.5, got {given!r}") from None


def _size(given: Any) -> tuple[int, int] | None:
    """Return width and height of what a user calls a size."""
    if given is None:
        return None
    sides: Any = given
    if isinstance(given, str):
        found = re.fullmatch(r"\s*([0-9]{1,5})\s*(?:[xX×]\s*([0-9]{1,5})\s*)?", given)
        sides = [int(side) for side in found.groups() if side] if found else []
    elif not isinstance(given, list | tuple):
        sides = [given]
    whole = all(isinstance(side, int) and not isinstance(side, bool) for side in sides)
    if not whole or len(sides) not in (1, 2) or not all(1 <= side <= LARGEST for side in sides):
        raise InputError(
            f"the size of pictures must be one number of pixels or two, as 96 or 96x64, each from "
            f"1 to {LARGEST}; got {given!r}"
        )
    return int(sides[0]), int(sides[-1])


def _background(given: Any) -> tuple[int, int, int]:
    """Return red, green and blue of a colour."""
    levels = given
    if isinstance(given, str):
        from PIL import ImageColor

        try:
            levels = ImageColor.getrgb(given)
        except ValueError:
            levels = ()
    if (
        not isinstance(levels, list | tuple)
        or len(levels) != 3
        or not all(isinstance(level, int) and 0 <= level <= 255 for level in levels)
    ):
        raise InputError(
            f"the background must be a colour such as white, black or #ffeedd, got {given!r}"
        )
    return int(levels[0]), int(levels[1]), int(levels[2])
