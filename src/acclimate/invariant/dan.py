"""`DAN`: features whose distributions agree under several kernels."""

from __future__ import annotations

from typing import Any, ClassVar

from acclimate.deep import DeepAdapter, Plan, Run, documented
from acclimate.deep.open_partial import LABEL_SETS
from acclimate.losses.mmd import mmd
from acclimate.settings import NOT_NEGATIVE, Constraints
from acclimate.training.schedules import rising
from acclimate.training.terms import Phase, Term


@documented
class DAN(DeepAdapter):
    """Train features whose distributions agree between source and target, in every moment.

    Use it when the domains differ in style, means included, and classes have about the same shares.
    Do not use it when the shares of the classes differ much, or batches are small: the distance is
    estimated from a batch of each domain, and is mostly noise below some 30 rows.

    Minimises ``L(theta, head) + strength * r(p) * MMD^2(z_s, z_t)``, where L is the base model's
    loss on source rows, MMD is the maximum mean discrepancy of the features that the head reads
    under the mean of five Gaussian kernels, and r rises from 0 to 1 with the progress p, as
    ``2 / (1 + exp(-10 p)) - 1``.

    Parameters
    ----------
    {estimator}
    strength : float, default=1.0
        Weight of the distance at the end, at least 0.
    {labels}
    {label_sets}
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
    The estimate is the unbiased one over all pairs of a batch, not the paper's linear one, which is
    noisier; it may be below 0. Squared widths are 1/4 to 4 times the mean squared distance in the
    batch, and all kernels have equal weights, where the paper optimises them. One layer is aligned,
    the one that the head reads. Stage two starts from the source network. With several sources, the
    distance is the mean over sources. Rows of the source count by their weights.

    References
    ----------
    Long, Cao, Wang and Jordan, "Learning transferable features with deep adaptation networks",
    arXiv:1502.02791.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import DAN, Domain, NeuralClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(90, 2)), rng.normal(size=(60, 2)) + 0.5
    >>> base = NeuralClassifier(hidden=(8,), min_steps=60, random_state=0)
    >>> model = DAN(base, random_state=0).fit(X, X[:, 0] > 0, target=Domain(Xt))
    >>> sorted(model.history_.epochs[-1])
    ['mmd', 'step', 'task', 'validation']
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **DeepAdapter._parameter_constraints,
        **LABEL_SETS,
        "strength": [NOT_NEGATIVE],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        strength: float = 1.0,
        use_target_labels: bool = False,
        partial: bool = False,
        unknown: Any = None,
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
        self.use_target_labels = use_target_labels
        self.partial = partial
        self.unknown = unknown

    def _plan(self, run: Run) -> Plan:
        run.check_two_rows()
        align = run.each_source(lambda s, t: mmd(s.z, t.z, s.weight))
        return Plan(
            [Phase([*run.supervised, Term("mmd", align, rising(self.strength))], [run.net])]
        )
