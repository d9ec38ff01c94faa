"""`FineTune`: start from the source model and go on with target labels."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from acclimate.adapter import Adapted, Adapter, fit_model
from acclimate.base.neural import NeuralClassifier, NeuralRegressor
from acclimate.exceptions import InputError, TransferWarning
from acclimate.training.device import seeded
from acclimate.training.loop import Term
from acclimate.training.network import Network, new_head
from acclimate.transfer.probing import probe
from acclimate.validation import Rows

STRATEGIES = ("auto", "full", "head", "lp-ft", "l2-sp")
L2_SP_STRENGTH = 0.01  # alpha and beta of arXiv:1802.01483


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
    strategy : {"auto", "full", "head", "lp-ft", "l2-sp"}, default="auto"
        "full" moves all weights; "head" moves the head alone (a linear probe); "lp-ft" moves the
        head first and then all; "l2-sp" moves all with a pull towards the source. "auto" is, for
        networks, "lp-ft" with a copied head and "full" with a new one; for other models it is a
        pull towards the source parameters.
    head : {"auto", "copy", "new"}, default="auto"
        "copy" keeps the source's output layer, "new" makes a fresh one. "auto" copies where the
        classes are known to be the same: class names given on both sides, or labels that are
        strings, and equal. In regression "auto" copies.
    strength : float, default=None
        Pull towards the source parameters, above 0. None is 0.01 for networks and the estimator's
        own penalty for other models.
    rate : float, default=1.0
        Factor on the learning rate once all weights move, above 0.
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

    Raises
    ------
    InputError
        A value cannot be used, the target has no labels, or ``head="copy"`` meets a label that the
        source does not have.

    Warns
    -----
    TransferWarning
        ``head="copy"`` on integer labels without names, or a linear model that gets a new head and
        so takes nothing from the source.

    Notes
    -----
    The default was chosen on simulated shifts of optdigits and pendigits alone: with a copied head
    "lp-ft" has the best mean and the best worst case there, with a new head "full" has the best
    worst case (``benchmarks/fine_tune_defaults.py``).

    Deviations from the papers: "lp-ft" gives half of the steps to the probe, so that every strategy
    takes as many steps as training from scratch. "l2-sp" pulls a new head towards 0 as strongly as
    the body towards the source.

    References
    ----------
    Yosinski et al., "How transferable are features in deep neural networks?", arXiv:1411.1792.
    Kumar et al., "Fine-tuning can distort pretrained features", arXiv:2202.10054.
    Li, Grandvalet and Davoine, "Explicit inductive bias for transfer learning", arXiv:1802.01483.

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

    def __init__(
        self,
        estimator: Any = None,
        *,
        strategy: str = "auto",
        head: str = "auto",
        strength: float | None = None,
        rate: float = 1.0,
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(estimator, preprocess=preprocess, random_state=random_state)
        self.strategy = strategy
        self.head = head
        self.strength = strength
        self.rate = rate

    def _default_estimator(self) -> Any:
        return NeuralClassifier()

    def _fit_source(self, source: Rows, seed: int) -> Any:
        self._check_settings()
        return super()._fit_source(source, seed)

    def _adapt(self, model: Any, source: Rows | None, target: Rows, seed: int) -> Adapted:
        from acclimate.transfer.shallow import continue_from  # half a second less for networks

        head = self._choose_head(model, target)
        self.copied_head_ = head.source is not None
        if isinstance(model, NeuralClassifier | NeuralRegressor):
            return Adapted(self._tune_network(model, target, head, seed))
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
        renamed = Rows(
            target.X, known[np.searchsorted(head.classes, target.labels)], target.labelled
        )
        return Adapted(Renamed(continue_from(model, renamed, self.strength), known, head.classes))

    # --- networks ---------------------------------------------------------------------------

    def _tune_network(self, model: Any, target: Rows, head: Head, seed: int) -> Any:
        tuned = model.copy_fitted()
        tuned.seed_ = seed
        net: Network = tuned.network_
        X, y = target.labelled_X, target.labels
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
        settings = tuned.settings(len(y))
        probe_steps = {"head": settings.steps, "lp-ft": settings.steps // 2}.get(strategy, 0)
        if probe_steps:
            probe(tuned, X, y, probe_steps, seed)
        if strategy == "head":
            return tuned
        terms = [self._pull(net, head.source is not None)] if strategy == "l2-sp" else []
        return tuned.train(
            X, y, terms=terms, steps=max(settings.steps - probe_steps, 1),
            learning_rate=tuned.learning_rate * self.rate,
        )  # fmt: skip

    def _pull(self, net: Network, copied: bool) -> Term:
        """Return ``strength / 2`` times the squared distance to where the weights are now."""
        strength = L2_SP_STRENGTH if self.strength is None else self.strength
        body, head = list(net.body.parameters()), list(net.head.parameters())
        anchors = [p.detach().clone() for p in body]
        anchors += [p.detach().clone() if copied else torch.zeros_like(p) for p in head]
        moving: list[Tensor] = [*body, *head]
        return Term("l2-sp", lambda s, t: 0.5 * strength * squared_distance(moving, anchors))

    # --- the head ---------------------------------------------------------------------------

    def _choose_head(self, model: Any, target: Rows) -> Head:
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
            if not (text and np.array_equal(known, classes)):
                return Head(classes, None)
            return Head(classes, np.arange(len(known)))
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
        network = isinstance(self._base(), NeuralClassifier | NeuralRegressor)
        allowed = STRATEGIES if network else ("auto",)
        if self.strategy not in allowed:
            raise InputError(
                f"strategy must be one of {list(allowed)} for {type(self._base()).__name__}, "
                f"got {self.strategy!r}"
            )
        if self.head not in ("auto", "copy", "new"):
            raise InputError(f'head must be "auto", "copy" or "new", got {self.head!r}')
        for name in ("strength", "rate"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"{name} must be above 0, got {value!r}")


class Renamed:
    """A fitted classifier whose labels are called otherwise on the target.

    Parameters
    ----------
    model : fitted classifier
        Answers in the source's labels.
    known : ndarray of shape (k,)
        The source's label for each of the target's.
    classes : ndarray of shape (k,)
        The target's labels, sorted.
    """

    def __init__(self, model: Any, known: NDArray[Any], classes: NDArray[Any]) -> None:
        self.model = model
        self.classes_ = classes
        self.columns = np.searchsorted(model.classes_, known)
        self.names: Mapping[Any, Any] = dict(zip(known.tolist(), classes.tolist(), strict=True))

    def predict(self, X: Any) -> Any:
        """Return the target's labels, shape (m,)."""
        answers = [self.names[label] for label in self.model.classes_.tolist()]
        codes = np.searchsorted(self.model.classes_, self.model.predict(X))
        return np.array(answers, dtype=self.classes_.dtype)[codes]

    def __getattr__(self, name: str) -> Any:
        if name in ("predict_proba", "decision_function"):
            answer = getattr(self.model, name)  # AttributeError where the model has none
            return lambda X: self._reorder(answer(X))
        raise AttributeError(name)

    def _reorder(self, scores: Any) -> Any:
        if scores.ndim == 2:
            return scores[:, self.columns]
        return scores if self.columns[0] == 0 else -scores


def squared_distance(parameters: list[Tensor], anchors: list[Tensor]) -> Tensor:
    """Return the sum of squared differences between two lists of tensors, shape ()."""
    parts = [(p - a).square().sum() for p, a in zip(parameters, anchors, strict=True)]
    return torch.stack(parts).sum()


def _reorder(head: nn.Module, rows: NDArray[np.intp], width: int) -> None:
    """Put the rows of a linear head in the order of the target's classes."""
    if np.array_equal(rows, np.arange(width)):
        return
    if not isinstance(head, nn.Linear):
        raise InputError(f"only a linear head can be reordered, this is {type(head).__name__}")
    order = torch.from_numpy(rows).to(head.weight.device)
    head.weight.data = head.weight.data[order]
    if head.bias is not None:
        head.bias.data = head.bias.data[order]
