"""`AFN`: features that grow longer in both domains."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval

from acclimate.deep import DeepAdapter, Plan, Run, documented
from acclimate.losses.confusion import fixed_norm_loss, norm_loss
from acclimate.settings import NOT_NEGATIVE, POSITIVE, Constraints
from acclimate.training.terms import Phase, Term

ROWS = 1024  # of the source, whose mean length is taken


@documented
class AFN(DeepAdapter):
    """Train features that grow longer in both domains, step by step.

    Use it when target rows have shorter features than source rows, as those of a network that does
    not know them often have. It makes no assumption on the shares of the classes. Do not use it
    when features are normalised, or the shift is not one that makes the network unsure.

    Minimises ``L(theta, head) + strength * (R(z_s) + R(z_t))``, where L is the base model's loss on
    source rows and R the mean of ``(||z|| - (||z||_now + step))^2``, in which ``||z||_now`` is held
    fixed. Rows longer than ``limit`` times the source's mean length at the start are left out of R.
    With a ``radius`` it is ``(mean ||z|| - radius)^2`` instead.

    Parameters
    ----------
    {classifier}
    strength : float, default=0.05
        Weight of the lengths, at least 0.
    step : float, default=1.0
        How much longer features shall be at each step, above 0.
    limit : float, default=2.5
        Length at which features stop growing, over the mean length of source rows in the source
        model, above 0; infinity lets them grow for ever, as the paper does.
    radius : float, default=None
        The wanted mean length, above 0: the hard form. None is the step-wise form.
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
    The paper adds dropout that keeps lengths and a bottleneck, and has no ``limit``. Here the
    features are those that the head reads. The push outwards is equally strong at any length, and
    Adam, which the base model uses where the paper has SGD, follows it at full speed once L is
    small: without the limit features became 100 times longer within 200 steps, and L rose as their
    logits did. Stage two starts from the source network.

    References
    ----------
    Xu, Li, Yang and Lin, "Larger norm more transferable: an adaptive feature norm approach for
    unsupervised domain adaptation", arXiv:1811.07456.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import AFN, Domain, NeuralClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(90, 2)), rng.normal(size=(60, 2)) + 0.5
    >>> base = NeuralClassifier(hidden=(8,), min_steps=60, random_state=0)
    >>> model = AFN(base, random_state=0).fit(X, X[:, 0] > 0, target=Domain(Xt))
    >>> sorted(model.history_.epochs[-1])
    ['norm_source', 'norm_target', 'step', 'task', 'validation']
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **DeepAdapter._parameter_constraints,
        "strength": [NOT_NEGATIVE],
        "step": [POSITIVE],
        "limit": [Interval(Real, 0, None, closed="right")],
        "radius": [POSITIVE, None],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        strength: float = 0.05,
        step: float = 1.0,
        limit: float = 2.5,
        radius: float | None = None,
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
        self.strength = strength
        self.step = step
        self.limit = limit
        self.radius = radius

    def _plan(self, run: Run) -> Plan:
        limit = math.inf
        if self.radius is None and run.source is not None:
            some = run.source.x[:: -(-len(run.source) // ROWS)]
            limit = self.limit * float(run.infer(some)[0].norm(dim=1).mean())

        def longer(z: Any, weight: Any = None) -> Any:
            if self.radius is None:
                return norm_loss(z, self.step, weight, limit)
            return fixed_norm_loss(z, self.radius, weight)

        terms = [
            *run.supervised,
            Term("norm_source", lambda s, t: longer(s.z, s.weight), self.strength),
            Term("norm_target", lambda s, t: longer(t.z), self.strength),
        ]
        return Plan([Phase(terms, [run.net])])
