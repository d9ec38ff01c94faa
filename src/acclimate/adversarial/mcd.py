"""`MCD`: two heads seek the rows that they disagree on, and the body leaves none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, ClassVar

from torch import Tensor, nn

from acclimate.deep import DeepAdapter, Plan, Run, documented, forward
from acclimate.losses.disparity import discrepancy
from acclimate.settings import COUNT, Constraints
from acclimate.training.batch import Batch
from acclimate.training.network import Network, new_head
from acclimate.training.terms import Phase, Term


class MeanHead(nn.Module):
    """The mean of the scores of two heads.

    Parameters
    ----------
    first, second : nn.Module
        Map features (b, d) to scores (b, k).
    """

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first = first
        self.second = second

    def forward(self, z: Tensor) -> Tensor:
        """Return scores (b, k)."""
        mean: Tensor = 0.5 * (self.first(z) + self.second(z))
        return mean


@documented
class MCD(DeepAdapter):
    """Train two heads to disagree on target rows, and the body to leave no such rows.

    Use it for classification when target rows lie near the borders between classes: it looks at
    classes, where a discriminator of domains does not. Do not use it when time is short, since each
    step has several passes, or the source model is mostly wrong on the target.

    Each step has three parts. Body and heads minimise the loss L of both heads on source rows. The
    heads minimise ``L - d``, where d is the mean absolute difference of their predicted
    distributions on target rows. The body minimises d, ``inner_steps`` times.

    Parameters
    ----------
    {classifier}
    inner_steps : int, default=1
        How often the body moves in each step, at least 1.
    {parameters}

    Attributes
    ----------
    {attributes}

    Raises
    ------
    {raises}

    Warns
    -----
    {warns}

    Notes
    -----
    The paper moves the body four times in each step. Once did better on simulated shifts
    optdigits and pendigits.

    The first head is the source model's and the second starts anew, where the paper starts both
    anew. Predictions are those of the heads' mean score, for rows of both domains.

    References
    ----------
    Saito, Watanabe, Ushiku and Harada, "Maximum classifier discrepancy for unsupervised domain
    adaptation", arXiv:1712.02560.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import MCD, Domain, NeuralClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(90, 2)), rng.normal(size=(60, 2)) + 0.5
    >>> base = NeuralClassifier(hidden=(8,), min_steps=60, random_state=0)
    >>> model = MCD(base, random_state=0).fit(X, X[:, 0] > 0, target=Domain(Xt))
    >>> sorted(model.history_.epochs[-1])
    ['apart', 'second', 'step', 'task', 'together', 'validation']
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **DeepAdapter._parameter_constraints,
        "inner_steps": [COUNT],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        inner_steps: int = 1,
        length: float = 1.0,
        rate: float = 1.0,
        validator: Any = "auto",
        preprocess: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            estimator, length=length, rate=rate, validator=validator, preprocess=preprocess,
            random_state=random_state,
        )  # fmt: skip
        self.inner_steps = inner_steps

    def _plan(self, run: Run) -> Plan:
        body, first = run.base.body, run.base.head
        second = run.add("second", new_head(first, run.outputs))

        def both(net: Any, batch: Batch) -> SimpleNamespace:
            out = forward(net, batch)
            out.other = net.second(out.z)
            return out

        def other(s: Any, t: Any) -> Tensor:
            seen = SimpleNamespace(logits=s.other, y=s.y, weight=s.weight)
            loss: Tensor = run.task.loss(seen, None)
            return loss

        def gap(s: Any, t: Any) -> Tensor:
            return discrepancy(t.logits, t.other)

        learn = [*run.supervised, Term("second", other)]
        labelled = run.known is not None  # rows of the target that the loss reads, too
        return Plan(
            [
                Phase(learn, [body, first, second], reads=(True, labelled)),
                Phase([*learn, Term("apart", gap, -1.0)], [first, second]),
                Phase(
                    [Term("together", gap)], [body], repeat=int(self.inner_steps),
                    reads=(False, True),
                ),
            ],
            forward=both,
            target=Network(body, MeanHead(first, second)),
            start=run.base,  # the second head knows nothing yet
        )  # fmt: skip
