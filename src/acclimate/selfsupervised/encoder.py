"""`Encoder`: a body that was trained without labels, for every method to start from."""

from __future__ import annotations

import copy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone
from torch import nn

from acclimate.base.estimator import NeuralEstimator
from acclimate.exceptions import InputError
from acclimate.training.device import find_device, seeded
from acclimate.training.features import body_features
from acclimate.training.network import Network, he
from acclimate.training.terms import History


class Encoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What `pretrain` returns: rows to features, learnt without labels.

    Use it where a network of random weights would start: ``NeuralClassifier(encoder)`` puts a new
    head on its body, in every method that trains a network; ``FineTune(...).begin(encoder)`` takes
    it for a source without labels, with every strategy; ``preprocess=encoder`` and
    ``FrozenBody(encoder)`` give its features to any method; `rank` takes it as a candidate. Saved
    with `save`, its file is what ``--encoder FILE`` reads. Do not use it on rows that look nothing
    like those it learnt from: `rank` shows it beside a body of random weights.

    Nothing is fitted: `fit` changes nothing, and a clone of it is the encoder itself.

    Parameters
    ----------
    model : NeuralClassifier or NeuralRegressor
        Fitted; its body is taken, and how it reads rows. Its head means nothing here.

    Attributes
    ----------
    network_ : Network
        The body, under a head that was never trained.
    columns_ : TableColumns
        Of tables: how each column is read.
    row_shape_ : tuple of int
        Shape of a row; of data frames there is none.
    preprocess_ : transformer or None
        What rows go through first, fitted on those that were pretrained on. `transform` and `begin`
        see to it; ``NeuralClassifier(encoder)`` reads rows that went through it.
    method_ : str
        How it was pretrained, with its settings.
    history_ : History
        Each epoch's loss and, where there were labels to score by, "knn" and "probe".
    start_scores_ : dict from str to float
        The same scores before the first step: what random weights, or those it went on from, give.
    trained_on_ : dict
        Numbers of rows and features, and the ``random_state`` that gives this encoder again.

    Raises
    ------
    InputError
        The rows are none that it reads.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import NeuralClassifier, pretrain
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 5))
    >>> encoder = pretrain(X, hidden=(8,), min_steps=20, random_state=0)
    >>> encoder.transform(X).shape
    (60, 8)
    >>> model = NeuralClassifier(encoder, min_steps=50, random_state=0).fit(X, X[:, 0] > 0)
    >>> model.predict(X).shape
    (60,)
    """

    method_: str
    history_: History
    start_scores_: dict[str, float]
    trained_on_: dict[str, Any]
    rows_held_: dict[str, int]
    feature_names_in_: NDArray[Any]
    preprocess_: Any = None

    def __init__(self, model: Any) -> None:
        self.model = model

    @property
    def network_(self) -> Network:
        """The body, under a head that was never trained."""
        net: Network = self.model.network_
        return net

    @property
    def columns_(self) -> Any:
        """How each column of a table is read; there is none where rows are not of a table."""
        return self.model.columns_

    @property
    def row_shape_(self) -> tuple[int, ...]:
        """Shape of a row."""
        shape: tuple[int, ...] = self.model.row_shape_
        return shape

    @property
    def n_features_in_(self) -> int:
        """Columns of a row, or its first side."""
        names = getattr(self, "feature_names_in_", None)
        return int(self.model.n_features_in_) if names is None else len(names)

    @property
    def _n_features_out(self) -> int:
        head: Any = self.network_.head
        return int(head.in_features)

    def fit(self, X: Any, y: Any = None) -> Self:
        """Change nothing: it is fitted.

        Parameters
        ----------
        X, y : object
            Ignored.
        """
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return features, shape (m, d), computed in float32.

        Parameters
        ----------
        X : array-like or data frame of shape (m, ...)
            Rows as they were pretrained on.
        """
        if self.preprocess_ is not None:
            X = self.preprocess_.transform(X)
        return body_features(self.network_, self.numbers(X))

    def numbers(self, X: Any) -> Any:
        """Return rows as the body reads them: those of a table as numbers and codes.

        Parameters
        ----------
        X : array-like or data frame of shape (m, ...)
            Rows behind the preprocessing, where there is one.
        """
        return self.model.numbers(self.model._check_rows(X))

    def __call__(self, row_shape: tuple[int, ...], outputs: int) -> Network:
        """Return a copy of the body under a new linear head, as ``network=`` wants it.

        Parameters
        ----------
        row_shape : tuple of int
            Shape of a row. What the body cannot read is told by whoever asks.
        outputs : int
            Logits of the head.
        """
        body: nn.Module = copy.deepcopy(self.network_.body)
        return Network(body.cpu(), he(nn.Linear(self._n_features_out, outputs)))

    def started(self, base: Any, seed: int) -> Any:
        """Return a network for a task, which starts from this body and has learnt no label.

        Parameters
        ----------
        base : NeuralClassifier or NeuralRegressor
            Its settings. It is not changed.
        seed : int
            Seeds the head.
        """
        mine = self.model
        model = clone(base).set_params(network=mine.network, hidden=mine.hidden)
        for name in ("n_features_in_", "feature_names_in_", "row_shape_", "pixels_", "columns_"):
            if hasattr(mine, name):
                setattr(model, name, getattr(mine, name))
        if model._estimator_is_regressor():
            model.mean_, model.scale_ = 0.0, 1.0
        else:
            model.classes_ = np.array([], dtype=np.int64)
        model.seed_ = seed
        where = find_device(model.device)
        with seeded(seed, where):
            model.network_ = self((), 1)
        model._place(model.network_, where)
        model.network_.eval()
        return model

    def __sklearn_clone__(self) -> Self:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = self.model.__sklearn_tags__().input_tags
        tags.input_tags.three_d_array = inner.three_d_array
        tags.input_tags.categorical = inner.categorical
        tags.input_tags.string, tags.input_tags.allow_nan = inner.string, inner.allow_nan
        tags.requires_fit = False
        return tags


def encoder_within(given: Any) -> Encoder | None:
    """Return the encoder of a fitted model or method; None where it is neither.

    Parameters
    ----------
    given : object
        An `Encoder`, a fitted network, or a method that was fitted with one: of an adapted one the
        target's model.

    Raises
    ------
    InputError
        The method has preprocessing in front, whose rows are others.
    """
    if isinstance(given, Encoder):
        return given
    for name in ("target_model_", "source_model_"):
        inner = getattr(given, name, None)
        if isinstance(inner, NeuralEstimator):
            if getattr(given, "preprocess_", None) is not None:
                raise InputError(
                    f"this {type(given).__name__} has preprocessing in front of its network; "
                    f"transform the rows first, and give its {name}"
                )
            return Encoder(inner)
    fitted = isinstance(given, NeuralEstimator) and hasattr(given, "network_")
    return Encoder(given) if fitted else None
