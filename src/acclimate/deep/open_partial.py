"""Where one domain has classes that the other lacks: weights while training, and a reject option.

A method offers it with two settings, ``partial`` and ``unknown``. The weights reach the method's
terms as ``s.weight`` and, where its plan says that they are read, as ``t.weight``. Alignment does
not read the latter: far rows are also those that the shift moved most, and on simulated shifts DAN
recognised fewer classes without them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Real
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import validate_data
from torch import Tensor, nn

from acclimate.deep.run import TARGET, Plan, Run
from acclimate.exceptions import InputError
from acclimate.losses.label_sets import (
    class_centres,
    class_weights,
    knownness,
    nearest_centre,
    two_groups,
)
from acclimate.settings import Constraints
from acclimate.training import norm
from acclimate.training.batch import Batch

LABEL_SETS: Constraints = {  # of the methods that offer it
    "use_target_labels": ["boolean"],
    "partial": ["boolean"],
    "unknown": [str, Interval(Real, None, None, closed="neither"), None],
}


class LabelSets:
    """Weights of the rows of both domains, renewed before each epoch.

    Parameters
    ----------
    run : Run
        The adaptation.
    layers : sequence of batch-norm layers
        Those whose statistics follow the rows.
    partial : bool
        Whether source rows count by how frequent their class is in the target.
    reject : bool
        Whether rows of the target may belong to no class.
    weighs_target : bool
        Whether target rows then count by how near they are to a class of the source.
    """

    def __init__(
        self, run: Run, layers: Sequence[Any], *, partial: bool, reject: bool, weighs_target: bool
    ) -> None:
        self.run, self.layers = run, layers
        self.partial, self.reject, self.weighs_target = partial, reject, weighs_target
        self.of_class: Tensor | None = None  # (k,)
        self.of_target: Tensor | None = None  # (m,)

    def renew(self) -> None:
        """Compute both weights from what the network makes of the rows now."""
        run, device = self.run, self.run.device
        source = run.source
        assert source is not None  # noqa: S101 - methods that offer it need source rows
        assert source.y is not None  # noqa: S101
        zt, logits = norm.infer_by_batch(
            run.base, run.target.x, self.layers, precision=run.precision
        )
        known = None
        if self.reject:
            far = nearest_centre(zt, *_centres(run, run.base, self.layers))
            known = knownness(far, *two_groups(far))
            self.of_target = known.to(device) if self.weighs_target else None
        if self.partial:
            w = torch.ones(len(source)) if source.weight is None else source.weight.cpu()
            shares = torch.bincount(source.y.cpu(), w, minlength=run.outputs) / w.sum()
            self.of_class = class_weights(logits, shares, known).to(device)

    def weigh(self, inner: Callable[[nn.Module, Batch], Any]) -> Callable[[nn.Module, Batch], Any]:
        """Return a ``forward`` that puts the weights into what ``inner`` returns."""

        def forward(net: nn.Module, batch: Batch) -> SimpleNamespace:
            out: SimpleNamespace = inner(net, batch)
            if batch.domain == TARGET:
                out.weight = None if self.of_target is None else self.of_target[batch.index]
            elif self.of_class is not None and batch.y is not None:
                own = self.of_class[batch.y]
                out.weight = own if batch.weight is None else own * batch.weight
            return out

        return forward


def with_label_sets(method: Any, run: Run, plan: Plan) -> Plan:
    """Return a method's plan, with rows that count by the classes that both domains share."""
    partial, reject = getattr(method, "partial", False), _unknown(method) is not None
    if not partial and not (reject and plan.weighs_target):
        return plan
    sets = LabelSets(
        run, norm.norms(run.base, plan.frozen), partial=partial, reject=reject,
        weighs_target=plan.weighs_target,
    )  # fmt: skip

    def renew(net: nn.Module, progress: float) -> None:
        sets.renew()
        if plan.before_epoch is not None:
            plan.before_epoch(net, progress)

    return replace(plan, forward=sets.weigh(plan.forward), before_epoch=renew)


def rejecting(method: Any, run: Run, model: Any, layers: Sequence[Any]) -> Any:
    """Return the model of the target, with a reject option where the method asks for one.

    Parameters
    ----------
    method : DeepAdapter
        Has the label of rejected rows.
    run : Run
        Its ``model`` holds the network that predicts target rows from now on.
    model : fitted classifier
        ``run.model``, or the same with its labels renamed.
    layers : sequence of batch-norm layers
        Those whose statistics follow the rows.
    """
    unknown = _unknown(method)
    if unknown is None:
        return model
    check_unknown(unknown, model.classes_)  # the target may call them otherwise
    network = run.model.network_
    centres, whiten = _centres(run, network, layers)
    far = nearest_centre(run.infer(run.target.x, network)[0], centres, whiten)
    return Rejecting(model, run.model, unknown, centres, whiten, two_groups(far)[0])


def _unknown(method: Any) -> Any:
    return getattr(method, "unknown", None)


def _centres(run: Run, network: nn.Module, layers: Sequence[Any]) -> tuple[Tensor, Tensor]:
    """Return what `class_centres` makes of the source rows."""
    source = run.source
    assert source is not None  # noqa: S101 - methods that offer it need source rows
    assert source.y is not None  # noqa: S101
    z = norm.infer_by_batch(network, source.x, layers, precision=run.precision)[0]
    return class_centres(z, source.y.cpu(), run.outputs)


class Rejecting:
    """A fitted classifier that calls rows far from every class of the source unknown.

    Parameters
    ----------
    model : fitted classifier
        Answers rows of the target: ``network``, or the same with its labels renamed.
    network : NeuralClassifier
        Has the features.
    unknown : label
        What rejected rows are called.
    centres, whiten : Tensor of shape (k, d) and (d, d)
        Of the source's classes, see `acclimate.losses.label_sets.class_centres`.
    threshold : float
        Rows with a larger log distance to the nearest centre are rejected.
    """

    def __init__(
        self, model: Any, network: Any, unknown: Any, centres: Tensor, whiten: Tensor,
        threshold: float,
    ) -> None:  # fmt: skip
        self.model = model
        self.network = network
        self.unknown = unknown
        self.centres = centres
        self.whiten = whiten
        self.threshold = threshold

    @property
    def classes_(self) -> NDArray[Any]:
        """Labels of the columns of ``predict_proba``; the unknown is none of them."""
        classes: NDArray[Any] = self.model.classes_
        return classes

    def predict(self, X: Any) -> Any:
        """Return labels, and ``unknown`` where a row is rejected, shape (m,)."""
        labels = self.model.predict(X)
        rows = validate_data(self.network, X, reset=False, allow_nd=True)
        far = nearest_centre(self.network.infer(rows)[0], self.centres, self.whiten)
        both = np.result_type(labels, np.asarray(self.unknown))
        return np.where((far > self.threshold).numpy(), np.asarray(self.unknown, both), labels)

    def __getattr__(self, name: str) -> Any:
        if name in ("predict_proba", "decision_function"):
            return getattr(self.model, name)  # AttributeError where the model has none
        raise AttributeError(name)


def check_label_sets(method: Any, classes: NDArray[Any] | None) -> None:
    """Raise where the settings cannot be used; ``classes`` is None in a regression."""
    partial, unknown = getattr(method, "partial", False), _unknown(method)
    if classes is not None:
        check_unknown(unknown, classes)
        return
    for name, value, none in (("partial", partial, False), ("unknown", unknown, None)):
        if value is not none:
            raise InputError(
                f"{name} is about classes, and a regression has none: leave it at {none}, "
                f"got {value!r}"
            )


def check_unknown(unknown: Any, classes: NDArray[Any]) -> None:
    """Raise where a label for rejected rows does not go with the classes."""
    if unknown is None:
        return
    kind = np.asarray(unknown).dtype.kind
    number = kind in "iuf" and np.ndim(unknown) == 0 and float(unknown).is_integer()
    if np.ndim(unknown) != 0 or not (number or kind == "U"):
        raise InputError(f"unknown must be a text or a whole number, got {unknown!r}")
    of = np.asarray(classes.tolist()).dtype.kind  # an array of objects holds texts
    fits = kind in {"U": "U", "i": "iu", "u": "iu", "f": "iuf"}.get(of, "")
    if not fits:
        raise InputError(
            f"unknown must be a label like the classes, {classes.tolist()[:5]!r}, got {unknown!r}"
        )
    if unknown in classes.tolist():
        raise InputError(
            f"unknown must be none of the classes, got {unknown!r}; they are "
            f"{classes.tolist()[:10]!r}"
        )
