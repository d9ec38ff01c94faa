"""What a loaded data set looks like, and what is known about it before it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from acclimate.exceptions import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class DatasetInfo:
    """Describe a data set without loading it.

    Parameters
    ----------
    name : str
        What `load` takes.
    title : str
        Full name.
    kind : {"image", "tabular", "text", "sound", "paired"}
        Images are arrays of pixels, tables have named columns, texts are strings, sounds are
        waveforms; paired are the same things in several of these.
    task : {"classification", "regression", "retrieval"}
        What is predicted; by retrieval, which item belongs to another.
    rows : int
        Number of rows, all splits together.
    licence : str
        Terms of use, as stated by those who published the data.
    citation : str
        What to cite.
    found : str
        Where `load` looks for it.
    """

    name: str
    title: str
    kind: Literal["image", "tabular", "text", "sound", "paired"]
    task: Literal["classification", "regression", "retrieval"]
    rows: int
    licence: str
    citation: str
    found: str


@dataclass(frozen=True, eq=False)
class Dataset:
    """Hold a data set that comes with a training part and a test part.

    Parameters
    ----------
    X_train, X_test : ndarray of uint8
        Inputs, shape (n, height, width), (n, 3, height, width) or (n, features). What is cached as
        it is opens as memory maps; writing to them changes memory only, never the cache.
    y_train, y_test : ndarray of int64, shape (n,)
        Labels, indices into `class_names`.
    class_names : tuple of str or None
        Name of each class.
    info : DatasetInfo
        Licence, citation and origin.
    split : str
        Which split this is, in words.
    """

    X_train: np.ndarray[Any, Any]
    y_train: np.ndarray[Any, Any]
    X_test: np.ndarray[Any, Any]
    y_test: np.ndarray[Any, Any]
    class_names: tuple[str, ...] | None
    info: DatasetInfo
    split: str


class _ByDomain:
    """What data sets share that say of each row where it comes from."""

    info: DatasetInfo
    domain: np.ndarray[Any, Any] | None

    def domain_names(self) -> list[str]:
        """Return the names of the domains, sorted; empty where there are none."""
        return [] if self.domain is None else sorted({str(d) for d in self.domain})

    def _rows_of(self, name: str) -> np.ndarray[Any, Any]:
        """Return a mask of the rows of one domain, shape (n,)."""
        if self.domain is None or name not in self.domain_names():
            raise InputError(
                f"{self.info.name} has no domain {name!r}; choose from {self.domain_names()}."
            )
        mask: np.ndarray[Any, Any] = self.domain == name
        return mask


@dataclass(frozen=True, eq=False)
class TabularDataset(_ByDomain):
    """Hold a table that has no official split into training and test rows.

    Parameters
    ----------
    X : DataFrame, shape (n, features)
        Inputs. Missing values are NaN.
    y : ndarray, shape (n,)
        int64 labels (classification) or float64 values (regression).
    domain : ndarray of str, shape (n,), or None
        Where each row comes from, such as the hospital.
    class_names : tuple of str or None
        Name of each class; None for regression.
    info : DatasetInfo
        Licence, citation and origin.
    split : str
        How the rows are divided, in words.
    target_name : str
        What `y` measures.
    domain_name : str or None
        What `domain` tells apart, such as ``"hospital"``.
    """

    X: pd.DataFrame
    y: np.ndarray[Any, Any]
    domain: np.ndarray[Any, Any] | None
    class_names: tuple[str, ...] | None
    info: DatasetInfo
    split: str
    target_name: str
    domain_name: str | None = None

    def domain_rows(self, name: str) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
        """Return the rows of one domain.

        Parameters
        ----------
        name : str
            A name out of `domain_names`.

        Returns
        -------
        X : DataFrame, shape (rows of the domain, features)
        y : ndarray, shape (rows of the domain,)

        Raises
        ------
        InputError
            The data set has no such domain.
        """
        rows = self._rows_of(name)
        return self.X[rows].reset_index(drop=True), self.y[rows]

    def frame(self) -> pd.DataFrame:
        """Return one table: the inputs, the domain column and the target column."""
        extra: dict[str, Any] = {self.target_name: self.y}
        if self.domain is not None:
            extra = {self.domain_name or "domain": self.domain, **extra}
        return self.X.assign(**extra)


@dataclass(frozen=True, eq=False)
class TextDataset(_ByDomain):
    """Hold short texts of several domains.

    Parameters
    ----------
    X : ndarray of object, shape (n,)
        Texts, each a str.
    y : ndarray of int64, shape (n,)
        Labels, indices into `class_names`.
    domain : ndarray of str, shape (n,)
        Where each text comes from.
    class_names : tuple of str
        Name of each class.
    info : DatasetInfo
        Licence, citation and origin.
    split : str
        How the rows are divided, in words.
    """

    X: np.ndarray[Any, Any]
    y: np.ndarray[Any, Any]
    domain: np.ndarray[Any, Any]
    class_names: tuple[str, ...]
    info: DatasetInfo
    split: str

    def domain_rows(self, name: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return the texts of one domain.

        Parameters
        ----------
        name : str
            A name out of `domain_names`.

        Returns
        -------
        X : ndarray of object, shape (rows of the domain,)
        y : ndarray of int64, shape (rows of the domain,)

        Raises
        ------
        InputError
            The data set has no such domain.
        """
        rows = self._rows_of(name)
        return self.X[rows], self.y[rows]


@dataclass(frozen=True, eq=False)
class SoundDataset(_ByDomain):
    """Hold short sounds of several domains.

    Parameters
    ----------
    X : ndarray of object, shape (n,)
        Waveforms, each a float32 array in [-1, 1] of shape (samples,), one channel.
    y : ndarray of int64, shape (n,)
        Labels, indices into `class_names`.
    domain : ndarray of str, shape (n,)
        Where each sound comes from, such as its speaker.
    class_names : tuple of str
        Name of each class.
    info : DatasetInfo
        Licence, citation and origin.
    split : str
        How the rows are divided, in words.
    rate : int
        Samples of a second.
    """

    X: np.ndarray[Any, Any]
    y: np.ndarray[Any, Any]
    domain: np.ndarray[Any, Any]
    class_names: tuple[str, ...]
    info: DatasetInfo
    split: str
    rate: int

    def domain_rows(self, name: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return the waveforms of one domain.

        Parameters
        ----------
        name : str
            A name out of `domain_names`.

        Returns
        -------
        X : ndarray of object, shape (rows of the domain,)
        y : ndarray of int64, shape (rows of the domain,)

        Raises
        ------
        InputError
            The data set has no such domain.
        """
        rows = self._rows_of(name)
        return self.X[rows], self.y[rows]
