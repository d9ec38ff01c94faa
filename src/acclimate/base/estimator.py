"""What the neural classifier and the neural regressor share.

Longer than other files: a third of it documents the parameters that both have.
"""

from __future__ import annotations

import copy
import inspect
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from numbers import Integral
from types import SimpleNamespace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import validate_data
from torch import Tensor, nn

from acclimate.base.codes import learn_columns
from acclimate.exceptions import InputError
from acclimate.folds import as_often
from acclimate.settings import (
    COUNT,
    INNER_SHARE,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE_BELOW_1,
    Constraints,
    Each,
    OneOf,
    SeveralOf,
    check_settings,
)
from acclimate.training import inference, loop, network, norm, splitting
from acclimate.training.augment import AUGMENTATIONS, views
from acclimate.training.batch import Data, as_fitted, as_float, scaled, steps_per_epoch
from acclimate.training.device import find_device, has_bf16, seeded
from acclimate.training.network import Network
from acclimate.training.networks import NETWORKS
from acclimate.training.progress import Progress
from acclimate.training.schedules import SCHEDULES
from acclimate.training.terms import History, Phase, Settings, Term
from acclimate.validation import (
    Rows,
    check_inputs,
    check_labels,
    check_single,
    check_weight,
    note_row_shape,
    refuse_sparse,
    take,
)

MIN_STEPS = 1000
LARGE = 32 * 32  # pixels of an image from which on steps are dear
FEWEST, PASSES = 100, 30  # steps and passes over such images
TABULAR = "tabular"  # the one network that reads tables with categories

PARAMETERS = """
    Parameters
    ----------
    network : str, nn.Module or callable, default="mlp"
        What computes f_theta. By name: "mlp", "cnn"; "mlp-norm", "cnn-norm" and "resnet", a small
        residual network, which have batch norm; methods that adapt give each domain its own
        statistics. "tabular" is "mlp" on standardised numbers and an embedding of each category:
        it reads data frames, and categories that the source does not have share one code.
        "efficientnet-lite0" (extra ``vision``) is a body that was trained on ImageNet under a new
        linear head; on a CPU a step of it takes seconds, so see `FrozenBody` first. A module of
        your own is copied, never changed, and split into body and head. So is a Keras 3 model on
        the torch backend, `keras.Sequential` or functional; its softmax is left to the loss. A
        callable is called as ``network(row_shape, n_outputs)`` and returns a module, after
        everything is seeded. An `Encoder` from `pretrain` is one: its body under a new head.
    hidden : sequence of int, default=(128,)
        Units of the dense hidden layers of the built-in networks. "efficientnet-lite0" has none.
    dropout : float in [0, 1), default=0.2
        Share of units dropped after each dense hidden layer of the built-in networks, and of the
        features of "efficientnet-lite0".
    categories : "auto" or sequence of str or int, default="auto"
        For "tabular": columns that are categories, by name or position. "auto" takes those of a
        data frame that hold pandas categories, or strings that are not all numbers; of an array it
        takes none. A missing category is one of its own where the source has any, else unknown.
    head : str, default=None
        Name of the output layer in a module of your own. None takes the last `nn.Linear`.
    class_weight : dict, "balanced" or None, default=None
        For `NeuralClassifier`: weights of the classes in the loss, by label. "balanced" gives each
        class the same total weight, among the rows that are trained on. None is 1 each.
    augment : {"flip", "crop", "colour", "affine", "crop-flip", "noise", "erase", "time", "bands",
        "zoom", "strong"}, callable, default=None
        How images are changed while training, each by its own draw, in one word or several with
        commas, as "flip,crop,colour"; None leaves them. "flip" mirrors half of them, "crop" moves
        by up to a tenth, "colour" changes contrast, brightness and channels by up to 0.3, "affine"
        turns by up to 15 degrees and scales and moves by up to a tenth, "crop-flip" is "crop,flip",
        "noise" adds normal noise of 0.1, "erase" covers a box of up to half of each side, "zoom"
        enlarges a crop of 0.3 of the area or more, "strong" is more of "affine", "colour" and
        "erase". For spectrograms, "time" moves along the last axis by up to a tenth and "bands"
        covers a band of frequencies and one of times. A callable maps a float tensor of inputs to
        one of the same shape. See `acclimate.training.augment.Augmentation`.
    epochs : int, default=5
        Passes over the rows, at least 1.
    min_steps : int or "auto", default="auto"
        Fewest optimiser steps, at least 0, whatever the number of rows: few rows get more passes.
        "auto" is 1000, and of images of more than 32 x 32 pixels, whose steps are dear, 30 passes
        over the rows, but between 100 and 1000.
    batch_size : int, default=128
        Rows a step, at least 1.
    optimizer : {"adam", "adamw", "sgd"}, default="adam"
        Rule of the step.
    learning_rate : float, default=4e-3
        Peak rate, above 0.
    schedule : {"linear", "cosine", "constant", "inverse"}, default="linear"
        How the rate falls after the warm-up.
    warmup : float in [0, 1), default=0.1
        Share of the steps over which the rate rises.
    weight_decay : float, default=0.0
        Decay of the weights, at least 0.
    early_stopping : bool, default=False
        Whether to hold rows out, score them after each epoch and keep the best epoch.
    validation_fraction : float in (0, 1), default=0.1
        Share of rows held out for early stopping.
    patience : int, default=5
        Epochs without a better score before early stopping ends the run, at least 1.
    precision : {"auto", "float32", "bf16"}, default="auto"
        "auto" uses bf16 for convolutions on hardware that has it; parameters stay float32.
    device : str, default="auto"
        "auto" uses a GPU where there is one.
    verbose : bool or "auto", default="auto"
        "auto" shows a progress bar at a terminal, after two seconds.
    checkpoint : str, default=None
        File name under which a run keeps its state between epochs. A fit that was killed and is
        started again goes on from there and ends with the same weights. Needs a fixed
        ``random_state``. Deleted when the run is over.
    random_state : int, RandomState instance or None, default=None
        Seeds weights, batches and dropout.
"""


class NeuralEstimator(BaseEstimator, ABC):  # type: ignore[misc]
    """What the classifier and the regressor share."""

    class_weight: Any = None  # files of before it hold none

    _parameter_constraints: ClassVar[Constraints] = {
        "network": [str, callable, nn.Module],
        "hidden": [Each(COUNT)],
        "dropout": [SHARE_BELOW_1],
        "categories": [OneOf("auto"), Each(str, Integral, of="columns")],
        "head": [str, None],
        "class_weight": [dict, OneOf("balanced"), None],
        "augment": [SeveralOf(*AUGMENTATIONS), callable, None],
        "epochs": [COUNT],
        "min_steps": [OneOf("auto"), Interval(Integral, 0, None, closed="left")],
        "batch_size": [COUNT],
        "optimizer": [OneOf("adam", "adamw", "sgd")],
        "learning_rate": [POSITIVE],
        "schedule": [OneOf(*SCHEDULES)],
        "warmup": [SHARE_BELOW_1],
        "weight_decay": [NOT_NEGATIVE],
        "early_stopping": ["boolean"],
        "validation_fraction": [INNER_SHARE],
        "patience": [COUNT],
        "precision": [OneOf("auto", "float32", "bf16")],
        "device": [str],
        "verbose": [OneOf("auto"), "boolean"],
        "checkpoint": [str, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        network: Any = "mlp",
        *,
        hidden: Sequence[int] = (128,),
        dropout: float = 0.2,
        categories: Any = "auto",
        head: str | None = None,
        class_weight: Any = None,
        augment: Any = None,
        epochs: int = 5,
        min_steps: int | str = "auto",
        batch_size: int = 128,
        optimizer: str = "adam",
        learning_rate: float = 4e-3,
        schedule: str = "linear",
        warmup: float = 0.1,
        weight_decay: float = 0.0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 5,
        precision: str = "auto",
        device: str = "auto",
        verbose: bool | str = "auto",
        checkpoint: str | None = None,
        random_state: Any = None,
    ) -> None:
        self.network = network
        self.hidden = hidden
        self.dropout = dropout
        self.categories = categories
        self.head = head
        self.class_weight = class_weight
        self.augment = augment
        self.epochs = epochs
        self.min_steps = min_steps
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.warmup = warmup
        self.weight_decay = weight_decay
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.precision = precision
        self.device = device
        self.verbose = verbose
        self.checkpoint = checkpoint
        self.random_state = random_state

    # --- differs between classification and regression --------------------------------------

    @abstractmethod
    def _learn_targets(self, y: NDArray[Any], classes: NDArray[Any] | None) -> None:
        """Record what the outputs mean: classes, or mean and scale."""

    @abstractmethod
    def _codes(self, y: NDArray[Any]) -> Tensor:
        """Return ``y`` as the loss reads it, shape (n,)."""

    @abstractmethod
    def _outputs(self) -> int:
        """Return the number of outputs."""

    def _weigh_classes(self, y: NDArray[Any], weight: NDArray[Any] | None) -> None:
        """Record how much each class counts in the loss, where there are classes."""
        if self.class_weight is not None:
            raise InputError(
                f"class_weight is for classes, and {type(self).__name__} predicts values; got "
                f"{self.class_weight!r}"
            )

    @abstractmethod
    def task(self) -> Term:
        """Return the supervised term on the source side: cross-entropy or squared error."""

    # --- public -----------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train from scratch.

        Parameters
        ----------
        X : array-like of shape (n, ...), or data frame
            Inputs: rows, or images. uint8 is read as pixels and divided by 255; so are the same
            numbers of another type later. Where other types are fitted, uint8 is a number later.
        y : array-like of shape (n,)
            Labels or target values.
        sample_weight : array-like of shape (n,), default=None
            Row weights, at least 0. Rows of weight 0 are left out.
        """
        self._check_settings()
        X, y = self._check(X, y)
        weight = check_weight(sample_weight, X)
        if weight is not None and not weight.all():
            kept = np.flatnonzero(weight)
            X, y, weight = take(X, kept), y[kept], weight[kept]
        counted, values = X, y
        if weight is not None:  # mean and scale are of rows as often as they weigh
            index = as_often(Rows(X, weight=weight).counts, 0)
            counted, values = take(X, index), y[index]
        return self.start(counted, values, np.unique(y)).train(X, y, weight)

    @abstractmethod
    def predict(self, X: Any) -> Any:
        """Return labels or values, shape (m,)."""

    # --- used by the methods that build on a network ------------------------------------------

    def start(self, X: Any, y: NDArray[Any], classes: NDArray[Any] | None = None) -> Self:
        """Seed everything and make the initial weights for checked rows.

        Parameters
        ----------
        X : ndarray of shape (n, ...)
            Checked inputs.
        y : ndarray of shape (n,)
            Checked labels or values.
        classes : ndarray, default=None
            All labels that the head must know; None takes those that occur.
        """
        self._check_settings()
        self.seed_ = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        self._learn_targets(y, classes)
        where = find_device(self.device)
        self.pixels_ = getattr(X, "dtype", None) == np.uint8
        with seeded(self.seed_, where):
            self.network_ = self._build(X, self._outputs())
        self._place(self.network_, where)
        return self

    def train(
        self,
        X: Any,
        y: NDArray[Any],
        weight: NDArray[Any] | None = None,
        *,
        terms: Sequence[Term] = (),
        frozen: Sequence[nn.Module] = (),
        rates: Mapping[nn.Module, float] | None = None,
        **changes: Any,
    ) -> Self:
        """Go on training ``network_`` on labelled rows.

        ``terms`` are added to the supervised one, ``frozen`` modules stand still, ``rates`` are
        factors on the learning rate of modules, and ``changes`` are settings of the loop.
        """
        if weight is not None and norm.norms(self.network_, frozen):
            index = as_often(Rows(X, weight=weight).counts, self.seed_)
            X, y, weight = take(X, index), y[index], None  # batch norm does not weigh rows
        if weight is not None and not weight.all():
            kept = np.flatnonzero(weight)
            X, y, weight = take(X, kept), y[kept], weight[kept]
        validate = None
        if self.early_stopping:
            rows = np.arange(len(y))
            strata = self._strata(y)
            rows, held = train_test_split(
                rows, test_size=self.validation_fraction, random_state=self.seed_, stratify=strata
            )
            held_x, held_y = self.tensor(take(X, held)), self._codes(y[held])
            rest = None if weight is None else weight[held]
            X, y, weight = take(X, rows), y[rows], None if weight is None else weight[rows]
            validate = self._validator(held_x, held_y, rest)
        self._weigh_classes(y, weight)
        data = self.data(X, y, weight)
        settings = self.settings(len(data), **changes)
        net = self.network_
        phases = [Phase([self.task(), *terms], [net])]
        bar = Progress(settings.steps, type(self).__name__, self.verbose)
        self.history_: History = loop.train(
            net,
            phases,
            data,
            settings=settings,
            seed=self.seed_,
            views=views(self.augment),
            validate=validate,
            frozen=frozen,
            rates=rates,
            progress=bar,
            checkpoint=self.checkpoint,
        )
        self.n_iter_ = int(self.history_.epochs[-1]["step"]) if self.history_.epochs else 0
        return self

    def settings(self, n: int, **changes: Any) -> Settings:
        """Return the loop's settings for ``n`` rows, some of them changed."""
        size = min(self.batch_size, n)
        steps = max(self.epochs * steps_per_epoch(n, size), self._least_steps(n, size))
        values: dict[str, Any] = {
            "steps": steps,
            "batch_size": size,
            "optimizer": self.optimizer,
            "learning_rate": self.learning_rate,
            "schedule": self.schedule,
            "warmup": self.warmup,
            "weight_decay": self.weight_decay,
            "patience": self.patience if self.early_stopping else None,
            "precision": self._precision(self.network_),
        }
        return Settings(**(values | changes))

    def tensor(self, X: Any) -> Tensor:
        """Return inputs as a tensor on the network's device: uint8 as it is, else float32."""
        return _from_numpy(self.numbers(X)).to(find_device(self.device))

    def data(self, X: Any, y: NDArray[Any] | None, weight: NDArray[Any] | None = None) -> Data:
        """Return checked rows as the loop takes them."""
        x = self.tensor(X)
        codes = None if y is None else self._codes(y).to(x.device)
        return Data(x, codes, scaled(weight, x.device))

    def infer(self, X: Any) -> tuple[Tensor, Tensor]:
        """Return features (m, d) and logits (m, k) of checked rows, on the CPU."""
        where = next(self.network_.parameters()).device
        precision = self._precision(self.network_)
        x = _from_numpy(self.numbers(X))
        return inference.infer(self.network_, x, device=where, precision=precision)

    def numbers(self, X: Any) -> Any:
        """Return checked rows as the network reads them: those of a table as numbers and codes."""
        if self.reads_tables():
            return self.columns_.encode(X)
        return as_fitted(X, getattr(self, "pixels_", None))

    def reads_tables(self) -> bool:
        """Tell whether the network reads columns, and categories among them."""
        network = self.network
        return network == TABULAR if isinstance(network, str) else hasattr(network, "columns_")

    def copy_fitted(self) -> Self:
        """Return a deep copy whose network can move without touching this one."""
        return copy.deepcopy(self)

    def _least_steps(self, n: int, size: int) -> int:
        if not isinstance(self.min_steps, str):
            return self.min_steps
        shape: tuple[int, ...] = getattr(self, "row_shape_", ())
        if len(shape) < 2 or shape[-1] * shape[-2] <= LARGE:
            return MIN_STEPS
        return min(MIN_STEPS, max(FEWEST, PASSES * steps_per_epoch(n, size)))

    # --- inside -------------------------------------------------------------------------------

    def _check(self, X: Any, y: Any) -> tuple[Any, Any]:
        regression = self._estimator_is_regressor()
        if self.reads_tables():
            X = self._check_rows(X, reset=True)
            return X, check_labels(self, y, regression=regression, n=len(X))
        if hasattr(X, "tocsr"):
            refuse_sparse(self)
        X, y = validate_data(self, X, y, allow_nd=True, y_numeric=regression)
        note_row_shape(self, X)
        check_single(X)
        return X, y

    def _check_rows(self, X: Any, *, reset: bool = False) -> Any:
        """Return checked inputs. For "tabular", a frame stays one, and gaps may pass."""
        tabular = self.reads_tables()
        frame = tabular and hasattr(X, "iloc")
        if frame and not len(X):
            raise InputError(f"the frame has no rows: {list(X.columns)[:8]}")
        X = check_inputs(self, X, reset=reset, raw=frame, finite=not tabular, sparse=False)
        check_single(X)
        return X

    @classmethod
    def _estimator_is_regressor(cls) -> bool:
        return issubclass(cls, RegressorMixin)

    def _strata(self, y: NDArray[Any]) -> NDArray[Any] | None:
        return None

    def _validator(self, x: Tensor, y: Tensor, weight: NDArray[Any] | None = None) -> Any:
        """Return a score of held-out rows: minus their loss."""
        term, w = self.task(), scaled(weight, torch.device("cpu"))

        def score(net: nn.Module) -> float:
            _, logits = inference.infer(net, x, precision=self._precision(net))
            return -float(term.loss(SimpleNamespace(logits=logits, y=y, weight=w), None))

        return score

    def _build(self, X: Any, outputs: int) -> Network:
        shape = tuple(X.shape[1:])
        if isinstance(self.network, str):
            if self.network not in NETWORKS:
                raise InputError(
                    f"network must be one of {list(NETWORKS)}, an nn.Module or a callable, "
                    f"got {self.network!r}"
                )
            more = {}
            if self.network == TABULAR:
                self.columns_ = learn_columns(X, self.categories)
                more["sizes"] = self.columns_.sizes
            return NETWORKS[self.network](shape, outputs, self.hidden, self.dropout, **more)
        module = self.network
        if self.reads_tables():
            self.columns_ = module.columns_  # as they were read when it was pretrained
            self.columns_.check(X)
            X = self.columns_.encode(X[:2])
        if not isinstance(module, nn.Module) and not splitting.is_keras(module):
            module = module(shape, outputs)
        rows = as_float(_from_numpy(X[:2]))
        if not splitting.is_keras(module):
            splitting.check_answer(module, rows)
        net = splitting.split(module, self.head)
        if not isinstance(module, Network):
            splitting.check_split(net, module, rows)
        width = network.output_width(net.head)
        if width != outputs:
            raise InputError(f"the network has {width} outputs, but the task needs {outputs}")
        return net

    def _place(self, net: nn.Module, where: torch.device) -> None:
        net.to(where)
        if network.is_convolutional(net):
            net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _precision(self, net: nn.Module) -> str:
        if self.precision != "auto":
            return self.precision
        where = next(net.parameters()).device
        return "bf16" if network.is_convolutional(net) and has_bf16(where) else "float32"

    def _check_settings(self) -> None:
        check_settings(self)
        listed = not isinstance(self.categories, str)
        if not self.reads_tables() and listed:
            raise InputError(
                f'categories are for network="tabular", and this is {self.network!r}; got '
                f"{self.categories!r}"
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = not self.reads_tables()
        if self.reads_tables():
            tags.input_tags.categorical = tags.input_tags.string = tags.input_tags.allow_nan = True
        return tags


def _from_numpy(X: Any) -> Tensor:
    """Return an array as a tensor: uint8 stays, all else becomes float32."""
    array = np.ascontiguousarray(X)
    if array.dtype != np.uint8:
        array = array.astype(np.float32, copy=False)
    # torch shares the memory, and warns of memory that it may not write
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def document(cls: type[Any]) -> type[Any]:
    """Put the shared parameters into a class's docstring."""
    # cleandoc: Python 3.13 has taken the margin away, and those before have not
    text, shared = inspect.cleandoc(cls.__doc__ or ""), textwrap.dedent(PARAMETERS).strip("\n")
    cls.__doc__ = text.replace("{parameters}\n", f"{shared}\n") + "\n"
    return cls
