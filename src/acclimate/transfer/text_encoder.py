"""`TextEncoder`: features of texts by a model that stands still, as a step of preprocessing."""

from __future__ import annotations

from numbers import Integral, Number
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from acclimate._version import __version__
from acclimate.datasets.feature_rows import kept_features
from acclimate.exceptions import InputError
from acclimate.settings import Constraints, OneOf, check_settings
from acclimate.training.device import find_device
from acclimate.transfer.sentence_models import SOURCES, available, embed

Features = NDArray[np.float32]
_SHOWN = 40  # characters of a cell in a message


class TextEncoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Replace texts by the features that a pretrained model makes of them.

    Use it as ``preprocess=`` of any method where the rows are texts, or as ``encoder=`` of a
    `TabularPreprocessor` where a column is, above all where words differ between the domains or
    labels are few: texts that mean the same lie near each other without a word in common. Do not
    use it where the words themselves decide, such as codes and names, where texts are in another
    language than English, or where there are labels enough for TF-IDF; `acclimate.rank` tells,
    with TF-IDF and the same model with random weights beside it.

    Computes the mean over the tokens of the model's last layer, of length 1. Nothing is learnt.
    Features are kept by the content of the texts and by the model, for all folds, candidates and
    commands.

    Parameters
    ----------
    model : {"minilm", "wordllama"}, default="minilm"
        Where the features come from (extra ``text``). "minilm" is all-MiniLM-L6-v2: 384 features of
        a transformer of six layers, about 7 ms a text on one core of a CPU. "wordllama" is the
        mean of one fixed vector a word: 256 features, a hundred times faster, blind to the order of
        words.
    length : int in [8, 512], default=None
        Tokens of a text that are read; a word is one to three. What comes after them is not read.
        None is 256 for "minilm", and all for "wordllama".
    device : str, default="auto"
        "auto" uses a GPU where there is one.
    cache : bool, default=True
        Whether features are kept on disk, at most 512 MB in the folder of
        `acclimate.datasets.data_home`. A loaded model has it off.

    Attributes
    ----------
    mark_ : str
        What tells the model's weights from others.
    n_features_in_ : int
        1: the column of texts.

    Raises
    ------
    InputError
        A value cannot be used, or a cell is no text.
    MissingExtraError
        The extra ``text`` is not installed.

    Notes
    -----
    A missing text is read as an empty one. A saved method names the model and does not hold its
    weights, which are those of the package; nothing is downloaded when it runs.
    Figures equal those of the package sentence-transformers to 1e-6, in whatever order and company
    texts come: those with equally many tokens are computed together, so nothing is padded.

    References
    ----------
    Reimers and Gurevych, "Sentence-BERT: sentence embeddings using Siamese BERT-networks",
    arXiv:1908.10084.

    Examples
    --------
    >>> from acclimate import TextEncoder
    >>> TextEncoder("wordllama")
    TextEncoder(model='wordllama')
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "model": [OneOf(*SOURCES)],
        "length": [Interval(Integral, 8, 512, closed="both"), None],
        "device": [str],
        "cache": ["boolean"],
    }
    _twin: int | None = None  # seed of random weights, in a twin

    def __init__(
        self,
        model: str = "minilm",
        *,
        length: int | None = None,
        device: str = "auto",
        cache: bool = True,
    ) -> None:
        self.model = model
        self.length = length
        self.device = device
        self.cache = cache

    def fit(self, X: Any, y: Any = None) -> Self:
        """Look for the model; of the texts, only whether they are texts is looked at.

        Parameters
        ----------
        X : array-like of shape (n,) or (n, 1), Series, or data frame of one column
            Texts.
        y : object, default=None
            Ignored.
        """
        check_settings(self)
        find_device(self.device)
        available(self.model)
        as_texts(X)
        self.mark_ = SOURCES[self.model].mark
        self.n_features_in_ = 1
        self._n_features_out = SOURCES[self.model].width
        return self

    def transform(self, X: Any) -> Features:
        """Return features, shape (m, d).

        Parameters
        ----------
        X : array-like of shape (m,) or (m, 1), Series, or data frame of one column
            Texts.
        """
        check_is_fitted(self, "mark_")
        texts = as_texts(X)
        source = SOURCES[self.model]
        if source.mark != self.mark_:
            raise InputError(
                f"it was fitted with other weights of {self.model} than those of "
                f"{source.package}; fit it again, or use the version of acclimate that made it"
            )
        if not len(texts):
            return np.empty((0, source.width), dtype=np.float32)
        twin = self._twin
        length = self.length or source.tokens
        where = find_device(self.device).type
        different, places = np.unique(texts, return_inverse=True)
        found = kept_features(
            f"{__version__} {where} {self.model} {self.mark_} {length} {twin}", different,
            lambda part: embed(self.model, part.tolist(), length, self.device, twin),
            disk=self.cache,
        )  # fmt: skip
        return found[places]

    def random_twin(self, seed: int) -> Self:
        """Return the same model with random weights, fitted: what a comparison with it is against.

        Parameters
        ----------
        seed : int
            Seeds the weights.
        """
        check_is_fitted(self, "mark_")
        twin: Self = clone(self)
        twin.mark_, twin.n_features_in_ = self.mark_, 1
        twin._n_features_out, twin._twin = self._n_features_out, seed
        return twin

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        tags.input_tags.one_d_array = True
        tags.requires_fit = True
        return tags


def as_texts(X: Any) -> NDArray[np.object_]:
    """Return texts of shape (n,), a missing one as the empty one.

    Parameters
    ----------
    X : array-like of shape (n,) or (n, 1), Series, or data frame of one column

    Raises
    ------
    InputError
        There are several columns, or a cell is no text; the message shows it.

    Examples
    --------
    >>> as_texts([["good"], [None], ["bad"]]).tolist()
    ['good', '', 'bad']
    """
    if isinstance(X, str):
        raise InputError(f"texts come as a list or a column, got one text, {X[:_SHOWN]!r}")
    names = list(getattr(X, "columns", ()))
    cells = np.asarray(X.astype(object) if hasattr(X, "astype") else X, dtype=object)
    if cells.ndim == 2 and cells.shape[1] == 1:
        cells = cells[:, 0]
    if cells.ndim != 1:
        what = f"the columns {names[:8]}" if names else f"the shape {cells.shape}"
        raise InputError(
            f"TextEncoder reads one column of texts, got {what}; for a table, use "
            f"TabularPreprocessor(encoder=TextEncoder())"
        )
    texts = np.empty(len(cells), dtype=object)
    for i, cell in enumerate(cells.tolist()):
        if isinstance(cell, str):
            texts[i] = cell
        elif cell is None or _is_gap(cell):
            texts[i] = ""
        else:
            raise InputError(
                f"row {i} holds {str(cell)[:_SHOWN]!r}, of type {type(cell).__name__}, which is no "
                f"text; make texts of the column first, as with column.astype(str)"
            )
    return texts


def _is_gap(cell: Any) -> bool:
    if type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(cell, Number) and bool(cell != cell)  # an array would compare its items
