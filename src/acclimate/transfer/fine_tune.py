"""`FineTune`: start from the source model and go on with target labels."""

from __future__ import annotations

import inspect
import textwrap
import warnings
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from acclimate.adapter import Adapted, Adapter, fit_model
from acclimate.base.words import is_network
from acclimate.classes import Kept, Renamed, lost_classes, warn_of_lost
from acclimate.exceptions import InputError, TransferWarning
from acclimate.settings import COUNT, POSITIVE, Constraints, OneOf, check_settings
from acclimate.transfer.strategy_words import ABOUT
from acclimate.validation import Rows

if TYPE_CHECKING:
    from torch import nn

STRATEGIES = ("auto", *ABOUT)


@dataclass(frozen=True)
class Head:
    """What becomes of the output layer.

    Parameters
    ----------
    classes : ndarray of shape (k,) or None
        Labels afterwards; None for regression.
    source : integer ndarray of shape (k,) or None
        For each of them, its row in the source's head; None means a new head.
    """

    classes: NDArray[Any] | None
    source: NDArray[np.intp] | None


class FineTune(Adapter):
    """Train on the source, then go on from there with the labelled target rows.

    Use it when source and target ask a similar question of similar inputs and the target has some
    labels. Do not use it when a body trained on the source probes no better than a random one:
    then training on the target alone, long enough, is as good. Copying the *head* onto classes that
    mean something else does harm: on Fashion-MNIST, a head copied from MNIST costs 6 to 12 points
    at 50 to 1000 labels.

    Minimises the base model's loss on the labelled target rows, from the source parameters. With
    ``strategy="l2-sp"``, and for linear models and SVMs always, plus
    ``strength / 2 * ||w - w_source||^2``.

    Parameters
    ----------
    estimator : estimator, default=None
        The base model. None means ``NeuralClassifier()``. Networks take every strategy. Logistic
        regression, linear and ridge regression and SVMs take "auto".
    {strategies}
    head : {"auto", "copy", "new"}, default="auto"
        "copy" keeps the source's output layer, "new" makes a fresh one. "auto" copies where the
        classes are known to be the same: class names given on both sides, or labels that are
        strings, all of which the source has. In regression "auto" copies.
    strength : float, default=None
        Pull towards the source parameters, above 0. None is 0.01 for networks and the estimator's
        own penalty for other models.
    rate : float, default=1.0
        Factor on the learning rate wherever weights of the body move, above 0.
    decay : float, default=2.6
        For "discriminative": how much slower each layer group is than the one above it, at
        least 1. With 1 it is "full".
    rank : int, default=16
        For "lora": rank of the adapters, at least 1. More moves more.
    alpha : float, default=None
        For "lora": the adapters are scaled by ``alpha / rank``; above 0. None is twice the rank.
    preprocess : transformer, default=None
        Fitted on the source, applied to both domains.
    random_state : int, RandomState instance or None, default=None
        Seeds both stages.

    Attributes
    ----------
    source_model_ : estimator
        The fitted source model.
    target_model_ : estimator or None
        The fine-tuned model.
    adapted_ : bool
        Whether there was a target.
    classes_ : ndarray of shape (n_classes,)
        The target's labels once there is a target.
    copied_head_ : bool
        Whether the source's head was kept. Only after a target was given.
    tuned_layers_ : list of str or None
        Names of the layers in ``target_model_.network_`` that moved: with "surgical", those that
        were chosen. None for models without a network. Only after a target was given.

    Raises
    ------
    InputError
        A value cannot be used, the target has no labels, or ``head="copy"`` meets a label that the
        source does not have.

    Warns
    -----
    TransferWarning
        A new head, and no labelled target row of a class that the source has: nothing is ever
        predicted as that class.
        ``head="copy"`` on integer labels without names, or a linear model that gets a new head and
        so takes nothing from the source.

    Notes
    -----
    The default was chosen on simulated shifts of optdigits and pendigits alone: with a copied head
    "lp-ft" has the best mean and the best worst case there, with a new head "full" has the best
    worst case (``benchmarks/fine_tune_defaults.py``). ``decay`` and ``rank``, and the 40 labelled
    rows below which "surgical" does not search but moves all, were chosen there too.

    Every strategy takes as many optimiser steps as training from scratch, probes, stages and
    searches included, and that is where most of them deviate from their papers: "lp-ft" gives half
    of the steps to the probe; "gradual" splits them equally among its stages, each with a schedule
    of its own; "surgical" spends half of them on its search, on target labels alone, and scores by
    loss. "l2-sp" pulls a new head towards 0 as strongly as the body towards the source. "lora"
    adapts every `nn.Linear` of the body, not attention's alone; it needs at least one. What a
    layer group is, `acclimate.training.layers.layer_groups` says. Frozen layers keep
    parameters and buffers to the byte. With a copied head, a class without a labelled target row
    stays known: of a network it keeps the probability that the source model gives it, of a linear
    model its coefficients, and of an SVM its comparisons with the other classes.

    References
    ----------
    Yosinski et al., "How transferable are features in deep neural networks?", arXiv:1411.1792.
    Kumar et al., "Fine-tuning can distort pretrained features", arXiv:2202.10054.
    Li, Grandvalet and Davoine, "Explicit inductive bias for transfer learning", arXiv:1802.01483.
    Howard and Ruder, "Universal language model fine-tuning", arXiv:1801.06146.
    Hu et al., "LoRA: low-rank adaptation of large language models", arXiv:2106.09685.
    Lee et al., "Surgical fine-tuning improves adaptation to distribution shifts", arXiv:2210.11466.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from acclimate import Domain, FineTune
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> y = np.where(X[:, 0] > 0, "ill", "well")
    >>> Xt = rng.normal(size=(10, 2)) + 1
    >>> yt = np.where(Xt[:, 0] > 1, "ill", "well")
    >>> model = FineTune(LogisticRegression()).fit(X, y, target=Domain(Xt, yt))
    >>> model.copied_head_, model.predict(np.array([[3.0, 1.0], [-1.0, 1.0]]))
    (True, array(['ill', 'well'], dtype='<U4'))
    """

    _reads_frames = True
    _weighs_target = True

    _parameter_constraints: ClassVar[Constraints] = {
        **Adapter._parameter_constraints,
        "strategy": [OneOf(*STRATEGIES)],
        "head": [OneOf("auto", "copy", "new")],
        "strength": [POSITIVE, None],
        "rate": [POSITIVE],
        "decay": [Interval(Real, 1, None, closed="left")],
        "rank": [COUNT],
        "alpha": [POSITIVE, None],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        strategy: str = "auto",
        head: str = "auto",
        strength: float | None = None,
        rate: float = 1.0,
        decay: float = 2.6,
        rank: int = 16,
        alpha: float | None = None,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.strategy = strategy
        self.head = head
        self.strength = strength
        self.rate = rate
        self.decay = decay
        self.rank = rank
        self.alpha = alpha

    def _default_estimator(self) -> Any:
        from acclimate.base.neural import NeuralClassifier  # torch, which other models do not need

        return NeuralClassifier()

    def begin(self, encoder: Any) -> Self:
        """Take a pretrained encoder for a source without labels; `adapt` comes next.

        Use it in place of `fit` where `acclimate.pretrain` gave what to start from, and no labelled
        source is to come between. Every strategy starts with a new head. With a labelled source,
        ``FineTune(NeuralClassifier(encoder)).fit(X, y)`` trains on that first.

        Parameters
        ----------
        encoder : Encoder
            From `acclimate.pretrain`. It is not changed.

        Returns
        -------
        self : FineTune

        Raises
        ------
        InputError
            It is no encoder, the base model no network, or there is preprocessing.

        Examples
        --------
        >>> import numpy as np
        >>> from acclimate import pretrain
        >>> encoder = pretrain(np.eye(4), hidden=(8,), min_steps=2, epochs=1)
        >>> FineTune(strategy="lp-ft").begin(encoder).summary()
        'FineTune on NeuralClassifier: source model only, not adapted to any target.'
        """
        from acclimate.transfer.beginning import begin_from

        check_settings(self)
        begin_from(self, encoder)
        return self

    def _begun(self) -> bool:
        """Tell whether the source is an encoder, which knows no labels."""
        return "pretrained" in getattr(self, "trained_on_", {}).get("source", {})

    def _takes_raw(self, X: Any, step: Any) -> bool:
        frame = self._begun() and hasattr(X, "columns") and self.source_model_.reads_tables()
        return frame or super()._takes_raw(X, self.preprocess_ if self._begun() else step)

    def _answer(self, X: Any, domain: str, method: str) -> Any:
        if self._begun() and method != "transform" and not (self.adapted_ and domain == "target"):
            raise InputError(
                "the source is an encoder, which learnt no labels and answers nothing; "
                + ("ask for rows of the target" if self.adapted_ else "adapt to a target with some")
            )
        return super()._answer(X, domain, method)

    def _fit_source(self, source: Rows, seed: int) -> Any:
        self._check_settings()
        return super()._fit_source(source, seed)

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        head = self._choose_head(model, target)
        if head.classes is not None and head.source is None:
            lost = lost_classes(model.classes_, self.source_class_names_, target)
            way_out = (
                "A copied head keeps it: give class_names on both sides, or head='copy' where "
                "equal labels mean equal classes"
            )
            warn_of_lost("FineTune with a new head", lost, way_out)
        self.copied_head_ = head.source is not None
        self.tuned_layers_: list[str] | None = None
        if is_network(model):
            return Adapted(self._tune_network(model, target, head, seed))
        from acclimate.transfer.shallow import continue_from  # networks do without

        if head.source is None:
            warnings.warn(
                f"{type(model).__name__} has no body, so with a new head nothing is taken from the "
                f"source. If the classes are the same, give class_names on both sides or use "
                f'head="copy".',
                TransferWarning,
                stacklevel=4,
            )
            return Adapted(fit_model(self._base(), target, seed))
        if head.classes is None:
            return Adapted(continue_from(model, target, self.strength))
        known = model.classes_[head.source]  # the source's label for each of the target's
        if np.array_equal(known, head.classes):
            return Adapted(continue_from(model, target, self.strength))
        renamed = replace(target, y=known[np.searchsorted(head.classes, target.labels)])
        return Adapted(Renamed(continue_from(model, renamed, self.strength), known, head.classes))

    # --- networks ---------------------------------------------------------------------------

    def _tune_network(self, model: Any, target: Rows, head: Head, seed: int) -> Any:
        from acclimate.training.device import seeded
        from acclimate.training.network import new_head
        from acclimate.transfer.strategies import NETWORK_STRATEGIES
        from acclimate.transfer.tuning import Tuning

        tuned = model.copy_fitted()
        tuned.seed_ = seed
        net = tuned.network_
        X, y, weight = target.labelled_X, target.labels, target.labelled_weight
        where = next(net.parameters()).device
        if head.source is None:
            tuned._learn_targets(y, head.classes)
            with seeded(seed, where):
                net.head = new_head(net.head, tuned._outputs()).to(where)
        elif head.classes is not None:
            _reorder(net.head, head.source, len(model.classes_))
            tuned.classes_ = head.classes
        strategy = self.strategy
        if strategy == "auto":
            strategy = "full" if head.source is None else "lp-ft"
        tuning = Tuning(
            tuned, X, y, head.source is not None, tuned.settings(len(y)).steps, rate=self.rate,
            strength=self.strength, decay=self.decay, rank=self.rank, alpha=self.alpha,
            weight=weight,
        )  # fmt: skip
        self.tuned_layers_ = NETWORK_STRATEGIES[strategy].run(tuning)
        tuned.n_iter_ = tuning.taken
        if head.classes is not None and head.source is not None:
            lost = ~np.isin(head.classes, target.labels)
            if lost.any():
                return Kept(tuned, model, head.source, lost)
        return tuned

    # --- the head ---------------------------------------------------------------------------

    def _choose_head(self, model: Any, target: Rows) -> Head:
        if self._begun():
            if self.head == "copy":
                raise InputError('an encoder has no head to copy; use head="auto" or "new"')
            return Head(None if self._regression() else target.classes, None)
        if self._regression():
            return Head(None, None if self.head == "new" else np.zeros(1, dtype=np.intp))
        known, names = model.classes_, self.source_class_names_
        classes = target.classes
        if self.head == "new":
            return Head(classes, None)
        if names is not None and target.class_names is not None:
            mine = {names[label]: i for i, label in enumerate(known.tolist()) if label in names}
            theirs = [target.class_names[label] for label in classes.tolist()]
            if set(mine) == set(theirs):
                return Head(classes, np.array([mine[name] for name in theirs], dtype=np.intp))
            if self.head == "auto":
                return Head(classes, None)
        elif self.head == "auto":
            text = known.dtype.kind in "UO" and classes.dtype.kind in "UO"
            if not (text and set(classes.tolist()) <= set(known.tolist())):
                return Head(classes, None)
            return Head(known, np.arange(len(known)))
        unknown = [label for label in classes.tolist() if label not in set(known.tolist())]
        if unknown:
            raise InputError(
                f'head="copy" needs the source\'s classes {known.tolist()}, but the target has '
                f'{unknown[0]!r}; use head="new"'
            )
        if known.dtype.kind not in "UO":
            warnings.warn(
                'head="copy" takes it on trust that equal integers mean equal classes. Where they '
                "do not, a copied head does harm. Give class_names on both sides, or use "
                'head="auto".',
                TransferWarning,
                stacklevel=5,
            )
        return Head(known, np.arange(len(known)))

    def _check_settings(self) -> None:
        allowed = STRATEGIES if is_network(self._base()) else ("auto",)
        if self.strategy not in allowed:
            raise InputError(
                f"strategy must be one of {list(allowed)} for {type(self._base()).__name__}, "
                f"got {self.strategy!r}"
            )


def _document_strategies() -> None:
    """Put the table of strategies into the docstring."""
    names = ", ".join(f'"{name}"' for name in STRATEGIES)
    does = "; ".join(f'"{name}" {about}' for name, about in ABOUT.items())
    does += '. "auto" is, for networks, "lp-ft" with a copied head and "full" with a new one; for '
    text = f"{does}other models it is a pull towards the source parameters."
    lines = textwrap.wrap(text, 92, initial_indent=" " * 4, subsequent_indent=" " * 4)
    first = textwrap.fill(f'strategy : {{{names}}}, default="auto"', 92, subsequent_indent=" " * 4)
    whole = inspect.cleandoc(FineTune.__doc__ or "")  # Python 3.13 has taken the margin away
    FineTune.__doc__ = whole.replace("{strategies}", "\n".join([first, *lines]))


_document_strategies()


def _reorder(head: nn.Module, rows: NDArray[np.intp], width: int) -> None:
    """Put the rows of a linear head in the order of the target's classes."""
    import torch
    from torch import nn

    if np.array_equal(rows, np.arange(width)):
        return
    if not isinstance(head, nn.Linear):
        raise InputError(f"only a linear head can be reordered, this is {type(head).__name__}")
    order = torch.from_numpy(rows).to(head.weight.device)
    head.weight.data = head.weight.data[order]
    if head.bias is not None:
        head.bias.data = head.bias.data[order]
