"""`DeepCORAL`: features whose covariance is the same in both domains."""

from __future__ import annotations

from typing import Any, ClassVar

from acclimate.deep import DeepAdapter, Plan, Run, documented
from acclimate.deep.open_partial import LABEL_SETS
from acclimate.losses.covariance import coral
from acclimate.settings import NOT_NEGATIVE, Constraints
from acclimate.training.terms import Phase, Term


@documented
class DeepCORAL(DeepAdapter):
    """Train features whose covariances agree between source and target.

    Use it when the domains differ in style and classes have about the same shares: it has one
    setting, is stable, and costs little. Do not use it when the shares of the classes differ much,
    nor when the domains differ in their means alone, which covariances do not see.

    Minimises ``L(theta, head) + strength * ||C_s - C_t||_F^2 / (4 d^2)``, where L is the base
    model's loss on source rows and C are the covariances of the d features that the head reads, in
    a batch of each domain.

    Parameters
    ----------
    {estimator}
    strength : float, default=1.0
        Weight of the distance, at least 0.
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
    The paper aligns the outputs of the last layer of AlexNet; here it is the features that the
    head reads, so that regression works too. Stage two starts from the source network. With
    several sources, the distance is the mean over sources. Rows of the source count by their
    weights.

    References
    ----------
    Sun and Saenko, "Deep CORAL: correlation alignment for deep domain adaptation",
    arXiv:1607.01719.

    Examples
    --------
    >>> import numpy as np
    >>> from acclimate import DeepCORAL, Domain, NeuralClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, Xt = rng.normal(size=(90, 2)), 2 * rng.normal(size=(60, 2))
    >>> base = NeuralClassifier(hidden=(8,), min_steps=60, random_state=0)
    >>> model = DeepCORAL(base, random_state=0).fit(X, X[:, 0] > 0, target=Domain(Xt))
    >>> sorted(model.history_.epochs[-1])
    ['coral', 'step', 'task', 'validation']
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
        align = run.each_source(lambda s, t: coral(s.z, t.z, s.weight))
        terms = [*run.supervised, Term("coral", align, self.strength)]
        return Plan([Phase(terms, [run.net])])
