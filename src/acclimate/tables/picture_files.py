"""One picture: upright, on a background, of the size that is asked for, and why it cannot be."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acclimate.exceptions import InputError
from acclimate.files import is_special
from acclimate.tables.pictures import RANGES, Pictures

ENDINGS = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".webp", ".bmp", ".gif")
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF")  # no other decoder sees a file
_DEEP = ("I", "I;16", "I;16L", "I;16B", "I;16N")
_GREY = ("1", "L", "LA", "La")
_CLEAR = ("LA", "La", "PA", "RGBA", "RGBa")


@dataclass(frozen=True, eq=False)
class Picture:
    """What was read of one file.

    Parameters
    ----------
    values : ndarray of shape (h, w) or (h, w, 3)
        uint8; float32 where the file has more than 8 bits, with NaN where it was padded.
    size : (int, int)
        Width and height in the file, upright.
    top : int or None
        The largest value, where the file has more than 8 bits.
    frames : bool
        Whether the file has more than one frame or page, of which this is the first.
    """

    values: NDArray[Any]
    size: tuple[int, int]
    top: int | None
    frames: bool


def is_picture(name: str) -> bool:
    """Tell by its name whether a file is a picture that can be read."""
    return name.lower().endswith(ENDINGS)


def read_picture(path: Path, how: Pictures) -> Picture:
    """Read one picture.

    Parameters
    ----------
    path : Path
        The file.
    how : Pictures
        Size and background. A picture of another size stays as it is where ``resize`` is None.

    Raises
    ------
    InputError
        It cannot be read; the message says why and not which file.
    """
    with _opened(path) as picture:
        full = _early_size(picture)
        if full is not None and how.size is not None and how.resize is not None:
            picture.draft(None, (2 * max(how.size), 2 * max(how.size)))  # a JPEG is decoded smaller
        several = getattr(picture, "is_animated", False) and picture.format != "MPO"
        upright = _upright(picture)
        plain, top = _plain(upright, how.background)
        if how.size is not None and how.resize is not None and plain.size != how.size:
            plain = _fitted(plain, how.size, how)
        return Picture(np.array(plain), full or upright.size, top, bool(several))


def size_of(path: Path) -> tuple[int, int] | None:
    """Return width and height of a picture, upright; None where it cannot be read."""
    try:
        with _opened(path) as picture:
            return _early_size(picture) or _upright(picture).size
    except InputError:
        return None


def _early_size(picture: Any) -> tuple[int, int] | None:
    """Return width and height, upright, where they are known before a picture is decoded."""
    from PIL import ExifTags

    if picture.format not in ("JPEG", "MPO", "GIF", "BMP"):
        return None
    turn = 1
    with contextlib.suppress(Exception):  # a damaged EXIF says nothing
        turn = picture.getexif().get(ExifTags.Base.Orientation, 1)
    width, height = picture.size
    return (height, width) if turn in (5, 6, 7, 8) else (width, height)


def check_there(path: Path) -> None:
    """Raise `InputError` where a path is no file with something in it."""
    if is_special(path):
        raise InputError("a device or a pipe; write its content to a file first")
    if not path.is_file():
        raise InputError("there is no such file")
    if not path.stat().st_size:
        raise InputError("empty")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a picture; whatever a decoder makes of a damaged file is an `InputError`."""
    from PIL import Image, UnidentifiedImageError

    try:
        check_there(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # as a stream: by its name, Pillow maps a TIFF into memory and turns it wrongly
            with path.open("rb") as file, Image.open(file, formats=_FORMATS) as picture:
                yield picture
    except InputError:
        raise
    except MemoryError:  # a damaged file may ask for any length
        raise InputError("damaged, or larger than the memory") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise InputError(
            f"more than {Image.MAX_IMAGE_PIXELS or 0:,} pixels; make it smaller first"
        ) from None
    except PermissionError:
        raise InputError("permission denied") from None
    except UnidentifiedImageError:
        raise InputError("no picture of a known format, or damaged at its start") from None
    except Exception as error:  # decoders raise anything at a file that is cut off or damaged
        words = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"damaged: {words}") from error


def _upright(picture: Any) -> Any:
    """Return a picture as its EXIF says it is held; a damaged EXIF says nothing."""
    from PIL import ImageOps

    picture.load()
    with contextlib.suppress(Exception):
        return ImageOps.exif_transpose(picture)
    return picture


def _plain(picture: Any, background: tuple[int, int, int]) -> tuple[Any, int | None]:
    """Return a picture in grey, colour or float32, and its largest value where it is deep."""
    from PIL import Image

    clear = "transparency" in picture.info or picture.mode in _CLEAR
    if picture.mode in _DEEP:
        return _deep(picture, clear)
    if picture.mode == "F":
        raise InputError("holds floats; convert it to 8 or 16 bits, or keep the arrays as NPZ")
    grey = picture.mode in _GREY and len(set(background)) == 1
    if clear:
        if picture.mode == "La":
            picture = picture.convert("LA")
        paper = Image.new("RGBA", picture.size, (*background, 255))
        laid = Image.alpha_composite(paper, picture.convert("RGBA")).convert("RGB")
        return laid.convert("L") if grey else laid, None
    if picture.mode in ("1", "L"):
        return picture.convert("L"), None
    colour = picture.convert("RGB")
    if picture.mode == "P":  # a palette of greys is grey
        values = np.asarray(colour)
        if (values == values[..., :1]).all():
            colour = colour.convert("L")
    return colour, None


def _deep(picture: Any, clear: bool) -> tuple[Any, int]:
    """Return a grey picture of 9 to 16 bits in float32, and its largest value."""
    from PIL import Image

    if clear:
        raise InputError("16 bits with a transparent value; convert it to 8 bits")
    values = np.asarray(picture)
    low, top = int(values.min()), int(values.max())
    if low < 0 or top > RANGES[-1]:
        raise InputError(f"holds values from {low} to {top}; convert it to 8 or 16 bits")
    return Image.fromarray(values.astype(np.float32)), top


def _fitted(picture: Any, size: tuple[int, int], how: Pictures) -> Any:
    """Return a picture in a size."""
    from PIL import Image, ImageOps

    smooth = Image.Resampling.BILINEAR  # never leaves the range of the values
    if how.resize == "stretch":
        return picture.resize(size, smooth)
    if how.resize == "crop":
        return ImageOps.fit(picture, size, smooth)
    paper: Any = how.background
    if picture.mode == "F":
        paper = float("nan")  # until it is known what white is
    elif picture.mode == "L":
        paper = grey_of(how.background)
    return ImageOps.pad(picture, size, smooth, color=paper)


def grey_of(colour: tuple[int, int, int]) -> int:
    """Return the grey of a colour, as Pillow weighs it."""
    from PIL import Image

    return int(np.asarray(Image.new("RGB", (1, 1), colour).convert("L"))[0, 0])
