"""`PairedDataset`: the same things as pictures, as captions and as speech."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from acclimate.datasets._types import DatasetInfo
from acclimate.datasets.waveforms import RATE, decoded, resampled
from acclimate.exceptions import InputError, IntegrityError

if TYPE_CHECKING:
    import numpy as np

    from acclimate.datasets.cache import Arrays


@dataclass(frozen=True, eq=False)
class PairedDataset:
    """Hold pictures, each with captions in many languages and with spoken ones in some.

    Parameters
    ----------
    names : ndarray of str, shape (n,)
        Path of each picture without its ending.
    category : ndarray of str, shape (n,)
        The folder it lies in, the outermost one.
    info : DatasetInfo
        Licence, citation and origin.
    split : str
        How the rows are divided, in words.
    texts : mapping from str to ndarray of object
        By language, the captions of all pictures, shape (n,); empty where there is none.
    files : mapping from str to dict of int to bytes
        By language, the files of sound by row.
    coded : tuple of bytes
        The files of the pictures.
    """

    names: np.ndarray[Any, Any]
    category: np.ndarray[Any, Any]
    info: DatasetInfo
    split: str
    texts: Mapping[str, np.ndarray[Any, Any]]
    files: Mapping[str, Mapping[int, bytes]]
    coded: tuple[bytes, ...]

    def languages(self) -> list[str]:
        """Return the codes of the languages that captions are in, sorted."""
        return sorted(self.texts)

    def spoken_languages(self) -> list[str]:
        """Return the codes of the languages that are spoken, sorted."""
        return sorted(self.files)

    def captions(self, language: str = "en") -> np.ndarray[Any, Any]:
        """Return the captions in one language.

        Parameters
        ----------
        language : str, default="en"
            One of `languages`.

        Returns
        -------
        ndarray of object, shape (n,)
            Texts, each a str; empty where a picture has none in this language.

        Raises
        ------
        InputError
            There is no such language.
        """
        found: np.ndarray[Any, Any] = self._of(language, self.texts)
        return found.copy()

    def pictures(self, size: int = 128) -> np.ndarray[Any, Any]:
        """Return the pictures on white, each fitted into a square with its proportions kept.

        Parameters
        ----------
        size : int, default=128
            Side of the square in pixels, at least 8.

        Returns
        -------
        ndarray of uint8, shape (n, 3, size, size)
        """
        import numpy as np

        if size < 8:
            raise InputError(f"size must be at least 8 pixels, got {size}")
        X = np.full((len(self.coded), 3, size, size), 255, dtype=np.uint8)
        for row, data in enumerate(self.coded):
            pixels = _on_white(data, size)  # (h, w, 3)
            top, left = ((size - side) // 2 for side in pixels.shape[:2])
            h, w = pixels.shape[:2]
            X[row, :, top : top + h, left : left + w] = pixels.transpose(2, 0, 1)
        return X

    def speech(
        self, language: str = "en", *, rate: int = RATE
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return what is said of pictures in one language, and of which.

        Parameters
        ----------
        language : str, default="en"
            One of `spoken_languages`.
        rate : int, default=16000
            Samples of a second.

        Returns
        -------
        rows : ndarray of int64, shape (m,)
            Which pictures have speech in this language.
        waveforms : ndarray of object, shape (m,)
            Each a float32 array in [-1, 1] of shape (samples,), one channel.

        Raises
        ------
        InputError
            There is no such language.
        MissingExtraError
            The extra ``audio`` is not installed.
        """
        import numpy as np

        files = self._of(language, self.files)
        rows = np.array(sorted(files), dtype=np.int64)
        waveforms = np.empty(len(rows), dtype=object)
        for place, row in enumerate(rows.tolist()):
            samples, found, _ = decoded(io.BytesIO(files[row]))
            waveforms[place] = resampled(samples, found, rate)
        return rows, waveforms

    def _of(self, language: str, where: Mapping[str, Any]) -> Any:
        if language not in where:
            raise InputError(
                f"{self.info.name} has no {language!r} here; choose from {sorted(where)}"
            )
        return where[language]


def _on_white(data: bytes, size: int) -> np.ndarray[Any, Any]:
    """Return a PNG on white as pixels of shape (h, w, 3), its longer side ``size`` long."""
    import numpy as np
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
            clear = picture.convert("RGBA")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise IntegrityError(f"a picture cannot be read: {error}") from error
    paper = Image.new("RGBA", clear.size, "white")
    plain = Image.alpha_composite(paper, clear).convert("RGB")
    longer = max(plain.size)
    sides = [max(1, round(side * size / longer)) for side in plain.size]
    return np.asarray(plain.resize((sides[0], sides[1]), Image.Resampling.LANCZOS))


def joined(files: Mapping[str, bytes], prefix: str) -> Arrays:
    """Return files as arrays that the cache holds: their bytes, their sizes, their names."""
    import numpy as np

    return {
        prefix: np.frombuffer(b"".join(files.values()), np.uint8),
        f"{prefix}_size": np.array([len(data) for data in files.values()], dtype=np.float64),
        f"{prefix}_name": np.frombuffer("\n".join(files).encode(), np.uint8),
    }


def parted(arrays: Arrays, prefix: str) -> dict[str, bytes]:
    """Return the files of `joined` by name."""
    import numpy as np

    names = arrays[f"{prefix}_name"].tobytes().decode().split("\n")
    ends = np.cumsum(arrays[f"{prefix}_size"]).astype(np.int64)
    starts = ends - arrays[f"{prefix}_size"].astype(np.int64)
    data = arrays[prefix]
    return {
        name: data[start:end].tobytes()
        for name, start, end in zip(names, starts.tolist(), ends.tolist(), strict=True)
    }
